"""How many threads torch may use here: what this process is allowed, not what the machine has.

On a shared machine (Binder, a container, a cluster job) a process may be held to two processors of a host with
sixty-four. torch starts a thread for each of the host's, and they wait for each other while the kernel lets two run at
a time: more than ten times slower than two threads.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath


def available_cpus(root: str | Path = "/") -> int:
    """Processors this process may use: the smaller of its affinity mask and its cgroup's CPU quota; at least 1.

    A quota of 1.5 processors counts as 2: two threads then share it and run at once. `/proc` and `/sys` are looked for
    under `root`.
    """
    has_mask = hasattr(os, "sched_getaffinity")  # on Linux
    allowed = len(os.sched_getaffinity(0)) if has_mask else os.cpu_count() or 1
    return max(1, min([allowed, *map(math.ceil, _quotas(Path(root)))]))


def limit_threads() -> int:
    """Set torch's number of threads to `available_cpus()` and return it. Imports nothing; may be called again.

    OMP_NUM_THREADS, where the user has set it, wins. It is also how the number reaches a torch that is not imported
    yet, numpy, and every child process. Torch's inter-op threads are left alone: only `torch.jit.fork` and its kin
    start them, and setting them a second time raises.
    """
    # Waiting threads sleep instead of spinning: on a busy machine a spinning thread keeps the one it waits for from
    # running. An OpenMP that is already loaded no longer reads this.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    threads = _positive(os.environ.get("OMP_NUM_THREADS")) or available_cpus()
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    os.environ.setdefault("MKL_NUM_THREADS", str(threads))
    torch = sys.modules.get("torch")
    # A torch that is only half imported (it imports us, or another thread is at it) reads the variables instead.
    if torch is not None and hasattr(torch, "set_num_threads") and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    return threads


class QuickestThreads:
    """Finds out, while steps of equal work are done, whether the least or the most threads are quicker.

    That changes with what else the machine does: after every operation all threads wait for the slowest, and where
    another program held one of the processors, two threads were up to eight times slower than one. So some steps are
    tried with each number, the quicker one is kept, and the trial repeated after `again` seconds.

        threads = QuickestThreads(2)
        for batch in loader:
            with threads.step():
                ...
    """

    TRIAL = 3  # steps with each number; the quickest counts
    HOPELESS = 3  # times slower than the quickest so far: no further step is wasted on that number

    def __init__(self, most: int, least: int = 1, again: float = 15.0) -> None:
        self.counts = sorted({least, most})
        self.again = again
        self.chosen = self.counts[-1]
        self._trials: list[int] = []
        self._times: dict[int, float] = {}
        self._next_trial = 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Run the body with the number of threads that is due, and time it; the number before is put back."""
        if len(self.counts) > 1 and not self._trials and time.perf_counter() >= self._next_trial:
            self._trials, self._times = [n for n in self.counts for _ in range(self.TRIAL)], {}
        count = self._trials[0] if self._trials else self.chosen
        began = time.perf_counter()
        with _threads(count):
            yield
        if self._trials:
            self._note(count, time.perf_counter() - began)

    @contextmanager
    def same(self) -> Iterator[None]:
        """Run other work with the number that is the quicker one so far; nothing is timed."""
        with _threads(self._quickest() if self._times else self.chosen):
            yield

    def _quickest(self) -> int:
        return min(self._times, key=self._times.__getitem__)

    def _note(self, count: int, took: float) -> None:
        self._times[count] = min(took, self._times.get(count, took))
        self._trials.pop(0)
        if took > self.HOPELESS * min(self._times.values()):
            self._trials = [n for n in self._trials if n != count]
        if not self._trials:
            self.chosen = self._quickest()
            self._next_trial = time.perf_counter() + self.again


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    if count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count != before:
            torch.set_num_threads(before)


def _positive(text: str | None) -> int | None:
    """The number of threads in an environment variable: OMP_NUM_THREADS may hold a list, one number a level."""
    first = (text or "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def _quotas(root: Path) -> Iterator[float]:
    """The CPU quota, in processors, of this process's cgroup and of each one above it, where there is one.

    Follows https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max) and, for version 1,
    https://docs.kernel.org/scheduler/sched-bwc.html (cpu.cfs_quota_us).
    """
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2; "unified" where both versions are mounted
            mounts = ["sys/fs/cgroup", "sys/fs/cgroup/unified"]
        elif "cpu" in controllers.split(","):
            mounts = [f"sys/fs/cgroup/{controllers}", "sys/fs/cgroup/cpu"]
        else:
            continue
        # In a container the path may be the host's, which is not there; the container's own group is the mount.
        steps = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
        for mount in mounts:
            for depth in range(len(steps), -1, -1):
                quota = _quota(root.joinpath(mount, *steps[:depth]))
                if quota is not None:
                    yield quota


def _quota(group: Path) -> float | None:
    """In processors; None where there is none ("max", -1, no such file)."""
    quota, _, period = _read(group / "cpu.max").partition(" ")  # version 2: "150000 100000"
    if not quota:
        quota, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
    try:
        value = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return value if value > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # not Linux, or no such group
        return ""
