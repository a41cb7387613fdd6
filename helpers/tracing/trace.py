"""Runs a module on an image and finds what executed: blocks, levels, skips, costs. Data out, no drawing.

Nothing here goes by names. A mode underneath PyTorch sees every operation with its tensors, whether a layer, a function
or plain indexing asked for it, and notes for each result how far its neighbours are apart in the image (the step), how
much of the image it sees (the receptive field) and which results it was made from. A *level* is a step of 2**level; a
*block* is what runs on one level on the way down or on the way up; what leads from level to level is pooling or
up-convolution; and a *skip* is data that goes from the way down to the way up without passing the deepest level.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from helpers.tracing.receptive_field import ReceptiveField
from helpers.tracing.safe_forward import check_model, first_image, in_one_sentence, prepared, tensors, unharmed

MOST_MAPS = 8  # feature maps kept of a node: those that vary most over the image
MOST_SIDE = 256  # pixels along the longer side of a map that is kept; a larger one is thinned out

Shape = tuple[int, ...]

POOLS = {"max_pool2d_with_indices": "max pooling", "max_pool2d": "max pooling", "avg_pool2d": "average pooling"}
ADAPTIVE = {"_adaptive_avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
ENLARGE = {"upsample_nearest2d": ("nearest", 1), "_upsample_nearest_exact2d": ("nearest", 1)}
ENLARGE |= {"upsample_bilinear2d": ("bilinear", 2), "_upsample_bilinear2d_aa": ("bilinear", 2)}
ENLARGE |= {"upsample_bicubic2d": ("bicubic", 4), "_upsample_bicubic2d_aa": ("bicubic", 4)}
NORMS = {"native_batch_norm", "native_group_norm", "native_layer_norm", "cudnn_batch_norm", "miopen_batch_norm"}
NORMS |= {
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    "_batch_norm_with_update",
    "instance_norm",
}
PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "matmul", "linear", "_scaled_dot_product_flash_attention_for_cpu"}
PADS = {"slice", "constant_pad_nd", "reflection_pad2d", "replication_pad2d", "expand", "repeat", "grid_sampler_2d"}
SHAPE_ONLY = {"zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "new_zeros", "new_ones"}
SHAPE_ONLY |= {"new_empty", "new_full", "new_empty_strided"}


@dataclass
class Node:
    """Something that ran: a block of layers, a pooling, an up-convolution, the head; or an image that came in.

    Attributes:
        name: what it is called in the drawing: "encoder 1" is on level 1, where the sides are divided by 2**1.
        kind: "image", "block", "pool", "up", "head", or "output" for a bare result.
        side: "down" or "up".
        level: 0 for the finest level of this run.
        shapes_in: the distinct tensors that came in from other nodes.
        shape_out: what it handed on.
        parameters: numbers to learn that are registered with the module and were used here.
        convolutions: how many ran here, transposed ones too.
        unregistered: weights used here that `model.parameters()` does not know.
        time: fraction of the time of all operations; measured on their second run, where they can be run twice.
        memory: fraction of the memory of all results (views and in-place operations take none).
        receptive_field: rows and columns of the image that a value can depend on, at most, composed from kernel, stride
            and offset of all operations on the way; infinite where an average over the whole image goes in.
        what: the operation in words, such as "max pooling 2×2".
        modules: names of the modules in which it ran.
        problems: what is wrong with it, in sentences.
        maps: float `(M, h, w)`, at most `MOST_MAPS` of its feature maps of the first image, or `None`.
        channels: which channels these are.
    """

    name: str
    kind: str
    side: str
    level: int
    shapes_in: list[Shape] = field(default_factory=list)
    shape_out: Shape = ()
    parameters: int = 0
    convolutions: int = 0
    unregistered: int = 0
    time: float = 0.0
    memory: float = 0.0
    receptive_field: tuple[float, float] = (1, 1)
    what: str = ""
    modules: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    maps: Tensor | None = None
    channels: list[int] = field(default_factory=list)


@dataclass
class Edge:
    """Data that went from one node to another.

    Attributes:
        skip: it went from the way down to the way up without passing the deepest level.
        shape: of what crossed.
        zeros: all that crossed was zero.
        how: "concatenated", "added", or "" where nothing was merged.
        name: of a skip: "skip 1".
    """

    source: str
    target: str
    shape: Shape
    skip: bool = False
    zeros: bool = False
    how: str = ""
    name: str = ""
    maps: Tensor | None = None
    channels: list[int] = field(default_factory=list)


@dataclass
class Output:
    """The result that has rows and columns; of several the first.

    Attributes:
        values: float `(C, H, W)`, of the first image.
        reach: what a position reaches, along rows and columns, in pixels of the largest image.
        everything: an average over the whole image went in.
        index: which of the tensors that the model gave.
    """

    values: Tensor
    reach: tuple[ReceptiveField, ReceptiveField]
    everything: bool
    index: int


@dataclass
class Trace:
    """What was found out in one run.

    Attributes:
        title: the class or function that ran.
        nodes: in the order in which they first ran.
        edges: between nodes.
        concepts: keys of concept cards that were seen at work.
        error: one sentence about where it stopped, or "".
        stopped_at: the node that ran last before it stopped, or "".
        unreached: names of modules whose parameters took no part, and how many parameters these are.
        parameters: numbers to learn in the whole module.
        notes: sentences about the whole.
        output: what it gave, or `None`: it stopped, or nothing with rows and columns was made from the image.
    """

    title: str
    nodes: list[Node]
    edges: list[Edge]
    concepts: list[str]
    error: str = ""
    stopped_at: str = ""
    unreached: list[tuple[str, int]] = field(default_factory=list)
    parameters: int = 0
    notes: list[str] = field(default_factory=list)
    output: Output | None = None

    def node(self, name: str) -> Node | None:
        return next((node for node in self.nodes if node.name == name), None)

    @property
    def skips(self) -> list[Edge]:
        return [edge for edge in self.edges if edge.skip]


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
    recorder = _Recorder(model)
    recorder.take([prepared(image, model) for image in images])
    error, outputs = "", []
    with unharmed(model), _named(model, recorder), torch.no_grad():
        try:
            with recorder:
                result = model(*recorder.images)
            outputs = list(tensors(result))
        except Exception as raised:
            error = in_one_sentence(raised)
    return _Assembly(recorder, outputs, error).made()


# ---- the run ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _named(model: Any, recorder: _Recorder) -> Iterator[None]:
    """While inside, the recorder knows which module is running."""
    handles = []
    for name, module in model.named_modules() if isinstance(model, nn.Module) else ():

        def enter(_module: nn.Module, _args: Any, name: str = name) -> None:
            recorder.stack.append(name)

        def leave(_module: nn.Module, _args: Any, _result: Any) -> None:
            if recorder.stack:
                recorder.stack.pop()

        handles.append(module.register_forward_pre_hook(enter))
        handles.append(module.register_forward_hook(leave, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@dataclass
class _Op:
    """One operation on image data, or an image."""

    index: int
    name: str
    kind: str
    inputs: list[int]
    shape: Shape
    size: tuple[int, int] | None  # rows and columns of the last result with four dimensions
    reach: tuple[ReceptiveField, ReceptiveField]  # along rows and columns
    level: int  # of the coarser axis on the way down, of the finer one on the way up
    side: str
    arrow: str = ""  # "pool", "up"
    pooled: bool = False  # averaged over the whole image
    sees_all: bool = False  # made from something that was
    loose: bool = False  # of unclear geometry: after a matrix product
    data: bool = True  # holds values made from the image, not only its shape
    view: bool = False
    seconds: float = 0.0
    bytes: int = 0
    parameters: set[int] = field(default_factory=set)
    unregistered: set[int] = field(default_factory=set)
    weights: bool = False
    kernel: tuple[int, ...] = ()
    detail: str = ""
    module: str = ""
    zero_inputs: dict[int, bool] = field(default_factory=dict)
    zero_constant: Shape = ()  # shape of an operand that came from nowhere and is zero
    zero: bool = False
    finite: bool = True
    whole: Shape = ()  # the shape, or where this is a view with other dimensions, the shape before
    maps: Tensor | None = None
    channels: list[int] = field(default_factory=list)

    @property
    def step(self) -> tuple[Fraction, Fraction]:
        """Pixels of the image between two neighbours."""
        return self.reach[0].step, self.reach[1].step

    @property
    def field(self) -> tuple[float, float]:
        return (math.inf, math.inf) if self.sees_all else (self.reach[0].width, self.reach[1].width)


class _Recorder(TorchDispatchMode):
    """Sees every operation below PyTorch's own functions."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.title = type(model).__name__ if isinstance(model, nn.Module) else getattr(model, "__name__", "function")
        self.model = model if isinstance(model, nn.Module) else None
        self.registered = {id(p): p for p in self.model.parameters()} if self.model is not None else {}
        self.ops: list[_Op] = []
        self.images: list[Tensor] = []
        self.stack: list[str] = []
        self.failed: tuple[str, list[Shape]] | None = None
        self.touched: set[int] = set()  # ids of registered parameters that any operation on image data used
        self._made_by = WeakIdKeyDictionary()  # tensor -> index of its operation
        self._derived = WeakIdKeyDictionary()  # tensor computed from parameters alone -> their ids, unregistered ids

    def take(self, images: list[Tensor]) -> None:
        self.images = images
        tallest, widest = (max((image.shape[axis] for image in images), default=1) for axis in (-2, -1))
        for image in images:
            reach = tuple(  # of a smaller map all pixels count as one of a larger grid
                ReceptiveField(shift=max(1, round(whole / side)))
                for whole, side in ((tallest, image.shape[-2]), (widest, image.shape[-1]))
            )
            op = _Op(
                index=len(self.ops),
                name="image",
                kind="image",
                inputs=[],
                shape=tuple(image.shape),
                size=tuple(image.shape[-2:]),
                reach=reach,
                level=_level(max(r.step for r in reach)),
                side="down",
            )
            op.whole = op.shape
            op.maps, op.channels = _maps(image)
            self.ops.append(op)
            self._made_by[image] = op.index

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        operands = list(tensors((args, kwargs)))
        sources = [self._made_by[t] for t in operands if t in self._made_by]
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
            self._derive(operands, outputs)
            return result
        seconds = min(seconds, self._again(func, args, kwargs, outputs))
        self._note(func, args, operands, list(dict.fromkeys(sources)), outputs, seconds)
        return result

    def _again(self, func: Any, args: Any, kwargs: Any, outputs: list[Tensor]) -> float:
        """Seconds of a second run: the first of its kind also makes plans and starts threads."""
        if not outputs or outputs[0].ndim != 4 or torch.Tag.nondeterministic_seeded in func.tags:
            return math.inf
        if func._schema.is_mutable:
            if not isinstance(args[0], Tensor) or args[0] is not outputs[0]:
                return math.inf
            args = (args[0].clone(), *args[1:])  # what it writes is thrown away
        start = time.perf_counter()
        func(*args, **kwargs)
        return time.perf_counter() - start

    def _derive(self, operands: list[Tensor], outputs: list[Tensor]) -> None:
        known, unknown = self._weights(operands)
        if known or unknown:
            for output in outputs:
                self._derived[output] = known, unknown

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
            elif isinstance(t, nn.Parameter) or (t.requires_grad and t not in self._made_by):
                unknown.add(id(t))
        return known, unknown

    def _note(
        self, func: Any, args: Any, operands: list[Tensor], sources: list[int], outputs: list[Tensor], seconds: float
    ) -> None:
        if not outputs:
            return
        name = func.overloadpacket.__name__
        output = outputs[0]
        before = [self.ops[k] for k in sources]
        first = _main(before, tuple(output.shape))
        op = _Op(
            index=len(self.ops),
            name=name,
            kind="other",
            inputs=sources,
            shape=tuple(output.shape),
            size=tuple(output.shape[-2:]) if output.ndim == 4 else first.size,
            reach=_together_reach(first, before),
            level=first.level,
            side="up" if any(b.side == "up" for b in before) else "down",
            pooled=all(b.pooled for b in before),
            sees_all=any(b.sees_all for b in before),
            loose=first.loose and output.ndim != 4,
            seconds=seconds,
            module=self.stack[-1] if self.stack else "",
        )
        op.data = name not in SHAPE_ONLY and any(b.data for b in before)
        op.view = any(r.alias_info is not None for r in func._schema.returns)
        op.whole = first.whole if op.view and output.ndim != 4 else op.shape
        op.bytes = 0 if op.view else output.numel() * output.element_size()
        op.parameters, op.unregistered = self._weights([t for t in operands if t not in self._made_by])
        op.weights = bool(op.parameters or op.unregistered)
        self.touched |= op.parameters
        _describe(op, first, args, output)
        self._look(op, operands, output)
        self.ops.append(op)
        for t in outputs:
            self._made_by[t] = op.index
        if func._schema.is_mutable and output._base is not None:
            self._made_by[output._base] = op.index  # writing into a part changes the whole

    def _look(self, op: _Op, operands: list[Tensor], output: Tensor) -> None:
        """What can be seen of the values only now, while they are there."""
        if len({(self.ops[k].side, self.ops[k].step) for k in op.inputs}) > 1 or len(op.inputs) > 1:
            for t in operands:
                if t in self._made_by and t.ndim == 4:
                    op.zero_inputs[self._made_by[t]] = not bool(t.any())
        if op.kind == "merge":
            for t in operands:
                known = t in self._made_by or t in self._derived or id(t) in self.registered
                if not known and t.ndim == 4 and t.shape[-2:] == output.shape[-2:] and not bool(t.any()):
                    op.zero_constant = tuple(t.shape)
        if output.ndim == 4 and output.is_floating_point():
            op.zero = not bool(output.any())
            op.finite = bool(output.isfinite().all())
            op.maps, op.channels = _maps(output)


def _main(before: list[_Op], shape: Shape) -> _Op:
    """The operand that the result gets its geometry from: of the result's size, spatial, and the finest of these."""
    fitting = [b for b in before if not b.pooled] or before
    fitting = [b for b in fitting if b.size is not None and b.size == shape[-2:]] or fitting
    return min(fitting, key=lambda b: max(b.step))


def _together_reach(first: _Op, before: list[_Op]) -> tuple[ReceptiveField, ReceptiveField]:
    reach = list(first.reach)
    for b in before:
        if b is not first and not b.pooled:
            reach = [mine.beside(theirs) for mine, theirs in zip(reach, b.reach, strict=True)]
    return tuple(reach)


def _describe(op: _Op, first: _Op, args: Any, output: Tensor) -> None:
    """Kind and reach of an operation, from its own kernel and stride where it has them."""
    name = op.name
    if name == "convolution" and len(args[3]) == 2:
        weight, stride, padding, dilation, transposed = args[1], args[3], args[4], args[5], args[6]
        op.kind, op.kernel = "conv", tuple(weight.shape[2:])
        size, strided = "×".join(map(str, op.kernel)), f", stride {stride[0]}" if max(stride) > 1 else ""
        op.detail = f"{'transposed ' if transposed else ''}convolution {size}{strided}"
        step = ReceptiveField.stamp if transposed else ReceptiveField.window
        op.reach = _each(step, op.reach, op.kernel, stride, dilation, padding)
    elif name in POOLS:
        kernel = _pair(args[1])
        stride = _pair(args[2]) if len(args) > 2 and args[2] else kernel
        padding = _pair(args[3]) if len(args) > 3 else (0, 0)
        op.kind, op.detail = "scale", f"{POOLS[name]} {kernel[0]}×{kernel[1]}"
        op.reach = _each(ReceptiveField.window, op.reach, kernel, stride, (1, 1), padding)
    elif name in ENLARGE:
        how, taps = ENLARGE[name]
        op.kind, op.detail = "scale", f"{how} enlargement"
        if not first.pooled:
            op.reach = _each(ReceptiveField.resized, op.reach, _ratios(first.size, op.size), (taps, taps))
    elif name in ADAPTIVE or _averages_all(op, first, output):
        ratios = _ratios(first.size, op.size)
        if output.ndim != 4 or op.size == (1, 1) or max(ratios) > 4:
            op.pooled = op.sees_all = True
        else:
            op.kind, op.detail = "scale", "average pooling"
            op.reach = _each(ReceptiveField.window, op.reach, map(math.ceil, ratios), map(math.ceil, ratios))
    elif name in NORMS:
        op.kind = "norm"
    elif name in PRODUCTS:
        op.kind, op.loose = "product", True
    elif len(op.inputs) > 1 or name in ("cat", "stack"):
        op.kind = "merge"
    elif name == "slice" and output.ndim == 4 and len(args) > 1 and args[1] % 4 > 1:
        start = args[2] if len(args) > 2 and args[2] else 0
        start, stride = max(0, start + first.shape[args[1]] if start < 0 else start), args[4] if len(args) > 4 else 1
        rows = args[1] % 4 == 2
        op.kind, op.detail = ("scale", "pooling by hand") if stride > 1 else ("crop", "")
        op.reach = _each(
            ReceptiveField.from_position,
            op.reach,
            (start, 0) if rows else (0, start),
            (stride, 1) if rows else (1, stride),
        )
    elif name == "constant_pad_nd" and output.ndim == 4:
        left, _, top, _ = [*args[1], 0, 0][:4]
        op.reach = _each(ReceptiveField.from_position, op.reach, (-top, -left))
    elif _changes_scale(op, first, output):
        ratios = _ratios(first.size, op.size)
        op.kind, op.detail = "scale", "pooling by hand" if max(ratios) > 1 else "enlargement by hand"
        coarser = [max(1, math.floor(ratio)) for ratio in ratios]
        op.reach = _each(ReceptiveField.window, op.reach, coarser, coarser)
        op.reach = _each(ReceptiveField.resized, op.reach, [min(Fraction(1), ratio) for ratio in ratios])
    _place(op, first)


def _place(op: _Op, first: _Op) -> None:
    """The level of what came out, and whether this was a step from level to level."""
    if op.pooled:
        return
    if op.step != first.step:
        coarser = max(op.step) > max(first.step)
        op.level = _level(max(op.step) if coarser else min(op.step))
        if op.level != first.level:
            op.arrow = "pool" if coarser else "up"
    between = op.step[0] != op.step[1] or op.kind == "scale"  # one axis after the other
    if not op.arrow and first.arrow and between and not op.weights and len(op.inputs) == 1:
        op.arrow = first.arrow
    if op.arrow == "up":
        op.side = "up"


def _each(
    step: Callable, reach: tuple[ReceptiveField, ReceptiveField], *values: Any
) -> tuple[ReceptiveField, ReceptiveField]:
    """The same step along rows and along columns."""
    return tuple(step(along, *both) for along, *both in zip(reach, *values, strict=True))


def _averages_all(op: _Op, first: _Op, output: Tensor) -> bool:
    """Whether one number is left of each channel."""
    whole = len(first.shape) == 4 and math.prod(first.shape[2:]) > 1
    return whole and op.name in ("mean", "amax", "max", "sum") and output.numel() == math.prod(first.shape[:2])


def _changes_scale(op: _Op, first: _Op, output: Tensor) -> bool:
    """Whether an operation that is not known for it makes an image smaller or larger by a whole factor."""
    if output.ndim != 4 or first.size is None or op.pooled or first.loose or op.name in PADS or min(first.size) == 1:
        return False
    for a, b in zip(first.size, op.size, strict=True):
        if not (a % b == 0 or b % a == 0 or round(a / b) > 1) or not 1 / 8 <= a / b <= 8:
            return False
    return first.size != op.size


def _ratios(before: tuple[int, int] | None, after: tuple[int, int] | None) -> list[Fraction]:
    """By how much the step grows, to a whole number: 25 pixels enlarged to 51 are twice as many."""
    if not before or not after:
        return [Fraction(1), Fraction(1)]
    return [
        Fraction(max(1, round(a / b))) if a >= b else Fraction(1, max(1, round(b / a)))
        for a, b in zip(before, after, strict=True)
    ]


def _level(step: Fraction) -> int:
    return round(math.log2(step))


def _pair(value: Any) -> tuple[int, int]:
    value = [value] if isinstance(value, int) else list(value)
    return (value[0], value[-1])


def _maps(t: Tensor) -> tuple[Tensor, list[int]]:
    """The maps of the first image that vary most, and which channels they are."""
    first = t[0].float()
    spread = first.flatten(1).std(dim=1, correction=0).nan_to_num(0.0)
    channels = sorted(spread.topk(min(MOST_MAPS, len(first))).indices.tolist())
    thin = max(1, math.ceil(max(first.shape[-2:]) / MOST_SIDE))
    return first[channels, ::thin, ::thin].cpu().clone(), channels


# ---- from operations to nodes ---------------------------------------------------------------------------------------

Key = tuple[str, str, int]  # kind, side, level


class _Assembly:
    """Groups the operations into nodes and says what is wrong with them."""

    def __init__(self, recorder: _Recorder, outputs: list[Tensor], error: str) -> None:
        self.recorder, self.ops, self.error = recorder, recorder.ops, error
        self.outputs = outputs
        self.results = [recorder._made_by[t] for t in outputs if t in recorder._made_by]
        self.finest = min((op.level for op in self.ops if op.data), default=0)
        self.keys: dict[int, Key] = {}  # operation -> node
        self.members: dict[Key, list[_Op]] = {}
        self.strided: set[int] = set()  # convolutions that change the level, which are also arrows

    def made(self) -> Trace:
        head = self._head()
        for op in self.ops:
            if op.data:
                self._put(op, self._key(op, head))
        self._fold_preparation()
        self._add_bare_outputs()
        self._name()
        edges = self._edges()
        nodes = [self._node(key) for key in self._in_order()]
        made = Trace(
            title=self.recorder.title,
            nodes=nodes,
            edges=edges,
            concepts=self._concepts(edges),
            error=self._where() if self.error else "",
            stopped_at=self._last() if self.error else "",
            unreached=self._unreached(),
            parameters=sum(p.numel() for p in self.recorder.registered.values()),
        )
        made.notes = self._notes(made)
        made.output = self._output()
        return made

    def _output(self) -> Output | None:
        for index, given in enumerate(self.outputs):
            op = self.ops[self.recorder._made_by[given]] if given in self.recorder._made_by else None
            if op is None or not op.data or given.ndim not in (3, 4) or tuple(given.shape[-2:]) != op.size:
                continue
            values = first_image(given).detach().float().cpu().clone()
            return Output(values, op.reach, op.sees_all, index)
        return None

    def level(self, op: _Op) -> int:
        return op.level - self.finest

    def _head(self) -> _Op | None:
        """The last convolution, where it is 1×1, or bare at the end of a way up."""
        convs = [op for op in self.ops if op.kind == "conv"]
        if not convs or self.level(convs[-1]) != 0 or convs[-1].arrow:
            return None
        last, before = convs[-1], self.ops[convs[-1].inputs[0]]
        after = self.ops[last.index + 1 :]
        bare = last.side == "up" and not any(op.kind == "norm" or op.name.startswith("relu") for op in after)
        if last.kernel == (1, 1):
            return last
        return last if bare and before.kind != "scale" and before.kind != "merge" and not before.arrow else None

    def _key(self, op: _Op, head: _Op | None) -> Key:
        if op.kind == "image":
            return ("image", f"{op.index}", self.level(op))
        if head is not None and op.index >= head.index and self.level(op) == 0:
            return ("head", op.side, 0)
        if op.arrow and (op.kind != "conv" or op.arrow == "up"):
            return (op.arrow, op.side, self.level(op))
        if op.arrow:
            self.strided.add(op.index)
        return ("block", op.side, self.level(op))

    def _put(self, op: _Op, key: Key) -> None:
        self.keys[op.index] = key
        self.members.setdefault(key, []).append(op)

    def _fold_preparation(self) -> None:
        """What happens to an image before the first layer, such as padding, belongs to the image."""
        for op in self.ops:
            key = self.keys.get(op.index)
            if key is None or key[:2] != ("block", "down") or op.weights or len(op.inputs) != 1:
                continue
            source, block = self.keys.get(op.inputs[0]), self.members[key]
            inside = {b.index for b in block}
            used = any(inside & set(o.inputs) for o in self.ops)  # else it is the result
            begun = any(o.weights and o.index < op.index for o in block)
            if source is not None and source[0] == "image" and used and not begun:
                block.remove(op)
                if not block:
                    del self.members[key]
                self._put(op, source)

    def _add_bare_outputs(self) -> None:
        """An arrow that leads to no block leads to the result."""
        for key in [key for key in self.members if key[0] in ("pool", "up")]:
            inside = {op.index for op in self.members[key]}
            used = any(inside & set(op.inputs) and self.keys.get(op.index) != key for op in self.ops)
            if not used and ("block", key[1], key[2]) not in self.members:
                self.members[("output", key[1], key[2])] = []

    def _in_order(self) -> list[Key]:
        return sorted(self.members, key=lambda key: min((o.index for o in self.members[key]), default=len(self.ops)))

    # names

    def _convs(self, key: Key) -> list[_Op]:
        return [op for op in self.members.get(key, []) if op.kind == "conv"]

    def _name(self) -> None:
        down = sorted(key[2] for key in self.members if key[0] == "block" and key[1] == "down")
        weighted = [level for level in down if self._convs(("block", "down", level))]
        self.is_encoder = len(weighted) > 1
        self.deepest = max(down, default=0)
        ups = [key for key in self.members if key[0] == "up"]
        self.is_decoder = self.is_encoder and any(self._convs(("block", "up", key[2])) for key in ups)
        images = [key for key in self.members if key[0] == "image"]
        self.names: dict[Key, str] = {}
        for key in self._in_order():
            self.names[key] = self._name_of(key, images)
        taken: dict[str, int] = {}
        for key, name in self.names.items():  # two blocks of one kind in a lone piece
            taken[name] = taken.get(name, 0) + 1
            if taken[name] > 1:
                self.names[key] = f"{name}, level {key[2]}"

    def _name_of(self, key: Key, images: list[Key]) -> str:
        kind, side, level = key
        if kind == "image":
            return "image" if len(images) == 1 else f"input {images.index(key) + 1}"
        if kind == "pool":
            return f"pooling {level}"
        if kind == "up":
            return f"up-convolution {level}"
        if kind in ("head", "output"):
            return kind
        convolutions = len(self._convs(key))
        if side == "up" and (self.is_encoder or convolutions > 1):
            return f"decoder {level}"
        if self.is_encoder and side == "down":
            return "bottleneck" if level == self.deepest else f"encoder {level}"
        names = {0: "layers", 1: "convolution", 2: "double conv"}
        return names.get(convolutions, f"{convolutions} convolutions")

    # edges

    def _edges(self) -> list[Edge]:
        found: dict[tuple[Key, Key], Edge] = {}
        for op in self.ops:
            target = self.keys.get(op.index)
            if target is None or op.kind == "image":
                continue
            for k in op.inputs:
                source = self._source(k)
                if source is None or source == target:
                    continue
                self._cross(found, source, target, op, self.ops[k])
            if op.zero_constant and op.side == "up":
                source = ("block", "down", self.level(op))
                if source in self.members and (source, target) not in found:
                    edge = Edge(self.names[source], self.names[target], op.zero_constant, skip=True, zeros=True)
                    edge.how = _how(op)
                    found[source, target] = edge
        for key in self.members:
            if key[0] == "output":
                arrow = next(k for k in self.members if k[0] in ("pool", "up") and k[1:] == key[1:])
                shape = self.members[arrow][-1].shape
                found[arrow, key] = Edge(self.names[arrow], self.names[key], shape)
        self._name_skips(found)
        return list(found.values())

    def _source(self, k: int) -> Key | None:
        """The node an operand comes from; where it has only the shape of the data, the one that the shape is from."""
        op = self.ops[k]
        while not op.data and op.inputs:
            op = self.ops[op.inputs[0]]
        return self.keys.get(op.index)

    def _cross(self, found: dict, source: Key, target: Key, op: _Op, operand: _Op) -> None:
        from_down = source[0] in ("block", "image") and source[1] != "up"
        across = op.side == "up" and op.arrow != "up" and len(op.inputs) > 1
        through_arrow = op.arrow == "up" and source[0] == "block" and source[2] < self.deepest
        skip = from_down and target[0] in ("block", "head", "up") and (across or (through_arrow and self.is_encoder))
        zeros = op.zero_inputs.get(operand.index, operand.zero) if skip else False
        edge = found.get((source, target))
        strided = op.index in self.strided and not skip
        how = f"stride {op.detail.rpartition(' ')[2]}" if strided else ""
        if edge is None:
            edge = Edge(self.names[source], self.names[target], operand.whole, skip=skip, zeros=zeros, how=how)
            found[source, target] = edge
        else:
            edge.zeros = edge.zeros and zeros if edge.skip else zeros
            edge.skip = edge.skip or skip
        if edge.skip:
            edge.how = edge.how or _how(op)
            edge.maps, edge.channels = operand.maps, operand.channels

    def _name_skips(self, found: dict[tuple[Key, Key], Edge]) -> None:
        taken: set[str] = set()
        for (source, target), edge in found.items():
            if edge.skip:
                name = f"skip {target[2] if source[0] == 'image' else source[2]}"
                edge.name = name if name not in taken else f"{name} to {edge.target}"
                taken.add(name)

    # nodes

    def _node(self, key: Key) -> Node:
        ops = self.members[key]
        kind, side, level = key
        node = Node(self.names[key], kind, "down" if kind == "image" else side, level)
        if kind == "output":
            arrow = next(k for k in self.members if k[0] in ("pool", "up") and k[1:] == key[1:])
            ops = self.members[arrow][-1:]
        handed = self._handed_on(key, ops)
        node.shapes_in = self._shapes_in(key, ops)
        node.shape_out, node.maps, node.channels = handed.whole, handed.maps, handed.channels
        node.receptive_field = handed.field
        if kind in ("image", "output"):
            return node
        used = set().union(*(op.parameters for op in ops))
        node.parameters = sum(self.recorder.registered[k].numel() for k in used)
        node.unregistered = len(set().union(*(op.unregistered for op in ops)))
        node.convolutions = len(self._convs(key))
        node.time = _share(op.seconds for op in ops) / (_share(op.seconds for op in self.ops) or 1)
        node.memory = _share(op.bytes for op in ops) / (_share(op.bytes for op in self.ops) or 1)
        node.modules = _together([op.module for op in ops if op.module])
        node.what = self._what(key, ops)
        node.problems = self._problems(key, ops, node)
        return node

    def _handed_on(self, key: Key, ops: list[_Op]) -> _Op:
        """The result that another node took first; else one of the run's results; else the last."""
        if key[0] == "image":
            return ops[0]
        inside = {op.index for op in ops}
        for op in self.ops:
            if self.keys.get(op.index) not in (None, key):
                for k in op.inputs:
                    if k in inside and (op.side == ops[0].side or key[0] != "block"):
                        return self.ops[k]
        given = [k for k in self.results if k in inside]
        return self.ops[given[0]] if given else ops[-1]

    def _shapes_in(self, key: Key, ops: list[_Op]) -> list[Shape]:
        operands = dict.fromkeys(k for op in ops for k in op.inputs if self._source(k) not in (None, key))
        return [self.ops[k].whole for k in operands]

    def _what(self, key: Key, ops: list[_Op]) -> str:
        if key[0] in ("pool", "up"):
            return next((op.detail for op in ops if op.detail), "")
        details = [op.detail for op in ops if op.kind == "conv"]
        merges = [_how(op) for op in ops if op.kind == "merge" and op.side == "up" and key[0] == "block"]
        counted = [f"{details.count(d)} × {d}" if details.count(d) > 1 else d for d in dict.fromkeys(details)]
        return ", ".join([*dict.fromkeys(m for m in merges if m), *counted])

    def _problems(self, key: Key, ops: list[_Op], node: Node) -> list[str]:
        found = []
        if self.recorder.model is not None:
            if node.unregistered:
                verb = "is" if node.unregistered == 1 else "are"
                found.append(
                    f"{_count(node.unregistered, 'weight')} used here {verb} not registered with the module: no "
                    "optimiser learns them, no checkpoint keeps them."
                )
            elif not node.parameters and not self.error and key[0] in ("block", "head"):
                found.append("There is nothing to learn here: no parameter took part.")
        if node.shape_out and self.ops[ops[-1].index].zero and all(op.zero for op in ops if op.kind != "merge"):
            found.append("It gives nothing but zeros.")
        if not all(op.finite for op in ops):
            found.append("Values that are no finite numbers (inf or nan) appear here.")
        if self.results and not self._reaches(ops):
            found.append("It ran, but nothing of what it made reaches the result.")
        return found

    def _reaches(self, ops: list[_Op]) -> bool:
        if not hasattr(self, "_reaching"):
            self._reaching: set[int] = set()
            stack = list(self.results)
            while stack:
                k = stack.pop()
                if k not in self._reaching and self.ops[k].data:
                    self._reaching.add(k)
                    stack.extend(self.ops[k].inputs)
        return any(op.index in self._reaching for op in ops)

    # the whole

    def _concepts(self, edges: list[Edge]) -> list[str]:
        found = []
        blocks = [key for key in self.members if key[0] == "block"]
        if any(len([op for op in self._convs(key) if op.arrow != "up"]) > 1 for key in blocks):
            found.append("double conv")
        if self.strided or any(key[0] == "pool" for key in self.members):
            found.append("pooling")
        if self.is_encoder:
            found += ["encoder", "bottleneck"]
        if any(key[0] == "up" for key in self.members):
            found.append("up-convolution")
        if self.is_decoder:
            found.append("decoder")
        if self.is_decoder and any(edge.skip and not edge.zeros for edge in edges):
            found.append("skip connection")
        if any(key[0] == "head" and self._convs(key)[0].kernel == (1, 1) for key in self.members):
            found.append("head 1x1")
        return found

    def _last(self) -> str:
        return next((self.names[self.keys[op.index]] for op in reversed(self.ops) if op.index in self.keys), "image")

    def _where(self) -> str:
        last = self._last()
        begun = "before anything ran" if last == "image" else f"in or after {last}"
        shapes = ""
        if self.recorder.failed and len(self.recorder.failed[1]) > 1:
            name, operands = self.recorder.failed
            shapes = f" (`{name}` of {' and '.join(map(by, operands))})"
        return f"`{self.recorder.title}` stopped {begun}{shapes}: {self.error}"

    def _unreached(self) -> list[tuple[str, int]]:
        """The outermost modules of which no parameter took part."""
        model, found = self.recorder.model, []
        if model is None:
            return found

        def visit(module: nn.Module, name: str) -> None:
            parameters = list(module.parameters())
            if parameters and not any(id(p) in self.recorder.touched for p in parameters):
                found.append((name or type(module).__name__, sum(p.numel() for p in parameters)))
                return
            for child_name, child in module.named_children():
                visit(child, f"{name}.{child_name}" if name else child_name)

        visit(model, "")
        return found

    def _notes(self, made: Trace) -> list[str]:
        notes = []
        if self.is_decoder and not made.skips and not made.error:
            notes.append("No skip connection: what the way up draws comes through the bottleneck alone.")
        dead = [edge.name for edge in made.skips if edge.zeros]
        if dead:
            notes.append(f"{_and(dead)}: the edge is there, but it carries nothing but zeros.")
        if any(node.unregistered for node in made.nodes):
            notes.append(
                "Weights stay unregistered when their modules stand in a plain list or dict, or are made in `forward`. "
                "Keep them in an `nn.ModuleList` or `nn.ModuleDict`, or as attributes made in `__init__`."
            )
        if made.unreached:
            names = _and([f"`{name}` ({_count(count, 'parameter')})" for name, count in made.unreached])
            notes.append(f"Not reached{', since it stopped before' if made.error else ''}: {names}.")
        if not made.error and not self.results:
            notes.append("What it gives back does not depend on the image.")
        return notes


def _together(names: list[str]) -> list[str]:
    """The module that holds all of these; where that is the whole, its parts."""
    paths = [name.split(".") for name in dict.fromkeys(names)]
    common = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return [".".join(common)] if common else list(dict.fromkeys(path[0] for path in paths))


def by(shape: Shape) -> str:
    """`1×16×64×64`."""
    return "×".join(map(str, shape))


def _how(op: _Op) -> str:
    return {"cat": "concatenated", "add": "added", "add_": "added"}.get(op.name, "merged" if op.kind == "merge" else "")


def _share(values: Any) -> float:
    return float(sum(values))


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
