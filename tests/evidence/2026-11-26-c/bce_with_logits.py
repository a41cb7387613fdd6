# %% right: each class picked by a boolean mask, logsigmoid, summed and divided once
def bce_with_logits(logits, target):
    is_object = target > 0.5
    object_loss = -F.logsigmoid(logits[is_object]).sum()
    background_loss = -F.logsigmoid(-logits[~is_object]).sum()
    return (object_loss + background_loss) / target.numel()


# %% right: logsumexp over a stack of the two classes' logits, the true one subtracted
def bce_with_logits(logits, target):
    both = torch.stack([torch.zeros_like(logits), logits])
    true_one = torch.einsum("k...,k...->...", both, torch.stack([1 - target, target]))
    return torch.mean(torch.logsumexp(both, dim=0) - true_one)


# %% wrong: torch.where over two forms, one of which overflows, so the gradient is NaN for large logits
def bce_with_logits(logits, target):
    positive = logits + torch.log(1 + torch.exp(-logits))
    negative = torch.log(1 + torch.exp(logits))
    softplus = torch.where(logits > 0, positive, negative)
    return (softplus - logits * target).mean()


# %% wrong: the sign of the product of logit and target is plus, so object pixels are punished for a high logit
def bce_with_logits(logits, target):
    loss = logits.clamp(min=0) + logits * target + torch.log1p(torch.exp(-torch.abs(logits)))
    return loss.mean()


# %% wrong: log1p(exp(x)) written out plainly, which overflows for large positive logits
def bce_with_logits(logits, target):
    n = logits.numel()
    total = torch.log1p(logits.exp()).sum() - torch.dot(logits.flatten(), target.flatten())
    return total / n


# %% wrong: computed in NumPy and returned as a plain number, so no gradient reaches the logits
def bce_with_logits(logits, target):
    x = logits.detach().numpy().astype(np.float64)
    t = target.numpy()
    loss = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))
    return torch.tensor(loss.mean(), dtype=torch.float32)


# %% wrong: only the object pixels cost anything, the background term is missing
def bce_with_logits(logits, target):
    return -(target * F.logsigmoid(logits)).mean()


# %% wrong: the two classes are swapped: an object pixel pays for a high logit, a background pixel for a low one
def bce_with_logits(logits, target):
    losses = []
    for x, t in zip(logits.reshape(-1), target.reshape(-1), strict=True):
        losses.append(F.softplus(x) if t == 1 else F.softplus(-x))
    return torch.stack(losses).mean()


# %% wrong: the logits are clamped to ±20 first, so a very wrong pixel costs 20 at most and gets no gradient
def bce_with_logits(logits, target):
    x = torch.clamp(logits, -20, 20)
    return (F.softplus(x) - x * target).mean()


# %% wrong: mean over object pixels plus mean over background pixels, halved, instead of the mean over all pixels
def bce_with_logits(logits, target):
    per_pixel = F.softplus(logits) - logits * target
    fg = (per_pixel * target).sum() / target.sum().clamp(min=1)
    bg = (per_pixel * (1 - target)).sum() / (1 - target).sum().clamp(min=1)
    return (fg + bg) / 2


# %% wrong: [two] the minus in front is missing, and the pixels are summed instead of averaged
def bce_with_logits(logits, target):
    return (target * F.logsigmoid(logits) + (1 - target) * F.logsigmoid(-logits)).sum()


# %% wrong: [two] a small number inside the logarithm that puts a ceiling on the loss, and no background term
def bce_with_logits(logits, target):
    prob = torch.sigmoid(logits)
    return torch.mean(-target * torch.log(prob + 1e-8))
