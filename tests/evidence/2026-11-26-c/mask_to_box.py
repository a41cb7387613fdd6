# %% right: with argmax on the projections, from both ends
def mask_to_box(mask):
    rows, columns = mask.any(dim=1).int(), mask.any(dim=0).int()
    if rows.sum() == 0:
        return None
    h, w = mask.shape
    y0, x0 = int(rows.argmax()), int(columns.argmax())
    y1, x1 = h - int(rows.flip(0).argmax()), w - int(columns.flip(0).argmax())
    return x0, y0, x1, y1


# %% right: plain loops, growing the box pixel by pixel
def mask_to_box(mask):
    box = None
    for y, row in enumerate(mask.tolist()):
        for x, inside in enumerate(row):
            if inside:
                if box is None:
                    box = [x, y, x + 1, y + 1]
                else:
                    box = [min(box[0], x), min(box[1], y), max(box[2], x + 1), max(box[3], y + 1)]
    return None if box is None else tuple(box)


# %% wrong: the end is the last true pixel, as torchvision's masks_to_boxes counts
def mask_to_box(mask):
    if not mask.any():
        return None
    ys, xs = torch.where(mask)
    return xs.min().item(), ys.min().item(), xs.max().item(), ys.max().item()


# %% wrong: takes the first axis for x
def mask_to_box(mask):
    points = mask.nonzero()
    if len(points) == 0:
        return None
    (x0, y0), (x1, y1) = points.min(dim=0).values, points.max(dim=0).values + 1
    return int(x0), int(y0), int(x1), int(y1)


# %% wrong: gives x, y, width and height
def mask_to_box(mask):
    if mask.sum() == 0:
        return None
    columns = np.flatnonzero(mask.numpy().any(axis=0))
    rows = np.flatnonzero(mask.numpy().any(axis=1))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1


# %% wrong: an empty mask gives a box of zeros
def mask_to_box(mask):
    ys, xs = np.nonzero(mask.numpy())
    if ys.size == 0:
        return (0, 0, 0, 0)
    return (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)


# %% wrong: an empty mask raises
def mask_to_box(mask):
    where = torch.argwhere(mask)
    y0, x0 = where.amin(0).tolist()
    y1, x1 = (where.amax(0) + 1).tolist()
    return x0, y0, x1, y1


# %% wrong: takes the first and last true pixel in reading order for the corners
def mask_to_box(mask):
    pixels = mask.nonzero().tolist()
    if not pixels:
        return None
    (y0, x0), (y1, x1) = pixels[0], pixels[-1]
    return x0, y0, x1 + 1, y1 + 1


# %% wrong: makes the start one smaller as well, a margin around the object
def mask_to_box(mask):
    if not mask.any():
        return None
    ys, xs = mask.nonzero(as_tuple=True)
    h, w = mask.shape
    return max(int(xs.min()) - 1, 0), max(int(ys.min()) - 1, 0), min(int(xs.max()) + 1, w), min(int(ys.max()) + 1, h)


# %% wrong: looks for a box with truth of the sums, so x is compared with the full height: only columns and rows that are true everywhere
def mask_to_box(mask):
    rows = [y for y in range(mask.shape[0]) if mask[y].all()]
    columns = [x for x in range(mask.shape[1]) if mask[:, x].all()]
    if not rows or not columns:
        return None
    return min(columns), min(rows), max(columns) + 1, max(rows) + 1


# %% wrong: [two] row first, and the end is inclusive
def mask_to_box(mask):
    if not torch.any(mask):
        return None
    rows = torch.where(mask.any(1))[0]
    cols = torch.where(mask.any(0))[0]
    return rows[0].item(), cols[0].item(), rows[-1].item(), cols[-1].item()


# %% wrong: [two] width and height without the one for the end, and zeros when nothing is there
def mask_to_box(mask):
    ys, xs = torch.nonzero(mask, as_tuple=True)
    if ys.numel() == 0:
        return 0, 0, 0, 0
    x0, y0 = xs.min(), ys.min()
    return int(x0), int(y0), int(xs.max() - x0), int(ys.max() - y0)
