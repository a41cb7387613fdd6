"""The README's table of lessons: what each asks of a student, and what its solved notebook takes to run.

Times and memory come from the last run of `tests/autograde/test_notebooks.py`, which runs every lesson under nbgrader
and leaves what it measured in pytest's cache.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from autograde import plan
from autograde.build import between, master, write
from autograde.nbgrader_course import ROOT
from autograde.stamp import LESSONS, lesson_names

README, STORED = ROOT / "README.md", ROOT / "docs" / "lessons.json"
MARK = "lessons"
MEASURED = ROOT / ".pytest_cache" / "v" / "lessons"  # where `config.cache.set("lessons/NAME", …)` writes


def collect(folder: Path = MEASURED) -> dict[str, dict[str, float]]:
    """What the tests measured, by lesson: `"seconds"` and `"memory_mb"` of the solved notebook.

    Raises:
        ValueError: a lesson was not measured.
    """
    missing = [name for name in lesson_names() if not (folder / name).exists()]
    if missing:
        raise ValueError(
            f"Not measured yet: {', '.join(missing)}. Run `python -m pytest -n 0 tests/autograde/test_notebooks.py` "
            "on a quiet machine first."
        )
    return {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in lesson_names()}


def publish(measured: dict[str, dict[str, float]], stored: Path = STORED, readme: Path = README) -> None:
    """Store what was measured, and put the table into the README."""
    text = between(readme.read_text(encoding="utf-8"), MARK, table(measured))
    write(stored, json.dumps(measured, indent=1) + "\n")
    write(readme, text)


def stale(stored: Path = STORED, readme: Path = README) -> bool:
    """Whether the README's table is another than the lessons and what was stored give."""
    text = readme.read_text(encoding="utf-8")
    return between(text, MARK, table(json.loads(stored.read_text(encoding="utf-8")))) != text


def table(measured: dict[str, dict[str, float]]) -> str:
    """The table as Markdown."""
    lines = ["| lesson | you write | points | your time | runs in | peak memory |", "|---|---|---|---|---|---|"]
    for name in lesson_names():
        about, run = facts(name), measured.get(name)
        pieces = ", ".join(f"`{piece}`" for piece in about["pieces"]) or "–"
        took = f"{run['seconds']:.0f} s | {run['memory_mb']:.0f} MB" if run else "– | –"
        link = f"[{about['title']}](notebooks/{name}/{name}.ipynb)"
        lines.append(f"| {link} | {pieces} | {about['points'] or '–'} | {about['time']} | {took} |")
    return "\n".join(lines)


def facts(lesson: str) -> dict[str, Any]:
    """Title, time, exercises and points of a lesson, from its script."""
    script = jupytext.read(LESSONS / f"{lesson}.py", fmt="py:percent")
    opening = script.cells[0].source
    return {
        "title": plan.title(opening),
        "time": plan.time(opening),
        "pieces": [c.metadata["exercise"] for c in script.cells if "exercise" in c.metadata],
        "points": sum(points_of(master(lesson)).values()),
    }


def points_of(notebook: nbformat.NotebookNode) -> dict[str, float]:
    """Points of each graded cell, by its grade id."""
    marks = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {m.grade_id: m.points for m in marks if m.grade}
