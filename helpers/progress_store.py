"""What you have done in the course so far, kept in the folder `progress` beside the lessons' folders.

Each lesson writes a file of its own, so that two notebooks at once take nothing from each other. Nothing is written
where nobody is at the other end (a notebook run for its output), in nbgrader's folders, and away from the lessons.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers import host, plan
from helpers.atomic_write import atomic_write

FOLDER = "progress"
PAUSE_S = 15 * 60  # who does nothing for longer than this has gone away

_failure = ""  # why the latest entry could not be kept


@dataclass(frozen=True)
class Record:
    """What is kept of all lessons.

    Attributes:
        checks: exercise to the latest verdict on it, such as "passed".
        quizzes: practice question to whether it was ever answered right.
        seconds: lesson to the time spent in it, about.
        helps: exercise to what was asked for, `"hints"`, `"where"` or `"solution"`, and up to which.
    """

    checks: dict[str, str] = field(default_factory=dict)
    quizzes: dict[str, bool] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    helps: dict[str, dict[str, int]] = field(default_factory=dict)


def place() -> tuple[Path, str] | None:
    """The folder of the course's notebooks and the lesson that runs here, or `""`; none anywhere else."""
    try:
        here = host.folder()
        if _holds_lessons(here.parent):
            return here.parent, plan.RENAMED.get(here.name, here.name)
        return (here, "") if _holds_lessons(here) else None
    except OSError:  # the working directory was deleted
        return None


def _holds_lessons(folder: Path) -> bool:
    """Whether folders of lessons lie here, and not as what an instructor releases or was handed in."""
    by_nbgrader = any((above / "nbgrader_config.py").exists() for above in list(folder.parents)[:2])
    names = [*(lesson["lesson"] for lesson in plan.lessons()), *plan.RENAMED]
    return not by_nbgrader and any((folder / name).is_dir() for name in names)


def note_check(exercise: str, lesson: str, status: str) -> None:
    """Keep the latest verdict on an exercise of a lesson. A check in another lesson is practice, and counts as time."""
    at = place()
    if at is None or at[1] != lesson:
        note_time()
    else:
        _note(lambda kept: kept.setdefault("checks", {}).update({exercise: status}))


def note_quiz(question: str, right: bool) -> None:
    """Keep that a practice question was answered; once right it stays right."""

    def change(kept: dict[str, Any]) -> None:
        quizzes = kept.setdefault("quizzes", {})
        quizzes[question] = right or quizzes.get(question) is True

    _note(change)


def note_help(exercise: str, lesson: str, what: str, far: int) -> None:
    """Keep what was asked for in an exercise of a lesson, and how far it went: the number of a hint, for example.

    As with checks, asking in another lesson counts as time alone.
    """

    def change(kept: dict[str, Any]) -> None:
        asked = kept.setdefault("helps", {}).setdefault(exercise, {})
        asked[what] = max(far, _count(asked.get(what)))

    at = place()
    if at is None or at[1] != lesson:
        note_time()
    else:
        _note(change)


def note_time() -> None:
    """Keep that somebody is at work."""
    _note(lambda _: None)


def read(folder: Path) -> tuple[Record, list[str]]:
    """What is kept beside a folder of notebooks, and sentences about what could not be read or written.

    Entries that nobody knows are left out.
    """
    record, said = Record(), [_failure] if _failure else []
    for path in sorted((folder / FOLDER).glob("*.json")):  # a renamed lesson's old file, of a lower number, comes first
        lesson = plan.RENAMED.get(path.stem, path.stem)
        try:
            kept = _read(path)
        except OSError as error:
            said.append(f"{FOLDER}/{path.name} cannot be read: {error.strerror or error}.")
        except _Unreadable as error:
            later = " It is put aside, and the lesson counted anew, when something is kept there next."
            said.append(f"{error}{later if lesson == path.stem else ''}")
        else:
            record.checks.update((k, v) for k, v in kept.get("checks", {}).items() if isinstance(v, str))
            for question, right in kept.get("quizzes", {}).items():
                if isinstance(right, bool):  # one question may be asked in two lessons
                    record.quizzes[question] = right or record.quizzes.get(question, False)
            for exercise, asked in kept.get("helps", {}).items():
                counts = {what: _count(far) for what, far in asked.items()} if isinstance(asked, dict) else {}
                record.helps[exercise] = record.helps.get(exercise, {}) | counts
            record.seconds[lesson] = record.seconds.get(lesson, 0.0) + _number(kept.get("seconds"))
    again = "could not be read, so this lesson is counted anew. You may delete that file."
    said += [f"{FOLDER}/{path.name} {again}" for path in sorted((folder / FOLDER).glob("*.unreadable"))]
    return record, said


class _Unreadable(Exception):
    """The file holds something else than a record; the message says so."""


def _note(change: Callable[[dict[str, Any]], None]) -> None:
    """Keep an entry. What goes wrong stops nothing: `progress()` says it."""
    from helpers import frontend  # the pieces keep their own answers here, so they come later

    global _failure
    at = place()
    if at is None or not at[1] or not frontend.is_interactive():
        return
    folder, lesson = at
    try:
        _keep(folder / FOLDER / f"{lesson}.json", change, time.time())
        _failure = ""
    except OSError as error:
        _failure = f"What you did last could not be kept in {FOLDER}/{lesson}.json: {error.strerror or error}."


def _keep(path: Path, change: Callable[[dict[str, Any]], None], now: float) -> None:
    try:
        kept = _read(path)
    except FileNotFoundError:
        kept = {}
    except _Unreadable:
        os.replace(path, path.with_suffix(".unreadable"))
        kept = {}
    # Time runs from the last thing done, whatever lesson that was in, unless there was a pause. (A clock may go back.)
    gap = now - max((last for last in [_number(kept.get("last")), *_last_elsewhere(path)] if last <= now), default=0)
    if gap <= PAUSE_S:
        kept["seconds"] = round(_number(kept.get("seconds")) + gap, 1)
    kept["last"] = now  # rounded up, it would lie ahead of what is done next
    change(kept)
    atomic_write(path, (json.dumps(kept, indent=1, ensure_ascii=False) + "\n").encode())


def _last_elsewhere(path: Path) -> Iterator[float]:
    for other in path.parent.glob("*.json"):
        try:
            yield _number(_read(other).get("last"))
        except (OSError, _Unreadable):  # `read` says so; here it is a little time that is estimated wrong
            continue


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"{FOLDER}/{path.name} cannot be read ({type(error).__name__}).") from None
    parts = ("checks", "quizzes", "helps")
    if not isinstance(kept, dict) or not all(isinstance(kept.get(part, {}), dict) for part in parts):
        raise _Unreadable(f"{FOLDER}/{path.name} holds something else than your progress.")
    return kept


def _count(value: Any) -> int:
    return int(_number(value))


def _number(value: Any) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    return float(value) if good else 0.0
