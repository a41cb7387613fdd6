"""Which files there are, and which image and mask belong together, by their names."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from helpers.data.files import DataError
from helpers.data.pictures import FORMATS, pages_of

_SYSTEM_FILES = {"thumbs.db", "desktop.ini"}
_TRIED = 50  # images by which the masks' way of being called is found

_MERGE = """\
{folder} has a folder for each image, with images/ and masks/, and in masks/ a file for each object, as the 2018 Data \
Science Bowl has them. This makes one mask of them, in which the objects are numbered:

from pathlib import Path
import numpy as np
from PIL import Image

for part in ("images", "masks"):
    Path("merged", part).mkdir(parents=True, exist_ok=True)
for one in sorted(Path({folder!r}).glob("*/images/[!.]*")):
    numbered = np.uint16(0)
    for number, mask in enumerate(sorted(one.parent.parent.glob("masks/[!.]*")), 1):
        numbered = np.where(np.asarray(Image.open(mask).convert("L")) > 0, np.uint16(number), numbered)
    Image.open(one).convert("RGB").save(f"merged/images/{{one.stem}}.png")
    Image.fromarray(numbered).save(f"merged/masks/{{one.stem}}.png")

Then: images="merged/images", masks="merged/masks", instances=True."""


class Pair(NamedTuple):
    """An image and its mask: two files, or a page of each."""

    image: Path
    mask: Path
    page: int | None = None

    def __str__(self) -> str:
        return self.image.name if self.page is None else f"page {self.page + 1} of {self.image.name}"


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


def check_layout(listing: Listing) -> None:
    """DataError where a folder has one for each image, with a mask for each of its objects; it says what to do."""
    for name, is_file, *_ in listing.entries:
        one = Path(listing.folder, name)
        if not is_file and (one / "masks").is_dir() and len([*one.glob("images/[!.]*")]) == 1:
            raise DataError(_MERGE.format(folder=listing.folder))


def by_shared_name(listing: Listing, pattern: str, problems: list[str]) -> tuple[dict[str, Path], list[Path]]:
    """The picture files called as `pattern`, by what stands for its asterisk, and those that are called otherwise.

    All that is no picture, and two files of one name, are problems.
    """
    found: dict[str, Path] = {}
    others = []
    start, end = pattern.split("*")
    for name, is_file, *_ in listing.entries:
        path = Path(listing.folder, name)
        stem = stem_of(path)
        shared = stem[len(start) : len(stem) - len(end)]
        if not is_file:
            problems.append(f"{short(path)}: is a folder; put its files directly into {listing.folder}")
        elif stem != f"{start}{shared}{end}":
            others.append(path)
        elif path.suffix.lower() not in FORMATS:
            problems.append(f"{short(path)}: is no picture this course reads ({', '.join(FORMATS)})")
        elif shared in found:
            problems.append(f"{short(path)}: has the same stem as {found[shared].name}")
        else:
            found[shared] = path
    return found, others


def pairs_by_name(
    images: Listing, masks: Listing, called: tuple[str, str], problems: list[str]
) -> tuple[list[Pair], list[str]]:
    """The pairs, in order of their names, and lines for the report; who has no partner is a problem."""
    image_of, other_images = by_shared_name(images, called[0], problems)
    mask_of, other_masks = by_shared_name(masks, called[1], problems)
    if images.folder == masks.folder:  # the masks are those that are called so
        taken = {*mask_of.values()}
        image_of = {shared: path for shared, path in image_of.items() if path not in taken}
        other_masks = sorted({*other_images} & {*other_masks})
        other_images = []
    by_number = _by_number(image_of, mask_of)
    mask_of = {by_number.get(shared, shared): path for shared, path in mask_of.items()}
    problems += _shifted(image_of, mask_of)
    for mine, others, kind, pattern in (
        (image_of, mask_of, "mask", called[1]),
        (mask_of, image_of, "image", called[0]),
    ):
        for shared in mine.keys() - others.keys():
            problems.append(f"{short(mine[shared])}: there is no {kind} with the stem {pattern.replace('*', shared)!r}")
    pairs: list[Pair] = []
    for shared in sorted(image_of.keys() & mask_of.keys()):
        image, mask = image_of[shared], mask_of[shared]
        pages = pages_of(image)
        if pages > 1 and pages == pages_of(mask):
            pairs += [Pair(image, mask, page) for page in range(pages)]
        else:
            pairs.append(Pair(image, mask))
    left = [
        f"left    {len(paths)} in {paths[0].parent.name}, such as {paths[0].name}: not called {pattern!r}"
        for paths, pattern in ((other_images, called[0]), (other_masks, called[1]))
        if paths
    ]
    if hidden := [*images.passed_over, *masks.passed_over]:
        left.append(f"left    {', '.join(hidden[:4])}{', …' if len(hidden) > 4 else ''}: not read")
    if by_number:
        shared = min(by_number.values())
        one = f"{image_of[shared].name} with {mask_of[shared].name}"
        left.insert(0, f"numbers {len(by_number)} pairs have the same number written in two ways, such as {one}")
    return pairs, left


def _by_number(images: Iterable[str], masks: Iterable[str]) -> dict[str, str]:
    """Of masks without an image of their name that image's which differs by zeros before its numbers only."""
    of_image, of_mask = ({name: _unpadded(name) for name in names} for names in (images, masks))
    often = [Counter(of.values()) for of in (of_image, of_mask)]
    image_of = {plain: name for name, plain in of_image.items()}
    return {
        name: image_of[plain]
        for name, plain in of_mask.items()
        if name not in of_image and often[0][plain] == often[1][plain] == 1 and image_of[plain] not in of_mask
    }


def _unpadded(name: str) -> str:
    """A name without zeros before its whole numbers."""
    return re.sub(r"(?<![\d.,])0+(?=\d)", "", name)


def _shifted(image_of: Mapping[str, Path], mask_of: Mapping[str, Path]) -> Iterator[str]:
    """What is wrong where images are numbered from 0 and masks from 1: most would have a wrong partner."""
    numbers: list[dict[tuple[str, str], set[int]]] = [{}, {}]
    for found, of in zip(numbers, (image_of, mask_of), strict=True):
        for name in of:
            if parts := re.fullmatch(r"(.*?)(\d+)(\D*)", name):
                found.setdefault((parts[1], parts[3]), set()).add(int(parts[2]))
    for called in numbers[0].keys() & numbers[1].keys():
        of_images, of_masks = (found[called] for found in numbers)
        if len(of_images) > 2 and min(of_images) != min(of_masks):
            by = min(of_masks) - min(of_images)
            if abs(by) == 1 and of_masks == {number + by for number in of_images}:
                first = min(image_of.values())
                yield (
                    f"{short(first)}: images are numbered {min(of_images)} to {max(of_images)} and masks "
                    f"{min(of_masks)} to {max(of_masks)}, so one seems to be shifted. Then image {min(of_images)} "
                    f"belongs to mask {min(of_masks)}, and all pairs of one number are wrong: number the masks anew, "
                    "and do not merely take away the two without a partner"
                )


def proposed_suffix(images: Listing, masks: Listing, called: tuple[str, str]) -> str:
    """The call that pairs most images with their masks, as a line of advice; empty where none does better."""
    image_stems, mask_stems = (
        [
            stem_of(Path(name))
            for name, is_file, *_ in listing.entries
            if is_file and Path(name).suffix.lower() in FORMATS
        ]
        for listing in (images, masks)
    )
    if not image_stems:
        return ""
    if len(image_stems) == len(mask_stems) == 1:
        of_two = _of_two(image_stems[0], mask_stems[0])
        return _proposal(of_two) if of_two and of_two != called else ""
    most, ways = _ways(image_stems, mask_stems)
    more, others = _ways([*map(_unpadded, image_stems)], [*map(_unpadded, mask_stems)])
    if more > most:  # a pattern with a number could lack its zeros
        most, ways = more, {way for way in others if not re.search(r"\d", "".join(way))}
    found = sorted(ways - {called}) if 2 * most > len(image_stems[:_TRIED]) else []
    if len(found) > 1:
        return f"Masks are called in {len(found)} ways. Say which: {' or '.join(map(_as_option, found[:4]))}."
    return _proposal(found[0]) if found else ""


def _ways(images: Sequence[str], masks: Sequence[str]) -> tuple[int, set[tuple[str, str]]]:
    """For how many of the first images there is a mask, and how images and masks are called then."""
    start = _common_start(images)
    end = _common_start(stem[len(start) :][::-1] for stem in images)[::-1]
    shared = [stem[len(start) : len(stem) - len(end)] for stem in images]
    # Every way in which a mask's name holds what the first image's has of its own.
    ways = {(stem[: at.start()], stem[at.end() :]) for stem in masks for at in re.finditer(re.escape(shared[0]), stem)}
    there = {*masks}
    hits = {way: sum(f"{way[0]}{one}{way[1]}" in there for one in shared[:_TRIED]) for way in ways}
    most = max(hits.values(), default=0)
    return most, {_shortest((start, end), way) for way, number in hits.items() if number == most}


def _proposal(called: tuple[str, str]) -> str:
    image, mask = called
    if mask == image:
        return ""  # as they are called already
    if image == "*" and mask.startswith("*"):
        return f"All masks are called as their images with {mask[1:]!r} behind: {_as_option(called)}."
    return f"Images are called {image!r} and masks {mask!r}: {_as_option(called)}."


def _of_two(image: str, mask: str) -> tuple[str, str] | None:
    """How a single image and mask, such as two stacks, are called, by what their names share at one end."""
    start = _common_start([image, mask])
    start = start if start in (image, mask) else start.rstrip("_-. ")
    end = _common_start([image[::-1], mask[::-1]])[::-1]
    end = end if end in (image, mask) else end.lstrip("_-. ")
    shared = max(start, end, key=len)
    if not (len(shared) > 1 or shared.isdigit() or shared == image):
        return None
    if shared == start:
        return f"*{image[len(start) :]}", f"*{mask[len(start) :]}"
    return f"{image[: len(image) - len(end)]}*", f"{mask[: len(mask) - len(end)]}*"


def _shortest(image: tuple[str, str], mask: tuple[str, str]) -> tuple[str, str]:
    """Patterns of what images and masks have before and behind, less what both have next to the asterisk."""
    before = len(_common_start([image[0][::-1], mask[0][::-1]]))
    behind = len(_common_start([image[1], mask[1]]))
    if behind and image[1][behind - 1] in "_-. " and len(image[1]) + len(mask[1]) > 2 * behind:
        behind -= 1  # "*_image" reads better than "*image"
    if before and image[0][-before] in "_-. " and len(image[0]) + len(mask[0]) > 2 * before:
        before -= 1
    of_image, of_mask = (f"{start[: len(start) - before]}*{end[behind:]}" for start, end in (image, mask))
    return of_image, of_mask


def _common_start(texts: Iterable[str]) -> str:
    return "".join(signs[0] for signs in takewhile(lambda signs: len({*signs}) == 1, zip(*texts, strict=False)))


def _as_option(called: tuple[str, str]) -> str:
    image, mask = called
    return f"suffix={mask[1:]!r}" if image == "*" and mask.startswith("*") else f"suffix={called!r}"


def stem_of(path: Path) -> str:
    """The name without its ending, and accents in one spelling: macOS writes é as two characters."""
    stem = re.sub(r"(?i)\.ome$", "", path.stem) if FORMATS.get(path.suffix.lower()) == "TIFF" else path.stem
    return unicodedata.normalize("NFC", stem)


def short(path: Path) -> str:
    """Folder and name, as messages name a file."""
    return f"{path.parent.name}/{path.name}"
