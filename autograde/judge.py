"""Judges an answer that runs in the sandbox. The verdict is that of `check`, and so is what it says of the mistake.

Student code never runs in this process: it keeps the probes, and only data crosses. An answer that would pass is read,
too (`autograde.reading`): what reaches into the grader gets no points before somebody has looked at it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

from autograde.reading import is_the_courses, reaches
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import BACKSTOP_SECONDS, NotRun, SandboxError, Warm
from helpers import exercises
from helpers.checks import engine
from helpers.checks.process import Lost
from helpers.checks.program import Cell, NoProgram, Program, course, of_cells
from helpers.checks.subject import clean, readable
from helpers.checks.verdict import Verdict
from helpers.markup import code

State = Literal["passed", "wrong", "error", "not attempted", "timeout", "memory", "crashed", "missing", "flagged"]

INTERRUPTED = "raised KeyboardInterrupt"
NO_MEMORY = ("DefaultCPUAllocator", "MemoryError")
MOST_FINDINGS = 3  # that are said


@dataclass(frozen=True)
class Judged:
    """What became of one answer.

    Attributes:
        verdict: as `check` gives it.
        state: the verdict's status, or how the process ended; "missing" where no cell makes it; "flagged" where it
            would pass, and reaches past its task: no points, until somebody gives them by hand.
        cpu_seconds: of a processor that its process took.
        walls: that stood around it.
        program: that was judged; none where it is missing.
        like_the_courses: it is the course's own solution, but for comments, types and the names in it.
    """

    verdict: Verdict
    state: State
    cpu_seconds: float
    walls: tuple[str, ...]
    program: Program | None = None
    like_the_courses: bool = False


def judge(name: str, program: Program, seed: int, warm: Warm, limits: Limits | None = None) -> Judged:
    """Judge the answer to the exercise `name` that `program` makes.

    Raises:
        SandboxError: its code cannot be locked in.
    """
    limits = limits or Limits()
    parts = [(part.source, part.cell or "course", part.line) for part in program.parts]
    changed: list[str] = []
    with warm.start(program.name, parts, modules_before(name), limits) as subject:
        try:
            subject.begin()
            changed = [readable(what) for what in subject.settings_changed()]
            # Its process is late before the engine is, and so it is known what happened.
            verdict = engine.examine_through(name, subject, seed, 2 * BACKSTOP_SECONDS)
        except (NotRun, Lost) as why:
            verdict = engine.not_run(name, seed, str(why))
        except Exception as error:  # its process may send what the codec lets through and no comparison can take
            kind = type(error).__name__
            verdict = engine.not_run(name, seed, f"gave something that cannot be compared with a result ({kind}).")
    ended = subject.ended
    assert ended is not None  # it was closed
    state: State = verdict.status
    if state == "error" and subject.was_late:
        state = "timeout"
    elif state == "error" and subject.out_of_time:
        state = "timeout"
        used = f"used {limits.cpu_seconds} seconds of a processor, and was stopped"
        message = verdict.message.replace(INTERRUPTED, used)
        if message == verdict.message:  # it did not say where it was
            message = f"`{name}` {used}. A loop never ends, or does far more than this task needs."
        verdict = replace(verdict, message=message)
    elif state == "error" and subject.was_lost:
        state = "crashed"
        if ended.too_much:
            verdict = replace(verdict, message=f"`{name}` {ended.too_much}, and was stopped. No task needs so much.")
    elif state == "error" and any(text in verdict.message for text in NO_MEMORY):
        state = "memory"
    if state == "passed" and (found := _findings(name, program, changed)):
        state, verdict = "flagged", replace(verdict, status="wrong", points=0, message=_flagged(name, found))
    verdict = replace(verdict, message=clean(verdict.message))
    is_copy = is_the_courses(name, program.parts)
    return Judged(verdict, state, ended.cpu_seconds, tuple(subject.walls), program, is_copy)


def _findings(name: str, program: Program, changed: Sequence[str]) -> list[str]:
    """What in an answer reaches past its task, a sentence each."""
    try:
        found = reaches(program.parts, exercises.load(name).forbidden)
    except (RecursionError, MemoryError):
        found = ["It is nested too deeply to be read."]
    return [*found, *(f"When it is defined, it changes {code(what)}, which belongs to a library." for what in changed)]


def _flagged(name: str, found: Sequence[str]) -> str:
    more = f" There are {len(found) - MOST_FINDINGS} more such places." if len(found) > MOST_FINDINGS else ""
    return (
        f"`{name}` gives the right results, and does something that no task needs. {' '.join(found[:MOST_FINDINGS])}"
        f"{more} Write it without. If it is needed, tell your instructor, who can give the points by hand."
    )


def judge_lesson(
    lesson: str,
    cells: Sequence[Cell],
    seed: int,
    warm: Warm,
    earlier: Mapping[str, Program] | None = None,
    turn: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> dict[str, Judged]:
    """Judge all exercises of a lesson in the cells of one notebook, by name.

    A piece that does not pass is replaced by the course's own for those that are built from it, as `use` does.

    Args:
        cells: all code cells.
        earlier: what the student made of the pieces of earlier lessons; the course's own where there is none.
        turn: what is entered while an exercise is judged, called with its name.

    Raises:
        SandboxError: code cannot be locked in.
    """
    pieces = dict(earlier or {})
    found = {}
    for name in (name for name in exercises.names() if exercises.load(name).lesson == lesson):
        try:
            program = of_cells(name, cells, pieces)
            with turn(name):
                found[name] = judge(name, program, seed, warm)
        except NoProgram as why:
            missing = Verdict(name, "not attempted", str(why), 0, exercises.load(name).points, seed=seed)
            found[name] = Judged(missing, "missing", 0.0, ())
        except (SandboxError, OSError):
            raise
        except Exception as error:  # made so that nobody can read it, which is to stop nobody else
            happened = f"cannot be judged: reading it ended with {type(error).__name__}. Write it in a simpler way."
            found[name] = Judged(engine.not_run(name, seed, happened), "error", 0.0, ())
        if found[name].state != "passed":
            pieces[name] = course(name)
    return found


@functools.cache
def modules_before(name: str) -> dict[str, str]:
    """The course's own pieces before the exercise `name`, as sources of the modules in which they are.

    Nothing else of these modules is in them, except what those pieces need.
    """
    names = exercises.names()
    wanted: dict[str, set[str]] = {}
    for before in names[: names.index(name)]:
        reference = exercises.load(before).reference
        wanted.setdefault(reference.__module__, set()).add(reference.__name__)
    return {module: _only(inspect.getsource(sys.modules[module]), pieces) for module, pieces in wanted.items()}


def _only(source: str, pieces: set[str]) -> str:
    """Of a module's source the definitions that these pieces need, and of its imports the names that those read."""
    body = ast.parse(source).body
    functions = {s.name for s in body if isinstance(s, ast.FunctionDef)}
    # What is made of a function afterwards looks at what students bring, and needs much that is not in there.
    again = [s for s in body if isinstance(s, ast.Assign) and _binds(s) & functions]
    statements = [s for s in body if not isinstance(s, ast.Import | ast.ImportFrom) and s not in again]
    needed: set[str] = set()
    read = set(pieces)
    while not read <= needed:
        needed |= read
        kept = [s for s in statements if _binds(s) & needed]
        read = {n.id for s in kept for n in ast.walk(s) if isinstance(n, ast.Name)}
    imports = [s for s in body if isinstance(s, ast.Import | ast.ImportFrom)]
    for statement in imports:
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        names = [a for a in statement.names if future or (a.asname or a.name).split(".")[0] in needed]
        statement.names = names
    return "\n".join(map(ast.unparse, [s for s in imports if s.names] + kept))


def _binds(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
