"""Markdown that is made from figures: a table, and its place in the README."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograde.build_cache import ROOT
from autograde.files import write

README = ROOT / "README.md"


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


@dataclass(frozen=True)
class Published:
    """A table of the README whose rows are measured one at a time. The first cell of a row says what was measured.

    Attributes:
        mark: of its place in the README.
        headings: of its columns.
        stored: the file that keeps the rows.
        readme: the README.
    """

    mark: str
    headings: Sequence[str]
    stored: Path
    readme: Path = README

    def rows(self) -> list[list[str]]:
        """The rows that are published."""
        rows: list[list[str]] = json.loads(self.stored.read_text(encoding="utf-8")) if self.stored.exists() else []
        return rows

    def publish(self, row: Sequence[str]) -> None:
        """Keep a row in place of the one of the same name, and put all into the README.

        Raises:
            ValueError: the README has no place for the table.
        """
        kept = [*{one[0]: list(one) for one in (*self.rows(), row)}.values()]
        text = between(self.readme.read_text(encoding="utf-8"), self.mark, table(self.headings, kept))
        write(self.stored, json.dumps(kept, indent=1) + "\n")
        write(self.readme, text)

    def is_in_the_readme(self) -> bool:
        """Whether the README shows these rows."""
        text = self.readme.read_text(encoding="utf-8")
        return between(text, self.mark, table(self.headings, self.rows())) == text
