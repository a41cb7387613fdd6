"""`ArchitectureGraph`: the U of blocks, drawn from the network that really ran.

    graph = ArchitectureGraph()
    graph                              the locked U
    graph.forward(model, image)        runs a model or a piece of one, and draws what executed
    graph.select("encoder 1")          what it is for, and its feature maps of the image
    graph.sees(40, 52)                 what that pixel of the output sees of the image
    graph.beside(other_model)          another network next to it, on the same image

What has been unlocked is kept from lesson to lesson. `model` knows what ran (through `helpers.tracing`), `layout` draws
it, `fallback` and `frontend` show it.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from helpers import frontend, markup
from helpers.errors import InputError, called_as
from helpers.graph import layout
from helpers.graph.fallback import HINT, LEGEND, as_lines, paragraph, picture, problems, table
from helpers.graph.model import GraphModel

if TYPE_CHECKING:
    from torch import Tensor

    from helpers.graph.frontend import GraphFrontEnd
    from helpers.tracing.results import Trace


class ArchitectureGraph(frontend.Piece, GraphModel):
    """The U, locked at first; each part is unlocked by a network or a piece in which it really executes.

    Attributes and arguments are those of `GraphModel`.
    """

    _front_end: GraphFrontEnd | None = None

    @called_as("graph.forward(model, image)")
    def forward(self, model: Callable, *images: Tensor) -> ArchitectureGraph:
        """Run a model, or a piece of one, on an image, and unlock what executed: see `GraphModel.forward`."""
        super().forward(model, *images)
        if self._front_end:
            self._front_end.show()
        return self

    @called_as("graph.beside(other_model)")
    def beside(self, other: Callable, *images: Tensor) -> Beside:
        """Draw a second network next to this one; what it runs unlocks nothing.

        Args:
            other: any model.
            images: what it runs on; the images of the latest `forward` when not given.

        Raises:
            ValueError: there is no image yet.
        """
        from helpers.tracing.trace import trace

        images = images or self._images
        if not images:
            raise InputError("There is no image yet. Call graph.forward(model, image) first, or give one here.")
        second = ArchitectureGraph(self.depth)
        second.unlocked = set(self.unlocked)
        second._take(trace(other, *images), other, images)
        return Beside(self, second)

    def __repr__(self) -> str:
        lines = [*as_lines(self.trace, self.title()), *(f"! {said}" for said in self.sentences()), self.state()]
        if self.trace is None:
            lines.append(markup.as_text(HINT))
        return "\n".join(lines)

    def as_html(self) -> str:
        """Picture, sentences and table as HTML."""
        parts = [picture(self.trace, self.depth, self.unlocked, self.title(), self.state())]
        parts += [paragraph(f"<b>!</b> {markup.as_html(said)}") for said in self.sentences()]
        parts.append(paragraph(html.escape(self.state())))
        if self.trace is None:
            parts.append(paragraph(markup.as_html(HINT)))
        else:
            parts.append(f'<p style="margin:.3em 0;font-size:90%">{LEGEND}</p>')
        return f'<div style="max-width:62em">{"".join(parts)}{table(self.trace)}</div>'

    def _make_front_end(self) -> GraphFrontEnd:
        from helpers.graph.frontend import GraphFrontEnd

        return GraphFrontEnd(self)


class Beside:
    """Two networks, drawn next to each other: `graphs`, of which each can be selected in."""

    def __init__(self, *graphs: ArchitectureGraph) -> None:
        self.graphs = graphs

    def _both(self) -> list[Trace]:
        return [graph.trace for graph in self.graphs if graph.trace]

    def __repr__(self) -> str:
        found = []
        for trace in self._both():
            found += as_lines(trace, f"Architecture graph of {trace.title}")
            found += [f"! {said}" for said in problems(trace)]
        return "\n".join(found)

    def as_html(self, marks: Sequence[str] = ("", "")) -> str:
        """Both fallbacks next to each other; `marks` are classes for them."""
        columns = []
        for trace, mark in zip(self._both(), marks, strict=True):
            title = f"Architecture graph of {trace.title}"
            said = "".join(paragraph(f"<b>!</b> {markup.as_html(said)}") for said in problems(trace))
            head = f"<b>{html.escape(trace.title)}</b>, {trace.parameters:,} parameters"
            drawn = picture(trace, self.graphs[0].depth, self.graphs[0].unlocked, title, head)
            inside = f"{paragraph(head)}{drawn}{said}{table(trace)}"
            columns.append(f'<div class="{mark}" style="flex:1 1 {layout.READABLE}px;min-width:0">{inside}</div>')
        return f'<div style="display:flex;flex-wrap:wrap;gap:1.5em">{"".join(columns)}</div>'

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        fallback = {"text/plain": repr(self), "text/html": self.as_html()}
        if not frontend.is_interactive():
            return fallback
        fronts = [graph.front_end() for graph in self.graphs]
        if frontend.is_lab():
            return {**fallback, "text/html": self.as_html([f"{frontend.mark(one)} unet-part" for one in fronts])}
        from helpers.graph.frontend import beside

        # Not by the box's own `_repr_mimebundle_`: ipywidgets 7, which Colab has, knows none.
        view = {"version_major": 2, "version_minor": 0, "model_id": beside(fronts).model_id}
        return {"application/vnd.jupyter.widget-view+json": view, **fallback}
