# %% right: union as p + t - p*t a pixel, images in a loop
def iou_loss(logits, target, smooth=1.0):
    losses = []
    for z, t in zip(logits, target):
        p = torch.sigmoid(z)
        both = p * t
        either = p + t - both
        losses.append(1 - (both.sum() + smooth) / (either.sum() + smooth))
    return torch.stack(losses).mean()


# %% wrong: the union is the sum of the two areas; the overlap, counted twice in it, is not taken off
def iou_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    intersection = (p * t).sum(1)
    union = p.sum(1) + t.sum(1)
    return 1 - ((intersection + smooth) / (union + smooth)).mean()


# %% wrong: cuts the probabilities at 0.5 to a hard mask, so the loss is not soft and has no gradient
def iou_loss(logits, target, smooth=1.0):
    prediction = (torch.sigmoid(logits) > 0.5).to(target.dtype)
    inter = (prediction * target).sum(dim=(1, 2, 3))
    total = prediction.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    score = (inter + smooth) / (total - inter + smooth)
    loss = (1 - score).mean()
    return loss
