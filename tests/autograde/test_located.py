"""The measure of `where`: what is asked, what is counted, what is published."""

import pytest
from typer.testing import CliRunner

from autograde import located
from autograde.cli import app
from autograde.located import Asked
from helpers import exercises
from helpers.checks import one_change
from helpers.checks.one_change import Located

PLACE = Located(line=2, text="    return 3 * x", start=11, end=12, kind="Another number belongs there.")


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(one_change, "SECONDS", 30.0)  # on a busy machine


def test_an_answer_is_asked_about_in_its_lessons_notebook():
    wrong = next(a for a in exercises.load("dice").misconceptions if a.name == "the factor two is missing")
    found, seconds = located.ask("dice", wrong.source)
    assert isinstance(found, Located)
    assert "overlap / total" in found.text
    assert seconds > 0


def test_of_mutants_it_is_known_where_the_mistake_is():
    asked = list(located.of_mutants("iou", 3, seed=1))
    assert len({one.what for one in asked}) == 3
    assert all(isinstance(one.found, Located) and one.right for one in asked)
    assert [one.what for one in located.of_mutants("iou", 3, seed=1)] == [one.what for one in asked]


@pytest.mark.parametrize(
    ("was", "now", "lines"),
    [
        ("a\nb\nc", "a\nx\nc", [2]),
        ("a\nb\nc", "a\nc", [2]),  # in front of what comes next
        ("a\nb\nc", "a\nb", [3]),
        ("a\nc", "a\nb\nc", [2]),
    ],
)
def test_the_changed_lines(was, now, lines):
    assert located._changed(was, now) == lines


def test_named_and_located_are_counted_and_what_is_false_is_not():
    asked = [
        Asked("dice", "named", True, "nothing", 5.0),
        Asked("dice", "named and located", True, PLACE, 1.0, True),
        Asked("dice", "located", False, PLACE, 2.0, None),
        Asked("dice", "in another line", False, PLACE, 3.0, False),
        Asked("dice", "neither", False, "nothing", 5.0),
    ]
    assert located.row("a set", asked) == ("a set", "2 of 5", "3 of 5", "3 of 5", "2 of 3", "2.0")


def test_the_command_says_all_three_levels_and_the_counts():
    result = CliRunner().invoke(app, ["located", "--exercise", "iou", "--number", "1"])
    assert result.exit_code == 0, result.output
    assert "One small change makes it pass." in result.output
    assert "look at" in result.output
    assert "| 1 mutants of each exercise | 0 of 1 | 1 of 1 |" in result.output


def test_a_set_that_is_not_there_is_one_sentence():
    result = CliRunner().invoke(app, ["located", "nowhere"])
    assert result.exit_code == 1
    assert "nowhere" in result.output
