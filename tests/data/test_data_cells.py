"""The simulator: same pixels everywhere, the fraction of foreground that was asked for, and nuclei in one piece."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from helpers.data import cells, load, portable_math

ROOT = Path(__file__).resolve().parents[2]

# SHA-256 (first 16 digits) of the pictures' bytes and of their instance labels. A change here changes what students
# and instructors see for a seed: never by accident.
PINNED = [
    ({"seed": 0}, "train", 0, "bde8e1c22bd6bce3"),
    ({"seed": 7, "size": (96, 160), "foreground": 0.5}, "test", 3, "cbefcae63fbcf379"),
    ({"seed": 123456789, "size": 256, "foreground": 0.005, "diameter": 30}, "validation", 11, "54d74595af2cd056"),
]


def digest(pairs, i: int) -> str:
    image = (np.asarray(pairs[i][0]) * 255).round().astype(np.uint8)
    return hashlib.sha256(image.tobytes() + np.asarray(pairs.instances[i]).astype("<i8").tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(("options", "split", "index", "expected"), PINNED)
def test_same_seed_same_pixels(options, split, index, expected):
    assert digest(load("cells", split, **options), index) == expected


def test_same_pixels_whatever_instructions_the_processor_has():
    """numpy picks its loops by the processor; here it is held to the oldest ones."""
    core = np._core if hasattr(np, "_core") else np.core  # numpy 2, numpy 1
    newer = core._multiarray_umath.__cpu_dispatch__

    code = (
        "import sys; sys.path.insert(0, 'tests/data')\n"
        "from test_data_cells import PINNED, digest, load\n"
        "for options, split, i, _ in PINNED: print(digest(load('cells', split, **options), i))"
    )
    env = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(newer), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [pinned[-1] for pinned in PINNED], done.stderr


def test_a_pair_does_not_depend_on_what_was_asked_before():
    forwards, backwards = load("cells", "train", count=4, size=64), load("cells", "train", count=9, size=64)
    first = [forwards[i][0] for i in range(4)]
    for i in reversed(range(4)):
        assert torch.equal(backwards[i][0], first[i])


def test_seeds_splits_and_indices_all_differ():
    pictures = [
        bytes(np.asarray(load("cells", split, seed=seed, size=64)[i][0]))
        for split in ("train", "validation", "test")
        for seed in (0, 1)
        for i in (0, 1)
    ]
    assert len(set(pictures)) == len(pictures)


@settings(max_examples=150)
@given(st.integers(64, 256), st.integers(64, 256), st.floats(0.005, 0.5), st.integers(0, 2**32), st.floats(8, 60))
def test_every_picture_holds_the_foreground_asked_for(height, width, foreground, seed, diameter):
    pairs = load("cells", "train", size=(height, width), foreground=foreground, seed=seed, diameter=diameter, count=2)
    for i in range(2):
        fraction = (pairs.instances[i] > 0).double().mean().item()
        assert abs(fraction / foreground - 1) <= 0.1


@pytest.mark.parametrize("foreground", [0.005, 0.05, 0.2, 0.5])
def test_each_nucleus_is_one_piece_and_numbers_have_no_gap(foreground):
    pairs = load("cells", "test", foreground=foreground, count=12)
    for labels in map(np.asarray, pairs.instances):
        present = np.unique(labels)
        assert np.array_equal(present, np.arange(labels.max() + 1))
        for k in present[1:]:
            assert ndimage.label(labels == k)[1] == 1


def test_crumbs_go_and_numbers_close_up():
    owner = np.array([[1, 1, 2, 1], [1, 1, 2, 0], [4, 2, 2, 4], [4, 4, 0, 0]])  # 1 and 4 are cut in two; no 3
    assert cells.one_piece_each(owner).tolist() == [[1, 1, 2, 0], [1, 1, 2, 0], [3, 2, 2, 0], [3, 3, 0, 0]]
    labels = np.asarray(load("cells", "test", size=64, foreground=0.5).instances[26])  # a picture where it happens
    assert all(ndimage.label(labels == k)[1] == 1 for k in range(1, labels.max() + 1))


def test_nuclei_touch_are_irregular_and_of_the_size_asked_for():
    pairs = load("cells", "train", size=256, count=12, diameter=24)
    touching, solidity, areas = 0, [], []
    for labels in map(np.asarray, pairs.instances):
        right = (labels[:, 1:] != labels[:, :-1]) & (labels[:, 1:] > 0) & (labels[:, :-1] > 0)
        touching += len(np.unique(labels[:, 1:][right])) > 1
        areas += np.bincount(labels.ravel())[1:].tolist()
        for k in range(1, labels.max() + 1):
            ys, xs = np.nonzero(labels == k)
            if len(ys) > 200 and ys.min() > 0 and xs.min() > 0 and ys.max() < 255 and xs.max() < 255:
                # The ellipse with the same second moments: how much of the nucleus lies outside it?
                dy, dx = ys - ys.mean(), xs - xs.mean()
                inverse = np.linalg.inv(np.cov(np.stack([dy, dx])))
                distance = inverse[0, 0] * dy * dy + 2 * inverse[0, 1] * dy * dx + inverse[1, 1] * dx * dx
                solidity.append((distance > 4).mean())
    assert touching == 12  # in every picture some do
    assert 0.6 < np.median(areas) / (np.pi / 4 * 24**2) < 1.4
    assert 0.01 < np.median(solidity) < 0.12  # an exact ellipse has nearly none outside


def test_the_picture_looks_like_one_from_a_microscope():
    pairs = load("cells", "train", count=20)
    for i, (image, mask) in enumerate(pairs):
        inside, outside = image[0][mask == 1], image[0][mask == 0]
        assert inside.median() > 1.4 * outside.median(), i
        assert (image >= 1).float().mean() < 0.05  # hardly any pixel saturates
        dark = image[0, :, :][ndimage.binary_erosion(np.asarray(mask) == 0, iterations=6)]
        assert 0.5 / 255 < dark.std() < 0.12  # noise, haze and uneven light, but no more
        # Blurred: the rim is no step. Noisy: neighbouring background pixels are not equal.
        rim = ndimage.binary_dilation(np.asarray(mask) == 1) & (np.asarray(mask) == 0)
        assert outside.median() < image[0].numpy()[rim].mean() < inside.mean()


def test_noise_is_photons_and_read_out():
    """The same layout twice: the difference is noise alone, and brighter places are noisier."""
    layout = cells.lay_out(portable_math.Stream(1), (256, 256), 0.3, 22.0)
    pictures = np.stack([cells.photograph(portable_math.Stream(2, i), layout, 22.0).astype(float) for i in range(6)])
    steps = np.diff(pictures, axis=2)
    # Neighbours differ by noise and by little else in the flat background.
    inside = ndimage.binary_erosion(layout.labels > 0, iterations=3)[:, 1:]
    outside = ndimage.binary_erosion(layout.labels == 0, iterations=8)[:, 1:]
    assert steps[:, inside].std() > 1.5 * steps[:, outside].std() > 0.5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"foreground": 0.004}, "0.005 to 0.5"),
        ({"foreground": 0.51}, "0.005 to 0.5"),
        ({"foreground": float("nan")}, "0.005 to 0.5"),
        ({"foreground": 0.005, "size": 17}, "less than 5 pixels. Take foreground=0.018"),
        ({"size": 15}, "at least 16"),
        ({"size": "big"}, r"int or \(height, width\)"),
        ({"diameter": 5}, "6 to 1000"),
        ({"count": 0}, "integer from 1"),
        ({"seed": -1}, "integer from 0"),
        ({"seed": 0.5}, "integer from 0"),
        ({"foreground": "much"}, "fraction from 0.005 to 0.5"),
        ({"diameter": None}, "6 to 1000"),
    ],
)
def test_a_value_out_of_range_is_answered_by_the_range(options, says):
    with pytest.raises(ValueError, match=says):
        load("cells", "train", **options)


@pytest.mark.parametrize(
    "options", [{"size": 16, "foreground": 0.5}, {"size": (16, 400)}, {"diameter": 1000}, {"size": 512}]
)
def test_odd_corners_of_the_options_work(options):
    pairs = load("cells", "train", foreground=options.pop("foreground", 0.3), **options)
    fraction = (pairs.instances[0] > 0).double().mean().item()
    assert abs(fraction / pairs.foreground - 1) <= 0.1
    assert pairs[0][0].shape[1:] == pairs.size


def test_the_stream_gives_what_it_says():
    stream = portable_math.Stream(3, 1)
    uniform, normal, ways = stream.uniform(200, 200), stream.normal(200, 200), stream.directions(5000)
    assert 0 <= uniform.min() < 0.001 < 0.999 < uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.01
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02
    assert np.allclose((ways**2).sum(1), 1)
    assert np.abs(ways.mean(0)).max() < 0.05
    assert np.array_equal(portable_math.Stream(3, 1).uniform(4), portable_math.Stream(3, 1).uniform(4))
    assert not np.array_equal(portable_math.Stream(3, 1).uniform(4), portable_math.Stream(3, 2).uniform(4))


@given(st.integers(1, 6))
def test_blur_keeps_the_light_and_spreads_as_said(passes):
    point = np.zeros((41, 41))
    point[20, 20] = 1.0
    spread = portable_math.blur(point, passes)
    assert np.isclose(spread.sum(), 1)
    rows = spread.sum(1)
    assert np.isclose((rows * (np.arange(41) - 20) ** 2).sum(), passes / 2)  # σ² = passes / 2
    assert np.array_equal(portable_math.blur(np.full((9, 9), 0.25), passes), np.full((9, 9), 0.25))


def test_smooth_noise_is_smooth_and_has_mean_zero():
    noise = portable_math.smooth_noise(portable_math.Stream(5), (300, 300), 12.0)
    assert np.abs(noise).max() <= 1
    assert abs(noise.mean()) < 0.06
    assert np.abs(np.diff(noise, axis=0)).max() < 2 * 1.5 / 12 + 1e-9  # the steepest the weight 3t² − 2t³ gets
    assert noise.std() > 0.25
