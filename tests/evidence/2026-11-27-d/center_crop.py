# %% right: MATLAB habit, two index vectors instead of slices
def center_crop(x, size):
    # in MATLAB this would be x(:, :, rows, cols)
    [N, C, H, W] = x.shape
    [height, width] = size
    if not (height <= H and width <= W):
        raise ValueError(f"cannot cut {height} x {width} out of {H} x {W}")
    rows = torch.arange(height, device=x.device) + (H - height) // 2
    cols = torch.arange(width, device=x.device) + (W - width) // 2
    return x[:, :, rows[:, None], cols]
# %% wrong: round() goes to the even neighbour, so with 3 (or 7, 11, ...) surplus rows or columns the start is 2 instead of 1 and the one left over goes at the top or left
def center_crop(x, size):
    target_h, target_w = size
    have_h, have_w = x.shape[2], x.shape[3]
    if target_h > have_h or target_w > have_w:
        raise ValueError("size is larger than x")
    # half of what has to go is cut off in front
    y0 = round((have_h - target_h) / 2)
    x0 = round((have_w - target_w) / 2)
    return x[:, :, y0:y0 + target_h, x0:x0 + target_w]
# %% wrong: the ValueError comes only when both directions are too large ("and"); with one too large side a map of a wrong size comes back without a word
def center_crop(x, size):
    H, W = x.shape[-2:]
    h, w = size
    if h > H and w > W:
        raise ValueError("crop is bigger than the map")
    top = (H - h) // 2
    left = (W - w) // 2
    cropped = x[..., top:top + h, left:left + w]
    return cropped
# %% wrong: cuts with negative ends, so where nothing has to go at the bottom (or right) the slice is 0:-0 and the result is empty, for example when x already has the size
def center_crop(x, size):
    surplus_rows = x.size(2) - size[0]
    surplus_cols = x.size(3) - size[1]
    if min(surplus_rows, surplus_cols) < 0:
        raise ValueError("size larger than x")

    top = surplus_rows // 2
    bottom = surplus_rows - top      # gets the odd one
    left = surplus_cols // 2
    right = surplus_cols - left

    return x[:, :, top:-bottom, left:-right]
