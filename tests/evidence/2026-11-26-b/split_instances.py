# %% right: thorough, part by part, so that every part has a summit
import numpy as np
from scipy import ndimage
from skimage.morphology import local_maxima
from skimage.segmentation import watershed

def split_instances(probability, threshold=0.5, min_distance=5):
    mask = (probability > threshold).cpu().numpy()
    if not mask.any():
        return torch.zeros(mask.shape, dtype=torch.int64)
    if mask.all():                                  # no background: no distances, one object
        return torch.ones(mask.shape, dtype=torch.int64)
    distance = ndimage.distance_transform_edt(mask)
    parts, _ = ndimage.label(mask)                  # side by side, as watershed floods
    markers = np.zeros(mask.shape, dtype=np.int32)
    n = 0
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        height = np.pad(np.where(parts[box] == number, distance[box], 0.0), 1)
        tops = (local_maxima(height) > 0) & (height > 0)
        tops, count = ndimage.label(tops, structure=np.ones((3, 3)))
        summits = [np.argwhere(tops == j) for j in range(1, count + 1)]
        summits.sort(key=lambda points: -height[tuple(points[0])])
        taken = []
        for points in summits:
            # a summit closer than min_distance to a higher one belongs to it
            gaps = [np.linalg.norm(points[:, None] - other[None], axis=-1).min() for other in taken]
            if all(gap >= min_distance for gap in gaps):
                taken.append(points)
                n += 1
                rows = points[:, 0] - 1 + box[0].start
                cols = points[:, 1] - 1 + box[1].start
                markers[rows, cols] = n
    labels = watershed(-distance, markers, mask=mask)
    return torch.from_numpy(labels.astype(np.int64))

# %% wrong: peak_local_max leaves out summits within min_distance of the image's border by default (exclude_border=True), so an object at the border gets no marker and its pixels become background.
from scipy import ndimage as ndi
from skimage.feature import peak_local_max
from skimage.segmentation import watershed
import numpy as np

def split_instances(probability, threshold=0.5, min_distance=5):
    binary = probability.numpy() > threshold
    distance = ndi.distance_transform_edt(binary)
    coords = peak_local_max(distance, min_distance=min_distance, labels=ndi.label(binary)[0])
    peaks = np.zeros(distance.shape, dtype=bool)
    peaks[tuple(coords.T)] = True
    markers, _ = ndi.label(peaks)
    labels = watershed(-distance, markers, mask=binary)
    return torch.from_numpy(labels).long()

# %% wrong: It only numbers connected components, without a watershed, so objects that touch stay one object.
from scipy.ndimage import label

def split_instances(probability, threshold=0.5, min_distance=5):
    foreground = probability > threshold
    components, count = label(foreground.numpy())
    return torch.tensor(components, dtype=torch.int64)
