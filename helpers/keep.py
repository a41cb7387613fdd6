"""`save()` and `load()`: all that a student has done, as one file that outlives the machine.

It is a zip of answers, progress, notebooks and checkpoints, with their hashes beside them. `load` writes such files and
no others, and only once all of them have been read and compared; nothing in them is run or unpickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from helpers import host, markup, plan, progress_store
from helpers.atomic_write import atomic_write
from helpers.errors import InputError, called_as, what_to_do
from helpers.quiz import answers
from helpers.submit import SubmitError, unsaved

FILE = "my-work.zip"
ABOUT, FORMAT = "work.json", "build-unet work 1"
LARGEST = 500_000_000  # bytes of all files, unpacked: they are in memory at once
MOST_FILES = 2000
LARGEST_ABOUT = 1_000_000
ASIDE = "before-load-"  # how the folders begin in which `load` puts what it replaces
CHECKPOINTS = (".safetensors", ".unet.zip")  # neither can hold code: see `helpers.checkpoint` and `helpers.share`
FOREIGN = "`load` takes the files that `save()` makes."


class KeepError(InputError):
    """Nothing can be saved here, or a file cannot be loaded; the message says why, and what to do."""


@called_as('save("my-work.zip")')
def save(to: str | Path | None = None) -> None:
    """Put all that you have done in the course into one file: answers, progress, notebooks and checkpoints.

    Save the notebook first (Ctrl+S). Where its file cannot be reached, as on Colab, it is not among them: Colab keeps
    it in your Drive.

    Args:
        to: the file, or a folder such as that of a mounted drive, `"/content/drive/MyDrive"`; `my-work.zip` beside the
            notebook if left out.

    Raises:
        KeepError: this notebook does not lie in the course's folder, there is too much, the file cannot be written, or
            is there and somebody else's.
    """
    root = _root()
    to = host.folder() / FILE if to is None else Path(to)
    path = to / FILE if os.path.isdir(to) else to
    if path.suffix != ".zip" or not os.path.isdir(path.parent):
        raise KeepError(
            f"{to} is no folder that is there, and no file in one that ends in .zip. Name one of these; a drive has to "
            "be mounted first."
        )
    if os.path.exists(path) and not _is_ours(path):
        raise KeepError(f"{path} is there and was not made by `save()`; it would be lost. Name another file.")
    names = list(_work(root))
    if len(names) >= MOST_FILES or sum((root / name).stat().st_size for name in names) > LARGEST:
        most = f"{MOST_FILES} files or {LARGEST / 1e6:g} MB"
        raise KeepError(
            f"There is more than {most} in {root}. Move checkpoints that you do not need, and folders {ASIDE}…, "
            "elsewhere."
        )
    files = {name: (root / name).read_bytes() for name in names}
    about = {"format": FORMAT, "saved": datetime.now().astimezone().isoformat(), "files": _hashes(files)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ABOUT, json.dumps(about, indent=1))
        for name, content in files.items():
            archive.writestr(name, content)
    try:
        atomic_write(path, packed.getvalue())
    except OSError as error:
        raise KeepError(f"{path} cannot be written: {error.strerror or error}. Name another folder.") from None
    own = host.notebook()
    where = path.name if path.parent == host.folder() else str(path)
    markup.say(f"Saved in {markup.code(where)}: {_counted(list(files))}.")
    if own is None:
        markup.say("This notebook is not among them, since its file cannot be reached from here: download it, too.")
    else:
        _say_what_is_missing(own)
    if host.folder() in path.resolve().parents:
        host.offer(path)


def _say_what_is_missing(notebook: Path) -> None:
    """Say what of the student's answers ran and is not in the saved notebook."""
    try:
        missing = ", ".join(markup.code(exercise) for exercise in unsaved(notebook))
    except SubmitError as error:
        markup.say(f"*Not all is in it.* {error}")
        return
    if missing:
        markup.say(f"*Not in it*: {missing}, as you ran it last. Save the notebook (Ctrl+S), then `save()` again.")


def _is_ours(path: Path) -> bool:
    """Whether a file is one that `save` has made."""
    try:
        with zipfile.ZipFile(path) as archive:
            return ABOUT in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


@called_as('load("my-work.zip")')
def load(path: str | Path | None = None) -> None:
    """Bring back what `save` has put into a file. What is here and differs is put aside, and nothing is lost.

    Args:
        path: the file; if left out the newest `my-work.zip` beside the notebook, also as browsers number them.

    Raises:
        KeepError: it is missing, is not whole, was not made by `save`, or this notebook does not lie in the course's
            folder. Then nothing has been changed.
    """
    root, there = _root(), sorted(host.folder().glob("my-work*.zip"), key=os.path.getmtime)
    path = Path(path) if path is not None else there[-1] if there else host.folder() / FILE
    files = _read(path)
    own = host.notebook()
    new = [name for name, content in files.items() if not _is_same(root / name, content)]
    before = [name for name in new if (root / name).exists()]
    aside = root / f"{ASIDE}{datetime.now():%Y-%m-%d-%H%M%S-%f}"
    staged = root / f".load-{secrets.token_hex(6)}"
    try:
        for name in new:  # first all of it beside its place, so that a full disk changes nothing
            atomic_write(staged / name, files[name])
        for name in before:
            atomic_write(aside / name, (root / name).read_bytes())
        for name in new:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged / name, root / name)
    except OSError as error:
        raise KeepError(
            f"{path.name} cannot be loaded into {root}: {error.strerror or error}. {what_to_do(error)}"
        ) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    file = markup.code(path.name)
    markup.say(f"Loaded from {file}: {_counted(new)}." if new else f"All that is in {file} is here already.")
    if before:
        kept = f"What was here is in {markup.code(str(aside))}, and `save()` takes it, too."
        markup.say(f"{len(before)} of them were here and differed. {kept}")
    if own is not None and own.resolve() in {(root / name).resolve() for name in before}:
        markup.say(
            "This notebook is one of them, and the page still shows the one before. What you have typed and not saved "
            "is in no file yet: to keep it, choose *File → Save Notebook As…* and another name. Then close the page "
            "without saving, and open the notebook again."
        )


def _root() -> Path:
    at = progress_store.place()
    if at is None:
        raise KeepError(
            "This notebook does not lie in the course's folder. Open a lesson in notebooks/, and call it there."
        )
    return at[0]


# ---- What a student has done


def _work(root: Path) -> Iterator[str]:
    """The files of a student's work, each as `load` takes them."""
    found = []
    for place in (root, *root.glob(f"{ASIDE}*")):
        found += [*place.glob("*.json"), *place.glob(f"{progress_store.FOLDER}/*.json")]
        for lesson in plan.lessons():
            for name in plan.names(lesson["lesson"]):
                found += (place / name).glob("*")
    for path in sorted(found):
        name = path.relative_to(root).as_posix()
        if path.is_file() and _may_be(name) and not _is_as_released(path):
            yield name


def _may_be(name: str) -> bool:
    """Whether a file of this name is somebody's work; all else could go where it does harm."""
    folder, _, file = re.sub(rf"^{ASIDE}[0-9-]+/", "", name).rpartition("/")
    if not re.fullmatch(r"\w[\w .()+\[\]-]{0,150}", file) or file.endswith((" ", ".")):
        return False
    if folder == progress_store.FOLDER:
        return file.endswith(".json")
    if folder == "":
        return file == "unlocked.json"  # of `helpers.graph`
    lessons = {name for lesson in plan.lessons() for name in plan.names(lesson["lesson"])}
    return folder in lessons and (file == answers.FILE or file.endswith((".ipynb", *CHECKPOINTS)))


def _is_as_released(path: Path) -> bool:
    """Whether it is a notebook in which nobody has written: a newer version of the course has a newer one."""
    if path.suffix != ".ipynb":
        return False
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        text = "\0".join("".join(cell["source"]) for cell in notebook["cells"])
        return notebook["metadata"]["course"]["sources"] == hashlib.sha256(text.encode()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _hashes(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _is_same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content


def _counted(names: list[str]) -> str:
    """What files these are, in words."""
    kinds = {"notebook": (".ipynb",), "checkpoint": CHECKPOINTS, "file of answers": (f"/{answers.FILE}",)}
    counts = {kind: sum(name.endswith(ends) for name in names) for kind, ends in kinds.items()}
    counts["file of progress"] = len(names) - sum(counts.values())
    plural = {"file of answers": "files of answers", "file of progress": "files of progress"}
    return ", ".join(f"{n} {kind if n == 1 else plural.get(kind, f'{kind}s')}" for kind, n in counts.items())


# ---- A file that somebody gives


def _read(path: Path) -> dict[str, bytes]:
    """What is in a file that `save` has made.

    Raises:
        KeepError: it was not made by it, or has changed since.
    """
    if not path.is_file():
        raise KeepError(f"There is no file {path}. Put it beside this notebook, or give its path.")
    name = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if ABOUT not in members or members[ABOUT].file_size > LARGEST_ABOUT:
                raise KeepError(f"{name} was not made by `save()`. {FOREIGN}")
            if len(archive.infolist()) != len(members) or len(members) > MOST_FILES:
                raise KeepError(f"{name} holds files twice, or more than {MOST_FILES}. {FOREIGN}")
            about = json.loads(archive.read(ABOUT))
            if not isinstance(about, dict) or about.get("format") != FORMAT:
                raise KeepError(f'{name} is not of this version of `save()` ("format": "{FORMAT}"). {FOREIGN}')
            if strange := [member for member in members if member != ABOUT and not _may_be(member)]:
                raise KeepError(f"{name} holds {strange[0][:100]!r}, which is nobody's work here. {FOREIGN}")
            if sum(info.file_size for info in members.values()) > LARGEST:
                raise KeepError(f"{name} unpacks to more than {LARGEST / 1e6:g} MB. {FOREIGN}")
            files = {member: archive.read(member) for member in members if member != ABOUT}
    except KeepError:
        raise
    except Exception as error:  # a broken zip raises many kinds
        raise KeepError(f"{name} cannot be read, or only in part: {error}. Download it again. {FOREIGN}") from None
    if _hashes(files) != about.get("files"):
        raise KeepError(f"{name} has been changed since it was saved, or is not whole. Download it again.")
    return files
