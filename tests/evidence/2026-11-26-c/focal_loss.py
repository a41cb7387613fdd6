# %% right: each class by itself with logsigmoid, the factor exponentiated from logarithms
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    log_p, log_q = F.logsigmoid(logits), F.logsigmoid(-logits)
    on_object = -alpha * torch.exp(gamma * log_q) * log_p
    on_background = -(1 - alpha) * torch.exp(gamma * log_p) * log_q
    return torch.where(target.bool(), on_object, on_background).mean()


# %% right: sorted out by masks, sigmoid of the opposite logit as 1 - p_t, sums divided by the number of pixels
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    total = 0.0
    for side, weight in ((1, alpha), (0, 1 - alpha)):
        margin = logits[target == side] * (2 * side - 1)
        total = total + weight * (F.softplus(-margin) * torch.exp(-gamma * F.softplus(margin))).sum()
    return total / logits.numel()


# %% wrong: alpha multiplies every pixel, background pixels do not get 1 - alpha
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    bce = F.softplus(logits) - logits * target
    miss = F.softplus(-logits) * (1 - target) + F.softplus(logits) * target
    return (alpha * torch.exp(-gamma * miss) * bce).mean()


# %% wrong: the factor is p_t to the power of gamma, so the hard pixels are turned down and the easy ones kept
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    bce = F.softplus(logits) - logits * target
    p_t = torch.exp(-bce)
    alpha_t = torch.where(target == 1, alpha, 1 - alpha)
    return (alpha_t * p_t**gamma * bce).mean()


# %% wrong: alpha and 1 - alpha are swapped between objects and background
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    x = (2 * target - 1) * logits
    weight = (1 - alpha) * target + alpha * (1 - target)
    return torch.mean(weight * torch.sigmoid(-x) ** gamma * F.softplus(-x))


# %% wrong: p in place of p_t: every pixel is weighted by one minus the probability of object
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    p = torch.sigmoid(logits)
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    alpha_t = alpha * target + (1 - alpha) * (1 - target)
    return (alpha_t * (1 - p) ** gamma * ce).mean()


# %% wrong: built on the mean cross-entropy of all pixels, not on that of each pixel
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    ce = bce_with_logits(logits, target)
    p_t = torch.exp(-ce)
    weight = (alpha * target + (1 - alpha) * (1 - target)).mean()
    return weight * (1 - p_t) ** gamma * ce


# %% wrong: gamma is a factor in front, not an exponent
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    x = torch.where(target > 0.5, logits, -logits)
    alpha_t = torch.where(target > 0.5, alpha, 1 - alpha)
    loss = alpha_t * gamma * torch.sigmoid(-x) * F.softplus(-x)
    return loss.mean()


# %% wrong: divided by the number of object pixels, as in RetinaNet, not by all pixels
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    x = logits * (2 * target - 1)
    loss = (alpha * target + (1 - alpha) * (1 - target)) * torch.sigmoid(-x) ** gamma * F.softplus(-x)
    return loss.sum() / target.sum().clamp(min=1.0)


# %% wrong: logarithm of a clamped probability, so a very wrong pixel gets a loss of 16 at most and no gradient
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    pos = -alpha * target * (1 - p) ** gamma * torch.log(p)
    neg = -(1 - alpha) * (1 - target) * p**gamma * torch.log(1 - p)
    return (pos + neg).mean()


# %% wrong: [two] no alpha at all, and a sum over the pixels
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    total = torch.zeros(())
    for z, t in zip(logits.flatten(), target.flatten()):
        m = -z if t == 1 else z
        total = total + torch.sigmoid(m) ** gamma * F.softplus(m)
    return total


# %% wrong: [two] alpha on the wrong side, and the exponent fixed at 2
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    x = logits * (2 * target - 1)
    miss = torch.sigmoid(-x)
    w = alpha * (1 - target) + (1 - alpha) * target
    return (w * miss * miss * F.softplus(-x)).mean()
