"""What is made of a measurement of the pieces. The measurement itself needs a browser, and is not asserted on."""

import json

import pytest

from autograde.bench import widgets

ROW = {"piece": "loss", "what": "share", "median_ms": 55, "slowest_ms": 80, "times": 15}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(widgets, "STORED", tmp_path / "widgets.json")
    monkeypatch.setattr(widgets, "PAGE", tmp_path / "widgets.md")
    monkeypatch.setattr(widgets, "SCRIPT", tmp_path / "script.py")
    return tmp_path


def test_what_was_measured_is_stored_and_written_down(place):
    script = "import os, pathlib\ndef test_it(): pathlib.Path(os.environ['BENCH_WIDGETS']).write_text({!r})"
    script = script.format(json.dumps([ROW]))
    (place / "script.py").write_text(script, encoding="utf-8")
    assert widgets.run() == [ROW]
    assert json.loads((place / "widgets.json").read_text(encoding="utf-8"))["results"] == [ROW]
    assert "| loss | share | 55 | 80 | 15 |" in (place / "widgets.md").read_text(encoding="utf-8")


def test_a_measurement_that_fails_says_why_and_stores_nothing(place):
    (place / "script.py").write_text("def test_it(): assert 'no' == 'browser'", encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"could not be measured:(.|\n)*'no' == 'browser'"):
        widgets.run()
    assert not (place / "widgets.json").exists()
