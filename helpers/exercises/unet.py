"""Lesson 07: `UNet(in_channels, num_classes, base_channels=16, depth=4)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.checks.shared import forwards
from helpers.exercises import exercise, misconception, up, variant
from helpers.reference.decoder import Hourglass
from helpers.reference.unet import DoubleConv, Encoder, UNet, Up, UpConv


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

    The last probe is the smallest, and so the one to be shown.
    """
    yield forwards((3, 1), {"depth": 1}, draw.normal(1, 3, 14, 15), draw.seed())
    yield forwards((1, 2), {"base_channels": 1}, draw.normal(1, 1, 19, 34), draw.seed())
    yield Build((2, 3, 2, 2), (draw.normal(2, 2, 13, draw.size(8, 11)),))


def _decoder(base_channels, depth, step=Up):
    """One `step` a level, from deep to shallow."""
    channels = [base_channels * 2**k for k in range(depth + 1)]
    return nn.ModuleList(step(channels[k + 1], channels[k], channels[k]) for k in reversed(range(depth)))


def _with(step, base=UNet):
    """A U-Net whose steps up are all `step`."""

    class Net(base):
        def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
            super().__init__(in_channels, num_classes, base_channels, depth)
            self.decoder = _decoder(base_channels, depth, step)

    return Net


misconception(
    "the skips arrive as zeros",
    "You concatenate zeros of the skips' shapes, so everything fits and nothing comes across: the borders stay as "
    "blurred as the hourglass's. Look at what your steps up put beside `x`.",
)(_with(up.SkipZeroed))

misconception(
    "the skips are added",
    "You add the skips instead of concatenating them. That is LinkNet: *what* and *where* are mixed before the network "
    "can choose, and each step has half the channels to look at. Look at how your steps up join the two.",
)(_with(up.SkipAdded))

misconception(
    "the skips are detached",
    "The skips arrive, but no gradient goes back through them: the encoder learns only what comes up through the "
    "bottleneck. Look for `detach`, `.data` or `no_grad` where the skips are collected or used.",
)(_with(up.SkipDetached))

misconception(
    "the bottleneck is detached",
    "What comes from below is cut off from its gradient, so the deeper half of your network is never trained. "
    "Look for `detach`, `.data` or `no_grad` on the way up.",
)(_with(up.BelowDetached))

misconception(
    "the skip is cropped to what comes from below",
    "For an odd side you cut the skip down, so the logits come out smaller than the image. The task wants the image's "
    "size, so the other of the two has to change. Look at what your steps up do when the sides differ.",
)(_with(up.SkipCropped))

misconception(
    "only sides that divide work",
    "An image whose sides do not divide by `2**depth` makes it fail: 13 halved is 6, doubled is 12, and the skip has "
    "13. Look at the shapes of the two maps right before you concatenate.",
)(_with(up.EvenOnly))

misconception(
    "zeros on top and on the left",
    "You fill up a missing row on top and a missing column on the left. The pooling dropped the *last* ones, so what "
    "comes from below is shifted by a pixel at each such level. Look at the order of the numbers in `F.pad`.",
)(_with(up.PadTopLeft))

misconception(
    "stretched to the skip's size",
    "When the sides differ you stretch what comes from below by interpolation, which moves and blurs all of it. Only "
    "the missing row has to be filled. Look at where you call `interpolate`.",
)(_with(up.Stretched))

misconception(
    "bilinear instead of the transposed convolution",
    "You go up bilinearly, with a 3×3 convolution, where `Up` goes up by a transposed one. It is a good way up, but "
    "another one. Look at the mode of your way up.",
)(_with(up.Bilinear))

misconception(
    "enlarged without weights",
    "You go up without any weights and leave the channels to the `DoubleConv`. Many repositories offer that as an "
    "option; here the way up learns. Look at what brings twice the channels down to the level's own.",
)(_with(up.NoWeights))

misconception(
    "one convolution in each step up",
    "Your steps up convolve once after the concatenation, where the task asks for a `DoubleConv`. "
    "Look at the block that merges the two maps.",
)(_with(up.SingleConv))

misconception(
    "no norm on the way up",
    "The blocks of your decoder have no batch normalisation, those of the encoder do. "
    "Look at the arguments of their `DoubleConv`.",
)(_with(up.NoNorm))

misconception(
    "a ReLU after each way up",
    "There is a ReLU between each transposed convolution and the concatenation, which cuts off everything negative on "
    "the way. Look at what stands between the two.",
)(_with(up.ReLUAfterUp))


@misconception(
    "the skips are not used",
    "The encoder hands you its skips and you leave them where they are: this is the hourglass of lesson 06 again. "
    "Look at what each step up gets beside what comes from below.",
)
class NoSkips(Hourglass):
    def forward(self, x):
        sides = x.shape[2:]
        x, _ = self.encoder(x)
        return F.interpolate(self.head(self.decoder(x)), size=sides)


@misconception(
    "the levels are mixed up",
    "With one level it works, with two it fails: a step up gets a map of another level than it was built for. The "
    "encoder lists its skips from shallow to deep, and the decoder goes from deep to shallow. Look at the order in "
    "which you take the skips, and at the channels of each step.",
)
class NotReversed(UNet):
    def forward(self, x):
        x, skips = self.encoder(x)
        for step, skip in zip(self.decoder, skips, strict=True):
            x = step(x, skip)
        return self.head(x)


@misconception(
    "the skips shrunk to the wrong level",
    "You give the skips from shallow to deep to a decoder that goes from deep to shallow, and resize each until it "
    "fits. The finest skip then ends at the coarsest level, where its detail is lost. Look at the order in which you "
    "take them; at its own level a skip needs no resizing.",
)
class WrongLevel(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        channels = [base_channels * 2**k for k in range(depth + 1)]
        self.decoder = nn.ModuleList(
            Up(channels[k + 1], channels[depth - 1 - k], channels[k]) for k in reversed(range(depth))
        )

    def forward(self, x):
        x, skips = self.encoder(x)
        for step, skip, level in zip(self.decoder, skips, reversed(skips), strict=True):
            x = step(x, F.interpolate(skip, size=level.shape[2:]))
        return self.head(x)


@misconception(
    "the skip from after the pooling",
    "Your skips are taken after the pooling, so they have the size of the map below them and have lost the very detail "
    "they should carry across. Look at the moment when you keep a map: before it is pooled.",
)
class AfterPooling(UNet):
    def forward(self, x):
        x, skips = self.encoder(x)
        for step, skip in zip(self.decoder, reversed(skips), strict=True):
            x = step(x, F.max_pool2d(skip, 2))
        return self.head(x)


@misconception(
    "pooled skips, enlarged again",
    "You keep the maps after the pooling and enlarge them to fit. The detail is gone by then: blocks of 2×2 come "
    "across. Look at the moment when you keep a map: before it is pooled.",
)
class PooledSkips(UNet):
    def forward(self, x):
        x, skips = self.encoder(x)
        for step, skip in zip(self.decoder, reversed(skips), strict=True):
            x = step(x, F.interpolate(F.max_pool2d(skip, 2), size=skip.shape[2:]))
        return self.head(x)


@misconception(
    "the same skip at every level",
    "Every step up gets the first skip, resized: the maps of the other levels are computed and thrown away on the way "
    "across. Look at which skip each step takes.",
)
class SameSkip(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder = _decoder(base_channels, depth, lambda i, s, o: Up(i, base_channels, o))

    def forward(self, x):
        x, skips = self.encoder(x)
        for step, level in zip(self.decoder, reversed(skips), strict=True):
            x = step(x, F.interpolate(skips[0], size=level.shape[2:]))
        return self.head(x)


@misconception(
    "the shallowest skip is left out",
    "The last step up has no skip, the one that carries the detail of the full size. Your borders will be two pixels "
    "coarse. Count the skips and the steps that use one.",
)
class ShallowestMissing(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.decoder[-1] = up.SkipIgnored(2 * base_channels, base_channels, base_channels)


@misconception(
    "the decoder in a plain list",
    "The steps of your decoder are in a plain Python list. PyTorch does not look into lists: `parameters()` misses "
    "them, so half of your network is never trained, and `state_dict()` loses it. Look at where you keep them; "
    "`nn.ModuleList` registers what is inside.",
)
class PlainList(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.steps = list(_decoder(base_channels, depth))
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for step, skip in zip(self.steps, reversed(skips), strict=True):
            x = step(x, skip)
        return self.head(x)


@misconception(
    "the encoder in a plain list",
    "The blocks of your encoder are in a plain Python list. PyTorch does not look into lists: `parameters()` misses "
    "them, so the way down is never trained. Look at where you keep them; `nn.ModuleList` registers what is inside.",
)
class PlainEncoder(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        channels = [in_channels, *(base_channels * 2**k for k in range(depth + 1))]
        self.blocks = [DoubleConv(channels[k], channels[k + 1]) for k in range(depth + 1)]
        self.decoder = _decoder(base_channels, depth)
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        skips = []
        for k, block in enumerate(self.blocks):
            x = block(F.max_pool2d(x, 2) if k else x)
            skips.append(x)
        for step, skip in zip(self.decoder, skips[-2::-1], strict=True):
            x = step(x, skip)
        return self.head(x)


@misconception(
    "another block at the bottleneck",
    "Between encoder and decoder you put one more `DoubleConv`. The encoder's last level is the bottleneck already: "
    "look at what it returns.",
)
class ExtraBottleneck(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.middle = DoubleConv(base_channels * 2**depth, base_channels * 2**depth)

    def forward(self, x):
        x, skips = self.encoder(x)
        x = self.middle(x)
        for step, skip in zip(self.decoder, reversed(skips), strict=True):
            x = step(x, skip)
        return self.head(x)


@misconception(
    "one level too few",
    "Your network halves the sides `depth - 1` times. `depth` counts the poolings, not the levels: with depth 1 there "
    "are two levels and one skip. Look at where you count.",
)
class OneLevelLess(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth - 1)


@misconception(
    "one level too many",
    "Your network halves the sides `depth + 1` times and has about four times the weights. `depth` counts the "
    "poolings. Look at where you count.",
)
class OneLevelMore(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth + 1)


@misconception(
    "the channels do not double",
    "Every level has `base_channels` channels. Each pooling throws three of four positions away, and doubling the "
    "channels is what makes room for what they meant. Look at the channels of each level.",
)
class NoDoubling(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        c = base_channels
        self.down = nn.ModuleList(DoubleConv(c if k else in_channels, c) for k in range(depth + 1))
        self.decoder = nn.ModuleList(Up(c, c, c) for _ in range(depth))
        self.head = nn.Conv2d(c, num_classes, 1)

    def forward(self, x):
        skips = []
        for k, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if k else x)
            skips.append(x)
        for step, skip in zip(self.decoder, skips[-2::-1], strict=True):
            x = step(x, skip)
        return self.head(x)


@misconception(
    "the head is forgotten",
    "What comes out has `base_channels` channels, whatever `num_classes` says: the last layer that turns features into "
    "classes is missing. Look at what follows the decoder.",
)
class NoHead(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = _decoder(base_channels, depth)

    def forward(self, x):
        x, skips = self.encoder(x)
        for step, skip in zip(self.decoder, reversed(skips), strict=True):
            x = step(x, skip)
        return x


@misconception(
    "a 3×3 head",
    "Your last convolution is 3×3. The blocks before it have looked at the neighbours; the head decides for each pixel "
    "by itself, 1×1. Look at its kernel size.",
)
class HeadThree(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.head = nn.Conv2d(base_channels, num_classes, 3, padding=1)


@misconception(
    "no bias in the head",
    "Your last convolution has no bias, so it cannot say that a class is rare before it has seen a pixel. No norm "
    "follows that would make up for it. Look at its arguments.",
)
class HeadNoBias(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.head = nn.Conv2d(base_channels, num_classes, 1, bias=False)


@misconception(
    "norm and ReLU in the head",
    "Your head is a convolution with norm and ReLU, so no logit is ever negative and no probability below one half. "
    "The last convolution stands alone. Look at what follows it.",
)
class BlockHead(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.head = nn.Sequential(self.head, nn.BatchNorm2d(num_classes), nn.ReLU())


@misconception(
    "a ReLU at the end",
    "Your network ends in a ReLU, so no logit is ever negative and no probability below one half. "
    "Look at what follows the last convolution.",
)
class ReLUHead(UNet):
    def forward(self, x):
        return super().forward(x).relu()


@misconception(
    "sigmoid at the end",
    "Your network ends in a sigmoid, so it returns probabilities, not logits. The losses of lesson 08 take the sigmoid "
    "themselves; applied twice it keeps everything between 0.5 and 0.73. Look at your last line.",
)
class Sigmoid(UNet):
    def forward(self, x):
        return super().forward(x).sigmoid()


@misconception(
    "softmax at the end",
    "Your network ends in a softmax, so it returns probabilities, not logits. The loss takes the softmax itself, and "
    "with a single class it is 1 everywhere. Look at your last line.",
)
class Softmax(UNet):
    def forward(self, x):
        return super().forward(x).softmax(dim=1)


@misconception(
    "a label map instead of logits",
    "You return the number of the largest class for each pixel. No gradient comes through an `argmax`, so nothing "
    "could be trained. Look at your last line.",
)
class Argmax(UNet):
    def forward(self, x):
        return super().forward(x).argmax(dim=1)


@misconception(
    "num_classes is ignored",
    "One channel comes out, whatever `num_classes` says. Look at the output channels of your last convolution.",
)
class OneClass(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, 1, base_channels, depth)


@misconception(
    "the logits are stretched to the image's size",
    "You let the maps shrink for odd sides and stretch the logits to the image's size at the end, so every border is "
    "moved and blurred a little. The sizes have to fit at each level. Look at your steps up.",
)
class LogitsStretched(_with(up.SkipCropped)):
    def forward(self, x):
        return F.interpolate(super().forward(x), size=x.shape[2:], mode="bilinear")


@misconception(
    "the input is padded",
    "You pad the image to a multiple, run the network and cut the logits. The size is right, but zeros around the "
    "image take part in every convolution and every statistic of the batch norm. Here each step up fills what is "
    "missing. Look at the first lines of `forward`.",
)
class InputPadded(UNet):
    def forward(self, x):
        multiple = 2 ** len(self.decoder)
        rows, columns = x.shape[2:]
        logits = super().forward(F.pad(x, (0, -columns % multiple, 0, -rows % multiple)))
        return logits[:, :, :rows, :columns]


@misconception(
    "the image is a skip too",
    "You also concatenate the image itself before the head. Some networks do so, this one does not: its first skip is "
    "the encoder's first block. Look at what goes into the last convolution.",
)
class ImageSkip(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)
        self.last = nn.Conv2d(base_channels + in_channels, num_classes, 1)
        self.head = nn.Identity()

    def forward(self, x):
        return self.last(torch.cat([super().forward(x), x], dim=1))


@misconception(
    "base_channels is ignored",
    "Whatever `base_channels` says, you build with 16. Small networks for a laptop need the argument. "
    "Look for a fixed number where it should stand.",
)
class BaseIgnored(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, 16, depth)


@misconception(
    "64 channels by default",
    "Without `base_channels` you build the paper's 64, which a laptop trains sixteen times slower than the 16 asked "
    "for. Look at the first line of `__init__`.",
)
class PaperWidth(UNet):
    def __init__(self, in_channels, num_classes, base_channels=64, depth=4):
        super().__init__(in_channels, num_classes, base_channels, depth)


@misconception(
    "depth is ignored",
    "Whatever `depth` says, you go down and up four times. Small images have no room for that. "
    "Look for a fixed number where it should stand.",
)
class DepthIgnored(UNet):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__(in_channels, num_classes, base_channels, 4)


@variant("decoder first, with padding on both sides of the difference")
class DecoderFirst(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.out = nn.Conv2d(base_channels, num_classes, 1)  # registered from the end to the start
        self.up_blocks = nn.ModuleList(up.DecoderFirst(2 * c, c, c) for c in _widths(base_channels, depth))
        self.encoder = Encoder(in_channels, base_channels, depth)

    def forward(self, x):
        x, skips = self.encoder(x)
        for block in self.up_blocks:
            x = block(x, skips.pop())
        return self.out(x)


def _widths(base_channels, depth):
    return [base_channels * 2**k for k in range(depth - 1, -1, -1)]


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


@variant("everything on one page, a bias everywhere, decoder first")
class OnePageDecoderFirst(OnePage):
    def joined(self, x, skip):
        return torch.cat([x, skip], dim=1)


@variant("everything on one page, a bias in the blocks only, encoder first")
class OnePageNoUpBias(OnePage):
    def way_up(self, in_channels, out_channels):
        return nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2, bias=False)


@variant("everything on one page, a bias in the blocks only, decoder first")
class OnePageNoUpBiasDecoderFirst(OnePageNoUpBias):
    def joined(self, x, skip):
        return torch.hstack([x, skip])


@variant("no bias before any norm, encoder first")
class NoUpBias(_with(up.NoUpBias)):
    pass


@variant("no bias before any norm, decoder first")
class NoUpBiasDecoderFirst(_with(up.NoUpBiasDecoderFirst)):
    pass


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
        self.add_module("logits", nn.Conv2d(base_channels, num_classes, 1))

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
        return self.logits(x)
