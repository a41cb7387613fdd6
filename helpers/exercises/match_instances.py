"""Lesson 12: `match_instances(pred, target, threshold=0.5)`."""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.inference import match_instances


@exercise(
    match_instances,
    lesson="12_objects",
    concept="Scores of objects",
    points=6,
    minutes=8,
    difficulty=4,
    hints=[
        "Start with a table: one row for each predicted object, one column for each true one, their IoU in each cell. "
        "0 is background and gets neither.",
        "A cell of at least `threshold` is a possible pair. Take pairs so that no row and no column is used twice, the "
        "best first, and count them.",
        "With `n` pairs, precision is `n` over the number of predicted objects and recall `n` over that of true ones. "
        "What if there are none of one kind, or of both?",
    ],
    task=(
        '`{"precision", "recall", "f1"}` of objects, from two int64 instance masks `(H, W)` in which 0 is '
        "background and every other number one object, with gaps and in any order. A predicted and a true object are a "
        "pair when their IoU is at least `threshold`, and each object is in at most one pair. Precision is pairs over "
        "predicted objects, recall pairs over true ones. Both masks empty: all three 1.0. Only one empty: all 0.0."
    ),
)
def probes(draw):
    """Instance masks (H, W). The drawn ones can be counted by hand; the random ones have pairs at every IoU."""
    # 2-5: 3 of 4 pixels, 3-1: 1 of 2 (exactly the threshold), 9-3: 2 of 5 (Dice 0.57); 4 is invented
    yield _drawn("""
        22..3  55..1
        22..3  5....
        999..  .3333
        ...44  .....
    """)
    nothing = torch.zeros(3, 4, dtype=torch.int64)
    something = draw.mask(3, 4).long() * 7
    yield nothing, nothing.clone()
    yield nothing, something
    yield something, nothing
    yield _drawn("112233  331122")  # the same places, other numbers: no object is found
    yield _drawn("11..222.3  11..22..3")  # the same places and numbers, so that every object is found
    yield _drawn("1111..  112222")  # touching objects are two, whatever they touch
    yield _drawn("444444.2  ..3....5")  # covers a true object, and little else of it is right
    yield _drawn("2..7....  6..88888")  # one pixel of a large one
    yield _drawn("3333.5  .8888.")  # the only true one is found
    yield _drawn("8.8.8  .3.3.")  # one box around both, no pixel in common
    # one that fits two, and two that fit one: it can be in one pair only, whatever else is left over
    yield Call(_drawn("11111..55...  222333....66"), {"threshold": 0.3})
    yield Call(_drawn("222333.66  11111..55"), {"threshold": 0.3})
    yield (*_drawn("1111.2  111.22"), 0.75)
    yield (*_drawn("1111.2.3  111.22.3"), 0.76)
    yield tuple(12 * mask for mask in _drawn("77.22  71.22"))  # numbers far above how many there are
    yield _drawn("7.7.7.44  1.1.1.22")  # an object is what has one number, in one piece or not
    for threshold in (0.5, 0.6, 0.8):
        h, w = draw.size(12, 24), draw.size(25, 36)
        pred, target = _random(draw, h, w)
        yield Call((pred, target), {} if threshold == 0.5 else {"threshold": threshold})


edit = edits_of(match_instances)


def _drawn(picture):
    """Instance masks drawn side by side with digits and dots."""
    columns = zip(*(line.split() for line in picture.split("\n") if line.strip()), strict=True)
    return tuple(torch.tensor([[int(c.replace(".", "0")) for c in row] for row in column]) for column in columns)


def _random(draw, h, w):
    """A grid of boxes as truth; as prediction the same boxes grown, shrunk, moved, lost or invented."""
    pred, target = torch.zeros(h, w, dtype=torch.int64), torch.zeros(h, w, dtype=torch.int64)
    numbers = torch.argsort(draw.normal(80)) + 1  # with gaps, and small enough for a loop up to the largest
    k = 0
    for top in range(0, h - 5, 6):
        for left in range(0, w - 5, 6):
            height, width = draw.size(3, 6), draw.size(3, 6)
            if draw.uniform(0, 1) < 0.85:
                target[top : top + height, left : left + width] = numbers[k]
            if draw.uniform(0, 1) < 0.7:
                up, side = draw.size(0, 1), draw.size(0, 1)
                pred[top + up : top + height, left : left + width + side] = numbers[-k - 1]
            k += 1
    pred[0, :2], target[0, :2] = 85, 82  # one pair for sure
    return pred, target


edit(
    "one object in several pairs",
    "You counted every predicted object that fits some true one, and a true one may be taken twice. A network that "
    "merges or doubles objects gets away with it. Look at how you make sure that an object, once in a pair, is gone.",
    ("possible[rows, columns].sum()", "possible.sum()"),
)

edit(
    "a true object in several pairs",
    "You count every predicted object that fits some true one, so two predictions that fit the same true object both "
    "count. Each object is in at most one pair: look at how a true object, once taken, is gone.",
    ("possible[rows, columns].sum()", "possible.any(dim=1).sum()"),
)

edit(
    "a predicted object in several pairs",
    "You count every true object that some predicted one fits, so one prediction that fits two of them counts twice. "
    "Each object is in at most one pair: look at how a predicted object, once taken, is gone.",
    ("possible[rows, columns].sum()", "possible.any(dim=0).sum()"),
)

edit(
    "background counted as an object",
    "The number 0 is in your list of objects. Background is large and always found, so every score is too good. "
    "Look at what `unique` returns.",
    ("    overlap, ", "    pred, target = pred + 1, target + 1\n    overlap, "),
)

edit(
    "background in the number of objects",
    "You pair only objects, and divide by one more than there are: 0 is background and counts as none. Look at how "
    "you count the objects of each mask.",
    ("n_pred, n_target = iou.shape", "n_pred, n_target = len(pred.unique()), len(target.unique())"),
)

edit(
    "IoU of all objects together",
    "You compared the two foregrounds as a whole. Ten nuclei merged into one blob then score as well as ten nuclei, "
    "and that is the mistake this number is there to see. Look at where the numbers in the masks come in.",
    ("    overlap, ", "    pred, target = (pred > 0).long(), (target > 0).long()\n    overlap, "),
)

edit(
    "precision and recall of pixels",
    "You counted pixels. Here the unit is the object: a large one counts as much as a small one, and it is found or "
    "not. Look at what your sums run over.",
    ("possible[rows, columns].sum()", "overlap.sum()"),
    ("iou.shape", "(float(areas.sum()) for areas in (pred_areas, target_areas))"),
)

edit(
    "precision and recall swapped",
    "Your precision is the recall, and the other way round. Precision asks of what was *predicted* how much is true; "
    "recall asks of what is *true* how much was found. Look at your two denominators.",
    ("    overlap, ", "    pred, target = target, pred\n    overlap, "),
)

edit(
    "precision over the true objects",
    "You divide both by the number of true objects. Precision asks of what was *predicted* how much is true. Look at "
    "the denominator of your precision.",
    ("pairs / n_pred", "pairs / n_target"),
)

edit(
    "recall over the predicted objects",
    "You divide both by the number of predicted objects. Recall asks of what is *true* how much was found. Look at "
    "the denominator of your recall.",
    ("pairs / n_target", "pairs / n_pred"),
)

edit(
    "Dice as criterion",
    "You pair objects by their Dice. It is larger than IoU, so pairs come about that overlap too little: Dice 0.5 is "
    "IoU 0.33. Look at the denominator of your table.",
    ("(pred_areas[:, None] + target_areas - overlap)", "((pred_areas[:, None] + target_areas) / 2)"),
)

edit(
    "fraction of the true object as criterion",
    "You divide the overlap by the area of the true object alone. One predicted blob that covers everything then finds "
    "every object. Look at the denominator of your table.",
    ("(pred_areas[:, None] + target_areas - overlap)", "target_areas"),
)

edit(
    "fraction of the predicted object as criterion",
    "You divide the overlap by the area of the predicted object alone. A single pixel inside an object then counts as "
    "having found it. Look at the denominator of your table.",
    ("(pred_areas[:, None] + target_areas - overlap)", "pred_areas[:, None]"),
)

BOXES = """
    def boxes(mask):
        for n in mask[mask > 0].unique():
            y, x = (mask == n).nonzero(as_tuple=True)
            box = torch.zeros(mask.shape, dtype=torch.bool)
            box[y.min() : y.max() + 1, x.min() : x.max() + 1] = True
            yield box

    iou = torch.tensor([[(a & b).sum() / (a | b).sum() for b in boxes(target)] for a in boxes(pred)])
"""

edit(
    "IoU of the boxes",
    "You compared the *boxes* around the objects. That is how object detection pairs; two shapes that share no pixel "
    "can share a box. Look at what you count: here every pixel counts for itself.",
    ("    possible =", f"{BOXES}    possible ="),
)

edit(
    "an IoU of exactly the threshold is refused",
    "You do not count a pair whose IoU *is* the threshold. With `threshold=1.0` then nothing could ever be found. "
    "Look at your comparison.",
    (">= threshold", "> threshold"),
)

edit(
    "the threshold ignored",
    "`threshold` changes nothing in your answer. Look for a 0.5 in your code.",
    (">= threshold", ">= 0.5"),
)

edit(
    "any overlap is a pair",
    "You pair objects as soon as they share a pixel. Look at where `threshold` meets the IoU.",
    (">= threshold", "> 0"),
)

edit(
    "objects compared by number",
    "You compare object 1 with object 1 and object 2 with object 2. The numbers only tell the objects of *one* mask "
    "apart; two masks number as they like. Look at which object is compared with which.",
    ("iou >= threshold", "(iou >= threshold) & (pred[pred > 0].unique()[:, None] == target[target > 0].unique())"),
)

edit(
    "numbers taken to be without gaps",
    "You took the largest number in a mask for the number of its objects. After filtering or cropping there are gaps, "
    "and objects that are not there count as missed or invented. Look at how you count.",
    ("iou.shape", "int(pred.max()), int(target.max())"),
)

edit(
    "objects numbered anew",
    "You labelled the masks again by connected pieces. Objects that touch become one, and those in two pieces become "
    "two: the numbers in the mask already say what is one object. Look for `label`.",
    (
        "    overlap, ",
        "    pred, target = (torch.from_numpy(ndimage.label(x > 0)[0]).long() for x in (pred, target))\n    overlap, ",
    ),
)

edit(
    "the worst assignment",
    "You look for the assignment with the *least* overlap: `linear_sum_assignment` makes a cost small unless it is "
    "told otherwise. Look at its `maximize`, or at the sign of what you give it.",
    ("linear_sum_assignment(possible, maximize=True)", "linear_sum_assignment(iou)"),
)

edit(
    "empty masks give NaN",
    "Where a mask has no object you divided 0 by 0, and one such image turns the mean over a data set into NaN. "
    "Look at the two counts before you divide.",
    ("if overlap.numel() == 0:", "if False:"),
    ("iou.shape", "torch.tensor(iou.shape)"),
)

edit(
    "empty masks raise an error",
    "Where a mask has no object you divide by zero, and the evaluation stops at the first image without one. "
    "Look at the two counts before you divide.",
    ("if overlap.numel() == 0:", "if False:"),
)

edit(
    "no pair raises an error",
    "Where no object is found, precision and recall are both 0, and your f1 divides by their sum. Twice the pairs "
    "over the sum of both numbers of objects needs no such case. Look at your last formula.",
    ("    return {", "    precision, recall = pairs / n_pred, pairs / n_target\n    return {"),
    ("2 * pairs / (n_pred + n_target)", "2 * precision * recall / (precision + recall)"),
)

edit(
    "two empty masks score 0",
    "Two masks without objects gave 0, so a model that correctly finds nothing is punished. Look at what your "
    "formula says when there is nothing to find and nothing was invented.",
    ("float(overlap.shape == (0, 0))", "0.0"),
)

edit(
    "one empty mask counts as a match",
    "You return 1.0 as soon as *one* of the masks is empty, so a model that predicts nothing at all gets full marks. "
    "Only when both are empty is there nothing to miss and nothing found: look at your condition.",
    ("float(overlap.shape == (0, 0))", "1.0"),
)

edit(
    "nothing predicted counts as precise",
    "Where one mask is empty, dividing by nothing gave 1.0 in your code: no prediction, so no wrong one. The task "
    "scores all three with 0.0 there, so that silence does not pay. Look at the case of a single empty mask.",
    ("overlap.numel() == 0:", "overlap.shape == (0, 0):"),
    ("pairs / n_pred", "pairs / n_pred if n_pred else 1.0"),
    ("pairs / n_target", "pairs / n_target if n_target else 1.0"),
)

edit(
    "f1 as the plain mean",
    "Your f1 is the mean of precision and recall. F1 is their *harmonic* mean, which the smaller of the two pulls "
    "down: precision 1.0 with recall 0.0 is worth nothing. Look at your last formula.",
    ("2 * pairs / (n_pred + n_target)", "(pairs / n_pred + pairs / n_target) / 2"),
)

edit(
    "accuracy instead of f1",
    "Your f1 divides the pairs by pairs, misses and inventions, each counted once. That is the accuracy of the Data "
    "Science Bowl, a stricter number. In F1 the pairs count twice: look at your last formula.",
    ("2 * pairs / (n_pred + n_target)", "pairs / (n_pred + n_target - pairs)"),
)

edit(
    "the factor two is missing in f1",
    "Your f1 never rises above 0.5, even when every object is found. The denominator counts each pair twice, once for "
    "either mask: look at what the numerator has to do to keep up.",
    ("2 * pairs / (n_pred + n_target)", "pairs / (n_pred + n_target)"),
)

edit(
    "the sum of IoUs instead of the number of pairs",
    "You added up the IoU of the pairs where they should be counted. A found object then counts 0.6 or 0.9, and a "
    "perfect number of finds never reaches 1. Look at what you sum: the pairs or their IoU.",
    ("possible[rows, columns].sum()", "(iou * possible)[rows, columns].sum()"),
)

edit(
    "pairs chosen and never compared with the threshold",
    "You look for the best assignment and count all of it. `linear_sum_assignment` pairs up as many objects as it can, "
    "also those that share no pixel. Look at what has to be true of a pair before it counts.",
    ("possible[rows, columns].sum().item()", "len(rows)"),
)

edit(
    "counts instead of shares",
    "You return numbers of objects. Precision and recall are shares, from 0 to 1: look at what each has to be divided "
    "by.",
    ("if overlap.numel() == 0:", "if False:"),
    (
        '"precision": pairs / n_pred, "recall": pairs / n_target',
        '"precision": n_pred - pairs, "recall": n_target - pairs',
    ),
    ("2 * pairs / (n_pred + n_target)", "pairs"),
)

edit(
    "per cent instead of shares",
    "Your numbers go up to 100. Precision, recall and f1 are shares, from 0 to 1: look for a factor of 100.",
    ("float(overlap.shape == (0, 0))", "100.0 * (overlap.shape == (0, 0))"),
    (".item()", ".item() * 100"),
)


@variant("the assignment with the largest IoU, then the threshold")
def largest_iou(pred, target, threshold=0.5):
    p, t = pred.numpy(), target.numpy()
    a, b = [n for n in np.unique(p) if n != 0], [n for n in np.unique(t) if n != 0]
    if not a and not b:
        return {"precision": 1, "recall": 1, "f1": 1}
    if not a or not b:
        return {"precision": 0, "recall": 0, "f1": 0}
    iou = np.array([[((p == i) & (t == j)).sum() / ((p == i) | (t == j)).sum() for j in b] for i in a])
    found = (iou[linear_sum_assignment(-iou)] >= threshold).sum()
    precision, recall = found / len(a), found / len(b)
    f1 = 0.0 if found == 0 else 2 * precision * recall / (precision + recall)
    return {"precision": precision, "recall": recall, "f1": f1}


@variant("with a set of those taken")
def with_sets(pred, target, threshold=0.5):
    def objects(mask):
        found = {}
        for y, x in mask.nonzero().tolist():
            found.setdefault(int(mask[y, x]), set()).add((y, x))
        return found

    predicted, true = objects(pred), objects(target)
    taken = set()
    for pixels in predicted.values():
        free = {n: len(pixels & other) / len(pixels | other) for n, other in true.items() if n not in taken}
        best = max(free, key=free.get, default=None)
        if best is not None and free[best] >= threshold:
            taken.add(best)
    if not predicted and not true:
        return dict.fromkeys(("precision", "recall", "f1"), 1.0)
    precision = len(taken) / len(predicted) if predicted else 0.0
    recall = len(taken) / len(true) if true else 0.0
    return {"recall": recall, "precision": precision, "f1": 2 * len(taken) / (len(predicted) + len(true))}


@variant("one-hot masks and a matrix product")
def one_hot(pred, target, threshold=0.5):
    # (numbers, pixels), and then (objects, pixels)
    p, t = (torch.nn.functional.one_hot(x.flatten().unique(return_inverse=True)[1]).T.double() for x in (pred, target))
    p, t = p[pred.unique() != 0], t[target.unique() != 0]
    overlap = p @ t.T
    iou = overlap / (p.sum(dim=1, keepdim=True) + t.sum(dim=1) - overlap)
    possible = (iou >= threshold).numpy()
    n = torch.tensor(possible[linear_sum_assignment(possible, maximize=True)].sum())
    if len(p) + len(t) == 0:
        return {name: torch.tensor(1.0) for name in ("precision", "recall", "f1")}
    return {"precision": n / max(len(p), 1), "recall": n / max(len(t), 1), "f1": 2 * n / (len(p) + len(t))}
