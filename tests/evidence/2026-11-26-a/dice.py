# %% right: defensive: casts, checks the shapes, returns a float
def dice(pred: torch.Tensor, target: torch.Tensor) -> float:
    assert pred.shape == target.shape, (pred.shape, target.shape)
    a = pred.bool().reshape(-1)
    b = target.bool().reshape(-1)
    area = int(a.sum()) + int(b.sum())
    return 1.0 if area == 0 else 2 * int((a & b).sum()) / area


# %% wrong: divides by the union instead of the sum of the two areas, so equal masks score 2.0
def dice(pred, target):
    union = (pred | target).sum().item()
    if union == 0:
        return 1.0
    return 2 * (pred & target).sum().item() / union


# %% wrong: returns 1.0 as soon as one of the masks is empty, instead of only when both are
def dice(pred, target):
    if not pred.any() or not target.any():
        return 1.0
    tp = (pred & target).sum()
    fp = (pred & ~target).sum()
    fn = (~pred & target).sum()
    return (2 * tp / (2 * tp + fp + fn)).item()
