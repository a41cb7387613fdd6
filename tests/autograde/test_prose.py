"""All prose of the course: spelling, links, headings."""

import itertools
import re
from pathlib import Path
from urllib.parse import urlsplit

import jupytext
import pytest
import yaml
from spellchecker import SpellChecker

from autograde.build_cache import LESSONS
from autograde.nbgrader_course import ROOT
from helpers import exercises
from helpers.glossary import glossary

WORDS = Path(__file__).with_name("words.txt")  # names, terms, and British spellings that the dictionary lacks
FIELD = Path(__file__).with_name("field_words.txt")  # of the field, whether a lesson uses them yet or not
LEAD_INS = {  # what the lessons set in bold and is no term
    *("You will", "You will find", "Time", "You need", "You write", "Predict", "Shift + Enter", "practice", "graded"),
    *("passed", "wrong", "error", "not attempted", "one file", "both", "missed", "false", "yours", "x"),
}
EACH = "image|pixel|class|row|level|channel|seed|student|question|model|exercise|lesson|epoch|batch|answer|object"
ODD = {  # not as a native speaker writes it: what to write instead
    r"none of the two": "neither",
    r"\bshall\b": "should, must, is meant to",
    r"\bcalm about\b": "barely affected by",
    r"\bthe whole trade\b": "say what it is",
    r"\bsurer\b": "more confident",
    r"\bis none of them\b": "is not one of them",
    r"\bwith you[,.:;]": "in your version",
    r"\b(is|are|has|have) (an)?others? (\w+ )?than\b": "differs from",
    r"\bsome (seconds|minutes|hours|days|lines|tens)\b": "a few",
    r"\bbehind the (decimal )?point\b": "after the decimal point",
    rf"\b(one|a) (random )?(?!of )[a-z]+(?<!s) an? ({EACH})\b": "one … per …",
    rf"\b(two|three|four|five|eight) [a-z]+s an? ({EACH})\b": "two … per …",
    r"\bmend(s|ed|ing)?\b": "fix, correct, cure",
    r"\b[Ff]ill(s|ed)? up (`|x|with|where)|\byou fill up\b": "pad",
    r"\bthe rest to 1\b": "1 minus it",
    r"\bone \w+ after the other\b": "one … after another",
    r"\banew\b": "again, from scratch",
    r"\b(gives?|gave|giving) out\b": "outputs, returns",
    r"\brightly\b": "correctly",
    r"\bno \w+ any ?more\b": "no longer",
    r"(?<![Tt]here )\b(is|are|was) no (?!\w+er\b|more|less|worse|one)[a-z]": "is not a",
    r"\b[Nn]othing \w* ?is to be\b": "nothing needs to be",
    r"(?:^|[.?!] )(?:What|Whether|Which)\b[^.?!:,]*, (?!whatever|which)[\w `.]+ (says|names|tells)\b": "it says what",
    r"\bmakes? [a-z]+ (out )?of (them|one|it|several)\b": "turns … into",
}
AMERICAN = {"color", "colors", "center", "centered", "neighbor", "neighbors", "normalize", "behavior", "labeled"}
SCRIPTS = sorted(LESSONS.glob("*.py"))
YAML = sorted([*(ROOT / "helpers").glob("**/*.yaml"), *(LESSONS / "keys").glob("*.yaml")])
PAGES = sorted([*ROOT.glob("[A-Z]*.md"), *(ROOT / "datasets").glob("*/README.md"), *(ROOT / "docs").glob("*.md")])
SITE = [
    ROOT / "autograde" / "site_source" / name for name in ("mastering_unet.py", "index.md")
]  # test_site has its links
NO_PROSE = {"id", "key", "kind", "lesson", "answer", "picture", "group", "also", "theme"}


def markdown_of(path):
    """The prose of a lesson, a page or a file of questions, as Markdown."""
    if path.suffix == ".py":
        cells = jupytext.read(path, fmt="py:percent").cells
        return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".md" else "\n\n".join(texts(yaml.safe_load(text)))


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from () if key in NO_PROSE else texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def without_code(text):
    code = r"```.*?```|<code>.*?</code>|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$"
    return re.sub(code + r"|https?://\S+|<[^>]+>|\]\([^)]*\)|arXiv:\S+|10\.\d{4,}/\S+", " ", text, flags=re.DOTALL)


def words(text):
    found = re.findall(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['’][a-z]+)?", without_code(text))
    return {re.sub(r"['’]s$", "", word.lower()) for word in found}


@pytest.fixture(scope="module")
def dictionary():
    spelling = SpellChecker(language="en")
    spelling.word_frequency.load_words(WORDS.read_text(encoding="utf-8").split())
    return spelling


@pytest.mark.parametrize("path", [*SCRIPTS, *YAML, *PAGES, *SITE], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_word_is_spelled_rightly_and_in_the_british_way(dictionary, path):
    """A word that is right and not known yet goes into words.txt."""
    unknown = sorted(dictionary.unknown(words(markdown_of(path))))
    assert not unknown, f"Where right, add to {WORDS.relative_to(ROOT)}: {', '.join(unknown)}"
    assert sorted(words(re.sub(r"\*[^*]+\*", " ", markdown_of(path))) & AMERICAN) == []  # titles are as they are


def test_a_wrong_word_is_found(dictionary):
    assert dictionary.unknown(words("A segmentaion of *cells* with `cv2.findContours`.")) == {"segmentaion"}


def sentences(text):
    """The sentences of a text in Markdown, as their numbers of words; headings, tables and sources are none."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$|\*\*Sources\*\*.*|<!-- (\S+) -->.*?<!-- /\1 -->", "", text, flags=re.DOTALL)
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\.) )|</?(?:summary|details)>", text)
    for block in blocks:
        if not re.match(r"\s*(#|\||<|!\[)", block):
            plain = re.sub(r"`[^`]*`|\$[^$]*\$", "x", " ".join(block.split()))
            for sentence in re.split(r"(?<=[.?!])[*\"')]*\s+(?=\W?[A-Z\dx])|·|:\s+(?=[A-Z])", plain):
                if len(found := re.findall(r"\w[\w'’.,-]*", sentence)) > 2:
                    yield len(found)


def words_a_sentence(text):
    lengths = [*sentences(text)]
    return sum(lengths) / len(lengths)


STUDENTS = [*SCRIPTS, *YAML, *SITE, ROOT / "README.md", ROOT / "docs" / "students.md"]


@pytest.mark.parametrize("path", STUDENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_sentences_are_short_in_what_students_read(path):
    assert words_a_sentence(markdown_of(path)) <= 20


def test_the_length_of_a_sentence_is_counted():
    assert [*sentences("# A heading\n\nOne two three. Four `a b` six\nseven?\n\n- Eight nine ten: Eleven 12 x.")] == [
        3,
        4,
        3,
        3,
    ]


def by_hand(text):
    """A text as one line, without what a command writes into it and without titles of others' work."""
    made = r"<!-- (\S+) -->.*?<!-- /\1 -->|\*\*Sources\*\*.*"
    return " ".join(without_code(re.sub(r"`[^`\n]+`", "x", re.sub(made, "", text, flags=re.DOTALL))).split())


def odd(text):
    found = [(one[0], instead) for rule, instead in ODD.items() for one in re.finditer(rule, by_hand(text))]
    return [f"{part!r}: write {instead}" for part, instead in found]


@pytest.mark.parametrize("path", [*SCRIPTS, *YAML, *PAGES, *SITE], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_sentence_sounds_translated(path):
    assert odd(markdown_of(path)) == []


@pytest.mark.parametrize("name", exercises.names())
def test_no_card_hint_or_message_of_an_exercise_sounds_translated(name):
    one = exercises.load(name)
    told = [one.task, *one.hints, *(wrong.sentence for wrong in one.misconceptions)]
    assert [found for text in told for found in odd(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "The mask shall become half as wide.",
        "Two empty masks score 0 with you: look.",
        "The first run takes some minutes.",
        "It returns one number a pixel.",
        "What is stale, `check` says.",
        "5 is no multiple of 2.",
    ],
)
def test_what_sounds_translated_is_found(text):
    assert odd(text)


@pytest.mark.parametrize(
    "text", ["There is no mask.", "It is no longer one.", "It is no larger.", "Read it with you in mind."]
)
def test_what_is_idiomatic_is_let_through(text):
    assert odd(text) == []


def missing(text):
    """The terms of a lesson's text that the glossary does not have."""
    plain = by_hand(text)
    bold = set(re.findall(r"\*\*([^*.:]+)\*\*", plain))
    terms = {one for one in bold if len(one.split()) <= 3} - LEAD_INS
    for word in FIELD.read_text(encoding="utf-8").split("\n"):
        rule = r"\b" + r"[\s-]".join(map(re.escape, re.split("[ -]", word))) + r"(e?s)?\b"
        terms |= {word} if word and re.search(rule, plain, re.IGNORECASE) else set()
    return sorted(filter(None, map(_unknown, terms)))


def _unknown(term):
    try:
        glossary(term)
    except ValueError:
        return term
    return ""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_every_word_of_the_field_is_in_the_glossary(path):
    """A word that a lesson sets in bold, or one of field_words.txt, needs an entry in helpers/glossary.yaml."""
    assert missing(markdown_of(path)) == []


def test_a_word_that_the_glossary_lacks_is_found():
    text = "**Gated units** have residual connections, trained with Dropout. **Predict.** A `perceptron` and a mask."
    assert missing(text) == ["Gated units", "dropout", "residual", "residual connection"]


def anchors(text):
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [*SCRIPTS, *YAML, *PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    """Files of ours exist; addresses of others are whole and secure. Nothing is fetched."""
    text = markdown_of(path)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        parts = urlsplit(target)
        if parts.scheme:
            assert parts.scheme in ("https", "mailto"), target
            assert parts.netloc.count(".") >= 1, target
        elif parts.path:
            assert (path.parent / parts.path).exists(), target
        else:
            assert parts.fragment in anchors(text), target
    assert re.findall(r"arXiv:(?!\d{4}\.\d{4,5}\b)\S*", text) == []


@pytest.mark.parametrize("path", [*SCRIPTS, *SITE], ids=lambda p: p.stem)
def test_headings_are_in_order(path):
    text = re.sub(r"```.*?```", "", markdown_of(path), flags=re.DOTALL)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("path", [*SCRIPTS, *PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_line_of_a_fold_is_html(path):
    """Nothing reads Markdown there, so its marks would be seen."""
    assert re.findall(r"<summary>[^<]*[`*][^<]*", markdown_of(path)) == []


@pytest.mark.parametrize("path", [*SCRIPTS, *PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_picture_in_the_text_says_what_it_shows(path):
    text = markdown_of(path)
    assert re.findall(r"!\[\s*\]\(", text) == []
    assert re.findall(r"<img(?![^>]*\balt=\"[^\"]+\")[^>]*>", text) == []
