"""What an answer must leave as it found it: torch's modes and classes, which every later cell uses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

WATCHED: tuple[Any, ...] = (
    *(torch, Tensor, nn, nn.functional, nn.Module, nn.Sequential, nn.Conv2d, nn.ConvTranspose2d),
    *(nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Upsample),
)


class Modes:
    """The modes of torch at the moment it is made."""

    def __init__(self) -> None:
        self._gradients = torch.is_grad_enabled()
        self._dtype = torch.get_default_dtype()

    def restore(self) -> list[str]:
        """Put back what is another now, and say what."""
        changed = []
        if torch.is_grad_enabled() != self._gradients:
            changed.append("whether torch computes gradients")
            torch.set_grad_enabled(self._gradients)
        if torch.get_default_dtype() != self._dtype:
            changed.append("torch's default dtype")
            torch.set_default_dtype(self._dtype)
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
                if vars(thing).get(name) is not value:
                    changed.append(f"{thing.__name__}.{name}")
                    setattr(thing, name, value)
        return changed


def _differs(thing: Any, before: dict[str, Any]) -> bool:
    try:
        return dict(vars(thing)) != before  # quick: what is identical is not compared further
    except Exception:  # two values that cannot be compared are two
        return True
