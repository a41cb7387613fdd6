"""Lesson 05: `Down(in_channels, out_channels)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.unet import DoubleConv, Down


@exercise(
    Down,
    lesson="05_encoder",
    concept="Encoder step",
    points=3,
    minutes=6,
    difficulty=2,
    hints=[
        "Two layers in a row, and both exist already: one has no parameters, the other is your block from lesson 04.",
        "`nn.MaxPool2d(2)` halves the sides. It does not touch the channels: which of the two arguments does the block "
        "receive first?",
        "Make both in `__init__` and call one after the other in `forward`, the pooling first.",
    ],
    task=(
        "2×2 max pooling, then `DoubleConv(in_channels, out_channels)`: from `(N, in_channels, H, W)` to "
        "`(N, out_channels, H // 2, W // 2)`."
    ),
)
def probes(draw):
    """Sides even and odd and never equal, values of both signs, channels that grow, shrink and stay.

    The sides are large enough for a block without padding, so that such a one shows its shape and not an exception.
    """
    yield Build((2, 4), (draw.normal(2, 2, 10, 12),))
    yield Build((3, 3), (draw.normal(3, 3, 13, 10),))  # odd height, equal channels
    yield Build((4, 2), (draw.normal(1, 4, 12, 15) - 2,))  # odd width, mostly negative, a batch of one
    yield Build((1, 3), (draw.normal(2, 1, draw.size(10, 17), draw.size(10, 17)),))


edit = edits_of(Down)

edit(
    "no pooling",
    "The sides of your result are those of the input: nothing halves them. Look at what comes before the block.",
    ("self.pool(x)", "x"),
)

edit(
    "pooling after the block",
    "You convolve first and pool afterwards. The shape is the same, but the convolutions run on four times as many "
    "pixels, and what leaves the step is no longer what the block made. Look at the order in `forward`.",
    ("self.conv(self.pool(x))", "self.pool(self.conv(x))"),
)

edit(
    "pooling after the block, both returned",
    "You convolve first, pool afterwards, and return a pair of the two. Here the pooling comes first, and one tensor "
    "comes back: what goes into this step is the skip already, and the encoder keeps it. Look at the order in "
    "`forward`, and at your `return`.",
    ("return self.conv(self.pool(x))", "y = self.conv(x)\n        return self.pool(y), y"),
)

edit(
    "pooling after the block, the larger one returned first",
    "You convolve first, pool afterwards, and return both, the larger map first. Here the pooling comes first, and "
    "one tensor comes back: what goes into this step is the skip already, and the encoder keeps it. Look at the order"
    " in `forward`, and at your `return`.",
    ("return self.conv(self.pool(x))", "y = self.conv(x)\n        return y, self.pool(y)"),
)

edit(
    "pooling between the convolutions",
    "The pooling stands between the two convolutions, so they work at two different sizes. "
    "Look at what your block consists of and where the pooling went.",
    ("self.conv(self.pool(x))", "self.conv.layers[3:](self.pool(self.conv.layers[:3](x)))"),
)

edit(
    "average pooling",
    "You average each 2×2 window instead of keeping its largest value, so strong answers blur into weak ones. "
    "Look at the name of your pooling layer.",
    ("nn.MaxPool2d(2)", "nn.AvgPool2d(2)"),
)

edit(
    "every second pixel",
    "You keep every second pixel, whatever the three beside it hold. A thin structure can vanish that way; the maximum "
    "keeps it. Look at how you halve the sides: a slice or `F.interpolate` looks at one pixel only.",
    ("self.pool(x)", "x[:, :, : x.shape[2] // 2 * 2 : 2, : x.shape[3] // 2 * 2 : 2]"),
)

edit(
    "strided convolution instead of pooling",
    "A convolution with stride 2 halves your sides. That works in other networks, but it has weights of its own; the "
    "task asks for max pooling, which has none. Look at the layer in front of the block.",
    ("nn.MaxPool2d(2)", "nn.Conv2d(in_channels, in_channels, 2, stride=2)"),
)

edit(
    "3×3 convolution with stride 2 instead of pooling",
    "A 3×3 convolution with stride 2 halves your sides. It has weights of its own, where the task asks for max "
    "pooling, which has none, and it rounds odd sides up. Look at the layer in front of the block.",
    ("nn.MaxPool2d(2)", "nn.Conv2d(in_channels, in_channels, 3, stride=2, padding=1)"),
)

edit(
    "stride 2 inside the block",
    "The first convolution of your block has stride 2, and there is no pooling. The task asks for max pooling and then "
    "an ordinary `DoubleConv`. Look at where the sides are halved.",
    ("self.pool(x)", "x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]"),
    (
        "DoubleConv(in_channels, out_channels)",
        "DoubleConv(in_channels, out_channels)\n        self.conv.layers[0].stride = (2, 2)",
    ),
)

edit(
    "stride 2 inside the block, odd sides rounded up",
    "The first convolution of your block has stride 2, and there is no pooling; odd sides are rounded up that way. "
    "The task asks for max pooling and then an ordinary `DoubleConv`. Look at where the sides are halved.",
    ("self.pool(x)", "x"),
    (
        "DoubleConv(in_channels, out_channels)",
        "DoubleConv(in_channels, out_channels)\n        self.conv.layers[0].stride = (2, 2)",
    ),
)

edit(
    "pooling with stride 1",
    "Your pooling moves by one pixel, so the sides shrink by 1 instead of becoming half. "
    "Look at the stride of your pooling.",
    ("nn.MaxPool2d(2)", "nn.MaxPool2d(2, stride=1)"),
)

edit(
    "3×3 pooling",
    "Your pooling looks at 3×3 pixels, so its windows overlap and odd sides are rounded up. "
    "Look at the arguments of your pooling.",
    ("nn.MaxPool2d(2)", "nn.MaxPool2d(3, stride=2, padding=1)"),
)

edit(
    "3×3 pooling without padding",
    "Your pooling looks at 3×3 pixels and has no padding, so its windows overlap and even sides end one short. "
    "Look at the arguments of your pooling.",
    ("nn.MaxPool2d(2)", "nn.MaxPool2d(3, stride=2)"),
)

edit(
    "padding in the pooling",
    "Your pooling pads its input by a pixel on each side, so its windows are shifted by one and a side of 10 becomes "
    "6. Look at the arguments of your pooling.",
    ("nn.MaxPool2d(2)", "nn.MaxPool2d(2, padding=1)"),
)

edit(
    "odd sides rounded up",
    "Half of 7 becomes 4 in your step: the pooling gives the row that is left over a window of its own. The decoder "
    "will expect `H // 2`. Look for `ceil_mode` or a padding in your pooling.",
    ("nn.MaxPool2d(2)", "nn.MaxPool2d(2, ceil_mode=True)"),
)

edit(
    "adaptive pooling",
    "Your pooling picks its windows so that they fill the whole side. For an odd side they overlap, and peaks appear "
    "twice. Look at whether your pooling is given a window or a size to reach.",
    ("self.pool(x)", "F.adaptive_max_pool2d(x, (x.shape[2] // 2, x.shape[3] // 2))"),
)

edit(
    "pooled twice",
    "The sides of your result are a quarter of the input's: you pool twice, or over 4×4 pixels. "
    "Look at how often the pooling is called.",
    ("self.pool(x)", "self.pool(self.pool(x))"),
)

edit(
    "only the height halved",
    "Your pooling halves the height and leaves the width as it is. Look at the shape of your pooling window.",
    ("nn.MaxPool2d(2)", "nn.MaxPool2d((2, 1))"),
)

edit(
    "one convolution only",
    "After the pooling there is one convolution. The step is made of a pooling and a whole `DoubleConv`, which "
    "convolves twice. Look at what you build after the pooling.",
    ("DoubleConv(in_channels, out_channels)", "DoubleConv(in_channels, out_channels).layers[:3]"),
)

edit(
    "bare convolution",
    "After the pooling there is one convolution with neither norm nor ReLU. The step is made of a pooling and a whole "
    "`DoubleConv`. Look at what you build after the pooling.",
    ("DoubleConv(in_channels, out_channels)", "nn.Conv2d(in_channels, out_channels, 3, padding=1)"),
)

edit(
    "no norm",
    "There is no batch normalisation in your block. `DoubleConv` has it by default, and `Down` leaves the default. "
    "Look at the arguments you pass on.",
    ("DoubleConv(in_channels, out_channels)", "DoubleConv(in_channels, out_channels, norm=False)"),
)

edit(
    "no padding",
    "Your sides are halved and then lose 4 more pixels: the convolutions of the block have no padding. "
    "Look at the arguments you pass on to `DoubleConv`.",
    ("DoubleConv(in_channels, out_channels)", "DoubleConv(in_channels, out_channels, padding=0)"),
)

edit(
    "channels do not change",
    "As many channels come out as went in: `out_channels` does not arrive. Look at the second argument of your block.",
    ("DoubleConv(in_channels, out_channels)", "DoubleConv(in_channels, in_channels)"),
)

edit(
    "channels always doubled",
    "Twice as many channels come out as went in, whatever `out_channels` says. "
    "Look at the second argument of your block.",
    ("DoubleConv(in_channels, out_channels)", "DoubleConv(in_channels, 2 * in_channels)"),
)

edit(
    "channels exchanged",
    "Your block is built from `out_channels` to `in_channels`, so it fails on its input whenever the two differ. "
    "Look at the order of the arguments.",
    ("DoubleConv(in_channels, out_channels)", "DoubleConv(out_channels, in_channels)"),
)

edit(
    "block kept in a plain list",
    "Your layers are in a plain Python list. PyTorch does not look into lists: `parameters()` misses them, so no "
    "optimizer trains them. Look at where you keep them; `nn.Sequential` registers what is inside.",
    ("DoubleConv(in_channels, out_channels)", "[DoubleConv(in_channels, out_channels)]"),
    ("self.conv(", "self.conv[0]("),
)

edit(
    "the pooled input added",
    "You add the pooled input to what the block makes of it, where the channels allow it. That is a residual "
    "connection, from another network. Look for a `+` in `forward`.",
    (
        "return self.conv(self.pool(x))",
        "pooled = self.pool(x)\n        y = self.conv(pooled)\n"
        "        return y + pooled if y.shape == pooled.shape else y",
    ),
)

edit(
    "unpooled input returned too",
    "You return a pair: the result and the input before the pooling. The encoder will keep the skips; this step gives "
    "back one tensor. Look at your `return`.",
    ("return self.conv(self.pool(x))", "return self.conv(self.pool(x)), x.clone()"),
)

edit(
    "pooled input returned too",
    "You return a pair: the result and the pooled input. The encoder keeps what this step gives back, one tensor. "
    "Look at your `return`.",
    ("return self.conv(self.pool(x))", "pooled = self.pool(x)\n        return self.conv(pooled), pooled.clone()"),
)


@variant("layers of its own, with a bias")
class WithBias(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding="same")
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding="same")
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv1(self.pool(x))))
        return F.relu(self.norm2(self.conv2(x)))


@variant("pooling by hand, inherited block")
class Inherited(DoubleConv):
    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels, out_channels)

    def forward(self, x):
        h, w = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
        corners = [x[:, :, i:h:2, j:w:2] for i in (0, 1) for j in (0, 1)]
        return super().forward(torch.stack(corners).amax(dim=0))


@variant("a sequential")
class InARow(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(nn.MaxPool2d(2), DoubleConv(in_channels, out_channels))
