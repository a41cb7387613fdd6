"""`python course.py check`: which tests it runs for what has changed."""

import re
import subprocess

import pytest
from typer.testing import CliRunner

from autograde import check
from autograde.cli import app

PROSE, KEYS, QUIZ = "tests/autograde/test_prose.py", check.KEYS, "tests/quiz/test_quiz.py"
TABLE = [
    f"{check.TABLE}::test_the_published_table_is_that_of_the_lessons",
    f"{check.TABLE}::test_the_stated_time_is_that_of_reading_quizzes_and_cards",
]


@pytest.mark.parametrize(
    ("file", "selected"),
    [
        ("helpers/exercises/__init__.py", TABLE),
        ("helpers/reference/overlap.py", [check.ALL, "tests/reference/test_reference_overlap.py"]),
        ("helpers/graph/graph.js", ["tests/graph"]),
        ("helpers/frontend.js", ["tests/test_frontend.py"]),
        ("helpers/monitor/monitor.css", ["tests/monitor"]),
        ("helpers/training.py", ["tests/test_training.py"]),
        ("helpers/quiz/bank/02_overlap.yaml", [KEYS, QUIZ, PROSE]),
        ("helpers/quiz/quiz.py", ["tests/quiz"]),
        ("helpers/plan.json", ["tests/test_progress.py"]),
        ("autograde/lessons/02_overlap.py", [*TABLE, PROSE]),
        ("autograde/lessons/keys/02_overlap.yaml", [*TABLE, KEYS, QUIZ, PROSE]),
        ("autograde/grade.py", ["tests/autograde/test_grade.py"]),
        ("autograde/equivalents.yaml", [*check.EQUIVALENTS.split(), PROSE]),
        ("autograde/bench/run.py", ["tests/autograde/bench"]),
        ("tests/graph/test_graph.py", ["tests/graph/test_graph.py"]),
        ("tests/browser/test_pieces.py", []),  # minutes, and a browser
        ("tests/autograde/test_notebooks.py", []),  # minutes
        ("datasets/nuclei/README.md", ["tests/data", PROSE]),
        ("course.py", ["tests/test_course.py"]),
        ("constraints.txt", ["tests/test_environment.py"]),
        ("README.md", [PROSE]),
        ("helpers/without_a_test.py", []),
        ("LICENSE", []),
    ],
)
def test_a_changed_file_selects_its_tests(file, selected):
    assert check.selection([file]) == [*selected, "tests/test_layers.py"]


def test_every_selection_names_tests_that_exist():
    """A pattern whose tests were moved would select nothing."""
    for test in {test for _, tests, _ in check.TESTS for test in tests.split() if "\\" not in test}:
        file, _, function = test.partition("::")
        assert f"def {function}" in (check.ROOT / file).read_text() if function else (check.ROOT / file).exists()


@pytest.mark.parametrize("others", [[], ["helpers/graph/a.js"]])
def test_of_an_exercise_its_own_tests_run_alone(others):
    *paths, dash_k, words = check.selection(["helpers/exercises/double_conv.py", "helpers/exercises/iou.py", *others])
    asked = [check.ACCURACY, *check.EXERCISE.split()]
    assert {*asked} <= {*paths}
    name = "double_conv or doubleconv or iou"
    assert (dash_k, words) == (
        "-k",
        " and ".join(f"(not {re.split('/|::', test)[-1]} or {name})" for test in asked),
    )


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git checkout with three committed files, in place of the course's."""
    for name in ("stays.py", "goes.py", "moves.py"):
        (tmp_path / name).write_text(f"# {name}")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "m"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(check, "ROOT", tmp_path)
    return tmp_path


def test_changed_are_new_edited_and_renamed_files_but_no_deleted_ones(checkout):
    assert check.changed() == []
    (checkout / "goes.py").unlink()
    (checkout / "stays.py").write_text("# edited")
    (checkout / "a folder").mkdir()
    (checkout / "a folder" / "é.py").touch()
    subprocess.run(["git", "mv", "moves.py", "moved.py"], cwd=checkout, check=True)
    assert sorted(check.changed()) == ["a folder/é.py", "moved.py", "stays.py"]


def test_every_step_runs_and_those_that_failed_are_named(checkout, monkeypatch, capsys):
    ran, told = [], []

    def run(command, **_):
        ran.append(command[2])
        return subprocess.CompletedProcess(command, 1, stdout=f"{command[2]} says why\n", stderr="")

    monkeypatch.setattr(check, "changed", lambda: ["helpers/exercises/dice.py"])
    monkeypatch.setattr(check, "NOTEBOOKS", checkout / "notebooks")
    monkeypatch.setattr(check.subprocess, "run", run)
    assert not check.run(told.append)
    assert sorted(ran) == ["mypy", "pytest", "ruff", "ruff"]
    assert capsys.readouterr().out == "ruff says why\nruff says why\nmypy says why\npytest says why\n"
    assert told[0].endswith("changed since they were built. Run `course.py build`.")
    assert told[-1] == "Failed: build, format, lint, types, tests."


@pytest.mark.parametrize("without", ["a checkout", "git"])
def test_without_git_there_is_one_clear_error(tmp_path, monkeypatch, without):
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if without == "git":
        monkeypatch.setenv("PATH", "")
    result = CliRunner().invoke(app, ["check"])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert result.output.endswith("Run `python course.py test` instead.\n")
