"""Lesson 02: `mean_iou(pred, target, num_classes, ignore_index=255)`."""

import numpy as np
import torch

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.overlap import mean_iou


@exercise(
    mean_iou,
    lesson="02_overlap",
    concept="IoU of several classes",
    points=5,
    minutes=14,
    difficulty=3,
    hints=[
        "Each class in turn is the object, and everything else its background: that is an IoU you know.",
        "Begin with the pixels that count: where `target == ignore_index` neither mask is looked at. "
        "`pred[known]` keeps the pixels where a boolean mask is true, as one long row.",
        "For each class, count the overlap and the union. A union of 0 says that the class is in neither mask: leave "
        "it out of the mean. Last, decide what to return when no class is left.",
    ],
    task=(
        "From two int64 masks with classes 0 to `num_classes - 1`, of shape `(H, W)` or, for a batch, `(N, H, W)`, "
        "return the mean of the classes' IoUs. Count each class over all pixels at once, a batch as if it were one "
        "large image. Leave out pixels where the target is `ignore_index`, and classes that are in neither mask. "
        "When no class is left, return 1.0."
    ),
)
def probes(draw):
    """Masks of classes: first some to be counted by hand, then random ones with ignored pixels and absent classes."""
    # Class 0: 2 of 4, class 1: 1 of 3, class 2: 1 of 2; the mean is 4/9.
    yield torch.tensor([[0, 0, 1], [1, 2, 0]]), torch.tensor([[0, 0, 1], [0, 2, 2]]), 3
    # Class 1 is predicted and nowhere true, class 2 is true and never predicted, class 3 is in neither.
    yield torch.tensor([[0, 0, 1, 0]]), torch.tensor([[0, 0, 0, 2]]), 4
    yield torch.tensor([[3, 3, 0], [0, 3, 0]]), torch.tensor([[3, 0, 0], [0, 0, 0]]), 5  # 3 is in both, 2 in neither
    yield torch.tensor([[0, 2], [0, 1]]), torch.tensor([[0, 0], [1, 1]]), 4  # a class beyond those of the truth
    # Two pixels ignored, and predicted there: class 2, which is nowhere else, and class 1.
    yield torch.tensor([[0, 2, 1], [1, 1, 0]]), torch.tensor([[0, 255, 255], [1, 0, 0]]), 3
    yield Call((torch.tensor([[1, 0, 1, 0]]), torch.tensor([[1, -1, 0, 0]]), 2), {"ignore_index": -1})
    yield torch.tensor([[0, 1], [2, 2], [2, 1]]), torch.tensor([[3, 1], [2, 3], [0, 0]]), 3, 3
    yield torch.tensor([[1, 0], [0, 1]]), torch.full((2, 2), 255), 2  # nothing left
    yield torch.tensor([[1, 2, 0]]), torch.tensor([[0, 1, 2]]), 3  # nothing right
    # Two images, and class 1 in one only: pooled it is 1 of 5, image by image 1 of 1 and 0 of 4.
    yield (
        torch.tensor([[[1, 0, 0, 0]], [[1, 1, 0, 0]]]),
        torch.tensor([[[1, 0, 0, 0]], [[0, 0, 1, 1]]]),
        2,
    )
    yield torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 3, dtype=torch.int64), 4
    for batch in ((), (), (draw.size(2, 3),)):
        classes, h, w = draw.size(3, 7), draw.size(2, 20), draw.size(2, 20)
        count = int(np.prod(batch))
        target = draw.labels(count * h, w, classes)
        pred = torch.where(draw.mask(count * h, w, fraction=0.6), target, draw.labels(count * h, w, classes))
        target[draw.mask(count * h, w, fraction=0.15)] = 255
        yield pred.reshape(*batch, h, w), target.reshape(*batch, h, w), classes + draw.size(0, 2)


edit = edits_of(mean_iou)

edit(
    "mean over the images",
    "You scored each image of the batch and averaged the scores. A class with three pixels in one image then weighs as "
    "much there as one that fills another. Pooled means one count over all pixels: look at where you divide.",
    (
        "    known =",
        "    if pred.ndim == 3:\n"
        "        images = [mean_iou(p, t, num_classes, ignore_index) for p, t in zip(pred, target)]\n"
        "        return sum(images) / len(images)\n"
        "    known =",
    ),
)

edit(
    "absent classes count 0",
    "In your version a class that is in neither mask counts 0, so a perfect prediction scores less on an image with "
    "fewer classes. Nobody asked for it and nobody named it. Look at the number that you divide by.",
    ("/ len(scores)", "/ num_classes"),
)

edit(
    "absent classes count 1",
    "In your version a class that is in neither mask counts 1, so a bad prediction looks good in a data set with "
    "many classes. It says nothing about this prediction. Look at which classes enter the mean.",
    ("in_pred.any() or in_target.any()", "True"),
)

edit(
    "absent classes give NaN",
    "A class that is in neither mask gives 0 divided by 0, and one NaN makes the whole mean NaN. "
    "Look at the union before you divide.",
    ("iou(in_pred, in_target))", "iou(in_pred, in_target))\n        else:\n            scores.append(float('nan'))"),
)

edit(
    "absent classes raise an error",
    "A class that is in neither mask makes you divide by zero, and the evaluation stops. Few images hold every class. "
    "Look at the union before you divide.",
    ("iou(in_pred, in_target))", "iou(in_pred, in_target))\n        else:\n            0 / 0"),
)

edit(
    "only classes that are in the truth",
    "You leave a class out when the *truth* does not have it. A prediction that invents one goes unpunished for that "
    "class. Absent means in neither mask: look at your condition.",
    ("in_pred.any() or in_target.any()", "in_target.any()"),
)

edit(
    "only classes that are predicted",
    "You leave a class out when it is not *predicted*, so a model that never names the rare ones scores better for it. "
    "Absent means in neither mask: look at your condition.",
    ("in_pred.any() or in_target.any()", "in_pred.any()"),
)

edit(
    "only classes that are in both",
    "You leave a class out as soon as one of the masks lacks it, so a class that is missed altogether, the worst case, "
    "costs nothing. Absent means in neither mask: look at your condition.",
    ("in_pred.any() or in_target.any()", "in_pred.any() and in_target.any()"),
)

edit(
    "only classes with an overlap",
    "You leave a class out when its overlap is 0. A class that is missed, or put in the wrong place, then costs "
    "nothing. The *union* tells whether a class is absent: look at your condition.",
    ("in_pred.any() or in_target.any()", "(in_pred & in_target).any()"),
)

edit(
    "classes looked for among ignored pixels",
    "You look for the classes before the ignored pixels are gone. A class that is predicted only there enters the "
    "mean, with an IoU of nothing at all. Look at the order of the two steps.",
    (
        "pred, target = pred[known], target[known]",
        "found = {*pred.flatten().tolist(), *target.flatten().tolist()}\n    pred, target = pred[known], target[known]",
    ),
    ("in_pred.any() or in_target.any()", "c in found"),
)

edit(
    "ignored pixels count as errors",
    "Where the target is `ignore_index`, your prediction still enters the union, so whatever it says there is an "
    "error. Nobody knows what is right at those pixels: look at whether *both* masks leave them out.",
    ("    pred, target = pred[known], target[known]\n", ""),
)

edit(
    "ignored pixels become a class",
    "Your mean has one class more, that of the ignored pixels, and its IoU is 0, since nobody predicts it. Look at "
    "where your list of classes comes from: they are 0 to `num_classes - 1`.",
    ("    pred, target = pred[known], target[known]\n", ""),
    ("range(num_classes)", "{*pred.flatten().tolist(), *target.flatten().tolist()}"),
)

edit(
    "ignored pixels become background",
    "You turned ignored pixels into class 0 in the target. A prediction of background is then rewarded there, and any "
    "other punished. Look at what you put in the place of `ignore_index`.",
    ("pred, target = pred[known], target[known]", "target = target.where(known, 0)"),
)

edit(
    "ignored pixels become background in both masks",
    "You turned ignored pixels into class 0 in *both* masks, so they count as background that was found, and lift its "
    "score. They have to vanish from every count: look at what you put in their place.",
    ("pred, target = pred[known], target[known]", "pred, target = pred * known, target * known"),
)

edit(
    "ignored pixels count as right",
    "Where the target is `ignore_index` you put the prediction in its place, so these pixels always agree, and lift "
    "the score of whatever is predicted there. They have to vanish from every count: look at your replacement.",
    ("pred, target = pred[known], target[known]", "target = target.where(known, pred)"),
)

edit(
    "255 written into the code",
    "You leave out pixels where the target is 255, whatever `ignore_index` says. Other data sets use -1 or another "
    "number. Look at where a 255 stands that should be the argument.",
    ("target != ignore_index", "target != 255"),
)

edit(
    "background left out",
    "You begin with class 1. Background is a class like any other here: leaving it out changes every score, and an "
    "image of nothing but background has none. Look at where your range begins.",
    ("range(num_classes)", "range(1, num_classes)"),
)

edit(
    "the last class left out",
    "Your range ends one class too early. `range(k)` stops *before* `k`, and classes are counted from 0. "
    "Look at where your range ends.",
    ("range(num_classes)", "range(num_classes - 1)"),
)

edit(
    "the number of classes read off the truth",
    "You count classes up to the largest one in the truth, so a higher class that is predicted by mistake costs "
    "nothing of its own. Look at where the end of your range comes from.",
    ("range(num_classes)", "range(int(target.max()) + 1 if len(target) else 0)"),
)

edit(
    "Dice instead of IoU",
    "You averaged the classes' Dice. Dice divides by the sum of the two areas, IoU by the union, in which a shared "
    "pixel counts once. Look at your denominator.",
    ("iou(in_pred, in_target)", "dice(in_pred, in_target)"),
)

edit(
    "the sum of areas instead of the union",
    "In your version a perfect prediction scores 0.5: the sum of the two areas counts every shared pixel twice. Look "
    "at what you have to take off it.",
    ("iou(in_pred, in_target)", "(in_pred & in_target).sum().item() / (in_pred.sum() + in_target.sum()).item()"),
)

edit(
    "mean recall",
    "You divided by the true area of each class alone, which gives the mean recall. A class painted over the whole "
    "image scores 1. False pixels have to cost something: look at your denominator.",
    ("iou(in_pred, in_target)", "(in_pred & in_target).sum().item() / max(in_target.sum().item(), 1)"),
)

edit(
    "mean precision",
    "You divided by the predicted area of each class alone, which gives the mean precision. A single well-placed pixel "
    "scores 1. Missed pixels have to cost something: look at your denominator.",
    ("iou(in_pred, in_target)", "(in_pred & in_target).sum().item() / max(in_pred.sum().item(), 1)"),
)

edit(
    "the overlap counts background",
    "Your overlap of a class counts every pixel on which the two agree about it, those that are neither as well, so "
    "scores rise above 1. Look at what `==` counts: the overlap is what belongs to the class in both.",
    ("iou(in_pred, in_target)", "(in_pred == in_target).sum().item() / (in_pred | in_target).sum().item()"),
)

edit(
    "one fraction for all classes",
    "You added up the overlaps and unions of all classes and divided once. Large classes then decide the score and "
    "small ones hardly show. First one IoU per class, then their mean: look at where you divide.",
    ("iou(in_pred, in_target)", "((in_pred & in_target).sum().item(), (in_pred | in_target).sum().item())"),
    ("sum(scores) / len(scores)", "sum(o for o, _ in scores) / sum(u for _, u in scores)"),
)

edit(
    "weighted by the size of the class",
    "You weighted each class by its fraction of the truth. That is the frequency-weighted IoU, in which background "
    "decides; in a plain mean every class weighs the same. Look at how you average.",
    ("iou(in_pred, in_target)", "iou(in_pred, in_target) * in_target.sum().item()"),
    ("/ len(scores)", "/ len(target)"),
)

edit(
    "the sum instead of the mean",
    "You add the IoUs of the classes and do not divide, so three classes score up to 3. Look at what is still "
    "missing after the sum.",
    (" / len(scores)", ""),
)

edit(
    "pixel accuracy",
    "You counted the pixels on which the two masks agree. That is pixel accuracy: a model that names the largest "
    "class everywhere does well in it. Look for one IoU per class.",
    ("    scores = []", "    return (pred == target).float().mean().item() if len(target) else 1.0\n    scores = []"),
)

edit(
    "object against background",
    "You joined all classes but 0 to one object and took its IoU. A cat that is called a dog then counts as right. "
    "Look at what you compare the masks with.",
    ("    scores = []", "    return iou(pred > 0, target > 0)\n    scores = []"),
)

edit(
    "smoothing left in",
    "You added 1 on top and below, as losses do. In a score it lifts small classes, and gives absent ones a full mark. "
    "Look at the constants in your fraction.",
    ("in_pred.any() or in_target.any()", "True"),
    ("iou(in_pred, in_target)", "((in_pred & in_target).sum().item() + 1) / ((in_pred | in_target).sum().item() + 1)"),
)

edit(
    "smoothing left in, absent classes left out",
    "You added 1 on top and below, as losses do. In a score it lifts small classes: two single pixels that miss each "
    "other get 1/3. Look at the constants in your fraction.",
    ("iou(in_pred, in_target)", "((in_pred & in_target).sum().item() + 1) / ((in_pred | in_target).sum().item() + 1)"),
)

edit(
    "a list instead of its mean",
    "You return one number per class. These are worth a look, but the task asks for their mean. Look at your last "
    "line.",
    ("sum(scores) / len(scores) if scores else 1.0", "scores"),
)

edit(
    "a tensor instead of its mean",
    "You return one number per class. These are worth a look, but the task asks for their mean. Look at your last "
    "line.",
    ("sum(scores) / len(scores) if scores else 1.0", "target.new_tensor(scores, dtype=float)"),
)

edit(
    "NaN when no class is left",
    "When every pixel is ignored your mean is NaN: the mean of nothing. One such image turns the average over a whole "
    "data set into NaN. Look at whether anything is left before you average.",
    ("else 1.0", "else float('nan')"),
)

edit(
    "0 when no class is left",
    "When every pixel is ignored you return 0, the mark of a prediction that is wrong everywhere. Nothing was asked, "
    "so nothing was wrong. Look at what you return when no class is left.",
    ("else 1.0", "else 0.0"),
)

edit(
    "None when no class is left",
    "When every pixel is ignored you return `None`, and the error comes later, where somebody computes with it. Look "
    "at what you return when no class is left.",
    ("else 1.0", "else None"),
)

edit(
    "an error when no class is left",
    "When every pixel is ignored you divide by a length of 0, and the evaluation stops at that image. "
    "Look at whether anything is left before you average.",
    (" if scores else 1.0", ""),
)

edit(
    "the loss instead of the score",
    "You returned one minus the mean IoU. That is a loss; here the score is asked for, 1.0 for two equal masks. "
    "Look at your last line.",
    ("sum(scores) / len(scores) if scores else 1.0", "1 - (sum(scores) / len(scores) if scores else 1.0)"),
)


@variant("from the confusion matrix")
def confusion_matrix(pred, target, num_classes, ignore_index=255):
    known = target != ignore_index
    pairs = num_classes * target[known] + pred[known]
    matrix = torch.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    overlap = matrix.diagonal()
    union = matrix.sum(0) + matrix.sum(1) - overlap
    present = union > 0
    return (overlap[present] / union[present]).mean() if present.any() else 1  # a 0-d tensor is a number too


@variant("the ignored pixels overwritten in the prediction, too")
def overwritten(pred, target, num_classes, ignore_index=255):
    pred = torch.where(target == ignore_index, ignore_index, pred)
    scores = []
    for c in range(num_classes):
        union = ((pred == c) | (target == c)).sum().item()
        if union > 0:
            scores.append(((pred == c) & (target == c)).sum().item() / union)
    return float(np.mean(scores)) if scores else 1.0


@variant("one-hot, NaN for absent classes, nanmean")
def with_nanmean(pred, target, num_classes, ignore_index=255):
    known = (target != ignore_index).flatten()
    classes = torch.arange(num_classes)
    p = (pred.flatten()[:, None] == classes) & known[:, None]  # (pixels, K)
    t = (target.flatten()[:, None] == classes) & known[:, None]
    score = (p & t).sum(0).double() / (p | t).sum(0)
    return torch.nan_to_num(score.nanmean(), nan=1.0).item()


@variant("with numpy and a table of counts")
def with_numpy(pred, target, num_classes, ignore_index=255):
    p, t = np.asarray(pred).ravel(), np.asarray(target).ravel()
    table = np.zeros((num_classes, num_classes))
    for a, b in zip(t, p, strict=True):
        if a != ignore_index:
            table[a, b] += 1
    union = table.sum(0) + table.sum(1) - np.diag(table)
    scores = np.diag(table)[union > 0] / union[union > 0]
    return scores.mean() if scores.size else np.float64(1.0)
