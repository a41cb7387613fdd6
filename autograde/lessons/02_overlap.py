# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 02 · Overlap: how good is a mask?
#
# **You will** see why accuracy calls a useless mask excellent, write the scores that do not, and find out how two
# honest ways to take a mean can call either of two models the better one.
#
# **Time** about 60 minutes · **You need** tensors and boolean masks (lesson 01; nothing you wrote there is used, so you
# can start here) · **You write** `pixel_accuracy`, `confusion`, `iou`, `dice`, `dice_scores` and `mean_iou`

# %%
import torch
import torch.nn.functional as F
from scipy import ndimage
from skimage.filters import threshold_multiotsu, threshold_otsu

from helpers.metrics import boundary_error

# %% [markdown]
# ## 1 · A mask that finds nothing
#
# Here is a piece of a real micrograph: cell nuclei, stained so that they glow, and beside it the truth, drawn by
# hand. The third picture is what a very lazy model predicts. It has not found a single nucleus.

# %%
tiles = data.load("nuclei", "test", tile=64)
image, labels = tiles[13]
truth = labels > 0
nothing = torch.zeros_like(truth)

show.images([("micrograph", image), ("truth", truth), ("the lazy model", nothing)])

# %% [markdown]
# The score that comes to mind first is *pixel accuracy*: the fraction of pixels on which the two masks agree.

# %% [markdown] card="pixel_accuracy"


# %% exercise="pixel_accuracy"
def pixel_accuracy(pred, target):
    """Fraction of the pixels on which two masks agree, background included: a number from 0 to 1.

    pred, target: (H, W), both bool or both class indices.
    """
    ### BEGIN SOLUTION
    return (pred == target).sum().item() / target.numel()
    ### END SOLUTION


# %% check="pixel_accuracy"
check(pixel_accuracy)

# %% [markdown]
# ### Look
#
# **Predict.** Before you run the next cell: what accuracy does the lazy model reach here? Take a guess from the
# picture.

# %%
accuracy = use(pixel_accuracy)
print(f"accuracy of the lazy model: {accuracy(nothing, truth):.1%}")
print(f"fraction of the tile that is nucleus: {truth.float().mean():.1%}")

# %%
quiz("accuracy-of-nothing")

# %% claim="background is nearly everything"
claim(
    lambda lazy, nuclei: lazy > 0.9 and abs(lazy + nuclei - 1) < 1e-6,
    *(accuracy(nothing, truth), truth.float().mean().item()),
    of_everything=(accuracy(~nothing, truth), truth.float().mean().item()),
)

# %% [markdown]
# Accuracy counts background, and background is nearly everything. The more empty the image, the better the lazy model
# looks. What we care about are the pixels of the *objects*: those that are there, and those that were found. So leave
# the rest out of the count.

# %% [markdown]
# ## 2 · Four kinds of pixels
#
# Here is a model that tries. It calls a pixel "nucleus" when it is brighter than a threshold, chosen from the histogram
# by Otsu's method (1979). No learning is involved. The picture lays its mask over the truth.

# %%
image, labels = data.load("nuclei", "test", tile=128)[1]
truth = labels > 0
bright = image[0] > threshold_otsu(image[0].numpy())

show.overlap([("Otsu's threshold against the truth", bright, truth)], image)

# %% [markdown]
# In **both** masks, **missed**, or **false**; and the fourth kind, in neither, has no colour. They have names that you
# will read everywhere. *Positive* or *negative* is what the prediction says, *true* or *false* is whether it is right:
#
# | | truth: object | truth: background |
# |---|---|---|
# | **predicted: object** | true positive, `tp` | false positive, `fp` |
# | **predicted: background** | false negative, `fn` | true negative, `tn` |

# %% [markdown] card="confusion"


# %% exercise="confusion"
def confusion(pred, target):
    """Count the four kinds of pixels of two masks, bool (H, W): four ints (tp, fp, fn, tn)."""
    ### BEGIN SOLUTION
    tp = (pred & target).sum().item()
    fp = (pred & ~target).sum().item()
    fn = (~pred & target).sum().item()
    tn = (~pred & ~target).sum().item()
    return tp, fp, fn, tn
    ### END SOLUTION


# %% check="confusion"
check(confusion)

# %% [markdown]
# ### Look
#
# Your counts for Otsu's mask. Two fractions are often made of them: *precision*, how much of what was predicted is
# right, and *recall*, how much of what is there was found.

# %%
count = use(confusion)
tp, fp, fn, tn = count(bright, truth)
print(f"both {tp}, false {fp}, missed {fn}, neither {tn}: {tp + fp + fn + tn} pixels")
print(f"accuracy  {(tp + tn) / (tp + fp + fn + tn):.3f}")
print(f"precision {tp / (tp + fp):.3f}, recall {tp / (tp + fn):.3f}")

# %% [markdown]
# All the credit that comes from `tn` is credit for background. A score of overlap leaves it out, and sets what is in
# both against all that is in either:
#
# $$\text{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|}$$
#
# That is *intersection over union*, in counts tp / (tp + fp + fn): |A| is the number of pixels in A, ∩ what is in both
# masks, and ∪ what is in at least one. It is 1 when the masks are equal and 0 when they
# share nothing. Background does not appear in it at all.

# %% [markdown] card="iou"


# %% exercise="iou"
def iou(pred, target):
    """Intersection over union of two masks.

    pred, target: bool (H, W). Returns a number from 0 to 1; two empty masks score 1.0.
    """
    ### BEGIN SOLUTION
    union = (pred | target).sum().item()
    if union == 0:
        return 1.0
    return (pred & target).sum().item() / union
    ### END SOLUTION


# %% check="iou"
check(iou)

# %% [markdown]
# <details><summary>IoU above 1, or below 0?</summary>
#
# Then the denominator is smaller than it should be. Print its two parts for two equal masks: the intersection and the
# union are the same number there, the area of the mask.
#
# </details>
#
# <details><summary>I am stuck</summary>
#
# Press *Hint* below the check, or run `hint("iou")` in a cell of your own: one hint at a time, and there are three.
# When the mistake has no name, *Where is it?*, or `where("iou")`, looks in your code for one small change with which it
# passes, and says the line; asked again, it says more.
#
# </details>

# %% [markdown]
# ### Look
#
# Your `iou` beside accuracy, for three models: one finds nothing, one calls every pixel a nucleus, one is Otsu's
# threshold.

# %%
score = use(iou)
everything = torch.ones_like(truth)
models = {"nothing": torch.zeros_like(truth), "everything": everything, "Otsu": bright}
for name, mask in models.items():
    print(
        f"{name:>10}:  accuracy {accuracy(mask, truth):.3f}   IoU {score(mask, truth):.3f}"
    )

# %% claim="Accuracy ranks *nothing* far above *everything*"
claim(
    lambda nothing, everything: nothing > everything + 0.3,
    *(accuracy(models[name], truth) for name in ("nothing", "everything")),
    by_iou=[score(models[name], truth) for name in ("nothing", "everything")],
)

# %% claim="IoU gives *nothing* no credit at all, and *everything* only the fraction that happens to be nucleus"
claim(
    lambda nothing, everything, nuclei: nothing < 1e-6 > abs(everything - nuclei),
    *(score(models[name], truth) for name in ("nothing", "everything")),
    truth.float().mean().item(),
    by_accuracy=[
        *(accuracy(models[name], truth) for name in ("nothing", "everything")),
        truth.float().mean().item(),
    ],
)

# %% [markdown]
# Accuracy ranks *nothing* far above *everything*, because most of this tile is background. IoU gives *nothing* no
# credit at all, and *everything* only the fraction that happens to be nucleus.

# %%
quiz("iou-by-hand")

# %% [markdown]
# ## 3 · The other score
#
# Papers on medical images mostly report another number, the *Dice coefficient* (Dice 1945). It compares the overlap
# with the two areas:
#
# $$\text{Dice}(A, B) = \frac{2\,|A \cap B|}{|A| + |B|}$$
#
# The sum of the areas counts each shared pixel twice, once in each mask; so the overlap counts twice on top.

# %% [markdown] card="dice"


# %% exercise="dice"
def dice(pred, target):
    """Dice coefficient of two masks.

    pred, target: bool (H, W). Returns a number from 0 to 1; two empty masks score 1.0.
    """
    ### BEGIN SOLUTION
    total = pred.sum().item() + target.sum().item()
    if total == 0:
        return 1.0
    return 2 * (pred & target).sum().item() / total
    ### END SOLUTION


# %% check="dice"
check(dice)

# %% [markdown]
# <details><summary>My Dice is never above 0.5</summary>
#
# Two equal masks of 10 pixels: the overlap is 10, the areas add up to 20. What has to be doubled?
#
# </details>

# %% [markdown]
# ### Look
#
# Are the two scores rivals? Move the threshold through all grey values, and score each mask with both.

# %%
thresholds = torch.linspace(0.02, 0.6, 60)
masks = [image[0] > t for t in thresholds]
dice_score = use(dice)
ious = torch.tensor([score(mask, truth) for mask in masks])
dices = torch.tensor([dice_score(mask, truth) for mask in masks])

show.curves(
    thresholds,
    [("Dice", dices), ("IoU", ious)],
    title="Two scores of the same masks",
    xlabel="threshold (grey value, 0 to 1)",
    ylabel="score",
)
best = thresholds[dices.argmax()], thresholds[ious.argmax()]
print("best threshold by Dice {:.3f}, by IoU {:.3f}".format(*best))
gap = (dices - 2 * ious / (1 + ious)).abs().max()
print(f"largest gap between Dice and 2·IoU/(1+IoU): {gap:.1e}")

# %% claim="Both choose the same threshold, and they always will"
right = torch.tensor([accuracy(mask, truth) for mask in masks])
claim(
    lambda differently_ranked: differently_ranked == 0,
    (dices.argsort() != ious.argsort()).sum(),
    dice_and_accuracy=[(dices.argsort() != right.argsort()).sum()],
)

# %% [markdown]
# Both choose the same threshold, and they always will. On one pair of masks each can be computed from the other,
#
# $$\text{Dice} = \frac{2\,\text{IoU}}{1 + \text{IoU}}, \qquad \text{IoU} = \frac{\text{Dice}}{2 - \text{Dice}},$$
#
# so they rank any two masks alike. They differ in how harsh they sound: compare numbers from two papers only after you
# know which of the two they report.

# %%
quiz("dice-or-iou")

# %% [markdown]
# Now drag the shape of one nucleus off itself, or move the slider *Right*. Both scores fall, and accuracy hardly moves:

# %%
play.overlap(image, truth)

# %% [markdown]
# ## 4 · How far off is the border?
#
# Overlap counts pixels, wherever they are. Take two predictions: one draws every nucleus a pixel too thin, the other
# draws perfect outlines and overlooks three nuclei. The
# picture shows 200 rows of the last quarter of the micrograph, the numbers are of all its rows.

# %%
image, labels = data.load("nuclei", "test", tile=None)[0]
truth = labels > 0
numbers = data.load("nuclei", "test", tile=None).instances[0]

thin = torch.from_numpy(ndimage.binary_erosion(truth.numpy()))
forgetful = truth & ~torch.isin(numbers, numbers.unique()[1:4])
shown = slice(200, 400)  # rows
panels = [("too thin", thin), ("forgetful", forgetful)]
show.overlap([(name, m[shown], truth[shown]) for name, m in panels], image[:, shown])

# %% [markdown]
# **Predict.** Which one has the higher Dice? And from which one is the border further off, on average?

# %%
for name, mask in panels:
    print(
        f"{name:>9}: Dice {dice_score(mask, truth):.3f}, "
        f"border {boundary_error(mask, truth):.2f} pixels off, "
        f"area {mask.sum() / truth.sum():.0%} of the true one"
    )

# %% claim="The two scores disagree about which is better"
by_dice = [dice_score(mask, truth) for _, mask in panels]
by_border = [boundary_error(mask, truth) for _, mask in panels]
claim(
    lambda dices, borders: (dices[0] < dices[1]) == (borders[0] < borders[1]),
    *(by_dice, by_border),
    one_twice=(by_dice, [-x for x in by_dice]),
)

# %% claim="A nucleus that is missed has most of its border far from any other"


def rim(mask):
    """The border pixels of a mask."""
    return mask & ~torch.from_numpy(ndimage.binary_erosion(mask.numpy()))


away = torch.from_numpy(ndimage.distance_transform_edt(~rim(forgetful).numpy()))
far = [(away[rim(m)] > 5).float().mean() for m in (truth & ~forgetful, thin)]
claim(lambda fraction: fraction > 0.5, far[0], too_thin=far[1:])

# %% claim="A measured area suffers from both"
kept = [(mask.sum() / truth.sum()).item() for _, mask in panels]
claim(lambda *areas: all(area < 0.95 for area in areas), *kept, truth=(1.0, 1.0))

# %% [markdown]
# The two scores disagree about which is better. The second number is the *boundary error*: from every border pixel of
# one mask to the nearest border pixel of the other, both ways, and the mean of it (Heimann et al. 2009). A nucleus that
# is missed has most of its border far from any other. Which number matters depends on what the mask is for. For
# counting, a thin border does no harm and a missing nucleus is a mistake. A measured area suffers from both.
#
# ## 5 · Nothing there, nothing found
#
# You gave two empty masks a score of 1.0. That is a decision, not a law, and it matters. Cut the test
# columns of the micrograph into small tiles; some hold no nucleus at all. Score the lazy model on each, and take the
# mean.

# %%
small = data.load("nuclei", "test", tile=16)
images = torch.stack([image[0] for image, _ in small])
truths = torch.stack([labels > 0 for _, labels in small])
filled = truths.any(dim=2).any(dim=1)
lazy = torch.tensor([dice_score(torch.zeros_like(t), t) for t in truths])
print(f"{(~filled).sum()} of {len(truths)} tiles hold no nucleus")
print(f"mean Dice of the lazy model, empty tiles count 1.0: {lazy.mean():.3f}")
print(f"mean Dice of the lazy model, empty tiles left out:  {lazy[filled].mean():.3f}")

# %% claim="The lazy model is right about the empty tiles"
claim(
    lambda empty, rest: rest < 1e-6 > abs(empty - 1),
    *(lazy[~filled].mean(), lazy[filled].mean()),
    swapped=(lazy[filled].mean(), lazy[~filled].mean()),
)

# %% [markdown]
# The lazy model is right about the empty tiles, and a mean over tiles pays it for that. Neither number is wrong. They
# answer two questions, and a report has to say which of them it asked (Maier-Hein et al. 2024 count dozens of such
# pitfalls).
#
# ## 6 · One number for many images
#
# So how do you score a whole test set? There are two ways. Count the pixels of all images *together*, then divide once:
# **pooled**. Or divide for each image and take the **mean over images**.

# %% [markdown] card="dice_scores"


# %% exercise="dice_scores"
def dice_scores(preds, targets, reduction):
    """One Dice for a batch of masks, bool (N, H, W).

    reduction: "pooled", all pixels counted together, or "per_image", the mean of the images' Dice, in which two empty
    masks score 1.0. Raises ValueError for anything else.
    """
    ### BEGIN SOLUTION
    if reduction not in ("pooled", "per_image"):
        raise ValueError(f"reduction is {reduction!r}; it must be 'pooled' or 'per_image'")
    axes = (0, 1, 2) if reduction == "pooled" else (1, 2)
    overlap = (preds & targets).sum(axes)
    total = preds.sum(axes) + targets.sum(axes)
    return torch.where(total == 0, 1.0, 2 * overlap / total.clamp(min=1)).mean().item()
    ### END SOLUTION


# %% check="dice_scores"
check(dice_scores)

# %% [markdown]
# <details><summary>One number an image, or NaN?</summary>
#
# `per_image` ends with a mean over the N scores. NaN is 0 divided by 0: an image in which both masks are empty. It
# scores 1.0, as before, and has to be decided before the division or put right after it.
#
# </details>

# %% [markdown]
# ### Look
#
# Two models on the small tiles. The *bold* one counts a pixel as nucleus above a low brightness, the *careful* one only
# from twice that.
#
# **Predict.** Which one is better? You may say: that depends.

# %%
score_all = use(dice_scores)
models = {"bold": images > 0.12, "careful": images > 0.24}
for name, preds in models.items():
    pooled, per_image = (score_all(preds, truths, how) for how in ("pooled", "per_image"))
    print(f"{name:>8}:  pooled {pooled:.3f}   per image {per_image:.3f}")

# %% claim="Pooled, the bold one wins. Image by image, the careful one wins."
both = [
    [score_all(p, truths, how) for p in models.values()] for how in ("pooled", "per_image")
]
claim(
    lambda pooled, each: pooled[0] > pooled[1] and each[0] < each[1],
    *both,
    swapped=both[::-1],
)

# %% [markdown]
# Pooled, the bold one wins. Image by image, the careful one wins. Look at the tiles in two heaps to see why:

# %%
for name, preds in models.items():
    with_nucleus = score_all(preds[filled], truths[filled], "per_image")
    without = score_all(preds[~filled], truths[~filled], "per_image")
    print(
        f"{name:>8}:  tiles with a nucleus {with_nucleus:.3f}   empty tiles {without:.3f}, "
        f"with {preds[~filled].sum()} false pixels"
    )
print(f"right of the bold one: {(models['bold'] & truths).sum()} pixels")

# %% claim="The bold model pays that price in most of them"
paid = {
    name: preds[~filled].any(dim=2).any(dim=1).float().mean()
    for name, preds in models.items()
}
claim(
    lambda bold, careful: bold > 0.5 > careful,
    *paid.values(),
    swapped=list(paid.values())[::-1],
)

# %% claim="its false pixels there hardly count beside the many that it gets right"
bold = models["bold"]
false = [(bold & ~truths)[at].sum().item() for at in (~filled, filled)]
right = (bold & truths).sum().item()
claim(
    lambda false, right: false < right / 10,
    *(false[0], right),
    other_tiles=(false[1], right),
)

# %% [markdown]
# In an empty tile a score can only be 1 or 0: one false pixel costs as much as a whole nucleus that was missed
# elsewhere. The bold model pays that price in most of them. Pooled, its false pixels there hardly count beside the
# many that it gets right. Pooled, large
# objects decide. Image by image, every image weighs the same, small objects and empty images with it. Neither is wrong,
# and a paper that does not say which it took has not said how good its model is.

# %%
quiz("pooled-or-per-image")

# %% [markdown]
# ## 7 · Several classes, and pixels that nobody knows
#
# A brain has more than one tissue. Here a model without any learning sorts the pixels of a slice by brightness, into as
# many heaps as there are tissues (Otsu's method with two thresholds). All that is black is background.

# %%
brain = data.load("brain", "test")
slice_, target = brain[8]
inside = slice_[0] > 0
low, high = threshold_multiotsu(slice_[0][inside].numpy(), classes=3).tolist()
heap = (
    1 + (slice_[0] > low).long() + (slice_[0] > high).long()
)  # 1 dark, 2 middle, 3 bright
sorted_ = torch.where(inside, heap, 0)
show.images([("T1 image", slice_), ("sorted by brightness", sorted_), ("truth", target)])
print(f"accuracy {accuracy(sorted_, target):.3f}")
for number, name in enumerate(brain.classes):
    print(f"{name:>14}: IoU {score(sorted_ == number, target == number):.3f}")

# %% claim="its easy score lifts the mean"
each = [score(sorted_ == k, target == k) for k in range(4)]
claim(
    lambda with_it, without: with_it > without + 0.03,
    *(sum(each) / 4, sum(each[1:]) / 3),
    grey_matter=(sum(each) / 4, sum(each[:2] + each[3:]) / 3),
)

# %% [markdown]
# Each class in turn is the object, and the rest its background. The mean of these numbers is the *mean IoU*: every
# class weighs the same, the rare ones too. The background is one of the classes here, and its easy score lifts the
# mean. It raises two questions.
#
# - **A class that is in neither mask** has no overlap and no union. It takes no part in the mean.
# - **Pixels that nobody knows.** Where two tissues meet, an annotator cannot say to the pixel where. Such pixels get the
#   number 255 in the target (lesson 01), and whatever is predicted there neither helps nor harms.

# %% [markdown] card="mean_iou"


# %% exercise="mean_iou"
def mean_iou(pred, target, num_classes, ignore_index=255):
    """Mean over the classes of their IoU, each counted over all pixels at once.

    pred, target: int64 (H, W) or (N, H, W), classes 0 to num_classes - 1. Pixels where target is ignore_index do not
    count. A class in neither mask is left out of the mean; 1.0 when no class is left.
    """
    ### BEGIN SOLUTION
    known = target != ignore_index
    scores = []
    for k in range(num_classes):
        in_pred, in_target = (pred == k) & known, (target == k) & known
        union = (in_pred | in_target).sum().item()
        if union > 0:
            scores.append((in_pred & in_target).sum().item() / union)
    return sum(scores) / len(scores) if scores else 1.0
    ### END SOLUTION


# %% check="mean_iou"
check(mean_iou)

# %% [markdown]
# <details><summary>My scores are too low where pixels are ignored</summary>
#
# An ignored pixel has a prediction, too. If you take it out of the target only, it still counts as a false pixel of the
# class that is predicted there. Take it out of both.
#
# </details>

# %% [markdown]
# ### Look
#
# Your `mean_iou` on the slice: as it is, and with the pixels set to 255 at which grey matter meets white.

# %%
mean_score = use(mean_iou)
grey, white = (F.max_pool2d((target == k)[None].float(), 3, 1, 1)[0] > 0 for k in (2, 3))
border = grey & white  # within a pixel of both
unsure = torch.where(border, 255, target)
print(f"mean IoU {mean_score(sorted_, target, 4):.3f}")
print(f"mean IoU without border pixels {mean_score(sorted_, unsure, 4):.3f}")
print(f"ignored: {border.float().mean():.1%} of the pixels")

# %% claim="Most mistakes lie at borders"
edge = torch.zeros_like(target, dtype=torch.bool)
for k in range(4):
    grown, rest = (
        F.max_pool2d((t)[None].float(), 3, 1, 1)[0] > 0 for t in (target == k, target != k)
    )
    edge |= grown & rest
mistakes = sorted_ != target
claim(
    lambda at_borders, elsewhere: at_borders > elsewhere,
    *((mistakes & edge).sum(), (mistakes & ~edge).sum()),
    swapped=((mistakes & ~edge).sum(), (mistakes & edge).sum()),
)

# %% claim="whoever leaves a border out gets a"
claim(
    lambda without, whole: without > whole,
    *(mean_score(sorted_, unsure, 4), mean_score(sorted_, target, 4)),
    swapped=(mean_score(sorted_, target, 4), mean_score(sorted_, unsure, 4)),
)

# %% [markdown]
# Nothing about the prediction has changed. Most mistakes lie at borders, so whoever leaves a border out gets a
# better number. The pixels to ignore are part of the question, and are fixed before anybody sees a prediction.
#
# ## Graded questions

# %% graded="dice-from-counts"
quiz("dice-from-counts")

# %% graded="screening-for-lesions"
quiz("screening-for-lesions")

# %% [markdown]
# ## Recap
#
# 1. Accuracy counts background. Where objects are small, a model that finds nothing looks excellent.
# 2. IoU is the overlap over the union; Dice is twice the overlap over the sum of the areas. Each follows from the other.
# 3. Overlap does not say how far off the mistakes are. The boundary error does, in pixels.
# 4. Two empty masks need a decision; here they score 1.0. Pixels marked 255 do not count.
# 5. Pooled or per image: the mean you take can decide which model is better. Say which it was.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Shift the true mask by one pixel and score it against itself: `score(truth.roll(1, 0), truth)`. How much does a
#   border drawn one pixel off cost a small nucleus, and how much a large one?
# - Draw both scores for two discs that slide apart. Which one falls faster at first?
#
# **Sources** · Dice, L. R. (1945), *Measures of the amount of ecologic association between species*, Ecology 26,
# 297–302 · Jaccard, P. (1912), *The distribution of the flora in the alpine zone*, New Phytologist 11, 37–50 ·
# Otsu, N. (1979), *A threshold selection method from gray-level histograms*, IEEE Trans. SMC 9, 62–66 · Maier-Hein, L.
# et al. (2024), *Metrics reloaded: recommendations for image analysis validation*, Nature Methods 21, 195–212 ·
# Heimann, T. et al. (2009), *Comparison and evaluation of methods for liver segmentation from CT datasets*, IEEE Trans.
# Medical Imaging 28, 1251–1265 (the boundary error)
