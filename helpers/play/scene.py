"""What a playground shows, as data: pictures and plots. Drawn by `painting.py` with matplotlib and by `playground.js`.

Both draw from the same scene, so the widget and its static fallback cannot tell different stories.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers import show


@dataclass(frozen=True)
class Layer:
    """Pixels laid over a picture in a colour and, for those who cannot tell colours, a hatch.

    Attributes:
        name: what they are: "missed".
        colour: "#rrggbb".
        hatch: matplotlib's: "" for none, "////", "....", "xxxx".
        mask: bool `(H, W)`.
    """

    name: str
    colour: str
    hatch: str
    mask: Tensor


@dataclass(frozen=True)
class Frame:
    """A rectangle on a picture, in pixels: row and column of its corner, its sides."""

    top: float
    left: float
    height: float
    width: float
    colour: str = show.ORANGE
    dashed: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Picture:
    """An image with what is drawn on it.

    Attributes:
        title: above it.
        values: `(H, W)`, or colours `(3, H, W)` from 0 to 1.
        span: the values of black and white; by default 0 and the highest.
        palette: name of a matplotlib colour map instead of grey, for values without a sign.
        written: whether numbers are written into the pixels of a very small image.
        layers, frames: on it.
        rings: (row, column) of points to be ringed.
        drags: names of the two controls that dragging it moves, down and right.
    """

    title: str
    values: Tensor
    span: tuple[float, float] | None = None
    palette: str = "gray"
    written: bool = True
    layers: tuple[Layer, ...] = ()
    frames: tuple[Frame, ...] = ()
    rings: tuple[tuple[float, float], ...] = ()
    drags: tuple[str, str] | None = None

    def rgb(self) -> np.ndarray:
        """The image without what is drawn on it, uint8 `(H, W, 3)`, in the colours of `show.images`."""
        return show.colours(self.values, self.span, self.palette)

    def numbers(self) -> list[list[str]]:
        """What is written into the pixels of a very small image; empty for others."""
        return show.numbers(self.values) if self.written else []


@dataclass(frozen=True)
class Plot:
    """Lines, bars or a histogram over a common axis.

    Attributes:
        title, xlabel, ylabel: with units.
        x: positions `(n,)`.
        lines: label and values `(n,)` of each line, at most four.
        bars: label, heights `(n,)`, colour and hatch of each row of bars; those of one row touch.
        marks: position and label of vertical lines.
        stars: (x, y, label) of points that matter.
        xscale, yscale: "linear", "log" or "symlog", which is linear below 0.01.
        ylim: the range shown, where it is not that of the values.
        baseline: a thin line across at this value.
    """

    title: str
    xlabel: str
    ylabel: str
    x: list[float]
    lines: dict[str, list[float]] = field(default_factory=dict)
    bars: tuple[tuple[str, list[float], str, str], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    stars: tuple[tuple[float, float, str], ...] = ()
    xscale: str = "linear"
    yscale: str = "linear"
    ylim: tuple[float, float] | None = None
    baseline: float | None = None


@dataclass(frozen=True)
class Scene:
    """Rows of pictures and plots, and all of it in words.

    Attributes:
        rows: from top to bottom, from left to right.
        alt: what is to be seen, for whoever does not see it.
        zooms: whether the pictures are of one size and place, so that the page zooms into all of them together.
        wipes: by name, pictures of `rows` of which the page shows two in one place, left and right of a line.
    """

    rows: list[list[Picture | Plot]]
    alt: str
    zooms: bool = False
    wipes: dict[str, Picture] = field(default_factory=dict)

    def layers(self) -> list[Layer]:
        """One layer of each name that occurs, for the legend."""
        found: dict[str, Layer] = {}
        for row in self.rows:
            for panel in row:
                for layer in getattr(panel, "layers", ()):
                    found.setdefault(layer.name, layer)
        return list(found.values())


# ---- for the page ----------------------------------------------------------------------------------------------------


def for_the_page(scene: Scene) -> dict[str, Any]:
    """The scene as a trait holds it: JSON, with the pixels of pictures and layers as bytes in it."""
    rows = [[_picture(p) if isinstance(p, Picture) else _plot(p) for p in row] for row in scene.rows]
    legend = [{"name": x.name, "colour": x.colour, "hatch": x.hatch[:1]} for x in scene.layers()]
    places = {id(p): [r, c] for r, row in enumerate(scene.rows) for c, p in enumerate(row)}
    wipes = {name: places[id(picture)] for name, picture in scene.wipes.items()}
    return {"rows": rows, "alt": scene.alt, "legend": legend, "zooms": scene.zooms, "wipes": wipes}


def _picture(panel: Picture) -> dict[str, Any]:
    rgb = panel.rgb()
    grey = bool((rgb == rgb[..., :1]).all())  # a third of the bytes
    return {
        "kind": "picture",
        "title": panel.title,
        "height": rgb.shape[0],
        "width": rgb.shape[1],
        "channels": 1 if grey else 3,
        "pixels": (rgb[..., 0] if grey else rgb).tobytes(),
        "numbers": panel.numbers(),
        "layers": [
            {"name": x.name, "colour": x.colour, "hatch": x.hatch[:1], "mask": x.mask.to(torch.uint8).numpy().tobytes()}
            for x in panel.layers
        ],
        "frames": [asdict(frame) for frame in panel.frames],
        "rings": [list(ring) for ring in panel.rings],
        "drags": list(panel.drags or ()),
    }


def _plot(panel: Plot) -> dict[str, Any]:
    return {"kind": "plot", **asdict(panel)}
