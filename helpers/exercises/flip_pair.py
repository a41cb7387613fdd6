"""Lesson 01: `flip_pair(image, mask, horizontal, vertical)`."""

import numpy as np
import torch
from torchvision.transforms.v2 import functional as vision

from helpers.exercises import exercise, misconception, variant
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
        yield torch.stack([positions, positions + 1000, positions + 2000]), positions.long(), horizontal, vertical
        square = draw.positions(3, 3)
        yield torch.stack([square, square + 1000]), square.long(), horizontal, vertical
        h, w = draw.size(2, 20), draw.size(2, 20)
        yield draw.normal(draw.size(1, 4), h, w), draw.mask(h, w), horizontal, vertical


@misconception(
    "the image alone",
    "Only the image is mirrored. Its mask stays where it was, so the network learns that nuclei lie where there are "
    "none. Look at what you do to the mask.",
)
def image_only(image, mask, horizontal, vertical):
    return flip_pair(image, mask, horizontal, vertical)[0], mask


@misconception(
    "the mask alone",
    "Only the mask is mirrored. The image stays where it was, so the network learns that nuclei lie where there are "
    "none. Look at what you do to the image.",
)
def mask_only(image, mask, horizontal, vertical):
    return image, flip_pair(image, mask, horizontal, vertical)[1]


@misconception(
    "horizontal and vertical exchanged",
    "`horizontal` swaps top and bottom with you, and `vertical` swaps left and right. A horizontal flip moves pixels "
    "*along* the horizontal, from column to column. Look at which axis counts the columns.",
)
def exchanged(image, mask, horizontal, vertical):
    return flip_pair(image, mask, vertical, horizontal)


@misconception(
    "the image's axes exchanged",
    "In the image, `horizontal` swaps top and bottom; the mask is mirrored as it should be. The two no longer fit. "
    "An image has an axis more, in front, which moves the others one place on: look at your axis numbers.",
)
def image_exchanged(image, mask, horizontal, vertical):
    return flip_pair(image, mask, vertical, horizontal)[0], flip_pair(image, mask, horizontal, vertical)[1]


@misconception(
    "the mask's axes exchanged",
    "In the mask, `horizontal` swaps top and bottom; the image is mirrored as it should be. The two no longer fit. "
    "Look at the axis numbers that you use for the mask.",
)
def mask_exchanged(image, mask, horizontal, vertical):
    return flip_pair(image, mask, horizontal, vertical)[0], flip_pair(image, mask, vertical, horizontal)[1]


def _axes(first, second, horizontal, vertical):
    return [axis for axis, wanted in ((first, horizontal), (second, vertical)) if wanted]


@misconception(
    "the mask's axis numbers used for the image",
    "You use axes 0 and 1 for both. In the mask they are rows and columns, but the image begins with its channels: "
    "`vertical` puts *them* in reverse, red for blue. Look at which axis is which in `(C, H, W)`.",
)
def mask_numbers_for_image(image, mask, horizontal, vertical):
    axes = _axes(1, 0, horizontal, vertical)
    return image.flip(axes), mask.flip(axes)


@misconception(
    "the image's axis numbers used for the mask",
    "You use axes 1 and 2 for both. The mask `(H, W)` has no axis 2, so it raises an error, and its axis 1 is not the "
    "image's. Look at which axis is which in each of them.",
)
def image_numbers_for_mask(image, mask, horizontal, vertical):
    axes = _axes(2, 1, horizontal, vertical)
    return image.flip(axes), mask.flip(axes)


@misconception(
    "the channels in reverse, too",
    "The channels come out in reverse order: red for blue. `flip` along all axes turns the channel axis as well. "
    "Look at the axes that you pass for the image.",
)
def channels_too(image, mask, horizontal, vertical):
    image, mask = flip_pair(image, mask, horizontal, vertical)
    return image.flip(0) if horizontal or vertical else image, mask


@misconception(
    "not both at once",
    "When both are true, you mirror left and right only: the second question is never asked. "
    "Look at your `elif`, or at a `return` inside the first `if`.",
)
def not_both(image, mask, horizontal, vertical):
    return flip_pair(image, mask, horizontal, vertical and not horizontal)


@misconception(
    "only both at once",
    "You mirror only when both are true, and then along both axes. Each of them is a question of its own. "
    "Look at your condition.",
)
def only_both(image, mask, horizontal, vertical):
    both = horizontal and vertical
    return flip_pair(image, mask, both, both)


@misconception(
    "one for both",
    "As soon as one of the two is true, you mirror along both axes. Each of them is a question of its own. "
    "Look at your condition.",
)
def either_flips_both(image, mask, horizontal, vertical):
    either = horizontal or vertical
    return flip_pair(image, mask, either, either)


@misconception(
    "always mirrored",
    "You mirror along both axes, whatever `horizontal` and `vertical` say. Whoever calls this draws them, and must be "
    "able to get the pair as it is. Look at where you use the two arguments.",
)
def always(image, mask, horizontal, vertical):
    return flip_pair(image, mask, True, True)


@misconception(
    "never mirrored",
    "The pair comes out as it went in. `flip` returns a *new* tensor and leaves the old one alone. "
    "Look at where you keep its result.",
)
def never(image, mask, horizontal, vertical):
    return image.clone(), mask.clone()


@misconception(
    "the opposite of what is asked",
    "You mirror when the argument is false and leave the pair alone when it is true. "
    "Look for a `not` or at your `else`.",
)
def negated(image, mask, horizontal, vertical):
    return flip_pair(image, mask, not horizontal, not vertical)


@misconception(
    "a quarter turn",
    "You turn the pair by 90 degrees instead of mirroring it. Height and width change places, and nothing is "
    "mirrored. Look at the function you call.",
)
def quarter_turn(image, mask, horizontal, vertical):
    turns = int(horizontal) + int(vertical)
    return torch.rot90(image, turns, (-2, -1)), torch.rot90(mask, turns, (-2, -1))


@misconception(
    "transposed",
    "You exchange rows and columns. That mirrors along the *diagonal*: height and width change places. "
    "Look for `.T`, `transpose` or `permute`.",
)
def transposed(image, mask, horizontal, vertical):
    return (image.mT, mask.mT) if horizontal or vertical else (image, mask)


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


@misconception(
    "mask first",
    "You return the mask before the image. Whoever unpacks `image, mask = …` then trains on masks. "
    "Look at your last line.",
)
def mask_first(image, mask, horizontal, vertical):
    return flip_pair(image, mask, horizontal, vertical)[::-1]


@misconception(
    "the image returned alone",
    "You return the image and no mask, so the mirrored mask is lost. A pair goes in and a pair comes out. "
    "Look at your last line.",
)
def returns_image(image, mask, horizontal, vertical):
    return flip_pair(image, mask, horizontal, vertical)[0]


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


@variant("with torchvision")
def with_torchvision(image, mask, horizontal, vertical):
    if horizontal:
        image, mask = vision.hflip(image), vision.hflip(mask)
    if vertical:
        image, mask = vision.vflip(image), vision.vflip(mask)
    return image, mask
