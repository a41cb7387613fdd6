"""Playgrounds: one idea each, with something to move and numbers that answer.

    from helpers import play

    play.kernel(image, kernel)                        # nine numbers slide over an image
    play.overlap(image, truth)                        # a shape is pushed off the true one: accuracy, IoU, Dice
    play.upsampling(image, mode=, kernel=, stride=)   # nearest, bilinear, transposed, and their checkerboards
    play.loss(share=0.05)                             # four losses and where they push, at that share of object
    play.threshold(probability, truth)                # from probabilities to a mask, and the Dice of each threshold
    play.augmentation(image, mask, seed=, strength=)  # image and mask moved together
    play.tiles(image, tile=, overlap=)                # what cutting an image into tiles does to the prediction
    play.receptive_field(layers)                      # how far each layer sees
    play.compare(image, truth, {"name": prediction})  # predictions and their errors side by side

Each function gives back a model: a plain object with its settings as attributes and a `compute()` that works out what
they lead to, and changes nothing. As the last line of a cell it is shown as a picture with its numbers in words.
The names load when they are used.
"""

from __future__ import annotations

import importlib
from typing import Any

# Modules have other names than the functions: importing a module sets its name in this package.
_MODULES = {
    "augmentation": "augmenting",
    "compare": "comparing",
    "kernel": "sliding",
    "loss": "losses",
    "overlap": "overlapping",
    "receptive_field": "seeing",
    "threshold": "thresholding",
    "tiles": "tiling",
    "upsampling": "enlarging",
}
__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"There is no playground {name!r}. There is: {', '.join(_MODULES)}.")
    return getattr(importlib.import_module(f"helpers.play.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
