"""`play.tiles`: an image predicted in tiles, and the same image predicted at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from helpers.errors import InputError, called_as
from helpers.eval_mode import eval_mode
from helpers.play.inputs import grey, plain, size
from helpers.play.playground import Control, Playground
from helpers.play.scene import Frame, Picture, Plot, Scene
from helpers.reference.inference import predict_tiled
from helpers.reference.unet import UNet


@dataclass(frozen=True)
class Tiled:
    """Both predictions.

    Attributes:
        direct, tiled: logits `(H, W)`; of several classes those of the last.
        seams: their absolute difference, pixel by pixel, over the standard deviation of `direct`.
        corners: `(top, left)` of each tile in the image; negative where it begins in the mirror image.
        inside: bool `(H, W)`, true away from the image's border, where seams are measured.
        worst, mean: the largest and the mean value of `seams` inside.
    """

    direct: Tensor
    tiled: Tensor
    seams: Tensor
    corners: list[tuple[int, int]]
    inside: Tensor
    worst: float
    mean: float

    @property
    def tiles(self) -> int:
        """The number of tiles."""
        return len(self.corners)


class Tiles(Playground):
    """Predict an image in tiles and at once; as the last line of a cell it is shown.

    Args:
        image: one image `(C, H, W)` or `(H, W)`, larger than a tile.
        tile: side of a tile in pixels.
        overlap: pixels that neighbouring tiles share, from 0 to `tile - 1`.
        model: maps `(N, C, H, W)` to logits `(N, K, H, W)`. By default a small U-Net with random weights: seams come
            from cutting, not from what has been learned.

    Raises:
        ValueError: the overlap does not fit the tile, or the tile not the image.
    """

    title = "Predicted in tiles, and at once"

    @called_as("play.tiles(image)")
    def __init__(self, image: Any, tile: int = 64, overlap: int = 16, model: nn.Module | None = None) -> None:
        image = plain(image).float()
        self.image = image[None] if image.ndim == 2 else image
        if self.image.ndim != 3:
            raise InputError(f"image has shape {tuple(image.shape)}; it must be one image: (H, W) or (C, H, W).")
        self.random = model is None
        self.model = small_unet(self.image) if model is None else model
        self.tile, self.overlap = tile, overlap
        self._check()
        # The results, by tile and overlap: image and model stay the same.
        self._direct: Tensor | None = None
        self._kept: dict[tuple[int, int], Tiled] = {}

    def _check(self) -> None:
        if not 0 <= self.overlap < self.tile or self.tile > min(self.image.shape[1:]):
            raise InputError(
                f"tile={self.tile} and overlap={self.overlap} do not fit an image of {size(self.image)}. Take a tile "
                f"of at most {min(self.image.shape[1:])} and an overlap from 0 to {self.tile - 1}."
            )

    def compute(self) -> Tiled:
        """The result of the present overlap."""
        return self.at(self.overlap)

    def at(self, overlap: int) -> Tiled:
        """The result of another overlap."""
        if (self.tile, overlap) not in self._kept:
            self._kept[self.tile, overlap] = self._tiled(overlap)
        return self._kept[self.tile, overlap]

    def _tiled(self, overlap: int) -> Tiled:
        direct = self._once()
        tiled = predict_tiled(self.model, self._there(), self.tile, overlap)[-1].cpu()
        seams = (tiled - direct).abs() / direct.std().clamp(min=1e-12)
        inside = self._inside()
        worst, mean = seams[inside].max().item(), seams[inside].mean().item()
        return Tiled(direct, tiled, seams, self._corners(overlap), inside, worst, mean)

    def by_overlap(self) -> dict[int, Tiled]:
        """The results of a few overlaps, from none to half a tile."""
        return {overlap: self.at(overlap) for overlap in self._overlaps()}

    def _overlaps(self) -> list[int]:
        return sorted({k * self.tile // 8 for k in range(5)})

    def working(self) -> str:
        """That the model runs, where results are missing."""
        unknown = [overlap for overlap in {*self._overlaps(), self.overlap} if (self.tile, overlap) not in self._kept]
        return f"the model runs on every tile, for {len(unknown)} overlap{'s' * (len(unknown) > 1)}" if unknown else ""

    @torch.no_grad()
    def _once(self) -> Tensor:
        if self._direct is None:
            with eval_mode(self.model):
                self._direct = self.model(self._there()[None])[0, -1].cpu()
        return self._direct

    def _there(self) -> Tensor:
        """The image, where the model is."""
        return self.image.to(next((p.device for p in self.model.parameters()), self.image.device))

    def _corners(self, overlap: int) -> list[tuple[int, int]]:
        """Where `predict_tiled` puts its tiles."""
        first, stride = -(overlap // 2), self.tile - overlap
        tops, lefts = (range(first, side + first, stride) for side in self.image.shape[1:])
        return [(top, left) for top in tops for left in lefts]

    def _inside(self) -> Tensor:
        # At the image's border the two differ for another reason: one sees padding, the other a mirror image.
        inside = torch.zeros(self.image.shape[1:], dtype=torch.bool)
        margin = min(self.tile // 2, min(inside.shape) // 4)
        inside[margin : inside.shape[0] - margin, margin : inside.shape[1] - margin] = True
        return inside

    def facts(self) -> list[str]:
        """How far the two predictions are apart, with this overlap and with others."""
        now = self.compute()
        found = [
            f"{size(self.image)} pixels in {now.tiles} tiles of {self.tile}×{self.tile} with {self.overlap} pixels of "
            f"overlap. The model is {'a small U-Net with random weights' if self.random else 'yours'}.",
            f"Away from the image's border the two predictions are up to {now.worst:.2g} apart, {now.mean:.2g} on the "
            "average (in standard deviations of the direct prediction).",
        ]
        found += [
            f"Overlap {overlap}: {other.tiles} tiles, up to {other.worst:.2g} apart, {other.mean:.2g} on the average."
            for overlap, other in self.by_overlap().items()
            if overlap != self.overlap
        ]
        return found

    def controls(self) -> list[Control]:
        """Size and overlap of the tiles."""
        largest = min(self.image.shape[1:])
        return [
            Control("tile", "Tile", min=16, max=largest, step=8, unit="pixels"),
            Control("overlap", "Overlap", min=0, max=largest // 2, step=4, unit="pixels"),
        ]

    def change(self, **values: Any) -> None:
        """Set tile or overlap; raises where they do not fit."""
        super().change(**values)
        self._check()

    def scene(self) -> Scene:
        """The tiles, the prediction, the seam map, and the seams over the overlap."""
        now, others = self.compute(), self.by_overlap()
        image = grey(self.image) if len(self.image) in (1, 3) else self.image[0]
        tiles = tuple(
            Frame(top, left, self.tile, self.tile, dashed=bool(k % 2)) for k, (top, left) in enumerate(now.corners)
        )
        rows, columns = (int(now.inside.any(dim).sum()) for dim in (1, 0))
        height, width = now.inside.shape
        inside = Frame((height - rows) / 2, (width - columns) / 2, rows, columns, "#ffffff", dashed=True)
        # on a log scale, the same for every overlap: a seam a thousand times fainter is seen too
        seams = (now.seams.clamp(1e-4, 1).log10() + 4) / 4
        title = "seam map: |tiled − at once| (log)"
        panels: list[Picture | Plot] = [
            Picture(f"{now.tiles} tiles", image, frames=tiles),
            Picture("logits, from tiles", now.tiled),
            Picture(title, seams, (0, 1), "cividis", written=False, frames=(inside,)),
            Plot(
                "inside the dashed frame",
                "overlap in pixels",
                "difference (std, log scale)",
                list(map(float, others)),
                lines={"largest": [t.worst for t in others.values()], "mean": [t.mean for t in others.values()]},
                marks=((float(self.overlap), f"now {self.overlap}"),),
                yscale="log",
            ),
        ]
        alt = (
            f"The image with {now.tiles} tiles of {self.tile}×{self.tile} pixels drawn in; the logits predicted in "
            f"tiles, from {now.tiled.min():.2g} to {now.tiled.max():.2g}; the seam map, largest inside the frame "
            f"{now.worst:.2g}; and the largest difference over the overlap: "
            + ", ".join(f"{overlap} pixels {other.worst:.2g}" for overlap, other in others.items())
            + "."
        )
        return Scene([panels], alt)


@torch.no_grad()
def small_unet(image: Tensor) -> UNet:
    """A U-Net with random weights, the same each time; its batch norms know the image, so that values stay in range.

    The global random generator is left as it is.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = UNet(len(image), 1, base_channels=4, depth=2)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0  # the running statistics become those of this one image
    model(image[None])
    return model.eval()
