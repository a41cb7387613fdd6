"""Lesson 08: `bce_with_logits(logits, target)`."""

import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.checks.shared import certain_logits, logits_and_targets
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.losses import bce_with_logits


# `softplus`, `logsigmoid` and `logaddexp` stay allowed: they are stable pieces to build the loss from, not the loss.
@exercise(
    bce_with_logits,
    lesson="08_losses",
    concept="Binary cross-entropy",
    points=5,
    minutes=10,
    difficulty=3,
    hints=[
        "Write the loss of one pixel with p = sigmoid(x), once for target 1 and once for target 0, and put the formula "
        "of the sigmoid in. What is left of the fraction inside the logarithm?",
        "Both cases share log(1 + exp(x)). For x = 1e4 the exponential overflows: which number has to come out there, "
        "and can you take it out of the logarithm before you exponentiate?",
        "log(1 + exp(x)) is the larger of 0 and x, plus log(1 + exp(·)) with an exponent that is never positive. The "
        "target enters in one more term, a product. The mean comes last.",
    ],
    task=(
        "Binary cross-entropy by hand, from logits and float targets (0.0 or 1.0) of one shape, such as "
        "`(N, 1, H, W)`: a single number, the mean over all pixels. The loss and its gradient are finite for logits of "
        "±10 000 too."
    ),
    forbidden=(
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "cross_entropy",
        "nll_loss",
        "soft_margin_loss",
        "multilabel_soft_margin_loss",
        "sigmoid_focal_loss",
    ),
)
def probes(draw):
    """Logits and targets of one shape. The first can be worked out by hand: (0.127 + 1.313 + 0.049) / 3 = 0.496."""
    yield Call((torch.tensor([[[[2.0, -1.0, -3.0]]]]), torch.tensor([[[[1.0, 1.0, 0.0]]]])), gradients=(0,))
    yield Call((torch.tensor([[[[-1.5]]]]), torch.ones(1, 1, 1, 1)), gradients=(0,))  # one pixel: its sum is its mean
    yield from certain_logits()
    for logits, target in logits_and_targets(draw):
        yield Call((logits, target), gradients=(0,))
    n, c, h = 2, draw.size(2, 3), draw.size(2, 4)  # more than one channel
    yield Call((2 * draw.normal(n, c, h, h + 1), (draw.normal(n, c, h, h + 1) > 0).float()), gradients=(0,))


edit = edits_of(bce_with_logits)


LOSS = "_cross_entropy(logits, target)"  # of each pixel
LOGARITHMS = "-(target * torch.log(p) + (1 - target) * torch.log(1 - p))"
HALVES = "target / target.sum().clamp(min=1) / 2 + (1 - target) / (1 - target).sum().clamp(min=1) / 2"


def first(line):
    """The change that puts a line before the last one."""
    return "    return", f"    {line}\n    return"


edit(
    "the logarithm of the sigmoid",
    "You take the sigmoid first and its logarithm after. For a logit of 10 000 the sigmoid rounds to 1, the logarithm "
    "of the rest is that of 0, and one such pixel turns the whole loss into NaN or infinity. Look at what is left "
    "when you put the formula of the sigmoid into the logarithm.",
    (LOSS, LOGARITHMS),
    first("p = torch.sigmoid(logits)"),
)

edit(
    "the exponential overflows",
    "Your formula is right on paper, but for a logit of 10 000 `exp` overflows to infinity, and the loss with it. "
    "Look at which sign the exponent has where, and which number log(1 + exp(x)) comes close to for a large x.",
    (LOSS, "(torch.log(1 + torch.exp(logits)) - logits * target)"),
)

edit(
    "a loss that levels off",
    "You cut logits or probabilities off, or added an epsilon in the logarithm. No NaN any more, but beyond that "
    "point the loss stops growing and its gradient is 0, so the pixels that are most wrong are never corrected. Look "
    "for a formula in which nothing has to be cut off.",
    (LOSS, LOGARITHMS),
    first("p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)"),
)

edit(
    "an epsilon too small for float32",
    "You cut the probabilities off at a number so small that 1 less it is still 1 in float32, so the logarithm of 0 "
    "is there all the same and the loss is NaN or infinite for a logit of 10 000. A larger number would only hide it. "
    "Look for a formula in which nothing has to be cut off.",
    (LOSS, LOGARITHMS),
    first("p = torch.sigmoid(logits).clamp(1e-8, 1 - 1e-8)"),
)

edit(
    "finite loss, NaN gradient",
    "The loss is finite, its gradient is NaN at ±10 000. `torch.where`, `clamp` and `nan_to_num` hide an infinity on "
    "the way forward; on the way back it is multiplied by 0. Look at what you compute before you choose or cut off.",
    (LOSS, "(torch.where(logits > 0, positive, negative) - logits * target)"),
    first("positive = logits + torch.log1p(torch.exp(-logits))"),
    first("negative = torch.log1p(torch.exp(logits))"),
)

edit(
    "the logarithm cut off",
    "You cut the logarithm off after it has become infinite. Beyond that point the loss stops growing, and on the way "
    "back the infinity is multiplied by 0, so the gradient is NaN. Look for a formula in which nothing becomes "
    "infinite.",
    (LOSS, "-(target * torch.log(p).clamp(min=-100) + (1 - target) * torch.log(1 - p).clamp(min=-100))"),
    first("p = torch.sigmoid(logits)"),
)

edit(
    "NaN and infinity replaced",
    "You replace NaN or infinity after it has come up. A pixel that is certain and wrong still makes the loss "
    "infinite, and the gradient is NaN. Look for a formula in which neither comes up.",
    (LOSS, f"({LOGARITHMS}).nan_to_num()"),
    first("p = torch.sigmoid(logits)"),
)

edit(
    "sum instead of mean",
    "You summed over the pixels. The loss, and every gradient, then grows with the size of the image and of the batch, "
    "and a learning rate that works for one size is wrong for the next. Look at your last step.",
    ("mean()", "sum()"),
)

edit(
    "mean over the images only",
    "You summed the pixels of each image and averaged over the images. The loss grows with the size of the image. "
    "Look at the number you divide by: how many terms went into the sum?",
    ("mean()", "sum() / len(logits)"),
)

edit(
    "no mean",
    "You return the loss of each pixel, and the task asks for one number: training can only make a number small. Look "
    "at your last step.",
    (".mean()", ""),
)

edit(
    "one number for each image",
    "You return a loss for each image. The task asks for one number, the mean over all pixels of all images. Look at "
    "the axes that you average over.",
    ("mean()", "mean(dim=(1, 2, 3))"),
)

edit(
    "each class counts half",
    "You average over the object pixels and over the background pixels, and then take the mean of both numbers. So a "
    "pixel of the rarer class counts more than one of the other. The task asks for the mean over all pixels. Look at "
    "what you divide by.",
    ("mean()", "mul(halves).sum()"),
    first(f"halves = {HALVES}"),
)

edit(
    "each class counts half, and one without pixels is NaN",
    "You average over the object pixels and over the background pixels, each by itself. Where an image is all of one "
    "class, the other mean is 0 divided by 0, and elsewhere a pixel of the rarer class counts more. The task asks for "
    "the mean over all pixels. Look at what you divide by.",
    (".mean()", ""),
    ("    return", "    loss ="),
    ("target)\n", "target)\n    return (loss[target == 1].mean() + loss[target == 0].mean()) / 2\n"),
)

edit(
    "the sign is missing",
    "Your loss is negative, and the worse the prediction, the smaller it gets: training would make everything wrong. "
    "A logarithm of a probability is never positive. Look at the sign in front.",
    ("return ", "return -"),
)

edit(
    "the sigmoid is missing",
    "You took the logarithm of the logits themselves. Logits are any real number, and for one below 0 or above 1 the "
    "logarithm is NaN. Look at what has to happen to a logit before it is a probability.",
    (LOSS, LOGARITHMS),
    first("p = logits"),
)

edit(
    "logits cut off to probabilities",
    "You cut the logits off to the range from 0 to 1 and took them for probabilities. Every negative logit becomes the "
    "same number and loses its gradient. Look at the function that maps all real numbers into that range smoothly.",
    (LOSS, LOGARITHMS),
    first("p = logits.clamp(1e-7, 1 - 1e-7)"),
)

edit(
    "the sigmoid applied twice",
    "You applied the sigmoid, and then a formula that contains it already. The logits shrink to the range from 0 to 1, "
    "so even a perfect prediction keeps a loss of 0.3 and more. Look at what your formula expects: logits or "
    "probabilities.",
    first("logits = torch.sigmoid(logits)"),
)

edit(
    "a softmax over one channel",
    "You used a softmax over the channels. With a single channel there is nothing to compare it with: every "
    "probability is 1. Look at how one logit alone becomes the probability of two cases.",
    (LOSS, "-(target * torch.log_softmax(logits, dim=1))"),
)

edit(
    "the classes swapped",
    "You asked for background where the target says object, and the other way round: the better the prediction, the "
    "larger the loss. Look at which logarithm the target is multiplied with.",
    first("target = 1 - target"),
)

edit(
    "the product is added",
    "You add logit times target, and it has to be subtracted: an object pixel then pays more the more certain you "
    "are of it. Look at the sign of that product.",
    (LOSS, "(torch.nn.functional.softplus(logits) + logits * target)"),
)

edit(
    "the target is ignored",
    "The target does not enter your loss: every pixel pays for a high logit, object or not. Look at where you use the "
    "second argument.",
    first("target = torch.zeros_like(target)"),
)

edit(
    "every pixel is asked for the object",
    "Every pixel pays for a low logit, whether the target says object or background. Look at the term for the "
    "background: it needs the logarithm of the *other* probability.",
    first("target = torch.ones_like(target)"),
)

edit(
    "1 minus the logarithm",
    "On background you take 1 minus the logarithm of the probability. It has to be the logarithm of 1 minus the "
    "probability. Look at what stands inside the logarithm there.",
    (LOSS, "-(target * log_p + (1 - target) * (1 - log_p))"),
    first("log_p = torch.nn.functional.logsigmoid(logits)"),
)

edit(
    "logits and target swapped",
    "You treat the target as logits and the logits as the target. Look at the order of the arguments: the network's "
    "output comes first.",
    first("logits, target = target, logits"),
)

edit(
    "only the object pixels cost something",
    'Your loss has one term, for the pixels of the object. A prediction that says "object" everywhere then costs '
    "nothing. Look at what a background pixel adds to the sum.",
    ("mean()", "mul(target).mean()"),
)

edit(
    "divided by the number of object pixels",
    "You divide the sum over all pixels by the number of object pixels. With fewer objects the loss grows, and "
    "without any it is infinite. Look at what you divide by: how many terms went into the sum?",
    ("mean()", "sum() / target.sum()"),
)

edit(
    "only the background pixels cost something",
    "Your loss has one term, for the background. A prediction that finds no object at all then costs nothing. Look at "
    "what an object pixel adds to the sum.",
    ("mean()", "mul(1 - target).mean()"),
)

edit(
    "targets taken for -1 and 1",
    "You put logit times target into log(1 + exp(-·)). That formula is for targets of -1 and 1; with 0 for the "
    "background each such pixel costs log(2), whatever the logit is. Look at what your formula gives for target 0.",
    (LOSS, "torch.nn.functional.softplus(-logits * target)"),
)

edit(
    "the absolute value is missing",
    "The exponent in your logarithm has the wrong sign for negative logits: for -10 000 it overflows, and for moderate "
    "ones part of the loss is counted twice. Look at the sign that the exponent must have for *every* logit.",
    (LOSS, "(logits.clamp(min=0) - logits * target + torch.log1p(torch.exp(-logits)))"),
)

edit(
    "the larger of 0 and the logit is missing",
    "You made the exponent safe, but what you took out of the logarithm has to be added again. As it is, a confident "
    "wrong prediction gets a *negative* loss. Look at log(1 + exp(x)) for a large positive x and compare.",
    (LOSS, "(torch.log1p(torch.exp(-logits.abs())) - logits * target)"),
)

edit(
    "the exponent is never negative",
    "Your exponent is the absolute value itself, so it is never negative: for logits of 10 000 and of -10 000 `exp` "
    "overflows to infinity. Look at the sign in front of the absolute value.",
    (LOSS, "(logits.clamp(min=0) - logits * target + torch.log1p(torch.exp(logits.abs())))"),
)

edit(
    "a 1 too many in the logarithm",
    "You add 1 inside the logarithm twice: `log1p(x)` is log(1 + x) already. A pixel that is right beyond doubt then "
    "costs log(2). Look at the argument of your `log1p`.",
    (LOSS, "(logits.clamp(min=0) - logits * target + torch.log1p(1 + torch.exp(-logits.abs())))"),
)

edit(
    "squared error",
    "You averaged the squared difference of probability and target (the Brier score). It never exceeds 1, and where "
    "the prediction is certain and wrong its gradient is almost 0. Look at the logarithm in the name: *entropy*.",
    (LOSS, "((torch.sigmoid(logits) - target) ** 2)"),
)

edit(
    "fraction of wrong pixels",
    "You counted the pixels on the wrong side of the threshold. A count jumps and has no gradient, so nothing can be "
    "trained with it. Look at where your answer turns probabilities into yes and no.",
    (LOSS, "((logits > 0).float() != target).float()"),
)

edit(
    "a number without its gradient",
    "The value is right, but it has lost its history: `.item()`, `float()`, `.detach()`, numpy and `no_grad` all cut "
    "it. `loss.backward()` needs the tensor as it came out of the computation. Look at your last lines.",
    ("mean()", "mean().item()"),
)

edit(
    "library cross-entropy",
    "The numbers are right, and a library made them: your answer calls PyTorch's own loss. In a project you will, too. "
    "Here the point is to see what it does for logits of ±10 000, so write its formula yourself.",
    (LOSS, "torch.nn.functional.binary_cross_entropy_with_logits(logits, target)"),
)

edit(
    "library cross-entropy on probabilities",
    "You took the sigmoid and called PyTorch's loss for probabilities. It cuts each logarithm off at -100, so for "
    "confident mistakes the loss levels off and the gradient is 0, and it is a library's. Look for a formula that "
    "starts from the logits, and write it yourself.",
    (LOSS, "torch.nn.functional.binary_cross_entropy(torch.sigmoid(logits), target)"),
)

edit(
    "logarithm to base 2",
    "You measured in bits: every number is 1.44 times as large as it should be. Cross-entropy in training uses the "
    "natural logarithm. Look at which `log` you call.",
    ("mean()", "mean() / torch.log(torch.tensor(2.0))"),
)

edit(
    "logarithm to base 10",
    "Every number is 0.43 times as large as it should be: that is the logarithm to base 10. Cross-entropy uses the "
    "natural logarithm. Look at which `log` you call.",
    ("mean()", "mean() / torch.log(torch.tensor(10.0))"),
)


@variant("with a signed logit")
def signed(logits, target):
    wrong = torch.where(target == 1, -logits, logits)  # how far on the wrong side
    return (F.relu(wrong) + torch.log1p(torch.exp(-wrong.abs()))).mean()


@variant("with the maximum taken out of both exponents")
def shifted(logits, target):
    m = (-logits).clamp(min=0)
    return ((1 - target) * logits + m + torch.log(torch.exp(-m) + torch.exp(-logits - m))).mean()


@variant("object and background pixels apart")
def apart(logits, target):
    positive, negative = logits[target == 1], logits[target == 0]
    total = -F.logsigmoid(positive).sum() - F.logsigmoid(-negative).sum()
    return total / (len(positive) + len(negative))


@variant("pixel by pixel")
def pixel_by_pixel(logits, target):
    total = 0
    for x, t in zip(logits.flatten(), target.flatten(), strict=True):
        # `if` on a number of Python: only one branch is ever computed
        log_one_plus_exp = x + torch.log(1 + torch.exp(-x)) if x > 0 else torch.log(1 + torch.exp(x))
        total = total + log_one_plus_exp - x * t
    return total / logits.numel()


@variant("in double precision")
def in_double(logits, target):
    x, t = logits.double(), target.double()
    return torch.stack([F.softplus(a).mean() - (a * b).mean() for a, b in zip(x, t, strict=True)]).mean()
