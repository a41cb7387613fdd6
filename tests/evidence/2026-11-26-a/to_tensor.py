# %% right: one channel after the other, stacked; copies first so that odd strides do no harm
def to_tensor(image):
    if image.ndim == 2:
        planes = [image]
    else:
        planes = [image[..., c] for c in range(image.shape[-1])]
    return torch.stack([torch.tensor(p.copy(), dtype=torch.float32) for p in planes]).div(255)


# %% wrong: reshapes (H, W, C) to (C, H, W) instead of moving the axis, so the pixels of a colour picture are scrambled
def to_tensor(image):
    img = torch.from_numpy(np.ascontiguousarray(image)).float() / 255.0
    if img.ndim == 2:
        img = img.unsqueeze(0)
    else:
        h, w, c = img.shape
        img = img.reshape(c, h, w)
    return img


# %% wrong: divides by the largest value of the picture instead of 255, so dark pictures are stretched (and a black one becomes NaN)
def to_tensor(image: np.ndarray) -> torch.Tensor:
    """uint8 picture -> float32 tensor in [0, 1]."""
    array = image.astype(np.float32)
    array = array / array.max()
    if array.ndim == 2:
        array = array[:, :, None]
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


# %% wrong: permute(2, 1, 0) gives (C, W, H), a transposed picture, in place of (C, H, W)
def to_tensor(image):
    t = torch.tensor(np.array(image))
    if len(t.shape) == 2:
        return t[None].to(torch.float32) / 255
    return t.permute(2, 1, 0).to(torch.float32) / 255
