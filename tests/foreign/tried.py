"""The four calls of the course on a network of another library, with the course's own advice followed where it errs."""

from __future__ import annotations

import functools
import math
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from autograde.markdown import Published
from helpers import data
from helpers.compare_models import compare
from helpers.data.gate import GateWarning
from helpers.errors import CourseError
from helpers.graph import ArchitectureGraph
from helpers.share import load_shared, share
from helpers.tracing.results import Trace
from helpers.tracing.safe_forward import tensors, unharmed
from helpers.training import fit
from tests.foreign.networks import Foreign

DOCS = Path(__file__).parents[2] / "docs"
SIDE = 64  # pixels
Pairs = list[tuple[Tensor, Tensor]]


class Wrapped(nn.Module):
    """What an error says to write around a network: `returns` is its code."""

    def __init__(self, network: nn.Module, returns: str) -> None:
        super().__init__()
        self.network, self.returns = network, returns

    def forward(self, x: Tensor) -> Any:
        return eval(self.returns, {"self": self, "x": x, "F": F})


@functools.cache
def pictures(side: int = SIDE) -> Pairs:
    """Real pairs of nuclei, all with objects in them."""
    whole = data.load("nuclei", "train", tile=side)
    pairs = [tuple(x.as_subclass(Tensor) for x in whole[k]) for k in range(len(whole))]
    return [(image, mask) for image, mask in pairs if mask.any()][:6]


@dataclass
class Tried:
    """A network on its way through one call.

    Attributes:
        foreign: what it was made from.
        model: as it is now.
        done: advice that was followed, in the words of the table.
        end: why it stops, in the words of the table; empty where it went through.
        said: what the course said last.
    """

    foreign: Foreign
    model: nn.Module
    pairs: Pairs = field(default_factory=pictures)
    done: list[str] = field(default_factory=list)
    end: str = ""
    said: str = ""

    @property
    def train(self) -> Pairs:
        """All but two of the pictures."""
        return self.pairs[:-2] or self.pairs

    @property
    def validation(self) -> Pairs:
        """Two of them."""
        return self.pairs[-2:]

    @property
    def cell(self) -> str:
        """Of the table."""
        if self.end:
            return f"no: {self.end}"
        return ", ".join(["yes", *self.done])

    def go(self, call: Callable[[Tried], None]) -> Tried:
        """The call, again after each piece of advice."""
        for _ in range(5):
            try:
                with warnings.catch_warnings(record=True) as told:
                    warnings.simplefilter("always", GateWarning)
                    call(self)
                self.done += ["with a warning"] * any(issubclass(one.category, GateWarning) for one in told)
                return self
            except CourseError as error:
                self.said = str(error)
                if not self.follow():
                    return self
        raise AssertionError(f"{self.foreign.name}: the advice leads nowhere: {self.said}")

    def follow(self) -> bool:
        """Do what was said; whether it is worth another try."""
        for pattern, words, do in ADVICE:
            if found := re.search(pattern, self.said, re.DOTALL):
                do(self, found)
                self.done += [found.expand(words)] * (found.expand(words) not in self.done)
                return True
        for pattern, words in ENDS:
            if re.search(pattern, self.said, re.DOTALL):
                self.end = words
                return False
        raise AssertionError(f"{self.foreign.name}: nothing to do in {self.said!r}")

    def wrap(self, found: re.Match[str]) -> None:
        self.model = Wrapped(self.model, found[1])

    def change_images(self, found: re.Match[str]) -> None:
        code = compile(found[1], "advice", "eval")
        self.pairs = [(eval(code, {"image": image}), mask) for image, mask in self.pairs]

    def take_larger(self, found: re.Match[str]) -> None:
        channels = len(self.pairs[0][0])
        self.pairs = [(image.expand(channels, -1, -1), mask) for image, mask in pictures(int(found[1]))]

    def make_again(self, found: re.Match[str]) -> None:
        torch.manual_seed(0)
        self.model = self.foreign.build(**{found[1]: eval(found[2])})


HEADINGS = ("network", "parameters", "graph", "`fit`", "`compare`", "`share`")
TABLE = Published("networks", HEADINGS, DOCS / "networks.json", DOCS / "library.md")

ADVICE: list[tuple[str, str, Callable[[Tried, re.Match[str]], None]]] = [
    (r"`forward` returns `([^`]+)`", "wrapped", Tried.wrap),
    (r"or the images fit: `([^`]+)`", "images in RGB", Tried.change_images),
    (r"(\d+) × \1 go through.*Give larger images", r"images of \1 × \1", Tried.take_larger),
    (r"made with (\w+)=.* Leave \1 at (.+?);", r"with `\1=\2`", Tried.make_again),
]
ENDS = [
    (r"What can be shared is.*save_model\(model, ", "weights alone"),
    (r"classifies whole images", "classifies whole images"),
]


def row(foreign: Foreign, folder: Path) -> list[str]:
    """The network's row of the table; raises AssertionError where a call is neither right nor says why not."""
    torch.manual_seed(0)
    model = foreign.build()
    compared = Tried(foreign, model).go(_compare)
    check_graph(model, compared.pairs[0][0][None])
    shared = Tried(foreign, model).go(lambda tried: _share(tried, folder))
    if shared.end == "weights alone":  # what it says to do
        save_model(model, str(folder / "weights.safetensors"))
        load_model(model, folder / "weights.safetensors")
    fitted = Tried(foreign, model).go(_fit)
    return [foreign.title, f"{_parameters(model):,}", "yes", *(tried.cell for tried in (fitted, compared, shared))]


def _compare(tried: Tried) -> None:
    (found,) = compare({"it": tried.model}, tried.validation).rows
    assert found["parameters"] == _parameters(tried.model)
    assert found["ms"] > 0
    assert 0 <= found["dice"] <= 1


def _fit(tried: Tried) -> None:
    history = fit(tried.model, tried.train, tried.validation, epochs=1, batch_size=2)
    assert history.steps == max(1, len(tried.train) // 2)
    assert all(map(math.isfinite, [*history.losses, history.best["iou"]]))
    image, mask = tried.validation[0]
    logits = tried.model(image[None])
    assert logits.shape == (1, tried.foreign.classes, *mask.shape)
    assert logits.isfinite().all()


def _share(tried: Tried, folder: Path) -> None:
    path = share(tried.model, "ana", tried.train, tried.validation, folder=folder)
    image = tried.validation[0][0][None]
    with torch.no_grad():
        assert torch.allclose(load_shared(path)(image), tried.model.eval()(image), atol=1e-4)


def _parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def check_graph(model: nn.Module, image: Tensor) -> Trace:
    """Assert that the graph has all that ran, and that its boxes hold what came out of a module."""
    graph = ArchitectureGraph().forward(model, image)
    trace = graph.trace
    assert trace is not None
    assert not trace.error
    ET.fromstring(re.findall(r"<svg.*?</svg>", graph.as_html(), re.DOTALL)[0])
    came_out, used = _hooked(model, image)
    unreached = dict(trace.unreached)
    assert sum(node.parameters for node in trace.nodes) + sum(unreached.values()) == _parameters(model)
    for name in used:
        assert not any(f"{name}.".startswith(f"{other}.") for other in unreached), f"{name} ran"
    for node in trace.nodes:
        if node.kind in ("block", "head") and len(node.shape_out) == 4:
            assert node.maps is not None
            maps = [x for x in map(_as_map, came_out) if x.numel() == math.prod(node.shape_out)]
            kept = [x.reshape(node.shape_out)[0, node.channels] for x in maps]
            assert any(torch.allclose(x, node.maps, atol=1e-5) for x in kept), f"{node.name}: {node.shape_out}"
    return trace


def _as_map(given: Tensor) -> Tensor:
    """Tokens `(N, L, C)` with the channels first, as they stand in a map."""
    return given.transpose(1, 2) if given.ndim == 3 else given


def _hooked(model: nn.Module, image: Tensor) -> tuple[list[Tensor], list[str]]:
    """All that modules give in a forward pass, and the names of those that hold parameters themselves."""
    came_out: list[Tensor] = []
    names = {module: name for name, module in model.named_modules()}
    used: dict[str, None] = {}

    def keep(module: nn.Module, _args: Any, given: Any) -> None:
        came_out.extend(x.detach().clone() for x in tensors(given))
        if next(module.parameters(recurse=False), None) is not None:
            used[names[module]] = None

    with ExitStack() as stack, unharmed(model), torch.no_grad():
        for module in names:
            stack.enter_context(module.register_forward_hook(keep))
        model(image)
    return came_out, list(used)
