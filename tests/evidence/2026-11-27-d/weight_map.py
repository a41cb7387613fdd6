# %% right: a running first and second place, no sorting; infinity as second place settles the case of fewer than two objects
import numpy as np
def weight_map(instances, w0=10.0, sigma=5.0):
    from scipy.ndimage import distance_transform_edt

    labels = instances.cpu().numpy()
    gold = np.full(labels.shape, np.inf)
    silver = np.full(labels.shape, np.inf)
    for number in set(labels.ravel().tolist()) - {0}:
        d = distance_transform_edt(labels != number)
        silver = np.minimum(silver, np.maximum(gold, d))   # the loser of the duel may be second
        gold = np.minimum(gold, d)
    weights = w0 * np.exp(-((gold + silver) ** 2) / (2 * sigma ** 2))
    weights[labels != 0] = 0.0
    return torch.from_numpy(weights).float().to(instances.device)
# %% wrong: squares the two distances and then adds, d1^2 + d2^2 instead of (d1 + d2)^2, so the weights fall off too slowly
import numpy as np
def weight_map(instances, w0=10.0, sigma=5.0):
    from scipy import ndimage as ndi

    lab = instances.numpy()
    ids = [i for i in np.unique(lab) if i != 0]
    if len(ids) < 2:
        return torch.zeros(lab.shape)
    dists = np.stack([ndi.distance_transform_edt(lab != i) for i in ids])
    dists = np.sort(dists, axis=0)
    d1, d2 = dists[0], dists[1]
    w = w0 * np.exp(-(d1 ** 2 + d2 ** 2) / (2 * sigma ** 2))
    w = w * (lab == 0)
    return torch.tensor(w, dtype=torch.float32)
# %% wrong: takes the objects to be numbered 1 to max without gaps; a missing number is an object without pixels and the minimum over nothing raises
def weight_map(instances, w0=10.0, sigma=5.0):
    H, W = instances.shape
    n = int(instances.max())
    if n < 2:
        return torch.zeros(H, W)
    yy, xx = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    distance = torch.zeros(n, H, W)
    for k in range(1, n + 1):
        ys, xs = torch.nonzero(instances == k, as_tuple=True)
        squared = (yy[..., None] - ys) ** 2 + (xx[..., None] - xs) ** 2
        distance[k - 1] = squared.min(dim=-1).values.float().sqrt()
    nearest_two = torch.topk(distance, 2, dim=0, largest=False).values
    result = w0 * torch.exp(-nearest_two.sum(dim=0) ** 2 / (2 * sigma ** 2))
    result[instances > 0] = 0
    return result
# %% wrong: uses distance_transform_cdt, which counts steps of a chess king, instead of the Euclidean transform; diagonal distances are too short
import numpy as np
def weight_map(instances, w0=10.0, sigma=5.0):
    from scipy.ndimage import distance_transform_cdt

    inst = instances.cpu().numpy()
    all_maps = []
    for obj in np.unique(inst):
        if obj == 0:
            continue
        outside = inst != obj
        all_maps.append(distance_transform_cdt(outside).astype(np.float64))

    result = np.zeros(inst.shape)
    if len(all_maps) >= 2:
        ordered = np.sort(np.array(all_maps), axis=0)
        d_sum = ordered[0] + ordered[1]
        background = inst == 0
        result[background] = w0 * np.exp(-d_sum[background] ** 2 / (2 * sigma ** 2))
    return torch.from_numpy(result).float()
