"""One line that is replaced: in a terminal, and nowhere else without being asked."""

import io
import sys

import pytest

from helpers import working as module
from helpers.working import Line, in_words, with_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal(monkeypatch, first=0.0, each=0.0):
    """A terminal in the place of standard error, which pytest sets anew for each test."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(module, "FIRST_S", first)
    monkeypatch.setattr(module, "EACH_S", each)
    return sys.stderr


def test_items_come_as_they_are_and_the_line_counts_them(monkeypatch):
    written = terminal(monkeypatch)
    assert list(with_progress(["a", "b", "c"], "Reading")) == ["a", "b", "c"]
    lines = written.getvalue().split("\r")
    assert [line.strip() for line in lines[1:]] == [
        "Reading: 1 of 3, about 0 s left",
        "Reading: 2 of 3, about 0 s left",
        "Reading: all 3 in 0 s",
    ]
    assert written.getvalue().endswith("\n")


def test_quick_work_says_nothing(monkeypatch):
    written = terminal(monkeypatch, first=1.0)
    assert sum(with_progress(range(5), "Adding")) == 10
    assert written.getvalue() == ""


def test_nothing_is_written_where_nobody_watches(monkeypatch, capsys):
    monkeypatch.setattr(module, "FIRST_S", 0.0)
    line = Line()
    line.say("half")
    line.end("done")
    assert capsys.readouterr() == ("", "")


def test_a_shorter_text_covers_the_longer_one_and_a_long_one_does_not_wrap(monkeypatch):
    written = terminal(monkeypatch)
    line = Line()
    line.say("x" * 500)
    width = len(written.getvalue()) - 1
    assert width < 500
    line.end("done")
    assert written.getvalue().split("\r")[-1] == "done".ljust(width) + "\n"


def test_a_line_changes_no_more_often_than_it_can_be_read(monkeypatch):
    written = terminal(monkeypatch, each=10.0)
    line = Line()
    for k in range(1000):
        line.say(str(k))
    assert written.getvalue().count("\r") == 1


def test_one_line_in_a_notebook(monkeypatch, capsys):
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/plain"])

    def display(data, raw, display_id):
        shown.append(data["text/plain"])
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(module.host, "is_interactive", lambda: True)
    monkeypatch.setattr(module, "FIRST_S", 0.0)
    monkeypatch.setattr(module, "EACH_S", 0.0)
    line = Line()
    line.say("one")
    line.end("two")
    assert shown == ["one", "two"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-3, "0 s")],
)
def test_times_in_words(seconds, said):
    assert in_words(seconds) == said
