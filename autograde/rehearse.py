"""A class that never was, graded the whole way: `python course.py rehearse`, so that an instructor has seen it before.

Its students hand in right, wrong, unfinished and broken work, and some of it late, in every form that
`autograde.intake` knows. Right and wrong answers are the variants and the misconceptions of the exercises' files, so
what each student must get is known beforehand.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from autograde import answer_keys
from autograde.build import student_versions
from autograde.build_cache import ROOT, lesson_names
from autograde.grade import GradingError, grade_class
from autograde.worker import points
from helpers import exercises
from helpers.data.validation import check_choice
from helpers.quiz import answers

PLACE = ROOT / "dist" / "rehearsal"
WHEN = "2026-11-01 12:00:00.000000 UTC"
METADATA = "submission_metadata.yml"
# Kinds of work: those that need all cells come more often, as in a class.
KINDS = (
    "right",
    "wrong",
    "late",
    "right",
    "unfinished",
    "wrong",
    "cut off",
    "right",
    "another lesson",
    "wrong",
    "untouched",
)

Files = dict[str, bytes]


@dataclass(frozen=True)
class Planned:
    """A student of the class.

    Attributes:
        student: as the gradebook will have them.
        kind: of `KINDS`.
        form: how it lies there.
        files: what lies there, by path in the class's folder.
        points: what each exercise and question must get.
    """

    student: str
    kind: str
    form: str
    files: Files
    points: dict[str, float]


def rehearse(lesson: str, students: int, place: Path = PLACE, console: Console | None = None) -> list[str]:
    """Make a class in `place/handed-in`, grade it into a course in `place/course`, and compare.

    What was in `place` is deleted.

    Returns:
        What is not as planned, a line for each student.

    Raises:
        GradingError: there is no such lesson, it has no exercise, or it cannot be graded here.
    """
    try:
        check_choice(
            "lesson", lesson, [name for name in lesson_names() if name[0].isdigit() and points(name)["checks"]]
        )
    except ValueError as error:
        raise GradingError(str(error)) from None
    shutil.rmtree(place, ignore_errors=True)
    course, handed_in = place / "course", place / "handed-in"
    released = student_versions([lesson], course)[lesson]
    planned = list(made(lesson, released, students))
    for path, content in _all_files(planned).items():
        (handed_in / path).parent.mkdir(parents=True, exist_ok=True)
        (handed_in / path).write_bytes(content)
    results = {result.student: result for result in grade_class(lesson, handed_in, course, console=console)}
    said = [
        f"{student}: nobody planned this student." for student in sorted(results.keys() - {p.student for p in planned})
    ]
    for one in planned:
        what = f"{one.student} ({one.kind}, {one.form})"
        if one.student not in results:
            said.append(f"{what} is missing.")
            continue
        got = {graded.name: graded.points for graded in results[one.student].graded if graded.kind != "manual"}
        other = [f"{name} {got.get(name, 0):g}, not {p:g}" for name, p in one.points.items() if got.get(name, 0) != p]
        said += [f"{what}: {', '.join(other)}."] if other else []
    return said


def made(lesson: str, released: str, students: int, seed: int = 0) -> Iterator[Planned]:
    """The class; the same for the same seed."""
    draw = random.Random(seed)
    forms = list(FORMS)
    for number in range(students):
        kind = KINDS[number % len(KINDS)]
        form = "Canvas" if kind == "late" else forms[number % len(forms)]  # which alone marks what is late
        files, expected = _work(lesson, released, kind, draw)
        name = f"student-{number + 1:03d}"
        student, placed = FORMS[form](name, number, lesson, files, kind == "late")
        if form == "a notebook":  # in which there are no answers to questions
            expected |= dict.fromkeys(points(lesson)["graded"], 0.0)
        yield Planned(student, kind, form, placed, expected)


def _work(lesson: str, released: str, kind: str, draw: random.Random) -> tuple[Files, dict[str, float]]:
    """A student's files, and what each exercise and question must get for them."""
    asked = points(lesson)
    names = list(asked["checks"])
    left_out = set(names if kind == "untouched" else names[len(names) // 2 :] if kind == "unfinished" else ())
    wrong = set(draw.sample(names, min(2, len(names)))) if kind == "wrong" else set()
    notebook = json.loads(released)
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name in set(names) - left_out:
            exercise = exercises.load(name)
            known = [one.source for one in (exercise.misconceptions if name in wrong else exercise.variants)]
            # Some are made with the course's own answer, which students do not have.
            cell["source"] = draw.choice([source for source in known if "_of_the_course" not in source])
    files = {f"{lesson}.ipynb": json.dumps(notebook).encode()}
    given = {} if kind == "untouched" else answer_keys.answers_of(lesson)
    if given:
        files[answers.FILE] = json.dumps(given).encode()
    expected = {name: 0.0 if name in left_out | wrong else float(most) for name, most in asked["checks"].items()}
    if kind == "cut off":
        files[f"{lesson}.ipynb"] = files[f"{lesson}.ipynb"][: len(json.dumps(notebook)) // 2]
    elif kind == "another lesson":
        other = next(name for name in lesson_names() if name != lesson and points(name)["checks"])
        path = ROOT / "notebooks" / other / f"{other}.ipynb"
        files = {path.name: path.read_bytes()}
        given = {}
    if kind in ("cut off", "another lesson"):
        expected = dict.fromkeys(names, 0.0)
    questions = {name: float(most) if name in given else 0.0 for name, most in asked["graded"].items()}
    return files, expected | questions


# ---- The forms: the student as the gradebook has them, and where the files lie

Form = Callable[[str, int, str, Files, bool], tuple[str, Files]]


def _below(folder: str, files: Files) -> Files:
    return {f"{folder}/{name}": content for name, content in files.items()}


def _zip(name: str, number: int, lesson: str, files: Files, late: bool) -> tuple[str, Files]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return name, {f"{lesson}-{name}.zip": packed.getvalue()}


def _notebook(name: str, number: int, lesson: str, files: Files, late: bool) -> tuple[str, Files]:
    (notebook,) = [content for file, content in files.items() if file.endswith(".ipynb")]
    return name, {f"{name}.ipynb": notebook}


def _canvas(name: str, number: int, lesson: str, files: Files, late: bool) -> tuple[str, Files]:
    short, id = name.replace("-", ""), 1000 + number
    start = f"{short}_{'LATE_' * late}{id}"
    return f"{short}_{id}", {f"{start}_{700000 + k}_{file}": text for k, (file, text) in enumerate(files.items())}


def _gradescope(name: str, number: int, lesson: str, files: Files, late: bool) -> tuple[str, Files]:
    who = f"{name}@example.org"
    about = f"submission_{number}:\n  :submitters:\n  - :email: {who}\n  :created_at: 2026-11-01 12:00:00 Z\n"
    return who, {**_below(f"submission_{number}", files), METADATA: about.encode()}


FORMS: dict[str, Form] = {
    "a folder": lambda name, number, lesson, files, late: (name, _below(name, files)),
    "the file of submit()": _zip,
    "Canvas": _canvas,
    "Moodle": lambda name, number, lesson, files, late: (
        f"{name}_{5000 + number}",
        _below(f"{name}_{5000 + number}_assignsubmission_file", files),
    ),
    "Gradescope": _gradescope,
    "nbgrader": lambda name, number, lesson, files, late: (name, _below(f"{name}/{lesson}", files)),
    "nbgrader's exchange": lambda name, number, lesson, files, late: (
        name,
        _below(f"{name}+{lesson}+{WHEN}+x1y2z3", files),
    ),
    "a notebook": _notebook,
}


def _all_files(planned: list[Planned]) -> Files:
    """What lies in the class's folder; the list of Gradescope's students is one file."""
    found: Files = {}
    for one in planned:
        for path, content in one.files.items():
            found[path] = found.get(path, b"") + content if path == METADATA else content
    return found
