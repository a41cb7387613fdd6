"""Markdown that is made from figures: a table, and its place in the README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def row(cells: Iterable[object]) -> str:
    """One line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def table(headings: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A table."""
    return "\n".join([row(headings), "|---" * len(headings) + "|", *map(row, rows)])


def between(text: str, mark: str, markdown: str) -> str:
    """The text with `markdown` between the lines `<!-- mark -->` and `<!-- /mark -->`.

    Raises:
        ValueError: these lines are missing.
    """
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"The README has no lines {begin} and {end} to put the table between. Add them.")
    return f"{before}{begin}\n{markdown}\n{end}{after}"
