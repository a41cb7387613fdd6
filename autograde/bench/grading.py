"""How fast a class is graded, beside plain nbgrader: `python course.py bench grading`.

The answers are those of people who saw the task texts alone (`tests/evidence`), and the course's variants, put into the
notebooks as students get them, in combinations drawn from a seed. nbgrader runs each notebook whole, in a kernel;
both write into a gradebook of their own.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autograde import evidence
from autograde.build import student_versions
from autograde.files import write
from autograde.grade import grade_class
from autograde.judge import modules_before
from autograde.located import program_of
from autograde.nbgrader_course import ROOT, api
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import Warm
from helpers import answer_cells, exercises
from helpers.checks import engine

STORED = ROOT / "docs" / "grading.json"
CLASS = 40
PLAIN = {"02_overlap": 4, "07_skips": 2, "09_training": 2}  # submissions to nbgrader, which takes minutes for each
GOALS = {"02_overlap": 10, "07_skips": 50, "09_training": 50}  # times as fast, with one worker
HEADINGS = ("lesson", "nbgrader", "one worker", "times as fast", "at least", "two workers", "times as fast as one")
QUESTION = "UNet"


def run(say: Callable[[str], None]) -> None:
    """Measure, and keep the figures."""
    lessons, found = list(PLAIN), {}
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        released = student_versions(lessons, course)
        for lesson in lessons:
            handed_in = Path(folder) / lesson
            for number, text in enumerate(classwork(lesson, released[lesson], CLASS)):
                write(handed_in / f"student-{number:02d}" / f"{lesson}.ipynb", text)
            seconds = {f"{n} workers": _ours(lesson, handed_in, released, n) / CLASS for n in (1, 2)}
            seconds["nbgrader"] = _plain(lesson, handed_in, course) / PLAIN[lesson]
            found[lesson] = seconds
            say(f"{lesson}: {seconds}")
    write(STORED, json.dumps({"lessons": found, "question": question()}, indent=1) + "\n")


def classwork(lesson: str, released: str, number: int, seed: int = 0) -> Iterator[str]:
    """Notebooks with right answers in many styles."""
    draw = random.Random(seed)
    held = [one for folder in sorted(evidence.FOLDER.iterdir()) for one in evidence.answers(folder) if one.is_right]
    for _ in range(number):
        notebook = json.loads(released)
        for cell in notebook["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            if name in exercises.names():
                exercise = exercises.load(name)
                variants = [answer_cells.cell(one.solution, one.source, name) for one in exercise.variants]
                variants = [text for text in variants if f"{name}_of_the_course" not in text]  # not made of it alone
                others = [f"import numpy as np\n{one.source}" for one in held if one.exercise == name]
                cell["source"] = draw.choice([*variants, *others])
        yield json.dumps(notebook)


def question(name: str = QUESTION, times: int = 10) -> dict[str, float]:
    """Milliseconds of one question: of its checks alone, and of all, in the sandbox."""
    program = program_of(name, answer_cells.cell(*_own(name), name))
    with Warm() as warm:
        parts = [(part.source, part.cell or "course", part.line) for part in program.parts]
        around, checks, apart = [], [], []
        for _ in range(times + 1):
            began = time.perf_counter()
            with warm.start(program.name, parts, modules_before(name), Limits()) as subject:
                subject.begin()
                ready = time.perf_counter()
                engine.examine_through(name, subject, 0, 100.0)
                done = time.perf_counter()
            around.append(ready - began + time.perf_counter() - done)
            apart.append(done - ready)
            began = time.perf_counter()
            engine.examine(name, exercises.load(name).reference, 0)
            checks.append(time.perf_counter() - began)
    # The first of each pays for what is kept later.
    figures = {"checks": checks, "checks in the sandbox": apart, "fork, lock, cells and end": around}
    return {what: 1000 * sorted(values[1:])[times // 2] for what, values in figures.items()}


def _own(name: str) -> tuple[Any, str]:
    answer = exercises.load(name).right_answers[0]
    return answer.solution, answer.source


def _ours(lesson: str, handed_in: Path, released: dict[str, str], workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        student_versions([lesson], Path(folder))
        began = time.perf_counter()
        results = grade_class(lesson, handed_in, Path(folder), workers=workers)
        seconds = time.perf_counter() - began
    refused = [f"{r.student}: {one.name}: {one.message}" for r in results for one in r.graded if one.state != "passed"]
    refused = [line for line in refused if "No answer was handed in" not in line]
    if refused:
        raise RuntimeError("Right answers were refused:\n" + "\n".join(refused))
    return seconds


def _plain(lesson: str, handed_in: Path, course: Path) -> float:
    students = sorted(handed_in.iterdir())[: PLAIN[lesson]]
    for student in students:
        write(
            course / "submitted" / student.name / lesson / f"{lesson}.ipynb", (student / f"{lesson}.ipynb").read_text()
        )
    nbgrader = api(course)
    began = time.perf_counter()
    for student in students:
        result = nbgrader.autograde(lesson, student.name)
        if not result["success"]:
            raise RuntimeError(f"nbgrader cannot grade {student.name}:\n{result['log']}\n{result['error']}")
    return time.perf_counter() - began
