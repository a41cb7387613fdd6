"""The lessons in Colab's environment and in Binder's: what was seen, and the page that says it."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograde import build, markdown
from autograde.files import write
from helpers import start
from tests.launch import environments, notebooks
from tests.launch.confined import confined
from tests.launch.environments import ROOT, Environment

PAGE, STORED = ROOT / "docs" / "launch.md", ROOT / "docs" / "launch.json"
ENVIRONMENTS = {"colab": environments.colab, "binder": environments.binder}
KINDS = ("unsolved", "solved")
SHOWN = ("torch", "torchvision", "numpy", "ipython", "ipykernel", "ipywidgets")
COLUMNS = ("lesson", "as handed out", "solved", "peak memory of the kernel", "trouble")
BINDER_BYTES = 2 * 2**30

INTRODUCTION = """# Where the lessons start

Made by `python course.py test --launch`, before a release. There is no Colab and no Binder on the machines that run it:
each is an environment with that host's versions, and every lesson runs in it from its first cell to its last, as a
student opens it and with every solution in place, for a client that shows widgets. *Trouble* counts cells that raise or
write to the error output. The times are of a machine that did other things as well.
"""
ABOUT = {
    "colab": (
        "Colab",
        f"The versions of `tests/launch/{environments.COLAB.name}`, of CUDA only what `import torch` opens, no triton, "
        "and a stand-in for the distribution google-colab with its pins. Each notebook starts in an empty folder, and "
        "fetches the archive of the release from a server on this machine.",
    ),
    "binder": (
        "Binder",
        "The versions of `binder/environment.yml` from PyPI, not from conda-forge, in a control group of Linux of one "
        "core and 2 GB, with JupyterLab running in it. Each notebook lies in its folder in a copy of the repository.",
    ),
}


def run(name: str, lessons: Sequence[str], folder: Path, tell: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Run lessons in an environment, which is made where it is not here; yields all that was seen after each lesson.

    Raises:
        RuntimeError: this machine cannot hold a process to the memory that Binder gives.
    """
    environment = ENVIRONMENTS[name]()
    if not environment.is_made:
        tell(f"{environment.folder.name} is being made, which takes some minutes.")
    python = environment.made()
    if name == "colab":  # what a run before this one has installed, which a new runtime has not
        environment.uninstall([wheel.partition("==")[0] for wheel in start.TRAINING + start.PRETRAINED])
    before = environment.freeze()
    version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    seen: dict[str, Any] = {
        "python": version,
        "wanted_python": environment.python,
        "versions": {package: _version(before, package) for package in SHOWN},
        "lessons": {},
    }
    in_host = _in_colab if name == "colab" else _in_binder
    with in_host(environment, folder) as launch:
        for lesson in lessons:
            for kind in KINDS:
                ran = launch(kind, lesson)
                seen["lessons"].setdefault(lesson, {})[kind] = asdict(ran)
                about = f"{ran.seconds:.0f} s, {ran.memory_mb:.0f} MB, {ran.trouble or 'no trouble'}"
                tell(f"{name}: {lesson} {kind}: {about}")
            after = environment.freeze()
            now = {"date": datetime.date.today().isoformat(), "installed": sorted(after - before)}
            yield {**seen, **now, "amiss": sorted(before - after)}


@contextlib.contextmanager
def _in_colab(environment: Environment, folder: Path) -> Iterator[Callable[[str, str], notebooks.Ran]]:
    with notebooks.released_notebooks(folder) as pages:

        def launch(kind: str, lesson: str) -> notebooks.Ran:
            content = folder / f"content-{kind}-{lesson}"
            content.mkdir()
            ran = notebooks.run(environment.interpreter, pages[kind][lesson], content)
            shutil.rmtree(content)
            return ran

        yield launch


@contextlib.contextmanager
def _in_binder(environment: Environment, folder: Path) -> Iterator[Callable[[str, str], notebooks.Ran]]:
    pages = notebooks.built(folder, folder / "none")
    checkout = folder / "checkout"
    for part in ("helpers", "datasets"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__", "cache"))
    with confined(BINDER_BYTES) as into, _jupyterlab(environment.interpreter, checkout, into):

        def launch(kind: str, lesson: str) -> notebooks.Ran:
            place = checkout / "notebooks" / lesson
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(pages[kind][lesson], place)
            return notebooks.run(environment.interpreter, place / f"{lesson}.ipynb", place, into)

        yield launch


@contextlib.contextmanager
def _jupyterlab(python: Path, folder: Path, into: list[str]) -> Iterator[None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *into,
        str(python),
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--port={port}",
        "--ip=127.0.0.1",
        "--allow-root",
    ]
    lab = subprocess.Popen(
        [*command, "--IdentityProvider.token="], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/lab") as page:
            return page.status == 200
        return False

    try:
        if not _until(answers):
            raise RuntimeError("JupyterLab does not start in Binder's environment.")
        yield
        if lab.poll() is not None:
            raise RuntimeError("JupyterLab ended while the lessons ran.")
    finally:
        lab.terminate()
        lab.wait()


def _until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _version(frozen: set[str], name: str) -> str:
    return next((line.partition("==")[2] for line in frozen if line.startswith(f"{name}==")), "")


# ---- What is published


def fingerprint(name: str, lessons: Iterable[str]) -> str:
    """A hash of what starts of these lessons depend on: an environment's versions, the first cell, `start.py`.

    Of what `start.py` says that single lessons need, theirs alone is in it.
    """
    code = re.sub(r'^    "\d\d_\w+": .*\n', "", Path(start.__file__).read_text(encoding="utf-8"), flags=re.MULTILINE)
    needed = {lesson: start.NEEDED.get(lesson) for lesson in sorted(lessons)}
    about = (ENVIRONMENTS[name](), build.FIRST_CELL, build.FETCH, code, needed)
    return hashlib.sha256(repr(about).encode()).hexdigest()[:16]


def read(stored: Path = STORED) -> dict[str, Any]:
    """What was seen, by environment."""
    return json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}


def publish(name: str, seen: dict[str, Any]) -> None:
    """Keep what was seen in an environment, beside what was seen of other lessons in the same, and write the page."""
    everything = read()
    known = everything.get(name, {})
    if known and known["fingerprint"] == fingerprint(name, known["lessons"]):
        lessons = {**known["lessons"], **seen["lessons"]}
        seen = {
            **known,
            **seen,
            "lessons": {lesson: lessons[lesson] for lesson in build.lesson_names() if lesson in lessons},
            "installed": sorted({*known["installed"], *seen["installed"]}),
        }
    everything[name] = {**seen, "fingerprint": fingerprint(name, seen["lessons"])}
    write(STORED, json.dumps(everything, indent=1) + "\n")
    write(PAGE, page(everything))


def left(name: str) -> list[str]:
    """The lessons that have not run in an environment as it is now, or not without trouble."""
    known = read().get(name, {})
    if not known or known["fingerprint"] != fingerprint(name, known["lessons"]):
        return build.lesson_names()
    well = [n for n, kinds in known["lessons"].items() if not any(ran["trouble"] for ran in kinds.values())]
    return [lesson for lesson in build.lesson_names() if lesson not in well]


def page(everything: dict[str, Any]) -> str:
    """The page as Markdown."""
    sections = [_section(name, everything[name]) for name in ENVIRONMENTS if name in everything]
    missing = [
        f"## {ABOUT[name][0]}\n\n{ABOUT[name][1]}\n\nNot run yet.\n" for name in ENVIRONMENTS if name not in everything
    ]
    return "\n".join([INTRODUCTION, *sections, *missing])


def _section(name: str, seen: dict[str, Any]) -> str:
    title, about = ABOUT[name]
    said = [f"Python {seen['python']}"]
    if not seen["python"].startswith(f"{seen['wanted_python']}."):
        said[0] += f" (there: {seen['wanted_python']}, which this machine lacks)"
    said[0] = ", ".join([said[0], *(f"`{package} {version}`" for package, version in seen["versions"].items())])
    installed = ", ".join(f"`{one}`" for one in seen["installed"]) or "nothing"
    said.append(f"`pip freeze` shows afterwards {installed} more{'' if seen['amiss'] else ', and nothing changed'}")
    if "repo2docker" in seen and not seen["amiss"]:
        taken = "takes `binder/environment.yml`, and copies it before the sources"
        said.append(f"`repo2docker` {seen['repo2docker']}, which does not build it here, {taken}")
    if seen["amiss"]:
        said.append(f"Amiss: {', '.join(seen['amiss'])}")
    table = markdown.table(COLUMNS, [_row(lesson, seen["lessons"].get(lesson)) for lesson in build.lesson_names()])
    return f"## {title}, {seen['date']}\n\n{about}\n\n{'. '.join(said)}.\n\n{table}\n"


def _row(lesson: str, kinds: dict[str, Any] | None) -> list[object]:
    if kinds is None:
        return [lesson, "not run yet", "not run yet", "–", "–"]
    took = (f"{kinds[kind]['seconds']:.0f} s" for kind in KINDS)
    most = max(kinds[kind]["memory_mb"] for kind in KINDS)
    return [lesson, *took, f"{most:.0f} MB", sum(len(kinds[kind]["trouble"]) for kind in KINDS)]


def stale(stored: Path = STORED, written: Path = PAGE) -> list[str]:
    """What is no longer true of the page: in words, with what to run. What was not run yet, the page says."""
    seen, run = read(stored), "python course.py test --launch"
    found = [
        f"What a start in {name} depends on has changed since it was run: {run} {name} (half an hour)"
        for name, one in seen.items()
        if one["fingerprint"] != fingerprint(name, one["lessons"])
    ]
    if written.read_text(encoding="utf-8") != page(seen):
        found.append(f"{written.name} is another than {stored.name} gives: {run}")
    return found
