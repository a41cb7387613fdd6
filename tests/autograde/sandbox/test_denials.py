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


def test_the_command_says_which_walls_stand():
    done = subprocess.run([sys.executable, "-m", "autograde.sandbox"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT DENIED" not in done.stdout
    assert "in force: limits, no capabilities, no new privileges, Landlock" in done.stdout


def test_where_a_wall_is_missing_nothing_runs(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="darwin has no Landlock.*WSL2 or in a container"):
        Warm()


def test_a_folder_with_something_hidden_in_it_is_read_in_parts(tmp_path):
    for name in ("a/secret", "a/open", "b/open"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    shown = lock.without([tmp_path], [tmp_path / "a" / "secret"])
    assert {path.relative_to(tmp_path) for path in shown} == {Path("a/open"), Path("b")}
    assert lock.without([tmp_path], []) == [tmp_path]
