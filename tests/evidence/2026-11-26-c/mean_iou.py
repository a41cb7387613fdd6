# %% right: one-hot vectors and matrix products
def mean_iou(pred, target, num_classes, ignore_index=255):
    keep = (target != ignore_index).flatten()
    classes = torch.arange(num_classes)[:, None]
    p = (pred.flatten()[keep] == classes).double()
    t = (target.flatten()[keep] == classes).double()
    inter = torch.einsum("kn,kn->k", p, t)
    union = torch.maximum(p, t).sum(1)
    values = (inter / union)[union != 0]
    return values.mean().item() if len(values) else 1.0


# %% right: uses the earlier iou on the known pixels, NaN marks an absent class
def mean_iou(pred, target, num_classes, ignore_index=255):
    known = np.where(target.numpy().ravel() != ignore_index)[0]
    p, t = pred.flatten()[known], target.flatten()[known]
    found = [float(iou(p == k, t == k)) if ((p == k) | (t == k)).any() else float("nan") for k in range(num_classes)]
    return 1.0 if all(np.isnan(found)) else float(np.nanmean(found))


# %% wrong: class 0, the background, is left out
def mean_iou(pred, target, num_classes, ignore_index=255):
    keep = target != ignore_index
    ious = []
    for c in range(1, num_classes):
        p = pred[keep] == c
        t = target[keep] == c
        union = (p | t).sum()
        if union == 0:
            continue
        ious.append(((p & t).sum() / union).item())
    return np.mean(ious).item() if ious else 1.0


# %% wrong: 255 stands in the code, so another ignore_index is not ignored
def mean_iou(pred, target, num_classes, ignore_index=255):
    valid = target < 255
    hist = torch.bincount(num_classes * target[valid].clamp(0, num_classes - 1) + pred[valid], minlength=num_classes**2)
    hist = hist.view(num_classes, num_classes).float()
    inter = torch.diag(hist)
    union = hist.sum(0) + hist.sum(1) - inter
    present = union > 0
    if not present.any():
        return 1.0
    return (inter[present] / union[present]).mean().item()


# %% wrong: pixels to be ignored become class 0 in the target instead of being left out
def mean_iou(pred, target, num_classes, ignore_index=255):
    target = torch.where(target == ignore_index, 0, target)
    scores = [iou(pred == k, target == k) for k in range(num_classes) if ((pred == k) | (target == k)).any()]
    return sum(scores) / len(scores) if scores else 1.0


# %% wrong: only the classes of the target are counted; one that is only predicted is left out
def mean_iou(pred, target, num_classes, ignore_index=255):
    mask = target != ignore_index
    p, t = pred[mask], target[mask]
    total, n = 0.0, 0
    for k in torch.unique(t).tolist():
        a, b = p == k, t == k
        total += ((a & b).sum() / (a | b).sum()).item()
        n += 1
    return total / n if n else 1.0


# %% wrong: the sum of all intersections over the sum of all unions, so frequent classes weigh more
def mean_iou(pred, target, num_classes, ignore_index=255):
    valid = target != ignore_index
    inter = union = 0
    for k in range(num_classes):
        a, b = (pred == k) & valid, (target == k) & valid
        inter += (a & b).sum().item()
        union += (a | b).sum().item()
    return inter / union if union else 1.0


# %% wrong: the mean of the classes' recalls: divides by the pixels of the class in the target only
def mean_iou(pred, target, num_classes, ignore_index=255):
    keep = (target != ignore_index) & (target >= 0)
    cm = torch.zeros(num_classes, num_classes)
    for t, p in zip(target[keep].tolist(), pred[keep].tolist()):
        cm[t, p] += 1
    rows = cm.sum(1)
    seen = (rows + cm.sum(0)) > 0
    if not seen.any():
        return 1.0
    return (cm.diag()[seen] / rows[seen].clamp(min=1)).mean().item()


# %% wrong: an absent class counts with 0, because the sum is divided by num_classes
def mean_iou(pred, target, num_classes, ignore_index=255):
    valid = target != ignore_index
    if not valid.any():
        return 1.0
    eps = 1e-9
    p = F.one_hot(pred[valid], num_classes).double()
    t = F.one_hot(target[valid], num_classes).double()
    inter = (p * t).sum(0)
    union = p.sum(0) + t.sum(0) - inter
    return (inter / (union + eps)).mean().item()


# %% wrong: writes into the prediction it was given
def mean_iou(pred, target, num_classes, ignore_index=255):
    pred[target == ignore_index] = ignore_index
    scores = []
    for k in range(num_classes):
        if k == ignore_index:
            continue
        p, t = pred == k, target == k
        union = (p | t).sum().item()
        if union:
            scores.append((p & t).sum().item() / union)
    return sum(scores) / len(scores) if scores else 1.0


# %% wrong: [two] first the pixels to be ignored are not left out at all, second 0.0 instead of 1.0 when no class is left
def mean_iou(pred, target, num_classes, ignore_index=255):
    ious = []
    for k in range(num_classes):
        if k == ignore_index:
            continue
        union = torch.logical_or(pred == k, target == k).sum().item()
        if union > 0:
            ious.append(torch.logical_and(pred == k, target == k).sum().item() / union)
    return sum(ious) / len(ious) if len(ious) else 0.0


# %% wrong: [two] first the last class is left out, second the mean of no classes is NaN
def mean_iou(pred, target, num_classes, ignore_index=255):
    keep = target != ignore_index
    values = torch.full((num_classes,), float("nan"))
    for k in range(num_classes - 1):
        a, b = (pred == k)[keep], (target == k)[keep]
        union = (a | b).sum()
        if union > 0:
            values[k] = (a & b).sum() / union
    return values.nanmean().item()
