# %% right: inclusion and exclusion per image with einsum over flattened pixels
def iou_loss(logits, target, smooth=1.0):
    p, t = (x.reshape(x.shape[0], -1) for x in (logits.sigmoid(), target))
    a, b, both = p.sum(-1), torch.einsum("np->n", t), torch.einsum("np,np->n", p, t)
    return (1.0 - (both + smooth) / (a + b - both + smooth)).mean(0)


# %% right: the probability on the wrong side over the union, image by image
def iou_loss(logits, target, smooth=1.0):
    scores = []
    for z, t in zip(logits.split(1), target.split(1)):
        p = torch.sigmoid(z)
        wrong = torch.where(t > 0.5, 1 - p, p).sum()
        union = t.sum() + (p * (1 - t)).sum()
        scores.append(wrong / (union + smooth))
    return torch.stack(scores).mean()


# %% wrong: the overlap is not subtracted from the sum of the areas, so shared pixels count twice below
def iou_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    inter = (p * target).sum(dim=(1, 2, 3))
    union = p.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    return (1 - (inter + smooth) / (union + smooth)).mean()


# %% wrong: all images of the batch in one sum
def iou_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits).flatten()
    t = target.flatten()
    inter = torch.dot(p, t)
    return 1 - (inter + smooth) / (p.sum() + t.sum() - inter + smooth)


# %% wrong: Boolean masks from a threshold, counted with & and |, so nothing has a gradient
def iou_loss(logits, target, smooth=1.0):
    pred = logits > 0
    truth = target.bool()
    inter = (pred & truth).sum(dim=(1, 2, 3)).float()
    union = (pred | truth).sum(dim=(1, 2, 3)).float()
    return (1 - (inter + smooth) / (union + smooth)).mean()


# %% wrong: converts the soft Dice loss by iou = dice / (2 - dice), which is another number because of smooth
def iou_loss(logits, target, smooth=1.0):
    losses = []
    for i in range(len(logits)):
        dice_score = 1 - soft_dice_loss(logits[i : i + 1], target[i : i + 1], smooth)
        losses.append(1 - dice_score / (2 - dice_score))
    return torch.stack(losses).mean()


# %% wrong: minus the logarithm of the IoU instead of one minus it
def iou_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    inter = (p * t).sum(1)
    union = (p + t - p * t).sum(1)
    return -torch.log((inter + smooth) / (union + smooth)).mean()


# %% wrong: mean of the images is missing, a loss for each image comes out
def iou_loss(logits, target, smooth=1.0):
    probs = logits.sigmoid()
    both = torch.sum(probs * target, (1, 2, 3))
    union = torch.sum(probs + target - probs * target, (1, 2, 3))
    return 1 - (both + smooth) / (union + smooth)


# %% wrong: means over the pixels in place of sums, so smooth weighs H·W times as much
def iou_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    overlap = (p * target).mean(dim=(1, 2, 3))
    union = p.mean(dim=(1, 2, 3)) + target.mean(dim=(1, 2, 3)) - overlap
    return torch.mean(1 - (overlap + smooth) / (union + smooth))


# %% wrong: the union is the larger of the two areas
def iou_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    area_p = p.sum(dim=(1, 2, 3))
    area_t = target.sum(dim=(1, 2, 3))
    inter = (p * target).sum(dim=(1, 2, 3))
    return (1 - (inter + smooth) / (torch.maximum(area_p, area_t) + smooth)).mean()


# %% wrong: [two] smooth only in the numerator, and no sigmoid
def iou_loss(logits, target, smooth=1.0):
    inter = (logits * target).sum(dim=(1, 2, 3))
    union = (logits + target).sum(dim=(1, 2, 3)) - inter
    return (1 - (inter + smooth) / union).mean()


# %% wrong: [two] the score is returned instead of the loss, and the sums run over rows and columns of the whole batch
def iou_loss(logits, target, smooth=1.0):
    p = logits.sigmoid()
    overlap = (p * target).sum()
    union = p.sum() + target.sum() - overlap
    return (overlap + smooth) / (union + smooth)
