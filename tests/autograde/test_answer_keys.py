"""The keys of graded questions: complete, possible, and each for a question that is asked."""

import pytest

from autograde import answer_keys, build
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
    monkeypatch.setattr(
        answer_keys, "load", lambda name: {"what": {"id": "what", "points": 2, "answer": "b", "why": {}}}
    )

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
    assert (marks["grade_id"], marks["points"], marks["grade"], marks["solution"], marks["locked"]) == (
        "report",
        4,
        True,
        True,
        False,
    )


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
