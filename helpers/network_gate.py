"""The gate for networks that a student brings: one image goes through before anything long begins.

Images `(N, C, H, W)` go in, logits `(N, K, H, W)` come out. A network that does otherwise is told here, in these words
and not in those of a layer deep inside. Parameters, buffers, modes and random numbers are afterwards as they were.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Concatenate, ParamSpec

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.augment_gate import check_augment
from helpers.data.gate import (
    GateError,
    Taken,
    as_image,
    channels,
    is_unscaled,
    kind,
    same_random_numbers,
    say,
    sentence,
    warn,
)
from helpers.data.pairs import IGNORE
from helpers.errors import called_as
from helpers.eval_mode import eval_mode
from helpers.loss_gate import check_ignored, check_loss
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
    taken[0].check_scale(taken[1], augment is not None and check_augment(augment, image, mask))
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
        lowest, highest = (float(x) for x in taken.aminmax())
        if is_unscaled(lowest, highest):
            reach = f"goes to {highest:.4g}" if highest > -lowest else f"begins at {lowest:.4g}"
            warn(f"This image {reach}; images go from 0 to 1. Divide it as in training.")
        check_module(model)
        side = inspect.signature(predict).bind(model, taken, *args, **options).arguments.get("tile")
        seen = taken
        if side is not None and not _has_channels_last(model, taken):
            seen = taken.new_zeros(len(taken), side, side)
        try:
            logits = predict(model, taken, *args, **options)
        except Exception:
            logits_of(model, seen)
            _check_turned(model, seen)
            raise
        if logits.ndim != 3 or logits.shape[1:] != taken.shape[1:]:
            logits_of(model, seen)
        return logits

    return called_as(f"{predict.__name__}({', '.join(inspect.signature(predict).parameters)})")(checked)


def _check_turned(model: nn.Module, image: Tensor) -> None:
    """Raise GateError where a network takes an image, and not the same one turned by a quarter."""
    _, height, width = image.shape
    try:
        logits_of(model, image.rot90(1, (1, 2)))
    except GateError as error:
        raise GateError(
            f"{_name(model)} takes this image of {height} × {width} as it is, and not turned by a quarter, to {width} "
            f"× {height}. Give square images, such as tiles, or leave out what turns them. It says: {error}"
        ) from error.__cause__


def check_network(model: Any) -> None:
    """Raise GateError unless `model` is a network that can be called, with parameters."""
    check_module(model)
    if next(model.parameters(), None) is None:
        raise GateError(f"{_name(model)} has no parameters, so it has nothing to learn and no device to run on.")


def check_module(model: Any) -> None:
    """Raise GateError unless `model` is a module that can be called."""
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
                f"{sentence(error)} Mend what its `forward` does where `self.training` is true."
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
            f"{LARGE} go through. {sentence(error)} Give larger images, crops or tiles, or a network of less depth."
        )
    if side := next((side for side in sides if _goes(model, image.new_zeros(c, *side))), None):
        return (
            f"{said}, and takes {side[0]} × {side[1]}: {sentence(error)} Give images of that size "
            f"(`data.load(..., tile={side[0]})`), or make the network for yours."
        )
    multiple = next((m for m in (2, 4, 8, 16, 32, 64) if h % m or w % m), 0)
    up = [-(-side // 64) * 64 for side in (h, w)]
    if multiple and _goes(model, image.new_zeros(c, *up)):
        return (
            f"{said}, and takes {up[0]} × {up[1]}: {sentence(error)} Give images, crops or tiles whose sides it "
            "can halve."
        )
    return f"{said}: {sentence(error)} Mend its `forward`, or make the network for {channels(c)} and {h} × {w} pixels."


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


def _name(model: nn.Module) -> str:
    return f"The network {code(type(model).__name__)}"
