# %% right: torch.bincount with weights, no loop
def calibration_error(probability, target, bins=10):
    p = probability.flatten().double()
    index = torch.clamp(torch.floor(p * bins), max=bins - 1).long()
    count = torch.bincount(index, minlength=bins)
    promised = torch.bincount(index, weights=p, minlength=bins)
    came = torch.bincount(index, weights=target.flatten().double(), minlength=bins)
    return ((promised - came).abs() / count.sum()).sum().item()


# %% right: a membership matrix by comparison with the edges, matrix products
def calibration_error(probability, target, bins=10):
    p, t = probability.reshape(-1).double(), target.reshape(-1).double()
    k = torch.arange(bins, dtype=torch.double)[:, None]
    scaled = (probability.reshape(-1) * bins).double()
    member = ((scaled >= k) & ((scaled < k + 1) | (k == bins - 1))).double()
    return float((member @ (p - t)).abs().sum() / p.numel())


# %% wrong: every bin counts the same, its fraction of the pixels is left out
def calibration_error(probability, target, bins=10):
    gaps = []
    for b in range(bins):
        low, high = b / bins, (b + 1) / bins
        inside = (probability >= low) & ((probability < high) | (b == bins - 1))
        if inside.any():
            gaps.append((probability[inside].mean() - target[inside].float().mean()).abs())
    return torch.stack(gaps).mean().item()


# %% wrong: 1.0 falls into no bin, since the last one is half open as well
def calibration_error(probability, target, bins=10):
    edges = torch.linspace(0, 1, bins + 1)
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (probability >= low) & (probability < high)
        if inside.sum() > 0:
            gap = abs(probability[inside].mean() - target[inside].float().mean())
            total += inside.float().mean() * gap
    return float(total)


# %% wrong: the middle of each bin instead of the mean probability in it
def calibration_error(probability, target, bins=10):
    index = (probability * bins).long().clamp(0, bins - 1)
    error = 0.0
    for k in range(bins):
        chosen = index == k
        if chosen.any():
            middle = (k + 0.5) / bins
            error += chosen.float().mean().item() * abs(middle - target[chosen].float().mean().item())
    return error


# %% wrong: the gap has no absolute value, so bins that promise too much cancel those that promise too little
def calibration_error(probability, target, bins=10):
    idx = torch.clamp((probability * bins).to(torch.int64), max=bins - 1)
    ece = 0.0
    for b in torch.unique(idx):
        m = idx == b
        ece += (m.sum() / m.numel()) * (probability[m].mean() - target[m].float().mean())
    return float(ece)


# %% wrong: the largest gap of all bins (maximum calibration error)
def calibration_error(probability, target, bins=10):
    p = probability.numpy().ravel()
    t = target.numpy().ravel().astype(float)
    which = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[which == k].mean() - t[which == k].mean()) for k in range(bins) if (which == k).any()]
    return float(max(gaps))


# %% wrong: one gap over all pixels, without bins
def calibration_error(probability, target, bins=10):
    return (probability.double().mean() - target.double().mean()).abs().item()


# %% wrong: confidence against accuracy, as for a classifier, instead of the probability of object
def calibration_error(probability, target, bins=10):
    confidence = torch.maximum(probability, 1 - probability)
    correct = ((probability > 0.5) == target).float()
    which = (confidence * bins).long().clamp(max=bins - 1)
    total = torch.zeros(())
    for k in range(bins):
        m = which == k
        if m.any():
            total = total + m.float().mean() * (confidence[m].mean() - correct[m].mean()).abs()
    return total.item()


# %% wrong: an empty bin is not left out, its mean is NaN and so is the result
def calibration_error(probability, target, bins=10):
    index = (probability * bins).long().clamp(max=bins - 1)
    per_bin = torch.stack(
        [
            (index == k).float().mean() * (probability[index == k].mean() - target[index == k].float().mean()).abs()
            for k in range(bins)
        ]
    )
    return per_bin.sum().item()


# %% wrong: [two] the gaps are squared, and the bins not weighed by their pixels
def calibration_error(probability, target, bins=10):
    idx = (probability * bins).long().clamp(max=bins - 1).flatten()
    p, t = probability.flatten(), target.flatten().float()
    used = idx.unique()
    squares = torch.stack([(p[idx == k].mean() - t[idx == k].mean()) ** 2 for k in used])
    return squares.mean().sqrt().item()


# %% wrong: [two] always ten bins, and the middle of a bin instead of the mean probability
def calibration_error(probability, target, bins=10):
    error = 0.0
    for k in range(10):
        low = k / 10
        high = low + 0.1 if k < 9 else 1.1
        inside = (probability >= low) & (probability < high)
        n = inside.sum().item()
        if n:
            error += n / probability.numel() * abs(low + 0.05 - target[inside].float().mean().item())
    return error
