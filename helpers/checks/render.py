"""A verdict as text and as a page fragment with a picture: the same facts in both."""

from __future__ import annotations

import html
import re
from typing import Any

from helpers.checks.verdict import Verdict

# A word and a sign, so that nothing is said by colour alone. The colours are of the Okabe-Ito palette.
SIGNS = {
    "passed": ("✓", "#009E73"),
    "wrong": ("✗", "#D55E00"),
    "error": ("!", "#D55E00"),
    "not attempted": ("○", "#767676"),
}
MOST_SHOWN = 8  # a tensor larger than 8×8 is drawn, not written out


def as_text(verdict: Verdict) -> str:
    """The verdict for a terminal, a screen reader, a page without pictures."""
    sign, _ = SIGNS[verdict.status]
    lines = [f"{sign} {verdict.exercise}: {verdict.status}, {verdict.points:g} of {verdict.max_points:g} points"]
    if verdict.diagnosis:
        lines.append(f"  {verdict.diagnosis}")
    lines.append(f"  {verdict.message}")
    if verdict.probe:
        lines += [f"  {name}: {text}" for name, text in _facts(verdict.probe)]
    return "\n".join(lines)


def as_html(verdict: Verdict) -> str:
    """The verdict as an HTML fragment, with the failing probe drawn where it is a picture."""
    sign, colour = SIGNS[verdict.status]
    head = f"{html.escape(verdict.exercise)}: {verdict.status}"
    points = f"{verdict.points:g} of {verdict.max_points:g} points"
    parts = [
        f'<div role="status" style="border-left:4px solid {colour};padding:.4em .9em;margin:.4em 0;max-width:62em">',
        f'<div><b style="color:{colour}">{sign}</b> <b>{head}</b> · {points}</div>',
    ]
    if verdict.diagnosis:
        parts.append(f"<div><b>{html.escape(verdict.diagnosis[:1].upper() + verdict.diagnosis[1:])}</b></div>")
    parts.append(f"<div>{_with_code(verdict.message)}</div>")
    if verdict.probe:
        facts = "".join(
            f"<tr><th scope='row' style='text-align:left;vertical-align:top;padding-right:1em'>{name}</th>"
            f"<td style='text-align:left;white-space:pre-wrap'>{html.escape(text)}</td></tr>"
            for name, text in _facts(verdict.probe)
        )
        picture = _picture(verdict.probe)
        parts.append(f"<table style='margin:.4em 0'>{facts}</table>{picture}")
    return "".join([*parts, "</div>"])


def _facts(probe: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [("Input", probe["label"].replace("`", ""))]
    if not probe["what"].endswith(("unchanged", "untouched", "time", "kept", "parameters")):
        facts += [("Yours", _written(probe["yours"]).replace("`", "")), ("Expected", _written(probe["expected"]))]
    return facts


def _written(value: Any) -> str:
    if _is_tensor(value):
        shape = "×".join(map(str, value["shape"]))
        kind = f"{value['dtype']} tensor of shape {shape or 'a single number'}"
        rows = value["values"]
        if rows is None or max(value["shape"], default=0) > MOST_SHOWN or len(value["shape"]) > 2:
            return kind
        rows = rows if len(value["shape"]) == 2 else [rows]
        return kind + "\n" + "\n".join("  ".join(_number(x) for x in row) for row in rows)
    if isinstance(value, list):
        return "(" + ", ".join(_written(v) for v in value) + ")"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_written(v)}" for k, v in value.items())
    return _number(value)


def _number(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"shape", "dtype", "values"}


def _picture(probe: dict[str, Any]) -> str:
    """The probe's tensors beside yours, expected and the difference, as an `<img>`; empty when there is none."""
    panels = [(name, x) for name, x in probe["input"].items() if _is_image(x)]
    results = [("yours", probe["yours"]), ("expected", probe["expected"])]
    if all(_is_image(x) for _, x in results):
        panels += results
    if not panels:
        return ""
    # torch and matplotlib load when a picture is drawn
    import torch

    from helpers import show

    images = [(title, _first_plane(torch.tensor(x["values"]).float())) for title, x in panels]
    if len(images) >= 2 and images[-1][0] == "expected" and images[-1][1].shape == images[-2][1].shape:
        images.append(("difference", images[-2][1] - images[-1][1]))
    alt = "; ".join(f"{title}, {image.shape[0]}×{image.shape[1]}" for title, image in images)
    return show.grid_html(images, alt=f"The probe as pictures: {alt}.")


def _is_image(value: Any) -> bool:
    return _is_tensor(value) and len(value["shape"]) >= 2 and value["values"] is not None and all(value["shape"])


def _first_plane(tensor: Any) -> Any:
    """The first image and channel of `(N, C, H, W)` or `(C, H, W)`, or `(H, W)` itself."""
    return tensor.reshape(-1, *tensor.shape[-2:])[0]


def _with_code(text: str) -> str:
    """Escaped text in which `backticks` mark code and *stars* mark stress."""
    escaped = html.escape(text)
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return re.sub(r"(?<!\*)\*([^*\s][^*]*)\*", r"<em>\1</em>", escaped)
