"""Lesson 02: `iou(pred, target)`."""

import numpy as np

from helpers.checks.shared import pairs_of_masks
from helpers.exercises import exercise, misconception, variant
from helpers.reference.overlap import dice, iou


@exercise(
    iou,
    lesson="02_overlap",
    concept="Intersection over union",
    points=3,
    minutes=5,
    difficulty=1,
    hints=[
        "Two counts are enough: pixels in both masks, and pixels in at least one.",
        "For boolean masks `&` is *and*, `|` is *or*, and `.sum()` counts.",
        "When both masks are empty the union is 0. Nothing was missed and nothing invented: which score is fair?",
    ],
    task=(
        "Pixels in both masks over pixels in at least one, from two boolean masks of shape `(H, W)`. "
        "Two empty masks score 1.0."
    ),
)
def probes(draw):
    """Pairs of boolean masks (H, W), as for `dice`: the first can be counted by hand."""
    yield from pairs_of_masks(draw)


@misconception(
    "Dice instead of IoU",
    "You divided twice the overlap by the sum of the areas. That is Dice, IoU's milder sibling. IoU divides by the "
    "*union*, in which a shared pixel counts once: look at your denominator.",
)
def dice_instead(pred, target):
    return dice(pred, target)


@misconception(
    "the sum of areas instead of the union",
    "Two equal masks score 0.5 with you: the sum of the two areas counts every shared pixel twice. In the union it "
    "counts once. Look at what you have to take off the sum, or at an operator that joins the masks.",
)
def sum_for_union(pred, target):
    total = pred.sum() + target.sum()
    return 1.0 if total == 0 else float((pred & target).sum() / total)


@misconception(
    "the difference instead of the union",
    "You divided by the pixels in which the masks *differ* (`^`), so the better the match, the smaller the "
    "denominator, and the score leaves the range from 0 to 1. Look at the operator that joins the masks.",
)
def xor_for_union(pred, target):
    if not (pred | target).any():
        return 1.0
    return (pred & target).sum().item() / max((pred ^ target).sum().item(), 1)


@misconception(
    "empty masks score 0",
    "Two empty masks gave 0, so a model that rightly finds nothing is punished. A tiny number in the denominator "
    "avoids the crash, not the question: look at what your formula says when there is nothing to count.",
)
def empty_is_zero(pred, target):
    return float((pred & target).sum() / ((pred | target).sum() + 1e-7))


@misconception(
    "empty masks give NaN",
    "Two empty masks gave NaN: you divided 0 by 0, and one such image turns the mean over a whole data set into NaN. "
    "Look at the union before you divide.",
)
def empty_is_nan(pred, target):
    return float((pred & target).sum() / (pred | target).sum())


@misconception(
    "empty masks raise an error",
    "Two empty masks made you divide by zero, and the evaluation stops at the first image without an object. "
    "Look at the union before you divide.",
)
def empty_raises(pred, target):
    return (pred & target).sum().item() / (pred | target).sum().item()


@misconception(
    "one empty mask counts as a match",
    "You return 1.0 as soon as *one* of the masks is empty, so a model that predicts nothing at all gets full marks "
    "on every image. Only when both are empty is there nothing to miss and nothing found: look at your condition.",
)
def either_empty_is_one(pred, target):
    return iou(pred, target) if pred.any() and target.any() else 1.0


@misconception(
    "pixel accuracy",
    "You counted the pixels on which the two masks agree, background included. That is pixel accuracy: it is high for "
    "any small object, found or not. IoU looks at object pixels only: look at what `==` counts.",
)
def accuracy(pred, target):
    return float((pred == target).float().mean())


@misconception(
    "precision",
    "You divided by the predicted area alone. That is precision: a single well-placed pixel scores 1.0. "
    "Missed pixels have to cost something too: look at which pixels are in the denominator.",
)
def precision(pred, target):
    if not (pred | target).any():
        return 1.0
    return float((pred & target).sum() / pred.sum()) if pred.any() else 0.0


@misconception(
    "recall",
    "You divided by the true area alone. That is recall: a mask that covers the whole image scores 1.0. "
    "False pixels have to cost something too: look at which pixels are in the denominator.",
)
def recall(pred, target):
    if not (pred | target).any():
        return 1.0
    return float((pred & target).sum() / target.sum()) if target.any() else 0.0


@misconception(
    "IoU of the boxes",
    "You compared the *boxes* around the two masks. That is the IoU of object detection; two shapes that never touch "
    "can share a box. Look at what you count: here every pixel counts for itself.",
)
def of_boxes(pred, target):
    def box(mask):
        filled = mask.clone()
        if mask.any():
            rows, columns = mask.nonzero(as_tuple=True)
            filled[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
        return filled

    return iou(box(pred), box(target))


@misconception(
    "smoothing left in",
    "You added 1 on top and below, as losses do to keep gradients alive. In a score it lifts every small object: "
    "two single pixels that miss each other get 1/3. Look at the constants in your fraction.",
)
def smoothed(pred, target):
    return float(((pred & target).sum() + 1) / ((pred | target).sum() + 1))


@misconception(
    "loss instead of score",
    "You returned 1 - IoU. That is a loss; here the score is asked for, 1.0 for two equal masks. "
    "Look at your last line.",
)
def loss(pred, target):
    return 1 - iou(pred, target)


@variant("through Dice")
def through_dice(pred, target):
    total = int(pred.sum() + target.sum())
    if total == 0:
        return 1.0
    d = 2 * int((pred & target).sum()) / total
    return d / (2 - d)


@variant("the union as sum of areas less the overlap")
def inclusion_exclusion(pred, target):
    overlap = (pred & target).sum()
    union = pred.sum() + target.sum() - overlap
    return overlap / union if union > 0 else overlap.new_ones((), dtype=float)  # a 0-d tensor is a number too


@variant("with numbers for booleans and a tiny epsilon")
def epsilon(pred, target):
    p, t = pred.double(), target.double()
    overlap = (p * t).sum()
    return ((overlap + 1e-9) / (p.sum() + t.sum() - overlap + 1e-9)).item()


@variant("with numpy")
def with_numpy(pred, target):
    p, t = np.asarray(pred), np.asarray(target)
    union = np.logical_or(p, t).sum()
    return 1.0 if union == 0 else np.logical_and(p, t).sum() / union


@variant("with sets of pixels")
def with_sets(pred, target):
    a, b = set(map(tuple, pred.nonzero().tolist())), set(map(tuple, target.nonzero().tolist()))
    return len(a & b) / len(a | b) if a or b else 1
