"""Where does this run: with someone at the other end who could press a button, or not, and in which page?"""

from __future__ import annotations

from typing import Any


def is_interactive() -> bool:
    """Whether a widget is worth showing: a Jupyter kernel runs a cell for a front end with a person in front of it.

    A widget that is "shown" in a headless run ends in a page without a kernel, where it is an empty box. Such runs
    (nbconvert, nbgrader, jupytext) are recognised by what the Jupyter protocol has for it: they execute cells with
    `allow_stdin` false, because nobody is there to type.
    """
    request = _request()
    return request is not None and request.get("content", {}).get("allow_stdin", True)


def is_lab() -> bool:
    """Whether the page is JupyterLab's or Notebook's, which know every widget of the kernel, shown or not.

    They say with each cell they run which cells were deleted since; Colab and VS Code do not.
    """
    request = _request()
    return request is not None and "deletedCells" in request.get("metadata", {})


def _request() -> dict[str, Any] | None:
    """The message that the kernel is answering; none outside a kernel."""
    from IPython import get_ipython

    shell = get_ipython()
    if not hasattr(shell, "kernel"):  # plain Python, or IPython in a terminal
        return None
    return shell.get_parent() or {}
