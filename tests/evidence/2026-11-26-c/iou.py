# %% right: sets of plain (row, column) pairs
def iou(pred, target):
    a = {tuple(rc) for rc in pred.nonzero().tolist()}
    b = {tuple(rc) for rc in target.nonzero().tolist()}
    return len(a & b) / len(a | b) if a or b else 1.0


# %% right: minimum over maximum, a comparison for the empty case
def iou(pred, target):
    p, t = pred.double(), target.double()
    top, bottom = torch.minimum(p, t).sum(), torch.maximum(p, t).sum()
    return torch.nan_to_num(top / bottom, nan=1.0)


# %% wrong: sets of tuples of tensors, which are never equal, so the overlap is always empty
def iou(pred, target):
    a = set(map(tuple, torch.nonzero(pred)))
    b = set(map(tuple, torch.nonzero(target)))
    if not a and not b:
        return 1.0
    return len(a & b) / len(a | b)


# %% wrong: the sets hold row and column numbers as single numbers instead of pairs
def iou(pred, target):
    if not pred.any() and not target.any():
        return 1.0
    where_pred = np.argwhere(pred.numpy())
    where_target = np.argwhere(target.numpy())
    shared = np.intersect1d(where_pred, where_target)
    either = np.union1d(where_pred, where_target)
    return len(shared) / len(either)


# %% wrong: the union counts only the pixels that are in exactly one of the masks, so scores go above 1
def iou(pred, target):
    inter = 0
    union = 0
    for row_p, row_t in zip(pred.tolist(), target.tolist()):
        for p, t in zip(row_p, row_t):
            if p and t:
                inter += 1
            elif p or t:
                union += 1
    if inter + union == 0:
        return 1.0
    return inter / union if union else 1.0


# %% wrong: divides by the area of the truth, which is recall
def iou(pred, target):
    if not (pred | target).any():
        return 1.0
    if not target.any():
        return 0.0
    return pred[target].float().mean().item()


# %% wrong: a smoothing of 1 above and below
def iou(pred, target, smooth=1):
    intersection = (pred & target).sum()
    union = (pred | target).sum()
    return ((intersection + smooth) / (union + smooth)).item()


# %% wrong: the IoU of the bounding boxes around the masks
def iou(pred, target):
    def box(mask):
        rows, cols = torch.where(mask)
        out = torch.zeros_like(mask)
        if len(rows):
            out[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1] = True
        return out

    a, b = box(pred), box(target)
    union = (a | b).sum().item()
    return (a & b).sum().item() / union if union else 1.0


# %% wrong: the mean of the IoU of the object and that of the background
def iou(pred, target):
    values = []
    for k in (False, True):
        p, t = pred == k, target == k
        union = (p | t).sum().item()
        values.append((p & t).sum().item() / union if union else 1.0)
    return np.mean(values).item()


# %% wrong: divides by the smaller of the two areas, so a mask inside the other scores 1
def iou(pred, target):
    areas = [pred.sum().item(), target.sum().item()]
    if max(areas) == 0:
        return 1.0
    if min(areas) == 0:
        return 0.0
    return torch.logical_and(pred, target).sum().item() / min(areas)


# %% wrong: [two] first the intersection counts all pixels that agree, the background too; second two empty masks score 0.0
def iou(pred, target):
    inter = (pred == target).sum().item()
    union = pred.logical_or(target).sum().item()
    return inter / union if union > 0 else 0.0


# %% wrong: [two] first it is one minus the IoU, a distance; second two empty masks give NaN
def iou(pred, target):
    a = pred.float()
    b = target.float()
    i = (a * b).sum()
    return 1 - i / (a.sum() + b.sum() - i)
