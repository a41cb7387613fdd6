"""Lesson 06: `UpConv(in_channels, out_channels, mode="transposed")`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build, Script
from helpers.checks.shared import claim
from helpers.checks.subject import Raised
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.unet import UpConv


@exercise(
    UpConv,
    lesson="06_decoder",
    concept="Upsampling",
    points=3,
    minutes=7,
    difficulty=2,
    hints=[
        "Two ways up: one layer that learns how to spread a pixel, or enlarging without weights and convolving "
        "afterwards. Which of them does each mode name?",
        "`nn.ConvTranspose2d` with a kernel as large as its stride doubles the sides. `nn.Upsample` takes a "
        "`scale_factor` and a `mode`, and has no weights, so a convolution has to change the channels.",
        "Decide in `__init__` which layers to build, and put them into one `nn.Sequential`. The 3×3 convolution needs "
        "`padding=1`. For any other mode, raise the error there.",
    ],
    task=(
        'Doubles the sides and changes the channels. `"transposed"`: a transposed convolution 2×2 with stride 2 '
        '(`nn.ConvTranspose2d`). `"nearest"` and `"bilinear"`: enlarge by 2 without weights (`nn.Upsample`, with '
        "`align_corners` left as it is), then a convolution 3×3 "
        "that keeps the sides. No norm and no ReLU. Any other `mode` raises a `ValueError`."
    ),
)
def probes(draw):
    """All three modes, unequal channels and sides, a batch of one, a mode that does not exist."""
    yield Build((2, 3), (draw.normal(2, 2, 3, 4),), bias_open=True)
    yield Build((3, 2), (draw.normal(2, 3, 4, 3),), {"mode": "nearest"}, bias_open=True)
    yield Build((3, 2, "bilinear"), (draw.normal(1, 3, 3, 5),), bias_open=True)
    yield Build((2, 2, "transposed"), (draw.normal(1, 2, draw.size(2, 5), draw.size(2, 5)),), bias_open=True)
    yield Build((3, 3, "nearest"), (draw.normal(3, 3, draw.size(2, 5), draw.size(2, 5)),), bias_open=True)
    yield Build((3, 3), (draw.normal(2, 3, draw.size(2, 5), 3),), {"mode": "bilinear"}, bias_open=True)
    yield Script(_unknown_mode, '`UpConv(2, 3, "cubic")`', {"x": MAP})


edit = edits_of(UpConv)


MAP = torch.ones(1, 2, 3, 4)


def _unknown_mode(subject):
    """What a mode that does not exist leads to: how a layer for it would look, or what else is raised, is all one."""
    made = subject.construct((2, 3, "cubic"), {}).value
    if not isinstance(made, Raised):
        subject.train(False)
        made = subject.forward((MAP,)).value  # an answer may ask for the mode only here
    yield claim("an unknown mode raises something", isinstance(made, Raised))
    yield claim("what it raises is a ValueError", isinstance(made, Raised) and made.kind == "ValueError")


edit(
    "an unknown mode goes through",
    "A mode that does not exist builds something all the same, so a misspelt `mode` goes unnoticed until somebody "
    "wonders about the result. Look at your last `else`.",
    ('if mode == "transposed":', 'if mode not in ("nearest", "bilinear"):'),
)

edit(
    "the mode is ignored",
    "Whatever the mode, you build the transposed convolution. The two other ways up are there to be compared with it. "
    "Look at where `__init__` asks for `mode`.",
    ('if mode == "transposed":', "if True:"),
)

edit(
    "another exception than ValueError",
    "A mode that does not exist ends in another exception than a `ValueError`: an `assert` raises an AssertionError, a "
    "missing key of a dict a KeyError, and torch one of its own if the mode gets that far. Look at what happens where "
    "`mode` is none of the three.",
    ("raise ValueError(", "raise KeyError("),
)

edit(
    "always nearest",
    'For `"bilinear"` you enlarge by copying pixels, as for `"nearest"`: the blocks stay visible. `nn.Upsample` copies '
    "unless it is told otherwise. Look at what you pass to it.",
    ("scale_factor=2, mode=mode", "scale_factor=2"),
)

edit(
    "always bilinear",
    'For `"nearest"` you blend neighbouring pixels, as for `"bilinear"`, where copies were asked for. '
    "Look at the mode that reaches the upsampling.",
    ("mode=mode", 'mode="bilinear"'),
)

edit(
    "nearest and bilinear exchanged",
    'For `"nearest"` you blend neighbouring pixels, and for `"bilinear"` you copy them: the two are exchanged. '
    "Look at which mode makes which layer.",
    ("mode=mode", 'mode="nearest" if mode == "bilinear" else "bilinear"'),
)

edit(
    "corners aligned",
    "You aligned the corners of the small and the large grid, so inner pixels are stretched by a factor that depends "
    "on the size of the image. The same object then grows differently in a tile and in the whole picture. Look at "
    "`align_corners`.",
    ("mode=mode)", 'mode=mode, align_corners=True if mode == "bilinear" else None)'),
)

edit(
    "convolved before the enlarging",
    "You convolve on the small map and enlarge afterwards, so the last thing that happens is copying or blending, and "
    "nothing can sharpen it again. Look at the order of the two.",
    ("self.layers(x)", "self.layers[::-1](x)"),
)

edit(
    "a 1×1 convolution after the enlarging",
    "After the enlarging you convolve 1×1: it changes the channels but cannot look at a neighbour, so the blocks stay "
    "blocks. Look at the size of that kernel.",
    ("kernel_size=3, padding=1", "kernel_size=1"),
)

edit(
    "no padding after the enlarging",
    "Your 3×3 convolution takes a pixel off every side, so the sides are two short of double. "
    "Look at the padding of the convolution.",
    ("kernel_size=3, padding=1", "kernel_size=3"),
)

edit(
    "no convolution after the enlarging",
    "After the enlarging nothing changes the channels: `out_channels` is ignored, and there is no weight to learn. "
    "Look at what follows the upsampling.",
    ("nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)", "nn.Identity()"),
)

edit(
    "a 3×3 kernel for the transposed convolution",
    "Your transposed convolution has a 3×3 kernel. With stride 2 its stamps overlap in every other row and column, "
    "and those get twice the light: a checkerboard. Look at its kernel size.",
    ("kernel_size=2, stride=2", "kernel_size=3, stride=2, padding=1, output_padding=1"),
)

edit(
    "a 4×4 kernel for the transposed convolution",
    "Your transposed convolution has a 4×4 kernel, as in networks that generate images. It doubles the sides too, but "
    "its stamps overlap and it has four times the weights asked for. Look at its kernel size.",
    ("kernel_size=2, stride=2", "kernel_size=4, stride=2, padding=1"),
)

edit(
    "the stride is missing",
    "Your transposed convolution moves its stamps one pixel at a time, so the sides grow by one instead of doubling. "
    "Look at its `stride`: it is 1 unless you say so.",
    ("kernel_size=2, stride=2", "kernel_size=2"),
)

edit(
    "padding at the transposed convolution",
    "At a transposed convolution `padding` cuts pixels off the result, so your sides are two short of double. A 2×2 "
    "kernel with stride 2 doubles them as it is. Look at the padding of your transposed convolution.",
    ("kernel_size=2, stride=2", "kernel_size=2, stride=2, padding=1"),
)

edit(
    "an ordinary convolution with stride 2",
    "You used `nn.Conv2d` with stride 2 where the transposed one was asked for: it *halves* the sides. "
    "Look at the name of the layer.",
    ("nn.ConvTranspose2d(", "nn.Conv2d("),
)

edit(
    "a 3×3 convolution after the transposed one",
    "In the transposed mode a 3×3 convolution follows as well. The transposed convolution is all "
    "there is to this mode; the 3×3 convolution belongs to the two others. Look at what each mode makes.",
    ("kernel_size=2, stride=2)", "kernel_size=2, stride=2), nn.Conv2d(out_channels, out_channels, 3, padding=1)"),
)

edit(
    "channels changed by a 3×3 convolution after the transposed one",
    "In the transposed mode you keep the channels, and a 3×3 convolution changes them afterwards. The transposed "
    "convolution is all there is to this mode: it goes from `in_channels` to `out_channels` by itself. "
    "Look at what each mode makes.",
    ("nn.ConvTranspose2d(in_channels, out_channels", "nn.ConvTranspose2d(in_channels, in_channels"),
    ("kernel_size=2, stride=2)", "kernel_size=2, stride=2), nn.Conv2d(in_channels, out_channels, 3, padding=1)"),
)

edit(
    "channels exchanged",
    "Your layers expect `out_channels` and give `in_channels`, so they fail as soon as the two differ. A transposed "
    "convolution takes its arguments in the same order as an ordinary one. Look at their order.",
    ("nn.ConvTranspose2d(in_channels, out_channels", "nn.ConvTranspose2d(out_channels, in_channels"),
    ("nn.Conv2d(in_channels, out_channels", "nn.Conv2d(out_channels, in_channels"),
)

edit(
    "channels of the transposed convolution exchanged",
    "Your transposed convolution expects `out_channels` and gives `in_channels`, so it fails where the two differ. "
    "It goes up in size, but its arguments stand in the same order as those of an ordinary one. Look at their order.",
    ("nn.ConvTranspose2d(in_channels, out_channels", "nn.ConvTranspose2d(out_channels, in_channels"),
)

edit(
    "channels always halved",
    "Half as many channels come out as went in, whatever `out_channels` says. A U-Net halves them at each step up, "
    "but the argument says how many there have to be. Look at the second argument of your layers.",
    ("super().__init__()", "super().__init__()\n        out_channels = in_channels // 2"),
)

edit(
    "a ReLU at the end",
    "A ReLU at the end cuts off everything negative. Here the result goes on to a `DoubleConv`, which brings "
    "its own. Look at what comes after your last layer.",
    ("self.layers(x)", "self.layers(x).relu()"),
)

edit(
    "a norm at the end",
    "There is a batch norm at the end. This block only goes up; the `DoubleConv` that follows normalises. "
    "Look at what comes after your last layer.",
    ("super().__init__()", "super().__init__()\n        self.norm = nn.BatchNorm2d(out_channels)"),
    ("self.layers(x)", "self.norm(self.layers(x))"),
)

edit(
    "a norm after the transposed convolution",
    "In the transposed mode there is a batch norm behind your layer. This block only goes up; the `DoubleConv` that "
    "follows normalises. Look at what comes after the transposed convolution.",
    ("kernel_size=2, stride=2)", "kernel_size=2, stride=2), nn.BatchNorm2d(out_channels)"),
)

edit(
    "both ways built",
    "You register a layer that the mode has no use for, as where the transposed convolution *and* the ordinary one are "
    "built: it takes up memory and never gets a gradient. Look at what `__init__` makes for each mode.",
    (
        "super().__init__()",
        "super().__init__()\n"
        "        other = nn.Conv2d if mode == 'transposed' else nn.ConvTranspose2d\n"
        "        self.other = other(in_channels, out_channels, 2)",
    ),
)

edit(
    "nearest by default",
    "Without a `mode` you enlarge by copying; the default asked for is the transposed convolution. "
    "Look at the first line of `__init__`.",
    ('mode: str = "transposed"', 'mode: str = "nearest"'),
)

edit(
    "layers in a plain list",
    "Your layers are in a plain Python list. PyTorch does not look into lists: `parameters()` misses them, so no "
    "optimizer trains them. Look at where you keep them; `nn.Sequential` or an attribute of their own registers them.",
    ("super().__init__()", "super().__init__()\n        row = lambda *layers: layers"),
    ("nn.Sequential(nn.ConvTranspose2d", "row(nn.ConvTranspose2d"),
    ("nn.Sequential(\n", "row(\n"),
    ("self.layers(x)", "nn.Sequential(*self.layers)(x)"),
)


@variant("no bias, functional upsampling")
class Functional(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode not in {"transposed", "nearest", "bilinear"}:
            raise ValueError("mode must be transposed, nearest or bilinear")
        self.mode = mode
        if mode == "transposed":
            self.conv = nn.ConvTranspose2d(in_channels, out_channels, (2, 2), (2, 2), bias=False)
        else:
            self.conv = nn.Conv2d(in_channels, out_channels, 3, padding="same", bias=False)

    def forward(self, x):
        if self.mode != "transposed":
            x = F.interpolate(x, size=(2 * x.shape[2], 2 * x.shape[3]), mode=self.mode)
        return self.conv(x)


@variant("a table of modes, weights of its own")
class Table(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        ways = {"transposed": self.transposed, "nearest": self.nearest, "bilinear": self.bilinear}
        if mode not in ways:
            raise ValueError(f"unknown mode {mode}")
        shape = (in_channels, out_channels, 2, 2) if mode == "transposed" else (out_channels, in_channels, 3, 3)
        self.weight = nn.Parameter(torch.randn(shape) * 0.1)
        self.bias = None if mode == "transposed" else nn.Parameter(torch.zeros(out_channels))
        self.way = ways[mode]

    def transposed(self, x):
        n, _, h, w = x.shape
        return torch.einsum("nihw,iouv->nohuwv", x, self.weight).reshape(n, -1, 2 * h, 2 * w)

    def nearest(self, x):
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        return F.conv2d(x, self.weight, self.bias, padding=1)

    def bilinear(self, x):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return F.conv2d(F.pad(x, (1, 1, 1, 1)), self.weight, self.bias)

    def forward(self, x):
        return self.way(x)


@variant("made by a function")
def by_function(in_channels, out_channels, mode="transposed"):
    if mode == "transposed":
        return nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
    ways = {"nearest": nn.UpsamplingNearest2d(scale_factor=2), "bilinear": nn.Upsample(scale_factor=2, mode="bilinear")}
    if mode not in ways:
        raise ValueError(mode)
    return nn.Sequential(ways[mode], nn.Conv2d(in_channels, out_channels, 3, padding=1))
