# %% right: one signed logit, the loss is logaddexp(0, z) where z is how far the pixel is on the wrong side
def bce_with_logits(logits, target):
    # z = +x for background, -x for object;  -log(sigmoid(-z)) = log(e^0 + e^z)
    z = (1 - 2 * target) * logits
    return torch.logaddexp(torch.zeros_like(z), z).mean()
# %% wrong: clamps the logits to +-50 first, so a logit of 10 000 on background costs 50 instead of 10 000 and has gradient 0
def bce_with_logits(logits, target):
    x = logits.clamp(-50, 50)          # exp(50) still fits into float32
    loss = torch.log1p(torch.exp(x)) - x * target
    return loss.mean()
# %% wrong: torch.where over two formulas, of which the one not taken overflows for logits beyond about +-89; the loss is finite but the gradient there is NaN
def bce_with_logits(logits, target):
    # log(1 + e^x), written so that the exponent is never positive in the branch that counts
    positive = logits + torch.log(1 + torch.exp(-logits))
    negative = torch.log(1 + torch.exp(logits))
    softplus = torch.where(logits > 0, positive, negative)
    return torch.mean(softplus - logits * target)
# %% wrong: adds up the pixels of each image and takes the mean over the images only, so the loss is H*W times too large
def bce_with_logits(logits, target):
    n = logits.shape[0]
    m = torch.relu(logits)
    per_pixel = m - logits * target + torch.log1p(torch.exp(-logits.abs()))
    per_image = per_pixel.reshape(n, -1).sum(dim=1)
    return per_image.mean()
