"""What a student calls in a notebook: `check`, `hint`, `solution`, `use`; and `grade`, which graded cells call."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

from helpers import exercises, markup, progress_store
from helpers.checks.render import as_html, as_text
from helpers.checks.verdict import Verdict

SEEDS = (0, 1, 2)  # a student who runs a cell twice sees the same probes twice
ROUNDS = 3  # fresh seeds a graded cell tries, as many as a student's own check


class Points(float):
    """Points as nbgrader reads them from a cell's output; a page does not show them, as the verdict above it has."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/plain": f"{self:g}", "text/html": ""}


def check(*answer: Any) -> Points:
    """Check an answer, show the verdict, and return the points it reaches.

    Call it with the function or class you wrote, `check(dice)`, or with the exercise's name first,
    `check("dice", my_function)`. Nothing raises: a wrong answer, and what is none, is worth 0 points.
    """
    try:
        name, obj = _name_and_object(answer)
        exercise = exercises.load(name)
    except (TypeError, ValueError) as error:
        markup.say(str(error))
        return Points(0)
    verdict = verdict_of(name, obj)
    if verdict.status == "passed":
        exercise.attempt.passed = obj
    elif verdict.status != "not attempted":
        exercise.attempt.wrong_tries += 1
    show(verdict)
    progress_store.note_check(name, exercise.lesson, verdict.status)
    return Points(verdict.points)


def verdict_of(name: str, obj: Any) -> Verdict:
    """What `check` says: the first verdict that is not a pass, or the last."""
    for seed in SEEDS:
        verdict = examine(name, obj, seed)
        if verdict.status != "passed":
            break
    return verdict


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
        verdict = verdict_of(name, obj)
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
            class_name = type(obj).__name__
            if class_name in exercises.names():
                raise TypeError(f"This is an object that `{class_name}` made. Check the class: `check({class_name})`.")
            if own_name == "<lambda>":
                raise TypeError('A `lambda` has no name. Say which exercise it is: `check("dice", lambda …)`.')
            if isinstance(own_name, str):
                return own_name, obj
            raise TypeError(
                f"This is an object of type `{class_name}`, and it has no name. Pass the function or class that you "
                'wrote, `check(dice)`, or the exercise\'s name first, `check("dice", my_function)`.'
            )
    raise TypeError(
        'Call `check(dice)` with what you wrote, or `check("dice", my_function)` with the exercise\'s name first.'
    )
