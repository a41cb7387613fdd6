"""The concept cards: what each part of the U is for, and which of them a student has seen at work."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from helpers import host
from helpers.atomic_write import atomic_write

FILE = Path(__file__).with_name("concepts.yaml")
KEPT_IN = "unlocked.json"  # beside the folders of the lessons


@dataclass(frozen=True)
class Concept:
    """One card: a title, two to three sentences (marked up as in `markup`), the lesson in which it is met."""

    key: str
    title: str
    lesson: str
    text: str


@cache
def concepts() -> dict[str, Concept]:
    """All cards by key, in the order of the course."""
    cards = (Concept(**entry) for entry in yaml.safe_load(FILE.read_text(encoding="utf-8")))
    return {card.key: card for card in cards}


def kept_in() -> Path | None:
    """The file that keeps from lesson to lesson what is unlocked: only beside the course's own notebooks.

    A lesson runs in `notebooks/07_skips/`, so it is `notebooks/unlocked.json`. Anywhere else, such as where a course is
    graded, nothing is kept.
    """
    here = host.folder()
    in_course = here.parent.name == "notebooks" and (re.match(r"\d\d_", here.name) or here.name == "glossary")
    return here.parent / KEPT_IN if in_course else None


def read(path: Path | None) -> tuple[set[str], str]:
    """What is kept in a file, and a sentence about it where it cannot be used."""
    if path is None or not path.exists():
        return set(), ""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["unlocked"]
        return {key for key in kept if key in concepts()}, ""
    except (OSError, ValueError, TypeError, KeyError) as error:
        return set(), (
            f"What was unlocked before could not be read from {path.name} ({type(error).__name__}), so the graph "
            "starts locked. The file is written anew when something is unlocked."
        )


def keep(path: Path | None, unlocked: set[str]) -> str:
    """Write what is unlocked; a sentence where that fails."""
    if path is None:
        return ""
    keys = [key for key in concepts() if key in unlocked]
    try:
        atomic_write(path, (json.dumps({"unlocked": keys}, indent=2) + "\n").encode())
    except OSError as error:
        return f"What is unlocked could not be kept in {path.name} ({error.strerror or type(error).__name__})."
    return ""
