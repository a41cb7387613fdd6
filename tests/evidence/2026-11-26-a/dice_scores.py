# %% right: nested helper and a dictionary of ways
def dice_scores(preds, targets, reduction):
    def one(p, t):
        area = (p.sum() + t.sum()).item()
        return 2.0 * (p & t).sum().item() / area if area else 1.0

    ways = {
        "pooled": lambda: one(preds, targets),
        "per_image": lambda: sum(one(p, t) for p, t in zip(preds, targets)) / len(preds),
    }
    if reduction not in ways:
        raise ValueError(f"reduction must be one of {sorted(ways)}, not {reduction!r}")
    return ways[reduction]()


# %% wrong: images in which both masks are empty are left out of the per_image mean (nanmean) instead of scoring 1.0
def dice_scores(preds, targets, reduction):
    inter = (preds & targets).flatten(1).sum(1).double()
    area = preds.flatten(1).sum(1).double() + targets.flatten(1).sum(1).double()
    if reduction == "per_image":
        return torch.nanmean(2 * inter / area).item()
    elif reduction == "pooled":
        if area.sum() == 0:
            return 1.0
        return (2 * inter.sum() / area.sum()).item()
    raise ValueError(reduction)


# %% wrong: [two] first per_image sums over the axes (0, 1), batch and rows, so it averages over columns instead of images; second an unknown reduction returns a ValueError object instead of raising it
def dice_scores(preds, targets, reduction):
    if reduction == "pooled":
        dims = (0, 1, 2)
    elif reduction == "per_image":
        dims = (0, 1)
    else:
        return ValueError("unknown reduction")
    overlap = (preds & targets).sum(dim=dims).float()
    total = preds.sum(dim=dims) + targets.sum(dim=dims)
    score = torch.where(total > 0, 2 * overlap / total.clamp(min=1), torch.ones_like(overlap))
    return score.mean().item()
