"""The page's side of the architecture graph: a picture with parts to select, the card of one, the field of a pixel."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets
from ipywidgets import HBox, Layout

from helpers import frontend, markup
from helpers.graph import layout
from helpers.graph.card import Card
from helpers.graph.fallback import HINT, LEGEND, description, table

if TYPE_CHECKING:
    from torch import Tensor

    from helpers.graph.model import GraphModel
    from helpers.tracing.influence import Influence, InputInfluence

MAP_SIDE = 128  # pixels along the longer side of a feature map on the page; a larger one is thinned out


class GraphFrontEnd(frontend.FrontEnd):
    """The thin front end of an `ArchitectureGraph`: what is drawn and selected, as traits. All views share them.

    Traits:
        drawing: picture (`svg`), neighbours of its parts by arrow key, and all words and tables around it.
        selected: name of the selected part, or "".
        card: of the selected part: its head, text, facts and feature maps; empty where none is selected.
        output: the map of which a pixel can be selected; empty where there is none.
        pixel: the selected one, and what it sees of each image; empty where none is selected.
        busy: a model is running.
        answered: number of the last request that was dealt with.
        problem: why it could not be done, in words; empty if it was.
    """

    _esm = frontend.module(Path(__file__).with_name("graph.js"))
    _css = frontend.style(Path(__file__).with_name("graph.css"))
    drawing = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
    card = traitlets.Dict().tag(sync=True)
    output = traitlets.Dict().tag(sync=True)
    pixel = traitlets.Dict().tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, graph: GraphModel) -> None:
        super().__init__()
        self._graph = graph
        self.show()
        self.on_msg(self._on_request)

    def show(self) -> None:
        """Bring the page up to date with the latest run: another picture, no pixel, the same part if it is there."""
        graph = self._graph
        with self.hold_sync():  # one message, so that no view shows parts of two runs
            self.drawing = _drawing(graph)
            self._select(self.selected if self.selected in graph.parts() else "")
            self.output = _output(graph.trace.output.values, 0) if graph.trace and graph.trace.output else {}
            self.pixel = {}
            self.problem = ""

    def _on_request(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if "pixel" in content:
            self.busy = True  # on its way to the page before the model runs
        with self.hold_sync():
            self.problem = ""
            try:
                if "select" in content:
                    self._select(content["select"])
                if "pixel" in content:
                    row, column = content["pixel"]
                    self._see(self._graph.sees(row, column, content.get("channel")))
            except ValueError as error:  # no such part or pixel, the model raises: said where it was asked
                self.problem = str(error)
                if "pixel" in content:
                    self.pixel = {}  # what an older network showed is not the answer
            finally:
                self.busy = False
                self.answered = content["number"]

    def _select(self, name: str) -> None:
        self.card = _card(self._graph.select(name)) if name else {}
        self.selected = name

    def _see(self, influence: Influence) -> None:
        self.output = _output(influence.output, influence.channel)
        self.pixel = {
            "row": influence.row,
            "column": influence.column,
            "title": influence.title,
            "facts": [markup.as_html(fact) for fact in influence.facts()],
            "inputs": [_seen(seen) for seen in influence.inputs],
        }


def beside(fronts: Iterable[GraphFrontEnd]) -> HBox:
    """Several graphs next to each other, where the page is wide enough."""
    fronts = list(fronts)
    for front_end in fronts:
        front_end.layout.flex = f"1 1 {layout.READABLE}px"
    return HBox(fronts, layout=Layout(flex_flow="row wrap", grid_gap="1.5em", width="100%"))


def _drawing(graph: GraphModel) -> dict[str, Any]:
    title, state = graph.title(), graph.state()
    labels = {name: _spoken(graph.select(name)) for name in graph.parts()}
    about = description(graph.trace, title, state)
    svg, neighbours = layout.draw_parts(graph.trace, graph.depth, graph.unlocked, title, about, labels)
    return {
        "title": title,
        "network": f"{graph.trace.title}, {graph.trace.parameters:,} parameters" if graph.trace else "",
        "svg": svg,
        "neighbours": neighbours,
        "said": [markup.as_html(said) for said in graph.sentences()],
        "state": html.escape(state),
        "legend": LEGEND if graph.trace else markup.as_html(HINT),
        "table": table(graph.trace),
        "no_output": graph.no_output(),
    }


def _spoken(card: Card) -> str:
    """What a screen reader says of a part before it is selected."""
    facts = card.facts() or ["unlocked, not run here" if card.unlocked else "locked"]
    return markup.as_text(f"{card.name}: {' '.join(facts)}")


def _card(card: Card) -> dict[str, Any]:
    return {
        "head": card.head(),
        "text": markup.as_html(card.text()),
        "facts": [markup.as_html(fact) for fact in card.facts()],
        "maps_title": card.maps_title(),
        "maps": [_map(channel, values) for channel, values in card.maps],
    }


def _map(channel: int, values: Tensor) -> dict[str, Any]:
    from helpers import show

    thin = max(1, math.ceil(max(values.shape) / MAP_SIDE))
    spread = f"{float(values.min()):.3g} to {float(values.max()):.3g}"
    rgb = show.colours(values[::thin, ::thin].nan_to_num())
    return {"title": f"channel {channel}: {spread}", "alt": f"channel {channel}, {spread}", **_pixels(rgb)}


def _output(values: Tensor, channel: int) -> dict[str, Any]:
    from helpers import show
    from helpers.tracing.influence import output_span

    shown = values[channel].nan_to_num()
    name = f"output, channel {channel} of {len(values)}" if len(values) > 1 else "output"
    title = f"{name}: {float(shown.min()):.3g} to {float(shown.max()):.3g}"
    return {"title": title, "channels": len(values), **_pixels(show.colours(shown, output_span(shown)))}


def _seen(seen: InputInfluence) -> dict[str, Any]:
    (top, _), (left, _), (high, wide) = seen.composed.rows, seen.composed.columns, seen.composed.sides
    alt = f"{seen.name}: a frame around {seen.composed}; {seen.moving:,} pixels are tinted."
    frame = {"top": top, "left": left, "height": high, "width": wide} if high and wide else {}
    rgb = seen.colours()
    return {"title": f"{seen.name}: what moves it", "alt": alt, "frame": frame, **_pixels(rgb)}


def _pixels(rgb: Any) -> dict[str, Any]:
    return {"height": rgb.shape[0], "width": rgb.shape[1], "rgb": rgb.tobytes()}
