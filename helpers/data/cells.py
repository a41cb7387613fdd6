"""Simulated fluorescence micrographs of cell nuclei with exact masks: any number, size and density.

Each picture is made as a microscope makes one. Nuclei are laid out, some in touching groups (`lay_out`). Then
(`photograph`) their dye glows unevenly (chromatin); optics blur the light, more so out of focus, and add a faint haze;
the lamp lights the field unevenly; the camera counts photons, adds read noise and rounds to 8 bits. The same seed gives
the same pixels on every machine: see `helpers.data.portable_math`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from helpers.data.pairs import SPLITS, InstanceSet
from helpers.data.portable_math import Stream, blur, interpolate, smooth_noise
from helpers.data.tiles import Size, as_size
from helpers.errors import InputError

FOREGROUND = (0.005, 0.5)  # the fractions of object pixels that can be asked for


@dataclass
class Layout:
    """Where the nuclei of one picture lie.

    Attributes:
        labels: (H, W) int64, 0 background, 1…n nuclei; each pixel belongs to one.
        pieces: for each nucleus its window (two slices) and in it its level: 0 in the middle, below `edge` inside.
            There nuclei overlap, as they do under a microscope.
    """

    labels: np.ndarray
    pieces: list[tuple[tuple[slice, slice], np.ndarray]]
    edge: float


def lay_out(stream: Stream, size: tuple[int, int], foreground: float, diameter: float) -> Layout:
    """Place nuclei that together own `foreground` of the pixels.

    The level of a nucleus grows with the square of the distance from its middle, in coordinates that are stretched (to
    an ellipse) and bent by smooth noise. A pixel belongs to the nucleus whose level is lowest there; the pixels lowest
    of all, exactly as many as wanted, are the foreground.
    """
    height, width = size
    wanted = int(foreground * height * width + 0.5)
    radii = _radii(stream, wanted, diameter)
    centres = _centres(stream, size, radii)
    along = stream.directions(len(radii))
    stretch = 1.04 + 0.42 * stream.uniform(len(radii))  # √ of the ratio of the axes
    mean = float(radii[0]) if len(radii) == 1 else min(diameter / 2, float(np.sort(radii)[len(radii) // 2]))
    bend = [
        smooth_noise(stream, size, 2.2 * mean) * (0.36 * mean) + smooth_noise(stream, size, 1.0 * mean) * (0.13 * mean)
        for _ in range(2)
    ]
    reach = 2.0
    while True:  # until the windows hold enough pixels: nearly always the first time
        lowest = np.full(size, np.inf)
        owner = np.zeros(size, np.int64)
        pieces = []
        for i, radius in enumerate(radii.tolist()):
            y, x = centres[i].tolist()
            dy, dx = along[i].tolist()
            half = int(reach * radius * float(stretch[i]) + mean) + 2
            top, bottom = max(0, int(y) - half), min(height, int(y) + half + 1)
            left, right = max(0, int(x) - half), min(width, int(x) + half + 1)
            window = (slice(top, bottom), slice(left, right))
            v = (np.arange(top, bottom) - y)[:, None] + bend[0][window]
            u = (np.arange(left, right) - x)[None, :] + bend[1][window]
            long = (v * dy + u * dx) * (1.0 / (radius * float(stretch[i])))
            short = (u * dy - v * dx) * (float(stretch[i]) / radius)
            level = long * long + short * short
            closer = level < lowest[window]
            lowest[window] = np.where(closer, level, lowest[window])
            owner[window] = np.where(closer, i + 1, owner[window])
            pieces.append((window, level))
        edge = float(np.partition(lowest.ravel(), wanted - 1)[wanted - 1])
        if edge < reach * reach:
            break
        reach *= 2.0
    owner[lowest > edge] = 0
    return Layout(one_piece_each(owner), pieces, edge)


def _radii(stream: Stream, wanted: int, diameter: float) -> np.ndarray:
    """Radii of nuclei whose areas add up to `wanted` pixels."""
    area = math.pi / 4.0 * diameter * diameter
    n = max(1, int(wanted / area + 0.5))
    fractions = (0.45 + stream.uniform(n)).tolist()
    total = 0.0
    for fraction in fractions:  # one by one: `sum` of floats differs between versions of Python
        total += fraction
    return np.sqrt(np.array([fraction / total * wanted / math.pi for fraction in fractions]))


def _centres(stream: Stream, size: tuple[int, int], radii: np.ndarray, tries: int = 12) -> np.ndarray:
    """(n, 2) float64 (y, x): nuclei placed one by one, nearly half of them right beside an earlier one."""
    height, width = size
    centres = np.zeros((len(radii), 2))
    for i, radius in enumerate(radii.tolist()):
        margin = (min(0.6 * radius, height / 2), min(0.6 * radius, width / 2))
        spots = stream.uniform(tries, 2)
        spots[:, 0] = margin[0] + spots[:, 0] * (height - 2 * margin[0])
        spots[:, 1] = margin[1] + spots[:, 1] * (width - 2 * margin[1])
        chance, directions, gaps = stream.uniform(1 + tries), stream.directions(tries), stream.uniform(tries)
        if i == 0:
            centres[0] = spots[0]
            continue
        others = centres[:i]
        if chance[0] < 0.45:
            beside = (chance[1:] * i).astype(np.int64)
            distance = (radii[beside] + radius) * (0.84 + 0.2 * gaps)
            spots = others[beside] + directions * distance[:, None]
        dy = spots[:, :1] - others[:, 0]
        dx = spots[:, 1:] - others[:, 1]
        # Distance to the nearest nucleus, as a fraction of that when touching; farther away all spots are alike.
        nearness = np.minimum(np.sqrt(dy * dy + dx * dx) / (radii[:i] + radius), 0.96).min(1)
        outside = (spots[:, 0] < margin[0]) | (spots[:, 0] > height - margin[0])
        outside |= (spots[:, 1] < margin[1]) | (spots[:, 1] > width - margin[1])
        centres[i] = spots[int(np.argmax(np.where(outside, nearness - 1.0, nearness)))]
        centres[i, 0] = min(max(float(centres[i, 0]), 0.0), height - 1.0)
        centres[i, 1] = min(max(float(centres[i, 1]), 0.0), width - 1.0)
    return centres


def one_piece_each(owner: np.ndarray) -> np.ndarray:
    """Number the nuclei 1…n, each one connected piece: a crumb cut off by a neighbour becomes background."""
    labels = np.zeros_like(owner)
    number = 0
    for i, window in enumerate(ndimage.find_objects(owner)):
        if window is None:
            continue
        mine = owner[window] == i + 1
        parts, n = ndimage.label(mine)
        if n > 1:
            mine = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
        number += 1
        labels[window][mine] = number
    return labels


def photograph(stream: Stream, layout: Layout, diameter: float) -> np.ndarray:
    """The picture of a layout: (H, W) uint8, as an 8-bit camera takes it."""
    size = layout.labels.shape
    height, width = size
    sharp, soft = np.zeros(size), np.zeros(size)
    exposure = stream.between(0.3, 0.62)  # a typical nucleus, as a fraction of the camera's range
    draws = stream.uniform(len(layout.pieces), 4)
    for (window, level), (a, b, focus, rare) in zip(layout.pieces, draws.tolist(), strict=True):
        dye = exposure * (0.55 + 0.6 * a) * (0.7 + 0.6 * b)
        if rare < 0.03:  # dividing or dying: dense and bright
            dye = dye * 2.2
        # thick in the middle, thin at the rim
        thickness = np.where(level <= layout.edge, dye * (1.12 - 0.42 / layout.edge * level), 0.0)
        plane = soft if focus < 0.2 else sharp
        plane[window] += thickness
    fine = smooth_noise(stream, size, max(1.6, 0.09 * diameter))
    coarse = smooth_noise(stream, size, max(2.5, 0.21 * diameter))
    chromatin = 1.0 + stream.between(0.2, 0.5) * fine + stream.between(0.15, 0.4) * coarse
    passes = 2 + int(stream.uniform(1)[0] * 3)
    light = blur(sharp * chromatin + blur(soft * chromatin, 6), passes)
    # Haze: light from out of focus, and from the optics. It is wide, so every fourth pixel is enough.
    wide = blur(np.pad(light[::4, ::4], 3, mode="edge"), 8)
    haze = interpolate(np.pad(wide, ((0, 2), (0, 2)), mode="edge"), size, 4.0, (3.0, 3.0))
    veil = stream.between(0.05, 0.1) * (1.0 + 0.3 * smooth_noise(stream, size, 5.0 * diameter))
    light = light + stream.between(0.06, 0.16) * haze + veil
    light = light * _lamp(stream, height, width)

    # The camera: the fewer electrons fill a well, the noisier the picture.
    full_well = stream.between(250.0, 1100.0)
    # Anscombe: the square root of a Poisson count is normal with σ = 1/2, nearly; here run backwards.
    root = np.sqrt(light * full_well + 0.375) + 0.5 * stream.normal(height, width)
    electrons = np.maximum(root, 0.0) * np.maximum(root, 0.0) - 0.375
    values = electrons * (240.0 / full_well) + 6.0 + stream.between(0.8, 2.2) * stream.normal(height, width)
    return np.minimum(np.maximum(np.floor(values + 0.5), 0.0), 255.0).astype(np.uint8)


def _lamp(stream: Stream, height: int, width: int) -> np.ndarray:
    """Uneven light, (H, W) around 1: brightest at some spot of the field, up to 35 % weaker far from it."""
    y, x, fall = (float(v) for v in stream.uniform(3))
    v = (np.arange(height) / height - (0.2 + 0.6 * y))[:, None]
    u = (np.arange(width) / width - (0.2 + 0.6 * x))[None, :]
    return 1.1 - (0.08 + 0.3 * fall) * (v * v + u * u)


class Cells(InstanceSet):
    """Simulated micrographs: image `(1, H, W)`, mask 0 background, 1 nucleus; `.instances[i]` the single nuclei.

    - `size`: pixels, an int or (height, width), at least 16 each way;
    - `count`: pairs in the split;
    - `foreground`: fraction of nucleus pixels in each picture, 0.005 to 0.5 and at least 5 pixels; kept within a tenth;
    - `diameter`: of a typical nucleus, in pixels, at least 6; it sets how many nuclei share the foreground;
    - `seed`: an integer from 0. Each (seed, split, index) is a picture of its own, made when it is fetched,
      whatever was fetched before.

    Raises ValueError for a value out of range.
    """

    name = "cells"
    classes = ("background", "nucleus")

    def __init__(
        self,
        split: str,
        *,
        size: Size = 128,
        count: int = 200,
        foreground: float = 0.2,
        diameter: float = 22,
        seed: int = 0,
    ):
        super().__init__(split)
        self.size = as_size(size, "size")
        if min(self.size) < 16:
            raise InputError(f"size is {size!r}; a picture has at least 16 pixels each way")
        low, high = FOREGROUND
        self.foreground = _between(foreground, low, high, "foreground", f"a fraction from {low} to {high}")
        self.diameter = _between(diameter, 6, 1000, "diameter", "6 to 1000 pixels")
        self.count = _integer(count, 1, "count")
        self.seed = _integer(seed, 0, "seed")
        pixels = self.size[0] * self.size[1]
        if self.foreground * pixels < 5:
            enough = math.ceil(5000 / pixels) / 1000
            raise InputError(
                f"foreground={foreground} of {self.size[0]}×{self.size[1]} pixels is less than 5 pixels. "
                f"Take foreground={enough} or more, or a larger size."
            )

    def __len__(self) -> int:
        return self.count

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The picture, uint8, and where it shows a nucleus."""
        layout = self._layout(index)
        return photograph(self._stream(index, 1), layout, self.diameter), layout.labels > 0

    def instance_labels(self, index: int) -> np.ndarray:
        """The nuclei, numbered without gaps."""
        return self._layout(index).labels

    def _layout(self, index: int) -> Layout:
        return lay_out(self._stream(index, 0), self.size, self.foreground, self.diameter)

    def _stream(self, index: int, part: int) -> Stream:
        return Stream(self.seed, SPLITS.index(self.split), index, part)


def _between(value: float, low: float, high: float, what: str, range_in_words: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high:
        raise InputError(f"{what} is {value!r}; it takes {range_in_words}")
    return number


def _integer(value: int, least: int, what: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise InputError(f"{what} is {value!r}; it takes an integer from {least}")
    return value.__index__()
