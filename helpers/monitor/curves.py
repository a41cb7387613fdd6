"""The curves of a training as one SVG: loss on the left, Dice on validation on the right.

Drawn in Python, so that the live monitor and a saved notebook show the same.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Sequence
from statistics import fmean

from helpers import plot
from helpers.plot import Plot, Points

TITLE = 22  # height of the line above a plot
WIDTH, HEIGHT = 2 * plot.WIDTH + 20, TITLE + plot.HEIGHT + 20
MOST = 150  # points of the loss curve: more would not be seen


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
    kept = [{step: value for step, value in points if math.isfinite(value)} for points in (loss, validation_loss, dice)]
    steps = sorted({0.0, 1.0}.union(*kept))
    lines = [[points.get(step, math.nan) for step in steps] for points in kept]
    losses = [0.0, *kept[0].values(), *kept[1].values()]  # below 0 where something is wrong
    stars = tuple((step, value, f"best {value:.3f}") for step, value in kept[2].items() if step == best)
    said = "No step yet."
    if kept[0]:
        first, *_, last = [*kept[0].values()] * 2
        said = f"Loss in training from {first:.3g} to {last:.3g} over {steps[-1]:.0f} steps"
        scored = f"Dice on validation {[*kept[2].values()][-1]:.3f}" if kept[2] else "no validation yet"
        said += "; " + scored + "".join(f", {name} at step {step:.0f}" for step, _, name in stars) + "."
    both = (
        Plot(
            "loss",
            "step",
            "",
            steps,
            dict(zip(("in training", "on validation"), lines, strict=False)),
            ylim=(1.05 * min(losses), 1.05 * max(1e-3, *losses)),
        ),
        Plot("Dice on validation", "step", "", steps, {"Dice": lines[2]}, stars=stars, ylim=(0.0, 1.03)),
    )
    drawn = "".join(
        f'<text x="{left + plot.LEFT}" y="14" font-weight="bold">{one.title}</text>'
        + plot.draw(one, f'x="{left}" y="{TITLE}" height="{HEIGHT - TITLE}" preserveAspectRatio="xMinYMin"')
        for left, one in zip((0, WIDTH - plot.WIDTH), both, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{html.escape(said, quote=True)}" font-family="sans-serif" font-size="12" '
        f'fill="currentColor">{drawn}</svg>'
    )


def as_img(svg: str) -> str:
    """The SVG as an HTML `<img>`, which also stays where a page strips scripts and SVG out of saved outputs."""
    alone = svg.replace("<svg ", '<svg style="color:#222" ', 1).replace(
        'fill="currentColor">', f'fill="currentColor"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', 1
    )
    said = svg.split('aria-label="', 1)[1].split('"', 1)[0]
    data = base64.b64encode(alone.encode()).decode()
    return f'<img alt="{said}" src="data:image/svg+xml;base64,{data}" style="max-width:100%">'
