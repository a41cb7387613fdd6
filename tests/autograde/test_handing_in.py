"""What students really hand in gets full points: the file that `submit()` makes, and notebooks as Colab saves them."""

import json
import shutil
import zipfile

import pytest

from autograde import answer_keys, grade
from autograde.intake import collect
from autograde.judge import judge_lesson
from autograde.sandbox.locked import Warm
from autograde.worker import points
from helpers import plan
from helpers.checks.program import Cell
from helpers.quiz import answers
from tests.student import at_work, solved, texts

LESSON = "02_overlap"
EXERCISES = set(points(LESSON)["checks"])


def full(lesson):
    """All points that are not given by hand."""
    asked = points(lesson)
    return sum(asked["checks"].values()) + sum(asked["graded"].values())


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """What `submit()` has made: of a saved notebook, and of one that cannot be reached."""
    made = {}
    for name, is_saved in (("saved", True), ("ran", False)):
        folder = tmp_path_factory.mktemp(name) / LESSON
        folder.mkdir()
        (folder / answers.FILE).write_text(json.dumps(answer_keys.answers_of(LESSON)))
        if is_saved:
            (folder / f"{LESSON}.ipynb").write_text(json.dumps(solved(LESSON)))
        with at_work(folder) as ana:
            for text in texts(solved(LESSON), EXERCISES):
                ana.run(text)
            said = ana.run("from helpers import submit\nsubmit()")
        assert "Nothing in it is unanswered, and nothing is known wrong." in said
        made[name] = folder / f"{LESSON}-ana.zip"
    return made


def in_all_forms(place, file, who):
    """Put what `submit()` has made into each form of a class, and return what its students are called."""
    forms = {
        f"{LESSON}-{who}0.zip": f"{who}0",
        f"{LESSON}-{who}1 (1).zip": f"{who}1",  # as a browser calls a second one
        f"{who}2/{file.name}": f"{who}2",
        f"{who}3_12345_678901_{file.name}": f"{who}3_12345",  # Canvas
        f"{who}4_12345_assignsubmission_file/{file.name}": f"{who}4_12345",  # Moodle
    }
    for path in forms:
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place / path)
    return [*forms.values()]


def test_the_file_of_submit_has_full_points_in_each_form(handed_in, course, tmp_path):
    students = [*in_all_forms(tmp_path / "in", handed_in["saved"], "ana")]
    students += in_all_forms(tmp_path / "in", handed_in["ran"], "ben")
    results = grade.grade_class(LESSON, tmp_path / "in", course, workers=1, look=False)
    assert {one.student: one.score for one in results} == dict.fromkeys(students, full(LESSON))


@pytest.mark.parametrize("how", ["saved", "ran"])
@pytest.mark.parametrize("member", ["ana_12345_678901_{}", "Ana B_12345_assignsubmission_file/{}", "ana/{}", "{}"])
def test_it_is_read_in_what_a_platform_zips(handed_in, tmp_path, member, how):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.write(handed_in[how], member.format(handed_in[how].name))
        archive.writestr("ben_12346_678902_nothing.txt", "")
    with collect(tmp_path / "class.zip", LESSON) as found:
        one = next(one for one in found if not one.student.startswith("ben")).read()
    assert one.student.casefold().startswith("ana")
    assert (one.problem, one.notes) == ("", ())
    assert one.answers == answer_keys.answers_of(LESSON)


def test_other_names_with_a_lesson_in_them_stay_as_they_are(handed_in, tmp_path):
    shutil.copytree(handed_in["saved"].parent, tmp_path / "02_overlap-eva")
    shutil.copy(handed_in["saved"], tmp_path / "exam-02_overlap-ana.zip")
    with collect(tmp_path, LESSON) as found:
        assert [one.student for one in found] == ["02_overlap-eva", "exam-02_overlap-ana"]


def as_colab_saves(notebook, keeps_marks):
    """The notebook in version 4.0 of the format, whose cells have no id but what Colab puts into their metadata."""
    cells = []
    for k, cell in enumerate(notebook["cells"]):
        marks = {"id": cell["id"], **cell["metadata"]} if keeps_marks else {"id": f"aB{k:010d}"}
        kept = {"cell_type": cell["cell_type"], "source": "".join(cell["source"]).splitlines(True), "metadata": marks}
        cells.append(kept | ({"execution_count": k, "outputs": []} if cell["cell_type"] == "code" else {}))
    metadata = {
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": metadata, "cells": cells}


@pytest.fixture(scope="module")
def warm():
    with Warm() as warm:
        yield warm


GRADED = [one["lesson"] for one in plan.lessons() if one["checks"] or one["graded"]]


@pytest.mark.parametrize("lesson", GRADED)
@pytest.mark.parametrize("keeps_marks", [True, False], ids=["kept", "gone"])
def test_a_notebook_as_colab_saves_it_has_full_points(warm, tmp_path, lesson, keeps_marks):
    folder = tmp_path / "ana"
    folder.mkdir()
    notebook = as_colab_saves(solved(lesson), keeps_marks)
    (folder / f"Copy of {lesson}.ipynb").write_text(json.dumps(notebook))
    (folder / "answers (1).json").write_text(json.dumps(answer_keys.answers_of(lesson)))
    with collect(tmp_path, lesson) as (one,):
        found = one.read()
    assert (found.problem, found.answers) == ("", answer_keys.answers_of(lesson))
    cells = tuple(Cell(cell.name, cell.source) for cell in found.cells if cell.kind == "code")
    judged = judge_lesson(lesson, cells, 0, warm)
    assert {name: one.verdict.points for name, one in judged.items()} == points(lesson)["checks"]
