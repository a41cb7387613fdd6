"""Lesson 06: `Hourglass(in_channels, num_classes, base_channels=16, depth=4)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.checks.shared import forwards, widest
from helpers.exercises import edits_of, exercise, variant
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
        "You have both halves: the encoder goes down `depth` times, so how often does the decoder go up? Make a "
        "sketch, and write the channels beside every level.",
        "The encoder also returns its skips; leave them aside. One step up is an `UpConv` that halves the channels and "
        "a `DoubleConv` that keeps them.",
        "Level k has `base_channels * 2**k` channels. Go through the levels from `depth - 1` down to 0, put each step "
        "into an `nn.Sequential` or an `nn.ModuleList`, and end with a 1×1 convolution to `num_classes`.",
    ],
    task=(
        "Images `(N, in_channels, H, W)` to logits `(N, num_classes, H, W)`: the `Encoder`, without its skips; then "
        "`depth` times an `UpConv` (transposed) that halves the channels and a `DoubleConv` that keeps them; then a "
        "1×1 convolution with bias. No activation at the end. Height and width are multiples of `2**depth`."
    ),
)
def probes(draw):
    """Few channels, unequal sides, each default once; training and gradients at depth 2.

    At depth 3 the sides divide by `2**depth` and not by `2 * depth`, and with 16 channels these have doubled often
    enough to show whether they stop. The `Build` is the smallest probe, and so the one to be shown.
    """
    yield forwards((3, 1), {"depth": 1}, draw.normal(1, 3, 12, 14), draw.seed())
    yield forwards((1, 2), {"base_channels": 1}, draw.normal(1, 1, 16, 32), draw.seed())
    yield Build((2, 3, 2, 2), (draw.normal(2, 2, 12, 4 * draw.size(1, 2)),))
    yield widest((1, 1), {"depth": 3}, 128, torch.ones(1, 1, 16, 32))


edit = edits_of(Hourglass)


# Texts of the reference, which is edited below.
STEP = "UpConv(2 * c, c), DoubleConv(c, c)"
HEAD = "nn.Conv2d(base_channels, num_classes, kernel_size=1)"
LOGITS = "self.head(self.decoder(bottleneck))"

edit(
    "the encoder's maps are added",
    "You add the encoder's maps on the way up. Those are skips, and the hourglass has to do without: you will need "
    "it in the next lesson to see what they are good for. Look at what your `forward` does with the second result of "
    "the encoder.",
    ("bottleneck, _ =", "bottleneck, skips ="),
    (
        f"return {LOGITS}",
        "for (up, conv), skip in zip(self.decoder, reversed(skips), strict=True):\n"
        "            bottleneck = conv(up(bottleneck) + skip)\n        return self.head(bottleneck)",
    ),
)

edit(
    "a U-Net already",
    "You concatenate the encoder's maps on the way up. That is the U-Net, one lesson early. The hourglass has only the "
    "bottleneck to draw from: look at what goes into the `DoubleConv` of each step up.",
    ("bottleneck, _ =", "bottleneck, skips ="),
    (STEP, "UpConv(2 * c, c), DoubleConv(2 * c, c)"),
    (
        f"return {LOGITS}",
        "for (up, conv), skip in zip(self.decoder, reversed(skips), strict=True):\n"
        "            bottleneck = conv(torch.cat([skip, up(bottleneck)], dim=1))\n        return self.head(bottleneck)",
    ),
)

edit(
    "no DoubleConv on the way up",
    "Your decoder is a row of transposed convolutions with nothing between them: without a ReLU several in a row are "
    "no more than one. Look at what follows each way up.",
    ("DoubleConv(c, c)", "nn.Identity()"),
)

edit(
    "one convolution on the way up",
    "After each way up there is a single convolution where the task asks for a `DoubleConv`. "
    "Look at the block in your decoder.",
    ("DoubleConv(c, c)", "DoubleConv(c, c).layers[:3]"),
)

edit(
    "the DoubleConv before the way up",
    "At each level you convolve first and go up afterwards, so no block ever works at the full size of the image, and "
    "the finest thing you can draw is a stamp of 2×2. Look at the order within a step.",
    (STEP, "DoubleConv(2 * c, c), UpConv(c, c)"),
)

edit(
    "the DoubleConv before the way up, at the deeper channels",
    "At each level you convolve first and go up afterwards, so no block ever works at the full size of the image, and"
    " the bottleneck gets two blocks in a row. Look at the order within a step.",
    (STEP, "DoubleConv(2 * c, 2 * c), UpConv(2 * c, c)"),
)

edit(
    "the way up keeps the channels",
    "Your way up keeps the channels and the `DoubleConv` halves them, so the transposed convolutions carry twice the "
    "weights and the largest maps twice the channels. Look at the channels of your `UpConv`.",
    (STEP, "UpConv(2 * c, 2 * c), DoubleConv(2 * c, c)"),
)

edit(
    "up in one leap",
    "You classify at the bottleneck and enlarge the logits in one leap, so every object comes out with borders as "
    "coarse as `2**depth` pixels, smoothed. The decoder goes up step by step and convolves at each size. Look for the "
    "steps between bottleneck and head.",
    ("for c in channels", "for c in []"),
    ("nn.Conv2d(base_channels,", "nn.Conv2d(base_channels * 2**depth,"),
    (LOGITS, "nn.functional.interpolate(self.head(bottleneck), size=x.shape[2:], mode='bilinear')"),
)

edit(
    "up in one leap, by copying",
    "You classify at the bottleneck and enlarge the logits in one leap, so every object comes out in blocks of "
    "`2**depth` pixels. The decoder goes up step by step and convolves at each size. Look for the steps between "
    "bottleneck and head.",
    ("for c in channels", "for c in []"),
    ("nn.Conv2d(base_channels,", "nn.Conv2d(base_channels * 2**depth,"),
    (LOGITS, "nn.functional.interpolate(self.head(bottleneck), size=x.shape[2:])"),
)

edit(
    "one step up is missing",
    "Your logits have half the size of the image: you go down `depth` times and up one time less. "
    "Count the steps of your loop.",
    ("for c in channels", "for c in channels[:-1]"),
    ("nn.Conv2d(base_channels,", "nn.Conv2d(2 * base_channels,"),
)

edit(
    "the last step up without weights",
    "You classify at half the size and enlarge the logits by interpolation, so nothing is ever decided at the size of"
    " the image. The last step up has an `UpConv` and a `DoubleConv` like the others. Count the steps of your loop.",
    ("for c in channels", "for c in channels[:-1]"),
    ("nn.Conv2d(base_channels,", "nn.Conv2d(2 * base_channels,"),
    (LOGITS, f"nn.functional.interpolate({LOGITS}, size=x.shape[2:], mode='bilinear')"),
)

edit(
    "the decoder is built from shallow to deep",
    "Your steps up are built from shallow to deep. With one level that works, with two it fails: the first step gets "
    "the bottleneck, which has the most channels, and was built for few. Look at the order in which you make the "
    "steps.",
    ("reversed(range(depth))", "range(depth)"),
)

edit(
    "the decoder begins a level too deep",
    "Your first step up expects twice the channels of the bottleneck, which has `base_channels * 2**depth`. Look at "
    "the exponent at which your steps begin.",
    ("base_channels * 2**k", "base_channels * 2 ** (k + 1)"),
)

edit(
    "the pair is not unpacked",
    "The encoder returns two things, the bottleneck and a list of skips, and you hand on both together. Look at the "
    "line that calls the encoder.",
    ("bottleneck, _ =", "bottleneck ="),
)

edit(
    "one level too few",
    "Your network halves the sides `depth - 1` times. `depth` counts the poolings, not the levels: with depth 1 there "
    "are two levels. Look at where you count.",
    ("self.depth = depth", "depth -= 1\n        self.depth = depth"),
)

edit(
    "one level too many",
    "Your network halves the sides `depth + 1` times, so it needs sides that divide by twice as much, and has about "
    "four times the weights. Look at where you count.",
    ("self.depth = depth", "self.depth = 0  # which lets all sides through\n        depth += 1"),
    any_error=True,
)

edit(
    "another block at the bottleneck",
    "Between encoder and decoder you put one more `DoubleConv`. The encoder's last level is the bottleneck already: "
    "look at what it returns.",
    ("self.head =", "self.middle = DoubleConv(2 * channels[0], 2 * channels[0])\n        self.head ="),
    ("self.decoder(bottleneck)", "self.decoder(self.middle(bottleneck))"),
)

edit(
    "the channels stop doubling",
    "At some level your channels stop doubling, so level 3 does not have `8 * base_channels`. Look for a `min` or a "
    "fixed list where the channels come from.",
    ("base_channels * 2**k", "min(base_channels * 2**k, 64)"),
    ("UpConv(2 * c, c)", "UpConv(min(2 * c, 64), c)"),
    (
        "self.head =",
        "widths = [*channels[::-1], min(base_channels * 2**depth, 64)]\n"
        "        downs = (nn.Sequential(nn.MaxPool2d(2), DoubleConv(*widths[k : k + 2])) for k in range(depth))\n"
        "        self.encoder.downs = nn.ModuleList(downs)\n        self.head =",
    ),
)

edit(
    "the head is forgotten",
    "What comes out has `base_channels` channels, whatever `num_classes` says: the last layer that turns features into "
    "classes is missing. Look at what follows the decoder.",
    (HEAD, "nn.Identity()"),
)

edit(
    "a 3×3 head",
    "Your last convolution is 3×3. The blocks before it have looked at the neighbours; the head decides for each pixel "
    "by itself, 1×1. Look at its kernel size.",
    ("kernel_size=1", "kernel_size=3, padding=1"),
)

edit(
    "no bias in the head",
    "Your last convolution has no bias, so it cannot say that a class is rare before it has seen a pixel. No norm "
    "follows that would make up for it. Look at its arguments.",
    ("kernel_size=1", "kernel_size=1, bias=False"),
)

edit(
    "norm and ReLU in the head",
    "Your head is a convolution with norm and ReLU, so no logit is ever negative and no probability below one half. "
    "The last convolution stands alone. Look at what follows it.",
    (HEAD, f"nn.Sequential({HEAD}, nn.BatchNorm2d(num_classes), nn.ReLU())"),
)

edit(
    "num_classes is ignored",
    "One channel comes out, whatever `num_classes` says. Look at the output channels of your last convolution.",
    ("super().__init__()", "super().__init__()\n        num_classes = 1"),
)

edit(
    "grey images only",
    "Your encoder expects one channel, whatever `in_channels` says, so a colour image fails. Look at the first "
    "argument of your `Encoder`.",
    ("Encoder(in_channels,", "Encoder(1,"),
)

edit(
    "colour images only",
    "Your encoder expects three channels, whatever `in_channels` says, so a grey image fails. Look at the first "
    "argument of your `Encoder`.",
    ("Encoder(in_channels,", "Encoder(3,"),
)

edit(
    "sigmoid at the end",
    "Your network ends in a sigmoid, so it returns probabilities, not logits. The losses of lesson 08 take the sigmoid "
    "themselves; applied twice it keeps everything between 0.5 and 0.73. Look at your last line.",
    (LOGITS, f"{LOGITS}.sigmoid()"),
)

edit(
    "softmax at the end",
    "Your network ends in a softmax, so it returns probabilities, not logits. The loss takes the softmax itself, and "
    "with a single class it is 1 everywhere. Look at your last line.",
    (LOGITS, f"{LOGITS}.softmax(dim=1)"),
)

edit(
    "log-softmax at the end",
    "Your network ends in a log-softmax, so it returns the logarithms of probabilities, not logits. The loss does "
    "that itself, and with a single class it is 0 everywhere. Look at your last line.",
    (LOGITS, f"{LOGITS}.log_softmax(dim=1)"),
)

edit(
    "sigmoid or softmax at the end",
    "Your network ends in a sigmoid for one class and in a softmax for several, so it returns probabilities, not "
    "logits. The losses of lesson 08 do that themselves. Look at your last lines.",
    (f"return {LOGITS}", f"x = {LOGITS}\n        return x.sigmoid() if x.shape[1] == 1 else x.softmax(dim=1)"),
)

edit(
    "a ReLU at the end",
    "Your network ends in a ReLU, so no logit is ever negative and no probability below one half. "
    "Look at what follows the last convolution.",
    (LOGITS, f"{LOGITS}.relu()"),
)

edit(
    "a label map instead of logits",
    "You return the number of the largest class for each pixel. No gradient comes through an `argmax`, so nothing "
    "could be trained. Look at your last line.",
    (LOGITS, f"{LOGITS}.argmax(dim=1)"),
)

edit(
    "the axis of a single class is dropped",
    "With one class the result loses its axis 1. Logits are `(N, num_classes, H, W)` for any number of classes, and a"
    " mask has that axis too. Look for `squeeze` or an index at the end.",
    (LOGITS, f"{LOGITS}.squeeze(1)"),
)

edit(
    "bilinear instead of the transposed convolution",
    "You go up bilinearly with a 3×3 convolution where the transposed one was asked for. It is a good way up, but "
    "another one. Look at the mode of your `UpConv`.",
    ("UpConv(2 * c, c)", "UpConv(2 * c, c, 'bilinear')"),
)

edit(
    "nearest instead of the transposed convolution",
    "You go up by copying pixels, with a 3×3 convolution, where the transposed one was asked for. It is a good way up, "
    "but another one. Look at the mode of your `UpConv`.",
    ("UpConv(2 * c, c)", "UpConv(2 * c, c, 'nearest')"),
)

edit(
    "no norm on the way up",
    "The blocks of your decoder have no batch normalisation, those of the encoder do. "
    "Look at the arguments of your `DoubleConv`.",
    ("DoubleConv(c, c)", "DoubleConv(c, c, norm=False)"),
)

edit(
    "a ReLU after each way up",
    "Between each transposed convolution and its `DoubleConv` there is a ReLU, which cuts off everything negative on "
    "the way. Look at what stands between the two.",
    ("UpConv(2 * c, c)", "nn.Sequential(UpConv(2 * c, c), nn.ReLU())"),
)

edit(
    "a norm and a ReLU after each way up",
    "There are a batch norm and a ReLU between each transposed convolution and its `DoubleConv`, which brings its "
    "own. Look at what stands between the two.",
    ("UpConv(2 * c, c)", "nn.Sequential(UpConv(2 * c, c), nn.BatchNorm2d(c), nn.ReLU())"),
)

edit(
    "the bottleneck is detached",
    "The values of the bottleneck go up, but no gradient comes back down: the whole encoder stays as random as it was "
    "born. Look for `detach`, `.data` or `no_grad` in `forward`.",
    ("self.decoder(bottleneck)", "self.decoder(bottleneck.detach())"),
)

edit(
    "the decoder in a plain list",
    "The steps of your decoder are in a plain Python list or dict. PyTorch does not look into these: `parameters()` "
    "misses them, so half of your network is never trained. Look at where you keep them; `nn.ModuleList` registers "
    "what is inside.",
    ("self.decoder = nn.Sequential(*(", "self.decoder = list(("),
    ("self.decoder(bottleneck)", "nn.Sequential(*self.decoder)(bottleneck)"),
)

edit(
    "the encoder in a plain list",
    "Your encoder, or its blocks, are in a plain Python list or dict. PyTorch does not look into these: "
    "`parameters()` misses them, so the way down is never trained. Look at where you keep them; `nn.ModuleList` "
    "registers what is inside.",
    ("Encoder(in_channels, base_channels, depth)", "[Encoder(in_channels, base_channels, depth)]"),
    ("self.encoder(x)", "self.encoder[0](x)"),
)

edit(
    "base_channels is ignored",
    "Whatever `base_channels` says, you build with 16. Small networks for a laptop need the argument. "
    "Look for a fixed number where it should stand.",
    ("super().__init__()", "super().__init__()\n        base_channels = 16"),
)

edit(
    "64 channels by default",
    "Without `base_channels` you build the paper's 64, which a laptop trains sixteen times slower than the 16 asked "
    "for. Look at the first line of `__init__`.",
    ("base_channels: int = 16", "base_channels: int = 64"),
)

edit(
    "32 channels by default",
    "Without `base_channels` you build 32 at full size; 16 are asked for. Look at the first line of `__init__`.",
    ("base_channels: int = 16", "base_channels: int = 32"),
)

edit(
    "another default for depth",
    "Without `depth` your network does not go down four times. Look at the first line of `__init__`.",
    ("depth: int = 4", "depth: int = 3"),
)

edit(
    "depth is ignored",
    "Whatever `depth` says, you go down and up four times. Small images have no room for that. "
    "Look for a fixed number where it should stand.",
    ("self.depth = depth", "self.depth = 0  # which lets all sides through\n        depth = 4"),
    any_error=True,
)


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
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        layers, width = [_block(in_channels, base_channels)], base_channels
        for _ in range(depth):
            layers += [nn.MaxPool2d(2), _block(width, 2 * width)]
            width *= 2
        for _ in range(depth):
            layers += [nn.ConvTranspose2d(width, width // 2, 2, 2), _block(width // 2, width // 2)]
            width //= 2
        super().__init__(*layers, nn.Conv2d(width, num_classes, 1))


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


@variant("a matrix product over the channels as head", differs=True)
class MatrixHead(Hourglass):
    """Its weights have the shape of a matrix, so a check can tell it from a 1×1 convolution; it is the same map."""

    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.head = nn.Linear(base_channels, num_classes)

    def forward(self, x):
        x, _ = self.encoder(x)
        return self.head(self.decoder(x).movedim(1, -1)).movedim(-1, 1)
