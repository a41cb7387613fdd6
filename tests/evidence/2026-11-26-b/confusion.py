# %% right: Kaggle style, via a code from 0 to 3 and bincount
def confusion(pred, target):
    code = 2 * target.long() + pred.long()
    tn, fp, fn, tp = torch.bincount(code.flatten(), minlength=4).tolist()
    return tp, fp, fn, tn

# %% wrong: fp and fn are swapped: the third number must be the pixels in the truth only, and here it counts those in the prediction only.
def confusion(pred, target):
    tp = int((pred & target).sum())
    fp = int((~pred & target).sum())
    fn = int((pred & ~target).sum())
    tn = int((~pred & ~target).sum())
    return tp, fp, fn, tn

# %% wrong: tn counts every pixel that is not in the prediction, the missed object pixels (fn) too, so the four numbers add up to more than all pixels.
def confusion(pred, target):
    tp = torch.logical_and(pred, target).sum().item()
    fp = pred.sum().item() - tp
    fn = target.sum().item() - tp
    tn = torch.logical_not(pred).sum().item()
    return tp, fp, fn, tn
