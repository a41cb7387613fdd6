"""Lesson 09: more data from the data there is, the loop, and when to stop it."""

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
    """Flip and turn an image and its mask at random, both in the same way, and change the light of the image.

    All eight ways up of a square are equally likely. What is not square is flipped only: a quarter turn would exchange
    its sides, and a batch needs images of one size.

    Args:
        image: float `(C, H, W)`, 0.0 to 1.0.
        mask: int64 `(H, W)`, class indices.
        generator: where every random number is drawn from.

    Returns:
        A new image and a new mask, in the shapes of those given: the image within 0.0 to 1.0, its contrast and its
        brightness changed by up to 0.2; the mask with the values it had.

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
    """Bend an image and its mask, both in the same way: elastic deformation (Simard et al. 2003).

    Every pixel of the result is fetched from a place a little off its own. How far off is smooth noise: neighbours move
    alike. The 2015 U-Net (Ronneberger et al.) owes it much of what it learned from 30 images.

    Args:
        image: float `(C, H, W)`.
        mask: int64 `(H, W)`, class indices.
        alpha: how far pixels move along each axis, in pixels: the root mean square over the image. 0 moves nothing.
        sigma: standard deviation in pixels of the Gaussian that smooths the noise; the larger, the wider the bends.
        generator: where every random number is drawn from.

    Returns:
        A new image, interpolated bilinearly, and a new mask, taken from the nearest pixel. Beyond the border the
        nearest pixel inside counts.

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
        model: images `(N, C, H, W)` to logits; trained in place, and in training mode afterwards.
        loader: gives images `(N, C, H, W)` and masks `(N, H, W)`.
        loss_fn: `loss_fn(logits, masks)` is the mean loss of the batch, a 0-d tensor.
        optimizer: holds the model's parameters.

    Returns:
        The mean loss of an image. A last batch that is smaller counts for as many images as it has.
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
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`. With K = 1 it is the logit of "object", and the object
            is where it is above 0; with more, a pixel's class is that of its largest logit, and 0 is background.
        loader: gives images `(N, C, H, W)` and masks `(N, H, W)` of class indices, a label in every pixel.

    Returns:
        `"loss"`, the cross-entropy; `"iou"` and `"dice"`, as in lesson 02, of each class but the background, mean over
        these classes. The model is back in the mode it came in.
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
    """Says when training no longer helps, and keeps the weights of the best epoch (Prechelt 1998).

        if stopping.step(score, model):
            break
        ...
        model.load_state_dict(stopping.best_weights)

    Args:
        patience: how many values in a row may fail to beat the best, 1 or more; the last of them stops.
        mode: `"max"` where larger is better, as for Dice; `"min"` for a loss.

    Attributes:
        best: the best value so far, `None` before there is one.
        best_weights: `state_dict()` of the model at the best value, copied; `None` where no model was given.

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
        """Take in the value of one epoch; true when it is time to stop.

        Only a value that is truly better counts: not an equal one, and never NaN.
        """
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
