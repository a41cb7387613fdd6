"""What students are told, on one page: every misconception's name and sentence, in course order."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from helpers import exercises
from helpers.checks.engine import RULES


def page(width: int) -> Iterator[tuple[str, str]]:
    """Lines of the page with their kind: `"exercise"`, `"name"`, `"sentence"` or `""`; none is wider than `width`."""
    for name in exercises.names():
        exercise = exercises.load(name)
        told = [(answer.name, answer.sentence) for answer in exercise.misconceptions]
        yield from _section(f"{name}  ({exercise.lesson})", told, width)
    yield from _section("any exercise", list(RULES.values()), width)


def _section(title: str, told: list[tuple[str, str]], width: int) -> Iterator[tuple[str, str]]:
    yield "exercise", title
    yield "", ""
    for name, sentence in told:
        yield "name", f"  {name}"
        for line in textwrap.wrap(sentence, width - 4, break_long_words=False, break_on_hyphens=False):
            yield "sentence", f"    {line}"
        yield "", ""
