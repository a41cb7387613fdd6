"""What a student reads where a call cannot do what was asked: what is wrong, the rule, and what to do.

It is raised, so that *Run All* stops there, and a notebook shows the message alone, without a traceback.
"""

from __future__ import annotations

import errno
import functools
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, SupportsFloat, SupportsIndex, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

SHORT = 60  # letters of a value that a message shows

# The types of arguments that are looked at, as they are written, and in words.
TYPES: dict[str, tuple[Any, str]] = {
    "str": (str, "text"),
    "Path": (Path, "a path"),
    "int": (SupportsIndex, "a whole number"),  # NumPy's, too
    "float": (SupportsFloat, "a number"),
    "None": (type(None), ""),
    "Monitor": (Callable, "a function"),  # of `fit`
}


class CourseError(Exception):
    """The base of all of them. In a script it is an error as any other."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [str(self)]


class InputError(CourseError, ValueError):
    """What was given is not among what can be."""


class CallError(CourseError, TypeError):
    """A call has too many arguments, too few, or one of another type."""


def what_to_do(error: OSError) -> str:
    """What to do where a file of the student's cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free some space on the disk, then run this cell again."
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "Put the course into a folder in which you can write, and open the notebook there."
    return "Run this cell again."


def called_as(example: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """What students call: a call that does not fit says so in one sentence, with an example of one that does.

    Raises:
        CallError: from the function, where it is not called with the arguments, or not with the types, that it takes.
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        signature, name = inspect.signature(function), re.findall(r"(\w+)\(", example)[-1]

        @functools.wraps(function)
        def checked(*given: Arguments.args, **named: Arguments.kwargs) -> Result:
            if misfit := next(_misfits(signature, given, named), ""):
                raise CallError(f"{name}(): {misfit}. Call it as in {example}.")
            return function(*given, **named)

        return checked

    return decorate


def _misfits(signature: inspect.Signature, given: tuple[Any, ...], named: dict[str, Any]) -> Iterator[str]:
    """What does not fit."""
    try:
        bound = signature.bind(*given, **named)
    except TypeError as error:  # such as "missing a required argument: 'name'"
        yield str(error)
        return
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        types = str(parameter.annotation).split(" | ")
        if not all(one in TYPES for one in types):
            continue
        for one in value if parameter.kind is inspect.Parameter.VAR_POSITIONAL else (value,):
            if not isinstance(one, tuple(TYPES[known][0] for known in types)):
                expected = " or ".join(TYPES[known][1] for known in types if known != "None")
                shown = repr(one)
                this = shown if len(shown) <= SHORT and "\n" not in shown else f"a {type(one).__name__}"
                yield f"{name} has to be {expected}, and this is {this}"
