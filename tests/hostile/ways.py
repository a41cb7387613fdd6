"""The ways to grade the class: as whoever runs this, as an ordinary user, as in a container."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autograde.build_cache import ROOT

NOBODY = 65534  # user and group, on every Linux
LONGEST = 3600.0  # seconds for the whole class


class NotHere(Exception):
    """The class cannot be graded so here; the message says why."""


def _as_it_is(place: Path) -> dict[str, Any]:
    return {}


def _as_user(place: Path) -> dict[str, Any]:
    """The settings of a process that runs as nobody in particular, in a folder that is theirs."""
    if os.getuid() != 0:
        raise NotHere("Only root can become another user: you are an ordinary one already, so leave --as-user out.")
    who: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-c", "import autograde"], cwd=ROOT, check=True, capture_output=True, **who)
    except (OSError, subprocess.CalledProcessError):
        raise NotHere(
            "An ordinary user cannot run this Python or read this checkout: one of the folders they are in is closed "
            "to others. Put both where everybody may read them, such as /opt."
        ) from None
    for folder, _, files in os.walk(place):
        os.chown(folder, NOBODY, NOBODY)
        for name in files:
            os.chown(Path(folder, name), NOBODY, NOBODY, follow_symlinks=False)
    return who


def _as_docker(place: Path) -> dict[str, Any]:
    """The module that confines itself before it goes on."""
    return {"module": "tests.hostile.docker"}


WAYS: dict[str, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "user": ("grade as an ordinary user", _as_user),
    "docker": ("grade under what Docker's default profile refuses", _as_docker),
}


def grade_as(way: str, place: Path, names: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Grade these cases in another process, into the course in `place`.

    Raises:
        NotHere: not in this way.
    """
    settings = WAYS[way][1](place) if way else _as_it_is(place)
    module = settings.pop("module", "tests.hostile")
    home = {"HOME": str(place), "MPLCONFIGDIR": str(place / "matplotlib"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", module, "--into", str(place), *names],
        cwd=ROOT,
        env={**os.environ, **home, "TMPDIR": str(_made(place / "tmp", settings))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=LONGEST,
        check=False,
        **settings,
    )


def _made(folder: Path, settings: dict[str, Any]) -> Path:
    folder.mkdir()
    if "user" in settings:
        os.chown(folder, settings["user"], settings["group"])
    return folder
