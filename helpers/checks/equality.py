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


def is_same(yours: Any, expected: Any, tolerance_scale: float = 1.0) -> bool:
    """Whether `yours` is what was expected.

    dtypes are left open, a 0-d tensor is a number, and two exceptions agree when they are of one kind and the same
    torch function raised them, given the same shapes.
    """
    if isinstance(yours, Raised) or isinstance(expected, Raised):
        both = isinstance(yours, Raised) and isinstance(expected, Raised)
        return both and (yours.kind, yours.cause) == (expected.kind, expected.cause)
    if isinstance(expected, Tensor):
        return isinstance(yours, Tensor) and _is_close(yours, expected, tolerance_scale)
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        if isinstance(yours, bool) or not isinstance(yours, int | float):
            return False
        close = math.isclose(yours, expected, rel_tol=RTOL * tolerance_scale, abs_tol=ATOL * tolerance_scale)
        return close or (math.isnan(yours) and math.isnan(expected))
    if isinstance(expected, tuple | list):
        alike = isinstance(yours, tuple | list) and len(yours) == len(expected)
        return alike and all(is_same(y, e, tolerance_scale) for y, e in zip(yours, expected, strict=True))
    if isinstance(expected, dict):
        alike = isinstance(yours, dict) and yours.keys() == expected.keys()
        return alike and all(is_same(yours[key], expected[key], tolerance_scale) for key in expected)
    return type(yours) is type(expected) and bool(yours == expected)


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


def _is_close(yours: Tensor, expected: Tensor, tolerance_scale: float) -> bool:
    rtol, atol = RTOL * tolerance_scale, ATOL * tolerance_scale
    return yours.shape == expected.shape and torch.allclose(
        yours.double(), expected.double(), rtol=rtol, atol=atol, equal_nan=True
    )
