"""How good a network is on each image of a split, and how much that varies between images."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from helpers.data.pairs import IGNORE, Pairs
from helpers.metrics import boundary_error, class_map, class_scores, confusion_table, predictions
from helpers.share.errors import ShareError

METRICS = {"dice": "Dice", "iou": "IoU", "boundary": "Boundary error (pixels)"}
Spread = dict[str, float | None]


def classes_of(pairs: Pairs, num_classes: int) -> tuple[str, ...]:
    """The names of a data set's classes, background first; made up where it has none."""
    return tuple(map(str, getattr(pairs, "classes", ()))) or tuple(f"class {k}" for k in range(max(2, num_classes)))


def each_image(
    model: nn.Module, pairs: Pairs, num_classes: int, classes: Sequence[str]
) -> Iterator[tuple[Tensor, dict[str, float]]]:
    """The predicted mask and the scores of every pair, in order.

    Args:
        model: images `(N, C, H, W)` to logits `(N, num_classes, H, W)`; a single logit is that of "object".
        pairs: images and masks; mask pixels of 255 do not count.
        num_classes: channels of the logits.
        classes: names of the pairs' classes.

    Yields:
        The mask, int64 `(H, W)`, and `"dice"`, `"iou"` and `"boundary"`, each the mean over the classes but the
        background that have a labelled pixel, NaN without any. `"boundary"` is infinite where only the prediction or
        only the truth holds a class.

    Raises:
        ShareError: the model does not fit the images, or its logits are not finite.
    """
    if len(classes) != max(2, num_classes):
        raise ShareError(
            f"it tells {max(2, num_classes)} classes apart, and the data set has {len(classes)}: {', '.join(classes)}."
        )
    try:
        for logits, mask in predictions(model, pairs):
            if logits.shape[1:] != mask.shape or len(logits) != num_classes:
                raise ShareError(f"its logits are {tuple(logits.shape)} for a mask {tuple(mask.shape)}.")
            if not logits.isfinite().all():
                raise ShareError("its logits are not all finite numbers.")
            pred = class_map(logits)  # (H, W)
            scores = class_scores(confusion_table(pred, mask, len(classes)))
            labelled = mask != IGNORE
            borders = [boundary_error((pred == c) & labelled, mask == c) for c in range(1, len(classes))]  # in pixels
            means = {name: float(values[1:].nanmean()) for name, values in scores.items()}
            yield pred, {**means, "boundary": statistics.fmean(borders)}
    except ShareError:
        raise
    except (RuntimeError, ValueError, IndexError) as error:
        raise ShareError(f"it does not run on these images: {str(error)[:300]}") from None


def spread(values: Sequence[float]) -> Spread:
    """`"mean"` and `"std"`, the sample standard deviation, of all but NaN; `None` if not finite, or the std of one."""
    values = [value for value in values if not math.isnan(value)]
    mean = statistics.fmean(values) if values else math.nan
    finite = math.isfinite(mean)
    return {"mean": mean if finite else None, "std": statistics.stdev(values) if finite and len(values) > 1 else None}


def spreads(scores: Sequence[dict[str, float]]) -> dict[str, Spread]:
    """The spread of each metric over the images."""
    return {name: spread([each[name] for each in scores]) for name in METRICS}


def in_words(value: Spread, digits: int = 3) -> str:
    """`0.871 ± 0.020`; a dash for a mean that is not finite."""
    if value["mean"] is None:
        return "–"
    deviation = "" if value["std"] is None else f" ± {value['std']:.{digits}f}"
    return f"{value['mean']:.{digits}f}{deviation}"


def plain(image: Any) -> Tensor:
    """A tv_tensor as a plain tensor."""
    return torch.as_tensor(image).as_subclass(Tensor)
