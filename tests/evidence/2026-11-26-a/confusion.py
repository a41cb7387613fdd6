# %% right: one code number a pixel and a bincount
def confusion(pred, target):
    code = 2 * pred.long() + target.long()
    tn, fn, fp, tp = torch.bincount(code.flatten(), minlength=4).tolist()
    return tp, fp, fn, tn


# %% wrong: returns the four counts in scikit-learn's order (tn, fp, fn, tp) instead of (tp, fp, fn, tn)
def confusion(pred, target):
    tp = int((pred & target).sum())
    fp = int((pred & ~target).sum())
    fn = int((~pred & target).sum())
    tn = int((~pred & ~target).sum())
    return tn, fp, fn, tp


# %% wrong: takes fp and fn from the difference of the areas, so false positives and false negatives cancel out
def confusion(pred: torch.Tensor, target: torch.Tensor) -> tuple[int, int, int, int]:
    p = pred.int()
    t = target.int()
    tp = (p * t).sum().item()
    fp = (p - t).sum().clamp(min=0).item()
    fn = (t - p).sum().clamp(min=0).item()
    tn = p.numel() - tp - fp - fn
    return tp, fp, fn, tn
