"""What tells a result from the expected one, in a student's words: which part of it, channels, sides, layers."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from helpers.checks.equality import is_same, kind_of
from helpers.checks.limits import Noticed
from helpers.checks.subject import Foreign, Raised, readable
from helpers.markup import code

Shape = tuple[int, ...]

LINES, LETTERS = 3, 80  # of what an answer printed
LONG = 3.0  # seconds; the slowest right answer that the exercises know takes half of one


def first_leaf(yours: Any, expected: Any, tolerance_scale: float = 1.0, shapes: bool = False) -> tuple[str, Any, Any]:
    """The first part in which nested plain data differs: its index such as `[1][0]`, and the two parts.

    With `shapes`, a tuple is the shape of a tensor, and so a part.
    """
    alike = isinstance(expected, list if shapes else list | tuple) and isinstance(yours, list | tuple)
    if alike and len(yours) == len(expected):
        keys: Any = range(len(expected))
    elif isinstance(expected, dict) and isinstance(yours, dict) and yours.keys() == expected.keys():
        keys = expected
    else:
        return "", yours, expected
    for key in keys:
        if not is_same(yours[key], expected[key], tolerance_scale):
            path, y, e = first_leaf(yours[key], expected[key], tolerance_scale, shapes)
            return f"[{key!r}]{path}", y, e
    return "", yours, expected


def place(path: str) -> str:
    """The part of the result at an index, marked up."""
    return code(f"result{path}") if path else "the result"


def of_shape(yours: Any, expected: Any) -> str:
    """What a part whose shape is `yours` has, and what one of shape `expected` has; marked up."""
    if not _is_shape(yours) or not _is_shape(expected):
        return f"is {_kind(yours)}; expected is {_kind(expected)}"
    if len(yours) != len(expected) or len(expected) != 4:
        return f"has shape {yours}; expected is {expected}"
    (n, c, *sides), (images, channels, *expected_sides) = yours, expected
    told = [(n, images, "image"), (c, channels, "channel")]
    parts = [_count(have, want, what) for have, want, what in told if have != want]
    if sides != expected_sides:
        parts.append(f"{sides[0]}×{sides[1]} pixels; {expected_sides[0]}×{expected_sides[1]} are expected")
    return f"has {', and '.join(parts)}"


def of_layers(yours: list[Shape], expected: list[Shape]) -> str:
    """Where a network's weights, in the order of their use, part from the expected ones; goes on after a comma."""
    pairs = zip(yours, expected, strict=False)
    k = next((k for k, (y, e) in enumerate(pairs) if y != e), min(len(yours), len(expected)))
    have = layer(yours[k]) if k < len(yours) else "nothing more"
    want = layer(expected[k]) if k < len(expected) else "nothing more"
    before = f"after {layer(expected[k - 1])}" if k else "first of all"
    return f"in the order in which the weights are used: {before} yours has {have}; expected is {want}"


def layer(shape: Shape) -> str:
    """What has weights of this shape, in words."""
    if len(shape) == 4:
        return f"a {shape[2]}×{shape[3]} convolution with weights {tuple(shape)}"
    return f"a norm or a bias of {shape[0]} channels" if len(shape) == 1 else f"weights {tuple(shape)}"


def result(value: Any) -> str:
    """What came out instead of plain data, and what to do; or a tensor by its shape; empty for everything else."""
    if isinstance(value, Foreign):
        hint = FOREIGN.get(value.kind, "")
        return f"an object of type {code(readable(value.kind))}{f' ({hint})' if hint else ''}"
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else ""


FOREIGN = {
    "generator": "a `yield` makes a function a generator, which computes nothing yet; `return` gives a result",
    "coroutine": "`async def` makes a function wait; a plain `def` computes",
    "function": "a function that was not called; is a pair of brackets missing?",
    "method": "a method that was not called; is a pair of brackets missing?",
    "builtin_function_or_method": "a method that was not called; is a pair of brackets missing?",
    **dict.fromkeys(("map", "filter", "zip"), "it computes nothing until somebody asks; make a list of it"),
}


def of_exception(error: Raised, called: str) -> str:
    """What an answer raised, in a sentence that goes on after its name; `called` is how the task calls it."""
    if error.kind == "SystemExit":
        where = f" in line {error.line}: {code(error.source)}" if error.line else ""
        return f"ends the program{where}. In a notebook that ends all; a function ends with `return`."
    if 'missing the required "forward"' in error.message:
        return f"raised {error}. PyTorch calls `forward`: is it spelt so, and does it stand inside the class?"
    if "before Module.__init__() call" in error.message:
        return f"raised {error}. `__init__` begins with `super().__init__()`, before the first layer is made."
    if "__init__() " in error.message and error.line is None:
        spelt = "Is yours spelt `__init__`, with two underscores on either side?"
        return f"raised {error}. The task calls it as {code(called)}. {spelt}"
    if error.kind == "TypeError" and error.line is None:
        return f"raised {error}. The task calls it as {code(called)}."
    if hidden := re.match(r"Module\.(\w+)\(\) takes", error.message):
        name = code(hidden[1])
        return (
            f"raised {error}. Every `nn.Module` has a method {name}, which hides a layer of that name: call it another."
        )
    return f"raised {error}.{_cause(error)}"


def _cause(error: Raised) -> str:
    """What the torch function that raised was given, as a sentence; empty where there is nothing to say."""
    if not re.fullmatch(r"\w+( \([\d, ]*\))+", error.cause):
        return ""
    name, _, rest = error.cause.partition(" ")
    shapes = [tuple(int(n) for n in part.split(", ") if n) for part in rest.strip("()").replace(",)", ")").split(") (")]
    if name == "conv2d" and len(shapes) == 2 and min(map(len, shapes)) > 1:
        have, want = shapes[0][1], shapes[1][1]
        if have != want:
            return f" A convolution that was built for {want} channels got a map with {have}."
    given = " and ".join(map(str, shapes))
    return f" `{name}` was given shapes {given}." if len(shapes) > 1 else f" `{name}` was given shape {given}."


def asides(noticed: Noticed, seconds: float) -> str:
    """What a right answer does besides, that whoever calls it does not expect; empty where there is nothing."""
    also = [what for what, is_so in (("prints", bool(noticed.printed)), ("shows something", noticed.drew)) if is_so]
    told = f" It also {' and '.join(also)} whenever it is called: take that out before you use it." if also else ""
    if seconds > LONG and not also:
        told += f" It took {seconds:.0f} seconds, although the inputs are tiny: is there a `sleep`, or work done twice?"
    return told


def printed(text: str) -> str:
    """The first lines that a wrong answer printed, for whoever looks for the mistake that way; empty if it did not."""
    lines = [line for line in text.splitlines() if line.strip()]
    shown = ", ".join(code(readable(line[:LETTERS])) for line in lines[:LINES])
    return f" It printed {shown}{' and so on' if len(lines) > LINES else ''}." if lines else ""


def _count(have: int, want: int, what: str) -> str:
    return f"{have} {what}{'s' * (have != 1)}; {want} {'is' if want == 1 else 'are'} expected"


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(n, int) for n in value)


def _kind(value: Any) -> str:
    if _is_shape(value):
        return f"a tensor of shape {value}"
    if isinstance(value, list):
        return f"{len(value)} parts" if len(value) != 1 else "one part"
    return value if isinstance(value, str) else kind_of(value)


def is_tensor_pair(yours: Any, expected: Any) -> bool:
    """Whether two parts are tensors of one shape, so that only their values differ."""
    return isinstance(yours, Tensor) and isinstance(expected, Tensor) and yours.shape == expected.shape
