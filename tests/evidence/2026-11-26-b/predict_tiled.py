# %% right: keeps only the middle of each tile, mirrors by index
def predict_tiled(model, image, tile, overlap):
    step, margin = tile - overlap, overlap // 2
    _, height, width = image.shape

    def mirrored(start, n):
        """tile indices from start on, folded back into 0 .. n - 1 as often as it takes."""
        i = torch.arange(start, start + tile, device=image.device)
        if n == 1:
            return torch.zeros_like(i)
        i = i % (2 * n - 2)
        return torch.where(i < n, i, 2 * n - 2 - i)

    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    result = None
    try:
        with torch.no_grad():
            for top in range(0, height, step):
                rows = mirrored(top - margin, height)
                for left in range(0, width, step):
                    cols = mirrored(left - margin, width)
                    logits = model(image[:, rows][:, :, cols][None])[0]
                    if result is None:
                        result = logits.new_zeros(logits.shape[0], height, width)
                    middle = logits[:, margin:margin + step, margin:margin + step]
                    result[:, top:top + step, left:left + step] = middle[:, :height - top, :width - left]
    finally:
        for m, mode in modes:
            m.training = mode
    return result

# %% wrong: Where tiles overlap, their whole predictions are averaged, the edge of a tile included, where the model saw the tile's border instead of the image; the result is then not what it predicts from the whole image.
def predict_tiled(model, image, tile, overlap):
    C, H, W = image.shape
    stride = tile - overlap
    ys = range(0, max(H - overlap, 1), stride)
    xs = range(0, max(W - overlap, 1), stride)

    def fold(idx, n):
        if n == 1:
            return torch.zeros_like(idx)
        idx = idx.remainder(2 * (n - 1))
        return torch.minimum(idx, 2 * (n - 1) - idx)

    was_training = model.training
    model.eval()
    acc, cnt = 0, torch.zeros(1, H, W)
    with torch.no_grad():
        for y in ys:
            for x in xs:
                r = fold(torch.arange(y, y + tile), H)
                c = fold(torch.arange(x, x + tile), W)
                out = model(image[:, r][:, :, c].unsqueeze(0)).squeeze(0)
                h, w = min(tile, H - y), min(tile, W - x)
                if isinstance(acc, int):
                    acc = torch.zeros(out.shape[0], H, W)
                acc[:, y:y + h, x:x + w] += out[:, :h, :w]
                cnt[:, y:y + h, x:x + w] += 1
    model.train(was_training)
    return acc / cnt

# %% wrong: F.pad(mode="reflect") mirrors at most side - 1 pixels, so with an image much smaller than a tile (10 × 10 for tiles of 64) it raises an error.
def predict_tiled(model, image, tile, overlap):
    c, h, w = image.shape
    m = overlap // 2
    step = tile - overlap
    n_y = -(-h // step)
    n_x = -(-w // step)
    pad_bottom = (n_y - 1) * step + tile - m - h
    pad_right = (n_x - 1) * step + tile - m - w
    padded = F.pad(image[None], (m, pad_right, m, pad_bottom), mode="reflect")
    state = {mod: mod.training for mod in model.modules()}
    model.eval()
    rows = []
    with torch.no_grad():
        for i in range(n_y):
            row = []
            for j in range(n_x):
                patch = padded[:, :, i * step:i * step + tile, j * step:j * step + tile]
                row.append(model(patch)[0, :, m:m + step, m:m + step])
            rows.append(torch.cat(row, dim=2))
    for mod, flag in state.items():
        mod.training = flag
    return torch.cat(rows, dim=1)[:, :h, :w]

# %% wrong: The last tiles are cut off at the image's border instead of being filled up by mirroring, so the model is given tiles smaller than tile × tile.
def predict_tiled(model, image, tile, overlap):
    _, H, W = image.shape
    margin = overlap // 2
    inner = tile - overlap
    training = model.training
    model.eval()
    out = None
    with torch.no_grad():
        for y in range(0, H, inner):
            for x in range(0, W, inner):
                y0, x0 = max(y - margin, 0), max(x - margin, 0)
                y1, x1 = min(y - margin + tile, H), min(x - margin + tile, W)
                pred = model(image[None, :, y0:y1, x0:x1])[0]
                if out is None:
                    out = torch.zeros(pred.shape[0], H, W)
                ye, xe = min(y + inner, H), min(x + inner, W)
                out[:, y:ye, x:xe] = pred[:, y - y0:ye - y0, x - x0:xe - x0]
    model.train(training)
    return out
