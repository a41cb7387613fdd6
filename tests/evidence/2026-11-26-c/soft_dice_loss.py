# %% right: a batch of row vectors, the overlap as a batched matrix product
def soft_dice_loss(logits, target, smooth=1.0):
    n = logits.shape[0]
    p = torch.sigmoid(logits).view(n, 1, -1)
    t = target.reshape(n, -1, 1)
    overlap = torch.bmm(p, t).squeeze()
    area = p.sum(-1).squeeze() + t.sum(1).squeeze()
    dice = (2.0 * overlap + smooth) / (area + smooth)
    return torch.mean(1.0 - dice)


# %% right: image by image with vmap-like list comprehension, as true and false positives
def soft_dice_loss(logits, target, smooth=1.0):
    def one(z, t):
        p = 1 / (1 + torch.exp(-z))
        tp, fp, fn = (p * t).sum(), (p * (1 - t)).sum(), ((1 - p) * t).sum()
        return (fp + fn) / (2 * tp + fp + fn + smooth)

    return sum(one(z, t) for z, t in zip(logits, target, strict=True)) / len(logits)


# %% wrong: overlap and areas are summed over the whole batch, not for each image
def soft_dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits).view(-1)
    t = target.view(-1)
    intersection = (p * t).sum()
    return 1 - (2 * intersection + smooth) / (p.sum() + t.sum() + smooth)


# %% wrong: the probabilities are thresholded first, so the loss has no gradient
def soft_dice_loss(logits, target, smooth=1.0):
    mask = (torch.sigmoid(logits) > 0.5).float()
    inter = torch.einsum("nchw,nchw->n", mask, target)
    union = mask.flatten(1).sum(1) + target.flatten(1).sum(1)
    return (1 - (2 * inter + smooth) / (union + smooth)).mean()


# %% wrong: smooth is added in the denominator only, so an image without objects has a loss near 1
def soft_dice_loss(logits, target, smooth=1.0):
    probs = logits.sigmoid()
    dims = (1, 2, 3)
    num = 2 * torch.sum(probs * target, dim=dims)
    den = torch.sum(probs, dim=dims) + torch.sum(target, dim=dims) + smooth
    return torch.mean(1 - num / den)


# %% wrong: squared probabilities in the denominator, as in V-Net, instead of the plain areas
def soft_dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    losses = []
    for i in range(p.size(0)):
        top = 2 * torch.sum(p[i] * target[i]) + smooth
        bottom = torch.sum(p[i] ** 2) + torch.sum(target[i] ** 2) + smooth
        losses.append(1 - top / bottom)
    return torch.stack(losses).mean()


# %% wrong: the sums run over height only, so there is a Dice for each column
def soft_dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    overlap = (p * target).sum(axis=2)
    total = p.sum(axis=2) + target.sum(axis=2)
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


# %% wrong: returns the Dice coefficient itself, not one minus it, so training would make it small
def soft_dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits).flatten(start_dim=1)
    t = target.flatten(start_dim=1)
    return ((2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean()


# %% wrong: the argument smooth is never used, a fixed 1e-6 stands in its place
def soft_dice_loss(logits, target, smooth=1.0):
    eps = 1e-6
    p = torch.sigmoid(logits)
    inter = (p * target).sum((1, 2, 3))
    return 1 - torch.mean((2 * inter + eps) / (p.sum((1, 2, 3)) + target.sum((1, 2, 3)) + eps))


# %% wrong: Dice of the background is averaged in, as if there were two classes
def soft_dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    probs = torch.cat([1 - p, p], dim=1)
    truth = torch.cat([1 - target, target], dim=1)
    overlap = (probs * truth).sum(dim=(2, 3))
    total = (probs + truth).sum(dim=(2, 3))
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


# %% wrong: [two] no sigmoid, and the 2 in front of the overlap is missing
def soft_dice_loss(logits, target, smooth=1.0):
    inter = (logits * target).sum(dim=(1, 2, 3))
    area = logits.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    return (1 - (inter + smooth) / (area + smooth)).mean()


# %% wrong: [two] smooth is added in the numerator inside the bracket that is doubled, and the losses are summed over the images
def soft_dice_loss(logits, target, smooth=1.0):
    total = 0.0
    for z, t in zip(logits, target):
        p = z.sigmoid()
        total = total + 1 - 2 * ((p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)
    return total
