# %% right: everything in logarithms, the power of gamma is an exp of gamma times a logsigmoid
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    side = 2 * target - 1                       # +1 object, -1 background
    log_pt = F.logsigmoid(side * logits)
    log_not_pt = F.logsigmoid(-side * logits)   # log(1 - p_t), exact at both ends
    weight = alpha * target + (1 - alpha) * (1 - target)
    return -(weight * torch.exp(gamma * log_not_pt) * log_pt).mean()
# %% wrong: alpha weighs every pixel, background too, instead of 1 - alpha on background
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    # log(1 - p_t): the cross-entropy of the opposite answer
    opposite = F.binary_cross_entropy_with_logits(logits, 1 - target, reduction="none")
    modulator = torch.exp(-gamma * opposite)
    return (alpha * modulator * ce).mean()
# %% wrong: the cross-entropy is averaged before the focal factor (default reduction), so p_t is one number for the whole batch and easy pixels are not turned down one by one
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    bce = F.binary_cross_entropy_with_logits(logits, target)
    pt = torch.exp(-bce)
    alpha_t = torch.where(target == 1, alpha, 1 - alpha)
    loss = alpha_t * (1 - pt) ** gamma * bce
    return loss.mean()
# %% wrong: [two] first, alpha and 1 - alpha are swapped, objects get 1 - alpha; second, the sum is divided by the number of object pixels, as RetinaNet does with its anchors, and not by the number of pixels
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    is_object = target > 0.5
    signed = torch.where(is_object, logits, -logits)
    ce = F.softplus(-signed)
    hard = torch.exp(-gamma * F.softplus(signed))
    balance = torch.where(is_object, torch.full_like(logits, 1 - alpha), torch.full_like(logits, alpha))
    num_positive = is_object.sum().clamp(min=1)
    return (balance * hard * ce).sum() / num_positive
