"""What class each value of the masks is, or what has to be asked back."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from helpers.data.folder.look import Seen, mask_values
from helpers.data.folder.names import Pair, short
from helpers.data.folder.rules import Rules
from helpers.data.folder.values import FAR, apart, as_number, distances, main_values, nearest, shown
from helpers.data.pairs import IGNORE
from helpers.data.pictures import Form

_LISTED, _COLOURS = 20, 40  # values and colours that a call can name
_FAR_OFF = 0.2  # of the pixels of masks saved as JPEG, at most, are far from the colours that were drawn
_STRAY = 0.05  # of the pixels of 255: so few of value 1 were hardly drawn


def classes_of(seen: Mapping[Pair, Seen], rules: Rules, problems: list[str]) -> tuple[dict[int, int], list[str]]:
    """The class of each value that a mask may hold, and which call would mend most of what is wrong with them."""
    total = _total(one for one in seen.values() if one.in_colours == rules.colours)
    class_of = _allowed(seen, total, rules)
    advice: list[str] = []
    painted = {pair: one for pair, one in seen.items() if one.in_colours and not rules.colours and not one.in_alpha}
    blurred = {pair: one for pair, one in seen.items() if one.form.lossy and pair not in painted}
    outside = set()
    for pair, one in seen.items():
        called = short(pair.mask)
        if one.oddity and (rules.values is None or not one.counts.keys() <= dict(rules.values).keys()):
            problems.append(f"{called}: {one.oddity}")
        if one.in_alpha:
            problems.append(f"{called}: is drawn in its alpha channel, and its values are all the same")
        elif pair in painted:
            problems.append(f"{called}: is in colours: {_some(sorted(one.counts), True)}; a mask holds class numbers")
        elif pair in blurred and (why := _why_unreadable(one, rules)):
            problems.append(f"{called}: is a JPEG, which blurs {why}")
        elif missed := [v for v in one.drawn if pair in blurred and _far_from_all(v, rules)]:
            held = _some(missed, rules.colours)
            problems.append(
                f"{called}: is a JPEG, in which many pixels have {held}, far from all values that are named"
            )
            outside |= {*missed}
        elif rules.instances and (one.soft or one.picture):
            problems.append(
                f"{called}: holds {len(one.counts)} values, of which hardly any two neighbours have the same, as at "
                "soft edges and in pictures; an object has one number all over"
            )
            outside.add(max(one.counts))
        elif wrong := [v for v in sorted(one.counts) if v not in class_of and (v < 0 or not rules.instances)]:
            allowed = "those in values"
            if rules.values is None:
                allowed = f"0 to {len(rules.classes) - 1}, or {IGNORE} to ignore a pixel"
            if rules.instances:
                allowed = "0 and the numbers of objects"
            held = _some(wrong, rules.colours)
            problems.append(f"{called}: holds {held}; with {len(rules.classes)} classes a mask holds {allowed}")
            outside |= {*wrong}
    renumbered, by_colour = ("", "") if rules.colours or rules.instances else _renumbered(seen.values())
    if renumbered:
        problems.append(renumbered)
        advice.append(by_colour)
    in_alpha = any(one.in_alpha for one in seen.values())
    if in_alpha:
        advice.append("Save the alpha channel as the mask: `Image.open(path).getchannel('A').save(path)`, with Pillow.")
    if any("turned by its EXIF tag" in problem for problem in problems):
        advice.append(
            "turn=True where masks lie on the pictures as a viewer shows them, turn=False where on the pixels as they "
            "are stored. Load with one of them, and data.check_up shows whether it is right."
        )
    pictures = (outside or painted or blurred) and statistics.median(one.picture for one in seen.values())
    if pictures and not _in_few_colours([one for one in painted.values() if one.form.lossy]):
        advice.append(
            "They look like pictures: are images= and masks= exchanged? Or are masks drawn onto pictures, or saved or "
            "resized in a way that mixes neighbours, as JPEG does?"
        )
    elif painted:
        advice += _advice_for_colours(painted, seen, rules)
    elif any(_why_unreadable(one, rules) for one in blurred.values()):
        advice += _advice_for_jpegs(blurred.values(), rules)
    elif outside:
        advice += _advice_for_values(total, outside, any(one.soft for one in seen.values()), rules)
    elif seen and not renumbered and not in_alpha:
        _ask_back(seen, total, class_of, rules, problems, advice)
    return class_of, advice


def _allowed(seen: Mapping[Pair, Seen], total: Mapping[int, int], rules: Rules) -> dict[int, int]:
    """The class of each value that a mask may hold."""
    if rules.values is not None:
        class_of = dict(rules.values)
    elif rules.instances:
        class_of = {0: 0}
    else:
        class_of = {k: k for k in range(len(rules.classes))}
        drawn_1 = any(1 in one.counts and not one.form.one_bit for one in seen.values())
        if len(rules.classes) == 2 and rules.ignore is None and total.get(IGNORE) and not drawn_1:
            class_of = {0: 0, 1: 1, IGNORE: 1}
    ignored = rules.ignore
    if ignored is None:  # among colours, 255 is a blue
        ignored = () if IGNORE in class_of or rules.instances or rules.colours else (IGNORE,)
    return class_of | dict.fromkeys(ignored, IGNORE)


def _why_unreadable(one: Seen, rules: Rules) -> str:
    """What the blur of a JPEG makes of it; nothing where the values are named and lie far apart, or all are one."""
    if len(one.counts) == 1:
        return ""
    if rules.values is None:
        return "the numbers of objects" if rules.instances else "the classes at their borders"
    named = sorted({*dict(rules.values), *(rules.ignore or ())})
    for a, b in combinations(named, 2):
        if apart(a, b, rules.colours) < FAR:
            return f"values as close as {shown(a, rules.colours)} and {shown(b, rules.colours)} into each other"
    return ""


def _far_from_all(value: int, rules: Rules) -> bool:
    named = {*dict(rules.values or ()), *(rules.ignore or ())}
    return bool(named) and all(apart(value, other, rules.colours) >= FAR for other in named)


def _advice_for_jpegs(blurred: Iterable[Seen], rules: Rules) -> list[str]:
    anew = "JPEG is made for photographs. Save these masks anew as PNG, from where they were drawn."
    found = sorted({value for one in blurred for value in one.drawn})
    if rules.instances or rules.values is not None or len(found) < len(rules.classes):
        return [anew]
    said = _as_option(dict(zip(found, _names(len(found), rules), strict=True)), False)
    return [
        anew,
        f"Or take each pixel as the nearest of the values that were drawn: {said} in place of classes.",
    ]


def _names(number: int, rules: Rules) -> Sequence[str]:
    """The names of so many values, where it is clear which is which."""
    return rules.classes if number == len(rules.classes) else ["..."] * number


def _advice_for_colours(painted: Mapping[Pair, Seen], seen: Mapping[Pair, Seen], rules: Rules) -> list[str]:
    total = _total(painted.values())
    for pair, one in seen.items():
        if pair not in painted:  # a grey one among them, or one with a palette
            total.update({_colour(value, one.form): number for value, number in one.counts.items()})
    listed = [value for value, _ in total.most_common(_COLOURS + 1)]
    advice = []
    if any(one.form.lossy for one in painted.values()):
        advice.append(
            "JPEG blurs colours; PNG does not. Each pixel is taken as the nearest colour that is named. Here are the "
            "main ones."
        )
    elif any(one.soft for one in painted.values()):
        advice.append(_SOFT_EDGES)
    elif len(listed) > _COLOURS:
        return ["They look like a colour for each object: instances=True, which takes black as the background."]
    elif len(listed) > len(rules.classes) == 2:
        advice.append("If each object has a colour of its own on black: instances=True.")
    if any(one.form.lossy or one.soft for one in painted.values()):
        listed = main_values(_coarse(total), True)
    listed.sort(key=lambda value: value != 0)  # black, or else the most frequent, is mostly the background
    names = _names(len(listed), rules) if len(listed) == 2 else ["..."] * len(listed)
    said = _as_option(dict(zip(listed, names, strict=True)), True)
    return [*advice, f"Say what each colour is: {said} in place of classes. What is no label goes into ignore=."]


def _in_few_colours(blurred: Sequence[Seen]) -> bool:
    """Whether JPEGs have a few main colours and hardly a pixel far from all of them, and their images have more."""
    total = _coarse(_total(blurred))
    drawn = main_values(total, True)
    if len(drawn) < 2 or statistics.median(len(np.unique(one.sample)) for one in blurred) <= _LISTED:
        return False
    colours, pixels = np.array([*total]), np.array([*total.values()])
    far = distances(colours, nearest(colours, drawn, True), True) >= FAR
    return bool(pixels[far].sum() < _FAR_OFF * pixels.sum())


def _coarse(counts: Counter[int]) -> Counter[int]:
    """Counts of colours that are alike in the upper 4 bits, each as the most frequent of them: none is drawn twice."""
    merged: Counter[int] = Counter()
    most: dict[int, int] = {}
    for value, number in counts.most_common():
        merged[most.setdefault(value & 0xF0F0F0, value)] += number
    return merged


_SOFT_EDGES = (
    "They hold few values, and between them many that are rare, as soft brushes and resizing make them: draw with hard "
    "edges, and resize masks by the nearest pixel."
)


def _advice_for_values(total: Counter[int], outside: set[int], soft: bool, rules: Rules) -> list[str]:
    advice = []
    numbers = [value for value in sorted(total) if value not in (0, IGNORE, *(rules.ignore or ()))]
    below = [value for value in sorted(outside) if value < 0]
    if below and total.most_common(1)[0][0] in below:
        if rules.instances:
            advice.append(f"{below[0]} seems to be the background, and 0 an object: add {-below[0]} to all masks.")
    elif below:
        advice.append(
            f"Below 0 there is no class: where {_some(below, False)} means no label, "
            f"ignore={below[0] if len(below) == 1 else tuple(below)}."
        )
    if rules.instances:
        return [*advice, _SOFT_EDGES] if soft else advice
    dense = len(numbers) > 2 and numbers[-1] < 4 * len(numbers)
    many = len(total) > _LISTED  # of crops of a larger label image, which need not be dense
    if soft:
        advice.append(_SOFT_EDGES)
    elif (dense or many) and len(rules.classes) == 2 and rules.values is None:
        advice.append(
            "They look like numbers of single objects, as from napari, Fiji, Cellpose or StarDist: instances=True, "
            "which makes them one class and keeps the numbers."
        )
    if not many:
        if rules.values is not None:
            said = {value: rules.classes[k] for value, k in rules.values} | dict.fromkeys(sorted(outside), "...")
        else:
            found = [value for value in sorted(total) if value not in (rules.ignore or ())]
            likely = sorted(found, key=lambda value: (value < 0, -total[value]))[: len(rules.classes)]  # no slips
            named = sorted(likely)
            said = dict.fromkeys(found, "...") | dict(zip(named, rules.classes, strict=False))
        place = " in place of classes" if rules.values is None else ""
        advice.append(
            f"Say what each value is: {_as_option(said, rules.colours)}{place}. What is no label goes into ignore=."
        )
    return advice


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
    drawn = [one.counts for one in seen.values() if not one.form.one_bit]
    if rules.values is None and rules.ignore is None and not rules.instances and len(rules.classes) == 2:
        ones, whites = (sum(counts.get(value, 0) for counts in drawn) for value in (1, IGNORE))
        alone = sum(IGNORE in counts and 1 not in counts for counts in drawn)
        both = any(1 in counts and IGNORE not in counts for counts in drawn)  # whole masks are drawn in 1
        if ones and whites and (alone or ones < _STRAY * whites):
            either = f"both are {thing!r}" if both else f"{IGNORE} is {thing!r}, and 1 a slip"
            problems.append(
                f"{IGNORE} is in {sum(IGNORE in c for c in drawn)} masks and 1 in {sum(1 in c for c in drawn)}: "
                f"{whites} and {ones} pixels. Either {either}, or {IGNORE} is no label"
            )
            advice += [
                f"If both are {thing!r}: values={{0: {background!r}, 1: {thing!r}, {IGNORE}: {thing!r}}}."
                if both
                else f"If {IGNORE} is {thing!r}: values={{0: {background!r}, 1: {background!r}, {IGNORE}: {thing!r}}}, "
                f"or 1: {thing!r} where both are.",
                f"If {IGNORE} is no label: ignore={IGNORE}.",
            ]
            return
    if rules.instances and not total.get(0):
        problems.append("no background in any mask: none holds a 0 (black), and all other numbers are objects")
    numbers = total.keys() - {0, *class_of}
    if rules.instances and len(numbers) == 1 and _in_pieces([*seen], min(numbers), rules):
        problems.append(
            f"no numbers of objects: masks hold {min(numbers)} alone, and that in several places. Leave instances=True "
            "out, and it is a class; data.check_up counts its connected regions"
        )
    objects = sum(n for value, n in total.items() if class_of.get(value, 1) not in (0, IGNORE))
    if not objects:
        held = _some(sorted(total), rules.colours)
        problems.append(f"no object in any of {len(seen)} masks: all pixels are {held}")
        if IGNORE in total and len(rules.classes) > 2 and not rules.colours:
            advice.append(
                f"{IGNORE} is no label here. If it is a class: values={{0: {background!r}, {IGNORE}: {thing!r}}}."
            )


def _in_pieces(pairs: Sequence[Pair], number: int, rules: Rules) -> bool:
    """Whether most masks of some have a number in several connected regions."""
    from scipy import ndimage

    some = pairs[:: max(1, len(pairs) // _LISTED)]
    return sum(ndimage.label(mask_values(pair, rules) == number)[1] > 1 for pair in some) > len(some) / 2


def _renumbered(seen: Iterable[Seen]) -> tuple[str, str]:
    """What is wrong where palettes give one colour several numbers, and what to do: each file was numbered anew."""
    numbers: dict[tuple[int, ...], Counter[int]] = {}
    shared = set()  # colours that one file gives to several numbers: those that it has no colour for
    for one in seen:
        drawn = [(one.form.palette[value], value) for value in one.counts if 0 <= value < len(one.form.palette)]
        for colour, value in drawn:
            numbers.setdefault(colour, Counter())[value] += 1
        shared |= {colour for colour, often in Counter(colour for colour, _ in drawn).items() if often > 1}
    for colour, of in numbers.items():
        if len(of) > 1 and colour not in shared:
            (first, often), (second, seldom) = of.most_common(2)
            said = _as_option(dict.fromkeys(sorted(map(as_number, numbers)), "..."), True)
            return (
                f"the colour {colour} is number {first} in the palettes of {often} masks and {second} in {seldom}",
                f"Each file has numbers of its own, so say what the colours are: {said} in place of classes.",
            )
    return "", ""


def _colour(value: int, form: Form) -> int:
    """The colour that a value of a mask without colours is shown in."""
    if 0 <= value < len(form.palette):
        return as_number(form.palette[value])
    return as_number((min(max(255 * value if form.one_bit else value, 0), 255),) * 3)


def _total(seen: Iterable[Seen]) -> Counter[int]:
    total: Counter[int] = Counter()
    for one in seen:
        total.update(one.counts)
    return total


def _some(values: list[int], colours: bool) -> str:
    return ", ".join(shown(value, colours) for value in values[:5]) + (", …" if len(values) > 5 else "")


def _as_option(said: Mapping[int, str], colours: bool) -> str:
    return f"values={{{', '.join(f'{shown(value, colours)}: {name!r}' for value, name in said.items())}}}"
