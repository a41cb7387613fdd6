"""The little markup: what is marked, what is not ours, and that the course's own texts leave no mark over."""

import html
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers import exercises, glossary, markup
from helpers.checks.engine import RULES
from helpers.glossary import faq
from helpers.graph.concepts import concepts


def test_code_and_stress_are_marked_and_everything_else_is_escaped():
    text = "*Not* `a < b*c*d`, but 2*3 & <b>"
    assert markup.as_html(text) == "<em>Not</em> <code>a &lt; b*c*d</code>, but 2*3 &amp; &lt;b&gt;"
    assert markup.as_text(text) == "Not a < b*c*d, but 2*3 & <b>"


@given(st.text(alphabet="`*_ a<\n$\\", max_size=12))
@example("2.0*pred*target")
@example("`")
@example(" ")
def test_text_that_is_not_ours_is_shown_letter_by_letter(text):
    said = f"*Look* at {markup.code(text)}, and at `this`."
    shown = f"<code>{html.escape(text)}</code>" if text else ""
    assert markup.as_text(said) == f"Look at {text}, and at this."
    assert markup.as_html(said) == f"<em>Look</em> at {shown}, and at <code>this</code>."


def own_texts():
    for exercise in map(exercises.load, exercises.names()):
        texts = [*exercise.hints, *(wrong.sentence for wrong in exercise.misconceptions)]
        yield from ((exercise.name, text) for text in texts)
    yield from (("a rule", sentence) for _, sentence in RULES.values())
    yield from ((entry.term, entry.says) for entry in glossary())
    yield from ((answer.question, answer.answer) for answer in faq())
    yield from ((card.title, card.text) for card in concepts().values())


@pytest.mark.parametrize("render", [markup.as_text, markup.as_html])
def test_no_mark_is_left_over_in_a_text_of_ours(render):
    for where, text in own_texts():
        without_code = " ".join(part for part, is_code in markup._parts(text) if not is_code)
        assert not re.search(r"[*`]", render(without_code)), f"{where}: {text}"


def test_lines_break_between_words_only():
    text = "a-word " * 40 + "b" * 150
    lines = markup.wrapped(text).splitlines()
    assert " ".join(lines).split() == text.split()
    assert max(map(len, lines[:-1])) <= markup.WIDTH


def test_a_console_gets_lines_and_a_page_the_same_words(capsys):
    markup.say("Take `a*b`, *not* `a`.")
    assert capsys.readouterr().out == "Take a*b, not a.\n"


def test_what_is_shown_is_a_page_in_a_notebook(shown):
    markup.say("Take `a*b`, *not* `a`.")
    assert "Take <code>a*b</code>, <em>not</em> <code>a</code>." in shown[0]["text/html"]


def test_a_text_of_many_runs_of_backticks_is_read_in_one_pass():
    text = " ".join("`" * k for k in range(1, 2500))
    started = time.process_time()
    assert markup.as_text(text) == text
    assert time.process_time() - started < 2
