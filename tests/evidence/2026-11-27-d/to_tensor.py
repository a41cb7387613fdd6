# %% right: NumPy all the way, planes stacked one by one, atleast_3d for grey pictures
def to_tensor(image):
    cube = np.atleast_3d(image)                      # (H, W) becomes (H, W, 1)
    planes = np.stack([cube[..., c] for c in range(cube.shape[2])])
    return torch.as_tensor(np.true_divide(planes, 255, dtype=np.float32))

# %% wrong: np.transpose without axes reverses all of them, so the result is (C, W, H): height and width are swapped
def to_tensor(image):
    if image.ndim == 2:
        image = image[:, :, np.newaxis]
    # channels are the last axis, transpose brings them to the front
    channels_first = np.ascontiguousarray(np.transpose(image), dtype=np.float32)
    return torch.from_numpy(channels_first / 255)

# %% wrong: divides by 255 only if the largest value is above 1, so a picture of only 0s and 1s keeps its 1s instead of getting 1/255
def to_tensor(image):
    t = torch.from_numpy(np.ascontiguousarray(image)).float()

    # scale only if it has not been scaled already
    if t.max() > 1:
        t = t / 255.0

    if t.ndim == 2:
        return t.unsqueeze(0)
    return t.permute(2, 0, 1)

# %% wrong: NumPy's division by 255.0 gives float64 and nothing turns it into float32, so the result has the wrong dtype
def to_tensor(image):
    scaled = image / 255.0
    if scaled.ndim == 2:
        scaled = scaled[None]
    else:
        scaled = np.moveaxis(scaled, -1, 0)
    return torch.from_numpy(np.ascontiguousarray(scaled))
