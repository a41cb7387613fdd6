"""The card below a check: the verdict, and buttons for what helps with it.

Each button is a call, too: `hint("dice")`, `where("dice")`, `solution("dice")`, `glossary("dice")`, and `progress()`
for what is next. What they show stands below the verdict, and in the saved notebook.

The model is `Card`; its front end is `card.js`.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import traitlets

from helpers import exercises, frontend, markup
from helpers.checks import render, tutor
from helpers.checks.verdict import Verdict
from helpers.markup import Shown

# What is offered after a verdict, in the order of the buttons.
OFFERED = {
    "passed": ("next", "solution", "word"),
    "wrong": ("hint", "where", "solution", "word", "next"),
    "error": ("hint", "where", "solution", "word", "next"),
    "not attempted": ("hint", "solution", "word", "next"),
}
WHERE = ("Where is it?", "Where in the line?", "What kind of change?")  # by how much was said

_open: dict[str, Card] = {}


def card(verdict: Verdict) -> Card:
    """The card of a new verdict; an older one of the same exercise becomes a page without buttons."""
    if before := _open.pop(verdict.exercise, None):
        before.close()
    _open[verdict.exercise] = Card(verdict)
    return _open[verdict.exercise]


def opened(name: str) -> Card | None:
    """The card of the latest verdict on an exercise; none before the first."""
    return _open.get(name)


class Card(frontend.RenewedPiece):
    """A verdict, and what was asked for since.

    Attributes:
        verdict: the verdict.
        said: what was asked for, in that order, by a name such as "hint 1".
        looking: how far a look for the place is; empty while there is none.
    """

    _front_end: CardFrontEnd | None = None

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.said: dict[str, Shown] = {}
        self.looking = ""
        self._exercise = exercises.load(verdict.exercise)
        self._look: tutor.Look | None = None

    def ask(self, what: str) -> None:
        """Do what a button does: one of "hint", "where", "stop", "solution", "word", "next"."""
        match what:
            case "hint":
                shown = tutor.hint(self._exercise)
                self._say(f"hint {self._exercise.attempt.hints_seen}", shown)
            case "where":
                self._where()
            case "stop":
                self.stop()
            case "solution":
                self._say("solution", tutor.solution(self._exercise))
            case "word":
                entry = tutor.word(self._exercise)  # its picture would take seconds, the first time
                self._say("word", Shown(repr(entry), entry.as_html(picture=False)))
            case "next":
                self._say("next", tutor.what_is_next(self._exercise))

    def buttons(self) -> list[dict[str, Any]]:
        """Name and label of each button, and whether there is more behind it than stands on this card."""
        attempt, hints = self._exercise.attempt, len(self._exercise.hints)
        told, found_more = min(attempt.told, len(WHERE) - 1), tutor.can_say_more(self._exercise)
        labels = {
            "hint": (
                f"Hint {min(attempt.hints_seen + 1, hints)} of {hints}",
                attempt.hints_seen < hints or f"hint {hints}" not in self.said,
            ),
            "where": ("Stop looking" if self.looking else WHERE[told], found_more or not self._says("where")),
            "solution": ("Solution", not self._says("solution")),
            "word": (f"Glossary: {tutor.word(self._exercise).term}", not self._says("word")),
            "next": ("Next exercise", not self._says("next")),
        }
        return [
            {"what": what, "label": labels[what][0], "more": labels[what][1]} for what in OFFERED[self.verdict.status]
        ]

    def _says(self, what: str) -> bool:
        return any(key.startswith(what) for key in self.said)

    def update(self) -> None:
        """Bring the page up to date: a call may have asked for something as well."""
        if self._front_end:
            self._front_end.show(self)

    def stop(self) -> None:
        """End a look for the place, if there is one."""
        if self._look:
            self._look.stop()

    def close(self) -> None:
        """Leave on the page what can be read, and no buttons."""
        self.stop()
        if self._front_end:
            self._front_end.close()

    def _where(self) -> None:
        if why_not := tutor.nothing_to_find(self._exercise):
            self._say("where", markup.paragraph(why_not))
        elif self._exercise.attempt.place is not None:
            self._say_place()
        elif not self._look:
            self._look = tutor.Look(self._exercise)
            # not in this one, which is the kernel's: a cell may run meanwhile, and `stop` may come
            threading.Thread(target=self._wait_for, args=[self._look], daemon=True).start()

    def _wait_for(self, look: tutor.Look) -> None:
        self._tell("Looking for one change that makes it pass.")
        ended = look.until_done(self._tell)
        self._look = None
        self._tell("")
        if ended:
            self._say_place()

    def _tell(self, how_far: str) -> None:
        self.looking = how_far
        self.update()

    def _say_place(self) -> None:
        shown = tutor.place(self._exercise)
        self._say(f"where {self._exercise.attempt.told}", shown)

    def _say(self, key: str, shown: Shown) -> None:
        self.said[key] = shown
        self.update()
        self.renew()

    def __repr__(self) -> str:
        """The verdict and what was asked for, as text: the static fallback for a console."""
        return "\n".join([render.as_text(self.verdict), *map(repr, self.said.values())])

    def as_html(self) -> str:
        """The same as HTML: the static fallback for a page."""
        verdict = render.as_html(self.verdict)
        if not self.said:
            return verdict
        said = "".join(shown.page for shown in self.said.values())
        return f'{verdict}<div style="padding:0 1.1em;max-width:62em">{said}</div>'

    def _make_front_end(self) -> CardFrontEnd:
        return CardFrontEnd(self)


class CardFrontEnd(frontend.FrontEnd):
    """The state of a `Card` as traits, which all its views share.

    Traits:
        status, html: of the verdict.
        heard: the verdict in a few words, read aloud once.
        fresh: whether nobody has seen it yet; the page puts it to false.
        buttons: `Card.buttons`.
        said: key and HTML of what was asked for.
        looking: `Card.looking`.
        next: the name of the next exercise.
    """

    _esm = frontend.module(Path(__file__).with_name("card.js"))
    _css = frontend.style(Path(__file__).with_name("card.css"))
    status = traitlets.Unicode().tag(sync=True)
    html = traitlets.Unicode().tag(sync=True)
    heard = traitlets.Unicode().tag(sync=True)
    fresh = traitlets.Bool(True).tag(sync=True)
    buttons: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    said: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    looking = traitlets.Unicode().tag(sync=True)
    next = traitlets.Unicode().tag(sync=True)

    def __init__(self, card: Card) -> None:
        verdict = card.verdict
        then = tutor.following(exercises.load(verdict.exercise))
        super().__init__(
            status=verdict.status,
            html=render.inner_html(verdict),
            heard=f"{verdict.exercise}: {verdict.status}. {verdict.diagnosis or ''}".strip(),
            buttons=card.buttons(),
            next=then.name if then else "",
        )
        self._card = card
        self.show(card)
        self.on_msg(self._on_ask)

    def show(self, card: Card) -> None:
        """Bring the page up to date."""
        if self.comm is None:  # closed meanwhile
            return
        with self.hold_sync():  # one message, so that no view shows a label without what it speaks of
            self.buttons = card.buttons()
            self.said = [{"key": key, "html": shown.page} for key, shown in card.said.items()]
            self.looking = card.looking

    def close(self) -> None:
        """End what it began, too."""
        self._card.stop()
        super().close()

    def _on_ask(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        self._card.ask(content["ask"])
