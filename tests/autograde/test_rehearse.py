"""A made-up class is graded as planned, and where it is not, that is said."""

import pytest
from typer.testing import CliRunner

from autograde import rehearse
from autograde.cli import app
from autograde.grade import GradingError
from autograde.nbgrader_course import ROOT


def test_a_class_in_all_forms_gets_what_was_planned(tmp_path):
    said = rehearse.rehearse("02_overlap", 24, tmp_path)
    assert "\n".join(said) == ""
    assert (tmp_path / "course" / "reports" / "02_overlap.html").exists()


def test_every_form_and_every_kind_is_in_a_class_of_thirty():
    released = (ROOT / "notebooks" / "02_overlap" / "02_overlap.ipynb").read_text(encoding="utf-8")
    planned = list(rehearse.made("02_overlap", released, 30))
    assert {one.form for one in planned} == {*rehearse.FORMS}
    assert {one.kind for one in planned} == {*rehearse.KINDS}
    assert len({one.student for one in planned}) == 30
    assert [one.points for one in planned] == [one.points for one in rehearse.made("02_overlap", released, 30)]


def test_what_is_not_as_planned_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(rehearse, "KINDS", ("right",))
    right = rehearse.points
    monkeypatch.setattr(
        rehearse, "points", lambda lesson: right(lesson) | {"checks": right(lesson)["checks"] | {"iou": 4}}
    )
    assert rehearse.rehearse("02_overlap", 1, tmp_path) == ["student-001 (right, a folder): iou 3, not 4."]


def test_a_lesson_without_exercises_is_refused(tmp_path):
    with pytest.raises(GradingError, match="02_overlap"):
        rehearse.rehearse("glossary", 3, tmp_path)


def test_the_command_ends_with_what_it_found():
    done = CliRunner().invoke(app, ["rehearse", "--students", "2"])
    assert done.exit_code == 0, done.output
    assert "2 of 2 scores are as planned." in done.output
