"""Scores of predictions over a whole data set: overlap, distance of the borders, and both with a tolerance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.utils.data import Dataset

from helpers.data.pairs import IGNORE


def predictions(model: nn.Module, pairs: Dataset) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits `(K, H, W)` and mask `(H, W)` of every pair, one image at a time, on the CPU.

    The model runs in evaluation mode, where its parameters are, and is given back in the mode it came in.
    """
    return ((logits, mask) for _, logits, mask in _predictions(model, pairs))


@torch.no_grad()
def _predictions(model: nn.Module, pairs: Dataset) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The same with the image `(C, H, W)` before them."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        for image, mask in (pairs[k] for k in range(len(pairs))):
            logits = model(image.as_subclass(Tensor)[None].to(device))[0].float().cpu()
            yield image, logits, mask.as_subclass(Tensor)
    finally:
        model.train(was_training)


def class_map(logits: Tensor) -> Tensor:
    """The class of each pixel, int64 `(H, W)`, from logits `(K, H, W)`; with K = 1, 1 where the logit is above 0."""
    return logits.argmax(dim=0) if len(logits) > 1 else (logits[0] > 0).long()


def score(
    model: nn.Module,
    pairs: Dataset,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    look: Callable[[int, Tensor, Tensor, Tensor], Any] | None = None,
) -> dict[str, float]:
    """Overlap of a model's predictions with the truth, pooled over all pixels of all images.

    Args:
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`.
        pairs: a data set; pixels of 255 do not count.
        loss: also give the mean of `loss(logits, masks)` over the images, as `"loss"`.
        look: called as `look(k, image, logits, mask)` for each image, to see what is predicted.

    Returns:
        `"iou"` and `"dice"`, the mean over the classes but the background; 1.0 for a class that is in neither.
    """
    table, losses = 0, []
    for k, (image, logits, mask) in enumerate(_predictions(model, pairs)):
        table = table + confusion_table(class_map(logits), mask, max(len(logits), 2))
        if loss is not None:
            losses.append(float(loss(logits[None], mask[None])))
        if look is not None:
            look(k, image, logits, mask)
    scores = {"loss": float(np.mean(losses))} if losses else {}
    per_class = class_scores(table)
    return scores | {name: float(values[1:].mean()) for name, values in per_class.items()}


def confusion_table(pred: Tensor, target: Tensor, num_classes: int) -> Tensor:
    """int64 `(K, K)`: pixels of class (row) that were predicted as class (column); 255 in `target` does not count."""
    known = target != IGNORE
    pairs = target[known].long() * num_classes + pred[known].long()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


def class_scores(table: Tensor) -> dict[str, Tensor]:
    """`"iou"` and `"dice"` of each class from a confusion table, float64 `(K,)`; 1.0 for a class that is in neither."""
    table = table.double()
    both, total = table.diagonal(), table.sum(0) + table.sum(1)
    nothing = total == 0
    return {
        "iou": torch.where(nothing, 1.0, both / (total - both).clamp(min=1)),
        "dice": torch.where(nothing, 1.0, 2 * both / total.clamp(min=1)),
    }


def boundary_error(pred: Tensor, target: Tensor) -> float:
    """Mean distance between the borders of two masks, in pixels: average symmetric surface distance (Heimann 2009).

    From every border pixel of one mask to the nearest border pixel of the other, both ways, and the mean of it all. A
    border pixel belongs to the object and has a neighbour (of four) that does not; the image's edge is no border.

    Args:
        pred, target: bool `(H, W)`.

    Returns:
        0.0 when the borders are the same, or neither mask has one; infinite when only one has.
    """
    borders = [_border(np.asarray(mask, dtype=bool)) for mask in (pred, target)]
    if not any(b.any() for b in borders):
        return 0.0
    if not all(b.any() for b in borders):
        return float("inf")
    to_target, to_pred = (ndimage.distance_transform_edt(~b) for b in reversed(borders))
    distances = np.concatenate([to_target[borders[0]], to_pred[borders[1]]])
    return float(distances.mean())


def tolerant_iou(pred: Tensor, target: Tensor, tolerance: int = 1) -> float:
    """IoU that lets go what is wrong within `tolerance` pixels of the true border, where an annotator may be off.

    Args:
        pred, target: bool `(H, W)`.
        tolerance: in pixels; a diagonal step counts as one.
    """
    pred, target = (np.asarray(mask, dtype=bool) for mask in (pred, target))
    if target.all() or not target.any():
        near = np.zeros_like(target)  # no border
    else:
        depth = [ndimage.distance_transform_cdt(mask, "chessboard") for mask in (target, ~target)]
        near = sum(depth) <= tolerance  # one of the two is 0
    seen = np.where(near, target, pred)
    union = (seen | target).sum()
    return float((seen & target).sum() / union) if union else 1.0


def _border(mask: np.ndarray) -> np.ndarray:
    inside = ndimage.binary_erosion(mask, border_value=1)
    return mask & ~inside
