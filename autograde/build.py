"""Lessons to notebooks.

A lesson is a Jupytext percent script in `autograde/lessons/`. Marks on its cells carry what nbgrader and the
exercises need; everything else is an ordinary cell:

    # %% [markdown] card="dice"      the exercise card, written here from the exercise's file
    # %% exercise="dice"             the cell the student writes, with BEGIN/END SOLUTION inside
    # %% check="dice"                the check; its hidden half and its points are added here
    # %% graded="what-a-skip-is"     the graded question `quiz("what-a-skip-is")`; its key is added here
    # %% [markdown] manual="report" points=4    a text that the student writes, and an instructor grades by hand
    # %% folded="Draw the boxes"     code that a reader may skip: shown as one line
    # %% claim="…"                    whether the sentence quoted is true; in no notebook, see `autograde.claims`

`master` makes the instructor's notebook of it. nbgrader itself makes the student's: solutions and hidden checks gone.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import pprint
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

import helpers
from autograde import answer_keys, plan, released
from autograde.build_cache import LESSONS, inputs, lesson_names
from autograde.files import dumped, read_notebook, write
from autograde.nbgrader_course import CONFIG_FILE, COURSE, ROOT, api
from helpers import exercises
from helpers.plan import PATH as PLAN
from helpers.plan import cell_id
from helpers.quiz.quiz import problems as quiz_problems

NOTEBOOKS = ROOT / "notebooks"

MARKS = ("card", "exercise", "check", "graded", "manual")

HIDDEN_CHECK = """\
### BEGIN HIDDEN TESTS
from helpers.checks import grade
grade("{name}", {name})
### END HIDDEN TESTS"""

HIDDEN_KEY = """\
### BEGIN HIDDEN TESTS
from helpers.quiz.grading import grade_answer
grade_answer("{id}", {key})
### END HIDDEN TESTS"""

# Colab opens one notebook without the course around it. What is found, or fetched, is `helpers/start.py`, which does
# the rest; in a package of somebody else's that is called helpers no `plan.json` lies beside it. No magic command:
# `earlier` reads the cell as Python. Before torch: `helpers` sees to it that threads which wait keep nobody from
# working. What the lesson needs no more is a module, or its name begins with an underscore.
FIRST_CELL = """\
#@title Run this cell first: it {does}
import {modules}
_start = next((os.path.join(p, "helpers/start.py") for p in [{fetched}"..", "../..", *sys.path] if \
all(os.path.isfile(os.path.join(p, "helpers", n)) for n in ("start.py", "plan.json"))), "")
{absent}
runpy.run_path(_start)["start"]("{lesson}", "{version}")
from helpers import {names}"""

# Nothing is released, so there is nothing to fetch.
NO_COURSE = """\
if not _start: raise RuntimeError("The course is not here: no folder above this notebook holds it. Put \
the notebook back into its folder in the course, notebooks/{lesson}, and open it there.")"""

FETCH = """\
if not _start:
    try: _zip = urllib.request.urlopen("{url}", timeout=30).read()
    except Exception as e: raise RuntimeError(f"The course was not fetched: {{e}}. " + ("Ask whoever gave you this \
notebook for a newer one." if hasattr(e, "code") else "See that you are online, then run this cell again.")) from None
    if hashlib.sha256(_zip).hexdigest() != "{sha256}": raise RuntimeError("The course did not \
come whole. Run this cell again; if it says so twice, ask whoever gave you this notebook for a newer one.")
    exec(zipfile.ZipFile(io.BytesIO(_zip)).read("helpers/start.py"), _file := {{}}); \
_start = _file["unpack"](_zip, {folder})"""

# JupyterLab and Colab show such a cell as one line: imports, and what a lesson marks `folded="what it does"`.
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
PICTURE = re.compile(r"\]\((pictures/[\w.-]+\.png)\)")


class BuildError(Exception):
    """A lesson cannot be built; the message says which, why, and what to do."""


@dataclass
class Report:
    """The lessons by what a build did."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # holds somebody's work, so it was left alone


def master(
    lesson: str,
    source: Path | None = None,
    keys_folder: Path = answer_keys.KEYS,
    release: released.Release | None = None,
) -> NotebookNode:
    """The instructor's notebook of a lesson, with solutions, hidden checks and nbgrader's metadata.

    Where there is a release, its first cell fetches that if the course is not around it.

    Raises:
        BuildError: the lesson names no exercise, or one that is not complete.
    """
    script = jupytext.read(source or LESSONS / f"{lesson}.py", fmt="py:percent")
    cells = [_cell(lesson, cell, keys_folder) for cell in script.cells if "claim" not in cell.metadata]
    first_code = next(k for k, cell in enumerate(cells) if cell.cell_type == "code")
    for cell in cells:
        cell.id = _id(cell, taken={other.id for other in cells if other is not cell})
    cells.insert(first_code, nbformat.v4.new_code_cell(first_cell(lesson, release), metadata=FOLDED, id=plan.FIRST_ID))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def first_cell(lesson: str, release: released.Release | None = None) -> str:
    """The code that every notebook begins with, at most ten lines: the same but for the lesson's name."""
    given = {"lesson": lesson, "version": plan.version(), "names": ", ".join(helpers.__all__)}
    if release is None:
        absent = NO_COURSE.format(lesson=lesson)
        return FIRST_CELL.format(does="finds the course", modules="os, runpy, sys", fetched="", absent=absent, **given)
    folder = f'"build-unet/{release.tag}"'
    return FIRST_CELL.format(
        does="finds the course, or fetches it",
        modules="hashlib, io, os, runpy, sys, urllib.request, zipfile",
        fetched=f"{folder}, ",
        absent=FETCH.format(url=release.archive, sha256=release.sha256, folder=folder),
        **given,
    )


def student_versions(
    lessons: list[str],
    course: Path,
    keys_folder: Path = answer_keys.KEYS,
    release: released.Release | None = None,
) -> dict[str, str]:
    """Put masters into `course/source/`, have nbgrader make `course/release/`, and return the students' notebooks."""
    if problems := answer_keys.problems(keys_folder):
        raise BuildError("The keys are not in order:\n  " + "\n  ".join(problems))
    course.mkdir(parents=True, exist_ok=True)
    write(course / "nbgrader_config.py", CONFIG_FILE)
    nbgrader = api(course)
    built = {}
    for lesson in lessons:
        whole = master(lesson, keys_folder=keys_folder, release=release)
        write(course / "source" / lesson / f"{lesson}.ipynb", dumped(whole))
        result = nbgrader.generate_assignment(lesson)
        if not result["success"] and "there are submissions associated with it" in result["log"]:
            raise BuildError(
                f"{lesson} has other graded cells than before, and the gradebook in {course} holds submissions to the "
                "version before; nbgrader keeps those two together. Grade what is handed in with that version first. "
                f"Then move {course.name}/ away and build again: a new gradebook is made."
            )
        if not result["success"]:
            raise BuildError(f"nbgrader does not accept {lesson}:\n{result['log']}\n{result['error']}")
        released = read_notebook(course / "release" / lesson / f"{lesson}.ipynb")
        released.metadata["course"] = {"lesson": lesson, "sources": _sources(released)}
        built[lesson] = dumped(released)
    return built


def build(
    notebooks: Path = NOTEBOOKS,
    course: Path = COURSE,
    force: bool = False,
    keys_folder: Path = answer_keys.KEYS,
    plan_file: Path = PLAN,
    release_file: Path = released.FILE,
) -> Report:
    """Build every lesson into the nbgrader course folder and into `notebooks/`.

    A notebook in which somebody has written is left as it is, unless `force` is set.

    Raises:
        BuildError: a lesson, an exercise or a quiz file is not in order.
    """
    problems = [p for exercise in exercises.written() for p in exercises.problems(exercise)] + quiz_problems()
    if problems:
        raise BuildError("The lessons cannot be built:\n  " + "\n  ".join(problems))
    report = Report()
    release = released.read(release_file)
    for lesson, text in student_versions(lesson_names(), course, keys_folder, release).items():
        target = notebooks / lesson / f"{lesson}.ipynb"
        if target.exists() and target.read_text(encoding="utf-8") == text:
            report.unchanged.append(lesson)
        elif target.exists() and not force and _holds_work(target):
            report.kept.append(lesson)
        else:
            write(target, text)
            report.written.append(lesson)
    write(plan_file, planned(course))
    write(course / "built.json", json.dumps({"inputs": inputs()}))
    return report


def planned(course: Path) -> str:
    """What the masters in `course/source/` ask for, as the text of `plan.json`."""
    names = lesson_names()
    found = [plan.lesson_plan(name, read_notebook(course / "source" / name / f"{name}.ipynb")) for name in names]
    whole = {"version": plan.version(), "lessons": [one for one in found if one]}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _cell(lesson: str, cell: NotebookNode, keys_folder: Path) -> NotebookNode:
    marks = {key: cell.metadata[key] for key in MARKS if key in cell.metadata}
    if not marks:
        if cell.cell_type == "markdown":
            return nbformat.v4.new_markdown_cell(PICTURE.sub(_picture, cell.source))
        title = cell.metadata.get("folded") or ("Imports" if _only_imports(cell.source) else None)
        if title:
            return nbformat.v4.new_code_cell(f"#@title {title}\n{cell.source}", metadata=FOLDED)
        return nbformat.v4.new_code_cell(cell.source)
    (mark, name), *more = marks.items()
    if more:
        raise BuildError(f"{lesson}: a cell is marked {' and '.join(marks)}. Give it one mark.")
    if mark == "graded":
        return _graded(lesson, cell, name, keys_folder)
    if mark == "manual":
        return _manual(lesson, cell, name)
    try:
        exercise = exercises.load(name)
    except ValueError as error:
        raise BuildError(f"{lesson}: {error}") from None
    if mark == "card":
        return nbformat.v4.new_markdown_cell(exercise.card())
    if mark == "exercise":
        if "### BEGIN SOLUTION" not in cell.source:
            raise BuildError(f"{lesson}: the cell of `{name}` has no ### BEGIN SOLUTION, so students would get it all.")
        return _code_cell(cell.source, name, solution=True)
    hidden = HIDDEN_CHECK.format(name=name)
    return _code_cell(f"{cell.source}\n{hidden}", f"check-{name}", grade=True, points=exercise.points)


def _picture(found: re.Match[str]) -> str:
    """A picture of a text, in the text: notebooks are handed on by themselves."""
    return f"](data:image/png;base64,{base64.b64encode((LESSONS / found[1]).read_bytes()).decode()})"


def _only_imports(source: str) -> bool:
    """Whether a cell brings names and does nothing else; pieces of earlier lessons come by `earlier(...)`."""
    body = ast.parse(source).body
    brings = [
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("earlier("))
        for node in body
    ]
    return bool(body) and all(brings)


def _graded(lesson: str, cell: NotebookNode, id: str, keys_folder: Path) -> NotebookNode:
    """The cell of a graded question: it shows the question, and when graded compares the answer with the key."""
    key = answer_keys.load(lesson, keys_folder).get(id)
    if key is None:
        raise BuildError(f"{lesson}: the graded question {id!r} has no key in {keys_folder.name}/{lesson}.yaml.")
    if cell.source.strip() != f'quiz("{id}")':
        raise BuildError(f'{lesson}: the cell of the graded question {id!r} must be quiz("{id}") and nothing else.')
    key = {name: value for name, value in key.items() if name != "id"}
    hidden = HIDDEN_KEY.format(id=id, key=pprint.pformat(key, width=110, sort_dicts=False))
    return _code_cell(f"{cell.source.strip()}\n{hidden}", f"quiz-{id}", grade=True, points=key["points"])


def _manual(lesson: str, cell: NotebookNode, name: str) -> NotebookNode:
    """The cell of a text that is graded by hand, in nbgrader's form grader."""
    points = cell.metadata.get("points")
    if cell.cell_type != "markdown" or not isinstance(points, int | float) or points <= 0:
        raise BuildError(f"{lesson}: manual={name!r} marks a Markdown cell and needs points, such as points=4.")
    marks = _nbgrader(name, solution=True, grade=True, points=points) | {"locked": False}
    return nbformat.v4.new_markdown_cell(cell.source, metadata={"nbgrader": marks})


def _code_cell(source: str, grade_id: str, **marks: Any) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": _nbgrader(grade_id, **marks)})


def _nbgrader(grade_id: str, solution: bool = False, grade: bool = False, points: float | None = None) -> dict:
    marks = {"grade": grade, "solution": solution, "task": False, "locked": grade}
    return {"schema_version": 3, "grade_id": grade_id, **marks, **({"points": points} if grade else {})}


def _id(cell: NotebookNode, taken: set[str]) -> str:
    """A cell id that stays as long as the cell's text does, or its grade id where it has one."""
    base = cell.metadata.get("nbgrader", {}).get("grade_id") or cell_id(cell.source)
    return next(id for id in (base, *(f"{base}-{k}" for k in range(2, 100))) if id not in taken)


def _sources(notebook: NotebookNode) -> str:
    """A hash of all that a person would write in the notebook; outputs do not count."""
    return hashlib.sha256("\0".join(cell.source for cell in notebook.cells).encode()).hexdigest()


def _holds_work(path: Path) -> bool:
    try:
        notebook = read_notebook(path)
    except Exception:  # whatever it is, it is not ours to overwrite
        return True
    return notebook.metadata.get("course", {}).get("sources") != _sources(notebook)
