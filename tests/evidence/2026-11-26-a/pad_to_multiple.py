# %% right: shares the zeros between both ends, writes x into a map of zeros
def pad_to_multiple(x, multiple):
    n, c, h, w = x.shape
    new_h = (h + multiple - 1) // multiple * multiple
    new_w = (w + multiple - 1) // multiple * multiple
    top, left = (new_h - h) // 2, (new_w - w) // 2
    padded = x.new_zeros(n, c, new_h, new_w)
    padded[:, :, top : top + h, left : left + w] = x
    return padded, (left, new_w - w - left, top, new_h - h - top)


# %% wrong: a side that is a multiple already gets a whole multiple of zeros more instead of none
def pad_to_multiple(x, multiple):
    H, W = x.shape[-2], x.shape[-1]
    bottom = multiple - H % multiple
    right = multiple - W % multiple
    pads = (0, right, 0, bottom)
    return F.pad(x, pads), pads


# %% wrong: returns the pads as (top, bottom, left, right) instead of (left, right, top, bottom), so unpad cuts the wrong sides
def pad_to_multiple(x, multiple):
    dh = (-x.size(2)) % multiple
    dw = (-x.size(3)) % multiple
    top, left = dh // 2, dw // 2
    bottom, right = dh - top, dw - left
    padded = F.pad(x, (left, right, top, bottom), mode="constant", value=0)
    return padded, (top, bottom, left, right)
