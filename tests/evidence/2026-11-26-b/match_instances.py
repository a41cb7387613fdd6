# %% right: SciPy's assignment on the pairs that are good enough
import numpy as np
from scipy.optimize import linear_sum_assignment

def match_instances(pred, target, threshold=0.5):
    pred_ids = [i for i in pred.unique().tolist() if i != 0]
    true_ids = [i for i in target.unique().tolist() if i != 0]
    if not pred_ids and not true_ids:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if not pred_ids or not true_ids:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    iou = np.zeros((len(pred_ids), len(true_ids)))
    for a, i in enumerate(pred_ids):
        for b, j in enumerate(true_ids):
            p, t = pred == i, target == j
            iou[a, b] = (p & t).sum().item() / (p | t).sum().item()
    good = iou >= threshold
    # as many pairs as possible, and of equally many the better ones
    rows, cols = linear_sum_assignment(good * (1000 + iou), maximize=True)
    pairs = int(good[rows, cols].sum())
    precision = pairs / len(pred_ids)
    recall = pairs / len(true_ids)
    f1 = 2 * pairs / (len(pred_ids) + len(true_ids))
    return {"precision": precision, "recall": recall, "f1": f1}

# %% wrong: The pairs are not one to one: a true object can be in several pairs, so with a threshold of 0.3 two halves of one object, each with an IoU of 0.5, are both counted as found.
def match_instances(pred, target, threshold=0.5):
    p_ids = pred[pred != 0].unique()
    t_ids = target[target != 0].unique()
    if len(p_ids) == 0 and len(t_ids) == 0:
        return dict(precision=1.0, recall=1.0, f1=1.0)
    if len(p_ids) == 0 or len(t_ids) == 0:
        return dict(precision=0.0, recall=0.0, f1=0.0)
    hits_p, hits_t = set(), set()
    for i in p_ids.tolist():
        for j in t_ids.tolist():
            a, b = pred == i, target == j
            if (a & b).sum().item() / (a | b).sum().item() >= threshold:
                hits_p.add(i)
                hits_t.add(j)
    precision = len(hits_p) / len(p_ids)
    recall = len(hits_t) / len(t_ids)
    f1 = 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)
    return dict(precision=precision, recall=recall, f1=f1)

# %% wrong: [two] first the objects are numbered from 1 to the maximum, so a gap in the numbers counts as an object that was not found; second a pair whose IoU is exactly the threshold is refused (> instead of >=)
def match_instances(pred, target, threshold=0.5):
    n_pred = int(pred.max())
    n_true = int(target.max())
    if n_pred == 0 and n_true == 0:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if n_pred == 0 or n_true == 0:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    candidates = []
    for i in range(1, n_pred + 1):
        for j in range(1, n_true + 1):
            inter = ((pred == i) & (target == j)).sum().item()
            union = ((pred == i) | (target == j)).sum().item()
            if union > 0 and inter / union > threshold:
                candidates.append((inter / union, i, j))
    candidates.sort(reverse=True)
    used_p, used_t = set(), set()
    tp = 0
    for score, i, j in candidates:
        if i in used_p or j in used_t:
            continue
        used_p.add(i)
        used_t.add(j)
        tp += 1
    precision, recall = tp / n_pred, tp / n_true
    f1 = 2 * tp / (n_pred + n_true)
    return {"precision": precision, "recall": recall, "f1": f1}
