"""A student at work: a folder of the course's notebooks, and a real kernel that runs cells for a person."""

from __future__ import annotations

import json
import os
import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

from helpers import exercises

ROOT = Path(__file__).parents[1]
HOSTS = ("COLAB_RELEASE_TAG", "BINDER_SERVICE_HOST", "JUPYTERHUB_USER", "JPY_SESSION_NAME")


def released(lesson: str) -> dict[str, Any]:
    """The notebook as students get it."""
    return json.loads((ROOT / "notebooks" / lesson / f"{lesson}.ipynb").read_text(encoding="utf-8"))


def right(name: str) -> str:
    """A right answer to an exercise, as the text of its cell."""
    return exercises.load(name).variants[0].source


def solved(lesson: str) -> dict[str, Any]:
    """The notebook with a right answer in each exercise's cell."""
    notebook = released(lesson)
    for cell in notebook["cells"]:
        if (name := cell["metadata"].get("nbgrader", {}).get("grade_id")) in exercises.names():
            cell["source"] = right(name)
    return notebook


def texts(notebook: dict[str, Any], names: set[str]) -> list[str]:
    """The texts of the first code cell and of those that are called so."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    called = [cell for cell in code if cell["metadata"].get("nbgrader", {}).get("grade_id") in names]
    return ["".join(cell["source"]) for cell in [code[0], *called]]


class Student:
    """A kernel in a folder; `traceback` is what the page shows of the last error."""

    traceback: list[str]

    def __init__(self, folder: Path, client: Any) -> None:
        self.folder, self._client = folder, client

    def run(self, code: str) -> str:
        """Run a cell as a person does, and return all that it shows as text; an error is shown, too."""
        sent = self._client.execute(code, allow_stdin=True)
        shown = []
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=120)
            except queue.Empty:
                raise AssertionError(f"{code!r} does not end") from None
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != sent:
                continue
            if kind in ("display_data", "execute_result"):
                shown.append(content["data"]["text/plain"])
            elif kind == "stream":
                shown.append(content["text"])
            elif kind == "error":
                shown.append(f"{content['ename']}: {content['evalue']}")
                self.traceback = content["traceback"]
            elif kind == "status" and content["execution_state"] == "idle":
                return re.sub(r"\s+", " ", " ".join(shown))


@contextmanager
def at_work(folder: Path, **environment: str) -> Iterator[Student]:
    """A student called ana, in a folder, on a laptop unless the environment says otherwise."""
    kept = {name: value for name, value in os.environ.items() if name not in HOSTS}
    manager, client = start_new_kernel(
        kernel_name="python3", cwd=str(folder), env={**kept, "LOGNAME": "ana", **environment}
    )
    try:
        yield Student(folder, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
