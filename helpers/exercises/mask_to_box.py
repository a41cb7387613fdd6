"""Lesson 01: `mask_to_box(mask)`."""

import numpy as np
import torch
from torchvision.ops import masks_to_boxes

from helpers.checks.probes import Call
from helpers.checks.shared import four_numbers
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.pixels import mask_to_box


def _box_of(picture, draw):
    return Call(draw.masks(picture), view=four_numbers)


@exercise(
    mask_to_box,
    lesson="01_pixels",
    concept="Coordinates of pixels",
    points=2,
    minutes=6,
    difficulty=2,
    hints=[
        "You need the smallest and the largest column with a true pixel, and the same for the rows.",
        "`mask.nonzero(as_tuple=True)` gives the row numbers and the column numbers of all true pixels.",
        "x counts columns and y counts rows. An exclusive end is one more than the last number that belongs to it. "
        "Ask `mask.any()` first: the minimum of nothing is an error.",
    ],
    task=(
        "From a boolean mask of shape `(H, W)`, return `(x0, y0, x1, y1)`, the smallest box around the true pixels: "
        "x counts columns, y counts rows, and the end is exclusive, so that `mask[y0:y1, x0:x1]` is the box. "
        "Return `None` when no pixel is true."
    ),
)
def probes(draw):
    """Masks whose box can be read off the picture, then random ones. No two of the four numbers agree in the first."""
    yield _box_of(
        """
        .......
        .......
        .......
        ..##.#.
        .....#.
        """,
        draw,
    )  # columns 2 to 5, rows 3 to 4, so (2, 3, 6, 5); one column is empty in between
    yield _box_of("....\n..#.\n....", draw)  # a single pixel
    yield Call((draw.empty(3, 4),), view=four_numbers)
    yield Call((draw.full(2, 5),), view=four_numbers)
    yield _box_of("#....\n.....\n.....\n.....", draw)  # in the first corner
    yield _box_of(".....\n.....\n....#", draw)  # in the last corner
    yield _box_of("..##\n....\n#...\n#...\n....\n...#", draw)  # three objects, the largest not at the border
    yield _box_of(".#.\n.#.\n.#.\n...", draw)  # one column wide
    yield _box_of("...#..\n..#...\n.#....", draw)  # falls to the left: neither corner of the box is true
    for _ in range(4):
        h, w = draw.size(2, 40), draw.size(2, 40)
        yield Call((draw.mask(h, w, fraction=draw.uniform(0.0, 0.05)),), view=four_numbers)


edit = edits_of(mask_to_box)

edit(
    "x and y exchanged",
    "You returned rows first. A mask is indexed `[row, column]`, a box is written `(x, y)`, and x counts *columns*: "
    "the two orders are opposite. Look at which numbers you call x.",
    ("rows, columns =", "columns, rows ="),
)

edit(
    "the last pixel left out",
    "Your end is the last pixel that belongs to the object, but an end is exclusive here, as in a slice: "
    "`mask[y0:y1, x0:x1]` loses the last row and column. Look at your two maxima.",
    (" + 1, ", ", "),
    (" + 1\n", "\n"),
)

edit(
    "one pixel too many in front",
    "Your box begins one column and one row before the object. The start is the first pixel that belongs to it; "
    "only the end is exclusive. Look at what you do to the two minima.",
    ("columns.min().item()", "columns.min().item() - 1"),
    ("rows.min().item()", "rows.min().item() - 1"),
)

edit(
    "a margin all around",
    "Your box is one pixel larger than it has to be at each end, and at the border of the image it sticks out. "
    "Look at the constants you add: an exclusive end is only one step past the last pixel.",
    ("columns.min().item()", "columns.min().item() - 1"),
    ("rows.min().item()", "rows.min().item() - 1"),
    (" + 1, ", " + 2, "),
    (" + 1\n", " + 2\n"),
)

edit(
    "width and height instead of the end",
    "Your last two numbers are the width and the height. That is how COCO writes boxes; here they say where the box "
    "*ends*. Look at whether you subtract the start from the end.",
    ("columns.max()", "(columns.max() - columns.min())"),
    ("rows.max()", "(rows.max() - rows.min())"),
)

edit(
    "centre and size",
    "You returned the centre of the box and its size. That is how YOLO writes boxes; here the numbers say where the "
    "box begins and where it ends. Look at what you compute from the minima and maxima.",
    ("return columns", "x0, y0, x1, y1 = columns"),
    (" + 1\n", " + 1\n    return (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0\n"),
)

edit(
    "fractions of the image instead of pixels",
    "Your numbers lie between 0 and 1: you divided by the size of the image. They are asked for in pixels, so that "
    "they can be used as indices. Look at what you divide by.",
    ("return columns", "x0, y0, x1, y1 = columns"),
    (" + 1\n", " + 1\n    height, width = mask.shape\n    return x0 / width, y0 / height, x1 / width, y1 / height\n"),
)

edit(
    "both x before both y",
    "The four numbers are right but in a different order: you return both columns, then both rows. A box is written "
    "as two corners, `(x0, y0)` and `(x1, y1)`. Look at your last line.",
    ("rows.min().item(), columns.max().item() + 1", "columns.max().item() + 1, rows.min().item()"),
)

edit(
    "two pairs instead of four numbers",
    "You returned two corners, each a pair. Whoever unpacks `x0, y0, x1, y1` finds two "
    "things where four should be. Look at the brackets in your last line.",
    ("return columns", "return (columns"),
    ("(), columns", "()), (columns"),
    (" + 1\n", " + 1)\n"),
)

edit(
    "first and last pixel in reading order",
    "You took the first and the last true pixel. `nonzero` lists pixels row by row, so their *rows* are the extremes "
    "and their columns are not: an object that leans to the left gets a start behind its end. Look at each column.",
    ("columns.min()", "columns[0]"),
    ("columns.max()", "columns[-1]"),
)

edit(
    "gaps not counted",
    "You counted how many rows and columns have a true pixel, and added that to the start. An object with a gap, or "
    "two objects, then end too early. Look for the last row and column instead of their number.",
    ("columns.max().item() + 1", "columns.min().item() + mask.any(0).sum().item()"),
    ("rows.max().item() + 1", "rows.min().item() + mask.any(1).sum().item()"),
)


@misconception(
    "the first run of pixels only",
    "Your box ends at the first gap. An object may have holes, and a mask may hold several; all true pixels belong "
    "into the box. Look at where your search stops.",
)
def first_run(mask):
    box = mask_to_box(mask)
    if box is None:
        return None
    columns, rows = mask.any(0).tolist(), mask.any(1).tolist()
    x1 = next((x for x in range(box[0], len(columns)) if not columns[x]), len(columns))
    y1 = next((y for y in range(box[1], len(rows)) if not rows[y]), len(rows))
    return box[0], box[1], x1, y1


edit(
    "an empty mask gives zeros",
    "An empty mask gave `(0, 0, 0, 0)`, which cannot be told from a box at the corner that is misplaced. That nothing "
    "was found has to be said: look at what you return when no pixel is true.",
    ("return None", "return 0, 0, 0, 0"),
)

edit(
    "an empty mask gives the whole image",
    "An empty mask gave a box around the whole image. `argmax` of nothing but zeros is 0, so every search ends at the "
    "border. Look at whether anything is true before you search.",
    ("return None", "return 0, 0, mask.shape[1], mask.shape[0]"),
)

edit(
    "an empty mask raises an error",
    "An empty mask raises an error, since there is no smallest, no first and no outermost of no pixels. Images without "
    "an object are common, and one of them would stop the whole evaluation. Look at whether anything is true before "
    "you search.",
    ("not mask.any()", "False"),
    any_error=True,
)

edit(
    "no box for thin objects",
    "You return `None` for an object that is one pixel wide or high. With exclusive ends even a single pixel has a box "
    "of size 1. Look at the condition under which you give up.",
    ("not mask.any()", "mask.any(0).sum() < 2 or mask.any(1).sum() < 2"),
)

edit(
    "the end held inside the image",
    "At the right and lower border your box loses a pixel: you keep the end below the size of the image. An exclusive "
    "end may be equal to it, and a slice allows that. Look for a `min` or a `clamp`.",
    ("columns.max().item() + 1", "min(columns.max().item() + 1, mask.shape[1] - 1)"),
    ("rows.max().item() + 1", "min(rows.max().item() + 1, mask.shape[0] - 1)"),
)

edit(
    "the box cut out instead of its numbers",
    "You returned the piece of the mask inside the box. The four numbers are asked for, so that the same box can be "
    "cut from the image, too. Look at your last line.",
    ("return columns", "x0, y0, x1, y1 = columns"),
    (" + 1\n", " + 1\n    return mask[y0:y1, x0:x1]\n"),
)

edit(
    "the last row left out",
    "Your box ends one row too early: `y1` is the last row that belongs to the object, but an end is exclusive here. "
    "Look at the `+ 1`: `x1` has one, `y1` has none.",
    (" + 1\n", "\n"),
)

edit(
    "the last column left out",
    "Your box ends one column too early: `x1` is the last column that belongs to the object, but an end is exclusive "
    "here. Look at the `+ 1`: `y1` has one, `x1` has none.",
    (" + 1, ", ", "),
)

edit(
    "width and height, each one too small",
    "Your last two numbers are differences: largest less smallest. The box should be given by where it *ends*, and not "
    "by its size, which is one more than that difference, too. Look at whether you subtract the start from the end.",
    ("columns.max().item() + 1", "(columns.max() - columns.min()).item()"),
    ("rows.max().item() + 1", "(rows.max() - rows.min()).item()"),
)

edit(
    "counted from 1",
    "Your box begins one column and one row too late: you count pixels from 1. Rows and columns begin at 0 here, as "
    "everything in Python. Look at what you do to the two minima.",
    ("columns.min().item()", "columns.min().item() + 1"),
    ("rows.min().item()", "rows.min().item() + 1"),
)

edit(
    "one pixel too many in front, except at the border",
    "Your box begins one column and one row before the object, where the image has one. The start is the first pixel "
    "that belongs to it; only the end is exclusive. Look at what you do to the two minima.",
    ("columns.min().item()", "max(columns.min().item() - 1, 0)"),
    ("rows.min().item()", "max(rows.min().item() - 1, 0)"),
)

edit(
    "only rows and columns that are true all along",
    "You look for rows and columns in which *every* pixel is true. An object rarely reaches from border to border; one "
    "true pixel is enough for a row to belong into the box. Look for `all`.",
    ("not mask.any()", "not (mask.all(0).any() and mask.all(1).any())"),
    ("mask.nonzero(as_tuple=True)", "(mask.all(axis).nonzero() for axis in (1, 0))"),
)


@variant("rows and columns that hold something")
def by_any(mask):
    xs, ys = torch.where(mask.any(dim=0))[0], torch.where(mask.any(dim=1))[0]
    if len(xs) == 0:
        return None
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1


@variant("with argmax from both ends")
def by_argmax(mask):
    if mask.sum() == 0:
        return None
    columns, rows = mask.any(0).int(), mask.any(1).int()
    height, width = mask.shape
    return columns.argmax(), rows.argmax(), width - columns.flip(0).argmax(), height - rows.flip(0).argmax()


@variant("with numpy")
def with_numpy(mask):
    pixels = np.argwhere(np.asarray(mask))
    if pixels.size == 0:
        return None
    (y0, x0), (y1, x1) = pixels.min(axis=0), pixels.max(axis=0) + 1
    return x0, y0, x1, y1


@variant("with torchvision, the end moved")
def with_torchvision(mask):
    if not mask.any():
        return None
    return masks_to_boxes(mask[None])[0] + torch.tensor([0, 0, 1, 1])  # a tensor of four numbers unpacks, too
