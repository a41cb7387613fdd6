"""`play.overlap`: the true shape is pushed off itself, and three scores say how much is left."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from scipy import ndimage
from torch import Tensor

from helpers.play.inputs import BOTH, FALSE, MISSED, grey, labels, percent, pixels, size
from helpers.play.playground import Control, Playground
from helpers.play.scene import Layer, Picture, Plot, Scene
from helpers.reference.overlap import confusion, dice, iou, pixel_accuracy

SCORES = {"accuracy": pixel_accuracy, "IoU": iou, "Dice": dice}


@dataclass(frozen=True)
class Overlapping:
    """How a prediction lies on the truth.

    Attributes:
        pred: the shape where it has been moved to, bool `(H, W)`.
        both, false, missed, rest: pixels of each kind; together all pixels.
        scores: "accuracy", "IoU" and "Dice".
    """

    pred: Tensor
    both: int
    false: int
    missed: int
    rest: int
    scores: dict[str, float]


def overlap(image: Any, truth: Any, down: int = 0, right: int | None = None) -> Overlap:
    """Push the largest true object off itself; as the last line of a cell it is shown.

    Args:
        image: one image, `(H, W)` or `(1, H, W)`.
        truth: its mask `(H, W)`: bool, classes or instances. The largest object in one piece is used, of those that the
            image's border does not cut if there are any.
        down, right: where the predicted shape is, in pixels from the true one; by default a quarter of the object's
            width off, towards the side with more room.

    Raises:
        ValueError: sizes differ, or the truth is empty.
    """
    return Overlap(image, truth, down, right)


class Overlap(Playground):
    """One true object and the same shape somewhere else. `down` and `right` move it."""

    title = "A predicted shape is pushed off the true one"

    def __init__(self, image: Any, truth: Any, down: int = 0, right: int | None = None) -> None:
        self.image = grey(image)
        self.truth = _largest(labels(truth, self.image))
        columns = self.truth.any(dim=0).nonzero()[:, 0]
        self.width = int(columns.max() - columns.min()) + 1
        room_left, room_right = int(columns.min()), self.truth.shape[1] - 1 - int(columns.max())
        self.side = 1 if room_right >= room_left else -1
        self.down = down
        self.right = self.side * max(1, self.width // 4) if right is None else right

    def compute(self) -> Overlapping:
        pred = moved(self.truth, self.down, self.right)
        both, false, missed, rest = confusion(pred, self.truth)
        scores = {name: score(pred, self.truth) for name, score in SCORES.items()}
        return Overlapping(pred, both, false, missed, rest, scores)

    def at(self, right: int) -> Overlap:
        """The same with the shape `right` pixels to the right of the truth, on its row."""
        other = copy.copy(self)
        other.down, other.right = 0, right
        return other

    def curve(self) -> dict[str, list[float]]:
        """The scores at every shift to one side, from 0 to two pixels more than the object's width."""
        steps = [self.at(self.side * k).compute() for k in self._shifts()]
        return {"shift": [float(k) for k in self._shifts()]} | {n: [s.scores[n] for s in steps] for n in SCORES}

    def facts(self) -> list[str]:
        now, curve = self.compute(), self.curve()
        area = int(self.truth.sum())
        found = [
            f"The object has {area} of {self.truth.numel()} pixels ({percent(area / self.truth.numel())}) and is "
            f"{pixels(self.width)} wide.",
            f"{self._where()}: {now.both} pixels in both, {now.missed} missed, {now.false} false; {_said(now.scores)}.",
        ]
        for shift, place in self._positions():
            if place.right != self.right or self.down:
                found.append(f"{pixels(shift)} off: {_said(place.compute().scores)}.")
        halves = [
            f"{name} from {pixels(next(k for k, v in enumerate(curve[name]) if v < 0.5))} on"
            for name in ("IoU", "Dice")
        ]
        lowest = min(curve["accuracy"])
        return [*found, f"Below 0.5: {', '.join(halves)}. Accuracy never falls below {lowest:.3f}."]

    def controls(self) -> list[Control]:
        height, width = self.truth.shape
        return [
            Control("down", "Down", min=-height, max=height, step=1, whole=True, unit="pixels"),
            Control("right", "Right", min=-width, max=width, step=1, whole=True, unit="pixels"),
        ]

    def scene(self) -> Scene:
        curve, places = self.curve(), self._positions()
        values = {name: curve[name] for name in SCORES}
        plot = Plot(
            "scores of the moved shape, on its row",
            "shift in pixels",
            "score",
            curve["shift"],
            lines=values,
            marks=() if self.down else ((float(abs(self.right)), f"now {pixels(abs(self.right))}"),),
            ylim=(-0.03, 1.03),
        )
        now = self._picture(self._where(), drags=("down", "right"))
        panels, said = [], []
        for shift, place in places:
            found = place.compute()
            panels.append(place._picture(pixels(shift)))
            said.append(f"{pixels(shift)} off, {found.both} in both, {found.missed} missed, {found.false} false")
        ends = ", ".join(f"{n} from {v[0]:.2f} to {v[-1]:.2f}" for n, v in values.items())
        alt = (
            f"Left, three scores while the shape moves from 0 to {curve['shift'][-1]:.0f} pixels: {ends}. Right, the "
            f"object of an image of {size(self.image)} pixels and the moved shape where it is now and at three other "
            f"places: {'; '.join(said)}."
        )
        return Scene([[plot, now, *panels]], alt)

    def _picture(self, where: str, drags: tuple[str, str] | None = None) -> Picture:
        now = self.compute()
        parts = ((BOTH, now.pred & self.truth), (MISSED, self.truth & ~now.pred), (FALSE, now.pred & ~self.truth))
        return Picture(
            f"{where}: IoU {now.scores['IoU']:.2f}, Dice {now.scores['Dice']:.2f}",
            self.image,
            layers=tuple(Layer(*kind, mask) for kind, mask in parts),
            drags=drags,
        )

    def _shifts(self) -> range:
        return range(self.width + 3)

    def _positions(self) -> list[tuple[int, Overlap]]:
        """Three telling places: an eighth, half and all of its width away."""
        shifts = sorted({max(1, self.width // 8), max(2, self.width // 2), self.width + 2})
        return [(k, self.at(self.side * k)) for k in shifts]

    def _where(self) -> str:
        parts = []
        if self.down:
            parts.append(f"{pixels(abs(self.down))} {'down' if self.down > 0 else 'up'}")
        if self.right:
            parts.append(f"{pixels(abs(self.right))} to the {'right' if self.right > 0 else 'left'}")
        return "Moved " + " and ".join(parts) if parts else "Not moved"


def moved(mask: Tensor, down: int, right: int) -> Tensor:
    """A mask moved by whole pixels; what leaves the image is gone, what comes in is background."""
    height, width = mask.shape
    result = torch.zeros_like(mask)
    if abs(down) < height and abs(right) < width:
        source = mask[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
        result[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = source
    return result


def _largest(mask: Tensor) -> Tensor:
    """The largest piece of one label, bool; one that is cut by the image's border only where there is no other."""
    best, whole = torch.zeros_like(mask, dtype=torch.bool), False
    for label in mask[(mask > 0) & (mask != 255)].unique():
        pieces, count = ndimage.label((mask == label).numpy())
        pieces = torch.from_numpy(pieces)
        for number in range(1, count + 1):
            piece = pieces == number
            inside = not any(edge.any() for edge in (piece[0], piece[-1], piece[:, 0], piece[:, -1]))
            if (inside, piece.sum()) > (whole, best.sum()):
                best, whole = piece, inside
    if not best.any():
        raise ValueError("The truth is empty. Take a tile with an object in it: there has to be a shape to move.")
    return best


def _said(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
