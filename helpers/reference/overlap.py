"""Lesson 02: how well two masks agree."""

from __future__ import annotations

from torch import Tensor


def confusion(pred: Tensor, target: Tensor) -> tuple[int, int, int, int]:
    """Count the four kinds of pixels, of which all scores of this lesson are made.

    Args:
        pred: bool `(H, W)`, true where the prediction says "object".
        target: bool `(H, W)`, true where the truth does.

    Returns:
        `(tp, fp, fn, tn)`: pixels found, invented, missed, and rightly left alone; together all pixels.
    """
    tp = (pred & target).sum().item()
    fp = (pred & ~target).sum().item()
    fn = (~pred & target).sum().item()
    tn = (~pred & ~target).sum().item()
    return tp, fp, fn, tn


def pixel_accuracy(pred: Tensor, target: Tensor) -> float:
    """Fraction of the pixels on which two masks agree, background included.

    Args:
        pred: `(H, W)`, bool or class indices.
        target: `(H, W)`, of the same kind.

    Returns:
        A number from 0.0 to 1.0.
    """
    return (pred == target).sum().item() / target.numel()


def iou(pred: Tensor, target: Tensor) -> float:
    """Intersection over union of two masks, also called the Jaccard index (Jaccard 1912).

    Args:
        pred: bool `(H, W)`, true where the prediction says "object".
        target: bool `(H, W)`, true where the truth does.

    Returns:
        Pixels in both over pixels in either, from 0.0 to 1.0; 1.0 if both masks are empty.
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
        Twice the pixels in both over the sum of the two areas, from 0.0 to 1.0; 1.0 if both masks are empty.
    """
    overlap = (pred & target).sum().item()
    total = pred.sum().item() + target.sum().item()
    return 2 * overlap / total if total else 1.0


def mean_iou(pred: Tensor, target: Tensor, num_classes: int, ignore_index: int = 255) -> float:
    """Mean over the classes of the IoU, each over all pixels at once.

    Args:
        pred: int64 `(H, W)`, or `(N, H, W)` for a batch that is counted as one; classes 0 to `num_classes - 1`.
        target: int64 of the same shape; classes as in `pred`, or `ignore_index`.
        num_classes: number of classes, with the background.
        ignore_index: pixels with this target do not count, whatever the prediction.

    Returns:
        A number from 0.0 to 1.0. Classes that are in neither mask are left out; without any class, because every pixel
        is ignored, 1.0.
    """
    known = target != ignore_index
    pred, target = pred[known], target[known]
    scores = []
    for c in range(num_classes):
        in_pred, in_target = pred == c, target == c
        if in_pred.any() or in_target.any():
            scores.append(iou(in_pred, in_target))
    return sum(scores) / len(scores) if scores else 1.0


def dice_scores(preds: Tensor, targets: Tensor, reduction: str) -> float:
    """One Dice score for a batch of masks, by either way of taking the mean.

    Args:
        preds: bool `(N, H, W)`.
        targets: bool `(N, H, W)`.
        reduction: `"pooled"` counts the pixels of all images together, so large objects weigh most; `"per_image"` is
            the mean of the N scores, so every image weighs the same; an empty one counts 1.0 if nothing was found.

    Returns:
        A number from 0.0 to 1.0.

    Raises:
        ValueError: `reduction` is neither of the two.
    """
    if reduction == "pooled":
        return dice(preds, targets)
    if reduction == "per_image":
        return sum(map(dice, preds, targets)) / len(preds)
    raise ValueError(f"There is no reduction {reduction!r}. There is: 'pooled', 'per_image'.")
