# %% right: first-year student, two plain loops
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.shape[0]
    out = torch.zeros((H - 1) * stride + k, (W - 1) * stride + k, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            r = i * stride
            c = j * stride
            out[r:r + k, c:c + k] += x[i, j] * kernel
    return out

# %% wrong: A stamp overwrites what lies below it (= instead of +=), so where the kernel is larger than the stride, overlaps do not add up.
def transposed_conv2d(x, kernel, stride=2):
    k = kernel.size(0)
    h, w = x.size()
    canvas = x.new_zeros((h - 1) * stride + k, (w - 1) * stride + k)
    for row in range(h):
        for col in range(w):
            canvas[row * stride:row * stride + k, col * stride:col * stride + k] = kernel * x[row, col]
    return canvas

# %% wrong: It puts zeros between the pixels and slides the kernel over them without turning it by 180 degrees, so the flipped kernel is stamped; an asymmetric kernel comes out mirrored.
def transposed_conv2d(x, kernel, stride=2):
    h, w = x.shape
    k = kernel.shape[0]
    # zero insertion, then a "full" correlation
    up = x.new_zeros((h - 1) * stride + 1, (w - 1) * stride + 1)
    up[::stride, ::stride] = x
    up = F.pad(up, (k - 1, k - 1, k - 1, k - 1))
    windows = up.unfold(0, k, 1).unfold(1, k, 1)
    return torch.einsum("ijab,ab->ij", windows, kernel)
