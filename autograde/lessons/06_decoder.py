# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 06 · The decoder: from a few cells back to every pixel
#
# **You will** enlarge maps in three ways, make a checkerboard and take it apart, build an hourglass out of encoder and
# decoder, train it on blobs and on a thin ribbon, and measure what it loses.
#
# **Time** about 50 minutes · **You need** `DoubleConv`, `Encoder` (lessons 04 and 05; where you have not written yours,
# this notebook takes the course's own and says so) · **You write** `upsample_nearest`, `transposed_conv2d`, `UpConv`,
# `Hourglass`

# %%
import torch
import torch.nn.functional as F
from torch import nn

from helpers import metrics
from helpers.training import fit

DoubleConv, Encoder = earlier("DoubleConv", "Encoder")

# %% [markdown]
# ## 1 · Sixty-four cells
#
# Four poolings turn a tile of 128×128 pixels into 8×8 cells. Give the bottleneck the best answer there is: let each
# cell know exactly which fraction of it is nucleus. How would you draw the mask from that?

# %%
nuclei = {
    split: data.load("nuclei", split, tile=None)
    for split in ("train", "validation", "test")
}
piece = (slice(None), slice(128, 256), slice(0, 128))
image, labels = nuclei["test"][0]
image, labels = image[piece], labels[None][piece]
truth = (labels > 0).float()[None]  # (1, 1, 128, 128)
fraction = F.avg_pool2d(truth, 16)  # (1, 1, 8, 8)
show.images(
    [("micrograph", image), ("truth", truth[0]), ("share in each cell", fraction[0])]
)

# %% [markdown]
# ## 2 · Enlarge without learning
#
# The simplest way: every cell becomes a block of pixels with its value. That is **nearest** neighbour upsampling, since
# each new pixel takes the value of the nearest cell.

# %%
quiz("repeat-or-interleave")

# %% [markdown] card="upsample_nearest"


# %% exercise="upsample_nearest"
def upsample_nearest(x, scale=2):
    """Every pixel becomes a block of scale × scale pixels of its value.

    (N, C, H, W) -> (N, C, H * scale, W * scale).
    """
    ### BEGIN SOLUTION
    rows = torch.arange(x.shape[2] * scale) // scale
    columns = torch.arange(x.shape[3] * scale) // scale
    return x[:, :, rows][:, :, :, columns]
    ### END SOLUTION


# %% check="upsample_nearest"
check(upsample_nearest)

# %% [markdown]
# ### Look
#
# Yours beside **bilinear** upsampling, which passes smoothly from the middle of one cell to the middle of the next.
# Cut both at one half, and each gives a mask. How far off are the borders, from small cells to large ones?

# %%
enlarge = use(upsample_nearest)
print("one cell   nearest   bilinear      border off by, in pixels")
for cell in (2, 4, 8, 16):
    fractions = F.avg_pool2d(truth, cell)
    blocks = enlarge(fractions, cell)
    smooth = F.interpolate(fractions, scale_factor=cell, mode="bilinear")
    off = [metrics.boundary_error(m[0, 0] > 0.5, truth[0, 0] > 0) for m in (blocks, smooth)]
    print(f"{cell:5} px {off[0]:10.1f} {off[1]:10.1f}")
    if cell == 8:
        panels = [("truth", truth[0]), ("8×8 cells, nearest", blocks[0])]
        panels.append(("8×8 cells, bilinear", smooth[0]))
show.images(panels)

# %% claim="Bilinear is closer while a nucleus spans several cells"
errors = {}
for cell in (2, 4, 8, 16):
    blocks = F.interpolate(F.avg_pool2d(truth, cell), scale_factor=cell, mode="nearest")
    smooth = F.interpolate(F.avg_pool2d(truth, cell), scale_factor=cell, mode="bilinear")
    errors[cell] = [
        metrics.boundary_error(m[0, 0] > 0.5, truth[0, 0] > 0) for m in (blocks, smooth)
    ]
claim(
    lambda *pairs: all(smooth < blocks for blocks, smooth in pairs),
    *(errors[cell] for cell in (4, 8)),
    swapped=[errors[cell][::-1] for cell in (4, 8)],
)

# %% claim="the larger the cell, the further off is either"
claim(
    lambda nearest, bilinear: (
        list(nearest) == sorted(nearest) and list(bilinear) == sorted(bilinear)
    ),
    *zip(*errors.values(), strict=True),
    turned=list(zip(*list(errors.values())[::-1], strict=True)),
)

# %% [markdown]
# Bilinear is closer while a nucleus spans several cells, and the larger the cell, the further off is either. Both
# follow a fixed rule. A rule that has *learned* what nuclei look like could do better: from many channels, and with
# weights.

# %% [markdown]
# ## 3 · Stamps: the transposed convolution
#
# A convolution collects: an output pixel is a sum over a window of the input. Turn that round. Every input pixel
# presses a *stamp*, the kernel, onto the output, as strongly as its own value. The next pixel does the same, `stride`
# pixels further on. Where stamps overlap they add up. The kernel is learned.

# %% [markdown]
# **Predict** one, in one dimension.

# %%
quiz("stamps-in-a-row")

# %% [markdown] card="transposed_conv2d"


# %% exercise="transposed_conv2d"
def transposed_conv2d(x, kernel, stride=2):
    """Every pixel of x stamps the kernel, times its value; overlaps add up.

    x: (H, W). kernel: (k, k). Returns ((H - 1) * stride + k, (W - 1) * stride + k).
    """
    ### BEGIN SOLUTION
    (height, width), k = x.shape, len(kernel)
    out = x.new_zeros((height - 1) * stride + k, (width - 1) * stride + k)
    for i in range(height):
        for j in range(width):
            out[i * stride : i * stride + k, j * stride : j * stride + k] += (
                x[i, j] * kernel
            )
    return out
    ### END SOLUTION


# %% check="transposed_conv2d"
check(transposed_conv2d)

# %% [markdown]
# <details><summary>Shapes do not match at the last stamp</summary>
#
# The last stamp begins at `(H - 1) * stride` and is `k` long. `H * stride` is right only where `k` equals `stride`.
#
# </details>

# %% [markdown]
# ### Look
#
# Your stamps on a map of nine ones, with kernels of ones. Each number says how many stamps lie on that pixel.

# %%
stamp = use(transposed_conv2d)
ones = torch.ones(3, 3)
counts = {k: stamp(ones, torch.ones(k, k), 2) for k in (2, 3, 4)}
show.images([(f"kernel {k}×{k}, stride 2", count) for k, count in counts.items()])

# %% claim="1, 2 or 4 stamps"
claim(
    lambda three, four: three == [1, 2, 4] and four == [4],
    counts[3][1:-1, 1:-1].unique().tolist(),
    counts[4][2:-2, 2:-2].unique().tolist(),
    swapped=([4], [1, 2, 4]),
)

# %% [markdown]
# A kernel of 3 with a stride of 2 treats neighbouring pixels unequally: 1, 2 or 4 stamps. A flat map comes out as a
# **checkerboard** (Odena et al. 2016). It goes away when the kernel is a multiple of the stride: then every pixel away
# from the border gets the same number of stamps. Here it is on the micrograph, stamped by your own function:

# %%
small = F.avg_pool2d(image[None], 4)[0, 0]
stamped = {k: stamp(small, torch.ones(k, k)) for k in (2, 3, 4)}
crop = slice(12, 52)
show.images([(f"kernel {k}", s[crop, crop]) for k, s in stamped.items()])

# %% [markdown]
# Move *Kernel side*, and watch the last picture:

# %%
play.upsampling(image, kernel=3, stride=2)

# %% [markdown]
# Where does the name come from? A convolution with stride 2 can be written as a large matrix, and this is its
# transpose. The gradient passes through it on its way back. So an encoder that shrinks by 3×3 convolutions with stride
# 2 gets checkerboards too, in its gradients.

# %%
generator = torch.Generator().manual_seed(0)
x, kernel = (torch.randn(side, side, generator=generator) for side in (5, 3))
before = torch.zeros(1, 1, 11, 11, requires_grad=True)
F.conv2d(before, kernel[None, None], stride=2).backward(x[None, None])
print(f"largest difference: {(before.grad[0, 0] - stamp(x, kernel, 2)).abs().max():.1e}")

# %% claim="this is its transpose"
claim(
    lambda difference: difference < 1e-5,
    (before.grad[0, 0] - stamp(x, kernel, 2)).abs().max(),
    another_kernel=[(before.grad[0, 0] - stamp(x, kernel.T, 2)).abs().max()],
)

# %% [markdown]
# ## 4 · One step up
#
# Three ways up, one module. The U-Net of 2015 uses a 2×2 transposed convolution with stride 2, whose stamps lie side by
# side. The two others enlarge first, nearest or bilinear, and then convolve 3×3, as Odena et al. advise.

# %% [markdown] card="UpConv"


# %% exercise="UpConv"
class UpConv(nn.Module):
    """Doubles the sides: (N, in_channels, H, W) -> (N, out_channels, 2 * H, 2 * W).

    mode: "transposed" (2×2, stride 2), or "nearest" or "bilinear" (enlarge, then
    conv 3×3). Any other mode raises a ValueError.
    """

    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        ### BEGIN SOLUTION
        if mode == "transposed":
            layers = [nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)]
        elif mode in ("nearest", "bilinear"):
            layers = [
                nn.Upsample(scale_factor=2, mode=mode),
                nn.Conv2d(in_channels, out_channels, 3, padding=1),
            ]
        else:
            raise ValueError(f"no such mode: {mode!r}")
        self.layers = nn.Sequential(*layers)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.layers(x)
        ### END SOLUTION


# %% check="UpConv"
check(UpConv)

# %% [markdown]
# **Predict.** With a 2×2 kernel and stride 2 every pixel gets one stamp. So is the transposed mode free of patterns?

# %%
quiz("even-counts")

# %% [markdown]
# ### Look
#
# Your three modes, untrained, on a flat map. How strong is the pattern? It is measured as the spread of the four kinds
# of pixels (even or odd row, even or odd column), away from the border.

# %%
WayUp = use(UpConv)
flat, panels = torch.ones(1, 16, 8, 8), []
for mode in ("transposed", "nearest", "bilinear"):
    spreads = []
    for seed in range(20):
        torch.manual_seed(seed)
        with torch.no_grad():
            up = WayUp(16, 1, mode)(flat)[0, 0, 2:-2, 2:-2]
        kinds = torch.stack([up[i::2, j::2].mean() for i in (0, 1) for j in (0, 1)])
        spreads.append(kinds.std().item())
    weights = sum(p.numel() for p in WayUp(16, 1, mode).parameters())
    print(f"{mode:>10}: spread {sum(spreads) / 20:.2f}, {weights} parameters")
    panels.append((f"{mode}, spread {spreads[-1]:.2f}", up - up.mean()))
show.images(panels)

# %% claim="The transposed mode begins with a checkerboard"
patterns = {}
for mode in ("transposed", "nearest", "bilinear"):
    with torch.no_grad():
        up = WayUp(16, 1, mode)(flat)[0, 0, 2:-2, 2:-2]
    patterns[mode] = (
        up.std().item(),
        sum(p.numel() for p in WayUp(16, 1, mode).parameters()),
    )
claim(
    lambda transposed, nearest, bilinear: (
        transposed[0] > 1e-2 > 1e-5 > max(nearest[0], bilinear[0])
        and transposed[1] < min(nearest[1], bilinear[1])
    ),
    *patterns.values(),
    turned=list(patterns.values())[::-1],
)

# %% [markdown]
# The mean is taken off, so that only the pattern shows; a picture of one tone has none. The transposed mode begins with
# a checkerboard; the other two do not. In exchange it has fewer weights, and it can choose its four pixels freely. Both
# kinds are in use. (Another name for the transposed convolution is *deconvolution*, although it undoes no convolution.)

# %% [markdown]
# ## 5 · The hourglass
#
# Encoder down, decoder up, with as many steps up as down. Each step up is an `UpConv` that halves the channels, and a
# `DoubleConv`. At the end a 1×1 convolution makes one score for each class. That is the U without its skips.

# %% [markdown] card="Hourglass"


# %% exercise="Hourglass"
class Hourglass(nn.Module):
    """Encoder and decoder: (N, in_channels, H, W) -> logits (N, num_classes, H, W).

    The encoder's skips are not used. The sides divide by 2**depth.
    """

    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        ### BEGIN SOLUTION
        self.encoder = Encoder(in_channels, base_channels, depth)
        steps = []
        for k in reversed(range(depth)):
            channels = base_channels * 2**k
            steps += [UpConv(2 * channels, channels), DoubleConv(channels, channels)]
        self.decoder = nn.Sequential(*steps)
        self.head = nn.Conv2d(base_channels, num_classes, 1)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        bottleneck, _ = self.encoder(x)
        return self.head(self.decoder(bottleneck))
        ### END SOLUTION


# %% check="Hourglass"
check(Hourglass)

# %% [markdown]
# <details><summary>The sides come out too small</summary>
#
# Every `UpConv` doubles them once, and the encoder has halved them `depth` times. Count your steps up. Remember that
# the bottleneck is level `depth`, not `depth - 1`.
#
# </details>

# %% [markdown]
# ### Look
#
# First the graph: the right side of the U lights up. Select any part of it, or a pixel of the output. Then train the
# network on the left half of the micrograph, for about twenty seconds. (`fit` is the course's training loop. You will
# write its parts in lesson 09.)

# %%
Glass = use(Hourglass)
graph = ArchitectureGraph()
untrained = Glass(1, 1, base_channels=8, depth=4)
graph.forward(untrained, image[None])

# %%
torch.manual_seed(0)
hourglass = Glass(1, 1, base_channels=8, depth=4)
history = fit(hourglass, nuclei["train"], nuclei["validation"], epochs=100, crop=64)

# %%
logits, mask = next(metrics.predictions(hourglass, nuclei["test"]))
found, ids = logits[0] > 0, nuclei["test"].instances[0]
each = [ids == number for number in ids.unique() if number > 0]
hits = sum(found[nucleus].float().mean().item() > 0.5 for nucleus in each)
print(f"nuclei found, more than half of each: {hits} of {len(each)}")

probability = logits[piece].sigmoid()[0]
off = metrics.boundary_error(probability > 0.5, truth[0, 0] > 0)
shares = F.interpolate(fraction, scale_factor=16, mode="bilinear")[0, 0]
off_shares = metrics.boundary_error(shares > 0.5, truth[0, 0] > 0)
print(f"borders off by {off:.1f} pixels; of the enlarged shares, by {off_shares:.1f}")
unsure = (probability > 0.1) & (probability < 0.9)
show.images(
    [("micrograph", image), ("probability", probability), ("between 10 % and 90 %", unsure)]
)
show.overlap([("the hourglass, above 0.5", probability > 0.5, truth[0, 0] > 0)], image)

# %% claim="It finds the nuclei"
with torch.no_grad():
    blank = next(
        metrics.predictions(Glass(1, 1, base_channels=8, depth=4), nuclei["test"])
    )[0][0]
blind = sum((blank > 0)[nucleus].float().mean().item() > 0.5 for nucleus in each)
wrong = ((blank > 0) & (mask == 0)).sum() / (blank > 0).sum().clamp(min=1)
claim(
    lambda hits, nuclei, background: hits >= 0.8 * nuclei and background < 0.2,
    *(hits, len(each), ((found & (mask == 0)).sum() / found.sum()).item()),
    untrained=(blind, len(each), wrong.item()),
)

# %% claim="the decoder draws closer than the fixed rule did from one number per cell"
claim(
    lambda decoder, shares: decoder < shares,
    off,
    off_shares,
    swapped=(off_shares, off),
)

# %% [markdown]
# It finds the nuclei. Compare its borders with those of your enlarged shares, at 16 pixels per cell: with 128 channels
# per cell, the decoder draws closer than the fixed rule did from one number per cell. (In lesson 05 nobody had asked
# the encoder for places. Here both learn together, and a nucleus covers several cells.) So is the bottleneck good
# enough?
#
# For nuclei, nearly. A nucleus is a blob: even if you are a pixel wrong all around, most of it is still covered. The
# annotators' outlines are uncertain by a pixel or two themselves (the card of the data set says so). Ask for something
# thin instead. The grey matter of the brain is a folded ribbon, two to four millimetres thick, and a millimetre is a
# pixel here. White matter lies inside, and fluid in the furrows.
#
# **Predict:** train an hourglass with four poolings, and one with two. Which draws the ribbon better? (About half a
# minute. The slices come from one average brain: `data.load("brain", "train").card` says more.)

# %%
brain = {split: data.load("brain", split) for split in ("train", "validation", "test")}


def on_brain(depth):
    """An hourglass with that many poolings, trained on the lower slices of a brain."""
    torch.manual_seed(1)
    model = Glass(1, 4, base_channels=8, depth=depth)
    settings = {"epochs": 6, "crop": 96, "batch_size": 4, "lr": 1e-2, "seed": 1}
    fit(model, brain["train"], brain["validation"], **settings)
    return model


def ious(model):
    """IoU of each class but the background, over all pixels of the test slices."""
    seen = metrics.predictions(model, brain["test"])
    table = sum(metrics.confusion_table(logits.argmax(0), mask, 4) for logits, mask in seen)
    return metrics.class_scores(table)["iou"][1:].tolist()


deep, shallow = on_brain(depth=4), on_brain(depth=2)

# %%
slice_, classes = brain["test"][6]
part = (slice(24, 152), slice(16, 144))  # of the slice, to look at
panels = [("slice", slice_[0][part]), ("truth", classes[part])]
scores, tissues = {}, brain["test"].classes[1:]
for name, model in (("four poolings", deep), ("two poolings", shallow)):
    with torch.no_grad():
        drawn = model.eval()(slice_[None])[0].argmax(dim=0)
    panels.append((name, drawn[part]))
    scores[name] = dict(zip(tissues, ious(model), strict=True))
    row = ", ".join(f"{what} {score:.2f}" for what, score in scores[name].items())
    print(f"{name:>13}: IoU {row}")
show.images(panels)

# %% claim="With four poolings there is no ribbon"
table = sum(
    metrics.confusion_table((logits.argmax(0) > 0).long(), (mask > 0).long(), 2)
    for logits, mask in metrics.predictions(deep, brain["test"])
)
outline = metrics.class_scores(table)["iou"][1].item()
claim(
    lambda outline, fluid: outline > 0.9 and fluid < 0.3,
    *(outline, scores["four poolings"]["csf and other"]),
    two_poolings=(outline, scores["two poolings"]["csf and other"]),
)

# %% claim="With two it begins to show"
claim(
    lambda deep, shallow: all(b > a + 0.1 for a, b in zip(deep, shallow, strict=True)),
    *(list(one.values()) for one in scores.values()),
    swapped=[list(one.values()) for one in scores.values()][::-1],
)

# %% [markdown]
# With four poolings there is no ribbon: the outline of the brain is about right, and the folds run together. (Grey
# matter is blue, white matter yellow, fluid green.) With two it begins to show. The fewer poolings, the smaller the
# cells, and the more is left of *where*. But each pooling that you leave out roughly halves how far the network sees.
# Here brightness says much about the tissue (lesson 02, section 7), so a small view is enough. Where objects are large,
# or told apart by their surroundings, it is not.
#
# What you want is both: the wide view of the deep levels, and the pixels of the shallow ones. The encoder has kept
# them, and you have thrown its `skips` away so far. Lesson 07 uses them. What that brings was measured beforehand, from
# five seeds (`python course.py bench skips`, in this course's folder): the hourglass above with four poolings, and the
# U-Net of lesson 07 with four poolings, both trained as here.

# %%
from helpers import measured

runs = measured.read("skips")["runs"]  # by seed, then network, then class
for what in tissues:
    gains = [run["U-Net"][what] - run["hourglass"][what] for run in runs]
    print(
        f"U-Net − hourglass, IoU of {what:>13}: "
        f"{min(gains):+.2f} to {max(gains):+.2f}, {len(runs)} seeds"
    )

# %% claim="The U-Net draws every tissue better, from every seed"
smallest = min(run["U-Net"][k] - run["hourglass"][k] for run in runs for k in tissues)
largest = max(run["U-Net"][k] - run["hourglass"][k] for run in runs for k in tissues)
claim(
    lambda seeds, smallest: seeds >= 5 and smallest > 0,
    *(len(runs), smallest),
    swapped=(len(runs), -largest),
)

# %% [markdown]
# The U-Net draws every tissue better, from every seed.
#
# ## Graded questions
#
# The answers to these are graded with your exercises. You may change them until you hand in.

# %% graded="uneven-stamps"
quiz("uneven-stamps")

# %% graded="side-of-the-stamps"
quiz("side-of-the-stamps")

# %% [markdown]
# ## Recap
#
# 1. Nearest and bilinear enlarge by a fixed rule, and cannot bring back what a cell does not say.
# 2. A transposed convolution stamps a learned kernel for each pixel; overlaps add up.
# 3. If the kernel is not a multiple of the stride, the stamps lie unevenly: a checkerboard. Enlarging first avoids it.
# 4. An hourglass is an encoder, as many steps up, and a 1×1 convolution.
# 5. Drawing from the bottleneck alone finds blobs, and loses what is thin. Fewer poolings lose less, and see less.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Train the hourglass with `UpConv` in the mode `"bilinear"`. Do its borders change? Does its time?
# - Initialise a transposed convolution 4×4 with stride 2 so that it *is* bilinear upsampling.
# - `nn.PixelShuffle` (Shi et al. 2016) is a fourth way up: four channels become the four pixels of a window. Show that
#   a transposed convolution 2×2 with stride 2 is a 1×1 convolution followed by it.
#
# **Sources** · Fischl, B. and Dale, A. M. (2000), *Measuring the thickness of the human cerebral cortex from magnetic
# resonance images*, PNAS 97, 11050–11055 (the ribbon) · Odena, A., Dumoulin, V. and Olah, C. (2016), *Deconvolution and
# checkerboard artifacts*, Distill, doi:10.23915/distill.00003 · Dumoulin, V. and Visin, F. (2016), *A guide to
# convolution arithmetic for deep learning*, arXiv:1603.07285 · Ronneberger, O., Fischer, P. and Brox, T. (2015),
# *U-Net: convolutional networks for biomedical image segmentation*, arXiv:1505.04597 · Shi, W. et al. (2016),
# *Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network*,
# arXiv:1609.05158
