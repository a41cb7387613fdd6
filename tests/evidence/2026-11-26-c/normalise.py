# %% right: channel by channel into a list, batch or not
def normalise(image, mean, std):
    channels = []
    for k, (m, s) in enumerate(zip(mean, std)):
        source = image[..., min(k, image.shape[-3] - 1), :, :]
        channels.append((source - m) / s)
    return torch.stack(channels, dim=-3)


# %% right: as a scale and a shift, with einsum for the grey case
def normalise(image, mean, std):
    scale = 1 / torch.tensor(std, dtype=image.dtype)
    shift = torch.tensor(mean, dtype=image.dtype) * scale
    if image.shape[-3] == 1:
        scaled = torch.einsum("...hw,c->...chw", image.squeeze(-3), scale)
    else:
        scaled = torch.einsum("...chw,c->...chw", image, scale)
    return scaled - shift.view(len(mean), 1, 1)


# %% wrong: a grey image keeps its one channel and gets the first mean and std
def normalise(image, mean, std):
    out = torch.empty_like(image)
    for c in range(image.shape[-3]):
        out[..., c, :, :] = (image[..., c, :, :] - mean[c]) / std[c]
    return out


# %% wrong: multiplies by std
def normalise(image, mean, std):
    m = torch.tensor(mean).reshape(-1, 1, 1)
    s = torch.tensor(std).reshape(-1, 1, 1)
    return (image - m) * s


# %% wrong: looks for the channels in axis 0, so a batch of one is taken for a grey image and a batch fails or is mixed
def normalise(image, mean, std):
    if image.shape[0] == 1:
        image = image.repeat(len(mean), 1, 1)
    return torch.stack([(image[c] - mean[c]) / std[c] for c in range(len(mean))])


# %% wrong: divides by the variance
def normalise(image, mean, std):
    mean = torch.as_tensor(mean)[:, None, None]
    var = torch.as_tensor(std).square()[:, None, None]
    return image.sub(mean).div(var)


# %% wrong: takes the image's own mean and std per channel and ignores the arguments
def normalise(image, mean, std):
    if image.size(-3) == 1:
        shape = list(image.shape)
        shape[-3] = len(mean)
        image = image.expand(shape)
    m = image.mean(dim=(-2, -1), keepdim=True)
    s = image.std(dim=(-2, -1), keepdim=True)
    return (image - m) / (s + 1e-6)


# %% wrong: a grey image is normalised by the average of the means and stds, then repeated
def normalise(image, mean, std):
    mean, std = np.asarray(mean, dtype=np.float32), np.asarray(std, dtype=np.float32)
    if image.shape[-3] == 1:
        grey = (image - float(mean.mean())) / float(std.mean())
        return torch.cat([grey] * len(mean), dim=-3)
    return (image - torch.from_numpy(mean)[:, None, None]) / torch.from_numpy(std)[:, None, None]


# %% wrong: divides first and subtracts the mean then
def normalise(image, mean, std):
    mean = torch.tensor(mean).view(-1, 1, 1)
    std = torch.tensor(std).view(-1, 1, 1)
    return image / std - mean


# %% wrong: always gives a batch, an image (C, H, W) comes out as (1, C, H, W)
def normalise(image, mean, std):
    if image.dim() == 3:
        image = image.unsqueeze(0)
    m = torch.tensor(mean).view(1, -1, 1, 1)
    s = torch.tensor(std).view(1, -1, 1, 1)
    return (image - m) / s


# %% wrong: [two] adds the mean, and a grey image is always made three channels
def normalise(image, mean, std):
    if image.shape[-3] == 1:
        image = torch.cat([image, image, image], dim=-3)
    return torch.stack([(x + m) / s for x, m, s in zip(image.unbind(-3), mean, std)], dim=-3)


# %% wrong: [two] the reciprocal of what it should be applied, as when undoing a normalisation, and clamped to 0 to 1
def normalise(image, mean, std):
    mean = torch.tensor(mean)[:, None, None]
    std = torch.tensor(std)[:, None, None]
    return (image * std + mean).clamp(0, 1)
