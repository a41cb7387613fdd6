# %% right: narrow along both axes after one check
def center_crop(x, size):
    for axis, wanted in zip((2, 3), size):
        surplus = x.shape[axis] - wanted
        if surplus < 0:
            raise ValueError(f"cannot crop {tuple(x.shape)} to {tuple(size)}")
        x = x.narrow(axis, surplus // 2, wanted)
    return x


# %% wrong: cuts the same number of rows off both ends, so when an odd number has to go one row or column too many is left
def center_crop(x, size):
    h, w = size
    H, W = x.shape[-2:]
    if h > H or w > W:
        raise ValueError("size is larger than x")
    dy = (H - h) // 2
    dx = (W - w) // 2
    return x[:, :, dy:H - dy, dx:W - dx]


# %% wrong: [two] first the start is rounded (as torchvision does), so with 3 rows to go 2 go at the top instead of 1; second a size larger than x is padded with zeros instead of raising ValueError
def center_crop(x, size):
    crop_height, crop_width = size
    image_height, image_width = x.shape[-2:]
    if crop_width > image_width or crop_height > image_height:
        padding = [
            (crop_width - image_width) // 2 if crop_width > image_width else 0,
            (crop_width - image_width + 1) // 2 if crop_width > image_width else 0,
            (crop_height - image_height) // 2 if crop_height > image_height else 0,
            (crop_height - image_height + 1) // 2 if crop_height > image_height else 0,
        ]
        x = F.pad(x, padding, value=0.0)
        image_height, image_width = x.shape[-2:]
    crop_top = int(round((image_height - crop_height) / 2.0))
    crop_left = int(round((image_width - crop_width) / 2.0))
    return x[..., crop_top:crop_top + crop_height, crop_left:crop_left + crop_width]
