# %% right: einsum for the sums, and the empty pairs become 1/1 by adding the flag "empty" on both sides
def dice_scores(preds, targets, reduction):
    if reduction not in ("pooled", "per_image"):
        raise ValueError(f"unknown reduction: {reduction!r}")
    p, t = preds.double(), targets.double()
    top = 2 * torch.einsum("nhw,nhw->n", p, t)
    below = torch.einsum("nhw->n", p) + torch.einsum("nhw->n", t)
    if reduction == "pooled":
        top, below = top.sum(0, keepdim=True), below.sum(0, keepdim=True)
    empty = (below == 0).double()
    return ((top + empty) / (below + empty)).mean().item()

# %% wrong: "per_image" leaves out the images in which both masks are empty instead of letting them score 1.0 in the mean
def dice_scores(preds, targets, reduction):
    if reduction == "pooled":
        total = int(preds.sum() + targets.sum())
        if total == 0:
            return 1.0
        return 2 * int((preds & targets).sum()) / total
    if reduction == "per_image":
        values = []
        for a, b in zip(preds, targets):
            total = int(a.sum() + b.sum())
            if total > 0:
                values.append(2 * int((a & b).sum()) / total)
        if not values:
            return 1.0
        return sum(values) / len(values)
    raise ValueError("reduction must be 'pooled' or 'per_image'")

# %% wrong: everything that is not "pooled" is treated as "per_image", so an unknown reduction raises no ValueError
def dice_scores(preds, targets, reduction):
    def one(a, b):
        s = a.sum().item() + b.sum().item()
        return 1.0 if s == 0 else 2 * (a & b).sum().item() / s

    if reduction == "pooled":
        return one(preds, targets)
    else:
        return sum(one(a, b) for a, b in zip(preds, targets)) / len(preds)

# %% wrong: [two] first, "per_image" sums over dims 0 and 1, so it is the mean over the columns and not over the images; second, an unknown reduction raises a KeyError from the dictionary instead of a ValueError
def dice_scores(preds, targets, reduction):
    dims = {"pooled": (0, 1, 2), "per_image": (0, 1)}[reduction]
    overlap = (preds & targets).sum(dim=dims).double()
    areas = (preds.sum(dim=dims) + targets.sum(dim=dims)).double()
    scores = torch.where(areas > 0, 2 * overlap / areas.clamp(min=1), torch.ones_like(areas))
    return scores.mean().item()
