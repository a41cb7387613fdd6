"""The markup of the course's own texts, `code` and *stress*, as HTML and as plain text.

Other text, such as a student's line or an exception's message, goes through `code` and is then shown literally.
Importing this module is light.
"""

from __future__ import annotations

import html
import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

WIDTH = 100
_STRESS = re.compile(r"\*([^*\s](?:[^*]*[^*\s])?)\*")


def code(text: str) -> str:
    """Mark any text as code; its backticks and stars are shown literally."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    spaced = f" {text} " if "`" in text or text[:1] == text[-1:] == " " else text
    return f"{fence}{spaced}{fence}" if text else ""


def score(value: float) -> str:
    """`0.871`; a dash where there is none, because no object is labelled."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def as_html(text: str) -> str:
    """Marked-up text as HTML, with everything else escaped."""
    return "".join(
        f"<code>{html.escape(part)}</code>" if is_code else _STRESS.sub(r"<em>\1</em>", html.escape(part))
        for part, is_code in _parts(text)
    )


def as_text(text: str) -> str:
    """Marked-up text without its marks."""
    return "".join(part if is_code else _STRESS.sub(r"\1", part) for part, is_code in _parts(text))


def wrapped(text: str, initial_indent: str = "", subsequent_indent: str = "") -> str:
    """Marked-up text without its marks, in lines that break between words only."""
    return textwrap.fill(
        as_text(text),
        WIDTH,
        initial_indent=initial_indent,
        subsequent_indent=subsequent_indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(heads: Iterable[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A table of cells that are HTML; the first of each row is its head."""
    left = 'style="text-align:left"'
    head = "".join(f'<th scope="col" {left}>{cell}</th>' for cell in heads)
    body = "".join(
        f'<tr><th scope="row" {left}>{first}</th>{"".join(f"<td {left}>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    said = f"<caption {left}>{caption}</caption>" if caption else ""
    return f"<table>{said}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Shown:
    """The same content as text for a console and as HTML for a page."""

    def __init__(self, text: str, page: str) -> None:
        self._text, self.page = text, page

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/plain": self._text, "text/html": self.page}


def paragraph(text: str) -> Shown:
    """A marked-up text as lines for a console and as a paragraph for a page."""
    return Shown(wrapped(text), f'<p style="margin:.3em 0;max-width:62em">{as_html(text)}</p>')


def say(text: str) -> None:
    """Show a marked-up text: as HTML in a notebook, as lines in a console."""
    from IPython.display import display

    display(paragraph(text))


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a text in order, and whether each is code.

    As in CommonMark: a run of backticks opens, the next run of as many closes. One look at each run, since the text may
    hold what a student has made as long as they like.
    """
    runs = [run.span() for run in re.finditer("`+", text)]
    closing: list[int | None] = [None] * len(runs)  # for each run, the next of its length
    later: dict[int, int] = {}
    for k in reversed(range(len(runs))):
        start, end = runs[k]
        closing[k] = later.get(end - start)
        later[end - start] = k
    done = k = 0
    while k < len(runs):
        close = closing[k]
        if close is None:
            k += 1
            continue
        code = text[runs[k][1] : runs[close][0]]
        yield text[done : runs[k][0]], False
        yield code[1:-1] if len(code) > 2 and code[0] == code[-1] == " " else code, True
        done, k = runs[close][1], close + 1
    yield text[done:], False
