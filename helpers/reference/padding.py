"""Lesson 08: make two maps of unlike size fit, by cropping one or padding the other."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def center_crop(x: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of a map, as the 2015 network cuts its skips to the smaller map of its decoder.

    Args:
        x: `(N, C, H, W)`.
        size: `(height, width)` of the result. Where an odd number of rows or columns goes, the one left over goes at
            the bottom or on the right: the first row kept is `(H - height) // 2`.

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
    """Zeros around a map, as few as it takes for both sides to be multiples of `multiple`.

    A network that halves its sides `depth` times loses no row and no column when they are multiples of `2**depth`.

    Args:
        x: `(N, C, H, W)`.
        multiple: at least 1.

    Returns:
        The padded map, and `pads`: how many columns were added on the left and on the right, how many rows on top and
        at the bottom, in this order, which is that of `torch.nn.functional.pad`.
    """
    rows, columns = -x.shape[2] % multiple, -x.shape[3] % multiple
    pads = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return F.pad(x, pads), pads


def unpad(padded: Tensor, pads: tuple[int, int, int, int]) -> Tensor:
    """What was there before the padding: `unpad(*pad_to_multiple(x, multiple))` is `x`. Fits logits, too.

    Args:
        padded: `(N, C, H, W)`.
        pads: columns to take away on the left and on the right, rows on top and at the bottom.

    Returns:
        `(N, C, H - top - bottom, W - left - right)`.
    """
    left, right, top, bottom = pads
    height, width = padded.shape[2:]
    return padded[:, :, top : height - bottom, left : width - right]
