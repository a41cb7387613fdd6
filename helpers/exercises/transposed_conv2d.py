"""Lesson 06: `transposed_conv2d(x, kernel, stride=2)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises import exercise, misconception, variant
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
        "Two loops over the pixels of `x`. Each adds its value times the whole kernel to a slice of the output that "
        "starts at `i * stride`, `j * stride`. Where slices overlap, the values add up.",
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


def _stamped(x, kernel, rows, columns, shape):
    """Stamps that start at `rows` and `columns`; what leaves the output is lost."""
    k, room = len(kernel), max(len(kernel), *rows, *columns, *shape)
    out = x.new_zeros(2 * room + 1, 2 * room + 1)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            out[row : row + k, column : column + k] += x[i, j] * kernel
    return out[: shape[0], : shape[1]]


def _full(x, kernel, stride):
    return (x.shape[0] - 1) * stride + len(kernel), (x.shape[1] - 1) * stride + len(kernel)


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


@misconception(
    "the kernel is flipped",
    "Your stamps are turned by half a circle. That happens when you put zeros between the pixels and slide the kernel "
    "over them as in lesson 04: sliding *collects*, and what is handed out arrives mirrored. Look at one single "
    "bright pixel: it should print the kernel as it is.",
)
def flipped(x, kernel, stride=2):
    return transposed_conv2d(x, kernel.flip(0, 1), stride)


@misconception(
    "the kernel is transposed",
    "Your stamps have rows and columns exchanged. *Transposed* is the matrix of the whole convolution, not the kernel. "
    "Look for a `.T` or for exchanged indices.",
)
def kernel_transposed(x, kernel, stride=2):
    return transposed_conv2d(x, kernel.T, stride)


@misconception(
    "overlaps are overwritten",
    "Where two stamps overlap, only the later one is left: the earlier pixel's share is lost. Look at the operator "
    "that writes into the output.",
)
def overwritten(x, kernel, stride=2):
    k, out = len(kernel), x.new_zeros(_full(x, kernel, stride))
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i * stride : i * stride + k, j * stride : j * stride + k] = x[i, j] * kernel
    return out


@misconception(
    "overlaps are averaged",
    "Where stamps overlap you divide by how many there are. The layer only adds, which is exactly where its "
    "checkerboards come from. Look at what you do after the stamping.",
)
def averaged(x, kernel, stride=2):
    count = transposed_conv2d(torch.ones_like(x), torch.ones_like(kernel), stride)
    return transposed_conv2d(x, kernel, stride) / count.clamp(min=1)


@misconception(
    "the larger value wins in overlaps",
    "Where stamps overlap you keep the larger value. Then the result is no longer linear in `x`, and what the "
    "other pixel gave is lost. Look at how a stamp meets what is there already.",
)
def largest(x, kernel, stride=2):
    k, out = len(kernel), x.new_full(_full(x, kernel, stride), -torch.inf)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            window = out[i * stride : i * stride + k, j * stride : j * stride + k]
            out[i * stride : i * stride + k, j * stride : j * stride + k] = torch.maximum(window, x[i, j] * kernel)
    return torch.where(out.isinf(), 0, out)


@misconception(
    "the output is cut at stride times the input",
    "Your output is exactly `stride` times the input, so the part of the last stamps that reaches further is cut off. "
    "That only fits a kernel as large as the stride. Look at where the last stamp begins and how long it is.",
)
def cut(x, kernel, stride=2):
    height, width = x.shape[0] * stride, x.shape[1] * stride
    rows, columns = range(0, height, stride), range(0, width, stride)
    return _stamped(x, kernel, rows, columns, (height, width))


@misconception(
    "the stamps stand side by side",
    "You put each stamp next to the one before, a whole kernel apart, whatever the stride. Nothing ever overlaps. "
    "Look at which number the start of a stamp is multiplied by.",
)
def side_by_side(x, kernel, stride=2):
    return transposed_conv2d(x, kernel, len(kernel))


@misconception(
    "the stride is ignored",
    "Your stamps move one pixel at a time, so the output is hardly larger than the input. Look at where `stride` "
    "enters your slices and your output size.",
)
def stride_ignored(x, kernel, stride=2):
    return transposed_conv2d(x, kernel, 1)


@misconception(
    "the stride is always 2",
    "Any stride other than 2 gives the same result as 2. Look for a 2 in your code that should be the argument.",
)
def stride_fixed(x, kernel, stride=2):
    return transposed_conv2d(x, kernel, 2)


@misconception(
    "the stride only along the rows",
    "The stride moves the stamps down, but sideways they move one pixel at a time. Look at the second index of your "
    "slices.",
)
def stride_one_way(x, kernel, stride=2):
    shape = (x.shape[0] - 1) * stride + len(kernel), x.shape[1] - 1 + len(kernel)
    return _stamped(x, kernel, range(0, x.shape[0] * stride, stride), range(x.shape[1]), shape)


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


@misconception(
    "stride zeros between the pixels",
    "Your pixels lie `stride + 1` apart: you put `stride` zeros between two of them. From one pixel to the next it is "
    "`stride` steps. Count the zeros between two stamps' starts.",
)
def one_zero_too_many(x, kernel, stride=2):
    return transposed_conv2d(x, kernel, stride + 1)


@misconception(
    "enlarged by repetition, then convolved",
    "You enlarged `x` by repeating pixels and convolved that. It is a way to go up, the one called *nearest*, and the "
    "kernel then sees each value `stride` times. A transposed convolution has nothing but the stamps: look at how "
    "often you use each pixel.",
)
def repeated(x, kernel, stride=2):
    return _convolved(upsample_nearest(x[None, None], stride)[0, 0], kernel, padding=len(kernel) - 1)


@misconception(
    "the output is one pixel too long",
    "Your output has a row and a column of zeros too many, at the bottom and on the right. The first stamp starts at 0 "
    "and the last one at `(H - 1) * stride`: look at the size you begin with.",
)
def too_long(x, kernel, stride=2):
    return F.pad(transposed_conv2d(x, kernel, stride), (0, 1, 0, 1))


@misconception(
    "rows and columns of the output exchanged",
    "Your output comes out with rows and columns exchanged. Look at the order of the two loops and of the two indices "
    "of the slice.",
)
def exchanged(x, kernel, stride=2):
    return transposed_conv2d(x, kernel.T, stride).T


@misconception(
    "the last pixels are left out",
    "The last row and the last column of `x` stamp nothing: the output has zeros there. Look at where your loops end.",
)
def last_left_out(x, kernel, stride=2):
    out, k = x.new_zeros(_full(x, kernel, stride)), len(kernel)
    for i in range(x.shape[0] - 1):
        for j in range(x.shape[1] - 1):
            out[i * stride : i * stride + k, j * stride : j * stride + k] += x[i, j] * kernel
    return out


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


@variant("one shifted layer for each weight of the kernel")
def by_weights(x, kernel, stride=2):
    out, (h, w) = torch.zeros(_full(x, kernel, stride)), x.shape
    for u in range(kernel.shape[0]):
        for v in range(kernel.shape[1]):
            out[u : u + (h - 1) * stride + 1 : stride, v : v + (w - 1) * stride + 1 : stride] += kernel[u, v] * x
    return out


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
    height, width = _full(x, kernel, stride)
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


@variant("rows first, then columns, as matrix products")
def separable(x, kernel, stride=2):
    k = len(kernel)
    out = 0
    down = [torch.zeros((x.shape[0] - 1) * stride + k, x.shape[0]) for _ in range(k)]
    across = [torch.zeros(x.shape[1], (x.shape[1] - 1) * stride + k) for _ in range(k)]
    for u in range(k):
        down[u][torch.arange(x.shape[0]) * stride + u, torch.arange(x.shape[0])] = 1
        across[u][torch.arange(x.shape[1]), torch.arange(x.shape[1]) * stride + u] = 1
    for u in range(k):
        for v in range(k):
            out = out + kernel[u, v] * (down[u] @ x @ across[v])
    return out
