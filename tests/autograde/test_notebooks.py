"""Solved and untouched lessons under nbgrader's own runner."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograde import keys
from autograde.nbgrader_course import api
from autograde.stamp import lesson_names
from helpers.widgets import answers

LESSONS = lesson_names()


@pytest.fixture(scope="module", params=LESSONS)
def graded(request, course):
    """Lesson, and its solved and its untouched notebook after `nbgrader autograde`, with their scores."""
    lesson = request.param
    nbgrader, results = api(course), {}
    for student, folder in (("lesson-solved", "source"), ("lesson-untouched", "release")):
        place = course / "submitted" / student / lesson
        place.mkdir(parents=True)
        shutil.copy(course / folder / lesson / f"{lesson}.ipynb", place)
        if student == "lesson-solved":
            (place / answers.FILE).write_text(json.dumps(keys.answers_of(lesson)))
        done = nbgrader.autograde(lesson, student)
        assert done["success"], done["log"]
        notebook = nbformat.read(course / "autograded" / student / lesson / f"{lesson}.ipynb", as_version=4)
        with nbgrader.gradebook as gradebook:
            submission = gradebook.find_submission(lesson, student)
            results[student] = notebook, submission.score, submission.max_score
    return results


def errors(notebook):
    outputs = [(cell.source, output) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [o for o in outputs if o[1].output_type == "error" or o[1].get("name") == "stderr"]


def verdicts(notebook):
    texts = [o.data.get("text/plain", "") for c in notebook.cells for o in c.get("outputs", []) if "data" in o]
    return [t for t in texts if "points" in t]


def test_the_solved_lesson_runs_to_its_end_with_full_points(graded):
    notebook, score, most = graded["lesson-solved"]
    assert errors(notebook) == []
    assert score == most > 0
    assert all("passed" in v for v in verdicts(notebook))


def test_the_students_lesson_runs_to_its_end_with_every_check_not_attempted(graded):
    notebook, score, _ = graded["lesson-untouched"]
    assert errors(notebook) == []
    assert score == 0
    assert verdicts(notebook)
    assert all("not attempted" in v for v in verdicts(notebook))
    assert "this cell uses the course's own" in json.dumps(notebook)


def test_every_picture_has_alternative_text(graded):
    notebook, _, _ = graded["lesson-solved"]
    pages = [
        o.data["text/html"] for c in notebook.cells for o in c.get("outputs", []) if "text/html" in o.get("data", {})
    ]
    pictures = [page for page in pages if "<img" in page]
    assert pictures
    assert all(f'<img alt="{page.split(chr(34))[1]}"' in page and len(page.split(chr(34))[1]) > 20 for page in pictures)
    assert not any("image/png" in o.get("data", {}) for c in notebook.cells for o in c.get("outputs", []))


@pytest.mark.parametrize(("answers", "passes"), [("source", True), ("release", False)])
def test_plain_nbgrader_validate_tells_right_from_unwritten(course, tmp_path, answers, passes):
    lesson = LESSONS[0]
    shutil.copy(course / answers / lesson / f"{lesson}.ipynb", tmp_path)
    command = [sys.executable, "-m", "nbgrader", "validate", f"{lesson}.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ("Success" in done.stdout) is passes, done.stdout + done.stderr
    assert ("VALIDATION FAILED" in done.stdout) is not passes


def test_plain_nbgrader_autograde_runs_in_the_course_folder(course):
    lesson = LESSONS[0]
    place = course / "submitted" / "lesson-plain" / lesson
    place.mkdir(parents=True)
    shutil.copy(course / "source" / lesson / f"{lesson}.ipynb", place)
    (place / answers.FILE).write_text(json.dumps(keys.answers_of(lesson)))
    command = [sys.executable, "-m", "nbgrader", "autograde", lesson, "--student", "lesson-plain"]
    # nbgrader calls `alembic` by name, as it can where the environment is activated
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    with api(course).gradebook as gradebook:
        submission = gradebook.find_submission(lesson, "lesson-plain")
        assert submission.score == submission.max_score
