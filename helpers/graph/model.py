"""The architecture graph without a page: what ran, what is unlocked, and what a part or a pixel is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from helpers.errors import InputError, called_as
from helpers.graph import layout
from helpers.graph.card import Card, concept_named, concept_of
from helpers.graph.concepts import concepts, keep, kept_in, read
from helpers.graph.fallback import problems

if TYPE_CHECKING:
    from torch import Tensor

    from helpers.tracing.influence import Influence
    from helpers.tracing.results import Edge, Node, Trace


class GraphModel:
    """What has run and what is unlocked; `ArchitectureGraph` shows it.

    Attributes:
        unlocked: keys of the concepts unlocked so far, in this and in earlier lessons.
        trace: what the latest `forward` found, or `None`.

    Args:
        depth: levels below full size of the U that is drawn until a network says how deep it is.
    """

    @called_as("ArchitectureGraph()")
    def __init__(self, depth: int = 4) -> None:
        self.depth = depth
        self.trace: Trace | None = None
        self._images: tuple[Tensor, ...] = ()
        self._model: Callable | None = None  # kept, for it may have no other name: `graph.forward(UNet(1, 1), image)`
        self._kept_in = kept_in()
        self.unlocked, self._said = read(self._kept_in)

    def forward(self, model: Callable, *images: Tensor) -> GraphModel:
        """Run a model, or a piece of one, on an image, and unlock what executed.

        Nothing of the model changes: it runs in evaluation mode and without gradients, and mode, parameters, running
        statistics and random generators are put back. One that raises is drawn as far as it came.

        Args:
            model: a module or a function of tensors: `UNet`, `Encoder`, `Down`, `DoubleConv`, one of smp's.
            images: float `(N, C, H, W)` or `(C, H, W)`; more than one where the piece takes more, as `Up` does.

        Returns:
            This graph: as the last line of a cell it is shown.

        Raises:
            TypeError: `model` cannot be called, or is a class.
            ValueError: an image is no float tensor of three or four dimensions.
        """
        from helpers.tracing.trace import trace  # torch loads here

        found = trace(model, *images)
        self._take(found, model, images)
        new = set(found.concepts) - self.unlocked
        self.unlocked |= new
        # read again: another notebook may have unlocked something in the meantime
        self._said = keep(self._kept_in, self.unlocked | read(self._kept_in)[0]) if new else ""
        return self

    def _take(self, found: Trace, model: Callable, images: tuple[Tensor, ...]) -> None:
        self.trace, self._model = found, model
        self._images = tuple(image.detach().clone() for image in images)  # yours may be written into later

    @called_as('graph.select("encoder 1")')
    def select(self, name: str) -> Card:
        """What a part is for, and its feature maps of the image.

        Args:
            name: a node such as `"encoder 1"`, a skip such as `"skip 0"`, a concept such as `"bottleneck"`, or an empty
                place of the U such as `"decoder 1"`.

        Raises:
            ValueError: there is nothing of that name; the message says what there is.
        """
        wanted = name.strip().lower()
        part = self._part(wanted)
        if part is not None and wanted not in concepts():
            key = concept_of(part)
        elif wanted in concepts() or wanted in layout.empty_places(self.trace, self.depth):
            key = concept_named(wanted)
        else:  # as long as nothing has run, "encoder 9" and "skip" stand for their concept
            key = concept_named(wanted) if self.trace is None or not wanted[-1:].isdigit() else None
        if key is None and part is None:
            names = [f'"{n}"' for n in [*self._names(), *concepts()]]
            raise InputError(f"There is no {name!r} in this graph. Choose one of {', '.join(names)}.")
        return Card(name, concepts()[key] if key else None, part, key is None or key in self.unlocked)

    def sees(self, row: int, column: int, channel: int | None = None) -> Influence:
        """What a pixel of the output sees of the image: its receptive field, and the pixels that really move it.

        The network runs again, as it is now.

        Args:
            row, column: of the output (the first of the results that has rows and columns), counted from 0.
            channel: of the output; the highest at that pixel when not given.

        Raises:
            CannotSee: nothing has run or gave an output, there is no such pixel, the network raises, or no gradient
                comes back from the output to the image. The message says which, and what to do.
        """
        from helpers.tracing.influence import CannotSee, influence_of

        if self.trace is None or self._model is None:
            raise CannotSee("Nothing has run yet. Call graph.forward(model, image) first.")
        if self.trace.output is None:
            raise CannotSee(self.no_output())
        return influence_of(self._model, self._images, self.trace.output, row, column, channel)

    def no_output(self) -> str:
        """Why there is no output of which a pixel could be selected; empty where there is one."""
        if self.trace is None or self.trace.output is not None:
            return ""
        if self.trace.error:
            return "The run stopped before it gave an output, so there is no output pixel to select."
        return "What it gave has no rows and columns made from the image, so there is no output pixel to select."

    def parts(self) -> list[str]:
        """Names of all that can be selected in the picture: nodes, skips, and empty places of the U."""
        return list(dict.fromkeys([*self._names(), *layout.empty_places(self.trace, self.depth)]))

    def _names(self) -> list[str]:
        if self.trace is None:
            return []
        return [node.name for node in self.trace.nodes] + [edge.name for edge in self.trace.skips]

    def _part(self, wanted: str) -> Node | Edge | None:
        """The node or skip of that name, or the first of that concept."""
        if self.trace is None:
            return None
        parts: list[Node | Edge] = [*self.trace.nodes, *self.trace.skips]
        named = [part for part in parts if part.name.lower() == wanted]
        return next(iter(named or [part for part in parts if concept_of(part) == wanted]), None)

    # its words

    def title(self) -> str:
        """What the picture is of."""
        return f"Architecture graph of {self.trace.title}" if self.trace else "Architecture graph, nothing run yet"

    def sentences(self) -> list[str]:
        """What has to be said, worst first."""
        found = problems(self.trace) if self.trace else []
        return found + ([self._said] if self._said else [])

    def state(self) -> str:
        """What is unlocked, and what is not."""
        titles = {key: card.title.removeprefix("The ").lower() for key, card in concepts().items()}
        unlocked = [titles[key] for key in titles if key in self.unlocked]
        locked = [titles[key] for key in titles if key not in self.unlocked]
        if not unlocked:
            return f"All {len(locked)} parts are locked: {', '.join(locked)}. A part opens when a network runs it."
        text = f"Unlocked: {', '.join(unlocked)}."
        return f"{text} Still locked: {', '.join(locked)}." if locked else f"{text} Nothing is locked any more."
