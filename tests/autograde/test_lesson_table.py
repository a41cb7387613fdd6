"""The README's table of lessons."""

import json
import math
import re

import jupytext
import pytest

from autograde import lesson_table
from autograde.build_cache import LESSONS, lesson_names
from helpers import exercises

MEASURED = {name: {"seconds": 12.4, "memory_mb": 801.6, "cost": 60} for name in lesson_names()}


def test_the_published_table_is_that_of_the_lessons():
    """Where this fails, it says what to run."""
    assert "\n".join(lesson_table.stale()) == ""


def test_a_row_has_what_a_student_and_an_instructor_ask_for():
    (row,) = [line for line in lesson_table.table(MEASURED).splitlines() if "02_overlap" in line]
    assert row.startswith("| [02 · Overlap](notebooks/02_overlap/02_overlap.ipynb) | ")
    assert "`iou`" in row
    assert row.endswith("| 12 s | 802 MB |")


def test_the_exercises_of_all_lessons_are_all_exercises_in_their_order():
    """Every exercise stands in the lesson that its file names."""
    pieces = [(name, piece) for name in lesson_names() for piece in lesson_table.facts(name)["pieces"]]
    assert sorted(pieces) == sorted((exercises.load(name).lesson, name) for name in exercises.names())


@pytest.mark.parametrize("lesson", [name for name in lesson_names() if name[:2].isdigit() and name != "13_project"])
def test_the_stated_time_is_that_of_reading_quizzes_and_cards(lesson):
    """200 words a minute, 40 seconds a question, and what the cards say; some ten minutes more to look and to play."""
    cells = jupytext.read(LESSONS / f"{lesson}.py", fmt="py:percent").cells
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    questions = sum(cell.source.startswith("quiz(") for cell in cells)
    cards = sum(exercises.load(piece).minutes for piece in lesson_table.facts(lesson)["pieces"])
    needed = words / 200 + questions * 2 / 3 + cards
    stated = int(re.match(r"(\d+) minutes", lesson_table.facts(lesson)["time"])[1])
    least, most = math.ceil(needed), math.floor(min(needed + 16, 60))
    sums = f"Reading is {words / 200:.0f} minutes, questions {questions * 2 / 3:.0f}, the cards say {cards}"
    assert least <= 60, f"{lesson}: {sums}. A lesson takes an hour at most: shorten it, or move an exercise."
    assert max(least, 25) <= stated <= most, (
        f"autograde/lessons/{lesson}.py says **Time** {stated} minutes. {sums}: write {max(least, 25)} to {most}."
    )


@pytest.mark.parametrize(("seconds", "asks"), [(12.0, False), (20.0, True)])
def test_a_jump_in_the_measured_time_asks_for_a_quiet_machine(seconds, asks):
    said = lesson_table.compared("a", {"seconds": seconds, "memory_mb": 800.0}, {"seconds": 10.0, "memory_mb": 700.0})
    assert said.startswith(f"a: {seconds:.0f} s, 800 MB (before: 10 s, 700 MB)")
    assert ("quiet machine" in said) == asks


@pytest.fixture
def published(tmp_path):
    """A course whose lessons were all measured, somewhere else."""
    for name, seen in MEASURED.items():
        (tmp_path / name).write_text(json.dumps(seen))
    paths = {"stored": tmp_path / "lessons.json", "readme": tmp_path / "README.md"}
    paths["readme"].write_text("before\n<!-- lessons -->\n<!-- /lessons -->\nafter\n")
    lesson_table.publish(lesson_table.collect(lesson_names(), tmp_path), **paths)
    return paths


def test_what_was_measured_is_stored_and_put_into_the_readme(published):
    assert published["readme"].read_text().startswith("before\n<!-- lessons -->\n| lesson |")
    assert lesson_table.stale(**published) == []
    published["readme"].write_text(published["readme"].read_text().replace("802", "803"))
    (said,) = lesson_table.stale(**published)
    assert said.endswith("python course.py lessons (some seconds)")


def test_another_lesson_is_measured_alone(published):
    stored = json.loads(published["stored"].read_text())
    stored["02_overlap"]["source"] = "other"
    del stored["01_pixels"]
    published["stored"].write_text(json.dumps(stored))
    said = lesson_table.stale(**published)
    assert said[:2] == [
        "01_pixels is not measured: python course.py lessons --measure 01_pixels",
        "02_overlap has changed since it was measured: python course.py lessons --measure 02_overlap (some 60 s)",
    ]
    one = {"01_pixels": {**MEASURED["01_pixels"], "source": lesson_table.fingerprint("01_pixels")}}
    lesson_table.publish(one, **published)
    assert list(lesson_table.read(published["stored"])) == lesson_names()


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# %% [markdown]\n", "# %% [markdown]\n# A word more.\n", True),
        ("import torch\n", "import torch\nprint(1)\n", False),
    ],
)
def test_a_lesson_is_measured_again_for_its_code_not_for_its_prose(monkeypatch, tmp_path, old, new, same):
    before, source = lesson_table.fingerprint("02_overlap"), (LESSONS / "02_overlap.py").read_text(encoding="utf-8")
    assert old in source
    (tmp_path / "02_overlap.py").write_text(source.replace(old, new), encoding="utf-8")
    of_the_course = lesson_table.master
    monkeypatch.setattr(lesson_table, "master", lambda name: of_the_course(name, tmp_path / f"{name}.py"))
    assert (lesson_table.fingerprint("02_overlap") == before) is same
