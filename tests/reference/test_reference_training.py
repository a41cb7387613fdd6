"""`helpers.reference.training` against independent ways to the same numbers."""

import copy
import math

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from helpers.reference.training import EarlyStopping, augment_pair, elastic_pair, evaluate, train_one_epoch

SIDES = st.integers(1, 12)
SEEDS = st.integers(0, 2**31)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def codes(height, width):
    """A mask in which every pixel has a label of its own."""
    return torch.arange(height * width).view(height, width)


# ---- augment_pair ----


@settings(max_examples=60)
@given(height=SIDES, width=SIDES, channels=st.integers(1, 4), seed=SEEDS)
def test_image_and_mask_are_moved_alike(height, width, channels, seed):
    mask = codes(height, width)
    image = (0.3 + 0.4 * mask / mask.numel()).expand(channels, height, width)  # darker where the label is lower
    new_image, new_mask = augment_pair(image, mask, generator(seed))
    assert new_image.shape == image.shape
    assert new_mask.shape == mask.shape
    for channel in new_image:
        assert torch.equal(channel.flatten().argsort(), new_mask.flatten().argsort())


def test_the_eight_ways_up_of_a_square_are_equally_frequent():
    mask, source = codes(3, 3), generator()
    ways = [tuple(augment_pair(torch.zeros(1, 3, 3), mask, source)[1].flatten().tolist()) for _ in range(1600)]
    expected = {tuple(np.rot90(m, k).flatten()) for k in range(4) for m in (mask.numpy(), mask.numpy()[:, ::-1])}
    counts = [ways.count(way) for way in expected]
    assert sum(counts) == len(ways)
    assert min(counts) > 140  # 200 ± 13


def test_an_oblong_image_has_four_ways_up():
    mask, source = codes(2, 3), generator()
    ways = {tuple(augment_pair(torch.zeros(1, 2, 3), mask, source)[1].flatten().tolist()) for _ in range(100)}
    assert ways == {tuple(mask.flip(axes).flatten().tolist()) for axes in ([], [0], [1], [0, 1])}


def test_the_light_changes_the_image_within_its_range():
    image, mask, source = torch.rand(3, 8, 8, generator=generator()), codes(8, 8), generator(1)
    results = torch.stack([augment_pair(image, mask, source)[0] for _ in range(200)])
    assert 0 <= results.min() < results.max() <= 1
    means, spreads = results.flatten(1).mean(1), results.flatten(1).std(1)
    assert means.max() - means.min() > 0.3
    assert spreads.max() > 1.1 * image.std() > 0.9 * image.std() > spreads.min()


def test_a_pair_can_be_augmented_again_from_its_seed():
    image, mask = torch.rand(1, 6, 6), codes(6, 6)
    kept, before = (image.clone(), mask.clone()), torch.get_rng_state()
    first, again, other = (augment_pair(image, mask, generator(s)) for s in (5, 5, 6))
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[0], other[0])
    assert torch.equal(image, kept[0])
    assert torch.equal(mask, kept[1])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("function", [augment_pair, lambda i, m, g: elastic_pair(i, m, 1.0, 1.0, g)])
def test_a_pair_of_two_sizes_is_refused(function):
    with pytest.raises(ValueError, match=r"mask of shape \(4, 5\)"):
        function(torch.zeros(1, 4, 5), codes(5, 4), generator())


# ---- elastic_pair ----


@settings(max_examples=40)
@given(height=SIDES, width=SIDES, channels=st.integers(1, 3), seed=SEEDS, sigma=st.floats(0, 20))
def test_nothing_moves_without_alpha(height, width, channels, seed, sigma):
    image, mask = torch.rand(channels, height, width), codes(height, width)
    bent, labels = elastic_pair(image, mask, 0.0, sigma, generator(seed))
    assert torch.equal(bent, image)
    assert torch.equal(labels, mask)
    assert (bent.dtype, labels.dtype) == (torch.float32, torch.int64)


@settings(max_examples=40)
@given(height=SIDES, width=SIDES, alpha=st.floats(0, 30), seed=SEEDS)
def test_nothing_comes_from_outside_the_pair(height, width, alpha, seed):
    image, mask = torch.full((1, height, width), 0.25), 3 + 252 * (codes(height, width) % 2)
    bent, labels = elastic_pair(image, mask, alpha, 2.0, generator(seed))
    assert torch.allclose(bent, image)
    assert set(labels.unique().tolist()) <= set(mask.unique().tolist())


@pytest.mark.parametrize(("alpha", "sigma"), [(0.7, 1.0), (2.0, 3.0), (6.0, 4.0)])
def test_bending_is_sampling_from_a_grid(alpha, sigma):
    image, mask = torch.rand(2, 19, 26), torch.randint(0, 5, (19, 26))
    bent, labels = elastic_pair(image, mask, alpha, sigma, generator(3))

    noise = 2 * torch.rand(2, 19, 26, generator=generator(3)) - 1
    field = torch.stack([torch.from_numpy(gaussian_filter(n.numpy(), sigma)) for n in noise])
    field *= alpha / field.pow(2).mean(dim=(1, 2), keepdim=True).sqrt()
    rows, columns = torch.arange(19)[:, None] + field[0], torch.arange(26)[None] + field[1]
    grid = torch.stack([2 * columns / 25 - 1, 2 * rows / 18 - 1], dim=-1)[None]
    options = {"padding_mode": "border", "align_corners": True}
    torch.testing.assert_close(bent, F.grid_sample(image[None], grid, **options)[0], atol=2e-4, rtol=0)
    nearest = F.grid_sample(mask[None, None].float(), grid, mode="nearest", **options)[0, 0].long()
    assert (labels == nearest).float().mean() > 0.99  # a place half-way between two pixels may go to either


def test_the_place_of_an_image_does_not_matter():
    image, mask = torch.rand(2, 8, 9), codes(8, 9)
    strided = image.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    one, other = (elastic_pair(i, mask, 2.0, 2.0, generator()) for i in (image, strided))
    assert all(map(torch.equal, one, other))


# ---- train_one_epoch and evaluate ----


def network(channels=1, num_classes=2):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, num_classes, 1)
    )


def pairs(count, channels=1, num_classes=2, size=(6, 7)):
    images = torch.randn(count, channels, *size, generator=generator(1))
    return TensorDataset(images, torch.randint(0, num_classes, (count, *size), generator=generator(2)))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 8])
def test_an_epoch_is_gradient_descent_batch_by_batch(batch_size):
    model, twin, data = network().eval(), network().train(), pairs(5)
    returned = train_one_epoch(
        model, DataLoader(data, batch_size), F.cross_entropy, torch.optim.SGD(model.parameters(), lr=0.3)
    )

    losses = []  # one an image
    for k in range(0, 5, batch_size):
        images, masks = data[k : k + batch_size]
        each = F.cross_entropy(twin(images), masks, reduction="none").mean(dim=(1, 2))
        gradients = torch.autograd.grad(each.mean(), list(twin.parameters()))
        with torch.no_grad():
            for p, g in zip(twin.parameters(), gradients, strict=True):
                p -= 0.3 * g
        losses += each.tolist()
    assert isinstance(returned, float)
    assert returned == pytest.approx(np.mean(losses), rel=1e-5)
    for mine, theirs in zip(model.state_dict().values(), twin.state_dict().values(), strict=True):
        torch.testing.assert_close(mine, theirs)
    assert all(layer.training for layer in model.modules())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("num_classes", "batch_size"), [(2, 2), (3, 4), (4, 3), (4, 5)])
def test_evaluation_agrees_with_segmentation_models(num_classes, batch_size, training):
    model, data = network(2, num_classes).train(training), pairs(5, 2, num_classes)
    before = copy.deepcopy(model.state_dict())
    result = evaluate(model, DataLoader(data, batch_size))

    assert model.training is training
    assert all(map(torch.equal, before.values(), model.state_dict().values()))
    images, masks = data.tensors
    logits = model.eval()(images)
    counts = smp.metrics.get_stats(logits.argmax(1), masks, mode="multiclass", num_classes=num_classes)
    for name, score in (("iou", smp.metrics.iou_score), ("dice", smp.metrics.f1_score)):
        each = score(*counts, reduction="none", zero_division=1.0)  # (N, K)
        assert result[name] == pytest.approx(each[:, 1:].mean().item(), abs=1e-5)
    assert result["loss"] == pytest.approx(F.cross_entropy(logits, masks).item(), rel=1e-5)


def test_one_logit_is_binary_cross_entropy_and_a_threshold_of_one_half():
    model, data = network(1, 1), pairs(5)
    result = evaluate(model, DataLoader(data, 2))
    images, masks = data.tensors
    logits = model.eval()(images)[:, 0]
    assert result["loss"] == pytest.approx(F.binary_cross_entropy_with_logits(logits, masks.float()).item(), rel=1e-5)
    counts = smp.metrics.get_stats(logits.sigmoid(), masks, mode="binary", threshold=0.5)
    each = smp.metrics.f1_score(*counts, reduction="none", zero_division=1.0)
    assert result["dice"] == pytest.approx(each.mean().item(), abs=1e-5)


class Constant(nn.Module):
    """Background everywhere, and a note of whether gradients were on."""

    def forward(self, x):
        self.recorded = torch.is_grad_enabled()
        return torch.cat([torch.ones_like(x), torch.zeros_like(x)], dim=1)


def test_finding_nothing_where_nothing_is_scores_one():
    model = Constant()
    masks = torch.zeros(2, 4, 4, dtype=torch.int64)
    masks[1, 0, 0] = 1
    result = evaluate(model, DataLoader(TensorDataset(torch.zeros(2, 1, 4, 4), masks), 2))
    assert (result["iou"], result["dice"]) == (0.5, 0.5)
    assert not model.recorded
    assert torch.is_grad_enabled()


# ---- EarlyStopping ----


@settings(max_examples=200)
@given(
    values=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, -1.0, math.nan, math.inf, -math.inf]), max_size=12),
    patience=st.integers(1, 4),
    mode=st.sampled_from(["max", "min"]),
)
def test_it_stops_when_the_last_values_brought_nothing_new(values, patience, mode):
    stopping, pick = EarlyStopping(patience, mode), {"max": max, "min": min}[mode]
    for k, value in enumerate(values, start=1):
        known = [v for v in values[:k] if not math.isnan(v)]
        since = k - 1 - values.index(pick(known)) if known else k
        assert stopping.step(value) is (since >= patience)
        assert stopping.best == (pick(known) if known else None)
    assert stopping.best_weights is None


def test_the_best_weights_are_those_of_the_best_epoch():
    model, stopping = network(), EarlyStopping(patience=2)
    for epoch, value in enumerate([0.3, 0.5, 0.4, 0.2]):
        with torch.no_grad():
            for tensor in model.state_dict().values():
                tensor.fill_(epoch)
        stopped = stopping.step(value, model)
    assert stopped
    assert stopping.best == 0.5
    model.load_state_dict(stopping.best_weights)
    assert all((tensor == 1).all() for tensor in model.state_dict().values())


@pytest.mark.parametrize(
    ("arguments", "message"), [((3, "best"), 'mode is \'best\'; it must be "max" or "min"'), ((0,), "patience is 0")]
)
def test_settings_that_cannot_work_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(*arguments)
