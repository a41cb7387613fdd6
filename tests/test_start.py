"""The first cell of a notebook, and `helpers/start.py`: in processes of their own, beside a stand-in for a server."""

import hashlib
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from autograde import build, plan, released
from autograde.release import archive
from helpers import start

ROOT = Path(__file__).parents[1]
TAG = f"v{plan.version()}"

# Runs the cell as often as it is told, where no `helpers` is installed, and prints what it raises as one line.
RUN = """
import json, os, sys
cell, times, before = json.load(sys.stdin)
sys.path[:] = [p for p in sys.path if not os.path.isfile(os.path.join(p, "helpers", "start.py"))]
names = {"__name__": "__main__"}
exec(before, names)
for _ in range(times):
    try:
        exec(cell, names)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
print("here:", os.getcwd())
"""


def run(cell, folder, times=1, before="", prefix=()):
    """What is printed, line by line; nothing may be on stderr."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*prefix, sys.executable, "-c", RUN],
        cwd=folder,
        input=json.dumps([cell, times, before]),
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


class StandIn(http.server.BaseHTTPRequestHandler):
    """Serves the archive as the server's `answer` says."""

    def do_GET(self):
        content, answer = self.server.content, self.server.answer
        self.server.asked.append(self.path)
        if answer == "404":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if answer == "stalled":
            self.wfile.write(content[:1000])
            self.wfile.flush()
            time.sleep(4)
        elif answer == "truncated":
            self.wfile.write(content[:1000])
        else:
            self.wfile.write(content if answer == "whole" else content[:-1] + b"x")

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def standing():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn) as server:
        server.content = archive(ROOT)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server(standing):
    standing.answer, standing.asked = "whole", []
    return standing


def stamped(address, content, lesson="02_overlap"):
    """The first cell after a release at this address, with less patience than a student has."""
    release = released.Release(f"{address}/ana/build-unet", TAG, hashlib.sha256(content).hexdigest())
    return build.first_cell(lesson, release).replace("timeout=30", "timeout=1")


def of(server):
    return stamped(f"http://127.0.0.1:{server.server_port}", server.content)


def test_the_cell_has_at_most_ten_lines_is_folded_and_the_same_in_each_lesson(server):
    assert of(server).count("\n") < 10
    assert stamped("x", b"", "a").replace('"a"', '"b"') == stamped("x", b"", "b")
    for lesson in build.lesson_names():
        first = next(cell for cell in build.master(lesson).cells if cell.cell_type == "code")
        assert (first.id, first.source) == (plan.FIRST_ID, build.first_cell(lesson))
        assert first.metadata.jupyter.source_hidden
        assert first.metadata.cellView == "form"


def test_it_fetches_the_course_once_and_says_so_in_one_line(server, tmp_path):
    place = tmp_path / "build-unet"
    ready = f"The course {plan.version()} is ready. Your work is kept in {place / '02_overlap'}."
    cell = of(server)
    assert run(cell, tmp_path, times=2) == [ready, ready, f"here: {place / '02_overlap'}"]
    assert run(cell + "\nprint(data.load('nuclei', 'test')[0][0].shape)", tmp_path)[0] == ready
    assert server.asked == [f"/ana/build-unet/releases/download/{TAG}/course-{TAG}.zip"]
    assert sorted(path.name for path in place.iterdir()) == ["02_overlap", TAG]


def test_what_is_left_of_a_course_is_replaced(server, tmp_path):
    run(of(server), tmp_path)
    (tmp_path / "build-unet" / TAG / "helpers" / "start.py").unlink()
    assert run(of(server), tmp_path)[0].startswith(f"The course {plan.version()} is ready.")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("404", "not fetched: HTTP Error 404: Not Found. Ask whoever gave you this notebook for a newer one."),
        ("truncated", r"not fetched: IncompleteRead\(.*\). See that you are online, then run this cell again."),
        ("stalled", "not fetched: .*timed out. See that you are online, then run this cell again."),
        ("changed", "did not come whole. Run this cell again; if it says so twice, ask whoever gave .* newer one."),
    ],
)
def test_what_does_not_come_whole_is_said_once_and_leaves_nothing(server, tmp_path, answer, message):
    server.answer = answer
    said, _ = run(of(server), tmp_path)
    assert re.fullmatch(f"RuntimeError: The course (was )?{message}", said)
    assert list(tmp_path.iterdir()) == []


def test_offline_says_so(closed, tmp_path):
    said, _ = run(stamped(closed, b""), tmp_path)
    assert said.startswith("RuntimeError: The course was not fetched: <urlopen error")
    assert said.endswith("See that you are online, then run this cell again.")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("size=1m", "No space left on device. Free some space on the disk .*, then run this cell again."),
        ("ro", "Read-only file system. Put this notebook into a folder in which you can write, and run it there."),
    ],
)
def test_a_disk_that_is_full_or_read_only_is_said_once_and_left_as_it_was(server, tmp_path, options, message):
    mount = f'mount -t tmpfs -o {options} none "$0" && cd "$0" && exec "$@"'
    prefix = ["unshare", "--mount", "sh", "-c", mount, str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount")
    count = "import atexit, os\natexit.register(lambda: print(sum(len(files) for _, _, files in os.walk('.'))))"
    said, _, left = run(of(server), tmp_path, before=count, prefix=prefix)
    assert re.fullmatch(f"RuntimeError: The course cannot be unpacked in {tmp_path}/build-unet/{TAG}: {message}", said)
    assert left == "0"


# ---- where the course is


@pytest.fixture
def beside(tmp_path):
    """A folder of a lesson in a course that was only unpacked."""
    with zipfile.ZipFile(io.BytesIO(archive(ROOT))) as packed:
        packed.extractall(tmp_path / "course")
    lesson = tmp_path / "course" / "notebooks" / "02_overlap"
    lesson.mkdir(parents=True)
    return lesson


def test_a_course_two_folders_up_is_found_and_the_working_directory_stays(beside):
    ready = f"The course {plan.version()} is ready."
    assert run(build.first_cell("02_overlap"), beside, times=2) == [ready, ready, f"here: {beside}"]


def test_without_a_release_a_notebook_alone_says_what_to_do(tmp_path):
    said, _ = run(build.first_cell("02_overlap"), tmp_path)
    assert said.startswith("RuntimeError: The course is not here")
    assert said.endswith(
        "Put the notebook back into its folder in the course, notebooks/02_overlap, and open it there."
    )


def test_another_version_is_named(beside):
    cell = build.first_cell("02_overlap").replace(plan.version(), "9.9.9")
    said, _ = run(cell, beside)
    assert said.startswith(
        f"This notebook is of the course 9.9.9, and the course in {beside.parents[1]} is {plan.version()}"
    )
    assert "take notebook and course from the same release" in said


def test_another_package_called_helpers_gives_way_or_is_named_where_it_is_loaded(beside, tmp_path):
    foreign = tmp_path / "site" / "helpers.py"
    foreign.parent.mkdir()
    foreign.write_text("theirs = True")
    there = f"import sys; sys.path.insert(0, {str(foreign.parent)!r})"
    assert run(build.first_cell("02_overlap"), beside, before=there)[0] == f"The course {plan.version()} is ready."
    said, _ = run(build.first_cell("02_overlap"), beside, before=f"{there}; import helpers")
    assert said == (
        f"RuntimeError: Another package called helpers is loaded, from {foreign}; the course's is in "
        f"{beside.parents[1]}. Restart the kernel, and run this cell before any other."
    )


def test_a_foreign_package_called_helpers_is_not_run(beside, tmp_path):
    foreign = tmp_path / "site" / "helpers"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").touch()
    (foreign / "start.py").write_text("print('theirs ran')")
    there = f"import sys; sys.path.insert(0, {str(foreign.parent)!r})"
    said, _ = run(build.first_cell("02_overlap"), tmp_path, before=there)
    assert said.startswith("RuntimeError: The course is not here")
    assert run(build.first_cell("02_overlap"), beside, before=there)[0] == f"The course {plan.version()} is ready."


# ---- what a lesson needs


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A Python with pip and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=True)
    return folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def started(python, lesson, **settings):
    code = f"import runpy\nrunpy.run_path({start.__file__!r})['start']({lesson!r}, {plan.version()!r})"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    settings = {"PIP_CONFIG_FILE": os.devnull, **settings}
    return subprocess.run([python, "-c", code], env=environment | settings, capture_output=True, text=True)


def frozen(python):
    done = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True)
    return {canonicalize_name(line) for line in done.stdout.split()}


def test_a_lesson_installs_what_it_needs_once_and_nothing_else(bare, tmp_path):
    for wheel in start.TRAINING + start.PRETRAINED:
        name, version = wheel.replace("-", "_").split("==")
        with zipfile.ZipFile(tmp_path / f"{name}-{version}-py3-none-any.whl", "w") as packed:
            about = f"{name}-{version}.dist-info"
            packed.writestr(f"{name}/__init__.py", "")
            packed.writestr(
                f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: torch\n"
            )
            packed.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            packed.writestr(f"{about}/RECORD", "")
    there = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    for lesson, wheels in [
        ("02_overlap", ()),
        ("06_decoder", start.TRAINING),
        ("10_baseline", start.NEEDED["10_baseline"]),
    ]:
        done = started(bare, lesson, **there)
        assert (done.returncode, done.stderr, done.stdout) == (0, "", f"The course {plan.version()} is ready.\n")
        assert frozen(bare) == {canonicalize_name(wheel) for wheel in wheels}
    done = started(bare, "10_baseline", PIP_NO_INDEX="1")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_cannot_be_installed_is_said_in_one_line_with_what_to_do(tmp_path, closed):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = started(python, "07_skips", PIP_INDEX_URL=closed, PIP_RETRIES="0")
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        f"RuntimeError: This lesson needs {', '.join(start.TRAINING)}, and pip cannot install it: ERROR:"
    )
    assert last.endswith("See that this computer is online, then run this cell again.")


def test_the_packages_are_those_of_the_tested_versions_and_of_the_lessons_that_import_them():
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert {*start.TRAINING, *start.PRETRAINED} <= {*pinned}
    for lesson in build.lesson_names():
        text = (build.LESSONS / f"{lesson}.py").read_text(encoding="utf-8")
        needed = start.NEEDED.get(lesson, ())
        assert ("helpers.training" in text) == (set(start.TRAINING) <= set(needed)), lesson
        assert ("helpers.baseline" in text) == (set(start.PRETRAINED) <= set(needed)), lesson
