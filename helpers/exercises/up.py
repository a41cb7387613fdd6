"""Lesson 07: `Up(in_channels, skip_channels, out_channels)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.unet import DoubleConv, Up


@exercise(
    Up,
    lesson="07_skips",
    concept="Skip connection",
    points=5,
    minutes=13,
    difficulty=3,
    hints=[
        "Two maps have to match pixel by pixel before they can share a tensor. Which of the two is too small, and "
        "what are its channels after the way up?",
        "`nn.ConvTranspose2d` doubles the sides. `torch.cat([...], dim=1)` puts channels beside each other, and "
        "`DoubleConv` has to expect that many.",
        "An odd side comes back one short. `F.pad(x, (0, columns, 0, rows))` adds zeros on the right and at the "
        "bottom; how many are missing is the difference between the shapes of the skip and of `x`.",
    ],
    task=(
        "`forward(x, skip)`: a transposed convolution 2×2 with stride 2 brings `x` from `in_channels` to "
        "`out_channels` and doubles its sides; then concatenate it with the skip along the channels (in either "
        "order), and let a `DoubleConv` turn them into `out_channels`. The skip may be one row or one column larger "
        "than the doubled `x`: pad `x` with zeros at the bottom and on the right, so that the result has the skip's "
        "size."
    ),
)
def probes(draw):
    """Both sides odd, then even, then one of each; equal channels, unequal channels, a batch of one.

    The first two are higher than wide, so that a side compared with the other one gives another answer. With channels
    3, 2 and 4 no two sums of them are equal that a `DoubleConv` could be built for by mistake.
    """
    yield Build((2, 2, 2), (draw.normal(1, 2, 3, 2), draw.normal(1, 2, 7, 5)))
    yield Build((3, 2, 4), (draw.normal(2, 3, 3, 2), draw.normal(2, 2, 6, 4)))
    h, w, row = draw.size(2, 4), draw.size(2, 4), draw.size(0, 1)
    yield Build((3, 1, 2), (draw.normal(2, 3, h, w), draw.normal(2, 1, 2 * h + row, 2 * w + 1 - row)))


edit = edits_of(Up)

edit(
    "the skip arrives as zeros",
    "You concatenated zeros of the skip's shape, so everything fits and nothing comes across: the borders stay as "
    "blurred as without a skip. Look at what stands beside `x` in the list that you concatenate.",
    ("[skip, x]", "[torch.zeros_like(skip), x]"),
)

edit(
    "added instead of concatenated",
    "You added the skip to `x`. Addition mixes *what* and *where* before the network can choose, and it needs equal "
    "channels. That is LinkNet's way; U-Net keeps both side by side. Look at how you join the two.",
    ("skip_channels + out_channels", "out_channels"),
    ("torch.cat([skip, x], dim=1)", "x + skip"),
)

edit(
    "added at the skip's channels instead of concatenated",
    "You brought `x` to the skip's channels and added the skip to it. Addition mixes *what* and *where* before the "
    "network can choose. That is LinkNet's way; U-Net keeps both side by side. Look at how you join the two.",
    ("UpConv(in_channels, out_channels)", "UpConv(in_channels, skip_channels)"),
    ("skip_channels + out_channels", "skip_channels"),
    ("torch.cat([skip, x], dim=1)", "x + skip"),
)

edit(
    "the skip is detached",
    "The values of the skip arrive, but no gradient goes back through it: the encoder learns nothing from what the "
    "decoder makes of its maps. Look for `detach`, `.data` or `no_grad` on the way of the skip.",
    ("[skip, x]", "[skip.detach(), x]"),
)

edit(
    "the map from below is detached",
    "The values from below arrive, but no gradient goes back to them: everything deeper than this block stays "
    "untrained. Look for `detach`, `.data` or `no_grad` on the way of `x`.",
    ("self.up(x)", "self.up(x.detach())"),
)

edit(
    "the skip is not used",
    "`forward` takes the skip and does nothing with it. The result is that of the hourglass: it knows what is there, "
    "and no longer where exactly. Look at what goes into your `DoubleConv`.",
    ("skip_channels + out_channels", "out_channels"),
    ("torch.cat([skip, x], dim=1)", "x"),
)

edit(
    "concatenated along the batch",
    "You concatenated along the batch, so twice as many images come out as went in, and no pixel sees its partner. "
    "Look at the `dim` of `torch.cat`: without one it is 0.",
    ("skip_channels + out_channels", "out_channels"),
    ("dim=1", "dim=0"),
)

edit(
    "no axis for the concatenation",
    "You concatenated along the batch: that is axis 0, which `torch.cat` takes unless it is told another. Twice as "
    "many images, each with too few channels, reach the `DoubleConv`. Look at the `dim` of `torch.cat`.",
    ("dim=1", "dim=0"),
)

edit(
    "concatenated along the height",
    "You put the skip above `x`, as two pictures stuck together: the result is twice as high. In `(N, C, H, W)` the "
    "channels are axis 1. Look at the `dim` of `torch.cat`.",
    ("skip_channels + out_channels", "out_channels"),
    ("dim=1", "dim=2"),
)

edit(
    "concatenated along the width",
    "You put the skip to the left of `x`, as two pictures stuck together: the result is twice as wide. In "
    "`(N, C, H, W)` the channels are axis 1. Look at the `dim` of `torch.cat`.",
    ("skip_channels + out_channels", "out_channels"),
    ("dim=1", "dim=3"),
)

edit(
    "concatenated along the last axis",
    "You concatenated along the last axis, where NumPy's and TensorFlow's pictures have their channels. In `(N, C, H,"
    " W)` that is the width, and the `DoubleConv` gets too few channels. Look at the `dim` of `torch.cat`.",
    ("dim=1", "dim=-1"),
)

edit(
    "the DoubleConv is built for in_channels",
    "Your `DoubleConv` is built for `in_channels`. What it gets are the channels of the skip and of the enlarged `x` "
    "together. In a U-Net the two numbers happen to be equal; the arguments may be others. Look at its first argument.",
    ("skip_channels + out_channels", "in_channels"),
)

edit(
    "the way up halves the channels, and the DoubleConv is built for in_channels",
    "Your way up gives `in_channels // 2` channels, and your `DoubleConv` is built for `in_channels`. In a U-Net both"
    " happen to be right; the three arguments may be others. Look at what comes out of the way up, and at which two "
    "numbers of channels are put side by side.",
    ("UpConv(in_channels, out_channels)", "UpConv(in_channels, in_channels // 2)"),
    ("skip_channels + out_channels", "in_channels"),
)

edit(
    "the DoubleConv is built for twice out_channels",
    "Your `DoubleConv` is built for `2 * out_channels`. In a U-Net the skip has as many channels as come out; here it"
    " has `skip_channels`. Look at its first argument.",
    ("skip_channels + out_channels", "2 * out_channels"),
)

edit(
    "the DoubleConv is built for in_channels and the skip's",
    "Your `DoubleConv` is built for `in_channels + skip_channels`, but the way up has changed the channels of `x` by "
    "then. Look at how many `x` has where you concatenate.",
    ("skip_channels + out_channels", "skip_channels + in_channels"),
)

edit(
    "the DoubleConv is built without the skip's channels",
    "Your `DoubleConv` is built for `out_channels`, the channels of the enlarged `x` alone. After the concatenation "
    "those of the skip are there as well. Look at its first argument.",
    ("skip_channels + out_channels", "out_channels"),
)

edit(
    "only even sides work",
    "It fails when the skip is one row or column larger: 7 halved is 3, doubled is 6, and `torch.cat` wants equal "
    "sides. Look at the shapes of `x` and `skip` right before you concatenate.",
    ("F.pad(x, (0, columns, 0, rows))", "x"),
)

edit(
    "only the width is filled up",
    "You add the missing column and no row, so it fails where the height of the skip is odd. `F.pad` names the last "
    "axis first: a pair for the columns, then a pair for the rows. Look at how many numbers you give it.",
    ("(0, columns, 0, rows)", "(0, columns)"),
)

edit(
    "only the height is filled up",
    "You add the missing row and no column, so it fails where the width of the skip is odd. `F.pad` names the last "
    "axis first: a pair for the columns, then a pair for the rows. Look at the numbers that you give it.",
    ("(0, columns, 0, rows)", "(0, 0, 0, rows)"),
)

edit(
    "rows and columns exchanged in the padding",
    "Rows and columns are exchanged where you pad: it fails as soon as one is missing and the other is not. `F.pad` "
    "names the last axis first, so the columns. Look at the order of the numbers in it.",
    ("(0, columns, 0, rows)", "(0, rows, 0, columns)"),
)

edit(
    "always a row and a column more",
    "You add a row and a column whether or not they are missing. An even side comes back complete from the way up. "
    "Look at where the numbers in your `F.pad` come from.",
    ("(0, columns, 0, rows)", "(0, 1, 0, 1)"),
)

edit(
    "a row and a column whenever the sizes differ",
    "Whenever the sizes differ you add a row *and* a column. One of the two may be missing alone. Look at each side "
    "by itself.",
    ("F.pad(x, (0, columns, 0, rows))", "F.pad(x, (0, 1, 0, 1)) if rows + columns else x"),
)

edit(
    "the skip is cropped",
    "You cut the skip down to `x`, so the result is smaller than the skip, and the logits will be smaller than the "
    "image. The 2015 network did so; here the result has the skip's size. Look at which of the two you change.",
    ("x = F.pad(x, (0, columns, 0, rows))", "skip = skip[:, :, : x.shape[2], : x.shape[3]]"),
)

edit(
    "zeros on top and on the left",
    "You add the missing row on top and the missing column on the left, which moves everything from below by a pixel "
    "against the skip. The pooling dropped the *last* row and column: look at the order of the numbers in `F.pad`.",
    ("(0, columns, 0, rows)", "(columns, 0, rows, 0)"),
)

edit(
    "zeros on top",
    "You add the missing row on top, which moves everything from below by a pixel against the skip. The pooling "
    "dropped the *last* row: look at the order of the numbers in `F.pad`.",
    ("(0, columns, 0, rows)", "(0, columns, rows, 0)"),
)

edit(
    "zeros on the left",
    "You add the missing column on the left, which moves everything from below by a pixel against the skip. The "
    "pooling dropped the *last* column: look at the order of the numbers in `F.pad`.",
    ("(0, columns, 0, rows)", "(columns, 0, 0, rows)"),
)

edit(
    "the border is repeated",
    "You fill the missing row and column with copies of the border. That is a sound choice too, but the task says "
    "zeros, and with the same weights the numbers differ at the border. Look at the `mode` of your padding.",
    ("(0, columns, 0, rows)", "(0, columns, 0, rows), mode='replicate'"),
)

edit(
    "the border is mirrored",
    "You fill the missing row and column with what lies on the other side of the border, as in a mirror. The task "
    "says zeros, and with the same weights the numbers differ at the border. Look at the `mode` of your padding.",
    ("(0, columns, 0, rows)", "(0, columns, 0, rows), mode='reflect'"),
)

edit(
    "stretched to the skip's size",
    "When a row is missing you stretch the whole map by interpolation: every pixel moves a little against the skip and "
    "is blurred. Only what is missing has to be filled. Look at where you call `interpolate`.",
    ("F.pad(x, (0, columns, 0, rows))", "F.interpolate(x, size=skip.shape[2:], mode='bilinear')"),
)

edit(
    "stretched to the skip's size, corners aligned",
    "When a row is missing you stretch the whole map by interpolation, from corner to corner: every pixel but those "
    "moves a little against the skip and is blurred. Only what is missing has to be filled. Look at where you call "
    "`interpolate`.",
    ("F.pad(x, (0, columns, 0, rows))", "F.interpolate(x, size=skip.shape[2:], mode='bilinear', align_corners=True)"),
)

edit(
    "stretched by copying pixels",
    "When a row is missing you stretch the whole map by copying pixels, so one half of it moves by a pixel against the "
    "skip. Only what is missing has to be filled. Look at where you call `interpolate`.",
    ("F.pad(x, (0, columns, 0, rows))", "F.interpolate(x, size=skip.shape[2:])"),
)

edit(
    "bilinear instead of the transposed convolution",
    "You enlarge bilinearly and convolve 3×3 where a transposed convolution 2×2 was asked for. It is a good way up, "
    "with more weights and smoother maps, but another one. Look at the mode of your way up.",
    ("UpConv(in_channels, out_channels)", "UpConv(in_channels, out_channels, mode='bilinear')"),
)

edit(
    "nearest instead of the transposed convolution",
    "You enlarge by copying pixels and convolve 3×3 where a transposed convolution 2×2 was asked for. It is a good way "
    "up, with more weights, but another one. Look at the mode of your way up.",
    ("UpConv(in_channels, out_channels)", "UpConv(in_channels, out_channels, mode='nearest')"),
)

edit(
    "enlarged without weights",
    "You enlarge without any weights and leave the channels as they are. The way up then has nothing to learn, and the "
    "`DoubleConv` gets twice the channels to work through. Look at which layer changes `in_channels` to "
    "`out_channels`.",
    ("UpConv(in_channels, out_channels)", "nn.Upsample(scale_factor=2, mode='bilinear')"),
    ("skip_channels + out_channels", "in_channels + skip_channels"),
)

edit(
    "enlarged by copying, without weights",
    "You enlarge by copying pixels, without any weights, and leave the channels as they are. The way up then has "
    "nothing to learn, and the `DoubleConv` gets more channels to work through. Look at which layer changes "
    "`in_channels` to `out_channels`.",
    ("UpConv(in_channels, out_channels)", "nn.Upsample(scale_factor=2)"),
    ("skip_channels + out_channels", "in_channels + skip_channels"),
)

edit(
    "a kernel larger than its stride",
    "Your transposed convolution has a 3×3 kernel. With stride 2 its stamps overlap in every other row and column, "
    "which prints a checkerboard. Look at its kernel size.",
    (
        "UpConv(in_channels, out_channels)",
        "nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)",
    ),
)

edit(
    "the way up halves the channels",
    "Your way up gives `in_channels // 2` channels. In the U-Net that is the same number by chance; here it is "
    "`out_channels` that counts. Look at the second argument of your transposed convolution.",
    ("UpConv(in_channels, out_channels)", "UpConv(in_channels, in_channels // 2)"),
    ("skip_channels + out_channels", "in_channels // 2 + skip_channels"),
)

edit(
    "the way up keeps the channels",
    "Your way up keeps `in_channels`, so the deep map outweighs the skip, and the block has far more weights than it "
    "needs. Look at the second argument of your transposed convolution.",
    ("UpConv(in_channels, out_channels)", "UpConv(in_channels, in_channels)"),
    ("skip_channels + out_channels", "in_channels + skip_channels"),
)

edit(
    "upsampling after the concatenation",
    "You shrink the skip to the size of `x`, join the two there and go up last. The fine positions in the skip are "
    "lost before anyone could use them. Look at the order: up first, then side by side.",
    ("UpConv(in_channels, out_channels)", "UpConv(out_channels, out_channels)"),
    ("skip_channels + out_channels", "in_channels + skip_channels"),
    ("self.conv(torch.cat([skip, x], dim=1))", "x"),
    ("self.up(x)", "self.up(self.conv(torch.cat([F.interpolate(skip, size=x.shape[2:]), x], dim=1)))"),
)

edit(
    "one convolution after the concatenation",
    "After the concatenation there is one convolution. The task asks for a `DoubleConv`, two convolutions with norm "
    "and ReLU each. Look at the block that merges.",
    (
        "DoubleConv(skip_channels + out_channels, out_channels)",
        "DoubleConv(skip_channels + out_channels, out_channels).layers[:3]",
    ),
)

edit(
    "nothing merges the two",
    "You return the two maps side by side. No convolution looks at both, and the result has more channels than "
    "`out_channels`. Look at what has to follow the concatenation.",
    ("DoubleConv(skip_channels + out_channels, out_channels)", "nn.Identity()"),
)

edit(
    "concatenated after the convolutions",
    "Your `DoubleConv` works on `x` alone, and the skip is put beside the result. So nothing in this block looks at "
    "both, and `skip_channels` too many come out. Look at what goes into the `DoubleConv`.",
    ("skip_channels + out_channels", "out_channels"),
    ("self.conv(torch.cat([skip, x], dim=1))", "torch.cat([skip, self.conv(x)], dim=1)"),
)

edit(
    "no norm in the DoubleConv",
    "Your `DoubleConv` has no batch normalisation. On the way down it has one, and the two halves of the network "
    "should speak in the same range. Look at the arguments of your `DoubleConv`.",
    (
        "DoubleConv(skip_channels + out_channels, out_channels)",
        "DoubleConv(skip_channels + out_channels, out_channels, norm=False)",
    ),
)

edit(
    "no padding in the DoubleConv",
    "Your result is 4 pixels short in height and width: the convolutions of the `DoubleConv` run without padding. The "
    "2015 network did so and cropped its skips for it; here the sides stay. Look at the arguments of your "
    "`DoubleConv`.",
    (
        "DoubleConv(skip_channels + out_channels, out_channels)",
        "DoubleConv(skip_channels + out_channels, out_channels, padding=0)",
    ),
)

edit(
    "a ReLU after the way up",
    "There is a ReLU between the transposed convolution and the concatenation, which cuts off everything negative "
    "before the `DoubleConv` sees it. Look at what you do with `x` after the way up.",
    ("self.up(x)", "self.up(x).relu()"),
)

edit(
    "a norm after the way up",
    "There is a batch norm between the transposed convolution and the concatenation. The `DoubleConv` that follows "
    "normalises. Look at what you do with `x` after the way up.",
    (
        "UpConv(in_channels, out_channels)",
        "nn.Sequential(UpConv(in_channels, out_channels), nn.BatchNorm2d(out_channels))",
    ),
)

edit(
    "a norm and a ReLU after the way up",
    "There are a batch norm and a ReLU between the transposed convolution and the concatenation. The `DoubleConv` "
    "that follows brings its own. Look at what you do with `x` after the way up.",
    (
        "UpConv(in_channels, out_channels)",
        "nn.Sequential(UpConv(in_channels, out_channels), nn.BatchNorm2d(out_channels), nn.ReLU())",
    ),
)

edit(
    "the arguments of `forward` exchanged",
    "Your `forward` takes the skip first and enlarges *it*. It is called as `up(x, skip)`: the map from below comes "
    "first. Look at the first line of `forward`.",
    ("x: Tensor, skip: Tensor", "skip: Tensor, x: Tensor"),
)

edit(
    "layers in a plain list",
    "Your layers are in a plain Python list. PyTorch does not look into lists: `parameters()` misses them, so no "
    "optimizer trains them. Look at where you keep them; an attribute of its own for each layer registers it.",
    ("UpConv(in_channels, out_channels)", "[UpConv(in_channels, out_channels)]"),
    (
        "DoubleConv(skip_channels + out_channels, out_channels)",
        "[DoubleConv(skip_channels + out_channels, out_channels)]",
    ),
    ("self.up(", "self.up[0]("),
    ("self.conv(", "self.conv[0]("),
)


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
