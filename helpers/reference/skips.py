"""Lesson 06: skips carry *where* across to the decoder, and the U-Net is complete."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.reference.convolution import DoubleConv
from helpers.reference.decoder import UpConv
from helpers.reference.encoder import Encoder


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


class Up(nn.Module):
    """One step up: double the sides, put the skip beside it, let a `DoubleConv` merge the two.

    The output has the size of the skip, always. An odd side that was halved on the way down comes back one pixel short;
    then a row of zeros is added at the bottom, a column of zeros on the right.

    Args:
        in_channels: channels of `x`, the map from below.
        skip_channels: channels of the skip.
        out_channels: channels after the transposed convolution, and of the result.

    Shape:
        `x` is `(N, in_channels, h, w)`, `skip` is `(N, skip_channels, H, W)` with `H` either `2 * h` or `2 * h + 1`,
        and `W` likewise; the result is `(N, out_channels, H, W)`.
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = UpConv(in_channels, out_channels)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)  # (N, out_channels, 2 * h, 2 * w)
        rows, columns = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = F.pad(x, (0, columns, 0, rows))  # (N, out_channels, H, W)
        return self.conv(torch.cat([skip, x], dim=1))


class UNet(nn.Module):
    """The U-Net (Ronneberger et al. 2015), with padded convolutions and batch normalisation.

    Args:
        in_channels: channels of the image.
        num_classes: classes, and channels of the logits; 1 for a single probability a pixel.
        base_channels: channels at full size; each level below has twice as many.
        depth: how often the sides are halved, and doubled again. The paper has 64 channels and depth 4.

    Shape:
        `(N, in_channels, H, W)` to logits `(N, num_classes, H, W)`, for any sides of at least `2**depth`.
    """

    def __init__(self, in_channels: int, num_classes: int, base_channels: int = 16, depth: int = 4) -> None:
        super().__init__()
        channels = [base_channels * 2**k for k in range(depth + 1)]  # from full size down to the bottleneck
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = nn.ModuleList(Up(channels[k + 1], channels[k], channels[k]) for k in reversed(range(depth)))
        self.head = nn.Conv2d(base_channels, num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        x, skips = self.encoder(x)
        for up, skip in zip(self.decoder, reversed(skips), strict=True):
            x = up(x, skip)
        return self.head(x)
