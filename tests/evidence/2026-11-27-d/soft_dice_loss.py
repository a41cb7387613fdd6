# %% right: einsum over everything but the image index
def soft_dice_loss(logits, target, smooth=1.0):
    p = logits.sigmoid()
    overlap = torch.einsum("nchw,nchw->n", p, target)
    areas = torch.einsum("nchw->n", p) + torch.einsum("nchw->n", target)
    return (1 - (2 * overlap + smooth) / (areas + smooth)).mean()
# %% wrong: squares the probabilities in the denominator, as V-Net does, instead of the sum of the two areas; differs wherever a probability is not 0 or 1
def soft_dice_loss(logits, target, smooth=1.0):
    prob = torch.sigmoid(logits).flatten(start_dim=1)
    truth = target.flatten(start_dim=1)
    numerator = 2.0 * (prob * truth).sum(dim=1) + smooth
    denominator = (prob ** 2).sum(dim=1) + (truth ** 2).sum(dim=1) + smooth
    dice_per_image = numerator / denominator
    return 1.0 - dice_per_image.mean()
# %% wrong: takes means instead of sums over the pixels (as if the number of pixels cancelled), so smooth weighs H*W times too much
def soft_dice_loss(logits, target, smooth=1.0):
    losses = []
    for logit, truth in zip(logits, target):
        prob = torch.sigmoid(logit)
        inter = torch.mean(prob * truth)
        total = torch.mean(prob) + torch.mean(truth)
        losses.append(1 - (2 * inter + smooth) / (total + smooth))
    return torch.stack(losses).mean()
# %% wrong: [two] first, overlap and areas are summed over the whole batch, one Dice for all images together; second, smooth is inside the bracket of the 2 and counts twice above, so a perfect match of empty masks has a loss of -1
def soft_dice_loss(logits, target, smooth=1.0):
    y_pred = torch.sigmoid(logits).reshape(-1)
    y_true = target.reshape(-1)
    intersection = (y_pred * y_true).sum()
    dice_coef = 2. * (intersection + smooth) / (y_pred.sum() + y_true.sum() + smooth)
    return 1 - dice_coef
