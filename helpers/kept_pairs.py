"""Pairs that are read once and kept, since a training comes back to each of them many times."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from helpers.data.pairs import Pairs

BINS = 2**16  # for values between the lowest and the highest of an image
Part = tuple[slice, slice]  # rows and columns


class _Kept(NamedTuple):
    """A pair as small as it goes without loss; of an image with `values`, `image` holds the number of each."""

    image: Tensor
    values: Tensor | None
    mask: Tensor


class KeptPairs:
    """The pairs of a data set, each read when it is first asked for.

    A picture of 8 bits has up to 256 values, whatever they were scaled to, and takes 8 bits again here.

    Args:
        pairs: images and masks, the same ones each time unless `most` is 0.
        most: bytes; what does not go into them is read anew each time.
    """

    def __init__(self, pairs: Pairs, most: int) -> None:
        self._pairs, self._left = pairs, most
        self._kept: dict[int, _Kept] = {}

    def __len__(self) -> int:
        return len(self._pairs)

    def read(self, index: int) -> tuple[Tensor, Tensor]:
        """Image and mask as the data set gives them now."""
        image, mask = (torch.as_tensor(x).as_subclass(Tensor) for x in self._pairs[index])
        return image, mask

    def shape(self, index: int) -> torch.Size:
        """Rows and columns."""
        return self._get(index).mask.shape

    def part(self, index: int, choose: Callable[[torch.Size], Part]) -> tuple[Tensor, Tensor]:
        """Image and mask of pair `index`, those rows and columns that `choose` takes of its shape."""
        image, values, mask = self._get(index)
        rows, columns = choose(mask.shape)
        image, mask = image[:, rows, columns], mask[rows, columns]
        return (image if values is None else values[image.int()]), (mask.long() if mask.dtype == torch.uint8 else mask)

    def _get(self, index: int) -> _Kept:
        if index in self._kept:
            return self._kept[index]
        image, mask = self.read(index)
        if self._left <= 0:
            return _Kept(image, None, mask)
        small = mask.to(torch.uint8)
        pair = _Kept(*_numbered(image), small if mask.dtype == torch.int64 and torch.equal(small, mask) else mask)
        self._left -= pair.image.nbytes + pair.mask.nbytes
        self._kept[index] = pair
        return pair


def _numbered(image: Tensor) -> tuple[Tensor, Tensor | None]:
    """The number of each value, and the values; the image itself where there are too many."""
    if image.dtype != torch.float32 or not image.numel():
        return image, None
    low, high = (float(x) for x in image.aminmax())
    if not math.isfinite(high - low):
        return image, None
    bins = ((image - low) * ((BINS - 1) / max(high - low, 1e-30))).round_().int()  # quicker than to sort them
    used = torch.bincount(bins.flatten(), minlength=BINS) > 0
    if used.sum() > 256:
        return image, None
    numbers = (used.cumsum(0) - 1).to(torch.uint8)[bins]
    values = image.new_zeros(256)
    values[numbers.int()] = image
    return (numbers, values) if torch.equal(values[numbers.int()], image) else (image, None)
