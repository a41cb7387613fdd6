"""Put a module into evaluation mode, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; afterwards every layer is in the mode it came in, frozen ones too.

    The flags are set directly, because a model may have a `train` of its own, as a frozen encoder does.
    """
    modes = [(layer, layer.training) for layer in model.modules()]
    try:
        for layer, _ in modes:
            layer.training = False
        yield
    finally:
        for layer, training in modes:
            layer.training = training
