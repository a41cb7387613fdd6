"""What may import what, and how light an import is."""

import subprocess
import sys
from pathlib import Path

import pytest

from autograde import architecture

ROOT = Path(__file__).parents[1]
IMPORTS = architecture.imports()
ABOVE_DATA = ("helpers.checks", "helpers.exercises", *(f"helpers.{p}" for p in ("graph", "quiz", "monitor", "stepper")))


@pytest.mark.parametrize(
    ("below", "above"),
    [
        ("helpers", ("autograde",)),
        ("helpers.reference", (*ABOVE_DATA, "helpers.play", "helpers.progress")),
        ("helpers.data", (*ABOVE_DATA, "helpers.play", "helpers.progress")),
        ("helpers.tracing", ("helpers.frontend", *ABOVE_DATA)),  # no widget
    ],
)
def test_arrows_run_one_way(below, above):
    wrong = [(name, other) for name in IMPORTS if name.startswith(below) for other in IMPORTS[name]]
    assert not [(name, other) for name, other in wrong for part in above if f"{other}.".startswith(f"{part}.")]


@pytest.mark.parametrize("graph", [IMPORTS, architecture.parts(IMPORTS)], ids=["files", "parts"])
def test_none_import_each_other_in_a_circle(graph):
    architecture.floors(graph)


def test_a_circle_is_named():
    with pytest.raises(ValueError, match=r"in a circle: a, b\."):
        architecture.floors({"a": {"b"}, "b": {"a"}, "c": set(), "d": {"a"}})


def test_a_part_stands_above_all_that_it_imports_and_no_arrow_says_what_others_do():
    files = {
        "autograde.build": {"autograde.plan", "helpers.graph.draw"},
        "autograde.plan": {"helpers.show"},
        "helpers.graph": set(),
        "helpers.graph.draw": {"helpers.show", "helpers.graph"},
        "helpers.exercises.dice": {"helpers.exercises"},
        "helpers.exercises": set(),
        "helpers.show": set(),
    }
    graph = architecture.parts(files)
    assert graph["autograde"] == {"helpers.graph", "helpers.show"}
    assert architecture.floors(graph) == [
        ["helpers.exercises", "helpers.show"],
        [architecture.EXERCISES, "helpers.graph"],
        ["autograde"],
    ]
    assert ("autograde", "helpers.graph") in architecture.arrows(graph)
    assert ("autograde", "helpers.show") not in architecture.arrows(graph)


def test_the_page_is_that_of_the_imports():
    """Where this fails: python course.py architecture."""
    assert architecture.PAGE.read_text(encoding="utf-8") == architecture.page()


@pytest.mark.parametrize(
    "work",
    [
        "import helpers, helpers.checks, helpers.data, helpers.quiz, helpers.show",
        "import autograde.cli",
        "from helpers import glossary; repr(glossary('dice'))",
        "from helpers.graph import ArchitectureGraph; graph = ArchitectureGraph(); repr(graph); graph.as_html()",
        "from helpers.stepper import CodeStepper; CodeStepper()",
    ],
)
def test_an_import_and_a_first_look_are_light(work):
    code = f"{work}; import sys; print({{'torch', 'matplotlib', 'numpy', 'PIL', 'scipy'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_datasets_is_no_package():
    assert not list((ROOT / "datasets").rglob("__init__.py"))
