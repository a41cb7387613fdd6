"""Trainings that were made beforehand, since a lesson has no time for five of each: dated, with their settings.

`python course.py bench NAME` makes `NAME.json` again.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def read(name: str) -> dict[str, Any]:
    """What was measured: `"day"`, `"made by"`, `"of"`, a hash of what it depends on, and `"runs"`."""
    found: dict[str, Any] = json.loads(files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return found
