"""The README's table of lessons: what each asks of a student, and what its solved notebook takes to run.

`tests/autograde/test_notebooks.py` runs every lesson under nbgrader, and leaves seconds and memory in pytest's cache.
They are published by lesson, each with a hash of the code that ran.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from autograde import markdown, plan
from autograde.build import master
from autograde.build_cache import LESSONS, lesson_names
from autograde.files import write
from autograde.nbgrader_course import ROOT

README, STORED = ROOT / "README.md", ROOT / "docs" / "lessons.json"
MARK = "lessons"
TESTS = ROOT / "tests" / "autograde" / "test_notebooks.py"
MEASURED = ROOT / ".pytest_cache" / "v" / "lessons"  # where `config.cache.set("lessons/NAME", …)` writes


def measure(lesson: str) -> None:
    """Run the test of a lesson's solved notebook, alone; `collect` finds what it measured.

    Raises:
        RuntimeError: it does not run to its end.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", str(TESTS), "-k", f"{lesson} and solved"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{lesson} does not run to its end:\n{done.stdout}{done.stderr}")


def collect(lessons: list[str], folder: Path = MEASURED) -> dict[str, dict[str, Any]]:
    """What the tests measured: by lesson `"seconds"`, `"memory_mb"`, and of which `"source"`."""
    measured = {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in lessons}
    return {name: {**seen, "source": fingerprint(name)} for name, seen in measured.items()}


def publish(measured: dict[str, dict[str, Any]], stored: Path = STORED, readme: Path = README) -> None:
    """Store what was measured beside what was measured of other lessons, and put the table into the README."""
    everything = {**read(stored), **measured}
    kept = {name: everything[name] for name in lesson_names() if name in everything}
    text = markdown.between(readme.read_text(encoding="utf-8"), MARK, table(kept))
    write(stored, json.dumps(kept, indent=1) + "\n")
    write(readme, text)


def read(stored: Path = STORED) -> dict[str, dict[str, Any]]:
    """What is published, by lesson."""
    return json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}


def compared(lesson: str, now: dict[str, Any], before: dict[str, Any] | None) -> str:
    """One line on what a lesson takes, and took before; asks for a quiet machine where it takes far longer now."""
    line = f"{lesson}: {now['seconds']:.0f} s, {now['memory_mb']:.0f} MB"
    if before is None:
        return line
    line += f" (before: {before['seconds']:.0f} s, {before['memory_mb']:.0f} MB)"
    slower = now["seconds"] > 1.3 * before["seconds"] + 3
    return line + (". Did something else run meanwhile? If so, measure again on a quiet machine." if slower else "")


def stale(stored: Path = STORED, readme: Path = README) -> list[str]:
    """What is no longer true of the published table: in words, with what to run and what that costs."""
    measured, found = read(stored), []
    for name in lesson_names():
        run = f"python course.py lessons --measure {name}"
        if name not in measured:
            found.append(f"{name} is not measured: {run}")
        elif measured[name]["source"] != fingerprint(name):
            cost = f" (some {measured[name]['cost']} s)" if "cost" in measured[name] else ""
            found.append(f"{name} has changed since it was measured: {run}{cost}")
    text = readme.read_text(encoding="utf-8")
    if markdown.between(text, MARK, table(measured)) != text:
        found.append("the README's table is another than the lessons give: python course.py lessons (some seconds)")
    return found


def fingerprint(lesson: str) -> str:
    """A hash of the code that a solved lesson runs, comments and imports apart.

    Checks and graded questions are not in it, nor is the first cell, which only finds the course.
    """
    cells = [cell for cell in master(lesson).cells if cell.cell_type == "code" and cell.id != plan.FIRST_ID]
    ran = [_code(cell.source) for cell in cells if "points" not in cell.metadata.get("nbgrader", {})]
    return hashlib.sha256("\n".join(ran).encode()).hexdigest()[:16]


def _code(cell: str) -> str:
    """A cell without what changes no running time: comments, imports, magic commands."""
    try:
        body = ast.parse(re.sub(r"^(\s*)%.*", r"\1pass", cell, flags=re.MULTILINE)).body
    except SyntaxError:
        return cell
    return "\n".join(ast.unparse(node) for node in body if not isinstance(node, ast.Import | ast.ImportFrom))


def table(measured: dict[str, dict[str, Any]]) -> str:
    """The table as Markdown."""
    rows = []
    for name in lesson_names():
        about, run = facts(name), measured.get(name)
        pieces = ", ".join(f"`{piece}`" for piece in about["pieces"]) or "–"
        took = (f"{run['seconds']:.0f} s", f"{run['memory_mb']:.0f} MB") if run else ("–", "–")
        link = f"[{about['title']}](notebooks/{name}/{name}.ipynb)"
        rows.append((link, pieces, about["points"] or "–", about["time"], *took))
    return markdown.table(("lesson", "you write", "points", "your time", "runs in", "peak memory"), rows)


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


def points_of(notebook: NotebookNode) -> dict[str, float]:
    """Points of each graded cell, by its grade id."""
    marks = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {m.grade_id: m.points for m in marks if m.grade}
