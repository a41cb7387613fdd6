"""What is kept of a student's work: where, by whom, and what becomes of a file that cannot be used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import exercises, frontend, plan, progress_store
from helpers.checks import check, grade, hint, solution
from helpers.quiz.questions import find
from helpers.quiz.quiz import Quiz

ROOT = Path(__file__).parents[1]


@pytest.fixture
def clock(monkeypatch):
    """The time, which a test sets by `clock[0] = ...`."""
    now = [1_000_000.0]
    monkeypatch.setattr(progress_store.time, "time", lambda: now[0])
    return now


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The folder of a course's notebooks; somebody works in its lesson 02."""
    folder = tmp_path / "notebooks"
    for lesson in ("02_overlap", "04_convolution"):
        (folder / lesson).mkdir(parents=True)
    monkeypatch.chdir(folder / "02_overlap")
    monkeypatch.setattr(frontend, "is_interactive", lambda: True)
    monkeypatch.setattr(progress_store, "_failure", "")
    return folder


def kept(folder, lesson="02_overlap"):
    return json.loads((folder / "progress" / f"{lesson}.json").read_text(encoding="utf-8"))


def dice(pred, target):
    return exercises.load("dice").reference(pred, target)


def test_a_check_is_kept_and_the_latest_verdict_counts(course):
    for answer, status in (
        (dice, "passed"),
        (lambda pred, target: 0.5, "wrong"),
        (lambda pred, target: 1 / 0, "error"),
    ):
        check("dice", answer)
        assert kept(course)["checks"] == {"dice": status}
    found, said = progress_store.read(course)
    assert (found.checks, found.quizzes, said) == ({"dice": "error"}, {}, [])


def test_practice_in_another_lesson_is_no_verdict(course, monkeypatch):
    monkeypatch.chdir(course / "04_convolution")
    check("dice", lambda pred, target: 0.5)
    assert "checks" not in kept(course, "04_convolution")
    assert not (course / "progress" / "02_overlap.json").exists()


def test_what_was_asked_for_is_kept_by_exercise_and_how_far(course, monkeypatch):
    for name in ("dice", "iou", "mean_iou"):
        monkeypatch.setattr(exercises.load(name), "attempt", exercises.Attempt())
    hint("dice", 2)
    hint("dice", 1)
    hint("iou")
    solution("dice")  # it is closed
    assert kept(course)["helps"] == {"dice": {"hints": 2}, "iou": {"hints": 1}}
    check("dice", dice)
    solution("dice")
    assert progress_store.read(course)[0].helps == {"dice": {"hints": 2, "solution": 1}, "iou": {"hints": 1}}
    monkeypatch.chdir(course / "04_convolution")
    hint("mean_iou")
    assert "helps" not in kept(course, "04_convolution")


def test_a_practice_question_once_right_stays_right(course):
    asked = Quiz(find("dice-or-iou"))
    asked.answer("b")
    assert kept(course)["quizzes"] == {"dice-or-iou": False}
    asked.answer("c")
    asked.answer("b")
    assert kept(course)["quizzes"] == {"dice-or-iou": True}


def test_of_a_graded_answer_nothing_but_the_time_is_kept_here(course):
    Quiz(find("dice-from-counts")).answer(0.5)
    assert set(kept(course)) == {"last"}
    assert json.loads((course / "02_overlap" / "answers.json").read_text()) == {"dice-from-counts": "0.5"}


def test_a_gap_is_counted_once_where_much_is_done_in_a_tenth_of_a_second(course, clock):
    (course / "progress").mkdir()
    (course / "progress" / "04_convolution.json").write_text(json.dumps({"last": clock[0] - 300}))
    for later in (0.06, 0.07, 0.08):
        clock[0] = 1_000_000.0 + later
        progress_store.note_time()
    assert kept(course)["seconds"] == pytest.approx(300, abs=1)


def test_time_is_the_gaps_between_what_is_done_without_pauses(course, clock, monkeypatch):
    progress_store.note_time()
    assert progress_store.read(course)[0].seconds == {"02_overlap": 0.0}
    clock[0] += 240
    progress_store.note_quiz("dice-or-iou", True)
    clock[0] += progress_store.PAUSE_S + 1  # lunch
    progress_store.note_check("dice", "02_overlap", "passed")
    clock[0] -= 3600  # the clock was set back
    progress_store.note_time()
    clock[0] += 60
    monkeypatch.chdir(course / "04_convolution")
    progress_store.note_time()
    clock[0] += 30
    monkeypatch.chdir(course / "02_overlap")
    progress_store.note_time()  # no second is counted twice, though both lessons are open
    assert progress_store.read(course)[0].seconds == {"02_overlap": 270.0, "04_convolution": 60.0}


@pytest.mark.parametrize("place", ["mine", "course/autograded/ana/02_overlap", "course/source/02_overlap", "course"])
def test_outside_the_course_nothing_is_written(tmp_path, monkeypatch, place):
    monkeypatch.setattr(frontend, "is_interactive", lambda: True)
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "nbgrader_config.py").touch()
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / place)
    check(dice)
    Quiz(find("dice-or-iou")).answer("c")
    assert progress_store.place() is None
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["nbgrader_config.py"]


@pytest.mark.parametrize(
    ("here", "lesson"), [("02_overlap", "02_overlap"), ("glossary", "glossary"), ("", ""), ("02_overlap/deeper", None)]
)
def test_the_place_of_a_lesson_is_known_by_the_lessons_around_it(course, monkeypatch, here, lesson):
    (course / here).mkdir(exist_ok=True)
    monkeypatch.chdir(course / here)
    assert progress_store.place() == (None if lesson is None else (course, lesson))


def test_the_hidden_check_and_a_run_without_anybody_there_write_nothing(course, monkeypatch):
    grade("dice", dice)
    monkeypatch.setattr(frontend, "is_interactive", lambda: False)
    check(dice)
    Quiz(find("dice-or-iou")).answer("c")
    assert sorted(path.name for path in course.iterdir()) == ["02_overlap", "04_convolution"]


@pytest.mark.parametrize(
    "content", ['{"checks": {"dice": "pas', "[]", '{"checks": []}', "\xff\x00", "[" * 100_000, ""], ids=range(6)
)
def test_a_file_that_cannot_be_used_is_said_and_put_aside(course, content):
    path = course / "progress" / "02_overlap.json"
    path.parent.mkdir()
    path.write_text(content, encoding="latin-1")
    (path.parent / "01_pixels.json").write_text('{"checks": {"to_tensor": "passed"}}')
    found, (said,) = progress_store.read(course)
    assert found.checks == {"to_tensor": "passed"}
    assert said.startswith("progress/02_overlap.json ")
    check(dice)
    assert path.with_suffix(".unreadable").read_text(encoding="latin-1") == content
    found, (said,) = progress_store.read(course)
    assert found.checks == {"to_tensor": "passed", "dice": "passed"}
    assert said.startswith("progress/02_overlap.unreadable could not be read")
    path.with_suffix(".unreadable").unlink()
    assert progress_store.read(course)[1] == []


def test_unknown_keys_and_odd_values_stay_and_do_no_harm(course, clock):
    odd = {
        "from": "a later version",
        "checks": {"gone": "passed", "dice": 3},
        "quizzes": {"x": "yes"},
        "helps": {"dice": "many", "iou": {"hints": "two"}},
        "seconds": float("nan"),
        "last": "today",
    }
    (course / "progress").mkdir()
    (course / "progress" / "02_overlap.json").write_text(json.dumps(odd))
    helps = {"dice": {}, "iou": {"hints": 0}}
    record = progress_store.Record({"gone": "passed"}, {}, {"02_overlap": 0.0}, helps)
    assert progress_store.read(course) == (record, [])
    progress_store.note_check("iou", "02_overlap", "passed")
    clock[0] += 10
    progress_store.note_time()
    now = kept(course)
    assert now["from"] == "a later version"
    assert now["checks"] == {"gone": "passed", "dice": 3, "iou": "passed"}
    assert now["seconds"] == 10


def test_a_question_asked_in_two_lessons_is_right_when_it_was_right_in_one(course, monkeypatch):
    progress_store.note_quiz("dice-or-iou", True)
    monkeypatch.chdir(course / "04_convolution")
    progress_store.note_quiz("dice-or-iou", False)
    assert progress_store.read(course)[0].quizzes == {"dice-or-iou": True}


def test_a_disk_that_is_full_is_said_and_checks_go_on(course, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    progress_store.note_check("iou", "02_overlap", "passed")
    before = kept(course)
    with monkeypatch.context() as patched:
        patched.setattr(progress_store, "atomic_write", full)
        assert check(dice) == 3
        (said,) = progress_store.read(course)[1]
    assert said == "What you did last could not be kept in progress/02_overlap.json: No space left on device."
    assert kept(course) == before
    check(dice)
    assert progress_store.read(course)[1] == []


def test_two_notebooks_at_once_lose_nothing_of_each_other(course):
    code = """
import sys
from helpers import frontend, progress_store
frontend.is_interactive = lambda: True
for k in range(60):
    assert not progress_store.note_quiz(f"{sys.argv[1]}-{k}", True)
"""
    lessons = ("02_overlap", "04_convolution")
    running = [subprocess.Popen([sys.executable, "-c", code, lesson], cwd=course / lesson) for lesson in lessons]
    assert [process.wait(60) for process in running] == [0, 0]
    assert set(progress_store.read(course)[0].quizzes) == {f"{lesson}-{k}" for lesson in lessons for k in range(60)}


def test_a_deleted_working_directory_is_nowhere(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert progress_store.place() is None


def test_the_record_is_kept_out_of_git():
    assert "/notebooks/progress/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


# ---- a course begun before its lessons were renumbered ----


@pytest.fixture
def old(course):
    """What was done in lesson 04 while it was called 03; somebody works in the new one."""
    done = {"checks": {"conv2d": "passed", "conv_output_size": "wrong"}, "quizzes": {"a": True, "b": False}}
    (course / "progress").mkdir()
    (course / "progress" / "03_convolution.json").write_text(json.dumps({**done, "seconds": 600, "last": 999_990}))
    return done


def test_old_progress_counts_under_the_new_name(course, old):
    assert progress_store.read(course) == (progress_store.Record(**old, seconds={"04_convolution": 600.0}), [])


@pytest.mark.parametrize("here", ["04_convolution", "03_convolution"])
def test_new_work_goes_to_the_new_name_and_adds_to_the_old(course, old, clock, monkeypatch, here):
    before = (course / "progress" / "03_convolution.json").read_text()
    (course / here).mkdir(exist_ok=True)
    monkeypatch.chdir(course / here)
    assert progress_store.place() == (course, "04_convolution")
    progress_store.note_check("conv_output_size", "04_convolution", "passed")
    progress_store.note_check("conv2d", "04_convolution", "error")
    progress_store.note_quiz("a", False)
    clock[0] += 60
    progress_store.note_quiz("b", True)
    record, said = progress_store.read(course)
    assert record.checks == {"conv2d": "error", "conv_output_size": "passed"}  # the latest counts
    assert record.quizzes == {"a": True, "b": True}  # once right stays right
    assert record.seconds == {"04_convolution": 670.0}  # 600 s, 10 s since then, and 60 s
    assert said == []
    assert (course / "progress" / "03_convolution.json").read_text() == before


def test_a_course_of_old_folders_alone_is_a_course(tmp_path, monkeypatch):
    (tmp_path / "11_project").mkdir()
    monkeypatch.chdir(tmp_path / "11_project")
    assert progress_store.place() == (tmp_path, "13_project")


def test_old_progress_that_cannot_be_read_is_said_truly(course, old):
    (course / "progress" / "03_convolution.json").write_text("{")
    assert progress_store.read(course)[1] == ["progress/03_convolution.json cannot be read (JSONDecodeError)."]


def test_every_old_name_has_one_lesson_of_the_plan():
    names = [lesson["lesson"] for lesson in plan.lessons()]
    assert set(plan.RENAMED.values()) <= set(names)
    assert len(set(plan.RENAMED.values())) == len(plan.RENAMED)
    assert not set(plan.RENAMED) & set(names)
    assert all(old < new for old, new in plan.RENAMED.items())  # `read` relies on it: the older file comes first
