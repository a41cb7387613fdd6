"""What one pixel of the output sees of the image, in two answers.

The receptive field is composed from kernel, stride and offset of every operation on the way; no weight enters. The
influence is the gradient of that pixel with respect to each pixel of the image, from a run of the network as it is now.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from helpers import markup
from helpers.errors import InputError
from helpers.tracing.results import Output
from helpers.tracing.safe_forward import first_image, in_one_sentence, prepared, tensors, unharmed
from helpers.tracing.trace import trace

if TYPE_CHECKING:
    import numpy as np

ROUNDING = (
    1e-4  # by less than this fraction of the highest value, results differ by the algorithm chosen, not by weights
)
LEAST, MOST = 0.25, 0.9  # how much colour the weakest and the strongest influence get


class CannotSee(InputError):
    """There is no such pixel, or nothing can be said about it; the message says why and what to do."""


@dataclass
class Rectangle:
    """Rows and columns of an image, first and last; none where the last lies before the first."""

    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width."""
        (top, bottom), (left, right) = self.rows, self.columns
        return max(0, bottom - top + 1), max(0, right - left + 1)

    def __str__(self) -> str:
        (top, bottom), (left, right) = self.rows, self.columns
        return f"rows {top} to {bottom}, columns {left} to {right}"


@dataclass
class InputInfluence:
    """What the output pixel sees of one image.

    Attributes:
        name: "image", or "input 1" where the network takes several.
        image: float `(C, H, W)`.
        composed: the receptive field, within the image.
        cut: the border of the image cuts something off it.
        influence: `(H, W)`, the gradient without its sign, summed over the channels of the image.
    """

    name: str
    image: Tensor
    composed: Rectangle
    cut: bool
    influence: Tensor

    @property
    def support(self) -> Rectangle:
        """The smallest rectangle around all pixels with a gradient that is not 0."""
        found = self.influence != 0
        return Rectangle(_extent(found.any(dim=1)), _extent(found.any(dim=0)))

    @property
    def moving(self) -> int:
        """Pixels with a gradient that is not 0."""
        return int((self.influence != 0).sum())

    @property
    def outside(self) -> int:
        """How many of them lie outside of the composed rectangle."""
        (top, bottom), (left, right) = self.composed.rows, self.composed.columns
        return self.moving - int((self.influence[top : bottom + 1, left : right + 1] != 0).sum())

    @property
    def half(self) -> int:
        """The fewest pixels that have half of all influence."""
        strongest = self.influence.nan_to_num(0.0).flatten().double().sort(descending=True).values
        total = strongest.cumsum(0)
        return int((total < total[-1] / 2).sum()) + 1

    def colours(self) -> np.ndarray:
        """The image, tinted where the output pixel is moved, uint8 `(H, W, 3)`."""
        import numpy as np

        from helpers import show

        base = show.colours(self.image if len(self.image) == 3 else self.image[0]).astype(float)
        influence = self.influence.nan_to_num(0.0, posinf=0.0).double().numpy()
        fraction = np.cbrt(influence / (influence.max(initial=0) or 1.0))  # it falls off steeply
        strength = np.where(influence > 0, LEAST + (MOST - LEAST) * fraction, 0.0)[..., None]
        tint = [int(show.ORANGE[k : k + 2], 16) for k in (1, 3, 5)]
        return ((1 - strength) * base + strength * tint).round().astype(np.uint8)


@dataclass
class Influence:
    """One pixel of the output, and what it sees.

    Attributes:
        row, column, channel: which, counted from 0.
        value: what the network gives there.
        output: float `(C, H, W)`, all that it gives.
        inputs: what it sees of each image.
        everything: an average over the whole image is on the way.
        changed: the network gave something else than when it was drawn.
    """

    row: int
    column: int
    channel: int
    value: float
    output: Tensor
    inputs: list[InputInfluence]
    everything: bool
    changed: bool

    @property
    def title(self) -> str:
        """Which pixel, and its value."""
        channel = f", channel {self.channel} of {len(self.output)}" if len(self.output) > 1 else ""
        return f"Output pixel in row {self.row}, column {self.column}{channel}: {self.value:.3g}"

    def facts(self) -> list[str]:
        """What was found, in sentences; marked up as in `markup`."""
        changed = (
            "The network gives something else than when it was drawn: its weights have changed since, or it draws "
            "random numbers. This is from the network as it is now; `graph.forward(model, image)` draws it anew."
        )
        return [changed] * self.changed + [fact for seen in self.inputs for fact in self._about(seen)]

    def _about(self, seen: InputInfluence) -> Iterator[str]:
        high, wide = seen.composed.sides
        composed = "Receptive field, composed from the kernels and strides on the way:"
        if self.everything:
            yield f"Receptive field: the whole {seen.name}, since an average over all of it is on the way."
        elif high and wide:
            cut = "; the border cuts the rest off" if seen.cut else ""
            yield f"{composed} {seen.composed} of the {seen.name}, {high}×{wide} pixels{cut}."
        else:
            yield f"{composed} no pixel of the {seen.name}."
        if not seen.influence.isfinite().all():
            yield f"The gradient of {int((~seen.influence.isfinite()).sum()):,} pixels is no finite number."
        if not seen.moving:
            yield (
                f"But no pixel of the {seen.name} moves it: the gradient is 0 everywhere, as it is behind a ReLU that "
                "gives 0."
            )
            return
        which = f"{seen.moving:,} pixels" if seen.outside else f"{seen.moving:,} of them"
        which = "all of them" if seen.moving == high * wide and not seen.outside else which
        where = "" if seen.support == seen.composed else f" ({seen.support})"
        half = f"half of the influence comes from the {seen.half:,} strongest"
        yield f"In this network, {which} really move it{where}; {half}."
        if seen.outside:
            yield (
                f"{seen.outside:,} of them lie outside of the composed field: something on the way looks further than "
                "its kernel, as a group or instance normalisation does, which averages over the whole map."
            )

    def __repr__(self) -> str:
        return "\n".join([f"{self.title}.", *self.facts()])

    def as_html(self) -> str:
        """Picture and sentences as HTML."""
        lines = [f"<b>{html.escape(self.title)}.</b>", *(markup.as_html(fact) for fact in self.facts())]
        text = "".join(f'<p style="margin:.3em 0">{line}</p>' for line in lines)
        return f'<div style="max-width:62em">{_picture(self)}{text}</div>'

    _repr_html_ = as_html


def influence_of(
    model: Callable, images: tuple[Tensor, ...], drawn: Output, row: int, column: int, channel: int | None = None
) -> Influence:
    """Run the model as it is now, and find what moves one pixel of its output.

    It runs as in `trace`, but with gradients; those of the parameters are neither used nor changed.

    Args:
        model: the one of which `drawn` is the output; it may have been trained since.
        images: what it ran on.
        drawn: its output and the receptive field of it, as found then.
        row, column: of the output, from 0.
        channel: of the output, from 0; the highest there when not given.

    Raises:
        CannotSee: there is no such pixel, the model raised, or no gradient comes back to the image.
    """
    _check_place(drawn.values, row, column, channel)
    leaves = [prepared(image, model).requires_grad_() for image in images]
    with unharmed(model), torch.enable_grad():
        given = _run(model, leaves, drawn.index)
        now = given.detach().float().cpu()
        changed = not _alike(now, drawn.values)
        _check_place(now, row, column, channel)
        channel = int(now[:, row, column].nan_to_num(-torch.inf).argmax()) if channel is None else channel
        gradients = _gradients(given, leaves, (channel, row, column))
    if changed:  # perhaps not its weights alone
        drawn = trace(model, *images).output or drawn
    fields = list(_fields(drawn, leaves, row, column))
    names = ["image"] if len(leaves) == 1 else [f"input {k}" for k in range(1, len(leaves) + 1)]
    inputs = [
        InputInfluence(name, leaf.detach()[0].float().cpu(), *field, gradient.abs().sum(dim=1)[0].float().cpu())
        for name, leaf, field, gradient in zip(names, leaves, fields, gradients, strict=True)
    ]
    return Influence(row, column, channel, float(now[channel, row, column]), now, inputs, drawn.everything, changed)


def output_span(values: Tensor) -> tuple[float, float] | None:
    """Black and white of an output map: its lowest and highest; `None` where signs are told apart by colour."""
    low, high = float(values.min()), float(values.max())
    return None if low < 0 < high else (low, high)


def _check_place(values: Tensor, row: Any, column: Any, channel: Any) -> None:
    for name, place, count in zip(("channel", "row", "column"), (channel, row, column), values.shape, strict=True):
        if name == "channel" and place is None:
            continue
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < count:
            raise CannotSee(f"There is no {name} {place!r}: the output has {count}, counted from 0 to {count - 1}.")


def _run(model: Callable, leaves: list[Tensor], index: int) -> Tensor:
    try:
        given = list(tensors(model(*(leaf.clone() for leaf in leaves))))  # a copy: what is written into it is allowed
    except Exception as raised:
        raise CannotSee(f"The network stopped: {in_one_sentence(raised)} Mend it and run the graph again.") from raised
    if index >= len(given) or given[index].ndim not in (3, 4):
        raise CannotSee(
            "The network gives other results than when it was drawn: run graph.forward(model, image) again."
        )
    return first_image(given[index])


def _alike(now: Tensor, then: Tensor) -> bool:
    if now.shape != then.shape:
        return False
    highest = float(then.nan_to_num(0.0, posinf=0.0, neginf=0.0).abs().max())
    return torch.allclose(now, then, rtol=ROUNDING, atol=ROUNDING * highest, equal_nan=True)


def _gradients(given: Tensor, leaves: list[Tensor], place: tuple[int, int, int]) -> list[Tensor]:
    if not given.requires_grad:
        raise CannotSee(
            "No gradient comes back from the output to the image: it is cut off on the way, as by a threshold, "
            "`argmax`, `detach()` or `torch.no_grad()`. Draw the network up to its logits to see what moves them."
        )
    try:
        found = torch.autograd.grad(given[place], leaves, allow_unused=True)
    except RuntimeError as raised:
        raise CannotSee(f"The way back through the network stopped: {in_one_sentence(raised)}") from raised
    if all(gradient is None for gradient in found):
        raise CannotSee("No gradient comes back to the image: what moves the output is parameters alone.")
    return [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found, strict=True)]


def _fields(drawn: Output, leaves: list[Tensor], row: int, column: int) -> Iterator[tuple[Rectangle, bool]]:
    """The receptive field on each image, and whether a border cuts it."""
    largest = [max(leaf.shape[axis] for leaf in leaves) for axis in (-2, -1)]
    for leaf in leaves:
        spans, cut = [], False
        along = zip(leaf.shape[-2:], largest, drawn.receptive_field, (row, column), strict=True)
        for side, whole, field, place in along:
            ratio = max(1, round(whole / side))  # of a smaller map each pixel counts as one of a larger grid
            low, high = (0, side - 1) if drawn.everything else (end // ratio for end in field.at(place))
            spans.append((max(0, low), min(side - 1, high)))
            cut = cut or spans[-1] != (low, high)
        yield Rectangle(*spans), cut


def _extent(found: Tensor) -> tuple[int, int]:
    places = found.nonzero().flatten().tolist()
    return (places[0], places[-1]) if places else (0, -1)


def _picture(influence: Influence) -> str:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle as Frame

    from helpers import show

    panels = 1 + len(influence.inputs)
    fig = Figure(figsize=(3.6 * panels, 3.9), layout="constrained")
    title = f"output, channel {influence.channel}" if len(influence.output) > 1 else "output"
    ax = fig.add_subplot(1, panels, 1, title=title)
    values = influence.output[influence.channel].nan_to_num()
    ax.imshow(show.colours(values, output_span(values)), interpolation="nearest")
    for colour, stroke in (("white", 4), (show.VERMILION, 2)):
        ax.plot([influence.column], [influence.row], marker="+", markersize=18, markeredgewidth=stroke, color=colour)
    for k, seen in enumerate(influence.inputs, 2):
        ax = fig.add_subplot(1, panels, k, title=f"{seen.name}: what moves it")
        ax.imshow(seen.colours(), interpolation="nearest")
        high, wide = seen.composed.sides
        corner = seen.composed.columns[0] - 0.5, seen.composed.rows[0] - 0.5
        for colour, width, dash in (("white", 3.5, "-"), (show.VERMILION, 2.0, (0, (4, 2)))):
            ax.add_patch(Frame(corner, wide, high, fill=False, edgecolor=colour, linewidth=width, linestyle=dash))
    for ax in fig.axes:
        ax.set(xticks=[], yticks=[])
    said = "; ".join(f"{seen.name}: {seen.composed}, {seen.moving:,} pixels tinted" for seen in influence.inputs)
    return show.img_tag(fig, f"{influence.title}. A cross on the output, a frame around the receptive field: {said}.")
