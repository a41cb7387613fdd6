"""Whether the last build is still good. Standard library only: `course.py lab` asks at every start."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
LESSONS = ROOT / "autograde" / "lessons"


def lesson_names() -> list[str]:
    """Names of all lessons, in order."""
    return sorted(path.stem for path in LESSONS.glob("*.py"))


def inputs() -> str:
    """A hash of everything that goes into a build."""
    helpers = ROOT / "helpers"
    folders = (LESSONS, LESSONS / "keys", LESSONS / "pictures", helpers / "exercises", helpers / "quiz" / "bank")
    files = [path for folder in folders for path in sorted(folder.glob("*")) if path.is_file()]
    files += (ROOT / "helpers").glob("plan.json")  # made by a build, so that without it, or with another, one is due
    files += ROOT.glob("release.json")
    single = (
        "autograde/build.py",
        "autograde/plan.py",
        "autograde/released.py",
        "helpers/__init__.py",
        "pyproject.toml",
    )
    digest = hashlib.sha256()
    for path in [*files, *(ROOT / name for name in single)]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def up_to_date(notebooks: Path, course: Path) -> bool:
    """Whether nothing that goes into a build has changed since the last one into `course`."""
    stamp = course / "built.json"
    built = [notebooks / n / f"{n}.ipynb" for n in lesson_names()]
    if not stamp.exists() or any(not path.exists() for path in built):
        return False
    return json.loads(stamp.read_text(encoding="utf-8")).get("inputs") == inputs()
