# %% right: a table of joint counts with np.unique over both axes, then the assignment of most pairs by augmenting paths
def match_instances(pred, target, threshold=0.5):
    _, p = np.unique(np.append(pred.numpy().ravel(), 0), return_inverse=True)
    _, t = np.unique(np.append(target.numpy().ravel(), 0), return_inverse=True)
    zero_p, zero_t = p.ravel()[-1], t.ravel()[-1]
    table = np.zeros((p.max() + 1, t.max() + 1))
    np.add.at(table, (p.ravel()[:-1], t.ravel()[:-1]), 1)
    rows = [i for i in range(table.shape[0]) if i != zero_p]
    cols = [j for j in range(table.shape[1]) if j != zero_t]
    area_p, area_t = table.sum(1), table.sum(0)
    can = {
        i: [j for j in cols if table[i, j] > 0 and table[i, j] >= threshold * (area_p[i] + area_t[j] - table[i, j])]
        for i in rows
    }
    partner = {}

    def give(i, seen):
        for j in can[i]:
            if j not in seen:
                seen.add(j)
                if j not in partner or give(partner[j], seen):
                    partner[j] = i
                    return True
        return False

    pairs = sum(give(i, set()) for i in rows)
    if not rows and not cols:
        return dict(precision=1.0, recall=1.0, f1=1.0)
    if not rows or not cols:
        return dict(precision=0.0, recall=0.0, f1=0.0)
    return dict(precision=pairs / len(rows), recall=pairs / len(cols), f1=2 * pairs / (len(rows) + len(cols)))


# %% right: boolean stacks and one einsum, assignment with scipy on the allowed pairs
def match_instances(pred, target, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    def stack(mask):
        names = [v for v in mask.unique().tolist() if v != 0]
        return torch.stack([mask == v for v in names]).double() if names else torch.zeros(0, *mask.shape).double()

    a, b = stack(pred), stack(target)
    if len(a) == 0 or len(b) == 0:
        value = float(len(a) == len(b))
        return {"precision": value, "recall": value, "f1": value}
    inter = torch.einsum("ihw,jhw->ij", a, b)
    union = a.sum((1, 2))[:, None] + b.sum((1, 2))[None] - inter
    allowed = (inter / union >= threshold).numpy()
    i, j = linear_sum_assignment(allowed, maximize=True)
    pairs = int(allowed[i, j].sum())
    precision, recall = pairs / len(a), pairs / len(b)
    return {"precision": precision, "recall": recall, "f1": 2 * pairs / (len(a) + len(b))}


# %% wrong: a prediction counts as found when it has any true object above the threshold, so one true object may be in two pairs
def match_instances(pred, target, threshold=0.5):
    pred_ids = [i for i in torch.unique(pred).tolist() if i != 0]
    true_ids = [i for i in torch.unique(target).tolist() if i != 0]
    if not pred_ids and not true_ids:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if not pred_ids or not true_ids:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    hits = 0
    for i in pred_ids:
        best = 0.0
        for j in true_ids:
            inter = ((pred == i) & (target == j)).sum().item()
            union = ((pred == i) | (target == j)).sum().item()
            best = max(best, inter / union)
        if best >= threshold:
            hits += 1
    p, r = hits / len(pred_ids), hits / len(true_ids)
    return {"precision": p, "recall": r, "f1": 2 * p * r / (p + r) if p + r else 0.0}


# %% wrong: numbers are taken to correspond: object k is compared with object k only
def match_instances(pred, target, threshold=0.5):
    ids_p = set(pred.unique().tolist()) - {0}
    ids_t = set(target.unique().tolist()) - {0}
    if len(ids_p) + len(ids_t) == 0:
        return dict.fromkeys(("precision", "recall", "f1"), 1.0)
    if len(ids_p) == 0 or len(ids_t) == 0:
        return dict.fromkeys(("precision", "recall", "f1"), 0.0)
    tp = 0
    for k in ids_p & ids_t:
        a, b = pred == k, target == k
        if (a & b).sum() / (a | b).sum() >= threshold:
            tp += 1
    return {"precision": tp / len(ids_p), "recall": tp / len(ids_t), "f1": 2 * tp / (len(ids_p) + len(ids_t))}


# %% wrong: an IoU of exactly the threshold is no pair
def match_instances(pred, target, threshold=0.5):
    predicted = [pred == v for v in pred.unique() if v]
    true = [target == v for v in target.unique() if v]
    if not predicted and not true:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if not predicted or not true:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    free = list(range(len(true)))
    pairs = 0
    for p in predicted:
        for j in free:
            if (p & true[j]).sum().item() / (p | true[j]).sum().item() > threshold:
                free.remove(j)
                pairs += 1
                break
    return {
        "precision": pairs / len(predicted),
        "recall": pairs / len(true),
        "f1": 2 * pairs / (len(predicted) + len(true)),
    }


# %% wrong: the overlap is divided by the predicted area instead of the union
def match_instances(pred, target, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    p = F.one_hot(torch.unique(pred, return_inverse=True)[1]).flatten(0, 1).float()
    t = F.one_hot(torch.unique(target, return_inverse=True)[1]).flatten(0, 1).float()
    p = p[:, 1:] if (pred == 0).any() else p
    t = t[:, 1:] if (target == 0).any() else t
    n, m = p.shape[1], t.shape[1]
    if n == 0 or m == 0:
        score = 1.0 if n == m else 0.0
        return {"precision": score, "recall": score, "f1": score}
    iou = (p.T @ t) / p.sum(0)[:, None]
    ok = (iou >= threshold).numpy()
    rows, cols = linear_sum_assignment(-ok.astype(float))
    tp = float(ok[rows, cols].sum())
    return {"precision": tp / n, "recall": tp / m, "f1": 2 * tp / (n + m)}


# %% wrong: the number of objects is taken from the largest number, although there are gaps
def match_instances(pred, target, threshold=0.5):
    n, m = int(pred.max()), int(target.max())
    if n == 0 and m == 0:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if n == 0 or m == 0:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    used = set()
    pairs = 0
    for i in pred.unique().tolist():
        if i == 0:
            continue
        for j in target[pred == i].unique().tolist():
            if j == 0 or j in used:
                continue
            a, b = pred == i, target == j
            if float((a & b).sum()) / float((a | b).sum()) >= threshold:
                used.add(j)
                pairs += 1
                break
    return {"precision": pairs / n, "recall": pairs / m, "f1": 2 * pairs / (n + m)}


# %% wrong: precision and recall are exchanged, pairs over true objects is called precision
def match_instances(pred, target, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    truth = [target == j for j in target.unique() if j != 0]
    guess = [pred == i for i in pred.unique() if i != 0]
    if not truth or not guess:
        same = float(len(truth) == len(guess))
        return {"precision": same, "recall": same, "f1": same}
    iou = np.array([[float((g & t).sum() / (g | t).sum()) for t in truth] for g in guess])
    matched = iou >= threshold
    tp = int(matched[linear_sum_assignment(~matched)].sum())
    return {"precision": tp / len(truth), "recall": tp / len(guess), "f1": 2 * tp / (len(truth) + len(guess))}


# %% wrong: with only one mask empty it divides by max(n, 1) and gives precision 1.0 to an empty prediction
def match_instances(pred, target, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    truth = [target == j for j in target.unique() if j != 0]
    guess = [pred == i for i in pred.unique() if i != 0]
    tp = 0
    if truth and guess:
        ok = np.array([[float((g & t).sum()) / float((g | t).sum()) >= threshold for t in truth] for g in guess])
        tp = int(ok[linear_sum_assignment(1 - ok)].sum())
    precision = tp / len(guess) if guess else 1.0
    recall = tp / len(truth) if truth else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


# %% wrong: F1 is tp / (tp + fp + fn), the score of the Data Science Bowl, instead of twice the pairs over the sum
def match_instances(pred, target, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    p_ids, t_ids = pred[pred > 0].unique(), target[target > 0].unique()
    if p_ids.numel() == 0 and t_ids.numel() == 0:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if p_ids.numel() == 0 or t_ids.numel() == 0:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    p = (pred[None] == p_ids[:, None, None]).flatten(1).double()
    t = (target[None] == t_ids[:, None, None]).flatten(1).double()
    inter = p @ t.T
    iou = inter / (p.sum(1, keepdim=True) + t.sum(1) - inter)
    ok = (iou >= threshold).numpy()
    r, c = linear_sum_assignment(ok, maximize=True)
    tp = int(ok[r, c].sum())
    fp, fn = len(p_ids) - tp, len(t_ids) - tp
    return {"precision": tp / (tp + fp), "recall": tp / (tp + fn), "f1": tp / (tp + fp + fn)}


# %% wrong: [two] every true object only looks at the prediction that covers most of it; and background is one of the predictions
def match_instances(pred, target, threshold=0.5):
    numbers = pred.unique()
    objects = target.unique()
    objects = objects[objects != 0]
    if (pred == 0).all() and len(objects) == 0:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    if (pred == 0).all() or len(objects) == 0:
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    pairs = 0
    for j in objects:
        inside = target == j
        values, counts = pred[inside].unique(return_counts=True)
        k = values[counts.argmax()]
        overlap = counts.max().item()
        union = (inside | (pred == k)).sum().item()
        if overlap / union >= threshold:
            pairs += 1
    return {
        "precision": pairs / len(numbers),
        "recall": pairs / len(objects),
        "f1": 2 * pairs / (len(numbers) + len(objects)),
    }


# %% wrong: [two] the threshold is ignored, any IoU of 0.5 counts; and values are percentages
def match_instances(pred, target, threshold=0.5):
    from scipy.optimize import linear_sum_assignment

    g = [pred == i for i in pred.unique() if i != 0]
    t = [target == i for i in target.unique() if i != 0]
    if not g or not t:
        v = 100.0 * (len(g) == len(t))
        return {"precision": v, "recall": v, "f1": v}
    iou = np.array([[((x & y).sum() / (x | y).sum()).item() for y in t] for x in g])
    ok = iou >= 0.5
    i, j = linear_sum_assignment(-ok.astype(int))
    n = int(ok[i, j].sum())
    return {"precision": 100 * n / len(g), "recall": 100 * n / len(t), "f1": 200 * n / (len(g) + len(t))}
