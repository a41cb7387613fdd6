"""Lesson 02: how much of two masks is the same."""

from __future__ import annotations

from torch import Tensor


def iou(pred: Tensor, target: Tensor) -> float:
    """Intersection over union of two masks, also called the Jaccard index (Jaccard 1912).

    Args:
        pred: bool `(H, W)`, true where the prediction says "object".
        target: bool `(H, W)`, true where the truth does.

    Returns:
        Pixels in both over pixels in either, from 0.0 to 1.0; 1.0 when both masks are empty.
    """
    overlap = (pred & target).sum().item()
    union = (pred | target).sum().item()
    return overlap / union if union else 1.0


def dice(pred: Tensor, target: Tensor) -> float:
    """Dice coefficient of two masks (Dice 1945), which is also their F1 score.

    Args:
        pred: bool `(H, W)`, true where the prediction says "object".
        target: bool `(H, W)`, true where the truth does.

    Returns:
        Twice the pixels in both over the sum of the two areas, from 0.0 to 1.0; 1.0 when both masks are empty.
    """
    overlap = (pred & target).sum().item()
    total = pred.sum().item() + target.sum().item()
    return 2 * overlap / total if total else 1.0
