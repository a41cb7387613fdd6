"""Every exercise: what it must reject, name, and accept; and how exercises are found."""

import re
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


def maps(shown):
    """Every map (H, W) in the inputs that are shown, as its rows."""
    if isinstance(shown, dict) and "values" in shown:
        shown = shown["values"]
    if isinstance(shown, dict):
        shown = list(shown.values())
    if isinstance(shown, list) and shown and isinstance(shown[0], list) and not isinstance(shown[0][0], list):
        return [shown]
    return [found for part in shown for found in maps(part)] if isinstance(shown, list) else []


def odd(probe):
    return any(len(rows) % 2 or len(rows[0]) % 2 for rows in maps(probe["input"]))


def without_object(probe):
    return any(not any(map(any, rows)) for rows in maps(probe["input"]))


# What a name speaks of is in the example that is shown with it.
EXAMPLES = {
    r"odd sides?": odd,
    r"even sides only": odd,
    r"(an |two |one )?empty (masks?|pairs?|truth|prediction)": without_object,
    r".*\bgives? NaN": lambda probe: "nan" in repr(probe["yours"]),
}


@pytest.mark.parametrize(("name", "answer"), WRONG)
def test_a_misconception_is_caught_named_and_shown(name, answer, monkeypatch):
    verdict = examine(name, answer.solution, SEED)
    assert verdict.status in ("wrong", "error")
    assert verdict.points == 0
    assert verdict.diagnosis == answer.name
    assert answer.sentence in verdict.message
    assert answer.name in as_text(verdict)
    for words, is_in in EXAMPLES.items():
        assert not re.match(words, answer.name) or is_in(verdict.probe)
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
    for part in (exercise.name, f"**{exercise.points} point", f"{exercise.minutes} minutes", exercise.task):
        assert part in exercise.card()


def test_an_incomplete_exercise_is_named():
    short = exercises.Exercise("f", len, len, "02", "c", 1, 1, 1, ["one hint"], "task")
    lacking = ["0 misconceptions; it needs 5", "0 variants; it needs 2", "1 hints; it needs 3"]
    assert exercises.problems(short) == [f"f has {what}" for what in lacking]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dice", "Do you mean `dice`"),
        ("up", "Do you mean `Up`"),
        ("UNET", "Do you mean `UNet`"),
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


def doubled(x):
    return 2 * x + 1


def test_two_changes_are_made_in_the_order_in_which_they_fit():
    exercise = exercises.Exercise("doubled", doubled, len, "02", "c", 1, 1, 1, [], "task")
    tripled = exercises.Answer("tripled", doubled, "s", changes=(("2 * x", "3 * x"),))
    bare = exercises.Answer("bare", doubled, "s", changes=(("3 * x + 1", "3 * x"),))
    for pair in ((tripled, bare), (bare, tripled)):
        (both,) = exercise.versions(*pair)
        assert both(5) == 15
