"""Where does this run: with someone at the other end who could press a button, or not?"""

from __future__ import annotations


def is_interactive() -> bool:
    """Whether a widget is worth showing: a Jupyter kernel runs a cell for a front end with a person in front of it.

    A widget that is "shown" in a headless run ends in a page without a kernel, where it is an empty box. Such runs
    (nbconvert, nbgrader, jupytext) are recognised by what the Jupyter protocol has for it: they execute cells with
    `allow_stdin` false, because nobody is there to type.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if not hasattr(shell, "kernel"):  # plain Python, or IPython in a terminal
        return False
    request = shell.get_parent()
    return request.get("content", {}).get("allow_stdin", True)
