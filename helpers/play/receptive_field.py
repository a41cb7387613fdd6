"""`play.receptive_field`: how far one value sees, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from helpers.errors import InputError, called_as
from helpers.play.inputs import grey, percent, pixels, size
from helpers.play.playground import Control, Playground
from helpers.play.scene import Frame, Picture, Plot, Scene
from helpers.reference.convolution import receptive_field as field_of
from helpers.show import BLUE, ORANGE

# The encoder of a U-Net: two convolutions, then at each level a pooling and two more.
ENCODER = [(3, 1), (3, 1), *[(2, 2), (3, 1), (3, 1)] * 4]


@dataclass(frozen=True)
class Seen:
    """The receptive field of a value after one layer, in input pixels.

    Attributes:
        kernel, stride: the layer's.
        field: side of the square of pixels that the value depends on.
        step: distance to the square of the neighbouring value.
        grown: by how much the layer made the side longer.
    """

    kernel: int
    stride: int
    field: int
    step: int
    grown: int


class ReceptiveField(Playground):
    """Let the receptive field grow layer by layer; as the last line of a cell it is shown.

    Args:
        layers: `(kernel, stride)` of each convolution or pooling, from the input on; by default those of a U-Net's
            encoder of depth 4.
        image: an image `(H, W)` or `(1, H, W)` to draw the fields on.

    Raises:
        ValueError: there is no layer, or a kernel or stride is below 1.
    """

    title = "How far a value sees, layer by layer"

    @called_as("play.receptive_field([(3, 1), (2, 2)])")
    def __init__(self, layers: Iterable[tuple[int, int]] = ENCODER, image: Any = None) -> None:
        self.layers = [(int(kernel), int(stride)) for kernel, stride in layers]
        if not self.layers:
            raise InputError("There is no layer. Give pairs (kernel, stride), such as [(3, 1), (3, 1), (2, 2)].")
        for kernel, stride in self.layers:
            if kernel < 1 or stride < 1:
                raise InputError(f"There is no layer with kernel {kernel} and stride {stride}: both are 1 or more.")
        self.image = None if image is None else grey(image)
        self.shown = len(self.layers)  # how many of the layers, from the first on

    def compute(self) -> list[Seen]:
        """The field after each layer that is shown."""
        found, step = [], 1
        for k, (kernel, stride) in enumerate(self.layers[: self.shown], start=1):
            field, before = field_of(self.layers[:k]), field_of(self.layers[: k - 1])
            step *= stride
            found.append(Seen(kernel, stride, field, step, field - before))
        return found

    def facts(self) -> list[str]:
        """The field after each layer, what each adds, and how much of the image the last covers."""
        seen = self.compute()
        last = seen[-1]
        strides = [f", stride {s.stride}" if s.stride > 1 else "" for s in seen]
        sides = [f"{s.field} ({s.kernel}×{s.kernel}{stride})" for s, stride in zip(seen, strides, strict=True)]
        found = [
            f"After the last, a value sees {last.field}×{last.field} pixels of the input, and its neighbour's square "
            f"lies {pixels(last.step)} further.",
            f"Side of the receptive field after each layer: {', '.join(sides)} pixels.",
            "Each layer adds " + ", ".join(str(s.grown) for s in seen) + ": its kernel less one, times the strides of "
            "all layers before it.",
        ]
        if self.image is not None:
            fraction = math.prod(min(1.0, last.field / side) for side in self.image.shape)
            found.append(f"The last field covers {percent(fraction)} of this image of {size(self.image)} pixels.")
        return found

    def controls(self) -> list[Control]:
        """How many layers."""
        return [Control("shown", "Layers", min=1, max=len(self.layers), step=1)]

    def scene(self) -> Scene:
        """The fields as bars, and as squares in each other."""
        seen = self.compute()
        last = seen[-1].field
        places = [float(k) for k in range(1, len(self.layers) + 1)]
        rest = [0.0] * (len(self.layers) - len(seen))
        rows = (
            ("stride 1", [s.field * (s.stride == 1) for s in seen] + rest, BLUE, ""),
            ("stride above 1", [s.field * (s.stride > 1) for s in seen] + rest, ORANGE, "////"),
        )
        bars = Plot("receptive field after each layer", "layer", "side of the field, pixels", places, bars=rows)
        ground = torch.ones(last + 2, last + 2) if self.image is None else self.image
        middle = [side / 2 for side in ground.shape]
        frames = []
        for s in seen:
            top, left = (at - s.field / 2 for at in middle)
            colour, dashed = (ORANGE, True) if s.stride > 1 else (BLUE, False)
            frames.append(Frame(top, left, s.field, s.field, colour, dashed, wide=s is seen[-1]))
        field = Picture(f"what the last value sees: {last}×{last}", ground, frames=tuple(frames), written=False)
        alt = (
            f"Bars: the side of the receptive field after each of {len(seen)} layers, "
            + ", ".join(str(s.field) for s in seen)
            + f" pixels. Squares of these sides in each other{' on the image' if self.image is not None else ''}, the "
            f"outermost {last}×{last}."
        )
        return Scene([[bars, field]], alt)
