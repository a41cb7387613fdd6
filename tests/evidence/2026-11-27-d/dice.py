# %% right: masks as vectors, three dot products
def dice(pred, target):
    a = pred.flatten().double()
    b = target.flatten().double()
    below = torch.dot(a, a) + torch.dot(b, b)      # 0/1 vectors: a·a is the area
    if below == 0:
        return 1.0
    return (2 * torch.dot(a, b) / below).item()

# %% wrong: adding two bool masks is a logical or, so the denominator is the union and not the sum of the areas: equal masks score 2.0
def dice(pred, target):
    overlap = (pred & target).sum().item()
    areas = (pred + target).sum().item()
    if areas == 0:
        return 1.0
    return 2 * overlap / areas

# %% wrong: sums along dim 1 only, so it is the mean of the rows' Dice (empty rows count as 1) and not the Dice of the whole mask
def dice(pred, target):
    overlap = (pred & target).sum(dim=1).double()
    areas = (pred.sum(dim=1) + target.sum(dim=1)).double()
    # an empty one scores 1
    score = torch.where(areas == 0, torch.ones_like(areas), 2 * overlap / areas.clamp(min=1))
    return score.mean().item()

# %% wrong: an epsilon stands in the denominator only, so two empty masks score 0.0 instead of 1.0
import numpy as np
def dice(pred, target, eps=1e-12):
    p, t = pred.cpu().numpy(), target.cpu().numpy()
    tp = np.sum(p * t)
    dsc = 2.0 * tp / (np.sum(p) + np.sum(t) + eps)
    return float(dsc)
