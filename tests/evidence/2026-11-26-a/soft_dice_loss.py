# %% right: einsum for the overlaps, one line a quantity
def soft_dice_loss(logits, target, smooth=1.0):
    p = logits.sigmoid()
    overlap = torch.einsum("nchw,nchw->n", p, target)
    areas = torch.einsum("nchw->n", p) + torch.einsum("nchw->n", target)
    return (1 - (2 * overlap + smooth) / (areas + smooth)).mean()


# %% wrong: flattens the whole batch into one, so it is the Dice of all pixels together instead of the mean of the images' losses
def soft_dice_loss(logits, target, smooth=1.0):
    inputs = torch.sigmoid(logits)
    # flatten label and prediction tensors
    inputs = inputs.view(-1)
    targets = target.view(-1)
    intersection = (inputs * targets).sum()
    dice = (2. * intersection + smooth) / (inputs.sum() + targets.sum() + smooth)
    return 1 - dice


# %% wrong: softmax over the single channel instead of a sigmoid, so every probability is 1 whatever the logits
def soft_dice_loss(logits, target, smooth=1.0):
    probs = F.softmax(logits, dim=1)
    dims = (1, 2, 3)
    num = 2 * (probs * target).sum(dims) + smooth
    den = probs.sum(dims) + target.sum(dims) + smooth
    return (1 - num / den).mean()
