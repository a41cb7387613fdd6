# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 07 · Skips: the U-Net, whole
#
# **You will** find out where the borders went, carry them across the U with skip connections, fit maps of unlike sizes
# onto each other, and put the whole network together.
#
# **Time** about 60 minutes · **You need** `DoubleConv`, `Encoder`, `UpConv`, `Hourglass` (lessons 04 to 06; where you
# have not written yours, this notebook takes the course's own and says so) · **You write** `center_crop`,
# `pad_to_multiple`, `Up`, `UNet`

# %%
import torch
import torch.nn.functional as F
from torch import nn

from helpers import metrics
from helpers.training import fit

output_size, DoubleConv, Encoder, UpConv, Hourglass = earlier(
    "output_size", "DoubleConv", "Encoder", "UpConv", "Hourglass"
)

# %% [markdown]
# ## 1 · What the bottleneck forgot
#
# The hourglass of lesson 06 drew nuclei, which are blobs, quite well. It failed on something thin: the grey matter of
# the brain, a folded ribbon two to four millimetres thick, with white matter inside and fluid in its furrows. In these
# slices a millimetre is a pixel. Here is that hourglass again, trained on the lower slices. It draws the upper ones,
# which it has never seen. (Training takes some twenty seconds. The slices are of one average brain, without noise or
# disease, and neighbours look alike: see `print(train.card)`.)

# %%
train, validation, test = (
    data.load("brain", split) for split in ("train", "validation", "test")
)


def trained(model):
    """The same training for every network of this lesson."""
    fit(model, train, validation, epochs=6, crop=96, batch_size=4, lr=1e-2, seed=1)
    return model


torch.manual_seed(1)
hourglass = trained(Hourglass(1, 4, base_channels=8, depth=4))

# %%
part = (slice(24, 152), slice(16, 144))  # of a slice, to look at
image, truth = test[6][0][0][part], test[6][1][part]


def drawn(model):
    """The classes that a network predicts there: int64 (128, 128)."""
    with torch.no_grad():
        return model.eval()(test[6][0][None])[0].argmax(dim=0)[part]


def ious(model):
    """IoU of each class but the background, over all pixels of the test slices."""
    seen = metrics.predictions(model, test)
    table = sum(metrics.confusion_table(logits.argmax(0), mask, 4) for logits, mask in seen)
    scores = metrics.class_scores(table)["iou"].tolist()
    return {test.classes[k]: scores[k] for k in (1, 2, 3)}


show.images([("slice", image), ("truth", truth), ("the hourglass", drawn(hourglass))])
print("IoU:", ", ".join(f"{name} {iou:.2f}" for name, iou in ious(hourglass).items()))

# %% claim="It finds the brain, and draws no ribbon"
table = sum(
    metrics.confusion_table((logits.argmax(0) > 0).long(), (mask > 0).long(), 2)
    for logits, mask in metrics.predictions(hourglass, test)
)
whole_brain = metrics.class_scores(table)["iou"][1].item()
claim(
    lambda brain, fluid: brain > 0.9 and fluid < 0.4,
    *(whole_brain, ious(hourglass)["csf and other"]),
    shuffled_labels=(whole_brain, whole_brain),
)

# %% [markdown]
# It finds the brain, and draws no ribbon: the folds (grey matter is blue, white matter yellow) run together, and of the
# fluid between them (green) little or nothing is left. The reason sits at the bottom of the U. *What* is in the picture
# survived, in many channels. *Where*, to the pixel, did not: look at the sides. (This encoder is a new one, untrained,
# since only the sides matter here.)

# %%
torch.manual_seed(0)
encoder = Encoder(1, base_channels=8, depth=4).eval()
x = image[None, None]  # (1, 1, 128, 128)
with torch.no_grad():
    bottleneck, skips = encoder(x)

for level, features in enumerate([*skips, bottleneck]):
    _, channels, height, width = features.shape
    print(f"level {level}: {channels:3} channels of {height:3} × {width:3}")
show.images(
    [
        ("level 0, channel 0", skips[0][0, 0]),
        ("level 2, channel 0", skips[2][0, 0]),
        ("the bottleneck, channel 0", bottleneck[0, 0]),
    ]
)

# %% [markdown]
# In the bottleneck 16 × 16 pixels share one cell. The pixels are not lost, though. One floor up, before each pooling,
# the encoder still had them, and it hands them out: the list `skips`, from shallow to deep. What if the decoder could
# look at the encoder's floor while it draws its own? A connection that leaps over the bottom of the U like that is
# called a **skip connection**, and the map it carries a *skip*.

# %% [markdown]
# ## 2 · Join them, or add them
#
# Two maps of the same sides are to become one. There are two ways: *add* them, number by number, or *concatenate* them,
# which puts the channels of the one after the channels of the other.
#
# **Predict.** The decoder has just upsampled to `(8, 16, 32, 32)`. The encoder's map of that floor is `(8, 16, 32, 32)`
# too. You concatenate them along the channels.

# %%
quiz("concat-shape")

# %% [markdown]
# What does addition lose? Take a value of 3 from below (*a nucleus is near here*) and a value of 1 from the skip (*no
# edge here*), and then the other way round.

# %%
below = torch.tensor([[3.0, 1.0, 2.0]])  # what: three pixels side by side
beside = torch.tensor([[1.0, 3.0, 2.0]])  # where: the same three pixels
added = below + beside
joined = torch.cat([below, beside])
show.images([("added: one channel", added), ("concatenated: two channels", joined)])

# %% [markdown]
# Added, the three pixels are the same, and no layer that comes later can tell them apart. Concatenated, they differ,
# and the next convolution can still add the channels if that is best: addition is one special choice of its weights.

# %%
torch.manual_seed(0)
a, b = torch.randn(2, 1, 16, 32, 32)
conv = nn.Conv2d(16, 16, 3, padding=1, bias=False)
twice = torch.cat([conv.weight, conv.weight], dim=1)  # the same weights for both halves
difference = conv(a + b) - F.conv2d(torch.cat([a, b], dim=1), twice, padding=1)
print(f"the sum, or the pair with equal weights: {difference.abs().max():.0e} apart")
print(f"weights: {conv.weight.numel()} for the sum, {twice.numel()} for the pair")

# %% [markdown]
# Freedom costs twice the weights in that one convolution. Both work: LinkNet (Chaurasia and Culurciello 2017) adds, and
# is quick. U-Net keeps *what* and *where* apart and lets the next convolution decide.

# %% [markdown]
# ## 3 · Maps that do not fit: crop
#
# To lie beside each other, two maps need the same sides. In the network of 2015 they never have them. Its convolutions
# do not pad (lesson 04), so each one takes two pixels off a side, on the way down and on the way up. Follow one side
# through it, with your `output_size`:


# %%
def double(size):
    """A side after two 3×3 convolutions without padding."""
    return output_size(output_size(size, kernel=3), kernel=3)


size, kept = double(572), []
for _ in range(4):
    kept.append(size)
    size = double(output_size(size, kernel=2, stride=2))
print(f"skips {kept}, bottleneck {size}")
for skip_size in reversed(kept):
    up_size = 2 * size
    fraction = 1 - (up_size / skip_size) ** 2
    print(f"skip {skip_size:3}, from below {up_size:3}: {fraction:4.0%} of it has to go")
    size = double(up_size)
print(f"572 pixels in, {size} out")

# %% [markdown]
# The skip is always the larger one, because it has been through fewer convolutions. The map from below covers only the
# *middle* of it, since each convolution took as much from one end as from the other. So cut the middle out.

# %% [markdown] card="center_crop"


# %% exercise="center_crop"
def center_crop(x, size):
    """The middle of a map.

    x: (N, C, H, W); size: (height, width). Returns (N, C, height, width).
    When an odd number of rows has to go, the one left over goes at the bottom
    (columns: on the right).
    Raises ValueError where size is larger than x.
    """
    ### BEGIN SOLUTION
    height, width = size
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    if height > x.shape[2] or width > x.shape[3]:
        raise ValueError(f"{size} does not fit into {tuple(x.shape[2:])}")
    return x[:, :, top : top + height, left : left + width]
    ### END SOLUTION


# %% check="center_crop"
check(center_crop)

# %% [markdown]
# <details><summary>One row too many, or an empty map?</summary>
#
# `x[:, :, a:-a]` cuts the same number from both ends. When 5 rows have to go, that is 4 or 6; when none has to, `a` is
# 0 and `0:-0` is nothing. Say where the slice starts and how long it is.
#
# </details>

# %% [markdown]
# ### Look
#
# Two valid convolutions on the real slice, and your crop of the slice beside it. Do they show the same place? Subtract
# a small blur from each crop and see: where a crop is shifted, edges stay.

# %%
blur = torch.full((1, 1, 3, 3), 1 / 9)
valid = F.conv2d(F.conv2d(x, blur), blur)  # (1, 1, 124, 124): no padding, so 4 shorter
middle = use(center_crop)(x, valid.shape[2:])
corner = x[:, :, :124, :124]
show.images(
    [
        ("crop − convolved: the middle", (middle - valid)[0]),
        ("crop − convolved: a corner", (corner - valid)[0]),
    ]
)
for name, crop in (("middle", middle), ("corner", corner)):
    print(f"{name}: mean difference {(crop - valid).abs().mean():.4f}")

# %% [markdown]
# Each picture has its own scale, so compare the means. In the corner crop every fold has a red and a blue side: skip
# and decoder are two pixels apart, and two pixels are a ribbon. All shapes fit, so nothing would tell you.
#
# ## 4 · Maps that do not fit: pad
#
# Cropping gives a mask that is smaller than the image, and for the rim you have to feed in more image around it. Today
# most U-Nets pad each convolution, so the sides stay and the mask is as large as the image. One trouble is left.

# %%
quiz("thirteen-down-and-up")

# %% [markdown]
# Pooling drops the last row of an odd side, and doubling does not bring it back. With depth 4 a side is halved four
# times: which sides come back as they were?

# %%
sides = range(60, 82)
back = {side: side // 2 // 2 // 2 // 2 * 16 for side in sides}
print("come back whole:", [side for side in sides if back[side] == side])
print("come back short:", {side: back[side] for side in sides if back[side] != side})

# %% [markdown]
# The multiples of 2⁴ = 16 do. So the first cure is to pad the image with zeros up to the next multiple, run the
# network, and take the same rows and columns away from its mask. The second half of that is given.


# %%
def unpad(padded, pads):
    """What was there before the padding. pads: (left, right, top, bottom)."""
    left, right, top, bottom = pads
    height, width = padded.shape[2:]
    return padded[:, :, top : height - bottom, left : width - right]


# %% [markdown] card="pad_to_multiple"


# %% exercise="pad_to_multiple"
def pad_to_multiple(x, multiple):
    """Zeros around a map, as few as make both sides multiples of `multiple`.

    x: (N, C, H, W). Returns (padded, pads), pads = (left, right, top, bottom).
    """
    ### BEGIN SOLUTION
    rows, columns = -x.shape[2] % multiple, -x.shape[3] % multiple
    pads = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return F.pad(x, pads), pads
    ### END SOLUTION


# %% check="pad_to_multiple"
check(pad_to_multiple)

# %% [markdown]
# <details><summary>32 becomes 48?</summary>
#
# `multiple - side % multiple` is 16 when the remainder is 0, and nothing is missing there. Take the remainder of *that*
# once more, or use what Python does with negative numbers: `-30 % 16` is 2.
#
# </details>

# %% [markdown]
# ### Look
#
# A piece of 100 × 75 pixels through the hourglass, which was made for multiples of 16. It may refuse others, or lose
# rows and columns.

# %%
odd = x[:, :, 10:110, 30:105]
try:
    print("unpadded:", tuple(odd.shape[2:]), "→", tuple(hourglass(odd).shape[2:]))
except ValueError as error:
    print("the hourglass says:", error)

padded, pads = use(pad_to_multiple)(odd, 16)
with torch.no_grad():
    mask = unpad(hourglass(padded), pads).argmax(dim=1)
print(*(tuple(maps.shape[2:]) for maps in (odd, padded, mask[None])), sep=" → ")
show.images([("a piece", odd[0]), ("padded", padded[0]), ("mask, cut back", mask[0])])

# %% [markdown]
# The second cure works inside the network: let each step up notice that a row is missing, and fill it in. That is what
# you build next, so your U-Net will take any size.

# %% [markdown]
# ## 5 · One step up
#
# Upsample `x`, put the skip beside it, and let a `DoubleConv` merge the two.
#
# **Predict.** A step gets `x` with 64 channels and a skip with 32, and has to return 32.

# %%
quiz("channels-into-the-merge")

# %% [markdown] card="Up"


# %% exercise="Up"
class Up(nn.Module):
    """One step up.

    x: (N, in_channels, h, w); skip: (N, skip_channels, H, W), where H is 2·h or
    2·h + 1, and W likewise.
    Returns (N, out_channels, H, W).
    """

    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        ### BEGIN SOLUTION
        self.up = UpConv(in_channels, out_channels)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)
        ### END SOLUTION

    def forward(self, x, skip):
        ### BEGIN SOLUTION
        x = self.up(x)  # (N, out_channels, 2·h, 2·w)
        rows, columns = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = F.pad(x, (0, columns, 0, rows))  # (N, out_channels, H, W)
        return self.conv(torch.cat([skip, x], dim=1))
        ### END SOLUTION


# %% check="Up"
check(Up)

# %% [markdown]
# <details><summary>Sizes do not match?</summary>
#
# 13 halved is 6, doubled is 12. One row went missing on the way down, the last one, so it has to be put back at the
# end. Print `x.shape` and `skip.shape` on the line before you concatenate; `F.pad` names the *last* axis first: `(left,
# right, top, bottom)`.
#
# </details>
#
# <details><summary>Expected input to have 64 channels, but got 96?</summary>
#
# After `torch.cat` there are the channels of *both* maps. Which two numbers does the first argument of your
# `DoubleConv` add up?
#
# </details>

# %% [markdown]
# ### Look
#
# Your `Up`, untrained, on the real slice: from below comes the map of level 2, from the side the skip of level 1. Once
# the skip is zero, once it is there. (The random weights make 16 channels; you see the two that the skip changes most.
# In training mode batch norm uses this picture's own mean and spread, so there is something to see.)

# %%
torch.manual_seed(0)
step = use(Up)(32, 16, 16).train()
with torch.no_grad():
    below, skip = encoder.train()(x)[1][2:0:-1]  # levels 2 and 1, deep first
    outcomes = {
        "skip zero": step(below, torch.zeros_like(skip)),
        "with skip": step(below, skip),
    }
change = outcomes["with skip"] - outcomes["skip zero"]
most = change[0].std(dim=(1, 2)).argsort(descending=True)[:2].tolist()
show.images([(f"{n}, channel {k}", out[0, k]) for k in most for n, out in outcomes.items()])


# %% claim="with it detail of the picture shows among them"
def detail(maps):
    """What is left of maps after a blur."""
    return maps - F.avg_pool2d(maps, 5, 1, 2)


def goes_with(out):
    """How well the detail of the best channel goes with that of the picture."""
    rows = torch.cat([detail(F.avg_pool2d(x, 2))[0].flatten(1), detail(out)[0].flatten(1)])
    return torch.corrcoef(rows)[0, 1:].nan_to_num().abs().max().item()


details = [goes_with(outcomes[name]) for name in ("with skip", "skip zero")]
claim(lambda there, zero: there > 1.5 * zero, *details, swapped=details[::-1])

# %% [markdown]
# Nothing has been learned yet. Without the skip you see the 2×2 stamps of the transposed convolution (lesson 06); with
# it detail of the picture shows among them. It came through the skip.

# %% [markdown]
# ## 6 · The whole U
#
# Encoder down, one `Up` for each level from deep to shallow, and a 1×1 convolution that turns the channels of each
# pixel into one number for each class.
#
# **Predict** the order before you write.

# %%
quiz("which-skip-first")

# %% [markdown] card="UNet"


# %% exercise="UNet"
class UNet(nn.Module):
    """The U-Net. Level k has base_channels · 2**k channels; `depth` halvings.

    (N, in_channels, H, W) to logits (N, num_classes, H, W), sides of at least 2**depth.
    """

    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        ### BEGIN SOLUTION
        channels = [base_channels * 2**k for k in range(depth + 1)]
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = nn.ModuleList(
            Up(channels[k + 1], channels[k], channels[k]) for k in reversed(range(depth))
        )
        self.head = nn.Conv2d(base_channels, num_classes, kernel_size=1)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x, skips = self.encoder(x)
        for up, skip in zip(self.decoder, reversed(skips), strict=True):
            x = up(x, skip)
        return self.head(x)
        ### END SOLUTION


# %% check="UNet"
check(UNet)

# %% [markdown]
# <details><summary>It works with depth 1, and fails with depth 2</summary>
#
# With one level there is one skip and no order to get wrong. With two, the first `Up` wants the *deepest* skip, and the
# list starts with the shallowest.
#
# </details>
#
# <details><summary>I wrote no Up, or mine does not pass yet</summary>
#
# The cell above calls the name `Up`. If yours is not finished, put `from helpers.reference.unet import Up` into the
# cell of your own above it, write `UNet`, and come back to `Up` later.
#
# </details>

# %% [markdown]
# ### Look
#
# The graph, drawn from *your* network as it runs. Every node is lit: no piece is missing any more. Select a skip to see
# the maps that it carries across. Then select a pixel of the output: how much of the picture *may* it see, and how many
# pixels have half of the influence?

# %%
torch.manual_seed(1)
unet = use(UNet)(1, 4, base_channels=8, depth=4)
graph = ArchitectureGraph()
graph.forward(unet, x)
graph

# %% [markdown]
# And the same network in five steps, from the source of the course. Compare it with yours.

# %%
CodeStepper()

# %% [markdown]
# What did the four skips cost? Count the parameters of both networks:

# %%
for name, model in (("hourglass", hourglass), ("U-Net", unet)):
    print(f"{name:>9}: {sum(p.numel() for p in model.parameters()):,} parameters")
with torch.no_grad():
    print("100 × 75 pixels in, unpadded; out:", tuple(unet.eval()(odd).shape))

# %% [markdown]
# ## 7 · Are they worth it?
#
# The U-Net has more weights than the hourglass. If it draws better, is it for the skips, or for the weights? Ask a
# third network: a U-Net, weight for weight, with every skip replaced by zeros before it enters the `Up`. (It is the
# course's, since of yours only you know where the skips come in.) Training is the same for all, and takes the two of
# them some forty seconds.

# %%
from helpers.reference import unet as course


def blind(up, inputs):
    """Before a step up: what comes from below may pass, the skip becomes zeros."""
    below, skip = inputs
    return below, torch.zeros_like(skip)


torch.manual_seed(1)
zeroed = course.UNet(1, 4, base_channels=8, depth=4)
for module in zeroed.modules():
    if isinstance(module, course.Up):
        module.register_forward_pre_hook(blind)
for model in (zeroed, unet):
    trained(model)

# %%
models = {"hourglass": hourglass, "skips zeroed": zeroed, "U-Net": unet}
show.images([("truth", truth), *((name, drawn(model)) for name, model in models.items())])

found = {name: ious(model) for name, model in models.items()}
for name, values in found.items():
    print(
        f"{name:>12}: IoU", ", ".join(f"{what} {iou:.2f}" for what, iou in values.items())
    )

# %% claim="The U-Net draws the ribbon and the furrows"
claim(
    lambda hourglass, zeroed, unet: all(
        unet[k] > max(hourglass[k], zeroed[k]) + 0.2 for k in unet
    ),
    *found.values(),
    arms_swapped=(found["U-Net"], found["skips zeroed"], found["hourglass"]),
)

# %% claim="the third network, with as many weights and no skips, stays far behind it, as the hourglass does"
claim(
    lambda hourglass, zeroed, unet: all(
        abs(zeroed[k] - hourglass[k]) < (unet[k] - hourglass[k]) for k in unet
    ),
    *found.values(),
    skips_kept=(found["hourglass"], found["U-Net"], found["U-Net"]),
)

# %% [markdown]
# The U-Net draws the ribbon and the furrows; the third network, with as many weights and no skips, stays far behind it,
# as the hourglass does. One training of each is one draw, though. The same three were trained beforehand from five
# seeds (`python course.py bench skips`, in this course's folder). The seed fixes first weights and order of pictures,
# so the networks of one seed make a pair: look at the smallest and the largest difference in a pair.

# %%
from helpers import measured

runs = measured.read("skips")["runs"]  # by seed, then network, then class
for name in ("hourglass", "skips zeroed"):
    for what in test.classes[1:]:
        gains = [run["U-Net"][what] - run[name][what] for run in runs]
        print(
            f"U-Net − {name:<12} {what:>13}: {min(gains):+.2f} to {max(gains):+.2f}, {len(runs)} seeds"
        )

# %% claim="Every difference is on one side"
gains = [
    [
        r["U-Net"][k] - r[n][k]
        for n in ("hourglass", "skips zeroed")
        for k in test.classes[1:]
    ]
    for r in runs
]
claim(
    lambda seeds, smallest: seeds >= 5 and smallest > 0,
    *(len(runs), min(map(min, gains))),
    arms_swapped=(len(runs), -max(map(max, gains))),
)

# %% [markdown]
# Every difference is on one side. So it is the skips, not the weights, and not luck. Drozdzal et al. (2016) made the
# comparison at length. How much do skips bring where objects are blobs? Train the three on `"nuclei"` and see.

# %% [markdown]
# ## Graded questions

# %% graded="what-zeroed-skips-show"
quiz("what-zeroed-skips-show")

# %% graded="side-out-of-the-2015-network"
quiz("side-out-of-the-2015-network")

# %% [markdown]
# ## Recap
#
# 1. Pooling buys *what* with *where*. The encoder's maps from before each pooling still have it.
# 2. A skip carries such a map across to the decoder's step of the same level. U-Net concatenates, so the next convolution
#    decides how to mix; addition decides beforehand.
# 3. Without padding the skip is too large and you crop its middle; with padding only odd sides trouble you, and you
#    fill in the missing row, or pad the image to a multiple of 2 to the power of the depth.
# 4. The U-Net is `Encoder`, one `Up` per level from deep to shallow, and a 1×1 convolution.
# 5. Zeroing the skips and keeping the weights shows what the skips are worth: a control beats an argument.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Which skip matters most? Let `blind` act on one of the `Up`s of `zeroed` only, and train again.
# - Train the three on `data.load("nuclei", split, tile=None)`, with one logit, and compare IoU and
#   `metrics.boundary_error`. How much do the skips bring to a blob?
# - Write `AddUp`, which adds the skip, and train it. Where is it quicker, and what does it lose?
#
# **Sources** · Ronneberger, O., Fischer, P. and Brox, T. (2015), *U-Net: convolutional networks for biomedical image
# segmentation*, arXiv:1505.04597 (572 to 388, cropped skips) · Chaurasia, A. and Culurciello, E. (2017), *LinkNet:
# exploiting encoder representations for efficient semantic segmentation*, arXiv:1707.03718 (skips added) · Drozdzal, M.
# et al. (2016), *The importance of skip connections in biomedical image segmentation*, arXiv:1608.04117 · Fischl,
# B. and Dale, A. M. (2000), *Measuring the thickness of the human cerebral cortex from magnetic resonance images*, PNAS
# 97, 11050–11055 (the ribbon)
