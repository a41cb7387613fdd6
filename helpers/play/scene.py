"""What a playground shows, as data: pictures and plots.

`painting.py` (the static fallback) and `playground.js` (the widget) draw the same scene, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers import plot, show
from helpers.plot import Plot


@dataclass(frozen=True)
class Layer:
    """Pixels marked in a picture by a colour and, for readers who cannot tell colours apart, a hatch.

    Attributes:
        name: for the legend, such as "missed".
        colour: "#rrggbb".
        hatch: in matplotlib's notation: "" (none), "////", "....", "xxxx".
        mask: bool `(H, W)`.
    """

    name: str
    colour: str
    hatch: str
    mask: Tensor


def overlap_layers(pred: Tensor, truth: Tensor) -> tuple[Layer, ...]:
    """The pixels in both of two bool masks `(H, W)`, the missed and the false ones."""
    return Layer(*show.BOTH, pred & truth), Layer(*show.MISSED, truth & ~pred), Layer(*show.FALSE, pred & ~truth)


@dataclass(frozen=True)
class Frame:
    """A rectangle on a picture, in pixels."""

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
        values: `(H, W)`, or colours `(3, H, W)` from 0 to 1.
        span: the values of black and white; by default 0 and the highest.
        palette: a matplotlib colour map, for values without a sign.
        written: whether numbers are written into the pixels of a very small image.
        rings: (row, column) of each ringed point.
        drags: names of the two controls that dragging moves, down and right.
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
        """The numbers written into the pixels of a very small image; empty for others."""
        return show.numbers(self.values) if self.written else []


@dataclass(frozen=True)
class Scene:
    """Rows of pictures and plots, and all of it in words.

    Attributes:
        rows: from top to bottom, each from left to right.
        alt: the alternative text.
        zooms: whether all pictures show the same pixels, so that the page zooms them together.
        wipes: by name, pictures of `rows`; the page shows two in one place, left and right of a line.
    """

    rows: Sequence[Sequence[Picture | Plot]]
    alt: str
    zooms: bool = False
    wipes: dict[str, Picture] = field(default_factory=dict)

    def layers(self) -> list[Layer]:
        """One layer of each name, for the legend."""
        layers = (layer for row in self.rows for panel in row for layer in getattr(panel, "layers", ()))
        return list({layer.name: layer for layer in layers}.values())


def for_the_page(scene: Scene) -> dict[str, Any]:
    """The scene as a trait: JSON, with the pixels of pictures and layers as bytes."""
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
        "rings": list(map(list, panel.rings)),
        "drags": list(panel.drags or ()),
    }


def _plot(panel: Plot) -> dict[str, Any]:
    return {"kind": "plot", "title": panel.title, "svg": plot.draw(panel)}
