"""Lesson 07: `center_crop(x, size)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises import exercise, misconception, variant
from helpers.reference.padding import center_crop


@exercise(
    center_crop,
    lesson="07_skips",
    concept="Cropping",
    points=2,
    minutes=5,
    difficulty=1,
    hints=[
        "How many rows have to go, and how many of them on top?",
        "The first row to keep is half of what has to go, rounded down. The last one is `height` rows further.",
        "Two slices, one for the rows and one for the columns: `start : start + length`. Compare `size` with the shape "
        "of `x` before, and raise the error there.",
    ],
    task=(
        "The middle of `x`, shape `(N, C, H, W)`, with `size` = `(height, width)`. When an odd number of rows or "
        "columns has to go, the one left over goes at the bottom or on the right. A `size` larger than `x` in either "
        "direction raises a `ValueError`."
    ),
)
def probes(draw):
    """Every pixel tells its row and column, so that a shift can be read off; even and odd borders, sizes too large."""
    yield draw.positions(4, 6)[None, None], (2, 2)
    yield draw.positions(5, 5)[None, None], (2, 4)
    yield draw.positions(7, 4)[None, None], (4, 1)  # 3 rows go: 1 on top, 2 at the bottom
    yield draw.positions(3, 4)[None, None], (3, 4)
    yield draw.normal(2, 3, 6, 5), (5, 2)
    yield draw.normal(1, 2, 3, 4), (4, 4)
    yield draw.normal(1, 2, 4, 3), (2, 4)
    h, w = draw.size(2, 9), draw.size(2, 9)
    yield draw.positions(h + draw.size(0, 5), w + draw.size(0, 5)).expand(2, 3, -1, -1).clone(), (h, w)


def _check(x, size):
    if size[0] > x.shape[2] or size[1] > x.shape[3]:
        raise ValueError(size)


@misconception(
    "cropped at the corner",
    "You kept the top left corner, so the map is shifted against the one it shall lie on, by half of what was cut. "
    "Look at where your slices begin.",
)
def corner(x, size):
    _check(x, size)
    return x[:, :, : size[0], : size[1]]


@misconception(
    "cropped at the bottom right",
    "You kept the bottom right corner: everything that had to go went on top and on the left. "
    "Look at where your slices begin.",
)
def far_corner(x, size):
    _check(x, size)
    return x[:, :, x.shape[2] - size[0] :, x.shape[3] - size[1] :]


@misconception(
    "the row left over goes on top",
    "When an odd number of rows or columns has to go, you cut the larger part on top and on the left. It is one pixel, "
    "and a border of a nucleus is not much more. Look at how you round the half.",
)
def rounded_up(x, size):
    _check(x, size)
    top, left = (x.shape[2] - size[0] + 1) // 2, (x.shape[3] - size[1] + 1) // 2
    return x[:, :, top : top + size[0], left : left + size[1]]


@misconception(
    "rounded to the even number",
    "You used `round`, which sends halves to the *even* number: 0.5 becomes 0 and 1.5 becomes 2. So it depends on the "
    "size on which side the odd row goes. Look at how you round the half.",
)
def rounded(x, size):
    _check(x, size)
    top, left = round((x.shape[2] - size[0]) / 2), round((x.shape[3] - size[1]) / 2)
    return x[:, :, top : top + size[0], left : left + size[1]]


@misconception(
    "halves rounded before the difference",
    "You rounded half of `x` and half of `size` each by itself, then took the difference. When both are odd, or only "
    "`size` is, the start can land a pixel off. Look at what you divide by 2.",
)
def halves(x, size):
    _check(x, size)
    top, left = x.shape[2] // 2 - size[0] // 2, x.shape[3] // 2 - size[1] // 2
    return x[:, :, top : top + size[0], left : left + size[1]]


@misconception(
    "height and width exchanged",
    "You took the first number of `size` for the width. It is `(height, width)`, in the order of the axes of `x`. "
    "A square hides that; look at which slice gets which number.",
)
def size_exchanged(x, size):
    return center_crop(x, (size[1], size[0]))


@misconception(
    "the same cut on both sides",
    "You cut the same number from both ends, `[a:-a]`, so an odd number of rows leaves one too many, and `a = 0` "
    "leaves nothing at all. Look at where your slices end.",
)
def both_ends(x, size):
    _check(x, size)
    top, left = (x.shape[2] - size[0]) // 2, (x.shape[3] - size[1]) // 2
    return x[:, :, top:-top, left:-left]


@misconception(
    "the first two axes cropped",
    "Your slices cut the batch and the channels. In `(N, C, H, W)` the picture is in the last two axes: look at what "
    "stands before your slices.",
)
def wrong_axes(x, size):
    _check(x, size)
    top, left = (x.shape[2] - size[0]) // 2, (x.shape[3] - size[1]) // 2
    return x[top : top + size[0], left : left + size[1]]


@misconception(
    "only the rows",
    "Your result has the right height and the old width. Look at the slice of the columns.",
)
def rows_only(x, size):
    _check(x, size)
    top = (x.shape[2] - size[0]) // 2
    return x[:, :, top : top + size[0]]


@misconception(
    "resized instead of cropped",
    "You scaled the whole map down to `size`. All of it is still there, with every pixel in another place, and nothing "
    "lies on its partner any more. Look for `interpolate` or `resize`: nothing here is computed, only cut.",
)
def resized(x, size):
    _check(x, size)
    return F.interpolate(x, size=size, mode="bilinear")


@misconception(
    "a size that does not fit goes through",
    "A `size` larger than `x` gives a map that is smaller than asked for, without a word: the start is negative, and a "
    "negative start counts from the end. Look at what to test before you slice.",
)
def too_large(x, size):
    top, left = (x.shape[2] - size[0]) // 2, (x.shape[3] - size[1]) // 2
    return x[:, :, top : top + size[0], left : left + size[1]]


@misconception(
    "padded when it is too small",
    "Where `size` is larger than `x` you filled up with zeros. The task asks for an error there: cropping shall never "
    "invent pixels. Look at what happens when the difference is negative.",
)
def padded(x, size):
    rows, columns = max(0, size[0] - x.shape[2]), max(0, size[1] - x.shape[3])
    x = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
    return center_crop(x, size)


@misconception(
    "only the height is checked",
    "A `size` that is too wide goes through: you compare the heights only. Look at your condition.",
)
def height_checked(x, size):
    if size[0] > x.shape[2]:
        raise ValueError(size)
    return too_large(x, size)


@variant("indices of rows and columns")
def indexed(x, size):
    for axis, length in zip((2, 3), size, strict=True):
        start = (x.shape[axis] - length) // 2
        if start < 0:
            raise ValueError("size is larger than x")
        x = x.index_select(axis, torch.arange(start, start + length))
    return x


@variant("`narrow`")
def narrowed(x, size):
    (h, w), (height, width) = x.shape[-2:], size
    if h < height or w < width:
        raise ValueError(f"cannot cut {size} out of {(h, w)}")
    return x.narrow(-2, (h - height) // 2, height).narrow(-1, (w - width) // 2, width)


@variant("negative padding")
def negative_padding(x, size):
    rows, columns = x.shape[2] - size[0], x.shape[3] - size[1]
    if min(rows, columns) < 0:
        raise ValueError("too large")
    return F.pad(x, (-(columns // 2), columns // 2 - columns, -(rows // 2), rows // 2 - rows))


@variant("cut from both ends, with numpy")
def with_numpy(x, size):
    rows, columns = x.shape[2] - size[0], x.shape[3] - size[1]
    if rows < 0 or columns < 0:
        raise ValueError("too large")
    top, left = int(np.floor(rows / 2)), int(np.floor(columns / 2))
    cut = np.asarray(x)[..., top : x.shape[2] - (rows - top), left : x.shape[3] - (columns - left)]
    return torch.from_numpy(cut)
