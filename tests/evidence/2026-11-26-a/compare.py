# %% right: three helpers, warm-up, the mode of every module kept
import time


def _predict(model, images):
    start = time.perf_counter()
    logits = model(images)
    if logits.is_cuda:
        torch.cuda.synchronize()
    return logits, time.perf_counter() - start


def _scores(logits, mask):
    """IoU and Dice of one image, mean over the classes but 0. logits (K, H, W)."""
    if logits.shape[0] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits])
    best = logits.argmax(0)
    ious, dices = [], []
    for c in range(1, logits.shape[0]):
        p, t = best == c, mask == c
        both = int((p & t).sum())
        area = int(p.sum()) + int(t.sum())
        ious.append(both / (area - both) if area else 1.0)
        dices.append(2 * both / area if area else 1.0)
    return sum(ious) / len(ious), sum(dices) / len(dices)


def compare(models, loader):
    table = []
    batches = list(loader)
    for name, model in models.items():
        modes = {module: module.training for module in model.modules()}
        model.eval()
        seconds, scores = 0.0, []
        with torch.no_grad():
            _predict(model, batches[0][0])
            for images, masks in batches:
                logits, passed = _predict(model, images)
                seconds += passed
                scores.extend(_scores(z, m) for z, m in zip(logits, masks))
        for module, mode in modes.items():
            module.training = mode
        table.append(
            {
                "name": name,
                "parameters": sum(p.numel() for p in model.parameters()),
                "ms": 1000 * seconds / len(scores),
                "dice": sum(d for _, d in scores) / len(scores),
                "iou": sum(i for i, _ in scores) / len(scores),
            }
        )
    return table


# %% wrong: [two] first only parameters with requires_grad are counted, so frozen ones are missing; second ms is the time of a batch instead of an image
import time


def compare(models, loader):
    rows = []
    for name, model in models.items():
        training = model.training
        model.eval()
        times, dices, ious = [], [], []
        with torch.no_grad():
            for images, masks in loader:
                t0 = time.time()
                out = model(images)
                times.append((time.time() - t0) * 1000)
                if out.shape[1] == 1:
                    pred, classes = (out[:, 0] > 0).long(), [1]
                else:
                    pred, classes = out.argmax(1), range(1, out.shape[1])
                for p, m in zip(pred, masks):
                    d, i = [], []
                    for c in classes:
                        a, b = p == c, m == c
                        inter, s = (a & b).sum().item(), a.sum().item() + b.sum().item()
                        d.append(1.0 if s == 0 else 2 * inter / s)
                        i.append(1.0 if s == 0 else inter / (s - inter))
                    dices.append(sum(d) / len(d))
                    ious.append(sum(i) / len(i))
        model.train(training)
        rows.append({
            "name": name,
            "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "ms": sum(times) / len(times),
            "dice": sum(dices) / len(dices),
            "iou": sum(ious) / len(ious),
        })
    return rows


# %% wrong: counts everything in the state_dict, so the buffers of batch norms (running statistics) go for parameters
import time


def compare(models, loader):
    def score_image(z, m):
        K = z.shape[0]
        pred = (z[0] > 0).long() if K == 1 else z.argmax(dim=0)
        d_sum, i_sum, n = 0.0, 0.0, 0
        for c in range(1, max(K, 2)):
            inter = torch.logical_and(pred == c, m == c).sum().item()
            union = torch.logical_or(pred == c, m == c).sum().item()
            d_sum += 1.0 if union == 0 else 2 * inter / (union + inter)
            i_sum += 1.0 if union == 0 else inter / union
            n += 1
        return d_sum / n, i_sum / n

    result = []
    for name in models:
        net = models[name]
        state = net.training
        net.eval()
        elapsed, count, d_total, i_total = 0.0, 0, 0.0, 0.0
        for images, masks in loader:
            with torch.no_grad():
                begin = time.perf_counter()
                logits = net(images)
                elapsed += time.perf_counter() - begin
            for k in range(len(images)):
                d, i = score_image(logits[k], masks[k])
                d_total, i_total, count = d_total + d, i_total + i, count + 1
        net.train(state)
        size = sum(t.numel() for t in net.state_dict().values())
        result.append(dict(name=name, parameters=size, ms=elapsed / count * 1e3, dice=d_total / count, iou=i_total / count))
    return result
