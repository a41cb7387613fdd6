"""Wrong answers made mechanically: one small change to a right answer, which a check must notice.

The hand-written misconceptions are mistakes that somebody thought of. These are not: every place of the source of a
reference or a variant is changed in every way below, one at a time, and each result is a *mutant*. One that behaves
like a right answer all the same is *equivalent*; those are listed, with the reason, in `equivalents.yaml`.

Why not a library. mutmut changes whole files on disk, weaves all mutants of a function into one module and runs a test
command; it offers no generator. cosmic-ray has one (`cosmic_ray.mutating.mutate_code`), but none of what matters
most in tensor code is among its operators: swapped arguments and axes, dropped statements and keyword arguments, slice
bounds, one part of what is returned. With those written for it there is nothing left to take but its dependencies.
Python's own `ast` is enough.
"""

from __future__ import annotations

import __future__

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from helpers.exercises import Answer, Exercise

EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")

TINY = 1e-3  # a constant below it guards a division or a logarithm, and twice as tiny guards as well

# Functions for which the order of two arguments, or of two axes, means nothing.
ORDERLESS = {
    *("max", "min", "maximum", "minimum", "logical_and", "logical_or", "logical_xor", "isclose", "gcd"),
    *("sum", "mean", "amax", "amin", "any", "all", "prod", "std", "var", "flip", "squeeze", "count_nonzero"),
}

COMPARISONS = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In},
}
ARITHMETIC = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div},
    **{ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr},
}


@dataclass(frozen=True)
class Mutant:
    """One changed answer.

    Attributes:
        answer: name of the answer it was made from, `"reference"` or a variant's.
        name: the changed line before and after; stays as long as the line does.
        source: its whole source.
    """

    answer: str
    name: str
    source: str


def mutants(exercise: Exercise) -> list[Mutant]:
    """All mutants of an exercise's right answers, in the order of their sources; no two have the same source."""
    made = []
    for answer in exercise.right_answers:
        seen, names = {source_of(answer)}, set()
        for name, source in mutations(source_of(answer)):
            if source in seen or not _compiles(source):
                continue
            seen.add(source)
            number = next(k for k in range(1, 1000) if (name, k) not in names)
            names.add((name, number))
            made.append(Mutant(answer.name, name if number == 1 else f"{name} ({number})", source))
    return made


def solution(exercise: Exercise, mutant: Mutant) -> Any:
    """The mutant as an object to check, made in a copy of the namespace that its original lives in.

    Raises:
        Exception: whatever its definition raises; then it is no answer at all.
    """
    original = _original(exercise, mutant.answer)
    namespace = dict(vars(sys.modules[original.__module__]))
    exec(_compiled(mutant.source, f"<mutant of {mutant.answer}>"), namespace)
    return namespace[original.__name__]


def source_of(answer: Answer) -> str:
    """The source of an answer, after the private functions and classes of its module that it needs.

    Without comments, and without the decorator that makes a variant of it.
    """
    module = sys.modules[answer.solution.__module__]
    definitions = _definitions(module.__name__)
    wanted, waiting = set(), [answer.solution.__name__]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        used = {n.id for n in ast.walk(definitions[name]) if isinstance(n, ast.Name)}
        waiting += [n for n in used - wanted if n.startswith("_") and n in definitions]
    return "\n\n".join(ast.unparse(node) for name, node in definitions.items() if name in wanted)


def equivalents(path: Path = EQUIVALENTS) -> dict[str, dict[str, dict[str, str]]]:
    """Why which mutants are right answers: exercise, then answer, then mutant, to the reason."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def mutations(source: str) -> Iterator[tuple[str, str]]:
    """Name and source of everything one change makes of `source`."""
    tree = ast.parse(source)
    for statement in _statements(tree.body):
        before = _line(statement.node)
        for change in statement.dropped():
            with_it = ast.unparse(ast.fix_missing_locations(tree))
            change()
            yield f"{before}  ->  {'dropped' if statement.gone else _line(statement.node)}", with_it
        for place in _places(statement.node):
            original = place.get()
            for replacement in _changes(original, place):
                place.set(replacement)
                yield f"{before}  ->  {_line(statement.node)}", ast.unparse(ast.fix_missing_locations(tree))
            place.set(original)
