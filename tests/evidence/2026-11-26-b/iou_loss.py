# %% right: loop over the images, as a beginner writes it
def iou_loss(logits, target, smooth=1.0):
    losses = []
    for i in range(logits.shape[0]):
        p = torch.sigmoid(logits[i])
        t = target[i]
        overlap = (p * t).sum()
        union = p.sum() + t.sum() - overlap
        losses.append(1 - (overlap + smooth) / (union + smooth))
    return torch.stack(losses).mean()

# %% wrong: smooth is added only below the line, so an image without object and without prediction has a loss of about 1 instead of about 0.
def iou_loss(logits, target, smooth=1.0):
    probs = logits.sigmoid().flatten(1)
    truth = target.flatten(1)
    inter = (probs * truth).sum(1)
    union = (probs + truth - probs * truth).sum(1)
    return (1 - inter / (union + smooth)).mean()

# %% wrong: It is computed from the smoothed Dice as D / (2 - D); smoothed that way the overlap and the union get only half of smooth, so the value is not the one asked for.
def iou_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    dims = (1, 2, 3)
    d = (2 * (p * target).sum(dims) + smooth) / (p.sum(dims) + target.sum(dims) + smooth)
    iou = d / (2 - d)              # IoU and Dice say the same thing
    return 1 - iou.mean()
