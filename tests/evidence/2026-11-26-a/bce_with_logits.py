# %% right: the margin against the true class, logaddexp
def bce_with_logits(logits, target):
    # the loss of a pixel is log(1 + exp(margin)); margin > 0 where the logit is on the wrong side
    margin = (1 - 2 * target) * logits
    return torch.logaddexp(margin, torch.zeros_like(margin)).mean()


# %% wrong: clamps the probabilities to [1e-7, 1 - 1e-7], so a confidently wrong logit costs at most about 16 (instead of 50 for a logit of 50) and gets no gradient
def bce_with_logits(logits, target):
    eps = 1e-7
    p = torch.sigmoid(logits).clamp(eps, 1 - eps)
    loss = -(target * torch.log(p) + (1 - target) * torch.log(1 - p))
    return loss.mean()


# %% wrong: sums over the pixels of an image and averages over the batch only, instead of the mean over all pixels
def bce_with_logits(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    per_pixel = F.softplus(logits) - logits * target
    per_image = per_pixel.flatten(start_dim=1).sum(dim=1)
    return per_image.mean()
