"""Lesson 02: `iou(pred, target)`."""

import numpy as np

from helpers.checks.shared import pairs_of_masks
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.overlap import iou


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
        "Divide the number of pixels in both masks by the number in at least one. The masks are boolean, `(H, W)`. "
        "Two empty masks score 1.0."
    ),
    # Whoever divides by something else than the union has to say what becomes of it where that is 0.
    choices=(("overlap / union if union", "overlap / max(union, 1) if (pred | target).any()"),),
)
def probes(draw):
    """Pairs of boolean masks (H, W), as for `dice`: the first can be counted by hand."""
    yield from pairs_of_masks(draw)


edit = edits_of(iou)

edit(
    "Dice instead of IoU",
    "You divided twice the overlap by the sum of the areas. That is Dice, IoU's milder sibling. IoU divides by the "
    "*union*, in which a shared pixel counts once: look at your denominator.",
    ("overlap / union", "2 * overlap / (union + overlap)"),
)

edit(
    "the sum of areas instead of the union",
    "In your version two equal masks score 0.5: the sum of the two areas counts every shared pixel twice. In the "
    "union it counts once. Look at what you have to take off the sum, or at an operator that joins the masks.",
    ("(pred | target).sum().item()", "pred.sum().item() + target.sum().item()"),
)

edit(
    "the difference instead of the union",
    "You divided by the pixels in which the masks *differ* (`^`), so the better the match, the smaller the "
    "denominator, and the score leaves the range from 0 to 1. Look at the operator that joins the masks.",
    ("pred | target", "pred ^ target"),
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
    "Look at the union before you divide.",
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
    "Look at the union before you divide.",
    (" if union else 1.0", ""),
)

edit(
    "one empty mask counts as a match",
    "You return 1.0 as soon as *one* of the masks is empty, so a model that predicts nothing at all gets full marks "
    "on every image. Only when both are empty is there nothing to miss and nothing found: look at your condition.",
    ("if union", "if pred.any() and target.any()"),
)

edit(
    "an empty truth counts as a match",
    "In your version an empty truth scores 1.0, whatever is predicted, so inventing an object costs nothing there. "
    "Only when the prediction is empty as well is everything right: look at your condition.",
    ("if union", "if target.any()"),
)

edit(
    "an empty prediction counts as a match",
    "In your version an empty prediction scores 1.0, whatever there was to find, so predicting nothing gets full "
    "marks. Only when the truth is empty as well is everything right: look at your condition.",
    ("if union", "if pred.any()"),
)

edit(
    "the overlap counts background",
    "Your overlap counts every pixel on which the masks agree, background included, so the score rises above 1. "
    "The overlap is what is object in both: look at what `==` counts.",
    ("pred & target", "pred == target"),
)

edit(
    "nothing is ever shared",
    "In your version even two equal masks score 0: your overlap is always empty. In a Python set two tensors are "
    "never equal, whatever numbers they hold; `.tolist()` turns them into numbers. Look at what you compare with "
    "what.",
    ("(pred & target).sum().item()", "0"),
)

edit(
    "pixel accuracy",
    "You counted the pixels on which the two masks agree, background included. That is pixel accuracy: it is high for "
    "any small object, found or not. IoU looks at object pixels only: look at what `==` counts.",
    ("overlap / union if union else 1.0", "(pred == target).float().mean().item()"),
)

edit(
    "precision",
    "You divided by the predicted area alone. That is precision: a single well-placed pixel scores 1.0. "
    "Missed pixels have to cost something too: look at which pixels are in the denominator.",
    ("(pred | target)", "pred"),
)

edit(
    "recall",
    "You divided by the true area alone. That is recall: a mask that covers the whole image scores 1.0. "
    "False pixels have to cost something too: look at which pixels are in the denominator.",
    ("(pred | target)", "target"),
)

edit(
    "all pixels instead of the union",
    "You divided by the number of all pixels, background included, so a small object scores next to nothing even when "
    "it is found. Look at which pixels are in the denominator.",
    ("overlap / union", "overlap / pred.numel()"),
)

edit(
    "the smaller area instead of the union",
    "You divided by the smaller of the two areas, so a mask that lies inside the other scores 1.0, however small it "
    "is. Missed and false pixels both have to cost something: look at which pixels are in the denominator.",
    ("overlap / union", "overlap / max(min(pred.sum().item(), target.sum().item()), 1)"),
)

edit(
    "the larger area instead of the union",
    "You divided by the larger of the two areas. The union holds the pixels of *both* masks, so it is larger still "
    "wherever each has pixels that the other lacks. Look at which pixels are in the denominator.",
    ("overlap / union", "overlap / max(pred.sum().item(), target.sum().item())"),
)

edit(
    "whole numbers only",
    "Your score is 0 for everything short of a perfect match. Look for a `//`, which drops the digits after the "
    "decimal point, for an `int`, or for a comparison of whole masks.",
    ("overlap / union", "overlap // union"),
)


@misconception(
    "background scored too",
    "You averaged the IoU of the object and the IoU of the background. Background is most of the image and easy, so "
    "it lifts every score. Look at which pixels your counts begin with.",
)
def with_background(pred, target):
    return (iou(pred, target) + iou(~pred, ~target)) / 2


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
    "row and column numbers instead of pixels",
    "You compare row and column numbers one by one, not pixels: the pixels (0, 1) and (1, 0) look the same to you. "
    "Look at what your sets hold; a pixel is a *pair* of numbers.",
)
def single_coordinates(pred, target):
    a, b = set(pred.nonzero().flatten().tolist()), set(target.nonzero().flatten().tolist())
    return len(a & b) / len(a | b) if a or b else 1.0


@misconception(
    "mean over rows",
    "You scored each row by itself and averaged. An empty row then weighs as much as one full of object. Look at the "
    "`dim` you pass to `sum`: the pixels are counted over the whole image.",
)
def by_rows(pred, target):
    return sum(iou(p[None], t[None]) for p, t in zip(pred, target, strict=True)) / len(pred)


edit(
    "smoothing left in",
    "You added 1 on top and below, as losses do to keep gradients alive. In a score it lifts every small object: "
    "two single pixels that miss each other get 1/3. Look at the constants in your fraction.",
    ("overlap / union if union else 1.0", "(overlap + 1) / (union + 1)"),
)

edit(
    "loss instead of score",
    "You returned 1 - IoU. That is a loss; here the score is asked for, 1.0 for two equal masks. "
    "Look at your last line.",
    ("overlap / union if union else 1.0", "1 - (overlap / union if union else 1.0)"),
)

edit(
    "loss instead of score, but 1.0 for empty masks",
    "You returned 1 - IoU wherever there is something to count, so two equal masks score 0. That is a loss; here the "
    "score is asked for. Look at your last line.",
    ("overlap / union", "1 - overlap / union"),
)


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
