"""How a student's masks and images are to be read: what was given to `load`, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from helpers.data.pairs import IGNORE
from helpers.errors import InputError


class Rules(NamedTuple):
    """How masks and images are to be read: the options of `Folder`, in a form that can be a key."""

    classes: tuple[str, ...]
    values: tuple[tuple[int, int], ...] | None  # of a mask, and the class that each is
    ignore: tuple[int, ...] | None
    called: tuple[str, str]  # images and masks, with * for what the two of a pair share
    instances: bool
    scale: bool


def checked_rules(
    classes: Sequence[str] | None,
    values: Mapping[int, str] | None,
    ignore: int | Sequence[int] | None,
    suffix: str | tuple[str, str],
    instances: bool,
    scale: bool,
) -> Rules:
    """The options as rules; InputError where one cannot be, or two do not go together."""
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
    return Rules(names, table, ignored, _checked_suffix(suffix), instances, scale)


def _checked_suffix(suffix: str | Sequence[str]) -> tuple[str, str]:
    called = ("*", f"*{suffix}") if isinstance(suffix, str) else tuple(suffix)
    if len(called) != 2 or not all(isinstance(one, str) and one.count("*") == 1 for one in called):
        raise InputError(
            f"suffix is {suffix!r}; it takes what masks have behind the names of their images, such as '_mask', or how "
            "images and masks are called, with * for what the two of a pair share: ('*_image', '*_mask')"
        )
    return called[0], called[1]


def _checked_classes(classes: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(classes, tuple | list) or not all(isinstance(c, str) for c in classes):
        raise InputError(f"classes is {classes!r}; it takes a tuple of names, such as ('background', 'cell')")
    if not 2 <= len(classes) <= IGNORE or len(set(classes)) < len(classes):
        raise InputError(f"classes has {len(classes)} names; it takes 2 to {IGNORE}, all different")
    return tuple(classes)
