"""A class of submissions, right, wrong and broken, graded with one command into a real gradebook."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograde import answer_keys, build, grade
from autograde.lesson_table import points_of
from autograde.nbgrader_course import ROOT, api
from helpers import exercises

LESSON = "02_overlap"
CELL_SECONDS = 12


def answer(exercise: str, name: str) -> str:
    """Source of a variant or misconception of an exercise file, as a student would have it in the cell."""
    found = exercises.load(exercise)
    (one,) = [a for a in (*found.variants, *found.misconceptions) if a.name == name]
    of = found.reference if one.changes else one.solution
    source = re.sub(r"^@.*?\n(?=def )", "", exercises.source_of(of), flags=re.DOTALL)
    for old, new in one.changes:
        source = source.replace(old, new)
    return f"import numpy as np\nfrom torch import Tensor\n{source}".replace(f"def {of.__name__}(", f"def {exercise}(")


RIGHT_IOU, RIGHT_DICE = answer("iou", "with numpy"), answer("dice", "with numpy")

# student: source of the cells `iou` and `dice` (`None`: left as released), expected points of the two
ANSWERS = {
    "right-1": (RIGHT_IOU, RIGHT_DICE, 3, 3),
    "right-2": (answer("iou", "with sets of pixels"), RIGHT_DICE, 3, 3),
    "right-3": (answer("iou", "the union as sum of areas less the overlap"), answer("dice", "as F1 score"), 3, 3),
    "right-4": (*(answer(name, "with numbers for booleans and a tiny epsilon") for name in ("iou", "dice")), 3, 3),
    "half-done": (RIGHT_IOU, None, 3, 0),
    "untouched": (None, None, 0, 0),
    "iou-for-dice": (RIGHT_IOU, answer("dice", "IoU instead of Dice"), 3, 0),
    "accuracy": (answer("iou", "pixel accuracy"), answer("dice", "pixel accuracy"), 0, 0),
    "empty-is-zero": (answer("iou", "empty masks score 0"), RIGHT_DICE, 0, 3),
    "factor-missing": (RIGHT_IOU, answer("dice", "the factor two is missing"), 3, 0),
    "raises": ("def iou(pred, target):\n    return pred.no_such_thing", RIGHT_DICE, 0, 3),
    "syntax-error": (RIGHT_IOU, "def dice(pred, target)\n    return 1.0", 3, 0),
    "loops-in-answer": (RIGHT_IOU, "def dice(pred, target):\n    while True:\n        pass", 3, 0),
    "loops-in-cell": ("while True:\n    pass", RIGHT_DICE, 0, 3),
    "ends-the-kernel": ("import os\nos._exit(1)", RIGHT_DICE, 0, 3),
}
# student: what is done to a right notebook's JSON, expected points
BROKEN = {
    "missing-cell": (lambda nb: drop(nb, "dice"), 3, 0),
    "duplicate-cell": (lambda nb: duplicate(nb, "iou"), 0, 3),
    "own-check": (lambda nb: rewrite(nb, "check-dice", "100.0"), 3, 3),
}
FILES = {"not-a-notebook": ("this is no JSON", 0, 0), "nothing": (None, 0, 0)}

REASONS = {
    "syntax-error": "`dice` is not valid Python",
    "loops-in-cell": "",  # interrupted by nbgrader itself; its output says so
    "ends-the-kernel": "`iou` ended the kernel or ran on and on",
    "missing-cell": "`dice` is missing",
    "duplicate-cell": "2 different cells claim to be `iou`",
    "not-a-notebook": "not a notebook that can be read",
    "nothing": "No notebook was handed in",
    "right-2": "answers.json cannot be read as answers",
}
# student: what `answers.json` holds
KEYS = answer_keys.load(LESSON)
ANSWER_FILES = {
    "right-1": json.dumps(answer_keys.answers_of(LESSON)),
    "right-2": "{",
    "right-3": '{"no-such-question": "a"}',
}
MOST = sum(points_of(build.master(LESSON)).values())


def quiz_points(student):
    return sum(key["points"] for key in KEYS.values()) if student == "right-1" else 0


def total(student):
    return sum(expected_points()[student]) + quiz_points(student)


def cell(notebook, name):
    return next(c for c in notebook["cells"] if c["id"] == name)


def drop(notebook, name):
    notebook["cells"].remove(cell(notebook, name))


def duplicate(notebook, name):
    notebook["cells"].append({**cell(notebook, name), "id": "copy", "source": "def iou(pred, target): return 1.0"})


def rewrite(notebook, name, source):
    cell(notebook, name)["source"] = source


def expected_points():
    points = {student: p for student, (_, _, *p) in ANSWERS.items()}
    points |= {student: p for student, (_, *p) in {**BROKEN, **FILES}.items()}
    return points


@pytest.fixture(scope="module")
def submissions(course, tmp_path_factory):
    """A folder of 20 submissions."""
    folder = tmp_path_factory.mktemp("submissions")
    released = (course / "release" / LESSON / f"{LESSON}.ipynb").read_text(encoding="utf-8")

    def hand_in(student, iou, dice, change=lambda notebook: None):
        notebook = json.loads(released)
        for name, source in (("iou", iou), ("dice", dice)):
            if source is not None:
                rewrite(notebook, name, source)
        change(notebook)
        (folder / student).mkdir()
        (folder / student / "notebook.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    for student, (iou, dice, *_) in ANSWERS.items():
        hand_in(student, iou, dice)
    for student, (change, *_) in BROKEN.items():
        hand_in(student, RIGHT_IOU, RIGHT_DICE, change)
    for student, text in ANSWER_FILES.items():
        (folder / student / "answers.json").write_text(text)
    for student, (text, *_) in FILES.items():
        (folder / student).mkdir()
        if text is not None:
            (folder / student / "notebook.ipynb").write_text(text)
    return folder


@pytest.fixture(scope="module")
def results(course, submissions):
    return {r.student: r for r in grade.grade_class(LESSON, submissions, course, cell_seconds=CELL_SECONDS)}


@pytest.mark.parametrize("student", expected_points())
def test_each_score_is_the_expected_one(results, student):
    iou, dice = expected_points()[student]
    points = results[student].points
    assert (points["iou"], points["dice"]) == (iou, dice)
    assert sum(points[id] for id in KEYS) == quiz_points(student)
    assert sum(points.values()) == results[student].score == total(student)
    assert results[student].max_score == MOST


def test_the_gradebook_holds_the_scores(results, course):
    with api(course).gradebook as gradebook:
        stored = {s.student.id: (s.score, s.max_score) for s in gradebook.assignment_submissions(LESSON)}
    for student in expected_points():
        assert stored[student] == (total(student), MOST)


def test_the_table_holds_the_scores_and_the_reasons(results, course):
    with (course / "grades" / f"{LESSON}.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows.keys() == results.keys() == expected_points().keys()
    assert len(rows) == 20
    for student, (iou, dice) in expected_points().items():
        row = rows[student]
        assert [float(row[c]) for c in ("iou", "dice", "score", "max_score")] == [iou, dice, total(student), MOST]
        assert REASONS.get(student, "") in row["problems"]
        assert bool(row["problems"]) == bool(REASONS.get(student))


@pytest.mark.parametrize("student", expected_points())
def test_each_student_has_a_feedback_page_that_says_what_was_wrong(results, course, student):
    page = (course / "feedback" / student / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    text = re.sub(r"</?code>", "`", page)
    assert f"(Score: {total(student):.1f} / {MOST:.1f})" in text
    assert REASONS.get(student, "") in text


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("iou-for-dice", "IoU instead of Dice"),
        ("accuracy", "Pixel accuracy"),
        ("empty-is-zero", "Empty masks score 0"),
        ("raises", "no_such_thing"),
        ("loops-in-answer", "did not finish within"),
        ("loops-in-cell", "KeyboardInterrupt"),
        ("untouched", "not attempted"),
    ],
)
def test_the_feedback_names_the_mistake(results, course, student, said):
    assert said in (course / "feedback" / student / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")


def test_grading_again_takes_the_newer_submission(results, course, submissions, tmp_path, monkeypatch):
    """And a relative course folder is understood, though nbgrader changes the working directory."""
    monkeypatch.chdir(course.parent)
    newer = tmp_path / "again" / "untouched"
    newer.mkdir(parents=True)
    (newer / "notebook.ipynb").write_bytes((submissions / "right-1" / "notebook.ipynb").read_bytes())
    (result,) = grade.grade_class(LESSON, tmp_path / "again", Path(course.name), cell_seconds=CELL_SECONDS)
    assert (result.student, result.score) == ("untouched", 6)


def test_a_lesson_that_is_not_built_is_refused_in_one_message(course, submissions):
    with pytest.raises(grade.GradingError, match="99_nothing is not built. The lessons are:"):
        grade.grade_class("99_nothing", submissions, course)


def test_the_command_refuses_without_a_traceback(course, tmp_path):
    arguments = ["grade", LESSON, "--submissions", str(tmp_path / "no"), "--course", str(course)]
    command = [sys.executable, "-m", "autograde.cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not exist" in done.stdout  # unbroken, however long the path is
    assert "Traceback" not in done.stdout + done.stderr
