"""Tiles cover every pixel and never leave the image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.data.tiles import as_size, tile_corners


@given(st.data())
def test_every_pixel_is_covered_and_no_tile_sticks_out(draw):
    shape, tile, stride = [], [], []
    for _ in range(2):
        shape.append(draw.draw(st.integers(1, 60)))
        tile.append(draw.draw(st.integers(1, shape[-1])))
        stride.append(draw.draw(st.integers(1, tile[-1])))
    seen = np.zeros(shape, int)
    corners = tile_corners(tuple(shape), tuple(tile), tuple(stride))
    for top, left in corners:
        assert 0 <= top <= shape[0] - tile[0]
        assert 0 <= left <= shape[1] - tile[1]
        seen[top : top + tile[0], left : left + tile[1]] += 1
    assert seen.min() >= 1
    assert len(set(corners)) == len(corners)
    assert corners == sorted(corners)


def test_a_stride_that_divides_leaves_each_pixel_in_one_tile():
    assert tile_corners((4, 6), 2) == [(0, 0), (0, 2), (0, 4), (2, 0), (2, 2), (2, 4)]


def test_the_last_tile_is_moved_back_to_the_border():
    assert tile_corners((4, 10), 4) == [(0, 0), (0, 4), (0, 6)]
    assert tile_corners((5, 5), 4, 3) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_errors_name_the_numbers_and_the_way_out():
    with pytest.raises(ValueError, match=r"300×300 does not fit into 512×256 .*tile=\(300, 256\)"):
        tile_corners((512, 256), 300)
    with pytest.raises(ValueError, match="stride of 9×9 skips pixels between tiles of 8×8"):
        tile_corners((32, 32), 8, 9)
    for wrong in (0, -1, "8", 2.5, (1, 2, 3), (4, 0), None, True):
        with pytest.raises(ValueError, match="tile is"):
            as_size(wrong, "tile")
    assert as_size(np.int64(7), "tile") == (7, 7)
