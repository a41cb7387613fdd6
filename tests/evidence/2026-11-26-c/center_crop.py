# %% right: index_select along both axes
def center_crop(x, size):
    for dim, keep in zip((2, 3), size):
        here = x.shape[dim]
        if keep > here:
            raise ValueError(f"cannot crop {here} to {keep}")
        start = (here - keep) // 2
        x = x.index_select(dim, torch.arange(start, start + keep, device=x.device))
    return x


# %% right: negative padding takes the rows away
def center_crop(x, size):
    rows, cols = x.shape[-2] - size[0], x.shape[-1] - size[1]
    if min(rows, cols) < 0:
        raise ValueError("size is larger than x")
    return F.pad(x, (-(cols // 2), -(cols - cols // 2), -(rows // 2), -(rows - rows // 2)))


# %% wrong: cuts from the middle pixel by half a size, so an odd size comes out one too small
def center_crop(x, size):
    h, w = size
    H, W = x.shape[2], x.shape[3]
    if h > H or w > W:
        raise ValueError("size too large")
    cy, cx = H // 2, W // 2
    return x[:, :, cy - h // 2 : cy + h // 2, cx - w // 2 : cx + w // 2]


# %% wrong: starts half a size before the middle pixel, so an odd row left over may go at the top
def center_crop(x, size):
    h, w = size
    H, W = x.shape[-2:]
    if h > H or w > W:
        raise ValueError(f"cannot cut {h}x{w} from {H}x{W}")
    top = H // 2 - h // 2
    left = W // 2 - w // 2
    return x[..., top : top + h, left : left + w]


# %% wrong: the row left over goes at the top and on the left
def center_crop(x, size):
    dh = x.shape[2] - size[0]
    dw = x.shape[3] - size[1]
    if dh < 0 or dw < 0:
        raise ValueError("too small")
    return x[:, :, (dh + 1) // 2 : x.shape[2] - dh // 2, (dw + 1) // 2 : x.shape[3] - dw // 2]


# %% wrong: a negative end that is 0 when nothing has to go gives an empty map
def center_crop(x, size):
    height, width = size
    if height > x.shape[2] or width > x.shape[3]:
        raise ValueError("size is larger than x")
    top = (x.shape[2] - height) // 2
    bottom = x.shape[2] - height - top
    left = (x.shape[3] - width) // 2
    right = x.shape[3] - width - left
    return x[:, :, top:-bottom, left:-right]


# %% wrong: size is taken as (width, height)
def center_crop(x, size):
    w, h = size
    _, _, H, W = x.shape
    if h > H or w > W:
        raise ValueError("The crop is larger than the map.")
    top, left = (H - h) // 2, (W - w) // 2
    return x[:, :, top : top + h, left : left + w]


# %% wrong: raises only when both directions are too large
def center_crop(x, size):
    height, width = size
    if height > x.size(2) and width > x.size(3):
        raise ValueError("size is larger than the map")
    top = max((x.size(2) - height) // 2, 0)
    left = max((x.size(3) - width) // 2, 0)
    return x.narrow(2, top, min(height, x.size(2))).narrow(3, left, min(width, x.size(3)))


# %% wrong: a size equal to x is refused as well
def center_crop(x, size):
    height, width = size
    if not (height < x.shape[2] and width < x.shape[3]):
        raise ValueError(f"cannot crop {tuple(x.shape)} to {size}")
    rows = slice((x.shape[2] - height) // 2, (x.shape[2] - height) // 2 + height)
    cols = slice((x.shape[3] - width) // 2, (x.shape[3] - width) // 2 + width)
    return x[:, :, rows, cols]


# %% wrong: scales the map to the size instead of cutting it
def center_crop(x, size):
    if size[0] > x.shape[2] or size[1] > x.shape[3]:
        raise ValueError
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


# %% wrong: [two] first takes the corner at the top left; second a size that is too large is cut down to x without an error
def center_crop(x, size):
    height, width = size
    return x[:, :, :height, :width]


# %% wrong: [two] first round() of half the difference, so 3 rows to go take 2 at the top; second a size that is too large is refused by an assert
def center_crop(x, size):
    th, tw = size
    h, w = x.shape[-2:]
    assert th <= h and tw <= w, "size larger than x"
    i = int(round((h - th) / 2.0))
    j = int(round((w - tw) / 2.0))
    return x[:, :, i : i + th, j : j + tw]
