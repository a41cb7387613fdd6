# %% right: all stamps at once by einsum, added at their flat addresses with index_add
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.shape[0]
    out_h, out_w = (H - 1) * stride + k, (W - 1) * stride + k
    row = torch.arange(H)[:, None] * stride + torch.arange(k)      # (H, k)
    col = torch.arange(W)[:, None] * stride + torch.arange(k)      # (W, k)
    address = row[:, :, None, None] * out_w + col                  # (H, k, W, k)
    stamps = torch.einsum("ij,ab->iajb", x, kernel)
    flat = x.new_zeros(out_h * out_w).index_add(0, address.reshape(-1), stamps.reshape(-1))
    return flat.reshape(out_h, out_w)

# %% wrong: "transposed" is taken to mean the kernel, and kernel.T is stamped, which shows with every kernel that is not symmetric
def transposed_conv2d(x, kernel, stride=2):
    h, w = x.shape
    k = kernel.shape[0]
    kt = kernel.t()
    y = torch.zeros((h - 1) * stride + k, (w - 1) * stride + k, dtype=x.dtype)
    for i in range(h):
        for j in range(w):
            y[i * stride:i * stride + k, j * stride:j * stride + k] += x[i, j] * kt
    return y

# %% wrong: a stamp is written with = instead of +=, so where stamps overlap (k > stride) the last one wins and nothing adds up
def transposed_conv2d(x, kernel, stride=2):
    rows, cols = x.shape
    size = len(kernel)
    canvas = torch.zeros((rows - 1) * stride + size, (cols - 1) * stride + size, dtype=x.dtype)
    for r in range(rows):
        for c in range(cols):
            stamp = kernel * x[r, c]
            for a in range(size):
                for b in range(size):
                    canvas[r * stride + a, c * stride + b] = stamp[a, b]
    return canvas

# %% wrong: the output is made H * stride by W * stride, which is right for k == stride only: a larger kernel raises at the edge, a smaller one leaves rows and columns of zeros too many
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.size(0)
    out = torch.zeros(H * stride, W * stride, dtype=x.dtype)
    for i, line in enumerate(x):
        for j, value in enumerate(line):
            top, left = i * stride, j * stride
            out[top:top + k, left:left + k] += value * kernel
    return out
