# %% right: loop over the kernel's places, strided slices of the padded image added up
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    k = kernel.shape[0]
    padded = F.pad(image, (padding, padding, padding, padding))
    rows = (padded.shape[0] - k) // stride + 1
    cols = (padded.shape[1] - k) // stride + 1
    total = torch.zeros(rows, cols, dtype=image.dtype, device=image.device)
    for dy in range(k):
        for dx in range(k):
            part = padded[dy : dy + (rows - 1) * stride + 1 : stride, dx : dx + (cols - 1) * stride + 1 : stride]
            total = total + kernel[dy, dx] * part
    return total + bias


# %% wrong: adds the bias to every product before the sum, so it counts k * k times
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    H, W = image.shape
    k = kernel.size(0)
    canvas = image.new_zeros(H + 2 * padding, W + 2 * padding)
    canvas[padding:padding + H, padding:padding + W] = image
    windows = canvas.unfold(0, k, stride).unfold(1, k, stride)  # (rows, cols, k, k)
    return (windows * kernel + bias).sum(dim=(-1, -2))


# %% wrong: range(0, H - k, stride) stops too early, so the last window that fits is missing (an even fit loses a row and a column)
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    image = F.pad(image, [padding] * 4)
    h, w = image.shape
    k = len(kernel)
    result = []
    for top in range(0, h - k, stride):
        row = []
        for left in range(0, w - k, stride):
            window = image[top:top + k, left:left + k]
            row.append((window * kernel).sum() + bias)
        result.append(torch.stack(row))
    return torch.stack(result)


# %% wrong: [two] first the kernel is flipped, as in mathematics, though the task says it is not; second F.pad with two numbers pads the columns only, not the rows
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    k = kernel.shape[-1]
    flipped = torch.flip(kernel, dims=[0, 1])
    img = F.pad(image, (padding, padding))
    out_h = (img.shape[0] - k) // stride + 1
    out_w = (img.shape[1] - k) // stride + 1
    out = torch.empty(out_h, out_w, dtype=image.dtype)
    for i in range(out_h):
        for j in range(out_w):
            y, x = i * stride, j * stride
            out[i, j] = (img[y:y + k, x:x + k] * flipped).sum() + bias
    return out
