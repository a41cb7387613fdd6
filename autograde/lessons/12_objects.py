# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 12 · Objects and evidence: how many, how exact, and which is better?
#
# **You will** tell touching nuclei apart, count them, score objects and borders instead of pixels, look at what fails,
# let a network learn where objects end, and find out whether one method really beats another.
#
# **Time** about 40 minutes (a good place to stop is after part 4) · **You need** a U-Net (lesson 07), Dice (lesson 02),
# validation and test (lesson 09) · **You write** `split_instances` and `match_instances`

# %%
import torch
import torch.nn.functional as F

from helpers.data import files
from helpers.share import load_shared
from helpers.training import fit

UNet, dice = earlier("UNet", "dice")

# %% [markdown]
# Pieces of earlier lessons are your own where they pass their checks. If you skipped those lessons, you can start here
# with the course's.
#
# The network is that of lesson 00: a small U-Net, trained on the left half of the micrograph. On the *validation*
# columns beside it you may choose, on the *test* columns at the right you may not.

# %%
model = load_shared(files.root() / "models" / "nuclei.unet.zip").eval()


def predicted(split):
    """A split in one piece: image (1, H, W), probability (H, W), and for each pixel its nucleus (H, W)."""
    pairs = data.load("nuclei", split, tile=None)
    image = pairs[0][0]
    with torch.no_grad():
        probability = model(image[None])[0, 0].sigmoid()
    return image, probability, pairs.instances[0]


image, probability, labels = predicted("test")
print(f"Dice on the test columns: {dice(probability > 0.5, labels > 0):.3f}")

# %% [markdown]
# By Dice this is a good mask. A biologist asks another question.
#
# ## 1 · How many?
#
# *How many nuclei are there?* Number the connected pieces of the mask and count them.

# %%
from scipy.ndimage import label as number_pieces

pieces = torch.from_numpy(number_pieces((probability > 0.5).numpy())[0])
nuclei = labels.unique()[1:]  # 0 is the background
print(f"pieces: {pieces.max()}, nuclei: {len(nuclei)}")

# %% [markdown]
# The count is right! Now ask each nucleus in which piece most of it lies.

# %%
home = torch.stack([pieces[labels == k].mode().values for k in nuclei])
held = torch.bincount(home, minlength=pieces.max() + 1)  # nuclei of each piece; 0: of none
print(f"nuclei in no piece: {held[0]}")
for n in range(held[1:].max() + 1):
    print(f"pieces that hold {n} nuclei: {(held[1:] == n).sum()}")

# %% claim="The count is right by luck"
claim(
    lambda found, there, held: found == there and held[0] > 0 and held[1:].max() > 1,
    *(pieces.max(), len(nuclei), held),
    each_piece_one_nucleus=(30, 30, torch.tensor([0] + 30 * [1])),
)

# %% claim="A few pixels at a side of the strip count as a nucleus"
kinds = {"none": [], "some": []}  # pixels of each piece, and how many are at a side
for k in range(1, len(held)):
    piece = pieces == k
    outside = int(piece[:, :2].sum() + piece[:, -2:].sum())
    kinds["some" if held[k] else "none"].append((int(piece.sum()), outside))
claim(
    lambda pieces: all(size < 40 and outside for size, outside in pieces),
    kinds["none"],
    the_other_pieces=(kinds["some"],),
)

# %% [markdown]
# The count is right by luck: mistakes of opposite kinds cancel. Where two nuclei touch, their masks run together, and
# the pair counts as one. A few pixels at a side of the strip count as a nucleus. Here is the top of the strip, with two
# pairs that touch, and specks at its sides:

# %%
rows = slice(0, 128)
show.images(
    [
        ("micrograph", image[:, rows]),
        ("pieces of the mask", pieces[rows]),
        ("truth", labels[rows]),
    ]
)

# %%
quiz("good-dice-bad-count")

# %% [markdown]
# ## 2 · Tell apart what touches
#
# To part two nuclei that touch, look at the shape. For each pixel of the mask, take the *distance to the background*.
# It rises to a summit in the middle of each nucleus, and has a saddle at the waist between two. Turn this landscape
# upside down, put a spring into each basin, and let the water rise. Where two floods meet is the border. That is the
# *watershed* (Beucher and Lantuéjoul 1979). The numbered pixels where water comes in are its *markers*.
#
# `distance_transform_edt(mask)` gives the distances, and `peak_local_max(distance, min_distance=5)` the rows and
# columns of the summits. `watershed(-distance, markers, mask=mask)` lets the water rise.

# %%
from scipy.ndimage import distance_transform_edt
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

distance = distance_transform_edt((probability > 0.5).numpy())
show.images(
    [
        ("mask", (probability > 0.5)[rows]),
        ("distance to the background, pixels", torch.from_numpy(distance).float()[rows]),
    ]
)

# %% [markdown] card="split_instances"


# %% exercise="split_instances"
def split_instances(probability, threshold=0.5, min_distance=5):
    """Objects of a probability map, touching ones apart.

    probability: float tensor (H, W). What is above threshold belongs to an object.
    min_distance: summits closer than this, in pixels, belong to one object.
    Returns an int64 tensor (H, W): 0 for background, then 1 to n.
    """
    ### BEGIN SOLUTION
    mask = (probability > threshold).numpy()
    distance = distance_transform_edt(mask)
    summits = peak_local_max(
        distance,
        min_distance=min_distance,
        labels=number_pieces(mask)[0],  # every piece keeps a summit of its own
        exclude_border=False,
    )
    markers = torch.zeros(mask.shape, dtype=torch.int64)
    markers[tuple(summits.T)] = torch.arange(1, len(summits) + 1)
    return torch.from_numpy(watershed(-distance, markers.numpy(), mask=mask)).long()
    ### END SOLUTION


# %% check="split_instances"
check(split_instances)

# %% [markdown]
# <details><summary>Some nuclei are missing</summary>
#
# A piece without a marker is never flooded. `peak_local_max` leaves out summits near the image's border unless you say
# `exclude_border=False`, and drops one of two summits that are close, even in two separate pieces, unless you give it
# the pieces as `labels`.
#
# </details>
#
# <details><summary>numpy or torch?</summary>
#
# scipy and skimage take and give numpy arrays. `tensor.numpy()` goes there, `torch.from_numpy(array)` comes back.
#
# </details>
#
# ### Look
#
# Your `split_instances`, with three values of `min_distance`, on the same piece.

# %%
split = use(split_instances)
shown = {d: split(probability, min_distance=d) for d in (2, 5, 15)}
show.images([(f"min_distance={d}", objects[rows]) for d, objects in shown.items()])
for d, objects in shown.items():
    print(f"min_distance={d}: {objects.max()} objects, {len(nuclei)} nuclei")

# %% claim="Too small a distance cuts nuclei into pieces"
claim(
    lambda small, middle, large, there: small > middle > large and small > 1.1 * there,
    *(*(objects.max() for objects in shown.values()), len(nuclei)),
    distances_swapped=(
        *(objects.max() for objects in reversed(shown.values())),
        len(nuclei),
    ),
)

# %% claim="too large a one leaves pairs together"
most = [
    max(torch.bincount(torch.stack([o[labels == k].mode().values for k in nuclei]))[1:])
    for o in shown.values()
]
claim(
    lambda small, large: small < 2 <= large, most[0], most[-1], swapped=(most[-1], most[0])
)

# %% [markdown]
# A wavy border has many small summits. Too small a distance cuts nuclei into pieces; too large a one leaves
# pairs together. No one distance has to be right for all nuclei. To choose, you need a score that counts *objects*,
# and the count alone is not enough.
#
# ## 3 · Count pairs
#
# Pair each predicted object with a true one. They may be a pair when their IoU is at least 0.5, and no object is in two
# pairs. *Precision* is the fraction of the predicted objects that are in a pair, *recall* that of the true ones. *F1*
# is twice the number of pairs over the number of all objects, predicted and true. The 2018 Data Science Bowl, from
# which this micrograph comes, counted such pairs at thresholds from 0.5 to 0.95, and averaged its score over the
# thresholds (Caicedo et al. 2019).

# %% [markdown] card="match_instances"


# %% exercise="match_instances"
def match_instances(pred, target, threshold=0.5):
    """Objects found, by one-to-one matching.

    pred, target: int64 (H, W), 0 for background, any other number is one object.
    Returns {"precision", "recall", "f1"}; all 1.0 when both are empty, 0.0 when only one is.
    """
    ### BEGIN SOLUTION
    from scipy.optimize import linear_sum_assignment

    mine, theirs = (x.unique()[x.unique() != 0] for x in (pred, target))
    if len(mine) == 0 or len(theirs) == 0:
        return dict.fromkeys(("precision", "recall", "f1"), float(len(mine) == len(theirs)))
    possible = torch.zeros(len(mine), len(theirs))
    for i, a in enumerate(mine):
        for j, b in enumerate(theirs):
            both = ((pred == a) & (target == b)).sum().item()
            either = ((pred == a) | (target == b)).sum().item()
            possible[i, j] = both / either >= threshold
    rows, columns = linear_sum_assignment(possible.numpy(), maximize=True)
    pairs = possible[rows, columns].sum().item()
    return {
        "precision": pairs / len(mine),
        "recall": pairs / len(theirs),
        "f1": 2 * pairs / (len(mine) + len(theirs)),
    }
    ### END SOLUTION


# %% check="match_instances"
check(match_instances)

# %% [markdown]
# <details><summary>One object in several pairs?</summary>
#
# Above 0.5 it cannot happen: an object that makes up more than half of a union leaves too little for a second one. At
# exactly 0.5 it can: two halves of a nucleus each have an IoU of 0.5 with it. (Panoptic quality asks for more than 0.5
# for that reason: Kirillov et al. 2019.) Take the best pair first and strike out its row and its column, or let
# `scipy.optimize.linear_sum_assignment` find as many pairs as there can be.
#
# </details>
#
# ### Look
#
# Choose `min_distance` on validation. Then, once, score on test: the pieces of the mask, and your objects. (You have
# looked at the test columns before, but chosen nothing there.)

# %%
match = use(match_instances)
_, p, true = predicted("validation")
distances = list(range(1, 16, 2))
f1 = torch.tensor([match(split(p, min_distance=d), true)["f1"] for d in distances])
far = distances[f1.argmax()]
show.curves(
    torch.tensor(distances),
    [("F1 on validation", f1)],
    title="How far apart summits have to be",
    xlabel="min_distance (pixels)",
    ylabel="F1 at IoU 0.5",
)
objects = split(probability, min_distance=far)
scored = {"pieces": pieces, f"split, min_distance={far}": objects}
for name, found in scored.items():
    scores = match(found, labels)
    print(f"{name:>22}: {found.max()} of {len(nuclei)}, F1 {scores['f1']:.3f}")

# %% claim="The count of the pieces is right and its F1 is not perfect"
claim(
    lambda count, f1, there: count == there and f1 < 0.95,
    *(pieces.max(), match(pieces, labels)["f1"], len(nuclei)),
    the_truth_itself=(len(nuclei), match(labels, labels)["f1"], len(nuclei)),
)

# %% claim="the smallest distance is bad and large ones are about equal"
claim(
    lambda f1: f1[0] < f1.max() - 0.15 and f1[-4:].min() > f1.max() - 0.1,
    f1,
    distances_reversed=(f1.flip(0),),
)

# %% claim="The gain over the pieces is small"
f1_of = [match(found, labels)["f1"] for found in (pieces, objects, labels)]
claim(
    lambda pieces, split: split < pieces + 0.1,
    *f1_of[:2],
    the_truth_itself=(f1_of[0], f1_of[2]),
)

# %% [markdown]
# The count of the pieces is right and its F1 is not perfect. On this curve the smallest distance is bad and large ones
# are about equal. So the exact choice matters little here, and on one strip with some thirty nuclei the best one is
# partly luck. The gain over the pieces is small: a distance that parts one pair cuts other nuclei, or leaves another
# pair joined.
#
# F1 asks whether an object was found, and not how well it was drawn. *Panoptic quality* asks both (Kirillov et al.
# 2019). It is the sum of the IoUs of all pairs over half the number of all objects, predicted and true. That is a
# product: F1 (here called *recognition quality*) times the mean IoU of the pairs (*segmentation quality*). A pair needs
# an IoU above 0.5, so an object has at most one partner and nothing has to be assigned.


# %%
def panoptic_quality(pred, target):
    """Panoptic quality, and its factors: F1 and the mean IoU of the pairs."""
    mine, theirs = pred.unique()[1:], target.unique()[1:]
    ious = []
    for k in theirs:
        for j in pred[target == k].unique():
            both, either = (pred == j) & (target == k), (pred == j) | (target == k)
            ious.append(both.sum() / either.sum() if j > 0 else 0)
    pairs = [iou for iou in ious if iou > 0.5]
    f1 = 2 * len(pairs) / (len(mine) + len(theirs))
    return f1 * sum(pairs) / len(pairs), f1, sum(pairs) / len(pairs)


for name, found in scored.items():
    pq, f1, quality = panoptic_quality(found, labels)
    print(f"{name:>22}: PQ {pq:.3f} = F1 {f1:.3f} × mean IoU {quality:.3f}")

# %% [markdown]
# ## 4 · Look at what fails
#
# A score does not say *what* went wrong. So look. For each true nucleus of the test columns take the object that
# overlaps it most, and list the six that fit worst.

# %%
fits = []
for k in nuclei:
    nucleus = labels == k
    inside = objects[nucleus]
    inside = inside[inside > 0]  # the background is no object
    partner = objects == inside.mode().values if len(inside) else torch.zeros_like(nucleus)
    overlap = (nucleus & partner).sum() / (nucleus | partner).sum()
    fits.append((overlap.item(), nucleus, partner))
worst = sorted(fits, key=lambda fit: fit[0])[:6]

cut = []
for overlap, nucleus, _ in worst:
    cut.append(bool(nucleus[:, :3].any() or nucleus[:, -3:].any()))
    print(f"IoU {overlap:.2f}: {nucleus.sum():3} pixels,", end=" ")
    print(f"brightness {image[0][nucleus].mean():.2f},", end=" ")
    print("cut by a side of the strip" if cut[-1] else "whole")
print(f"brightness of all nuclei: {image[0][labels > 0].mean():.2f}")

# %%
for overlap, nucleus, partner in worst[:4]:
    y, x = (int(place.float().mean()) for place in nucleus.nonzero(as_tuple=True))
    y, x = min(max(y - 24, 0), 512 - 48), min(max(x - 24, 0), 128 - 48)
    here = (slice(y, y + 48), slice(x, x + 48))
    panels = [(f"IoU {overlap:.2f}", image[0][here]), ("true nucleus", nucleus[here])]
    show.images([*panels, ("its object", partner[here])], height=2.0)

# %% [markdown]
# Read the list before you blame the network. How many of them are *cut*? A nucleus that lies across the border between
# two splits shows only a few columns of itself on this side, and nobody could draw that sliver well. There it is not
# the network that fails but the way we test. Leave out what lies at a side, in prediction and truth, and score again.
# (A pair of which only one reaches the side still counts as a mistake.)

# %%
from skimage.segmentation import clear_border

inner_objects, inner_labels = (
    torch.from_numpy(clear_border(x.numpy(), buffer_size=2)) for x in (objects, labels)
)
inner = match(inner_objects, inner_labels)["f1"]
print(f"F1 with the cut ones:    {match(objects, labels)['f1']:.3f}")
print(f"F1 without the cut ones: {inner:.3f}")

# %% claim="There it is not the network that fails but the way we test"
claim(
    lambda cut, every, inner: sum(cut) >= 3 and inner > every,
    *(cut, match(objects, labels)["f1"], inner),
    scores_swapped=(cut, inner, match(objects, labels)["f1"]),
)

# %% [markdown]
# What remains is the network's fault, or the watershed's. Is a nucleus dim, beside a brighter one, joined to a
# neighbour, halved? Each answer asks for another remedy: more dim nuclei in training, another `min_distance`. A table
# of scores tells you none of this.

# %% [markdown]
# ## 5 · Learn where objects end
#
# Markers from the distance suit round shapes best. But the picture shows more than the mask does: often a dark line
# between two nuclei. A network can learn to see it, if its *target* says where objects end. Give it three classes:
# background, *rim* (what lies near the nucleus's own border) and *core*. Even where two nuclei touch, a rim lies
# between their cores. So each core is a marker, and the watershed grows it back through the rims. The best entries of
# the 2018 Data Science Bowl learned such a border class (Caicedo et al. 2019).
#
# One micrograph has few touching pairs, so take simulated ones, crowded on purpose:

# %%
from skimage.segmentation import find_boundaries

crowded = {
    split: data.load("cells", split, count=count, size=128, foreground=0.5)
    for split, count in (("train", 32), ("validation", 8), ("test", 32))
}


def three_classes(labels, width=2):
    """Class of each pixel (H, W): 0 background, 1 rim, 2 core, farther than `width` from its own border."""
    border = find_boundaries(labels.numpy(), mode="inner")
    core = torch.from_numpy(distance_transform_edt(~border)) > width
    return (labels > 0) * (1 + core.long())


def with_cores(pairs):
    """The pairs of a set, with these classes as masks."""
    return [(pairs[k][0], three_classes(pairs.instances[k])) for k in range(len(pairs))]


fitted = {split: with_cores(crowded[split]) for split in ("train", "validation")}
torch.manual_seed(0)
core_model = UNet(1, 3, base_channels=8, depth=3)
history = fit(core_model, **fitted, loss=F.cross_entropy, epochs=16, crop=64)
print(f"{history.steps} steps in {history.seconds:.0f} s")

# %% [markdown]
# The same network gives both methods their mask: whatever is not background. So they differ in where the markers come
# from, and in the landscape that is flooded. *Shape* is your `split_instances`, with a `min_distance` chosen on
# validation; *learned* takes the cores.


# %% folded="Objects from learned cores, and the F1 of each image"
@torch.no_grad()
def classes(image):
    """Probability of background, rim and core (3, H, W)."""
    return core_model.eval()(image[None])[0].softmax(dim=0)


def learned(p):
    """Objects grown from the cores, within the mask."""
    markers = number_pieces((p[2] > 0.5).numpy())[0]
    return torch.from_numpy(watershed(-p[2].numpy(), markers, mask=(p[0] < 0.5).numpy()))


def f1_of_each(pairs, method, threshold=0.75):
    """F1 of each image of a set: at an IoU of 0.75, borders between touching nuclei count."""
    seen = [(method(classes(pairs[k][0])), pairs.instances[k]) for k in range(len(pairs))]
    return torch.tensor([match(found, labels, threshold)["f1"] for found, labels in seen])


# %%
apart = range(3, 12, 2)
f1 = [
    f1_of_each(crowded["validation"], lambda p, d=d: split(1 - p[0], 0.5, d)).mean()
    for d in apart
]
far = apart[torch.stack(f1).argmax()]
shape_f1 = f1_of_each(crowded["test"], lambda p: split(1 - p[0], 0.5, far))
learned_f1 = f1_of_each(crowded["test"], learned)
print(f"mean F1 at IoU 0.75: shape {shape_f1.mean():.3f}, learned {learned_f1.mean():.3f}")

k = (learned_f1 - shape_f1).argmax().item()  # where they differ most
p = classes(crowded["test"][k][0])
show.images(
    [
        ("micrograph", crowded["test"][k][0]),
        ("probability of core", p[2]),
        ("shape", split(1 - p[0], 0.5, far)),
        ("learned", learned(p)),
        ("truth", crowded["test"].instances[k]),
    ]
)

# %% claim="On these crowded pictures the learned markers win"
claim(
    lambda shape, learned: learned > shape + 0.02,
    *(shape_f1.mean(), learned_f1.mean()),
    arms_swapped=(learned_f1.mean(), shape_f1.mean()),
)

# %% [markdown]
# On these crowded pictures the learned markers win. (The one shown is where they lead most.) They have a price:
# somebody has to draw instances, not only a mask, and a nucleus too small for a core is lost. Another target with the
# same purpose is each pixel's distance to its own object's border (Bai and Urtasun 2017).
#
# ## 6 · How far off are the borders?
#
# IoU is about areas. A surgeon or a cell biologist may ask about borders: how many pixels is the outline off? Measure
# the distance from each border pixel of one mask to the nearest border pixel of the other, in both directions. There
# are three common ways to sum them up:
#
# - The *average symmetric surface distance* (ASSD) is their mean. `metrics.boundary_error` computes it.
# - The *Hausdorff distance* is their maximum. A single wrong pixel decides it, so one takes the 95th percentile in
#   each direction, and of these two the larger: *Hausdorff-95*.
# - The *normalised surface distance* (NSD) is the fraction within a tolerance (Nikolov et al. 2018). Choose as tolerance
#   what two annotators differ by.
#
# Here is one nucleus, drawn wrongly in three ways.

# %%
import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion


def border_distances(a, b):
    """Distances in pixels from each border pixel of one mask to the other's border: two arrays."""
    a, b = (np.asarray(mask) for mask in (a, b))
    a, b = (mask & ~binary_erosion(mask, border_value=1) for mask in (a, b))
    return distance_transform_edt(~b)[a], distance_transform_edt(~a)[b]


def border_scores(pred, target, tolerance=1):
    """ASSD, Hausdorff-95 and Hausdorff in pixels, and NSD as a fraction."""
    both = border_distances(pred, target)
    every = np.concatenate(both)
    return {
        "Dice": dice(pred, target),
        "ASSD": every.mean(),
        "Hausdorff-95": max(np.percentile(one, 95) for one in both),
        "Hausdorff": every.max(),
        "NSD": (every <= tolerance).mean(),
    }


# %%
one = (labels == 149)[290:338, 58:106]  # a large nucleus
wide = torch.from_numpy(binary_dilation(one))
bitten, speck = one.clone(), one.clone()
bitten[:17, 18:28] = False
speck[2:4, 2:4] = True
flawed = {"a pixel too wide": wide, "a piece missing": bitten, "a far speck": speck}
show.overlap([(name, mask, one) for name, mask in flawed.items()], height=2.6)
borders = {name: border_scores(mask, one) for name, mask in flawed.items()}
for name, row in borders.items():
    print(f"{name:>17}:", ", ".join(f"{what} {x:.2f}" for what, x in row.items()))

# %% claim="The first two have about the same Dice"
claim(
    lambda wide, bitten: (
        abs(wide["Dice"] - bitten["Dice"]) < 0.02
        and wide["NSD"] == 1
        and bitten["NSD"] < 0.9
        and bitten["ASSD"] < wide["ASSD"]
        and bitten["Hausdorff-95"] > 2 * wide["Hausdorff-95"]
    ),
    *(borders["a pixel too wide"], borders["a piece missing"]),
    flaws_swapped=(borders["a piece missing"], borders["a pixel too wide"]),
)

# %% claim="The speck hides from Dice and Hausdorff-95"
claim(
    lambda speck: (
        speck["Dice"] > 0.98
        and speck["Hausdorff-95"] <= 1
        and speck["NSD"] > 0.9
        and speck["Hausdorff"] > 10
    ),
    borders["a far speck"],
    a_piece_missing=(borders["a piece missing"],),
)

# %% [markdown]
# The first two have about the same Dice. But one is nowhere more than a pixel off, as two annotators may well be, and
# the other lacks a whole piece. Hausdorff-95 and NSD tell them apart; ASSD even prefers the second. The speck hides
# from Dice and Hausdorff-95, shows a little in ASSD, and the Hausdorff distance sees nothing else. So choose a score by
# what a mistake costs (Maier-Hein et al. 2024 is a guide), state its tolerance, and name it exactly, since programs
# differ in the details of Hausdorff-95.
#
# ## 7 · Is A better than B?
#
# On the crowded pictures the learned markers had the higher mean. Would they on other pictures, too? The test images
# are a sample; another sample gives another mean. The *bootstrap* shows how much that matters (Efron 1979): draw as
# many images as there are, *with replacement*, so that some come twice and some not at all; take the mean; and do that
# thousands of times. The middle 95 % of these means are an interval for the mean over all images that could have been
# drawn.
#
# Which number should be drawn? Hard images may be hard for both methods. So take the *difference* on each image: that
# is a *paired* comparison.

# %%
quiz("why-paired")


# %%
def bootstrap(values, draws=5000):
    """The middle 95 % of the means of samples drawn from `values` with replacement."""
    chosen = np.random.default_rng(0).integers(len(values), size=(draws, len(values)))
    return np.percentile(np.asarray(values)[chosen].mean(axis=1), [2.5, 97.5])


wider_f1 = f1_of_each(crowded["test"], lambda p: split(1 - p[0], 0.5, far + 2))
difference = learned_f1 - shape_f1
intervals = {
    f"shape, min_distance={far}": shape_f1,
    f"shape, min_distance={far + 2}": wider_f1,
    "difference of these two": wider_f1 - shape_f1,
    "the same, images mixed": wider_f1.flip(0) - shape_f1,
    "learned": learned_f1,
    f"learned − shape, {far}": difference,
}
for name, values in intervals.items():
    low, high = bootstrap(values)
    print(f"{name:>23}: mean {values.mean():+.3f}, interval {low:+.3f} to {high:+.3f}")

# %% claim="their difference has a narrower interval than with the images mixed"
widths = [np.ptp(bootstrap(x)) for x in list(intervals.values())[2:4]]
claim(
    lambda paired, mixed: paired < 0.8 * mixed,
    *widths,
    swapped=widths[::-1],
)

# %% claim="That of *learned − shape* lies above zero"
claim(
    lambda interval: interval[0] > 0,
    bootstrap(difference),
    signs_shuffled=(bootstrap(difference * (-1) ** torch.arange(32)),),
)

# %% [markdown]
# Look at the two distances first. Image by image, their difference has a narrower interval than with the images mixed:
# what makes an image hard for both is gone from it. Where such an interval holds zero, these images cannot tell the two
# apart. That of *learned − shape* lies above zero. So the lead is not luck with these pictures: on others *like them*
# the learned markers should win as well. Two limits stay. The pictures come from this simulation, not from a
# microscope. And this is one training: another seed is another network, so train several (lesson 10) before you say
# that the *method* is better.
#
# ### Why 70 slices of one head are not 70 images
#
# Drawing images one by one is right when the images are *independent*. Those of `cells` are: each is made from random
# numbers of its own. Now take 70 neighbouring slices of the brain. Is white matter better found at brightness 0.72 or
# at 0.79? Compare the two by the Dice of each slice.

# %%
slices = data.load("brain", "train")
found = [(image[0], mask == 3) for image, mask in slices]  # class 3: white matter
brain = torch.tensor([dice(x > 0.72, white) - dice(x > 0.79, white) for x, white in found])
show.curves(
    torch.arange(len(brain)),
    [("Dice at 0.72 − Dice at 0.79", brain)],
    title="One head, slice by slice",
    xlabel="slice, from the neck up",
    ylabel="difference",
)


def neighbours(values):
    """Correlation of each value with the next one."""
    return np.corrcoef(values[:-1], values[1:])[0, 1]


r = neighbours(brain)
worth = len(brain) * (1 - r) / (1 + r)
print(f"{len(brain)} slices: neighbours correlate {r:+.2f}, worth {worth:.0f}")
half = len(brain) // 2
for name, part in (("lower half", brain[:half]), ("upper half", brain[half:])):
    print(name, "of the slices: interval {:+.3f} to {:+.3f}".format(*bootstrap(part)))

# %% claim="Each half is sure, and they contradict each other"
mixed = brain[torch.randperm(len(brain), generator=torch.Generator().manual_seed(0))]
claim(
    lambda lower, upper: lower[0] > 0 and upper[1] < 0,
    *(bootstrap(brain[:half]), bootstrap(brain[half:])),
    slices_shuffled=(bootstrap(mixed[:half]), bootstrap(mixed[half:])),
)

# %% claim="Here that is a handful"
claim(
    lambda r: 70 * (1 - r) / (1 + r) < 10,
    neighbours(brain),
    slices_shuffled=(neighbours(mixed),),
)

# %% claim="A slice is nearly a copy of the next one"
claim(
    lambda slices: slices > 0.7,
    neighbours(brain),
    slices_shuffled=(neighbours(mixed),),
    cells=(neighbours(difference),),
)

# %% [markdown]
# Each half is sure, and they contradict each other. With images drawn independently, each from the same source, that
# would hardly ever happen. A slice is nearly a copy of the next one. Where neighbours correlate by `r`, as a rule `n`
# values are worth n·(1 − r)/(1 + r) independent ones (Bayley and Hammersley 1946). Here that is a handful, so the
# interval is far too narrow. Nor do all the slices together say anything about another head: you have one, and this one
# is an average of many. Draw what is independent. With many patients, draw *patients*, each with all of their slices.
# With one, say that you have one.

# %% [markdown]
# ## 8 · What one would use
#
# You have seen the ideas behind the tools of the field. *StarDist* predicts for each pixel the distances to its
# object's border in many directions, and suits round nuclei (Schmidt et al. 2018). *Cellpose* predicts for each pixel
# which way its object's middle lies, and suits cells of many shapes (Stringer et al. 2021). Both come with trained
# networks: try them before you train your own, and score them as you did here.
#
# An *ensemble* goes well with any of them: train the same network from several seeds, and take the mean of their
# probabilities. Five members cost five times as much. Where they disagree, the answer is in doubt (Lakshminarayanan et
# al. 2017).

# %% graded="who-may-see-test"
quiz("who-may-see-test")

# %% [markdown]
# ## Recap
#
# 1. A count can be right by luck: merged pairs and stray pieces cancel. A good Dice says little about objects.
# 2. The watershed parts objects that touch, by their shape or from markers that a network has learned.
# 3. Match objects one to one. F1 counts pairs; panoptic quality also asks how well they are drawn.
# 4. Look at failures one by one: some are the network's, some are the test's.
# 5. Borders have scores of their own: ASSD, Hausdorff-95, and NSD with a stated tolerance.
# 6. Compare two methods by their differences on independent images, with an interval. Slices of one head are not
#    independent.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Choose the threshold and `min_distance` together, on validation, by F1. Is the best threshold for objects the best
#   one for pixels?
# - Train `core_model` from two more seeds. Does the interval of each difference lie above zero?
#
# **Sources** · Bai, M. and Urtasun, R. (2017), *Deep watershed transform for instance segmentation*, arXiv:1611.08303 ·
# Bayley, G. V. and Hammersley, J. M. (1946), *The "effective" number of independent observations in an autocorrelated
# time series*, Supplement to the Journal of the Royal Statistical Society 8, 184–197 · Beucher, S. and Lantuéjoul, C.
# (1979), *Use of watersheds in contour detection*, International Workshop on Image Processing, Rennes · Caicedo, J. C.
# et al. (2019), *Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl*, Nature Methods 16,
# 1247–1253 · Efron, B. (1979), *Bootstrap methods: another look at the jackknife*, Annals of Statistics 7, 1–26 ·
# Kirillov, A. et al. (2019), *Panoptic segmentation*, arXiv:1801.00868 · Lakshminarayanan, B., Pritzel, A. and
# Blundell, C. (2017), *Simple and scalable predictive uncertainty estimation using deep ensembles*, arXiv:1612.01474 ·
# Maier-Hein, L. et al. (2024), *Metrics reloaded: recommendations for image analysis validation*, Nature Methods 21,
# 195–212 · Nikolov, S. et al. (2018), *Deep learning to achieve clinically applicable segmentation of head and neck
# anatomy for radiotherapy*, arXiv:1809.04430 · Schmidt, U. et al. (2018), *Cell detection with star-convex polygons*,
# arXiv:1806.03535 · Stringer, C. et al. (2021), *Cellpose: a generalist algorithm for cellular segmentation*, Nature
# Methods 18, 100–106
