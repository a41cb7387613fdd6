"""Lesson 01: `to_tensor(image)`."""

import numpy as np
import torch
from torchvision.transforms.v2 import functional as vision

from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.pixels import to_tensor


def _picture(values):
    kind = "grey" if values.ndim == 2 else f"{values.shape[2]}-channel"
    label = f"a {kind} picture, a uint8 array of shape {tuple(values.shape)}"
    return Call((Fixture("NumPy array", {"values": values}),), label=label, exact_dtype=True)


@exercise(
    to_tensor,
    lesson="01_pixels",
    concept="Layout of an image tensor",
    points=3,
    minutes=6,
    difficulty=2,
    hints=[
        "Three things change: the order of the axes, the type of the numbers, and their range.",
        "`permute` puts axes into another order and moves the pixels with them; `view` and `reshape` keep the pixels "
        "where they are. A grey picture has one axis too few for it: `image.ndim` tells.",
        "Give a grey picture a third axis of length 1, so that both kinds are `(H, W, C)`. From there it is one path: "
        "`torch.from_numpy`, channels first, float32, and a division by the largest number that uint8 holds.",
    ],
    task=(
        "Turn a picture as it comes from a file, a NumPy array of dtype uint8 and shape `(H, W)` or `(H, W, C)`, into "
        "a float32 tensor of shape `(C, H, W)` with values from 0 to 1. A grey picture has one channel."
    ),
)
def probes(draw):
    """Pictures as NumPy arrays: grey ones and some of 1, 2, 3 and 4 channels, whose sides look like channels too."""
    yield _picture(torch.tensor([[0, 51, 102], [153, 204, 255]], dtype=torch.uint8))  # 0, 0.2, … 1
    rows, columns = torch.arange(2)[:, None, None], torch.arange(4)[:, None]
    yield _picture((100 * rows + 10 * columns + torch.arange(3) + 5).to(torch.uint8))  # no 0, no 255
    yield _picture(torch.zeros(2, 3, dtype=torch.uint8))
    yield _picture(torch.tensor([[102]], dtype=torch.uint8))  # one pixel: its axes are right in any order
    yield _picture(torch.tensor([[0, 1, 1], [1, 0, 1]], dtype=torch.uint8))  # nearly black, though no value is above 1
    yield _picture(draw.image(5, 3))
    yield _picture(draw.image(4, 1))
    yield _picture(draw.image(3, 4))
    yield _picture(draw.image(3, 5, 3))
    yield _picture(draw.image(4, 3, 1))
    yield _picture(draw.image(1, 6, 2) // 2)
    yield _picture(draw.image(5, 2, 4))
    h, w = draw.size(5, 30), draw.size(5, 30)
    yield _picture(draw.image(h, w, 3))
    yield _picture(draw.image(w, h))


edit = edits_of(to_tensor)

edit(
    "channels last",
    "Your tensor still has the channels at the end. PyTorch reads `(C, H, W)`, so a convolution would take the rows "
    "of your picture for its channels. Look at the order of the axes.",
    ("pixels.permute(2, 0, 1)", "pixels"),
)

edit(
    "reshaped instead of permuted",
    "The shape is right and the picture is shredded: `view` and `reshape` count the numbers out in their old order, so "
    "each of your channels holds a mixture of all. Look for a function that moves axes instead of relabelling them.",
    ("permute(2, 0, 1)", "reshape(pixels.shape[2], *pixels.shape[:2])"),
)

edit(
    "rows and columns exchanged",
    "Your height and width have changed places, so the picture lies on its side and no longer fits its mask. "
    "Turning all axes round gives `(C, W, H)`: look at the order in which you list them.",
    ("(2, 0, 1)", "(2, 1, 0)"),
)

edit(
    "not scaled",
    "Your values still run to 255. The tensor is float, but a network's first weights expect numbers of about 1, and "
    "255 times that saturates everything behind it. Look at what `.float()` changes: the type, not the range.",
    (" / 255", ""),
)

edit(
    "divided by 256",
    "You divided by 256, so white comes out as 0.996 and never reaches 1. There are 256 values, and the largest is one "
    "less, since counting begins at 0. Look at your divisor.",
    ("/ 255", "/ 256"),
)

edit(
    "divided by the picture's own maximum",
    "You divided by the largest value in *this* picture, so a dark picture comes out as bright as a sunny one, and a "
    "black one as NaN. What was darker in the file has to stay darker in the tensor: look at your divisor.",
    ("/ 255", "/ pixels.max()"),
)

edit(
    "stretched from the darkest to the brightest pixel",
    "You stretched each picture from its own darkest to its own brightest pixel. Then one speck of dust changes every "
    "other number, and two pictures can no longer be compared. Look at what you subtract and divide by.",
    ("pixels.permute", "(pixels - pixels.min()).permute"),
    ("/ 255", "/ (pixels.max() - pixels.min()).clamp(min=1)"),
)

edit(
    "from -1 to 1",
    "Your values run from -1 to 1: black is -1 instead of 0. Some networks want that, this course does not. "
    "Look at what you do after the division.",
    ("/ 255", "/ 127.5 - 1"),
)

edit(
    "divided as whole numbers",
    "Nearly every pixel became 0: `//` drops the digits after the decimal point, so only a pure white survives. Look "
    "at the operator, and at the type that the numbers have when you divide.",
    ("/ 255", "// 255"),
)

edit(
    "float64",
    "Your numbers are float64. NumPy divides in double precision, and a float32 layer refuses such "
    "an input. Look at the dtype after the division.",
    ("torch.float32", "torch.float64"),
)

edit(
    "float16",
    "Your numbers are float16, which keeps only three digits and which most layers refuse "
    "on a CPU. Look at the dtype that you convert to.",
    ("torch.float32", "torch.float16"),
)

edit(
    "no channel axis for grey pictures",
    "A grey picture comes out with two axes. A network takes `(C, H, W)` and would read your rows as channels. "
    "Grey is one channel: look at what happens to an array with two axes.",
    ("pixels.permute(2, 0, 1)", "(pixels.permute(2, 0, 1) if image.ndim == 3 else pixels[:, :, 0])"),
)

edit(
    "the channel of grey pictures at the end",
    "A grey picture comes out as `(H, W, 1)`: it got its channel, in the place where NumPy has it. "
    "Look at where you insert the new axis, or at whether grey pictures reach your `permute`.",
    ("pixels.permute(2, 0, 1)", "(pixels.permute(2, 0, 1) if image.ndim == 3 else pixels)"),
)

edit(
    "grey pictures fail",
    "A grey picture raises an error, because your code takes three axes for granted and it has two. Half of all "
    "micrographs are grey. Look at `image.ndim` before you name an axis.",
    ("pixels[:, :, None]", "pixels"),
    any_error=True,
)

edit(
    "grey pictures made colour",
    "You copied the one channel of a grey picture three times. That is three times the memory and no new information, "
    "and a network with `in_channels=1` refuses it. Look at what you do when `image.ndim` is 2.",
    ("pixels[:, :, None]", "pixels[:, :, None].expand(-1, -1, 3)"),
)

edit(
    "colour made grey",
    "Your tensor has one channel whatever came in: you averaged the colours away, and with them what tells a stain "
    "from another. Look at what you do with the last axis.",
    (".to(torch.float32)", ".to(torch.float32).mean(0, keepdim=True)"),
)

edit(
    "the channels in reverse",
    "Red and blue have changed places. That order belongs to OpenCV, which reads pictures as BGR; here the channels "
    "stay as they come. Look for a flip or a `[::-1]`.",
    ("(2, 0, 1)", "(2, 0, 1).flip(0)"),
)

edit(
    "always three channels",
    "You keep three channels at most. A picture with transparency has four, and yours comes out without the last. "
    "Look at where a 3 stands in your code.",
    ("(2, 0, 1)", "(2, 0, 1)[:3]"),
)


@misconception(
    "channels guessed from the length of an axis",
    "You tell the channels by an axis that is 1 or 3 long. A grey picture that is 3 pixels wide has such an axis, too, "
    "and yours comes out wrong. The number of axes is what decides: look at `image.ndim`.",
)
def guessed_last(image):
    pixels = torch.from_numpy(image).float() / 255
    if pixels.shape[-1] in (1, 3, 4):
        return pixels.movedim(-1, 0)
    return pixels[None]


edit(
    "a picture three rows high left as it is",
    "When the first axis is 1 or 3 long you take it for the channels and leave the order alone. A picture may be 3 "
    "rows high. Here the channels always come last: look at your condition.",
    ("pixels.permute(2, 0, 1)", "(pixels if image.ndim == 3 and len(image) in (1, 3) else pixels.permute(2, 0, 1))"),
)

edit(
    "a batch axis in front",
    "Your tensor has four axes: you made a batch of one. A `DataLoader` puts pictures together to batches itself, and "
    "would give five axes from yours. Look for an `unsqueeze` or a `[None]` too many.",
    ("(2, 0, 1)", "(2, 0, 1)[None]"),
)

edit(
    "an array instead of a tensor",
    "What you return is still a NumPy array. It has no gradients and no device, and a layer "
    "refuses it. Look at where the array becomes a tensor.",
    (".to(torch.float32)", ".to(torch.float32).numpy()"),
)

edit(
    "rows and columns of colour pictures exchanged",
    "In pictures with a channel axis, height and width have changed places: they lie on their side and no longer fit "
    "their masks. Only the channels should move. Look at the order in which you list the axes.",
    ("(2, 0, 1)", "(*((2, 0, 1) if image.ndim == 2 else (2, 1, 0)))"),
)

edit(
    "axes moved the other way round",
    "Your tensor is `(W, C, H)`: the first axis went to the end, instead of the last one to the front. "
    "`permute` wants, for each new axis, the number of the old one. Look at the order in which you list them.",
    ("(2, 0, 1)", "(1, 2, 0)"),
)

edit(
    "the channel of grey pictures in front, and then moved",
    "A grey picture comes out as `(W, 1, H)`: its channel was in front already, and then you moved the axes as if it "
    "stood at the end. Look at where you insert the new axis, and at whether grey pictures reach your `permute`.",
    ("pixels[:, :, None]", "pixels[None]"),
)

edit(
    "axes of length 1 dropped",
    "You drop axes of length 1, so a picture with one channel comes out without its channel axis, and a picture one "
    "row high without its rows. Look for a `squeeze`.",
    ("(2, 0, 1)", "(2, 0, 1).squeeze()"),
)

edit(
    "only the first channel",
    "You keep the first channel of a picture and drop the others, so of a colour picture only the red is left. "
    "Look at how you index the last axis.",
    ("(2, 0, 1)", "(2, 0, 1)[:1]"),
)

edit(
    "still uint8",
    "Your tensor is still uint8, from 0 to 255: type and range have not changed. It is a bad type to compute with, and "
    "layers refuse it. Look at what you do after the axes are in order.",
    (".to(torch.float32) / 255", ""),
)

edit(
    "whole numbers at the end",
    "You divide, and then turn the result into whole numbers: what was between 0 and 1 is now 0. "
    "Convert before the division, and to float32. Look at your last conversion.",
    ("pixels.permute", "(pixels / 255).permute"),
    (".to(torch.float32) / 255", ".to(torch.uint8)"),
)

edit(
    "divided twice",
    "Your values are 255 times too small: white comes out as 0.004. You divide by 255 twice. "
    "Look for a second division, or for a function that scales already.",
    ("/ 255", "/ 255 / 255"),
)

edit(
    "divided only where a value is above 1",
    "A picture of zeros and ones stays as it is: you divide only where the largest value is above 1. Such a "
    "picture is nearly black, and its values count up to 255 like all others. Look at your condition.",
    ("/ 255", "/ (255 if pixels.max() > 1 else 1)"),
)

edit(
    "divided by the picture's own maximum, unless it is black",
    "You divided by the largest value in *this* picture, so a dark picture comes out as bright as a sunny one. "
    "What was darker in the file has to stay darker in the tensor: look at your divisor.",
    ("/ 255", "/ pixels.max().clamp(min=1)"),
)

edit(
    "mean and standard deviation of the picture taken out",
    "You subtracted the picture's own mean and divided by its own standard deviation. Then the values do not run from "
    "0 to 1, and two pictures can no longer be compared. Look at what you do besides dividing by 255.",
    (
        "return ",
        "pixels = pixels.float()\n    pixels = (pixels - pixels.mean()) / pixels.std(correction=0)\n    return ",
    ),
    ("/ 255", ""),
)


@variant("grey and colour apart")
def two_branches(image):
    tensor = torch.tensor(image, dtype=torch.float32)
    tensor = tensor.unsqueeze(0) if tensor.dim() == 2 else tensor.movedim(-1, 0)
    return tensor.div_(255)


@variant("multiplied by the reciprocal, in double precision first")
def reciprocal(image):
    pixels = torch.as_tensor(np.atleast_3d(image).astype(float) * (1 / 255))
    return pixels.transpose(0, 2).transpose(1, 2).contiguous().float()


@variant("pixel by pixel")
def pixel_by_pixel(image):
    height, width, *rest = image.shape
    channels = image.reshape(height, width, -1)
    tensor = torch.empty(rest[0] if rest else 1, height, width)
    for c in range(len(tensor)):
        for y in range(height):
            for x in range(width):
                tensor[c, y, x] = int(channels[y, x, c]) / 255
    return tensor


@variant("with torchvision")
def with_torchvision(image):
    return vision.to_dtype(vision.to_image(image), torch.float32, scale=True)
