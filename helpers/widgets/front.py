"""What the front ends of all pieces share: their JavaScript, and the moment in which one is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.widgets import host

SHARED = Path(__file__).with_name("front.js")


def module(path: Path) -> str:
    """The JavaScript module of a front end: what all share, then its own file.

    anywidget hands one module to the page, and that cannot import a file beside it.
    """
    return f"{SHARED.read_text(encoding='utf-8')}\n{path.read_text(encoding='utf-8')}"


def shown(piece: Any, twin: dict[str, str], make: Callable[[], Any], **kwargs: Any) -> Any:
    """What Jupyter is given for a piece: its static twin, and where someone is there to use it, its front end.

    Args:
        piece: keeps its front end as `_front`, so that all views share one.
        twin: mime type to static content.
        make: makes the front end: at the first view, and again after somebody closed all widgets.
        kwargs: of `_repr_mimebundle_`.
    """
    if not host.is_interactive():
        return twin
    front = piece.__dict__.get("_front")
    if front is None or front.comm is None:
        front = piece._front = make()
    view, metadata = front._repr_mimebundle_(**kwargs)
    return {**view, **twin}, metadata
