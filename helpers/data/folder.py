"""Your own images and masks, from two folders: read as they are meant, or asked back; what was found is said."""

from __future__ import annotations

import hashlib
import os
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.data.files import DataError
from helpers.data.pairs import IGNORE, SPLITS, Instances, InstanceSet
from helpers.data.pictures import FORMATS, PictureError, pages_of, read_image, read_mask
from helpers.data.tiles import Size, as_size, tile_corners
from helpers.errors import InputError
from helpers.progress_bar import bar
from helpers.threads import available_cpus

_SYSTEM_FILES = {"thumbs.db", "desktop.ini"}
_EXAMPLES = 3  # files that are named of each kind of problem
_DARK = 0.5  # of the range of 16 bits: what fills less was not made for it, such as a camera's 12 bits
_TAILS = (0.5, 99.5)  # percentiles of all pixels that become 0 and 1, as nnU-Net does (Isensee et al. 2021)
_PICTURE = 100  # values in most of the masks, which are then hardly masks
_SAMPLED = 2000  # pixels of each image for them
_STRAY = 0.05  # of the pixels of 255: so few of value 1 were hardly drawn


class _Pair(NamedTuple):
    """An image and its mask: two files, or a page of each."""

    image: Path
    mask: Path
    page: int | None = None


class _Listing(NamedTuple):
    """A folder and its entries (name, whether a file, size, time of change); it keys the cache of `_check_folders`."""

    folder: str
    entries: tuple[tuple[str, bool, int, int], ...]
    passed_over: tuple[str, ...]


class _Rules(NamedTuple):
    """How masks and images are to be read: the options of `Folder`, in a form that can be a key."""

    classes: tuple[str, ...]
    values: tuple[tuple[int, int], ...] | None  # of a mask, and the class that each is
    ignore: tuple[int, ...] | None
    suffix: str
    instances: bool
    scale: bool


class _Seen(NamedTuple):
    """What is in the two files of a pair."""

    shape: tuple[int, ...]
    bits: str
    brightest: float
    sample: np.ndarray
    counts: dict[int, int]
    one_bit: bool
    oddity: str


class _Found(NamedTuple):
    """What a look at all files found."""

    pairs: list[_Pair]
    shapes: dict[_Pair, tuple[int, int]]
    channels: int
    class_of: dict[int, int]
    bounds: tuple[float, float] | None
    report: str


class Folder(InstanceSet):
    """Pairs of an image and a mask with the same stem (`cat7.jpg` and `cat7.png`), in order of the stems.

    - `images`, `masks`: two folders with PNG, JPEG or TIFF files directly in them;
    - `classes`: the names of the classes, two or more, in the order of the numbers in the masks: 0, 1, …; or
    - `values`: what each value of a mask is, `{0: "background", 255: "cell"}`; the order gives the classes, and several
      values may be one class;
    - `ignore`: the value, or values, of pixels without a label; 255 where it is no class;
    - `instances`: masks hold a number for each single object: all are class 1, and `.instances` has the numbers;
    - `suffix`: what the masks' stems have and the images' have not, such as `"_mask"`;
    - `groups`: pairs that belong together, such as those of one patient, never on two sides of the split: a pattern
      that is searched in the stem, such as `r"patient\\d+"`, or a table from stem to group;
    - `tile`, `stride`: pixels, an int or (height, width): every image is cut into tiles of this size
      (`tiles.tile_corners`), after the split, so that those of one image are all on one side;
    - `scale`: images with more than 8 bits that fill less than half of their range, such as those of a camera with 12,
      are stretched: the percentiles 0.5 and 99.5 of all pixels of the set become 0 and 1. `False` leaves them;
    - `fractions`: of train, validation and test, adding up to 1. The pairs are sorted by the SHA-256 of their stems (of
      their groups), as good as random and the same everywhere, and cut into three; every split with a fraction above 0
      gets at least one pair. The split "all" holds every pair.

    TIFFs of several pages, an image and a mask of as many, are stacks: each page is a pair, and a stack is a group. If
    there are fewer stacks than splits, their pages are divided into blocks of neighbours.

    Images are `(1, H, W)` if all are grey, else `(3, H, W)` with the grey ones repeated. Values are divided by the
    largest of the file's type: 255, or 65535 for 16 bits. See also `pictures.read_image`.

    Masks hold class numbers, as grey values or palette indices, and 255 where there is no label. If there are two
    classes and no mask holds a 1, the masks are drawn in 0 and 255, and 255 is class 1. A 1-bit mask is always 0 and 1.
    What could be read in two ways is asked back.

    Every file is read when the set is loaded, and what was found is printed once and kept as `.report`. DataError tells
    the kinds of everything that has no partner, cannot be read, differs in size, holds a number outside the classes or
    holds no object, and the call that mends most of it; only hidden files (".…"), `Thumbs.db` and `desktop.ini` are
    passed over. A wrong option raises ValueError.
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
        values: Mapping[int, str] | None = None,
        ignore: int | Sequence[int] | None = None,
        instances: bool = False,
        suffix: str = "",
        groups: str | Mapping[str, str] | None = None,
        tile: Size | None = None,
        stride: Size | None = None,
        scale: bool = True,
        fractions: tuple[float, float, float] = (0.7, 0.15, 0.15),
    ):
        super().__init__(split)
        if images is None or masks is None or (classes is None) == (values is None):
            raise InputError(
                'load("folder", split, images=..., masks=..., classes=...) needs all three: two folders and the '
                'names of the classes, such as classes=("background", "cell"), or in their place what each value of a '
                'mask is, such as values={0: "background", 255: "cell"}'
            )
        rules = _rules(classes, values, ignore, suffix, instances, scale)
        self.classes, self._rules = rules.classes, rules
        image_folder, mask_folder = Path(images).expanduser().resolve(), Path(masks).expanduser().resolve()
        if image_folder == mask_folder:
            raise InputError(f"images and masks are the same folder, {image_folder}; put the masks into their own")
        contents = _listing(image_folder, "images"), _listing(mask_folder, "masks")
        self._found = _check_folders(*contents, rules)
        pairs = self._found.pairs
        group_of = _group_of(groups, [_stem(pair.image) for pair in pairs])
        self._pairs = pairs if split == "all" else _divide(pairs, fractions, group_of)[SPLITS.index(split)]
        if not self._pairs:
            raise InputError(
                f"The split {split!r} is empty: {len(pairs)} pairs divided by fractions={fractions}. "
                "Add pairs, or give the split a larger fraction."
            )
        self._corners: list[tuple[int, int] | None] = [None] * len(self._pairs)
        self._tile = (0, 0) if tile is None else as_size(tile, "tile")
        if tile is None and stride is not None:
            raise InputError("stride is how far tiles lie apart, and there are none: give a tile, or leave stride out")
        if tile is not None:
            at = [(p, corner) for p in self._pairs for corner in tile_corners(self._found.shapes[p], tile, stride)]
            self._pairs, self._corners = [pair for pair, _ in at], [corner for _, corner in at]

    @property
    def stems(self) -> tuple[str, ...]:
        """The stem of each pair's image."""
        return tuple(_stem(pair.image) for pair in self._pairs)

    @property
    def report(self) -> str:
        """What was found in the two folders."""
        return self._found.report

    def __len__(self) -> int:
        return len(self._pairs)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Image and mask as read, the image grey or RGB as the whole set is."""
        pair = self._pairs[index]
        image = self._cut(read_image(pair.image, pair.page), index)
        values = self._cut(_values(pair, self._rules), index)
        if self._found.channels == 3 and image.ndim == 2:
            image = np.stack([image] * 3, axis=-1)
        if self._found.bounds is not None:
            low, high = self._found.bounds
            image = ((_unit(image) - low) / (high - low)).clip(0, 1)
        mask = np.full_like(values, int(self._rules.instances))
        for value, k in self._found.class_of.items():
            mask[values == value] = k
        return image, mask

    def instance_labels(self, index: int) -> np.ndarray:
        """Labels of pair `index`, as numbered in the mask."""
        values = self._cut(read_mask(self._pairs[index].mask, self._pairs[index].page), index)
        return np.where(np.isin(values, self._rules.ignore or ()), 0, values)

    def _cut(self, whole: np.ndarray, index: int) -> np.ndarray:
        corner = self._corners[index]
        if corner is None:
            return whole
        (top, left), (height, width) = corner, self._tile
        return whole[top : top + height, left : left + width]

    @property
    def instances(self) -> Instances:
        """The single objects of each pair, where the masks number them."""
        if not self._rules.instances:
            raise InputError("These masks were loaded as classes. Where they number single objects: instances=True.")
        return super().instances


def _rules(
    classes: Sequence[str] | None,
    values: Mapping[int, str] | None,
    ignore: int | Sequence[int] | None,
    suffix: str,
    instances: bool,
    scale: bool,
) -> _Rules:
    if values is not None and not all(isinstance(value, int) for value in values):
        raise InputError(f"values is {values!r}; the number comes first, as in values={{0: 'background', 255: 'cell'}}")
    if isinstance(ignore, str):
        raise InputError(f"ignore is {ignore!r}; it takes a number, or several: ignore=255, ignore=(11, 255)")
    names = _checked_classes(tuple(dict.fromkeys(values.values())) if values is not None else classes or ())
    table = None if values is None else tuple((value, names.index(name)) for value, name in values.items())
    ignored = None if ignore is None else (ignore,) if isinstance(ignore, int) else tuple(ignore)
    both = {value for value, _ in table or ()} & {*(ignored or ())}
    if both:
        raise InputError(f"{min(both)} is a class in values and is in ignore, too; it can be one of them")
    if instances and (table or len(names) != 2):
        raise InputError(
            "instances=True makes all numbered objects one class, so it takes two names and no values: "
            'classes=("background", "cell")'
        )
    return _Rules(names, table, ignored, suffix, instances, scale)


def _checked_classes(classes: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(classes, tuple | list) or not all(isinstance(c, str) for c in classes):
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
    entries, passed_over = [], []
    for entry in found:
        if entry.name.startswith(".") or entry.name.lower() in _SYSTEM_FILES:
            passed_over.append(entry.name)
            continue
        # A broken link has no stat of its own; it is reported when it cannot be read.
        status = entry.stat() if entry.exists() else entry.lstat()
        entries.append((entry.name, not entry.is_dir(), status.st_size, status.st_mtime_ns))
    return _Listing(str(folder), tuple(entries), tuple(passed_over))


@lru_cache(maxsize=8)
def _check_folders(images: _Listing, masks: _Listing, rules: _Rules) -> _Found:
    """What is in the two folders, as these rules read it.

    Cached, as train, validation and test come from the same files. Raises DataError with every kind of problem.
    """
    problems: list[str] = []
    image_of, mask_of = _by_stem(images, problems), _by_stem(masks, problems)
    called = mask_of
    if rules.suffix:
        mask_of = {stem.removesuffix(rules.suffix): path for stem, path in mask_of.items()}
    for mine, others, kind in ((image_of, mask_of, "mask"), (mask_of, image_of, "image")):
        for stem in mine.keys() - others.keys():
            problems.append(f"{_short(mine[stem])}: there is no {kind} with the stem {stem!r}")
    pairs: list[_Pair] = []
    for stem in sorted(image_of.keys() & mask_of.keys()):
        image, mask = image_of[stem], mask_of[stem]
        pages = pages_of(image)
        if pages > 1 and pages == pages_of(mask):
            pairs += [_Pair(image, mask, page) for page in range(pages)]
        else:
            pairs.append(_Pair(image, mask))

    seen: dict[_Pair, _Seen] = {}
    with ThreadPoolExecutor(available_cpus()) as threads:
        looked = threads.map(lambda pair: _look(pair, rules), pairs)
        for pair, (what, wrong) in zip(pairs, bar(iterable=looked, desc="Reading", total=len(pairs)), strict=True):
            problems += wrong
            if what is not None:
                seen[pair] = what
    class_of, advice = _classes_of(seen, rules, problems)
    if problems:
        suffix = _shared_suffix(image_of, called)
        if suffix and suffix != rules.suffix:
            advice.insert(0, f"All masks are called as their images with {suffix!r} behind: suffix={suffix!r}.")
        raise DataError(
            f"{len(problems)} problems with the files in {images.folder} and {masks.folder}:\n  "
            + "\n  ".join(_grouped(problems))
            + "".join(f"\n{line}" for line in advice)
            + "\nEvery image needs one mask with the same stem and size, and every file must be readable. "
            "Nothing was loaded: mend these files or move them elsewhere."
        )
    if not pairs:
        raise DataError(f"There are no images in {images.folder}. They are files ending in {', '.join(FORMATS)}.")
    channels = 3 if any(len(one.shape) == 3 for one in seen.values()) else 1
    bounds = _bounds(list(seen.values())) if rules.scale else None
    report = _report(images, masks, list(seen.values()), rules, class_of, bounds)
    print(report)
    shapes = {pair: (one.shape[0], one.shape[1]) for pair, one in seen.items()}
    return _Found(pairs, shapes, channels, class_of, bounds, report)


def _look(pair: _Pair, rules: _Rules) -> tuple[_Seen | None, list[str]]:
    """What is in a pair of files, and what is wrong with them."""
    problems: list[str] = []
    image = _read(lambda: read_image(pair.image, pair.page), pair.image, problems)
    mask = _read(lambda: _values(pair, rules), pair.mask, problems)
    if image is None or mask is None:
        return None, problems
    if image.shape[:2] != mask.shape:
        sizes = f"{mask.shape[0]}×{mask.shape[1]}, its image {image.shape[0]}×{image.shape[1]}"
        problems.append(f"{_short(pair.mask)}: is {sizes} (height × width); they must be equal")
    flat = _unit(image.reshape(-1)[:: max(1, image.size // _SAMPLED)])
    brightest = float(_unit(image.max(keepdims=True)).max())
    if mask.min() >= 0 and mask.max() < 2**16:  # many times as quick as sorting
        found = np.bincount(mask.reshape(-1))
        counts = {int(value): int(found[value]) for value in found.nonzero()[0]}
    else:
        counts = dict(zip(*(x.tolist() for x in np.unique(mask, return_counts=True)), strict=True))
    bits = {1: "8 bits", 2: "16 bits", 4: "floating point"}[image.dtype.itemsize]
    what = _Seen(image.shape, bits, brightest, flat, counts, _one_bit(pair.mask), _oddity(pair.mask, counts))
    return what, problems


def _classes_of(seen: Mapping[_Pair, _Seen], rules: _Rules, problems: list[str]) -> tuple[dict[int, int], list[str]]:
    """The class of each value that a mask may hold, and which call would mend most of what is wrong with them."""
    number, names = len(rules.classes), rules.classes
    total: Counter[int] = Counter()
    for one in seen.values():
        total.update(one.counts)
    if rules.values is not None:
        class_of = dict(rules.values)
    elif rules.instances:
        class_of = {0: 0}
    else:
        class_of = {k: k for k in range(number)}
        drawn_1 = any(1 in one.counts and not one.one_bit for one in seen.values())
        if number == 2 and rules.ignore is None and total[IGNORE] and not drawn_1:
            class_of = {0: 0, 1: 1, IGNORE: 1}
    ignored = rules.ignore if rules.ignore is not None else () if IGNORE in class_of or rules.instances else (IGNORE,)
    class_of |= dict.fromkeys(ignored, IGNORE)

    advice, outside = [], set()
    for pair, one in seen.items():
        if wrong := [value for value in sorted(one.counts) if value not in class_of and not rules.instances]:
            shown = ", ".join(map(str, wrong[:5])) + (", …" if len(wrong) > 5 else "")
            allowed = f"0 to {number - 1}, or {IGNORE} to ignore a pixel" if rules.values is None else "those in values"
            problems.append(f"{_short(pair.mask)}: holds {shown}; with {number} classes a mask holds {allowed}")
            outside |= {*wrong}
        if one.oddity and rules.values is None:
            problems.append(f"{_short(pair.mask)}: {one.oddity}")
    if outside and statistics.median(len(one.counts) for one in seen.values()) > _PICTURE:
        advice.append("They look like pictures: are images= and masks= exchanged?")
    elif outside:
        numbers = [value for value in sorted(total) if value not in (0, IGNORE)]
        if len(numbers) > 2 and numbers[-1] < 4 * len(numbers) and number == 2:
            advice.append(
                "They look like numbers of single objects, as from napari, Fiji, Cellpose or StarDist: instances=True, "
                "which makes them one class and keeps the numbers."
            )
        elif len(total) <= 20:
            said = ", ".join(f"{value}: {names[k] if k < number else '...'!r}" for k, value in enumerate(sorted(total)))
            advice.append(f"Say what each value is: values={{{said}}} in place of classes, or ignore=.")
    elif seen:
        _ask_back(seen, total, class_of, rules, problems, advice)
    return class_of, advice


def _ask_back(
    seen: Mapping[_Pair, _Seen],
    total: Mapping[int, int],
    class_of: Mapping[int, int],
    rules: _Rules,
    problems: list[str],
    advice: list[str],
) -> None:
    """Find what the masks could mean in two ways, or that they mean nothing."""
    background, thing = rules.classes[:2]
    drawn = [one.counts for one in seen.values() if not one.one_bit]
    if len(rules.classes) == 2 and rules.values is None and rules.ignore is None and not rules.instances:
        ones, whites = (sum(counts.get(value, 0) for counts in drawn) for value in (1, IGNORE))
        alone = sum(IGNORE in counts and 1 not in counts for counts in drawn)
        if ones and whites and (alone or ones < _STRAY * whites):
            problems.append(
                f"{IGNORE} is in {sum(IGNORE in c for c in drawn)} masks and 1 in {sum(1 in c for c in drawn)}: "
                f"{whites} and {ones} pixels. Either {IGNORE} is {thing!r}, and 1 a slip, or {IGNORE} is no label"
            )
            advice += [
                f"If {IGNORE} is {thing!r}: values={{0: {background!r}, 1: {background!r}, {IGNORE}: {thing!r}}}, or "
                f"1: {thing!r} where both are.",
                f"If {IGNORE} is no label: ignore={IGNORE}.",
            ]
            return
    objects = sum(n for value, n in total.items() if class_of.get(value, 1) not in (0, IGNORE))
    if not objects:
        held = ", ".join(map(str, sorted(total)))
        problems.append(f"no object in any of {len(seen)} masks: all pixels are {held}")
        if IGNORE in total and len(rules.classes) > 2:
            advice.append(
                f"{IGNORE} is no label here. If it is a class: values={{0: {background!r}, {IGNORE}: {thing!r}}}."
            )


def _bounds(seen: Sequence[_Seen]) -> tuple[float, float] | None:
    """What becomes 0 and 1 of images that were not made for their 16 bits."""
    if any(one.bits != "16 bits" for one in seen):
        return None
    low, high = np.percentile(np.concatenate([one.sample for one in seen]), _TAILS)
    return (float(low), float(high)) if low < high < _DARK else None  # not by one hot pixel


def _report(
    images: _Listing,
    masks: _Listing,
    seen: Sequence[_Seen],
    rules: _Rules,
    class_of: Mapping[int, int],
    bounds: tuple[float, float] | None,
) -> str:
    sizes = Counter(f"{one.shape[0]}×{one.shape[1]}" for one in seen)
    shown = ", ".join(f"{size} ({number})" if len(sizes) > 1 else size for size, number in sizes.most_common(4))
    more = f", and {len(sizes) - 4} more sizes" if len(sizes) > 4 else ""
    bits = " and ".join(sorted({one.bits for one in seen}))
    colours = " and ".join(sorted({"colour" if len(one.shape) == 3 else "grey" for one in seen}))
    brightest = max(one.brightest for one in seen)
    scaled = ""
    if bounds is not None:
        low, high = (65535 * bound for bound in bounds)
        scaled = f"; stretched, {low:.0f} becomes 0 and {high:.0f} becomes 1 (scale=False leaves them)"
    total: Counter[int] = Counter()
    for one in seen:
        total.update(one.counts)
    area = total.total()
    values: dict[int, list[int]] = {}
    for value in sorted(total):
        values.setdefault(class_of.get(value, 1), []).append(value)
    parts = []
    for k, of in sorted(values.items()):
        share = 100 * sum(total[value] for value in of) / area
        what = "no label" if k == IGNORE else rules.classes[k]
        given = f"{of[0]} to {of[-1]}" if len(of) > 4 else ", ".join(map(str, of))
        parts.append(f"{what} ({given}) {share:.3g} %")
    lines = [
        f"{len(seen)} pairs in {images.folder} and {masks.folder}",
        f"images  {shown}{more}; {bits}, {colours}; the brightest pixel is at {100 * brightest:.0f} % of the range"
        f"{scaled}",
        f"masks   {', '.join(parts)}",
    ]
    if rules.instances:
        objects = sum(sum(value not in class_of for value in one.counts) for one in seen)
        lines.append(f"objects {objects} numbered ones, {objects / len(seen):.1f} an image")
    if absent := [name for k, name in enumerate(rules.classes) if k not in values]:
        lines.append(f"absent  {', '.join(absent)}: in no mask")
    if left_out := [*images.passed_over, *masks.passed_over]:
        lines.append(f"left    {', '.join(left_out[:4])}{', …' if len(left_out) > 4 else ''}: not read")
    return "\n".join(lines)


def _grouped(problems: Sequence[str]) -> list[str]:
    """Of each kind of problem a few examples, and how many more there are."""
    kinds: dict[str, list[str]] = {}
    for problem in sorted(problems):
        _, _, what = problem.partition(": ")
        kinds.setdefault(re.sub(r"'[^']*'|\d+", "#", what)[:40], []).append(problem)
    lines = []
    for kind in kinds.values():
        lines += kind[:_EXAMPLES]
        lines += [f"… and {len(kind) - _EXAMPLES} more like these"] if len(kind) > _EXAMPLES else []
    return lines


def _shared_suffix(images: Mapping[str, Path], masks: Mapping[str, Path]) -> str:
    """What all masks' stems have behind those of their images; empty where that is nothing, or not the same."""
    endings = {
        mask[len(stem) :]
        for mask in masks
        if (stem := max((s for s in images if mask.startswith(s)), key=len, default=None)) is not None
    }
    matched = sum(f"{stem}{ending}" in masks for stem in images for ending in endings)
    return endings.pop() if len(endings) == 1 and matched else ""


def _group_of(groups: str | Mapping[str, str] | None, stems: Sequence[str]) -> dict[str, str]:
    """The group of each stem; its own where there are none."""
    if groups is None:
        return {stem: stem for stem in stems}
    if isinstance(groups, str):
        found = {stem: match for stem in stems if (match := re.search(groups, stem))}
        table: Mapping[str, str] = {stem: (match[1] if match.re.groups else match[0]) for stem, match in found.items()}
    else:
        table = groups
    if lost := [stem for stem in stems if stem not in table]:
        raise InputError(
            f"groups has no group for {len(lost)} of {len(stems)} pairs, such as {lost[0]!r}. It takes a pattern that "
            "is found in every stem, or a table from stem to group."
        )
    return {stem: str(table[stem]) for stem in stems}


def _values(pair: _Pair, rules: _Rules) -> np.ndarray:
    """A mask's values; those of a 1-bit file are 0 and 1, unless the rules speak of 255."""
    values = read_mask(pair.mask, pair.page)
    if _one_bit(pair.mask) and not (rules.values and IGNORE in dict(rules.values)):
        values = (values > 0).astype(values.dtype)
    return values


def _unit(image: np.ndarray) -> np.ndarray:
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


def _read(read: Callable[[], np.ndarray], path: Path, problems: list[str]) -> np.ndarray | None:
    try:
        return read()
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


def _divide(
    pairs: list[_Pair], fractions: tuple[float, float, float], group_of: Mapping[str, str] | None = None
) -> list[list[_Pair]]:
    """Three lists of pairs, each in the order of `pairs`; those of a group are all in one of them."""
    try:
        train, validation, test = (float(f) for f in fractions)
    except (TypeError, ValueError):
        raise InputError(f"fractions is {fractions!r}; it takes three shares, such as (0.7, 0.15, 0.15)") from None
    if not min(train, validation, test) >= 0 or abs(train + validation + test - 1) > 1e-6:
        raise InputError(f"fractions is {fractions!r}; its three shares are from 0 and add up to 1")
    groups: dict[str, list[int]] = {}
    for i, pair in enumerate(pairs):
        stem = _stem(pair.image)
        groups.setdefault(group_of[stem] if group_of else stem, []).append(i)
    order = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    if len(groups) < sum(f > 0 for f in (train, validation, test)) and any(pair.page is not None for pair in pairs):
        order = [str(k) for k in range(len(pairs))]  # blocks of neighbouring pages
        groups = {name: [int(name)] for name in order}
    n = len(groups)
    wanted = [n * train, n * validation, n * test]
    counts = [max(int(w), int(w > 0)) for w in wanted]
    # What rounding left over, or took too much, is settled where it changes the fractions least.
    while sum(counts) < n:
        counts[int(np.argmax([w - c for w, c in zip(wanted, counts, strict=True)]))] += 1
    while sum(counts) > n:
        least = 1 if max(counts) > 1 else 0  # nothing is taken from a split's only pair while another has two
        counts[int(np.argmax([c - w if c > least else -np.inf for w, c in zip(wanted, counts, strict=True)]))] -= 1
    cuts = [0, counts[0], counts[0] + counts[1], n]
    return [[pairs[i] for i in sorted(i for name in order[a:b] for i in groups[name])] for a, b in pairwise(cuts)]
