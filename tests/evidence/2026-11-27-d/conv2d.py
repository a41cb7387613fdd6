# %% right: loops over the weights of the kernel, not over the pixels: shifted and strided slices added up
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    h, w = image.shape
    k = kernel.shape[0]
    canvas = image.new_zeros(h + 2 * padding, w + 2 * padding)
    canvas[padding:padding + h, padding:padding + w] = image
    rows = (h + 2 * padding - k) // stride + 1
    cols = (w + 2 * padding - k) // stride + 1
    out = image.new_zeros(rows, cols) + bias
    for a in range(k):
        for b in range(k):
            shifted = canvas[a:a + (rows - 1) * stride + 1:stride, b:b + (cols - 1) * stride + 1:stride]
            out = out + kernel[a, b] * shifted
    return out

# %% wrong: F.pad with two numbers pads the last axis only, so with padding > 0 there are no zeros above and below and rows are missing
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    img = F.pad(image, (padding, padding))
    k = kernel.shape[0]
    n_rows = (img.shape[0] - k) // stride + 1
    n_cols = (img.shape[1] - k) // stride + 1
    result = torch.zeros(n_rows, n_cols, dtype=image.dtype)
    for r in range(n_rows):
        for c in range(n_cols):
            top, left = r * stride, c * stride
            result[r, c] = (img[top:top + k, left:left + k] * kernel).sum() + bias
    return result

# %% wrong: the bias is added at each product inside the innermost loop, so it counts k*k times
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    H, W = image.shape
    k = kernel.shape[0]
    padded = torch.zeros(H + 2 * padding, W + 2 * padding, dtype=image.dtype)
    for y in range(H):
        for x in range(W):
            padded[y + padding, x + padding] = image[y, x]

    outH = (H + 2 * padding - k) // stride + 1
    outW = (W + 2 * padding - k) // stride + 1
    out = torch.zeros(outH, outW, dtype=image.dtype)
    for y in range(outH):
        for x in range(outW):
            for i in range(k):
                for j in range(k):
                    out[y, x] += padded[y * stride + i, x * stride + j] * kernel[i, j] + bias
    return out

# %% wrong: [two] first, the kernel is flipped in both directions as in signal processing; second, the window begins at (i, j) instead of (i * stride, j * stride), so a stride only makes the result smaller
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    x = F.pad(image, (padding, padding, padding, padding))
    k = kernel.shape[0]
    g = torch.flip(kernel, dims=(0, 1))          # conv2 of MATLAB
    m = (x.shape[0] - k) // stride + 1
    n = (x.shape[1] - k) // stride + 1
    y = torch.zeros(m, n, dtype=image.dtype)
    for i in range(m):
        for j in range(n):
            y[i, j] = torch.sum(x[i:i + k, j:j + k] * g) + bias
    return y
