"""What playgrounds are given, as tensors of the right kind, and numbers in words."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from helpers import show

MISSED, FALSE, BOTH, CONFUSED = (
    ("missed", show.BLUE, "...."),
    ("false", show.ORANGE, "////"),
    ("in both", show.GREEN, ""),
    ("wrong class", show.VERMILION, "xxxx"),
)


def plain(value: Any) -> Tensor:
    """A tensor without gradient, class or device of its own, from a tensor, a tv_tensor or an array."""
    return torch.as_tensor(value).as_subclass(torch.Tensor).detach().cpu()


def grey(image: Any, what: str = "image") -> Tensor:
    """An image as float `(H, W)`: of colours the mean, of a batch of one that one.

    Raises:
        ValueError: it is not one image.
    """
    image = plain(image)
    whole = image.dtype == torch.uint8
    image = image.float()
    if image.ndim == 4 and len(image) == 1:
        image = image[0]
    if image.ndim == 3 and len(image) in (1, 3):
        image = image.mean(dim=0)
    if image.ndim != 2 or not image.numel():
        raise ValueError(
            f"{what} has shape {tuple(image.shape)}; it must be one image: (H, W), (1, H, W) or (3, H, W)."
        )
    return image / 255 if whole else image


def labels(mask: Any, like: Tensor | None = None, what: str = "truth") -> Tensor:
    """A mask as int64 `(H, W)`: class indices, or 0 and 1 where it was bool.

    Args:
        like: an image `(H, W)` of the size that is needed.

    Raises:
        ValueError: it is not one mask, or of another size than `like`, or holds fractions.
    """
    mask = plain(mask)
    while mask.ndim > 2 and len(mask) == 1:
        mask = mask[0]
    if mask.ndim != 2 or not mask.numel():
        raise ValueError(f"{what} has shape {tuple(mask.shape)}; it must be one mask (H, W).")
    if like is not None and mask.shape != like.shape:
        raise ValueError(f"{what} is {size(mask)} pixels and the image {size(like)}; they must be of one size.")
    if mask.is_floating_point() and not torch.equal(mask, mask.round()):
        raise ValueError(f"{what} holds fractions; it must be a mask, bool or class indices. Try {what} > 0.5.")
    return mask.long()


def size(image: Tensor) -> str:
    """Height × width in words: "64×48"."""
    return f"{image.shape[-2]}×{image.shape[-1]}"


# ---- in words -----------------------------------------------------------------------------------------------------


def percent(fraction: float) -> str:
    """A share in words: "5 %", "0.4 %"."""
    return f"{100 * fraction:.3g} %"


def pixels(count: float) -> str:
    """A number of pixels in words: "1 pixel", "2 pixels"."""
    return f"{count:g} pixel{'' if count == 1 else 's'}"
