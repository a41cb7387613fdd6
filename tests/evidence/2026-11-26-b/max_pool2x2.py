# %% right: four shifted grids, largest of them
def max_pool2x2(x):
    h, w = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    x = x[:, :, :h, :w]
    top = torch.maximum(x[:, :, 0::2, 0::2], x[:, :, 0::2, 1::2])
    bottom = torch.maximum(x[:, :, 1::2, 0::2], x[:, :, 1::2, 1::2])
    return torch.maximum(top, bottom)

# %% wrong: The running maximum starts at 0, so a window with negative values only gives 0 instead of its largest value.
def max_pool2x2(x):
    N, C, H, W = x.shape
    out = torch.zeros(N, C, H // 2, W // 2, dtype=x.dtype)
    for di in (0, 1):
        for dj in (0, 1):
            part = x[:, :, di:H // 2 * 2:2, dj:W // 2 * 2:2]
            out = torch.maximum(out, part)
    return out

# %% wrong: An odd side is filled up with -inf, like padding="same" in Keras, so the last row or column gets a window of its own and the side is (H + 1) // 2 long instead of H // 2.
def max_pool2x2(x):
    n, c, h, w = x.shape
    x = F.pad(x, (0, w % 2, 0, h % 2), value=float("-inf"))
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // 2, 2, w // 2, 2)
    return x.amax(dim=(3, 5))
