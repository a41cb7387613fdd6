"""Grades a class: results, gradebook, feedback pages, report and table.

Students' code runs in the sandbox of a worker, never here. What is done is kept, so a run that was stopped, or killed,
goes on where it was: the same command again does what is left.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograde import answer_keys, export, feedback, report
from autograde.build_cache import ROOT, lesson_names
from autograde.files import read_notebook, write
from autograde.gradebook import GradebookError, Writer, prepare
from autograde.intake import HandedIn, IntakeError, NotebookCell, Submission, collect
from autograde.nbgrader_course import config
from autograde.results import Graded, Result, Store, file_name
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import SandboxError
from autograde.where import SECONDS
from autograde.worker import UNBOUND, Task, judged, looked, points
from autograde.workers import TRIES, DaskWorkers, Job, NoScheduler, Workers
from helpers.checks.program import Cell, Program
from helpers.data.validation import check_choice
from helpers.markup import code
from helpers.quiz import answers, questions
from helpers.quiz.grading import is_right
from helpers.threads import available_cpus

# What nbgrader's exchange puts beside a submission, and what may stand in it: a student could have written it, too.
EXCHANGE_FILES = {"timestamp.txt": r"[\w :.,/+-]+", "submission_secret.txt": r"[0-9a-f]{128}"}


class GradingError(Exception):
    """The class cannot be graded; the message says why and what to do."""


class Stopped(GradingError):
    """Somebody has stopped it with Ctrl-C; what is done is kept."""


@dataclass(frozen=True)
class Moved:
    """A student's points for one thing that are others than they were; `None` where there were none."""

    student: str
    name: str
    before: float | None
    after: float


@dataclass(frozen=True)
class Lesson:
    """What the submissions to a lesson are held against.

    Attributes:
        name: such as `"02_overlap"`.
        keys: of its graded questions, by id.
        stubs: texts of the cells that a student writes, as they were released, by name.
        seed: from which the probes of this batch are drawn.
        version: of everything else that a result depends on.
    """

    name: str
    keys: Mapping[str, Mapping[str, Any]]
    stubs: Mapping[str, str]
    seed: int
    version: str

    def key(self, submission: Submission, earlier: Mapping[str, Any]) -> str:
        """The key of a result: of all that it depends on but for the seed."""
        parts = [self.name, self.version, dict(self.keys), asdict(submission), dict(earlier)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def grade_class(
    lesson: str,
    submissions: Path,
    course: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    keys_folder: Path | None = None,
    gradebook: str | None = None,
    force: bool = False,
    look: bool = True,
    unsafe: bool = False,
    approve: Callable[[list[Moved]], bool] | None = None,
    console: Console | None = None,
) -> list[Result]:
    """Grade every submission of `lesson` in `submissions`, and write everything about it into `course`.

    Args:
        lesson: such as `"02_overlap"`.
        submissions: a folder or a zip, in any of the layouts of `autograde.intake`.
        course: the nbgrader course folder.
        workers: processes on this machine; as many as there are processors if `None`.
        scheduler: address of a Dask scheduler whose workers judge instead.
        keys_folder: of the graded questions, in place of the course's.
        gradebook: URL of nbgrader's database, in place of `gradebook.db` in `course`.
        force: also grade what has been graded.
        look: also look for the one change that mends an answer without a name.
        unsafe: where students' code cannot be locked in, run it unlocked, and say so in each result.
        approve: asked with the points that are others than before; nothing is written until it has said yes.
        console: where it is told how far things are; nowhere if `None`.

    Returns:
        The results by student, without programs and examples, which are in their files.

    Raises:
        GradingError: there is no such lesson, the submissions cannot be read, this machine cannot lock students' code
            in, or a worker was lost again and again.
    """
    console = console or Console(quiet=True)
    course, began = course.resolve(), time.monotonic()
    lesson_asked, batch = _asked(lesson, course, keys_folder)
    workers = workers or available_cpus()
    with contextlib.ExitStack() as stack:
        try:
            handed_in = stack.enter_context(collect(submissions, lesson))
            if gradebook:
                prepare(course, gradebook, lesson)
            book = stack.enter_context(Writer(config(course, gradebook), lesson, _grade_cells(lesson)))
        except (IntakeError, GradebookError) as error:
            raise GradingError(str(error)) from None
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        progress = stack.enter_context(Progress(*columns, TextColumn("{task.fields[rate]}"), console=console))
        made = DaskWorkers(workers, scheduler) if scheduler else Workers(workers)
        try:
            working = stack.enter_context(made)
        except NoScheduler as error:
            raise GradingError(str(error)) from None
        run = _Run(lesson_asked, course, book, working, progress, len(handed_in), unsafe)
        try:
            run.judge(handed_in, force, approve)
            with contextlib.suppress(KeyboardInterrupt):  # the points are written, and whoever waits has waited enough
                if look:
                    run.look()
        except KeyboardInterrupt:
            raise Stopped(
                f"Stopped: {len(run.done)} of {len(handed_in)} are graded and kept. "
                "The same command goes on with the rest."
            ) from None
        except SandboxError as error:
            raise GradingError(str(error)) from None
        if made.lost:
            raise GradingError(
                f"A worker was lost {TRIES} times over the work of {', '.join(made.lost)}. All others are graded "
                "and kept. Look whether this machine runs out of memory, and give the same command again."
            )
    results = sorted(run.done, key=lambda result: result.student)
    if results:
        batch.close()
        _publish(results, time.monotonic() - began, lesson, course, gradebook, console)
        lines = [f"{run.anew} graded now, {len(results) - run.anew} as before", *sorted(run.moves)]
        console.print("\n".join(lines), soft_wrap=True, markup=False, highlight=False)
    return results


def _asked(lesson: str, course: Path, keys_folder: Path | None) -> tuple[Lesson, _Batch]:
    released = course / "release" / lesson / f"{lesson}.ipynb"
    try:
        check_choice("lesson", lesson, lesson_names())
    except ValueError as error:
        raise GradingError(str(error)) from None
    if not released.exists():
        raise GradingError(f"{lesson} is not built in {_short(course)}. Run `python course.py build` first.")
    if keys_folder and (problems := answer_keys.problems(keys_folder)):
        raise GradingError("The keys are not in order:\n  " + "\n  ".join(problems))
    marked = [cell for cell in read_notebook(released).cells if cell.metadata.get("nbgrader", {}).get("solution")]
    stubs = {cell.metadata.nbgrader.grade_id: cell.source for cell in marked}
    batch = _Batch(course / "results" / f"{lesson}.json")
    keys = answer_keys.load(lesson, keys_folder or answer_keys.KEYS)
    return Lesson(lesson, keys, stubs, batch.seed, _version()), batch


class _Run:
    """Grades what was handed in, and keeps each result as soon as it is there.

    Attributes:
        done: the results that are kept, small enough for a large class.
        anew: how many of them were not there before.
        moves: whose score is another than before, a line each.
    """

    def __init__(
        self,
        lesson: Lesson,
        course: Path,
        book: Writer,
        workers: Workers,
        progress: Progress,
        number: int,
        unsafe: bool,
    ) -> None:
        self._unsafe = unsafe
        self._lesson, self._course, self._book, self._workers = lesson, course, book, workers
        self._store = Store(course / "results")
        self._progress, self._began, self._found = progress, time.monotonic(), 0
        self._bar = progress.add_task(f"Grading {lesson.name}", total=number, rate="")
        self._held: list[tuple[Result, bool]] = []
        self.done: list[Result] = []
        self.anew = 0
        self.moves: list[str] = []

    def judge(self, handed_in: Iterable[HandedIn], force: bool, approve: Callable[[list[Moved]], bool] | None) -> None:
        """Grade all; see `grade_class`."""
        take = self._hold if approve else self._keep
        for submission in (one.read() for one in handed_in):
            earlier = _earlier(self._store, self._lesson.name, submission.student)
            finish = _Finish(self._lesson, submission, self._lesson.key(submission, earlier))
            stored = None if force else self._store.read(self._lesson.name, submission.student)
            if stored is not None and stored.key == finish.key:
                take(stored, False)
            elif submission.problem:
                take(finish(()), True)
            else:
                cells = tuple(Cell(cell.name, cell.source) for cell in submission.cells if cell.kind == "code")
                task = Task(self._lesson.name, cells, self._lesson.seed, earlier, self._unsafe)
                self._workers.do(Job(judged, (task,), _after(finish, take), submission.student, anywhere=True))
        self._workers.finish()
        if approve is None:
            return
        self._progress.stop()  # what is asked stands below it
        if approve(self._moved()):
            for result, is_new in self._held:
                self._keep(result, is_new)
            self._workers.finish()

    def look(self) -> None:
        """Look for the one change that mends each answer that is wrong and has no name, and put it on the pages."""
        unnamed = {result.student: _unnamed(result) for result in self.done}
        students = [student for student, names in unnamed.items() if names]
        if not students:
            return
        bar = self._progress.add_task("Looking for what mends them (Ctrl-C skips)", total=len(students), rate="")
        for student in students:
            result = self._store.read(self._lesson.name, student)
            assert result is not None  # it was kept
            programs = {
                one.name: Program(one.name, one.program) for one in result.graded if one.name in unnamed[student]
            }

            def then(found: Mapping[str, str], result: Result = result) -> None:
                graded = tuple(replace(one, where=found.get(one.name, one.where)) for one in result.graded)
                self._replace(replace(result, graded=graded))
                self._progress.update(bar, advance=1)

            self._workers.do(Job(looked, (programs, result.seed, SECONDS, self._unsafe), then, student, anywhere=True))
        self._workers.finish()

    def _hold(self, result: Result, is_new: bool) -> None:
        self._tick()
        self._held.append((result, is_new))

    def _keep(self, result: Result, is_new: bool) -> None:
        if is_new:
            stored = self._store.read(result.lesson, result.student)
            if stored is not None and stored.score != result.score:
                self.moves.append(f"{export.plain(result.student)}: {stored.score:g} -> {result.score:g}")
            self.anew += 1
            self._replace(result)
        elif not feedback_page(self._course, result.lesson, result.student).exists():
            self._make_page(result)
        _for_the_exchange(self._course, result.lesson, result.student)
        self._book.write(result)
        self.done.append(_slim(result))
        if not self._held:
            self._tick()

    def _replace(self, result: Result) -> None:
        """Put a result in place of the one that was there."""
        # No page is older than its result, whenever this is stopped.
        feedback_page(self._course, result.lesson, result.student).unlink(missing_ok=True)
        self._store.write(result)
        self._make_page(result)

    def _make_page(self, result: Result) -> None:
        page = feedback_page(self._course, result.lesson, result.student)
        job = Job(feedback.page, (result, self._lesson.keys), lambda text: write(page, text), result.student)
        self._workers.add(job)

    def _tick(self) -> None:
        self._found += 1
        rate = self._found / (time.monotonic() - self._began)
        self._progress.update(self._bar, advance=1, rate=f"{rate:.1f} a second")

    def _moved(self) -> list[Moved]:
        """The points of what is held that are others than in the results kept."""
        found = []
        for result, _ in self._held:
            stored = self._store.read(result.lesson, result.student)
            before = {one.name: one.points for one in stored.graded} if stored else {}
            found += [
                Moved(result.student, one.name, before.get(one.name), one.points)
                for one in result.graded
                if one.points != before.get(one.name)
            ]
        return found


def feedback_page(course: Path, lesson: str, student: str) -> Path:
    """Where a student's feedback is, which is where nbgrader looks for it."""
    return course / "feedback" / file_name(student) / lesson / f"{lesson}.html"


def _for_the_exchange(course: Path, lesson: str, student: str) -> None:
    """Put beside a page by what `nbgrader release_feedback` knows its owner, if `nbgrader collect` has brought it."""
    collected = course / "submitted" / file_name(student) / lesson
    for name, form in EXCHANGE_FILES.items():
        path = collected / name
        with contextlib.suppress(OSError, UnicodeError):
            if path.is_symlink() or path.stat().st_size > 1000:
                continue
            if re.fullmatch(form, text := path.read_text(encoding="ascii")):
                write(feedback_page(course, lesson, student).with_name(name), text)


def _publish(
    results: list[Result], seconds: float, lesson: str, course: Path, gradebook: str | None, console: Console
) -> None:
    """Write the table and the report, and say where everything is."""
    table, page = course / "grades" / f"{lesson}.csv", course / "reports" / f"{lesson}.html"
    write(table, export.csv_table(results))
    write(
        page,
        report.page(
            results, seconds, lambda student: f"../feedback/{quote(file_name(student))}/{lesson}/{lesson}.html"
        ),
    )
    console.print(export.terminal_table(results, console.width))
    for what, where in (
        ("in force", ", ".join(_walls(results))),
        ("gradebook", gradebook or _short(course / "gradebook.db")),
        ("feedback", f"{_short(course / 'feedback')}/STUDENT/{lesson}/{lesson}.html"),
        ("report", _short(page)),
        ("table", _short(table)),
    ):
        console.print(f"{what:10s} {where}", soft_wrap=True, markup=False, highlight=False)


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


# ---- What a submission is held against


def _grade_cells(lesson: str) -> list[str]:
    asked = points(lesson)
    return [*(f"check-{n}" for n in asked["checks"]), *(f"quiz-{n}" for n in asked["graded"]), *asked["texts"]]


@cache
def _version() -> str:
    """A hash of the code and the versions of libraries that a verdict depends on."""
    digest = hashlib.sha256(f"{torch.__version__} {numpy.__version__} {Limits()}".encode())
    judging = ("judge.py", "reading.py", "worker.py", "results.py", "sandbox/*.py", "../helpers/**/*.py")
    for path in sorted(path for pattern in judging for path in (ROOT / "autograde").glob(pattern)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _earlier(store: Store, lesson: str, student: str) -> dict[str, Program]:
    """The programs of the pieces of earlier lessons that this student has handed in, and that passed."""
    found: dict[str, Program] = {}
    for before in lesson_names()[: lesson_names().index(lesson)]:
        result = store.read(before, student)
        passed = [one for one in result.graded if one.program and one.state == "passed"] if result else []
        found |= {one.name: Program(one.name, one.program) for one in passed}
    return found


def _after(finish: _Finish, take: Callable[[Result, bool], None]) -> Callable[[Iterable[Graded]], None]:
    return lambda found: take(finish(found), True)


class _Batch:
    """The secret seed of a batch, in a file: drawn when the first is graded, and anew once feedback has been written.

    Late work and second attempts meet other probes than those that somebody has read about.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.seed: int = stored["seed"] if stored.get("open") else secrets.randbits(31)
        self._write(True)

    def close(self) -> None:
        """Say that feedback is out."""
        self._write(False)

    def _write(self, is_open: bool) -> None:
        write(self._path, json.dumps({"seed": self.seed, "open": is_open}) + "\n")


# ---- One submission


@dataclass(frozen=True)
class _Finish:
    """Makes a result of a submission and its judged exercises."""

    lesson: Lesson
    submission: Submission
    key: str

    def __call__(self, found: Iterable[Graded]) -> Result:
        asked, submission = points(self.lesson.name), self.submission
        by_name = {one.name: one for one in found}
        why = submission.problem or "No cell defines it."
        absent = {name: Graded(name, "exercise", "missing", 0.0, most, why) for name, most in asked["checks"].items()}
        others = sorted(submission.answers.keys() - asked["graded"].keys())
        missing = "it is not in `answers.json`." if submission.answers else "there is no `answers.json`."
        graded = [
            *({**absent, **by_name}[name] for name in asked["checks"]),
            *(_question(id, self.lesson.keys[id], submission.answers.get(id), missing) for id in asked["graded"]),
            *(_text(name, most, submission.cells, self.lesson.stubs[name]) for name, most in asked["texts"].items()),
        ]
        problems = [*filter(None, (submission.problem, *submission.notes))]
        if others:
            problems.append(
                f"{code(answers.FILE)} holds answers to questions of other lessons: {code(', '.join(others)[:200])}."
            )
        return Result(
            submission.student,
            self.lesson.name,
            self.key,
            self.lesson.seed,
            tuple(graded),
            tuple(problems),
            submission.submitted,
        )


def _question(id: str, key: Mapping[str, Any], given: str | None, missing: str) -> Graded:
    most = float(key["points"])
    if given is None:
        return Graded(id, "question", "not attempted", 0.0, most, f"No answer was handed in: {missing}")
    question = questions.find(id)
    try:
        right = is_right(question, question.read(given), dict(key))
    except ValueError as error:
        return Graded(id, "question", "error", 0.0, most, code(str(error)), given=given)
    if right:
        return Graded(id, "question", "passed", most, most, f"{code(given)} is right.", given=given)
    return Graded(id, "question", "wrong", 0.0, most, f"{code(given)} is not right.", given=given)


def _text(name: str, most: float, cells: Iterable[NotebookCell], stub: str) -> Graded:
    written = [cell.source for cell in cells if cell.kind == "markdown" and cell.name == name]
    if not written:
        return Graded(name, "manual", "missing", 0.0, most, "No cell of that name holds a text.")
    if written[-1].strip() == stub.strip():
        return Graded(name, "manual", "not attempted", 0.0, most, "The text is as it was handed out.")
    return Graded(name, "manual", "by hand", 0.0, most, "It waits to be graded by hand.", given=written[-1])


def _unnamed(result: Result) -> set[str]:
    """The exercises that are wrong without a name, and that nobody has looked into."""
    return {
        one.name
        for one in result.graded
        if one.state in ("wrong", "error") and one.verdict and not one.verdict.diagnosis and one.where is None
        if not UNBOUND.search(one.message)  # what is missing there is known
    }


def _walls(results: Iterable[Result]) -> list[str]:
    """The walls that stood around every answer that ran."""
    around = [set(one.walls) for result in results for one in result.graded if one.walls]
    return sorted(set.intersection(*around)) if around else ["nothing has run"]


def _slim(result: Result) -> Result:
    """Without what only its file needs, so that a large class is small in memory."""
    graded = [
        replace(one, program=(), verdict=one.verdict and replace(one.verdict, probe=None)) for one in result.graded
    ]
    return replace(result, graded=tuple(graded))
