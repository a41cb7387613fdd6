# %% right: Counters over pixel pairs and the largest matching by augmenting paths, in plain Python
def match_instances(pred, target, threshold=0.5):
    from collections import Counter

    p, t = pred.flatten().tolist(), target.flatten().tolist()
    p_area, t_area, shared = Counter(p), Counter(t), Counter(zip(p, t))
    p_area.pop(0, None)
    t_area.pop(0, None)
    if not p_area and not t_area:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if not p_area or not t_area:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}

    friends = {
        a: [b for b in t_area
            if shared[a, b] / (p_area[a] + t_area[b] - shared[a, b]) >= threshold]
        for a in p_area
    }
    partner = {}                      # true object -> predicted object

    def place(a, tried):
        for b in friends[a]:
            if b not in tried:
                tried.add(b)
                if b not in partner or place(partner[b], tried):
                    partner[b] = a
                    return True
        return False

    pairs = sum(place(a, set()) for a in friends)
    return {
        "precision": pairs / len(p_area),
        "recall": pairs / len(t_area),
        "f1": 2 * pairs / (len(p_area) + len(t_area)),
    }
# %% wrong: a pair needs an IoU above the threshold, not at least the threshold; two objects with IoU exactly 0.5 are no pair
import numpy as np
def match_instances(pred, target, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    pred_ids = [int(i) for i in pred.unique() if i != 0]
    true_ids = [int(i) for i in target.unique() if i != 0]
    if len(pred_ids) == 0 and len(true_ids) == 0:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if len(pred_ids) == 0 or len(true_ids) == 0:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}

    good = np.zeros((len(pred_ids), len(true_ids)), dtype=int)
    for i, a in enumerate(pred_ids):
        for j, b in enumerate(true_ids):
            inter = ((pred == a) & (target == b)).sum().item()
            union = ((pred == a) | (target == b)).sum().item()
            if inter / union > threshold:
                good[i, j] = 1
    rows, cols = linear_sum_assignment(good, maximize=True)
    tp = int(good[rows, cols].sum())
    precision = tp / len(pred_ids)
    recall = tp / len(true_ids)
    return {"precision": precision, "recall": recall, "f1": 2 * tp / (len(pred_ids) + len(true_ids))}
# %% wrong: takes the largest number as the number of objects, so with gaps in the numbers precision, recall and f1 are too small
import numpy as np
def match_instances(pred, target, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    P = pred.cpu().numpy()
    T = target.cpu().numpy()
    n_pred, n_true = int(P.max()), int(T.max())
    if n_pred == 0 or n_true == 0:
        value = 1.0 if n_pred == n_true else 0.0
        return {"precision": value, "recall": value, "f1": value}
    # all overlaps at once: a 2-d histogram of the label pairs
    table = np.zeros((n_pred + 1, n_true + 1), dtype=np.int64)
    np.add.at(table, (P.ravel(), T.ravel()), 1)
    inter = table[1:, 1:]
    union = table.sum(1)[1:, None] + table.sum(0)[None, 1:] - inter
    matched = ((inter / np.maximum(union, 1) >= threshold) & (union > 0)).astype(int)
    r, c = linear_sum_assignment(-matched)
    pairs = int(matched[r, c].sum())
    return {
        "precision": pairs / n_pred,
        "recall": pairs / n_true,
        "f1": 2 * pairs / (n_pred + n_true),
    }
# %% wrong: counts each predicted object whose best IoU reaches the threshold, without keeping true objects to one pair; two halves with IoU 0.5 each count as two pairs and recall is 2
def match_instances(pred, target, threshold=0.5):
    preds = [pred == k for k in torch.unique(pred) if k != 0]
    trues = [target == k for k in torch.unique(target) if k != 0]
    if not preds and not trues:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if not preds or not trues:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    found = 0
    for a in preds:
        best = 0.0
        for b in trues:
            score = (a & b).sum().item() / (a | b).sum().item()
            best = max(best, score)
        if best >= threshold:
            found += 1
    return {
        "precision": found / len(preds),
        "recall": found / len(trues),
        "f1": 2 * found / (len(preds) + len(trues)),
    }
