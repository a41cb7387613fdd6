# %% right: all in one function, times only the forward pass
import time

def compare(models, loader):
    rows = []
    for name, model in models.items():
        modes = {m: m.training for m in model.modules()}
        model.eval()
        seconds, n, dice_sum, iou_sum = 0.0, 0, 0.0, 0.0
        with torch.no_grad():
            for images, masks in loader:
                start = time.perf_counter()
                logits = model(images)
                seconds += time.perf_counter() - start
                if logits.shape[1] == 1:
                    logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
                k = logits.shape[1]
                for pred, mask in zip(logits.argmax(1), masks):
                    for c in range(1, k):
                        p, t = pred == c, mask == c
                        both = (p & t).sum().item()
                        areas = p.sum().item() + t.sum().item()
                        dice_sum += (2 * both / areas if areas else 1.0) / (k - 1)
                        iou_sum += (both / (areas - both) if areas else 1.0) / (k - 1)
                n += len(images)
        for m, mode in modes.items():
            m.training = mode
        rows.append({
            "name": name,
            "parameters": sum(p.numel() for p in model.parameters()),
            "ms": 1000 * seconds / n,
            "dice": dice_sum / n,
            "iou": iou_sum / n,
        })
    return rows

# %% wrong: The models are put into evaluation mode for the timing and are never given their mode back.
import time

def compare(models, loader):
    evaluate = earlier("evaluate")
    table = []
    for name in models:
        net = models[name]
        scores = evaluate(net, loader)
        net.eval()
        count = 0
        t0 = time.time()
        with torch.no_grad():
            for images, _ in loader:
                net(images)
                count += images.shape[0]
        elapsed = time.time() - t0
        table.append(dict(name=name, parameters=sum(p.numel() for p in net.parameters()),
                          ms=elapsed * 1e3 / count, dice=scores["dice"], iou=scores["iou"]))
    return table

# %% wrong: [two] first frozen parameters are left out of the count (if p.requires_grad); second ms is the time of a batch, because it is divided by the number of batches and not of images
from time import perf_counter

def _scores(pred, mask, k):
    ious, dices = [], []
    for c in range(1, k):
        p, t = (pred == c), (mask == c)
        i, u = (p & t).sum().item(), (p | t).sum().item()
        ious.append(i / u if u else 1.0)
        dices.append(2 * i / (i + u) if u else 1.0)
    return np.mean(ious), np.mean(dices)

def compare(models, loader):
    result = []
    for name, model in models.items():
        flags = [(m, m.training) for m in model.modules()]
        model.eval()
        times, all_ious, all_dices = [], [], []
        with torch.no_grad():
            for x, y in loader:
                tic = perf_counter()
                logits = model(x)
                times.append(perf_counter() - tic)
                if logits.size(1) == 1:
                    preds, k = (logits[:, 0] > 0).long(), 2
                else:
                    preds, k = logits.argmax(1), logits.size(1)
                for p, t in zip(preds, y):
                    i, d = _scores(p, t, k)
                    all_ious.append(i)
                    all_dices.append(d)
        for m, flag in flags:
            m.training = flag
        result.append({
            "name": name,
            "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "ms": float(np.mean(times)) * 1000,
            "dice": float(np.mean(all_dices)),
            "iou": float(np.mean(all_ious)),
        })
    return result
