"""Lesson 04: the way down, from pixels to what they mean."""

from __future__ import annotations

from torch import Tensor, nn

from helpers.reference.convolution import DoubleConv


def max_pool2x2(x: Tensor) -> Tensor:
    """The largest value of each 2×2 window, the windows side by side.

    Args:
        x: float `(N, C, H, W)`.

    Returns:
        float `(N, C, H // 2, W // 2)`; the last row or column of an odd side is in no window.
    """
    n, c, h, w = x.shape
    h, w = h // 2, w // 2
    windows = x[:, :, : 2 * h, : 2 * w].reshape(n, c, h, 2, w, 2)
    return windows.amax(dim=(3, 5))


class Down(nn.Module):
    """One step down: 2×2 max pooling halves the sides, then a `DoubleConv` changes the channels.

    Shape:
        `(N, in_channels, H, W)` to `(N, out_channels, H // 2, W // 2)`.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.pool(x))


class Encoder(nn.Module):
    """The left side of the U (Ronneberger et al. 2015): at each level half the sides and twice the channels.

    Args:
        in_channels: channels of the image.
        base_channels: channels of level 0, at full size; level `k` has `base_channels * 2**k`.
        depth: how often the sides are halved.

    Shape:
        `(N, in_channels, H, W)` to a pair `(bottleneck, skips)`. `bottleneck` is level `depth`,
        `(N, base_channels * 2**depth, H // 2**depth, W // 2**depth)`. `skips` is a list of the `depth` levels above it,
        from shallow to deep: `skips[k]` is `(N, base_channels * 2**k, H // 2**k, W // 2**k)`, taken before the pooling.

    Raises:
        RuntimeError: (in `forward`) a side is shorter than `2**depth`, so nothing is left to pool.
    """

    def __init__(self, in_channels: int, base_channels: int = 16, depth: int = 4) -> None:
        super().__init__()
        self.first = DoubleConv(in_channels, base_channels)
        channels = [base_channels * 2**k for k in range(depth + 1)]
        self.downs = nn.ModuleList(Down(channels[k], channels[k + 1]) for k in range(depth))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        levels = [self.first(x)]
        for down in self.downs:
            levels.append(down(levels[-1]))
        return levels[-1], levels[:-1]
