"""What `hub-config` writes, and what a graded class needs of nbgrader's exchange; a real hub is in tests/browser."""

import json
import shutil

import pytest
from traitlets.config import Config
from typer.testing import CliRunner

from autograde import grade, hub
from autograde.cli import app
from tests.student import released

LESSON = "02_overlap"
SECRET = "0123456789abcdef" * 8
WHEN = "2026-11-01 12:00:00.123456 Europe/Berlin"


def settings(path):
    """What a file of settings sets, as nbgrader reads it."""
    made = Config()
    exec(path.read_text(encoding="utf-8"), {"get_config": lambda: made})
    return made


def test_everybody_has_the_course_and_only_the_instructor_its_folder(tmp_path):
    hub.write_config(["prof", "ta"], "/home/prof/course", "/srv/x", tmp_path)
    everybody = settings(tmp_path / "etc" / "nbgrader_config.py")
    assert (everybody.CourseDirectory.course_id, everybody.Exchange.root) == ("build-unet", "/srv/x")
    assert settings(tmp_path / "instructor" / "nbgrader_config.py").CourseDirectory.root == "/home/prof/course"
    off = json.loads((tmp_path / "etc" / "labconfig" / "page_config.json").read_text())["disabledExtensions"]
    assert off["@jupyter/nbgrader:formgrader"]
    assert "@jupyter/nbgrader:assignment-list" not in off
    of_hub = settings(tmp_path / "hub" / "build_unet_config.py")
    assert of_hub.JupyterHub.template_vars == {"formgraders": ["prof", "ta"]}
    assert (tmp_path / "hub" / "templates" / "home.html").exists()


def test_the_command_says_what_is_left_to_do():
    done = CliRunner().invoke(app, ["hub-config", "--instructor", "prof", "--course", "/home/prof/build-unet/course"])
    assert done.exit_code == 0, done.output
    assert "install -d -m 0777 /srv/nbgrader/exchange" in done.output
    refused = CliRunner().invoke(app, ["hub-config", "--instructor", "prof", "--course", "course"])
    assert refused.exit_code == 1
    assert "must be a whole path on the hub's machine" in refused.output


def test_without_an_instructor_there_is_nobody_for_the_link(tmp_path):
    with pytest.raises(ValueError, match="No instructor is named"):
        hub.write_config([], "/home/prof/course", place=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_page_lies_beside_what_the_exchange_knows_its_owner_by(course, tmp_path):
    """And beside nothing that a student may have put into its place."""
    submitted = course / "submitted"
    (tmp_path / "secret").write_text(SECRET)
    for student, secret in (("ana", SECRET), ("ben", "../../x"), ("cem", None)):
        folder = submitted / student / LESSON
        folder.mkdir(parents=True)
        (folder / f"{LESSON}.ipynb").write_text(json.dumps(released(LESSON)))
        (folder / "timestamp.txt").write_text(WHEN)
        if secret is None:
            (folder / "submission_secret.txt").symlink_to(tmp_path / "secret")
        else:
            (folder / "submission_secret.txt").write_text(secret)
    try:
        grade.grade_class(LESSON, submitted, course, workers=1, look=False)
    finally:
        shutil.rmtree(submitted)
    found = {p.parent.parent.name: p.read_text() for p in (course / "feedback").rglob("submission_secret.txt")}
    assert found == {"ana": SECRET}
    assert (course / "feedback" / "ana" / LESSON / "timestamp.txt").read_text() == WHEN
