"""`helpers.data.load`: one way in, the same kind of pair from every set."""

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from helpers import data
from helpers.data import files

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"nuclei": {"tile": 64}, "brain": {}, "cells": {"count": 3, "size": 64}}


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("name", SMALL)
def test_every_pair_is_what_the_docstring_says(name, split):
    pairs = data.load(name, split, **SMALL[name])
    assert isinstance(pairs, torch.utils.data.Dataset)
    assert len(pairs) >= 3
    for image, mask in (pairs[0], pairs[len(pairs) - 1]):
        assert isinstance(image, tv_tensors.Image)
        assert image.dtype == torch.float32
        assert image.ndim == 3
        assert image.min() >= 0
        assert 0.1 < image.max() <= 1
        assert isinstance(mask, tv_tensors.Mask)
        assert mask.dtype == torch.int64
        assert mask.shape == image.shape[-2:]
        assert set(mask.unique().tolist()) <= set(range(len(pairs.classes)))
        assert mask.max() > 0


@pytest.mark.parametrize("name", SMALL)
def test_a_set_is_iterable_and_indexed_like_a_list(name):
    pairs = data.load(name, "validation", **SMALL[name])
    assert len(list(pairs)) == len(pairs)
    assert torch.equal(pairs[-1][0], pairs[len(pairs) - 1][0])
    for outside in (len(pairs), -len(pairs) - 1):
        with pytest.raises(IndexError, match=str(len(pairs))):
            pairs[outside]
    with pytest.raises(TypeError, match="one integer"):
        pairs[0:2]


@pytest.mark.parametrize("name", SMALL)
def test_a_pair_can_be_changed_without_changing_the_set(name):
    pairs = data.load(name, "train", **SMALL[name])
    image, mask = pairs[0]
    kept = image.clone(), mask.clone()
    image.zero_()
    mask.fill_(9)
    assert torch.equal(pairs[0][0], kept[0])
    assert torch.equal(pairs[0][1], kept[1])


@pytest.mark.parametrize("name", SMALL)
def test_a_set_survives_the_pickle_that_sends_it_to_a_worker(name):
    pairs = data.load(name, "train", **SMALL[name])
    copy = pickle.loads(pickle.dumps(pairs))
    assert torch.equal(copy[1][0], pairs[1][0])
    if hasattr(pairs, "instances"):
        assert torch.equal(copy.instances[1], pairs.instances[1])


def test_a_data_loader_batches_pairs():
    images, masks = next(iter(DataLoader(data.load("nuclei", "train"), batch_size=4)))
    assert images.shape == (4, 1, 128, 128)
    assert masks.shape == (4, 128, 128)


@pytest.mark.parametrize("name", ["nuclei", "cells"])
def test_instances_are_aligned_with_the_mask(name):
    pairs = data.load(name, "train", **SMALL[name])
    assert len(pairs.instances) == len(pairs)
    for i, (_, mask) in enumerate(pairs):
        instances = pairs.instances[i]
        assert instances.dtype == torch.int64
        assert torch.equal(instances > 0, mask == 1)
    assert torch.equal(pairs.instances[-1], pairs.instances[len(pairs) - 1])
    with pytest.raises(IndexError):
        pairs.instances[len(pairs)]


@pytest.mark.parametrize("name", data.NAMES)
def test_every_set_has_a_card_with_the_same_parts(name):
    card = files.card(name)
    assert card.startswith(f"# {name}\n")
    for part in ("| Source |", "| Licence |", "| Classes |", "## Splits", "## Known flaws", "## Citation"):
        assert part in card, part
    if name in SMALL:
        assert data.load(name, "test", **SMALL[name]).card == card


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        (("nucleus", "train"), {}, ["nucleus", "Did you mean 'nuclei'?", "'brain'", "'folder'"]),
        (("nuclei", "trian"), {}, ["trian", "Did you mean 'train'?", "'validation'", "'test'"]),
        (("nuclei", "all"), {}, ["'all'", "'train'"]),
        (("nuclei", "train"), {"tiles": 64}, ["tiles", "Did you mean 'tile'?", "'stride'"]),
        (("cells", "train"), {"forground": 0.1}, ["Did you mean 'foreground'?"]),
        (("brain", "random"), {}, ["'random'", 'split_by="random"']),
        (("brain", "train"), {"split_by": "slice"}, ["'block'", "'random'"]),
        ((None, "train"), {}, ["name has to be text, and this is None", '"nuclei", "train"']),
        (("nuclei", 0), {}, ["split has to be text, and this is 0", '"nuclei", "train"']),
    ],
)
def test_what_does_not_exist_is_answered_by_what_does(arguments, options, says):
    with pytest.raises((ValueError, TypeError)) as caught:
        data.load(*arguments, **options)
    for part in says:
        assert part in str(caught.value)


def test_an_installed_package_finds_its_data_and_caches_elsewhere(tmp_path):
    site, home = tmp_path / "site", tmp_path / "home"
    skip = shutil.ignore_patterns("__pycache__", "cache")
    shutil.copytree(ROOT / "helpers", site / "helpers", ignore=skip)
    shutil.copytree(ROOT / "datasets", site / "helpers" / "_datasets", ignore=skip)  # as pyproject.toml says
    home.mkdir()
    (site / "datasets").mkdir()  # someone else's folder of that name is not taken for ours
    code = (
        "import helpers; from helpers import data; from helpers.data import files\n"
        "print(helpers.__path__[0]); print(files.root())\n"
        "print(len(data.load('nuclei', 'train')), len(data.load('brain', 'test')), files.cache())"
    )
    caches = {"XDG_CACHE_HOME": str(home / "c"), "LOCALAPPDATA": str(home / "c"), "COURSE_CACHE": ""}
    env = {**os.environ, "PYTHONPATH": str(site), "HOME": str(home), **caches}
    done = subprocess.run([sys.executable, "-c", code], cwd=site, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    base, root, rest = done.stdout.splitlines()
    assert Path(base) == site / "helpers"
    assert Path(root) == site / "helpers" / "_datasets"
    train, test, cache = rest.split(maxsplit=2)
    assert (train, test) == ("8", "30")
    assert home in Path(cache).parents
