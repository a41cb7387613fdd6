"""`play.threshold`: from a map of probabilities to a mask, and the score of each threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from helpers.errors import InputError, called_as
from helpers.play.inputs import grey, labels, percent, size
from helpers.play.playground import Control, Playground
from helpers.play.scene import Picture, Plot, Scene, overlap_layers
from helpers.reference.overlap import confusion, dice, iou
from helpers.show import ORANGE

THRESHOLDS = [k / 100 for k in range(1, 100)]
BINS = 20


@dataclass(frozen=True)
class Thresholded:
    """The mask of one threshold, and its scores.

    Attributes:
        mask: bool `(H, W)`, true where the probability is above the threshold.
        both, false, missed, rest: pixels of each kind; together all pixels.
    """

    mask: Tensor
    both: int
    false: int
    missed: int
    rest: int
    dice: float
    iou: float


class Threshold(Playground):
    """Threshold a map of probabilities; as the last line of a cell it is shown.

    Args:
        probability: float `(H, W)` or `(1, H, W)`, from 0 to 1.
        truth: its mask `(H, W)`: bool, or class indices of which 0 is background.
        threshold: what is above it is object.

    Raises:
        ValueError: sizes differ, or the values are no probabilities.
    """

    title = "From probabilities to a mask"

    @called_as("play.threshold(probability, truth)")
    def __init__(self, probability: Any, truth: Any, threshold: float = 0.5) -> None:
        self.probability = grey(probability, "probability")
        low, high = self.probability.min().item(), self.probability.max().item()
        if not (low >= 0 and high <= 1):
            raise InputError(
                f"probability goes from {low:.3g} to {high:.3g}; it must be within 0 to 1. "
                "Logits become probabilities with torch.sigmoid(logits)."
            )
        self.truth = labels(truth, self.probability) > 0
        self.threshold = threshold

    def compute(self) -> Thresholded:
        """The result of the present threshold."""
        return self.at(self.threshold)

    def at(self, threshold: float) -> Thresholded:
        """The result of another threshold."""
        mask = self.probability > threshold
        both, false, missed, rest = confusion(mask, self.truth)
        return Thresholded(mask, both, false, missed, rest, dice(mask, self.truth), iou(mask, self.truth))

    def curve(self) -> list[float]:
        """Dice at each of `THRESHOLDS`."""
        return [dice(self.probability > t, self.truth) for t in THRESHOLDS]

    @property
    def best(self) -> float:
        """The threshold with the highest Dice; the middle one where several share it."""
        curve = self.curve()
        top = [t for t, score in zip(THRESHOLDS, curve, strict=True) if score == max(curve)]
        return top[len(top) // 2]

    def facts(self) -> list[str]:
        """Mean probabilities, and the scores of the present and the best threshold."""
        now, best, curve = self.compute(), self.best, self.curve()
        good = [t for t, score in zip(THRESHOLDS, curve, strict=True) if score >= max(curve) - 0.01]
        parts = {"object": self.probability[self.truth], "background": self.probability[~self.truth]}
        means = [f"{values.mean():.2f} on {name}" for name, values in parts.items() if values.numel()]
        fraction = percent(self.truth.float().mean().item())
        return [
            f"Threshold {self.threshold:.2f}: Dice {now.dice:.3f}, IoU {now.iou:.3f}; {now.both} pixels in both, "
            f"{now.missed} missed, {now.false} false.",
            f"{size(self.probability)} pixels, {fraction} of them object. Mean probability: {', '.join(means)}.",
            f"Best threshold on this image: {best:.2f}, with Dice {max(curve):.3f}. Between {good[0]:.2f} and "
            f"{good[-1]:.2f} lie all thresholds that come within 0.01 of it.",
        ]

    def controls(self) -> list[Control]:
        """The threshold."""
        return [Control("threshold", "Threshold", min=0.01, max=0.99, step=0.01)]

    def scene(self) -> Scene:
        """The probabilities and the mask, how often each probability is, and Dice over the threshold."""
        now, best, curve = self.compute(), self.best, self.curve()
        kinds = (("background", ~self.truth, "none", "...."), ("object", self.truth, ORANGE, ""))
        bars, peaks = [], []
        for name, where, colour, hatch in kinds:
            counts = torch.histc(self.probability[where], BINS, 0, 1).tolist()
            bars.append((name, counts, colour, hatch))
            high = counts.index(max(counts))
            peaks.append(f"{name} pixels are most between {high / BINS:.2f} and {(high + 1) / BINS:.2f}")
        histogram = Plot(
            "how often each probability",
            "probability",
            "pixels (log scale)",
            [(k + 0.5) / BINS for k in range(BINS)],
            bars=tuple(bars),
            marks=((self.threshold, ""),),
            yscale="log",
            ylim=(0.5, 2.0 * self.probability.numel()),
        )
        over = Plot(
            "Dice over threshold",
            "threshold",
            "Dice",
            THRESHOLDS,
            lines={"Dice": curve},
            marks=((self.threshold, f"now {self.threshold:.2f}"),),
            stars=((best, max(curve), f"best {best:.2f}"),),
            ylim=(0, 1.03),
        )
        title = f"above {self.threshold:.2f}: Dice {now.dice:.2f}"
        mask = Picture(title, self.probability, (0, 1), layers=overlap_layers(now.mask, self.truth))
        probability = Picture("probability of object (white is 1)", self.probability, (0, 1))
        alt = (
            f"A map of probabilities, {size(self.probability)} pixels, from {self.probability.min():.2f} to "
            f"{self.probability.max():.2f}; the mask at {self.threshold:.2f}: {now.both} pixels in both, {now.missed} "
            f"missed, {now.false} false; a histogram, in which {' and '.join(peaks)}; and Dice over the threshold, "
            f"from {curve[0]:.2f} at {THRESHOLDS[0]} over {max(curve):.2f} at {best:.2f} to {curve[-1]:.2f} at "
            f"{THRESHOLDS[-1]}."
        )
        return Scene([[probability, mask, histogram, over]], alt)
