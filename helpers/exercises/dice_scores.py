"""Lesson 02: `dice_scores(preds, targets, reduction)`."""

import numpy as np
import torch

from helpers.checks.probes import Call, Draw
from helpers.exercises import exercise, misconception, variant
from helpers.reference.overlap import dice, dice_scores, iou


def _pairs(*pictures):
    """A batch of predictions and one of targets, `(N, H, W)` each, from pictures of a pair."""
    preds, targets = zip(*map(Draw.masks, pictures), strict=True)
    return torch.stack(preds), torch.stack(targets)


@exercise(
    dice_scores,
    lesson="02_overlap",
    concept="Two ways to average",
    points=3,
    minutes=8,
    difficulty=2,
    hints=[
        "The two differ in what comes first: counting over all images and then one division, or one division for each "
        "image and then the mean.",
        "Pooled, the batch is one large pair of masks. Image by image, each pair has a Dice of its own, and two empty "
        "masks score 1.0 as before.",
        "`(preds & targets).sum()` counts over everything; with `dim=(1, 2)` it counts for each image. Whatever is "
        'neither `"pooled"` nor `"per_image"` is for `raise ValueError(...)`.',
    ],
    task=(
        'From two batches of boolean masks `(N, H, W)`, return one number. With `reduction="pooled"` it is the Dice of '
        'all pixels counted together; with `"per_image"` it is the mean of the images\' Dice. Two empty masks score '
        "1.0. Any other `reduction` raises a `ValueError`."
    ),
)
def probes(draw):
    """Batches of masks, each with both reductions, then a reduction that does not exist."""
    # Dice 6/8 and 2/3; the second image is small. Pooled 8/11, mean 17/24.
    uneven = _pairs("####.   .####\n.....   .....", "..#..   ..#..\n.....   ..#..")
    some_empty = _pairs("##   ##\n..   #.", "..   ..\n..   ..", "#.   ..\n..   ..", "..   ..\n..   ##")
    all_empty = torch.zeros(3, 2, 4, dtype=torch.bool), torch.zeros(3, 2, 4, dtype=torch.bool)
    # As many images as rows as columns, so that the wrong axes do not raise an error.
    cube = _pairs(
        "##.   #..\n#..   #..\n...   ..#",
        "#..   ###\n...   ###\n...   ...",
        "...   ...\n.##   .#.\n.#.   .##",
    )
    alone = _pairs("##..#   .#.##\n#....   ##...")
    batches = [uneven, some_empty, all_empty, cube, alone]
    for _ in range(2):
        n, h, w = draw.size(2, 5), draw.size(2, 15), draw.size(2, 15)
        fractions = [(draw.uniform(0.02, 0.9), draw.uniform(0.02, 0.9)) for _ in range(n)]
        batches.append(tuple(torch.stack([draw.mask(h, w, fraction=s[k]) for s in fractions]) for k in (0, 1)))
    for preds, targets in batches:
        yield preds, targets, "pooled"
        yield preds, targets, "per_image"
    for unknown in ("mean", "image", "pool"):
        yield Call((*uneven, unknown))


def _raise_unless_known(reduction):
    if reduction not in ("pooled", "per_image"):
        raise ValueError(reduction)


def _averaged(reduction, preds, targets, score):
    """`score` of all pixels, or the mean of the images' scores."""
    _raise_unless_known(reduction)
    if reduction == "pooled":
        return score(preds, targets)
    return sum(float(score(p, t)) for p, t in zip(preds, targets, strict=True)) / len(preds)


@misconception(
    "the two reductions exchanged",
    '`"pooled"` gives the mean of the images, and `"per_image"` counts all pixels together. To pool is to throw the '
    "pixels into one pot *before* dividing. Look at which branch is which.",
)
def exchanged(preds, targets, reduction):
    other = {"pooled": "per_image", "per_image": "pooled"}
    return dice_scores(preds, targets, other.get(reduction, reduction))


@misconception(
    "always pooled",
    '`"per_image"` gives the same as `"pooled"`: all pixels are counted together, and one large object outweighs ten '
    "small ones. Look at where you divide, once or once an image.",
)
def always_pooled(preds, targets, reduction):
    _raise_unless_known(reduction)
    return dice(preds, targets)


@misconception(
    "always image by image",
    '`"pooled"` gives the same as `"per_image"`: a mean of scores. To pool is to count over all images first and to '
    "divide once. Look at where the counts are added up.",
)
def always_per_image(preds, targets, reduction):
    _raise_unless_known(reduction)
    return dice_scores(preds, targets, "per_image")


@misconception(
    "one score an image instead of their mean",
    'For `"per_image"` you return one number an image. They are worth a look, but the task asks for one number: '
    "their mean. Look at what comes after the division.",
)
def not_averaged(preds, targets, reduction):
    if reduction == "per_image":
        return [dice(p, t) for p, t in zip(preds, targets, strict=True)]
    return dice_scores(preds, targets, reduction)


@misconception(
    "the sum instead of the mean",
    'For `"per_image"` you add the scores up, so a batch of ten scores up to 10. Look at what is still missing after '
    "the sum.",
)
def summed(preds, targets, reduction):
    score = dice_scores(preds, targets, reduction)
    return score * len(preds) if reduction == "per_image" else score


@misconception(
    "IoU instead of Dice",
    "You divided the overlap by the union: that is IoU. Dice divides twice the overlap by the sum of the two areas. "
    "Look at your fraction.",
)
def iou_instead(preds, targets, reduction):
    return _averaged(reduction, preds, targets, iou)


@misconception(
    "the factor two is missing",
    "Your scores never rise above 0.5, even for equal masks. The sum of the two areas counts every shared pixel twice. "
    "Look at what the numerator has to do to keep up.",
)
def factor_missing(preds, targets, reduction):
    def half(p, t):
        return dice(p, t) / 2 if (p | t).any() else 1.0

    return _averaged(reduction, preds, targets, half)


@misconception(
    "empty pairs left out of the mean",
    "You leave images out in which both masks are empty. A model that rightly finds nothing there gets no credit, and "
    "one that invents something is only then counted. Look at what such a pair scores, and at what you divide by.",
)
def empty_left_out(preds, targets, reduction):
    if reduction != "per_image":
        return dice_scores(preds, targets, reduction)
    scores = [dice(p, t) for p, t in zip(preds, targets, strict=True) if (p | t).any()]
    return sum(scores) / len(scores) if scores else 1.0


@misconception(
    "empty pairs score 0",
    "Two empty masks score 0 with you, so a model that rightly finds nothing is punished. A tiny number in the "
    "denominator avoids the crash, not the question. Look at what your fraction says when there is nothing to count.",
)
def empty_zero(preds, targets, reduction):
    return _averaged(reduction, preds, targets, lambda p, t: 2 * (p & t).sum() / (p.sum() + t.sum() + 1e-7))


@misconception(
    "empty pairs score 0 in the mean",
    "Pooled, two empty masks score 1.0; image by image they score 0 with you, so a model that rightly finds nothing is "
    "punished. Look at how you score one image of the batch.",
)
def empty_zero_per_image(preds, targets, reduction):
    if reduction != "per_image":
        return dice_scores(preds, targets, reduction)
    return _averaged(reduction, preds, targets, lambda p, t: 2 * (p & t).sum() / (p.sum() + t.sum() + 1e-7))


@misconception(
    "empty pairs give NaN",
    "Two empty masks give 0 divided by 0, and one NaN makes the mean over the batch NaN. "
    "Look at the areas of each image before you divide.",
)
def empty_nan(preds, targets, reduction):
    return _averaged(reduction, preds, targets, lambda p, t: 2 * (p & t).sum() / (p.sum() + t.sum()))


@misconception(
    "empty pairs raise an error",
    "Two empty masks make you divide by zero, and the evaluation stops at the first image without an object. "
    "Look at the areas of each image before you divide.",
)
def empty_raises(preds, targets, reduction):
    return _averaged(
        reduction, preds, targets, lambda p, t: 2 * (p & t).sum().item() / (p.sum().item() + t.sum().item())
    )


@misconception(
    "one empty mask counts as a match",
    "An image scores 1.0 as soon as *one* of its masks is empty, so a model that predicts nothing gets full marks. "
    "Only when both are empty is nothing missed and nothing invented: look at your condition.",
)
def either_empty(preds, targets, reduction):
    def score(p, t):
        return dice(p, t) if p.any() and t.any() else 1.0

    return _averaged(reduction, preds, targets, score)


@misconception(
    "an empty truth counts as a match",
    "An image without an object scores 1.0, whatever is predicted there, so inventing costs nothing. "
    "Only when the prediction is empty as well is everything right: look at your condition.",
)
def empty_truth(preds, targets, reduction):
    return _averaged(reduction, preds, targets, lambda p, t: dice(p, t) if t.any() else 1.0)


@misconception(
    "images without an object left out of the mean",
    "You leave out images in which the truth is empty, so nobody sees what the model invents there. "
    "Every image takes part in the mean: look at your condition, and at what you divide by.",
)
def truth_left_out(preds, targets, reduction):
    if reduction != "per_image":
        return dice_scores(preds, targets, reduction)
    scores = [dice(p, t) for p, t in zip(preds, targets, strict=True) if t.any()]
    return sum(scores) / len(scores) if scores else 1.0


@misconception(
    "the images laid over each other",
    'For `"pooled"` you laid all masks over each other and scored the result. Objects of different images then cover '
    "each other, and a miss in one is hidden by another. Look at what you join: masks or counts.",
)
def laid_over(preds, targets, reduction):
    if reduction == "pooled":
        return dice(preds.any(0), targets.any(0))
    return dice_scores(preds, targets, reduction)


@misconception(
    "summed over the wrong axes",
    'For `"per_image"` you sum over the first two axes, so each column of pixels gets a score, through all images. '
    "The first axis counts the images: look at the `dim` that you pass to `sum`.",
)
def wrong_axes(preds, targets, reduction):
    if reduction == "per_image":
        return dice_scores(preds.permute(2, 0, 1), targets.permute(2, 0, 1), "per_image")
    return dice_scores(preds, targets, reduction)


@misconception(
    "mean over the rows",
    'For `"per_image"` you score each row of each image and average those. An empty row then weighs as much as one '
    "full of object. Look at the `dim` that you pass to `sum`: an image has two axes.",
)
def by_rows(preds, targets, reduction):
    if reduction == "per_image":
        return dice_scores(preds.flatten(0, 1)[:, None], targets.flatten(0, 1)[:, None], "per_image")
    return dice_scores(preds, targets, reduction)


@misconception(
    "the last image only",
    'For `"per_image"` you return the score of one image: the last, or the first if you `return` inside the loop. '
    "Look at what happens to the score of each image in your loop.",
)
def last_image(preds, targets, reduction):
    if reduction == "per_image":
        return dice(preds[-1], targets[-1])
    return dice_scores(preds, targets, reduction)


@misconception(
    "an unknown reduction taken for per_image",
    "A reduction that does not exist gives a score with you, so a typing error goes unnoticed and the wrong table is "
    "printed. Look at your `else`: what if it is neither of the two?",
)
def unknown_per_image(preds, targets, reduction):
    return dice_scores(preds, targets, "pooled" if reduction == "pooled" else "per_image")


@misconception(
    "an unknown reduction taken for pooled",
    "A reduction that does not exist gives the pooled score with you, so a typing error goes unnoticed and the wrong "
    "table is printed. Look at your `else`: what if it is neither of the two?",
)
def unknown_pooled(preds, targets, reduction):
    return dice_scores(preds, targets, "per_image" if reduction == "per_image" else "pooled")


@misconception(
    "an unknown reduction gives None",
    "A reduction that does not exist gives `None`, and the error comes much later, where somebody computes with it. "
    "Look at what happens after your last `if`.",
)
def unknown_none(preds, targets, reduction):
    return dice_scores(preds, targets, reduction) if reduction in ("pooled", "per_image") else None


@misconception(
    "an unknown reduction is returned as text",
    "For a reduction that does not exist you return or print a message. The program goes on with it as if it were a "
    "score. An error stops it: look at how Python *raises* one.",
)
def unknown_text(preds, targets, reduction):
    return dice_scores(preds, targets, reduction) if reduction in ("pooled", "per_image") else "unknown reduction"


@misconception(
    "another error for an unknown reduction",
    "A reduction that does not exist raises an error, but no `ValueError`. That is the one for an argument of the "
    "right type with an impossible value, and an `assert` vanishes under `python -O`. Look at what you raise.",
)
def unknown_assert(preds, targets, reduction):
    assert reduction in ("pooled", "per_image")
    return dice_scores(preds, targets, reduction)


@misconception(
    "smoothing left in",
    "You added 1 on top and below, as losses do. In a score it lifts every small object. "
    "Look at the constants in your fraction.",
)
def smoothed(preds, targets, reduction):
    return _averaged(reduction, preds, targets, lambda p, t: (2 * (p & t).sum() + 1) / (p.sum() + t.sum() + 1))


@misconception(
    "the loss instead of the score",
    "You returned one minus the score. That is a loss; here the score is asked for, 1.0 for equal masks. "
    "Look at your last line.",
)
def loss(preds, targets, reduction):
    return 1 - dice_scores(preds, targets, reduction)


@variant("counts for each image, vectorised")
def vectorised(preds, targets, reduction):
    if reduction not in {"pooled", "per_image"}:
        raise ValueError("reduction must be 'pooled' or 'per_image'")
    dims = (0, 1, 2) if reduction == "pooled" else (1, 2)
    overlap = (preds & targets).sum(dims)
    total = preds.sum(dims) + targets.sum(dims)
    return torch.where(total > 0, 2 * overlap / total.clamp(min=1), 1.0).mean()  # a 0-d tensor is a number too


@variant("with a loop and no other function")
def loop(preds, targets, reduction):
    overlaps, totals, scores = 0, 0, []
    for p, t in zip(preds, targets, strict=True):
        overlap, total = int((p & t).sum()), int(p.sum() + t.sum())
        overlaps, totals = overlaps + overlap, totals + total
        scores.append(2 * overlap / total if total else 1)
    if reduction == "per_image":
        return sum(scores) / len(scores)
    if reduction == "pooled":
        return 2 * overlaps / totals if totals else 1
    raise ValueError(reduction)


@variant("pooled as one long image")
def one_long_image(preds, targets, reduction):
    match reduction:
        case "pooled":
            preds, targets = preds.flatten(0, 1)[None], targets.flatten(0, 1)[None]
        case "per_image":
            pass
        case _:
            raise ValueError(f"unknown reduction {reduction}")
    scores = []
    for p, t in zip(preds.double(), targets.double(), strict=True):
        scores.append((2 * (p * t).sum() + 1e-9) / (p.sum() + t.sum() + 1e-9))
    return torch.stack(scores).mean().item()


@variant("with numpy")
def with_numpy(preds, targets, reduction):
    p, t = preds.numpy().reshape(len(preds), -1), targets.numpy().reshape(len(targets), -1)
    if reduction == "pooled":
        p, t = p.reshape(1, -1), t.reshape(1, -1)
    elif reduction != "per_image":
        raise ValueError(reduction)
    total = p.sum(1) + t.sum(1)
    with np.errstate(invalid="ignore"):
        scores = 2 * (p & t).sum(1) / total
    return np.where(total == 0, 1.0, scores).mean()
