"""Lesson 06: the way up, from a small deep map back to a label for every pixel."""

# ruff: noqa: D102 -- each class says what its `forward` does

from __future__ import annotations

import torch
from torch import Tensor, nn

from helpers.reference.unet import DoubleConv, Encoder, UpConv


def transposed_conv2d(x: Tensor, kernel: Tensor, stride: int = 2) -> Tensor:
    """Transposed convolution of one map: every pixel stamps the kernel, scaled by its value; overlaps add up.

    It is the convolution with the same kernel and stride run backwards (Dumoulin and Visin 2016), without padding.
    Where the kernel is no multiple of the stride, some pixels get more stamps than others: the checkerboard of Odena
    et al. (2016).

    Args:
        x: float `(H, W)`.
        kernel: float `(k, k)`, stamped without flipping.
        stride: pixels of the output from one stamp to the next, at least 1.

    Returns:
        float `((H - 1) * stride + k, (W - 1) * stride + k)`.
    """
    (height, width), k = x.shape, len(kernel)
    out = x.new_zeros((height - 1) * stride + k, (width - 1) * stride + k)
    for i in range(height):
        for j in range(width):
            out[i * stride : i * stride + k, j * stride : j * stride + k] += x[i, j] * kernel
    return out


def upsample_nearest(x: Tensor, scale: int = 2) -> Tensor:
    """Every pixel becomes a block of `scale` × `scale` pixels of the same value.

    Args:
        x: `(N, C, H, W)`.
        scale: factor for each side, at least 1.

    Returns:
        `(N, C, H * scale, W * scale)`; the value at row r and column c is that of `x` at `r // scale`, `c // scale`.
    """
    rows = torch.arange(x.shape[2] * scale, device=x.device) // scale
    columns = torch.arange(x.shape[3] * scale, device=x.device) // scale
    return x[:, :, rows][:, :, :, columns]


class Hourglass(nn.Module):
    """The U-Net without its skips: the decoder sees nothing but the bottleneck.

    Args:
        in_channels: channels of the image.
        num_classes: channels of the logits.
        base_channels: channels at full size; each level below has twice as many.
        depth: how often the sides are halved, and doubled again.

    Shape:
        `(N, in_channels, H, W)` to logits `(N, num_classes, H, W)`.

    Raises:
        ValueError: (in `forward`) a side is no multiple of `2**depth`.
    """

    def __init__(self, in_channels: int, num_classes: int, base_channels: int = 16, depth: int = 4) -> None:
        super().__init__()
        self.depth = depth
        self.encoder = Encoder(in_channels, base_channels, depth)
        channels = [base_channels * 2**k for k in reversed(range(depth))]  # from deep to shallow
        self.decoder = nn.Sequential(*(nn.Sequential(UpConv(2 * c, c), DoubleConv(c, c)) for c in channels))
        self.head = nn.Conv2d(base_channels, num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        multiple = 2**self.depth
        if x.shape[2] % multiple or x.shape[3] % multiple:
            raise ValueError(
                f"The sides {x.shape[2]} × {x.shape[3]} do not divide by {multiple}, so the logits would come out "
                f"smaller. Pad the image, for example to {-(-x.shape[2] // multiple) * multiple} × "
                f"{-(-x.shape[3] // multiple) * multiple}."
            )
        bottleneck, _ = self.encoder(x)  # (N, base_channels * 2**depth, H / 2**depth, W / 2**depth)
        return self.head(self.decoder(bottleneck))
