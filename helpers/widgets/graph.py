"""`ArchitectureGraph`: the U of blocks, drawn from the network that really ran.

    graph = ArchitectureGraph()
    graph                              the locked U
    graph.forward(model, image)        runs a model or a piece of one, and draws what executed
    graph.select("encoder 1")          what it is for, and its feature maps of the image
    graph.sees(40, 52)                 what that pixel of the output sees of the image
    graph.beside(other_model)          another network next to it, on the same image

What has been unlocked is kept from lesson to lesson. This is the model and its static twin; what runs is found in
`trace` and `sight`, and drawn in `graph_layout`; the page's side is `graph_front`.
"""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from helpers import markup
from helpers.widgets import front, graph_layout, host
from helpers.widgets.concepts import Concept, concepts, keep, kept_in, read

if TYPE_CHECKING:
    from torch import Tensor

    from helpers.widgets.graph_front import GraphFront
    from helpers.widgets.sight import Sight
    from helpers.widgets.trace import Edge, Node, Trace

LEGEND = (
    "In a box: channels × rows × columns that come out; parameters; how many pixels of the image a value sees; the "
    "bar is its share of the time. Hatched: something is wrong there, and is said above."
)
COMPOSED = (
    "`sees` is the receptive field, at most: composed from kernel, stride and offset of every operation on the way "
    "from the image, as if it had no border; time is measured on this run; memory counts the results that were made."
)


class ArchitectureGraph:
    """The U, locked at first; each part is unlocked by a network or a piece in which it really executes.

    Attributes:
        unlocked: keys of the concepts unlocked so far, in this and in earlier lessons.
        trace: what the latest `forward` found, or `None`.

    Args:
        depth: levels below full size of the U that is drawn until a network says how deep it is.
    """

    def __init__(self, depth: int = 4) -> None:
        self.depth = depth
        self.trace: Trace | None = None
        self._images: tuple[Tensor, ...] = ()
        self._model: Callable[[], Callable | None] | None = None
        self._front: GraphFront | None = None
        self._kept_in = kept_in()
        self.unlocked, self._said = read(self._kept_in)

    def forward(self, model: Callable, *images: Tensor) -> ArchitectureGraph:
        """Run a model, or a piece of one, on an image, and unlock what executed.

        Nothing of the model changes: it runs in evaluation mode and without gradients, and mode, parameters, running
        statistics and random generators are put back. One that raises is drawn as far as it came.

        Args:
            model: a module or a function of tensors: `UNet`, `Encoder`, `Down`, `DoubleConv`, one of smp's.
            images: float `(N, C, H, W)` or `(C, H, W)`; more than one where the piece takes more, as `Up` does.

        Returns:
            This graph: as the last line of a cell it is shown.

        Raises:
            TypeError: `model` cannot be called, or is a class.
            ValueError: an image is no float tensor of three or four dimensions.
        """
        from helpers.widgets.trace import trace  # torch loads here

        self._take(trace(model, *images), model, images)
        new = set(self.trace.concepts) - self.unlocked
        self.unlocked |= new
        # read again: another notebook may have unlocked something in the meantime
        self._said = keep(self._kept_in, self.unlocked | read(self._kept_in)[0]) if new else ""
        if self._front:
            self._front.show()
        return self

    def _take(self, found: Trace, model: Callable, images: tuple[Tensor, ...]) -> None:
        from helpers.widgets.running import way_to

        self.trace, self._model = found, way_to(model)
        self._images = tuple(image.detach().clone() for image in images)  # yours may be written into later

    def beside(self, other: Callable, *images: Tensor) -> Beside:
        """Draw a second network next to this one; what it runs unlocks nothing.

        Args:
            other: any model.
            images: what it runs on; the images of the latest `forward` when not given.

        Raises:
            ValueError: there is no image yet.
        """
        from helpers.widgets.trace import trace

        images = images or self._images
        if not images:
            raise ValueError("There is no image yet. Call graph.forward(model, image) first, or give one here.")
        second = ArchitectureGraph(self.depth)
        second.unlocked = set(self.unlocked)
        second._take(trace(other, *images), other, images)
        return Beside(self, second)

    def select(self, name: str) -> Card:
        """What a part is for, and its feature maps of the image.

        Args:
            name: a node such as `"encoder 1"`, a skip such as `"skip 0"`, a concept such as `"bottleneck"`, or an empty
                place of the U such as `"decoder 1"`.

        Raises:
            ValueError: there is nothing of that name; the message says what there is.
        """
        wanted = name.strip().lower()
        part = self._part(wanted)
        if part is not None and wanted not in concepts():
            key = _concept_of(part)
        elif wanted in concepts() or wanted in graph_layout.empty_places(self.trace, self.depth):
            key = _concept_named(wanted)
        else:  # as long as nothing has run, "encoder 9" and "skip" stand for their concept
            key = _concept_named(wanted) if self.trace is None or not wanted[-1:].isdigit() else None
        if key is None and part is None:
            names = [f'"{n}"' for n in [*self._names(), *concepts()]]
            raise ValueError(f"There is no {name!r} in this graph. Choose one of {', '.join(names)}.")
        return Card(name, concepts()[key] if key else None, part, key is None or key in self.unlocked)

    def sees(self, row: int, column: int, channel: int | None = None) -> Sight:
        """What a pixel of the output sees of the image: its receptive field, and the pixels that really move it.

        The network runs again, as it is now. The graph does not keep it: where nobody else does, it is gone.

        Args:
            row, column: of the output (the first of the results that has rows and columns), counted from 0.
            channel: of the output; the highest at that pixel when not given.

        Raises:
            CannotSee: nothing has run or gave an output, there is no such pixel, the network is gone or raises, or no
                gradient comes back from the output to the image. The message says which, and what to do.
        """
        from helpers.widgets.sight import CannotSee, look

        if self.trace is None:
            raise CannotSee("Nothing has run yet. Call graph.forward(model, image) first.")
        if self.trace.output is None:
            raise CannotSee(self.no_output())
        model = self._model()
        if model is None:
            raise CannotSee("The network that was drawn is gone: run graph.forward(model, image) again.")
        return look(model, self._images, self.trace.output, row, column, channel)

    def no_output(self) -> str:
        """Why there is no output of which a pixel could be selected; empty where there is one."""
        if self.trace is None or self.trace.output is not None:
            return ""
        if self.trace.error:
            return "The run stopped before it gave an output, so there is no output pixel to select."
        return "What it gave has no rows and columns made from the image, so there is no output pixel to select."

    def parts(self) -> list[str]:
        """Names of all that can be selected in the picture: nodes, skips, and empty places of the U."""
        return list(dict.fromkeys([*self._names(), *graph_layout.empty_places(self.trace, self.depth)]))

    def as_data(self) -> dict[str, Any]:
        """All that is shown, as plain data: what a front end draws."""
        return {
            "depth": self.depth,
            "unlocked": [key for key in concepts() if key in self.unlocked],
            "locked": [key for key in concepts() if key not in self.unlocked],
            "trace": _plain(self.trace),
            "said": self.sentences(),
        }

    def _names(self) -> list[str]:
        if self.trace is None:
            return []
        return [node.name for node in self.trace.nodes] + [edge.name for edge in self.trace.skips]

    def _part(self, wanted: str) -> Node | Edge | None:
        """The node or skip of that name, or the first of that concept."""
        if self.trace is None:
            return None
        parts = [*self.trace.nodes, *self.trace.skips]
        named = [part for part in parts if part.name.lower() == wanted]
        return next(iter(named), None) or next((part for part in parts if _concept_of(part) == wanted), None)

    # its words, and the static twin

    def title(self) -> str:
        """What the picture is of."""
        return f"Architecture graph of {self.trace.title}" if self.trace else "Architecture graph, nothing run yet"

    def sentences(self) -> list[str]:
        """What has to be said, worst first."""
        found = []
        if self.trace:
            found += [self.trace.error] if self.trace.error else []
            found += [f"{node.name}: {problem}" for node in self.trace.nodes for problem in node.problems]
            found += self.trace.notes
        return found + ([self._said] if self._said else [])

    def state(self) -> str:
        """What is unlocked, and what is not."""
        titles = {key: card.title.removeprefix("The ").lower() for key, card in concepts().items()}
        unlocked = [titles[key] for key in titles if key in self.unlocked]
        locked = [titles[key] for key in titles if key not in self.unlocked]
        if not unlocked:
            return f"All {len(locked)} parts are locked: {', '.join(locked)}. A part opens when a network runs it."
        text = f"Unlocked: {', '.join(unlocked)}."
        return f"{text} Still locked: {', '.join(locked)}." if locked else f"{text} Nothing is locked any more."

    def __repr__(self) -> str:
        lines = [*_as_lines(self.trace, self.title()), *(f"! {said}" for said in self.sentences()), self.state()]
        if self.trace is None:
            lines.append("graph.forward(piece, image) runs a piece of yours and unlocks what executed.")
        return "\n".join(lines)

    def as_html(self) -> str:
        """Picture, sentences and table as HTML."""
        parts = [_picture(self.trace, self.depth, self.unlocked, self.title(), self.state())]
        parts += [_paragraph(f"<b>!</b> {markup.as_html(said)}") for said in self.sentences()]
        parts.append(_paragraph(html.escape(self.state())))
        if self.trace is None:
            parts.append(
                _paragraph("<code>graph.forward(piece, image)</code> runs a piece of yours and unlocks what executed.")
            )
        else:
            parts.append(f'<p style="margin:.3em 0;font-size:90%">{LEGEND}</p>')
        return f'<div style="max-width:62em">{"".join(parts)}{table(self.trace)}</div>'

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return front.shown(self, {"text/plain": repr(self), "text/html": self.as_html()}, self._make_front, **kwargs)

    def _make_front(self) -> Any:
        from helpers.widgets.graph_front import GraphFront

        return GraphFront(self)


class Beside:
    """Two networks, drawn next to each other: `graphs`, of which each can be selected in."""

    def __init__(self, *graphs: ArchitectureGraph) -> None:
        self.graphs = graphs

    def _both(self) -> list[Trace]:
        return [graph.trace for graph in self.graphs if graph.trace]

    def __repr__(self) -> str:
        found = []
        for trace in self._both():
            found += _as_lines(trace, f"Architecture graph of {trace.title}")
            found += [f"! {said}" for said in _said(trace)]
        return "\n".join(found)

    def as_html(self, marks: Sequence[str] = ("", "")) -> str:
        """Both twins next to each other; `marks` are classes for them."""
        columns = []
        for trace, mark in zip(self._both(), marks, strict=True):
            title = f"Architecture graph of {trace.title}"
            said = "".join(_paragraph(f"<b>!</b> {markup.as_html(said)}") for said in _said(trace))
            head = f"<b>{html.escape(trace.title)}</b>, {trace.parameters:,} parameters"
            picture = _picture(trace, self.graphs[0].depth, self.graphs[0].unlocked, title, head)
            inside = f"{_paragraph(head)}{picture}{said}{table(trace)}"
            columns.append(f'<div class="{mark}" style="flex:1 1 {graph_layout.READABLE}px;min-width:0">{inside}</div>')
        return f'<div style="display:flex;flex-wrap:wrap;gap:1.5em">{"".join(columns)}</div>'

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        twin = {"text/plain": repr(self), "text/html": self.as_html()}
        if not host.is_interactive():
            return twin
        fronts = [front.of(graph, graph._make_front) for graph in self.graphs]
        if host.is_lab():
            return {**twin, "text/html": self.as_html([f"{front.mark(one)} unet-part" for one in fronts])}
        from helpers.widgets.graph_front import beside

        return {**beside(fronts)._repr_mimebundle_(**kwargs), **twin}


class Card:
    """A part of the graph: what it is for, its facts, its feature maps."""

    def __init__(self, name: str, concept: Concept | None, part: Node | Edge | None, unlocked: bool) -> None:
        self.name, self.concept, self.part, self.unlocked = name, concept, part, unlocked

    def head(self) -> str:
        """Name of the part and of what it is an example of."""
        title = self.concept.title if self.concept else ""
        if self.part is None:
            return title or self.name
        return f"{self.part.name} · {title}" if title and title.lower() != self.part.name else self.part.name

    def text(self) -> str:
        """What it is for, or that it is locked; marked up as in `markup`."""
        if not self.unlocked:
            return f"Locked. It opens when a network runs it; you meet it in lesson {self.concept.lesson[:2]}."
        return self.concept.text if self.concept else ""

    def facts(self) -> list[str]:
        """What was measured, a sentence each; marked up as in `markup`."""
        return _facts(self.part) if self.part is not None else []

    def maps_title(self) -> str:
        """Which of its feature maps are kept."""
        maps = self.part.maps
        shape = self.part.shape if hasattr(self.part, "shape") else self.part.shape_out
        whole = shape[1] if len(shape) == 4 else len(maps)
        return f"{len(maps)} of {whole} maps, those that vary most" if whole > len(maps) else "All maps"

    def has_maps(self) -> bool:
        """Whether it has feature maps to be shown."""
        return self.part is not None and self.part.maps is not None and len(self.part.maps) > 0

    def __repr__(self) -> str:
        lines = [self.head(), self.text(), *self.facts()]
        if self.has_maps():
            lines.append(f"{self.maps_title()}: channels {', '.join(map(str, self.part.channels))}.")
        return "\n".join(line for line in lines if line)

    def as_html(self) -> str:
        parts = [_paragraph(f"<b>{html.escape(self.head())}</b>"), _paragraph(markup.as_html(self.text()))]
        parts += [_paragraph(markup.as_html(fact)) for fact in self.facts()]
        if self.has_maps():
            from helpers import show

            panels = [(f"channel {c}", m) for c, m in zip(self.part.channels, self.part.maps, strict=True)]
            alt = f"Feature maps of {self.part.name}: " + "; ".join(
                f"channel {c} from {float(m.min()):.3g} to {float(m.max()):.3g}"
                for c, m in zip(self.part.channels, self.part.maps, strict=True)
            )
            parts.append(_paragraph(html.escape(self.maps_title()) + ":"))
            for k in range(0, len(panels), 4):
                parts.append(show.grid_html(panels[k : k + 4], alt if k == 0 else "The other maps named above."))
        return (
            f'<div style="max-width:62em;border-left:4px solid currentColor;padding:.1em .9em">{"".join(parts)}</div>'
        )

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.as_html()}


# ---- words and tables -----------------------------------------------------------------------------------------------


def _concept_of(part: Node | Edge) -> str | None:
    if not hasattr(part, "kind"):
        return "skip connection"
    kinds = {"pool": "pooling", "up": "up-convolution", "head": "head 1x1"}
    return kinds.get(part.kind) or _concept_named(part.name)


def _concept_named(name: str) -> str | None:
    words = {"encoder": "encoder", "decoder": "decoder", "skip": "skip connection", "head": "head 1x1"}
    first = name.split(" ")[0]
    found = words.get(first, name if name in concepts() else first)
    return found if found in concepts() else None


def _said(trace: Trace) -> list[str]:
    found = [trace.error] if trace.error else []
    return found + [f"{node.name}: {problem}" for node in trace.nodes for problem in node.problems] + trace.notes


def _facts(part: Node | Edge) -> list[str]:
    if not hasattr(part, "kind"):
        zeros = ", nothing but zeros" if part.zeros else ""
        return [f"{part.source} → {part.target}: {part.shape}{zeros}{', ' + part.how if part.how else ''}."]
    if part.kind == "image":
        return [f"Shape {part.shape_out}."]
    found = [f"Shape {' and '.join(map(str, part.shapes_in))} in, {part.shape_out} out."]
    if part.kind != "output":
        costs = f"{part.time:.0%} of the time, {part.memory:.0%} of the memory"
        found.append(f"{_what(part)}{part.parameters:,} parameters, {costs}.")
    found.append(f"Each value sees {graph_layout.field_of_view(part.receptive_field)} pixels of the image.")
    if part.modules:
        found.append("In your code: " + ", ".join(f"`{name}`" for name in part.modules) + ".")
    return found + part.problems


def _what(node: Node) -> str:
    return f"{node.what[:1].upper()}{node.what[1:]}: " if node.what else ""


def _as_lines(trace: Trace | None, title: str) -> list[str]:
    if trace is None:
        return [f"{title}."]
    lines = [f"{title}: {trace.parameters:,} parameters."]
    for node in trace.nodes:
        if node.kind == "image":
            lines.append(f"  {node.name:<18} {node.shape_out}")
        elif node.kind != "output":
            into = " + ".join(map(str, node.shapes_in))
            costs = f"{node.parameters:,} parameters, {node.time:.0%} of time, {node.memory:.0%} of memory"
            sees = f"sees {graph_layout.field_of_view(node.receptive_field)}"
            what = f"; {node.what}" if node.what else ""
            lines.append(f"  {node.name:<18} {into} → {node.shape_out}; {costs}, {sees}{what}")
    for edge in trace.skips:
        zeros = ", nothing but zeros" if edge.zeros else ""
        lines.append(f"  {edge.name:<18} {edge.source} → {edge.target}, {edge.shape}{zeros}, {edge.how}")
    return lines


def _paragraph(text: str) -> str:
    return f'<p style="margin:.3em 0">{text}</p>'


def _picture(trace: Trace | None, depth: int, unlocked: set[str], title: str, about: str) -> str:
    return graph_layout.draw(trace, depth, unlocked, title, description(trace, title, about))


def description(trace: Trace | None, title: str, about: str) -> str:
    """The picture in words, for those who do not see it."""
    return " ".join(line.strip().rstrip(".") + "." for line in [*_as_lines(trace, title)[1:], about])


def table(trace: Trace | None) -> str:
    """The same facts as a table, folded: for screen readers, and to read the numbers."""
    if trace is None:
        return ""
    heads = ["part", "shape in", "shape out", "what", "parameters", "time", "memory", "sees", "remark"]
    rows = []
    for node in trace.nodes:
        if node.kind in ("image", "output"):
            continue
        remark = " ".join(node.problems)
        rows.append(
            [
                node.name,
                " + ".join(map(str, node.shapes_in)),
                str(node.shape_out),
                node.what,
                f"{node.parameters:,}",
                f"{node.time:.0%}",
                f"{node.memory:.0%}",
                graph_layout.field_of_view(node.receptive_field),
                remark,
            ]
        )
    for edge in trace.skips:
        row = [edge.name, str(edge.shape), "", f"{edge.source} → {edge.target}, {edge.how}", "", "", "", ""]
        rows.append([*row, "nothing but zeros" if edge.zeros else ""])
    head = "".join(f'<th scope="col" style="text-align:left">{h}</th>' for h in heads)
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{html.escape(first)}</th>'
        + "".join(f'<td style="text-align:left">{markup.as_html(cell)}</td>' for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<details><summary>All parts as a table</summary>{_paragraph(markup.as_html(COMPOSED))}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></details>"
    )


def _plain(trace: Trace | None) -> dict[str, Any] | None:
    """A trace as JSON can hold it: without maps and output."""
    if trace is None:
        return None
    nodes = [_without_maps(node) for node in trace.nodes]
    for node in nodes:  # JSON knows no infinity
        node["receptive_field"] = [None if f == float("inf") else f for f in node["receptive_field"]]
    apart = ("nodes", "edges", "output")
    rest = {f.name: getattr(trace, f.name) for f in dataclasses.fields(trace) if f.name not in apart}
    return {**rest, "nodes": nodes, "edges": [_without_maps(edge) for edge in trace.edges]}


def _without_maps(part: Node | Edge) -> dict[str, Any]:
    return {f.name: getattr(part, f.name) for f in dataclasses.fields(part) if f.name != "maps"}
