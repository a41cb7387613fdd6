"""`play.loss`: four losses and their pull, at a fraction of object pixels that can be dialled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap

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
SIDE = 48  # pixels a side of the image that the losses are computed on
SETTLED = 0.01  # the probability that background pixels have when only object pixels move
PROBABILITIES = torch.linspace(0.01, 0.99, 50)


@dataclass(frozen=True)
class Pulled:
    """One loss while a probability moves; each a list over `PROBABILITIES`.

    Attributes:
        loss: its value.
        gradient: what it gains when the logits of all moving pixels grow by the same small step, per unit of step.
            Below 0 the loss pulls the probability up, above 0 down.
        from_object, from_background: the two parts of the gradient, by where the pixels are; their sum is `gradient`.
    """

    loss: list[float]
    gradient: list[float]
    from_object: list[float]
    from_background: list[float]

    def first(self, n: int) -> Pulled:
        """The first `n` of each list."""
        return Pulled(self.loss[:n], self.gradient[:n], self.from_object[:n], self.from_background[:n])

    @property
    def lowest(self) -> float:
        """The probability at which the loss is lowest, of those tried."""
        return PROBABILITIES[torch.tensor(self.loss).argmin()].item()


def loss(fraction: float = 0.05) -> Loss:
    """Four losses and their gradients as the predicted probability moves; as the last line of a cell it is shown.

    Args:
        fraction: fraction of object pixels in the truth, above 0 and below 1.

    Raises:
        ValueError: a fraction out of this range.
    """
    return Loss(fraction)


class Loss(Playground):
    """The fraction of object pixels."""

    title = "Four losses and where they pull"

    def __init__(self, fraction: float = 0.05) -> None:
        if not 0 < fraction < 1:
            raise ValueError(f"fraction is {fraction}; it must be between 0 and 1, such as 0.05 for 5 % object.")
        self.fraction = fraction
        self._kept: tuple[float, dict[str, dict[str, Pulled]]] | None = (
            None  # fraction and results: picture and words ask
        )

    @property
    def target(self) -> Tensor:
        """A truth `(1, 1, H, W)` with that fraction of ones, at least one of either kind."""
        pixels = SIDE * SIDE
        ones = min(max(1, round(self.fraction * pixels)), pixels - 1)
        return (torch.arange(pixels) < ones).float().view(1, 1, SIDE, SIDE)

    def compute(self) -> dict[str, dict[str, Pulled]]:
        """By what moves, and by loss.

        "everywhere": every pixel has the same probability, as in a network that knows nothing yet. "object": only
        object pixels move, and every background pixel has the probability `SETTLED`: the background is learned.
        """
        return {
            where: {name: p.first(len(PROBABILITIES)) for name, p in by.items()} for where, by in self._all().items()
        }

    def _all(self) -> dict[str, dict[str, Pulled]]:
        """The same, and at the end of each list what is at a probability of 0.5."""
        if self._kept is None or self._kept[0] != self.fraction:
            at = torch.cat([PROBABILITIES, torch.tensor([0.5])])
            found = {
                where: {name: self._pulls(name, at, where) for name in LOSSES} for where in ("everywhere", "object")
            }
            self._kept = self.fraction, found
        return self._kept[1]

    def undecided(self) -> dict[str, tuple[float, float]]:
        """By loss, the pull of object pixels and of background pixels when every probability is 0.5, both positive:
        the first upwards, the second downwards."""
        everywhere = self._all()["everywhere"]
        return {name: (-pulled.from_object[-1], pulled.from_background[-1]) for name, pulled in everywhere.items()}

    def _pulls(self, name: str, probabilities: Tensor, where: str) -> Pulled:
        target = self.target
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

    def facts(self) -> list[str]:
        now, half = self.compute(), self.undecided()
        everywhere, moving = now["everywhere"], now["object"]
        low, middle = 0, len(PROBABILITIES) // 2
        object_pixels = int(self.target.sum())
        return [
            f"{percent(self.fraction)} of the pixels are object: {object_pixels} of {SIDE * SIDE}.",
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
        return [Control("fraction", "Fraction of object", min=0.01, max=0.5, step=0.01)]

    def scene(self) -> Scene:
        now, rows, said = self.compute(), [], []
        titles = {
            "everywhere": "the same probability everywhere",
            "object": f"object pixels move, background at {SETTLED}",
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
                        f"{what}: {title}",
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
