"""The fair table: several models on the same images, with what each one costs and what it gets."""

from __future__ import annotations

import html
import math
import statistics
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, SupportsFloat

import torch
from torch import Tensor, nn

from helpers import metrics
from helpers.data.gate import GateError, Taken, warn
from helpers.data.pairs import IGNORE, Pairs
from helpers.data.validation import check_choice
from helpers.errors import InputError, called_as
from helpers.eval_mode import eval_mode
from helpers.network_gate import check_ends, check_network, logits_of
from helpers.progress_bar import with_progress

_COLUMNS = {  # heading and number format of each measured value
    "seconds": ("training, s", ".1f"),
    "ms": ("ms an image", ".1f"),
    "dice": ("Dice", ".3f"),
    "iou": ("IoU", ".3f"),
    "boundary": ("boundary, px", ".2f"),
    "missed": ("missed", ".3g"),
}
_HEADINGS = ["model", "parameters", "trainable", *(heading for heading, _ in _COLUMNS.values())]


@dataclass(frozen=True)
class Comparison:
    """What models cost and what they get, on the same images; a table where it is shown or printed.

    Attributes:
        rows: a dict for each name: `"name"`; `"models"`, how many there are of it; `"parameters"` of one of them, and
            how many are `"trainable"`; and, as the mean over its models, `"seconds"` of training; `"ms"`, milliseconds
            of prediction for one image; `"dice"` and `"iou"`, pooled over all pixels, mean over the classes but the
            background that have a labelled pixel; `"boundary"`, the distance of the borders in pixels, mean over images
            and classes; `"missed"`, in how many cases only one of prediction and truth has a border, so that there is
            no distance. Each of the six also with `"_std"` after its name: the standard deviation over the models.
            `None` where there is no value, such as the deviation of one model.
        images: on how many images.
    """

    rows: list[dict[str, Any]]
    images: int

    def __str__(self) -> str:
        rows = [_HEADINGS, *map(_cells, self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])]) for name, *cells in rows]
        return "\n".join([*lines, "", self._caption()])

    __repr__ = __str__  # what a cell and a terminal show

    def _repr_html_(self) -> str:
        right = ' style="text-align:right"'
        head = "".join(f'<th scope="col"{right if k else ""}>{heading}</th>' for k, heading in enumerate(_HEADINGS))
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
            + "".join(f"<td{right}>{html.escape(cell)}</td>" for cell in cells)
            + "</tr>"
            for name, *cells in map(_cells, self.rows)
        )
        caption = f'<caption style="caption-side:bottom;text-align:left">{self._caption()}</caption>'
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _caption(self) -> str:
        said = [f"All on the same {self.images} images."]
        if any(row["models"] > 1 for row in self.rows):
            said.append("Mean ± standard deviation where a name has several models.")
        if any(row["missed"] for row in self.rows):
            said.append(
                "Missed: how often only the prediction or only the truth has a border in an image, so that there is no "
                "distance between the two."
            )
        return " ".join(said)


@called_as('compare({"mine": model}, pairs)')
def compare(
    models: dict[str, nn.Module | Sequence[nn.Module]],
    pairs: Pairs,
    seconds: dict[str, float | Sequence[float]] | None = None,
) -> Comparison:
    """The fair table: the same images, the same scores, one image at a time, and what each model cost.

    In lesson 10 students write a small one, `compare(models, loader)`; `play.compare` shows the masks themselves.

    Args:
        models: by name: a model, or several trained with different seeds, for mean and standard deviation. Each maps
            images `(N, C, H, W)` from 0 to 1 to logits `(N, K, H, W)`, runs where its parameters are, and is given back
            in the mode it came in. The same network twice is warned of.
        pairs: pixels of 255 do not count.
        seconds: how long the training took (`fit(...).seconds`), by name: one number a model.

    Raises:
        GateError: there are no images or no models, or they do not go together.
        ValueError: the models of one name differ in size, or `seconds` does not go with `models`.
    """
    if not isinstance(models, dict) or not models:
        raise GateError(
            f"The models are {'none' if isinstance(models, dict) else f'a {type(models).__name__}'}, and have to go by "
            'names: `compare({"mine": model}, pairs)`.'
        )
    several = {name: list(given) if isinstance(given, Sequence) else [given] for name, given in models.items()}
    if not isinstance(seconds, dict | None):
        raise InputError('seconds go by names, as the models do: `seconds={"mine": history.seconds}`.')
    taken = Taken(pairs, "pairs")
    image, _ = taken.first()
    most, names = 2, dict[nn.Module, str]()
    for name, model in ((name, model) for name, given in several.items() for model in given):
        try:
            check_network(model)
            if model in names:
                where = "twice" if names[model] == name else f"as {names[model]!r}"
                warn(
                    f"{name!r} holds the same network {where}, so no difference can show. `fit` trains a network in "
                    "place: make one for each run, or keep a `copy.deepcopy(model)`."
                )
            names[model] = name
            most = max(most, logits_of(model, image).shape[1])
            with suppress(GateError):  # a part of the image, since a graph takes much memory, and may be too small
                check_ends(model, logits_of(model, image[:, :64, :64], grad=True))
        except GateError as error:
            raise GateError(f"{name!r}: {error}") from error.__cause__
    taken.check_values(most)
    taken.check_range()
    taken.say()
    seconds = seconds or {}
    for name in seconds:
        check_choice("model", name, list(models), "seconds goes by the names in models.")
    rows = []
    for name, given in with_progress(list(several.items()), "Comparing models"):
        took = seconds.get(name)
        times = [*took] if isinstance(took, Sequence) else [took] * (len(given) if took is None else 1)
        if not given or len(times) != len(given):
            raise InputError(
                f"{name!r} has {len(given)} models and {len(times)} numbers of seconds. Give at least one model, and "
                "one number for each."
            )
        if not all(isinstance(t, SupportsFloat | None) and (t is None or 0 <= float(t) < math.inf) for t in times):
            raise InputError(f"seconds of {name!r} are {took!r}. Give numbers, such as `history.seconds`.")
        rows.append(_row(name, given, times, taken))
    return Comparison(rows, len(taken))


def _row(name: str, models: list[nn.Module], times: Sequence[float | None], pairs: Pairs) -> dict[str, Any]:
    sizes = {(_count(m.parameters()), _count(p for p in m.parameters() if p.requires_grad)) for m in models}
    if len(sizes) > 1:
        raise InputError(
            f"The models of {name!r} differ in their numbers of parameters: {', '.join(map(str, sorted(sizes)))}, all "
            "and trainable. Give different networks different names."
        )
    parameters, trainable = sizes.pop()
    runs = [{"seconds": s, **_measured(name, m, pairs)} for m, s in zip(models, times, strict=True)]
    row: dict[str, Any] = {"name": name, "models": len(models), "parameters": parameters, "trainable": trainable}
    for key in _COLUMNS:
        values = [run[key] for run in runs if run[key] is not None]
        row[key] = statistics.fmean(values) if values else None
        row[f"{key}_std"] = statistics.stdev(values) if len(values) > 1 else None
    return row


def _count(parameters: Iterable[Tensor]) -> int:
    return sum(p.numel() for p in parameters)


def _measured(name: str, model: nn.Module, pairs: Pairs) -> dict[str, Any]:
    tables, distances = [], []
    # The clock starts after this pass: the first predictions are slower than the others.
    for logits, mask in metrics.predictions(model, pairs):
        known, classes = mask != IGNORE, max(len(logits), 2)
        highest = int(mask[known].max()) if known.any() else 0
        if logits.shape[1:] != mask.shape or highest >= classes:
            raise InputError(
                f"{name!r} gives logits {tuple(logits.shape)} for a mask {tuple(mask.shape)} with classes up to "
                f"{highest}. A model must give a logit for every class, in every pixel."
            )
        pred = metrics.class_map(logits)
        tables.append(metrics.confusion_table(pred, mask, classes))
        for c in range(1, classes):
            mine, true = (pred == c) & known, mask == c
            if mine.any() or true.any():
                distances.append(metrics.boundary_error(mine, true))
    scores = metrics.mean_scores(torch.stack(tables).sum(0))
    finite = [d for d in distances if d != float("inf")]
    return {
        "ms": _milliseconds_an_image(model, pairs),
        **{name: value if math.isfinite(value) else None for name, value in scores.items()},
        "boundary": statistics.fmean(finite) if finite else None,
        "missed": len(distances) - len(finite),
    }


@torch.no_grad()
def _milliseconds_an_image(model: nn.Module, pairs: Pairs) -> float:
    device, spent = next(model.parameters()).device, 0.0
    with eval_mode(model):
        for k in range(len(pairs)):
            image = pairs[k][0].as_subclass(Tensor)[None].to(device)  # loading is not on the clock
            _finish(device)
            start = time.perf_counter()
            model(image)
            _finish(device)
            spent += time.perf_counter() - start
    return 1000 * spent / len(pairs)


def _finish(device: torch.device) -> None:
    if device.type != "cpu":  # an accelerator answers before it is done
        torch.accelerator.synchronize(device)


def _cells(row: dict[str, Any]) -> list[str]:
    cells = [row["name"], f"{row['parameters']:,}", f"{row['trainable']:,}"]
    for key, (_, form) in _COLUMNS.items():
        value, std = row[key], row[f"{key}_std"]
        cells.append("–" if value is None else f"{value:{form}}" + ("" if std is None else f" ± {std:{form}}"))
    return cells
