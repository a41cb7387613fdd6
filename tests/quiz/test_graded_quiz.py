"""Graded questions: the answer is kept and said to be kept, is what is handed in, and its key is not here."""

import json
import os

import pytest

from helpers.quiz import answers, grading
from helpers.quiz.questions import Option, Question, problems
from helpers.quiz.quiz import Quiz, QuizFrontEnd

KEY = {"answer": "b", "points": 2, "why": {"a": "Not `a`.", "b": "Yes."}}


@pytest.fixture
def question(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = Question("what", "test", "single", "What?", (Option("a", "This"), Option("b", "That")), graded=True)
    monkeypatch.setattr(grading, "find", lambda id: asked)
    return asked


def test_an_answer_is_kept_and_not_judged(question, tmp_path):
    quiz = Quiz(question)
    said = quiz.answer("a")
    assert said.right is None
    assert "kept" in repr(said)
    assert "kept" in said._repr_html_()
    assert json.loads((tmp_path / "answers.json").read_text()) == {"what": "a"}


def test_the_last_answer_counts_and_is_there_again_after_reopening(question):
    quiz = Quiz(question)
    quiz.answer("a")
    quiz.answer("b")
    assert [kept.given for kept in quiz.tried()] == ["b"]
    again = Quiz(question)
    assert [kept.given for kept in again.tried()] == ["b"]
    assert "• b: kept" in repr(again)
    front = QuizFrontEnd(again)
    assert (front.chosen, front.reply["verdict"]) == ("b", "kept")


def test_answers_to_other_questions_stay(question, tmp_path):
    answers.keep("other", "3/8")
    Quiz(question).answer("a")
    assert answers.read() == {"other": "3/8", "what": "a"}


def test_what_cannot_be_an_answer_is_refused_and_not_kept(question, tmp_path):
    with pytest.raises(ValueError, match="no option c"):
        Quiz(question).answer("c")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"what": 3}', '{"what": "' + "a" * 200 + '"}'])
def test_a_broken_file_is_refused_and_left_as_it_is(question, tmp_path, text):
    (tmp_path / "answers.json").write_text(text)
    with pytest.raises(answers.AnswersError, match="/answers.json .* Rename it"):
        answers.keep("what", "a")
    with pytest.raises(answers.AnswersError):
        Quiz(question)
    assert (tmp_path / "answers.json").read_text() == text
    assert grading.grade_answer("what", KEY) == 0.0


def test_a_graded_question_shows_that_it_is_one_and_nothing_of_its_key(question):
    quiz = Quiz(question)
    assert repr(quiz).startswith("Graded quiz: What?")
    assert "Graded quiz." in quiz.as_html()
    assert QuizFrontEnd(quiz).question["graded"] is True


@pytest.mark.parametrize(
    ("given", "points", "why"),
    [("b", 2.0, "b: Yes."), ("a", 0.0, "b: Yes."), (None, 0.0, "b: Yes."), ("zzz", 0.0, "There is no option z")],
)
def test_the_grade_is_made_from_the_file_and_says_why(question, given, points, why, capsys):
    if given:
        answers.keep("what", given)
    assert grading.grade_answer("what", KEY) == points
    said = capsys.readouterr().out
    assert f"{points:g} of 2 points" in said
    assert why in said


def test_a_number_is_right_within_the_tolerance(question, monkeypatch):
    number = Question("number", "test", "numeric", "How many?", graded=True)
    key = {"answer": 0.25, "tolerance": 0.01, "points": 1, "why": "A quarter."}
    monkeypatch.setattr(grading, "find", lambda id: number)
    for given, points in (("1/4", 1.0), ("0.26", 1.0), ("0.27", 0.0)):
        answers.keep("number", number.read(given))
        assert grading.grade_answer("number", key) == points


@pytest.mark.parametrize(
    ("change", "said"),
    [("right: true", "unknown key 'right'"), ("why: because", "unknown key 'why'"), ("", None)],
)
def test_a_graded_question_with_its_key_in_it_is_refused(tmp_path, change, said):
    file = tmp_path / "99_test.yaml"
    file.write_text(
        "- id: what\n  kind: single\n  graded: true\n  question: What?\n  options:\n"
        f"    - key: a\n      text: This\n      {change}\n    - key: b\n      text: That\n"
    )
    assert (said in str(problems([file]))) if said else problems([file]) == []


# ---- answers given before the lessons were renumbered ----


@pytest.fixture
def renumbered(question, tmp_path, monkeypatch):
    """The folder of lesson 04, and beside it the one it had as lesson 03, with answers."""
    new, old = (tmp_path / "course" / lesson for lesson in ("04_convolution", "03_convolution"))
    new.mkdir(parents=True)
    old.mkdir()
    answers.keep("what", "a", old)
    answers.keep("other", "3/8", old)
    monkeypatch.chdir(new)
    return new


def test_an_old_answer_is_shown_as_kept_and_so_is_handed_in_with_the_new_notebook(question, renumbered):
    assert [kept.given for kept in Quiz(question).tried()] == ["a"]
    assert answers.read() == {"what": "a", "other": "3/8"}
    assert answers.read(renumbered.with_name("03_convolution")) == answers.read()


def test_a_new_answer_goes_to_the_new_folder_and_counts(question, renumbered):
    Quiz(question).answer("b")
    assert answers.read() == {"what": "b", "other": "3/8"}
    assert answers.read_on() == answers.read()
    assert answers.read(renumbered.with_name("03_convolution"))["what"] == "a"


def test_a_grader_reads_what_was_handed_in_and_no_old_folder_beside_it(question, renumbered):
    (renumbered.parents[1] / "nbgrader_config.py").touch()
    assert answers.read(renumbered) == {}
    assert Quiz(question).tried() == []
    assert list(renumbered.iterdir()) == []


def test_an_old_file_that_cannot_be_read_is_named(question, renumbered):
    (renumbered.with_name("03_convolution") / "answers.json").write_text("{")
    with pytest.raises(answers.AnswersError, match=r"^03_convolution/answers.json cannot be read .* Rename it"):
        Quiz(question)
