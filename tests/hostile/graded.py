"""Grades the class, and keeps what came of it: run alone, so that nothing of the tests is in reach."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console

from autograde import build
from autograde.grade import grade_class
from autograde.results import Result
from tests.hostile.case import Case
from tests.hostile.folder import lay_out, lessons

OUTCOME = "outcome.json"


@dataclass
class Outcome:
    """What came of a class.

    Attributes:
        got: for each case, and each exercise of its lesson, points and state.
        said: the message for each exercise, and the problems under an empty name.
        stopped: what the whole class ended with, by the case that did it.
        seconds: that each lesson took.
    """

    got: dict[str, dict[str, tuple[float, str]]] = field(default_factory=dict)
    said: dict[str, dict[str, str]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_expected(self, case: Case, exercise: str) -> bool:
        """Whether an exercise has its points and one of its states."""
        points, state = self.of(case, exercise)
        return points == case.points(exercise) and state in case.expected[exercise]

    def of(self, case: Case, exercise: str) -> tuple[float, str]:
        """Points and state of an exercise."""
        points, state = self.got.get(case.name, {}).get(exercise, (0.0, "no result"))
        return points, state

    def differing(self, cases: Iterable[Case]) -> list[str]:
        """The cases that did not get what they should, or that stopped the others."""
        return [
            case.name
            for case in cases
            if case.name in self.stopped or not all(self.as_expected(case, exercise) for exercise in case.expected)
        ]


def course_in(place: Path, cases: Iterable[Case]) -> Path:
    """A course folder with the lessons of these cases, freshly built."""
    course = place / "course"
    build.student_versions(lessons(cases), course)
    return course


def grade_all(cases: Sequence[Case], place: Path, course: Path) -> Outcome:
    """Grade the class into `course`, and keep what came of it in `place`."""
    outcome = Outcome()
    lay_out(cases, course / "release", place / "in")
    for lesson in lessons(cases):
        began = time.monotonic()
        own = [case for case in cases if case.lesson == lesson]
        _grade(own, place / "in" / lesson, course, outcome)
        outcome.seconds[lesson] = round(time.monotonic() - began, 1)
    (place / OUTCOME).write_text(json.dumps(asdict(outcome)))
    return outcome


def read_outcome(place: Path) -> Outcome:
    """What `grade_all` has kept."""
    return Outcome(**json.loads((place / OUTCOME).read_text()))


def _grade(cases: Sequence[Case], folder: Path, course: Path, outcome: Outcome) -> None:
    """Grade a folder; where that ends with an exception, in halves, until it is known whose it is."""
    names = {case.student: case.name for case in cases}
    try:
        console = Console(file=sys.stdout, width=120)
        results = grade_class(cases[0].lesson, folder, course, look=False, console=console)
    except Exception as error:
        if len(cases) == 1:
            # A worker's exception comes with the text of where it was raised.
            frames = re.findall(
                r"line \d+, in (\w+)", str(error.__cause__ or "".join(traceback.format_exception(error)))
            )
            said = f"{type(error).__name__}: {str(error)[:200]}"
            outcome.stopped[cases[0].name] = f"{said} (in {' > '.join(frames[-4:])})"
            return
        for number, half in enumerate((cases[: len(cases) // 2], cases[len(cases) // 2 :])):
            part = folder.with_name(f"{folder.name}-{number}")
            part.mkdir()
            for case in half:
                shutil.move(folder / case.student, part / case.student)
            _grade(half, part, course, outcome)
        return
    for result in results:
        _note(outcome, names.get(result.student) or _unreadable(names, result), result)


def _unreadable(names: dict[str, str], result: Result) -> str:
    """The case whose folder's name is no text, and is shown otherwise."""
    return next((name for student, name in names.items() if "\udcff" in student), result.student)


def _note(outcome: Outcome, name: str, result: Result) -> None:
    outcome.got[name] = {one.name: (one.points, one.state) for one in result.graded if one.kind == "exercise"}
    outcome.said[name] = {one.name: one.message for one in result.graded} | {"": " ".join(result.problems)}
