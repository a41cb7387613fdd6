# %% right: summits are whole plateaus, chosen by hand within each connected piece, highest first
import numpy as np
from scipy import ndimage
from skimage.morphology import local_maxima
from skimage.segmentation import watershed


def _summits(height, min_distance):
    """Pixel lists of the summits of one piece, no two closer than min_distance."""
    plateaus, n = ndimage.label(local_maxima(height) & (height > 0), structure=np.ones((3, 3)))
    if n == 0:  # as flat as can be
        return [np.argwhere(height > 0)]
    found = [np.argwhere(plateaus == i) for i in range(1, n + 1)]
    found.sort(key=lambda pixels: -height[tuple(pixels[0])])
    kept = []
    for pixels in found:
        gaps = [np.sqrt(((pixels[:, None] - other[None]) ** 2).sum(-1)).min() for other in kept]
        if all(gap >= min_distance for gap in gaps):
            kept.append(pixels)
    return kept


def split_instances(probability, threshold=0.5, min_distance=5):
    foreground = (probability.detach().cpu() >= threshold).numpy()
    if foreground.all():
        return torch.ones(foreground.shape, dtype=torch.int64)
    distance = ndimage.distance_transform_edt(foreground)
    pieces, n = ndimage.label(foreground)
    markers = np.zeros(foreground.shape, dtype=np.int32)
    count = 0
    for piece in range(1, n + 1):
        for pixels in _summits(np.where(pieces == piece, distance, 0.0), min_distance):
            count += 1
            markers[pixels[:, 0], pixels[:, 1]] = count
    labels = watershed(-distance, markers, mask=foreground)
    return torch.from_numpy(labels.astype(np.int64))


# %% wrong: peak_local_max leaves out a border of min_distance pixels by default, so an object close to the border gets no marker and vanishes or joins a neighbour
import numpy as np
from scipy import ndimage as ndi
from skimage.feature import peak_local_max
from skimage.segmentation import watershed


def split_instances(probability, threshold=0.5, min_distance=5):
    mask = (probability > threshold).numpy()
    distance = ndi.distance_transform_edt(mask)
    coords = peak_local_max(distance, min_distance=min_distance, labels=ndi.label(mask)[0])
    peaks = np.zeros(distance.shape, dtype=bool)
    peaks[tuple(coords.T)] = True
    markers, _ = ndi.label(peaks)
    labels = watershed(-distance, markers, mask=mask)
    return torch.as_tensor(labels, dtype=torch.int64)


# %% wrong: [two] first the markers are what lies above 0.7 of the largest distance in the whole map (the OpenCV tutorial), so small objects beside a large one get no number; second the result is int32 instead of int64
from scipy import ndimage
from skimage.segmentation import watershed


def split_instances(probability, threshold=0.5, min_distance=5):
    binary = probability.numpy() > threshold
    dist = ndimage.distance_transform_edt(binary)
    # sure foreground
    sure_fg = dist > 0.7 * dist.max()
    markers, n = ndimage.label(sure_fg)
    result = watershed(-dist, markers, mask=binary)
    return torch.from_numpy(result.astype("int32"))
