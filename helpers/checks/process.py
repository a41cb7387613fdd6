"""A student's object in another process, behind the same door as the object itself.

Requests and replies cross a socket as plain data (`helpers.checks.codec`). Whatever the student's code does there,
leave Python, hang, fill the memory, write nonsense on the socket, this process goes on: the other is ended and `Lost`
is raised. What it may do there is for whoever starts it to bound.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

from torch import Tensor

from helpers.checks import codec
from helpers.checks.subject import GRADIENTS, LocalSubject, Raised, Subject, raised
from helpers.markup import code

if TYPE_CHECKING:
    from typing_extensions import Self

GRACE = 1.0  # for a child that was interrupted to say where it was


class Lost(BaseException):
    """The process of a `ConnectedSubject` has ended, or was ended because it broke the rules.

    Not an `Exception`: a probe must not take it for one that the answer raised. `reason` says what happened, as a
    sentence that goes on after the answer's name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def unfinished(seconds: float, where: Raised | None) -> str:
    """What to say of an answer that was stopped after `seconds`; `where`, if that is known."""
    line = f" It was stopped in line {where.line}: {code(where.source)}." if where and where.line else ""
    sleeps = where is not None and "sleep" in where.source
    why = "Nothing here has to wait." if sleeps else "A loop never ends, or does far more than this task needs."
    return f"did not finish within {seconds:g} seconds.{line} {why}"


class ConnectedSubject(Subject):
    """The object in another process, which `serve`s it at the other end of a socket.

    A context manager: leaving it ends that process.

    Args:
        connection: to that process.
        seconds: how long one request may take.
        replies: what its messages are held against.

    Attributes:
        was_late: whether it was ended because no reply came in time.
    """

    def __init__(self, connection: socket.socket, seconds: float, replies: codec.Replies) -> None:
        self._connection, self._seconds, self._replies = connection, seconds, replies
        self.was_late = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and everything it has started. May be called more than once."""
        self._connection.close()
        self._end()

    def _end(self) -> None:
        raise NotImplementedError

    def _interrupt(self) -> None:
        raise NotImplementedError

    def _ask(self, expected: Any, method: str, *args: Any) -> Any:
        """Send one request and wait for its reply.

        Raises:
            Lost: no fitting reply came.
        """
        if self._connection.fileno() < 0:
            raise Lost("runs no more: its process has ended.")
        deadline = self._deadline()
        try:
            codec.send(self._connection, (method, args), deadline)
            reply = codec.receive(self._connection, deadline, self._replies)
        except TimeoutError:
            self.was_late = True
            self._lose(unfinished(self._seconds, self._interrupted()))
        except (EOFError, OSError):
            self._lose("ended the process it runs in: it left Python, crashed, or ran out of memory.")
        except codec.CodecError as error:
            self._lose(f"sent something that is no reply: {error}.")
        match reply:
            case ("done", list(got)) if expected is GRADIENTS and not all(isinstance(g, Tensor | None) for g in got):
                return self._lose("sent gradients that are no tensors.")
            case ("done", value) if isinstance(value, expected):
                return value
            case ("raised", Raised() as what):
                return self._lose(f"raised {what}.")
            case ("unsendable", str(why)):
                return self._lose(f"has a result that cannot be handed over: {why}.")
        return self._lose("sent something that is no reply to what it was asked.")

    def _deadline(self) -> float:
        """When the reply to a request of now must have come."""
        return time.monotonic() + self._seconds

    def _interrupted(self) -> Raised | None:
        """Interrupt the process, and let it say where it was."""
        deadline = time.monotonic() + GRACE
        with contextlib.suppress(codec.CodecError, EOFError, OSError):
            self._interrupt()
            match codec.receive(self._connection, deadline, self._replies):
                case ("raised", Raised() as what):
                    return what
        return None

    def _lose(self, reason: str) -> NoReturn:
        self.close()
        raise Lost(reason) from None


def serve(subject: LocalSubject, student: Any, connection: socket.socket, seal: bytes) -> None:
    """Answer requests to the subject of a student's object until the other side has gone, with EOFError then."""
    while True:
        method, args = codec.receive(connection)
        try:
            reply = ("done", getattr(subject, method)(*args))
        except BaseException as error:  # also an interrupt, and whatever else the student's code lets out
            reply = ("raised", raised(error, student))
        try:
            codec.send(connection, reply, seal=seal)
        except codec.CodecError as error:
            codec.send(connection, ("unsendable", str(error)), seal=seal)


def silence() -> None:
    """Discard what is printed, on every level, and read nothing."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    warnings.simplefilter("ignore")
