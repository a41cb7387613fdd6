"""Lesson 02's reference: against scipy, segmentation_models_pytorch, and counts with numpy."""

import math

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference_made import SEEDS
from scipy.spatial import distance

from helpers.reference.overlap import confusion, dice, dice_scores, iou, mean_iou, pixel_accuracy

sides = st.integers(1, 12)


@st.composite
def pairs_of_masks(draw, batch=False):
    shape = (*([draw(st.integers(1, 5))] if batch else []), draw(sides), draw(sides))
    return tuple(torch.from_numpy(draw(hnp.arrays(bool, shape))) for _ in range(2))


@given(pairs_of_masks())
def test_confusion_agrees_with_smp(pair):
    pred, target = pair
    counts = confusion(pred, target)
    stats = smp.metrics.get_stats(pred.long()[None, None], target.long()[None, None], mode="binary")
    assert counts == tuple(int(n) for n in stats)
    assert all(type(n) is int for n in counts)
    assert sum(counts) == pred.numel()


@given(pairs_of_masks())
def test_iou_and_dice_agree_with_scipy_and_with_the_counts(pair):
    pred, target = pair
    tp, fp, fn, tn = confusion(pred, target)
    if tp + fp + fn == 0:
        assert iou(pred, target) == dice(pred, target) == 1.0
    else:
        p, t = pred.flatten().numpy(), target.flatten().numpy()
        assert iou(pred, target) == pytest.approx(1 - distance.jaccard(p, t)) == pytest.approx(tp / (tp + fp + fn))
        assert dice(pred, target) == pytest.approx(1 - distance.dice(p, t))
    assert pixel_accuracy(pred, target) == pytest.approx((tp + tn) / pred.numel())
    assert dice(pred, target) == pytest.approx(2 * iou(pred, target) / (1 + iou(pred, target)))


def test_pixel_accuracy_of_classes():
    assert pixel_accuracy(torch.tensor([[0, 1, 2], [3, 0, 1]]), torch.tensor([[0, 2, 2], [1, 3, 0]])) == 2 / 6


def by_counting(pred, target, num_classes, ignore_index):
    """From the table of counts, NaN for an absent class."""
    known = target != ignore_index
    table = np.zeros((num_classes, num_classes))
    np.add.at(table, (target[known].numpy(), pred[known].numpy()), 1)
    with np.errstate(invalid="ignore"):
        scores = np.diag(table) / (table.sum(0) + table.sum(1) - np.diag(table))
    return 1.0 if np.isnan(scores).all() else np.nanmean(scores)


@given(
    st.integers(1, 6),
    st.integers(0, 3),
    sides,
    sides,
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([255, -1]),
    SEEDS,
)
def test_mean_iou_agrees_with_a_table_of_counts(classes, batch, height, width, noise, unknown, ignore_index, seed):
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, height, width) if batch else (height, width)
    target = torch.randint(0, classes, shape, generator=generator)
    other = torch.randint(0, classes, shape, generator=generator)
    pred = torch.where(torch.rand(shape, generator=generator) < noise, other, target)
    target[torch.rand(shape, generator=generator) < unknown] = ignore_index
    score = mean_iou(pred, target, classes + 2, ignore_index)
    assert math.isclose(score, by_counting(pred, target, classes + 2, ignore_index), abs_tol=1e-12)
    assert score == mean_iou(
        pred.flatten(-2), target.flatten(-2), classes + 2, ignore_index
    )  # pooled: shape is nothing


@given(pairs_of_masks(batch=True))
def test_dice_scores_agree_with_smp(batch):
    preds, targets = batch
    stats = smp.metrics.get_stats(preds.long()[:, None], targets.long()[:, None], mode="binary")
    nothing = not (preds | targets).any()  # smp's micro score is NaN then, whatever zero_division says
    pooled = 1.0 if nothing else smp.metrics.f1_score(*stats, reduction="micro")
    per_image = smp.metrics.f1_score(*stats, reduction="micro-imagewise", zero_division=1.0)
    assert dice_scores(preds, targets, "pooled") == pytest.approx(float(pooled), abs=1e-6)
    assert dice_scores(preds, targets, "per_image") == pytest.approx(float(per_image), abs=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "Pooled", "", None])
def test_dice_scores_refuses_other_reductions(reduction):
    masks = torch.ones(2, 3, 3, dtype=torch.bool)
    with pytest.raises(ValueError, match="There is: 'pooled', 'per_image'"):
        dice_scores(masks, masks, reduction)
