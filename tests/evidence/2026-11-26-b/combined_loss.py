# %% right: self-contained, with PyTorch's own cross-entropy
def combined_loss(logits, target, dice_weight=0.5):
    p = torch.sigmoid(logits)
    overlap = (p * target).sum(dim=(1, 2, 3))
    areas = (p + target).sum(dim=(1, 2, 3))
    dice_part = (1 - (2 * overlap + 1) / (areas + 1)).mean()
    ce_part = F.binary_cross_entropy_with_logits(logits, target)
    return dice_weight * dice_part + (1 - dice_weight) * ce_part

# %% wrong: The cross-entropy is added in full instead of with 1 - dice_weight.
def combined_loss(logits, target, dice_weight=0.5):
    ce = F.binary_cross_entropy_with_logits(logits, target)
    probs = logits.sigmoid().flatten(1)
    truth = target.flatten(1)
    d = (2 * (probs * truth).sum(1) + 1.0) / (probs.sum(1) + truth.sum(1) + 1.0)
    return ce + dice_weight * (1 - d).mean()

# %% wrong: The cross-entropy is taken from probabilities, F.binary_cross_entropy(sigmoid(x)): where the sigmoid is exactly 0 or 1 the loss is cut off at 100 a pixel and its gradient is gone (a logit of -10 000 on an object must cost 10 000).
def combined_loss(logits, target, dice_weight=0.5):
    smooth = 1.0
    pred = torch.sigmoid(logits)
    bce = F.binary_cross_entropy(pred, target)
    intersection = (pred * target).sum(dim=(1, 2, 3))
    union = pred.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    dice_loss = 1 - ((2 * intersection + smooth) / (union + smooth)).mean()
    return bce * (1 - dice_weight) + dice_loss * dice_weight
