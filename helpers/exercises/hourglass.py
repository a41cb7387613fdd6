"""Lesson 06: `Hourglass(in_channels, num_classes, base_channels=16, depth=4)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.checks.shared import forwards
from helpers.exercises import exercise, misconception, variant
from helpers.reference.decoder import Hourglass
from helpers.reference.unet import DoubleConv, Encoder, UpConv


@exercise(
    Hourglass,
    lesson="06_decoder",
    concept="Encoder and decoder",
    points=5,
    minutes=13,
    difficulty=3,
    hints=[
        "You have both halves: the encoder goes down `depth` times, so how often does the decoder go up? Write the "
        "channels at every level beside a sketch.",
        "The encoder also returns its skips; leave them aside. One step up is an `UpConv` that halves the channels and "
        "a `DoubleConv` that keeps them.",
        "Level k has `base_channels * 2**k` channels. Go through the levels from `depth - 1` down to 0, put each step "
        "into an `nn.Sequential` or an `nn.ModuleList`, and end with a 1×1 convolution to `num_classes`.",
    ],
    task=(
        "Images `(N, in_channels, H, W)` to logits `(N, num_classes, H, W)`: the `Encoder`, without its skips; then "
        "`depth` times an `UpConv` (transposed) that halves the channels and a `DoubleConv` that keeps them; then a "
        "1×1 convolution with bias. No activation at the end. The sides divide by `2**depth`."
    ),
)
def probes(draw):
    """Few channels, unequal sides, each default once; training and gradients at depth 2.

    At depth 3 the sides divide by `2**depth` and not by `2 * depth`. The last probe is the smallest, and so the one to
    be shown.
    """
    yield forwards((3, 1), {"depth": 1}, draw.normal(1, 3, 12, 14), draw.seed())
    yield forwards((2, 1, 1), {"depth": 3}, draw.normal(1, 2, 16, 24), draw.seed())
    yield forwards((1, 2), {"base_channels": 1}, draw.normal(1, 1, 16, 32), draw.seed())
    yield Build((2, 3, 2, 2), (draw.normal(2, 2, 12, 4 * draw.size(1, 2)),))


def _steps(base_channels, depth, up=UpConv, conv=DoubleConv):
    """The decoder: from deep to shallow, a way up and a block at each level."""
    channels = [base_channels * 2**k for k in reversed(range(depth))]
    return nn.Sequential(*(nn.Sequential(up(2 * c, c), conv(c, c)) for c in channels))


@misconception(
    "the encoder's maps are added",
    "You add the encoder's maps on the way up. Those are skips, and the hourglass shall do without: you will need it "
    "in the next lesson to see what they are good for. Look at what your `forward` does with the second result of the "
    "encoder.",
)
class AddsSkips(Hourglass):
    def forward(self, x):
        x, skips = self.encoder(x)
        for (up, conv), skip in zip(self.decoder, reversed(skips), strict=True):
            x = conv(up(x) + skip)
        return self.head(x)


@misconception(
    "a U-Net already",
    "You concatenate the encoder's maps on the way up. That is the U-Net, one lesson early. The hourglass has only the "
    "bottleneck to draw from: look at what goes into the `DoubleConv` of each step up.",
)
class Concatenates(AddsSkips):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _steps(base_channels, depth, conv=lambda i, o: DoubleConv(2 * i, o))

    def forward(self, x):
        x, skips = self.encoder(x)
        for (up, conv), skip in zip(self.decoder, reversed(skips), strict=True):
            x = conv(torch.cat([skip, up(x)], dim=1))
        return self.head(x)


@misconception(
    "no DoubleConv on the way up",
    "Your decoder is a row of transposed convolutions with nothing between them: without a ReLU several in a row are "
    "no more than one. Look at what follows each way up.",
)
class NoBlocks(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _steps(base_channels, depth, conv=lambda i, o: nn.Identity())


@misconception(
    "one convolution on the way up",
    "After each way up there is a single convolution where the task asks for a `DoubleConv`. "
    "Look at the block in your decoder.",
)
class SingleConv(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        def single(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())

        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _steps(base_channels, depth, conv=single)


@misconception(
    "the DoubleConv before the way up",
    "At each level you convolve first and go up afterwards, so no block ever works at the full size of the image, and "
    "the finest thing you can draw is a stamp of 2×2. Look at the order within a step.",
)
class BlockFirst(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        channels = [base_channels * 2**k for k in reversed(range(depth))]
        self.decoder = nn.Sequential(*(nn.Sequential(DoubleConv(2 * c, c), UpConv(c, c)) for c in channels))


@misconception(
    "the way up keeps the channels",
    "Your way up keeps the channels and the `DoubleConv` halves them, so the transposed convolutions carry twice the "
    "weights and the largest maps twice the channels. Look at the channels of your `UpConv`.",
)
class BlockHalves(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _steps(
            base_channels, depth, up=lambda i, o: UpConv(i, i), conv=lambda i, o: DoubleConv(2 * i, o)
        )


@misconception(
    "up in one leap",
    "You classify at the bottleneck and enlarge the logits in one leap, so every object comes out with borders as "
    "coarse as `2**depth` pixels, smoothed. The decoder goes up step by step and convolves at each size. Look for the "
    "steps between bottleneck and head.",
)
class OneLeap(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.head = nn.Conv2d(base_channels * 2**depth, num_classes, 1)

    def forward(self, x):
        return F.interpolate(self.head(self.encoder(x)[0]), size=x.shape[2:], mode="bilinear")


@misconception(
    "one step up is missing",
    "Your logits have half the size of the image: you go down `depth` times and up one time less. "
    "Count the steps of your loop.",
)
class OneStepShort(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = _steps(2 * base_channels, depth - 1)
        self.head = nn.Conv2d(2 * base_channels, num_classes, 1)

    def forward(self, x):
        return self.head(self.decoder(self.encoder(x)[0]))


@misconception(
    "one level too few",
    "Your network halves the sides `depth - 1` times. `depth` counts the poolings, not the levels: with depth 1 there "
    "are two levels. Look at where you count.",
)
class OneLevelLess(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth - 1)


@misconception(
    "one level too many",
    "Your network halves the sides `depth + 1` times, so it needs sides that divide by twice as much, and has about "
    "four times the weights. Look at where you count.",
)
class OneLevelMore(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth + 1)
        self.decoder = _steps(base_channels, depth + 1)
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        return self.head(self.decoder(self.encoder(x)[0]))


@misconception(
    "another block at the bottleneck",
    "Between encoder and decoder you put one more `DoubleConv`. The encoder's last level is the bottleneck already: "
    "look at what it returns.",
)
class ExtraBottleneck(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        deepest = base_channels * 2**depth
        self.decoder = nn.Sequential(DoubleConv(deepest, deepest), self.decoder)


@misconception(
    "the head is forgotten",
    "What comes out has `base_channels` channels, whatever `num_classes` says: the last layer that turns features into "
    "classes is missing. Look at what follows the decoder.",
)
class NoHead(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = _steps(base_channels, depth)

    def forward(self, x):
        return self.decoder(self.encoder(x)[0])


@misconception(
    "a 3×3 head",
    "Your last convolution is 3×3. The blocks before it have looked at the neighbours; the head decides for each pixel "
    "by itself, 1×1. Look at its kernel size.",
)
class HeadThree(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.head = nn.Conv2d(base_channels, num_classes, 3, padding=1)


@misconception(
    "no bias in the head",
    "Your last convolution has no bias, so it cannot say that a class is rare before it has seen a pixel. No norm "
    "follows that would make up for it. Look at its arguments.",
)
class HeadNoBias(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.head = nn.Conv2d(base_channels, num_classes, 1, bias=False)


@misconception(
    "num_classes is ignored",
    "One channel comes out, whatever `num_classes` says. Look at the output channels of your last convolution.",
)
class OneClass(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, 1, base_channels, depth)


@misconception(
    "sigmoid at the end",
    "Your network ends in a sigmoid, so it returns probabilities, not logits. The losses of lesson 08 take the sigmoid "
    "themselves; applied twice it keeps everything between 0.5 and 0.73. Look at your last line.",
)
class Sigmoid(Hourglass):
    def forward(self, x):
        return super().forward(x).sigmoid()


@misconception(
    "softmax at the end",
    "Your network ends in a softmax, so it returns probabilities, not logits. The loss takes the softmax itself, and "
    "with a single class it is 1 everywhere. Look at your last line.",
)
class Softmax(Hourglass):
    def forward(self, x):
        return super().forward(x).softmax(dim=1)


@misconception(
    "a ReLU at the end",
    "Your network ends in a ReLU, so no logit is ever negative and no probability below one half. "
    "Look at what follows the last convolution.",
)
class ReLUHead(Hourglass):
    def forward(self, x):
        return super().forward(x).relu()


@misconception(
    "a label map instead of logits",
    "You return the number of the largest class for each pixel. No gradient comes through an `argmax`, so nothing "
    "could be trained. Look at your last line.",
)
class Argmax(Hourglass):
    def forward(self, x):
        return super().forward(x).argmax(dim=1)


@misconception(
    "bilinear instead of the transposed convolution",
    "You go up bilinearly with a 3×3 convolution where the transposed one was asked for. It is a good way up, but "
    "another one. Look at the mode of your `UpConv`.",
)
class Bilinear(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _steps(base_channels, depth, up=lambda i, o: UpConv(i, o, "bilinear"))


@misconception(
    "nearest instead of the transposed convolution",
    "You go up by copying pixels, with a 3×3 convolution, where the transposed one was asked for. It is a good way up, "
    "but another one. Look at the mode of your `UpConv`.",
)
class Nearest(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _steps(base_channels, depth, up=lambda i, o: UpConv(i, o, "nearest"))


@misconception(
    "no norm on the way up",
    "The blocks of your decoder have no batch normalisation, those of the encoder do. "
    "Look at the arguments of your `DoubleConv`.",
)
class NoNorm(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _steps(base_channels, depth, conv=lambda i, o: DoubleConv(i, o, norm=False))


@misconception(
    "a ReLU after each way up",
    "Between each transposed convolution and its `DoubleConv` there is a ReLU, which cuts off everything negative on "
    "the way. Look at what stands between the two.",
)
class ReLUAfterUp(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _steps(base_channels, depth, up=lambda i, o: nn.Sequential(UpConv(i, o), nn.ReLU()))


@misconception(
    "the bottleneck is detached",
    "The values of the bottleneck go up, but no gradient comes back down: the whole encoder stays as random as it was "
    "born. Look for `detach`, `.data` or `no_grad` in `forward`.",
)
class Detached(Hourglass):
    def forward(self, x):
        return self.head(self.decoder(self.encoder(x)[0].detach()))


@misconception(
    "the decoder in a plain list",
    "The steps of your decoder are in a plain Python list. PyTorch does not look into lists: `parameters()` misses "
    "them, so half of your network is never trained. Look at where you keep them; `nn.ModuleList` registers what is "
    "inside.",
)
class PlainList(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.steps = list(_steps(base_channels, depth))
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        x, _ = self.encoder(x)
        for step in self.steps:
            x = step(x)
        return self.head(x)


@misconception(
    "base_channels is ignored",
    "Whatever `base_channels` says, you build with 16. Small networks for a laptop need the argument. "
    "Look for a fixed number where it should stand.",
)
class BaseIgnored(Hourglass):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, 16, depth)


@misconception(
    "depth is ignored",
    "Whatever `depth` says, you go down and up four times. Small images have no room for that. "
    "Look for a fixed number where it should stand.",
)
class DepthIgnored(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.net = NotChecked(in_channels, num_classes, base_channels, 4)

    def forward(self, x):
        return self.net(x)


class NotChecked(Hourglass):
    def forward(self, x):
        return self.head(self.decoder(self.encoder(x)[0]))


@variant("a module list, no bias in the way up, registered head first")
class HeadFirst(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.head = nn.Conv2d(base_channels, num_classes, 1)
        self.blocks, self.ups = nn.ModuleList(), nn.ModuleList()
        width = base_channels * 2**depth
        for _ in range(depth):
            self.ups.append(nn.ConvTranspose2d(width, width // 2, 2, stride=2, bias=False))
            self.blocks.append(DoubleConv(width // 2, width // 2))
            width //= 2
        self.encoder = Encoder(in_channels, base_channels, depth)

    def forward(self, x):
        x, _ = self.encoder(x)
        for up, block in zip(self.ups, self.blocks, strict=True):
            x = block(up(x))
        return self.head(x)


def _block(in_channels, out_channels):
    """A `DoubleConv` whose convolutions have a bias, which the norm takes away again."""
    layers = []
    for channels in (in_channels, out_channels):
        layers += [nn.Conv2d(channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU()]
    return nn.Sequential(*layers)


@variant("one long row of layers, a bias everywhere")
class OneRow(nn.Sequential):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4, up_bias=True):
        layers, width = [_block(in_channels, base_channels)], base_channels
        for _ in range(depth):
            layers += [nn.MaxPool2d(2), _block(width, 2 * width)]
            width *= 2
        for _ in range(depth):
            layers += [nn.ConvTranspose2d(width, width // 2, 2, 2, bias=up_bias), _block(width // 2, width // 2)]
            width //= 2
        super().__init__(*layers, nn.Conv2d(width, num_classes, 1))


@variant("a bias in every convolution but the way up")
class NoUpBias(OneRow):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth, up_bias=False)


class _Nested(nn.Module):
    """Down, whatever is below, and up again."""

    def __init__(self, channels, depth):
        super().__init__()
        self.up = UpConv(2 * channels, channels)
        self.merge = DoubleConv(channels, channels)
        self.below = _Nested(2 * channels, depth - 1) if depth > 1 else nn.Identity()
        self.down = DoubleConv(channels, 2 * channels)

    def forward(self, x):
        return self.merge(self.up(self.below(self.down(F.max_pool2d(x, 2)))))


@variant("an hourglass inside an hourglass")
class Nested(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.inside = _Nested(base_channels, depth)
        self.first = DoubleConv(in_channels, base_channels)
        self.last = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        return self.last(self.inside(self.first(x)))
