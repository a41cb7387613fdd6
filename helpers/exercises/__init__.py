"""Exercises, one file each: reference, variants, misconceptions, probes, hints and card.

A file in this folder is everything the course knows about one exercise. It declares itself with three decorators, and
`load` imports it by the exercise's name.

    @exercise(dice, lesson="02_overlap", points=3, ...)
    def probes(draw):
        yield draw.mask(3, 4), draw.mask(3, 4)      # the arguments of one call

    @misconception("IoU instead of Dice", "You divided by the union. ...")
    def iou_instead(pred, target): ...

    edit = edits_of(dice)
    edit("the reciprocal", "You divided the wrong way round. ...", ("overlap / total", "total / overlap"))

    @variant("through IoU")
    def through_iou(pred, target): ...

An `edit` is a misconception as changes of the reference's source. Where it reads as well as a function, it is better:
two of them make an answer that is wrong in two places, and each can be made with the exercise's `choices`.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import difflib
import functools
import importlib
import inspect
import itertools
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from helpers import answer_cells, plan
from helpers.errors import InputError

LEAST = {"misconceptions": 5, "variants": 2, "hints": 3}
TRIES_BEFORE_SOLUTION = 3

Code = Callable[..., Any]  # a function or a class
Change = tuple[str, str]  # a text that the reference's source holds once, and what stands in its place


@dataclass(frozen=True)
class Answer:
    """A whole answer to an exercise: a right variant, or an executable misconception with a tutor's sentence.

    Attributes:
        differs: a variant that a probe can tell from the reference, since the task leaves open what they do otherwise.
        changes: of the reference's source, where it was made by them.
        exercise: the exercise's name.
        any_error: where this misconception raises, any other exception is the same mistake.
    """

    name: str
    solution: Code
    sentence: str = ""
    differs: bool = False
    changes: tuple[Change, ...] = ()
    exercise: str = ""
    any_error: bool = False

    @property
    def source(self) -> str:
        """The answer as a cell that runs after the lesson's set-up cell."""
        reference = load(self.exercise).reference
        text = changed_source(reference, self.changes) if self.changes else source_of(self.solution)
        return answer_cells.cell(self.solution, text, self.exercise)


@dataclass
class Attempt:
    """What has happened with one exercise in this session."""

    passed: Any = None  # the object that passed last
    wrong_tries: int = 0
    hints_seen: int = 0
    checked: Any = None  # the object that was checked last,
    verdict: Any = None  # the verdict on it,
    place: Any = None  # where one change of it passes, or a sentence why that is not known; none where nobody asked,
    told: int = 0  # and how much of it was said

    def note(self, checked: Any, verdict: Any) -> None:
        """Keep a verdict. What was found in another answer, or in this one before it was changed, is forgotten."""
        before = self.verdict and (self.verdict.status, self.verdict.message)
        if checked is not self.checked or before != (verdict.status, verdict.message):
            self.place, self.told = None, 0
        self.checked, self.verdict = checked, verdict
        if verdict.status == "passed":
            self.passed = checked
        elif verdict.status != "not attempted":
            self.wrong_tries += 1


@dataclass
class Exercise:
    """One exercise.

    Attributes:
        probes: `probes(draw)` yields the inputs that make a wrong answer visible: a `Call`, `Build` or `Script` of
            `helpers.checks.probes`, or the bare arguments of a call.
        concept: what it is about, under a name that the glossary knows.
        difficulty: from 1 to 5.
        forbidden: library functions that an answer must not call.
        choices: changes of the reference that keep it right, and that may tell one wrong answer from another.
    """

    name: str
    reference: Code
    probes: Code
    lesson: str
    concept: str
    points: int
    minutes: int
    difficulty: int
    hints: list[str]
    task: str
    forbidden: tuple[str, ...] = ()
    choices: tuple[Change, ...] = ()
    variants: list[Answer] = field(default_factory=list)
    misconceptions: list[Answer] = field(default_factory=list)
    attempt: Attempt = field(default_factory=Attempt)
    _versions: dict[tuple[str, ...], list[Code]] = field(default_factory=dict)

    @property
    def right_answers(self) -> list[Answer]:
        """The reference and every variant."""
        return [Answer("reference", self.reference, exercise=self.name), *self.variants]

    @property
    def accepted(self) -> list[Answer]:
        """The right answers that behave differently; one that behaves like one of these is right."""
        return [answer for answer in self.right_answers if answer.name == "reference" or answer.differs]

    def versions(self, *misconceptions: Answer) -> list[Code]:
        """The answers that have all these misconceptions: as they are declared, and with each choice that fits.

        Several have a common answer only where all were made by changes, and these do not get into each other's way.
        """
        names = tuple(answer.name for answer in misconceptions)
        if names not in self._versions:
            self._versions[names] = list(self._made(misconceptions))
        return self._versions[names]

    def _made(self, misconceptions: tuple[Answer, ...]) -> Iterator[Code]:
        if len(misconceptions) == 1:
            yield misconceptions[0].solution
        if not all(answer.changes for answer in misconceptions):
            return
        for chosen in ([] if len(misconceptions) == 1 else [()]) + [(choice,) for choice in self.choices]:
            for order in itertools.permutations(misconceptions):  # one change may make or take the place of another
                with contextlib.suppress(ValueError, SyntaxError):
                    yield changed(self.reference, (*(c for answer in order for c in answer.changes), *chosen))
                    break

    def hint(self, k: int | None = None) -> str:
        """Hint `k`, counted from 1, or the next one; after the last one, that again.

        Raises:
            ValueError: there is no hint `k`.
        """
        number = min(self.attempt.hints_seen + 1, len(self.hints)) if k is None else k
        if not 1 <= number <= len(self.hints):
            raise ValueError(f"`{self.name}` has hints 1 to {len(self.hints)}; there is no hint {k}.")
        self.attempt.hints_seen = max(self.attempt.hints_seen, number)
        return f"Hint {number} of {len(self.hints)}: {self.hints[number - 1]}"

    def tries_left(self) -> int:
        """How many more wrong tries open the solution; 0 after a pass."""
        return 0 if self.attempt.passed is not None else max(0, TRIES_BEFORE_SOLUTION - self.attempt.wrong_tries)

    def card(self) -> str:
        """The card above the exercise, in Markdown."""
        left = " In which order you make the layers is up to you, and so is a bias before a batch norm."
        left = left if hasattr(self.reference, "forward") else ""
        return (
            f"### Write it: `{self.name}`\n\n"
            f"**Difficulty** {self.difficulty} of 5 · **{self.minutes} minutes** · "
            f"**{self.points} point{'s' * (self.points > 1)}** · {self.concept}\n\n"
            f"{self.task}\n\n"
            "*The cell below is what you hand in: keep everything your answer needs inside it. Results are torch "
            "tensors or plain numbers, not NumPy arrays. Do not change the arguments unless the task says so, nor "
            "torch's seed or settings."
            f"{left}*"
        )


_by_module: dict[str, Exercise] = {}


def exercise(reference: Code, **card: Any) -> Callable[[Code], Code]:
    """Declare the exercise of this file by the fields of `Exercise`; the decorated generator yields its probes."""

    def declare(probes: Code) -> Code:
        _by_module[probes.__module__] = Exercise(reference.__name__, reference, probes, **card)
        return probes

    return declare


def misconception(name: str, sentence: str, any_error: bool = False) -> Callable[[Code], Code]:
    """Declare an executable wrong answer: what a tutor would call it, and would say; `any_error` is `Answer`'s."""

    def declare(solution: Code) -> Code:
        declared = _by_module[solution.__module__]
        declared.misconceptions.append(Answer(name, solution, sentence, exercise=declared.name, any_error=any_error))
        return solution

    return declare


def edits_of(reference: Code) -> Callable[..., None]:
    """What declares misconceptions of the exercise with this reference, as changes of its source.

    It takes a name, a sentence and the changes, and `any_error` as `misconception` does; it raises a `ValueError` where
    a change fits nowhere, or in more than one place.
    """
    declared = next(found for found in _by_module.values() if found.reference is reference)

    def edit(name: str, sentence: str, *changes: Change, any_error: bool = False) -> None:
        solution = changed(reference, changes)
        declared.misconceptions.append(
            Answer(name, solution, sentence, changes=changes, exercise=declared.name, any_error=any_error)
        )

    return edit


def changed(reference: Code, changes: tuple[Change, ...], pieces: dict[str, Code] | None = None) -> Code:
    """The reference with changes of its source, one after the other, and with other `pieces` in place of its own.

    Raises:
        ValueError: a change fits nowhere, or in more than one place.
    """
    source = changed_source(reference, changes)
    namespace = dict(vars(sys.modules[reference.__module__])) | (pieces or {})
    flags = __future__.annotations.compiler_flag
    exec(compile(source, f"<{reference.__name__}>", "exec", flags=flags, dont_inherit=True), namespace)
    solution: Code = namespace[reference.__name__]
    return solution


def changed_source(reference: Code, changes: tuple[Change, ...]) -> str:
    """The reference's source with changes, one after the other.

    Raises:
        ValueError: a change fits nowhere, or in more than one place.
    """
    source = source_of(reference)
    for old, new in changes:
        if source.count(old) != 1:
            raise ValueError(f"{reference.__name__}: the change of {old!r} fits {source.count(old)} times, not once.")
        source = source.replace(old, new)
    return source


@functools.cache
def source_of(reference: Code) -> str:
    """The source of a function or class, without its docstring."""
    source = textwrap.dedent(inspect.getsource(reference))
    first = ast.parse(source).body[0]
    assert isinstance(first, ast.FunctionDef | ast.ClassDef)
    lines = source.splitlines(keepends=True)
    if ast.get_docstring(first):
        del lines[first.body[0].lineno - 1 : first.body[0].end_lineno]
    return "".join(lines)


def variant(name: str, differs: bool = False) -> Callable[[Code], Code]:
    """Declare another right answer, one that a good student would write; `differs` is that of `Answer`."""

    def declare(solution: Code) -> Code:
        declared = _by_module[solution.__module__]
        declared.variants.append(Answer(name, solution, differs=differs, exercise=declared.name))
        return solution

    return declare


def names() -> list[str]:
    """Names of all exercises, in the order in which the lessons ask for them; imports none of them."""
    return plan.exercises()


def written() -> list[Exercise]:
    """Every exercise that has a file here, whether a lesson asks for it yet or not; imports them all."""
    return [_of_module(info.name) for info in pkgutil.iter_modules(__path__)]


def load(name: str) -> Exercise:
    """The exercise called `name`, such as `"dice"` or `"DoubleConv"`.

    Raises:
        ValueError: no exercise has that name; the message says which are meant, or lists all.
    """
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if _is_loaded(module) or module in {info.name for info in pkgutil.iter_modules(__path__)}:
        found = _of_module(module)
        if found.name == name:
            return found
    alike = {other.lower(): other for other in names()}
    near = " or ".join(f"`{alike[other]}`" for other in difflib.get_close_matches(name.lower(), alike, n=2))
    meant = f"Do you mean {near}?" if near else f"The exercises are: {', '.join(names())}."
    raise InputError(f"There is no exercise called {name!r}. {meant}")


def problems(found: Exercise) -> list[str]:
    """What keeps `found` from being built into a lesson: too few wrong answers, variants or hints."""
    counts = {what: len(getattr(found, what)) for what in LEAST}
    return [f"{found.name} has {n} {what}; it needs {LEAST[what]}" for what, n in counts.items() if n < LEAST[what]]


def _of_module(module: str) -> Exercise:
    if not _is_loaded(module):
        importlib.import_module(f"{__name__}.{module}")
    return _by_module[f"{__name__}.{module}"]


def _is_loaded(module: str) -> bool:
    return f"{__name__}.{module}" in _by_module
