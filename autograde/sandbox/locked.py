"""The judge's end of the sandbox: a warm process, and answers in locked forks of it as `Subject`s."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from autograde.build_cache import ROOT
from autograde.sandbox import namespaces
from autograde.sandbox.lock import MEGABYTE, Limits, missing, without_landlock
from autograde.sandbox.warm import Question
from helpers.checks import codec
from helpers.checks.process import ConnectedSubject, unfinished
from helpers.checks.subject import Raised, clean

START_SECONDS = 120.0  # torch and the rest, on a busy machine
# Of the seconds of a processor that end a process, what it is known to have used: the kernel ends it by ticks, in which
# it counts seconds of others, too, and tells the exact ones afterwards.
TICKS = 0.75
BACKSTOP_SECONDS = 120.0  # for a question; what an answer may use is counted in seconds of a processor
MOST_BYTES = 64 * MEGABYTE  # of all replies to a question; those of right answers take up 7 (`codec.HEADER_WEIGHT`)


class SandboxError(Exception):
    """Nothing can be run here safely; the message says why and what to do."""


class NotRun(Exception):
    """The student's code gave no answer to be checked; the message goes on after the answer's name."""


@dataclass(frozen=True)
class Ended:
    """How a fork has ended.

    Attributes:
        signal: that ended it; 0 where none did.
        cpu_seconds: of a processor that it took.
        memory: most bytes that it had.
        too_much: of what it used more than it may, so that it was ended, in words that go on after its name.
    """

    signal: int
    cpu_seconds: float
    memory: int
    too_much: str = ""


class Warm:
    """A warm process, in namespaces where they can be made. A context manager: leaving it ends the process.

    Args:
        first: the socket of another, of which this one is to be a fork, as quick to start.

    Attributes:
        walls: those around the last answer that ran.

    Raises:
        SandboxError: this system cannot lock a process in.
    """

    def __init__(self, first: socket.socket | None = None) -> None:
        self._first = first
        self._namespaces = list(namespaces.prefix()) if sys.platform == "linux" else []
        if why := missing(bool(self._namespaces)):
            raise SandboxError(
                f"Students' code cannot be locked in here: {'; '.join(why)}. Grade on Linux 6.2 or later, in WSL2 or "
                "in a container on such a machine. With `--unsafe` it runs as you, with your files and network in "
                "reach, and every result says so."
            )
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.walls: list[str] = []

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, and what runs in it."""
        if self._control:
            self._control.close()
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    @contextlib.contextmanager
    def start(
        self,
        binding: str,
        parts: list[tuple[str, str, int]],
        modules: dict[str, str],
        limits: Limits,
        guarded: bool = True,
    ) -> Iterator[LockedSubject]:
        """Start an answer in a locked fork, with a folder of its own to write in; see `Question`."""
        control, seal = self._started(), secrets.token_bytes(16)
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(control, [b"q"], [theirs.fileno()])
        with LockedSubject(ours, control, limits, seal) as subject:
            in_namespaces = bool(self._namespaces)
            subject.hand_over(Question(binding, parts, modules, limits, seal.hex(), in_namespaces, guarded))
            yield subject
        self.walls = subject.walls

    def next_submission(self) -> None:
        """Let nothing of one submission be there for the next: without Landlock, each gets a process of its own."""
        if without_landlock():
            self.close()

    def begin(self) -> socket.socket:
        """Start the process, without waiting until it is ready, and return its socket."""
        self.close()
        self._control, theirs = socket.socketpair()
        with theirs:
            if self._first:
                with contextlib.suppress(OSError):  # it has ended
                    socket.send_fds(self._first, [b"n"], [theirs.fileno()])
                    return self._control
            keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
            self._process = subprocess.Popen(
                [*self._namespaces, sys.executable, "-m", "autograde.sandbox.warm", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**keep, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "TMPDIR": tempfile.gettempdir()},
                cwd=ROOT,
                start_new_session=True,
            )
        return self._control

    def _started(self) -> socket.socket:
        """The socket of a process that is ready."""
        runs = not self._process or self._process.poll() is None
        if runs and self._control and not select.select([self._control], [], [], 0)[0]:  # an end can be read
            return self._control
        for _ in range(2 if self._first else 1):
            control = self.begin()
            with contextlib.suppress(EOFError, OSError, TimeoutError):
                if codec.receive(control, time.monotonic() + START_SECONDS) == ("ready",):
                    return control
            self._first = None
        self.close()
        raise SandboxError("The process for students' code does not start. Run `python course.py doctor`.")


class LockedSubject(ConnectedSubject):
    """An answer in a locked fork of the warm process.

    Attributes:
        ended: how the fork has ended, when it has.
        was_lost: whether it had ended before it was told to.
        walls: that stand around it.
    """

    def __init__(self, connection: socket.socket, control: socket.socket, limits: Limits, seal: bytes) -> None:
        super().__init__(connection, BACKSTOP_SECONDS, codec.Replies(seal, MOST_BYTES))
        self._control, self._limits = control, limits
        self._until = time.monotonic() + BACKSTOP_SECONDS
        self.ended: Ended | None = None
        self.was_lost = self._was_interrupted = False
        self.walls: list[str] = []

    @property
    def out_of_time(self) -> bool:
        """Whether it has ended because it used what it may of a processor."""
        used = self.ended.cpu_seconds if self.ended else 0.0
        return (self.was_lost or self._was_interrupted) and used > TICKS * self._limits.cpu_seconds

    def hand_over(self, question: Question) -> None:
        """Tell the fork what to run, and wait until it is locked in.

        Raises:
            SandboxError: it cannot be.
        """
        codec.send(self._connection, question.as_data(), time.monotonic() + BACKSTOP_SECONDS)
        match self._told():
            case ("locked", list(walls)):
                self.walls = [str(wall) for wall in walls]
            case ("unlocked", str(why)):
                raise SandboxError(why)
            case _:
                raise SandboxError("The process for students' code does not start. Run `python course.py doctor`.")

    def begin(self) -> None:
        """Wait until the student's code has run.

        Raises:
            NotRun: it gave no answer.
        """
        match self._told():
            case ("ready",):
                return
            case ("raised", Raised() as what):
                self._was_interrupted = what.kind == "KeyboardInterrupt"
                raise NotRun(f"raised {what}.")
            case ("unbound", str(name)):
                raise NotRun(f"is bound nowhere: no statement gives the name `{clean(name)}` to anything.")
        self.was_lost = True
        self.close()
        if self.was_late:
            raise NotRun(unfinished(BACKSTOP_SECONDS, None))
        raise NotRun("ended the process it runs in, or used more than it may, before it could be called.")

    def _told(self) -> Any:
        """The next message; nothing where none comes."""
        try:
            return codec.receive(self._connection, self._until, self._replies)
        except TimeoutError:
            self.was_late = True
        except (EOFError, OSError, codec.CodecError):
            pass  # it has ended
        return None

    def _deadline(self) -> float:
        return self._until  # the judge may be in a thread, where nothing else bounds how long all requests take

    def _end(self) -> None:
        if self.ended:
            return
        with contextlib.suppress(OSError):
            self._control.send(b"e")
        match codec.receive(self._control, time.monotonic() + BACKSTOP_SECONDS):
            case ("ended", int(number), float(seconds), int(memory), str(too_much)):
                self.ended = Ended(number, seconds, memory * 1024, too_much)

    def _interrupt(self) -> None:
        self._control.send(b"i")

    def _lose(self, reason: str) -> NoReturn:
        self.was_lost = True
        super()._lose(reason)
