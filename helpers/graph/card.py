"""The card of a part of the graph: what it is for, its facts, its feature maps."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers import markup
from helpers.graph import layout
from helpers.graph.concepts import Concept, concepts
from helpers.graph.fallback import paragraph
from helpers.tracing.results import Edge, Node

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(repr=False)
class Card:
    """A part of the graph, the concept it is an example of, and whether that is unlocked."""

    name: str
    concept: Concept | None
    part: Node | Edge | None
    unlocked: bool

    def head(self) -> str:
        """Name of the part and of what it is an example of."""
        title = self.concept.title if self.concept else ""
        if self.part is None:
            return title or self.name
        return f"{self.part.name} · {title}" if title and title.lower() != self.part.name else self.part.name

    def text(self) -> str:
        """What it is for, or that it is locked; marked up as in `markup`."""
        if self.concept is None or self.unlocked:
            return self.concept.text if self.concept else ""
        return f"Locked. It opens when a network runs it; you meet it in lesson {self.concept.lesson[:2]}."

    def facts(self) -> list[str]:
        """What was measured, a sentence each; marked up as in `markup`."""
        return _facts(self.part) if self.part is not None else []

    @property
    def maps(self) -> list[tuple[int, Tensor]]:
        """Channel and values of each of its feature maps that are kept."""
        if self.part is None or self.part.maps is None:
            return []
        return list(zip(self.part.channels, self.part.maps, strict=True))

    def maps_title(self) -> str:
        """Which of its feature maps are kept; empty where there are none."""
        if self.part is None or not self.maps:
            return ""
        shape = self.part.shape if isinstance(self.part, Edge) else self.part.shape_out
        kept, whole = len(self.maps), shape[1] if len(shape) == 4 else 0
        return f"{kept} of {whole} maps, those that vary most" if whole > kept else "All maps"

    def __repr__(self) -> str:
        lines = [self.head(), self.text(), *self.facts()]
        if self.maps:
            lines.append(f"{self.maps_title()}: channels {', '.join(str(c) for c, _ in self.maps)}.")
        return "\n".join(line for line in lines if line)

    def as_html(self) -> str:
        """The card with its feature maps as HTML."""
        parts = [paragraph(f"<b>{html.escape(self.head())}</b>"), paragraph(markup.as_html(self.text()))]
        parts += [paragraph(markup.as_html(fact)) for fact in self.facts()]
        if self.part is not None and self.maps:
            from helpers import show

            ranges = (f"channel {c} from {float(m.min()):.3g} to {float(m.max()):.3g}" for c, m in self.maps)
            alt = f"Feature maps of {self.part.name}: {'; '.join(ranges)}"
            parts.append(paragraph(html.escape(self.maps_title()) + ":"))
            panels = [(f"channel {c}", m) for c, m in self.maps]
            for k in range(0, len(panels), 4):
                parts.append(show.grid_html(panels[k : k + 4], alt if k == 0 else "The other maps named above."))
        return (
            f'<div style="max-width:62em;border-left:4px solid currentColor;padding:.1em .9em">{"".join(parts)}</div>'
        )

    def _repr_mimebundle_(self, **_kwargs: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.as_html()}


def concept_of(part: Node | Edge) -> str | None:
    """Key of the concept that a node or a skip is an example of."""
    if isinstance(part, Edge):
        return "skip connection"
    kinds = {"pool": "pooling", "up": "up-convolution", "head": "head 1x1"}
    return kinds.get(part.kind) or concept_named(part.name)


def concept_named(name: str) -> str | None:
    """Key of the concept that a name such as "encoder 1" stands for."""
    words = {"encoder": "encoder", "decoder": "decoder", "skip": "skip connection", "head": "head 1x1"}
    first = name.split(" ")[0]
    found = words.get(first, name if name in concepts() else first)
    return found if found in concepts() else None


def _facts(part: Node | Edge) -> list[str]:
    if isinstance(part, Edge):
        zeros = ", nothing but zeros" if part.zeros else ""
        return [f"{part.source} → {part.target}: {part.shape}{zeros}{', ' + part.how if part.how else ''}."]
    if part.kind == "image":
        return [f"Shape {part.shape_out}."]
    found = [f"Shape {' and '.join(map(str, part.shapes_in))} in, {part.shape_out} out."]
    if part.kind != "output":
        what = f"{part.what[:1].upper()}{part.what[1:]}: " if part.what else ""
        costs = f"{part.time:.0%} of the time, {part.memory:.0%} of the memory"
        found.append(f"{what}{part.parameters:,} parameters, {costs}.")
    found.append(f"Each value sees {layout.field_of_view(part.receptive_field)} pixels of the image.")
    if part.modules:
        found.append("In your code: " + ", ".join(f"`{name}`" for name in part.modules) + ".")
    return found + part.problems
