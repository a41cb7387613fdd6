"""`submit()`: makes the one file that a student hands in, or hands the lesson in through nbgrader's exchange.

What is graded is the notebook as it is saved, so that is compared first with the cells that were run. Where the file
cannot be reached, as on Colab, the definitions that ran are handed in, as a notebook.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import json
import logging
import re
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers import exercises, frontend, host, markup, plan
from helpers.atomic_write import atomic_write
from helpers.checks import program
from helpers.checks.program import Cell, NoProgram
from helpers.checks.session import verdict_of
from helpers.errors import CourseError, called_as, what_to_do
from helpers.extras import extra
from helpers.quiz import answers

ABOUT = "submission.json"  # beside the notebook in the zip: which lesson of which version, and whose
UNWRITTEN = re.compile(r"YOUR ANSWER HERE\s*\Z")
DEFINED = re.compile(r"^(?:def|class)[ \t]+(\w+)", re.MULTILINE)
STATES = {"wrong": "wrong", "error": "raises an error", "not attempted": "not written yet"}
FROM_RUN = (
    "The notebook's file cannot be reached from here, so the definitions that ran were packed instead, and no text or "
    "picture with them."
)
NO_NAME = 'No name is in the file\'s: `submit("ana")` puts yours there.'


class SubmitError(CourseError):
    """Nothing can be handed in; the message says what is wrong and what to do, marked up as in `helpers.markup`."""


@called_as('submit("ana")')
def submit(name: str | None = None) -> None:
    """Hand in this lesson, and say what was handed in and what in it is unanswered or wrong.

    Where the class has nbgrader's exchange, it goes there; elsewhere it is one file to download, such as
    `02_overlap-ana.zip`. Hand in as often as you like: the last one counts. Nothing is raised; where something is in
    the way, it says what, and what to do.

    Args:
        name: yours, for the file's name; that of your account if left out.
    """
    if not frontend.is_interactive():
        markup.say("Nobody is at this notebook, so nothing was handed in.")
        return
    try:
        for sentence in _handed_in(name):
            markup.say(sentence)
    except (SubmitError, answers.AnswersError) as error:
        markup.say(f"*Not handed in.* {error}")
    except OSError as error:
        markup.say(f"*Not handed in.* The file cannot be written: {error.strerror or error}. {what_to_do(error)}")


def _handed_in(name: str | None) -> Iterator[str]:
    if name and not _in_a_file_name(name):
        raise SubmitError(f'{name!r} is no name: no letter and no digit is in it. Give yours, `submit("ana")`.')
    kernel = _Kernel()
    lesson = _lesson(kernel)
    asked = next(one for one in plan.lessons() if one["lesson"] == lesson)
    file = host.notebook()
    given = answers.read()
    if file is None:
        content, cells = _of_run(asked["checks"], kernel)
    else:
        content, cells = file.read_bytes(), _cells(file)
        if changed := [exercise for exercise in asked["checks"] if _differs(exercise, cells, kernel)]:
            raise SubmitError(_changed(changed, cells))
    open_ = list(_open(asked, cells, given, kernel, file is not None))
    exchange = _exchange(lesson, file)
    if exchange:
        yield f"*Handed in* to {exchange} {datetime.now():at %H:%M:%S}: {_what(file, given)}."
    else:
        path = _packed(lesson, content, given, name)
        yield f"*This is what you hand in*: {markup.code(path.name)}, with {_what(file, given)}."
        host.offer(path)
        if not (name or host.user()):
            yield NO_NAME
    if file is None:
        yield FROM_RUN
    yield f"Look again at: {'; '.join(open_)}." if open_ else "Nothing in it is unanswered, and nothing is known wrong."


def unsaved(file: Path) -> list[str]:
    """The exercises whose answer in a saved notebook of this lesson is another than the one that ran last.

    Raises:
        SubmitError: the notebook cannot be read, or which lesson this is cannot be told.
    """
    cells = _cells(file)
    if not frontend.is_interactive():
        return []
    kernel = _Kernel()
    lesson = _lesson(kernel)
    asked = next(one for one in plan.lessons() if one["lesson"] == lesson)
    return [exercise for exercise in asked["checks"] if _differs(exercise, cells, kernel)]


# ---- What ran


class _Kernel:
    """What the notebook's kernel has run, and what that made."""

    def __init__(self) -> None:
        from IPython.core.getipython import get_ipython

        shell: Any = get_ipython()
        self.names: dict[str, Any] = shell.user_ns
        self.texts: list[str] = list(shell.history_manager.input_hist_raw)

    def made(self, exercise: str) -> Any:
        """What stands for an exercise, if it is the student's; else `None`."""
        found = self.names.get(exercise)
        return None if found is exercises.load(exercise).reference else found


def _lesson(kernel: _Kernel) -> str:
    """The lesson that runs here: by the name of the folder, else by the cells that ran."""
    here = plan.RENAMED.get(host.folder().name, host.folder().name)
    lessons = plan.lessons()
    if here in {lesson["lesson"] for lesson in lessons}:
        return here
    ran = {plan.cell_id(text) for text in kernel.texts}
    counts = Counter({lesson["lesson"]: len(ran & set(lesson["cells"])) for lesson in lessons})
    (first, most), (_, second) = counts.most_common(2)
    if most > second:
        return first
    raise SubmitError("Which lesson this is cannot be told: run its cells from the top, then `submit()` again.")


def _changed(changed: Sequence[str], cells: Sequence[Cell]) -> str:
    """Why these exercises' answers are not handed in, and what to do."""
    there = {name for cell in cells for name in DEFINED.findall(cell.source)}
    which = ", ".join(markup.code(exercise) for exercise in changed if exercise in there)
    gone = ", ".join(markup.code(exercise) for exercise in changed if exercise not in there)
    said = []
    if which:
        said.append(f"{which}: what is in the saved notebook is not what you ran last. Run the cell once more.")
    if gone:
        said.append(
            f"{gone}: you ran it, and no cell of the saved notebook defines it. If you have deleted its cell, bring "
            "it back (Esc, then Z), and run it."
        )
    return " ".join([*said, "Then save the notebook (Ctrl+S), and run `submit()` again."])


def _differs(exercise: str, cells: Sequence[Cell], kernel: _Kernel) -> bool:
    """Whether the answer that would be graded is another than the one that ran."""
    made = kernel.made(exercise)
    if made is None:
        return False  # nothing ran, so nothing can be lost
    try:
        ran = program.of_kernel(exercise, made)
    except NoProgram:  # its cells are not known one by one; then the last that defines it must be there
        last = next((text for text in reversed(kernel.texts) if exercise in DEFINED.findall(text)), None)
        return last is not None and last.strip() not in {cell.source.strip() for cell in cells}
    try:
        saved = program.of_cells(exercise, cells)
    except NoProgram:
        return True
    return _own(saved) != _own(ran)


def _own(found: program.Program) -> set[str]:
    return {part.source for part in found.parts if part.own}


def _of_run(asked: Sequence[str], kernel: _Kernel) -> tuple[bytes, list[Cell]]:
    """A notebook of the cells that the exercises' answers need, in the order in which they ran."""
    texts = kernel.texts[:-1]  # without the one that runs now
    wanted: set[int] = set()
    for exercise in asked:
        wanted |= {k for k, text in enumerate(texts) if exercise in DEFINED.findall(text)}
        try:
            found = program.of_kernel(exercise, made) if (made := kernel.made(exercise)) is not None else None
        except NoProgram:
            wanted = set(range(len(texts)))
            break
        wanted |= {int(part.cell) for part in found.parts if part.cell.isdigit()} if found else set()
    # What ran twice stands where it ran last.
    last = {text: k for k, text in enumerate(texts) if k in wanted and text.strip()}
    cells = [Cell(f"ran-{k}", texts[k]) for k in sorted(last.values())]
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": cell.name,
                "metadata": {},
                "outputs": [],
                "source": cell.source,
            }
            for cell in cells
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode(), cells


# ---- What is saved


def _cells(file: Path) -> list[Cell]:
    """The cells of the saved notebook, texts among them, called as in the grading of them."""
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return [
            Cell(str(_marks(cell).get("grade_id") or cell.get("id") or number), "".join(cell["source"]))
            for number, cell in enumerate(cells)
            if cell["cell_type"] == "code" or _marks(cell)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise SubmitError(f"{markup.code(file.name)} is no notebook that can be read: save it again.") from None


def _marks(cell: dict[str, Any]) -> dict[str, Any]:
    return cell.get("metadata", {}).get("nbgrader", {})


def _open(
    asked: dict[str, Any], cells: Sequence[Cell], given: dict[str, str], kernel: _Kernel, is_saved: bool
) -> Iterator[str]:
    """What is unanswered, wrong, or not known to be right, a clause each."""
    for exercise in asked["checks"]:
        made = kernel.made(exercise)
        if made is not None:
            status = verdict_of(exercise, made).status
            if status != "passed":
                yield f"{markup.code(exercise)} ({STATES[status]})"
        elif any(exercise in DEFINED.findall(c.source) and "NotImplementedError" not in c.source for c in cells):
            yield f"{markup.code(exercise)} (not run since the kernel began, so not checked)"
        else:
            yield f"{markup.code(exercise)} (not written yet)"
    for question in asked["graded"]:
        if question not in given:
            yield f'`quiz("{question}")` (not answered)'
    written = {cell.name for cell in cells if not UNWRITTEN.search(cell.source)}
    for text in asked["texts"]:
        if text not in written:
            yield f"the text {markup.code(text)} ({'not written yet' if is_saved else 'not in what is packed'})"


def _what(file: Path | None, given: dict[str, str]) -> str:
    """What is handed in, in words."""
    work = "what you ran" if file is None else f"the notebook as saved {_saved(file)}"
    return f"{work} and {len(given)} {'answer' if len(given) == 1 else 'answers'} to graded questions"


def _saved(file: Path) -> str:
    return f"{datetime.fromtimestamp(file.stat().st_mtime):at %H:%M:%S on %d %B}"


# ---- Handing over


def _packed(lesson: str, content: bytes, given: dict[str, str], name: str | None) -> Path:
    """The file to hand in, beside the notebook; one that was there is replaced."""
    who = _in_a_file_name(name or host.user())
    path = host.folder() / (f"{lesson}-{who}.zip" if who else f"{lesson}.zip")
    about = {"lesson": lesson, "student": who, "course": _version(), "made": datetime.now().astimezone().isoformat()}
    files = {
        f"{lesson}.ipynb": content,
        answers.FILE: (json.dumps(given, indent=1, ensure_ascii=False) + "\n").encode(),
        ABOUT: (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode(),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in files.items():
            info = zipfile.ZipInfo(member, time.localtime()[:6])
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    atomic_write(path, packed.getvalue())
    return path


def _in_a_file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-._")[:60]


def _version() -> str:
    """The course's version: of the plan where that says it, else of what is installed."""
    if version := json.loads(plan.PATH.read_text(encoding="utf-8")).get("version"):
        return str(version)
    try:
        return importlib.metadata.version("build-unet")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _exchange(lesson: str, file: Path | None) -> str:
    """Hand in through nbgrader's exchange, and name the course; empty where there is none with this lesson.

    Raises:
        SubmitError: there is one, and it does not take the lesson.
    """
    folder = host.folder()
    is_fetched = file is not None and file == folder / f"{folder.name}.ipynb"
    if not is_fetched or importlib.util.find_spec("nbgrader") is None:
        return ""
    with extra("class", SubmitError):
        from nbgrader.apps import NbGrader
        from nbgrader.auth import Authenticator
        from nbgrader.coursedir import CourseDirectory
        from nbgrader.exchange import ExchangeError, ExchangeFactory

    app = NbGrader()
    app.log.setLevel(logging.ERROR)  # or it warns of every place where there is no file of settings
    app.load_config_file()
    settings = app.config
    course = CourseDirectory(config=settings)
    course.assignment_id = folder.name
    factory = ExchangeFactory(config=settings)
    exchange = factory.Submit(coursedir=course, authenticator=Authenticator(config=settings), config=settings)
    exchange.assignment_dir, exchange.path_includes_course = str(folder.parent), False
    if not (course.course_id and (Path(exchange.root) / course.course_id / "outbound" / folder.name).is_dir()):
        return ""
    try:
        exchange.start()
    except (ExchangeError, RuntimeError) as error:
        raise SubmitError(f"The exchange of {markup.code(course.course_id)} does not take it: {error}") from None
    return markup.code(str(course.course_id))
