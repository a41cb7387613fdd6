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
# **You will** write the loop that trains a U-Net, make much data out of little, know when to stop, and find out what is
# wrong with five runs that went wrong.
#
# **Time** about 60 minutes · **You need** a U-Net (lesson 07) and a
# loss (lesson 08). If you skipped them, start here: what you have not written is taken from the course · **You write**
# `train_one_epoch`, `evaluate`, `augment_pair`, `elastic_pair` and `EarlyStopping`

# %%
import numpy as np
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.filters import threshold_otsu
from torch import nn
from torch.utils.data import Subset

from helpers import metrics
from helpers.data.gate import GateError
from helpers.training import dice_and_cross_entropy, fit

UNet, iou, to_tensor = earlier("UNet", "iou", "to_tensor")

# %% [markdown]
# ## 1 · One picture, cut in three
#
# This is all the data there is: one micrograph, labelled by hand. The left half is for training, the next quarter to
# look at while you train (*validation*), the last quarter for the end (*test*).

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
# Some seventy nuclei sound like nothing beside the millions of pictures behind other networks. Can that be enough to
# draw the nuclei in the last quarter? By the end of section 7 you will have measured it.
#
# Training reads *pairs* of plain tensors. Small runs below take 32 tiles of 64 × 64 pixels from the left half, and two
# larger ones for validation.


# %%
def plain(pairs):
    """A list of image (1, H, W) and mask (H, W), as plain tensors."""
    return [tuple(x.as_subclass(torch.Tensor) for x in pair) for pair in pairs]


def batch(pairs):
    """Images (N, 1, H, W) and masks (N, H, W)."""
    images, masks = zip(*pairs, strict=True)
    return torch.stack(images), torch.stack(masks)


def small():
    """The same untrained U-Net each time."""
    torch.manual_seed(0)
    return UNet(1, 1, base_channels=8, depth=3)


tiles = plain(data.load("nuclei", "train", tile=64))
wide = plain(data.load("nuclei", "validation", tile=128))
validation = [wide[0], wide[2]]
print(f"{len(tiles)} tiles, {sum(p.numel() for p in small().parameters()):,} parameters")

# %% [markdown]
# ## 2 · The loop
#
# You have a network that answers and a loss that says how wrong it was. What is missing is the turn of the screw: for
# each *batch*, compute the loss, forget the old gradients, compute the new ones, and let the *optimizer* move every
# weight a little downhill. Once through all batches is an *epoch*.

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
# Three things have to stand in this order: `backward()` fills the gradients, `step()` uses them, and between the two
# nothing may set them to zero. And the optimizer must be the one you are given: it holds the model's weights.
#
# </details>
#
# ### Look: one batch, by heart
#
# Before you train on everything, train on *one batch*, again and again. A network with a hundred thousand numbers can
# know two small tiles by heart. If it cannot, something is broken, and you have found out in two seconds.
#
# **Predict.** What would a broken loop look like?

# %%
quiz("one-batch-by-heart")

# %% [markdown]
# Three runs of your loop on two tiles, with three learning *rates*: how far a step goes. Everything else is the same.

# %%
two = [batch([tiles[1], tiles[9]])]
epoch = use(train_one_epoch)
curves, by_heart = [], None
for rate in (1e-4, 1e-2, 10.0):
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

# %% [markdown]
# Too low a rate crawls. Too high a rate leaps about before it settles, if it does. Between them lie a few
# powers of ten in which all is well, so a search needs few runs: try 10⁻⁴, 10⁻³, 10⁻² on one batch. `fit`, which you
# will use below, lets the rate rise over the first fifth of a run and fall to nothing until its end (*one cycle*, Smith
# and Topin 2018): long steps while the weights are far from good, short ones at the end.

# %% [markdown]
# ## 3 · A number for tiles it has not seen
#
# The network knows two tiles by heart. What is it worth on others? For that you need the loop without its gradients,
# with batch norm in *evaluation mode*, and the scores of lesson 02.

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
# A cell that is handed in stands alone, so import inside it: `from helpers.reference.overlap import dice, iou`. They are
# the course's; yours from lesson 02 work as well, written into the same cell.
#
# </details>
#
# <details><summary>A single logit has nothing to compare with</summary>
#
# `torch.cat([torch.zeros_like(logits), logits], dim=1)` puts a logit of 0 for the background beside it. The softmax of
# the two is the sigmoid of the one, so from there on one class is two classes.
#
# </details>
#
# ### Look

# %%
measure = use(evaluate)
for name, loader in {"its two tiles": two, "validation tiles": [batch(validation)]}.items():
    scores = measure(by_heart, loader)
    print(f"{name:>17}:  loss {scores['loss']:.3f}   IoU {scores['iou']:.3f}")

# %% [markdown]
# Between these two numbers lies the whole trade. The first says that the code works. The second is the one
# you want to raise, and more of the same two tiles will not do it.

# %% [markdown]
# ## 4 · More data from the data there is
#
# A nucleus has no upper side. Turned or mirrored, it is another nucleus that somebody could have photographed, and the
# mask turns with it: a new pair, at no cost. A little more or less light is another lamp. And tissue is soft: bent, it
# is still tissue.

# %%
image, truth = tiles[9]
play.augmentation(image, truth, seed=2, strength=1.0)

# %% [markdown]
# Flips and quarter turns move pixels and mix none, so both image and mask stay exact. The light belongs to
# the image alone. All chance comes from the `generator` you are given, so that a run can be repeated.

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
# Draw first, act afterwards: if `flip` is decided inside two calls, each call decides for itself. And count axes from
# the end: −1 is the columns of `(C, H, W)` and of `(H, W)`, while 1 is not.
#
# </details>
#
# ### Look
#
# Six draws of yours, each above its mask. The percentage says how much of the *original* mask the new one still covers:
# labels left behind would lie on nuclei by chance only. The way up changes, the area does not.

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

# %% [markdown]
# ### Bend it
#
# Flips give eight views of a tile. Bending gives any number. Fetch each pixel from a place a little off its
# own, where neighbours are off by nearly the same: take random numbers, smooth them, and you have a field of small
# arrows. That is an *elastic deformation* (Simard et al. 2003), and the 2015 paper gives it much of the credit for
# learning from 30 pictures.
#
# The arrows are given. What they lack is their length: smoothing takes the mean of many numbers that cancel each other.


# %%
def arrows(height, width, sigma, generator):
    """Smooth noise (2, height, width), a NumPy array: where each pixel comes from, down and across."""
    noise = 2 * torch.rand(2, height, width, generator=generator).numpy() - 1
    return gaussian_filter(noise, (0, sigma, sigma))


for sigma in (2, 8):
    field = arrows(64, 64, sigma, torch.Generator().manual_seed(0))
    print(f"sigma {sigma}: root mean square {(field**2).mean() ** 0.5:.3f} pixels")

# %% [markdown]
# Most of them point between pixels. What then?

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
# <details><summary>Nothing seems to move</summary>
#
# Smoothing takes the mean of many numbers that cancel each other, so hardly anything is left. Measure the field's root
# mean square *after* smoothing, and scale it to `alpha`.
#
# </details>
#
# ### Look
#
# A grid shows what the eye misses on nuclei. How much bending is too much? Ask whether the picture could still be a
# photograph.

# %%
bend = use(elastic_pair)
ruled = image.clone()
ruled[:, 4::8] = ruled[:, :, 4::8] = 0.6  # a line at every eighth pixel
panels = [("as it was", ruled)]
for alpha, sigma in ((2.0, 8.0), (6.0, 8.0), (2.0, 1.0)):
    bent, _ = bend(ruled, truth, alpha, sigma, torch.Generator().manual_seed(0))
    panels.append((f"alpha {alpha:g}, sigma {sigma:g}", bent))
show.images(panels, height=3)

# %% [markdown]
# The second could be a photograph. In the third, nuclei melt; in the fourth, neighbours move against each other and the
# picture crumbles. Augmentation may only do what the world could have done: a chest is never photographed upside down,
# and a 6 turned round is a 9.

# %% [markdown]
# ## 5 · When to stop
#
# Your pieces together now: the loop, the score, the views. The task is made hard on purpose, with a *single* tile of
# 64 × 64 pixels to learn from. Watch the loss on that tile, and the IoU on the others.


# %%
def course_of(augmented, epochs=40):
    """Training loss, validation loss and IoU of each epoch, on one tile; an epoch has four steps."""
    model, generator = small(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    records = []
    for _ in range(epochs):
        views = [tiles[9]] * 8
        if augmented:
            views = [augment(*pair, generator) for pair in views]
        loader = [batch(views[k : k + 2]) for k in range(0, 8, 2)]
        loss = epoch(model, loader, dice_and_cross_entropy, optimizer)
        scores = measure(model, [batch(validation)])
        records.append((loss, scores["loss"], scores["iou"]))
    return torch.tensor(records).T  # (3, epochs)


runs = {"as it is": course_of(False), "flipped, turned, lit": course_of(True)}
for k, what in enumerate(("training loss", "validation loss", "validation IoU")):
    show.curves(
        torch.arange(40),
        [(name, run[k]) for name, run in runs.items()],
        title=f"One tile to learn from: {what}",
        xlabel="epoch",
        ylabel=what,
        log="loss" in what,
        height=2.4,
    )

# %% [markdown]
# Without augmentation the training loss goes towards nothing: the tile is known by heart. On other tiles the loss
# turns and *rises*: what is learned from then on is this tile's noise, and the network grows surer of its mistakes.
# That is *overfitting*. With new views in every epoch there is less to learn by heart, and the training loss stays
# higher, as it should. Its validation scores jump about, because with two views in a batch each step pulls another way.
# So two questions come up: which epoch's weights do you keep, and how long do you wait for better ones?

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
# Your stopping rule on the two runs above, with three patiences.

# %%
Stopping = use(EarlyStopping)
for name, (*_, scores) in runs.items():
    for patience in (2, 5, 15):
        stopping = Stopping(patience)
        stops = [k for k, score in enumerate(scores.tolist()) if stopping.step(score)]
        end = f"stops after epoch {stops[0]}" if stops else "never stops"
        seen = scores[: stops[0] + 1] if stops else scores
        print(f"{name:>21}, patience {patience:2}: {end}, best IoU so far {seen.max():.3f}")
    print(f"{'':>21}  best of all 40 epochs: {scores.max():.3f}, last: {scores[-1]:.3f}")

# %% [markdown]
# A short patience ends the run at the first bump. And mind what you have done: you have *chosen* by the validation
# score, so the best of forty is a little too good to be true. That is why there is a third part, the test columns, that
# nothing was chosen by (Prechelt 1998 on the rules themselves).

# %% [markdown]
# ## 6 · A run that can be interrupted
#
# From here on `fit` trains: your loop, with the rate that rises and falls, weights averaged over the last steps, the best
# of them kept. It also keeps *checkpoints*: all that is needed to go on. That is more than the weights. The optimizer
# remembers past gradients, and chance must go on where it was. Here a run is cut off in the middle and resumed,
# and compared with one that was not.

# %%
import tempfile
from pathlib import Path


def short_run(**options):
    model = small()
    history = fit(
        model, tiles, validation, epochs=4, augment=augment, patience=99, **options
    )
    return model, history


with tempfile.TemporaryDirectory() as folder:
    kept = Path(folder) / "run.safetensors"
    whole, _ = short_run()
    _, cut = short_run(checkpoint=kept, monitor=lambda history, fraction: fraction > 0.5)
    resumed, rest = short_run(checkpoint=kept, resume=True)
print(
    f"the one: {cut.stopped} after {cut.steps} steps; resumed: {rest.stopped} after {rest.steps}"
)
weights = zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
print("the same weights, bit for bit:", all(torch.equal(a, b) for a, b in weights))

# %% [markdown]
# ## 7 · Half a picture, half a minute
#
# Now everything: the left half, in random squares of 64 pixels, with your views, some of them bent. How far does it
# get on the last quarter, which it has never seen? Otsu's threshold from lesson 02 is the bar.


# %%
def views(image, mask, generator):
    """Your augmentation: any way up, another light, and bent in every second draw."""
    image, mask = augment(image, mask, generator)
    if torch.rand((), generator=generator) < 0.5:
        image, mask = bend(image, mask, 1.5, 8.0, generator)
    return image, mask


good = small()
history = fit(
    good, splits["train"], splits["validation"], seconds=30, crop=64, augment=views
)
seconds = torch.tensor([s["seconds"] for s in history.scores])
show.curves(
    seconds,
    [("validation IoU", torch.tensor([s["iou"] for s in history.scores]))],
    title=f"{history.steps} steps on half a micrograph",
    xlabel="seconds",
    ylabel="IoU",
)

# %%
[(image, truth)] = plain(splits["test"])
truth = truth > 0
with torch.no_grad():
    found = good(image[None])[0, 0] > 0
bright = image[0] > threshold_otsu(image[0].numpy())
rows = slice(128, 256)  # a piece to look at
panels = [
    ("Otsu's threshold", bright[rows], truth[rows]),
    ("your U-Net", found[rows], truth[rows]),
]
show.overlap(panels, image[:, rows])
print(
    f"IoU on the whole test quarter: Otsu {iou(bright, truth):.3f}, U-Net {iou(found, truth):.3f}"
)

# %% [markdown]
# What does your trained network look at? Select a pixel of the output in the middle of a nucleus, then one at its rim, and
# see which pixels of the image move it. Select decoder 0 to see the maps that the head decides by.

# %%
graph = ArchitectureGraph()
graph.forward(good, image[:, rows])
graph

# %% [markdown]
# ### Why so little is enough
#
# *One* picture, and it works. Four reasons, and the next cell puts numbers to the first two:
#
# - **Every pixel is an example.** A classifier gets one label from a picture. Here each pixel has its own label, and its
#   surroundings are the picture that goes with it. Neighbours resemble each other, so it is not as much as it
#   sounds, but it is much more than one.
# - **The same weights everywhere.** What is learned at one nucleus holds at all others; nothing has to be learned for
#   each place again.
# - **Views.** Each of these pixels comes in eight ways up and any number of bends.
# - **The test is near.** The same dye, microscope and day. On a picture from another laboratory it would do worse, and
#   nothing here measures how much. Lesson 11 does.

# %%
labelled = splits["train"][0][1].numel()
parameters = sum(p.numel() for p in good.parameters())
print(
    f"{labelled:,} labelled pixels, {8 * labelled:,} with all ways up; {parameters:,} parameters"
)

# %% [markdown]
# ## 8 · The clinic
#
# Five runs with one mistake each, of the kind that costs people days. None of them raises an error that says what is
# wrong: where `fit` would, your own loop runs in its place, which takes what it is given, as most loops do. Look at the symptom, read the cell, decide, and only then run the cure. Every run is the same short one: 60
# steps, a few seconds.


# %%
def clinic(title, train=tiles, check_on=validation, prepare=lambda x: x, **options):
    """A short run: how the loss went, the best validation IoU, and the mask of a test tile."""
    model, prepared = small(), [(prepare(x), m) for x, m in train]
    options = {
        "augment": augment,
        "epochs": 480 / len(train),
        "lr": 1e-2,
        "patience": 99,
    } | options
    history = fit(model, prepared, [(prepare(x), m) for x, m in check_on], **options)
    outcome(
        title, model, history.losses, f", validation IoU {history.best['iou']:.2f}", prepare
    )
    return model


def outcome(title, model, losses, said, prepare):
    first, last = losses[0], sum(losses[-5:]) / 5
    print(f"{title}: loss {first:.2f} -> {last:.2f}{said}")
    x, m = test_tile
    with torch.no_grad():
        show.overlap([(title, model(prepare(x)[None])[0, 0] > 0, m > 0)], x)


test_tile = plain(data.load("nuclei", "test", tile=128))[0]
well = clinic("a healthy run")

# %% [markdown]
# ### Case 1 · All black
#
# The network of section 7 is put to work on a new picture, as it comes from a camera: whole numbers from 0 to 255.

# %%
from_camera = (test_tile[0][0] * 255).round().to(torch.uint8).numpy()
x = to_tensor(from_camera) / 255

with torch.no_grad():
    logits = good(x[None])[0, 0]
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

# %% [markdown]
# ### Case 2 · Not a number
#
# A series of tiles, each brought to mean 0 and standard deviation 1 by itself. The first of the series was taken with
# the shutter closed.


# %%
def standardise(image):
    return (image - image.mean()) / image.std()


def blind(title, train, loss, prepare=lambda x: x, views=lambda x, m, _: (x, m)):
    """As many steps of your own loop, without a look at what it is given."""
    model, order = small(), torch.Generator().manual_seed(0)
    prepared = [(prepare(x), m) for x, m in train]
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=1e-2), []
    for _ in range(60):
        drawn = torch.randperm(len(train), generator=order)[:8].tolist()
        pairs = [views(*prepared[k], order) for k in drawn]
        losses.append(epoch(model, [batch(pairs)], loss, optimizer))
    outcome(title, model.eval(), losses, "", prepare)


closed = (torch.zeros(1, 64, 64), torch.zeros(64, 64, dtype=torch.int64))
series = [closed, *tiles]
blind("case 2", series, dice_and_cross_entropy, standardise)

# %%
quiz("clinic-nan")

# %% [markdown]
# Do not guess which image it is; ask. `fit` does so before it trains. Then see that nothing is divided by nothing.

# %%
bad = [k for k, (x, _) in enumerate(series) if not standardise(x).isfinite().all()]
print("images that are not finite after scaling:", bad)
try:
    clinic("case 2", series, prepare=standardise, augment=None)
except GateError as error:
    print(error)


def standardise_safely(image):
    return (image - image.mean()) / image.std().clamp(min=1e-3)


well = clinic("case 2, cured", series, prepare=standardise_safely, augment=None)

# %% [markdown]
# Scaling as such is no mistake: compare the cured IoU with the healthy run's, in as many steps. (Without augmentation here, since
# its light is made for values from 0 to 1.) Lesson 10 comes back to that.
#
# ### Case 3 · Below zero
#
# These masks were painted in a drawing program and saved as PNG. The loss is the binary cross-entropy of lesson 08.


# %%
def cross_entropy(logits, masks):
    return nn.functional.binary_cross_entropy_with_logits(logits[:, 0], masks.float())


painted = [(x, m * 255) for x, m in tiles]
blind("case 3", painted, cross_entropy)

# %%
quiz("clinic-255")

# %% [markdown]
# One line would have found it, `painted[0][1].unique()`, before any training. Print it for every new data set. (`fit`
# looks, and refuses such masks: here 255 means *no label*, so no object would be left to learn from.)

# %%
print("labels in a mask:", painted[0][1].unique().tolist())
well = clinic(
    "case 3, cured", [(x, (m > 0).long()) for x, m in painted], loss=cross_entropy
)

# %% [markdown]
# ### Case 4 · Stuck
#
# The augmentation was taken from a library for *classification*. The code runs.


# %%
def library_views(image, mask, generator):
    image, _ = augment(image, mask, generator)
    return image, mask


blind("case 4", tiles, dice_and_cross_entropy, views=library_views)

# %%
quiz("clinic-image-only")

# %% [markdown]
# What the network is *fed* is seldom looked at, and it is where most mistakes live. Left a pair as it was fed in case 4,
# right one of yours. (`fit` hands an augmentation the picture of a mask first, and refuses this one.)

# %%
fed = [
    make(*tiles[9], torch.Generator().manual_seed(1)) for make in (library_views, augment)
]
panels = [("case 4: image", fed[0][0]), ("its mask", fed[0][1] > 0)]
show.images([*panels, ("yours: image", fed[1][0]), ("its mask", fed[1][1] > 0)], height=2.5)
well = clinic("case 4, cured")

# %% [markdown]
# ### Case 5 · Too good
#
# Little data again: a piece of 96 × 96 pixels, cut into tiles of 64 at every eighth pixel to have more of them,
# five of the tiles dealt out at random for validation. No augmentation.

# %%
cut = data.load("nuclei", "train", tile=64, stride=8)
piece = [k for k, (top, left) in enumerate(cut.corners) if 64 <= top <= 96 and left <= 32]
order = torch.randperm(len(piece), generator=torch.Generator().manual_seed(0)).tolist()
dealt = plain(Subset(cut, [piece[k] for k in order]))
ill = clinic("case 5", dealt[:20], check_on=dealt[20:], augment=None, epochs=30)
print(f"test columns: IoU {metrics.score(ill, data.load('nuclei', 'test'))['iou']:.2f}")

# %%
quiz("clinic-leak")

# %% [markdown]
# The cure is to split *first*, by place, by patient, by day, and to cut tiles afterwards. The training tiles stay as they
# are; the validation now comes from other columns.

# %%
well = clinic("case 5, cured", dealt[:20], check_on=validation, augment=None, epochs=30)
print(f"test columns: IoU {metrics.score(well, data.load('nuclei', 'test'))['iou']:.2f}")

# %% [markdown]
# The network is no better for it. What is better is the *number*: it now says what to expect. A leak does not
# harm the network, it harms you, and you find out after the paper is out. In a survey of fields that use machine
# learning, leaks were found in hundreds of papers (Kapoor and Narayanan 2023).
#
# ## Graded questions
#
# They keep your answer and say nothing until they are graded.

# %% graded="what-keeps-validation-honest"
quiz("what-keeps-validation-honest")

# %% graded="a-minute-of-debugging"
quiz("a-minute-of-debugging")

# %% [markdown]
# ## Recap
#
# 1. Learn one batch by heart first. It costs two seconds and shows that model, loss and loop belong together.
# 2. Augmentation moves image and mask together, changes light on the image only, and does only what the world could.
# 3. Keep the best weights by the validation score, and keep a test part that nothing was chosen by.
# 4. Every pixel is an example, and weights are shared over all places: half a picture can be enough for the other half.
# 5. When a run goes wrong, look at what goes in (range, labels, a pair laid over each other) before you turn knobs.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Train with `augment=None` in section 7. How much do the views earn when there are 70 nuclei, and how much with one
#   tile?
# - Give the network of section 7 a picture of `data.load("cells", "test")`. What is left of its IoU?
# - Recht et al. (2019) built new test sets for well-known data sets. Read what happened to the scores.
#
# **Sources** · Ronneberger, O., Fischer, P. and Brox, T. (2015), *U-Net: convolutional networks for biomedical image
# segmentation*, arXiv:1505.04597 · Simard, P. Y., Steinkraus, D. and Platt, J. C. (2003), *Best practices for
# convolutional neural networks applied to visual document analysis*, ICDAR 2003, 958–963 · Smith, L. N. and Topin, N.
# (2018), *Super-convergence*, arXiv:1708.07120 · Prechelt, L. (1998), *Early stopping – but when?*, in Neural Networks:
# Tricks of the Trade, Springer · Kapoor, S. and Narayanan, A. (2023), *Leakage and the reproducibility crisis in
# machine-learning-based science*, Patterns 4, 100804 · Recht, B. et al. (2019), *Do ImageNet classifiers generalize to
# ImageNet?*, arXiv:1902.10811 · The micrograph: Caicedo, J. C. et al. (2019), *Nucleus segmentation across imaging
# experiments*, Nature Methods 16, 1247–1253
