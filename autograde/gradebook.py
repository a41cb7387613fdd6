"""Puts results into nbgrader's gradebook, and the notebooks that its form grader shows. The one writer of both.

What a person has entered there, a manual score, extra credit or a comment, is never touched.
"""

from __future__ import annotations

import copy
import datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from autograde.files import dumped, markdown_cell, read_notebook, write
from autograde.nbgrader_course import api
from autograde.results import Graded, Result, file_name
from helpers import markup
from helpers.checks import render

PREFIXES = {"exercise": "check-", "question": "quiz-", "manual": ""}  # of the names of grade cells


class GradebookError(Exception):
    """The gradebook does not fit the lesson; the message says what to do."""


class Writer:
    """Writes the results of one lesson. A context manager.

    Args:
        settings: nbgrader's, from `autograde.nbgrader_course.config`.
        lesson: it must be in the gradebook.

    Raises:
        GradebookError: it is not, or has other cells there than it has now.
    """

    def __init__(self, settings: Config, lesson: str, names: list[str]) -> None:
        self._settings, self._lesson = settings, lesson
        directory = settings.CourseDirectory
        self._course = Path(directory.root)
        self._released = read_notebook(self._course / "release" / lesson / f"{lesson}.ipynb")
        self._book = Gradebook(directory.db_url, directory.course_id)
        try:
            self._assignment = self._book.find_assignment(lesson)
            self._notebook = self._book.find_notebook(lesson, lesson)
        except MissingEntry:
            self.close()
            raise GradebookError(f"The gradebook has no {lesson}. Run `python course.py build`.") from None
        if missing := sorted(set(names) - {cell.name for cell in self._notebook.grade_cells}):
            self.close()
            raise GradebookError(
                f"The gradebook in {self._course} knows another version of {lesson}, without {', '.join(missing)}. "
                f"Run `python course.py build`; if it refuses, it says what to do."
            )

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the gradebook."""
        self._book.close()
        self._book.engine.dispose()

    def write(self, result: Result) -> None:
        """Write one result in one transaction, and the student's notebook beside it.

        Where the notebook is of another result, what a person has entered wants another look, and is marked so.
        """
        book, student = self._book, file_name(result.student)
        place = self._course / "autograded" / student / self._lesson / f"{self._lesson}.ipynb"
        changed = result.key != _key(place)
        names = {PREFIXES[one.kind] + one.name: one for one in result.graded}
        written = {one.name: one for one in result.graded if one.kind != "question"}
        try:
            submission = self._submission(student)
            submission.timestamp = _utc(result.submitted)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.name in names:
                        _set_score(grade, names[grade.name], changed)
                for comment in notebook.comments:
                    if comment.name in written:
                        comment.auto_comment = _said(written[comment.name])
                book.db.flush()
                self._set_penalty(submission, notebook)
            book.db.commit()
        except BaseException:
            book.db.rollback()
            raise
        if changed:
            write(place, dumped(with_verdicts(self._released, result)))

    def _submission(self, student: str) -> SubmittedAssignment:
        """The student's submission, made as `Gradebook.add_submission` makes it, but not committed yet."""
        book = self._book
        try:
            return book.find_submission(self._lesson, student)
        except MissingEntry:
            book.update_or_create_student(student)
        with book.db.no_autoflush:
            submission = SubmittedAssignment(assignment=self._assignment, student=book.find_student(student))
            made = SubmittedNotebook(notebook=self._notebook, assignment=submission)
            for cell in self._notebook.grade_cells:
                Grade(cell_id=cell.id, notebook=made)
            for cell in self._notebook.solution_cells:
                Comment(cell_id=cell.id, notebook=made)
        book.db.add(submission)
        book.db.flush()
        return submission

    def _set_penalty(self, submission: SubmittedAssignment, notebook: SubmittedNotebook) -> None:
        """What nbgrader's plugin takes away from late work, as `nbgrader autograde` asks it."""
        notebook.late_submission_penalty = None
        if submission.total_seconds_late <= 0:
            return
        late = AssignLatePenalties(config=self._settings)
        late.init_plugin()
        self._book.db.refresh(notebook)  # its score is the database's sum
        penalty = late.plugin_inst.late_submission_penalty(
            submission.student.id, notebook.score, submission.total_seconds_late
        )
        notebook.late_submission_penalty = None if penalty is None else min(max(penalty, 0), notebook.score)


def prepare(course: Path, db_url: str, lesson: str) -> None:
    """Make the lesson in a gradebook elsewhere, if it is not there, as `build` does in the course's own.

    Raises:
        GradebookError: it cannot be opened, or nbgrader does not accept the lesson.
    """
    nbgrader = api(course, db_url)
    try:
        with nbgrader.gradebook as book:
            book.find_assignment(lesson)
    except MissingEntry:
        result = nbgrader.generate_assignment(lesson)
        if not result["success"]:
            raise GradebookError(f"nbgrader does not accept {lesson}:\n{result['log']}\n{result['error']}") from None
    except (SQLAlchemyError, ImportError) as error:
        raise GradebookError(f"The gradebook at {db_url} cannot be opened: {error}") from None


def with_verdicts(released: NotebookNode, result: Result) -> NotebookNode:
    """The released notebook with what the student wrote, and below each check what was found out."""
    notebook = copy.deepcopy(released)
    notebook.metadata["result"] = result.key
    graded = {PREFIXES[one.kind] + one.name: one for one in result.graded}
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.cell_type == "code":
            cell.outputs = [_output(graded[name])] if name in graded else []
        written = graded.get(name) or graded.get(f"check-{name}")
        if cell.metadata.get("nbgrader", {}).get("solution") and written and written.given:
            cell.source = written.given if written.kind == "exercise" else plain_markdown(written.given)
    if result.problems:
        text = "\n".join(f"- {markup.as_text(problem)}" for problem in result.problems)
        said = f"## About what was handed in\n\n{plain_markdown(text)}"
        notebook.cells.insert(0, markdown_cell(said, "problems"))
    return notebook


def plain_markdown(text: str) -> str:
    """A student's Markdown without HTML and links, neither of which an instructor's browser should be given."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("](", "]&#40;").replace("]:", "]&#58;")


def _output(one: Graded) -> dict[str, Any]:
    text = f"{one.state}, {one.points:g} of {one.max_points:g} points\n{markup.as_text(one.message)}"
    data = {"text/plain": text}
    if one.verdict:
        data["text/html"] = render.as_html(one.verdict)
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _set_score(grade: Any, one: Graded, changed: bool) -> None:
    by_hand = one.state in ("by hand", "flagged")
    grade.auto_score = None if one.state == "by hand" else one.points
    if grade.manual_score is None:
        grade.needs_manual_grade = by_hand
    elif changed:
        grade.needs_manual_grade = True


def _said(one: Graded) -> str:
    return "\n".join(map(markup.as_text, (one.message, *one.notes)))


def _key(notebook: Path) -> str | None:
    """The key of the result that a notebook shows."""
    try:
        found = read_notebook(notebook).metadata.get("result")
    except (OSError, ValueError):
        return None
    return found if isinstance(found, str) else None


def _utc(submitted: str) -> datetime.datetime | None:
    """As nbgrader keeps it: UTC, and without saying so."""
    if not submitted:
        return None
    return datetime.datetime.fromisoformat(submitted).astimezone(datetime.timezone.utc).replace(tzinfo=None)
