# %% right: plain loops over rows and columns, beginner style
def mask_to_box(mask):
    height, width = mask.shape
    rows = []
    for y in range(height):
        if bool(mask[y].any()):
            rows.append(y)
    columns = []
    for x in range(width):
        if bool(mask[:, x].any()):
            columns.append(x)
    if len(rows) == 0:
        return None
    return (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


# %% wrong: the end is inclusive (max without + 1), so mask[y0:y1, x0:x1] misses the last row and the last column
def mask_to_box(mask):
    if not mask.any():
        return None
    ys, xs = torch.where(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())


# %% wrong: x and y are mixed up: the first axis of the mask (rows) is taken for x, so the box is transposed
def mask_to_box(mask):
    points = mask.nonzero()
    if points.numel() == 0:
        return None
    x0, y0 = points.min(dim=0).values.tolist()
    x1, y1 = (points.max(dim=0).values + 1).tolist()
    return x0, y0, x1, y1
