"""The process in which the one change is looked for. `helpers.checks.one_change` starts it, once.

It imports torch and computes nothing itself, so that a fork of it is safe whatever the kernel has done. For each
request it forks a *searcher* with a process group of its own, which knows the right answers and forks *triers* for the
changes. A trier in which a changed answer hangs, crashes or ends is replaced, and in the end the whole group is killed.

A request, and each line that is answered, is JSON on standard input and output.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import heapq
import importlib.util
import itertools
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from helpers import exercises
from helpers.checks import engine
from helpers.checks.changes import Change, changes
from helpers.checks.limits import OutOfTime
from helpers.checks.process import silence
from helpers.checks.subject import LocalSubject, is_library, raised

SEEDS = (0, 1, 2)  # those of a check
TRIERS = 2  # at once
CHUNK = 40  # changes that a trier tries, as long as none is right: to fork one costs as much as to try several
LEAST_SECONDS, MOST_SECONDS = 0.5, 1.5  # for one change, on a busy machine too
TIMES_AS_LONG = 4  # as the answer took
PART_FOR_PARTS = 0.4  # of the time is for a change that mends a part, where none mends the whole
MOST_ASKED = 5  # failing probes, of which such a change has to mend one
GRACE = 0.5  # for a trier that is stopped to go on with its next change
SUBREAPER, DEATH_SIGNAL = 36, 1  # PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG of prctl(2)
SAY_EVERY = 0.1  # seconds
MOST = 255  # a number that goes into a byte
NONE = (
    "No single small change of your code was found that makes it pass: more than one thing may be missing. Compare "
    "the example with what each of your lines does."
)
ALONE = "Run alone, with what it names and nothing else, your code"


@dataclass(frozen=True)
class Request:
    """What to look into.

    Attributes:
        name: the exercise.
        binding: what the answer is bound to.
        parts: the source of each statement, and whether a change may mend it.
        seconds: how long to look.
    """

    name: str
    binding: str
    parts: list[tuple[str, bool]]
    seconds: float

    def source(self, part: int = -1, text: str = "") -> str:
        """The whole program, maybe with another text of one part."""
        return "\n".join(text if k == part else own for k, (own, _) in enumerate(self.parts))


@dataclass(frozen=True)
class Candidate:
    """A change of one part of a program."""

    part: int
    change: Change


@dataclass(frozen=True)
class Learnt:
    """What the answer as it stands does.

    Attributes:
        seed: of the probes that it fails.
        failing: these, the smallest first; none where it does not end, and `seconds` is 0 then.
        passing: all others.
        lines: where it raised, or was stopped.
        seconds: how long it takes, or right answers do.
    """

    seed: int
    failing: list[int]
    passing: list[int]
    lines: list[int]
    seconds: float


@dataclass(frozen=True)
class Found:
    """A change that mends an answer, or how many of the probes that it fails."""

    candidate: Candidate
    mends: int


Say = Callable[[bytes], Any]


class Nothing(Exception):
    """There is nothing to be found; the message says why, in the course's words."""


_replies = 1  # the file descriptor at which the kernel listens


def main() -> None:
    """Answer requests until there are no more."""
    global _replies
    torch.set_num_threads(1)
    _replies = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what an answer prints is not for the kernel
    _control(SUBREAPER, 1)  # what an answer starts and leaves comes to this process, which ends it
    say(ready=True)
    for line in iter(sys.stdin.buffer.readline, b""):
        request = Request(**json.loads(line))
        _import_libraries(request)
        say(tried=0)
        if hasattr(os, "fork"):
            _in_a_group(request)
        else:
            say(**search(request, forks=False))
        say(over=True)


def _import_libraries(request: Request) -> None:
    """Import what the program does of the installed libraries, once for all its forks."""
    exercises.load(request.name)
    nodes = [node for source, _ in request.parts for node in ast.walk(ast.parse(source))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    for name in dict.fromkeys(names):
        with contextlib.suppress(Exception):  # the program will say what is wrong with it
            found = importlib.util.find_spec(name.partition(".")[0])
            if found and is_library(found.origin or ""):
                importlib.import_module(name)


def say(**what: Any) -> None:
    """Tell the kernel."""
    os.write(_replies, json.dumps(what).encode() + b"\n")


def _control(what: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def _in_a_group(request: Request) -> None:
    """Let a process with a group of its own search, and end what it leaves."""
    searcher = os.fork()
    if searcher == 0:
        with contextlib.suppress(BaseException):
            _control(DEATH_SIGNAL, signal.SIGKILL)  # where the worker is killed
            os.setpgid(0, 0)
            say(**search(request, forks=True))
        os._exit(0)
    with contextlib.suppress(OSError):
        os.setpgid(searcher, searcher)  # whichever of the two comes first
    say(group=searcher)
    while os.waitpid(searcher, os.WNOHANG) == (0, 0):
        if select.select([0], [], [], 0.02)[0]:  # the kernel has ended, for it asks one thing at a time
            break
    with contextlib.suppress(OSError):
        os.killpg(searcher, signal.SIGKILL)
    while orphans := _children():
        for orphan in orphans:
            with contextlib.suppress(OSError):
                os.kill(orphan, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, 0)


def _children() -> list[int]:
    listed = [path.read_text().split() for path in Path("/proc/self/task").glob("*/children")]
    return [int(child) for child in itertools.chain(*listed)]


# ---- the search ----


def search(request: Request, forks: bool) -> dict[str, Any]:
    """Look for the change: what to say of it, or why there is none."""
    until = time.monotonic() + request.seconds
    try:
        learnt = _learnt(request, forks)
        began = time.monotonic()
        engine.prepare(request.name, learnt.seed)
        learnt = replace(learnt, seconds=max(learnt.seconds, time.monotonic() - began))
        look = _first_of_triers if forks else _first
        partly = until - PART_FOR_PARTS * request.seconds if len(learnt.failing) > 1 else until
        found = look(request, learnt, partly, whole=True) or look(request, learnt, until, whole=False)
    except Nothing as why:
        return {"none": str(why)}
    if found is None:
        return {"none": NONE} if time.monotonic() < until else {"late": True}
    change = found.candidate.change
    place = {"line": change.line, "start": change.start, "end": change.end, "kind": change.kind}
    return {"found": {"part": found.candidate.part, "mends": found.mends, "of": len(learnt.failing) or 1, **place}}


def candidates(request: Request, lines: list[int], whole: bool) -> Iterator[Candidate]:
    """Changes of all parts that may be mended, the smallest first.

    Of a part of the failing probes no default is tried: with another one it may pass them by being wrong twice.
    """
    right = [answer.source for answer in exercises.load(request.name).right_answers]
    of_parts, before = [], 0
    for k, (source, own) in enumerate(request.parts):
        if own:
            near = {line - before for line in lines}
            of_parts.append(_of_part(k, source, right, near))
        before += source.count("\n") + 1
    for candidate in heapq.merge(*of_parts, key=lambda candidate: candidate.change.rank):
        line = request.parts[candidate.part][0].splitlines()[candidate.change.line - 1]
        if whole or not line.lstrip().startswith("def "):
            yield candidate


def _of_part(part: int, source: str, right: list[str], near: set[int]) -> Iterator[Candidate]:
    return (Candidate(part, change) for change in changes(source, right, near))


def _learnt(request: Request, forks: bool) -> Learnt:
    seconds = 3 * MOST_SECONDS
    learnt = _alone(lambda: _learn(request), seconds) if forks else _learn(request)
    if learnt is None:
        raise Nothing(f"{ALONE} ends the process it runs in, or never ends.")
    if "why" in learnt:
        raise Nothing(f"{ALONE} {learnt['why']}")
    return Learnt(**learnt)


def _learn(request: Request) -> dict[str, Any]:
    try:
        subject = _subject(request, request.source())
    except BaseException as error:
        return {"why": f"raises {raised(error, None)}."}
    for seed in SEEDS:
        began = time.monotonic()
        try:
            failing, passing = engine.failing_probes(request.name, subject, seed, MOST_SECONDS)
        except OutOfTime as stopped:
            line = raised(stopped.__cause__ or stopped, None).line
            return asdict(Learnt(seed, [], [], [line] if line else [], 0.0))
        if failing:
            lines = [line for line in failing.values() if line]
            return asdict(Learnt(seed, [*failing], passing, lines, time.monotonic() - began))
    return {"why": "passes. Something else in this notebook changes it: restart the kernel and run the cells in order."}


def _subject(request: Request, source: str) -> LocalSubject:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<your cell>", "exec", dont_inherit=True), namespace)
    return LocalSubject(namespace[request.binding])


def _mends(request: Request, learnt: Learnt, candidate: Candidate, seeds: Sequence[int]) -> bool:
    """Whether the program passes with a change, on each of these seeds."""
    subject = _changed(request, candidate)
    order = [*learnt.failing, *learnt.passing]
    return subject is not None and all(
        engine.is_right(request.name, subject, seed, _limit(learnt), order) for seed in seeds
    )


def _mended(request: Request, learnt: Learnt, candidate: Candidate) -> int:
    """How many of the probes that fail a change mends; 0 where it is less than half, or where another one fails."""
    subject = _changed(request, candidate)
    if subject is None:
        return 0

    def right(k: int) -> bool:
        return engine.is_right(request.name, subject, learnt.seed, _limit(learnt), [k])

    if not any(map(right, learnt.failing[:MOST_ASKED])) or not all(map(right, learnt.passing)):
        return 0
    mends = sum(map(right, learnt.failing))
    return mends if 2 * mends >= len(learnt.failing) else 0


def _changed(request: Request, candidate: Candidate) -> LocalSubject | None:
    try:
        return _subject(request, request.source(candidate.part, candidate.change.make()))
    except (Exception, SystemExit):
        return None


def _limit(learnt: Learnt) -> float:
    return min(max(LEAST_SECONDS, TIMES_AS_LONG * learnt.seconds), MOST_SECONDS)


def _first(request: Request, learnt: Learnt, until: float, whole: bool) -> Found | None:
    """The first change that mends the whole, or the one that mends the largest part, tried in this process."""
    best: Found | None = None
    for tried, candidate in enumerate(candidates(request, learnt.lines, whole)):
        if time.monotonic() > until:
            break
        say(tried=tried)
        mends = _tried(request, learnt, candidate, whole)
        if mends > (best.mends if best else 0):
            best = Found(candidate, mends)
            if whole:
                break
    return best


def _tried(request: Request, learnt: Learnt, candidate: Candidate, whole: bool) -> int:
    """How many failing probes a change mends; where the whole is asked for, all or none."""
    if not whole:
        return min(_mended(request, learnt, candidate), MOST)
    return min(len(learnt.failing) or 1, MOST) if _mends(request, learnt, candidate, [learnt.seed]) else 0


# ---- triers ----


def _first_of_triers(request: Request, learnt: Learnt, until: float, whole: bool) -> Found | None:
    """The same as `_first`, tried in processes of their own, two at once."""
    seconds = _limit(learnt) + GRACE
    numbered = enumerate(candidates(request, learnt.lines, whole))
    again: list[list[tuple[int, Candidate]]] = []  # what a trier that ended had not come to
    triers: list[_Trier] = []
    best: Found | None = None
    first = sys.maxsize  # the place of the best
    tried, said = 0, 0.0
    try:
        while time.monotonic() < until:
            while len(triers) < TRIERS and not (whole and best):
                chunk = again.pop() if again else list(itertools.islice(numbered, CHUNK))
                if not chunk:
                    break
                triers.append(_started(request, learnt, chunk, seconds, whole))
            if not triers or (whole and all(first < trier.left[0][0] for trier in triers)):
                break  # nothing smaller is left
            select.select([trier.answers for trier in triers], [], [], 0.05)
            for trier in list(triers):
                # asked again: to confirm a change of another trier may have taken long
                ready = select.select([trier.answers], [], [], 0)[0]
                got = os.read(trier.answers, len(trier.left)) if ready else None
                for mends in got or b"":
                    tried += 1
                    trier.deadline = time.monotonic() + seconds
                    place, candidate = trier.left.pop(0)
                    better = mends > best.mends or (mends == best.mends and place < first) if best else mends > 0
                    if better and _holds(request, learnt, candidate, whole, 3 * seconds):
                        best, first = Found(candidate, mends), place
                if got == b"" or not trier.left or time.monotonic() > trier.deadline:
                    trier.end()
                    triers.remove(trier)
                    if trier.left[1:]:  # the first of them has ended it, or never ends
                        tried += 1
                        again.append(trier.left[1:])
            if time.monotonic() > said + SAY_EVERY:
                said = time.monotonic()
                say(tried=tried)
    finally:
        for trier in triers:
            trier.end()
    return best


def _holds(request: Request, learnt: Learnt, candidate: Candidate, whole: bool, seconds: float) -> bool:
    """Whether a change mends in a process in which nothing was tried before, too; the whole, on all seeds."""

    def ask() -> bool:
        return _mends(request, learnt, candidate, SEEDS) if whole else _mended(request, learnt, candidate) > 0

    return _alone(ask, seconds) is True


@dataclass
class _Trier:
    """A process that tries changes, one after the other.

    Attributes:
        answers: the file descriptor at which each answer arrives as one byte.
        left: what has no answer yet.
        deadline: for the first of them.
    """

    process: int
    answers: int
    left: list[tuple[int, Candidate]]
    deadline: float

    def end(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.answers)


def _started(
    request: Request, learnt: Learnt, chunk: list[tuple[int, Candidate]], seconds: float, whole: bool
) -> _Trier:
    def tries(say: Say) -> None:
        for _, candidate in chunk:
            say(bytes([_tried(request, learnt, candidate, whole)]))

    return _Trier(*_forked(tries), chunk, time.monotonic() + seconds)


def _alone(ask: Callable[[], Any], seconds: float) -> Any:
    """What `ask` gives in a process of its own; `None` where that ends or takes longer."""
    process, answers = _forked(lambda say: say(json.dumps(ask()).encode()))
    until, got = time.monotonic() + seconds, b""
    try:
        while select.select([answers], [], [], max(0, until - time.monotonic()))[0]:
            more = os.read(answers, 1 << 16)
            if not more:
                return json.loads(got) if got else None
            got += more
        return None
    finally:
        _Trier(process, answers, [], until).end()


def _forked(do: Callable[[Say], None]) -> tuple[int, int]:
    """A process that does something and says it, and the file descriptor at which that arrives."""
    answers, to = os.pipe()
    process = os.fork()
    if process == 0:
        with contextlib.suppress(BaseException):
            _control(DEATH_SIGNAL, signal.SIGKILL)
            os.close(answers)
            os.close(_replies)
            silence()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            # An answer that forks in every call would double with each: its copies end where they begin.
            os.register_at_fork(after_in_child=lambda: os._exit(0))
            do(lambda text: os.write(to, text))
        os._exit(0)
    os.close(to)
    return process, answers


if __name__ == "__main__":
    main()
