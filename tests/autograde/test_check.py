"""`python course.py check`: which tests it runs for what has changed."""

import subprocess

import pytest
from typer.testing import CliRunner

from autograde import check
from autograde.cli import app

PROSE, BUILD, TABLE = (f"tests/autograde/test_{name}.py" for name in ("prose", "build", "lesson_table"))
ACCURACY = "tests/autograde/test_accuracy.py::test_the_published_result_is_not_stale"


@pytest.mark.parametrize(
    ("file", "selected"),
    [
        ("helpers/exercises/dice.py", [ACCURACY, TABLE, BUILD, "tests/checks/test_exercises.py", "-k", "dice or dice"]),
        (
            "helpers/exercises/double_conv.py",
            [ACCURACY, TABLE, BUILD, "tests/checks/test_exercises.py", "-k", "double_conv or doubleconv"],
        ),
        ("helpers/graph/graph.js", ["tests/graph"]),
        ("helpers/frontend.js", ["tests/test_frontend.py"]),
        ("helpers/monitor/monitor.css", ["tests/monitor"]),
        ("helpers/training.py", ["tests/test_training.py"]),
        ("helpers/quiz/bank/02_overlap.yaml", ["tests/quiz", "tests/autograde/test_answer_keys.py", PROSE]),
        ("helpers/plan.json", [BUILD]),
        ("autograde/lessons/02_overlap.py", [BUILD, PROSE, TABLE]),
        ("autograde/lessons/keys/02_overlap.yaml", [BUILD, PROSE, TABLE]),
        ("autograde/grade.py", ["tests/autograde/test_grade.py"]),
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
    whole, *single = check.selections([file])
    assert whole[:1] == check.ALWAYS
    assert [*whole[1:], *(argument for arguments in single for argument in arguments)] == selected


def test_every_selection_names_tests_that_exist():
    """A pattern whose tests were moved would select nothing."""
    for _, tests in check.TESTS:
        assert "\\" in tests or all((check.ROOT / path).exists() for path in tests.split())


def test_the_same_tests_run_once_and_each_exercise_by_itself():
    files = ["helpers/graph/a.js", "helpers/graph/b.py", "helpers/exercises/dice.py", "helpers/exercises/iou.py"]
    whole, *single = check.selections(files)
    assert whole == [*check.ALWAYS, "tests/graph", ACCURACY, TABLE, BUILD]
    assert [arguments[-1] for arguments in single] == ["dice or dice", "iou or iou"]


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


def test_every_step_runs_and_those_that_failed_are_named(checkout, monkeypatch):
    ran, told = [], []

    def run(command, **_):
        ran.append(command[2])
        return subprocess.CompletedProcess(
            command, int(command[2] in ("ruff", "mypy") or "tests/test_layers.py" in command)
        )

    monkeypatch.setattr(check, "changed", lambda: ["helpers/exercises/dice.py"])
    monkeypatch.setattr(check.subprocess, "run", run)
    assert not check.run(told.append)
    assert ran == ["ruff", "ruff", "mypy", "pytest", "pytest"]
    assert told[-1] == "Failed: format, lint, types, tests."


@pytest.mark.parametrize("without", ["a checkout", "git"])
def test_without_git_there_is_one_clear_error(tmp_path, monkeypatch, without):
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if without == "git":
        monkeypatch.setenv("PATH", "")
    result = CliRunner().invoke(app, ["check"])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert result.output.endswith("Run `python course.py test` instead.\n")
