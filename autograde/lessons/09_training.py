# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 09 · Training: from half a picture to the other half
#
# **You will** write the loop that trains a U-Net, make many views out of little data, learn when to stop, and find the
# mistake in five runs that went wrong.
#
# **Time** about 60 minutes · **You need** a U-Net and a loss (lessons 07 and 08), yours or the course's · **You write**
# `train_one_epoch`, `evaluate`, `augment_pair`, `elastic_pair` and `EarlyStopping`

# %%
import numpy as np
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.filters import threshold_otsu
from torch import nn

from helpers import metrics
from helpers.crops import any_way_up
from helpers.data.gate import GateError
from helpers.training import dice_and_cross_entropy, fit

UNet, iou, to_tensor = earlier("UNet", "iou", "to_tensor")

# %% [markdown]
# ## 1 · One picture, cut in three
#
# This is all the data: one micrograph, labelled by hand. The left half is for training, the next quarter for
# *validation* while you train. The last quarter is for the *test*, at the very end.

# %%
splits = {
    name: data.load("nuclei", name, tile=None) for name in ("train", "validation", "test")
}
whole = [torch.cat([p[0][k] for p in splits.values()], dim=-1) for k in (0, 1)]
part = torch.cat(
    [torch.full_like(p[0][1], k) for k, p in enumerate(splits.values(), 1)], dim=-1
)
show.images(
    [("micrograph", whole[0]), ("labels, one colour for each part", whole[1] * part)],
    alt="A micrograph and its labelled nuclei: left half train, then validation, then test.",
    height=4.5,
)
mask = splits["train"][0][1]
print(f"{len(splits['train'].instances[0].unique()) - 1} nuclei, {mask.numel():,} pixels")

# %% [markdown]
# Other networks have learned from millions of pictures. Can so few nuclei be enough? You will have measured it by the
# end of section 7. Training reads *pairs* of an image and its mask: here 32 tiles of 64 × 64 pixels, and two larger
# ones for validation.


# %%
def batch(pairs):
    """Images (N, 1, H, W) and masks (N, H, W)."""
    images, masks = zip(*pairs, strict=True)
    return torch.stack(images), torch.stack(masks)


def small():
    """The same untrained U-Net each time."""
    torch.manual_seed(0)
    return UNet(1, 1, base_channels=8, depth=3)


tiles = list(data.load("nuclei", "train", tile=64))
wide = data.load("nuclei", "validation", tile=128)
validation = [wide[0], wide[2]]
print(f"{len(tiles)} tiles, {sum(p.numel() for p in small().parameters()):,} parameters")

# %% [markdown]
# ## 2 · The loop
#
# You have a network and a loss. The loop is still missing. For each *batch*, compute the loss, clear the old gradients,
# compute the new ones, and let the *optimizer* move every weight a little downhill. One pass through all batches is an
# *epoch*.

# %% [markdown] card="train_one_epoch"


# %% exercise="train_one_epoch"
def train_one_epoch(model, loader, loss_fn, optimizer):
    """One step of the optimizer for each batch; returns the mean loss of an image.

    loader: gives images (N, C, H, W) and masks (N, H, W); the last batch may be smaller.
    loss_fn: loss_fn(logits, masks) is the mean loss of the batch, a 0-d tensor.
    """
    ### BEGIN SOLUTION
    model.train()
    total, count = 0.0, 0
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
        count += len(images)
    return total / count
    ### END SOLUTION


# %% check="train_one_epoch"
check(train_one_epoch)

# %% [markdown]
# <details><summary>The loss does not go down</summary>
#
# `backward()` fills the gradients, `step()` uses them, and nothing between the two may set them to zero. Use the
# optimizer that you are given: it holds the model's weights.
#
# </details>
#
# ### Look: one batch, by heart
#
# Before you train on everything, train on *one batch*, again and again. A network with a hundred thousand weights can
# learn two small tiles by heart. If it does not, the code is broken or the rate far off.
#
# **Predict.** What would a broken loop look like?

# %%
quiz("one-batch-by-heart")

# %% [markdown]
# Here are four runs of your loop on two tiles. Only the learning *rate* differs: how far a step goes.

# %%
two = [batch([tiles[1], tiles[9]])]
epoch = use(train_one_epoch)
curves, by_heart = [], None
for rate in (1e-4, 1e-2, 1e-1, 10.0):
    model = small()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    losses = [epoch(model, two, dice_and_cross_entropy, optimizer) for _ in range(50)]
    curves.append((f"rate {rate:g}", torch.tensor(losses)))
    by_heart = model if rate == 1e-2 else by_heart

show.curves(
    torch.arange(50),
    curves,
    title="One batch of two tiles",
    xlabel="step",
    ylabel="loss (log scale)",
    log=True,
)

# %% claim="The lowest rate crawls"
ends = [losses[-5:].mean().item() for _, losses in curves]
claim(
    lambda lowest, low, high, highest: lowest > 3 * max(low, high),
    *ends,
    rates_swapped=(ends[1], ends[0], ends[2], ends[3]),
)

# %% claim="The highest leaps up, and learns neither tile"
peaks = [(losses.max() / losses[0]).item() for _, losses in curves]
claim(
    lambda peak, highest, low: peak > 5 and highest > 3 * low,
    *(peaks[3], ends[3], ends[1]),
    rates_swapped=(peaks[1], ends[1], ends[3]),
)

# %% claim="The two between them both get there, though one is ten times the other"
claim(
    lambda low, high: max(low, high) < 0.2,
    *(ends[1], ends[2]),
    the_lowest_and_the_highest=(ends[0], ends[3]),
)

# %% [markdown]
# The lowest rate crawls. The highest leaps up, and learns neither tile. The two between them both get there, though one
# is ten times the other. So a search needs few runs: try powers of ten on one batch.
#
# `fit`, which you will use below, lets the rate rise and then fall to zero (*one cycle*, Smith and Topin 2018).

# %% [markdown]
# ## 3 · A number for tiles it has not seen
#
# How well does the network do on other tiles? To find out you need the loop without gradients, batch norm in
# *evaluation mode*, and the scores of lesson 02.

# %% [markdown] card="evaluate"


# %% exercise="evaluate"
def evaluate(model, loader):
    """{"loss", "iou", "dice"}: each the mean over all images.

    The model gives logits (N, K, H, W); K = 1 is the logit of class 1 against class 0. "loss" is
    the cross-entropy; the scores are the mean over the classes but 0. Evaluation mode, no gradients.
    """
    ### BEGIN SOLUTION
    from helpers.reference.overlap import dice, iou

    was_training = model.training
    model.eval()
    sums, count = {"loss": 0.0, "iou": 0.0, "dice": 0.0}, 0
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            if logits.shape[1] == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            sums["loss"] += nn.functional.cross_entropy(logits, masks).item() * len(images)
            classes = range(1, logits.shape[1])
            for pred, target in zip(logits.argmax(dim=1), masks, strict=True):
                for c in classes:
                    sums["iou"] += iou(pred == c, target == c) / len(classes)
                    sums["dice"] += dice(pred == c, target == c) / len(classes)
            count += len(images)
    model.train(was_training)
    return {name: total / count for name, total in sums.items()}
    ### END SOLUTION


# %% check="evaluate"
check(evaluate)

# %% [markdown]
# <details><summary>Where do iou and dice come from?</summary>
#
# A cell that is handed in stands alone, so import inside it: `from helpers.reference.overlap import dice, iou`.
#
# </details>
#
# <details><summary>A single logit has nothing to compare with</summary>
#
# `torch.cat([torch.zeros_like(logits), logits], dim=1)` puts a logit of 0 for the background beside it. The softmax of
# the two is the sigmoid of the one.
#
# </details>
#
# ### Look

# %%
measure = use(evaluate)
for name, loader in {"its two tiles": two, "validation tiles": [batch(validation)]}.items():
    scores = measure(by_heart, loader)
    print(f"{name:>17}:  loss {scores['loss']:.3f}   IoU {scores['iou']:.3f}")

# %% claim="On its own two tiles the network is better than on new ones"
own, new = measure(by_heart, two)["iou"], measure(by_heart, [batch(validation)])["iou"]
fresh = measure(small(), two)["iou"]
claim(
    lambda own, new: own > 0.6 and own - new > 0.05,
    *(own, new),
    swapped=(new, own),
    untrained=(fresh, new),
)

# %% [markdown]
# On its own two tiles the network is better than on new ones. The first number says that the code works. The second is
# the one that you want to raise.

# %% [markdown]
# ## 4 · More data from the data you have
#
# A nucleus has no right way up. Turned or mirrored, it is another nucleus that somebody could have photographed, and
# its mask turns with it. More or less light is what another lamp would give. Bent a little, tissue is still tissue.
# Making such new pairs is called *augmentation*, and each new pair a *view*.

# %%
image, truth = tiles[9]
play.augmentation(image, truth, seed=2, strength=1.0)

# %% [markdown]
# Flips and quarter turns move pixels without mixing them. Light changes the image alone. Every random number comes from
# the `generator` that you are given, so that a run can be repeated.

# %% [markdown] card="augment_pair"


# %% exercise="augment_pair"
def augment_pair(image, mask, generator):
    """A new image and mask: the same random way up for both; light changed on the image only.

    image: float (C, H, W) in [0, 1]; mask: int64 (H, W); generator: torch.Generator.
    """
    ### BEGIN SOLUTION
    upside_down, mirrored, turned = (torch.rand(3, generator=generator) < 0.5).tolist()
    contrast, brightness = torch.empty(2).uniform_(-0.2, 0.2, generator=generator)
    axes = [axis for axis, flipped in ((-2, upside_down), (-1, mirrored)) if flipped]
    image, mask = image.flip(axes), mask.flip(axes)
    if turned and mask.shape[0] == mask.shape[1]:
        image, mask = image.rot90(1, (-2, -1)), mask.rot90(1, (-2, -1))
    image = (image - 0.5) * (1 + contrast) + 0.5 + brightness
    return image.clamp(0, 1), mask
    ### END SOLUTION


# %% check="augment_pair"
check(augment_pair)

# %% [markdown]
# <details><summary>Image and mask part ways</summary>
#
# Draw first and act afterwards: two calls that each draw for themselves will not agree. Count axes from the end: −1
# means the columns in `(C, H, W)` and in `(H, W)`.
#
# </details>
#
# ### Look
#
# Here are six draws of yours. The percentage says how much of the *original* mask the new one still covers.

# %%
augment = use(augment_pair)
generator = torch.Generator().manual_seed(3)
drawn = [augment(image, truth, generator) for _ in range(6)]
show.images([(f"draw {k}", view) for k, (view, _) in enumerate(drawn, start=1)], height=2)
show.images(
    [(f"{(m * truth).sum() / truth.sum():.0%} in place", m > 0) for _, m in drawn], height=2
)
print(
    f"nucleus pixels: {int((truth > 0).sum())}, then {[int((m > 0).sum()) for _, m in drawn]}"
)

# %% claim="The way up changes; the area of the nuclei does not"
areas = [int((m > 0).sum()) for _, m in drawn]
area = int((truth > 0).sum())
in_place = [((m * truth).sum() / truth.sum()).item() for _, m in drawn]
claim(
    lambda area, areas, in_place: set(areas) == {area} and min(in_place) < 0.7,
    *(area, areas, in_place),
    masks_left_behind=(area, areas, [1.0] * 6),
)

# %% [markdown]
# The way up changes; the area of the nuclei does not.
#
# ### How much light?
#
# A change of 0.2 is little on a photograph. This micrograph is dim: look at what 0.2 less does to it. On the right the
# same step is taken on another scale: take the square root of each value, subtract 0.2, and square again.

# %%
micrograph, labels = splits["train"][0]
darker = {
    "0.2 less": (micrograph - 0.2).clamp(min=0),
    "0.2 less, on square roots": (micrograph.sqrt() - 0.2).clamp(min=0).square(),
}
top = slice(0, 128)
show.images(
    [("labels", labels[top] > 0), ("as taken", micrograph[:, top])]
    + [(name, view[:, top]) for name, view in darker.items()],
    height=2.2,
)
for name, view in darker.items():
    black = (view[0] == 0)[labels > 0].double().mean()
    print(f"{name}: {black:.1%} of the nucleus pixels are black")

# %% claim="The plain step erases whole nuclei, and their labels stay"
gone = {}
for name, view in darker.items():
    numbers = splits["train"].instances[0]
    seen = numbers[(view[0] > 0) & (numbers > 0)].bincount(minlength=256)
    size = numbers[numbers > 0].bincount(minlength=256)
    gone[name] = int(((size > 0) & (seen < 0.2 * size)).sum())
claim(
    lambda plain, root: plain >= 5 and root == 0,
    *gone.values(),
    swapped=(gone["0.2 less, on square roots"], gone["0.2 less"]),
)

# %% [markdown]
# The plain step erases whole nuclei, and their labels stay. No network can learn to find what is not there. On square
# roots no nucleus is erased. So from here on your augmentation gets the roots of an image, and its result is squared.


# %%
def lit(image, mask, generator):
    """Your augmentation: any way up, and another light, changed on square roots."""
    image, mask = augment(image.sqrt(), mask, generator)
    return image.square(), mask


# %% [markdown]
# ### Bend it
#
# Flips and quarter turns give eight views of a tile; bending gives any number. Fetch each pixel from a place a little
# off its own, where neighbours are off by nearly the same. To get such offsets, draw random numbers and smooth them.
# Two numbers for each pixel are an arrow, down and across. That is an *elastic deformation* (Simard et al. 2003). The
# 2015 paper calls it the likely key to training with few pictures.
#
# The arrows are given. How long are they? (*Root mean square*: their typical length.)


# %%
def arrows(height, width, sigma, generator):
    """Smooth noise (2, height, width), a NumPy array: where each pixel comes from, down and across."""
    noise = 2 * torch.rand(2, height, width, generator=generator).numpy() - 1
    return gaussian_filter(noise, (0, sigma, sigma))


lengths = {}
for sigma in (2, 8):
    field = arrows(64, 64, sigma, torch.Generator().manual_seed(0))
    lengths[sigma] = (field**2).mean() ** 0.5
    print(f"sigma {sigma}: root mean square {lengths[sigma]:.3f} pixels")

# %% claim="The wider the smoothing, the shorter the arrows, and all are far shorter than a pixel"
claim(
    lambda narrow, wide: wide < narrow < 0.3,
    *lengths.values(),
    swapped=(lengths[8], lengths[2]),
    not_smoothed=(3**-0.5, lengths[8]),
)

# %% [markdown]
# The wider the smoothing, the shorter the arrows, and all are far shorter than a pixel. So you will have to scale them
# to the length that you want. Most of them will point between pixels. What then?

# %%
quiz("nearest-for-masks")

# %% [markdown] card="elastic_pair"


# %% exercise="elastic_pair"
def elastic_pair(image, mask, alpha, sigma, generator):
    """Bend image and mask alike: offsets of root mean square alpha pixels, smoothed by sigma pixels.

    image: float (C, H, W), fetched bilinearly; mask: int64 (H, W), fetched from the nearest pixel.
    """
    ### BEGIN SOLUTION
    height, width = mask.shape
    offsets = arrows(height, width, sigma, generator)
    offsets *= alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))
    places = np.indices((height, width)) + offsets
    bent = [map_coordinates(c, places, order=1, mode="nearest") for c in image.numpy()]
    labels = map_coordinates(mask.numpy(), places, order=0, mode="nearest")
    return torch.from_numpy(np.stack(bent)), torch.from_numpy(labels)
    ### END SOLUTION


# %% check="elastic_pair"
check(elastic_pair)

# %% [markdown]
# ### Look
#
# How much bending is too much? Ask whether the picture could still be a photograph. (*Folded* is a pixel whose right or
# lower neighbour comes from the other side of it.)

# %%
bend = use(elastic_pair)
ruled = image.clone()
ruled[:, 4::8] = ruled[:, :, 4::8] = 0.6  # a line at every eighth pixel
rows, columns = torch.meshgrid(*2 * [torch.arange(64) / 64], indexing="ij")
panels, folds = [("as it was", ruled)], []
for alpha, sigma in ((2.0, 8.0), (6.0, 8.0), (2.0, 1.0)):
    both = torch.cat([ruled, rows[None], columns[None]])  # bent together
    (bent, down, across), _ = bend(
        both, truth, alpha, sigma, torch.Generator().manual_seed(0)
    )
    folded = (down.diff(dim=0)[:, 1:] < -1e-4) | (across.diff(dim=1)[1:] < -1e-4)
    folds.append(folded.double().mean().item())
    panels.append((f"alpha {alpha:g}, sigma {sigma:g}: {folds[-1]:.0%} folded", bent))
show.images(panels, height=3)

# %% claim="Nothing folds in the second picture"
claim(lambda mild, wild: mild == 0 < wild, folds[0], folds[1], swapped=(folds[1], folds[0]))

# %% claim="In the fourth, neighbours are torn apart all over the picture"
claim(
    lambda long, short: short > 0.15 and short > 2 * long,
    *(folds[1], folds[2]),
    swapped=(folds[2], folds[1]),
    mild=(folds[0], folds[0]),
)

# %% [markdown]
# Nothing folds in the second picture, and it could be a photograph. In the third, the grid folds over itself. In the
# fourth, neighbours are torn apart all over the picture. Augmentation may only do what the world could have done: a 6
# turned round is a 9.

# %% [markdown]
# ## 5 · When to stop
#
# Now put your pieces together. The task is hard on purpose: learn from a *single* tile of 64 × 64 pixels. Watch the
# loss on that tile, and loss and IoU on two others. The views are `any_way_up`, which `fit` takes by default: flips and
# turns without a change of light.


# %%
def course_of(views, epochs=40):
    """Training loss, validation loss and IoU of each epoch, on one tile; an epoch has four steps."""
    model, generator = small(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    records = []
    for _ in range(epochs):
        pairs = [views(*tiles[9], generator) if views else tiles[9] for _ in range(8)]
        loader = [batch(pairs[k : k + 2]) for k in range(0, 8, 2)]
        loss = epoch(model, loader, dice_and_cross_entropy, optimizer)
        scores = measure(model, [batch(validation)])
        records.append((loss, scores["loss"], scores["iou"]))
    return torch.tensor(records).T  # (3, epochs)


runs = {"as it is": course_of(None), "any way up": course_of(any_way_up)}
kinds = ("training loss (Dice + cross-entropy)", "validation loss (cross-entropy)", "IoU")
for k, what in enumerate(kinds):
    show.curves(
        torch.arange(40),
        [(name, run[k]) for name, run in runs.items()],
        title=f"One tile to learn from: {what}",
        xlabel="epoch",
        ylabel=what,
        log="loss" in what,
        height=2.4,
    )

# %% claim="As it is, the tile is soon known by heart: its loss falls to almost nothing"
first, last = runs["as it is"][0][[0, -1]].tolist()
claim(lambda first, last: last < 0.02 * first, first, last, untrained=(first, first))

# %% claim="On other tiles the loss turns and *rises*, while the IoU hardly moves any more"
_, losses, scores = runs["as it is"]
late = (scores[20:].max() - scores[20:].min()).item()
claim(
    lambda lowest, last, late: last > 1.2 * lowest and late < 0.1,
    *(losses.min().item(), losses[-5:].mean().item(), late),
    backwards=(losses[-5:].mean().item(), losses.min().item(), late),
)

# %% claim="With a new view in every step, the training loss stays higher"
ends = [run[0][-5:].mean().item() for run in runs.values()]
claim(lambda plain, views: views > 3 * plain, *ends, swapped=ends[::-1])

# %% claim="The best IoU on other tiles is better than any without views"
tops = [run[2].max().item() for run in runs.values()]
claim(lambda plain, views: views > plain + 0.02, *tops, swapped=tops[::-1])

# %% claim="But its curves jump about"
jumps = [run[2][20:].diff().abs().mean().item() for run in runs.values()]
claim(lambda plain, views: views > 2 * plain, *jumps, swapped=jumps[::-1])

# %% [markdown]
# As it is, the tile is soon known by heart: its loss falls to almost nothing. On other tiles the loss turns and
# *rises*, while the IoU hardly moves any more. The masks are about as good as before, but the network grows more
# confident of their mistakes. That is *overfitting*.
#
# With a new view in every step, the training loss stays higher, as it should. The best IoU on other tiles is better
# than any without views. But its curves jump about. Which epoch's weights do you keep, and how long do you wait for
# better ones?

# %% [markdown] card="EarlyStopping"


# %% exercise="EarlyStopping"
class EarlyStopping:
    """step(value, model=None) -> True when the last `patience` values did not beat the best.

    mode: "max" where larger is better, "min" for a loss. Keeps .best, and in .best_weights a copy
    of the model's state_dict() at that value. Equal is not better; NaN never is.
    """

    def __init__(self, patience, mode="max"):
        ### BEGIN SOLUTION
        self.patience, self.mode = patience, mode
        self.best, self.best_weights, self.waited = None, None, 0
        ### END SOLUTION

    def step(self, value, model=None):
        ### BEGIN SOLUTION
        import copy

        if self.best is None:
            better = value == value  # false for NaN
        else:
            better = value > self.best if self.mode == "max" else value < self.best
        if better:
            self.best, self.waited = value, 0
            if model is not None:
                self.best_weights = copy.deepcopy(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience
        ### END SOLUTION


# %% check="EarlyStopping"
check(EarlyStopping)

# %% [markdown]
# <details><summary>My best weights are always those of the last epoch</summary>
#
# `state_dict()` does not copy. It hands out the very tensors in which training goes on. `copy.deepcopy` makes your own.
#
# </details>
#
# ### Look
#
# Here is your rule on the validation *loss* of both runs.

# %%
Stopping = use(EarlyStopping)
stops, lowest = {}, {}
for name, (_, losses, scores) in runs.items():
    for patience in (2, 5, 15):
        stopping = Stopping(patience, mode="min")
        values = enumerate(losses.tolist())
        stop = next((k for k, loss in values if stopping.step(loss)), 39)
        best = losses[: stop + 1].argmin()
        stops[name, patience], lowest[name, patience] = stop, losses[best].item()
        print(
            f"{name:>10}, patience {patience:2}: ends after epoch {stop:2} and keeps epoch {best:2}, "
            f"loss {losses[best]:.3f}, IoU {scores[best]:.3f}"
        )
    print(f"{'':>10}  the last epoch: loss {losses[-1]:.3f}, IoU {scores[-1]:.3f}")

# %% claim="A patience of 5 is enough for the run without views: it keeps the lowest loss and ends soon after"
lowest_of_all = runs["as it is"][1].min().item()
claim(
    lambda kept, lowest, end: kept == lowest and end < 30,
    *(lowest["as it is", 5], lowest_of_all, stops["as it is", 5]),
    never_stopped=(runs["as it is"][1][-1].item(), lowest_of_all, 39),
)

# %% claim="With a patience of 2, at least one of the runs ends at a bump, before its loss is at its lowest"
over = {
    patience: max(
        lowest[name, patience] / run[1].min().item() for name, run in runs.items()
    )
    for patience in (2, 15)
}
claim(lambda worst: worst > 1.05, over[2], patience_15=(over[15],))

# %% claim="without views, the epoch of the lowest loss has a *worse* IoU than the last epoch"
_, losses, scores = runs["as it is"]
picked, last = scores[losses.argmin()].item(), scores[-1].item()
claim(lambda picked, last: picked < last - 0.02, picked, last, swapped=(last, picked))

# %% [markdown]
# A patience of 5 is enough for the run without views: it keeps the lowest loss and ends soon after. With a patience of
# 2, at least one of the runs ends at a bump, before its loss is at its lowest. (Prechelt 1998 compares such rules.)
#
# It also matters what you stop by: without views, the epoch of the lowest loss has a *worse* IoU than the last epoch.
# The loss punishes confident mistakes; the IoU only asks whether a probability is above one half. Stop by the score
# that you will be judged by.
#
# And a validation score that you have *chosen* by is a little too good to be true. That is what the test part is for.

# %% [markdown]
# ## 6 · A run that can be interrupted
#
# From here on `fit` trains: your loop, with a rate that rises and falls, and weights averaged over the last steps. It
# can write *checkpoints*: all that is needed to go on later. That is more than the weights. The optimizer remembers
# past gradients, and the random numbers must go on where they were.

# %%
import tempfile
from pathlib import Path


def short_run(**options):
    model = small()
    history = fit(model, tiles, validation, epochs=4, augment=lit, patience=99, **options)
    return model, history


with tempfile.TemporaryDirectory() as folder:
    kept = Path(folder) / "run.safetensors"
    whole, whole_history = short_run()
    _, cut = short_run(checkpoint=kept, monitor=lambda history, fraction: fraction > 0.5)
    resumed, rest = short_run(checkpoint=kept, resume=True)
print(
    f"cut: {cut.stopped} after {cut.steps} steps; resumed: {rest.stopped} after {rest.steps}"
)


def same(one, other):
    """Whether two networks have the same weights, bit for bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


print("the same weights, bit for bit:", same(whole, resumed))
print("the same loss in every step:", whole_history.losses == rest.losses)

# %% claim="Cut off and resumed, the run goes on, step for step, like the run that was left alone"
claim(
    lambda alone, resumed, alike: alone == resumed and alike,
    *(whole_history.losses[-4:], rest.losses[-4:], same(whole, resumed)),
    begun_anew=(whole_history.losses[-4:], rest.losses[:4], True),
)

# %% [markdown]
# Cut off and resumed, the run goes on, step for step, like the run that was left alone.
#
# ## 7 · Half a picture, half a minute
#
# Now use the whole left half, in random squares. One network learns from flips and turns alone, a second one from all
# your views. How well do they draw the last quarter, which neither has seen? The bar is Otsu's threshold from lesson
# 02.


# %%
def views(image, mask, generator):
    """Your augmentation: any way up, another light, and bent in every second draw."""
    image, mask = lit(image, mask, generator)
    if torch.rand((), generator=generator) < 0.5:
        image, mask = bend(image, mask, 1.5, 8.0, generator)
    return image, mask


networks, histories = {}, {}
for name, chosen in (("any way up", any_way_up), ("all your views", views)):
    networks[name] = small()
    histories[name] = fit(
        networks[name],
        *(splits["train"], splits["validation"]),
        epochs=30,
        crop=64,
        lr=1e-2,
        augment=chosen,
    )
    ious = torch.tensor([one["iou"] for one in histories[name].scores])
    print(f"{name:>14}: best validation IoU {ious.max():.3f}, last {ious[-1]:.3f}")

# %% claim="Keeping the best weights earned little here"
earned = max(h.best["iou"] - h.scores[-1]["iou"] for h in histories.values())
first = min(h.best["iou"] - h.scores[0]["iou"] for h in histories.values())
claim(lambda earned: earned < 0.1, earned, the_first_instead_of_the_last=(first,))

# %% claim="the scores settle at the end"
parts = [
    [[one["iou"] for one in h.scores[part]] for h in histories.values()]
    for part in (slice(0, 5), slice(-5, None))
]
early, late = (max(max(one) - min(one) for one in part) for part in parts)
claim(
    lambda early, late: late < 0.1 and late < early / 2, early, late, swapped=(late, early)
)

# %% [markdown]
# Keeping the best weights earned little here. With a rate that falls to zero, the scores settle at the end, and the
# last is nearly as good as the best. That is why `fit` does not stop early by default.
#
# Now the test: the last quarter as it was taken, and in half the light.

# %%
image, truth = splits["test"][0]
truth = truth > 0
rows = slice(128, 256)  # a piece to look at
panels, tested = [], {}
for light, x in (("as taken", image), ("half the light", image / 2)):
    masks = {"Otsu's threshold": x[0] > threshold_otsu(x[0].numpy())}
    for name, network in networks.items():
        with torch.no_grad():
            masks[name] = network(x[None])[0, 0] > 0
    tested[light] = {name: iou(mask, truth) for name, mask in masks.items()}
    panels += [(f"{name}, {light}", m[rows], truth[rows]) for name, m in masks.items()]
    said = ", ".join(f"{name} {value:.3f}" for name, value in tested[light].items())
    print(f"test IoU, {light}: {said}")
show.overlap(panels[:3], image[:, rows])
show.overlap(panels[3:], image[:, rows] / 2)
good, history = networks["all your views"], histories["all your views"]

# %% claim="In the light that they were trained in, both networks beat the threshold"
threshold, flips, all_views = tested["as taken"].values()
with torch.no_grad():
    untrained = iou(small().eval()(image[None])[0, 0] > 0, truth)
claim(
    lambda otsu, ways, views: min(ways, views) > otsu + 0.02,
    *(threshold, flips, all_views),
    untrained=(threshold, untrained, untrained),
)

# %% claim="In half the light the first network fails, and the second does better"
_, flips_dark, views_dark = tested["half the light"].values()
claim(
    lambda taken, dark, other: dark < taken - 0.2 and other > dark + 0.05,
    *(flips, flips_dark, views_dark),
    swapped=(all_views, views_dark, flips_dark),
)

# %% claim="Otsu's threshold moves with the light"
dark = tested["half the light"]["Otsu's threshold"]
claim(
    lambda taken, dark: abs(taken - dark) < 0.01, threshold, dark, flips=(flips, flips_dark)
)

# %% claim="Here light and bends earned nothing in the light of the training"
claim(
    lambda ways, views: views < ways + 0.02,
    *(flips, all_views),
    in_half_the_light=(flips_dark, views_dark),
)

# %% [markdown]
# In the light that they were trained in, both networks beat the threshold. In half the light the first network fails,
# and the second does better: it has met darker pictures in its views. How much better may depend on how far your light
# goes. (Otsu's threshold moves with the light.)
#
# So augmentation prepares a network for what the views show. Here light and bends earned nothing in the light of the
# training, and they paid off in another one.

# %% [markdown]
# Select a pixel of the output, and see which pixels of the image change it.

# %%
graph = ArchitectureGraph()
graph.forward(good, image[:, rows])
graph

# %% [markdown]
# ### Why so little is enough
#
# - **Every pixel is an example.** Neighbours resemble each other, so these are fewer examples than pixels, but many
#   more than one.
# - **The same weights everywhere.** What is learned at one nucleus is applied at all others.
# - **Views.** Each pixel comes in eight ways up and any number of bends.
# - **The test is near.** It is the same dye, microscope and day. Lesson 11 takes pictures from elsewhere.

# %%
labelled = splits["train"][0][1].numel()
parameters = sum(p.numel() for p in good.parameters())
print(
    f"{labelled:,} labelled pixels, {8 * labelled:,} with all ways up; {parameters:,} parameters"
)

# %% [markdown]
# ## 8 · The clinic
#
# Here are five runs with one mistake each. None of them raises an error that says
# what is wrong. Look at the symptom, read the cell, decide, and only then run the cure.


# %%
def clinic(title, train=tiles, check_on=validation, prepare=lambda x: x, **options):
    """A short run: how the loss went, the best validation IoU, and the mask of a test tile."""
    model, prepared = small(), [(prepare(x), m) for x, m in train]
    options = {"augment": any_way_up, "epochs": 480 / len(train), "lr": 1e-2} | options
    history = fit(model, prepared, [(prepare(x), m) for x, m in check_on], **options)
    outcome(
        title, model, history.losses, f", validation IoU {history.best['iou']:.2f}", prepare
    )
    return model, history


def outcome(title, model, losses, said, prepare):
    first, last = losses[0], sum(losses[-5:]) / 5
    print(f"{title}: loss {first:.2f} -> {last:.2f}{said}")
    x, m = test_tile
    with torch.no_grad():
        show.overlap([(title, model(prepare(x)[None])[0, 0] > 0, m > 0)], x)


test_tile = data.load("nuclei", "test", tile=128)[0]
_, healthy = clinic("a healthy run")

# %% [markdown]
# ### Case 1 · All black
#
# The second network of section 7 is put to work on a picture as it comes from a camera: whole numbers from 0 to 255.

# %%
from_camera = (test_tile[0][0] * 255).round().to(torch.uint8).numpy()
x = to_tensor(from_camera) / 255

with torch.no_grad():
    logits = sick = good(x[None])[0, 0]
show.overlap([("case 1", logits > 0, test_tile[1] > 0)], test_tile[0])
print(f"validation IoU of this network {history.best['iou']:.2f}")
print(f"image from {x.min():.4f} to {x.max():.4f}; largest logit {logits.max():.2f}")

# %%
quiz("clinic-black")

# %% [markdown]
# The cure, and the three questions for every black mask: what range does the image have *where it enters the network*?
# How large is the largest logit? Is the mask black on training tiles too?

# %%
x = to_tensor(from_camera)
with torch.no_grad():
    logits = good(x[None])[0, 0]
show.overlap([("case 1, cured", logits > 0, test_tile[1] > 0)], test_tile[0])
print(f"image from {x.min():.4f} to {x.max():.4f}; largest logit {logits.max():.2f}")

# %% claim="Not a weight was changed, and the nuclei are back"
found = [iou(one > 0, test_tile[1] > 0) for one in (sick, logits)]
claim(
    lambda largest, black, cured: largest < 0 and black == 0 and cured > 0.5,
    *(sick.max().item(), *found),
    swapped=(logits.max().item(), *found[::-1]),
)

# %% [markdown]
# Not a weight was changed, and the nuclei are back.
#
# ### Case 2 · Not a number
#
# Each tile of a series is brought to mean 0 and standard deviation 1. In one of the first steps the loss is not a
# number any more.


# %%
def standardise(image):
    return (image - image.mean()) / image.std()


def blind(title, train, loss, prepare=lambda x: x, views=lambda x, m, _: (x, m)):
    """60 steps of your own loop, which does not look at what it is given; returns the losses."""
    model, order = small(), torch.Generator().manual_seed(0)
    prepared = [(prepare(x), m) for x, m in train]
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=1e-2), []
    for _ in range(60):
        drawn = torch.randperm(len(train), generator=order)[:8].tolist()
        pairs = [views(*prepared[k], order) for k in drawn]
        losses.append(epoch(model, [batch(pairs)], loss, optimizer))
    outcome(title, model.eval(), losses, "", prepare)
    return model, losses


closed = (torch.zeros(1, 64, 64), torch.zeros(64, 64, dtype=torch.int64))
series = [closed, *tiles]
ill, losses = blind("case 2", series, dice_and_cross_entropy, standardise)

# %%
quiz("clinic-nan")

# %% [markdown]
# Do not guess which image it is: ask. Then make sure that nothing is divided by zero.

# %%
bad = [k for k, (x, _) in enumerate(series) if not standardise(x).isfinite().all()]
print("images that are not finite after scaling:", bad)
try:
    clinic("case 2", series, prepare=standardise, augment=None)
except GateError as error:
    print(error)


def standardise_safely(image):
    return (image - image.mean()) / image.std().clamp(min=1e-3)


well, cured = clinic("case 2, cured", series, prepare=standardise_safely, augment=None)

# %% claim="One black tile was enough: every weight of the sick network is NaN"
spoiled = [
    min(p.isnan().double().mean().item() for p in network.parameters())
    for network in (ill, well)
]
claim(
    lambda tiles, spoiled: tiles == [0] and spoiled == 1,
    *(bad, spoiled[0]),
    cured=(bad, spoiled[1]),
)

# %% claim="Scaling as such is not a mistake"
claim(
    lambda cured, healthy: cured > healthy - 0.1,
    *(cured.best["iou"], healthy.best["iou"]),
    all_black=(0.0, healthy.best["iou"]),
)

# %% [markdown]
# One black tile was enough: every weight of the sick network is NaN. Scaling as such is not a mistake: compare the
# cured IoU with the healthy run's, which had as many steps. Lesson 10 comes back to scaling.
#
# ### Case 3 · Below zero
#
# These masks were painted in a drawing program and saved as PNG. The loss is the binary cross-entropy of lesson 08.


# %%
def cross_entropy(logits, masks):
    return nn.functional.binary_cross_entropy_with_logits(logits[:, 0], masks.float())


painted = [(x, m * 255) for x, m in tiles]
_, losses = blind("case 3", painted, cross_entropy)

# %%
quiz("clinic-255")

# %% [markdown]
# One line, `painted[0][1].unique()`, would have found it before any training. Print it for every new data set. (`fit`
# refuses such masks: there 255 means *no label*.)

# %%
print("labels in a mask:", painted[0][1].unique().tolist())
_, cured = clinic(
    "case 3, cured", [(x, (m > 0).long()) for x, m in painted], loss=cross_entropy
)

# %% claim="With masks of 0 and 1 the same loss stays above zero"
claim(
    lambda cured, ill: cured > 0 and ill < -10,
    *(min(cured.losses), losses[-1]),
    swapped=(losses[-1], min(cured.losses)),
)

# %% [markdown]
# With masks of 0 and 1 the same loss stays above zero. With 0 and 255 it fell far below.
#
# ### Case 4 · Stuck
#
# The augmentation was taken from a library for *classification*. The code runs.


# %%
def library_views(image, mask, generator):
    image, _ = any_way_up(image, mask, generator)
    return image, mask


_, losses = blind("case 4", tiles, dice_and_cross_entropy, views=library_views)

# %%
quiz("clinic-image-only")

# %% [markdown]
# People seldom look at what the network is *fed*. On the left is a pair as it was fed in case 4, on the right the same
# draw with both moved. The cure trains the same loop on such pairs. (`fit` refuses the first augmentation.)

# %%
fed = [
    make(*tiles[9], torch.Generator().manual_seed(1))
    for make in (library_views, any_way_up)
]
panels = [("case 4: image", fed[0][0]), ("its mask", fed[0][1] > 0)]
show.images([*panels, ("cured: image", fed[1][0]), ("its mask", fed[1][1] > 0)], height=2.5)
_, cured = blind("case 4, cured", tiles, dice_and_cross_entropy, views=any_way_up)

# %% claim="With masks that turn as their images do, the loss gets much lower in as many steps"
ends = [sum(one[-10:]) / 10 for one in (losses, cured)]
claim(
    lambda ill, cured, first: cured < 0.7 * ill and ill < first,
    *(*ends, losses[0]),
    swapped=(*ends[::-1], losses[0]),
)

# %% [markdown]
# With masks that turn as their images do, the loss gets much lower in as many steps.
#
# ### Case 5 · Too good
#
# There is little data again: a piece of 96 × 96 pixels. To have more tiles, it was cut into tiles of 64 at every eighth
# pixel. Five of them were picked at random for validation.

# %%
cut = data.load("nuclei", "train", tile=64, stride=8)
piece = [k for k, (top, left) in enumerate(cut.corners) if 64 <= top <= 96 and left <= 32]
order = torch.randperm(len(piece), generator=torch.Generator().manual_seed(0)).tolist()
dealt = [cut[piece[k]] for k in order]
ill, leaked = clinic("case 5", dealt[:20], check_on=dealt[20:], augment=None, epochs=30)
test_ill = metrics.score(ill, data.load("nuclei", "test"))["iou"]
print(f"test columns: IoU {test_ill:.2f}")

# %%
quiz("clinic-leak")

# %% [markdown]
# The cure is to split *first*, by place, by patient or by day, and to cut tiles afterwards. The training tiles stay as
# they are; the validation tiles now come from other columns.

# %%
well, honest = clinic(
    "case 5, cured", dealt[:20], check_on=validation, augment=None, epochs=30
)
test_well = metrics.score(well, data.load("nuclei", "test"))["iou"]
print(f"test columns: IoU {test_well:.2f}")

# %% claim="The network is about as good as before"
claim(
    lambda ill, well: abs(well - ill) < 0.06,
    *(test_ill, test_well),
    what_the_leak_promised=(test_ill, leaked.best["iou"]),
)

# %% claim="What is better is the *number*: it promises less, and is nearer to what the test keeps"
gaps = [one.best["iou"] - test for one, test in ((leaked, test_ill), (honest, test_well))]
claim(
    lambda leaked, honest: leaked > 0.06 and abs(honest) < leaked / 2,
    *gaps,
    swapped=gaps[::-1],
)

# %% [markdown]
# The network is about as good as before. What is better is the *number*: it promises less, and is nearer to what the
# test keeps. Here the leak did not harm the network. It harms you, and you find out after the paper is out. A survey of
# fields that use machine learning found leaks in hundreds of papers (Kapoor and Narayanan 2023).
#
# ## Graded questions
#
# Your answers are kept, and you hear whether they are right when they are graded.

# %% graded="what-keeps-validation-honest"
quiz("what-keeps-validation-honest")

# %% graded="a-minute-of-debugging"
quiz("a-minute-of-debugging")

# %% [markdown]
# ## Recap
#
# 1. Learn one batch by heart first. It takes two seconds and shows that model, loss and loop work together.
# 2. Augmentation moves image and mask together, and changes the light of the image alone. It prepares for what it
#    shows.
# 3. Keep the best weights by the score that counts, and keep a test part by which nothing was chosen.
# 4. Every pixel is an example, and the weights are shared over all places.
# 5. When a run goes wrong, first look at what goes in: the range, the labels, each mask drawn over its image.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Train with `augment=None` in section 7, from several seeds. How much do flips and turns earn with half a picture?
#
# **Sources** · Ronneberger, O., Fischer, P. and Brox, T. (2015), *U-Net: convolutional networks for biomedical image
# segmentation*, arXiv:1505.04597 · Simard, P. Y., Steinkraus, D. and Platt, J. C. (2003), ICDAR 2003, 958–963 · Smith,
# L. N. and Topin, N. (2018), *Super-convergence*, arXiv:1708.07120 · Prechelt, L. (1998), *Early stopping – but when?*
# · Kapoor, S. and Narayanan, A. (2023), *Leakage and the reproducibility crisis in machine-learning-based science*,
# Patterns 4, 100804 · The micrograph: Caicedo, J. C. et al. (2019), *Nucleus segmentation across imaging experiments*,
# Nature Methods 16, 1247–1253
