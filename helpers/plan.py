"""The plan of the course, `plan.json` beside this file: what each lesson asks for, in order. The build writes it."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_suffix(".json")

# What lessons were called before they were renumbered. Work kept under an old name is read on under the new one.
RENAMED = {
    "03_convolution": "04_convolution",
    "04_encoder": "05_encoder",
    "05_decoder": "06_decoder",
    "06_skips": "07_skips",
    "07_losses": "08_losses",
    "08_training": "09_training",
    "09_baseline": "10_baseline",
    "10_in_the_wild": "11_in_the_wild",
    "11_project": "13_project",
}


def lessons() -> list[dict[str, Any]]:
    """What each lesson asks for: see `autograde.plan.lesson_plan`."""
    return json.loads(PATH.read_text(encoding="utf-8"))["lessons"]


def exercises() -> list[str]:
    """Names of all exercises, in the order in which the lessons ask for them."""
    return [name for lesson in lessons() for name in lesson["checks"]]


def names(lesson: str) -> list[str]:
    """The names under which a lesson's work may lie: its own, then the old one if it was renamed."""
    return [lesson, *(old for old, new in RENAMED.items() if new == lesson)]


@functools.cache
def cells() -> frozenset[str]:
    """Ids of the code cells that the lessons come with, without those that a student writes."""
    return frozenset(id for lesson in lessons() for id in lesson["cells"])


def cell_id(source: str) -> str:
    """The id of a cell with this text: while it is in `cells`, nobody has changed it."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]
