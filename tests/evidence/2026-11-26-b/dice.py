# %% right: Keras person, floats and products, with a guard
def dice(y_pred, y_true):
    a = y_pred.double()
    b = y_true.double()
    denom = a.sum() + b.sum()
    return (2 * (a * b).sum() / denom).item() if denom > 0 else 1.0

# %% wrong: Two empty masks give 0/0 = NaN instead of 1.0.
def dice(pred, target):
    overlap = torch.sum(pred * target)
    return (2 * overlap / (torch.sum(pred) + torch.sum(target))).item()

# %% wrong: Adding two bool masks is a logical or, so (pred + target).sum() is the union and not the sum of the areas; the score can exceed 1.
def dice(pred, target):
    areas = (pred + target).sum()
    if areas == 0:
        return 1.0
    return (2 * (pred & target).sum() / areas).item()
