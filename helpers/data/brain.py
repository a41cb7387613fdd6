"""Axial slices of the MNI152 brain template in four classes, split by block or, to show a leak, at random."""

from __future__ import annotations

import io
import lzma
from functools import lru_cache

import numpy as np

from helpers.data import files
from helpers.data.pairs import PairSet
from helpers.data.validation import check_choice

# Kept of 197×233×189 voxels: a field of 192×160 (multiples of 32) around the whole brain with the midline in the
# middle, and the slices of which brain fills at least a twentieth.
X = slice(18, 178)
Y = slice(22, 214)
MIN_BRAIN = 0.05

# Slices by their voxel index z, from the neck (10) up. Ten slices (10 mm) between two blocks belong to neither.
BLOCKS = {"train": range(10, 80), "validation": range(90, 110), "test": range(120, 150)}


@lru_cache(maxsize=1)
def _volume(folder: str) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """T1 and classes, both (slice, 192, 160) uint8 with the front of the head up, and the slices kept."""
    t1, grey, white = (
        np.load(io.BytesIO(lzma.decompress(files.read("brain", f"{name}.npy.xz"))), allow_pickle=False)[X, Y]
        for name in ("t1", "gm", "wm")
    )
    # The maps are probabilities in 255ths that never add up to more than 255; the rest is fluid and other.
    other = 255 - grey - white
    most = np.stack([other, grey, white]).argmax(0).astype(np.uint8) + 1
    classes = np.where(t1 > 0, most, 0).astype(np.uint8)
    # (x, y, z) -> (z, y from front to back, x)
    t1, classes = (np.ascontiguousarray(v.transpose(2, 1, 0)[:, ::-1]) for v in (t1, classes))
    kept = np.flatnonzero((classes > 0).mean((1, 2)) >= MIN_BRAIN)
    return t1, classes, [int(z) for z in kept]


class Brain(PairSet):
    """Axial slices, 1 mm a pixel: image `(1, 192, 160)`, mask 0 background, 1 fluid and other, 2 grey, 3 white.

    The front of the head is up, the left of the brain on the left. `split_by="block"` gives each split a block of
    neighbouring slices and leaves out ten between two blocks: `BLOCKS`. `split_by="random"` deals the same numbers
    of slices at random; then a test slice has training slices one millimetre away, the leak that the course shows.
    `.slices[i]` is the voxel index z of pair i.
    """

    name = "brain"
    classes = ("background", "csf and other", "grey matter", "white matter")
    split_hint = 'To draw the slices at random: load("brain", "train", split_by="random").'

    def __init__(self, split: str, *, split_by: str = "block"):
        super().__init__(split)
        check_choice("way to split 'brain': split_by =", split_by, ("block", "random"))
        self.split_by = split_by
        self._t1, self._classes, kept = _volume(str(files.root()))
        if split_by == "block":
            self.slices = list(BLOCKS[split])
        else:
            # The raw stream of PCG64 is the same on every machine and in every version of numpy.
            order = np.argsort(np.random.PCG64(0).random_raw(len(kept)), kind="stable")
            start = sum(len(BLOCKS[s]) for s in self.splits[: self.splits.index(split)])
            self.slices = sorted(kept[i] for i in order[start : start + len(BLOCKS[split])])

    def __len__(self) -> int:
        return len(self.slices)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """T1 and classes of a slice, both uint8."""
        z = self.slices[index]
        return self._t1[z], self._classes[z]
