# %% right: padded to whole tiles by hand, only the sure middle of each tile is kept, all tiles in one batch
def predict_tiled(model, image, tile, overlap):
    cut = overlap // 2
    step = tile - overlap
    c, h, w = image.shape

    def source(side):
        n = -(-side // step)
        index = np.arange(-cut, n * step + overlap - cut)
        if side == 1:
            return n, np.zeros_like(index)
        index = np.abs(index) % (2 * side - 2)
        return n, np.where(index >= side, 2 * side - 2 - index, index)

    n_rows, rows = source(h)
    n_columns, columns = source(w)
    big = image[:, torch.from_numpy(rows)][:, :, torch.from_numpy(columns)]
    tiles = torch.stack(
        [big[:, i * step : i * step + tile, j * step : j * step + tile] for i in range(n_rows) for j in range(n_columns)]
    )
    before = model.training
    model.eval()
    with torch.no_grad():
        logits = model(tiles)
    model.train(before)
    middle = logits[:, :, cut : cut + step, cut : cut + step]
    k = middle.shape[1]
    grid = middle.reshape(n_rows, n_columns, k, step, step).permute(2, 0, 3, 1, 4)
    return grid.reshape(k, n_rows * step, n_columns * step)[:, :h, :w].contiguous()


# %% right: with_margin of the lesson rebuilt, a smooth weight and two canvases
def predict_tiled(model, image, tile, overlap):
    step = tile - overlap
    indices = []
    for side in image.shape[-2:]:
        places = torch.arange(-(-side // step) * step + overlap) - overlap // 2
        period = max(2 * (side - 1), 1)
        indices.append(torch.minimum(places % period, -places % period))
    padded = image[:, indices[0][:, None], indices[1]]
    edge = torch.minimum(torch.arange(tile), torch.arange(tile).flip(0)) + 0.5
    ramp = ((edge - overlap / 4) / max(overlap / 2, 1e-9)).clamp(0, 1)
    weight = torch.outer(ramp, ramp)
    mode = model.training
    model.eval()
    canvas, total = None, torch.zeros(padded.shape[1:])
    with torch.no_grad():
        for y in range(0, padded.shape[1] - tile + 1, step):
            for x in range(0, padded.shape[2] - tile + 1, step):
                logits = model(padded[None, :, y : y + tile, x : x + tile])[0]
                if canvas is None:
                    canvas = torch.zeros(len(logits), *padded.shape[1:])
                canvas[:, y : y + tile, x : x + tile] += weight * logits
                total[y : y + tile, x : x + tile] += weight
    model.train(mode)
    y, x = overlap // 2, overlap // 2
    h, w = image.shape[-2:]
    return (canvas / total.clamp(min=1e-12))[:, y : y + h, x : x + w].clone()


# %% wrong: whole tiles are averaged, the rims of the tiles count as much as their middle
def predict_tiled(model, image, tile, overlap):
    def with_margin(image):
        step, indices = tile - overlap, []
        for side in image.shape[-2:]:
            places = torch.arange(-(-side // step) * step + overlap) - overlap // 2
            period = max(2 * (side - 1), 1)
            indices.append(torch.minimum(places % period, -places % period))
        return image[:, indices[0][:, None], indices[1]]

    big = with_margin(image)
    step, (h, w) = tile - overlap, image.shape[1:]
    mode = model.training
    model.eval()
    summed, count = 0, torch.zeros(big.shape[1:])
    with torch.no_grad():
        for top in range(0, big.shape[1] - overlap, step):
            for left in range(0, big.shape[2] - overlap, step):
                rows, columns = slice(top, top + tile), slice(left, left + tile)
                logits = model(big[:, rows, columns].unsqueeze(0)).squeeze(0)
                if isinstance(summed, int):
                    summed = torch.zeros(logits.shape[0], *big.shape[1:])
                summed[:, rows, columns] += logits
                count[rows, columns] += 1
    model.train(mode)
    m = overlap // 2
    return (summed / count)[:, m : m + h, m : m + w]


# %% wrong: zeros past the image instead of its mirror image
def predict_tiled(model, image, tile, overlap):
    step, m = tile - overlap, overlap // 2
    h, w = image.shape[1:]
    rows, columns = -(-h // step), -(-w // step)
    big = F.pad(image, (m, columns * step + overlap - m - w, m, rows * step + overlap - m - h))
    mode = model.training
    model.eval()
    out = None
    with torch.no_grad():
        for i in range(rows):
            for j in range(columns):
                y = model(big[None, :, i * step : i * step + tile, j * step : j * step + tile])[0]
                if out is None:
                    out = torch.zeros(y.shape[0], rows * step, columns * step)
                out[:, i * step : (i + 1) * step, j * step : (j + 1) * step] = y[:, m : m + step, m : m + step]
    model.train(mode)
    return out[:, :h, :w].clone()


# %% wrong: later tiles simply overwrite earlier ones
def predict_tiled(model, image, tile, overlap):
    step, m = tile - overlap, overlap // 2
    h, w = image.shape[1:]

    def reflect(side):
        n = -(-side // step) * step + overlap
        places = torch.arange(n) - m
        period = max(2 * (side - 1), 1)
        return torch.minimum(places % period, -places % period)

    big = image[:, reflect(h)[:, None], reflect(w)]
    mode = model.training
    model.eval()
    pieces = {}
    with torch.no_grad():
        for top in range(0, big.shape[1] - tile + 1, step):
            for left in range(0, big.shape[2] - tile + 1, step):
                pieces[top, left] = model(big[None, :, top : top + tile, left : left + tile])[0]
    model.train(mode)
    k = next(iter(pieces.values())).shape[0]
    out = torch.empty(k, *big.shape[1:])
    for (top, left), logits in pieces.items():
        out[:, top : top + tile, left : left + tile] = logits
    return out[:, m : m + h, m : m + w].clone()


# %% wrong: torch's reflect padding, which refuses an image smaller than the margin
def predict_tiled(model, image, tile, overlap):
    step, m = tile - overlap, overlap // 2
    h, w = image.shape[1:]
    nr, nc = -(-h // step), -(-w // step)
    big = F.pad(image[None], (m, nc * step + overlap - m - w, m, nr * step + overlap - m - h), mode="reflect")
    was = model.training
    model.eval()
    with torch.no_grad():
        lines = []
        for i in range(nr):
            line = []
            for j in range(nc):
                y = model(big[:, :, i * step : i * step + tile, j * step : j * step + tile])
                line.append(y[:, :, m : m + step, m : m + step])
            lines.append(torch.cat(line, dim=3))
        out = torch.cat(lines, dim=2)
    model.train(was)
    return out[0, :, :h, :w].clone()


# %% wrong: tiles start every `tile` pixels, so neighbours share nothing
def predict_tiled(model, image, tile, overlap):
    h, w = image.shape[1:]
    nr, nc = -(-h // tile), -(-w // tile)

    def index(side, n):
        places = torch.arange(n * tile)
        period = max(2 * (side - 1), 1)
        return torch.minimum(places % period, -places % period)

    big = image[:, index(h, nr)][:, :, index(w, nc)]
    was = model.training
    model.eval()
    with torch.no_grad():
        lines = [
            torch.cat(
                [model(big[None, :, i * tile : (i + 1) * tile, j * tile : (j + 1) * tile]) for j in range(nc)], dim=3
            )
            for i in range(nr)
        ]
    model.train(was)
    return torch.cat(lines, dim=2)[0, :, :h, :w].clone()


# %% wrong: no margin before the first row and column and the last tile is cut where the image ends, so it has another size
def predict_tiled(model, image, tile, overlap):
    step, m = tile - overlap, overlap // 2
    h, w = image.shape[1:]
    was = model.training
    model.eval()
    out = None
    with torch.no_grad():
        for top in range(0, h, step):
            for left in range(0, w, step):
                y = model(image[None, :, top : top + tile, left : left + tile])[0]
                if out is None:
                    out = torch.zeros(len(y), h, w)
                cut_y, cut_x = (m if top else 0), (m if left else 0)
                out[:, top + cut_y : top + tile, left + cut_x : left + tile] = y[:, cut_y:, cut_x:]
    model.train(was)
    return out


# %% wrong: the weighted sum is never divided by the sum of the weights
def predict_tiled(model, image, tile, overlap):
    step, m = tile - overlap, overlap // 2
    h, w = image.shape[1:]

    def reflect(side):
        n = -(-side // step) * step + overlap
        places = torch.arange(n) - m
        period = max(2 * (side - 1), 1)
        return torch.minimum(places % period, -places % period)

    big = image[:, reflect(h)[:, None], reflect(w)]
    line = 1 - (torch.arange(tile) + 0.5 - tile / 2).abs() / (tile / 2)
    weight = line[:, None] * line
    was = model.training
    model.eval()
    canvas = None
    with torch.no_grad():
        for top in range(0, big.shape[1] - tile + 1, step):
            for left in range(0, big.shape[2] - tile + 1, step):
                y = model(big[None, :, top : top + tile, left : left + tile])[0] * weight
                if canvas is None:
                    canvas = torch.zeros(len(y), *big.shape[1:])
                canvas[:, top : top + tile, left : left + tile] += y
    model.train(was)
    return canvas[:, m : m + h, m : m + w].clone()


# %% wrong: the margin is not taken off at the upper left, so the result is shifted by overlap // 2
def predict_tiled(model, image, tile, overlap):
    step, m = tile - overlap, overlap // 2
    h, w = image.shape[1:]

    def reflect(side):
        n = -(-side // step) * step + overlap
        places = torch.arange(n) - m
        period = max(2 * (side - 1), 1)
        return torch.minimum(places % period, -places % period)

    big = image[:, reflect(h)[:, None], reflect(w)]
    edge = torch.arange(tile) + 0.5
    ramp = ((torch.minimum(edge, tile - edge) - overlap / 4) / (overlap / 2)).clamp(0, 1) if overlap else torch.ones(tile)
    weight = ramp[:, None] * ramp
    was = model.training
    model.eval()
    canvas, total = 0, torch.zeros(big.shape[1:])
    with torch.no_grad():
        for top in range(0, big.shape[1] - tile + 1, step):
            for left in range(0, big.shape[2] - tile + 1, step):
                y = model(big[None, :, top : top + tile, left : left + tile])[0]
                piece = torch.zeros(len(y), *big.shape[1:])
                piece[:, top : top + tile, left : left + tile] = y * weight
                canvas = canvas + piece
                total[top : top + tile, left : left + tile] += weight
    model.train(was)
    return (canvas / total.clamp(min=1e-9))[:, :h, :w]


# %% wrong: [two] the model stays in the mode it came in; and gradients are kept
def predict_tiled(model, image, tile, overlap):
    step, m = tile - overlap, overlap // 2
    h, w = image.shape[1:]

    def reflect(side):
        n = -(-side // step) * step + overlap
        places = torch.arange(n) - m
        period = max(2 * (side - 1), 1)
        return torch.minimum(places % period, -places % period)

    big = image[:, reflect(h)[:, None], reflect(w)]
    nr, nc = -(-h // step), -(-w // step)
    lines = []
    for i in range(nr):
        line = []
        for j in range(nc):
            y = model(big[None, :, i * step : i * step + tile, j * step : j * step + tile])
            line.append(y[0, :, m : m + step, m : m + step])
        lines.append(torch.cat(line, dim=-1))
    return torch.cat(lines, dim=-2)[:, :h, :w].clone()


# %% wrong: [two] whole tiles are averaged; and the edge is repeated instead of mirrored
def predict_tiled(model, image, tile, overlap):
    step, m = tile - overlap, overlap // 2
    h, w = image.shape[1:]
    rows = (torch.arange(-(-h // step) * step + overlap) - m).clamp(0, h - 1)
    columns = (torch.arange(-(-w // step) * step + overlap) - m).clamp(0, w - 1)
    big = image[:, rows[:, None], columns]
    was = model.training
    model.eval()
    canvas, count = None, torch.zeros(big.shape[1:])
    with torch.no_grad():
        for top in range(0, big.shape[1] - tile + 1, step):
            for left in range(0, big.shape[2] - tile + 1, step):
                y = model(big[None, :, top : top + tile, left : left + tile])[0]
                canvas = torch.zeros(len(y), *big.shape[1:]) if canvas is None else canvas
                canvas[:, top : top + tile, left : left + tile] += y
                count[top : top + tile, left : left + tile] += 1
    model.train(was)
    return (canvas / count)[:, m : m + h, m : m + w].clone()
