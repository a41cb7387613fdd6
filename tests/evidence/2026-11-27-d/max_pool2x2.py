# %% right: the four corners of all windows as strided slices, folded with torch.maximum
from functools import reduce
from itertools import product


def max_pool2x2(x):
    bottom = x.shape[-2] // 2 * 2
    right = x.shape[-1] // 2 * 2
    corners = [x[..., i:bottom:2, j:right:2] for i, j in product((0, 1), repeat=2)]
    return reduce(torch.maximum, corners)

# %% wrong: the odd row or column is not cut off, so for an odd side the slices ::2 and 1::2 have different lengths: it raises an error (or, for a side of 3, broadcasts to 2 windows instead of 1)
def max_pool2x2(x):
    top = torch.maximum(x[:, :, ::2, ::2], x[:, :, ::2, 1::2])
    bottom = torch.maximum(x[:, :, 1::2, ::2], x[:, :, 1::2, 1::2])
    return torch.maximum(top, bottom)

# %% wrong: reshapes to (N, C, H/2, W/2, 2, 2) directly, so each "window" is four neighbours in memory (along a row) and not a 2×2 block
def max_pool2x2(x):
    n, c, h, w = x.shape
    h2, w2 = h // 2, w // 2
    x = x[:, :, :h2 * 2, :w2 * 2]
    windows = x.reshape(n, c, h2, w2, 2, 2)
    return windows.amax(dim=(-1, -2))

# %% wrong: the search for the largest begins at 0, so a window with only negative values gives 0
def max_pool2x2(x):
    N, C, H, W = x.shape
    out = torch.zeros(N, C, H // 2, W // 2, dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(H // 2):
                for j in range(W // 2):
                    biggest = 0
                    for di in (0, 1):
                        for dj in (0, 1):
                            value = x[n, c, 2 * i + di, 2 * j + dj]
                            if value > biggest:
                                biggest = value
                    out[n, c, i, j] = biggest
    return out
