"""Lesson 08: `iou_loss(logits, target, smooth=1.0)`."""

import torch

from helpers.checks.probes import Call
from helpers.checks.shared import logits_and_targets
from helpers.exercises import exercise, misconception, variant
from helpers.reference.losses import iou_loss, soft_dice_loss


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
        "For each image: the overlap plus `smooth`, over the sum of the areas less the overlap, plus `smooth`. One "
        "minus that, and the mean over the images.",
    ],
    task=(
        "One minus the intersection over union, with the probabilities of the logits in place of a mask. Logits and "
        "float targets (0.0 or 1.0) have the shape `(N, 1, H, W)`. For each image, the overlap plus `smooth`, over the "
        "union plus `smooth`; the result is the mean of the losses of the images, a single number."
    ),
)
def probes(draw):
    """Logits and targets (N, 1, H, W). The first: areas 1.5 and 2, overlap 1.25, so (1.25 + 1) / (2.25 + 1) = 9/13."""
    # log(3) is a probability of 3/4, 0 of 1/2 and -log(3) of 1/4
    logits = torch.tensor([[[[3.0, 1.0, 1 / 3]]]]).log()
    yield Call((logits, torch.tensor([[[[1.0, 1.0, 0.0]]]])), gradients=(0,))
    for k, (logits, target) in enumerate(logits_and_targets(draw)):
        yield Call((logits, target), {"smooth": draw.uniform(2, 9)} if k % 2 else {}, gradients=(0,))
    yield Call((2 * draw.normal(2, 1, 4, 3), (draw.normal(2, 1, 4, 3) > 0).float()), {"smooth": 0.0}, gradients=(0,))
    target = torch.stack([draw.mask(4, 5), draw.mask(4, 5), draw.empty(4, 5)])[:, None].float()
    yield Call((20 * (2 * target - 1), target), label="logits of ±20, all on the right side", gradients=(0,))


def _sums(logits, target, dim=(1, 2, 3), p=None):
    """Overlap and union."""
    p = torch.sigmoid(logits) if p is None else p
    both = (p * target).sum(dim)
    return both, p.sum(dim) + target.sum(dim) - both


@misconception(
    "Dice instead of IoU",
    "You divided twice the overlap by the sum of the areas. That is the soft Dice loss, the milder one wherever the "
    "match is partial. IoU divides by the *union*, in which a shared pixel counts once: look at your fraction.",
)
def dice_instead(logits, target, smooth=1.0):
    return soft_dice_loss(logits, target, smooth)


@misconception(
    "the sum of areas instead of the union",
    "Your loss stays near 0.5 for a perfect prediction: the sum of the two areas counts every shared pixel twice. "
    "Look at what you have to take off to get the union.",
)
def sum_for_union(logits, target, smooth=1.0):
    both, union = _sums(logits, target)
    return (1 - (both + smooth) / (union + both + smooth)).mean()


@misconception(
    "the difference instead of the union",
    "You took the overlap off twice, so your denominator holds only the pixels in which the two differ. The better "
    "the match, the smaller it gets, and the score leaves the range from 0 to 1. Look at how often a shared pixel is "
    "counted.",
)
def difference_for_union(logits, target, smooth=1.0):
    both, union = _sums(logits, target)
    return (1 - (both + smooth) / (union - both + smooth)).mean()


@misconception(
    "pooled over the batch",
    "You summed over the whole batch and divided once. A large object then drowns the small ones of the other images, "
    "and the loss of an image depends on its neighbours in the batch. Look at the `dim` of your sums.",
)
def pooled(logits, target, smooth=1.0):
    both, union = _sums(logits, target, (0, 1, 2, 3))
    return 1 - (both + smooth) / (union + smooth)


@misconception(
    "the sigmoid is missing",
    "You put the logits into the formula as they are. Negative logits make negative areas, and the score leaves the "
    "range from 0 to 1. Look at what turns a logit into a probability.",
)
def sigmoid_missing(logits, target, smooth=1.0):
    both, union = _sums(logits, target, p=logits)
    return (1 - (both + smooth) / (union + smooth)).mean()


@misconception(
    "the sigmoid applied twice",
    "You applied the sigmoid twice. All probabilities end up between 0.5 and 0.73, so a perfect prediction keeps a "
    "large loss. Look at what is a logit and what is a probability already.",
)
def sigmoid_twice(logits, target, smooth=1.0):
    return iou_loss(torch.sigmoid(logits), target, smooth)


@misconception(
    "a softmax over one channel",
    "You used a softmax over the channels. With a single channel there is nothing to compare it with: every "
    "probability is 1, and nothing gets a gradient. Look at how one logit alone becomes a probability.",
)
def softmax_instead(logits, target, smooth=1.0):
    both, union = _sums(logits, target, p=torch.softmax(logits, dim=1))
    return (1 - (both + smooth) / (union + smooth)).mean()


@misconception(
    "a hard mask",
    "You turned the probabilities into a mask of 0 and 1 first. That is the score of lesson 02: it jumps, its gradient "
    "is 0 or missing, and nothing can be trained with it. Look at where you compare with a threshold or round.",
)
def hard(logits, target, smooth=1.0):
    both, union = _sums(logits, target, p=(logits > 0).float())
    return (1 - (both + smooth) / (union + smooth)).mean()


@misconception(
    "squares in the denominator",
    "You squared the probabilities in the union. Between 0 and 1 a square is smaller than the probability itself, so "
    "the score comes out too high wherever the network is unsure. Look at what the area of a soft mask is.",
)
def squared(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    both = (p * target).sum((1, 2, 3))
    union = (p**2).sum((1, 2, 3)) + (target**2).sum((1, 2, 3)) - both
    return (1 - (both + smooth) / (union + smooth)).mean()


@misconception(
    "score instead of loss",
    "You returned the score, which is 1 for a perfect prediction. An optimizer makes its loss small, so it would train "
    "the overlap away. Look at your last line.",
)
def score(logits, target, smooth=1.0):
    return 1 - iou_loss(logits, target, smooth)


@misconception(
    "minus the score",
    "You returned minus the score. Its gradient is right and training would work, but a perfect prediction has the "
    "loss -1 instead of 0, and in a sum with another loss no one can read it. Look at your last line.",
)
def minus_score(logits, target, smooth=1.0):
    return iou_loss(logits, target, smooth) - 1


@misconception(
    "minus the logarithm of the score",
    "You took the logarithm of the score. Papers use that, too, but it grows without bound for a poor match, and here "
    "the loss lies between 0 and 1. Look at your last line.",
)
def log_score(logits, target, smooth=1.0):
    both, union = _sums(logits, target)
    return -torch.log((both + smooth) / (union + smooth)).mean()


@misconception(
    "smooth only on top",
    "You added `smooth` on top and not below. The score of a good prediction then exceeds 1, and the loss falls below "
    "0. Look at your denominator.",
)
def smooth_on_top(logits, target, smooth=1.0):
    both, union = _sums(logits, target)
    return (1 - (both + smooth) / union).mean()


@misconception(
    "smooth only below",
    "You added `smooth` below and not on top. No prediction reaches a loss of 0 any more, and for an image without "
    "objects the loss is 1 whatever is predicted. Look at your numerator.",
)
def smooth_below(logits, target, smooth=1.0):
    both, union = _sums(logits, target)
    return (1 - both / (union + smooth)).mean()


@misconception(
    "smooth taken off below",
    "You added `smooth` to the overlap first and took that sum off the areas, so below it is subtracted instead of "
    "added. The score of a good prediction exceeds 1. Look at where each of the two `smooth` comes in.",
)
def smooth_taken_off(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    both = (p * target).sum((1, 2, 3)) + smooth
    return (1 - both / ((p + target).sum((1, 2, 3)) - both)).mean()


@misconception(
    "smooth left out",
    "Your formula has no `smooth`. For an image without objects the loss is then 1 whatever is predicted, and its "
    "gradient is 0: nothing is learned there. Look at the third argument.",
)
def smooth_left_out(logits, target, smooth=1.0):
    both, union = _sums(logits, target)
    return (1 - both / union).mean()


@misconception(
    "smooth fixed at 1",
    "You wrote the number 1 where the argument `smooth` belongs, so it cannot be changed from outside. Look at the "
    "constants in your fraction.",
)
def smooth_fixed(logits, target, smooth=1.0):
    return iou_loss(logits, target)


@misconception(
    "sum over the images",
    "You added up the losses of the images. The loss then grows with the batch, and a learning rate that works for one "
    "batch size is wrong for the next. Look at your last step.",
)
def summed(logits, target, smooth=1.0):
    return iou_loss(logits, target, smooth) * len(logits)


@misconception(
    "a loss for each image",
    "You returned one number for each image. `backward()` needs a single one. Look at your last step.",
)
def not_reduced(logits, target, smooth=1.0):
    both, union = _sums(logits, target)
    return 1 - (both + smooth) / (union + smooth)


@misconception(
    "mean over rows",
    "You summed along the rows alone, so each row is scored by itself and one without objects weighs as much as one "
    "full of them. Look at the `dim` of your sums: the areas are those of the whole image.",
)
def by_rows(logits, target, smooth=1.0):
    both, union = _sums(logits, target, -1)
    return (1 - (both + smooth) / (union + smooth)).mean()


@misconception(
    "the sum runs over the channel alone",
    "You summed over the channel dimension, and there is one channel: every pixel is scored by itself, as if it were "
    "an image. Look at the `dim` of your sums: which dimensions belong to one image?",
)
def by_pixels(logits, target, smooth=1.0):
    both, union = _sums(logits, target, 1)
    return (1 - (both + smooth) / (union + smooth)).mean()


@misconception(
    "the background's IoU",
    "You scored the background: `1 - p` against `1 - target`. Background is most of an image and easy, so the loss is "
    "small whatever happens to the objects. Look at which pixels your sums count.",
)
def background(logits, target, smooth=1.0):
    return iou_loss(-logits, 1 - target, smooth)


@misconception(
    "a number without its gradient",
    "The value is right, but it has lost its history: `.item()`, `float()`, `.detach()`, numpy and `no_grad` all cut "
    "it. `loss.backward()` needs the tensor as it came out of the computation. Look at your last lines.",
)
def detached(logits, target, smooth=1.0):
    return iou_loss(logits, target, smooth).item()


@variant("flattened")
def flattened(logits, target, smooth=1.0):
    p, t = logits.sigmoid().flatten(1), target.flatten(1)
    overlap = (p * t).sum(1)
    return torch.mean(1 - (overlap + smooth) / (p.sum(1) + t.sum(1) - overlap + smooth))


@variant("the union pixel by pixel")
def probabilistic_union(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    union = (p + target - p * target).sum((-1, -2, -3))
    return 1 - (((p * target).sum((-1, -2, -3)) + smooth) / (union + smooth)).mean()


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
