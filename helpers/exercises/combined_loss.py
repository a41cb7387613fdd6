"""Lesson 08: `combined_loss(logits, target, dice_weight=0.5)`."""

import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.checks.shared import certain_logits, logits_and_targets
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.losses import bce_with_logits, combined_loss, soft_dice_loss


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
        "One line: `dice_weight` times the soft Dice loss, plus `1 - dice_weight` times the cross-entropy, both "
        "called with the logits as they are.",
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
    # log(3) is a probability of 3/4 and -log(3) of 1/4: Dice loss 3/19, cross-entropy log(4/3) = 0.288
    logits = torch.tensor([[[[3.0, 3.0, 1 / 3]]]]).log()
    target = torch.tensor([[[[1.0, 1.0, 0.0]]]])
    yield Call((logits, target), gradients=(0,))
    yield Call((logits, target), {"dice_weight": 1.0}, gradients=(0,))
    yield Call((logits, target), {"dice_weight": 0.0}, gradients=(0,))
    yield from certain_logits()
    for k, (logits, target) in enumerate(logits_and_targets(draw)):
        settings = {"dice_weight": draw.uniform(0.6, 0.9) if k % 4 == 3 else draw.uniform(0.1, 0.4)} if k % 2 else {}
        yield Call((logits, target), settings, gradients=(0,))


edit = edits_of(combined_loss)


DICE, ENTROPY = "soft_dice_loss(logits, target)", "bce_with_logits(logits, target)"


def first(line):
    """The change that puts a line before the last one."""
    return "    return", f"    {line}\n    return"


def dice_of(p="torch.sigmoid(logits)", area=None, dim=(1, 2, 3), top="2 * overlap + 1"):
    """The changes that write the Dice part out, with something in it another."""
    yield DICE, f"(1 - ({top}) / (total + 1)).mean()"
    yield first(f"overlap, total = ({p} * target).sum({dim}), ({area or p} + target).sum({dim})")


edit(
    "the weights swapped",
    "You gave `dice_weight` to the cross-entropy and the rest to Dice. At the default of 0.5 nobody notices; at 1.0 "
    "the Dice part is gone. Look at which loss each weight meets.",
    first("dice_weight = 1 - dice_weight"),
)

edit(
    "the plain sum",
    "You added the two losses without weights, so the argument `dice_weight` changes nothing. Look at what each part "
    "has to be multiplied by.",
    ("dice_weight * soft", "soft"),
    ("(1 - dice_weight) * ", ""),
)

edit(
    "the weight fixed at 0.5",
    "You averaged the two losses, so the argument `dice_weight` changes nothing. Look at the constants in your "
    "formula.",
    first("dice_weight = 0.5"),
)

edit(
    "the weighted parts averaged",
    "You divide the weighted sum by two. The two weights add up to 1 already, so it is a mean as it stands. Look at "
    "what you do after the sum.",
    ("* soft", "/ 2 * soft"),
    ("* bce", "/ 2 * bce"),
)

edit(
    "only Dice has a weight",
    "You weighted the Dice part and left the cross-entropy at its full size. With `dice_weight=1.0` it should be gone. "
    "Look at what the cross-entropy has to be multiplied by.",
    ("(1 - dice_weight) * ", ""),
)

edit(
    "only the cross-entropy has a weight",
    "You weighted the cross-entropy and left the Dice part at its full size. With `dice_weight=0.0` it should be gone. "
    "Look at what the Dice part has to be multiplied by.",
    ("dice_weight * soft", "soft"),
)

edit(
    "the Dice part's weight on the cross-entropy",
    "You multiplied the cross-entropy by `dice_weight` and left the Dice part at its full size. With "
    "`dice_weight=1.0` only Dice should be left. Look at which part each weight belongs to, and at what the other "
    "part is multiplied by.",
    ("dice_weight * soft", "soft"),
    ("(1 - dice_weight)", "dice_weight"),
)

edit(
    "the same weight on both",
    "Both parts got `dice_weight`. At 0.0 the whole loss is 0 and nothing is learned. Look at the second weight: the "
    "two have to add up to 1.",
    ("(1 - dice_weight)", "dice_weight"),
)

edit(
    "the product of the two",
    "You multiplied the two losses. As soon as one of them is near 0, the other has hardly any gradient left. Look at "
    "the sign between the two parts.",
    (" + ", " * "),
)

edit(
    "the difference of the two",
    "You subtracted the Dice loss from the cross-entropy. Less loss then means less overlap. A Dice *score* would be "
    "subtracted; look at which of the two you have.",
    ("return ", "return -"),
)

edit(
    "Dice score instead of loss",
    "You added the Dice *score*, which is 1 for a perfect prediction, so the two parts pull in opposite directions. "
    "Look at what your Dice part is for a perfect prediction.",
    (DICE, f"(1 - {DICE})"),
)

edit(
    "minus the Dice score",
    "You took minus the Dice score for its loss. The gradient is right, but a perfect prediction has no loss of 0 any "
    "more: it is minus `dice_weight`. Look at your Dice part.",
    (DICE, f"({DICE} - 1)"),
)

edit(
    "IoU instead of Dice",
    "Your overlap part divides by the union. That is the IoU loss, which is stricter wherever the match is partial. "
    "Look at the first of your two parts.",
    ("soft_dice_loss", "iou_loss"),
)

edit(
    "the sigmoid applied twice in both parts",
    "You took the sigmoid of the logits and gave that to both losses, which take it themselves. All probabilities end "
    "up between 0.5 and 0.73. Look at what each part expects.",
    first("logits = torch.sigmoid(logits)"),
)

edit(
    "the sigmoid applied twice in the cross-entropy",
    "You gave probabilities to the cross-entropy, which expects logits, so even a perfect prediction keeps a loss of "
    "0.3 and more. Look at what goes into each of the two parts.",
    ("bce_with_logits(logits", "bce_with_logits(torch.sigmoid(logits)"),
)

edit(
    "the sigmoid applied twice in the Dice part",
    "You gave probabilities to the Dice loss, which expects logits, so its areas are those of probabilities between "
    "0.5 and 0.73. Look at what goes into each of the two parts.",
    ("soft_dice_loss(logits", "soft_dice_loss(torch.sigmoid(logits)"),
)

edit(
    "the sigmoid missing in the Dice part",
    "Your Dice part computes with the logits as they are. Negative logits make negative areas, and its score leaves "
    "the range from 0 to 1. Look at what turns a logit into a probability.",
    *dice_of("logits"),
)

edit(
    "logits and target swapped",
    "You treat the target as logits and the logits as the target. Look at the order of the arguments: the network's "
    "output comes first.",
    first("logits, target = target, logits"),
)

edit(
    "Dice pooled over the batch",
    "Your Dice part sums over the whole batch and divides once, so a large object drowns the small ones of the other "
    "images. Look at the `dim` of its sums.",
    *dice_of(dim=(0, 1, 2, 3)),
)

edit(
    "the Dice losses added up",
    "Your Dice part is the sum over the images, not their mean, so it grows with the batch beside a cross-entropy "
    "that does not. Look at how it becomes one number.",
    (DICE, f"len(logits) * {DICE}"),
)

edit(
    "the Dice part for each image",
    "Your Dice part is one number for each image, and so is the whole loss. `backward()` needs a single one. Look at "
    "how each of the two parts becomes one number.",
    (DICE, "torch.stack([soft_dice_loss(x[None], t[None]) for x, t in zip(logits, target)])"),
)

edit(
    "a hard mask in the Dice part",
    "Your Dice part works on a mask of 0 and 1. That is the score of lesson 02: it jumps and has no gradient, so only "
    "the cross-entropy is trained with. Look at where you compare with a threshold.",
    *dice_of("(logits > 0).float()"),
)

edit(
    "squares in the Dice part",
    "You squared the probabilities in the denominator of the Dice part. That is the form of V-Net (2016), with other "
    "values wherever a probability is neither 0 nor 1. Look at what the area of a soft mask is.",
    *dice_of(area="torch.sigmoid(logits) ** 2"),
)

edit(
    "the factor two is missing in the Dice part",
    "Your Dice part stays near 0.5 for a perfect prediction. Its denominator counts every shared pixel twice, once in "
    "each area. Look at what the numerator has to do to keep up.",
    *dice_of(top="overlap + 1"),
)

edit(
    "Dice without smooth",
    "Your Dice part has no `smooth`, or a tiny one. For an image without objects it is 1 or nearly so, whatever is "
    "predicted, and its gradient next to 0. Look at the constants in its fraction.",
    (DICE, "soft_dice_loss(logits, target, smooth=0)"),
)

edit(
    "smooth only below in the Dice part",
    "Your Dice part has its `smooth` below and not on top, so for an image without objects it is 1 whatever is "
    "predicted. Look at its numerator.",
    *dice_of(top="2 * overlap"),
)

edit(
    "smooth doubled on top in the Dice part",
    "In your Dice part the factor two multiplies `smooth` as well as the overlap, so its score exceeds 1 for a good "
    "prediction. Look at your brackets.",
    *dice_of(top="2 * (overlap + 1)"),
)

edit(
    "a sum in the cross-entropy",
    "Your cross-entropy is a sum over the pixels. It dwarfs the Dice part, which never exceeds 1, the more the larger "
    "the image. Look at how the cross-entropy is reduced to one number.",
    (ENTROPY, f"target.numel() * {ENTROPY}"),
)

edit(
    "a sum over each image in the cross-entropy",
    "Your cross-entropy sums the pixels of each image and averages over the images. It dwarfs the Dice part, which "
    "never exceeds 1, the more the larger the image. Look at the number that you divide by.",
    (ENTROPY, f"target[0].numel() * {ENTROPY}"),
)

edit(
    "the cross-entropy of each pixel",
    "Your cross-entropy is one number for each pixel, and so is the whole loss. The task asks for a single one. Look "
    "at how each of the two parts becomes one number.",
    ("bce_with_logits", "_cross_entropy"),
)

edit(
    "the logarithm of the sigmoid",
    "Your cross-entropy takes the sigmoid first and its logarithm after. For a logit of 10 000 that is the logarithm "
    "of 0, and one such pixel turns the whole loss into NaN or infinity. Look at your `bce_with_logits`.",
    (ENTROPY, "-(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()"),
    first("p = torch.sigmoid(logits)"),
)

edit(
    "a cross-entropy that levels off",
    "Your cross-entropy works on probabilities that are cut off, as `binary_cross_entropy` without the logits does. "
    "Past that point it stops growing and its gradient is 0, so the pixels that are most wrong are never corrected. "
    "Look at what it is given: logits or probabilities?",
    (ENTROPY, "torch.nn.functional.binary_cross_entropy(torch.sigmoid(logits), target)"),
)

edit(
    "a number without its gradient",
    "The value is right, but it has lost its history: `.item()`, `float()`, `.detach()`, numpy and `no_grad` all cut "
    "it. `loss.backward()` needs the tensor as it came out of the computation. Look at your last lines.",
    ("return ", "return float("),
    (ENTROPY, f"{ENTROPY})"),
)


@variant("everything written out")
def written_out(logits, target, dice_weight=0.5):
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    dice = 1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    entropy = F.softplus(logits) - logits * target
    return dice.mean() * dice_weight + entropy.mean() * (1 - dice_weight)


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
