"""A bar on one line: in a terminal and in a notebook that somebody looks at, and nowhere else."""

import io
import sys

import pytest

from helpers import frontend, progress_bar
from helpers.progress_bar import with_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def slow(monkeypatch):
    """All work counts as slow enough for a bar."""
    monkeypatch.setattr(progress_bar, "DELAY_S", 0.0)


def test_items_come_as_they_are_and_a_terminal_counts_them(monkeypatch, slow):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(with_progress(["a", "b", "c"], "Reading")) == ["a", "b", "c"]
    last = sys.stderr.getvalue().split("\r")[-1]
    assert last.startswith("Reading: 100%")
    assert "3/3" in last


def test_quick_work_says_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert sum(with_progress(range(5), "Adding")) == 10
    assert sys.stderr.getvalue() == ""


def test_nothing_is_written_where_nobody_watches(capsys, slow):
    assert sum(with_progress(range(5), "Adding")) == 10
    assert capsys.readouterr() == ("", "")


def test_a_notebook_has_it_in_its_ordinary_output(monkeypatch, capsys, slow):
    monkeypatch.setattr(frontend, "is_interactive", lambda: True)
    assert sum(with_progress(range(5), "Adding")) == 10
    out, err = capsys.readouterr()
    assert "Adding: 100%" in out
    assert err == ""
