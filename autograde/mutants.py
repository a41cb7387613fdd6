"""Wrong answers made mechanically: one small change to a right answer, which a check must notice.

The hand-written misconceptions are mistakes that somebody thought of. These are not: every place in the source of a
reference or a variant is changed in every way below, one at a time, and each result is a *mutant*. A mutant that
behaves like a right answer all the same is *equivalent*; `equivalents.yaml` lists those, with the reason.
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from helpers.exercises import Answer, Exercise
from helpers.mutations import called, mutations

EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")


@dataclass(frozen=True)
class Mutant:
    """One changed answer.

    Its name is the line as it was and what changed in it, so it stays as long as the line does. Where one answer has
    several of the same name, they are numbered.
    """

    answer: str  # the one it was made from: "reference" or a variant's name
    name: str
    source: str  # all of it


def mutants(exercise: Exercise) -> list[Mutant]:
    """All mutants of an exercise's right answers, in order; no two of an answer have the same source."""
    made = []
    for answer in exercise.right_answers:
        seen, names = {source_of(answer)}, []
        for name, source in mutations(source_of(answer)):
            if source in seen:
                continue
            seen.add(source)
            names.append(name)
            count = names.count(name)
            mutant = Mutant(answer.name, name if count == 1 else f"{name}  ({count})", source)
            try:
                solution(exercise, mutant)
            except Exception:
                continue
            made.append(mutant)
    return made


def solution(exercise: Exercise, mutant: Mutant) -> Any:
    """The mutant as an object to check, made in a copy of the namespace that its original lives in.

    Raises:
        Exception: whatever its definition raises.
    """
    original = next(a.solution for a in exercise.right_answers if a.name == mutant.answer)
    namespace = dict(vars(sys.modules[original.__module__]))
    flags = __future__.annotations.compiler_flag  # the modules have it, so annotations may name anything
    exec(compile(mutant.source, "<mutant>", "exec", flags=flags, dont_inherit=True), namespace)
    return namespace[original.__name__]


@functools.cache
def equivalents(path: Path = EQUIVALENTS) -> dict[str, dict[tuple[str, str], str]]:
    """Why which mutants are right answers: exercise, then answer and mutant by name, to the reason."""
    listed = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {name: {(e["answer"], e["mutant"]): e["reason"] for e in entries} for name, entries in listed.items()}


def not_equivalent(exercise: Exercise) -> list[Mutant]:
    """The mutants that the check has to catch."""
    listed = equivalents().get(exercise.name, {})
    return [m for m in mutants(exercise) if (m.answer, m.name) not in listed]


# ---- the source of an answer ----


def source_of(answer: Answer) -> str:
    """The source of an answer, and of the private functions and classes of its module that it needs.

    Without comments, and without the decorator that declares a variant.
    """
    return "\n\n".join(ast.unparse(node) for node in _parts(answer))


def text_of(answer: Answer) -> str:
    """The same as it is written, comments and all."""
    text = inspect.getsource(sys.modules[answer.solution.__module__])
    return "\n\n".join(ast.get_source_segment(text, node) or "" for node in _parts(answer))


def _parts(answer: Answer) -> list[ast.stmt]:
    definitions = _definitions(answer.solution.__module__)
    wanted, waiting = set(), [answer.solution.__name__]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        used = {node.id for node in ast.walk(definitions[name]) if isinstance(node, ast.Name)}
        waiting += [n for n in used - wanted if n.startswith("_") and n in definitions]
    return [node for name, node in definitions.items() if name in wanted]


@lru_cache(maxsize=128)
def _definitions(module: str) -> dict[str, ast.stmt]:
    """The functions and classes of a module, in order."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = [d for d in node.decorator_list if called(d) not in ("variant", "misconception")]
            found[node.name] = node
    return found
