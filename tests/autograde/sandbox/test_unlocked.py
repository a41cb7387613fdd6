"""`--unsafe`: a class is graded on a machine that cannot lock students' code in, and every result says so."""

import json
import shutil
import subprocess
import sys

import pytest

from autograde import build
from autograde.grade import feedback_page
from autograde.results import Store
from autograde.sandbox.unlocked import MARK
from helpers import exercises

LESSON = "05_encoder"  # it asks for three things only
NAME = "max_pool2x2"
ANSWERS = {
    "right": exercises.load(NAME).right_answers[0].source,
    "leaves": "import os\ndef max_pool2x2(x):\n    os._exit(0)",
    "looks": "def max_pool2x2(x):\n    import sys\n    return sys._getframe(1)",
}
# No Landlock, and no namespaces.
CONFINED = ("tests.hostile.older", "tests.hostile.docker")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unsafe")
    released = build.student_versions([LESSON], folder / "course")[LESSON]
    for student, source in ANSWERS.items():
        notebook = json.loads(released)
        for cell in notebook["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == NAME:
                cell["source"] = source
        (folder / "in" / student).mkdir(parents=True)
        (folder / "in" / student / "notebook.ipynb").write_text(json.dumps(notebook))
    return folder


def grade(place, *options, confined=CONFINED):
    words = ["grade", LESSON, "--submissions", str(place / "in"), "--course", str(place / "course"), *options]
    command = [sys.executable, "-m", *confined, "autograde.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_without_it_nothing_is_graded(place):
    done = grade(place)
    assert done.returncode == 1
    assert "`--unsafe`" in done.stdout + done.stderr
    assert not list(Store(place / "course" / "results").all(LESSON))


def test_each_gets_the_points_and_the_mark(place):
    done = grade(place, "--unsafe")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"in force   {MARK}" in done.stdout
    found = {}
    for result in Store(place / "course" / "results").all(LESSON):
        (graded,) = [one for one in result.graded if one.name == NAME]
        found[result.student] = graded.state
        assert graded.walls == (MARK,)
    assert found == {"right": "passed", "leaves": "crashed", "looks": "error"}
    assert MARK in (place / "course" / "reports" / f"{LESSON}.html").read_text()
    assert feedback_page(place / "course", LESSON, "right").exists()


def test_where_it_can_be_locked_in_it_is_all_the_same(place):
    shutil.rmtree(place / "course" / "results")
    for student in ("leaves", "looks"):
        shutil.rmtree(place / "in" / student)
    done = grade(place, "--unsafe", confined=())
    assert done.returncode == 0, done.stdout + done.stderr
    assert MARK not in done.stdout
    assert "seccomp" in done.stdout
