# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 05 · The encoder: from where to what
#
# **You will** shrink a picture so that a small kernel sees much of it, stack the steps to the left side of the U, train
# it for a moment, and measure in pixels what has been lost at the bottom.
#
# **Time** about 45 minutes · **You need** `DoubleConv` and the receptive field (lesson 04; where you have not written
# yours, this notebook takes the course's own and says so) · **You write** `max_pool2x2`, `Down`, `Encoder`

# %%
import torch
import torch.nn.functional as F
from torch import nn

from helpers import metrics

DoubleConv, receptive_field = earlier("DoubleConv", "receptive_field")

# %% [markdown]
# ## 1 · Two places that look alike
#
# Here are two patches of the micrograph, 5×5 pixels each: all that one value behind a `DoubleConv` sees. One lies in
# the middle of a nucleus, the other in the glow outside one. **Predict** which is which before you run the cell after
# it.

# %%
picture, labels = data.load("nuclei", "train", tile=None)[0]
places = {"A": (238, 55), "B": (425, 206)}  # row, column


def around(place, reach):
    row, column = place
    return picture[:, row - reach : row + reach + 1, column - reach : column + reach + 1]


show.images([(f"patch {name}", around(place, 2)) for name, place in places.items()])

# %%
show.images(
    [(f"{name}, 49×49 pixels", around(place, 24)) for name, place in places.items()]
)
for name, (row, column) in places.items():
    print(name, "is", "nucleus" if labels[row, column] else "background")

# %% [markdown]
# Nobody can tell from 25 pixels. From 49×49 you can, since you see what surrounds them. Enough 3×3 convolutions in a
# row would see as far:

# %%
for count in (2, 12, 24):
    print(f"{count:2} convolutions 3×3 see {receptive_field([(3, 1)] * count)} pixels")

# %% [markdown]
# Two dozen layers, each at full size, to look at one nucleus and its surroundings. Do what is done to get a large
# country onto one page: draw it at half the scale. There the same 3×3 covers twice as much.

# %% [markdown]
# ## 2 · Shrink the picture: pooling
#
# Lay windows of 2×2 pixels side by side, and keep one number of each. The U-Net keeps the largest: **max pooling**. If
# a map says how strongly something was found at each place, then the largest of four says whether it was found *in the
# window*.

# %%
quiz("pooling-a-step")

# %% [markdown] card="max_pool2x2"


# %% exercise="max_pool2x2"
def max_pool2x2(x):
    """The largest value of each 2×2 window: (N, C, H, W) -> (N, C, H // 2, W // 2).

    The last row or column of an odd side is in no window.
    """
    ### BEGIN SOLUTION
    n, c, h, w = x.shape
    h, w = h // 2, w // 2
    windows = x[:, :, : 2 * h, : 2 * w].reshape(n, c, h, 2, w, 2)
    return windows.amax(dim=(3, 5))
    ### END SOLUTION


# %% check="max_pool2x2"
check(max_pool2x2)

# %% [markdown]
# <details><summary>My result has the right shape and the wrong numbers</summary>
#
# A `reshape` cuts the numbers in the order in which they lie in memory, row after row. To `(…, H // 2, 2, W // 2, 2)`
# it keeps rows and columns apart; to `(…, H // 2, W // 2, 4)` it does not. Try it on a 2×4 map and print.
#
# </details>

# %% [markdown]
# ### Look
#
# Your pooling on the micrograph, four times. Then four maps, each with one bright pixel, and what becomes of them.

# %%
pool = use(max_pool2x2)
x = data.load("nuclei", "train", tile=128)[7][0][None]
maps = [x]
for _ in range(4):
    maps.append(pool(maps[-1]))
show.images([(f"{m.shape[3]} × {m.shape[2]}", m[0]) for m in maps], height=2.6)

# %%
one = torch.zeros(4, 1, 4, 4)
for k, (row, column) in enumerate([(0, 2), (0, 3), (1, 2), (1, 3)]):
    one[k, 0, row, column] = 1
pooled = pool(one)
show.images([(f"map {k}", one[k]) for k in range(4)], height=2)
show.images([(f"map {k}, pooled", pooled[k]) for k in range(4)], height=2)
print("all four pooled maps are equal:", bool((pooled == pooled[:1]).all()))

# %% [markdown]
# *That* there was something survives. *Where* in the window it was is gone: four places become one. After four
# poolings, 16×16 = 256 places have become one. A bright pixel that moves within its window changes nothing below, which
# is good for telling *what* there is. It has a price, which you will measure in section 5.

# %% [markdown]
# ## 3 · One step down
#
# With sides half as long, a quarter of the places is left. The U-Net spends part of what that frees on *channels*: it
# doubles them at each step. Fewer places, and more to say about each: not only "edge" and "blur", but "rim of a
# nucleus".

# %%
quiz("values-after-down")

# %% [markdown] card="Down"


# %% exercise="Down"
class Down(nn.Module):
    """2×2 max pooling, then a DoubleConv.

    (N, in_channels, H, W) -> (N, out_channels, H // 2, W // 2).
    """

    def __init__(self, in_channels, out_channels):
        super().__init__()
        ### BEGIN SOLUTION
        self.pool = nn.MaxPool2d(2)
        self.conv = DoubleConv(in_channels, out_channels)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.conv(self.pool(x))
        ### END SOLUTION


# %% check="Down"
check(Down)

# %% [markdown]
# <details><summary>May I use my own pooling?</summary>
#
# Yes, and `nn.MaxPool2d(2)` too: you have written it once, so you know what it does. It has nothing to learn.
#
# </details>

# %% [markdown]
# ### Look
#
# A `DoubleConv` at full size, and your `Down` after it, untrained. How far does a value see now? The `receptive_field`
# of lesson 04 knows.

# %%
torch.manual_seed(0)
first, step = DoubleConv(1, 4), use(Down)(4, 8)
with torch.no_grad():
    wide = first(x)
    deep = step(wide)
print(f"{tuple(x.shape)} -> {tuple(wide.shape)} -> {tuple(deep.shape)}")
level = [(3, 1), (3, 1)]
sees = receptive_field(level), receptive_field([*level, (2, 2), *level])
print("a value sees {} pixels, then {}".format(*sees))
shown = [("full size, channel 0", wide[0, 0])]
shown += [(f"down, channel {k}", deep[0, k]) for k in range(4)]
show.images(shown, height=2.6)

# %% [markdown]
# ## 4 · The left side of the U
#
# One `DoubleConv` at full size, then one `Down` after another. What comes out at the end is the **bottleneck**. The
# maps of the levels above it are worth keeping: your encoder returns them too, as a list. They are called *skips*, and
# lesson 07 says why.

# %% [markdown] card="Encoder"


# %% exercise="Encoder"
class Encoder(nn.Module):
    """The left side of the U: (N, in_channels, H, W) -> (bottleneck, skips).

    Level k is (N, base_channels * 2**k, H // 2**k, W // 2**k). The bottleneck is level
    `depth`; skips is the list of the levels above it, from shallow (level 0) to deep.
    """

    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        ### BEGIN SOLUTION
        self.first = DoubleConv(in_channels, base_channels)
        channels = [base_channels * 2**k for k in range(depth + 1)]
        self.downs = nn.ModuleList(Down(channels[k], channels[k + 1]) for k in range(depth))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        levels = [self.first(x)]
        for down in self.downs:
            levels.append(down(levels[-1]))
        return levels[-1], levels[:-1]
        ### END SOLUTION


# %% check="Encoder"
check(Encoder)

# %% [markdown]
# <details><summary>Expected 16 channels, got 32?</summary>
#
# Print the channels of every step before you build it. The step from level k to level k + 1 *receives* what level k
# has, `base_channels * 2**k`, and makes twice as many.
#
# </details>
#
# <details><summary>The second call returns more skips than the first</summary>
#
# Then the list lives in the module and keeps growing. Begin an empty one in each `forward`.
#
# </details>

# %% [markdown]
# ### Look
#
# Let the graph run your encoder on the micrograph. It draws what executed, with your own shapes and parameters, and
# unlocks it for good. Select a part to see what it is for and its maps of the micrograph; below, select a pixel of the
# output, the bottleneck, and see how much of the picture moves it.

# %%
torch.manual_seed(0)
encoder = use(Encoder)(1, base_channels=8, depth=4)
graph = ArchitectureGraph()
graph.forward(encoder, x)

# %% [markdown]
# **Predict** from the picture: which level has most of the weights, and which costs most work? A weight is used once at
# every place of its level.

# %%
print("level       shape        sees    values   weights   multiplications")
for node in (n for n in graph.trace.nodes if n.kind == "block"):
    _, channels, height, width = node.shape_out
    values, work = channels * height * width, node.parameters * height * width
    shape, sees = f"{channels} × {height} × {width}", node.receptive_field[0]
    print(
        f"{node.level:5} {shape:>14} {sees:7} {values:9,} {node.parameters:9,} {work:17,}"
    )

# %% claim="from level 1 on every step costs about the same work"
blocks = [n for n in graph.trace.nodes if n.kind == "block"]
places = [n.shape_out[2] * n.shape_out[3] for n in blocks]
works = [n.parameters * place for n, place in zip(blocks, places, strict=True)]
claim(lambda *works: max(works) < 1.2 * min(works), *works[1:], from_level_0_on=works)

# %% claim="Three quarters of the weights sit at the bottom, and half of the memory"
sizes = (
    [n.parameters for n in blocks],
    [n.shape_out[1] * p for n, p in zip(blocks, places, strict=True)],
)
at = [[size[k] / sum(size) for size in sizes] for k in (-1, 0)]
claim(
    lambda weights, values: abs(weights - 0.75) < 0.05 and abs(values - 0.5) < 0.05,
    *(at[0][0], at[1][1]),
    top_and_bottom_swapped=(at[1][0], at[0][1]),
)

# %% [markdown]
# Each step down has a quarter of the places and about four times the weights, so from level 1 on every step costs about
# the same work. Three quarters of the weights sit at the bottom, and half of the memory (the values) at the top: when a
# GPU runs out of memory, it is the first level that fills it.

# %% [markdown]
# ## 5 · What it learns, and what it loses
#
# Train the encoder for a few seconds. It has no decoder yet; so put a 1×1 convolution on *each* level that answers, for
# each of its cells: which fraction of it is nucleus? The loop is that of lesson 03. New is only that five answers are
# asked at once, and their losses added.


# %%
class Readers(nn.Module):
    """An encoder with a question at every level: the logits of each."""

    def __init__(self, encoder, channels):
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleList(nn.Conv2d(c, 1, 1) for c in channels)

    def forward(self, x):
        bottleneck, skips = self.encoder(x)
        return [head(m) for head, m in zip(self.heads, [*skips, bottleneck], strict=True)]


tiles = data.load("nuclei", "train", tile=64, stride=32)
loader = torch.utils.data.DataLoader(tiles, batch_size=8, shuffle=True)
torch.manual_seed(0)
readers = Readers(use(Encoder)(1, base_channels=8, depth=4), [8, 16, 32, 64, 128])
optimizer = torch.optim.Adam(readers.parameters(), lr=3e-3)
for _ in range(10):
    for images, masks in loader:
        fraction = masks[:, None].float()
        loss = 0
        for k, logits in enumerate(readers(images)):
            part = F.avg_pool2d(fraction, 2**k)
            loss = loss + F.binary_cross_entropy_with_logits(logits, part)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print(f"loss of the last batch, mean of the levels: {loss.item() / 5:.3f}")

# %%
graph.forward(readers.eval().encoder, x)
graph.select("encoder 2")

# %%
graph.select("bottleneck")

# %% claim="some channels have come to stand for nuclei, others for their rims"
drawn = (data.load("nuclei", "train", tile=128)[7][1] > 0)[None, None].float()
grown, shrunk = F.max_pool2d(drawn, 5, 1, 2), 1 - F.max_pool2d(1 - drawn, 5, 1, 2)


def likest(encoder):
    """How well the best channel of level 2 goes with the nuclei, and the best with their rims."""
    with torch.no_grad():
        maps = encoder(x)[1][2][0].flatten(1)
    found = []
    for kind in (drawn, grown - shrunk):
        rows = torch.cat([F.avg_pool2d(kind, 4).flatten()[None], maps])
        found.append(torch.corrcoef(rows)[0, 1:].nan_to_num().abs().max().item())
    return found


fresh = use(Encoder)(1, base_channels=8, depth=4).train()
claim(
    lambda nuclei, rims: nuclei > 0.75 and rims > 0.5,
    *likest(readers.encoder),
    untrained=likest(fresh),
)

# %% claim="In the bottleneck a nucleus is one or two cells wide"
numbers = data.load("nuclei", "test", tile=None).instances[0]
sides = [(numbers == n).any(d).sum() / 16 for n in numbers.unique()[1:] for d in (0, 1)]
width = torch.stack(sides).median().item()
claim(lambda cells: 1 <= cells <= 2, width, in_cells_of_level_2=(4 * width,))

# %% [markdown]
# These are no longer random mixtures. In *encoder 2*, above, some channels have come to stand for nuclei, others for
# their rims. In the
# bottleneck a nucleus is one or two cells wide. Now ask every level on the test columns, which it has not seen:
# does it know *what* (the overlap on its own grid), and *where* (the distance of the borders, in pixels)?

# %%
image, mask = data.load("nuclei", "test", tile=None)[0]
truth = mask > 0
with torch.no_grad():
    answers = readers(image[None])

piece, panels = (slice(128, 256), slice(0, 128)), []
print("level   one cell   what: IoU of cells   where: border off by")
for k, logits in enumerate(answers):
    cells = logits[0, 0] > 0
    true_cells = F.avg_pool2d(truth[None].float(), 2**k)[0] > 0.5
    overlap = (cells & true_cells).sum() / (cells | true_cells).sum()
    drawn = cells.repeat_interleave(2**k, 0).repeat_interleave(2**k, 1)
    off = metrics.boundary_error(drawn, truth)
    print(f"{k:5} {2**k:7} px {overlap:20.2f} {off:20.1f} px")
    panels.append((f"level {k}", drawn[piece], truth[piece]))
show.overlap(panels[::2], image[0][piece])

# %% claim="On the way down the *what* improves at first"
what, where = [], []
for k, logits in enumerate(answers):
    cells, true_cells = logits[0, 0] > 0, F.avg_pool2d(truth[None].float(), 2**k)[0] > 0.5
    what.append(((cells & true_cells).sum() / (cells | true_cells).sum()).item())
    drawn = cells.repeat_interleave(2**k, 0).repeat_interleave(2**k, 1)
    where.append(metrics.boundary_error(drawn, truth))
claim(lambda top, second: second > top, *what[:2], swapped=what[1::-1])

# %% claim="The *where* gets worse from level 1 on, and quickly"
claim(
    lambda *where: list(where) == sorted(where) and where[-1] > 3 * where[0],
    *where[1:],
    turned=where[:0:-1],
)

# %% claim="even \"mostly nucleus?\" becomes harder to answer"
claim(
    lambda bottom, best: bottom < best - 0.03,
    what[-1],
    max(what),
    swapped=(max(what), what[-1]),
)

# %% claim="the top level, with its 5×5 pixels, falls for the glow"
false = [
    (a[0, 0] > 0).repeat_interleave(2**k, 0).repeat_interleave(2**k, 1) & ~truth
    for k, a in enumerate(answers[:2])
]
light = [image[0][m].mean() for m in (false[0], ~truth)]
counts = [m.sum() for m in false]
claim(
    lambda glow, background, top, second: glow > 2 * background and top > second,
    *(*light, *counts),
    levels_swapped=(*light, *counts[::-1]),
)

# %% [markdown]
# On the way down the *what* improves at first, since every level sees more: the top level, with its 5×5 pixels, falls
# for the glow. The *where* gets worse from level 1 on, and quickly. At the bottom one cell is 16 pixels wide, two
# thirds of a nucleus, and even "mostly nucleus?" becomes harder to answer.
#
# But is the place lost, or only not drawn? A cell has 128 channels. Two of them could say where in the cell something
# is. So measure it: put one small spot on the micrograph, somewhere, and let a linear read-out (a weighted sum, its
# weights found by least squares as in lesson 04) of *all* channels of its cell tell the place to a fraction of a pixel.


# %% folded="Tiles with one bright spot each"
def spots(split, count, seed, side=64):
    """Tiles with one bright spot each, (N, 1, side, side), and its place (N, 2)."""
    whole = data.load("nuclei", split, tile=None)[0][0]
    generator = torch.Generator().manual_seed(seed)
    room = torch.tensor(whole.shape[1:]) - side
    corners = (torch.rand(count, 2, generator=generator) * room).long()
    place = side / 4 + side / 2 * torch.rand(count, 2, generator=generator)
    centre, found = torch.arange(side) + 0.5, []
    for (top, left), (row, column) in zip(corners.tolist(), place.tolist(), strict=True):
        square = (centre[:, None] - row) ** 2 + (centre - column) ** 2
        spot = 0.5 * torch.exp(-square / (2 * 1.5**2))
        found.append(whole[:, top : top + side, left : left + side] + spot)
    return torch.stack(found), place


known, unknown = spots("train", 1500, seed=0), spots("test", 400, seed=1)
show.images([(f"a spot, tile {k}", unknown[0][k]) for k in range(4)], height=2.6)


# %% folded="Read a place out of the channels of one cell"
def read_out(maps, place, k):
    """The channels of the spot's cell, and the spot's way from its centre."""
    cell = (place // 2**k).long()
    channels = maps[torch.arange(len(place)), :, cell[:, 0], cell[:, 1]]
    constant = torch.ones(len(place), 1)
    return torch.cat([channels, constant], dim=1).double(), (
        place - (cell + 0.5) * 2**k
    ).double()


@torch.no_grad()
def cells_of(encoder, pictures, place):
    """What `read_out` gives at each level; a hundred tiles at a time, to save memory."""
    parts = []
    for some, there in zip(pictures.split(100), place.split(100), strict=True):
        deep, skips = encoder(some)
        parts.append([read_out(m, there, k) for k, m in enumerate([*skips, deep])])
    return [
        [torch.cat(x) for x in zip(*level, strict=True)]
        for level in zip(*parts, strict=True)
    ]


# %% folded="The error of the read-out at each level"
def off_by(encoder):
    """Mean error at each level: of a linear read-out, and of naming the centre."""
    encoder.eval()
    errors = []
    for seen, new in zip(
        cells_of(encoder, *known), cells_of(encoder, *unknown), strict=True
    ):
        weights = torch.linalg.lstsq(*seen, driver="gelsd").solution
        channels, way = new
        guess = way.norm(dim=1).mean()
        errors.append([(channels @ weights - way).norm(dim=1).mean(), guess])
    return torch.tensor(errors).T


# %% [markdown]
# **Predict.** The bottleneck's cell is 16 pixels wide. Somebody who names its centre every time is off by six pixels on
# average. How far off is the read-out of 128 channels?

# %%
torch.manual_seed(0)
untrained = use(Encoder)(1, base_channels=8, depth=4)
with torch.no_grad():
    for some in known[0].split(50):
        untrained.train()(some)  # sets the running averages of the batch norm, no weights
by_chance, guess = off_by(untrained)
learned, _ = off_by(readers.encoder)
show.curves(
    torch.arange(5),
    [("the cell's centre", guess), ("untrained", by_chance), ("trained", learned)],
    title="Where is the spot?",
    xlabel="level",
    ylabel="error of the read-out (pixels, log scale)",
    log=True,
)
for name, errors in {"centre": guess, "untrained": by_chance, "trained": learned}.items():
    print(f"{name:>10}: " + ", ".join(f"{e:.2f}" for e in errors) + " pixels")

# %% claim="At full size the read-out is a fraction of a pixel off, at the bottom several pixels"
ends = learned[[0, -1]].tolist()
claim(lambda top, bottom: top < 1 and bottom > 2, *ends, turned=ends[::-1])

# %% claim="from level 1 on every level is worse than the one above"
claim(
    lambda *off: list(off) == sorted(off),
    *learned[1:].tolist(),
    turned=learned[1:].flip(0).tolist(),
)

# %% claim="Random channels still carry part of the place"
claim(
    lambda random, centre: random < centre,
    by_chance[-1],
    guess[-1],
    swapped=(guess[-1], by_chance[-1]),
)

# %% claim="The trained encoder carries less"
claim(
    lambda trained, random: trained > random,
    learned[-1],
    by_chance[-1],
    swapped=(by_chance[-1], learned[-1]),
)

# %% [markdown]
# At full size the read-out is a fraction of a pixel off, at the bottom several pixels, and from level 1 on every level
# is worse than the one above. Compare the two encoders at the bottom. Random channels still carry part of the place, by
# accident. The trained encoder carries less: it was asked what, and a channel spent on where would have won it nothing.
# Pooling lets the place go, and training has no reason to hold on to it.
#
# Two caveats. This was one training run; with other seeds the numbers move, so repeat it before you rely on the gap
# between the two encoders. And a linear read-out finds only what lies open: a decoder with more layers may read more.
#
# Such a place is enough to draw a large blob, and not a thin line. So whoever draws from the bottleneck alone loses
# what is thin. What that costs depends on what is drawn. Lesson 06 draws nuclei, which are blobs, and then a ribbon.
#
# ## Graded questions
#
# The answers to these are graded with your exercises. You may change them until you hand in.

# %% graded="values-in-the-bottleneck"
quiz("values-in-the-bottleneck")

# %% graded="what-the-bottleneck-lost"
quiz("what-the-bottleneck-lost")

# %% [markdown]
# ## Recap
#
# 1. To tell a dim nucleus from glow, a value has to see its surroundings. Halving the picture makes the field grow fast.
# 2. Max pooling keeps that something is there, and forgets where in the window.
# 3. Each level has sides half as long and twice the channels: half the values, four times the weights, about equal work.
# 4. `Encoder` returns the bottleneck and the levels above it, the skips.
# 5. Going down, the *what* gains at first, and the *where* is lost: from a fraction of a pixel to several.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Replace the max pooling by `nn.AvgPool2d(2)` or by a convolution with stride 2 (Springenberg et al. 2014), and
#   measure the read-out again.
# - Let the read-out see the 3×3 cells around the spot. How much of the place comes back, and why?
#
# **Sources** · Ronneberger, O., Fischer, P. and Brox, T. (2015), *U-Net: convolutional networks for biomedical image
# segmentation*, arXiv:1505.04597 · Simonyan, K. and Zisserman, A. (2014), *Very deep convolutional networks*,
# arXiv:1409.1556 (channels doubled where the sides are halved) · Springenberg, J. T. et al. (2014), *Striving for
# simplicity: the all convolutional net*, arXiv:1412.6806 · Alain, G. and Bengio, Y. (2016), *Understanding
# intermediate layers using linear classifier probes*, arXiv:1610.01644 (read-outs)
