# %% right: one-liner
def pixel_accuracy(pred, target):
    return (pred == target).float().mean().item()

# %% wrong: & and ~ are bitwise, so on class indices the "agreement" is not 0 or 1 (two equal pixels give -1); it works for bool masks only.
def pixel_accuracy(pred, target):
    both_on = pred & target
    both_off = ~pred & ~target
    agree = both_on | both_off
    return agree.sum().item() / agree.numel()

# %% wrong: len() of a 2-d tensor is its number of rows, so the count is divided by H instead of H * W and the result exceeds 1.
def pixel_accuracy(pred, target):
    correct = (pred == target).sum()
    return float(correct) / len(target)
