# %% right: Python sets of pixel numbers, Jaccard as in a textbook
def iou(pred, target):
    A = set(pred.flatten().nonzero().flatten().tolist())
    B = set(target.flatten().nonzero().flatten().tolist())
    return len(A & B) / len(A | B) if A | B else 1.0

# %% wrong: a smoothing 1 is added on top and below, so every score of masks that are not equal is too high (two separate single pixels score 1/3 instead of 0)
def iou(pred, target):
    SMOOTH = 1.0
    intersection = torch.logical_and(pred, target).sum().item()
    union = torch.logical_or(pred, target).sum().item()
    return (intersection + SMOOTH) / (union + SMOOTH)

# %% wrong: one empty mask is enough for 1.0 ("or" instead of "and"), so an object that is missed altogether scores 1 instead of 0
def iou(pred, target):
    if not pred.any() or not target.any():
        return 1.0
    both = 0
    either = 0
    for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()):
        both += p and t
        either += p or t
    return both / either

# %% wrong: [two] first, the union is the sum of both areas, in which shared pixels count twice, so equal masks score 0.5; second, two empty masks score 0.0
def iou(pred, target):
    inter = (pred & target).sum().item()
    union = pred.sum().item() + target.sum().item()
    if union == 0:
        return 0.0      # nothing there, avoid dividing by zero
    return inter / union
