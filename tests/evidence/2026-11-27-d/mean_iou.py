# %% right: confusion matrix as a product of two one-hot matrices
def mean_iou(pred, target, num_classes, ignore_index=255):
    known = target != ignore_index
    I = torch.eye(num_classes, dtype=torch.float64)
    M = I[target[known]].T @ I[pred[known]]           # M[truth, said]
    tp = M.diagonal()
    union = M.sum(0) + M.sum(1) - tp
    seen = union > 0
    if not seen.any():
        return 1.0
    return (tp[seen] / union[seen]).mean().item()

# %% wrong: a class that is not in the target is left out even if it was predicted, though it is in one of the masks and should count with IoU 0
def mean_iou(pred, target, num_classes, ignore_index=255):
    valid = target != ignore_index
    scores = []
    for k in range(num_classes):
        p = (pred == k) & valid
        t = (target == k) & valid
        if not t.any():
            continue            # this class does not occur
        scores.append((p & t).sum().item() / (p | t).sum().item())
    if len(scores) == 0:
        return 1.0
    return sum(scores) / len(scores)

# %% wrong: for a batch it takes the mean of the images' mean IoUs instead of counting each class over all pixels at once
def mean_iou(pred, target, num_classes, ignore_index=255):
    if pred.dim() == 3:
        per_image = [mean_iou(p, t, num_classes, ignore_index) for p, t in zip(pred, target)]
        return sum(per_image) / len(per_image)

    keep = target != ignore_index
    pred, target = pred[keep], target[keep]
    total, n = 0.0, 0
    for c in range(num_classes):
        inter = ((pred == c) & (target == c)).sum().item()
        union = ((pred == c) | (target == c)).sum().item()
        if union:
            total += inter / union
            n += 1
    return total / n if n else 1.0

# %% wrong: the loop begins at class 1, so class 0, the background, takes no part in the mean
import numpy as np
def mean_iou(pred, target, num_classes, ignore_index=255):
    y_pred = pred.cpu().numpy().ravel()
    y_true = target.cpu().numpy().ravel()
    ok = y_true != ignore_index
    y_pred, y_true = y_pred[ok], y_true[ok]

    ious = []
    for cls in range(1, num_classes):
        I = np.logical_and(y_pred == cls, y_true == cls).sum()
        U = np.logical_or(y_pred == cls, y_true == cls).sum()
        if U > 0:
            ious.append(I / U)
    return float(np.mean(ious)) if ious else 1.0
