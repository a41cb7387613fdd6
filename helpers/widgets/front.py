"""What the front ends of all pieces share: JavaScript, style, and how a piece comes onto a page.

In JupyterLab and Notebook a piece is written into the notebook as its static twin alone, and its front end takes the
twin's place on the page for as long as the kernel has it (`initialize` in `front.js`). A widget view in a saved
notebook ends as "Error displaying widget: model not found" when the notebook is opened again; a twin is still there.
Elsewhere (Colab, VS Code) a front end is loaded only by a widget view, so there the output has both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from helpers.widgets import host

SHARED = Path(__file__).with_name("front.js")
SHARED_STYLE = Path(__file__).with_name("front.css")
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


class Front(anywidget.AnyWidget):
    """The base of all front ends.

    Traits:
        host: this widget's own id; the page finds the twin to be replaced by it.
        needs_kernel: whether it can do nothing without its kernel, so that the twin comes back when that restarts.
    """

    host = traitlets.Unicode().tag(sync=True)
    needs_kernel = traitlets.Bool(True).tag(sync=True)
    takes_twins_place = False  # whether it was shown in that way

    def __init__(self, **state: Any) -> None:
        id = uuid4().hex
        super().__init__(model_id=id, host=id, **state)


def shown(piece: Any, twin: dict[str, str], make: Callable[[], Front], **kwargs: Any) -> Any:
    """What Jupyter is given for a piece: its static twin, and where someone is there to use it, its front end.

    Args:
        piece: keeps its front end as `_front`, so that all views share one.
        twin: mime type to static content.
        make: makes the front end: at the first view, and again after somebody closed all widgets.
        kwargs: of `_repr_mimebundle_`.
    """
    if not host.is_interactive():
        return twin
    front = of(piece, make)
    if host.is_lab():
        front.takes_twins_place = True
        return _marked(twin, front)
    view, metadata = front._repr_mimebundle_(**kwargs)
    return {**view, **twin}, metadata


def of(piece: Any, make: Callable[[], Front]) -> Front:
    """The front end of a piece, which it keeps as `_front`; made if there is none, or somebody closed all widgets."""
    front = piece.__dict__.get("_front")
    if front is None or front.comm is None:
        front = piece._front = make()
    return front


def display(piece: Any, twin: dict[str, str], make: Callable[[], Front]) -> None:
    """Show a piece, in `_ipython_display_`, so that `renew` can bring its twin up to date."""
    from IPython.display import display as show

    bundle = shown(piece, twin, make)
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    front = piece.__dict__.get("_front")
    show(data, metadata=metadata, raw=True, display_id=front.host if front else None)


def renew(piece: Any, twin: dict[str, str]) -> None:
    """Bring the twin in the notebook up to date, which is what is seen when the notebook is opened again."""
    front = piece.__dict__.get("_front")
    if front is None or front.comm is None or not front.takes_twins_place:
        return
    from IPython.display import update_display

    update_display(_marked(twin, front), display_id=front.host, raw=True)


def mark(front: Front) -> str:
    """The class by which the page finds the twin whose place this front end takes.

    With the class `unet-part` beside it, it takes the place of that element alone and not of the whole output.
    """
    return f"unet-twin-{front.host}"


def _marked(twin: dict[str, str], front: Front) -> dict[str, str]:
    return {**twin, "text/html": f'<div class="{mark(front)}">{twin["text/html"]}</div>'}
