"""Images and masks as small PNG files, pixel for pixel."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageColor
from torch import Tensor

from helpers.data.pairs import IGNORE
from helpers.show import BLUE, GREEN, ORANGE, VERMILION

# Colour and pattern of each kind of pixel; the pattern is a 6×6 square, true where it is black.
_ROWS, _COLUMNS = np.indices((6, 6))
KINDS = {
    "right": (GREEN, np.zeros((6, 6), bool)),
    "missed": (BLUE, (_ROWS % 3 == 0) & (_COLUMNS % 3 == 0)),
    "false": (ORANGE, (_ROWS + _COLUMNS) % 6 < 2),
    "other class": (VERMILION, _COLUMNS % 3 == 0),
}
_SIDE = 256  # pixels: smaller images are enlarged to about this size
_CLASS_COLOURS = ("#000000", "#FFFFFF", ORANGE, "#56B4E9", GREEN, "#F0E442", BLUE, VERMILION, "#CC79A7")


def of_image(image: Tensor, enlarge: bool = False) -> bytes:
    """From `(C, H, W)`, 0 to 1: the first three channels as RGB, or the first as grey where there are fewer."""
    channels = image[: 3 if len(image) > 2 else 1].numpy()
    array = (channels.clip(0, 1) * 255).round().astype(np.uint8)
    return _png(Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0)), enlarge)


def of_mask(mask: Tensor, enlarge: bool = False) -> bytes:
    """From `(H, W)` class indices, stored as they are with a palette of colours; pixels without a label are grey."""
    picture = Image.fromarray(mask.numpy().astype(np.uint8), mode="P")
    colours = [_CLASS_COLOURS[k % len(_CLASS_COLOURS)] for k in range(IGNORE)] + ["#808080"]
    picture.putpalette([channel for colour in colours for channel in ImageColor.getrgb(colour)])
    return _png(picture, enlarge)


def kinds_of(pred: Tensor, truth: Tensor) -> dict[str, np.ndarray]:
    """Where each kind of pixel is, bool `(H, W)`; background in both and pixels without a label are of no kind."""
    known, same = truth != IGNORE, pred == truth
    there, seen = (truth > 0) & known, (pred > 0) & known
    kinds = {
        "right": there & same,
        "missed": there & ~seen,
        "false": seen & ~there,
        "other class": there & seen & ~same,
    }
    return {kind: where.numpy() for kind, where in kinds.items()}


def of_kinds(kinds: dict[str, np.ndarray], scale: int | None = None) -> bytes:
    """The kinds of pixels, each in its colour and pattern on black; enlarged."""
    height, width = kinds["right"].shape
    scale = scale or _scale(height, width)
    picture = np.zeros((height * scale, width * scale), np.uint8)
    for k, (name, (_, black)) in enumerate(KINDS.items(), 1):
        tiled = np.tile(black, (picture.shape[0] // 6 + 1, picture.shape[1] // 6 + 1))
        where = np.kron(kinds[name], np.ones((scale, scale), bool)).astype(bool)
        picture[where & ~tiled[: picture.shape[0], : picture.shape[1]]] = k
    image = Image.fromarray(picture, mode="P")
    image.putpalette([0, 0, 0, *(x for colour, _ in KINDS.values() for x in ImageColor.getrgb(colour))])
    return _png(image, enlarge=False)


def swatch(kind: str) -> bytes:
    """A small rectangle of one kind, for a legend."""
    return of_kinds({name: np.full((18, 30), name == kind) for name in KINDS}, scale=1)


def _scale(height: int, width: int) -> int:
    return max(1, round(_SIDE / max(height, width)))


def _png(picture: Image.Image, enlarge: bool) -> bytes:
    if enlarge:
        scale = _scale(picture.height, picture.width)
        picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
