"""What the front ends of all pieces share: JavaScript, style, and how a piece comes onto a page.

In JupyterLab and Notebook only the static fallback of a piece is written into the notebook, and its front end replaces
it on the page for as long as the kernel has it (`initialize` in `frontend.js`). A widget view would be "Error
displaying widget: model not found" when the saved notebook is opened again; a fallback is still there. Elsewhere
(Colab, VS Code) only a widget view loads a front end, so there the output holds both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

SHARED = Path(__file__).with_name("frontend.js")
SHARED_STYLE = Path(__file__).with_name("frontend.css")
EXPORT = "export default { initialize, render };"


def module(path: Path) -> str:
    """The JavaScript module of a front end: the shared part, then its own file, which defines `render`.

    anywidget gives the page one module, which cannot import a file beside it.

    Raises:
        ValueError: the file does not export what the page needs.
    """
    own = path.read_text(encoding="utf-8")
    if EXPORT not in own:
        raise ValueError(f"{path.name} must end with `{EXPORT}`; `initialize` is in {SHARED.name}.")
    return f"{SHARED.read_text(encoding='utf-8')}\n{own}"


def style(path: Path) -> str:
    """The style sheet of a front end, whose root has the class `unet-front`: the shared part, then its own file."""
    return f"{SHARED_STYLE.read_text(encoding='utf-8')}\n{path.read_text(encoding='utf-8')}"


class FrontEnd(anywidget.AnyWidget):
    """The base of all front ends.

    Traits:
        fallback_id: this widget's own id, by which the page finds the fallback to replace.
        needs_kernel: whether it is useless without its kernel, so that the fallback returns when that restarts.
    """

    fallback_id = traitlets.Unicode().tag(sync=True)
    needs_kernel = traitlets.Bool(True).tag(sync=True)
    replaces_fallback = False

    def __init__(self, **state: Any) -> None:
        id = uuid4().hex
        super().__init__(model_id=id, fallback_id=id, **state)


class Piece:
    """What a cell shows: text and `as_html` anywhere, and its front end in their place where someone can use it."""

    _front_end: FrontEnd | None = None  # shared by all views

    def as_html(self) -> str:
        """The static fallback for a page."""
        raise NotImplementedError

    def _make_front_end(self) -> FrontEnd:
        raise NotImplementedError

    def front_end(self) -> FrontEnd:
        """The front end; made at the first view, and again after all widgets were closed."""
        if self._front_end is None or self._front_end.comm is None:
            self._front_end = self._make_front_end()
        return self._front_end

    def _fallback(self) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.as_html()}

    def _replaced(self) -> dict[str, str]:
        """The fallback with the mark by which the page puts the front end in its place."""
        fallback = self._fallback()
        return {**fallback, "text/html": f'<div class="{mark(self.front_end())}">{fallback["text/html"]}</div>'}

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if not is_interactive():
            return self._fallback()
        front_end = self.front_end()
        if is_lab():
            front_end.replaces_fallback = True
            return self._replaced()
        bundle = front_end._repr_mimebundle_(**kwargs)
        assert bundle is not None  # anywidget returns none only where ipywidgets has no view to show
        view, metadata = bundle
        return {**view, **self._fallback()}, metadata


class RenewedPiece(Piece):
    """A piece whose fallback in the notebook, which a reader sees who opens it again, can be brought up to date."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        front_end = self._front_end
        display(data, metadata=metadata, raw=True, display_id=front_end.fallback_id if front_end else None)

    def renew(self) -> None:
        """Update the fallback wherever it stands."""
        if self._front_end is not None and self._front_end.comm is not None and self._front_end.replaces_fallback:
            from IPython.display import update_display

            update_display(self._replaced(), display_id=self._front_end.fallback_id, raw=True)


def mark(front_end: FrontEnd) -> str:
    """The CSS class by which the page finds the fallback that this front end replaces.

    An element with the class `unet-part` too is replaced alone, any other with its whole output.
    """
    return f"unet-fallback-{front_end.fallback_id}"


def is_interactive() -> bool:
    """Whether a widget is worth showing: a Jupyter kernel runs a cell for a person.

    In the output of a headless run (nbconvert, nbgrader, jupytext) a widget would be an empty box. Such runs execute
    cells with `allow_stdin` false, the Jupyter protocol's sign that nobody is there to type.
    """
    request = _request()
    return request is not None and request.get("content", {}).get("allow_stdin", True)


def is_lab() -> bool:
    """Whether the page is JupyterLab or Notebook, which know every widget of the kernel, shown or not.

    With each cell they run they send which cells were deleted; Colab and VS Code do not.
    """
    request = _request()
    return request is not None and "deletedCells" in request.get("metadata", {})


def cell() -> str:
    """The id of the request that runs a cell: another each time one is run; empty outside a kernel."""
    return str((_request() or {}).get("header", {}).get("msg_id", ""))


def _request() -> dict[str, Any] | None:
    """The message that the kernel is answering; None outside a kernel."""
    from IPython import get_ipython

    shell = get_ipython()
    if not hasattr(shell, "kernel"):  # plain Python, or IPython in a terminal
        return None
    return shell.get_parent() or {}
