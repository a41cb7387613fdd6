"""Lesson 05: `max_pool2x2(x)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.encoder import max_pool2x2


@exercise(
    max_pool2x2,
    lesson="05_encoder",
    concept="Pooling",
    points=3,
    minutes=8,
    difficulty=2,
    hints=[
        "Each value of the result comes from four of the input: which four for the value in row 1, column 2?",
        "`x[:, :, 0::2, 0::2]` holds the upper left pixel of every window. Which three slices hold the others, and "
        "what do you do with four tensors of one shape?",
        "With an odd side the four slices differ in size. Cut the odd row or column off first: `2 * (H // 2)` rows "
        "remain.",
    ],
    task=(
        "Max pooling over 2×2 windows that lie side by side: from `(N, C, H, W)` to `(N, C, H // 2, W // 2)`, each "
        "value the largest of its four. The last row or column of an odd side is left out. By hand: no pooling from "
        "a library."
    ),
    forbidden=(
        "max_pool1d",
        "max_pool2d",
        "max_pool3d",
        "max_pool1d_with_indices",
        "max_pool2d_with_indices",
        "max_pool3d_with_indices",
        "adaptive_max_pool1d",
        "adaptive_max_pool2d",
        "adaptive_max_pool3d",
        "fractional_max_pool2d",
        "fractional_max_pool3d",
        "quantized_max_pool2d",
        "mkldnn_max_pool2d",
        "lp_pool2d",
        "block_reduce",
        "maximum_filter",
        "maximum_filter1d",
        "rank_filter",
        "grey_dilation",
        "dilation",
    ),
)
def probes(draw):
    """The largest value stands in another corner of each window; negative values, several channels, odd sides.

    Whoever forgets odd sides fails there in whatever function brings the pixels of a window together.
    """
    yield (torch.tensor([[5.0, 1, 2, 7], [0, 3, 4, 6], [1, 2, 9, 0], [4, 8, 3, 10]])[None, None],)
    yield (torch.tensor([[-4.0, -2, -7, -1, -3, -9], [-3, -8, -5, -6, -9, -2]])[None, None],)
    yield (torch.stack([draw.positions(4, 6), -draw.positions(4, 6)])[None],)
    yield (draw.normal(1, 1, 2, 2),)
    yield (draw.normal(2, 3, 4, 6),)
    yield (draw.normal(draw.size(2, 3), draw.size(2, 4), 2 * draw.size(2, 5), 2 * draw.size(2, 5)) - 3,)
    yield (draw.normal(1, 2, 5, 6),)
    yield (draw.normal(1, 2, 8, 5),)  # higher than wide
    yield (draw.normal(2, 1, 3, 5),)
    yield (draw.normal(2, 2, draw.size(4, 11), 2 * draw.size(2, 5) + 1) - 3,)


edit = edits_of(max_pool2x2)


def _even(x):
    return x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]


edit(
    "mean instead of maximum",
    "You average the four pixels. That is average pooling: it blurs, where the maximum keeps the strongest answer. "
    "Look at what you do with the four.",
    ("amax", "mean"),
)

edit(
    "minimum instead of maximum",
    "You keep the smallest of the four pixels. Look at your comparison.",
    ("amax", "amin"),
)

edit(
    "sum instead of maximum",
    "You add the four pixels up. Look at what you do with the four.",
    ("amax", "sum"),
)

edit(
    "every second pixel",
    "You keep the upper left pixel of each window and never look at the other three. "
    "Look at what happens to the pixels that your slice steps over.",
    (", 2, w, 2)", ", 2, w, 2)[:, :, :, :1, :, :1]"),
)

edit(
    "one diagonal only",
    "You compare two of the four pixels, those on a diagonal of the window. A peak in one of the other two corners is "
    "lost. Look at how many slices you take the maximum of.",
    (", 2, w, 2)", ", 2, w, 2).diagonal(dim1=3, dim2=5).unsqueeze(3)"),
)

edit(
    "the upper two pixels only",
    "You compare the two upper pixels of each window, and a peak in its lower row is lost. Look at how many pixels "
    "each maximum is taken over.",
    (", 2, w, 2)", ", 2, w, 2)[:, :, :, :1]"),
)

edit(
    "the two pixels on the left only",
    "You compare the two pixels on the left of each window, and a peak in its right column is lost. Look at how many "
    "pixels each maximum is taken over.",
    (", 2, w, 2)", ", 2, w, 2)[..., :1]"),
)

edit(
    "overlapping windows",
    "Your windows move by one pixel, so they overlap and the result is nearly as large as the input. Windows that lie "
    "side by side move by their own width. Look at the step of your loop or your `unfold`.",
    ("x[:, :, : 2 * h, : 2 * w].reshape(n, c, h, 2, w, 2)", "x.unfold(2, 2, 1).unfold(3, 2, 1)"),
    ("(3, 5)", "(4, 5)"),
)

edit(
    "windows one pixel apart",
    "Your result has the right size, but the windows behind it are one pixel apart: you look at the upper left part "
    "of the image and never at the rest. Look at how the position in the result becomes a position in the image.",
    ("x[:, :, : 2 * h, : 2 * w].reshape(n, c, h, 2, w, 2)", "x.unfold(2, 2, 1).unfold(3, 2, 1)[:, :, :h, :w]"),
    ("(3, 5)", "(4, 5)"),
)


@misconception(
    "3×3 windows",
    "Your windows are three pixels wide and overlap, so a peak appears in more than one value of the result. "
    "Look at how many pixels each maximum is taken over.",
)
def three_by_three(x):
    padded = F.pad(_even(x), (1, 0, 1, 0), value=-torch.inf)
    return padded.unfold(2, 3, 2).unfold(3, 3, 2).amax(dim=(4, 5))


@misconception(
    "windows begin one pixel late",
    "Your first window begins at row 1 and column 1, so the outermost row and column are never looked at. "
    "Look at the start of your slices.",
)
def shifted(x):
    padded = F.pad(_even(x)[:, :, 1:, 1:], (0, 1, 0, 1), value=-torch.inf)
    return max_pool2x2(padded)


edit(
    "windows of one row",
    "You take the maximum of four neighbours in one row, or of pixels that do not form a square: a `view` that "
    "splits only the end of the shape cuts the rows of the image into pieces. Each side has to be split by itself, "
    "into pairs. Look at the order of the sizes in your `view`.",
    (".reshape(n, c, h, 2, w, 2)", ".reshape(n, c, h, w, 4)"),
    ("(3, 5)", "4"),
)

edit(
    "distant pixels compared",
    "You split each side into two halves and compare pixels that lie half an image apart. The pixels of a window are "
    "neighbours. Look at the order of `2` and `H // 2` in your `reshape`.",
    ("h, 2, w, 2)", "2, h, 2, w)"),
    ("(3, 5)", "(2, 4)"),
)

edit(
    "maximum over the windows",
    "Your result is 2×2 for every image: you take the maximum over all windows and keep the place inside the window. "
    "Look at which dimensions of your `reshape` count the windows, and which the pixels in one.",
    ("(3, 5)", "(2, 4)"),
)

edit(
    "height only",
    "You halve the height and leave the width as it is. Look at the second direction.",
    (", : 2 * w]", "]"),
    ("2, w, 2)", "2, w)"),
    ("(3, 5)", "3"),
    ("h, w = h // 2, w // 2", "h = h // 2"),
)

edit(
    "width only",
    "You halve the width and leave the height as it is. Look at the second direction.",
    (", : 2 * h,", ", :,"),
    ("h, 2, w, 2)", "h, w, 2)"),
    ("(3, 5)", "4"),
    ("h, w = h // 2, w // 2", "w = w // 2"),
)


@misconception(
    "odd sides kept",
    "With an odd side your result has one row or column more: what is left over got a window of its own. The task "
    "leaves it out, as PyTorch does, so 5 becomes 2 and not 3. Look at how you round half a side.",
)
def rounded_up(x):
    h, w = x.shape[2] % 2, x.shape[3] % 2
    return max_pool2x2(F.pad(x, (0, w, 0, h), value=-torch.inf))


@misconception(
    "odd sides filled with zeros",
    "You fill up an odd side with zeros, and the zeros take part in the maximum: among negative values they win. "
    "A row or column that is left over has no window here. Look at what you do before the pooling.",
)
def filled_up(x):
    h, w = x.shape[2] % 2, x.shape[3] % 2
    return max_pool2x2(F.pad(x, (0, w, 0, h)))


edit(
    "first row left out",
    "With an odd side you leave out the first row or column and not the last, so every window is shifted by a pixel. "
    "Look at which end you cut.",
    ("x[:, :, : 2 * h, : 2 * w]", "x[:, :, x.shape[2] % 2 :, x.shape[3] % 2 :]"),
)

edit(
    "last window missing",
    "With an even side your result lacks its last row or column: the last window ends exactly at the border and still "
    "fits. Look at where your loop or your slice ends.",
    ("h // 2, w // 2", "(h - 1) // 2, (w - 1) // 2"),
)

edit(
    "even sides only",
    "An odd side makes your function fail. Real images have any size, and half of 5 is 2 here. "
    "Look at what has to go before the image is cut into windows.",
    ("x[:, :, : 2 * h, : 2 * w]", "x"),
    any_error=True,
)

edit(
    "maximum begins at 0",
    "Your maximum begins at 0, so windows with negative values only give 0. Right after a ReLU nobody would notice. "
    "Look at what your result is filled with before the comparison.",
    ("(3, 5))", "(3, 5)).clamp(min=0)"),
)

edit(
    "largest magnitude",
    "You compare the values without their signs, so a -9 wins over a 5. The maximum is the largest value. "
    "Look for `abs` or a square.",
    ("return windows.", "return windows.abs()."),
)

edit(
    "the value farthest from zero",
    "You compare the values without their signs, so a -9 wins over a 5. The maximum is the largest value. Look for "
    "`abs` or a square.",
    (
        "return windows.amax(dim=(3, 5))",
        "high, low = windows.amax(dim=(3, 5)), windows.amin(dim=(3, 5))\n    return high.where(high >= -low, low)",
    ),
)

edit(
    "maximum over the channels too",
    "You take the maximum over the channels as well, so one channel comes out. Every channel is pooled for itself. "
    "Look at the dimensions that your maximum runs over.",
    ("(3, 5))", "(3, 5)).amax(dim=1, keepdim=True)"),
)

edit(
    "dimensions of length 1 lost",
    "With one image, one channel or a result one pixel wide, your result loses that dimension; four are promised. "
    "Look for a `squeeze`: name the dimensions that it may take away.",
    ("(3, 5))", "(3, 5)).squeeze()"),
)

edit(
    "one maximum for each channel",
    "You take the maximum over the whole image. That is global pooling: one number for each channel, and no image "
    "left. Look at how many pixels each maximum is taken over.",
    ("windows.amax(dim=(3, 5))", "x.amax(dim=(2, 3), keepdim=True)"),
)

edit(
    "only the first image",
    "You pool the first image of the batch and leave the others out. Look at where the dimension `N` is lost.",
    ("n, c, h, w = x.shape", "x = x[:1]\n    n, c, h, w = x.shape"),
)

edit(
    "only the first channel",
    "You pool the first channel and leave the others out. Look at where the dimension `C` is lost.",
    ("n, c, h, w = x.shape", "x = x[:, :1]\n    n, c, h, w = x.shape"),
)

edit(
    "height and width exchanged",
    "Your image lies on its side: height and width are exchanged in the result, which no square image would show. "
    "Look at which size belongs to which loop or which dimension.",
    ("(3, 5))", "(3, 5)).mT"),
)

edit(
    "positions instead of values",
    "You return *where* the maximum is in each window and not how large it is. "
    "Look at what `max` gives with a `dim`, or at `argmax`.",
    ("amax(dim=(3, 5))", "transpose(3, 4).flatten(4).argmax(dim=4)"),
)

edit(
    "values and positions",
    "You return a pair: the values and their positions. `max` with a `dim` gives both. Look at what you take from it.",
    ("windows.amax(dim=(3, 5))", "tuple(windows.transpose(3, 4).flatten(4).max(dim=4))"),
)


@misconception(
    "pooled twice",
    "Your windows are 4×4: the sides come out a quarter as long. Look at the width of your windows, and at whether you "
    "pool what has been pooled.",
)
def twice(x):
    return F.pad(x, (0, 2, 0, 2), value=-torch.inf).unfold(2, 4, 4).unfold(3, 4, 4).amax(dim=(4, 5))


@misconception(
    "library pooling",
    "The numbers are right, and a library made them: your answer calls PyTorch's own max pooling. This exercise is "
    "about what happens inside. Look at how slices with a step, or a `reshape`, bring the four pixels of a window "
    "together.",
)
def library(x):
    return F.max_pool2d(x, 2)


@variant("loops over the windows")
def loops(x):
    n, c, h, w = x.size()
    result = torch.empty(n, c, h // 2, w // 2)
    for i in range(h // 2):
        for j in range(w // 2):
            result[:, :, i, j] = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].flatten(2).amax(2)
    return result


@variant("loops over everything, with lists")
def lists(x):
    n, c, h, w = x.shape
    values = x.tolist()
    return torch.tensor(
        [
            [
                [
                    [
                        max(values[i][k][2 * r + a][2 * s + b] for a in (0, 1) for b in (0, 1))
                        for s in range(w // 2)
                    ]
                    for r in range(h // 2)
                ]
                for k in range(c)
            ]
            for i in range(n)
        ]
    )  # fmt: skip


@variant("with numpy")
def with_numpy(x):
    a = np.asarray(x)
    a = a[..., : a.shape[2] // 2 * 2, : a.shape[3] // 2 * 2]
    return torch.as_tensor(np.maximum.reduce([a[..., i::2, j::2] for i in range(2) for j in range(2)]))
