# %% right: writes each channel into a zero tensor of the right shape
def to_tensor(image):
    array = np.atleast_3d(np.asarray(image))
    h, w, c = array.shape
    out = torch.zeros(c, h, w, dtype=torch.float32)
    for channel in range(c):
        out[channel] = torch.tensor(array[..., channel].astype(np.float32)) / 255.0
    return out


# %% right: reshape to a batch of pixels, einsum for the axes, and a product with 1/255 in double
def to_tensor(image):
    h, w = image.shape[:2]
    t = torch.tensor(image, dtype=torch.float64).reshape(h, w, -1)
    return torch.einsum("hwc->chw", t).mul(1 / 255).to(torch.float32).contiguous()


# %% wrong: transposes with .T, so rows and columns are swapped as well
def to_tensor(image):
    if image.ndim == 2:
        image = image[..., np.newaxis]
    return torch.from_numpy(image.T.copy()).to(torch.float32) / 255.0


# %% wrong: the grey picture gets its channel at the end, and only colour pictures are permuted
def to_tensor(image):
    x = torch.from_numpy(np.array(image)).float().div(255)
    if x.dim() == 3:
        return x.permute(2, 0, 1)
    return x.unsqueeze(-1)


# %% wrong: min-max scaling, each picture stretched to its own range
def to_tensor(image):
    x = image.astype(np.float32)
    x = (x - x.min()) / max(x.max() - x.min(), 1)
    if x.ndim == 2:
        x = x[None]
    else:
        x = np.moveaxis(x, -1, 0)
    return torch.from_numpy(np.ascontiguousarray(x))


# %% wrong: in-place division of a float view of a copy, but by the dtype's number of values, 256
def to_tensor(image):
    n_values = 2 ** (8 * image.dtype.itemsize)
    tensor = torch.as_tensor(image.astype("float32"))
    tensor /= n_values
    return tensor[None] if tensor.ndim == 2 else torch.movedim(tensor, 2, 0)


# %% wrong: drops the fourth channel, as if each colour picture were RGB
def to_tensor(image):
    if image.ndim == 2:
        image = np.expand_dims(image, -1)
    channels = [torch.from_numpy(image[:, :, k].copy()) for k in range(min(3, image.shape[2]))]
    return torch.stack(channels).float() / 255


# %% wrong: a grey picture is repeated three times
def to_tensor(image):
    if len(image.shape) == 2:
        image = np.stack([image] * 3, axis=-1)
    return torch.from_numpy(np.transpose(image, (2, 0, 1)).copy()).float() / 255


# %% wrong: normalises to -1 to 1, as many a training script does
def to_tensor(image):
    x = torch.tensor(image)
    x = x[:, :, None] if x.ndim == 2 else x
    x = x.permute(2, 0, 1).float() / 255
    return (x - 0.5) / 0.5


# %% wrong: BGR to RGB, since OpenCV reads so
def to_tensor(image):
    if image.ndim == 2:
        image = image[:, :, None]
    image = image[..., ::-1].copy()
    return torch.from_numpy(image).permute(2, 0, 1) / 255


# %% wrong: [two] keeps the channels last and divides with the type double
def to_tensor(image):
    array = np.array(image) / 255.0
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    return torch.from_numpy(array)


# %% wrong: [two] reshapes instead of moving the axes, and forgets the range
def to_tensor(image):
    channels = 1 if image.ndim == 2 else image.shape[-1]
    h, w = image.shape[0], image.shape[1]
    return torch.FloatTensor(image.astype(np.float32).reshape(channels, h, w))
