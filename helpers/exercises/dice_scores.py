"""Lesson 02: `dice_scores(preds, targets, reduction)`."""

import numpy as np
import torch

from helpers.checks.probes import Call, Draw
from helpers.checks.subject import Foreign
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.overlap import dice_scores


def _pairs(*pictures):
    """A batch of predictions and one of targets, `(N, H, W)` each, from pictures of a pair."""
    preds, targets = zip(*map(Draw.masks, pictures), strict=True)
    return torch.stack(preds), torch.stack(targets)


def _of_unknown(result, args):
    """What comes back where nothing should: a text or an error that is not raised say the same, in whatever words."""
    return "words or an error, returned" if isinstance(result, str | Foreign) else result


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
    """Batches of masks, with both reductions, then a reduction that does not exist."""
    # Dice 6/8 and 2/3; the second image is small. Pooled 8/11, mean 17/24.
    uneven = _pairs("####.   .####\n.....   .....", "..#..   ..#..\n.....   ..#..")
    # Dice 4/5, 1, 2/3, 0 and 0: their median is not the last one.
    some_empty = _pairs(
        "##   ##\n..   #.", "..   ..\n..   ..", "#.   ##\n#.   ##", "#.   ..\n..   ..", "..   ..\n..   ##"
    )
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
        if (
            preds | targets
        ).any():  # else whoever leaves empty pairs out has a mean of nothing, and that goes many ways
            yield preds, targets, "per_image"
    for unknown in ("mean", "image", "pool"):
        yield Call((*uneven, unknown), view=_of_unknown)


edit = edits_of(dice_scores)


MEAN = "sum(map(dice, preds, targets)) / len(preds)"


def _with_dice(formula):
    """The change that puts another score in the place of `dice`; two such changes build on each other."""
    return "def dice_scores(", f"def dice(p, t, dice=dice):\n    return {formula}\n\n\ndef dice_scores("


def _first(statement):
    """The change that does something before the mean over the images is taken."""
    return "        return sum(", f"        {statement}\n        return sum("


edit(
    "the two reductions exchanged",
    '`"pooled"` gives the mean of the images, and `"per_image"` counts all pixels together. To pool is to throw the '
    "pixels into one pot *before* dividing. Look at which branch is which.",
    ('"per_image"', "'pooled'"),
    ('"pooled"', "'per_image'"),
)

edit(
    "always pooled",
    '`"per_image"` gives the same as `"pooled"`: all pixels are counted together, and one large object outweighs ten '
    "small ones. Look at where you divide, once or once an image.",
    (MEAN, "dice(preds, targets)"),
)

edit(
    "always image by image",
    '`"pooled"` gives the same as `"per_image"`: a mean of scores. To pool is to count over all images first and to '
    "divide once. Look at where the counts are added up.",
    ("dice(preds, targets)", MEAN),
)

edit(
    "one score an image instead of their mean",
    'For `"per_image"` you return one number per image. These are worth a look, but the task asks for one number: '
    "their mean. Look at what comes after the division.",
    (MEAN, "list(map(dice, preds, targets))"),
)

edit(
    "a tensor of scores instead of their mean",
    'For `"per_image"` you return one number per image. These are worth a look, but the task asks for one number: '
    "their mean. Look at what comes after the division.",
    (MEAN, "preds.new_tensor(list(map(dice, preds, targets)), dtype=float)"),
)

edit(
    "the sum instead of the mean",
    'For `"per_image"` you add the scores up, so a batch of ten scores up to 10. Look at what is still missing after '
    "the sum.",
    (" / len(preds)", ""),
)

edit(
    "the median instead of the mean",
    'For `"per_image"` you take the median, so the worst and the best images do not show. The mean counts every image. '
    "Look at what you call on the list of scores.",
    (MEAN, "(lambda s: (s[(len(s) - 1) // 2] + s[len(s) // 2]) / 2)(sorted(map(dice, preds, targets)))"),
)

edit(
    "the lower median instead of the mean",
    'For `"per_image"` you take the median, so the worst and the best images do not show. The mean counts every image. '
    "Look at what you call on the list of scores.",
    (MEAN, "sorted(map(dice, preds, targets))[(len(preds) - 1) // 2]"),
)

edit(
    "weighted by the area of the object",
    'For `"per_image"` you weigh each image by the area of its object, so large objects decide and an image without '
    "one does not count at all. In a plain mean every image weighs the same. Look at how you average.",
    (MEAN, "sum(dice(p, t) * t.sum().item() for p, t in zip(preds, targets)) / max(targets.sum().item(), 1)"),
)

edit(
    "IoU instead of Dice",
    "You divided the overlap by the union: that is IoU. Dice divides twice the overlap by the sum of the two areas. "
    "Look at your fraction.",
    _with_dice("dice(p, t) / (2 - dice(p, t))"),
)

edit(
    "the factor two is missing",
    "Your scores never rise above 0.5, even for equal masks. The sum of the two areas counts every shared pixel twice. "
    "Look at what the numerator has to do to keep up.",
    _with_dice("dice(p, t) / (2 if (p | t).any() else 1)"),
)

edit(
    "empty pairs left out of the mean",
    "You leave out images in which both masks are empty. A model that correctly finds nothing there gets no credit, "
    "and one that invents something is only then counted. Look at what such a pair scores, and at what you divide "
    "by.",
    _first("preds, targets = (x[(preds | targets).flatten(1).any(1)] for x in (preds, targets))"),
)

edit(
    "empty pairs score 0",
    "In your version two empty masks score 0, so a model that correctly finds nothing is punished. A tiny number in "
    "the denominator avoids the crash, not the question. Look at what your fraction says when there is nothing to "
    "count.",
    _with_dice("dice(p, t) if (p | t).any() else 0.0"),
)

edit(
    "empty pairs score 0 in the mean",
    "Pooled, two empty masks score 1.0; image by image, in your version, they score 0, so a model that correctly "
    "finds nothing is punished. Look at how you score one image of the batch.",
    ("map(dice, preds, targets)", "dice(p, t) if (p | t).any() else 0.0 for p, t in zip(preds, targets)"),
)

edit(
    "empty pairs give NaN",
    "Two empty masks give 0 divided by 0, and one NaN makes the mean over the batch NaN. "
    "Look at the areas of each image before you divide.",
    _with_dice("dice(p, t) if (p | t).any() else float('nan')"),
)

edit(
    "empty pairs give NaN in the mean",
    "Pooled, two empty masks score 1.0; image by image your version divides 0 by 0, and one NaN makes the mean over "
    "the batch NaN. Look at how you score one image of the batch.",
    ("map(dice, preds, targets)", "dice(p, t) if (p | t).any() else float('nan') for p, t in zip(preds, targets)"),
)

edit(
    "empty pairs raise an error",
    "Two empty masks make you divide by zero, and the evaluation stops at the first image without an object. "
    "Look at the areas of each image before you divide.",
    _with_dice("dice(p, t) if (p | t).any() else 1 / 0"),
)

edit(
    "pooled, empty masks score 0",
    "When every mask of the batch is empty, your pooled score is 0. Image by image you score such a pair 1.0. "
    "Look at the sum of all areas before you divide.",
    ("dice(preds, targets)", "dice(preds, targets) if (preds | targets).any() else 0.0"),
)

edit(
    "pooled, empty masks give NaN",
    "When every mask of the batch is empty, your pooled score is 0 divided by 0, NaN. Image by image you score "
    "such a pair 1.0. Look at the sum of all areas before you divide.",
    ("dice(preds, targets)", "dice(preds, targets) if (preds | targets).any() else float('nan')"),
)

edit(
    "pooled, empty masks raise an error",
    "When every mask of the batch is empty, your pooled score divides by zero. Image by image you score such a pair "
    "1.0. Look at the sum of all areas before you divide.",
    ("dice(preds, targets)", "dice(preds, targets) if (preds | targets).any() else 1 / 0"),
)

edit(
    "one empty mask counts as a match",
    "An image scores 1.0 as soon as *one* of its masks is empty, so a model that predicts nothing gets full marks. "
    "Only when both are empty is nothing missed and nothing invented: look at your condition.",
    _with_dice("dice(p, t) if p.any() and t.any() else 1.0"),
)

edit(
    "an empty truth counts as a match",
    "An image without an object scores 1.0, whatever is predicted there, so inventing costs nothing. "
    "Only when the prediction is empty as well is everything right: look at your condition.",
    _with_dice("dice(p, t) if t.any() else 1.0"),
)

edit(
    "images without an object left out of the mean",
    "You leave out images in which the truth is empty, so nobody sees what the model invents there. "
    "Every image takes part in the mean: look at your condition, and at what you divide by.",
    _first("preds, targets = (x[targets.flatten(1).any(1)] for x in (preds, targets))"),
)

edit(
    "the images laid over each other",
    'For `"pooled"` you laid all masks over each other and scored the result. Objects of different images then cover '
    "each other, and a miss in one is hidden by another. Look at what you join: masks or counts.",
    ("dice(preds, targets)", "dice(preds.any(0), targets.any(0))"),
)

edit(
    "pooled, the scores added up",
    'For `"pooled"` you add up the scores of the images, so a batch of ten scores up to 10. To pool is to add up the '
    "counts and to divide once. Look at what you add up.",
    ("dice(preds, targets)", "sum(map(dice, preds, targets))"),
)

edit(
    "summed over the wrong axes",
    'For `"per_image"` you sum over the first two axes, so each column of pixels gets a score, through all images. '
    "The first axis counts the images: look at the `dim` that you pass to `sum`.",
    _first("preds, targets = preds.permute(2, 0, 1), targets.permute(2, 0, 1)"),
)

edit(
    "mean over the rows",
    'For `"per_image"` you score each row of each image and average those. An empty row then weighs as much as one '
    "full of object. Look at the `dim` that you pass to `sum`: an image has two axes.",
    _first("preds, targets = preds.flatten(0, 1), targets.flatten(0, 1)"),
)

edit(
    "mean over the columns",
    'For `"per_image"` you score each column of each image and average those. An empty column then weighs as much as '
    "one full of object. Look at the `dim` that you pass to `sum`: an image has two axes.",
    _first("preds, targets = preds.mT.flatten(0, 1), targets.mT.flatten(0, 1)"),
)

edit(
    "the last image only",
    'For `"per_image"` you return the score of one image: the last, or the first if you `return` inside the loop. '
    "Look at what happens to the score of each image in your loop.",
    (MEAN, "dice(preds[-1], targets[-1])"),
)

edit(
    "the first image only",
    'For `"per_image"` you return the score of the first image. A `return` inside the loop ends the whole function in '
    "the first round. Look at where yours stands.",
    (MEAN, "dice(preds[0], targets[0])"),
)

edit(
    "an unknown reduction taken for per_image",
    "In your version a reduction that does not exist gives a score, so a typing error goes unnoticed and the wrong "
    "table is printed. Look at your `else`: what if it is neither of the two?",
    ('if reduction == "per_image"', "if True"),
)

edit(
    "an unknown reduction taken for pooled",
    "In your version a reduction that does not exist gives the pooled score, so a typing error goes unnoticed and "
    "the wrong table is printed. Look at your `else`: what if it is neither of the two?",
    ('reduction == "pooled"', "reduction != 'per_image'"),
)

edit(
    "an unknown reduction gives None",
    "A reduction that does not exist gives `None`, and the error comes much later, where somebody computes with it. "
    "Look at what happens after your last `if`.",
    ("    raise ", "    return\n    raise "),
)

edit(
    "an unknown reduction is returned as text",
    "For a reduction that does not exist you return a message or an error object. The program goes on with it as if it "
    "were a score. An error stops it: look at how Python *raises* one.",
    ("raise ValueError(", "return str("),
)

edit(
    "another error for an unknown reduction",
    "A reduction that does not exist raises an error, but no `ValueError`. That is the one for an argument of the "
    "right type with an impossible value, and an `assert` vanishes under `python -O`. Look at what you raise.",
    ("raise ValueError(", "raise AssertionError("),
    any_error=True,
)

edit(
    "a KeyError for an unknown reduction",
    "A reduction that does not exist raises the `KeyError` of a dictionary, not the `ValueError` that the task asks "
    "for. Look at where you look the reduction up: ask first whether it is there.",
    ("raise ValueError(", "raise KeyError("),
)

edit(
    "an unknown reduction leaves a variable unset",
    "A reduction that does not exist passes by all your branches, and a later line fails because its variable was "
    "never set. Look at what happens when it is neither of the two: that is where to raise the `ValueError`.",
    ("raise ValueError(", "raise UnboundLocalError("),
)

edit(
    "smoothing left in",
    "You added 1 on top and below, as losses do. In a score it lifts every small object. "
    "Look at the constants in your fraction.",
    _with_dice("((2 * (p & t).sum() + 1) / (p.sum() + t.sum() + 1)).item()"),
)

edit(
    "the loss instead of the score",
    "You returned one minus the score. That is a loss; here the score is asked for, 1.0 for equal masks. "
    "Look at your last line.",
    _with_dice("1 - dice(p, t)"),
)


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
