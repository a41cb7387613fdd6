# %% right: running sum over turns and mirrors, undone last step first
def predict_dihedral(model, image):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    total = 0
    with torch.no_grad():
        for mirrored in (False, True):
            start = image.flip(-1) if mirrored else image
            for turns in range(4):
                logits = model(torch.rot90(start, turns, (-2, -1)).unsqueeze(0)).squeeze(0)
                logits = torch.rot90(logits, -turns, (-2, -1))
                total = total + (logits.flip(-1) if mirrored else logits)
    for module, mode in modes:
        module.training = mode
    return total / 8


# %% wrong: turns first and flips second, and undoes them in the same order instead of the reverse one, so the flipped quarter turns come back upside down
def predict_dihedral(model, image):
    training = model.training
    model.eval()
    outputs = []
    with torch.no_grad():
        for k in range(4):
            for flip in [False, True]:
                x = torch.rot90(image, k, dims=[1, 2])
                if flip:
                    x = torch.flip(x, dims=[2])
                y = model(x[None])[0]
                y = torch.rot90(y, -k, dims=[1, 2])
                if flip:
                    y = torch.flip(y, dims=[2])
                outputs.append(y)
    model.train(training)
    return torch.stack(outputs).mean(dim=0)


# %% wrong: stacks all eight views into one batch, which fails for an image that is not square (quarter turns have other sides)
@torch.no_grad()
def predict_dihedral(model, image):
    mode = model.training
    model.eval()
    views = [image.rot90(k, (1, 2)) for k in range(4)]
    views += [v.flip(2) for v in views]
    z = model(torch.stack(views))
    back = [z[k].rot90(-k, (1, 2)) for k in range(4)]
    back += [z[4 + k].flip(2).rot90(-k, (1, 2)) for k in range(4)]
    model.train(mode)
    return sum(back) / len(back)
