"""The measure, its table in the README, and the page of messages."""

import inspect
import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from autograde import accuracy, messages
from autograde.cli import app
from autograde.combinations import Combined
from autograde.nbgrader_course import ROOT
from helpers import exercises
from helpers.checks import examine
from helpers.checks.verdict import Verdict
from helpers.exercises import Answer
from helpers.reference.overlap import dice
from helpers.reference.unet import DoubleConv


def course(*arguments):
    return CliRunner().invoke(app, list(arguments))


def in_a_process(*arguments):
    """What a command writes on standard output."""
    command = [sys.executable, "-m", "autograde.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True).stdout


# ---- the measure ----


def test_json_is_one_list_and_nothing_else():
    (row,) = json.loads(in_a_process("accuracy", "--json", "--exercise", "dice", "--seeds", "1", "--jobs", "1"))
    exercise = exercises.load("dice")
    assert list(row) == list(accuracy.Row.__dataclass_fields__)
    assert row["exercise"] == "dice"
    assert (row["wrong"], row["caught"], row["named"]) == (len(exercise.misconceptions),) * 3
    assert (row["variants"], row["accepted"]) == (len(exercise.variants),) * 2
    assert row["mechanical"] > 50
    assert 0.9 * row["mechanical"] < row["mechanical_caught"] <= row["mechanical"]
    assert 0 < row["seconds"] < 10
    assert row["cost"] > 0


def test_the_table_has_a_row_for_each_and_a_total(monkeypatch):
    monkeypatch.setattr(accuracy, "_mutants", lambda name: [])
    result = course("accuracy", "--exercise", "iou", "--exercise", "dice", "--seeds", "1", "--jobs", "1", "--missed")
    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if re.match(r"\s*(iou|dice|all 2)\s", line)]
    assert len(rows) == 3
    wrong = sum(len(exercises.load(name).misconceptions) for name in ("iou", "dice"))
    assert f"{wrong}/{wrong}" in rows[2]
    assert "Nothing was missed." in result.stderr


def test_an_unknown_exercise_is_one_clear_error():
    result = course("accuracy", "--json", "--exercise", "nothing")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("There is no exercise called 'nothing'.") == 1
    assert "Traceback" not in result.stderr


def test_what_goes_wrong_is_counted(monkeypatch):
    """An exercise with a misconception that is right, and one that is another's."""
    monkeypatch.setattr(accuracy, "_mutants", lambda name: [])
    exercise = exercises.load("dice")
    again = Answer("the same mistake again", exercise.misconceptions[0].solution, "s")
    more = [*exercise.misconceptions, Answer("no mistake", dice, "s"), again]
    monkeypatch.setattr(exercise, "misconceptions", more)
    accuracy.engine.forget()
    try:
        outcome = accuracy.observe("dice", 0)
    finally:
        accuracy.engine.forget()
    row = accuracy.row("dice", outcome)
    assert outcome.missed == {"no mistake"}
    assert outcome.unnamed == {"no mistake", "the same mistake again"}
    assert (row.wrong - row.caught, row.wrong - row.named) == (1, 2)
    assert "dice: not caught: no mistake" in accuracy.missed_text({"dice": outcome})


def test_other_styles_pairs_and_false_names_are_counted(monkeypatch):
    """Of two misconceptions one is said of everything, and no pair is caught."""
    monkeypatch.setattr(accuracy, "_mutants", lambda name: [])
    exercise = exercises.load("DoubleConv")
    first = exercise.misconceptions[0].name
    monkeypatch.setattr(exercise, "variants", [])
    monkeypatch.setattr(exercise, "misconceptions", exercise.misconceptions[:2])

    def examine(name, solution, seed):
        missed = solution.__name__ == "Two" and seed == 0
        return Verdict(name, "passed" if missed else "wrong", "m", 0, 5, None if missed else first, None, 0)

    class Two(DoubleConv):
        def forward(self, x):
            return self.layers[0](x)

    monkeypatch.setattr(accuracy, "pair", lambda exercise, seed: Combined(("a", "b"), "", Two))
    monkeypatch.setattr(accuracy.engine, "examine", examine)
    row = accuracy.row("DoubleConv", accuracy.observe("DoubleConv", 0))
    assert (row.wrong, row.named, row.styled, row.styled_named, row.false_names) == (2, 1, 2, 1, 2)
    assert (row.pairs, row.pairs_caught, row.pairs_named) == (1, 0, 0)


@pytest.mark.parametrize(
    ("name", "one", "other", "third"),
    [
        ("conv2d", "stride in one direction only", "stride along the columns only", "stride ignored"),
        # with a second one, "empty masks raise an error"
        (
            "dice",
            "loss instead of score, but 1.0 for empty masks",
            "empty masks raise an error",
            "loss instead of score",
        ),
    ],
)
def test_two_mistakes_that_are_a_third_are_rightly_called_so(name, one, other, third):
    exercise = exercises.load(name)
    by_name = {answer.name: answer for answer in exercise.misconceptions}
    both = exercises.changed(exercise.reference, by_name[one].changes + by_name[other].changes)
    assert examine(name, both, 0).diagnosis == third
    assert accuracy._is_true_of(exercise, both, third, 0)
    false = next(answer.name for answer in exercise.misconceptions if answer.name not in (one, other, third))
    assert not accuracy._is_true_of(exercise, both, false, 0)
    assert not accuracy._is_true_of(exercise, both, None, 0)


def test_an_answer_counts_only_if_every_seed_agrees(monkeypatch):
    seen = {
        0: accuracy.Outcome({"a"}, {"a"}, set(), {("reference", "m")}, seconds=[1.0]),
        1: accuracy.Outcome({"b"}, set(), {"as F1 score"}, set(), seconds=[3.0]),
    }
    monkeypatch.setattr(accuracy, "observe", lambda name, seed: seen[seed])
    told = []
    outcome = accuracy.measure(["dice"], 2, jobs=1, progress=lambda *done: told.append(done))["dice"]
    row = accuracy.row("dice", outcome)
    assert (row.wrong - row.caught, row.wrong - row.named, row.variants - row.accepted) == (2, 1, 1)
    assert row.mechanical - row.mechanical_caught == 1
    assert row.seconds == 2.0
    assert told == [(1, 2), (2, 2)]
    assert "mutant: m" in accuracy.missed_text({"dice": outcome})


def test_several_processes_count_as_one_does(monkeypatch):
    def shown(outcomes):
        return {name: (o.missed, o.unnamed, o.refused, o.survivors) for name, o in outcomes.items()}

    assert shown(accuracy.measure(["iou"], 2, jobs=2)) == shown(accuracy.measure(["iou"], 2, jobs=1))


def test_a_mutant_is_caught_exactly_if_its_verdict_is_no_pass():
    exercise = exercises.load("iou")
    survivors = accuracy.observe("iou", 0).survivors
    for mutant in accuracy._mutants("iou"):
        passed = examine("iou", accuracy.solution(exercise, mutant), 0).status == "passed"
        assert passed == ((mutant.answer, mutant.name) in survivors)


# ---- what is published ----


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A course of two exercises without mutants, measured and published."""
    monkeypatch.setattr(exercises, "names", lambda: ["iou", "dice"])
    monkeypatch.setattr(accuracy, "_mutants", lambda name: [])
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- accuracy -->\nold\n<!-- /accuracy -->\nafter\n")
    paths = {"stored": tmp_path / "accuracy.json", "readme": readme}
    accuracy.store(rows("dice", "iou"), seeds=20, **paths)
    return paths


def rows(*names):
    counts = dict.fromkeys(accuracy.Row.__dataclass_fields__, 0)
    made = []
    for name in names:
        exercise = exercises.load(name)
        wrong = dict.fromkeys(("wrong", "caught", "named"), len(exercise.misconceptions))
        right = dict.fromkeys(("variants", "accepted"), len(exercise.variants))
        made.append(accuracy.Row(**{**counts, **wrong, **right, "exercise": name, "seconds": 0.1, "cost": 40}))
    return made


def test_what_was_just_stored_is_not_stale(published):
    text = published["readme"].read_text()
    assert accuracy.stale(**published) == []
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    iou, dice = (len(exercises.load(name).misconceptions) for name in ("iou", "dice"))
    assert text.index(f"| `iou` | {iou} of {iou} |") < text.index(f"| `dice` | {dice} of {dice} |")  # in course order
    assert f"**{iou + dice} of {iou + dice} (100.0 %)**" in text
    assert "Over 20 seeds" in text


def test_one_exercise_can_be_measured_again_beside_the_others(published):
    accuracy.store(rows("dice"), seeds=3, **published)
    result = accuracy.read(published["stored"])
    assert [(e["exercise"], e["seeds"]) for e in result["exercises"]] == [("iou", 20), ("dice", 3)]
    assert accuracy.stale(**published) == []


def test_a_changed_table_and_a_wrong_answer_less_are_stale(published, monkeypatch):
    text, exercise = published["readme"].read_text(), exercises.load("dice")
    n = len(exercise.misconceptions)
    published["readme"].write_text(text.replace(f"{n} of {n}", "1 of 1", 1))
    monkeypatch.setattr(exercise, "misconceptions", exercise.misconceptions[1:])
    answer, table = accuracy.stale(**published)
    assert answer.startswith("dice has other wrong answers, variants or mutants now: ")
    assert table == "the README's table is not that of the stored result"


def test_a_changed_source_is_stale(published):
    stored = json.loads(published["stored"].read_text())
    stored["exercises"][0]["source"] = "other"
    published["stored"].write_text(json.dumps(stored))
    (said,) = accuracy.stale(**published)
    run = "python course.py accuracy --seeds 20 --write --missed --exercise iou"
    assert said == f"iou has changed since it was measured: {run} (some 40 s of one core)"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("minutes=5,", "minutes=12,", True),
        ("Count three things", "Count four things", True),
        ("Two empty masks score 1.0.", "Two empty masks score 1.", True),
        ("You divided by the union. That", "You divide by the union. That", True),
        ("import numpy as np", "import numpy", True),
        ("# a 0-d tensor is a number too", "# a number", True),
        ('"IoU instead of Dice"', '"IoU, not Dice"', False),
        ("#...   ...#", "##..   ...#", False),
        ("return 2 * overlap", "return 2.0 * overlap", False),
    ],
)
def test_an_exercise_is_measured_again_for_its_code_not_for_its_card(monkeypatch, old, new, same):
    before, getsource = accuracy.fingerprint("dice"), inspect.getsource
    replaced = []

    def changed(thing):
        text = getsource(thing)
        replaced.append(old in text)
        return text.replace(old, new)

    monkeypatch.setattr(inspect, "getsource", changed)
    assert (accuracy.fingerprint("dice") == before) == same
    assert any(replaced)


@pytest.mark.parametrize(
    ("old", "new", "same"), [("There is one", "You have one", True), ("layers[:-1]", "layers[:-2]", False)]
)
def test_the_sentence_of_an_edit_is_not_in_it(monkeypatch, old, new, same):
    before, getsource = accuracy.fingerprint("DoubleConv"), inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda thing: getsource(thing).replace(old, new))
    assert (accuracy.fingerprint("DoubleConv") == before) == same


def test_a_new_exercise_is_stale(published, monkeypatch):
    monkeypatch.setattr(exercises, "names", lambda: ["iou", "DoubleConv"])
    gone, new = accuracy.stale(**published)
    assert gone == "dice is no exercise any more"
    assert (
        new == "DoubleConv is not measured: python course.py accuracy --seeds 20 --write --missed --exercise DoubleConv"
    )


def test_a_readme_without_marks_is_refused_before_anything_is_written(published):
    published["readme"].write_text("no marks")
    before = published["stored"].read_bytes()
    with pytest.raises(ValueError, match="The README has no lines"):
        accuracy.store(rows("dice"), seeds=1, **published)
    assert published["stored"].read_bytes() == before


def test_no_exercise_has_changed_since_it_was_measured(monkeypatch):
    monkeypatch.setattr(accuracy, "_mutants", lambda name: [])
    entries = {entry["exercise"]: entry | {"mechanical": 0} for entry in accuracy.read()["exercises"]}
    assert not list(filter(None, [accuracy.outdated(name, entries.get(name)) for name in exercises.names()]))


@pytest.mark.parametrize("name", exercises.names())
def test_what_is_published_of_an_exercise_is_not_stale(name):
    entries = {entry["exercise"]: entry for entry in accuracy.read()["exercises"]}
    assert accuracy.outdated(name, entries.get(name)) == ""  # otherwise it says what to run


def test_the_published_table_is_that_of_the_stored_result(monkeypatch):
    monkeypatch.setattr(accuracy, "outdated", lambda name, entry: "")
    assert accuracy.stale() == []


# ---- the page of messages ----


def test_the_page_of_messages_has_every_name_and_sentence_in_course_order():
    result = course("messages")
    assert result.exit_code == 0
    words = " ".join(result.stdout.split())
    position = 0
    for name in exercises.names():
        for answer in exercises.load(name).misconceptions:
            for part in (answer.name, answer.sentence):
                position = words.index(" ".join(part.split()), position)
    assert "layers that are not registered" in words[position:]


def test_the_page_of_messages_is_plain_text_when_it_is_piped():
    printed = in_a_process("messages")
    assert "\x1b" not in printed
    assert all(line == line.rstrip() for line in printed.splitlines())
    assert max(map(len, printed.splitlines())) <= 100


def test_sentences_are_wrapped_to_the_width():
    lines = list(messages.page(60))
    assert {kind for kind, _ in lines} == {"exercise", "name", "sentence", ""}
    sentences = [line for kind, line in lines if kind == "sentence"]
    assert max(map(len, sentences)) <= 60
    assert all(line.startswith("    ") for line in sentences)
