"""Lesson 05: `max_pool2x2(x)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises import exercise, misconception, variant
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
    """The largest value stands in another corner of each window; negative values, odd sides, several channels."""
    yield (torch.tensor([[5.0, 1, 2, 7], [0, 3, 4, 6], [1, 2, 9, 0], [4, 8, 3, 10]])[None, None],)
    yield (torch.tensor([[-4.0, -2, -7, -1, -3, -9], [-3, -8, -5, -6, -9, -2]])[None, None],)
    yield (torch.stack([draw.positions(4, 6), -draw.positions(4, 6)])[None],)
    yield (draw.normal(1, 1, 2, 2),)
    yield (draw.normal(2, 3, 4, 6),)
    yield (draw.normal(1, 2, 5, 6),)
    yield (draw.normal(1, 2, 8, 5),)  # higher than wide
    yield (draw.normal(2, 1, 3, 5),)
    yield (draw.normal(draw.size(2, 3), draw.size(2, 4), draw.size(4, 11), draw.size(4, 11)) - 3,)


def _even(x):
    return x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]


def _corners(x):
    x = _even(x)
    return torch.stack([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)])


@misconception(
    "mean instead of maximum",
    "You average the four pixels. That is average pooling: it blurs, where the maximum keeps the strongest answer. "
    "Look at what you do with the four.",
)
def mean(x):
    return _corners(x).mean(dim=0)


@misconception(
    "minimum instead of maximum",
    "You keep the smallest of the four pixels. Look at your comparison.",
)
def minimum(x):
    return _corners(x).amin(dim=0)


@misconception(
    "sum instead of maximum",
    "You add the four pixels up. Look at what you do with the four.",
)
def total(x):
    return _corners(x).sum(dim=0)


@misconception(
    "every second pixel",
    "You keep the upper left pixel of each window and never look at the other three. "
    "Look at what happens to the pixels that your slice steps over.",
)
def every_second(x):
    return _corners(x)[0].clone()


@misconception(
    "one diagonal only",
    "You compare two of the four pixels, those on a diagonal of the window. A peak in one of the other two corners is "
    "lost. Look at how many slices you take the maximum of.",
)
def diagonal(x):
    return _corners(x)[[0, 3]].amax(dim=0)


@misconception(
    "overlapping windows",
    "Your windows move by one pixel, so they overlap and the result is nearly as large as the input. Windows that lie "
    "side by side move by their own width. Look at the step of your loop or your `unfold`.",
)
def overlapping(x):
    return x.unfold(2, 2, 1).unfold(3, 2, 1).amax(dim=(4, 5))


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
    return _corners(padded).amax(dim=0)


@misconception(
    "windows of one row",
    "You take the maximum of four neighbours in one row, or of pixels that are no square: a `view` that splits only "
    "the end of the shape cuts the rows of the image into pieces. Each side has to be split by itself, into pairs. "
    "Look at the order of the sizes in your `view`.",
)
def wrong_view(x):
    x = _even(x)
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, w // 2, 4).amax(dim=4)


@misconception(
    "distant pixels compared",
    "You split each side into two halves and compare pixels that lie half an image apart. The pixels of a window are "
    "neighbours. Look at the order of `2` and `H // 2` in your `reshape`.",
)
def halves_compared(x):
    x = _even(x)
    n, c, h, w = x.shape
    return x.reshape(n, c, 2, h // 2, 2, w // 2).amax(dim=(2, 4))


@misconception(
    "height only",
    "You halve the height and leave the width as it is. Look at the second direction.",
)
def height_only(x):
    x = x[:, :, : x.shape[2] // 2 * 2]
    return torch.maximum(x[:, :, 0::2], x[:, :, 1::2])


@misconception(
    "width only",
    "You halve the width and leave the height as it is. Look at the second direction.",
)
def width_only(x):
    x = x[..., : x.shape[3] // 2 * 2]
    return torch.maximum(x[..., 0::2], x[..., 1::2])


@misconception(
    "odd sides kept",
    "With an odd side your result has one row or column more: what is left over got a window of its own. The task "
    "leaves it out, as PyTorch does, so 5 becomes 2 and not 3. Look at how you round half a side.",
)
def rounded_up(x):
    h, w = x.shape[2] % 2, x.shape[3] % 2
    return _corners(F.pad(x, (0, w, 0, h), value=-torch.inf)).amax(dim=0)


@misconception(
    "odd sides filled with zeros",
    "You fill up an odd side with zeros, and the zeros take part in the maximum: among negative values they win. "
    "A row or column that is left over has no window here. Look at what you do before the pooling.",
)
def filled_up(x):
    h, w = x.shape[2] % 2, x.shape[3] % 2
    return _corners(F.pad(x, (0, w, 0, h))).amax(dim=0)


@misconception(
    "first row left out",
    "With an odd side you leave out the first row or column and not the last, so every window is shifted by a pixel. "
    "Look at which end you cut.",
)
def cut_at_the_front(x):
    return max_pool2x2(x[:, :, x.shape[2] % 2 :, x.shape[3] % 2 :])


@misconception(
    "even sides only",
    "An odd side makes your function fail. Real images have any size, and half of 5 is 2 here. "
    "Look at what has to go before the image is cut into windows.",
)
def even_only(x):
    if x.shape[2] % 2 or x.shape[3] % 2:
        raise RuntimeError("a shape that cannot be viewed so")
    return max_pool2x2(x)


@misconception(
    "maximum begins at 0",
    "Your maximum begins at 0, so windows with negative values only give 0. Right after a ReLU nobody would notice. "
    "Look at what your result is filled with before the comparison.",
)
def from_zero(x):
    return max_pool2x2(x).clamp(min=0)


@misconception(
    "largest magnitude",
    "You compare the values without their signs, so a -9 wins over a 5. The maximum is the largest value. "
    "Look for `abs` or a square.",
)
def magnitude(x):
    return max_pool2x2(x.abs())


@misconception(
    "maximum over the channels too",
    "You take the maximum over the channels as well, so one channel comes out. Every channel is pooled for itself. "
    "Look at the dimensions that your maximum runs over.",
)
def over_channels(x):
    return max_pool2x2(x).amax(dim=1, keepdim=True)


@misconception(
    "one maximum for each channel",
    "You take the maximum over the whole image. That is global pooling: one number for each channel, and no image "
    "left. Look at how many pixels each maximum is taken over.",
)
def whole_image(x):
    return x.amax(dim=(2, 3), keepdim=True)


@misconception(
    "only the first image",
    "You pool the first image of the batch and leave the others out. Look at where the dimension `N` is lost.",
)
def first_only(x):
    return max_pool2x2(x[:1])


@misconception(
    "only the first channel",
    "You pool the first channel and leave the others out. Look at where the dimension `C` is lost.",
)
def first_channel(x):
    return max_pool2x2(x[:, :1])


@misconception(
    "height and width exchanged",
    "Your image lies on its side: height and width are exchanged in the result, which no square image would show. "
    "Look at which size belongs to which loop or which dimension.",
)
def on_its_side(x):
    return max_pool2x2(x).transpose(2, 3).contiguous()


@misconception(
    "positions instead of values",
    "You return *where* the maximum is in each window and not how large it is. "
    "Look at what `max` gives with a `dim`, or at `argmax`.",
)
def positions(x):
    return _corners(x).argmax(dim=0)


@misconception(
    "values and positions",
    "You return a pair: the values and their positions. `max` with a `dim` gives both. Look at what you take from it.",
)
def both(x):
    return tuple(_corners(x).max(dim=0))


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


@variant("four slices")
def four_slices(x):
    h, w = x.shape[-2] // 2 * 2, x.shape[-1] // 2 * 2
    top = torch.maximum(x[:, :, 0:h:2, 0:w:2], x[:, :, 0:h:2, 1:w:2])
    bottom = torch.maximum(x[:, :, 1:h:2, 0:w:2], x[:, :, 1:h:2, 1:w:2])
    return torch.maximum(top, bottom)


@variant("with unfold")
def unfolded(x):
    return x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).max(dim=-1).values


@variant("rows first, then columns")
def one_side_after_the_other(x):
    n, c, h, w = x.shape
    rows = x[:, :, : h - h % 2].reshape(n, c, h // 2, 2, w).max(3)[0]
    return rows[..., : w - w % 2].reshape(n, c, h // 2, w // 2, 2).max(4)[0]


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
