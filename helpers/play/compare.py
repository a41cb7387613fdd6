"""`play.compare`: image, truth, and each prediction with its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from helpers.errors import InputError, called_as
from helpers.play.inputs import grey, labels, percent, plain, size
from helpers.play.playground import Playground
from helpers.play.scene import Layer, Picture, Scene
from helpers.reference.overlap import dice, iou
from helpers.show import CONFUSED, FALSE, MISSED

IGNORED = 255


@dataclass(frozen=True)
class Compared:
    """One prediction against the truth.

    Attributes:
        missed: bool `(H, W)`, object in the truth and background in the prediction.
        false: bool `(H, W)`, background in the truth and object in the prediction.
        confused: bool `(H, W)`, object in both, but of another class.
        dice, iou: means over the object classes in the truth or the prediction.
    """

    missed: Tensor
    false: Tensor
    confused: Tensor
    dice: float
    iou: float

    @property
    def wrong(self) -> Tensor:
        """Every wrong pixel, bool `(H, W)`."""
        return self.missed | self.false | self.confused


class Compare(Playground):
    """Show predictions and their errors side by side; as the last line of a cell it is shown.

    For a table of scores, of networks in place of masks, there is `helpers.baseline.compare`.

    Args:
        image: one image, `(H, W)`, `(1, H, W)` or `(3, H, W)`.
        truth: its mask `(H, W)`: bool, or class indices with 0 for background and 255 for "do not count".
        predictions: by name: masks of the same kinds, or float probabilities, which are thresholded at 0.5.

    Raises:
        ValueError: sizes differ, nothing is predicted, or something is neither a mask nor probabilities.
    """

    title = "Predictions and their errors"

    @called_as('play.compare(image, truth, {"name": prediction})')
    def __init__(self, image: Any, truth: Any, predictions: Mapping[str, Any]) -> None:
        if not predictions:
            raise InputError('There is no prediction. Give them by name: {"mine": mask}.')
        self.image = grey(image)
        self.colours = plain(image)
        self.truth = labels(truth, self.image)
        self.predictions = {name: _prediction(name, value, self.image) for name, value in predictions.items()}

    def compute(self) -> dict[str, Compared]:
        """Each prediction against the truth."""
        return {name: self._compared(prediction) for name, prediction in self.predictions.items()}

    def _compared(self, prediction: Tensor) -> Compared:
        known = self.truth != IGNORED
        classes = torch.cat([self.truth[known], prediction[known]]).unique()
        pairs = [(prediction[known] == c, self.truth[known] == c) for c in classes[classes > 0]]
        # where neither has an object, the score is that of two empty masks
        pairs = pairs or [(prediction[known] > 0, self.truth[known] > 0)]
        return Compared(
            missed=known & (self.truth > 0) & (prediction == 0),
            false=known & (self.truth == 0) & (prediction > 0),
            confused=known & (self.truth > 0) & (prediction > 0) & (self.truth != prediction),
            dice=sum(dice(*pair) for pair in pairs) / len(pairs),
            iou=sum(iou(*pair) for pair in pairs) / len(pairs),
        )

    def facts(self) -> list[str]:
        """Scores and errors of each prediction, and of two, which is right where they differ."""
        results = self.compute()
        known = self.truth != IGNORED
        found = [f"{size(self.image)} pixels, {percent((self.truth[known] > 0).float().mean().item())} of them object."]
        for name, r in results.items():
            confused = f", {int(r.confused.sum())} of the wrong class" if self._has_classes(results) else ""
            found.append(
                f"{name}: Dice {r.dice:.3f}, IoU {r.iou:.3f}; {int(r.missed.sum())} pixels missed, "
                f"{int(r.false.sum())} false{confused}."
            )
        if len(results) == 2:
            (a, first), (b, second) = results.items()
            apart = known & (self.predictions[a] != self.predictions[b])
            found.append(
                f"They differ on {int(apart.sum())} pixels: {a} is right on {int((apart & ~first.wrong).sum())} of "
                f"them, {b} on {int((apart & ~second.wrong).sum())}."
            )
        return found

    def scene(self) -> Scene:
        """Image and predicted masks above, the true mask and the errors below."""
        results = self.compute()
        kinds = [MISSED, FALSE, CONFUSED] if self._has_classes(results) else [MISSED, FALSE]
        is_coloured = self.colours.ndim == 3 and len(self.colours) == 3
        above = [Picture("image", self.colours if is_coloured else self.image)]
        below = [Picture("truth", _without_ignored(self.truth))]
        errors, said = {}, []
        for name, r in results.items():
            masks = dict(zip((MISSED, FALSE, CONFUSED), (r.missed, r.false, r.confused), strict=True))
            layers = tuple(Layer(*kind, masks[kind]) for kind in kinds)
            above.append(Picture(name, _without_ignored(self.predictions[name])))
            errors[name] = Picture(f"error, Dice {r.dice:.3f}", self.image, layers=layers)
            below.append(errors[name])
            counts = ", ".join(f"{int(mask.sum())} pixels {kind[0]}" for kind, mask in masks.items() if mask.any())
            said.append(f"{name}: {counts or 'no error'}")
        alt = (
            f"Above, the image of {size(self.image)} pixels and the predicted masks; below, the true mask and the "
            f"errors drawn on the image. {'; '.join(said)}."
        )
        return Scene([above, below], alt, zooms=True, wipes=errors if len(errors) > 1 else {})

    def _has_classes(self, results: dict[str, Compared]) -> bool:
        return any(bool(r.confused.any()) for r in results.values())


def _without_ignored(mask: Tensor) -> Tensor:
    return torch.where(mask == IGNORED, 0, mask)


def _prediction(name: str, value: Any, image: Tensor) -> Tensor:
    value = plain(value)
    if value.is_floating_point():
        low, high = value.min().item(), value.max().item()
        if not (low >= 0 and high <= 1):
            raise InputError(
                f"{name} goes from {low:.3g} to {high:.3g}; give a mask, or probabilities within 0 to 1. Logits of one "
                "class become a mask with logits > 0, those of several with logits.argmax(dim=0)."
            )
        value = value > 0.5
    return labels(value, image, name)
