"""What students are told, on one page: every misconception's name and sentence, in course order."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from helpers import exercises
from helpers.checks.engine import RULES


def page(width: int) -> Iterator[tuple[str, str]]:
    """Lines of the page with their kind: `"exercise"`, `"name"`, `"sentence"` or `""`; none is wider than `width`."""
    sections = {}
    for exercise in map(exercises.load, exercises.names()):
        told = {answer.name: answer.sentence for answer in exercise.misconceptions}
        sections[f"{exercise.name}  ({exercise.lesson})"] = told
    for title, sentences in {**sections, "any exercise": dict(RULES.values())}.items():
        yield from (("exercise", title), ("", ""))
        for name, sentence in sentences.items():
            yield "name", f"  {name}"
            for line in textwrap.wrap(sentence, width - 4, break_long_words=False, break_on_hyphens=False):
                yield "sentence", f"    {line}"
            yield "", ""
