"""What students' code may not do, tried for real."""

import subprocess
import sys
from pathlib import Path

import pytest

from autograde.sandbox import lock
from autograde.sandbox.__main__ import DENIED, tried
from autograde.sandbox.locked import SandboxError, Warm


@pytest.fixture(scope="module")
def warm():
    with Warm() as started:
        yield started


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "secret").write_text("not for students")
    return tmp_path / "secret"


@pytest.mark.parametrize("what", DENIED)
def test_it_is_denied(warm, secret, what):
    assert tried(what, warm, secret)
    assert secret.read_text() == "not for students"
    assert [path.name for path in secret.parent.iterdir()] == ["secret"]


def test_what_is_allowed_is_no_denial(warm, secret, monkeypatch):
    monkeypatch.setitem(DENIED, "compute", "import torch; return float(torch.ones(3).sum())")
    monkeypatch.setitem(DENIED, "read what is not there", "return open('/usr/nothing').read()")
    assert tried("compute", warm, secret) == ""
    assert tried("read what is not there", warm, secret) == ""


def sandbox(*confined_by: str) -> subprocess.CompletedProcess[str]:
    """`python -m autograde.sandbox`, maybe confined before it starts."""
    command = [sys.executable, "-m", *confined_by, "autograde.sandbox"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    ("confined_by", "stand", "not_there"),
    [
        ((), ["namespaces", "Landlock"], []),
        (["tests.hostile.docker"], ["Landlock"], ["namespaces"]),
        (["tests.hostile.older"], ["namespaces"], ["Landlock"]),
    ],
)
def test_all_is_denied_with_the_walls_there_are(confined_by, stand, not_there):
    done = sandbox(*confined_by)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\ndenied") + 1 == len(DENIED)
    in_force = done.stdout.splitlines()[-1]
    assert in_force.startswith("in force: limits, no capabilities, no new privileges, ")
    assert in_force.endswith("seccomp")
    assert all(wall in in_force for wall in stand)
    assert not any(wall in in_force for wall in not_there)


def test_where_neither_wall_around_files_stands_nothing_runs():
    done = sandbox("tests.hostile.older", "tests.hostile.docker")
    assert done.returncode == 1
    for word in ("Landlock", "bubblewrap", "Linux 6.2", "WSL2", "container", "`--unsafe`"):
        assert word in done.stdout
    assert done.stderr == ""


def test_where_there_is_no_linux_nothing_runs(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="darwin has no Landlock.*WSL2 or in a container"):
        Warm()


def test_it_says_so_where_python_has_no_such_modules_either():
    """As on Windows."""
    source = "import sys; sys.modules['fcntl'] = sys.modules['resource'] = None; sys.platform = 'other'; "
    source += "import autograde.worker, autograde.sandbox.__main__ as sandbox; sys.exit(sandbox.main())"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert done.stdout.startswith("Students' code cannot be locked in here: other has no Landlock")


def test_a_folder_with_something_hidden_in_it_is_read_in_parts(tmp_path):
    for name in ("a/secret", "a/open", "b/open"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    shown = lock.without([tmp_path], [tmp_path / "a" / "secret"])
    assert {path.relative_to(tmp_path) for path in shown} == {Path("a/open"), Path("b")}
    assert lock.without([tmp_path], []) == [tmp_path]
