"""Kept pairs are the pairs that were read, in fewer bytes where these hold them."""

import pytest
import torch

from helpers.kept_pairs import KeptPairs


def scaled(levels, number=4):
    """Pictures with so many values, on no scale of their own, and masks with 255 where there is no label."""
    numbers = torch.randint(0, levels, (number, 3, 20, 30))
    masks = torch.randint(0, 3, (number, 20, 30))
    masks[:, 0] = 255
    return [(image / levels * 1.7 - 0.3, mask) for image, mask in zip(numbers, masks, strict=True)]


def everything(_shape):
    return slice(None), slice(None)


def some(_shape):
    return slice(3, 9), slice(5, 40)


@pytest.mark.parametrize(("levels", "bytes_a_value"), [(2, 1), (256, 1), (10_000, 4)])
def test_what_is_kept_is_what_was_read_without_loss(levels, bytes_a_value):
    pairs = scaled(levels)
    kept = KeptPairs(pairs, 4 * 600 * (3 * bytes_a_value + 1))
    for _ in range(2):
        for k, (image, mask) in enumerate(pairs):
            assert kept.shape(k) == mask.shape
            for part, choose in (((slice(None),) * 2, everything), ((slice(3, 9), slice(5, 40)), some)):
                now = kept.part(k, choose)
                assert torch.equal(now[0], image[(slice(None), *part)])
                assert torch.equal(now[1], mask[part])
                assert [x.dtype for x in now] == [torch.float32, torch.int64]
    read, pairs[:] = list(pairs), [None] * 4  # nothing is read again, so all of it was kept
    assert all(torch.equal(kept.part(k, everything)[0], image) for k, (image, _) in enumerate(read))


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        (torch.rand(1, 4, 4).double(), torch.zeros(4, 4, dtype=torch.int64)),
        (torch.full((1, 4, 4), float("nan")), torch.full((4, 4), 256)),
        (torch.tensor([0.0, -0.0, float("inf"), 1.0]).view(1, 2, 2), torch.full((2, 2), -1)),
    ],
)
def test_what_bytes_cannot_hold_is_kept_as_it_is(image, mask):
    kept = KeptPairs([(image, mask)], 1000)
    for _ in range(2):
        now = kept.part(0, everything)
        assert now[0].dtype == image.dtype
        assert torch.equal(now[0].nan_to_num(7.0), image.nan_to_num(7.0))
        assert torch.equal(now[1], mask)


def test_nothing_is_kept_where_nothing_may_be():
    pairs = scaled(4)
    kept = KeptPairs(pairs, 0)
    kept.part(0, everything)
    pairs[0] = pairs[1]
    assert torch.equal(kept.part(0, everything)[0], pairs[1][0])
