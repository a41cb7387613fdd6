"""`play.receptive_field`: how far one value sees, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.play.twin import Playground, canvas, grey, percent, pixels, size
from helpers.reference.convolution import receptive_field as field_of
from helpers.show import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The encoder of a U-Net: two convolutions, then at each level a pooling and two more.
ENCODER = [(3, 1), (3, 1), *[(2, 2), (3, 1), (3, 1)] * 4]


@dataclass(frozen=True)
class Seen:
    """What a value after one layer sees.

    Attributes:
        kernel, stride: the layer.
        field: side of the square of input pixels it depends on.
        step: input pixels from its own square's middle to that of its neighbour's.
        grown: pixels by which the layer made the side longer.
    """

    kernel: int
    stride: int
    field: int
    step: int
    grown: int


def receptive_field(layers: Iterable[tuple[int, int]] = ENCODER, image: Any = None) -> ReceptiveField:
    """Let the receptive field grow layer by layer; as the last line of a cell it is shown.

    Args:
        layers: `(kernel, stride)` of each convolution or pooling, from the input on; by default those of a U-Net's
            encoder of depth 4.
        image: an image `(H, W)` or `(1, H, W)` to draw the fields on.

    Raises:
        ValueError: there is no layer, or a kernel or stride is below 1.
    """
    return ReceptiveField(layers, image)


class ReceptiveField(Playground):
    """A list of layers, each `(kernel, stride)`."""

    title = "How far a value sees, layer by layer"

    def __init__(self, layers: Iterable[tuple[int, int]] = ENCODER, image: Any = None) -> None:
        self.layers = [(int(kernel), int(stride)) for kernel, stride in layers]
        if not self.layers:
            raise ValueError("There is no layer. Give pairs (kernel, stride), such as [(3, 1), (3, 1), (2, 2)].")
        for kernel, stride in self.layers:
            if kernel < 1 or stride < 1:
                raise ValueError(f"There is no layer with kernel {kernel} and stride {stride}: both are 1 or more.")
        self.image = None if image is None else grey(image)

    def compute(self) -> list[Seen]:
        found, step = [], 1
        for k, (kernel, stride) in enumerate(self.layers, start=1):
            field, before = field_of(self.layers[:k]), field_of(self.layers[: k - 1])
            step *= stride
            found.append(Seen(kernel, stride, field, step, field - before))
        return found

    def facts(self) -> list[str]:
        seen = self.compute()
        last = seen[-1]
        found = [
            "Side of the receptive field after each layer: "
            + ", ".join(
                f"{s.field} ({s.kernel}×{s.kernel}{f', stride {s.stride}' if s.stride > 1 else ''})" for s in seen
            )
            + " pixels.",
            "Each layer adds " + ", ".join(str(s.grown) for s in seen) + ": its kernel less one, times the strides of "
            "all layers before it.",
            f"After the last, a value sees {last.field}×{last.field} pixels of the input, and its neighbour's square "
            f"lies {pixels(last.step)} further.",
        ]
        if self.image is not None:
            share = min(1.0, last.field / self.image.shape[0]) * min(1.0, last.field / self.image.shape[1])
            found.append(f"The last field covers {percent(share)} of this image of {size(self.image)} pixels.")
        return found

    def draw(self) -> tuple[Figure, str]:
        from matplotlib.patches import Rectangle

        seen = self.compute()
        fig = canvas(11, 4)
        ax = fig.add_subplot(1, 2, 1)
        for k, s in enumerate(seen, start=1):
            strided = s.stride > 1
            colour, hatch = (ORANGE, "////") if strided else (BLUE, "")
            ax.bar(k, s.field, color=colour, hatch=hatch, edgecolor="black")
            ax.text(k, s.field, str(s.field), ha="center", va="bottom", fontsize=8)
        ax.set_xticks(range(1, len(seen) + 1), [f"{s.kernel}/{s.stride}" for s in seen], fontsize=7)
        ax.set(
            xlabel="layer: kernel / stride (hatched where the stride is above 1)", ylabel="side of the field, pixels"
        )
        ax.set_title("receptive field after each layer", fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
        ax = fig.add_subplot(1, 2, 2)
        if self.image is None:
            half = seen[-1].field / 2 + 1
            ax.set(xlim=(-half, half), ylim=(half, -half), aspect="equal")
            middle = (0.0, 0.0)
        else:
            ax.imshow(self.image.numpy(), cmap="gray")
            middle = ((self.image.shape[0] - 1) / 2, (self.image.shape[1] - 1) / 2)
            ax.set(xlim=(-0.5, self.image.shape[1] - 0.5), ylim=(self.image.shape[0] - 0.5, -0.5))
        for k, s in enumerate(seen):
            corner = (middle[1] - s.field / 2, middle[0] - s.field / 2)
            colour = ORANGE if s.stride > 1 else BLUE
            last = k == len(seen) - 1
            ax.add_patch(Rectangle(corner, s.field, s.field, fill=False, edgecolor=colour, linewidth=2.5 if last else 1,
                                   linestyle="--" if s.stride > 1 else "-"))  # fmt: skip
        ax.set(xlabel="pixels of the input", xticks=[], yticks=[])
        ax.set_title(f"what the last value sees: {seen[-1].field}×{seen[-1].field}", fontsize=10)
        alt = (
            f"Bars: the side of the receptive field after each of {len(seen)} layers, "
            + ", ".join(str(s.field) for s in seen)
            + f" pixels. Squares of these sides in each other{' on the image' if self.image is not None else ''}, the "
            f"outermost {seen[-1].field}×{seen[-1].field}."
        )
        return fig, alt
