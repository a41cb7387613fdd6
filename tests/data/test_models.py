"""The trained network that comes with the course."""

import zipfile

import torch

from helpers import data, metrics
from helpers.data import files
from helpers.share import load_shared

BUNDLE = files.root() / "models" / "nuclei.unet.zip"


def test_it_segments_the_part_of_the_micrograph_that_it_has_never_seen():
    assert metrics.score(load_shared(BUNDLE), data.load("nuclei", "test", tile=None))["iou"] > 0.9


def test_its_card_says_how_to_rebuild_it(tmp_path, monkeypatch):
    with zipfile.ZipFile(BUNDLE) as archive:
        archive.extractall(tmp_path)
    code = (tmp_path / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    image = torch.rand(1, 1, 32, 40)
    assert torch.equal(names["model"](image), load_shared(BUNDLE)(image))
