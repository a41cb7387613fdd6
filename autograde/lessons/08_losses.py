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
# **You will** train a U-Net that learns to say no, find out which pixels taught it that, and write five losses and a
# weight map that ask for something else. At the end you see the price of one of them: a network that is too sure.
#
# **Time** about 60 minutes (section 4 is a good place to stop) · **You need** Dice and IoU (lesson 02), a U-Net (lesson
# 07; if you have not written yours, this notebook takes the course's own and says so) · **You write**
# `bce_with_logits`, `soft_dice_loss`, `iou_loss`, `focal_loss`, `weight_map`, `combined_loss`

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
# In the simulated micrographs of `cells` you choose how much of the picture is nucleus. Here are three
# pictures, each stretched to its own brightest pixel.

# %%
options = {"size": 64, "diameter": 7, "count": 32}
dial = {
    fraction: data.load("cells", "test", foreground=fraction, **options)
    for fraction in (0.2, 0.05, 0.01)
}
show.images([(f"{fraction:.0%} nucleus", pairs[4][0]) for fraction, pairs in dial.items()])

# %% [markdown]
# Train your U-Net on pictures with 1 % nucleus. The loss is *binary cross-entropy* (BCE), the usual default; here it is
# still PyTorch's own. Train three times, from different first weights, because one training proves little. (A few
# seconds, the same each time.)

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


def scores(probability, truth, threshold=0.5):
    """Recall: fraction of nucleus pixels found. False: wrong ones for each true one."""
    found = probability > threshold
    hits = (found & truth).sum()
    return {
        "accuracy": ((found == truth).float().mean()).item(),
        "recall": (hits / truth.sum()).item(),
        "false": ((found & ~truth).sum() / truth.sum()).item(),
        "IoU": (hits / (found | truth).sum()).item(),
    }


# %%
def table(name):
    """Each score on the test images, of the three starts."""
    rows = [scores(*outcome(model, rare["test"])) for model in models[name]]
    return {score: [row[score] for row in rows] for score in rows[0]}


def mean(values):
    return sum(values) / len(values)


def spoken(values):
    """The mean and the range."""
    return f"{mean(values):.3f} ({min(values):.2f}–{max(values):.2f})"


def report(name):
    """A loss's row: each score, the mean over the three starts and the range."""
    row = "  ".join(f"{score} {spoken(values)}" for score, values in table(name).items())
    print(f"{name:>8}: {row}")


report("BCE")
probability, truth = outcome(models["BCE"][2], rare["test"])
show.overlap(
    [("trained with BCE, third start", probability[4] > 0.5, truth[4])], rare["test"][4][0]
)

# %% claim="Few pixels are wrongly called nucleus. But more are missed"
bce = {score: mean(values) for score, values in table("BCE").items()}
claim(
    lambda false, missed: false < 0.3 and missed > 0.1 and missed > false,
    *(bce["false"], 1 - bce["recall"]),
    other_way_round=(1 - bce["recall"], bce["false"]),
)

# %% claim="how much depends on the start"
recalls = table("BCE")["recall"]
claim(
    lambda recalls: max(recalls) - min(recalls) > 0.03,
    recalls,
    one_start_three_times=([recalls[0]] * 3,),
)

# %% claim="The accuracy says that all is well."
claim(
    lambda accuracy: accuracy > 0.98, bce["accuracy"], recall_in_its_place=(bce["recall"],)
)

# %% [markdown]
# Few pixels are wrongly called nucleus. But more are missed, and how much depends on the start. The accuracy says that
# all is well. The network has learned that *no* is a safe answer. Who taught it that? The loss did: training makes the
# loss small, and nothing else.

# %% [markdown]
# ## 2 · From a logit to a loss
#
# For each pixel your U-Net gives one number, called a **logit**, which can be any real number. The *sigmoid* turns it
# into a probability, `p = 1 / (1 + exp(−x))`. How wrong is a probability? Cross-entropy takes `−log` of the probability
# given to the truth: `−log(p)` on an object pixel, `−log(1 − p)` on background.

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

# %% claim="A confident mistake costs about as much as its logit is large; a confident right answer costs almost nothing."
losses_at_8 = [-torch.tensor(sign * 8.0).sigmoid().log().item() for sign in (-1, 1)]
claim(
    lambda wrong, right: abs(wrong - 8) < 0.1 and right < 0.01,
    *losses_at_8,
    signs_swapped=losses_at_8[::-1],
)

# %% [markdown]
# A confident mistake costs about as much as its logit is large; a confident right answer costs almost nothing.
# **Predict** from the curves:

# %%
quiz("loss-of-not-knowing")

# %% [markdown]
# Written down as it stands, the loss is sigmoid, logarithm, mean. Here it is for three pixels of background.


# %%
def naive(logits, target):
    p = 1 / (1 + torch.exp(-logits))
    return -(target * p.log() + (1 - target) * (1 - p).log()).mean()


for value in (2.0, 20.0, 200.0):
    logit = torch.tensor([value], requires_grad=True)
    loss = naive(logit, torch.zeros(1))
    loss.backward()
    print(f"logit {value:5}: loss {loss.item():.4g}, gradient {logit.grad.item():.4g}")

# %% claim="The loss should be 2.1, 20 and 200. But in float32 the sigmoid of 20 *is* 1"
sizes = torch.tensor([2.0, 20.0, 200.0])
claim(
    lambda losses: abs(losses[0] - 2.1) < 0.05 and losses[1] == losses[2] == float("inf"),
    [naive(x[None], torch.zeros(1)).item() for x in sizes],
    stable_formula=(F.softplus(sizes).tolist(),),
)

# %% [markdown]
# The loss should be 2.1, 20 and 200. But in float32 the sigmoid of 20 *is* 1, and the logarithm of 0 is minus infinity.
# One such pixel makes the loss of the whole batch infinite. So change the formula first. Put the sigmoid into the
# logarithm, and most of it cancels. A `log(1 + exp(·))` is left, and you choose the sign of its exponent.

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
# `torch.where` and `clamp` choose *after* both sides are computed. An infinity on the side not chosen is multiplied by
# 0 on the way back, and that is NaN. Choose the exponent so that neither side can overflow.
#
# </details>
#
# <details><summary>How do I get there from the formula?</summary>
#
# `−log(sigmoid(x))` is `log(1 + exp(−x))`, and `−log(1 − sigmoid(x))` is `log(1 + exp(x))`. For a large x the second is
# almost x itself. Take x out of the logarithm, and see which exponent is left inside.
#
# </details>

# %% [markdown]
# ### Look: where does it pull?
#
# A loss teaches through its gradient, and training goes downhill, against it. Where the gradient is negative (blue),
# the logit is pulled up, towards *nucleus*; where it is positive (red), down. Take a real tile and a rough prediction:
# 40 times the brightness above Otsu's threshold.

# %%
tiles = data.load("nuclei", "train", tile=64)
crowded = max(range(len(tiles)), key=lambda k: len(tiles.instances[k].unique()))
tile, mask = tiles[crowded]
instances = tiles.instances[crowded]
target = (mask > 0).float()[None, None]  # (1, 1, 64, 64)
rough = 40 * (tile[None] - threshold_otsu(tile.numpy()))


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

# %% claim="The gradient is `p − target`, for each pixel by itself."
p = rough.sigmoid()
off = [(pulls["BCE"] - (p - t)).abs().max().item() for t in (target, 0 * target)]
claim(lambda off: off < 1e-4, off[0], target_ignored=(off[1],))

# %% [markdown]
# The gradient is `p − target`, for each pixel by itself. Its neighbours do not enter, nor how many pixels are of its
# kind.

# %% [markdown]
# ## 3 · Outvoted
#
# And that is the trouble. Take a network that knows nothing yet: `p = 0.5` at every pixel. All pixels pull equally
# hard, and the majority wins.


# %%
def times_as_hard(loss, truths):
    """How many times as hard as the nuclei the background pulls, where p = 0.5 everywhere."""
    # nearly 0: at 0 itself `abs` and `clamp`, which some answers use, have a kink
    logits = torch.full_like(truths, 1e-4, requires_grad=True)
    loss(logits, truths).backward()
    up, down = (logits.grad[truths == side].abs().sum().item() for side in (1, 0))
    return down / up


everywhere = {}  # the loss of one probability at every pixel
for fraction, pairs in dial.items():
    truths = torch.stack([mask for _, mask in pairs]).float()[:, None]
    constant = torch.full_like(truths, torch.tensor(fraction).logit().item())
    everywhere[fraction] = use(bce_with_logits)(constant, truths).item()
    print(
        f"{fraction:4.0%} nucleus: background pulls "
        f"{times_as_hard(use(bce_with_logits), truths):5.1f} × as hard; "
        f"p = {fraction} at every pixel has loss {everywhere[fraction]:.3f}"
    )

# %% claim="Saying the same small number everywhere, without looking, already brings the loss below a tenth of that."
unknowing = torch.tensor(2.0).log().item()
claim(
    lambda constant: constant < unknowing / 10,
    everywhere[0.01],
    a_fifth_of_nucleus=(everywhere[0.2],),
)

# %% [markdown]
# At 1 % one voter in a hundred wants nuclei. Not knowing costs 0.69, as you predicted. Saying the same small number
# everywhere, without looking, already brings the loss below a tenth of that. Finding the nuclei can lower it only by
# what is left.

# %% [markdown]
# ## 4 · Make the score the loss
#
# You know a score that does not count background: Dice. Why not make *that* large? Because it scores masks. A mask
# comes from a threshold, and a threshold has no slope: change a logit a little, and the mask stays as it is.

# %%
hard = rough.clone().requires_grad_()
print("does a thresholded mask have a gradient?", (hard > 0).float().requires_grad)

# %% [markdown]
# Put the probabilities in place of the mask. The overlap of two masks is a sum of products, `Σ p·t`; an area is a sum,
# `Σ p`. Both have a slope everywhere. A small number `smooth`, above and below, avoids 0 / 0 in an image without
# objects. This is the *soft* Dice, and one minus it is a loss. V-Net (Milletari et al. 2016) introduced it with
# squares, `Σ p²`; nnU-Net (Isensee et al. 2021) and this course take plain sums. Section 8 shows the difference.

# %%
quiz("dice-over-the-batch")

# %% [markdown]
# Both are in use: the 2D networks of nnU-Net sum over the whole batch. Here each image counts by itself.

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
# Then `smooth` is not the same above and below. For a perfect match `2·overlap` equals the sum of the areas, so the
# same number has to be added to both.
#
# </details>

# %% [markdown]
# The other score becomes a loss in the same way (Rahman and Wang 2016). You already have its two parts.

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
scored = {
    "BCE": use(bce_with_logits),
    "Dice": use(soft_dice_loss),
    "IoU": use(iou_loss),
}
votes = {name: times_as_hard(loss, truths) for name, loss in scored.items()}
for name, times in votes.items():
    print(f"1 % nucleus, {name:>4}: background pulls {times:4.1f} × as hard")

# %% claim="For Dice and IoU the two sides pull about equally hard, though nuclei are rare."
claim(
    lambda *times: all(0.5 < one < 2 for one in times),
    *(votes["Dice"], votes["IoU"]),
    cross_entropy=(votes["BCE"],),
)

# %% claim="Where it is sure, right *or wrong*, hardly any pull is left."
sure = (rough.sigmoid() - 0.5).abs()[0, 0] > 0.49
left = {n: (m[sure].abs().max() / m.abs().max()).item() for n, m in pulls.items()}
claim(
    lambda *left: max(left) < 0.1,
    *(left["Dice"], left["IoU"]),
    cross_entropy=(left["BCE"],),
)

# %% claim="The IoU loss pulls where Dice pulls"
likeness = {
    name: torch.corrcoef(torch.stack([pulls["IoU"], pulls[name]]).flatten(1))[0, 1].item()
    for name in ("Dice", "BCE")
}
claim(lambda same: same > 0.99, likeness["Dice"], cross_entropy=(likeness["BCE"],))

# %% [markdown]
# For Dice and IoU the two sides pull about equally hard, though nuclei are rare. Each pixel's pull now depends on all
# the others in its image. It is strongest near `p = 0.5`, where the sigmoid is steepest and the network undecided.
# Where it is sure, right *or wrong*, hardly any pull is left. How hard do the
# few object pixels pull? Move the slider from 0.01 to 0.5, and watch the lower right plot.

# %%
play.loss(fraction=0.01)

# %% [markdown]
# ## 5 · Turn the easy pixels down
#
# There is another cure for being outvoted. Most background pixels are easy. Each still has a small loss, and there are
# very many. Lin et al. (2017) turn them down with a factor `(1 − p_t)^gamma`, where `p_t` is the probability given to
# the *truth*: `p` on an object, `1 − p` elsewhere. And they give objects the weight `alpha`, the rest `1 − alpha`.

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
# The object, in the paper and here, and it is 0.25: *less* than the background's 0.75. With gamma = 2 the easy
# background counts so little that this was best for the authors' detector. For your data it may not be: see section 7.
#
# </details>

# %% [markdown]
# ### Look

# %%
pulls["focal"] = pull(use(focal_loss))
show.images([(f"pull of {name}", pulls[name]) for name in ("BCE", "Dice", "focal")])
votes["focal"] = times_as_hard(use(focal_loss), truths)
print(f"1 % nucleus, focal: background pulls {votes['focal']:.0f} × as hard at p = 0.5")

# %% claim="Pixels that are nearly right have fallen silent."
nearly_right = (target - rough.sigmoid()).abs()[0, 0] < 0.2
parts = {
    n: (pulls[n][nearly_right].abs().sum() / pulls[n].abs().sum()).item() for n in pulls
}
claim(
    lambda focal, bce: focal < bce / 3,
    parts["focal"],
    parts["BCE"],
    no_gamma=(parts["BCE"],) * 2,
)

# %% claim="where nothing is easy yet, its `alpha` makes the odds three times worse"
claim(
    lambda focal, bce: 2.9 < focal / bce < 3.1,
    *(votes["focal"], votes["BCE"]),
    other_class=(votes["BCE"], votes["focal"]),
)

# %% [markdown]
# Pixels that are nearly right have fallen silent. But the focal loss has its price at the start: where nothing is easy
# yet, its `alpha` makes the odds three times worse for the nuclei.

# %% [markdown]
# ## 6 · Some pixels matter more
#
# Nuclei that touch are the hard case. A gap of two pixels hardly counts in a mean over all pixels, but without it two
# nuclei become one. The U-Net paper balanced the classes, and added up to 10 to the weight of each pixel in a narrow
# gap:
#
# $$w(x) = w_0 \cdot \exp\left(-\frac{(d_1(x) + d_2(x))^2}{2\sigma^2}\right)$$
#
# with the distances $d_1$ and $d_2$ from the pixel to the nearest and the second nearest object. In a narrow gap
# both are small. Beside a lone nucleus $d_2$ is not.

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
# For each pixel that is *not zero*, how far away the nearest zero is. So give it a mask that is zero on the object and
# nonzero elsewhere, one object at a time.
#
# </details>

# %% [markdown]
# ### Look
#
# Your map for the real tile, and the pull of cross-entropy when each pixel counts `1 + weight` times. (The bright dot
# is a hole of one pixel in the labels.)

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

# %% claim="A small part of the pixels now has more than half of the pull."
gaps = weights > 1
of_pull = {
    n: (m[gaps].abs().sum() / m.abs().sum()).item()
    for n, m in (("w", weighted), ("b", pulls["BCE"]))
}
claim(
    lambda pixels, pull: pixels < 0.2 and pull > 0.5,
    *(gaps.float().mean().item(), of_pull["w"]),
    unweighted=(gaps.float().mean().item(), of_pull["b"]),
)

# %% [markdown]
# A small part of the pixels now has more than half of the pull.

# %% [markdown]
# ## 7 · Are two losses better than one?
#
# Cross-entropy teaches every pixel from the first step on. Dice looks at the object as a whole, however small. The
# usual choice is the sum: nnU-Net takes it by default, for every data set.

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
# The same network, pictures and number of steps, and the same three starts for each loss. **Predict** first: which loss
# finds most of the nuclei, and which finds least? Which will have most false pixels? (Half a minute. The IoU loss pulls
# where Dice pulls, so it is left out.)

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

# %% claim="Dice finds more than BCE, and pays with more false pixels."
seen = {n: {score: mean(values) for score, values in table(n).items()} for n in models}
claim(
    lambda dice, bce: dice["recall"] > bce["recall"] and dice["false"] > bce["false"],
    *(seen["Dice"], seen["BCE"]),
    arms_swapped=(seen["BCE"], seen["Dice"]),
)

# %% claim="The sum of both finds more than BCE, with fewer false pixels than Dice."
claim(
    lambda both, bce, dice: (
        both["recall"] > bce["recall"] and both["false"] < dice["false"]
    ),
    *(seen["combined"], seen["BCE"], seen["Dice"]),
    arms_swapped=(seen["BCE"], seen["combined"], seen["Dice"]),
)

# %% claim="BCE and the focal loss find least"
recalls = [seen[n]["recall"] for n in ("BCE", "focal", "Dice", "combined")]
claim(
    lambda bce, focal, *others: max(bce, focal) < min(others),
    *recalls,
    arms_swapped=recalls[::-1],
)

# %% claim="the starts of one loss can differ more than two losses do"
widest = max(max(v) - min(v) for v in (table(n)["IoU"] for n in models))
nearest = abs(seen["Dice"]["IoU"] - seen["BCE"]["IoU"])
claim(lambda starts, losses: starts > losses, widest, nearest, swapped=(nearest, widest))

# %% [markdown]
# Dice finds more than BCE, and pays with more false pixels. The sum of both finds more than BCE, with fewer false
# pixels than Dice. BCE and the focal loss find least; focal's `alpha` of 0.25 gives each of the few object pixels a
# third of the weight of a background pixel. But before you believe a difference, look at the ranges: the starts of one
# loss can differ more than two losses do. And one number here is simply assumed: the threshold of 0.5.

# %% [markdown]
# ### Look: each at its own threshold
#
# A network may put the nuclei above the background and never say more than 0.5. So give each network the threshold that
# has the best IoU on *validation* images, and score it on the test images again.

# %%
validation = data.load("cells", "validation", foreground=0.01, **options)
thresholds = [k / 20 for k in range(1, 20)]


def best_threshold(model):
    seen = outcome(model, validation)
    return max(thresholds, key=lambda t: scores(*seen, t)["IoU"])


chosen, tuned = {}, {}  # by loss, of the three starts
for name in models:
    chosen[name] = [best_threshold(model) for model in models[name]]
    tuned[name] = [
        scores(*outcome(model, rare["test"]), threshold)["IoU"]
        for model, threshold in zip(models[name], chosen[name], strict=True)
    ]
    print(
        f"{name:>8}: IoU at 0.5 {spoken(table(name)['IoU'])}, "
        f"at its own {spoken(tuned[name])}; thresholds {chosen[name]}"
    )

# %% claim="On average BCE and the focal loss have come closer to the other two."
halves = {name: mean(table(name)["IoU"]) for name in models}
owns = {name: mean(tuned[name]) for name in models}
behind = [
    mean([one["Dice"], one["combined"]]) - mean([one["BCE"], one["focal"]])
    for one in (halves, owns)
]
claim(lambda half, own: own < half, *behind, thresholds_swapped=behind[::-1])

# %% claim="On average they need a threshold below 0.5, Dice one above."
claim(
    lambda bce, focal, dice: bce < 0.5 and focal < 0.5 < dice,
    *(mean(chosen[n]) for n in ("BCE", "focal", "Dice")),
    all_at_half=(0.5, 0.5, 0.5),
)

# %% claim="Part of what they had missed was only below the threshold"
claim(
    lambda half, own: all(own[n] > half[n] + 0.03 for n in ("BCE", "focal")),
    *(halves, owns),
    thresholds_swapped=(owns, halves),
)

# %% claim="The sum is still ahead of BCE"
claim(
    lambda both, bce: both > bce,
    *(mean(tuned["combined"]), mean(tuned["BCE"])),
    arms_swapped=(mean(tuned["BCE"]), mean(tuned["combined"])),
)

# %% [markdown]
# On average BCE and the focal loss have come closer to the other two. On average they need a threshold below 0.5, Dice
# one above. Part
# of what they had missed was only below the threshold, and no training was needed to get it. So a threshold belongs to
# a comparison of losses. Choose one for each, and never on test images. The sum is still ahead of BCE. Do not rank the
# others by three starts.

# %% [markdown]
# ## 8 · The price: too sure
#
# A probability of 0.8 makes a promise: of a hundred such pixels, eighty are nucleus. Which loss keeps it? Think of
# pixels on a blurred border, of which 60 % are nucleus. The honest answer is 0.6 for each. Ask each loss which answer
# makes it smallest, and V-Net's form of Dice, too.


# %%
def squared_dice_loss(logits, target):
    """V-Net's: the areas are sums of squares."""
    p = logits.sigmoid()
    overlap, total = (x.sum(dim=(1, 2, 3)) for x in (p * target, p**2 + target**2))
    return (1 - 2 * overlap / total).mean()


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


# %%
asked = {
    "BCE": use(bce_with_logits),
    "Dice": use(soft_dice_loss),
    "combined": use(combined_loss),
}
best = {}
for chance in (0.2, 0.4, 0.6, 0.8):
    best[chance] = {
        name: round(best_answer(loss, chance), 2)
        for name, loss in (asked | {"squared": squared_dice_loss}).items()
    }
    print(f"chance {chance}: {best[chance]}")

# %% claim="Cross-entropy is smallest at the true chance."
answers = {name: {chance: best[chance][name] for chance in best} for name in best[0.2]}
claim(
    lambda given: all(abs(answer - chance) < 0.04 for chance, answer in given.items()),
    answers["BCE"],
    dice=(answers["Dice"],),
)

# %% claim="Dice with plain sums is smallest at one end, whatever the chance: it wants all or nothing."
claim(
    lambda given: all(answer in (0.01, 0.99) for answer in given.values()),
    answers["Dice"],
    squared=(answers["squared"],),
)

# %% claim="V-Net's best answer stays a little above the chance."
claim(
    lambda given: all(0 < answer - chance < 0.12 for chance, answer in given.items()),
    answers["squared"],
    plain_sums=(answers["Dice"],),
)

# %% claim="The sum's best answer lies between those of its parts."
claim(
    lambda given: 0.02 < given[0.2] < 0.2 and 0.8 < given[0.8] < 0.98,
    answers["combined"],
    dice=(answers["Dice"],),
    cross_entropy=({0.2: 0.2, 0.8: 0.8},),
)

# %%
quiz("dice-likes-extremes")

# %% [markdown]
# Cross-entropy is smallest at the true chance. Dice with plain sums is smallest at one end, whatever the chance: it
# wants all or nothing. From 0 to 0.5 a pixel adds as much overlap and area as from 0.5 to 1. So if the first half is
# worth it, the second is. (The best answer jumps where the chance is half of the Dice that is reached: Lipton et al.
# 2014.) With squares the second half of a
# pixel costs more than the first, and V-Net's best answer stays a little above the chance. The sum's best answer lies
# between those of its parts.
#
# Does a trained network do that, too? Train three on the real micrograph. Look at the pixels within three pixels of a
# true border: how sure is each network there, on average, and how often is it right?

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
kept = {}  # by loss and place: sure, right, calibration error
for name, (probability, _) in promised.items():
    for place, region in (("near borders", near), ("elsewhere", ~near)):
        p, t = probability[region], truth[region]
        sure = torch.maximum(p, 1 - p).mean().item()
        right = ((p > 0.5) == t).float().mean().item()
        kept[name, place] = (sure, right, calibration_error(p, t))
        print(
            f"{name:>8}, {place:>12}: {sure:.1%} sure, {right:.1%} right "
            f"({sure - right:+.1%}); calibration error {kept[name, place][2]:.3f}"
        )
show.images(
    [
        ("micrograph", real["test"][0][0][0, 146:274]),
        *((f"probability, {name}", p[0, 146:274]) for name, (p, _) in promised.items()),
    ]
)

# %% claim="Near the borders the Dice network is too sure, and the BCE network is not."
gap = {key: sure - right for key, (sure, right, _) in kept.items()}
border = [gap[n, "near borders"] for n in ("Dice", "combined", "BCE")]
claim(
    lambda dice, both, bce: dice > 0.02 and bce < 0.01,
    *border,
    arms_swapped=border[::-1],
)

# %% claim="The combined one lies between."
claim(lambda dice, both, bce: dice > both > bce, *border, arms_swapped=border[::-1])

# %% claim="They differ more in how sure they are than in how often they are right."
spreads = [
    max(values) - min(values)
    for values in zip(*(kept[n, "near borders"][:2] for n in nets), strict=True)
]
claim(lambda sure, right: sure > right, *spreads, swapped=spreads[::-1])

# %% claim="Elsewhere the BCE network has the larger error, and it is less sure than it could be"
away = [(gap[n, "elsewhere"], kept[n, "elsewhere"][2]) for n in ("BCE", "Dice")]
claim(
    lambda bce, dice: bce[0] < 0 and bce[1] > dice[1],
    *away,
    arms_swapped=away[::-1],
)

# %% claim="an error over *all* pixels hides what happens near the borders"
errors = [calibration_error(*promised["Dice"]), kept["Dice", "near borders"][2]]
claim(lambda all_, near: all_ < near / 2, *errors, swapped=errors[::-1])

# %% [markdown]
# Near the borders the Dice network is too sure, and the BCE network is not. The combined one lies between. (The truth
# chose this region, so compare the networks with each other, not with zero.) They differ more in how sure they are than
# in how often they are right. The *calibration error* is the mean gap between promise and outcome, over ten groups of
# pixels by their probability (lesson 11).
#
# Elsewhere the BCE network has the larger error, and it is less sure than it could be. Most pixels
# lie there, so an error over *all* pixels hides what happens near the borders. Say where you took it, and its sign.
#
# For a mask at threshold 0.5 this hardly matters. For whoever reads the probability, it does.

# %% [markdown]
# ## Graded questions

# %% graded="loss-for-a-risk-map"
quiz("loss-for-a-risk-map")

# %% graded="soft-dice-by-hand"
quiz("soft-dice-by-hand")

# %% [markdown]
# ## Recap
#
# 1. A loss teaches through its gradient: look at where it pulls, not at its value.
# 2. Cross-entropy asks each pixel, so the majority sets where it starts from. Compute it from logits, in the form that
#    cannot overflow.
# 3. Soft Dice and soft IoU put probabilities in place of masks, and do not count background.
# 4. Weights (focal, border map) decide which pixels count. Their defaults come from somebody else's data.
# 5. Each loss has its own best threshold. Compare losses at thresholds chosen on validation images.
# 6. Dice with plain sums wants all or nothing, so it promises too much where pixels are uncertain. Cross-entropy beside
#    it helps.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Train with `lambda z, t: focal_loss(z, t, alpha=0.75)` at 1 %. How much of its trouble was `alpha`?
# - Train BCE on `rare` for 30 epochs instead of 12. Does it catch up?
# - Set `smooth` of the Dice loss to 100 at 1 %. What does it do to small objects, and why?
#
# **Sources** · Ronneberger, O. et al. (2015), *U-Net*, arXiv:1505.04597 (equation 2) · Milletari, F. et al. (2016),
# *V-Net*, arXiv:1606.04797 (soft Dice, with squares) · Rahman, M. A. and Wang, Y. (2016), *Optimizing
# intersection-over-union …*, ISVC, LNCS 10072, 234–244 · Lin, T.-Y. et al. (2017), *Focal loss for dense object
# detection*, arXiv:1708.02002 · Isensee, F. et al. (2021), *nnU-Net*, Nature Methods 18, 203–211, and its code,
# `github.com/MIC-DKFZ/nnUNet` (plain sums in `dice.py`; `batch_dice` for 2D in `default_experiment_planner.py`) ·
# Lipton, Z. C. et al. (2014), *Thresholding classifiers to maximize F1 score*, arXiv:1402.1892
