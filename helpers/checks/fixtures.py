"""Arguments that are no plain data: a model, a loader, an optimizer, a generator.

A probe names them and their settings (`Fixture`); they are made on the student's side, where the call happens, so
nothing but plain data crosses to it. What a call has done to them is read back as plain data, too (`state_of`).
"""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Transform = Callable[[Any, Any], tuple[Any, Any]]  # of image and mask


@dataclass(frozen=True)
class Fixture:
    """One such argument: a kind from `MAKERS`, and the maker's arguments as plain data."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Arg:
    """In the settings of a `Fixture`: the argument of the call at this position, further to the left."""

    position: int


class Batches:
    """A loader: goes through `(images, masks)` in batches of `batch_size`, in order, and counts its rounds."""

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
        parts = (torch.split(x, self.batch_size) for x in (self.images, self.masks))
        for images, masks in zip(*parts, strict=True):
            yield images.clone(), masks.clone()


@dataclass
class _Notes:
    """How a network was used."""

    seconds: float = 0.0  # that it takes for an image
    sides: set[tuple[int, int]] = field(default_factory=set)  # (H, W) of the inputs
    trained: bool = False
    differentiated: bool = False

    def note(self, network: nn.Module, x: Tensor) -> None:
        """Note the side, the mode and whether gradients are on, and take the time."""
        self.sides.add((x.shape[-2], x.shape[-1]))
        self.trained |= any(layer.training for layer in network.modules())
        self.differentiated |= torch.is_grad_enabled()
        if self.seconds:
            time.sleep(self.seconds * len(x))

    def __deepcopy__(self, memo: Any) -> _Notes:
        """Itself: a copy of the network that is used instead of it notes in the same place."""
        return self


class ObservedNetwork(nn.Sequential):
    """A fully convolutional network `(N, C, H, W)` to `(N, K, H, W)` that notes how it is used.

    It takes at least `seconds` for an image, so that an answer that times it can be checked. Neither these nor its
    notes are attributes of it, which an answer would find.
    """

    def __init__(self, *layers: nn.Module, seconds: float = 0.0) -> None:
        super().__init__(*layers)
        self.note = _Notes(seconds).note

    def forward(self, x: Tensor) -> Tensor:
        """Note how it is used, and compute."""
        self.note(self, x)
        for layer in self:
            x = layer(x)
        return x


class EncoderDecoder(nn.Module):
    """An encoder, a decoder and a head, and a training step to see what is frozen."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, head: nn.Module, images: Tensor) -> None:
        super().__init__()
        self.encoder, self.decoder, self.head, self.images = encoder, decoder, head, images

    def forward(self, x: Tensor) -> Tensor:
        """Logits, as large as the decoder makes them."""
        logits: Tensor = self.head(self.decoder(self.encoder(x)))
        return logits


def _trained_on(network: EncoderDecoder) -> dict[str, Any]:
    """What one more training step moves.

    It changes the network itself, since a copy would lose hooks and replaced methods; so this comes last.
    """
    try:
        return _training_step(network)
    except Exception as error:  # from a method that an answer put in
        return {"a training step": f"broke off: {type(error).__name__}: {error}"}


def _training_step(network: EncoderDecoder) -> dict[str, Any]:
    encoder, rest = [network.encoder], [network.decoder, network.head]
    seen: dict[str, Any] = {}
    with torch.no_grad():
        at_first = _numbers(encoder)
        network(network.images)
        seen["encoder: numbers that moved before train() was called"] = _moved(at_first, _numbers(encoder))
        network.eval()
        features, seen["output in evaluation mode"] = network.encoder(network.images), network(network.images)
    network.train()
    before = {"encoder": _numbers(encoder), "rest": _numbers(rest)}
    seen["encoder: same features in training mode"] = torch.allclose(features, network.encoder(network.images))
    loss = (network(network.images) - 1).square().mean()
    if loss.requires_grad:
        loss.backward()
        torch.optim.SGD(_parameters([network]), lr=0.1).step()
    for name, part in (("encoder", encoder), ("rest", rest)):
        differentiable = sum(p.numel() for p in _parameters(part) if p.requires_grad)
        seen[f"{name}: numbers that ask for a gradient"] = differentiable
        seen[f"{name}: numbers that moved"] = _moved(before[name], _numbers(part))
    decoder = _layers([network.decoder])
    seen["decoder: layers in training mode after train()"] = sum(layer.training for layer in decoder)
    network.eval()
    seen["layers in training mode after eval()"] = sum(layer.training for layer in _layers([network]))
    return seen


def _layers(parts: list[nn.Module]) -> list[nn.Module]:
    """All layers in these, as they are registered: an answer may have replaced the methods that tell."""
    found: dict[nn.Module, None] = {}
    waiting = list(parts)
    while waiting:
        layer = waiting.pop(0)
        if layer not in found:
            found[layer] = None
            waiting += [inner for inner in vars(layer)["_modules"].values() if inner is not None]
    return list(found)


def _parameters(parts: list[nn.Module]) -> list[nn.Parameter]:
    held = [p for layer in _layers(parts) for p in vars(layer)["_parameters"].values() if p is not None]
    return list({id(p): p for p in held}.values())


def _numbers(parts: list[nn.Module]) -> dict[str, list[Tensor]]:
    buffers = [b for layer in _layers(parts) for b in vars(layer)["_buffers"].values() if b is not None]
    return {
        "parameters": [p.detach().clone() for p in _parameters(parts)],
        "running statistics": [b.clone() for b in buffers if b.is_floating_point()],
    }


def _moved(before: dict[str, list[Tensor]], after: dict[str, list[Tensor]]) -> dict[str, int]:
    """How many numbers are in tensors that changed, by kind."""
    return {
        kind: sum(x.numel() for x, y in zip(tensors, after[kind], strict=True) if not torch.equal(x, y))
        for kind, tensors in before.items()
    }


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let the body draw as after `torch.manual_seed(seed)`, and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # `torch.manual_seed` takes milliseconds
        yield


def _network(in_channels: int, num_classes: int, seed: int = 0, training: bool = True) -> nn.Module:
    """Conv 3×3, batch norm, ReLU, conv 1×1: `(N, in_channels, H, W)` to `(N, num_classes, H, W)`."""
    with seeded(seed):
        conv, head = nn.Conv2d(in_channels, 3, 3, padding=1), nn.Conv2d(3, num_classes, 1)
    return nn.Sequential(conv, nn.BatchNorm2d(3), nn.ReLU(), head).train(training)


@functools.lru_cache(maxsize=16)
def _kept_network(key: int) -> nn.Module:
    with seeded(0):
        return nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))


def _network_again(key: int, value: float) -> nn.Module:
    """The network of this key, now with `value` in every weight and running statistic.

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
    padding_mode: Literal["zeros", "reflect"] = "zeros",
    training: bool = True,
    seconds: float = 0.0,
    momentum: float | None = 0.1,
) -> ObservedNetwork:
    """A network that looks `reach` pixels far; batch norm tells the modes apart, and no kernel is symmetric.

    Without a `momentum`, what passes in training mode leave behind does not depend on their order.
    """
    channels, side = 4, 3 if reach else 1
    with seeded(seed):
        layers: list[nn.Module] = []
        for k in range(max(reach, 1)):
            ins = channels if k else in_channels
            layers.append(nn.Conv2d(ins, channels, side, padding=side // 2, padding_mode=padding_mode))
            layers += [nn.BatchNorm2d(channels, momentum=momentum), nn.ReLU()]
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


def _networks(settings: dict[str, dict[str, Any]]) -> dict[str, ObservedNetwork]:
    """Fully convolutional networks by name; the first `frozen` layers of each ask for no gradient."""

    def network(frozen: int = 0, **own: Any) -> ObservedNetwork:
        made = _observed_network(**own)
        made[:frozen].requires_grad_(False)
        return made

    return {name: network(**own) for name, own in settings.items()}


def _encoder_decoder(
    in_channels: int, num_classes: int, seed: int, training: bool = True, norms: bool = True
) -> nn.Module:
    """Batch norms at two depths of the encoder (if `norms`), and one in the decoder; all widths are unlike."""

    class Block(nn.Sequential):  # made anew, for an answer that changes the class
        pass

    def block(ins: int, outs: int, *more: nn.Module, norm: bool = norms) -> nn.Sequential:
        conv = nn.Conv2d(ins, outs, 3, padding=1, bias=not norm)
        return Block(conv, *([nn.BatchNorm2d(outs, eps=1e-2)] if norm else []), nn.ReLU(), *more)

    with seeded(seed):
        encoder = block(in_channels, 3, nn.MaxPool2d(2), block(3, 5))
        decoder = Block(nn.Upsample(scale_factor=2), block(5, 4, norm=True))
        images = torch.rand(2, in_channels, 6, 8)
        network = EncoderDecoder(encoder, decoder, nn.Conv2d(4, num_classes, 1), images)
        _as_if_trained(network)
    return network.train(training)


def _flip(axis: int = -1) -> Transform:
    return lambda image, mask: (image.flip(axis), mask.flip(axis))


def _flip_every_other() -> Transform:
    """Flips the pair of its first call, leaves that of the second alone, and so on."""
    flip, earlier_calls = _flip(), itertools.count()
    return lambda image, mask: (image, mask) if next(earlier_calls) % 2 else flip(image, mask)


def _flip_every_other_of_any() -> Callable[..., Any]:
    """As above, and takes one tensor, several, or a tuple of them, as torchvision's transforms do; returns as many."""
    earlier_calls = itertools.count()

    def transform(*given: Any) -> Any:
        parts = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
        done = parts if next(earlier_calls) % 2 else tuple(x.flip(-1) for x in parts)
        return done[0] if len(done) == 1 else done

    return transform


def _shift(image: Any, mask: Any) -> tuple[Any, Any]:
    """Adds 1 to every pixel of image and mask, in place."""
    image += 1
    mask += 1
    return image, mask


class CountedSGD:
    """Gradient descent that counts its steps, with the methods of a `torch.optim.Optimizer`.

    It is none, because the first of those in a process imports PyTorch's compiler, which takes seconds.
    """

    def __init__(self, model: nn.Module, lr: float) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": list(model.parameters()), "lr": lr}]
        self.steps = 0

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set every gradient to `None`, or to zeros."""
        for p, _ in self._parameters():
            p.grad = None if set_to_none or p.grad is None else torch.zeros_like(p.grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, after calling `closure` if there is one, and return what that gives."""
        self.steps += 1
        with torch.enable_grad():
            loss = None if closure is None else closure()
        with torch.no_grad():
            for p, lr in self._parameters():
                if p.grad is not None:
                    p -= lr * p.grad
        return loss

    def _parameters(self) -> list[tuple[Tensor, float]]:
        return [(p, group["lr"]) for group in self.param_groups for p in group["params"]]


class WatchedLoss:
    """`scale` times cross-entropy; counts the backward passes reaching it, and knows which graphs are still alive."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale, self.backward_passes = scale, 0
        self._graphs: list[weakref.ref[Any]] = []

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """The mean loss of logits `(N, K, H, W)` and classes `(N, H, W)`."""
        loss = self.scale * F.cross_entropy(logits, target)
        if loss.requires_grad:

            def hook(gradient: Tensor) -> None:  # lives as long as the graph that it hangs on
                self.backward_passes += 1

            register_hook: Callable[[Callable[[Tensor], None]], object] = loss.register_hook
            register_hook(hook)
            self._graphs.append(weakref.ref(hook))
        return loss

    def graphs_kept(self) -> bool:
        """Whether a graph is still alive."""
        if any(graph() for graph in self._graphs):
            gc.collect(1)  # what only a young cycle keeps alive is not kept
        return any(graph() for graph in self._graphs)


MAKERS: dict[str, Callable[..., Any]] = {
    "generator": lambda seed: torch.Generator().manual_seed(seed),
    "network": _network,
    "network made before": _network_again,
    "fully convolutional network": _observed_network,
    "networks by name": _networks,
    "network with an encoder": _encoder_decoder,
    "batches": Batches,
    "list of batches": lambda **settings: list(Batches(**settings)),
    "flip of a pair": _flip,
    "flip of every other pair": _flip_every_other,
    "flip of every other pair, of one tensor or several": _flip_every_other_of_any,
    "shift of a pair in place": lambda: _shift,
    "NumPy array": lambda values: values.numpy().copy(),
    "list of NumPy arrays": lambda values: [x.numpy().copy() for x in values],
    "sgd": CountedSGD,
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
        return _trained_on(thing)
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
            notes: _Notes = thing.note.__self__  # type: ignore[attr-defined]
            state["sides of its inputs"] = sorted(notes.sides)
            state["ran in training mode"] = notes.trained
            state["ran with gradients"] = notes.differentiated
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
