"""Lesson 04: `output_size(size, kernel, stride=1, padding=0, dilation=1)`."""

import torch

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
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
        "Leave dilation aside at first: the window begins at 0 and can move until its end meets the end of the "
        "padded side. How many whole steps can it take, and how many positions does that make?",
        "With dilation the kernel keeps its weights but spans more pixels: between `kernel` weights there are "
        "`kernel - 1` gaps. Put that span where the size of the window stood.",
    ],
    task=(
        "How many windows fit along one side of `size` pixels: a whole number, the length of that side after a "
        "convolution or a pooling. `padding` zeros are put at *each* end; with `dilation` the weights of the kernel "
        "are that many pixels apart. Pixels left over at the end get no window."
    ),
)
def probes(draw):
    """The default first, then each argument alone, at values where rounding and order matter; then all together.

    Whoever runs a layer and reads the length of its result draws weights, and is right.
    """
    for args, settings in (
        ((7, 3), {}),
        ((5, 5), {}),  # fits exactly once
        ((8, 3), {"stride": 2}),  # a pixel is left over
        ((7, 3), {"stride": 2}),
        ((8, 2), {"stride": 3}),  # two thirds would round up
        ((6, 3), {"padding": 1}),
        ((6, 4), {"padding": 2}),
        ((9, 3), {"dilation": 2}),
        ((16, 4), {"dilation": 3}),
        ((11, 1), {"dilation": 4, "stride": 4}),  # one weight has no gaps
        ((224, 7, 2, 3), {}),
        ((13, 3, 3, 2, 2), {}),
        ((572, 3), {"padding": 0}),
    ):
        yield Call(args, settings, may_draw=True)
    for _ in range(12):
        kernel, dilation = draw.size(1, 5), draw.size(1, 3)
        size = dilation * (kernel - 1) + 1 + draw.size(0, 40)  # the kernel fits even without padding
        yield Call((size, kernel, draw.size(1, 5), draw.size(0, 3), dilation), may_draw=True)


edit = edits_of(output_size)

edit(
    "the + 1 is missing",
    "Your result is one too small: you count the steps of the window, not the places where it stands. A window that "
    "fits exactly once moves by no step. Look at the end of your formula.",
    ("// stride + 1", "// stride"),
)

edit(
    "last window missing",
    "A last window that ends exactly at the end of the side is missing, and it still fits. Look at where your count "
    "stops: a `range` leaves out its end, and so does `<` where `<=` is meant.",
    ("(size + 2 * padding - span) // stride + 1", "-(-(size + 2 * padding - span) // stride)"),
)

edit(
    "padding counted once",
    "You add `padding` once. It is put at both ends of the side. Look at the factor in front of it.",
    ("2 * padding", "padding"),
)

edit(
    "padding ignored",
    "Your result does not depend on `padding`, so every convolution would shrink its input. "
    "Look at how long the side is that the window slides over.",
    (" + 2 * padding", ""),
)

edit(
    "half the kernel as default padding",
    "Without `padding` you take half the kernel, which is a layer that keeps the size. The default here is none, so "
    "that the side gets shorter. Look at the first line of your function.",
    ("padding: int = 0", "padding: int = -1"),
    ("    span", "    padding = kernel // 2 if padding < 0 else padding\n    span"),
)

edit(
    "stride ignored",
    "Your result does not depend on `stride`, as if the window always moved by one pixel. "
    "Look at how many steps fit when each is longer.",
    (" // stride", ""),
)

edit(
    "the kernel as default stride",
    "Without a `stride` you move the window by its own width, as PyTorch's poolings do. The default here is one "
    "pixel. Look at the first line of your function.",
    ("stride: int = 1", "stride: int = 0"),
    ("    span", "    stride = stride or kernel\n    span"),
)

edit(
    "dilation ignored",
    "Your result does not depend on `dilation`. Weights that lie apart make the kernel span more pixels, so fewer "
    "windows fit. Look at how wide the kernel is.",
    ("dilation * (kernel - 1) + 1", "kernel"),
)

edit(
    "span as dilation times kernel",
    "You take `dilation * kernel` for the width of the kernel. After the last weight there is no further gap: a "
    "single weight spans one pixel at every dilation. Look at how many gaps lie between `kernel` weights.",
    ("dilation * (kernel - 1) + 1", "dilation * kernel"),
)

edit(
    "gaps counted as dilation pixels",
    "You put `dilation` empty pixels between two weights. A dilation of 1 is the ordinary kernel without gaps, so "
    "there is one empty pixel fewer than that. Look at what your span is for `dilation=1`.",
    ("dilation * (", "(dilation + 1) * ("),
)

edit(
    "span of the gaps only",
    "You take off `dilation * (kernel - 1)` and leave it at that, so the result is too large by one at stride 1. That "
    "is the way from the first weight to the last; a single weight still covers one pixel. Look at how wide your "
    "kernel is for `kernel=1`.",
    ("(kernel - 1) + 1", "(kernel - 1)"),
)

edit(
    "dilation added once",
    "You make the kernel `dilation - 1` pixels wider, as if it had one gap. Between `kernel` weights there are "
    "`kernel - 1` gaps, and each of them grows. Look at how wide three weights are that lie two apart.",
    ("dilation * (kernel - 1) + 1", "kernel + dilation - 1"),
)

edit(
    "rounded up",
    "You round up, which counts a last window that reaches over the end. What is left over gets no window. "
    "Look at your rounding where the stride does not divide evenly.",
    ("(size + 2 * padding - span) // stride", "-(-(size + 2 * padding - span) // stride)"),
)

edit(
    "rounded to the nearest",
    "You round to the nearest whole number, so from half a step on you count a window that does not fit. "
    "Look at what `round` does where the stride does not divide evenly.",
    ("(size + 2 * padding - span) // stride", "int((size + 2 * padding - span) / stride + 0.5)"),
)

edit(
    "rounded by `round`",
    "You round to the nearest whole number, so in many cases you count a window that does not fit; what is left over "
    "gets none. Look at what `round` does where the stride does not divide evenly, and at what `//` would do.",
    ("(size + 2 * padding - span) // stride", "round((size + 2 * padding - span) / stride)"),
)

edit(
    "rounded by `round`, with the + 1 inside",
    "You round to the nearest whole number, so in many cases you count a window that does not fit; what is left over "
    "gets none. Look at what `round` does where the stride does not divide evenly, and at what `//` would do.",
    ("(size + 2 * padding - span) // stride + 1", "round((size + 2 * padding - span) / stride + 1)"),
)

edit(
    "a fraction of a window",
    "Your result is not a whole number where the stride does not divide evenly, and no tensor has half a pixel. Look "
    "at the division: what becomes of the rest?",
    ("//", "/"),
)

edit(
    "+ 1 before the division",
    "You add the 1 before you divide by the stride. That counts one pixel more on the way, and the first window is "
    "lost at every stride above 1. Look at your brackets.",
    ("- span) // stride + 1", "- span + 1) // stride"),
)

edit(
    "size divided before the kernel is taken off",
    "You divide the side by the stride first and take the kernel off afterwards. The kernel is then counted in steps "
    "although it is measured in pixels. Look at the order of your subtraction and your division.",
    ("- span) // stride + 1", ") // stride - span + 1"),
)

edit(
    "size over stride",
    "You divide the side by the stride, whatever kernel and padding are. That holds for one special padding; "
    "here the kernel takes something off at the ends. Look at which arguments your formula does not use.",
    ("(size + 2 * padding - span) // stride + 1", "-(-size // stride)"),
)

edit(
    "size over stride, rounded down",
    "You divide the side by the stride, whatever kernel and padding are. That holds for a few layers, such as a "
    "pooling by 2; in others the kernel takes something off at the ends. Look at which arguments your formula does "
    "not use.",
    ("(size + 2 * padding - span) // stride + 1", "size // stride"),
)

edit(
    "the transposed convolution's size",
    "Your result grows with the stride. That is the size after a *transposed* convolution, which goes the other way. "
    "Look at whether you multiply by the stride or divide by it.",
    ("(size + 2 * padding - span) // stride + 1", "(size - 1) * stride - 2 * padding + span"),
)

edit(
    "dilation taken as stride",
    "You let the window move by `dilation` as well. Dilation pulls the weights of one window apart and leaves the "
    "steps between windows as they are. Look at what you divide by.",
    ("dilation * (kernel - 1) + 1", "kernel"),
    ("// stride", "// (stride * dilation)"),
)

edit(
    "padding taken off",
    "You subtract the padding. Zeros put at the ends make the side longer, so more windows fit. "
    "Look at the sign in front of `padding`.",
    ("+ 2 *", "- 2 *"),
)

edit(
    "a pair of sizes",
    "You return more than one number. Here one side goes in and the length of that side comes out; for an image the "
    "function is called twice. Look at your last line.",
    ("return (", "length = ("),
    ("stride + 1", "stride + 1\n    return length, length"),
)


@variant("positions of the window, counted")
def counted(size, kernel, stride=1, padding=0, dilation=1):
    span = kernel + (kernel - 1) * (dilation - 1)
    return len(range(-padding, size + padding - span + 1, stride))


@variant("measured on a layer")
def measured(size, kernel, stride=1, padding=0, dilation=1):
    layer = torch.nn.Conv1d(1, 1, kernel, stride, padding, dilation)  # draws weights
    return layer(torch.zeros(1, 1, size)).shape[-1]


@variant("as a 0-d tensor")
def as_tensor(size, kernel, stride=1, padding=0, dilation=1):
    way = torch.tensor(size + 2 * padding - (dilation * kernel - dilation + 1))
    return torch.div(way, stride, rounding_mode="floor") + 1
