"""A class of submissions, right, wrong and broken, graded with one command into a real gradebook."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from autograde import answer_keys, build, grade
from autograde.lesson_table import points_of
from autograde.nbgrader_course import ROOT, api
from autograde.results import file_name
from helpers import exercises

LESSON = "02_overlap"


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
ALMOST_DICE = """def dice(pred, target):
    both, total = (pred & target).sum().item(), pred.sum().item() + target.sum().item()
    return 3 * both / total if total else 1.0"""

# student: source of the cells `iou` and `dice` (`None`: left as released), expected points of the two
ANSWERS = {
    "right-1": (RIGHT_IOU, RIGHT_DICE, 3, 3),
    "right-2": (answer("iou", "with sets of pixels"), RIGHT_DICE, 3, 3),
    "right-3": (answer("iou", "the union as sum of areas less the overlap"), answer("dice", "as F1 score"), 3, 3),
    "right-4": (*(answer(name, "with numbers for booleans and a tiny epsilon") for name in ("iou", "dice")), 3, 3),
    "half-done": (RIGHT_IOU, None, 3, 0),
    "untouched": (None, None, 0, 0),
    "iou-for-dice": (RIGHT_IOU, answer("dice", "IoU instead of Dice"), 3, 0),
    "empty-is-zero": (answer("iou", "empty masks score 0"), RIGHT_DICE, 0, 3),
    "no-name": (RIGHT_IOU, ALMOST_DICE, 3, 0),
    "raises": ("def iou(pred, target):\n    return pred.no_such_thing", RIGHT_DICE, 0, 3),
    "syntax-error": (RIGHT_IOU, "def dice(pred, target)\n    return 1.0", 3, 0),
    "loops-in-answer": (RIGHT_IOU, "def dice(pred, target):\n    while True:\n        pass", 3, 0),
    "loops-beside": (f"while True:\n    pass\n{RIGHT_IOU}", RIGHT_DICE, 3, 3),  # what no answer needs is not run
    "ends-its-process": ("import os\ndef iou(pred, target):\n    os._exit(1)", RIGHT_DICE, 0, 3),
    "a+b [TA] *": (RIGHT_IOU, RIGHT_DICE, 3, 3),  # no pattern of file names
}
# student: what is done to a right notebook's JSON, expected points
BROKEN = {
    "missing-cell": (lambda nb: drop(nb, "dice"), 3, 0),
    "second-cell": (lambda nb: duplicate(nb, "iou"), 0, 3),  # the last one counts
    "own-check": (lambda nb: rewrite(nb, "check-dice", "100.0"), 3, 3),
}
FILES = {"not-a-notebook": ("this is no JSON", 0, 0), "nothing": (None, 0, 0)}

# student: exercise, its state, a part of what is said
SAID = {
    "iou-for-dice": ("dice", "wrong", "IoU instead of Dice"),
    "empty-is-zero": ("iou", "wrong", "mpty masks score 0"),
    "no-name": ("dice", "wrong", "One small change makes it pass"),
    "raises": ("iou", "error", "no_such_thing"),
    "syntax-error": ("dice", "missing", "not Python yet: line 1"),
    "loops-in-answer": ("dice", "timeout", "seconds of a processor"),
    "ends-its-process": ("iou", "crashed", "ended the process it runs in"),
    "untouched": ("iou", "not attempted", "not written yet"),
    "missing-cell": ("dice", "missing", "No cell defines"),
    "not-a-notebook": ("iou", "missing", "otebook"),
    "nothing": ("iou", "missing", "otebook"),
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


def notebook_of(course, iou=None, dice=None, change=lambda notebook: None):
    notebook = json.loads((course / "release" / LESSON / f"{LESSON}.ipynb").read_text(encoding="utf-8"))
    for name, source in (("iou", iou), ("dice", dice)):
        if source is not None:
            rewrite(notebook, name, source)
    change(notebook)
    return json.dumps(notebook)


def hand_in(folder, student, text):
    (folder / student).mkdir(parents=True, exist_ok=True)
    (folder / student / "notebook.ipynb").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def submissions(course, tmp_path_factory):
    """A folder of 20 submissions."""
    folder = tmp_path_factory.mktemp("submissions")
    for student, (iou, dice, *_) in ANSWERS.items():
        hand_in(folder, student, notebook_of(course, iou, dice))
    for student, (change, *_) in BROKEN.items():
        hand_in(folder, student, notebook_of(course, RIGHT_IOU, RIGHT_DICE, change))
    for student, text in ANSWER_FILES.items():
        (folder / student / "answers.json").write_text(text)
    for student, (text, *_) in FILES.items():
        (folder / student).mkdir()
        if text is not None:
            (folder / student / "notebook.ipynb").write_text(text)
    return folder


@pytest.fixture(scope="module")
def results(course, submissions):
    return {r.student: r for r in grade.grade_class(LESSON, submissions, course)}


def of(result, name):
    return next(one for one in result.graded if one.name == name)


def page(course, student):
    return grade.feedback_page(course, LESSON, student).read_text(encoding="utf-8")


def stored(course):
    with api(course).gradebook as gradebook:
        return {s.student.id: (s.score, s.max_score) for s in gradebook.assignment_submissions(LESSON)}


@pytest.mark.parametrize("student", expected_points())
def test_each_score_is_the_expected_one(results, student):
    iou, dice = expected_points()[student]
    assert (of(results[student], "iou").points, of(results[student], "dice").points) == (iou, dice)
    assert sum(of(results[student], id).points for id in KEYS) == quiz_points(student)
    assert results[student].score == total(student)
    assert results[student].max_score == MOST


def test_the_gradebook_holds_the_scores(results, course):
    found = stored(course)
    for student in expected_points():
        assert found[file_name(student)] == (total(student), MOST)


def test_the_table_holds_the_scores(results, course):
    text = (course / "grades" / f"{LESSON}.csv").read_text(encoding="utf-8-sig")
    rows = {row["student"]: row for row in csv.DictReader(text.splitlines())}
    assert len(rows) == len(results) == 20
    for student, (iou, dice) in expected_points().items():
        row = rows[student]
        assert [float(row[c]) for c in ("iou", "dice", "score", "max_score")] == [iou, dice, total(student), MOST]


@pytest.mark.parametrize("student", SAID)
def test_state_and_page_say_what_became_of_it(results, course, student):
    name, state, said = SAID[student]
    assert of(results[student], name).state == state
    assert said in re.sub(r"</?(code|em|b)>", "", page(course, student))


@pytest.mark.parametrize("student", expected_points())
def test_each_student_has_a_page_with_the_score(results, course, student):
    assert f"{total(student):g} of {MOST:g} points" in re.sub("<[^>]+>", "", page(course, student))


def test_the_report_is_written(results, course):
    assert "IoU instead of Dice" in (course / "reports" / f"{LESSON}.html").read_text(encoding="utf-8")


def test_only_what_is_not_done_is_judged(results, course, submissions, tmp_path, monkeypatch):
    """A newer submission is; and a relative course folder is understood, though nbgrader changes the directory."""
    monkeypatch.chdir(course.parent)
    place = course / "results" / LESSON
    before = {path.name: path.stat().st_mtime_ns for path in place.glob("*.json")}
    shutil.copytree(submissions, tmp_path / "again")
    shutil.copy(submissions / "right-3" / "notebook.ipynb", tmp_path / "again" / "untouched" / "notebook.ipynb")
    found = {r.student: r for r in grade.grade_class(LESSON, tmp_path / "again", Path(course.name))}
    changed = {path.name for path in place.glob("*.json") if path.stat().st_mtime_ns != before[path.name]}
    assert changed == {"untouched.json"}
    assert found["untouched"].score == 6
    assert stored(course)["untouched"][0] == 6
    assert found["untouched"].seed != results["untouched"].seed == found["right-1"].seed  # feedback had been written
    grade.grade_class(LESSON, submissions, course)  # as it was, for the other tests


def test_what_a_person_has_entered_stays(results, course, submissions):
    def grade_of(book):
        return book.find_grade("check-iou", LESSON, LESSON, "raises")

    with api(course).gradebook as book:
        grade_of(book).manual_score = 2.5
        book.find_comment("iou", LESSON, LESSON, "raises").manual_comment = "Nearly."
        book.db.commit()
    grade.grade_class(LESSON, submissions, course, force=True)
    with api(course).gradebook as book:
        assert (grade_of(book).manual_score, grade_of(book).auto_score) == (2.5, 0)
        assert book.find_comment("iou", LESSON, LESSON, "raises").manual_comment == "Nearly."
        assert "no_such_thing" in book.find_comment("iou", LESSON, LESSON, "raises").auto_comment
        grade_of(book).manual_score = book.find_comment("iou", LESSON, LESSON, "raises").manual_comment = None
        book.db.commit()


def test_nothing_is_written_until_it_is_approved(results, course, submissions, tmp_path):
    hand_in(tmp_path, "half-done", notebook_of(course, RIGHT_IOU, RIGHT_DICE))
    asked = []

    def refuse(moved):
        asked.extend(moved)
        return False

    assert grade.grade_class(LESSON, tmp_path, course, force=True, approve=refuse) == []
    assert asked == [grade.Moved("half-done", "dice", 0, 3)]
    assert stored(course)["half-done"][0] == 3


def test_late_work_costs_what_nbgraders_plugin_says(course, tmp_path, monkeypatch):
    hand_in(tmp_path / "in", "late", notebook_of(course, RIGHT_IOU, RIGHT_DICE))
    (tmp_path / "in" / "late" / "timestamp.txt").write_text("2026-11-02 12:00:00 UTC")
    settings = grade.config

    def with_penalty(*args):
        found = settings(*args)
        found.LateSubmissionPlugin.penalty_method = "zero"
        return found

    monkeypatch.setattr(grade, "config", with_penalty)
    with api(course).gradebook as book:
        book.update_or_create_assignment(LESSON, duedate="2026-11-01 12:00:00 UTC")
    grade.grade_class(LESSON, tmp_path / "in", course)
    with api(course).gradebook as book:
        late = book.find_submission(LESSON, "late")
        assert (late.score, late.late_submission_penalty) == (6, 6)
        book.update_or_create_assignment(LESSON, duedate=None)


def test_a_run_that_is_killed_goes_on(course, tmp_path):
    """Nothing that is done is done twice, and no process is left."""
    for number in range(12):
        hand_in(tmp_path / "in", f"killed-{number:02d}", notebook_of(course, f"# {number}\n{RIGHT_IOU}", RIGHT_DICE))
    command = [sys.executable, "-m", "autograde.cli", "grade", LESSON]
    command += ["--submissions", str(tmp_path / "in"), "--course", str(course)]
    done = course / "results" / LESSON
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(done.glob("killed-*.json"))) < 3 and run.poll() is None:
        time.sleep(0.02)
    started = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in done.glob("killed-*.json")}
    assert 3 <= len(kept) < 12
    assert not psutil.wait_procs(started, timeout=10)[1]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert {name: (done / name).stat().st_mtime_ns for name in kept} == kept
    assert all(stored(course)[f"killed-{number:02d}"][0] == 6 for number in range(12))


def test_a_worker_that_is_killed_costs_nothing(course, tmp_path, monkeypatch):
    for number in range(8):
        hand_in(tmp_path / "in", f"worker-{number}", notebook_of(course, f"# {number}\n{RIGHT_IOU}", RIGHT_DICE))
    written, write = [], grade.Store.write

    def kill_one(self, result):
        if len(written) == 2:
            servers = [p for p in psutil.Process().children() if "forkserver" in " ".join(p.cmdline())]
            servers[-1].children()[0].kill()
        written.append(result.student)
        write(self, result)

    monkeypatch.setattr(grade.Store, "write", kill_one)
    results = grade.grade_class(LESSON, tmp_path / "in", course)
    assert [r.score for r in results] == [6] * 8


def test_a_lesson_that_is_not_built_is_refused_in_one_message(course, submissions):
    with pytest.raises(grade.GradingError, match="There is no lesson .99_nothing.. There is:"):
        grade.grade_class("99_nothing", submissions, course)


def test_the_command_refuses_without_a_traceback(course, tmp_path):
    arguments = ["grade", LESSON, "--submissions", str(tmp_path / "no"), "--course", str(course)]
    command = [sys.executable, "-m", "autograde.cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not exist" in done.stdout  # unbroken, however long the path is
    assert "Traceback" not in done.stdout + done.stderr


def test_what_is_missing_and_what_moves_is_said(course, tmp_path):
    """A name that no cell binds, answers of another lesson, points that fall with a newer submission."""
    unbound = "def iou(pred, target):\n    return numbers_py.sum(pred)"
    hand_in(tmp_path / "in", "says", notebook_of(course, unbound, RIGHT_DICE))
    (tmp_path / "in" / "says" / "answers.json").write_text('{"loss-for-a-risk-map": "a"}')
    console = Console(file=io.StringIO(), width=80)
    (result,) = grade.grade_class(LESSON, tmp_path / "in", course, workers=1, console=console)
    assert "No cell that the answer needs binds `numbers_py`" in " ".join(of(result, "iou").notes)
    assert of(result, "iou").where is None  # nothing to be looked for
    assert "answers to questions of other lessons: `loss-for-a-risk-map`" in " ".join(result.problems)
    assert "1 graded now, 0 as before" in console.file.getvalue()
    hand_in(tmp_path / "in", "says", notebook_of(course))
    grade.grade_class(LESSON, tmp_path / "in", course, workers=1, console=console)
    assert "says: 3 -> 0" in console.file.getvalue()
