# %% right: one minus the share of pixels that differ, with numpy
def pixel_accuracy(pred, target):
    wrong = np.count_nonzero(pred.numpy() - target.numpy() if pred.dtype != torch.bool else pred.numpy() ^ target.numpy())
    return 1 - wrong / target.numel()


# %% right: indexes the target with what agrees, mean of doubles
def pixel_accuracy(pred, target):
    h, w = target.shape
    return len(target[pred.eq(target)]) / (h * w)


# %% wrong: the share of all pixels that are object in both masks, so agreement on background does not count
def pixel_accuracy(pred, target):
    hits = torch.logical_and(pred, target).sum()
    return (hits / target.numel()).item()


# %% wrong: a count instead of a fraction
def pixel_accuracy(pred, target):
    return torch.eq(pred, target).sum().item()


# %% wrong: a percentage
def pixel_accuracy(pred, target):
    return 100 * (pred == target).float().mean().item()


# %% wrong: the share of pixels that differ
def pixel_accuracy(pred, target):
    differing = sum(p != t for p, t in zip(pred.flatten().tolist(), target.flatten().tolist()))
    return differing / pred.numel()


# %% wrong: divides by the number of rows instead of pixels
def pixel_accuracy(pred, target):
    correct = 0
    for i in range(pred.shape[0]):
        for j in range(pred.shape[1]):
            if pred[i, j] == target[i, j]:
                correct += 1
    return correct / len(pred)


# %% wrong: makes both masks boolean first, so two different object classes agree
def pixel_accuracy(pred, target):
    return (pred.bool() == target.bool()).double().mean().item()


# %% wrong: 1.0 for equal masks and 0.0 for all others
def pixel_accuracy(pred, target):
    return float(torch.equal(pred, target))


# %% wrong: one minus the mean difference of the class numbers, so class 0 for class 2 costs twice
def pixel_accuracy(pred, target):
    difference = (pred.float() - target.float()).abs()
    return 1 - difference.mean().item()


# %% wrong: [two] first only the pixels of the target's objects are looked at, second it is a percentage
def pixel_accuracy(pred, target):
    fg = target > 0
    if not fg.any():
        return 100.0
    return (pred[fg] == target[fg]).float().mean().item() * 100


# %% wrong: [two] first the share of pixels that differ, second rounded to two digits
def pixel_accuracy(pred, target):
    return round(np.mean(pred.numpy() != target.numpy()).item(), 2)
