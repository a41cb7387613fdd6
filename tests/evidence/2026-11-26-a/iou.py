# %% right: areas added, the overlap taken off once, early return for two empty masks
def iou(pred, target):
    overlap = torch.count_nonzero(pred & target).item()
    union = torch.count_nonzero(pred).item() + torch.count_nonzero(target).item() - overlap
    if union == 0:
        return 1.0
    return overlap / union


# %% wrong: an epsilon in the denominator only, so two empty masks score 0.0 instead of 1.0
def iou(pred, target, eps=1e-7):
    intersection = torch.logical_and(pred, target).sum().float()
    union = torch.logical_or(pred, target).sum().float()
    return (intersection / (union + eps)).item()


# %% wrong: [two] first the sum of the two areas is taken for the union (equal masks score 0.5); second two empty masks give NaN, the case is forgotten
def iou(pred, target):
    inter = (pred * target).sum()
    union = pred.sum() + target.sum()
    return inter / union
