"""Scores over a data set, on cases worked out by hand."""

import math

import pytest
import torch
from torch import nn

from helpers import metrics
from helpers.reference.overlap import dice, iou, mean_iou


class Copying(nn.Module):
    """Logits that say what the image says: the class is its value, or object where it is above 0."""

    def __init__(self, num_classes):
        super().__init__()
        self.num_classes, self.unused = num_classes, nn.Parameter(torch.zeros(1))

    def forward(self, x):
        if self.num_classes == 1:
            return x - 0.5
        return torch.cat([-(x - k).abs() for k in range(self.num_classes)], dim=1)


def test_scores_of_one_class_are_pooled_over_the_images():
    masks = [torch.tensor([[1, 1, 0, 0]]), torch.tensor([[1, 0, 0, 0]])]
    images = [torch.tensor([[[1.0, 0, 1, 0]]]), torch.tensor([[[1.0, 0, 0, 0]]])]
    found = metrics.score(Copying(1), list(zip(images, masks, strict=True)))
    pred, target = torch.cat([x[0] > 0.5 for x in images]), torch.cat(masks) == 1
    assert found == pytest.approx({"iou": float(iou(pred, target)), "dice": float(dice(pred, target))})
    assert found["iou"] == pytest.approx(2 / 4)


def test_who_looks_sees_each_image_with_what_is_predicted():
    pairs = [(torch.rand(1, 3, 4), torch.full((3, 4), k)) for k in range(2)]
    seen = []
    assert metrics.score(Copying(1), pairs, look=lambda *given: seen.append(given)) == metrics.score(Copying(1), pairs)
    for k, (number, image, logits, mask) in enumerate(seen):
        assert number == k
        assert torch.equal(image, pairs[k][0])
        assert torch.equal(logits, pairs[k][0] - 0.5)
        assert torch.equal(mask, pairs[k][1])
    assert len(seen) == 2


def test_several_classes_and_ignored_pixels_agree_with_lesson_02():
    generator = torch.Generator().manual_seed(0)
    mask = torch.randint(0, 4, (9, 7), generator=generator)
    pred = torch.randint(0, 4, (9, 7), generator=generator)
    mask[2:4] = 255
    table = metrics.confusion_table(pred, mask, 4)
    assert table.sum() == (mask != 255).sum()
    assert float(metrics.class_scores(table)["iou"].mean()) == pytest.approx(float(mean_iou(pred, mask, 4)))
    found = metrics.score(Copying(4), [(pred[None].float(), mask)])
    assert found["iou"] == pytest.approx(float(metrics.class_scores(table)["iou"][1:].mean()))


@pytest.mark.parametrize("table", [[[5, 0, 0], [0, 0, 0], [0, 0, 4]], [[5, 3, 0], [0, 0, 0], [0, 0, 4]]])
def test_a_class_without_a_label_has_no_score_and_counts_in_no_mean(table):
    table = torch.tensor(table)
    for scores in metrics.class_scores(table).values():
        assert scores.isnan().tolist() == [False, True, False]
    assert metrics.mean_scores(table) == {"iou": 1.0, "dice": 1.0}
    assert all(math.isnan(score) for score in metrics.mean_scores(table[:2, :2]).values())


def test_the_model_is_given_back_in_its_mode_also_when_it_raises():
    model = Copying(1).train()
    with pytest.raises(IndexError):
        metrics.score(model, [(torch.zeros(1, 2, 2), torch.zeros(2, 3, dtype=torch.long))])
    assert model.training


def square(top, left, side, size=20):
    mask = torch.zeros(size, size, dtype=torch.bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_the_distance_of_borders_is_in_pixels():
    assert metrics.boundary_error(square(5, 5, 6), square(5, 5, 6)) == 0.0
    inner, outer = square(6, 6, 4), square(5, 5, 6)
    # Every inner border pixel is 1 from the outer border; of the outer's 20, the four corners are √2 away.
    assert metrics.boundary_error(inner, outer) == pytest.approx((12 + 16 + 4 * math.sqrt(2)) / 32)
    assert metrics.boundary_error(inner, outer) == metrics.boundary_error(outer, inner)
    assert metrics.boundary_error(square(0, 0, 0), square(0, 0, 0)) == 0.0
    assert metrics.boundary_error(square(0, 0, 0), outer) == math.inf


def test_the_edge_of_the_image_is_no_border():
    assert metrics.boundary_error(square(0, 0, 20), square(0, 0, 20)) == 0.0
    half, shifted = (torch.arange(8).expand(8, 8) < end for end in (4, 6))
    assert metrics.boundary_error(half, shifted) == 2.0


def test_errors_within_the_tolerance_do_not_count():
    target, larger = square(5, 5, 6), square(4, 4, 8)
    smaller, far = square(6, 6, 4), square(5, 5, 6) | square(15, 15, 3)
    assert metrics.tolerant_iou(larger, target) == metrics.tolerant_iou(smaller, target) == 1.0
    assert metrics.tolerant_iou(square(3, 3, 10), target) < 1.0
    assert metrics.tolerant_iou(far, target) == pytest.approx(36 / 45)
    assert metrics.tolerant_iou(square(0, 0, 0), square(0, 0, 0)) == 1.0
