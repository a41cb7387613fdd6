"""The page's side of a playground: its settings as controls, its scene as a trait."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from helpers.play.scene import for_the_page
from helpers.widgets import front, markup

if TYPE_CHECKING:
    from helpers.play.twin import Playground


@dataclass(frozen=True)
class Control:
    """One setting that a student moves.

    Attributes:
        name: the playground's attribute that it sets.
        label: what it says beside it.
        kind: "range" (a slider), "choice" (of `options`) or "grid" (numbers in rows).
        min, max, step: of a range.
        whole: whether a range gives whole numbers.
        unit: after the value.
        options: of a choice.
    """

    name: str
    label: str
    kind: str = "range"
    min: float = 0.0
    max: float = 1.0
    step: float = 0.01
    whole: bool = False
    unit: str = ""
    options: list[str] = field(default_factory=list)

    def read(self, value: Any) -> Any:
        """The value for the attribute, from what the page sent.

        Raises:
            ValueError: it is none that the control can give.
        """
        if self.kind == "grid":
            return value
        if self.kind == "choice":
            if value not in self.options:
                raise ValueError(f"{self.label} is {value!r}; choose one of {', '.join(self.options)}.")
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not self.min <= value <= self.max:
            raise ValueError(f"{self.label} is {value!r}; it goes from {self.min:g} to {self.max:g}.")
        return int(value) if self.whole else float(value)


class Stage(front.Front):
    """The thin front end of a `Playground`. All views of one playground share its state.

    Traits:
        title: what does not change.
        controls: what can be moved and how far, which may change with the values.
        values: of all controls.
        scene: what is drawn, with pictures as bytes.
        facts: the findings as HTML, a sentence each.
        answered: number of the last request that was dealt with.
        problem: why it could not be done, in words; empty if it was.
    """

    _esm = front.module(Path(__file__).with_name("stage.js"))
    _css = Path(__file__).with_name("stage.css")
    title = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    facts = traitlets.List().tag(sync=True)
    answered = traitlets.Int().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        super().__init__(title=playground.title)
        self._show()
        self.on_msg(self._on_request)

    def _show(self) -> None:
        self._known = {control.name: control for control in self._playground.controls()}
        found = {name: getattr(self._playground, name) for name in self._known}
        self.values = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in found.items()}
        self.controls = [{**asdict(c), "value": self.values[name]} for name, c in self._known.items()]
        self.scene = for_the_page(self._playground.scene())
        self.facts = [markup.as_html(fact) for fact in self._playground.facts()]

    def _on_request(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        with self.hold_sync():  # one message, so that no view shows a picture without its facts
            before = copy.copy(self._playground.__dict__)
            try:
                self._playground.change(**{name: self._known[name].read(v) for name, v in content["set"].items()})
                self._show()
                self.problem = ""
            except ValueError as error:  # a setting that goes with none of the others: nothing is changed
                self._playground.__dict__.update(before)
                self._show()
                self.problem = str(error)
            self.answered = content["number"]
