"""Running a student's model on images so that nothing of it changes, and saying where it raised."""

from __future__ import annotations

import contextlib
import linecache
import random
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from helpers.errors import CallError, InputError
from helpers.eval_mode import eval_mode
from helpers.markup import code

NOT_THEIRS = str(Path(__file__).parent), str(Path(torch.__file__).parent)  # no files of the student


def check_model(model: Any) -> None:
    """Raise a `TypeError` about anything that cannot be run on an image."""
    if isinstance(model, type):
        raise CallError(f"{model.__name__} is a class. Make one first, such as {model.__name__}(...), and pass that.")
    if not callable(model):
        raise CallError(f"Expected a module or a function that takes an image, got {type(model).__name__}.")


def prepared(image: Any, model: Any) -> Tensor:
    """A copy of an image, `(N, C, H, W)`, where and in the number type the model works.

    Raises:
        ValueError: it is no float tensor of three or four dimensions.
    """
    if not isinstance(image, Tensor) or image.ndim not in (3, 4) or not image.is_floating_point():
        got = f"{image.dtype} {tuple(image.shape)}" if isinstance(image, Tensor) else type(image).__name__
        raise InputError(f"Expected an image as a float tensor (N, C, H, W) or (C, H, W), got {got}.")
    image = image.detach().as_subclass(Tensor)
    image = image[None] if image.ndim == 3 else image
    like = next(iter(model.parameters()), None) if isinstance(model, nn.Module) else None
    return image.to(like).clone() if like is not None and like.is_floating_point() else image.clone()


@contextlib.contextmanager
def unharmed(model: Any) -> Iterator[None]:
    """Evaluation mode for what is inside; afterwards all is as it was."""
    network = model if isinstance(model, nn.Module) else nn.Module()
    modules = list(network.modules())
    stores: list[dict[str, Any]] = [store for module in modules for store in (module._parameters, module._buffers)]
    kept = [(store, name, t, t.detach().clone()) for store in stores for name, t in store.items() if t is not None]
    state = random.getstate()
    with torch.random.fork_rng(range(torch.cuda.device_count())), eval_mode(network):
        try:
            yield
        finally:
            with torch.no_grad():
                for store, name, tensor, copy in kept:
                    store[name] = tensor
                    if not _same(tensor, copy):
                        tensor.copy_(copy)
            random.setstate(state)


def _same(a: Tensor, b: Tensor) -> bool:
    return torch.equal(a, b) or bool(((a == b) | (a.isnan() & b.isnan())).all())


def in_one_sentence(error: Exception) -> str:
    """What was raised, and at which line of the student's."""
    said = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {code(said[0])}" if said else type(error).__name__
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(NOT_THEIRS)]
    in_notebook = [f for f in frames if "ipykernel" in f.filename or f.filename.startswith("<ipython")]
    for frame in [*in_notebook[-1:], *frames[-1:]]:
        line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
        if line:
            return f"{text}, at {code(line)}."
    return f"{text}."


def tensors(value: Any) -> Iterator[Tensor]:
    """All tensors in what a model takes or gives: alone, in lists or in dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for v in value.values() if isinstance(value, dict) else value:
            yield from tensors(v)


def first_image(given: Tensor) -> Tensor:
    """`(C, H, W)` of the first image, of a result `(N, C, H, W)` or `(N, H, W)`."""
    return given[0] if given.ndim == 4 else given[:1]
