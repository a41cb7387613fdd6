# %% right: first-year student, step by step
def iou(pred, target):
    intersection = (pred & target).sum().item()
    union = (pred | target).sum().item()
    if union == 0:
        return 1.0
    return intersection / union

# %% wrong: A smoothing of 1 is added above and below, so every score that is not 1 comes out too large (two masks of one pixel each that do not meet score 1/3 instead of 0).
def iou(pred, target, smooth=1.0):
    pred = pred.float().view(-1) if pred.is_contiguous() else pred.float().reshape(-1)
    target = target.float().reshape(-1)
    intersection = (pred * target).sum()
    union = pred.sum() + target.sum() - intersection
    return ((intersection + smooth) / (union + smooth)).item()

# %% wrong: The pixels in both masks are counted twice below: the intersection is not subtracted from the sum of the areas, so two equal masks score 0.5.
def iou(pred, target):
    p, t = pred.int(), target.int()
    total = (p + t).sum()
    if total == 0:
        return 1.0
    return float((p * t).sum() / total)
