"""Lesson 08: `soft_dice_loss(logits, target, smooth=1.0)`."""

import torch

from helpers.checks.probes import Call
from helpers.checks.shared import logits_and_targets
from helpers.exercises import exercise, misconception, variant
from helpers.reference.losses import iou_loss, soft_dice_loss


@exercise(
    soft_dice_loss,
    lesson="08_losses",
    concept="Soft Dice loss",
    points=4,
    minutes=8,
    difficulty=3,
    hints=[
        "A mask of 0 and 1 jumps, and has no gradient. Which numbers between 0 and 1 does the network offer instead, "
        "and what does counting pixels become with them?",
        "For each image you need two numbers: the sum of probability times target, and the sum of both areas. Sum over "
        "channel, rows and columns, and keep the batch.",
        "`smooth` goes on top and below, in each image. Then one minus the score gives `(N,)` losses, and their mean "
        "is the result.",
    ],
    task=(
        "One minus the Dice coefficient, with the probabilities of the logits in place of a mask. Logits and float "
        "targets (0.0 or 1.0) have the shape `(N, 1, H, W)`. For each image, twice the overlap plus `smooth`, over the "
        "sum of the two areas plus `smooth`; the result is the mean of the losses of the images, a single number."
    ),
)
def probes(draw):
    """Logits and targets (N, 1, H, W). The first: areas 1.5 and 2, overlap 1.25, so (2.5 + 1) / (3.5 + 1) = 7/9."""
    # log(3) is a probability of 3/4, 0 of 1/2 and -log(3) of 1/4
    logits = torch.tensor([[[[3.0, 1.0, 1 / 3]]]]).log()
    yield Call((logits, torch.tensor([[[[1.0, 1.0, 0.0]]]])), gradients=(0,))
    yield from _smoothed(draw)


def _smoothed(draw):
    for k, (logits, target) in enumerate(logits_and_targets(draw)):
        yield Call((logits, target), {"smooth": draw.uniform(2, 9)} if k % 2 else {}, gradients=(0,))
    yield Call((2 * draw.normal(2, 1, 4, 3), (draw.normal(2, 1, 4, 3) > 0).float()), {"smooth": 0.0}, gradients=(0,))
    target = torch.stack([draw.mask(4, 5), draw.mask(4, 5), draw.empty(4, 5)])[:, None].float()
    yield Call((20 * (2 * target - 1), target), label="logits of ±20, all on the right side", gradients=(0,))


def _sums(logits, target, dim=(1, 2, 3), p=None):
    p = torch.sigmoid(logits) if p is None else p
    return (p * target).sum(dim), p.sum(dim), target.sum(dim)


@misconception(
    "pooled over the batch",
    "You summed over the whole batch and divided once. A large object then drowns the small ones of the other images, "
    "and the loss of an image depends on its neighbours in the batch. Look at the `dim` of your sums.",
)
def pooled(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target, (0, 1, 2, 3))
    return 1 - (2 * both + smooth) / (p + t + smooth)


@misconception(
    "the sigmoid is missing",
    "You put the logits into the formula as they are. Negative logits make negative areas, and the score leaves the "
    "range from 0 to 1. Look at what turns a logit into a probability.",
)
def sigmoid_missing(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target, p=logits)
    return (1 - (2 * both + smooth) / (p + t + smooth)).mean()


@misconception(
    "the sigmoid applied twice",
    "You applied the sigmoid twice. All probabilities end up between 0.5 and 0.73, so a perfect prediction keeps a "
    "large loss. Look at what is a logit and what is a probability already.",
)
def sigmoid_twice(logits, target, smooth=1.0):
    return soft_dice_loss(torch.sigmoid(logits), target, smooth)


@misconception(
    "a softmax over one channel",
    "You used a softmax over the channels. With a single channel there is nothing to compare it with: every "
    "probability is 1, and nothing gets a gradient. Look at how one logit alone becomes a probability.",
)
def softmax_instead(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target, p=torch.softmax(logits, dim=1))
    return (1 - (2 * both + smooth) / (p + t + smooth)).mean()


@misconception(
    "a hard mask",
    "You turned the probabilities into a mask of 0 and 1 first. That is the score of lesson 02: it jumps, its gradient "
    "is 0 or missing, and nothing can be trained with it. Look at where you compare with a threshold or round.",
)
def hard(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target, p=(logits > 0).float())
    return (1 - (2 * both + smooth) / (p + t + smooth)).mean()


@misconception(
    "score instead of loss",
    "You returned the score, which is 1 for a perfect prediction. An optimizer makes its loss small, so it would train "
    "the overlap away. Look at your last line.",
)
def score(logits, target, smooth=1.0):
    return 1 - soft_dice_loss(logits, target, smooth)


@misconception(
    "minus the score",
    "You returned minus the score. Its gradient is right and training would work, but a perfect prediction has the "
    "loss -1 instead of 0, and in a sum with another loss no one can read it. Look at your last line.",
)
def minus_score(logits, target, smooth=1.0):
    return soft_dice_loss(logits, target, smooth) - 1


@misconception(
    "squares in the denominator",
    "You squared the probabilities in the denominator. That is the form of V-Net (2016), a loss too, with other values "
    "wherever a probability is neither 0 nor 1. Look at what the area of a soft mask is.",
)
def squared(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    total = (p**2).sum((1, 2, 3)) + (target**2).sum((1, 2, 3))
    return (1 - (2 * (p * target).sum((1, 2, 3)) + smooth) / (total + smooth)).mean()


@misconception(
    "smooth only on top",
    "You added `smooth` on top and not below. The score of a good prediction then exceeds 1, and the loss falls below "
    "0. Look at your denominator.",
)
def smooth_on_top(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target)
    return (1 - (2 * both + smooth) / (p + t)).mean()


@misconception(
    "smooth only below",
    "You added `smooth` below and not on top. No prediction reaches a loss of 0 any more, and for an image without "
    "objects the loss is 1 whatever is predicted. Look at your numerator.",
)
def smooth_below(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target)
    return (1 - 2 * both / (p + t + smooth)).mean()


@misconception(
    "smooth doubled on top",
    "Your factor two multiplies `smooth` as well as the overlap, so on top it counts twice. The score of a good "
    "prediction exceeds 1, most of all for small objects. Look at your brackets.",
)
def smooth_doubled(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target)
    return (1 - 2 * (both + smooth) / (p + t + smooth)).mean()


@misconception(
    "smooth doubled below",
    "You added `smooth` to each of the two areas, so below it counts twice and on top once. No prediction reaches a "
    "loss of 0 any more. Look at your denominator.",
)
def smooth_doubled_below(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target)
    return (1 - (2 * both + smooth) / (p + smooth + t + smooth)).mean()


@misconception(
    "smooth left out",
    "Your formula has no `smooth`. For an image without objects the loss is then 1 whatever is predicted, and its "
    "gradient is 0: nothing is learned there. Look at the third argument.",
)
def smooth_left_out(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target)
    return (1 - 2 * both / (p + t)).mean()


@misconception(
    "smooth fixed at 1",
    "You wrote the number 1 where the argument `smooth` belongs, so it cannot be changed from outside. Look at the "
    "constants in your fraction.",
)
def smooth_fixed(logits, target, smooth=1.0):
    return soft_dice_loss(logits, target)


@misconception(
    "the factor two is missing",
    "Your loss stays near 0.5 for a perfect prediction. The denominator counts every shared pixel twice, once in each "
    "area. Look at what the numerator has to do to keep up.",
)
def factor_missing(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target)
    return (1 - (both + smooth) / (p + t + smooth)).mean()


@misconception(
    "IoU instead of Dice",
    "You divided the overlap by the union. That is the IoU loss, which is stricter wherever the match is partial. Dice "
    "divides by the *sum* of the two areas: look at both halves of your fraction.",
)
def iou_instead(logits, target, smooth=1.0):
    return iou_loss(logits, target, smooth)


@misconception(
    "the union below, twice the overlap on top",
    "You mixed two formulas: twice the overlap belongs to the sum of the areas, the union to the overlap once. Your "
    "score rises above 1, and the loss falls below 0. Look at your denominator.",
)
def union_below(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target)
    return (1 - (2 * both + smooth) / (p + t - both + smooth)).mean()


@misconception(
    "sum over the images",
    "You added up the losses of the images. The loss then grows with the batch, and a learning rate that works for one "
    "batch size is wrong for the next. Look at your last step.",
)
def summed(logits, target, smooth=1.0):
    return soft_dice_loss(logits, target, smooth) * len(logits)


@misconception(
    "a loss for each image",
    "You returned one number for each image. `backward()` needs a single one. Look at your last step.",
)
def not_reduced(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target)
    return 1 - (2 * both + smooth) / (p + t + smooth)


@misconception(
    "mean over rows",
    "You summed along the rows alone, so each row is scored by itself and one without objects weighs as much as one "
    "full of them. Look at the `dim` of your sums: the areas are those of the whole image.",
)
def by_rows(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target, -1)
    return (1 - (2 * both + smooth) / (p + t + smooth)).mean()


@misconception(
    "the sum runs over the channel alone",
    "You summed over the channel dimension, and there is one channel: every pixel is scored by itself, as if it were "
    "an image. Look at the `dim` of your sums: which dimensions belong to one image?",
)
def by_pixels(logits, target, smooth=1.0):
    both, p, t = _sums(logits, target, 1)
    return (1 - (2 * both + smooth) / (p + t + smooth)).mean()


@misconception(
    "images without objects left out",
    "You averaged over the images that hold an object. A false alarm in an empty image then costs nothing, and a batch "
    "of empty images gives NaN or 0. Look at what your mean runs over: what is `smooth` for?",
)
def empty_left_out(logits, target, smooth=1.0):
    some = target.sum((1, 2, 3)) > 0
    return soft_dice_loss(logits[some], target[some], smooth)


@misconception(
    "the background's Dice",
    "You scored the background: `1 - p` against `1 - target`. Background is most of an image and easy, so the loss is "
    "small whatever happens to the objects. Look at which pixels your sums count.",
)
def background(logits, target, smooth=1.0):
    return soft_dice_loss(-logits, 1 - target, smooth)


@misconception(
    "a number without its gradient",
    "The value is right, but it has lost its history: `.item()`, `float()`, `.detach()`, numpy and `no_grad` all cut "
    "it. `loss.backward()` needs the tensor as it came out of the computation. Look at your last lines.",
)
def detached(logits, target, smooth=1.0):
    return soft_dice_loss(logits, target, smooth).item()


@variant("flattened")
def flattened(logits, target, smooth=1.0):
    p, t = logits.sigmoid().flatten(1), target.flatten(1)
    return torch.mean(1 - (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth))


@variant("image by image")
def image_by_image(logits, target, smooth=1.0):
    losses = []
    for x, t in zip(logits, target, strict=True):
        p = torch.sigmoid(x)
        losses.append(1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth))
    return sum(losses) / len(losses)


@variant("one minus the mean score")
def one_minus_mean(logits, target, smooth=1.0):
    p = 1 / (1 + torch.exp(-logits))
    overlap = torch.einsum("nchw,nchw->n", p, target)
    return 1 - ((overlap + smooth / 2) / ((p + target).sum((1, 2, 3)) + smooth)).mean() * 2


@variant("as F1 of soft counts")
def soft_counts(logits, target, smooth=1.0):
    p = torch.sigmoid(logits.squeeze(1))
    t = target.squeeze(1)
    tp, fp, fn = (a.sum((1, 2)) for a in (p * t, p * (1 - t), (1 - p) * t))
    return 1 - torch.mean((2 * tp + smooth) / (2 * tp + fp + fn + smooth))


@variant("the fraction that does not match")
def mismatch(logits, target, smooth=1.0):
    # 1 - (2a + s) / (b + s) = (b - 2a) / (b + s), and for targets of 0 and 1, b - 2a is the sum of |p - t|
    p = torch.sigmoid(logits.double())
    return ((p - target).abs().sum((-1, -2, -3)) / ((p + target).sum((-1, -2, -3)) + smooth)).mean()


@variant("objects picked out with the mask")
def picked(logits, target, smooth=1.0):
    total = 0
    for k in range(logits.shape[0]):
        p, inside = (1 + torch.tanh(logits[k] / 2)) / 2, target[k].bool()
        total = total + 1 - (2 * p[inside].sum() + smooth) / (p.sum() + inside.sum() + smooth)
    return total / logits.shape[0]
