"""Where tiles lie in an image."""

from __future__ import annotations

import operator

from helpers.errors import InputError

Size = int | tuple[int, int]


def as_size(value: Size, what: str) -> tuple[int, int]:
    """(height, width) of an int or a pair of ints, at least 1 each; ValueError for anything else."""
    try:
        height, width = map(operator.index, value if isinstance(value, tuple | list) else (value, value))
    except (TypeError, ValueError):
        raise InputError(f"{what} is {value!r}; it takes an int or (height, width) in pixels") from None
    if height < 1 or width < 1 or isinstance(value, bool):
        raise InputError(f"{what} is {value!r}; it takes at least 1 pixel each way")
    return height, width


def tile_corners(shape: tuple[int, int], tile: Size, stride: Size | None = None) -> list[tuple[int, int]]:
    """The (top, left) of every tile of an image of `shape` (height, width), row by row.

    Tiles start `stride` pixels apart (default: the tile's size, side by side). Where the last one would stick out, it
    is moved back to end at the image's border, so it overlaps the one before it more than the others do. Tiles cover
    every pixel and never leave the image.

    Raises ValueError where the tile is larger than the image, or the stride larger than the tile.
    """
    tile = as_size(tile, "tile")
    stride = tile if stride is None else as_size(stride, "stride")
    if tile[0] > shape[0] or tile[1] > shape[1]:
        raise InputError(
            f"A tile of {tile[0]}×{tile[1]} does not fit into {shape[0]}×{shape[1]} pixels (height × width). "
            f"Take tile=({min(tile[0], shape[0])}, {min(tile[1], shape[1])}) or smaller."
        )
    if stride[0] > tile[0] or stride[1] > tile[1]:
        raise InputError(
            f"A stride of {stride[0]}×{stride[1]} skips pixels between tiles of {tile[0]}×{tile[1]}. "
            "Take a stride no larger than the tile."
        )
    rows, columns = (_starts(n, t, s) for n, t, s in zip(shape, tile, stride, strict=True))
    return [(top, left) for top in rows for left in columns]


def _starts(length: int, tile: int, stride: int) -> list[int]:
    last = length - tile
    return [*range(0, last, stride), last]
