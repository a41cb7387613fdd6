# %% right: perfectionist, two logits for K = 1, the mode of every module given back
def evaluate(model, loader):
    modes = [(module, module.training) for module in model.modules()]
    sums, count = {"loss": 0.0, "iou": 0.0, "dice": 0.0}, 0
    model.eval()
    try:
        with torch.no_grad():
            for images, masks in loader:
                logits = model(images)
                if logits.shape[1] == 1:
                    logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
                ce = nn.functional.cross_entropy(logits, masks, reduction="none")
                sums["loss"] += ce.mean(dim=(1, 2)).sum().item()
                classes = range(1, logits.shape[1])
                for pred, mask in zip(logits.argmax(dim=1), masks):
                    ious, dices = [], []
                    for c in classes:
                        p, t = pred == c, mask == c
                        inter = (p & t).sum().item()
                        areas = p.sum().item() + t.sum().item()
                        ious.append(inter / (areas - inter) if areas else 1.0)
                        dices.append(2 * inter / areas if areas else 1.0)
                    sums["iou"] += sum(ious) / len(ious)
                    sums["dice"] += sum(dices) / len(dices)
                count += len(images)
    finally:
        for module, mode in modes:
            module.training = mode
    return {key: value / count for key, value in sums.items()}

# %% wrong: At the end the model is always put into training mode, although it may have come in evaluation mode.
import torch.nn.functional as F

def evaluate(model, loader):
    model.eval()
    loss_sum = iou_sum = dice_sum = 0.0
    n = 0
    with torch.no_grad():
        for images, masks in loader:
            out = model(images)
            if out.shape[1] == 1:
                loss = F.binary_cross_entropy_with_logits(out[:, 0], masks.float(), reduction="mean")
                pred = (out[:, 0] > 0).long()
                k = 2
            else:
                loss = F.cross_entropy(out, masks)
                pred = out.argmax(1)
                k = out.shape[1]
            loss_sum += loss.item() * len(images)
            for i in range(len(images)):
                s_iou, s_dice = 0.0, 0.0
                for c in range(1, k):
                    a, b = pred[i] == c, masks[i] == c
                    inter, union = (a & b).sum().item(), (a | b).sum().item()
                    s_iou += 1.0 if union == 0 else inter / union
                    s_dice += 1.0 if union == 0 else 2 * inter / (union + inter)
                iou_sum += s_iou / (k - 1)
                dice_sum += s_dice / (k - 1)
            n += len(images)
    model.train()
    return {"loss": loss_sum / n, "iou": iou_sum / n, "dice": dice_sum / n}

# %% wrong: With K = 1 the logit itself is compared with 0.5, not the probability, so pixels with a logit between 0 and 0.5 count as background although class 1 is more likely.
import torch.nn.functional as F

def _score(a, b):
    inter = (a & b).sum().item()
    total = a.sum().item() + b.sum().item()
    if total == 0:
        return 1.0, 1.0
    return inter / (total - inter), 2 * inter / total

@torch.no_grad()
def evaluate(model, loader):
    before = {m: m.training for m in model.modules()}
    model.eval()
    losses, ious, dices = [], [], []
    for x, y in loader:
        logits = model(x)
        binary = logits.size(1) == 1
        for l, t in zip(logits, y):
            if binary:
                losses.append(F.binary_cross_entropy_with_logits(l[0], t.float()).item())
                pred = (l[0] > 0.5).long()
            else:
                losses.append(F.cross_entropy(l[None], t[None]).item())
                pred = l.argmax(0)
            n_classes = 2 if binary else l.size(0)
            scores = [_score(pred == c, t == c) for c in range(1, n_classes)]
            ious.append(sum(s[0] for s in scores) / len(scores))
            dices.append(sum(s[1] for s in scores) / len(scores))
    for m, flag in before.items():
        m.training = flag
    mean = lambda v: sum(v) / len(v)
    return {"loss": mean(losses), "iou": mean(ious), "dice": mean(dices)}

# %% wrong: [two] first the scores are counted over all pixels of a batch and averaged over batches, not over images; second the background, class 0, is in the mean of the classes
from torch.nn import functional as F

def evaluate(model, loader):
    was_training = model.training
    model.eval()
    loss_total, images_total = 0.0, 0
    batch_ious, batch_dices = [], []
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            if logits.shape[1] == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], 1)
            loss_total += F.cross_entropy(logits, masks).item() * images.shape[0]
            images_total += images.shape[0]
            preds = logits.argmax(dim=1)
            ious, dices = [], []
            for cls in range(logits.shape[1]):
                p = preds == cls
                t = masks == cls
                i = (p & t).sum().item()
                s = p.sum().item() + t.sum().item()
                ious.append(i / (s - i) if s > 0 else 1.0)
                dices.append(2 * i / s if s > 0 else 1.0)
            batch_ious.append(np.mean(ious))
            batch_dices.append(np.mean(dices))
    model.train(was_training)
    return {"loss": loss_total / images_total, "iou": float(np.mean(batch_ious)), "dice": float(np.mean(batch_dices))}
