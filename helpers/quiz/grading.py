"""What the grade cell of a graded question calls. Its key comes with the call: it is nowhere in what a student gets."""

from __future__ import annotations

import html
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

    question, most = find(id), key["points"]
    try:
        given = answers.read().get(id)
        right = given is not None and is_right(question, question.read(given), key)
    except ValueError as error:  # no file of answers, or no answer to this question
        display({"text/plain": f"✗ 0 of {most} points: {error}"}, raw=True)
        return 0.0
    points = float(most) if right else 0.0
    head = f"{'✓' if right else '✗'} {given or 'no answer'}: {points:g} of {most} points"
    why = key["why"]
    lines = [f"{k}: {text}" for k, text in why.items()] if isinstance(why, dict) else [why]
    page = "".join(f"<p>{markup.as_html(line)}</p>" for line in lines)
    text = "\n".join([head, *map(markup.as_text, lines)])
    display(markup.Shown(text, f"<div><p><b>{html.escape(head)}</b></p>{page}</div>"))
    return points


def is_right(question: Question, given: str, key: dict[str, Any]) -> bool:
    """Whether an answer in its plain form is the one of the key."""
    if question.kind == "numeric":
        return within(given, key["answer"], key["tolerance"])
    return given == question.read(key["answer"])
