"""Lesson 02: `confusion(pred, target)`."""

import numpy as np
import torch

from helpers.checks.probes import Call
from helpers.checks.shared import four_numbers
from helpers.exercises import exercise, misconception, variant
from helpers.reference.overlap import confusion


@exercise(
    confusion,
    lesson="02_overlap",
    concept="Four kinds of pixels",
    points=2,
    minutes=6,
    difficulty=1,
    hints=[
        "*Positive* and *negative* is what the prediction says; *true* and *false* is whether it is right.",
        "For boolean masks `&` is *and*, `~` is *not*, and `.sum()` counts. A false positive is predicted, and not "
        "there.",
        "Each of the four counts joins `pred` or `~pred` with `target` or `~target`. Together they must give every "
        "pixel: `tp + fp + fn + tn == pred.numel()`.",
    ],
    task=(
        "From two boolean masks of shape `(H, W)`, return four whole numbers `(tp, fp, fn, tn)`: pixels in both masks, "
        "in the prediction only, in the truth only, and in neither."
    ),
)
def probes(draw):
    """Pairs of boolean masks (H, W)."""
    for pair in _pairs(draw):
        yield Call(pair, view=four_numbers)


def _pairs(draw):
    """In the first, the four counts differ: 3, 2, 1 and 4."""
    yield draw.masks("""
        ###..   ##...
        ##...   #...#
    """)
    yield draw.masks("#   #")
    yield draw.masks("#   .")
    yield draw.masks("""
        ..#   .##
        ..#   .#.
        ...   ###
        #..   .#.
    """)  # 1, 2, 6 and 3
    yield draw.empty(2, 3), draw.empty(2, 3)
    yield draw.empty(4, 3), draw.mask(4, 3)
    yield draw.mask(3, 5), draw.full(3, 5)
    same = draw.mask(4, 7, fraction=0.3)
    yield same, same.clone()
    for _ in range(4):
        h, w = draw.size(2, 40), draw.size(2, 40)
        yield draw.mask(h, w, fraction=draw.uniform(0.01, 0.9)), draw.mask(h, w, fraction=draw.uniform(0.01, 0.9))


@misconception(
    "false positives and false negatives exchanged",
    "Your second and third numbers have changed places. *Positive* is what the prediction says, so a false positive is "
    "predicted and not there. Look at which mask carries the `~`, or at the order of your result.",
)
def false_ones_exchanged(pred, target):
    tp, fp, fn, tn = confusion(pred, target)
    return tp, fn, fp, tn


@misconception(
    "the true ones first",
    "The four counts are right and stand in another order: both true ones, then both false ones. Whoever unpacks "
    "`tp, fp, fn, tn` mixes them up. Look at your last line.",
)
def true_ones_first(pred, target):
    tp, fp, fn, tn = confusion(pred, target)
    return tp, tn, fp, fn


@misconception(
    "negatives first",
    "The four counts are right and stand in the order of scikit-learn's `confusion_matrix(...).ravel()`, which begins "
    "with the background. Look at the order that the task asks for.",
)
def negatives_first(pred, target):
    tp, fp, fn, tn = confusion(pred, target)
    return tn, fp, fn, tp


@misconception(
    "background taken for the object",
    "You count background as positive: all four counts are there, and each stands for its opposite. "
    "`True` marks the object here. Look at where you put the `~`.",
)
def background_positive(pred, target):
    return confusion(~pred, ~target)


@misconception(
    "a table of two rows",
    "You return a table of two rows, and `tp, fp, fn, tn = …` cannot unpack it. Four numbers in a row are asked for. "
    "Look at your last line.",
)
def table(pred, target):
    tp, fp, fn, tn = confusion(pred, target)
    return [[tp, fp], [fn, tn]]


@misconception(
    "three counts",
    "You return three numbers: the pixels in neither mask are missing. IoU and Dice do without them, accuracy does "
    "not. Look at the fourth kind of pixel.",
)
def without_tn(pred, target):
    return confusion(pred, target)[:3]


@misconception(
    "true negatives are all pixels that agree",
    "Your last number counts every pixel on which the masks agree, those of the object as well. Those are counted in "
    "`tp` already, so the four add up to more than the image. Look at what `==` counts.",
)
def tn_agreeing(pred, target):
    tp, fp, fn, tn = confusion(pred, target)
    return tp, fp, fn, tp + tn


@misconception(
    "areas instead of errors",
    "Your second number is the whole predicted area and your third the whole true area. The pixels in both are right "
    "and belong to neither error. Look at what you still have to leave out of the two sums.",
)
def areas(pred, target):
    tp, fp, fn, tn = confusion(pred, target)
    return tp, tp + fp, tp + fn, tn


@misconception(
    "both errors in one count",
    "Your second and third numbers are the same: all pixels in which the masks differ. An invented pixel and a missed "
    "one are different errors. Look at what `!=` or `^` counts.",
)
def differing(pred, target):
    tp, fp, fn, tn = confusion(pred, target)
    return tp, fp + fn, fp + fn, tn


@misconception(
    "object pixels of either mask in the first count",
    "Your first number counts the pixels in *either* mask, so every error counts as a success, too. "
    "Look at the operator that joins the two masks.",
)
def either_for_both(pred, target):
    tp, fp, fn, tn = confusion(pred, target)
    return tp + fp + fn, fp, fn, tn


@misconception(
    "`~` on numbers instead of booleans",
    "You made numbers of the masks and then used `~`. On whole numbers it turns 0 into -1 and 1 into -2, so your "
    "counts become negative. Look at the type of what stands behind the `~`.",
)
def not_of_numbers(pred, target):
    p, t = pred.int(), target.int()
    return (p * t).sum().item(), (p * ~t).sum().item(), (~p * t).sum().item(), (~p * ~t).sum().item()


@misconception(
    "`and` instead of `&`",
    "You joined tensors with `and`, which asks whether a *whole* mask is true, and raises an error as soon as there is "
    "more than one pixel. Look for the operator that works pixel by pixel.",
)
def python_and(pred, target):
    tp = (pred and target).sum().item()
    fp = (pred and not target) and 1
    return tp, int(fp), int(not pred and target), int(not pred and not target)


@misconception(
    "a difference of booleans",
    "You subtracted one boolean mask from the other. PyTorch refuses that with an error, since true minus true is no "
    "boolean. Look at the operators `&` and `~`.",
)
def minus(pred, target):
    return (pred & target).sum(), (pred - target).sum(), (target - pred).sum(), (~pred & ~target).sum()


@misconception(
    "shares instead of counts",
    "Your numbers add up to 1: you divided by the number of pixels. Counts of several images can be added, shares "
    "cannot. Look at whether you call `mean` or `sum`.",
)
def fractions(pred, target):
    return tuple(n / pred.numel() for n in confusion(pred, target))


@misconception(
    "counts of each row",
    "You counted row by row, so each of the four is a tensor and no number. Look at the `dim` that you pass to `sum`: "
    "the whole image is to be counted.",
)
def by_rows(pred, target):
    return (pred & target).sum(1), (pred & ~target).sum(1), (~pred & target).sum(1), (~pred & ~target).sum(1)


@misconception(
    "masks instead of counts",
    "You return four masks. They show where each kind lies, which makes a fine picture; the task asks how many there "
    "are. Look at what comes after the `&`.",
)
def masks(pred, target):
    return pred & target, pred & ~target, ~pred & target, ~pred & ~target


@variant("by differences of areas")
def by_areas(pred, target):
    tp = int((pred & target).sum())
    fp, fn = int(pred.sum()) - tp, int(target.sum()) - tp
    return tp, fp, fn, pred.numel() - tp - fp - fn


@variant("by comparing")
def by_comparing(pred, target):
    right = pred == target
    return pred[right].sum(), pred[~right].sum(), target[~right].sum(), (~target[right]).sum()  # 0-d tensors


@variant("with bincount")
def by_bincount(pred, target):
    counts = torch.bincount((2 * target.long() + pred.long()).flatten(), minlength=4)
    tn, fp, fn, tp = counts
    return torch.stack([tp, fp, fn, tn])  # a tensor of four numbers unpacks, too


@variant("pixel by pixel")
def pixel_by_pixel(pred, target):
    tp = fp = fn = tn = 0
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist(), strict=True):
        tp += p and t
        fp += p and not t
        fn += t and not p
        tn += not (p or t)
    return tp, fp, fn, tn


@variant("with numpy and floats")
def with_numpy(pred, target):
    p, t = pred.numpy().astype(float), target.numpy().astype(float)
    return np.sum(p * t), np.sum(p * (1 - t)), np.sum((1 - p) * t), np.sum((1 - p) * (1 - t))
