"""Puts the class into a folder a lesson, each submission made from the notebook that was handed out."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterable
from pathlib import Path

from tests.hostile import byhand, denial, files, forging, honest, observed, reading
from tests.hostile.case import Case, Notebook

CASES: list[Case] = [
    case for module in (forging, reading, denial, byhand, observed, files, honest) for case in module.CASES
]


def lessons(cases: Iterable[Case]) -> list[str]:
    """The lessons that they hand in to, in the course's order."""
    return sorted({case.lesson for case in cases})


def lay_out(cases: Iterable[Case], released: Path, place: Path) -> None:
    """Write the submissions into `place/LESSON/STUDENT`.

    Args:
        released: nbgrader's folder of the notebooks that were handed out.
    """
    stubs: dict[str, Notebook] = {}
    for case in cases:
        if case.lesson not in stubs:
            stubs[case.lesson] = json.loads((released / case.lesson / f"{case.lesson}.ipynb").read_text("utf-8"))
        lay_one(case, copy.deepcopy(stubs[case.lesson]), place / case.lesson)


def lay_one(case: Case, notebook: Notebook, place: Path) -> None:
    """Write one submission."""
    for cell in notebook["cells"]:
        cell["source"] = case.cells.get(cell["id"], cell["source"])
    if case.edit:
        case.edit(notebook)
    folder = Path(os.fsdecode(os.fsencode(place)), case.student)
    folder.mkdir(parents=True)
    if case.lay:
        case.lay(folder, notebook)
    else:
        (folder / f"{case.lesson}.ipynb").write_text(json.dumps(notebook))
