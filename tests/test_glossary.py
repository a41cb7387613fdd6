"""The glossary and the questions: complete, found by any name, the same in text and page."""

import html
import re
from pathlib import Path

import pytest

from helpers import glossary, glossary_pictures, plan
from helpers.glossary import THEMES, answers, entries, faq

ROOT = Path(__file__).parents[1]
NAMES = [entry.term for entry in entries()]
LESSONS = {lesson["lesson"][:2] for lesson in plan.lessons()}
PICTURES = sorted({entry.picture for entry in entries() if entry.picture})


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("entry", entries(), ids=NAMES)
def test_every_entry_is_a_sentence_or_two_with_a_lesson_and_a_theme(entry):
    assert entry.says.strip() == entry.says
    assert entry.says.endswith(".")
    assert len(re.findall(r"[.?!:] [A-Z*]", entry.says)) <= 1, "one sentence or two"
    assert 30 < len(entry.says) < 300
    assert entry.lesson in LESSONS
    assert entry.theme in THEMES
    assert entry.says.count("`") % 2 == entry.says.count("*") % 2 == 0


def test_there_are_about_sixty_terms_or_more_and_every_theme_has_some():
    assert len(entries()) >= 60
    assert {entry.theme for entry in entries()} == set(THEMES)


def test_no_name_leads_to_two_entries():
    seen = {}
    for entry in entries():
        for name in (entry.term, *entry.also):
            key = re.sub(r"[\s_-]+", " ", name.casefold())
            assert key not in seen, f"{name!r} is in {seen.get(key)!r} and in {entry.term!r}"
            seen[key] = entry.term


@pytest.mark.parametrize(
    ("asked", "term"),
    [
        ("dice", "Dice coefficient"),
        ("DICE", "Dice coefficient"),
        ("dice coefficient", "Dice coefficient"),
        ("Skip-Connection", "skip connection"),
        ("skip_connection", "skip connection"),
        ("1x1 Convolution", "1×1 convolution"),
        ("  iou ", "intersection over union"),
        ("U-net", "U-Net"),
        ("unet", "U-Net"),
    ],
)
def test_a_term_is_found_in_any_spelling(asked, term):
    assert glossary(asked).term == term


@pytest.mark.parametrize("name", [name for entry in entries() for name in (entry.term, *entry.also)])
def test_every_name_finds_an_entry(name):
    entry = glossary(name.upper())
    assert name in (entry.term, *entry.also)


@pytest.mark.parametrize(
    ("asked", "near"),
    [("convolutoin", "'convolution'"), ("dicee", "'Dice coefficient'"), ("receptive", "'receptive field'")],
)
def test_an_unknown_term_is_answered_with_those_that_come_near(asked, near):
    with pytest.raises(ValueError, match="Did you mean") as raised:
        glossary(asked)
    assert near in str(raised.value)


@pytest.mark.parametrize("asked", ["", "qqqqqq", "12345"])
def test_what_is_near_nothing_gets_no_guess(asked):
    with pytest.raises(ValueError, match=r"lists all \d+ terms") as raised:
        glossary(asked)
    assert "Did you mean" not in str(raised.value)


def test_a_term_is_text_and_a_theme_exists():
    with pytest.raises(TypeError, match="term has to be text"):
        glossary(7)
    with pytest.raises(ValueError, match="Did you mean 'scores'"):
        glossary(theme="score")


def test_all_terms_come_in_alphabetical_order_and_a_theme_in_that_of_learning():
    terms = [entry.term.casefold().replace("×", "x").replace("-", " ") for entry in glossary()]
    assert terms == sorted(terms)
    assert len(terms) == len(entries())
    assert [entry.theme for entry in glossary(theme="scores")] == ["scores"] * len(glossary(theme="scores"))


def test_text_and_page_say_the_same():
    entry = glossary("epoch")
    for text in (repr(entry), words(entry._repr_html_())):
        assert entry.says in " ".join(text.split())
        assert "Lesson 09 · Training" in text


def test_the_page_sets_no_colours_and_shows_a_picture_once():
    page = glossary(theme="scores").as_html()
    assert page.count("<img") == len({entry.picture for entry in glossary(theme="scores") if entry.picture})
    assert not re.search("color|background|#", " ".join(re.findall(r'style="([^"]*)"', page)))


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_has_alternative_text_from_numbers(name):
    page = getattr(glossary_pictures, name)()
    alt = html.unescape(re.search(r'alt="([^"]*)"', page)[1])
    assert page.startswith("<img")
    assert re.search(r"\d", alt)
    assert "nan" not in alt
    assert alt.endswith(".")


def test_every_picture_is_used():
    ours = {n for n, v in vars(glossary_pictures).items() if getattr(v, "__module__", "") == glossary_pictures.__name__}
    assert {name for name in ours if not name.startswith("_")} == set(PICTURES)


# ---- questions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", answers(), ids=[a.question for a in answers()])
def test_every_answer_has_two_to_five_sentences_and_a_lesson(answer):
    sentences = re.findall(r"[.?!](?= [A-Z]|$)", answer.answer)
    assert 2 <= len(sentences) <= 5
    assert "?" in answer.question
    assert answer.lesson in LESSONS
    assert answer.answer.count("`") % 2 == 0


def test_the_questions_that_were_asked_for_are_there_and_the_most_common_three_come_first():
    assert len(faq()) >= 12
    for one, part in zip(faq(), ("detection", "made", "loss"), strict=False):
        assert part in one.question
    assert len({a.question for a in answers()}) == len(answers())
    asked = " ".join(a.question.lower() for a in faq())
    for part in ("detection", "made", "loss", "how much data", "size", "black", "gpu", "classes", "dice", "bilinear"):
        assert part in asked


def test_answers_are_shown_as_text_and_page():
    text, page = repr(faq()), words(faq()._repr_html_())
    for answer in faq():
        assert answer.question in text
        assert answer.question in page


# ---- the notebook ---------------------------------------------------------------------------------------------------


def test_the_notebook_shows_every_theme_and_the_questions():
    source = (ROOT / "autograde" / "lessons" / "glossary.py").read_text(encoding="utf-8")
    for theme, heading in THEMES.items():
        assert f"# ## {heading}\n" in source
        assert f'glossary(theme="{theme}")' in source
    assert "\nfaq()\n" in source
