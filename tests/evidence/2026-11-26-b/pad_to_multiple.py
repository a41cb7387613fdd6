# %% right: negative modulo, shared between both ends
def pad_to_multiple(x, multiple):
    extra_h = -x.shape[2] % multiple
    extra_w = -x.shape[3] % multiple
    left, top = extra_w // 2, extra_h // 2
    pads = (left, extra_w - left, top, extra_h - top)
    return F.pad(x, pads), pads

# %% wrong: A side that is a multiple already gets a whole multiple of zeros more, because multiple - H % multiple is multiple and not 0 there.
def pad_to_multiple(x, multiple):
    n, c, h, w = x.shape
    pad_h = multiple - h % multiple
    pad_w = multiple - w % multiple
    pads = (0, pad_w, 0, pad_h)
    padded = F.pad(x, pads, mode="constant", value=0)
    return padded, pads

# %% wrong: The padding is right, but pads is returned as (top, bottom, left, right), so that unpad cuts the rows' zeros from the columns when height and width need different amounts.
def pad_to_multiple(x, multiple):
    h, w = x.shape[-2:]
    new_h = (h + multiple - 1) // multiple * multiple
    new_w = (w + multiple - 1) // multiple * multiple
    top = (new_h - h) // 2
    left = (new_w - w) // 2
    padded = x.new_zeros(x.shape[0], x.shape[1], new_h, new_w)
    padded[:, :, top:top + h, left:left + w] = x
    return padded, (top, new_h - h - top, left, new_w - w - left)
