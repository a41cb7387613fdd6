"""Lesson 07: make maps of different size fit, by cropping or padding."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def center_crop(x: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of a map: the 2015 network cuts its skips to the smaller map of its decoder.

    Args:
        x: `(N, C, H, W)`.
        size: `(height, width)` of the result. Of an odd number of rows or columns one more is cut at the bottom or on
            the right: the first row kept is `(H - height) // 2`.

    Returns:
        `(N, C, height, width)`.

    Raises:
        ValueError: `size` is larger than `x`.
    """
    height, width = size
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    if top < 0 or left < 0:
        raise ValueError(
            f"There are no {height} × {width} pixels in a map of {x.shape[2]} × {x.shape[3]}. "
            "Choose a size that fits into it."
        )
    return x[:, :, top : top + height, left : left + width]


def pad_to_multiple(x: Tensor, multiple: int) -> tuple[Tensor, tuple[int, int, int, int]]:
    """Put as few zeros around a map as make both sides multiples of `multiple`.

    A network that halves the sides `depth` times loses no row or column if they are multiples of `2**depth`.

    Args:
        x: `(N, C, H, W)`.
        multiple: at least 1.

    Returns:
        The padded map, and `pads`: columns added on the left and right, rows added on top and bottom, in the order of
        `torch.nn.functional.pad`.
    """
    rows, columns = -x.shape[2] % multiple, -x.shape[3] % multiple
    pads = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return F.pad(x, pads), pads


def unpad(padded: Tensor, pads: tuple[int, int, int, int]) -> Tensor:
    """Undo the padding, of logits, too: `unpad(*pad_to_multiple(x, multiple))` is `x`.

    Args:
        padded: `(N, C, H, W)`.
        pads: columns to remove on the left and right, rows on top and bottom.

    Returns:
        `(N, C, H - top - bottom, W - left - right)`.
    """
    left, right, top, bottom = pads
    height, width = padded.shape[2:]
    return padded[:, :, top : height - bottom, left : width - right]
