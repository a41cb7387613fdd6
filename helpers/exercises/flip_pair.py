"""Lesson 01: `flip_pair(image, mask, horizontal, vertical)`."""

import numpy as np
import torch

from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.pixels import flip_pair


@exercise(
    flip_pair,
    lesson="01_pixels",
    concept="Image and mask move together",
    points=2,
    minutes=5,
    difficulty=1,
    hints=[
        "Whatever happens to the image has to happen to the mask. How many axes has each of them?",
        "`tensor.flip(axis)` mirrors along one axis. Left and right are ends of the *width*, the last axis.",
        "A negative axis counts from the end: -1 is the width in `(C, H, W)` and in `(H, W)`. What is the height? "
        "Ask for `horizontal` and `vertical` separately, since both may be true.",
    ],
    task=(
        "Mirror an image `(C, H, W)` and its mask `(H, W)` together and return `(image, mask)`. `horizontal` swaps "
        "left and right, `vertical` swaps top and bottom; either, both or neither may be true."
    ),
)
def probes(draw):
    """Every pixel of the first ones has its own value (100·row + column), so where it went can be read off."""
    for horizontal, vertical in ((True, False), (False, True), (True, True), (False, False)):
        positions = draw.positions(2, 3)
        yield positions[None], positions.long(), horizontal, vertical
        positions = draw.positions(4, 3)
        yield torch.stack([positions, positions + 1000]), positions.long(), horizontal, vertical
        square = draw.positions(3, 3)  # as many channels, too, so that axes can be exchanged without an error
        yield torch.stack([square, square + 1000, square + 2000]), square.long(), horizontal, vertical
        h, w = draw.size(2, 20), draw.size(2, 20)
        yield draw.normal(draw.size(1, 4), h, w), draw.mask(h, w), horizontal, vertical


edit = edits_of(flip_pair)

edit(
    "the image alone",
    "Only the image is mirrored. Its mask stays where it was, so the network learns that nuclei lie where there are "
    "none. Look at what you do to the mask.",
    ("mask.flip(axes)", "mask"),
)

edit(
    "the mask alone",
    "Only the mask is mirrored. The image stays where it was, so the network learns that nuclei lie where there are "
    "none. Look at what you do to the image.",
    ("image.flip(axes)", "image"),
)

edit(
    "horizontal and vertical exchanged",
    "Your `horizontal` swaps top and bottom, and your `vertical` swaps left and right. A horizontal flip moves "
    "pixels *along* the horizontal, from column to column. Look at which axis counts the columns.",
    ("(-1, horizontal), (-2, vertical)", "(-2, horizontal), (-1, vertical)"),
)

edit(
    "the image's axes exchanged",
    "In the image, `horizontal` swaps top and bottom; the mask is mirrored as it should be. The two no longer fit. "
    "An image has an axis more, in front, which moves the others one place on: look at your axis numbers.",
    ("image.flip(axes)", "image.flip([-3 - axis for axis in axes])"),
)

edit(
    "the mask's axes exchanged",
    "In the mask, `horizontal` swaps top and bottom; the image is mirrored as it should be. The two no longer fit. "
    "Look at the axis numbers that you use for the mask.",
    ("mask.flip(axes)", "mask.flip([-3 - axis for axis in axes])"),
)

edit(
    "the mask's axis numbers used for the image",
    "You use axes 0 and 1 for both. In the mask they are rows and columns, but the image begins with its channels: "
    "`vertical` puts *them* in reverse, red for blue. Look at which axis is which in `(C, H, W)`.",
    ("(-1, horizontal), (-2, vertical)", "(1, horizontal), (0, vertical)"),
)

edit(
    "the image's axis numbers used for the mask",
    "You use axes 1 and 2 for both. The mask `(H, W)` has no axis 2, so it raises an error, and its axis 1 is not the "
    "image's. Look at which axis is which in each of them.",
    ("(-1, horizontal), (-2, vertical)", "(2, horizontal), (1, vertical)"),
)

edit(
    "the channels in reverse, too",
    "The channels come out in reverse order: red for blue. `flip` along all axes turns the channel axis as well. "
    "Look at the axes that you pass for the image.",
    ("image.flip(axes)", "image.flip([0, *axes] if axes else [])"),
)

edit(
    "not both at once",
    "When both are true, you mirror left and right only: the second question is never asked. "
    "Look at your `elif`, or at a `return` inside the first `if`.",
    ("vertical)", "vertical and not horizontal)"),
)

edit(
    "only both at once",
    "You mirror only when both are true, and then along both axes. Each of them is a question of its own. "
    "Look at your condition.",
    ("if wanted", "if horizontal and vertical"),
)

edit(
    "one for both",
    "As soon as one of the two is true, you mirror along both axes. Each of them is a question of its own. "
    "Look at your condition.",
    ("if wanted", "if horizontal or vertical"),
)

edit(
    "always mirrored",
    "You mirror along both axes, whatever `horizontal` and `vertical` say. Whoever calls this draws them, and must be "
    "able to get the pair as it is. Look at where you use the two arguments.",
    (" if wanted", ""),
)

edit(
    "never mirrored",
    "The pair comes out as it went in. `flip` returns a *new* tensor and leaves the old one alone. "
    "Look at where you keep its result.",
    ("image.flip(axes), mask.flip(axes)", "image, mask"),
)

edit(
    "the opposite of what is asked",
    "You mirror when the argument is false and leave the pair alone when it is true. "
    "Look for a `not` or at your `else`.",
    ("if wanted", "if not wanted"),
)

edit(
    "a quarter turn",
    "You turn the pair by 90 degrees instead of mirroring it. Height and width change places, and nothing is "
    "mirrored. Look at the function you call.",
    ("image.flip(axes)", "image.rot90(len(axes), (-2, -1))"),
    ("mask.flip(axes)", "mask.rot90(len(axes), (-2, -1))"),
)

edit(
    "transposed",
    "You exchange rows and columns. That mirrors along the *diagonal*: height and width change places. "
    "Look for `.T`, `transpose` or `permute`.",
    ("image.flip(axes)", "(image.mT if axes else image)"),
    ("mask.flip(axes)", "(mask.mT if axes else mask)"),
)


@misconception(
    "a slice with a negative step",
    "You sliced with `[::-1]`, as NumPy allows. PyTorch's tensors have no negative steps and raise an error. "
    "Look for the method that mirrors a tensor.",
)
def negative_step(image, mask, horizontal, vertical):
    if horizontal:
        image, mask = image[:, :, ::-1], mask[:, ::-1]
    if vertical:
        image, mask = image[:, ::-1], mask[::-1]
    return image, mask


edit(
    "mask first",
    "You return the mask before the image. Whoever unpacks `image, mask = …` then trains on masks. "
    "Look at your last line.",
    ("image.flip(axes), mask.flip(axes)", "mask.flip(axes), image.flip(axes)"),
)

edit(
    "the image returned alone",
    "You return the image and no mask, so the mirrored mask is lost. A pair goes in and a pair comes out. "
    "Look at your last line.",
    (", mask.flip(axes)", ""),
)

edit(
    "not both at once, top and bottom only",
    "When both are true, you mirror top and bottom only: the second question is never asked. "
    "Look at your `elif`, or at a `return` inside the first `if`.",
    ("horizontal)", "horizontal and not vertical)"),
)

edit(
    "left and right in both cases",
    "`vertical` swaps left and right, too. When both are true, the pair is mirrored twice and stays as it was. "
    "Look at the axis under your `if vertical`.",
    ("(-1, horizontal), (-2, vertical)", "(-1, horizontal != vertical),"),
)

edit(
    "top and bottom in both cases",
    "`horizontal` swaps top and bottom, too. When both are true, the pair is mirrored twice and stays as it was. "
    "Look at the axis under your `if horizontal`.",
    ("(-1, horizontal), (-2, vertical)", "(-2, horizontal != vertical),"),
)

edit(
    "the mask mirrored top and bottom in both cases",
    "The image is right, but in the mask `horizontal` swaps top and bottom, as `vertical` does. Look at the axis that "
    "you use for the mask under `if horizontal`.",
    ("mask.flip(axes)", "mask.flip([-2] if horizontal != vertical else [])"),
)

edit(
    "the mask mirrored left and right in both cases",
    "The image is right, but in the mask `vertical` swaps left and right, as `horizontal` does. Look at the axis that "
    "you use for the mask under `if vertical`.",
    ("mask.flip(axes)", "mask.flip([-1] if horizontal != vertical else [])"),
)

edit(
    "the image mirrored left and right in both cases",
    "The mask is right, but in the image `vertical` swaps left and right, as `horizontal` does. Look at the axis that "
    "you use for the image under `if vertical`.",
    ("image.flip(axes)", "image.flip([-1] if horizontal != vertical else [])"),
)

edit(
    "the mask forgotten in a vertical flip",
    "`vertical` does not reach the mask: only left and right are swapped in it. Look at what stands under "
    "`if vertical`.",
    ("mask.flip(axes)", "mask.flip([-1] if horizontal else [])"),
)

edit(
    "the mask forgotten in a horizontal flip",
    "`horizontal` does not reach the mask: only top and bottom are swapped in it. Look at what stands under "
    "`if horizontal`.",
    ("mask.flip(axes)", "mask.flip([-2] if vertical else [])"),
)

edit(
    "nothing comes out when neither is true",
    "When neither is true, your function returns None instead of the pair as it is. Every `return` of yours stands "
    "under a condition: look at what comes after the last of them.",
    ("    return", "    if not axes:\n        return None\n    return"),
)

edit(
    "a channel axis for the mask",
    "Your mask comes out as `(1, H, W)`. A channel axis makes it like the image, so that both can be flipped alike, "
    "but it has to go again. Look at the shape of the mask that you return.",
    ("mask.flip(axes)", "mask.flip(axes)[None]"),
)

edit(
    "the mask made float",
    "Your mask comes out as float. Its numbers are names of classes, and a mirrored mask has the type of the one that "
    "came in. Look for a conversion, or for a tensor that holds image and mask at once.",
    ("mask.flip(axes)", "mask.flip(axes).float()"),
)


@variant("one after the other")
def one_after_the_other(image, mask, horizontal, vertical):
    if horizontal:
        image, mask = image.flip(2), mask.flip(1)
    if vertical:
        image, mask = image.flip(1), mask.flip(0)
    return image, mask


@variant("by reversed indices")
def reversed_indices(image, mask, horizontal, vertical):
    height, width = mask.shape
    rows = torch.arange(height - 1, -1, -1) if vertical else torch.arange(height)
    columns = torch.arange(width - 1, -1, -1) if horizontal else torch.arange(width)
    return image[:, rows][:, :, columns], mask[rows][:, columns]


@variant("stacked, so that both take the same way")
def stacked(image, mask, horizontal, vertical):
    both = torch.cat([image.double(), mask[None].double()])
    both = torch.fliplr(both.permute(1, 2, 0)).permute(2, 0, 1) if horizontal else both
    both = both.flip(dims=(1,)) if vertical else both
    return [both[:-1].to(image.dtype), both[-1].to(mask.dtype)]


@variant("with numpy")
def with_numpy(image, mask, horizontal, vertical):
    step_x, step_y = -1 if horizontal else 1, -1 if vertical else 1
    turned = [np.ascontiguousarray(x.numpy()[..., ::step_y, ::step_x]) for x in (image, mask)]
    return tuple(map(torch.from_numpy, turned))
