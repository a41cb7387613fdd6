"""What is measured of a pair of image and mask, and what of that looks wrong, in sentences with their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage

from helpers.data.pairs import IGNORE

_ALONE = 3  # pairs that hold a class: fewer teach and measure little
_TINY = 5  # pixels
_EVEN = 0.02  # of the range from 0 to 1, between the percentiles 1 and 99
_FULL = 0.8  # of the pixels: what covers more is hardly the object
_TIMES, _LEAST = 6, 0.15  # the usual distance from the median, and of the range: who is farther off stands out
_SAME = 0.99  # correlation of two thumbnails
_THUMB = 32
_REACH = 8  # pixels, of a shift that is found; in a large image, of every second or third that is looked at
_SIDE = 512  # pixels or more are looked at in each direction
_SHIFT, _BETTER = 3, 1.3  # pixels and times: so far, and so much stronger are the edges there
_OUTLINE = (40, 4000)  # pixels of it at least, and that are tried at most
_GAP = 3  # times: so much darker in all their parts are images that were scaled otherwise
_MIRRORED = 0.999  # correlation of thumbnails, one of them mirrored or turned
_FITS = 0.5  # correlation of an image with the mask of another that fits it, and at most half of it with its own


class Seen(NamedTuple):
    """What was seen of a pair."""

    at: tuple[int, int]  # set and index
    name: str
    channels: int
    brightness: float
    dark: float  # a quarter of the pixels is darker
    bright: float  # 1 % of the pixels is brighter
    contrast: float
    share: float  # of the object in the labelled pixels; NaN where there are none
    classes: frozenset[int]
    sizes: np.ndarray  # of each object, in pixels
    tiny: int  # objects of a few pixels, without those that the edge of the image cuts
    in_corner: bool
    shift: tuple[int, int]  # down and right, by which the outline fits best
    better: float  # times as strong are the edges under it there
    outlines: bool  # all that is drawn are thin closed lines
    shown: bool  # the mask, in a channel of the image that has one value in each class
    thumb: np.ndarray  # (32 · 32,) with mean 0 and length 1; of an even image, all 0
    drawn: np.ndarray  # the same of the object

    @property
    def beside_edges(self) -> bool:
        """Whether the outline fits clearly better elsewhere."""
        return max(map(abs, self.shift)) >= _SHIFT and self.better >= _BETTER


def look(at: tuple[int, int], name: str, image: np.ndarray, mask: np.ndarray, labels: np.ndarray | None) -> Seen:
    """Measure a pair: image `(C, H, W)` from 0 to 1, mask `(H, W)`, and the numbers of its objects, if it has them."""
    grey = image.mean(axis=0, dtype=np.float64)
    labelled = mask != IGNORE
    thing = labelled & (mask > 0)
    if labels is None:
        labels = ndimage.label(thing, np.ones((3, 3)))[0]
    sizes = np.bincount(labels[labels > 0]) if (labels > 0).any() else np.zeros(0, int)
    at_edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    low, dark, high = np.percentile(grey, (1, 25, 99))
    shift, better = _best_shift(grey, thing)
    classes = np.unique(mask[labelled]).tolist()
    return Seen(
        at=at,
        name=name,
        channels=len(image),
        brightness=float(grey.mean()),
        dark=float(dark),
        bright=float(high),
        contrast=float(high - low),
        share=float(thing.sum() / labelled.sum()) if labelled.any() else float("nan"),
        classes=frozenset(classes),
        sizes=sizes[sizes > 0],
        tiny=int((np.isin(np.arange(len(sizes)), at_edge, invert=True) & (sizes > 0) & (sizes < _TINY)).sum()),
        in_corner=_in_corner(thing),
        shift=shift,
        better=better,
        outlines=_only_outlines(thing),
        shown=len(classes) > 1
        and any(np.ptp(one) > 0 and all(np.ptp(one[mask == k]) < 1e-6 for k in classes) for one in image),
        thumb=_thumbnail(grey),
        drawn=_thumbnail(thing.astype(float)),
    )


def _thumbnail(grey: np.ndarray) -> np.ndarray:
    thumb = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(grey)[None], _THUMB).numpy().reshape(-1)
    thumb = thumb - thumb.mean()
    length = np.linalg.norm(thumb)
    return thumb / length if length > 1e-6 * _THUMB else 0 * thumb


def _only_outlines(thing: np.ndarray) -> bool:
    """Whether thin closed lines are drawn, about one around each hole: not a network, as of membranes or streets."""
    if not thing.any() or ndimage.minimum_filter(thing.astype(np.uint8), 5).sum() > 0.02 * thing.sum():
        return False
    parts, _ = ndimage.label(~thing)
    at_edge = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    holes = np.setdiff1d(parts, [0, *at_edge])
    lines = ndimage.label(thing, np.ones((3, 3)))[1]
    return np.isin(parts, holes).sum() > thing.sum() and len(holes) <= 2 * lines


def _in_corner(thing: np.ndarray) -> bool:
    """Whether all that is drawn lies in one corner, less than a quarter of the sides away from it."""
    if not thing.any():
        return False
    at_edges = []
    for axis in (0, 1):
        where = np.flatnonzero(thing.any(axis=1 - axis))
        near = len(thing) / 4 if axis == 0 else thing.shape[1] / 4
        at_edges.append((where[0] == 0 and where[-1] < near) or (where[0] > 3 * near and where[-1] == 4 * near - 1))
    return all(at_edges)


def _best_shift(grey: np.ndarray, thing: np.ndarray) -> tuple[tuple[int, int], float]:
    """How far down and right the outline lies on the strongest edges, and how much stronger they are than under it."""
    step = max(1, max(grey.shape) // _SIDE)
    grey, thing = grey[::step, ::step], thing[::step, ::step]
    four = ndimage.generate_binary_structure(2, 1)
    outline = ndimage.binary_dilation(thing, four) & ~ndimage.binary_erosion(thing, four, border_value=1)
    rows, columns = (where[:: max(1, len(where) // _OUTLINE[1])] for where in outline.nonzero())
    if len(rows) < _OUTLINE[0]:
        return (0, 0), 1.0
    edges = ndimage.gaussian_gradient_magnitude(grey, 1)
    padded = np.pad(edges, _REACH, constant_values=edges.mean())
    size = 2 * _REACH + 1
    under = np.array([[padded[rows + y, columns + x].mean() for x in range(size)] for y in range(size)])
    down, right = np.unravel_index(under.argmax(), under.shape)
    here = under[_REACH, _REACH]
    moved = (int(down) - _REACH) * step, (int(right) - _REACH) * step
    return moved, float(under.max() / here) if here > 0 and max(map(abs, moved)) >= _SHIFT * step else 1.0


def findings(seen: Sequence[Seen], names: Sequence[str], classes: Sequence[str]) -> list[str]:
    """What looks wrong, a sentence each; `names` are those of the sets, in the order of `Seen.at`."""
    return [
        *_of_light(seen, names),
        *_of_partners(seen),
        *_of_objects(seen),
        *_of_classes(seen, names, classes),
        *_of_copies(seen),
    ]


def scaled_otherwise(dark: Sequence[float], bright: Sequence[float]) -> np.ndarray:
    """Which images are several times darker than the rest in their dark and in their bright parts, with a gap between.

    So are those of 12 bits among those of 16; images without an object are as bright as others where those are dark.
    None, unless there are two of each, and a tenth.
    """
    order = np.argsort(bright)
    gap = np.ones(len(order) - 1, bool)
    for values in (np.take(dark, order), np.take(bright, order)):
        below, above = np.maximum.accumulate(values)[:-1], np.minimum.accumulate(values[::-1])[::-1][1:]
        gap &= (below > 0) & (_GAP * below < above)
    number = 1 + np.flatnonzero(gap)
    number = number[np.minimum(number, len(order) - number) >= max(2, len(order) / 10)]
    return order[: number[0] if len(number) else 0]


def _of_light(seen: Sequence[Seen], names: Sequence[str]) -> Iterator[str]:
    if even := [one for one in seen if one.contrast < _EVEN]:
        yield (
            f"{_such(even)} hardly any contrast: 98 % of the pixels of {even[0].name} are within "
            f"{even[0].contrast:.2g}, where black is 0 and white 1."
        )
    middle = np.median([one.brightness for one in seen])
    usual = np.median([abs(one.brightness - middle) for one in seen])
    for side, word in ((1, "brighter"), (-1, "darker")):
        off = [one for one in seen if side * (one.brightness - middle) > max(_TIMES * usual, _LEAST)]
        if off and 10 * len(off) <= max(len(seen), 10):
            off.sort(key=lambda one: -side * one.brightness)
            yield (
                f"{_such(off, 'is', 'are')} much {word} than most: a mean of {off[0].brightness:.2f}, where the median "
                f"of all is {middle:.2f}."
            )
    of_set = [[one for one in seen if one.at[0] == at] for at in range(len(names))]
    if len({of[0].channels for of in of_set}) > 1:
        said = ", ".join(f"{of[0].channels} in {name}" for of, name in zip(of_set, names, strict=True))
        yield f"Images have different numbers of channels, {said}: a network takes only one of them."
    darker = [
        (dim, rest)
        for dim, rest in permutations(range(len(names)), 2)
        if min(len(of_set[dim]), len(of_set[rest])) >= _ALONE and _all_darker(of_set[dim], of_set[rest])
    ]
    for dim, rest in darker:
        one, other = (np.median([x.brightness for x in of_set[at]]) for at in (dim, rest))
        yield (
            f"All images of {names[dim]} are darker than all of {names[rest]}: the median of their means is "
            f"{one:.2g}, and there {other:.2g}. Were they scaled alike?"
        )
    odd = [seen[k] for k in scaled_otherwise([one.dark for one in seen], [one.bright for one in seen])]
    if odd and not darker:
        yield (
            f"{_such(odd, 'is', 'are')} more than {_GAP} times darker than all others in every part: were they scaled "
            "in another way, as those of 12 bits are among those of 16?"
        )


def _all_darker(ones: Sequence[Seen], others: Sequence[Seen]) -> bool:
    """Whether images are all darker than all others, on the whole and in their bright parts, and half as bright."""
    return all(
        max(measure(one) for one in ones) < min(measure(one) for one in others)
        and 2 * np.median([measure(one) for one in ones]) < np.median([measure(one) for one in others])
        for measure in (attrgetter("brightness"), attrgetter("bright"))
    )


def _of_partners(seen: Sequence[Seen]) -> Iterator[str]:
    """Whether masks belong to their images, and are drawn in one way."""
    if shown := [one for one in seen if one.shown]:
        yield f"{_such(shown)} a channel that shows the mask, with one value in each class: a network merely copies it."
    if lines := [one for one in seen if one.outlines]:
        yield (
            f"{_such(lines)} thin closed outlines and nothing in them: is what they enclose the object? Then fill "
            "them, as `scipy.ndimage.binary_fill_holes` does."
        )
    fits = np.stack([one.thumb for one in seen]) @ np.stack([one.drawn for one in seen]).T
    own, usual = fits.diagonal(), np.median(fits.diagonal())
    most = [one for one, fit in zip(seen, own, strict=True) if fit * usual > 0]
    full = max((one.share for one in most), default=1)
    if inverted := [
        one
        for one, fit in zip(seen, own, strict=True)
        if fit * usual < 0 and abs(fit) > abs(usual) / 2 > 0.1 and one.share > max(0.5, full) and 1 - one.share <= full
    ]:
        yield (
            f"{_such(inverted)} an object {'brighter' if usual < 0 else 'darker'} than the rest, and larger than in "
            f"any other, {inverted[0].share:.0%}, where the others are the other way round: is the mask inverted?"
        )
    mask_of, image_of = (abs(fits).argmax(axis) for axis in (1, 0))
    swapped = [k for k, j in enumerate(mask_of) if image_of[j] == k and abs(fits[k, j]) > max(_FITS, 2 * abs(own[k]))]
    if len(swapped) >= max(_ALONE, len(seen) / 2):
        k, j = swapped[0], mask_of[swapped[0]]
        yield (
            f"The masks of {len(swapped)} of {len(seen)} pairs fit the image of another better: that of {seen[j].name} "
            f"has a correlation of {abs(fits[k, j]):.2f} with {seen[k].name}, and of {abs(own[j]):.2f} with its own. "
            "Are the names shifted by one?"
        )


def _of_objects(seen: Sequence[Seen]) -> Iterator[str]:
    blank = [one for one in seen if not one.classes]
    if blank:
        yield f"{_such(blank)} no pixel with a label."
    if empty := [one for one in seen if one.share == 0]:
        yield f"{_such(empty)} no object: right, if there is none to see. A score of overlap says nothing there."
    middle = np.nanmedian([one.share for one in seen]) if len(blank) < len(seen) else 0
    if middle > _FULL:
        yield f"Most pixels are object, {middle:.0%} of the middle pair: are object and background exchanged?"
    elif full := [one for one in seen if one.share == 1]:
        yield f"{_such(full)} no background: every pixel is object."
    if tiny := sorted((one for one in seen if one.tiny), key=lambda one: -one.tiny):
        number = sum(one.tiny for one in tiny)
        yield (
            f"{_such(tiny)} objects of less than {_TINY} pixels, {number} in all: slips of the pen, or too small to be "
            "seen?"
        )
    if corner := [one for one in seen if one.in_corner]:
        yield f"{_such(corner)} objects in one corner only: is the mask complete?"
    yield from _of_shifts(seen)


def _of_shifts(seen: Sequence[Seen]) -> Iterator[str]:
    off = [one for one in seen if one.beside_edges]
    if off:
        off.sort(key=lambda one: -one.better)
        down, right = off[0].shift
        where = [
            f"{abs(n)} pixels {b if n > 0 else a}" for n, a, b in ((down, "up", "down"), (right, "left", "right")) if n
        ]
        yield (
            f"{_such(off)} outlines that lie beside the edges of the image: moved {' and '.join(where)} the first "
            f"would lie on edges {off[0].better:.1f} times as strong. Is the mask shifted?"
        )


def _of_classes(seen: Sequence[Seen], names: Sequence[str], classes: Sequence[str]) -> Iterator[str]:
    of = {called: [one for one in seen if k in one.classes] for k, called in enumerate(classes)}
    if absent := [called for called, ones in of.items() if not ones]:
        yield f"{_are(absent)} in no pair."
    least = min(_ALONE, len(seen))
    if rare := [called for called, ones in of.items() if 0 < len(ones) < least]:
        where = f": {', '.join(one.name for one in of[rare[0]])}" if len(rare) == 1 else ""
        yield f"{_are(rare)} in fewer than {least} of {len(seen)} pairs{where}. That is too few to measure it."
    for at, name in enumerate(names):
        if absent := [c for c, ones in of.items() if len(ones) >= least and all(one.at[0] != at for one in ones)]:
            yield f"{_are(absent)} in no pair of {name}."


def _of_copies(seen: Sequence[Seen]) -> Iterator[str]:
    thumbs = np.stack([one.thumb for one in seen])
    square = thumbs.reshape(-1, _THUMB, _THUMB)
    turned = [np.rot90(one, by, (1, 2)) for one in (square, square[:, :, ::-1]) for by in range(4)]
    mirrored = np.max([one.reshape(thumbs.shape) @ thumbs.T for one in turned[1:]], axis=0)
    for alike, least, how in ((thumbs @ thumbs.T, _SAME, ""), (mirrored, _MIRRORED, ", one mirrored or turned")):
        found = [
            (float(alike[a, b]), seen[a], seen[b])
            for a, b in combinations(range(len(seen)), 2)
            if alike[a, b] > least and seen[a].at[0] != seen[b].at[0]
        ]
        if found:
            like, one, other = max(found, key=lambda pair: pair[0])
            more = f", as are {len(found) - 1} more" if len(found) > 1 else ""
            yield (
                f"{one.name} and {other.name} look nearly the same{how}, and are in two sets{more}: the correlation of "
                f"their thumbnails is {like:.3f}. A score there flatters. Split by groups=, or leave one out."
            )
            return


def _are(classes: Sequence[str]) -> str:
    names = ", ".join(map(repr, classes[:4])) + (f" and {len(classes) - 4} more" if len(classes) > 4 else "")
    return f"The class {names} is" if len(classes) == 1 else f"The classes {names} are"


def _such(of: Sequence[Seen], one: str = "has", several: str = "have") -> str:
    """The first that something is true of, and how many more, with the verb."""
    if len(of) == 1:
        return f"{of[0].name} {one}"
    return f"{of[0].name} and {len(of) - 1} more {several}"
