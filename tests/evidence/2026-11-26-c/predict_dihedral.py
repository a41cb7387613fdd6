# %% right: one batch of the four ways up of each shape, undone by the inverse index permutation
def predict_dihedral(model, image):
    c, h, w = image.shape
    places = torch.arange(h * w).reshape(h, w)
    ways = [torch.rot90(p, k) for p in (places, places.flip(0)) for k in range(4)]
    pixels = image.reshape(c, -1)
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            total = 0
            for shape in {way.shape for way in ways}:
                alike = [way for way in ways if way.shape == shape]
                out = model(torch.stack([pixels[:, way] for way in alike]))
                for way, logits in zip(alike, out):
                    back = torch.empty(out.shape[1], h * w)
                    back[:, way.flatten()] = logits.flatten(1)
                    total = total + back
    finally:
        model.train(training)
    return (total / 8).reshape(-1, h, w)


# %% right: numpy views for the ways up, decorator for inference
@torch.inference_mode()
def predict_dihedral(model, image):
    was = {m: m.training for m in model.modules()}
    model.eval()
    array = image.detach().numpy()
    answers = []
    for mirrored in (False, True):
        for turns in range(4):
            seen = array[..., ::-1] if mirrored else array
            seen = np.rot90(seen, turns, axes=(-2, -1)).copy()
            logits = model(torch.from_numpy(seen)[None])[0].numpy()
            logits = np.rot90(logits, -turns, axes=(-2, -1))
            answers.append(logits[..., ::-1] if mirrored else logits)
    for m, mode in was.items():
        m.training = mode
    return torch.from_numpy(np.mean(np.stack(answers), axis=0).copy()).clone()


# %% wrong: only the four quarter turns, no flips
def predict_dihedral(model, image):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        logits = [
            torch.rot90(model(torch.rot90(image, k, dims=(1, 2))[None])[0], -k, dims=(1, 2)) for k in range(4)
        ]
    model.train(was_training)
    return torch.stack(logits).mean(dim=0)


# %% wrong: the flip is undone before the turn, although it was done first
def predict_dihedral(model, image):
    mode = model.training
    model.eval()
    total = 0.0
    with torch.no_grad():
        for k in range(4):
            for flip in (False, True):
                x = image.flip(-1) if flip else image
                x = x.rot90(k, (-2, -1))
                y = model(x.unsqueeze(0)).squeeze(0)
                if flip:
                    y = y.flip(-1)
                total = total + y.rot90(-k, (-2, -1))
    model.train(mode)
    return total / 8


# %% wrong: turned by k once more instead of back by -k
def predict_dihedral(model, image):
    training = model.training
    model.eval()
    acc = []
    with torch.no_grad():
        for flip in [0, 1]:
            for k in range(4):
                t = torch.flip(image, [2]) if flip else image
                t = torch.rot90(t, k, [1, 2])
                out = model(t[None])[0]
                out = torch.rot90(out, k, [1, 2])
                out = torch.flip(out, [2]) if flip else out
                acc.append(out)
    model.train(training)
    if acc[0].shape != acc[1].shape:
        acc = [a if a.shape == acc[0].shape else a.transpose(1, 2) for a in acc]
    return sum(acc) / len(acc)


# %% wrong: the mean of softmax probabilities instead of logits
def predict_dihedral(model, image):
    mode = model.training
    model.eval()
    out = []
    with torch.no_grad():
        for k in range(4):
            rotated = torch.rot90(image, k, (1, 2))
            for f in (lambda z: z, lambda z: z.flip(2)):
                p = model(f(rotated)[None]).softmax(dim=1)[0]
                out.append(torch.rot90(f(p), -k, (1, 2)))
    model.train(mode)
    return torch.stack(out).mean(0)


# %% wrong: flips in both axes times two quarter turns, so the eight have four different ones twice and no odd turn
def predict_dihedral(model, image):
    was = model.training
    model.eval()
    results = []
    with torch.no_grad():
        for axes in ((), (1,), (2,), (1, 2)):
            for k in (0, 2):
                y = model(image.flip(axes).rot90(k, (1, 2))[None])[0]
                results.append(y.rot90(-k, (1, 2)).flip(axes))
    model.train(was)
    return torch.mean(torch.stack(results), dim=0)


# %% wrong: the model is left in evaluation mode
def predict_dihedral(model, image):
    model.eval()
    y = torch.zeros(1)
    with torch.no_grad():
        for k in range(4):
            for flip in (False, True):
                view = image.rot90(k, (1, 2))
                view = view.flip(2) if flip else view
                logits = model(view[None])[0]
                logits = logits.flip(2) if flip else logits
                y = y + logits.rot90(-k, (1, 2)) / 8
    return y


# %% wrong: the model always gets training mode back, also when it came in evaluation mode
def predict_dihedral(model, image):
    model.eval()
    views, undo = [], []
    for k in range(4):
        views.append(torch.rot90(image, k, (-2, -1)))
        undo.append(lambda z, k=k: torch.rot90(z, -k, (-2, -1)))
        views.append(torch.rot90(image, k, (-2, -1)).flip(-1))
        undo.append(lambda z, k=k: torch.rot90(z.flip(-1), -k, (-2, -1)))
    with torch.no_grad():
        logits = [u(model(v[None])[0]) for u, v in zip(undo, views)]
    model.train()
    return torch.stack(logits).mean(dim=0)


# %% wrong: all eight views in one batch, which only works where the image is square
def predict_dihedral(model, image):
    mode = model.training
    model.eval()
    views = []
    for k in range(4):
        r = torch.rot90(image, k, (1, 2))
        views += [r, r.flip(2)]
    with torch.no_grad():
        out = model(torch.stack(views))
    model.train(mode)
    back = []
    for k in range(4):
        back.append(torch.rot90(out[2 * k], -k, (1, 2)))
        back.append(torch.rot90(out[2 * k + 1].flip(2), -k, (1, 2)))
    return torch.stack(back).mean(0)


# %% wrong: [two] the model runs in the mode it came in; and the result is the maximum of the eight instead of the mean
def predict_dihedral(model, image):
    best = None
    with torch.no_grad():
        for k in range(4):
            for flip in (False, True):
                x = image.rot90(k, (1, 2))
                x = x.flip(1) if flip else x
                y = model(x[None])[0]
                y = y.flip(1) if flip else y
                y = y.rot90(-k, (1, 2))
                best = y if best is None else torch.maximum(best, y)
    return best


# %% wrong: [two] the answers are not turned back at all, only the image is made square first; and the batch axis stays
def predict_dihedral(model, image):
    was = model.training
    model.eval()
    total = 0
    with torch.no_grad():
        for flip in (False, True):
            for k in range(4):
                x = image[None].flip(3) if flip else image[None]
                y = model(x.rot90(k, (2, 3)))
                if y.shape[2:] != image.shape[1:]:
                    y = y.transpose(2, 3)
                total = total + y
    model.train(was)
    return total / 8
