"""A mask's values: numbers, or colours, each as one number, red · 65536 + green · 256 + blue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

FAR = 32  # of 255: values that lie closer are not told apart in a JPEG, whose errors at an edge are as large
_MAIN = 0.02  # of all pixels have a value exactly that was drawn, and hardly one that comes of blur


def as_number(colour: tuple[int, ...]) -> int:
    """A colour as one number."""
    red, green, blue = colour
    return (red << 16) + (green << 8) + blue


def shown(value: int, colours: bool) -> str:
    """A value as it is written in a call: 255, or (255, 0, 0)."""
    return str((value >> 16, value >> 8 & 255, value & 255)) if colours else str(value)


def nearest(values: np.ndarray, named: Iterable[int], colours: bool) -> np.ndarray:
    """Of each value the nearest of the named ones."""
    choices = np.array(sorted(named))
    found, where = np.unique(values, return_inverse=True)
    between = _points(found, colours)[:, None] - _points(choices, colours)
    return choices[(between**2).sum(-1).argmin(1)][where].reshape(values.shape)


def main_values(counts: Mapping[int, int], colours: bool) -> list[int]:
    """The values that many pixels have, each FAR from those that more have."""
    found: list[int] = []
    least = _MAIN * sum(counts.values())
    for value in sorted((v for v in counts if counts[v] >= least), key=lambda v: (-counts[v], v)):
        if all(apart(value, other, colours) >= FAR for other in found):
            found.append(value)
    return found


def distances(ones: np.ndarray, others: np.ndarray, colours: bool) -> np.ndarray:
    """How far values are from others `(n,)`; of colours, the distance of the channel in which they differ most."""
    return abs(_points(ones, colours) - _points(others, colours)).max(-1, initial=0)


def apart(one: int, other: int, colours: bool) -> int:
    """The distance of two values."""
    return int(distances(np.array([one]), np.array([other]), colours)[0])


def _points(values: np.ndarray, colours: bool) -> np.ndarray:
    return np.stack([values >> 16, values >> 8 & 255, values & 255], -1) if colours else values[:, None]
