# %% right: two new axes, expanded and merged by reshape
def upsample_nearest(x, scale=2):
    n, c, h, w = x.shape
    blocks = x[:, :, :, None, :, None].expand(n, c, h, scale, w, scale)
    return blocks.reshape(n, c, h * scale, w * scale)


# %% wrong: repeat lays copies of the whole map side by side instead of repeating every pixel
def upsample_nearest(x, scale=2):
    return x.repeat(1, 1, scale, scale)


# %% wrong: writes each value only to the upper left pixel of its block, the others stay 0
def upsample_nearest(x, scale=2):
    N, C, H, W = x.shape
    big = torch.zeros(N, C, H * scale, W * scale, dtype=x.dtype, device=x.device)
    big[:, :, ::scale, ::scale] = x
    return big
