"""A scene as a matplotlib figure: the static fallback of what `playground.js` draws."""

from __future__ import annotations

import math
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from helpers import show
from helpers.play.scene import Picture, Plot, Scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 3.2  # the width of a panel, in inches
COLUMNS = 4  # at most, so that titles can still be read
TITLE = 36  # characters that fit over a panel


def paint(scene: Scene) -> Figure:
    """Draw `scene`. The figure is not pyplot's, so nothing stays open."""
    from matplotlib.figure import Figure

    longest = max(len(row) for row in scene.rows)
    parts = math.ceil(longest / COLUMNS)
    cuts = [longest * k // parts for k in range(parts + 1)]
    columns = max(b - a for a, b in pairwise(cuts))
    rows = [row[a:b] for a, b in pairwise(cuts) for row in scene.rows]  # what is below each other stays so
    heights = [max(map(_tall, row)) for row in rows]
    layers = scene.layers()
    fig = Figure(figsize=(PANEL * columns, sum(heights) + 0.3 * bool(layers)), layout="constrained")
    grid = fig.add_gridspec(len(rows), columns, height_ratios=heights)
    for r, row in enumerate(rows):
        for c, panel in enumerate(row):
            ax = fig.add_subplot(grid[r, c])
            _picture(ax, panel) if isinstance(panel, Picture) else _plot(ax, panel)
            ax.set_title(textwrap.fill(panel.title, TITLE), fontsize=10)
    if layers:
        show.legend(fig, [(layer.name, layer.colour, layer.hatch) for layer in layers])
    return fig


def _tall(panel: Picture | Plot) -> float:
    """The height of a panel with its title, in inches."""
    if isinstance(panel, Plot):
        return PANEL
    height, width = panel.values.shape[-2:]
    return PANEL * min(1.0, max(0.2, height / width)) + 0.3


def _picture(ax: Axes, panel: Picture) -> None:
    from matplotlib.patches import Rectangle

    ax.set_xticks([])
    ax.set_yticks([])
    rgb = panel.rgb()
    ax.imshow(rgb, interpolation="nearest")
    for layer in panel.layers:
        show.fill_mask(ax, layer.mask.numpy(), layer.colour, layer.hatch)
    for f in panel.frames:
        corner = (f.left - 0.5, f.top - 0.5)
        box = Rectangle(corner, f.width, f.height, fill=False, edgecolor=f.colour, linewidth=2.5 if f.wide else 1.5)
        box.set_linestyle("--" if f.dashed else "-")
        ax.add_patch(box)
    for row, column in panel.rings:
        ax.plot(column, row, "o", color=show.ORANGE, markersize=9, fillstyle="none", markeredgewidth=2)
    show.write_numbers(ax, panel.numbers(), rgb)


def _plot(ax: Axes, panel: Plot) -> None:
    x = np.asarray(panel.x)
    for label, heights, colour, hatch in panel.bars:
        step = x[1] - x[0] if len(x) > 1 else 1
        ax.bar(x, heights, step, label=label or None, color=colour, hatch=hatch, edgecolor="black", alpha=0.7)
    for (label, values), (colour, dash, marker) in zip(panel.lines.items(), show.STYLES, strict=False):
        every = max(1, len(x) // 8)
        ax.plot(x, values, dash, color=colour, marker=marker, markersize=4, markevery=every, label=label)
    if panel.baseline is not None:
        ax.axhline(panel.baseline, color="gray", linewidth=0.8)
    for at, label in panel.marks:
        ax.axvline(at, color=show.VERMILION, linestyle="--", label=label or None)
    for at, y, label in panel.stars:
        ax.plot(at, y, "*", color=show.ORANGE, markeredgecolor="black", markersize=13, label=label or None)
    ax.set(xlabel=panel.xlabel, ylabel=panel.ylabel, xscale=panel.xscale)
    ax.set_yscale(panel.yscale, **({"linthresh": 0.01} if panel.yscale == "symlog" else {}))
    if panel.ylim:
        ax.set_ylim(panel.ylim)
    ax.spines[["top", "right"]].set_visible(False)
    if len(ax.get_legend_handles_labels()[0]) > 1:
        ax.legend(frameon=False, fontsize=8)
