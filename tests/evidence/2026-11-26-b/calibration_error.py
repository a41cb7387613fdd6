# %% right: bin numbers and weighted bincounts, no loop
def calibration_error(probability, target, bins=10):
    p = probability.flatten()
    number = (p * bins).long().clamp(max=bins - 1)
    sum_p = torch.bincount(number, weights=p.double(), minlength=bins)
    sum_t = torch.bincount(number, weights=target.flatten().double(), minlength=bins)
    # (n_b / n) * |sum_p / n_b - sum_t / n_b|: the bin's size cancels
    return ((sum_p - sum_t).abs().sum() / p.numel()).item()

# %% wrong: It is the classifier's version, with the confidence max(p, 1 - p) and the accuracy in each bin, instead of the mean probability of "object" and the fraction of object pixels (errors at p and 1 - p then cancel: p = 0.1 with a fifth object pixels and p = 0.9 with none missing).
def calibration_error(probability, target, bins=10):
    pred = probability >= 0.5
    confidences = torch.where(pred, probability, 1 - probability)
    accuracies = pred.eq(target)
    edges = torch.linspace(0, 1, bins + 1)
    ece = torch.zeros(1)
    for lower, upper in zip(edges[:-1], edges[1:]):
        last = upper == edges[-1]
        in_bin = confidences.ge(lower) & (confidences.le(upper) if last else confidences.lt(upper))
        prop_in_bin = in_bin.float().mean()
        if prop_in_bin.item() > 0:
            accuracy_in_bin = accuracies[in_bin].float().mean()
            avg_confidence_in_bin = confidences[in_bin].mean()
            ece += torch.abs(avg_confidence_in_bin - accuracy_in_bin) * prop_in_bin
    return ece.item()

# %% wrong: The last bin ends before 1.0 (p < upper), so pixels with a probability of exactly 1.0 are in no bin and their error is lost.
def calibration_error(probability, target, bins=10):
    n = probability.numel()
    error = 0.0
    for b in range(bins):
        lo = b / bins
        hi = (b + 1) / bins
        inside = (probability >= lo) & (probability < hi)
        k = inside.sum().item()
        if k == 0:
            continue
        mean_p = probability[inside].mean().item()
        frac = target[inside].float().mean().item()
        error += k / n * abs(mean_p - frac)
    return error
