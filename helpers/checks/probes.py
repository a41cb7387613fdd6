"""The inputs that make behaviour visible, and the generator that draws them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Call:
    """One call of a function."""

    args: tuple
    kwargs: dict[str, Any] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class Build:
    """One construction of a module, then its use in evaluation and in training mode on `inputs`.

    `inputs` are float tensors, as a rule `(N, C, H, W)`.
    """

    args: tuple
    inputs: tuple[Tensor, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    label: str = ""


class Draw:
    """Draws probes from a seed. The same seed gives the same probes on every machine with the same PyTorch."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def size(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))

    def uniform(self, low: float, high: float) -> float:
        """A number from `low` up to `high`."""
        return low + (high - low) * float(torch.rand((), generator=self._generator))

    def normal(self, *shape: int) -> Tensor:
        """float32 of the given shape, mean 0 and standard deviation 1."""
        return torch.randn(shape, generator=self._generator)

    def mask(self, height: int, width: int, share: float = 0.5) -> Tensor:
        """bool `(height, width)`, each pixel true with probability `share`; at least one is."""
        mask = torch.rand(height, width, generator=self._generator) < share
        mask[self.size(0, height - 1), self.size(0, width - 1)] = True
        return mask

    @staticmethod
    def empty(height: int, width: int) -> Tensor:
        """bool `(height, width)` without a true pixel."""
        return torch.zeros(height, width, dtype=torch.bool)

    @staticmethod
    def full(height: int, width: int) -> Tensor:
        """bool `(height, width)`, all true."""
        return torch.ones(height, width, dtype=torch.bool)

    @staticmethod
    def masks(picture: str) -> tuple[Tensor, ...]:
        """bool masks drawn side by side with `#` and `.`, separated by blanks; each `(H, W)`."""
        columns = zip(*(line.split() for line in picture.split("\n") if line.strip()), strict=True)
        return tuple(torch.tensor([[c == "#" for c in row] for row in column]) for column in columns)


def as_probe(yielded: tuple | Call | Build) -> Call | Build:
    """What a `probes` generator yielded, as a probe; a bare tuple is one call."""
    return yielded if isinstance(yielded, Call | Build) else Call(tuple(yielded))


def size_of(probe: Call | Build) -> int:
    """Numbers in the probe's tensors; the smallest failing probe is the one to show."""
    inputs = [*probe.args, *probe.kwargs.values(), *(probe.inputs if isinstance(probe, Build) else ())]
    return sum(x.numel() for x in inputs if isinstance(x, Tensor))
