"""Lesson 07: `center_crop(x, size)`."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.padding import center_crop


@exercise(
    center_crop,
    lesson="07_skips",
    concept="Cropping",
    points=2,
    minutes=5,
    difficulty=1,
    hints=[
        "How many rows have to go, and how many of these at the top?",
        "The first row to keep is half of what has to go, rounded down. The last one is `height` rows further.",
        "Two slices, one for the rows and one for the columns: `start : start + length`. First compare `size` with "
        "the shape of `x`, and raise the error there.",
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
    yield Call((draw.normal(1, 2, 3, 4), (4, 4)), view=_how_large)
    yield Call((draw.normal(1, 2, 4, 3), (2, 4)), view=_how_large)
    yield Call((draw.normal(1, 2, 4, 4), (5, 5)), view=_how_large)
    h, w = draw.size(2, 9), draw.size(2, 9)
    yield draw.positions(h + draw.size(0, 5), w + draw.size(0, 5)).expand(2, 3, -1, -1).clone(), (h, w)


edit = edits_of(center_crop)


def _how_large(result, args):
    """Where an error is due: what else comes out, whichever pixels it shows."""
    if tuple(result.shape[2:]) != args[1]:
        return "smaller than asked for" if result[0, 0].numel() < math.prod(args[1]) else "larger than asked for"
    return "filled up with zeros" if (result == 0).any() else "as large as asked for"


# Texts of the reference, which is edited below.
ROWS, COLUMNS = "top : top + height", "left : left + width"
TEST = "top < 0 or left < 0"


def cut(rows, columns):
    """A change: other slices."""
    return f"{ROWS}, {COLUMNS}", f"{rows}, {columns}"


def start(top, left):
    """A change: the slices begin elsewhere; the test for a size that is too large is left as it is."""
    return "    return x", f"    top, left = {top}, {left}\n    return x"


edit(
    "cropped at the corner",
    "You kept the top left corner, so the map is shifted against the one it should lie on, by half of what was cut. "
    "Look at where your slices begin.",
    cut(":height", ":width"),
)

edit(
    "cropped at the bottom right",
    "You kept the bottom right corner: everything that had to go went on top and on the left. "
    "Look at where your slices begin.",
    cut("x.shape[2] - height :", "x.shape[3] - width :"),
)

edit(
    "the row left over goes on top",
    "When an odd number of rows or columns has to go, you cut the larger part on top and on the left. It is one pixel, "
    "and a border of a nucleus is not much more. Look at how you round the half.",
    start("(x.shape[2] - height + 1) // 2", "(x.shape[3] - width + 1) // 2"),
)

edit(
    "rounded to the even number",
    "You used `round`, which sends halves to the *even* number: 0.5 becomes 0 and 1.5 becomes 2. So it depends on the "
    "size on which side the odd row goes. Look at how you round the half.",
    start("round((x.shape[2] - height) / 2)", "round((x.shape[3] - width) / 2)"),
)

edit(
    "halves rounded before the difference",
    "You rounded half of `x` and half of `size` each by itself, then took the difference. Where `size` is odd and `x`"
    " is even, the start lands a pixel too far on. Look at what you divide by 2.",
    start("x.shape[2] // 2 - height // 2", "x.shape[3] // 2 - width // 2"),
)

edit(
    "half a size to both sides of the middle",
    "You go half of `size` to both sides of the middle, and for an odd `size` two rounded halves are one short of the"
    " whole. Look at where your slices end: `size` further than where they begin.",
    cut(
        "x.shape[2] // 2 - height // 2 : x.shape[2] // 2 + height // 2",
        "x.shape[3] // 2 - width // 2 : x.shape[3] // 2 + width // 2",
    ),
)

edit(
    "height and width exchanged",
    "You took the first number of `size` for the width. It is `(height, width)`, in the order of the axes of `x`. "
    "A square hides that; look at which slice gets which number.",
    ("height, width = size", "width, height = size"),
)

edit(
    "the same cut on both sides",
    "You cut the same number from both ends, `[a:-a]`, so an odd number of rows leaves one too many, and `a = 0` "
    "leaves nothing at all. Look at where your slices end.",
    cut("top:-top", "left:-left"),
)

edit(
    "the same cut at both ends",
    "You cut the same number from both ends, so where an odd number of rows or columns has to go, one too many is "
    "left. Look at where your slices end.",
    cut("top : x.shape[2] - top", "left : x.shape[3] - left"),
)

edit(
    "an end of minus zero",
    "Your slices end at a negative number. Where nothing has to go at the bottom or on the right that number is 0, "
    "and a slice that ends at 0 is empty. Look at where your slices end.",
    cut("top : top + height - x.shape[2]", "left : left + width - x.shape[3]"),
)

edit(
    "one row and one column too many",
    "Your slices end one too late. The end of a slice is not part of it, so `start : start + length` holds `length` "
    "rows already. Look at where your slices end.",
    cut("top : top + height + 1", "left : left + width + 1"),
)

edit(
    "the first two axes cropped",
    "Your slices cut the batch and the channels. In `(N, C, H, W)` the picture is in the last two axes: look at what "
    "stands before your slices.",
    ("[:, :, top", "[top"),
)

edit(
    "channels taken for the last axis",
    "Your slices cut axes 1 and 2, where a picture with its channels last has its sides. In `(N, C, H, W)` these are "
    "axes 2 and 3: look at what stands before your slices.",
    ("[:, :, top", "[:, top"),
)

edit(
    "only the rows",
    "Your result has the right height and the old width. Look at the slice of the columns.",
    cut(ROWS, ":"),
)

edit(
    "only the columns",
    "Your result has the right width and the old height. Look at the slice of the rows.",
    cut(":", COLUMNS),
)

edit(
    "resized instead of cropped",
    "You scaled the whole map down to `size`. All of it is still there, with every pixel in another place, and nothing "
    "lies on its partner any more. Look for `interpolate` or `resize`: nothing here is computed, only cut.",
    (f"x[:, :, {ROWS}, {COLUMNS}]", "F.interpolate(x, size=size, mode='bilinear')"),
)

edit(
    "resized by picking pixels",
    "You scaled the map to `size` by picking pixels from all of it, and nothing lies on its partner any more. Look "
    "for `interpolate` or `resize`, or for a step in your slices: the middle stays as it is, and only what is around "
    "it goes.",
    (f"x[:, :, {ROWS}, {COLUMNS}]", "F.interpolate(x, size=size)"),
)

edit(
    "a size that does not fit goes through",
    "A `size` larger than `x` gives a map that is smaller than asked for, without a word: a slice that reaches over "
    "the end stops there, and a negative start counts from the end. Look at what to test before you slice.",
    (TEST, "False"),
)

edit(
    "padded when it is too small",
    "Where `size` is larger than `x` you padded with zeros. The task asks for an error there: cropping must never "
    "invent pixels. Look at what happens when the difference is negative.",
    (f"if {TEST}:", f"if {TEST}:\n        return x.new_zeros(*x.shape[:2], height, width)"),
)

edit(
    "only the height is checked",
    "A `size` that is too wide goes through: you compare the heights only. Look at your condition.",
    (TEST, "top < 0"),
)

edit(
    "only the width is checked",
    "A `size` that is too high goes through: you compare the widths only. Look at your condition.",
    (TEST, "left < 0"),
)

edit(
    "refused only where both are too large",
    "A `size` that is too large in one direction goes through: you raise the error only where both are. Look at what "
    "joins the two parts of your condition.",
    (TEST, "top < 0 and left < 0"),
)

edit(
    "a size that just fits is refused",
    "You refuse a `size` that is as large as `x`. It fits, and nothing has to go. Look at how you compare.",
    (TEST, "height >= x.shape[2] or width >= x.shape[3]"),
)

edit(
    "an assert instead of a ValueError",
    "A `size` that does not fit ends in an AssertionError. An `assert` is for what cannot happen, and Python leaves "
    "it out when asked to optimise; the task asks for a `ValueError`. Look at how you refuse it.",
    ("raise ValueError(", "raise AssertionError("),
)


@variant("indices of rows and columns")
def indexed(x, size):
    for axis, length in zip((2, 3), size, strict=True):
        start = (x.shape[axis] - length) // 2
        if start < 0:
            raise ValueError("size is larger than x")
        x = x.index_select(axis, torch.arange(start, start + length))
    return x


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
