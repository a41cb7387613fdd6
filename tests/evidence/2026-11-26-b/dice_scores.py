# %% right: perfectionist, vectorised with one inner function
def dice_scores(preds, targets, reduction):
    if reduction not in ("pooled", "per_image"):
        raise ValueError(f"unknown reduction: {reduction!r}")
    p = preds.reshape(len(preds), -1)
    t = targets.reshape(len(targets), -1)
    overlap = (p & t).sum(dim=1).double()
    areas = (p.sum(dim=1) + t.sum(dim=1)).double()
    if reduction == "pooled":
        overlap, areas = overlap.sum()[None], areas.sum()[None]
    scores = torch.where(areas > 0, 2 * overlap / areas.clamp(min=1), torch.ones_like(areas))
    return scores.mean().item()

# %% wrong: The epsilon stands only below the line, so an image with two empty masks scores 0 instead of 1.0.
def dice_scores(preds, targets, reduction):
    eps = 1e-8
    preds, targets = preds.float(), targets.float()
    if reduction == "pooled":
        inter = (preds * targets).sum()
        return (2 * inter / (preds.sum() + targets.sum() + eps)).item()
    elif reduction == "per_image":
        inter = (preds * targets).sum(dim=(1, 2))
        total = preds.sum(dim=(1, 2)) + targets.sum(dim=(1, 2))
        return (2 * inter / (total + eps)).mean().item()
    else:
        raise ValueError(reduction)

# %% wrong: [two] first any other reduction falls into the else branch and is scored pooled instead of raising a ValueError; second images with two empty masks are left out of the mean by nanmean instead of counting as 1.0
def dice_scores(preds, targets, reduction):
    if reduction == "per_image":
        inter = (preds & targets).sum((1, 2))
        area = preds.sum((1, 2)) + targets.sum((1, 2))
        return torch.nanmean(2 * inter / area).item()
    else:
        area = preds.sum() + targets.sum()
        if area == 0:
            return 1.0
        return (2 * (preds & targets).sum() / area).item()
