"""`earlier("DoubleConv")`: a piece of an earlier lesson, the student's own where there is one that passes.

It is taken from the student's notebook of that lesson, which lies in the folder beside this one's: the cell they
wrote, with what it needs of that notebook, and the other pieces it names. Only that runs, not the notebook.
"""

from __future__ import annotations

import contextlib
import json
import linecache
from typing import Any

from helpers import exercises, host, markup, plan
from helpers.checks.program import Cell, NoProgram, Program, course, of_cells, of_piece, remember
from helpers.checks.session import verdict_of
from helpers.errors import InputError, called_as


@called_as('earlier("DoubleConv")')
def earlier(*names: str) -> Any:
    """Pieces of earlier lessons: your own where they pass their checks, else the course's; it prints which.

    Args:
        names: the exercises, such as `"DoubleConv"`.

    Returns:
        The function or class; a tuple of them for several names.

    Raises:
        ValueError: there is no such exercise, or no name is given.
    """
    if not names:
        raise InputError('earlier() needs the name of a piece, such as earlier("DoubleConv").')
    found = {name: _own_or_reference(name) for name in names}
    for reason in dict.fromkeys(why for _, why in found.values()):
        markup.say(f"{', '.join(f'`{name}`' for name, (_, why) in found.items() if why == reason)}: {reason}")
    pieces = tuple(piece for piece, _ in found.values())
    return pieces[0] if len(pieces) == 1 else pieces


def _own_or_reference(name: str) -> tuple[Any, str]:
    """The piece, and in words where it comes from."""
    exercise = exercises.load(name)
    if exercise.attempt.passed is not None:
        return exercise.attempt.passed, "your own."
    reasons = []
    for lesson in plan.names(exercise.lesson):
        cells = _cells(lesson)
        own, why_not = _own(name, cells) if cells is not None else (None, "")
        if own is not None:
            exercise.attempt.passed = own
            return own, f"your own, from {lesson}."
        reasons.append(f"{why_not} in {lesson}" if why_not else f"there is no notebook of {lesson} beside this one")
    return exercise.reference, f"the course's own; {reasons[0]}."


def _cells(lesson: str) -> list[Cell] | None:
    """The code cells of the student's notebook of a lesson; `None` where it is missing or no notebook."""
    path = host.folder().parent / lesson / f"{lesson}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [
            Cell(str(cell["metadata"].get("nbgrader", {}).get("grade_id", number)), "".join(cell["source"]))
            for number, cell in enumerate(cells)
            if cell["cell_type"] == "code"
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _own(name: str, cells: list[Cell]) -> tuple[Any, str]:
    """What the student's cell makes, if that passes its check; else `None`, and why."""
    order = exercises.names()
    before = order[: order.index(name)]  # so that no two can wait for each other
    file = f"<your {name}>"
    try:
        # With nothing in the pieces' place: they are put in as objects, so that each is made once.
        program = of_cells(name, cells, {other: Program(other) for other in before})
        pieces = {other: _own_or_reference(other)[0] for other in program.pieces}
        lines = program.source.splitlines(keepends=True)
        linecache.cache[file] = (len(program.source), None, lines, file)  # for `inspect.getsource`
        namespace = {"__name__": "__main__", **pieces}
        exec(compile(program.source, file, "exec", dont_inherit=True), namespace)
    except NoProgram as error:
        if error.__cause__:
            return None, f"the cell of yours raises {type(error.__cause__).__name__}"
        is_there = any(cell.name == name for cell in cells)
        return None, "yours does not pass its check yet" if is_there else "the cell of yours is gone"
    except (Exception, SystemExit) as error:
        return None, f"the cell of yours raises {type(error).__name__}"
    own = namespace.get(name)
    verdict = verdict_of(name, own)
    if verdict.status == "not attempted":
        return None, "yours is not written yet"
    if verdict.status != "passed":
        return None, "yours does not pass its check yet"
    with contextlib.suppress(NoProgram):
        remember(own, of_cells(name, cells, {n: of_piece(n, piece) or course(n) for n, piece in pieces.items()}))
    return own, ""
