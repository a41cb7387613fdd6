"""Random numbers and image operations with the same result, bit for bit, on every machine.

Random numbers come from the raw 64-bit stream of PCG64, which numpy keeps the same across versions and platforms,
unlike its `normal` and `poisson`. And pixels see only operations that IEEE 754 rounds exactly (+ − × ÷ √, comparisons)
in a fixed order: no sin or exp, no matrix product, no FFT, no floating-point `sum`, whose last bits differ between
processors.
"""

from __future__ import annotations

import math

import numpy as np


class Stream:
    """Random numbers from a key of non-negative integers; different keys give independent streams."""

    def __init__(self, *key: int):
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def uniform(self, *shape: int) -> np.ndarray:
        """Float64 in [0, 1), 53 random bits each."""
        raw = self._bits.random_raw(int(np.prod(shape, dtype=np.int64)))
        return ((raw >> np.uint64(11)) * (1.0 / (1 << 53))).reshape(shape)

    def between(self, low: float, high: float) -> float:
        """One float in [low, high)."""
        return low + (high - low) * float(self.uniform(1)[0])

    def normal(self, *shape: int) -> np.ndarray:
        """Float64 of mean 0 and variance 1: the sum of four 16-bit uniforms, nearly normal, within ±3.47."""
        raw = self._bits.random_raw(int(np.prod(shape, dtype=np.int64)))
        mask = np.uint64(0xFFFF)
        total = (raw & mask) + (raw >> np.uint64(16) & mask) + (raw >> np.uint64(32) & mask) + (raw >> np.uint64(48))
        # Each uniform has mean 65535 / 2 and variance 65536² / 12 (nearly); four of them 65536² / 3.
        return ((total.astype(np.float64) - 131070.0) * (math.sqrt(3.0) / 65536.0)).reshape(shape)

    def directions(self, n: int) -> np.ndarray:
        """(n, 2) float64 vectors of length 1, all directions equally likely."""
        vectors = self.normal(n, 2)
        length = np.sqrt(vectors[:, 0] * vectors[:, 0] + vectors[:, 1] * vectors[:, 1])
        return vectors / np.where(length > 0, length, 1.0)[:, None]


def interpolate(lattice: np.ndarray, size: tuple[int, int], spacing: float, start: tuple[float, float]) -> np.ndarray:
    """A smooth (H, W) picture of `size` through the values of `lattice` (rows, columns), `spacing` pixels apart.

    Pixel (0, 0) is `start` steps into the lattice, which has to reach past the last pixel. Between two values the
    weight is 3t² − 2t³.
    """
    rows, down = _positions(size[0], spacing, start[0])
    columns, right = _positions(size[1], spacing, start[1])
    down = down[:, None]
    lines = lattice[rows] * (1.0 - down) + lattice[rows + 1] * down
    return lines[:, columns] * (1.0 - right) + lines[:, columns + 1] * right


def _positions(n: int, spacing: float, start: float) -> tuple[np.ndarray, np.ndarray]:
    at = np.arange(n) / spacing + start
    below = np.floor(at)
    t = at - below
    return below.astype(np.int64), t * t * (3.0 - 2.0 * t)


def smooth_noise(stream: Stream, size: tuple[int, int], spacing: float) -> np.ndarray:
    """(H, W) float64 in [−1, 1], mean 0: random values `spacing` pixels apart, smooth in between."""
    start = stream.uniform(2)
    lattice = stream.uniform(int(size[0] / spacing) + 3, int(size[1] / spacing) + 3) * 2.0 - 1.0
    return interpolate(lattice, size, spacing, (float(start[0]), float(start[1])))


def blur(image: np.ndarray, passes: int) -> np.ndarray:
    """`image` (H, W) blurred `passes` times by (1, 2, 1) / 4 each way: a Gaussian of σ = √(passes / 2) pixels.

    Beyond the border the values at the border count.
    """
    for _ in range(passes):
        padded = np.concatenate([image[:1], image, image[-1:]])
        image = (padded[:-2] + padded[2:] + (image + image)) * 0.25
        padded = np.concatenate([image[:, :1], image, image[:, -1:]], axis=1)
        image = (padded[:, :-2] + padded[:, 2:] + (image + image)) * 0.25
    return image
