"""Which pixels a value reaches, against networks in which `nan` shows it."""

import math
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F

from helpers.tracing.receptive_field import ReceptiveField

SIDE = 144


def measured(function):
    """For each position of the result, the first and last column of the image that it depends on."""
    images = torch.zeros(SIDE, 1, SIDE)
    images[range(SIDE), :, range(SIDE)] = math.nan
    reached = function(images).isnan()[:, 0]  # (column of the image, position of the result)
    places = [column.nonzero().flatten().tolist() for column in reached.T]
    return [(place[0], place[-1]) if place else None for place in places]


ONE = torch.ones(1, 1, 3)
CASES = {
    "convolution": (lambda r: r.window(3, padding=1), lambda x: F.conv1d(x, ONE, padding=1)),
    "stride": (lambda r: r.window(3, 2, padding=1), lambda x: F.conv1d(x, ONE, stride=2, padding=1)),
    "dilation": (lambda r: r.window(3, dilation=4), lambda x: F.conv1d(x, ONE, dilation=4)),
    "pooling": (lambda r: r.window(2, 2), lambda x: F.max_pool1d(x, 2)),
    "transposed": (lambda r: r.transposed(3, 2), lambda x: F.conv_transpose1d(x, ONE, stride=2)),
    "transposed, cut": (
        lambda r: r.transposed(3, 2, padding=1),
        lambda x: F.conv_transpose1d(x, ONE, stride=2, padding=1),
    ),
    "nearest": (lambda r: r.resized(Fraction(1, 2)), lambda x: F.interpolate(x, scale_factor=2)),
    "linear": (lambda r: r.resized(Fraction(1, 2), 2), lambda x: F.interpolate(x, scale_factor=2, mode="linear")),
    "crop": (lambda r: r.from_position(5), lambda x: x[..., 5:]),
    "pad": (lambda r: r.from_position(-2), lambda x: F.pad(x, (2, 2))),
    "every third": (lambda r: r.from_position(1, 3), lambda x: x[..., 1::3]),
}


def check(field, function):
    found = measured(function)
    for place in range(len(found) // 3, 2 * len(found) // 3):  # where no border cuts anything off
        if found[place]:
            assert field.at(place) == found[place]


@pytest.mark.parametrize("first", CASES)
@pytest.mark.parametrize("second", CASES)
def test_one_after_the_other(first, second):
    (step, function), (next_step, next_function) = CASES[first], CASES[second]
    check(next_step(step(ReceptiveField())), lambda x: next_function(function(x)))


def test_side_by_side():
    down = ReceptiveField().window(3, padding=1)
    up = down.window(2, 2).window(3, padding=1).transposed(2, 2)

    def run(x):
        a = F.conv1d(x, ONE, padding=1)
        b = F.conv_transpose1d(F.conv1d(F.max_pool1d(a, 2), ONE, padding=1), torch.ones(1, 1, 2), stride=2)
        return F.conv1d(a + b, ONE, padding=1)

    check(down.merged(up).window(3, padding=1), run)


def test_width_and_step():
    field = ReceptiveField().window(3).window(3)
    assert (field.width, field.step) == (5, 1)
    field = field.window(2, 2).window(3).window(3)
    assert (field.width, field.step) == (14, 2)
    assert field.transposed(2, 2).step == 1
    assert ReceptiveField().merged(ReceptiveField().window(8, 2)).width == 8
