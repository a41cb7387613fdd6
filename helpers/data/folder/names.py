"""Which files there are, and which image and mask belong together, by their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from helpers.data.files import DataError
from helpers.data.pictures import FORMATS

_SYSTEM_FILES = {"thumbs.db", "desktop.ini"}


class Pair(NamedTuple):
    """An image and its mask: two files, or a page of each."""

    image: Path
    mask: Path
    page: int | None = None


class Listing(NamedTuple):
    """A folder and its entries (name, whether a file, size, time of change); it keys the cache of `_check_folders`."""

    folder: str
    entries: tuple[tuple[str, bool, int, int], ...]
    passed_over: tuple[str, ...]


def list_folder(folder: Path, what: str) -> Listing:
    """What lies directly in a folder; DataError where there is none."""
    if not folder.is_dir():
        raise DataError(f"{what}: there is no folder {folder}. Give the path of an existing folder.")
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{what}: the folder {folder} cannot be read: {error.strerror}.") from error
    entries, passed_over = [], []
    for entry in found:
        if entry.name.startswith(".") or entry.name.lower() in _SYSTEM_FILES:
            passed_over.append(entry.name)
            continue
        # A broken link has no stat of its own; it is reported when it cannot be read.
        status = entry.stat() if entry.exists() else entry.lstat()
        entries.append((entry.name, not entry.is_dir(), status.st_size, status.st_mtime_ns))
    return Listing(str(folder), tuple(entries), tuple(passed_over))


def by_stem(listing: Listing, problems: list[str]) -> dict[str, Path]:
    """The picture files by their stems; everything else is a problem."""
    found: dict[str, Path] = {}
    for name, is_file, *_ in listing.entries:
        path = Path(listing.folder, name)
        if not is_file:
            problems.append(f"{short(path)}: is a folder; put its files directly into {listing.folder}")
        elif path.suffix.lower() not in FORMATS:
            problems.append(f"{short(path)}: is no picture this course reads ({', '.join(FORMATS)})")
        elif stem_of(path) in found:
            problems.append(f"{short(path)}: has the same stem as {found[stem_of(path)].name}")
        else:
            found[stem_of(path)] = path
    return found


def shared_suffix(images: Mapping[str, Path], masks: Mapping[str, Path]) -> str:
    """What all masks' stems have behind those of their images; empty where that is nothing, or not the same."""
    endings = {
        mask[len(stem) :]
        for mask in masks
        if (stem := max((s for s in images if mask.startswith(s)), key=len, default=None)) is not None
    }
    matched = sum(f"{stem}{ending}" in masks for stem in images for ending in endings)
    return endings.pop() if len(endings) == 1 and matched else ""


def stem_of(path: Path) -> str:
    """The name without its ending, and accents in one spelling: macOS writes é as two characters."""
    stem = re.sub(r"(?i)\.ome$", "", path.stem) if FORMATS.get(path.suffix.lower()) == "TIFF" else path.stem
    return unicodedata.normalize("NFC", stem)


def short(path: Path) -> str:
    """Folder and name, as messages name a file."""
    return f"{path.parent.name}/{path.name}"
