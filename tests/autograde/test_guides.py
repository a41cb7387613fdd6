"""The guides' commands exist, with their options, and each is run by a test or named there as not run."""

import re
from pathlib import Path

import pytest
import typer

from autograde.cli import app
from autograde.nbgrader_course import ROOT

GUIDES = ("students", "instructors", "authors")
# Which test runs a command like this, with folders of its own.
RUN_BY = {
    "lab": ("tests/test_course.py", "test_lab_passes_its_options_on"),
    "doctor": ("tests/test_doctor.py", "test_"),
    "rehearse": ("tests/autograde/test_rehearse.py", "test_the_command_ends_with_what_it_found"),
    "test": ("tests/test_course.py", "test_what_runs_before_a_release_is_not_what_runs_otherwise"),
    "build": ("tests/autograde/conftest.py", "course"),
    "grade": ("tests/autograde/test_grade.py", "test_"),
    "regrade": ("tests/autograde/test_grade.py", "test_nothing_is_written_until_it_is_approved"),
    "export": ("tests/autograde/test_export.py", "test_"),
    "hub-config": ("tests/autograde/test_hub.py", "test_the_command_says_what_is_left_to_do"),
    "release": ("tests/autograde/test_release.py", "made"),
    "check": ("tests/autograde/test_check.py", "test_every_step_runs_and_those_that_failed_are_named"),
    "claims": ("tests/autograde/test_claims.py", "test_the_command_keeps_what_it_found_and_says_what_is_amiss"),
    "lessons": ("tests/autograde/test_lesson_table.py", "test_another_lesson_is_measured_alone"),
    "accuracy": ("tests/autograde/test_accuracy.py", "test_json_is_one_list_and_nothing_else"),
    "evidence": ("tests/autograde/test_evidence.py", "test_"),
    "located": ("tests/autograde/test_located.py", "test_"),
    "messages": ("tests/autograde/test_accuracy.py", "test_the_page_of_messages_is_plain_text_when_it_is_piped"),
    "architecture": ("tests/test_layers.py", "test_the_page_is_that_of_the_imports"),
    "bench": ("tests/autograde/bench/test_bench_training.py", "test_"),
    "site": ("tests/autograde/test_site.py", "test_every_link"),
}
NOT_RUN = ("git clone", "cd ")


def text_of(guide):
    return (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")


def commands(text):
    """The lines of a guide's blocks of commands, and what stands as a command in a sentence."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    blocks = [block for language, block in fenced if not language]
    return [
        *(line for block in blocks for line in block.splitlines()),
        *re.findall(r"`(python course\.py [^`]+)`", text),
    ]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_is_run_by_a_test_or_said_not_to_be(guide):
    found = commands(text_of(guide))
    assert found
    for line in found:
        if line.startswith(NOT_RUN):
            continue
        start, verb, *options = line.removeprefix("python ").split()
        assert start == "course.py", line
        file, test = RUN_BY[verb]
        assert f"def {test}" in (ROOT / file).read_text(encoding="utf-8"), line
        if verb not in ("lab", "doctor", "test"):
            group = typer.main.get_command(app)
            group.commands[verb].make_context(verb, options)  # it raises where an option is none


@pytest.mark.parametrize("guide", ["students", "instructors"])
def test_every_call_in_a_guide_is_one_of_the_course(guide):
    import helpers

    calls = set(re.findall(r"(?<![.\w])([a-z]+)\((?:\"[^\"]*\")?\)", text_of(guide)))
    assert calls
    assert calls <= {*helpers.__all__}


def test_what_is_said_to_lie_where_does():
    for path in ("helpers/reference", "helpers/exercises", "autograde/lessons/keys", "docs/students.md"):
        assert (Path(ROOT) / path).exists()
