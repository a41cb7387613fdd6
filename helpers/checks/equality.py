"""Whether two pieces of plain data are the same answer.

Numbers may differ by 1e-4 of their size or by 1e-5: float32 carries about 7 digits, and a right answer may add in
another order, or work in float64, which moves the last two or three. The nearest wrong answers that the exercises know
differ a hundred times more. Gradients pass through more sums and may differ ten times more.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from helpers.checks.subject import Foreign, Raised, readable
from helpers.markup import code

RTOL, ATOL = 1e-4, 1e-5
MOST_PARTS = 8  # of a list or dict that are named


def difference(yours: Any, expected: Any, tolerance_scale: float = 1.0) -> str | None:
    """What tells `yours` from `expected`, in a few words, or `None` when they agree.

    dtypes are left open, a 0-d tensor is a number, and two exceptions agree when they are of one kind and the same
    torch function raised them, given the same shapes.
    """
    if isinstance(yours, Raised) or isinstance(expected, Raised):
        both = isinstance(yours, Raised) and isinstance(expected, Raised)
        same = both and (yours.kind, yours.cause) == (expected.kind, expected.cause)
        return None if same else "an exception"
    if isinstance(expected, Tensor):
        return _tensor_difference(yours, expected, tolerance_scale)
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        if isinstance(yours, bool) or not isinstance(yours, int | float):
            return f"a {kind_of(yours)} instead of a number"
        close = math.isclose(yours, expected, rel_tol=RTOL * tolerance_scale, abs_tol=ATOL * tolerance_scale)
        return None if close or (math.isnan(yours) and math.isnan(expected)) else "another number"
    if isinstance(expected, tuple | list):
        if not isinstance(yours, tuple | list) or len(yours) != len(expected):
            return f"{kind_of(yours)} instead of {kind_of(expected)}"
        parts = (difference(y, e, tolerance_scale) for y, e in zip(yours, expected, strict=True))
        return next((f"part {k}: {part}" for k, part in enumerate(parts) if part), None)
    if isinstance(expected, dict):
        if not isinstance(yours, dict) or yours.keys() != expected.keys():
            return f"{kind_of(yours)} instead of {kind_of(expected)}"
        values = ((key, difference(yours[key], expected[key], tolerance_scale)) for key in expected)
        return next((f"{key!r}: {value}" for key, value in values if value), None)
    if type(yours) is type(expected) and yours == expected:
        return None
    return f"{kind_of(yours)} instead of {kind_of(expected)}"


def kind_of(value: Any) -> str:
    """A short name for what `value` is, marked up as in `helpers.markup`."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, Tensor):
        return f"tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        return f"dict with {', '.join(code(readable(key)) for key in list(value)[:MOST_PARTS])}"
    if isinstance(value, Foreign):
        return code(readable(value.kind))
    return "number" if isinstance(value, int | float) else type(value).__name__


def _tensor_difference(yours: Any, expected: Tensor, tolerance_scale: float) -> str | None:
    if not isinstance(yours, Tensor):
        return f"{kind_of(yours)} instead of a tensor"
    if yours.shape != expected.shape:
        return f"shape {tuple(yours.shape)} instead of {tuple(expected.shape)}"
    rtol, atol = RTOL * tolerance_scale, ATOL * tolerance_scale
    close = torch.allclose(yours.double(), expected.double(), rtol=rtol, atol=atol, equal_nan=True)
    return None if close else "other values"
