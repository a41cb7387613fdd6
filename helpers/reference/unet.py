"""The whole U-Net on one page, from its block to the network. Read it from the top.

    DoubleConv   two convolutions: the block that every level is made of        lesson 04
    Down         halve the sides, then a block                                  lesson 05
    Encoder      the left side of the U: the bottleneck, and the skips          lesson 05
    UpConv       double the sides                                               lesson 06
    Up           double the sides, put the skip beside it, then a block         lesson 07
    UNet         encoder, a way up for each level, and a 1×1 head               lesson 07

After Ronneberger, Fischer and Brox (2015), https://arxiv.org/abs/1505.04597, with padded convolutions and batch
normalisation. The lessons' other pieces are in the other files of this folder.
"""

# ruff: noqa: D102 -- each class says what its `forward` does

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DoubleConv(nn.Module):
    """Two 3×3 convolutions, each followed by a normalisation and a ReLU.

    The 2015 network (Ronneberger et al.) has `padding=0` and no normalisation; `padding=1` keeps the sides, and batch
    normalisation (Ioffe and Szegedy 2015) lets the network learn in minutes.

    Args:
        in_channels: channels of the input.
        out_channels: channels of both convolutions.
        padding: zeros on each side before each convolution; 0 makes each side 4 pixels shorter.
        norm: put a `BatchNorm2d` between each convolution and its ReLU.

    Shape:
        `(N, in_channels, H, W)` to `(N, out_channels, H, W)`, with `padding=0` to `(N, out_channels, H - 4, W - 4)`.
    """

    def __init__(self, in_channels: int, out_channels: int, padding: int = 1, norm: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (in_channels, out_channels):
            # A bias in front of a batch norm would be subtracted again with the mean.
            layers.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=padding, bias=not norm))
            if norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU(inplace=True))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Down(nn.Module):
    """A step down: 2×2 max pooling halves the sides, then a `DoubleConv` changes the channels.

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
        from shallow to deep: `skips[k]` is `(N, base_channels * 2**k, H // 2**k, W // 2**k)`, taken before pooling.

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


class UpConv(nn.Module):
    """Double the sides and change the channels, with learned weights.

    `"transposed"` is the 2015 network's: a 2×2 transposed convolution with stride 2, whose stamps do not overlap.
    `"nearest"` and `"bilinear"` upsample, then convolve 3×3, which leaves no checkerboard (Odena et al. 2016).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        mode: `"transposed"`, `"nearest"` or `"bilinear"`.

    Shape:
        `(N, in_channels, H, W)` to `(N, out_channels, 2 * H, 2 * W)`.

    Raises:
        ValueError: `mode` is none of the three.
    """

    def __init__(self, in_channels: int, out_channels: int, mode: str = "transposed") -> None:
        super().__init__()
        if mode == "transposed":
            self.layers = nn.Sequential(nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2))
        elif mode in ("nearest", "bilinear"):
            self.layers = nn.Sequential(
                nn.Upsample(scale_factor=2, mode=mode),
                nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
            )
        else:
            raise ValueError(f'There is no mode {mode!r}. Choose "transposed", "nearest" or "bilinear".')

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Up(nn.Module):
    """A step up: double the sides, put the skip beside it, let a `DoubleConv` merge the two.

    The output always has the size of the skip. An odd side that was halved on the way down comes back one pixel short;
    then a row of zeros is added at the bottom, a column of zeros on the right.

    Args:
        in_channels: channels of `x`, the map from below.
        skip_channels: channels of the skip.
        out_channels: channels after the transposed convolution, and of the output.

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
        num_classes: channels of the logits; 1 for a single probability per pixel.
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
