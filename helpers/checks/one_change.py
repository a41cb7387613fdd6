"""`where`: the place in a student's own code where one small change makes it pass.

It is looked for in a process of its own (`helpers.checks.change_worker`), which is started at the first request and
given source, not objects. So whatever the notebook has done, trained or broken, it is the same there; and whatever a
changed answer does there, the notebook goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from helpers.checks.program import NoProgram, Program, of_kernel
from helpers.markup import code

LEVELS = 3
SECONDS, LEAST_SECONDS = 5.0, 2.5  # to look: in all, and once the worker has started
START_SECONDS = 60.0  # it imports torch, maybe from a slow disk
SILENT_SECONDS = 6.0  # a worker that says nothing for so long has stalled
COMMAND = ("-W", "ignore", "-m", "helpers.checks.change_worker")
STOPPED = "Stopped. Ask again, and it looks again."
BROKEN = "The search broke off. Ask again; if that does not help, restart the kernel."
LATE = (
    "The time was over before a small change was found that makes it pass, if there is one. Ask again when the "
    "machine has less to do, or compare the example with what each of your lines does."
)
AGAIN = (STOPPED, BROKEN, LATE)  # what may be found all the same


@dataclass(frozen=True)
class Located:
    """Where one small change of the student's own code makes it pass.

    Attributes:
        cell: what the line is counted in, as a student would call it.
        line: counted from 1.
        text: that line as it is written.
        start: the place in that line: its first column, and with `end` the one behind its last.
        kind: what kind of change, as a sentence.
        mends: how many of the examples that fail, `of` so many, would pass; all, unless there is a second mistake.
    """

    line: int
    text: str
    start: int
    end: int
    kind: str
    cell: str = "your cell"
    mends: int = 1
    of: int = 1

    def said(self, level: int) -> str:
        """What is said when it is asked for the first, second and third time, marked up as in `helpers.markup`."""
        if level == 1:
            place = f"It is in line {self.line} of {self.cell}: {code(self.text.strip())}"
            if self.mends == self.of:
                return f"One small change makes it pass. {place}"
            return (
                f"No single small change makes it pass, so there is more than one thing. But one mends {self.mends} of "
                f"the {self.of} examples that fail, and breaks none that passes. {place}"
            )
        place = self.text[self.start : self.end].strip()
        if level == 2:
            whole = place == self.text.strip()
            return f"In line {self.line}, look at {'the whole line' if whole else code(place)}."
        return self.kind


class Search:
    """A search under way.

    Attributes:
        tried: changes that were tried so far.
    """

    def __init__(self) -> None:
        self.tried = 0
        self._result: Located | str | None = None
        self._over = threading.Event()
        self._stopped = threading.Event()
        self._worker: _Worker | None = None

    def wait(self, seconds: float | None = None) -> Located | str | None:
        """What was found, or in a sentence why nothing was; `None` while the search goes on."""
        self._over.wait(seconds)
        return self._result

    def stop(self) -> None:
        """End it at once, with all it has started. From any thread, at any time."""
        self._stopped.set()
        if self._worker is not None and not self._over.is_set():
            self._worker.interrupt()
        self._end(STOPPED)

    def _end(self, result: Located | str) -> None:
        if self._result is None:
            self._result = result
        self._over.set()

    def _run(self, name: str, program: Program) -> None:
        """The whole search, in a thread of its own."""
        until = time.monotonic() + SECONDS
        try:
            with _one_at_a_time:
                if not self._stopped.is_set():
                    self._worker = _the_worker()
                if self._worker is None or self._stopped.is_set():  # while it started
                    return
                self._end(self._looked(name, program, self._worker, until))
        except OSError as error:
            self._end(f"`where` cannot look here: {code(error.strerror or str(error))}.")
        finally:
            self._end(STOPPED if self._stopped.is_set() else BROKEN)

    def _looked(self, name: str, program: Program, worker: _Worker, until: float) -> Located | str:
        seconds = max(until - time.monotonic(), LEAST_SECONDS)
        parts = [(part.source, part.own) for part in program.parts]
        request = {"name": name, "binding": program.name, "parts": parts, "seconds": seconds}
        result: Located | str = ""
        before = last = 0
        for reply in worker.ask(request):
            if reply.get("tried", last) < last:  # all are tried anew, on a part of the examples
                before += last
            last = reply.get("tried", last)
            self.tried = before + last
            if "found" in reply:
                result = located(program, **reply["found"])
            elif "none" in reply:
                result = str(reply["none"])
            elif "late" in reply:
                result = LATE
        return result or (STOPPED if self._stopped.is_set() else BROKEN)


def search(name: str, answer: object) -> Search:
    """Look for the one change that makes an answer to the exercise `name` pass. Returns at once, and never raises."""
    try:
        return look(name, of_kernel(name, answer))
    except NoProgram as why:
        return _ended(str(why))


def look(name: str, program: Program) -> Search:
    """The same for the program of an answer."""
    if not any(part.own for part in program.parts):
        return _ended(f"Your `{name}` is not written in this notebook, and `where` looks nowhere else.")
    begun = Search()
    threading.Thread(target=begun._run, args=(name, program), daemon=True).start()
    return begun


def _ended(why: str) -> Search:
    ended = Search()
    ended._end(why)
    return ended


def located(
    program: Program, part: int, line: int, start: int, end: int, kind: str, mends: int = 1, of: int = 1
) -> Located:
    """The place of a change in a part of a program, by that part's own lines."""
    own = program.parts[part]
    text = own.source.splitlines()[line - 1]
    answer = next(one for one in reversed(program.parts) if one.own)
    cell = "your cell" if own.cell == answer.cell else f"the cell with {code(own.source.splitlines()[0].rstrip(':'))}"
    return Located(own.line + line - 1, text, start, end, kind, cell, mends, of)


# ---- the worker, one for all searches ----

_one_at_a_time = threading.Lock()
_running: _Worker | None = None


def _the_worker() -> _Worker:
    global _running
    if _running is None or not _running.is_alive():
        _running = _Worker()
    return _running


class _Worker:
    """The process that searches.

    Raises:
        OSError: it cannot be started here.
    """

    def __init__(self) -> None:
        settings = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        self._group: int | None = None  # of the processes of the search under way
        self._process = subprocess.Popen(
            [sys.executable, *COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=settings,
            start_new_session=os.name == "posix",  # Ctrl-C in a terminal is not for it
        )
        if self._reply(START_SECONDS) is None:
            raise OSError("the process that searches does not start")

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Send a request, and give what it says until the search is over."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        patience = START_SECONDS  # it imports what the answer does
        while (reply := self._reply(patience)) is not None and "over" not in reply:
            patience = SILENT_SECONDS
            self._group = reply.get("group", self._group)
            yield reply
        self._group = None

    def interrupt(self) -> None:
        """End the search under way, and where it is not known yet, the worker with it."""
        if self._group is None:
            self.end()
        else:
            _killed(self._group)  # the worker sees that, and ends what is left

    def end(self) -> None:
        """End it, and the search under way."""
        if os.name == "posix":
            for group in filter(None, (self._group, self._process.pid)):
                _killed(group)
        self._process.kill()
        self._process.wait()

    def _reply(self, seconds: float) -> dict[str, Any] | None:
        """The next line it says; `None` where it ends, or says nothing for so long that it is ended."""
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self.end)
        timer.daemon = True
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        reply: dict[str, Any] | None = json.loads(line) if line else None
        return reply


def _killed(group: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
