# %% right: confusion matrix by bincount, all classes at once
def mean_iou(pred, target, num_classes, ignore_index=255):
    keep = target != ignore_index
    p, t = pred[keep], target[keep]
    matrix = torch.bincount(t * num_classes + p, minlength=num_classes**2).reshape(num_classes, num_classes).double()
    hit = matrix.diagonal()
    union = matrix.sum(0) + matrix.sum(1) - hit
    seen = union > 0
    return (hit[seen] / union[seen]).mean().item() if seen.any() else 1.0


# %% wrong: scores each image of a batch by itself and averages the images, instead of counting each class over all pixels of the batch at once
def mean_iou(pred, target, num_classes, ignore_index=255):
    if pred.dim() == 3:
        values = [mean_iou(p, t, num_classes, ignore_index) for p, t in zip(pred, target)]
        return sum(values) / len(values)
    valid = target != ignore_index
    ious = []
    for c in range(num_classes):
        a = (pred == c) & valid
        b = (target == c) & valid
        union = (a | b).sum().item()
        if union > 0:
            ious.append((a & b).sum().item() / union)
    return sum(ious) / len(ious) if ious else 1.0


# %% wrong: a class that is in neither mask goes into the mean with 1.0 instead of being left out
def mean_iou(pred, target, num_classes, ignore_index=255):
    valid = target != ignore_index
    pred = pred[valid]
    target = target[valid]
    total = 0.0
    for k in range(num_classes):
        inter = ((pred == k) & (target == k)).sum().item()
        union = ((pred == k) | (target == k)).sum().item()
        total += 1.0 if union == 0 else inter / union
    return total / num_classes


# %% wrong: ignored pixels are only taken out of the target; what is predicted there still counts in the union
def mean_iou(pred, target, num_classes, ignore_index=255):
    scores = []
    for cls in range(num_classes):
        p = (pred == cls)
        t = (target == cls) & (target != ignore_index)
        intersection = (p & t).sum().item()
        union = p.sum().item() + t.sum().item() - intersection
        if union == 0:
            continue  # class not there
        scores.append(intersection / union)
    if not scores:
        return 1.0
    return float(torch.tensor(scores).mean())
