"""Which pixels of the image a value can depend on, along one side, composed operation by operation.

Only kernel, stride, dilation and offset go in, no weights. It is exact and knows no borders: what positions reach
repeats after some of them, a whole number of pixels further on, so one period says it all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

NOTHING = 10**9  # first of a position that no pixel reaches; its last is the negative


@dataclass(frozen=True)
class ReceptiveField:
    """The first and last pixel that each position of one period reaches; the next period is `shift` pixels on."""

    first: tuple[int, ...] = (0,)
    last: tuple[int, ...] = (0,)
    shift: int = 1

    @property
    def step(self) -> Fraction:
        """Pixels of the image from one position to the next."""
        return Fraction(self.shift, len(self.first))

    @property
    def width(self) -> int:
        """Pixels that a position reaches, at most."""
        return max(0, *(last - first + 1 for first, last in zip(self.first, self.last, strict=True)))

    def at(self, i: int) -> tuple[int, int]:
        """First and last pixel that position `i` reaches."""
        periods, place = divmod(i, len(self.first))
        return self.first[place] + periods * self.shift, self.last[place] + periods * self.shift

    def through(self, taps: Callable[[int], Iterable[int]], ratio: Fraction) -> ReceptiveField:
        """What a map reaches whose position `j` is made from the positions `taps(j)` of this one.

        Args:
            taps: repeats, `ratio` positions further for each `j`.
            ratio: how much the step grows: the stride, or one over the factor of an enlargement.
        """
        turns = Fraction(ratio) / len(self.first)
        first, last = [], []
        for j in range(turns.denominator):
            reached = [self.at(i) for i in taps(j)]
            first.append(min((low for low, _ in reached), default=NOTHING))
            last.append(max((high for _, high in reached), default=-NOTHING))
        return ReceptiveField(tuple(first), tuple(last), turns.numerator * self.shift)

    def merged(self, other: ReceptiveField) -> ReceptiveField:
        """What a value reaches that is made of this map and the other, position by position."""
        if other.step != self.step:  # of unclear geometry: at least as wide as the wider one
            more = max(0, other.width - self.width)
            return ReceptiveField(self.first, tuple(last + more for last in self.last), self.shift)
        period = math.lcm(len(self.first), len(other.first))
        pairs = [(self.at(i), other.at(i)) for i in range(period)]
        first = tuple(min(a[0], b[0]) for a, b in pairs)
        last = tuple(max(a[1], b[1]) for a, b in pairs)
        return ReceptiveField(first, last, self.shift * (period // len(self.first)))

    # the operations of networks

    def window(self, kernel: int, stride: int = 1, dilation: int = 1, padding: int = 0) -> ReceptiveField:
        """After a convolution or a pooling."""
        return self.through(lambda j: (j * stride - padding + t * dilation for t in range(kernel)), Fraction(stride))

    def transposed(self, kernel: int, stride: int = 1, dilation: int = 1, padding: int = 0) -> ReceptiveField:
        """After a transposed convolution."""

        def taps(j: int) -> Iterable[int]:
            places = (j + padding - t * dilation for t in range(kernel))
            return (place // stride for place in places if place % stride == 0)

        return self.through(taps, Fraction(1, stride))

    def resized(self, ratio: Fraction, taps: int = 1) -> ReceptiveField:
        """After an interpolation from `taps` neighbours: 1 for nearest, 2 for bilinear, 4 for bicubic."""
        if taps == 1:
            return self.through(lambda j: (math.floor(j * ratio),), ratio)
        before = taps // 2 - 1

        def near(j: int) -> Iterable[int]:
            low = math.floor((j + Fraction(1, 2)) * ratio - Fraction(1, 2))
            return range(low - before, low - before + taps)

        return self.through(near, ratio)

    def from_position(self, start: int, step: int = 1) -> ReceptiveField:
        """After a crop from `start` on, every `step`-th position; a negative start is padding."""
        return self.through(lambda j: (start + j * step,), Fraction(step))
