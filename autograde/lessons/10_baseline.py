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
# **You will** race your U-Net against a network that others have trained on ImageNet, with the same data and about the
# same time. You will see when the rival wins and when it does not, and how to tell a difference from luck.
#
# **Time** about 50 minutes · **You need** a U-Net (lesson 07) and how to train it (lesson 09); what you have not
# written is taken from the course · **You write** `normalise`, `freeze_encoder` and `compare`

# %%
import torch
import torch.nn.functional as F
from scipy import stats
from torch import nn
from torch.utils.data import Subset

from helpers import compare_models, metrics
from helpers.baseline import build_baseline
from helpers.reference.training import augment_pair
from helpers.training import dice_and_cross_entropy, fit

UNet, flip_pair, train_one_epoch = earlier("UNet", "flip_pair", "train_one_epoch")

# %% [markdown]
# ## 1 · Why start from nothing?
#
# Your network starts with random weights. It has to learn from your few labels what an edge is. Others have trained
# networks on 1.3 million photographs of a thousand kinds of things (*ImageNet*, Deng et al. 2009), and their weights
# are free. Take such a network as the *encoder* and put a decoder with skips behind it: now you have a U-Net whose
# encoder is trained before you start. This is called *transfer learning*.
#
# `segmentation_models_pytorch` (Iakubovskii 2019), *smp* for short, builds such networks in one line. The encoder here
# is EfficientNet-Lite0. Its weights were installed with the course, so you need no internet connection.

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
# Both are U-shaped. The next cell draws them as they run on the same tile, first yours, then the rival. Select a part
# of either, or a pixel of its output.

# %%
image, labels = data.load("nuclei", "train", tile=128)[7]  # (1, 128, 128), (128, 128)
colour = image.expand(3, -1, -1)[None]  # (1, 3, 128, 128): a grey photograph
graph = ArchitectureGraph()
graph.forward(mine, image)
graph.beside(pretrained, colour)

# %% [markdown]
# What does the trained encoder see in a micrograph? Here are maps of its second level, and those of the same encoder
# with random weights. Neither has ever seen a nucleus. How much do the maps resemble the picture? Below each row is the
# correlation of a map with the picture, without its sign, as the mean of all channels.

# %%
alike = {}
for name, model in (("trained on photographs", pretrained), ("random", blank)):
    with torch.no_grad():
        maps = model.eval().encoder((colour - model.mean) / model.std)[2][0]
    panels = [(f"channel {k}", maps[k] - maps[k].mean()) for k in range(0, 20, 5)]
    show.images([("micrograph", image), *panels], height=2.2)
    reduced = F.interpolate(image[None], maps.shape[1:], mode="area").flatten()
    table = torch.corrcoef(torch.stack([reduced, *maps.flatten(1)]))
    alike[name] = table[0, 1:].abs().nanmean().item()
    print(f"{name}: correlation with the picture {alike[name]:.2f}")

# %% claim="the random maps resemble the picture more than the trained ones do"
claim(
    lambda trained, random: random > trained + 0.05,
    *alike.values(),
    swapped=[*alike.values()][::-1],
)

# %% [markdown]
# Here the random maps resemble the picture more than the trained ones do. That does not make them better. Ask instead
# what can be *read off* the maps: one weight for each channel of the first four levels, fitted by least squares on
# eight tiles. Neither encoder is trained for it.


# %% folded="Read the nuclei off a network's maps"
def maps_and_labels(model, pairs):
    """Maps of four levels at 32 × 32 places, one row a place, and whether there is nucleus."""
    rows, nucleus = [], []
    for x, m in pairs:
        x = (x.expand(3, -1, -1)[None] - model.mean) / model.std
        with torch.no_grad():
            levels = model.eval().encoder(x)[1:5]
        levels = [
            F.interpolate(level, (32, 32), mode="bilinear", antialias=True)
            for level in levels
        ]
        rows.append(torch.cat(levels, dim=1)[0].flatten(1).T)
        nucleus.append(F.avg_pool2d((m > 0).float()[None], 4).flatten() > 0.5)
    return torch.cat(rows).double(), torch.cat(nucleus)


def read_off(x, y, x_new):
    """Where a weight for each channel, fitted to maps x and labels y, finds nucleus in x_new."""
    middle, width = x.mean(0), x.std(0) + 1e-9
    x, x_new = (x - middle) / width, (x_new - middle) / width
    wanted = 2 * y.double() - 1  # 1 in a nucleus, −1 outside
    offset = wanted.mean()
    ridge = 10.0 * torch.eye(x.shape[1])  # a little, for channels that are alike
    weights = torch.linalg.solve(x.T @ x + ridge, x.T @ (wanted - offset))
    return x_new @ weights + offset > 0


def overlap(found, truth):
    return (2 * (found & truth).sum() / (found.sum() + truth.sum())).item()


# %%
seen, unseen = (data.load("nuclei", split, tile=128) for split in ("train", "test"))
readable = {}
for name, model in (("trained on photographs", pretrained), ("random", blank)):
    (x, y), (x_new, y_new) = maps_and_labels(model, seen), maps_and_labels(model, unseen)
    readable[name] = overlap(read_off(x, y, x_new), y_new)
    print(f"{name:>23}: Dice {readable[name]:.3f} on the test tiles")
everything = overlap(torch.ones_like(y_new), y_new)
print(f"{'all called nucleus':>23}: Dice {everything:.3f}")

# %% claim="The gap between the first two is what the photographs have taught the encoder"
claim(
    lambda trained, random: trained > random,
    *readable.values(),
    swapped=[*readable.values()][::-1],
)

# %% claim="Random maps, too, tell nuclei from background much better than chance"
shuffled = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]
claim(
    lambda random, chance: random > chance + 0.2,
    *(readable["random"], everything),
    shuffled_labels=(overlap(read_off(x, shuffled, x_new), y_new), everything),
)

# %% [markdown]
# The gap between the first two is what the photographs have taught the encoder. Random maps, too, tell nuclei from
# background much better than chance: this is an easy task.
#
# ## 2 · The scale it was trained on
#
# Did you notice `(colour - model.mean) / model.std` above? The encoder was trained on numbers of a certain scale, and
# its weights expect that scale. Which mean and standard deviation should your micrograph get?

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
# PyTorch lines shapes up from the *end*, so `(3,)` meets the columns of `(3, H, W)`. As `(3, 1, 1)` it meets the
# channels.
#
# </details>
#
# ### Look
#
# Put your `normalise` in front of the rival's network. Its logits should be those of the course's `build_baseline`,
# which normalises inside. And how far off are the features of the deepest level when you forget the scale?

# %%
scale = use(normalise)
mean, std = pretrained.mean.flatten().tolist(), pretrained.std.flatten().tolist()
print(f"mean {mean}, standard deviation {std}")
grey = image[None]  # (1, 1, 128, 128)
with torch.no_grad():
    difference = pretrained.network(scale(grey, mean, std)) - pretrained(colour)
    right = pretrained.encoder(scale(grey, mean, std))[-1]
    off = {}
    for name, x in {"0 to 1": colour, "0 to 255": 255 * colour}.items():
        off[name] = ((pretrained.encoder(x)[-1] - right).norm() / right.norm()).item()
        print(f"image left at {name}: the deepest features are {off[name]:.0%} off")
print(f"largest difference of yours from the course's: {difference.abs().max():.1e}")

# %% claim="The features are different, and the decoder would have to learn from those"
claim(
    lambda *far: min(far) > 0.1,
    *off.values(),
    normalised=((difference.norm() / colour.norm()).item(),) * 2,
)

# %% [markdown]
# The wrong scales raise no error. The features are different, and the decoder would have to learn from those. From here
# on `build_baseline` does the scaling, for grey images as well.

# %% [markdown]
# ## 3 · Keep what it knows
#
# The decoder starts with random weights, so the first gradients that reach the encoder come through random weights.
# They may spoil what it has learned. There are two answers. You can *freeze* the encoder and train the decoder alone.
# Or you can *fine-tune*: train everything, usually at a low rate. You will race both.
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
# `model.train()` calls `train(True)` on every part, the encoder too. So the encoder needs a `train` of its own that
# always sets evaluation mode. An attribute set on *one* object hides the method of its class.
#
# </details>
#
# ### Look
#
# Take three steps of your loop on four tiles. What has changed in the encoder?


# %%
def moved(model):
    """The largest change of the encoder's parameters, and of its other numbers, by three steps."""
    names = {name for name, _ in model.encoder.named_parameters()}
    before = {k: v.clone() for k, v in model.encoder.state_dict().items()}
    tiles = [data.load("nuclei", "train", tile=64)[k] for k in (1, 9, 18, 25)]
    images, masks = (torch.stack([pair[j] for pair in tiles]) for j in (0, 1))
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
moves = {name: moved(model) for name, model in candidates.items()}
for name, (inside, running) in moves.items():
    print(f"frozen: {name:>9}   weights moved by {inside:.1e}, statistics by {running:.1e}")

# %% claim="With only the gradients off, the weights stay and the running statistics still move"
claim(
    lambda weights, statistics: weights == 0 < statistics,
    *moves["gradients"],
    nothing_frozen=moves["nothing"],
    both_frozen=moves["yours"],
)

# %% claim="Yours keeps both exactly as they were"
claim(lambda *both: both == (0, 0), *moves["yours"], gradients_off=moves["gradients"])

# %% [markdown]
# With only the gradients off, the weights stay and the running statistics still move. Yours keeps both exactly as they
# were.
#
# ## 4 · A fair race
#
# There are three entrants: **yours**, the U-Net with 8 channels at full size; the rival **frozen**; and the rival
# **fine-tuned**. First, the rules.

# %%
quiz("what-is-a-fair-race")

# %% [markdown]
# So all get the same tiles, augmentation, loss and learning rate, and choose their best weights by the same rule.
# Nobody's rate is tuned, so the common one may suit one entrant better than another. The steps are shared out so that
# the *time* is about the same on one core of a laptop; section 5 prints yours. Your network takes 180 steps, and the
# rivals 60 and 36. Steps are the same on every machine, so your scores can be compared with those of others. The test
# tiles are for the scores only.
#
# The table needs columns for what a network achieves and for what it costs. You write `compare`, which makes such a
# table. You will meet two other functions of this name. `compare_models.compare` is the course's own table, with more
# columns. `play.compare` shows the predictions of several networks side by side. `compare` alone is always yours.

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
# ## 5 · Nuclei: eight tiles, and one
#
# **Predict.** Who wins with eight tiles, and who with one? Write it down. Then run each entrant once on all eight
# tiles. (That takes some twenty seconds.)

# %%
STEPS = {"yours": 180, "frozen": 60, "fine-tuned": 36}


def build(name, num_classes):
    if name == "yours":
        return UNet(1, num_classes, base_channels=8, depth=3)
    model = build_baseline(in_channels=1, num_classes=num_classes)
    if name == "frozen":
        freeze(model)
    return model


def train(name, pairs, validation, num_classes=1, augment=augment_pair):
    """An entrant, trained, and its history."""
    torch.manual_seed(0)
    model = build(name, num_classes)
    crops = len(pairs) * round(pairs[0][1].numel() / 64**2)  # in an epoch, four a step
    options = {"crop": 64, "batch_size": 4, "lr": 3e-3, "augment": augment}
    return model, fit(model, pairs, validation, epochs=STEPS[name] * 4 / crops, **options)


# %% folded="Train all three alike, and measure them"
def race(pairs, validation, test, **options):
    """One run of each entrant: the models, milliseconds of a step, and Dice on the test images."""
    models, ms, dices = {}, {}, {}
    for name in STEPS:
        models[name], history = train(name, pairs, validation, **options)
        ms[name] = 1000 * history.seconds / history.steps
        dices[name] = metrics.score(models[name], test)["dice"]
        print(f"{name:>10}: {history.steps:3} steps of {ms[name]:3.0f} ms, ", end="")
        print(f"test Dice {dices[name]:.3f}")
    return models, ms, dices


# %%
candidates = blank = None  # they make room for those that race
nuclei = {
    split: data.load("nuclei", split, tile=128) for split in ("train", "validation", "test")
}
few = Subset(nuclei["validation"], [0, 2])
models, ms, dices = race(nuclei["train"], few, nuclei["test"])

# %% claim="A step of the rival takes longer than one of yours"
claim(
    lambda yours, frozen, tuned: min(frozen, tuned) > yours,
    *ms.values(),
    swapped=(ms["frozen"], ms["yours"], ms["fine-tuned"]),
)

# %% claim="Frozen, the rival needs no gradient in its encoder, and its step is cheaper"
claim(
    lambda frozen, tuned: frozen < tuned,
    *(ms["frozen"], ms["fine-tuned"]),
    swapped=(ms["fine-tuned"], ms["frozen"]),
)

# %% [markdown]
# ### Look
#
# This is what the numbers look like on a test tile. Then comes your own table, on all four test tiles.

# %%
x, truth = nuclei["test"][1]
panels = []
for name, model in models.items():
    with torch.no_grad():
        panels.append((name, model(x[None])[0, 0] > 0, truth > 0))
show.overlap(panels, x)

loader = [tuple(torch.stack(parts) for parts in zip(*nuclei["test"], strict=True))]
for row in use(compare)(models, loader):
    print(
        "{name:>10}: {parameters:9,} parameters, {ms:5.1f} ms an image, ".format(**row),
        end="",
    )
    print("Dice {dice:.3f}, IoU {iou:.3f}".format(**row))

# %% [markdown]
# The course's own table, `compare_models.compare`, also says how many parameters are trained and how far the borders
# are off. It pools the pixels of all tiles before it computes Dice, and yours is the mean over tiles. So the two may
# differ a little.

# %%
compare_models.compare(models, nuclei["test"])

# %% [markdown]
# ### Is the difference a difference?
#
# Each entrant has run once. From another *seed* it starts with other weights, sees other crops and ends with another
# score. And who wins may depend on how much is labelled. A **learning curve** shows that: the score against the number
# of labelled images. Both take many runs, and the course made some beforehand: the same race from several seeds, on one
# tile and on eight (`python course.py bench race`, in the course's folder; *yours* is the course's own U-Net there).

# %%
from helpers import measured

runs = measured.read("race")["runs"]  # by seed


def seeds_of(what, size, name):
    """Test Dice of an entrant, one for each seed."""
    return torch.tensor([run[what][size][name] for run in runs])


def ranges(what):
    for size in runs[0][what]:
        for name in STEPS:
            found = seeds_of(what, size, name)
            print(f"{what}, {size} for training, {name:>10}: ", end="")
            print(f"{found.min():.3f} to {found.max():.3f}, mean {found.mean():.3f}")
    sizes = list(runs[0][what])
    means = {name: [seeds_of(what, k, name).mean() for k in sizes] for name in STEPS}
    show.curves(
        torch.tensor([int(size) for size in sizes]),
        [(name, torch.stack(values)) for name, values in means.items()],
        title=f"{what}: a learning curve",
        xlabel="labelled images",
        ylabel="test Dice, mean of the seeds",
        height=2.6,
    )


ranges("nuclei")

# %% [markdown]
# Where two ranges overlap, is there no difference? That does not follow. A range, or a mean ± standard deviation, tells
# how far apart single runs lie. To compare two entrants, take their *differences*. The entrants of one seed draw their
# crops from the same random order, so each seed gives a pair. For $n$ differences with mean $d$ and standard deviation
# $s$, a 95 % confidence interval of the mean is $d \pm t\,s/\sqrt{n}$. The factor $t$ is about 2.8 for five seeds, from
# Student's distribution (1908).


# %%
def interval(differences):
    """The mean of paired differences, and the two ends of its 95 % confidence interval."""
    d = torch.as_tensor(differences, dtype=torch.float64)
    reach = stats.t.ppf(0.975, len(d) - 1) * d.std() / len(d) ** 0.5
    return d.mean().item(), (d.mean() - reach).item(), (d.mean() + reach).item()


def said(differences):
    _, low, high = interval(differences)
    each = " ".join(f"{float(d):+.3f}" for d in differences)
    return f"{each}; interval {low:+.3f} to {high:+.3f}"


def lead_of(what, size, rival):
    return seeds_of(what, size, "yours") - seeds_of(what, size, rival)


def leads(what):
    for size in runs[0][what]:
        for rival in ("frozen", "fine-tuned"):
            print(f"{what}, {size} for training, yours − {rival:>10}: ", end="")
            print(said(lead_of(what, size, rival)))


leads("nuclei")

# %% [markdown]
# If 0 is in the interval, these seeds do not show who is better. With few seeds it can be in there even where all
# differences have one sign. More seeds make the interval shorter. If 0 is outside, the choice of seed hardly explains
# the difference. Still, one interval in twenty misses the true mean, so do not make many comparisons and report the
# best one. And this interval is about seeds, not about pictures: all four test tiles come from one micrograph. To say
# something about other micrographs, you have to test on them.

# %% [markdown]
# ## 6 · Brain: four classes
#
# The same race on slices of a brain: background, fluid and other, grey matter, white matter. The training slices lie
# far apart. The test slices come from another part of the head, with no training slice near them (lesson 01 says why).
# Again you run it once, on eight slices.

# %%
brain = {split: data.load("brain", split) for split in ("train", "validation", "test")}
eight = Subset(brain["train"], [35, 52, 18, 63, 7, 44, 26, 58])
check_on = Subset(brain["validation"], [4, 14])
test_on = Subset(brain["test"], [3, 9, 15, 21])
brain_models, _, _ = race(eight, check_on, test_on, num_classes=4)

# %%
x, truth = test_on[1]
answers = {}
for name, model in brain_models.items():
    with torch.no_grad():
        answers[name] = model(x[None])[0].argmax(dim=0)
play.compare(x, truth, answers)

# %% [markdown]
# And the same from the seeds that the course ran, with one slice and with eight:

# %%
ranges("brain")
leads("brain")

# %% claim="On the brain the winner changes with the seed"
leads_of = {
    what: [
        lead_of(what, n, rival).tolist() for n in "18" for rival in ("frozen", "fine-tuned")
    ]
    for what in ("nuclei", "brain")
}
claim(
    lambda *leads: all(min(lead) < 0 < max(lead) for lead in leads),
    *leads_of["brain"],
    nuclei=leads_of["nuclei"],
)

# %% claim="On nuclei the frozen rival is ahead in every pair"
claim(
    lambda *leads: all(max(lead) < 0 for lead in leads),
    *leads_of["nuclei"][::2],
    brain=leads_of["brain"][::2],
)

# %% [markdown]
# On the brain the winner changes with the seed. A single run could have told you either story. On nuclei the frozen
# rival is ahead in every pair.
#
# And do more labels help? On the brain the ranges of one slice and of eight overlap. Take the differences again, from
# the same seed and the same entrant:

# %%
for what in ("nuclei", "brain"):
    for name in STEPS:
        more = seeds_of(what, "8", name) - seeds_of(what, "1", name)
        print(f"{what}, {name:>10}, eight − one: {said(more)}")


# %% claim="On the brain the ranges of one slice and of eight overlap"
def both(what, name):
    return [seeds_of(what, size, name).tolist() for size in ("1", "8")]


claim(
    lambda *pairs: all(max(one) > min(eight) for one, eight in pairs),
    *(both("brain", name) for name in STEPS),
    frozen_on_nuclei=[both("nuclei", "frozen")],
)

# %% claim="Yet there yours is better with eight slices than with one in every pair"
more = {
    (what, name): (seeds_of(what, "8", name) - seeds_of(what, "1", name)).tolist()
    for what in ("nuclei", "brain")
    for name in STEPS
}
mixed = seeds_of("brain", "8", "yours") - seeds_of("brain", "1", "yours").roll(1)
claim(
    lambda gain: min(gain) > 0,
    more["brain", "yours"],
    seeds_not_paired=[mixed.tolist()],
)

# %% claim="and the interval leaves 0 out"
claim(
    lambda gain: interval(gain)[1] > 0,
    more["brain", "yours"],
    seeds_not_paired=[mixed.tolist()],
)

# %% claim="The rivals, with fewer steps, do worse with eight slices from some seed"
claim(
    lambda *gains: all(min(gain) < 0 for gain in gains),
    *(more["brain", name] for name in ("frozen", "fine-tuned")),
    yours=[more["brain", "yours"]],
)

# %% [markdown]
# Yet there yours is better with eight slices than with one in every pair, and the interval leaves 0 out. A lucky seed
# lifts both scores of a pair; in their difference that luck cancels. The rivals, with fewer steps, do worse with eight
# slices from some seed.
#
# ## 7 · What the race leaves out
#
# Dice after a short run is not all that counts.
#
# - **Each step costs more.** A step of the rival takes longer than one of yours: look at the milliseconds in section 5.
#   Look at the *ms an image* of a prediction, too. On a laptop beside the microscope, or for ten thousand pictures, that counts.
#   Frozen, the rival needs no gradient in its encoder, and its step is cheaper.
# - **Its lead may be a head start.** Yours has to learn on the way what the rival may have known from the beginning. This race was short.
#   Under *Go further* you give all three more time.
# - **The task may not need what the rival knows.** Edges and textures may be learned from a few tiles. The outline of a
#   dog in front of a sofa needs more.
# - **The pictures may be unlike photographs.** On two sets of medical images, ImageNet weights brought little over
#   random ones, and small networks did as well as large ones (Raghu et al. 2019).
# - **Its finest skip has half the resolution**, because many encoders halve the picture before their first map. Yours
#   has a skip at full size. Think of membranes one pixel wide.
#
# A pretrained encoder tends to pay where labels are few *and* the pictures resemble those that it was trained on. To
# know, measure a learning curve on your own data.

# %% [markdown]
# ## 8 · What decides more
#
# So far only the networks differed. Everything around them was the same, and nobody asked whether it is any *good*.
# Look at the augmentation. It is the course's `augment_pair`, without the square roots of lesson 09. It moves the
# brightness by up to 0.2, and the contrast too. How much is that on these tiles?

# %%
pixels, labels = (torch.stack(parts) for parts in zip(*nuclei["train"], strict=True))
pixels = pixels[:, 0]  # (8, 128, 128)
mean, std = pixels.mean().item(), pixels.std().item()
stand_out = (pixels[labels > 0].mean() - pixels[labels == 0].mean()).item()
print(f"training tiles: mean {mean:.2f}, standard deviation {std:.2f}")
print(f"a nucleus is brighter than the background by {stand_out:.2f} on average")

generator = torch.Generator().manual_seed(1)
x, m = nuclei["train"][5]
drawn = [augment_pair(x, m, generator)[0] for _ in range(200)]
black = [(view == 0).float().mean().item() for view in (x, torch.stack(drawn))]
print(f"pixels that are quite black: {black[0]:.0%}, after the draws {black[1]:.0%}")
show.images([("as it is", x), *((f"draw {k}", drawn[k]) for k in range(4))], height=2.2)

# %% claim="here it is larger than the difference between a nucleus and the background"
claim(lambda light, nucleus: light > nucleus, *(0.2, stand_out), no_light=(0, stand_out))

# %% claim="dark pixels turn quite black"
claim(lambda before, after: after > before + 0.1, *black, flips_only=(black[0], black[0]))


# %% claim="and in some of them pixels of nuclei, too"
def gone(drawn_pairs):
    """Fraction of the draws in which more than a twentieth of the nuclei's pixels are black."""
    shares = [(v[0] == 0)[k > 0].float().mean() for v, k in drawn_pairs]
    return sum(share > 0.05 for share in shares) / len(shares)


generator = torch.Generator().manual_seed(1)
pair = nuclei["train"][0]
claim(
    lambda fraction: fraction > 0.02,
    gone([augment_pair(*pair, generator) for _ in range(200)]),
    light_left_alone=[gone([pair])],
)

# %% [markdown]
# In a photograph, 0.2 is a cloud before the sun; here it is larger than the difference between a nucleus and the
# background. In many draws dark pixels turn quite black, and in some of them pixels of nuclei, too. This microscope
# does no such thing.
#
# **Predict.** Your U-Net, eight tiles, as many steps as before. Change the *architecture*: more channels, or more
# levels. Or keep it and change the *set-up*: `normalise` in front, with the mean and standard deviation above; or flips
# only, with the light left alone. Which change matters most?
#
# Run one of them yourself:


# %%
def flips(image, mask, generator):
    horizontal, vertical = (torch.rand(2, generator=generator) < 0.5).tolist()
    return flip_pair(image, mask, horizontal, vertical)


model, _ = train("yours", nuclei["train"], few, augment=flips)
flipped = metrics.score(model, nuclei["test"])["dice"]
print(f"yours: as in the race {dices['yours']:.3f}, flips only {flipped:.3f}")

# %% [markdown]
# And all of them from several seeds, each as the difference from the run of the same seed in the race:

# %%
gains = {
    name: [run["changes"][name] - run["nuclei"]["8"]["yours"] for run in runs]
    for name in runs[0]["changes"]
}
for name, values in gains.items():
    print(f"{name:>12}: {said(values)}")

# %% [markdown]
# And to be fair, the frozen rival with the same flips:

# %%
rival = [run["frozen, flips only"] - run["nuclei"]["8"]["frozen"] for run in runs]
lead = [run["changes"]["flips only"] - run["frozen, flips only"] for run in runs]
print(f"frozen, flips only − as in the race: {said(rival)}")
print(f"yours − frozen, both with flips only: {said(lead)}")

# %% claim="Leaving the light alone helps in every pair"
claim(
    lambda light: min(light) > 0,
    gains["flips only"],
    twelve_channels=[gains["12 channels"]],
)

# %% claim="A larger network helps from one seed and harms from another"
claim(
    lambda *larger: all(min(gain) < 0 < max(gain) for gain in larger),
    *(gains["12 channels"], gains["4 levels"]),
    flips_only=[gains["flips only"]] * 2,
)

# %% claim="With the flips alone, the seeds lie closer together, too"
spread = [
    seeds_of("nuclei", "8", "yours").std().item(),
    torch.tensor([run["changes"]["flips only"] for run in runs]).std().item(),
]
claim(lambda race, flips: flips < race / 2, *spread, swapped=spread[::-1])

# %% claim="The frozen rival gains less from it than yours"
earned = [interval(values)[0] for values in (rival, gains["flips only"])]
claim(lambda rival, yours: rival < yours, *earned, swapped=earned[::-1])

# %% claim="With the flips the rival's lead on the nuclei is gone"
lag = interval(lead_of("nuclei", "8", "frozen"))[0]
claim(
    lambda after, before: abs(after) < -before / 4,
    *(interval(lead)[0], lag),
    race_as_it_was=(lag, lag),
)

# %% [markdown]
# Leaving the light alone helps in every pair. A larger network helps from one seed and harms from another. With the
# flips alone, the seeds lie closer together, too. The frozen rival gains less from it than yours. With the flips
# the rival's lead on the nuclei is gone. So that lead may have been the set-up, which harmed yours more, and not
# what the rival knew.
#
# This is the lesson of **nnU-Net** (Isensee et al. 2021, "no new net"). Its authors kept the U-Net as it was. They
# wrote down rules that set everything *around* it from the data: the scale of the grey values, the voxel spacing, the
# size of patches and batches, augmentation, loss, rate. Without a new architecture it won, or nearly won, most of the
# challenges it was entered in. In 2024 they took networks that had been reported as better since then, gave all of them
# a proper set-up and equal resources, and measured again. Well-configured U-Nets were still the best, or level with the
# best (Isensee et al. 2024). So before you change the network, look at the set-up. And before you believe in a new
# network, look at the set-up of its *baseline*.
#
# ## Graded questions

# %% graded="when-does-pretraining-pay"
quiz("when-does-pretraining-pay")

# %% graded="two-points-better"
quiz("two-points-better")

# %% [markdown]
# ## Recap
#
# 1. A pretrained encoder brings features learned from photographs. Feed it on the scale it was trained on.
# 2. Frozen means two things: no gradient, and batch norms that keep their statistics, also after `train()`.
# 3. A fair race has equal data, time and trials, the same rule to choose weights, and several seeds. It counts the cost.
# 4. Judge by paired differences with an interval. It covers what you varied (here seeds), and nothing else.
# 5. Before the architecture, look at the set-up, your own and that of the baseline.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Give all three entrants ten times as many steps in sections 5 and 6. Who gains most from time?
# - With a network connection, `build_baseline("resnet34", in_channels=1)` is another rival. Any name that smp knows will do.
# - Is the rival ahead on the brain for what it learned, or for its size? Race it without its weights: `weights=None` in
#   `build_baseline`, not frozen.
# - Train the rival in two calls of `fit`: first with its encoder frozen, then everything, at a low rate.
#
# **Sources** · Deng, J. et al. (2009), *ImageNet: a large-scale hierarchical image database*, CVPR 2009 · Iakubovskii,
# P. (2019), *Segmentation models PyTorch*, github.com/qubvel-org/segmentation_models.pytorch · Tan, M. and Le, Q. V.
# (2019), *EfficientNet*, arXiv:1905.11946 (Lite, a later variant for phones, is not in it) · Raghu, M., Zhang, C.,
# Kleinberg, J. and Bengio, S. (2019), *Transfusion: understanding transfer learning for medical imaging*,
# arXiv:1902.07208 · Isensee, F. et al. (2021), *nnU-Net: a self-configuring method for deep learning-based biomedical
# image segmentation*, Nature Methods 18, 203–211 · Isensee, F. et al. (2024), *nnU-Net revisited: a call for rigorous
# validation in 3D medical image segmentation*, arXiv:2404.09556 · Student (1908), *The probable error of a mean*,
# Biometrika 6, 1–25 · Fonov, V. S. et al. (2011), *Unbiased average age-appropriate atlases for pediatric studies*,
# NeuroImage 54, 313–327 (the brain)
