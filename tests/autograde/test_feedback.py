"""The student's page: what it says of each item, and that nothing a student wrote does anything in it."""

import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import pytest

from autograde import answer_keys, feedback, pages
from autograde.results import Graded, Result, State
from helpers import exercises
from helpers.checks import engine
from helpers.checks.verdict import Verdict

LESSON = "02_overlap"
KEYS = answer_keys.load(LESSON)
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>[a](javascript:alert(3))</details></code></pre></section>"
    "\" onload='alert(4)' `</style>` {{ 6*7 }} <!-- \x1b[31m \u202eright\u2066 \ud800 \x00 \x85 &lt;"
)
HARMLESS = {"bdi", "b", "code", "em", "span"}
NO_END = {"meta", "img", "br", "rect"}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text; it fails where tags do not match."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open, self.text = [], [], ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.text += "" if tag in HARMLESS else " "
        self.open += [] if tag in NO_END else [tag]

    def handle_endtag(self, tag):
        self.text += "" if tag in HARMLESS else " "
        if tag not in NO_END:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if self.open[-1:] != ["style"] else ""

    def tags(self):
        return [tag for tag, _ in self.found if tag not in HARMLESS]


def is_harmless(page):
    """Nothing in it runs, fetches, leads elsewhere than to feedback, steers a terminal or turns the writing."""
    elements = Elements(page)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": policy}) in elements.found
    for tag, attributes in elements.found:
        assert tag not in {"script", "iframe", "object", "embed", "base", "form", "link"}
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("src", "data:image/png;").startswith("data:image/png;")
        assert re.match(r"#[\w-]+$|feedback/", attributes.get("href", "#a"))
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page) == []
    page.encode("utf-8")
    return elements


def wrong(exercise="dice", name=None, seed=0):
    """A graded answer that has a misconception, as the grader would have it."""
    answers = {answer.name: answer for answer in exercises.load(exercise).misconceptions}
    answer = answers[name or next(iter(answers))]
    verdict = engine.examine(exercise, answer.solution, seed)
    given = {"message": verdict.message, "verdict": verdict, "given": answer.source, "cell": exercise}
    return Graded(exercise, "exercise", verdict.status, 0, verdict.max_points, **given)


def result(*graded, **more):
    return Result("ana", LESSON, "key", 0, graded, **more)


def text_of(page):
    return " ".join(Elements(page).text.split())


def question(id, state, given="", **more):
    points = KEYS[id]["points"]
    return Graded(id, "question", state, points * (state == "passed"), points, "", given=given, **more)


def test_a_wrong_answer_is_shown_with_its_name_its_example_and_its_source():
    one = wrong("dice", "IoU instead of Dice")
    page = feedback.page(result(replace(one, notes=("Your `iou` *stood in*.",), where="Look at line `3`.")), {})
    said = text_of(page)
    for text in ("Feedback on 02 · Overlap", "For ana", "0 of 3 points", "IoU instead of Dice", "Your iou stood in."):
        assert text in said
    assert "One change away. Look at line 3." in said
    assert said.count("✗ wrong") == 2  # in the contents and on the card
    pictures = [attributes for tag, attributes in Elements(page).found if tag == "img"]
    assert pictures[0]["alt"].startswith("The probe as pictures")
    assert " ".join(one.given.split()) in said
    assert '<span class="k">def</span>' in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("missing", "○ missing"),
        ("timeout", "! out of time"),
        ("memory", "! out of memory"),
        ("crashed", "! its proc"),
    ],
)
def test_a_state_is_said_in_words_and_with_a_sign(state, said):
    one = Graded("dice", "exercise", state, 0, 3, "There is `none`.")
    page = text_of(feedback.page(result(one), {}))
    assert said in page
    assert "There is none." in page


def test_withheld_points_are_shown_with_their_reason_and_without_the_verdict():
    right = Verdict("dice", "passed", "Well done.", 3, 3)
    one = Graded("dice", "exercise", "flagged", 0, 3, "It reaches into `helpers`.", right)
    said = text_of(feedback.page(result(one), {}))
    assert "! points withheld · 0 of 3 points It reaches into helpers." in said
    assert "Well done" not in said


def test_no_student_sees_who_is_alike():
    one = replace(wrong(), state="passed")
    assert feedback.page(result(replace(one, like_the_courses=True)), {}) == feedback.page(result(one), {})


def test_a_question_is_shown_with_the_answer_and_the_reason_of_every_option():
    page = feedback.page(result(question("screening-for-lesions", "wrong", "c")), KEYS)
    said = text_of(page)
    assert "0 of 2 points" in said
    for why in KEYS["screening-for-lesions"]["why"].values():
        assert " ".join(why.split()) in said
    assert said.count("✓ right") == 1
    assert said.count("✗ wrong · your answer") == 1
    assert said.count("your answer") == 1
    without = text_of(feedback.page(result(question("screening-for-lesions", "wrong", "c")), {}))
    assert "✓ right" not in without
    assert without.count("your answer") == 1


def test_a_number_is_shown_with_the_right_one():
    said = text_of(feedback.page(result(question("dice-from-counts", "passed", "3/5")), KEYS))
    assert "You answered 3/5. Right is 0.6, give or take 0.005." in said
    assert "The 9860 pixels of background do not enter." in said
    without = text_of(feedback.page(result(question("dice-from-counts", "missing")), KEYS))
    assert "What is the Dice coefficient? Right is 0.6" in without


def test_a_question_that_is_no_longer_asked_is_shown_by_its_name():
    one = Graded("long-gone", "question", "wrong", 0, 1, "Wrong.", given="a")
    assert "Question long-gone ✗ wrong · 0 of 1 points Wrong. a" in text_of(feedback.page(result(one), {}))


def test_a_text_waits_with_what_was_written():
    one = Graded("report", "manual", "by hand", 0, 10, "", given="# Mine\n<b>bold</b>")
    page = feedback.page(result(question("dice-from-counts", "passed", "0.6"), one), KEYS)
    said = text_of(page)
    assert "2 of 2 points, and up to 10 more that are given by hand" in said
    assert "waits to be graded by hand · up to 10 points # Mine <b>bold</b>" in said
    assert "&lt;b&gt;bold" in page


def test_what_was_wrong_with_the_whole_comes_first():
    said = text_of(feedback.page(result(wrong(), problems=("Two cells are `dice`.",)), {}))
    assert "About what was handed in Two cells are dice. dice ✗ wrong" in said
    assert "Nothing in this lesson is graded." in text_of(feedback.page(result(), {}))


def test_a_long_source_is_cut_and_a_page_stays_small():
    one = wrong()
    assert len(feedback.page(result(*[one] * 6), {})) < 200_000
    page = feedback.page(result(replace(one, given="a+" * 5_000_000)), {})
    assert "… and 9,990,000 more letters" in page
    assert len(page) < 200_000


def test_every_state_has_a_sign_and_words():
    assert pages.STATES.keys() == set(get_args(State))


def test_no_source_takes_long_to_colour():
    start = time.process_time()
    for line in ("'%" + "0" * 9_998, f"'%{'0' * 390}\n" * 25):
        assert pages.coloured(line).count("0") > 9_000
    assert time.process_time() - start < 2


def hostile_result():
    """Every text in it is hostile, in every kind and state."""
    tensor = {"shape": [2, 2], "dtype": HOSTILE, "values": [[1.0, float("nan")], [0.0, 1e300]]}
    probe = {"label": HOSTILE, "what": HOSTILE, "input": {"pred": tensor}, "yours": HOSTILE, "expected": {HOSTILE: 1}}
    verdict = Verdict(HOSTILE, "wrong", HOSTILE, 0, 3, HOSTILE, probe)
    texts = dict.fromkeys(("name", "message", "given", "cell", "where"), HOSTILE)
    texts |= {"notes": (HOSTILE,), "walls": (HOSTILE,), "points": 0, "max_points": 3}
    graded = [
        Graded(kind=kind, state=state, verdict=verdict if kind == "exercise" else None, **texts)
        for kind, state in [
            ("exercise", "wrong"),
            ("exercise", "flagged"),
            ("question", "wrong"),
            ("manual", "by hand"),
        ]
    ]
    graded += [question(id, "wrong", HOSTILE) for id in KEYS]
    return Result(HOSTILE, HOSTILE, "key", 0, tuple(graded), (HOSTILE,), HOSTILE)


def test_hostile_texts_do_nothing():
    page = feedback.page(hostile_result(), KEYS)
    elements = is_harmless(page)
    tame = page.replace("<", "").replace(">", "")
    assert "\\x1b[31m \\u202eright\\u2066 \\ud800 \\x00 \\x85" in tame
    assert "{{ 6*7 }}" in elements.text
    assert elements.tags().count("section") == 1 + len(hostile_result().graded)
