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
# **You will** see why accuracy calls a useless mask excellent, write the two scores that do not, and learn what they
# agree on, where they differ, and what to do when there is nothing to find.
#
# **Time** about 35 minutes · **You need** tensors and boolean masks (lesson 01) · **You write** `iou` and `dice`

# %%
import torch
from skimage.filters import threshold_otsu

from helpers import check, data, hint, quiz, show, use

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
# The score that comes to mind first is *pixel accuracy*: the share of pixels on which the two masks agree.

# %% [markdown]
# **Predict.** Before you run the next cell: what accuracy does the lazy model reach here? Take a guess from the
# picture.

# %%
accuracy = (nothing == truth).float().mean().item()
print(f"accuracy of the lazy model: {accuracy:.1%}")
print(f"share of the tile that is nucleus: {truth.float().mean():.1%}")

# %%
quiz("accuracy-of-nothing")

# %% [markdown]
# Accuracy counts background, and background is nearly everything. The more empty the image, the better the lazy model
# looks. What we care about are the pixels of the *objects*: those that are there, and those that were found. So leave
# the rest out of the count.

# %% [markdown]
# ## 2 · Three kinds of pixels
#
# Here is a model that tries. It calls a pixel "nucleus" when it is brighter than a threshold, chosen from the histogram
# by Otsu's method (1979). No learning is involved. The picture lays its mask over the truth.

# %%
image, labels = data.load("nuclei", "test", tile=128)[1]
truth = labels > 0
bright = image[0] > threshold_otsu(image[0].numpy())

show.overlap([("Otsu's threshold against the truth", bright, truth)], image)

# %% [markdown]
# Every pixel that matters is of one of three kinds: in **both** masks, **missed**, or **false**. A score of overlap
# sets the first against all three:
#
# $$\text{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|}$$
#
# That is *intersection over union*. It is 1 when the masks are equal and 0 when they share nothing. Background does not
# appear in it at all.

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
# Run `hint("iou")` in a cell of your own. It gives one hint at a time, and there are three.
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
    same = (mask == truth).float().mean().item()
    print(f"{name:>10}:  accuracy {same:.3f}   IoU {score(mask, truth):.3f}")

# %% [markdown]
# Accuracy ranks *nothing* far above *everything*, because most of this tile is background. IoU gives *nothing* no
# credit at all, and *everything* only the share that happens to be nucleus.

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
# ## 4 · Nothing there, nothing found
#
# You gave two empty masks a score of 1.0. That is a decision, not a law, and it matters. Cut the test
# columns of the micrograph into small tiles; some hold no nucleus at all. Score the lazy model on each, and take the
# mean.

# %%
small = data.load("nuclei", "test", tile=16)
truths = [labels > 0 for _, labels in small]
empty = [t for t in truths if not t.any()]
lazy = torch.tensor([dice_score(torch.zeros_like(t), t) for t in truths])
filled = torch.tensor([bool(t.any()) for t in truths])
print(f"{len(empty)} of {len(truths)} tiles hold no nucleus")
print(f"mean Dice of the lazy model, empty tiles count 1.0: {lazy.mean():.3f}")
print(f"mean Dice of the lazy model, empty tiles left out:  {lazy[filled].mean():.3f}")

# %% [markdown]
# The lazy model is right about the empty tiles, and a mean over tiles pays it for that. Neither number is wrong. They
# answer two questions, and a report has to say which of them it asked (Maier-Hein et al. 2024 count dozens of such
# pitfalls).
#
# ## Recap
#
# 1. Accuracy counts background. Where objects are small, a model that finds nothing looks excellent.
# 2. IoU is the overlap over the union; Dice is twice the overlap over the sum of the areas.
# 3. On one pair of masks each follows from the other, so they rank alike, and Dice is never the smaller number.
# 4. Two empty masks need a decision. Here they score 1.0.
# 5. A mean over images depends on that decision. Say what you did.
#
# ## Go further
#
# - Shift the true mask by one pixel and score it against itself: `score(truth.roll(1, 0), truth)`. How much does a
#   border drawn one pixel off cost a small nucleus, and how much a large one?
# - Draw both scores for two discs that slide apart. Which one falls faster at first?
#
# **Sources** · Dice, L. R. (1945), *Measures of the amount of ecologic association between species*, Ecology 26,
# 297–302 · Jaccard, P. (1912), *The distribution of the flora in the alpine zone*, New Phytologist 11, 37–50 ·
# Otsu, N. (1979), *A threshold selection method from gray-level histograms*, IEEE Trans. SMC 9, 62–66 · Maier-Hein, L.
# et al. (2024), *Metrics reloaded: recommendations for image analysis validation*, Nature Methods 21, 195–212
