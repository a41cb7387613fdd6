"""What students call says in one sentence what is wrong with a call: without a traceback, and so that Run All stops."""

from __future__ import annotations

import errno
import types

import pytest

import helpers
from helpers import errors, play
from helpers.errors import CallError, called_as
from tests.student import at_work

CALLED = [name for name in helpers.__all__ if not isinstance(getattr(helpers, name, play), types.ModuleType)]


@pytest.mark.parametrize("call", [*(getattr(helpers, name) for name in CALLED), *(vars(play)[n] for n in play.__all__)])
def test_a_call_that_does_not_fit_names_one_that_does(call):
    with pytest.raises(CallError, match=r"\w\(\): .* argument.*\. Call it as in \S"):
        call(nonsense=1)


def test_types_are_looked_at_as_they_are_written():
    @called_as("f('a', 1, b='c')")
    def f(a: str, n: int | None = None, *more: str, b: object = None) -> str:
        return a

    class Whole:
        def __index__(self):
            return 1

    assert f("a") == f("a", None) == f("a", Whole(), "b", b=[]) == "a"
    for call, said in (
        (lambda: f(), "f\\(\\): missing a required argument: 'a'"),
        (lambda: f("a", 1, "b", 2), "more has to be text, and this is 2"),
        (lambda: f([0] * 99), "a has to be text, and this is a list"),
        (lambda: f("a", "b"), "n has to be a whole number, and this is 'b'"),
        (lambda: f(None), "a has to be text, and this is None. Call it as in f\\('a'"),
    ):
        with pytest.raises(TypeError, match=said):
            call()


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.EROFS, "a folder in which you can write"), (errno.ENOSPC, "Free some space"), (errno.EISDIR, "Run this")],
)
def test_what_to_do_depends_on_why_a_file_cannot_be_written(number, said):
    assert said in errors.what_to_do(OSError(number, "x"))


WRONG = {
    'quiz("nope")': "There is no quiz 'nope'.",
    'quiz("dice-or-iou").answer("z")': "There is no option z.",
    'glossary("zzz")': "The glossary has no 'zzz'.",
    "hint()": "hint(): missing a required argument: 'name'. Call it as in hint(\"dice\").",
    'hint("dice", "two")': "hint(): k has to be a whole number",
    "submit(5)": 'submit(): name has to be text, and this is 5. Call it as in submit("ana").',
    "save(7)": "save(): to has to be text or a path, and this is 7.",
    "load(3)": "load(): path has to be text or a path, and this is 3.",
    'load("none.zip")': "There is no file none.zip.",
    'earlier("zzz")': "There is no exercise called 'zzz'.",
    "use(5)": "This is an object of type `int`",
    'data.load("nuclei")': "load(): missing a required argument: 'split'.",
    'data.load("nope", "train")': "There is no data set 'nope'.",
    "play.loss(fraction=7)": "fraction is 7; it must be between 0 and 1",
    'ArchitectureGraph().select("zz")': "There is no 'zz' in this graph.",
    "CodeStepper().step(99)": "There is no step 99.",
}


def test_in_a_notebook_the_sentence_is_all_that_is_shown_and_what_follows_does_not_run(tmp_path):
    lesson = tmp_path / "02_overlap"
    lesson.mkdir()
    with at_work(lesson) as ana:
        ana.run("from helpers import *\nfrom helpers import play")
        for call, said in WRONG.items():
            assert "went on" not in ana.run(f"{call}\nprint('went on')"), call
            (shown,) = ana.traceback
            assert shown.startswith(said), call
            assert "\n" not in shown, call
            ana.traceback = []
