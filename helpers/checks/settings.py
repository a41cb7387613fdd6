"""What an answer must leave as it found it, since every later cell uses it: modes, builtins, torch's classes."""

from __future__ import annotations

import builtins
import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

WATCHED: tuple[Any, ...] = (
    *(builtins, np, np.random, random, torch, Tensor, torch.UntypedStorage, nn, nn.functional, nn.Module),
    *(nn.Sequential, nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Upsample),
)

BY_PYTHON = {"__slotnames__"}  # what Python itself notes in a class, when it copies one of its objects


def _leave_modes(number: int) -> None:
    """Leave what `with` or `set_default_device` has put torch's functions into, but for the first of them."""
    while torch._C._len_torch_function_stack() > number:
        torch._C._pop_torch_function_stack()


# What can be read and set, in words.
MODES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "whether torch computes gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "how many threads torch uses": (torch.get_num_threads, torch.set_num_threads),
    "whether torch is deterministic": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
    "what watches or changes calls of torch": (torch._C._len_torch_function_stack, _leave_modes),
    "how NumPy takes errors": (np.geterr, lambda before: np.seterr(**before)),
    "the working directory": (os.getcwd, os.chdir),
}


class Modes:
    """The modes of torch, NumPy and Python at the moment it is made."""

    def __init__(self) -> None:
        self._before = {what: read() for what, (read, _) in MODES.items()}

    def restore(self) -> list[str]:
        """Put back what is another now, and say what."""
        changed = [what for what, (read, _) in MODES.items() if read() != self._before[what]]
        for what in changed:
            MODES[what][1](self._before[what])
        return changed


class Members:
    """What torch and its classes consist of at the moment it is made."""

    def __init__(self) -> None:
        self._members = [dict(vars(thing)) for thing in WATCHED]

    def restore(self) -> list[str]:
        """Put back what is another now, and say what."""
        changed = []
        for thing, before in zip(WATCHED, self._members, strict=True):
            for name, value in before.items() if _differs(thing, before) else ():
                if (now := vars(thing).get(name)) is not value and not _by_torch(value, now):
                    changed.append(f"{thing.__name__}.{name}")
                    setattr(thing, name, value)
            # A class gains nothing by itself, but a module does, when a part of it is first used.
            for name in set(vars(thing)) - set(before) - BY_PYTHON if isinstance(thing, type) else ():
                changed.append(f"{thing.__name__}.{name}")
                delattr(thing, name)
        return changed


def _by_torch(before: Any, now: Any) -> bool:
    """Whether torch itself has wrapped a function of its own, as it does when the first optimizer is made."""
    file = getattr(getattr(now, "__code__", None), "co_filename", "")
    return getattr(now, "__wrapped__", None) is before and file.startswith(os.path.dirname(torch.__file__))


def _differs(thing: Any, before: dict[str, Any]) -> bool:
    try:
        return dict(vars(thing)) != before  # quick: what is identical is not compared further
    except Exception:  # two values that cannot be compared are two
        return True
