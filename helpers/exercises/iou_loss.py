"""Lesson 08: `iou_loss(logits, target, smooth=1.0)`."""

import torch

from helpers.checks.probes import Call
from helpers.checks.shared import logits_and_targets
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.losses import iou_loss


@exercise(
    iou_loss,
    lesson="08_losses",
    concept="Soft IoU loss",
    points=2,
    minutes=4,
    difficulty=2,
    hints=[
        "Start from your soft Dice loss. Which half of the fraction changes, and how?",
        "With booleans the union was `pred | target`. In numbers, the sum of the two areas counts every shared pixel "
        "twice: what do you take off?",
        "For each image: the overlap plus `smooth`, over the sum of the areas minus the overlap, plus `smooth`. One "
        "minus that, and the mean over the images.",
    ],
    task=(
        "One minus the intersection over union, with the probabilities of the logits in place of a mask. Logits and "
        "float targets (0.0 or 1.0) have the shape `(N, 1, H, W)`. For each image, the overlap plus `smooth`, over the "
        "union plus `smooth`; the result is the mean of the losses of the images, a single number."
    ),
)
def probes(draw):
    """Logits and targets (N, 1, H, W). The first: areas 1.75 and 2, overlap 1.5, so (1.5 + 1) / (2.25 + 1) = 10/13."""
    # log(3) is a probability of 3/4 and -log(3) of 1/4; none is 1/2, where thresholds differ in what they call object
    logits = torch.tensor([[[[3.0, 3.0, 1 / 3]]]]).log()
    yield Call((logits, torch.tensor([[[[1.0, 1.0, 0.0]]]])), gradients=(0,))
    for k, (logits, target) in enumerate(logits_and_targets(draw)):
        yield Call((logits, target), {"smooth": draw.uniform(2, 9)} if k % 2 else {}, gradients=(0,))
    yield Call((2 * draw.normal(2, 1, 4, 3), (draw.normal(2, 1, 4, 3) > 0).float()), {"smooth": 0.0}, gradients=(0,))
    target = torch.stack([draw.mask(4, 5), draw.mask(4, 5), draw.empty(4, 5)])[:, None].float()
    yield Call((40 * (2 * target - 1), target), label="logits of ±40, all on the right side", gradients=(0,))


edit = edits_of(iou_loss)


BOTH_CLASSES = "map(torch.cat, zip(_overlap_and_total(logits, target), _overlap_and_total(-logits, 1 - target)))"


def first(line):
    """The change that puts a line before the last one."""
    return "    return", f"    {line}\n    return"


def sums(p="torch.sigmoid(logits)", dim=(1, 2, 3)):
    """The change that sums other probabilities, or over other axes."""
    return "_overlap_and_total(logits, target)", f"({p} * target).sum({dim}), ({p} + target).sum({dim})"


edit(
    "Dice instead of IoU",
    "You divided twice the overlap by the sum of the areas. That is the soft Dice loss, the milder one wherever the "
    "match is partial. IoU divides by the *union*, in which a shared pixel counts once: look at your fraction.",
    ("(overlap + smooth)", "(2 * overlap + smooth)"),
    ("total - overlap", "total"),
)

edit(
    "the sum of areas instead of the union",
    "Your loss stays near 0.5 for a perfect prediction: the sum of the two areas counts every shared pixel twice. "
    "Look at what you have to take off to get the union.",
    ("total - overlap", "total"),
)

edit(
    "the difference instead of the union",
    "You took the overlap off twice, so your denominator holds only the pixels in which the two differ. The better "
    "the match, the smaller it gets, and the score leaves the range from 0 to 1. Look at how often a shared pixel is "
    "counted.",
    ("total - overlap", "total - 2 * overlap"),
)

edit(
    "the larger area instead of the union",
    "You divided by the larger of the two areas. The union is larger still, unless one lies inside the other. Look at "
    "what you have to take off the sum of the areas.",
    first("areas = torch.sigmoid(logits).sum((1, 2, 3)), target.sum((1, 2, 3))"),
    ("total - overlap", "torch.maximum(*areas)"),
)

edit(
    "the target's area instead of the union",
    "You divided by the area of the target alone. That is a recall: to call everything an object then costs nothing. "
    "Look at your denominator: the pixels that were predicted belong to the union, too.",
    ("total - overlap", "target.sum((1, 2, 3))"),
)

edit(
    "pooled over the batch",
    "You summed over the whole batch and divided once. A large object then drowns the small ones of the other images, "
    "and the loss of an image depends on its neighbours in the batch. Look at the `dim` of your sums.",
    first("overlap, total = overlap.sum(), total.sum()"),
)

edit(
    "pooled over the batch, the channel kept",
    "You summed over the batch, the rows and the columns, and kept the channel. So all images share one fraction, and "
    "what you return is not a single number but a tensor with one entry. Look at the `dim` of your sums: which "
    "dimensions belong to one image?",
    first("overlap, total = overlap.sum()[None], total.sum()[None]"),
    (".mean()", ""),
)

edit(
    "averaged over the batch before dividing",
    "You averaged overlap and areas over the batch, and divided once. A large object then drowns the small ones of "
    "the other images. The division comes first, in each image; the mean over the images comes last. Look at the "
    "order of the two.",
    first("overlap, total = overlap.mean(), total.mean()"),
)

edit(
    "means in place of sums",
    "Your overlap and areas are means over the pixels, numbers from 0 to 2. Beside those a `smooth` of 1 is as much "
    "as a whole image of pixels. Look at how you add up the pixels: an area is a sum.",
    first("overlap, total = overlap / target[0].numel(), total / target[0].numel()"),
)

edit(
    "the sigmoid is missing",
    "You put the logits into the formula as they are. Negative logits make negative areas, and the score leaves the "
    "range from 0 to 1. Look at what turns a logit into a probability.",
    sums("logits"),
)

edit(
    "the sigmoid applied twice",
    "You applied the sigmoid twice. All probabilities end up between 0.5 and 0.73, so a perfect prediction keeps a "
    "large loss. Look at what is a logit and what is a probability already.",
    ("(logits,", "(torch.sigmoid(logits),"),
)

edit(
    "a softmax over one channel",
    "You used a softmax over the channels. With a single channel there is nothing to compare it with: every "
    "probability is 1, and nothing gets a gradient. Look at how one logit alone becomes a probability.",
    sums("torch.softmax(logits, dim=1)"),
)

edit(
    "a hard mask",
    "You turned the probabilities into a mask of 0 and 1 first. That is the score of lesson 02: it jumps, its gradient "
    "is 0 or missing, and nothing can be trained with it. Look at where you compare with a threshold or round.",
    sums("(logits > 0).float()"),
)

edit(
    "a rounded mask",
    "You rounded the probabilities to 0 and 1. That is the score of lesson 02: it jumps, its gradient is 0, and "
    "nothing can be trained with it. Look for a `round`.",
    sums("torch.sigmoid(logits).round()"),
)

edit(
    "squares in the denominator",
    "You squared the probabilities in the union. Between 0 and 1 a square is smaller than the probability itself, so "
    "the score comes out too high wherever the network is unsure. Look at what the area of a soft mask is.",
    first("total = (torch.sigmoid(logits) ** 2 + target**2).sum((1, 2, 3))"),
)

edit(
    "score instead of loss",
    "You returned the score, which is 1 for a perfect prediction. An optimizer makes its loss small, so it would train "
    "the overlap away. Look at your last line.",
    ("1 - ", ""),
)

edit(
    "minus the score",
    "You returned minus the score. Its gradient is right and training would work, but a perfect prediction has the "
    "loss -1 instead of 0, and in a sum with another loss no one can read it. Look at your last line.",
    ("1 - ", "-"),
)

edit(
    "minus the logarithm of the score",
    "You took the logarithm of the score. Papers use that, too, but it grows without bound for a poor match, and here "
    "the loss lies between 0 and 1. Look at your last line.",
    ("1 - (overlap", "-((overlap"),
    ("overlap + smooth))", "overlap + smooth)).log())"),
)

edit(
    "smooth only on top",
    "You added `smooth` on top and not below. The score of a good prediction then exceeds 1, and the loss falls below "
    "0. Look at your denominator.",
    ("overlap + smooth))", "overlap))"),
)

edit(
    "smooth only below",
    "You added `smooth` below and not on top. No prediction reaches a loss of 0 any more, and for an image without "
    "objects the loss is 1 whatever is predicted. Look at your numerator.",
    ("(overlap + smooth)", "overlap"),
)

edit(
    "smooth taken off below",
    "You added `smooth` to the overlap first and took that sum off the areas, so below it is subtracted instead of "
    "added. The score of a good prediction exceeds 1. Look at where each of the two `smooth` comes in.",
    ("overlap + smooth))", "overlap - smooth))"),
)

edit(
    "smooth doubled below",
    "You added `smooth` to each of the two areas, so below it counts twice and on top once. No prediction reaches a "
    "loss of 0 any more. Look at your denominator.",
    ("overlap + smooth))", "overlap + 2 * smooth))"),
)

edit(
    "smooth halved",
    "Your `smooth` counts half. That comes out when IoU is made from a soft Dice with `score / (2 - score)`: there it "
    "stands beside twice the overlap. Look at what `smooth` is added to.",
    first("smooth = smooth / 2"),
)

edit(
    "smooth left out",
    "Your formula has no `smooth`. For an image without objects the loss is then 1 whatever is predicted, and its "
    "gradient is 0: nothing is learned there. Look at the third argument.",
    first("smooth = 0"),
)

edit(
    "smooth fixed at 1",
    "You wrote the number 1 where the argument `smooth` belongs, so it cannot be changed from outside. Look at the "
    "constants in your fraction.",
    first("smooth = 1"),
)

edit(
    "a tiny number in place of smooth",
    "A tiny number stands where the argument `smooth` belongs, so it cannot be changed from outside. For an image "
    "without objects the loss is then nearly 1, even where every probability is a thousandth. Look at the constants "
    "in your fraction.",
    first("smooth = 1e-6"),
)

edit(
    "another default for smooth",
    "Without the argument your `smooth` is not 1. Look at the default in the first line of your function.",
    ("smooth: float = 1.0", "smooth: float = 1e-6"),
)

edit(
    "sum over the images",
    "You added up the losses of the images. The loss then grows with the batch, and a learning rate that works for one "
    "batch size is wrong for the next. Look at your last step.",
    ("mean()", "sum()"),
)

edit(
    "one minus the sum of the scores",
    "You added up the scores of the images and took one minus that. With more than one image the loss may fall below "
    "0, and a perfect prediction no longer has the loss 0. Look at the order of your last steps.",
    ("1 - (overlap", "1 - ((overlap"),
    ("smooth)).mean()", "smooth)).sum())"),
)

edit(
    "a loss for each image",
    "You returned one number for each image. `backward()` needs a single one. Look at your last step.",
    (".mean()", ""),
)

edit(
    "mean over rows",
    "You summed along the rows alone, so each row is scored by itself and one without objects weighs as much as one "
    "full of them. Look at the `dim` of your sums: the areas are those of the whole image.",
    sums(dim=-1),
)

edit(
    "mean over columns",
    "You summed along the columns alone, so each column is scored by itself and one without objects weighs as much as "
    "one full of them. Look at the `dim` of your sums: the areas are those of the whole image.",
    sums(dim=2),
)

edit(
    "the sum runs over the channel alone",
    "You summed over the channel dimension, and there is one channel: every pixel is scored by itself, as if it were "
    "an image. Look at the `dim` of your sums: which dimensions belong to one image?",
    sums(dim=1),
)

edit(
    "the background's IoU",
    "You scored the background: `1 - p` against `1 - target`. Background is most of an image and easy, so the loss is "
    "small whatever happens to the objects. Look at which pixels your sums count.",
    ("(logits, target)", "(-logits, 1 - target)"),
)

edit(
    "objects and background averaged",
    "You scored the objects, and the background as a class of its own, and averaged both. Background is most of an "
    "image and easy, so half of your loss says little about the objects. Look at which pixels your sums count.",
    ("_overlap_and_total(logits, target)", BOTH_CLASSES),
)

edit(
    "the target through the sigmoid",
    "You took the sigmoid of the target, too. It is 0 or 1 already, and becomes 0.5 or 0.73, so no prediction matches "
    "it. Look at which of the two arguments are logits.",
    ("logits, target)", "logits, torch.sigmoid(target))"),
)

edit(
    "a number without its gradient",
    "The value is right, but it has lost its history: `.item()`, `float()`, `.detach()`, numpy and `no_grad` all cut "
    "it. `loss.backward()` needs the tensor as it came out of the computation. Look at your last lines.",
    ("mean()", "mean().item()"),
)


@variant("image by image")
def image_by_image(logits, target, smooth=1.0):
    total = 0
    for x, t in zip(torch.sigmoid(logits), target, strict=True):
        tp, fp, fn = (x * t).sum(), (x * (1 - t)).sum(), ((1 - x) * t).sum()
        total = total + 1 - (tp + smooth) / (tp + fp + fn + smooth)
    return total / len(logits)


@variant("the larger and the smaller of the two")
def extremes(logits, target, smooth=1.0):
    # for a target of 0 or 1, min(p, t) is p·t, and max(p, t) is p + t - p·t
    p = torch.sigmoid(logits)
    smaller, larger = torch.minimum(p, target), torch.maximum(p, target)
    return (1 - (smaller.sum((1, 2, 3)) + smooth) / (larger.sum((1, 2, 3)) + smooth)).mean()


@variant("through Dice")
def through_dice(logits, target, smooth=1.0):
    # with twice the smooth, Dice and IoU belong together as they do without any
    p, t = torch.sigmoid(logits).flatten(1), target.flatten(1)
    d = (2 * (p * t).sum(1) + 2 * smooth) / ((p + t).sum(1) + 2 * smooth)
    return (1 - d / (2 - d)).mean()
