"""Lesson 10: a network that others trained on a million photographs, as the one to beat."""

from __future__ import annotations

import time
import types
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from helpers.reference.training import evaluate


def normalise(image: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """An image as the encoder knows it from its training: each channel less its mean, over its standard deviation.

    Args:
        image: float `(C, H, W)` or `(N, C, H, W)` from 0 to 1, with as many channels as `mean` has, or a single one.
            A single one, grey, is used for every channel: that is what a grey photograph looks like in RGB.
        mean: mean of each channel over the pictures the encoder was trained on.
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
    """Keep what the encoder knows: from now on training leaves `model.encoder` as it is.

    Two things move in training, and both have to stop. Parameters follow their gradient. The running statistics of a
    batch norm follow the data in every forward pass in training mode, gradient or not; and in that mode it computes
    with the statistics of the batch, so the encoder would give the decoder other features than in evaluation mode.

    Args:
        model: any network with an `encoder`. It is changed in place. The rest of it goes on learning.

    Returns:
        The same model: no parameter of its encoder asks for a gradient, and its encoder stays in evaluation mode, also
        when `model.train()` is called later.
    """
    model.encoder.requires_grad_(False)
    # `model.train()` calls `train` of each part; this part now has its own.
    model.encoder.train = types.MethodType(_stay_in_evaluation_mode, model.encoder)
    model.encoder.eval()
    return model


def compare(
    models: dict[str, nn.Module], loader: Iterable[tuple[Tensor, Tensor]]
) -> list[dict[str, str | int | float]]:
    """What each model costs and what it gets, measured on the same images.

    Args:
        models: by name; each maps images `(N, C, H, W)` to logits `(N, K, H, W)`, and is given back in the mode it
            came in.
        loader: gives images `(N, C, H, W)` and masks `(N, H, W)` of class indices, the same ones in every round.

    Returns:
        A row for each model, in their order: `"name"`; `"parameters"`, how many numbers there are to learn, frozen ones
        among them; `"ms"`, milliseconds of prediction for one image; `"dice"` and `"iou"`, as `evaluate` gives them.
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
    """Takes the place of `encoder.train`: whatever mode is asked for, it is evaluation mode."""
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
