"""A traced network as text, picture and table: what the graph shows where no widget can be."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from helpers import markup
from helpers.graph import layout

if TYPE_CHECKING:
    from helpers.tracing.results import Trace

LEGEND = (
    "In a box: channels × rows × columns that come out; parameters; how many pixels of the image a value sees; the "
    "bar is its fraction of the time. Hatched: something is wrong there, and is said above."
)
HINT = "`graph.forward(piece, image)` runs a piece of yours and unlocks what executed."
COMPOSED = (
    "`sees` is the receptive field, at most: composed from kernel, stride and offset of every operation on the way "
    "from the image, as if it had no border; time is measured on this run; memory counts the results that were made."
)


def problems(trace: Trace) -> list[str]:
    """What has to be said about a run, worst first."""
    found = [trace.error] if trace.error else []
    return found + [f"{node.name}: {problem}" for node in trace.nodes for problem in node.problems] + trace.notes


def as_lines(trace: Trace | None, title: str) -> list[str]:
    """The network as text: a line for each part."""
    if trace is None:
        return [f"{title}."]
    lines = [f"{title}: {trace.parameters:,} parameters."]
    for node in trace.nodes:
        if node.kind == "image":
            lines.append(f"  {node.name:<18} {node.shape_out}")
        elif node.kind != "output":
            into = " + ".join(map(str, node.shapes_in))
            costs = f"{node.parameters:,} parameters, {node.time:.0%} of time, {node.memory:.0%} of memory"
            sees = f"sees {layout.field_of_view(node.receptive_field)}"
            what = f"; {node.what}" if node.what else ""
            lines.append(f"  {node.name:<18} {into} → {node.shape_out}; {costs}, {sees}{what}")
    for edge in trace.skips:
        zeros = ", nothing but zeros" if edge.zeros else ""
        lines.append(f"  {edge.name:<18} {edge.source} → {edge.target}, {edge.shape}{zeros}, {edge.how}")
    return lines


def paragraph(text: str) -> str:
    """A paragraph of HTML."""
    return f'<p style="margin:.3em 0">{text}</p>'


def picture(trace: Trace | None, depth: int, unlocked: set[str], title: str, about: str) -> str:
    """The U as SVG, with `about` in its description."""
    return layout.draw(trace, depth, unlocked, title, description(trace, title, about))


def description(trace: Trace | None, title: str, about: str) -> str:
    """The picture in words, for those who do not see it."""
    return " ".join(line.strip().rstrip(".") + "." for line in [*as_lines(trace, title)[1:], about])


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
                layout.field_of_view(node.receptive_field),
                remark,
            ]
        )
    for edge in trace.skips:
        row = [edge.name, str(edge.shape), "", f"{edge.source} → {edge.target}, {edge.how}", "", "", "", ""]
        rows.append([*row, "nothing but zeros" if edge.zeros else ""])
    cells = [[html.escape(name), *map(markup.as_html, rest)] for name, *rest in rows]
    said = paragraph(markup.as_html(COMPOSED))
    return f"<details><summary>All parts as a table</summary>{said}{markup.table(heads, cells)}</details>"
