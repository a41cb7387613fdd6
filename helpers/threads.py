"""How many threads torch may use here: what this process is allowed, not what the machine has.

On a shared machine (Binder, a container, a cluster job) a process may be held to two processors of a host with
sixty-four. torch counts the host's, starts a thread for each, and all of them wait for each other while the kernel
lets two run at a time: more than ten times slower than two threads.
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

    A quota of 1.5 processors counts as 2: two threads then share it and run at once. `root` stands for the root of
    the file system in which `/proc` and `/sys` are looked for.
    """
    has_mask = hasattr(os, "sched_getaffinity")  # on Linux
    allowed = len(os.sched_getaffinity(0)) if has_mask else os.cpu_count() or 1
    return max(1, min([allowed, *(math.ceil(quota) for quota in _quotas(Path(root)))]))


def limit_threads() -> int:
    """Set torch's number of threads to `available_cpus()` and return it. Imports nothing; may be called again.

    OMP_NUM_THREADS, where the user has set it, wins. It is also how the number reaches a torch that is not imported
    yet, numpy, and every process started from here. Torch's inter-op threads are left as they are: they are started
    only by `torch.jit.fork` and its kin, and setting them a second time raises.
    """
    # Threads that wait for each other sleep instead of spinning: on a busy machine a spinning thread keeps the one it
    # waits for from running. An OpenMP that is loaded already does not read this any more.
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
    """Finds out, while steps of equal work are done, whether one thread or all of them is quicker.

    Which it is changes with what else the machine does. After every operation all threads wait for the slowest; where
    another program holds one of the processors, two threads were up to eight times slower than one. So some steps are
    tried with each number, the quicker one is kept, and after `again` seconds it is tried anew.

        threads = QuickestThreads()
        for batch in loader:
            with threads.step():
                ...

    Args:
        most: the larger number; `available_cpus()` if `None`.
        again: seconds until the next trial.
    """

    TRIAL = 3  # steps with each number; the quickest counts
    HOPELESS = 3  # times slower than the quickest so far: no further step is wasted on that number

    def __init__(self, most: int | None = None, again: float = 15.0) -> None:
        self.counts = sorted({1, most or available_cpus()})
        self.again = again
        self.chosen = self.counts[-1]
        self._trials: list[int] = []
        self._times: dict[int, float] = {}
        self._next_trial = 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Do the body with the number of threads that is due; the number before is put back."""
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
        """Do other work with the number that is the quicker one so far; nothing is timed."""
        with _threads(min(self._times, key=self._times.get) if self._times else self.chosen):
            yield

    def _note(self, count: int, took: float) -> None:
        self._times[count] = min(took, self._times.get(count, took))
        self._trials.pop(0)
        if took > self.HOPELESS * min(self._times.values()):
            self._trials = [n for n in self._trials if n != count]
        if not self._trials:
            self.chosen = min(self._times, key=self._times.get)
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
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:  # version 2; "unified" where both versions are mounted
            mounts, read = ["sys/fs/cgroup", "sys/fs/cgroup/unified"], _quota_v2
        elif "cpu" in controllers.split(","):
            mounts, read = [f"sys/fs/cgroup/{controllers}", "sys/fs/cgroup/cpu"], _quota_v1
        else:
            continue
        # In a container the path may be the host's, which is not there; the container's own group is the mount.
        steps = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
        for mount in mounts:
            for depth in range(len(steps), -1, -1):
                quota = read(root.joinpath(mount, *steps[:depth]))
                if quota is not None:
                    yield quota


def _quota_v2(group: Path) -> float | None:
    quota, _, period = _read(group / "cpu.max").strip().partition(" ")  # "150000 100000" or "max 100000"
    return _ratio(quota, period or "100000")


def _quota_v1(group: Path) -> float | None:
    return _ratio(_read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us"))  # -1: no quota


def _ratio(quota: str, period: str) -> float | None:
    """Processors, or None where there is no quota ("max", -1, no such file)."""
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
