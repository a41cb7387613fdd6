"""What a student is given, as one file to download: `helpers` and `datasets`, and nothing of `autograde`.

What belongs in it says pyproject.toml, once for the wheel, the sdist and this archive. Made twice from the same files,
it is the same to the byte.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from hatchling.builders.sdist import SdistBuilder

from autograde.build_cache import ROOT
from helpers.atomic_write import atomic_write

FOLDERS = ("helpers", "datasets")
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold


def release(root: Path = ROOT) -> Path:
    """Write `dist/course-v{version}.zip` and return its path."""
    sdist = SdistBuilder(str(root))
    files = {Path(file.relative_path).as_posix(): Path(file.path) for file in sdist.recurse_included_files()}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in sorted(name for name in files if name.partition("/")[0] in FOLDERS):
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, files[name].read_bytes())
    path = root / "dist" / f"course-v{sdist.metadata.version}.zip"
    atomic_write(path, content.getvalue())
    return path
