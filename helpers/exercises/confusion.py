"""Lesson 02: `confusion(pred, target)`."""

import numpy as np
import torch

from helpers.checks.probes import Call
from helpers.checks.shared import four_numbers
from helpers.exercises import edits_of, exercise, misconception, variant
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
    choices=(("(~pred & ~target).sum().item()", "pred.numel() - tp - fp - fn"),),
)
def probes(draw):
    """Pairs of boolean masks (H, W)."""
    for pair in _pairs(draw):
        yield Call(pair, view=four_numbers)


edit = edits_of(confusion)


def _pairs(draw):
    """In the first, the four counts differ: 3, 2, 1 and 4."""
    yield draw.masks("""
        ###..   ##...
        ##...   #...#
    """)
    yield draw.masks("""
        ##   #.
        ..   #.
    """)  # one of each, so that an exchange does not hide what else is wrong
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
    yield draw.masks("##..   ...#")
    yield draw.mask(40, 30, fraction=0.8), draw.mask(40, 30, fraction=0.7)  # more in both than a byte can count
    for _ in range(4):
        h, w = draw.size(2, 40), draw.size(2, 40)
        yield draw.mask(h, w, fraction=draw.uniform(0.01, 0.9)), draw.mask(h, w, fraction=draw.uniform(0.01, 0.9))


edit(
    "false positives and false negatives exchanged",
    "Your second and third numbers have changed places. *Positive* is what the prediction says, so a false positive is "
    "predicted and not there. Look at which mask carries the `~`, or at the order of your result.",
    ("fp = (pred & ~target)", "fp = (~pred & target)"),
    ("fn = (~pred & target)", "fn = (pred & ~target)"),
)

edit(
    "the true ones first",
    "The four counts are in a different order: both true ones, then both false ones. Whoever unpacks `tp, fp, fn, "
    "tn` mixes them up. Look at your last line.",
    ("return tp, fp, fn, tn", "return tp, tn, fp, fn"),
)

edit(
    "negatives first",
    "The four counts stand in the order of scikit-learn's `confusion_matrix(...).ravel()`, which begins with the "
    "background. Look at the order that the task asks for.",
    ("return tp, fp, fn, tn", "return tn, fp, fn, tp"),
)

edit(
    "background taken for the object",
    "You count background as positive: all four counts are there, and each stands for its opposite. "
    "`True` marks the object here. Look at where you put the `~`.",
    ("    tp =", "    pred, target = ~pred, ~target\n    tp ="),
)

edit(
    "a table of two rows",
    "You return a table of two rows, and `tp, fp, fn, tn = …` cannot unpack it. Four numbers in a row are asked for. "
    "Look at your last line.",
    ("return tp, fp, fn, tn", "return [[tp, fp], [fn, tn]]"),
)

edit(
    "a table of two rows, negatives first",
    "You return a table of two rows in the order of scikit-learn's `confusion_matrix`, which begins with the "
    "background. Four numbers in a row are asked for, `tp` first. Look at your last line.",
    ("return tp, fp, fn, tn", "return [[tn, fp], [fn, tp]]"),
)

edit(
    "a dictionary instead of four numbers",
    "You return a dictionary. Whoever unpacks `tp, fp, fn, tn` from it gets its keys, which are words and no counts. "
    "Look at your last line.",
    ("return tp, fp, fn, tn", 'return {"tp": tp, "fp": fp, "fn": fn, "tn": tn}'),
)

edit(
    "three counts",
    "You return three numbers: the pixels in neither mask are missing. IoU and Dice do without them, accuracy does "
    "not. Look at the fourth kind of pixel.",
    ("return tp, fp, fn, tn", "return tp, fp, fn"),
)

edit(
    "true negatives are all pixels that agree",
    "Your last number counts every pixel on which the masks agree, those of the object as well. Those are counted in "
    "`tp` already, so the four add up to more than the image. Look at what `==` counts, or at what you took off.",
    ("(~pred & ~target)", "(pred == target)"),
)

edit(
    "true positives are all pixels that agree",
    "Your first number counts every pixel on which the masks agree, background as well. Background that is correctly "
    "left alone belongs to `tn`. Look at what `==` counts.",
    ("tp = (pred & target)", "tp = (pred == target)"),
)

edit(
    "true negatives are all but the true positives",
    "Your last number is all pixels but the true positives, so it holds the errors of both kinds as well, and the four "
    "add up to more than the image. Look at what else you have to take off.",
    ("(~pred & ~target).sum().item()", "pred.numel() - tp"),
)

edit(
    "true negatives are all that is predicted as background",
    "Your last number counts every pixel that is predicted as background, the missed ones as well. Those are counted "
    "in `fn` already. Look at what the truth has to say at a true negative.",
    ("(~pred & ~target)", "(~pred)"),
)

edit(
    "true negatives are all of the true background",
    "Your last number counts the whole background of the truth, with the pixels that were predicted as object there. "
    "Those are counted in `fp` already. Look at what the prediction has to say at a true negative.",
    ("(~pred & ~target)", "(~target)"),
)

edit(
    "areas instead of errors",
    "Your second number is the whole predicted area and your third the whole true area. The pixels in both are right "
    "and belong to neither error. Look at what you still have to leave out of the two sums.",
    ("(pred & ~target)", "pred"),
    ("(~pred & target)", "target"),
)

edit(
    "errors that cancel",
    "Your errors are how much larger one area is than the other, so an invented pixel and a missed one cancel out, and "
    "one of the two is always 0. They lie in different places: look at which pixels are in one mask only.",
    ("(pred & ~target).sum().item()", "max(pred.sum().item() - target.sum().item(), 0)"),
    ("(~pred & target).sum().item()", "max(target.sum().item() - pred.sum().item(), 0)"),
)

edit(
    "errors that cancel, with a sign",
    "Your errors are one area less the other, so an invented pixel and a missed one cancel out, and a count can be "
    "negative. They lie in different places: look at which pixels are in one mask only.",
    ("(pred & ~target).sum().item()", "pred.sum().item() - target.sum().item()"),
    ("(~pred & target).sum().item()", "target.sum().item() - pred.sum().item()"),
)

edit(
    "both errors in one count",
    "Your second and third numbers are the same: all pixels in which the masks differ. An invented pixel and a missed "
    "one are different errors. Look at what `!=` or `^` counts.",
    ("(pred & ~target)", "(pred ^ target)"),
    ("(~pred & target)", "(pred ^ target)"),
)

edit(
    "object pixels of either mask in the first count",
    "Your first number counts the pixels in *either* mask, so every error counts as a success, too. "
    "Look at the operator that joins the two masks.",
    ("tp = (pred & target)", "tp = (pred | target)"),
)

edit(
    "`~` on numbers instead of booleans",
    "You made numbers of the masks and then used `~`. On whole numbers it turns 0 into -1 and 1 into -2, so your "
    "counts become negative. Look at the type of what stands behind the `~`.",
    ("    tp =", "    pred, target = pred.int(), target.int()\n    tp ="),
    ("(pred & ~target)", "(pred * ~target)"),
    ("(~pred & target)", "(~pred * target)"),
    ("(~pred & ~target)", "(~pred * ~target)"),
)

edit(
    "`~` on numbers, joined with `&`",
    "You made numbers of the masks and then used `~`. On whole numbers it turns 0 into -1 and 1 into -2, and your last "
    "count becomes negative. Look at the type of what stands behind the `~`.",
    ("    tp =", "    pred, target = pred.int(), target.int()\n    tp ="),
)

edit(
    "`and` instead of `&`",
    "You joined tensors with `and`, which asks whether a *whole* mask is true, and raises an error as soon as there is "
    "more than one pixel. Look for the operator that works pixel by pixel.",
    ("tp = (pred & target)", "tp = (pred and target)"),
)

edit(
    "a difference of booleans",
    "You subtracted one boolean mask from the other. PyTorch refuses that with an error, since true minus true is "
    "not a boolean. Look at the operators `&` and `~`.",
    ("(pred & ~target)", "(pred - target)"),
)

edit(
    "one minus booleans",
    "You subtracted a boolean mask from 1. PyTorch refuses that with an error: `~` is what turns true into false. "
    "Look at what you wrote for *not*.",
    ("(pred & ~target)", "(pred & (1 - target))"),
)

edit(
    "shares instead of counts",
    "Your numbers add up to 1: you divided by the number of pixels. Counts of several images can be added, shares "
    "cannot. Look at whether you call `mean` or `sum`.",
    ("    return ", "    tp, fp, fn, tn = (n / pred.numel() for n in (tp, fp, fn, tn))\n    return "),
)


@misconception(
    "counts of each row",
    "You counted row by row, so each of the four is a tensor and no number. Look at the `dim` that you pass to "
    "`sum`: the whole image has to be counted.",
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


@variant("by comparing")
def by_comparing(pred, target):
    right = pred == target
    return pred[right].sum(), pred[~right].sum(), target[~right].sum(), (~target[right]).sum()  # 0-d tensors


@variant("with bincount")
def by_bincount(pred, target):
    counts = torch.bincount((2 * target.long() + pred.long()).flatten(), minlength=4)
    tn, fp, fn, tp = counts
    return torch.stack([tp, fp, fn, tn])  # a tensor of four numbers unpacks, too


@variant("with numpy and floats")
def with_numpy(pred, target):
    p, t = pred.numpy().astype(float), target.numpy().astype(float)
    return np.sum(p * t), np.sum(p * (1 - t)), np.sum((1 - p) * t), np.sum((1 - p) * (1 - t))
