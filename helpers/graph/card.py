"""The card of a part of the graph: what it is for, its facts, its feature maps."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from helpers import markup
from helpers.graph import layout
from helpers.graph.concepts import Concept, concepts
from helpers.graph.fallback import paragraph

if TYPE_CHECKING:
    from helpers.tracing.trace import Edge, Node


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
        parts = [paragraph(f"<b>{html.escape(self.head())}</b>"), paragraph(markup.as_html(self.text()))]
        parts += [paragraph(markup.as_html(fact)) for fact in self.facts()]
        if self.has_maps():
            from helpers import show

            panels = [(f"channel {c}", m) for c, m in zip(self.part.channels, self.part.maps, strict=True)]
            alt = f"Feature maps of {self.part.name}: " + "; ".join(
                f"channel {c} from {float(m.min()):.3g} to {float(m.max()):.3g}"
                for c, m in zip(self.part.channels, self.part.maps, strict=True)
            )
            parts.append(paragraph(html.escape(self.maps_title()) + ":"))
            for k in range(0, len(panels), 4):
                parts.append(show.grid_html(panels[k : k + 4], alt if k == 0 else "The other maps named above."))
        return (
            f'<div style="max-width:62em;border-left:4px solid currentColor;padding:.1em .9em">{"".join(parts)}</div>'
        )

    def _repr_mimebundle_(self, **_kwargs: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.as_html()}


def concept_of(part: Node | Edge) -> str | None:
    """Key of the concept that a node or a skip is an example of."""
    if not hasattr(part, "kind"):
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
    if not hasattr(part, "kind"):
        zeros = ", nothing but zeros" if part.zeros else ""
        return [f"{part.source} → {part.target}: {part.shape}{zeros}{', ' + part.how if part.how else ''}."]
    if part.kind == "image":
        return [f"Shape {part.shape_out}."]
    found = [f"Shape {' and '.join(map(str, part.shapes_in))} in, {part.shape_out} out."]
    if part.kind != "output":
        costs = f"{part.time:.0%} of the time, {part.memory:.0%} of the memory"
        found.append(f"{_what(part)}{part.parameters:,} parameters, {costs}.")
    found.append(f"Each value sees {layout.field_of_view(part.receptive_field)} pixels of the image.")
    if part.modules:
        found.append("In your code: " + ", ".join(f"`{name}`" for name in part.modules) + ".")
    return found + part.problems


def _what(node: Node) -> str:
    return f"{node.what[:1].upper()}{node.what[1:]}: " if node.what else ""
