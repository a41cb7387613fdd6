"""Lesson 07: `UNet(in_channels, num_classes, base_channels=16, depth=4)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.checks.shared import forwards, widest
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.unet import DoubleConv, UNet, Up, UpConv


@exercise(
    UNet,
    lesson="07_skips",
    concept="U-Net",
    points=8,
    minutes=16,
    difficulty=4,
    hints=[
        "Take your hourglass and replace what happens at each step up by `Up`. What does each `Up` get from the "
        "encoder, and which skip comes first on the way up?",
        "The skips come from shallow to deep, and the decoder starts at the bottom: `reversed(skips)`. The `Up` of "
        "level k takes twice the channels of that level from below, and the level's own channels from the skip.",
        "An `nn.ModuleList` of `Up`s, from level `depth - 1` down to 0. In `forward` go through it together with the "
        "reversed skips (`zip`), and end with the 1×1 head.",
    ],
    task=(
        "Images `(N, in_channels, H, W)` to logits `(N, num_classes, H, W)`, for any sides of at least `2**depth`: the "
        "`Encoder`; for each level from deep to shallow an `Up` that joins what comes from below with the skip of that "
        "level and keeps the level's channels; then a 1×1 convolution with bias. No activation at the end."
    ),
)
def probes(draw):
    """Few channels, odd and even sides, each default once; training and gradients at depth 2.

    The first sides divide by `2**depth`: what fails there fails for another reason than the others. The `Build` is the
    smallest probe, and so the one to be shown. At depth 3 the channels have doubled often enough to show whether they
    stop.
    """
    yield forwards((3, 1), {"depth": 1}, draw.normal(1, 3, 14, 16), draw.seed())
    yield forwards((1, 2), {"base_channels": 1}, draw.normal(1, 1, 25, 34), draw.seed())
    yield Build((2, 3, 2, 2), (draw.normal(2, 2, 13, draw.size(8, 11)),))
    yield widest((1, 1), {"depth": 3}, 128, torch.ones(1, 1, 24, 24))


edit = edits_of(UNet)


# Texts of the reference, which is edited below.
STEP = "Up(channels[k + 1], channels[k], channels[k])"
WITHOUT_SKIP = "Up(channels[k + 1], 0, channels[k])"
HEAD = "nn.Conv2d(base_channels, num_classes, kernel_size=1)"
ENCODED = "x, skips = self.encoder(x)"


def each(what):
    """A change: what is done with every step `up`, from deep to shallow, where level `k` is its own."""
    loop = "for k, up in zip(reversed(range(depth)), self.decoder):"
    return "self.head =", f"{loop}\n            {what}\n        self.head ="


def levels_down(channels):
    """The encoder's levels, made anew with other channels, before the decoder."""
    return f"self.encoder.downs = nn.ModuleList(Down({channels}) for k in range(depth))\n        self.decoder ="


def step(joined, filled="F.pad(y, (0, columns, 0, rows))"):
    """A change: a step up that is written out, with `joined` in the place of the concatenation."""
    lines = (
        "y = up.up(x)",
        "rows, columns = skip.shape[2] - y.shape[2], skip.shape[3] - y.shape[3]",
        f"y = {filled}",
        f"x = up.conv({joined})",
    )
    return "x = up(x, skip)", "\n            ".join(lines)


edit(
    "the skips arrive as zeros",
    "You concatenate zeros of the skips' shapes, so everything fits and nothing comes across: the borders stay as "
    "blurred as the hourglass's. Look at what your steps up put beside `x`.",
    ("up(x, skip)", "up(x, torch.zeros_like(skip))"),
)

edit(
    "the skips are added",
    "You add the skips instead of concatenating them. That is LinkNet: *what* and *where* are mixed before the network "
    "can choose, and each step has half the channels to look at. Look at how your steps up join the two.",
    (STEP, WITHOUT_SKIP),
    step("y + skip"),
)

edit(
    "the skips are detached",
    "The skips arrive, but no gradient goes back through them: the encoder learns only what comes up through the "
    "bottleneck. Look for `detach`, `.data` or `no_grad` where the skips are collected or used.",
    ("up(x, skip)", "up(x, skip.detach())"),
)

edit(
    "the bottleneck is detached",
    "What comes from below is cut off from its gradient, so the deeper half of your network is never trained. "
    "Look for `detach`, `.data` or `no_grad` on the way up.",
    ("up(x, skip)", "up(x.detach(), skip)"),
)

edit(
    "the skip is cropped to what comes from below",
    "For an odd side you cut the skip down, so the logits come out smaller than the image. The task wants the image's "
    "size, so the other of the two has to change. Look at what your steps up do when the sides differ.",
    ("up(x, skip)", "up(x, skip[:, :, : 2 * x.shape[2], : 2 * x.shape[3]])"),
)

edit(
    "only sides that divide work",
    "An image whose sides do not divide by `2**depth` makes it fail: 13 halved is 6, doubled is 12, and the skip has "
    "13. Look at the shapes of the two maps right before you concatenate.",
    ("up(x, skip)", "up.conv(torch.cat([skip, up.up(x)], dim=1))"),
    any_error=True,
)

edit(
    "the blocks are built without the skips' channels",
    "The block after the concatenation is built for the channels of the level, and gets twice as many: those from "
    "below and those of the skip side by side. Look at its first argument.",
    each("up.conv = DoubleConv(channels[k], channels[k])"),
)

edit(
    "zeros on top and on the left",
    "You fill up a missing row on top and a missing column on the left. The pooling dropped the *last* ones, so what "
    "comes from below is shifted by a pixel at each such level. Look at the order of the numbers in `F.pad`.",
    step("torch.cat([skip, y], dim=1)", "F.pad(y, (columns, 0, rows, 0))"),
)

edit(
    "rows and columns exchanged in the padding",
    "Rows and columns are exchanged where you pad: it fails as soon as one is missing and the other is not. `F.pad` "
    "names the last axis first, so the columns. Look at the order of the numbers in it.",
    step("torch.cat([skip, y], dim=1)", "F.pad(y, (0, rows, 0, columns))"),
)

edit(
    "the border is repeated",
    "You fill a missing row or column with copies of the border. `Up` pads with zeros, and with the same weights the "
    "numbers differ there. Look at the `mode` of your padding.",
    step("torch.cat([skip, y], dim=1)", "F.pad(y, (0, columns, 0, rows), mode='replicate')"),
)

edit(
    "stretched to the skip's size",
    "When the sides differ you stretch what comes from below by interpolation, which moves and blurs all of it. Only "
    "the missing row has to be filled. Look at where you call `interpolate`.",
    step("torch.cat([skip, y], dim=1)", "F.interpolate(y, size=skip.shape[2:], mode='bilinear')"),
)

edit(
    "stretched by copying pixels",
    "When the sides differ you stretch what comes from below by copying pixels, so one half of it moves by a pixel "
    "against the skip. Only the missing row has to be filled. Look at where you call `interpolate`.",
    step("torch.cat([skip, y], dim=1)", "F.interpolate(y, size=skip.shape[2:])"),
)

edit(
    "bilinear instead of the transposed convolution",
    "You go up bilinearly, with a 3×3 convolution, where `Up` goes up by a transposed one. It is a good way up, but "
    "another one. Look at the mode of your way up.",
    each("up.up = UpConv(channels[k + 1], channels[k], mode='bilinear')"),
)

edit(
    "nearest instead of the transposed convolution",
    "You go up by copying pixels, with a 3×3 convolution, where `Up` goes up by a transposed one. It is a good way "
    "up, but another one. Look at the mode of your way up.",
    each("up.up = UpConv(channels[k + 1], channels[k], mode='nearest')"),
)

edit(
    "enlarged without weights",
    "You go up without any weights and leave the channels to the `DoubleConv`. Many repositories offer that as an "
    "option; here the way up learns. Look at what brings twice the channels down to the level's own.",
    each("up.up, up.conv = nn.Upsample(scale_factor=2, mode='bilinear'), DoubleConv(3 * channels[k], channels[k])"),
)

edit(
    "one convolution in each step up",
    "Your steps up convolve once after the concatenation, where the task asks for a `DoubleConv`. "
    "Look at the block that merges the two maps.",
    each("up.conv = up.conv.layers[:3]"),
)

edit(
    "no norm on the way up",
    "The blocks of your decoder have no batch normalisation, those of the encoder do. "
    "Look at the arguments of their `DoubleConv`.",
    each("up.conv = DoubleConv(2 * channels[k], channels[k], norm=False)"),
)

edit(
    "a ReLU after each way up",
    "There is a ReLU between each transposed convolution and the concatenation, which cuts off everything negative on "
    "the way. Look at what stands between the two.",
    each("up.up = nn.Sequential(up.up, nn.ReLU())"),
)

edit(
    "a norm and a ReLU after each way up",
    "There are a batch norm and a ReLU between each transposed convolution and the concatenation. `Up` has neither: "
    "the `DoubleConv` that follows brings its own. Look at what stands between the two.",
    each("up.up = nn.Sequential(up.up, nn.BatchNorm2d(channels[k]), nn.ReLU())"),
)

edit(
    "the skips are not used",
    "The encoder hands you its skips and you leave them where they are: this is the hourglass of lesson 06 again. "
    "Look at what each step up gets beside what comes from below.",
    (STEP, WITHOUT_SKIP),
    ("up(x, skip)", "up.conv(up.up(x))"),
    (ENCODED, f"sides = x.shape[2:]\n        {ENCODED}"),
    ("self.head(x)", "F.interpolate(self.head(x), size=sides)"),
)

edit(
    "the skips are not used, and the logits are too small",
    "The encoder hands you its skips and you leave them where they are: this is the hourglass of lesson 06 again, and"
    " what does not divide gets lost at the border. Look at what each step up gets beside what comes from below.",
    (STEP, WITHOUT_SKIP),
    ("up(x, skip)", "up.conv(up.up(x))"),
)

edit(
    "the skips give their size only",
    "Each step up takes the size of its skip and nothing else: what the skip holds is not concatenated. Look at what "
    "goes into the `DoubleConv` of each step.",
    (STEP, WITHOUT_SKIP),
    step("y"),
)

edit(
    "the levels are mixed up",
    "With one level it works, with two it fails: a step up gets a map of another level than it was built for. The "
    "encoder lists its skips from shallow to deep, and the decoder goes from deep to shallow. Look at the order in "
    "which you take the skips, and at the channels of each step.",
    ("reversed(skips)", "skips"),
)

edit(
    "the steps are built from shallow to deep",
    "Your steps up are built from shallow to deep. With one level that works, with two it fails: the first step gets "
    "the bottleneck, which has the most channels, and was built for few. Look at the order in which you make the "
    "steps.",
    ("reversed(range(depth))", "range(depth)"),
)

edit(
    "the skips shrunk to the wrong level",
    "You give the skips from shallow to deep to a decoder that goes from deep to shallow, and resize each until it "
    "fits. The finest skip then ends at the coarsest level, where its detail is lost. Look at the order in which you "
    "take them; at its own level a skip needs no resizing.",
    (STEP, "Up(channels[k + 1], channels[depth - 1 - k], channels[k])"),
    (
        "for up, skip in zip(self.decoder, reversed(skips), strict=True)",
        "for up, skip, level in zip(self.decoder, skips, skips[::-1], strict=True)",
    ),
    ("up(x, skip)", "up(x, F.interpolate(skip, size=level.shape[2:]))"),
)

edit(
    "the skip from after the pooling",
    "Your skips are taken after the pooling, so they have the size of the map below them and have lost the very detail "
    "they should carry across. Look at the moment when you keep a map: before it is pooled.",
    ("up(x, skip)", "up(x, F.max_pool2d(skip, 2))"),
)

edit(
    "pooled skips, enlarged again",
    "You keep the maps after the pooling and enlarge them to fit. The detail is gone by then: blocks of 2×2 come "
    "across. Look at the moment when you keep a map: before it is pooled.",
    ("up(x, skip)", "up(x, F.interpolate(F.max_pool2d(skip, 2), size=skip.shape[2:]))"),
)

edit(
    "the same skip at every level",
    "Every step up gets the first skip, resized: the maps of the other levels are computed and thrown away on the way "
    "across. Look at which skip each step takes.",
    (STEP, "Up(channels[k + 1], base_channels, channels[k])"),
    ("up(x, skip)", "up(x, F.interpolate(skips[0], size=skip.shape[2:]))"),
)

edit(
    "the shallowest skip is left out",
    "The last step up has no skip, the one that carries the detail of the full size. Your borders will be two pixels "
    "coarse. Count the skips and the steps that use one.",
    (STEP, "Up(channels[k + 1], channels[k] if k else 0, channels[k])"),
    ("up(x, skip)", "up(x, skip if up is not self.decoder[-1] else skip[:, :0])"),
)

edit(
    "the decoder in a plain list",
    "The steps of your decoder are in a plain Python list or dict. PyTorch does not look into these: `parameters()` "
    "misses them, so half of your network is never trained, and `state_dict()` loses it. Look at where you keep them;"
    " `nn.ModuleList` registers what is inside.",
    ("nn.ModuleList(", "list("),
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
    "another block at the bottleneck",
    "Between encoder and decoder you put one more `DoubleConv`. The encoder's last level is the bottleneck already: "
    "look at what it returns.",
    ("self.head =", "self.middle = DoubleConv(channels[-1], channels[-1])\n        self.head ="),
    (ENCODED, f"{ENCODED}\n        x = self.middle(x)"),
)

edit(
    "one level too few",
    "Your network halves the sides `depth - 1` times. `depth` counts the poolings, not the levels: with depth 1 there "
    "are two levels and one skip. Look at where you count.",
    ("super().__init__()", "super().__init__()\n        depth -= 1"),
)

edit(
    "one level too many",
    "Your network halves the sides `depth + 1` times and has about four times the weights. `depth` counts the "
    "poolings. Look at where you count.",
    ("super().__init__()", "super().__init__()\n        depth += 1"),
    any_error=True,
)

edit(
    "the channels do not double",
    "Every level has `base_channels` channels. Each pooling throws three of four positions away, and doubling the "
    "channels is what makes room for what they meant. Look at the channels of each level.",
    ("base_channels * 2**k", "base_channels"),
    ("self.decoder =", levels_down("base_channels, base_channels")),
)

edit(
    "the channels stop doubling",
    "At some level your channels stop doubling, so level 3 does not have `8 * base_channels`. Look for a `min` or a "
    "fixed list where the channels come from.",
    ("base_channels * 2**k", "min(base_channels * 2**k, 64)"),
    ("self.decoder =", levels_down("channels[k], channels[k + 1]")),
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
    "a ReLU at the end",
    "Your network ends in a ReLU, so no logit is ever negative and no probability below one half. "
    "Look at what follows the last convolution.",
    ("self.head(x)", "self.head(x).relu()"),
)

edit(
    "sigmoid at the end",
    "Your network ends in a sigmoid, so it returns probabilities, not logits. The losses of lesson 08 take the sigmoid "
    "themselves; applied twice it keeps everything between 0.5 and 0.73. Look at your last line.",
    ("self.head(x)", "self.head(x).sigmoid()"),
)

edit(
    "softmax at the end",
    "Your network ends in a softmax, so it returns probabilities, not logits. The loss takes the softmax itself, and "
    "with a single class it is 1 everywhere. Look at your last line.",
    ("self.head(x)", "self.head(x).softmax(dim=1)"),
)

edit(
    "log-softmax at the end",
    "Your network ends in a log-softmax, so it returns the logarithms of probabilities, not logits. The loss does "
    "that itself, and with a single class it is 0 everywhere. Look at your last line.",
    ("self.head(x)", "self.head(x).log_softmax(dim=1)"),
)

edit(
    "sigmoid or softmax at the end",
    "Your network ends in a sigmoid for one class and in a softmax for several, so it returns probabilities, not "
    "logits. The losses of lesson 08 do that themselves. Look at your last lines.",
    ("return self.head(x)", "x = self.head(x)\n        return x.sigmoid() if x.shape[1] == 1 else x.softmax(dim=1)"),
)

edit(
    "a label map instead of logits",
    "You return the number of the largest class for each pixel. No gradient comes through an `argmax`, so nothing "
    "could be trained. Look at your last line.",
    ("self.head(x)", "self.head(x).argmax(dim=1)"),
)

edit(
    "the axis of a single class is dropped",
    "With one class the result loses its axis 1. Logits are `(N, num_classes, H, W)` for any number of classes, and a"
    " mask has that axis too. Look for `squeeze` or an index at the end.",
    ("self.head(x)", "self.head(x).squeeze(1)"),
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
    "the logits are stretched to the image's size",
    "You let the maps shrink for odd sides and stretch the logits to the image's size at the end, so every border is "
    "moved and blurred a little. The sizes have to fit at each level. Look at your steps up.",
    ("up(x, skip)", "up(x, skip[:, :, : 2 * x.shape[2], : 2 * x.shape[3]])"),
    (ENCODED, f"sides = x.shape[2:]\n        {ENCODED}"),
    ("self.head(x)", "F.interpolate(self.head(x), size=sides, mode='bilinear')"),
)

edit(
    "the logits are filled up with zeros",
    "You let the maps shrink for odd sides and fill up the logits at the end, so the last rows and columns of the "
    "image get logits that say nothing of it. The sizes have to fit at each level. Look at your steps up.",
    ("up(x, skip)", "up(x, skip[:, :, : 2 * x.shape[2], : 2 * x.shape[3]])"),
    (ENCODED, f"sides = x.shape[2:]\n        {ENCODED}"),
    (
        "return self.head(x)",
        "x = self.head(x)\n        (rows, columns), (h, w) = sides, x.shape[2:]\n"
        "        return F.pad(x, (0, columns - w, 0, rows - h))",
    ),
)

edit(
    "the input is padded",
    "You pad the image to a multiple, run the network and cut the logits. The size is right, but zeros around the "
    "image take part in every convolution and every statistic of the batch norm. Here each step up fills what is "
    "missing. Look at the first lines of `forward`.",
    (
        ENCODED,
        "multiple = 2 ** len(self.decoder)\n"
        "        rows, columns = x.shape[2:]\n"
        f"        x = F.pad(x, (0, -columns % multiple, 0, -rows % multiple))\n        {ENCODED}",
    ),
    ("self.head(x)", "self.head(x)[:, :, :rows, :columns]"),
)

edit(
    "the input is padded on all sides",
    "You pad the image on all sides to a multiple, run the network and cut the logits, as before the hourglass. The "
    "size is right, but what was put around the image takes part in every convolution and every statistic of the "
    "batch norm. Here each step up fills what is missing. Look at the first lines of `forward`.",
    (
        ENCODED,
        "rows, columns = (-side % 2 ** len(self.decoder) for side in x.shape[2:])\n"
        "        (height, width), top, left = x.shape[2:], rows // 2, columns // 2\n"
        f"        x = F.pad(x, (left, columns - left, top, rows - top))\n        {ENCODED}",
    ),
    ("self.head(x)", "self.head(x)[:, :, top : top + height, left : left + width]"),
)

edit(
    "the image is resized to the next multiple",
    "You resize the image to sides that divide, the next larger ones, run the network and resize the logits back, so "
    "every border is moved and blurred twice. Here each step up fills the row that is missing, and no pixel moves. "
    "Look at the first lines of `forward`.",
    (
        ENCODED,
        "sides, m = x.shape[2:], 2 ** len(self.decoder)\n"
        "        x = F.interpolate(x, size=[s + -s % m for s in sides], mode='bilinear')\n"
        f"        {ENCODED}",
    ),
    ("self.head(x)", "F.interpolate(self.head(x), size=sides, mode='bilinear')"),
)

edit(
    "the image is resized to the multiple below",
    "You resize the image to sides that divide, the next smaller ones, run the network and resize the logits back, so"
    " every border is moved and blurred twice. Here each step up fills the row that is missing, and no pixel moves. "
    "Look at the first lines of `forward`.",
    (
        ENCODED,
        "sides, m = x.shape[2:], 2 ** len(self.decoder)\n"
        "        x = F.interpolate(x, size=[max(s // m * m, m) for s in sides], mode='bilinear')\n"
        f"        {ENCODED}",
    ),
    ("self.head(x)", "F.interpolate(self.head(x), size=sides, mode='bilinear')"),
)

edit(
    "the image is resized to the nearest multiple",
    "You resize the image to sides that divide, the nearest ones, run the network and resize the logits back, so "
    "every border is moved and blurred twice. Here each step up fills the row that is missing, and no pixel moves. "
    "Look at the first lines of `forward`.",
    (
        ENCODED,
        "sides, m = x.shape[2:], 2 ** len(self.decoder)\n"
        "        x = F.interpolate(x, size=[max(round(s / m) * m, m) for s in sides], mode='bilinear')\n"
        f"        {ENCODED}",
    ),
    ("self.head(x)", "F.interpolate(self.head(x), size=sides, mode='bilinear')"),
)

edit(
    "the image is a skip too",
    "You also concatenate the image itself before the head. Some networks do so, this one does not: its first skip is "
    "the encoder's first block. Look at what goes into the last convolution.",
    (HEAD, HEAD.replace("base_channels", "base_channels + in_channels")),
    (ENCODED, f"image = x\n        {ENCODED}"),
    ("self.head(x)", "self.head(torch.cat([x, image], dim=1))"),
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
    ("super().__init__()", "super().__init__()\n        depth = 4"),
    any_error=True,
)

edit(
    "every image is resized to 64×64",
    "You resize every image to 64×64, run the network and resize the logits back: small images are blown up, large "
    "ones lose their detail, and oblong ones are distorted. Here each step up fills the row that is missing, and no "
    "pixel moves. Look at the first lines of `forward`.",
    (
        ENCODED,
        "sides, m = x.shape[2:], 2 ** len(self.decoder)\n"
        "        x = F.interpolate(x, size=[64 for s in sides], mode='bilinear')\n"
        f"        {ENCODED}",
    ),
    ("self.head(x)", "F.interpolate(self.head(x), size=sides, mode='bilinear')"),
)


def _block(in_channels, out_channels):
    """A `DoubleConv` whose convolutions have a bias, which the norm takes away again."""
    layers = []
    for channels in (in_channels, out_channels):
        layers += [nn.Conv2d(channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


@variant("everything on one page, a bias everywhere, encoder first")
class OnePage(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.downs, self.ups, self.merges = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        width = base_channels
        for _ in range(depth):
            self.downs.append(_block(in_channels, width))
            self.ups.append(self.way_up(2 * width, width))
            self.merges.append(_block(2 * width, width))
            in_channels, width = width, 2 * width
        self.bottleneck = _block(in_channels, width)
        self.head = nn.Conv2d(base_channels, num_classes, kernel_size=1)

    def forward(self, x):
        skips = []
        for down in self.downs:
            skips.append(down(x))
            x = self.pool(skips[-1])
        x = self.bottleneck(x)
        for k in range(len(self.ups) - 1, -1, -1):
            x = self.ups[k](x)
            x = F.pad(x, (0, skips[k].size(3) - x.size(3), 0, skips[k].size(2) - x.size(2)))
            x = self.merges[k](self.joined(x, skips[k]))
        return self.head(x)

    def way_up(self, in_channels, out_channels):
        return nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)

    def joined(self, x, skip):
        return torch.cat([skip, x], dim=1)


@variant("everything on one page, a bias in the blocks only, decoder first")
class OnePageNoUpBiasDecoderFirst(OnePage):
    def way_up(self, in_channels, out_channels):
        return nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2, bias=False)

    def joined(self, x, skip):
        return torch.hstack([x, skip])


class _Nested(nn.Module):
    """One level: its block, whatever is below, and the step up that joins the two."""

    def __init__(self, in_channels, channels, depth):
        super().__init__()
        self.up = Up(2 * channels, channels, channels)
        below = _Nested(channels, 2 * channels, depth - 1) if depth > 1 else DoubleConv(channels, 2 * channels)
        self.below = nn.Sequential(nn.MaxPool2d(2), below)
        self.block = DoubleConv(in_channels, channels)

    def forward(self, x):
        skip = self.block(x)
        return self.up(self.below(skip), skip)


@variant("a U inside a U")
class Nested(nn.Sequential):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(_Nested(in_channels, base_channels, depth), nn.Conv2d(base_channels, num_classes, 1))


@variant("layers named by level, functional pooling")
class ByName(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.depth = depth
        for k in range(depth + 1):
            width = base_channels * 2**k
            self.add_module(f"down{k}", DoubleConv(width // 2 if k else in_channels, width))
            if k:
                self.add_module(f"up{k}", UpConv(width, width // 2))
                self.add_module(f"merge{k}", DoubleConv(width, width // 2))
        self.add_module("head", nn.Conv2d(base_channels, num_classes, 1))

    def forward(self, x):
        levels = {0: self.down0(x)}
        for k in range(1, self.depth + 1):
            levels[k] = getattr(self, f"down{k}")(F.max_pool2d(levels[k - 1], 2))
        x = levels[self.depth]
        for k in range(self.depth, 0, -1):
            x, skip = getattr(self, f"up{k}")(x), levels[k - 1]
            canvas = torch.zeros(x.shape[0], x.shape[1], *skip.shape[2:])
            canvas[:, :, : x.shape[2], : x.shape[3]] = x
            x = getattr(self, f"merge{k}")(torch.cat([skip, canvas], dim=1))
        return self.head(x)


@variant("a matrix product over the channels as head", differs=True)
class MatrixHead(UNet):
    """Its weights have the shape of a matrix, so a check can tell it from a 1×1 convolution; it is the same map."""

    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.head = nn.Linear(base_channels, num_classes)

    def forward(self, x):
        x, skips = self.encoder(x)
        for step_up in self.decoder:
            x = step_up(x, skips.pop())
        return self.head(x.movedim(1, -1)).movedim(-1, 1)
