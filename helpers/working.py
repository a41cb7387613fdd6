"""Progress of work that takes more than a moment: one line, replaced as the work goes on.

    for model in with_progress(models, "Measuring models"):
        ...

In a notebook the line is an output that is updated, in a terminal a line of standard error. Where nobody watches (a
notebook run without a front end, output into a file) nothing is written, and neither is it for work done at once.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from helpers.widgets import host

T = TypeVar("T")

FIRST_S, EACH_S = 1.0, 0.25  # work shorter than this has no line; and how often it may change


class Line:
    """One line of text that is replaced, for whoever watches."""

    def __init__(self) -> None:
        self._next = time.perf_counter() + FIRST_S
        self._shown: Any = None  # in a notebook the handle of the output, in a terminal the line's length

    @property
    def due(self) -> bool:
        """Whether it is time for the next text; `say` at any other moment does nothing."""
        return time.perf_counter() >= self._next

    def say(self, text: str) -> None:
        """Replace the line, but not more often than is good to read."""
        if self.due:
            self._show(text)
            self._next = time.perf_counter() + EACH_S

    def end(self, text: str) -> None:
        """The last text, which stays; nothing if there was none before."""
        if self._shown is None:
            return
        self._show(text)
        if not host.is_interactive():
            sys.stderr.write("\n")
            sys.stderr.flush()

    def _show(self, text: str) -> None:
        if host.is_interactive():
            from IPython.display import display

            if self._shown is None:
                self._shown = display({"text/plain": text}, raw=True, display_id=True)
            else:
                self._shown.update({"text/plain": text}, raw=True)
        elif is_terminal():
            text = text[: shutil.get_terminal_size().columns - 1]  # a longer one would wrap, and not be replaced
            sys.stderr.write("\r" + text.ljust(self._shown or 0))
            sys.stderr.flush()
            self._shown = len(text)


def is_terminal() -> bool:
    """Whether somebody reads standard error as it is written."""
    return sys.stderr is not None and sys.stderr.isatty()


def with_progress(items: Sequence[T], what: str) -> Iterator[T]:
    """The items one by one, and a line that says how many are done and how long the others take.

    Args:
        what: of which the line is, such as "Measuring models".
    """
    line, began = Line(), time.perf_counter()
    for done, item in enumerate(items):
        if done and line.due:
            left = (time.perf_counter() - began) / done * (len(items) - done)
            line.say(f"{what}: {done} of {len(items)}, about {in_words(left)} left")
        yield item
    line.end(f"{what}: all {len(items)} in {in_words(time.perf_counter() - began)}")


def in_words(seconds: float) -> str:
    """A time as one says it: "8 s", "3 min 20 s", "2 h 5 min"."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
