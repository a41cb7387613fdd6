"""What every playground has: settings to move, a scene, facts in words; a widget, and a static fallback.

The fallback is one picture and its numbers in words. The same facts stand in both, so that a screen reader, a printed
page and a console lose nothing.
"""

from __future__ import annotations

import copy
import html
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import traitlets

from helpers import frontend, markup, show
from helpers.play.painting import paint
from helpers.play.scene import Scene, for_the_page


@dataclass(frozen=True)
class Control:
    """One setting that a student moves.

    Attributes:
        name: the playground's attribute that it sets.
        label: what it says beside it.
        kind: "range" (a slider) or "grid" (numbers in rows).
        min, max, step: of a range.
        whole: whether a range gives whole numbers.
        unit: after the value.
    """

    name: str
    label: str
    kind: str = "range"
    min: float = 0.0
    max: float = 1.0
    step: float = 0.01
    whole: bool = False
    unit: str = ""

    def read(self, value: Any) -> Any:
        """The value for the attribute, from what the page sent.

        Raises:
            ValueError: it is none that the control can give.
        """
        if self.kind == "grid":
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not self.min <= value <= self.max:
            raise ValueError(f"{self.label} is {value!r}; it goes from {self.min:g} to {self.max:g}.")
        return int(value) if self.whole else float(value)


class Playground(ABC):
    """A model whose settings are attributes, shown as a picture and text.

    A subclass has `compute()`, which works out the results from the settings and changes nothing, and the three parts
    of the fallback below.
    """

    title: str

    @abstractmethod
    def compute(self) -> Any:
        """What the settings lead to."""

    @abstractmethod
    def facts(self) -> list[str]:
        """The findings in words, with their numbers: a sentence each. `code` and *stress* are marked like this."""

    def controls(self) -> list[Control]:
        """The settings that a student may move."""
        return []

    def change(self, **values: Any) -> None:
        """Set some of the settings that `controls` names.

        Raises:
            ValueError: they do not go with the others.
        """
        for name, value in values.items():
            setattr(self, name, value)

    def working(self) -> str:
        """In words, what will take long with the settings as they are; empty if nothing does."""
        return ""

    @abstractmethod
    def scene(self) -> Scene:
        """What is shown, and in words what is to be seen in it."""

    def __repr__(self) -> str:
        found = [self.title]
        for fact in self.facts():
            found.append(markup.wrapped(fact, initial_indent="- ", subsequent_indent="  "))
        return "\n".join(found)

    def as_html(self) -> str:
        """The picture and the facts as HTML, in whatever colours the page has."""
        scene = self.scene()
        facts = "".join(f'<li style="margin:.2em 0">{markup.as_html(fact)}</li>' for fact in self.facts())
        return (
            f'<div><p style="margin:.3em 0"><b>{html.escape(self.title)}</b></p>{show.img_tag(paint(scene), scene.alt)}'
            f'<ul style="margin:.3em 0;max-width:62em">{facts}</ul></div>'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        fallback = {"text/plain": repr(self), "text/html": self.as_html()}
        return frontend.shown(self, fallback, lambda: PlaygroundFrontEnd(self), **kwargs)


class PlaygroundFrontEnd(frontend.FrontEnd):
    """The thin front end of a `Playground`. All views of one playground share its state.

    Traits:
        title: what does not change.
        controls: what can be moved and how far, which may change with the values.
        values: of all controls.
        scene: what is drawn, with pictures as bytes.
        facts: the findings as HTML, a sentence each.
        answered: number of the last request that was dealt with.
        working: in words, what takes long at the moment; empty if nothing.
        problem: why it could not be done, in words; empty if it was.
        looking: what the views of one page show of the pictures: zoom, the window's corner as fractions of the picture,
            where the wipe stands and between which two. The page keeps it to itself, so that it needs no kernel.
    """

    _esm = frontend.module(Path(__file__).with_name("playground.js"))
    _css = frontend.style(Path(__file__).with_name("playground.css"))
    title = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    facts = traitlets.List().tag(sync=True)
    answered = traitlets.Int().tag(sync=True)
    working = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    looking = traitlets.Dict({"zoom": 1, "left": 0, "top": 0, "wipe": 0.5, "pair": [0, 1]}).tag(sync=True)

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        super().__init__(title=playground.title, needs_kernel=bool(playground.controls()))
        self._put(self._found())
        self.on_msg(self._on_request)

    def _found(self) -> dict[str, Any]:
        """What the playground says now, by trait. A model may have to run for it."""
        self._known = {control.name: control for control in self._playground.controls()}
        values = {name: getattr(self._playground, name) for name in self._known}
        values = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in values.items()}
        return {
            "values": values,
            "controls": [{**asdict(c), "value": values[name]} for name, c in self._known.items()],
            "scene": for_the_page(self._playground.scene()),
            "facts": [markup.as_html(fact) for fact in self._playground.facts()],
        }

    def _on_request(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        before = copy.copy(self._playground.__dict__)
        problem = ""
        try:
            self._playground.change(**{name: self._known[name].read(v) for name, v in content["set"].items()})
            self.working = self._playground.working()  # on the page before the work begins
            found = self._found()
        except ValueError as error:  # a setting that goes with none of the others: nothing is changed
            self._playground.__dict__.update(before)
            problem = str(error)
            found = self._found()
        with self.hold_sync():  # one message, so that no view shows a picture without its facts
            self._put(found)
            self.problem = problem
            self.working = ""
            self.answered = content["number"]

    def _put(self, found: dict[str, Any]) -> None:
        for name, value in found.items():
            setattr(self, name, value)
