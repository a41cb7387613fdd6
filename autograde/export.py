"""What was graded, as others take it: a table, lines for a terminal, and the gradebooks of Canvas, Moodle, Gradescope.

A sheet of Canvas or Moodle is filled in: the cells of one column change, and every other byte stays. Whom a row belongs
to is never guessed: where two could be meant, neither gets points, and both are said. Points for texts that wait for a
person are in no export, and each says so.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from autograde import files
from autograde.results import Graded, Result, Store, file_name
from helpers.markup import as_text

MANY = 40  # rows of students that a terminal shows
NARROWEST = 10  # cells of a name; with fewer, the points of single exercises are left out
FORMULA = re.compile(r"""(^|;)([\s"]*)(?=[=+\-@＝＋－＠])""")
NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
NUMBERED = re.compile(r"(.*)_(\d+)", re.DOTALL)  # what `intake` makes of names in downloads of Canvas and Moodle
BOM = "\ufeff"


class ExportError(Exception):
    """Something cannot be exported; the message says what is wrong, the rule, and what to do."""


# ---- tables for people ----


def csv_table(results: Sequence[Result]) -> str:
    r"""A table of a lesson's results: student, score, max_score, each exercise, question and text, states, problems.

    `states` names what did not pass, such as `dice: wrong; iou: missing`. A text that waits for a person has an empty
    cell, and its points are in neither `score` nor `max_score`.

    It begins with a byte order mark: without one Excel takes the accents of a name for other letters, and says
    nothing; LibreOffice reads it either way. A script opens it as `utf-8-sig`. Where a comma is the decimal sign,
    Excel wants the table imported (Data, From Text/CSV), not double-clicked.

    A text in which a spreadsheet would see a formula (= + - @ at its start, or after a semicolon, at which Excel splits
    cells in some countries) has a `'` there. A number is left as it is.

    Source: OWASP ASVS 5.0, requirement 1.2.10 (https://github.com/OWASP/ASVS).
    """
    names = _columns(results)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", "score", "max_score", *map(_no_formula, names), "states", "problems"])
    for r in results:
        graded = {one.name: one for one in r.graded}
        points = [
            "" if name not in graded or graded[name].state == "by hand" else _number(graded[name].points)
            for name in names
        ]
        states = "; ".join(f"{one.name}: {one.state}" for one in r.graded if one.state != "passed")
        said = " ".join(as_text(problem) for problem in r.problems)
        numbers = [_number(r.score), _number(r.max_score), *points]
        table.writerow([_no_formula(r.student), *numbers, _no_formula(states), _no_formula(said)])
    return BOM + text.getvalue()


def terminal_table(results: Sequence[Result], width: int) -> Text:
    """The results of a lesson in lines of at most `width` cells; of a large class only those that want a look."""
    if not results:
        return Text("There are no results.")
    names, out = _columns(results), Text(no_wrap=True, overflow="ignore")
    mean = sum(r.score for r in results) / len(results)
    most = max(r.max_score for r in results)
    title = f"{results[0].lesson}: {_count(len(results), 'student')}, {mean:.1f} of {_number(most)} points on average"
    out.append("\n".join(_wrapped(title, width)), "bold").append("\n\n")
    out.append("\n".join(_summary(names, results, width))).append("\n\n")

    marked = [r for r in results if r.problems or any(one.state == "flagged" for one in r.graded)]
    shown: Sequence[Result] = results
    if len(results) > MANY:
        shown = marked[:MANY]
        place = f"All {len(results)} are in grades/{results[0].lesson}.csv in the course folder."
        which = f"Of the {len(marked)} to look at, the first {MANY}:" if len(marked) > MANY else "Those to look at:"
        out.append("\n".join(_wrapped(f"{place} {which if marked else 'None has problems.'}", width))).append("\n\n")
    if shown:
        out.append("\n".join(_students(names, shown, width))).append("\n")
    for r in shown:
        if r.problems:
            said = f"{plain(r.student)}: {' '.join(plain(as_text(problem)) for problem in r.problems)}"
            first, *rest = _wrapped(said, width - 2)
            out.append("\n".join(["", first, *(f"  {line}" for line in rest)]))
    out.rstrip()
    return out


def _summary(names: Mapping[str, Graded], results: Sequence[Result], width: int) -> list[str]:
    """A line for each exercise, which is the legend of the students' columns, too."""
    digits, longest = len(str(len(names))), max(map(len, names), default=0)
    heading = f"{'':{digits + longest + 1}}  points  mean  passed"
    narrow = len(heading) > width
    lines = [] if narrow else [heading]
    for number, (name, graded) in enumerate(names.items(), 1):
        ones = [one for r in results for one in r.graded if one.name == name]
        states = Counter(one.state for one in ones)
        judged = [one.points for one in ones if one.state != "by hand"]
        mean, passed = (f"{sum(judged) / len(judged):.1f}", str(states.pop("passed", 0))) if judged else ("-", "-")
        rest = ", ".join(f"{count} {state}" for state, count in states.most_common())
        most = _number(graded.max_points)
        if narrow:
            said = f"{number} {name}: {most} points, mean {mean}, {passed} passed" + f", {rest}" * bool(rest)
            lines += _wrapped(said, width)
            continue
        line = f"{number:{digits}} {name:{longest}}  {most:>6}  {mean:>4}  {passed:>6}"
        beside = width - len(line) > 24
        indent = len(line) + 2 if beside else digits + 1
        more = _wrapped(rest, width - indent) if rest else []
        lines.append(f"{line}  {more.pop(0)}" if beside and more else line)
        lines += [" " * indent + part for part in more]
    return lines


def _students(names: Mapping[str, Graded], results: Sequence[Result], width: int) -> list[str]:
    """A line for each student, under the numbers of the exercises."""
    rows = [["score", *(str(number) for number in range(1, len(names) + 1))]]
    for r in results:
        graded = {one.name: one for one in r.graded}
        rows.append([_number(round(r.score, 2)), *(_mark(graded.get(name)) for name in names)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width - sum(widths) - 2 * len(widths) < NARROWEST:
        rows, widths = [row[:1] for row in rows], widths[:1]
    students = ["student", *(plain(r.student) for r in results)]
    room = max(1, min(max(map(cell_len, students)), width - sum(widths) - 2 * len(widths)))
    lines = []
    for student, row in zip(students, rows, strict=True):
        cells = "".join(f"  {cell:>{size}}" for cell, size in zip(row, widths, strict=True))
        lines.append(_cut(student, room) + cells)
    used = "".join(cell for row in rows[1:] for cell in row)
    legend = {"?": "waits to be graded by hand", "!": "flagged, look at it yourself", "-": "not in this result"}
    said = [f"{sign} {meaning}" for sign, meaning in legend.items() if sign in used]
    return [*lines, *(_wrapped("; ".join(said), width) if said else [])]


def _mark(one: Graded | None) -> str:
    if one is None:
        return "-"
    return "?" if one.state == "by hand" else _number(round(one.points, 2)) + "!" * (one.state == "flagged")


def _cut(text: str, room: int) -> str:
    """A text in exactly so many cells, of which a Chinese sign takes two."""
    return set_cell_size(text if cell_len(text) <= room else f"{set_cell_size(text, room - 1).rstrip()}…", room)


def _wrapped(text: str, width: int) -> list[str]:
    return [line.plain.rstrip() for line in Text(text).wrap(Console(width=width), width)]


# ---- sheets of others ----


@dataclass(frozen=True)
class _Cell:
    """A cell of a sheet, and where it stands in the text."""

    text: str
    start: int
    end: int


class _Sheet:
    """A CSV whose cells can be replaced with no other byte changed."""

    def __init__(self, text: str) -> None:
        self._text, self._new = text, dict[tuple[int, int], str]()
        first = text.lstrip("\r\n").split("\n", 1)[0]
        separator = max(",;\t", key=first.count)
        self.rows: list[list[_Cell]] = [[]]
        pattern = re.compile(rf'("[^"]*(?:""[^"]*)*")?([^{separator}\r\n]*)({separator}|\r\n|\r|\n|\Z)')
        place = len(BOM) if text.startswith(BOM) else 0
        while match := pattern.match(text, place):
            quoted, bare, ended = match[1] or "", match[2], match[3]
            self.rows[-1].append(_Cell(quoted[1:-1].replace('""', '"') + bare, match.start(), match.start(3)))
            place = match.end()
            if not ended:
                break
            if ended != separator:
                self.rows.append([])

    def text(self) -> str:
        """The sheet with what was entered."""
        parts, place = [], 0
        for (start, end), new in sorted(self._new.items()):
            parts += [self._text[place:start], new]
            place = end
        return "".join([*parts, self._text[place:]])

    def enter_points(self, column: int, points: Mapping[int, float], people: Mapping[int, _Person]) -> list[str]:
        """Enter points by row, and say how many, and which others they replace; equal ones are left as they stand."""
        replaced = []
        for row, value in points.items():
            cell = self.rows[row][column]
            before = cell.text.strip()
            old = _value(before)
            if old is not None and abs(old - value) < 0.005:  # Canvas exports two digits
                continue
            if before:
                replaced.append(f"{plain(people[row].name)} ({plain(before)})")
            self._new[cell.start, cell.end] = _number(value)
        lines = [f"Filled: {_count(len(points), 'row')}."]
        return lines + ([f"Other grades were there, and are replaced: {'; '.join(replaced)}."] if replaced else [])


@dataclass(frozen=True)
class _Person:
    """A row of a sheet: whose it is, and under which names and which number a submission may come."""

    name: str
    keys: frozenset[str]
    number: str


def fill_canvas(export: str, results: Sequence[Result], column: str | None = None) -> tuple[str, list[str]]:
    """Canvas's gradebook export with the scores in the column of the lesson's assignment, and what there is to say.

    A student is found by the Canvas id at the end of the name that Canvas gives a submission (`garciaana_12345`, where
    the letters must be those of the name in the sheet, too), or is called exactly like the SIS Login ID, the SIS User
    ID, the id or the name. Rows that are excused (`EX`) or not assigned (`N/A`) are left as they are. A point is the
    decimal sign, which Canvas reads in every language, in files with semicolons, too.

    Args:
        export: the file's text, with its byte order mark if there is one.
        results: of one lesson.
        column: the assignment's title, its id, or both as in the heading; the one with the lesson's name if `None`.

    Returns:
        The filled sheet; lines that say how many rows were filled, and each student and row that was not.

    Raises:
        ExportError: it is no such export, or not one column is meant.

    Source: `lib/gradebook_exporter.rb`, `lib/gradebook_importer.rb` (columns, rows without a student, decimals) and
    `lib/content_zipper.rb` (names of submissions) in https://github.com/instructure/canvas-lms.
    """
    sheet = _Sheet(export)
    header = [cell.text for cell in sheet.rows[0]]
    names = 2 if header[:2] == ["LastName", "FirstName"] else 1
    if not (header[:1] == ["Student"] or names == 2) or header[names : names + 1] != ["ID"] or "Section" not in header:
        raise ExportError(
            "This is not Canvas's gradebook: its first row must begin with Student, ID and end its first columns with "
            "Section. In Canvas choose Grades, Export, and give the file as it was downloaded."
        )
    section = header.index("Section")
    target = _assignment(header, section + 1, results[0].lesson if results else "", column)
    people: dict[int, _Person] = {}
    possible = None
    for number, row in enumerate(sheet.rows[1:], 1):
        texts = [cell.text.strip() for cell in row]
        if all(not text or re.match("(?i)muted|manual posting", text) for text in texts):
            continue
        _check_length(row, header, number)
        if "Points Possible" in texts[0]:
            possible = _value(texts[target])
        elif texts[0] == "Student, Test":  # Canvas's own
            continue
        else:
            name = ", ".join(texts[:names])
            swapped = " ".join(reversed(name.split(", ", 1)))
            keys = [name, swapped, *texts[names:section]]
            people[number] = _Person(name, frozenset(map(_key, filter(None, keys))), texts[names])
    found, lines = _match(results, people)
    kept = {number: mark for number in found if (mark := sheet.rows[number][target].text.strip()) in ("EX", "N/A")}
    points = {number: result.score for number, result in found.items() if number not in kept}
    said = sheet.enter_points(target, points, people)
    if kept:
        left = [f"{plain(people[number].name)} ({mark})" for number, mark in kept.items()]
        lines.append(f"Excused, or the assignment is not theirs, so left as they are: {'; '.join(left)}.")
    most = max((_all_points(result) for result in results), default=0.0)
    if possible is not None and possible != most:
        lines.append(
            f"The assignment counts {_number(possible)} points in Canvas, and {_number(most)} here. The points were "
            f"entered as they are: set it to {_number(most)} points in Canvas."
        )
    return sheet.text(), [*said, *lines, *_notes(results)]


def _assignment(header: Sequence[str], first: int, lesson: str, column: str | None) -> int:
    """The index of the assignment's column; raises ExportError where not one is meant."""
    titles: dict[int, tuple[str, str]] = {}
    for index, heading in enumerate(header):
        match = re.fullmatch(r"(.*)\s\((\d+)\)", heading, re.DOTALL)
        if index >= first and match:
            titles[index] = (match[1], match[2])
    if column is None:
        fits = [index for index, (title, _) in titles.items() if _holds(_words(title), _words(lesson))]
        what = f"the name of {lesson}"
    else:
        fits = [i for i, (title, id) in titles.items() if column.strip() in (header[i].strip(), title.strip(), id)]
        what = f"the name or id {plain(column)!r}"
    if len(fits) == 1:
        return fits[0]
    listed = "; ".join(plain(header[index]) for index in (fits or titles)) or "none"
    problem = f"{len(fits)} columns of this export have {what}" if fits else f"No column of this export has {what}"
    raise ExportError(
        f"{problem}, and the points go into exactly one. {'These' if fits else 'Its assignments'} are: {listed}. "
        "Name one with --column, by its title or by the number in brackets."
    )


def fill_moodle(worksheet: str, results: Sequence[Result]) -> tuple[str, list[str]]:
    """Moodle's offline grading worksheet with grades in it, and what there is to say.

    A grade is the part of all points, those for texts included, of the maximum grade. A student is found by the
    participant's number at the end of the name that Moodle gives a submission (`Ana García_1234567`, where the letters
    must be those of the full name, if there is one), or is called exactly like the identifier, the full name, the
    address, or what else stands before the status. A grade that cannot be changed is left. A point is the decimal sign:
    on upload Moodle reads one in every language, and a comma in some only.

    Args:
        worksheet: the file's text, with its byte order mark if there is one.
        results: of one lesson.

    Returns:
        The filled worksheet; lines that say how many rows were filled, and each student and row that was not.

    Raises:
        ExportError: it is no such worksheet, or not in English, or the assignment has no maximum grade.

    Source: `mod/assign/gradingtable.php` (columns), `mod/assign/feedback/offline/` (upload; it finds the columns by
    their headings in the language of who uploads), `mod/assign/classes/downloader.php` (names of submissions) and
    `unformat_float` in `lib/moodlelib.php` (decimals) in https://github.com/moodle/moodle.
    """
    sheet = _Sheet(worksheet)
    header = [cell.text.strip() for cell in sheet.rows[0]]
    index = {heading.casefold(): number for number, heading in enumerate(header)}
    missing = {"identifier", "status", "grade", "maximum grade"} - index.keys()
    if missing:
        raise ExportError(
            f"This is not Moodle's grading worksheet in English: it has no column {' and no '.join(sorted(missing))}. "
            f"Its columns are: {', '.join(map(plain, header))}. Give the assignment a number of points as its grade, "
            "set Moodle to English, choose Download grading worksheet, and give the file as it was downloaded."
        )
    people: dict[int, _Person] = {}
    most: dict[int, float] = {}
    locked = set()
    for number, row in enumerate(sheet.rows[1:], 1):
        texts = [cell.text.strip() for cell in row]
        if not any(texts):
            continue
        _check_length(row, header, number)
        maximum = _value(texts[index["maximum grade"]])
        if maximum is None or maximum <= 0:
            raise ExportError(
                f"Row {number + 1} of the worksheet has {plain(texts[index['maximum grade']])!r} as its maximum grade; "
                "it must be a number above 0. Give the file as Moodle made it."
            )
        most[number] = maximum
        if "grade can be changed" in index and texts[index["grade can be changed"]].casefold() == "no":
            locked.add(number)
        id = re.search(r"\d*$", texts[index["identifier"]])
        digits = id[0] if id else ""
        name = texts[index["full name"]] if "full name" in index else ""
        keys = [digits, *texts[: index["status"]]]
        people[number] = _Person(name or texts[index["identifier"]], frozenset(map(_key, filter(None, keys))), digits)
    found, lines = _match(results, people, named="full name" in index)
    left = [plain(people[number].name) for number in found if number in locked]
    points = {
        number: result.score / _all_points(result) * most[number]
        for number, result in found.items()
        if number not in locked and _all_points(result)
    }
    said = sheet.enter_points(index["grade"], points, people)
    if left:
        lines.append(f"Their grade is locked in Moodle, so it stays as it is: {'; '.join(left)}.")
    return sheet.text(), [*said, *lines, *_notes(results)]


def _match(
    results: Sequence[Result], people: Mapping[int, _Person], named: bool = True
) -> tuple[dict[int, Result], list[str]]:
    """The results by row, and lines on all that have no place, or not one only.

    Args:
        named: the sheet holds names; a number counts only where the letters of the name are the same.
    """
    by_key, by_number = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for number, person in people.items():
        by_number[person.number].add(number)
        for key in person.keys:
            by_key[key].add(number)
    takers = defaultdict[int, list[Result]](list)
    lost, unsure = [], []
    for result in results:
        rows, student = set(by_key.get(_key(result.student), ())), plain(result.student)
        of_another = ""
        if match := NUMBERED.fullmatch(result.student):
            for row in by_number.get(match[2], ()):
                if named and _letters(match[1]) != _letters(people[row].name):
                    of_another = f" (the number is that of {plain(people[row].name)})"
                else:
                    rows.add(row)
        if not rows:
            lost.append(student + of_another)
        elif len(rows) > 1:
            names = ", ".join(f"{plain(people[row].name)} in row {row + 1}" for row in sorted(rows))
            unsure.append(f"{student} ({names})")
        else:
            takers[rows.pop()].append(result)
    for row, several in takers.items():
        if len(several) > 1:
            unsure.append(f"{' and '.join(plain(r.student) for r in several)} ({plain(people[row].name)})")
    found = {row: several[0] for row, several in sorted(takers.items()) if len(several) == 1}
    without = [plain(person.name) for row, person in people.items() if row not in takers]
    said = {
        "Not in the sheet": lost,
        "More than one could be meant, so none was filled": unsure,
        "In the sheet without a result that is surely theirs, so left as they are": without,
    }
    return found, [f"{what}: {'; '.join(who)}." for what, who in said.items() if who]


def _check_length(row: Sequence[_Cell], header: Sequence[str], number: int) -> None:
    if len(row) != len(header):
        raise ExportError(
            f"Row {number + 1} of the sheet has {len(row)} cells, and the first row {len(header)}: a quote is missing, "
            "or another program has saved it. Give the file as it was downloaded."
        )


def _notes(results: Iterable[Result]) -> list[str]:
    """What to know before an upload: points that a person gives, and what a person should look at."""
    waiting = {one.name: one.max_points for r in results for one in r.graded if one.state == "by hand"}
    flagged = [plain(r.student) for r in results if any(one.state == "flagged" for one in r.graded)]
    lines = []
    if waiting:
        lines.append(
            f"Without the points for {', '.join(waiting)}, up to {_number(sum(waiting.values()))}, which wait to be "
            "graded by hand. Add them there."
        )
    return lines + ([f"Flagged, so look at these before you upload: {'; '.join(flagged)}."] if flagged else [])


# ---- Gradescope ----


def gradescope(result: Result) -> dict[str, Any]:
    """A submission's result in the form of Gradescope's `results.json`.

    Students see it when the grades are published. All text is shown as it is, never as HTML. A text that waits for a
    person is named in the output and is no test, since nothing says how a test without points and status is shown.

    Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/ (fields, formats, visibility, status).
    """
    waiting = [one for one in result.graded if one.state == "by hand"]
    said = [as_text(problem) for problem in result.problems]
    if waiting:
        texts = ", ".join(f"{one.name} ({_number(one.max_points)} points)" for one in waiting)
        said.append(f"Graded by hand, and not in this score: {texts}.")
    tests = [
        {
            "name": one.name,
            "score": one.points,
            "max_score": one.max_points,
            "status": "passed" if one.points >= one.max_points else "failed",
            "output": _readable("\n".join(as_text(text) for text in (one.message, *one.notes) if text)),
            "output_format": "text",
            "visibility": "after_published",
        }
        for one in result.graded
        if one.state != "by hand"
    ]
    return {
        "score": result.score,
        "output": _readable("\n".join(said)),
        "output_format": "text",  # what stands there otherwise renders HTML
        "visibility": "after_published",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


# ---- all of them ----


def write(
    lesson: str,
    course: Path,
    canvas: Path | None = None,
    moodle: Path | None = None,
    gradescope_folder: Path | None = None,
    column: str | None = None,
) -> list[str]:
    """Write a lesson's results as a table, and into what else is named; gives lines to print.

    The table is `grades/LESSON.csv` in `course`. A filled sheet is written beside the one that is given, as
    `NAME-LESSON-filled.csv`. Of Gradescope's there is `STUDENT/results.json` for each submission: what an autograder
    there has to leave as `/autograder/results/results.json`.

    Raises:
        ExportError: there are no results, or a file cannot be read, filled or written. All are made before one is
            written, and each is written whole.
    """
    results = Store(course / "results").all(lesson)
    if not results:
        raise ExportError(
            f"There are no results of {plain(lesson)} in {course / 'results'}, and exports are made of these. Run "
            f"`python course.py grade {plain(lesson)} --submissions FOLDER` first."
        )
    table = course / "grades" / f"{lesson}.csv"
    texts, lines = {table: csv_table(results)}, [f"table: {table}"]
    filled = []
    if canvas:
        filled.append((canvas, *fill_canvas(_read(canvas), results, column)))
    if moodle:
        filled.append((moodle, *fill_moodle(_read(moodle), results)))
    for path, text, said in filled:
        target = path.with_name(f"{path.stem}-{lesson}-filled.csv")
        texts[target] = text
        lines += [f"{path.name}, filled: {target}", *(f"  {line}" for line in said)]
    if gradescope_folder:
        for result in results:
            path = gradescope_folder / file_name(result.student) / "results.json"
            texts[path] = json.dumps(gradescope(result), ensure_ascii=False, indent=1) + "\n"
        lines.append(f"Gradescope, {_count(len(results), 'submission')}: {gradescope_folder}/STUDENT/results.json")
        lines += [f"  {line}" for line in _notes(results)]
    for path, text in texts.items():
        try:
            files.write(path, text)
        except OSError as error:
            raise ExportError(
                f"{path} cannot be written: {error.strerror}. What was there is as it was. Name a place where you may "
                "write and that has room, and give the same command again."
            ) from None
    return lines


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror}. Name the file that you downloaded.") from None
    except UnicodeDecodeError:
        raise ExportError(
            f"{path} is not UTF-8, in which Canvas and Moodle write: another program has saved it, and letters may be "
            "lost. Give the file as it was downloaded."
        ) from None


# ---- texts and numbers ----


def plain(text: str) -> str:
    """A text of somebody else's on one line, without what steers a terminal or turns the writing around."""
    return "".join(" " if c.isspace() else c if c.isprintable() or c in "\u200c\u200d" else "�" for c in text)


def _readable(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))


def _no_formula(text: str) -> str:
    text = plain(text)
    return text if NUMBER.fullmatch(text) else FORMULA.sub(r"\1\2'", text)


def _number(value: float) -> str:
    """A number with the digits that it needs, five after the point at most, which is what Moodle keeps."""
    return f"{value:.5f}".rstrip("0").rstrip(".")


def _value(text: str) -> float | None:
    """The number that a text is, with a point or a comma in it; none where it is no number."""
    return float(text.replace(",", ".")) if NUMBER.fullmatch(text) else None


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _columns(results: Iterable[Result]) -> dict[str, Graded]:
    """Everything that was graded, by name: results of before a lesson was changed may hold something else."""
    return {one.name: one for r in results for one in r.graded}


def _all_points(result: Result) -> float:
    """The most points there are, those for texts included."""
    return sum(one.max_points for one in result.graded)


def _key(text: str) -> str:
    """A name as it is compared: folders of a Mac spell accents in two letters."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _letters(name: str) -> list[str]:
    """The letters of a name whatever its order, which is all that the names of downloads keep."""
    return sorted(letter for letter in unicodedata.normalize("NFKD", name.casefold()) if letter.isalpha())


def _words(title: str) -> list[str]:
    """The words and numbers of a title: 2 and 02 are the same, and a sign is none."""
    found = re.findall(r"(\d+)|([^\W\d_]+)", title.casefold())
    return [str(int(number)) if number else word for number, word in found]


def _holds(words: list[str], wanted: list[str]) -> bool:
    return any(words[k : k + len(wanted)] == wanted for k in range(len(words)))
