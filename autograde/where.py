"""What `where` looks for, for an answer that was graded: the one small change that would make it pass.

Each change is tried in a locked fork, as the answer itself was. It decides nothing: points are written before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from autograde.judge import modules_before
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import LockedSubject, NotRun, Warm
from helpers.checks import engine
from helpers.checks.change_worker import SEEDS, Candidate, Request, candidates
from helpers.checks.limits import OutOfTime
from helpers.checks.one_change import located
from helpers.checks.process import Lost
from helpers.checks.program import Program

SECONDS = 20.0  # to look: longer than in a notebook, since a fork for each change takes longer, and nobody waits
LIMITS = Limits(cpu_seconds=2)  # of a changed answer, which may never end


def one_change(name: str, program: Program, seed: int, warm: Warm, seconds: float = SECONDS) -> str:
    """Where one small change makes the answer pass, marked up as in `helpers.markup`; empty where none was found.

    Args:
        name: the exercise.
        program: of an answer that does not pass.
        seed: of the probes that it fails.
        warm: in which to try.
        seconds: how long to look.

    Raises:
        SandboxError: its code cannot be locked in.
    """
    until = time.monotonic() + seconds
    request = Request(name, program.name, [(part.source, part.own) for part in program.parts], seconds)
    order: list[int] = []
    lines: list[int] = []
    with suppress(NotRun, Lost, OutOfTime), _running(name, program, warm) as subject:
        failing, passing = engine.failing_probes(name, subject, seed, seconds)
        order, lines = [*failing, *passing], _joined(program, [line for line in failing.values() if line])
    for candidate in candidates(request, lines, whole=True):
        if time.monotonic() > until:
            break
        if _passes(name, program, candidate, seed, order, warm) and all(
            _passes(name, program, candidate, other, [], warm) for other in SEEDS
        ):
            change = candidate.change
            place = located(program, candidate.part, change.line, change.start, change.end, change.kind)
            return f"{place.said(1)}. {place.said(2)}"
    return ""


def _passes(name: str, program: Program, candidate: Candidate, seed: int, order: list[int], warm: Warm) -> bool:
    with suppress(NotRun), _running(name, program, warm, candidate) as subject:
        return engine.is_right(name, subject, seed, SECONDS, order)
    return False


@contextmanager
def _running(name: str, program: Program, warm: Warm, candidate: Candidate | None = None) -> Iterator[LockedSubject]:
    """The answer, maybe with a change of it, in a locked fork."""
    parts = [(part.source, part.cell or "course", part.line) for part in program.parts]
    if candidate:
        _, cell, line = parts[candidate.part]
        parts[candidate.part] = (candidate.change.make(), cell, line)
    with warm.start(program.name, parts, modules_before(name), LIMITS) as subject:
        subject.begin()
        yield subject


def _joined(program: Program, lines: list[int]) -> list[int]:
    """Lines of cells as lines of all parts one below the other."""
    found, before = [], 0
    for part in program.parts:
        length = part.source.count("\n") + 1
        if part.own:
            found += [before + line - part.line + 1 for line in lines if 0 <= line - part.line < length]
        before += length
    return found
