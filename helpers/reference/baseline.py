"""Lesson 10: the network to beat, pretrained on a million photographs."""

from __future__ import annotations

import time
import types
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from helpers.reference.training import evaluate


def normalise(image: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """An image as the encoder was trained on: from each channel its mean subtracted, divided by its standard deviation.

    Args:
        image: float `(C, H, W)` or `(N, C, H, W)` from 0 to 1, with as many channels as `mean`, or a single one: grey,
            which is used for every channel, as a grey photograph in RGB.
        mean: mean of each channel over the encoder's training images.
        std: standard deviation of each channel, above 0.

    Returns:
        A new float tensor with `len(mean)` channels.

    Raises:
        ValueError: the image has neither one channel nor as many as `mean`, or `std` is of another length.
    """
    if len(mean) != len(std) or image.shape[-3] not in (1, len(mean)):
        raise ValueError(
            f"An image with {image.shape[-3]} channels does not go with {len(mean)} means and {len(std)} standard "
            f"deviations. Give one of each for every channel; a grey image has 1 channel and goes with any number."
        )
    mean, std = (image.new_tensor(values)[:, None, None] for values in (mean, std))  # (C, 1, 1)
    return (image - mean) / std  # (1, H, W) minus (C, 1, 1) is (C, H, W)


def freeze_encoder(model: nn.Module) -> nn.Module:
    """Freeze the encoder: from now on training leaves `model.encoder` as it is.

    Two things move in training, and both have to stop: parameters follow their gradient, and a batch norm's running
    statistics follow the data in every forward pass in training mode, gradient or not. In that mode it also computes
    with the statistics of the batch, so the decoder would get other features than in evaluation mode.

    Args:
        model: any network with an `encoder`; changed in place. The rest of it goes on learning.

    Returns:
        The same model: no parameter of its encoder requires a gradient, and its encoder stays in evaluation mode, even
        after `model.train()`.
    """
    model.encoder.requires_grad_(False)
    # `model.train()` calls `train` of each part; this part now has its own.
    model.encoder.train = types.MethodType(_stay_in_evaluation_mode, model.encoder)
    model.encoder.eval()
    return model


def compare(
    models: dict[str, nn.Module], loader: Iterable[tuple[Tensor, Tensor]]
) -> list[dict[str, str | int | float]]:
    """What each model costs and how good it is, measured on the same images.

    Args:
        models: by name; each maps images `(N, C, H, W)` to logits `(N, K, H, W)` and is left in its mode.
        loader: images `(N, C, H, W)` and masks `(N, H, W)` of class indices, the same in every pass.

    Returns:
        A row for each model, in their order: `"name"`; `"parameters"`, their number, frozen ones included; `"ms"`,
        milliseconds of prediction for one image; `"dice"` and `"iou"`, as in `evaluate`.
    """
    rows = []
    for name, model in models.items():
        scores = evaluate(model, loader)  # before the clock starts: the first pass is slower than the others
        rows.append(
            {
                "name": name,
                "parameters": sum(p.numel() for p in model.parameters()),
                "ms": _milliseconds_an_image(model, loader),
                "dice": scores["dice"],
                "iou": scores["iou"],
            }
        )
    return rows


def _stay_in_evaluation_mode(encoder: nn.Module, mode: bool = True) -> nn.Module:
    """Replaces `encoder.train`: whatever mode is asked for, evaluation mode is set."""
    return type(encoder).train(encoder, False)


@torch.no_grad()
def _milliseconds_an_image(model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]) -> float:
    was_training = model.training
    model.eval()
    seconds, count = 0.0, 0
    for images, _ in loader:  # loading is not on the clock
        start = time.perf_counter()
        model(images)
        seconds += time.perf_counter() - start
        count += len(images)
    model.train(was_training)
    return 1000 * seconds / count
