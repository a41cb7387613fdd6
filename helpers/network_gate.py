"""The gate for networks that a student brings: one image goes through before anything long begins.

Images `(N, C, H, W)` go in, logits `(N, K, H, W)` come out. A network that does otherwise is told here, in these words
and not in those of a layer deep inside. Parameters, buffers, modes and random numbers are afterwards as they were.
"""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Concatenate, ParamSpec

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.data.gate import (
    NO_IMAGE,
    GateError,
    Taken,
    about,
    as_image,
    channels,
    kind,
    same_random_numbers,
    say,
    warn,
)
from helpers.data.pairs import IGNORE
from helpers.errors import called_as
from helpers.eval_mode import eval_mode
from helpers.markup import code

# What a network may end with that bounds its logits, by the name autograd has for it, and what it gives.
ENDS = {
    "SigmoidBackward0": ("a sigmoid", "probabilities from 0 to 1"),
    "SoftmaxBackward0": ("a softmax", "probabilities from 0 to 1"),
    "HardsigmoidBackward0": ("a hard sigmoid", "probabilities from 0 to 1"),
    "TanhBackward0": ("a tanh", "numbers from -1 to 1"),
    "ReluBackward0": ("a ReLU", "nothing below 0"),
}
# What only moves numbers to other places: the end is looked for above them.
MOVES = (
    "View",
    "Reshape",
    "Slice",
    "Permute",
    "Transpose",
    "Clone",
    "ToCopy",
    "Squeeze",
    "Unsqueeze",
    "Alias",
    "AsStrided",
)
# What a loss may take in place of logits (N, K, H, W) and masks (N, H, W), as a student would write it.
OTHERWISE: dict[str, Callable[[Callable[..., Tensor], Tensor, Tensor], Tensor]] = {
    "loss(logits, masks[:, None])": lambda loss, x, y: loss(x, y[:, None]),
    "loss(logits[:, 0], masks.float())": lambda loss, x, y: loss(x[:, 0], y.float()),
    "loss(logits, masks[:, None].float())": lambda loss, x, y: loss(x, y[:, None].float()),
    "loss(logits, F.one_hot(masks, logits.shape[1]).movedim(-1, 1).float())": lambda loss, x, y: loss(
        x, F.one_hot(y, x.shape[1]).movedim(-1, 1).float()
    ),
}
ALIKE = 0.5  # correlation, at least, of an augmented picture of a mask with the augmented mask
AUGMENTED = 4  # times that an augmentation is tried, as it may do another thing each time
MIXED = 0.02  # of the range of a loss: what it may be larger for several images than for each alone
SURE = 10.0  # a logit, of a sigmoid of 0.99995
LARGE = 256  # pixels on a side, of an image that is tried where a smaller one does not go through
NORMS = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm)


def ready_to_train(
    model: nn.Module,
    train: Any,
    validation: Any,
    loss: Callable[[Tensor, Tensor], Tensor],
    crop: int | None,
    batch_size: int,
    augment: Callable[..., Any] | None = None,
) -> tuple[Taken, Taken]:
    """Both sets of pairs as `fit` works with them, and with this network, this loss and this batch.

    Raises:
        GateError: they do not go together.
    """
    check_network(model)
    check_layers(model)
    taken = Taken(train, "training pairs"), Taken(validation, "validation pairs")
    taken[0].check_apart(taken[1])
    image, mask = taken[0].first()
    if crop is not None:
        image, mask = image[:, :crop, :crop], mask[:crop, :crop]
    logits = logits_of(model, image, grad=True)
    if not logits.requires_grad and any(p.requires_grad for p in model.parameters()):
        raise GateError(
            f"{_name(model)} gives logits without a gradient: its `forward` detaches them, or runs under `no_grad`. "
            "Leave that out, or nothing can be learned."
        )
    for pairs in taken:
        pairs.check_values(max(logits.shape[1], 2))
        pairs.check_drawing()
        pairs.check_range()
    logits_of(model, taken[1].first()[0])
    bounded = check_ends(model, logits)
    check_loss(loss, logits, mask, bounded)
    check_batch_norm(model, image, batch_size)
    check_training(model, image, batch_size, logits.shape[1])
    if augment is not None:
        check_augment(augment, image, mask)
    if (unlabelled := taken[0].holding(IGNORE)) is not None:
        logits = logits_of(model, unlabelled[0])
        check_loss(loss, logits, unlabelled[1], bounded)
        check_ignored(loss, logits, unlabelled[1])
    return taken


P = ParamSpec("P")


def takes_an_image(predict: Callable[Concatenate[nn.Module, Tensor, P], Tensor]) -> Callable[..., Tensor]:
    """`predict(model, image, ...)` for whatever is given as an image, and with words of ours where it raises."""

    @functools.wraps(predict)
    def checked(model: nn.Module, image: Tensor, *args: P.args, **options: P.kwargs) -> Tensor:
        try:
            taken, notes = as_image(image)
        except GateError as error:
            batch = " Give one image of a batch, `image[0]`." if getattr(image, "ndim", 0) == 4 else ""
            raise GateError(f"This is {error}. An image is (C, H, W), from 0 to 1.{batch}") from None
        if notes:
            say(notes)
        if not bool(taken.isfinite().all()):
            raise GateError(f"{int((~taken.isfinite()).sum())} values of this image are no finite numbers. Mend them.")
        if float(taken.max()) > NO_IMAGE:
            warn(f"This image goes to {float(taken.max()):.4g}; images go from 0 to 1. Divide it as in training.")
        check_network(model)
        side = inspect.signature(predict).bind(model, taken, *args, **options).arguments.get("tile")
        seen = taken
        if side is not None and not _has_channels_last(model, taken):
            seen = taken.new_zeros(len(taken), side, side)
        try:
            logits = predict(model, taken, *args, **options)
        except Exception:
            logits_of(model, seen)
            raise
        if logits.ndim != 3 or logits.shape[1:] != taken.shape[1:]:
            logits_of(model, seen)
        return logits

    return called_as(f"{predict.__name__}({', '.join(inspect.signature(predict).parameters)})")(checked)


def check_network(model: Any) -> None:
    """Raise GateError unless `model` is a network that can be called, with parameters."""
    if isinstance(model, type):
        raise GateError(
            f"{code(model.__name__)} is a class and no network yet. Make one, such as "
            f"`{model.__name__}(in_channels, num_classes)`."
        )
    if not isinstance(model, nn.Module):
        raise GateError(f"The network is a {type(model).__name__}, and has to be an `nn.Module`.")
    if hasattr(model, "_orig_mod"):
        raise GateError(f"{_name(model)} is compiled. Give the network itself: `model._orig_mod`.")
    if any(p.is_meta for p in model.parameters()):
        raise GateError(
            f"{_name(model)} has no numbers yet: it was made on the device 'meta'. Make it on 'cpu', or give it some "
            "with `to_empty` and its weights."
        )
    if next(model.parameters(), None) is None:
        raise GateError(f"{_name(model)} has no parameters, so it has nothing to learn and no device to run on.")


def check_layers(model: nn.Module) -> None:
    """Warn of layers that the network does not know, since they are in a list or a dict of Python's."""
    known = {*model.modules()}
    for name, module in model.named_modules():
        for attribute, value in vars(module).items():
            held = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
            if any(isinstance(one, nn.Module) and one not in known and any(one.parameters()) for one in held):
                kept = "ModuleDict" if isinstance(value, dict) else "ModuleList"
                where = f"{name}.{attribute}" if name else attribute
                warn(
                    f"{_name(model)} holds layers in a {type(value).__name__}, {code(where)}: it does not know them, "
                    f"so they are not trained, not moved to a GPU and not saved. Put them into an `nn.{kept}`."
                )


def check_augment(augment: Callable[..., Any], image: Tensor, mask: Tensor) -> None:
    """Raise GateError unless `augment(image, mask, generator)` gives such a pair, of one size, and leaves its own."""
    called = code(getattr(augment, "__name__", type(augment).__name__))
    rule = (
        "It is called with an image (C, H, W) of float32, its mask (H, W) of int64 and a `torch.Generator`, and has to "
        "give both back: `def augment(image, mask, generator): ...; return image, mask`."
    )
    sizes = set()
    for seed in range(AUGMENTED):
        pair = image.clone(), mask.clone()
        with same_random_numbers():
            try:
                given = augment(*pair, torch.Generator().manual_seed(seed))
            except Exception as error:  # of whatever kind, from their own code
                raise GateError(f"augment={called} cannot be called: {_sentence(error)} {rule}") from error
        if not (isinstance(given, tuple | list) and len(given) == 2 and all(isinstance(one, Tensor) for one in given)):
            raise GateError(f"augment={called} gives {about(given)}. {rule}")
        new, labels = given
        what = f"an image {tuple(new.shape)} of {kind(new)} and a mask {tuple(labels.shape)} of {kind(labels)}"
        if new.ndim != 3 or len(new) != len(image) or new.shape[1:] != labels.shape or new.dtype != image.dtype:
            raise GateError(f"augment={called} gives {what}. {rule}")
        if labels.dtype != mask.dtype or not {*labels.unique().tolist()} <= {*mask.unique().tolist(), 0, IGNORE}:
            raise GateError(
                f"augment={called} gives {what} with values that were not in it. {rule} Masks are turned and cut, or "
                "resized with `mode='nearest'`, never mixed."
            )
        if not (torch.equal(pair[0], image) and torch.equal(pair[1], mask)):
            raise GateError(
                f"augment={called} writes into the pair that it is given, so the pair is another the next time. Make "
                "a new one: `image = image * 1.2` for `image *= 1.2`."
            )
        sizes.add("×".join(map(str, labels.shape)))
    if len(sizes) > 1:
        raise GateError(f"augment={called} gives sizes of {' and '.join(sorted(sizes))}, and a batch needs one size.")
    if _parts_the_pair(augment, image, mask):
        raise GateError(
            f"augment={called} moves an image otherwise than its mask, or leaves nothing of it. Draw each random "
            "number once, for both. Transforms of torchvision know which is which by their types: "
            "`transform(tv_tensors.Image(image), tv_tensors.Mask(mask))`."
        )


def _parts_the_pair(augment: Callable[..., Any], image: Tensor, mask: Tensor) -> bool:
    """Whether of a picture of its mask something else comes back than a picture of the mask that comes back."""
    height, width = mask.shape
    shape = torch.zeros_like(mask)  # turned or mirrored, it is elsewhere
    shape[height // 16 : height // 4, 5 * width // 16 : width // 2] = 1
    for seed in range(2 * AUGMENTED):
        with same_random_numbers(), suppress(Exception):  # it may take pictures of another kind only
            torch.manual_seed(seed)
            image = shape.float().expand(len(image), -1, -1)
            new, labels = augment(image, shape.clone(), torch.Generator().manual_seed(seed))
            both = torch.stack([new.mean(0).as_subclass(Tensor), (labels == 1).as_subclass(Tensor).float()])
            both = F.avg_pool2d(both * (labels != IGNORE).as_subclass(Tensor), max(1, min(labels.shape) // 16)).flatten(
                1
            )
            if (
                2 * both[1].sum() > shape.sum() / (height * width) * both[1].numel()
                and not abs(float(torch.corrcoef(both)[0, 1])) > ALIKE
            ):
                return True
    return False


def logits_of(model: nn.Module, image: Tensor, grad: bool = False) -> Tensor:
    """What the network makes of one image, in evaluation mode.

    Args:
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`.
        image: float32 `(C, H, W)`.
        grad: keep what a gradient needs.

    Returns:
        Logits `(1, K, H, W)` where the network's parameters are, as large as the image.

    Raises:
        GateError: it raises something, or what it gives are no logits of the image.
    """
    with _as_it_was(model):
        try:
            logits = _run(model, image, grad)
        except GateError:
            raise
        except Exception as error:  # of whatever kind, from whichever layer
            raise GateError(_why(model, image, error)) from error
    _check_logits(model, logits, image)
    return logits


def check_ends(model: nn.Module, logits: Tensor) -> bool:
    """Warn where the network ends in something that bounds its logits, as its graph shows; whether it does."""
    step = logits.grad_fn
    while step is not None and any(step.name().startswith(name) for name in MOVES):
        step = step.next_functions[0][0] if step.next_functions else None
    if step is not None and step.name() in ENDS:
        end, gives = ENDS[step.name()]
        warn(
            f"{_name(model)} ends in {end}, so it gives {gives}. Losses and scores here take logits, any number, and "
            "apply sigmoid or softmax themselves: leave it out at the end."
        )
        return True
    return False


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
        raise GateError(f"{called} cannot take {given}: {_sentence(error)} {advice}".rstrip()) from error
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
        raise GateError(f"{called} has no gradient for {given}: {_sentence(error)} {advice}".rstrip()) from error
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
    spread = MIXED * abs(wrong - right)
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


def check_batch_norm(model: nn.Module, image: Tensor, batch_size: int) -> None:
    """Raise GateError where a batch of images like this leaves a norm one value a channel, in training."""
    found: list[str] = []

    def note(name: str) -> Callable[..., None]:
        def hook(layer: nn.Module, args: tuple[Any, ...]) -> None:
            alone = batch_size if isinstance(layer, nn.modules.batchnorm._BatchNorm) else 1
            if args and isinstance(args[0], Tensor) and args[0].shape[2:].numel() * alone == 1:
                found.append(name)

        return hook

    hooks = [m.register_forward_pre_hook(note(name)) for name, m in model.named_modules() if isinstance(m, NORMS)]
    try:
        with _as_it_was(model):
            _run(model, image, False)
    finally:
        for hook in hooks:
            hook.remove()
    if found:
        height, width = image.shape[1:]
        raise GateError(
            f"In a batch of {batch_size} with images of {height} × {width}, {code(found[0])} gets one value a channel, "
            "and the mean of one value is itself: nothing is left after the norm. Give a batch_size of 2 or more, "
            "larger images, or a network of less depth."
        )


def check_training(model: nn.Module, image: Tensor, batch_size: int, classes: int) -> None:
    """Raise GateError where the network gives something else in training, as with deep supervision."""
    number, (height, width) = min(batch_size, 2), image.shape[1:]
    batch, device = image.repeat(number, 1, 1, 1), next(model.parameters()).device
    with _as_it_was(model), torch.no_grad():
        model.train()
        try:
            given = model(batch.to(device))
        except Exception as error:
            raise GateError(
                f"{_name(model)} takes images {tuple(batch.shape)} in evaluation mode, and not in training: "
                f"{_sentence(error)} Mend what its `forward` does where `self.training` is true."
            ) from error
    wanted = (number, classes, height, width)
    if isinstance(given, Tensor) and given.shape == wanted:
        return
    several = isinstance(given, Tensor) and given.ndim == 5
    what = f"{kind(given)} {tuple(given.shape)}" if isinstance(given, Tensor) else _of(given)
    which = "[:, 0]" if several else "" if isinstance(given, Tensor) else _logits_in(given, image)
    raise GateError(
        f"{_name(model)} gives {what} of images {tuple(batch.shape)} in training, and logits {wanted} in evaluation "
        "mode. The loss takes logits in both. "
        + (
            "Turn its deep supervision off, or wrap it: a module whose `forward` returns "
            f"`self.network(x){which} if self.training else self.network(x)`."
            if which
            else "Let its `forward` do the same in both."
        )
    )


def _of(given: Any) -> str:
    """`a dict of 'out', 'aux'`."""
    return f"a dict of {', '.join(map(repr, given))}" if isinstance(given, dict) else f"a {type(given).__name__}"


def _logits_in(given: Any, image: Tensor) -> str:
    """How to take the logits out of several results: the first that has the image's size, else the first."""
    if not isinstance(given, tuple | list | dict) or not given:
        return ""
    named = dict(given) if isinstance(given, dict) else dict(enumerate(given))
    fit = [k for k, x in named.items() if isinstance(x, Tensor) and x.ndim == 4 and x.shape[2:] == image.shape[1:]]
    return f"[{next(iter(fit or named))!r}]"


def _run(model: nn.Module, image: Tensor, grad: bool) -> Any:
    device = next((p.device for p in model.parameters()), image.device)
    given = image[None].to(device, copy=True)
    with torch.set_grad_enabled(grad):
        logits = model(given)
    if not torch.equal(given, image[None].to(device)):
        raise GateError(
            f"{_name(model)} changes the image that it is given, in place, so it is another the next time. Write "
            "`x = x - 0.5` for `x -= 0.5`, and no `inplace=True` in its first layer."
        )
    return logits


def _check_logits(model: nn.Module, logits: Any, image: Tensor) -> None:
    shapes = "Images (N, C, H, W) go in, logits (N, K, H, W) have to come out, one for each class in each pixel."
    if isinstance(logits, tuple | list | dict):
        which = _logits_in(logits, image)
        raise GateError(
            f"{_name(model)} gives {_of(logits)}. {shapes} Wrap it: a module whose `forward` returns "
            f"`self.network(x){which}`."
        )
    if not isinstance(logits, Tensor):
        raise GateError(f"{_name(model)} gives a {type(logits).__name__}. {shapes}")
    given = f"{_name(model)} makes {kind(logits)} {tuple(logits.shape)} of an image {tuple(image[None].shape)}"
    if not logits.is_floating_point():
        raise GateError(f"{given}: whole numbers, as after `argmax`. {shapes} Leave the `argmax` out.")
    if logits.ndim != 4 or len(logits) != 1:
        whole = " It classifies whole images; take a network for segmentation." if logits.ndim == 2 else ""
        raise GateError(f"{given}. {shapes}{whole}")
    if logits.shape[2:] != image.shape[1:]:
        if logits.shape[1:3] == image.shape[1:]:
            raise GateError(f"{given}, with the classes last. {shapes} Put them first: `logits.permute(0, 3, 1, 2)`.")
        (h, w), (height, width) = logits.shape[2:], image.shape[1:]
        raise GateError(
            f"{given}: {h} × {w} pixels of {height} × {width}. {shapes} "
            + (_enlarging(model, logits, image) if h <= height and w <= width else "Crop the logits to the image.")
        )
    if not bool(logits.isfinite().all()):
        number = int((~logits.isfinite()).sum())
        raise GateError(f"{given} with {number} that are no finite numbers. Look at its weights.")


def _enlarging(model: nn.Module, logits: Tensor, image: Tensor) -> str:
    """What to do about logits that are smaller than the image."""
    missing = [whole - part for whole, part in zip(image.shape[1:], logits.shape[2:], strict=True)]
    top, left = (number // 2 for number in missing)
    sides = f"({left}, {missing[1] - left}, {top}, {missing[0] - top})"
    if all(whole % part == 0 for whole, part in zip(image.shape[1:], logits.shape[2:], strict=True)):
        return (
            "It strides without going up again, so enlarge the logits: a module whose `forward` returns "
            "`F.interpolate(self.network(x), x.shape[2:], mode='bilinear')`."
        )
    larger = F.pad(image, (left, missing[1] - left, top, missing[0] - top))
    with suppress(Exception), _as_it_was(model):
        if _run(model, larger, False).shape[2:] == image.shape[1:]:
            return (
                "Its convolutions do not pad. Pad in them (`padding='same'`), or the image: a module whose `forward` "
                f"returns `self.network(F.pad(x, {sides}, mode='reflect'))`."
            )
    return (
        "Pad its convolutions (`padding='same'`), or fill the logits up: a module whose `forward` returns "
        f"`F.pad(self.network(x), {sides})`."
    )


def _why(model: nn.Module, image: Tensor, error: Exception) -> str:
    """What a network that raised has against the image, as far as trying shows."""
    c, h, w = image.shape
    dtype = next((p.dtype for p in model.parameters()), torch.float32)
    if dtype != torch.float32 and _goes(model, image.to(dtype)):
        name = str(dtype).removeprefix("torch.")
        return f"{_name(model)} has weights of {name}, and images are float32. Give `model.float()`."
    said = f"{_name(model)} cannot take an image {tuple(image[None].shape)}"
    wanted = _channels_wanted(model) or c
    if _has_channels_last(model, image):
        return f"{said}, with the channels last. Put them first: `image.permute(2, 0, 1)`."
    sides = _sides(error)
    if wanted != c and any(_goes(model, image.new_zeros(wanted, *size)) for size in [(h, w), *sides]):
        return (
            f"{said}: the images have {channels(c)}, and its first convolution takes {wanted}. Make the network for "
            f"{channels(c)}" + (f", or the images fit: `{_fitting(c, wanted)}`." if _fitting(c, wanted) else ".")
        )
    if max(h, w) < LARGE and _goes(model, image.new_zeros(c, LARGE, LARGE)):
        return (
            f"{said}: {h} × {w} pixels are too few for its depth, or no multiple of what it halves to; {LARGE} × "
            f"{LARGE} go through. {_sentence(error)} Give larger images, crops or tiles, or a network of less depth."
        )
    if side := next((side for side in sides if _goes(model, image.new_zeros(c, *side))), None):
        return (
            f"{said}, and takes {side[0]} × {side[1]}: {_sentence(error)} Give images of that size "
            f"(`data.load(..., tile={side[0]})`), or make the network for yours."
        )
    multiple = next((m for m in (2, 4, 8, 16, 32, 64) if h % m or w % m), 0)
    up = [-(-side // 64) * 64 for side in (h, w)]
    if multiple and _goes(model, image.new_zeros(c, *up)):
        return (
            f"{said}, and takes {up[0]} × {up[1]}: {_sentence(error)} Give images, crops or tiles whose sides it "
            "can halve."
        )
    return f"{said}: {_sentence(error)} Mend its `forward`, or make the network for {channels(c)} and {h} × {w} pixels."


def _sides(error: Exception) -> list[tuple[int, int]]:
    """Sizes of images that an error may ask for: the larger numbers in it."""
    found = dict.fromkeys(int(number) for number in re.findall(r"\d+", str(error)))
    return [(side, side) for side in found if 16 < side <= 4 * LARGE][:4]


def _channels_wanted(model: nn.Module) -> int | None:
    """Channels that the first convolution takes."""
    return next((m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d)), None)


def _has_channels_last(model: nn.Module, image: Tensor) -> bool:
    return image.shape[2] <= 4 < min(image.shape[:2]) and _channels_wanted(model) != len(image)


def _goes(model: nn.Module, image: Tensor) -> bool:
    try:
        _run(model, image, False)
    except Exception:
        return False
    return True


def _fitting(c: int, wanted: int) -> str:
    if c == 1:
        return f"image.expand({wanted}, -1, -1)"
    return "image.mean(0, keepdim=True)" if wanted == 1 else ""


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


@contextmanager
def _as_it_was(model: nn.Module) -> Iterator[None]:
    """Evaluation mode; afterwards modes, buffers and random numbers are as they were."""
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with same_random_numbers(), eval_mode(model):
            yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)


def _sentence(error: Exception) -> str:
    """The first line of an error, with one full stop."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0].strip().rstrip('.')}."


def _name(model: nn.Module) -> str:
    return f"The network {code(type(model).__name__)}"
