"""Pictures for the lessons: images, masks, overlaps and feature maps, each with alternative text.

Colours are of the Okabe-Ito palette, which colour-blind readers can tell apart, and never the only sign of a thing: a
hatch, a dash or a label says the same.
"""

from __future__ import annotations

import base64
import html
import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from helpers import markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SIGNED = "RdBu_r"  # colour map of values with a sign
PAGE, TALLEST = 8.6, 4.2  # inches: a page of JupyterLab beside its file browser; a row that leaves room for its cell
# Colour, dash and marker of each line of a plot, in this order everywhere.
STYLES = [(BLUE, "-", "o"), (VERMILION, "--", "s"), (GREEN, ":", "^"), (ORANGE, "-.", "D")]
# Name, colour and hatch of the kinds of pixels in a prediction.
MISSED, FALSE, BOTH = ("missed", BLUE, "...."), ("false", ORANGE, "////"), ("in both", GREEN, "")
CONFUSED = ("wrong class", VERMILION, "xxxx")
# An image of at most so many rows and columns has its values written into its pixels.
MOST_NUMBERS = 10  # whole numbers
MOST_FRACTIONS = 6  # other numbers, which are longer


def figure(fig: Figure, alt: str) -> None:
    """Show a matplotlib figure with `alt` as its alternative text, and close it."""
    from IPython.display import display

    display(markup.Shown(alt, img_tag(fig, alt)))


def images(panels: list[tuple[str, Any]], alt: str | None = None, height: float = TALLEST) -> None:
    """Show images side by side, as wide as the page where `height` lets them.

    Args:
        panels: titles and images. An image is a tensor or array `(H, W)`, `(1, H, W)` or `(3, H, W)`: bool for a mask,
            whole numbers for labels, float for grey values from 0 (black) to its highest (white), or, with values
            below 0, for a diverging map centred on 0 with a colour bar.
        alt: alternative text; by default titles, sizes and ranges.
        height: height of the row, in inches, at most.
    """
    fig, text = _row(panels, height)
    figure(fig, alt or text)


def grid_html(panels: list[tuple[str, Any]], alt: str, height: float = 2.0) -> str:
    """A row of images, as in `images`, as an HTML `<img>`."""
    return img_tag(_row(panels, height)[0], alt)


def overlap(panels: list[tuple[str, Any, Any]], image: Any = None, height: float = TALLEST) -> None:
    """Show where predicted and true masks agree, pixel by pixel, as wide as the page where `height` lets them.

    Args:
        panels: title, predicted mask and true mask, both bool `(H, W)`.
        image: grey background `(1, H, W)` or `(H, W)`.
        height: height of the row, in inches, at most.
    """
    fig, axes = _axes([title for title, *_ in panels], height)
    said = []
    for ax, (title, pred, target) in zip(axes, panels, strict=True):
        pred, target = _array(pred).astype(bool), _array(target).astype(bool)
        background = _array(image) if image is not None else 0.25 * (pred | target)
        ax.imshow(_plane(background), cmap="gray", vmin=0, vmax=float(background.max()) or 1)
        parts = {BOTH: pred & target, MISSED: target & ~pred, FALSE: pred & ~target}
        for (_, colour, hatch), mask in parts.items():
            fill_mask(ax, mask, colour, hatch)
        counts = ", ".join(f"{mask.sum()} pixels {name.removeprefix('in ')}" for (name, _, _), mask in parts.items())
        said.append(f"{title}: {counts}")
    fig.set_figheight(fig.get_figheight() + 0.35)  # for the legend
    legend(fig, [BOTH, MISSED, FALSE])
    figure(fig, "Predicted against true pixels. " + "; ".join(said) + ".")


def outlines(panels: list[tuple[str, Any, Any]], classes: Sequence[str], alt: str, columns: int = 4) -> None:
    """Show images with the outlines of their masks on top, in rows.

    Args:
        panels: title, image as in `images`, and mask `(H, W)` of class numbers, 255 where there is no label.
        classes: their names; the first is the background, which has no outline.
        alt: alternative text.
        columns: images in a row.
    """
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    fig = Figure(figsize=(2.5 * columns, 3 * rows + 0.3))
    fig.set_layout_engine("constrained", h_pad=0.1)
    styles = [(ORANGE, "-"), (BLUE, "--"), (VERMILION, ":"), (GREEN, "-.")]
    drawn = {}
    for k, (title, image, mask) in enumerate(panels):
        ax = fig.add_subplot(rows, columns, k + 1, xticks=[], yticks=[])
        ax.set_title(title, fontsize=8)
        mask = _array(mask)
        step = max(1, max(mask.shape) // 512)
        mask = mask[::step, ::step]
        ax.imshow(colours(_array(image)[..., ::step, ::step]), interpolation="nearest")
        for number in range(1, len(classes)):
            region = mask == number
            if region.any() and not region.all():
                colour, dash = styles[(number - 1) % len(styles)]
                ax.contour(region.astype(float), [0.5], colors="white", linewidths=2.4, alpha=0.7)
                ax.contour(region.astype(float), [0.5], colors=colour, linewidths=1.2, linestyles=dash)
                (drawn[classes[number]],) = ax.plot([], [], dash, color=colour, label=classes[number])
        if (mask == 255).any():
            ax.contourf((mask == 255).astype(float), levels=[0.5, 1.5], colors="none", hatches=["xxx"])
    if drawn:
        fig.legend(handles=[*drawn.values()], loc="outside lower center", ncols=len(drawn), frameon=False)
    figure(fig, alt)


def curves(
    x: Any,
    lines: list[tuple[str, Any]],
    title: str,
    xlabel: str,
    ylabel: str,
    log: bool = False,
    height: float = 3.2,
) -> None:
    """Plot lines over a common axis, told apart by colour, dash and marker.

    Args:
        x: values of the axis `(n,)`.
        lines: label and values `(n,)` of each line.
        log: draw the values on a logarithmic axis.
        height: height of the plot, in inches.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    fig = Figure(figsize=(2 * height, height), layout="constrained")
    ax = fig.add_subplot()
    x, said = _array(x), []
    for (label, y), (colour, dash, marker) in zip(lines, STYLES, strict=False):
        y = _array(y)
        ax.plot(x, y, dash, color=colour, marker=marker, markevery=max(1, len(x) // 8), label=label)
        said.append(f"{label} from {y[0]:.3g} to {y[-1]:.3g}, highest {y.max():.3g} at {x[y.argmax()]:.3g}")
    ax.set(xlabel=xlabel, yscale="log" if log else "linear")
    if log:  # 0.2 and 5, not 2 × 10⁻¹
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    ax.set_title(textwrap.fill(title, int(20 * height)), fontsize=11)
    ax.set_ylabel(textwrap.fill(ylabel, int(9 * height)))
    if (x == x.round()).all():
        ax.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=True))  # there is no layer 0.5
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    figure(fig, f"{title}. {xlabel} against {ylabel}: {'; '.join(said)}.")


def reliability(panels: list[tuple[str, Any, Any]], bins: int = 10, height: float = 4.2) -> None:
    """Plot what probabilities promise against what comes: a reliability diagram (DeGroot and Fienberg 1983).

    Args:
        panels: label, probabilities from 0 to 1 and bool truths of the same shape of each line, at most four.
        bins: number of bins of equal width over [0, 1]; empty ones are left out.
        height: height and width of the plot, in inches.
    """
    import numpy as np
    from matplotlib.figure import Figure

    fig = Figure(figsize=(height, height), layout="constrained")
    ax = fig.add_subplot(xlabel="promised: mean probability", ylabel="came: fraction of object pixels")
    ax.plot([0, 1], [0, 1], color="grey", linestyle=(0, (1, 3)), label="calibrated")
    said = []
    for (label, probability, truth), (colour, dash, marker) in zip(panels, STYLES, strict=False):
        probability, truth = _array(probability).ravel(), _array(truth).ravel()
        bin_of = np.minimum((probability * bins).astype(int), bins - 1)
        pixels = np.bincount(bin_of, minlength=bins)
        there = pixels > 0
        promised, came = (np.bincount(bin_of, x, bins)[there] / pixels[there] for x in (probability, truth))
        ax.plot(promised, came, dash, color=colour, marker=marker, label=label)
        said.append(f"{label}: " + ", ".join(f"{p:.2f} came to {c:.2f}" for p, c in zip(promised, came, strict=True)))
    ax.legend(frameon=False)
    figure(fig, f"Reliability diagram. {'; '.join(said)}.")


def _row(panels: list[tuple[str, Any]], height: float) -> tuple[Figure, str]:
    arrays = [_array(image) for _, image in panels]
    tall = max(array.shape[-2] / array.shape[-1] for array in arrays)
    fig, axes = _axes([title for title, _ in panels], height, min(1.0, tall))
    said = []
    for ax, (title, _), array in zip(axes, panels, arrays, strict=True):
        draw_image(fig, ax, array)
        height, width = array.shape[-2:]
        said.append(f"{title} ({height}×{width} pixels, values {array.min():.3g} to {array.max():.3g})")
    return fig, "; ".join(said) + "."


def draw_image(fig: Figure, ax: Axes, image: Any) -> None:
    """Draw one image into `ax` as `images` does."""
    array = _array(image)
    shown = colours(array)
    ax.imshow(shown, interpolation="nearest")
    if array.dtype.kind == "f" and float(array.min()) < 0:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        bound = float(abs(array).max())
        bar = ax.inset_axes((1.03, 0.1, 0.05, 0.8))  # beside the image, which stays as large as its neighbours
        fig.colorbar(ScalarMappable(Normalize(-bound, bound), SIGNED), cax=bar)
    write_numbers(ax, numbers(array), shown)


def colours(image: Any, span: tuple[float, float] | None = None, palette: str = "gray") -> Any:
    """The colours of an image as `images` shows it, a uint8 array `(H, W, 3)`.

    Args:
        image: as in `images`.
        span: the values of black and white; by default 0 and the highest.
        palette: a matplotlib colour map, where no value is below 0.
    """
    import numpy as np
    from matplotlib import colormaps

    array = _array(image)
    if array.ndim == 3 and array.shape[0] == 3:
        return (255 * array.transpose(1, 2, 0).clip(0, 1)).round().astype(np.uint8)
    plane = _plane(array)
    if plane.dtype.kind in "iu" and plane.max(initial=0) > 1:
        return (255 * _label_colours(plane)).round().astype(np.uint8)
    plane = plane.astype(float)
    low, high = span or (0.0, float(plane.max(initial=0)) or 1.0)
    if float(plane.min(initial=0)) < 0 and span is None:
        high = max(-float(plane.min()), high)
        low, palette = -high, SIGNED
    fraction = ((plane - low) / ((high - low) or 1.0)).clip(0, 1)
    return (255 * colormaps[palette](fraction)[..., :3]).round().astype(np.uint8)


def numbers(image: Any) -> list[list[str]]:
    """The numbers written into the pixels of a very small image; no rows for larger ones and for labels."""
    plane = _plane(_array(image))
    if plane.ndim != 2 or (plane.dtype.kind in "iu" and plane.max() > 1):
        return []
    whole = plane.dtype.kind != "f" or bool((plane == plane.round()).all())
    if max(plane.shape) > (MOST_NUMBERS if whole else MOST_FRACTIONS):
        return []
    return [[f"{int(x)}" if float(x).is_integer() else f"{float(x):.2g}" for x in row] for row in plane]


def write_numbers(ax: Axes, rows: list[list[str]], shown: Any) -> None:
    """Write `rows` into the pixels of the uint8 image `shown` `(H, W, 3)`, black on light and white on dark ones."""
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            light = shown[row, column] @ [0.299, 0.587, 0.114] > 140
            ax.text(column, row, text, ha="center", va="center", fontsize=7, color="black" if light else "white")


def _label_colours(labels: Any) -> Any:
    import numpy as np
    from matplotlib import colormaps

    golden = (np.sqrt(5) - 1) / 2  # its multiples fall evenly into [0, 1) and never repeat
    coloured = colormaps["viridis"](0.15 + 0.85 * (labels * golden % 1))[..., :3]
    coloured[labels == 0] = 0.0
    return coloured


def fill_mask(ax: Axes, mask: Any, colour: str, hatch: str) -> None:
    """Lay a translucent colour and a hatch over the true pixels of a bool array `(H, W)`."""
    from matplotlib.colors import to_rgba

    ax.imshow(mask[..., None] * to_rgba(colour, 0.6), interpolation="nearest")
    if hatch and mask.any() and not mask.all() and min(mask.shape) > 1:
        ax.contourf(mask.astype(float), levels=[0.5, 1.5], colors="none", hatches=[hatch])


def legend(fig: Figure, kinds: list[tuple[str, str, str]]) -> None:
    """Explain colours and hatches below a figure: name, colour and hatch of each."""
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=c, hatch=h, edgecolor="black", alpha=0.7, label=name) for name, c, h in kinds]
    fig.legend(handles=handles, loc="outside lower center", ncols=len(kinds), frameon=False)


def _axes(titles: list[str], height: float, tall: float = 1.0) -> tuple[Figure, list[Axes]]:
    """A row of as many axes as there are titles; each image is `tall` times as high as it is wide."""
    # not pyplot's figure, which stays open and may need a display
    from matplotlib.figure import Figure

    side = min(height * 1.05, PAGE / len(titles))
    letters = int(13 * side)  # of a title in 10 points
    wrapped = [textwrap.fill(title, letters) for title in titles]
    lines = max(title.count("\n") for title in wrapped) + 1
    fig = Figure(figsize=(side * len(titles), side * tall + 0.18 * lines + 0.05), layout="constrained")
    axes = [fig.add_subplot(1, len(titles), k + 1) for k in range(len(titles))]
    for ax, title in zip(axes, wrapped, strict=True):
        ax.set(xticks=[], yticks=[], anchor="S")
        ax.set_title(title, fontsize=10)
    return fig, axes


def png(fig: Figure) -> bytes:
    """A figure as a PNG, the same bytes each time."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=96, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def img_tag(fig: Figure, alt: str) -> str:
    """A figure as an HTML `<img>` that holds its pixels."""
    data = base64.b64encode(png(fig)).decode()
    return f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{data}" style="max-width:100%">'


def _array(image: Tensor | Any) -> Any:
    import numpy as np

    return image.detach().cpu().numpy() if hasattr(image, "detach") else np.asarray(image)


def _plane(array: Any) -> Any:
    return array[0] if array.ndim == 3 else array
