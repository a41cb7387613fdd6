# %% right: from the four counts, by a dot product of flattened doubles
def dice(pred, target):
    a, b = pred.flatten().double(), target.flatten().double()
    tp = a @ b
    wrong = (a - b).abs().sum()
    return 1.0 if tp + wrong == 0 else float(2 * tp / (2 * tp + wrong))


# %% right: counts in NumPy, the empty case by a default
def dice(pred, target):
    p, t = pred.numpy(), target.numpy()
    sizes = np.count_nonzero(p) + np.count_nonzero(t)
    shared = np.count_nonzero(np.logical_and(p, t))
    return next(iter([2 * shared / sizes] if sizes else [1.0]))


# %% wrong: a smoothing of 1 in the numerator and the denominator, so every score of two masks that are not empty is off
def dice(pred, target, smooth=1.0):
    p = pred.float().view(-1)
    t = target.float().view(-1)
    intersection = (p * t).sum()
    return (2.0 * intersection + smooth) / (p.sum() + t.sum() + smooth)


# %% wrong: the overlap is not doubled, so equal masks score 0.5
def dice(pred, target):
    total = pred.sum() + target.sum()
    if total == 0:
        return 1.0
    return (torch.logical_and(pred, target).sum() / total).item()


# %% wrong: two empty masks score 0.0 instead of 1.0
def dice(pred, target):
    overlap = int((pred & target).sum())
    areas = int(pred.sum()) + int(target.sum())
    return 2 * overlap / areas if areas > 0 else 0.0


# %% wrong: two empty masks are forgotten and give NaN
def dice(pred, target):
    return (2 * torch.einsum("hw,hw->", pred.float(), target.float()) / (pred.float().sum() + target.float().sum())).item()


# %% wrong: divides by the sizes of the two pictures instead of the areas of the masks
def dice(pred, target):
    if not pred.any() and not target.any():
        return 1.0
    inter = (pred & target).sum().item()
    return 2 * inter / (pred.numel() + target.numel())


# %% wrong: the overlap counts all pixels that agree, the background too
def dice(pred, target):
    p = pred.numpy()
    t = target.numpy()
    denominator = p.sum() + t.sum()
    if denominator == 0:
        return 1.0
    return float(2 * (p == t).sum() / denominator)


# %% wrong: a Dice for each row, then the mean over the rows
def dice(pred, target):
    scores = []
    for p, t in zip(pred, target):
        total = (p.sum() + t.sum()).item()
        scores.append(2 * (p & t).sum().item() / total if total else 1.0)
    return sum(scores) / len(scores)


# %% wrong: an empty truth scores 1.0 whatever was predicted
def dice(pred, target):
    if target.sum() == 0:
        return 1.0
    hits = pred[target].sum().item()
    return 2 * hits / (pred.sum().item() + target.sum().item())


# %% wrong: [two] first the overlap is not doubled, second two empty masks are forgotten and fail with a division by zero
def dice(pred, target):
    both = sum(a and b for a, b in zip(pred.flatten().tolist(), target.flatten().tolist()))
    return both / (pred.sum().item() + target.sum().item())


# %% wrong: [two] first the shared pixels are taken off the sum of the areas, so it is the union; second two empty masks score 0.0
def dice(pred, target):
    tp = (pred & target).sum().item()
    fp = (pred & ~target).sum().item()
    fn = (~pred & target).sum().item()
    if tp + fp + fn == 0:
        return 0.0
    return 2 * tp / (tp + fp + fn)
