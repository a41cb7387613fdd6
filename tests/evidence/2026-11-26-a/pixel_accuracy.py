# %% right: counts in a plain Python loop
def pixel_accuracy(pred, target):
    same = 0
    total = 0
    for a, b in zip(pred.flatten().tolist(), target.flatten().tolist()):
        total += 1
        if a == b:
            same += 1
    return same / total


# %% wrong: floor division, so everything short of full agreement scores 0
def pixel_accuracy(pred, target):
    correct = (pred == target).sum()
    return correct // pred.numel()


# %% wrong: looks at the target's foreground pixels only, so agreement on the background does not count (and an empty target gives NaN)
def pixel_accuracy(pred, target):
    fg = target > 0
    hits = (pred == target) & fg
    return (hits.sum() / fg.sum()).item()
