# %% right: one bincount over the two-bit code 2 * target + pred
def confusion(pred, target):
    code = 2 * target.flatten().long() + pred.flatten().long()
    tn, fp, fn, tp = torch.bincount(code, minlength=4).tolist()
    return tp, fp, fn, tn

# %% wrong: fp counts all predicted pixels, those that are right too, so it is too large by tp
def confusion(pred, target):
    tp = (pred & target).sum().item()
    fp = pred.sum().item()                   # everything the model said yes to
    fn = (~pred & target).sum().item()
    tn = (~pred & ~target).sum().item()
    return tp, fp, fn, tn

# %% wrong: the second branch asks "p or t", so missed pixels are counted as fp and fn is always 0
def confusion(pred, target):
    tp = fp = fn = tn = 0
    rows, cols = pred.shape
    for r in range(rows):
        for c in range(cols):
            p = bool(pred[r, c])
            t = bool(target[r, c])
            if p and t:
                tp += 1
            elif p or t:
                fp += 1
            elif t:
                fn += 1
            else:
                tn += 1
    return tp, fp, fn, tn

# %% wrong: returns the order of sklearn's confusion_matrix().ravel(), (tn, fp, fn, tp), so tp and tn are swapped
def confusion(pred, target):
    C = torch.zeros(2, 2, dtype=torch.int64)
    for truth in (0, 1):
        for said in (0, 1):
            C[truth, said] = ((target == bool(truth)) & (pred == bool(said))).sum()
    return tuple(C.flatten().tolist())
