# %% right: everything by hand, image by image, the pixels counted along the way
def combined_loss(logits, target, dice_weight=0.5):
    dice_losses, pixels = [], []
    for z, t in zip(logits, target, strict=True):
        p = z.sigmoid()
        dice_losses.append(1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1))
        pixels.append(F.softplus(torch.where(t > 0, -z, z)).flatten())
    return dice_weight * torch.stack(dice_losses).mean() + (1 - dice_weight) * torch.cat(pixels).mean()


# %% right: torch.lerp between the two losses
def combined_loss(logits, target, dice_weight=0.5):
    cross_entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean((1, 2, 3)).mean()
    return torch.lerp(cross_entropy, soft_dice_loss(logits, target), dice_weight)


# %% wrong: the two weights are swapped
def combined_loss(logits, target, dice_weight=0.5):
    dice_part = soft_dice_loss(logits, target)
    bce_part = bce_with_logits(logits, target)
    return (1 - dice_weight) * dice_part + dice_weight * bce_part


# %% wrong: the cross-entropy is added with weight 1, whatever dice_weight is
def combined_loss(logits, target, dice_weight=0.5):
    return bce_with_logits(logits, target) + dice_weight * soft_dice_loss(logits, target)


# %% wrong: dice_weight is not used, the plain mean of both
def combined_loss(logits, target, dice_weight=0.5):
    parts = torch.stack([soft_dice_loss(logits, target), bce_with_logits(logits, target)])
    return parts.mean()


# %% wrong: probabilities are handed to soft_dice_loss, which takes logits, so the sigmoid is applied twice there
def combined_loss(logits, target, dice_weight=0.5):
    p = torch.sigmoid(logits)
    d = soft_dice_loss(p, target)
    b = F.binary_cross_entropy_with_logits(logits, target)
    return dice_weight * d + (1.0 - dice_weight) * b


# %% wrong: F.binary_cross_entropy on probabilities, which stops growing at 100 and loses its gradient
def combined_loss(logits, target, dice_weight=0.5):
    probs = logits.sigmoid()
    ce = F.binary_cross_entropy(probs, target)
    inter = (probs * target).flatten(1).sum(1)
    dsc = (2 * inter + 1) / ((probs + target).flatten(1).sum(1) + 1)
    return dice_weight * (1 - dsc).mean() + (1 - dice_weight) * ce


# %% wrong: the Dice of the whole batch instead of the mean over its images
def combined_loss(logits, target, dice_weight=0.5):
    p = torch.sigmoid(logits)
    inter = (p * target).sum()
    dice_part = 1 - (2 * inter + 1) / (p.sum() + target.sum() + 1)
    return dice_weight * dice_part + (1 - dice_weight) * bce_with_logits(logits, target)


# %% wrong: the IoU loss in place of the Dice loss
def combined_loss(logits, target, dice_weight=0.5):
    terms = {"overlap": iou_loss(logits, target), "pixel": bce_with_logits(logits, target)}
    weights = {"overlap": dice_weight, "pixel": 1 - dice_weight}
    return sum(weights[k] * terms[k] for k in terms)


# %% wrong: the Dice score is added, not one minus it, so a better overlap makes the loss larger
def combined_loss(logits, target, dice_weight=0.5):
    p = torch.sigmoid(logits)
    score = (2 * (p * target).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1)
    return dice_weight * score.mean() + (1 - dice_weight) * F.binary_cross_entropy_with_logits(logits, target)


# %% wrong: [two] the weights swapped, and the cross-entropy summed over the pixels
def combined_loss(logits, target, dice_weight=0.5):
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="sum")
    return (1 - dice_weight) * soft_dice_loss(logits, target) + dice_weight * ce


# %% wrong: [two] smooth is tiny instead of 1, and dice_weight is not used
def combined_loss(logits, target, dice_weight=0.5):
    return 0.5 * soft_dice_loss(logits, target, smooth=1e-6) + 0.5 * bce_with_logits(logits, target)
