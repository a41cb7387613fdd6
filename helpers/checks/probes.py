"""The inputs that make behaviour visible, and the generator that draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from helpers.checks.fixtures import Fixture


@dataclass(frozen=True)
class Call:
    """One call of a function.

    Attributes:
        args, kwargs: plain data, or `Fixture` for what is none.
        label: the probe in words; made from the arguments when empty.
        gradients: also compare the gradients with respect to all float tensors among `args`, or to those at the given
            indices (a loss need not be differentiable by its target).
        view: where many results are right, what to compare of them: gets the result and the arguments, on the judge's
            side, and returns plain data. It may raise on a result of the wrong kind.
        exact_dtype: the dtypes of the result are part of the task.
        repeatable: a second call gives the same result.
        may_draw: an answer may draw random numbers that do not show in the result, as a layer does for its weights.
        tolerance_scale: factor of the tolerance, where results are sums of many large terms.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    gradients: bool | tuple[int, ...] = False
    view: Callable[[Any, tuple[Any, ...]], Any] | None = None
    exact_dtype: bool = False
    repeatable: bool = True
    may_draw: bool = False
    tolerance_scale: float = 1.0


@dataclass(frozen=True)
class Build:
    """One construction of a module, then its use in both modes on `inputs`: float, as a rule `(N, C, H, W)`.

    `bias_open`: whether any layer has a bias is left open.
    """

    args: tuple[Any, ...]
    inputs: tuple[Tensor, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    bias_open: bool = False


@dataclass(frozen=True)
class Script:
    """Several steps with one object: for classes that are no modules, and for properties over more than one call.

    Attributes:
        run: works with a `Subject` and yields `(what, value)` pairs of plain data, from coarse to fine. It may raise on
            an answer of the wrong kind.
        label: the probe in words.
        shown: the input to show beside a failure, by name.
        exclusive: a run must end before another answer's begins, because both work on one object.
    """

    run: Callable[[Any], Iterable[tuple[str, Any]]]
    label: str
    shown: dict[str, Any] = field(default_factory=dict)
    exclusive: bool = False


Probe = Call | Build | Script


class Draw:
    """Draws probes from a seed: the same ones on every machine with the same PyTorch."""

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

    def mask(self, height: int, width: int, fraction: float = 0.5) -> Tensor:
        """bool `(height, width)`, each pixel true with probability `fraction`; at least one is."""
        mask = torch.rand(height, width, generator=self._generator) < fraction
        mask[self.size(0, height - 1), self.size(0, width - 1)] = True
        return mask

    def labels(self, height: int, width: int, num_classes: int) -> Tensor:
        """int64 `(height, width)`, class indices from 0 to `num_classes - 1`."""
        return torch.randint(0, num_classes, (height, width), generator=self._generator)

    def image(self, *shape: int) -> Tensor:
        """uint8 of the given shape, values from 0 to 255."""
        return torch.randint(0, 256, shape, generator=self._generator).to(torch.uint8)

    def seed(self) -> int:
        """A seed for something that is made on the student's side."""
        return self.size(0, 2**31 - 2)

    @staticmethod
    def positions(height: int, width: int) -> Tensor:
        """float32 `(height, width)` of 100·row + column, so that a shift can be read off the numbers."""
        return 100.0 * torch.arange(height)[:, None] + torch.arange(width)[None, :]

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


def as_probe(yielded: tuple[Any, ...] | Probe) -> Probe:
    """What a `probes` generator yielded, as a probe; a bare tuple is one call."""
    return yielded if isinstance(yielded, Probe) else Call(tuple(yielded))


def size_of(probe: Probe) -> int:
    """Numbers in the probe's tensors; the smallest failing probe is the one to show."""
    if isinstance(probe, Script):
        return sum(x.numel() for x in probe.shown.values() if isinstance(x, Tensor))
    return _numbers_in([*probe.args, *probe.kwargs.values(), *(probe.inputs if isinstance(probe, Build) else ())])


def _numbers_in(value: Any) -> int:
    """Elements of all tensors in nested data and in the settings of fixtures."""
    if isinstance(value, Tensor):
        return value.numel()
    if isinstance(value, Fixture):
        value = value.settings
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(_numbers_in, value)) if isinstance(value, list | tuple) else 0
