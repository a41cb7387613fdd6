"""Lesson 02: `dice(pred, target)`."""

import numpy as np

from helpers.checks.shared import pairs_of_masks
from helpers.exercises import edits_of, exercise, misconception, variant
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
        "Divide twice the overlap by the sum of the two areas. The masks are boolean, `(H, W)`. "
        "Two empty masks score 1.0."
    ),
    # Whoever divides by one area has to say something about an empty one.
    choices=(("overlap / total if total", "overlap / max(total, 1) if (pred | target).any()"),),
)
def probes(draw):
    """Pairs of boolean masks (H, W), the small ones first."""
    yield from pairs_of_masks(draw)


edit = edits_of(dice)

edit(
    "IoU instead of Dice",
    "You divided by the union. That is IoU, Dice's stricter sibling: both agree on 0 and 1 and differ in between. "
    "Dice divides by the *sum* of the two areas, so the overlap is in the denominator twice, and counts twice on top.",
    ("2 * overlap / total", "overlap / (total - overlap)"),
)

edit(
    "empty masks score 0",
    "Two empty masks gave 0, so a model that correctly finds nothing is punished. A tiny number in the denominator "
    "avoids the crash, not the question: look at what your formula says when there is nothing to count.",
    ("else 1.0", "else 0.0"),
)

edit(
    "empty masks give NaN",
    "Two empty masks gave NaN: you divided 0 by 0, and one such image turns the mean over a whole data set into NaN. "
    "Look at the two areas before you divide.",
    ("else 1.0", 'else float("nan")'),
)

edit(
    "empty masks give None",
    "Two empty masks give `None`, and the error comes later, where somebody computes with it. "
    "Look at what you return when there is nothing to divide by.",
    ("else 1.0", "else None"),
)

edit(
    "empty masks raise an error",
    "Two empty masks made you divide by zero, and the evaluation stops at the first image without an object. "
    "Look at the two areas before you divide.",
    (" if total else 1.0", ""),
)

edit(
    "one empty mask counts as a match",
    "You return 1.0 as soon as *one* of the masks is empty, so a model that predicts nothing at all gets full marks "
    "on every image. Only when both are empty is there nothing to miss and nothing found: look at your condition.",
    ("if total", "if pred.any() and target.any()"),
)

edit(
    "an empty truth counts as a match",
    "In your version an empty truth scores 1.0, whatever is predicted, so inventing an object costs nothing there. "
    "Only when the prediction is empty as well is everything right: look at your condition.",
    ("if total", "if target.any()"),
)

edit(
    "an empty prediction counts as a match",
    "In your version an empty prediction scores 1.0, whatever there was to find, so predicting nothing gets full "
    "marks. Only when the truth is empty as well is everything right: look at your condition.",
    ("if total", "if pred.any()"),
)

edit(
    "the factor two is missing",
    "Your score never rises above 0.5, even for two equal masks. The denominator counts every shared pixel twice, "
    "once in each area: look at what the numerator has to do to keep up.",
    ("2 * overlap", "overlap"),
)

edit(
    "the union instead of the sum of areas",
    "Your score rises above 1: twice the overlap over the *union*. With booleans `+` means *or*, so `(pred + target)` "
    "counts shared pixels once. Look at whether you add masks or add their counts.",
    ("pred.sum().item() + target.sum().item()", "(pred + target).sum().item()"),
)

edit(
    "all pixels instead of the areas",
    "You divided by the number of all pixels of both masks, background included, so a small object scores next to "
    "nothing even when it is found. An area is the number of `True`: look at your denominator.",
    ("overlap / total", "overlap / (pred.numel() + target.numel())"),
)

edit(
    "all pixels instead of the sum of areas",
    "You divided by the number of all pixels, background included, so a small object scores next to nothing even when "
    "it is found. An area is the number of `True`: look at your denominator.",
    ("overlap / total", "overlap / pred.numel()"),
)

edit(
    "the overlap counts background",
    "Your overlap counts every pixel on which the masks agree, background included, so the score rises above 1. "
    "The overlap is what is object in both: look at what `==` counts.",
    ("pred & target", "pred == target"),
)

edit(
    "the union instead of the overlap",
    "Your numerator counts the pixels in *either* mask, so even two masks that share nothing score 2. "
    "The overlap is what is in both: look at the operator that joins the masks.",
    ("pred & target", "pred | target"),
)

edit(
    "pixel accuracy",
    "You counted the pixels on which the two masks agree, background included. That is pixel accuracy: it is high for "
    "any small object, found or not. Dice looks at object pixels only: look at what `==` counts.",
    ("2 * overlap / total if total else 1.0", "(pred == target).float().mean().item()"),
)

edit(
    "precision",
    "You divided by the predicted area alone. That is precision: a single well-placed pixel scores 1.0. "
    "Missed pixels have to cost something too: look at which areas are in the denominator.",
    ("2 * overlap", "overlap"),
    ("pred.sum().item() + target.sum().item()", "pred.sum().item()"),
)

edit(
    "recall",
    "You divided by the true area alone. That is recall: a mask that covers the whole image scores 1.0. "
    "False pixels have to cost something too: look at which areas are in the denominator.",
    ("2 * overlap", "overlap"),
    ("pred.sum().item() + target.sum().item()", "target.sum().item()"),
)

edit(
    "whole numbers only",
    "Your score is 0 for everything short of a perfect match. Look for a `//`, which drops the digits after the "
    "decimal point, for an `int`, or for a comparison of whole masks.",
    ("overlap / total", "overlap // total"),
)


@misconception(
    "background scored too",
    "You averaged the Dice of the object and the Dice of the background. Background is most of the image and easy, so "
    "it lifts every score. Look at which pixels your counts begin with.",
)
def with_background(pred, target):
    return (dice(pred, target) + dice(~pred, ~target)) / 2


edit(
    "smoothing left in",
    "You added 1 on top and below, as losses do to keep gradients alive. In a score it lifts every small object: "
    "two single pixels that miss each other get 1/3. Look at the constants in your fraction.",
    ("2 * overlap / total if total else 1.0", "(2 * overlap + 1) / (total + 1)"),
)

edit(
    "loss instead of score",
    "You returned 1 - Dice. That is the loss that training makes small; here the score is asked for, 1.0 for two equal "
    "masks. Look at your last line.",
    ("2 * overlap / total if total else 1.0", "1 - (2 * overlap / total if total else 1.0)"),
)

edit(
    "loss instead of score, but 1.0 for empty masks",
    "You returned 1 - Dice wherever there is something to count, so two equal masks score 0. That is the loss that "
    "training makes small; here the score is asked for. Look at your last line.",
    ("2 * overlap / total", "1 - 2 * overlap / total"),
)


@misconception(
    "mean over rows",
    "You scored each row by itself and averaged. An empty row then weighs as much as one full of object. Look at the "
    "`dim` you pass to `sum`: the areas are counted over the whole image.",
)
def by_rows(pred, target):
    return sum(dice(p[None], t[None]) for p, t in zip(pred, target, strict=True)) / len(pred)


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
