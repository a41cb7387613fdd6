"""Lesson 06: `upsample_nearest(x, scale=2)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.decoder import upsample_nearest


@exercise(
    upsample_nearest,
    lesson="06_decoder",
    concept="Upsampling",
    points=2,
    minutes=5,
    difficulty=2,
    hints=[
        "Write down the rows of the result for three input rows and `scale=2`: which input row is each of them?",
        "Row 0 appears `scale` times, then row 1 `scale` times. The columns do the same, and the two are independent.",
        "Make the list of row numbers with `torch.arange` and a whole-number division, and index `x` with it along one "
        "axis. Do the same for the columns.",
    ],
    task=(
        "By hand: every pixel of `x`, shape `(N, C, H, W)`, becomes a block of `scale` × `scale` pixels of its value. "
        "The result has shape `(N, C, H * scale, W * scale)`."
    ),
    forbidden=(
        "interpolate",
        "upsample",
        "upsample_bilinear",
        "grid_sample",
        "conv_transpose2d",
        "max_unpool2d",
        "zoom",
        "resize",
        "rescale",
        "pyramid_expand",
    ),
)
def probes(draw):
    """Numbered pixels, so that it can be read off where each one went; unequal sides; other scales than 2."""
    yield (torch.tensor([[[[1.0, 2.0, 5.0]]]]),)
    yield (draw.positions(2, 3)[None, None] + 1,)
    yield draw.positions(3, 2)[None, None] + 1, 3
    yield draw.normal(2, 3, 4, 2), 2
    yield draw.normal(1, 2, 3, 4), 1
    yield draw.normal(2, 2, draw.size(2, 6), draw.size(2, 6)), draw.size(4, 5)


edit = edits_of(upsample_nearest)

edit(
    "the whole map is repeated",
    "You laid copies of the whole map side by side, as tiles. Every *pixel* has to grow where it stands. Look at what "
    "`repeat` and `tile` repeat, and in which order the values come out.",
    (
        "torch.arange(x.shape[2] * scale, device=x.device) // scale",
        "torch.arange(x.shape[2] * scale, device=x.device) % x.shape[2]",
    ),
    (
        "torch.arange(x.shape[3] * scale, device=x.device) // scale",
        "torch.arange(x.shape[3] * scale, device=x.device) % x.shape[3]",
    ),
)

edit(
    "the rows laid as tiles",
    "The columns grow in place, but downwards the whole map comes again and again: copies of a row do not stand one "
    "below the other. `repeat`, `tile` and `cat` repeat the whole; and `reshape` reads the axes from left to right, "
    "so the copies have to stand right *behind* the axis they enlarge. Look at how the rows are made.",
    (
        "torch.arange(x.shape[2] * scale, device=x.device) // scale",
        "torch.arange(x.shape[2] * scale, device=x.device) % x.shape[2]",
    ),
)

edit(
    "the columns laid as tiles",
    "The rows grow in place, but sideways the whole map comes again and again: copies of a column do not stand side "
    "by side. `repeat`, `tile` and `cat` repeat the whole; and `reshape` reads the axes from left to right, so the "
    "copies have to stand right *behind* the axis they enlarge. Look at how the columns are made.",
    (
        "torch.arange(x.shape[3] * scale, device=x.device) // scale",
        "torch.arange(x.shape[3] * scale, device=x.device) % x.shape[3]",
    ),
)

edit(
    "blocks laid out in a line",
    "The copies of a pixel all stand one after the other in its row, so they make a line and no block. `reshape` "
    "reads the axes from left to right: the copies that go down have to stand right behind the rows, those that go "
    "sideways behind the columns. Look at the order of the axes before your `reshape` or `view`.",
    (
        "x[:, :, rows][:, :, :, columns]",
        "x[..., None, None].expand(*x.shape, scale, scale).reshape(*x.shape[:2], len(rows), len(columns))",
    ),
)

edit(
    "zeros between the pixels",
    "You put the pixels apart and left zeros between them, a *bed of nails*. The gaps have to be filled with the value "
    "of their pixel. Look at which positions of the result you write to.",
    (
        "return x[:, :, rows][:, :, :, columns]",
        "out = x.new_zeros(*x.shape[:2], len(rows), len(columns))\n    out[:, :, ::scale, ::scale] = x\n    return out",
    ),
)

edit(
    "only the rows",
    "Your result is taller, not wider: only the rows were repeated. Look at the second of the two axes.",
    ("[:, :, :, columns]", ""),
)

edit(
    "only the columns",
    "Your result is wider, not taller: only the columns were repeated. Look at the first of the two axes.",
    ("[:, :, rows]", ""),
)

edit(
    "the scale is always 2",
    "Any scale gives twice the size. Look for a 2 in your code that should be the argument.",
    ("    rows =", "    scale = 2\n    rows ="),
)

edit(
    "axes counted from the wrong end",
    "You enlarged the channels and the rows instead of the rows and the columns. In `(N, C, H, W)` the picture is in "
    "the last two axes: look at the `dim` you pass.",
    ("x[:, :, rows][:, :, :, columns]", "x.repeat_interleave(scale, dim=1).repeat_interleave(scale, dim=2)"),
)


@misconception(
    "blended between the pixels",
    "Your result contains values that are not in `x`: you blended neighbours, as bilinear interpolation does. With "
    "*nearest* every value is copied, none is computed. Look for a mean or a weight.",
)
def blended(x, scale=2):
    def along(x, axis):
        size = x.shape[axis]
        place = ((torch.arange(size * scale) + 0.5) / scale - 0.5).clamp(0, size - 1)
        low = place.floor().long()
        fraction = (place - low).view([-1 if k == axis else 1 for k in range(4)])
        high = (low + 1).clamp(max=size - 1)
        return x.index_select(axis, low) * (1 - fraction) + x.index_select(axis, high) * fraction

    return along(along(x, 2), 3)


edit(
    "the corners are aligned",
    "You spread the pixel numbers evenly from the first to the last and rounded, so the outer pixels get smaller "
    "blocks than the inner ones. Every pixel gets a block of the same size: look at how you get from a row of the "
    "result to a row of `x`.",
    (
        "torch.arange(x.shape[2] * scale, device=x.device) // scale",
        "torch.linspace(0, x.shape[2] - 1, x.shape[2] * scale).round().long()",
    ),
    (
        "torch.arange(x.shape[3] * scale, device=x.device) // scale",
        "torch.linspace(0, x.shape[3] - 1, x.shape[3] * scale).round().long()",
    ),
)

edit(
    "shifted by one",
    "The blocks are shifted by one pixel of the result: the first is too small and the last too large. Look at the "
    "number you add or subtract before you divide by `scale`.",
    (
        "torch.arange(x.shape[2] * scale, device=x.device) // scale",
        "((torch.arange(x.shape[2] * scale) + 1) // scale).clamp(max=x.shape[2] - 1)",
    ),
    (
        "torch.arange(x.shape[3] * scale, device=x.device) // scale",
        "((torch.arange(x.shape[3] * scale) + 1) // scale).clamp(max=x.shape[3] - 1)",
    ),
)

edit(
    "rounded to the nearest row",
    "You round a place in the result to the nearest row and column of `x`, so the blocks come out of unequal size. A "
    "pixel's block lasts until the next one begins: look at `round`, and at what `//` would do.",
    (
        "torch.arange(x.shape[2] * scale, device=x.device) // scale",
        "(torch.arange(x.shape[2] * scale) / scale).round().long().clamp(max=x.shape[2] - 1)",
    ),
    (
        "torch.arange(x.shape[3] * scale, device=x.device) // scale",
        "(torch.arange(x.shape[3] * scale) / scale).round().long().clamp(max=x.shape[3] - 1)",
    ),
)

edit(
    "the value is shared out",
    "Each value is divided among the pixels of its block, so the picture gets darker the more you enlarge it. A pixel "
    "is copied, not split: look for a division by `scale`.",
    ("[:, :, :, columns]", "[:, :, :, columns] / scale**2"),
)

edit(
    "rows and columns exchanged",
    "The result lies on its side: rows and columns are exchanged. Look at the order of your axes, and at any "
    "`transpose` or `permute`.",
    ("[:, :, :, columns]", "[:, :, :, columns].mT"),
)

edit(
    "only the first image",
    "You enlarge the first image of the batch and leave the others out. Look at where the dimension `N` is lost.",
    ("    rows =", "    x = x[:1]\n    rows ="),
)

edit(
    "only the first channel",
    "You enlarge the first channel and leave the others out. Look at where the dimension `C` is lost.",
    ("    rows =", "    x = x[:, :1]\n    rows ="),
)

edit(
    "dimensions of length 1 lost",
    "With one image or one channel your result loses that dimension; four are promised. Look for a `squeeze`, or for "
    "an index where a slice should be.",
    ("[:, :, :, columns]", "[:, :, :, columns].squeeze()"),
)


@misconception(
    "the library's upsampling",
    "The numbers are right, and the library computed them: you called `interpolate` or one of its relatives. Here the "
    "point is to copy the pixels yourself, once. Look at the hints for where to begin.",
)
def library(x, scale=2):
    return F.interpolate(x, scale_factor=scale, mode="nearest")


@variant("new axes, expanded and folded")
def expanded(x, scale=2):
    n, c, h, w = x.shape
    return x[:, :, :, None, :, None].expand(n, c, h, scale, w, scale).reshape(n, c, h * scale, w * scale)


@variant("with numpy and a Kronecker product")
def with_numpy(x, scale=2):
    return torch.from_numpy(np.kron(np.asarray(x), np.ones((scale, scale))))


@variant("two matrix products")
def matrices(x, scale=2):
    down = torch.eye(x.shape[2]).repeat_interleave(scale, dim=0)
    across = torch.eye(x.shape[3]).repeat_interleave(scale, dim=1)
    return down @ x @ across


@variant("through channels")
def shuffled(x, scale=2):
    return F.pixel_shuffle(x.repeat_interleave(scale**2, dim=1), scale)
