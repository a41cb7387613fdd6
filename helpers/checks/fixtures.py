"""Arguments that are no plain data: a model, a loader, an optimizer, a generator.

A probe names them and their settings (`Fixture`); they are made on the student's side, where the call happens, so
nothing but plain data crosses to it. What a call has done to them is read back as plain data, too (`state_of`).
"""

from __future__ import annotations

import functools
import gc
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Fixture:
    """One such argument: a kind from `MAKERS`, and plain settings for its maker."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Arg:
    """In the settings of a `Fixture`: the argument at this position, which has been made already."""

    position: int


class Batches:
    """A loader: iterates over `(images, masks)` in batches of `batch_size`, in order, and counts its rounds."""

    def __init__(self, images: Tensor, masks: Tensor, batch_size: int) -> None:
        self.images, self.masks, self.batch_size, self.rounds = images, masks, batch_size, 0

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    @property
    def dataset(self) -> list[tuple[Tensor, Tensor]]:
        """The pairs one by one, as a `DataLoader` has them."""
        return list(zip(self.images, self.masks, strict=True))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        self.rounds += 1
        for k in range(0, len(self.images), self.batch_size):
            yield self.images[k : k + self.batch_size].clone(), self.masks[k : k + self.batch_size].clone()


class ObservedNetwork(nn.Sequential):
    """A fully convolutional network `(N, C, H, W)` to `(N, K, H, W)` that notes how it is used.

    It takes at least `seconds` for an image, so that whoever times it can be checked.
    """

    def __init__(self, *layers: nn.Module, seconds: float = 0.0) -> None:
        super().__init__(*layers)
        self.seconds = seconds
        self.sides: set[tuple[int, int]] = set()  # (H, W) of the inputs
        self.trained = self.differentiated = False

    def forward(self, x: Tensor) -> Tensor:
        self.sides.add((x.shape[-2], x.shape[-1]))
        self.trained |= any(layer.training for layer in self.modules())
        self.differentiated |= torch.is_grad_enabled()
        if self.seconds:
            time.sleep(self.seconds * len(x))
        return super().forward(x)


class EncoderDecoder(nn.Module):
    """An encoder, a decoder and a head, and a training step to see what is frozen."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, head: nn.Module, images: Tensor) -> None:
        super().__init__()
        self.encoder, self.decoder, self.head, self.images = encoder, decoder, head, images

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.decoder(self.encoder(x)))

    def trained_on(self) -> dict[str, Any]:
        """Trains on for a step, and says what moved.

        That happens on the very network, since a copy would lose methods that were replaced and hooks; so this comes
        when nobody needs it any more.
        """
        try:
            return self._trained_on()
        except Exception as error:  # from a method that an answer put in
            return {"a training step": f"broke off: {type(error).__name__}: {error}"}

    def _trained_on(self) -> dict[str, Any]:
        rest = nn.ModuleList([self.decoder, self.head])
        parts = {"encoder": self.encoder, "rest": rest}
        seen: dict[str, Any] = {}
        with torch.no_grad():
            before = _numbers(self.encoder)
            self(self.images)
            seen["encoder: numbers that moved before train() was called"] = _moved(before, _numbers(self.encoder))
            self.eval()
            features, seen["output in evaluation mode"] = self.encoder(self.images), self(self.images)
        self.train()
        before = {name: _numbers(part) for name, part in parts.items()}
        trained_features = self.encoder(self.images)
        seen["encoder: same features in training mode"] = torch.allclose(features, trained_features)
        loss = (self(self.images) - 1).square().mean()
        if loss.requires_grad:
            loss.backward()
            torch.optim.SGD(self.parameters(), lr=0.1).step()
        for name, part in parts.items():
            seen[f"{name}: numbers that ask for a gradient"] = sum(
                p.numel() for p in part.parameters() if p.requires_grad
            )
            seen[f"{name}: numbers that moved"] = _moved(before[name], _numbers(part))
        seen["decoder: layers in training mode after train()"] = sum(m.training for m in self.decoder.modules())
        self.eval()
        seen["layers in training mode after eval()"] = sum(m.training for m in self.modules())
        return seen


def _numbers(part: nn.Module) -> dict[str, list[Tensor]]:
    return {
        "parameters": [p.detach().clone() for p in part.parameters()],
        "running statistics": [b.clone() for b in part.buffers() if b.is_floating_point()],
    }


def _moved(before: dict[str, list[Tensor]], after: dict[str, list[Tensor]]) -> dict[str, int]:
    """How many numbers are in tensors that changed, by kind."""
    return {
        kind: sum(x.numel() for x, y in zip(tensors, after[kind], strict=True) if not torch.equal(x, y))
        for kind, tensors in before.items()
    }


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _network(
    in_channels: int, num_classes: int, seed: int = 0, channels: int = 3, dropout: float = 0.0, training: bool = True
) -> nn.Module:
    """Conv 3×3, batch norm, ReLU, [dropout], conv 1×1: `(N, in_channels, H, W)` to `(N, num_classes, H, W)`."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # `torch.manual_seed` takes milliseconds
        layers = [
            nn.Conv2d(in_channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            *([nn.Dropout(dropout)] if dropout else []),
            nn.Conv2d(channels, num_classes, 1),
        ]
    return nn.Sequential(*layers).train(training)


@functools.lru_cache(maxsize=16)
def _kept_network(key: int) -> nn.Module:
    return _network(1, 2)


def _network_again(key: int, value: float) -> nn.Module:
    """The network that was made under this key before, now with `value` in every weight and running statistic.

    So the steps of a `Script` can hand in one network that goes on training between them.
    """
    model = _kept_network(key)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.fill_(value)
    return model


def _observed_network(
    in_channels: int,
    num_classes: int,
    seed: int,
    reach: int = 1,
    padding_mode: str = "zeros",
    training: bool = True,
    seconds: float = 0.0,
) -> nn.Module:
    """A network that looks `reach` pixels far; batch norm tells the modes apart, and no kernel is symmetric."""
    channels, side = 4, 3 if reach else 1
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # `torch.manual_seed` takes milliseconds
        layers: list[nn.Module] = []
        for k in range(max(reach, 1)):
            ins = channels if k else in_channels
            layers.append(nn.Conv2d(ins, channels, side, padding=side // 2, padding_mode=padding_mode))
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
        network = ObservedNetwork(*layers, nn.Conv2d(channels, num_classes, 1), seconds=seconds)
        _as_if_trained(network)
    return network.train(training)


def _as_if_trained(network: nn.Module) -> None:
    """Draws every parameter and running statistic, so that none is 0 or 1."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.uniform_(0.5, 1.5)
            else:
                parameter.normal_(std=(2 / parameter[0].numel()) ** 0.5)
        for buffer in network.buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.1, 0.9)


def _networks(settings: dict[str, dict[str, Any]]) -> dict[str, nn.Module]:
    """Fully convolutional networks by name; `frozen` makes the first so many of its layers ask for no gradient."""
    networks = {}
    for name, own in settings.items():
        own = dict(own)
        frozen = own.pop("frozen", 0)
        networks[name] = _observed_network(**own)
        networks[name][:frozen].requires_grad_(False)
    return networks


def _encoder_decoder(in_channels: int, num_classes: int, seed: int, training: bool = True) -> nn.Module:
    """Batch norms at two depths of the encoder, and one in the decoder; every layer has its own number of channels."""

    def block(ins: int, outs: int, *more: nn.Module) -> nn.Sequential:
        conv = nn.Conv2d(ins, outs, 3, padding=1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(outs, eps=1e-2), nn.ReLU(), *more)

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # `torch.manual_seed` takes milliseconds
        encoder = block(in_channels, 3, nn.MaxPool2d(2), block(3, 5))
        decoder = nn.Sequential(nn.Upsample(scale_factor=2), block(5, 4))
        images = torch.rand(2, in_channels, 6, 8)
        network = EncoderDecoder(encoder, decoder, nn.Conv2d(4, num_classes, 1), images)
        _as_if_trained(network)
    return network.train(training)


def _flip(axis: int = -1) -> Callable:
    return lambda image, mask: (image.flip(axis), mask.flip(axis))


def _flip_every_other(axis: int = -1) -> Callable:
    """Flips the pair of its first call, leaves that of the second alone, and so on."""
    calls = []

    def transform(image: Any, mask: Any) -> tuple[Any, Any]:
        calls.append(1)
        return (image.flip(axis), mask.flip(axis)) if len(calls) % 2 else (image, mask)

    return transform


def _shift(amount: int = 1) -> Callable:
    """Adds `amount` to every pixel of image and mask, in place, and returns both."""

    def transform(image: Any, mask: Any) -> tuple[Any, Any]:
        image += amount
        mask += amount
        return image, mask

    return transform


def _array(values: Tensor) -> np.ndarray:
    return values.numpy().copy()


def _arrays(values: list[Tensor]) -> list[np.ndarray]:
    return list(map(_array, values))


class CountedSGD:
    """Gradient descent that counts its steps, with the methods of a `torch.optim.Optimizer`.

    It is none, because the first of those in a process imports PyTorch's compiler, which takes seconds.
    """

    def __init__(self, model: nn.Module, lr: float) -> None:
        self.param_groups = [{"params": list(model.parameters()), "lr": lr}]
        self.steps = 0

    def zero_grad(self, set_to_none: bool = True) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = torch.zeros_like(p.grad)

    def step(self, closure: Callable | None = None) -> Any:
        self.steps += 1
        with torch.enable_grad():
            loss = None if closure is None else closure()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p -= group["lr"] * p.grad
        return loss


class WatchedLoss:
    """Cross-entropy that counts the backward passes reaching it, and knows which of its graphs are still alive."""

    def __init__(self) -> None:
        self.backward_passes = 0
        self._graphs: list[weakref.ref] = []

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        loss = F.cross_entropy(logits, target)
        if loss.requires_grad:
            hook = _Hook(self)  # lives as long as the graph that it hangs on
            loss.register_hook(hook)
            self._graphs.append(weakref.ref(hook))
        return loss

    def graphs_kept(self) -> bool:
        if any(graph() for graph in self._graphs):
            gc.collect(1)  # what only a young cycle keeps alive is not kept
        return any(graph() for graph in self._graphs)


class _Hook:
    def __init__(self, loss: WatchedLoss) -> None:
        self.loss = loss

    def __call__(self, gradient: Tensor) -> None:
        self.loss.backward_passes += 1


MAKERS: dict[str, Callable] = {
    "generator": _generator,
    "network": _network,
    "network made before": _network_again,
    "fully convolutional network": _observed_network,
    "networks by name": _networks,
    "network with an encoder": _encoder_decoder,
    "batches": Batches,
    "flip of a pair": _flip,
    "flip of every other pair": _flip_every_other,
    "shift of a pair in place": _shift,
    "NumPy array": _array,
    "list of NumPy arrays": _arrays,
    "sgd": CountedSGD,
    "cross entropy": lambda: F.cross_entropy,
    "watched cross entropy": WatchedLoss,
}


def make(value: Any, made_before: list[Any]) -> Any:
    """`value` itself, or what a `Fixture` describes; `made_before` are the arguments left of it."""
    if not isinstance(value, Fixture):
        return value
    settings = {k: made_before[v.position] if isinstance(v, Arg) else v for k, v in value.settings.items()}
    return MAKERS[value.kind](**settings)


def state_of(thing: Any) -> Any:
    """What a call may have changed in a made argument, as plain data; `None` where there is nothing to tell."""
    if isinstance(thing, EncoderDecoder):
        return thing.trained_on()
    if isinstance(thing, dict):
        return {name: state_of(part) for name, part in thing.items()}
    if isinstance(thing, nn.Module):
        state = {
            "parameters": [p.detach().clone() for p in thing.parameters()],
            "buffers": [b.detach().clone() for b in thing.buffers()],
            "training": [layer.training for layer in thing.modules()],
            "requires gradient": [p.requires_grad for p in thing.parameters()],
        }
        if isinstance(thing, ObservedNetwork):
            state["sides of its inputs"] = sorted(thing.sides)
            state["ran in training mode"] = thing.trained
            state["ran with gradients"] = thing.differentiated
        return state
    if isinstance(thing, Batches):
        return {"rounds": thing.rounds}
    if isinstance(thing, CountedSGD):
        return {"steps": thing.steps}
    if isinstance(thing, WatchedLoss):
        return {"backward passes": thing.backward_passes, "graphs kept": thing.graphs_kept()}
    if isinstance(thing, torch.Generator):
        fresh = torch.Generator().manual_seed(thing.initial_seed())
        drawn = not torch.equal(thing.get_state(), fresh.get_state())
        return {"seed": str(thing.initial_seed()), "drawn from": drawn}
    return None


def overwritten(thing: Any, described: Fixture) -> bool:
    """Whether an array that was made from a description holds other values now."""
    return isinstance(thing, np.ndarray) and not np.array_equal(thing, described.settings["values"].numpy())
