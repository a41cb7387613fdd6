"""How a student's masks and images are to be read: what was given to `load`, checked."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import NamedTuple, SupportsIndex, cast

from helpers.data.folder.values import as_number, shown
from helpers.data.pairs import IGNORE
from helpers.errors import InputError

Value = int | tuple[int, int, int]  # of a mask: a number, or red, green and blue


class Rules(NamedTuple):
    """How masks and images are to be read: the options of `Folder`, in a form that can be a key."""

    classes: tuple[str, ...]
    values: tuple[tuple[int, int], ...] | None  # of a mask, and the class that each is
    ignore: tuple[int, ...] | None
    called: tuple[str, str]  # images and masks, with * for what the two of a pair share
    instances: bool
    scale: bool
    turn: bool | None
    colours: bool = False  # values and ignore are colours, each as one number


def checked_rules(
    classes: Sequence[str] | None,
    values: Mapping[Value, str] | None,
    ignore: Value | Sequence[Value] | None,
    suffix: str | tuple[str, str],
    instances: bool,
    scale: bool,
    turn: bool | None,
) -> Rules:
    """The options as rules; InputError where one cannot be, or two do not go together."""
    for name, chosen in (("instances", instances), ("scale", scale), ("turn", turn)):
        if not isinstance(chosen, bool) and not (name == "turn" and chosen is None):
            raise InputError(f"{name} is {chosen!r}; it takes True or False{', or None' if name == 'turn' else ''}")
    if values is not None and not isinstance(values, Mapping):
        raise InputError(
            f"values is {values!r}; it says what each value of a mask is, as in values={{0: 'background', 255: 'cell'}}"
        )
    colours = values is not None and all(isinstance(value, tuple) for value in values)
    numbers = [_number(value, colours, f"values is {values!r}") for value in values or ()]
    names = _checked_classes(tuple(dict.fromkeys(values.values())) if values is not None else classes or ())
    table = None
    if values is not None:
        table = tuple(zip(numbers, map(names.index, values.values()), strict=True))
    if isinstance(ignore, str | bool):
        raise InputError(f"ignore is {ignore!r}; it takes a number, or several: ignore=255, ignore=(11, 255)")
    ignored = None
    if ignore is not None:
        alone = not isinstance(ignore, Sequence) or (colours and isinstance(ignore[0], int))
        given = (ignore,) if alone else ignore
        ignored = tuple(_number(value, colours, f"ignore is {ignore!r}") for value in cast(Sequence[Value], given))
    both = {value for value, _ in table or ()} & {*(ignored or ())}
    if both:
        raise InputError(
            f"{shown(min(both), colours)} is a class in values and is in ignore, too; it can be one of them"
        )
    if instances and (table or len(names) != 2):
        raise InputError(
            "instances=True makes all numbered objects one class, so it takes two names and no values: "
            'classes=("background", "cell")'
        )
    return Rules(names, table, ignored, _checked_suffix(suffix), instances, scale, turn, colours)


def _number(value: object, colours: bool, said: str) -> int:
    """A value of a mask as one number; InputError where it is none."""
    if not colours and isinstance(value, SupportsIndex):
        return operator.index(value)
    if not colours:
        raise InputError(
            f"{said}; the number comes first, as in values={{0: 'background', 255: 'cell'}}. Where masks are drawn in "
            "colours, all are colours: values={(0, 0, 0): 'background', (255, 0, 0): 'cell'}"
        )
    if not (isinstance(value, tuple) and len(value) == 3 and all(isinstance(c, int) and 0 <= c <= 255 for c in value)):
        raise InputError(f"{said}; a colour is red, green and blue from 0 to 255, without alpha: (255, 0, 0)")
    return as_number(value)


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
    if "..." in classes:
        raise InputError("'...' stands for a name that is yours to give: say what that value of a mask is")
    if not 2 <= len(classes) <= IGNORE or len(set(classes)) < len(classes):
        raise InputError(f"classes has {len(classes)} names; it takes 2 to {IGNORE}, all different")
    return tuple(classes)
