"""The narrow door through which a check sees a student's object.

A check calls, constructs, sets parameters and asks for gradients, with plain data in and out: numbers, text, tensors,
lists, tuples, dicts. It never touches the object itself, so the object may live in another process.

Parameters are listed in the order in which a forward pass first *uses* them, by a layer or a functional call, whatever
they are called and in whatever order they were registered; `helpers.checks.usage` says which are left out.
"""

from __future__ import annotations

import dis
import random
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, FunctionType, MethodType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from helpers.checks.fixtures import Fixture, make, overwritten, seeded, state_of
from helpers.checks.settings import Members, Modes
from helpers.checks.usage import CONCATENATIONS, DEEPEST, Usage, UsageWatch, tensors_in
from helpers.markup import code

DTYPES = (  # of the tensors that are plain data
    *(torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int8, torch.int16, torch.int32),
    *(torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64),
)
MOST_NUMBERS = 2**20  # ten times the largest of a right answer; an expanded tensor may claim any size
MOST_TEXT = 1000  # letters of a text that is shown

T = TypeVar("T")
Args = tuple[Any, ...]
Kwargs = dict[str, Any]


@dataclass(frozen=True)
class Raised:
    """An exception from the student's code, with the place in their own source where it came from.

    `cause`: the torch function that raised it, and the shapes it was given; else Python's message, unless it was raised
    on purpose. `of`: the other piece in whose code that place is, such as an `Up` that a `UNet` calls.
    """

    kind: str
    message: str
    line: int | None = None
    source: str = ""
    cause: str = ""
    of: str = ""

    def __post_init__(self) -> None:
        """What comes from another process may claim anything."""
        for name in ("kind", "message", "source", "cause", "of"):
            object.__setattr__(self, name, clean(getattr(self, name)))

    def __str__(self) -> str:
        """Marked up as in `helpers.markup`."""
        where = f" in line {self.line}" if self.line else ""
        where += f" of the cell with {code(self.of)}" if self.line and self.of else ""
        where += f": {code(self.source)}" if self.line and self.source else ""
        return f"{self.kind}: {code(self.message)}{where}" if self.message else f"{self.kind}{where}"


@dataclass(frozen=True)
class Foreign:
    """A result that is no plain data, by the name of its type."""

    kind: str

    def __post_init__(self) -> None:
        """As in `Raised`."""
        object.__setattr__(self, "kind", clean(self.kind))


@dataclass(frozen=True)
class Reply:
    """What one call gave, and what it left behind.

    Attributes:
        value: the result as plain data, or `Raised`.
        inputs_unchanged: the arguments hold what they held before.
        random_state_untouched: the global generators of torch, numpy and Python stand where they stood.
        mode_kept: (modules) every layer is still in the mode that `train` set.
        dtypes: dtypes of the result's tensors and arrays, in order; single numbers have none.
        has_arrays: some of them are NumPy arrays.
        memory_shared: some of them are views of an argument.
        shortcuts: library functions among the forbidden ones that were called, sorted.
        args_after: state of each `Fixture` argument after the call, in order; `None` for one that has none.
    """

    value: Any
    inputs_unchanged: bool = True
    random_state_untouched: bool = True
    mode_kept: bool = True
    dtypes: tuple[str, ...] = ()
    has_arrays: bool = False
    memory_shared: bool = False
    shortcuts: tuple[str, ...] = ()
    args_after: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Parameters:
    """Parameters of the constructed module.

    Attributes:
        used: shapes, in the order in which the first forward pass used them.
        hidden: how many of them are not registered, so that no optimizer would find them.
        idle: how many layers have registered parameters that it did not use.
    """

    used: list[tuple[int, ...]]
    hidden: int
    idle: int


GRADIENTS = (list, Raised)  # the classes of `Gradients`
Gradients = list[Tensor | None] | Raised


class Subject:
    """A student's function or class, seen from outside. Each method is a request, which `_ask` answers."""

    def call(self, args: Args, kwargs: Kwargs, forbidden: tuple[str, ...] = ()) -> Reply:
        """Call the function, and see which of the `forbidden` library functions it calls."""
        return self._ask(Reply, "call", args, kwargs, forbidden)

    def call_gradients(self, args: Args, kwargs: Kwargs, weights: list[Tensor], indices: tuple[int, ...]) -> Gradients:
        """Gradients of `sum(weights · results)` for each float tensor at `indices`; `None` where none arrives."""
        return self._ask(GRADIENTS, "call_gradients", args, kwargs, weights, indices)

    def construct(self, args: Args, kwargs: Kwargs) -> Reply:
        """Construct the object that the methods below speak of; the value is `"module"` or `"object"`."""
        return self._ask(Reply, "construct", args, kwargs)

    def method(self, name: str, args: Args = (), kwargs: Kwargs | None = None) -> Reply:
        """Call a method of the constructed object."""
        return self._ask(Reply, "method", name, args, kwargs or {})

    def get(self, name: str) -> Any:
        """An attribute of the constructed object as plain data, or `Raised`."""
        return self._ask(object, "get", name)

    def forward(self, inputs: tuple[Tensor, ...]) -> Reply:
        """Run the module without gradients."""
        return self._ask(Reply, "forward", inputs)

    def parameters(self, bias_open: bool = False) -> Parameters:
        """Parameters as the first forward pass after the construction used them, maybe without any bias."""
        return self._ask(Parameters, "parameters", bias_open)

    def set_parameters(self, values: list[Tensor]) -> None:
        """Set the used parameters, in the order of `parameters().used`."""
        self._ask(type(None), "set_parameters", values)

    def train(self, mode: bool) -> None:
        """Put the module into training (`True`) or evaluation mode."""
        self._ask(type(None), "train", mode)

    def settings_changed(self) -> list[str]:
        """Modes of torch that calls left changed, and what of torch is another since this was last asked; put back."""
        return self._ask(list, "settings_changed")

    def gradients(self, inputs: tuple[Tensor, ...], weights: list[Tensor]) -> Gradients:
        """Gradients of `sum(weights · outputs)` for each input, then each used parameter; `None` where none arrives."""
        return self._ask(GRADIENTS, "gradients", inputs, weights)

    def _ask(self, expected: type[T] | tuple[type, ...], method: str, *args: Any) -> T:
        """Let a `_Worker`, wherever it is, run the method; what it returns is an `expected`."""
        raise NotImplementedError


class LocalSubject(Subject):
    """The object itself, in this process.

    Args:
        student: the function or class.
        members: what torch consisted of before any code of the student's ran, where that is known.
    """

    def __init__(self, student: Any, members: Members | None = None) -> None:
        self._worker = _Worker(student, members)

    def _ask(self, expected: Any, method: str, *args: Any) -> Any:
        return getattr(self._worker, method)(*args)


class _Worker:
    """Does to the object what a `Subject` is asked for."""

    def __init__(self, student: Any, members: Members | None) -> None:
        self._student = student
        self._built: Any = None
        self._watch: UsageWatch | None = None
        self._usage = Usage()
        self._mode = True
        self._members = members
        self._changed: list[str] = []

    def call(self, args: Args, kwargs: Kwargs, forbidden: tuple[str, ...]) -> Reply:
        if not forbidden:
            return self._reply(self._student, args, kwargs)
        with _shortcuts_seen(forbidden, _source_files(self._student)) as seen:
            reply = self._reply(self._student, args, kwargs)
        return replace(reply, shortcuts=tuple(sorted(seen)))

    def call_gradients(self, args: Args, kwargs: Kwargs, weights: list[Tensor], indices: tuple[int, ...]) -> Gradients:
        floats = {k: x for k, x in enumerate(args) if isinstance(x, Tensor) and x.is_floating_point()}
        leaves = {k: x.clone().requires_grad_() for k, x in floats.items() if k in indices}
        # `_made` copies them, since an answer that works in place may not write to a leaf.
        given = _made(tuple(leaves.get(k, x) for k, x in enumerate(args)))
        try:
            results = tensors_in(self._student(*given, **_copied(kwargs)))
            return _pulled_back(results, weights, list(leaves.values()))
        except (Exception, SystemExit) as error:
            return raised(error, self._student)

    def construct(self, args: Args, kwargs: Kwargs) -> Reply:
        self._built, self._watch, self._usage = None, None, Usage()
        try:
            with seeded(0):  # a constructor may draw weights
                self._built = self._student(*_made(args), **_copied(kwargs))
            if isinstance(self._built, nn.Module):  # what remembers its first output is to do so alike in every style
                with torch.no_grad():
                    for parameter in self._built.parameters():
                        parameter.zero_()
        except (Exception, SystemExit) as error:
            return Reply(raised(error, self._student))
        return Reply("module" if isinstance(self._built, nn.Module) else "object")

    def method(self, name: str, args: Args, kwargs: Kwargs) -> Reply:
        try:
            function = getattr(self._built, name)
        except AttributeError as error:
            return Reply(raised(error, self._student))
        return self._reply(function, args, kwargs)

    def get(self, name: str) -> Any:
        try:
            return plain(getattr(self._built, name))
        except Exception as error:
            return raised(error, self._student)

    def forward(self, inputs: tuple[Tensor, ...]) -> Reply:
        # Watching costs as much as a small network, so it is done once.
        watch = UsageWatch()

        def run(*given: Any) -> Any:
            result = self._built(*given)
            watch.note_result(result)
            return self._usage.result(result)

        with torch.no_grad(), nullcontext() if self._watch else watch:
            reply = self._reply(run, inputs, {})
        self._watch = self._watch or watch
        modes = {vars(layer).get("training") for layer in _layers(self._built)}
        return replace(reply, mode_kept=modes == {self._mode})

    def parameters(self, bias_open: bool) -> Parameters:
        if self._watch is not None:
            self._usage = self._watch.usage(bias_open)
        layers = [_registered(layer) for layer in _layers(self._built)]
        registered = {id(p) for layer in layers for p in layer}
        used = {id(p) for p in (*self._usage.parameters, *self._usage.open)}
        return Parameters(
            used=[tuple(p.shape) for p in self._usage.parameters],
            hidden=sum(id(p) not in registered for p in self._usage.parameters),
            idle=sum(any(id(p) not in used for p in layer) for layer in layers),
        )

    def set_parameters(self, values: list[Tensor]) -> None:
        self._usage.set(values)

    def train(self, mode: bool) -> None:
        self._mode = mode
        self._built.train(mode)

    def settings_changed(self) -> list[str]:
        found = [*self._changed, *(self._members.restore() if self._members else ())]
        self._members, self._changed = Members(), []
        return list(dict.fromkeys(found))

    def gradients(self, inputs: tuple[Tensor, ...], weights: list[Tensor]) -> Gradients:
        leaves = [x.clone().requires_grad_() for x in inputs]
        try:
            outputs = tensors_in(self._usage.result(self._built(*_copied(leaves))))  # as in `call_gradients`
            found = _pulled_back(outputs, weights, [*leaves, *self._usage.parameters])
            return [*found[: len(leaves)], *self._usage.in_order(found[len(leaves) :])]
        except (Exception, SystemExit) as error:
            return raised(error, self._student)

    def _reply(self, function: Callable[..., Any], args: Args, kwargs: Kwargs) -> Reply:
        given_args, given_kwargs = _made(args), _copied(kwargs)
        before, modes = _random_states(), Modes()
        try:
            result = function(*given_args, **given_kwargs)
            value = plain(result)
        except (Exception, SystemExit) as error:
            what = raised(error, self._student)
            cause = _cause(function, _made(args), _copied(kwargs)) or what.cause
            result, value = None, replace(what, cause=cause)
        # At once, since what was put in torch's place is not to be asked what the call has left behind.
        self._changed += [*modes.restore(), *(self._members.restore() if self._members else ())]
        pairs = list(zip(args, given_args, strict=True))
        fixtures = [(x, given) for x, given in pairs if isinstance(x, Fixture)]
        with _seen_as_they_are():
            unchanged = all(_same(x, given) for x, given in pairs if not isinstance(x, Fixture))
            return Reply(
                value,
                unchanged and _same(kwargs, given_kwargs) and not any(overwritten(given, x) for x, given in fixtures),
                before == _random_states(),
                dtypes=tuple(str(_without_class(x).dtype).removeprefix("torch.") for x in _arrays_in(result)),
                has_arrays=any(isinstance(x, np.ndarray) for x in _arrays_in(result)),
                memory_shared=_share_memory(tensors_in(result), tensors_in([given_args, given_kwargs])),
                args_after=tuple(state_of(given) for _, given in fixtures),
            )


# Held here, since a student's code may put another in the place of each: it is to be seen, not to tell what is seen.
_equal, _rng_state, _numpy_state, _python_state = torch.equal, torch.get_rng_state, np.random.get_state, random.getstate
_as_subclass = Tensor.as_subclass
_seen_as_they_are = torch._C.DisableTorchFunction  # also where a subclass, or a mode that was left on, would answer


def _layers(module: nn.Module) -> list[nn.Module]:
    """A module and all that are registered in it, each once, whatever its class says of that."""
    found = {id(module): module}
    waiting = [module]
    while waiting:
        parts = {id(part): part for part in vars(waiting.pop())["_modules"].values() if part is not None}
        waiting += [part for key, part in parts.items() if key not in found]
        found |= parts
    return list(found.values())


def _registered(layer: nn.Module) -> list[nn.Parameter]:
    """The parameters that are registered in a layer itself."""
    return [p for p in vars(layer)["_parameters"].values() if p is not None]


class _Failure(TorchFunctionMode):
    """Notes the torch function that raises an exception, with the shapes it was given."""

    cause = ""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Args = (), kwargs: Kwargs | None = None
    ) -> Any:
        try:
            return func(*args, **(kwargs or {}))
        except Exception:
            name = getattr(func, "__name__", "").strip("_")
            shapes = [tuple(x.shape) for x in tensors_in([args, kwargs]) if x.ndim > 1]
            if name in CONCATENATIONS:
                name, shapes = "cat", sorted(shapes)
            if name == "conv2d" and len(shapes) == 2 and shapes[0][1] != shapes[1][1]:
                shapes = [shape[:2] for shape in shapes]  # the sides, which a padding by hand changes, are not to blame
            self.cause = f"{name} {' '.join(map(str, shapes))}"
            raise


def _cause(function: Callable[..., Any], args: list[Any], kwargs: Kwargs) -> str:
    """What raises in this call, seen by running it once more."""
    failure = _Failure()
    with failure, suppress(Exception, SystemExit):
        function(*args, **kwargs)
    return failure.cause


def _arrays_in(value: Any, depth: int = DEEPEST) -> list[Any]:
    """Tensors and NumPy arrays of one axis or more, in order."""
    if isinstance(value, Tensor | np.ndarray):
        return [value] if value.ndim else []
    if isinstance(value, dict):
        value = list(value.values())
    deeper = isinstance(value, tuple | list) and depth
    return [x for item in value for x in _arrays_in(item, depth - 1)] if deeper else []


def _without_class(value: Any) -> Any:
    """A tensor without a class of the student's, which may say anything of it."""
    return _as_subclass(value, Tensor) if isinstance(value, Tensor) and type(value) is not Tensor else value


def _share_memory(results: list[Tensor], given: list[Tensor]) -> bool:
    """Whether a result lies in the memory of an argument, without being the whole of it."""

    def place(tensor: Tensor) -> tuple[Any, ...]:
        return tensor.data_ptr(), tensor.shape, tensor.stride()

    results, given = (list(map(_without_class, tensors)) for tensors in (results, given))
    plain_ones = [x for x in given if x.layout == torch.strided and x.numel()]
    owned = {x.untyped_storage().data_ptr() for x in plain_ones}
    whole = [place(x) for x in plain_ones]
    views = (x for x in results if x.layout == torch.strided and x.numel() and place(x) not in whole)
    return any(x.untyped_storage().data_ptr() in owned for x in views)


class _FunctionWatch(TorchFunctionMode):
    """Calls `note(name, arguments)` for every torch function before it runs."""

    def __init__(self, note: Callable[[str, Any], None]) -> None:
        super().__init__()
        self._note = note

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Args = (), kwargs: Kwargs | None = None
    ) -> Any:
        self._note(getattr(func, "__name__", ""), [args, kwargs])
        return func(*args, **(kwargs or {}))


@contextmanager
def _shortcuts_seen(forbidden: tuple[str, ...], own_files: set[str]) -> Iterator[set[str]]:
    """Collect which of the forbidden library functions are called in the body, however they are reached.

    torch's own functions are seen on their way through torch, those of scipy, scikit-image and numpy by the
    interpreter's profiling hook. The student's own functions may have any name.
    """
    names, seen = frozenset(forbidden), set[str]()

    def note(name: str, arguments: Any) -> None:
        if name in names:
            seen.add(name)

    def on_call(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_name in names:
            file = frame.f_code.co_filename
            if file not in own_files and is_library(file) and not file.startswith(_HELPERS):
                seen.add(frame.f_code.co_name)
        elif event == "c_call" and getattr(argument, "__name__", "") in names:
            package = (getattr(argument, "__module__", None) or "").split(".")[0]
            if package in ("numpy", "scipy", "skimage"):
                seen.add(argument.__name__)

    is_free = sys.getprofile() is None  # a debugger or a coverage run may have the hook; theirs is left alone
    with _FunctionWatch(note):
        if is_free:
            sys.setprofile(on_call)
        try:
            yield seen
        finally:
            if is_free:
                sys.setprofile(None)


# Numbers and text as they are, not as a student's subclass would show or compare them.
_EXACT: dict[type, Callable[[Any], Any]] = {int: int.__pos__, float: float.__pos__, str: str.__str__}


def plain(value: Any, depth: int = DEEPEST) -> Any:
    """`value` as plain data; anything else, and what lies in more than `depth` lists, becomes `Foreign`."""
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
    for base, exact in _EXACT.items():
        if isinstance(value, base):
            return exact(value)
    if isinstance(value, tuple | list | dict) and depth == 0:
        return Foreign(f"{type(value).__name__} in more than {DEEPEST} others")
    if isinstance(value, tuple | list):
        return (list if type(value) is list else tuple)(plain(item, depth - 1) for item in value)
    if isinstance(value, dict):
        return {readable(key): plain(item, depth - 1) for key, item in value.items()}
    return Foreign(type(value).__name__)


def readable(thing: Any) -> str:
    """`str(thing)`, shortened where it is long; its type's name where that raises."""
    try:
        text = str.__str__(str(thing))
    except Exception:
        text = f"{type(thing).__name__} that cannot be shown"
    return clean(text.encode("utf-8", "backslashreplace").decode())  # half a surrogate pair reaches no page


def clean(text: str) -> str:
    """A text of the student's that can be shown anywhere: without what steers a terminal, and not too long."""
    text = text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} …"
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def raised(error: BaseException, student: Any) -> Raised:
    """`error` as plain data, placed at the deepest line of the student's own source."""
    own = _source_files(student)
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if f.filename in own or not is_library(f.filename)), None)
    line, source = (place.lineno, (place.line or "").strip()) if place else (None, "")
    cause = "" if _on_purpose(error) else readable(error)
    of = _owner(error, place.lineno) if place and own and place.filename not in own else ""
    return Raised(type(error).__name__, readable(error), line, source, cause, of)


def _owner(error: BaseException, line: int | None) -> str:
    """The class or function whose code raised in that line, by name."""
    frames = [frame for frame, number in traceback.walk_tb(error.__traceback__) if number == line]
    if not frames:
        return ""
    made = frames[-1].f_locals.get("self")
    return frames[-1].f_code.co_name if made is None else type(made).__name__


def _on_purpose(error: BaseException) -> bool:
    """Whether a `raise` or an `assert` made it, whose words are free, and not an operation of Python's."""
    if isinstance(error, ZeroDivisionError | KeyError | UnboundLocalError | RecursionError):  # the kind says it all
        return True
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    return last is None or dis.opname[last.tb_frame.f_code.co_code[last.tb_lasti]] == "RAISE_VARARGS"


def _source_files(student: Any) -> set[str]:
    functions = [student, *vars(student).values()] if isinstance(student, type) else [student]
    return {f.__code__.co_filename for f in functions if isinstance(f, FunctionType | MethodType)}


_HELPERS = str(Path(__file__).parents[1])
_LIBRARIES = (
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
    *(_HELPERS, str(Path(_HELPERS).with_name("autograde")), "<frozen"),
)


def is_library(filename: str) -> bool:
    """Whether a file is of an installed library, of Python's own or of the course, and no student's."""
    return filename.startswith(_LIBRARIES)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, tuple | list):
        return type(value)(map(_copied, value))
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return value


def _made(args: Args) -> list[Any]:
    """Copies of plain arguments, and what each `Fixture` describes, in order."""
    given: list[Any] = []
    for value in args:
        given.append(make(_copied(value), given))
    return given


def _same(before: Any, after: Any) -> bool:
    """Whether nested plain data is what it was, to the bit."""
    if isinstance(before, Tensor):
        return type(after) is type(before) and before.shape == after.shape and _equal(before, after)
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


def _random_states() -> tuple[Any, ...]:
    numpy_state = _numpy_state(legacy=True)
    assert isinstance(numpy_state, tuple)
    kind, keys, *rest = numpy_state
    return _rng_state().numpy().tobytes(), kind, keys.tobytes(), tuple(rest), _python_state()
