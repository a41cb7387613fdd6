"""Small pictures of one validation image, its truth, and what the network makes of it, as PNG in `data:` addresses."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

SIDE = 160  # pixels of the longer side, at most: more is not seen, and costs
FINER = 2  # the outline is drawn so much finer than the pixels
LINE = (230, 159, 0)  # Okabe and Ito's orange, which stands out from grey, black and white


def reduced(array: np.ndarray) -> np.ndarray:
    """Every second, third, ... pixel of `(..., H, W)`: as few as needed so that no side is longer than `SIDE`."""
    by = max(1, -(-max(array.shape[-2:]) // SIDE))
    return array[..., ::by, ::by]


def window(mask: Any) -> tuple[slice, slice]:
    """The square of a mask `(H, W)` that shows most of its objects; all of it where it is nearly a square itself."""
    labels = np.asarray(mask)
    height, width = labels.shape
    side = min(height, width)
    if max(height, width) <= 1.5 * side:
        return slice(None), slice(None)
    along = 0 if height > width else 1
    objects = np.cumsum(np.append(0, ((labels > 0) & (labels != 255)).sum(axis=1 - along)))
    at = int((objects[side:] - objects[:-side]).argmax())
    cut = (slice(at, at + side), slice(None))
    return cut if along == 0 else cut[::-1]


def of_image(image: Any) -> str:
    """A tensor `(C, H, W)`, stretched over all but its brightest pixels; colours where C is 3, else the mean."""
    pixels = reduced(np.asarray(image, dtype=np.float32))
    low, high = float(pixels.min()), float(np.percentile(pixels, 99.5))
    pixels = np.clip((pixels - low) / max(high - low, 1e-6), 0, 1)
    return _address(pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels.mean(axis=0))


def of_prediction(logits: Any) -> str:
    """Logits `(K, H, W)` as grey: the probability of "object", or with K classes their mean, the last one white."""
    logits = reduced(np.asarray(logits, dtype=np.float32))
    if len(logits) == 1:
        return _address(1 / (1 + np.exp(-np.clip(logits[0], -30, 30))))
    fractions = np.exp(logits - logits.max(axis=0))
    shades = np.linspace(0, 1, len(logits), dtype=np.float32)
    return _address(np.tensordot(shades, fractions / fractions.sum(axis=0), axes=1))


def outline(mask: Any) -> str:
    """The borders between the classes of a mask `(H, W)`, as lines on nothing; 255 counts as background."""
    labels = reduced(np.asarray(mask))
    labels = np.where(labels == 255, 0, labels).repeat(FINER, axis=0).repeat(FINER, axis=1)
    padded = np.pad(labels, 1, mode="edge")
    neighbours = np.stack([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])
    lines = np.zeros((*labels.shape, 4), np.uint8)
    lines[(labels > 0) & (neighbours != labels).any(axis=0)] = (*LINE, 255)
    return _png(lines)


def of_mask(mask: Any) -> str:
    """A mask `(H, W)` as grey in the way of `of_prediction`: black background, the last class white."""
    labels = reduced(np.asarray(mask, dtype=np.int64))
    labels = np.where(labels == 255, 0, labels)
    return _address(labels / max(1, labels.max()))


def objects_in(mask: Any) -> int:
    """Labelled pixels of a mask that are not background."""
    mask = np.asarray(mask)
    return int(((mask > 0) & (mask != 255)).sum())


def _address(shades: np.ndarray) -> str:
    return _png((shades * 255).round().astype(np.uint8))


def _png(pixels: np.ndarray) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
