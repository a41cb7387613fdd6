"""Random numbers and image operations with the same result, bit for bit, on every machine.

Two rules make it so. Random numbers come from the raw 64-bit stream of PCG64, which numpy keeps the same across
versions and platforms (its `normal` and `poisson` it does not). And pixels see only operations that IEEE 754 rounds
exactly — + − × ÷ √, comparisons — one after the other in a written order: no sin or exp, no matrix product, no
FFT, no floating-point `sum`, whose last bits differ between processors.
"""

from __future__ import annotations

import numpy as np

_SQRT3 = 1.7320508075688772


class Stream:
    """Random numbers from a key of non-negative integers; other keys give independent streams."""

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
        """Float64 of mean 0 and variance 1: the sum of four 16-bit uniforms, bell-shaped, within ±3.47."""
        raw = self._bits.random_raw(int(np.prod(shape, dtype=np.int64)))
        mask = np.uint64(0xFFFF)
        total = (raw & mask) + (raw >> np.uint64(16) & mask) + (raw >> np.uint64(32) & mask) + (raw >> np.uint64(48))
        # Each uniform has mean 65535 / 2 and variance 65536² / 12 (nearly); four of them 65536² / 3.
        return ((total.astype(np.float64) - 131070.0) * (_SQRT3 / 65536.0)).reshape(shape)

    def directions(self, n: int) -> np.ndarray:
        """(n, 2) float64 vectors of length 1, all directions alike."""
        vectors = self.normal(n, 2)
        length = np.sqrt(vectors[:, 0] * vectors[:, 0] + vectors[:, 1] * vectors[:, 1])
        return vectors / np.where(length > 0, length, 1.0)[:, None]


def interpolate(lattice: np.ndarray, size: tuple[int, int], spacing: float, start: tuple[float, float]) -> np.ndarray:
    """`lattice` (rows, columns), its points `spacing` pixels apart, read at `size` (H, W) pixels.

    Pixel (0, 0) is `start` lattice steps into the lattice. Between points the weight eases in and out (3t² − 2t³),
    so the result is smooth. The caller gives a lattice that reaches past the last pixel.
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
    """`image` (H, W) blurred by `passes` times (1, 2, 1) / 4 each way: a Gaussian of σ = √(passes / 2) pixels.

    The image goes on beyond its border with the values at the border.
    """
    for _ in range(passes):
        padded = np.concatenate([image[:1], image, image[-1:]])
        image = (padded[:-2] + padded[2:] + (image + image)) * 0.25
        padded = np.concatenate([image[:, :1], image, image[:, -1:]], axis=1)
        image = (padded[:, :-2] + padded[:, 2:] + (image + image)) * 0.25
    return image
