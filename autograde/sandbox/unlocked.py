"""Answers in processes that nothing locks in, for a machine that cannot: at the risk of whoever says `--unsafe`.

A process runs as its user, with all files and the network in reach. It is another process than the judge's all the
same, one for each answer, so that an answer that ends it or never ends costs its author only. Works wherever Python
does, and takes seconds an answer, since nothing is kept warm. `python -m autograde.sandbox.unlocked PORT` is such a
process.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from autograde.build_cache import ROOT
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import START_SECONDS, Ended, LockedSubject, SandboxError, Warm
from autograde.sandbox.warm import Question, answer
from helpers.checks import codec
from helpers.checks.process import silence

MARK = "unsafe: not locked in"


class Unlocked(Warm):
    """Stands in for a warm process where nothing can be locked in."""

    def __init__(self) -> None:
        self.walls = []

    def close(self) -> None:
        """Nothing is kept from one answer to the next."""

    def next_submission(self) -> None:
        """Nothing is kept from one answer to the next."""

    @contextlib.contextmanager
    def start(
        self,
        binding: str,
        parts: list[tuple[str, str, int]],
        modules: dict[str, str],
        limits: Limits,
        guarded: bool = True,
    ) -> Iterator[LockedSubject]:
        """Start an answer in a process and a folder of its own; see `Question`."""
        seal = secrets.token_bytes(16)
        with (
            tempfile.TemporaryDirectory(prefix="answer-", ignore_cleanup_errors=True) as folder,
            socket.create_server(("127.0.0.1", 0)) as server,
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "autograde.sandbox.unlocked", str(server.getsockname()[1]), folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
            )
            try:
                assert process.stdin is not None
                process.stdin.write(seal)
                process.stdin.close()
                with UnlockedSubject(_connected(server, seal), process, limits, seal) as subject:
                    subject.hand_over(Question(binding, parts, modules, limits, seal.hex(), False, guarded))
                    yield subject
            finally:
                process.kill()
                process.wait()
        self.walls = subject.walls


class UnlockedSubject(LockedSubject):
    """An answer in such a process."""

    def __init__(
        self, connection: socket.socket, process: subprocess.Popen[bytes], limits: Limits, seal: bytes
    ) -> None:
        super().__init__(connection, connection, limits, seal)
        self._process = process

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self.ended = self.ended or Ended(0, 0.0, 0)

    def _interrupt(self) -> None:
        """There is no way that all systems have."""


def _connected(server: socket.socket, seal: bytes) -> socket.socket:
    """The connection of the process that knows the seal."""
    server.settimeout(START_SECONDS)
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            connection.settimeout(START_SECONDS)
            if secrets.compare_digest(connection.recv(len(seal)), seal):
                connection.settimeout(None)
                return connection
            connection.close()
    raise SandboxError("The process for students' code does not start. Run `python course.py doctor`.")


def main(port: int, folder: str) -> None:
    """Run the one question that comes."""
    seal = sys.stdin.buffer.read()
    connection = socket.create_connection(("127.0.0.1", port), START_SECONDS)
    connection.settimeout(None)
    connection.sendall(seal)
    question = Question.of_data(codec.receive(connection))
    silence()
    os.chdir(folder)
    tempfile.tempdir = folder
    codec.send(connection, ("locked", [MARK]), seal=seal)
    answer(question, connection)


if __name__ == "__main__":
    with contextlib.suppress(OSError, EOFError):
        main(int(sys.argv[1]), sys.argv[2])
