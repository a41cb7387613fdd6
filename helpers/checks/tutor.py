"""What a student can ask for about an exercise: a hint, the place of the mistake, the solution, the word, what is next.

Each is text and page, for the card below a check and for the calls of the same names. That it was asked for is kept
with the student's own progress.
"""

from __future__ import annotations

import html
import threading
from collections.abc import Callable

from helpers import answer_cells, exercises, markup, plan, progress_store
from helpers.checks import one_change
from helpers.exercises import Exercise
from helpers.glossary import Entry, glossary
from helpers.markup import Shown

TELL_S = 0.2  # how often a search says how far it is

# Kinds of tokens to how they look, the first that fits: in the colour that JupyterLab's editor gives them in its theme,
# elsewhere in the text's own. Its colour for comments is too pale in the dark.
STYLES = {
    "Comment": "font-style:italic",
    "Literal.String.Doc": "font-style:italic",
    "Literal.String": "color:var(--jp-mirror-editor-string-color,inherit)",
    "Literal.Number": "color:var(--jp-mirror-editor-number-color,inherit)",
    "Operator.Word": "color:var(--jp-mirror-editor-keyword-color,inherit);font-weight:bold",
    "Keyword": "color:var(--jp-mirror-editor-keyword-color,inherit);font-weight:bold",
    "Name.Function": "color:var(--jp-mirror-editor-def-color,inherit)",
    "Name.Class": "color:var(--jp-mirror-editor-def-color,inherit)",
}


def hint(exercise: Exercise, k: int | None = None) -> Shown:
    """Hint `k`, counted from 1, or the next one.

    Raises:
        ValueError: there is no hint `k`.
    """
    text = exercise.hint(k)
    progress_store.note_help(exercise.name, exercise.lesson, "hints", exercise.attempt.hints_seen)
    return markup.paragraph(text)


def solution(exercise: Exercise) -> Shown:
    """The reference's source, coloured; until it opens, what is missing."""
    if left := exercise.tries_left():
        tries = "one more wrong try" if left == 1 else f"{left} more wrong tries"
        return markup.paragraph(f"The solution of `{exercise.name}` opens when yours passes, or after {tries}.")
    progress_store.note_help(exercise.name, exercise.lesson, "solution", 1)
    source = answer_cells.readable(exercise.reference, given=exercises.names())  # the earlier pieces are there
    return Shown(source, _coloured(source))


def word(exercise: Exercise) -> Entry:
    """What the exercise is about, in the glossary."""
    entry = glossary(exercise.concept)
    assert isinstance(entry, Entry)  # of one term
    return entry


def following(exercise: Exercise) -> Exercise | None:
    """The first exercise after this one that did not pass when it was checked last; none where all others did.

    In another lesson than its own, an exercise is practice, and what follows is the first of the course.
    """
    names, at = plan.exercises(), progress_store.place()
    passed = [name for name, status in progress_store.read(at[0])[0].checks.items() if status == "passed"] if at else []
    after = names.index(exercise.name) + 1 if _here(exercise) == exercise.lesson and exercise.name in names else 0
    open_ones = (name for name in names[after:] + names[:after] if name not in (*passed, exercise.name))
    name = next(open_ones, None)
    return exercises.load(name) if name else None


def what_is_next(exercise: Exercise) -> Shown:
    """The exercise after this one, and where it is."""
    then = following(exercise)
    if then is None:
        return markup.paragraph("Every other exercise passes. `progress()` shows what else is open.")
    title = next(lesson["title"] for lesson in plan.lessons() if lesson["lesson"] == then.lesson)
    where = "in this lesson" if then.lesson == _here(exercise) else f"in the lesson *{title}*"
    much = f"{then.points} point{'s' * (then.points > 1)}, about {then.minutes} minutes"
    return markup.paragraph(f"Next is `{then.name}`, {where}: {much}. `progress()` shows all that is open.")


def _here(exercise: Exercise) -> str:
    """The lesson that runs here; the exercise's own where that is not known."""
    at = progress_store.place()
    return at[1] if at else exercise.lesson


# ---- the place of the mistake ----


def nothing_to_find(exercise: Exercise) -> str:
    """Why there is nothing to look for in the answer that was checked last; empty where there is."""
    name, verdict = exercise.name, exercise.attempt.verdict
    if verdict is None:
        return f"Check your answer first, `check({name})`: `where` looks in what was checked last."
    if verdict.status == "passed":
        return f"Your `{name}` passed when it was checked last. If you have changed it since, check it again."
    if verdict.status == "not attempted":
        return f"Your `{name}` is not written yet, so there is no place to show."
    return ""


class Look:
    """A look for the place in the answer that was checked last; what it finds is kept with the attempt."""

    def __init__(self, exercise: Exercise) -> None:
        self._attempt, self._checked = exercise.attempt, exercise.attempt.checked
        self._search = one_change.search(exercise.name, self._checked)
        self._stopped = threading.Event()

    def until_done(self, tell: Callable[[str], None]) -> bool:
        """Wait, and tell now and then how far it is; returns whether it ended by itself."""
        while not self._stopped.is_set():
            found = self._search.wait(TELL_S)
            if self._stopped.is_set():  # whatever it says now
                break
            if found is not None:
                if self._attempt.checked is self._checked:
                    self._attempt.place = found
                return True
            tell(self._how_far())
        return False

    def stop(self) -> None:
        """End it at once; from any thread, and after it has ended, too."""
        self._stopped.set()
        self._search.stop()

    def _how_far(self) -> str:
        return f"Looking for one change that makes it pass: {self._search.tried} tried."


def can_say_more(exercise: Exercise) -> bool:
    """Whether there is more to say about the place, as far as is known."""
    attempt = exercise.attempt
    return attempt.place is None or (not isinstance(attempt.place, str) and attempt.told < one_change.LEVELS)


def place(exercise: Exercise) -> Shown:
    """What was found: first the line, asked again the place in it, asked again what kind of change."""
    attempt = exercise.attempt
    if isinstance(attempt.place, str):
        why_not = attempt.place
        if why_not in one_change.AGAIN:
            attempt.place = None
        return markup.paragraph(why_not)
    attempt.told = min(attempt.told + 1, one_change.LEVELS)
    progress_store.note_help(exercise.name, exercise.lesson, "where", attempt.told)
    return markup.paragraph(attempt.place.said(attempt.told))


# ---- code ----


def _coloured(source: str) -> str:
    """Python source as HTML in the colours of the page's editor."""
    from pygments.lexers.python import PythonLexer

    parts = []
    for kind, text in PythonLexer(ensurenl=False).get_tokens(source):
        style = next((style for name, style in STYLES.items() if str(kind).startswith(f"Token.{name}")), "")
        escaped = html.escape(text)
        parts.append(f'<span style="{style}">{escaped}</span>' if style else escaped)
    return f'<pre style="margin:.4em 0;padding:.4em .6em;overflow-x:auto" tabindex="0">{"".join(parts)}</pre>'
