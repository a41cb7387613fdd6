"""Runs a module on an image and finds what executed: blocks, levels, skips, costs. Data out, no drawing.

Nothing here goes by names. A mode beneath PyTorch's functions sees every operation, whether a layer, a function or
plain indexing asked for it (`recorder`), and notes for each result how far its neighbours are apart in the image (the
step), how much of the image it sees (the receptive field) and what it was made from (`operations`). From these come
nodes and edges (`assembly`) and what is said about them (`remarks`), together a `Trace` (`results`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from helpers.tracing.assembly import Assembly
from helpers.tracing.recorder import Recorder
from helpers.tracing.remarks import add_remarks
from helpers.tracing.results import Trace
from helpers.tracing.safe_forward import check_model, in_one_sentence, prepared, tensors, unharmed


def trace(model: Callable, *images: Tensor) -> Trace:
    """Run `model` on the images and find what executed.

    It runs in evaluation mode and without gradients, on copies of the images. Mode, parameters, buffers, gradients and
    random generators are afterwards as they were, also when it raises.

    Args:
        model: a module, or a function of tensors.
        images: float `(N, C, H, W)` or `(C, H, W)`, as many as the model takes. Of several, the largest is taken to be
            at full size.

    Raises:
        TypeError: `model` cannot be called, or is a class.
        ValueError: an image is no float tensor of three or four dimensions.
    """
    check_model(model)
    images = tuple(prepared(image, model) for image in images)
    recorder = Recorder(model, images)
    error, outputs = "", []
    with unharmed(model), recorder.following_modules(), torch.no_grad():
        try:
            with recorder:
                outputs = list(tensors(model(*images)))
        except Exception as raised:
            error = in_one_sentence(raised)
    assembly = Assembly(recorder, outputs)
    found = Trace(
        title=recorder.title,
        nodes=[assembly.node(key) for key in assembly.names],
        edges=assembly.edges(),
        parameters=sum(p.numel() for p in recorder.registered.values()),
        output=assembly.output(),
    )
    add_remarks(found, assembly, error)
    return found
