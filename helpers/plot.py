"""A plot as SVG, in the colour of the text around it: for what changes while one looks.

Drawn in a millisecond, where matplotlib takes a hundred. Lines and bars differ in dashes, markers and hatches, and not
by colour alone.
"""

from __future__ import annotations

import hashlib
import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from helpers.show import ORANGE, STYLES, VERMILION

WIDTH, HEIGHT = 300, 230  # without the legend
LEFT, RIGHT, TOP, BOTTOM = 58, 290, 8, 190  # where the axes are
SYMLOG = 0.01  # a symlog axis is linear below
DASHES = {"-": "", "--": "7 4", ":": "2 3", "-.": "7 3 2 3"}  # by matplotlib's names, as are the markers
MARKERS = {
    "o": "m-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z",
    "s": "m-3.4-3.4h6.8v6.8h-6.8z",
    "^": "m0-4.4l4.4 7.8h-8.8z",
    "D": "m0-4.4l4.4 4.4-4.4 4.4-4.4-4.4z",
}
STAR = "m0-8l2.1 5.1 5.5.4-4.2 3.6 1.3 5.4-4.7-2.9-4.7 2.9 1.3-5.4-4.2-3.6 5.5-.4z"
HATCHES = {"/": "M-1 7 7-1", "x": "M-1 7 7-1M-1-1 7 7", ".": "M2.5 3h1"}

# cuts off what is in it and leaves the axes
FRAME = f'<svg x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{BOTTOM - TOP}" '
FRAME += f'viewBox="{LEFT} {TOP} {RIGHT - LEFT} {BOTTOM - TOP}">'

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """Lines or bars over a common axis.

    Attributes:
        x: positions `(n,)`.
        lines: label and values `(n,)` of each line, at most four; one that is not finite is left out.
        bars: label, heights `(n,)`, colour and hatch of each series of bars; bars of one series touch.
        marks: position and label of vertical lines; one that is not on the axis is left out.
        stars: (x, y, label) of highlighted points.
        xscale, yscale: "linear", "log" or "symlog", which is linear below 0.01.
        ylim: the range shown, which a line may leave; by default that of the values.
        baseline: the value of a thin horizontal line.
    """

    title: str
    xlabel: str
    ylabel: str
    x: list[float]
    lines: dict[str, list[float]] = field(default_factory=dict)
    bars: tuple[tuple[str, list[float], str, str], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    stars: tuple[tuple[float, float, str], ...] = ()
    xscale: str = "linear"
    yscale: str = "linear"
    ylim: tuple[float, float] | None = None
    baseline: float | None = None


@dataclass(frozen=True)
class _Axis:
    """Where the values from `low` to `high` stand on the page: from `start` to `end`."""

    scale: str
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        low, here, high = (self._bent(v) for v in (self.low, value, self.high))
        return round(self.start + (here - low) / ((high - low) or 1) * (self.end - self.start), 1)

    def _bent(self, value: float) -> float:
        if self.scale == "log":
            return math.log10(max(value, 1e-300))
        return math.copysign(math.log10(1 + abs(value) / SYMLOG), value) if self.scale == "symlog" else value

    def ticks(self) -> list[float]:
        if self.scale == "linear":
            rough = (self.high - self.low) / 5 or 1.0
            power = 10.0 ** math.floor(math.log10(rough))
            step = next(m * power for m in (1, 2, 5, 10, 20) if m * power >= rough)
            first, last = math.ceil(self.low / step - 1e-6), math.floor(self.high / step + 1e-6)
            return [k * step for k in range(first, last + 1)]
        decades = [10.0**k for k in range(-9, 10)]
        signed = [0.0, *(sign * d for d in decades if d >= SYMLOG for sign in (1, -1))]
        inside = sorted(v for v in (decades if self.scale == "log" else signed) if self.low <= v <= self.high)
        return inside[:: math.ceil(len(inside) / 6) or 1]


def draw(plot: Plot, attributes: str = 'aria-hidden="true"') -> str:
    """The plot without its title as an `<svg>` element with these attributes; its patterns are `unet-hatch-…`."""
    half = (plot.x[1] - plot.x[0]) / 2 if len(plot.x) > 1 else 0.5
    room = half if plot.bars else 0.0
    x = _Axis(plot.xscale, min(plot.x) - room, max(plot.x) + room, LEFT, RIGHT)
    y = _Axis(plot.yscale, *(plot.ylim or _limits(plot)), BOTTOM, TOP)
    parts, keys = _axes(plot, x, y), {}
    if plot.baseline is not None:
        parts.append(_path(f"M{LEFT} {y.at(plot.baseline)}H{RIGHT}", opacity=0.4))
    for k, (name, heights, colour, hatch) in enumerate(plot.bars):
        inset = 2 * k  # series of bars lie behind each other; the inset shows the hind one's edge
        fills = [f'fill="{colour}" fill-opacity=".7" stroke="currentColor" stroke-width=".7"']
        if hatch:
            id = f"unet-hatch-{hashlib.sha256(repr((plot, k)).encode()).hexdigest()[:8]}"
            pattern = _path(HATCHES[hatch[0]], width=2 if hatch[0] == "." else 0.8)
            parts.append(f'<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse">{pattern}</pattern>')
            fills.append(f'fill="url(#{id})"')
        for at, height in zip(plot.x, heights, strict=True):
            if height > 0:
                left, top = x.at(at - half) + inset, y.at(height)
                parts += _box(left, top, x.at(at + half) - inset - left, BOTTOM - top, fills)
        keys[name] = _box(1, 1, 26, 12, fills)
    for (name, values), style in zip(plot.lines.items(), STYLES, strict=False):
        points = [(x.at(at), y.at(v)) for at, v in zip(plot.x, values, strict=True) if math.isfinite(v)]
        marked = [point for point in points[:: max(1, len(points) // 8)] if TOP <= point[1] <= BOTTOM]
        line = _line(points, marked, *style)
        parts += line if all(TOP <= up <= BOTTOM for _, up in points) else [FRAME, *line, "</svg>"]
        keys[name] = _line([(0, 7), (28, 7)], [(14, 7)], *style)
    for at, name in plot.marks:
        if x.low <= at <= x.high:
            parts.append(_path(f"M{x.at(at)} {TOP}V{BOTTOM}", VERMILION, 1.6, "6 4"))
        keys[name] = [_path("M0 7H28", VERMILION, 1.6, "6 4")]
    for at, value, name in plot.stars:
        parts.append(_path(f"M{x.at(at)} {y.at(value)}{STAR}", fill=ORANGE))
        keys[name] = [_path(f"M14 7{STAR}", fill=ORANGE)]
    legend, height = _legend({name: key for name, key in keys.items() if name})
    return f'<svg {attributes} viewBox="0 0 {WIDTH} {height}">{"".join([*parts, *legend])}</svg>'


def _limits(plot: Plot) -> tuple[float, float]:
    values = [v for _, heights, *_ in plot.bars for v in heights] + [v for line in plot.lines.values() for v in line]
    values = [v for v in values if math.isfinite(v) and (v > 0 or plot.yscale != "log")] or [0.1, 1.0]
    if plot.yscale == "log":
        return min(values) / 1.5, max(values) * 1.5
    room = 0.05 * (max(values) - min(values) or 1)
    return min(0.0, min(values)) if plot.bars else min(values) - room, max(values) + room


def _axes(plot: Plot, x: _Axis, y: _Axis) -> list[str]:
    across = [(tick, x.at(tick)) for tick in x.ticks()]
    up = [(tick, y.at(tick)) for tick in y.ticks()]
    lines = "".join([f"M{at} {BOTTOM}v4" for _, at in across] + [f"M{LEFT} {at}h-4" for _, at in up])
    middle = (TOP + BOTTOM) / 2
    return [
        _path(f"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}{lines}", opacity=0.6),
        *(_text(at, BOTTOM + 16, _number(tick)) for tick, at in across),
        *(_text(LEFT - 7, at + 4, _number(tick), "end") for tick, at in up),
        _text((LEFT + RIGHT) / 2, HEIGHT - 6, plot.xlabel),
        f'<g transform="rotate(-90 12 {middle})">{_text(12, middle, plot.ylabel)}</g>',
    ]


def _legend(keys: dict[str, list[str]]) -> tuple[list[str], int]:
    """What each sign means, below the plot, and how tall the two are; of one sign nothing has to be said."""
    found, left, top = [], 0.0, HEIGHT
    for name, key in keys.items() if len(keys) > 1 else ():
        wide = 42 + 6.5 * len(name)
        if left + wide > WIDTH and left:
            left, top = 0.0, top + 17
        found.append(f'<g transform="translate({left:.0f} {top})">{"".join(key)}{_text(32, 11, name, "start")}</g>')
        left += wide
    return found, top + (17 if found else 0)


def _line(points: Points, marked: Points, colour: str, dash: str, marker: str) -> list[str]:
    path = "L".join(f"{x} {y}" for x, y in points)
    signs = "".join(f"M{x} {y}{MARKERS[marker]}" for x, y in marked)
    return [_path(f"M{path}", colour, 2, DASHES[dash]), f'<path d="{signs}" fill="{colour}"/>'] if points else []


def _box(left: float, top: float, width: float, height: float, fills: Iterable[str]) -> list[str]:
    place = f'x="{left:.1f}" y="{top:.1f}" width="{max(1, width):.1f}" height="{max(0, height):.1f}"'
    return [f"<rect {place} {fill}/>" for fill in fills]


def _path(
    d: str, colour: str = "currentColor", width: float = 1, dash: str = "", opacity: float = 1, fill: str = "none"
) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    look = f'fill="{fill}" stroke="{colour}" stroke-width="{width}" stroke-opacity="{opacity}"{dashed}'
    return f'<path d="{d}" {look}/>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    place = f'x="{x}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place} font-size="12" fill="currentColor">{html.escape(text)}</text>'


def _number(value: float) -> str:
    return f"{value:,.4g}".replace("-", "−")
