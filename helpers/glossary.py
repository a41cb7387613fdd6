"""`glossary("dice")`: a term of the course in a sentence or two, with the lesson that introduces it.

    glossary("dice")            one term
    glossary()                  all of them
    glossary(theme="scores")    those of one theme
    faq()                       the questions that students ask

The texts are in `glossary.yaml` and `faq.yaml` beside this file, the pictures in `glossary_pictures.py`. As the last
line of a cell each is shown as a page, in a console as text. Importing this module is light.
"""

from __future__ import annotations

import difflib
import html
import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from helpers import markup, plan
from helpers.data.validation import check_choice
from helpers.errors import InputError, called_as

THEMES = {
    "tasks": "What is asked of an image",
    "data": "Images, masks and splits",
    "scores": "How good is a mask?",
    "network": "A network and how it learns",
    "convolution": "Convolution",
    "unet": "The U-Net and its parts",
    "losses": "Losses",
    "training": "Training",
    "baseline": "Comparing with others",
    "wild": "In the wild",
    "objects": "Objects and evidence",
}


_wrapped = partial(markup.wrapped, subsequent_indent="  ")


@dataclass(frozen=True)
class Entry:
    """A term of the course.

    Attributes:
        term: as it is written in the middle of a sentence.
        also: other names by which it is found.
        lesson: the number of the lesson that introduces it, "00" to "13".
        theme: a key of `THEMES`.
        says: one or two sentences, with `code` and *stress* marked.
        picture: the name of a function in `helpers.glossary_pictures`, or "".
    """

    term: str
    lesson: str
    theme: str
    says: str
    also: tuple[str, ...] = ()
    picture: str = ""

    def __repr__(self) -> str:
        return f"{_wrapped(f'{self.term} · {self.says}')}\n  {_where(self.lesson)}"

    def as_html(self, picture: bool = True) -> str:
        """The entry as HTML, in whatever colours the page has.

        Args:
            picture: whether to draw the picture as well, where the entry has one.
        """
        text = f"<b>{html.escape(self.term)}</b> · {markup.as_html(self.says)} <small>{_where(self.lesson)}.</small>"
        drawn = f"<br>{self.drawn()}" if picture and self.picture else ""
        return f'<p style="margin:.5em 0;max-width:62em">{text}{drawn}</p>'

    _repr_html_ = as_html

    def drawn(self) -> str:
        """The picture as an HTML `<img>`."""
        from helpers import glossary_pictures  # torch and matplotlib load here

        return getattr(glossary_pictures, self.picture)()


@dataclass(frozen=True)
class Answer:
    """A question that students ask, what to say, and the lesson to read on in."""

    question: str
    answer: str
    lesson: str

    def __repr__(self) -> str:
        return f"{self.question}\n  {_wrapped(self.answer)}\n  {_where(self.lesson)}"

    def as_html(self) -> str:
        """The question and its answer as HTML."""
        return (
            f'<p style="margin:.7em 0;max-width:62em"><b>{html.escape(self.question)}</b><br>'
            f"{markup.as_html(self.answer)} <small>{_where(self.lesson)}.</small></p>"
        )


class Listing(tuple[Entry | Answer, ...]):
    """Entries or answers in order, shown one below the other. Each picture is drawn once."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def as_html(self) -> str:
        """The items as HTML."""
        drawn: set[str] = set()
        page = ""
        for item in self:
            if isinstance(item, Entry):
                page += item.as_html(picture=item.picture not in drawn)
                drawn.add(item.picture)
            else:
                page += item.as_html()
        return f"<div>{page}</div>"

    _repr_html_ = as_html


@called_as('glossary("dice")')
def glossary(term: str | None = None, *, theme: str | None = None) -> Entry | Listing:
    """A term of the course, or all of them in alphabetical order, or those of one theme in the order of learning.

    Args:
        term: the term or another name of it, in any case, with spaces or hyphens: "dice", "Skip-Connection".
        theme: a key of `THEMES`, such as "scores"; for a list of its terms.

    Raises:
        ValueError: there is no such term or theme; the message names those that come near.
    """
    if term is not None:
        return _find(term)
    if theme is not None:
        check_choice("theme", theme, tuple(THEMES))
        return Listing(entry for entry in entries() if entry.theme == theme)
    by_name = sorted(entries(), key=lambda entry: _key(entry.term))
    return Listing(by_name)


def faq() -> Listing:
    """The questions that students ask, with answers, in the order in which they come up."""
    return Listing(answers())


@cache
def entries() -> tuple[Entry, ...]:
    """All terms, in the order of the course's themes."""
    return tuple(Entry(**{**raw, "also": tuple(raw.get("also", ()))}) for raw in _read("glossary.yaml"))


@cache
def answers() -> tuple[Answer, ...]:
    """All questions with their answers."""
    return tuple(Answer(**raw) for raw in _read("faq.yaml"))


@cache
def _names() -> dict[str, Entry]:
    """By what is looked up. A term comes before another entry's second name."""
    second = {_key(name): entry for entry in entries() for name in entry.also}
    return second | {_key(entry.term): entry for entry in entries()}


def _find(term: str) -> Entry:
    names = _names()
    if _key(term) in names:
        return names[_key(term)]
    near = difflib.get_close_matches(_key(term), names, n=3, cutoff=0.6)
    near += [name for name in names if len(_key(term)) > 2 and _key(term) in name and name not in near]
    terms = list(dict.fromkeys(names[name].term for name in near))[:4]
    guess = f" Did you mean {' or '.join(map(repr, terms))}?" if terms else ""
    raise InputError(f"The glossary has no {term!r}.{guess} glossary() lists all {len(entries())} terms.")


def _key(name: str) -> str:
    """One spelling for all: case, hyphens, underscores, spaces and a × do not matter."""
    return re.sub(r"[\s_-]+", " ", name.strip().casefold()).replace("×", "x")


def _read(name: str) -> list[dict[str, Any]]:
    import yaml

    return yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _where(lesson: str) -> str:
    return next(f"Lesson {known['title']}" for known in plan.lessons() if known["lesson"].startswith(lesson))
