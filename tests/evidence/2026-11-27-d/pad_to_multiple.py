# %% right: an empty canvas of the new size, the map painted into its middle, no F.pad
def pad_to_multiple(x, multiple):
    n, c, h, w = x.shape
    more_h = (-h) % multiple
    more_w = (-w) % multiple
    top, left = more_h // 2, more_w // 2
    canvas = x.new_zeros((n, c, h + more_h, w + more_w))
    canvas[:, :, top:top + h, left:left + w] = x
    return canvas, (left, more_w - left, top, more_h - top)
# %% wrong: pads are returned as (top, bottom, left, right), so unpad cuts the wrong sides whenever rows and columns need unlike padding
def pad_to_multiple(x, multiple):
    H, W = x.shape[-2:]
    new_H = ((H + multiple - 1) // multiple) * multiple
    new_W = ((W + multiple - 1) // multiple) * multiple
    top = (new_H - H) // 2
    bottom = new_H - H - top
    left = (new_W - W) // 2
    right = new_W - W - left
    # F.pad counts from the last dimension backwards
    padded = F.pad(x, (left, right, top, bottom))
    return padded, (top, bottom, left, right)
# %% wrong: puts the floored half of the missing pixels at both ends, so when an odd number is missing the side stays one short of the multiple
def pad_to_multiple(x, multiple):
    pads = []
    for side in (x.shape[3], x.shape[2]):        # width first, then height
        rest = side % multiple
        missing = multiple - rest if rest else 0
        half = missing // 2
        pads.append(half)
        pads.append(half)
    pads = tuple(pads)
    return F.pad(x, pads, "constant", 0.0), pads
# %% wrong: [two] first, a side that already is a multiple gets a whole extra block, because multiple - H % multiple is then multiple and not 0; second, the border pixels are repeated (mode "replicate") instead of adding zeros
def pad_to_multiple(x, multiple):
    batch, channels, height, width = x.shape
    pad_bottom = multiple - height % multiple
    pad_right = multiple - width % multiple
    pads = (0, pad_right, 0, pad_bottom)
    # repeat the edge so that there is no hard black border
    padded = F.pad(x, pads, mode="replicate")
    return padded, pads
