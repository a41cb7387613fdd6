"""Taking in submissions: every layout, every way to be broken, and nothing trusted."""

import json
import os
import zipfile

import nbformat
import pytest

from autograde.intake import (
    IntakeError,
    Submission,
    assemble,
    code_cells,
    collect,
    leave_out,
    solution_cells,
    with_notice,
)

LESSON = "02_overlap"


def cell(name, source, **marks):
    made = nbformat.v4.new_code_cell(source, id=name)
    made.metadata["nbgrader"] = {"grade_id": name, "solution": True, "grade": False, "locked": False, **marks}
    return made


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


@pytest.fixture
def released():
    check = cell("check-f", "check(f)", solution=False, grade=True, locked=True, points=1)
    return notebook(
        nbformat.v4.new_code_cell("import torch", id="setup"), cell("f", "stub f"), check, cell("g", "stub g")
    )


def handed_in(*cells, student="ana"):
    return Submission(student, json.dumps(notebook(*cells)))


def sources(assembled):
    return {c.metadata.nbgrader.grade_id: c.source for c in solution_cells(assembled.notebook)}


# ---- layouts ----


def write(path, text="{}"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def zip_of(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


LAYOUTS = {
    "student/notebook": ["ana/02_overlap.ipynb", "ben/02_overlap.ipynb"],
    "student/another name": ["ana/my homework.ipynb", "ben/Untitled.ipynb"],
    "nbgrader": ["ana/02_overlap/02_overlap.ipynb", "ben/02_overlap/02_overlap.ipynb", "ben/other/other.ipynb"],
    "one folder around": ["class/ana/02_overlap.ipynb", "class/ben/02_overlap.ipynb"],
    "with litter": ["ana/02_overlap.ipynb", "ben/a.ipynb", "__MACOSX/ana/x.ipynb", ".git/y.ipynb", "notes.txt"],
    "with checkpoints": ["ana/02_overlap.ipynb", "ana/.ipynb_checkpoints/02_overlap-checkpoint.ipynb", "ben/a.ipynb"],
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read(tmp_path, layout, zipped):
    for name in LAYOUTS[layout]:
        write(tmp_path / "in" / name, text=name)
    place = tmp_path / "in"
    if zipped:
        place = zip_of(tmp_path / "in.zip", {name: name for name in LAYOUTS[layout]})
    found = collect(place, LESSON)
    assert [s.student for s in found] == ["ana", "ben"]
    assert [s.problem for s in found] == [None, None]
    assert all(LESSON in s.text or layout == "student/another name" or s.student == "ben" for s in found)


def test_a_class_of_one_in_nbgraders_layout(tmp_path):
    write(tmp_path / "ana" / LESSON / f"{LESSON}.ipynb", "text")
    assert collect(tmp_path, LESSON) == [Submission("ana", "text")]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "No notebook was handed in"),
        ({"a.ipynb": "", "b.ipynb": ""}, "Several notebooks were handed in"),
        ({"a.txt": ""}, "No notebook was handed in"),
    ],
)
def test_what_is_missing_or_ambiguous_is_the_students_problem_only(tmp_path, files, said):
    (tmp_path / "ana").mkdir()
    for name, text in files.items():
        write(tmp_path / "ana" / name, text)
    write(tmp_path / "ben" / f"{LESSON}.ipynb", "text")
    ana, ben = collect(tmp_path, LESSON)
    assert ana.text is None
    assert said in ana.problem
    assert ben == Submission("ben", "text")


def test_the_notebook_with_the_lessons_name_is_taken_among_several(tmp_path):
    write(tmp_path / "ana" / f"{LESSON}.ipynb", "right")
    write(tmp_path / "ana" / "scratch.ipynb", "other")
    assert collect(tmp_path, LESSON) == [Submission("ana", "right")]


def test_bytes_that_are_no_text_are_a_problem(tmp_path):
    write(tmp_path / "ana" / f"{LESSON}.ipynb")
    (tmp_path / "ana" / f"{LESSON}.ipynb").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read as text" in collect(tmp_path, LESSON)[0].problem


@pytest.mark.skipif(os.name == "nt", reason="making a link needs a right that Windows rarely gives")
def test_a_link_is_not_followed(tmp_path):
    write(tmp_path / "secret.ipynb", "secret")
    (tmp_path / "in" / "ana").mkdir(parents=True)
    (tmp_path / "in" / "ana" / f"{LESSON}.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (submission,) = collect(tmp_path / "in", LESSON)
    assert submission.text is None
    assert "is a link" in submission.problem


def test_a_notebook_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("autograde.intake.LARGEST_NOTEBOOK", 10)
    write(tmp_path / "ana" / f"{LESSON}.ipynb", "x" * 11)
    assert "is the most that is read" in collect(tmp_path, LESSON)[0].problem


def test_a_zip_cannot_write_outside_its_folder(tmp_path):
    (tmp_path / "in").mkdir()
    names = ("ana/02_overlap.ipynb", "../../escaped.ipynb", "/escaped.ipynb")
    collect(zip_of(tmp_path / "in" / "class.zip", dict.fromkeys(names, "text")), LESSON)
    assert not list(tmp_path.rglob("escaped.ipynb"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: None, "does not exist"),
        (lambda p: p.mkdir(), "holds no folder of a student"),
        (lambda p: p.write_text("x"), "neither a folder nor a zip"),
    ],
)
def test_submissions_that_cannot_be_read_at_all_are_refused(tmp_path, make, said):
    make(tmp_path / "place")
    with pytest.raises(IntakeError, match=said):
        collect(tmp_path / "place", LESSON)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["in a file", "in the directory"])
def test_a_damaged_zip_is_refused(tmp_path, method):
    place = zip_of(tmp_path / "class.zip", {"ana/02_overlap.ipynb": "text" * 1000}, method)
    data = bytearray(place.read_bytes())
    data[60:80] = bytes(20)
    place.write_bytes(data)
    with pytest.raises(IntakeError, match="cannot be unpacked"):
        collect(place, LESSON)


def test_a_zip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("autograde.intake.LARGEST_ARCHIVE", 1000)
    place = zip_of(tmp_path / "class.zip", {"ana/02_overlap.ipynb": "0" * 2000})
    with pytest.raises(IntakeError, match="unpacks to more than"):
        collect(place, LESSON)


# ---- what is believed of a notebook ----


def test_solution_cells_are_put_into_the_released_notebook(released):
    assembled = assemble(released, handed_in(cell("f", "mine"), cell("g", "too")))
    assert sources(assembled) == {"f": "mine", "g": "too"}
    assert not assembled.problems
    assert with_notice(assembled) == assembled.notebook
    assert sources(assemble(released, handed_in())) == {"f": "stub f", "g": "stub g"}  # the released one is untouched


def test_nothing_but_solution_cells_is_believed(released):
    own_check = cell("check-f", "100.0", solution=False, grade=True, locked=True, points=100)
    extra = nbformat.v4.new_code_cell("import helpers; helpers.check = lambda *a: 100")
    assembled = assemble(released, handed_in(extra, own_check, cell("f", "mine"), cell("g", "too")))
    assert [c.source for c in assembled.notebook.cells] == ["import torch", "mine", "check(f)", "too"]
    assert assembled.notebook.cells[2].metadata.nbgrader.points == 1


def test_a_missing_cell_is_named_and_the_rest_is_kept(released):
    assembled = assemble(released, handed_in(cell("g", "too")))
    assert sources(assembled) == {"f": "stub f", "g": "too"}
    assert "`f` is missing" in assembled.problems["f"]


def test_a_duplicate_with_other_content_is_refused_an_equal_one_is_not(released):
    assembled = assemble(released, handed_in(cell("f", "one"), cell("f", "two"), cell("g", "too"), cell("g", "too")))
    assert sources(assembled) == {"f": "stub f", "g": "too"}
    assert list(assembled.problems) == ["f"]
    assert "2 different cells claim to be `f`" in assembled.problems["f"]


def test_a_syntax_error_is_named_with_its_line_and_kept_to_be_seen(released):
    assembled = assemble(released, handed_in(cell("f", "x = 1\ndef f(:"), cell("g", "%time 1")))
    assert sources(assembled)["f"] == "x = 1\ndef f(:"
    assert "line 2" in assembled.problems["f"]
    assert "g" not in assembled.problems  # a notebook's magic is no syntax error


def test_a_host_that_lost_the_metadata_is_forgiven(released):
    bare = nbformat.v4.new_code_cell("mine", id="f")
    assert sources(assemble(released, handed_in(bare, cell("g", "too"))))["f"] == "mine"


@pytest.mark.parametrize(
    "text",
    [
        *("", "no json", "[]", "3", "null", '"text"', "{}", '{"cells": 3}'),
        '{"cells": [3], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        '{"cells": [{"cell_type": "code", "metadata": {"nbgrader": 3}}], "metadata": {}, "nbformat": 4}',
        "[" * 100_000,
        json.dumps({"cells": [], "metadata": {}, "nbformat": 99, "nbformat_minor": 0}),
    ],
)
def test_a_file_that_is_no_notebook_leaves_the_stubs_and_says_so(released, text):
    assembled = assemble(released, Submission("ana", text))
    assert sources(assembled) == {"f": "stub f", "g": "stub g"}
    assert assembled.problems


def test_the_notice_says_every_problem(released):
    assembled = assemble(released, handed_in(cell("g", "too")))
    leave_out(assembled, released, "g", "`g` never ended.")
    assert sources(assembled)["g"] == "stub g"
    notice = with_notice(assembled).cells[0].source
    assert "`f` is missing" in notice
    assert "`g` never ended." in notice


# ---- the code cells of a notebook, whatever became of it ----


def as_version(text, version):
    found = nbformat.reads(text, as_version=version)
    return json.dumps(found)


WORKED = notebook(
    nbformat.v4.new_code_cell("import torch", id="setup"),
    nbformat.v4.new_markdown_cell("Some text.", id="text"),
    cell("f", "def f(): ..."),
    nbformat.v4.new_code_cell("f()", id="own"),
)
PLAIN = json.dumps(WORKED)
SOURCES = ["import torch", "def f(): ...", "f()"]


def without(*keys):
    """The notebook with less in every cell."""
    found = json.loads(PLAIN)
    for one in found["cells"]:
        for key in keys:
            one[key] = {} if key == "metadata" else one.pop(key) and None
            if one[key] is None:
                del one[key]
    return json.dumps(found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (PLAIN, ["setup", "f", "own"]),
        ("\ufeff" + PLAIN, ["setup", "f", "own"]),
        (without("metadata"), ["setup", "f", "own"]),
        (without("metadata", "id"), None),
        (as_version(PLAIN, 3), None),
        (PLAIN.replace('"nbformat_minor": 5', '"nbformat_minor": 0'), None),
        (PLAIN.replace('"solution": true', '"solution": 7'), ["setup", "f", "own"]),
    ],
    ids=["as it is", "byte order mark", "no metadata", "no metadata, no ids", "version 3", "version 4.0", "odd marks"],
)
def test_the_code_cells_are_found_in_every_version(text, names):
    found = code_cells(text)
    assert [one.source for one in found] == SOURCES
    assert names in (None, [one.name for one in found])


@pytest.mark.parametrize("text", ["", "[]", "null", "<html>", "{" * 5000, '{"cells": 3}', "\x00"])
def test_what_is_no_notebook_is_said(text):
    with pytest.raises(IntakeError, match="not a notebook that can be read"):
        code_cells(text)
