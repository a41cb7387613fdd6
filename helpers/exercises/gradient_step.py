"""Lesson 03: `gradient_step(x, truth, w, b, lr)`."""

import math

import torch
import torch.nn.functional as F

from helpers.exercises import edits_of, exercise, variant
from helpers.reference.modules import gradient_step


@exercise(
    gradient_step,
    lesson="03_modules",
    concept="Gradient",
    points=3,
    minutes=7,
    difficulty=2,
    hints=[
        "Three things in a row: the probability of each pixel, its error (probability less truth), and the two means "
        "that are the gradient.",
        "`torch.sigmoid` makes probabilities of the logits `w * x + b`. The gradient by `b` is the mean of the errors. "
        "By `w` it is the mean of each error times its own `x`.",
        "The new value is the old one *minus* `lr` times its gradient. Work out both gradients before either number "
        "moves, and write `w - …`, not `w -= …`: the `w` you were given stays as it is.",
    ],
    task=(
        "One step of gradient descent. The logits are `w * x + b`, the loss is the mean binary cross-entropy over all "
        "pixels. `x` and `truth` are float tensors of the same shape, truth 0 or 1; `w` and `b` are tensors of one "
        "number, or floats, and `lr` is a float. Return the new `w` and the new `b`, in this order. By the formula or "
        "by autograd, as you like."
    ),
)
def probes(draw):
    """One pixel and two first, to be worked out by hand. Then more, in a row and as a picture.

    The values of `x` are not centred, so that the gradients by `w` and by `b` differ; truths are mixed, all 0, all 1.
    """
    one, zero = torch.tensor(1.0), torch.tensor(0.0)
    yield torch.tensor([2.0]), torch.tensor([1.0]), zero, zero, 1.0
    yield torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]), zero, one, 2.0
    yield torch.tensor([0.5, 2.0, 3.0]), torch.tensor([0.0, 0.0, 1.0]), torch.tensor(-1.5), torch.tensor(0.5), 0.25
    yield 1 + draw.normal(10), draw.mask(1, 10)[0].float(), draw.normal(), draw.normal(), 0.1
    yield draw.normal(3, 4) - 0.5, draw.mask(3, 4).float(), draw.normal(), draw.normal(), 3.0
    yield 1 + draw.normal(8), torch.zeros(8), draw.normal(), draw.normal(), draw.uniform(0.5, 2)
    yield 1 + draw.normal(8), torch.ones(8), draw.normal(), draw.normal(), draw.uniform(0.5, 2)
    h, w = draw.size(2, 9), draw.size(2, 9)
    # mild logits: an answer by the logarithm of `1 - p` has few digits left where p is nearly 1
    yield draw.normal(h, w), draw.mask(h, w, 0.3).float(), draw.normal(), draw.normal(), draw.uniform(0.1, 2)


edit = edits_of(gradient_step)
NEW_W, NEW_B = "w - lr * (error * x).mean()", "b - lr * error.mean()"

edit(
    "uphill",
    "Your step goes *up*: the loss grows with it. The gradient points to where the loss grows, so you walk against it. "
    "Look at the sign before `lr`, and at which of probability and truth you take from the other.",
    ("- truth", "- truth\n    lr = -lr"),
)

edit(
    "w goes uphill",
    "`b` is right and `w` moves the wrong way: the loss grows where its gradient is positive. Look at the sign before "
    "`lr` in the line of `w`.",
    ("w - lr", "w + lr"),
)

edit(
    "b goes uphill",
    "`w` is right and `b` moves the wrong way: the loss grows where its gradient is positive. Look at the sign before "
    "`lr` in the line of `b`.",
    ("b - lr", "b + lr"),
)

edit(
    "b stays where it was",
    "`w` makes its step and `b` stays. Both are learned: `-b / w` is the threshold, and it has to move too. Look at "
    "the second number you return.",
    (NEW_B, "b.clone()"),
)

edit(
    "w stays where it was",
    "`b` makes its step and `w` stays. Both are learned, `w` by the mean of each error times its `x`. Look at the "
    "first number you return.",
    (NEW_W, "w.clone()"),
)

edit(
    "nothing moves",
    "You return the `w` and `b` that you were given. Look for where the gradients are taken off.",
    (NEW_W, "w.clone()"),
    (NEW_B, "b.clone()"),
)

edit(
    "sums instead of means",
    "Your gradients are sums over the pixels, so with twice as many pixels the step is twice as long. The loss is a "
    "*mean*, and so is its gradient. Look at how you put the pixels together.",
    ("(error * x).mean()", "(error * x).sum()"),
    ("error.mean()", "error.sum()"),
)

edit(
    "no sigmoid",
    "You take the truth off the logit itself. A logit can be any number; the error is the *probability* less the "
    "truth. Look at what lies between `w * x + b` and the subtraction.",
    ("torch.sigmoid(w * x + b)", "(w * x + b)"),
)

edit(
    "a decision instead of a probability",
    "You turn each logit into 0 or 1 before you compare. Pixels on the right side then count nothing, however close to "
    "the threshold they are. Look at what you take the truth off: it should be a probability.",
    ("torch.sigmoid(w * x + b)", "(w * x + b > 0).float()"),
)

edit(
    "sigmoid twice",
    "You take the sigmoid twice, so all your probabilities lie between 0.5 and 0.73. A loss *with logits* takes it for "
    "you. Look at what you give to it.",
    ("torch.sigmoid(w * x + b)", "torch.sigmoid(torch.sigmoid(w * x + b))"),
)

edit(
    "the gradient of w lacks x",
    "`w` moves as `b` does. A logit changes with `w` by `x`: a pixel with `x = 0` does not depend on `w` at all. Look "
    "at what each error is multiplied by before the mean.",
    ("(error * x).mean()", "error.mean()"),
)

edit(
    "the gradient of b has an x too many",
    "`b` moves as `w` does. `b` is added to each logit as it is, so its gradient is the mean of the errors alone. Look "
    "at what you multiply there.",
    (NEW_B, "b - lr * (error * x).mean()"),
)

edit(
    "the mean error times the mean of x",
    "You multiply two means. Each error belongs to *its* pixel: multiply pixel by pixel first, then take the mean. "
    "Look at the order in the gradient of `w`.",
    ("(error * x).mean()", "error.mean() * x.mean()"),
)

edit(
    "squared error instead of cross-entropy",
    "Your gradient is that of the squared error of the probabilities. It vanishes where a pixel is surely wrong, so "
    "such pixels hardly learn. Look at the name of your loss.",
    ("- truth", "- truth\n    error = 2 * error * (error + truth) * (1 - error - truth)"),
)

edit(
    "lr ignored",
    "You go a full gradient far, whatever `lr` says. Look at what the gradient is multiplied by.",
    ("- truth", "- truth\n    lr = 1.0"),
)

edit(
    "only the direction counts",
    "Your step is `lr` long wherever you are. The gradient also says *how steep* it is: near the bottom it is small, "
    "and so should the step be. Look for a `sign` or a norm.",
    ("(error * x).mean()", "(error * x).mean().sign()"),
    ("error.mean()", "error.mean().sign()"),
)

edit(
    "b from the new w",
    "You move `w` first, and work out the gradient of `b` with the new `w`. Both belong to the same place: where the "
    "step begins. Look at the order of your lines.",
    ("    return", "    new = w - lr * (error * x).mean()\n    error = torch.sigmoid(new * x + b) - truth\n    return"),
    ("return w - lr * (error * x).mean()", "return new"),
)

edit(
    "w from the new b",
    "You move `b` first, and work out the gradient of `w` with the new `b`. Both belong to the same place: where the "
    "step begins. Look at the order of your lines.",
    ("    return", "    new = b - lr * error.mean()\n    error = torch.sigmoid(w * x + new) - truth\n    return"),
    (", b - lr * error.mean()", ", new"),
)

edit(
    "two steps",
    "You make two steps. One is asked for; the lesson makes many by calling you many times. Look for a loop, or for a "
    "gradient that is added to an old one.",
    ("    return", "    w, b = " + NEW_W + ", " + NEW_B + "\n    error = torch.sigmoid(w * x + b) - truth\n    return"),
)

edit(
    "the gradients instead of the new numbers",
    "You return the gradients. The caller goes on with what you return as the new `w` and `b`. Look at your last line.",
    (NEW_W, "(error * x).mean()"),
    (NEW_B, "error.mean()"),
)

edit(
    "the change instead of the new numbers",
    "You return the change, not `w` and `b` after it. Look at what the change should be added to.",
    (NEW_W, "-lr * (error * x).mean()"),
    (NEW_B, "-lr * error.mean()"),
)

edit(
    "b before w",
    "You return the two the other way round: first the new `w`, then the new `b`. Look at your last line.",
    (f"{NEW_W}, {NEW_B}", f"{NEW_B}, {NEW_W}"),
)

edit(
    "b is missing in the logits",
    "Your logits are `w * x`: where all `x` are 0, `b` alone decides. Look at your first line.",
    ("w * x + b)", "w * x)"),
)

edit(
    "background counts nothing",
    "Only the pixels of nuclei move your numbers. The background has to be right as well, or everything becomes "
    "nucleus. Look at which pixels enter the means.",
    ("- truth", "- truth\n    error = error * truth"),
)

edit(
    "what was given is changed",
    "The `w` and `b` of the caller have changed: `-=` works in place, on the tensor you were given. Look at where you "
    "assign.",
    ("    return", "    by_w, by_b = (error * x).mean(), error.mean()\n    return"),
    (NEW_W, "w.sub_(lr * by_w).clone()"),
    (NEW_B, "b.sub_(lr * by_b).clone()"),
)


@variant("by autograd")
def by_autograd(x, truth, w, b, lr):
    w, b = w.clone().requires_grad_(), b.clone().requires_grad_()
    F.binary_cross_entropy_with_logits(w * x + b, truth).backward()
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
    return w.detach(), b.detach()


@variant("by autograd, and an optimizer")
def by_an_optimizer(x, truth, w, b, lr):
    w, b = torch.nn.Parameter(w.clone()), torch.nn.Parameter(b.clone())
    optimizer = torch.optim.SGD([w, b], lr=lr)
    loss = torch.nn.BCEWithLogitsLoss()(x * w + b, truth)
    loss.backward()
    optimizer.step()
    return w, b


@variant("pixel by pixel, as plain numbers")
def in_a_loop(x, truth, w, b, lr):
    by_w, by_b = 0.0, 0.0
    for value, y in zip(x.flatten().tolist(), truth.flatten().tolist(), strict=True):
        error = 1 / (1 + math.exp(-(float(w) * value + float(b)))) - y
        by_w, by_b = by_w + error * value, by_b + error
    return float(w) - lr * by_w / x.numel(), float(b) - lr * by_b / x.numel()


@variant("from the loss written out")
def loss_written_out(x, truth, w, b, lr):
    w = w.detach().clone().requires_grad_(True)
    b = b.detach().clone().requires_grad_(True)
    p = 1 / (1 + torch.exp(-(w * x + b)))
    loss = -(truth * torch.log(p) + (1 - truth) * torch.log(1 - p)).mean()
    by_w, by_b = torch.autograd.grad(loss, (w, b))
    return torch.stack([w.detach() - lr * by_w, b.detach() - lr * by_b]).unbind()
