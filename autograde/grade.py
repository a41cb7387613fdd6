"""Grades a class with plain nbgrader: gradebook, feedback pages, CSV.

Each submission runs in a kernel of its own, and one that ends its kernel, or never ends, costs its author what is
broken and nobody else anything. It does run as you, with your files in reach: grade only people you trust, or on a
machine you can lose.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import multiprocessing
import os
import queue
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from autograde.build import student_versions
from autograde.build_cache import lesson_names
from autograde.files import dumped, read_notebook, write
from autograde.intake import (
    Assembled,
    IntakeError,
    Submission,
    assemble,
    collect,
    leave_out,
    solution_cells,
    with_notice,
)
from autograde.nbgrader_course import ROOT, api
from helpers.quiz import answers
from helpers.threads import available_cpus

START_SECONDS = 90  # a kernel, torch, and the lesson's own cells


class GradingError(Exception):
    """The class cannot be graded; the message says why and what to do."""


@dataclass(frozen=True)
class Result:
    """One student's result: points by exercise, and what was wrong with the submission."""

    student: str
    points: dict[str, float]
    most: dict[str, float]
    problems: list[str]

    @property
    def score(self) -> float:
        """Points of all exercises."""
        return sum(self.points.values())

    @property
    def max_score(self) -> float:
        """The most points there are."""
        return sum(self.most.values())


def grade_class(
    lesson: str,
    submissions: Path,
    course: Path,
    cell_seconds: int = 120,
    console: Console | None = None,
    keys_folder: Path | None = None,
) -> list[Result]:
    """Grade every submission of `lesson` in `submissions`, and write gradebook, feedback pages and CSV into `course`.

    A broken submission gets no points for what is broken, with the reason in its feedback, and never stops the rest.
    The keys are those that the course was built with, unless there is a `keys_folder`.

    Raises:
        BuildError: the keys in `keys_folder` are not in order.
        GradingError: there is no such lesson, the submissions cannot be read, or nbgrader itself does not work.
    """
    console = console or Console(quiet=True)
    course = course.resolve()  # nbgrader changes the working directory
    released_path = course / "release" / lesson / f"{lesson}.ipynb"
    if not released_path.exists():
        raise GradingError(
            f"{lesson} is not built. The lessons are: {', '.join(lesson_names())}. Run `python course.py build` first."
        )
    if keys_folder:
        student_versions([lesson], course, keys_folder)
    released = read_notebook(released_path)
    try:
        handed_in = collect(submissions, lesson)
    except IntakeError as error:
        raise GradingError(str(error)) from None

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    graders: queue.SimpleQueue[_Grader] = queue.SimpleQueue()
    workers = min(available_cpus(), len(handed_in))
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress(*columns, console=console))
        for _ in range(workers):
            graders.put(stack.enter_context(_Grader(course, cell_seconds)))
        task = progress.add_task(f"Grading {lesson}", total=len(handed_in))

        def grade_next(submission: Submission) -> Result:
            grader = graders.get()
            try:
                return _grade_one(lesson, submission, released, course, grader)
            finally:
                graders.put(grader)
                progress.advance(task)

        pool = stack.enter_context(ThreadPoolExecutor(workers))
        stack.callback(pool.shutdown, cancel_futures=True)  # an error or Ctrl-C does not wait for the whole class
        results = list(pool.map(grade_next, handed_in))
    table = course / "grades" / f"{lesson}.csv"
    write(table, _csv(results))
    _report(results, lesson, console)
    console.print(f"gradebook  {_short(course / 'gradebook.db')}", soft_wrap=True)
    console.print(f"feedback   {_short(course / 'feedback')}/STUDENT/{lesson}/{lesson}.html", soft_wrap=True)
    console.print(f"table      {_short(table)}", soft_wrap=True)
    return results


def _grade_one(lesson: str, submission: Submission, released: NotebookNode, course: Path, grader: _Grader) -> Result:
    student, assembled = submission.student, assemble(released, submission)
    names = [cell.metadata.nbgrader.grade_id for cell in solution_cells(released)]
    failure = grader.autograde(lesson, student, assembled)
    if failure:
        # Some cell ended the kernel or never gave it back. Find out which, and grade the rest.
        for name in names:
            alone = assemble(released, submission)
            for other in set(names) - {name}:
                leave_out(alone, released, other, "left out")
            if grader.autograde(lesson, student, alone):
                reason = f"The cell of `{name}` ended the kernel or ran on and on, so it was left out."
                leave_out(assembled, released, name, reason)
        failure = grader.autograde(lesson, student, assembled)
    if failure:
        for name in names:
            leave_out(assembled, released, name, f"With the others, the cell of `{name}` stopped the notebook.")
        failure = grader.autograde(lesson, student, assembled)
    if failure:
        raise GradingError(
            f"nbgrader cannot grade {lesson} even without any of {student}'s code:\n{failure}\n"
            "Nothing is wrong with the submission. Run `python course.py doctor`, and `python course.py build`."
        )
    if failure := grader.write_feedback(lesson, student):
        raise GradingError(f"nbgrader cannot write the feedback of {student}:\n{failure}")
    return _result(lesson, student, assembled, course)


class _Grader:
    """A process that runs `nbgrader autograde`, one student after another.

    The kernel it starts runs the student's code. When a run does not end, both are ended, and a new one is started.
    """

    def __init__(self, course: Path, cell_seconds: int) -> None:
        self._course, self._cell_seconds = course, cell_seconds
        self._process: BaseProcess | None = None

    def __enter__(self) -> _Grader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def autograde(self, lesson: str, student: str, assembled: Assembled) -> str | None:
        """Grade one notebook into the gradebook; what went wrong, or `None`."""
        place = self._course / "submitted" / student / lesson / f"{lesson}.ipynb"
        write(place, dumped(with_notice(assembled)))
        write(place.with_name(answers.FILE), json.dumps(assembled.answers))
        return self._run("autograde", lesson, student)

    def write_feedback(self, lesson: str, student: str) -> str | None:
        """Write the feedback page of a graded notebook; what went wrong, or `None`."""
        return self._run("generate_feedback", lesson, student)

    def _run(self, step: str, lesson: str, student: str) -> str | None:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._course, self._cell_seconds))
            self._process.start()
            theirs.close()
        try:
            self._connection.send((step, lesson, student))
            if self._connection.poll(START_SECONDS + 3 * self._cell_seconds):
                answer: str | None = self._connection.recv()
                return answer
            failure = "It did not end in time."
        except (EOFError, OSError):
            failure = "The grading process ended."
        self._end()
        return failure

    def _end(self) -> None:
        if self._process is None:
            return
        assert self._process.pid is not None  # it was started
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            for member in [*process.children(recursive=True), process]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
        self._process.join()
        self._process = None


def _serve(connection: Connection, course: Path, cell_seconds: int) -> None:
    """The grading process: receives a step, lesson and student, answers with what went wrong, or `None`."""
    logging.disable(logging.CRITICAL)  # nbgrader's log of a failed run comes back in its result
    # Kernels, and the students' code in them, write to the stderr they inherit; it is not for the instructor's screen.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    nbgrader = api(course, cell_seconds)
    while True:
        try:
            step, lesson, student = connection.recv()
        except EOFError:
            return
        result = getattr(nbgrader, step)(lesson, student)
        connection.send(None if result["success"] else f"{result['log']}\n{result['error']}"[-3000:])


def _result(lesson: str, student: str, assembled: Assembled, course: Path) -> Result:
    with api(course).gradebook as gradebook:
        grades = gradebook.find_submission_notebook(lesson, lesson, student).grades
        found = {grade.name: (grade.score, grade.max_score) for grade in grades}
    graded = [cell.metadata.nbgrader for cell in assembled.notebook.cells if "nbgrader" in cell.metadata]
    points, most = {}, {}
    for id in [marks.grade_id for marks in graded if marks.grade]:
        name = id.removeprefix("check-").removeprefix("quiz-")
        points[name], most[name] = found[id]
    return Result(student, points, most, list(assembled.problems.values()))


def _csv(results: list[Result]) -> str:
    text = io.StringIO()
    exercises = list(results[0].points)
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", "score", "max_score", *exercises, "problems"])
    for r in results:
        numbers = [r.score, r.max_score, *(r.points[n] for n in exercises)]
        table.writerow([r.student, *(f"{number:g}" for number in numbers), " ".join(r.problems)])
    return text.getvalue()


def _report(results: list[Result], lesson: str, console: Console) -> None:
    table = Table(title=lesson)
    table.add_column("student")
    for name, most in results[0].most.items():
        table.add_column(f"{name} ({most:g})", justify="right")
    table.add_column(f"score ({results[0].max_score:g})", justify="right")
    table.add_column("problems")
    for r in results:
        table.add_row(r.student, *(f"{p:g}" for p in r.points.values()), f"{r.score:g}", " ".join(r.problems))
    console.print(table)


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
