# %% right: two new axes, expand, reshape
def upsample_nearest(x, scale=2):
    n, c, h, w = x.shape
    blocks = x[:, :, :, None, :, None].expand(n, c, h, scale, w, scale)
    return blocks.reshape(n, c, h * scale, w * scale)

# %% wrong: repeat lays whole copies of the picture side by side, like np.tile, instead of repeating each pixel in place.
def upsample_nearest(x, scale=2):
    return x.repeat(1, 1, scale, scale)

# %% wrong: Only the top left pixel of each block gets the value, the others of the block stay 0.
def upsample_nearest(x, scale=2):
    N, C, H, W = x.shape
    out = torch.zeros(N, C, H * scale, W * scale, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            out[:, :, i * scale, j * scale] = x[:, :, i, j]
    return out
