# %% right: knows that -log(sigmoid) is a logaddexp
def bce_with_logits(logits, target):
    # log(1 + e^x) - t * x, and logaddexp does the first term without overflow
    zero = torch.zeros_like(logits)
    return (torch.logaddexp(zero, logits) - target * logits).mean()

# %% wrong: The probability is clamped to [eps, 1 - eps] before the log: finite, but a confidently wrong pixel costs at most about 16 (a logit of -10 000 on an object must cost 10 000) and its gradient is 0.
def bce_with_logits(logits, target):
    eps = 1e-7
    p = torch.sigmoid(logits).clamp(eps, 1 - eps)
    loss = -(target * torch.log(p) + (1 - target) * torch.log(1 - p))
    return loss.mean()

# %% wrong: torch.where picks the safe formula for the loss, but the overflowing branch still takes part in backward (0 * inf), so the gradient is NaN for large logits.
def bce_with_logits(logits, target):
    softplus = torch.where(
        logits > 0,
        logits + torch.log(1 + torch.exp(-logits)),
        torch.log(1 + torch.exp(logits)),
    )
    return torch.mean(softplus - logits * target)

# %% wrong: It calls PyTorch's own loss; the binary cross-entropy was to be written by hand.
def bce_with_logits(logits, target):
    return F.binary_cross_entropy_with_logits(logits, target)
