"""Lesson 07: `Up(in_channels, skip_channels, out_channels)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.exercises import exercise, misconception, variant
from helpers.reference.unet import DoubleConv, Up, UpConv


@exercise(
    Up,
    lesson="07_skips",
    concept="Skip connection",
    points=5,
    minutes=13,
    difficulty=3,
    hints=[
        "Two maps have to lie on each other pixel by pixel before they can share a tensor. Which of the two is too "
        "small, and what are its channels after the way up?",
        "`nn.ConvTranspose2d` doubles the sides. `torch.cat([...], dim=1)` puts channels beside each other, and "
        "`DoubleConv` has to expect as many as there are then.",
        "An odd side comes back one short. `F.pad(x, (0, columns, 0, rows))` adds zeros on the right and at the "
        "bottom; how many are missing is the difference between the shapes of the skip and of `x`.",
    ],
    task=(
        "`forward(x, skip)`: a transposed convolution 2×2 with stride 2 brings `x` from `in_channels` to "
        "`out_channels` and doubles its sides; then concatenate it with the skip along the channels (in either order), "
        "and let a `DoubleConv` make `out_channels` of them. The skip may be one row or one column larger than the "
        "doubled `x`: fill up `x` with zeros at the bottom and on the right, so that the result has the skip's size."
    ),
)
def probes(draw):
    """Both sides odd, then even, then one of each; unequal channels, equal channels, a batch of one.

    The first two are higher than wide, so that a side compared with the other one gives another answer.
    """
    yield Build((2, 2, 2), (draw.normal(1, 2, 3, 2), draw.normal(1, 2, 7, 5)))
    yield Build((4, 2, 3), (draw.normal(2, 4, 3, 2), draw.normal(2, 2, 6, 4)))
    h, w, row = draw.size(2, 4), draw.size(2, 4), draw.size(0, 1)
    yield Build((3, 1, 2), (draw.normal(2, 3, h, w), draw.normal(2, 1, 2 * h + row, 2 * w + 1 - row)))


def _filled(x, skip):
    """`x` with zeros at the bottom and on the right, up to the skip's size."""
    return F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))


@misconception(
    "the skip arrives as zeros",
    "You concatenated zeros of the skip's shape, so everything fits and nothing comes across: the borders stay as "
    "blurred as without a skip. Look at what stands beside `x` in the list that you concatenate.",
)
class SkipZeroed(Up):
    def forward(self, x, skip):
        return super().forward(x, torch.zeros_like(skip))


@misconception(
    "added instead of concatenated",
    "You added the skip to `x`. Addition mixes *what* and *where* before the network can choose, and it needs equal "
    "channels. That is LinkNet's way; U-Net keeps both side by side. Look at how you join the two.",
)
class SkipAdded(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.conv = DoubleConv(out_channels, out_channels)

    def forward(self, x, skip):
        return self.conv(_filled(self.up(x), skip) + skip)


@misconception(
    "the skip is detached",
    "The values of the skip arrive, but no gradient goes back through it: the encoder learns nothing from what the "
    "decoder makes of its maps. Look for `detach`, `.data` or `no_grad` on the way of the skip.",
)
class SkipDetached(Up):
    def forward(self, x, skip):
        return super().forward(x, skip.detach())


@misconception(
    "the map from below is detached",
    "The values from below arrive, but no gradient goes back to them: everything deeper than this block stays "
    "untrained. Look for `detach`, `.data` or `no_grad` on the way of `x`.",
)
class BelowDetached(Up):
    def forward(self, x, skip):
        return super().forward(x.detach(), skip)


@misconception(
    "the skip is not used",
    "`forward` takes the skip and does nothing with it. The result is that of the hourglass: it knows what is there, "
    "and no longer where exactly. Look at what goes into your `DoubleConv`.",
)
class SkipIgnored(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.conv = DoubleConv(out_channels, out_channels)

    def forward(self, x, skip):
        return self.conv(_filled(self.up(x), skip))


@misconception(
    "concatenated along the batch",
    "You concatenated along the batch, so twice as many images come out as went in, and no pixel sees its partner. "
    "Look at the `dim` of `torch.cat`: without one it is 0.",
)
class CatBatch(SkipIgnored):
    def forward(self, x, skip):
        return self.conv(torch.cat([skip, _filled(self.up(x), skip)], dim=0))


@misconception(
    "concatenated along the height",
    "You put the skip above `x`, as two pictures stuck together: the result is twice as high. In `(N, C, H, W)` the "
    "channels are axis 1. Look at the `dim` of `torch.cat`.",
)
class CatHeight(SkipIgnored):
    def forward(self, x, skip):
        return self.conv(torch.cat([skip, _filled(self.up(x), skip)], dim=2))


@misconception(
    "concatenated along the width",
    "You put the skip to the left of `x`, as two pictures stuck together: the result is twice as wide. In "
    "`(N, C, H, W)` the channels are axis 1. Look at the `dim` of `torch.cat`.",
)
class CatWidth(SkipIgnored):
    def forward(self, x, skip):
        return self.conv(torch.cat([skip, _filled(self.up(x), skip)], dim=3))


@misconception(
    "only even sides work",
    "It fails when the skip is one row or column larger: 7 halved is 3, doubled is 6, and `torch.cat` wants equal "
    "sides. Look at the shapes of `x` and `skip` right before you concatenate.",
)
class EvenOnly(Up):
    def forward(self, x, skip):
        return self.conv(torch.cat([skip, self.up(x)], dim=1))


@misconception(
    "the skip is cropped",
    "You cut the skip down to `x`, so the result is smaller than the skip, and the logits will be smaller than the "
    "image. The 2015 network did so; here the result has the skip's size. Look at which of the two you change.",
)
class SkipCropped(Up):
    def forward(self, x, skip):
        x = self.up(x)
        return self.conv(torch.cat([skip[:, :, : x.shape[2], : x.shape[3]], x], dim=1))


@misconception(
    "zeros on top and on the left",
    "You add the missing row on top and the missing column on the left, which moves everything from below by a pixel "
    "against the skip. The pooling dropped the *last* row and column: look at the order of the numbers in `F.pad`.",
)
class PadTopLeft(Up):
    def forward(self, x, skip):
        x = self.up(x)
        x = F.pad(x, (skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2], 0))
        return self.conv(torch.cat([skip, x], dim=1))


@misconception(
    "the border is repeated",
    "You fill the missing row and column with copies of the border. That is a sound choice too, but the task says "
    "zeros, and with the same weights the numbers differ at the border. Look at the `mode` of your padding.",
)
class PadReplicate(Up):
    def forward(self, x, skip):
        x = self.up(x)
        x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]), mode="replicate")
        return self.conv(torch.cat([skip, x], dim=1))


@misconception(
    "stretched to the skip's size",
    "When a row is missing you stretch the whole map by interpolation: every pixel moves a little against the skip and "
    "is blurred. Only what is missing has to be filled. Look at where you call `interpolate`.",
)
class Stretched(Up):
    def forward(self, x, skip):
        x = F.interpolate(self.up(x), size=skip.shape[2:], mode="bilinear")
        return self.conv(torch.cat([skip, x], dim=1))


@misconception(
    "stretched by copying pixels",
    "When a row is missing you stretch the whole map by copying pixels, so one half of it moves by a pixel against the "
    "skip. Only what is missing has to be filled. Look at where you call `interpolate`.",
)
class StretchedNearest(Up):
    def forward(self, x, skip):
        x = F.interpolate(self.up(x), size=skip.shape[2:])
        return self.conv(torch.cat([skip, x], dim=1))


@misconception(
    "bilinear instead of the transposed convolution",
    "You enlarge bilinearly and convolve 3×3 where a transposed convolution 2×2 was asked for. It is a good way up, "
    "with more weights and smoother maps, but another one. Look at the mode of your way up.",
)
class Bilinear(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.up = UpConv(in_channels, out_channels, mode="bilinear")


@misconception(
    "nearest instead of the transposed convolution",
    "You enlarge by copying pixels and convolve 3×3 where a transposed convolution 2×2 was asked for. It is a good way "
    "up, with more weights, but another one. Look at the mode of your way up.",
)
class Nearest(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.up = UpConv(in_channels, out_channels, mode="nearest")


@misconception(
    "enlarged without weights",
    "You enlarge without any weights and leave the channels as they are. The way up then has nothing to learn, and the "
    "`DoubleConv` gets twice the channels to work through. Look at which layer changes `in_channels` to "
    "`out_channels`.",
)
class NoWeights(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.conv = DoubleConv(in_channels + skip_channels, out_channels)


@misconception(
    "a kernel larger than its stride",
    "Your transposed convolution has a 3×3 kernel. With stride 2 its stamps overlap in every other row and column, "
    "which prints a checkerboard. Look at its kernel size.",
)
class Overlapping(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)


@misconception(
    "the way up halves the channels",
    "Your way up gives `in_channels // 2` channels. In the U-Net that is the same number by chance; here it is "
    "`out_channels` that counts. Look at the second argument of your transposed convolution.",
)
class Halved(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.up = UpConv(in_channels, in_channels // 2)
        self.conv = DoubleConv(in_channels // 2 + skip_channels, out_channels)


@misconception(
    "the way up keeps the channels",
    "Your way up keeps `in_channels`, so the deep map outweighs the skip, and the block has far more weights than it "
    "needs. Look at the second argument of your transposed convolution.",
)
class Kept(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.up = UpConv(in_channels, in_channels)
        self.conv = DoubleConv(in_channels + skip_channels, out_channels)


@misconception(
    "upsampling after the concatenation",
    "You shrink the skip to the size of `x`, join the two there and go up last. The fine positions in the skip are "
    "lost before anyone could use them. Look at the order: up first, then side by side.",
)
class UpLast(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.conv = DoubleConv(in_channels + skip_channels, out_channels)
        self.up = UpConv(out_channels, out_channels)

    def forward(self, x, skip):
        small = F.interpolate(skip, size=x.shape[2:])
        return _filled(self.up(self.conv(torch.cat([small, x], dim=1))), skip)


@misconception(
    "one convolution after the concatenation",
    "After the concatenation there is one convolution. The task asks for a `DoubleConv`, two convolutions with norm "
    "and ReLU each. Look at the block that merges.",
)
class SingleConv(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        joined = skip_channels + out_channels
        conv = nn.Conv2d(joined, out_channels, 3, padding=1, bias=False)
        self.conv = nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU())


@misconception(
    "nothing merges the two",
    "You return the two maps side by side. No convolution looks at both, and the result has more channels than "
    "`out_channels`. Look at what has to follow the concatenation.",
)
class NotMerged(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, out_channels)

    def forward(self, x, skip):
        return torch.cat([skip, _filled(self.up(x), skip)], dim=1)


@misconception(
    "concatenated after the convolutions",
    "Your `DoubleConv` works on `x` alone, and the skip is put beside the result. So nothing in this block looks at "
    "both, and `skip_channels` too many come out. Look at what goes into the `DoubleConv`.",
)
class CatLast(SkipIgnored):
    def forward(self, x, skip):
        return torch.cat([skip, super().forward(x, skip)], dim=1)


@misconception(
    "no norm in the DoubleConv",
    "Your `DoubleConv` has no batch normalisation. On the way down it has one, and the two halves of the network "
    "should speak in the same range. Look at the arguments of your `DoubleConv`.",
)
class NoNorm(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels, norm=False)


@misconception(
    "no padding in the DoubleConv",
    "Your result is 4 pixels short in height and width: the convolutions of the `DoubleConv` run without padding. The "
    "2015 network did so and cropped its skips for it; here the sides stay. Look at the arguments of your "
    "`DoubleConv`.",
)
class ValidConv(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels, padding=0)


@misconception(
    "a ReLU after the way up",
    "There is a ReLU between the transposed convolution and the concatenation, which cuts off everything negative "
    "before the `DoubleConv` sees it. Look at what you do with `x` after the way up.",
)
class ReLUAfterUp(Up):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__(in_channels, skip_channels, out_channels)
        self.up = nn.Sequential(self.up, nn.ReLU())


@misconception(
    "the arguments of `forward` exchanged",
    "Your `forward` takes the skip first and enlarges *it*. It is called as `up(x, skip)`: the map from below comes "
    "first. Look at the first line of `forward`.",
)
class ArgumentsExchanged(Up):
    def forward(self, skip, x):
        return super().forward(x, skip)


@misconception(
    "layers in a plain list",
    "Your layers are in a plain Python list. PyTorch does not look into lists: `parameters()` misses them, so no "
    "optimizer trains them. Look at where you keep them; an attribute of its own for each layer registers it.",
)
class PlainList(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.layers = [UpConv(in_channels, out_channels), DoubleConv(skip_channels + out_channels, out_channels)]

    def forward(self, x, skip):
        up, conv = self.layers
        return conv(torch.cat([skip, _filled(up(x), skip)], dim=1))


def _block(in_channels, out_channels, bias):
    """A `DoubleConv` whose convolutions have a bias, which the norm takes away again, or none."""
    layers = []
    for channels in (in_channels, out_channels):
        layers += [nn.Conv2d(channels, out_channels, 3, padding=1, bias=bias), nn.BatchNorm2d(out_channels), nn.ReLU()]
    return nn.Sequential(*layers)


@variant("decoder first")
class DecoderFirst(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.merge = DoubleConv(out_channels + skip_channels, out_channels)  # registered in another order
        self.enlarge = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)

    def forward(self, x, skip):
        x = self.enlarge(x)
        rows, columns = skip.size(2) - x.size(2), skip.size(3) - x.size(3)
        # halves of 1 are 0 and 1: the same as all of it at the end
        x = F.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return self.merge(torch.cat((x, skip), 1))


@variant("a bias in every convolution, encoder first, written into zeros")
class BiasEverywhere(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        self.block = _block(skip_channels + out_channels, out_channels, bias=True)

    def forward(self, x, skip):
        x = self.up(x)
        both = torch.zeros(len(x), skip.shape[1] + x.shape[1], *skip.shape[2:])
        both[:, : skip.shape[1]] = skip
        both[:, skip.shape[1] :, : x.shape[2], : x.shape[3]] = x
        return self.block(both)


@variant("a bias in every convolution, decoder first, functional")
class BiasDecoderFirst(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(out_channels), nn.BatchNorm2d(out_channels)])
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.first = nn.Conv2d(out_channels + skip_channels, out_channels, 3, padding=1)
        self.weight = nn.Parameter(torch.randn(in_channels, out_channels, 2, 2) * 0.1)
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x, skip):
        x = F.conv_transpose2d(x, self.weight, self.bias, stride=2)
        if x.shape[2] < skip.shape[2]:
            x = torch.cat([x, torch.zeros_like(x[:, :, :1])], dim=2)
        if x.shape[3] < skip.shape[3]:
            x = torch.cat([x, torch.zeros_like(x[:, :, :, :1])], dim=3)
        x = torch.cat([x, skip], dim=1)
        for conv, norm in zip((self.first, self.second), self.norms, strict=True):
            x = F.relu(norm(conv(x)))
        return x


@variant("no bias in the way up, encoder first")
class NoUpBias(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.layers = nn.ModuleDict()
        self.layers["conv"] = DoubleConv(skip_channels + out_channels, out_channels)
        self.layers["up"] = nn.ConvTranspose2d(in_channels, out_channels, 2, 2, bias=False)

    def forward(self, x, skip):
        x = self.layers["up"](x)
        pad = nn.ZeroPad2d((0, skip.shape[-1] - x.shape[-1], 0, skip.shape[-2] - x.shape[-2]))
        return self.layers["conv"](torch.cat([skip, pad(x)], dim=-3))


@variant("no bias in the way up, decoder first")
class NoUpBiasDecoderFirst(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, 2, bias=False)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        return self.conv(torch.cat([_filled(self.up(x), skip), skip], dim=1))


@variant("a bias in the block only, encoder first")
class BlockBias(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.block = _block(skip_channels + out_channels, out_channels, bias=True)
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, 2, bias=False)

    def forward(self, x, skip):
        return self.block(torch.hstack([skip, _filled(self.up(x), skip)]))


@variant("a bias in the block only, decoder first")
class BlockBiasDecoderFirst(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, 2, bias=False)
        self.block = _block(skip_channels + out_channels, out_channels, bias=True)

    def forward(self, x, skip):
        return self.block(torch.hstack([_filled(self.up(x), skip), skip]))


@variant("encoder first, laid on a canvas of the skip's size")
class Canvas(Up):
    def forward(self, x, skip):
        x = self.up(x)
        canvas = x.new_zeros(x.shape[0], x.shape[1], skip.shape[2], skip.shape[3])
        canvas[..., : x.shape[2], : x.shape[3]] = x
        return self.conv(torch.cat([skip, canvas], dim=1))
