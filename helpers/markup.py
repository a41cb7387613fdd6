"""The little markup of the texts that widgets show: `code` and *stress*."""

from __future__ import annotations

import html
import re


def as_html(text: str) -> str:
    """Marked-up text as HTML, everything else escaped."""
    # Code is cut out first: a star inside backticks is a star.
    parts = re.split(r"`([^`]+)`", text)
    for k, part in enumerate(parts):
        escaped = html.escape(part)
        if k % 2:
            parts[k] = f"<code>{escaped}</code>"
        else:
            parts[k] = re.sub(r"\*([^*\s](?:[^*]*[^*\s])?)\*", r"<em>\1</em>", escaped)
    return "".join(parts)
