"""The micrograph: what is in it, and that its splits share nothing."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers.data import files, load, nuclei


@pytest.fixture
def position_coded(monkeypatch):
    """The micrograph replaced by pixel numbers: each value says which pixel it is."""
    numbers = np.arange(512 * 512, dtype=np.int64).reshape(512, 512)
    monkeypatch.setattr(nuclei, "_micrograph", lambda folder: (numbers / (512.0 * 512.0), numbers))
    return numbers


@pytest.mark.parametrize(
    ("tile", "stride"), [(128, None), (None, None), (100, 60), ((512, 17), (64, 5)), (64, 1000 // 16)]
)
def test_no_pixel_is_shared_between_splits(position_coded, tile, stride):
    seen = {}
    for split in ("train", "validation", "test"):
        pairs = load("nuclei", split, tile=tile, stride=stride)
        seen[split] = np.unique(np.concatenate([np.asarray(i).ravel() for i in pairs.instances]))
    for one, other in itertools.combinations(seen.values(), 2):
        assert not np.intersect1d(one, other).size
    assert sum(map(len, seen.values())) == 512 * 512  # and none is lost


@settings(max_examples=30)
@given(st.integers(1, 512), st.integers(1, 128), st.data())
def test_tiles_of_any_size_are_cut_where_they_say(height, width, draw):
    stride = draw.draw(st.integers(max(1, height // 3), height)), draw.draw(st.integers(max(1, width // 3), width))
    whole = load("nuclei", "test", tile=None)
    tiles = load("nuclei", "test", tile=(height, width), stride=stride)
    i = draw.draw(st.integers(0, len(tiles) - 1))
    top, left = tiles.corners[i]
    box = (slice(top, top + height), slice(left, left + width))
    image, mask = tiles[i]
    assert torch.equal(image, whole[0][0][:, box[0], box[1]])
    assert torch.equal(mask, whole[0][1][box])
    assert torch.equal(tiles.instances[i], whole.instances[0][box])


def test_the_splits_together_are_the_released_files():
    splits = [load("nuclei", s, tile=None) for s in ("train", "validation", "test")]
    folder = files.root() / "nuclei"
    image = torch.cat([s[0][0] for s in splits], dim=-1)[0] * 255
    assert np.array_equal(image.round().numpy(), np.asarray(Image.open(folder / "image.png"), np.float32))
    labels = torch.cat([s.instances[0] for s in splits], dim=-1)
    assert np.array_equal(labels.numpy(), np.asarray(Image.open(folder / "instances.png")))
    assert len(labels.unique()) - 1 == 125
    assert labels.max() == 183
    assert image.max() == 235


def test_the_card_counts_right():
    card = load("nuclei", "train").card
    for split, columns in (("train", "0–255"), ("validation", "256–383"), ("test", "384–511")):
        whole = load("nuclei", split, tile=None)
        n, fraction = len(whole.instances[0].unique()) - 1, whole[0][1].float().mean().item()
        assert f"| {split} | {columns} | {n} | {100 * fraction:.1f} % | {len(load('nuclei', split))} |" in card


def test_a_tile_too_large_says_what_fits():
    with pytest.raises(ValueError, match=r"256×256 does not fit into 512×128 .*tile=\(256, 128\)"):
        load("nuclei", "validation", tile=256)
    with pytest.raises(ValueError, match="leave stride out"):
        load("nuclei", "train", tile=None, stride=3)
