"""A check-up of pairs before training: the oddest pictures with their outlines, and what looks wrong."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from helpers import show
from helpers.data.findings import Seen, findings, look
from helpers.data.gate import GateError, GateWarning, Taken
from helpers.data.pairs import InstanceSet, Pairs
from helpers.errors import CallError, InputError
from helpers.progress_bar import bar

_MOST = 200  # pairs of each set that are looked at
_SHOWN = 8  # pictures in the figure at most
_WIDTH = 100  # letters in a line
_FEW = 6  # are filled up with ordinary ones
_ODD: dict[str, Callable[[Seen], bool]] = {  # what is shown of a picture that has it
    "outline beside edges": lambda one: one.beside_edges,
    "tiny objects": lambda one: one.tiny > 0,
    "objects in a corner only": lambda one: one.in_corner,
    "no object": lambda one: one.share == 0,
}


def check_up(*sets: Pairs) -> None:
    """See `helpers.data.check_up`."""
    if not sets:
        raise CallError("check_up(): no set is given. Call it as in data.check_up(train, validation, test).")
    names = [getattr(pairs, "split", "set") for pairs in sets]
    if len({*names}) < len(names):
        names = [f"set{k + 1}" for k in range(len(sets))]
    taken = [Taken(pairs, f"pairs of {name}") for pairs, name in zip(sets, names, strict=True)]
    seen = [one for k in range(len(sets)) for one in _looks(k, sets[k], taken[k], names[k])]
    classes = _classes(sets, seen)
    _draw(taken, seen, _oddest(seen), classes)
    for report in dict.fromkeys(getattr(pairs, "report", "") for pairs in sets):
        if report:
            print(report)
    for line in _counts(sets, names, seen):
        print(line)
    wrong = [*_of_the_gate(taken, len(classes)), *_of_names(sets, names), *findings(seen, names, classes)]
    print("Look at this:" if wrong else "Nothing looks wrong. Look at the pictures all the same.")
    for line in wrong:
        print(textwrap.fill(f"- {line}", _WIDTH, subsequent_indent="  ", break_long_words=False))


def _of_the_gate(taken: Sequence[Taken], classes: int) -> Iterator[str]:
    """What training would say of the values in images and masks; what it says of one class, the findings do."""
    for one in taken:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", GateWarning)
            one.check_range()
            if classes <= 2:
                one.check_drawing()
        yield from (str(warning.message) for warning in said)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GateWarning)
            try:
                one.check_values(max(2, classes))
            except GateError as error:
                yield str(error)


def _of_names(sets: Sequence[Pairs], names: Sequence[str]) -> Iterator[str]:
    called = {tuple(getattr(pairs, "classes", ())): name for pairs, name in zip(sets, names, strict=True)}
    called.pop((), None)
    if len(called) > 1:
        said = " and ".join(f"{', '.join(classes)} in {name}" for classes, name in called.items())
        yield f"The classes are {said}, so one number means two things. Give all sets the same, in the same order."


def _looks(number: int, pairs: Pairs, taken: Taken, name: str) -> Iterator[Seen]:
    few = np.unique(np.linspace(0, len(pairs) - 1, min(len(pairs), _MOST)).astype(int)).tolist()
    instances = _instances(pairs)
    stems = getattr(pairs, "stems", None)
    for k in bar(iterable=few, desc=f"Looking at {name}", total=len(few)):
        image, mask = (np.asarray(x) for x in taken[k])
        labels = np.asarray(instances[k]) if instances is not None else None
        yield look((number, k), f"{name}[{k}]" + (f" {stems[k]:.24}" if stems else ""), image, mask, labels)


def _instances(pairs: Pairs) -> Any:
    """The single objects, where they are numbered."""
    try:
        return pairs.instances if isinstance(pairs, InstanceSet) else None
    except InputError:
        return None


def _classes(sets: Sequence[Pairs], seen: Sequence[Seen]) -> tuple[str, ...]:
    """The names that the sets give, or the numbers."""
    for pairs in sets:
        if names := getattr(pairs, "classes", ()):
            return tuple(names)
    return tuple(map(str, range(1 + max((k for one in seen for k in one.classes), default=1))))


def _oddest(seen: Sequence[Seen]) -> dict[int, str]:
    """The pairs that are shown, and why each."""
    shares = np.array([one.share for one in seen])
    with_objects = [k for k, one in enumerate(seen) if one.share > 0]
    every = range(len(seen))
    why: dict[int, list[str]] = {}

    def most(of: Sequence[int], what: str, measure: Callable[[Seen], float]) -> None:
        values = [measure(seen[k]) for k in of]
        if len({*values}) > 1 or len(of) == 1 < len(seen):
            why.setdefault(of[int(np.argmax(values))], []).append(what)

    for what, true_of in _ODD.items():
        for k in [k for k in every if true_of(seen[k])][:1]:
            why.setdefault(k, []).append(what)
    most(every, "darkest", lambda one: -one.brightness)
    most(every, "brightest", lambda one: one.brightness)
    most(every, "least contrast", lambda one: -one.contrast)
    most(with_objects, "largest share of object", lambda one: one.share)
    most(with_objects, "smallest share of object", lambda one: -one.share)
    most(with_objects, "most objects", lambda one: len(one.sizes))
    ordinary = sorted(every, key=lambda k: abs(np.nan_to_num(seen[k].share) - np.nanmedian(np.nan_to_num(shares))))
    for k in ordinary:
        if len(why) < _FEW:
            why.setdefault(k, ["as most are"])
    return {k: ", ".join(reasons) for k, reasons in [*why.items()][:_SHOWN]}


def _draw(sets: Sequence[Pairs], seen: Sequence[Seen], chosen: dict[int, str], classes: Sequence[str]) -> None:
    panels, said = [], []
    for k, why in chosen.items():
        one = seen[k]
        image, mask = sets[one.at[0]][one.at[1]]
        panels.append((f"{one.name}\n{textwrap.fill(why, 36)}", image, mask))
        share = "no labels" if np.isnan(one.share) else f"{one.share:.1%} object in {len(one.sizes)} pieces"
        said.append(f"{one.name}, {why}: mean brightness {one.brightness:.2f}, {share}")
    alt = f"{len(panels)} pictures with the outlines of their masks. {'; '.join(said)}."
    show.outlines(panels, classes, alt, columns=3 if len(panels) <= 6 else 4)


def _counts(sets: Sequence[Pairs], names: Sequence[str], seen: Sequence[Seen]) -> Iterator[str]:
    """How many pairs were looked at, and objects counted, in each set."""
    for number, (pairs, name) in enumerate(zip(sets, names, strict=True)):
        mine = [one for one in seen if one.at[0] == number]
        of = "" if len(mine) == len(pairs) else f" of {len(pairs)}, evenly chosen"
        sizes = np.concatenate([one.sizes for one in mine]) if mine else np.zeros(0)
        what = "objects" if _instances(pairs) is not None else "connected regions of object"
        middle = f", the middle one of {np.median(sizes):.0f} pixels" if len(sizes) else ""
        yield f"{name}: {len(mine)} pairs{of}, {len(sizes)} {what}{middle}"
