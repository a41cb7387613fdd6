# %% right: sums shifted copies, one for each weight of the kernel
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    h, w = image.shape
    k = kernel.shape[0]
    padded = image.new_zeros(h + 2 * padding, w + 2 * padding)
    padded[padding:padding + h, padding:padding + w] = image
    rows = (h + 2 * padding - k) // stride + 1
    cols = (w + 2 * padding - k) // stride + 1
    out = image.new_zeros(rows, cols) + bias
    for a in range(k):
        for b in range(k):
            shifted = padded[a:a + (rows - 1) * stride + 1:stride, b:b + (cols - 1) * stride + 1:stride]
            out = out + kernel[a, b] * shifted
    return out

# %% wrong: The kernel is flipped first, as in mathematics; the task wants it as it is, so an asymmetric kernel gives another result.
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    kernel = torch.flip(kernel, dims=(0, 1))          # a convolution flips its kernel
    image = F.pad(image, (padding, padding, padding, padding))
    k = kernel.shape[0]
    windows = image.unfold(0, k, stride).unfold(1, k, stride)   # (rows, cols, k, k)
    return (windows * kernel).sum(dim=(-1, -2)) + bias

# %% wrong: The output size is computed from the image before padding, so with padding > 0 the last windows at the bottom and on the right are missing.
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    H, W = image.shape
    k = len(kernel)
    out_h = (H - k) // stride + 1
    out_w = (W - k) // stride + 1
    padded = torch.zeros((H + 2 * padding, W + 2 * padding), dtype=image.dtype)
    padded[padding:H + padding, padding:W + padding] = image
    out = torch.zeros((out_h, out_w), dtype=image.dtype)
    for i in range(out_h):
        for j in range(out_w):
            y, x = i * stride, j * stride
            out[i, j] = torch.sum(padded[y:y + k, x:x + k] * kernel) + bias
    return out

# %% wrong: [two] first the step is applied to the rows only, the columns still move by one pixel; second the bias is added inside the sum and therefore counts k * k times
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    img = F.pad(image, (padding,) * 4)
    k = kernel.shape[0]
    result = []
    for r in range(0, img.shape[0] - k + 1, stride):
        line = []
        for c in range(img.shape[1] - k + 1):
            patch = img[r:r + k, c:c + k]
            line.append((patch * kernel + bias).sum())
        result.append(torch.stack(line))
    return torch.stack(result)
