"""What is in an image and its mask."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.data.folder.names import Pair, short
from helpers.data.folder.rules import Rules
from helpers.data.folder.values import FAR, distances, main_values, nearest
from helpers.data.pairs import IGNORE
from helpers.data.pictures import Form, InColours, PictureError, form_of, read_colours, read_image, read_mask

_SAMPLED = 2000  # pixels of each image for them
_MANY, _SEVERAL = (
    100,
    20,
)  # values in a file that is hardly a mask, and in one whose edges are soft or that numbers objects
_FLAT = 0.3  # of the neighbours beside the two most frequent values are equal where those are drawn
_PLAIN = 0.8  # of a mask's pixels have the two most frequent values, if only its edges have others
_PEAKED = 0.6  # of them are enough, where both are far more frequent than any other
_PEAK = 20, 3  # pixels of the second of them, and times the third


class Seen(NamedTuple):
    """What is in the two files of a pair."""

    shape: tuple[int, ...]
    bits: str
    brightest: float
    sample: np.ndarray
    fingerprint: bytes  # of the image's pixels; none where all are of one value
    turn: int  # the image's EXIF orientation
    counts: dict[int, int]  # of the mask's values, as the rules take them
    in_colours: bool  # those values are colours
    form: Form  # of the mask
    oddity: str
    moved: tuple[int, int]  # pixels of a JPEG that were taken as the nearest value, and those that were far from it
    drawn: list[
        int
    ]  # what a JPEG was before it was blurred: its values that many pixels have, each far from the others
    picture: bool  # the mask is hardly one
    soft: bool  # many values, and all but two of them at edges
    in_alpha: bool  # its values are all the same, and those of its alpha are not


def look(pair: Pair, rules: Rules) -> tuple[Seen | None, list[str]]:
    """What is in a pair of files, and what is wrong with them."""
    problems: list[str] = []
    form = form_of(pair.mask)
    turned = rules.turn is not False
    image = _read(lambda: read_image(pair.image, pair.page, turned), pair.image, problems)
    try:
        raw, in_colours = _read(lambda: _raw_values(pair, rules, form), pair.mask, problems), rules.colours
    except InColours:
        raw, in_colours = _read(lambda: read_colours(pair.mask, pair.page, turned), pair.mask, problems), True
    if image is None or raw is None:
        return None, problems
    turn = form_of(pair.image).turn
    if rules.turn is None and _two_ways(image.shape[:2], turn, raw.shape, form.turn):
        problems.append(
            f"{short(pair.image)}: is turned by its EXIF tag, and its mask is not: it may lie on the picture as it is "
            "shown, or as it is stored"
            if turn != 1
            else f"{short(pair.mask)}: is turned by its EXIF tag, and its image is not"
        )
    elif image.shape[:2] != raw.shape:
        sizes = f"{raw.shape[0]}×{raw.shape[1]}, its image {image.shape[0]}×{image.shape[1]}"
        problems.append(f"{short(pair.mask)}: is {sizes} (height × width); they must be equal")
    flat = as_unit(image.reshape(-1)[:: max(1, image.size // _SAMPLED)])
    brightest = float(as_unit(image.max(keepdims=True)).max())
    bits = {1: "8 bits", 2: "16 bits", 4: "floating point"}[image.dtype.itemsize]
    mask = raw if in_colours != rules.colours else _unblurred(raw, form, rules)
    counts = _counts(mask)
    moved = _moved(raw, mask, in_colours)
    many = len(counts) > _SEVERAL and _flat(mask, counts) < _FLAT
    *_, third, second, first = sorted([0, 0, *counts.values()])
    peaked = second >= max(_PEAK[0], _PEAK[1] * third)
    plain = first + second >= (_PEAKED if peaked else _PLAIN) * mask.size
    what = Seen(
        shape=image.shape,
        bits=bits,
        brightest=brightest,
        sample=flat,
        fingerprint=_fingerprint(image),
        turn=turn,
        counts=counts,
        in_colours=in_colours,
        form=form,
        oddity=_oddity(counts, form),
        moved=moved,
        drawn=main_values(_counts(raw), in_colours) if form.lossy else [],
        picture=many and not plain and len(counts) > _MANY,
        soft=many and plain and peaked,
        in_alpha=len(counts) == 1 and _alpha_varies(pair.mask),
    )
    return what, problems


def _two_ways(image: tuple[int, ...], turn: int, mask: tuple[int, ...], mask_turn: int) -> bool:
    """Whether the mask may lie on the image as it is stored, as only one of the two is turned; sizes are as turned."""
    stored = [size[::-1] if by >= 5 else size for size, by in ((image, turn), (mask, mask_turn))]
    return turn != mask_turn and stored[0] == stored[1]


def mask_values(pair: Pair, rules: Rules) -> np.ndarray:
    """A mask's values, as the rules take them: colours as numbers, and those of a JPEG as the nearest that is named."""
    form = form_of(pair.mask)
    return _unblurred(_raw_values(pair, rules, form), form, rules)


def _raw_values(pair: Pair, rules: Rules, form: Form) -> np.ndarray:
    """A mask's values; those of a 1-bit file are 0 and 1, unless the rules speak of 255."""
    if rules.colours:
        return read_colours(pair.mask, pair.page, rules.turn is not False)
    try:
        values = read_mask(pair.mask, pair.page, rules.turn is not False)
    except InColours:
        if not rules.instances:
            raise
        return read_colours(pair.mask, pair.page, rules.turn is not False)  # a colour for each object
    if form.one_bit and not (rules.values and IGNORE in dict(rules.values)):
        values = (values > 0).astype(values.dtype)
    return values


def _unblurred(values: np.ndarray, form: Form, rules: Rules) -> np.ndarray:
    if not (form.lossy and rules.values):
        return values
    return nearest(values, {*dict(rules.values), *(rules.ignore or ())}, rules.colours)


def _counts(mask: np.ndarray) -> dict[int, int]:
    from PIL import Image

    low, high = mask.min(), mask.max()
    if low >= 0 and high < 2**16:  # many times as quick as sorting, and a histogram of bytes as quick again
        bytes_only = Image.fromarray(mask.astype(np.uint8)).histogram() if high < 256 else None
        found = np.bincount(mask.reshape(-1)) if bytes_only is None else np.array(bytes_only)
        return {int(value): int(found[value]) for value in found.nonzero()[0]}
    return dict(zip(*(x.tolist() for x in np.unique(mask, return_counts=True)), strict=True))


def as_unit(image: np.ndarray) -> np.ndarray:
    """Of any type to float32 in [0, 1]."""
    return (image / np.float32(np.iinfo(image.dtype).max)).astype(np.float32) if image.dtype.kind in "iu" else image


def _fingerprint(pixels: np.ndarray) -> bytes:
    if pixels.min() == pixels.max():
        return b""
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16, key=str(pixels.shape).encode()).digest()


def _flat(mask: np.ndarray, counts: Mapping[int, int]) -> float:
    """Share of neighbours of the same value, where one at least has neither of the two most frequent values."""
    rare = ~np.isin(mask, sorted(counts, key=lambda value: counts[value])[-2:])
    left, right = (slice(None), slice(None, -1)), (slice(None), slice(1, None))
    equal = (mask[left] == mask[right])[rare[left] | rare[right]]
    return float(equal.mean()) if equal.size else 1.0


def _moved(raw: np.ndarray, mask: np.ndarray, colours: bool) -> tuple[int, int]:
    if mask is raw:
        return 0, 0
    where = raw != mask
    return int(where.sum()), int((distances(raw[where], mask[where], colours) > FAR / 2).sum())


def _alpha_varies(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.mode in ("RGBA", "LA") and len({*picture.getchannel("A").getextrema()}) == 2
    except OSError:  # a TIFF only tifffile reads
        return False


def _oddity(counts: Mapping[int, int], form: Form) -> str:
    """Why a mask hardly means what its numbers say, as the file's own form shows; empty where nothing does."""
    if len(counts) == 2 and max(counts) < len(form.palette):
        low, high = sorted(counts)
        first, second = form.palette[low], form.palette[high]
        if len({*first}) == len({*second}) == 1 and first > second:
            return (
                f"has a palette in which {low} is bright and {high} is dark, so object and ground may be "
                f"exchanged; save it as grey, or say what the numbers are with values="
            )
    return ""


def _read(read: Callable[[], np.ndarray], path: Path, problems: list[str]) -> np.ndarray | None:
    try:
        return read()
    except InColours:
        raise
    except PictureError as error:
        problems.append(f"{short(path)}: {error}")
        return None
