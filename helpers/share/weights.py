"""A student's own network as one that anybody can rebuild, with the same logits.

Names and registration order of the layers do not matter: weights are taken in the order in which a forward pass first
uses them. Two choices that change the weights but not the function are undone here: a bias in front of a batch norm,
and whether the skip comes first or last in the decoder's concatenations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from helpers.eval_mode import eval_mode
from helpers.share.architectures import (
    ARCHITECTURES,
    MOST_NUMBERS,
    REFERENCE,
    REFERENCE_ARGUMENTS,
    SMP,
    Network,
    network_of_smp,
)
from helpers.share.errors import ShareError

TOLERANCE = 1e-4  # of the largest logit, or of 1 if that is less

_OF_SMP = ", ".join(architecture for library, architecture in ARCHITECTURES if library == SMP)
_WHAT_CAN = (
    "What can be shared is a network that computes what the course's UNet or Hourglass computes, whatever its layers "
    f"are called; the pretrained baseline; or one of segmentation_models_pytorch: {_OF_SMP}. Of any other keep the "
    'weights: `safetensors.torch.save_model(model, "first-try.safetensors")`.'
)


@torch.no_grad()
def rebuildable(model: nn.Module, image: Tensor) -> tuple[Network, dict[str, Tensor]]:
    """What rebuilds `model`, and its weights.

    Args:
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`; run in evaluation mode and left as it was.
        image: `(C, H, W)`, 0 to 1, such as the model is made for; random ones of this size are tried as well.

    Returns:
        The network, and its state on the CPU: float32, and int64 for counts.

    Raises:
        ShareError: it cannot be rebuilt, or the rebuilt network gives other logits.
    """
    noise = torch.rand(2, *image.shape, generator=torch.Generator().manual_seed(0))
    images = torch.cat([noise, image.as_subclass(Tensor)[None].float()])
    with eval_mode(model):
        logits, used, buffers = _run(model, images)
    if not isinstance(logits, Tensor) or logits.ndim != 4 or logits.shape[2:] != images.shape[2:]:
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ShareError(f"From images {tuple(images.shape)} the model makes {shape}, and logits (N, K, H, W) are due.")
    logits = logits.float().cpu()
    registered = {id(x) for x in model.parameters()}
    hidden = sum(id(x) not in registered for x in used)
    if hidden:
        raise ShareError(
            f"The model computes with {hidden} tensors of weights that PyTorch does not know as its own, so they were "
            "not trained. Are layers in a plain list? Use nn.ModuleList."
        )
    network = network_of_smp(model)
    if network is not None:
        states = [{name: x.detach().cpu() for name, x in model.state_dict().items()}]
    else:
        network = _matching(used, logits.shape[1])
        states = _in_order(network, used, buffers)
    nearest = float("inf")
    for state in states:
        rebuilt = network.skeleton()
        state = {name: x.contiguous().clone() for name, x in state.items()}
        try:
            rebuilt.load_state_dict(state, assign=True)
        except RuntimeError as error:
            raise ShareError(f"The model was changed after {network.call} made it: {str(error)[:300]}") from None
        difference = float((rebuilt(images) - logits).abs().max())
        if difference <= TOLERANCE * max(1.0, float(logits.abs().max())):
            return network, state
        nearest = min(nearest, difference)
    raise ShareError(
        f"The layers fit {network.call}, but with the same weights the logits differ by up to {nearest:.3g}: the model "
        f"computes something else, such as an activation at the end or another way up. {_WHAT_CAN}"
    )


def _run(model: nn.Module, images: Tensor) -> tuple[Any, list[Tensor], list[Tensor]]:
    """The logits, and the parameters and buffers in order of first use."""
    some = next(model.parameters(), torch.empty(0))
    use, images = _Use(model), images.to(some.device, some.dtype)
    try:
        # TF32, a GPU's default for convolutions, is not exact to four digits.
        with use, torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            logits = model(images)
    except Exception as error:
        raise ShareError(f"The model fails on images {tuple(images.shape)}: {error}") from error
    return logits, use.parameters, use.buffers


class _Use(TorchFunctionMode):
    """Notes each parameter and each buffer when a torch function first receives it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._buffers = {id(x) for x in model.buffers()}
        self._seen: set[int] = set()
        self.parameters: list[Tensor] = []
        self.buffers: list[Tensor] = []

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        # Asking a tensor for its device or shape does not use its values.
        for x in _tensors(args, kwargs or {}) if func.__name__ != "__get__" else ():
            if id(x) in self._seen:
                continue
            if isinstance(x, nn.Parameter):
                self.parameters.append(x)
            elif id(x) in self._buffers:
                self.buffers.append(x)
            else:
                continue
            self._seen.add(id(x))
        return func(*args, **(kwargs or {}))


def _tensors(args: Any, kwargs: dict) -> Iterator[Tensor]:
    for x in (*args, *kwargs.values()):
        if isinstance(x, Tensor):
            yield x
        elif isinstance(x, tuple | list):
            yield from _tensors(x, {})


def _matching(used: list[Tensor], num_classes: int) -> Network:
    """The reference network whose kernels have the shapes of those used, in the same order."""
    count = sum(x.numel() for x in used)
    if count > MOST_NUMBERS:
        raise ShareError(f"The model has {count:,} weights, and {MOST_NUMBERS:,} is the most. Use fewer channels.")
    shapes = [tuple(x.shape) for x in used if x.ndim == 4]
    if shapes:
        base_channels, in_channels = shapes[0][:2]
        arguments = {"in_channels": in_channels, "num_classes": num_classes, "base_channels": base_channels}
        for architecture in ("UNet", "Hourglass"):
            low, high = REFERENCE_ARGUMENTS["depth"]
            for depth in range(low, high + 1):
                try:
                    network = Network(REFERENCE, architecture, {**arguments, "depth": depth})
                    skeleton = network.skeleton()
                except ShareError:
                    break  # too large, like every deeper one
                if shapes == [tuple(x.shape) for x in skeleton.parameters() if x.ndim == 4]:
                    return network
    raise ShareError(f"No network of the course has the layers of this model. {_WHAT_CAN}")


def _in_order(network: Network, used: list[Tensor], buffers: list[Tensor]) -> list[dict[str, Tensor]]:
    """The state of the reference network with the given weights: for a skip that comes first, and for one last."""
    skeleton = network.skeleton()
    expected, given = _blocks(list(skeleton.parameters())), _blocks(used)
    statistics = iter([x.detach().float().cpu() for x in buffers])
    values, means = [], []
    for (_, own), (kernel, vectors) in zip(expected, given, strict=True):
        extra = len(vectors) - len(own)
        normed = len(own) == 2  # weight and bias of a batch norm; a single vector is a convolution's bias
        if extra not in ((0, 1) if normed else (0, -1)) or any(v.shape != own[0].shape for v in vectors):
            raise ShareError(
                f"After a kernel {tuple(kernel.shape)} the model uses {len(vectors)} vectors, where {network.call} "
                f"has {len(own)}: another norm, or none. {_WHAT_CAN}"
            )
        if normed:
            mean, variance = next(statistics, None), next(statistics, None)
            if mean is None or variance is None or not mean.shape == variance.shape == own[0].shape:
                raise ShareError(f"The model's norms keep no running mean and variance. {_WHAT_CAN}")
            means += [mean - vectors[0] if extra else mean, variance, torch.tensor(0)]  # no batch was counted
        values += [kernel, *(vectors[1:] if normed and extra else vectors), *[torch.zeros(own[0].shape)] * -extra]
    names = {name for name, _ in skeleton.named_parameters()}
    parameters, kept = iter(values), iter(means)
    state = {name: next(parameters if name in names else kept) for name in skeleton.state_dict()}
    if network.architecture == "Hourglass":
        return [state]
    swapped = dict(state)
    for k in range(network.arguments["depth"]):
        name = f"decoder.{k}.conv.layers.0.weight"
        swapped[name] = state[name].roll(state[name].shape[1] // 2, dims=1)
    return [state, swapped]


def _blocks(parameters: list[Tensor]) -> list[tuple[Tensor, list[Tensor]]]:
    """Each kernel with the vectors used after it, as float32 on the CPU."""
    blocks: list[tuple[Tensor, list[Tensor]]] = []
    for x in parameters:
        x = x.detach() if x.is_meta else x.detach().float().cpu()
        if x.ndim == 4:
            blocks.append((x, []))
        elif blocks:
            blocks[-1][1].append(x)
    return blocks
