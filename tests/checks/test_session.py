"""What a student calls in a notebook: `check`, `grade`, `use`, `hint`, `where`, `solution`."""

import html
import re

import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from torch import nn

from helpers import check, exercises, frontend, hint, solution, use, where
from helpers.checks import engine, grade, one_change, session
from helpers.reference import overlap
from helpers.reference.unet import DoubleConv


@pytest.fixture(autouse=True)
def fresh_session(monkeypatch):
    monkeypatch.setattr(exercises.load("dice"), "attempt", exercises.Attempt())


def dice(pred, target):
    total = int(pred.sum() + target.sum())
    return 2 * int((pred & target).sum()) / total if total else 1.0


def wrong(pred, target):
    return 0.0


def stub(pred, target):
    raise NotImplementedError()


stub.__name__ = wrong.__name__ = "dice"

# ---- check ----


@pytest.mark.parametrize(
    ("answer", "points", "said"),
    [(dice, 3, "✓ dice: passed, 3 of 3"), (wrong, 0, "✗ dice: wrong, 0 of 3"), (stub, 0, "○ dice: not attempted")],
)
def test_an_answer_gets_its_points_and_is_shown(shown, answer, points, said):
    assert check(answer) == points
    assert said in shown[0]["text/plain"]
    assert said[2:].split(",")[0] in shown[0]["text/html"]


def test_the_points_are_text_for_nbgrader_and_nothing_on_the_page(shown):
    """nbgrader takes a cell's partial credit from `text/plain`; the verdict above has said it to the student."""
    data, _ = DisplayFormatter().format(check(dice))
    assert float(data["text/plain"]) == 3
    assert data["text/html"] == ""


def test_where_a_person_runs_it_the_points_leave_no_output(shown, monkeypatch):
    points = check(dice)
    monkeypatch.setattr(frontend, "is_interactive", lambda: True)
    assert DisplayFormatter().format(points) == ({}, {})


def test_the_name_may_come_first(shown):
    assert check("dice", lambda pred, target: dice(pred, target)) == 3


def test_text_and_page_say_the_same(shown):
    check("dice", lambda pred, target: overlap.iou(pred, target))
    text, page = shown[0]["text/plain"], shown[0]["text/html"]
    for fact in ("IoU instead of Dice", "Expected", "0.57143", "0.4"):
        assert fact.lower() in text.lower()
        assert fact.lower() in page.lower()
    assert '<img alt="The probe as pictures: pred, 2×3; target, 2×3' in page


def test_a_result_with_a_shape_is_shown_beside_the_expected_one(shown):
    check("DoubleConv", lambda *args, **kwargs: nn.Sequential(DoubleConv(*args, **kwargs), nn.Identity(), nn.Tanh()))
    assert "yours" in shown[0]["text/html"]
    assert "difference" in shown[0]["text/html"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        *((call, "check(dice)") for call in [(), (dice, dice), ("dice",), (3,), ("dice", dice, dice)]),
        ((lambda pred, target: 0.0,), 'check("dice", lambda …)'),
        ((DoubleConv(1, 2),), "an object that DoubleConv made. Check the class: check(DoubleConv)"),
        (("dise", dice), "no exercise called 'dise'. Do you mean dice"),
        (("segment", dice), "The exercises are: "),
    ],
)
def test_what_is_no_answer_is_one_sentence_and_no_traceback(capsys, call, said):
    assert check(*call) == 0
    assert said in capsys.readouterr().out


def test_another_exercise_under_this_name_is_no_try(shown):
    check(dice)
    check("dice", overlap.iou)
    assert "This is iou, and no answer to dice: nothing was checked. Do you mean check(iou)?" in shown[-1]["text/plain"]
    assert exercises.load("dice").attempt.verdict.status == "passed"


def test_an_answer_that_is_right_for_one_seed_only_does_not_pass(shown):
    first = {probe.args[0].numel() for probe in engine._probes("dice", session.SEEDS[0])}

    def lucky(pred, target):
        return dice(pred, target) if pred.numel() in first else 0.5

    assert engine.examine("dice", lucky, session.SEEDS[0]).status == "passed"
    assert check("dice", lucky) == 0


# ---- grade ----


def test_grade_draws_fresh_probes_and_shows_only_what_fails(shown):
    assert grade("dice", dice) == 3
    assert shown == []
    assert grade("dice", wrong) == 0
    assert len(shown) == 1


def test_an_answer_that_knows_only_the_visible_probes_gets_no_points(shown):
    probes = [probe for seed in session.SEEDS for probe in engine._probes("dice", seed)]
    table = [(*probe.args, dice(*probe.args)) for probe in probes]

    def learned_by_heart(pred, target):
        for p, t, value in table:
            if p.shape == pred.shape and torch.equal(p, pred) and torch.equal(t, target):
                return value
        return 0.5

    assert check("dice", learned_by_heart) == 3
    assert grade("dice", learned_by_heart) == 0


# ---- use ----


def test_use_takes_the_students_own_when_it_passes(capsys):
    assert use(dice) is dice
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("answer", "state"), [(stub, "is not written yet"), (wrong, "does not pass its check yet")])
def test_use_takes_the_reference_otherwise_and_says_so(capsys, answer, state):
    assert use(answer) is overlap.dice
    assert f"Your dice {state}" in capsys.readouterr().out


def test_use_says_so_once_in_a_cell_however_often_a_loop_asks(capsys, monkeypatch):
    for cell in ("first", "first", "second"):
        monkeypatch.setattr(frontend, "cell", lambda cell=cell: cell)
        use(stub)
    assert capsys.readouterr().out.count("this cell uses the course's own") == 2


def test_use_checks_an_answer_anew_after_it_was_rewritten(shown):
    check(dice)
    assert use(wrong) is overlap.dice


# ---- hint, solution ----


def test_hints_come_one_by_one_and_the_last_stays(capsys):
    for _ in range(4):
        hint("dice")
    said = capsys.readouterr().out
    assert re.findall(r"^Hint . of 3", said, flags=re.MULTILINE) == [f"Hint {k} of 3" for k in (1, 2, 3, 3)]
    hint("dice", 1)
    assert said.startswith(capsys.readouterr().out)


def test_a_hint_is_a_page_in_a_notebook(shown):
    hint("dice", 2)
    assert "Hint 2 of 3: For boolean masks & keeps what is in both" in shown[0]["text/plain"]
    assert "Hint 2 of 3: For boolean masks <code>&amp;</code> keeps" in shown[0]["text/html"]


def test_a_hint_that_does_not_exist_is_one_sentence(capsys):
    hint("dice", 9)
    assert "hints 1 to 3; there is no hint 9" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["disc", None, 3], ids=repr)
@pytest.mark.parametrize("call", [hint, where, solution])
def test_help_for_what_is_no_exercise_says_so_and_no_traceback(shown, call, what):
    call(what)
    [said] = shown
    assert re.search("no exercise|Call `?check|has no name", said["text/plain"]), said


@pytest.mark.parametrize("tries", [[wrong] * 3, [dice]], ids=["three wrong tries", "a pass"])
def test_the_solution_opens_after(capsys, shown, tries):
    check(stub)  # is no try
    solution("dice")
    assert "after 3 more wrong tries" in shown[-1]["text/plain"]
    for answer in tries:
        check(answer)
    solution("dice")
    assert shown[-1]["text/plain"].startswith("def dice(")
    page = shown[-1]["text/html"]
    assert html.unescape(re.sub(r"<[^>]+>", "", page)) == shown[-1]["text/plain"]
    assert re.search(r'<span style="color:[^"]*keyword[^"]*">return</span>', page)


def test_before_the_last_try_the_solution_says_one_more(shown):
    for _ in range(2):
        check(wrong)
    solution("dice")
    assert shown[-1]["text/plain"] == "The solution of dice opens when yours passes, or after one more wrong try."


# ---- where ----


class Found:
    """Stands in for `one_change.Located`."""

    def said(self, level):
        return f"Level {level}: `line 2`."


class Search:
    """Stands in for `one_change.Search`: done after some waits."""

    found, waits = Found(), 2

    def __init__(self, name, answer):
        self.name, self.answer, self.tried, self.stopped = name, answer, 0, False

    def wait(self, seconds=None):
        self.tried += 1
        return self.found if self.tried > self.waits else None

    def stop(self):
        self.stopped = True


@pytest.fixture
def searches(monkeypatch):
    """The searches that were made."""
    made = []
    monkeypatch.setattr(one_change, "search", lambda *asked: made.append(Search(*asked)) or made[-1])
    return made


def said(shown):
    return [bundle["text/plain"] for bundle in shown[1:]]


def test_where_says_the_line_then_the_place_then_the_kind_and_looks_once(shown, searches):
    check(wrong)
    for _ in range(4):
        where("dice")
    assert said(shown) == [f"Level {level}: line 2." for level in (1, 2, 3, 3)]
    assert [(s.name, s.answer, s.stopped) for s in searches] == [("dice", wrong, True)]


def test_where_says_how_far_it_is_in_one_output(shown, searches, monkeypatch):
    check(wrong)
    monkeypatch.setattr(frontend, "is_interactive", lambda: True)
    where("dice")
    looking = [f"Looking for one change that makes it pass: {k} tried." for k in (1, 2)]
    assert said(shown) == [*looking, "Level 1: line 2."]
    assert shown.outputs == 2


def test_where_is_looked_for_anew_in_another_answer(shown, searches):
    check(wrong)
    where("dice")
    check("dice", lambda pred, target: 0.5)
    where("dice")
    assert said(shown)[-1] == "Level 1: line 2."
    assert len(searches) == 2


def test_an_answer_that_was_patched_since_is_another_one(shown, searches):
    result = [0.0]

    def patched(pred, target):
        return result[0]

    for result[0] in (0.0, torch.zeros(2, 2)):
        check("dice", patched)
        where("dice")
    assert len(searches) == 2


def test_why_nothing_was_found_is_said_again_without_a_search(shown, searches, monkeypatch):
    monkeypatch.setattr(Search, "found", "No *single* change does it.")
    check(wrong)
    where("dice")
    where("dice")
    assert said(shown) == ["No single change does it."] * 2
    assert len(searches) == 1


@pytest.mark.parametrize("why_not", one_change.AGAIN)
def test_what_may_be_found_all_the_same_is_looked_for_again(shown, searches, monkeypatch, why_not):
    monkeypatch.setattr(Search, "found", why_not)
    check(wrong)
    where("dice")
    where("dice")
    assert [" ".join(text.split()) for text in said(shown)] == [why_not] * 2
    assert len(searches) == 2


@pytest.mark.parametrize(
    ("answer", "why"),
    [(None, "Check your answer first, check(dice)"), (dice, "Your dice passed"), (stub, "is not written yet")],
)
def test_where_there_is_nothing_to_look_for_it_says_so(shown, searches, answer, why):
    if answer:
        check(answer)
    where("dice")
    assert why in shown[-1]["text/plain"]
    assert searches == []


def test_an_interrupt_ends_the_search_with_a_sentence(shown, searches, monkeypatch):
    def interrupted(self, seconds=None):
        raise KeyboardInterrupt

    check(wrong)
    monkeypatch.setattr(Search, "wait", interrupted)
    where("dice")
    assert said(shown) == ["Stopped. Nothing was found so far."]
    assert searches[0].stopped


@pytest.mark.parametrize("call", [hint, where, solution])
def test_help_is_asked_for_by_name_or_by_what_was_written(shown, searches, call):
    check(wrong)
    call("dice")
    call(wrong)  # it is called `dice`
    by_name, by_object = shown[1:]
    assert by_name["text/plain"].split()[0] == by_object["text/plain"].split()[0]
