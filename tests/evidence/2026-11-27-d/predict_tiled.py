# %% right: mirrored index vectors as a triangle wave, unfold cuts all tiles at once, only the middles are put together
def predict_tiled(model, image, tile, overlap):
    C, H, W = image.shape
    step, margin = tile - overlap, overlap // 2
    rows, cols = -(-H // step), -(-W // step)

    def mirrored(count, n):
        i = torch.arange(count, device=image.device) - margin
        if n == 1:
            return torch.zeros_like(i)
        i = i % (2 * n - 2)
        return torch.minimum(i, 2 * n - 2 - i)

    big = image[:, mirrored(rows * step + overlap, H)][:, :, mirrored(cols * step + overlap, W)]
    tiles = big.unfold(1, tile, step).unfold(2, tile, step)            # C, rows, cols, tile, tile
    tiles = tiles.permute(1, 2, 0, 3, 4).reshape(rows * cols, C, tile, tile)

    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            answers = torch.cat([model(some) for some in tiles.split(8)])
    finally:
        for m, mode in modes:
            m.training = mode
    core = answers[:, :, margin:margin + step, margin:margin + step]
    K = core.shape[1]
    whole = core.reshape(rows, cols, K, step, step).permute(2, 0, 3, 1, 4)
    return whole.reshape(K, rows * step, cols * step)[:, :H, :W].contiguous()
# %% wrong: F.pad with mode "reflect" cannot mirror more pixels than the image has, so an image smaller than the padding raises
def predict_tiled(model, image, tile, overlap):
    _, H, W = image.shape
    stride = tile - overlap
    m = overlap // 2
    n_rows = (H + stride - 1) // stride
    n_cols = (W + stride - 1) // stride
    bottom = n_rows * stride + overlap - m - H
    right = n_cols * stride + overlap - m - W
    padded = F.pad(image[None], (m, right, m, bottom), mode="reflect")

    training = {mod: mod.training for mod in model.modules()}
    model.eval()
    strips = []
    with torch.no_grad():
        for r in range(n_rows):
            strip = []
            for c in range(n_cols):
                y, x = r * stride, c * stride
                pred = model(padded[:, :, y:y + tile, x:x + tile])[0]
                strip.append(pred[:, m:m + stride, m:m + stride])
            strips.append(torch.cat(strip, dim=2))
    for mod, flag in training.items():
        mod.training = flag
    return torch.cat(strips, dim=1)[:, :H, :W]
# %% wrong: takes the plain mean of all tiles that cover a pixel, also of their outermost pixels where the model saw only its own padding, so the overlap differs from the prediction of the whole image
def predict_tiled(model, image, tile, overlap):
    H, W = image.shape[1], image.shape[2]
    step = tile - overlap
    ny = max(1, -(-(H - overlap) // step))
    nx = max(1, -(-(W - overlap) // step))
    full_h, full_w = ny * step + overlap, nx * step + overlap

    # mirror index: 0 1 2 3 2 1 0 1 ...
    def fold(length, n):
        period = max(2 * (n - 1), 1)
        idx = [i % period for i in range(length)]
        return [i if i < n else period - i for i in idx]

    ext = image[:, fold(full_h, H), :][:, :, fold(full_w, W)]
    states = [m.training for m in model.modules()]
    model.eval()
    total, hits = None, torch.zeros(full_h, full_w, device=image.device)
    with torch.no_grad():
        for y in range(0, ny * step, step):
            for x in range(0, nx * step, step):
                logits = model(ext[None, :, y:y + tile, x:x + tile])[0]
                if total is None:
                    total = torch.zeros(logits.shape[0], full_h, full_w, dtype=logits.dtype, device=logits.device)
                total[:, y:y + tile, x:x + tile] += logits
                hits[y:y + tile, x:x + tile] += 1
    for m, s in zip(model.modules(), states):
        m.training = s
    return (total / hits)[:, :H, :W]
# %% wrong: copy and paste, the loop over the columns also runs over H, so in an image wider than high the tiles on the right are never predicted and stay 0 (and one higher than wide gets cut tiles)
def predict_tiled(model, image, tile, overlap):
    C, H, W = image.shape
    step = tile - overlap
    edge = overlap // 2          # this much of each tile is thrown away at the top and left
    n_down = -(-H // step)
    n_right = -(-W // step)

    def mirror(i, n):
        if n == 1:
            return 0
        while i < 0 or i >= n:
            if i < 0:
                i = -i
            if i >= n:
                i = 2 * (n - 1) - i
        return i

    row_index = [mirror(i - edge, H) for i in range(n_down * step + overlap)]
    col_index = [mirror(i - edge, W) for i in range(n_right * step + overlap)]
    big = image[:, row_index][:, :, col_index]

    modes = []
    for m in model.modules():
        modes.append((m, m.training))
    model.eval()
    result = None
    with torch.no_grad():
        for top in range(0, H, step):
            for left in range(0, H, step):
                piece = big[:, top:top + tile, left:left + tile]
                out = model(piece.unsqueeze(0))[0]
                if result is None:
                    result = out.new_zeros(out.shape[0], n_down * step, n_right * step)
                result[:, top:top + step, left:left + step] = out[:, edge:edge + step, edge:edge + step]
    for m, mode in modes:
        m.training = mode
    return result[:, :H, :W]
