# %% right: one distance map an object, the two smallest of them
def weight_map(instances, w0=10.0, sigma=5.0):
    ids = [i for i in instances.unique().tolist() if i != 0]
    if len(ids) < 2:
        return torch.zeros(instances.shape)
    maps = [torch.from_numpy(distance_transform_edt((instances != i).numpy())) for i in ids]
    nearest = torch.stack(maps).sort(dim=0).values[:2]
    weights = w0 * torch.exp(-nearest.sum(dim=0) ** 2 / (2 * sigma ** 2))
    weights[instances != 0] = 0
    return weights.float()

# %% wrong: The objects are found again with connected components instead of by their numbers, so two objects that touch count as one (and one object in two pieces as two).
import numpy as np
from scipy.ndimage import label

def weight_map(instances, w0=10.0, sigma=5.0):
    mask = instances.numpy() > 0
    comps, n = label(mask)
    if n < 2:
        return torch.zeros_like(instances, dtype=torch.float32)
    dists = np.stack([distance_transform_edt(comps != i) for i in range(1, n + 1)], axis=-1)
    dists.sort(axis=-1)
    d1, d2 = dists[..., 0], dists[..., 1]
    w = w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma ** 2)) * (~mask)
    return torch.from_numpy(w.astype(np.float32))

# %% wrong: [two] first the exponent holds d1² + d2² instead of (d1 + d2)²; second the weights on the objects' own pixels are not set to 0
import numpy as np

def weight_map(instances, w0=10.0, sigma=5.0):
    inst = instances.cpu().numpy()
    labels = np.unique(inst)
    labels = labels[labels != 0]
    if labels.size < 2:
        return torch.zeros(*inst.shape)
    D = np.zeros((labels.size,) + inst.shape)
    for n, lab in enumerate(labels):
        D[n] = distance_transform_edt(inst != lab)
    D = np.sort(D, axis=0)
    W = w0 * np.exp(-(D[0] ** 2 + D[1] ** 2) / (2 * sigma ** 2))
    return torch.tensor(W, dtype=torch.float32)
