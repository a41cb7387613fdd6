"""What a student calls in a notebook: `check`, `hint`, `where`, `solution`, `use`; and `grade` of graded cells."""

from __future__ import annotations

import contextlib
from typing import Any

from helpers import exercises, frontend, markup, progress_store
from helpers.checks import card, tutor
from helpers.checks.render import as_html, as_text
from helpers.checks.verdict import Verdict
from helpers.errors import CallError, called_as
from helpers.exercises import Exercise

SEEDS = (0, 1, 2)  # a student who runs a cell twice sees the same probes twice
ROUNDS = 3  # fresh seeds a graded cell tries, as many as a student's own check


class Points(float):
    """Points as nbgrader reads them from a cell's output; where a person runs it, the card above it has said them."""

    def _ipython_display_(self) -> None:
        if not frontend.is_interactive():
            raise NotImplementedError  # by which IPython goes on as with any object; otherwise no output is left

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/plain": f"{self:g}", "text/html": ""}


@called_as("check(dice)")
def check(*answer: Any) -> Points:
    """Check an answer, show the verdict, and return the points it reaches.

    Call it with the function or class you wrote, `check(dice)`, or with the exercise's name first,
    `check("dice", my_function)`. Nothing raises: a wrong answer, and what is none, is worth 0 points.
    """
    try:
        name, obj = _name_and_object(answer)
        exercise = exercises.load(name)
    except TypeError as error:
        markup.say(str(error))
        return Points(0)
    except ValueError as error:
        own_name = "" if isinstance(answer[0], str) else f' Or say whose answer it is: `check("dice", {name})`.'
        markup.say(f"{error}{own_name}")
        return Points(0)
    if (own := _own_name(obj)) != name and own in exercises.names():
        markup.say(f"This is `{own}`, and no answer to `{name}`: nothing was checked. Do you mean `check({own})`?")
        return Points(0)
    verdict = verdict_of(name, obj)
    exercise.attempt.note(obj, verdict)
    _display(card.card(verdict))
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
            _display(markup.Shown(as_text(verdict), as_html(verdict)))
            break
    return verdict.points


@called_as('hint("dice")')
def hint(name: Any, k: int | None = None) -> None:
    """Show hint `k`, counted from 1, or the next one, of an exercise or of what was written for it."""
    if exercise := _asked_about(name):
        try:
            _display(tutor.hint(exercise, k))
        except ValueError as error:
            markup.say(str(error))
        _update_card(exercise.name)


@called_as('where("dice")')
def where(name: Any) -> None:
    """Look for one small change of the answer that was checked last with which it passes, and say in which line.

    Asked again it says the place in that line, and asked once more what kind of change. Interrupting the kernel ends
    the look.
    """
    exercise = _asked_about(name)
    if exercise is None:
        return
    if why_not := tutor.nothing_to_find(exercise):
        markup.say(why_not)
        return
    line = _Line()
    if exercise.attempt.place is None and not _look(exercise, line):
        line.show(markup.paragraph("Stopped. Nothing was found so far."))
        return
    line.show(tutor.place(exercise))
    _update_card(exercise.name)


def _look(exercise: Exercise, line: _Line) -> bool:
    """Whether the look for the place came to its end."""
    if shown := card.opened(exercise.name):
        shown.stop()  # one is enough for the machine
    look = tutor.Look(exercise)
    try:
        return look.until_done(lambda how_far: line.show(markup.paragraph(how_far)) if line.is_watched else None)
    except KeyboardInterrupt:
        return False
    finally:
        look.stop()


class _Line:
    """One output of a cell, in which the next thing takes the place of the last."""

    def __init__(self) -> None:
        self.is_watched = frontend.is_interactive()
        self._handle: Any = None

    def show(self, what: markup.Shown) -> None:
        if self._handle:
            self._handle.update(what)
        elif self.is_watched:
            self._handle = _display(what, display_id=True)
        else:
            _display(what)


@called_as('solution("dice")')
def solution(name: Any) -> None:
    """Show the reference solution, after a pass or after three wrong tries; until then, say what is missing."""
    if exercise := _asked_about(name):
        _display(tutor.solution(exercise))
        _update_card(exercise.name)


def _asked_about(name: Any) -> Exercise | None:
    """The exercise of a name, or of what was written for it; where there is none, one sentence says so."""
    try:
        return exercises.load(name if isinstance(name, str) else _name_and_object((name,))[0])
    except (TypeError, ValueError) as error:
        markup.say(str(error))
        return None


def _update_card(name: str) -> None:
    if shown := card.opened(name):
        shown.update()


def _display(what: object, **options: Any) -> Any:
    from IPython import display  # it takes a moment

    show: Any = display.display
    return show(what, **options)


_told: dict[str, str] = {}  # a piece, and the cell that was told last that it runs the course's own


@called_as("use(dice)")
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
            cell = frontend.cell()
            if not cell or _told.get(name) != cell:  # once, where a loop uses it
                said = f"Your `{name}` {state}, so this cell uses the course's own."
                markup.say(f"{said} Run this cell again when yours passes.")
            _told[name] = cell
            return exercise.reference
        exercise.attempt.passed = obj
    return obj


def _own_name(obj: Any) -> object:
    """What it is called; a student's class decides what happens here."""
    with contextlib.suppress(Exception):
        return obj.__name__
    return None


def _name_and_object(answer: tuple[Any, ...]) -> tuple[str, Any]:
    match answer:
        case (str(name), obj):
            return name, obj
        case (obj,) if not isinstance(obj, str):
            own_name = _own_name(obj)
            class_name = type(obj).__name__
            if class_name in exercises.names():
                raise CallError(f"This is an object that `{class_name}` made. Check the class: `check({class_name})`.")
            if own_name == "<lambda>":
                raise CallError('A `lambda` has no name. Say which exercise it is: `check("dice", lambda …)`.')
            if isinstance(own_name, str):
                return own_name, obj
            raise CallError(
                f"This is an object of type `{class_name}`, and it has no name. Pass the function or class that you "
                'wrote, `check(dice)`, or the exercise\'s name first, `check("dice", my_function)`.'
            )
    raise CallError(
        'Call `check(dice)` with what you wrote, or `check("dice", my_function)` with the exercise\'s name first.'
    )
