# %% right: first-year student, projections on the two axes
def mask_to_box(mask):
    if not mask.any():
        return None
    rows = mask.any(dim=1).nonzero().flatten().tolist()
    cols = mask.any(dim=0).nonzero().flatten().tolist()
    x0 = cols[0]
    x1 = cols[-1] + 1
    y0 = rows[0]
    y1 = rows[-1] + 1
    return x0, y0, x1, y1

# %% wrong: The end is inclusive: x1 and y1 are the last true column and row, without + 1, so mask[y0:y1, x0:x1] cuts them off.
def mask_to_box(mask):
    ys, xs = torch.where(mask)
    if ys.numel() == 0:
        return None
    return xs.min().item(), ys.min().item(), xs.max().item(), ys.max().item()

# %% wrong: x and y are swapped: where() gives rows first, so the box comes out as (row, column, row, column).
def mask_to_box(mask):
    idx = mask.nonzero()
    if len(idx) == 0:
        return None
    x0, y0 = idx.min(dim=0).values.tolist()
    x1, y1 = idx.max(dim=0).values.tolist()
    return (x0, y0, x1 + 1, y1 + 1)
