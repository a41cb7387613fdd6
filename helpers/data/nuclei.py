"""One real fluorescence micrograph with hand-labelled nuclei, cut into tiles."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image

from helpers.data import files
from helpers.data.pairs import InstanceSet
from helpers.data.tiles import Size, as_size, tile_corners
from helpers.errors import InputError

# The columns of each split: the picture is divided before any tile is cut.
COLUMNS = {"train": (0, 256), "validation": (256, 384), "test": (384, 512)}


@lru_cache(maxsize=1)
def _micrograph(folder: str) -> tuple[np.ndarray, np.ndarray]:
    """The image and the instance labels, both (512, 512) uint8; `folder` keys the cache."""
    image, labels = (
        np.asarray(Image.open(io.BytesIO(files.read("nuclei", name)))) for name in ("image.png", "instances.png")
    )
    return image, labels


class Nuclei(InstanceSet):
    """Tiles of the micrograph: image `(1, h, w)`, mask 0 background, 1 nucleus.

    `tile` and `stride` (by default the tile) are pixels, an int or (height, width). A split is 512 pixels high and 256
    (train) or 128 (validation, test) wide; where the stride does not divide that, the last tile is moved back to the
    split's border (`tiles.tile_corners`). `tile=None` gives the split in one piece. `.instances[i]` keeps the numbers
    that the annotators gave. A nucleus on the border of two splits is cut there: no pixel is in both.
    """

    name = "nuclei"
    classes = ("background", "nucleus")

    def __init__(self, split: str, *, tile: Size | None = 128, stride: Size | None = None):
        super().__init__(split)
        left, right = COLUMNS[split]
        image, labels = _micrograph(str(files.root()))
        self._image, self._labels = image[:, left:right], labels[:, left:right]
        if tile is None and stride is not None:
            raise InputError("tile=None takes the whole split: leave stride out, or give a tile")
        self.tile = self._image.shape if tile is None else as_size(tile, "tile")
        self.corners = tile_corners(self._image.shape, self.tile, stride)

    def __len__(self) -> int:
        return len(self.corners)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The tile, uint8, and where it shows a nucleus."""
        return self._cut(self._image, index), self._cut(self._labels, index) > 0

    def instance_labels(self, index: int) -> np.ndarray:
        """The labels of the tile, uint8."""
        return self._cut(self._labels, index)

    def _cut(self, whole: np.ndarray, index: int) -> np.ndarray:
        top, left = self.corners[index]
        return whole[top : top + self.tile[0], left : left + self.tile[1]]
