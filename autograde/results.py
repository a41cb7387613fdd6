"""What became of a submission: one JSON file each, written whole, with every question of the lesson in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from unicodedata import category

from autograde.files import write
from helpers.checks.program import Part
from helpers.checks.verdict import Verdict

# Of an exercise what `judge` gives, or "flagged"; of a question the first three or "missing"; "by hand" waits for one.
State = Literal[
    "passed", "wrong", "error", "not attempted", "timeout", "memory", "crashed", "missing", "flagged", "by hand"
]
Kind = Literal["exercise", "question", "manual"]
LONGEST = 60  # letters of a name; files and nbgrader's table allow more


@dataclass(frozen=True)
class Graded:
    """One exercise, graded question or text of a submission.

    Attributes:
        name: the exercise, the question's id, or the text's name.
        kind: which of the three it is.
        state: what became of it.
        points: reached; 0 while a text waits to be graded by hand.
        max_points: that can be reached.
        message: why, marked up as in `helpers.markup`; nothing the student wrote counts as markup in it.
        verdict: (exercises) as `check` gives it; `None` of others.
        given: what the student wrote: the source that counted, the answer's keys, the text.
        cell: (exercises) the name of the cell that counted.
        notes: what the student should know beside it, marked up: which piece stood in for another, what was not run.
        program: (exercises) the `Part`s that ran, for later lessons and to look into.
        where: (exercises) where one small change makes it pass, marked up; empty where none was found, `None` where
            nobody has looked.
        cpu_seconds: of a processor that it took.
        walls: that stood around it.
        like_the_courses: it is the course's own solution, but for names of variables and comments.
    """

    name: str
    kind: Kind
    state: State
    points: float
    max_points: float
    message: str
    verdict: Verdict | None = None
    given: str = ""
    cell: str = ""
    notes: tuple[str, ...] = ()
    program: tuple[Part, ...] = ()
    where: str | None = None
    cpu_seconds: float = 0.0
    walls: tuple[str, ...] = ()
    like_the_courses: bool = False


@dataclass(frozen=True)
class Result:
    """A submission with everything in its lesson, in the lesson's order.

    Attributes:
        student: who handed it in, as the gradebook has them.
        lesson: such as `"02_overlap"`.
        key: of all that the result depends on; the same key need not be graded again.
        seed: from which the probes were drawn.
        graded: exercises, questions and texts.
        problems: what was wrong with the submission as a whole, marked up, one sentence or two each.
        submitted: when it was handed in, as ISO 8601 in UTC; empty where nothing says so.
    """

    student: str
    lesson: str
    key: str
    seed: int
    graded: tuple[Graded, ...]
    problems: tuple[str, ...] = ()
    submitted: str = ""

    @property
    def score(self) -> float:
        """Points without those that are given by hand."""
        return sum(one.points for one in self.graded)

    @property
    def max_score(self) -> float:
        """The most points that can be reached without those that are given by hand."""
        return sum(one.max_points for one in self.graded if one.kind != "manual")


@dataclass(frozen=True)
class Store:
    """The results of a course, in a folder of files `LESSON/STUDENT.json`."""

    folder: Path

    def path(self, lesson: str, student: str) -> Path:
        """Where the result of a student is."""
        return self.folder / lesson / f"{file_name(student)}.json"

    def write(self, result: Result) -> None:
        """Keep a result, in place of the one that was there."""
        text = json.dumps(asdict(result), indent=1)  # in ASCII, which holds half a surrogate pair, too
        write(self.path(result.lesson, result.student), text + "\n")

    def read(self, lesson: str, student: str) -> Result | None:
        """The result of a student; none where there is none, or none that this version has written."""
        try:
            return of_data(json.loads(self.path(lesson, student).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def all(self, lesson: str) -> list[Result]:
        """All results of a lesson, by student."""
        found = []
        for path in sorted((self.folder / lesson).glob("*.json")):
            try:
                found.append(of_data(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, TypeError, KeyError):
                continue
        return sorted(found, key=lambda result: result.student)


def of_data(data: dict[str, Any]) -> Result:
    """What `dataclasses.asdict` has made of a result, and JSON of that."""
    graded = []
    for one in data["graded"]:
        verdict = Verdict(**one["verdict"]) if one["verdict"] else None
        program = tuple(Part(**part) for part in one["program"])
        tuples = {"notes": tuple(one["notes"]), "walls": tuple(one["walls"]), "program": program}
        graded.append(Graded(**{**one, **tuples, "verdict": verdict}))
    return Result(**{**data, "graded": tuple(graded), "problems": tuple(data["problems"])})


def file_name(student: str) -> str:
    """A student's name as that of a file or folder, and as the gradebook has it: one for each, whatever it holds."""
    kept = "".join(letter if _stays(letter) else f"%{ord(letter):x}" for letter in student)
    kept = f"%{kept}" if kept[:1] in ("", ".", " ") else kept
    return (
        kept
        if len(kept) <= LONGEST
        else f"{kept[:LONGEST]}%{hashlib.sha256(student.encode(errors='replace')).hexdigest()[:12]}"
    )


def _stays(letter: str) -> bool:
    return letter.isalnum() or letter in " ._-+@()[]'," or category(letter).startswith("M")  # an accent of its own
