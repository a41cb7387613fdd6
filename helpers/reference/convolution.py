"""Lesson 03: the block that every level of the U-Net is made of."""

from __future__ import annotations

from torch import Tensor, nn


class DoubleConv(nn.Module):
    """Two 3×3 convolutions, each followed by a normalisation and a ReLU.

    The 2015 network (Ronneberger et al.) has `padding=0` and no normalisation; with `padding=1` the sides stay as they
    are, and batch normalisation (Ioffe and Szegedy 2015) lets it learn in minutes.

    Args:
        in_channels: channels that come in.
        out_channels: channels of both convolutions.
        padding: zeros around each side before each convolution; 0 makes each side 4 pixels shorter.
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
