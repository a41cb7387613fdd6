"""What all playgrounds share: settings to move, a scene, facts in words; a widget, and a static fallback.

The fallback is one picture and the same facts in words, so that a screen reader, a printed page and a console lose
nothing.
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
from helpers.errors import InputError
from helpers.play.painting import paint
from helpers.play.scene import Scene, for_the_page


@dataclass(frozen=True)
class Control:
    """One setting that a student moves.

    Attributes:
        name: the playground's attribute that it sets.
        kind: "range" (a slider, to which `min` to `unit` apply) or "grid" (numbers in rows).
        step: between values; a whole one gives whole numbers.
        unit: written after the value.
    """

    name: str
    label: str
    kind: str = "range"
    min: float = 0.0
    max: float = 1.0
    step: float = 0.01
    unit: str = ""

    def read(self, value: Any) -> Any:
        """The attribute's value from what the page sent.

        Raises:
            ValueError: the control has no such value.
        """
        if self.kind == "grid":
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not self.min <= value <= self.max:
            raise InputError(f"{self.label} is {value!r}; it goes from {self.min:g} to {self.max:g}.")
        return int(value) if float(self.step).is_integer() else float(value)


class Playground(frontend.Piece, ABC):
    """A model whose settings are attributes, shown as a picture and text."""

    title: str

    @abstractmethod
    def compute(self) -> Any:
        """What the settings lead to; changes nothing."""

    @abstractmethod
    def facts(self) -> list[str]:
        """The findings with their numbers, a sentence each, in the markup of `helpers.markup`."""

    def controls(self) -> list[Control]:
        """The settings that can be moved."""
        return []

    def change(self, **values: Any) -> None:
        """Set some of the settings that `controls` names.

        Raises:
            ValueError: they do not fit the others.
        """
        for name, value in values.items():
            setattr(self, name, value)

    def working(self) -> str:
        """What will take long with the present settings, in words; empty if nothing does."""
        return ""

    @abstractmethod
    def scene(self) -> Scene:
        """What is shown."""

    def __repr__(self) -> str:
        facts = (markup.wrapped(fact, initial_indent="- ", subsequent_indent="  ") for fact in self.facts())
        return "\n".join([self.title, *facts])

    def as_html(self) -> str:
        """The picture and the facts as HTML, in the page's own colours."""
        scene = self.scene()
        facts = "".join(f'<li style="margin:.2em 0">{markup.as_html(fact)}</li>' for fact in self.facts())
        return (
            f'<div><p style="margin:.3em 0"><b>{html.escape(self.title)}</b></p>{show.img_tag(paint(scene), scene.alt)}'
            f'<ul style="margin:.3em 0;max-width:62em">{facts}</ul></div>'
        )

    def _make_front_end(self) -> PlaygroundFrontEnd:
        return PlaygroundFrontEnd(self)


class PlaygroundFrontEnd(frontend.FrontEnd):
    """The thin front end of a `Playground`. All views of one playground share its state.

    Traits:
        controls: what can be moved and how far, which may change with the values.
        values: the value of each control, by name.
        scene: what is drawn, with pictures as bytes.
        facts: the findings as HTML, a sentence each.
        answered: the number of the last request dealt with.
        working: what takes long at the moment, in words; empty if nothing does.
        problem: why the last request could not be met, in words; empty if it was.
        looking: what the page shows of the pictures: zoom, the window's corner as fractions of the picture, the place
            of the wipe and the two pictures it divides. The page never sends it, so that this needs no kernel.
    """

    _esm = frontend.module(Path(__file__).with_name("playground.js"))
    _css = frontend.style(Path(__file__).with_name("playground.css"))
    title = traitlets.Unicode().tag(sync=True)
    controls: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    facts: traitlets.List[str] = traitlets.List().tag(sync=True)
    answered = traitlets.Int().tag(sync=True)
    working = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    looking = traitlets.Dict({"zoom": 1, "left": 0, "top": 0, "wipe": 0.5, "pair": [0, 1]}).tag(sync=True)

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        super().__init__(title=playground.title, needs_kernel=bool(playground.controls()), **self._found())
        self.on_msg(self._on_request)

    def _found(self) -> dict[str, Any]:
        """The traits as the playground is now. A model may have to run for this."""
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
        wishes = {name: value for name, value in content.items() if name != "number"}
        try:
            self._playground.change(**{name: self._known[name].read(value) for name, value in wishes.items()})
            self.working = self._playground.working()  # on the page before the work begins
            found = self._found()
        except ValueError as error:  # the settings do not fit together: nothing is changed
            self._playground.__dict__.update(before)
            problem = str(error)
            found = self._found()
        with self.hold_sync():  # one message, so that no view shows a picture without its facts
            for name, value in found.items():
                setattr(self, name, value)
            self.problem = problem
            self.working = ""
            self.answered = content["number"]
