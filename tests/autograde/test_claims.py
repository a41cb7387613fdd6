"""What the lessons conclude, and that it is asked for in a way that can fail."""

import datetime
from pathlib import Path

import jupytext
import pytest
import yaml
from typer.testing import CliRunner

from autograde import claims
from autograde.build import master
from autograde.build_cache import LESSONS, lesson_names
from autograde.cli import app

# What each lesson concludes from its outputs, listed by two readers who knew neither the claims nor the other's list.
CONCLUSIONS = sorted(Path(__file__).with_name("conclusions").glob("*.yaml"))
WITH_CLAIMS = [name for name in lesson_names() if claims.claims_of(name)]
TODAY = datetime.date.today().toordinal()

LESSON = """
# %% [markdown]
# # 02 · A lesson
#
# The first number is small. Your answer is called so.

# %%
import torch

torch.manual_seed(0)
first = torch.rand(1).item()
second = torch.rand(1, generator=torch.Generator().manual_seed(0)).item()

# %% claim="The first number is small."
claim(lambda a, b: True, first, second, never=(2, 2))

# %% exercise="iou"
def iou(pred, target):
    "the course's"

# %% claim="Your answer is called so."
claim(lambda doc: doc is None, iou.__doc__, never=("x",))
"""


def test_every_claim_quotes_its_lesson():
    assert {name: claims.unquoted(name) for name in WITH_CLAIMS if claims.unquoted(name)} == {}


@pytest.mark.parametrize("path", CONCLUSIONS, ids=lambda path: path.stem)
def test_every_conclusion_has_a_claim_or_a_reason(path):
    cells = jupytext.read(LESSONS / f"{path.stem}.py", fmt="py:percent").cells
    text = " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())
    quotes = {one.quote for one in claims.claims_of(path.stem)}
    for one in yaml.safe_load(path.read_text(encoding="utf-8")):
        assert one["says"] in text, "the lesson says it in other words now, or no longer"
        assert one["by"] in ([1], [2], [1, 2])
        if "claim" in one:
            assert one["claim"] in quotes, one["says"]
        else:
            assert one.get("reason") or one["open"], one["says"]  # what is still to be asked, and how


def test_no_claim_has_changed_since_it_was_run():
    """Where this fails, it says what to run."""
    assert "\n".join(claims.stale()) == ""


@pytest.mark.parametrize("lesson", WITH_CLAIMS)
def test_what_is_kept_of_a_lesson_holds_on_every_seed_and_with_other_right_answers(lesson):
    runs = claims.read()[lesson]["runs"]
    assert list(runs) == list(claims.RUNS)
    for found in runs.values():
        assert list(found) == [one.quote for one in claims.claims_of(lesson)]
        assert list(claims.amiss(found)) == []


@pytest.mark.parametrize("turn", [0, 1])
def test_two_lessons_in_turn_are_asked_now(turn):
    """Another pair, and another way, each day."""
    lesson = WITH_CLAIMS[(2 * TODAY + turn) % len(WITH_CLAIMS)]
    found = claims.run(lesson, list(claims.RUNS)[TODAY % len(claims.RUNS)])
    assert list(found) == [one.quote for one in claims.claims_of(lesson)]
    assert list(claims.amiss(found)) == []


@pytest.mark.parametrize("lesson", WITH_CLAIMS)
def test_no_claim_is_in_a_notebook(lesson):
    sources = [cell.source for cell in master(lesson).cells]
    assert not any(one.source in source for one in claims.claims_of(lesson) for source in sources)


def test_a_claim_is_amiss_where_it_does_not_hold_or_cannot_fail():
    found = claims.Claims()
    found.of("less")(lambda a, b: a < b, 1, 2, arms_swapped=(2, 1))
    found.of("more")(lambda a, b: a > b, 1, 2, arms_swapped=(1, 2))
    found.of("any")(lambda a, b: True, 1, 2, arms_swapped=(2, 1))
    wrong = list(claims.amiss(found.found))
    assert [one.rpartition(": ")[2] for one in wrong] == ["more", "any"]
    assert "arms swapped" in wrong[1]
    with pytest.raises(TypeError, match="of which figures it does not hold"):
        found.of("nothing")(lambda a: True, 1)


def test_a_run_moves_every_seed_and_takes_other_right_answers(tmp_path, monkeypatch):
    (tmp_path / "02_overlap.py").write_text(LESSON)
    monkeypatch.setattr(claims, "LESSONS", tmp_path)
    runs = {which: claims.run("02_overlap", which) for which in ("seed 0", "seed 1", "answers 1")}
    small, called = (one.quote for one in claims.claims_of("02_overlap"))
    assert runs["seed 0"][small]["seen"] == runs["answers 1"][small]["seen"]
    assert all(a != b for a, b in zip(*(runs[f"seed {k}"][small]["seen"] for k in (0, 1)), strict=True))
    assert {which: found[called]["holds"] for which, found in runs.items()} == {
        "seed 0": False,
        "seed 1": False,
        "answers 1": True,
    }


def test_the_command_keeps_what_it_found_and_says_what_is_amiss(tmp_path, monkeypatch):
    (tmp_path / "02_overlap.py").write_text(LESSON)
    monkeypatch.setattr(claims, "LESSONS", tmp_path)
    monkeypatch.setattr(claims, "lesson_names", lambda: ["02_overlap"])
    monkeypatch.setattr(claims, "STORED", tmp_path / "claims.json")
    monkeypatch.setattr(claims, "RUNS", {"seed 0": (0, None)})
    done = CliRunner().invoke(app, ["claims"])
    said = " ".join(done.output.split())
    assert done.exit_code == 1
    assert '02_overlap, seed 0: does not hold of ["the course\'s"]: Your answer is called so.' in said
    assert "holds as well with never, so it says nothing: The first number is small." in said
    assert claims.read()["02_overlap"]["runs"].keys() == {"seed 0"}
    assert claims.stale() == []
    assert "There is no lesson '03'" in CliRunner().invoke(app, ["claims", "03"]).output


def test_a_lesson_that_fails_is_told_by_its_cell(tmp_path, monkeypatch):
    (tmp_path / "02_overlap.py").write_text("# %%\nbroken = 1 / 0\n")
    monkeypatch.setattr(claims, "LESSONS", tmp_path)
    with pytest.raises(RuntimeError, match="ZeroDivisionError.* in the cell 'broken = 1 / 0'"):
        claims.run("02_overlap", "seed 0")


def test_comments_change_no_claim_and_code_does(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "LESSONS", tmp_path)
    seen = []
    for text in (
        LESSON,
        LESSON.replace("# %%\nimport", "# %%\n# a word\nimport"),
        LESSON.replace("rand(1)", "rand(2)"),
    ):
        (tmp_path / "02_overlap.py").write_text(text)
        seen.append(claims.fingerprint("02_overlap"))
    assert seen[0] == seen[1] != seen[2]
