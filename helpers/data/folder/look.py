"""What is in an image and its mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.data.folder.names import Pair, short
from helpers.data.folder.rules import Rules
from helpers.data.pairs import IGNORE
from helpers.data.pictures import PictureError, read_image, read_mask

_SAMPLED = 2000  # pixels of each image for them


class Seen(NamedTuple):
    """What is in the two files of a pair."""

    shape: tuple[int, ...]
    bits: str
    brightest: float
    sample: np.ndarray
    counts: dict[int, int]
    one_bit: bool
    oddity: str


def look(pair: Pair, rules: Rules) -> tuple[Seen | None, list[str]]:
    """What is in a pair of files, and what is wrong with them."""
    problems: list[str] = []
    image = _read(lambda: read_image(pair.image, pair.page), pair.image, problems)
    mask = _read(lambda: mask_values(pair, rules), pair.mask, problems)
    if image is None or mask is None:
        return None, problems
    if image.shape[:2] != mask.shape:
        sizes = f"{mask.shape[0]}×{mask.shape[1]}, its image {image.shape[0]}×{image.shape[1]}"
        problems.append(f"{short(pair.mask)}: is {sizes} (height × width); they must be equal")
    flat = as_unit(image.reshape(-1)[:: max(1, image.size // _SAMPLED)])
    brightest = float(as_unit(image.max(keepdims=True)).max())
    if mask.min() >= 0 and mask.max() < 2**16:  # many times as quick as sorting
        found = np.bincount(mask.reshape(-1))
        counts = {int(value): int(found[value]) for value in found.nonzero()[0]}
    else:
        counts = dict(zip(*(x.tolist() for x in np.unique(mask, return_counts=True)), strict=True))
    bits = {1: "8 bits", 2: "16 bits", 4: "floating point"}[image.dtype.itemsize]
    what = Seen(image.shape, bits, brightest, flat, counts, _one_bit(pair.mask), _oddity(pair.mask, counts))
    return what, problems


def mask_values(pair: Pair, rules: Rules) -> np.ndarray:
    """A mask's values; those of a 1-bit file are 0 and 1, unless the rules speak of 255."""
    values = read_mask(pair.mask, pair.page)
    if _one_bit(pair.mask) and not (rules.values and IGNORE in dict(rules.values)):
        values = (values > 0).astype(values.dtype)
    return values


def as_unit(image: np.ndarray) -> np.ndarray:
    """Of any type to float32 in [0, 1]."""
    return (image / np.float32(np.iinfo(image.dtype).max)).astype(np.float32) if image.dtype.kind in "iu" else image


def _oddity(path: Path, counts: Mapping[int, int]) -> str:
    """Why a mask hardly means what its numbers say, as the file's own form shows; empty where nothing does."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.mode in ("RGBA", "LA") and len(counts) == 1:
                alpha = np.asarray(picture.getchannel("A"))
                if alpha.min() < alpha.max():
                    return "is drawn in its alpha channel, and its values are all the same; save the drawing as grey"
            if picture.mode == "P" and len(counts) == 2 and picture.palette is not None:
                colours = np.asarray(picture.getpalette("RGB") or [0] * 768).reshape(-1, 3)
                first, second = (colours[value] for value in sorted(counts) if value < len(colours))
                if (first == first[0]).all() and (second == second[0]).all() and first[0] > second[0]:
                    low, high = sorted(counts)
                    return (
                        f"has a palette in which {low} is bright and {high} is dark, so object and ground may be "
                        f"exchanged; save it as grey, or say what the numbers are with values="
                    )
    except (OSError, ValueError):  # a TIFF only tifffile reads, or a palette of its own kind
        return ""
    return ""


def _read(read: Callable[[], np.ndarray], path: Path, problems: list[str]) -> np.ndarray | None:
    try:
        return read()
    except PictureError as error:
        problems.append(f"{short(path)}: {error}")
        return None


def _one_bit(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.mode == "1"
    except OSError:  # a TIFF only tifffile reads
        return False
