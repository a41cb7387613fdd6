"""The playgrounds as models: what each setting leads to."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from helpers.play.augmentation import Augmentation
from helpers.play.compare import Compare
from helpers.play.kernel import Kernel
from helpers.play.loss import PROBABILITIES, Loss
from helpers.play.overlap import Overlap, moved
from helpers.play.receptive_field import ReceptiveField
from helpers.play.threshold import Threshold
from helpers.play.tiles import Tiles
from helpers.play.upsampling import Upsampling
from helpers.reference.convolution import conv2d, receptive_field
from helpers.reference.losses import bce_with_logits
from helpers.reference.overlap import dice, iou


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(1, 40, 48, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def disc() -> torch.Tensor:
    """One round object of 48×64 pixels, nearer to the left side."""
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    return (rows - 24) ** 2 + (columns - 20) ** 2 <= 10**2


# ---- kernel ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stride", "padding", "side"), [(1, 0, 3), (1, 1, 3), (2, 1, 3), (2, 0, 5), (1, 0, 1)])
def test_the_kernels_result_is_the_references(image, stride, padding, side):
    weights = torch.randn(side, side, generator=torch.Generator().manual_seed(1))
    model = Kernel(image, weights, stride=stride, padding=padding)
    expected = conv2d(image[0], weights, stride=stride, padding=padding)
    torch.testing.assert_close(model.result, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("at", [None, (0, 0), (2, 3)])
def test_the_place_that_is_worked_out_adds_up_to_the_result(image, at):
    now = Kernel(image, at=at, stride=2, padding=1).compute()
    assert now.value == pytest.approx(now.products.sum().item(), abs=1e-5)
    assert now.value == pytest.approx(now.result[now.at].item(), abs=1e-5)
    if at is None:
        assert abs(now.value) == pytest.approx(now.result.abs().max().item(), abs=1e-5)


def test_a_kernel_may_be_edited_in_place(image):
    model = Kernel(image, torch.zeros(3, 3))
    assert model.result.abs().max() == 0
    model.kernel[1, 1] = 2.0
    torch.testing.assert_close(model.result, 2 * image[0, 1:-1, 1:-1])


# ---- overlap --------------------------------------------------------------------------------------------------------


def test_the_shape_is_pushed_towards_the_side_with_more_room(disc):
    assert Overlap(torch.rand(48, 64), disc).right > 0
    assert Overlap(torch.rand(48, 64), disc.flip(1)).right < 0


def test_scores_are_one_at_no_shift_and_fall_with_it(disc):
    curve = Overlap(torch.rand(48, 64), disc).curve()
    assert curve["IoU"][0] == curve["Dice"][0] == curve["accuracy"][0] == 1.0
    assert curve["IoU"] == sorted(curve["IoU"], reverse=True)
    assert curve["IoU"][-1] == curve["Dice"][-1] == 0.0
    assert min(curve["accuracy"]) == pytest.approx(1 - 2 * disc.float().mean().item())
    for a, b in zip(curve["IoU"], curve["Dice"], strict=True):
        assert b == pytest.approx(2 * a / (1 + a))


def test_the_shape_moves_by_its_attributes(disc):
    model = Overlap(torch.rand(48, 64), disc)
    model.down, model.right = -3, 5
    now = model.compute()
    assert torch.equal(now.pred, disc.roll((-3, 5), (0, 1)))
    assert now.both + now.missed == disc.sum()
    assert now.scores["IoU"] == iou(now.pred, disc)


def test_what_leaves_the_image_does_not_come_back_on_the_other_side():
    mask = torch.zeros(4, 5).bool()
    mask[0, 4] = True
    assert not moved(mask, 0, 1).any()
    assert not moved(mask, -1, 0).any()
    assert not moved(mask, 9, 0).any()
    assert moved(mask, 3, -4)[3, 0]


def test_the_largest_whole_object_is_moved():
    truth = torch.zeros(20, 20, dtype=torch.int64)
    truth[0:8, 0:8] = 1  # larger, but cut by the border
    truth[10:14, 10:15] = 2
    assert Overlap(torch.rand(20, 20), truth).truth.sum() == 20
    truth[truth == 2] = 0
    assert Overlap(torch.rand(20, 20), truth).truth.sum() == 64


# ---- upsampling -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (4, 2), (6, 2), (3, 3), (6, 3), (1, 1)])
def test_a_kernel_that_is_a_multiple_of_the_stride_leaves_no_checkerboard(image, kernel, stride):
    strengths = Upsampling(image, kernel=kernel, stride=stride).compute().strengths
    assert strengths == {mode: pytest.approx(0, abs=1e-6) for mode in ("nearest", "bilinear", "transposed")}


def test_the_checkerboard_of_3_with_stride_2_is_that_of_its_stamps(image):
    # a pixel gets 1, 2 or 4 stamps, in the shares 1/4, 1/2, 1/4
    stamps = np.array([1, 2, 2, 4])
    model = Upsampling(image, "transposed", 3, 2)
    assert model.compute().strengths["transposed"] == pytest.approx(stamps.std() / stamps.mean(), abs=1e-6)


def test_a_tent_has_no_checkerboard_though_3_is_no_multiple_of_2(image):
    tent = torch.tensor([0.5, 1.0, 0.5])
    model = Upsampling(image, "transposed", tent[:, None] * tent)
    assert model.compute().strengths["transposed"] == pytest.approx(0, abs=1e-6)


def test_brightness_stays_on_the_average_whatever_the_kernel():
    flat = torch.full((1, 24, 24), 0.5)
    for kernel in (2, 3, 5):
        result = Upsampling(flat, "transposed", kernel).compute().maps["transposed"]
        assert result[6:-6, 6:-6][:20, :20].mean() == pytest.approx(0.5, abs=1e-5)


def test_kernels_that_sum_to_zero_have_a_strength_too(image):
    model = Upsampling(image, "transposed", torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
    assert math.isfinite(model.compute().strengths["transposed"])


# ---- loss -----------------------------------------------------------------------------------------------------------


def test_cross_entropy_is_lowest_at_the_share_and_dice_at_the_top():
    for fraction in (0.05, 0.3):
        everywhere = Loss(fraction).compute()["everywhere"]
        assert everywhere["BCE"].lowest == pytest.approx(fraction, abs=0.02)
        assert everywhere["Dice"].lowest == everywhere["IoU"].lowest == pytest.approx(0.99)


def test_gradients_are_the_slopes_of_the_losses():
    pulled = Loss(0.1).compute()
    logits = torch.logit(PROBABILITIES)
    step = (logits[26] - logits[24]).item()
    for where in pulled:
        for name, p in pulled[where].items():
            slope = (p.loss[26] - p.loss[24]) / step
            assert p.gradient[25] == pytest.approx(slope, rel=0.02, abs=1e-4), (where, name)
            assert p.gradient[25] == pytest.approx(p.from_object[25] + p.from_background[25])


def test_undecided_pulls_of_cross_entropy_are_half_the_shares():
    model = Loss(0.1)
    fraction = model.target.mean().item()
    assert model.undecided()["BCE"] == pytest.approx((fraction / 2, (1 - fraction) / 2), rel=1e-4)


def test_the_losses_are_the_references():
    model = Loss(0.2)
    expected = bce_with_logits(torch.logit(PROBABILITIES[10]).expand_as(model.target), model.target)
    assert model.compute()["everywhere"]["BCE"].loss[10] == pytest.approx(expected.item())


@pytest.mark.parametrize("fraction", [0.0001, 0.9999])
def test_a_tiny_share_still_has_a_pixel_of_each_kind(fraction):
    assert 0 < Loss(fraction).target.sum() < Loss(fraction).target.numel()


# ---- threshold ------------------------------------------------------------------------------------------------------


def test_the_best_threshold_is_in_the_middle_of_a_perfect_range(disc):
    model = Threshold(torch.where(disc, 0.8, 0.4), disc)
    assert model.at(model.best).dice == 1.0
    assert model.best == pytest.approx(0.6, abs=0.015)


def test_the_threshold_moves(disc):
    probability = torch.rand(48, 64, generator=torch.Generator().manual_seed(0))
    model = Threshold(probability, disc)
    for value in (0.2, 0.7):
        model.threshold = value
        now = model.compute()
        assert torch.equal(now.mask, probability > value)
        assert now.dice == dice(probability > value, disc)
        assert now.both + now.false + now.missed + now.rest == disc.numel()


# ---- augmentation ---------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_draws(image):
    mask = (image[0] > 0.5).long()
    first, again, other = (Augmentation(image, mask, seed).compute() for seed in (3, 3, 4))
    assert all(torch.equal(a.image, b.image) and torch.equal(a.mask, b.mask) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a.mask, b.mask) for a, b in zip(first, other, strict=True))


def test_strength_0_bends_nothing(image):
    mask = (image[0] > 0.5).long()
    for draw in Augmentation(image, mask, strength=0).compute():
        flips = [mask, mask.flip(0), mask.flip(1), mask.flip(0, 1)]
        assert any(torch.equal(draw.mask, flipped) for flipped in flips)


def test_a_draw_leaves_the_pair_and_the_global_generator_alone(image):
    mask = (image[0] > 0.5).long()
    before, state = image.clone(), torch.get_rng_state()
    draws = Augmentation(image, mask).compute()
    assert torch.equal(image, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert {v for draw in draws for v in draw.mask.unique().tolist()} <= {0, 1}


# ---- tiles ----------------------------------------------------------------------------------------------------------


def test_tiles_of_a_model_that_sees_one_pixel_leave_no_seam():
    model = nn.Conv2d(1, 1, 1)
    nn.init.ones_(model.weight)  # a weight near 0 leaves a spread of the output near the rounding error
    now = Tiles(torch.rand(1, 60, 70), tile=32, overlap=8, model=model).compute()
    assert now.worst == pytest.approx(0, abs=1e-5)
    assert now.seams.shape == (60, 70)


def test_more_overlap_leaves_less_seam_and_takes_more_tiles():
    image = torch.rand(1, 96, 96, generator=torch.Generator().manual_seed(0))
    found = Tiles(image, tile=48, overlap=0).by_overlap()
    assert list(found) == [0, 6, 12, 18, 24]
    assert found[24].mean < found[12].mean < found[0].mean
    assert found[24].tiles > found[0].tiles == 4


def test_every_pixel_is_in_a_tile():
    model = Tiles(torch.rand(1, 50, 80), tile=32, overlap=10)
    covered = torch.zeros(50, 80)
    for top, left in model.compute().corners:
        covered[max(0, top) : top + 32, max(0, left) : left + 32] += 1
    assert covered.min() >= 1


def test_a_model_is_given_back_in_its_mode():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Tiles(torch.rand(1, 40, 40), tile=20, overlap=4, model=model).compute()
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


# ---- receptive field ------------------------------------------------------------------------------------------------


def test_the_field_grows_as_the_reference_says():
    layers = [(3, 1), (3, 1), (2, 2), (3, 1), (5, 2)]
    seen = ReceptiveField(layers).compute()
    assert [s.field for s in seen] == [receptive_field(layers[:k]) for k in range(1, 6)]
    assert sum(s.grown for s in seen) + 1 == seen[-1].field
    assert seen[-1].step == 4


# ---- compare --------------------------------------------------------------------------------------------------------


def test_errors_are_missed_or_false(disc):
    pred = disc.roll(4, 1)
    result = Compare(torch.rand(48, 64), disc, {"shifted": pred}).compute()["shifted"]
    assert torch.equal(result.missed, disc & ~pred)
    assert torch.equal(result.false, pred & ~disc)
    assert not result.confused.any()
    assert (result.dice, result.iou) == (dice(pred, disc), iou(pred, disc))


def test_probabilities_are_cut_at_a_half_and_equal_the_mask(disc):
    results = Compare(torch.rand(48, 64), disc, {"p": torch.where(disc, 0.6, 0.4), "m": disc}).compute()
    assert results["p"].dice == results["m"].dice == 1.0


def test_a_wrong_class_is_neither_missed_nor_false_and_ignored_pixels_do_not_count():
    truth = torch.tensor([[0, 1, 2, 255], [0, 1, 2, 255]])
    pred = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 0]])
    result = Compare(torch.rand(2, 4), truth, {"a": pred}).compute()["a"]
    assert (result.missed.sum(), result.false.sum(), result.confused.sum()) == (1, 1, 1)
    assert not result.wrong[:, 3].any()
    assert result.iou == pytest.approx((1 / 4 + 1 / 2) / 2)


def test_nothing_there_and_nothing_found_scores_one():
    empty = torch.zeros(5, 5).bool()
    result = Compare(torch.rand(5, 5), empty, {"a": empty}).compute()["a"]
    assert (result.dice, result.iou, result.wrong.sum()) == (1.0, 1.0, 0)


# ---- what is impossible ---------------------------------------------------------------------------------------------

IMAGE, EMPTY = torch.rand(1, 40, 48), torch.zeros(40, 48).bool()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Kernel(IMAGE, torch.ones(2, 3)), "must be square"),
        (lambda: Kernel(IMAGE, torch.ones(50, 50)), "does not fit into 40×48"),
        (lambda: Kernel(IMAGE, at=(99, 0)), "no place"),
        (lambda: Overlap(IMAGE, EMPTY), "empty"),
        (lambda: Upsampling(IMAGE, "nearst"), "Did you mean 'nearest'"),
        (lambda: Upsampling(IMAGE, stride=0), "stride is 0"),
        (lambda: Upsampling(IMAGE, kernel=0), "kernel is 0"),
        (lambda: Upsampling(IMAGE, kernel=torch.ones(2, 3)), "must be square"),
        (lambda: Loss(0), "between 0 and 1"),
        (lambda: Loss(1), "between 0 and 1"),
        (lambda: Loss(-0.1), "between 0 and 1"),
        (lambda: Loss(5), "between 0 and 1"),
        (lambda: Threshold(torch.randn(40, 48), EMPTY), "torch.sigmoid"),
        (lambda: Threshold(torch.full((40, 48), torch.nan), EMPTY), "within 0 to 1"),
        (lambda: Tiles(IMAGE, tile=16, overlap=16), "do not fit an image of 40×48"),
        (lambda: Tiles(IMAGE, tile=16, overlap=-1), "do not fit an image of 40×48"),
        (lambda: Tiles(IMAGE, tile=99, overlap=8), "do not fit an image of 40×48"),
        (lambda: ReceptiveField([]), "There is no layer"),
        (lambda: ReceptiveField([(0, 1)]), "There is no layer"),
        (lambda: ReceptiveField([(3, 0)]), "There is no layer"),
        (lambda: Compare(IMAGE, EMPTY, {}), "no prediction"),
        (lambda: Compare(IMAGE, EMPTY, {"a": EMPTY[:3, :3]}), "a is 3×3 pixels and the image 40×48"),
        (lambda: Compare(IMAGE, EMPTY, {"a": torch.full((40, 48), 3.5)}), "give a mask, or probabilities"),
    ],
)
def test_what_is_impossible_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
