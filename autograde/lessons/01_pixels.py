# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 01 · Pixels: pictures and masks as tensors
#
# **You will** turn pictures and masks into what a network takes, keep the two together, and find out how a test set can
# hand a good score to a model that has learnt nothing.
#
# **Time** about 55 minutes · **You need** Python with NumPy or PyTorch arrays · **You write** `to_tensor`, `one_hot`,
# `mask_to_box`, `flip_pair` and `PairDataset`

# %%
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage
from skimage.data import immunohistochemistry
from torch.utils.data import DataLoader, Dataset
from torchvision.utils import draw_bounding_boxes

from helpers.data import files

# %% [markdown]
# ## 1 · A picture is a grid of numbers
#
# Here is the micrograph as it lies in its file, and eight by eight pixels of it, at the
# edge of a nucleus, with their numbers.

# %%
folder = files.root() / "nuclei"
picture = np.asarray(Image.open(folder / "image.png"))
patch = picture[192:200, 76:84]

show.images(
    [
        ("the micrograph", picture / 255),
        ("8 × 8 pixels of it, stretched to white", patch * 1.0),
    ]
)
print(f"{picture.dtype}, shape {picture.shape}, from {picture.min()} to {picture.max()}")

# %% [markdown]
# `uint8` is what cameras and files use: whole numbers from 0 to 255, one byte each. It is a bad type to compute with.
#
# **Predict.** Make a pixel brighter: 200 + 100, both `uint8`.

# %%
quiz("two-hundred-plus-one-hundred")

# %%
pixel = torch.tensor([200], dtype=torch.uint8)
print(pixel + 100)

# %% [markdown]
# No warning, and a bright pixel has turned dark. Colour brings a second difficulty. Here is a tissue section,
# photographed in colour: brown where a protein was found, blue where there are nuclei.

# %%
tissue = immunohistochemistry()
show.images([("a tissue section", tissue.transpose(2, 0, 1) / 255)])
print(f"{tissue.dtype}, shape {tissue.shape}")

# %% [markdown]
# A file keeps the three colours of a pixel side by side: height, width, **channels last**. PyTorch wants the channels
# *first*, so that each channel is one whole grey picture. And its layers want `float32`, with numbers of about 1. Three
# changes, then: order, type, range. `torch.from_numpy(a)` makes a tensor of an array, `t.permute(2, 0, 1)` puts its
# axes in another order, and `t.float()` changes its type.

# %% [markdown] card="to_tensor"


# %% exercise="to_tensor"
def to_tensor(image):
    """A picture from a file as the tensor that a network takes.

    image: uint8 array (H, W) or (H, W, C). Returns float32 (C, H, W) from 0 to 1; a grey picture has one channel.
    """
    ### BEGIN SOLUTION
    if image.ndim == 2:
        image = image[:, :, None]  # (H, W, 1)
    return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255
    ### END SOLUTION


# %% check="to_tensor"
check(to_tensor)

# %% [markdown]
# <details><summary>The shape is right, and the picture is torn into stripes</summary>
#
# `reshape` counts the numbers out in their old order and cuts them into rows of another length. `permute` moves the
# axes, and each pixel with them.
#
# </details>
#
# <details><summary>A warning about arrays that are not writable</summary>
#
# An array that comes from a file may be read-only, and a tensor made by `torch.from_numpy` shares its memory. Copy it
# first: `image.copy()`.
#
# </details>

# %% [markdown]
# ### Look
#
# Your tensor of the tissue, channel by channel. Brown takes away most of the *blue* light: where the protein is, the
# third picture is darkest.

# %%
convert = use(to_tensor)
colour = convert(tissue)
channels = [(name, colour[k]) for k, name in enumerate(("red", "green", "blue"))]
show.images([("all three", colour), *channels])
print(f"{colour.dtype}, shape {tuple(colour.shape)}, up to {colour.max():.2f}")
print(f"the micrograph: shape {tuple(convert(picture).shape)}")

# %% [markdown]
# A network takes several pictures at once, a **batch**: `(N, C, H, W)`. You will meet these four letters in every
# lesson.
#
# ## 2 · A mask is a grid of names
#
# A mask has the size of its picture. Its numbers look like grey values, and are nothing of the kind: each is the
# *name* of a class. Here is a slice of a brain (*T1* is a kind of MRI picture), and the class of each pixel: black is
# background, violet fluid (*csf*), blue grey matter, yellow white matter.

# %%
brain = data.load("brain", "train")
slice_, classes = brain[60]
show.images([("T1 image", slice_), ("class of each pixel", classes)])
print(f"{classes.dtype}, shape {tuple(classes.shape)}")
for number, name in enumerate(brain.classes):
    print(f"{number} = {name:<14} {(classes == number).float().mean():.1%} of the pixels")

# %% [markdown]
# Names cannot be averaged. The mean of *background* (0) and *grey matter* (2) is 1, which is *csf and other*, and so
# neither of the two.
#
# How can a network answer with a name, when all it can compute are numbers that add and multiply? It answers with one
# channel for each class, and in each pixel the highest number wins. The true mask can be written in the same way, with
# a 1 in the channel of the pixel's class and 0 in the others: **one-hot**.
#
# And sometimes the honest answer is *I do not know*. Whoever draws a mask cannot tell to the pixel where grey matter
# ends. Such pixels get the number 255, the **ignore index**: they are in no class, and neither training nor a score
# counts them.

# %% [markdown] card="one_hot"


# %% exercise="one_hot"
def one_hot(mask, num_classes, ignore_index=255):
    """One channel a class: 1 where the pixel is of that class, 0 elsewhere.

    mask: int64 (H, W). Returns float32 (num_classes, H, W); ignored pixels are 0 in every channel.
    """
    ### BEGIN SOLUTION
    return torch.stack(
        [(mask == k) & (mask != ignore_index) for k in range(num_classes)]
    ).float()
    ### END SOLUTION


# %% check="one_hot"
check(one_hot)

# %% [markdown]
# <details><summary>index 255 is out of bounds</summary>
#
# Somewhere 255 is used as the number of a channel, and there are only `num_classes` of them. Comparing,
# `mask == k`, asks about each class in turn and never looks anything up.
#
# </details>

# %% [markdown]
# ### Look
#
# Your `one_hot` on the brain, after every pixel beside a border between two classes was set to 255.

# %%
whole = classes[None].float()
highest, lowest = F.max_pool2d(whole, 3, 1, 1), -F.max_pool2d(-whole, 3, 1, 1)
unsure = torch.where((highest != lowest)[0], 255, classes)

encode = use(one_hot)
hot = encode(unsure, 4)
show.images([(name, hot[k]) for k, name in enumerate(brain.classes)], height=2.6)
print(f"{(unsure == 255).float().mean():.1%} of the pixels are ignored")
print(f"channels add up to {hot.sum(0).unique().tolist()}: 0 where ignored, else 1")
back = encode(classes, 4).argmax(dim=0)
print(f"argmax over the channels gives the mask back: {torch.equal(back, classes)}")

# %% [markdown]
# ## 3 · Which nucleus is it?
#
# The mask of the micrograph says *nucleus* or *background*. It does not say *which* nucleus. The annotators did: they
# gave each one a number. Below is a part where they touch.

# %%
tile = data.load("nuclei", "train", tile=128)
numbers = tile.instances[4]
_, numbered = numbers.unique(return_inverse=True)  # 0, 1, 2 … without gaps
image = tile[4][0]
show.images(
    [
        ("micrograph", image),
        ("semantic: nucleus or not", numbers > 0),
        ("instance: which nucleus", numbered),
    ]
)
print(f"nuclei by their numbers: {len(numbers.unique()) - 1}")
print(f"connected pieces of the mask: {ndimage.label(numbers.numpy() > 0)[1]}")

# %% [markdown]
# Three words for three kinds of answers:
#
# - **semantic**: each pixel has a class. Two nuclei that touch are one piece.
# - **instance**: each *object* has a mask of its own. Background is not an object and has none.
# - **panoptic** (Kirillov et al. 2019): each pixel has a class, and where the class can be counted, such as *car*,
#   also the number of its object; where it cannot, such as *sky*, only the class.
#
# This course is about semantic masks. In lesson 12 you will split them into instances.
#
# The numbers of nuclei are names, too. See what happens to them when the mask is made smaller as pictures are, by the
# mean of four neighbours, and when each new pixel takes the number of *one* old pixel instead.

# %%
old = numbered[None, None].float()
mixed = F.avg_pool2d(old, 2)[0, 0].round().long()
nearest = F.interpolate(old, scale_factor=0.5, mode="nearest")[0, 0].long()
show.images([("mean of four", mixed), ("nearest", nearest)])

four = F.unfold(old, 2, stride=2)[0].T.reshape(*mixed.shape, 4)  # the old four of each
for name, mask in (("mean of four", mixed), ("nearest", nearest)):
    strange = (four != mask[..., None]).all(dim=-1) & (mask > 0)
    print(f"{name:>12}: {strange.sum()} pixels are given to a nucleus that is not there")


# %% claim="Nearly every border is lined with crumbs of other nuclei"
def lined(mask):
    """Fraction of the nuclei, drawn small, that have such a crumb beside them."""
    crumbs = (four != mask[..., None]).all(dim=-1) & (mask > 0)
    near = F.max_pool2d(crumbs[None, None].float(), 3, 1, 1)[0, 0] > 0
    ids = nearest.unique()[1:]
    return sum((near & (nearest == number)).any().item() for number in ids) / len(ids)


claim(lambda fraction: fraction > 0.8, lined(mixed), nearest=(lined(nearest),))

# %% [markdown]
# Nearly every border is lined with crumbs of other nuclei. A mask may be resized or turned by taking the **nearest**
# pixel, never by mixing its numbers. (Its one-hot channels may be mixed: each says how much of a class is there, and
# the highest is a class that was there.)

# %%
quiz("semantic-instance-or-panoptic")

# %% [markdown]
# From an instance to its box, the answer of a detector, is a small step. Mind two things. A tensor is indexed
# `[row, column]`, and a box is written `(x, y)`: opposite orders. And an *end* in Python is the first index that does
# not belong any more.

# %% [markdown] card="mask_to_box"


# %% exercise="mask_to_box"
def mask_to_box(mask):
    """The smallest box around the true pixels: bool (H, W) -> (x0, y0, x1, y1), or None when there are none.

    mask[y0:y1, x0:x1] is the box.
    """
    ### BEGIN SOLUTION
    if not mask.any():
        return None
    rows, columns = mask.nonzero(as_tuple=True)
    return (
        columns.min().item(),
        rows.min().item(),
        columns.max().item() + 1,
        rows.max().item() + 1,
    )
    ### END SOLUTION


# %% check="mask_to_box"
check(mask_to_box)

# %% [markdown]
# <details><summary>min(): expected a non-zero number of elements</summary>
#
# An empty mask has no smallest row. Ask `mask.any()` before you look for one.
#
# </details>

# %% [markdown]
# ### Look
#
# Your boxes, once around every numbered nucleus, once around every connected piece of the semantic mask.

# %%
box = use(mask_to_box)
pieces = torch.from_numpy(ndimage.label(numbers.numpy() > 0)[0])
grey = (image / image.max()).expand(3, -1, -1)
panels = []
for name, grid in (("instances", numbers), ("pieces of the mask", pieces)):
    boxes = torch.tensor([box(grid == n) for n in grid.unique() if n > 0])
    drawn = draw_bounding_boxes(grey, boxes, colors="#E69F00", width=1)
    panels.append((f"{len(boxes)} {name}", drawn))
show.images(
    panels, alt=f"Boxes around {panels[0][0]}, and around {panels[1][0]}.", height=4
)

# %% [markdown]
# ## 4 · Pairs that must stay pairs
#
# A picture and its mask belong together pixel by pixel. Networks are trained on mirrored and turned copies as well, and
# that is where pairs come apart. Here somebody mirrored the picture and forgot the mask:

# %%
image, mask = data.load("nuclei", "train", tile=128)[7]
image = image / image.max()
orange = torch.tensor([1.0, 0.4, 0.0])[:, None, None]


def on_top(image, mask):
    """The picture (1, H, W), tinted orange where the mask (H, W) is set: (3, H, W)."""
    return torch.where(mask > 0, 0.6 * image + 0.4 * orange, image.expand(3, -1, -1))


show.images(
    [
        ("a pair", on_top(image, mask)),
        ("only the picture mirrored", on_top(image.flip(-1), mask)),
    ]
)
for name, picture_ in (("a pair", image), ("torn apart", image.flip(-1))):
    inside, outside = picture_[0][mask > 0].mean(), picture_[0][mask == 0].mean()
    print(f"{name:>10}: brightness {inside:.2f} in the mask, {outside:.2f} outside")

# %% claim="whose masks are now only a little brighter than what surrounds them"


def brighter(picture_):
    """How many times as bright the picture is inside the mask as outside."""
    return (picture_[0][mask > 0].mean() / picture_[0][mask == 0].mean()).item()


claim(
    lambda torn, pair: torn < 1.5 and pair > 2,
    *(brighter(image.flip(-1)), brighter(image)),
    swapped=(brighter(image), brighter(image.flip(-1))),
)

# %% [markdown]
# Nothing raises an error. The shapes fit and the training runs, on pairs whose masks are now only a little brighter
# than what surrounds them.

# %% [markdown] card="flip_pair"


# %% exercise="flip_pair"
def flip_pair(image, mask, horizontal, vertical):
    """Mirror an image (C, H, W) and its mask (H, W) together.

    horizontal: swap left and right; vertical: swap top and bottom. Returns (image, mask).
    """
    ### BEGIN SOLUTION
    if horizontal:
        image, mask = image.flip(-1), mask.flip(-1)
    if vertical:
        image, mask = image.flip(-2), mask.flip(-2)
    return image, mask
    ### END SOLUTION


# %% check="flip_pair"
check(flip_pair)

# %% [markdown]
# ### Look
#
# Your `flip_pair`, all four ways, on the same pair.

# %%
flip = use(flip_pair)
panels = []
for name, across, down in (
    ("as it is", False, False),
    ("horizontal", True, False),
    ("vertical", False, True),
    ("both", True, True),
):
    panels.append((name, on_top(*flip(image, mask, across, down))))
show.images(panels, height=2.8)

# %% [markdown]
# ## 5 · A data set of pairs
#
# Training asks for pairs again and again, in another order each time, and each time a little changed. PyTorch wants an
# object for that with two methods: `__len__` says how many pairs there are, `__getitem__` makes pair number `index`
# when it is asked for. The change is a function, the *transform*. It gets the picture *and* the mask, so that it can
# treat them alike.

# %%
quiz("who-is-transformed")

# %% [markdown]
# Inside, your `to_tensor` does for the picture what has to be done. The mask needs less: it keeps its numbers, and
# becomes int64, the type in which PyTorch's losses want class indices.

# %% [markdown] card="PairDataset"


# %% exercise="PairDataset"
class PairDataset(Dataset):
    """Pictures and their masks as pairs.

    images: list of uint8 arrays (H, W) or (H, W, C); masks: list of arrays (H, W) of class indices.
    transform: called as transform(image, mask) with the two tensors; returns the pair.
    pairs[i] is (image, mask): float32 (C, H, W) from 0 to 1, and int64 (H, W).
    """

    def __init__(self, images, masks, transform=None):
        ### BEGIN SOLUTION
        self.images, self.masks, self.transform = images, masks, transform
        ### END SOLUTION

    def __len__(self):
        ### BEGIN SOLUTION
        return len(self.images)
        ### END SOLUTION

    def __getitem__(self, index):
        ### BEGIN SOLUTION
        image = to_tensor(self.images[index])
        mask = torch.from_numpy(self.masks[index].astype(np.int64))
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        return image, mask
        ### END SOLUTION


# %% check="PairDataset"
check(PairDataset)

# %% [markdown]
# <details><summary>NotImplementedError, in a line of to_tensor</summary>
#
# Your `PairDataset` calls your `to_tensor`, and that one is not written yet. Write it first, or do its three steps
# here.
#
# </details>

# %% [markdown]
# ### Look
#
# The left half of the micrograph, cut into tiles, through your `PairDataset` with a transform that mirrors at random,
# and through PyTorch's `DataLoader`, which stacks pairs into batches.

# %%
drawing = np.asarray(Image.open(folder / "instances.png"))
corners = [(top, left) for top in range(0, 512, 128) for left in (0, 128)]
cut = [np.s_[top : top + 128, left : left + 128] for top, left in corners]


def at_random(image, mask):
    """Mirror a pair, or not, by two tosses of a coin."""
    across, down = torch.rand(2) < 0.5
    return flip(image, mask, bool(across), bool(down))


images, masks = [picture[c] for c in cut], [(drawing[c] > 0).astype(np.uint8) for c in cut]
pairs = use(PairDataset)(images, masks, transform=at_random)
torch.manual_seed(0)
batch, targets = next(iter(DataLoader(pairs, batch_size=4, shuffle=True)))
print(f"{len(pairs)} pairs; a batch: images {tuple(batch.shape)} {batch.dtype},")
print(f"                 masks {tuple(targets.shape)} {targets.dtype}")
tinted = [on_top(x / x.max(), m) for x, m in zip(batch, targets, strict=True)]
show.images([(f"pair {k}", x) for k, x in enumerate(tinted)], height=2.8)

# %% [markdown]
# ## 6 · Three sets, three ways to split
#
# The course comes with three sets. `data.load` gives pairs of the kind that you have just made, for a **split**: the
# network learns from *train*, *validation* is for your choices, and you look at *test* one single time, at the end.

# %%
panels = []
for name in ("nuclei", "brain", "cells"):
    train, *others = (data.load(name, split) for split in ("train", "validation", "test"))
    counts = ", ".join(str(len(pairs)) for pairs in (train, *others))
    print(f"{name:>6}: {counts} pairs; classes {', '.join(train.classes)}")
    panels.append((name, train[len(train) // 2][0]))
for fraction in (0.02, 0.4):
    panels.append(
        (
            f"cells, {fraction:.0%} nucleus",
            data.load("cells", "train", foreground=fraction)[2][0],
        )
    )
show.images(panels, height=2.6)

# %% [markdown]
# - `nuclei` is one real picture. Its left half is for training, the next quarter for validation, the last for testing:
#   the *picture* was divided before tiles were cut, so no pixel is in two splits.
# - `brain` is one volume, cut into slices one millimetre apart. The splits are blocks of slices, and between two blocks
#   ten slices are left out.
# - `cells` is simulated: any number of pictures, with exact masks, and a dial for how much of them is nucleus. Each is
#   drawn separately, so no picture is in two splits.
#
# `print(data.load("brain", "test").card)` shows where a set comes from, its licence and its known flaws.
#
# Why leave ten good slices out? It is tempting to shuffle the slices and deal them out: the splits would all look
# alike. Let a model show what is wrong with that. It learns nothing. For each test slice it looks for the most similar
# *training* slice, and hands in the mask of that one.

# %%
from helpers.metrics import class_scores, confusion_table


def copycat(split_by):
    """For each test slice the most similar training slice: (their z, in mm), and the score of its mask, 0 to 1."""
    train, test = (
        data.load("brain", split, split_by=split_by) for split in ("train", "test")
    )
    known, asked = (
        torch.stack([image.flatten() for image, _ in pairs]) for pairs in (train, test)
    )
    source = torch.cdist(asked, known).argmin(dim=1).tolist()
    table = sum(confusion_table(train[s][1], test[k][1], 4) for k, s in enumerate(source))
    tissues = class_scores(table)["dice"][1:].mean().item()
    return [(z, train.slices[s]) for z, s in zip(test.slices, source, strict=True)], tissues


# %% [markdown]
# The score is the *Dice coefficient*, which you will write in the next lesson: 0 when nothing is right, 1 when all is.
#
# **Predict.** What does the copycat reach on slices dealt out at random, and what on blocks?

# %%
for split_by in ("random", "block"):
    neighbours, score = copycat(split_by)
    apart = sorted(abs(z - source) for z, source in neighbours)[len(neighbours) // 2]
    print(
        f"{split_by:>6}: score {score:.2f}; the slice it copies lies {apart} mm away (median)"
    )

# %% claim="Dealt out at random, a model that has learnt nothing looks good"
scores = {split_by: copycat(split_by)[1] for split_by in ("random", "block")}
claim(lambda leaking: leaking > 0.75, scores["random"], split_by_blocks=(scores["block"],))

# %% [markdown]
# Dealt out at random, a model that has learnt nothing looks good. That is a **leak**: almost
# the same slice, one millimetre away, was in the training set. Here is one such copy.

# %%
train, test = (data.load("brain", split, split_by="random") for split in ("train", "test"))
k = len(test) // 2
neighbours, _ = copycat("random")
source = train.slices.index(neighbours[k][1])
show.images(
    [
        (f"test slice, z = {neighbours[k][0]} mm", test[k][0]),
        (f"training slice, z = {neighbours[k][1]} mm", train[source][0]),
        ("its mask, handed in", train[source][1]),
        ("the truth", test[k][1]),
    ],
    height=2.8,
)

# %% [markdown]
# The drop from random to block has two causes, and only one is the leak: the test block is the crown of the head, which
# looks unlike the slices below it. To see the leak alone, copy masks from a fixed distance, all over the brain.

# %%
everything = [
    data.load("brain", split, split_by="random")
    for split in ("train", "validation", "test")
]
volume = {z: pairs[i][1] for pairs in everything for i, z in enumerate(pairs.slices)}
distances = torch.tensor([1, 2, 3, 4, 6, 8, 10, 14, 20])


def copied_from(distance):
    """Score of masks that are copied from the slice `distance` mm further up."""
    both = [(volume[z], volume[z + distance]) for z in volume if z + distance in volume]
    table = sum(confusion_table(mask, other, 4) for mask, other in both[::4])
    return class_scores(table)["dice"][1:].mean().item()


show.curves(
    distances,
    [("copied mask", torch.tensor([copied_from(d) for d in distances.tolist()]))],
    title="A mask copied from another slice",
    xlabel="distance between the slices (mm)",
    ylabel="score (Dice, mean of three tissues)",
)

# %% claim="The nearer the source, the higher the score"
copied = [copied_from(d) for d in distances.tolist()]
claim(
    lambda scores: scores == sorted(scores, reverse=True),
    copied,
    turned=(copied[::-1],),
)

# %% claim="they take most of the gift away"
claim(
    lambda near, ten, far: far < ten < (near + far) / 2,
    *(copied[0], copied[6], copied[-1]),
    two_millimetres=(copied[0], copied[1], copied[-1]),
)

# %% [markdown]
# The nearer the source, the higher the score, for no understanding at all. Ten millimetres do not make two slices
# strangers, but they take most of the gift away. With real patients there is a cleaner cut: all slices of one person go
# into *one* split. The rule behind both: **split first what belongs together, then cut.**
#
# ## Graded questions

# %% graded="slices-of-sixty-patients"
quiz("slices-of-sixty-patients")

# %% graded="a-mask-for-a-smaller-picture"
quiz("a-mask-for-a-smaller-picture")

# %% [markdown]
# ## Recap
#
# 1. From a file: uint8, channels last. For a network: float32, `(C, H, W)`, 0 to 1.
# 2. The numbers of a mask are names. Compare them, never mix them; 255 is *ignore*.
# 3. Semantic masks give a class to each pixel, instance masks a number to each object; panoptic ones do both.
# 4. What moves the picture moves the mask. Nothing raises an error when you forget.
# 5. Split what belongs together before you cut it into pieces, or the test measures memory.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Let the copycat take the mean of the *three* most similar slices' one-hot masks, and the highest channel of it. Does
#   it gain?
# - Tile `nuclei` yourself with a stride of 64 and deal the tiles out at random. Which fraction of the test pixels is also
#   in a training tile?
#
# **Sources** · Kirillov, A. et al. (2019), *Panoptic segmentation*, arXiv:1801.00868 · Fonov, V. et al. (2011),
# *Unbiased average age-appropriate atlases for pediatric studies*, NeuroImage 54, 313–327 (the brain) · Caicedo, J. C.
# et al. (2019), *Nucleus segmentation across imaging experiments*, Nature Methods 16, 1247–1253 (the nuclei) · Kapoor,
# S. and Narayanan, A. (2023), *Leakage and the reproducibility crisis in machine-learning-based science*, Patterns 4,
# 100804
