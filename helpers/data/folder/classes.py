"""What class each value of the masks is, or what has to be asked back."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping

from helpers.data.folder.look import Seen
from helpers.data.folder.names import Pair, short
from helpers.data.folder.rules import Rules
from helpers.data.pairs import IGNORE

_PICTURE = 100  # values in most of the masks, which are then hardly masks
_STRAY = 0.05  # of the pixels of 255: so few of value 1 were hardly drawn


def classes_of(seen: Mapping[Pair, Seen], rules: Rules, problems: list[str]) -> tuple[dict[int, int], list[str]]:
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
            problems.append(f"{short(pair.mask)}: holds {shown}; with {number} classes a mask holds {allowed}")
            outside |= {*wrong}
        if one.oddity and rules.values is None:
            problems.append(f"{short(pair.mask)}: {one.oddity}")
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
    seen: Mapping[Pair, Seen],
    total: Mapping[int, int],
    class_of: Mapping[int, int],
    rules: Rules,
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
