"""Scores of predictions over a whole data set: overlap, distance of the borders, and both with a tolerance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from helpers.data.pairs import IGNORE, Pairs
from helpers.eval_mode import eval_mode


def predictions(model: nn.Module, pairs: Pairs) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits `(K, H, W)` and mask `(H, W)` of every pair, one image at a time, on the CPU.

    The model runs in evaluation mode, where its parameters are, and is given back in the mode it came in.
    """
    return ((logits, mask) for _, logits, mask in _predictions(model, pairs))


@torch.no_grad()
def _predictions(model: nn.Module, pairs: Pairs) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The same with the image `(C, H, W)` before them."""
    device = next(model.parameters()).device
    with eval_mode(model):
        for image, mask in (pairs[k] for k in range(len(pairs))):
            logits = model(image.as_subclass(Tensor)[None].to(device))[0].float().cpu()
            yield image, logits, mask.as_subclass(Tensor)


def class_map(logits: Tensor) -> Tensor:
    """The class of each pixel, int64 `(H, W)`, from logits `(K, H, W)`; with K = 1, 1 where the logit is above 0."""
    return logits.argmax(dim=0) if len(logits) > 1 else (logits[0] > 0).long()


def score(
    model: nn.Module,
    pairs: Pairs,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    look: Callable[[int, Tensor, Tensor, Tensor], Any] | None = None,
) -> dict[str, float]:
    """Overlap of a model's predictions with the truth, pooled over all pixels of all images.

    Args:
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`.
        pairs: pixels of 255 do not count.
        loss: also give the mean of `loss(logits, masks)` over the images, as `"loss"`.
        look: called as `look(k, image, logits, mask)` for each image, to see what is predicted.

    Returns:
        `"iou"` and `"dice"`, the mean over the classes but the background that have a labelled pixel; NaN without any.
    """
    tables, losses = [], []
    for k, (image, logits, mask) in enumerate(_predictions(model, pairs)):
        tables.append(confusion_table(class_map(logits), mask, max(len(logits), 2)))
        if loss is not None:
            losses.append(float(loss(logits[None], mask[None])))
        if look is not None:
            look(k, image, logits, mask)
    scores = {"loss": float(np.mean(losses))} if losses else {}
    return scores | mean_scores(torch.stack(tables).sum(0))


def confusion_table(pred: Tensor, target: Tensor, num_classes: int) -> Tensor:
    """int64 `(K, K)`: pixels of class (row) that were predicted as class (column); 255 in `target` does not count."""
    known = target != IGNORE
    pairs = target[known].long() * num_classes + pred[known].long()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


def class_scores(table: Tensor) -> dict[str, Tensor]:
    """`"iou"` and `"dice"` of each class from a confusion table, float64 `(K,)`; NaN for one without a labelled pixel.

    Whoever predicts nothing where nothing is has not shown that it finds anything.
    """
    table = table.double()
    both, true, found = table.diagonal(), table.sum(1), table.sum(0)
    scores = {"iou": both / (true + found - both), "dice": 2 * both / (true + found)}
    return {name: values.where(true > 0, torch.nan) for name, values in scores.items()}


def mean_scores(table: Tensor) -> dict[str, float]:
    """The mean of `class_scores` over the classes but the background that have a labelled pixel; NaN without any."""
    return {name: float(values[1:].nanmean()) for name, values in class_scores(table).items()}


def boundary_error(pred: Tensor, target: Tensor) -> float:
    """Mean distance between the borders of two masks, in pixels: average symmetric surface distance (Heimann 2009).

    The mean over every border pixel of both masks of the distance to the nearest border pixel of the other. A border
    pixel belongs to the object and has a neighbour (of four) that does not; the image's edge is no border.

    Args:
        pred, target: bool `(H, W)`.

    Returns:
        0.0 when the borders are the same, or neither mask has one; infinite when only one has.
    """
    ours, theirs = _border(np.asarray(pred, dtype=bool)), _border(np.asarray(target, dtype=bool))
    if not (ours.any() and theirs.any()):
        return float("inf") if ours.any() or theirs.any() else 0.0
    distances = [ndimage.distance_transform_edt(~theirs)[ours], ndimage.distance_transform_edt(~ours)[theirs]]
    return float(np.concatenate(distances).mean())


def tolerant_iou(pred: Tensor, target: Tensor, tolerance: int = 1) -> float:
    """IoU that forgives errors within `tolerance` pixels of the true border, where an annotator may be off.

    Args:
        pred, target: bool `(H, W)`.
        tolerance: in pixels; a diagonal step counts as one.
    """
    found, true = np.asarray(pred, dtype=bool), np.asarray(target, dtype=bool)
    if true.any() and not true.all():  # there is a border
        inside, outside = (ndimage.distance_transform_cdt(mask, "chessboard") for mask in (true, ~true))
        found = np.where(inside + outside <= tolerance, true, found)  # one of the two distances is 0
    union = (found | true).sum()
    return float((found & true).sum() / union) if union else 1.0


def _border(mask: np.ndarray) -> np.ndarray:
    inside = ndimage.binary_erosion(mask, border_value=1)
    return mask & ~inside
