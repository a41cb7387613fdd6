"""The curves of a training as one SVG: loss on the left, Dice on validation on the right.

Drawn in Python, so that the live monitor and a saved notebook show the same. Lines differ in dashes and markers and not
by colour alone; colours are of the Okabe-Ito palette, and a page may give others as CSS variables.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Sequence
from statistics import fmean

Points = Sequence[tuple[float, float]]
Line = tuple[Points, str, str, str]  # where it goes, its colour, its dashes (few points, each marked) and its name

WIDTH, HEIGHT = 640, 200
LEFT, TOP, BOTTOM = 42, 34, 168  # of a plot: where its axes are
PLOT = 262  # width of a plot
MOST = 150  # points of the loss curve: more would not be seen
LOSS = "stroke:var(--monitor-loss,#0072b2)"
CHECK = "stroke:var(--monitor-check,#d55e00)"
DICE = "stroke:var(--monitor-dice,#009e73)"


def binned(losses: Sequence[float], most: int = MOST) -> list[tuple[float, float]]:
    """The loss as at most `most` points `(step, mean)`: the mean of as many neighbouring steps each."""
    size = max(1, math.ceil(len(losses) / most))
    parts = [(k, losses[k : k + size]) for k in range(0, len(losses), size)]
    return [(k + (len(part) + 1) / 2, fmean(part)) for k, part in parts]


def draw(loss: Points, validation_loss: Points, dice: Points, best: float | None) -> str:
    """The SVG. What is infinite or no number has no place in it and is left out.

    Args:
        loss: `(step, loss)` in training.
        validation_loss: `(step, loss)` on validation.
        dice: `(step, Dice)` on validation.
        best: the step whose weights are kept.
    """
    loss, validation_loss, dice = (
        [(step, value) for step, value in points if math.isfinite(value)] for points in (loss, validation_loss, dice)
    )
    last = max([1.0, *(step for points in (loss, dice) for step, _ in points)])
    losses = [value for points in (loss, validation_loss) for _, value in points]
    highest = _round_up(max([1e-3, *losses]))
    lowest = -_round_up(-min(losses)) if losses and min(losses) < 0 else 0.0  # where something is wrong
    kept = next((f", best {value:.3f} at step {step:.0f}" for step, value in dice if step == best), "")
    said = "No step yet."
    if loss:
        said = f"Loss in training from {loss[0][1]:.3g} to {loss[-1][1]:.3g} over {last:.0f} steps"
        said += f"; Dice on validation {dice[-1][1]:.3f}{kept}." if dice else "; no validation yet."
    lines: list[Line] = [(loss, LOSS, "", "in training"), (validation_loss, CHECK, "5 3", "on validation")]
    left = _plot(0, "loss", last, (lowest, highest), lines)
    right = _plot(WIDTH // 2 + 8, "Dice on validation", last, (0.0, 1.0), [(dice, DICE, "5 3", "")], best)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{html.escape(said, quote=True)}" font-family="sans-serif" font-size="12" '
        f'fill="currentColor">{left}{right}</svg>'
    )


def as_img(svg: str) -> str:
    """The SVG as an HTML `<img>`, which also stays where a page strips scripts and SVG out of saved outputs."""
    alone = svg.replace("<svg ", '<svg style="color:#222" ', 1).replace(
        'fill="currentColor">', f'fill="currentColor"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', 1
    )
    said = svg.split('aria-label="', 1)[1].split('"', 1)[0]
    data = base64.b64encode(alone.encode()).decode()
    return f'<img alt="{said}" src="data:image/svg+xml;base64,{data}" style="max-width:100%">'


def _plot(
    x0: float, title: str, last: float, span: tuple[float, float], lines: Sequence[Line], best: float | None = None
) -> str:
    left, right = x0 + LEFT, x0 + LEFT + PLOT
    lowest, highest = span

    def place(step: float, value: float) -> tuple[float, float]:
        return left + (right - left) * step / last, BOTTOM - (BOTTOM - TOP) * (value - lowest) / (highest - lowest)

    parts = [f'<text x="{left}" y="14" font-weight="bold">{title}</text>']
    for fraction in (0, 0.5, 1):
        y = BOTTOM - (BOTTOM - TOP) * fraction
        opacity = 0.2 if fraction else 0.7
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="currentColor" opacity="{opacity}"/>')
        value = lowest + fraction * (highest - lowest)
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:,.4g}</text>')
    parts.append(f'<path d="M{left} {TOP}V{BOTTOM}" stroke="currentColor" opacity="0.7"/>')
    parts.append(f'<text x="{left}" y="{BOTTOM + 16}" text-anchor="middle">0</text>')
    parts.append(f'<text x="{(left + right) / 2}" y="{BOTTOM + 28}" text-anchor="middle">step</text>')
    parts.append(f'<text x="{right}" y="{BOTTOM + 16}" text-anchor="end">{last:.0f}</text>')
    legend = left + 50
    for points, colour, dashes, name in lines:
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        style = f'fill="none" style="{colour}" stroke-width="2"'
        places = [place(*point) for point in points]
        if places:
            parts.append(f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in places)}" {style}{dash}/>')
        if dashes:  # hollow circles, also where there is only one point
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" {style}/>' for x, y in places]
        if name:
            parts.append(f'<path d="M{legend} 10h24" {style}{dash}/>')
            parts.append(f'<circle cx="{legend + 12}" cy="10" r="3" {style}/>' if dashes else "")
            parts.append(f'<text x="{legend + 30}" y="14">{name}</text>')
            legend += 112
    for step, value in lines[0][0]:
        if step == best:  # marked, and said beside the title, where no line runs
            for x, y in (place(step, value), (left + 140, 10)):
                parts.append(f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" fill="currentColor"/>')
            parts.append(f'<text x="{left + 151}" y="14">best {value:.3f}</text>')
    return "".join(parts)


def _round_up(value: float) -> float:
    """The next number of 1, 2 or 5 times a power of ten, so that the axis ends at one that can be read."""
    if not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * 0.999)
