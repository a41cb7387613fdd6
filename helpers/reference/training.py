"""Lesson 09: augmentation, the training loop, and when to stop it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter, map_coordinates
from torch import Tensor, nn

from helpers.reference.overlap import dice, iou

Batches = Iterable[tuple[Tensor, Tensor]]  # images (N, C, H, W) and masks (N, H, W), such as a DataLoader gives


def augment_pair(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Flip and turn an image and its mask at random, both alike, and change the light of the image.

    All eight ways up of a square are equally likely. Other images are only flipped: a quarter turn would exchange their
    sides, and a batch needs images of one size.

    Args:
        image: float `(C, H, W)`, 0.0 to 1.0.
        mask: int64 `(H, W)`, class indices.
        generator: source of every random number.

    Returns:
        A new image within 0.0 to 1.0, its contrast and brightness changed by up to 0.2, and a new mask with the old
        values; shapes as before.

    Raises:
        ValueError: image and mask differ in size.
    """
    _check_pair(image, mask)
    height, width = mask.shape
    upside_down, mirrored, turned = torch.rand(3, generator=generator) < 0.5
    contrast, brightness = torch.empty(2).uniform_(-0.2, 0.2, generator=generator)

    axes = [axis for axis, flipped in ((-2, upside_down), (-1, mirrored)) if flipped]
    image, mask = image.flip(axes), mask.flip(axes)  # (C, H, W), (H, W)
    if turned and height == width:
        image, mask = image.rot90(1, (-2, -1)), mask.rot90(1, (-2, -1))

    image = (image - 0.5) * (1 + contrast) + 0.5 + brightness
    return image.clamp(0, 1), mask


def elastic_pair(
    image: Tensor, mask: Tensor, alpha: float, sigma: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Bend an image and its mask alike: elastic deformation (Simard et al. 2003).

    Every pixel is fetched from a place a little off its own. The offset is smooth noise: neighbours move alike. The
    2015 U-Net (Ronneberger et al.) owes it much of what it learned from 30 images.

    Args:
        image: float `(C, H, W)`.
        mask: int64 `(H, W)`, class indices.
        alpha: root mean square of the offset along each axis, in pixels; 0 moves nothing.
        sigma: standard deviation in pixels of the Gaussian that smooths the noise; the larger, the wider the bends.
        generator: source of every random number.

    Returns:
        A new image, interpolated bilinearly, and a new mask, from the nearest pixel. Beyond the border the nearest
        pixel inside counts.

    Raises:
        ValueError: image and mask differ in size.
    """
    _check_pair(image, mask)
    height, width = mask.shape
    noise = 2 * torch.rand(2, height, width, generator=generator).numpy() - 1  # for rows and for columns
    offsets = gaussian_filter(noise, (0, sigma, sigma))
    # Smoothing averages most of the noise away, so its size is set afterwards.
    offsets *= alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))

    places = np.indices((height, width)) + offsets  # (2, H, W), in pixels
    bent = [map_coordinates(channel, places, order=1, mode="nearest") for channel in image.numpy()]
    labels = map_coordinates(mask.numpy(), places, order=0, mode="nearest")  # never between two classes
    return torch.from_numpy(np.stack(bent)), torch.from_numpy(labels)


def train_one_epoch(
    model: nn.Module,
    loader: Batches,
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    """Show the model every batch once, with one step of the optimizer after each.

    Args:
        model: images `(N, C, H, W)` to logits; trained in place, and left in training mode.
        loader: images `(N, C, H, W)` and masks `(N, H, W)`.
        loss_fn: `loss_fn(logits, masks)` is the mean loss of the batch, a 0-d tensor.
        optimizer: of the model's parameters.

    Returns:
        The mean loss over the images, so a smaller last batch counts less.
    """
    model.train()
    total, count = 0.0, 0
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)  # .item(): a number, so that the graph can go
        count += len(images)
    return total / count


@torch.no_grad()
def evaluate(model: nn.Module, loader: Batches) -> dict[str, float]:
    """Loss and overlap of a model's predictions, each the mean over all images.

    Args:
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`, left in its mode. With K = 1 the object is where the
            logit is above 0; with more, a pixel's class is that of its largest logit, and 0 is background.
        loader: images `(N, C, H, W)` and masks `(N, H, W)` of class indices, with a label in every pixel.

    Returns:
        `"loss"`, the cross-entropy; `"iou"` and `"dice"`, as in lesson 02, means over the classes but the background.
    """
    was_training = model.training
    model.eval()
    sums, count = {"loss": 0.0, "iou": 0.0, "dice": 0.0}, 0
    for images, masks in loader:
        logits = model(images)  # (N, K, H, W)
        if logits.shape[1] == 1:  # sigmoid(z) is softmax over (0, z): one logit is two classes
            logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
        sums["loss"] += F.cross_entropy(logits, masks).item() * len(images)
        classes = range(1, logits.shape[1])
        for pred, target in zip(logits.argmax(dim=1), masks, strict=True):  # (H, W)
            for c in classes:
                sums["iou"] += iou(pred == c, target == c) / len(classes)
                sums["dice"] += dice(pred == c, target == c) / len(classes)
        count += len(images)
    model.train(was_training)
    return {name: total / count for name, total in sums.items()}


class EarlyStopping:
    """Tell when training no longer helps, and keep the weights of the best epoch (Prechelt 1998).

        if stopping.step(score, model):
            break
        ...
        model.load_state_dict(stopping.best_weights)

    Args:
        patience: stop after so many values in a row that do not beat the best, 1 or more.
        mode: `"max"` if larger is better, as for Dice; `"min"` for a loss.

    Attributes:
        best: the best value so far, `None` before there is one.
        best_weights: a copy of the model's `state_dict()` at the best value; `None` if no model was given.

    Raises:
        ValueError: `mode` is neither of the two, or `patience` is below 1.
    """

    def __init__(self, patience: int, mode: str = "max") -> None:
        if mode not in ("max", "min"):
            raise ValueError(f'mode is {mode!r}; it must be "max" or "min".')
        if patience < 1:
            raise ValueError(f"patience is {patience}; it must be 1 or more.")
        self.patience, self.mode = patience, mode
        self.best: float | None = None
        self.best_weights: dict[str, Tensor] | None = None
        self.waited = 0

    def step(self, value: float, model: nn.Module | None = None) -> bool:
        """Take the value of one epoch; true when it is time to stop. An equal value is not better, nor is NaN."""
        if self._is_better(value):
            self.best, self.waited = value, 0
            if model is not None:  # copied, because training goes on in these very tensors
                self.best_weights = copy.deepcopy(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return not math.isnan(value)
        return value > self.best if self.mode == "max" else value < self.best


def _check_pair(image: Tensor, mask: Tensor) -> None:
    if image.shape[-2:] != mask.shape:
        raise ValueError(
            f"image and mask must be of one size; they are {tuple(image.shape)} and {tuple(mask.shape)}. "
            f"Expected is a mask of shape {tuple(image.shape[-2:])}."
        )
