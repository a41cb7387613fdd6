"""The measure of `where`: of how many wrong answers it finds the place, and how long that takes.

Evidence are the held-out answers in `tests/evidence`. What a mutant changed in a right answer is known, so with mutants
it can be told whether the place is that of the mistake; but they are ours, so this is a regression test.
"""

from __future__ import annotations

import ast
import difflib
import json
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from autograde import evidence, markdown
from autograde.build import NOTEBOOKS
from autograde.build_cache import ROOT
from autograde.mutants import not_equivalent, source_of
from helpers import answer_cells, exercises
from helpers.checks.one_change import Located, look
from helpers.checks.program import Cell, Program, course, of_cells

TABLE = markdown.Published(
    "located",
    ("wrong answers", "named", "named or located", "all located", "in the right line", "seconds, the median"),
    ROOT / "docs" / "located.json",
)
NEAR = 1  # lines: what is missing is shown at the line before or after it


@dataclass(frozen=True)
class Asked:
    """What `where` said of one wrong answer.

    Attributes:
        right: whether that is the line where the mistake is; `None` where nobody knows.
    """

    exercise: str
    what: str
    named: bool
    found: Located | str
    seconds: float
    right: bool | None = None


def program_of(name: str, source: str) -> Program:
    """The program of an answer in its lesson's notebook, where all earlier pieces are the course's."""
    before = exercises.names()[: exercises.names().index(name)]
    cells = lesson_cells(exercises.load(name).lesson)
    written = [Cell(cell.name, source) if cell.name == name else cell for cell in cells]
    return of_cells(name, written, {other: course(other) for other in before})


def lesson_cells(lesson: str) -> list[Cell]:
    """The code cells of a lesson, as students get it."""
    cells = json.loads((NOTEBOOKS / lesson / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [
        Cell(cell["metadata"].get("nbgrader", {}).get("grade_id", str(k)), "".join(cell["source"]))
        for k, cell in enumerate(cells)
        if cell["cell_type"] == "code"
    ]


def ask(name: str, source: str) -> tuple[Located | str, float]:
    """What `where` says of an answer, and after how many seconds."""
    program = program_of(name, source)
    began = time.monotonic()
    found = look(name, program).wait()
    assert found is not None
    return found, time.monotonic() - began


def of_evidence(folder: Path) -> Iterator[Asked]:
    """Ask about each wrong answer of a set.

    Which places are wrong, as somebody read them, is in its `set.yaml`.
    """
    about = yaml.safe_load((folder / "set.yaml").read_text(encoding="utf-8"))
    false_names, false_places = (
        {(entry["exercise"], entry["what"]) for entry in about.get(kind, [])}
        for kind in ("false names", "false places")
    )
    for held in evidence.answers(folder):
        verdict = evidence.examine(held)
        if held.is_right or verdict.status == "passed":
            continue
        one = held.exercise, held.what
        named = verdict.diagnosis is not None and one not in false_names
        found, seconds = ask(held.exercise, held.source)
        yield Asked(*one, named, found, seconds, one not in false_places if isinstance(found, Located) else None)


def of_mutants(name: str, number: int, seed: int) -> Iterator[Asked]:
    """Ask about some mutants of an exercise's right answers, drawn from `seed`."""
    exercise = exercises.load(name)
    answers = {answer.name: answer for answer in exercise.right_answers}
    mutants = not_equivalent(exercise)
    for mutant in random.Random(f"{name} {seed}").sample(mutants, min(number, len(mutants))):
        answer = answers[mutant.answer]
        was, now = (_cell(answer.solution, text, name) for text in (source_of(answer), mutant.source))
        found, seconds = ask(name, now)
        right = (
            any(abs(found.line - line) <= NEAR for line in _changed(was, now)) if isinstance(found, Located) else None
        )
        yield Asked(name, mutant.name, False, found, seconds, right)


def _cell(solution: exercises.Code, source: str, name: str) -> str:
    """An answer and the private functions that it needs, as a cell."""
    parts = ast.parse(source).body
    own = next(part for part in parts if getattr(part, "name", "") == solution.__name__)
    order = [*(part for part in parts if part is not own), own]
    return answer_cells.cell(solution, "\n".join(map(ast.unparse, order)), name)


def _changed(was: str, now: str) -> list[int]:
    """The lines of `now`, counted from 1, that are not those of `was`, or behind which one is missing."""
    opcodes = difflib.SequenceMatcher(None, was.splitlines(), now.splitlines(), autojunk=False).get_opcodes()
    return [line for tag, _, _, a, b in opcodes if tag != "equal" for line in range(a + 1, max(b, a + 1) + 1)]


def row(about: str, asked: list[Asked]) -> tuple[str, ...]:
    """The counts, for `TABLE`."""
    named = sum(one.named for one in asked)
    located = [one for one in asked if isinstance(one.found, Located)]
    either = sum(one.named or (isinstance(one.found, Located) and one.right is not False) for one in asked)
    right = sum(one.right is not False for one in located)
    seconds = statistics.median([one.seconds for one in located]) if located else 0.0
    of = f" of {len(asked)}"
    return about, f"{named}{of}", f"{either}{of}", f"{len(located)}{of}", f"{right} of {len(located)}", f"{seconds:.1f}"
