# %% right: NumPy person, shapes the array first and converts last
import numpy as np

def to_tensor(image):
    arr = np.atleast_3d(image)                      # (H, W) -> (H, W, 1)
    arr = np.ascontiguousarray(np.moveaxis(arr, -1, 0))
    return torch.from_numpy(arr.astype(np.float32) / 255)

# %% wrong: A grey picture (H, W) has no third axis, so permute(2, 0, 1) fails on it; the channel axis was never added.
def to_tensor(image):
    # HWC -> CHW, scale to [0, 1]
    return torch.tensor(image).permute(2, 0, 1).float() / 255.0

# %% wrong: [two] first reshape instead of permute tears a colour picture's pixels apart, because reshape does not move the channel axis; second the values are divided by the picture's own maximum instead of 255, so that a dark picture gets brighter (and a black one NaN)
def to_tensor(image):
    if len(image.shape) == 2:
        h, w = image.shape
        c = 1
    else:
        h, w, c = image.shape
    t = torch.tensor(image, dtype=torch.float32)
    t = t.reshape(c, h, w)      # channels first
    t = t / t.max()             # normalise to 0..1
    return t
