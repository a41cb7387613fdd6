"""Groups the operations of a run into nodes and edges, and names them by what they do.

A *level* is a step of 2**level pixels between neighbours; a *block* is what runs on one level on the way down or on the
way up; what leads from level to level is pooling or up-convolution; and a *skip* is data that goes from the way down to
the way up without passing the deepest level.
"""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from typing import NamedTuple

from torch import Tensor

from helpers.tracing.operations import PADDING, Operation
from helpers.tracing.recorder import Recorder
from helpers.tracing.results import Edge, Node, Output, Shape
from helpers.tracing.safe_forward import first_image


class Key(NamedTuple):
    """What a node is known by, as in `Node`; of images, `side` is the index, so that each has a node of its own."""

    kind: str
    side: str
    level: int


class Assembly:
    """The operations of one run by node.

    Attributes:
        ops: all operations, in the order in which they ran.
        results: indices of those that made what the model returned.
        members: operations by node.
        keys: node by index of operation.
        names: of the nodes, in the order in which they first ran.
        strided: convolutions that lead a level down, within their block, by the index of the operation that begins it.
        is_encoder: it goes down over several levels with convolutions; is_decoder: and up again.
    """

    def __init__(self, recorder: Recorder, outputs: list[Tensor]) -> None:
        self.recorder, self.ops, self._outputs = recorder, recorder.ops, outputs
        self.results = [recorder.made_by[t] for t in outputs if t in recorder.made_by]
        self._finest = min((op.level for op in self.ops if op.data), default=0)
        self.keys: dict[int, Key] = {}
        self.members: dict[Key, list[Operation]] = {}
        self.strided: dict[int, Operation] = {}
        head = self._head()
        for op in self.ops:
            if op.data:
                self._put(op, self._key(op, head))
        self._fold_preparation()
        self._fold_attention()
        self._lower_steps()
        self._add_bare_outputs()
        down = [key.level for key in self.members if key[:2] == ("block", "down")]
        self._deepest = max(down, default=0)
        self.is_encoder = sum(bool(self.convolutions(Key("block", "down", level))) for level in down) > 1
        self.is_decoder = self.is_encoder and any(
            self.convolutions(Key("block", "up", key.level)) for key in self.members if key.kind == "up"
        )
        self.names = self._named()

    # nodes

    def _level(self, op: Operation) -> int:
        return op.level - self._finest

    def _head(self) -> Operation | None:
        """The last convolution, where it is 1×1, or bare at the end of a way up."""
        last = next((op for op in reversed(self.ops) if op.kind == "conv"), None)
        if last is None or self._level(last) != 0 or last.arrow:
            return None
        before, after = self.ops[last.inputs[0]], self.ops[last.index + 1 :]
        bare = last.side == "up" and not any(op.kind == "norm" or op.name.startswith("relu") for op in after)
        in_decoder = before.kind not in ("scale", "merge") and not before.arrow
        return last if last.kernel == (1, 1) or (bare and in_decoder) else None

    def _key(self, op: Operation, head: Operation | None) -> Key:
        level = self._level(op)
        if op.kind == "image":
            return Key("image", f"{op.index}", level)
        if head is not None and op.index >= head.index and level == 0:
            return Key("head", op.side, 0)
        if op.arrow and (op.kind != "conv" or op.arrow == "up"):
            return Key(op.arrow, op.side, level)
        if op.arrow:
            self.strided[op.index] = op
        return Key("block", op.side, level)

    def _put(self, op: Operation, key: Key) -> None:
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
            if source is not None and source.kind == "image" and used and not begun:
                self._take_out(op, key)
                self._put(op, source)

    def _fold_attention(self) -> None:
        """What attention makes coarser for itself alone, as keys and values, belongs to the block that attends."""
        for key, block in list(self.members.items()):
            attending = [op for op in block if op.kind == "product"]
            waiting, inside = [k for op in attending for k in op.inputs], set[int]()
            while waiting:
                op = self.ops[waiting.pop()]
                if op.index not in inside and op.index in self.keys and op.level > attending[0].level:
                    inside.add(op.index)
                    waiting += op.inputs
            takers = (o for o in self.ops if o.index not in inside and not inside.isdisjoint(o.inputs))
            if all(self.keys.get(o.index, key) == key for o in takers) and inside.isdisjoint(self.results):
                for k in sorted(inside):
                    self._take_out(self.ops[k], self.keys[k])
                    self.strided.pop(k, None)
                    self._put(self.ops[k], key)
                block.sort(key=lambda op: op.index)

    def _lower_steps(self) -> None:
        """What leads down within a block belongs below as a whole: a padding, or a module that widens first.

        So a box shows what came out of its last module, not what is half-way through the next one.
        """
        for step in list(self.strided.values()):
            below = self.keys[step.index]
            begins = [step]
            while (op := self.ops[begins[-1].inputs[0]]).name in PADDING and self._only_for(op, begins[-1]):
                begins.append(op)
            path = step.module.split(".")
            for k in range(1, len(path)):
                if inside := self._before_step(".".join(path[:k]), step, below):
                    begins += inside
                    break
            for op in begins[1:]:
                above = self.keys.get(op.index)
                if above is not None and above != below and above.side != "up":
                    self._take_out(op, above)
                    self._put(op, below)
                    self.strided[op.index] = step
            self.members[below].sort(key=lambda op: op.index)

    def _take_out(self, op: Operation, key: Key) -> None:
        self.members[key].remove(op)
        if not self.members[key]:
            del self.members[key]

    def _only_for(self, op: Operation, other: Operation) -> bool:
        """Whether nothing else takes this result."""
        return all(o.index == other.index for o in self.ops if op.index in o.inputs) and op.index not in self.results

    def _before_step(self, module: str, step: Operation, below: Key) -> list[Operation]:
        """What runs in this module one level up, where the step down is in its middle and nothing leaves from there."""
        ran = [op for op in self.ops if f"{op.module}.".startswith(f"{module}.") and op.index in self.keys]
        above = {self.keys[op.index] for op in ran} - {below}
        if len(above) != 1 or not any(op.kind == "conv" and op.index > step.index for op in ran):
            return []
        (key,) = above
        before = {op.index: op for op in ran if self.keys[op.index] == key}
        rest = [op for op in self.members[key] if op.index not in before]
        leaves = any(
            o.index not in before and self.keys.get(o.index) != below for o in self.ops for k in o.inputs if k in before
        )
        if key[:2] != ("block", "down") or not any(op.kind == "conv" for op in rest) or leaves:
            return []
        return list(before.values())

    def _add_bare_outputs(self) -> None:
        """An arrow that leads to no block leads to the result, which is its last operation once more."""
        for key, ops in list(self.members.items()):
            if key.kind in ("pool", "up") and Key("block", key.side, key.level) not in self.members:
                inside = {op.index for op in ops}
                if not any(inside & set(op.inputs) and self.keys.get(op.index) != key for op in self.ops):
                    self.members[Key("output", key.side, key.level)] = ops[-1:]

    def convolutions(self, key: Key) -> list[Operation]:
        """The convolutions of a node; none where there is no such node."""
        return [op for op in self.members.get(key, []) if op.kind == "conv"]

    def _named(self) -> dict[Key, str]:
        in_order = sorted(self.members, key=lambda key: (key.kind == "output", min(o.index for o in self.members[key])))
        names = {key: self._name(key) for key in in_order}
        taken: Counter[str] = Counter()
        for key, name in names.items():  # two blocks of one kind in a lone piece
            taken[name] += 1
            if taken[name] > 1:
                names[key] = f"{name}, level {key.level}"
        return names

    def _name(self, key: Key) -> str:
        kind, side, level = key
        if kind == "image":
            images = [key for key in self.members if key.kind == "image"]
            return "image" if len(images) == 1 else f"input {images.index(key) + 1}"
        if kind == "pool":
            return f"pooling {level}"
        if kind == "up":
            return f"up-convolution {level}"
        if kind in ("head", "output"):
            return kind
        convolutions = len(self.convolutions(key))
        if side == "up" and (self.is_encoder or convolutions > 1):
            return f"decoder {level}"
        if self.is_encoder and side == "down":
            return "bottleneck" if level == self._deepest else f"encoder {level}"
        names = {0: "layers", 1: "convolution", 2: "double conv"}
        return names.get(convolutions, f"{convolutions} convolutions")

    def node(self, key: Key) -> Node:
        """All that is known of a node but its problems."""
        ops = self.members[key]
        node = Node(self.names[key], key.kind, "down" if key.kind == "image" else key.side, key.level)
        handed = self._handed_on(key, ops)
        operands = dict.fromkeys(k for op in ops for k in op.inputs if self._source(k) not in (None, key))
        node.shapes_in = [self.ops[k].whole for k in operands]
        node.shape_out, node.maps, node.channels = handed.whole, handed.maps, handed.channels
        rows, columns = handed.receptive_field
        node.receptive_field = (float("inf"), float("inf")) if handed.sees_all else (rows.width, columns.width)
        if key.kind in ("image", "output"):
            return node
        registered = self.recorder.registered
        node.parameters = sum(registered[k].numel() for k in set().union(*(op.parameters for op in ops)))
        node.unregistered = len(set().union(*(op.unregistered for op in ops)))
        node.convolutions = len(self.convolutions(key))
        node.time = sum(op.seconds for op in ops) / (sum(op.seconds for op in self.ops) or 1)
        node.memory = sum(op.bytes for op in ops) / (sum(op.bytes for op in self.ops) or 1)
        node.modules = _outermost([op.module for op in ops if op.module])
        node.what = self._what(key, ops)
        return node

    def _handed_on(self, key: Key, ops: list[Operation]) -> Operation:
        """The result that another node took first; else one of the run's results; else the last.

        Rather one that goes on on the same side than a skip, and rather a map than tokens.
        """
        if key.kind == "image":
            return ops[0]
        inside = {op.index for op in ops}
        takers = [op for op in self.ops if self.keys.get(op.index) not in (None, key)]
        taken = [(op, self.ops[k]) for op in takers for k in op.inputs if k in inside]
        onward = [result for op, result in taken if op.side == ops[0].side or key.kind != "block"]
        given = [
            *onward,
            *(result for _, result in taken),
            *(self.ops[k] for k in self.results if k in inside),
            ops[-1],
        ]
        return next((op for op in given if len(op.whole) == 4 and not op.loose), given[0])

    def _what(self, key: Key, ops: list[Operation]) -> str:
        if key.kind in ("pool", "up"):
            return next((op.detail for op in ops if op.detail), "")
        merges = [op.how for op in ops if op.kind == "merge" and op.side == "up" and key.kind == "block"]
        counted = Counter(op.detail for op in self.convolutions(key))
        return ", ".join([*dict.fromkeys(merges), *(f"{n} × {d}" if n > 1 else d for d, n in counted.items())])

    # edges

    def edges(self) -> list[Edge]:
        """The edges between nodes, skips with their names."""
        found: dict[tuple[Key, Key], Edge] = {}
        for op in self.ops:
            target = self.keys.get(op.index)
            if target is None or op.kind == "image":
                continue
            for k in op.inputs:
                source = self._source(k)
                if source is not None and source != target:
                    self._cross(found, source, target, op, self.ops[k])
            source = Key("block", "down", self._level(op))
            if op.zero_constant and op.side == "up" and source in self.members and (source, target) not in found:
                found[source, target] = self._edge(source, target, op.zero_constant, skip=True, zeros=True, how=op.how)
        for key, ops in self.members.items():
            if key.kind == "output":
                arrow = self.keys[ops[0].index]
                found[arrow, key] = self._edge(arrow, key, ops[0].shape)
        self._name_skips(found)
        return list(found.values())

    def _edge(
        self, source: Key, target: Key, shape: Shape, skip: bool = False, zeros: bool = False, how: str = ""
    ) -> Edge:
        return Edge(self.names[source], self.names[target], shape, skip, zeros, how)

    def _source(self, k: int) -> Key | None:
        """The node an operand comes from; where it has only the shape of the data, the one that the shape is from."""
        op = self.ops[k]
        while not op.data and op.inputs:
            op = self.ops[op.inputs[0]]
        return self.keys.get(op.index)

    def _cross(
        self, found: dict[tuple[Key, Key], Edge], source: Key, target: Key, op: Operation, operand: Operation
    ) -> None:
        from_down = source.kind in ("block", "image") and source.side != "up"
        across = op.side == "up" and op.arrow != "up" and len(op.inputs) > 1
        past = self.is_encoder and op.arrow == "up" and source.kind == "block" and source.level < self._deepest
        skip = from_down and target.kind in ("block", "head", "up") and (across or past)
        zeros = skip and op.zero_inputs.get(operand.index, operand.zero)
        edge = found.get((source, target))
        if edge is None:
            step = self.strided.get(op.index)
            how = f"stride {step.detail.rpartition(' ')[2]}" if step and not skip else ""
            edge = found[source, target] = self._edge(source, target, operand.whole, skip, zeros, how)
        else:
            edge.zeros = zeros and (edge.zeros or not edge.skip)
            edge.skip = edge.skip or skip
            if edge.shape[2:] == (1, 1) and not operand.pooled:  # weights of its channels came first
                edge.shape, edge.how = operand.whole, ""
        if edge.skip:
            edge.how = edge.how or op.how
            edge.maps, edge.channels = operand.maps, operand.channels

    def _name_skips(self, found: dict[tuple[Key, Key], Edge]) -> None:
        taken: set[str] = set()
        for (source, target), edge in found.items():
            if edge.skip:
                name = f"skip {target.level if source.kind == 'image' else source.level}"
                edge.name = name if name not in taken else f"{name} to {edge.target}"
                taken.add(name)

    # the whole

    def output(self) -> Output | None:
        """The first result that has rows and columns made from the image."""
        for index, given in enumerate(self._outputs):
            op = self.ops[self.recorder.made_by[given]].as_map() if given in self.recorder.made_by else None
            if op is not None and op.data and given.ndim in (3, 4) and tuple(given.shape[-2:]) == op.size:
                values = first_image(given).detach().float().cpu().clone()
                return Output(values, op.receptive_field, op.sees_all, index)
        return None


def _outermost(modules: list[str]) -> list[str]:
    """The module that holds all of these; where that is the whole, its parts."""
    paths = [name.split(".") for name in modules]
    common = [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))]
    return [".".join(common)] if common else list(dict.fromkeys(path[0] for path in paths))
