"""Lesson 01: `mask_to_box(mask)`."""

import numpy as np
import torch
from torchvision.ops import masks_to_boxes

from helpers.checks.probes import Call
from helpers.checks.shared import four_numbers
from helpers.exercises import exercise, misconception, variant
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
        "You need the smallest and the largest column with a true pixel, and the same of the rows.",
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


@misconception(
    "x and y exchanged",
    "You returned rows first. A mask is indexed `[row, column]`, a box is written `(x, y)`, and x counts *columns*: "
    "the two orders are opposite. Look at which numbers you call x.",
)
def rows_first(mask):
    box = mask_to_box(mask)
    return box and (box[1], box[0], box[3], box[2])


@misconception(
    "the last pixel left out",
    "Your end is the last pixel that belongs to the object, but an end is exclusive here, as in a slice: "
    "`mask[y0:y1, x0:x1]` loses the last row and column. Look at your two maxima.",
)
def inclusive(mask):
    box = mask_to_box(mask)
    return box and (box[0], box[1], box[2] - 1, box[3] - 1)


@misconception(
    "one pixel too many in front",
    "Your box begins one column and one row before the object. The start is the first pixel that belongs to it; "
    "only the end is exclusive. Look at what you do to the two minima.",
)
def early(mask):
    box = mask_to_box(mask)
    return box and (box[0] - 1, box[1] - 1, box[2], box[3])


@misconception(
    "a margin all around",
    "Your box is one pixel larger than it has to be at each end, and at the border of the image it sticks out. "
    "Look at the constants you add: an exclusive end is only one step past the last pixel.",
)
def margin(mask):
    box = mask_to_box(mask)
    return box and (box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1)


@misconception(
    "width and height instead of the end",
    "Your last two numbers are the width and the height. That is how COCO writes boxes; here they say where the box "
    "*ends*. Look at whether you subtract the start from the end.",
)
def with_size(mask):
    box = mask_to_box(mask)
    return box and (box[0], box[1], box[2] - box[0], box[3] - box[1])


@misconception(
    "centre and size",
    "You returned the centre of the box and its size. That is how YOLO writes boxes; here the numbers say where the "
    "box begins and where it ends. Look at what you compute from the minima and maxima.",
)
def centre_and_size(mask):
    box = mask_to_box(mask)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0


@misconception(
    "fractions of the image instead of pixels",
    "Your numbers lie between 0 and 1: you divided by the size of the image. They are asked for in pixels, so that "
    "they can be used as indices. Look at what you divide by.",
)
def fractions(mask):
    box = mask_to_box(mask)
    height, width = mask.shape
    return box and (box[0] / width, box[1] / height, box[2] / width, box[3] / height)


@misconception(
    "both x before both y",
    "The four numbers are right and stand in another order: you return both columns, then both rows. A box is written "
    "as two corners, `(x0, y0)` and `(x1, y1)`. Look at your last line.",
)
def grouped_by_axis(mask):
    box = mask_to_box(mask)
    return box and (box[0], box[2], box[1], box[3])


@misconception(
    "two pairs instead of four numbers",
    "You returned two corners, each a pair. The numbers are right, but whoever unpacks `x0, y0, x1, y1` finds two "
    "things where four should be. Look at the brackets in your last line.",
)
def two_corners(mask):
    box = mask_to_box(mask)
    return box and (box[:2], box[2:])


@misconception(
    "first and last pixel in reading order",
    "You took the first and the last true pixel. `nonzero` lists pixels row by row, so their *rows* are the extremes "
    "and their columns are not: an object that leans to the left gets a start behind its end. Look at each column.",
)
def reading_order(mask):
    pixels = mask.nonzero().tolist()
    if not pixels:
        return None
    (top, left), (bottom, right) = pixels[0], pixels[-1]
    return left, top, right + 1, bottom + 1


@misconception(
    "gaps not counted",
    "You counted how many rows and columns have a true pixel, and added that to the start. An object with a gap, or "
    "two objects, then end too early. Look for the last row and column instead of their number.",
)
def counted(mask):
    box = mask_to_box(mask)
    return box and (box[0], box[1], box[0] + int(mask.any(0).sum()), box[1] + int(mask.any(1).sum()))


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


@misconception(
    "an empty mask gives zeros",
    "An empty mask gave `(0, 0, 0, 0)`, which cannot be told from a box at the corner that is misplaced. That nothing "
    "was found has to be said: look at what you return when no pixel is true.",
)
def zeros_when_empty(mask):
    return mask_to_box(mask) or (0, 0, 0, 0)


@misconception(
    "an empty mask gives the whole image",
    "An empty mask gave a box around the whole image. `argmax` of nothing but zeros is 0, so every search ends at the "
    "border. Look at whether anything is true before you search.",
)
def whole_when_empty(mask):
    return mask_to_box(mask) or (0, 0, mask.shape[1], mask.shape[0])


@misconception(
    "an empty mask raises an error",
    "An empty mask raises an error, since there is no minimum of no numbers. Images without an object are common, and "
    "one of them would stop the whole evaluation. Look at whether anything is true before you search.",
)
def raises_when_empty(mask):
    rows, columns = mask.nonzero(as_tuple=True)
    return columns.min().item(), rows.min().item(), columns.max().item() + 1, rows.max().item() + 1


@misconception(
    "no box for thin objects",
    "You return `None` for an object that is one pixel wide or high. With exclusive ends even a single pixel has a box "
    "of size 1. Look at the condition under which you give up.",
)
def thin_is_none(mask):
    box = mask_to_box(mask)
    return None if box is None or box[2] - box[0] == 1 or box[3] - box[1] == 1 else box


@misconception(
    "the end held inside the image",
    "At the right and lower border your box loses a pixel: you keep the end below the size of the image. An exclusive "
    "end may be equal to it, and a slice allows that. Look for a `min` or a `clamp`.",
)
def clamped(mask):
    box = mask_to_box(mask)
    height, width = mask.shape
    return box and (box[0], box[1], min(box[2], width - 1), min(box[3], height - 1))


@misconception(
    "the box cut out instead of its numbers",
    "You returned the piece of the mask inside the box. The four numbers are asked for, so that the same box can be "
    "cut from the image, too. Look at your last line.",
)
def cut_out(mask):
    box = mask_to_box(mask)
    return mask[box[1] : box[3], box[0] : box[2]] if box else None


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


@variant("pixel by pixel")
def pixel_by_pixel(mask):
    box = None
    for y, row in enumerate(mask.tolist()):
        for x, inside in enumerate(row):
            if inside:
                x0, y0, x1, y1 = box or (x, y, x, y)
                box = [min(x0, x), min(y0, y), max(x1, x + 1), max(y1, y + 1)]
    return box


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
