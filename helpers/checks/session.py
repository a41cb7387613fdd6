"""What a student calls in a notebook: `check`, `hint`, `solution`, `use`; and `grade`, which graded cells call."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

from helpers import exercises, markup, progress_store
from helpers.checks.render import as_html, as_text
from helpers.checks.verdict import Verdict

SEED = 0  # a student who runs a cell twice sees the same probes twice
ROUNDS = 3  # fresh seeds a graded cell tries


class Points(float):
    """Points as nbgrader reads them from a cell's output; a page does not show them, as the verdict above it has."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/plain": f"{self:g}", "text/html": ""}


def check(*answer: Any) -> Points:
    """Check an answer, show the verdict, and return the points it reaches.

    Call it with the function or class you wrote, `check(dice)`, or with the exercise's name first,
    `check("dice", my_function)`. A wrong answer raises nothing; it is worth 0 points.

    Raises:
        TypeError: called with neither of the two forms.
        ValueError: there is no exercise of that name; the message lists those that exist.
    """
    name, obj = _name_and_object(answer)
    verdict = examine(name, obj, SEED)
    exercise = exercises.load(name)
    if verdict.status == "passed":
        exercise.attempt.passed = obj
    elif verdict.status != "not attempted":
        exercise.attempt.wrong_tries += 1
    show(verdict)
    progress_store.note_check(name, exercise.lesson, verdict.status)
    return Points(verdict.points)


def examine(name: str, obj: Any, seed: int | None = None) -> Verdict:
    """Check one answer, showing nothing: see `helpers.checks.engine.examine`."""
    from helpers.checks import engine  # torch loads here

    return engine.examine(name, obj, seed)


def grade(name: str, obj: Any) -> float:
    """Check an answer on fresh probes, show the first verdict that is not a pass, and return the points."""
    for _ in range(ROUNDS):
        verdict = examine(name, obj)
        if verdict.status != "passed":
            show(verdict)
            break
    return verdict.points


def show(verdict: Verdict) -> None:
    """Show a verdict in a notebook: text, and the same facts with a picture."""
    from IPython.display import display

    show_object: Callable[[object], object] = display
    show_object(markup.Shown(as_text(verdict), as_html(verdict)))


def hint(name: str, k: int | None = None) -> None:
    """Show hint `k` of an exercise, counted from 1, or the next one."""
    markup.say(exercises.load(name).hint(k))
    progress_store.note_time()


def solution(name: str) -> None:
    """Print the reference solution, after a pass or after three wrong tries; until then, say what is missing."""
    exercise = exercises.load(name)
    if left := exercise.tries_left():
        markup.say(f"The solution of `{name}` opens when yours passes, or after {left} more tries.")
    else:
        print(inspect.getsource(exercise.reference))


def use(obj: Any) -> Any:
    """The student's own piece where it passes its check, else the reference, saying so.

    So the cells below an exercise run whatever has been written so far.
    """
    name, _ = _name_and_object((obj,))
    exercise = exercises.load(name)
    if exercise.attempt.passed is not obj:
        verdict = examine(name, obj, SEED)
        if verdict.status != "passed":
            state = "is not written yet" if verdict.status == "not attempted" else "does not pass its check yet"
            markup.say(f"Your `{name}` {state}, so this cell uses the course's own. Run it again when yours passes.")
            return exercise.reference
        exercise.attempt.passed = obj
    return obj


def _name_and_object(answer: tuple[Any, ...]) -> tuple[str, Any]:
    match answer:
        case (str(name), obj):
            return name, obj
        case (obj,) if not isinstance(obj, str):
            own_name: object = None
            with contextlib.suppress(Exception):  # a student's class decides what happens here
                own_name = obj.__name__
            if isinstance(own_name, str):
                return own_name, obj
            raise TypeError(
                f"check got an object of type {type(obj).__name__}, which has no name. Pass the function or "
                'class that you wrote, check(dice), or the exercise\'s name first, check("dice", my_function).'
            )
    raise TypeError(
        'Call check(dice) with what you wrote, or check("dice", my_function) with the exercise\'s name first.'
    )
