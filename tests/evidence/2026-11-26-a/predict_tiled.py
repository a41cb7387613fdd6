# %% right: mirrored index lists for every tile, only the middle of a tile is kept
def _mirrored(start, length, size):
    """The indices start .. start + length - 1, mirrored at the ends of 0 .. size - 1, any number of times."""
    index = torch.arange(start, start + length)
    if size == 1:
        return torch.zeros_like(index)
    period = 2 * size - 2
    index = index % period
    return torch.where(index < size, index, period - index)


def predict_tiled(model, image, tile, overlap):
    height, width = image.shape[-2:]
    margin, step = overlap // 2, tile - overlap
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    result = None
    try:
        with torch.no_grad():
            for top in range(0, height, step):
                rows = _mirrored(top - margin, tile, height).to(image.device)
                for left in range(0, width, step):
                    columns = _mirrored(left - margin, tile, width).to(image.device)
                    logits = model(image[:, rows][:, :, columns].unsqueeze(0))[0]
                    if result is None:
                        result = logits.new_zeros(logits.shape[0], height, width)
                    h, w = min(step, height - top), min(step, width - left)
                    result[:, top : top + h, left : left + w] = logits[:, margin : margin + h, margin : margin + w]
    finally:
        for module, mode in modes:
            module.training = mode
    return result


# %% wrong: averages the whole tiles where they overlap, so what a tile predicts at its own edge gets into the result and seams are not what the model says of the whole image
def predict_tiled(model, image, tile, overlap):
    mode = model.training
    model.eval()
    C, H, W = image.shape
    stride = tile - overlap
    ny = max(1, -(-(H - overlap) // stride))
    nx = max(1, -(-(W - overlap) // stride))
    padded_h, padded_w = (ny - 1) * stride + tile, (nx - 1) * stride + tile

    def mirror(n, total):
        idx = list(range(n)) + list(range(n - 2, 0, -1))
        return [idx[i % len(idx)] for i in range(total)]

    padded = image[:, mirror(H, padded_h)][:, :, mirror(W, padded_w)]
    acc = count = None
    with torch.no_grad():
        for i in range(ny):
            for j in range(nx):
                y, x = i * stride, j * stride
                out = model(padded[None, :, y:y + tile, x:x + tile])[0]
                if acc is None:
                    acc = torch.zeros(out.shape[0], padded_h, padded_w)
                    count = torch.zeros(1, padded_h, padded_w)
                acc[:, y:y + tile, x:x + tile] += out
                count[:, y:y + tile, x:x + tile] += 1
    model.train(mode)
    return (acc / count)[:, :H, :W]


# %% wrong: F.pad with reflect can only add fewer pixels than the side has, so an image much smaller than a tile (10 × 10 for a tile of 64) raises an error
def predict_tiled(model, image, tile, overlap):
    was = model.training
    model.eval()
    _, H, W = image.shape
    m = overlap // 2
    core = tile - 2 * m
    rows = (H + core - 1) // core
    cols = (W + core - 1) // core
    bottom = rows * core - H + m
    right = cols * core - W + m
    padded = F.pad(image.unsqueeze(0), (m, right, m, bottom), mode="reflect")
    strips = []
    with torch.no_grad():
        for r in range(rows):
            strip = []
            for c in range(cols):
                window = padded[:, :, r * core:r * core + tile, c * core:c * core + tile]
                out = model(window)[0]
                strip.append(out[:, m:m + core, m:m + core])
            strips.append(torch.cat(strip, dim=2))
    model.train(was)
    return torch.cat(strips, dim=1)[:, :H, :W]
