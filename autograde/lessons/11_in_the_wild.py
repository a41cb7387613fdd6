# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 11 · In the wild: large images, honest probabilities, other microscopes
#
# **You will** predict an image of any size without seams, ask a network eight times instead of once, find out whether
# its probabilities mean anything, try it on images from elsewhere, and hand it on to others.
#
# **Time** about 50 minutes (a good place to stop is after part 3) · **You need** a U-Net that has been trained
# (lesson 09), Dice (lesson 02) · **You write** `predict_tiled`, `predict_dihedral` and `calibration_error`

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
# right half is divided once more. On the *validation* columns you may choose; on the *test* columns you may not.

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
    """A split in one piece: the image (1, H, W), and where its nuclei are (H, W)."""
    image, mask = pairs[0]
    return image, mask > 0


@torch.no_grad()
def predict(model, image):
    """Logits (1, H, W) of one image, all of it at once."""
    return model.eval()(image[None])[0]


model, history = trained(train, validation, epochs=60)
print(f"{history.steps} steps in {history.seconds:.0f} s")

# %%
image, nuclei = whole(test)
found = predict(model, image)[0] > 0
print(f"Dice on the test columns: {dice(found, nuclei):.3f}")
rows = slice(320, 448)  # a piece of it, large enough to see
show.overlap([("the network against the truth", found[rows], nuclei[rows])], image[:, rows])

# %% claim="By Dice this is a good mask"
claim(
    lambda score: score > 0.9,
    dice(found, nuclei),
    without_training=(dice(predict(UNet(1, 1, 8, 3), image)[0] > 0, nuclei),),
)

# %% [markdown]
# By Dice this is a good mask. Now a biologist sends you a slide of 50 000 × 50 000 pixels and three questions: *Does it
# run on that? How sure is it? Does it also work on the other microscope?* A good Dice answers none of them. Each gets a
# part of this lesson. (A fourth question, *how many nuclei are there?*, gets a lesson of its own, the next.)
#
# ## 1 · The picture does not fit
#
# How much memory does the slide need for the output of the first convolution, with its eight channels?

# %%
side, channels = 50_000, 8
print(f"eight channels: {side * side * channels * 4 / 1e9:.0f} GB of float32")

# %% [markdown]
# That does not fit into a laptop. So cut the picture into tiles, predict each, and put the answers back together. Try
# it on the whole micrograph, which still fits, so that you can compare with the prediction in one go. (You trained on
# half of it. That does no harm here, since nothing is scored against the truth.)

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
        ("difference (square root)", (side_by_side - at_once).abs().sqrt()[:256, :256]),
    ]
)
flipped = ((side_by_side > 0.5) != (at_once > 0.5)).sum()
print(f"{flipped} pixels of the whole picture change from nucleus to background or back")

# %% claim="The differences draw the grid"
gaps = (side_by_side - at_once).abs()
from_edge = torch.arange(512) % 64
by_edge = torch.minimum(from_edge, 63 - from_edge)
by_edge = torch.minimum(by_edge[:, None], by_edge)
claim(
    lambda edge, middle: edge > 10 * middle,
    *(gaps[by_edge < 4].mean(), gaps[by_edge > 24].mean()),
    the_same_everywhere=(gaps.mean(), gaps.mean()),
)

# %% [markdown]
# The differences draw the grid. At the edge of a tile, half of a pixel's surroundings are missing, and the padding's
# zeros stand in for them. The 2015 paper has the remedy in its Figure 2, the *overlap-tile strategy*: let tiles
# overlap, trust a tile in its middle only, and where a tile reaches past the picture, *mirror* the picture.
#
# To hide the seam, fade from one tile into the next. Give each pixel of a tile a *weight*: 0 near the edge, 1 inside,
# and a ramp between, so that the ramps of two neighbours add up to 1. This function is given:


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
# Add up `weight * logits` on one canvas and `weight` on another, and divide once at the end. The margin is given, too:
# the picture goes on as its own mirror image, `overlap // 2` pixels before its first row and column, and after the last
# ones as far as whole tiles need.


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
# With `overlap=0` and a picture whose sides are multiples of the tile: two loops, a canvas of zeros, one `+=`. Then go
# through `with_margin(...)` instead of the picture, and cut the margin off at the end. The weights come last.
#
# </details>
#
# <details><summary>nan in the result</summary>
#
# You divided 0 by 0: some pixel lies near the edge of every tile that covers it. Start the first tile `overlap // 2`
# pixels *outside* the picture, and let the last one reach as far beyond the opposite end.
#
# </details>
#
# <details><summary>The mirror is not long enough</summary>
#
# `F.pad(..., mode="reflect")` mirrors once, and refuses when the margin is longer than the picture. An index that runs
# back and forth, `[2, 1, 0, 1, 2, 3, 2, 1, ...]`, can go on as long as you like: `image[:, rows[:, None], columns]`.
#
# </details>

# %% [markdown]
# ### Look
#
# Your `predict_tiled`, with tiles of 128 pixels, against the prediction in one go. At the picture's own border the two
# differ on purpose (one go pads with zeros, your tiles mirror). So only what is at least 32 pixels inside is compared.

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
    print(f"overlap {overlap:2}: {count:2} tiles, {pixels:4} pixels change")
show.images(
    [
        ("in one go", at_once),
        ("tiles of 128, overlap 64", mine),
        ("difference", (mine - at_once).abs()),
    ]
)

# %% claim="Inside the picture the grid has all but gone"
claim(
    lambda without, most: most < 0.1 * without,
    *(changed[0], changed[-1]),
    without_overlap=(changed[0], changed[0]),
)

# %% [markdown]
# Inside the picture the grid has all but gone, at the price of more tiles. How much overlap is enough depends on how
# far the network looks. Try it, with tiles of 64:

# %%
play.tiles(picture[:, :256, :256], tile=64, overlap=16, model=model)

# %% [markdown]
# ## 2 · Ask eight times
#
# A nucleus has no top and no bottom. Your network's kernels do: they are not symmetric, so its answer differs a little
# when you turn the picture. A square can be turned and flipped in eight ways (its *dihedral group*). Predict all eight,
# turn each answer back, and take the mean. This is *test-time augmentation*.

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
# An answer was not brought back to where its pixels came from. You put on socks, then shoes, and take off shoes, then
# socks: what was done last has to be undone first.
#
# </details>
#
# ### Look

# %%
eight = use(predict_dihedral)
seen, truth = whole(validation)
one, mean = predict(model, seen), eight(model, seen)
for name, logits in (("one view", one), ("mean of eight", mean)):
    print(f"{name:>14}: Dice on validation {dice(logits[0] > 0, truth):.4f}")
rows = slice(0, 128)
show.images(
    [
        ("micrograph", seen[:, rows]),
        ("one view", one[:, rows].sigmoid()),
        ("mean of eight", mean[:, rows].sigmoid()),
        ("difference", (mean.sigmoid() - one.sigmoid())[:, rows]),
    ]
)

# %% claim="mostly along the borders, and agree everywhere else"
from scipy.ndimage import binary_dilation, binary_erosion

thick = binary_dilation(truth, iterations=3) & ~binary_erosion(truth, iterations=3)
apart, thick = (mean.sigmoid() - one.sigmoid())[0].abs(), torch.from_numpy(thick)
claim(
    lambda along, elsewhere: along > 10 * elsewhere and elsewhere < 0.005,
    *(apart[thick].mean(), apart[~thick].mean()),
    places_swapped=(apart[~thick].mean(), apart[thick].mean()),
)

# %% claim="The views differ where the network is unsure"
doubt = (one[0].sigmoid() > 0.02) & (one[0].sigmoid() < 0.98)
claim(
    lambda unsure, sure: unsure > 10 * sure,
    *(apart[doubt].mean(), apart[~doubt].mean()),
    swapped=(apart[~doubt].mean(), apart[doubt].mean()),
)

# %% claim="What Dice gains is small"
claim(
    lambda one, mean: abs(mean - one) < 0.01,
    *(dice(one[0] > 0, truth), dice(mean[0] > 0, truth)),
    without_training=(
        dice(predict(UNet(1, 1, 8, 3), seen)[0] > 0, truth),
        dice(mean[0] > 0, truth),
    ),
)

# %% [markdown]
# The views differ where the network is unsure, mostly along the borders, and agree everywhere else. What Dice gains is
# small, and it costs eight predictions instead of one. Your network was trained on flipped and turned pictures, so it
# may have less to gain. Where accuracy counts more than time, take it; nnU-Net does, with mirror images (Isensee et al.
# 2021).

# %% [markdown]
# ## 3 · Where to cut
#
# A threshold turns a probability into a mask, and 0.5 is only a habit. Another one may score better. On which picture
# may you try them?

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
test_probability = predict(model, image)[0].sigmoid()
for t in (0.5, best):
    score = dice(test_probability > t, nuclei)
    print(f"threshold {t:.2f}: Dice on test {score:.3f}")

# %% claim="The curve is flat on top"
claim(
    lambda scores: scores[4:15].min() > scores.max() - 0.02,
    scores,
    steep=(torch.linspace(0, 1, 19),),
)

# %% [markdown]
# The curve is flat on top (mind the axis, which does not begin at 0). For this network the choice hardly matters,
# and what is best on one strip need not be best on the next. That is worth knowing before you tune it to the third
# decimal. Move the threshold yourself, and watch which pixels you miss and which you invent:

# %%
play.threshold(probability[rows], truth[rows], threshold=best)

# %% [markdown]
# ## 4 · How sure are you?
#
# The curve is flat because few pixels are in doubt. But does a probability of 0.8 *mean* anything? It does if, of all
# pixels at 0.8, about 80 in a hundred are nucleus. Then the network is *calibrated*, and a doctor can weigh its answer.
#
# You saw in lesson 08 that a network can be more confident than it should be, and that the loss decides it. Train a
# second network with the Dice loss alone, and leave everything else as it was:

# %%
dice_model, _ = trained(
    train,
    validation,
    epochs=60,
    loss=lambda logits, masks: soft_dice_loss(logits, masks[:, None].float()),
)
models = {"cross-entropy + Dice": model, "Dice alone": dice_model}
compare(models, data.load("nuclei", "test"))

# %% claim="By overlap they are about equal"
claim(
    lambda ours, theirs: abs(ours - theirs) < 0.015,
    *(dice(predict(network, image)[0] > 0, nuclei) for network in models.values()),
    one_untrained=(
        dice(predict(model, image)[0] > 0, nuclei),
        dice(predict(UNet(1, 1, 8, 3), image)[0] > 0, nuclei),
    ),
)

# %% [markdown]
# By overlap they are about equal. Now sort all test pixels into ten bins by their probability. In each bin, compare
# what was *promised*, the mean probability, with what *came*, the fraction of nucleus pixels.


# %%
show.reliability(
    [
        (name, predict(network, image)[0].sigmoid(), nuclei)
        for name, network in models.items()
    ]
)

# %% [markdown]
# Near the dotted line, 0.8 means 80 in a hundred. Below the line, fewer pixels are nucleus than promised; above it,
# more. The *expected calibration error* is one number for the whole diagram: the distance between promise and result,
# averaged over the bins, each weighted by its fraction of the pixels (Naeini et al. 2015).

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
# Score both networks twice: over all pixels, and over those alone of which the network is *not* all but certain.

# %%
error = use(calibration_error)


def in_doubt(probability, truth):
    """The pixels between 0.02 and 0.98, as an image of one row."""
    doubt = (probability > 0.02) & (probability < 0.98)
    return probability[doubt][None], truth[doubt][None]


errors, doubted = {}, {}
for name, network in models.items():
    p = predict(network, image)[0].sigmoid()
    doubtful = in_doubt(p, nuclei)
    errors[name] = (error(p, nuclei), error(*doubtful))
    doubted[name] = doubtful[0].numel() / p.numel()
    print(f"{name:>20}: {errors[name][0]:.4f} over all pixels,", end=" ")
    print(f"{errors[name][1]:.3f} over the {doubted[name]:.1%} in doubt")

# %% claim="few pixels are in doubt"
claim(lambda ours, dice: max(ours, dice) < 0.15, *doubted.values(), all_pixels=(1, 1))

# %% claim="Over all pixels both errors look tiny"
claim(
    lambda ours, dice: max(ours[0], dice[0]) < 0.03,
    *errors.values(),
    in_doubt=(errors["Dice alone"][::-1],) * 2,
)

# %% claim="the network trained with Dice alone is far worse"
claim(
    lambda ours, dice: dice[1] > 2 * ours[1],
    *errors.values(),
    arms_swapped=list(errors.values())[::-1],
)

# %% [markdown]
# Over all pixels both errors look tiny. You have seen this before, with accuracy in lesson 02: most pixels are easy
# background, and they hide the rest. Among the pixels in doubt, which are those that somebody would ask about, the
# network trained with Dice alone is far worse.
#
# There is a cheap repair. Divide all logits by a *temperature* `T` before the sigmoid: above 1 it makes every answer
# less sure. Choose `T` on validation, by cross-entropy (Guo et al. 2017). Then compare before and after on test, with
# the same pixels in doubt both times.

# %%
logits = predict(dice_model, seen)[0]
temperatures = torch.linspace(0.5, 5, 46)
losses = torch.tensor(
    [F.binary_cross_entropy_with_logits(logits / t, truth.float()) for t in temperatures]
)
T = temperatures[losses.argmin()].item()

logits = predict(dice_model, image)[0]
doubt = (logits.sigmoid() > 0.02) & (logits.sigmoid() < 0.98)
cooled = {}
for t in (1.0, T):
    p = (logits / t).sigmoid()
    cooled[t] = {
        "cross-entropy": F.binary_cross_entropy(p, nuclei.float()).item(),
        "error in doubt": error(p[doubt][None], nuclei[doubt][None]),
        "error over all": error(p, nuclei),
    }
    print(f"T = {t:.1f}:", ", ".join(f"{k} {value:.3f}" for k, value in cooled[t].items()))
show.reliability([(f"T = {t:.1f}", (logits / t).sigmoid(), nuclei) for t in (1.0, T)])

# %% claim="Cross-entropy falls, and so does the error among the pixels that were in doubt"
claim(
    lambda before, after: all(
        after[k] < 0.9 * before[k] for k in ("cross-entropy", "error in doubt")
    ),
    *cooled.values(),
    swapped=list(cooled.values())[::-1],
)

# %% claim="Over all pixels the error is small before and after, and it need not fall"
claim(
    lambda before, after: max(before, after) < 0.03,
    *(one["error over all"] for one in cooled.values()),
    in_doubt=[one["error in doubt"] for one in cooled.values()],
)

# %% [markdown]
# Cross-entropy falls, and so does the error among the pixels that were in doubt. Over all pixels the error is small
# before and after, and it need not fall: the same `T` also makes the network less confident where it was right. One
# number treats all logits alike, so it cannot put the whole curve onto the line. But it costs no training.

# %% graded="what-temperature-changes"
quiz("what-temperature-changes")

# %% [markdown]
# ## 5 · The other microscope
#
# Labels are expensive. So suppose you had none, and trained on *simulated* micrographs, of which you can have any
# number with exact masks. Does what is learned there hold on real ones? Train a U-Net on `cells` and look at both sets.

# %%
cells = [data.load("cells", split, count=32, size=128) for split in ("train", "validation")]
sim_model, _ = trained(*cells, epochs=16)
simulated = data.load("cells", "test", count=4, size=256)
show.images([("simulated", simulated[0][0]), ("real", whole(train)[0][:, :256])])

# %% [markdown]
# **Predict.** On real pictures it will make more mistakes. Will it also *say* that it is less sure there?

# %%
quiz("sure-away-from-home")

# %%
both = {"trained on nuclei": model, "trained on cells": sim_model}
sets = {"simulated cells": simulated, "real nuclei": data.load("nuclei", "test")}
tables = {kind: compare(both, pairs) for kind, pairs in sets.items()}
for kind, table in tables.items():
    print(f"on {kind}:")
    display(table)

# %% claim="On either set the network that was trained there wins"
won = [[row["dice"] for row in table.rows] for table in tables.values()]
claim(
    lambda simulated, real: simulated[1] > simulated[0] and real[0] > real[1],
    *won,
    sets_swapped=won[::-1],
)

# %% [markdown]
# On either set the network that was trained there wins. Now look at what the one from the simulation promises. A pixel
# at 0.9 is a promise to be wrong once in ten times, and so is one at 0.1. Over all pixels, the promised errors are the
# mean of `p` or `1 − p`, whichever is smaller.


# %%
def promises(model, pairs):
    """Probability and truth of all pixels of a set, as one row each."""
    p = torch.cat([predict(model, image)[0].sigmoid().flatten() for image, _ in pairs])
    true = torch.cat([(mask > 0).flatten() for _, mask in pairs])
    return p[None], true[None]


panels, wrong = [], {}
for name, pairs in (("at home: simulated", simulated), ("abroad: real", test)):
    p, true = promises(sim_model, pairs)
    panels.append((name, p, true))
    wrong[name] = (torch.minimum(p, 1 - p).mean(), ((p > 0.5) != true).float().mean())
    print(f"{name:>18}: errors promised {wrong[name][0]:.2%}, made {wrong[name][1]:.2%}")
show.reliability(panels)

# %% claim="Abroad it makes several times as many errors as at home, and promises hardly more"
claim(
    lambda home, abroad: (
        abroad[1] > 2 * home[1] and abroad[1] / home[1] > 2 * abroad[0] / home[0]
    ),
    *wrong.values(),
    places_swapped=list(wrong.values())[::-1],
)

# %% claim="far more are nucleus than at home"
low = [true[p < 0.2][p[p < 0.2] > 0.02].float().mean() for _, p, true in panels]
claim(lambda home, abroad: abroad > 2 * home, *low, places_swapped=low[::-1])

# %% [markdown]
# Abroad it makes several times as many errors as at home, and promises hardly more. Look at the left end of the
# diagram: of the pixels at a low probability, far more are nucleus than at home. Calibration was measured on pictures
# like those, and need not hold for others. Ovadia et al. (2019) found so for many deep networks, for some more than for
# others. Before you use a network on another microscope, label a few pictures from there.
#
# Labels from there also help in training. Train ten epochs on the real left half, once from random weights, and once
# from the simulation's, with a lower learning rate so that they are not overwritten at once:

# %%
few_model, _ = trained(train, validation, epochs=10)
fit(sim_model, train, validation, epochs=10, crop=64, lr=1e-3)
starts = {"random, then 10 epochs": few_model, "simulation, then 10 epochs": sim_model}
table = compare(starts, data.load("nuclei", "test"))
table

# %% claim="Labels from there also help in training"
before, after = tables["real nuclei"].rows[1]["dice"], table.rows[1]["dice"]
claim(
    lambda before, after: after > before + 0.01,
    *(before, after),
    swapped=(after, before),
)

# %% claim="The simulation was worth it after all"
claim(
    lambda random, simulation: simulation > random + 0.02,
    *(row["dice"] for row in table.rows),
    arms_swapped=[row["dice"] for row in table.rows][::-1],
)

# %% [markdown]
# The simulation was worth it after all, as a start: after the same ten epochs the second network is clearly ahead.

# %% [markdown]
# ## 6 · Hand it on
#
# A saved Python object is a program: whoever opens it runs your code. A *bundle* holds only weights and facts: what
# kind of network it is, what it was trained on, its scores, its known flaws, and its worst, median and best example.
# `share` takes your own `UNet`, whatever its layers are called, as long as it computes what the course's computes.
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
# and shows the result beside what its author claims. `comment(folder, "ana", "your name", "…")` leaves a remark on one.

# %%
gallery(place)

# %% [markdown]
# With an account on the Hugging Face Hub you can publish a bundle under your own name. That needs the internet and your
# token, so here it is only text:
#
# ```python
# from helpers.share import push
#
# push("ana.unet.zip", "your-name/nuclei-unet")  # private at first, with its card as the page
# ```
#
# For programs that are not in Python there is ONNX, an exchange format. `export_onnx` runs the exported network beside
# yours on random pictures and writes the file if the logits agree. Its packages are optional; where they are missing,
# the cell says how to install them.

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
# 2. The mean of eight views costs eight times the work and gains a little. Threshold and temperature are chosen on
#    validation; test is for one look at the end.
# 3. Two networks with about the same Dice can differ in what their probabilities mean. Look at the pixels in doubt.
# 4. Away from home, a network is wrong more often and hardly says so.
# 5. A bundle holds weights and facts, and runs no code of its author.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Put part 1 and part 2 together: give `predict_tiled` a module whose `forward` calls `predict_dihedral`.
# - Make the simulation harder (`foreground=0.4`, `diameter=16`) and see which setting prepares best for the real picture.
#
# **Sources** · Guo, C. et al. (2017), *On calibration of modern neural networks*, arXiv:1706.04599 · Isensee, F. et al.
# (2021), *nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation*, Nature Methods 18,
# 203–211 · Naeini, M. P., Cooper, G. F. and Hauskrecht, M. (2015), *Obtaining well calibrated probabilities using
# Bayesian binning*, AAAI 29 · Ovadia, Y. et al. (2019), *Can you trust your model's
# uncertainty? Evaluating predictive uncertainty under dataset shift*, arXiv:1906.02530 · Ronneberger, O., Fischer, P.
# and Brox, T. (2015), *U-Net: convolutional networks for biomedical image segmentation*, arXiv:1505.04597
