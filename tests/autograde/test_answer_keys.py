"""The keys of graded questions: complete, possible, and each for a question that is asked."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from autograde import answer_keys, build, cli, grade
from helpers.quiz.questions import Option, Question

CHOICE = Question("what", "05_test", "single", "What?", (Option("a", "This"), Option("b", "That")), graded=True)
NUMBER = Question("number", "05_test", "numeric", "How many?", graded=True)
RIGHT = """
- id: what
  points: 2
  answer: b
  why: {a: No., b: Yes.}
- id: number
  points: 1
  answer: 0.25
  tolerance: 0.01
  why: A quarter.
"""


def problems(folder, text, name="05_test.yaml"):
    (folder / name).write_text(text)
    return answer_keys.problems(folder, [CHOICE, NUMBER])


def test_the_shipped_keys_have_no_problems():
    assert answer_keys.problems() == []


def test_complete_keys_are_accepted(tmp_path):
    assert problems(tmp_path, RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: what", "id: whut", "no graded question of that id"),
        ("answer: b", "answer: c", "no option c"),
        ("points: 2", "points: 0", "points is 0"),
        ("b: Yes.", "c: Yes.", "a text for each of a, b"),
        ("b: Yes.", "b: ''", "not empty"),
        ("  tolerance: 0.01\n", "", "expected answer, id, points, tolerance, why"),
        ("id: number", "id: what", "it has a key already"),
        ("answer: 0.25", "answer: some", "not a number"),
        (RIGHT, "just text", "list of mappings"),
        (RIGHT, "a: [", "not YAML"),
        ("- id: number", "- id: what2", "number: the graded question has no key"),
    ],
)
def test_what_is_not_in_order_is_said(tmp_path, old, new, said):
    assert said in "\n".join(problems(tmp_path, RIGHT.replace(old, new)))


def test_a_key_in_another_lessons_file_is_refused(tmp_path):
    assert "that question is in 05_test.yaml" in "\n".join(problems(tmp_path, RIGHT, "06_other.yaml"))


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    keys = {"what": {"id": "what", "points": 2, "answer": "b", "why": {}}}
    monkeypatch.setattr(answer_keys, "load", lambda name, folder: keys)

    def made(cell):
        path = tmp_path / "05_test.py"
        path.write_text(f"# %%\nimport torch\n\n{cell}\n")
        return build.master("05_test", path).cells[-1]

    return made


def test_the_key_is_in_the_hidden_part_of_the_masters_cell(lesson):
    cell = lesson('# %% graded="what"\nquiz("what")')
    visible, hidden = cell.source.split("### BEGIN HIDDEN TESTS")
    assert visible == 'quiz("what")\n'
    assert "'answer': 'b'" in hidden
    assert cell.metadata.nbgrader["grade_id"] == "quiz-what"
    assert cell.metadata.nbgrader["points"] == 2
    assert cell.metadata.nbgrader["locked"]


def test_a_text_to_grade_by_hand_is_open_and_has_points(lesson):
    cell = lesson('# %% [markdown] manual="report" points=4\n# Write here.')
    marks = cell.metadata.nbgrader
    assert (cell.cell_type, cell.source) == ("markdown", "Write here.")
    expected = {"grade_id": "report", "points": 4, "grade": True, "solution": True, "locked": False}
    assert expected.items() <= marks.items()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('# %% graded="what"\nquiz("what").answer("b")', "and nothing else"),
        ('# %% graded="other"\nquiz("other")', "has no key"),
        ('# %% [markdown] manual="report"\n# Write here.', "needs points"),
        ('# %% manual="report" points=4\nx = 1', "marks a Markdown cell"),
    ],
)
def test_a_cell_that_is_not_in_order_is_refused(lesson, cell, said):
    with pytest.raises(build.BuildError, match=said):
        lesson(cell)


# ---- an instructor's own keys ----


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """A folder of keys outside the repository, in which the answer to the graded question of lesson 00 is another."""
    folder = tmp_path_factory.mktemp("private") / "keys"
    shutil.copytree(answer_keys.KEYS, folder)
    path = folder / "00_start_here.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("answer: c", "answer: d"), encoding="utf-8")
    return folder


def test_a_class_is_graded_by_the_instructors_own_keys(private, tmp_path):
    build.student_versions(["00_start_here"], tmp_path / "course")  # with the keys of the repository
    released = tmp_path / "course" / "release" / "00_start_here" / "00_start_here.ipynb"
    for student, answer in (("ana", "c"), ("ben", "d")):
        (tmp_path / "handed-in" / student).mkdir(parents=True)
        shutil.copy(released, tmp_path / "handed-in" / student / "notebook.ipynb")
        (tmp_path / "handed-in" / student / "answers.json").write_text(json.dumps({"roofs-from-above": answer}))
    results = grade.grade_class("00_start_here", tmp_path / "handed-in", tmp_path / "course", keys_folder=private)
    assert {r.student: r.score for r in results} == {"ana": 0, "ben": 1}


def test_what_students_get_does_not_depend_on_the_keys(private, tmp_path):
    made = build.student_versions(["00_start_here"], tmp_path / "course", private)
    assert made == build.student_versions(["00_start_here"], tmp_path / "other")


@pytest.mark.parametrize(
    ("mend", "said"),
    [
        (shutil.rmtree, "there is no such folder"),
        (lambda folder: (folder / "02_overlap.yaml").unlink(), "02_overlap.yaml, dice-from-counts: the graded"),
        (lambda folder: (folder / "02_overlap.yaml").write_text("- id: dice-from-counts"), "it has id; expected"),
    ],
)
def test_keys_that_are_not_in_order_are_one_message(private, tmp_path, course, monkeypatch, mend, said):
    folder = tmp_path / "keys"
    shutil.copytree(private, folder)
    mend(folder)
    with pytest.raises(grade.GradingError, match="The keys are not in order"):
        grade.grade_class("02_overlap", tmp_path, course, keys_folder=folder)
    monkeypatch.setenv("COLUMNS", "1000")
    done = CliRunner().invoke(cli.app, ["build", "--keys", str(folder)])
    assert done.exit_code == 1
    assert done.output.startswith("The keys are not in order:\n  ")
    assert said in done.output
