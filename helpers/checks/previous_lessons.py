"""`earlier("DoubleConv")`: a piece of an earlier lesson, the student's own where there is one that passes.

It is taken from the student's notebook of that lesson, which lies in the folder beside this one's: the cell they
wrote, with that notebook's imports and the other pieces it names. Only that runs, not the notebook.
"""

from __future__ import annotations

import ast
import json
import linecache
from pathlib import Path
from typing import Any

from helpers import exercises, markup, plan
from helpers.checks.session import verdict_of

Cell = dict[str, Any]  # its nbgrader name, if any, and its source


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
        raise ValueError('earlier() needs the name of a piece, such as earlier("DoubleConv").')
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
    path = Path.cwd().parent / lesson / f"{lesson}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [
            {"name": cell["metadata"].get("nbgrader", {}).get("grade_id"), "source": "".join(cell["source"])}
            for cell in cells
            if cell["cell_type"] == "code"
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _own(name: str, cells: list[Cell]) -> tuple[Any, str]:
    """What the student's cell defines, if that passes its check; else `None`, and why."""
    source = next((cell["source"] for cell in cells if cell["name"] == name), None)
    if source is None:
        return None, "the cell of yours is gone"
    file = f"<your {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # for `inspect.getsource`
    try:
        namespace = _namespace(name, source, cells)
        exec(compile(source, file, "exec"), namespace)
    except (Exception, SystemExit) as error:
        return None, f"the cell of yours raises {type(error).__name__}"
    verdict = verdict_of(name, namespace.get(name))
    if verdict.status == "not attempted":
        return None, "yours is not written yet"
    return (namespace[name], "") if verdict.status == "passed" else (None, "yours does not pass its check yet")


def _namespace(name: str, source: str, cells: list[Cell]) -> dict[str, Any]:
    """The globals of the cell of `name`: the notebook's imports, and the pieces it names."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        try:
            statements = ast.parse(cell["source"]).body
        except SyntaxError:  # a cell with a magic command, or one that is half written
            continue
        imports: list[ast.stmt] = [s for s in statements if isinstance(s, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), f"<imports of {name}>", "exec"), namespace)
    order = exercises.names()
    before = set(order[: order.index(name)])  # so that no two can wait for each other
    words = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return {**namespace, **{word: _own_or_reference(word)[0] for word in words & before}}
