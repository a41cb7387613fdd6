"""The page on a class, for its instructor: scores, shared mistakes, what is hard, what went wrong, who is alike."""

from __future__ import annotations

import ast
import functools
import statistics
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from autograde import pages, reading
from autograde.results import Graded, Kind, Result
from helpers.quiz import questions

LEAST_PARTS = 50  # statements and expressions of an answer that is compared; a shorter one has few ways to be right
MOST_COMPARED = 20_000  # letters of an answer that is compared
MOST_ROWS = 6000  # students in the table of points, which is then some two megabytes
OPEN_ROWS = 40  # a longer table is folded
MOST_NAMED = 30  # students named in one list
MOST_LISTED = 100  # rows of what has no bound
MOST_CHOSEN = 8  # different answers to a question
ENDED = ("flagged", "timeout", "memory", "crashed")  # with a reason that an instructor wants to see
UNTRIED = ("not attempted", "missing", "by hand")
BARS = 10  # of the scores

Item = tuple[Kind, str]
K = TypeVar("K", bound=Hashable)


class Alike(NamedTuple):
    """Students whose answers to an exercise are the same program, but for its names."""

    exercise: str
    students: list[str]
    states: list[str]
    to_the_letter: bool
    like_the_courses: bool
    parts: int


class _One(NamedTuple):
    student: str
    graded: Graded


def page(
    results: Sequence[Result],
    seconds: float | None = None,
    link: Callable[[str], str] | None = None,
    due: str = "",
) -> str:
    """The whole page, one HTML file that needs no other.

    Args:
        results: of one lesson.
        seconds: that grading took.
        link: the address of a student's feedback, from this page; without it, no name is a link.
        due: when it had to be handed in, in ISO 8601; empty where nothing is late.
    """
    results = sorted(results, key=lambda result: result.student)
    items = list(dict.fromkeys((one.kind, one.name) for result in results for one in result.graded))
    of = _grouped(((one.kind, one.name), _One(result.student, one)) for result in results for one in result.graded)
    exercises = {name: of["exercise", name] for kind, name in items if kind == "exercise"}
    asked = {name: of["question", name] for kind, name in items if kind == "question"}
    return pages.render(
        "report.html",
        results=results,
        title=", ".join(pages.title(lesson) for lesson in dict.fromkeys(result.lesson for result in results)),
        link=link,
        seconds=seconds,
        scores=_scores(results),
        items=[(kind, name, max(one.graded.max_points for one in of[kind, name])) for kind, name in items],
        rows=[(r, {(one.kind, one.name): one for one in r.graded}) for r in results[:MOST_ROWS]],
        **_states(exercises),
        mistakes=_mistakes(exercises),
        unnamed=_unnamed(exercises),
        constant=_constant({item: of[item] for item in items if item[0] != "manual"}),
        ended=_ended(exercises),
        alike=alike(results),
        courses=_grouped(
            (name, one.student) for name, ones in exercises.items() for one in ones if one.graded.like_the_courses
        ),
        asked=[_asked(name, ones) for name, ones in asked.items()],
        times=_times(exercises),
        walls=Counter(", ".join(one.graded.walls) for ones in exercises.values() for one in ones if _ran(one.graded)),
        problems=_grouped((problem, result.student) for result in results for problem in result.problems),
        submitted=[result.submitted for result in results if pages.when(result.submitted)],
        late=_late(results, due),
        due=due,
        LEAST_PARTS=LEAST_PARTS,
        MOST_CHOSEN=MOST_CHOSEN,
        MOST_LISTED=MOST_LISTED,
        MOST_NAMED=MOST_NAMED,
        OPEN_ROWS=OPEN_ROWS,
    )


def alike(results: Iterable[Result]) -> list[Alike]:
    """Groups of students whose answers to an exercise have one `reading.shape`: shared faults first, then long ones.

    Answers of fewer than `LEAST_PARTS` parts are left out, and what was not attempted.
    """
    shape = functools.cache(reading.shape)  # many hand in the same text, and no text is kept beyond this
    groups = _grouped(
        ((one.name, shape(one.given)), _One(result.student, one))
        for result in results
        for one in result.graded
        if one.kind == "exercise" and one.state not in UNTRIED and len(one.given) <= MOST_COMPARED
    )
    found = [
        Alike(
            exercise,
            [one.student for one in ones],
            sorted({one.graded.state for one in ones}),
            len({one.graded.given.strip() for one in ones}) == 1,
            any(one.graded.like_the_courses for one in ones),
            parts,
        )
        for (exercise, shaped), ones in groups.items()
        if shaped and len(ones) > 1 and (parts := _parts(ones[0].graded.given)) >= LEAST_PARTS
    ]
    return sorted(found, key=lambda group: (group.states == ["passed"], -group.parts, -len(group.students)))


def _parts(source: str) -> int:
    """How many statements and expressions a source has."""
    return sum(isinstance(node, ast.stmt | ast.expr) for node in ast.walk(ast.parse(source)))


def _grouped(pairs: Iterable[tuple[K, Any]]) -> dict[K, list[Any]]:
    found: dict[K, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _scores(results: Sequence[Result]) -> dict[str, Any]:
    """Mean and median in points, and how many reached each tenth of them."""
    shares = [result.score / result.max_score for result in results if result.max_score]
    reached = Counter(min(BARS - 1, int(share * BARS + 1e-9)) for share in shares)
    step = 100 // BARS
    spans = [f"{k * step} to {(k + 1) * step - 1} %" for k in range(BARS - 1)] + [f"{100 - step} to 100 %"]
    return {
        "most": max((result.max_score for result in results), default=0),
        "mean": statistics.fmean(result.score for result in results) if results else 0,
        "median": statistics.median(result.score for result in results) if results else 0,
        "highest": max(reached.values(), default=0),
        "bars": [(span, reached[k]) for k, span in enumerate(spans)] if shares else [],
    }


def _states(exercises: dict[str, list[_One]]) -> dict[str, Any]:
    """How many ended in each state, by exercise, the one that fewest passed first; and the states that occur."""
    counts: dict[str, Counter[str]] = {
        name: Counter(one.graded.state for one in ones) for name, ones in exercises.items()
    }
    rows = [(name, len(exercises[name]), count) for name, count in counts.items()]
    rows.sort(key=lambda row: row[2]["passed"] / row[1])
    return {"hard": rows, "occurring": [state for state in pages.STATES if any(c[state] for c in counts.values())]}


def _mistakes(exercises: dict[str, list[_One]]) -> list[tuple[str, str, list[str], str]]:
    """Exercise, mistake, students and what they were told, the most frequent first."""
    found = _grouped(
        ((name, one.graded.verdict.diagnosis), one)
        for name, ones in exercises.items()
        for one in ones
        if one.graded.state != "passed" and one.graded.verdict and one.graded.verdict.diagnosis
    )
    rows = [
        # What one of them did wrong besides is not said of the others.
        (name, mistake, [o.student for o in ones], _message(ones[0]).partition(" There is a second thing.")[0])
        for (name, mistake), ones in found.items()
    ]
    return sorted(rows, key=lambda row: -len(row[2]))


def _unnamed(exercises: dict[str, list[_One]]) -> list[tuple[str, str, list[str], str]]:
    """Exercise, state, students and one example of what they were told, where it has no name."""
    found = _grouped(
        ((name, one.graded.state), one)
        for name, ones in exercises.items()
        for one in ones
        if one.graded.state in ("wrong", "error") and not (one.graded.verdict and one.graded.verdict.diagnosis)
    )
    rows = [(name, state, [o.student for o in ones], _message(ones[0])) for (name, state), ones in found.items()]
    return sorted(rows, key=lambda row: -len(row[2]))


def _message(one: _One) -> str:
    return one.graded.verdict.message if one.graded.verdict else one.graded.message


def _constant(of: dict[Item, list[_One]]) -> list[tuple[Item, int, bool]]:
    """What everybody who attempted it passed, or nobody did; and how many these are."""
    found = []
    for item, ones in of.items():
        passed = [one.graded.state == "passed" for one in ones if one.graded.state not in UNTRIED]
        if passed and (all(passed) or not any(passed)):
            found.append((item, len(passed), passed[0]))
    return sorted(found, key=lambda row: (row[2], -row[1]))


def _ended(exercises: dict[str, list[_One]]) -> dict[str, list[tuple[str, str, str]]]:
    """Student, exercise and reason, by state."""
    found = _grouped(
        (one.graded.state, (one.student, name, one.graded.message or _message(one)))
        for name, ones in exercises.items()
        for one in ones
    )
    return {state: found[state] for state in ENDED if state in found}


def _asked(name: str, ones: list[_One]) -> dict[str, Any]:
    """A graded question with how often each answer was given."""
    try:
        question = questions.find(name)
    except ValueError:  # it is no longer asked
        question = None
    given = Counter(one.graded.given for one in ones if one.graded.given)
    right = {one.graded.given for one in ones if one.graded.state == "passed"}
    options = question.options if question else ()
    chosen = {o.key: sum(n for keys, n in given.items() if o.key in keys and _are_keys(keys, options)) for o in options}
    return {
        "name": name,
        "text": question.text if question else "",
        "students": len(ones),
        "passed": sum(one.graded.state == "passed" for one in ones),
        "options": [(option.key, option.text, chosen[option.key]) for option in options],
        "given": [(answer, count, answer in right) for answer, count in given.most_common(MOST_CHOSEN)],
        "different": len(given),
    }


def _are_keys(given: str, options: Sequence[questions.Option]) -> bool:
    return set(given) <= {option.key for option in options}


def _times(exercises: dict[str, list[_One]]) -> list[tuple[str, float, float, float, str]]:
    """Exercise, seconds of a processor in all, their median and highest, and whose that is; the longest first."""
    rows = []
    for name, ones in exercises.items():
        if ran := [one for one in ones if _ran(one.graded)]:
            took = [one.graded.cpu_seconds for one in ran]
            slowest = max(ran, key=lambda one: one.graded.cpu_seconds)
            rows.append((name, sum(took), statistics.median(took), max(took), slowest.student))
    return sorted(rows, key=lambda row: -row[1])


def _ran(one: Graded) -> bool:
    return one.cpu_seconds > 0 or bool(one.walls)


def _late(results: Sequence[Result], due: str) -> list[tuple[str, str]]:
    """Student and time of what was handed in after `due`."""
    end = pages.when(due)
    if end is None:
        return []
    return [(r.student, r.submitted) for r in results if (time := pages.when(r.submitted)) and time > end]
