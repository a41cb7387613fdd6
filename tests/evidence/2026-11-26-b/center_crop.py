# %% right: short names, one check
def center_crop(x, size):
    h, w = size
    H, W = x.shape[-2:]
    if h > H or w > W:
        raise ValueError(f"cannot crop {(H, W)} to {(h, w)}")
    top, left = (H - h) // 2, (W - w) // 2
    return x[:, :, top:top + h, left:left + w]

# %% wrong: The start is rounded to even as in torchvision: with 3 rows too many, round(1.5) = 2 go at the top and 1 at the bottom, while the one left over belongs at the bottom.
def center_crop(x, size):
    crop_h, crop_w = size
    img_h, img_w = x.shape[2], x.shape[3]
    if crop_h > img_h or crop_w > img_w:
        raise ValueError("size is larger than x")
    crop_top = int(round((img_h - crop_h) / 2.0))
    crop_left = int(round((img_w - crop_w) / 2.0))
    return x[..., crop_top:crop_top + crop_h, crop_left:crop_left + crop_w]

# %% wrong: [two] first the ValueError comes only where size is larger in both directions (and instead of or); second the row or column left over goes at the top and on the left, because the start is rounded up
def center_crop(x, size):
    _, _, H, W = x.size()
    if size[0] > H and size[1] > W:
        raise ValueError("crop larger than the map")
    start_y = (H - size[0] + 1) // 2
    start_x = (W - size[1] + 1) // 2
    return x[:, :, start_y:start_y + size[0], start_x:start_x + size[1]]
