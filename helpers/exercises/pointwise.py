"""Lesson 04: `pointwise(x, weight, bias)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.shared import CONVOLUTIONS
from helpers.exercises import edits_of, exercise, misconception, variant
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
        "A matrix product needs the pixels as rows or as columns of a matrix. `flatten(2)` turns `(N, C, H, W)` into "
        "`(N, C, H * W)`; then `weight` can stand on its left.",
        "Mind two things: the bias belongs to the `K` channels, so give it a shape that is stretched over the "
        "pixels; and at the end the sides have to be `H` and `W` again.",
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
    two of them goes through without an error. Where C and K differ, an exchange fails in as many ways as there are
    styles."""
    pixel, weight = torch.tensor([1.0, 2.0]).reshape(1, 2, 1, 1), torch.tensor([[1.0, 10], [-3, 0.5], [2, 2]])
    yield pixel, weight, torch.arange(3.0)
    coded = torch.stack([draw.positions(2, 3), -1 - draw.positions(2, 3)])[None]
    yield coded, torch.tensor([[1.0, 0.5], [0, 1], [2, -1]]), torch.tensor([7.0, 8, 0])
    yield coded, torch.tensor([[1.0, 0], [0, 1]]), torch.tensor([0.0, 0.25])  # passes the channels on
    yield draw.normal(2, 3, 4, 5), draw.normal(4, 3), draw.normal(4)
    yield draw.normal(3, 3, 3, 3), draw.normal(3, 3), draw.normal(3)  # all equal
    yield draw.normal(1, 4, 3, 2), draw.normal(2, 4), draw.normal(2)
    yield draw.normal(2, 1, 3, 4), draw.normal(1, 1), draw.normal(1)
    n, c, k = draw.size(2, 3), draw.size(2, 5), draw.size(2, 5)
    x = draw.normal(n, c, draw.size(3, 9), draw.size(3, 9))
    yield x, draw.normal(k, c), draw.normal(k)


edit = edits_of(pointwise)

edit(
    "bias ignored",
    "The bias does not arrive in your result. Look at what you do after the product.",
    (" + bias[:, None]", ""),
)

edit(
    "bias along the columns",
    "You add the bias to the last dimension, so it changes from column to column of the image and not from channel to "
    "channel; where the sizes differ it fails. Look at the shape that the bias has when you add it.",
    (" + bias[:, None]", ""),
    ("x.shape[2:])", "x.shape[2:]) + bias"),
    any_error=True,
)

edit(
    "bias along the rows",
    "You add the bias along the rows of the image, so it changes from row to row and not from channel to channel; "
    "where the sizes differ it fails. A `(K, 1)` stands for channels only while the pixels are in one line. Look at "
    "the shape that the bias has when you add it.",
    (" + bias[:, None]", ""),
    ("x.shape[2:])", "x.shape[2:]) + bias[:, None]"),
    any_error=True,
)

edit(
    "bias along the images",
    "You give the bias to the images instead of the channels: with one image, it comes out `K` times, each with "
    "another number added; with several it mostly fails. Look at the shape that the bias has when you add it.",
    (" + bias[:, None]", ""),
    ("x.shape[2:])", "x.shape[2:]) + bias[:, None, None, None]"),
    any_error=True,
)

edit(
    "bias added before the product",
    "You add the bias to the channels that come in, so it is multiplied by the weights, and it fails where fewer or "
    "more channels come out. Look at where the bias enters: it has `K` values.",
    (" + bias[:, None]", ""),
    ("x.flatten(2)", "(x + bias[:, None, None]).flatten(2)"),
    any_error=True,
)

edit(
    "bias added for each channel",
    "You add the bias with every channel that comes in, so it arrives `C` times. It counts once for each value of the "
    "result. Look at whether it is added inside the sum or after it.",
    ("bias[:, None]", "x.shape[1] * bias[:, None]"),
)

edit(
    "weight transposed",
    "You use the weight with rows and columns exchanged. Row `k` of `(K, C)` holds the weights of *one* channel that "
    "comes out; with `K` equal to `C` nothing fails and the numbers are wrong. Look at which index of `weight` you sum "
    "over.",
    ("weight @", "weight.T @"),
    any_error=True,
)

edit(
    "pixels mixed up by a reshape",
    "You bring `(N, C, H, W)` into rows of `C` numbers with `reshape` or `view`. That cuts memory into pieces, and "
    "each piece holds neighbouring pixels of *one* channel. Such rows need the channels as the last dimension. Look at "
    "what stands before your `reshape`.",
    ("x.flatten(2)", "x.reshape(len(x), -1, x.shape[1]).mT"),
)

edit(
    "result reshaped without moving the channels back",
    "Your products are right, but they lie as `(N, H, W, K)`, and `reshape` to `(N, K, H, W)` mixes them up instead of "
    "moving the channels to the front. Look at how you bring the result into its shape.",
    (".unflatten(2, x.shape[2:])", ".mT.reshape(len(x), len(weight), *x.shape[2:])"),
)

edit(
    "channels last",
    "Your numbers are right, but the channels stand at the end: `(N, H, W, K)`. Every layer of PyTorch expects "
    "`(N, K, H, W)`. Look at the order of the dimensions in your result.",
    ("x.shape[2:])", "x.shape[2:]).movedim(1, -1)"),
)

edit(
    "height and width exchanged",
    "Your image lies on its side: height and width are exchanged in the result, which no square image would show. "
    "Look at your `permute`, `transpose` or the sizes in your `reshape`.",
    ("x.shape[2:])", "x.shape[2:]).mT"),
)

edit(
    "sides exchanged in the reshape",
    "You cut the row of pixels into lines of `H` instead of `W`, so the image comes out torn, with height and width "
    "exchanged, which no square image would show. Look at the order of the sizes in your last `reshape` or `view`.",
    ("x.shape[2:]", "(x.shape[3], x.shape[2])"),
)

edit(
    "the pixels left in a row",
    "Your numbers are right, but the sides are gone: the result is `(N, K, H * W)`. "
    "Look at what has to happen after the product.",
    (".unflatten(2, x.shape[2:])", ""),
)

edit(
    "dimensions of length 1 lost",
    "With one image, one class or a side of one pixel, your result loses that dimension; four are promised. Look for "
    "a `squeeze`: name the dimensions that it may take away.",
    ("x.shape[2:])", "x.shape[2:]).squeeze()"),
)

edit(
    "a mean over the channels",
    "You average over the channels that come in, so all products are `C` times too small. A matrix product adds up. "
    "Look at how the channels are brought together.",
    ("weight @ pixels", "weight @ pixels / x.shape[1]"),
)

edit(
    "only the last channel",
    "Only the last channel that comes in counts: each one replaces what the channels before it gave. Look for an `=` "
    "in your loop that should be a `+=`.",
    ("weight @ pixels", "weight[:, -1:] @ pixels[:, -1:]"),
)

edit(
    "sum over the image",
    "You sum over all pixels as well, so every pixel of the result holds the same number. A 1×1 convolution treats "
    "each pixel for itself. Look at the dimensions that you sum over.",
    ("weight @ pixels", "weight @ pixels.sum(dim=2, keepdim=True).expand_as(pixels)"),
)

edit(
    "only the first image",
    "You compute the first image of the batch and leave the others out. Look at where the dimension `N` is lost.",
    ("x.flatten(2)", "x[:1].flatten(2)"),
)

edit(
    "softmax at the end",
    "Your result is positive and sums to 1 over the channels: you put a softmax behind the product. Asked for are the "
    "scores as they are, since the losses to come expect logits. Look at your last line.",
    ("x.shape[2:])", "x.shape[2:]).softmax(dim=1)"),
)

edit(
    "sigmoid at the end",
    "Your values all lie between 0 and 1: you put a sigmoid behind the product. Asked for are the scores as they are, "
    "since the losses to come expect logits. Look at your last line.",
    ("x.shape[2:])", "x.shape[2:]).sigmoid()"),
)

edit(
    "ReLU at the end",
    "Negative results come out as 0: you put a ReLU behind the product. The task asks for the sums as they are. "
    "Look at your last line.",
    ("x.shape[2:])", "x.shape[2:]).relu()"),
)


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


@variant("pixel by pixel")
def by_pixel(x, weight, bias):
    n, _, h, w = x.shape
    result = torch.zeros(n, weight.shape[0], h, w)
    for i in range(n):
        for row in range(h):
            for column in range(w):
                result[i, :, row, column] = weight @ x[i, :, row, column] + bias
    return result


@variant("with numpy, in float64")
def with_numpy(x, weight, bias):
    product = np.tensordot(x.double().numpy(), weight.double().numpy(), axes=(1, 1))  # (N, H, W, K)
    return torch.from_numpy(np.moveaxis(product + bias.numpy(), -1, 1))


@variant("the bias as one more channel")
def bias_as_channel(x, weight, bias):
    extended = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    matrix = torch.cat([weight, bias[:, None]], dim=1)
    return torch.matmul(matrix, extended.flatten(2)).reshape(len(x), -1, *x.shape[2:])
