"""Lesson 05: `Encoder(in_channels, base_channels=16, depth=4)`."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.checks.shared import forwards, widest
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.unet import DoubleConv, Encoder


@exercise(
    Encoder,
    lesson="05_encoder",
    concept="Encoder",
    points=6,
    minutes=20,
    difficulty=3,
    hints=[
        "Write down the levels for `depth=2` with their channels and sides: level 0 at full size, then two steps down. "
        "Which of the three are skips, and which one is the bottleneck?",
        "`nn.ModuleList` holds one `Down` for each step and registers it. The step to level `k + 1` goes from "
        "`base_channels * 2**k` to `base_channels * 2**(k + 1)` channels.",
        "In `forward`, keep what each level returns in a list that begins empty in every call. At the end the last "
        "entry is the bottleneck, and those before it are the skips, in the right order already.",
    ],
    task=(
        "A `DoubleConv` from the image to `base_channels` at full size, then `Down`, `depth` times, each doubling "
        "the channels. `forward(x)` returns `(bottleneck, skips)`: the lowest level, and a list of the `depth` "
        "levels above it, from shallow to deep. Level `k` has the shape `(N, base_channels * 2**k, H // 2**k, W // "
        "2**k)`."
    ),
)
def probes(draw):
    """Depths 1, 2 and 4, the defaults one at a time (both at once would be slow), odd sides, values of both signs.

    The lowest level keeps a few pixels, so that a batch norm has a spread to divide by.
    """
    channels, h, w = draw.size(2, 4), draw.size(8, 10), draw.size(8, 10)
    yield Build((channels, draw.size(3, 5), 1), (draw.normal(2, channels, 2 * h + 1, 2 * w + 1),))
    yield Build((1,), (draw.normal(1, 1, 8, 12),), {"depth": 2})  # 16 channels, a batch of one
    yield forwards((3, 2), {}, draw.normal(1, 3, 32, 48), draw.seed())  # four steps down
    yield widest((1,), {"depth": 3}, 128, torch.ones(1, 1, 16, 16))


edit = edits_of(Encoder)


ONCE = """
        def once(before, after):
            convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())
"""

edit(
    "skips taken after the pooling",
    "You keep what comes out of the pooling. The skips then have half the size and have lost the very detail they are "
    "to carry over. Look at where in the loop you append.",
    ("levels[:-1]", "[F.max_pool2d(s, 2) for s in levels[:-1]]"),
)

edit(
    "skips taken before the block",
    "You keep what goes into each block instead of what comes out, so the first skip is the image itself. "
    "Look at where in the loop you append.",
    ("levels[:-1]", "[x, *(F.max_pool2d(s, 2) for s in levels[:-2])]"),
)

edit(
    "skips from deep to shallow",
    "Your skips come from deep to shallow. The decoder needs them in that order, but the encoder promises the other: "
    "`skips[0]` is the level at full size. Look at whether you reverse the list or insert at its front.",
    ("levels[:-1]", "levels[-2::-1]"),
)

edit(
    "bottleneck among the skips",
    "Your list has one entry more than it should: the bottleneck is in it as well. It is the first thing you return, "
    "and a skip is what has to get past it. Look at which levels you append.",
    ("levels[:-1]", "levels"),
)

edit(
    "first skip missing",
    "The level at full size is missing from your skips, the one with the sharpest outlines. "
    "Look at what you do with the result of the first block.",
    ("levels[:-1]", "levels[1:-1]"),
)

edit(
    "skips taken after the step down",
    "You keep what comes out of each `Down`, so the level at full size is missing and the bottleneck is in the list. "
    "A skip is what goes *into* a step. Look at where in the loop you append.",
    ("levels[:-1]", "levels[1:]"),
)

edit(
    "bottleneck only",
    "You return the lowest level alone, so the decoder has nothing to join. "
    "Look at what you keep on the way down, and at your `return`.",
    ("return levels[-1], levels[:-1]", "return levels[-1]"),
)

edit(
    "pair the wrong way round",
    "You return `(skips, bottleneck)`. Whoever unpacks it as `bottleneck, skips` gets a list where a tensor is "
    "expected. Look at the order in your `return`.",
    ("return levels[-1], levels[:-1]", "return levels[:-1], levels[-1]"),
)

edit(
    "one flat tuple",
    "You return bottleneck and skips side by side in one tuple. Promised is a pair whose second part is the list of "
    "skips. Look for a star in your `return`.",
    ("levels[:-1]", "*levels[:-1]"),
)

edit(
    "one list of all levels",
    "You return one list of all levels, from shallow to deep. Promised is a pair: the lowest level, and a list of "
    "those above it. Look at your `return`.",
    ("return levels[-1], levels[:-1]", "return levels"),
)

edit(
    "skips joined into a tensor",
    "You bring all skips to one size and join them. Every level of the decoder needs its own, at its own size. "
    "Look at what you do with the list before you return it.",
    ("levels[:-1]", "torch.cat([F.interpolate(s, levels[0].shape[2:]) for s in levels[:-1]], dim=1)"),
)

edit(
    "skips kept from call to call",
    "The list of skips is made in `__init__` and never emptied, so each call appends to those of the calls before: the "
    "second batch gets the skips of the first. Look at where the list begins.",
    ("super().__init__()", "super().__init__()\n        self.skips = []"),
    ("return levels[-1], levels[:-1]", "self.skips += levels[:-1]\n        return levels[-1], list(self.skips)"),
)

edit(
    "skips cut off from the gradient",
    "Your skips are detached: nothing that the decoder learns from them reaches the encoder. "
    "Look for `detach`, `.data` or `no_grad` where you keep them.",
    ("levels[:-1]", "[s.detach() for s in levels[:-1]]"),
)

edit(
    "gradient stops between the levels",
    "Each level gets a detached copy of the one above, so what the bottleneck learns never reaches the first blocks. "
    "Look for `detach` or `.data` in what you hand on.",
    ("down(levels[-1])", "down(levels[-1].detach())"),
)

edit(
    "skips of zeros",
    "Your skips have the right shapes and hold zeros: nothing of the image gets past the bottleneck. "
    "Look at what you put into the list.",
    ("levels[:-1]", "[torch.zeros_like(s) for s in levels[:-1]]"),
)

edit(
    "last skip in every place",
    "All entries of your list are the same tensor, the deepest one. "
    "Look at whether you append in every round or put the list together after the loop.",
    ("levels[:-1]", "[levels[-2]] * len(self.downs)"),
)

edit(
    "channels do not double",
    "Every level has `base_channels` channels. The sides become half from level to level; without more channels there "
    "is less and less room for what was found. Look at the channels of each step.",
    ("base_channels * 2**k", "base_channels"),
)

edit(
    "channels grow by adding",
    "Your channels grow by `base_channels` from level to level: 16, 32, 48. They should double: 16, 32, 64. "
    "Look at how the channels depend on the level.",
    ("2**k", "(k + 1)"),
)

edit(
    "doubled once too early",
    "Level 0 has `2 * base_channels` channels already, and so every level has twice what it should. "
    "Look at the exponent, or at where you double the first time.",
    ("2**k", "2 ** (k + 1)"),
    ("base_channels)\n", "2 * base_channels)\n"),
)

edit(
    "bottleneck does not double",
    "The last step keeps the channels: your bottleneck has as many as the deepest skip. It is a level like the others, "
    "with `base_channels * 2**depth`. Look at the channels of your last step.",
    ("2**k", "2 ** min(k, depth - 1)"),
)

edit(
    "base channels ignored",
    "Your encoder has 16 channels at level 0, whatever `base_channels` says. Look at where the argument enters.",
    ("super().__init__()", "super().__init__()\n        base_channels = 16"),
)

edit(
    "another default for base_channels",
    "Without the argument your encoder does not have 16 channels at level 0. Look at the default in the signature of "
    "`__init__`.",
    ("base_channels: int = 16", "base_channels: int = 64"),
)

edit(
    "another default for depth",
    "Without the argument your encoder does not go down four times. Look at the default in the signature of "
    "`__init__`.",
    ("depth: int = 4", "depth: int = 3"),
)

edit(
    "depth ignored",
    "Your encoder always goes down four times, whatever `depth` says. Look at where the number of levels comes from.",
    ("super().__init__()", "super().__init__()\n        depth = 4"),
    any_error=True,
)

edit(
    "one level too few",
    "Your encoder pools `depth - 1` times: a level is missing at the bottom. There are `depth` skips *and* the "
    "bottleneck. Look at the end of your range.",
    ("range(depth))", "range(depth - 1))"),
)

edit(
    "one level too many",
    "Your encoder pools `depth + 1` times, so there is a level more than asked for. Look at the end of your range, and "
    "at whether the first block is counted among the steps.",
    ("range(depth + 1)", "range(depth + 2)"),
    ("range(depth))", "range(depth + 1))"),
    any_error=True,
)

edit(
    "no pooling before the bottleneck",
    "The bottleneck has the size of the deepest skip: the last pooling is missing. Between every two levels stands "
    "one, before the bottleneck too. Look at what happens after your loop.",
    ("Down(", "(Down if k < depth - 1 else DoubleConv)("),
)

edit(
    "no block after the last pooling",
    "Your bottleneck is the pooled last skip: no convolution has looked at it, and its channels have not doubled. "
    "Look at what comes after the last pooling.",
    ("range(depth))", "range(depth - 1))"),
    ("return levels[-1], levels[:-1]", "return F.max_pool2d(levels[-1], 2), levels"),
)

edit(
    "pooled before the first block",
    "Your first block works on the pooled image, so level 0 has half the size and nothing is kept at the size of the "
    "input. Look at what the image meets first.",
    ("self.first(x)", "self.first(F.max_pool2d(x, 2))"),
)

edit(
    "no pooling",
    "All your levels have the size of the image: nothing halves the sides. Look at what stands between the blocks.",
    ("Down(", "DoubleConv("),
)

edit(
    "average pooling",
    "You average each 2×2 window instead of keeping its largest value. Look at the name of your pooling.",
    ("Down(channels[k], channels[k + 1])", "nn.Sequential(nn.AvgPool2d(2), DoubleConv(channels[k], channels[k + 1]))"),
)

edit(
    "odd sides rounded up",
    "Half of 19 becomes 10 in your encoder. Level `k` promises `H // 2**k` rows. "
    "Look for `ceil_mode` or a padding in your pooling.",
    (
        "Down(channels[k], channels[k + 1])",
        "nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), DoubleConv(channels[k], channels[k + 1]))",
    ),
)

edit(
    "strided convolution instead of pooling",
    "Convolutions with stride 2 halve your sides. They have weights of their own, and the task asks for max pooling, "
    "which has none. Look at what stands between the blocks.",
    (
        "Down(channels[k], channels[k + 1])",
        "nn.Sequential(nn.Conv2d(channels[k], channels[k], 2, 2), DoubleConv(channels[k], channels[k + 1]))",
    ),
)

edit(
    "levels in a plain list",
    "Your levels are in a plain Python list. PyTorch does not look into lists: `parameters()` misses them, so no "
    "optimizer trains them, and `to(device)` leaves them behind. Look at where you keep them; `nn.ModuleList` "
    "registers what is inside.",
    ("nn.ModuleList(", "list("),
)

edit(
    "all levels in a plain list",
    "All your blocks are in a plain Python list, so `parameters()` is empty: there is nothing that an optimizer could "
    "train. Look at where you keep them; `nn.ModuleList` registers what is inside.",
    ("nn.ModuleList(", "list("),
    ("DoubleConv(in_channels, base_channels)", "[DoubleConv(in_channels, base_channels)]"),
    ("self.first(x)", "self.first[0](x)"),
)

edit(
    "one block for all levels",
    "You build one step and call it again and again. Its weights fit one number of channels, so it fails at the second "
    "level. Look at how many steps you construct: `[step] * depth` repeats the same object.",
    ("Down(channels[k], channels[k + 1]) for k in range(depth)", "[Down(base_channels, 2 * base_channels)] * depth"),
)

edit(
    "one block for all levels, channels kept",
    "You build one step and call it at every level, with `base_channels` in and out. All levels then share their "
    "weights, and the channels never double. Look at how many steps you construct, and with which channels.",
    ("Down(channels[k], channels[k + 1]) for k in range(depth)", "[Down(base_channels, base_channels)] * depth"),
)

edit(
    "number of input channels fixed",
    "Your first block expects one channel, whatever `in_channels` says, so a colour image fails. "
    "Look at the first argument of your first block.",
    ("DoubleConv(in_channels,", "DoubleConv(1,"),
)

edit(
    "one convolution a level",
    "Each of your levels convolves once. A level is a `DoubleConv`, which convolves twice. "
    "Look at what you build for a level.",
    ("super().__init__()", f"super().__init__()\n{ONCE}"),
    ("DoubleConv(", "once("),
    ("Down(channels[k], channels[k + 1])", "nn.Sequential(nn.MaxPool2d(2), once(channels[k], channels[k + 1]))"),
)

edit(
    "no norm",
    "There is no batch normalisation in your levels. `DoubleConv` has it by default. "
    "Look at the arguments you pass on.",
    ("DoubleConv(in_channels, base_channels)", "DoubleConv(in_channels, base_channels, norm=False)"),
    (
        "Down(channels[k], channels[k + 1])",
        "nn.Sequential(nn.MaxPool2d(2), DoubleConv(channels[k], channels[k + 1], norm=False))",
    ),
)

edit(
    "no padding",
    "Your levels lose 4 pixels a side before each pooling, so their sizes are not `H // 2**k`. The convolutions have "
    "no padding. Look at the arguments you pass on to `DoubleConv`.",
    ("DoubleConv(in_channels, base_channels)", "DoubleConv(in_channels, base_channels, padding=0)"),
    (
        "Down(channels[k], channels[k + 1])",
        "nn.Sequential(nn.MaxPool2d(2), DoubleConv(channels[k], channels[k + 1], padding=0))",
    ),
)


@variant("a module for the pooling, skips in a tuple")
class PoolingModule(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.pool = nn.MaxPool2d(2, 2)
        self.bottom = DoubleConv(base_channels * 2 ** (depth - 1), base_channels * 2**depth)  # registered first
        self.levels = nn.Sequential()
        channels, width = in_channels, base_channels
        for k in range(depth):
            self.levels.add_module(f"level{k}", DoubleConv(channels, width))
            channels, width = width, width * 2

    def forward(self, x):
        skips = ()
        for level in self.levels:
            x = level(x)
            skips += (x,)
            x = self.pool(x)
        return self.bottom(x), skips


@variant("attributes of their own")
class OwnAttributes(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.depth = depth
        for k in reversed(range(depth + 1)):
            before = base_channels << (k - 1) if k else in_channels
            setattr(self, f"encode{k}", DoubleConv(before, base_channels << k))

    def forward(self, x):
        skips = []
        for k in range(self.depth):
            skips.append(getattr(self, f"encode{k}")(x))
            x = nn.functional.max_pool2d(skips[k], kernel_size=2)
        return getattr(self, f"encode{self.depth}")(x), skips


@variant("one level inside the other")
class Nested(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.below = Nested(base_channels, 2 * base_channels, depth - 1) if depth else None
        self.block = DoubleConv(in_channels, base_channels)

    def forward(self, x):
        x = self.block(x)
        if self.below is None:
            return x, []
        bottleneck, skips = self.below(F.max_pool2d(x, 2))
        return bottleneck, [x, *skips]


@variant("steps of its own, biased, pooling by hand")
class OwnSteps(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        channels = [in_channels, *(base_channels * 2**k for k in range(depth + 1))]
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in channels[1:] for _ in range(2))
        self.second = nn.ModuleList(nn.Conv2d(c, c, 3, 1, 1) for c in channels[1:])
        self.first = nn.ModuleList(nn.Conv2d(a, b, 3, 1, 1) for a, b in pairwise(channels))

    def forward(self, x):
        skips = []
        for k, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            if k:
                skips.append(x)
                x = x.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))
            x = torch.relu(self.norms[2 * k](first(x)))
            x = torch.relu(self.norms[2 * k + 1](second(x)))
        return x, skips
