"""Which parameters a forward pass uses, in an order and a form that do not depend on what tasks leave open.

A task leaves three things open, and they must change neither a verdict nor a name:

- a bias before a batch norm, which the norm takes away again, or in a transposed convolution: it is not listed, and
  held at zero;
- the order of two maps that are concatenated along the channels: the weights that receive them are permuted, so that
  the map with fewer convolutions behind it, the skip, counts as the first;
- when a layer was made or registered: what counts is when it is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

CONVOLUTIONS = {"conv1d", "conv2d", "conv3d"}
TRANSPOSED = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
NORMS = {"batch_norm", "instance_norm"}
CONCATENATIONS = {"cat", "concat", "concatenate", "hstack"}
KEEP_CHANNELS = {"relu", "relu_", "pad", "clone", "contiguous", "dropout", "dropout2d"}
DEEPEST = 16  # a list in a list in ...; no task asks for more than four


@dataclass
class Usage:
    """The parameters that a pass used.

    Attributes:
        parameters: in the order of their first use, without those that are open.
        open: those that are held at zero.
        exchanged: for a weight, by its place in `parameters`, the channels of the map that came first and is to count
            as the second.
        result_exchanged: the same for the result, where it is such a pair of maps.
    """

    parameters: list[nn.Parameter] = field(default_factory=list)
    open: list[nn.Parameter] = field(default_factory=list)
    exchanged: dict[int, int] = field(default_factory=dict)
    result_exchanged: int | None = None

    def result(self, made: Any) -> Any:
        """What the pass gave, with its channels in the order that counts."""
        return made if self.result_exchanged is None else made.roll(-self.result_exchanged, dims=1)

    def set(self, values: list[Tensor]) -> None:
        """Give the parameters these values, and the open ones zero."""
        with torch.no_grad():
            for k, (parameter, value) in enumerate(zip(self.parameters, values, strict=True)):
                parameter.copy_(value.roll(self.exchanged[k], dims=1) if k in self.exchanged else value)
            for parameter in self.open:
                parameter.zero_()

    def in_order(self, gradients: list[Tensor | None]) -> list[Tensor | None]:
        """Gradients of `parameters`, permuted back as the weights were permuted."""
        return [
            gradient if gradient is None or k not in self.exchanged else gradient.roll(-self.exchanged[k], dims=1)
            for k, gradient in enumerate(gradients)
        ]


@dataclass
class _Seen:
    """What is known of a tensor; it is kept, so that no other gets its `id`."""

    tensor: Tensor
    version: int  # an operation in place makes it another
    age: tuple[int, int]  # how many weights are behind it, and how many tensors were made before it
    bias: nn.Parameter | None = None  # of the convolution that made it
    exchanged: int | None = None  # see `Usage`


class UsageWatch(TorchFunctionMode):
    """Follows a forward pass, and tells what it used."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, _Seen] = {}
        self._used: dict[int, nn.Parameter] = {}
        self._taken_away: set[int] = set()  # biases with a norm behind them, or in a transposed convolution
        self._needed: set[int] = set()  # biases that something else sees
        self._exchanged: dict[int, int] = {}
        self._result_exchanged: int | None = None

    def __exit__(self, *exception: Any) -> None:
        """Lets go of the tensors: what known answers did is kept, and their maps would fill the memory."""
        super().__exit__(*exception)  # type: ignore[no-untyped-call]
        self._seen.clear()

    def usage(self, bias_open: bool = False) -> Usage:
        """What was used so far; `bias_open` counts every parameter of one dimension as open."""
        ids = self._taken_away - self._needed
        is_open = {key: key in ids or (bias_open and p.ndim == 1) for key, p in self._used.items()}
        listed = [key for key in self._used if not is_open[key]]
        return Usage(
            [self._used[key] for key in listed],
            [p for key, p in self._used.items() if is_open[key]],
            {k: self._exchanged[key] for k, key in enumerate(listed) if key in self._exchanged},
            self._result_exchanged,
        )

    def note_result(self, result: Any) -> None:
        """To be told what the pass gave."""
        seen = self._of(result)
        self._result_exchanged = seen.exchanged if seen else None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Notes what goes in and what comes out of a torch function."""
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        given = tensors_in([args, kwargs])
        weights = [x for x in given if isinstance(x, nn.Parameter)]
        behind = [seen for x in given if (seen := self._of(x)) is not None]
        result = func(*args, **kwargs)
        if name == "__get__" and not tensors_in(result):  # asking for a weight's shape or device is no use of it
            return result
        self._used.update({id(p): p for p in weights if id(p) not in self._used})
        made = [args[0]] if name == "__setitem__" else tensors_in(result)
        if not made:
            return result
        for seen in behind:
            if seen.bias is not None and name not in KEEP_CHANNELS:
                (self._taken_away if name in NORMS else self._needed).add(id(seen.bias))
        most = max((seen.age[0] for seen in behind), default=0) + any(p.ndim > 1 for p in weights)
        age = (most, len(self._seen) + 1)
        bias, exchanged = self._noted(name, args, kwargs, behind)
        for tensor in made:
            self._seen[id(tensor)] = _Seen(tensor, tensor._version, age, bias, exchanged)
        return result

    def _of(self, tensor: Any) -> _Seen | None:
        """What is known of a tensor, if it is still what it was."""
        seen = self._seen.get(id(tensor))
        if seen is not None and tensor._version != seen.version:
            return _Seen(tensor, tensor._version, seen.age)
        return seen

    def _noted(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], behind: list[_Seen]
    ) -> tuple[nn.Parameter | None, int | None]:
        """Bias and exchanged channels of what a function makes."""
        if name in CONCATENATIONS:
            named = dict(zip(("tensors", "dim"), args, strict=False)) | kwargs
            (first, *others), dim = named["tensors"], named.get("dim", named.get("axis", int(name == "hstack")))
            if len(others) == 1 and dim in (1, 1 - first.ndim) and self._age(first) > self._age(others[0]):
                return None, first.shape[1]
        elif name in KEEP_CHANNELS and behind:
            return behind[0].bias, behind[0].exchanged
        elif name in CONVOLUTIONS | TRANSPOSED:
            named = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
            bias, seen = named.get("bias"), self._of(named["input"])
            if name in CONVOLUTIONS and seen is not None and seen.exchanged is not None:
                self._exchanged[id(named["weight"])] = seen.exchanged
            if bias is not None and name in TRANSPOSED:
                self._taken_away.add(id(bias))
            elif bias is not None:
                return bias, None
        return None, None

    def _age(self, tensor: Tensor) -> tuple[int, int]:
        seen = self._of(tensor)
        return (0, 0) if seen is None else seen.age


def tensors_in(value: Any, depth: int = DEEPEST) -> list[Tensor]:
    """All tensors in nested tuples, lists and dicts, in order, in at most `depth` others."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    deeper = isinstance(value, tuple | list) and depth
    return [x for item in value for x in tensors_in(item, depth - 1)] if deeper else []
