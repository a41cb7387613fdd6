# %% right: windows by unfold, then sorted
def max_pool2x2(x):
    windows = x.unfold(2, 2, 2).unfold(3, 2, 2)
    return windows.flatten(-2).sort(dim=-1).values[..., -1]


# %% right: first the larger of two rows, then of two columns, with where
def max_pool2x2(x):
    h, w = x.shape[-2] // 2 * 2, x.shape[-1] // 2 * 2
    upper, lower = x[..., 0:h:2, :w], x[..., 1:h:2, :w]
    rows = torch.where(upper > lower, upper, lower)
    left, right = rows[..., 0::2], rows[..., 1::2]
    return torch.where(left > right, left, right)


# %% wrong: an odd side is filled up, so its last row or column gets a window too
def max_pool2x2(x):
    h, w = x.shape[2:]
    x = F.pad(x, (0, w % 2, 0, h % 2), value=float("-inf"))
    n, c, h, w = x.shape
    return x.view(n, c, h // 2, 2, w // 2, 2).amax(5).amax(3)


# %% wrong: odd sides are not cut, so the slices differ in size and it fails
def max_pool2x2(x):
    a = x[:, :, ::2, ::2]
    b = x[:, :, 1::2, ::2]
    c = x[:, :, ::2, 1::2]
    d = x[:, :, 1::2, 1::2]
    return torch.stack([a, b, c, d]).max(dim=0).values


# %% wrong: the running maximum begins at zero, so negative values are lost
def max_pool2x2(x):
    N, C, H, W = x.shape
    out = torch.zeros(N, C, H // 2, W // 2)
    for i in range(H // 2):
        for j in range(W // 2):
            for di in range(2):
                for dj in range(2):
                    out[:, :, i, j] = torch.maximum(out[:, :, i, j], x[:, :, 2 * i + di, 2 * j + dj])
    return out


# %% wrong: windows overlap, from one to the next it is one pixel
def max_pool2x2(x):
    h, w = x.shape[2] // 2, x.shape[3] // 2
    rows = torch.maximum(x[:, :, :-1], x[:, :, 1:])
    both = torch.maximum(rows[..., :-1], rows[..., 1:])
    return both[:, :, :h, :w]


# %% wrong: the axes of the reshape are in another order, so four numbers in a row make a window
def max_pool2x2(x):
    n, c, h, w = x.shape
    x = x[:, :, : h - h % 2, : w - w % 2]
    return x.reshape(n, c, h // 2, w // 2, 4).max(-1)[0]


# %% wrong: the value that is farthest from zero wins, not the largest
def max_pool2x2(x):
    win = x.unfold(-2, 2, 2).unfold(-2, 2, 2).flatten(-2)
    where = win.abs().argmax(dim=-1, keepdim=True)
    return win.gather(-1, where).squeeze(-1)


# %% wrong: returns the places of the largest values, not the values
def max_pool2x2(x):
    n, c, h, w = x.shape
    blocks = x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2)
    blocks = blocks.permute(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
    return blocks.max(dim=-1)[1]


# %% wrong: of an odd side the first row or column is left out instead of the last
def max_pool2x2(x):
    if x.shape[2] % 2:
        x = x[:, :, 1:, :]
    if x.shape[3] % 2:
        x = x[:, :, :, 1:]
    rows = x.unflatten(2, (-1, 2)).amax(dim=3)
    return rows.unflatten(3, (-1, 2)).amax(dim=4)


# %% wrong: [two] first only the two pixels on the diagonal of a window are compared; second the smaller one is kept
def max_pool2x2(x):
    h, w = x.shape[2] // 2, x.shape[3] // 2
    return torch.min(x[:, :, 0::2, 0::2][:, :, :h, :w], x[:, :, 1::2, 1::2])


# %% wrong: [two] first the mean instead of the maximum; second the sides are swapped in the result
def max_pool2x2(x):
    batch, channels, height, width = x.shape
    out = x.new_zeros((batch, channels, width // 2, height // 2))
    for r in range(height // 2):
        for c in range(width // 2):
            out[:, :, c, r] = x[:, :, 2 * r : 2 * r + 2, 2 * c : 2 * c + 2].mean(dim=(2, 3))
    return out
