"""Who is in train, validation and test."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from helpers.data.folder.names import Pair, stem_of
from helpers.errors import InputError


def groups_of(groups: str | Mapping[str, str] | None, stems: Sequence[str]) -> dict[str, str]:
    """The group of each stem; its own where there are none."""
    if groups is None:
        return {stem: stem for stem in stems}
    if isinstance(groups, str):
        try:
            found = {stem: match for stem in stems if (match := re.search(groups, stem))}
        except re.error as error:
            raise InputError(
                f"groups is {groups!r}, which is no regular expression: {error}. It is a pattern of the part of a name "
                r"that all of a group share, such as r'patient\d+'."
            ) from None
        table: Mapping[str, str] = {stem: (match[1] if match.re.groups else match[0]) for stem, match in found.items()}
    else:
        table = groups
    if lost := [stem for stem in stems if stem not in table]:
        raise InputError(
            f"groups has no group for {len(lost)} of {len(stems)} pairs, such as {lost[0]!r}. It takes a pattern that "
            "is found in every stem, or a table from stem to group."
        )
    return {stem: str(table[stem]) for stem in stems}


def divide(
    pairs: list[Pair],
    fractions: tuple[float, float, float],
    group_of: Mapping[str, str] | None = None,
    copies: Sequence[Sequence[Pair]] = (),
) -> list[list[Pair]]:
    """Three lists of pairs, each in the order of `pairs`; those of a group, and copies, are all in one of them."""
    try:
        train, validation, test = (float(f) for f in fractions)
    except (TypeError, ValueError):
        raise InputError(f"fractions is {fractions!r}; it takes three shares, such as (0.7, 0.15, 0.15)") from None
    if not min(train, validation, test) >= 0 or abs(train + validation + test - 1) > 1e-6:
        raise InputError(f"fractions is {fractions!r}; its three shares are from 0 and add up to 1")
    groups: dict[str, list[int]] = {}
    for i, pair in enumerate(pairs):
        stem = stem_of(pair.image)
        groups.setdefault(group_of[stem] if group_of else stem, []).append(i)
    place = {pair: i for i, pair in enumerate(pairs)}
    same = [[place[pair] for pair in of] for of in copies]
    groups = _joined(groups, same)
    order = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    if len(groups) < sum(f > 0 for f in (train, validation, test)) and any(pair.page is not None for pair in pairs):
        # Blocks of neighbouring pages; none ends between two that are the same.
        spans = [range(min(of), max(of) + 1) for of in same]
        groups = _joined({str(k): [k] for k in range(len(pairs))}, spans)
        order = sorted(groups, key=lambda name: groups[name])
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


def _joined(groups: dict[str, list[int]], copies: Iterable[Iterable[int]]) -> dict[str, list[int]]:
    """The groups, as one where they hold copies of the same."""
    joined = {name: [*of] for name, of in groups.items()}
    at = {i: name for name, of in joined.items() for i in of}
    for same in copies:
        first, *others = sorted({at[i] for i in same})
        for name in others:
            at |= dict.fromkeys(joined[name], first)
            joined[first] += joined.pop(name)
    return {name: sorted(of) for name, of in joined.items()}
