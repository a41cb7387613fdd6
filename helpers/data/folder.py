"""Your own images and masks, from two folders."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.data.files import DataError
from helpers.data.pairs import IGNORE, SPLITS, PairSet
from helpers.data.pictures import FORMATS, PictureError, read_image, read_mask
from helpers.errors import InputError

_SYSTEM_FILES = {"thumbs.db", "desktop.ini"}


_Pair = tuple[Path, Path]


class _Listing(NamedTuple):
    """A folder and its entries (name, whether a file, size, time of change); it keys the cache of `_check_folders`."""

    folder: str
    entries: tuple[tuple[str, bool, int, int], ...]


class Folder(PairSet):
    """Pairs of an image and a mask with the same stem (`cat7.jpg` and `cat7.png`), in order of the stems.

    - `images`, `masks`: two folders with PNG, JPEG or TIFF files directly in them;
    - `classes`: the names of the classes, two or more, in the order of the numbers in the masks: 0, 1, …;
    - `fractions`: of train, validation and test, adding up to 1. The pairs are sorted by the SHA-256 of their stems, as
      good as random and the same everywhere, and cut into three; every split with a fraction above 0 gets at least
      one pair. The split "all" holds every pair.

    Images are `(1, H, W)` if all are grey, else `(3, H, W)` with the grey ones repeated. Values are divided by the
    largest of the file's type: 255, or 65535 for 16 bits. See also `pictures.read_image`.

    Masks hold class numbers, as grey values or palette indices. 255 means "ignore" and stays 255, with one exception:
    if there are two classes and no mask holds a 1, the masks count as drawn in 0 and 255, and 255 becomes 1. A 1-bit
    mask is always 0 and 1.

    Every file is read when the set is loaded. DataError lists, by file name, everything that has no partner, cannot be
    read, differs in size or holds a number outside the classes; only hidden files (".…"), `Thumbs.db` and
    `desktop.ini` are passed over. A wrong option raises ValueError.
    """

    name = "folder"
    splits = (*SPLITS, "all")

    def __init__(
        self,
        split: str,
        *,
        images: str | os.PathLike | None = None,
        masks: str | os.PathLike | None = None,
        classes: Sequence[str] | None = None,
        fractions: tuple[float, float, float] = (0.7, 0.15, 0.15),
    ):
        super().__init__(split)
        if images is None or masks is None or classes is None:
            raise InputError(
                'load("folder", split, images=..., masks=..., classes=...) needs all three: two folders and the '
                'names of the classes, such as classes=("background", "cell")'
            )
        self.classes = _checked_classes(classes)
        image_folder, mask_folder = Path(images).expanduser().resolve(), Path(masks).expanduser().resolve()
        if image_folder == mask_folder:
            raise InputError(f"images and masks are the same folder, {image_folder}; put the masks into their own")
        contents = _listing(image_folder, "images"), _listing(mask_folder, "masks")
        pairs, self._channels, self._white = _check_folders(*contents, len(self.classes))
        self._pairs = pairs if split == "all" else _divide(pairs, fractions)[SPLITS.index(split)]
        if not self._pairs:
            raise InputError(
                f"The split {split!r} is empty: {len(pairs)} pairs divided by fractions={fractions}. "
                "Add pairs, or give the split a larger fraction."
            )

    @property
    def stems(self) -> tuple[str, ...]:
        """The stem of each pair's two files."""
        return tuple(_stem(image) for image, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Image and mask as read, the image grey or RGB as the whole set is."""
        image_file, mask_file = self._pairs[index]
        image, mask = read_image(image_file), read_mask(mask_file)
        if self._channels == 3 and image.ndim == 2:
            image = np.stack([image] * 3, axis=-1)
        if self._white or _one_bit(mask_file):
            mask = np.where(mask == IGNORE, 1, mask)
        return image, mask


def _checked_classes(classes: Sequence[str]) -> tuple[str, ...]:
    if isinstance(classes, str) or not all(isinstance(c, str) for c in classes):
        raise InputError(f"classes is {classes!r}; it takes a tuple of names, such as ('background', 'cell')")
    if not 2 <= len(classes) <= IGNORE or len(set(classes)) < len(classes):
        raise InputError(f"classes has {len(classes)} names; it takes 2 to {IGNORE}, all different")
    return tuple(classes)


def _listing(folder: Path, what: str) -> _Listing:
    if not folder.is_dir():
        raise DataError(f"{what}: there is no folder {folder}. Give the path of an existing folder.")
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{what}: the folder {folder} cannot be read: {error.strerror}.") from error
    entries = []
    for entry in found:
        if entry.name.startswith(".") or entry.name.lower() in _SYSTEM_FILES:
            continue
        # A broken link has no stat of its own; it is reported when it cannot be read.
        status = entry.stat() if entry.exists() else entry.lstat()
        entries.append((entry.name, not entry.is_dir(), status.st_size, status.st_mtime_ns))
    return _Listing(str(folder), tuple(entries))


@lru_cache(maxsize=8)
def _check_folders(images: _Listing, masks: _Listing, classes: int) -> tuple[list[_Pair], int, bool]:
    """The pairs in order of their stems, the images' channels (1 or 3), and whether 255 in a mask means class 1.

    Cached, as train, validation and test come from the same files. Raises DataError with every problem found.
    """
    problems: list[str] = []
    image_of, mask_of = _by_stem(images, problems), _by_stem(masks, problems)
    for mine, others, kind in ((image_of, mask_of, "mask"), (mask_of, image_of, "image")):
        for stem in mine.keys() - others.keys():
            problems.append(f"{_short(mine[stem])}: there is no {kind} with the stem {stem!r}")
    pairs = [(image_of[stem], mask_of[stem]) for stem in sorted(image_of.keys() & mask_of.keys())]

    channels = 1
    labels: dict[Path, set[int]] = {}
    for image_file, mask_file in pairs:
        image = _read(read_image, image_file, problems)
        mask = _read(read_mask, mask_file, problems)
        if image is not None and image.ndim == 3:
            channels = 3
        if image is not None and mask is not None and image.shape[:2] != mask.shape:
            sizes = f"{mask.shape[0]}×{mask.shape[1]}, its image {image.shape[0]}×{image.shape[1]}"
            problems.append(f"{_short(mask_file)}: is {sizes} (height × width); they must be equal")
        if mask is not None:
            labels[mask_file] = set(np.unique(mask).tolist())
    for mask_file, found in labels.items():
        outside = sorted(v for v in found if not 0 <= v < classes and v != IGNORE)
        if outside:
            shown = ", ".join(map(str, outside[:5])) + (", …" if len(outside) > 5 else "")
            problems.append(
                f"{_short(mask_file)}: holds {shown}; with {classes} classes a mask holds 0 to {classes - 1}, "
                f"or {IGNORE} to ignore a pixel"
            )
    if problems:
        raise DataError(
            f"{len(problems)} problems with the files in {images.folder} and {masks.folder}:\n  "
            + "\n  ".join(sorted(problems))
            + "\nEvery image needs one mask with the same stem and size, and every file must be readable. "
            "Nothing was loaded: mend these files or move them elsewhere."
        )
    if not pairs:
        raise DataError(f"There are no images in {images.folder}. They are files ending in {', '.join(FORMATS)}.")
    return pairs, channels, classes == 2 and not any(1 in found for found in labels.values())


def _by_stem(listing: _Listing, problems: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, is_file, *_ in listing.entries:
        path = Path(listing.folder, name)
        if not is_file:
            problems.append(f"{_short(path)}: is a folder; put its files directly into {listing.folder}")
        elif path.suffix.lower() not in FORMATS:
            problems.append(f"{_short(path)}: is no picture this course reads ({', '.join(FORMATS)})")
        elif _stem(path) in found:
            problems.append(f"{_short(path)}: has the same stem as {found[_stem(path)].name}")
        else:
            found[_stem(path)] = path
    return found


def _read(reader: Callable[[Path], np.ndarray], path: Path, problems: list[str]) -> np.ndarray | None:
    try:
        return reader(path)
    except PictureError as error:
        problems.append(f"{_short(path)}: {error}")
        return None


def _stem(path: Path) -> str:
    """The name without its ending, and accents in one spelling: macOS writes é as two characters."""
    return unicodedata.normalize("NFC", path.stem)


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _one_bit(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.mode == "1"
    except OSError:  # a TIFF only tifffile reads
        return False


def _divide(pairs: list[_Pair], fractions: tuple[float, float, float]) -> list[list[_Pair]]:
    """Three lists of pairs, each in the order of `pairs`."""
    try:
        train, validation, test = (float(f) for f in fractions)
    except (TypeError, ValueError):
        raise InputError(f"fractions is {fractions!r}; it takes three shares, such as (0.7, 0.15, 0.15)") from None
    if not min(train, validation, test) >= 0 or abs(train + validation + test - 1) > 1e-6:
        raise InputError(f"fractions is {fractions!r}; its three shares are from 0 and add up to 1")
    n = len(pairs)
    wanted = [n * train, n * validation, n * test]
    counts = [max(int(w), int(w > 0)) for w in wanted]
    # What rounding left over, or took too much, is settled where it changes the fractions least.
    while sum(counts) < n:
        counts[int(np.argmax([w - c for w, c in zip(wanted, counts, strict=True)]))] += 1
    while sum(counts) > n:
        least = 1 if max(counts) > 1 else 0  # nothing is taken from a split's only pair while another has two
        counts[int(np.argmax([c - w if c > least else -np.inf for w, c in zip(wanted, counts, strict=True)]))] -= 1
    order = sorted(range(n), key=lambda i: hashlib.sha256(_stem(pairs[i][0]).encode()).hexdigest())
    cuts = [0, counts[0], counts[0] + counts[1], n]
    return [[pairs[i] for i in sorted(order[a:b])] for a, b in pairwise(cuts)]
