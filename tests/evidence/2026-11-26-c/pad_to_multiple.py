# %% right: a canvas of zeros, the map written into its lower right corner
def pad_to_multiple(x, multiple):
    n, c, h, w = x.shape
    tall = (h + multiple - 1) // multiple * multiple
    wide = (w + multiple - 1) // multiple * multiple
    canvas = x.new_zeros((n, c, tall, wide))
    top, left = tall - h, wide - w
    canvas[:, :, top:, left:] = x
    return canvas, (left, 0, top, 0)


# %% right: concatenates strips of zeros, one side after the other
def pad_to_multiple(x, multiple):
    pads = [0, 0, 0, 0]
    for axis, place in ((3, 1), (2, 3)):
        missing = 0
        while (x.shape[axis] + missing) % multiple:
            missing += 1
        shape = list(x.shape)
        shape[axis] = missing
        x = torch.cat((x, torch.zeros(shape, dtype=x.dtype, device=x.device)), dim=axis)
        pads[place] = missing
    return x, tuple(pads)


# %% wrong: adds a whole multiple where nothing is missing
def pad_to_multiple(x, multiple):
    h, w = x.shape[-2:]
    pad_h = multiple - h % multiple
    pad_w = multiple - w % multiple
    pads = (0, pad_w, 0, pad_h)
    return F.pad(x, pads), pads


# %% wrong: mirrors the borders instead of adding zeros
def pad_to_multiple(x, multiple):
    h, w = x.shape[-2:]
    pad_h = (multiple - h % multiple) % multiple
    pad_w = (multiple - w % multiple) % multiple
    pads = (0, pad_w, 0, pad_h)
    mode = "reflect" if pad_h < h and pad_w < w else "replicate"
    return F.pad(x, pads, mode=mode), pads


# %% wrong: the numpy order, returns pads as (top, bottom, left, right)
def pad_to_multiple(x, multiple):
    dh = int(np.ceil(x.shape[2] / multiple)) * multiple - x.shape[2]
    dw = int(np.ceil(x.shape[3] / multiple)) * multiple - x.shape[3]
    top, left = dh // 2, dw // 2
    bottom, right = dh - top, dw - left
    padded = F.pad(x, (left, right, top, bottom))
    return padded, (top, bottom, left, right)


# %% wrong: makes the picture square, both sides as long as the longer one needs
def pad_to_multiple(x, multiple):
    side = -(-max(x.shape[2], x.shape[3]) // multiple) * multiple
    right, bottom = side - x.shape[3], side - x.shape[2]
    return F.pad(x, (0, right, 0, bottom)), (0, right, 0, bottom)


# %% wrong: halves what is missing on both ends and loses a row or column where that is odd
def pad_to_multiple(x, multiple):
    height, width = x.shape[2], x.shape[3]
    dy = (-height) % multiple // 2
    dx = (-width) % multiple // 2
    return F.pad(x, [dx, dx, dy, dy]), (dx, dx, dy, dy)


# %% wrong: pads are the halves for both ends, but the zeros are all on the right and at the bottom
def pad_to_multiple(x, multiple):
    n, c, h, w = x.shape
    new_h = (h + multiple - 1) // multiple * multiple
    new_w = (w + multiple - 1) // multiple * multiple
    out = torch.zeros(n, c, new_h, new_w)
    out[:, :, :h, :w] = x
    top, left = (new_h - h) // 2, (new_w - w) // 2
    return out, (left, new_w - w - left, top, new_h - h - top)


# %% wrong: rounds to the nearest multiple and so cuts where less than half is over
def pad_to_multiple(x, multiple):
    target = [max(multiple, multiple * int(s / multiple + 0.5)) for s in x.shape[2:]]
    rows, columns = target[0] - x.shape[2], target[1] - x.shape[3]
    pads = (0, columns, 0, rows)
    return F.pad(x, pads), pads


# %% wrong: up to the next power of two in place of the next multiple
def pad_to_multiple(x, multiple):
    def up(side):
        target = multiple
        while target < side:
            target *= 2
        return target - side

    pads = (0, up(x.shape[3]), 0, up(x.shape[2]))
    return F.pad(x, pads), pads


# %% wrong: [two] first the missing rows are added to the columns and the other way round; second a whole multiple is added where nothing is missing
def pad_to_multiple(x, multiple):
    n, c, w, h = x.shape
    right = multiple - w % multiple
    bottom = multiple - h % multiple
    pads = (0, right, 0, bottom)
    return F.pad(x, pads), pads


# %% wrong: [two] first adds as much as is missing at both ends; second fills with the mean of the picture
def pad_to_multiple(x, multiple):
    py = -x.shape[2] % multiple
    px = -x.shape[3] % multiple
    pads = (px, px, py, py)
    return F.pad(x, pads, value=float(x.float().mean())), pads
