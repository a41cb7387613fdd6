# %% right: everything through logsigmoid, stable for every gamma
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    z = logits * (2 * target - 1)               # signed so that p_t = sigmoid(z)
    cross_entropy = -F.logsigmoid(z)
    modulation = torch.exp(gamma * F.logsigmoid(-z))
    alpha_t = alpha * target + (1 - alpha) * (1 - target)
    return (alpha_t * modulation * cross_entropy).mean()

# %% wrong: [two] first the cross-entropy is averaged over all pixels before the focal factor is applied, so the factor is not each pixel's own; second background pixels weigh alpha too instead of 1 - alpha
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    inputs = logits.reshape(-1)
    targets = target.reshape(-1)
    # first compute binary cross-entropy
    BCE = F.binary_cross_entropy_with_logits(inputs, targets, reduction='mean')
    BCE_EXP = torch.exp(-BCE)
    return alpha * (1 - BCE_EXP) ** gamma * BCE

# %% wrong: The sum is divided by the number of object pixels, as RetinaNet does with its anchors, instead of by the number of all pixels.
def focal_loss(logits, target, gamma=2.0, alpha=0.25):
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p_t = torch.exp(-ce)
    loss = ce * ((1 - p_t) ** gamma)
    alpha_t = torch.where(target > 0.5, alpha, 1 - alpha)
    num_pos = target.sum().clamp(min=1.0)
    return (alpha_t * loss).sum() / num_pos
