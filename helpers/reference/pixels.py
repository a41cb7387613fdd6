"""Lesson 01: images and masks as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset


def to_tensor(image: np.ndarray) -> Tensor:
    """An image as read from a file, as the tensor that a network takes.

    Args:
        image: uint8 array, grey `(H, W)` or with the channels last `(H, W, C)`.

    Returns:
        float32 `(C, H, W)` in [0, 1], a grey image with one channel. It shares no memory with `image`.

    Raises:
        ValueError: `image` has another dtype or another number of axes.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3):
        raise ValueError(
            f"The image is {image.dtype} of shape {image.shape}; it must be uint8 of shape (H, W) or (H, W, C). "
            "One that is divided by 255 already would be divided twice."
        )
    pixels = torch.from_numpy(image.copy())  # a copy, since an array from a file may be read-only
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]  # (H, W, 1)
    return pixels.permute(2, 0, 1).to(torch.float32) / 255


def one_hot(mask: Tensor, num_classes: int, ignore_index: int = 255) -> Tensor:
    """One channel per class: 1 where the pixel is of that class, 0 elsewhere.

    Args:
        mask: int64 `(H, W)`, class indices from 0 to `num_classes - 1`, or `ignore_index`.
        num_classes: number of classes K.
        ignore_index: pixels of this value have no label and are 0 in every channel.

    Returns:
        float32 `(K, H, W)`.

    Raises:
        ValueError: the mask holds a value that is neither a class nor `ignore_index`.
    """
    known = mask != ignore_index
    outside = mask[known & ((mask < 0) | (mask >= num_classes))]
    if outside.numel():
        raise ValueError(
            f"The mask holds {outside[0].item()}; with num_classes={num_classes} the classes are 0 to "
            f"{num_classes - 1}. Count the classes again, or pass that value as ignore_index."
        )
    classes = torch.arange(num_classes, device=mask.device)[:, None, None]  # (K, 1, 1)
    return ((mask == classes) & known).to(torch.float32)


def mask_to_box(mask: Tensor) -> tuple[int, int, int, int] | None:
    """The smallest box around the true pixels.

    Args:
        mask: bool `(H, W)`.

    Returns:
        `(x0, y0, x1, y1)` in pixels, so that `mask[y0:y1, x0:x1]` is the box: `x1` and `y1` are just outside. `None`
        if no pixel is true.
    """
    if not mask.any():
        return None
    rows, columns = mask.nonzero(as_tuple=True)
    return columns.min().item(), rows.min().item(), columns.max().item() + 1, rows.max().item() + 1


def flip_pair(image: Tensor, mask: Tensor, horizontal: bool, vertical: bool) -> tuple[Tensor, Tensor]:
    """An image and its mask, flipped together.

    Args:
        image: `(C, H, W)`.
        mask: `(H, W)`.
        horizontal: swap left and right.
        vertical: swap top and bottom.

    Returns:
        Image and mask, shaped as before.
    """
    # Counted from the end, an axis has one number in both: (C, H, W) and (H, W).
    axes = [axis for axis, wanted in ((-1, horizontal), (-2, vertical)) if wanted]
    return image.flip(axes), mask.flip(axes)


class PairDataset(Dataset):
    """Images and masks as a data set of pairs, ready for a `DataLoader`.

    `pairs[i]` is `(image, mask)`: float32 `(C, H, W)` in [0, 1] and int64 `(H, W)`, new tensors each time. A negative
    index counts from the end; one out of range raises IndexError, so a loop over the data set ends.

    Args:
        images: uint8 arrays `(H, W)` or `(H, W, C)` of any sizes, as for `to_tensor`.
        masks: for each image an array `(H, W)` of integers, the class of each pixel.
        transform: each time a pair is fetched, it is the image and mask that `transform(image, mask)` returns.

    Raises:
        ValueError: the numbers of images and masks differ.
    """

    def __init__(
        self,
        images: Sequence[np.ndarray],
        masks: Sequence[np.ndarray],
        transform: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        if len(images) != len(masks):
            raise ValueError(f"There are {len(images)} images and {len(masks)} masks; each image needs one mask.")
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = to_tensor(self.images[index])  # (C, H, W)
        mask = torch.from_numpy(self.masks[index].astype(np.int64))  # (H, W)
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        return image, mask
