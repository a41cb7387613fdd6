"""Lesson 08: `focal_loss(logits, target, gamma=2.0, alpha=0.25)`."""

import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.checks.shared import certain_logits, logits_and_targets
from helpers.exercises import edits_of, exercise, variant
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
        "Three factors per pixel: the weight of its class (`alpha` or `1 - alpha`), the distance of p_t from 1 to "
        "the power of `gamma`, and the cross-entropy, from a formula that survives ±10 000.",
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
    target = torch.tensor([[[[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]]])
    wrong = 60 * (1 - 2 * target)  # here `exp` is still finite, and the sigmoid 1 already
    yield Call((wrong, target), label="logits of ±60, all on the wrong side", gradients=(0,), view=_in_words)
    for k, (logits, target) in enumerate(logits_and_targets(draw)):
        settings = {"gamma": draw.uniform(0.5, 1.5), "alpha": draw.uniform(0.55, 0.9)} if k % 2 else {}
        yield Call((logits, target), settings, gradients=(0,))
    logits, target = 2 * draw.normal(2, 1, 3, 5), (draw.normal(2, 1, 3, 5) > 0).float()
    yield Call((logits, target), {"gamma": 0.0, "alpha": 0.7}, gradients=(0,))
    yield Call((logits, target), {"gamma": 1.0}, gradients=(0,))
    n, c, h = 2, draw.size(2, 3), draw.size(2, 4)  # more than one channel
    yield Call((2 * draw.normal(n, c, h, h + 1), (draw.normal(n, c, h, h + 1) > 0).float()), gradients=(0,))


edit = edits_of(focal_loss)


def _in_words(loss, args):
    """Where an answer levels off is left open here: that is what the logits of ±10 000 are for."""
    return "between 1 and 1000" if 1 < loss < 1000 else loss


FACTOR = "torch.exp(-gamma * miss)"  # a power of 1 - p_t; the cross-entropy is `hit`


def start(line):
    """The change that puts a line before the first one."""
    return "    hit =", f"    {line}\n    hit ="


edit(
    "alpha on the wrong class",
    "You gave `alpha` to the background and the rest to the objects. In the paper `alpha` belongs to class 1. "
    "Look at which of the two weights meets `target` and which meets `1 - target`.",
    start("alpha = 1 - alpha"),
)

edit(
    "alpha left out",
    "Your loss does not use `alpha`: objects and background weigh the same, so wherever objects are rare the "
    "background sets the direction. Look at the fourth argument.",
    ("alpha_t * ", ""),
)

edit(
    "alpha on both classes",
    "You multiplied all pixels by `alpha`. A factor that is the same everywhere balances nothing, it only scales the "
    "loss. Look at what a background pixel should be multiplied by.",
    ("alpha_t * ", "alpha * "),
)

edit(
    "alpha on the object pixels only",
    "You multiplied object pixels by `alpha` and left background pixels at 1, so with the default the background "
    "weighs four times as much instead of three. Look at what a background pixel should be multiplied by.",
    ("(1 - alpha) * (1 - target)", "(1 - target)"),
)

edit(
    "alpha on the background pixels only",
    "You multiplied background pixels by `1 - alpha` and left object pixels at 1. Look at what an object pixel should "
    "be multiplied by.",
    ("alpha * target +", "target +"),
)

edit(
    "alpha fixed at 0.25",
    "You wrote the default into the formula, so the argument `alpha` changes nothing. Look at the constants in your "
    "class weights.",
    start("alpha = 0.25"),
)

edit(
    "divided by the sum of the weights",
    "You divided by the sum of the class weights. The result is then a weighted mean, and for an image of one class "
    "`alpha` cancels out. Look at the number you divide by: the task says mean over all pixels.",
    ("mean()", "sum() / alpha_t.sum()"),
)

edit(
    "divided by the number of object pixels",
    "You divided by the number of object pixels. The paper's detector does so with its boxes, and the loss then jumps "
    "with the size of the objects. Look at the number you divide by: the task says mean over all pixels.",
    ("mean()", "sum() / target.sum().clamp(min=1)"),
)

edit(
    "gamma as a factor",
    "You multiplied by `gamma` where it belongs in the exponent. An easy pixel then keeps far too much of its loss, "
    "and `gamma=0` switches everything off instead of giving cross-entropy. Look at what you do with `1 - p_t`.",
    (FACTOR, "gamma * torch.exp(-miss)"),
)

edit(
    "one minus the power",
    "You raised p_t to the power of `gamma` and took one minus that. The power belongs around the whole of `1 - p_t`, "
    "and only then are easy pixels turned down the more the larger `gamma` is. Look at your brackets.",
    (FACTOR, "(1 - torch.exp(-gamma * hit))"),
)

edit(
    "the power of the whole pixel",
    "You raised the factor and the cross-entropy together to the power of `gamma`. The power belongs to `1 - p_t` "
    "alone. Look at your brackets.",
    (f"{FACTOR} * hit", "(torch.exp(-miss) * hit) ** gamma"),
)

edit(
    "the power of a negative number on background",
    "Your factor is a power of `target - p`, which is negative on background. With `gamma` = 2 nobody notices; with 1 "
    "the loss is negative there, and with a fraction NaN. Look at how you compute the distance from p to the truth.",
    (FACTOR, "(target - torch.sigmoid(logits)) ** gamma"),
)

edit(
    "the power of a negative number on objects",
    "Your factor is a power of `p - target`, which is negative on objects. With `gamma` = 2 nobody notices; with 1 "
    "the loss is negative there, and with a fraction NaN. Look at how you compute the distance from p to the truth.",
    (FACTOR, "(torch.sigmoid(logits) - target) ** gamma"),
)

edit(
    "gamma fixed at 2",
    "You squared, so the argument `gamma` changes nothing. Look at the constants in your exponents.",
    start("gamma = 2.0"),
)

edit(
    "cross-entropy without the focus",
    "Your loss is a cross-entropy with class weights: nothing makes the easy pixels count for less. Look at where "
    "`gamma` comes in.",
    (f"{FACTOR} * ", ""),
)

edit(
    "the easy pixels in focus",
    "You raised p_t itself to the power of `gamma`. Pixels that are right already then count most, and those that are "
    "wrong almost nothing. Look at the factor: for which p_t should it be near 0?",
    ("-gamma * miss", "-gamma * hit"),
)

edit(
    "p in place of p_t",
    "Your factor uses the probability of *object* for every pixel. On background it then favours the pixels that are "
    "right already. Look at what p_t is where the target is 0.",
    ("_cross_entropy(logits, 1 - target)", "torch.nn.functional.softplus(logits)"),
)

edit(
    "the logarithm of the wrong probability",
    "Your logarithm takes the probability of what is *not* there. The better the prediction, the larger that "
    "cross-entropy. Look at which probability stands in the logarithm, and which in the factor.",
    (f"{FACTOR} * hit", f"{FACTOR} * miss"),
)

edit(
    "the classes swapped",
    "You mixed up p and 1 - p: p_t is that of the class that is *not* there, in the factor and in the logarithm. The "
    "better the prediction, the larger the loss. Look at what p_t is where the target is 1.",
    start("logits = -logits"),
)

edit(
    "the focus on the mean",
    "You took the mean of the cross-entropy first and applied the factor to that one number. Easy and hard pixels are "
    "mixed by then, and none counts for less. Look at the order: the factor is one of each pixel.",
    ("(logits, target)", "(logits, target).mean()"),
    (FACTOR, "(1 - torch.exp(-hit)) ** gamma"),
)

edit(
    "p_t from a weighted cross-entropy",
    "You multiplied the cross-entropy by the class weight and then computed p_t from the product. exp(-·) of a "
    "weighted loss is no longer a probability, so the focus is wrong. Look at which comes first, the weight or p_t.",
    ("    return (alpha_t * ", "    hit = alpha_t * hit\n    return ("),
    (FACTOR, "(1 - torch.exp(-hit)) ** gamma"),
)

edit(
    "only the object pixels cost something",
    'Your loss has one term, for the pixels of the object. A prediction that says "object" everywhere then costs '
    "nothing. Look at what a background pixel adds to the sum.",
    ("alpha * target + (1 - alpha) * (1 - target)", "alpha * target"),
)

edit(
    "only the background pixels cost something",
    "Your loss has one term, for the background. A prediction that finds no object at all then costs nothing. Look at "
    "what an object pixel adds to the sum.",
    ("alpha * target + (1 - alpha) * (1 - target)", "(1 - alpha) * (1 - target)"),
)

edit(
    "the factor cut off from the gradient",
    "The value is right, but you computed the factor with `detach()` or `no_grad`, as a constant. Its own slope is "
    "part of the loss's gradient and is missing now. Look at where the gradient is cut.",
    (FACTOR, f"{FACTOR}.detach()"),
)

edit(
    "the logarithm of the sigmoid",
    "You take the sigmoid first and its logarithm after. For a logit of 10 000 the logarithm is that of 0, and one "
    "such pixel turns the loss or its gradient into NaN or infinity. Look at your `bce_with_logits`: how did it avoid "
    "that?",
    ("_cross_entropy(logits, target)", "-torch.log(p * target + (1 - p) * (1 - target))"),
    start("p = torch.sigmoid(logits)"),
)

edit(
    "the logarithm of the sigmoid, one term a class",
    "You take the sigmoid first and its logarithm after, once for each class. For a logit of 10 000 one of the two is "
    "the logarithm of 0, and 0 times that is NaN, even where the prediction is right. Look at your `bce_with_logits`: "
    "how did it avoid that?",
    ("_cross_entropy(logits, target)", "-(target * torch.log(p) + (1 - target) * torch.log(1 - p))"),
    start("p = torch.sigmoid(logits)"),
)

edit(
    "the exponential overflows",
    "Your formula is right on paper, but for a logit of 10 000 on the wrong side `exp` overflows to infinity, and the "
    "loss with it. Look at your `bce_with_logits`: which sign did the exponent have there?",
    ("_cross_entropy(logits, target)", "torch.log(1 + torch.exp((1 - 2 * target) * logits))"),
)

edit(
    "the exponential overflows for a large logit",
    "Your formula is right on paper, but for a logit of 10 000 `exp` overflows to infinity, and the loss with it, "
    "even where the prediction is right. Look at your `bce_with_logits`: which sign did the exponent have there?",
    ("_cross_entropy(logits, target)", "torch.log(1 + torch.exp(logits)) - logits * target"),
    (FACTOR, "(1 - torch.exp(-hit)) ** gamma"),
)

edit(
    "a loss that levels off",
    "You cut the probabilities off, or added an epsilon in the logarithm. No NaN any more, but beyond that point the "
    "loss stops growing and its gradient is 0, so the pixels that are most wrong are never corrected. Look at your "
    "`bce_with_logits`: nothing is cut off there.",
    ("_cross_entropy(logits, target)", "-torch.log(p * target + (1 - p) * (1 - target))"),
    start("p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)"),
)

edit(
    "the sigmoid applied twice",
    "You gave probabilities to a formula that expects logits, so the sigmoid is applied twice. All probabilities end "
    "up between 0.5 and 0.73, and nothing is ever easy. Look at what each function you call expects.",
    start("logits = torch.sigmoid(logits)"),
)

edit(
    "the sigmoid missing in the factor",
    "You computed p_t from the logits as they are. They are any real number, so `1 - p_t` may be negative or large, "
    "and a power of it is NaN or huge. Look at what turns a logit into a probability.",
    (FACTOR, "(1 - logits * target - (1 - logits) * (1 - target)) ** gamma"),
)

edit(
    "sum instead of mean",
    "You summed over the pixels. The loss then grows with the size of the image and of the batch, and a learning rate "
    "that works for one size is wrong for the next. Look at your last step.",
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
    "the sign is missing",
    "Your loss is negative, and the worse the prediction, the smaller it gets: training would make everything wrong. "
    "A logarithm of a probability is never positive. Look at the sign in front.",
    ("return ", "return -"),
)

edit(
    "a number without its gradient",
    "The value is right, but it has lost its history: `.item()`, `float()`, `.detach()`, numpy and `no_grad` all cut "
    "it. `loss.backward()` needs the tensor as it came out of the computation. Look at your last lines.",
    ("mean()", "mean().item()"),
)


@variant("p_t from the cross-entropy")
def p_t_from_entropy(logits, target, gamma=2.0, alpha=0.25):
    entropy = F.softplus(logits) - logits * target
    p_t = torch.exp(-entropy)
    weight = torch.where(target > 0.5, alpha, 1 - alpha)
    return torch.mean(weight * torch.pow(1 - p_t, gamma) * entropy)


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
