# %% right: everything in logarithms, so that no power of zero is differentiated
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    z = torch.where(target > 0.5, logits, -logits)  # the logit of the true class
    log_pt = F.logsigmoid(z)
    log_not_pt = F.logsigmoid(-z)
    weight = alpha * target + (1 - alpha) * (1 - target)
    return -(weight * torch.exp(gamma * log_not_pt) * log_pt).mean()


# %% wrong: takes the logarithm of the sigmoid directly, so a logit of ±10 000 on the wrong side gives log(0): an infinite loss and NaN gradients
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    prob = logits.sigmoid()
    p_t = prob * target + (1 - prob) * (1 - target)
    alpha_t = alpha * target + (1 - alpha) * (1 - target)
    return torch.mean(-alpha_t * (1 - p_t) ** gamma * torch.log(p_t))


# %% wrong: [two] first the cross-entropy is averaged before the focal factor, so p_t belongs to the mean and not to a pixel; second alpha weighs object and background pixels alike
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    inputs = logits.view(-1)
    targets = target.view(-1)
    # first compute binary cross-entropy
    BCE = F.binary_cross_entropy_with_logits(inputs, targets, reduction="mean")
    BCE_EXP = torch.exp(-BCE)
    return alpha * (1 - BCE_EXP) ** gamma * BCE
