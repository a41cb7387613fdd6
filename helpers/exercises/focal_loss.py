"""Lesson 08: `focal_loss(logits, target, gamma=2.0, alpha=0.25)`."""

import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.checks.shared import certain_logits, logits_and_targets
from helpers.exercises import exercise, misconception, variant
from helpers.reference.losses import focal_loss


@exercise(
    focal_loss,
    lesson="08_losses",
    concept="Focal loss",
    points=4,
    minutes=8,
    difficulty=3,
    hints=[
        "Start from the cross-entropy of each pixel, before the mean. Everything else is a factor for each pixel.",
        "p_t is the probability that the prediction gives to what is true there: p on an object, 1 - p on background. "
        "Choosing between two numbers by a target of 0 or 1 is a sum of two products.",
        "Three factors a pixel: the weight of its class (`alpha` or the rest to 1), how far p_t is from 1, to the "
        "power of `gamma`, and the cross-entropy, from a formula that survives ±10 000.",
    ],
    task=(
        "The focal loss of Lin et al. (2017), mean over all pixels: each pixel's cross-entropy times `(1 - p_t)` to "
        "the power of `gamma`, times `alpha` on object and `1 - alpha` on background pixels. Logits and float targets "
        "(0.0 or 1.0) have one shape, such as `(N, 1, H, W)`. The loss and its gradient are finite for logits of ±10 "
        "000 too."
    ),
)
def probes(draw):
    """Logits and targets of one shape. The first is one object pixel with p = 3/4: 0.25 · (1/4)² · log(4/3)."""
    yield Call((torch.tensor([[[[3.0]]]]).log(), torch.ones(1, 1, 1, 1)), gradients=(0,))
    yield from certain_logits()
    for k, (logits, target) in enumerate(logits_and_targets(draw)):
        settings = {"gamma": draw.uniform(0.5, 1.5), "alpha": draw.uniform(0.55, 0.9)} if k % 2 else {}
        yield Call((logits, target), settings, gradients=(0,))
    logits, target = 2 * draw.normal(2, 1, 3, 5), (draw.normal(2, 1, 3, 5) > 0).float()
    yield Call((logits, target), {"gamma": 0.0, "alpha": 0.7}, gradients=(0,))
    yield Call((logits, target), {"gamma": 1.0}, gradients=(0,))
    n, c, h = 2, draw.size(2, 3), draw.size(2, 4)  # more than one channel
    yield Call((2 * draw.normal(n, c, h, h + 1), (draw.normal(n, c, h, h + 1) > 0).float()), gradients=(0,))


def _entropy(logits, target):
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none")


def _p_t(logits, target):
    p = torch.sigmoid(logits)
    return p * target + (1 - p) * (1 - target)


def _alpha_t(target, alpha):
    return alpha * target + (1 - alpha) * (1 - target)


@misconception(
    "alpha on the wrong class",
    "You gave `alpha` to the background and the rest to the objects. In the paper `alpha` belongs to class 1. "
    "Look at which of the two weights meets `target` and which meets `1 - target`.",
)
def alpha_swapped(logits, target, gamma=2.0, alpha=0.25):
    return focal_loss(logits, target, gamma, 1 - alpha)


@misconception(
    "alpha left out",
    "Your loss does not use `alpha`: objects and background weigh the same, so wherever objects are rare the "
    "background sets the direction. Look at the fourth argument.",
)
def alpha_left_out(logits, target, gamma=2.0, alpha=0.25):
    return ((1 - _p_t(logits, target)) ** gamma * _entropy(logits, target)).mean()


@misconception(
    "alpha on both classes",
    "You multiplied all pixels by `alpha`. A factor that is the same everywhere balances nothing, it only scales the "
    "loss. Look at what a background pixel should be multiplied by.",
)
def alpha_everywhere(logits, target, gamma=2.0, alpha=0.25):
    return alpha * ((1 - _p_t(logits, target)) ** gamma * _entropy(logits, target)).mean()


@misconception(
    "alpha on the object pixels only",
    "You multiplied object pixels by `alpha` and left background pixels at 1, so with the default the background "
    "weighs four times as much instead of three. Look at what a background pixel should be multiplied by.",
)
def alpha_on_objects(logits, target, gamma=2.0, alpha=0.25):
    weight = torch.where(target == 1, alpha, 1.0)
    return (weight * (1 - _p_t(logits, target)) ** gamma * _entropy(logits, target)).mean()


@misconception(
    "alpha fixed at 0.25",
    "You wrote the default into the formula, so the argument `alpha` changes nothing. Look at the constants in your "
    "class weights.",
)
def alpha_fixed(logits, target, gamma=2.0, alpha=0.25):
    return focal_loss(logits, target, gamma)


@misconception(
    "divided by the sum of the weights",
    "You divided by the sum of the class weights. The result is then a weighted mean, and for an image of one class "
    "`alpha` cancels out. Look at the number you divide by: the task says mean over all pixels.",
)
def weighted_mean(logits, target, gamma=2.0, alpha=0.25):
    weight = _alpha_t(target, alpha)
    return (weight * (1 - _p_t(logits, target)) ** gamma * _entropy(logits, target)).sum() / weight.sum()


@misconception(
    "divided by the number of object pixels",
    "You divided by the number of object pixels. The paper's detector does so with its boxes, and the loss then jumps "
    "with the size of the objects. Look at the number you divide by: the task says mean over all pixels.",
)
def per_object_pixel(logits, target, gamma=2.0, alpha=0.25):
    return focal_loss(logits, target, gamma, alpha) * target.numel() / target.sum().clamp(min=1)


@misconception(
    "gamma as a factor",
    "You multiplied by `gamma` where it belongs in the exponent. An easy pixel then keeps far too much of its loss, "
    "and `gamma=0` switches everything off instead of giving cross-entropy. Look at what you do with `1 - p_t`.",
)
def gamma_factor(logits, target, gamma=2.0, alpha=0.25):
    return (_alpha_t(target, alpha) * gamma * (1 - _p_t(logits, target)) * _entropy(logits, target)).mean()


@misconception(
    "gamma fixed at 2",
    "You squared, so the argument `gamma` changes nothing. Look at the constants in your exponents.",
)
def gamma_fixed(logits, target, gamma=2.0, alpha=0.25):
    return focal_loss(logits, target, 2.0, alpha)


@misconception(
    "cross-entropy without the focus",
    "Your loss is a cross-entropy with class weights: nothing makes the easy pixels count for less. Look at where "
    "`gamma` comes in.",
)
def no_focus(logits, target, gamma=2.0, alpha=0.25):
    return (_alpha_t(target, alpha) * _entropy(logits, target)).mean()


@misconception(
    "the easy pixels in focus",
    "You raised p_t itself to the power of `gamma`. Pixels that are right already then count most, and those that are "
    "wrong almost nothing. Look at the factor: for which p_t should it be near 0?",
)
def easy_in_focus(logits, target, gamma=2.0, alpha=0.25):
    return (_alpha_t(target, alpha) * _p_t(logits, target) ** gamma * _entropy(logits, target)).mean()


@misconception(
    "p in place of p_t",
    "Your factor uses the probability of *object* for every pixel. On background it then favours the pixels that are "
    "right already. Look at what p_t is where the target is 0.",
)
def p_for_p_t(logits, target, gamma=2.0, alpha=0.25):
    factor = (1 - torch.sigmoid(logits)) ** gamma
    return (_alpha_t(target, alpha) * factor * _entropy(logits, target)).mean()


@misconception(
    "the logarithm of the wrong probability",
    "Your logarithm takes the probability of what is *not* there. The better the prediction, the larger that "
    "cross-entropy. Look at which probability stands in the logarithm, and which in the factor.",
)
def wrong_log(logits, target, gamma=2.0, alpha=0.25):
    return (_alpha_t(target, alpha) * (1 - _p_t(logits, target)) ** gamma * _entropy(logits, 1 - target)).mean()


@misconception(
    "the classes swapped",
    "You mixed up p and 1 - p: p_t is that of the class that is *not* there, in the factor and in the logarithm. The "
    "better the prediction, the larger the loss. Look at what p_t is where the target is 1.",
)
def classes_swapped(logits, target, gamma=2.0, alpha=0.25):
    return focal_loss(-logits, target, gamma, alpha)


@misconception(
    "the focus on the mean",
    "You took the mean of the cross-entropy first and applied the factor to that one number. Easy and hard pixels are "
    "mixed by then, and none counts for less. Look at the order: the factor is one of each pixel.",
)
def focus_on_mean(logits, target, gamma=2.0, alpha=0.25):
    mean = F.binary_cross_entropy_with_logits(logits, target)
    return (_alpha_t(target, alpha) * (1 - torch.exp(-mean)) ** gamma * mean).mean()


@misconception(
    "p_t from a weighted cross-entropy",
    "You multiplied the cross-entropy by the class weight and then computed p_t from the product. exp(-·) of a "
    "weighted loss is no probability any more, so the focus is wrong. Look at which comes first, the weight or p_t.",
)
def p_t_weighted(logits, target, gamma=2.0, alpha=0.25):
    weighted = _alpha_t(target, alpha) * _entropy(logits, target)
    return ((1 - torch.exp(-weighted)) ** gamma * weighted).mean()


@misconception(
    "only the object pixels cost something",
    'Your loss has one term, for the pixels of the object. A prediction that says "object" everywhere then costs '
    "nothing. Look at what a background pixel adds to the sum.",
)
def object_only(logits, target, gamma=2.0, alpha=0.25):
    return (alpha * target * (1 - _p_t(logits, target)) ** gamma * _entropy(logits, target)).mean()


@misconception(
    "the factor cut off from the gradient",
    "The value is right, but you computed the factor with `detach()` or `no_grad`, as a constant. Its own slope is "
    "part of the loss's gradient and is missing now. Look at where the gradient is cut.",
)
def factor_detached(logits, target, gamma=2.0, alpha=0.25):
    factor = ((1 - _p_t(logits, target)) ** gamma).detach()
    return (_alpha_t(target, alpha) * factor * _entropy(logits, target)).mean()


@misconception(
    "the logarithm of the sigmoid",
    "You take the sigmoid first and its logarithm after. For a logit of 10 000 the logarithm is that of 0, and one "
    "such pixel turns the loss or its gradient into NaN or infinity. Look at your `bce_with_logits`: how did it avoid "
    "that?",
)
def log_of_sigmoid(logits, target, gamma=2.0, alpha=0.25):
    p_t = _p_t(logits, target)
    return -(_alpha_t(target, alpha) * (1 - p_t) ** gamma * torch.log(p_t)).mean()


@misconception(
    "a loss that levels off",
    "You cut the probabilities off, or added an epsilon in the logarithm. No NaN any more, but beyond that point the "
    "loss stops growing and its gradient is 0, so the pixels that are most wrong are never corrected. Look at your "
    "`bce_with_logits`: nothing is cut off there.",
)
def levels_off(logits, target, gamma=2.0, alpha=0.25):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    p_t = p * target + (1 - p) * (1 - target)
    return -(_alpha_t(target, alpha) * (1 - p_t) ** gamma * torch.log(p_t)).mean()


@misconception(
    "the sigmoid applied twice",
    "You gave probabilities to a formula that expects logits, so the sigmoid is applied twice. All probabilities end "
    "up between 0.5 and 0.73, and nothing is ever easy. Look at what each function you call expects.",
)
def sigmoid_twice(logits, target, gamma=2.0, alpha=0.25):
    return focal_loss(torch.sigmoid(logits), target, gamma, alpha)


@misconception(
    "the sigmoid missing in the factor",
    "You computed p_t from the logits as they are. They are any real number, so `1 - p_t` may be negative or large, "
    "and a power of it is NaN or huge. Look at what turns a logit into a probability.",
)
def sigmoid_missing(logits, target, gamma=2.0, alpha=0.25):
    p_t = logits * target + (1 - logits) * (1 - target)
    return (_alpha_t(target, alpha) * (1 - p_t) ** gamma * _entropy(logits, target)).mean()


@misconception(
    "sum instead of mean",
    "You summed over the pixels. The loss then grows with the size of the image and of the batch, and a learning rate "
    "that works for one size is wrong for the next. Look at your last step.",
)
def summed(logits, target, gamma=2.0, alpha=0.25):
    return focal_loss(logits, target, gamma, alpha) * logits.numel()


@misconception(
    "the sign is missing",
    "Your loss is negative, and the worse the prediction, the smaller it gets: training would make everything wrong. "
    "A logarithm of a probability is never positive. Look at the sign in front.",
)
def sign_missing(logits, target, gamma=2.0, alpha=0.25):
    return -focal_loss(logits, target, gamma, alpha)


@misconception(
    "a number without its gradient",
    "The value is right, but it has lost its history: `.item()`, `float()`, `.detach()`, numpy and `no_grad` all cut "
    "it. `loss.backward()` needs the tensor as it came out of the computation. Look at your last lines.",
)
def detached(logits, target, gamma=2.0, alpha=0.25):
    return focal_loss(logits, target, gamma, alpha).item()


@variant("from the library's cross-entropy")
def from_library(logits, target, gamma=2.0, alpha=0.25):
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (_alpha_t(target, alpha) * (1 - _p_t(logits, target)) ** gamma * entropy).mean()


@variant("p_t from the cross-entropy")
def p_t_from_entropy(logits, target, gamma=2.0, alpha=0.25):
    entropy = F.softplus(logits) - logits * target
    p_t = torch.exp(-entropy)
    weight = torch.where(target > 0.5, alpha, 1 - alpha)
    return torch.mean(weight * torch.pow(1 - p_t, gamma) * entropy)


@variant("one term a class")
def term_by_term(logits, target, gamma=2.0, alpha=0.25):
    p = logits.sigmoid()
    on_object = -alpha * (1 - p) ** gamma * F.logsigmoid(logits)
    on_background = -(1 - alpha) * p**gamma * F.logsigmoid(-logits)
    return (target * on_object + (1 - target) * on_background).mean()


@variant("with a signed logit")
def signed(logits, target, gamma=2.0, alpha=0.25):
    x = (2 * target - 1) * logits
    weight = (1 - alpha) + (2 * alpha - 1) * target
    return -(weight * torch.sigmoid(-x) ** gamma * F.logsigmoid(x)).sum() / x.numel()


@variant("object and background pixels apart")
def apart(logits, target, gamma=2.0, alpha=0.25):
    total = 0
    for x, weight in ((logits[target == 1], alpha), (-logits[target == 0], 1 - alpha)):
        total = total + weight * (torch.sigmoid(-x) ** gamma * F.softplus(-x)).sum()
    return total / logits.numel()
