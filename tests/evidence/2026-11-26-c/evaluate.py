# %% right: one-hot masks and sums over pixels, all images and classes at once; binary cross-entropy for K = 1
@torch.inference_mode()
def evaluate(model, loader):
    mode = model.training
    model.eval()
    losses, ious, dices = [], [], []
    for images, masks in loader:
        logits = model(images)
        if logits.shape[1] == 1:
            logit = logits[:, 0]
            each = nn.functional.binary_cross_entropy_with_logits(logit, masks.to(logit.dtype), reduction="none")
            pred, k = (logit > 0).long(), 2
        else:
            each = nn.functional.cross_entropy(logits, masks, reduction="none")
            pred, k = logits.argmax(1), logits.shape[1]
        losses.append(each.mean(dim=(1, 2)))
        p = nn.functional.one_hot(pred, k)[..., 1:].flatten(1, 2)
        t = nn.functional.one_hot(masks, k)[..., 1:].flatten(1, 2)
        both, size = (p * t).sum(1).double(), (p + t).sum(1).double()
        one = torch.ones_like(both)
        dices.append(torch.where(size > 0, 2 * both / size, one).mean(1))
        ious.append(torch.where(size > 0, both / (size - both), one).mean(1))
    model.train(mode)
    return {
        "loss": torch.cat(losses).mean().item(),
        "iou": torch.cat(ious).mean().item(),
        "dice": torch.cat(dices).mean().item(),
    }


# %% right: a table with a row for each image, mode given back in a finally
def evaluate(model, loader):
    import statistics

    from helpers.reference.overlap import dice, iou

    def scores(logits, mask):
        if len(logits) == 1:
            logits = torch.cat((0 * logits, logits))
        guess = logits.max(dim=0).indices
        pairs = [(guess == c, mask == c) for c in range(len(logits))][1:]
        loss = -logits.log_softmax(0).gather(0, mask[None]).mean()
        return (
            float(loss),
            statistics.fmean(float(iou(*pair)) for pair in pairs),
            statistics.fmean(float(dice(*pair)) for pair in pairs),
        )

    before = model.training
    try:
        model.eval()
        with torch.no_grad():
            rows = [
                scores(logits, mask) for images, masks in loader for logits, mask in zip(model(images), masks)
            ]
    finally:
        model.train(before)
    return dict(zip(("loss", "iou", "dice"), map(statistics.fmean, zip(*rows))))


# %% wrong: takes the argmax of a single channel for K = 1, which is 0 everywhere
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    was_training = model.training
    model.eval()
    total = {"loss": 0.0, "iou": 0.0, "dice": 0.0}
    n = 0
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            k = logits.shape[1]
            if k == 1:
                loss = nn.functional.binary_cross_entropy_with_logits(logits[:, 0], masks.float())
            else:
                loss = nn.functional.cross_entropy(logits, masks)
            preds = logits.argmax(dim=1)
            total["loss"] += loss.item() * len(images)
            for p, m in zip(preds, masks):
                classes = list(range(1, max(k, 2)))
                total["iou"] += sum(float(iou(p == c, m == c)) for c in classes) / len(classes)
                total["dice"] += sum(float(dice(p == c, m == c)) for c in classes) / len(classes)
            n += len(images)
    model.train(was_training)
    return {key: value / n for key, value in total.items()}


# %% wrong: the model is always put into training mode at the end, also one that came in evaluation mode
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    model.eval()
    loss_sum = iou_sum = dice_sum = 0.0
    n = 0
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            if logits.size(1) == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            loss_sum += nn.functional.cross_entropy(logits, masks).item() * images.size(0)
            preds = logits.argmax(1)
            for pred, mask in zip(preds, masks):
                k = logits.size(1)
                iou_sum += np.mean([float(iou(pred == c, mask == c)) for c in range(1, k)])
                dice_sum += np.mean([float(dice(pred == c, mask == c)) for c in range(1, k)])
                n += 1
    model.train()
    return {"loss": float(loss_sum / n), "iou": float(iou_sum / n), "dice": float(dice_sum / n)}


# %% wrong: mean over those classes only that occur in the mask of the image
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    mode = model.training
    model.eval()
    losses, ious, dices = [], [], []
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            if logits.shape[1] == 1:
                logits = torch.cat((torch.zeros_like(logits), logits), 1)
            each = nn.functional.cross_entropy(logits, masks, reduction="none").mean((1, 2))
            losses += each.tolist()
            for p, t in zip(logits.argmax(1), masks):
                present = [c for c in t.unique().tolist() if c != 0]
                if not present:
                    ious.append(float(not p.any()))
                    dices.append(float(not p.any()))
                    continue
                ious.append(sum(float(iou(p == c, t == c)) for c in present) / len(present))
                dices.append(sum(float(dice(p == c, t == c)) for c in present) / len(present))
    model.train(mode)
    return {name: sum(v) / len(v) for name, v in (("loss", losses), ("iou", ious), ("dice", dices))}


# %% wrong: the scores are those of each batch as one picture, not of each image
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    mode = model.training
    model.eval()
    totals, n = np.zeros(3), 0
    with torch.no_grad():
        for images, masks in loader:
            out = model(images)
            if out.shape[1] == 1:
                out = torch.cat([torch.zeros_like(out), out], dim=1)
            pred = out.argmax(dim=1)
            classes = range(1, out.shape[1])
            b = len(images)
            totals[0] += nn.functional.cross_entropy(out, masks).item() * b
            totals[1] += np.mean([float(iou(pred == c, masks == c)) for c in classes]) * b
            totals[2] += np.mean([float(dice(pred == c, masks == c)) for c in classes]) * b
            n += b
    model.train(mode)
    loss, i, d = (totals / n).tolist()
    return {"loss": loss, "iou": i, "dice": d}


# %% wrong: the mean Dice is computed from the mean IoU, 2 m / (1 + m), which holds for one image and class but not for means
def evaluate(model, loader):
    from helpers.reference.overlap import iou

    mode = model.training
    model.eval()
    loss, overlap, n = 0.0, 0.0, 0
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            if logits.shape[1] == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            loss += nn.functional.cross_entropy(logits, masks).item() * len(images)
            for pred, mask in zip(logits.argmax(1), masks):
                values = [float(iou(pred == c, mask == c)) for c in range(1, logits.shape[1])]
                overlap += sum(values) / len(values)
            n += len(images)
    model.train(mode)
    mean_iou = overlap / n
    return {"loss": loss / n, "iou": mean_iou, "dice": 2 * mean_iou / (1 + mean_iou)}


# %% wrong: for K = 1 the threshold 0.5 is put on the logits instead of on the probabilities
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    training = model.training
    model.eval()
    rows = []
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            for z, m in zip(logits, masks):
                if z.shape[0] == 1:
                    loss = nn.functional.binary_cross_entropy_with_logits(z[0], m.float())
                    pred = z[0] > 0.5
                    classes = [1]
                else:
                    loss = nn.functional.cross_entropy(z[None], m[None])
                    pred = z.argmax(0)
                    classes = range(1, z.shape[0])
                i = [float(iou(pred == c, m == c)) for c in classes]
                d = [float(dice(pred == c, m == c)) for c in classes]
                rows.append((loss.item(), sum(i) / len(i), sum(d) / len(d)))
    model.train(training)
    means = torch.tensor(rows, dtype=torch.float64).mean(0).tolist()
    return dict(zip(["loss", "iou", "dice"], means))


# %% wrong: gradients are switched off for good (torch.set_grad_enabled) and never on again
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    torch.set_grad_enabled(False)
    was = model.training
    model.eval()
    out = {"loss": 0.0, "iou": 0.0, "dice": 0.0}
    count = 0
    for images, masks in loader:
        logits = model(images)
        if logits.shape[1] == 1:
            logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
        out["loss"] += nn.functional.cross_entropy(logits, masks).item() * len(images)
        pred = logits.argmax(1)
        fg = range(1, logits.shape[1])
        for k in range(len(images)):
            out["iou"] += sum(float(iou(pred[k] == c, masks[k] == c)) for c in fg) / len(fg)
            out["dice"] += sum(float(dice(pred[k] == c, masks[k] == c)) for c in fg) / len(fg)
        count += len(images)
    model.train(was)
    return {k: v / count for k, v in out.items()}


# %% wrong: IoU and Dice with a small eps in numerator and denominator missing at the top: an image without the class gets 0
def evaluate(model, loader):
    was = model.training
    model.eval()
    losses, ious, dices = [], [], []
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            if logits.shape[1] == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            pred = logits.argmax(1)
            for n in range(images.shape[0]):
                losses.append(nn.functional.cross_entropy(logits[n : n + 1], masks[n : n + 1]).item())
                i, d = [], []
                for c in range(1, logits.shape[1]):
                    p, t = pred[n] == c, masks[n] == c
                    inter = (p & t).sum().item()
                    union = (p | t).sum().item()
                    i.append(inter / (union + 1e-7))
                    d.append(2 * inter / (p.sum().item() + t.sum().item() + 1e-7))
                ious.append(sum(i) / len(i))
                dices.append(sum(d) / len(d))
    model.train(was)
    return {"loss": sum(losses) / len(losses), "iou": sum(ious) / len(ious), "dice": sum(dices) / len(dices)}


# %% wrong: all classes but 0 are thrown together to one foreground before scoring
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    mode = model.training
    model.eval()
    loss = score_iou = score_dice = 0.0
    n = 0
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            if logits.shape[1] == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            loss += nn.functional.cross_entropy(logits, masks).item() * len(images)
            for p, m in zip(logits.argmax(1) > 0, masks > 0):
                score_iou += float(iou(p, m))
                score_dice += float(dice(p, m))
            n += len(images)
    model.train(mode)
    return {"loss": loss / n, "iou": score_iou / n, "dice": score_dice / n}


# %% wrong: [two] first the model is never put into evaluation mode; second the mean is over batches, so a smaller last one weighs as much
@torch.no_grad()
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    losses, ious, dices = [], [], []
    for images, masks in loader:
        logits = model(images)
        if logits.shape[1] == 1:
            logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
        losses.append(nn.functional.cross_entropy(logits, masks).item())
        classes = range(1, logits.shape[1])
        pairs = [(p == c, m == c) for p, m in zip(logits.argmax(1), masks) for c in classes]
        ious.append(sum(float(iou(*pair)) for pair in pairs) / len(pairs))
        dices.append(sum(float(dice(*pair)) for pair in pairs) / len(pairs))
    return {
        "loss": sum(losses) / len(losses),
        "iou": sum(ious) / len(ious),
        "dice": sum(dices) / len(dices),
    }


# %% wrong: [two] first the background counts as a class in the scores; second the model stays in evaluation mode
def evaluate(model, loader):
    from helpers.reference.overlap import dice, iou

    model.eval()
    loss, i, d, n = 0.0, 0.0, 0.0, 0
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            if logits.shape[1] == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            k = logits.shape[1]
            loss += nn.functional.cross_entropy(logits, masks).item() * len(images)
            for pred, target in zip(logits.argmax(1), masks):
                i += sum(float(iou(pred == c, target == c)) for c in range(k)) / k
                d += sum(float(dice(pred == c, target == c)) for c in range(k)) / k
            n += len(images)
    return {"loss": loss / n, "iou": i / n, "dice": d / n}
