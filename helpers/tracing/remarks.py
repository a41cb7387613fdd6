"""What is said about a run: concepts seen at work, problems of nodes, where it stopped, notes about the whole."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from helpers.tracing.assembly import Assembly
from helpers.tracing.operations import Operation
from helpers.tracing.results import Node, Shape, Trace


def add_remarks(found: Trace, assembly: Assembly, error: str) -> None:
    """Complete a trace by all that is said; `error` is what was raised, or ""."""
    recorder = assembly.recorder
    if error:
        found.stopped_at = _last_node(assembly)
        found.error = _stopped(assembly, found.stopped_at, error)
    reaching = _reaching_the_result(assembly)
    for key, node in zip(assembly.names, found.nodes, strict=True):
        if key.kind not in ("image", "output"):
            node.problems = list(_problems(node, assembly.members[key], assembly, reaching, error))
    found.concepts = list(_concepts(found, assembly))
    if recorder.model is not None:
        touched = set().union(*(op.parameters for op in recorder.ops))
        found.unreached = list(_unreached(recorder.model, touched))
    found.notes = list(_notes(found, assembly))


def _concepts(found: Trace, assembly: Assembly) -> Iterator[str]:
    kinds = {key.kind for key in assembly.members}
    blocks = [assembly.convolutions(key) for key in assembly.members if key.kind == "block"]
    if any(sum(op.arrow != "up" for op in convolutions) > 1 for convolutions in blocks):
        yield "double conv"
    if assembly.strided or "pool" in kinds:
        yield "pooling"
    if assembly.is_encoder:
        yield from ("encoder", "bottleneck")
    if "up" in kinds:
        yield "up-convolution"
    if assembly.is_decoder:
        yield "decoder"
        if any(not skip.zeros for skip in found.skips):
            yield "skip connection"
    if any(key.kind == "head" and assembly.convolutions(key)[0].kernel == (1, 1) for key in assembly.members):
        yield "head 1x1"


def _problems(node: Node, ops: list[Operation], assembly: Assembly, reaching: set[int], error: str) -> Iterator[str]:
    if assembly.recorder.model is not None:
        if node.unregistered:
            verb = "is" if node.unregistered == 1 else "are"
            yield (
                f"{_count(node.unregistered, 'weight')} used here {verb} not registered with the module: no "
                "optimiser learns them, no checkpoint keeps them."
            )
        elif not node.parameters and not error and node.kind in ("block", "head"):
            yield "There is nothing to learn here: no parameter took part."
    if node.shape_out and ops[-1].zero and all(op.zero for op in ops if op.kind != "merge"):
        yield "It gives nothing but zeros."
    if not all(op.finite for op in ops):
        yield "Values that are no finite numbers (inf or nan) appear here."
    if assembly.results and reaching.isdisjoint(op.index for op in ops):
        yield "It ran, but nothing of what it made reaches the result."


def _reaching_the_result(assembly: Assembly) -> set[int]:
    """Indices of the operations whose values took part in what the model returned."""
    reaching = set(assembly.results)
    for op in reversed(assembly.ops):
        if op.index in reaching and op.data:
            reaching.update(op.inputs)
    return reaching


def _last_node(assembly: Assembly) -> str:
    ran = (assembly.keys[op.index] for op in reversed(assembly.ops) if op.index in assembly.keys)
    return next((assembly.names[key] for key in ran), "image")


def _stopped(assembly: Assembly, last: str, error: str) -> str:
    begun = "before anything ran" if last == "image" else f"in or after {last}"
    shapes = ""
    if assembly.recorder.failed and len(assembly.recorder.failed[1]) > 1:
        name, operands = assembly.recorder.failed
        shapes = f" (`{name}` of {' and '.join(map(_by, operands))})"
    return f"`{assembly.recorder.title}` stopped {begun}{shapes}: {error}"


def _unreached(module: nn.Module, touched: set[int], name: str = "") -> Iterator[tuple[str, int]]:
    """The outermost modules of which no parameter took part, and how many parameters these are."""
    parameters = list(module.parameters())
    if parameters and touched.isdisjoint(map(id, parameters)):
        yield name or type(module).__name__, sum(p.numel() for p in parameters)
    else:
        for child_name, child in module.named_children():
            yield from _unreached(child, touched, f"{name}.{child_name}" if name else child_name)


def _notes(found: Trace, assembly: Assembly) -> Iterator[str]:
    if assembly.is_decoder and not found.skips and not found.error:
        yield "No skip connection: what the way up draws comes through the bottleneck alone."
    dead = [edge.name for edge in found.skips if edge.zeros]
    if dead:
        yield f"{_and(dead)}: the edge is there, but it carries nothing but zeros."
    if any(node.unregistered for node in found.nodes):
        yield (
            "Weights stay unregistered when their modules stand in a plain list or dict, or are made in `forward`. "
            "Keep them in an `nn.ModuleList` or `nn.ModuleDict`, or as attributes made in `__init__`."
        )
    if found.unreached:
        names = _and([f"`{name}` ({_count(count, 'parameter')})" for name, count in found.unreached])
        yield f"Not reached{', since it stopped before' if found.error else ''}: {names}."
    if not found.error and not assembly.results:
        yield "What it gives back does not depend on the image."


def _by(shape: Shape) -> str:
    """`1×16×64×64`."""
    return "×".join(map(str, shape))


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
