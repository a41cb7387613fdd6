"""The hostile class, graded: who gets what, that nobody stops anybody else, and that nothing of theirs is live."""

import json
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from autograde.grade import feedback_page
from autograde.nbgrader_course import api
from autograde.results import Store, file_name
from tests.hostile import denial, honest, reading
from tests.hostile.folder import CASES, lessons
from tests.hostile.graded import course_in, read_outcome
from tests.hostile.ways import WAYS, NotHere, grade_as

# What depends on who grades, and where: all that tries the kernel's walls, and some of all lessons that is right.
RIGHT = [case for case in honest.CASES if case.name.startswith("all of lesson") or "thread" in case.name]
ELSEWHERE = [case for case in (*denial.CASES, *reading.CASES, *RIGHT) if not case.slow]
# On an older Linux each submission has a process of its own, which takes four times as long.
BEHIND_NAMESPACES = [case for case in (*denial.WALLED, *reading.CASES, *RIGHT) if not case.slow]
QUICK = [case for case in CASES if not case.slow]  # `python -m tests.hostile` grades the others, too
BY_NAME = {case.name: case for case in QUICK}
LONGEST = 1800.0  # seconds for the whole class, on two processors that have more to do


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder with a fresh course, in which the whole class has been graded."""
    folder = tmp_path_factory.mktemp("hostile")
    course_in(folder, QUICK)
    done = grade_as("", folder, list(BY_NAME))
    (folder / "screen").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def outcome(place):
    return read_outcome(place)


def results_in(place: Path) -> Iterator:
    for lesson in lessons(QUICK):
        yield from Store(place / "course" / "results").all(lesson)


@pytest.mark.parametrize("name", BY_NAME)
def test_each_gets_what_it_must(outcome, name):
    case = BY_NAME[name]
    assert name not in outcome.stopped, outcome.stopped[name]
    for exercise in case.expected:
        points, state = outcome.of(case, exercise)
        said = outcome.said.get(name, {}).get(exercise)
        assert state in case.expected[exercise], (exercise, state, said)
        assert points == case.points(exercise), (exercise, points, said)


def test_nobody_stops_the_others(outcome):
    assert outcome.stopped == {}
    assert outcome.got.keys() == BY_NAME.keys()


def test_the_class_ends_in_reasonable_time(outcome):
    assert sum(outcome.seconds.values()) < LONGEST, outcome.seconds


def test_nothing_of_theirs_steers_the_terminal(place):
    shown = (place / "screen").read_text()
    assert {letter for letter in shown if not letter.isprintable()} <= {"\n"}
    assert "Traceback" not in shown
    assert "Warning" not in shown


def test_the_gradebook_holds_the_same(place):
    for lesson in lessons(QUICK):
        with api(place / "course").gradebook as book:
            found = {
                (submission.student.id, grade.name): (grade.auto_score, grade.manual_score)
                for submission in book.assignment_submissions(lesson)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
        kept = Store(place / "course" / "results").all(lesson)
        for result in kept:
            for one in result.graded:
                if one.kind == "exercise":
                    assert found[file_name(result.student), f"check-{one.name}"] == (one.points, None), result.student
        assert len({student for student, _ in found}) == len(kept) == sum(case.lesson == lesson for case in QUICK)


class Live(HTMLParser):
    """Notes what of a page could run, load or lead somewhere."""

    TAGS = {"script", "iframe", "object", "embed", "form", "base", "link", "frame", "applet", "video", "audio", "math"}

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found += [(tag, "")] if tag in self.TAGS else []
        for name, value in attributes:
            leads = name in ("src", "href", "action", "data", "xlink:href") and not (value or "").startswith(
                ("#", "data:image/", "../feedback/")
            )
            if leads or name.startswith("on") or name == "srcdoc":
                self.found.append((tag, f"{name}={value}"))


def test_no_page_of_theirs_is_live(place):
    for result in results_in(place):
        page = feedback_page(place / "course", result.lesson, result.student).read_text(encoding="utf-8")
        assert Live(page).found == [], result.student
    for report in (place / "course" / "reports").glob("*.html"):
        assert Live(report.read_text(encoding="utf-8")).found == [], report.name


def test_nothing_is_live_in_what_the_form_grader_shows(place):
    for result in results_in(place):
        notebook = nbformat.read(
            place / "course" / "autograded" / file_name(result.student) / result.lesson / f"{result.lesson}.ipynb", 4
        )
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                assert output.output_type == "display_data"
                assert Live(output.data.get("text/html", "")).found == [], result.student
            if cell.cell_type == "markdown":
                assert "alert(1)" not in cell.source or "<script" not in cell.source, result.student


def test_only_the_class_is_in_the_course(place):
    """No file has got out of the folders that are meant for it, and none of the class's has come back changed."""
    lost = [path for folder in (place, *place.parents[:1]) for path in folder.glob("hostile.py")]
    assert lost == []
    for result in results_in(place):
        kept = place / "course" / "results" / result.lesson / f"{file_name(result.student)}.json"
        assert json.loads(kept.read_text())["student"] == result.student


@pytest.fixture
def open_folder():
    """A folder in which others may go, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="hostile-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_same_for_others(way, open_folder):
    """As an ordinary user, as in a container, as on an older Linux."""
    folder, cases = open_folder, BEHIND_NAMESPACES if way == "older" else ELSEWHERE
    course_in(folder, cases)
    try:
        done = grade_as(way, folder, [case.name for case in cases])
    except NotHere as why:
        pytest.skip(str(why))
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = read_outcome(folder)
    assert outcome.stopped == {}
    assert [(name, outcome.got.get(name)) for name in outcome.differing(cases)] == []
