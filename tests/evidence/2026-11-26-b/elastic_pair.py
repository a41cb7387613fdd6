# %% right: NumPy and SciPy person
import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

def elastic_pair(image, mask, alpha, sigma, generator):
    h, w = mask.shape
    noise = torch.randn(2, h, w, generator=generator, dtype=torch.float64).numpy()
    offsets = np.stack([gaussian_filter(n, sigma) for n in noise])
    rms = np.sqrt((offsets ** 2).mean(axis=(1, 2), keepdims=True))
    where = np.indices((h, w)) + alpha * offsets / np.maximum(rms, 1e-30)
    new_image = np.stack([map_coordinates(c, where, order=1, mode="nearest") for c in image.numpy()])
    new_mask = map_coordinates(mask.numpy(), where, order=0, mode="nearest")
    return torch.from_numpy(new_image), torch.from_numpy(new_mask)

# %% wrong: The noise is torch.rand, from 0 to 1 and so never negative: after smoothing and scaling every pixel is fetched from the lower right, the picture is pushed away rather than bent.
def elastic_pair(image, mask, alpha, sigma, generator):
    H, W = mask.shape
    shifts = []
    for axis in range(2):
        d = torch.rand(H, W, generator=generator).numpy()
        d = gaussian_filter(d, sigma)
        d = d / np.sqrt(np.mean(d ** 2)) * alpha
        shifts.append(d)
    yy, xx = np.meshgrid(np.arange(H), np.arange(W), indexing="ij")
    coords = [yy + shifts[0], xx + shifts[1]]
    out = torch.stack([
        torch.tensor(map_coordinates(ch.numpy(), coords, order=1, mode="nearest")) for ch in image
    ])
    out_mask = torch.tensor(map_coordinates(mask.numpy(), coords, order=0, mode="nearest"))
    return out, out_mask

# %% wrong: [two] first the mask is fetched with order=1, so between two classes numbers come out that are in neither; second beyond the border zeros are fetched (mode="constant") instead of the nearest pixel inside
def elastic_pair(image, mask, alpha, sigma, generator):
    # Simard et al. 2003
    shape = tuple(mask.shape)
    rand = torch.rand(2, *shape, generator=generator).numpy() * 2 - 1
    dy = gaussian_filter(rand[0], sigma)
    dx = gaussian_filter(rand[1], sigma)
    dy *= alpha / np.sqrt((dy ** 2).mean())
    dx *= alpha / np.sqrt((dx ** 2).mean())
    y, x = np.mgrid[:shape[0], :shape[1]]
    indices = np.stack([y + dy, x + dx])

    def warp(a):
        return map_coordinates(a, indices, order=1, mode="constant", cval=0)

    warped_image = np.stack([warp(c) for c in image.numpy()])
    warped_mask = warp(mask.numpy())
    return torch.from_numpy(warped_image), torch.from_numpy(warped_mask).long()
