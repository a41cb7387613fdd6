"""A verdict as text and as a page fragment with a picture: the same facts in both."""

from __future__ import annotations

import html
import math
from typing import Any

from helpers import markup
from helpers.checks.verdict import Verdict, is_tensor

# A word and a sign, so that nothing is said by colour alone. The colours are of the Okabe-Ito palette.
SIGNS = {
    "passed": ("✓", "#009E73"),
    "wrong": ("✗", "#D55E00"),
    "error": ("!", "#D55E00"),
    "not attempted": ("○", "#767676"),
}
MOST_SHOWN = 8  # a tensor larger than 8×8 is drawn, not written out
MOST_DRAWN = 1e9  # a number beyond it, or one that is not finite, has no place on a scale of colours
MOST_TEXT = 2000  # letters of a result that is written out
VERBATIM = "white-space:pre-wrap;overflow-wrap:anywhere"  # a student's blanks and line ends are kept


def as_text(verdict: Verdict) -> str:
    """The verdict for a terminal, a screen reader, a page without pictures."""
    sign, _ = SIGNS[verdict.status]
    lines = [f"{sign} {verdict.exercise}: {verdict.status}, {verdict.points:g} of {verdict.max_points:g} points"]
    if verdict.diagnosis:
        lines.append(f"  {verdict.diagnosis}")
    lines.append(f"  {markup.as_text(verdict.message)}")
    if verdict.probe:
        lines += [f"  {name}: {markup.as_text(text)}" for name, text in _facts(verdict.probe)]
    return "\n".join(lines)


def as_html(verdict: Verdict) -> str:
    """The verdict as an HTML fragment, with the failing probe drawn where it is a picture."""
    _, colour = SIGNS[verdict.status]
    style = f"border-left:4px solid {colour};padding:.4em .9em;margin:.4em 0;max-width:62em"
    return f'<div role="status" style="{style}">{inner_html(verdict)}</div>'


def inner_html(verdict: Verdict) -> str:
    """The same without a box around it."""
    sign, colour = SIGNS[verdict.status]
    head = f"{html.escape(verdict.exercise)}: {verdict.status}"
    points = f"{verdict.points:g} of {verdict.max_points:g} points"
    parts = [f'<div><b style="color:{colour}">{sign}</b> <b>{head}</b> · {points}</div>']
    if verdict.diagnosis:
        parts.append(f"<div><b>{html.escape(verdict.diagnosis[:1].upper() + verdict.diagnosis[1:])}</b></div>")
    parts.append(f'<div style="{VERBATIM}">{markup.as_html(verdict.message)}</div>')
    if verdict.probe:
        facts = "".join(
            f"<tr><th scope='row' style='text-align:left;vertical-align:top;padding-right:1em'>{name}</th>"
            f"<td style='text-align:left;{VERBATIM}'>{markup.as_html(text)}</td></tr>"
            for name, text in _facts(verdict.probe)
        )
        picture = _picture(verdict.probe)
        row = "display:flex;flex-wrap:wrap;gap:0 1em;align-items:flex-start;margin:.4em 0"
        table = f"<div style='flex:1 1 16em;max-width:max-content'><table style='margin:0'>{facts}</table></div>"
        parts.append(f"<div style='{row}'>{table}{picture}</div>")  # side by side they leave room for what is below
    return "".join(parts)


def _facts(probe: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and marked-up texts of what is said about the probe."""
    facts = [("Input", probe["label"])]
    if not probe["what"].endswith(("unchanged", "untouched", "time", "kept", "parameters")):
        yours, expected = (_written(probe[name])[:MOST_TEXT] for name in ("yours", "expected"))
        if yours == expected and (gap := _first_gap(probe["yours"], probe["expected"])):  # not all is written out
            yours, expected = (
                f"{text}; {_number(value)} at {gap[0]}" for text, value in ((yours, gap[1]), (expected, gap[2]))
            )
        facts += [("Yours", markup.code(yours)), ("Expected", markup.code(expected))]
    return facts


def _first_gap(yours: Any, expected: Any) -> tuple[str, Any, Any] | None:
    """The index of the first number in which two parts differ, and the two numbers."""
    if is_tensor(yours) and is_tensor(expected):
        yours, expected = yours["values"], expected["values"]
    if isinstance(yours, list) and isinstance(expected, list):
        for k, pair in enumerate(zip(yours, expected, strict=False)):
            if gap := _first_gap(*pair):
                return f"[{k}]{gap[0]}", *gap[1:]
        return None
    if isinstance(yours, float) and isinstance(expected, float):
        return None if math.isclose(yours, expected, rel_tol=1e-4, abs_tol=1e-5) else ("", yours, expected)
    numbers = isinstance(yours, int | float) and isinstance(expected, int | float)
    return ("", yours, expected) if numbers and yours != expected else None


def _written(value: Any) -> str:
    if is_tensor(value):
        rows, axes = value["values"], len(value["shape"])
        if axes == 0:
            return f"{_number(rows)}, a single {value['dtype']} number"
        kind = f"{value['dtype']} tensor of shape {'×'.join(map(str, value['shape']))}"
        if rows is None or max(value["shape"]) > MOST_SHOWN or axes > 2:
            return kind
        rows = rows if axes == 2 else [rows]
        return kind + "\n" + "\n".join("  ".join(_number(x) for x in row) for row in rows)
    if isinstance(value, list):
        return "(" + ", ".join(_written(v) for v in value) + ")"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_written(v)}" for k, v in value.items())
    return _number(value)


def _number(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _picture(probe: dict[str, Any]) -> str:
    """The probe's tensors beside yours, expected and the difference, as an `<img>`; empty when there is none."""
    images = [(name, _image(x)) for name, x in probe["input"].items()]
    results = [(name, _image(probe[name])) for name in ("yours", "expected")]
    images += results if all(image is not None for _, image in results) else []
    images = [(title, image) for title, image in images if image is not None]
    if not images:
        return ""
    if len(images) >= 2 and images[-1][0] == "expected" and images[-1][1].shape == images[-2][1].shape:
        images.append(("difference", images[-2][1] - images[-1][1]))
    from helpers import show  # matplotlib loads when a picture is drawn

    alt = "; ".join(f"{title}, {image.shape[0]}×{image.shape[1]}" for title, image in images)
    return show.grid_html(images, alt=f"The probe as pictures: {alt}.")


def _image(value: Any) -> Any:
    """The first image and channel of a tensor, a float array `(H, W)`; none where a picture cannot show it."""
    import numpy as np

    if not is_tensor(value) or len(value["shape"]) < 2 or value["values"] is None or not all(value["shape"]):
        return None
    plane = np.array(value["values"], dtype=float).reshape(-1, *value["shape"][-2:])[0]
    return plane if (abs(plane) < MOST_DRAWN).all() else None
