"""The narrow door through which a check sees a student's object.

A check calls, constructs, sets parameters and asks for gradients, with plain data in and out: numbers, text, tensors,
lists, tuples, dicts. It never touches the object itself, so the object may live in another process.

Parameters are listed in the order in which a forward pass first *uses* them, whatever they are called, in whatever
order they were registered, and whether a layer or a functional call uses them.
"""

from __future__ import annotations

import random
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class Raised:
    """An exception from the student's code, with the place in their own source where it came from."""

    kind: str
    message: str
    line: int | None = None
    source: str = ""

    def __str__(self) -> str:
        where = f" in line {self.line}: `{self.source}`" if self.line else ""
        return f"{self.kind}: {self.message}{where}" if self.message else f"{self.kind}{where}"


@dataclass(frozen=True)
class Foreign:
    """A result that is no plain data, by the name of its type."""

    kind: str


@dataclass(frozen=True)
class Reply:
    """What one call gave, and what it left behind.

    Attributes:
        value: the result as plain data, or `Raised`.
        inputs_unchanged: the arguments hold what they held before.
        random_state_untouched: the global generators of torch, numpy and Python stand where they stood.
        mode_kept: (modules) every layer is still in the mode that `train` set.
    """

    value: Any
    inputs_unchanged: bool = True
    random_state_untouched: bool = True
    mode_kept: bool = True


@dataclass(frozen=True)
class Parameters:
    """Parameters of the constructed module.

    Attributes:
        used: shapes, in the order in which the last forward pass first used them.
        hidden: how many of them the module does not register, so that no optimizer would find them.
        idle: shapes of registered parameters that the forward pass did not use.
    """

    used: list[tuple[int, ...]]
    hidden: int
    idle: list[tuple[int, ...]]


class Subject(Protocol):
    """A student's function or class, seen from outside."""

    def call(self, args: tuple, kwargs: dict[str, Any]) -> Reply:
        """Call the function."""

    def construct(self, args: tuple, kwargs: dict[str, Any]) -> Reply:
        """Construct the module that the methods below speak of; the value is `"module"` when it worked."""

    def forward(self, inputs: tuple[Tensor, ...]) -> Reply:
        """Run the module without gradients."""

    def parameters(self) -> Parameters:
        """Parameters as the last forward pass used them."""

    def set_parameters(self, values: list[Tensor]) -> None:
        """Set the used parameters, in the order of `parameters().used`."""

    def train(self, mode: bool) -> None:
        """Put the module into training (`True`) or evaluation mode."""

    def gradients(self, inputs: tuple[Tensor, ...], weights: list[Tensor]) -> list[Tensor | None] | Raised:
        """Gradients of `sum(weights · outputs)` for each input, then each used parameter; `None` where none arrives."""


class LocalSubject:
    """The object itself, in this process. Follows `Subject`."""

    def __init__(self, student: Any) -> None:
        self._student = student
        self._module: nn.Module | None = None
        self._used: list[nn.Parameter] = []

    def call(self, args: tuple, kwargs: dict[str, Any]) -> Reply:
        return self._reply(self._student, args, kwargs)

    def construct(self, args: tuple, kwargs: dict[str, Any]) -> Reply:
        self._module, self._used = None, []

        def build(*args: Any, **kwargs: Any) -> Any:
            # Weights are drawn from the global generator, which is nothing to hold against a constructor.
            with torch.random.fork_rng(devices=[]):
                return self._student(*args, **kwargs)

        try:
            built = build(*_copied(args), **_copied(kwargs))
        except (Exception, SystemExit) as error:
            return Reply(raised(error, self._student))
        if not isinstance(built, nn.Module):
            return Reply(plain(built))
        self._module = built
        return Reply("module")

    def forward(self, inputs: tuple[Tensor, ...]) -> Reply:
        with torch.no_grad(), _ParameterUse() as use:
            reply = self._reply(self._module, inputs, {})
        self._used = use.order
        modes = {layer.training for layer in self._module.modules()}
        return Reply(
            reply.value,
            reply.inputs_unchanged,
            reply.random_state_untouched,
            mode_kept=modes == {self._mode},
        )

    def parameters(self) -> Parameters:
        registered = {id(p) for p in self._module.parameters()}
        used = {id(p) for p in self._used}
        return Parameters(
            used=[tuple(p.shape) for p in self._used],
            hidden=sum(id(p) not in registered for p in self._used),
            idle=[tuple(p.shape) for p in self._module.parameters() if id(p) not in used],
        )

    def set_parameters(self, values: list[Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._used, values, strict=True):
                parameter.copy_(value)

    def train(self, mode: bool) -> None:
        self._mode = mode
        self._module.train(mode)

    def gradients(self, inputs: tuple[Tensor, ...], weights: list[Tensor]) -> list[Tensor | None] | Raised:
        leaves = [x.clone().requires_grad_() for x in inputs]
        wanted = [*leaves, *self._used]
        try:
            # `* 1`: an answer that works in place may not write to a leaf
            outputs = _tensors(self._module(*(leaf * 1 for leaf in leaves)))
            total = sum((w * y).sum() for w, y in zip(weights, outputs, strict=True))
            if not total.requires_grad:
                return [None] * len(wanted)
            grads = torch.autograd.grad(total, wanted, allow_unused=True)
        except (Exception, SystemExit) as error:
            return raised(error, self._student)
        return [None if g is None else g.detach() for g in grads]

    def _reply(self, function: Callable, args: tuple, kwargs: dict[str, Any]) -> Reply:
        given_args, given_kwargs = _copied(args), _copied(kwargs)
        before = _random_states()
        try:
            value = plain(function(*given_args, **given_kwargs))
        except (Exception, SystemExit) as error:
            value = raised(error, self._student)
        unchanged = all(
            torch.equal(x, y)
            for x, y in zip(
                _tensors([args, list(kwargs.values())]),
                _tensors([given_args, list(given_kwargs.values())]),
                strict=True,
            )
        )
        return Reply(value, unchanged, before == _random_states())


class _ParameterUse(TorchFunctionMode):
    """Notes each parameter when a torch function first receives it."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[nn.Parameter] = []

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        for x in _tensors([args, list((kwargs or {}).values())]):
            if isinstance(x, nn.Parameter) and not any(x is seen for seen in self.order):
                self.order.append(x)
        return func(*args, **(kwargs or {}))


def plain(value: Any) -> Any:
    """`value` as plain data; what is none of it becomes `Foreign`."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in "biufc":
        return Foreign(f"numpy {value.dtype}")
    if isinstance(value, Tensor | np.ndarray | np.generic):
        tensor = torch.as_tensor(value).detach().cpu()
        return tensor.item() if tensor.ndim == 0 else tensor.as_subclass(Tensor)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return type(value)(map(plain, value)) if type(value) in (tuple, list) else tuple(map(plain, value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return Foreign(type(value).__name__)


def raised(error: BaseException, student: Any) -> Raised:
    """`error` as plain data, placed at the deepest line of the student's own source."""
    own = _source_files(student)
    place = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename in own or not _is_library(frame.filename):
            place = frame
    line, source = (place.lineno, (place.line or "").strip()) if place else (None, "")
    return Raised(type(error).__name__, str(error), line, source)


def _source_files(student: Any) -> set[str]:
    functions = [student, *vars(student).values()] if isinstance(student, type) else [student]
    return {f.__code__.co_filename for f in functions if hasattr(f, "__code__")}


_LIBRARIES = (
    str(Path(__file__).parents[1]),  # helpers itself
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)


def _is_library(filename: str) -> bool:
    return filename.startswith((*_LIBRARIES, "<frozen"))


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, tuple | list):
        return type(value)(map(_copied, value))
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return value


def _tensors(value: Any) -> list[Tensor]:
    """All tensors in nested tuples, lists and dicts, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [x for item in value for x in _tensors(item)] if isinstance(value, tuple | list) else []


def _random_states() -> tuple:
    kind, keys, *rest = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), kind, keys.tobytes(), tuple(rest), random.getstate()
