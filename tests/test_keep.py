"""`save()` and `load()`: everything comes back, nothing is lost, and no foreign file does anything."""

import hashlib
import json
import os
import zipfile

import pytest

from helpers import keep
from helpers.keep import KeepError, load, save
from tests.student import at_work, released, solved

LESSON = "02_overlap"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course in which somebody has worked; they are in lesson 02."""
    root = tmp_path / "notebooks"
    for name, content in work().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    monkeypatch.chdir(root / LESSON)
    return root


def work():
    """What is to be kept."""
    return {
        f"{LESSON}/answers.json": b'{"dice-from-counts": "0.6"}\n',
        f"{LESSON}/{LESSON}.ipynb": json.dumps(solved(LESSON)).encode(),
        "09_training/run.safetensors": os.urandom(1000),
        "13_project/nuclei (1).unet.zip": b"PK",
        f"progress/{LESSON}.json": b'{"checks": {"dice": "passed"}, "seconds": 60}\n',
        "unlocked.json": b'{"unlocked": []}\n',
    }


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def empty(folder):
    (folder / LESSON).mkdir(parents=True)
    return folder


def test_all_of_it_comes_back_elsewhere_and_nothing_else_is_in_the_file(course, tmp_path, monkeypatch):
    kept = tree(course)
    for other in ("01_pixels/01_pixels.ipynb", "02_overlap/notes.txt", ".secret.json", "02_overlap/x.pkl", "own.json"):
        (course / other).parent.mkdir(exist_ok=True)
        (course / other).write_text(json.dumps(released("01_pixels")) if other.endswith(".ipynb") else "{}")
    save(tmp_path)
    with zipfile.ZipFile(tmp_path / keep.FILE) as archive:
        assert {*archive.namelist()} == {keep.ABOUT, *kept}
    monkeypatch.chdir(empty(tmp_path / "elsewhere") / LESSON)
    load(tmp_path / keep.FILE)
    assert tree(tmp_path / "elsewhere") == kept
    load(tmp_path / keep.FILE)  # twice is as once
    assert tree(tmp_path / "elsewhere") == kept


def test_what_was_here_and_differs_is_put_aside(course, capsys):
    save()
    before = tree(course)
    newer = {f"{LESSON}/answers.json": b"{}", "09_training/run.safetensors": b"newer"}
    for name, content in newer.items():
        (course / name).write_bytes(content)
    (course / "09_training" / "mine.txt").write_text("stays")
    load()
    after = tree(course)
    (aside,) = {name.split("/")[0] for name in after if name.startswith("before-load-")}
    assert {name: after[f"{aside}/{name}"] for name in newer} == newer
    assert {name: after[name] for name in before} == before
    assert after["09_training/mine.txt"] == b"stays"
    said = "".join(capsys.readouterr().out.split())
    assert "2ofthemwerehereanddiffered" in said
    assert str(course / aside) in said
    save()  # what was put aside is work, too
    (course / aside / LESSON / "answers.json").unlink()
    load()
    assert (course / aside / LESSON / "answers.json").read_bytes() == b"{}"


def test_of_several_the_newest_is_loaded_as_browsers_number_them(course, capsys):
    save()
    os.rename(keep.FILE, "my-work (1).zip")
    (course / LESSON / "answers.json").write_bytes(b"{}")
    load()
    assert (course / LESSON / "answers.json").read_bytes() == work()[f"{LESSON}/answers.json"]
    save()
    os.utime("my-work (1).zip", (1, 1))
    load()
    assert "All that is in my-work.zip is here already." in capsys.readouterr().out


def forged(path, files, about=None, **more):
    """A file as `save` would make it, with these members."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(keep.ABOUT, json.dumps(about or {"format": keep.FORMAT, "files": hashes, **more}))
        for name, content in files.items():
            archive.writestr(name, content)
    return path


STRANGE = [
    "../evil.json",
    "/etc/passwd",
    "02_overlap/../../evil.ipynb",
    "..\\evil.ipynb",
    "02_overlap/run.pkl",
    "02_overlap/model.pt",
    "helpers/__init__.py",
    "02_overlap/.hidden.ipynb",
    "02_overlap/a/b.ipynb",
    "01_no_lesson/a.ipynb",
    "sitecustomize.py",
    "progress/../02_overlap/a.json",
    "02_overlap/a\n.ipynb",
    "before-load-2026/../../evil.ipynb",
    "before-load-/x/02_overlap/a.ipynb",
    "before-load-2026/before-load-2026/02_overlap/a.ipynb",
    "02_overlap/" + "a" * 200 + ".ipynb",
]


@pytest.mark.parametrize("name", STRANGE)
def test_a_file_of_another_kind_or_outside_of_the_course_is_refused(course, tmp_path, name):
    before = tree(tmp_path)
    file = forged(tmp_path / "evil.zip", {f"{LESSON}/answers.json": b"{}", name: b"x"})
    with pytest.raises(KeepError, match=r"which is nobody's work here\. `load` takes the files"):
        load(file)
    file.unlink()
    assert tree(tmp_path) == before


def truncated(path):
    save(path)
    path.write_bytes(path.read_bytes()[:-200])


def changed(path):
    save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(keep.ABOUT, json.dumps({"format": keep.FORMAT, "files": {}}))
        archive.writestr(f"{LESSON}/{LESSON}.ipynb", bytes(20_000_000))


def doubled(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(keep.ABOUT, json.dumps({"format": keep.FORMAT}))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(keep.ABOUT, "{}")


def foreign(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")


BROKEN = {
    truncated: "cannot be read, or only in part",
    changed: "cannot be read, or only in part|has been changed",
    bomb: "unpacks to more than 10 MB",
    doubled: "holds files twice",
    foreign: r"was not made by `save\(\)`",
    lambda path: path.write_bytes(b"no zip"): "cannot be read",
    lambda path: path.write_bytes(b""): "cannot be read",
    lambda path: forged(path, {}, {"format": "another"}): "is not of this version",
    lambda path: forged(path, {f"{LESSON}/answers.json": b"{}"}, {"format": keep.FORMAT}): "has been changed",
    lambda path: None: "There is no file",
}


@pytest.mark.parametrize("make", BROKEN)
def test_a_file_that_is_not_whole_or_not_ours_changes_nothing(course, tmp_path, monkeypatch, make):
    monkeypatch.setattr(keep, "LARGEST", 10_000_000)
    make(file := tmp_path / "work.zip")
    (course / LESSON / "answers.json").write_bytes(b'{"newer": "a"}')
    before = tree(course)
    with pytest.raises(KeepError, match=BROKEN[make]) as raised:
        load(file)
    assert "\n" not in str(raised.value)
    assert tree(course) == before


def test_where_something_cannot_be_written_nothing_is_half_written(course, tmp_path):
    save(tmp_path)
    (course / LESSON / "answers.json").unlink()
    (course / LESSON / "answers.json").mkdir()
    before = tree(course)
    with pytest.raises(KeepError, match="cannot be loaded"):
        load(tmp_path / keep.FILE)
    assert {name: content for name, content in tree(course).items() if not name.startswith("before-load")} == before
    with pytest.raises(KeepError, match="cannot be written"):
        save(tmp_path / f"{'long' * 100}.zip")


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (f"{LESSON}.ipynb", "no folder that is there, and no file in one that ends in .zip"),
        ("../not-mounted/MyDrive", "a drive has to be mounted first"),
        ("../unlocked.json/work.zip", "no folder that is there"),
        ("../13_project/nuclei (1).unet.zip", "was not made by `save..`; it would be lost"),
    ],
)
def test_no_other_file_is_replaced_and_no_folder_made_up(course, to, said):
    before = tree(course)
    with pytest.raises(KeepError, match=said):
        save(to)
    assert tree(course) == before


def test_what_load_would_refuse_is_not_saved(course, monkeypatch):
    monkeypatch.setattr(keep, "LARGEST", 1000)
    with pytest.raises(KeepError, match="Move checkpoints that you do not need"):
        save()
    assert not (course / LESSON / keep.FILE).exists()


def test_away_from_the_course_it_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeepError, match="does not lie in the course's folder"):
        save()
    with pytest.raises(KeepError, match="does not lie in the course's folder"):
        load()


def test_a_kernel_says_where_it_is_and_what_was_kept(course):
    with at_work(course / LESSON) as ana:
        assert "All that you do is on this machine." in ana.run("from helpers import progress, save, load; progress()")
        said = ana.run("save()")
        assert "Saved in my-work.zip: 1 notebook, 2 checkpoints, 1 file of answers, 2 files of progress." in said
        assert f"It is {course / LESSON / keep.FILE}" in said or "It is my-work.zip" in said  # where there is no link
        assert "Not" not in said
        assert "Not in it" in ana.run("def dice(pred, target):\n    return 0.5") + ana.run("save()")
        (course / LESSON / f"{LESSON}.ipynb").write_text("{")
        assert "is no notebook that can be read: save it again" in ana.run("save('other.zip')")
        said = ana.run("load()")
        assert "What you have typed and not saved is in no file yet: to keep it, choose File → Save" in said
    with at_work(course / LESSON, COLAB_RELEASE_TAG="x") as ana:
        assert "You are on Colab, which forgets its files" in ana.run("from helpers import progress; progress()")
