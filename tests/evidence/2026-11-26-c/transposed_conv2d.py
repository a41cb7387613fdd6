# %% right: one shifted picture for each weight of the kernel
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.shape[0]
    out = torch.zeros((H - 1) * stride + k, (W - 1) * stride + k, dtype=x.dtype)
    for a in range(k):
        for b in range(k):
            out[a : a + (H - 1) * stride + 1 : stride, b : b + (W - 1) * stride + 1 : stride] += kernel[a, b] * x
    return out


# %% right: all stamps at once by index_add, with the place of each weight in the flat output
def transposed_conv2d(x, kernel, stride=2):
    (h, w), k = x.shape, len(kernel)
    rows, cols = (h - 1) * stride + k, (w - 1) * stride + k
    y = torch.arange(h)[:, None, None, None] * stride + torch.arange(k)[None, None, :, None]
    z = torch.arange(w)[None, :, None, None] * stride + torch.arange(k)[None, None, None, :]
    stamps = torch.einsum("hw,ij->hwij", x, kernel)
    flat = torch.zeros(rows * cols, dtype=stamps.dtype)
    return flat.index_add(0, (y * cols + z).flatten(), stamps.flatten()).view(rows, cols)


# %% wrong: a stamp replaces what lies under it instead of adding to it
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.shape[0]
    out = torch.zeros((H - 1) * stride + k, (W - 1) * stride + k)
    for i in range(H):
        for j in range(W):
            out[i * stride : i * stride + k, j * stride : j * stride + k] = x[i, j] * kernel
    return out


# %% wrong: zeros between the pixels and then a convolution, but the kernel is not turned for it, so every stamp is upside down
def transposed_conv2d(x, kernel, stride=2):
    k = kernel.shape[-1]
    spread = x.new_zeros((x.shape[0] - 1) * stride + 1, (x.shape[1] - 1) * stride + 1)
    spread[::stride, ::stride] = x
    windows = F.pad(spread, (k - 1,) * 4).unfold(0, k, 1).unfold(1, k, 1)
    return (windows * kernel).sum(dim=(-2, -1))


# %% wrong: the stamps are k pixels apart whatever the stride, so none overlap
def transposed_conv2d(x, kernel, stride=2):
    return torch.kron(x, kernel)


# %% wrong: the default of stride is 1
def transposed_conv2d(x, kernel, stride=1):
    h, w = x.shape
    k = len(kernel)
    canvas = torch.zeros(stride * (h - 1) + k, stride * (w - 1) + k)
    for i, row in enumerate(x):
        for j, value in enumerate(row):
            canvas[i * stride :, j * stride :][:k, :k] += value * kernel
    return canvas


# %% wrong: overlaps are averaged: the sum is divided by the number of stamps at each place
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.shape[0]
    total = torch.zeros((H - 1) * stride + k, (W - 1) * stride + k)
    count = torch.zeros_like(total)
    for i in range(H):
        for j in range(W):
            r, c = i * stride, j * stride
            total[r : r + k, c : c + k] += x[i, j] * kernel
            count[r : r + k, c : c + k] += 1
    return total / count.clamp(min=1)


# %% wrong: the output is made of size H * stride, what goes beyond it is cut off
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.shape[0]
    out = torch.zeros(H * stride, W * stride)
    for i in range(H):
        for j in range(W):
            top, left = i * stride, j * stride
            room = out[top : top + k, left : left + k]
            room += x[i, j] * kernel[: room.shape[0], : room.shape[1]]
    return out


# %% wrong: the last row and column of x make no stamp
def transposed_conv2d(x, kernel, stride=2):
    (n_rows, n_cols), k = x.shape, kernel.size(0)
    out = x.new_zeros((n_rows - 1) * stride + k, (n_cols - 1) * stride + k)
    for i in range(n_rows - 1):
        for j in range(n_cols - 1):
            out[i * stride : i * stride + k, j * stride : j * stride + k] += kernel * x[i, j]
    return out


# %% wrong: the larger of two overlapping stamps is kept instead of their sum
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.shape[0]
    out = torch.full(((H - 1) * stride + k, (W - 1) * stride + k), float("-inf"))
    for i in range(H):
        for j in range(W):
            part = out[i * stride : i * stride + k, j * stride : j * stride + k]
            torch.maximum(part, x[i, j] * kernel, out=part)
    return torch.where(torch.isinf(out), torch.zeros_like(out), out)


# %% wrong: [two] first the kernel is transposed; second the stride is used for the rows only
def transposed_conv2d(x, kernel, stride=2):
    height, width = x.shape
    k = kernel.shape[0]
    out = torch.zeros((height - 1) * stride + k, width - 1 + k)
    for i in range(height):
        for j in range(width):
            out[i * stride : i * stride + k, j : j + k] += x[i, j] * kernel.T
    return out


# %% wrong: [two] first stamps replace each other; second the first of two sides is used for both, so it fails or is too large
def transposed_conv2d(x, kernel, stride=2):
    n, k = len(x), len(kernel)
    side = (n - 1) * stride + k
    out = torch.zeros(side, side)
    for i in range(n):
        for j in range(n):
            out[i * stride : i * stride + k, j * stride : j * stride + k] = x[i, j] * kernel
    return out
