# %% right: match statement, pooled as a batch of one
def dice_scores(preds, targets, reduction):
    match reduction:
        case "pooled":
            preds, targets = preds.reshape(1, 1, -1), targets.reshape(1, 1, -1)
        case "per_image":
            pass
        case other:
            raise ValueError(f"unknown reduction {other}")
    return float(np.mean([dice(p, t) for p, t in zip(preds, targets)]))


# %% right: einsum, NaN replaced by one
def dice_scores(preds, targets, reduction):
    out = {"pooled": "", "per_image": "n"}.get(reduction)
    if out is None:
        raise ValueError(reduction)
    p, t = preds.double(), targets.double()
    inter = torch.einsum(f"nhw,nhw->{out}", p, t)
    area = torch.einsum(f"nhw->{out}", p) + torch.einsum(f"nhw->{out}", t)
    return (2 * inter / area).nan_to_num(1.0).mean()


# %% wrong: the two reductions are swapped
def dice_scores(preds, targets, reduction):
    if reduction not in ["pooled", "per_image"]:
        raise ValueError(reduction)
    if reduction == "per_image":
        return dice(preds, targets)
    return sum(dice(p, t) for p, t in zip(preds, targets)) / len(preds)


# %% wrong: an unknown reduction is taken for per_image instead of refused
def dice_scores(preds, targets, reduction):
    if reduction == "pooled":
        return dice(preds.flatten(), targets.flatten())
    return float(np.mean([dice(p, t) for p, t in zip(preds, targets)]))


# %% wrong: per_image takes the median of the images instead of the mean
def dice_scores(preds, targets, reduction):
    if reduction == "pooled":
        return dice(preds, targets)
    if reduction == "per_image":
        return torch.tensor([dice(p, t) for p, t in zip(preds, targets)]).median().item()
    raise ValueError(f"no such reduction: {reduction}")


# %% wrong: per_image returns the scores of all images, not one number
def dice_scores(preds, targets, reduction):
    if reduction == "pooled":
        return dice(preds, targets)
    elif reduction == "per_image":
        return [dice(pred, target) for pred, target in zip(preds, targets)]
    else:
        raise ValueError("reduction must be 'pooled' or 'per_image'")


# %% wrong: an unknown reduction raises a KeyError instead of a ValueError
def dice_scores(preds, targets, reduction):
    axes = {"pooled": (0, 1, 2), "per_image": (1, 2)}[reduction]
    tp = (preds & targets).sum(axes)
    total = preds.sum(axes) + targets.sum(axes)
    return torch.where(total > 0, 2 * tp / total, 1.0).mean().item()


# %% wrong: pooled lays the masks of the batch over each other with any() before counting
def dice_scores(preds, targets, reduction):
    if reduction == "pooled":
        return dice(preds.any(dim=0), targets.any(dim=0))
    if reduction == "per_image":
        return torch.stack([torch.as_tensor(dice(p, t)) for p, t in zip(preds, targets)]).mean().item()
    raise ValueError(reduction)


# %% wrong: per_image weighs each image by the area of its truth
def dice_scores(preds, targets, reduction):
    if reduction == "pooled":
        return dice(preds, targets)
    if reduction != "per_image":
        raise ValueError(f"unknown reduction {reduction!r}")
    weights = targets.flatten(1).sum(1).float()
    scores = torch.tensor([dice(p, t) for p, t in zip(preds, targets)])
    return ((scores * weights).sum() / weights.sum().clamp(min=1)).item()


# %% wrong: two empty masks score 0.0 because of an epsilon in the denominator only
def dice_scores(preds, targets, reduction, eps=1e-8):
    p = preds.flatten(1).double()
    t = targets.flatten(1).double()
    inter = (p * t).sum(1)
    sizes = p.sum(1) + t.sum(1)
    if reduction == "per_image":
        return (2 * inter / (sizes + eps)).mean().item()
    if reduction == "pooled":
        return (2 * inter.sum() / (sizes.sum() + eps)).item()
    raise ValueError(reduction)


# %% wrong: [two] first the loop returns after the first image, second an unknown reduction is refused by an assertion
def dice_scores(preds, targets, reduction):
    assert reduction in ("pooled", "per_image"), reduction
    if reduction == "pooled":
        return dice(preds, targets)
    total = 0.0
    for i in range(len(preds)):
        total += dice(preds[i], targets[i])
        return total / (i + 1)


# %% wrong: [two] first images with an empty truth are left out of the per_image mean, second the overlap is not doubled
def dice_scores(preds, targets, reduction):
    if reduction == "pooled":
        batches = [(preds, targets)]
    elif reduction == "per_image":
        batches = [(p, t) for p, t in zip(preds, targets) if t.any()]
    else:
        raise ValueError(reduction)
    scores = []
    for p, t in batches:
        area = (p.sum() + t.sum()).item()
        scores.append((p & t).sum().item() / area if area else 1.0)
    return sum(scores) / max(1, len(scores))
