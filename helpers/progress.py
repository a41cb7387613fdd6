"""`progress()`: what you have done in the course, lesson by lesson, and what is next.

It compares the record (`helpers.progress_store`) and the answers to graded questions with the plan of the course
(`helpers.plan`). It shows no grade: that is made from what is handed in.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from helpers import host, markup, plan, progress_store
from helpers.errors import called_as
from helpers.progress_store import Record
from helpers.quiz import answers

BAR = 10  # characters
HEADS = ("lesson", "checks", "practice", "graded", "points", "minutes", "does not pass")
NOWHERE = (
    "Nothing is kept here, because this notebook does not lie in the course's own folder. Open a lesson in notebooks/, "
    "and progress() shows what you have done."
)
NO_GRADE = (
    "Passed means passed here, when the check was run last; the grade is made with what you hand in. Graded questions "
    "and texts have no points before that."
)
ABOUT_TIME = (
    f"Minutes are an estimate: the time between one check or answer and the next, without pauses of more than "
    f"{progress_store.PAUSE_S // 60} minutes and without what you read before the first."
)
_wrapped = partial(markup.wrapped, subsequent_indent="  ")


@dataclass(frozen=True)
class Planned:
    """What a lesson asks for; the dictionaries go from names to points. `cells` is not for here: see `plan.cells`."""

    lesson: str
    title: str
    minutes: int
    checks: dict[str, float]
    practice: list[str]
    graded: dict[str, float]
    texts: dict[str, float]
    cells: Sequence[str] = ()


class Lesson:
    """One lesson of the plan and what is done of it.

    Attributes:
        plan: what it asks for.
        verdicts: its exercises to the latest verdict on each; one that was never checked is not among them.
        practised: its practice questions that were answered, to whether rightly.
        answered: its graded questions that have an answer.
        minutes: spent in it, about.
    """

    def __init__(self, plan: Planned, kept: Record, given: dict[str, str]) -> None:
        self.plan = plan
        self.verdicts = {name: kept.checks[name] for name in plan.checks if name in kept.checks}
        self.practised = {id: kept.quizzes[id] for id in plan.practice if id in kept.quizzes}
        self.answered = [id for id in plan.graded if id in given]
        self.minutes = kept.seconds.get(plan.lesson, 0.0) / 60

    @property
    def passed(self) -> list[str]:
        """Exercises that pass as they now stand."""
        return [name for name, status in self.verdicts.items() if status == "passed"]

    @property
    def failing(self) -> dict[str, str]:
        """Exercises that were attempted and do not pass as they now stand."""
        return {name: status for name, status in self.verdicts.items() if status not in ("passed", "not attempted")}

    @property
    def points(self) -> float:
        """For the checks that pass."""
        return sum(self.plan.checks[name] for name in self.passed)

    @property
    def most_points(self) -> float:
        """For checks, graded questions and texts together."""
        return sum(sum(part.values()) for part in (self.plan.checks, self.plan.graded, self.plan.texts))

    def next(self) -> str:
        """What is open first; empty when nothing is."""
        for name in self.plan.checks:
            if name not in self.passed:
                status = self.verdicts.get(name, "not checked yet")
                return f"`{name}` ({status if status != 'error' else 'raises an error'})"
        asked = [("graded", id) for id in self.plan.graded if id not in self.answered]
        asked += [("practice", id) for id in self.plan.practice if id not in self.practised]
        return f'the {asked[0][0]} question `quiz("{asked[0][1]}")`' if asked else ""


class Progress:
    """What is done of the course at one moment. A notebook shows it as a table, a console as text.

    Attributes:
        made: when; what is done later is not in it.
        lessons: all lessons, in order; none where nothing is kept.
        asked: what was asked for, in a sentence; empty where nothing was.
        said: sentences about what could not be read or kept.
    """

    def __init__(self) -> None:
        self.made = datetime.now()
        self.lessons: list[Lesson] = []
        self.said: list[str] = []
        self.asked = ""
        self._here = ""
        at = progress_store.place()
        if at is None:
            self.said = [NOWHERE]
            return
        folder, self._here = at
        kept, self.said = progress_store.read(folder)
        self.asked = _asked(kept)
        for planned in (Planned(**lesson) for lesson in plan.lessons()):
            try:
                given = answers.read_on(folder / planned.lesson)
            except answers.AnswersError as error:
                given = {}
                self.said.append(f"{planned.title}: {error}")
            self.lessons.append(Lesson(planned, kept, given))

    def next(self) -> str:
        """What to do next: in the lesson that runs here, else in the first after it that has something open."""
        k = next((k for k, lesson in enumerate(self.lessons) if lesson.plan.lesson == self._here), 0)
        for lesson in [*self.lessons[k:], *self.lessons[:k]]:
            if lesson.next():
                return f"Next, in {lesson.plan.title}: {lesson.next()}."
        return "No check and no question is open. What you wrote and answered is ready to be handed in."

    def __repr__(self) -> str:
        lines = [f"Your progress, {self._when()}"] if self.lessons else []
        if self.lessons:
            lines += [f"  {what:<20} {_bar(done, of)}  {words}" for what, done, of, words in self._totals()]
            rows = [list(HEADS), *(_row(lesson) for lesson in self.lessons)]
            widths = [max(len(row[k]) for row in rows) for k in range(len(HEADS))]
            table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
            lines += ["", *(row.rstrip() for row in table), ""]
            texts = (self.next(), host.ABOUT[host.host()], NO_GRADE, self.asked, ABOUT_TIME)
            lines += [_wrapped(text) for text in texts if text]
        return "\n".join([*lines, *(_wrapped(f"! {said}") for said in self.said)])

    def as_html(self) -> str:
        """Totals, table and what is next as HTML."""
        parts = []
        if self.lessons:
            parts.append(_paragraph(f"<b>Your progress</b>, {html.escape(self._when())}"))
            rows = "".join(
                f'<tr><th scope="row" style="text-align:left">{what}</th><td>{_drawn(done, of)}</td>'
                f'<td style="text-align:left">{html.escape(words)}</td></tr>'
                for what, done, of, words in self._totals()
            )
            parts.append(f"<table>{_caption('The whole course')}<tbody>{rows}</tbody></table>")
            parts.append(_paragraph(f"<b>{markup.as_html(self.next())}</b>"))
            parts.append(self._table())
            texts = (host.ABOUT[host.host()], NO_GRADE, self.asked, ABOUT_TIME)
            parts += [_paragraph(markup.as_html(text)) for text in texts if text]
        parts += [_paragraph(f"<b>!</b> {markup.as_html(said)}") for said in self.said]
        return f'<div style="max-width:75em">{"".join(parts)}</div>'

    def _table(self) -> str:
        heads = "".join(f'<th scope="col" style="text-align:left">{head}</th>' for head in HEADS)
        rows = []
        for lesson in self.lessons:
            title, checks, *rest = (html.escape(cell) for cell in _row(lesson))
            here = ' aria-current="true"' if lesson.plan.lesson == self._here else ""
            link = f'<a href="../{lesson.plan.lesson}/{lesson.plan.lesson}.ipynb">{title}</a>' if self._here else title
            bar = _drawn(len(lesson.passed), len(lesson.plan.checks)) if lesson.plan.checks else ""
            cells = [f"{bar} {checks}".strip(), *rest]
            inside = "".join(f'<td style="text-align:left;white-space:nowrap">{cell}</td>' for cell in cells[:-1])
            inside += f'<td style="text-align:left">{cells[-1]}</td>'  # what does not pass: may be long
            mark = "▸ " if here else ""
            rows.append(f'<tr{here}><th scope="row" style="text-align:left">{mark}{link}</th>{inside}</tr>')
        caption = _caption("Lesson by lesson" + (", ▸ this one" if self._here else ""))
        table = f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        return f'<div style="overflow-x:auto" role="region" aria-label="Lesson by lesson" tabindex="0">{table}</div>'

    def _when(self) -> str:
        return f"as of {self.made:%Y-%m-%d %H:%M:%S}. Run the cell again to bring it up to date."

    def _totals(self) -> Iterator[tuple[str, float, float, str]]:
        """Name, how much, of how much, and both in words."""

        def total(count: Callable[[Lesson], float]) -> float:
            return sum(map(count, self.lessons))

        passed, checks = total(lambda x: len(x.passed)), total(lambda x: len(x.plan.checks))
        yield "checks", passed, checks, f"{passed} of {checks} passed here"
        tried, all_tried = total(lambda x: len(x.practised)), total(lambda x: len(x.plan.practice))
        right = total(lambda x: sum(x.practised.values()))
        yield "practice questions", tried, all_tried, f"{tried} of {all_tried} answered, {right} right"
        given, graded = total(lambda x: len(x.answered)), total(lambda x: len(x.plan.graded))
        yield "graded questions", given, graded, f"{given} of {graded} answered"
        points, most = total(lambda x: x.points), total(lambda x: x.most_points)
        by_check = total(lambda x: sum(x.plan.checks.values()))
        words = f"{points:g} of {by_check:g} for checks; {most - by_check:g} more are for graded questions and texts"
        yield "points", points, most, words
        minutes, planned = total(lambda x: x.minutes), total(lambda x: x.plan.minutes)
        yield "time", minutes, planned, f"about {_hours(minutes)} of {_hours(planned)} planned"

    _repr_html_ = as_html


@called_as("progress()")
def progress() -> Progress:
    """What you have done in the course so far: checks, questions, points, time, and what is next.

    It shows the moment at which it was called; run the cell again to bring it up to date.
    """
    return Progress()


def _row(lesson: Lesson) -> list[str]:
    plan = lesson.plan
    right = sum(lesson.practised.values())
    practice = f"{len(lesson.practised)} of {len(plan.practice)}" + (f", {right} right" if lesson.practised else "")
    failing = [f"{name}: {status}" for name, status in lesson.failing.items()]
    return [
        plan.title,
        f"{len(lesson.passed)} of {len(plan.checks)}" if plan.checks else "–",
        practice if plan.practice else "–",
        f"{len(lesson.answered)} of {len(plan.graded)}" if plan.graded else "–",
        f"{lesson.points:g} of {lesson.most_points:g}",
        f"{lesson.minutes:.0f} of {plan.minutes}",
        ", ".join(failing),
    ]


def _asked(kept: Record) -> str:
    counts = {
        what: sum(asked.get(what, 0) if what == "hints" else what in asked for asked in kept.helps.values())
        for what in ("hints", "where", "solution")
    }
    words = {"hints": ("hint", "hints"), "where": ("place", "places"), "solution": ("solution", "solutions")}
    parts = [f"{n} {words[what][n > 1]}" for what, n in counts.items() if n]
    return f"You asked for {', '.join(parts)}. That is no part of a grade either." if parts else ""


def _bar(done: float, of: float) -> str:
    full = int(BAR * min(done / of, 1)) if of else 0
    return "█" * full + "░" * (BAR - full)


def _drawn(done: float, of: float) -> str:
    """A bar for those who see; the words stand beside it. The colour is the text's, in light and dark alike."""
    fraction = min(done / of, 1) if of else 0
    frame = "display:inline-block;vertical-align:middle;width:6em;height:.7em;border:1px solid currentColor"
    return (
        f'<span aria-hidden="true" style="{frame}">'
        f'<span style="display:block;height:100%;width:{fraction:.1%};background:currentColor"></span></span>'
    )


def _hours(minutes: float) -> str:
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def _caption(text: str) -> str:
    return f'<caption style="caption-side:top;text-align:left;color:inherit">{text}</caption>'


def _paragraph(text: str) -> str:
    return f'<p style="margin:.4em 0">{text}</p>'
