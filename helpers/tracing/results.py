"""What a trace finds in a network: its nodes, the edges between them, its output. Data only, and light to import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from helpers.tracing.receptive_field import ReceptiveField

Shape = tuple[int, ...]


@dataclass
class Node:
    """Something that ran: a block of layers, a pooling, an up-convolution, the head; or an input image.

    Attributes:
        name: "encoder 1" is on level 1, where the sides are divided by 2**1.
        kind: "image", "block", "pool", "up", "head", or "output" for a bare result.
        side: "down" or "up".
        level: 0 for the finest level of this run.
        shapes_in: the distinct tensors that came in from other nodes.
        shape_out: of what it handed on.
        parameters: learnable numbers registered with the module and used here.
        convolutions: how many ran here, transposed ones too.
        unregistered: weights used here that `model.parameters()` does not know.
        time: fraction of the time of all operations; of their second run, where they can be run twice.
        memory: fraction of the memory of all results (views and in-place operations take none).
        receptive_field: rows and columns of the image that a value can depend on, at most, composed from kernel, stride
            and offset of all operations on the way; infinite behind an average over the whole image.
        what: the operation in words, such as "max pooling 2×2".
        modules: names of the modules in which it ran.
        problems: what is wrong with it, in sentences.
        maps: float `(M, h, w)`, those of its feature maps of the first image that vary most, or `None`.
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
        shape: of what crossed.
        skip: it went from the way down to the way up without passing the deepest level.
        zeros: all that crossed was zero.
        how: "concatenated", "added", or "" where nothing was merged.
        name: of a skip: "skip 1".
        maps, channels: of a skip, as of `Node`.
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
    """The first result that has rows and columns.

    Attributes:
        values: float `(C, H, W)`, of the first image.
        receptive_field: of its positions, along rows and along columns, in pixels of the largest image.
        everything: an average over the whole image went in.
        index: which of the tensors that the model returned.
    """

    values: Tensor
    receptive_field: tuple[ReceptiveField, ...]
    everything: bool
    index: int


@dataclass
class Trace:
    """What was found in one run.

    Attributes:
        title: the class or function that ran.
        nodes: in the order in which they first ran.
        parameters: learnable numbers in the whole module.
        output: `None` where the run stopped, or returned nothing with rows and columns made from the image.
        concepts: keys of the concept cards that were seen at work.
        error: one sentence about where it stopped, or "".
        stopped_at: the node that ran last before it stopped, or "".
        unreached: names of the modules whose parameters took no part, and how many parameters these are.
        notes: sentences about the whole.
    """

    title: str
    nodes: list[Node]
    edges: list[Edge]
    parameters: int = 0
    output: Output | None = None
    concepts: list[str] = field(default_factory=list)
    error: str = ""
    stopped_at: str = ""
    unreached: list[tuple[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def node(self, name: str) -> Node | None:
        """The node of that name."""
        return next((node for node in self.nodes if node.name == name), None)

    @property
    def skips(self) -> list[Edge]:
        """The edges that are skips."""
        return [edge for edge in self.edges if edge.skip]
