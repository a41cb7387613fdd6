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

WORDS = Path(__file__).with_name("words.txt")  # names, terms, and British spellings that the dictionary lacks
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
