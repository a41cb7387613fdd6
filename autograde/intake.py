"""Takes in what students handed in, in any of the layouts an instructor may have, and never trusts it.

Nothing is executed here. Only the sources of solution cells and the answers to graded questions are used: they go into
the released notebook and beside it, so no other cell of a submission can change what is graded.
"""

from __future__ import annotations

import contextlib
import copy
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograde.files import markdown_cell, parse_notebook, python_of
from helpers.checks.program import Cell
from helpers.quiz import answers

LARGEST_NOTEBOOK = 20_000_000  # bytes; a notebook with its pictures has one or two million
LARGEST_ANSWERS = 100_000
LARGEST_ARCHIVE = 2_000_000_000


class IntakeError(Exception):
    """A submission, or all of them, cannot be read; the message says why."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in for a lesson: a notebook's text, or what is wrong with it."""

    student: str
    text: str | None
    problem: str | None = None
    answers: dict[str, str] = field(default_factory=dict)  # to the graded questions
    answers_problem: str | None = None


@dataclass
class Assembled:
    """A notebook ready to be graded, and what was wrong with the submission, by exercise; `""` for the whole of it."""

    notebook: NotebookNode
    problems: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)


def collect(place: Path, lesson: str) -> list[Submission]:
    """All submissions of `lesson` in `place`, by student.

    `place` is a folder or a zip of `student/notebook.ipynb`, or of nbgrader's `student/lesson/lesson.ipynb`.

    Raises:
        IntakeError: `place` is missing, is no folder or zip, or holds no student's folder.
    """
    with _as_folder(place) as folder:
        students = _folders(_students_root(folder, lesson))
        if not students:
            raise IntakeError(
                f"{place} holds no folder of a student. It must hold one folder a student, named after the student, "
                f"with the notebook inside: {place.name}/ana/{lesson}.ipynb. Put each notebook into such a folder."
            )
        return [_read(student, lesson) for student in students]


def assemble(released: NotebookNode, submission: Submission) -> Assembled:
    """The released notebook with the student's solution cells put into it.

    A cell that is missing, or there twice with different content, leaves the stub in place, which is worth no points,
    and a line in `problems`. A syntax error is kept, to be seen in the feedback, and named.
    """
    result = Assembled(copy.deepcopy(released), answers=submission.answers)
    if submission.answers_problem:
        result.problems[answers.FILE] = submission.answers_problem
    try:
        own = _solution_cells(submission)
    except IntakeError as problem:
        result.problems[""] = str(problem)
        return result
    for cell in solution_cells(result.notebook):
        name = cell.metadata.nbgrader.grade_id
        sources = own.get(name, [])
        if not sources:
            result.problems[name] = f"The cell of `{name}` is missing from the notebook, so there is nothing to grade."
        elif len(set(sources)) > 1:
            result.problems[name] = (
                f"{len(sources)} different cells claim to be `{name}`, which is not for the grader to choose. Keep one."
            )
        else:
            cell.source = sources[0]
            error = _syntax_error(cell.source) if cell.cell_type == "code" else None
            if error:
                result.problems[name] = f"The cell of `{name}` is not valid Python: {error}."
    return result


def code_cells(text: str) -> list[Cell]:
    """The code cells of a handed-in notebook, in order: each by its nbgrader name, else by its id, else by its number.

    Raises:
        IntakeError: the text is no notebook.
    """
    cells = enumerate(_cells(text.removeprefix("\ufeff")), 1)
    return [
        Cell(_name(cell) or str(number), cell["source"])
        for number, cell in cells
        if cell["cell_type"] == "code" and isinstance(cell["source"], str)
    ]


def _cells(text: str) -> list[dict[str, Any]]:
    """All cells of a notebook that are something; IntakeError with what is wrong with the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on a missing or doubled cell id, which is dealt with here
            cells = parse_notebook(text).cells
    except Exception as error:  # whatever a broken file does to the reader, it concerns this student only
        reason = f"{type(error).__name__}: {str(error)[:120]}"
        raise IntakeError(f"The file is not a notebook that can be read ({reason}).") from None
    return [cell for cell in cells if isinstance(cell, dict) and {"cell_type", "source"} <= cell.keys()]


def _name(cell: dict[str, Any]) -> str:
    """What a cell that a student writes is called; empty where nothing says."""
    marks = cell.get("metadata", {}).get("nbgrader", {}) if isinstance(cell.get("metadata"), dict) else {}
    marks = marks if isinstance(marks, dict) else {}
    name = marks.get("grade_id") if marks.get("solution") else cell.get("id") if not marks else None
    return name if isinstance(name, str) else ""


def leave_out(assembled: Assembled, released: NotebookNode, name: str, reason: str) -> None:
    """Put the stub back in place of the student's cell `name`."""
    stubs = {cell.metadata.nbgrader.grade_id: cell.source for cell in solution_cells(released)}
    for cell in solution_cells(assembled.notebook):
        if cell.metadata.nbgrader.grade_id == name:
            cell.source = stubs[name]
    assembled.problems[name] = reason


def with_notice(assembled: Assembled) -> NotebookNode:
    """The notebook to grade, opening with what was wrong with the submission, if anything was."""
    notebook = copy.deepcopy(assembled.notebook)
    if assembled.problems:
        lines = "\n".join(f"- {reason}" for reason in assembled.problems.values())
        text = f"## What was wrong with this submission\n\n{lines}"
        notebook.cells.insert(0, markdown_cell(text, "notice"))
    return notebook


def solution_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that a student writes."""
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]


@contextlib.contextmanager
def _as_folder(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield place
    elif place.is_file() and zipfile.is_zipfile(place):
        with tempfile.TemporaryDirectory() as folder:
            try:
                _unpack(place, folder)
            except (zipfile.BadZipFile, RuntimeError, OSError) as error:
                raise IntakeError(f"{place} cannot be unpacked: {error}. Download or pack it again.") from None
            yield Path(folder)
    else:
        what = "is neither a folder nor a zip" if place.exists() else "does not exist"
        raise IntakeError(f"{place} {what}. Give a folder or a zip with one folder a student.")


def _unpack(place: Path, folder: str) -> None:
    with zipfile.ZipFile(place) as archive:
        wanted = [m for m in archive.infolist() if m.is_dir() or m.filename.endswith((".ipynb", answers.FILE))]
        if sum(m.file_size for m in wanted) > LARGEST_ARCHIVE:
            raise IntakeError(f"{place} unpacks to more than {LARGEST_ARCHIVE / 1e9:g} GB. Split it.")
        for member in wanted:
            archive.extract(member, folder)  # drops `..` and absolute paths from names


def _students_root(folder: Path, lesson: str) -> Path:
    """The folder of the students' folders; many zips have one more folder around them."""
    inside = _folders(folder)
    if len(inside) != 1 or any(inside[0].glob("*.ipynb")) or (inside[0] / lesson).exists():
        return folder
    return inside[0] if any(p.is_dir() for p in inside[0].iterdir()) else folder


def _folders(folder: Path) -> list[Path]:
    """The folders in it, in order, but for what systems and tools leave there."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))


def _read(student: Path, lesson: str) -> Submission:
    folder = student / lesson if (student / lesson).is_dir() else student
    try:
        text = _notebook_text(folder, lesson)
    except IntakeError as problem:
        return Submission(student.name, None, str(problem))
    return Submission(student.name, text, None, *_answers(folder))


def _notebook_text(folder: Path, lesson: str) -> str:
    """The text of the one notebook in a student's folder; raises IntakeError, for the student, without one."""
    notebooks = sorted(p for p in folder.glob("*.ipynb") if p.is_file())
    chosen = [p for p in notebooks if p.stem == lesson] or notebooks
    if not chosen:
        raise IntakeError(f"No notebook was handed in: the folder holds no {lesson}.ipynb.")
    if len(chosen) > 1:
        names = ", ".join(p.name for p in chosen)
        raise IntakeError(f"Several notebooks were handed in ({names}), none called {lesson}.ipynb.")
    path = chosen[0]
    if path.is_symlink():
        raise IntakeError(f"{path.name} is a link to another file, not a notebook.")
    if path.stat().st_size > LARGEST_NOTEBOOK:
        size, most = path.stat().st_size / 1e6, LARGEST_NOTEBOOK / 1e6
        raise IntakeError(f"{path.name} has {size:.0f} MB; {most:.0f} MB is the most that is read.")
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as error:
        raise IntakeError(f"{path.name} cannot be read as text: {error}.") from None


def _answers(folder: Path) -> tuple[dict[str, str], str | None]:
    """The answers to graded questions, and what is wrong with the file of them."""
    path = folder / answers.FILE
    if not path.exists() and not path.is_symlink():
        return {}, None
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_ANSWERS:
        most = f"a file of at most {LARGEST_ANSWERS} bytes"
        return {}, f"{path.name} is not {most}, so no answer to a graded question counts."
    try:
        return answers.read(folder), None
    except answers.AnswersError:
        return {}, f"{path.name} cannot be read as answers, so none to a graded question counts."


def _solution_cells(submission: Submission) -> dict[str, list[str]]:
    """Sources of the solution cells by exercise; raises IntakeError with what is wrong with the file."""
    if submission.text is None:
        raise IntakeError(submission.problem)
    found: dict[str, list[str]] = {}
    for cell in _cells(submission.text):
        name = _name(cell)
        if name and isinstance(cell["source"], str) and cell["cell_type"] in ("code", "markdown"):
            found.setdefault(name, []).append(cell["source"])
    return found


def _syntax_error(source: str) -> str | None:
    try:
        compile(python_of(source), "cell", "exec")
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except ValueError as error:  # a null byte
        return str(error)
    return None
