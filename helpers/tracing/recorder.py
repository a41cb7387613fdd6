"""Records every operation that a run makes on the images, beneath PyTorch's own functions."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from helpers.tracing.operations import SHAPE_ONLY, Operation, level_of, main_operand
from helpers.tracing.receptive_field import ReceptiveField
from helpers.tracing.safe_forward import tensors

MOST_MAPS = 8  # feature maps kept of a node: those that vary most over the image
MOST_SIDE = 256  # pixels along the longer side of a map that is kept; a larger one is thinned out


class Recorder(TorchDispatchMode):
    """While inside, records as `ops` what is made from the images.

    Attributes:
        model: the module that runs, or `None` for a function.
        registered: its parameters by their id.
        made_by: from a tensor to the index of the operation that made it.
    """

    def __init__(self, model: Callable, images: Sequence[Tensor]) -> None:
        super().__init__()
        self.title = type(model).__name__ if isinstance(model, nn.Module) else getattr(model, "__name__", "function")
        self.model = model if isinstance(model, nn.Module) else None
        self.registered = {id(p): p for p in self.model.parameters()} if self.model is not None else {}
        self.ops: list[Operation] = []
        self.failed: tuple[str, list[tuple[int, ...]]] | None = None  # operation that raised, shapes of its operands
        self.made_by = WeakIdKeyDictionary()
        self._derived = WeakIdKeyDictionary()  # tensor computed from parameters alone -> their ids, unregistered ids
        self._modules: list[str] = []  # names of those that are running, from the outermost
        largest = [max((image.shape[axis] for image in images), default=1) for axis in (-2, -1)]
        for image in images:
            self._add_image(image, largest)

    def _add_image(self, image: Tensor, largest: list[int]) -> None:
        shape, size = tuple(image.shape), tuple(image.shape[-2:])
        fields = tuple(  # of a smaller map each position counts as one of a larger grid
            ReceptiveField(shift=max(1, round(whole / side))) for whole, side in zip(largest, size, strict=True)
        )
        level = level_of(max(along.step for along in fields))
        op = Operation(len(self.ops), "image", [], shape, shape, shape, fields, level, kind="image")
        op.maps, op.channels = _maps(image)
        self.ops.append(op)
        self.made_by[image] = op.index

    @contextlib.contextmanager
    def following_modules(self) -> Iterator[None]:
        """While inside, each operation is recorded with the name of the module that is running."""

        def leave(*_args: Any) -> None:
            del self._modules[-1:]

        with contextlib.ExitStack() as hooks:
            for name, module in self.model.named_modules() if self.model is not None else ():
                enter = module.register_forward_pre_hook(lambda *_, name=name: self._modules.append(name))
                hooks.enter_context(enter)
                hooks.enter_context(module.register_forward_hook(leave, always_call=True))
            yield

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        operands = list(tensors((args, kwargs)))
        sources = [self.made_by[t] for t in operands if t in self.made_by]
        try:
            seconds = time.perf_counter()
            result = func(*args, **kwargs)
            seconds = time.perf_counter() - seconds
        except Exception:
            self.failed = func.overloadpacket.__name__, [tuple(t.shape) for t in operands]
            raise
        self.failed = None
        outputs = list(tensors(result))
        if not sources:
            known, unknown = self._weights(operands)
            if known or unknown:
                for output in outputs:
                    self._derived[output] = known, unknown
        elif outputs:
            seconds = min(seconds, self._run_again(func, args, kwargs, outputs[0]))
            self._record(func, args, operands, list(dict.fromkeys(sources)), outputs, seconds)
        return result

    def _run_again(self, func: Any, args: Any, kwargs: Any, output: Tensor) -> float:
        """Seconds of a second run: the first of its kind also makes plans and starts threads."""
        if output.ndim != 4 or torch.Tag.nondeterministic_seeded in func.tags:
            return math.inf
        if func._schema.is_mutable:
            if args[0] is not output:
                return math.inf
            args = (args[0].clone(), *args[1:])  # what it writes is thrown away
        start = time.perf_counter()
        func(*args, **kwargs)
        return time.perf_counter() - start

    def _weights(self, operands: list[Tensor]) -> tuple[set[int], set[int]]:
        """Ids of parameters behind these operands: registered ones, and others that could learn."""
        known: set[int] = set()
        unknown: set[int] = set()
        for t in operands:
            if t in self._derived:
                known |= self._derived[t][0]
                unknown |= self._derived[t][1]
            elif id(t) in self.registered:
                known.add(id(t))
            elif isinstance(t, nn.Parameter) or (t.requires_grad and t not in self.made_by):
                unknown.add(id(t))
        return known, unknown

    def _record(
        self,
        func: Any,
        args: Sequence[Any],
        operands: list[Tensor],
        sources: list[int],
        outputs: list[Tensor],
        seconds: float,
    ) -> None:
        name, output = func.overloadpacket.__name__, outputs[0]
        before = [self.ops[k] for k in sources]
        shape = tuple(output.shape)
        first = main_operand(before, shape)
        view = any(returned.alias_info is not None for returned in func._schema.returns)
        known, unknown = self._weights([t for t in operands if t not in self.made_by])
        op = Operation(
            index=len(self.ops),
            name=name,
            inputs=sources,
            shape=shape,
            whole=shape,
            map=first.map,
            receptive_field=first.receptive_field,
            level=first.level,
            side="up" if any(b.side == "up" for b in before) else "down",
            pooled=all(b.pooled for b in before),
            sees_all=any(b.sees_all for b in before),
            data=not SHAPE_ONLY.match(name) and any(b.data for b in before),
            seconds=seconds,
            bytes=0 if view else output.numel() * output.element_size(),
            parameters=known,
            unregistered=unknown,
            module=self._modules[-1] if self._modules else "",
        )
        for other in before:
            if other is not first and not other.pooled:
                pairs = zip(op.receptive_field, other.receptive_field, strict=True)
                op.receptive_field = tuple(mine.merged(theirs) for mine, theirs in pairs)
        op.describe(first, args, output)
        if op.kind == "product" and sum(t in self.made_by for t in operands) > 1:
            op.sees_all = True  # attention: each position may take from every other
        if view and (op.loose or output.ndim != 4):
            op.whole = first.whole
        self._look(op, operands, output)
        self.ops.append(op)
        for t in outputs:
            self.made_by[t] = op.index
        if func._schema.is_mutable and output._base is not None:
            self.made_by[output._base] = op.index  # writing into a part changes the whole

    def _look(self, op: Operation, operands: list[Tensor], output: Tensor) -> None:
        """Note what can be seen of the values only now, while they are there."""
        for t in operands:
            if t.ndim != 4:
                continue
            if t in self.made_by:
                if len(op.inputs) > 1:
                    op.zero_inputs[self.made_by[t]] = not t.any()
                continue
            constant = t not in self._derived and id(t) not in self.registered
            if op.kind == "merge" and constant and t.shape[-2:] == output.shape[-2:] and not t.any():
                op.zero_constant = tuple(t.shape)
        if output.ndim == 4 and output.is_floating_point():
            op.zero, op.finite = not output.any(), bool(output.isfinite().all())
            op.maps, op.channels = _maps(output)


def _maps(t: Tensor) -> tuple[Tensor, list[int]]:
    """The maps of the first image that vary most, and which channels they are."""
    first = t[0].float()
    spread = first.flatten(1).std(dim=1, correction=0).nan_to_num(0.0)
    channels = sorted(spread.topk(min(MOST_MAPS, len(first))).indices.tolist())
    thin = max(1, math.ceil(max(first.shape[-2:]) / MOST_SIDE))
    return first[channels, ::thin, ::thin].cpu().clone(), channels
