"""Lesson 04: `pointwise(x, weight, bias)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.shared import CONVOLUTIONS
from helpers.exercises import exercise, misconception, variant
from helpers.reference.convolution import pointwise


@exercise(
    pointwise,
    lesson="04_convolution",
    concept="1×1 convolution",
    points=3,
    minutes=6,
    difficulty=2,
    hints=[
        "Look at one pixel: `C` numbers go in, `K` come out, and no neighbour takes part. Which operation is that?",
        "A matrix product wants the pixels as rows or as columns of a matrix. `flatten(2)` turns `(N, C, H, W)` into "
        "`(N, C, H * W)`; then `weight` can stand on its left.",
        "Mind two things: the bias belongs to the `K` channels, so give it a shape that is stretched over the pixels; "
        "and at the end the sides are to be `H` and `W` again.",
    ],
    task=(
        "A 1×1 convolution as a matrix product: `x` is `(N, C, H, W)`, `weight` `(K, C)`, `bias` `(K,)`; the result is "
        "`(N, K, H, W)`. At each pixel, `weight` times the pixel's `C` channels, plus `bias`. No convolution from a "
        "library."
    ),
    forbidden=CONVOLUTIONS,
)
def probes(draw):
    """One pixel first. Then sides, channels and classes that all differ, and some that agree, where an exchange of
    two of them goes through without an error."""
    yield torch.tensor([1.0, 2.0]).reshape(1, 2, 1, 1), torch.tensor([[1.0, 10], [-3, 0.5], [2, 2]]), torch.arange(3.0)
    coded = torch.stack([draw.positions(2, 3), -1 - draw.positions(2, 3)])[None]
    yield coded, torch.tensor([[1.0, 0.5]]), torch.tensor([7.0])
    yield coded, torch.tensor([[1.0, 0], [0, 1]]), torch.tensor([0.0, 0.25])  # passes the channels on
    yield draw.normal(2, 3, 4, 5), draw.normal(4, 3), draw.normal(4)
    yield draw.normal(3, 3, 3, 3), draw.normal(3, 3), draw.normal(3)  # all equal
    yield draw.normal(1, 4, 3, 2), draw.normal(2, 4), draw.normal(2)
    yield draw.normal(2, 1, 3, 4), draw.normal(3, 1), draw.normal(3)
    n, c, k = draw.size(2, 3), draw.size(2, 5), draw.size(2, 5)
    yield draw.normal(n, c, draw.size(3, 9), draw.size(3, 9)), draw.normal(k, c), draw.normal(k)


@misconception(
    "bias ignored",
    "The bias does not arrive in your result. Look at what you do after the product.",
)
def no_bias(x, weight, bias):
    return pointwise(x, weight, torch.zeros_like(bias))


@misconception(
    "bias along the columns",
    "You add the bias to the last dimension, so it changes from column to column of the image and not from channel to "
    "channel; where the sizes differ it fails. Look at the shape that the bias has when you add it.",
)
def bias_along_width(x, weight, bias):
    return pointwise(x, weight, torch.zeros_like(bias)) + bias


@misconception(
    "bias added before the product",
    "You add the bias to the channels that come in, so it is multiplied by the weights, and it fails where fewer or "
    "more channels come out. Look at where the bias enters: it has `K` values.",
)
def bias_before(x, weight, bias):
    return torch.einsum("kc,nchw->nkhw", weight, x + bias[:, None, None])


@misconception(
    "weight transposed",
    "You use the weight with rows and columns exchanged. Row `k` of `(K, C)` holds the weights of *one* channel that "
    "comes out; with `K` equal to `C` nothing fails and the numbers are wrong. Look at which index of `weight` you sum "
    "over.",
)
def weight_transposed(x, weight, bias):
    return pointwise(x, weight.T, bias)


@misconception(
    "pixels mixed up by a reshape",
    "You bring `(N, C, H, W)` into rows of `C` numbers with `reshape` or `view`. That cuts memory into pieces, and "
    "each piece holds neighbouring pixels of *one* channel. Such rows need the channels as the last dimension. Look at "
    "what stands before your `reshape`.",
)
def reshaped(x, weight, bias):
    n, c, h, w = x.shape
    return (x.reshape(-1, c) @ weight.T + bias).reshape(n, h, w, len(weight)).permute(0, 3, 1, 2)


@misconception(
    "result reshaped without moving the channels back",
    "Your products are right, but they lie as `(N, H, W, K)`, and `reshape` to `(N, K, H, W)` mixes them up instead of "
    "moving the channels to the front. Look at how you bring the result into its shape.",
)
def reshaped_back(x, weight, bias):
    n, _, h, w = x.shape
    return (x.permute(0, 2, 3, 1) @ weight.T + bias).reshape(n, len(weight), h, w)


@misconception(
    "channels last",
    "Your numbers are right, but the channels stand at the end: `(N, H, W, K)`. Every layer of PyTorch expects "
    "`(N, K, H, W)`. Look at the order of the dimensions in your result.",
)
def channels_last(x, weight, bias):
    return pointwise(x, weight, bias).permute(0, 2, 3, 1).contiguous()


@misconception(
    "height and width exchanged",
    "Your image lies on its side: height and width are exchanged in the result, which no square image would show. "
    "Look at your `permute`, `transpose` or the sizes in your `reshape`.",
)
def on_its_side(x, weight, bias):
    return pointwise(x, weight, bias).transpose(2, 3).contiguous()


@misconception(
    "the pixels left in a row",
    "Your numbers are right, but the sides are gone: the result is `(N, K, H * W)`. "
    "Look at what has to happen after the product.",
)
def left_flat(x, weight, bias):
    return pointwise(x, weight, bias).flatten(2)


@misconception(
    "a mean over the channels",
    "You average over the channels that come in, so all products are `C` times too small. A matrix product adds up. "
    "Look at how the channels are brought together.",
)
def averaged(x, weight, bias):
    return pointwise(x, weight / x.shape[1], bias)


@misconception(
    "sum over the image",
    "You sum over all pixels as well, so every pixel of the result holds the same number. A 1×1 convolution treats "
    "each pixel for itself. Look at the dimensions that you sum over.",
)
def pooled(x, weight, bias):
    return pointwise(x.sum(dim=(2, 3), keepdim=True).expand_as(x), weight, bias)


@misconception(
    "only the first image",
    "You compute the first image of the batch and leave the others out. Look at where the dimension `N` is lost.",
)
def first_only(x, weight, bias):
    return pointwise(x[:1], weight, bias)


@misconception(
    "softmax at the end",
    "Your result is positive and sums to 1 over the channels: you put a softmax behind the product. Asked for are the "
    "scores as they are, since the losses to come expect logits. Look at your last line.",
)
def with_softmax(x, weight, bias):
    return pointwise(x, weight, bias).softmax(dim=1)


@misconception(
    "ReLU at the end",
    "Negative results come out as 0: you put a ReLU behind the product. The task asks for the sums as they are. "
    "Look at your last line.",
)
def with_relu(x, weight, bias):
    return pointwise(x, weight, bias).relu()


@misconception(
    "library convolution",
    "The numbers are right, and a library made them: your answer calls PyTorch's own `conv2d`. The point here is that "
    "a 1×1 convolution *is* a matrix product. Look at how `@`, `matmul` or `einsum` can do it.",
)
def library(x, weight, bias):
    return F.conv2d(x, weight[:, :, None, None], bias)


@misconception(
    "library convolution as a layer",
    "You put the weight into an `nn.Conv2d` and let it compute. It draws random weights first, which you then replace. "
    "The point here is that a 1×1 convolution *is* a matrix product. Look at how `@`, `matmul` or `einsum` can do it.",
)
def library_layer(x, weight, bias):
    layer = torch.nn.Conv2d(x.shape[1], len(weight), 1)
    layer.weight.data = weight[:, :, None, None]
    layer.bias.data = bias
    return layer(x)


@variant("channels last, then a linear layer")
def linear(x, weight, bias):
    return F.linear(x.permute(0, 2, 3, 1), weight, bias).permute(0, 3, 1, 2)


@variant("with einsum")
def with_einsum(x, weight, bias):
    return torch.einsum("nchw,kc->nkhw", x, weight) + bias.view(1, -1, 1, 1)


@variant("pixel by pixel")
def by_pixel(x, weight, bias):
    n, _, h, w = x.shape
    result = torch.zeros(n, weight.shape[0], h, w)
    for i in range(n):
        for row in range(h):
            for column in range(w):
                result[i, :, row, column] = weight @ x[i, :, row, column] + bias
    return result


@variant("one sum for each channel that comes out")
def by_channel(x, weight, bias):
    planes = [(row[:, None, None] * x).sum(dim=1) + b for row, b in zip(weight, bias, strict=True)]
    return torch.stack(planes, dim=1)


@variant("with numpy, in float64")
def with_numpy(x, weight, bias):
    product = np.tensordot(x.double().numpy(), weight.double().numpy(), axes=(1, 1))  # (N, H, W, K)
    return torch.from_numpy(np.moveaxis(product + bias.numpy(), -1, 1))


@variant("the bias as one more channel")
def bias_as_channel(x, weight, bias):
    extended = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    matrix = torch.cat([weight, bias[:, None]], dim=1)
    return torch.matmul(matrix, extended.flatten(2)).reshape(len(x), -1, *x.shape[2:])
