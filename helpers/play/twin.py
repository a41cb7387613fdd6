"""What every playground has: a static twin, which is one picture and its numbers in words.

The same facts stand in both, so that a screen reader, a printed page and a console lose nothing.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from helpers import markup, show
from helpers.play.painting import paint
from helpers.play.scene import Scene
from helpers.play.stage import Control, Stage
from helpers.widgets import front

MISSED, FALSE, BOTH, CONFUSED = (
    ("missed", show.BLUE, "...."),
    ("false", show.ORANGE, "////"),
    ("in both", show.GREEN, ""),
    ("wrong class", show.VERMILION, "xxxx"),
)


class Playground(ABC):
    """A model whose settings are attributes, shown as a picture and text.

    A subclass has `compute()`, which works out the results from the settings and changes nothing, and the three parts
    of the twin below.
    """

    title: str

    @abstractmethod
    def compute(self) -> Any:
        """What the settings lead to."""

    @abstractmethod
    def facts(self) -> list[str]:
        """The findings in words, with their numbers: a sentence each. `code` and *stress* are marked like this."""

    def controls(self) -> list[Control]:
        """The settings that a student may move."""
        return []

    def change(self, **values: Any) -> None:
        """Set some of the settings that `controls` names.

        Raises:
            ValueError: they do not go with the others.
        """
        for name, value in values.items():
            setattr(self, name, value)

    def working(self) -> str:
        """In words, what will take long with the settings as they are; empty if nothing does."""
        return ""

    @abstractmethod
    def scene(self) -> Scene:
        """What is shown, and in words what is to be seen in it."""

    def __repr__(self) -> str:
        found = [self.title]
        for fact in self.facts():
            found.append(markup.wrapped(fact, initial_indent="- ", subsequent_indent="  "))
        return "\n".join(found)

    def as_html(self) -> str:
        """The picture and the facts as HTML, in whatever colours the page has."""
        scene = self.scene()
        facts = "".join(f'<li style="margin:.2em 0">{markup.as_html(fact)}</li>' for fact in self.facts())
        return (
            f'<div><p style="margin:.3em 0"><b>{html.escape(self.title)}</b></p>{show.img_tag(paint(scene), scene.alt)}'
            f'<ul style="margin:.3em 0;max-width:62em">{facts}</ul></div>'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        twin = {"text/plain": repr(self), "text/html": self.as_html()}
        return front.shown(self, twin, lambda: Stage(self), **kwargs)


# ---- what is given ----------------------------------------------------------------------------------------------


def plain(value: Any) -> Tensor:
    """A tensor without gradient, class or device of its own, from a tensor, a tv_tensor or an array."""
    return torch.as_tensor(value).as_subclass(torch.Tensor).detach().cpu()


def grey(image: Any, what: str = "image") -> Tensor:
    """An image as float `(H, W)`: of colours the mean, of a batch of one that one.

    Raises:
        ValueError: it is not one image.
    """
    image = plain(image)
    whole = image.dtype == torch.uint8
    image = image.float()
    if image.ndim == 4 and len(image) == 1:
        image = image[0]
    if image.ndim == 3 and len(image) in (1, 3):
        image = image.mean(dim=0)
    if image.ndim != 2 or not image.numel():
        raise ValueError(
            f"{what} has shape {tuple(image.shape)}; it must be one image: (H, W), (1, H, W) or (3, H, W)."
        )
    return image / 255 if whole else image


def labels(mask: Any, like: Tensor | None = None, what: str = "truth") -> Tensor:
    """A mask as int64 `(H, W)`: class indices, or 0 and 1 where it was bool.

    Args:
        like: an image `(H, W)` of the size that is needed.

    Raises:
        ValueError: it is not one mask, or of another size than `like`, or holds fractions.
    """
    mask = plain(mask)
    while mask.ndim > 2 and len(mask) == 1:
        mask = mask[0]
    if mask.ndim != 2 or not mask.numel():
        raise ValueError(f"{what} has shape {tuple(mask.shape)}; it must be one mask (H, W).")
    if like is not None and mask.shape != like.shape:
        raise ValueError(f"{what} is {size(mask)} pixels and the image {size(like)}; they must be of one size.")
    if mask.is_floating_point() and not torch.equal(mask, mask.round()):
        raise ValueError(f"{what} holds fractions; it must be a mask, bool or class indices. Try {what} > 0.5.")
    return mask.long()


def size(image: Tensor) -> str:
    """Height × width in words: "64×48"."""
    return f"{image.shape[-2]}×{image.shape[-1]}"


# ---- in words -----------------------------------------------------------------------------------------------------


def percent(share: float) -> str:
    """A share in words: "5 %", "0.4 %"."""
    return f"{100 * share:.3g} %"


def pixels(count: float) -> str:
    """A number of pixels in words: "1 pixel", "2 pixels"."""
    return f"{count:g} pixel{'' if count == 1 else 's'}"
