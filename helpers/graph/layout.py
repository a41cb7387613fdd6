"""Draws a trace as a U, in SVG: the way down on the left, the way up on the right, a row for each level.

What a colour says is also said by place and name; a hatch means that something is wrong there, a dashed outline that it
is locked. Lines and text have the colour of the text around, so that they can be read on light and on dark.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.tracing.results import Edge, Node, Shape, Trace

# of the Okabe-Ito palette
BLUE, GREEN, ORANGE, PURPLE, VERMILION = "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#D55E00"

WIDTH, BOX, HEIGHT, ROW, INDENT, MARGIN = 800, 206, 68, 110, 12, 14
ARROWS = {"ArrowRight": (1, 0), "ArrowLeft": (-1, 0), "ArrowDown": (0, 1), "ArrowUp": (0, -1)}
READABLE = 600  # pixels of the page below which the words in a picture become too small
FITS = 28  # letters of the smaller size in a box
TOP, SMALL = 12, 40  # the row of image and head: where it begins, how tall its boxes are
FIRST = TOP + SMALL + 40  # where level 0 begins


@dataclass
class Box:
    """A rectangle with up to three lines of text.

    `state` is "lit" (it ran now), "open" (its concept was unlocked before) or "locked"; `hatched`: something is wrong.
    """

    name: str
    x: float
    y: float
    width: float
    height: float
    lines: list[str]
    colour: str
    state: str = "lit"
    hatched: bool = False
    tip: str = ""
    bar: float = 0.0

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2


def draw(
    trace: Trace | None, depth: int, unlocked: Iterable[str], title: str, description: str, strong: Iterable[str] = ()
) -> str:
    """The picture as an `<svg>` element.

    Args:
        trace: what ran; `None` for a U of which nothing has run.
        depth: levels of the U that is drawn where the trace does not say.
        unlocked: keys of the concepts that are not locked any more.
        title, description: for those who do not see the picture.
        strong: names of nodes and skips to stress.
    """
    return _svg(_Picture(trace, depth, set(unlocked), set(strong)), title, description, "img")


def draw_parts(
    trace: Trace | None, depth: int, unlocked: Iterable[str], title: str, description: str, labels: dict[str, str]
) -> tuple[str, dict[str, dict[str, str]]]:
    """The picture with parts that can be selected, and where the arrow keys lead from each of them.

    A part is an element with its name as `data-part`; the first of each name is a button, none of them a tab stop yet.

    Args:
        labels: name and spoken text of each part: nodes, skips, and places of the U that nothing has run at.
        rest: as of `draw`.

    Returns:
        The `<svg>` element, and of each part that was drawn its neighbours by the name of the key: "ArrowLeft".
    """
    picture = _Picture(trace, depth, set(unlocked), parts=labels)
    svg = _svg(picture, title, description, "group")
    return svg, _neighbours({name: picture.places[name] for name in labels if name in picture.places})


def empty_places(trace: Trace | None, depth: int) -> list[str]:
    """Names of the boxes of the U that are drawn although nothing ran there: "decoder 1"."""
    return [box.name for box, concept in _Picture(trace, depth).ghosts if concept]


def _svg(picture: _Picture, title: str, description: str, role: str) -> str:
    body = picture.paint()
    digest = hashlib.sha256((title + description + body).encode()).hexdigest()[:8]
    ids = {word: f"{word}-{digest}" for word in ("title", "about", "hatch", "head")}
    for word in ("hatch", "head"):
        body = body.replace(f"url(#{word})", f"url(#{ids[word]})")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {picture.height:.0f}" role="{role}" '
        f'aria-labelledby="{ids["title"]} {ids["about"]}" style="width:100%;max-width:{WIDTH}px;height:auto;'
        'background:transparent;font-family:system-ui,sans-serif">'
        f'<title id="{ids["title"]}">{html.escape(title)}</title>'
        f'<desc id="{ids["about"]}">{html.escape(description)}</desc>'
        f'<defs><pattern id="{ids["hatch"]}" width="7" height="7" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="3" height="7" fill="currentColor" fill-opacity=".75"/></pattern>'
        f'<marker id="{ids["head"]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>'
        f"{body}</svg>"
    )


def shown(shape: Shape) -> str:
    """`16 × 64 × 64`: without the number of images."""
    return " × ".join(map(str, shape[1:] if len(shape) > 1 else shape))


def short(n: int) -> str:
    """`680`, `13.9 k`, `2.36 M`."""
    if n < 10_000:
        return f"{n:,}"
    return f"{n / 1e3:.3g} k" if n < 1e6 else f"{n / 1e6:.3g} M"


def field_of_view(field: tuple[float, float]) -> str:
    """`44×44`, or that it is everything."""
    return "everything" if math.inf in field else f"{field[0]}×{field[1]}"


def _neighbours(places: dict[str, tuple[float, float]]) -> dict[str, dict[str, str]]:
    """The nearest part in the direction of each arrow key; where there is none, the one before or after."""
    names = list(places)
    found: dict[str, dict[str, str]] = {}
    for k, name in enumerate(names):
        x, y = places[name]
        found[name] = {}
        for key, (right, down) in ARROWS.items():
            ways = []
            for other in names:
                dx, dy = places[other][0] - x, places[other][1] - y
                along, across = dx * right + dy * down, abs(dx * down) + abs(dy * right)
                if other != name and along > 0 and along >= across / 2:
                    ways.append((along + 2 * across, other))
            step = k + right + down
            other = min(ways)[1] if ways else names[step] if 0 <= step < len(names) else ""
            if other:
                found[name][key] = other
    return found


class _Picture:
    def __init__(
        self,
        trace: Trace | None,
        depth: int,
        unlocked: Iterable[str] = (),
        strong: Iterable[str] = (),
        parts: dict[str, str] | None = None,
    ) -> None:
        self.parts = parts or {}  # name and spoken text of what can be selected
        self.places: dict[str, tuple[float, float]] = {}  # the middle of each that has been painted
        self.trace, self.unlocked, self.strong = trace, unlocked, strong
        self.nodes = trace.nodes if trace else []
        self.edges = trace.edges if trace else []
        levels = [node.level for node in self.nodes if node.kind in ("block", "output", "head")]
        self.whole = any(node.name == "bottleneck" for node in self.nodes)
        self.climbs = any(node.side == "up" and node.kind != "image" for node in self.nodes)
        self.falls = any(node.side == "down" and node.kind in ("block", "pool") for node in self.nodes)
        self.only_up = self.climbs and not self.falls
        if self.only_up:
            self.depth = max(node.level for node in self.nodes)
        else:
            self.depth = max([*levels, 0 if self.whole else depth])
        self.boxes: dict[str, Box] = {}
        self.ghosts: list[tuple[Box, str]] = []
        self.paths: list[str] = []
        self.labels: list[str] = []
        self.place()

    # places

    def at(self, side: str, level: int) -> tuple[float, int]:
        y = FIRST + ROW * level
        if level == self.depth and level > 0 and not self.only_up:
            return (WIDTH - BOX) / 2, y
        return (MARGIN + INDENT * level if side == "down" else WIDTH - MARGIN - BOX - INDENT * level), y

    def place(self) -> None:
        images = [node for node in self.nodes if node.kind == "image"]
        x: float
        for k, node in enumerate(images):
            if self.only_up and node.level > 0:
                x, y = (WIDTH - BOX) / 2, FIRST + ROW * node.level
            elif self.only_up and len(images) > 1:
                x, y = self.at("down", node.level)
            else:
                x, y = MARGIN + k * (BOX + 20), TOP
            self._add(node, x, y, SMALL if y == TOP else HEIGHT, "none", [shown(node.shape_out)])
        for node in self.nodes:
            if node.kind == "head":
                about = f"{node.what} · {shown(node.shape_out)}"
                self._add(node, WIDTH - MARGIN - BOX, TOP, SMALL + 8, PURPLE, [about])
            elif node.kind in ("block", "output"):
                x, y = self.at(node.side, node.level)
                colour = ORANGE if node.name == "bottleneck" else BLUE if node.side == "down" else GREEN
                lines = [shown(node.shape_out)]
                if node.kind == "block":
                    sees = f"sees {field_of_view(node.receptive_field)}"
                    line = f"{short(node.parameters)} parameter{'' if node.parameters == 1 else 's'} · {sees}"
                    lines.append(line if len(line) <= FITS else line.replace("parameters", "params"))
                self._add(node, x, y, HEIGHT, colour, lines)
        self._place_ghosts()
        lowest = max((box.y + box.height for box in self._all()), default=0)
        self.height = lowest + 12
        if self.trace and self.trace.unreached:
            self._place_unreached(self.trace.unreached, lowest + 34)

    def _all(self) -> list[Box]:
        return [*self.boxes.values(), *(box for box, _ in self.ghosts)]

    def _add(self, node: Node, x: float, y: float, height: float, colour: str, lines: list[str]) -> None:
        box = Box(node.name, x, y, BOX, height, [node.name, *lines], colour, tip=_tip(node), bar=node.time)
        box.hatched = bool(node.problems)
        self.boxes[node.name] = box

    def _place_ghosts(self) -> None:
        """The rest of the U, locked: all of it before anything has run, and what a piece is still missing."""
        if self.climbs:
            return
        lone_head = any(node.kind == "head" for node in self.nodes)
        levels = [node.level for node in self.nodes if node.kind in ("block", "output") and not lone_head]
        lowest = max(levels, default=-1)
        if not self.nodes:
            self.ghosts.append((Box("image", MARGIN, TOP, BOX, SMALL, ["image"], "none", "open"), ""))
        for level in range(lowest + 1, self.depth + 1):
            if level < self.depth:
                self._ghost(f"encoder {level}", "encoder", "down", level)
            elif not self.whole:
                self._ghost("bottleneck", "bottleneck", "down", level)
        for level in reversed(range(self.depth)):
            self._ghost(f"decoder {level}", "decoder", "up", level)
        if not lone_head:
            self._ghost("head", "head 1x1", "up", -1)

    def _ghost(self, name: str, concept: str, side: str, level: int) -> None:
        x, y = (WIDTH - MARGIN - BOX, TOP) if level < 0 else self.at(side, level)
        state = "open" if concept in self.unlocked else "locked"
        colours = {"encoder": BLUE, "bottleneck": ORANGE, "decoder": GREEN, "head 1x1": PURPLE}
        said = "unlocked, not run here" if state == "open" else "locked"
        height = SMALL + 8 if level < 0 else HEIGHT
        box = Box(name, x, y, BOX, height, [name, said], colours[concept], state, tip=f"{name}: {said}")
        self.ghosts.append((box, concept))

    def _place_unreached(self, unreached: list[tuple[str, int]], y: float) -> None:
        gap = 12
        across = int((WIDTH - 2 * MARGIN + gap) // (BOX + gap))
        for k, (name, count) in enumerate(unreached):
            row, column = divmod(k, across)
            top = y + row * (SMALL + 18)
            text = [name if len(name) <= FITS else f"…{name[-FITS + 1 :]}", f"not reached · {short(count)} params"]
            box = Box(f"not reached: {name}", MARGIN + column * (BOX + gap), top, BOX, SMALL + 6, text, "none")
            box.hatched, box.tip = True, f"{name} was not reached"
            self.boxes[box.name] = box
            self.height = top + SMALL + 18

    # paint

    def paint(self) -> str:
        if self.trace:
            self._paint_edges(self.trace)
        self._paint_ghost_edges()
        boxes = [self._box(box) for box in self._all()]
        if self.trace and self.trace.stopped_at in self.boxes:
            boxes.append(self._stop(self.boxes[self.trace.stopped_at]))
        return "".join([*self.paths, *boxes, *self.labels])

    def _box(self, box: Box) -> str:
        dash = ' stroke-dasharray="5 4"' if box.state == "locked" else ""
        opacity = {"lit": 0.28, "open": 0.1, "locked": 0.0}[box.state]
        fill = "none" if box.colour == "none" or not opacity else box.colour
        faint = ' opacity=".72"' if box.state == "locked" else ""
        width = 3.5 if box.name in self.strong else 1.5 if box.state == "lit" else 1
        parts = [
            f"<g{faint}{self._selectable(box.name, box.middle)}><title>{html.escape(box.tip or box.name)}</title>",
            f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="6" '
            f'fill="{fill}" fill-opacity="{opacity}" stroke="currentColor" stroke-width="{width}"{dash}/>',
        ]
        if box.hatched:
            for x in (box.x + 2, box.x + box.width - 14):
                parts.append(
                    f'<rect x="{x:.0f}" y="{box.y + 2:.0f}" width="12" height="{box.height - 4:.0f}" '
                    'fill="url(#hatch)"/>'
                )
        pitch = 17 if len(box.lines) > 2 else 18
        y = box.y + (box.height - pitch * (len(box.lines) - 1)) / 2 + 4 - (4 if box.bar else 0)
        for k, line in enumerate(box.lines):
            look = 'font-size="13.5" font-weight="600"' if k == 0 else 'font-size="11.5"'
            lock = _lock(box.x + 14, box.y + box.height / 2) if k == 0 and box.state == "locked" else ""
            parts.append(
                f'<text x="{box.middle[0]:.0f}" y="{y + pitch * k:.0f}" text-anchor="middle" fill="currentColor" '
                f"{look}>{html.escape(line)}</text>{lock}"
            )
        if box.bar:
            full, start = box.width - 32, f'<rect x="{box.x + 16:.0f}" y="{box.y + box.height - 7:.0f}"'
            parts.append(
                f'{start} width="{full:.0f}" height="3" fill="currentColor" fill-opacity=".15"/>'
                f'{start} width="{full * box.bar:.1f}" height="3" fill="currentColor"/>'
            )
        return "".join([*parts, "</g>"])

    def _selectable(self, name: str, middle: tuple[float, float]) -> str:
        """Attributes of the element that is selected under this name; none where that cannot be."""
        if name not in self.parts:
            return ""
        part = f' data-part="{html.escape(name, quote=True)}"'
        if name in self.places:  # another piece of the same, for the mouse
            return part
        self.places[name] = middle
        return f'{part} role="button" aria-pressed="false" aria-label="{html.escape(self.parts[name], quote=True)}"'

    def _line(self, name: str, pieces: list[str], path: str, label: tuple[float, float], texts: list[str]) -> None:
        """A connection: beneath the boxes, its words above them, unless it is selected as one."""
        selectable = self._selectable(name, label) if name not in self.boxes else ""
        if selectable:
            near = f'<path class="near" d="{path}" fill="none" stroke="transparent" stroke-width="22"/>'
            self.paths.append(f"<g{selectable}>{near}{''.join([*pieces, *texts])}</g>")
        else:
            self.paths += pieces
            self.labels += texts

    def _stop(self, box: Box) -> str:
        x, y = box.x + box.width - 4, box.y + 4
        return (
            f'<g><circle cx="{x:.0f}" cy="{y:.0f}" r="10" fill="{VERMILION}"/><path d="M{x - 4:.0f} {y - 4:.0f}l8 8m0 '
            f'-8l-8 8" stroke="#fff" stroke-width="2.2"/><title>it stopped here</title></g>'
        )

    def _paint_edges(self, trace: Trace) -> None:
        arrows = {node.name: node for node in trace.nodes if node.kind in ("pool", "up")}
        for edge in trace.edges:
            arrow, source = arrows.get(edge.source), self._before(edge.source, arrows)
            if edge.skip:
                self._skip(edge, self._beyond(edge.target, arrows))
            elif edge.target in arrows:  # drawn with what follows
                if self._beyond(edge.target, arrows) is None:
                    self._dangling(edge.source, arrows[edge.target])
            elif source:
                words = _words(arrow) if arrow else [edge.how] if edge.how else []
                self._arrow(self.boxes[source], self.boxes[edge.target], words, arrow.name if arrow else "")

    def _beyond(self, name: str, arrows: dict[str, Node]) -> str | None:
        while name in arrows:
            name = next((e.target for e in self.edges if e.source == name), "")
        return name or None

    def _before(self, name: str, arrows: dict[str, Node]) -> str | None:
        while name in arrows:
            name = next((e.source for e in self.edges if e.target == name and not e.skip), "")
        return name or None

    def _dangling(self, source: str, arrow: Node) -> None:
        """An arrow after which nothing more came, since the run stopped."""
        if source not in self.boxes:
            return
        lines = [f"after {arrow.name}", shown(arrow.shape_out)]
        ghost = Box(arrow.name, *self.at(arrow.side, arrow.level), BOX, HEIGHT, lines, "none", tip=_tip(arrow))
        self.boxes[arrow.name] = ghost
        self._arrow(self.boxes[source], ghost, _words(arrow), arrow.name)

    def _paint_ghost_edges(self) -> None:
        ghosts = {box.name: box for box, _ in self.ghosts}
        if not ghosts:
            return
        places = [self.at("down", level) for level in range(self.depth + 1)]
        chain = [box for place in places for box in self._all() if (box.x, box.y) == place]
        chain += [ghosts[f"decoder {k}"] for k in reversed(range(self.depth)) if f"decoder {k}" in ghosts]
        chain += [ghosts["head"]] if "head" in ghosts else []
        if not self.nodes:
            chain.insert(0, ghosts["image"])
        for a, b in itertools.pairwise(chain):
            if a.name in ghosts or b.name in ghosts:
                self._arrow(a, b, [], faint=True)

    def _arrow(self, a: Box, b: Box, words: list[str], name: str = "", faint: bool = False) -> None:
        (ax, ay), (bx, by) = a.middle, b.middle
        if abs(ay - by) < 5:
            start, end = (a.x + a.width, ay), (b.x, by)
            path, label, anchor = f"M{_p(start)}L{_p(end)}", ((start[0] + end[0]) / 2, ay - 7), "middle"
        elif abs(ax - bx) < 60:
            down = by > ay
            start, end = (ax, a.y + a.height if down else a.y), (bx, b.y if down else b.y + b.height)
            path = f"M{_p(start)}L{_p(end)}"
            on_left = ax < WIDTH / 2
            label = ((ax + bx) / 2 + (10 if on_left else -14), (start[1] + end[1]) / 2 + 4 - 6 * (len(words) - 1))
            anchor = "start" if on_left else "end"
        elif by > ay:  # down, then across
            edge = b.x if bx > ax else b.x + b.width
            path = f"M{ax:.0f} {a.y + a.height:.0f}V{by:.0f}H{edge:.0f}"
            label, anchor = ((ax + edge) / 2, by - 7 - 13 * (len(words) - 1)), "middle"
        else:  # across, then up
            edge = a.x + a.width if bx > ax else a.x
            path = f"M{edge:.0f} {ay:.0f}H{bx:.0f}V{b.y + b.height:.0f}"
            label, anchor = ((bx + edge) / 2, ay - 7 - 13 * (len(words) - 1)), "middle"
        width = 3 if name in self.strong and name else 1.6
        look = ' opacity=".45" stroke-dasharray="4 4"' if faint else ""
        piece = (
            f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="{width}" marker-end="url(#head)"{look}/>'
        )
        bold = name in self.strong
        texts = [_text(label[0], label[1] + 13 * k, word, anchor, bold) for k, word in enumerate(words)]
        self._line(name, [piece], path, label, texts)

    def _skip(self, edge: Edge, target: str | None) -> None:
        a, b = self.boxes.get(edge.source), self.boxes.get(target or "")
        if a is None or b is None:
            return
        start, end = (a.x + a.width, a.middle[1]), (b.x, b.middle[1])
        words = f"{edge.name} · {shown(edge.shape)}" + (f" · {edge.how}" if edge.how else "")
        path = f"M{_p(start)}L{_p(end)}"
        if edge.zeros:
            words = f"{edge.name} · carries only zeros"
            long = max(1, end[0] - start[0] - 8)
            pieces = [
                f'<rect x="{start[0]:.0f}" y="{start[1] - 5:.0f}" width="{long:.0f}" height="10" '
                'fill="url(#hatch)" stroke="currentColor" stroke-dasharray="4 3"/>'
                if start[1] == end[1]
                else f'<path d="{path}" stroke="url(#hatch)" stroke-width="10"/>'
            ]
        else:
            width = 4.5 if edge.name in self.strong else 3
            pieces = [
                f'<path d="{path}" fill="none" stroke="{VERMILION}" stroke-width="{width}"/>'
                f'<path d="M{end[0] - 2:.0f} {end[1]:.0f}l-10 -6v12z" fill="{VERMILION}"/>'
            ]
        label = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - 10
        self._line(edge.name, pieces, path, label, [_text(*label, words, bold=edge.name in self.strong)])


def _text(x: float, y: float, text: str, anchor: str = "middle", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="11.5" fill="currentColor"{weight}>'
        f"{html.escape(text)}</text>"
    )


def _tip(node: Node) -> str:
    parts = [node.name, node.what, f"out {shown(node.shape_out)}"]
    if node.parameters:
        parts.append(f"{node.parameters:,} parameters")
    return " · ".join([part for part in parts if part] + node.problems)


def _words(arrow: Node) -> list[str]:
    """What stands at an arrow between two levels."""
    what = arrow.what.replace("convolution", "conv").replace(", stride 2", "")
    return [what, f"{short(arrow.parameters)} parameters"] if arrow.parameters else [what]


def _lock(x: float, y: float) -> str:
    return (
        f'<rect x="{x:.0f}" y="{y - 3:.0f}" width="14" height="11" rx="2" fill="currentColor"/>'
        f'<path d="M{x + 3:.0f} {y - 3:.0f}v-4a4 4 0 0 1 8 0v4" fill="none" stroke="currentColor" stroke-width="2"/>'
    )


def _p(point: tuple[float, float]) -> str:
    return f"{point[0]:.0f} {point[1]:.0f}"
