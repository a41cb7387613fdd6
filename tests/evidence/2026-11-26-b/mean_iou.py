# %% right: pasted "fast_hist" confusion matrix, done properly
def mean_iou(pred, target, num_classes, ignore_index=255):
    valid = target != ignore_index
    p, t = pred[valid], target[valid]
    hist = torch.bincount(num_classes * t + p, minlength=num_classes ** 2)
    hist = hist.reshape(num_classes, num_classes).double()
    inter = hist.diag()
    union = hist.sum(0) + hist.sum(1) - inter
    present = union > 0
    if not present.any():
        return 1.0
    return (inter[present] / union[present]).mean().item()

# %% wrong: A class that is in neither mask counts as 1.0 in the mean instead of being left out.
def mean_iou(pred, target, num_classes, ignore_index=255):
    keep = target != ignore_index
    pred, target = pred[keep], target[keep]
    total = 0.0
    for c in range(num_classes):
        p = pred == c
        t = target == c
        union = (p | t).sum().item()
        if union == 0:
            total += 1.0
        else:
            total += (p & t).sum().item() / union
    return total / num_classes

# %% wrong: Of a batch, the mean IoU is taken image by image and then averaged, instead of counting each class over all pixels of the batch at once.
def mean_iou(pred, target, num_classes, ignore_index=255):
    if pred.dim() == 3:
        scores = [mean_iou(p, t, num_classes, ignore_index) for p, t in zip(pred, target)]
        return sum(scores) / len(scores)
    valid = target != ignore_index
    ious = []
    for cls in range(num_classes):
        p = (pred == cls) & valid
        t = (target == cls) & valid
        union = (p | t).sum()
        if union > 0:
            ious.append(((p & t).sum() / union).item())
    return sum(ious) / len(ious) if ious else 1.0

# %% wrong: [two] first what the prediction says on ignored pixels still counts into the union, because ignored pixels are only absent from the target's classes; second when no class is left the mean of an empty list is NaN instead of 1.0
import numpy as np

def mean_iou(pred, target, num_classes, ignore_index=255):
    ious = []
    for k in range(num_classes):
        if k == ignore_index:
            continue
        p, t = pred == k, target == k
        inter = torch.logical_and(p, t).sum().item()
        union = torch.logical_or(p, t).sum().item()
        if union != 0 and not (target[p | t] == ignore_index).all():
            ious.append(inter / union)
    return float(np.mean(ious))
