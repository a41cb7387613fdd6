"""Takes in what a class handed in, in the layouts of nbgrader, Canvas, Moodle and Gradescope, and never trusts it.

A student is called as in the gradebook:

- a folder or a zip a student, `ana/02_overlap.ipynb`, `ana.zip`, or a notebook each, `ana.ipynb`: `ana`;
- what `submit()` makes, alone or in any of these, `02_overlap-ana.zip`: `ana`;
- nbgrader, `ana/02_overlap/02_overlap.ipynb`, or its exchange, `ana+02_overlap+2026-11-01 12:00:00 UTC+x1y2z3`: `ana`;
- Canvas, `lovelaceada_LATE_12345_678901_02_overlap.ipynb`: `lovelaceada_12345`, which ends with Canvas' `ID`;
- Moodle, `Ada Lovelace_1234567_assignsubmission_file_/`: `Ada Lovelace_1234567`, with its `Identifier`'s number;
- Gradescope, `submission_123/` with `submission_metadata.yml`: each submitter's e-mail address, else number or name.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from autograde import submission
from autograde.contents import Entry, NotRead, Reader, of_folder, of_zip
from autograde.submission import NotebookCell, Submission
from helpers import plan

__all__ = ["HandedIn", "IntakeError", "NotebookCell", "Submission", "collect"]

METADATA = "submission_metadata.yml"  # Gradescope's
LARGEST_METADATA = 500_000_000  # bytes: it repeats what the tests of every submission printed
DEEPEST = 5  # folders around a class
FILE = re.compile(r"\.(?:zip|rar|7z|tgz|tar(?:\.\w+)?|ipynb(?:\.txt|\.json)?)$", re.IGNORECASE)  # a student's only one
INBOUND = re.compile(r"(?P<who>.+)\+(?P<lesson>[^+]+)\+(?P<when>\d{4}-\d\d-\d\d \d\d[:_]\d\d[:_]\d\d[^+]*)(?:\+[^+]*)?")
MOODLE = re.compile(r"(?P<who>.+?)_assignsubmission_[a-z]+(?:_(?P<file>.*))?")
# As `ContentZipper` of Canvas makes it: a name in small letters, none of an anonymous student, then numbers of the
# student and of the file. The second is long, or `exam_2026_11_ana.ipynb` would be Canvas' as well.
CANVAS = re.compile(
    r"(?:(?P<name>\w+?)_)??(?P<late>LATE_)?(?P<id>\d+|anon_[A-Za-z0-9]+)_"
    r"(?:(?P<number>\d{5,})_(?P<file>.+)|text\.html|link\.html)"
)


class IntakeError(Exception):
    """No submission at all can be read; the message says why and what to do."""


@dataclass
class HandedIn:
    """What lies there for one student, not read yet. It can be read while the `collect` that gave it lasts."""

    student: str
    lesson: str
    sources: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    submitted: str = ""
    is_stamped: bool = False  # by nbgrader, whose file says when it was handed in

    def read(self) -> Submission:
        """The submission, with all that is wrong with it said in it; it raises nothing."""
        found = submission.read(self.student, self.lesson, self.sources, self.is_stamped)
        return replace(found, notes=(*self.notes, *found.notes), submitted=self.submitted or found.submitted)


@contextlib.contextmanager
def collect(place: Path, lesson: str) -> Iterator[list[HandedIn]]:
    """What was handed in for `lesson`, by student, in a folder or a zip of one of the layouts above.

    There may be folders or a zip around all of it. Nobody is left out: who has nothing but an empty folder is there.

    Raises:
        IntakeError: `place` is missing, is no folder or zip, cannot be read, or holds nobody's work.
    """
    with contextlib.ExitStack() as stack:
        try:
            reader = stack.enter_context(Reader())
            top = _class_in(_visible(_contents(place, stack)), _stem(place.resolve().name), reader)
            found = _students(top, lesson, reader)
        except (OSError, ValueError, RuntimeError, struct.error, zipfile.BadZipFile) as error:
            raise IntakeError(f"{place} cannot be read: {error}. Download or pack it again.") from None
        if not found:
            raise IntakeError(
                f"{place} holds no folder of a student. It must hold one folder a student, named after the student, "
                f"with the notebook inside: {place.name}/ana/{lesson}.ipynb. Put each notebook into such a folder."
            )
        yield sorted(found, key=lambda one: one.student)


def _contents(place: Path, stack: contextlib.ExitStack) -> Iterator[Entry]:
    if place.is_dir():
        return of_folder(place)
    if not place.is_file() or (place.suffix.casefold() != ".zip" and not zipfile.is_zipfile(place)):
        what = "is neither a folder nor a zip" if place.exists() else "does not exist"
        raise IntakeError(f"{place} {what}. Give a folder or a zip with one folder a student.")
    archive = stack.enter_context(zipfile.ZipFile(place))
    files = [info for info in archive.infolist() if not info.is_dir()]
    if files and all(info.flag_bits & 1 for info in files):
        raise IntakeError(f"{place} is encrypted. Unpack it with its password, and give the folder.")
    return of_zip(archive)


def _visible(entries: Iterable[Entry]) -> list[Entry]:
    return sorted((entry for entry in entries if not entry.is_litter), key=lambda entry: entry.path)


def _stem(name: str) -> str:
    return FILE.sub("", name)


# ---- What is around a class


def _class_in(top: list[Entry], name: str, reader: Reader) -> list[Entry]:
    """The contents of the innermost folder or zip that holds all students; `name` is that of the outermost."""
    for _ in range(DEEPEST):
        holders = _holders(top)
        if len(holders) != 1 or any(_is_layout(entry) or _is_notebook(entry) for entry in top):
            break
        try:
            inner = _visible(reader.unpacked(holders[0]) if holders[0].is_zip else holders[0].inside())
            # Who zips a folder often gets one of the same name in the zip.
            same = _stem(holders[0].name) == name and bool(_holders(inner)) and not _is_students(inner)
            if not same and not _is_class(inner):
                break
        except (NotRead, OSError):
            break  # it is this student's problem
        top = inner
    return top


def _is_class(inside: list[Entry], deepest: int = DEEPEST) -> bool:
    """Whether this is the inside of a folder of students' folders, and not that of one student's."""
    holders = _holders(inside)
    if any(_is_layout(entry) for entry in inside):
        return True
    if _is_students(inside) or not holders or not deepest:
        return False
    if len(holders) > 1 or holders[0].is_zip:
        return len(holders) > 1
    deeper = _visible(holders[0].inside())
    return any(entry.name in submission.lesson_names() for entry in deeper) or _is_class(deeper, deepest - 1)


def _is_students(inside: list[Entry]) -> bool:
    """Whether this is the inside of one student's folder."""
    return any(_is_notebook(entry) or entry.name in submission.lesson_names() for entry in inside)


def _holders(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.kind == "folder" or entry.is_zip]


def _is_notebook(entry: Entry) -> bool:
    return bool(submission.NOTEBOOK.fullmatch(entry.name))


def _is_layout(entry: Entry) -> bool:
    """Whether it is there in one of the layouts only."""
    return entry.name == METADATA or _of_layout(entry) is not None


def _of_layout(entry: Entry) -> re.Match[str] | None:
    """What its name says of its student, where it is one of nbgrader's exchange, of Moodle or of Canvas."""
    return MOODLE.fullmatch(entry.name) or (CANVAS if entry.kind == "file" else INBOUND).fullmatch(entry.name)


# ---- Who is in a class


def _students(top: list[Entry], lesson: str, reader: Reader) -> list[HandedIn]:
    found: dict[str, HandedIn] = {}
    times: dict[str, list[tuple[str, str, Entry]]] = {}  # of nbgrader's exchange, where each attempt has a folder

    def of(student: str) -> HandedIn:
        return found.setdefault(student, HandedIn(student, lesson))

    submitters = _gradescope(top, reader)
    for entry in top:
        match = _of_layout(entry)
        if entry.name in submitters:
            for student, when in submitters.pop(entry.name):
                of(student).sources.append(replace(entry, path=""))
                of(student).submitted = when
        elif match is None:
            _take_plain(entry, of)
        elif match.re is INBOUND:
            if match["lesson"] in plan.names(lesson):
                times.setdefault(match["who"], []).append((submission.utc(match["when"]), entry.name, entry))
        elif match.re is MOODLE:
            of(match["who"]).sources.append(replace(entry, path=match["file"] or ""))
        else:
            one = of("_".join(filter(None, (match["name"], match["id"]))))
            number = int(match["number"] or 0)  # grows with each upload, while all have the time of the download
            one.sources.append(replace(entry, path=match["file"] or entry.name, changed=number))
            one.notes = ["Canvas has marked it as late."] if match["late"] or one.notes else []
    for student, attempts in times.items():
        when, _, latest = max(attempts, key=lambda attempt: attempt[:2])
        of(student).sources.append(replace(latest, path=""))
        of(student).submitted = when
        if len(attempts) > 1:
            of(student).notes.append(f"It was handed in {len(attempts)} times; the last one counts.")
    for student, when in itertools.chain(*submitters.values()):  # whose folders are not there
        of(student).submitted = when
    return list(found.values())


def _take_plain(entry: Entry, of: Callable[[str], HandedIn]) -> None:
    """A folder, a packed file or a notebook, named after the student; one called as a lesson is nobody's."""
    stem = _stem(entry.name)
    if entry.kind == "folder" or (entry.kind == "link" and not re.search(r"\.\w+$", entry.name)):
        of(entry.name).sources.append(replace(entry, path=""))
        of(entry.name).is_stamped = True
    elif stem != entry.name and not (_is_notebook(entry) and stem in submission.lesson_names()):
        of(_of_submit(stem) if entry.is_zip else stem).sources.append(entry)


def _of_submit(stem: str) -> str:
    """The student in the name of what `submit()` makes, without what a browser adds; any other name as it is."""
    lesson = next((name for name in submission.lesson_names() if stem.startswith(f"{name}-")), None)
    return re.sub(r" ?\(\d+\)$", "", stem[len(lesson) + 1 :]) or stem if lesson else stem


def _gradescope(top: list[Entry], reader: Reader) -> dict[str, list[tuple[str, str]]]:
    """The students of each folder of Gradescope's, of whom a group has several, and when it was handed in."""
    found = {}
    for file in (entry for entry in top if entry.name == METADATA):
        try:
            data = yaml.load(reader.read(file, LARGEST_METADATA), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            for name, about in data.items():
                when = submission.utc(str(about.get(":created_at")))
                persons = about.get(":submitters") or [{":name": name}]
                found[name] = [(_first(person, ":email", ":sid", ":name") or name, when) for person in persons]
        except (NotRead, yaml.YAMLError, AttributeError, ValueError, RecursionError) as error:
            raise IntakeError(
                f"{METADATA}, which says whose the folders are, cannot be read: {str(error)[:200]}. "
                "Download the submissions from Gradescope again."
            ) from None
    return found


def _first(person: Mapping[str, object], *keys: str) -> str:
    return next((str(person[key]) for key in keys if person.get(key)), "")
