"""The picture on which lesson 00 opens: `python autograde/lessons/pictures/make.py` draws it again.

A piece of a micrograph, the U-Net of this course as a labelled drawing, and the mask that the trained one gives for it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers import data
from helpers.data import files
from helpers.share import load_shared

PLACE = Path(__file__).with_name("start.png")
LEVELS = 4  # three poolings, and the bottleneck
BLUE, GREEN, YELLOW, ORANGE, GREY = "#b7d7e8", "#b8e4d8", "#fbe3b8", "#d55e00", "#333333"


def draw() -> Figure:
    """Picture, network and mask, in a row as wide as a page."""
    image, _ = data.load("nuclei", "test", tile=128)[1]
    with torch.no_grad():
        mask = (
            load_shared(files.root() / "models" / "nuclei.unet.zip")(image[None])[0, 0] > 0
        )
    fig = Figure(figsize=(8.2, 3.1), layout="constrained")
    left, middle, right = fig.subplots(1, 3, width_ratios=(1, 1.55, 1))
    for axes, pixels, title in ((left, image[0], "the picture"), (right, mask, "the mask")):
        axes.imshow(pixels, cmap="gray")
        axes.set_title(title, fontsize=11, color=GREY)
        axes.set_axis_off()
    _unet(middle)
    return fig


def _unet(axes: Axes) -> None:
    """A slab for each level, as high as its maps are large and as wide as they are many."""
    axes.set(xlim=(0, 10), ylim=(-0.6, 10.6))
    axes.set_axis_off()
    axes.set_title("the U-Net", fontsize=11, color=GREY)
    for level in range(LEVELS - 1):
        y, (height, width), x = 8.2 - 2.6 * level, _size(level), 0.6 + 1.05 * level
        for at, colour in ((x, BLUE), (10 - x - width, GREEN)):
            _slab(axes, at, y, width, height, colour)
        _arrow(axes, (x + width, y), (10 - x - width, y), ORANGE)
        below, (_, wide) = y - 2.6, _size(level + 1)
        deeper = x + 1.05 if level < LEVELS - 2 else 5 - wide / 2
        _arrow(
            axes,
            (x + width / 2, y - height / 2),
            (deeper + wide / 2, below + _size(level + 1)[0] / 2),
            GREY,
        )
        _arrow(
            axes,
            (10 - deeper - wide / 2, below + _size(level + 1)[0] / 2),
            (10 - x - width / 2, y - height / 2),
            GREY,
        )
    height, width = _size(LEVELS - 1)
    _slab(axes, 5 - width / 2, 8.2 - 2.6 * (LEVELS - 1), width, height, YELLOW)
    for x, y, word, colour in (
        (0.1, 2.2, "encoder:\nwhat?", GREY),
        (9.9, 2.2, "decoder:\nwhere?", GREY),
        (5, 8.65, "skip connections", ORANGE),
        (5, -0.55, "bottleneck", GREY),
    ):
        side = {0.1: "left", 9.9: "right"}.get(x, "center")
        axes.text(
            x,
            y,
            word,
            ha=side,
            va="bottom" if y > 5 else "center",
            color=colour,
            fontsize=9,
        )


def _size(level: int) -> tuple[float, float]:
    return 3.2 / 1.7**level, 0.28 * 1.5**level


def _slab(axes: Axes, x: float, y: float, width: float, height: float, colour: str) -> None:
    axes.add_patch(
        Rectangle(
            (x, y - height / 2),
            width,
            height,
            facecolor=colour,
            edgecolor=GREY,
            linewidth=1,
        )
    )


def _arrow(
    axes: Axes, begin: tuple[float, float], end: tuple[float, float], colour: str
) -> None:
    axes.annotate(
        "", end, begin, arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1.2}
    )


if __name__ == "__main__":
    draw().savefig(PLACE, dpi=96, metadata={"Software": None})
