"""The gate for losses: called once as a student means it, and asked what it makes of right and wrong logits."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.data.gate import GateError, about, kind, sentence, warn
from helpers.data.pairs import IGNORE
from helpers.markup import code

# What a loss may take in place of logits (N, K, H, W) and masks (N, H, W), as a student would write it.
OTHERWISE: dict[str, Callable[[Callable[..., Tensor], Tensor, Tensor], Tensor]] = {
    "loss(logits, masks[:, None])": lambda loss, x, y: loss(x, y[:, None]),
    "loss(logits[:, 0], masks.float())": lambda loss, x, y: loss(x[:, 0], y.float()),
    "loss(logits, masks[:, None].float())": lambda loss, x, y: loss(x, y[:, None].float()),
    "loss(logits, F.one_hot(masks, logits.shape[1]).movedim(-1, 1).float())": lambda loss, x, y: loss(
        x, F.one_hot(y, x.shape[1]).movedim(-1, 1).float()
    ),
}
MIXED = 0.02  # of the range of a loss: what it may be larger for several images than for each alone
SURE = 10.0  # a logit, of a sigmoid of 0.99995


def check_loss(loss: Callable[[Tensor, Tensor], Tensor], logits: Tensor, mask: Tensor, bounded: bool = False) -> None:
    """Raise GateError unless `loss(logits, masks)` is a number that has a gradient.

    Args:
        loss: as `fit` takes it.
        logits: `(1, K, H, W)` of the image.
        mask: int64 `(H, W)`.
        bounded: they are no logits, which has been told.
    """
    called = getattr(loss, "__name__", type(loss).__name__)
    if isinstance(loss, type):
        raise GateError(f"{code(called)} is a class and no loss yet. Make one: {code(f'{called}()')}.")
    if not callable(loss):
        raise GateError(
            f"The loss is {about(loss)}. It has to be a function, which is called as `loss(logits, masks)`."
        )
    number = logits.shape[1] + 1  # another one than of the classes, so that none is taken for the other
    logits, masks = logits.detach().repeat(number, 1, 1, 1), mask.repeat(number, 1, 1).to(logits.device)
    given = f"logits {tuple(logits.shape)} of {kind(logits)} and masks {tuple(masks.shape)} of {kind(masks)}"
    leaf = logits.requires_grad_()
    advice = _advice(loss, logits.shape[1])
    if _takes_probabilities(loss):
        raise GateError(f"{called} takes probabilities. {advice}")
    if isinstance(loss, nn.NLLLoss) and bool((leaf > 0).any()):
        raise GateError(
            f"{called} takes logarithms of probabilities, which are below 0, and these are logits. {advice}"
        )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Using a target size")  # torch repeats what is too little
            value = loss(leaf, masks)
    except Exception as error:
        advice = advice or _otherwise(loss, logits, masks)
        raise GateError(f"{called} cannot take {given}: {sentence(error)} {advice}".rstrip()) from error
    if not isinstance(value, Tensor) or value.numel() != 1 or value.ndim:
        what = f"a tensor {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise GateError(f"{called} gives {what} for {given}; a loss is one number, a 0-d tensor. Take its mean.")
    if not value.requires_grad:
        raise GateError(
            f"{called} gives a number without a gradient: it thresholds, counts or detaches on its way. A loss has to "
            "go from logits to its value by operations that have one."
        )
    if not value.isfinite():
        return  # the first step says so, with the learning rate
    try:
        (slope,) = torch.autograd.grad(value, leaf, allow_unused=True)
    except RuntimeError as error:
        raise GateError(f"{called} has no gradient for {given}: {sentence(error)} {advice}".rstrip()) from error
    if slope is None or not bool(slope.any()):
        raise GateError(f"{called} is {value.item():.3g} whatever the logits are, so nothing can be learned. {advice}")
    _check_sense(loss, called, logits.detach(), mask.to(logits.device), bounded)


def _check_sense(
    loss: Callable[[Tensor, Tensor], Tensor], called: str, logits: Tensor, mask: Tensor, bounded: bool
) -> None:
    """Raise GateError unless the loss is smaller for better logits, and looks at each image with its own mask."""
    number = len(logits)
    masks = torch.stack([mask.roll(k * max(1, mask.shape[1] // 8), 1) for k in range(number)])  # no two alike
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            right, wrong, mild, unsure = (float(loss(by * _sure(logits, masks), masks)) for by in (1, -1, 0.2, 0))
            alone = [float(loss(_sure(logits[:1], one[None]), one[None])) for one in masks]
    except Exception:  # whatever it raises, it takes other logits than these, such as those after a sigmoid
        return
    if right > wrong + 1e-3 * abs(wrong):
        raise GateError(
            f"{called} is {right:.3g} where the logits are right, and {wrong:.3g} where they are wrong. A loss is made "
            "small, so this network would learn the wrong ones. If it is a score, give `1 - score`; else look whether "
            "classes are exchanged in it."
        )
    spread = MIXED * abs(wrong - right) + 1e-3 * abs(right)  # rounding, where right and wrong are one
    if not min(*alone, sum(alone)) - spread <= right <= max(*alone, sum(alone)) + spread:
        k = logits.shape[1]
        axis = "`logits[:, 0]`, or `masks[:, None]`" if k == 1 else "one shape for both"
        raise GateError(
            f"{called} is {max(alone):.3g} where the logits of an image are right, and {right:.3g} where those of "
            f"{number} images are: it holds each mask against other images, too. Logits (N, {k}, H, W) and masks "
            f"(N, H, W) are broadcast to (N, N, H, W). Take {axis}."
        )
    if not bounded and min(right, mild) > unsure + 1e-3 * abs(unsure):  # smooth labels want mild ones
        warn(
            f"{called} is {right:.3g} where the logits are right and far from 0, and {unsure:.3g} where they are 0, "
            "which says nothing. Look whether it takes logits, and puts each class beside its own: classes of masks "
            "become channels by `F.one_hot(masks, number).movedim(-1, 1)`, never by `view`."
        )


def check_ignored(loss: Callable[[Tensor, Tensor], Tensor], logits: Tensor, mask: Tensor) -> None:
    """Warn where a loss counts pixels that have no label: it changes with the logits there.

    Args:
        loss: as `fit` takes it, which `check_loss` has found to be one.
        logits: `(1, K, H, W)` of the image.
        mask: int64 `(H, W)`, with 255 in it.
    """
    masks = mask[None].to(logits.device)
    change = torch.zeros_like(logits)
    change[:, 0] = 3.0 * (masks == IGNORE)
    with torch.no_grad():
        before, after = float(loss(logits, masks)), float(loss(logits + change, masks))
    if abs(after - before) > 1e-4 * max(1.0, abs(before)):
        warn(
            f"{getattr(loss, '__name__', type(loss).__name__)} counts pixels of {IGNORE}, which have no label. Leave "
            "them out of it: `ignore_index=255` where it has that, else logits and masks at `masks != 255` alone."
        )


def _advice(loss: Any, classes: int) -> str:
    """What to give in place of a loss that takes something else."""
    if isinstance(loss, nn.BCEWithLogitsLoss) and classes > 1:
        return "For several classes give `nn.CrossEntropyLoss(ignore_index=255)`."
    if isinstance(loss, nn.BCELoss | nn.NLLLoss):
        return "It takes probabilities. Give one that takes logits, such as `nn.CrossEntropyLoss(ignore_index=255)`."
    if isinstance(loss, nn.CrossEntropyLoss):
        if classes == 1:
            return "It compares classes, and one logit has none beside it: take a network of 2 classes, or no loss=."
        if loss.weight is not None and len(loss.weight) != classes:
            return f"Its `weight` has {len(loss.weight)} numbers, and there are {classes} classes: give one for each."
        if loss.ignore_index != 255:
            return "Pixels of 255 have no label: `nn.CrossEntropyLoss(ignore_index=255)`."
    if _takes_probabilities(loss):
        return "It is made for probabilities, and these are logits: make it with `from_logits=True`, or `softmax=True`."
    return ""


def _otherwise(loss: Any, logits: Tensor, masks: Tensor) -> str:
    """How to call a loss that takes logits or masks in another form, as far as trying shows."""
    for written, call in OTHERWISE.items():
        with suppress(Exception), warnings.catch_warnings():  # whatever a loss raises, it does not take that
            warnings.simplefilter("error")
            right, wrong = (call(loss, sign * _sure(logits, masks), masks) for sign in (1, -1))
            if right.ndim == 0 and float(right) < float(wrong):
                return f"It takes another form: give `lambda logits, masks: {written}`, where `loss` is yours."
    return ""


def _takes_probabilities(loss: Any) -> bool:
    """Whether a loss says so of itself, as those of segmentation-models-pytorch and MONAI do."""
    parts = list(loss.modules()) if isinstance(loss, nn.Module) else [loss]
    says = ("from_logits",), ("sigmoid", "softmax", "other_act")
    return any(
        all(hasattr(part, name) and not getattr(part, name) for name in names) for part in parts for names in says
    )


def _sure(logits: Tensor, masks: Tensor) -> Tensor:
    """Logits of a network that is right, and sure of it, in every pixel with a label."""
    number = logits.shape[1]
    labelled = (masks != IGNORE) & (masks < max(number, 2))
    index = masks.where(labelled, 0)
    right = index[:, None] if number == 1 else F.one_hot(index, number).movedim(-1, 1)
    return (SURE * (2 * right - 1) * labelled[:, None]).to(logits.dtype)
