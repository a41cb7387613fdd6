"""Lesson 04: `output_size(size, kernel, stride=1, padding=0, dilation=1)`."""

import math

import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.exercises import exercise, misconception, variant
from helpers.reference.convolution import output_size


@exercise(
    output_size,
    lesson="04_convolution",
    concept="Size arithmetic",
    points=2,
    minutes=5,
    difficulty=2,
    hints=[
        "Draw 7 boxes and slide a window of 3 boxes over them, once with step 1 and once with step 2. Count.",
        "Leave dilation aside at first: the window begins at 0 and can move until its end meets the end of the padded "
        "side. How many whole steps fit into that way, and how many positions are that?",
        "With dilation the kernel keeps its weights but spans more pixels: between `kernel` weights there are "
        "`kernel - 1` gaps. Put that span where the size of the window stood.",
    ],
    task=(
        "How many windows fit along one side of `size` pixels: a whole number, the length of that side after a "
        "convolution or a pooling. `padding` zeros are put at *each* end; with `dilation` the weights of the kernel "
        "are that many pixels apart. What is left over at the end gets no window."
    ),
)
def probes(draw):
    """The default first, then each argument alone, at values where rounding and order matter; then all together."""
    yield 7, 3
    yield 5, 5  # fits exactly once
    yield Call((8, 3), {"stride": 2})  # a pixel is left over
    yield Call((7, 3), {"stride": 2})
    yield Call((8, 2), {"stride": 3})  # two thirds would round up
    yield Call((6, 3), {"padding": 1})
    yield Call((6, 4), {"padding": 2})
    yield Call((9, 3), {"dilation": 2})
    yield Call((16, 4), {"dilation": 3})
    yield Call((11, 1), {"dilation": 4, "stride": 4})  # one weight has no gaps
    yield 224, 7, 2, 3
    yield 13, 3, 3, 2, 2
    yield Call((572, 3), {"padding": 0})
    for _ in range(12):
        kernel, dilation = draw.size(1, 5), draw.size(1, 3)
        size = dilation * (kernel - 1) + 1 + draw.size(0, 40)  # the kernel fits even without padding
        yield Call((size, kernel, draw.size(1, 5), draw.size(0, 3), dilation))


@misconception(
    "the + 1 is missing",
    "Your result is one too small: you count the steps of the window, not the places where it stands. A window that "
    "fits exactly once moves by no step. Look at the end of your formula.",
)
def steps(size, kernel, stride=1, padding=0, dilation=1):
    return output_size(size, kernel, stride, padding, dilation) - 1


@misconception(
    "padding counted once",
    "You add `padding` once. It is put at both ends of the side. Look at the factor in front of it.",
)
def padding_once(size, kernel, stride=1, padding=0, dilation=1):
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


@misconception(
    "padding ignored",
    "Your result does not depend on `padding`, so every convolution would shrink its input. "
    "Look at how long the side is that the window slides over.",
)
def no_padding(size, kernel, stride=1, padding=0, dilation=1):
    return output_size(size, kernel, stride, 0, dilation)


@misconception(
    "stride ignored",
    "Your result does not depend on `stride`, as if the window always moved by one pixel. "
    "Look at how many steps fit when each is longer.",
)
def no_stride(size, kernel, stride=1, padding=0, dilation=1):
    return output_size(size, kernel, 1, padding, dilation)


@misconception(
    "dilation ignored",
    "Your result does not depend on `dilation`. Weights that lie apart make the kernel span more pixels, so fewer "
    "windows fit. Look at how wide the kernel is.",
)
def no_dilation(size, kernel, stride=1, padding=0, dilation=1):
    return output_size(size, kernel, stride, padding)


@misconception(
    "span as dilation times kernel",
    "You take `dilation * kernel` for the width of the kernel. Behind the last weight there is no gap any more: "
    "a single weight spans one pixel at every dilation. Look at how many gaps lie between `kernel` weights.",
)
def span_too_wide(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * kernel) // stride + 1


@misconception(
    "gaps counted as dilation pixels",
    "You put `dilation` empty pixels between two weights. A dilation of 1 is the ordinary kernel without gaps, so "
    "there is one empty pixel fewer than that. Look at what your span is for `dilation=1`.",
)
def gaps_too_wide(size, kernel, stride=1, padding=0, dilation=1):
    return output_size(size, kernel, stride, padding, dilation + 1)


@misconception(
    "span of the gaps only",
    "You take off `dilation * (kernel - 1)` and leave it at that, so the result is too large by one at stride 1. That "
    "is the way from the first weight to the last; a single weight still covers one pixel. Look at how wide your "
    "kernel is for `kernel=1`.",
)
def span_too_short(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1)) // stride + 1


@misconception(
    "rounded up",
    "You round up, which counts a last window that reaches over the end. What is left over gets no window. "
    "Look at your rounding where the stride does not divide evenly.",
)
def rounded_up(size, kernel, stride=1, padding=0, dilation=1):
    return math.ceil((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1


@misconception(
    "rounded to the nearest",
    "You round to the nearest whole number, so from half a step on you count a window that does not fit. "
    "Look at what `round` does where the stride does not divide evenly.",
)
def rounded(size, kernel, stride=1, padding=0, dilation=1):
    return math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 0.5) + 1


@misconception(
    "a fraction of a window",
    "Your result is no whole number where the stride does not divide evenly, and no tensor has half a pixel. "
    "Look at the division: what becomes of the rest?",
)
def fraction(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1


@misconception(
    "+ 1 before the division",
    "You add the 1 before you divide by the stride. That counts one pixel more on the way, and the first window is "
    "lost at every stride above 1. Look at your brackets.",
)
def one_inside(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1 + 1) // stride


@misconception(
    "size divided before the kernel is taken off",
    "You divide the side by the stride first and take the kernel off afterwards. The kernel is then counted in steps "
    "although it is measured in pixels. Look at the order of your subtraction and your division.",
)
def divided_first(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding) // stride - dilation * (kernel - 1)


@misconception(
    "size over stride",
    "You divide the side by the stride, whatever kernel and padding are. That holds for one special padding; "
    "here the kernel takes something off at the ends. Look at which arguments your formula does not use.",
)
def size_over_stride(size, kernel, stride=1, padding=0, dilation=1):
    return -(-size // stride)


@misconception(
    "the transposed convolution's size",
    "Your result grows with the stride. That is the size after a *transposed* convolution, which goes the other way. "
    "Look at whether you multiply by the stride or divide by it.",
)
def transposed(size, kernel, stride=1, padding=0, dilation=1):
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1


@misconception(
    "dilation taken as stride",
    "You let the window move by `dilation` as well. Dilation pulls the weights of one window apart and leaves the "
    "steps between windows as they are. Look at what you divide by.",
)
def dilation_as_stride(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - kernel) // (stride * dilation) + 1


@misconception(
    "padding taken off",
    "You subtract the padding. Zeros put at the ends make the side longer, so more windows fit. "
    "Look at the sign in front of `padding`.",
)
def padding_off(size, kernel, stride=1, padding=0, dilation=1):
    return output_size(size, kernel, stride, -padding, dilation)


@misconception(
    "a pair of sizes",
    "You return more than one number. Here one side goes in and the length of that side comes out; for an image the "
    "function is called twice. Look at your last line.",
)
def pair(size, kernel, stride=1, padding=0, dilation=1):
    return (output_size(size, kernel, stride, padding, dilation),) * 2


@variant("positions of the window, counted")
def counted(size, kernel, stride=1, padding=0, dilation=1):
    span = kernel + (kernel - 1) * (dilation - 1)
    return len(range(-padding, size + padding - span + 1, stride))


@variant("as PyTorch's documentation writes it")
def documented(size, kernel, stride=1, padding=0, dilation=1):
    return math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)


@variant("with a loop")
def looped(size, kernel, stride=1, padding=0, dilation=1):
    count, last = 0, dilation * (kernel - 1)
    while last < size + 2 * padding:
        count += 1
        last += stride
    return count


@variant("measured on a convolution")
def measured(size, kernel, stride=1, padding=0, dilation=1):
    side = torch.zeros(1, 1, size)
    return F.conv1d(side, torch.zeros(1, 1, kernel), stride=stride, padding=padding, dilation=dilation).shape[-1]


@variant("added up to the next multiple")
def other_algebra(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1 + stride) // stride


@variant("as a 0-d tensor")
def as_tensor(size, kernel, stride=1, padding=0, dilation=1):
    way = torch.tensor(size + 2 * padding - (dilation * kernel - dilation + 1))
    return torch.div(way, stride, rounding_mode="floor") + 1
