"""The process in which students' answers run: `python -m autograde.sandbox.warm FILE_DESCRIPTOR`.

It imports what answers need and computes nothing itself, so that a fork of it is quick and safe. For each question it
forks once; the fork locks itself in, runs the student's code, and serves it as a `Subject` to the judge. Nothing that
a student may not see is ever in this process: no exercise, no key, no gradebook, no secret of the judge's.

The judge sends a byte: `q` with the socket of the subject; `i` to interrupt the code; `e` to end it; `n` with the
socket of another judge, for whom a fork does the same from then on. When the fork of a question has ended, how it ended
is sent back. The question itself goes to the fork, over its own socket: what this process has read
once would lie in the memory of all later forks.

A fork writes to a folder of its own. What no limit of a process bounds is looked at while it runs: what lies in that
folder, and the number of threads. So more of it than is allowed may be there for some hundredths of a second.
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
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch

from autograde.sandbox import stage
from autograde.sandbox.lock import MEGABYTE, Limits, LockError, lock
from helpers.checks import codec
from helpers.checks.process import serve, silence
from helpers.checks.settings import Members
from helpers.checks.subject import LocalSubject, raised

# What answers import, and what locks them in, once for all forks.
PRELOADED = (
    *("numpy", "torch.nn.functional", "torch.utils.data", "torchvision", "scipy.ndimage", "skimage.feature"),
    *("skimage.segmentation", "skimage.measure", "skimage.morphology", "matplotlib.pyplot", "PIL.Image", "tqdm.auto"),
    *("math", "random", "dataclasses", "typing", "collections", "functools", "itertools", "copy", "time", "warnings"),
    *("IPython.display", "psutil", "py_landlock", "pyseccomp", "pyprctl"),
)


LOOK_SECONDS = 0.02  # between two looks at what a fork uses
MOST_THREADS = 200
MOST_FILES = 500  # and folders, in the folder of a fork
MOST_BYTES = 64 * MEGABYTE  # of them together


@dataclass(frozen=True)
class Question:
    """One answer to be run.

    Attributes:
        binding: what it is bound to when all parts have run.
        parts: source, name of the cell, and first line in it of each statement.
        modules: names and sources of what stands in for `helpers.reference`.
        limits: what it may use.
        seal: of what is sent back, in hexadecimal digits.
        in_namespaces: whether the process that is forked is in namespaces of its own.
        guarded: whether Python refuses, too, what nobody needs; without that, only the kernel's walls stand.
    """

    binding: str
    parts: list[tuple[str, str, int]]
    modules: dict[str, str]
    limits: Limits
    seal: str
    in_namespaces: bool
    guarded: bool = True

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
        if kind == b"n":
            other = socket.socket(fileno=handles[0])
            if os.fork() == 0:
                control.close()
                control = other
                codec.send(control, ("ready",))
            else:
                other.close()
            continue
        if kind != b"q":  # too late: that fork has ended
            continue
        folder = tempfile.mkdtemp(prefix="answer-")
        child = os.fork()
        if child == 0:
            _live(socket.socket(fileno=handles[0]), folder)
        os.close(handles[0])
        ended = _ended(child, control, folder)
        _remove(folder)
        codec.send(control, ended)


def _ended(child: int, control: socket.socket, folder: str) -> tuple[str, int, float, int, str]:
    """Wait for the end of a fork: its signal, seconds of CPU, most memory in bytes, and of what it used too much."""
    watch, too_much = os.pidfd_open(child), ""
    try:
        while not select.select([watch], [], [], 0)[0]:
            if control.fileno() in select.select([watch, control.fileno()], [], [], LOOK_SECONDS)[0]:
                ask = control.recv(1)
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGINT if ask == b"i" else signal.SIGKILL)
                if not ask:
                    break
            if not too_much and (too_much := _too_much(child, folder)):
                os.kill(child, signal.SIGKILL)
    finally:
        os.close(watch)
    _, status, used = os.wait4(child, 0)
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return "ended", number, used.ru_utime + used.ru_stime, used.ru_maxrss, too_much


def _too_much(child: int, folder: str) -> str:
    """Of what a fork uses too much, in words."""
    files = size = 0
    waiting = [folder]
    while waiting and files <= MOST_FILES and size <= MOST_BYTES:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:  # it may remove them meanwhile
            for entry in entries:
                files += 1
                size += entry.stat(follow_symlinks=False).st_size
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                if files > MOST_FILES:
                    break
    if files > MOST_FILES or size > MOST_BYTES:
        return f"wrote more than {MOST_FILES} files or {MOST_BYTES // MEGABYTE} MB"
    with contextlib.suppress(OSError):
        threads = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[17])
        return f"started more than {MOST_THREADS} threads" if threads > MOST_THREADS else ""
    return ""


def _remove(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:  # Not shutil, which ends at a thousand folders in each other.
        subprocess.run(["rm", "-rf", folder], check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _live(connection: socket.socket, folder: str) -> NoReturn:
    """All of a fork's life."""
    try:
        question = Question.of_data(codec.receive(connection))
        seal = bytes.fromhex(question.seal)
        faulthandler.disable()
        os.setsid()
        os.closerange(3, connection.fileno())
        os.closerange(connection.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        silence()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGXCPU, signal.default_int_handler)  # the code can say where it is, for a second
        os.chdir(folder)
        tempfile.tempdir = folder
        try:
            walls = lock(stage.COURSE, stage.hidden(), Path(folder), question.limits, question.in_namespaces)
        except LockError as error:
            codec.send(connection, ("unlocked", str(error)), seal=seal)
            os._exit(1)
        codec.send(connection, ("locked", walls), seal=seal)
        answer(question, connection)
    finally:
        os._exit(0)


def answer(question: Question, connection: socket.socket) -> None:
    """Run the student's code in this process, and serve what it makes until the judge has gone, with EOFError then."""
    seal = bytes.fromhex(question.seal)
    stage.set_up(question.modules)
    namespace = stage.of_student()
    members = Members()
    if question.guarded:
        stage.guard()
    made = _run(question, namespace)
    codec.send(connection, made if isinstance(made, tuple) else ("ready",), seal=seal)
    if not isinstance(made, tuple):
        serve(LocalSubject(made[0], members), made[0], connection, seal)


def _run(question: Question, namespace: dict[str, Any]) -> list[Any] | tuple[str, Any]:
    """Run the parts in a namespace: the answer, in a list, or what went wrong, to be sent."""
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
    with contextlib.suppress(OSError):  # the judge was killed, and this has ended what ran
        main(socket.socket(fileno=int(sys.argv[1])))
    os._exit(0)  # nothing is left to do, and the interpreter's own end takes most of a second
