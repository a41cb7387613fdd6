# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 10 · Baseline: a rival with a million photographs behind it
#
# **You will** put your U-Net into a race against a network that others trained on ImageNet, at equal time and equal
# data, find out when the rival wins and when it does not, and see what decides more than either.
#
# **Time** about 45 minutes · **You need** a U-Net (lesson 07) and how to train it (lesson 09); what you have not written
# is taken from the course · **You write** `normalise`, `freeze_encoder` and `compare`

# %%
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import Subset

from helpers import compare_models, metrics
from helpers.baseline import build_baseline
from helpers.training import dice_and_cross_entropy, fit

UNet, flip_pair, augment_pair, train_one_epoch = earlier(
    "UNet", "flip_pair", "augment_pair", "train_one_epoch"
)

# %% [markdown]
# ## 1 · Why start from nothing?
#
# Your network starts as noise: it has to find out from your few labels what an edge is. Others have found that out
# long ago, on 1.3 million photographs of a thousand kinds of things (*ImageNet*, Deng et al. 2009). Their weights are
# free. Take such a network as the *encoder*, put a decoder with skips behind it, and it is a U-Net that begins with
# eyes: *transfer learning*.
#
# `segmentation_models_pytorch` (Iakubovskii 2019), *smp* for short, builds such networks in one line. The encoder here
# is EfficientNet-Lite0; its weights came with the course, so no network is needed.

# %%
torch.manual_seed(0)
pretrained = build_baseline(in_channels=3, num_classes=1)
blank = build_baseline(in_channels=3, num_classes=1, weights=None)
mine = UNet(1, 1, base_channels=8, depth=3)


def millions(module):
    return sum(p.numel() for p in module.parameters()) / 1e6


print(f"rival: {millions(pretrained):.2f} million parameters, ", end="")
print(
    f"{millions(pretrained.encoder):.2f} of them in the encoder; yours: {millions(mine):.2f}"
)

# %% [markdown]
# Both are a U. Here they are drawn from a run on the same tile, first yours, then the rival; select a part of either to
# compare, or a pixel of its output.

# %%
image, labels = data.load("nuclei", "train", tile=128)[7]
image = image.as_subclass(torch.Tensor)  # (1, 128, 128)
colour = image.expand(3, -1, -1)[None]  # (1, 3, 128, 128): a grey photograph
graph = ArchitectureGraph()
graph.forward(mine, image)
graph.beside(pretrained, colour)

# %% [markdown]
# What do its eyes see in a micrograph? Here are maps of its second level, beside those of the same encoder with random
# weights. Neither has ever seen a nucleus.

# %%
for name, model in (("trained on photographs", pretrained), ("random", blank)):
    with torch.no_grad():
        maps = model.eval().encoder((colour - model.mean) / model.std)[2][0]
    print(name)
    panels = [(f"channel {k}", maps[k] - maps[k].mean()) for k in range(0, 20, 5)]
    show.images([("micrograph", image), *panels], height=2.2)

# %% [markdown]
# To the eye, the random maps are the picture again, blurred, and the trained ones are nearly noise: they answer to fine
# texture, and a micrograph has grain. But looks deceive. Ask instead what can be *read off* the maps: one
# weight for each channel of the first four levels, fitted by least squares on eight tiles, and no training at all.


# %%
def maps_and_labels(model, pairs):
    """Maps of four levels at 32 × 32 places, one row a place, and whether there is nucleus."""
    rows, nucleus = [], []
    for x, m in pairs:
        x = (x.as_subclass(torch.Tensor).expand(3, -1, -1)[None] - model.mean) / model.std
        with torch.no_grad():
            levels = model.eval().encoder(x)[1:5]
        levels = [
            F.interpolate(level, (32, 32), mode="bilinear", antialias=True)
            for level in levels
        ]
        rows.append(torch.cat(levels, dim=1)[0].flatten(1).T)
        nucleus.append(F.avg_pool2d((m > 0).float()[None], 4).flatten() > 0.5)
    return torch.cat(rows).double(), torch.cat(nucleus)


seen, unseen = (data.load("nuclei", split, tile=128) for split in ("train", "test"))
for name, model in (("trained on photographs", pretrained), ("random", blank)):
    (x, y), (x_new, y_new) = maps_and_labels(model, seen), maps_and_labels(model, unseen)
    middle, width = x.mean(0), x.std(0) + 1e-9
    x, x_new = (x - middle) / width, (x_new - middle) / width
    wanted = 2 * y.double() - 1  # 1 in a nucleus, −1 outside
    offset = wanted.mean()
    gram = x.T @ x + 10.0 * torch.eye(
        x.shape[1]
    )  # a little ridge, for channels that are alike
    weights = torch.linalg.solve(gram, x.T @ (wanted - offset))
    found = x_new @ weights + offset > 0
    overlap = 2 * (found & y_new).sum() / (found.sum() + y_new.sum())
    print(f"{name:>23}: Dice {overlap:.3f} on the test tiles, from {x.shape[1]} channels")

# %% [markdown]
# The gap between the two is what the photographs have taught it. And mind how far the random maps come: finding nuclei
# asks for little.
#
# ## 2 · Speak its language
#
# You may have noticed `(colour - mean) / std` above. The encoder was trained on numbers on a certain scale, and its
# weights expect that scale. Which one should your micrograph get?

# %%
quiz("which-mean")

# %% [markdown] card="normalise"


# %% exercise="normalise"
def normalise(image, mean, std):
    """Each channel less its mean, over its standard deviation.

    image: float (C, H, W) or (N, C, H, W) with len(mean) channels, or with one, which stands for
    every channel. Returns len(mean) channels.
    """
    ### BEGIN SOLUTION
    mean = image.new_tensor(mean)[:, None, None]  # (C, 1, 1), on the device of the image
    std = image.new_tensor(std)[:, None, None]
    return (image - mean) / std
    ### END SOLUTION


# %% check="normalise"
check(normalise)

# %% [markdown]
# <details><summary>The size of tensor a must match the size of tensor b</summary>
#
# Shapes are lined up from the *end*: `(3,)` meets the columns of `(3, H, W)`. As `(3, 1, 1)` it meets the channels.
#
# </details>
#
# ### Look
#
# Your `normalise` in front of the rival's network, against what the course's `build_baseline` does inside. And how far
# off are the features of the deepest level when the scale is forgotten?

# %%
scale = use(normalise)
mean, std = pretrained.mean.flatten().tolist(), pretrained.std.flatten().tolist()
print(f"mean {mean}, standard deviation {std}")
grey = image[None]  # (1, 1, 128, 128)
with torch.no_grad():
    difference = pretrained.network(scale(grey, mean, std)) - pretrained(colour)
    right = pretrained.encoder(scale(grey, mean, std))[-1]
    for name, x in {"0 to 1": colour, "0 to 255": 255 * colour}.items():
        wrong = pretrained.encoder(x)[-1]
        off = (wrong - right).norm() / right.norm()
        print(f"image left at {name}: the deepest features are {off:.0%} off")
print(f"yours against the course's: {difference.abs().max():.1e}")

# %% [markdown]
# No error was raised for the wrong scales. The features are other features, that is all, and the decoder would have to
# learn from those. From here on `build_baseline` does the scaling, for grey images as well.

# %% [markdown]
# ## 3 · Keep what it knows
#
# The decoder starts as noise, so the first gradients that reach the encoder are noise too, and with few tiles they can
# ruin in a minute what took days to learn. One way out: *freeze* the encoder, and train the decoder alone. The
# other is *fine-tuning*: train everything, with a low rate. You will race both.
#
# **Predict.** How do you freeze it? The first idea is `requires_grad_(False)`.

# %%
quiz("frozen-and-yet-it-moves")

# %% [markdown] card="freeze_encoder"


# %% exercise="freeze_encoder"
def freeze_encoder(model):
    """Training leaves model.encoder as it is from now on, also after model.train(); in place."""
    ### BEGIN SOLUTION
    import types

    def stay(encoder, mode=True):
        return type(encoder).train(encoder, False)

    model.encoder.requires_grad_(False)
    model.encoder.train = types.MethodType(stay, model.encoder)
    model.encoder.eval()
    return model
    ### END SOLUTION


# %% check="freeze_encoder"
check(freeze_encoder)

# %% [markdown]
# <details><summary>It is undone at the next epoch</summary>
#
# `model.train()` calls `train(True)` of every part, the encoder too. So the encoder needs a `train` of its own which
# goes to evaluation mode whatever it is asked. An attribute set on *one* object hides the method of its class.
#
# </details>
#
# ### Look
#
# Three real steps of your loop on four tiles, and what has moved in the encoder since.


# %%
def moved(model):
    """The largest change of the encoder's parameters, and of its other numbers, by three steps."""
    names = {name for name, _ in model.encoder.named_parameters()}
    before = {k: v.clone() for k, v in model.encoder.state_dict().items()}
    tiles = [data.load("nuclei", "train", tile=64)[k] for k in (1, 9, 18, 25)]
    images, masks = (
        torch.stack([p[j].as_subclass(torch.Tensor) for p in tiles]) for j in (0, 1)
    )
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-3)
    train_one_epoch(model, [(images, masks)] * 3, dice_and_cross_entropy, optimizer)
    now = model.encoder.state_dict()
    change = {k: (now[k] - before[k]).abs().max().item() for k in before}
    inside = max(v for k, v in change.items() if k in names)
    return inside, max(v for k, v in change.items() if "running" in k)


freeze = use(freeze_encoder)
candidates = {
    name: build_baseline(in_channels=1) for name in ("nothing", "gradients", "yours")
}
candidates["gradients"].encoder.requires_grad_(False)
freeze(candidates["yours"])
for name, model in candidates.items():
    inside, running = moved(model)
    print(f"frozen: {name:>9}   weights moved by {inside:.1e}, statistics by {running:.1e}")

# %% [markdown]
# With the gradients off, the weights stand still and the statistics still walk. Yours leaves both at exactly 0.
#
# ## 4 · A fair race
#
# Three entrants: **yours**, the U-Net with 8 channels at full size; the rival **frozen**; the rival **fine-tuned**.
# Before it starts, the rules.

# %%
quiz("what-is-a-fair-race")

# %% [markdown]
# So: the same tiles, the same augmentation, the same loss, the same *seconds* on this machine, and the same rule to
# choose the best weights. The rates were chosen by the same three trials each (10⁻², 3·10⁻³, 10⁻³) on the validation
# tiles; the middle one did best for all three entrants. Test tiles are for the table only.
#
# And the table needs columns: what a network gets, and what it costs.

# %% [markdown] card="compare"


# %% exercise="compare"
def compare(models, loader):
    """A list with a dict for each model: name, parameters, ms (an image), dice, iou.

    models: {name: model}; loader: gives images (N, C, H, W) and masks (N, H, W).
    dice and iou are those of evaluate (lesson 09). Every model gets its mode back.
    """
    ### BEGIN SOLUTION
    import time

    from helpers.reference.training import evaluate

    rows = []
    for name, model in models.items():
        scores = evaluate(model, loader)
        was_training, seconds, count = model.training, 0.0, 0
        model.eval()
        with torch.no_grad():
            for images, _ in loader:
                start = time.perf_counter()
                model(images)
                seconds += time.perf_counter() - start
                count += len(images)
        model.train(was_training)
        parameters = sum(p.numel() for p in model.parameters())
        row = {"name": name, "parameters": parameters, "ms": 1000 * seconds / count}
        rows.append({**row, "dice": scores["dice"], "iou": scores["iou"]})
    return rows
    ### END SOLUTION


# %% check="compare"
check(compare)

# %% [markdown]
# <details><summary>Is there something I can build on?</summary>
#
# `from helpers.reference.training import evaluate`, inside the cell, is lesson 09's. It gives two of the five columns.
#
# </details>

# %% [markdown]
# ## 5 · Nuclei: one tile, two, four, eight
#
# A single number says who wins *here*. A **learning curve** says how that depends on how much is labelled. Each point is
# a run of its own, three seconds long; twelve runs take less than a minute. With patience, set `SECONDS = 20`.

# %%
SECONDS, SIZES = 3, (1, 2, 4, 8)
RATES = {"yours": 3e-3, "frozen": 3e-3, "fine-tuned": 3e-3}


def build(name, num_classes):
    if name == "yours":
        return UNet(1, num_classes, base_channels=8, depth=3)
    model = build_baseline(in_channels=1, num_classes=num_classes)
    if name == "frozen":
        freeze(model)
    return model


def train(name, pairs, validation, make=None, num_classes=1, seed=0, **changes):
    """One entrant, or what `make` makes in its place, trained: the model and its history."""
    torch.manual_seed(seed)
    model = make() if make else build(name, num_classes)
    options = {
        "seconds": SECONDS,
        "crop": 64,
        "batch_size": 4,
        "patience": 99,
        "augment": augment_pair,
        "seed": seed,
    }
    options |= {"lr": RATES[name], **changes}
    return model, fit(model, pairs, validation, **options)


# %%
def learning_curves(train_on, order, validation, test, keep, **options):
    """The models of the sizes in `keep`, by (name, size), and a table of test Dice."""
    models, dices = {}, {name: [] for name in RATES}
    for size in SIZES:
        for name in RATES:
            model, _ = train(name, Subset(train_on, order[:size]), validation, **options)
            dices[name].append(metrics.score(model, test)["dice"])
            if size in keep:
                models[name, size] = model
    return models, {name: torch.tensor(values) for name, values in dices.items()}


def report(dices, what):
    show.curves(
        torch.tensor(SIZES),
        list(dices.items()),
        title=f"{what}, {SECONDS} s for each run",
        xlabel="training images",
        ylabel="Dice on the test images",
    )
    for k, size in enumerate(SIZES):
        row = {name: values[k].item() for name, values in dices.items()}
        said = "   ".join(f"{name} {value:.3f}" for name, value in row.items())
        print(f"{what}, {size} for training: {said}   best: {max(row, key=row.get)}")


# %% [markdown]
# **Predict.** Who wins with one tile, and who with eight? Write it down, then run. (It takes most of a minute.)

# %%
candidates = pretrained = blank = None  # they make room for those that race
nuclei = {
    split: data.load("nuclei", split, tile=128) for split in ("train", "validation", "test")
}
few = Subset(nuclei["validation"], [0, 2])
order = [5, 0, 2, 7, 1, 3, 4, 6]
models, nuclei_dices = learning_curves(
    nuclei["train"], order, few, nuclei["test"], keep=(1, 8)
)
report(nuclei_dices, "Nuclei")

# %% [markdown]
# ### Look
#
# What the numbers look like: the three entrants with one tile and with eight, on a tile of the test columns.

# %%
x, truth = nuclei["test"][1]
for size in (1, 8):
    panels = []
    for name in RATES:
        with torch.no_grad():
            logits = models[name, size](x.as_subclass(torch.Tensor)[None])
        panels.append((f"{name}, {size} of 8 tiles", logits[0, 0] > 0, truth > 0))
    show.overlap(panels, x)

# %% [markdown]
# Now your table, on all four test tiles, for the models that saw all eight training tiles.

# %%
pairs = [nuclei["test"][k] for k in range(4)]
loader = [
    tuple(torch.stack([p[j].as_subclass(torch.Tensor) for p in pairs]) for j in (0, 1))
]
for row in use(compare)({name: models[name, 8] for name in RATES}, loader):
    print(
        "{name:>10}: {parameters:9,} parameters, {ms:5.1f} ms an image, ".format(**row),
        end="",
    )
    print("Dice {dice:.3f}, IoU {iou:.3f}".format(**row))

# %% [markdown]
# ### Is the difference a difference?
#
# Each entrant ran once. With another *seed* it starts from other weights, sees other crops and ends somewhere else. So
# train each once more; the course's own `compare` then gives mean ± standard deviation, and columns more: how many
# parameters follow their gradient, how long the training took, and how far the borders are off, in pixels.

# %%
several, seconds = {}, {}
for name in RATES:
    again, history = train(name, nuclei["train"], few, seed=1)
    several[name] = [models[name, 8], again]
    seconds[name] = [float(SECONDS), history.seconds]
compare_models.compare(several, nuclei["test"], seconds)

# %% [markdown]
# A gap smaller than the ± proves nothing. Two seeds on four tiles of one picture is little. It
# is what half a minute buys. Five seeds would be a start.

# %% [markdown]
# ## 6 · Brain: four classes
#
# The same race on slices of a brain: background, fluid and other, grey matter, white matter. Training slices lie far
# apart, and the test slices come from another part of the head, with no slice near them (lesson 01 says why).

# %%
models = several = None  # the networks of the first race make room for those of the second
brain = {split: data.load("brain", split) for split in ("train", "validation", "test")}
spread = [35, 52, 18, 63, 7, 44, 26, 58]  # the first one, two, four of them are spread too
check_on, test_on = (
    Subset(brain["validation"], [4, 14]),
    Subset(brain["test"], [3, 9, 15, 21]),
)
options = {"keep": (8,), "num_classes": 4, "crop": 96}
brain_models, brain_dices = learning_curves(
    brain["train"], spread, check_on, test_on, **options
)
report(brain_dices, "Brain")

# %%
x, truth = test_on[1]
answers = {}
for name in RATES:
    with torch.no_grad():
        logits = brain_models[name, 8](x.as_subclass(torch.Tensor)[None])
    answers[name] = logits[0].argmax(dim=0)
play.compare(x, truth, answers)

# %% [markdown]
# ## 7 · When the pretrained one does not win
#
# Count, over both races, what your machine has measured:

# %%
for what, dices in {"nuclei": nuclei_dices, "brain": brain_dices}.items():
    for rival in ("frozen", "fine-tuned"):
        lead = (dices["yours"] - dices[rival]).tolist()
        ahead = sum(gap > 0 for gap in lead)
        said = ", ".join(f"{gap:+.3f}" for gap in lead)
        print(
            f"{what}: yours ahead of {rival:>10} at {ahead} of {len(SIZES)} sizes; lead {said}"
        )

# %% [markdown]
# A point is one budget. Look at time itself: yours and the frozen rival, all eight tiles, three times as long.

# %%
LONG = 3 * SECONDS
grid, lines = torch.linspace(LONG / 10, LONG, 30), []
for name in ("yours", "frozen"):
    model, history = train(name, nuclei["train"], few, seconds=LONG)
    times = [s["seconds"] for s in history.scores]
    scores = [s["dice"] for s in history.scores]
    lines.append((name, torch.tensor(np.interp(grid, times, scores))))
    test = metrics.score(model, nuclei["test"])["dice"]
    print(f"{name}: {history.steps} steps in {LONG} s, test Dice {test:.3f}")
show.curves(
    grid,
    lines,
    title="All eight tiles: who is where, and when",
    xlabel="seconds of training",
    ylabel="Dice on the validation tiles",
)

# %% [markdown]
# Your numbers depend on your machine, for seconds are the budget. What can be said beyond them:
#
# - **It costs more at every step.** A step of the rival takes several of yours, and so does a prediction: look at *ms an
#   image* above. On a laptop beside the microscope, or on ten thousand pictures, that counts. Frozen, it needs
#   no gradient in the encoder, and that is where it saves.
# - **Its lead is a head start.** What it knows from the beginning, yours learns on the way. Compare the gap after the
#   short runs with the gap after the long ones.
# - **The task may not need what the rival knows.** Bright blobs on a dark ground, or grey against white matter, are
#   matters of grey value, edge and texture. That is learned from a few tiles. A dog's outline in front of a sofa is not.
# - **The pictures may be far from photographs.** On two sets of medical images, ImageNet weights brought little over
#   random ones, and small networks did as well as large ones (Raghu et al. 2019).
# - **Its finest skip has half the resolution**, because many encoders halve the picture before their first map; yours has
#   one at full size. For nuclei twenty pixels wide that hardly matters (see *boundary* in the table); think of
#   membranes one pixel wide.
#
# It pays where labels are few *and* the pictures resemble what the encoder knows. Measure, with a curve, on your data.

# %% [markdown]
# ## 8 · What decides more
#
# There is a knob that nobody has turned yet: everything else. Rates and seconds were fair, and still the rival had a
# courtesy that yours had not: `normalise`. And both got an augmentation that nobody had looked at *on these data*.

# %%
pixels = torch.stack([x.as_subclass(torch.Tensor) for x, _ in nuclei["train"]])
mean, std = pixels.mean().item(), pixels.std().item()
print(
    f"training tiles: mean {mean:.2f}, standard deviation {std:.2f}; the light moves by up to 0.2"
)

generator = torch.Generator().manual_seed(1)
x, m = (t.as_subclass(torch.Tensor) for t in nuclei["train"][5])
drawn = [augment_pair(x, m, generator) for _ in range(200)]
black = sum((view == 0).float().mean().item() for view, _ in drawn) / len(drawn)
print(
    f"pixels that are quite black: {(x == 0).float().mean():.0%}, after the draws {black:.0%}"
)
show.images([("as it is", x), *((f"draw {k}", drawn[k][0]) for k in range(4))], height=2.2)

# %% [markdown]
# For a photograph, 0.2 is a cloud before the sun. Here it is two standard deviations: the light changes the picture by
# more than the nuclei do, and drowns dim ones in black. This augmentation does what the microscope did *not* do.
#
# **Predict.** Eight tiles, three seconds, your U-Net. First change the *architecture*: more channels, fewer levels, more
# levels. Then keep the architecture, and change the *set-up*: your `normalise` in front, with the mean and standard
# deviation above; flips only, with the light left alone; both. Which row moves more?


# %%
class Scaled(nn.Module):
    """A network behind your `normalise`."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(scale(x, [mean], [std]))


def unet(base_channels=8, depth=3):
    return UNet(1, 1, base_channels=base_channels, depth=depth)


def flips(image, mask, generator):
    horizontal, vertical = (torch.rand(2, generator=generator) < 0.5).tolist()
    return flip_pair(image, mask, horizontal, vertical)


# %%
def dice_of(name="yours", **changes):
    model, _ = train(name, nuclei["train"], few, **changes)
    return metrics.score(model, nuclei["test"])["dice"]


print(f"as in the race: {nuclei_dices['yours'][-1]:.3f}")
rows = {"architecture": {}, "set-up": {}}
rows["architecture"]["12 channels"] = dice_of(make=lambda: unet(base_channels=12))
rows["architecture"]["2 levels"] = dice_of(make=lambda: unet(depth=2))
rows["architecture"]["4 levels"] = dice_of(make=lambda: unet(depth=4))
rows["set-up"]["normalise"] = dice_of(make=lambda: Scaled(unet()))
rows["set-up"]["flips only"] = dice_of(augment=flips)
rows["set-up"]["both"] = dice_of(make=lambda: Scaled(unet()), augment=flips)
for what, row in rows.items():
    said = ", ".join(f"{name} {value:.3f}" for name, value in row.items())
    print(f"{what}: {said}   best {max(row.values()):.3f}")

# %% [markdown]
# And to be fair again, the frozen rival with the same flips:

# %%
frozen = dice_of("frozen", augment=flips)
print(f"frozen, as in the race {nuclei_dices['frozen'][-1]:.3f}, flips only {frozen:.3f}")
print(f"yours, with both {rows['set-up']['both']:.3f}")

# %% [markdown]
# That is the lesson of **nnU-Net** (Isensee et al. 2021, "no new net"). Its authors kept the U-Net as it was, and wrote
# down rules that set everything *around* it from the data: the scale of the grey values, the voxel spacing, the size
# of patches and batches, augmentation, loss, rate. With no new architecture it won or came near winning most of the
# challenges it was entered in. In 2024 they went back to networks that had since been reported as better, gave all of them a
# proper set-up and equal resources, and measured again: well-configured U-Nets were still the best, or level with them
# (Isensee et al. 2024). So before you change the network, see to the set-up; and before you believe in a new network, see
# to the *baseline's* set-up.
#
# ## Graded questions

# %% graded="when-does-pretraining-pay"
quiz("when-does-pretraining-pay")

# %% graded="two-points-better"
quiz("two-points-better")

# %% [markdown]
# ## Recap
#
# 1. A pretrained encoder brings outlines and textures learned from photographs. Feed it on the scale it was trained on.
# 2. Frozen means two things: no gradient, and batch norms that stand still, also after `train()`.
# 3. A fair race has equal data, time and trials, the same rule to choose weights, several seeds, and counts the cost.
# 4. A learning curve says more than a point: who wins depends on how much is labelled, and on how long you train.
# 5. The set-up decides more than the architecture. Most reported gains should be read with that in mind.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Set `SECONDS = 20` and run sections 5 and 6 again. Who gains most from time?
# - With a network connection, `build_baseline("resnet34", in_channels=1)` is another rival. Any name that smp knows will do.
# - Give the rival two rates: nothing for the encoder in the first half of the run, then a low one. Two calls of `fit` do.
#
# **Sources** · Deng, J. et al. (2009), *ImageNet: a large-scale hierarchical image database*, CVPR 2009 · Iakubovskii, P.
# (2019), *Segmentation models PyTorch*, github.com/qubvel-org/segmentation_models.pytorch · Tan, M. and Le, Q. V. (2019),
# *EfficientNet*, arXiv:1905.11946 (Lite is its variant for phones) · Raghu, M., Zhang, C., Kleinberg, J. and Bengio, S.
# (2019), *Transfusion: understanding transfer learning for medical imaging*, arXiv:1902.07208 · Isensee, F. et al. (2021),
# *nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation*, Nature Methods 18, 203–211 ·
# Isensee, F. et al. (2024), *nnU-Net revisited: a call for rigorous validation in 3D medical image segmentation*,
# arXiv:2404.09556 · Fonov, V. S. et al. (2011), *Unbiased average age-appropriate atlases for pediatric studies*,
# NeuroImage 54, 313–327 (the brain)
