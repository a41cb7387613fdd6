"""`play.overlap`: a copy of the true shape is moved, and three scores say how much of the overlap is left."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from scipy import ndimage
from torch import Tensor

from helpers.errors import InputError, called_as
from helpers.play.inputs import grey, labels, percent, pixels, size
from helpers.play.playground import Control, Playground
from helpers.play.scene import Picture, Plot, Scene, overlap_layers
from helpers.reference.overlap import confusion, dice, iou, pixel_accuracy

SCORES = {"accuracy": pixel_accuracy, "IoU": iou, "Dice": dice}


@dataclass(frozen=True)
class Overlapping:
    """A prediction against the truth.

    Attributes:
        pred: the moved shape, bool `(H, W)`.
        both, false, missed, rest: pixels of each kind; together all pixels.
        scores: by the names of `SCORES`.
    """

    pred: Tensor
    both: int
    false: int
    missed: int
    rest: int
    scores: dict[str, float]


class Overlap(Playground):
    """Move the largest true object off itself; as the last line of a cell it is shown.

    Args:
        image: one image, `(H, W)` or `(1, H, W)`.
        truth: its mask `(H, W)`: bool, classes or instances. The largest connected object is used, if possible one
            that the image's border does not cut.
        down, right: the shift of the predicted shape in pixels; by default a quarter of the object's width, to the side
            with more room.

    Raises:
        ValueError: sizes differ, or the truth is empty.
    """

    title = "Push a predicted shape off the true one, and watch its scores fall"

    @called_as("play.overlap(image, truth)")
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
        """The moved shape against the truth."""
        pred = moved(self.truth, self.down, self.right)
        both, false, missed, rest = confusion(pred, self.truth)
        scores = {name: score(pred, self.truth) for name, score in SCORES.items()}
        return Overlapping(pred, both, false, missed, rest, scores)

    def at(self, right: int) -> Overlap:
        """A copy with the shape `right` pixels to the right of the truth."""
        other = copy.copy(self)
        other.down, other.right = 0, right
        return other

    def curve(self) -> dict[str, list[float]]:
        """The scores at every shift to one side, from 0 to two pixels more than the object's width."""
        shifts = range(self.width + 3)
        steps = [self.at(self.side * k).compute() for k in shifts]
        return {"shift": [float(k) for k in shifts]} | {n: [s.scores[n] for s in steps] for n in SCORES}

    def facts(self) -> list[str]:
        """The scores here, where they fall below a half, and the scores at three other places."""
        now, curve = self.compute(), self.curve()
        area = int(self.truth.sum())
        halves = [
            f"{name} from {pixels(next(k for k, v in enumerate(curve[name]) if v < 0.5))} on"
            for name in ("IoU", "Dice")
        ]
        found = [
            f"{self._where()}: {now.both} pixels in both, {now.missed} missed, {now.false} false; {_said(now.scores)}.",
            f"Moved to the {self._towards}, it is below 0.5 in {', in '.join(halves)}. Accuracy never falls below "
            f"{min(curve['accuracy']):.3f}.",
            f"The object has {area} of {self.truth.numel()} pixels ({percent(area / self.truth.numel())}) and is "
            f"{pixels(self.width)} wide.",
        ]
        for shift, place in self._positions():
            if place.right != self.right or self.down:
                found.append(f"{pixels(shift)} to the {self._towards}: {_said(place.compute().scores)}.")
        return found

    def controls(self) -> list[Control]:
        """The shift."""
        height, width = self.truth.shape
        return [
            Control("down", "Down", min=-height, max=height, step=1, unit="pixels"),
            Control("right", "Right", min=-width, max=width, step=1, unit="pixels"),
        ]

    def scene(self) -> Scene:
        """The shape where it is now, the scores over the shift, and the shape at three other places."""
        curve, places = self.curve(), self._positions()
        values = {name: curve[name] for name in SCORES}
        is_on_it = not self.down and 0 <= self.side * self.right <= curve["shift"][-1]
        plot = Plot(
            f"scores of each shift to the {self._towards}",
            "Right, in pixels (Down is 0)",
            "score",
            [self.side * shift for shift in curve["shift"]],
            lines=values,
            marks=((self.right if is_on_it else math.nan, "now"),),
            ylim=(-0.03, 1.03),
        )
        now = self._picture("now", drags=("down", "right"))
        panels, said = [], []
        for shift, place in places:
            found = place.compute()
            panels.append(place._picture(f"Right {self.side * shift}".replace("-", "−")))
            said.append(f"{pixels(shift)} off, {found.both} in both, {found.missed} missed, {found.false} false")
        ends = ", ".join(f"{n} from {v[0]:.2f} to {v[-1]:.2f}" for n, v in values.items())
        alt = (
            f"The object of an image of {size(self.image)} pixels and the moved shape. Three scores while it moves "
            f"from 0 to {curve['shift'][-1]:.0f} pixels to the {self._towards}: {ends}. The shape at three other "
            f"places: {'; '.join(said)}."
        )
        return Scene([[now, plot, *panels]], alt)

    @property
    def _towards(self) -> str:
        return "right" if self.side > 0 else "left"

    def _picture(self, where: str, drags: tuple[str, str] | None = None) -> Picture:
        now = self.compute()
        title = f"{where}: IoU {now.scores['IoU']:.2f}, Dice {now.scores['Dice']:.2f}"
        return Picture(title, self.image, layers=overlap_layers(now.pred, self.truth), drags=drags)

    def _positions(self) -> list[tuple[int, Overlap]]:
        """Shifts by an eighth, half and all of the object's width, and the overlap there."""
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
    """A mask moved by whole pixels; what leaves the image is lost, what comes in is background."""
    height, width = mask.shape
    result = torch.zeros_like(mask)
    if abs(down) < height and abs(right) < width:
        source = mask[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
        result[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = source
    return result


def _largest(mask: Tensor) -> Tensor:
    """The largest connected piece of one label, bool; one cut by the image's border only where there is no other."""
    pieces: list[Tensor] = []
    for label in mask[(mask > 0) & (mask != 255)].unique():
        numbered, count = ndimage.label((mask == label).numpy())
        pieces += [torch.from_numpy(numbered) == number for number in range(1, count + 1)]
    if not pieces:
        raise InputError("The truth is empty. Take a tile with an object in it: there has to be a shape to move.")

    def whole_and_large(piece: Tensor) -> tuple[bool, int]:
        is_cut = any(edge.any() for edge in (piece[0], piece[-1], piece[:, 0], piece[:, -1]))
        return not is_cut, int(piece.sum())

    return max(pieces, key=whole_and_large)


def _said(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
