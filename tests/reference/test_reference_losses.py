"""Lesson 08's reference answers, against PyTorch, torchvision, smp and the formulas of the papers."""

import math

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from torchvision.ops import sigmoid_focal_loss

from helpers.reference.losses import (
    bce_with_logits,
    combined_loss,
    focal_loss,
    iou_loss,
    soft_dice_loss,
    weight_map,
)

few = settings(max_examples=40)
LOSSES = [bce_with_logits, soft_dice_loss, iou_loss, focal_loss, combined_loss]


@st.composite
def batches(draw, most_channels=1):
    """Logits, which require a gradient, and targets: float64, so that a difference is one of the formula."""
    n, c, h, w = (
        draw(st.integers(1, 4)),
        draw(st.integers(1, most_channels)),
        draw(st.integers(1, 7)),
        draw(st.integers(1, 7)),
    )
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    spread = draw(st.sampled_from([0.1, 1.0, 5.0, 50.0]))
    fraction = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    logits = spread * torch.randn(n, c, h, w, generator=generator, dtype=torch.float64)
    target = (torch.rand(n, c, h, w, generator=generator) < fraction).double()
    return logits.requires_grad_(), target


def assert_same(ours, theirs, logits):
    """The same loss, and the same gradient."""
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in (ours, theirs)))


# ---- cross-entropy ----


@few
@given(batches(most_channels=3))
def test_bce_is_that_of_pytorch(batch):
    logits, target = batch
    assert_same(bce_with_logits(logits, target), F.binary_cross_entropy_with_logits(logits, target), logits)


@pytest.mark.parametrize("loss", [bce_with_logits, focal_loss, combined_loss])
@pytest.mark.parametrize("size", [0.0, 20.0, 100.0, 1e4, 1e30])
def test_loss_and_gradient_are_finite_for_logits_of_any_size(loss, size):
    logits = torch.tensor([[[[size, size, -size, -size]]]], requires_grad=True)
    value = loss(logits, torch.tensor([[[[0.0, 1.0, 0.0, 1.0]]]]))
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def test_bce_is_as_large_as_a_logit_that_is_wrong():
    right, wrong = torch.tensor([1e4, -1e4]), torch.tensor([-1e4, 1e4])
    assert bce_with_logits(right, torch.tensor([1.0, 0.0])) == 0
    assert bce_with_logits(wrong, torch.tensor([1.0, 0.0])) == 1e4


def test_the_gradient_at_logit_0_is_half_less_the_target():
    logits = torch.zeros(2, requires_grad=True)
    (2 * bce_with_logits(logits, torch.tensor([0.0, 1.0]))).backward()
    assert logits.grad.tolist() == [0.5, -0.5]


# ---- overlap ----


@few
@given(batches(), st.floats(0.01, 10))
def test_soft_dice_is_the_mean_of_smps_over_images_with_objects(batch, smooth):
    logits, target = batch
    target[:, :, 0, 0] = 1  # smp sets the loss of an empty image to 0
    theirs = smp.losses.DiceLoss("binary", smooth=smooth / 2, eps=0)  # smp adds it to half the fraction
    each = [theirs(x[None], t[None]) for x, t in zip(logits, target, strict=True)]
    assert_same(soft_dice_loss(logits, target, smooth), torch.stack(each).mean(), logits)


@few
@given(batches(), st.floats(0.01, 10))
def test_soft_iou_is_the_mean_of_smps_over_images_with_objects(batch, smooth):
    logits, target = batch
    target[:, :, 0, 0] = 1
    theirs = smp.losses.JaccardLoss("binary", smooth=smooth, eps=0)
    each = [theirs(x[None], t[None]) for x, t in zip(logits, target, strict=True)]
    assert_same(iou_loss(logits, target, smooth), torch.stack(each).mean(), logits)


@pytest.mark.parametrize("loss", [soft_dice_loss, iou_loss])
def test_overlap_losses_of_hard_predictions_are_those_of_the_masks(loss):
    target = torch.tensor([[[[1.0, 1.0, 1.0, 0.0]]]])
    score = {soft_dice_loss: 4 / 6, iou_loss: 2 / 4}[loss]
    assert loss(1e4 * (2 * target - 1), target, smooth=0.0) == 0
    assert float(loss(torch.tensor([[[[1e4, 1e4, -1e4, 1e4]]]]), target, smooth=0.0)) == pytest.approx(1 - score)


@pytest.mark.parametrize("loss", [soft_dice_loss, iou_loss])
def test_an_empty_image_has_a_gradient_through_smooth(loss):
    logits = torch.zeros(1, 1, 2, 2, requires_grad=True)
    value = loss(logits, torch.zeros(1, 1, 2, 2))
    value.backward()
    assert value.item() == pytest.approx(1 - 1 / 3)  # the areas are 2 and 0
    assert (logits.grad > 0).all()


@few
@given(batches())
def test_dice_and_iou_lie_between_0_and_1_and_iou_is_the_stricter(batch):
    dice, iou = soft_dice_loss(*batch), iou_loss(*batch)
    assert 0 <= dice <= iou + 1e-9
    assert iou <= 1


# ---- focal ----


@few
@given(batches(most_channels=3), st.sampled_from([0.0, 1.0, 2.0, 3.5]), st.floats(0, 1))
def test_focal_loss_is_that_of_torchvision(batch, gamma, alpha):
    logits, target = batch
    theirs = sigmoid_focal_loss(logits, target, alpha, gamma, reduction="mean")
    assert_same(focal_loss(logits, target, gamma, alpha), theirs, logits)


def test_a_small_gamma_has_a_gradient_where_the_prediction_is_certain():
    logits = torch.tensor([30.0, 1e4], requires_grad=True)
    focal_loss(logits, torch.ones(2), gamma=0.5).backward()
    assert logits.grad.isfinite().all()


# ---- both ----


@few
@given(batches(), st.floats(0, 1))
def test_the_combined_loss_is_the_weighted_mean_of_its_parts(batch, weight):
    logits, target = batch
    parts = weight * soft_dice_loss(logits, target) + (1 - weight) * F.binary_cross_entropy_with_logits(logits, target)
    assert_same(combined_loss(logits, target, weight), parts, logits)


def test_the_combined_loss_weighs_both_parts_the_same_by_default():
    logits, target = torch.tensor([[[[1.0, -2.0]]]]), torch.tensor([[[[1.0, 0.0]]]])
    both = soft_dice_loss(logits, target) + bce_with_logits(logits, target)
    assert float(combined_loss(logits, target)) == pytest.approx(float(both) / 2)


@pytest.mark.parametrize("loss", LOSSES)
def test_shapes_that_differ_are_refused_with_the_remedy(loss):
    with pytest.raises(ValueError, match=r"\(2, 1, 4, 5\) and \(2, 4, 5\).*target\[:, None\]"):
        loss(torch.zeros(2, 1, 4, 5), torch.zeros(2, 4, 5))


@pytest.mark.parametrize("loss", [soft_dice_loss, iou_loss, combined_loss])
@pytest.mark.parametrize("shape", [(4, 5), (2, 4, 5), (2, 3, 4, 5)])
def test_overlap_losses_take_one_channel(loss, shape):
    with pytest.raises(ValueError, match=r"\(N, 1, H, W\)"):
        loss(torch.zeros(shape), torch.zeros(shape))


# ---- weights ----


def by_brute_force(instances, w0, sigma):
    """Equation 2 of Ronneberger et al. (2015) without w_c, pixel by pixel."""
    instances = instances.numpy()
    weights = np.zeros(instances.shape)
    numbers = [k for k in np.unique(instances) if k > 0]
    for place in np.argwhere(instances == 0):
        distances = sorted(cdist([place], np.argwhere(instances == k)).min() for k in numbers)
        if len(distances) > 1:
            weights[tuple(place)] = w0 * math.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return torch.from_numpy(weights).float()


@few
@given(st.data())
def test_the_weight_map_is_that_of_the_formula(data):
    h, w = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31)))
    numbers = torch.tensor([0, 3, 4, 11, 70])[: data.draw(st.integers(1, 5))]
    chosen = torch.randint(0, len(numbers), (h, w), generator=generator)
    empty = torch.rand(h, w, generator=generator) < data.draw(st.sampled_from([0.0, 0.5, 0.9]))
    instances = numbers[chosen].masked_fill(empty, 0)
    w0, sigma = data.draw(st.floats(0, 20)), data.draw(st.floats(0.5, 10))
    torch.testing.assert_close(weight_map(instances, w0, sigma), by_brute_force(instances, w0, sigma))


@pytest.mark.parametrize(
    "instances", [torch.zeros(3, 4, dtype=torch.int64), torch.eye(4, dtype=torch.int64), torch.full((2, 3), 7)]
)
def test_fewer_than_two_objects_have_no_gap(instances):
    weights = weight_map(instances)
    assert (weights.dtype, weights.shape) == (torch.float32, instances.shape)
    assert not weights.any()


def test_narrow_gaps_weigh_more_than_wide_ones_and_objects_nothing():
    weights = weight_map(torch.tensor([[1, 0, 2, 0, 0, 0, 3, 0]]))[0]
    assert weights[[0, 2, 6]].tolist() == [0, 0, 0]
    assert 10 > weights[1] > weights[3] == weights[5] > weights[7] > 0
    assert float(weights[1]) == pytest.approx(10 * math.exp(-4 / 50))


def test_a_stack_of_instance_masks_is_refused():
    with pytest.raises(ValueError, match=r"shape \(H, W\), got \(2, 3, 4\)"):
        weight_map(torch.zeros(2, 3, 4, dtype=torch.int64))
