# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 03 · Convolution: the block the U-Net is made of
#
# **You will** slide kernels over a real micrograph, see what a border, a bias and a second convolution do, and write
# the block that stands on every level of the U-Net.
#
# **Time** about 40 minutes · **You need** tensors `(N, C, H, W)` (lesson 01) · **You write** `DoubleConv`

# %%
import torch
import torch.nn.functional as F
from torch import nn

from helpers import check, data, hint, quiz, show, use

# %% [markdown]
# ## 1 · Nine numbers that look
#
# A threshold looks at one pixel at a time. It cannot know whether a grey pixel is the edge of a bright nucleus or the
# middle of a dim one. To tell them apart you have to look at the *neighbours*. A convolution does that with a small
# grid of numbers, the *kernel*: lay it over a pixel, multiply each neighbour with the number above it, add up, move on.

# %%
image, labels = data.load("nuclei", "train", tile=128)[7]
x = image.as_subclass(torch.Tensor)[None]  # (1, 1, 128, 128): a batch of one grey image

kernels = {
    "mean of nine": torch.full((3, 3), 1 / 9),
    "left edges": torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "top edges": torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]),
}
maps = {name: F.conv2d(x, kernel[None, None]) for name, kernel in kernels.items()}
show.images([("micrograph", x[0]), *((name, y[0]) for name, y in maps.items())])

# %% [markdown]
# The same nine numbers everywhere: an edge is an edge at the top left and at the bottom right. The last two maps have
# signs. Where the image grows brighter to the right, *left edges* is positive (red); where it grows darker, negative
# (blue). The signs cancel if you add them up, and throwing one of them away is useful: that is what a **ReLU** does,
# `max(x, 0)`.

# %%
edges = maps["left edges"]
show.images(
    [
        ("left edges", edges[0]),
        ("after ReLU: left sides", F.relu(edges)[0]),
        ("ReLU of −x: right sides", F.relu(-edges)[0]),
    ]
)

# %% [markdown]
# Nobody will choose the nine numbers of a U-Net. They are *learned*: a `nn.Conv2d` holds a kernel for each pair of
# input and output channel, and training finds the values.

# %% [markdown]
# ## 2 · What happens at the border
#
# A 3×3 kernel cannot be centred on the outermost pixels: a neighbour is missing. Either you leave them out, and each
# side gets two pixels shorter (*valid*), or you put zeros around the image first (*padding*).

# %%
ones = torch.ones(1, 1, 6, 6)
mean = kernels["mean of nine"][None, None]
valid, padded = F.conv2d(ones, mean), F.conv2d(ones, mean, padding=1)
show.images(
    [("6×6 ones", ones[0]), ("mean, no padding", valid[0]), ("padding=1", padded[0])]
)

# %% [markdown]
# With padding the size stays, and the border darkens: the kernel averages zeros in. The zeros are an invention, and a
# network sees that. The U-Net of 2015 did without: its output is smaller than its input (572 pixels in, 388 out). You
# will build both kinds, so your block takes the padding as an argument.

# %%
quiz("padding-zero-shrinks")

# %% [markdown]
# ## 3 · Why two convolutions, and a ReLU between them
#
# One 3×3 convolution sees 3×3 pixels. How far does a stack of them see? Measure it: set one output pixel's gradient
# free, and look which input pixels it reaches.


# %%
def reach(layers, size=13):
    """Input pixels that the middle output pixel depends on: bool (size, size)."""
    probe = torch.ones(1, 1, size, size, requires_grad=True)
    layers(probe)[0, 0, size // 2, size // 2].backward()
    return probe.grad[0, 0] != 0


def plain(k):
    """One convolution with a k×k kernel of ones, so that no weight hides a pixel."""
    conv = nn.Conv2d(1, 1, k, padding=k // 2, bias=False)
    nn.init.ones_(conv.weight)
    return conv


show.images(
    [
        ("one 3×3", reach(plain(3))),
        ("two 3×3", reach(nn.Sequential(plain(3), plain(3)))),
        ("one 5×5", reach(plain(5))),
    ]
)

# %% [markdown]
# Two small kernels see as far as one large one. That area is the *receptive field*. So which is cheaper?

# %%
quiz("two-small-or-one-large")

# %% [markdown]
# There is a catch. Two convolutions with nothing between them are one convolution in disguise. Fit one 5×5 kernel to
# what two random 3×3 kernels do, and look at what is left over:

# %%
generator = torch.Generator().manual_seed(0)
a, b = (torch.randn(1, 1, 3, 3, generator=generator) for _ in range(2))
# the 5×5 kernel is what an impulse looks like after both, turned by 180°
impulse = F.pad(torch.ones(1, 1, 1, 1), (4, 4, 4, 4))
both = F.conv2d(F.conv2d(impulse, a), b).flip(2, 3)

two = F.conv2d(F.conv2d(x, a), b)
one = F.conv2d(x, both)
bent = F.conv2d(F.relu(F.conv2d(x, a)), b)
print(f"two 3×3 against one 5×5:   largest difference {(two - one).abs().max():.1e}")
print(f"with a ReLU between them:  largest difference {(bent - one).abs().max():.1e}")

# %% [markdown]
# Without the ReLU the second kernel adds nothing that one larger kernel could not do. With it, the block can say *and*:
# "an edge here, and another one two pixels on".

# %% [markdown]
# ## 4 · Keeping the numbers in range
#
# Stack six convolutions with random weights, and watch how much is left of the *differences between places*, which are
# all that a picture is.


# %%
def spread(norm, depth=6, channels=8):
    """Standard deviation over the positions, before and after each random convolution."""
    torch.manual_seed(0)
    y = x.expand(-1, channels, -1, -1)
    sizes = [y.std(dim=(2, 3)).mean().item()]
    for _ in range(depth):
        conv = nn.Conv2d(channels, channels, 3)
        y = F.relu(nn.BatchNorm2d(channels)(conv(y)) if norm else conv(y))
        sizes.append(y.std(dim=(2, 3)).mean().item())
    return torch.tensor(sizes)


depths = torch.arange(7)
show.curves(
    depths,
    [("without norm", spread(norm=False)), ("with batch norm", spread(norm=True))],
    title="What is left of the picture, layer by layer",
    xlabel="convolutions passed",
    ylabel="standard deviation (log scale)",
    log=True,
)

# %% [markdown]
# Without help the picture fades by about the same factor at each layer, and the gradient with it. **Batch normalisation** (Ioffe and
# Szegedy 2015) takes from each channel its mean, divides by its standard deviation, and then lets the network choose a
# new scale and a new offset. While training it uses the batch in hand; in evaluation mode it uses running averages, so
# that the answer for one image does not depend on its neighbours in the batch.

# %%
quiz("bias-before-norm")

# %% [markdown]
# ## 5 · The block
#
# Put it together: **convolution, norm, ReLU; convolution, norm, ReLU**. The first convolution changes the number of
# channels, the second keeps it. Every level of the U-Net, on the way down and on the way up, is this block.

# %% [markdown]
# **Predict.** A batch `(8, 1, 64, 64)` goes through `DoubleConv(1, 16)`. Which shape comes out?

# %%
quiz("shape-after-double-conv")

# %% [markdown] card="DoubleConv"


# %% exercise="DoubleConv"
class DoubleConv(nn.Module):
    """Conv 3×3, norm, ReLU, twice: (N, in_channels, H, W) -> (N, out_channels, H, W).

    padding: given to both convolutions; with 0 each side gets 4 pixels shorter.
    norm: whether a BatchNorm2d stands between each convolution and its ReLU.
    """

    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        ### BEGIN SOLUTION
        layers = []
        for channels in (in_channels, out_channels):
            layers.append(
                nn.Conv2d(channels, out_channels, 3, padding=padding, bias=not norm)
            )
            if norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU())
        self.layers = nn.Sequential(*layers)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.layers(x)
        ### END SOLUTION


# %% check="DoubleConv"
check(DoubleConv)

# %% [markdown]
# <details><summary>Expected input to have 16 channels, but got 1?</summary>
#
# The error names the layer that complains and what it was given. The second convolution receives what the first one
# *made*, so its first argument is the first one's second.
#
# </details>
#
# <details><summary>The check says that parameters are not registered</summary>
#
# PyTorch finds layers that are attributes of your module, or inside an `nn.Sequential` or `nn.ModuleList`. A plain
# Python list hides them. `nn.Sequential(*layers)` takes them out of the list.
#
# </details>

# %% [markdown]
# ### Look
#
# Your block on the micrograph, untrained: random kernels, so the channels are random mixtures of blurs and edges. It is
# what training starts from.

# %%
torch.manual_seed(1)
block = use(DoubleConv)(1, 4).eval()
with torch.no_grad():
    features = block(x)
count = sum(p.numel() for p in block.parameters())
print(f"{tuple(x.shape)} -> {tuple(features.shape)}, {count} parameters")
show.images([("micrograph", x[0]), *((f"channel {k}", features[0, k]) for k in range(4))])

# %% [markdown]
# ### And trained, for a moment
#
# Put one 1×1 convolution on top to get one number a pixel, and train for a few seconds on one tile. It sees 5×5 pixels,
# no more. That is the least a network can do, and the measure for what the rest of the U-Net will add.

# %%
torch.manual_seed(0)
model = nn.Sequential(use(DoubleConv)(1, 8), nn.Conv2d(8, 1, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
target = (labels > 0).float().as_subclass(torch.Tensor)[None, None]
for _ in range(60):
    loss = F.binary_cross_entropy_with_logits(model(x), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

found = model.eval()(x)[0, 0] > 0
show.overlap([("a DoubleConv and a 1×1, after 60 steps", found, target[0, 0])], x[0])

# %% [markdown]
# The block draws decent outlines. Its mistakes are telling: it takes the glow around bright nuclei for nucleus (false),
# and stops short in dim ones (missed). Seeing 5×5 pixels at a time, it cannot tell a dim nucleus from the glow beside a
# bright one. To see more without drowning in weights, the picture has to shrink. That is the encoder,
# in the next lesson.
#
# ## Recap
#
# 1. A convolution is one small kernel, the same at every place. Training finds its numbers.
# 2. Padding keeps the size and invents a border; without it a 3×3 takes two pixels off each side's length.
# 3. Two 3×3 see as much as one 5×5, for fewer weights, and a ReLU between them makes two better than one.
# 4. Batch norm keeps the numbers in range; it behaves differently in training and in evaluation.
# 5. `DoubleConv` is convolution, norm, ReLU, twice. The whole U-Net is built from it.
#
# ## Go further
#
# - Replace `padding=1` by `padding_mode="reflect"` in a copy of your block. What happens to the dark border?
# - Count the parameters of `DoubleConv(64, 128)` on paper, then in code.
#
# **Sources** · Ioffe, S. and Szegedy, C. (2015), *Batch normalization*, arXiv:1502.03167 · Ronneberger, O., Fischer,
# P. and Brox, T. (2015), *U-Net: convolutional networks for biomedical image segmentation*, arXiv:1505.04597 ·
# Simonyan, K. and Zisserman, A. (2014), *Very deep convolutional networks*, arXiv:1409.1556 (two 3×3 for one 5×5)
