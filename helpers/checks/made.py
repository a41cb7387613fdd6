"""Arguments that are no plain data: a model, a loader, an optimizer, a generator.

A probe names them and their settings (`Made`); they are made on the student's side, where the call happens, so nothing
but plain data crosses to it. What a call has done to them is read back as plain data, too (`state_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Made:
    """One such argument: a kind from `MAKERS`, and plain settings for its maker."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Arg:
    """In the settings of a `Made`: the argument at this position, which has been made already."""

    position: int


class Batches:
    """A loader: iterates over `(images, masks)` in batches of `batch_size`, in order, and counts its rounds."""

    def __init__(self, images: Tensor, masks: Tensor, batch_size: int) -> None:
        self.images, self.masks, self.batch_size, self.rounds = images, masks, batch_size, 0

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        self.rounds += 1
        for k in range(0, len(self.images), self.batch_size):
            yield self.images[k : k + self.batch_size].clone(), self.masks[k : k + self.batch_size].clone()


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _network(in_channels: int, num_classes: int, seed: int = 0, channels: int = 3, dropout: float = 0.0) -> nn.Module:
    """Conv 3×3, batch norm, ReLU, [dropout], conv 1×1: `(N, in_channels, H, W)` to `(N, num_classes, H, W)`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [
            nn.Conv2d(in_channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            *([nn.Dropout(dropout)] if dropout else []),
            nn.Conv2d(channels, num_classes, 1),
        ]
    return nn.Sequential(*layers)


def _flip(axis: int = -1) -> Callable:
    return lambda image, mask: (image.flip(axis), mask.flip(axis))


def _sgd(model: nn.Module, lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=lr)


MAKERS: dict[str, Callable] = {
    "generator": _generator,
    "network": _network,
    "batches": Batches,
    "flip of a pair": _flip,
    "sgd": _sgd,
    "cross entropy": lambda: F.cross_entropy,
}


def make(value: Any, made_before: list[Any]) -> Any:
    """`value` itself, or what a `Made` describes; `made_before` are the arguments left of it."""
    if not isinstance(value, Made):
        return value
    settings = {k: made_before[v.position] if isinstance(v, Arg) else v for k, v in value.settings.items()}
    return MAKERS[value.kind](**settings)


def state_of(thing: Any) -> Any:
    """What a call may have changed in a made argument, as plain data; `None` where there is nothing to tell."""
    if isinstance(thing, nn.Module):
        return {
            "parameters": [p.detach().clone() for p in thing.parameters()],
            "buffers": [b.detach().clone() for b in thing.buffers()],
            "training": [layer.training for layer in thing.modules()],
            "requires gradient": [p.requires_grad for p in thing.parameters()],
        }
    if isinstance(thing, Batches):
        return {"rounds": thing.rounds}
    return None
