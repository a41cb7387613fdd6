# %% right: perfectionist, sums over all but the first axis
def soft_dice_loss(logits, target, smooth=1.0):
    prob = logits.sigmoid()
    dims = tuple(range(1, logits.dim()))
    overlap = (prob * target).sum(dim=dims)
    areas = prob.sum(dim=dims) + target.sum(dim=dims)
    dice = (2 * overlap + smooth) / (areas + smooth)
    return (1 - dice).mean()

# %% wrong: The whole batch is flattened into one vector, so it is the Dice of all images' pixels together and not the mean of the images' losses.
def soft_dice_loss(logits, target, smooth=1.0):
    # comment out if your model contains a sigmoid or equivalent activation layer
    inputs = torch.sigmoid(logits)
    # flatten label and prediction tensors
    inputs = inputs.reshape(-1)
    targets = target.reshape(-1)
    intersection = (inputs * targets).sum()
    dice = (2. * intersection + smooth) / (inputs.sum() + targets.sum() + smooth)
    return 1 - dice

# %% wrong: A softmax over the single channel makes every probability 1, whatever the logits are; one logit a pixel needs a sigmoid.
def soft_dice_loss(logits, target, smooth=1.0):
    probs = F.softmax(logits, dim=1)
    inter = (probs * target).sum(dim=(1, 2, 3))
    total = probs.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    loss = 1 - (2 * inter + smooth) / (total + smooth)
    return loss.mean()

# %% wrong: Below the line stand the sums of squares, as in the V-Net paper, instead of the sum of the two areas.
def soft_dice_loss(logits, target, smooth=1.0):
    losses = []
    for logit, truth in zip(logits, target):
        p = torch.sigmoid(logit)
        numerator = 2 * torch.sum(p * truth) + smooth
        denominator = torch.sum(p ** 2) + torch.sum(truth ** 2) + smooth
        losses.append(1 - numerator / denominator)
    return torch.stack(losses).mean()
