"""The page that a student gets on a submission: points, what is wrong and what shows it, and why each option is right.

It says nothing of other students' answers. Points mean that the code is right, not whose it is.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from autograde import pages
from autograde.results import Graded, Result
from helpers.checks import render
from helpers.quiz import questions


def page(result: Result, keys: dict[str, dict[str, Any]]) -> str:
    """The whole page, one HTML file that needs no other.

    Args:
        keys: of the lesson's graded questions, as `answer_keys.load` gives them. A question without one is shown
            without what is right, and why.
    """
    asked = {one.name: question for one in result.graded if (question := _question(one))}
    return pages.render(
        "feedback.html",
        result=result,
        title=pages.title(result.lesson),
        by_hand=sum(one.max_points for one in result.graded if one.state == "by hand"),
        verdicts=[_verdict(one) for one in result.graded],
        questions=asked,
        keys=keys,
        right={id: question.read(keys[id]["answer"]) for id, question in asked.items() if id in keys},
    )


def _question(one: Graded) -> questions.Question | None:
    """The question of that name; none where it is no longer asked."""
    if one.kind != "question":
        return None
    try:
        return questions.find(one.name)
    except ValueError:
        return None


def _verdict(one: Graded) -> Markup:
    """The verdict as the student's notebook shows it; empty where there is none, or where it does not count."""
    if one.verdict is None or one.state == "flagged":
        return Markup("")
    _, _, body = render.inner_html(one.verdict).partition("</div>")  # the state above it says what the first line does
    return Markup(body)
