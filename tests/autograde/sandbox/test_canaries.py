"""What is secret is in no byte that a student's process can read, nor on anybody's page."""

import shutil
from pathlib import Path

import pytest

from autograde import answer_keys, build, grade
from autograde.answer_keys import KEYS
from autograde.judge import modules_before
from autograde.nbgrader_course import ROOT, api
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import Warm
from helpers import exercises
from tests.autograde.test_grade import LESSON, RIGHT_DICE, RIGHT_IOU, hand_in, notebook_of

# Finds halves of words joined to words: in files from these folders on, in all that Python holds, in its environment.
LOOK = """
import gc, os
def look(folders, halves):
    words = {(a + b).encode() for a, b in halves}
    found = set()
    def see(where, data):
        found.update((where, word.decode()) for word in words if word in data)
    for folder in (*folders, "/proc/self", "/tmp", os.getcwd()):
        for place, inner, names in os.walk(folder):
            inner[:] = [name for name in inner if name not in (".venv", ".git", "task")]
            for name in names:
                try:
                    with open(os.path.join(place, name), "rb") as file:
                        see(os.path.join(place, name), file.read(4_000_000))
                except (OSError, ValueError):
                    pass
    see("environment", repr(os.environ).encode())
    for thing in gc.get_objects():
        held = list(thing.values()) if type(thing) is dict else thing if type(thing) in (list, tuple) else []
        for one in (*held, getattr(thing, "__doc__", None)):
            if type(one) is str:
                see("memory", one.encode(errors="replace"))
            elif type(one) is bytes:
                see("memory", one)
    return sorted(found)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A course with a canary in its keys, in its gradebook and in a submission, in which two are graded."""
    place = tmp_path_factory.mktemp("canaries")
    shutil.copytree(KEYS, place / "keys")
    with (place / "keys" / f"{LESSON}.yaml").open("a") as file:
        file.write("\n# canary-in-keys\n")
    course = place / "course"
    build.student_versions([LESSON], course, place / "keys")
    with api(course).gradebook as book:
        book.update_or_create_student("canary-in-gradebook")
    hand_in(place / "in", "ana", notebook_of(course, RIGHT_IOU, f"{RIGHT_DICE}\n# canary-in-submission"))
    hand_in(place / "in", "bo", notebook_of(course, RIGHT_IOU, "def dice(a, b):\n    return 0.5"))
    grade.grade_class(LESSON, place / "in", course, workers=1, keys_folder=place / "keys")
    return place


def secrets() -> list[str]:
    """Canaries, and what only exercises and keys hold."""
    sentence = exercises.load("dice").misconceptions[0].sentence
    why = answer_keys.load(LESSON)["screening-for-lesions"]["why"]["b"]
    return ["canary-in-keys", "canary-in-gradebook", "canary-in-submission", sentence[:40], why[:40]]


def found_by_an_answer(place: Path, words: list[str]) -> list[tuple[str, str]]:
    halves = [(word[:5], word[5:]) for word in words]
    with (
        Warm() as warm,
        warm.start("look", [(LOOK, "look", 1)], modules_before("dice"), Limits(), guarded=False) as subject,
    ):
        subject.begin()
        # By name, too: a folder that may not be listed may have a part that may.
        inner = [
            ROOT,
            KEYS,
            ROOT / "autograde",
            *(path for path in (ROOT / "helpers").iterdir() if path.is_dir()),
            place,
        ]
        folders = [*map(str, inner), *(str(path) for path in place.rglob("*") if path.is_dir())]
        value = subject.call((folders, halves), {}).value
    assert isinstance(value, list), value
    return [tuple(pair) for pair in value]


def test_no_secret_can_be_read_where_answers_run(place):
    assert found_by_an_answer(place, secrets()) == []


def test_what_can_be_read_there_is_found(place):
    """Or the test above shows nothing."""
    found = found_by_an_answer(place, ["The narrow door through which a check sees"])
    assert any(where.endswith("subject.py") for where, _ in found)


def test_no_page_holds_what_is_not_the_students(place):
    for page in (place / "course" / "feedback").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "canary-in-keys" not in text
        assert "canary-in-gradebook" not in text
        assert ("canary-in-submission" in text) <= ("/ana/" in str(page))
