"""Lesson 07: `pad_to_multiple(x, multiple)`."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, misconception, variant
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
    choices=(("columns // 2, columns - columns // 2, rows // 2, rows - rows // 2", "0, columns, 0, rows"),),
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
    yield probe(draw.normal(1, 1, 4, 6), 4)  # in the other one
    yield probe(draw.normal(4, 1, draw.size(9, 20), draw.size(9, 20)), draw.size(5, 8))


edit = edits_of(pad_to_multiple)


def _what_counts(result, args):
    """The shape, what `unpad` gives back, and what was added: the same for every right answer."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError("not a pair")
    (padded, pads), (x, _) = result, args
    pads = pads.tolist() if isinstance(pads, torch.Tensor) else list(pads)
    whole = len(pads) == 4 and all(isinstance(p, int) for p in pads)
    four = whole and min(pads) >= 0
    words = "four whole numbers, none negative" if four else "a negative number among them" if whole else pads
    back = unpad(padded, pads) if four else None
    return {
        "shape of padded": tuple(padded.shape),
        "pads": words,
        "unpad(padded, pads)": back,
        "what was added": _added(padded, x, pads if four and torch.equal(back, x) else None),
    }


def _added(padded, x, pads):
    """What was added, in words that do not depend on where; `pads` only if they are right."""
    if torch.isclose(padded.double().abs().sum(), x.double().abs().sum()):
        return "zeros"
    if pads is not None:
        left, right, top, bottom = pads
        for mode, words in ("edge", "copies of the border"), ("reflect", "mirrored"), ("symmetric", "mirrored"):
            if np.array_equal(padded, np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode)):
                return words
        if len(padded[F.pad(torch.ones_like(x), pads) == 0].unique()) == 1:
            return "another number"
    return "something else"


edit(
    "a whole multiple too many",
    "When a side is a multiple already, you add another whole one: for 32 and 16 you get 48. "
    "Look at what `multiple - side % multiple` gives when the remainder is 0.",
    ("-x.shape[2] % multiple", "multiple - x.shape[2] % multiple"),
    ("-x.shape[3] % multiple", "multiple - x.shape[3] % multiple"),
)

edit(
    "the remainder is added",
    "You add the remainder itself: 30 + 14 is 44, and that is not a multiple of 16. The remainder says how much is "
    "*too much*. Look at what is missing up to the next multiple.",
    ("-x.shape[2] % multiple", "x.shape[2] % multiple"),
    ("-x.shape[3] % multiple", "x.shape[3] % multiple"),
)

edit(
    "cropped instead of padded",
    "You cut down to the multiple below, so pixels at the border are lost, and no `unpad` brings them back. "
    "Look at which way you round.",
    (
        "F.pad(x, pads), pads",
        "x[:, :, : x.shape[2] // multiple * multiple, : x.shape[3] // multiple * multiple], (0, 0, 0, 0)",
    ),
)

edit(
    "padded to a square",
    "You made both sides equal. A multiple is asked for, one for each side by itself, and a long narrow picture would "
    "become mostly zeros. Look at where the width enters the height.",
    ("    rows", "    side = -(-max(x.shape[2:]) // multiple) * multiple\n    rows"),
    ("-x.shape[2] % multiple", "side - x.shape[2]"),
    ("-x.shape[3] % multiple", "side - x.shape[3]"),
)

edit(
    "padded to a power of two",
    "You padded to the next power of two, which is more than it takes: a side of 33 becomes 64. Multiples of "
    "`multiple` are enough. Look at how you find the new size.",
    ("-x.shape[2] % multiple", "max(multiple, 1 << (x.shape[2] - 1).bit_length()) - x.shape[2]"),
    ("-x.shape[3] % multiple", "max(multiple, 1 << (x.shape[3] - 1).bit_length()) - x.shape[3]"),
)

edit(
    "only the rows",
    "Your height is a multiple, your width is what it was. Look at the second of the two sides.",
    ("-x.shape[3] % multiple", "0"),
)

edit(
    "only the columns",
    "Your width is a multiple, your height is what it was. Look at the first of the two sides.",
    ("-x.shape[2] % multiple", "0"),
)

edit(
    "rows and columns exchanged",
    "You added as many columns as rows are missing, and the other way round. `F.pad` starts with the *last* axis, the "
    "columns. A square picture hides that: look at the order of the four numbers.",
    ("rows, columns =", "columns, rows ="),
)

edit(
    "pads in another order",
    "The padded map is right, but `pads` names the rows first, so `unpad` takes rows away where columns were added. "
    "Look at the order in the task: left, right, top, bottom.",
    ("F.pad(x, pads), pads", "F.pad(x, pads), pads[2:] + pads[:2]"),
)

edit(
    "the two ends exchanged in pads",
    "The zeros are at one end and `pads` says the other, so `unpad` takes pixels away and leaves zeros. "
    "Look at whether you return the very numbers that you gave to `F.pad`.",
    ("F.pad(x, pads), pads", "F.pad(x, pads), (pads[1], pads[0], pads[3], pads[2])"),
)

edit(
    "an odd row is lost in the halving",
    "You add `missing // 2` at both ends. When an odd number is missing, one row short of the multiple comes out. "
    "Look at what the second end has to get.",
    ("columns - columns // 2", "columns // 2"),
    ("rows - rows // 2", "rows // 2"),
)

edit(
    "all that is missing at both ends",
    "You add what is missing twice, once at each end. The result may be a multiple or not, and it is larger than it "
    "has to be. Look at how you share it between the two ends.",
    ("(columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)", "(columns, columns, rows, rows)"),
)

edit(
    "the border is mirrored",
    "You padded with the mirrored border. For seams that is often the better choice, but it fails when more is "
    "missing than there is, and the task says zeros. Look at the `mode` of your padding.",
    ("F.pad(x, pads)", 'F.pad(x, pads, mode="reflect")'),
)


@misconception(
    "the border is mirrored by NumPy",
    "You padded with the mirrored border. For seams that is often the better choice, and the task says zeros: what "
    "`unpad` takes away should not look like a part of the picture. Look at the `mode` of `np.pad`.",
)
def mirrored_by_numpy(x, multiple):
    rows, columns = -x.shape[2] % multiple, -x.shape[3] % multiple
    return torch.from_numpy(np.pad(x, ((0, 0), (0, 0), (0, rows), (0, columns)), "reflect")), (0, columns, 0, rows)


edit(
    "the border is repeated",
    "You padded with copies of the last row and column, which look like a real object drawn long. The task says "
    "zeros. Look at the `mode` of your padding.",
    ("F.pad(x, pads)", 'F.pad(x, pads, mode="replicate")'),
)

edit(
    "filled with ones",
    "You padded with another number than 0. The convolutions of your network pad with zeros too, so zeros are what "
    "they are used to. Look at the `value` of your padding.",
    ("F.pad(x, pads)", "F.pad(x, pads, value=1.0)"),
)

edit(
    "resized instead of padded",
    "You stretched the picture to the new size. Every pixel is blurred and moved, and no `unpad` brings it back. "
    "Look for `interpolate` or `resize`.",
    ("F.pad(x, pads)", 'F.interpolate(x, size=(x.shape[2] + rows, x.shape[3] + columns), mode="bilinear")'),
)

edit(
    "pads forgotten",
    "You return the padded map alone. Without `pads` nobody knows what to take away from the logits later. "
    "Look at your `return`: it gives two things.",
    ("F.pad(x, pads), pads", "F.pad(x, pads)"),
)

edit(
    "two numbers for pads",
    "Your `pads` are two numbers, the rows and the columns. `unpad` has to know how many of them are at which end: "
    "look at the order and number in the task.",
    ("F.pad(x, pads), pads", "F.pad(x, pads), (rows, columns)"),
)

edit(
    "the old size for pads",
    "In place of `pads` you return the old height and width. That would do if all zeros were at one end, but `unpad` "
    "takes four numbers of rows and columns. Look at the task.",
    ("F.pad(x, pads), pads", "F.pad(x, pads), tuple(x.shape[2:])"),
)

edit(
    "`multiple` doubled until it fits",
    "You doubled `multiple` until the side fits, which is more than it takes: with a `multiple` of 16 a side of 33 "
    "becomes 64, and 48 is enough. Look at how you find the new size.",
    ("-x.shape[2] % multiple", "(multiple << (-(-x.shape[2] // multiple) - 1).bit_length()) - x.shape[2]"),
    ("-x.shape[3] % multiple", "(multiple << (-(-x.shape[3] // multiple) - 1).bit_length()) - x.shape[3]"),
)

edit(
    "rounded to the nearest multiple",
    "You went to the *nearest* multiple, which may be the one below: then a negative number is added, and pixels are "
    "cut off. Look at which way you round.",
    ("-x.shape[2] % multiple", "max(multiple, int(x.shape[2] / multiple + 0.5) * multiple) - x.shape[2]"),
    ("-x.shape[3] % multiple", "max(multiple, int(x.shape[3] / multiple + 0.5) * multiple) - x.shape[3]"),
)

edit(
    "half of an odd number rounded up at both ends",
    "You round the half up at both ends. When an odd number is missing, one row or column too many comes out, and "
    "the side is not a multiple. Look at what the second end has to get.",
    ("columns // 2, columns - columns // 2", "-(-columns // 2), -(-columns // 2)"),
    ("rows // 2, rows - rows // 2", "-(-rows // 2), -(-rows // 2)"),
)

edit(
    "shared in pads only",
    "`pads` says that the zeros are shared between two ends, and in the map they are all at one. `unpad` then takes "
    "pixels away and leaves zeros. Look at whether you return the very numbers that you gave to `F.pad`.",
    ("F.pad(x, pads)", "F.pad(x, (0, columns, 0, rows))"),
)

edit(
    "shared in the map only",
    "The zeros are shared between two ends, and `pads` says that they are all at one. `unpad` then takes pixels away "
    "and leaves zeros. Look at whether you return the very numbers that you gave to `F.pad`.",
    ("F.pad(x, pads), pads", "F.pad(x, pads), (0, columns, 0, rows)"),
)

edit(
    "channels taken for rows",
    "You took the axes for `(N, H, W, C)`: your rows are the channels, and your columns the rows. torch has the "
    "channels in front. Look at which entries of the shape you use.",
    ("-x.shape[2] % multiple", "-x.shape[1] % multiple"),
    ("-x.shape[3] % multiple", "-x.shape[2] % multiple"),
)


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
