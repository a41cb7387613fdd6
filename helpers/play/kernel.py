"""`play.kernel`: a kernel slides over an image, and one window is worked out in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from helpers.errors import InputError, called_as
from helpers.play.inputs import grey, size, square
from helpers.play.playground import Control, Playground
from helpers.play.scene import Frame, Picture, Scene
from helpers.reference.convolution import conv2d, output_size

LEFT_EDGES = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


@dataclass(frozen=True)
class Slid:
    """The result, and one window of it.

    Attributes:
        result: float `(h, w)`.
        at: `(row, column)` of the window's value in the result.
        corner: `(row, column)` of the window's first pixel in the image; negative in the padding.
        window: the image under the kernel, `(k, k)`.
        products: window times kernel, element by element, `(k, k)`.
        value: their sum, which is `result[at]`.
    """

    result: Tensor
    at: tuple[int, int]
    corner: tuple[int, int]
    window: Tensor
    products: Tensor
    value: float


class Kernel(Playground):
    """Slide a kernel over an image; as the last line of a cell it is shown.

    Args:
        image: one image, `(H, W)` or `(1, H, W)`.
        kernel: square, `(k, k)`, as a tensor or as rows of numbers.
        at: `(row, column)` in the result of the place to work out; by default where the result is farthest from 0.

    Raises:
        ValueError: the kernel is not square or does not fit, or there is no such place.
    """

    title = "A kernel slides over an image"

    @called_as("play.kernel(image)")
    def __init__(
        self,
        image: Any,
        kernel: Any = LEFT_EDGES,
        at: tuple[int, int] | None = None,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        self.image = grey(image)
        self.kernel = square(kernel)
        self.at, self.stride, self.padding = at, stride, padding
        self.compute()  # raises for a kernel or place that does not fit

    @property
    def result(self) -> Tensor:
        """The image convolved with the kernel, float `(h, w)`."""
        return self.compute().result

    def compute(self) -> Slid:
        """The result, and the window at the chosen place.

        Raises:
            ValueError: the kernel is not square or does not fit, or there is no such place.
        """
        kernel = square(self.kernel)  # which may have been set since
        k = len(kernel)
        height, width = (output_size(side, k, self.stride, self.padding) for side in self.image.shape)
        if height < 1 or width < 1:
            raise InputError(
                f"A kernel of {k}×{k} does not fit into {size(self.image)} pixels with padding={self.padding}."
            )
        # the same as the reference's conv2d, which shows its loops and would take a second on a large image
        padded = F.pad(self.image, [self.padding] * 4)
        result = F.conv2d(padded[None, None], kernel[None, None], stride=self.stride)[0, 0]
        at = self.at
        if at is None:
            at = divmod(int(result.abs().argmax()), width)
        if not (0 <= at[0] < height and 0 <= at[1] < width):
            raise InputError(f"There is no place {tuple(at)} in a result of {height}×{width}.")
        top, left = at[0] * self.stride, at[1] * self.stride
        window = padded[top : top + k, left : left + k]
        value = conv2d(window, kernel).item()
        corner = (top - self.padding, left - self.padding)
        return Slid(result, (at[0], at[1]), corner, window, window * kernel, value)

    def facts(self) -> list[str]:
        """Sizes and range of the result, the sum of the weights, and one value worked out."""
        now = self.compute()
        k = len(self.kernel)
        total = self.kernel.sum().item()
        if abs(total) < 1e-6:
            flat = "Its weights add up to 0, so where the image is flat the result is 0."
        else:
            flat = f"Its weights add up to {total:.3g}: where the image is flat, the result is {total:.3g} times it."
        return [
            f"{size(self.image)} pixels and a kernel of {k}×{k} give {size(now.result)} values "
            f"(stride {self.stride}, padding {self.padding}), from {now.result.min():.3g} to {now.result.max():.3g}.",
            flat,
            f"At row {now.at[0]}, column {now.at[1]} of the result: {self._sum_in_words(now)} = {now.value:.3g}.",
        ]

    def _sum_in_words(self, now: Slid) -> str:
        terms = [
            f"{pixel:.2f}·{weight:.3g}" if weight >= 0 else f"{pixel:.2f}·({weight:.3g})"
            for pixel, weight in zip(now.window.flatten().tolist(), self.kernel.flatten().tolist(), strict=True)
            if weight
        ]
        if len(terms) > 25:
            return f"the sum of {len(terms)} products"
        omitted = now.window.numel() - len(terms)
        zeros = f" (and {omitted} times 0)" if omitted else ""
        return (" + ".join(terms) or "nothing but zeros") + zeros

    @property
    def row(self) -> int:
        """The row in the result of the value that is worked out."""
        return self.compute().at[0]

    @row.setter
    def row(self, row: int) -> None:
        self.at = (row, self.column)

    @property
    def column(self) -> int:
        """The column in the result of the value that is worked out."""
        return self.compute().at[1]

    @column.setter
    def column(self, column: int) -> None:
        self.at = (self.row, column)

    def controls(self) -> list[Control]:
        """The kernel, the place, stride and padding."""
        height, width = self.compute().result.shape
        return [
            Control("kernel", "Kernel", "grid"),
            Control("row", "Row", min=0, max=height - 1, step=1),
            Control("column", "Column", min=0, max=width - 1, step=1),
            Control("stride", "Stride", min=1, max=4, step=1),
            Control("padding", "Padding", min=0, max=4, step=1),
        ]

    def change(self, **values: Any) -> None:
        """Set some of the settings; a new stride or padding resets the place."""
        if "kernel" in values:
            values["kernel"] = square(values["kernel"])
        if {"stride", "padding"} & values.keys():
            self.at = None  # another result has other places
        super().change(**values)
        self.compute()  # raises for settings that do not fit

    def scene(self) -> Scene:
        """Image and result; window, kernel and products."""
        now, k = self.compute(), len(self.kernel)
        frame = Frame(now.corner[0], now.corner[1], k, k, wide=True)
        panels = [
            Picture(f"image, {size(self.image)}", self.image, frames=(frame,), drags=("row", "column")),
            Picture(f"result, {size(now.result)}", now.result, rings=(now.at,)),
            Picture("under the kernel", now.window),
            Picture("× kernel", self.kernel),
            Picture(f"= products, sum {now.value:.3g}", now.products),
        ]
        alt = (
            f"The image with a frame of {k}×{k} pixels at row {now.corner[0]}, column {now.corner[1]}, and the result, "
            f"{size(now.result)} values, with a ring at row {now.at[0]}, column {now.at[1]}, where it is "
            f"{now.value:.3g}. The pixels in the frame, from {now.window.min():.2g} to {now.window.max():.2g}; the "
            f"kernel, {_rows(self.kernel)}; and their products, {_rows(now.products)}."
        )
        return Scene([panels], alt)


def _rows(numbers: Tensor) -> str:
    if len(numbers) > 5:
        return f"{size(numbers)} numbers from {numbers.min():.2g} to {numbers.max():.2g}"
    return "rows " + " / ".join(" ".join(f"{value:.2g}" for value in row) for row in numbers.tolist())
