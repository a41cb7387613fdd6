"""`play.threshold`: from a map of probabilities to a mask, and what each threshold would score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from helpers.play.twin import (
    BOTH,
    FALSE,
    MISSED,
    Playground,
    canvas,
    grey,
    labels,
    legend,
    overlay,
    percent,
    picture,
    size,
)
from helpers.reference.overlap import confusion, dice, iou
from helpers.show import BLUE, ORANGE, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THRESHOLDS = [k / 100 for k in range(1, 100)]
BINS = 20


@dataclass(frozen=True)
class Thresholded:
    """What one threshold gives.

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


def threshold(probability: Any, truth: Any, threshold: float = 0.5) -> Threshold:
    """Cut a map of probabilities; as the last line of a cell it is shown.

    Args:
        probability: float `(H, W)` or `(1, H, W)`, from 0 to 1.
        truth: its mask `(H, W)`: bool, or class indices of which 0 is background.
        threshold: what is above it is object.

    Raises:
        ValueError: sizes differ, or the values are no probabilities.
    """
    return Threshold(probability, truth, threshold)


class Threshold(Playground):
    """Probabilities, a truth, and the threshold, which moves."""

    title = "From probabilities to a mask"

    def __init__(self, probability: Any, truth: Any, threshold: float = 0.5) -> None:
        self.probability = grey(probability, "probability")
        low, high = self.probability.min().item(), self.probability.max().item()
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"probability goes from {low:.3g} to {high:.3g}; it must be within 0 to 1. "
                "Logits become probabilities with torch.sigmoid(logits)."
            )
        self.truth = labels(truth, self.probability) > 0
        self.threshold = threshold

    def compute(self) -> Thresholded:
        return self.at(self.threshold)

    def at(self, threshold: float) -> Thresholded:
        """What another threshold would give."""
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
        now, best, curve = self.compute(), self.best, self.curve()
        good = [t for t, score in zip(THRESHOLDS, curve, strict=True) if score >= max(curve) - 0.01]
        inside = self.probability[self.truth]
        outside = self.probability[~self.truth]
        means = [f"{v.mean():.2f} on {name}" for name, v in (("object", inside), ("background", outside)) if v.numel()]
        share = percent(self.truth.float().mean().item())
        return [
            f"{size(self.probability)} pixels, {share} of them object. Mean probability: {', '.join(means)}.",
            f"Threshold {self.threshold:.2f}: Dice {now.dice:.3f}, IoU {now.iou:.3f}; {now.both} pixels in both, "
            f"{now.missed} missed, {now.false} false.",
            f"Best threshold on this image: {best:.2f}, with Dice {max(curve):.3f}. Between {good[0]:.2f} and "
            f"{good[-1]:.2f} lie all thresholds that come within 0.01 of it.",
        ]

    def draw(self) -> tuple[Figure, str]:
        now, best, curve = self.compute(), self.best, self.curve()
        fig = canvas(13, 3.6)
        picture(fig.add_subplot(1, 4, 1), self.probability, "probability of object (white is 1)")
        ax = fig.add_subplot(1, 4, 2)
        kinds = (("background", ~self.truth, "white", "...."), ("object", self.truth, ORANGE, ""))
        peaks = []
        for name, where, colour, hatch in kinds:
            counts = torch.histc(self.probability[where], BINS, 0, 1).numpy()
            ax.stairs(counts, [k / BINS for k in range(BINS + 1)], fill=True, facecolor=colour, hatch=hatch,
                      edgecolor="black", alpha=0.7, label=name)  # fmt: skip
            high = int(counts.argmax())
            peaks.append(f"{name} pixels are most between {high / BINS:.2f} and {(high + 1) / BINS:.2f}")
        ax.set(yscale="log", xlabel="probability", ylabel="pixels (log scale)")
        ax.set_title("how often each probability", fontsize=10)
        ax.axvline(self.threshold, color=VERMILION, linestyle="--")
        ax.legend(frameon=False, fontsize=8)
        ax.spines[["top", "right"]].set_visible(False)
        ax = fig.add_subplot(1, 4, 3)
        ax.plot(THRESHOLDS, curve, color=BLUE)
        ax.plot(best, max(curve), "*", color=ORANGE, markeredgecolor="black", markersize=13, label=f"best {best:.2f}")
        ax.axvline(self.threshold, color=VERMILION, linestyle="--", label=f"now {self.threshold:.2f}")
        ax.set(xlabel="threshold", ylabel="Dice", xlim=(0, 1), ylim=(0, 1.03))
        ax.set_title("Dice over threshold", fontsize=10)
        ax.legend(frameon=False, fontsize=8, loc="lower center")
        ax.spines[["top", "right"]].set_visible(False)
        parts = [(BOTH, now.mask & self.truth), (MISSED, self.truth & ~now.mask), (FALSE, now.mask & ~self.truth)]
        overlay(fig.add_subplot(1, 4, 4), self.probability, parts, f"above {self.threshold:.2f}: Dice {now.dice:.2f}")
        legend(fig, [BOTH, MISSED, FALSE])
        alt = (
            f"A map of probabilities, {size(self.probability)} pixels, from {self.probability.min():.2f} to "
            f"{self.probability.max():.2f}; a histogram, in which {' and '.join(peaks)}; Dice over the threshold, "
            f"from {curve[0]:.2f} at {THRESHOLDS[0]} over {max(curve):.2f} at {best:.2f} to {curve[-1]:.2f} at "
            f"{THRESHOLDS[-1]}; and the mask at {self.threshold:.2f}: {now.both} pixels in both, {now.missed} missed, "
            f"{now.false} false."
        )
        return fig, alt
