"""One operation of a run: its kind, what it does to the receptive field, and the level on which it ends."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from torch import Tensor

from helpers.tracing.receptive_field import ReceptiveField
from helpers.tracing.results import Shape

# names of operations in ATen
POOLS = {"max_pool2d_with_indices": "max pooling", "max_pool2d": "max pooling", "avg_pool2d": "average pooling"}
ADAPTIVE = {"_adaptive_avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
ENLARGE = re.compile("_?upsample_(nearest|bilinear|bicubic)(_exact)?2d")
TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}
NORMS = re.compile("(batch|group|layer|instance)_norm")
PRODUCTS = re.compile("(mm|bmm|addmm|baddbmm|matmul|linear|_scaled_dot_product.*)$")
PADDING = {"constant_pad_nd", "reflection_pad2d", "replication_pad2d"}
PADS = {"slice", "expand", "repeat", "grid_sampler_2d", *PADDING}
MOVES = {"permute", "transpose"}  # axes to other places
RESHAPES = {"view", "_unsafe_view", "_reshape_alias"}
SLICE: list[Any] = [None, 0, None, None, 1]  # operand, axis, start, end and stride where they are not given
SHAPE_ONLY = re.compile(r"new_|\w+_like$")  # made from the shape of an operand, not from its values


@dataclass
class Operation:
    """One operation on image data, or an image.

    `first` below is the operand from which the result has its geometry.
    """

    index: int
    name: str
    inputs: list[int]
    shape: Shape
    whole: Shape  # the shape; of a view that is no map, the shape of what it is a view of
    map: Shape  # of the last result that is a map: (N, C, rows, columns)
    receptive_field: tuple[ReceptiveField, ...]  # along rows and columns
    level: int  # of the coarser axis on the way down, of the finer one on the way up
    side: str = "down"
    kind: str = "other"
    arrow: str = ""  # "pool" or "up": it leads from level to level
    pooled: bool = False  # an average over the whole image, or over a few large parts of it
    sees_all: bool = False  # made from something that was
    loose: bool = False  # of unclear geometry: after a matrix product, or where the last two axes may be others
    data: bool = True  # holds values made from the image, not only its shape
    seconds: float = 0.0
    bytes: int = 0
    parameters: set[int] = field(default_factory=set)
    unregistered: set[int] = field(default_factory=set)
    kernel: Shape = ()
    detail: str = ""
    module: str = ""
    zero_inputs: dict[int, bool] = field(default_factory=dict)
    zero_constant: Shape = ()  # shape of an operand that is zero and not made from the image
    zero: bool = False
    finite: bool = True
    maps: Tensor | None = None
    channels: list[int] = field(default_factory=list)

    @property
    def size(self) -> Shape:
        """Rows and columns of the last map."""
        return self.map[-2:]

    @property
    def weights(self) -> bool:
        """Whether parameters took part."""
        return bool(self.parameters or self.unregistered)

    @property
    def step(self) -> tuple[Fraction, ...]:
        """Pixels of the image from one position to the next, along rows and columns."""
        return tuple(along.step for along in self.receptive_field)

    @property
    def how(self) -> str:
        """How it put several maps together, in words; empty where it did not."""
        merges = {"cat": "concatenated", "add": "added", "add_": "added"}
        return merges.get(self.name, "merged" if self.kind == "merge" else "")

    def describe(self, first: Operation, args: Sequence[Any], output: Tensor) -> None:
        """Find kind and receptive field from its own kernel and stride, where it has them, and then the level."""
        before, name, enlargement = first, self.name, ENLARGE.match(self.name)
        spatial = name == "convolution" or name in POOLS or name in ADAPTIVE or enlargement or "batch_norm" in name
        if spatial and output.ndim == 4:
            first = first.as_map()
            self.receptive_field = first.receptive_field
        self.loose = not self._is_map(first, args)
        self.map = self.map if self.loose or output.ndim != 4 else self.shape
        if name == "convolution" and output.ndim == 4:
            _, weight, _, stride, padding, dilation, transposed, *_ = args
            stride, padding, dilation = _pair(stride), _pair(padding), _pair(dilation)  # "valid" is one 0
            self.kind, self.kernel = "conv", tuple(weight.shape[2:])
            size, strided = "×".join(map(str, self.kernel)), f", stride {stride[0]}" if max(stride) > 1 else ""
            self.detail = f"{'transposed ' if transposed else ''}convolution {size}{strided}"
            step = ReceptiveField.transposed if transposed else ReceptiveField.window
            self._go(step, self.kernel, stride, dilation, padding)
        elif name in POOLS:
            kernel = _pair(args[1])
            stride = _pair(args[2]) if len(args) > 2 and args[2] else kernel
            padding = _pair(args[3]) if len(args) > 3 else (0, 0)
            self.kind, self.detail = "scale", f"{POOLS[name]} {kernel[0]}×{kernel[1]}"
            self._go(ReceptiveField.window, kernel, stride, (1, 1), padding)
        elif enlargement:
            how = enlargement[1]
            self.kind, self.detail = "scale", f"{how} enlargement"
            if not first.pooled:
                self._go(ReceptiveField.resized, _ratios(first.size, self.size), (TAPS[how], TAPS[how]))
        elif name in ADAPTIVE or self._averages_all(first, output):
            ratios = _ratios(first.size, self.size)
            even = all(a == b * ratio for a, b, ratio in zip(first.size, self.size, ratios, strict=True))
            if output.ndim != 4 or self.size == (1, 1) or max(ratios) > 4 or min(ratios) < 1 or not even:
                self.pooled = self.sees_all = True
            else:
                self.kind, self.detail = "scale", "average pooling"
                self._go(ReceptiveField.window, map(int, ratios), map(int, ratios))
        elif NORMS.search(name):
            self.kind = "norm"
        elif PRODUCTS.match(name):
            self.kind, self.loose = "product", True
        elif len(self.inputs) > 1 or name in ("cat", "stack"):
            self.kind = "merge"
        elif name == "slice" and output.ndim == 4 and not self.loose and len(args) > 1 and args[1] % 4 > 1:
            _, axis, start, _, stride = [*args, *SLICE[len(args) :]]
            starts, strides, along = [0, 0], [1, 1], axis % 4 - 2
            starts[along] = max(0, start + first.shape[axis] if start < 0 else start) if start else 0
            strides[along] = stride
            self.kind, self.detail = ("scale", "pooling by hand") if stride > 1 else ("crop", "")
            self._go(ReceptiveField.from_position, starts, strides)
        elif name == "constant_pad_nd" and output.ndim == 4 and not self.loose:
            left, _, top, _ = [*args[1], 0, 0][:4]
            self._go(ReceptiveField.from_position, (-top, -left))
        elif self._changes_scale(first, output):
            ratios = _ratios(first.size, self.size)
            self.kind, self.detail = "scale", "pooling by hand" if max(ratios) > 1 else "enlargement by hand"
            self._scale_by(ratios)
        self._place(before)

    def as_map(self) -> Operation:
        """This result where something takes it as a map; of unclear geometry before, its sides now say its scale."""
        if not self.loose or len(self.shape) != 4 or self.pooled or 0 in self.shape:
            return self
        found = replace(self, loose=False, map=self.shape)
        found._scale_by(_ratios(self.size, found.size))
        return found

    def _is_map(self, first: Operation, args: Sequence[Any]) -> bool:
        """Whether the last two axes are rows and columns, as far as shapes tell."""
        if len(self.shape) != 4 or (self.shape == first.shape and self.name not in MOVES):
            return not first.loose
        if self.name in MOVES and not first.loose and len(first.shape) == 4:
            axes = args[1][2:] if self.name == "permute" else args[1:]
            return {axis % 4 for axis in axes} in ({0, 1}, {2, 3})
        if not first.loose and len(first.shape) == 4 and self.name not in RESHAPES:
            return True
        across, down = _ratios(first.size, self.shape[-2:])
        same_channels = self.shape[:2] == first.map[:2]
        if first.loose:
            return across == down and (across == 1 or same_channels)
        shuffled = len(first.shape) > 4 and math.prod(self.shape) == math.prod(first.map)  # pixels out of channels
        return across == down == 1 or same_channels or (across == down and shuffled)

    def _scale_by(self, ratios: list[Fraction]) -> None:
        """So many positions become one, or one becomes so many."""
        coarser = [max(1, math.floor(ratio)) for ratio in ratios]
        self._go(ReceptiveField.window, coarser, coarser)
        self._go(ReceptiveField.resized, [min(Fraction(1), ratio) for ratio in ratios])

    def _go(self, step: Callable[..., ReceptiveField], *values: Iterable[Any]) -> None:
        """Take the same step along rows and along columns, with a value of its own for each."""
        pairs = zip(self.receptive_field, *values, strict=True)
        self.receptive_field = tuple(step(along, *own) for along, *own in pairs)

    def _place(self, first: Operation) -> None:
        """Find the level of the result, and whether this was a step from level to level."""
        if self.pooled:
            return
        if self.step != first.step:
            coarser = max(self.step) > max(first.step)
            self.level = level_of(max(self.step) if coarser else min(self.step))
            if self.level != first.level:
                self.arrow = "pool" if coarser else "up"
        between = self.step[0] != self.step[1] or self.kind == "scale"  # one axis after the other
        if not self.arrow and first.arrow and between and not self.weights and len(self.inputs) == 1:
            self.arrow = first.arrow
        if self.arrow == "up":
            self.side = "up"

    def _averages_all(self, first: Operation, output: Tensor) -> bool:
        """Whether one number is left of each channel."""
        whole = len(first.shape) == 4 and math.prod(first.shape[2:]) > 1
        return whole and self.name in ("mean", "amax", "max", "sum") and output.numel() == math.prod(first.shape[:2])

    def _changes_scale(self, first: Operation, output: Tensor) -> bool:
        """Whether an operation that is not known for it makes an image smaller or larger by a whole factor."""
        if output.ndim != 4 or self.pooled or first.loose or self.loose or self.name in PADS or min(first.size) == 1:
            return False
        return first.size != self.size and all(
            (a % b == 0 or b % a == 0 or round(a / b) > 1) and 1 / 8 <= a / b <= 8
            for a, b in zip(first.size, self.size, strict=True)
        )


def main_operand(operands: list[Operation], shape: Shape) -> Operation:
    """The operand that gives the result its geometry: of the result's size, spatial, and the finest of these."""
    fitting = [op for op in operands if not op.pooled] or operands
    fitting = [op for op in fitting if op.size == shape[-2:]] or fitting
    return min(fitting, key=lambda op: (max(op.step), op.loose))


def level_of(step: Fraction) -> int:
    """The level on which two neighbours are `step` pixels of the image apart: 2**level."""
    return round(math.log2(step))


def _ratios(before: Shape, after: Shape) -> list[Fraction]:
    """By how much the step grows, to a whole number: 25 pixels enlarged to 51 are twice as many."""
    sides = zip(before, after, strict=True)
    return [Fraction(round(a / b)) if a >= b else Fraction(1, round(b / a)) for a, b in sides]


def _pair(value: Sequence[int]) -> tuple[int, int]:
    return value[0], value[-1]
