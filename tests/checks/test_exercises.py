"""Every exercise: what it must reject, name, and accept; and how exercises are found."""

import subprocess
import sys
from pathlib import Path

import pytest

from helpers import exercises, show
from helpers.checks import engine, examine
from helpers.checks.render import as_html, as_text

ROOT = Path(__file__).parents[2]
SEED = 0  # `python course.py accuracy` takes twenty

EXERCISES = [exercises.load(name) for name in exercises.names()]
WRONG = [pytest.param(e.name, a, id=f"{e.name}: {a.name}") for e in EXERCISES for a in e.misconceptions]
RIGHT = [pytest.param(e.name, a, id=f"{e.name}: {a.name}") for e in EXERCISES for a in e.right_answers]


@pytest.mark.parametrize(("name", "answer"), WRONG)
def test_a_misconception_is_caught_named_and_shown(name, answer, monkeypatch):
    verdict = examine(name, answer.solution, SEED)
    assert verdict.status in ("wrong", "error")
    assert verdict.points == 0
    assert verdict.diagnosis == answer.name
    assert answer.sentence in verdict.message
    assert answer.name in as_text(verdict)
    monkeypatch.setattr(show, "img_tag", lambda figure, alt: f'<img alt="{alt}">')  # writing the file takes longest
    assert "<table" in as_html(verdict)


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_a_right_answer_is_accepted(name, answer):
    verdict = examine(name, answer.solution, SEED)
    assert verdict.status == "passed", verdict.message
    assert verdict.points == verdict.max_points > 0


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_an_exercise_is_complete(exercise):
    assert not exercises.problems(exercise)
    assert 1 <= exercise.difficulty <= 5
    names = [a.name for a in (*exercise.misconceptions, *exercise.variants)]
    assert len(set(names)) == len(names)
    for part in (exercise.name, f"{exercise.points} points", f"{exercise.minutes} minutes", exercise.task):
        assert part in exercise.card()


def test_an_incomplete_exercise_is_named():
    short = exercises.Exercise("f", len, len, "02", "c", 1, 1, 1, ["one hint"], "task")
    lacking = ["0 misconceptions; it needs 5", "0 variants; it needs 2", "1 hints; it needs 3"]
    assert exercises.problems(short) == [f"f has {what}" for what in lacking]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dice", "Do you mean `dice`"),
        ("double_conv", "Do you mean `DoubleConv`"),
        *((name, "The exercises are: .*dice.*DoubleConv") for name in ("nothing", "__init__", "")),
    ],
)
def test_an_unknown_exercise_is_refused_with_those_that_are_meant(name, said):
    with pytest.raises(ValueError, match=said):
        exercises.load(name)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_no_script_breaks_off_on_a_right_answer(exercise):
    # Where it did, every answer on which it breaks off would be right.
    for answer in exercise.right_answers:
        seen = [o for probe in engine._known_trace(exercise.name, answer.solution, SEED) for o in probe]
        assert not [o for o in seen if o.what == "course of the steps"], answer.name


def test_the_plan_lists_every_exercise_that_has_a_file():
    assert sorted(exercises.names()) == sorted(e.name for e in exercises.written()), "run `python course.py build`"


def test_the_order_of_exercises_imports_none_and_one_is_imported_alone():
    code = """
import sys
from helpers import exercises
modules = lambda: [name for name in sys.modules if name.startswith("helpers.exercises.")]
assert len(exercises.names()) > 40 and not modules()
exercises.load("dice")
print(modules())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['helpers.exercises.dice']"
