"""The card below a check: its model, and what a real kernel leaves in a notebook of it."""

import json
import threading

import nbformat
import pytest
from nbclient import NotebookClient

from helpers import check, exercises, frontend, hint
from helpers.checks import card, one_change, render
from helpers.checks.verdict import Verdict


@pytest.fixture(autouse=True)
def fresh_session(monkeypatch):
    monkeypatch.setattr(exercises.load("dice"), "attempt", exercises.Attempt())
    monkeypatch.setattr(card, "_open", {})


def verdict(status="wrong", **more):
    return Verdict("dice", status, "Look at `what` you *divide* by.", 3 * (status == "passed"), 3, **more)


def checked(status="wrong"):
    """The card of an answer with that verdict."""
    exercises.load("dice").attempt.note(checked, verdict(status))
    return card.card(verdict(status))


def labels(shown):
    return {button["what"]: button["label"] for button in shown.buttons()}


# ---- what it offers and says ----


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("wrong", ["hint", "where", "solution", "word", "next"]),
        ("error", ["hint", "where", "solution", "word", "next"]),
        ("not attempted", ["hint", "solution", "word", "next"]),
        ("passed", ["next", "solution", "word"]),
    ],
)
def test_each_verdict_offers_what_helps_with_it(status, offered):
    assert list(labels(checked(status))) == offered


def test_before_anything_is_asked_it_is_the_verdict_and_no_more():
    shown = checked()
    assert repr(shown) == render.as_text(shown.verdict)
    assert shown.as_html() == render.as_html(shown.verdict)


def test_what_was_asked_for_stands_below_the_verdict_in_text_and_page():
    shown = checked()
    for what in ("hint", "word", "hint", "solution", "next", "no such button"):
        shown.ask(what)
    assert list(shown.said) == ["hint 1", "word", "hint 2", "solution", "next"]
    for fact in ("Count three things", "Hint 2 of 3: For boolean masks", "Dice coefficient", "Next is", "more wrong"):
        assert fact in repr(shown)
        assert fact in shown.as_html()
    assert "For boolean masks <code>&amp;</code> keeps" in shown.as_html()


def test_hints_go_on_in_the_next_card_and_end_with_the_last():
    checked().ask("hint")
    shown = checked()
    assert labels(shown)["hint"] == "Hint 2 of 3"
    shown.ask("hint")
    hint("dice")  # a call counts as well
    assert list(shown.said) == ["hint 2"]
    last = {"what": "hint", "label": "Hint 3 of 3", "more": True}
    assert shown.buttons()[0] == last  # it does not stand here yet
    shown.ask("hint")
    assert list(shown.said) == ["hint 2", "hint 3"]
    assert shown.buttons()[0] == {**last, "more": False}
    assert checked().buttons()[0] == last


def test_the_solution_is_code_once_it_is_open():
    shown = checked("passed")
    shown.ask("solution")
    assert "def dice(" in repr(shown)
    assert "<pre" in shown.as_html()


def test_next_is_the_first_exercise_after_it_that_does_not_pass(tmp_path, monkeypatch):
    folder = tmp_path / "02_overlap"
    folder.mkdir()
    later = [name for name in exercises.names() if exercises.load(name).lesson == folder.name]
    later = later[later.index("dice") + 1 :]
    shown = checked("passed")
    shown.ask("next")
    assert f"Next is {later[0]}, in this lesson: {exercises.load(later[0]).points} points" in repr(shown)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(frontend, "is_interactive", lambda: True)
    (tmp_path / "progress").mkdir()
    kept = tmp_path / "progress" / "02_overlap.json"
    kept.write_text(json.dumps({"checks": dict.fromkeys(later, "passed") | {"iou": "wrong"}}))
    shown.ask("next")
    assert "Next is gradient_step, in the lesson 03 · Modules" in repr(shown)
    everything = ", ".join(f'"{name}": "passed"' for name in exercises.names() if name != "iou")
    kept.write_text(f'{{"checks": {{{everything}}}}}')
    shown.ask("next")
    assert "Next is iou, in this lesson" in repr(shown)
    kept.write_text(kept.read_text().replace("}}", ', "iou": "passed"}}'))
    shown.ask("next")
    assert "Every other exercise passes." in repr(shown)
    (tmp_path / "00_start_here").mkdir()
    monkeypatch.chdir(tmp_path / "00_start_here")  # where it is practice
    kept.unlink()
    shown.ask("next")
    assert "Next is to_tensor, in the lesson 01 · Pixels" in repr(shown)


@pytest.mark.parametrize("name", exercises.names())
def test_every_exercise_has_its_word_in_the_glossary(name):
    """Where this fails, the exercise's `concept` is no name of an entry in helpers/glossary.yaml."""
    shown = card.card(Verdict(name, "wrong", "No.", 0, 3))
    assert labels(shown)["word"].startswith("Glossary: ")
    shown.ask("word")
    assert "Lesson " in repr(shown.said["word"])


# ---- where ----


class Found:
    """Stands in for `one_change.Located`."""

    def said(self, level):
        return f"Level {level}."


class Search:
    """Stands in for `one_change.Search`: it waits until it is told to go on."""

    tried = 12

    def __init__(self, name, answer):
        self.go_on, self.stopped = threading.Event(), threading.Event()

    def wait(self, seconds=None):
        return Found() if self.go_on.wait(seconds) else None

    def stop(self):
        self.stopped.set()
        self.go_on.set()


@pytest.fixture
def searches(monkeypatch):
    made = []
    monkeypatch.setattr(one_change, "search", lambda *asked: made.append(Search(*asked)) or made[-1])
    return made


def wait_until(is_so):
    for _ in range(500):
        if is_so():
            return
        threading.Event().wait(0.01)
    pytest.fail("it never became so")


def test_a_look_goes_on_beside_the_kernel_and_then_says_one_level_at_a_time(searches):
    shown = checked()
    shown.ask("where")
    wait_until(lambda: "12 tried" in shown.looking)
    assert labels(shown)["where"] == "Stop looking"
    shown.ask("where")  # once is enough
    searches[0].go_on.set()
    wait_until(lambda: shown.said)
    assert (repr(shown.said["where 1"]), shown.looking) == ("Level 1.", "")
    said = []
    for _ in range(3):
        said.append(labels(shown)["where"])
        shown.ask("where")
    assert said == ["Where in the line?", "What kind of change?", "What kind of change?"]
    assert list(shown.said) == ["where 1", "where 2", "where 3"]
    assert len(searches) == 1


@pytest.mark.parametrize("end", ["stop", "close", "another check"])
def test_a_look_ends_at_once_and_says_nothing(searches, end):
    shown = checked()
    shown.ask("where")
    wait_until(lambda: shown.looking)
    if end == "stop":
        shown.ask("stop")
    elif end == "close":
        shown.close()
    else:
        checked()
    wait_until(lambda: not shown.looking)
    assert searches[0].stopped.is_set()
    assert shown.said == {}
    assert exercises.load("dice").attempt.place is None


def test_a_look_that_was_stopped_can_begin_again(searches):
    shown = checked()
    for _ in range(2):
        shown.ask("where")
        wait_until(lambda: shown.looking)
        shown.ask("stop")
        wait_until(lambda: not shown.looking)
    assert len(searches) == 2


# ---- in a real kernel ----

PERSON = """
from IPython import get_ipython
request = get_ipython().get_parent()
request["content"]["allow_stdin"] = True
request["metadata"] = {"deletedCells": [], "cellId": "x"}
"""
WRONG = """
from helpers import check, hint
from helpers.checks import card
def dice(pred, target):
    return 0.25
"""
CELLS = {
    "nobody": WRONG + "check(dice)",
    "person": PERSON + WRONG + "check(dice)",
    "asked": "card.opened('dice').ask('hint')",
    "again": PERSON + "first = card.opened('dice')\ncheck(dice)\nprint(first.front_end().comm is not None)",
    "closed": "import ipywidgets\nipywidgets.Widget.close_all()\ncard.opened('dice').ask('hint')",
}


@pytest.fixture(scope="module")
def outputs():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS.values()])
    NotebookClient(notebook, timeout=120).execute()
    return dict(zip(CELLS, [cell.outputs for cell in notebook.cells], strict=True))


def test_where_nobody_is_there_the_points_are_the_result(outputs):
    display, result = outputs["nobody"]
    assert set(display.data) == {"text/plain", "text/html"}
    assert display.data["text/plain"].startswith("✗ dice: wrong, 0 of 3 points")
    assert (result.output_type, float(result.data["text/plain"]), result.data["text/html"]) == ("execute_result", 0, "")


def test_a_person_gets_one_card_and_no_prompt_below_it(outputs):
    [output] = outputs["person"]
    assert output.output_type == "display_data"
    assert output.data["text/html"].startswith('<div class="unet-fallback-')


def test_what_was_asked_for_is_in_the_notebook(outputs):
    assert outputs["asked"] == []
    [output] = outputs["person"]
    assert "Hint 1 of 3" in output.data["text/html"]
    assert "Hint 1 of 3" in output.data["text/plain"]


def test_a_new_card_replaces_the_one_before_and_a_closed_one_does_no_harm(outputs):
    assert outputs["again"][0].output_type == "display_data"
    assert outputs["closed"] == []


def test_check_shows_the_card(shown):
    check("dice", lambda pred, target: 0.5)
    assert shown == [card.opened("dice")._repr_mimebundle_()]
