"""What there is to see while `fit` trains: how far it is, the curves, and a validation mask that sharpens.

The model is `Monitor`: it follows a `History` and knows nothing of a page. A `Watch` stands between `fit` and the
monitor: it says when something is worth showing, holds the cost down, and keeps an error in here from ending a
training. Where it is shown is up to the host:

- a notebook with someone in front of it: a widget, `monitor.js` and `monitor.css` beside this file, with a stop button;
- a notebook run without a front end: the static fallback, when the training has ended;
- a terminal: one line, replaced as the training goes on;
- elsewhere: nothing.

The stop button needs a comm of its own, `CHANNEL`. A kernel that runs a cell reads no message of a widget: ipykernel,
up to 7.4 at least, hands it to the thread that made the widget, which is the one that trains. A comm that the *page*
opens goes to a subshell of the kernel, a second thread (JupyterLab from 4.4 on, ipykernel from 7 on). There a press
leaves a note, which `fit` finds after the step, and is answered. Where no answer comes the page says so, and names the
way that works everywhere: interrupting the kernel.
"""

from __future__ import annotations

import html
import time
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import traitlets

from helpers import frontend, markup
from helpers.monitor import curves, thumbnails
from helpers.progress_bar import bar, is_terminal

EACH_S = 0.25  # between two updates, at least
CURVES_S = 1.0  # between two drawings of the curves
SHARE = 0.02  # of the time, at most, ...
ALLOWED_S = 0.05  # ... and a little to begin with
PICTURES = 8  # of predictions that are kept
CHANNEL = "unet-training"  # the comm target of the stop button

Show = Callable[["Monitor", bool], None]  # shows a monitor; the flag: there is more than a step to show


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


@dataclass(frozen=True)
class Prediction:
    """What the network made of the picture's image at a validation: step, Dice over all images, and the picture."""

    step: int
    dice: float
    src: str


class Monitor(frontend.Piece):
    """What there is to see of one training, or of several one after the other.

    Attributes:
        run: which training of the cell this is, from 1.
        phase: "training", "ended" or "failed".
        history: of the present run: its losses and scores.
        predictions: the validation image as predicted so far, first to last, some left out if there are many.
        earlier: a sentence on each training before this one.
        stop: whether somebody wants the run to end.
        key: tells this monitor from others.
    """

    _front_end: MonitorFrontEnd | None = None

    def __init__(self) -> None:
        self.key = uuid.uuid4().hex
        self.run, self.phase = 0, "ended"
        self.earlier: list[str] = []
        self._clear()

    def _clear(self) -> None:
        self.history: Any = None
        self.steps: int | None = None
        self.seconds: float | None = None
        self.stop, self.error = False, ""
        self.image: dict[str, str] = {}
        self.predictions: list[Prediction] = []
        self._chosen: int | None = None  # which validation image the pictures show, ...
        self._window: tuple[slice, ...] = ()  # ... and which part of it, as an index for `(C, H, W)`
        self._candidate: tuple[int, Any, Any, Any] | None = None

    # ---- what happens ----

    def follow(self, history: Any, steps: int | None, seconds: float | None) -> None:
        """A run begins, of so many steps or seconds; `history` is filled as it goes on."""
        if self.history is not None:
            self.earlier.append(f"Training {self.run}: {self._outcome()}")
        self._clear()
        self.run, self.phase, self.history, self.steps, self.seconds = self.run + 1, "training", history, steps, seconds

    def look(self, k: int, image: Any, logits: Any, mask: Any) -> None:
        """Validation image `k` is predicted. In the first validation the image with most objects is chosen.

        Args:
            image: `(C, H, W)`.
            logits: `(K, H, W)`, on the CPU.
            mask: `(H, W)`.
        """
        rival = self._candidate if self._chosen is None else None
        most = rival is None or thumbnails.objects_in(mask) > thumbnails.objects_in(rival[3])
        if self._chosen in (None, k) and most:
            self._candidate = (k, image, logits, mask)

    def validated(self) -> None:
        """A validation is over, and the last entry of `history.scores` is its result."""
        if self._candidate is None:
            return
        k, image, logits, mask = self._candidate
        self._candidate = None
        if self._chosen is None:
            self._chosen, self._window = k, (slice(None), *thumbnails.window(mask))
            mask = mask[self._window[1:]]
            self.image = {
                "src": thumbnails.of_image(image[self._window]),
                "truth": thumbnails.of_mask(mask),
                "outline": thumbnails.outline(mask),
                "size": f"{mask.shape[0]}×{mask.shape[1]} pixels",
            }
        score = self.history.scores[-1]
        drawn = thumbnails.of_prediction(logits[self._window])
        self.predictions.append(Prediction(score["step"], score["dice"], drawn))
        if len(self.predictions) > PICTURES:  # leave out the one with the nearest neighbours; the first and last stay
            at = [prediction.step for prediction in self.predictions]
            gaps = {i: at[i + 1] - at[i - 1] for i in range(1, len(at) - 1)}
            del self.predictions[min(gaps, key=gaps.__getitem__)]

    def press(self, run: Any) -> dict[str, Any]:
        """Somebody pressed stop in training `run`. Called by a thread beside the training; gives the answer to it."""
        if run != self.run or self.over:
            return {"late": run}
        self.stop = True
        return {"heard": run}

    def end(self, error: BaseException | None = None) -> None:
        """The run is over."""
        self.phase = "ended" if error is None else "failed"
        self.error = type(error).__name__ if error is not None else ""

    # ---- in words ----

    @property
    def over(self) -> bool:
        """Whether no training runs."""
        return self.phase != "training"

    @property
    def fraction(self) -> float:
        """Of the run that is done, from 0 to 1."""
        if self.history is None:
            return 0.0
        if self.steps:
            return min(1.0, self.history.steps / self.steps)
        assert self.seconds is not None  # a run is of so many steps or seconds
        return min(1.0, self.history.seconds / self.seconds)

    @property
    def percent(self) -> int:
        """The same from 0 to 100."""
        return round(100 * self.fraction)

    def left(self) -> str:
        """How long it will take, in words; empty where that is not known yet."""
        if self.over:
            return ""
        if self.seconds is not None:
            return f"{in_words(self.seconds - self.history.seconds)} left"
        if self.fraction < 0.02:
            return ""
        return f"about {in_words(self.history.seconds * (1 - self.fraction) / self.fraction)} left"

    def facts(self) -> list[str]:
        """What is known, a sentence each."""
        if self.history is None:
            return ["No training yet."]
        history = self.history
        if self.over:
            number = f" {self.run}:" if self.earlier else ""
            sentences = [f"Training{number} {self._outcome()}"]
        else:
            of = f" of {self.steps}" if self.steps else ""
            where = [f"Step {history.steps}{of}", f"{self.percent} % done", self.left()]
            sentences = [", ".join(filter(None, where)) + "."]
        if history.losses:
            last = fmean(history.losses[-20:])
            sentences.append(f"Loss {last:.3f} in the last steps, {history.losses[0]:.3f} in the first.")
        if history.best:
            best, verb = history.best, "holds" if self.over else "will keep"
            sentences.append(
                f"The model {verb} the weights of step {best['step']}, the best of "
                f"{_count(len(history.scores), 'validation')}: Dice {markup.score(best['dice'])}, "
                f"IoU {markup.score(best['iou'])}."
            )
        return sentences + self.earlier[-12:]

    def _outcome(self) -> str:
        history = self.history
        why = f"an error, {self.error}" if self.error else history.stopped or "it was left"
        best = f"; best Dice {markup.score(history.best['dice'])}" if history.best else ""
        return f"ended after {_count(history.steps, 'step')} in {history.seconds:.1f} s: {why}{best}."

    def said(self) -> str:
        """The latest news, for a screen reader: a validation, or the end."""
        if self.over or not self.history.scores:
            return self.facts()[0] if self.over else ""
        score = self.history.scores[-1]
        best = ", the best so far" if score is self.history.best else ""
        return (
            f"Validation {len(self.history.scores)}, {self.percent} % done: Dice {markup.score(score['dice'])}{best}."
        )

    def line(self) -> str:
        """The whole in one short line."""
        history = self.history
        if self.over:
            return f"training {self._outcome()}"
        parts = [f"training: step {history.steps}", f"{self.percent} %", self.left()]
        parts += [f"loss {history.losses[-1]:.3f}"] if history.losses else []
        parts += [f"best Dice {markup.score(history.best['dice'])}"] if history.best else []
        return " · ".join(filter(None, parts))

    # ---- shown ----

    def curves(self) -> str:
        """Loss and Dice as SVG."""
        if self.history is None:
            return curves.draw([], [], [], None)
        scores = self.history.scores
        return curves.draw(
            curves.binned(self.history.losses),
            [(score["step"], score["loss"]) for score in scores if "loss" in score],
            [(score["step"], score["dice"]) for score in scores],
            self.history.best.get("step"),
        )

    def __repr__(self) -> str:
        return "\n".join(["Training", *(f"- {fact}" for fact in self.facts())])

    def as_html(self) -> str:
        """The static fallback: curves, some of the predictions, and the facts."""
        facts = "".join(f'<li style="margin:.2em 0">{html.escape(fact)}</li>' for fact in self.facts())
        drawn = curves.as_img(self.curves()) if self.history is not None and self.history.losses else ""
        return (
            f'<div><p style="margin:.3em 0"><b>Training</b></p>{drawn}{self._pictures()}'
            f'<ul style="margin:.3em 0;max-width:62em">{facts}</ul></div>'
        )

    def _pictures(self) -> str:
        """Image, truth, and the first, the middle and the last prediction side by side."""
        if not self.predictions:
            return ""
        shown = [
            ("validation image", f"The validation image, {self.image['size']}.", self.image["src"]),
            ("truth", "Its true mask: objects white on black.", self.image["truth"]),
        ]
        last = len(self.predictions) - 1
        for one in (self.predictions[k] for k in sorted({0, last // 2, last})):
            words = f"predicted at step {one.step},<br>Dice {markup.score(one.dice)}"
            shown.append((words, f"The mask predicted at step {one.step}.", one.src))
        cells = "".join(
            f'<td style="text-align:left;vertical-align:top"><img alt="{alt}" src="{src}" width="140"><br>{words}</td>'
            for words, alt, src in shown
        )
        return f"<table><tbody><tr>{cells}</tr></tbody></table>"

    def _make_front_end(self) -> MonitorFrontEnd:
        return MonitorFrontEnd(self)


class MonitorFrontEnd(frontend.FrontEnd):
    """The state of a `Monitor` as traits, which all its views share.

    Traits:
        state: `{"run", "phase", "percent", "head", "facts", "said"}`, all to be shown as they are.
        channel: the comm target to press stop by, and `key`, by which the monitor is known there.
        curves: the SVG.
        image: the validation image, its truth and the outline of it as addresses, and its size in words.
        predictions: `{"step", "label", "src"}`, first to last.
        picked: the step of the prediction that is shown, 0 for the latest. Python, which may be busy, is not told.
    """

    _esm = frontend.module(Path(__file__).with_name("monitor.js"))
    _css = frontend.style(Path(__file__).with_name("monitor.css"))
    state = traitlets.Dict().tag(sync=True)
    channel = traitlets.Unicode(CHANNEL).tag(sync=True)
    key = traitlets.Unicode().tag(sync=True)
    curves = traitlets.Unicode().tag(sync=True)
    image = traitlets.Dict().tag(sync=True)
    predictions: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    picked = traitlets.Int(0).tag(sync=True)

    def __init__(self, monitor: Monitor) -> None:
        super().__init__(key=monitor.key)
        self._monitor = monitor
        self._drawn = 0.0
        self.on_msg(lambda _widget, content, _buffers: self.send(monitor.press(content.get("stop"))))
        self.show(everything=True)

    def show(self, everything: bool) -> None:
        """Bring the page up to date, with the curves if they are due or `everything` is."""
        monitor = self._monitor
        with self.hold_sync():
            head, *facts = monitor.facts()
            self.state = {
                "run": monitor.run,
                "phase": monitor.phase,
                "percent": monitor.percent,
                "head": head,
                "facts": facts,
                "said": monitor.said(),
            }
            if everything or time.perf_counter() - self._drawn >= CURVES_S:
                self.curves, self._drawn = monitor.curves(), time.perf_counter()
            if everything:
                self.image = monitor.image
                self.predictions = [
                    {"step": p.step, "label": f"step {p.step}, Dice {p.dice:.3f}", "src": p.src}
                    for p in monitor.predictions
                ]


class Watch:
    """Between `fit` and a monitor: when to look, at what cost, and what if that goes wrong.

        with watch:  # says how it ended, also where it raised
            ...

    Args:
        monitor: is told what happens.
        show: shows it; without one nobody is told anything.

    Attributes:
        on: whether the monitor is told.
        cost: seconds spent in here.
    """

    def __init__(self, monitor: Monitor | None = None, show: Show | None = None) -> None:
        self.monitor, self._show = monitor or Monitor(), show
        self.on, self.cost = show is not None, 0.0
        self._began, self._next = time.perf_counter(), 0.0

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, where: Any) -> None:
        self._do(self.monitor.end, error)
        self._do(self._show, self.monitor, True)  # said whatever it costs

    def follow(self, history: Any, steps: int | None, seconds: float | None) -> None:
        """A run begins."""
        self._do(self.monitor.follow, history, steps, seconds)
        self._do(self._show, self.monitor, True)

    def step(self) -> bool:
        """A step is done; whether somebody wants the run to end."""
        if time.perf_counter() >= self._next:
            self._do(self._show, self.monitor, False)
        return self.monitor.stop

    def look(self, k: int, image: Any, logits: Any, mask: Any) -> None:
        """Validation image `k` is predicted."""
        if self._affordable():
            self._do(self.monitor.look, k, image, logits, mask)

    def validated(self) -> None:
        """A validation is over."""
        if self._affordable():
            self._do(self.monitor.validated)
            self._do(self._show, self.monitor, True)

    def _affordable(self) -> bool:
        return self.cost <= ALLOWED_S + SHARE * (time.perf_counter() - self._began)

    def _do(self, what: Callable[..., None] | None, *given: Any) -> None:
        """Do it, and count what it costs. An error turns the monitor off with one warning; the training goes on."""
        if not self.on or what is None:
            return
        began = time.perf_counter()
        try:
            what(*given)
        except Exception as error:
            self.on = False
            warnings.warn(
                f"The monitor of the training broke and is off; the training goes on. {type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=4,
            )
        now = time.perf_counter()
        self.cost += now - began
        self._next = now + max(EACH_S, (now - began) / SHARE)


def watching() -> Watch:
    """What `fit` tells how it goes: a monitor where the host can show one."""
    from IPython import get_ipython

    shell = get_ipython()
    if hasattr(shell, "kernel"):
        shell.kernel.comm_manager.register_target(CHANNEL, _opened)
        return Watch(*_of_cell(frontend.cell()))
    return Watch(Monitor(), _in_terminal()) if is_terminal() else Watch()


_latest: tuple[str, Monitor, Show] | None = None


def _of_cell(cell: str) -> tuple[Monitor, Show]:
    """The monitor of the cell that runs, and how it is shown: the same for all trainings of the cell."""
    global _latest
    if _latest is None or _latest[0] != cell:
        _latest = (cell, Monitor(), _in_notebook())
    return _latest[1:]


def _opened(comm: Any, message: dict[str, Any]) -> None:
    """A page opens its line to the stop button, which is the first press; others may follow."""

    def pressed(message: dict[str, Any]) -> None:
        data = message["content"]["data"]
        current = _latest[1] if _latest and _latest[1].key == data.get("key") else None
        comm.send(current.press(data.get("stop")) if current else {"late": data.get("stop")})

    comm.on_msg(pressed)
    pressed(message)


def _in_notebook() -> Show:
    from IPython.display import display

    handle: Any = None

    def show(monitor: Monitor, more: bool) -> None:
        nonlocal handle
        if monitor._front_end is not None:
            monitor._front_end.show(more)
        if handle is None and (monitor.over or frontend.is_interactive()):
            handle = display(monitor, display_id=True)
        elif monitor.over:
            handle.update(monitor)  # what is saved with the notebook is how it ended

    return show


def _in_terminal() -> Show:
    line = bar(bar_format="{desc}")

    def show(monitor: Monitor, more: bool) -> None:
        line.set_description_str(monitor.line(), refresh=monitor.over)
        line.close() if monitor.over else line.update()

    return show


def in_words(seconds: float) -> str:
    """A time as one says it: "8 s", "3 min 20 s", "2 h 5 min"."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
