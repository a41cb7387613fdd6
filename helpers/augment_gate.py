"""The gate for augmentations: tried on a pair, and on a picture of a mask with that mask."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.data.gate import GateError, about, is_centred, kind, same_random_numbers, sentence
from helpers.data.pairs import IGNORE
from helpers.markup import code

ALIKE = 0.5  # correlation, at least, of an augmented picture of a mask with the augmented mask
AUGMENTED = 4  # times that an augmentation is tried, as it may do another thing each time


def check_augment(augment: Callable[..., Any], image: Tensor, mask: Tensor) -> bool:
    """Whether `augment(image, mask, generator)` brings an image from 0 to 1 to both sides of 0, as normalising does.

    Raises:
        GateError: what it gives is no such pair, or not of one size, or it changes the pair that it is given.
    """
    called = code(getattr(augment, "__name__", type(augment).__name__))
    rule = (
        "It is called with an image (C, H, W) of float32, its mask (H, W) of int64 and a `torch.Generator`, and has to "
        "give both back: `def augment(image, mask, generator): ...; return image, mask`."
    )
    sizes = set()
    for seed in range(AUGMENTED):
        pair = image.clone(), mask.clone()
        with same_random_numbers():
            try:
                given = augment(*pair, torch.Generator().manual_seed(seed))
            except Exception as error:  # of whatever kind, from their own code
                raise GateError(f"augment={called} cannot be called: {sentence(error)} {rule}") from error
        if not (isinstance(given, tuple | list) and len(given) == 2 and all(isinstance(one, Tensor) for one in given)):
            raise GateError(f"augment={called} gives {about(given)}. {rule}")
        new, labels = given
        what = f"an image {tuple(new.shape)} of {kind(new)} and a mask {tuple(labels.shape)} of {kind(labels)}"
        if new.ndim != 3 or len(new) != len(image) or new.shape[1:] != labels.shape or new.dtype != image.dtype:
            raise GateError(f"augment={called} gives {what}. {rule}")
        if labels.dtype != mask.dtype or not {*labels.unique().tolist()} <= {*mask.unique().tolist(), 0, IGNORE}:
            raise GateError(
                f"augment={called} gives {what} with values that were not in it. {rule} Masks are turned and cut, or "
                "resized with `mode='nearest'`, never mixed."
            )
        if not (torch.equal(pair[0], image) and torch.equal(pair[1], mask)):
            raise GateError(
                f"augment={called} writes into the pair that it is given, so the pair is another the next time. Make "
                "a new one: `image = image * 1.2` for `image *= 1.2`."
            )
        sizes.add("×".join(map(str, labels.shape)))
    if len(sizes) > 1:
        raise GateError(f"augment={called} gives sizes of {' and '.join(sorted(sizes))}, and a batch needs one size.")
    parts_the_pair, centres = _made_of_a_picture(augment, image, mask)
    if parts_the_pair:
        raise GateError(
            f"augment={called} moves an image otherwise than its mask, or leaves nothing of it. Draw each random "
            "number once, for both. Transforms of torchvision know which is which by their types: "
            "`transform(tv_tensors.Image(image), tv_tensors.Mask(mask))`."
        )
    return centres


def _made_of_a_picture(augment: Callable[..., Any], image: Tensor, mask: Tensor) -> tuple[bool, bool]:
    """Whether a picture of its mask comes back as another than of the mask beside it; and always with parts below 0."""
    height, width = mask.shape
    shape = torch.zeros_like(mask)  # turned or mirrored, it is elsewhere
    shape[height // 16 : height // 4, 5 * width // 16 : width // 2] = 1
    centred = []
    for seed in range(2 * AUGMENTED):
        with same_random_numbers(), suppress(Exception):  # it may take pictures of another kind only
            torch.manual_seed(seed)
            image = shape.float().expand(len(image), -1, -1)
            new, labels = augment(image, shape.clone(), torch.Generator().manual_seed(seed))
            seen, drawn, known = (x.as_subclass(Tensor).float() for x in (new.mean(0), labels == 1, labels != IGNORE))
            both = F.avg_pool2d(torch.stack([seen, drawn]) * known, max(1, min(labels.shape) // 16)).flatten(1)
            is_there = both[1].mean() > shape.float().mean() / 2
            if is_there and not abs(float(torch.corrcoef(both)[0, 1])) > ALIKE:
                return True, False
            centred.append(is_centred(new.as_subclass(Tensor).float()))
    return False, bool(centred) and all(centred)
