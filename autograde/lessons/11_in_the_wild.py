# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 11 · In the wild: large images, touching objects, numbers to trust
#
# **You will** predict an image of any size without seams, ask a network eight times instead of once, find out whether
# its probabilities mean anything, tell touching nuclei apart and count them, look at what fails and why, meet images
# from elsewhere, and hand a network on to others.
#
# **Time** about 60 minutes (a good place to stop is after part 4) · **You need** a U-Net that has been trained
# (lesson 09), Dice (lesson 02) · **You write** `predict_tiled`, `predict_dihedral`, `calibration_error`,
# `split_instances` and `match_instances`

# %%
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from IPython.display import display

from helpers.baseline import compare
from helpers.share import comment, export_onnx, gallery, load_shared, share
from helpers.training import fit

UNet, dice, soft_dice_loss = earlier("UNet", "dice", "soft_dice_loss")

# %% [markdown]
# Pieces of earlier lessons are your own where they pass their checks. If you skipped those lessons, you can start here
# with the course's.
#
# Train a small U-Net on the left half of the micrograph, as in lesson 09. It takes about a quarter of a minute. The
# right half is divided once more: *validation* columns, on which you may choose, and *test* columns, on which you may
# not.

# %%
train, validation, test = (
    data.load("nuclei", split, tile=None) for split in ("train", "validation", "test")
)


def trained(train, validation, epochs, **options):
    """A small U-Net that always starts from the same weights, and how its training went."""
    torch.manual_seed(0)
    model = UNet(1, 1, base_channels=8, depth=3)
    return model, fit(model, train, validation, epochs=epochs, crop=64, **options)


def whole(pairs):
    """A split in one piece: the image (1, H, W), and for each pixel its nucleus (H, W)."""
    image, labels = pairs[0][0], pairs.instances[0]
    return image.as_subclass(torch.Tensor), labels.as_subclass(torch.Tensor)


@torch.no_grad()
def predict(model, image):
    """Logits (1, H, W) of one image, all of it at once."""
    return model.eval()(image[None])[0]


model, history = trained(train, validation, epochs=60)
print(f"{history.steps} steps in {history.seconds:.0f} s")

# %%
image, labels = whole(test)
found = predict(model, image)[0] > 0
print(f"Dice on the test columns: {dice(found, labels > 0):.3f}")
print(f"nuclei in the test columns, by hand: {len(labels.unique()) - 1}")
rows = slice(320, 448)  # a piece of it, large enough to see
show.overlap(
    [("the network against the truth", found[rows], labels[rows] > 0)], image[:, rows]
)

# %% [markdown]
# By Dice this is a good mask. Now a biologist sends you a slide of 50 000 × 50 000 pixels and four questions: *Does it
# run on that? How many nuclei are there? How sure are you? Does it also work on the other microscope?* A mask with a
# good Dice answers none of them. Each gets a part of this lesson.
#
# ## 1 · The picture does not fit
#
# How much memory does the first block alone need for that slide?

# %%
side, channels = 50_000, 8
print(f"one feature map block: {side * side * channels * 4 / 1e9:.0f} GB of float32")

# %% [markdown]
# So cut the picture into tiles, predict each, and put the answers back together. Try it on the whole micrograph, which
# still fits, so that you can compare with the prediction in one go. (You trained on half of it. That does no harm
# here: nothing is scored against the truth.)

# %%
picture = torch.cat([whole(part)[0] for part in (train, validation, test)], dim=2)
at_once = predict(model, picture)[0].sigmoid()  # (512, 512)

tiles = picture.view(8, 64, 8, 64).transpose(1, 2).reshape(64, 1, 64, 64)
with torch.no_grad():
    answers = model(tiles).sigmoid()  # (64, 1, 64, 64)
side_by_side = answers.view(8, 8, 64, 64).transpose(1, 2).reshape(512, 512)

# %% [markdown]
# **Predict.** Same network, same pixels. Where will `side_by_side` differ from `at_once`?

# %%
quiz("where-tiles-disagree")

# %%
show.images(
    [
        ("a quarter of the micrograph", picture[:, :256, :256]),
        ("tiles side by side", side_by_side[:256, :256]),
        ("difference from one go", (side_by_side - at_once).abs()[:256, :256]),
    ]
)
flipped = ((side_by_side > 0.5) != (at_once > 0.5)).sum()
print(f"{flipped} pixels of the whole picture change sides")

# %% [markdown]
# The differences draw the grid. At the edge of a tile, half of what a pixel would like to look at is missing, and the
# padding's zeros stand in for it. The 2015 paper has the remedy in its Figure 2, the *overlap-tile strategy*: let
# tiles overlap, trust a tile in its middle only, and where a tile reaches past the picture, *mirror* the picture.
#
# To see no seam, fade from one tile into the next: give each pixel of a tile a *weight*, 0 near the edge, 1 inside,
# a ramp between, so that the ramps of two neighbours add up to 1. This one is given:


# %%
def fading(tile, overlap):
    """Weight of each pixel of a tile (tile, tile): 0 in the outer overlap // 4, then a ramp to 1."""
    place = torch.arange(tile) + 0.5
    from_edge = torch.minimum(place, tile - place)
    ramp = ((from_edge - overlap / 4) / max(overlap / 2, 1e-6)).clamp(0, 1)
    return ramp[:, None] * ramp


show.images(
    [("overlap 0", fading(128, 0)), ("32", fading(128, 32)), ("64", fading(128, 64))]
)

# %% [markdown]
# Add up `weight * logits` on one canvas and `weight` on another, and divide once at the end. The margin is given: the
# picture goes on as its own mirror image, `overlap // 2` pixels before its first row and column, and after the last ones
# as far as whole tiles need.


# %%
def with_margin(image, tile, overlap):
    """`image` (C, H, W) mirrored at its sides, so that tiles in steps of tile - overlap cover it all."""
    step, indices = tile - overlap, []
    for side in image.shape[-2:]:
        places = torch.arange(-(-side // step) * step + overlap) - overlap // 2
        period = max(2 * (side - 1), 1)  # there and back again
        indices.append(torch.minimum(places % period, -places % period))
    return image[:, indices[0][:, None], indices[1]]


print(tuple(image.shape), "becomes", tuple(with_margin(image, 128, 32).shape))

# %% [markdown] card="predict_tiled"


# %% exercise="predict_tiled"
def predict_tiled(model, image, tile, overlap):
    """Logits of an image of any size from a model that only ever sees tile × tile pixels.

    model: maps (N, C, tile, tile) to logits (N, K, tile, tile). overlap: pixels that
    neighbouring tiles share. image: float (C, H, W), any size. Returns float (K, H, W).
    """
    ### BEGIN SOLUTION
    step, edge = tile - overlap, overlap // 2
    (height, width), padded = image.shape[-2:], with_margin(image, tile, overlap)
    weight, total, weights = fading(tile, overlap), 0, torch.zeros(padded.shape[-2:])
    mode = model.training
    model.eval()
    for top in range(0, padded.shape[1] - overlap, step):
        for left in range(0, padded.shape[2] - overlap, step):
            here = (..., slice(top, top + tile), slice(left, left + tile))
            with torch.no_grad():
                logits = model(padded[here][None])[0]
            if isinstance(total, int):  # now the number of classes is known
                total = torch.zeros(len(logits), *weights.shape)
            total[here] += weight * logits
            weights[here] += weight
    model.train(mode)
    return (total / weights)[:, edge : edge + height, edge : edge + width]
    ### END SOLUTION


# %% check="predict_tiled"
check(predict_tiled)

# %% [markdown]
# <details><summary>Where do I start?</summary>
#
# With `overlap=0` and a picture that the tile divides: two loops, a canvas of zeros, one `+=`. Then go through
# `with_margin(...)` instead of the picture, and cut the margin off at the end. The weights come last.
#
# </details>
#
# <details><summary>nan in the result</summary>
#
# You divided 0 by 0: some pixel lies near the edge of every tile that covers it. Start the first tile `overlap // 2`
# pixels *outside* the picture, and let the last one reach as far beyond the other end.
#
# </details>
#
# <details><summary>The mirror is not long enough</summary>
#
# `F.pad(..., mode="reflect")` mirrors once, and refuses when the margin is longer than the picture. An index that runs
# back and forth, `[2, 1, 0, 1, 2, 3, 2, 1, ...]`, goes as far as you like: `image[:, rows[:, None], columns]`.
#
# </details>

# %% [markdown]
# ### Look
#
# Your `predict_tiled`, with tiles of 128 pixels, against one go. At the picture's own border the two differ on
# purpose (zeros there, a mirror here), so only what is 32 pixels or more inside is compared.

# %%
tiled = use(predict_tiled)
overlaps = [0, 8, 16, 32, 64]
inside = (slice(32, -32), slice(32, -32))
changed, needed = [], []
for overlap in overlaps:
    mine = tiled(model, picture, 128, overlap)[0].sigmoid()
    changed.append(((mine > 0.5) != (at_once > 0.5))[inside].sum().item())
    needed.append((-(-512 // (128 - overlap))) ** 2)
for overlap, pixels, count in zip(overlaps, changed, needed, strict=True):
    print(f"overlap {overlap:2}: {count:2} tiles, {pixels:4} pixels change sides")
show.images(
    [
        ("in one go", at_once),
        ("tiles of 128, overlap 64", mine),
        ("difference", (mine - at_once).abs()),
    ]
)

# %% [markdown]
# Inside the picture the grid has all but gone, at the price of more tiles. How much overlap is enough depends on how far
# the network looks. Move it, with tiles of 64:

# %%
play.tiles(picture[:, :256, :256], tile=64, overlap=16, model=model)

# %% [markdown]
# ## 2 · Ask eight times
#
# Nuclei have no upper side. Your network has one all the same: its kernels are not symmetric, so it answers a little
# differently when you turn the picture. There are eight ways up for a square. Ask for all of them, turn each answer
# back, and take the mean. This is *test-time augmentation*.

# %% [markdown] card="predict_dihedral"


# %% exercise="predict_dihedral"
def predict_dihedral(model, image):
    """Mean of the logits over the eight flips and quarter turns, each turned back.

    model: maps (N, C, H, W) to logits (N, K, H, W).
    image: float (C, H, W), not necessarily square. Returns float (K, H, W).
    """
    ### BEGIN SOLUTION
    mode = model.training
    model.eval()
    answers = []
    for flipped in (False, True):
        for turns in range(4):
            view = image.flip(-1) if flipped else image
            with torch.no_grad():
                answer = model(view.rot90(turns, (-2, -1))[None])[0]
            answer = answer.rot90(-turns, (-2, -1))  # in reverse: the turn came last
            answers.append(answer.flip(-1) if flipped else answer)
    model.train(mode)
    return torch.stack(answers).mean(dim=0)
    ### END SOLUTION


# %% check="predict_dihedral"
check(predict_dihedral)

# %% [markdown]
# <details><summary>Every nucleus appears several times</summary>
#
# An answer was not brought back to where its pixels came from. Put on socks, then shoes; take off shoes, then socks:
# what you did last has to be undone first.
#
# </details>
#
# ### Look

# %%
eight = use(predict_dihedral)
seen, true_labels = whole(validation)
truth = true_labels > 0
one, mean = predict(model, seen), eight(model, seen)
for name, logits in (("one view", one), ("mean of eight", mean)):
    print(f"{name:>14}: Dice on validation {dice(logits[0] > 0, truth):.4f}")
rows = slice(0, 128)
show.images(
    [
        ("micrograph", seen[:, rows]),
        ("one view", one[:, rows].sigmoid()),
        ("mean of eight", mean[:, rows].sigmoid()),
        ("difference", (mean - one).sigmoid()[:, rows] - 0.5),
    ]
)

# %% [markdown]
# The views quarrel along the borders and in dim nuclei, and agree everywhere else. The gain is small and costs eight
# predictions for one. It is smaller still for a network that was trained on flipped and turned pictures, as yours was.
# Where accuracy counts more than time, take it; nnU-Net does, with mirror images (Isensee et al. 2021).

# %% [markdown]
# ## 3 · Where to cut
#
# A probability becomes a mask when you cut it, and 0.5 is a habit. Another threshold may score better. Which picture
# may tell you?

# %%
quiz("threshold-on-test")

# %%
probability = predict(model, seen)[0].sigmoid()
thresholds = torch.linspace(0.05, 0.95, 19)
scores = torch.tensor([dice(probability > t, truth) for t in thresholds])
best = thresholds[scores.argmax()].item()
show.curves(
    thresholds,
    [("Dice on validation", scores)],
    title="Where to cut",
    xlabel="threshold",
    ylabel="Dice",
)
image, labels = whole(test)
test_probability = predict(model, image)[0].sigmoid()
for t in (0.5, best):
    score = dice(test_probability > t, labels > 0)
    print(f"threshold {t:.2f}: Dice on test {score:.3f}")

# %% [markdown]
# The curve is flat on top: for this network the choice hardly matters, and what is best on one strip need not be best
# on the next. That is worth knowing before you fine-tune it to the third decimal. Cut for yourself, and watch what
# you miss and what you invent:

# %%
play.threshold(probability[rows], truth[rows], threshold=best)

# %% [markdown]
# ## 4 · How sure are you?
#
# A flat curve is a sign of something: few pixels are in doubt. But does 0.8 *mean* anything? It does, if of all pixels
# at 0.8 about 80 in a hundred are nucleus. Then the network is *calibrated*, and a doctor can weigh its answer.
#
# You saw in lesson 08 that a loss can be too sure of itself. Train a second network, the same in every respect, with
# the Dice loss alone:

# %%
dice_model, _ = trained(
    train,
    validation,
    epochs=60,
    loss=lambda logits, masks: soft_dice_loss(logits, masks[:, None].float()),
)
models = {"cross-entropy + Dice": model, "Dice alone": dice_model}
compare(models, data.load("nuclei", "test"))

# %% [markdown]
# By overlap they are about equal. Now sort all test pixels into ten bins by their probability, and compare in each bin
# what was *promised*, the mean probability, with what *came*, the fraction of nucleus pixels.


# %%
show.reliability(
    [
        (name, predict(network, image)[0].sigmoid(), labels > 0)
        for name, network in models.items()
    ]
)

# %% [markdown]
# Near the dotted line, 0.8 means 80 in a hundred. Below it on the right, the network promises more than it keeps. One
# number for the whole diagram is the *expected calibration error*: the distance between promise and result, averaged
# over the bins, each weighed by its fraction of the pixels (Naeini et al. 2015).

# %% [markdown] card="calibration_error"


# %% exercise="calibration_error"
def calibration_error(probability, target, bins=10):
    """Expected calibration error.

    probability: float (H, W), from 0 to 1. target: bool (H, W).
    bins: of equal width over [0, 1]; 1.0 belongs to the last. Returns a number from 0 to 1.
    """
    ### BEGIN SOLUTION
    bin_of = (probability * bins).long().clamp(max=bins - 1)
    error = 0.0
    for b in bin_of.unique():
        inside = bin_of == b
        promised = probability[inside].double().mean()
        came = target[inside].double().mean()
        error += (inside.sum() / inside.numel() * (promised - came).abs()).item()
    return error
    ### END SOLUTION


# %% check="calibration_error"
check(calibration_error)

# %% [markdown]
# ### Look
#
# Score both networks, once over all pixels, once over those pixels alone of which the network is *not* all but
# certain.

# %%
error = use(calibration_error)


def in_doubt(probability, truth):
    """The pixels between 0.02 and 0.98, as an image of one row."""
    doubt = (probability > 0.02) & (probability < 0.98)
    return probability[doubt][None], truth[doubt][None]


for name, network in models.items():
    p = predict(network, image)[0].sigmoid()
    doubtful = in_doubt(p, labels > 0)
    doubted = doubtful[0].numel() / p.numel()
    print(f"{name:>20}: {error(p, labels > 0):.4f} over all pixels,", end=" ")
    print(f"{error(*doubtful):.3f} over the {doubted:.1%} in doubt")

# %% [markdown]
# Over all pixels both errors look tiny. You have seen this before: it is lesson 02's accuracy in a new coat, the easy
# background pays for everything. Where the network is in doubt, and somebody would want to know, the difference shows.
#
# The repair is one number. Divide all logits by a *temperature* `T` before the sigmoid: above 1 it makes every answer
# less sure. Choose `T` on validation, by cross-entropy (Guo et al. 2017).

# %%
logits = predict(dice_model, seen)[0]
temperatures = torch.linspace(0.5, 3, 26)
losses = torch.tensor(
    [F.binary_cross_entropy_with_logits(logits / t, truth.float()) for t in temperatures]
)
T = temperatures[losses.argmin()].item()

logits = predict(dice_model, image)[0]
for t in (1.0, T):
    p = (logits / t).sigmoid()
    print(f"T = {t:.1f}: error in all pixels {error(p, labels > 0):.4f}")
show.reliability([(f"T = {t:.1f}", (logits / t).sigmoid(), labels > 0) for t in (1.0, T)])

# %% [markdown]
# On the whole the curve has come nearer to the line. One number cannot put it onto the line, since it treats all logits
# alike; but it cost no training.

# %% graded="what-temperature-changes"
quiz("what-temperature-changes")

# %% [markdown]
# ## 5 · How many?
#
# *How many nuclei are there?* Number the connected pieces of the mask and count. Compare with the truth, on a piece of
# the validation columns:

# %%
from skimage.measure import label

pieces = torch.from_numpy(label((probability > best).numpy()))
rows = slice(256, 384)
show.images(
    [
        ("micrograph", seen[:, rows]),
        ("pieces of the mask", pieces[rows]),
        ("truth", true_labels[rows]),
    ]
)
print(f"pieces: {pieces.max()}, nuclei: {len(true_labels.unique()) - 1}")

# %% [markdown]
# Too few: where two nuclei touch, their masks run together. And two mistakes can cancel in a count: a merged pair is
# one too few, a speck of dirt one too many.

# %%
quiz("good-dice-bad-count")

# %% [markdown]
# To part two that touch, look at the shape. For each pixel of the mask, take the *distance to the background*: it
# rises to a summit in the middle of each nucleus and has a saddle at the waist between two. Turn this landscape upside
# down, put a spring into each basin, and let the water rise: where two floods meet is the border. That is the
# *watershed* (Beucher and Lantuéjoul 1979). You need three tools for it.

# %%
from scipy.ndimage import distance_transform_edt, label as number_pieces
from skimage.feature import peak_local_max
from skimage.segmentation import clear_border, watershed

distance = distance_transform_edt((probability > best).numpy())
show.images(
    [
        ("mask", (probability > best)[rows]),
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
shown = {d: split(probability, best, d) for d in (2, 5, 9)}
show.images([(f"min_distance={d}", objects[rows]) for d, objects in shown.items()])
for d, objects in shown.items():
    print(f"min_distance={d}: {objects.max()} objects")

# %% [markdown]
# A border that wavers has many small summits. Too small a distance cuts long nuclei into pieces; too large a one leaves
# pairs together. Look at the touching pair and at the longest nucleus: which value is right for one is wrong for the
# other. So which is better? You need a score that counts *objects*, and the count alone will not do.
#
# Pair each predicted object with a true one: they are a pair when their IoU is at least 0.5, and nobody is in two
# pairs. *Precision* is the fraction of the predicted objects that are in a pair, *recall* that of the true ones, and *F1*
# is twice the pairs over the sum of both. The 2018 Data Science Bowl, where this micrograph comes from, counted such
# pairs too, at thresholds from 0.5 to 0.95, and took the mean (Caicedo et al. 2019).

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
# Above 0.5 it cannot happen: who shares more than half of a union with one has not enough left for another. At 0.5 and
# below it can: two halves of one nucleus have an IoU of 0.5 with it, each. (Panoptic quality asks for more than 0.5 for
# that reason: Kirillov et al. 2019.) Take the best pair first and strike out its row and its column, or let
# `scipy.optimize.linear_sum_assignment` find as many pairs as there can be.
#
# </details>
#
# ### Look
#
# Choose `min_distance` on validation. Then, once, score on test: the pieces of the mask, and your objects.

# %%
match = use(match_instances)
distances = list(range(1, 16, 2))
f1 = torch.tensor(
    [match(split(probability, best, d), true_labels)["f1"] for d in distances]
)
far = distances[f1.argmax()]
show.curves(
    torch.tensor(distances),
    [("F1 on validation", f1)],
    title="How far apart summits have to be",
    xlabel="min_distance (pixels)",
    ylabel="F1 at IoU 0.5",
)
objects = split(test_probability, best, far)
pieces = torch.from_numpy(label((test_probability > best).numpy()))
for name, found in (("pieces", pieces), (f"split, min_distance={far}", objects)):
    scores = match(found, labels)
    print(f"{name:>22}: {found.max()} of {len(labels.unique()) - 1}, F1 {scores['f1']:.3f}")

# %% [markdown]
# ## 6 · Look at what fails
#
# Two numbers, and neither says *what* went wrong. Look. For each true nucleus of the test columns take the object that
# covers most of it, and list the six that fit worst.

# %%
fits = []
for k in labels.unique()[1:]:
    nucleus = labels == k
    partner = objects[nucleus].mode().values
    partner = (objects == partner) & (partner > 0)
    overlap = (nucleus & partner).sum() / (nucleus | partner).sum()
    fits.append((overlap.item(), nucleus, partner))
worst = sorted(fits, key=lambda fit: fit[0])[:6]

for overlap, nucleus, _ in worst:
    by_side = nucleus[:, :3].any() or nucleus[:, -3:].any()
    print(f"IoU {overlap:.2f}: {nucleus.sum():3} pixels,", end=" ")
    print(f"brightness {image[0][nucleus].mean():.2f},", end=" ")
    print("cut by a side of the strip" if by_side else "whole")
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
# two splits shows a few columns of itself on this side, and nobody could draw that sliver well. It was not the network
# that failed there but the way we test. Leave out what lies at a side, in prediction and truth, and score again.

# %%
inner_objects, inner_labels = (
    torch.from_numpy(clear_border(x.numpy(), buffer_size=2)) for x in (objects, labels)
)
print(f"F1 with the cut ones:    {match(objects, labels)['f1']:.3f}")
print(f"F1 without the cut ones: {match(inner_objects, inner_labels)['f1']:.3f}")

# %% [markdown]
# What remains is the network's, or the watershed's. Is a nucleus dim, beside a brighter one, joined to a neighbour,
# halved? Each answer asks for another remedy: more dim nuclei in training, another `min_distance`. A table of scores
# tells you none of this.

# %% graded="who-may-see-test"
quiz("who-may-see-test")

# %% [markdown]
# ## 7 · The other microscope
#
# Labels are dear, so suppose you had none, and trained on *simulated* micrographs, of which you can have any number
# with exact masks. Does what is learned there hold on real ones? Train a U-Net on `cells` and look at both sets.

# %%
cells = [data.load("cells", split, count=32, size=128) for split in ("train", "validation")]
sim_model, _ = trained(*cells, epochs=16)
simulated = data.load("cells", "test", count=4, size=256)
show.images([("simulated", simulated[0][0]), ("real", whole(train)[0][:, :256])])

# %% [markdown]
# **Predict.** It will score lower on real pictures. Will it also *say* that it is less sure there?

# %%
quiz("sure-away-from-home")

# %%
both = {"trained on nuclei": model, "trained on cells": sim_model}
for kind, pairs in (
    ("simulated cells", simulated),
    ("real nuclei", data.load("nuclei", "test")),
):
    print(f"on {kind}:")
    display(compare(both, pairs))

# %% [markdown]
# Each is better at home. Dice is one thing; now look at the objects and the probabilities of the one from the
# simulation.


# %%
def at(model, pairs):
    """Calibration and F1 over all images of a set, each predicted whole."""
    doubt, f1 = [], []
    for k in range(len(pairs)):
        picture, objects = (
            x.as_subclass(torch.Tensor) for x in (pairs[k][0], pairs.instances[k])
        )
        p = predict(model, picture)[0].sigmoid()
        doubt.append(in_doubt(p, objects > 0))
        f1.append(match(split(p, best, far), objects)["f1"])
    promised, came = (torch.cat(parts, dim=1) for parts in zip(*doubt, strict=True))
    return promised, came, sum(f1) / len(f1)


panels = []
for name, pairs in (("at home: simulated", simulated), ("abroad: real", test)):
    promised, came, f1 = at(sim_model, pairs)
    panels.append((name, promised, came))
    print(f"{name:>18}: F1 {f1:.3f}, error of pixels in doubt {error(promised, came):.3f}")
show.reliability(panels)

# %% [markdown]
# Away from home the promises are broken. Look at the left end: of the pixels that it all but rules out, many are
# nucleus, the dim ones that no simulated picture had prepared it for. Nothing in the network's own answer gives it
# away. Calibration holds for pictures like those it was measured on and no further; that is so for deep networks in
# general (Ovadia et al. 2019). Before you use a network on another microscope, label a few pictures from there.
#
# They also help in training. Ten epochs on the real left half, once from random weights, and once from the
# simulation's, with a lower learning rate, so that what it knows is not washed away at once:

# %%
few_model, _ = trained(train, validation, epochs=10)
fit(sim_model, train, validation, epochs=10, crop=64, lr=1e-3)
compare(
    {"random, then 10 epochs": few_model, "simulation, then 10 epochs": sim_model},
    data.load("nuclei", "test"),
)

# %% [markdown]
# ## 8 · Hand it on
#
# A saved Python object is a program: who opens yours runs your code. So a *bundle* holds weights and facts only: what
# kind of network it is, what it was trained on, its scores, its known flaws, and its worst, median and best example.
# `fraction` takes your own `UNet`, whatever its layers are called, as long as it computes what the course's computes.
# (Here it goes into a folder that vanishes afterwards. Give `folder="."` to keep it.)

# %%
validation_tiles = data.load("nuclei", "validation")
place = Path(tempfile.mkdtemp())
bundle = share(model, "ana", train, validation_tiles, folder=place, history=history)
share(dice_model, "ben", train, validation_tiles, folder=place)
again = load_shared(bundle)
gap = (predict(again, image) - predict(model, image)).abs().max()
print(
    f"{bundle.name}: {bundle.stat().st_size / 1e3:.0f} kB, logits differ by at most {gap:.0e}"
)

# %% [markdown]
# A class that puts its bundles into one folder has a gallery. It measures every bundle again, on the same test tiles,
# beside what its author claims. `comment(folder, "ana", "your name", "…")` leaves a remark on one.

# %%
gallery(place)

# %% [markdown]
# With an account on the Hugging Face Hub you can publish a bundle under your own name. It needs the network and your
# token, so it stands here as text:
#
# ```python
# from helpers.share import push
#
# push("ana.unet.zip", "your-name/nuclei-unet")  # private at first, with its card as the page
# ```
#
# And for programs that are not Python there is ONNX, an exchange format. `export_onnx` runs the exported network
# beside yours on random pictures and writes the file if the logits agree. Its packages are an extra of the course; where
# they are missing, the cell says how to install them.

# %%
from helpers.share import ShareError

try:
    exported = export_onnx(model, place / "ana.onnx", in_channels=1, size=128)
    print(f"{exported.path.name}: {exported.path.stat().st_size / 1e3:.0f} kB,", end=" ")
    print(
        f"any size: {exported.any_size}, logits differ by at most {exported.difference:.0e}"
    )
except ShareError as error:
    print(error)

# %% [markdown]
# ## Recap
#
# 1. Large images go through in tiles that overlap, with mirrored borders and weights that fade; the overlap has to
#    match how far the network looks.
# 2. The mean of eight views is steadier than one, for eight times the work. Threshold, temperature and distance are
#    chosen on validation; test is for one look at the end.
# 3. Two networks with the same Dice can differ in what their probabilities mean. Look at the pixels in doubt.
# 4. Objects are counted by matching them one to one, after touching ones are apart. A good Dice says little about it.
# 5. Look at failures one by one: some are the network's, some are the test's. Away from home, a network is wrong and
#    does not say so.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Put part 1 and part 2 together: give `predict_tiled` a module whose `forward` calls `predict_dihedral`.
# - Choose the threshold and `min_distance` together, on validation, by F1. Is the best threshold for objects the best
#   one for pixels?
# - Make the simulation harder (`foreground=0.4`, `diameter=16`) and see which one prepares best for the real picture.
#
# **Sources** · Beucher, S. and Lantuéjoul, C. (1979), *Use of watersheds in contour detection*, International Workshop
# on Image Processing, Rennes · Caicedo, J. C. et al. (2019), *Nucleus segmentation across imaging experiments: the 2018
# Data Science Bowl*, Nature Methods 16, 1247–1253 · Guo, C. et al. (2017), *On calibration of modern neural networks*,
# arXiv:1706.04599 · Isensee, F. et al. (2021), *nnU-Net: a self-configuring method for deep learning-based biomedical
# image segmentation*, Nature Methods 18, 203–211 · Kirillov, A. et al. (2019), *Panoptic segmentation*,
# arXiv:1801.00868 · Naeini, M. P., Cooper, G. F. and Hauskrecht, M. (2015), *Obtaining
# well calibrated probabilities using Bayesian binning*, AAAI 29 · Ovadia, Y. et al. (2019), *Can you trust your model's
# uncertainty? Evaluating predictive uncertainty under dataset shift*, arXiv:1906.02530 · Ronneberger, O., Fischer, P.
# and Brox, T. (2015), *U-Net: convolutional networks for biomedical image segmentation*, arXiv:1505.04597
