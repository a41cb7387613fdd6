# %% right: loop over the pieces, each with a watershed of its own, in a padded NumPy window
def split_instances(probability, threshold=0.5, min_distance=5):
    foreground = probability.numpy() > threshold
    distance = np.pad(distance_transform_edt(foreground), 1)
    pieces, n_pieces = number_pieces(np.pad(foreground, 1))
    peaks = peak_local_max(distance, min_distance=min_distance, labels=pieces, exclude_border=False)
    seeds = np.zeros(distance.shape, dtype=np.int32)
    for number, (row, column) in enumerate(peaks, start=1):
        seeds[row, column] = number
    flooded = np.zeros(distance.shape, dtype=np.int64)
    for k in range(1, n_pieces + 1):
        here = pieces == k
        flooded[here] = watershed(-distance, np.where(here, seeds, 0), mask=here)[here]
    return torch.from_numpy(flooded[1:-1, 1:-1].copy())


# %% right: markers as a mask of summits, numbered, on the torch side
def split_instances(probability, threshold=0.5, min_distance=5):
    inside = probability > threshold
    d = distance_transform_edt(inside.numpy())
    peaks = torch.from_numpy(
        peak_local_max(d, min_distance=min_distance, labels=number_pieces(inside.numpy())[0], exclude_border=0)
    )
    markers = torch.zeros(inside.shape, dtype=torch.long)
    markers.index_put_((peaks[:, 0], peaks[:, 1]), torch.arange(len(peaks)) + 1)
    out = watershed(torch.from_numpy(-d).numpy(), markers.numpy(), mask=inside.numpy())
    return torch.as_tensor(out).long().clone()


# %% wrong: peak_local_max without labels, so a small object beside a large one has no summit and stays 0
def split_instances(probability, threshold=0.5, min_distance=5):
    mask = probability.numpy() > threshold
    dist = distance_transform_edt(mask)
    coords = peak_local_max(dist, min_distance=min_distance, exclude_border=False)
    markers = np.zeros_like(dist, dtype=int)
    markers[coords[:, 0], coords[:, 1]] = np.arange(1, len(coords) + 1)
    labels = watershed(-dist, markers, mask=mask)
    return torch.tensor(labels, dtype=torch.int64)


# %% wrong: the default exclude_border of peak_local_max drops the summits near the border
def split_instances(probability, threshold=0.5, min_distance=5):
    mask = (probability > threshold).numpy()
    distance = distance_transform_edt(mask)
    pieces, _ = number_pieces(mask)
    peaks = peak_local_max(distance, min_distance=min_distance, labels=pieces)
    markers = np.zeros(mask.shape, dtype=np.int32)
    markers[tuple(peaks.T)] = 1 + np.arange(len(peaks))
    return torch.from_numpy(watershed(-distance, markers, mask=mask).astype(np.int64))


# %% wrong: watershed without mask, so the background is divided among the objects too
def split_instances(probability, threshold=0.5, min_distance=5):
    m = (probability > threshold).numpy()
    d = distance_transform_edt(m)
    p = peak_local_max(d, min_distance=min_distance, labels=number_pieces(m)[0], exclude_border=False)
    seeds = np.zeros(m.shape, int)
    for i, (y, x) in enumerate(p):
        seeds[y, x] = i + 1
    return torch.from_numpy(watershed(-d, seeds)).to(torch.int64)


# %% wrong: floods the probability instead of the distance to the background
def split_instances(probability, threshold=0.5, min_distance=5):
    p = probability.numpy()
    mask = p > threshold
    summits = peak_local_max(p, min_distance=min_distance, labels=number_pieces(mask)[0], exclude_border=False)
    markers = np.zeros(p.shape, dtype=np.int64)
    markers[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    return torch.from_numpy(watershed(-p, markers, mask=mask).astype(np.int64))


# %% wrong: the summits are numbered from 0, so the first object is background to the watershed
def split_instances(probability, threshold=0.5, min_distance=5):
    mask = (probability > threshold).numpy()
    distance = distance_transform_edt(mask)
    summits = peak_local_max(
        distance, min_distance=min_distance, labels=number_pieces(mask)[0], exclude_border=False
    )
    markers = torch.zeros(mask.shape, dtype=torch.int64)
    for k, (r, c) in enumerate(summits.tolist()):
        markers[r, c] = k
    return torch.from_numpy(watershed(-distance, markers.numpy(), mask=mask)).long()


# %% wrong: holes are filled before the watershed, so pixels below the threshold belong to objects
def split_instances(probability, threshold=0.5, min_distance=5):
    from scipy.ndimage import binary_fill_holes

    mask = binary_fill_holes((probability > threshold).numpy())
    distance = distance_transform_edt(mask)
    pieces = number_pieces(mask)[0]
    summits = peak_local_max(distance, min_distance=min_distance, labels=pieces, exclude_border=False)
    markers = np.zeros(mask.shape, dtype=np.int64)
    markers[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    return torch.from_numpy(watershed(-distance, markers, mask=mask).astype(np.int64))


# %% wrong: watershed_line draws a border of zeros between touching objects
def split_instances(probability, threshold=0.5, min_distance=5):
    mask = (probability > threshold).numpy()
    distance = distance_transform_edt(mask)
    numbered, _ = number_pieces(mask)
    where = peak_local_max(distance, min_distance=min_distance, labels=numbered, exclude_border=False)
    markers = np.zeros(mask.shape, dtype=np.int64)
    markers[where[:, 0], where[:, 1]] = range(1, len(where) + 1)
    result = watershed(-distance, markers, mask=mask, watershed_line=True)
    return torch.from_numpy(result.astype("int64"))


# %% wrong: small objects of fewer than min_distance squared pixels are removed as dirt
def split_instances(probability, threshold=0.5, min_distance=5):
    mask = (probability > threshold).numpy()
    pieces, n = number_pieces(mask)
    sizes = np.bincount(pieces.ravel(), minlength=n + 1)
    keep = sizes >= min_distance**2
    keep[0] = False
    mask = keep[pieces]
    if not mask.any():
        return torch.zeros(mask.shape, dtype=torch.int64)
    pieces, n = number_pieces(mask)
    distance = distance_transform_edt(mask)
    peaks = peak_local_max(distance, min_distance=min_distance, labels=pieces, exclude_border=False)
    markers = np.zeros(mask.shape, dtype=int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return torch.from_numpy(watershed(-distance, markers, mask=mask)).long()


# %% wrong: [two] threshold is fixed at 0.5; and min_distance is not handed on, so every summit counts
def split_instances(probability, threshold=0.5, min_distance=5):
    mask = (probability > 0.5).numpy()
    distance = distance_transform_edt(mask)
    summits = peak_local_max(distance, labels=number_pieces(mask)[0], exclude_border=False)
    markers = np.zeros(mask.shape, dtype=np.int64)
    markers[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    return torch.from_numpy(watershed(-distance, markers, mask=mask)).to(torch.int64)


# %% wrong: [two] the pieces of the mask are numbered without a watershed; and the result is int32
def split_instances(probability, threshold=0.5, min_distance=5):
    above = torch.gt(probability, threshold)
    numbers, count = number_pieces(above.numpy())
    return torch.from_numpy(numbers)
