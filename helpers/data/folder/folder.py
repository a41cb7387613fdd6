"""Your own images and masks, from two folders: read as they are meant, or asked back; what was found is said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.data.files import DataError
from helpers.data.folder.classes import classes_of
from helpers.data.folder.look import Seen, as_unit, look, mask_values
from helpers.data.folder.names import Listing, Pair, check_layout, list_folder, pairs_by_name, proposed_suffix, stem_of
from helpers.data.folder.report import bounds_of, copies_of, grouped, report_of
from helpers.data.folder.rules import Rules, Value, checked_rules
from helpers.data.folder.splits import divide, groups_of
from helpers.data.pairs import SPLITS, Instances, InstanceSet
from helpers.data.pictures import FORMATS, read_image
from helpers.data.tiles import Size, as_size, tile_corners
from helpers.errors import InputError
from helpers.progress_bar import bar
from helpers.threads import available_cpus


class _Found(NamedTuple):
    """What a look at all files found."""

    pairs: list[Pair]
    shapes: dict[Pair, tuple[int, int]]
    channels: int
    class_of: dict[int, int]
    bounds: tuple[float, float] | None
    copies: list[list[Pair]]
    report: str


class Folder(InstanceSet):
    """Pairs of an image and a mask with the same stem (`cat7.jpg` and `cat7.png`), in order of the stems.

    - `images`, `masks`: two folders with PNG, JPEG, TIFF, BMP or GIF files directly in them;
    - `classes`: the names of the classes, two or more, in the order of the numbers in the masks: 0, 1, …; or
    - `values`: what each value of a mask is, `{0: "background", 255: "cell"}`, or each of its colours,
      `{(0, 0, 0): "background", (255, 0, 0): "cell"}`; the order gives the classes, and several values may be one;
    - `ignore`: the value, or values, of pixels without a label; 255 where it is no class;
    - `instances`: masks hold a number for each single object, or a colour on black: all are class 1, and `.instances`
      has the numbers;
    - `suffix`: what the masks' stems have behind those of the images, such as `"_mask"`; or how both are called, with *
      for what the two of a pair share: `("*_leftImg8bit", "*_gtFine_labelIds")`. Files called otherwise are left out;
    - `groups`: pairs that belong together, such as those of one patient, never on two sides of the split: a pattern
      that is searched in the stem, such as `r"patient\\d+"`, or a table from stem to group. Pairs with the same image,
      pixel by pixel, belong together in any case;
    - `tile`, `stride`: pixels, an int or (height, width): every image is cut into tiles of this size
      (`tiles.tile_corners`), after the split, so that those of one image are all on one side;
    - `scale`: images of 16 bits that fill less than half of their range, such as those of a camera with 12, are
      stretched: the percentiles 0.5 and 99.5 of all their pixels become 0 and 1. `False` leaves them;
    - `turn`: whether photographs are turned upright as their EXIF tag says, which is asked back where a mask without a
      tag fits both ways. `False` takes images and masks as they are stored;
    - `fractions`: of train, validation and test, adding up to 1. The pairs are sorted by the SHA-256 of their stems (of
      their groups), as good as random and the same everywhere, and cut into three; every split with a fraction above 0
      gets at least one pair. The split "all" holds every pair.

    TIFFs of several pages, an image and a mask of as many, are stacks: each page is a pair, and a stack is a group. If
    there are fewer stacks than splits, their pages are divided into blocks of neighbours.

    Images are `(1, H, W)` if all are grey, else `(3, H, W)` with the grey ones repeated. Values are divided by the
    largest of the file's type: 255, or 65535 for 16 bits. See also `pictures.read_image`.

    Masks hold class numbers, as grey values or palette indices, and 255 where there is no label. If there are two
    classes and no mask holds a 1, the masks are drawn in 0 and 255, and 255 is class 1. A 1-bit mask is always 0 and 1.
    JPEG blurs masks: with `values`, each pixel is the nearest of them. What could be read in two ways is asked back.

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
        values: Mapping[Value, str] | None = None,
        ignore: Value | Sequence[Value] | None = None,
        instances: bool = False,
        suffix: str | tuple[str, str] = "",
        groups: str | Mapping[str, str] | None = None,
        tile: Size | None = None,
        stride: Size | None = None,
        scale: bool = True,
        turn: bool | None = None,
        fractions: tuple[float, float, float] = (0.7, 0.15, 0.15),
    ):
        super().__init__(split)
        self._groups: Counter[str] = Counter()
        if classes is not None and values is not None:
            raise InputError("Both classes= and values= are given; values names the classes, so leave classes= out")
        for name, given in (("images", images), ("masks", masks)):
            if given is not None and not isinstance(given, str | os.PathLike):
                raise InputError(f"{name} is {given!r:.60}; it takes the path of a folder")
        if images is None or masks is None or (classes is None) == (values is None):
            raise InputError(
                'load("folder", split, images=..., masks=..., classes=...) needs all three: two folders and the '
                'names of the classes, such as classes=("background", "cell"), or in their place what each value of a '
                'mask is, such as values={0: "background", 255: "cell"}'
            )
        rules = checked_rules(classes, values, ignore, suffix, instances, scale, turn)
        self.classes, self._rules = rules.classes, rules
        image_folder, mask_folder = Path(images).expanduser().resolve(), Path(masks).expanduser().resolve()
        contents = list_folder(image_folder, "images"), list_folder(mask_folder, "masks")
        check_layout(contents[0])
        if image_folder == mask_folder and rules.called == ("*", "*"):
            raise InputError(
                f"images and masks are the same folder, {image_folder}; put the masks into their own, or say how "
                "they are called: suffix='_mask'"
            )
        self._found = _check_folders(*contents, rules)
        pairs = self._found.pairs
        group_of = groups_of(groups, [stem_of(pair.image) for pair in pairs])
        if groups is not None:
            self._groups = Counter(group_of[stem_of(pair.image)] for pair in pairs)
            if len(self._groups) == 1 < len(pairs) and split != "all":
                raise InputError(
                    f"groups={groups!r} puts all {len(pairs)} pairs into one group, {next(iter(self._groups))!r}, "
                    "which cannot be split. It is a regular expression, not a pattern of files: "
                    r"r'patient\d+' takes patient1 and patient2 apart"
                )
        if split == "all":
            self._pairs = pairs
        else:
            self._pairs = divide(pairs, fractions, group_of, self._found.copies)[SPLITS.index(split)]
        if not self._pairs:
            raise InputError(
                f"The split {split!r} is empty: {len(pairs)} pairs divided by fractions={fractions}, those of a group "
                "or with the same image together. Add pairs, or give the split a larger fraction."
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
        return tuple(stem_of(pair.image) for pair in self._pairs)

    @property
    def report(self) -> str:
        """What was found in the two folders."""
        if not self._groups:
            return self._found.report
        (name, most), number = self._groups.most_common(1)[0], len(self._groups)
        alone = "; each pair is a group of its own" if number == self._groups.total() else ""
        return f"{self._found.report}\ngroups  {number}, the largest is {name!r} of {most}{alone}"

    def __len__(self) -> int:
        return len(self._pairs)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Image and mask as read, the image grey or RGB as the whole set is."""
        pair = self._pairs[index]
        image = self._cut(read_image(pair.image, pair.page, self._rules.turn is not False), index)
        values = self._cut(mask_values(pair, self._rules), index)
        if self._found.channels == 3 and image.ndim == 2:
            image = np.stack([image] * 3, axis=-1)
        if self._found.bounds is not None and image.dtype == np.uint16:
            low, high = self._found.bounds
            image = ((as_unit(image) - low) / (high - low)).clip(0, 1)
        mask = np.full_like(values, int(self._rules.instances))
        for value, k in self._found.class_of.items():
            mask[values == value] = k
        return image, mask

    def instance_labels(self, index: int) -> np.ndarray:
        """Labels of pair `index`, as numbered in the mask."""
        values = self._cut(mask_values(self._pairs[index], self._rules), index)
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


@lru_cache(maxsize=8)
def _check_folders(images: Listing, masks: Listing, rules: Rules) -> _Found:
    """What is in the two folders, as these rules read it.

    Cached, as train, validation and test come from the same files. Raises DataError with every kind of problem.
    """
    problems: list[str] = []
    pairs, left = pairs_by_name(images, masks, rules.called, problems)
    seen: dict[Pair, Seen] = {}
    with ThreadPoolExecutor(available_cpus()) as threads:
        looked = threads.map(lambda pair: look(pair, rules), pairs)
        for pair, (what, wrong) in zip(pairs, bar(iterable=looked, desc="Reading", total=len(pairs)), strict=True):
            problems += wrong
            if what is not None:
                seen[pair] = what
    class_of, advice = classes_of(seen, rules, problems)
    if problems:
        if suffix := proposed_suffix(images, masks, rules.called):
            advice.insert(0, suffix)
        raise DataError(
            f"{len({*problems})} problems with the files in {images.folder} and {masks.folder}:\n  "
            + "\n  ".join(grouped(problems))
            + "".join(f"\n{line}" for line in advice)
            + "\nEvery image needs one mask with the same stem and size, and every file must be readable. "
            "Nothing was loaded: mend these files or move them elsewhere."
        )
    if not pairs:
        raise DataError(f"There are no images in {images.folder}. They are files ending in {', '.join(FORMATS)}.")
    channels = 3 if any(len(one.shape) == 3 for one in seen.values()) else 1
    bounds = bounds_of(list(seen.values())) if rules.scale else None
    copies = copies_of(seen)
    report = report_of(images, masks, seen, copies, rules, class_of, bounds, left)
    print(report)
    shapes = {pair: (one.shape[0], one.shape[1]) for pair, one in seen.items()}
    return _Found(pairs, shapes, channels, class_of, bounds, copies, report)
