"""Files of an author and a class: written whole or not at all, and notebooks as text.

nbformat is imported where it is used: that takes more than a second, and workers that grade do without it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import TransformerManager

from helpers.atomic_write import atomic_write

if TYPE_CHECKING:
    from nbformat import NotebookNode


def write(path: Path, text: str) -> None:
    """Write whole or not at all."""
    atomic_write(path, text.encode())


def read_notebook(path: Path) -> NotebookNode:
    """The notebook in a file."""
    return parse_notebook(path.read_text(encoding="utf-8"))


def parse_notebook(text: str) -> NotebookNode:
    """The notebook that a text is; whatever a broken text does to nbformat is raised."""
    import nbformat

    return nbformat.reads(text, as_version=4)


def markdown_cell(text: str, id: str) -> NotebookNode:
    """A cell of text."""
    import nbformat

    return nbformat.v4.new_markdown_cell(text, id=id)


def dumped(notebook: NotebookNode) -> str:
    """The notebook as text that depends on its content alone."""
    import nbformat

    nbformat.validate(notebook)
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def python_of(cell: str) -> str:
    """The source of a code cell as Python: magic commands become calls."""
    return TransformerManager().transform_cell(cell)
