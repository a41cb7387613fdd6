# %% right: plain Python lists, index(True) from the front and from the back
def mask_to_box(mask):
    row_hit = mask.any(dim=1).tolist()
    col_hit = mask.any(dim=0).tolist()
    if True not in row_hit:
        return None

    def ends(flags):
        return flags.index(True), len(flags) - flags[::-1].index(True)

    (x0, x1), (y0, y1) = ends(col_hit), ends(row_hit)
    return x0, y0, x1, y1

# %% wrong: the starting values of the minima are swapped (x0 starts at the height, y0 at the width), so x0 is too small when the object begins right of column H, and y0 when it begins below row W
def mask_to_box(mask):
    H, W = mask.shape
    x0, y0 = H, W      # start with the largest, then shrink
    x1, y1 = 0, 0
    for y in range(H):
        for x in range(W):
            if mask[y, x]:
                x0 = min(x0, x)
                y0 = min(y0, y)
                x1 = max(x1, x + 1)
                y1 = max(y1, y + 1)
    if x1 == 0:
        return None
    return (x0, y0, x1, y1)

# %% wrong: the test for "no pixel" asks whether any column number is nonzero, so a mask whose true pixels all lie in column 0 returns None
def mask_to_box(mask):
    ys, xs = mask.nonzero().T
    if not xs.any():
        return None
    return (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)

# %% wrong: returns (x0, y0, width, height) as in COCO instead of the ends, which differs as soon as x0 or y0 is not 0
def mask_to_box(mask):
    coords = torch.nonzero(mask)
    if coords.shape[0] == 0:
        return None
    top, left = coords.min(dim=0).values.tolist()
    bottom, right = coords.max(dim=0).values.tolist()
    width = right - left + 1
    height = bottom - top + 1
    return left, top, width, height
