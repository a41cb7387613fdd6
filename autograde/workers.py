"""Workers that do jobs: processes of this machine, or those of a Dask scheduler. A lost one costs nothing but time."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import Any

from autograde.sandbox.lock import without_landlock
from autograde.sandbox.locked import SandboxError, Warm
from autograde.worker import start

AHEAD = 4  # jobs that wait for each worker, so that those of a large class are not all in memory
TRIES = 3  # of a job whose worker was lost


class NoScheduler(Exception):
    """There is no Dask scheduler at the address."""


@dataclass(frozen=True)
class Job:
    """Something that a worker does.

    Attributes:
        call: a function that may be called twice.
        arguments: what it is called with.
        then: called in this process with what it gave.
        about: whose work it is.
        anywhere: a worker of a scheduler may do it, too.
    """

    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    then: Callable[[Any], None]
    about: str
    anywhere: bool = False


class Workers:
    """Processes on this machine. A context manager: leaving it early ends what runs.

    Attributes:
        lost: whose work ended its worker each time it was tried.
    """

    def __init__(self, number: int) -> None:
        self._number, self._most = number, AHEAD * number
        self._waiting: dict[Future[Any], Job] = {}
        self._warm: Warm | None = None
        self._first: socket.socket | None = None
        self.lost: list[str] = []

    def __enter__(self) -> Workers:
        # Imports take most of the start, so what answers are forked from starts once, and while the workers start.
        with contextlib.suppress(SandboxError):  # each worker says so, or does without
            if not without_landlock():
                self._warm = Warm()
                self._first = self._warm.begin()
        self._pool = self._start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()
        if self._warm:
            self._warm.close()

    def do(self, job: Job) -> None:
        """Have it done, as soon as there is room."""
        self.add(job)
        while len(self._waiting) >= self._most:
            self._take()

    def add(self, job: Job) -> None:
        """Have it done, without waiting for room."""
        self._waiting[self._executor(job).submit(job.call, *job.arguments)] = job

    def finish(self) -> None:
        """Wait until all is done."""
        while self._waiting:
            self._take()

    def _executor(self, job: Job) -> Executor:
        return self._pool

    def _take(self) -> None:
        """Wait for something to be ready, and take it."""
        ready, _ = wait(self._waiting, return_when=FIRST_COMPLETED)
        for future in ready:
            job = self._waiting.pop(future)
            try:
                given = future.result()
            except BrokenProcessPool:  # one of the processes has ended, and with it all that was under way
                return self._again([job, *self._waiting.values()])
            job.then(given)
        return None

    def _again(self, jobs: list[Job]) -> None:
        """Do them one by one, to see which of them ends its worker, if any does."""
        self._waiting.clear()
        self._restart()
        for job in jobs:
            for _ in range(TRIES - 1):
                try:
                    given = self._executor(job).submit(job.call, *job.arguments).result()
                except BrokenProcessPool:
                    self._restart()
                else:
                    job.then(given)
                    break
            else:
                self.lost.append(job.about)

    def _restart(self) -> None:
        self._end()
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # Never a fork of this process, which has threads, but of one that has imported all and does nothing else.
        context: BaseContext = multiprocessing.get_context("spawn")
        if "forkserver" in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([start.__module__])
        return ProcessPoolExecutor(self._number, context, start, (self._first,))

    def _end(self) -> None:
        processes = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()


class DaskWorkers(Workers):
    """Workers of a Dask scheduler, and processes of this machine for what is not to leave it."""

    def __init__(self, number: int, address: str) -> None:
        super().__init__(number)
        self._address = address

    def __enter__(self) -> DaskWorkers:
        try:
            import distributed

            connect: Any = distributed.Client  # has no types
            self._client = connect(self._address, timeout=10)
        except (OSError, ValueError, ImportError) as error:
            raise NoScheduler(f"No Dask scheduler answers at {self._address}: {error}") from None
        self._elsewhere = self._client.get_executor(pure=False, retries=TRIES)
        self._most = AHEAD * max(self._number, sum(self._client.nthreads().values()))
        super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._client.close()

    def _executor(self, job: Job) -> Executor:
        return self._elsewhere if job.anywhere else self._pool
