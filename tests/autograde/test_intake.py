"""Taking in submissions: every layout, every way to be broken, and nothing trusted."""

import errno
import io
import json
import os
import unicodedata
import zipfile

import nbformat
import pytest

from autograde.intake import IntakeError, NotebookCell, collect
from helpers import plan
from helpers.markup import as_text

LESSON = "02_overlap"
WRITTEN = "def dice(pred, target):\n    return 1.0"
STUB = "def dice(pred, target):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
NB = f"{LESSON}.ipynb"


def cell(name, source=WRITTEN, **marks):
    made = nbformat.v4.new_code_cell(source, id=name)
    made.metadata["nbgrader"] = {"grade_id": name, "solution": True, "grade": False, "locked": False, **marks}
    return made


def notebook(*cells):
    return json.dumps(nbformat.v4.new_notebook(cells=list(cells)))


def worked(by="ana"):
    return notebook(cell("dice", f"{WRITTEN}  # {by}"))


UNTOUCHED = notebook(cell("dice", STUB), cell("iou", STUB.replace("dice", "iou")))
OTHER = notebook(cell("one_hot", "def one_hot(mask): ..."))


# ---- Where the work lies


def put(folder, files):
    for name, content in files.items():
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def packed(files, method=zipfile.ZIP_DEFLATED):
    """The bytes of a zip; a time beside the content is when the file was changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)
    return made.getvalue()


def read(place, lesson=LESSON):
    """All submissions by student."""
    with collect(place, lesson) as handed_in:
        return {one.student: one.read() for one in handed_in}


def read_one(tmp_path, files, lesson=LESSON):
    """That of the only student, `ana`, to whose folder these files are put."""
    (found,) = read(put(tmp_path / "in", {f"ana/{name}": content for name, content in files.items()}), lesson).values()
    return found


def said(submission):
    return as_text(" ".join((submission.problem, *submission.notes)))


LAYOUTS = {
    "a folder a student": {f"ana/{NB}": "ana", f"ben/{NB}": "ben"},
    "another name": {"ana/my homework.ipynb": "ana", "ben/Untitled.ipynb": "ben"},
    "a folder around": {f"class/ana/{NB}": "ana", f"class/ben/{NB}": "ben"},
    "two folders around": {f"a/b/ana/{NB}": "ana", f"a/b/ben/{NB}": "ben"},
    "a folder inside": {f"ana/work/{NB}": "ana", f"ben/a/b/c/{NB}": "ben"},
    "a zip a student": {"ana.zip": {NB: "ana"}, "ben.ZIP": {f"work/{NB}": "ben"}},
    "a zip inside": {"ana/work.zip": {NB: "ana"}, "ben/all.zip": {"a/work.zip": {NB: "ben"}}},
    "a zip around": {"class.zip": {f"ana/{NB}": "ana", f"ben/{NB}": "ben"}},
    "a notebook a student": {"ana.ipynb": "ana", "ben.ipynb": "ben", NB: "released"},
    "litter": {
        f"ana/{NB}": "ana",
        "ana/.ipynb_checkpoints/02_overlap-checkpoint.ipynb": "checkpoint",
        f"ben/{NB}": "ben",
        f"__MACOSX/ana/._{NB}": "x",
        ".git/y.ipynb": "y",
        ".DS_Store": "z",
        "notes.txt": "n",
    },
    "nbgrader": {
        f"ana/{LESSON}/{NB}": "ana",
        f"ben/{LESSON}/{NB}": "ben",
        "ben/01_pixels/01_pixels.ipynb": "other",
    },
    "nbgrader's exchange": {
        f"ana+{LESSON}+2026-11-01 12:00:00.123456 UTC+b1C-_x/{NB}": "ana",
        f"ana+{LESSON}+2026-10-31 12:00:00.123456 UTC+zzz/{NB}": "earlier",
        f"ben+{LESSON}+2026-11-01 12:00:00 UTC/{NB}": "ben",
        "cem+01_pixels+2026-11-01 12:00:00 UTC/01_pixels.ipynb": "other",
    },
}


def bytes_of(content):
    return packed({n: bytes_of(c) for n, c in content.items()}) if isinstance(content, dict) else worked(content)


@pytest.fixture(params=["folder", "zip"])
def placed(request, tmp_path):
    """Puts files, whose content is text or that of a zip, into a folder or a zip."""

    def place(files):
        files = {name: c if isinstance(c, bytes) else bytes_of(c) for name, c in files.items()}
        if request.param == "folder":
            return put(tmp_path / "in", files)
        return put(tmp_path, {"in.zip": packed(files)}) / "in.zip"

    return place


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read(placed, layout):
    found = read(placed(LAYOUTS[layout]))
    assert list(found) == ["ana", "ben"]
    for student, submission in found.items():
        assert submission.problem == ""
        assert submission.cells == (NotebookCell("code", "dice", f"{WRITTEN}  # {student}"),)


@pytest.mark.parametrize(
    "files",
    [
        {
            f"lovelaceada_12345_678901_{NB}": "old",
            f"lovelaceada_12345_678999_{LESSON}-1.ipynb": "ada",
            "lovelaceada_12345_678902_answers.json": b"{}",
            f"lovelaceada_LATE_12346_678903_{NB}": "late",
            f"李小龍_12347_678904_{NB}": "li",
            f"LATE_anon_a1B2c_678905_{NB}": "anon",
            "nobody_12348_text.html": "no notebook",
        },
        {
            f"Ada Lovelace_12345_assignsubmission_file_/{NB}": "ada",
            "Ada Lovelace_12345_assignsubmission_onlinetext_/onlinetext.html": "x",
            f"Ada Lovelace_12346_assignsubmission_file/{NB}": "late",
            f"李小龍_12347_assignsubmission_file_{NB}": "li",
            f"Participant_77_assignsubmission_file_work/{NB}": "anon",
            "Nobody_12348_assignsubmission_file_a.pdf": "no notebook",
        },
        {
            "submission_1/a.ipynb": "ada",
            f"submission_2/{NB}": "late",
            f"submission_3/work/{NB}": "li",
            f"submission_4/{NB}": "anon",
            "submission_metadata.yml": b"""\
submission_1:
  ":submitters": [{":name": Ada, ":sid": "12345", ":email": ada@x.org}]
  ":created_at": 2026-11-01 12:00:00.523910000 Z
submission_2:
  :submitters:
  - :name: Ada
    :sid: '12346'
submission_3: {":submitters": [{":email": li@x.org}]}
submission_4: {":submitters": null}
submission_5: {":submitters": [{":email": nobody@x.org}]}
""",
        },
    ],
    ids=["Canvas", "Moodle", "Gradescope"],
)
def test_downloads_of_learning_platforms_keep_students_apart(placed, files):
    found = read(placed(files))
    by = {s.cells[0].source.rpartition("# ")[2] if s.cells else "nobody": name for name, s in found.items()}
    expected = {
        "lo": ("lovelaceada_12345", "lovelaceada_12346", "李小龍_12347", "anon_a1B2c", "nobody_12348"),
        "Ad": ("Ada Lovelace_12345", "Ada Lovelace_12346", "李小龍_12347", "Participant_77", "Nobody_12348"),
        "su": ("ada@x.org", "12346", "li@x.org", "submission_4", "nobody@x.org"),
    }[next(iter(files))[:2]]
    assert by == dict(zip(("ada", "late", "li", "anon", "nobody"), expected, strict=True))
    assert len(found) == 5


def test_a_group_of_gradescopes_is_there_with_everybody(tmp_path):
    names = b"submission_1: {':submitters': [{':email': a@x.org}, {':email': b@x.org}]}"
    put(tmp_path, {"export/submission_metadata.yml": names, f"export/submission_1/{NB}": worked("both")})
    assert [s.cells[0].source[-4:] for s in read(tmp_path).values()] == ["both", "both"]


NAMES = ["a+b [TA]", 'O\'Neil "x"', "*", "%2e%2e%2f", "李 小龍", "Zoë", "ana", "Ana", "-rf", "[a-z]", "a_1_2_b", "C:x"]
NAMES += [unicodedata.normalize("NFD", "Zoë")]


@pytest.mark.skipif(os.name == "nt", reason="most of these are no names there")
def test_a_name_is_a_name_and_nothing_else(placed):
    found = read(placed({f"{name}/{NB}": str(number) for number, name in enumerate(NAMES)}))
    assert {s.student: s.cells[0].source.rpartition("# ")[2] for s in found.values()} == {
        name: str(number) for number, name in enumerate(NAMES)
    }


def test_a_class_of_one_and_empty_folders_are_students(tmp_path):
    assert list(read(put(tmp_path / "1", {f"ana/{LESSON}/{NB}": worked()}))) == ["ana"]
    assert list(read(put(tmp_path / "2", {f"ana/work/{NB}": worked()}))) == ["ana"]
    assert list(read(put(tmp_path / "3", {f"3/ana/{NB}": worked()}))) == ["ana"]
    assert list(read(put(tmp_path / "4", {"ana.zip": "broken"}))) == ["ana"]
    place = put(tmp_path / "5", {"class/ana/": "", f"class/ben/{NB}": worked(), "class/cem.rar": "?"})
    assert list(read(place)) == ["ana", "ben", "cem"]


def test_a_zip_that_does_not_say_its_encoding_and_has_no_dates_is_read(tmp_path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"Zo??/{NB}", (1980, 0, 0, 0, 0, 0)), worked())
        archive.writestr(zipfile.ZipInfo(f"Zo?/{NB}", (1980, 0, 0, 0, 0, 0)), worked())
    data = made.getvalue().replace(b"Zo??", "Zoë".encode()).replace(b"Zo?", "Zoé".encode("cp437"))
    assert list(read(put(tmp_path, {"in.zip": data}) / "in.zip")) == ["Zoé", "Zoë"]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda p: None, "does not exist"),
        (lambda p: p.mkdir(), "holds no folder of a student"),
        (lambda p: put(p, {NB: worked()}), "holds no folder of a student"),
        (lambda p: p.write_text("x"), "neither a folder nor a zip"),
        (lambda p: p.write_bytes(packed({f"ana/{NB}": worked()})[:-30]), "neither a folder nor a zip"),
        (lambda p: p.write_bytes(packed({f"ana/{NB}": "x" * 50}).replace(b"PK\1\2", b"....")), "cannot be read"),
        (lambda p: p.write_bytes(encrypted()), "is encrypted"),
        (lambda p: p.write_bytes(link("submission_metadata.yml")), "Gradescope again"),
        (lambda p: put(p, {"submission_metadata.yml": "a: b: c", "submission_1/a.ipynb": ""}), "Gradescope again"),
    ],
)
def test_what_is_of_no_use_at_all_is_refused(tmp_path, make, expected):
    make(tmp_path / "place")
    with pytest.raises(IntakeError, match=expected):
        read(tmp_path / "place")


# ---- Which notebook


CHOICES = {
    "the lesson's name": ({NB: worked(), "scratch.ipynb": worked("no")}, "called as it should be"),
    "the worked copy": ({NB: UNTOUCHED, "Copy of 02_overlap.ipynb": worked()}, "something is written"),
    "any worked copy": ({NB: UNTOUCHED, "mine.ipynb": worked()}, "something is written"),
    "its content": ({"a.ipynb": worked(), "b.ipynb": OTHER, "c.ipynb": notebook()}, "the one of 02_overlap"),
    "a broken one": ({NB: "{", "02_overlap (1).ipynb": worked()}, "not a notebook that can be read"),
    "the last": ({"02_overlap (2).ipynb": worked("no"), "02_overlap (10).ipynb": worked()}, "last by its name"),
    "the upper one": ({f"old/{NB}": worked("no"), NB: worked()}, "in the fewest folders"),
    "more": (
        {"a.ipynb": notebook(cell("dice"), cell("iou", WRITTEN.replace("dice", "iou"))), "b.ipynb": worked("no")},
        "more is written",
    ),
    "other lessons beside": ({f"{LESSON}/{NB}": worked(), "01_pixels/01_pixels.ipynb": OTHER}, ""),
    "what a browser adds": ({"ana.ipynb.txt": worked()}, ""),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_the_notebook_that_is_meant_is_taken_and_it_is_said_why(tmp_path, choice):
    files, expected = CHOICES[choice]
    found = read(put(tmp_path, {"ana.zip": packed(files)}))["ana"]
    assert found.problem == ""
    assert "# no" not in found.cells[0].source
    assert found.cells[0].source.startswith(WRITTEN)
    assert bool(found.notes) == bool(expected)
    assert expected in said(found)


def test_the_newest_of_equals_is_taken(tmp_path):
    place = put(tmp_path, {"ana/02_overlap (1).ipynb": worked("new"), "ana/02_overlap (2).ipynb": worked("old")})
    os.utime(place / "ana" / "02_overlap (2).ipynb", (1, 1))
    found = read(place)["ana"]
    assert found.cells[0].source.endswith("new")
    assert "the newest" in said(found)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "there is no file. Hand in 02_overlap.ipynb"),
        ({"a.pdf": "", "b.py": ""}, "there is only ana.zip/a.pdf, ana.zip/b.py. Hand in"),
        ({NB: OTHER}, "ana.zip/02_overlap.ipynb is the notebook of 01_pixels. Hand in that of 02_overlap."),
        ({"01_pixels/a.ipynb": OTHER}, "is the notebook of 01_pixels"),
        ({NB: notebook(cell("f", "x = 1"))}, "Nothing in ana.zip/02_overlap.ipynb is of 02_overlap"),
        ({"a/" * 40 + NB: worked()}, "too deep in folders"),
        ({"`*x*`.ipynb": "<"}, "`*x*`.ipynb is not a notebook that can be read"),
    ],
)
def test_what_is_missing_or_wrong_is_said(tmp_path, files, expected):
    found = read(put(tmp_path, {"ana.zip": packed(files), f"ben/{NB}": worked()}))
    assert expected in said(found["ana"])
    assert bool(found["ana"].problem) != bool(found["ana"].cells)
    assert not found["ben"].problem


def test_a_lesson_that_was_renumbered_is_known_by_its_old_name(tmp_path):
    files = {"06_skips/06_skips.ipynb": notebook(cell("UNet")), "06_decoder/06_decoder.ipynb": notebook(cell("UpConv"))}
    assert [c.name for c in read_one(tmp_path, files, "07_skips").cells] == ["UNet"]


def test_every_notebook_of_the_course_is_known_as_that_of_its_lesson(tmp_path):
    for lesson in (one["lesson"] for one in plan.lessons()):
        path = plan.PATH.parents[1] / "notebooks" / lesson / f"{lesson}.ipynb"
        found = read_one(tmp_path / lesson, {"a.ipynb": path.read_bytes()}, lesson)
        assert (found.problem, found.notes) == ("", ())


# ---- What is broken, or made to do harm


def encrypted():
    """A zip whose file claims to be encrypted."""
    data = bytearray(packed({f"ana/{NB}": worked()}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def link(name, target="/etc/passwd"):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o120777 << 16
        archive.writestr(info, target)
    return made.getvalue()


def damaged():
    data = bytearray(packed({NB: worked() * 100}, zipfile.ZIP_STORED))
    data[60:80] = bytes(20)
    return bytes(data)


def quine(depth=6):
    data = packed({NB: worked()})
    for _ in range(depth):
        data = packed({"more.zip": data})
    return data


def many_files():
    """A zip that says its directory is larger than any that is read."""
    data = bytearray(packed({NB: worked()}))
    at = data.rindex(b"PK\5\6") + 12
    data[at : at + 4] = (2**31).to_bytes(4, "little")
    return bytes(data)


BROKEN = {
    "damaged": (damaged, "Bad CRC"),
    "no zip": (lambda: b"PK", "cannot be read"),
    "encrypted": (encrypted, "is encrypted"),
    "another packing": (lambda: packed({NB: worked()}, zipfile.ZIP_BZIP2), "packed in an unusual way"),
    "a link": (lambda: link(NB), "is a link to something else"),
    "zips in zips": (quine, "too deep to be opened"),
    "too many files": (many_files, "holds too many files"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_zip_is_its_students_problem_only(tmp_path, broken):
    make, expected = BROKEN[broken]
    found = read(put(tmp_path, {"ana/x.zip": make(), "ben.zip": make(), f"cem/{NB}": worked()}))
    for student in ("ana", "ben"):
        assert expected in as_text(found[student].problem)
        assert not found[student].cells
    assert not found["cem"].problem
    assert str(tmp_path) not in repr(found)  # the feedback does not tell where the instructor keeps things


def test_a_damaged_file_in_the_zip_of_a_class_is_its_students_problem_only(tmp_path):
    files = {f"ana/{NB}": worked(), f"ben/{NB}": worked()}
    data = bytearray(packed(files, zipfile.ZIP_STORED))
    data[60:80] = bytes(20)
    found = read(put(tmp_path, {"class.zip": bytes(data)}) / "class.zip")
    assert "cannot be read" in found["ana"].problem
    assert found["ben"].cells


@pytest.mark.parametrize(
    ("limit", "files", "expected"),
    [
        ("autograde.submission.LARGEST_NOTEBOOK", {NB: worked() + " " * 1000}, "is the most that is read"),
        ("autograde.contents.LARGEST_SUBMISSION", {"x.zip": packed({NB: worked() + " " * 5000})}, "would have to be"),
        ("autograde.contents.MOST_FILES", {f"{n:04}.txt": "" for n in range(1000)} | {NB: worked()}, "not looked at"),
        ("autograde.submission.MOST_VALUES", {NB: worked()[:-1] + ', "x": [' + "1," * 1000 + "1]}"}, "values"),
    ],
)
def test_there_is_a_limit_to_what_is_read(tmp_path, monkeypatch, limit, files, expected):
    monkeypatch.setattr(limit, 900)
    found = read_one(tmp_path, files)
    assert expected in said(found)


def test_a_zip_writes_nothing_anywhere(tmp_path):
    names = (f"ana/{NB}", "../../escaped.ipynb", "/escaped.ipynb", "C:\\escaped.ipynb", "ben\\02_overlap.ipynb")
    put(tmp_path / "in", {"class.zip": packed(dict.fromkeys(names, worked()))})
    before = set(tmp_path.rglob("*"))
    assert set(read(tmp_path / "in" / "class.zip")) == {"ana", "ben", "C:", "escaped"}
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights there, or are not there")
def test_nothing_but_files_is_opened(tmp_path):
    put(tmp_path, {"secret/x.ipynb": worked("secret"), f"in/eve/{NB}": worked()})
    for name in ("ana", "ben", "cem"):
        (tmp_path / "in" / name).mkdir()
    (tmp_path / "in" / "ana" / NB).symlink_to(tmp_path / "secret" / "x.ipynb")
    (tmp_path / "in" / "ben" / "work").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "in" / "cem" / NB)
    (tmp_path / "in" / "dan").symlink_to(tmp_path / "secret")
    found = read(tmp_path / "in")
    assert [s.student for s in found.values() if s.cells] == ["eve"]
    assert "02_overlap.ipynb is a link" in said(found["ana"])
    assert "work is a link" in said(found["ben"])
    assert "02_overlap.ipynb is no file" in said(found["cem"])
    assert "is a link" in said(found["dan"])


@pytest.mark.parametrize("call", ["scandir", "open"])
def test_what_may_not_be_read_is_said(tmp_path, monkeypatch, call):
    put(tmp_path, {f"ana/{NB}": worked(), f"ben/{NB}": worked()})
    allowed = getattr(os, call)

    def asked(path, *rest, **named):
        if "ana" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return allowed(path, *rest, **named)

    monkeypatch.setattr(os, call, asked)
    found = read(tmp_path)
    assert "Permission denied" in found["ana"].problem
    assert str(tmp_path) not in found["ana"].problem
    assert found["ben"].cells


def test_whatever_goes_wrong_is_one_students_problem(tmp_path, monkeypatch):
    monkeypatch.setattr("autograde.submission.json.loads", lambda *_, **__: 1 / 0)
    assert "ZeroDivisionError" in read_one(tmp_path, {NB: worked()}).problem


def test_a_full_disk_is_no_students_problem(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("autograde.contents.shutil.copyfileobj", full)
    put(tmp_path, {"ana.zip": packed({NB: worked()}), "ben/": ""})
    with pytest.raises(OSError, match="No space left"):
        read(tmp_path)


# ---- What is believed of a notebook


PLAIN = notebook(
    nbformat.v4.new_code_cell("import torch", id="setup"),
    nbformat.v4.new_markdown_cell("Some text.", id="text"),
    nbformat.v4.new_raw_cell("raw", id="raw"),
    cell("dice"),
    cell("check-dice", "check(dice)", solution=False, grade=True),
    nbformat.v4.new_code_cell("dice()", id="own", outputs=[nbformat.v4.new_output("stream", text="x" * 1000)]),
)


def without(*keys):
    """The notebook with less in every cell."""
    found = json.loads(PLAIN)
    found["cells"] = [{k: v for k, v in one.items() if k not in keys} for one in found["cells"]]
    return json.dumps(found)


NAMES_OF_PLAIN = ["setup", "text", "dice", "5", "own"]
NUMBERS = ["1", "2", "4", "5", "6"]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (PLAIN.encode(), NAMES_OF_PLAIN),
        (("\ufeff" + PLAIN).encode(), NAMES_OF_PLAIN),
        (PLAIN.encode("utf-16"), NAMES_OF_PLAIN),
        (without("metadata").encode(), ["setup", "text", "dice", "check-dice", "own"]),
        (without("id").encode(), ["1", "2", "dice", "5", "6"]),
        (without("metadata", "id", "execution_count").encode(), NUMBERS),
        (json.dumps(nbformat.reads(PLAIN, as_version=3)).encode(), ["1", "2", "dice", "5", "6"]),
        (json.dumps({"cells": json.loads(PLAIN)["cells"]}).encode(), NAMES_OF_PLAIN),
        (PLAIN.replace('"solution": true', '"solution": 7').encode(), NAMES_OF_PLAIN),
        (PLAIN.replace(json.dumps(WRITTEN), json.dumps(WRITTEN.splitlines(True))).encode(), NAMES_OF_PLAIN),
        (PLAIN.replace(json.dumps(WRITTEN), json.dumps(WRITTEN.splitlines())).encode(), NAMES_OF_PLAIN),
        (PLAIN.replace('"nbformat_minor": 5', '"nbformat_minor": 99').encode(), NAMES_OF_PLAIN),
        (PLAIN.replace('"cells": [', '"cells": [3, null, {"cell_type": []}, {"cell_type": "code"}, ').encode(), None),
    ],
    ids=[
        *("as it is", "byte order mark", "UTF-16", "no metadata", "no ids", "neither", "version 3", "no version"),
        *("odd marks", "lines", "bare lines", "a later version", "odd cells"),
    ],
)
def test_the_cells_are_found_in_every_version(tmp_path, data, names):
    found = read_one(tmp_path, {NB: data})
    assert found.problem == ""
    assert [one.source for one in found.cells] == ["import torch", "Some text.", WRITTEN, "check(dice)", "dice()"]
    assert [one.kind for one in found.cells] == ["code", "markdown", "code", "code", "code"]
    assert names in (None, [one.name for one in found.cells])


@pytest.mark.parametrize(
    "text",
    [
        *("", "no json", "[]", "3", "null", '"text"', "{}", '{"cells": 3}', '{"cells": []}', "<html>", "\x00"),
        *('{"cells": [3], "nbformat": 4}', "[" * 100_000, '{"cells": ' * 5000, b"\xff\xfe\x00", '{"cells": [] "x"}'),
        '{"cells": [{"cell_type": "code", "metadata": {"nbgrader": 3}}]}',
    ],
)
def test_what_is_no_notebook_is_said(tmp_path, text):
    found = read_one(tmp_path, {NB: text})
    assert "not a notebook that can be read" in found.problem
    assert found.cells == ()


def test_half_of_a_character_can_be_written_down(tmp_path):
    found = read_one(tmp_path, {NB: notebook(cell("dice", f"{WRITTEN} # X")).replace("X", "\\ud800")})
    assert found.cells[0].source.encode()


# ---- What is beside the notebook


@pytest.mark.parametrize(
    ("files", "given", "expected"),
    [
        ({}, {}, ""),
        ({"answers.json": '{"q": "a"}'}, {"q": "a"}, ""),
        ({"answers.json": '\ufeff{"q": "é"}'}, {"q": "é"}, ""),
        ({"answers.json": '{"q": "a"}', "answers (1).json": '{"q": "b"}'}, {"q": "b"}, "Ignored: ana.zip/answers.json"),
        ({"answers(2).json": '{"q": "c"}', "answers(10).json": '{"q": "b"}'}, {"q": "b"}, "Ignored"),
        ({"Answers-1.json": '{"q": "b"}'}, {"q": "b"}, ""),
        ({"01_pixels/answers.json": '{"q": "x"}', "x/answers.json": '{"q": "b"}'}, {"q": "b"}, ""),
        ({"answers.json": '{"q": 3}'}, {}, "no answer to a graded question counts"),
        ({"answers.json": "[" * 90_000}, {}, "no answer to a graded question counts"),
        ({"answers.json": json.dumps({"q": "a" * 101})}, {}, "no answer to a graded question counts"),
        ({"answers.json": " " * 100_001}, {}, "no answer to a graded question counts"),
    ],
)
def test_the_newest_answers_count(tmp_path, files, given, expected):
    found = read(put(tmp_path, {"ana.zip": packed({NB: worked(), **files})}))["ana"]
    assert (found.problem, found.answers) == ("", given)
    assert bool(found.notes) == bool(expected)
    assert expected in said(found)


def test_answers_count_without_a_notebook(tmp_path):
    found = read_one(tmp_path, {"answers.json": '{"q": "a"}'})
    assert found.problem
    assert found.answers == {"q": "a"}


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2015-02-02 15:58:23.948203 America/Los_Angeles", "2015-02-02T23:58:23+00:00"),
        ("2026-11-01 12:00:00.123456 UTC\n", "2026-11-01T12:00:00+00:00"),
        ("2026-11-01 12:00:00", "2026-11-01T12:00:00+00:00"),
        ("2026-11-01 12:00:00 +0130", "2026-11-01T10:30:00+00:00"),
        *((text, "") for text in ("2026-11-01 12:00:00 ../../x", "yesterday", "2026-99-01 12:00:00 UTC", "x" * 999)),
    ],
)
def test_nbgraders_timestamp_says_when(tmp_path, text, utc):
    assert read_one(tmp_path, {f"{LESSON}/{NB}": worked(), f"{LESSON}/timestamp.txt": text}).submitted == utc


def test_a_time_that_a_student_wrote_does_not_count(tmp_path):
    zipped = packed({NB: worked(), "timestamp.txt": "2000-01-01 00:00:00 UTC"})
    moodle = "Ada_1_assignsubmission_file_"
    place = put(
        tmp_path,
        {
            "ana/x.zip": zipped,
            "ben.zip": zipped,
            f"{moodle}/{NB}": worked(),
            f"{moodle}/timestamp.txt": "2000-01-01 00:00:00 UTC",
            f"cem+{LESSON}+2026-11-01 12:00:00 UTC/{NB}": worked(),
        },
    )
    assert {s.student: s.submitted for s in read(place).values() if s.submitted} == {"cem": "2026-11-01T12:00:00+00:00"}
