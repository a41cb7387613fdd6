"""Answers by people who saw the task texts alone."""

import pytest
from typer.testing import CliRunner

from autograde import evidence
from autograde.cli import app
from helpers import exercises

SETS = sorted(path.name for path in evidence.FOLDER.iterdir())
# The day from which on a set can hold an exercise that came after the first sets; a set's name begins with its day.
SINCE = {"gradient_step": "2026-11-28", "PixelClassifier": "2026-11-28"}


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_a_right_and_two_wrong_answers_to_every_exercise(name):
    held = list(evidence.answers(evidence.FOLDER / name))
    assert len(held) >= 150
    for exercise in exercises.names():
        if SINCE.get(exercise, "") > name:
            continue
        of = [answer for answer in held if answer.exercise == exercise]
        assert [answer.is_right for answer in of].count(True) >= 1
        assert [answer.is_right for answer in of].count(False) >= 2


def test_an_answer_is_checked_in_its_lesson_and_counted():
    result = CliRunner().invoke(app, ["evidence", "2026-11-26-a", "--exercise", "iou", "--exercise", "weight_map"])
    assert result.exit_code == 0
    assert "refused" not in result.output
    assert "| 2 of 2 |" in result.output


def test_a_file_of_no_exercise_and_a_set_that_does_not_exist_are_said(tmp_path):
    (tmp_path / "dise.py").write_text("# %% right: so\n")
    with pytest.raises(ValueError, match="files of no exercise: dise"):
        list(evidence.answers(tmp_path))
    result = CliRunner().invoke(app, ["evidence", "nothing"])
    assert (result.exit_code, "2026-11-26-a" in result.output) == (1, True)


def test_names_that_are_not_true_are_counted_apart(tmp_path):
    (tmp_path / "set.yaml").write_text("about: here\nfalse names:\n- {exercise: iou, what: dice}\n")
    wrong = [evidence.Held("iou", False, what, "") for what in ("dice", "[two] others")]
    verdict = evidence.verdict_of("iou", lambda pred, target: 2 * (pred & target).sum() / (pred.sum() + target.sum()))
    _, *counts = evidence.row(tmp_path, [(held, verdict) for held in wrong])
    assert counts[1:] == ["2 of 2", "2 of 2", "1 of 2", "1 of 1"]
