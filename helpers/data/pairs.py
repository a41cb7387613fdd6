"""What every data set of the course is: a torch Dataset of (image, mask) pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from helpers.data import files
from helpers.data.validation import check_choice

SPLITS = ("train", "validation", "test")
IGNORE = 255  # a mask's value where a pixel has no label: leave it out of the loss and of the metrics


class PairSet(Dataset):
    """One split of a data set.

    `set[i]` is `(image, mask)`: `tv_tensors.Image` `(C, H, W)` float32 in [0, 1] and `tv_tensors.Mask` `(H, W)`
    int64 with values in `range(len(classes))` or `IGNORE`. An index counts from the end where it is negative and
    raises IndexError out of range, so a set can be iterated. Every call returns new tensors.

    A subclass sets `name` and `classes`, and gives `__len__` and `arrays`.
    """

    name: str
    classes: tuple[str, ...]
    splits: tuple[str, ...] = SPLITS

    def __init__(self, split: str):
        check_choice(f"split of {self.name!r}", split, self.splits, self.split_hint)
        self.split = split

    split_hint = ""  # one more sentence for the error about an unknown split

    def __len__(self) -> int:
        raise NotImplementedError

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Pair `index`, 0 ≤ index < len: the image `(H, W)` or `(H, W, C)`, the mask `(H, W)`.

        An image of integers is divided by the largest value of its type, one of floats is in [0, 1] already.
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


class Instances(Sequence):
    """The instance labels of a set, by the index of the pair: `tv_tensors.Mask` `(H, W)` int64, 0 is background.

    The set gives `instance_labels(index)`, an `(H, W)` array of integers. (No closure is kept: a DataLoader sends
    the set to its workers by pickle.)
    """

    def __init__(self, pairs: PairSet):
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tv_tensors.Mask:
        labels = self._pairs.instance_labels(_whole_index(index, len(self)))
        return tv_tensors.Mask(torch.from_numpy(np.array(labels, np.int64, order="C")))


def _whole_index(index: int, length: int) -> int:
    """`index` counted from the start; IndexError out of range, TypeError for anything but an integer."""
    try:
        whole = index.__index__()
    except AttributeError:
        raise TypeError(f"A pair is picked by one integer, not by {index!r}") from None
    if not -length <= whole < length:
        raise IndexError(f"There is no pair {whole}: the set has {length} pairs, 0 to {length - 1}")
    return whole % length
