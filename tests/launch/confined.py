"""A control group of Linux, version 2 or 1: a memory and a number of cores that processes cannot go beyond."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def confined(memory: int) -> Iterator[list[str]]:
    """A control group of one core and so many bytes: what to put before a command, so that it runs in there.

    Raises:
        RuntimeError: no control group can be made here.
    """
    with tempfile.TemporaryDirectory(prefix="launch-cgroup-") as folder, contextlib.ExitStack() as made:
        try:
            groups = _version_2(Path(folder), memory, made) or _version_1(Path(folder), memory, made)
        except (OSError, subprocess.CalledProcessError) as error:
            raise RuntimeError(f"No control group can be made here ({error}); run this as root of a Linux.") from None
        entering = "".join(f"echo $$ > {group}/cgroup.procs && " for group in groups)
        yield ["sh", "-c", f'{entering}exec "$@"', "sh"]


def _version_2(folder: Path, memory: int, made: contextlib.ExitStack) -> list[Path]:
    """The group, or none where version 2 does not hold the memory."""
    root = _mounted(folder / "2", ["-t", "cgroup2"], made)
    if not {"memory", "cpu"} <= {*(root / "cgroup.controllers").read_text().split()}:
        return []
    (root / "cgroup.subtree_control").write_text("+memory +cpu")
    settings = {"memory.max": str(memory), "memory.swap.max": "0", "cpu.max": "100000 100000"}
    return [_group(root, settings, made)]


def _version_1(folder: Path, memory: int, made: contextlib.ExitStack) -> list[Path]:
    held = {
        "memory": {"memory.limit_in_bytes": str(memory)},
        "cpu": {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "100000"},
    }
    return [_group(_mounted(folder / n, ["-t", "cgroup", "-o", n], made), held[n], made) for n in held]


def _mounted(place: Path, options: list[str], made: contextlib.ExitStack) -> Path:
    place.mkdir()
    subprocess.run(["mount", *options, "none", place], check=True, capture_output=True)
    made.callback(subprocess.run, ["umount", "-l", place], check=True)  # also while something ends in there
    return place


def _group(root: Path, settings: dict[str, str], made: contextlib.ExitStack) -> Path:
    group = root / f"launch-{os.getpid()}"
    group.mkdir()
    made.callback(_removed, group)
    for name, value in settings.items():
        (group / name).write_text(value)
    return group


def _removed(group: Path) -> None:
    for _ in range(100):  # what ran in there may be about to end
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)
