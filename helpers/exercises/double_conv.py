"""Lesson 04: `DoubleConv(in_channels, out_channels, padding=1, norm=True)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.unet import DoubleConv


@exercise(
    DoubleConv,
    lesson="04_convolution",
    concept="Convolution block",
    points=5,
    minutes=9,
    difficulty=2,
    hints=[
        "Six layers in a row, four without the normalisation: what does the second convolution receive from the first?",
        "`nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=padding)` is one of them. `nn.Sequential` runs "
        "layers in a row and registers them, whatever list they came from.",
        "Build a list, append the norm `if norm`, and unpack it at the end: `nn.Sequential(*layers)`.",
    ],
    task=(
        "Convolution 3×3, batch normalisation (if `norm`), ReLU, and the same again. The first convolution changes the "
        "channels, the second keeps them. `padding` goes to both."
    ),
    choices=(("bias=not norm", "bias=True"),),
)
def probes(draw):
    """Few channels and small, unequal sides: enough to see every layer, fast enough to run many."""
    yield Build((2, 3), (draw.normal(2, 2, 5, 6),))
    yield Build((3, 2), (draw.normal(3, 3, 7, 5),), {"norm": False})
    yield Build((1, 4), (draw.normal(2, 1, 9, 6),), {"padding": 0})
    yield Build((3, 3), (draw.normal(1, 3, 6, 8),))  # equal channels, a batch of one
    h, w = draw.size(5, 16), draw.size(5, 16)
    yield Build((4, 5), (draw.normal(draw.size(2, 3), 4, h, w),), {"norm": False, "padding": 0})


edit = edits_of(DoubleConv)

edit(
    "only one convolution",
    "There is one convolution. Two 3×3 in a row see 5×5 pixels of the input, with a ReLU between them, and cost "
    "fewer weights than one 5×5. Look at how often your block convolves.",
    ("(in_channels, out_channels):", "(in_channels,):"),
)

edit(
    "no ReLU at the end",
    "The block ends without a ReLU, so negative values come out, and the next block's convolution follows this one's "
    "with nothing but a scaling between them. Look at what comes after your second convolution.",
    ("nn.Sequential(*layers)", "nn.Sequential(*layers[:-1])"),
)

edit(
    "no ReLU between the convolutions",
    "There is no ReLU between the two convolutions. Two linear maps in a row are one linear map: the second "
    "convolution adds weights and no ability. Look at what comes after your first convolution.",
    ("nn.Sequential(*layers)", "nn.Sequential(*(x for k, x in enumerate(layers) if k + 1 != len(layers) // 2))"),
)

edit(
    "no ReLU at all",
    "No ReLU anywhere: what comes out is a linear function of what goes in, however many such blocks you stack. "
    "Look at what follows each convolution.",
    ("nn.Sequential(*layers)", "nn.Sequential(*(x for x in layers if not isinstance(x, nn.ReLU)))"),
)

edit(
    "a ReLU only where a norm is",
    "With `norm=False` there is no ReLU either, and the block is linear: the task leaves out the norm alone. "
    "Look at what stands under your `if norm`.",
    ("            layers.append(nn.ReLU", "            if norm:\n                layers.append(nn.ReLU"),
)

edit(
    "another norm",
    "You normalise each image by itself, or each group of channels. `BatchNorm2d` takes mean and variance over the "
    "whole batch in training, and the running ones in evaluation. Look at the name of your norm.",
    ("nn.BatchNorm2d(out_channels)", "nn.InstanceNorm2d(out_channels, affine=True)"),
)

edit(
    "norm after the ReLU",
    "You normalise after the ReLU, so half of what comes out is negative again and the block no longer ends in "
    "something that is zero or more. The order here is convolution, norm, ReLU: look at which comes last.",
    ("            layers.append(nn.ReLU(inplace=True))\n", ""),
    ("            if norm:\n", "            layers.append(nn.ReLU())\n            if norm:\n"),
)

edit(
    "padding ignored",
    "`padding=0` changes nothing: your sides stay as they are. The 2015 network needs them to shrink by 4, and you "
    "will build it in lesson 07. Look at whether the argument reaches both convolutions.",
    ("padding=padding", "padding=1"),
)

edit(
    "no padding",
    "Your sides shrink by 4 pixels although `padding` is 1: a 3×3 kernel without padding cannot be centred on the "
    "outermost pixels. Look at whether the argument reaches both convolutions.",
    ("padding=padding", "padding=0"),
)

edit(
    "padding at one convolution only",
    "Only one of the two convolutions gets the padding, so your sides shrink by 2. "
    "Look at where `padding` stands in each.",
    ("padding=padding", "padding=0 if layers else padding"),
)

edit(
    "padding written into the second convolution",
    "The first convolution gets `padding`, and the second always 1, so with `padding=0` your sides lose 2 pixels "
    "instead of 4. Look at where `padding` stands in each.",
    ("padding=padding", "padding=1 if layers else padding"),
)

edit(
    "norm ignored",
    "`norm=False` changes nothing: the batch normalisation is still there. The published network has none, and to "
    "compare with it you have to be able to leave it out. Look at where you ask for `norm`.",
    ("if norm:", "if True:"),
)

edit(
    "no norm",
    "There is no batch normalisation although `norm` is true. Without it the size of the activations drifts from "
    "block to block, and a deep network learns slowly or not at all. Look at what stands between convolution and ReLU.",
    ("if norm:", "if False:"),
)

edit(
    "one norm only",
    "Only one of the two convolutions is followed by a normalisation. "
    "Look at what stands between each convolution and its ReLU.",
    ("if norm:", "if norm and len(layers) < 3:"),
    ("bias=not norm", "bias=not norm or len(layers) > 0"),
)

edit(
    "one norm layer used twice",
    "Both convolutions share one batch norm. Its running mean and variance then mix two different layers, and in "
    "evaluation mode it is right for neither. Look at how many `BatchNorm2d` you construct.",
    ("nn.BatchNorm2d(out_channels)", "layers[1] if layers[1:2] and len(layers) > 2 else nn.BatchNorm2d(out_channels)"),
)

edit(
    "one norm layer used twice, and made without norm too",
    "Both convolutions share one batch norm, and with `norm=False` it is there as well, unused. Its running mean and "
    "variance mix two different layers. Look at how many `BatchNorm2d` you construct, and when.",
    ("nn.BatchNorm2d(out_channels)", "self.shared"),
    ("layers: list", "self.shared = nn.BatchNorm2d(out_channels)\n        layers: list"),
)

edit(
    "statistics of the batch in evaluation mode",
    "In evaluation mode your norm still uses the statistics of the batch, so the answer for an image depends on which "
    "images are beside it. Look at `track_running_stats`, or at how you call the normalisation.",
    ("nn.BatchNorm2d(out_channels)", "nn.BatchNorm2d(out_channels, track_running_stats=False)"),
)

edit(
    "layers in a plain list",
    "Your layers are in a plain Python list. PyTorch does not look into lists: `parameters()` misses them, so no "
    "optimizer trains them, and `state_dict()` loses them. Look at where you keep them; `nn.ModuleList` or "
    "`nn.Sequential` registers what is inside.",
    ("nn.Sequential(*layers)", "layers"),
    ("return self.layers(x)", "for layer in self.layers:\n            x = layer(x)\n        return x"),
)

edit(
    "the first convolution keeps the channels",
    "The channels change at the second convolution instead of the first, so the first works with as few channels as "
    "the input has: on a grey image, one. Look at the channels of the first convolution.",
    (
        "for channels in (in_channels, out_channels)",
        "for channels, after in ((in_channels, in_channels), (in_channels, out_channels))",
    ),
    ("nn.Conv2d(channels, out_channels", "nn.Conv2d(in_channels, after"),
    ("BatchNorm2d(out_channels)", "BatchNorm2d(after)"),
)

edit(
    "the second convolution expects the input's channels",
    "The second convolution is built for `in_channels`, but it receives what the first one made: `out_channels`. "
    "It fails whenever the two differ. Look at the first argument of your second convolution.",
    ("nn.Conv2d(channels,", "nn.Conv2d(in_channels,"),
)

edit(
    "a residual connection",
    "You add the input of the second convolution to its output. That is a residual block, from another network; here "
    "the second convolution replaces what it was given. Look for a `+` in `forward`.",
    ("return self.layers(x)", "x = self.layers[:half](x)\n        return x.clone() + self.layers[half:](x)"),
    ("        x = self", "        half = len(self.layers) // 2\n        x = self"),
)

edit(
    "another activation",
    "The negative values come through weakened instead of becoming zero: that is a leaky ReLU. "
    "The task asks for the plain one. Look at your activation.",
    ("nn.ReLU(inplace=True)", "nn.LeakyReLU()"),
)

edit(
    "a bias nowhere",
    "Without a norm your convolutions have no bias either, so a black image gives black, whatever the weights. With a "
    "batch norm the bias is not needed; without one it is. Look at what `bias=False` depends on.",
    ("bias=not norm", "bias=False"),
)


@variant("bias everywhere, layers of their own, functional ReLU")
class WithBias(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.norm2 = nn.BatchNorm2d(out_channels) if norm else nn.Identity()  # registered in another order
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=padding)
        self.norm1 = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=padding)

    def forward(self, x):
        x = F.relu(self.norm1(self.first(x)))
        return torch.relu_(self.norm2(self.second(x)))


@variant("two equal stages in a module list")
class Stages(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.stages = nn.ModuleList()
        for channels in (in_channels, out_channels):
            stage = [nn.Conv2d(channels, out_channels, (3, 3), 1, padding, bias=not norm)]
            stage += [nn.BatchNorm2d(out_channels)] if norm else []
            self.stages.append(nn.Sequential(*stage))

    def forward(self, x):
        for stage in self.stages:
            x = stage(x).clamp(min=0)
        return x


@variant("parameters of its own, functional convolution")
class Functional(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.padding = padding
        self.b2 = nn.Parameter(torch.zeros(out_channels))
        self.w2 = nn.Parameter(torch.randn(out_channels, out_channels, 3, 3) * 0.1)
        self.b1 = nn.Parameter(torch.zeros(out_channels))
        self.w1 = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3) * 0.1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(out_channels) if norm else nn.Identity() for _ in range(2))

    def forward(self, x):
        x = F.relu(self.norms[0](F.conv2d(x, self.w1, self.b1, padding=self.padding)))
        return F.relu(self.norms[1](F.conv2d(x, self.w2, self.b2, padding=self.padding)))


@variant("padded by hand")
class PaddedByHand(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.pad = nn.ZeroPad2d(padding)
        self.a = nn.Conv2d(in_channels, out_channels, 3, bias=not norm)
        self.b = nn.Conv2d(out_channels, out_channels, 3, bias=not norm)
        self.norm_a = nn.BatchNorm2d(out_channels) if norm else None
        self.norm_b = nn.BatchNorm2d(out_channels) if norm else None

    def forward(self, x):
        for conv, norm in ((self.a, self.norm_a), (self.b, self.norm_b)):
            x = conv(self.pad(x))
            x = torch.maximum(norm(x) if norm else x, torch.zeros(()))
        return x


@variant("a bias at the first convolution only where a norm follows")
class MixedBias(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        norms = [nn.BatchNorm2d(out_channels) if norm else nn.Identity() for _ in range(2)]
        self.block = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=padding),
            norms[0],
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=padding, bias=not norm),
            norms[1],
            nn.ReLU(),
        )

    def forward(self, x):
        return self.block(x)
