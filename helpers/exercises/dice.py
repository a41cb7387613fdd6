"""Lesson 02: `dice(pred, target)`."""

import numpy as np

from helpers.checks.shared import pairs_of_masks
from helpers.exercises import exercise, misconception, variant
from helpers.reference.overlap import dice


@exercise(
    dice,
    lesson="02_overlap",
    concept="Dice coefficient",
    points=3,
    minutes=5,
    difficulty=2,
    hints=[
        "Count three things: pixels in the prediction, pixels in the truth, pixels in both.",
        "For boolean masks `&` keeps what is in both, and `.sum()` counts.",
        "What should two empty masks score? Nothing was there, nothing was found. Decide that case before you divide.",
    ],
    task=(
        "Twice the overlap over the sum of the two areas, from two boolean masks of shape `(H, W)`. "
        "Two empty masks score 1.0."
    ),
)
def probes(draw):
    """Pairs of boolean masks (H, W), the small ones first."""
    yield from pairs_of_masks(draw)


@misconception(
    "IoU instead of Dice",
    "You divided by the union. That is IoU, Dice's stricter sibling: both agree on 0 and 1 and differ in between. "
    "Dice divides by the *sum* of the two areas, so the overlap is in the denominator twice, and counts twice on top.",
)
def iou_instead(pred, target):
    union = (pred | target).sum()
    return 1.0 if union == 0 else float((pred & target).sum() / union)


@misconception(
    "empty masks score 0",
    "Two empty masks gave 0, so a model that rightly finds nothing is punished. A tiny number in the denominator "
    "avoids the crash, not the question: look at what your formula says when there is nothing to count.",
)
def empty_is_zero(pred, target):
    return float(2 * (pred & target).sum() / (pred.sum() + target.sum() + 1e-7))


@misconception(
    "empty masks give NaN",
    "Two empty masks gave NaN: you divided 0 by 0, and one such image turns the mean over a whole data set into NaN. "
    "Look at the two areas before you divide.",
)
def empty_is_nan(pred, target):
    return float(2 * (pred & target).sum() / (pred.sum() + target.sum()))


@misconception(
    "empty masks raise an error",
    "Two empty masks made you divide by zero, and the evaluation stops at the first image without an object. "
    "Look at the two areas before you divide.",
)
def empty_raises(pred, target):
    return 2 * (pred & target).sum().item() / (pred.sum().item() + target.sum().item())


@misconception(
    "one empty mask counts as a match",
    "You return 1.0 as soon as *one* of the masks is empty, so a model that predicts nothing at all gets full marks "
    "on every image. Only when both are empty is there nothing to miss and nothing found: look at your condition.",
)
def either_empty_is_one(pred, target):
    if pred.sum() == 0 or target.sum() == 0:
        return 1.0
    return float(2 * (pred & target).sum() / (pred.sum() + target.sum()))


@misconception(
    "the factor two is missing",
    "Your score never rises above 0.5, even for two equal masks. The denominator counts every shared pixel twice, "
    "once in each area: look at what the numerator has to do to keep up.",
)
def factor_missing(pred, target):
    total = pred.sum() + target.sum()
    return 1.0 if total == 0 else float((pred & target).sum() / total)


@misconception(
    "the union instead of the sum of areas",
    "Your score rises above 1: twice the overlap over the *union*. With booleans `+` means *or*, so `(pred + target)` "
    "counts shared pixels once. Look at whether you add masks or add their counts.",
)
def union_for_sum(pred, target):
    total = (pred + target).sum()
    return 1.0 if total == 0 else float(2 * (pred & target).sum() / total)


@misconception(
    "pixel accuracy",
    "You counted the pixels on which the two masks agree, background included. That is pixel accuracy: it is high for "
    "any small object, found or not. Dice looks at object pixels only: look at what `==` counts.",
)
def accuracy(pred, target):
    return float((pred == target).float().mean())


@misconception(
    "precision",
    "You divided by the predicted area alone. That is precision: a single well-placed pixel scores 1.0. "
    "Missed pixels have to cost something too: look at which areas are in the denominator.",
)
def precision(pred, target):
    if pred.sum() + target.sum() == 0:
        return 1.0
    return float((pred & target).sum() / pred.sum()) if pred.any() else 0.0


@misconception(
    "recall",
    "You divided by the true area alone. That is recall: a mask that covers the whole image scores 1.0. "
    "False pixels have to cost something too: look at which areas are in the denominator.",
)
def recall(pred, target):
    if pred.sum() + target.sum() == 0:
        return 1.0
    return float((pred & target).sum() / target.sum()) if target.any() else 0.0


@misconception(
    "background scored too",
    "You averaged the Dice of the object and the Dice of the background. Background is most of the image and easy, so "
    "it lifts every score. Look at which pixels your counts begin with.",
)
def with_background(pred, target):
    return (dice(pred, target) + dice(~pred, ~target)) / 2


@misconception(
    "smoothing left in",
    "You added 1 on top and below, as losses do to keep gradients alive. In a score it lifts every small object: "
    "two single pixels that miss each other get 1/3. Look at the constants in your fraction.",
)
def smoothed(pred, target):
    return float((2 * (pred & target).sum() + 1) / (pred.sum() + target.sum() + 1))


@misconception(
    "loss instead of score",
    "You returned 1 - Dice. That is the loss that training makes small; here the score is asked for, 1.0 for two equal "
    "masks. Look at your last line.",
)
def loss(pred, target):
    return 1 - dice(pred, target)


@misconception(
    "mean over rows",
    "You scored each row by itself and averaged. An empty row then weighs as much as one full of object. Look at the "
    "`dim` you pass to `sum`: the areas are counted over the whole image.",
)
def by_rows(pred, target):
    return sum(dice(p[None], t[None]) for p, t in zip(pred, target, strict=True)) / len(pred)


@variant("through IoU")
def through_iou(pred, target):
    union = int((pred | target).sum())
    if union == 0:
        return 1.0
    j = int((pred & target).sum()) / union
    return 2 * j / (1 + j)


@variant("as F1 score")
def f1(pred, target):
    tp = (pred & target).sum()
    fp = (pred & ~target).sum()
    fn = (~pred & target).sum()
    if tp + fp + fn == 0:
        return 1.0
    return 2 * tp / (2 * tp + fp + fn)  # a 0-d tensor is a number too


@variant("with numbers for booleans and a tiny epsilon")
def epsilon(pred, target):
    p, t = pred.double().flatten(), target.double().flatten()
    return ((2 * (p * t).sum() + 1e-9) / (p.sum() + t.sum() + 1e-9)).item()


@variant("with numpy")
def with_numpy(pred, target):
    p, t = np.asarray(pred), np.asarray(target)
    total = np.count_nonzero(p) + np.count_nonzero(t)
    return np.float64(1) if total == 0 else 2 * np.logical_and(p, t).sum() / total


@variant("with sets of pixels")
def with_sets(pred, target):
    a, b = set(map(tuple, pred.nonzero().tolist())), set(map(tuple, target.nonzero().tolist()))
    if not a and not b:
        return 1
    return 2 * len(a & b) / (len(a) + len(b))
