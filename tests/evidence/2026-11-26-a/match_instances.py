# %% right: table of pairs, largest one-to-one matching by scipy
import numpy as np
from scipy.optimize import linear_sum_assignment


def match_instances(pred, target, threshold=0.5):
    found = [i for i in pred.unique().tolist() if i != 0]
    real = [i for i in target.unique().tolist() if i != 0]
    if not found and not real:
        return dict(precision=1.0, recall=1.0, f1=1.0)
    if not found or not real:
        return dict(precision=0.0, recall=0.0, f1=0.0)

    allowed = np.zeros((len(found), len(real)))
    for r, i in enumerate(found):
        a = pred == i
        for c, j in enumerate(real):
            b = target == j
            both = int((a & b).sum())
            if both and both / int((a | b).sum()) >= threshold:
                allowed[r, c] = 1
    pairs = int(allowed[linear_sum_assignment(allowed, maximize=True)].sum())
    return {
        "precision": pairs / len(found),
        "recall": pairs / len(real),
        "f1": 2 * pairs / (len(found) + len(real)),
    }


# %% wrong: not one to one: counts every predicted object with a partner, so at a low threshold (0.3) two halves of one true object are both pairs and recall can exceed 1
def match_instances(pred, target, threshold=0.5):
    p_ids = pred[pred != 0].unique()
    t_ids = target[target != 0].unique()
    if len(p_ids) == 0 and len(t_ids) == 0:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if len(p_ids) == 0 or len(t_ids) == 0:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    tp = 0
    for p in p_ids:
        ious = []
        for t in t_ids:
            inter = ((pred == p) & (target == t)).sum().item()
            union = ((pred == p) | (target == t)).sum().item()
            ious.append(inter / union)
        if max(ious) >= threshold:
            tp += 1
    precision = tp / len(p_ids)
    recall = tp / len(t_ids)
    f1 = 2 * precision * recall / (precision + recall) if tp else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


# %% wrong: takes the largest number in a mask for the number of its objects, so gaps in the numbering lower precision and recall
def match_instances(pred, target, threshold=0.5):
    n_pred, n_true = pred.max().item(), target.max().item()
    if n_pred == 0 and n_true == 0:
        return {k: 1.0 for k in ("precision", "recall", "f1")}
    if n_pred == 0 or n_true == 0:
        return {k: 0.0 for k in ("precision", "recall", "f1")}
    candidates = []
    for i in range(1, n_pred + 1):
        for j in range(1, n_true + 1):
            a, b = pred == i, target == j
            inter = (a & b).sum().item()
            if inter > 0:
                value = inter / (a | b).sum().item()
                if value >= threshold:
                    candidates.append((value, i, j))
    candidates.sort(reverse=True)
    used_p, used_t = set(), set()
    for _, i, j in candidates:
        if i not in used_p and j not in used_t:
            used_p.add(i)
            used_t.add(j)
    pairs = len(used_p)
    return {"precision": pairs / n_pred, "recall": pairs / n_true, "f1": 2 * pairs / (n_pred + n_true)}
