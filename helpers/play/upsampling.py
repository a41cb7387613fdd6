"""`play.upsampling`: three ways to enlarge a map, and the checkerboard that one of them can leave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.data.validation import check_choice
from helpers.errors import InputError, called_as
from helpers.play.inputs import grey, size, square
from helpers.play.playground import Control, Playground
from helpers.play.scene import Picture, Plot, Scene
from helpers.reference.decoder import transposed_conv2d, upsample_nearest

MODES = ("nearest", "bilinear", "transposed")
PATCH = 20  # side of what is enlarged, in pixels: few enough that a checkerboard can be seen
KERNELS = range(1, 8)


@dataclass(frozen=True)
class Enlarged:
    """A patch, enlarged.

    Attributes:
        maps: by mode, float `(H', W')`.
        strengths: by mode, the unevenness that the method causes: see `checkerboard`.
    """

    maps: dict[str, Tensor]
    strengths: dict[str, float]


@cache
def _by_kernel(stride: int) -> dict[int, float]:
    patch = torch.ones(PATCH, PATCH)  # the result does not depend on the patch
    return {k: Upsampling(patch, "transposed", k, stride)._checkerboard("transposed") for k in KERNELS}


class Upsampling(Playground):
    """Enlarge a patch of an image; as the last line of a cell it is shown.

    Args:
        image: one image or feature map, `(H, W)` or `(1, H, W)`. Of a larger one the liveliest patch of 20×20 pixels
            is taken.
        mode: "nearest", "bilinear" or "transposed"; by default all three, side by side.
        kernel: of the transposed convolution: its side, for one with equal weights; or its weights, `(k, k)`.
        stride: how many times larger, at least 1.

    Raises:
        ValueError: no such mode, or a kernel or stride that is impossible.
    """

    title = "Three ways to make a map larger"

    @called_as("play.upsampling(image)")
    def __init__(self, image: Any, mode: str | None = None, kernel: Any = 3, stride: int = 2) -> None:
        if mode is not None:
            check_choice("mode", mode, MODES)
        if stride < 1:
            raise InputError(f"stride is {stride}; it must be at least 1.")
        self.patch = liveliest(grey(image), PATCH)
        self.mode, self.stride = mode, stride
        self.kernel = kernel
        self.weights()  # raises for an impossible kernel

    def weights(self) -> Tensor:
        """The kernel `(k, k)`. Equal weights are scaled to keep the mean brightness."""
        if isinstance(self.kernel, int):
            if self.kernel < 1:
                raise InputError(f"kernel is {self.kernel}; it must be at least 1.")
            return torch.full((self.kernel, self.kernel), (self.stride / self.kernel) ** 2)
        return square(self.kernel)

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that are shown."""
        return MODES if self.mode is None else (self.mode,)

    def compute(self) -> Enlarged:
        """The patch, enlarged in each mode."""
        maps = {mode: self._enlarge(self.patch, mode) for mode in self.modes}
        return Enlarged(maps, {mode: self._checkerboard(mode) for mode in self.modes})

    def by_kernel(self) -> dict[int, float]:
        """The strength of the checkerboard of a transposed convolution with equal weights, for each kernel side."""
        return _by_kernel(self.stride)

    def _checkerboard(self, mode: str) -> float:
        # On a map of ones all unevenness comes from the method. It is large enough that some lie far from the border.
        reach = len(self.weights()) if mode == "transposed" else 2
        flat = torch.ones(2 * reach + 4, 2 * reach + 4)
        return checkerboard(self._enlarge(flat, mode), self.stride, reach)

    def _enlarge(self, x: Tensor, mode: str) -> Tensor:
        if mode == "transposed":
            return transposed_conv2d(x, self.weights(), self.stride)
        if mode == "nearest":
            return upsample_nearest(x[None, None], self.stride)[0, 0]
        return F.interpolate(x[None, None], scale_factor=self.stride, mode="bilinear")[0, 0]

    def facts(self) -> list[str]:
        """Size and checkerboard of each mode, and the checkerboard of each kernel side."""
        now = self.compute()
        k = len(self.weights())
        names = {"transposed": f"transposed, kernel {k}×{k}"}
        found = [
            f"{size(self.patch)} become {names.get(mode, mode)}: {size(now.maps[mode])}, checkerboard "
            f"{now.strengths[mode]:.2f}."
            for mode in self.modes
        ]
        found.append(
            "*Checkerboard* is how far a map of ones is from flat after enlarging: standard deviation over mean, away "
            "from the border."
        )
        if "transposed" in self.modes:
            by_kernel = self.by_kernel()
            even = [str(side) for side, strength in by_kernel.items() if strength < 1e-6]
            found.append(
                f"With equal weights and stride {self.stride}: "
                + ", ".join(f"{side}×{side} {strength:.2f}" for side, strength in by_kernel.items())
                + f". Even where the kernel's side is a multiple of the stride: {', '.join(even)}."
            )
        return found

    def controls(self) -> list[Control]:
        """The stride and, for equal weights, the kernel's side."""
        stride = Control("stride", "Stride", min=1, max=4, step=1)
        if "transposed" not in self.modes or not isinstance(self.kernel, int):
            return [stride]
        kernel = Control("kernel", "Kernel side", min=KERNELS[0], max=KERNELS[-1], step=1)
        return [kernel, stride]

    def scene(self) -> Scene:
        """The patch, enlarged in each mode, and the checkerboard over the kernel's side."""
        now, k = self.compute(), len(self.weights())
        names = {"transposed": f"transposed {k}×{k}"}
        panels: list[Picture | Plot] = [Picture(f"patch, {size(self.patch)}", self.patch)]
        for mode in self.modes:
            title = f"{names.get(mode, mode)}, checkerboard {now.strengths[mode]:.2f}"
            panels.append(Picture(title, now.maps[mode]))
        alt = f"A patch of {size(self.patch)} pixels, enlarged {self.stride} times: " + "; ".join(
            f"{mode}, {size(now.maps[mode])}, checkerboard {now.strengths[mode]:.2f}" for mode in self.modes
        )
        if "transposed" in self.modes:
            by_kernel = self.by_kernel()
            panels.append(
                Plot(
                    f"stride {self.stride}, equal weights",
                    "kernel side",
                    "checkerboard",
                    list(map(float, by_kernel)),
                    lines={"transposed": list(by_kernel.values())},
                    marks=((float(k), f"now {k}"),) if k in by_kernel else (),
                )
            )
            alt += ". Last, the checkerboard over the kernel's side: " + ", ".join(
                f"{side}: {strength:.2f}" for side, strength in by_kernel.items()
            )
        return Scene([panels], alt + ".")


def checkerboard(flat: Tensor, stride: int, reach: int) -> float:
    """How uneven an enlarged map of ones is: standard deviation over mean size, away from the border.

    Args:
        flat: the enlarged map, float `(H, W)`.
        stride: how many times larger it is; the pattern repeats after so many pixels.
        reach: how many pixels of the small map to leave out at each border.
    """
    side = (len(flat) - 2 * reach * stride) // stride * stride  # whole repetitions
    inside = flat[reach * stride :, reach * stride :][:side, :side]
    mean = inside.abs().mean()
    return (inside.std(unbiased=False) / mean).item() if mean else 0.0


def liveliest(image: Tensor, side: int) -> Tensor:
    """The `side` × `side` window, of those on a grid, with the largest standard deviation; all of a smaller image."""
    height, width = (min(side, n) for n in image.shape)
    windows = image.unfold(0, height, max(1, height // 4)).unfold(1, width, max(1, width // 4))  # (rows, columns, h, w)
    spread = windows.std(dim=(2, 3), unbiased=False)
    row, column = divmod(int(spread.argmax()), spread.shape[1])
    return windows[row, column].clone()
