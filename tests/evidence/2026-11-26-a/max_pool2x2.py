# %% right: the four corners of the windows as strided slices, elementwise maximum
def max_pool2x2(x):
    h = x.shape[2] // 2 * 2
    w = x.shape[3] // 2 * 2
    top = torch.maximum(x[:, :, 0:h:2, 0:w:2], x[:, :, 0:h:2, 1:w:2])
    bottom = torch.maximum(x[:, :, 1:h:2, 0:w:2], x[:, :, 1:h:2, 1:w:2])
    return torch.maximum(top, bottom)


# %% wrong: the reshape puts four values that follow each other in a row into one window instead of 2×2 blocks
def max_pool2x2(x):
    N, C, H, W = x.shape
    H2, W2 = H // 2, W // 2
    x = x[:, :, : H2 * 2, : W2 * 2]
    return x.reshape(N, C, H2, W2, 4).amax(dim=-1)


# %% wrong: the maximum starts from 0, so a window of only negative values gives 0 instead of its largest value
def max_pool2x2(x):
    n, c, height, width = x.shape
    out = torch.zeros(n, c, height // 2, width // 2, dtype=x.dtype, device=x.device)
    for i in range(height // 2):
        for j in range(width // 2):
            for a in range(2):
                for b in range(2):
                    value = x[:, :, 2 * i + a, 2 * j + b]
                    out[:, :, i, j] = torch.maximum(out[:, :, i, j], value)
    return out
