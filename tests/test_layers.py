"""What may import what, and how light an import is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def imported_by(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("helpers", ("autograde",)),
        ("helpers/reference", ("helpers.checks", "helpers.exercises", "helpers.widgets")),
        ("helpers/data", ("helpers.checks", "helpers.exercises", "helpers.widgets")),
    ],
)
def test_arrows_run_one_way(folder, forbidden):
    wrong = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / folder).rglob("*.py")
        for name in imported_by(path)
        if name.startswith(forbidden)
    }
    assert not wrong


@pytest.mark.parametrize("module", ["helpers", "helpers.data", "helpers.checks", "helpers.show", "autograde.cli"])
def test_import_is_light(module):
    code = f"import {module}, sys; print([m for m in ('torch', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_datasets_is_no_package():
    assert not list((ROOT / "datasets").rglob("__init__.py"))
