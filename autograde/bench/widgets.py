"""How quickly the interactive pieces answer, in a real browser: `course.py bench widgets`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from autograde import markdown
from autograde.bench import machine
from autograde.files import write
from autograde.nbgrader_course import ROOT

STORED = ROOT / "docs" / "widgets.json"
PAGE = ROOT / "docs" / "widgets.md"
SCRIPT = ROOT / "tests" / "browser" / "bench_widgets.py"
GOAL_MS = 100

TEXT = """# How quickly the interactive pieces answer

Made by `python course.py bench widgets` on {machine}, with JupyterLab, kernel and Chromium on the same processors. From
the browser's input event to the frame in which the answer is painted; the goal is a median below {goal} ms.

{table}
"""


def run() -> list[dict]:
    """Measure all pieces, and write `docs/widgets.json` and `docs/widgets.md`.

    Returns:
        A dict for each piece and action: `piece`, `what`, `times` measured, `median_ms`, `slowest_ms`.

    Raises:
        RuntimeError: the measurement failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "widgets.json"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(SCRIPT)]
        env = {**os.environ, "BENCH_WIDGETS": str(out)}
        ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        if not out.exists():
            raise RuntimeError(f"The pieces could not be measured:\n{ended.stdout.strip()}\n{ended.stderr.strip()}")
        results = json.loads(out.read_text(encoding="utf-8"))
    write(STORED, json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")
    write(PAGE, TEXT.format(machine=machine(), goal=GOAL_MS, table=table(results)))
    return results


def table(results: list[dict]) -> str:
    """A Markdown table with a row for each action of a student."""
    headings = ("piece", "what you do", "median, ms", "slowest, ms", "times")
    keys = ("piece", "what", "median_ms", "slowest_ms", "times")
    return markdown.table(headings, ([result[key] for key in keys] for result in results))
