# %% right: fuzzy sets, overlap is the minimum and union the maximum (the same as products for targets of 0 and 1)
def iou_loss(logits, target, smooth=1.0):
    member = torch.sigmoid(logits)
    pixels = (1, 2, 3)
    both = torch.minimum(member, target).sum(pixels)
    either = torch.maximum(member, target).sum(pixels)
    iou_each = (both + smooth) / (either + smooth)
    return torch.mean(1 - iou_each)
# %% wrong: the "union" is the sum of the two areas, the overlap is not taken off, so a perfect prediction has a loss of about 0.5
def iou_loss(logits, target, smooth=1.0):
    batch_size = logits.shape[0]
    loss = 0.0
    for i in range(batch_size):
        p = torch.sigmoid(logits[i])
        t = target[i]
        intersection = (p * t).sum()
        union = p.sum() + t.sum()
        loss = loss + 1 - (intersection + smooth) / (union + smooth)
    return loss / batch_size
# %% wrong: gets the IoU from the smoothed Dice by d / (2 - d), which leaves only smooth / 2 above and below
def iou_loss(logits, target, smooth=1.0):
    p = logits.sigmoid()
    overlap = (p * target).sum(dim=(1, 2, 3))
    areas = p.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    d = (2 * overlap + smooth) / (areas + smooth)
    # IoU and Dice say the same thing: J = D / (2 - D)
    j = d / (2 - d)
    return (1 - j).mean()
# %% wrong: smooth stands only below, as a guard against division by zero, so an empty image predicted empty has a loss of 1 instead of 0
def iou_loss(logits, target, smooth=1.0):
    probs = torch.sigmoid(logits).flatten(1)
    masks = target.flatten(1)
    inter = (probs * masks).sum(1)
    union = probs.sum(1) + masks.sum(1) - inter
    score = inter / (union + smooth)
    return 1 - score.mean()
