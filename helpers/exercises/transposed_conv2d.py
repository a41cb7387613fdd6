"""Lesson 06: `transposed_conv2d(x, kernel, stride=2)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.decoder import transposed_conv2d, upsample_nearest


@exercise(
    transposed_conv2d,
    lesson="06_decoder",
    concept="Transposed convolution",
    points=5,
    minutes=14,
    difficulty=3,
    hints=[
        "Turn it round: in a convolution an output pixel *collects* from a window. Here an input pixel *hands out* to "
        "one. Which window of the output belongs to the pixel at row 0, column 1?",
        "Begin with zeros of the final size. The last stamp starts at `(H - 1) * stride` and is k long.",
        "Write two loops over the pixels of `x`. Each pixel adds its value times the whole kernel to a slice of the "
        "output that starts at `i * stride`, `j * stride`. Where slices overlap, the values add up.",
    ],
    task=(
        "By hand: every pixel of `x`, shape `(H, W)`, stamps the `kernel`, shape `(k, k)`, times its value into the "
        "output, `stride` pixels from one stamp to the next; overlaps add up. No padding: the output has shape "
        "`((H - 1) * stride + k, (W - 1) * stride + k)`."
    ),
    forbidden=(
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "conv1d",
        "conv2d",
        "conv3d",
        "fold",
        "convolve",
        "convolve2d",
        "correlate",
        "correlate2d",
        "fftconvolve",
    ),
)
def probes(draw):
    """Small maps whose stamps can be drawn on paper, then kernels larger, equal to and smaller than the stride."""
    # stamps of 2×2 side by side, nothing overlaps; the kernel has no symmetry, so a flip or a turn shows
    yield torch.tensor([[1.0, 10.0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    # one row of overlap between stamps: 3×3 with stride 2
    yield torch.tensor([[1.0, 2.0], [4.0, -1.0]]), torch.arange(1.0, 10.0).reshape(3, 3)
    yield draw.positions(2, 3) + 1, draw.normal(3, 3), 1
    impulse = torch.zeros(3, 4)
    impulse[draw.size(0, 2), draw.size(1, 3)] = 1
    yield impulse, draw.normal(2, 2), 2
    yield draw.normal(2, 3), draw.normal(2, 2), 3  # gaps between the stamps
    yield draw.normal(4, 3), draw.normal(1, 1), 2
    yield draw.normal(1, 1), draw.normal(4, 4), 2
    yield draw.normal(3, 5), draw.normal(4, 4), 2
    for _ in range(2):
        k = draw.size(2, 5)
        yield draw.normal(draw.size(2, 6), draw.size(2, 6)), draw.normal(k, k), draw.size(1, 4)


edit = edits_of(transposed_conv2d)


def _spread(x, stride):
    """The pixels of `x` with `stride - 1` zeros between them."""
    out = x.new_zeros((x.shape[0] - 1) * stride + 1, (x.shape[1] - 1) * stride + 1)
    out[::stride, ::stride] = x
    return out


def _convolved(x, kernel, stride=1, padding=0):
    """A plain convolution (cross-correlation) by hand."""
    k = len(kernel)
    x = F.pad(x, [padding] * 4)
    rows, columns = range(0, x.shape[0] - k + 1, stride), range(0, x.shape[1] - k + 1, stride)
    values = [[(x[i : i + k, j : j + k] * kernel).sum() for j in columns] for i in rows]
    return torch.tensor(values) if values and values[0] else x.new_zeros(len(rows), len(columns))


edit(
    "the kernel is flipped",
    "Your stamps are turned by half a circle. That happens when you put zeros between the pixels and slide the kernel "
    "over them as in lesson 04: sliding *collects*, and what is handed out arrives mirrored. Look at one single "
    "bright pixel: it should print the kernel as it is.",
    ("x[i, j] * kernel", "x[i, j] * kernel.flip(0, 1)"),
)

edit(
    "the kernel is transposed",
    "Your stamps have rows and columns exchanged. *Transposed* is the matrix of the whole convolution, not the kernel. "
    "Look for a `.T` or for exchanged indices.",
    ("x[i, j] * kernel", "x[i, j] * kernel.T"),
)

edit(
    "overlaps are overwritten",
    "Where two stamps overlap, only the later one is left: the earlier pixel's share is lost. Look at the operator "
    "that writes into the output.",
    ("+= ", "= "),
)


@misconception(
    "overlaps are averaged",
    "Where stamps overlap you divide by how many there are. The layer only adds, which is exactly where its "
    "checkerboards come from. Look at what you do after the stamping.",
)
def averaged(x, kernel, stride=2):
    count = transposed_conv2d(torch.ones_like(x), torch.ones_like(kernel), stride)
    return transposed_conv2d(x, kernel, stride) / count.clamp(min=1)


edit(
    "every stamp equally strong",
    "You stamp the kernel as it is, whatever the pixel holds, so the output does not depend on the values of `x`. "
    "Look at what the kernel is multiplied by.",
    ("x[i, j] * kernel", "kernel"),
)

edit(
    "the larger value wins in overlaps",
    "Where stamps overlap you keep the larger value. Then the result is no longer linear in `x`, and what the "
    "other pixel gave is lost. Look at how a stamp meets what is there already.",
    ("x.new_zeros(", "-torch.inf + x.new_zeros("),
    ("+= x[i, j] * kernel", "= out[i * stride :, j * stride :][:k, :k].maximum(x[i, j] * kernel)"),
    ("return out", "return out.where(out.isfinite(), 0)"),
)

edit(
    "the larger value wins, beginning at 0",
    "Where stamps overlap you keep the larger value, and never one below 0: the output begins with zeros, and what is "
    "negative loses against them. Look at how a stamp meets what is there already.",
    ("+= x[i, j] * kernel", "= out[i * stride :, j * stride :][:k, :k].maximum(x[i, j] * kernel)"),
)

edit(
    "the output is cut at stride times the input",
    "Your output is exactly `stride` times the input, so the part of the last stamps that reaches further is cut off. "
    "That only fits a kernel as large as the stride. Look at where the last stamp begins and how long it is.",
    ("(height - 1) * stride + k, (width - 1) * stride + k", "height * stride + k, width * stride + k"),
    ("return out", "return out[: height * stride, : width * stride]"),
)

edit(
    "the last stamps do not fit",
    "You make the output `stride` times as large as the input. Where the kernel is larger than the stride, the last "
    "stamps reach further than that, and it fails; where it is smaller, zeros are left at the end. Look at where the "
    "last stamp begins and how long it is.",
    ("(height - 1) * stride + k, (width - 1) * stride + k", "height * stride, width * stride"),
)

edit(
    "the stamps stand side by side",
    "You put each stamp next to the one before, a whole kernel apart, whatever the stride. Nothing ever overlaps. "
    "Look at which number the start of a stamp is multiplied by.",
    ("    out = x", "    stride = k\n    out = x"),
)

edit(
    "the stride is ignored",
    "Your stamps move one pixel at a time, so the output is hardly larger than the input. Look at where `stride` "
    "enters your slices and your output size.",
    ("    out = x", "    stride = 1\n    out = x"),
)

edit(
    "the stride is always 2",
    "Any stride other than 2 gives the same result as 2. Look for a 2 in your code that should be the argument.",
    ("    out = x", "    stride = 2\n    out = x"),
)

edit(
    "the default stride is 1",
    "Without a `stride` your stamps move one pixel at a time; the default here is 2, which makes the output about "
    "twice as large. Look at the first line of your function.",
    ("stride: int = 2", "stride: int = 1"),
)

edit(
    "the stride only along the rows",
    "The stride moves the stamps down, but sideways they move one pixel at a time. Look at the second index of your "
    "slices.",
    ("(width - 1) * stride", "width - 1"),
    ("j * stride : j * stride + k", "j : j + k"),
)

edit(
    "the stride only along the columns",
    "The stride moves the stamps sideways, but down they move one pixel at a time. Look at the first index of your "
    "slices.",
    ("(height - 1) * stride", "height - 1"),
    ("i * stride : i * stride + k", "i : i + k"),
)


@misconception(
    "an ordinary convolution",
    "You slid the kernel over `x` and collected. That is the convolution of lesson 04, and its output is *smaller* "
    "than its input. Look at which of the two you index with the stride: here it is the output.",
)
def ordinary(x, kernel, stride=2):
    return _convolved(x, kernel, stride)


@misconception(
    "too little padding around the spread pixels",
    "You put zeros between the pixels and convolved, but without zeros around them. Then the outer pixels never hand "
    "out their whole stamp, and the output is `2 * (k - 1)` too small on each side length. Look at the border.",
)
def no_outer_zeros(x, kernel, stride=2):
    return _convolved(_spread(x, stride), kernel.flip(0, 1))


edit(
    "stride zeros between the pixels",
    "Your pixels lie `stride + 1` apart: you put `stride` zeros between two of them. From one pixel to the next it is "
    "`stride` steps. Count the zeros between two stamps' starts.",
    ("    out = x", "    stride += 1\n    out = x"),
)


@misconception(
    "enlarged by repetition, then convolved",
    "You enlarged `x` by repeating pixels and convolved that. It is a way to go up, the one called *nearest*, and the "
    "kernel then sees each value `stride` times. A transposed convolution has nothing but the stamps: look at how "
    "often you use each pixel.",
)
def repeated(x, kernel, stride=2):
    return _convolved(upsample_nearest(x[None, None], stride)[0, 0], kernel, padding=len(kernel) - 1)


edit(
    "the output is one pixel too long",
    "Your output has a row and a column of zeros too many, at the bottom and on the right. The first stamp starts at 0 "
    "and the last one at `(H - 1) * stride`: look at the size you begin with.",
    (
        "(height - 1) * stride + k, (width - 1) * stride + k",
        "(height - 1) * stride + k + 1, (width - 1) * stride + k + 1",
    ),
)

edit(
    "the output is one stride too long",
    "Your output has `stride` rows and columns of zeros too many, at the bottom and on the right. The last stamp "
    "starts at `(H - 1) * stride` and not at `H * stride`: look at the size you begin with.",
    ("(height - 1) * stride + k, (width - 1) * stride + k", "height * stride + k, width * stride + k"),
)

edit(
    "rows and columns of the output exchanged",
    "Your output comes out with rows and columns exchanged. Look at the order of the two loops and of the two indices "
    "of the slice.",
    ("(height - 1) * stride + k, (width - 1) * stride + k", "(width - 1) * stride + k, (height - 1) * stride + k"),
    (
        "out[i * stride : i * stride + k, j * stride : j * stride + k]",
        "out[j * stride : j * stride + k, i * stride : i * stride + k]",
    ),
)

edit(
    "height and width of the output exchanged",
    "You make the output as wide as it should be high, so the stamps do not fit unless `x` is square. `shape` gives "
    "the height first, then the width. Look at the size you begin with.",
    ("(height - 1) * stride + k, (width - 1) * stride + k", "(width - 1) * stride + k, (height - 1) * stride + k"),
)

edit(
    "the height taken for the width",
    "You take the number of rows of `x` for the number of columns too. That is right for square maps only. Look at "
    "whether height and width are read separately.",
    ("(height, width), k = x.shape, len(kernel)", "height, width, k = len(x), len(x), len(kernel)"),
)

edit(
    "the last pixels are left out",
    "The last row and the last column of `x` stamp nothing: the output has zeros there. Look at where your loops end.",
    ("range(height)", "range(height - 1)"),
    ("range(width)", "range(width - 1)"),
)


@misconception(
    "the library's transposed convolution",
    "The numbers are right, and PyTorch computed them: you called `conv_transpose2d`. Here the point is to write the "
    "stamping yourself, once. Look at the hints for where to begin.",
)
def library(x, kernel, stride=2):
    return F.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]


@variant("zeros between, zeros around, the kernel turned, an ordinary convolution")
def through_convolution(x, kernel, stride=2):
    k = len(kernel)
    padded = F.pad(_spread(x, stride), [k - 1] * 4)
    return (padded.unfold(0, k, 1).unfold(1, k, 1) * kernel.flip(0, 1)).sum((2, 3))


@variant("all stamps at once, added by index")
def by_index(x, kernel, stride=2):
    (h, w), k = x.shape, kernel.shape[0]
    height, width = (h - 1) * stride + k, (w - 1) * stride + k
    rows = (torch.arange(h)[:, None] * stride + torch.arange(k))[:, None, :, None]
    columns = (torch.arange(w)[:, None] * stride + torch.arange(k))[None, :, None, :]
    stamps = torch.einsum("ij,uv->ijuv", x, kernel)
    flat = torch.zeros(height * width).index_add(0, (rows * width + columns).flatten(), stamps.flatten())
    return flat.view(height, width)


@variant("the convolution as a matrix, transposed")
def as_matrix(x, kernel, stride=2):
    height, width = ((side - 1) * stride + len(kernel) for side in x.shape)
    matrix = torch.zeros(x.numel(), height * width)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            row = torch.zeros(height, width)
            row[i * stride : i * stride + len(kernel), j * stride : j * stride + len(kernel)] = kernel
            matrix[i * x.shape[1] + j] = row.flatten()
    return (matrix.T @ x.flatten()).reshape(height, width)


@variant("with numpy, number by number")
def with_numpy(x, kernel, stride=2):
    a, b = np.asarray(x), np.asarray(kernel)
    out = np.zeros(((a.shape[0] - 1) * stride + b.shape[0], (a.shape[1] - 1) * stride + b.shape[1]))
    for (i, j), value in np.ndenumerate(a):
        for (u, v), weight in np.ndenumerate(b):
            out[i * stride + u, j * stride + v] += value * weight
    return torch.tensor(out)
