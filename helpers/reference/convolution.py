"""Lesson 04: convolution by hand, and its arithmetic."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor


def conv2d(image: Tensor, kernel: Tensor, bias: float = 0.0, stride: int = 1, padding: int = 0) -> Tensor:
    """Slide a kernel over an image: at each place, multiply it with the pixels below and add up the products.

    Deep learning calls this convolution; strictly it is cross-correlation, since the kernel is not flipped.

    Args:
        image: float `(H, W)`.
        kernel: float `(k, k)`.
        bias: added to every value of the result.
        stride: pixels from one window to the next, in both directions.
        padding: zeros on each side of the image.

    Returns:
        float, with `(H + 2 * padding - k) // stride + 1` rows, and columns by the same rule from `W`.
    """
    k = kernel.shape[0]
    height, width = image.shape
    padded = image.new_zeros(height + 2 * padding, width + 2 * padding)
    padded[padding : padding + height, padding : padding + width] = image
    rows = range(0, padded.shape[0] - k + 1, stride)  # where a window begins
    columns = range(0, padded.shape[1] - k + 1, stride)
    output = image.new_zeros(len(rows), len(columns))
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            window = padded[top : top + k, left : left + k]  # (k, k)
            output[i, j] = (window * kernel).sum() + bias
    return output


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Length of one side of a convolution's or a pooling's output, from a side of `size` pixels.

    Args:
        size: pixels along this side of the input.
        kernel: weights along this side of the kernel.
        stride: pixels from one window to the next.
        padding: zeros at each end.
        dilation: pixels from one weight of the kernel to the next.

    Returns:
        How many windows fit; pixels left over at the end are in none. Zero or less: the kernel does not fit.
    """
    span = dilation * (kernel - 1) + 1  # pixels from the first weight to the last, both included
    return (size + 2 * padding - span) // stride + 1


def receptive_field(layers: Iterable[tuple[int, int]]) -> int:
    """Side of the square of input pixels that one value of the last layer depends on; 1 without layers.

    Args:
        layers: `(kernel, stride)` of each convolution or pooling, from the input on.
    """
    field, step = 1, 1  # step: input pixels between two neighbours at this depth
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field


def pointwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """1×1 convolution: the same matrix product over the channels at every pixel (Lin et al. 2013).

    It is the last layer of the U-Net and turns the channels of a pixel into a score for each class.

    Args:
        x: float `(N, C, H, W)`.
        weight: float `(K, C)`, a row for each output channel.
        bias: float `(K,)`.

    Returns:
        float `(N, K, H, W)`.
    """
    pixels = x.flatten(2)  # (N, C, H·W): a column for each pixel
    return (weight @ pixels + bias[:, None]).unflatten(2, x.shape[2:])
