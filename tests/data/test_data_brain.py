"""Brain slices: classes, orientation, and which way of splitting leaks."""

import itertools
import lzma

import numpy as np
import pytest

from helpers.data import brain, files, load

SPLITS = ("train", "validation", "test")


def volume(name: str) -> np.ndarray:
    """A stored volume (x, y, z), read independently of the module under test."""
    raw = lzma.decompress((files.root() / "brain" / f"{name}.npy.xz").read_bytes())
    return np.frombuffer(raw[-197 * 233 * 189 :], np.uint8).reshape(197, 233, 189)


def test_blocks_keep_ten_slices_apart_and_random_does_not():
    block = {s: load("brain", s).slices for s in SPLITS}
    for one, other in itertools.combinations(SPLITS, 2):
        assert min(abs(a - b) for a in block[one] for b in block[other]) >= 11
    slices = {s: load("brain", s, split_by="random").slices for s in SPLITS}
    nearest = [min(abs(z - t) for t in slices["train"]) for z in slices["test"]]
    assert max(nearest) <= 2  # the leak: every test slice all but repeats one of training


def test_both_ways_use_the_same_numbers_of_slices_each_once():
    for way in ("block", "random"):
        sets = [load("brain", s, split_by=way) for s in SPLITS]
        assert [len(s) for s in sets] == [70, 20, 30]
        used = [z for s in sets for z in s.slices]
        assert len(set(used)) == len(used)
        assert (min(used), max(used)) == (10, 149)
    assert load("brain", "test", split_by="random").slices[:6] == [14, 15, 17, 20, 22, 24]  # on any machine


def test_classes_follow_the_stated_rule():
    pairs = load("brain", "train")
    assert pairs.classes == ("background", "csf and other", "grey matter", "white matter")
    i = 60
    z = pairs.slices[i]
    t1, grey, white = (volume(n)[18:178, 22:214, z].astype(int) for n in ("t1", "gm", "wm"))
    expected = np.select(
        [t1 == 0, (255 - grey - white >= grey) & (255 - grey - white >= white), grey >= white], [0, 1, 2], 3
    )
    image, mask = pairs[i]
    # Stored along x and y; shown with rows from the front of the head to the back, columns from left to right.
    assert np.array_equal(mask.numpy(), expected.T[::-1])
    assert np.allclose(image[0].numpy() * 255, t1.T[::-1], atol=1e-4)
    mean = [image[0][mask == k].mean().item() for k in range(4)]
    assert mean[0] == 0
    assert mean[1] < mean[2] < mean[3]  # on T1 fluid is dark, white matter bright


def test_the_front_is_up():
    # Cerebellum and brainstem lie at the back: in the lowest slices nearly all tissue is in the lower half.
    _, mask = load("brain", "train")[5]
    assert (mask[96:] > 0).sum() > 10 * (mask[:96] > 0).sum()


def test_the_field_loses_no_brain_and_the_rule_for_slices_holds():
    t1 = volume("t1")
    assert (t1 > 0).sum() == (t1[18:178, 22:214] > 0).sum()
    filled = (t1[18:178, 22:214] > 0).mean((0, 1))
    kept = np.flatnonzero(filled >= brain.MIN_BRAIN)
    assert (kept[0], kept[-1], len(kept)) == (10, 149, 140)
    for split in SPLITS:
        image, mask = load("brain", split)[0]
        assert image.shape == (1, 192, 160)
        assert mask.shape == (192, 160)


@pytest.mark.parametrize("split", SPLITS)
def test_the_card_counts_right(split):
    pairs = load("brain", split)
    masks = np.stack([np.asarray(mask) for _, mask in pairs])
    fractions = ", ".join(f"{100 * (masks == k).mean():.1f}" for k in range(4))
    line = f"| {split} | z = {pairs.slices[0]}–{pairs.slices[-1]} | {len(pairs)} | {fractions} |"
    assert line in pairs.card, line
