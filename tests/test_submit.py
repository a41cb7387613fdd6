"""`submit()` in a real kernel: what it compares, what it says, what it packs."""

import json
import zipfile

import pytest

from helpers import exercises, host
from tests.student import at_work, released, right, solved, texts

LESSON = "02_overlap"
NOTEBOOK = f"{LESSON}.ipynb"
WRONG = "def dice(pred, target):\n    return 0.5"
NAMES = {name for name in exercises.names() if exercises.load(name).lesson == LESSON}
SUBMIT = "from helpers import submit\nsubmit()"


@pytest.fixture
def lesson(tmp_path):
    """The folder of lesson 02, in the course's folder of notebooks."""
    folder = tmp_path / "notebooks" / LESSON
    folder.mkdir(parents=True)
    (folder / "answers.json").write_text('{"dice-from-counts": "0.6"}')
    return folder


def save(folder, notebook):
    (folder / NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")


def with_cell(notebook, name, text):
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name:
            cell["source"] = text
    return notebook


def packed(folder, name=f"{LESSON}-ana.zip"):
    with zipfile.ZipFile(folder / name) as archive:
        return {member: json.loads(archive.read(member)) for member in archive.namelist()}


def test_what_is_saved_and_ran_is_packed_and_what_is_open_is_said(lesson):
    notebook = with_cell(solved(LESSON), "iou", WRONG.replace("dice", "iou"))
    save(lesson, notebook)
    with at_work(lesson) as ana:
        for text in texts(notebook, NAMES - {"mean_iou"}):
            ana.run(text)
        said = ana.run(SUBMIT)
    assert said.startswith("This is what you hand in: 02_overlap-ana.zip, with the notebook as saved")
    assert "and 1 answer to graded questions" in said
    assert (
        "Look again at: iou (wrong); mean_iou (not run since the kernel began, so not checked); "
        'quiz("screening-for-lesions") (not answered).' in said
    )
    files = packed(lesson)
    assert files[NOTEBOOK] == notebook
    assert files["answers.json"] == {"dice-from-counts": "0.6"}
    about = files["submission.json"]
    assert (about["lesson"], about["student"]) == (LESSON, "ana")
    assert about["course"]


def test_save_first_where_the_saved_notebook_is_not_what_ran(lesson):
    save(lesson, released(LESSON))
    with at_work(lesson) as ana:
        for text in texts(released(LESSON), {"iou"}):
            ana.run(text)
        ana.run(f"EVERYTHING = 1.0\n{right('dice')}")
        said = ana.run(SUBMIT)
        assert "Not handed in. dice: what is in the saved notebook is not what you ran last." in said
        assert not list(lesson.glob("*.zip"))
        save(lesson, with_cell(released(LESSON), "dice", f"EVERYTHING = 1.0\n{right('dice')}"))
        assert "This is what you hand in" in ana.run(SUBMIT)
        # What it needs from another cell counts, too.
        ana.run("SMOOTH = 1e-7")
        ana.run("def dice(pred, target):\n    return SMOOTH")
        with_smooth = with_cell(released(LESSON), "dice", "def dice(pred, target):\n    return SMOOTH")
        save(lesson, with_smooth)
        assert "Not handed in. dice" in ana.run(SUBMIT)
        with_smooth["cells"].insert(1, {"cell_type": "code", "metadata": {}, "source": "SMOOTH = 1e-7"})
        save(lesson, with_smooth)
        assert "This is what you hand in" in ana.run(SUBMIT)


def test_a_cell_that_was_deleted_is_said_to_be_gone(lesson):
    notebook = released(LESSON)
    save(lesson, notebook)
    with at_work(lesson) as ana:
        for text in texts(notebook, {"iou"}):
            ana.run(text)
        ana.run(right("dice"))
        ana.run(right("iou"))
        notebook["cells"] = [
            c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") != "dice"
        ]
        save(lesson, notebook)
        said = ana.run(SUBMIT)
    assert "iou: what is in the saved notebook is not what you ran last. Run the cell once more." in said
    assert "dice: you ran it, and no cell of the saved notebook defines it. If you have deleted its cell" in said


@pytest.mark.parametrize("name", ["   ", "..", "-"])
def test_what_is_no_name_is_said_and_nothing_is_packed(lesson, name):
    save(lesson, released(LESSON))
    with at_work(lesson) as ana:
        assert "is no name: no letter and no digit is in it." in ana.run(
            f"from helpers import submit\nsubmit({name!r})"
        )
    assert list(lesson.glob("*.zip")) == []


def test_a_folder_in_which_nobody_can_write_is_said_to_be_one(lesson):
    save(lesson, released(LESSON))
    only_read = "def replace(*_):\n    raise OSError(errno.EROFS, os.strerror(errno.EROFS))\nos.replace = replace"
    with at_work(lesson) as ana:
        ana.run(f"import errno, os\nfrom helpers import submit\n{only_read}")
        said = ana.run("submit()")
    assert (
        "The file cannot be written: Read-only file system. Put the course into a folder in which you can write" in said
    )


def test_where_the_file_cannot_be_reached_the_definitions_that_ran_are_packed(lesson):
    with at_work(lesson, COLAB_RELEASE_TAG="release-colab") as ana:
        for text in texts(released(LESSON), {"iou", "dice"}):
            ana.run(text)
        ana.run(WRONG)
        ana.run("SECRET = 'a token'")
        ana.run(right("dice"))
        offered = (
            "import sys, types\nfiles = types.ModuleType('google.colab.files')\n"
            "files.download = lambda path: print('offered', path)\n"
            "for name in ('google', 'google.colab'):\n    sys.modules.setdefault(name, types.ModuleType(name))\n"
            "sys.modules['google.colab.files'] = files"
        )
        ana.run(offered)
        said = ana.run(SUBMIT)
    assert f"offered {lesson / LESSON}.zip" in said
    assert 'submit("ana") puts yours there' in said
    assert "the definitions that ran were packed instead" in said
    assert "iou (not written yet)" in said
    assert " dice (" not in said.split("Look again at")[1]
    notebook = packed(lesson, f"{LESSON}.zip")[NOTEBOOK]
    sources = [cell["source"] for cell in notebook["cells"]]
    assert sources[-1] == right("dice").strip()
    assert not any("SECRET" in source or "files.download" in source for source in sources)


@pytest.mark.parametrize(
    ("content", "part"),
    [("no JSON", "is no notebook that can be read"), ("[]", "is no notebook that can be read")],
)
def test_a_notebook_that_cannot_be_read_is_not_handed_in(lesson, content, part):
    (lesson / NOTEBOOK).write_text(content)
    with at_work(lesson) as ana:
        assert part in ana.run(SUBMIT)
        (lesson / NOTEBOOK).unlink()
        save(lesson, released(LESSON))
        (lesson / "answers.json").write_text("[]")
        assert "Not handed in." in ana.run(SUBMIT)
        (lesson / "answers.json").unlink()
        said = ana.run('from helpers import submit\nsubmit("Zoë / ../ Q")')
    assert "02_overlap-Zoë-..-Q.zip" in said
    assert [path.name for path in lesson.glob("*.zip")] == ["02_overlap-Zoë-..-Q.zip"]


def test_the_lesson_is_told_by_its_cells_where_the_folder_is_called_otherwise(tmp_path):
    with at_work(tmp_path) as ana:
        assert "Which lesson this is cannot be told" in ana.run(SUBMIT)
        code = [cell for cell in released(LESSON)["cells"] if cell["cell_type"] == "code"]
        ana.run("".join(code[1]["source"]))
        assert "02_overlap-ana.zip" in ana.run(SUBMIT)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "laptop"),
        ({"COLAB_RELEASE_TAG": "x"}, "colab"),
        ({"BINDER_SERVICE_HOST": "x", "JUPYTERHUB_USER": "jovyan"}, "binder"),
        ({"JUPYTERHUB_USER": "ana"}, "hub"),
    ],
)
def test_the_host_is_told_by_its_environment(monkeypatch, environment, expected):
    for name in ("COLAB_RELEASE_TAG", "BINDER_SERVICE_HOST", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert host.host() == expected
    monkeypatch.setenv("LOGNAME", "jovyan")
    assert host.user() == ("ana" if expected == "hub" else "")


def test_work_stays_with_its_lesson_wherever_a_cell_has_gone(lesson, tmp_path):
    """The answers, the progress, and the files to hand in and to keep."""
    save(lesson, solved(LESSON))
    (lesson / "answers.json").unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with at_work(lesson) as ana:
        ana.run(texts(released(LESSON), set())[0])
        ana.run(right("dice"))
        ana.run(f"%cd {elsewhere}")
        ana.run("check(dice)")
        ana.run('quiz("dice-from-counts").answer(0.6)')
        assert "dice" not in ana.run("submit()").split("Look again at")[1].split(";")
        assert "Saved in" in ana.run("save()")
        assert "is here already." in ana.run("load()")
    assert list(elsewhere.iterdir()) == []
    assert packed(lesson)["answers.json"] == {"dice-from-counts": "0.6"}
    assert {path.name for path in lesson.iterdir()} == {NOTEBOOK, "answers.json", "02_overlap-ana.zip", "my-work.zip"}
    assert json.loads((lesson.parent / "progress" / f"{LESSON}.json").read_text())["checks"] == {"dice": "passed"}
