"""Lesson 07: `pad_to_multiple(x, multiple)`."""

import math

import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.exercises import exercise, misconception, variant
from helpers.reference.padding import pad_to_multiple, unpad


@exercise(
    pad_to_multiple,
    lesson="07_skips",
    concept="Padding",
    points=3,
    minutes=8,
    difficulty=2,
    hints=[
        "How many rows are missing until the next multiple of 16 when there are 30, 31, 32, 33?",
        "The remainder `%` of the *negative* side is what is missing, and it is 0 when nothing is. Share it between "
        "the two ends, or add all of it at one.",
        "`F.pad` takes its numbers from the last axis backwards: left, right, top, bottom. Return the same four.",
    ],
    task=(
        "Add zeros around `x`, shape `(N, C, H, W)`, as few as it takes for both sides to be multiples of `multiple`. "
        "Return `(padded, pads)` with `pads` = `(left, right, top, bottom)`, so that `unpad(padded, pads)` gives `x` "
        "back. How you share them between the two ends is up to you."
    ),
)
def probes(draw):
    """Sides below, at and above a multiple; what is compared leaves open which end the zeros are at."""

    def probe(x, multiple):
        return Call((x, multiple), view=_what_counts)

    yield probe(draw.positions(3, 5)[None, None] + 1, 4)
    yield probe(draw.positions(4, 8)[None, None] + 1, 4)  # nothing is missing
    yield probe(draw.positions(6, 3)[None, None] + 1, 3)  # nothing in one of the directions
    yield probe(draw.positions(2, 1)[None, None] + 1, 8)  # more zeros than pixels
    yield probe(draw.normal(2, 3, 5, 4), 3)
    yield probe(draw.normal(1, 2, 3, 4), 1)
    yield probe(draw.normal(4, 1, draw.size(9, 20), draw.size(9, 20)), draw.size(5, 8))


def _what_counts(result, args):
    """The shape, what `unpad` gives back, whether anything but zeros was added: the same for every right answer."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError("not a pair")
    (padded, pads), (x, _) = result, args
    pads = pads.tolist() if isinstance(pads, torch.Tensor) else list(pads)
    four = len(pads) == 4 and all(isinstance(p, int) and p >= 0 for p in pads)
    return {
        "shape of padded": tuple(padded.shape),
        "pads": "four whole numbers, none negative" if four else pads,
        "unpad(padded, pads)": unpad(padded, pads) if four else None,
        "sum of what was added": float(padded.double().abs().sum() - x.double().abs().sum()),
    }


def _missing(x, multiple):
    return -x.shape[2] % multiple, -x.shape[3] % multiple


def _at_the_end(x, rows, columns, mode="constant"):
    pads = (0, columns, 0, rows)
    return F.pad(x, pads, mode=mode), pads


@misconception(
    "a whole multiple too many",
    "When a side is a multiple already, you add another whole one: for 32 and 16 you get 48. "
    "Look at what `multiple - side % multiple` gives when the remainder is 0.",
)
def one_too_many(x, multiple):
    return _at_the_end(x, multiple - x.shape[2] % multiple, multiple - x.shape[3] % multiple)


@misconception(
    "the remainder is added",
    "You add the remainder itself: 30 + 14 is 44, and that is no multiple of 16. The remainder says how much is *too "
    "much*. Look at what is missing up to the next multiple.",
)
def remainder(x, multiple):
    return _at_the_end(x, x.shape[2] % multiple, x.shape[3] % multiple)


@misconception(
    "cropped instead of padded",
    "You cut down to the multiple below, so pixels at the border are lost, and no `unpad` brings them back. "
    "Look at which way you round.",
)
def cropped(x, multiple):
    height, width = x.shape[2] // multiple * multiple, x.shape[3] // multiple * multiple
    return x[:, :, :height, :width], (0, 0, 0, 0)


@misconception(
    "padded to a square",
    "You made both sides equal. A multiple is asked for, one for each side by itself, and a long narrow picture would "
    "become mostly zeros. Look at where the width enters the height.",
)
def square(x, multiple):
    side = -(-max(x.shape[2:]) // multiple) * multiple
    return _at_the_end(x, side - x.shape[2], side - x.shape[3])


@misconception(
    "padded to a power of two",
    "You padded to the next power of two, which is more than it takes: a side of 33 becomes 64. Multiples of "
    "`multiple` are enough. Look at how you find the new size.",
)
def power_of_two(x, multiple):
    height, width = (max(multiple, 2 ** math.ceil(math.log2(side))) for side in x.shape[2:])
    return _at_the_end(x, height - x.shape[2], width - x.shape[3])


@misconception(
    "only the rows",
    "Your height is a multiple, your width is what it was. Look at the second of the two sides.",
)
def rows_only(x, multiple):
    return _at_the_end(x, _missing(x, multiple)[0], 0)


@misconception(
    "only the columns",
    "Your width is a multiple, your height is what it was. Look at the first of the two sides.",
)
def columns_only(x, multiple):
    return _at_the_end(x, 0, _missing(x, multiple)[1])


@misconception(
    "rows and columns exchanged",
    "You added as many columns as rows are missing, and the other way round. `F.pad` starts with the *last* axis, the "
    "columns. A square picture hides that: look at the order of the four numbers.",
)
def exchanged(x, multiple):
    rows, columns = _missing(x, multiple)
    return _at_the_end(x, columns, rows)


@misconception(
    "pads in another order",
    "The padded map is right, but `pads` names the rows first, so `unpad` takes rows away where columns were added. "
    "Look at the order in the task: left, right, top, bottom.",
)
def other_order(x, multiple):
    padded, (left, right, top, bottom) = pad_to_multiple(x, multiple)
    return padded, (top, bottom, left, right)


@misconception(
    "the two ends exchanged in pads",
    "The zeros are at one end and `pads` says the other, so `unpad` takes pixels away and leaves zeros. "
    "Look at whether you return the very numbers that you gave to `F.pad`.",
)
def ends_exchanged(x, multiple):
    rows, columns = _missing(x, multiple)
    return F.pad(x, (0, columns, 0, rows)), (columns, 0, rows, 0)


@misconception(
    "an odd row is lost in the halving",
    "You add `missing // 2` at both ends. When an odd number is missing, one row short of the multiple comes out. "
    "Look at what the second end has to get.",
)
def half_lost(x, multiple):
    rows, columns = _missing(x, multiple)
    pads = (columns // 2, columns // 2, rows // 2, rows // 2)
    return F.pad(x, pads), pads


@misconception(
    "all that is missing at both ends",
    "You add what is missing twice, once at each end. The result may be a multiple or not, and it is larger than it "
    "has to be. Look at how you share it between the two ends.",
)
def twice(x, multiple):
    rows, columns = _missing(x, multiple)
    pads = (columns, columns, rows, rows)
    return F.pad(x, pads), pads


@misconception(
    "the border is mirrored",
    "You filled up with the mirrored border. For seams that is often the better choice, but it fails when more is "
    "missing than there is, and the task says zeros. Look at the `mode` of your padding.",
)
def mirrored(x, multiple):
    return _at_the_end(x, *_missing(x, multiple), mode="reflect")


@misconception(
    "the border is repeated",
    "You filled up with copies of the last row and column, which look like a real object drawn long. The task says "
    "zeros. Look at the `mode` of your padding.",
)
def repeated(x, multiple):
    return _at_the_end(x, *_missing(x, multiple), mode="replicate")


@misconception(
    "filled with ones",
    "You filled up with another number than 0. The convolutions of your network pad with zeros too, so zeros are what "
    "they are used to. Look at the `value` of your padding.",
)
def ones(x, multiple):
    rows, columns = _missing(x, multiple)
    return F.pad(x, (0, columns, 0, rows), value=1.0), (0, columns, 0, rows)


@misconception(
    "resized instead of padded",
    "You stretched the picture to the new size. Every pixel is blurred and moved, and no `unpad` brings it back. "
    "Look for `interpolate` or `resize`.",
)
def stretched(x, multiple):
    rows, columns = _missing(x, multiple)
    size = (x.shape[2] + rows, x.shape[3] + columns)
    return F.interpolate(x, size=size, mode="bilinear"), (0, columns, 0, rows)


@misconception(
    "pads forgotten",
    "You return the padded map alone. Without `pads` nobody knows what to take away from the logits later. "
    "Look at your `return`: it gives two things.",
)
def no_pads(x, multiple):
    return pad_to_multiple(x, multiple)[0]


@misconception(
    "two numbers for pads",
    "Your `pads` are two numbers, the rows and the columns. `unpad` has to know how many of them are at which end: "
    "look at the order and number in the task.",
)
def two_numbers(x, multiple):
    rows, columns = _missing(x, multiple)
    return F.pad(x, (0, columns, 0, rows)), (rows, columns)


@misconception(
    "the old size for pads",
    "In place of `pads` you return the old height and width. That would do if all zeros were at one end, but `unpad` "
    "takes four numbers of rows and columns. Look at the task.",
)
def old_size(x, multiple):
    return pad_to_multiple(x, multiple)[0], tuple(x.shape[2:])


@variant("all of it on the right and at the bottom")
def at_the_end(x, multiple):
    height, width = (math.ceil(side / multiple) * multiple for side in x.shape[-2:])
    pads = [0, width - x.shape[-1], 0, height - x.shape[-2]]
    return F.pad(x, pads), pads


@variant("all of it on the left and on top")
def at_the_start(x, multiple):
    right = bottom = 0
    top, left = (multiple - x.size(2) % multiple) % multiple, (multiple - x.size(3) % multiple) % multiple
    return torch.nn.ZeroPad2d((left, right, top, bottom))(x), (left, right, top, bottom)


@variant("written into zeros, the odd one on top")
def into_zeros(x, multiple):
    n, c, h, w = x.shape
    height, width = h, w
    while height % multiple:
        height += 1
    while width % multiple:
        width += 1
    top, left = (height - h + 1) // 2, (width - w + 1) // 2
    padded = torch.zeros(n, c, height, width)
    padded[:, :, top : top + h, left : left + w] = x
    return padded, (left, width - w - left, top, height - h - top)


@variant("zeros concatenated")
def concatenated(x, multiple):
    rows, columns = -x.shape[2] % multiple, -x.shape[3] % multiple
    x = torch.cat([x, torch.zeros(*x.shape[:2], rows, x.shape[3])], dim=2)
    x = torch.cat([x, torch.zeros(*x.shape[:3], columns)], dim=3)
    return x, torch.tensor([0, columns, 0, rows])
