# %% right: columns of pixels by F.unfold, then a matrix product
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    k = kernel.shape[-1]
    columns = F.unfold(image[None, None], k, padding=padding, stride=stride)[0]  # (k * k, places)
    values = kernel.reshape(1, -1) @ columns + bias
    width = (image.shape[1] + 2 * padding - k) // stride + 1
    return values.view(-1, width)


# %% right: every window listed by integer indices, one einsum
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    if padding:
        image = torch.nn.ZeroPad2d(padding)(image[None])[0]
    k = kernel.size(0)
    tops = torch.arange(0, image.size(0) - k + 1, stride)[:, None] + torch.arange(k)
    lefts = torch.arange(0, image.size(1) - k + 1, stride)[:, None] + torch.arange(k)
    windows = image[tops[:, None, :, None], lefts[None, :, None, :]]
    return torch.einsum("rcij,ij->rc", windows, kernel) + bias


# %% wrong: the stride is used for the rows only, the columns go on pixel by pixel
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    image = F.pad(image, (padding,) * 4)
    k = len(kernel)
    out = []
    for i in range(0, image.shape[0] - k + 1, stride):
        out.append([])
        for j in range(image.shape[1] - k + 1):
            out[-1].append((image[i : i + k, j : j + k] * kernel).sum() + bias)
    return torch.tensor(out)


# %% wrong: the axes of the kernel are swapped in the einsum, so the kernel is transposed
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    k = kernel.shape[0]
    padded = F.pad(image, (padding, padding, padding, padding))
    windows = padded.unfold(1, k, stride).unfold(0, k, stride)  # the rows of the window come last
    return torch.einsum("abcd,cd->ab", windows, kernel) + bias


# %% wrong: the zeros go above and to the left only, not on all four sides
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    h, w = image.shape
    k = kernel.shape[0]
    big = torch.zeros(h + padding, w + padding)
    big[padding:, padding:] = image
    oh = (big.shape[0] - k) // stride + 1
    ow = (big.shape[1] - k) // stride + 1
    out = torch.zeros(oh, ow)
    for r in range(oh):
        for c in range(ow):
            patch = big[r * stride : r * stride + k, c * stride : c * stride + k]
            out[r, c] = torch.sum(patch * kernel) + bias
    return out


# %% wrong: the border is filled with copies of the outermost pixels instead of zeros
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    img = np.pad(image.numpy(), padding, mode="edge")
    ker = kernel.numpy()
    k = ker.shape[0]
    view = np.lib.stride_tricks.sliding_window_view(img, (k, k))[::stride, ::stride]
    return torch.from_numpy((view * ker).sum(axis=(2, 3)) + bias).float()


# %% wrong: the bias is added to the image before the products, not to their sum
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    k = kernel.shape[0]
    image = F.pad(image + bias, (padding, padding, padding, padding))
    rows = (image.shape[0] - k) // stride + 1
    cols = (image.shape[1] - k) // stride + 1
    return torch.stack(
        [
            torch.stack([(image[r * stride :, c * stride :][:k, :k] * kernel).sum() for c in range(cols)])
            for r in range(rows)
        ]
    )


# %% wrong: squeeze at the end, so a result with one row or column loses an axis
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    k = kernel.shape[0]
    x = F.pad(image[None, None], (padding, padding, padding, padding))
    windows = x.unfold(2, k, stride).unfold(3, k, stride)
    return ((windows * kernel).sum((-1, -2)) + bias).squeeze()


# %% wrong: the size is right, but the windows begin at (i, j) instead of (i * stride, j * stride)
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    H, W = image.shape
    K = kernel.shape[0]
    padded = torch.zeros((H + 2 * padding, W + 2 * padding), dtype=image.dtype)
    padded[padding : H + padding, padding : W + padding] = image
    H_out = int((H + 2 * padding - K) / stride) + 1
    W_out = int((W + 2 * padding - K) / stride) + 1
    output = torch.zeros((H_out, W_out), dtype=image.dtype)
    for i in range(H_out):
        for j in range(W_out):
            output[i, j] = (padded[i : i + K, j : j + K] * kernel).sum() + bias
    return output


# %% wrong: the output is made as (columns, rows): width and height are mixed up
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    width, height = image.shape
    k = kernel.shape[0]
    image = F.pad(image, (padding, padding, padding, padding))
    out = torch.zeros((height + 2 * padding - k) // stride + 1, (width + 2 * padding - k) // stride + 1)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = (image[y * stride : y * stride + k, x * stride : x * stride + k] * kernel).sum() + bias
    return out


# %% wrong: [two] first the mean of the products instead of their sum; second the padding is ignored
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    k = kernel.shape[0]
    patches = image.unfold(0, k, stride).unfold(1, k, stride)
    return patches.mul(kernel).mean(dim=(2, 3)).add(bias)


# %% wrong: [two] first the bias is forgotten; second the last row and column of windows are missing
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    padded = F.pad(image, [padding, padding, padding, padding], mode="constant", value=0)
    k, (h, w) = kernel.shape[0], padded.shape
    total = 0
    for dy in range(k):
        for dx in range(k):
            total = total + kernel[dy, dx] * padded[dy : h - k + dy : stride, dx : w - k + dx : stride]
    return total
