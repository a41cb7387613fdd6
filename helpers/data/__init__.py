"""The course's data sets, all loaded by one call: `load(name, split, **options)`.

    from helpers import data
    train = data.load("nuclei", "train", tile=128)
    image, mask = train[0]      # tv_tensors.Image (1, 128, 128) float32 in [0, 1], tv_tensors.Mask (128, 128) int64
    train.classes               # ("background", "nucleus")
    print(train.card)           # source, licence, size, splits, known flaws
    data.check_up(train)        # before training: the oddest pictures, and what looks wrong

Importing this package is cheap: torch and the set's own module are imported by the first `load`.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING

from helpers.data.validation import check_choice
from helpers.errors import CallError, called_as

if TYPE_CHECKING:
    from helpers.data.pairs import Pairs, PairSet

__all__ = ["NAMES", "check_up", "load"]

# Each set has a module of its name, with this class.
_CLASSES = {"nuclei": "Nuclei", "brain": "Brain", "cells": "Cells", "pets": "Pets", "folder": "Folder"}
NAMES: tuple[str, ...] = tuple(_CLASSES)


@called_as('data.load("nuclei", "train")')
def load(name: str, split: str, **options) -> PairSet:
    """Load one split of a data set as a `torch.utils.data.Dataset` of `(image, mask)` pairs.

    `name` is one of `NAMES`; `split` is "train", "validation" or "test" (for "folder" also "all"). The options,
    with their defaults:

    - "nuclei": `tile=128`, `stride=tile`; pixels, an int or (height, width). `tile=None`: the split in one piece.
    - "brain": `split_by="block"`; "random" draws the slices at random, which leaks between the splits.
    - "cells": `size=128`, `count=200`, `foreground=0.2`, `diameter=22`, `seed=0`.
    - "pets": `size=None`; an int or (height, width) resizes every pair. Downloads 0.8 GB the first time.
    - "folder": `images`, `masks`, and `classes` or `values` (all three needed), `ignore=255`, `instances=False`,
      `suffix=""`, `groups=None`, `tile=None`, `stride=tile`, `scale=True`, `turn=None`,
      `fractions=(0.7, 0.15, 0.15)`.

    The set's class (`helpers.data.nuclei.Nuclei` …) explains them. Every pair is a `tv_tensors.Image` `(C, H, W)`
    float32 in [0, 1] and a `tv_tensors.Mask` `(H, W)` int64 with values in `range(len(classes))`, or 255 for pixels
    to ignore (only "pets" and "folder" have them). The set has `.classes`, `.card`, and for "nuclei" and "cells"
    `.instances`: by the index of the pair its instance labels, `(H, W)` int64, 0 for background.

    Raises ValueError for an unknown name, split or option, naming those that exist, and for a value out of range;
    `files.DataError` where files are missing, altered or unreadable.
    """
    check_choice("data set", name, NAMES)
    module = importlib.import_module(f".{name}", __name__)
    set_class = getattr(module, _CLASSES[name])
    known = [p.name for p in inspect.signature(set_class).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        check_choice(f"option for {name!r}", option, known)
    return set_class(split, **options)


@called_as("data.check_up(train, validation, test)")
def check_up(*sets: Pairs) -> None:
    """Look at pairs before training: show the oddest with the outlines of their masks, and say what looks wrong.

    Give all splits at once, `check_up(train, validation, test)`: what looks the same in two of them is found, mirrored
    or turned, too, and what sets one apart: its brightness, its channels, its classes. Any sets of pairs will do. Of
    each, up to 200 pairs are looked at, evenly chosen, and it is said where there are more. What looks wrong need not
    be: each sentence says what was measured.
    """
    for given in sets:
        if isinstance(given, str):
            raise CallError(f'check_up(): {given!r} is a name. Give the pairs: train = data.load("nuclei", "train").')
    importlib.import_module(".checking", __name__).check_up(*sets)
