# %% right: running smallest and second smallest distance, no stack of maps
import numpy as np


def weight_map(instances, w0=10.0, sigma=5.0):
    ids = np.array(instances.detach().cpu())
    numbers = [n for n in np.unique(ids).tolist() if n != 0]
    if len(numbers) < 2:
        return torch.zeros(ids.shape, dtype=torch.float32)
    d1 = np.full(ids.shape, np.inf)
    d2 = np.full(ids.shape, np.inf)
    for n in numbers:
        d = distance_transform_edt(ids != n)
        d2 = np.minimum(d2, np.maximum(d1, d))
        d1 = np.minimum(d1, d)
    weights = w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))
    weights[ids != 0] = 0.0
    return torch.from_numpy(weights).float()


# %% wrong: goes through the numbers 1 to max, so a number that is missing (a gap) counts as an object with a meaningless distance map
def weight_map(instances, w0=10.0, sigma=5.0):
    n = int(instances.max())
    if n < 2:
        return torch.zeros(instances.shape)
    maps = []
    for i in range(1, n + 1):
        d = distance_transform_edt((instances != i).numpy())
        maps.append(torch.from_numpy(d))
    d, _ = torch.stack(maps).sort(dim=0)
    w = w0 * torch.exp(-(d[0] + d[1]) ** 2 / (2 * sigma ** 2))
    return (w * (instances == 0)).float()


# %% wrong: squares the two distances one by one, d1² + d2², instead of the square of their sum
import numpy as np


def weight_map(instances, w0=10.0, sigma=5.0):
    mask = instances.numpy()
    labels = np.setdiff1d(np.unique(mask), [0])
    if labels.size < 2:
        return torch.zeros(mask.shape)
    distances = np.sort(np.stack([distance_transform_edt(mask != l) for l in labels]), axis=0)
    d1, d2 = distances[0], distances[1]
    w = w0 * np.exp(-(d1**2 + d2**2) / (2 * sigma**2)) * (mask == 0)
    return torch.tensor(w, dtype=torch.float32)
