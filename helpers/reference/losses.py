"""Lesson 08: what training makes small.

Logits are the network's output, any real number; `sigmoid(logits)` is the probability of "object". Targets are float in
the shape of the logits: 1.0 where the truth says "object", 0.0 elsewhere.
"""

from __future__ import annotations

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor


def bce_with_logits(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy from logits, mean over all pixels.

    With p = sigmoid(x), the loss of a pixel is -log(p) where the target is 1 and -log(1 - p) where it is 0. Both are
    log(1 + exp(x)) - x·target. With the larger of 0 and x taken out of the logarithm, the exponent is never positive,
    so nothing overflows: loss and gradient are finite for every finite logit.

    Args:
        logits: float `(N, 1, H, W)`, or any other shape.
        target: float, same shape, 0.0 or 1.0.

    Returns:
        0-d tensor, 0.0 or more.

    Raises:
        ValueError: the shapes differ.
    """
    return _cross_entropy(logits, target).mean()


def soft_dice_loss(logits: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
    """One minus the Dice coefficient with probabilities in place of a mask, mean over the images.

    V-Net (Milletari et al. 2016) introduced it with squares in the denominator; here the areas are plain sums.

    Args:
        logits: float `(N, 1, H, W)`.
        target: float `(N, 1, H, W)`, 0.0 or 1.0.
        smooth: added to numerator and denominator of each image, so that one without objects has a gradient too.

    Returns:
        0-d tensor, from 0.0 to 1.0.

    Raises:
        ValueError: the shapes differ, or are not `(N, 1, H, W)`.
    """
    overlap, total = _overlap_and_total(logits, target)
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def iou_loss(logits: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
    """One minus the IoU with probabilities in place of a mask (Rahman and Wang 2016), mean over the images.

    Args:
        logits: float `(N, 1, H, W)`.
        target: float `(N, 1, H, W)`, 0.0 or 1.0.
        smooth: added to numerator and denominator of each image.

    Returns:
        0-d tensor, from 0.0 to 1.0.

    Raises:
        ValueError: the shapes differ, or are not `(N, 1, H, W)`.
    """
    overlap, total = _overlap_and_total(logits, target)
    return (1 - (overlap + smooth) / (total - overlap + smooth)).mean()


def focal_loss(logits: Tensor, target: Tensor, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
    """Focal loss (Lin et al. 2017), mean over all pixels.

    Cross-entropy times (1 - p_t)^gamma, where p_t is the predicted probability of the truth: easy pixels count little.

    Args:
        logits: float `(N, 1, H, W)`, or any other shape.
        target: float, same shape, 0.0 or 1.0.
        gamma: the larger, the less easy pixels count; 0 is cross-entropy.
        alpha: weight of object pixels, from 0 to 1; background pixels have `1 - alpha`.

    Returns:
        0-d tensor, 0.0 or more.

    Raises:
        ValueError: the shapes differ.
    """
    hit = _cross_entropy(logits, target)  # -log(p_t)
    miss = _cross_entropy(logits, 1 - target)  # -log(1 - p_t), exact where 1 - p_t would round to 0
    alpha_t = alpha * target + (1 - alpha) * (1 - target)
    return (alpha_t * torch.exp(-gamma * miss) * hit).mean()


def weight_map(instances: Tensor, w0: float = 10.0, sigma: float = 5.0) -> Tensor:
    """How much more the pixels in the gaps between objects count (Ronneberger et al. 2015, equation 2).

    w0 · exp(-(d1 + d2)² / (2 sigma²)), where d1 and d2 are the distances to the nearest and the second nearest object.
    The paper adds a weight w_c that balances the classes; it is not part of this map. The weights of a loss are
    `1 + weight_map(instances)`, or w_c in place of the 1.

    Args:
        instances: int64 `(H, W)`, 0 for background and a number for each object, in any order and with gaps.
        w0: the weight where objects almost touch.
        sigma: how far it reaches, in pixels of the gap's width.

    Returns:
        float32 `(H, W)`; 0.0 on object pixels, and everywhere if there are fewer than two objects, so no gap. Distances
        are Euclidean, in pixels, from a pixel's centre to that of the object's nearest pixel.

    Raises:
        ValueError: `instances` is not `(H, W)`.
    """
    if instances.ndim != 2:
        raise ValueError(f"Expected one instance mask of shape (H, W), got {tuple(instances.shape)}.")
    nearest = torch.full(instances.shape, torch.inf, dtype=torch.float64)
    second = nearest
    for number in instances[instances > 0].unique():
        distance = torch.from_numpy(distance_transform_edt((instances != number).numpy()))
        second = torch.minimum(second, torch.maximum(nearest, distance))
        nearest = torch.minimum(nearest, distance)
    weights = w0 * torch.exp(-((nearest + second) ** 2) / (2 * sigma**2))  # exp(-inf) is 0: no second object, no gap
    return torch.where(instances == 0, weights, 0.0).float()


def combined_loss(logits: Tensor, target: Tensor, dice_weight: float = 0.5) -> Tensor:
    """Weighted mean of soft Dice loss, which sees whole objects, and cross-entropy, which teaches every pixel.

    Args:
        logits: float `(N, 1, H, W)`.
        target: float `(N, 1, H, W)`, 0.0 or 1.0.
        dice_weight: weight of the Dice loss, from 0 to 1; cross-entropy gets the rest.

    Returns:
        0-d tensor, 0.0 or more.

    Raises:
        ValueError: the shapes differ, or are not `(N, 1, H, W)`.
    """
    return dice_weight * soft_dice_loss(logits, target) + (1 - dice_weight) * bce_with_logits(logits, target)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of each pixel, in the shape of the logits."""
    if logits.shape != target.shape:
        raise ValueError(
            f"logits and target must have the same shape, got {tuple(logits.shape)} and {tuple(target.shape)}. "
            "A mask of shape (N, H, W) gets its channel with `target[:, None]`."
        )
    # Two equal numbers share the gradient of `maximum`, so at logit 0 it is 0.5 - target, as it should be.
    larger = torch.maximum(logits, torch.zeros_like(logits))
    return larger - logits * target + torch.log1p(torch.exp(-logits.abs()))


def _overlap_and_total(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """For each image, the overlap of probabilities and truth, and the sum of the two areas: `(N,)` each."""
    if logits.shape != target.shape or logits.ndim != 4 or logits.shape[1] != 1:
        raise ValueError(
            f"logits and target must both have the shape (N, 1, H, W), got {tuple(logits.shape)} and "
            f"{tuple(target.shape)}. A mask of shape (N, H, W) gets its channel with `target[:, None]`."
        )
    probability = torch.sigmoid(logits)
    return (probability * target).sum(dim=(1, 2, 3)), (probability + target).sum(dim=(1, 2, 3))
