"""The lessons as a student opens them and as they are when solved, and what becomes of one in another environment."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from autograde import build, plan, released
from autograde.release import archive

HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", flags=re.DOTALL)
LONGEST = 1200  # seconds for a cell


@dataclass
class Ran:
    """What became of a notebook: seconds, the most memory that its kernel held, and what should not have been."""

    seconds: float = 0.0
    memory_mb: float = 0.0
    trouble: list[str] = field(default_factory=list)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def released_notebooks(folder: Path) -> Iterator[dict[str, dict[str, Path]]]:
    """All lessons, `"unsolved"` and `"solved"` by name, built after a release whose archive is served on 127.0.0.1."""
    packed, tag = archive(), f"v{plan.version()}"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: _Quiet(*a, directory=folder / "web")) as server:
        release = released.Release(
            f"http://127.0.0.1:{server.server_port}/ana/build-unet", tag, hashlib.sha256(packed).hexdigest()
        )
        upload = folder / "web" / release.archive.split("/", 3)[3]
        upload.parent.mkdir(parents=True)
        upload.write_bytes(packed)
        released.keep(release, folder / "release.json")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield built(folder, folder / "release.json")
        server.shutdown()


def built(folder: Path, release_file: Path) -> dict[str, dict[str, Path]]:
    """All lessons, `"unsolved"` and `"solved"` by name, from a build of their own."""
    places = {"notebooks": folder / "unsolved", "course": folder / "course", "plan_file": folder / "plan.json"}
    build.build(**places, release_file=release_file)
    for lesson in build.lesson_names():
        notebook = nbformat.read(folder / "course" / "source" / lesson / f"{lesson}.ipynb", as_version=4)
        for cell in notebook.cells:
            cell.source = HIDDEN.sub("", cell.source)  # which no student has
        (folder / "solved" / lesson).mkdir(parents=True)
        nbformat.write(notebook, folder / "solved" / lesson / f"{lesson}.ipynb")
    kinds = ("unsolved", "solved")
    return {k: {n: folder / k / n / f"{n}.ipynb" for n in build.lesson_names()} for k in kinds}


def run(python: Path, notebook: Path, folder: Path, before: Sequence[str] = ()) -> Ran:
    """Run a notebook as a page does for a person, who is asked and widgets are shown to, with `folder` as its own.

    Args:
        python: of the environment; it has ipykernel.
        notebook: what is run; it stays as it is.
        folder: the kernel's working directory.
        before: a command that is put before the kernel's, as to confine it.
    """
    argv = [*before, str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    specs = folder.parent / f"{folder.name}-kernels"
    (specs / "launch").mkdir(parents=True, exist_ok=True)
    (specs / "launch" / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "launch", "language": "python"}), encoding="utf-8"
    )
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "VIRTUAL_ENV", "PYTEST", "JUPYTER"))}
    manager = AsyncKernelManager(kernel_name="launch", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specs)]))
    page = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        page,
        km=manager,
        timeout=LONGEST,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        on_notebook_start=lambda notebook: setattr(client.kc, "allow_stdin", True),  # somebody is there
    )
    path = f"{python.parent}{os.pathsep}{kept['PATH']}"
    ran, began = Ran(), time.perf_counter()
    with _watched(ran):
        try:
            settings = {"PATH": path, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # whose warning goes to a terminal
            client.execute(env={**kept, **settings}, cleanup_kc=True)
        except DeadKernelError as error:
            ran.trouble.append(f"the kernel died: {error}")
    ran.seconds = time.perf_counter() - began
    for number, cell in enumerate(page.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                ran.trouble.append(f"cell {number}: {output.ename}: {output.evalue}")
            elif output.get("name") == "stderr":
                ran.trouble.append(f"cell {number}: stderr: {output.text}")
    shutil.rmtree(specs)
    return ran


@contextlib.contextmanager
def _watched(ran: Ran) -> Iterator[None]:
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if "ipykernel_launcher" in child.cmdline():
                        ran.memory_mb = max(ran.memory_mb, child.memory_info().rss / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


if __name__ == "__main__":
    print(run(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
