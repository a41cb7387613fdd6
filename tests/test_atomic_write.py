"""A file is written whole or not at all."""

import os
import stat

import pytest

from helpers.atomic_write import atomic_write


def test_a_file_and_the_folders_on_its_way_are_written(tmp_path):
    atomic_write(tmp_path / "a" / "b.txt", b"whole")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"whole"
    assert os.listdir(tmp_path / "a") == ["b.txt"]


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_what_is_cut_short_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, broken):
    def cut(*arguments):
        raise KeyboardInterrupt

    atomic_write(tmp_path / "a.txt", b"before")
    monkeypatch.setattr(os, broken, cut)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "a.txt", b"after")
    assert (tmp_path / "a.txt").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_others_may_read_what_the_umask_lets_them(tmp_path):
    before = os.umask(0o022)
    try:
        atomic_write(tmp_path / "a.txt", b"whole")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o644
