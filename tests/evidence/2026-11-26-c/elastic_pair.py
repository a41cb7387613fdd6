# %% right: everything in torch, Gaussian as two convolutions, weights of four neighbours by hand
def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    noise = torch.randn(2, 1, h, w, generator=generator, dtype=torch.float64)
    reach = max(int(4 * sigma + 0.5), 0)
    t = torch.arange(-reach, reach + 1, dtype=torch.float64)
    bell = torch.exp(-(t**2) / (2 * sigma**2)) if sigma > 0 else torch.ones(1, dtype=torch.float64)
    bell = bell / bell.sum()
    flat = nn.functional.conv2d(noise, bell.view(1, 1, -1, 1), padding=(len(bell) // 2, 0))
    flat = nn.functional.conv2d(flat, bell.view(1, 1, 1, -1), padding=(0, len(bell) // 2))[:, 0]
    flat = flat * (alpha / flat.square().mean(dim=(1, 2), keepdim=True).sqrt().clamp(min=1e-12))
    y = (torch.arange(h)[:, None] + flat[0]).clamp(0, h - 1)
    x = (torch.arange(w)[None, :] + flat[1]).clamp(0, w - 1)
    y0, x0 = y.floor().long(), x.floor().long()
    y1, x1 = (y0 + 1).clamp(max=h - 1), (x0 + 1).clamp(max=w - 1)
    fy, fx = (y - y0).to(image.dtype), (x - x0).to(image.dtype)
    top = image[:, y0, x0] * (1 - fx) + image[:, y0, x1] * fx
    bottom = image[:, y1, x0] * (1 - fx) + image[:, y1, x1] * fx
    return top * (1 - fy) + bottom * fy, mask[y.round().long(), x.round().long()]


# %% right: scipy, one axis after the other, numbers from normal_
def elastic_pair(image, mask, alpha, sigma, generator):
    fields = []
    for _ in range(2):
        drawn = torch.empty(mask.shape).normal_(generator=generator).numpy()
        smooth = gaussian_filter(drawn, sigma, mode="wrap")
        fields.append(smooth * alpha / np.sqrt(np.mean(smooth**2)))
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    where = [rows + fields[0], columns + fields[1]]
    out = np.empty(image.shape, dtype=np.float32)
    for k in range(len(out)):
        map_coordinates(image[k].numpy(), where, order=1, mode="nearest", output=out[k])
    labels = map_coordinates(mask.numpy(), where, order=0, mode="nearest")
    return torch.from_numpy(out), torch.from_numpy(labels.astype(np.int64))


# %% wrong: the noise is smoothed but not scaled to alpha, only multiplied with it
def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    noise = 2 * torch.rand(2, h, w, generator=generator).numpy() - 1
    dy, dx = (gaussian_filter(n, sigma) * alpha for n in noise)
    y, x = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
    places = np.array([y + dy, x + dx])
    new = np.stack([map_coordinates(c, places, order=1, mode="nearest") for c in image.numpy()])
    labels = map_coordinates(mask.numpy(), places, order=0, mode="nearest")
    return torch.from_numpy(new), torch.from_numpy(labels)


# %% wrong: each channel of the image gets a field of its own, the mask goes with the last one
def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    new = []
    for channel in image.numpy():
        noise = torch.randn(2, h, w, generator=generator).numpy()
        offsets = gaussian_filter(noise, (0, sigma, sigma))
        offsets = offsets / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True)) * alpha
        places = np.indices((h, w)) + offsets
        new.append(map_coordinates(channel, places, order=1, mode="nearest"))
    labels = map_coordinates(mask.numpy(), places, order=0, mode="nearest")
    return torch.from_numpy(np.stack(new)), torch.from_numpy(labels)


# %% wrong: torch.rand is not centred, so everything moves in one direction
def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    noise = torch.rand(2, h, w, generator=generator).numpy()
    offsets = gaussian_filter(noise, (0, sigma, sigma))
    offsets *= alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))
    places = np.indices((h, w)) + offsets
    bent = np.stack([map_coordinates(c, places, order=1, mode="nearest") for c in image.numpy()])
    return torch.from_numpy(bent), torch.from_numpy(map_coordinates(mask.numpy(), places, order=0, mode="nearest"))


# %% wrong: bent along the rows' axis only, columns stay where they are
def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    noise = torch.randn(h, w, generator=generator).numpy()
    down = gaussian_filter(noise, sigma)
    down = down * alpha / np.sqrt((down**2).mean())
    places = np.indices((h, w)).astype(float)
    places[0] += down
    bent = [map_coordinates(c, places, order=1, mode="nearest") for c in image.numpy()]
    labels = map_coordinates(mask.numpy(), places, order=0, mode="nearest")
    return torch.from_numpy(np.stack(bent)).float(), torch.from_numpy(labels)


# %% wrong: the default mode of map_coordinates fills zeros from beyond the border
def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    noise = torch.randn(2, h, w, generator=generator).numpy()
    offsets = gaussian_filter(noise, sigma=(0, sigma, sigma))
    offsets = offsets * (alpha / np.sqrt(np.square(offsets).mean(axis=(1, 2), keepdims=True)))
    coordinates = np.indices((h, w)) + offsets
    bent = np.stack([map_coordinates(c, coordinates, order=1) for c in image.numpy()])
    labels = map_coordinates(mask.numpy(), coordinates, order=0)
    return torch.from_numpy(bent), torch.from_numpy(labels)


# %% wrong: scaled to a largest offset of alpha instead of a root mean square
def elastic_pair(image, mask, alpha, sigma, generator):
    noise = torch.randn(2, *mask.shape, generator=generator).numpy()
    offsets = gaussian_filter(noise, (0, sigma, sigma))
    offsets = offsets / np.abs(offsets).max(axis=(1, 2), keepdims=True) * alpha
    places = np.indices(mask.shape) + offsets
    bent = np.stack([map_coordinates(c, places, order=1, mode="nearest") for c in image.numpy()])
    return torch.from_numpy(bent), torch.from_numpy(map_coordinates(mask.numpy(), places, order=0, mode="nearest"))


# %% wrong: one field for both axes, every pixel moves along the diagonal
def elastic_pair(image, mask, alpha, sigma, generator):
    noise = torch.randn(mask.shape, generator=generator).numpy()
    field = gaussian_filter(noise, sigma)
    field *= alpha / np.sqrt((field**2).mean())
    places = np.indices(mask.shape) + np.stack([field, field])
    bent = np.stack([map_coordinates(c, places, order=1, mode="nearest") for c in image.numpy()])
    return torch.from_numpy(bent), torch.from_numpy(map_coordinates(mask.numpy(), places, order=0, mode="nearest"))


# %% wrong: grid_sample with its default padding of zeros and unaligned corners, so even alpha 0 is not the image itself
def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    noise = torch.randn(2, h, w, generator=generator).numpy()
    offsets = torch.from_numpy(gaussian_filter(noise, (0, sigma, sigma)))
    offsets = offsets * alpha / offsets.square().mean(dim=(1, 2), keepdim=True).sqrt()
    y = torch.linspace(-1, 1, h)[:, None] + offsets[0] * 2 / max(h - 1, 1)
    x = torch.linspace(-1, 1, w)[None, :] + offsets[1] * 2 / max(w - 1, 1)
    grid = torch.stack([x, y], dim=-1)[None].float()
    bent = nn.functional.grid_sample(image[None], grid, mode="bilinear")[0]
    labels = nn.functional.grid_sample(mask[None, None].float(), grid, mode="nearest")[0, 0].long()
    return bent, labels


# %% wrong: [two] image and mask draw a field each; and sigma is ignored, the noise is not smoothed
def elastic_pair(image, mask, alpha, sigma, generator):
    def places():
        offsets = torch.randn(2, *mask.shape, generator=generator).numpy()
        offsets *= alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))
        return np.indices(mask.shape) + offsets

    where = places()
    bent = np.stack([map_coordinates(c, where, order=1, mode="nearest") for c in image.numpy()])
    labels = map_coordinates(mask.numpy(), places(), order=0, mode="nearest")
    return torch.from_numpy(bent), torch.from_numpy(labels)


# %% wrong: [two] rows and columns of the places exchanged; and the image is fetched from the nearest pixel too
def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    noise = torch.randn(2, h, w, generator=generator).numpy()
    offsets = gaussian_filter(noise, (0, sigma, sigma))
    offsets *= alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))
    rows, columns = np.indices((h, w)) + offsets
    rows = np.clip(np.rint(columns), 0, h - 1).astype(int), np.clip(np.rint(rows), 0, w - 1).astype(int)
    return image[:, rows[0], rows[1]].clone(), mask[rows[0], rows[1]].clone()
