"""What the front ends of all pieces share: JavaScript, style, and how a piece comes onto a page.

In JupyterLab and Notebook a piece is written into the notebook as its static fallback alone, and its front end takes
the fallback's place on the page for as long as the kernel has it (`initialize` in `frontend.js`). A widget view in a
saved notebook ends as "Error displaying widget: model not found" when the notebook is opened again; a fallback is
still there. Elsewhere (Colab, VS Code) a front end is loaded only by a widget view, so there the output has both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

SHARED = Path(__file__).with_name("frontend.js")
SHARED_STYLE = Path(__file__).with_name("frontend.css")
EXPORT = "export default { initialize, render };"


def module(path: Path) -> str:
    """The JavaScript module of a front end: what all share, then its own file, which defines `render`.

    anywidget hands one module to the page, and that cannot import a file beside it.

    Raises:
        ValueError: the file does not export what the page needs.
    """
    own = path.read_text(encoding="utf-8")
    if EXPORT not in own:
        raise ValueError(f"{path.name} must end with `{EXPORT}`; `initialize` is in {SHARED.name}.")
    return f"{SHARED.read_text(encoding='utf-8')}\n{own}"


def style(path: Path) -> str:
    """The style sheet of a front end, whose root has the class `unet-front`: what all share, then its own file."""
    return f"{SHARED_STYLE.read_text(encoding='utf-8')}\n{path.read_text(encoding='utf-8')}"


class FrontEnd(anywidget.AnyWidget):
    """The base of all front ends.

    Traits:
        fallback_id: this widget's own id, by which the page finds the fallback to replace.
        needs_kernel: whether it can do nothing without its kernel, so that the fallback comes back when that restarts.
    """

    fallback_id = traitlets.Unicode().tag(sync=True)
    needs_kernel = traitlets.Bool(True).tag(sync=True)
    replaces_fallback = False  # whether it was shown in that way

    def __init__(self, **state: Any) -> None:
        id = uuid4().hex
        super().__init__(model_id=id, fallback_id=id, **state)


def shown(piece: Any, fallback: dict[str, str], make: Callable[[], FrontEnd], **kwargs: Any) -> Any:
    """What Jupyter is given for a piece: its static fallback, and where someone is there to use it, its front end.

    Args:
        piece: keeps its front end as `_front_end`, so that all views share one.
        fallback: mime type to static content.
        make: makes the front end: at the first view, and again after somebody closed all widgets.
        kwargs: of `_repr_mimebundle_`.
    """
    if not is_interactive():
        return fallback
    front_end = of(piece, make)
    if is_lab():
        front_end.replaces_fallback = True
        return _marked(fallback, front_end)
    view, metadata = front_end._repr_mimebundle_(**kwargs)
    return {**view, **fallback}, metadata


def of(piece: Any, make: Callable[[], FrontEnd]) -> FrontEnd:
    """The front end of a piece, kept as its `_front_end`; made if there is none, or somebody closed all widgets."""
    front_end = piece.__dict__.get("_front_end")
    if front_end is None or front_end.comm is None:
        front_end = piece._front_end = make()
    return front_end


def display(piece: Any, fallback: dict[str, str], make: Callable[[], FrontEnd]) -> None:
    """Show a piece, in `_ipython_display_`, so that `renew` can bring its fallback up to date."""
    from IPython.display import display as show

    bundle = shown(piece, fallback, make)
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    front_end = piece.__dict__.get("_front_end")
    show(data, metadata=metadata, raw=True, display_id=front_end.fallback_id if front_end else None)


def renew(piece: Any, fallback: dict[str, str]) -> None:
    """Bring the fallback in the notebook up to date, which is what is seen when the notebook is opened again."""
    front_end = piece.__dict__.get("_front_end")
    if front_end is None or front_end.comm is None or not front_end.replaces_fallback:
        return
    from IPython.display import update_display

    update_display(_marked(fallback, front_end), display_id=front_end.fallback_id, raw=True)


def mark(front_end: FrontEnd) -> str:
    """The class by which the page finds the fallback whose place this front end takes.

    With the class `unet-part` beside it, it takes the place of that element alone and not of the whole output.
    """
    return f"unet-fallback-{front_end.fallback_id}"


def _marked(fallback: dict[str, str], front_end: FrontEnd) -> dict[str, str]:
    return {**fallback, "text/html": f'<div class="{mark(front_end)}">{fallback["text/html"]}</div>'}


# ---- what kind of page is at the other end ----


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
