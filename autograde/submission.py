"""One student's submission: the notebook that is meant among all that was handed in, its cells, and the answers."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal
from zoneinfo import ZoneInfo

from autograde.contents import Entry, NotRead, Reader, raise_ours
from helpers import plan
from helpers.markup import code
from helpers.quiz import answers

LARGEST_NOTEBOOK = 200_000_000  # bytes; with its pictures one has some millions, with videos many more
LARGEST_ANSWERS = 100_000
MOST_VALUES = 5_000_000  # in a notebook: as objects they take far more memory than as text
MOST_CELLS = 5_000  # a lesson has some eighty
LONGEST_CELL = 200_000  # letters
MOST_TEXT = 2_000_000  # letters in all cells; a lesson has some thirty thousand
MOST_NOTEBOOKS = 25  # of one student that are opened
NAMED = 3  # files by name in one sentence

KINDS: dict[object, Literal["code", "markdown"]] = {"code": "code", "markdown": "markdown", "heading": "markdown"}
NOTEBOOK = re.compile(r"(.{1,200})\.ipynb(?:\.txt|\.json)?", re.IGNORECASE)  # the second is what some browsers add
ANSWERS = re.compile(r"(.{1,200})\.json(?:\.txt)?", re.IGNORECASE)
# What browsers and file managers make of the name of a second one.
COPY = re.compile(r"^(?:copy of )+|(?:[ _-]*\(\d+\)|[ _-]+copy ?\d*|[ -]\d+)+$", re.IGNORECASE)
DEFINED = re.compile(r"^(?:def|class)[ \t]+(\w+)", re.MULTILINE)
ASKED = re.compile(r"\bquiz\([\"']([^\"']+)")
STUB = re.compile(r"^[ \t]*raise NotImplementedError|^YOUR ANSWER HERE\s*\Z", re.MULTILINE)
STAMP = "timestamp.txt"  # nbgrader puts it beside the notebook


@dataclass(frozen=True)
class NotebookCell:
    """A cell of a notebook that was handed in; there are no others than of these two kinds.

    Attributes:
        name: nbgrader's for a cell that a student writes; the cell's id where nbgrader has not marked it; else its
            number among all cells, from 1.
    """

    kind: Literal["code", "markdown"]
    name: str
    source: str


@dataclass(frozen=True)
class Submission:
    """What one student handed in for a lesson. Nothing of it has been run, and nothing of it is to be believed.

    Attributes:
        student: as in the gradebook.
        cells: of the notebook that was taken; none where there is a `problem`.
        problem: why there is no notebook, in a sentence or two, marked up as in `helpers.markup`.
        notes: what was chosen, ignored or not looked at, a sentence each for the student, marked up.
        answers: to the graded questions.
        submitted: when, as ISO 8601 in UTC; empty where nothing says so.
    """

    student: str
    cells: tuple[NotebookCell, ...]
    problem: str = ""
    notes: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    submitted: str = ""


@dataclass(frozen=True)
class _Candidate:
    """A notebook that may be the one that is meant."""

    file: Entry
    cells: tuple[NotebookCell, ...]
    lessons: Counter[str]  # each to how many cells are of it
    written: int  # exercises and texts of the lesson that are no longer stubs
    left_out: int  # of its cells, which are too many or too long


def read(student: str, lesson: str, sources: Sequence[Entry], is_stamped: bool = False) -> Submission:
    """The submission in `sources`; whatever is wrong with it is said in it.

    Args:
        is_stamped: whether a file beside the notebook that says when it was handed in is nbgrader's.
    """
    try:
        with Reader() as reader:
            files = list(reader.files(sources))
            found = [file for file in files if NOTEBOOK.fullmatch(file.name)]
            best, problem, notes = _chosen(_own(found, lesson), lesson, reader)
            if not found:
                problem = " ".join((_nothing(files, lesson), *_first(reader.troubles)))
            given, said = _answers(_own(files, lesson), best, reader)
            submitted = _stamp(files, lesson, reader) if is_stamped else ""
            notes += said + (_first(reader.troubles) if found else [])
        return Submission(student, best.cells if best else (), problem, tuple(notes), given, submitted)
    except Exception as error:  # nobody else's work is to stop at this
        raise_ours(error)
        reason = code(f"{type(error).__name__}: {error}"[:200])
        return Submission(student, (), f"What was handed in cannot be read: {reason}.")


def cells_of(data: bytes) -> tuple[NotebookCell, ...]:
    """The cells of a notebook's file, whatever became of it: any version of the format, in any Unicode encoding.

    Raises:
        ValueError: it is no notebook; the message says why.
        RecursionError: it is made to be read by nobody.
    """
    if sum(map(data.count, (b"[", b"{", b","))) > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values")
    notebook = json.loads(data, object_hook=_without_outputs)
    if not isinstance(notebook, dict):
        raise ValueError("no cells")
    pages = [notebook, *_dicts(notebook.get("worksheets"))]  # the second in version 3
    found = (_cell(cell, number) for number, cell in enumerate(_dicts(*(page.get("cells") for page in pages)), 1))
    if not (kept := tuple(cell for cell in found if cell)):
        raise ValueError("no cells")
    return kept


def _readable(cells: tuple[NotebookCell, ...]) -> tuple[NotebookCell, ...]:
    """Those that are read, where there are too many or they are too long: what is asked for first."""
    room = MOST_TEXT
    kept: set[int] = set()
    for cell in sorted(cells, key=lambda cell: cell.name not in _owners()):
        if len(kept) < MOST_CELLS and len(cell.source) <= min(LONGEST_CELL, room):
            kept.add(id(cell))
            room -= len(cell.source)
    return tuple(cell for cell in cells if id(cell) in kept)


def utc(text: str) -> str:
    """A time as nbgrader writes it, `2026-11-01 12:00:00.123456 Europe/Berlin`, as ISO 8601; empty if it is none."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d)[:_](\d\d)[:_](\d\d)(?:\.\d+)? ?(\S*)", text.strip())
    if match is None:
        return ""
    date, *clock, zone = match.groups()
    with contextlib.suppress(ValueError, OSError, KeyError, OverflowError):
        if re.fullmatch(r"[+-]\d\d:?\d\d", zone):
            there = datetime.strptime(zone, "%z").tzinfo
        else:
            there = timezone.utc if zone in ("", "UTC", "GMT", "Z") else ZoneInfo(zone)
        moment = datetime.fromisoformat(f"{date} {':'.join(clock)}").replace(tzinfo=there)
        return moment.astimezone(timezone.utc).isoformat()
    return ""


# ---- Which notebook


def _own(files: list[Entry], lesson: str) -> list[Entry]:
    """Those in no folder of another lesson, if there are such."""
    others = lesson_names() - set(plan.names(lesson))
    return [file for file in files if not others & set(file.folder.split("/"))] or files


def _chosen(files: list[Entry], lesson: str, reader: Reader) -> tuple[_Candidate | None, str, list[str]]:
    """The notebook that is meant, why there is none, and what is to be said of the choice."""
    ordered = sorted(files, key=lambda file: (_called(file, lesson), file.changed), reverse=True)[:MOST_NOTEBOOKS]
    candidates: list[_Candidate] = []
    broken: list[str] = []
    for file in ordered:
        if not _called(file, lesson) and any(one.written and _called(one.file, lesson) for one in candidates):
            break  # what is called otherwise matters only where nothing is written in those of the right name
        try:
            cells = cells_of(reader.read(file, LARGEST_NOTEBOOK))
        except NotRead as problem:
            broken.append(str(problem))
        except (ValueError, RecursionError) as error:
            reason = code(str(error)[:100])
            broken.append(f"{file.label} is not a notebook that can be read ({reason}). Save it anew in Jupyter.")
        else:
            kept = _readable(cells)
            left_out = len(cells) - len(kept)
            candidates.append(_Candidate(file, kept, _lessons(kept), _written(kept, lesson), left_out))
    if not candidates:
        return None, " ".join(_first(broken)), []
    *_, best = candidates = sorted(candidates, key=lambda candidate: _merits(candidate, lesson))
    what = best.file.label
    notes = _first(broken)
    if not best.lessons[lesson] and best.lessons:
        other = best.lessons.most_common(1)[0][0]
        return None, f"{what} is the notebook of {code(other)}. Hand in that of {code(lesson)}.", notes
    if len(files) > 1:
        reason = _reason(best, candidates[-2] if len(candidates) > 1 else None, lesson)
        ignored = _few([file.label for file in files if file is not best.file])
        notes.append(f"Of {len(files)} notebooks {what} was taken: it is {reason}. Ignored: {ignored}.")
    if best.left_out:
        notes.append(
            f"{best.left_out} cells of {what} were not read: at most {MOST_CELLS} are, of at most {LONGEST_CELL} "
            f"letters each and {MOST_TEXT / 1e6:g} million together."
        )
    if not best.lessons:
        notes.append(f"Nothing in {what} is of {code(lesson)}. Look whether it is the notebook that you meant.")
    return best, "", notes


def _merits(candidate: _Candidate, lesson: str) -> tuple[bool, bool, int, int, int, int, str]:
    """What makes a notebook the one that is meant, what matters most first."""
    file, written = candidate.file, candidate.written
    last = re.sub(r"\d+", lambda number: number[0].zfill(12), file.path.casefold())
    is_of_it, above = bool(candidate.lessons[lesson]), -file.path.count("/")
    return is_of_it, bool(written), _called(file, lesson), written, file.changed, above, last


def _reason(best: _Candidate, second: _Candidate | None, lesson: str) -> str:
    """What the first has that the second, of those that were read, has not."""
    reasons = (
        f"the one of {code(lesson)}",
        "the one in which something is written",
        "called as it should be",
        "the one in which more is written",
        "the newest, and nothing else tells which one is meant",
        "in the fewest folders, and nothing else tells which one is meant",
        "the last by its name, and nothing else tells which one is meant",
    )
    if second is None:
        return reasons[2] if _called(best.file, lesson) else "the only one that can be read"
    pairs = zip(reasons, _merits(best, lesson), _merits(second, lesson), strict=True)
    return next((reason for reason, ours, theirs in pairs if ours != theirs), reasons[-1])


def _called(file: Entry, lesson: str) -> int:
    """2 where it is called as the lesson, if for a number of Canvas', 1 where its name is that of a copy, else 0."""
    match = NOTEBOOK.fullmatch(file.name)
    stem = match[1].casefold() if match else ""
    names = plan.names(lesson)
    return 2 if re.sub(r"-\d+$", "", stem) in names else 1 if COPY.sub("", stem) in names else 0


def _nothing(files: list[Entry], lesson: str) -> str:
    there = f"there is only {_few([file.label for file in files])}" if files else "there is no file"
    return f"No notebook was handed in: {there}. Hand in {code(f'{lesson}.ipynb')}."


def _lessons(cells: Iterable[NotebookCell]) -> Counter[str]:
    owners = _owners()
    of_cells = ({owners[mark] for mark in _marks(cell) if mark in owners} for cell in cells)
    return Counter(lesson for found in of_cells for lesson in found)


def _marks(cell: NotebookCell) -> set[str]:
    """What may tell which lesson a cell is of."""
    if cell.kind == "markdown":
        return {cell.name}
    return {cell.name, plan.cell_id(cell.source), *DEFINED.findall(cell.source), *ASKED.findall(cell.source)}


@functools.cache
def _owners() -> dict[str, str]:
    """Names of exercises, texts and questions, and ids of cells, to the one lesson that has them."""
    parts = ("checks", "practice", "graded", "texts", "cells")
    pairs = [(name, lesson["lesson"]) for lesson in plan.lessons() for part in parts for name in lesson[part]]
    times = Counter(name for name, _ in pairs)
    return {name: lesson for name, lesson in pairs if times[name] == 1}


@functools.cache
def lesson_names() -> frozenset[str]:
    """The names under which work of any lesson may lie."""
    return frozenset(name for lesson in plan.lessons() for name in plan.names(lesson["lesson"]))


@functools.cache
def _asked(lesson: str) -> set[str]:
    """The exercises and texts of a lesson."""
    return {name for one in plan.lessons() if one["lesson"] == lesson for name in (*one["checks"], *one["texts"])}


def _written(cells: Iterable[NotebookCell], lesson: str) -> int:
    done = [cell for cell in cells if not STUB.search(cell.source)]
    named = ([cell.name] if cell.kind == "markdown" else DEFINED.findall(cell.source) for cell in done)
    return len(_asked(lesson) & {name for names in named for name in names})


# ---- What is in it


def _without_outputs(found: dict[str, Any]) -> dict[str, Any]:
    """While the file is being read, so that the pictures of one cell at most are kept."""
    found.pop("outputs", None)
    found.pop("attachments", None)
    return found


def _dicts(*lists: object) -> list[dict[str, Any]]:
    return [one for found in lists if isinstance(found, list) for one in found if isinstance(one, dict)]


def _cell(cell: dict[str, Any], number: int) -> NotebookCell | None:
    kind, source = cell.get("cell_type"), cell.get("source", cell.get("input"))
    if isinstance(source, list):
        lines = [line for line in source if isinstance(line, str)]
        source = ("" if any(line.endswith("\n") for line in lines) else "\n").join(lines)
    if not isinstance(source, str) or not isinstance(kind, str) or kind not in KINDS:
        return None
    return NotebookCell(KINDS[kind], _clean(_name(cell)) or str(number), _clean(source))


def _name(cell: dict[str, Any]) -> str:
    """What a cell that a student writes is called; empty where nothing says."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    marks = marks if isinstance(marks, dict) else {}
    name = marks.get("grade_id") if marks.get("solution") else cell.get("id") if not marks else None
    return name if isinstance(name, str) else ""


def _clean(text: str) -> str:
    """Text that can be written to a file: JSON may hold halves of characters."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# ---- What is beside it


def _answers(files: list[Entry], notebook: _Candidate | None, reader: Reader) -> tuple[dict[str, str], list[str]]:
    """The answers to graded questions in the newest file of them, and what is to be said of it."""
    stem = answers.FILE.removesuffix(".json")
    found = [file for file in files if (m := ANSWERS.fullmatch(file.name)) and COPY.sub("", m[1].casefold()) == stem]
    beside = [file for file in found if notebook and file.folder == notebook.file.folder]
    if not found:
        return {}, []
    *others, newest = sorted(beside or found, key=lambda file: (file.changed, _numbered(file.name)))
    what = newest.label
    notes = []
    if others:
        ignored = _few([file.label for file in others])
        notes.append(f"The answers are those in {what}, the newest such file. Ignored: {ignored}.")
    try:
        given = json.loads(reader.read(newest, LARGEST_ANSWERS))
        values = given.values() if isinstance(given, dict) else [None]
        if not all(isinstance(value, str) and len(value) <= answers.LONGEST for value in values):
            raise ValueError("something else than one short answer for each question")
        return {_clean(question): _clean(answer) for question, answer in given.items()}, notes
    except NotRead as error:
        problem = str(error)
    except (ValueError, RecursionError) as error:
        problem = f"{what} cannot be read as answers ({code(str(error)[:100])})."
    return {}, [*notes, f"{problem} So no answer to a graded question counts."]


def _numbered(name: str) -> tuple[int, str]:
    """Sorts what a browser calls `answers.json`, `answers (1).json` and so on."""
    numbers = re.findall(r"\d{1,9}", name)
    return int(numbers[-1]) if numbers else 0, name


def _stamp(files: list[Entry], lesson: str, reader: Reader) -> str:
    places = {STAMP, *(f"{name}/{STAMP}" for name in plan.names(lesson))}
    for file in files:
        if file.path in places:
            with contextlib.suppress(NotRead):
                return utc(reader.read(file, 200).decode(errors="replace"))
    return ""


def _few(names: list[str]) -> str:
    """The first of them, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _first(sentences: list[str]) -> list[str]:
    more = len(sentences) - NAMED
    return sentences[:NAMED] + ([f"And so on, {more} times more."] if more > 0 else [])
