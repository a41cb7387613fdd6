# %% right: bin numbers and weighted bincounts, no loop
def calibration_error(probability, target, bins=10):
    p = probability.flatten().double()
    t = target.flatten().double()
    index = (p * bins).long().clamp(max=bins - 1)
    sum_p = torch.bincount(index, weights=p, minlength=bins)
    sum_t = torch.bincount(index, weights=t, minlength=bins)
    # fraction * |mean p - mean t| = |sum p - sum t| / all pixels
    return ((sum_p - sum_t).abs().sum() / p.numel()).item()


# %% wrong: the ECE of classifiers from the internet: confidence max(p, 1 - p) against accuracy, instead of the probability of object against the fraction of object pixels
def calibration_error(probability, target, bins=10):
    prediction = probability > 0.5
    confidence = torch.where(prediction, probability, 1 - probability)
    correct = prediction == target
    boundaries = torch.linspace(0, 1, bins + 1)
    ece = 0.0
    for lower, upper in zip(boundaries[:-1], boundaries[1:]):
        in_bin = (confidence > lower) & (confidence <= upper)
        prop = in_bin.float().mean().item()
        if prop > 0:
            ece += abs(confidence[in_bin].mean().item() - correct[in_bin].float().mean().item()) * prop
    return ece


# %% wrong: every bin is half open, so pixels with probability exactly 1.0 are in no bin and do not count
def calibration_error(probability, target, bins=10):
    total = probability.numel()
    error = 0.0
    for b in range(bins):
        low = b / bins
        high = (b + 1) / bins
        inside = (probability >= low) & (probability < high)
        n = int(inside.sum())
        if n == 0:
            continue
        mean_p = probability[inside].mean().item()
        fraction = target[inside].float().mean().item()
        error += n / total * abs(mean_p - fraction)
    return error
