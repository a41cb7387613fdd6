"""HTML pages that stand alone: the templates beside this file, and what feedback and report share.

Whatever a student or a file says is escaped, and no page holds a script or fetches anything. Signs that steer a
terminal or turn the direction of writing are written out, all over the page.
"""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup, escape
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Number, String

from helpers import markup, plan

MOST_SOURCE = 10_000  # letters of an answer that are shown; the longest solution of the course has 2,600
LONGEST_COLOURED = 400  # letters in a line: over some texts the lexer takes time as the square of their length
KINDS = {Keyword: "k", String: "s", Comment: "c", Number: "m"}  # of tokens, to their classes in page.css
# Control characters but tab and newline, marks and overrides of direction, separators, and halves of surrogate pairs.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


class Said(NamedTuple):
    """How a state is shown: a sign, words, and which of the three colours goes with them."""

    sign: str
    words: str
    colour: str


STATES = {
    "passed": Said("✓", "passed", "good"),
    "wrong": Said("✗", "wrong", "bad"),
    "error": Said("!", "error", "bad"),
    "not attempted": Said("○", "not attempted", "open"),
    "timeout": Said("!", "out of time", "bad"),
    "memory": Said("!", "out of memory", "bad"),
    "crashed": Said("!", "its process ended", "bad"),
    "missing": Said("○", "missing", "open"),
    "flagged": Said("!", "points withheld", "bad"),
    "by hand": Said("…", "waits to be graded by hand", "open"),
}


def render(template: str, **values: Any) -> str:
    """A whole page from a template beside this file."""
    page = _ENVIRONMENT.get_template(template).render(values).replace("\r\n", "\n")
    return _UNSEEN.sub(lambda unseen: ascii(unseen[0])[1:-1], page)


def title(lesson: str) -> str:
    """A lesson's number and name, such as "02 · Overlap"; its own name where the plan does not know it."""
    return next((one["title"] for one in plan.lessons() if one["lesson"] == lesson), lesson)


def coloured(source: str) -> Markup:
    """A student's Python, cut where it is very long, with the kinds of its tokens as classes."""
    shown = source[:MOST_SOURCE]
    if max(map(len, shown.splitlines()), default=0) > LONGEST_COLOURED:
        return escape(shown) + rest_of(source)
    parts: list[Markup] = []
    tokens = PythonLexer(stripnl=False, ensurenl=False).get_tokens(shown)
    for kind, same in itertools.groupby(tokens, key=lambda token: _kind(token[0])):
        text = "".join(part for _, part in same)
        parts.append(Markup('<span class="{}">{}</span>').format(kind, text) if kind else escape(text))
    return Markup("").join(parts) + rest_of(source)


def rest_of(text: str) -> str:
    """What is said below a text of which `MOST_SOURCE` letters are shown; empty where that is all."""
    return f"\n… and {len(text) - MOST_SOURCE:,} more letters" if len(text) > MOST_SOURCE else ""


def when(text: str) -> datetime | None:
    """A time in ISO 8601, in UTC where it names no zone; none where the text is none."""
    try:
        time = datetime.fromisoformat(re.sub("Z$", "+00:00", text))  # which Python reads from 3.11 on
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _moment(text: str) -> str:
    time = when(text)
    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC" if time else text


def _kind(token: Any) -> str:
    return next((name for of, name in KINDS.items() if token in of), "")


def _marked(text: str) -> Markup:
    return Markup(markup.as_html(text))  # which escapes all else


_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_ENVIRONMENT.filters |= {"marked": _marked, "coloured": coloured, "rest_of": rest_of, "moment": _moment}
_ENVIRONMENT.filters |= {"number": "{:,.6g}".format, "percent": "{:.0%}".format}
_ENVIRONMENT.globals |= {"STATES": STATES, "MOST_SOURCE": MOST_SOURCE}
