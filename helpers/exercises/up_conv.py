"""Lesson 06: `UpConv(in_channels, out_channels, mode="transposed")`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.exercises import exercise, misconception, variant
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
        'Doubles the sides and changes the channels. `"transposed"`: a transposed convolution 2×2 with stride 2. '
        '`"nearest"` and `"bilinear"`: enlarge two times without weights (corners not aligned), then a convolution 3×3 '
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
    yield Build((2, 3, "cubic"), (draw.normal(1, 2, 3, 4),), bias_open=True)


def _way_up(in_channels, out_channels, mode, transposed=None, upsample=None, conv=None):
    """The layers of a mode, with one place for each thing that can go wrong."""
    if mode not in ("transposed", "nearest", "bilinear"):
        raise ValueError(mode)
    if mode == "transposed":
        return [transposed or nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)]
    return [
        upsample or nn.Upsample(scale_factor=2, mode=mode),
        conv or nn.Conv2d(in_channels, out_channels, 3, padding=1),
    ]


class _Row(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


@misconception(
    "the mode is ignored",
    "Whatever the mode, you build the transposed convolution. The two other ways up are there to be compared with it. "
    "Look at where `__init__` asks for `mode`.",
)
class ModeIgnored(UpConv):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(in_channels, out_channels)


@misconception(
    "an unknown mode goes through",
    "A mode that does not exist builds something all the same, so a misspelt `mode` goes unnoticed until somebody "
    "wonders about the result. Look at your last `else`.",
)
class UnknownMode(UpConv):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(in_channels, out_channels, mode if mode in ("transposed", "nearest") else "bilinear")


@misconception(
    "always nearest",
    'For `"bilinear"` you enlarge by copying pixels, as for `"nearest"`: the blocks stay visible. `nn.Upsample` copies '
    "unless it is told otherwise. Look at what you pass to it.",
)
class AlwaysNearest(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(_way_up(in_channels, out_channels, mode, upsample=nn.Upsample(scale_factor=2)))


@misconception(
    "always bilinear",
    'For `"nearest"` you blend neighbouring pixels, as for `"bilinear"`, where copies were asked for. '
    "Look at the mode that reaches the upsampling.",
)
class AlwaysBilinear(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        upsample = nn.Upsample(scale_factor=2, mode="bilinear")
        super().__init__(_way_up(in_channels, out_channels, mode, upsample=upsample))


@misconception(
    "corners aligned",
    "You aligned the corners of the small and the large grid, so inner pixels are stretched by a factor that depends "
    "on the size of the image. The same object then grows differently in a tile and in the whole picture. Look at "
    "`align_corners`.",
)
class AlignCorners(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        aligned = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True) if mode == "bilinear" else None
        super().__init__(_way_up(in_channels, out_channels, mode, upsample=aligned))


@misconception(
    "convolved before the enlarging",
    "You convolve on the small map and enlarge afterwards, so the last thing that happens is copying or blending, and "
    "nothing can sharpen it again. Look at the order of the two.",
)
class ConvFirst(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(_way_up(in_channels, out_channels, mode)[::-1])


@misconception(
    "a 1×1 convolution after the enlarging",
    "After the enlarging you convolve 1×1: it changes the channels but cannot look at a neighbour, so the blocks stay "
    "blocks. Look at the size of that kernel.",
)
class Pointwise(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(_way_up(in_channels, out_channels, mode, conv=nn.Conv2d(in_channels, out_channels, 1)))


@misconception(
    "no padding after the enlarging",
    "Your 3×3 convolution takes a pixel off every side, so the sides are two short of double. "
    "Look at the padding of the convolution.",
)
class NoPadding(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(_way_up(in_channels, out_channels, mode, conv=nn.Conv2d(in_channels, out_channels, 3)))


@misconception(
    "no convolution after the enlarging",
    "After the enlarging nothing changes the channels: `out_channels` is ignored, and there is no weight to learn. "
    "Look at what follows the upsampling.",
)
class NoConv(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(_way_up(in_channels, out_channels, mode, conv=nn.Identity()))


@misconception(
    "a 3×3 kernel for the transposed convolution",
    "Your transposed convolution has a 3×3 kernel. With stride 2 its stamps overlap in every other row and column, "
    "and those get twice the light: a checkerboard. Look at its kernel size.",
)
class Overlapping(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        layer = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)
        super().__init__(_way_up(in_channels, out_channels, mode, transposed=layer))


@misconception(
    "a 4×4 kernel for the transposed convolution",
    "Your transposed convolution has a 4×4 kernel, as in networks that generate images. It doubles the sides too, but "
    "its stamps overlap and it has four times the weights asked for. Look at its kernel size.",
)
class FourByFour(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        layer = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)
        super().__init__(_way_up(in_channels, out_channels, mode, transposed=layer))


@misconception(
    "the stride is missing",
    "Your transposed convolution moves its stamps one pixel at a time, so the sides grow by one instead of doubling. "
    "Look at its `stride`: it is 1 unless you say so.",
)
class NoStride(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(
            _way_up(in_channels, out_channels, mode, transposed=nn.ConvTranspose2d(in_channels, out_channels, 2))
        )


@misconception(
    "an ordinary convolution with stride 2",
    "You used `nn.Conv2d` with stride 2 where the transposed one was asked for: it *halves* the sides. "
    "Look at the name of the layer.",
)
class Downwards(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        layer = nn.Conv2d(in_channels, out_channels, 2, stride=2)
        super().__init__(_way_up(in_channels, out_channels, mode, transposed=layer))


@misconception(
    "channels exchanged",
    "Your layers expect `out_channels` and give `in_channels`, so they fail as soon as the two differ. A transposed "
    "convolution takes its arguments in the same order as an ordinary one. Look at their order.",
)
class ChannelsExchanged(UpConv):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(out_channels, in_channels, mode)


@misconception(
    "a ReLU at the end",
    "A ReLU at the end cuts off everything negative. Here the result goes on to a `DoubleConv`, which brings "
    "its own. Look at what comes after your last layer.",
)
class WithReLU(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__([*_way_up(in_channels, out_channels, mode), nn.ReLU()])


@misconception(
    "a norm at the end",
    "There is a batch norm at the end. This block only goes up; the `DoubleConv` that follows normalises. "
    "Look at what comes after your last layer.",
)
class WithNorm(_Row):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__([*_way_up(in_channels, out_channels, mode), nn.BatchNorm2d(out_channels)])


@misconception(
    "both ways built",
    "You build the transposed convolution *and* the ordinary one, and use one of them. The other is registered all the "
    "same: it takes up memory and never gets a gradient. Look at what `__init__` makes for each mode.",
)
class BothBuilt(UpConv):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__(in_channels, out_channels, mode)
        other = "nearest" if mode == "transposed" else "transposed"
        self.other = UpConv(in_channels, out_channels, other)


@misconception(
    "nearest by default",
    "Without a `mode` you enlarge by copying; the default asked for is the transposed convolution. "
    "Look at the first line of `__init__`.",
)
class NearestByDefault(UpConv):
    def __init__(self, in_channels, out_channels, mode="nearest"):
        super().__init__(in_channels, out_channels, mode)


@misconception(
    "layers in a plain list",
    "Your layers are in a plain Python list. PyTorch does not look into lists: `parameters()` misses them, so no "
    "optimizer trains them. Look at where you keep them; `nn.Sequential` or an attribute of their own registers them.",
)
class PlainList(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        self.steps = _way_up(in_channels, out_channels, mode)

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


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


@variant("a bias in the transposed convolution only")
class BiasTransposed(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.enlarge, self.conv = nn.ConvTranspose2d(in_channels, out_channels, 2, 2), nn.Identity()
        elif mode == "nearest" or mode == "bilinear":
            self.enlarge = nn.Upsample(scale_factor=(2, 2), mode=mode)
            self.conv = nn.Conv2d(in_channels, out_channels, (3, 3), 1, 1, bias=False)
        else:
            raise ValueError(f"no such mode: {mode}")

    def forward(self, x):
        return self.conv(self.enlarge(x))


@variant("a bias in the convolution only")
class BiasConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        match mode:
            case "transposed":
                self.conv = nn.ConvTranspose2d(in_channels, out_channels, 2, 2, bias=False)
            case "nearest" | "bilinear":
                self.conv = nn.Conv2d(in_channels, out_channels, 3, 1, 1)
            case _:
                raise ValueError("transposed, nearest or bilinear")
        self.mode = mode

    def forward(self, x):
        return self.conv(x if self.mode == "transposed" else F.interpolate(x, scale_factor=2, mode=self.mode))


@variant("a table of modes, weights of its own")
class Table(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        ways = {"transposed": self.transposed, "nearest": self.nearest, "bilinear": self.bilinear}
        if mode not in ways:
            raise ValueError(f"unknown mode {mode}")
        shape = (in_channels, out_channels, 2, 2) if mode == "transposed" else (out_channels, in_channels, 3, 3)
        self.weight, self.bias = nn.Parameter(torch.randn(shape) * 0.1), nn.Parameter(torch.zeros(out_channels))
        self.way = ways[mode]

    def transposed(self, x):
        n, _, h, w = x.shape
        stamps = torch.einsum("nihw,iouv->nohuwv", x, self.weight).reshape(n, -1, 2 * h, 2 * w)
        return stamps + self.bias[:, None, None]

    def nearest(self, x):
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        return F.conv2d(x, self.weight, self.bias, padding=1)

    def bilinear(self, x):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return F.conv2d(F.pad(x, (1, 1, 1, 1)), self.weight, self.bias)

    def forward(self, x):
        return self.way(x)


@variant("a sequential")
class Sequential(nn.Sequential):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        if mode == "transposed":
            super().__init__(nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2))
        elif mode == "nearest":
            super().__init__(nn.UpsamplingNearest2d(scale_factor=2), nn.Conv2d(in_channels, out_channels, 3, padding=1))
        elif mode == "bilinear":
            smooth = nn.Upsample(scale_factor=2, mode="bilinear")
            super().__init__(smooth, nn.Conv2d(in_channels, out_channels, 3, padding=1))
        else:
            raise ValueError(mode)


@variant("made by a function")
def by_function(in_channels, out_channels, mode="transposed"):
    return nn.Sequential(*_way_up(in_channels, out_channels, mode))
