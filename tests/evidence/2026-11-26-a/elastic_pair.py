# %% right: bilinear fetch by hand in torch, clamped coordinates, scipy only for the smoothing
def elastic_pair(image, mask, alpha, sigma, generator):
    height, width = mask.shape

    def offsets():
        noise = torch.randn(height, width, generator=generator, dtype=torch.float64)
        smooth = torch.from_numpy(gaussian_filter(noise.numpy(), sigma))
        size = smooth.square().mean().sqrt()
        return smooth * (alpha / size) if size > 0 else torch.zeros_like(smooth)

    y = (torch.arange(height, dtype=torch.float64)[:, None] + offsets()).clamp(0, height - 1)
    x = (torch.arange(width, dtype=torch.float64)[None, :] + offsets()).clamp(0, width - 1)

    y0, x0 = y.floor().long(), x.floor().long()
    y1, x1 = (y0 + 1).clamp(max=height - 1), (x0 + 1).clamp(max=width - 1)
    fy, fx = (y - y0).to(image.dtype), (x - x0).to(image.dtype)
    upper = image[:, y0, x0] * (1 - fx) + image[:, y0, x1] * fx
    lower = image[:, y1, x0] * (1 - fx) + image[:, y1, x1] * fx
    bent = upper * (1 - fy) + lower * fy

    return bent, mask[(y + 0.5).floor().long(), (x + 0.5).floor().long()]


# %% wrong: multiplies the smoothed noise by alpha without scaling it to a root mean square of alpha pixels, so the offsets are far too small
def elastic_pair(image, mask, alpha, sigma, generator):
    """Elastic deformation of images as described in Simard 2003."""
    shape = tuple(mask.shape)
    dx = gaussian_filter((torch.rand(shape, generator=generator).numpy() * 2 - 1), sigma) * alpha
    dy = gaussian_filter((torch.rand(shape, generator=generator).numpy() * 2 - 1), sigma) * alpha
    y, x = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    indices = np.stack([y + dy, x + dx])
    out = np.stack([map_coordinates(c, indices, order=1, mode="nearest") for c in image.numpy()])
    m = map_coordinates(mask.numpy(), indices, order=0, mode="nearest")
    return torch.from_numpy(out), torch.from_numpy(m)


# %% wrong: the mask is fetched bilinearly like the image, so between two objects there appear numbers of neither
def elastic_pair(image, mask, alpha, sigma, generator):
    H, W = mask.shape
    field = torch.randn((2, H, W), generator=generator).numpy()
    field = np.stack([gaussian_filter(f, sigma=sigma, mode="reflect") for f in field])
    rms = np.sqrt((field ** 2).mean(axis=(1, 2), keepdims=True))
    field = alpha * field / np.maximum(rms, 1e-12)
    coords = np.indices((H, W)) + field

    def warp(plane):
        return torch.from_numpy(map_coordinates(plane.numpy(), coords, order=1, mode="nearest"))

    new_image = torch.stack([warp(channel) for channel in image])
    new_mask = warp(mask).long()
    return new_image, new_mask
