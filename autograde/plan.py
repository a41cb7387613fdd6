"""The plan of the course, `helpers/plan.json`: what each lesson asks for, by name and points.

`progress()` holds a student's record against it. A build makes it from the notebooks.
"""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode

from autograde.build_cache import ROOT
from helpers.quiz import questions

ASKED = re.compile(r'\bquiz\("([^"]+)"\)')

FIRST_ID = "start"  # not from its text: with that, a release would change the plan that its archive holds


def lesson_plan(lesson: str, master: NotebookNode) -> dict[str, Any] | None:
    """What a lesson asks for, from its `build.master`; `None` where it has no time of its own, as the glossary.

    Returns:
        `"lesson"`, `"title"`, `"minutes"`; `"checks"`, `"graded"` and `"texts"`, each by name to points; `"practice"`,
        the questions that only practise; `"cells"`, the ids of the code cells that nobody is asked to write.
    """
    opening = master.cells[0].source
    minutes = re.match(r"(\d+) minutes", time(opening))
    if minutes is None:
        return None
    points = {cell.id: cell.metadata.nbgrader.points for cell in master.cells if _counts(cell)}
    asked = [id for cell in master.cells if cell.cell_type == "code" for id in ASKED.findall(cell.source)]
    graded = {id.removeprefix("quiz-"): worth for id, worth in points.items() if id.startswith("quiz-")}
    checks = {id.removeprefix("check-"): worth for id, worth in points.items() if id.startswith("check-")}
    return {
        "lesson": lesson,
        "title": title(opening),
        "minutes": int(minutes[1]),
        "checks": checks,
        "practice": [id for id in dict.fromkeys(asked) if not questions.find(id).graded],
        "graded": graded,
        "texts": {id: worth for id, worth in points.items() if not id.startswith(("check-", "quiz-"))},
        "cells": [cell.id for cell in master.cells if cell.cell_type == "code" and _is_ours(cell)],
    }


def version() -> str:
    """The course's version, from pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r'^version = "([^"]+)"', text, flags=re.MULTILINE)[0]


def title(opening: str) -> str:
    """A lesson's number and name, from its first cell."""
    return re.findall(r"^# (.+)$", opening, flags=re.MULTILINE)[0].partition(":")[0]


def time(opening: str) -> str:
    """The time that a lesson says it takes, such as "55 minutes", from its first cell."""
    return re.findall(r"\*\*Time\*\* (?:about )?([^·,:(]+)", opening)[0].strip()


def _is_ours(cell: NotebookNode) -> bool:
    """Whether nobody is asked to write it. The first cell, whose id is not from its text, is another in a release."""
    return "nbgrader" not in cell.metadata and cell.id != FIRST_ID


def _counts(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))
