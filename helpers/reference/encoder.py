"""Lesson 05: the way down, from pixels to meaning."""

from __future__ import annotations

from torch import Tensor


def max_pool2x2(x: Tensor) -> Tensor:
    """The largest value of each 2×2 window; the windows do not overlap.

    Args:
        x: float `(N, C, H, W)`.

    Returns:
        float `(N, C, H // 2, W // 2)`; the last row or column of an odd side is in no window.
    """
    n, c, h, w = x.shape
    h, w = h // 2, w // 2
    windows = x[:, :, : 2 * h, : 2 * w].reshape(n, c, h, 2, w, 2)
    return windows.amax(dim=(3, 5))
