"""The references of lessons 11 and 12: against direct predictions, scikit-image, and formulas written another way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch import nn

from helpers.reference.inference import (
    calibration_error,
    match_instances,
    predict_dihedral,
    predict_tiled,
    split_instances,
)

# ---- tiles ----


def _network(reach, channels=2, classes=3, seed=0):
    torch.manual_seed(seed)
    layers = [nn.Conv2d(channels, 4, 1)]
    for _ in range(reach):
        layers += [nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(4, classes, 1)).eval()


@given(
    h=st.integers(1, 40),
    w=st.integers(1, 40),
    tile=st.integers(1, 20),
    fraction=st.floats(0, 0.99),
    seed=st.integers(0, 9),
)
@settings(max_examples=60)
def test_tiles_agree_with_the_direct_prediction(h, w, tile, fraction, seed):
    overlap = int(fraction * tile)
    reach = min(overlap // 4, 3)
    model, image = _network(reach, seed=seed), torch.randn(2, h, w)
    with torch.no_grad():
        direct = model(image[None])[0]
    tiled = predict_tiled(model, image, tile, overlap)
    assert tiled.shape == direct.shape
    inside = (..., slice(reach, max(h - reach, reach)), slice(reach, max(w - reach, reach)))
    torch.testing.assert_close(tiled[inside], direct[inside], rtol=1e-4, atol=1e-5)


def test_at_the_border_the_model_sees_a_mirror_image():
    model, image = _network(2), torch.randn(2, 13, 18)
    mirrored = torch.from_numpy(np.pad(image.numpy(), ((0, 0), (6, 6), (6, 6)), mode="reflect"))
    with torch.no_grad():
        expected = model(mirrored[None])[0, :, 6:-6, 6:-6]
    torch.testing.assert_close(predict_tiled(model, image, 16, 8), expected, rtol=1e-4, atol=1e-5)


def test_one_tile_fades_into_the_next():
    """A network that adds its own number to each tile: without fading, neighbours differ by 1 across the seam."""

    class Counting(nn.Module):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return x * 0 + self.calls

    steps = predict_tiled(Counting(), torch.zeros(1, 16, 60), 16, 8)[0].diff(dim=1)
    assert steps.abs().max() <= 0.25 + 1e-6


def test_the_model_only_sees_whole_tiles_and_gets_its_mode_back():
    seen = []

    class Watched(nn.Module):
        def forward(self, x):
            seen.append((tuple(x.shape), self.training, torch.is_grad_enabled()))
            return x

    model = Watched()
    predict_tiled(model, torch.zeros(1, 9, 30), 8, 3)
    assert set(seen) == {((1, 1, 8, 8), False, False)}
    assert model.training


@pytest.mark.parametrize(("tile", "overlap"), [(8, 8), (8, -1), (4, 9)])
def test_an_overlap_that_does_not_fit_is_refused(tile, overlap):
    with pytest.raises(ValueError, match=f"overlap={overlap} does not fit tile={tile}.*from 0 to {tile - 1}"):
        predict_tiled(_network(0), torch.zeros(2, 20, 20), tile, overlap)


# ---- flips and turns ----


def test_the_eight_views_by_matrices():
    """Each of the eight is a map of coordinates; a position-coded image tells which pixel came from where."""
    model, image = _network(1, channels=1), torch.randn(1, 5, 7)
    rows, columns = np.mgrid[:5, :7]
    total = 0
    for transposed in (False, True):
        for up in (1, -1):
            for left in (1, -1):
                index = (rows[::up, ::left] * 7 + columns[::up, ::left]).copy()
                index = torch.from_numpy(index.T.copy() if transposed else index)
                with torch.no_grad():
                    logits = model(image.flatten()[index][None, None])[0]  # (K, ., .)
                back = torch.empty(3, 35)
                back[:, index.flatten()] = logits.flatten(1)
                total = total + back.view(3, 5, 7) / 8
    torch.testing.assert_close(predict_dihedral(model, image), total, rtol=1e-4, atol=1e-5)


@given(h=st.integers(1, 9), w=st.integers(1, 9), turns=st.integers(0, 3), flipped=st.booleans())
@settings(max_examples=40)
def test_turning_the_image_turns_the_prediction(h, w, turns, flipped):
    model, image = _network(1), torch.randn(2, h, w)

    def turn(x):
        return (x.flip(-1) if flipped else x).rot90(turns, (-2, -1))

    torch.testing.assert_close(
        predict_dihedral(model, turn(image)), turn(predict_dihedral(model, image)), rtol=1e-4, atol=1e-5
    )


# ---- objects ----


def _discs(shape, *discs):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return torch.tensor(np.any([np.hypot(rows - y, columns - x) < r for y, x, r in discs], axis=0))


def test_touching_discs_come_apart_at_the_waist():
    mask = _discs((30, 50), (15, 15, 9), (15, 31, 9))
    labels = split_instances(mask * 0.9)
    assert labels.dtype == torch.int64
    assert torch.equal(labels > 0, mask)
    assert {int(labels[15, 15]), int(labels[15, 31])} == {1, 2}
    assert len(labels[:, :23].unique()) == 2
    assert len(labels[:, 24:].unique()) == 2


@given(seed=st.integers(0, 10_000), threshold=st.sampled_from([0.3, 0.5, 0.8]), min_distance=st.integers(1, 8))
@settings(max_examples=30)
def test_every_pixel_above_the_threshold_has_an_object_in_one_piece(seed, threshold, min_distance):
    noise = np.random.default_rng(seed).random((24, 31))
    smooth = ndimage.gaussian_filter(noise, 1.5)
    probability = torch.from_numpy((smooth - smooth.min()) / np.ptp(smooth))
    labels = split_instances(probability, threshold, min_distance)
    assert torch.equal(labels > 0, probability > threshold)
    n = int(labels.max())
    assert labels.unique().tolist() == list(range(int((labels > 0).all()), n + 1))
    assert all(ndimage.label((labels == k).numpy())[1] == 1 for k in range(1, n + 1))


def test_nothing_above_the_threshold_is_no_object():
    assert torch.equal(split_instances(torch.full((5, 7), 0.4)), torch.zeros(5, 7, dtype=torch.int64))


def _by_the_book(pred, target, threshold):
    """Pairs by brute force over the objects, best IoU first; unique from 0.5 on."""
    p, t = (x[x > 0].unique().tolist() for x in (pred, target))
    pairs = [
        (float(((pred == a) & (target == b)).sum() / ((pred == a) | (target == b)).sum()), a, b) for a in p for b in t
    ]
    taken = set()
    for value, a, b in sorted(pairs, reverse=True):
        if value >= threshold and not {("p", a), ("t", b)} & taken:
            taken |= {("p", a), ("t", b)}
    found = len(taken) // 2
    if not p and not t:
        return 1.0, 1.0, 1.0
    return found / max(len(p), 1), found / max(len(t), 1), 2 * found / (len(p) + len(t))


@given(seed=st.integers(0, 10_000), threshold=st.sampled_from([0.5, 0.6, 0.75, 1.0]), objects=st.integers(0, 6))
@settings(max_examples=60)
def test_matching_is_that_by_brute_force(seed, threshold, objects):
    generator = torch.Generator().manual_seed(seed)
    pred = torch.randint(0, objects + 1, (5, 6), generator=generator) * 3
    change = torch.rand(5, 6, generator=generator) < 0.25
    target = torch.where(change, torch.randint(0, objects + 2, (5, 6), generator=generator) * 3, pred)
    target = torch.where(target > 0, 100 - target, 0)
    found = match_instances(pred, target, threshold)
    assert tuple(found.values()) == pytest.approx(_by_the_book(pred, target, threshold))
    assert list(found) == ["precision", "recall", "f1"]


def test_below_a_half_as_many_pairs_as_possible_are_made():
    #  object 1 of the prediction fits both true ones, and fits 1 better; object 2 fits only 1
    pred = torch.tensor([[1, 1, 1, 1, 1, 2, 2, 0, 0]])
    target = torch.tensor([[2, 2, 1, 1, 1, 1, 1, 0, 0]])
    assert match_instances(pred, target, 0.25)["f1"] == 1.0


def test_one_empty_mask_scores_nothing():
    empty, full = torch.zeros(2, 3, dtype=torch.int64), torch.ones(2, 3, dtype=torch.int64)
    assert set(match_instances(empty, full).values()) == {0.0}
    assert set(match_instances(full, empty).values()) == {0.0}
    assert set(match_instances(empty, empty).values()) == {1.0}


# ---- calibration ----


@given(n=st.integers(1, 60), bins=st.integers(1, 12), seed=st.integers(0, 999))
@settings(max_examples=60)
def test_calibration_error_from_means(n, bins, seed):
    generator = np.random.default_rng(seed)
    p, t = generator.random(n), generator.random(n) < 0.4
    p[generator.random(n) < 0.1] = 1.0
    expected = 0.0
    for b in range(bins):
        inside = (p >= b / bins) & ((p < (b + 1) / bins) | (b == bins - 1))
        if inside.any():
            expected += inside.mean() * abs(p[inside].mean() - t[inside].mean())
    error = calibration_error(torch.from_numpy(p).view(1, -1), torch.from_numpy(t).view(1, -1), bins)
    assert error == pytest.approx(expected)
