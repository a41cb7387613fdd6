"""The nbgrader course folder: where it is, its settings, and nbgrader's own interface to it."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path

from traitlets.config import Config

from autograde.build_cache import ROOT

COURSE = ROOT / "course"

# Written into the course folder, so that plain `nbgrader` commands run there with the same settings.
CONFIG_FILE = """\
# Written by `python course.py build`. Plain nbgrader commands, run in this folder, use it.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "build-unet"
c.Execute.timeout = 120  # seconds a cell; a cell that never ends is interrupted
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError()"}
"""


def config(folder: Path, db_url: str | None = None) -> Config:
    """nbgrader's settings for the course in `folder`: `CONFIG_FILE`, and the gradebook, in a file there by default."""
    settings = Config()
    exec(CONFIG_FILE, {"get_config": lambda: settings})  # as nbgrader itself reads it
    settings.CourseDirectory.root = str(folder)
    settings.CourseDirectory.db_url = db_url or f"sqlite:///{folder / 'gradebook.db'}?timeout=60"
    return settings


def api(folder: Path, db_url: str | None = None):
    """nbgrader's `NbGraderAPI` on the course in `folder`. Its log keeps to warnings."""
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy.exc import SAWarning

    # nbgrader runs `alembic` by name, which is found only where this environment is activated.
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + os.environ["PATH"]
    warnings.simplefilter("ignore", SAWarning)  # nbgrader's own use of the database, nothing a reader could mend
    logging.getLogger("traitlets").setLevel(logging.WARNING)
    settings = config(folder, db_url)
    return NbGraderAPI(CourseDirectory(config=settings), config=settings)
