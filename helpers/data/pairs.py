"""The data sets of the course: torch datasets of (image, mask) pairs."""

from __future__ import annotations

import operator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors

from helpers.data import files
from helpers.data.validation import check_choice
from helpers.errors import CallError

SPLITS = ("train", "validation", "test")
IGNORE = 255  # a mask's value where a pixel has no label: leave it out of the loss and of the metrics


class Pairs(Protocol):
    """Any data set of pairs: one that `load` gives, a `Subset` of it, a list of `(image, mask)`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> tuple[Tensor, Tensor]: ...


class PairSet(Dataset):
    """One split of a data set.

    `set[i]` is `(image, mask)`: `tv_tensors.Image` `(C, H, W)` float32 in [0, 1] and `tv_tensors.Mask` `(H, W)`
    int64 with values in `range(len(classes))` or `IGNORE`, new tensors each time. A negative index counts from the
    end; one out of range raises IndexError, so a loop over the set ends.

    A subclass sets `name` and `classes`, and implements `__len__` and `arrays`.
    """

    name: str
    classes: tuple[str, ...]
    splits: tuple[str, ...] = SPLITS
    split_hint = ""  # ends the error about an unknown split

    def __init__(self, split: str):
        check_choice(f"split of {self.name!r}", split, self.splits, self.split_hint)
        self.split = split

    def __len__(self) -> int:
        raise NotImplementedError

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Image `(H, W)` or `(H, W, C)` and mask `(H, W)` of pair `index`, from 0 on.

        The image is in [0, 1], or of integers; those are then divided by the largest value of their type.
        """
        raise NotImplementedError

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        image, mask = self.arrays(_whole_index(index, len(self)))
        if np.issubdtype(image.dtype, np.integer):
            image = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
        channels_first = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
        return (
            tv_tensors.Image(torch.from_numpy(np.array(channels_first, np.float32, order="C"))),
            tv_tensors.Mask(torch.from_numpy(np.array(mask, np.int64, order="C"))),
        )

    @property
    def card(self) -> str:
        """The set's card (Markdown): source, licence, size, splits, known flaws."""
        return files.card(self.name)

    def __repr__(self) -> str:
        return f"<{self.name} {self.split}: {len(self)} pairs, classes {', '.join(self.classes)}>"


class InstanceSet(PairSet):
    """A set whose objects are numbered, too; a subclass also implements `instance_labels`."""

    def instance_labels(self, index: int) -> np.ndarray:
        """Labels `(H, W)` of pair `index`: 0 background, a positive integer for each object."""
        raise NotImplementedError

    @property
    def instances(self) -> Instances:
        """The single objects of each pair: `.instances[i]` is a `tv_tensors.Mask` `(H, W)` int64, 0 background."""
        return Instances(self)


class Instances:
    """The instance labels of a set, by the index of the pair: `tv_tensors.Mask` `(H, W)` int64, 0 background."""

    def __init__(self, pairs: InstanceSet):
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tv_tensors.Mask:
        labels = self._pairs.instance_labels(_whole_index(index, len(self)))
        return tv_tensors.Mask(torch.from_numpy(np.array(labels, np.int64, order="C")))


def _whole_index(index: int, length: int) -> int:
    """`index` counted from the start; IndexError out of range, TypeError for anything but an integer."""
    try:
        whole = operator.index(index)
    except TypeError:
        raise CallError(f"A pair is picked by one integer, not by {index!r}") from None
    if not -length <= whole < length:
        raise IndexError(f"There is no pair {whole}: the set has {length} pairs, 0 to {length - 1}")
    return whole % length
