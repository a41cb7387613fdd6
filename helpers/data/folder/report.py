"""What was found in the two folders, in words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from helpers.data.findings import scaled_otherwise
from helpers.data.folder.look import Seen, mask_values
from helpers.data.folder.names import Listing, Pair
from helpers.data.folder.rules import Rules
from helpers.data.folder.values import FAR, shown
from helpers.data.pairs import IGNORE

_EXAMPLES = 3  # files that are named of each kind of problem
_DARK = 0.5  # of the range of 16 bits: what fills less was not made for it, such as a camera's 12 bits
_TAILS = (0.5, 99.5)  # percentiles of all pixels that become 0 and 1, as nnU-Net does (Isensee et al. 2021)


def bounds_of(seen: Sequence[Seen]) -> tuple[float, float] | None:
    """What becomes 0 and 1 of images that were not made for their 16 bits."""
    samples = [one.sample for one in seen if one.bits == "16 bits"]
    if not samples:
        return None
    low, high = np.percentile(np.concatenate(samples), _TAILS)
    return (float(low), float(high)) if low < high < _DARK else None  # not by one hot pixel


def copies_of(seen: Mapping[Pair, Seen]) -> list[list[Pair]]:
    """The pairs whose images are the same, pixel by pixel; those of one value are not meant."""
    same: dict[bytes, list[Pair]] = {}
    for pair, one in seen.items():
        if one.fingerprint:
            same.setdefault(one.fingerprint, []).append(pair)
    return [pairs for pairs in same.values() if len(pairs) > 1]


def report_of(
    images: Listing,
    masks: Listing,
    seen: Mapping[Pair, Seen],
    copies: Sequence[Sequence[Pair]],
    rules: Rules,
    class_of: Mapping[int, int],
    bounds: tuple[float, float] | None,
    left: Sequence[str],
) -> str:
    """What was found: pairs, images, masks, objects, and what was left out, a line each."""
    every = seen.values()
    sizes = Counter(f"{one.shape[0]}×{one.shape[1]}" for one in every)
    of_size = ", ".join(f"{size} ({number})" if len(sizes) > 1 else size for size, number in sizes.most_common(4))
    more = f", and {len(sizes) - 4} more sizes" if len(sizes) > 4 else ""
    bits = " and ".join(sorted({one.bits for one in every}))
    colours = " and ".join(sorted({"colour" if len(one.shape) == 3 else "grey" for one in every}))
    brightest = max(one.brightest for one in every)
    scaled = ""
    if bounds is not None:
        low, high = (65535 * bound for bound in bounds)
        deep = sum(one.bits == "16 bits" for one in every)
        which = "stretched" if deep == len(every) else f"the {deep} of 16 bits are stretched, the others are not"
        scaled = f"; {which}, {low:.0f} becomes 0 and {high:.0f} becomes 1 (scale=False leaves them)"
    total: Counter[int] = Counter()
    for one in every:
        total.update(one.counts)
    area = total.total()
    values: dict[int, list[int]] = {}
    for value in sorted(total):
        values.setdefault(class_of.get(value, 1), []).append(value)
    parts = []
    for k, of in sorted(values.items()):
        share = 100 * sum(total[value] for value in of) / area
        what = "no label" if k == IGNORE else rules.classes[k]
        given = ", ".join(shown(value, rules.colours) for value in of[:4]) + (", …" if len(of) > 4 else "")
        if len(of) > 4 and not rules.colours:
            given = f"{of[0]} to {of[-1]}" if of[-1] < 2**16 else f"{len(of)} values"  # or colours
        parts.append(f"{what} {given if rules.colours else f'({given})'} {share:.3g} %")
    lines = [
        f"{len(every)} pairs in {images.folder} and {masks.folder}",
        f"images  {of_size}{more}; {bits}, {colours}; the brightest pixel is at {_percent(brightest)} of the range"
        f"{scaled}",
        f"masks   {', '.join(parts)}",
    ]
    if copies:
        first, second, *_ = (str(pair) for pair in copies[0])
        others = sum(len(of) - 1 for of in copies)
        differ = sum(len({mask_values(pair, rules).tobytes() for pair in of}) > 1 for of in copies)
        lines.append(
            f"copies  {others} of the images are the same as another, pixel by pixel, such as {second} as {first}; "
            f"they are on one side of the split{f', and {differ} have other masks' if differ else ''}"
        )
    dim = scaled_otherwise(*np.transpose([np.percentile(one.sample, (25, 99)) for one in every]))
    if len(dim) and len({one.bits for one in every}) == 1:
        named = [pair for k, pair in enumerate(seen) if k in dim]
        lines.append(
            f"light   {len(dim)} of the images, such as {named[0]}, are more than 3 times darker than all others in "
            "every part: were they scaled in another way, as those of 12 bits are among those of 16?"
        )
    if turned := sum(one.turn != 1 for one in every):
        done = "of the images are turned" if rules.turn is not False else "of the images are not turned"
        lines.append(f"EXIF    {turned} {done} as their tag says")
    if rules.values and any(one.moved[0] for one in every):
        blurred = [one for one in every if one.form.lossy]
        pixels = sum(sum(one.counts.values()) for one in blurred)
        share, far = (100 * sum(one.moved[k] for one in blurred) / pixels for k in (0, 1))
        third = "; where two classes meet, a third may lie between them" if len(rules.values) > 2 else ""
        lines.append(
            f"blurred {len(blurred)} masks are JPEGs: {share:.2g} % of their pixels are taken as the nearest of the "
            f"values, {far:.2g} % from more than {FAR // 2} away{third}"
        )
    if rules.instances:
        objects = sum(sum(value not in class_of for value in one.counts) for one in every)
        lines.append(f"objects {objects} numbered ones, {objects / len(every):.1f} an image")
    if absent := [name for k, name in enumerate(rules.classes) if k not in values]:
        lines.append(f"absent  {', '.join(absent)}: in no mask")
    return "\n".join([*lines, *left])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"


def grouped(problems: Sequence[str]) -> list[str]:
    """Of each kind of problem a few examples, and how many more there are."""
    kinds: dict[str, list[str]] = {}
    for problem in sorted({*problems}):
        _, _, what = problem.partition(": ")
        kinds.setdefault(re.sub(r"'[^']*'|\d+", "#", what)[:40], []).append(problem)
    lines = []
    for kind in kinds.values():
        lines += kind[:_EXAMPLES]
        lines += [f"… and {len(kind) - _EXAMPLES} more like these"] if len(kind) > _EXAMPLES else []
    return lines
