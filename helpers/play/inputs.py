"""Inputs of playgrounds as tensors of the right kind, and numbers in words."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from helpers.errors import InputError


def plain(value: Any) -> Tensor:
    """A plain CPU tensor without gradient, from a tensor, a tv_tensor or an array."""
    return torch.as_tensor(value).as_subclass(torch.Tensor).detach().cpu()


def grey(image: Any, what: str = "image") -> Tensor:
    """An image as float `(H, W)`, the mean of its colours; bytes become fractions of 255.

    Raises:
        ValueError: it is not one image.
    """
    image = plain(image)
    image = image / 255 if image.dtype == torch.uint8 else image.float()
    if image.ndim == 4 and len(image) == 1:
        image = image[0]
    if image.ndim == 3 and len(image) in (1, 3):
        image = image.mean(dim=0)
    if image.ndim != 2 or not image.numel():
        raise InputError(
            f"{what} has shape {tuple(image.shape)}; it must be one image: (H, W), (1, H, W) or (3, H, W)."
        )
    return image


def labels(mask: Any, like: Tensor | None = None, what: str = "truth") -> Tensor:
    """A mask as int64 `(H, W)`: class indices, or 0 and 1 where it was bool.

    Args:
        like: an image `(H, W)` of the required size.

    Raises:
        ValueError: it is not one mask, has another size than `like`, or holds fractions.
    """
    mask = plain(mask)
    while mask.ndim > 2 and len(mask) == 1:
        mask = mask[0]
    if mask.ndim != 2 or not mask.numel():
        raise InputError(f"{what} has shape {tuple(mask.shape)}; it must be one mask (H, W).")
    if like is not None and mask.shape != like.shape:
        raise InputError(f"{what} is {size(mask)} pixels and the image {size(like)}; they must be of one size.")
    if mask.is_floating_point() and not torch.equal(mask, mask.round()):
        raise InputError(f"{what} holds fractions; it must be a mask, bool or class indices. Try {what} > 0.5.")
    return mask.long()


def square(kernel: Any) -> Tensor:
    """A kernel as float `(k, k)`.

    Raises:
        ValueError: it is not square.
    """
    weights = plain(kernel).float().squeeze()
    weights = weights.reshape(1, 1) if weights.numel() == 1 else weights
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
        raise InputError(f"The kernel has shape {tuple(weights.shape)}; it must be square: (k, k).")
    return weights


def size(image: Tensor) -> str:
    """Height × width: "64×48"."""
    return f"{image.shape[-2]}×{image.shape[-1]}"


def percent(fraction: float) -> str:
    """A fraction as "5 %", "0.4 %"."""
    return f"{100 * fraction:.3g} %"


def pixels(count: float) -> str:
    """A number of pixels: "1 pixel", "2 pixels"."""
    return f"{count:g} pixel{'' if count == 1 else 's'}"
