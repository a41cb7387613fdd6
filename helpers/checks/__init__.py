"""The engine that turns an exercise into checks, hints and a diagnosis.

`verdict` and `render` hold and show results, `probes` draws inputs, `subject` is the only door to a student's object,
`compare` decides what is equal, `engine` puts them together, and `session` and `earlier` are what a notebook calls.
"""

from __future__ import annotations

from typing import Any

from helpers.checks.previous_lessons import earlier
from helpers.checks.session import check, grade, hint, solution, use
from helpers.checks.verdict import Verdict

__all__ = ["Verdict", "check", "earlier", "examine", "grade", "hint", "solution", "use"]


def examine(name: str, obj: Any, seed: int | None = None) -> Verdict:
    """Check one answer to the exercise `name`, showing nothing: see `helpers.checks.engine.examine`."""
    from helpers.checks import engine  # torch loads when something is checked

    return engine.examine(name, obj, seed)
