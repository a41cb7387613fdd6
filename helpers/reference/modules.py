"""Lesson 03: one step of training, and a first module."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def gradient_step(x: Tensor, truth: Tensor, w: Tensor, b: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    """One step of gradient descent on the mean binary cross-entropy of the logits `w * x + b`.

    The gradient of that loss by a logit is the predicted probability less the truth.

    Args:
        x, truth: float, of one shape; truth is 0 or 1.
        w, b: float `()`.
        lr: the learning rate, how far to go against the gradient.

    Returns:
        The new `w` and `b`, float `()`.
    """
    error = torch.sigmoid(w * x + b) - truth
    return w - lr * (error * x).mean(), b - lr * error.mean()


class PixelClassifier(nn.Module):
    """One logit for each pixel, from numbers that describe it: `(N, features)` to `(N,)`.

    Args:
        features: numbers that describe a pixel.
        hidden: numbers between the two linear layers.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(features, hidden)
        self.second = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(N,)` of the pixels `(N, features)`."""
        logits: Tensor = self.second(torch.relu(self.first(x)))  # (N, 1)
        return logits.squeeze(1)
