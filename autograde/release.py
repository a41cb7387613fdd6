"""A release: what a student is given as one file to download, and where it is to be found.

The archive holds `helpers` and `datasets`, and nothing of `autograde`. What belongs in it says pyproject.toml, once for
the wheel, the sdist and this archive. Made twice from the same files, it is the same to the byte.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from pathlib import Path

from hatchling.builders.sdist import SdistBuilder

from autograde import plan
from autograde.build_cache import ROOT
from autograde.released import Release
from helpers.atomic_write import atomic_write

FOLDERS = ("helpers", "datasets")
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold


class ReleaseError(Exception):
    """Nothing can be released like this; the message says why, and what to do."""


def address(repository: str, tag: str) -> str:
    """The address of a repository as it is kept.

    Raises:
        ReleaseError: the repository is none that Binder and Colab open, or the tag is not that of the version.
    """
    repository = repository.removesuffix("/").removesuffix(".git")
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", repository):
        raise ReleaseError(
            f"{repository} is no address of a repository on GitHub, from where Binder and Colab open notebooks. Give "
            "one such as https://github.com/NAME/REPOSITORY."
        )
    if tag != f"v{plan.version()}":
        raise ReleaseError(
            f"The tag {tag} is not that of the version in pyproject.toml, v{plan.version()}: a notebook is held "
            "against the course by it. Change one of them."
        )
    return repository


def release(repository: str, tag: str, root: Path = ROOT) -> Release:
    """Write `dist/course-{tag}.zip`, and return what a notebook has to know of it.

    Raises:
        ReleaseError: see `address`.
    """
    repository, packed = address(repository, tag), archive(root)
    atomic_write(root / "dist" / f"course-{tag}.zip", packed)
    return Release(repository, tag, hashlib.sha256(packed).hexdigest())


def archive(root: Path = ROOT) -> bytes:
    """The archive of what a student is given."""
    included = SdistBuilder(str(root)).recurse_included_files()
    files = {Path(file.relative_path).as_posix(): Path(file.path) for file in included}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name in sorted(name for name in files if name.partition("/")[0] in FOLDERS):
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            packed.writestr(entry, files[name].read_bytes())
    return content.getvalue()
