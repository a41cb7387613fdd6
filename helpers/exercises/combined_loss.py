"""Lesson 08: `combined_loss(logits, target, dice_weight=0.5)`."""

import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.checks.shared import certain_logits, logits_and_targets
from helpers.exercises import exercise, misconception, variant
from helpers.reference.losses import bce_with_logits, combined_loss, iou_loss, soft_dice_loss


@exercise(
    combined_loss,
    lesson="08_losses",
    concept="Dice and cross-entropy together",
    points=2,
    minutes=3,
    difficulty=1,
    hints=[
        "You have written both parts already. What does each of them expect, logits or probabilities?",
        "The two weights add up to 1. With `dice_weight=1.0` only the Dice part is left.",
        "One line: `dice_weight` times the soft Dice loss, plus the rest to 1 times the cross-entropy, both called "
        "with the logits as they are.",
    ],
    task=(
        "`dice_weight` times the soft Dice loss (with `smooth` = 1, mean over the images) plus `1 - dice_weight` times "
        "the binary cross-entropy (mean over all pixels). Logits and float targets (0.0 or 1.0) have the shape "
        "`(N, 1, H, W)`. The loss and its gradient are finite for logits of ±10 000 too. You may call what you wrote "
        "before, or PyTorch's own."
    ),
)
def probes(draw):
    """Logits and targets (N, 1, H, W), with the default and with other weights; 1.0 leaves Dice, 0.0 cross-entropy."""
    # log(3) is a probability of 3/4 and -log(3) of 1/4: Dice loss 2/9, cross-entropy log(4/3) = 0.288
    logits = torch.tensor([[[[3.0, 3.0, 1 / 3]]]]).log()
    target = torch.tensor([[[[1.0, 1.0, 0.0]]]])
    yield Call((logits, target), gradients=(0,))
    yield Call((logits, target), {"dice_weight": 1.0}, gradients=(0,))
    yield Call((logits, target), {"dice_weight": 0.0}, gradients=(0,))
    yield from certain_logits()
    for k, (logits, target) in enumerate(logits_and_targets(draw)):
        settings = {"dice_weight": draw.uniform(0.6, 0.9) if k % 4 == 3 else draw.uniform(0.1, 0.4)} if k % 2 else {}
        yield Call((logits, target), settings, gradients=(0,))


def _mixed(dice, entropy, dice_weight):
    return dice_weight * dice + (1 - dice_weight) * entropy


@misconception(
    "the weights swapped",
    "You gave `dice_weight` to the cross-entropy and the rest to Dice. At the default of 0.5 nobody notices; at 1.0 "
    "the Dice part is gone. Look at which loss each weight meets.",
)
def swapped(logits, target, dice_weight=0.5):
    return combined_loss(logits, target, 1 - dice_weight)


@misconception(
    "the plain sum",
    "You added the two losses without weights, so the argument `dice_weight` changes nothing. Look at what each part "
    "has to be multiplied by.",
)
def plain_sum(logits, target, dice_weight=0.5):
    return soft_dice_loss(logits, target) + bce_with_logits(logits, target)


@misconception(
    "the weight fixed at 0.5",
    "You averaged the two losses, so the argument `dice_weight` changes nothing. Look at the constants in your "
    "formula.",
)
def fixed(logits, target, dice_weight=0.5):
    return combined_loss(logits, target)


@misconception(
    "only Dice has a weight",
    "You weighted the Dice part and left the cross-entropy at its full size. With `dice_weight=1.0` it should be gone. "
    "Look at what the cross-entropy has to be multiplied by.",
)
def only_dice_weighted(logits, target, dice_weight=0.5):
    return dice_weight * soft_dice_loss(logits, target) + bce_with_logits(logits, target)


@misconception(
    "only the cross-entropy has a weight",
    "You weighted the cross-entropy and left the Dice part at its full size. With `dice_weight=0.0` it should be gone. "
    "Look at what the Dice part has to be multiplied by.",
)
def only_entropy_weighted(logits, target, dice_weight=0.5):
    return soft_dice_loss(logits, target) + (1 - dice_weight) * bce_with_logits(logits, target)


@misconception(
    "the same weight on both",
    "Both parts got `dice_weight`. At 0.0 the whole loss is 0 and nothing is learned. Look at the second weight: the "
    "two have to add up to 1.",
)
def same_weight(logits, target, dice_weight=0.5):
    return dice_weight * (soft_dice_loss(logits, target) + bce_with_logits(logits, target))


@misconception(
    "the product of the two",
    "You multiplied the two losses. As soon as one of them is near 0, the other has hardly any gradient left. Look at "
    "the sign between the two parts.",
)
def product(logits, target, dice_weight=0.5):
    return dice_weight * soft_dice_loss(logits, target) * (1 - dice_weight) * bce_with_logits(logits, target)


@misconception(
    "the difference of the two",
    "You subtracted the Dice loss from the cross-entropy. Less loss then means less overlap. A Dice *score* would be "
    "subtracted; look at which of the two you have.",
)
def difference(logits, target, dice_weight=0.5):
    return _mixed(-soft_dice_loss(logits, target), bce_with_logits(logits, target), dice_weight)


@misconception(
    "Dice score instead of loss",
    "You added the Dice *score*, which is 1 for a perfect prediction, so the two parts pull in opposite directions. "
    "Look at what your Dice part is for a perfect prediction.",
)
def dice_score(logits, target, dice_weight=0.5):
    return _mixed(1 - soft_dice_loss(logits, target), bce_with_logits(logits, target), dice_weight)


@misconception(
    "minus the Dice score",
    "You took minus the Dice score for its loss. The gradient is right, but a perfect prediction has no loss of 0 any "
    "more: it is minus `dice_weight`. Look at your Dice part.",
)
def minus_dice_score(logits, target, dice_weight=0.5):
    return _mixed(soft_dice_loss(logits, target) - 1, bce_with_logits(logits, target), dice_weight)


@misconception(
    "IoU instead of Dice",
    "Your overlap part divides by the union. That is the IoU loss, which is stricter wherever the match is partial. "
    "Look at the first of your two parts.",
)
def iou_instead(logits, target, dice_weight=0.5):
    return _mixed(iou_loss(logits, target), bce_with_logits(logits, target), dice_weight)


@misconception(
    "the sigmoid applied twice in both parts",
    "You took the sigmoid of the logits and gave that to both losses, which take it themselves. All probabilities end "
    "up between 0.5 and 0.73. Look at what each part expects.",
)
def sigmoid_twice(logits, target, dice_weight=0.5):
    return combined_loss(torch.sigmoid(logits), target, dice_weight)


@misconception(
    "the sigmoid applied twice in the cross-entropy",
    "You gave probabilities to the cross-entropy, which expects logits, so even a perfect prediction keeps a loss of "
    "0.3 and more. Look at what goes into each of the two parts.",
)
def sigmoid_twice_in_entropy(logits, target, dice_weight=0.5):
    return _mixed(soft_dice_loss(logits, target), bce_with_logits(torch.sigmoid(logits), target), dice_weight)


@misconception(
    "the sigmoid applied twice in the Dice part",
    "You gave probabilities to the Dice loss, which expects logits, so its areas are those of probabilities between "
    "0.5 and 0.73. Look at what goes into each of the two parts.",
)
def sigmoid_twice_in_dice(logits, target, dice_weight=0.5):
    return _mixed(soft_dice_loss(torch.sigmoid(logits), target), bce_with_logits(logits, target), dice_weight)


@misconception(
    "the sigmoid missing in the Dice part",
    "Your Dice part computes with the logits as they are. Negative logits make negative areas, and its score leaves "
    "the range from 0 to 1. Look at what turns a logit into a probability.",
)
def sigmoid_missing(logits, target, dice_weight=0.5):
    both, total = (logits * target).sum((1, 2, 3)), (logits + target).sum((1, 2, 3))
    return _mixed((1 - (2 * both + 1) / (total + 1)).mean(), bce_with_logits(logits, target), dice_weight)


def _dice_part(logits, target, dim=(1, 2, 3), smooth=1.0):
    p = torch.sigmoid(logits)
    return (1 - (2 * (p * target).sum(dim) + smooth) / ((p + target).sum(dim) + smooth)).mean()


@misconception(
    "Dice pooled over the batch",
    "Your Dice part sums over the whole batch and divides once, so a large object drowns the small ones of the other "
    "images. Look at the `dim` of its sums.",
)
def pooled(logits, target, dice_weight=0.5):
    return _mixed(_dice_part(logits, target, (0, 1, 2, 3)), bce_with_logits(logits, target), dice_weight)


@misconception(
    "Dice without smooth",
    "Your Dice part has no `smooth`. For an image without objects it is 1 whatever is predicted, and its gradient is "
    "0. Look at the constants in its fraction.",
)
def no_smooth(logits, target, dice_weight=0.5):
    return _mixed(_dice_part(logits, target, smooth=0), bce_with_logits(logits, target), dice_weight)


@misconception(
    "a sum in the cross-entropy",
    "Your cross-entropy is a sum over the pixels. It dwarfs the Dice part, which never exceeds 1, the more the larger "
    "the image. Look at how the cross-entropy is reduced to one number.",
)
def summed(logits, target, dice_weight=0.5):
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="sum")
    return _mixed(soft_dice_loss(logits, target), entropy, dice_weight)


@misconception(
    "the logarithm of the sigmoid",
    "Your cross-entropy takes the sigmoid first and its logarithm after. For a logit of 10 000 that is the logarithm "
    "of 0, and one such pixel turns the whole loss into NaN or infinity. Look at your `bce_with_logits`.",
)
def log_of_sigmoid(logits, target, dice_weight=0.5):
    p = torch.sigmoid(logits)
    entropy = -(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()
    return _mixed(soft_dice_loss(logits, target), entropy, dice_weight)


@misconception(
    "a cross-entropy that levels off",
    "Your cross-entropy works on probabilities that are cut off, as `binary_cross_entropy` without the logits does. "
    "Past that point it stops growing and its gradient is 0, so the pixels that are most wrong are never corrected. "
    "Look at what it is given: logits or probabilities?",
)
def levels_off(logits, target, dice_weight=0.5):
    entropy = F.binary_cross_entropy(torch.sigmoid(logits), target)
    return _mixed(soft_dice_loss(logits, target), entropy, dice_weight)


@misconception(
    "a number without its gradient",
    "The value is right, but it has lost its history: `.item()`, `float()`, `.detach()`, numpy and `no_grad` all cut "
    "it. `loss.backward()` needs the tensor as it came out of the computation. Look at your last lines.",
)
def detached(logits, target, dice_weight=0.5):
    return combined_loss(logits, target, dice_weight).item()


@variant("everything written out")
def written_out(logits, target, dice_weight=0.5):
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    dice = 1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    entropy = F.softplus(logits) - logits * target
    return dice.mean() * dice_weight + entropy.mean() * (1 - dice_weight)


@variant("with the library's cross-entropy")
def from_library(logits, target, dice_weight=0.5):
    entropy = torch.nn.BCEWithLogitsLoss()(logits, target)
    return torch.lerp(entropy, soft_dice_loss(logits, target), dice_weight)


@variant("image by image")
def image_by_image(logits, target, dice_weight=0.5):
    losses = [
        dice_weight * soft_dice_loss(x[None], t[None]) + (1 - dice_weight) * bce_with_logits(x, t)
        for x, t in zip(logits, target, strict=True)
    ]
    return torch.stack(losses).mean()


@variant("parts of weight 0 left out")
def left_out(logits, target, dice_weight=0.5):
    loss = torch.zeros(())
    if dice_weight > 0:
        loss = loss + dice_weight * soft_dice_loss(logits, target)
    if dice_weight < 1:
        loss = loss + (1 - dice_weight) * F.binary_cross_entropy_with_logits(logits, target)
    return loss
