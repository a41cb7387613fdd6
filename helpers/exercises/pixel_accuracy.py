"""Lesson 02: `pixel_accuracy(pred, target)`."""

import numpy as np
import torch

from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.overlap import pixel_accuracy


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
        "The mean of zeros and ones is a fraction. `.mean()` needs floats; `.sum()` and `.numel()` do not.",
    ],
    task=(
        "Return the fraction of pixels on which two masks of shape `(H, W)` agree, background included, from 0 to 1. "
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


edit = edits_of(pixel_accuracy)

edit(
    "IoU instead of accuracy",
    "You divided the overlap by the union. That is IoU, which leaves the background out; accuracy counts every pixel "
    "of the image. Look at your denominator.",
    ("(pred == target).sum().item() / target.numel()", "iou(pred > 0, target > 0)"),
)

edit(
    "Dice instead of accuracy",
    "You divided twice the overlap by the two areas. That is Dice, which leaves the background out; accuracy counts "
    "every pixel of the image. Look at your denominator.",
    ("(pred == target).sum().item() / target.numel()", "dice(pred > 0, target > 0)"),
)

# Whoever leaves pixels out may have none left, and what becomes of the fraction there goes many ways.
for inside, left_out, sentence in (
    (
        "pred > 0",
        "precision",
        "You counted among the predicted pixels only. That is precision. Accuracy asks about every pixel of the image, "
        "background as well. Look at your denominator.",
    ),
    (
        "target > 0",
        "recall",
        "You counted among the true object pixels only. That is recall. Accuracy asks about every pixel of the image, "
        "background as well. Look at your denominator.",
    ),
    (
        "(pred > 0) | (target > 0)",
        "background of both left out",
        "You leave out the pixels that are background in both masks. They are right as well, and accuracy counts every "
        "pixel of the image. Look at your denominator.",
    ),
):
    for where_none_is_left, ending in (
        ("", " if target.numel() else 1.0"),
        (", 0 where none is left", " if target.numel() else 0.0"),
        (", NaN where none is left", " if target.numel() else float('nan')"),
        (", an error where none is left", ""),
    ):
        edit(
            left_out + where_none_is_left,
            sentence,
            ("    return ", f"    inside = {inside}\n    pred, target = pred[inside], target[inside]\n    return "),
            (" / target.numel()", f" / target.numel(){ending}"),
        )

edit(
    "the background does not count",
    "You counted the object pixels on which the masks agree, and divided by all pixels. Agreeing on background is "
    "right too, and earns nothing in your version. Look at your numerator.",
    ("(pred == target)", "((pred == target) & (target > 0))"),
)

edit(
    "the background does not count, and `&` on class indices",
    "`&` keeps what is object in both masks, so agreeing on background earns nothing in your version; and on class "
    "indices it joins the bits of the numbers. Look for a comparison that suits booleans and class indices.",
    ("(pred == target)", "(pred & target)"),
)

edit(
    "object in both masks",
    "You count the pixels that are object in both masks, of whatever class. Agreeing on background is right too, and "
    "earns nothing in your version; a cat that is called a dog gets something. Look for a comparison of the two "
    "masks.",
    ("(pred == target)", "((pred > 0) & (target > 0))"),
)

edit(
    "the error instead of the accuracy",
    "You counted the pixels that *differ*: two equal masks score 0. That is the error rate. "
    "Look at your comparison, or at your last line.",
    ("pred == target", "pred != target"),
)

edit(
    "a count instead of a fraction",
    "You return how many pixels agree. A large image then scores more than a small one. "
    "Look at what is still missing after the sum.",
    (" / target.numel()", ""),
)

edit(
    "per cent",
    "Your score runs to 100. All scores of this course run from 0 to 1, so that they can be compared and averaged. "
    "Look for a factor.",
    ("    return ", "    return 100 * ("),
    (" / target.numel()", " / target.numel())"),
)

edit(
    "divided by the number of rows",
    "You divided by the height only, so an image twice as wide scores twice as much. `len` of a tensor is the length "
    "of its first axis. Look at your denominator.",
    ("target.numel()", "len(target)"),
)

edit(
    "divided by the number of columns",
    "You divided by the width only, so an image twice as high scores twice as much. Look at your denominator.",
    ("target.numel()", "target.shape[-1]"),
)

edit(
    "divided by the pixels of both masks",
    "Two equal masks score 0.5: you divided by the pixels of both masks. A pixel of the image is in both, and one "
    "comparison. Look at your denominator.",
    ("target.numel()", "(pred.numel() + target.numel())"),
)

edit(
    "all or nothing",
    "You return 1 when the masks are equal in every pixel and 0 otherwise. One wrong pixel then costs as much as "
    "all. Look at whether you compare whole masks or pixels, and for a `//`, which drops the digits after the "
    "decimal point.",
    (" / ", " // "),
)

edit(
    "rounded to a whole number",
    "Your score is 0 or 1, and nothing in between, so two models can hardly be told apart. "
    "Look for a `round` or an `int`.",
    ("    return ", "    return round("),
    (" / target.numel()", " / target.numel())"),
)

edit(
    "rounded",
    "You rounded the score. Two models that differ in one pixel of a hundred thousand cannot be told apart any more. "
    "Round when you print, not when you compute: look for `round`.",
    ("    return ", "    return round("),
    (" / target.numel()", " / target.numel(), 2)"),
)


@misconception(
    "mean over the classes",
    "You took the accuracy of each class and averaged those. That is *balanced* accuracy: a class of three pixels "
    "weighs as much as the background. Look at where your mean is taken.",
)
def balanced(pred, target):
    scores = [float((pred[target == c] == c).float().mean()) for c in target.unique()]
    return sum(scores) / len(scores)


edit(
    "one number a row",
    "You return one number for each row of pixels. One for the whole image is asked for. Look at the `dim` that you "
    "pass on.",
    ("sum().item() / target.numel()", "float().mean(1)"),
)

edit(
    "object or not, instead of the class",
    "You compare whether there is *an object* in both masks. A pixel of a cat that is called a dog then counts as "
    "right. Look at what happens to class indices before you compare.",
    ("    return ", "    pred, target = pred > 0, target > 0\n    return "),
)

edit(
    "class numbers as quantities",
    "You subtract class numbers, so a pixel of class 0 that is called class 3 costs three times as much as one that "
    "is called class 1. The numbers are names, not amounts. Look for a `-`.",
    ("(pred == target)", "(1 - (pred.float() - target.float()).abs())"),
)

edit(
    "right for booleans only",
    "You joined the masks with `&` and `~`. On booleans that counts what agrees; on class indices both work on the "
    "bits of the numbers, and classes 1 and 3 share a bit. Look for a comparison that suits both.",
    ("(pred == target)", "(((pred & target) | (~pred & ~target)) > 0)"),
)

edit(
    "right for booleans only, and sums of bits",
    "You counted with `&` and `~`. On booleans that counts what agrees; on class indices both work on the bits of "
    "the numbers, and the sum is not a count. Look for a comparison that suits both.",
    ("(pred == target).sum()", "((pred & target).sum() + (~pred & ~target).sum())"),
)

edit(
    "right for booleans only, with `^`",
    "You counted with `^`. On booleans that counts what differs; on class indices it works on the bits of the "
    "numbers, and the sum is not a count. Look for a comparison that suits both.",
    ("(pred == target).sum().item() / target.numel()", "1 - (pred ^ target).sum().item() / target.numel()"),
)

edit(
    "a difference of booleans",
    "You subtracted one mask from the other. PyTorch refuses that for booleans with an error, since true minus true "
    "is not a boolean. Look for a comparison that suits booleans and class indices.",
    ("pred == target", "pred - target == 0"),
)

edit(
    "the mean of booleans",
    "You asked for the mean of booleans. PyTorch takes a mean of floats only, and raises an error. Look at what "
    "stands before `.mean()`: `.float()` makes zeros and ones of it.",
    ("(pred == target).sum().item() / target.numel()", "(pred == target).mean().item()"),
)

edit(
    "a picture instead of a number",
    "You return a mask of the pixels that agree. It shows where the errors are, but two models cannot be ranked by it. "
    "Look at what comes after the comparison.",
    ("(pred == target).sum().item() / target.numel()", "(pred == target)"),
)


@variant("mean of the agreement")
def mean(pred, target):
    return (pred == target).float().mean()  # a 0-d tensor is a number too


@variant("one minus the errors")
def one_minus_errors(pred, target):
    height, width = target.shape
    return 1 - torch.count_nonzero(pred != target).item() / (height * width)


@variant("with numpy")
def with_numpy(pred, target):
    return np.mean(np.asarray(pred) == np.asarray(target))
