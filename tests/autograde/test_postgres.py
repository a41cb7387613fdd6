"""nbgrader's gradebook in a PostgreSQL server, where Debian's is installed."""

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from autograde import build, grade
from autograde.nbgrader_course import api
from tests.autograde.test_grade import RIGHT_DICE, RIGHT_IOU, hand_in, notebook_of

LESSON = "02_overlap"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The URL of an empty database of a server that runs while the tests do."""
    pytest.importorskip("psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("no PostgreSQL: install Debian's postgresql")
    folder = tmp_path_factory.mktemp("postgres")
    own = {}
    if os.geteuid() == 0:  # it does not run as root
        user = pwd.getpwnam("postgres")
        own = {"user": user.pw_uid, "group": user.pw_gid}
        shutil.chown(folder, user.pw_uid, user.pw_gid)
        for above in folder.parents:
            if above.owner() == "root" and above != Path("/"):
                above.chmod(above.stat().st_mode | 0o011)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **own}
    data = folder / "data"
    subprocess.run([found[-1] / "initdb", "-D", data, "-A", "trust", "-U", "grader"], **quiet)
    subprocess.run([found[-1] / "pg_ctl", "-D", data, "-o", settings, "-w", "start"], **quiet)
    yield f"postgresql+psycopg://grader@127.0.0.1:{port}/postgres"
    subprocess.run([found[-1] / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)


def test_the_scores_are_written_there(database, tmp_path):
    course = tmp_path / "course"
    build.student_versions([LESSON], course)
    hand_in(tmp_path / "in", "ana [TA]", notebook_of(course, RIGHT_IOU, RIGHT_DICE))
    hand_in(tmp_path / "in", "bo", notebook_of(course, RIGHT_IOU, "def dice(a, b):\n    return 0.5"))
    for _ in range(2):
        grade.grade_class(LESSON, tmp_path / "in", course, workers=1, gradebook=database)
    with api(course, database).gradebook as book:
        assert {s.student.id: s.score for s in book.assignment_submissions(LESSON)} == {"ana [TA]": 6, "bo": 3}
