"""What `progress()` shows: the record and the answers, held against the plan."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

from helpers import plan, progress, progress_store

DONE = {
    "01_pixels": {"checks": {"to_tensor": "error", "one_hot": "not attempted"}, "seconds": 65 * 60},
    "02_overlap": {
        "checks": {"pixel_accuracy": "passed", "iou": "passed", "dice": "wrong", "gone": "passed"},
        "quizzes": {"iou-by-hand": True, "dice-or-iou": False, "gone": True},
        "seconds": 1500.0,
    },
    "99_gone": {"seconds": 10.0},
}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The course's own plan, an empty record, and somebody in lesson 02."""
    folder = tmp_path / "notebooks"
    (folder / "02_overlap").mkdir(parents=True)
    monkeypatch.chdir(folder / "02_overlap")
    monkeypatch.setattr(progress_store, "_failure", "")
    return folder


def keep(course, lessons):
    """Put this on record, and nothing else."""
    folder = course / "progress"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for lesson, kept in lessons.items():
        (folder / f"{lesson}.json").write_text(json.dumps(kept))


@pytest.fixture
def begun(course):
    keep(course, DONE)
    (course / "02_overlap" / "answers.json").write_text('{"dice-from-counts": "0.5", "of-another-course": "a"}')
    return course


def row(shown, title):
    """The cells of a lesson's row in the text."""
    (line,) = [line for line in repr(shown).splitlines() if line.startswith(title)]
    return re.split(r"  +", line)


OVERLAP = next(lesson for lesson in plan.lessons() if lesson["lesson"] == "02_overlap")
CHECKS, PRACTICE, MINUTES = len(OVERLAP["checks"]), len(OVERLAP["practice"]), OVERLAP["minutes"]
POINTS = sum(OVERLAP["checks"].values()) + sum(OVERLAP["graded"].values())


def of(shown, lesson):
    return next(x for x in shown.lessons if x.plan.lesson == lesson)


def test_a_lesson_is_counted_by_what_stands_now(begun):
    cells = row(progress(), "02 · Overlap")
    practice, points = f"2 of {PRACTICE}, 1 right", f"4 of {POINTS}"
    assert cells[1:] == [f"2 of {CHECKS}", practice, "1 of 2", points, f"25 of {MINUTES}", "dice: wrong"]
    assert row(progress(), "01 · Pixels")[-3:] == ["0 of 18", "65 of 55", "to_tensor: error"]
    assert row(progress(), "13 · Project")[1] == "–"


def test_a_check_that_passed_and_now_fails_does_not_count(begun):
    assert of(progress(), "02_overlap").points == 4
    keep(begun, {"02_overlap": {"checks": {"pixel_accuracy": "passed", "iou": "wrong"}}})
    lesson = of(progress(), "02_overlap")
    assert (lesson.points, lesson.passed, lesson.failing) == (1, ["pixel_accuracy"], {"iou": "wrong"})


def test_the_whole_course_is_summed_up(begun):
    lessons = plan.lessons()
    checks = sum(len(lesson["checks"]) for lesson in lessons)
    by_check = sum(sum(lesson["checks"].values()) for lesson in lessons)
    others = sum(sum(lesson[part].values()) for lesson in lessons for part in ("graded", "texts"))
    text = repr(progress())
    assert f"2 of {checks} passed here" in text
    assert f"2 of {sum(len(x['practice']) for x in lessons)} answered, 1 right" in text
    assert f"1 of {sum(len(x['graded']) for x in lessons)} answered" in text
    assert f"4 of {by_check} for checks; {others} more are for graded questions and texts" in text
    hours, minutes = divmod(sum(lesson["minutes"] for lesson in lessons), 60)
    assert f"about 1 h 30 min of {hours} h {minutes:02d} min planned" in text


def test_it_claims_no_grade(begun):
    for said in (repr(progress()), progress().as_html()):
        assert "Passed means passed here" in said
        assert "the grade is made with what you hand in" in " ".join(said.split())


def test_what_was_asked_for_is_said_briefly_and_is_no_grade(course):
    keep(course, {"02_overlap": {"helps": {"dice": {"hints": 2, "where": 3}, "iou": {"hints": 1, "solution": 1}}}})
    for said in (repr(progress()), progress().as_html()):
        assert "You asked for 3 hints, 1 place, 1 solution. That is no part of a grade either." in said
    keep(course, {})
    assert "asked" not in repr(progress())


def test_next_is_in_this_lesson_then_in_those_after_it(begun, monkeypatch):
    assert progress().next() == "Next, in 02 · Overlap: `confusion` (not checked yet)."
    lessons = plan.lessons()
    (overlap,) = (lesson for lesson in lessons if lesson["lesson"] == "02_overlap")
    checks = dict.fromkeys(overlap["checks"], "passed")

    for verdict, said in (("wrong", "wrong"), ("error", "raises an error")):
        keep(begun, {"02_overlap": {"checks": {**checks, "dice": verdict}}})
        assert progress().next() == f"Next, in 02 · Overlap: `dice` ({said})."
    keep(begun, {"02_overlap": {"checks": checks}})
    assert progress().next() == 'Next, in 02 · Overlap: the graded question `quiz("screening-for-lesions")`.'
    (begun / "02_overlap" / "answers.json").write_text(json.dumps(dict.fromkeys(overlap["graded"], "a")))
    assert "the practice question `quiz(" in progress().next()
    keep(begun, {"02_overlap": {"checks": checks, "quizzes": dict.fromkeys(overlap["practice"], False)}})
    assert progress().next() == "Next, in 03 · Modules: `gradient_step` (not checked yet)."


def test_when_all_is_done_it_says_so_and_an_earlier_lesson_comes_last(course):
    lessons = plan.lessons()
    done = {}
    for lesson in lessons:
        checks, quizzes = dict.fromkeys(lesson["checks"], "passed"), dict.fromkeys(lesson["practice"], True)
        done[lesson["lesson"]] = {"checks": checks, "quizzes": quizzes}
        (course / lesson["lesson"]).mkdir(exist_ok=True)
        (course / lesson["lesson"] / "answers.json").write_text(json.dumps(dict.fromkeys(lesson["graded"], "a")))
    keep(course, done)
    assert progress().next().startswith("No check and no question is open.")
    done["01_pixels"]["checks"]["to_tensor"] = "wrong"
    keep(course, done)
    assert progress().next() == "Next, in 01 · Pixels: `to_tensor` (wrong)."


def test_it_says_when_it_was_made_and_stays_as_it_was(begun):
    shown = progress()
    before = repr(shown), shown.as_html()
    keep(begun, {})
    assert (repr(shown), shown.as_html()) == before
    assert f"as of {shown.made:%Y-%m-%d %H:%M:%S}. Run the cell again" in before[0]
    assert f"{shown.made:%H:%M:%S}" in before[1]
    assert f"0 of {CHECKS}" in repr(progress())


def test_text_and_page_have_the_same_facts(begun):
    shown = progress()
    page = ET.fromstring(shown._repr_html_())
    rows = ["".join(cell.itertext()).strip() for cell in page.findall(".//tbody/tr/*")]
    for line in repr(shown).splitlines():
        if " · " in line and not line.startswith("Next"):
            assert set(re.split(r"  +", line)) <= {text.removeprefix("▸ ") for text in rows} | {""}
    for _, _, _, words in shown._totals():
        assert words in repr(shown)
        assert words in rows
    assert "Next, in 02 · Overlap: confusion" in "".join(page.itertext())
    assert "Next, in 02 · Overlap: confusion" in repr(shown)


def test_the_table_can_be_read_without_eyes_and_without_colour(begun):
    page = ET.fromstring(progress().as_html())
    tables = page.findall(".//table")
    assert all(table.find("caption").text for table in tables)
    assert all(row.find("th").get("scope") == "row" for row in page.findall(".//tbody/tr"))
    assert all(head.get("scope") == "col" for head in page.findall(".//thead//th"))
    bars = [node for node in page.iter("span") if node.get("aria-hidden") == "true"]
    assert bars
    assert not any("".join(bar.itertext()) for bar in bars)
    assert not re.search(r"background:(?!currentColor)|[^-]color:(?!inherit)", progress().as_html())
    (here,) = [row for row in page.findall(".//tbody/tr") if row.get("aria-current")]
    assert "".join(here.find("th").itertext()) == "▸ 02 · Overlap"
    assert here.find(".//a").get("href") == "../02_overlap/02_overlap.ipynb"


def test_outside_the_course_it_says_so_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = progress()
    assert shown.lessons == []
    for said in (repr(shown), shown.as_html()):
        assert "Nothing is kept here" in said
    assert list(tmp_path.iterdir()) == []


def test_looking_writes_nothing(course):
    progress().as_html()
    assert not (course / "progress").exists()
    assert f"0 of {len(plan.exercises())} passed here" in repr(progress())


def test_a_truncated_record_is_one_sentence(begun):
    (begun / "progress" / "02_overlap.json").write_text(json.dumps(DONE)[:40])
    assert repr(progress()).count("progress/02_overlap.json cannot be read") == 1
    assert "<b>!</b> progress/02_overlap.json cannot be read" in progress().as_html()
    assert row(progress(), "02 · Overlap")[1] == f"0 of {CHECKS}"
    assert row(progress(), "02 · Overlap")[3] == "1 of 2"


def test_answers_that_cannot_be_read_are_one_sentence(begun):
    (begun / "02_overlap" / "answers.json").write_text('{"dice-from')
    assert "! 02 · Overlap: 02_overlap/answers.json cannot be read" in repr(progress())
    assert row(progress(), "02 · Overlap")[3] == "0 of 2"


def test_from_the_folder_of_all_lessons_no_lesson_is_this_one(begun, monkeypatch):
    monkeypatch.chdir(begun)
    page = ET.fromstring(progress().as_html())
    assert not page.findall(".//a")
    assert not [row for row in page.iter("tr") if row.get("aria-current")]
    assert progress().next() == 'Next, in 00 · Start here: the graded question `quiz("roofs-from-above")`.'


def test_work_under_a_lesson_s_old_name_is_shown_under_the_new_one(course):
    keep(course, {"03_convolution": {"checks": {"conv2d": "passed"}, "seconds": 600}})
    graded = next(iter(next(x for x in plan.lessons() if x["lesson"] == "04_convolution")["graded"]))
    (course / "03_convolution").mkdir()
    (course / "03_convolution" / "answers.json").write_text(json.dumps({graded: "a"}))
    lesson = of(progress(), "04_convolution")
    assert (lesson.passed, lesson.answered, lesson.minutes) == (["conv2d"], [graded], 10.0)
    assert not (course / "04_convolution").exists()
