"""course.py: what it decides, what it says, and two real set-ups in a small project with stand-ins for torch."""

from __future__ import annotations

import ast
import functools
import http.server
import importlib.util
import io
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
POSIX = os.name == "posix"
PAIR = {"torch": "2.15.0", "torchvision": "0.29.2"}


def load_course():
    spec = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


course = load_course()


# ---- An index on 127.0.0.1 and tiny wheels ---------------------------------------------------------------------


def wheel(folder: Path, name: str, version: str, files: dict[str, str], *metadata: str) -> None:
    """Write a wheel that pip installs like any other, and an index page that lists it."""
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    links = [f'<a href="{path.name.replace("+", "%2B")}">{path.name}</a>' for path in sorted(folder.glob("*.whl"))]
    (folder / "index.html").write_text("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>")


def pair_of_wheels(folder: Path, label: str, torch: str = PAIR["torch"], vision_label: str | None = None) -> None:
    """Stand-ins for a torch and a torchvision; a torchvision built for another torch fails at import, as real ones."""
    vision_label = label if vision_label is None else vision_label
    wheel(folder, "torch", f"{torch}{label}", {"torch/__init__.py": f"__version__ = '{torch}{label}'\ntensor = list\n"})
    vision = (
        "import types, torch\n"
        f"__version__ = '{PAIR['torchvision']}{vision_label}'\n"
        f"if not torch.__version__.endswith('{vision_label or torch}'):\n"
        "    raise RuntimeError('operator torchvision::nms does not exist')\n"
        "class Kept(list):\n    tolist = list.copy\n"
        "ops = types.SimpleNamespace(nms=lambda boxes, scores, threshold: Kept([0]))\n"
    )
    version = f"{PAIR['torchvision']}{vision_label}"
    wheel(folder, "torchvision", version, {"torchvision/__init__.py": vision}, "Requires-Dist: torch")


@pytest.fixture(scope="module")
def serve():
    """Serves folders over HTTP as package indexes do; a call returns an address."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    def start(folder: Path) -> str:
        handler = functools.partial(Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


# A build backend of its own, so that the editable install needs nothing from any index.
BACKEND = """
import os, shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    return os.path.basename(shutil.copy("tiny/tiny-0-py3-none-any.whl", folder))
"""


def write_project(root: Path) -> Path:
    """A checkout as course.py sees it: a project with two dependencies, and a command line that tells its arguments."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "course.py", root)
    (root / "backend.py").write_text(BACKEND)
    wheel(root, "tiny", "0", {"tiny.pth": f"{root}\n"}, *(f"Requires-Dist: {name}" for name in PAIR))
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tiny"\nversion = "0"\n\n[tool.ruff]\nline-length = 120\n'
    )
    (root / "constraints.txt").write_text("".join(f"{name}=={version}\n" for name, version in PAIR.items()))
    (root / "autograde").mkdir(exist_ok=True)
    (root / "autograde" / "__init__.py").touch()
    (root / "autograde" / "cli.py").write_text("import os, sys\nprint(sys.argv[1:], os.getcwd())\nsys.exit(7)\n")
    return root


@pytest.fixture(scope="module")
def indexes(tmp_path_factory, serve, closed):
    """Indexes with a working pair, with a pair that does not fit, with an old one, and an address that is none."""
    folder = tmp_path_factory.mktemp("indexes")
    pair_of_wheels(folder / "cpu", "+cpu")
    pair_of_wheels(folder / "default", "")
    pair_of_wheels(folder / "mixed", "+cpu", vision_label="+cu130")
    pair_of_wheels(folder / "old", "+cpu", torch="2.13.0")
    address = serve(folder)
    return {"closed": closed} | {name: f"{address}/{name}" for name in ("cpu", "default", "mixed", "old")}


@pytest.fixture(scope="module")
def project(tmp_path_factory, indexes):
    """A project that was set up once, from nothing, with the CPU index; `printed` holds what that said."""
    root = write_project(tmp_path_factory.mktemp("a place with spaces") / "course")
    with pytest.MonkeyPatch.context() as patch:
        isolate_pip(patch, indexes)
        printed = io.StringIO()
        patch.setattr(sys, "stdout", printed)
        course.set_up(root)
    (root / "printed").write_text(printed.getvalue())
    return root


def isolate_pip(patch: pytest.MonkeyPatch, indexes: dict[str, str]) -> None:
    """pip sees the indexes of this test and nothing of this machine's; no GPU is seen; every system is Linux."""
    for name in [name for name in os.environ if name.upper().startswith("PIP_") or name.lower().endswith("_proxy")]:
        patch.delenv(name)
    for name, value in {"CONFIG_FILE": os.devnull, "INDEX_URL": indexes["default"], "RETRIES": "1"}.items():
        patch.setenv(f"PIP_{name}", value)
    patch.setattr(course, "CPU_INDEX", indexes["cpu"])
    patch.setattr(course, "nvidia_driver", lambda: "")
    patch.setattr(course.platform, "system", lambda: "Linux")
    patch.setattr(course, "enough_room", lambda root, gigabytes: None)


@pytest.fixture
def isolated(monkeypatch, indexes):
    isolate_pip(monkeypatch, indexes)
    return monkeypatch


def site_packages(root: Path) -> Path:
    (site,) = [*root.glob(".venv/lib/python*/site-packages"), *root.glob(".venv/Lib/site-packages")]
    return site


def forget(root: Path, *names: str) -> None:
    """Take packages out of the .venv behind pip's back, and the stamp with them."""
    (root / ".venv" / "course.json").unlink()
    for name in names:
        for path in [site_packages(root) / name, *site_packages(root).glob(f"{name}-*.dist-info")]:
            shutil.rmtree(path, ignore_errors=True)


def versions(root: Path) -> list[str]:
    code = "import torch, torchvision; print(torch.__version__, torchvision.__version__)"
    return subprocess.check_output([course.venv_python(root), "-c", code], text=True).split()


# ---- Set-up, for real ------------------------------------------------------------------------------------------


def test_the_first_run_takes_the_pair_from_the_cpu_index(project, indexes):
    printed = (project / "printed").read_text()
    assert versions(project) == ["2.15.0+cpu", "0.29.2+cpu"]
    assert "[1/4] making .venv: there is none yet" in printed
    assert f"[2/4] torch and torchvision from {indexes['cpu']}: no NVIDIA driver is seen" in printed
    assert "[4/4]" in printed
    assert "already satisfied" not in printed


def test_the_second_run_is_quick_and_installs_nothing(project, monkeypatch):
    monkeypatch.setattr(course, "install", lambda *args: pytest.fail("installed again"))
    began = time.monotonic()
    assert course.set_up(project) == course.venv_python(project)
    assert time.monotonic() - began < 2


def test_a_working_pair_is_left_alone(project, isolated, indexes, capsys):
    forget(project)
    before = versions(project)
    isolated.setattr(course, "CPU_INDEX", indexes["mixed"])
    isolated.setenv("PIP_INDEX_URL", indexes["closed"])
    course.set_up(project)
    assert versions(project) == before
    assert "Installing collected packages: torch" not in capsys.readouterr().out


def test_a_pair_that_fits_nowhere_is_a_problem(project, isolated, indexes):
    forget(project, "torch", "torchvision")
    isolated.setattr(course, "CPU_INDEX", indexes["mixed"])
    isolated.setenv("PIP_INDEX_URL", indexes["mixed"])
    with pytest.raises(course.Problem, match=r"do not work together: .*nms does not exist(?s:.*)delete the folder"):
        course.set_up(project)
    assert not course.is_ready(project)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("mixed", "operator torchvision::nms does not exist\n      so both come again"),
        ("old", "That failed, so both come from the default package index."),
    ],
)
def test_an_index_without_a_pair_that_fits_is_said_and_passed_over(project, isolated, indexes, capsys, index, said):
    forget(project, "torch", "torchvision")
    isolated.setattr(course, "CPU_INDEX", indexes[index])
    course.set_up(project)
    assert said in capsys.readouterr().out
    assert versions(project) == ["2.15.0", "0.29.2"]


def test_a_package_that_was_cut_off_is_installed_again(project, isolated):
    forget(project)
    site = site_packages(project)
    (info,) = site.glob("torch-*.dist-info")
    (info / "INSTALLER").unlink()
    (site / "torch" / "__init__.py").unlink()
    (site / "~orch").mkdir()
    course.set_up(project)
    assert versions(project)[0].startswith("2.15.0")
    assert not (site / "~orch").exists()


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("mixed", r"do not work together: .*nms does not exist(?s:.*)delete the folder"),
        ("closed", r"no network(?s:.*)set HTTPS_PROXY"),
    ],
)
def test_without_any_pair_there_is_a_problem_and_no_stamp(project, isolated, indexes, index, said):
    forget(project, "torch", "torchvision")
    isolated.setattr(course, "CPU_INDEX", indexes[index])
    isolated.setenv("PIP_INDEX_URL", indexes[index])
    with pytest.raises(course.Problem, match=said):
        course.set_up(project)
    assert not course.is_ready(project)


def test_other_verbs_go_to_the_command_line_with_their_exit_code(project, isolated, tmp_path):
    if not course.is_ready(project):
        course.set_up(project)
    command = [sys.executable, str(project / "course.py"), "grade", "--submissions", "here"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (result.returncode, result.stdout.strip()) == (7, f"['grade', '--submissions', 'here'] {tmp_path}")


def test_lab_stops_where_the_notebooks_cannot_be_built(project, isolated, capfd):
    with pytest.raises(course.Problem, match=r"could not be built \(exit code 7"):
        course.lab(project, str(course.venv_python(project)), [])
    assert "['build', '--if-stale']" in capfd.readouterr().out


def test_lab_passes_its_options_on(project, monkeypatch):
    seen = []
    monkeypatch.setattr(course.subprocess, "call", lambda *args, **kwargs: 0)
    monkeypatch.setattr(course, "hand_over", lambda root, command, cwd: seen.extend(command) or 0)
    assert course.lab(project, "python", ["--no-browser", "--port", "8899"]) == 0
    assert seen[:4] == ["python", "-m", "jupyterlab", f"--ServerApp.root_dir={project / 'notebooks'}"]
    assert seen[4:7] == ["--no-browser", "--port", "8899"]


@pytest.mark.parametrize("instructor", [False, True])
def test_students_see_no_instructor_tools_in_jupyterlab(project, monkeypatch, instructor):
    seen = []
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")  # and as it was afterwards
    monkeypatch.setattr(course.subprocess, "call", lambda *args, **kwargs: 0)
    monkeypatch.setattr(course, "hand_over", lambda root, command, cwd: seen.extend(command) or 0)
    shutil.copytree(course.ROOT / "helpers" / "lab", project / "helpers" / "lab", dirs_exist_ok=True)
    assert course.lab(project, "python", ["--instructor"] * instructor) == 0
    assert "--instructor" not in seen
    said = "from jupyterlab_server.config import get_page_config as c; print(c([]).get('disabledExtensions'))"
    off = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout
    assert ("@jupyter/nbgrader:create-assignment" in off) != instructor


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        (["--launch", "colab"], ["python", "-m", "tests.launch", "colab"]),
        (["-k", "dice"], ["python", "-m", "pytest", "-n", "auto", "-k", "dice"]),
    ],
)
def test_what_runs_before_a_release_is_not_what_runs_otherwise(monkeypatch, arguments, ran):
    seen = []
    monkeypatch.setattr(course, "set_up", lambda root: "python")
    monkeypatch.setattr(course, "hand_over", lambda root, command, cwd: seen.extend(command) or 0)
    assert course.main(["test", *arguments]) == 0
    assert seen == ran


@pytest.mark.skipif(not POSIX, reason="locks with fcntl")
def test_a_second_course_waits_for_the_first(project, isolated):
    import fcntl

    forget(project)
    with open(project / ".venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command, out = [sys.executable, str(project / "course.py"), "grade"], subprocess.PIPE
        waiting = subprocess.Popen(command, cwd=project, stdout=out, stderr=subprocess.STDOUT, text=True)
        assert waiting.stdout.readline() == "Another course.py is installing here; waiting for it to finish.\n"
        course.write_stamp(project, course.wanted_stamp(project))  # what the first would do before it ends
    rest, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 7, rest
    assert "[1/4]" not in rest


# ---- What is wrong with a .venv --------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path):
    return write_project(tmp_path / "course")


def test_no_venv_one_only_begun_and_one_without_pip(bare):
    assert course.what_is_wrong(bare) == "there is none yet"
    (bare / ".venv").mkdir()
    assert course.what_is_wrong(bare) == "its Python is gone"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare / ".venv"], check=True)
    assert course.what_is_wrong(bare) == "its Python or its pip does not work"


@pytest.mark.skipif(not POSIX, reason="symbolic links, and a shell script that stands in for Python")
def test_a_venv_whose_python_was_removed_or_is_another(bare):
    python = course.venv_python(bare)
    python.parent.mkdir(parents=True)
    python.symlink_to(bare / "removed" / "python3")
    assert course.what_is_wrong(bare) == "its Python is gone"
    python.unlink()
    python.write_text("#!/bin/sh\necho 3.9\n")
    python.chmod(0o755)
    here = "{}.{}".format(*sys.version_info)
    assert course.what_is_wrong(bare) == f"it was made by Python 3.9, and this is Python {here}"
    python.write_bytes(b"\x7fELF of another machine")
    assert course.what_is_wrong(bare) == "its Python does not start"


def test_a_venv_that_was_copied_or_whose_stamp_cannot_be_read(project, tmp_path):
    course.write_stamp(project, course.wanted_stamp(project))
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True)
    assert course.what_is_wrong(project) == ""
    assert course.what_is_wrong(copy) == f"it was copied or moved here from {project}"
    assert not course.is_ready(copy)
    (copy / ".venv" / "course.json").write_text('{"root": "/som')
    assert course.read_stamp(copy) == {}


@pytest.mark.skipif(not POSIX, reason="symbolic links")
def test_a_link_to_the_venv_of_another_project_is_refused_and_what_it_leads_to_is_left_alone(bare, tmp_path):
    theirs = tmp_path / "theirs"
    (theirs / "bin").mkdir(parents=True)
    (theirs / "bin" / "kept").write_text("kept")
    (bare / ".venv").symlink_to(theirs, target_is_directory=True)
    with pytest.raises(course.Problem) as raised:
        course.make_venv(bare)
    assert "delete the link .venv" in str(raised.value)
    assert (theirs / "bin" / "kept").read_text() == "kept"


@pytest.mark.parametrize(
    ("file", "before", "after", "changes"),
    [
        ("constraints.txt", "torch==2.15.0", "torch==2.15.1", True),
        ("pyproject.toml", 'version = "0"', 'version = "0"\ndependencies = ["rich"]', True),
        ("pyproject.toml", "line-length = 120", "line-length = 100", False),
    ],
)
def test_the_stamp_changes_with_what_is_installed_and_nothing_else(bare, file, before, after, changes):
    stamp = course.wanted_stamp(bare)
    text = (bare / file).read_text()
    assert before in text
    (bare / file).write_text(text.replace(before, after))
    assert (course.wanted_stamp(bare) != stamp) == changes


def test_the_stamp_does_not_depend_on_line_endings(bare):
    stamp = course.wanted_stamp(bare)
    for name in ("constraints.txt", "pyproject.toml"):
        (bare / name).write_bytes((bare / name).read_bytes().replace(b"\n", b"\r\n"))
    assert course.wanted_stamp(bare) == stamp


# ---- Which index -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "driver", "index", "said"),
    [
        ("Linux", "", course.CPU_INDEX, "no NVIDIA driver is seen, and this build is gigabytes smaller"),
        ("Linux", "/usr/bin/nvidia-smi", None, "an NVIDIA driver is here (/usr/bin/nvidia-smi), so the CUDA build"),
        ("Darwin", "", None, "on this system it holds no CUDA build"),
        ("Windows", "", None, "on this system it holds no CUDA build"),
    ],
)
def test_the_cpu_index_on_linux_without_a_driver_and_else_the_default(system, driver, index, said, monkeypatch):
    monkeypatch.setattr(course.platform, "system", lambda: system)
    monkeypatch.setattr(course, "nvidia_driver", lambda: driver)
    assert course.choose_index() == (index, said)


def test_a_driver_is_seen_by_its_file_or_by_its_program(tmp_path, monkeypatch):
    monkeypatch.setattr(course.shutil, "which", lambda name: None)
    assert course.nvidia_driver(str(tmp_path / "version")) == ""
    (tmp_path / "version").touch()
    assert course.nvidia_driver(str(tmp_path / "version")) == str(tmp_path / "version")
    monkeypatch.setattr(course.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert course.nvidia_driver(str(tmp_path / "no")) == "/usr/bin/nvidia-smi"


# ---- What it says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "what", "todo"),
    [
        (
            "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'NameResolutionError("
            "\"HTTPSConnection(host='pypi.org', port=443): Failed to resolve 'pypi.org' ([Errno -3] Temporary failure"
            " in name resolution)\")': /simple/rich/\n"
            "ERROR: Could not find a version that satisfies the requirement rich (from versions: none)\n"
            "ERROR: No matching distribution found for rich\n",
            "no network",
            "check the connection",
        ),
        (
            "ERROR: Could not install packages due to an OSError: HTTPSConnectionPool(host='pypi.org', port=443): "
            "Max retries exceeded with url: /simple/pip/ (Caused by ProxyError('Unable to connect to proxy'))\n",
            "no network",
            "HTTPS_PROXY",
        ),
        ("ERROR: an OSError: [Errno 28] No space left on device\n", "no disk space", "free some space"),
        (
            "ERROR: Could not install packages due to an OSError: [WinError 32] The process cannot access the file "
            "because it is being used by another process: 'torch.dll'\n",
            "cannot be written",
            "close JupyterLab",
        ),
        ("PermissionError: [Errno 13] Permission denied: '/opt/course/.venv.lock'", "cannot be written", "a folder of"),
        (
            "ERROR: Could not find a version that satisfies the requirement torch==2.15.0 (from versions: 2.2.1, 2.2.2)"
            "\nERROR: No matching distribution found for torch==2.15.0\n",
            "torch==2.15.0 has no wheel for Python",
            "Binder or Colab",
        ),
        (
            "ERROR: Cannot install numpy because these package versions have conflicting dependencies.\n\n"
            "The conflict is caused by:\n    The user requested (constraint) numpy==2.4.6\n\n"
            "Additionally, some packages in these conflicts have no matching distributions available for your "
            "environment:\n    numpy\n\nERROR: ResolutionImpossible: for help visit https://pip.pypa.io\n",
            "numpy has no wheel for Python",
            "Binder or Colab",
        ),
        ("Processing .\nERROR: metadata-generation-failed\n", "installing failed", "run the same command again"),
    ],
)
def test_failures_are_explained(output, what, todo, tmp_path):
    message = str(course.explain(output, tmp_path))
    assert what in message.partition("The rule:")[0]
    assert todo in message.partition("What to do:")[2]


def test_too_little_disk_is_said_before_the_download(tmp_path, monkeypatch):
    monkeypatch.setattr(course.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 2_500_000_000))
    with pytest.raises(course.Problem, match=r"2\.5 GB are free(?s:.*)needs up to 9 GB"):
        course.enough_room(tmp_path, 9)
    course.enough_room(tmp_path, 2)


def test_a_python_without_ensurepip_is_explained(bare, monkeypatch):
    answer = "The virtual environment was not created successfully because ensurepip is not available."
    failed = subprocess.CompletedProcess([], 1, stdout=answer, stderr="")
    monkeypatch.setattr(course.subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(course.Problem, match=r"apt install python3\.\d+-venv"):
        course.make_venv(bare)


def test_a_python_that_is_too_new_is_explained(bare, monkeypatch):
    monkeypatch.setattr(course.sys, "version_info", (3, 99, 0))
    with pytest.raises(course.Problem, match=r"too new(?s:.*)python3\.14 course\.py lab"):
        course.set_up(bare)
    assert not (bare / ".venv").exists()


@pytest.mark.parametrize(
    ("line", "logged"),
    [
        ("  Downloading torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl (539.1 MB)\n", True),
        ("Downloading https://a.org/whl/torch-2.15.0%2Bcpu-cp311-cp311-linux_x86_64.whl (1.2 GB)", True),
        ("Installing collected packages: mpmath, sympy, torch\n", True),
        ("ERROR: No matching distribution found for torch==9\n", True),
        ("WARNING: Retrying (Retry(total=4)) after connection broken by ...", True),
        ("Requirement already satisfied: rich in ./x", False),
        ("Downloading rich-15.0.0-py3-none-any.whl (310 kB)", False),
    ],
)
def test_a_log_holds_large_downloads_what_is_installed_and_complaints(line, logged):
    assert bool(course.LOGGED.match(line)) == logged


def test_an_old_python_can_read_the_file_and_is_told(monkeypatch):
    source = (ROOT / "course.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    assert "from __future__ import annotations" not in source  # 3.6 does not know it
    monkeypatch.setattr(sys, "version_info", (3, 6, 15))
    with pytest.raises(SystemExit, match=r"too old(?s:.*)Python 3\.10 to 3\.14"):
        runpy.run_path(str(ROOT / "course.py"), run_name="__main__")


def test_only_the_standard_library_is_imported():
    tree = ast.parse((ROOT / "course.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)


def test_usage(capsys):
    for argv in ([], ["--help"], ["-h"], ["help"]):
        assert course.main(argv) == 0
        assert "python course.py lab [--no-browser] [--port N]" in capsys.readouterr().out
    assert course.main(["--port", "8899"]) == 2
    assert "a verb comes first" in capsys.readouterr().err


def test_doctor_without_a_venv_says_what_to_do_and_installs_nothing(bare):
    result = subprocess.run([sys.executable, bare / "course.py", "doctor"], capture_output=True, text=True)
    assert result.returncode == 1
    assert re.search(r"not usable: there is none yet\n.*python course\.py lab", result.stdout)
    assert not (bare / ".venv").exists()
    assert not (bare / ".venv.lock").exists()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "stopped. The same command goes on"),
        (course.Problem("it rains", "it must not", "wait"), 1, "course.py: it rains\n  The rule:   it must not\n"),
        (PermissionError(13, "Permission denied", "constraints.txt"), 1, "cannot be written"),
        (OSError(28, "No space left on device"), 1, "no disk space"),
    ],
)
def test_no_traceback_for_what_the_reader_can_put_right(error, code, said, monkeypatch, capsys):
    def fail(root):
        raise error

    monkeypatch.setattr(course, "set_up", fail)
    assert course.main(["lab"]) == code
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed


@pytest.mark.skipif(not POSIX, reason="signals")
def test_control_c_during_the_set_up_ends_without_a_traceback(tmp_path, serve, isolated):
    root = write_project(tmp_path / "course")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    listens = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, root / "course.py", "lab"], start_new_session=True, **listens, **out)
    assert process.stdout.readline().startswith("[1/4] making .venv")
    os.killpg(process.pid, signal.SIGINT)  # the terminal sends it to the whole group
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "course.py: stopped." in errors
    assert "Traceback" not in errors


def test_what_runs_in_the_venv_sees_its_packages_only(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    env = course.environment(ROOT)
    assert "PYTHONPATH" not in env
    assert "PYTHONHOME" not in env
    assert env["PATH"].split(os.pathsep)[0] == str(course.venv_python(ROOT).parent)
