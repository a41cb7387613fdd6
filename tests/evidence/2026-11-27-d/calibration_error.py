# %% right: no loop and no division by counts, one weighted bincount of probability minus target
def calibration_error(probability, target, bins=10):
    p = probability.detach().double().flatten()
    surprise = p - target.double().flatten()
    which = (p * bins).long().clamp(0, bins - 1)
    # (n_b / N) * |mean p - mean t| = |sum p - sum t| / N
    gaps = torch.bincount(which, weights=surprise, minlength=bins).abs()
    return (gaps.sum() / p.numel()).item()
# %% wrong: every bin ends just below its upper edge, the last one too, so pixels with probability exactly 1.0 are in no bin and their error is not counted
def calibration_error(probability, target, bins=10):
    total = probability.numel()
    ece = 0.0
    for i in range(bins):
        lower = i / bins
        upper = (i + 1) / bins
        inside = (probability >= lower) & (probability < upper)
        n = inside.sum().item()
        if n == 0:
            continue
        promise = probability[inside].mean().item()
        result = target[inside].float().mean().item()
        ece += n / total * abs(promise - result)
    return ece
# %% wrong: takes the middle of the bin as its promise instead of the mean probability of the pixels in it
import numpy as np
def calibration_error(probability, target, bins=10):
    p = probability.cpu().numpy().ravel()
    t = target.cpu().numpy().ravel().astype(float)
    idx = np.minimum((p * bins).astype(int), bins - 1)
    centres = (np.arange(bins) + 0.5) / bins
    count = np.bincount(idx, minlength=bins)
    hits = np.bincount(idx, weights=t, minlength=bins)
    full = count > 0
    fraction = hits[full] / count[full]
    return float(np.sum(count[full] / p.size * np.abs(fraction - centres[full])))
# %% wrong: bins the confidence max(p, 1 - p) against whether the decision was right, as in papers on classifiers, instead of the probability of object against the fraction of objects
def calibration_error(probability, target, bins=10):
    decision = probability >= 0.5
    confidence = torch.where(decision, probability, 1 - probability)
    correct = (decision == target).float()
    index = (confidence * bins).floor().clamp(max=bins - 1)
    error = 0.0
    for b in range(bins):
        members = index == b
        if members.any():
            gap = (confidence[members].mean() - correct[members].mean()).abs()
            error += members.float().mean().item() * gap.item()
    return error
