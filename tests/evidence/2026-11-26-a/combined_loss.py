# %% right: everything written out, PyTorch's cross-entropy
def combined_loss(logits, target, dice_weight=0.5):
    ce = F.binary_cross_entropy_with_logits(logits, target)

    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    dice = (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)

    return torch.lerp(ce, (1 - dice).mean(), dice_weight)


# %% wrong: the weights are swapped: dice_weight multiplies the cross-entropy and the rest the Dice loss (only seen when dice_weight is not 0.5)
def combined_loss(logits, target, dice_weight=0.5):
    probs = logits.sigmoid()
    axes = (1, 2, 3)
    dice = 1 - (2 * (probs * target).sum(axes) + 1.0) / (probs.sum(axes) + target.sum(axes) + 1.0)
    bce = nn_bce(logits, target)
    return dice_weight * bce + (1 - dice_weight) * dice.mean()


def nn_bce(logits, target):
    return torch.nn.BCEWithLogitsLoss()(logits, target)


# %% wrong: hands the probabilities to binary_cross_entropy_with_logits, so the sigmoid is applied twice
def combined_loss(logits, target, dice_weight=0.5):
    pred = torch.sigmoid(logits)
    inter = (pred * target).sum(dim=[1, 2, 3])
    dice_loss = 1 - (2 * inter + 1) / (pred.sum(dim=[1, 2, 3]) + target.sum(dim=[1, 2, 3]) + 1)
    bce_loss = F.binary_cross_entropy_with_logits(pred, target)
    loss = dice_weight * dice_loss.mean() + (1 - dice_weight) * bce_loss
    return loss
