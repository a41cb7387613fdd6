"""The doctor says what is here, and still speaks where much is missing."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from helpers import doctor as doctor_module
from helpers.doctor import Report, report, text

ROOT = Path(__file__).resolve().parents[1]


def test_the_report_is_plain_data_and_its_text_names_everything():
    found = report()
    assert json.loads(json.dumps(dataclasses.asdict(found))) == dataclasses.asdict(found)
    assert set(found.datasets) == {"nuclei", "brain", "cells", "pets", "folder", "models"}
    assert found.datasets["nuclei"] == found.datasets["brain"] == "here, checksums right"
    assert "in torch; this process may use" in found.threads
    shown = text(found)
    for label in ("system", "device", "threads", "data sets", "browser", "missing"):
        assert any(line.startswith(label) for line in shown.splitlines()), label


def test_what_is_missing_comes_with_what_to_do(monkeypatch):
    def version(name):
        if name == "pooch":
            raise importlib.metadata.PackageNotFoundError(name)
        return {"torch": "2.15.0+cpu", "rich": "1.0"}[name]

    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["torch>=2.6", "rich>=13", 'pooch; extra == "x"'])
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(doctor_module, "_pins", lambda path: {"torch": "2.15.0", "rich": "15.0.0"})
    found = Report()
    doctor_module._look_at_packages(found)
    assert found.versions == {"torch": "2.15.0+cpu", "rich": "1.0", "pooch": ""}
    assert found.untested == {"rich": "15.0.0"}
    [missing] = found.missing
    assert missing.startswith("the package pooch: python course.py lab")
    assert "rich 1.0 (tested: 15.0.0)" in text(found)


def test_outside_of_a_checkout_no_extra_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["torch>=2.6", 'not-here; extra == "class"'])
    monkeypatch.setattr(doctor_module, "__file__", str(tmp_path / "helpers" / "doctor.py"))
    found = Report()
    doctor_module._look_at_packages(found)
    assert list(found.versions) == ["torch"]
    assert not found.missing


def test_altered_data_is_named(tmp_path, monkeypatch):
    from helpers.data import files

    shutil.copytree(ROOT / "datasets", tmp_path / "datasets", ignore=shutil.ignore_patterns("cache"))
    monkeypatch.setattr(files, "root", lambda: tmp_path / "datasets")
    monkeypatch.setattr(files, "cache", lambda: tmp_path)
    (tmp_path / "datasets" / "nuclei" / "image.png").write_bytes(b"cut short")
    found = Report()
    doctor_module._look_at_datasets(found)
    assert found.datasets["nuclei"] == "broken"
    assert found.datasets["brain"] == "here, checksums right"
    assert found.datasets["pets"].startswith("not downloaded")
    [missing] = found.missing
    assert "image.png" in missing


def test_it_speaks_where_the_course_cannot_be_imported(tmp_path):
    """As course.py runs it: as a file, in a .venv in which a package is missing."""
    (tmp_path / "course.py").touch()
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "__init__.py").write_text("import anywidget_is_not_here\n")
    file = shutil.copy(ROOT / "helpers" / "doctor.py", tmp_path / "helpers")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run([sys.executable, "-S", file], capture_output=True, text=True, env=env)
    assert result.returncode == 1, result.stderr
    assert "the course itself is not installed" in result.stdout
    assert "cannot be imported: ModuleNotFoundError" in result.stdout
    assert not result.stderr


def test_a_course_that_was_fetched_is_no_installed_package_and_does_not_miss_that(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor_module, "DISTRIBUTION", "not-there")
    monkeypatch.setattr(doctor_module, "__file__", str(tmp_path / "helpers" / "doctor.py"))
    found = Report()
    doctor_module._look_at_packages(found)
    assert found.missing == []
    assert found.versions["torch"] == importlib.metadata.version("torch")


def test_it_runs_as_a_module():
    result = subprocess.run([sys.executable, "-m", "helpers.doctor"], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode in (0, 1)
    assert "data sets" in result.stdout
    assert not result.stderr
