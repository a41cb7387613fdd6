# %% right: Hamming distance by bitwise XOR, which works for bool and for whole numbers
def pixel_accuracy(pred, target):
    different = torch.count_nonzero(pred ^ target).item()
    everything = target.numel()
    return (everything - different) / everything

# %% wrong: background is left out: only pixels whose target is not 0 are compared, so false alarms cost nothing and an empty target gives nan
def pixel_accuracy(pred, target):
    fg = target != 0
    hits = (pred[fg] == target[fg]).float()
    return hits.mean().item()

# %% wrong: divides by the number of rows squared, which is right for square masks only
def pixel_accuracy(pred, target):
    n = len(pred)
    count = 0
    for p_row, t_row in zip(pred, target):
        for p, t in zip(p_row, t_row):
            if p.item() == t.item():
                count = count + 1
    return count / (n * n)

# %% wrong: [two] first, both masks are turned into bool, so class 1 predicted for class 2 counts as right; second, the result is a percentage from 0 to 100
import numpy as np
def pixel_accuracy(pred, target):
    pred_np = pred.cpu().numpy().astype(bool)
    target_np = target.cpu().numpy().astype(bool)
    accuracy = np.mean(pred_np == target_np)
    return float(100 * accuracy)
