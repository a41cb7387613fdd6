"""One clear error for an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from helpers.errors import InputError


def check_choice(what: str, value: object, known: Sequence[str], hint: str = "") -> None:
    """Raise ValueError unless `value` is one of `known`; the message lists them and suggests the nearest."""
    if isinstance(value, str) and value in known:
        return
    longer = [k for k in known if isinstance(value, str) and value and k.startswith(value.lower())]
    near = longer[:1] or (difflib.get_close_matches(value.lower(), known, n=1) if isinstance(value, str) else [])
    guess = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(repr(k) for k in known) or "none"
    raise InputError(f"There is no {what} {value!r}.{guess} There is: {listed}.{' ' + hint if hint else ''}")
