# %% right: two batches of four flips, the image and its transpose, so also no shape is mixed when it is not square
def predict_dihedral(model, image):
    flips = [(), (1,), (2,), (1, 2)]

    def flipped(t, dims):
        return torch.flip(t, dims) if dims else t

    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            answers = []
            for swap in (False, True):
                start = image.transpose(1, 2) if swap else image
                logits = model(torch.stack([flipped(start, f) for f in flips]))
                back = torch.stack([flipped(one, f) for one, f in zip(logits, flips)])
                answers.append(back.transpose(2, 3) if swap else back)
    finally:
        for m, mode in modes:
            m.training = mode
    return torch.cat(answers).mean(dim=0)
# %% wrong: turned and then flipped, but turned back first and flipped second; for quarter turns with a flip the answer comes back upside down
def predict_dihedral(model, image):
    saved = {m: m.training for m in model.modules()}
    model.eval()
    total = 0
    with torch.no_grad():
        for k in range(4):
            for flip in (False, True):
                view = torch.rot90(image, k, (1, 2))
                if flip:
                    view = view.flip(2)
                out = model(view[None])[0]
                # undo
                out = torch.rot90(out, -k, (1, 2))
                if flip:
                    out = out.flip(2)
                total = total + out
    for m, t in saved.items():
        m.training = t
    return total / 8
# %% wrong: combines two flips with a half turn (to keep the shape), which are only four different ways up, each of them twice; the quarter turns are missing
def predict_dihedral(model, image):
    import itertools

    before = [m.training for m in model.modules()]
    model.eval()
    outputs = []
    x = image.unsqueeze(0)
    with torch.no_grad():
        # 2 * 2 * 2 = 8
        for lr, ud, turn in itertools.product([0, 1], repeat=3):
            v = x
            if lr:
                v = torch.flip(v, [3])
            if ud:
                v = torch.flip(v, [2])
            v = torch.rot90(v, 2 * turn, [2, 3])
            y = model(v)
            y = torch.rot90(y, -2 * turn, [2, 3])
            if ud:
                y = torch.flip(y, [2])
            if lr:
                y = torch.flip(y, [3])
            outputs.append(y[0])
    for m, b in zip(model.modules(), before):
        m.training = b
    return torch.stack(outputs).mean(0)
# %% wrong: [two] first, turns the answers on by k instead of back by -k, so for k = 1 and 3 they are added upside down; second, gradients are on, the result carries a graph (requires_grad)
def predict_dihedral(model, image):
    state = [(m, m.training) for m in model.modules()]
    model.eval()
    preds = []
    for mirrored in [False, True]:
        img = torch.flip(image, dims=(2,)) if mirrored else image
        for k in [0, 1, 2, 3]:
            p = model(torch.rot90(img, k, dims=(1, 2)).unsqueeze(0)).squeeze(0)
            p = torch.rot90(p, k, dims=(1, 2))
            if mirrored:
                p = torch.flip(p, dims=(2,))
            preds.append(p)
    for m, mode in state:
        m.training = mode
    return sum(preds) / len(preds)
