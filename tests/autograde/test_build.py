"""Lessons to notebooks."""

import base64
import json
import re

import nbformat
import pytest

from autograde import build, build_cache
from autograde.nbgrader_course import api
from helpers import exercises

LESSONS = build_cache.lesson_names()


@pytest.fixture(scope="session")
def released(course):
    return {n: nbformat.read(course / "notebooks" / n / f"{n}.ipynb", as_version=4) for n in LESSONS}


def exercises_in(notebook):
    written = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution") and c.cell_type == "code"]
    return [c.metadata.nbgrader.grade_id for c in written]


def test_committed_notebooks_are_what_a_build_makes(course):
    for lesson in LESSONS:
        built = (course / "notebooks" / lesson / f"{lesson}.ipynb").read_bytes()
        assert (build.NOTEBOOKS / lesson / f"{lesson}.ipynb").read_bytes() == built, "run `python course.py build`"
    assert build.PLAN.read_bytes() == (course / "plan.json").read_bytes(), "run `python course.py build`"


def test_the_plan_is_what_the_notebooks_ask_for(course, released):
    plan = json.loads((course / "plan.json").read_text(encoding="utf-8"))["lessons"]
    assert [planned["lesson"] for planned in plan] == [name for name in LESSONS if name != "glossary"]
    for planned in plan:
        cells = released[planned["lesson"]].cells
        assert cells[0].source.startswith(f"# {planned['title']}")
        assert f"{planned['minutes']} minutes" in cells[0].source
        assert planned["checks"] == {
            name: exercises.load(name).points for name in exercises_in(released[planned["lesson"]])
        }
        asked = {name for cell in cells for name in re.findall(r'^quiz\("(.+?)"\)$', cell.source, flags=re.MULTILINE)}
        assert {*planned["practice"], *planned["graded"]} == asked
        points = sum(c.metadata.nbgrader.points for c in cells if c.metadata.get("nbgrader", {}).get("grade"))
        assert sum(sum(planned[part].values()) for part in ("checks", "graded", "texts")) == points


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_imports_helpers_before_torch(released, lesson):
    """How threads wait is settled when torch is loaded; spinning ones made a step 15 times slower beside other work."""
    code = [cell.source for cell in released[lesson].cells if cell.cell_type == "code"]
    assert "\nfrom helpers import " in code[0]
    assert not re.search("import torch|from torch", code[0])


SCRIPT = """# %% [markdown]
# # 99 · A lesson
#
# ![A micrograph](pictures/start.png)

# %%
import torch

Encoder = earlier("Encoder")

# %% folded="Draw noise"
show.images([("noise", torch.rand(8, 8))])

# %%
import math; print(math.pi)
"""


def test_what_only_imports_and_what_is_marked_is_folded(tmp_path):
    (tmp_path / "99_lesson.py").write_text(SCRIPT)
    _, first, imports, marked, shown = build.master("00_start_here", source=tmp_path / "99_lesson.py").cells
    for cell in (first, imports, marked):
        assert cell.metadata == {"cellView": "form", "jupyter": {"source_hidden": True}}
    assert imports.source.startswith("#@title Imports\nimport torch")
    assert marked.source.startswith("#@title Draw noise\nshow.images")
    assert (shown.metadata, shown.source) == ({}, "import math; print(math.pi)")


def test_a_notebook_brings_its_pictures_along(tmp_path):
    (tmp_path / "99_lesson.py").write_text(SCRIPT)
    text = build.master("00_start_here", source=tmp_path / "99_lesson.py").cells[0].source
    (picture,) = re.findall(r"!\[A micrograph]\(data:image/png;base64,([\w+/=]+)\)", text)
    assert base64.b64decode(picture) == (build.LESSONS / "pictures" / "start.png").read_bytes()


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_students_notebook_holds_no_solution_no_hidden_check_no_output(released, lesson):
    text = json.dumps(released[lesson])
    for secret in ("SOLUTION", "HIDDEN", "import grade"):
        assert secret not in text
    for cell in released[lesson].cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    for name in exercises_in(released[lesson]):
        (cell,) = [c for c in released[lesson].cells if c.id == name]
        assert "raise NotImplementedError()" in cell.source


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_exercise_has_card_cell_and_a_locked_check_worth_its_points(released, lesson):
    cells = released[lesson].cells
    names = exercises_in(released[lesson])
    assert names == [n for n in names if exercises.load(n).lesson == lesson]
    for name in names:
        at = next(k for k, cell in enumerate(cells) if cell.id == name)
        assert cells[at - 1].source == exercises.load(name).card()
        check = cells[at + 1]
        assert check.source == f"check({name})"
        assert check.metadata.nbgrader.points == exercises.load(name).points
        assert check.metadata.nbgrader.grade
        assert check.metadata.nbgrader.locked


@pytest.mark.parametrize("lesson", LESSONS)
def test_cell_ids_are_valid_unique_and_stay_when_another_cell_changes(lesson, tmp_path):
    ids = [cell.id for cell in build.master(lesson).cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", i) for i in ids)
    source = (build_cache.LESSONS / f"{lesson}.py").read_text(encoding="utf-8")
    changed = tmp_path / "changed.py"
    changed.write_text(source.replace("\n# # ", "\n# # Changed: ", 1), encoding="utf-8")
    assert sum(a != b for a, b in zip(ids, [c.id for c in build.master(lesson, changed).cells], strict=True)) == 1


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_masters_cells_are_short_and_its_checks_draw_their_own_probes(lesson):
    for cell in build.master(lesson).cells:
        assert cell.source.count("\n") < 30 or cell.cell_type == "markdown", cell.source
        if cell.id.startswith("check-"):
            assert "### BEGIN HIDDEN TESTS" in cell.source
            assert f'grade("{cell.id.removeprefix("check-")}"' in cell.source


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('# %% exercise="dise"\n### BEGIN SOLUTION\n### END SOLUTION', "no exercise called 'dise'"),
        ('# %% exercise="dice"\ndef dice(pred, target): ...', "BEGIN SOLUTION"),
        ('# %% exercise="dice" check="dice"\ncheck(dice)', "one mark"),
    ],
)
def test_a_lesson_that_is_not_in_order_is_refused(tmp_path, cell, message):
    lesson = tmp_path / "bad.py"
    lesson.write_text(f"# %%\nimport torch\n\n{cell}\n")
    with pytest.raises(build.BuildError, match=message):
        build.master("bad", lesson)


# ---- what a build does with notebooks that are there ----


@pytest.fixture(scope="module")
def notebooks(course, tmp_path_factory):
    """A notebooks folder and course of its own, built once; each test starts from the built files."""
    folder = tmp_path_factory.mktemp("checkout")
    rebuild(folder)
    return folder


def rebuild(folder, **options):
    places = {"notebooks": folder / "notebooks", "course": folder / "course", "plan_file": folder / "plan.json"}
    return build.build(**places, **options)


def test_a_second_build_writes_nothing(notebooks):
    report = rebuild(notebooks)
    assert (report.written, report.unchanged, report.kept) == ([], LESSONS, [])
    assert build_cache.up_to_date(notebooks / "notebooks", notebooks / "course")


@pytest.fixture
def overlap(notebooks):
    """A built notebook to write into."""
    path = notebooks / "notebooks" / "02_overlap" / "02_overlap.ipynb"
    original = path.read_bytes()
    yield path
    path.write_bytes(original)


def test_a_students_work_is_kept_and_replaced_only_by_force(notebooks, overlap):
    original, notebook = overlap.read_bytes(), nbformat.read(overlap, as_version=4)
    next(c for c in notebook.cells if c.id == "dice").source = "def dice(pred, target):\n    return 1.0"
    nbformat.write(notebook, overlap)
    assert rebuild(notebooks).kept == ["02_overlap"]
    assert "return 1.0" in overlap.read_text(encoding="utf-8")
    assert rebuild(notebooks, force=True).written == ["02_overlap"]
    assert overlap.read_bytes() == original


def test_a_notebook_that_was_only_run_is_replaced(notebooks, overlap):
    original, notebook = overlap.read_bytes(), nbformat.read(overlap, as_version=4)
    code = next(c for c in notebook.cells if c.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text="ran")]
    nbformat.write(notebook, overlap)
    assert rebuild(notebooks).written == ["02_overlap"]
    assert overlap.read_bytes() == original


def test_a_file_that_is_no_notebook_is_kept(notebooks, overlap):
    overlap.write_text("half a fi")
    assert rebuild(notebooks).kept == ["02_overlap"]


def test_a_build_is_due_when_an_input_or_a_notebook_is_gone(notebooks, monkeypatch, tmp_path):
    assert not build_cache.up_to_date(tmp_path, notebooks / "course")
    assert not build_cache.up_to_date(notebooks / "notebooks", tmp_path)
    monkeypatch.setattr(build_cache, "inputs", lambda: "other")
    assert not build_cache.up_to_date(notebooks / "notebooks", notebooks / "course")


def test_a_gradebook_with_submissions_to_other_cells_is_refused_in_one_message(tmp_path, monkeypatch):
    """nbgrader would leave a traceback and a name of ours nowhere in it."""
    build.student_versions(["02_overlap"], tmp_path)
    with api(tmp_path).gradebook as gradebook:
        gradebook.add_student("ana")
        gradebook.add_submission("02_overlap", "ana")
    whole = build.master("02_overlap")
    whole.cells = [cell for cell in whole.cells if cell.id != "check-dice"]
    monkeypatch.setattr(build, "master", lambda lesson, **options: whole)
    with pytest.raises(build.BuildError, match="02_overlap has other graded cells than before.*holds submissions"):
        build.student_versions(["02_overlap"], tmp_path)
