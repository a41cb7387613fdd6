"""`play.loss`: four losses and their gradients, for any fraction of object pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap

from helpers.errors import InputError, called_as
from helpers.play.inputs import percent
from helpers.play.playground import Control, Playground
from helpers.play.scene import Plot, Scene
from helpers.reference.losses import bce_with_logits, focal_loss, iou_loss, soft_dice_loss

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "BCE": bce_with_logits,
    "Dice": soft_dice_loss,
    "IoU": iou_loss,
    "focal": focal_loss,
}
SIDE = 48  # of the image that the losses are computed on, in pixels
SETTLED = 0.01  # the probability of background pixels when only object pixels move
PROBABILITIES = torch.linspace(0.01, 0.99, 50)


@dataclass(frozen=True)
class Pulled:
    """One loss while a probability moves; each a list over `PROBABILITIES`.

    Attributes:
        gradient: the derivative of the loss by a common shift of the logits of all moving pixels. Below 0 the loss
            pulls the probability up, above 0 down.
        from_object, from_background: the parts of the gradient from object and background pixels.
    """

    loss: list[float]
    gradient: list[float]
    from_object: list[float]
    from_background: list[float]

    @property
    def lowest(self) -> float:
        """The probability, of `PROBABILITIES`, at which the loss is lowest."""
        return PROBABILITIES[torch.tensor(self.loss).argmin()].item()


class Loss(Playground):
    """Four losses and their gradients as the predicted probability moves; as the last line of a cell it is shown.

    Args:
        fraction: fraction of object pixels in the truth, above 0 and below 1.

    Raises:
        ValueError: a fraction out of this range.
    """

    title = "Four losses: how hard do the few object pixels pull?"

    @called_as("play.loss(fraction=0.05)")
    def __init__(self, fraction: float = 0.05) -> None:
        if not 0 < fraction < 1:
            raise InputError(f"fraction is {fraction}; it must be between 0 and 1, such as 0.05 for 5 % object.")
        self.fraction = fraction

    @property
    def target(self) -> Tensor:
        """A truth `(1, 1, H, W)` with that fraction of ones, and at least one pixel of each kind."""
        return _target(self.fraction)

    def compute(self) -> dict[str, dict[str, Pulled]]:
        """By what moves, and by loss.

        "everywhere": every pixel has the same probability, as in a network that knows nothing yet. "object": only
        object pixels move, and every background pixel has the probability `SETTLED`, as when the background is learned.
        """
        return _by_loss(self.fraction)

    def undecided(self) -> dict[str, tuple[float, float]]:
        """By loss, how hard object pixels pull up and background pixels down where every probability is 0.5."""
        pulled = {name: _pulls(name, torch.tensor([0.5]), self.target, "everywhere") for name in LOSSES}
        return {name: (-p.from_object[0], p.from_background[0]) for name, p in pulled.items()}

    def facts(self) -> list[str]:
        """How hard each loss pulls, where it is lowest, and the same in numbers."""
        now, half = self.compute(), self.undecided()
        everywhere, moving = now["everywhere"], now["object"]
        low, middle = 0, len(PROBABILITIES) // 2
        object_pixels = int(self.target.sum())
        return [
            f"{percent(self.fraction)} of the pixels are object: {object_pixels} of {SIDE * SIDE}. The gradients say "
            "how hard they pull: below 0 the probability goes up.",
            "At 0.5 everywhere, the background pulls down so many times as hard as the object pixels pull up: "
            + ", ".join(f"{name} {down / up:.2g}" for name, (up, down) in half.items())
            + ".",
            "The same probability everywhere is cheapest at "
            + ", ".join(f"{pulled.lowest:.2f} for {name}" for name, pulled in everywhere.items())
            + f" (of the probabilities from {PROBABILITIES[0]:.2f} to {PROBABILITIES[-1]:.2f}).",
            "At 0.5 everywhere, object pixels pull up and background pixels pull down with "
            + ", ".join(f"{up:.3g} against {down:.3g} for {name}" for name, (up, down) in half.items())
            + ".",
            f"Once the background is at {SETTLED}, the pull of the object pixels up at probability "
            f"{PROBABILITIES[middle]:.2f} is "
            + ", ".join(f"{-p.from_object[middle]:.2g} for {name}" for name, p in moving.items())
            + f"; at probability {PROBABILITIES[low]:.2f} it is "
            + ", ".join(f"{-p.from_object[low]:.2g} for {name}" for name, p in moving.items())
            + ".",
        ]

    def controls(self) -> list[Control]:
        """The fraction."""
        return [Control("fraction", "Fraction of object", min=0.01, max=0.5, step=0.01)]

    def scene(self) -> Scene:
        """Losses and gradients over the probability: of all pixels, and of object pixels alone."""
        now, rows, said = self.compute(), [], []
        titles = {
            "everywhere": "same probability everywhere",
            "object": f"background already at {SETTLED}",
        }
        p = PROBABILITIES.tolist()
        for where, title in titles.items():
            row = []
            for what in ("loss", "gradient"):
                values = {name: getattr(pulled, what) for name, pulled in now[where].items()}
                # Of the losses, what matters is where each is lowest; cross-entropy ends far above. The pulls of all
                # pixels differ a hundredfold, and in sign.
                everywhere = where == "everywhere"
                row.append(
                    Plot(
                        f"{what}, {title}",
                        "predicted probability of object",
                        "loss" if what == "loss" else "gradient (below 0 pulls up)",
                        p,
                        lines=values,
                        yscale="symlog" if everywhere and what == "gradient" else "linear",
                        ylim=(0.0, 1.5) if everywhere and what == "loss" else None,
                        baseline=0.0 if what == "gradient" else None,
                    )
                )
                ends = ", ".join(f"{name} from {v[0]:.2g} to {v[-1]:.2g}" for name, v in values.items())
                said.append(f"{what}, {title}: {ends}")
            rows.append(row)
        alt = (
            f"Four plots over the predicted probability, from {p[0]:.2f} to {p[-1]:.2f}, at {percent(self.fraction)} "
            f"object pixels. {'; '.join(said)}."
        )
        return Scene(rows, alt)


def _target(fraction: float) -> Tensor:
    pixels = SIDE * SIDE
    ones = min(max(1, round(fraction * pixels)), pixels - 1)
    return (torch.arange(pixels) < ones).float().view(1, 1, SIDE, SIDE)


@lru_cache(maxsize=8)  # the picture and the words both ask
def _by_loss(fraction: float) -> dict[str, dict[str, Pulled]]:
    target = _target(fraction)
    return {
        where: {name: _pulls(name, PROBABILITIES, target, where) for name in LOSSES}
        for where in ("everywhere", "object")
    }


def _pulls(name: str, probabilities: Tensor, target: Tensor, where: str) -> Pulled:
    p = probabilities.view(-1, 1, 1, 1, 1)
    background = p if where == "everywhere" else torch.full_like(p, SETTLED)
    logits = torch.logit(torch.where(target > 0, p, background))  # (probabilities, 1, 1, H, W)
    # every probability is a batch of its own; together they take a quarter of the time
    grad, value = vmap(grad_and_value(LOSSES[name]), in_dims=(0, None))(logits, target)
    on_object = (grad * target).flatten(1).sum(dim=1)
    on_background = (grad * (1 - target)).flatten(1).sum(dim=1)
    if where != "everywhere":
        on_background = torch.zeros_like(on_background)  # it is pulled, too, but does not move
    parts = (value, on_object + on_background, on_object, on_background)
    return Pulled(*(part.tolist() for part in parts))
