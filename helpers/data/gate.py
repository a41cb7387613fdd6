"""The gate for pairs and pictures that a student brings: what the course takes, and what it says of the rest.

`(image, mask)` is a float image `(C, H, W)` from 0 to 1 and a mask `(H, W)` of class indices, 255 where there is no
label. What can only mean one thing is taken as that, and said once; what is suspicious is warned about; everything else
is a GateError, which says what is wrong, the rule, and what to do.
"""

from __future__ import annotations

import hashlib
import random
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from helpers import markup
from helpers.data.pairs import IGNORE, Pairs
from helpers.errors import InputError

LOOKED_AT = 64  # pairs, before anything long begins
LITTLE_RANGE = 0.1  # of the range from 0 to 1; what fills less was hardly meant so
NO_IMAGE = 10.0  # an image of floats that reaches so far is not from 0 to 1 ...
NOT_NORMALISED = 100.0  # ... and one with values on both sides of 0 not normalised, either
BELOW_ZERO = -0.1  # a region that is so dark is of an image that was normalised, or goes from -1 to 1
REGION = 8  # pixels on a side, in which noise and its negative values are averaged out
APART = 0.75  # of the images have such a region, more than of others, where the two are scaled differently

RULE = "A pair is a float image (C, H, W) from 0 to 1 and a mask (H, W) of class indices, 255 where there is no label."


class GateError(InputError):
    """What is given is no pair, image or network of the course's kind. The message says why, the rule, what to do."""


class GateWarning(UserWarning):
    """It can be meant so, and hardly ever is. The message says what was seen, and what is usual."""


class Taken:
    """Pairs as the course works with them, whatever they are given as: tensors of float32 and int64.

    Each pair is looked at when it is first taken. A list of `(image, mask)` by index, as any other data set.

    Args:
        given: a data set, a list, or a `DataLoader` of pairs.
        called: what they are called in a message.

    Attributes:
        notes: what was taken as what, each said once by `say`.

    Raises:
        GateError: there are none, or one of the first is no pair.
    """

    def __init__(self, given: Any, called: str) -> None:
        self.notes: dict[str, None] = {}
        self._called, self._values, self._looked = called, Counter[int](), set[int]()
        self._drawn = Counter[tuple[bool, bool]]()  # masks by whether they hold 1, and 255
        self._lowest, self._highest = float("inf"), -float("inf")
        self._classes: int | None = None
        self._channels = 0
        self._given = self._data_set(given)
        if not len(self._given):
            raise GateError(f"The {called} have no pair. Give at least one image with its mask.")
        self._ahead: dict[int, tuple[Tensor, Tensor]] = {}  # read, and not taken yet
        with same_random_numbers():
            for k in range(min(len(self._given), LOOKED_AT)):
                self._ahead[k] = self[k]
        self._centred = float(np.mean([is_centred(image) for image, _ in self._ahead.values()]))
        images = [image.contiguous().numpy() for image, _ in self._ahead.values() if image.min() < image.max()]
        self._prints = {hashlib.blake2b(image.data, digest_size=16).digest() for image in images}

    def __len__(self) -> int:
        return len(self._given)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        if index in self._ahead:
            return self._ahead.pop(index)
        try:
            pair = self._given[index]
        except Exception as error:  # of whatever kind, from their own code
            raise self._error(index, f"cannot be read: {type(error).__name__}: {error}") from error
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise self._error(index, f"is {about(pair)}, and no image with its mask")
        image, mask = self._image(index, pair[0]), self._mask(index, pair[1])
        if image.shape[1:] != mask.shape:
            if image.shape[:2] == mask.shape:
                c = image.shape[2]
                raise self._error(
                    index,
                    f"has an image {tuple(image.shape)} with its {c} channels last. Put them first: "
                    "`image.permute(2, 0, 1)`, or `to_tensor` of torchvision for a picture",
                )
            raise self._error(
                index,
                f"has an image of {image.shape[1]} × {image.shape[2]} pixels and a mask of {mask.shape[0]} × "
                f"{mask.shape[1]}. Crop, or resize both, the mask with `mode='nearest'`",
            )
        self._channels = self._channels or len(image)
        if len(image) != self._channels:
            raise self._error(
                index,
                f"has an image of {channels(len(image))}, and others have {channels(self._channels)}. Give all as "
                "many: `image.expand(3, -1, -1)` of grey, `image.mean(0, keepdim=True)` of colours",
            )
        if index % len(self) not in self._looked:
            self._look(index, image, mask)
        return image, mask

    def first(self) -> tuple[Tensor, Tensor]:
        """The first pair that has a label of an object, of those that were looked at; else the first."""
        seen = self._ahead.values()
        return next((pair for pair in seen if bool(((pair[1] != 0) & (pair[1] != IGNORE)).any())), next(iter(seen)))

    def holding(self, value: int) -> tuple[Tensor, Tensor] | None:
        """The first pair whose mask holds a value, of those that were looked at."""
        return next((pair for pair in self._ahead.values() if bool((pair[1] == value).any())), None)

    def check_values(self, classes: int) -> None:
        """Hold the masks that were looked at, and all that come, against what `classes` class indices can be.

        Raises:
            GateError: a mask holds something else.
        """
        self._classes = classes
        found = sorted(self._values)
        objects = [value for value in found if value not in (0, IGNORE)]
        wrong = [value for value in found if value != IGNORE and not 0 <= value < classes]
        rule = f"class indices go from 0 to {classes - 1}, and {IGNORE} marks a pixel that has no label"
        if wrong:
            raise GateError(f"{self._seen()}; {rule}. {_mapped(found, classes)}")
        if IGNORE in found and not objects:
            if found == [IGNORE]:
                raise GateError(f"{self._seen()}, so no pixel has a label: {rule}. There is nothing to learn.")
            raise GateError(
                f"{self._seen()}; {rule}. So no pixel of an object is left. If {IGNORE} is the object: `mask // 255`"
                ' in your data set, or `data.load("folder", values={0: "background", 255: "object"})`.'
            )
        labelled = [value for value in found if value != IGNORE]
        if len(labelled) == 1:
            what = "no object in any of them" if labelled == [0] else "no background, and one class only"
            warn(f"{self._seen()}: {what}. A network learns to say so everywhere. Look whether these are the masks.")

    def check_apart(self, others: Taken) -> None:
        """Warn where images of others are among these."""
        if same := len(self._prints & others._prints):
            these = "One image" if same == 1 else f"{same} images"
            warn(
                f"{these} of the {others._called} {'is' if same == 1 else 'are'} among the {self._called}: their "
                "scores say how well they are known by heart, and nothing of other images. Keep some pairs for "
                "validation alone."
            )

    def check_scale(self, others: Taken, centred: bool = False) -> None:
        """Warn where others are scaled to other numbers than these, of which an augmentation makes `centred` ones."""
        mine = 1.0 if centred else self._centred
        if abs(mine - others._centred) <= APART:
            return
        one, other = (self, others) if mine > others._centred else (others, self)
        lies = f"go from {one._lowest:.3g} to {one._highest:.3g}, on both sides of 0"
        warn(
            f"The images of the {one._called} {'come out of augment= on both sides of 0' if centred else lies}, and "
            f"those of the {other._called} go from {other._lowest:.3g} to {other._highest:.3g}: the two are scaled "
            "differently, and a network knows the one alone in which it learned. Scale both in their data sets, alike."
        )

    def check_drawing(self) -> None:
        """Warn where some masks seem to be drawn in other values than others, or hold no pixel of a class."""
        classes = self._classes or 2
        ones, whites = self._drawn[True, False], self._drawn[False, True]
        if classes == 2 and ones and whites and not self._drawn[True, True]:
            warn(
                f"Of the masks of the {self._called}, {ones} hold 1, {whites} hold {IGNORE}, and none holds both. "
                f"{IGNORE} marks a pixel that has no label. If it is the object in those: "
                f"`mask.where(mask != {IGNORE}, 1)`."
            )
        absent = [str(k) for k in range(classes) if k not in self._values]
        if classes > 2 and absent and len(self._looked) == len(self):
            which = f"class {absent[0]}" if len(absent) == 1 else f"the classes {', '.join(absent)}"
            warn(
                f"No mask of the {self._called} holds a pixel of {which}. What is not in training pairs is not "
                "learned, and what is not in validation pairs has no score. Look whether the classes go from 0 to "
                f"{classes - 1}, and whether the pairs are split well."
            )

    def check_range(self) -> None:
        """Warn where the images are hardly meant to be as dark, as pale or as large as they are."""
        lowest, highest = self._lowest, self._highest
        if is_unscaled(lowest, highest):
            warn(
                f"The {self._called} hold images from {lowest:.3g} to {highest:.3g}; images go from 0 to 1. Divide by "
                "the largest value that a pixel can have: 255, 4095 of 12 bits, or 65535 of 16."
            )
        elif highest - lowest < LITTLE_RANGE:
            if highest == lowest:
                warn(f"All pixels of the {self._called} are {highest:.3g}. Look whether the images were read.")
                return
            warn(
                f"The images of the {self._called} go from {lowest:.3g} to {highest:.3g}: they fill "
                f"{100 * (highest - lowest):.1g} % of the range from 0 to 1, and a network learns little from that. "
                f"Stretch all of them alike, `(image - {lowest:.3g}) / {highest - lowest:.3g}`: 12 bits in a file of "
                "16 are divided by 4095 and not by 65535."
            )

    def say(self, *others: Taken) -> None:
        """Say once what was taken as what, in these and in others."""
        say([note for taken in (self, *others) for note in taken.notes])

    def _data_set(self, given: Any) -> Pairs:
        if isinstance(given, DataLoader):
            self.notes["the data set of a `DataLoader`, without its batches"] = None
            given = given.dataset
        if isinstance(given, IterableDataset) or not hasattr(given, "__len__") or not hasattr(given, "__getitem__"):
            raise GateError(
                f"The {self._called} are {about(given)}, which has no length or cannot be read by number. {RULE} Give "
                "a data set or a list of pairs."
            )
        if isinstance(given, Tensor | np.ndarray | str | dict):
            raise GateError(f"The {self._called} are {about(given)}. {RULE} Give a data set or a list of pairs.")
        return given

    def _image(self, index: int, given: Any) -> Tensor:
        try:
            image, notes = as_image(given)
        except GateError as error:
            raise self._error(index, f"has {error}") from None
        self.notes |= notes
        return image

    def _mask(self, index: int, given: Any) -> Tensor:
        mask = _tensor(given)
        if mask is None:
            raise self._error(index, f"has {about(given)} for a mask")
        if mask is not given and not isinstance(given, Tensor):
            self.notes["NumPy arrays as tensors"] = None
        if mask.is_complex() or not bool(mask.isfinite().all()):
            raise self._error(index, f"has a mask of {kind(mask)} with values that are no numbers")
        if mask.is_floating_point() and not bool((mask == mask.round()).all()):
            raise self._error(index, f"has {_fractions(mask)}")
        if mask.dtype != torch.int64:
            self.notes[f"masks of {kind(mask)} as class indices"] = None
            mask = mask.long()
        if mask.ndim == 3 and mask.shape[0] == 1:
            self.notes["masks (1, H, W) as (H, W)"] = None
            mask = mask[0]
        if mask.ndim == 3 and bool((mask.sum(0) == 1).all()):
            raise self._error(
                index, f"has a one-hot mask {tuple(mask.shape)}, a channel for each class. Give `mask.argmax(0)`"
            )
        if mask.ndim == 3 and mask.shape[-1] in (3, 4):
            raise self._error(
                index,
                f"has a mask in colours, {tuple(mask.shape)}. Give each colour its class: "
                "`mask[(picture == colour).all(-1)] = 1`",
            )
        if mask.ndim != 2:
            raise self._error(index, f"has a mask {tuple(mask.shape)}")
        return mask

    def _look(self, index: int, image: Tensor, mask: Tensor) -> None:
        self._looked.add(index % len(self))
        if not bool(image.isfinite().all()):
            bad = int((~image.isfinite()).sum())
            raise self._error(
                index, f"has an image with {bad} pixels that are not finite numbers. Mend or leave it out"
            )
        self._lowest, self._highest = min(self._lowest, float(image.min())), max(self._highest, float(image.max()))
        if bool((mask.to(torch.uint8) == mask).all()):  # counted, which is quicker than sorted
            counts = torch.bincount(mask.flatten())
            values = counts.nonzero().flatten()
            counts = counts[values]
        else:
            values, counts = mask.unique(return_counts=True)
        new = dict(zip(values.tolist(), counts.tolist(), strict=True))
        self._values.update(new)
        if new.keys() != {IGNORE}:
            self._drawn[1 in new, IGNORE in new] += 1
        if self._classes and any(v != IGNORE and not 0 <= v < self._classes for v in new):
            self.check_values(self._classes)

    def _seen(self) -> str:
        values = sorted(self._values)
        shown = [*map(str, values[:5])] + (["…"] if len(values) > 5 else [])
        listed = " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else f"{shown[0]} alone"
        number = len(self._looked)
        masks = f"{number} of {len(self)}" if number < len(self) else f"their {number}"
        masks = "the mask" if number == len(self) == 1 else f"{masks} masks"
        return f"The {self._called} hold the values {listed} in {masks}"

    def _error(self, index: int, what: str) -> GateError:
        return GateError(f"Pair {index} of the {self._called} {what}. {RULE}")


def is_unscaled(lowest: float, highest: float) -> bool:
    """Whether an image reaches farther than any from 0 to 1 does, or any that is normalised."""
    return max(-lowest, highest) > (NOT_NORMALISED if lowest < 0 < highest else NO_IMAGE)


def is_centred(image: Tensor) -> bool:
    """Whether a part of an image `(C, H, W)`, larger than what noise or a few pixels make up, lies well below 0."""
    regions = F.avg_pool2d(image, min(REGION, *image.shape[1:])).flatten()
    return float(regions.kthvalue(1 + len(regions) // 20).values) < BELOW_ZERO


def as_image(given: Any) -> tuple[Tensor, dict[str, None]]:
    """An image `(C, H, W)` of float32, and what was taken as what.

    Raises:
        GateError: it is none; the message goes on after "This is".
    """
    notes: dict[str, None] = {}
    image = _tensor(given)
    if image is None:
        raise GateError(f"{about(given)} for an image")
    if not isinstance(given, Tensor):
        notes["NumPy arrays as tensors"] = None
    if image.dtype in (torch.uint8, torch.bool):
        notes[f"images of {kind(image)}{', divided by 255' if image.dtype == torch.uint8 else ''}"] = None
        image = image.float() / (255 if image.dtype == torch.uint8 else 1)
    if not image.is_floating_point():
        raise GateError(f"an image of {kind(image)}. Divide it by the largest value that a pixel can have")
    if image.dtype != torch.float32:
        notes[f"images of {kind(image)} as float32"] = None
        image = image.float()
    if image.ndim == 2:
        notes["images (H, W) as (1, H, W)"] = None
        image = image[None]
    if image.ndim != 3:
        raise GateError(f"an image {tuple(image.shape)}")
    if not image.numel():
        raise GateError(f"an image {tuple(image.shape)}, without a pixel")
    return image, notes


def say(notes: Iterable[str]) -> None:
    """Say once what was taken as what; nothing where all was as it should be."""
    if listed := "; ".join(dict.fromkeys(notes)):
        markup.say(f"Taken as the course needs it: {listed}.")


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Whatever draws random numbers inside, the generators are afterwards as they were."""
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


def warn(text: str) -> None:
    """Warn of something suspicious, at the call of the course's function."""
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("helpers."):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, GateWarning, stacklevel=level)


def _tensor(given: Any) -> Tensor | None:
    """A plain tensor of it, none where it is something else."""
    if isinstance(given, Tensor):
        return given.as_subclass(Tensor).detach()
    if isinstance(given, np.ndarray) and given.dtype.kind in "biuf":
        # A copy: without negative strides, as a flip leaves them, and not of a file that can only be read.
        return torch.from_numpy(np.array(given, dtype=given.dtype.newbyteorder("="), order="C"))
    return None


def kind(x: Tensor) -> str:
    """A tensor's dtype, as in "float32"."""
    return str(x.dtype).removeprefix("torch.")


def about(given: Any) -> str:
    """What something is, in a few words."""
    if isinstance(given, tuple | list):
        return f"a {type(given).__name__} of {len(given)}"
    if isinstance(given, dict):
        return f"a dict of {', '.join(map(repr, list(given)[:4]))}"
    if isinstance(given, Tensor | np.ndarray):
        return f"{type(given).__name__} {tuple(given.shape)} of {str(given.dtype).removeprefix('torch.')}"
    return "None" if given is None else f"a {type(given).__name__}"


def sentence(error: Exception) -> str:
    """The first line of an error, with one full stop."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0].strip().rstrip('.')}."


def channels(number: int) -> str:
    """A number of channels, in words."""
    return "one channel" if number == 1 else f"{number} channels"


def _fractions(mask: Tensor) -> str:
    """What a mask of fractions hardly was meant to be, and what to do."""
    if mask.ndim == 3 and len(mask) > 1 and bool(((mask.sum(0) - 1).abs() < 0.01).all()):
        return f"a mask {tuple(mask.shape)} of a share for each class. Give the largest: `mask.argmax(0)`"
    values = mask.unique().tolist()
    if len(values) == 2 and values[0] == 0 and 0.5 <= values[1] < 1:
        return f"a mask of fractions, 0 and {values[1]:.3g}. If that is the object: `(mask > 0).long()`"
    if (
        float(mask.min()) >= 0
        and float(mask.max()) <= 1
        and bool(((255 * mask - (255 * mask).round()).abs() < 1e-3).all())
    ):
        return (
            "a mask that was divided by 255, as `ToTensor` does, or the image in its place. Take `PILToTensor` for "
            "masks, or `(255 * mask).round().long()`"
        )
    return (
        "a mask of fractions, as after a resize that mixes neighbours, or the image in its place. Resize masks with "
        "`mode='nearest'`, or say which are the object: `mask > 0.5`"
    )


def _mapped(values: list[int], classes: int) -> str:
    """How to bring these values to so many classes."""
    named = [value for value in values if value != IGNORE]
    outside = [value for value in named if not 0 <= value < classes]
    if len(outside) == 1 and len(named) > 2:  # some are classes already
        (void,) = outside
        more = (
            f" If it is a class: give the network {void + 1} logits." if 0 < void == named[-1] == len(named) - 1 else ""
        )
        return f"If {void} is no label: `mask[mask == {void}] = {IGNORE}`.{more}"
    if outside == [-1]:
        return f"If -1 is no label: `mask[mask == -1] = {IGNORE}`. If it is the background: `mask + 1`."
    if len(values) > classes + 1 and values[-1] == IGNORE and values[0] == 0 and classes == 2:
        return (
            "Edges were blended, as in a JPEG or by a resize: save as PNG, resize with `mode='nearest'`, or give "
            "`mask > 127`."
        )
    if len(named) <= classes and min(named) >= 0:
        terms = [f"{k} * (mask == {value})" if k > 1 else f"(mask == {value})" for k, value in enumerate(named)]
        index = " + ".join(terms[1:] or terms)
        if IGNORE in values:
            return f"Give each value its index, and leave {IGNORE}: `torch.where(mask == {IGNORE}, {IGNORE}, {index})`."
        return f"Give each value its index: `{index}`."
    if named == list(range(len(named))):
        return f"Give the network a logit for each class, {len(named)} of them, or put classes together."
    return (
        f"These are {len(named)} values for {classes} classes: give the network a logit for each class and each value "
        "its index; numbers of single objects become one class with `mask > 0`."
    )
