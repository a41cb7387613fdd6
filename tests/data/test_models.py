"""The trained network that comes with the course."""

import hashlib

import pytest

from helpers import data, metrics
from helpers.data import files
from helpers.share import load_shared

FOLDER = files.root() / "models"


@pytest.mark.parametrize("line", (FOLDER / "SHA256SUMS").read_text().splitlines())
def test_the_files_are_those_of_the_checksums(line):
    digest, name = line.split()
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest


def test_it_segments_the_part_of_the_micrograph_that_it_has_never_seen():
    model = load_shared(FOLDER / "nuclei.unet.zip")
    assert metrics.score(model, data.load("nuclei", "test", tile=None))["iou"] > 0.9
