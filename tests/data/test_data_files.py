"""Files of the sets: nothing missing, cut short or altered is ever used."""

import hashlib

import pytest

from helpers import data
from helpers.data import files


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of datasets/nuclei that the course takes for its own."""
    source = files.root() / "nuclei"
    folder = tmp_path / "nuclei"
    folder.mkdir()
    for path in source.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(files, "root", lambda: tmp_path)
    return folder


@pytest.mark.parametrize(
    ("file", "damage", "says"),
    [
        ("image.png", lambda whole: whole[:-1], "has {} bytes.*cut short or changed.*git checkout"),
        ("instances.png", lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), "instances.png is not .* released"),
    ],
    ids=["cut short", "one bit changed"],
)
def test_a_damaged_file(copied, file, damage, says):
    damaged = damage((copied / file).read_bytes())
    (copied / file).write_bytes(damaged)
    with pytest.raises(files.DataError, match=says.format(len(damaged))):
        data.load("nuclei", "train")


def test_a_missing_file(copied):
    (copied / "image.png").unlink()
    with pytest.raises(files.DataError, match=r"lacks its file .*image\.png.*git checkout -- datasets/nuclei"):
        data.load("nuclei", "train")


def test_missing_sums_and_a_file_without_one(copied):
    sums = (copied / "SHA256SUMS").read_text()
    (copied / "SHA256SUMS").write_text(sums.splitlines()[0] + "\n")
    with pytest.raises(files.DataError, match="SHA256SUMS"):
        data.load("nuclei", "train")
    (copied / "SHA256SUMS").unlink()
    with pytest.raises(files.DataError, match="SHA256SUMS"):
        data.load("nuclei", "train")


def test_sums_checked_out_with_windows_line_ends(copied):
    sums = (copied / "SHA256SUMS").read_bytes()
    (copied / "SHA256SUMS").write_bytes(sums.replace(b"\n", b"\r\n"))
    assert len(data.load("nuclei", "train")) == 8


@pytest.mark.parametrize("name", ["nuclei", "brain", "models"])
def test_every_stored_file_has_its_sum(name):
    folder = files.root() / name
    listed = {label: digest for digest, label in map(str.split, (folder / "SHA256SUMS").read_text().splitlines())}
    stored = {p.name for p in folder.iterdir() if p.suffix in {".png", ".xz", ".zip"}}
    assert set(listed) == stored
    for label, digest in listed.items():
        assert hashlib.sha256((folder / label).read_bytes()).hexdigest() == digest


def test_the_notices_travel_with_the_data_and_all_is_small():
    notice = " ".join((files.root() / "brain" / "NOTICE").read_text(encoding="utf-8").split())
    assert "Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre" in notice
    assert "provided that the above copyright notice appear in all copies" in notice
    assert "resulting from the use or misuse of this software package." in notice
    assert "CC0" in (files.root() / "nuclei" / "LICENSE").read_text(encoding="utf-8")
    stored = [p for name in ("nuclei", "brain") for p in (files.root() / name).rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in stored) < 4_000_000


def test_the_cache_is_in_the_checkout_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_CACHE", raising=False)
    assert files.cache() == files.root() / "cache"
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "a" / "b"))
    assert files.cache() == tmp_path / "a" / "b"
    assert files.cache().is_dir()
