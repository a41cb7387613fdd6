"""Solved and untouched lessons under nbgrader's own runner."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from autograde import answer_keys
from autograde.build_cache import lesson_names
from autograde.lesson_table import points_of
from autograde.nbgrader_course import api
from helpers.quiz import answers

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
            (place / answers.FILE).write_text(json.dumps(answer_keys.answers_of(lesson)))
        with watched() as seen:
            done = nbgrader.autograde(lesson, student)
        assert done["success"], done["log"]
        if student == "lesson-solved":
            request.config.cache.set(f"lessons/{lesson}", seen)  # for `python course.py lessons`
        notebook = nbformat.read(course / "autograded" / student / lesson / f"{lesson}.ipynb", as_version=4)
        with nbgrader.gradebook as gradebook:
            submission = gradebook.find_submission(lesson, student)
            results[student] = notebook, submission.score, submission.max_score
    return results


@contextlib.contextmanager
def watched():
    """Seconds that the body took, and the most memory that a child process of it held."""
    seen, ended = {"seconds": 0.0, "memory_mb": 0.0}, threading.Event()

    def watch():
        while not ended.wait(0.2):
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    seen["memory_mb"] = max(seen["memory_mb"], child.memory_info().rss / 2**20)

    watcher, began = threading.Thread(target=watch), time.perf_counter()
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()
        seen["seconds"] = time.perf_counter() - began


def errors(notebook):
    outputs = [(cell.source, output) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [o for o in outputs if o[1].output_type == "error" or o[1].get("name") == "stderr"]


def is_graded_by_hand(cell):
    marks = cell.metadata.get("nbgrader", {})
    return bool(marks.get("grade") and marks.get("solution"))


def marks(notebook, kind):
    """What the graded cells of a kind, `"check"` or `"quiz"`, show as text with points."""
    cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id", "").startswith(f"{kind}-")]
    shown = [o.data.get("text/plain", "") for c in cells for o in c.get("outputs", []) if "data" in o]
    return [text for text in shown if "points" in text]


def test_the_solved_lesson_runs_to_its_end_with_full_points(graded):
    notebook, score, most = graded["lesson-solved"]
    assert errors(notebook) == []
    by_hand = sum(c.metadata.nbgrader.points for c in notebook.cells if is_graded_by_hand(c))
    assert score + by_hand == most == sum(points_of(notebook).values())
    assert all("passed" in v for v in marks(notebook, "check"))
    assert all(mark.startswith("✓") for mark in marks(notebook, "quiz"))


def test_the_students_lesson_runs_to_its_end_with_every_check_not_attempted(graded):
    notebook, score, _ = graded["lesson-untouched"]
    assert errors(notebook) == []
    assert score == 0
    pieces = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution") and c.cell_type == "code"]
    # One verdict from the cell, one from its hidden half.
    assert len(marks(notebook, "check")) == 2 * len(pieces)
    assert all("not attempted" in v for v in marks(notebook, "check"))
    assert all("no answer: 0 of" in mark for mark in marks(notebook, "quiz"))
    if pieces:
        assert "this cell uses the course's own" in json.dumps(notebook)


def test_every_picture_has_alternative_text(graded):
    notebook, _, _ = graded["lesson-solved"]
    shown = [o.get("data", {}) for c in notebook.cells for o in c.get("outputs", [])]
    pages = [data["text/html"] for data in shown if "text/html" in data]
    pictures = [found for page in pages for found in re.findall(r"<img\b[^>]*\balt=\"([^\"]*)\"[^>]*>\s*([^<]?)", page)]
    assert len(pictures) == sum(page.count("<img") for page in pages)
    drawings = [tag for page in pages for tag in re.findall(r"<svg\b.*?</svg>", page, flags=re.DOTALL)]
    assert pictures
    # The colours of a legend say nothing that the word behind each does not.
    assert all(len(alt) > 20 or (not alt and word_behind) for alt, word_behind in pictures)
    assert all("aria-hidden" in d or "<title" in d or "aria-label" in d for d in drawings)
    assert not any("image/png" in data for data in shown)


@pytest.mark.parametrize(("folder", "passes"), [("source", True), ("release", False)])
def test_plain_nbgrader_validate_tells_right_from_unwritten(course, tmp_path, folder, passes):
    lesson = "02_overlap"
    shutil.copy(course / folder / lesson / f"{lesson}.ipynb", tmp_path)
    if passes:
        (tmp_path / answers.FILE).write_text(json.dumps(answer_keys.answers_of(lesson)))
    command = [sys.executable, "-m", "nbgrader", "validate", f"{lesson}.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ("Success" in done.stdout) is passes, done.stdout + done.stderr
    assert ("VALIDATION FAILED" in done.stdout) is not passes


def test_plain_nbgrader_autograde_runs_in_the_course_folder(course):
    lesson = "02_overlap"
    place = course / "submitted" / "lesson-plain" / lesson
    place.mkdir(parents=True)
    shutil.copy(course / "source" / lesson / f"{lesson}.ipynb", place)
    (place / answers.FILE).write_text(json.dumps(answer_keys.answers_of(lesson)))
    command = [sys.executable, "-m", "nbgrader", "autograde", lesson, "--student", "lesson-plain"]
    # nbgrader calls `alembic` by name, as it can where the environment is activated
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    with api(course).gradebook as gradebook:
        submission = gradebook.find_submission(lesson, "lesson-plain")
        assert submission.score == submission.max_score
