"""What a worker process does: judges one submission, with a warm process of its own.

A worker may run anywhere. It runs nothing of a student's itself, and what it gives depends on its task alone, so a task
may be done twice, or again where a worker was lost.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograde.judge import Judged, judge_lesson
from autograde.results import Graded
from autograde.sandbox.locked import SandboxError, Warm
from autograde.sandbox.unlocked import Unlocked
from autograde.where import SECONDS, one_change
from helpers import plan
from helpers.checks.program import Cell, Program
from helpers.markup import code

UNBOUND = re.compile(r"NameError: `name '(\w+)' is not defined`")
TIMED = {"compare"}  # exercises that measure time, so nothing else of ours runs beside them

_own = threading.local()
_first: socket.socket | None = None


@dataclass(frozen=True)
class Task:
    """A submission to be judged.

    Attributes:
        lesson: such as `"02_overlap"`.
        cells: all its code cells.
        seed: from which the probes are drawn.
        earlier: the programs of pieces of earlier lessons that the student has handed in, and that passed.
        unsafe: run the code unlocked where it cannot be locked in.
    """

    lesson: str
    cells: tuple[Cell, ...]
    seed: int
    earlier: Mapping[str, Program] = field(default_factory=dict)
    unsafe: bool = False


def judged(task: Task) -> tuple[Graded, ...]:
    """The exercises of a lesson, in its order.

    Raises:
        SandboxError: students' code cannot be locked in here.
    """
    warm = _warm(task.unsafe)
    warm.next_submission()
    found = judge_lesson(task.lesson, task.cells, task.seed, warm, task.earlier, _turn)
    numbers = {cell.name: number for number, cell in enumerate(task.cells, 1)}
    return tuple(_graded(name, one, found, task.earlier, numbers) for name, one in found.items())


def looked(
    programs: Mapping[str, Program], seed: int, seconds: float = SECONDS, unsafe: bool = False
) -> dict[str, str]:
    """Where one small change makes each of these answers, by exercise, pass; see `one_change`.

    Raises:
        SandboxError: students' code cannot be locked in here.
    """
    found, warm = {}, _warm(unsafe)
    warm.next_submission()
    for name, program in programs.items():
        try:
            found[name] = one_change(name, program, seed, warm, seconds)
        except (SandboxError, OSError):
            raise
        except Exception:  # of an answer that no reading comes to an end with
            found[name] = ""
    return found


def start(first: socket.socket | None) -> None:
    """Set up a local worker: it ends with the run that started it, and leaves Ctrl-C to that.

    Args:
        first: the socket of a warm process, of which its own is to be a fork.
    """
    global _first
    _first = first
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_run, daemon=True).start()


def _end_with_the_run() -> None:
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _warm(unsafe: bool) -> Warm:
    """This thread's warm process."""
    warm: Warm | None = getattr(_own, "warm", None)
    if warm is None:
        try:
            warm = _own.warm = Warm(_first)
        except SandboxError:
            if not unsafe:
                raise
            warm = _own.warm = Unlocked()
    return warm


def lesson_of(exercise: str) -> str:
    """The number of the lesson that asks for an exercise, as in "07"."""
    return str(next(one["lesson"] for one in plan.lessons() if exercise in one["checks"]).partition("_")[0])


def _graded(
    name: str, one: Judged, found: Mapping[str, Judged], earlier: Mapping[str, Program], numbers: Mapping[str, int]
) -> Graded:
    verdict, own = one.verdict, [part for part in one.program.parts if part.own] if one.program else []
    cell = own[-1].cell if own else ""
    notes = []
    if cell and cell != name:
        notes.append(f"The definition that counted is in code cell {numbers.get(cell, cell)}.")
    for piece in one.program.pieces if one.program else ():
        if piece in earlier:
            notes.append(f"It was built on your own {code(piece)} of an earlier lesson.")
        elif piece in found:
            notes.append(f"The course's own {code(piece)} stood in, since yours is {found[piece].state}.")
        else:
            notes.append(f"{code(piece)} is of lesson {lesson_of(piece)}: here the course's own was used.")
    for unbound in dict.fromkeys(UNBOUND.findall(verdict.message)):
        notes.append(
            f"No cell that the answer needs binds {code(unbound)}: write its import, or its definition, into the cell "
            "of the answer."
        )
    return Graded(
        name,
        "exercise",
        one.state,
        verdict.points,
        verdict.max_points,
        verdict.message,
        verdict=verdict,
        given="\n\n".join(part.source for part in own),
        cell=cell,
        notes=tuple(notes),
        program=one.program.parts if one.program else (),
        cpu_seconds=round(one.cpu_seconds, 3),
        walls=one.walls,
        like_the_courses=one.like_the_courses,
    )


@contextlib.contextmanager
def _turn(name: str) -> Iterator[None]:
    """Wait until an exercise may be judged: one that measures time while no other is, on this machine."""
    try:
        import fcntl
    except ImportError:  # Windows, on which workers are on their own
        yield
        return
    place = Path(tempfile.gettempdir()) / f"build-unet-{os.getuid()}.turn"
    handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if name in TIMED else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def points(lesson: str) -> dict[str, dict[str, float]]:
    """What a lesson asks for, each by name to points: `"checks"`, `"graded"` and `"texts"`."""
    (found,) = [one for one in plan.lessons() if one["lesson"] == lesson]
    return {kind: found[kind] for kind in ("checks", "graded", "texts")}
