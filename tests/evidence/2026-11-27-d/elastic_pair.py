# %% right: the Gaussian as a matrix from each side, the bilinear fetch by hand with four gathers
def elastic_pair(image, mask, alpha, sigma, generator):
    H, W = mask.shape

    def blur_matrix(n):
        i = torch.arange(n, dtype=torch.float64)
        g = torch.exp(-0.5 * ((i[:, None] - i[None, :]) / max(sigma, 1e-6)) ** 2)
        return g / g.sum(dim=1, keepdim=True)

    def offsets():
        noise = torch.randn(H, W, generator=generator).double()
        field = blur_matrix(H) @ noise @ blur_matrix(W).T
        return alpha * field / field.square().mean().sqrt()

    y = (torch.arange(H)[:, None] + offsets()).clamp(0, H - 1)
    x = (torch.arange(W)[None, :] + offsets()).clamp(0, W - 1)

    y0, x0 = y.floor().long(), x.floor().long()
    y1, x1 = (y0 + 1).clamp(max=H - 1), (x0 + 1).clamp(max=W - 1)
    v, u = (y - y0).to(image.dtype), (x - x0).to(image.dtype)
    upper = (1 - u) * image[:, y0, x0] + u * image[:, y0, x1]
    lower = (1 - u) * image[:, y1, x0] + u * image[:, y1, x1]
    bent = (1 - v) * upper + v * lower
    return bent, mask[y.round().long(), x.round().long()]
# %% wrong: the grid is built for align_corners=True (-1 and 1 are pixel centres) but grid_sample runs with its default False, so the picture is stretched by half a pixel at the edges even for alpha = 0
import torch.nn.functional as F
def elastic_pair(image, mask, alpha, sigma, generator):
    H, W = image.shape[1:]
    r = max(1, int(4 * sigma + 0.5))
    t = torch.arange(-r, r + 1, dtype=torch.float32)
    g = torch.exp(-t ** 2 / (2 * max(sigma, 1e-3) ** 2))
    g = g / g.sum()

    noise = torch.randn(2, 1, H, W, generator=generator)
    smooth = F.conv2d(noise, g.view(1, 1, -1, 1), padding=(r, 0))
    smooth = F.conv2d(smooth, g.view(1, 1, 1, -1), padding=(0, r))[:, 0]
    rms = smooth.pow(2).mean(dim=(1, 2), keepdim=True).sqrt()
    dy, dx = alpha * smooth / rms

    gy, gx = torch.meshgrid(torch.linspace(-1, 1, H), torch.linspace(-1, 1, W), indexing="ij")
    grid = torch.stack([gx + 2 * dx / max(W - 1, 1), gy + 2 * dy / max(H - 1, 1)], dim=-1)[None]
    grid = grid.to(image.dtype)
    new_image = F.grid_sample(image[None], grid, mode="bilinear", padding_mode="border")[0]
    as_float = mask[None, None].to(image.dtype)
    new_mask = F.grid_sample(as_float, grid, mode="nearest", padding_mode="border")[0, 0]
    return new_image, new_mask.round().long()
# %% wrong: the noise comes from torch.rand, 0 to 1 and never negative, so after smoothing all offsets point the same way and the picture is shifted instead of bent
def elastic_pair(image, mask, alpha, sigma, generator):
    from scipy.ndimage import gaussian_filter, map_coordinates

    h, w = mask.shape
    field = []
    for axis in range(2):
        noise = torch.rand(h, w, generator=generator).numpy().astype(np.float64)
        noise = gaussian_filter(noise, sigma)
        noise = noise / np.sqrt(np.mean(noise ** 2)) * alpha
        field.append(noise)
    rows, cols = np.mgrid[0:h, 0:w]
    where = np.array([rows + field[0], cols + field[1]])
    channels = [map_coordinates(c, where, order=1, mode="nearest") for c in image.numpy()]
    new_mask = map_coordinates(mask.numpy(), where, order=0, mode="nearest")
    return torch.from_numpy(np.stack(channels)), torch.from_numpy(new_mask)
# %% wrong: [two] first, the offsets are scaled so that the largest one is alpha, not the root mean square; second, grid_sample keeps its padding of zeros, so image and mask get 0 where the fetch goes beyond the border
import torch.nn.functional as F
def elastic_pair(image, mask, alpha, sigma, generator):
    from scipy import ndimage

    C, H, W = image.shape
    d = torch.randn(2, H, W, generator=generator)
    d = torch.stack([torch.from_numpy(ndimage.gaussian_filter(f.numpy(), sigma)) for f in d])
    for f in d:
        f *= alpha / f.abs().max()
    ys = torch.arange(H).view(H, 1) + d[0]
    xs = torch.arange(W).view(1, W) + d[1]
    # to -1 ... 1, corners are pixel centres
    grid = torch.stack([2 * xs / max(W - 1, 1) - 1, 2 * ys / max(H - 1, 1) - 1], dim=2).unsqueeze(0)
    grid = grid.to(image.dtype)
    out = F.grid_sample(image.unsqueeze(0), grid, mode="bilinear", align_corners=True)
    m = F.grid_sample(mask.reshape(1, 1, H, W).to(image.dtype), grid, mode="nearest", align_corners=True)
    return out.squeeze(0), m.reshape(H, W).round().to(torch.int64)
