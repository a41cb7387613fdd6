"""The narrow door through which a check sees a student's object.

A check calls, constructs, sets parameters and asks for gradients, with plain data in and out: numbers, text, tensors,
lists, tuples, dicts. It never touches the object itself, so the object may live in another process.

Parameters are listed in the order in which a forward pass first *uses* them, whatever they are called, in whatever
order they were registered, and whether a layer or a functional call uses them.
"""

from __future__ import annotations

import random
import sys
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, FunctionType, MethodType
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from helpers.checks.fixtures import Fixture, make, overwritten, state_of
from helpers.markup import code

DTYPES = {  # of the tensors that are plain data
    *(torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int8, torch.int16, torch.int32),
    *(torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64),
}
MOST_NUMBERS = 2**23  # far above any task's result; an expanded tensor may claim any size
MOST_TEXT = 1000  # letters of a text that is shown
DEEPEST = 16  # a list in a list in ...; no task asks for more than four


@dataclass(frozen=True)
class Raised:
    """An exception from the student's code, with the place in their own source where it came from."""

    kind: str
    message: str
    line: int | None = None
    source: str = ""

    def __str__(self) -> str:
        """Marked up as in `helpers.markup`."""
        where = f" in line {self.line}: {code(self.source)}" if self.line else ""
        return f"{self.kind}: {code(self.message)}{where}" if self.message else f"{self.kind}{where}"


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
        dtypes: dtypes of the result's tensors, in order.
        shortcuts: library functions among the forbidden ones that were called, sorted.
        args_after: state of each `Fixture` argument after the call, in order; `None` for one that has none.
    """

    value: Any
    inputs_unchanged: bool = True
    random_state_untouched: bool = True
    mode_kept: bool = True
    dtypes: tuple[str, ...] = ()
    shortcuts: tuple[str, ...] = ()
    args_after: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Parameters:
    """Parameters of the constructed module.

    Attributes:
        used: shapes, in the order in which the first forward pass used them.
        hidden: how many of them the module does not register, so that no optimizer would find them.
        idle: shapes of registered parameters that the forward pass did not use.
    """

    used: list[tuple[int, ...]]
    hidden: int
    idle: list[tuple[int, ...]]


class Subject(Protocol):
    """A student's function or class, seen from outside."""

    def call(self, args: tuple, kwargs: dict[str, Any], forbidden: tuple[str, ...] = ()) -> Reply:
        """Call the function, and see which of the `forbidden` library functions it calls."""

    def call_gradients(
        self, args: tuple, kwargs: dict[str, Any], weights: list[Tensor], positions: tuple[int, ...] | None = None
    ) -> list[Tensor | None] | Raised:
        """Gradients of `sum(weights · results)` for each float tensor among `args`; `None` where none arrives.

        `positions` names the arguments that count; the others are given as they are.
        """

    def construct(self, args: tuple, kwargs: dict[str, Any]) -> Reply:
        """Construct the object that the methods below speak of; the value is `"module"` or `"object"`."""

    def method(self, name: str, args: tuple = (), kwargs: dict[str, Any] | None = None) -> Reply:
        """Call a method of the constructed object."""

    def get(self, name: str) -> Any:
        """An attribute of the constructed object as plain data, or `Raised`."""

    def forward(self, inputs: tuple[Tensor, ...]) -> Reply:
        """Run the module without gradients."""

    def parameters(self) -> Parameters:
        """Parameters as the first forward pass after the construction used them."""

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
        self._built: Any = None
        self._used: list[nn.Parameter] | None = None  # until the first forward pass
        self._mode = True

    def call(self, args: tuple, kwargs: dict[str, Any], forbidden: tuple[str, ...] = ()) -> Reply:
        if not forbidden:
            return self._reply(self._student, args, kwargs)
        with ShortcutWatch(forbidden, _source_files(self._student)) as watch:
            reply = self._reply(self._student, args, kwargs)
        return replace(reply, shortcuts=tuple(sorted(watch.seen)))

    def call_gradients(
        self, args: tuple, kwargs: dict[str, Any], weights: list[Tensor], positions: tuple[int, ...] | None = None
    ) -> list[Tensor | None] | Raised:
        leaves, given = [], []
        for k, x in enumerate(args):
            if isinstance(x, Tensor) and x.is_floating_point() and (positions is None or k in positions):
                leaves.append(x.clone().requires_grad_())
                given.append(leaves[-1] * 1)  # an answer that works in place may not write to a leaf
            else:
                given.append(make(_copied(x), given))
        try:
            results = tensors_in(self._student(*given, **_copied(kwargs)))
            return _pulled_back(results, weights, leaves)
        except (Exception, SystemExit) as error:
            return raised(error, self._student)

    def construct(self, args: tuple, kwargs: dict[str, Any]) -> Reply:
        self._built, self._used = None, None
        try:
            # Weights are drawn from the global generator, which is nothing to hold against a constructor.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(0)  # an answer that remembers its first output does so alike
                self._built = self._student(*_made(args), **_copied(kwargs))
        except (Exception, SystemExit) as error:
            return Reply(raised(error, self._student))
        return Reply("module" if isinstance(self._built, nn.Module) else "object")

    def method(self, name: str, args: tuple = (), kwargs: dict[str, Any] | None = None) -> Reply:
        try:
            function = getattr(self._built, name)
        except AttributeError as error:
            return Reply(raised(error, self._student))
        return self._reply(function, args, kwargs or {})

    def get(self, name: str) -> Any:
        try:
            return plain(getattr(self._built, name))
        except Exception as error:
            return raised(error, self._student)

    def forward(self, inputs: tuple[Tensor, ...]) -> Reply:
        with torch.no_grad():
            if self._used is None:  # watching costs as much as a small network
                with _ParameterUse() as use:
                    reply = self._reply(self._built, inputs, {})
                self._used = use.order
            else:
                reply = self._reply(self._built, inputs, {})
        modes = {layer.training for layer in self._built.modules()}
        return replace(reply, mode_kept=modes == {self._mode})

    def parameters(self) -> Parameters:
        registered = {id(p) for p in self._built.parameters()}
        used = {id(p) for p in self._used}
        return Parameters(
            used=[tuple(p.shape) for p in self._used],
            hidden=sum(id(p) not in registered for p in self._used),
            idle=[tuple(p.shape) for p in self._built.parameters() if id(p) not in used],
        )

    def set_parameters(self, values: list[Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._used, values, strict=True):
                parameter.copy_(value)

    def train(self, mode: bool) -> None:
        self._mode = mode
        self._built.train(mode)

    def gradients(self, inputs: tuple[Tensor, ...], weights: list[Tensor]) -> list[Tensor | None] | Raised:
        leaves = [x.clone().requires_grad_() for x in inputs]
        try:
            # `* 1`: an answer that works in place may not write to a leaf
            outputs = tensors_in(self._built(*(leaf * 1 for leaf in leaves)))
            return _pulled_back(outputs, weights, [*leaves, *self._used])
        except (Exception, SystemExit) as error:
            return raised(error, self._student)

    def _reply(self, function: Callable, args: tuple, kwargs: dict[str, Any]) -> Reply:
        given_args, given_kwargs = _made(args), _copied(kwargs)
        before = _random_states()
        try:
            result = function(*given_args, **given_kwargs)
            value = plain(result)
        except (Exception, SystemExit) as error:
            result, value = None, raised(error, self._student)
        after = [x for x, y in zip(given_args, args, strict=True) if not isinstance(y, Fixture)]
        unchanged = _same([[x for x in args if not isinstance(x, Fixture)], kwargs], [after, given_kwargs])
        unchanged &= not any(overwritten(x, y) for x, y in zip(given_args, args, strict=True) if isinstance(y, Fixture))
        return Reply(
            value,
            unchanged,
            before == _random_states(),
            dtypes=tuple(str(t.dtype).removeprefix("torch.") for t in tensors_in(result)),
            args_after=tuple(state_of(x) for x, y in zip(given_args, args, strict=True) if isinstance(y, Fixture)),
        )


class ShortcutWatch(TorchFunctionMode):
    """Notes which of the named library functions are called while it is entered, however they are reached.

    torch's own functions are seen on their way through torch, those of scipy, scikit-image and numpy by the
    interpreter's profiling hook. The student's own functions may have any name.
    """

    def __init__(self, names: tuple[str, ...], own_files: set[str]) -> None:
        super().__init__()
        self.names, self.own_files, self.seen = frozenset(names), own_files, set()
        self._hooked = False

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if getattr(func, "__name__", "") in self.names:
            self.seen.add(func.__name__)
        return func(*args, **(kwargs or {}))

    def __enter__(self) -> ShortcutWatch:
        # A debugger or a coverage run has the hook already; theirs is left alone.
        if self.names and sys.getprofile() is None:
            self._hooked = True
            sys.setprofile(self._on_call)
        return super().__enter__()

    def __exit__(self, *exception: object) -> None:
        if self._hooked:
            sys.setprofile(None)
        super().__exit__(*exception)

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_name in self.names:
            file = frame.f_code.co_filename
            if file not in self.own_files and _is_library(file) and not file.startswith(_HELPERS):
                self.seen.add(frame.f_code.co_name)
        elif event == "c_call" and getattr(argument, "__name__", "") in self.names:
            package = (getattr(argument, "__module__", None) or "").split(".")[0]
            if package in ("numpy", "scipy", "skimage"):
                self.seen.add(argument.__name__)


class _ParameterUse(TorchFunctionMode):
    """Notes each parameter when a torch function first receives it."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[nn.Parameter] = []

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if getattr(func, "__name__", "") != "__get__":  # asking for a weight's shape or device is no use of it
            for x in tensors_in([args, kwargs or {}]):
                if isinstance(x, nn.Parameter) and not any(x is seen for seen in self.order):
                    self.order.append(x)
        return func(*args, **(kwargs or {}))


def plain(value: Any, depth: int = DEEPEST) -> Any:
    """`value` as plain data; what is none of it, or lies in more than `depth` lists, becomes `Foreign`."""
    if value is None or type(value) in (bool, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in "biufc":
        return Foreign(f"numpy {value.dtype}")
    if isinstance(value, Tensor | np.ndarray | np.generic):
        tensor = torch.as_tensor(value).detach()
        if tensor.is_nested:
            return Foreign("nested tensor")
        if tensor.layout != torch.strided or tensor.dtype not in DTYPES or tensor.numel() > MOST_NUMBERS:
            kind = str(tensor.layout if tensor.layout != torch.strided else tensor.dtype).removeprefix("torch.")
            return Foreign(f"{kind} tensor of shape {tuple(tensor.shape)}")
        # A copy: the answer may keep what it returned, and change it in a later call.
        return tensor.item() if tensor.ndim == 0 else tensor.cpu().as_subclass(Tensor).clone()
    if isinstance(value, int) and value.bit_length() > 1000:
        return Foreign("whole number larger than any float")
    for kind, exact in ((int, int.__pos__), (float, float.__pos__), (str, str.__str__)):
        if isinstance(value, kind):
            return exact(value)  # not as a class of the student's would show or compare it
    if isinstance(value, tuple | list | dict) and depth == 0:
        return Foreign(f"{type(value).__name__} in more than {DEEPEST} others")
    if isinstance(value, tuple | list):
        return (list if type(value) is list else tuple)(plain(item, depth - 1) for item in value)
    if isinstance(value, dict):
        return {readable(key): plain(item, depth - 1) for key, item in value.items()}
    return Foreign(type(value).__name__)


def readable(thing: Any) -> str:
    """`str(thing)`, shortened where it is long; an object that raises when it is shown has only its kind."""
    try:
        text = str.__str__(str(thing))
    except Exception:
        text = f"{type(thing).__name__} that cannot be shown"
    text = text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} …"
    return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair reaches no page


def raised(error: BaseException, student: Any) -> Raised:
    """`error` as plain data, placed at the deepest line of the student's own source."""
    own = _source_files(student)
    place = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename in own or not _is_library(frame.filename):
            place = frame
    line, source = (place.lineno, (place.line or "").strip()) if place else (None, "")
    return Raised(type(error).__name__, readable(error), line, source)


def _source_files(student: Any) -> set[str]:
    functions = [student, *vars(student).values()] if isinstance(student, type) else [student]
    return {f.__code__.co_filename for f in functions if isinstance(f, FunctionType | MethodType)}


_HELPERS = str(Path(__file__).parents[1])
_LIBRARIES = (
    _HELPERS,
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


def _made(args: tuple) -> list[Any]:
    """Copies of plain arguments, and what each `Fixture` describes, in order."""
    given: list[Any] = []
    for value in args:
        given.append(make(_copied(value), given))
    return given


def _same(before: Any, after: Any) -> bool:
    """Whether nested plain data is what it was, to the bit."""
    if isinstance(before, Tensor):
        return isinstance(after, Tensor) and before.shape == after.shape and torch.equal(before, after)
    if isinstance(before, tuple | list):
        return len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same(before[k], after[k]) for k in before)
    return before is after or before == after


def _pulled_back(outputs: list[Tensor], weights: list[Tensor], wanted: list[Tensor]) -> list[Tensor | None]:
    if not wanted or len(outputs) != len(weights):  # a result that is no tensor carries no gradient
        return [None] * len(wanted)
    total = sum((w * y).sum() for w, y in zip(weights, outputs, strict=True))
    if not isinstance(total, Tensor) or not total.requires_grad:
        return [None] * len(wanted)
    return [None if g is None else g.detach() for g in torch.autograd.grad(total, wanted, allow_unused=True)]


def tensors_in(value: Any, depth: int = DEEPEST) -> list[Tensor]:
    """All tensors in nested tuples, lists and dicts, in order; as deep as `plain` looks."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    deeper = isinstance(value, tuple | list) and depth
    return [x for item in value for x in tensors_in(item, depth - 1)] if deeper else []


def _random_states() -> tuple:
    kind, keys, *rest = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), kind, keys.tobytes(), tuple(rest), random.getstate()
