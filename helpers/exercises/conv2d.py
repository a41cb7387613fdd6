"""Lesson 04: `conv2d(image, kernel, bias=0.0, stride=1, padding=0)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.checks.shared import CONVOLUTIONS
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.convolution import conv2d


@exercise(
    conv2d,
    lesson="04_convolution",
    concept="Convolution",
    points=5,
    minutes=14,
    difficulty=3,
    hints=[
        "Take one value of the result first: which square of the image does it come from, and what is done with that "
        "square and the kernel?",
        "Put the image into the middle of a tensor of zeros that is `padding` larger on each of the four sides. From "
        "there on padding is no longer a special case.",
        "Row `i` of the result comes from the rows `i * stride` to `i * stride + k` of the padded image, and columns "
        "go the same way. Windows that would reach past the end are left out: how many are there in each direction?",
    ],
    task=(
        "From an image `(H, W)` and a kernel `(k, k)`, the sum of the products at every place of the kernel, plus "
        "`bias`; the kernel is not flipped. `stride` is the step from one window to the next in both directions, "
        "`padding` the number of zeros put around each side first. By hand: no convolution from a library."
    ),
    forbidden=CONVOLUTIONS,
)
def probes(draw):
    """Whole numbers first, to be worked out on paper; then one thing at a time, then everything at once.

    The kernel fits into every image even without padding and after thinning it by the stride, so that a wrong answer
    shows its numbers and not an exception. All are small, and the larger ones are not watched for library functions:
    looking for two mistakes runs many loops over windows.
    """
    image = torch.tensor([[1.0, 0, 2, 1], [0, 3, 1, 0], [2, 1, 0, 1]])
    kernel = torch.tensor([[1.0, 2], [0, -1]])
    yield image, kernel
    yield Call((image[1:, :3].clone(), kernel), {"padding": 1})
    yield Call((image, kernel), {"stride": 2})
    one = torch.zeros(3, 3)
    one[0, 2] = 1  # copies the pixel above and to the right: a flip or a transposition takes another one
    yield draw.positions(4, 5), one
    impulse = torch.zeros(4, 3)
    impulse[2, 1] = 1  # the kernel appears around it
    yield Call((impulse, torch.arange(1.0, 10).reshape(3, 3)), {"padding": 1})
    yield Call((draw.positions(4, 3), torch.tensor([[draw.uniform(0.5, 2)]])), {"bias": 1.5, "stride": 2})
    # the last windows do not fit
    yield draw.normal(9, 7), draw.normal(2, 2), 0.0, 3, 1
    yield draw.normal(7, 9), draw.normal(3, 3), -0.7, 3, 2
    for k, stride in ((draw.size(2, 3), 1), (draw.size(2, 4), draw.size(2, 3))):
        h, w = k * stride + draw.size(0, 1), k * stride + draw.size(2, 3)
        bias, padding = draw.uniform(0.2, 2), draw.size(1, min(stride, 2))
        yield draw.normal(h, w), draw.normal(k, k), bias, stride, padding


edit = edits_of(conv2d)


def _padded(image, padding, mode="constant"):
    return F.pad(image[None], (padding,) * 4, mode=mode)[0]


edit(
    "kernel flipped",
    "You turn the kernel by 180° before you multiply. That is convolution as mathematics defines it; what networks "
    "call convolution leaves the kernel as it is, and with your version an edge filter answers to the opposite edge. "
    "Look at the order in which you read the kernel.",
    ("window * kernel", "window * kernel.flip(0, 1)"),
)

edit(
    "kernel transposed",
    "Rows and columns of your kernel are exchanged, so a filter for upright edges finds lying ones. "
    "Look at which index of the kernel goes with which index of the image.",
    ("window * kernel", "window * kernel.T"),
)

edit(
    "stride ignored",
    "Your result is the same for every `stride`: the window always moves by one pixel. A stride of 2 is what makes "
    "the result half as large. Look at where `stride` enters, in the size of the result and in where a window begins.",
    ("k = kernel.shape[0]", "k, stride = kernel.shape[0], 1"),
)

edit(
    "stride in one direction only",
    "Your windows move by `stride` down the rows but by one pixel along the columns, so the result is stretched. "
    "Look at both loops, or at both of your slices.",
    ("padded.shape[1] - k + 1, stride", "padded.shape[1] - k + 1"),
)

edit(
    "stride along the columns only",
    "Your windows move by `stride` along the columns but by one pixel down the rows, so the result is stretched. Look "
    "at both loops, or at both of your slices.",
    ("padded.shape[0] - k + 1, stride", "padded.shape[0] - k + 1"),
)

edit(
    "windows one pixel apart",
    "Your result has the size that the stride asks for, but the windows behind it are one pixel apart: you compute the "
    "upper left part of the image and never see the rest. Look at how the position in the result becomes a position "
    "in the image.",
    ("padded[top : top + k, left : left + k]", "padded[i : i + k, j : j + k]"),
)

edit(
    "results written a stride apart",
    "You write each value to the place where its window begins, so with a stride above 1 the result is too large and "
    "has gaps of zeros. Look at the index on the left of your assignment.",
    ("new_zeros(len(rows), len(columns))", "new_zeros(padded.shape[0] - k + 1, padded.shape[1] - k + 1)"),
    ("output[i, j]", "output[top, left]"),
)

edit(
    "image thinned before the kernel",
    "You take every `stride`-th pixel of the image first and then convolve what is left. The pixels in between are "
    "thrown away without ever being looked at. Look at whether the stride spaces the windows or the pixels inside "
    "a window.",
    (" = image\n", " = image\n    padded, stride = padded[::stride, ::stride], 1\n"),
)

edit(
    "padding ignored",
    "Your result is the same for every `padding`: the border gets no zeros, and the result shrinks. "
    "Look at where `padding` enters before the first window.",
    ("k = kernel.shape[0]", "k, padding = kernel.shape[0], 0"),
)

edit(
    "padding always half the kernel",
    "You pad by half the kernel whatever `padding` says, so the result is always about as large as the image. Here "
    "the default is without padding, and the result is smaller. Look at where the number of zeros comes from.",
    ("k = kernel.shape[0]", "k, padding = kernel.shape[0], kernel.shape[0] // 2"),
)

edit(
    "padding counted once",
    "Each direction has grown by `padding` only once, so the windows at the right and at the lower border are missing. "
    "The zeros go on all four sides. Look at where you put them, and at the `2 *` in the number of windows.",
    ("height + 2 * padding, width + 2 * padding", "height + padding, width + padding"),
)

edit(
    "padding counted once, at the end",
    "Your image gets zeros below and to the right, but none above and to the left, so the windows at the upper and at "
    "the left border are missing. Look at where you put the image, and at the `2 *` in the size.",
    ("height + 2 * padding, width + 2 * padding", "height + padding, width + padding"),
    ("padded[padding : padding + height, padding : padding + width] = image", "padded[:height, :width] = image"),
)

edit(
    "padding below and to the right",
    "Your padded image has the right size, but the image lies in its upper left corner instead of in the middle: every "
    "result is shifted by `padding`. Look at where you put the image.",
    ("padded[padding : padding + height, padding : padding + width] = image", "padded[:height, :width] = image"),
)

edit(
    "padding in one direction only",
    "Your image gets zeros to the left and to the right, but none above and below. "
    "Look at which of the two sides you make longer.",
    ("height + 2 * padding", "height"),
    ("padded[padding : padding + height, ", "padded[:, "),
)

edit(
    "padding above and below only",
    "Your image gets zeros above and below, but none to the left and to the right. Look at which of the two sides you "
    "make longer.",
    ("width + 2 * padding", "width"),
    (", padding : padding + width]", "]"),
)


@misconception(
    "border repeated instead of zeros",
    "You continue the image beyond its border with the outermost pixels. The task asks for zeros there. "
    "Look at what your padding is filled with.",
)
def replicated(image, kernel, bias=0.0, stride=1, padding=0):
    return conv2d(_padded(image, padding, "replicate"), kernel, bias, stride)


@misconception(
    "border mirrored instead of zeros",
    "You continue the image beyond its border as in a mirror. The task asks for zeros there. "
    "Look at the mode of your padding.",
)
def reflected(image, kernel, bias=0.0, stride=1, padding=0):
    return conv2d(_padded(image, padding, "reflect"), kernel, bias, stride)


@misconception(
    "zeros around the result",
    "You convolve the bare image and put the zeros around the *result*. Padding belongs to the image: the windows "
    "at the border reach into it and give values of their own. Look at what you pad, and when.",
)
def result_padded(image, kernel, bias=0.0, stride=1, padding=0):
    return _padded(conv2d(image, kernel, bias, stride), padding)


edit(
    "bias ignored",
    "Your result is the same for every `bias`. A kernel alone gives 0 on a black image, whatever its weights; the bias "
    "is what can lift it. Look at what you do after the sum.",
    (" + bias", ""),
)

edit(
    "bias added for each weight",
    "You add the bias to every product, so it arrives `k * k` times in each sum. It counts once for each value of the "
    "result. Look at whether it is added inside the sum or after it.",
    ("(window * kernel).sum() + bias", "(window * kernel + bias).sum()"),
)

edit(
    "bias added to the image",
    "You add the bias to the pixels, so it is multiplied by the kernel like they are. It belongs to the result. "
    "Look at where it enters.",
    ("(window * kernel).sum() + bias", "((window + bias) * kernel).sum()"),
)

edit(
    "bias added before the padding",
    "You add the bias to the pixels of the image, so it is multiplied by the kernel like they are, and the zeros "
    "around them get none. It belongs to the result. Look at where it enters.",
    (" = image\n", " = image + bias\n"),
    (".sum() + bias", ".sum()"),
)

edit(
    "last window missing",
    "Your result lacks its last row and its last column: the last window ends exactly at the border and still fits. "
    "Look at the end of your ranges, and at the `+ 1` in the number of windows.",
    ("padded.shape[0] - k + 1, stride", "padded.shape[0] - k, stride"),
    ("padded.shape[1] - k + 1, stride", "padded.shape[1] - k, stride"),
)

edit(
    "the + 1 is missing",
    "Your result has one row and one column too few at every stride: you count the steps from window to window, and "
    "there is one window more than steps. Look at the number of windows.",
    ("padded.shape[0] - k + 1, stride)", "padded.shape[0] - k + 1, stride)[:-1]"),
    ("padded.shape[1] - k + 1, stride)", "padded.shape[1] - k + 1, stride)[:-1]"),
)

edit(
    "a window too many",
    "Where the stride does not divide evenly, your result has one row or column more: its window reaches over the "
    "border of the padded image. Windows that do not fit are left out. Look at how you round the number of windows.",
    ("padded.shape[0] - k + 1, stride", "padded.shape[0] - k + stride, stride"),
    ("padded.shape[1] - k + 1, stride", "padded.shape[1] - k + stride, stride"),
    ("window * kernel", "window * kernel[: window.shape[0], : window.shape[1]]"),
)

edit(
    "windows beyond the border",
    "You begin a window at every place of the padded image, even where the kernel no longer fits, so the last windows "
    "reach over the border. The last one begins `k` pixels before the end. Look at where your loops stop.",
    ("padded.shape[0] - k + 1, stride", "padded.shape[0], stride"),
    ("padded.shape[1] - k + 1, stride", "padded.shape[1], stride"),
)

edit(
    "windows counted without the padding",
    "You pad the image, but count the windows by the size it had before, so the lower and right border of the result "
    "are missing. Look at which height and width your loops use.",
    ("padded.shape[0] - k", "height - k"),
    ("padded.shape[1] - k", "width - k"),
)

edit(
    "mean instead of sum",
    "You average the products, so every value is `k * k` times too small. How much is added up is for the weights to "
    "decide. Look at what you do with the products of a window.",
    (".sum()", ".mean()"),
)

edit(
    "matrix product in the window",
    "You multiply window and kernel as matrices and add up the result. Each pixel is then multiplied by a whole row of "
    "weights and not by the one that lies over it. Look at `@`, `matmul` or `dot` in your window.",
    ("window * kernel", "window @ kernel"),
)

edit(
    "window and kernel summed before multiplying",
    "You multiply the sum of the window by the sum of the kernel. It no longer matters which weight lies over which "
    "pixel, so no kernel can tell an edge from a flat area. Look at the order of product and sum.",
    ("(window * kernel).sum()", "window.sum() * kernel.sum()"),
)

edit(
    "height and width exchanged",
    "Your result lies on its side: rows and columns are exchanged, which no square image would show. "
    "Look at which of your two loops, or which size, belongs to `shape[0]`.",
    ("return output", "return output.T"),
)

edit(
    "sides of the result exchanged",
    "Your result is as wide as it should be high, but its values are not turned with it. `shape` of an image gives "
    "the height first, then the width. Look at which of the two sets the number of rows.",
    ("rows = range(0, padded.shape[0]", "rows = range(0, padded.shape[1]"),
    ("columns = range(0, padded.shape[1]", "columns = range(0, padded.shape[0]"),
)

edit(
    "square images only",
    "You take one side of the image for both, so the result is square even where the image is not. "
    "Look at whether height and width are read separately.",
    ("height, width = image.shape", "height = width = min(image.shape)"),
    (" = image\n", " = image[:height, :width]\n"),
)

edit(
    "the height taken for the width",
    "You take the number of rows for the number of columns too, so the result is square even where the image is not. "
    "Look at whether height and width are read separately.",
    ("columns = range(0, padded.shape[1]", "columns = range(0, padded.shape[0]"),
)

edit(
    "values cut to whole numbers",
    "Your result has whole numbers only: the digits after the decimal point are cut off. Look at the dtype of the "
    "tensor that you write the sums to.",
    ("new_zeros(len(rows), len(columns))", "new_zeros(len(rows), len(columns), dtype=int)"),
)

edit(
    "ReLU built in",
    "Negative sums come out as 0. That is the activation, which follows a convolution in a network and is not part "
    "of it. Look at what you do with the sum.",
    ("return output", "return output.clamp(min=0)"),
)

edit(
    "batch and channel left on",
    "Your numbers are right, but the result has more dimensions than the image. What goes in has the shape `(H, W)`, "
    "and what comes out has two sides as well. Look at `unsqueeze`, `None` or a leftover 1 in your last lines.",
    ("return output", "return output[None, None]"),
)

edit(
    "sides of length 1 lost",
    "Where the result has a single row or column, it loses that dimension, and what follows no longer knows which of "
    "the two it was. Look for a `squeeze`: name the dimensions that it may take away.",
    ("return output", "return output.squeeze()"),
)

edit(
    "lists instead of a tensor",
    "Your numbers are right, but they come as lists in a list. The next step would want a tensor. "
    "Look at your `return`.",
    ("return output", "return output.tolist()"),
)


@misconception(
    "library convolution",
    "The numbers are right, and a library made them: your answer calls PyTorch's own `conv2d`. This exercise is about "
    "what happens inside that call. Look at its four ingredients, windows, products, sums and bias, and write them "
    "yourself.",
)
def library(image, kernel, bias=0.0, stride=1, padding=0):
    return F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0] + bias


@misconception(
    "library convolution as a layer",
    "You put the kernel into an `nn.Conv2d` and let it compute. It draws random weights first, which you then replace, "
    "and the sums are a library's. Look at the four ingredients, windows, products, sums and bias, and write them "
    "yourself.",
)
def library_layer(image, kernel, bias=0.0, stride=1, padding=0):
    layer = torch.nn.Conv2d(1, 1, len(kernel), stride, padding)
    layer.weight.data[:] = kernel
    layer.bias.data[:] = bias
    return layer(image[None, None])[0, 0]


@variant("one shifted image for each weight")
def by_weight(image, kernel, bias=0.0, stride=1, padding=0):
    k, (h, w) = len(kernel), image.shape
    image = F.pad(image, (padding, padding, padding, padding))
    rows, columns = (h + 2 * padding - k) // stride + 1, (w + 2 * padding - k) // stride + 1
    output = torch.full((rows, columns), float(bias))
    for a in range(k):
        for b in range(k):
            output += kernel[a, b] * image[a::stride, b::stride][:rows, :columns]
    return output


@variant("with numpy and four loops")
def four_loops(image, kernel, bias=0.0, stride=1, padding=0):
    picture, weights = np.pad(np.asarray(image, dtype=np.float64), padding), np.asarray(kernel)
    k = len(weights)
    rows, columns = ((side - k) // stride + 1 for side in picture.shape)
    result = np.full((rows, columns), bias)
    for i in range(rows):
        for j in range(columns):
            for a in range(k):
                for b in range(k):
                    result[i, j] += picture[i * stride + a, j * stride + b] * weights[a, b]
    return torch.from_numpy(result)


@variant("windows as columns of a matrix")
def as_matrix(image, kernel, bias=0.0, stride=1, padding=0):
    k, (h, w) = len(kernel), image.shape
    columns = F.unfold(image[None, None], k, padding=padding, stride=stride)[0]  # (k·k, windows)
    side = [(n + 2 * padding - k) // stride + 1 for n in (h, w)]
    return (kernel.flatten() @ columns + bias).view(side)


@variant("without padding inside, zeros by bounds")
def by_bounds(image, kernel, bias=0.0, stride=1, padding=0):
    k, (h, w) = len(kernel), image.shape
    pixels, weights = image.tolist(), kernel.tolist()
    result = []
    for top in range(-padding, h + padding - k + 1, stride):
        result.append([])
        for left in range(-padding, w + padding - k + 1, stride):
            places = [(a, b) for a in range(k) for b in range(k) if 0 <= top + a < h and 0 <= left + b < w]
            result[-1].append(sum((pixels[top + a][left + b] * weights[a][b] for a, b in places), bias))
    return torch.tensor(result)
