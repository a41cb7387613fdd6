"""The process in which students' answers run: `python -m autograde.sandbox.warm FILE_DESCRIPTOR`.

It imports what answers need and computes nothing itself, so that a fork of it is quick and safe. For each question it
forks once; the fork locks itself in, runs the student's code, and serves it as a `Subject` to the judge. Nothing that
a student may not see is ever in this process: no exercise, no key, no gradebook, no secret of the judge's.

The judge sends a byte: `q` with the socket of the subject; `i` to interrupt the code; `e` to end it. When the fork has
ended, how it ended is sent back. The question itself goes to the fork, over its own socket: what this process has read
once would lie in the memory of all later forks.
"""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import importlib
import linecache
import os
import select
import signal
import socket
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch

from autograde.sandbox import stage
from autograde.sandbox.lock import Limits, LockError, lock
from helpers.checks import codec
from helpers.checks.process import serve, silence
from helpers.checks.subject import raised

# What answers import, once for all forks.
PRELOADED = (
    *("numpy", "torch.nn.functional", "torch.utils.data", "torchvision", "scipy.ndimage", "skimage.feature"),
    *("skimage.segmentation", "skimage.measure", "skimage.morphology", "matplotlib.pyplot", "PIL.Image", "tqdm.auto"),
    *("math", "random", "dataclasses", "typing", "collections", "functools", "itertools", "copy", "time", "warnings"),
)


@dataclass(frozen=True)
class Question:
    """One answer to be run.

    Attributes:
        binding: what it is bound to when all parts have run.
        parts: source, name of the cell, and first line in it of each statement.
        modules: names and sources of what stands in for `helpers.reference`.
        folder: where it may write.
        limits: what it may use.
    """

    binding: str
    parts: list[tuple[str, str, int]]
    modules: dict[str, str]
    folder: str
    limits: Limits

    def as_data(self) -> dict[str, Any]:
        """As plain data, to be sent."""
        return asdict(self)

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Question:
        """What `as_data` gave."""
        return cls(**{**data, "limits": Limits(**data["limits"])})


def main(control: socket.socket) -> None:
    """Run questions until the judge has gone."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    torch.set_num_threads(1)
    # torch reads which instructions there are from /proc, which no fork may; it would compute slowly, and otherwise.
    torch.backends.cpu.get_cpu_capability()
    codec.send(control, ("ready",))
    while True:
        kind, handles, _, _ = socket.recv_fds(control, 1, 1)
        if not kind:
            return
        if kind != b"q":  # too late: that fork has ended
            continue
        child = os.fork()
        if child == 0:
            _live(socket.socket(fileno=handles[0]))
        os.close(handles[0])
        codec.send(control, _ended(child, control))


def _ended(child: int, control: socket.socket) -> tuple[str, int, float, int]:
    """Wait for the end of a fork: its signal, seconds of CPU, and most memory in bytes."""
    watch = os.pidfd_open(child)
    try:
        while not select.select([watch], [], [], 0)[0]:
            if control.fileno() in select.select([watch, control.fileno()], [], [])[0]:
                ask = control.recv(1)
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGINT if ask == b"i" else signal.SIGKILL)
                if not ask:
                    break
    finally:
        os.close(watch)
    _, status, used = os.wait4(child, 0)
    return "ended", os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, used.ru_utime + used.ru_stime, used.ru_maxrss


def _live(connection: socket.socket) -> NoReturn:
    """All of a fork's life."""
    try:
        question = Question.of_data(codec.receive(connection))
        faulthandler.disable()
        os.setsid()
        os.closerange(3, connection.fileno())
        os.closerange(connection.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        silence()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGXCPU, signal.default_int_handler)  # the code can say where it is, for a second
        os.chdir(question.folder)
        tempfile.tempdir = question.folder
        try:
            walls = lock([stage.HELPERS], stage.hidden(), Path(question.folder), question.limits)
        except LockError as error:
            codec.send(connection, ("unlocked", str(error)))
            os._exit(1)
        codec.send(connection, ("locked", walls))  # before anything of the student's runs, which may say anything
        stage.set_up(question.modules)
        answer = _run(question)
        codec.send(connection, answer if isinstance(answer, tuple) else ("ready",))
        if not isinstance(answer, tuple):
            serve(answer[0], connection)
    finally:
        os._exit(0)


def _run(question: Question) -> list[Any] | tuple[str, Any]:
    """Run the parts: the answer, in a list, or what went wrong, to be sent."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for source, cell, line in question.parts:
        file = f"<cell {cell}>"
        before = "\n" * (line - 1)
        linecache.cache[file] = (len(source), None, (before + source + "\n").splitlines(keepends=True), file)
        try:
            tree = ast.parse(before + source)
            exec(compile(tree, file, "exec", dont_inherit=True), namespace)
        except BaseException as error:  # whatever the student's code lets out
            if not all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(source).body):
                return "raised", raised(error, None)
            # an import that fails matters where its name is read
    if question.binding not in namespace:
        return "unbound", question.binding
    return [namespace[question.binding]]


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
