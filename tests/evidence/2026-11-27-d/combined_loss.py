# %% right: a straight line from cross-entropy to Dice, with torch.lerp
def combined_loss(logits, target, dice_weight=0.5):
    entropy = F.binary_cross_entropy_with_logits(logits, target)
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    agreement = (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    region = (1 - agreement).mean()
    return torch.lerp(entropy, region, float(dice_weight))
# %% wrong: the two weights are swapped, dice_weight goes to the cross-entropy; invisible at the default 0.5
def combined_loss(logits, target, dice_weight=0.5):
    dice_part = soft_dice_loss(logits, target, smooth=1.0)
    bce_part = bce_with_logits(logits, target)
    return dice_weight * bce_part + (1 - dice_weight) * dice_part
# %% wrong: hands probabilities to soft_dice_loss, which takes the sigmoid itself, so it is applied twice and every probability lies between 0.5 and 0.73
def combined_loss(logits, target, dice_weight=0.5):
    probabilities = torch.sigmoid(logits)
    ce = F.binary_cross_entropy_with_logits(logits, target)
    dl = soft_dice_loss(probabilities, target)
    total = dice_weight * dl
    total = total + (1.0 - dice_weight) * ce
    return total
# %% wrong: [two] first, the cross-entropy is taken from rounded probabilities, where PyTorch caps it at 100 a pixel and the gradient vanishes, so a logit of 10 000 on background costs 100; second, the cross-entropy has weight 1 instead of 1 - dice_weight
from torch import nn
def combined_loss(logits, target, dice_weight=0.5):
    y_hat = torch.sigmoid(logits)
    bce = nn.BCELoss()(y_hat, target)
    overlap = (y_hat * target).sum(dim=(1, 2, 3))
    area = y_hat.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    dice_loss = 1 - (2 * overlap + 1.0) / (area + 1.0)
    return bce + dice_weight * dice_loss.mean()
