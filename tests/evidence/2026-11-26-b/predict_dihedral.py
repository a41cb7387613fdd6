# %% right: two loops, undone in the opposite order
def predict_dihedral(model, image):
    modes = {m: m.training for m in model.modules()}
    model.eval()
    total = 0
    with torch.no_grad():
        for mirror in (False, True):
            for quarter in range(4):
                view = image.flip(-1) if mirror else image
                view = torch.rot90(view, quarter, dims=(-2, -1))
                logits = model(view[None])[0]
                logits = torch.rot90(logits, -quarter, dims=(-2, -1))
                total = total + (logits.flip(-1) if mirror else logits)
    for m, mode in modes.items():
        m.training = mode
    return total / 8

# %% wrong: The steps are undone in the same order in which they were done: it flips first and turns then, both ways; a flipped quarter turn comes back turned by 180 degrees.
def predict_dihedral(model, image):
    was_training = model.training
    model.eval()
    preds = []
    with torch.no_grad():
        for k in range(4):
            for flip in [False, True]:
                aug = image
                if flip:
                    aug = torch.flip(aug, dims=[2])
                aug = torch.rot90(aug, k, dims=[1, 2])
                p = model(aug.unsqueeze(0)).squeeze(0)
                # undo
                if flip:
                    p = torch.flip(p, dims=[2])
                p = torch.rot90(p, -k, dims=[1, 2])
                preds.append(p)
    model.train(was_training)
    return torch.stack(preds).mean(dim=0)

# %% wrong: Of its eight views two are the same, both flips together and the turn by 180 degrees, and one is missing, the flip about the other diagonal; so the mean is not that of the eight.
def predict_dihedral(model, image):
    # Kaggle TTA: (forward, backward)
    tta = [
        (lambda t: t, lambda t: t),
        (lambda t: t.flip(-1), lambda t: t.flip(-1)),
        (lambda t: t.flip(-2), lambda t: t.flip(-2)),
        (lambda t: t.flip(-1, -2), lambda t: t.flip(-1, -2)),
        (lambda t: t.rot90(1, (-2, -1)), lambda t: t.rot90(3, (-2, -1))),
        (lambda t: t.rot90(2, (-2, -1)), lambda t: t.rot90(2, (-2, -1))),
        (lambda t: t.rot90(3, (-2, -1)), lambda t: t.rot90(1, (-2, -1))),
        (lambda t: t.transpose(-2, -1), lambda t: t.transpose(-2, -1)),
    ]
    state = [(m, m.training) for m in model.modules()]
    model.eval()
    with torch.no_grad():
        outs = [undo(model(do(image[None])))[0] for do, undo in tta]
    for m, t in state:
        m.training = t
    return sum(outs) / len(outs)
