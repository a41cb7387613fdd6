# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 08 · Losses: what training makes small
#
# **You will** train a U-Net that learns to say no, find out which pixels told it to, and write five losses and a weight
# map that ask for something else. At the end you pay the price of one of them: a network that is too confident.
#
# **Time** about 60 minutes (a good place to stop is after section 4) · **You need** Dice and IoU (lesson
# 02), a U-Net (lesson 07; where you have not written yours, this notebook takes the course's own and says so) · **You
# write** `bce_with_logits`, `soft_dice_loss`, `iou_loss`, `focal_loss`, `weight_map`, `combined_loss`

# %%
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt
from skimage.filters import threshold_otsu

from helpers import metrics
from helpers.reference.inference import calibration_error
from helpers.training import fit

UNet = earlier("UNet")

# %% [markdown]
# ## 1 · A network that learns to say no
#
# In the simulated micrographs of `cells` you choose how much of the picture is nucleus. Turn the dial down to 1 %.

# %%
options = {"size": 64, "diameter": 7, "count": 32}
dial = {
    fraction: data.load("cells", "test", foreground=fraction, **options)
    for fraction in (0.2, 0.05, 0.01)
}
show.images([(f"{fraction:.0%} nucleus", pairs[4][0]) for fraction, pairs in dial.items()])

# %% [markdown]
# Train your U-Net on pictures with 1 %, with the loss that is the default nearly everywhere: *binary cross-entropy*. You
# will write it in a moment; here it is PyTorch's own. Train it three times, from different first weights, since one
# training is one draw. (A few seconds, and the same result each time.)

# %%
rare = {}
for split, count in (("train", 32), ("validation", 8), ("test", 32)):
    pairs = data.load("cells", split, foreground=0.01, **options)
    rare[split] = [pairs[k] for k in range(count)]  # made once, and kept


def for_fit(loss):
    """`fit` gives whole-number masks (N, H, W); these losses take (N, 1, H, W) floats."""
    return lambda logits, masks: loss(logits, masks[:, None].float())


def trained(loss, seed=0):
    """A U-Net trained with `loss`; `seed` gives first weights and order of pictures."""
    torch.manual_seed(seed)
    model = UNet(1, 1, base_channels=8, depth=3)
    settings = {"epochs": 12, "batch_size": 4, "seed": seed}
    fit(model, rare["train"], rare["validation"], for_fit(loss), **settings)
    return model


def starts(loss):
    """Three networks, trained alike from different first weights."""
    return [trained(loss, seed) for seed in range(3)]


models = {"BCE": starts(F.binary_cross_entropy_with_logits)}


# %%
def outcome(model, pairs):
    """Probabilities and truths of all pictures: float and bool, (N, H, W)."""
    both = [(z[0].sigmoid(), mask > 0) for z, mask in metrics.predictions(model, pairs)]
    return tuple(torch.stack(part) for part in zip(*both, strict=True))


def scores(probability, truth):
    """Recall: fraction of the nuclei found. Precision: fraction of the found that is right."""
    found = probability > 0.5
    hits = (found & truth).sum()
    return {
        "accuracy": ((found == truth).float().mean()).item(),
        "recall": (hits / truth.sum()).item(),
        "precision": (hits / found.sum().clamp(min=1)).item(),
        "IoU": (hits / (found | truth).sum()).item(),
    }


# %%
def report(name):
    """Each score, the mean over the three starts and its range."""
    rows = [scores(*outcome(model, rare["test"])) for model in models[name]]
    said = []
    for score in rows[0]:
        values = [row[score] for row in rows]
        mean = sum(values) / len(values)
        said.append(f"{score} {mean:.3f} ({min(values):.2f}–{max(values):.2f})")
    print(f"{name:>8}:", "  ".join(said))


report("BCE")
probability, truth = outcome(models["BCE"][2], rare["test"])
show.overlap(
    [("trained with BCE, third start", probability[4] > 0.5, truth[4])], rare["test"][4][0]
)

# %% [markdown]
# Most of what it calls nucleus is nucleus. But it leaves out a good part of what is there, how much depends on the
# start, and the accuracy says that all is well. It has learned that *no* is a safe answer. Who taught it that? The loss did: training makes the loss small, and nothing else.

# %% [markdown]
# ## 2 · From a logit to a loss
#
# Your U-Net outputs one number per pixel, any number, called a **logit**. The *sigmoid* turns it into a probability,
# `p = 1 / (1 + exp(−x))`. How wrong a probability is can be said in many ways. Cross-entropy takes `−log` of the
# probability that was given to what is true: `−log(p)` on an object pixel, `−log(1 − p)` on background.

# %%
x = torch.linspace(-8, 8, 161)
show.curves(
    x,
    [
        ("sigmoid(x)", x.sigmoid()),
        ("−log p (object)", -x.sigmoid().log()),
        ("−log(1 − p) (background)", -(-x).sigmoid().log()),
    ],
    title="A logit, its probability, its loss",
    xlabel="logit x",
    ylabel="probability, or loss",
)

# %% [markdown]
# A confident mistake costs in proportion to the logit; being right costs nearly nothing. **Predict** from the curves:

# %%
quiz("loss-of-not-knowing")

# %% [markdown]
# So write it down: sigmoid, logarithm, mean. Here is that, and what it says of three pixels with the target 0.


# %%
def naive(logits, target):
    p = 1 / (1 + torch.exp(-logits))
    return -(target * p.log() + (1 - target) * (1 - p).log()).mean()


for value in (2.0, 20.0, 200.0):
    logit = torch.tensor([value], requires_grad=True)
    loss = naive(logit, torch.zeros(1))
    loss.backward()
    print(f"logit {value:5}: loss {loss.item():.4g}, gradient {logit.grad.item():.4g}")

# %% [markdown]
# The loss should be 2.1, 20 and 200. But in float32 the sigmoid of 20 *is* 1, and the logarithm of 0 is minus infinity.
# One such pixel, and the loss of the whole batch is gone. Work on the formula before you compute: put the sigmoid into
# the logarithm, and most of it cancels. What remains is a `log(1 + exp(·))`, and you choose the sign of its exponent.

# %% [markdown] card="bce_with_logits"


# %% exercise="bce_with_logits"
def bce_with_logits(logits, target):
    """Binary cross-entropy, mean over all pixels, finite for every logit up to ±1e4.

    logits: float; target: float of the same shape, 0.0 or 1.0. Returns a 0-d tensor.
    """
    ### BEGIN SOLUTION
    larger = torch.maximum(logits, torch.zeros_like(logits))
    return (larger - logits * target + torch.log1p(torch.exp(-logits.abs()))).mean()
    ### END SOLUTION


# %% check="bce_with_logits"
check(bce_with_logits)

# %% [markdown]
# <details><summary>NaN in the gradient, though the loss is finite?</summary>
#
# `torch.where` and `clamp` choose *after* both sides were computed. An infinity on the side that was not chosen is
# multiplied by 0 on the way back, and that is NaN. Choose the exponent so that no side can overflow.
#
# </details>
#
# <details><summary>How do I get there from the formula?</summary>
#
# `−log(sigmoid(x))` is `log(1 + exp(−x))`, and `−log(1 − sigmoid(x))` is `log(1 + exp(x))`. For a large x the second is
# nearly x itself: take x out of the logarithm, and see which exponent is left inside.
#
# </details>

# %% [markdown]
# ### Look: where does it pull?
#
# What a loss *wants* is not its value but its gradient: in which direction, and how hard, it pulls the logit of each
# pixel. Take a real tile, a rough prediction (40 times how far the brightness is above Otsu's threshold), and look. Blue pulls up, towards
# *nucleus*; red pulls down.

# %%
tiles = data.load("nuclei", "train", tile=64)
crowded = max(range(len(tiles)), key=lambda k: len(tiles.instances[k].unique()))
tile, mask = tiles[crowded]
instances = tiles.instances[crowded].as_subclass(torch.Tensor)
target = (mask > 0).float().as_subclass(torch.Tensor)[None, None]  # (1, 1, 64, 64)
rough = 40 * (tile.as_subclass(torch.Tensor)[None] - threshold_otsu(tile.numpy()))


def pull(loss, weights=1.0):
    """Gradient of a loss in each logit of the rough prediction, times pixels: (64, 64)."""
    logits = rough.clone().requires_grad_()
    loss(logits, target).backward()
    return logits.grad[0, 0] * logits.numel() * weights


pulls = {"BCE": pull(use(bce_with_logits))}
show.images(
    [
        ("micrograph", tile),
        ("truth", target[0]),
        ("rough: probability", rough.sigmoid()[0]),
        ("pull of BCE", pulls["BCE"]),
    ]
)

# %% [markdown]
# The pull is `p − target`, for each pixel by itself: its neighbours, and how many there are of its kind, do not enter.

# %% [markdown]
# ## 3 · Outvoted
#
# And that is the trouble. At the start every probability is near 0.5, every pixel pulls equally hard, and they vote.

# %%
for fraction, pairs in dial.items():
    truth_now = torch.stack([mask for _, mask in pairs]).float()[:, None]
    start = torch.zeros_like(truth_now, requires_grad=True)
    use(bce_with_logits)(start, truth_now).backward()
    up, down = (start.grad[truth_now == side].abs().sum() for side in (1, 0))
    constant = torch.full_like(truth_now, torch.tensor(fraction).logit().item())
    everywhere = use(bce_with_logits)(constant, truth_now)
    print(
        f"{fraction:4.0%} nucleus: background pulls {down / up:5.1f} × as hard; "
        f"p = {fraction} at every pixel has loss {everywhere:.3f}"
    )

# %% [markdown]
# At 1 % a hundredth of the voters wants nuclei. To say the same small number everywhere, without looking, brings the loss
# down to next to nothing already. What is left for finding nuclei is a crumb, and the network gets to it last.

# %% [markdown]
# ## 4 · Make the score the loss
#
# You know a number that does not count background: Dice. Why not make *that* large? Because it is a score of masks. A
# mask comes from a threshold, and a threshold has no slope: move a logit a little, and nothing changes until it jumps.

# %%
hard = rough.clone().requires_grad_()
print("does a thresholded mask have a gradient?", (hard > 0).float().requires_grad)

# %% [markdown]
# Put the probabilities in place of the mask. The overlap of two masks is a sum of products, `Σ p·t`; an area is a sum,
# `Σ p`. Both have a slope everywhere. A small number `smooth` above and below keeps an image without objects from
# dividing 0 by 0. This is the *soft* Dice, and one minus it is a loss (Milletari et al. 2016).

# %%
quiz("dice-over-the-batch")

# %% [markdown] card="soft_dice_loss"


# %% exercise="soft_dice_loss"
def soft_dice_loss(logits, target, smooth=1.0):
    """One minus soft Dice; of each image by itself, then the mean over the images.

    logits, target: float (N, 1, H, W), target 0.0 or 1.0. Returns a 0-d tensor.
    """
    ### BEGIN SOLUTION
    probability = torch.sigmoid(logits)
    overlap = (probability * target).sum(dim=(1, 2, 3))
    total = (probability + target).sum(dim=(1, 2, 3))
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()
    ### END SOLUTION


# %% check="soft_dice_loss"
check(soft_dice_loss)

# %% [markdown]
# <details><summary>A perfect prediction has a loss above 0, or below?</summary>
#
# Then `smooth` stands above and below in unlike amounts. For a perfect match `2·overlap` equals the sum of the areas;
# the same `smooth` has to be added to both.
#
# </details>

# %% [markdown]
# The other score makes a loss in the same way (Rahman and Wang 2016). You have its two parts already.

# %% [markdown] card="iou_loss"


# %% exercise="iou_loss"
def iou_loss(logits, target, smooth=1.0):
    """One minus soft IoU; of each image by itself, then the mean over the images.

    logits, target: float (N, 1, H, W), target 0.0 or 1.0. Returns a 0-d tensor.
    """
    ### BEGIN SOLUTION
    probability = torch.sigmoid(logits)
    overlap = (probability * target).sum(dim=(1, 2, 3))
    total = (probability + target).sum(dim=(1, 2, 3))
    return (1 - (overlap + smooth) / (total - overlap + smooth)).mean()
    ### END SOLUTION


# %% check="iou_loss"
check(iou_loss)

# %% [markdown]
# ### Look

# %%
pulls |= {"Dice": pull(use(soft_dice_loss)), "IoU": pull(use(iou_loss))}
show.images([(f"pull of {name}", map_) for name, map_ in pulls.items()])
for name, map_ in pulls.items():
    up, down = map_[target[0, 0] == 1].abs().sum(), map_[target[0, 0] == 0].abs().sum()
    print(f"{name:>4}: background pulls {down / up:.2f} × as hard as the nuclei")

# %% [markdown]
# Each pixel's pull now depends on all others of its image, and is strongest where the network is undecided: near `p = 0.5`
# the sigmoid is steepest. Where it is sure, right *or wrong*, there is hardly any pull left. Keep that in mind for
# section 8. Now turn the dial, and compare how hard each loss pulls, and in which direction.

# %%
play.loss(fraction=0.01)

# %% [markdown]
# *A good place for a break.*
#
# ## 5 · Let the easy ones be quiet
#
# There is another cure for being outvoted. Most background pixels are easy: the network is right about them early on.
# Each of them has a small loss still, and there are a great many. Lin et al. (2017) turn them down with a factor
# `(1 − p_t)^gamma`, where `p_t` is the probability given to what is *true* there: `p` on an object, `1 − p` elsewhere.

# %%
p_t = torch.linspace(0.01, 0.999, 120)
lines = [(f"gamma {g}", (1 - p_t) ** g * -p_t.log()) for g in (0, 1, 2, 5)]
show.curves(p_t, lines, title="Focal loss of one pixel", xlabel="p_t", ylabel="loss")

# %%
quiz("focal-easy-pixel")

# %% [markdown] card="focal_loss"


# %% exercise="focal_loss"
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    """Focal loss, mean over all pixels, finite for every logit up to ±1e4.

    logits: float; target: float of the same shape, 0.0 or 1.0. Object pixels weigh
    alpha, others 1 - alpha. Returns a 0-d tensor.
    """
    ### BEGIN SOLUTION
    toward = logits * (2 * target - 1)  # the logit of p_t
    hit = F.softplus(-toward)  # -log(p_t)
    miss = F.softplus(toward)  # -log(1 - p_t)
    alpha_t = alpha * target + (1 - alpha) * (1 - target)
    return (alpha_t * torch.exp(-gamma * miss) * hit).mean()
    ### END SOLUTION


# %% check="focal_loss"
check(focal_loss)

# %% [markdown]
# <details><summary>Which class gets alpha?</summary>
#
# The object, in the paper and here, and it is 0.25: *less* than the background's 0.75. With gamma = 2 the many easy
# background pixels are so quiet that the balance has to be pushed the other way, the authors found, for their detector.
# Whether that holds for your data is another question; you will see in section 7.
#
# </details>

# %% [markdown]
# ### Look

# %%
pulls["focal"] = pull(use(focal_loss))
show.images([(f"pull of {name}", pulls[name]) for name in ("BCE", "Dice", "focal")])

# %% [markdown]
# ## 6 · Some pixels matter more
#
# Nuclei that touch are the hard case. A gap of two pixels is nothing to a mean over all pixels, but without it two nuclei
# are one. The U-Net paper had the same trouble with cells, and gave the pixels of narrow gaps up to ten times the weight:
#
# $$w(x) = w_0 \cdot \exp\left(-\frac{(d_1(x) + d_2(x))^2}{2\sigma^2}\right)$$
#
# with the distances $d_1$ and $d_2$ from the pixel to the nearest and to the second nearest object. In a narrow gap
# both are small. Beside a lonely nucleus $d_1$ is small and $d_2$ is not.

# %% [markdown] card="weight_map"


# %% exercise="weight_map"
def weight_map(instances, w0=10.0, sigma=5.0):
    """The border weights of the U-Net paper, from an instance mask.

    instances: int64 (H, W), 0 is background, each object has its own number.
    Returns float (H, W); 0 on objects, and everywhere where there are fewer than two.
    """
    ### BEGIN SOLUTION
    numbers = instances.unique()
    numbers = numbers[numbers > 0]
    if len(numbers) < 2:
        return torch.zeros(instances.shape)
    distances = [distance_transform_edt((instances != k).numpy()) for k in numbers]
    distances = torch.stack([torch.from_numpy(d) for d in distances])
    d1, d2 = distances.sort(dim=0).values[:2]
    weights = w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma**2))
    return torch.where(instances == 0, weights, 0.0).float()
    ### END SOLUTION


# %% check="weight_map"
check(weight_map)

# %% [markdown]
# <details><summary>What does <code>distance_transform_edt</code> measure?</summary>
#
# For each pixel that is *not zero*, how far the nearest zero is. So give it a mask that is zero on the object, and
# nonzero where you want to know the distance: one object at a time.
#
# </details>

# %% [markdown]
# ### Look
#
# Your map for the real tile, and the pull of cross-entropy when each pixel counts `1 + weight` times.

# %%
weights = use(weight_map)(instances)
weighted = pull(use(bce_with_logits), weights=1 + weights)
show.images(
    [
        ("instances", instances),
        ("weights", weights),
        ("pull of BCE", pulls["BCE"]),
        ("pull, weighted", weighted),
    ]
)
print(
    f"weights from {weights.min():.2f} to {weights.max():.2f}; "
    f"{(weights > 1).float().mean():.1%} of the pixels weigh more than double"
)

# %% [markdown]
# ## 7 · Two losses are better than one?
#
# Cross-entropy teaches every pixel, from the first step on, and calmly. Dice sees the object as a whole, however small.
# The usual choice today is both, added up: nnU-Net (Isensee et al. 2021) trains with it on every data set it meets.

# %% [markdown] card="combined_loss"


# %% exercise="combined_loss"
def combined_loss(logits, target, dice_weight=0.5):
    """dice_weight times soft Dice loss, plus the rest times cross-entropy.

    logits, target: float (N, 1, H, W), target 0.0 or 1.0. Returns a 0-d tensor.
    """
    ### BEGIN SOLUTION
    overlap = soft_dice_loss(logits, target)
    return dice_weight * overlap + (1 - dice_weight) * bce_with_logits(logits, target)
    ### END SOLUTION


# %% check="combined_loss"
check(combined_loss)

# %% [markdown]
# ### Look: each of them at 1 %
#
# The same network, the same pictures, the same number of steps, and for each loss the same three starts. **Predict**
# first: which finds most of the nuclei, and which the least? And which will call most pixels nucleus that are none?
# (Half a minute. The IoU loss pulls where Dice pulls, as you saw, so it is left out.)

# %%
losses = {
    "Dice": use(soft_dice_loss),
    "focal": use(focal_loss),
    "combined": use(combined_loss),
}
models |= {name: starts(loss) for name, loss in losses.items()}

# %%
for name in models:
    report(name)
panels = []
for name in ("BCE", "Dice", "focal", "combined"):
    probability, truth = outcome(models[name][2], rare["test"])
    panels.append((f"{name}, third start", probability[4] > 0.5, truth[4]))
show.overlap(panels, rare["test"][4][0])

# %% [markdown]
# Dice, which asks for overlap, finds what BCE leaves out, in the same number of steps, and pays with false pixels: look
# at the precision. With BCE beside it, it keeps most of the gain at a lower price. Imbalance does not put the minimum
# of BCE in the wrong place: it makes the way there slow (*Go further* gives it more time). And look at the ranges before
# you believe a difference: the starts of one loss can differ more than two losses do. Three are few; to rank losses you
# would want five or ten.
#
# The focal loss does not help here. With its `alpha` of 0.25 the few object pixels weigh a third of the others, on top of
# being few. That default was chosen for another task.

# %% [markdown]
# ## 8 · The price: too confident
#
# A probability of 0.8 makes a promise: of a hundred such pixels, eighty are nucleus. Which loss keeps it? Think of pixels
# on a blurred border, of which 60 % are nucleus, and nobody can say which. The honest answer is 0.6 for each of them. Ask the
# losses which answer *they* like best.


# %%
def best_answer(loss, chance):
    """The probability for a strip of undecided pixels that makes `loss` smallest."""
    generator = torch.Generator().manual_seed(0)
    truths = torch.zeros(32, 1, 16, 32)
    # sure object, then columns 8 to 16, which are undecided, then sure background
    truths[..., :8] = 1.0
    truths[..., 8:16] = (torch.rand(32, 1, 16, 8, generator=generator) < chance).float()
    answers = torch.linspace(0.01, 0.99, 99)
    values = []
    for answer in answers:
        logits = 20 * (2 * truths - 1)
        logits[..., 8:16] = answer.logit()
        values.append(loss(logits, truths).item())
    return answers[torch.tensor(values).argmin()].item()


asked = {
    "BCE": use(bce_with_logits),
    "Dice": use(soft_dice_loss),
    "combined": use(combined_loss),
}
for chance in (0.2, 0.4, 0.6, 0.8):
    best = {name: round(best_answer(loss, chance), 2) for name, loss in asked.items()}
    print(f"chance {chance}: {best}")

# %%
quiz("dice-likes-extremes")

# %% [markdown]
# Cross-entropy is smallest at the truth. Dice is smallest at one end, whatever the chance: it wants a mask, all or
# nothing, because half a pixel gains overlap and area in fixed proportion, and if that is worth it for half, it is worth
# it for the whole. (Bertels et al. 2021 prove it, and show what it does to volumes.)
#
# Does a trained network do that, too? Train three on the real micrograph, and look at the pixels within three pixels of
# a true border, where anyone would hesitate.

# %%
real = {split: data.load("nuclei", split, tile=None) for split in ("train", "test")}
# one tile, to be quick
real["validation"] = [data.load("nuclei", "validation", tile=128)[1]]
nets = {}
for name in ("BCE", "Dice", "combined"):
    torch.manual_seed(0)
    nets[name] = UNet(1, 1, base_channels=8, depth=3)
    fit(
        nets[name],
        real["train"],
        real["validation"],
        for_fit(asked[name]),
        epochs=30,
        crop=64,
    )

# %%
promised = {name: outcome(net, real["test"]) for name, net in nets.items()}
truth = promised["BCE"][1]
inside, outside = distance_transform_edt(truth), distance_transform_edt(~truth)
near = torch.from_numpy(inside + outside <= 3)
for name, (probability, _) in promised.items():
    p, t = probability[near], truth[near]
    sure, right = torch.maximum(p, 1 - p).mean(), ((p > 0.5) == t).float().mean()
    here, all_over = calibration_error(p, t), calibration_error(probability, truth)
    print(
        f"{name:>8}: near borders {sure:.1%} sure, {right:.1%} right; "
        f"calibration error {here:.3f} there, {all_over:.3f} over all pixels"
    )
show.images(
    [
        ("micrograph", real["test"][0][0][0, 146:274]),
        *((f"probability, {name}", p[0, 146:274]) for name, (p, _) in promised.items()),
    ]
)

# %% [markdown]
# The Dice network's map is nearly black and white: it is much more confident than it is right, where it matters. The
# *calibration error* is the mean gap between promise and outcome, over ten groups of pixels by their probability (you
# write it in lesson 11). Look at the last column too: over *all* pixels the Dice network need not be the worse one,
# since most pixels are plain background and a short training with BCE leaves those a little unsure. A calibration error
# has to say over which pixels it was taken. Mehrtash et al. (2020) find the same over-confidence on three medical data
# sets.
#
# Does it matter? For a mask at threshold 0.5, hardly. As soon as somebody reads the probability, for a second look, for a
# volume, for a different threshold, it does.

# %% [markdown]
# ## 9 · For the grade

# %% graded="loss-for-a-risk-map"
quiz("loss-for-a-risk-map")

# %% graded="soft-dice-by-hand"
quiz("soft-dice-by-hand")

# %% [markdown]
# ## Recap
#
# 1. A loss teaches through its gradient: look at where it pulls, not at its value.
# 2. Cross-entropy asks each pixel, so the majority decides. Compute it from logits, in the form that cannot overflow.
# 3. Soft Dice and soft IoU put probabilities in place of masks, and do not count background.
# 4. Weights (focal, border map) decide who is heard. Their defaults come from somebody else's data.
# 5. Dice likes all or nothing, so its probabilities promise too much; cross-entropy beside it pulls them back.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Train with `lambda z, t: focal_loss(z, t, alpha=0.75)` at 1 %. How much of its trouble was `alpha`?
# - Train BCE on `rare` for 30 epochs instead of 12. Does it catch up?
# - Turn `smooth` of the Dice loss up to 100 at 1 %. What does it do to small objects, and why?
#
# **Sources** · Ronneberger, O. et al. (2015), *U-Net*, arXiv:1505.04597 (border weights, equation 2) · Milletari, F. et
# al. (2016), *V-Net*, arXiv:1606.04797 (soft Dice) · Rahman, M. A. and Wang, Y. (2016), *Optimizing
# intersection-over-union in deep neural networks for image segmentation*, ISVC, LNCS 10072, 234–244 · Lin, T.-Y. et al.
# (2017), *Focal loss for dense object detection*, arXiv:1708.02002 · Isensee, F. et al. (2021), *nnU-Net*, Nature Methods
# 18, 203–211 · Mehrtash, A. et al. (2020), *Confidence calibration and predictive uncertainty estimation for deep medical
# image segmentation*, arXiv:1911.13273 · Bertels, J. et al. (2021), *Theoretical analysis and experimental validation of
# volume bias of soft Dice optimized segmentation maps in the context of inherent uncertainty*, arXiv:2211.04161
