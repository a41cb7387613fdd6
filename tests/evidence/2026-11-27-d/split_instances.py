# %% right: watershed by hand with a heap; summits of each connected part by a disc-shaped maximum filter, near ones joined as a graph
import numpy as np
def split_instances(probability, threshold=0.5, min_distance=5):
    import heapq
    from scipy import ndimage as ndi
    from scipy.sparse.csgraph import connected_components

    inside = (probability > threshold).cpu().numpy()
    H, W = inside.shape
    height = ndi.distance_transform_edt(inside)
    parts, how_many = ndi.label(inside)

    r = max(1, int(np.ceil(min_distance)))
    dy, dx = np.mgrid[-r:r + 1, -r:r + 1]
    disc = (dy ** 2 + dx ** 2 < min_distance ** 2) | (np.maximum(abs(dy), abs(dx)) <= 1)

    owner = np.zeros((H, W), dtype=np.int64)
    heap, n, tick = [], 0, 0
    for part, box in enumerate(ndi.find_objects(parts), start=1):
        here = parts[box] == part
        alone = np.where(here, height[box], 0.0)
        highest = ndi.maximum_filter(alone, footprint=disc, mode="constant", cval=0.0)
        tops = np.argwhere(here & (alone == highest))
        apart = np.sqrt(((tops[:, None] - tops[None]) ** 2).sum(axis=-1))
        # neighbours on a plateau, and summits closer than min_distance, are one
        groups, group = connected_components((apart < min_distance) | (apart < 1.5), directed=False)
        for (y, x), g in zip(tops + [box[0].start, box[1].start], group):
            owner[y, x] = n + g + 1
            heapq.heappush(heap, (-height[y, x], tick, int(y), int(x)))
            tick += 1
        n += groups

    # flood from the summits down, highest pixel first
    while heap:
        _, _, y, x = heapq.heappop(heap)
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= v < H and 0 <= u < W and inside[v, u] and owner[v, u] == 0:
                owner[v, u] = owner[y, x]
                heapq.heappush(heap, (-height[v, u], tick, v, u))
                tick += 1
    return torch.from_numpy(owner).to(probability.device)
# %% wrong: floods the distance itself instead of its negative, so the water rises from the rims and the border between touching objects runs along the outline instead of through the neck
import numpy as np
def split_instances(probability, threshold=0.5, min_distance=5):
    from scipy import ndimage as ndi
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    fg = probability.detach().cpu().numpy() > threshold
    dist = ndi.distance_transform_edt(fg)
    comps, n_comps = ndi.label(fg)
    peaks = peak_local_max(dist, min_distance=min_distance, labels=comps, exclude_border=False)
    markers = np.zeros(fg.shape, dtype=np.int64)
    for number, (r, c) in enumerate(peaks, start=1):
        markers[r, c] = number
    # tiny flat objects have no peak: give them one
    for c in range(1, n_comps + 1):
        region = comps == c
        if not markers[region].any():
            first = np.argwhere(region)[0]
            markers[first[0], first[1]] = markers.max() + 1
    labels = watershed(dist, markers, mask=fg)
    return torch.from_numpy(labels.astype(np.int64))
# %% wrong: looks for summits and floods on the probability map instead of the distance to the background, so touching objects of even probability are not told apart and one uneven object falls to pieces
import numpy as np
def split_instances(probability, threshold=0.5, min_distance=5):
    from scipy.ndimage import label
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    prob = probability.detach().cpu().double().numpy()
    mask = (probability > threshold).cpu().numpy()
    parts, n_parts = label(mask)
    summits = peak_local_max(prob, min_distance=min_distance, labels=parts, exclude_border=False)
    seeds = np.zeros(mask.shape, dtype=np.int32)
    seeds[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    next_seed = len(summits) + 1
    for i in range(1, n_parts + 1):
        ys, xs = np.nonzero(parts == i)
        if seeds[ys, xs].max() == 0:
            seeds[ys[0], xs[0]] = next_seed
            next_seed += 1
    result = watershed(-prob, seeds, mask=mask)
    return torch.tensor(result, dtype=torch.int64)
# %% wrong: [two] first, markers come from peak_local_max with its default exclude_border and nothing else, so objects close to the border or small and flat get no marker and stay 0; second, the result is int32 as watershed gives it, not int64
import numpy as np
def split_instances(probability, threshold=0.5, min_distance=5):
    from scipy import ndimage as ndi
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    # as in the scikit-image gallery
    image = (probability > threshold).cpu().numpy()
    distance = ndi.distance_transform_edt(image)
    coords = peak_local_max(distance, min_distance=min_distance)
    mask = np.zeros(distance.shape, dtype=bool)
    mask[tuple(coords.T)] = True
    markers, _ = ndi.label(mask)
    labels = watershed(-distance, markers, mask=image)
    return torch.from_numpy(labels.astype(np.int32))
