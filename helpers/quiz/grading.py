"""What the grade cell of a graded question calls. Its key comes with the call: it is nowhere in what a student gets."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from helpers import markup
from helpers.quiz import answers
from helpers.quiz.questions import Question, find, within


def grade_answer(id: str, key: dict[str, Any]) -> float:
    """The points of the answer in `answers.json`; shows whether it is right, and why.

    Args:
        id: the question.
        key: `"answer"` (keys such as `"b"` or `"ac"`, or a number), `"points"`, `"why"` (a text, or one for each
            option) and, for a number, `"tolerance"`.
    """
    from IPython.display import display

    question, most, why = find(id), key["points"], key["why"]
    try:
        given = answers.read().get(id)
        points = float(most) if given is not None and is_right(question, question.read(given), key) else 0.0
        head = f"{'✓' if points else '✗'} {given or 'no answer'}: {points:g} of {most} points"
        lines = [f"{k}: {text}" for k, text in why.items()] if isinstance(why, dict) else [why]
    except ValueError as error:  # the file cannot be read, or the answer is none to this question
        points, head, lines = 0.0, f"✗ 0 of {most} points: {error}", []
    text = "\n".join([head, *map(markup.as_text, lines)])
    page = "".join(f"<p>{markup.as_html(line)}</p>" for line in lines)
    show: Callable[[object], object] = display  # IPython's own has no types
    show(markup.Shown(text, f"<div><p><b>{html.escape(head)}</b></p>{page}</div>"))
    return points


def is_right(question: Question, given: str, key: dict[str, Any]) -> bool:
    """Whether an answer in its plain form is the one of the key."""
    if question.kind == "numeric":
        return within(given, key["answer"], key["tolerance"])
    return given == question.read(key["answer"])
