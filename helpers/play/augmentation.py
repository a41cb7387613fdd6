"""`play.augmentation`: image and mask, flipped, turned and bent together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from scipy.ndimage import binary_erosion
from torch import Tensor

from helpers.errors import InputError, called_as
from helpers.play.inputs import grey, labels, percent, size
from helpers.play.playground import Control, Playground
from helpers.play.scene import Layer, Picture, Scene
from helpers.reference.training import augment_pair, elastic_pair
from helpers.show import ORANGE

DRAWS = 4
# In sides of the image: how far pixels move at strength 1, and how wide the bends are.
BEND, SMOOTH = 1 / 48, 1 / 12


@dataclass(frozen=True)
class Draw:
    """One augmented pair: float image `(H, W)` and int64 mask `(H, W)`."""

    image: Tensor
    mask: Tensor


class Augmentation(Playground):
    """Draw augmented pairs of an image and its mask; as the last line of a cell it is shown.

    Each draw bends the pair (`elastic_pair`), flips and turns it, and changes the light of the image (`augment_pair`).

    Args:
        image: one image, `(H, W)` or `(1, H, W)`, from 0 to 1.
        mask: `(H, W)`, bool or class indices.
        seed: the same seed gives the same draws.
        strength: how far pixels move, in 48ths of the shorter side; 0 bends nothing.

    Raises:
        ValueError: sizes differ, or the strength is below 0.
    """

    title = "Image and mask, moved together"

    @called_as("play.augmentation(image, mask)")
    def __init__(self, image: Any, mask: Any, seed: int = 0, strength: float = 1.0) -> None:
        if strength < 0:
            raise InputError(f"strength is {strength}; it must be 0 or more.")
        self.image = grey(image)
        self.mask = labels(mask, self.image, "mask")
        self.seed, self.strength = seed, strength

    @property
    def alpha(self) -> float:
        """How far pixels move along each axis, in pixels (root mean square)."""
        return self.strength * BEND * min(self.image.shape)

    @property
    def sigma(self) -> float:
        """How wide the bends are, in pixels."""
        return SMOOTH * min(self.image.shape)

    def compute(self) -> list[Draw]:
        """The augmented pairs."""
        generator = torch.Generator().manual_seed(self.seed)
        draws = []
        for _ in range(DRAWS):
            image, mask = self.image[None], self.mask
            if self.strength:
                image, mask = elastic_pair(image, mask, self.alpha, self.sigma, generator)
            image, mask = augment_pair(image, mask, generator)
            draws.append(Draw(image[0], mask))
        return draws

    def facts(self) -> list[str]:
        """Brightness and fraction of object before and in each draw, and whether a mask got new values."""
        draws = self.compute()
        new = {v for d in draws for v in d.mask.unique().tolist()} - set(self.mask.unique().tolist())
        said = ", ".join(map(str, sorted(new))) or "none"
        found = [
            f"{size(self.image)} pixels, seed {self.seed}, strength {self.strength:g}: pixels move "
            f"{self.alpha:.1f} pixels along each axis (root mean square), in bends about {self.sigma:.0f} pixels wide.",
            f"New values in a mask: {said}. The light changes in the image only.",
            f"As given: {_said(self.image, self.mask)}.",
        ]
        return found + [f"Draw {k}: {_said(d.image, d.mask)}." for k, d in enumerate(draws, start=1)]

    def controls(self) -> list[Control]:
        """The seed and the strength."""
        return [
            Control("seed", "Seed", min=0, max=99, step=1),
            Control("strength", "Strength of the bending", min=0, max=4, step=0.25),
        ]

    def scene(self) -> Scene:
        """The given and the augmented images above, their masks below."""
        pairs = [Draw(self.image, self.mask), *self.compute()]
        names = ["as given", *(f"draw {k}" for k in range(1, len(pairs)))]
        images, masks, said = [], [], []
        for name, pair in zip(names, pairs, strict=True):
            outline = Layer("outline of the mask", ORANGE, "", edge(pair.mask > 0))
            # one scale, so that a change of light is seen
            images.append(Picture(name, pair.image.clamp(0, 1), (0, 1), layers=(outline,)))
            masks.append(Picture(f"mask, {name}", pair.mask))
            said.append(f"{name}: brightness {pair.image.mean():.2f}, object {percent(_fraction(pair.mask))}")
        alt = f"Above, images with the outline of their masks; below, the masks. {'; '.join(said)}."
        return Scene([images, masks], alt)


def _said(image: Tensor, mask: Tensor) -> str:
    values = mask.unique().tolist()
    listed = ", ".join(map(str, values)) if len(values) <= 6 else f"{values[0]} to {values[-1]} ({len(values)} of them)"
    return f"object {percent(_fraction(mask))}, mean brightness {image.mean():.2f}, values in the mask {listed}"


def _fraction(mask: Tensor) -> float:
    return ((mask > 0) & (mask != 255)).float().mean().item()


def edge(mask: Tensor) -> Tensor:
    """The pixels of a bool mask that touch its outside, bool `(H, W)`."""
    return mask & ~torch.from_numpy(binary_erosion(mask.numpy(), border_value=1))
