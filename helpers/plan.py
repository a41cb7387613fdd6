"""The plan of the course, `plan.json` beside this file: what each lesson asks for, in order. The build writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_suffix(".json")


def lessons() -> list[dict[str, Any]]:
    """What each lesson asks for: see `autograde.plan.lesson_plan`."""
    return json.loads(PATH.read_text(encoding="utf-8"))["lessons"]


def exercises() -> list[str]:
    """Names of all exercises, in the order in which the lessons ask for them."""
    return [name for lesson in lessons() for name in lesson["checks"]]
