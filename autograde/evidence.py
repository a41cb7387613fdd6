"""Answers by people who have seen the task texts and no exercise file: what the checks say of them.

A set is a folder in `tests/evidence/`, with a file for each exercise. A file holds answers, each a cell:

    # %% right: with einsum
    def dice(pred, target): ...

    # %% wrong: divides by the union
    def dice(pred, target): ...

`[two]` begins the text of one that is wrong in two places. `set.yaml` says when and how the set was written, and which
answers were given a name that is not true of them, as somebody read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from autograde import markdown
from autograde.build_cache import LESSONS, ROOT
from helpers import exercises
from helpers.checks.session import verdict_of
from helpers.checks.verdict import Verdict

FOLDER = ROOT / "tests" / "evidence"
TABLE = markdown.Published(
    "evidence",
    ("set", "right ones accepted", "wrong ones caught", "named", "names true", "two mistakes: named"),
    ROOT / "docs" / "evidence.json",
)


@dataclass(frozen=True)
class Held:
    """One answer: of which exercise, whether it is right, in words what it is, and its source."""

    exercise: str
    is_right: bool
    what: str
    source: str

    @property
    def has_two(self) -> bool:
        """Whether it is wrong in two places."""
        return self.what.startswith("[two]")


def answers(folder: Path) -> Iterator[Held]:
    """The answers of a set, in the order of the course.

    Raises:
        ValueError: a file is of no exercise.
    """
    files = {path.stem: path for path in folder.glob("*.py")}
    if strange := files.keys() - set(exercises.names()):
        raise ValueError(f"{folder.name} has files of no exercise: {', '.join(sorted(strange))}.")
    for name in filter(files.__contains__, exercises.names()):
        cells = re.split(r"^# %% ", files[name].read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        for head, source in (cell.split("\n", 1) for cell in cells):
            kind, _, what = head.partition(":")
            yield Held(name, kind == "right", what.strip(), source)


def examine(held: Held) -> Verdict:
    """What `check` says of an answer, in its lesson, where all earlier pieces are the course's own."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    lesson = (LESSONS / f"{exercises.load(held.exercise).lesson}.py").read_text(encoding="utf-8")
    imports = re.findall(r"^(?:import|from) [^(\n]+$", lesson, flags=re.MULTILINE)
    exec("import numpy as np\n" + "\n".join(imports), namespace)
    earlier = exercises.names()[: exercises.names().index(held.exercise)]
    namespace |= {name: exercises.load(name).reference for name in earlier}
    exec(compile(held.source, f"<{held.exercise}>", "exec"), namespace)
    return verdict_of(held.exercise, namespace[held.exercise])


def amiss(held: Held, verdict: Verdict) -> str:
    """What is not as it should be: an answer of the set that is refused, passes, or has no name; empty otherwise."""
    if held.is_right:
        return "" if verdict.status == "passed" else "refused"
    return "passed" if verdict.status == "passed" else "" if verdict.diagnosis else "not named"


def row(folder: Path, verdicts: list[tuple[Held, Verdict]]) -> tuple[str, ...]:
    """A row of the README's table."""
    about = yaml.safe_load((folder / "set.yaml").read_text(encoding="utf-8"))
    right = [verdict.status == "passed" for held, verdict in verdicts if held.is_right]
    wrong = [(held, verdict) for held, verdict in verdicts if not held.is_right]
    named = [held for held, verdict in wrong if verdict.diagnosis]
    false = {(entry["exercise"], entry["what"]) for entry in about["false names"]}
    true = [held for held in named if (held.exercise, held.what) not in false]
    two = [verdict.diagnosis is not None for held, verdict in wrong if held.has_two]
    caught = sum(verdict.status != "passed" for _, verdict in wrong)
    pairs = ((sum(right), right), (caught, wrong), (len(named), wrong), (len(true), named), (sum(two), two))
    return (f"{folder.name}: {about['about']}", *(f"{part} of {len(whole)}" for part, whole in pairs))
