# %% right: pixel coordinates and torch.cdist, the two smallest with topk
def weight_map(instances, w0=10.0, sigma=5.0):
    h, w = instances.shape
    here = torch.cartesian_prod(torch.arange(h), torch.arange(w)).reshape(-1, 2).double()
    numbers = [n for n in instances.unique().tolist() if n != 0]
    if len(numbers) < 2:
        return torch.zeros(h, w)
    to_each = [torch.cdist(here, (instances == n).nonzero().double()).amin(dim=1) for n in numbers]
    two = torch.stack(to_each).topk(2, dim=0, largest=False).values.sum(dim=0).reshape(h, w)
    return (w0 * torch.exp(-two.square() / (2 * sigma**2)) * (instances == 0)).float()


# %% right: NumPy throughout, np.partition, infinite distances padded in
def weight_map(instances, w0=10.0, sigma=5.0):
    a = np.asarray(instances)
    far = np.full(a.shape, np.inf)
    stack = [far, far] + [distance_transform_edt(a != k) for k in np.unique(a[a > 0])]
    nearest = np.partition(np.stack(stack), 1, axis=0)
    out = w0 * np.exp(-0.5 * ((nearest[0] + nearest[1]) / sigma) ** 2)
    out[a > 0] = 0
    return torch.as_tensor(out, dtype=torch.float32)


# %% wrong: squares each distance and adds the squares, instead of squaring the sum
def weight_map(instances, w0=10.0, sigma=5.0):
    ids = instances.unique()
    ids = ids[ids != 0]
    if len(ids) < 2:
        return torch.zeros(instances.shape)
    d = torch.stack([torch.from_numpy(distance_transform_edt(instances.numpy() != int(k))) for k in ids])
    d, _ = torch.sort(d, dim=0)
    w = w0 * torch.exp(-(d[0] ** 2 + d[1] ** 2) / (2 * sigma**2))
    w[instances > 0] = 0
    return w.float()


# %% wrong: takes the objects for 1 to max without gaps, so a missing number counts as an object
def weight_map(instances, w0=10.0, sigma=5.0):
    n = int(instances.max())
    if n < 2:
        return torch.zeros(instances.shape)
    maps = np.zeros((n, *instances.shape))
    for k in range(1, n + 1):
        maps[k - 1] = distance_transform_edt((instances != k).numpy())
    maps = np.sort(maps, axis=0)
    w = w0 * np.exp(-((maps[0] + maps[1]) ** 2) / (2 * sigma**2))
    return torch.from_numpy(w * (instances == 0).numpy()).float()


# %% wrong: finds the objects as connected pieces of the foreground, so touching ones are one and pieces of one are two
def weight_map(instances, w0=10.0, sigma=5.0):
    from scipy.ndimage import label

    pieces, count = label((instances > 0).numpy())
    if count < 2:
        return torch.zeros(instances.shape)
    d = np.sort(np.stack([distance_transform_edt(pieces != k) for k in range(1, count + 1)]), axis=0)
    w = w0 * np.exp(-((d[0] + d[1]) ** 2) / (2 * sigma**2))
    w[pieces > 0] = 0.0
    return torch.tensor(w, dtype=torch.float32)


# %% wrong: the distance is measured to the centre of each object, not to its nearest pixel
def weight_map(instances, w0=10.0, sigma=5.0):
    ids = [int(k) for k in torch.unique(instances) if k > 0]
    if len(ids) < 2:
        return torch.zeros(instances.shape)
    rows, cols = torch.meshgrid(
        torch.arange(instances.shape[0]).float(), torch.arange(instances.shape[1]).float(), indexing="ij"
    )
    dists = []
    for k in ids:
        cy, cx = (instances == k).nonzero().float().mean(dim=0)
        dists.append(torch.sqrt((rows - cy) ** 2 + (cols - cx) ** 2))
    d1, d2 = torch.stack(dists).sort(dim=0).values[:2]
    return torch.where(instances == 0, w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma**2)), torch.tensor(0.0))


# %% wrong: the objects keep a weight, only background should have one
def weight_map(instances, w0=10.0, sigma=5.0):
    numbers = instances.unique()
    numbers = numbers[numbers > 0]
    if numbers.numel() < 2:
        return torch.zeros_like(instances, dtype=torch.float32)
    layers = torch.stack([torch.tensor(distance_transform_edt(instances != n)) for n in numbers])
    d1, d2 = torch.sort(layers, dim=0)[0][:2]
    return (w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma**2))).float()


# %% wrong: the class weight 1 is added everywhere, the map of the paper's whole formula
def weight_map(instances, w0=10.0, sigma=5.0):
    mask = instances.numpy()
    labels = [k for k in np.unique(mask) if k]
    w = np.ones(mask.shape)
    if len(labels) >= 2:
        d = np.stack([distance_transform_edt(mask != k) for k in labels], axis=-1)
        d.sort(axis=-1)
        w += w0 * np.exp(-((d[..., 0] + d[..., 1]) ** 2) / (2 * sigma**2)) * (mask == 0)
    return torch.from_numpy(w).float()


# %% wrong: a single object is taken for both the nearest and the second nearest, so it gets a rim of weights
def weight_map(instances, w0=10.0, sigma=5.0):
    ids = [k for k in instances.unique() if k != 0]
    if not ids:
        return torch.zeros(instances.shape)
    d = torch.stack([torch.from_numpy(distance_transform_edt((instances != k).numpy())) for k in ids])
    d = d.sort(dim=0).values
    d1, d2 = d[0], d[min(1, len(ids) - 1)]
    w = w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma**2))
    return (w * (instances == 0)).float()


# %% wrong: city-block distances, rows and columns added, instead of Euclidean ones
def weight_map(instances, w0=10.0, sigma=5.0):
    h, w = instances.shape
    grid = torch.stack(torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij"), dim=-1).view(-1, 2).float()
    best = []
    for k in instances.unique():
        if k == 0:
            continue
        pixels = torch.nonzero(instances == k).float()
        best.append(torch.cdist(grid, pixels, p=1).min(dim=1).values)
    if len(best) < 2:
        return torch.zeros(h, w)
    d = torch.stack(best).topk(2, dim=0, largest=False).values.sum(dim=0).view(h, w)
    return torch.where(instances == 0, w0 * torch.exp(-(d**2) / (2 * sigma**2)), 0.0)


# %% wrong: [two] sigma is not squared, and the objects are not set to 0
def weight_map(instances, w0=10.0, sigma=5.0):
    k = instances.unique()
    k = k[k > 0]
    if len(k) < 2:
        return torch.zeros(instances.shape)
    d = torch.stack([torch.from_numpy(distance_transform_edt(instances != n)) for n in k]).sort(0).values
    return w0 * torch.exp(-((d[0] + d[1]) ** 2) / (2 * sigma)).float()


# %% wrong: [two] the background counts as an object as well, and the 2 in front of sigma is missing
def weight_map(instances, w0=10.0, sigma=5.0):
    d = [distance_transform_edt(instances.numpy() != k) for k in np.unique(instances.numpy())]
    if len(d) < 2:
        return torch.zeros(instances.shape)
    d = np.sort(d, axis=0)
    w = w0 * np.exp(-((d[0] + d[1]) ** 2) / sigma**2)
    w[instances.numpy() > 0] = 0
    return torch.from_numpy(w).float()
