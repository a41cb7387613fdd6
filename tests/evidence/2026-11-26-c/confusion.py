# %% right: collections.Counter over pairs
def confusion(pred, target):
    from collections import Counter

    seen = Counter(zip(pred.flatten().tolist(), target.flatten().tolist()))
    return tuple(seen[pair] for pair in ((True, True), (True, False), (False, True), (False, False)))


# %% right: a table by a matrix product, read in another order
def confusion(pred, target):
    p = torch.stack([pred.flatten(), ~pred.flatten()]).double()
    t = torch.stack([target.flatten(), ~target.flatten()]).double()
    return tuple((p @ t.T).long().flatten().tolist())


# %% wrong: false positives and false negatives are swapped
def confusion(pred, target):
    tp = torch.logical_and(pred, target).sum().item()
    fp = torch.logical_and(~pred, target).sum().item()
    fn = torch.logical_and(pred, ~target).sum().item()
    tn = torch.logical_and(~pred, ~target).sum().item()
    return (tp, fp, fn, tn)


# %% wrong: the order is tp, tn, fp, fn
def confusion(pred, target):
    tp = tn = fp = fn = 0
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()):
        if p and t:
            tp += 1
        elif not p and not t:
            tn += 1
        elif p:
            fp += 1
        else:
            fn += 1
    return tp, tn, fp, fn


# %% wrong: fp is how much larger the prediction's area is, fn how much smaller, so the two cancel out
def confusion(pred, target):
    n_pred, n_true = pred.sum().item(), target.sum().item()
    tp = (pred & target).sum().item()
    fp = max(0, n_pred - n_true)
    fn = max(0, n_true - n_pred)
    return tp, fp, fn, pred.numel() - tp - fp - fn


# %% wrong: fractions of the pixels instead of counts
def confusion(pred, target):
    pairs = ((pred, target), (pred, ~target), (~pred, target), (~pred, ~target))
    return tuple((a & b).float().mean().item() for a, b in pairs)


# %% wrong: fp and fn are the areas of the masks; the shared pixels are not taken off
def confusion(pred, target):
    tp = int(np.sum(pred.numpy() * target.numpy()))
    fp = int(np.sum(pred.numpy()))
    fn = int(np.sum(target.numpy()))
    tn = int(np.sum(~pred.numpy() * ~target.numpy()))
    return tp, fp, fn, tn


# %% wrong: tn counts every pixel that agrees, so the true positives are in it too
def confusion(pred, target):
    tp = pred[target].sum().item()
    fp = pred[~target].sum().item()
    fn = target[~pred].sum().item()
    tn = (pred == target).sum().item()
    return tp, fp, fn, tn


# %% wrong: ~ of whole numbers gives -1 and -2, so tn is a negative number
def confusion(pred, target):
    p, t = pred.int(), target.int()
    tp = (p & t).sum().item()
    fp = (p & ~t).sum().item()
    fn = (~p & t).sum().item()
    tn = (~p & ~t).sum().item()
    return tp, fp, fn, tn


# %% wrong: one 2×2 table instead of four numbers
def confusion(pred, target):
    table = torch.zeros(2, 2, dtype=torch.long)
    for i, p in enumerate((pred, ~pred)):
        for j, t in enumerate((target, ~target)):
            table[i, j] = (p & t).sum()
    return table


# %% wrong: [two] first tn is all pixels but the true positives, so fp and fn are in it too; second fp and fn are swapped
def confusion(pred, target):
    p, t = pred.bool(), target.bool()
    tp = (p & t).sum().item()
    fp = t.sum().item() - tp
    fn = p.sum().item() - tp
    tn = p.numel() - tp
    return tp, fp, fn, tn


# %% wrong: [two] first the order is tn, fp, fn, tp as in scikit-learn, second the numbers are fractions of all pixels
def confusion(pred, target):
    n = pred.numel()
    code = pred.long() * 2 + target.long()
    tn, fn, fp, tp = (torch.bincount(code.flatten(), minlength=4) / n).tolist()
    return tn, fp, fn, tp
