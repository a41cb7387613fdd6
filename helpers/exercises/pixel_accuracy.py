"""Lesson 02: `pixel_accuracy(pred, target)`."""

import numpy as np
import torch

from helpers.exercises import exercise, misconception, variant
from helpers.reference.overlap import dice, iou, pixel_accuracy


@exercise(
    pixel_accuracy,
    lesson="02_overlap",
    concept="Pixel accuracy",
    points=1,
    minutes=3,
    difficulty=1,
    hints=[
        "Two numbers: how many pixels agree, and how many there are.",
        "`pred == target` says for each pixel whether the two agree, for booleans and for class indices alike.",
        "The mean of zeros and ones is a fraction. `.mean()` wants floats; `.sum()` and `.numel()` do without.",
    ],
    task=(
        "The fraction of pixels on which two masks of shape `(H, W)` agree, background included, from 0 to 1. "
        "The masks are both boolean or both hold class indices."
    ),
)
def probes(draw):
    """Pairs of masks (H, W), boolean and of several classes; the first can be counted by hand."""
    yield draw.masks("""
        ##.   .##
        ...   .#.
    """)  # 3 of 6 agree, 1 of them object: Dice 2/5, IoU 1/4, precision 1/2, recall 1/3
    yield draw.masks("""
        ####.....   ##.#.....
        #........   #.###....
    """)  # 14 of 18 agree
    yield draw.empty(3, 4), draw.empty(3, 4)
    yield draw.empty(2, 3), draw.full(2, 3)
    yield torch.tensor([[0, 1, 2], [3, 0, 1]]), torch.tensor([[0, 2, 2], [1, 3, 0]])  # 2 of 6
    yield torch.tensor([[2, 2, 1, 1]]), torch.tensor([[2, 1, 2, 1]])
    for _ in range(3):
        h, w = draw.size(2, 40), draw.size(2, 40)
        yield draw.mask(h, w, fraction=draw.uniform(0.1, 0.9)), draw.mask(h, w, fraction=draw.uniform(0.1, 0.9))
        classes = draw.size(3, 6)
        yield draw.labels(h, w, classes), draw.labels(h, w, classes)


@misconception(
    "IoU instead of accuracy",
    "You divided the overlap by the union. That is IoU, which leaves the background out; accuracy counts every pixel "
    "of the image. Look at your denominator.",
)
def iou_instead(pred, target):
    return iou(pred > 0, target > 0)


@misconception(
    "Dice instead of accuracy",
    "You divided twice the overlap by the two areas. That is Dice, which leaves the background out; accuracy counts "
    "every pixel of the image. Look at your denominator.",
)
def dice_instead(pred, target):
    return dice(pred > 0, target > 0)


@misconception(
    "precision",
    "You counted among the predicted pixels only. That is precision. Accuracy asks about every pixel of the image, "
    "background as well. Look at your denominator.",
)
def precision(pred, target):
    inside = pred > 0
    return float((pred == target)[inside].float().mean()) if inside.any() else 1.0


@misconception(
    "recall",
    "You counted among the true object pixels only. That is recall. Accuracy asks about every pixel of the image, "
    "background as well. Look at your denominator.",
)
def recall(pred, target):
    inside = target > 0
    return float((pred == target)[inside].float().mean()) if inside.any() else 1.0


@misconception(
    "the background does not count",
    "You counted the object pixels on which the masks agree, and divided by all pixels. Agreeing on background is "
    "right, too, and gets nothing with you. Look at your numerator.",
)
def objects_only(pred, target):
    return float(((pred == target) & (target > 0)).float().mean())


@misconception(
    "the error instead of the accuracy",
    "You counted the pixels that *differ*: two equal masks score 0. That is the error rate. "
    "Look at your comparison, or at your last line.",
)
def error_rate(pred, target):
    return 1 - pixel_accuracy(pred, target)


@misconception(
    "a count instead of a fraction",
    "You return how many pixels agree. A large image then scores more than a small one. "
    "Look at what is still missing after the sum.",
)
def count(pred, target):
    return (pred == target).sum().item()


@misconception(
    "per cent",
    "Your score runs to 100. All scores of this course run from 0 to 1, so that they can be compared and averaged. "
    "Look for a factor.",
)
def per_cent(pred, target):
    return 100 * pixel_accuracy(pred, target)


@misconception(
    "divided by the number of rows",
    "You divided by the height only, so an image twice as wide scores twice as much. `len` of a tensor is the length "
    "of its first axis. Look at your denominator.",
)
def by_height(pred, target):
    return (pred == target).sum().item() / len(target)


@misconception(
    "divided by the pixels of both masks",
    "Two equal masks score 0.5: you divided by the pixels of both masks. A pixel of the image is in both, and one "
    "comparison. Look at your denominator.",
)
def by_both(pred, target):
    return (pred == target).sum().item() / (pred.numel() + target.numel())


@misconception(
    "all or nothing",
    "You return 1 when the masks are equal in every pixel and 0 otherwise. One wrong pixel then costs as much as all. "
    "Look at whether you compare whole masks or pixels, and for a `//`, which drops what is behind the point.",
)
def all_or_nothing(pred, target):
    return float(torch.equal(pred, target))


@misconception(
    "rounded to a whole number",
    "Your score is 0 or 1, and nothing in between, so two models can hardly be told apart. "
    "Look for a `round` or an `int`.",
)
def whole_number(pred, target):
    return round(pixel_accuracy(pred, target))


@misconception(
    "rounded",
    "You rounded the score. Two models that differ in one pixel of a hundred thousand cannot be told apart any more. "
    "Round when you print, not when you compute: look for `round`.",
)
def rounded(pred, target):
    return round(pixel_accuracy(pred, target), 2)


@misconception(
    "mean over the classes",
    "You took the accuracy of each class and averaged those. That is *balanced* accuracy: a class of three pixels "
    "weighs as much as the background. Look at where your mean is taken.",
)
def balanced(pred, target):
    scores = [float((pred[target == c] == c).float().mean()) for c in target.unique()]
    return sum(scores) / len(scores)


@misconception(
    "object or not, instead of the class",
    "You compare whether there is *an object* in both masks. A pixel of a cat that is called a dog then counts as "
    "right. Look at what happens to class indices before you compare.",
)
def any_object(pred, target):
    return pixel_accuracy(pred > 0, target > 0)


@misconception(
    "right for booleans only",
    "You joined the masks with `&` and `~`. On booleans that counts what agrees; on class indices both work on the "
    "bits of the numbers, and classes 1 and 3 share a bit. Look for a comparison that suits both.",
)
def bits(pred, target):
    agree = (pred & target) | (~pred & ~target)
    return (agree > 0).sum().item() / target.numel()


@misconception(
    "a picture instead of a number",
    "You return a mask of the pixels that agree. It shows where the errors are, but two models cannot be ranked by it. "
    "Look at what comes after the comparison.",
)
def picture(pred, target):
    return pred == target


@variant("mean of the agreement")
def mean(pred, target):
    return (pred == target).float().mean()  # a 0-d tensor is a number too


@variant("one minus the errors")
def one_minus_errors(pred, target):
    height, width = target.shape
    return 1 - torch.count_nonzero(pred != target).item() / (height * width)


@variant("mean over the rows' means")
def rows(pred, target):
    return (pred == target).double().mean(dim=1).mean().item()  # rows are equally long


@variant("pixel by pixel")
def pixel_by_pixel(pred, target):
    pairs = list(zip(pred.flatten().tolist(), target.flatten().tolist(), strict=True))
    return sum(p == t for p, t in pairs) / len(pairs)


@variant("with numpy")
def with_numpy(pred, target):
    return np.mean(np.asarray(pred) == np.asarray(target))
