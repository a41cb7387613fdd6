# %% right: image by image, mode of every module restored in a finally, small helpers
def _overlap_scores(a, b):
    both, areas = (a & b).sum().item(), a.sum().item() + b.sum().item()
    if areas == 0:
        return 1.0, 1.0
    return both / (areas - both), 2 * both / areas


def evaluate(model, loader):
    modes = [(module, module.training) for module in model.modules()]
    rows = []
    model.eval()
    try:
        with torch.no_grad():
            for images, masks in loader:
                logits = model(images)
                if logits.shape[1] == 1:  # one logit against an implicit 0 for the background
                    logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
                for z, mask in zip(logits, masks):
                    loss = nn.functional.cross_entropy(z[None], mask[None]).item()
                    classes = z.argmax(dim=0)
                    scores = [_overlap_scores(classes == c, mask == c) for c in range(1, z.shape[0])]
                    rows.append((loss, sum(s[0] for s in scores) / len(scores), sum(s[1] for s in scores) / len(scores)))
    finally:
        for module, mode in modes:
            module.training = mode
    loss, iou_, dice_ = (sum(column) / len(rows) for column in zip(*rows))
    return {"loss": loss, "iou": iou_, "dice": dice_}


# %% wrong: treats K = 1 like several classes: argmax and cross_entropy over the single channel predict background everywhere and give loss 0
def evaluate(model, loader):
    was_training = model.training
    model.eval()
    loss_sum = iou_sum = dice_sum = 0.0
    n = 0
    with torch.no_grad():
        for images, masks in loader:
            logits = model(images)
            K = logits.shape[1]
            preds = logits.argmax(1)
            ce = nn.functional.cross_entropy(logits, masks.clamp(max=K - 1), reduction="none")
            loss_sum += ce.mean(dim=(1, 2)).sum().item()
            for p, m in zip(preds, masks):
                i_list, d_list = [], []
                for c in range(1, max(K, 2)):
                    inter = ((p == c) & (m == c)).sum().item()
                    a, b = (p == c).sum().item(), (m == c).sum().item()
                    i_list.append(1.0 if a + b == 0 else inter / (a + b - inter))
                    d_list.append(1.0 if a + b == 0 else 2 * inter / (a + b))
                iou_sum += np.mean(i_list).item()
                dice_sum += np.mean(d_list).item()
            n += len(images)
    model.train(was_training)
    return {"loss": loss_sum / n, "iou": iou_sum / n, "dice": dice_sum / n}


# %% wrong: [two] first the mean is over batches instead of images, so a smaller last batch weighs too much; second the model is left in evaluation mode
@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    out = {"loss": [], "iou": [], "dice": []}
    for images, masks in loader:
        logits = model(images)
        if logits.size(1) == 1:
            out["loss"].append(nn.BCEWithLogitsLoss()(logits.squeeze(1), masks.float()).item())
            pred = (logits.squeeze(1) > 0).long()
            classes = [1]
        else:
            out["loss"].append(nn.CrossEntropyLoss()(logits, masks).item())
            pred = logits.argmax(dim=1)
            classes = list(range(1, logits.size(1)))
        ious, dices = [], []
        for c in classes:
            p = (pred == c).flatten(1)
            m = (masks == c).flatten(1)
            inter = (p & m).sum(1).float()
            area = (p.sum(1) + m.sum(1)).float()
            ones = torch.ones_like(inter)
            ious.append(torch.where(area > 0, inter / (area - inter), ones))
            dices.append(torch.where(area > 0, 2 * inter / area, ones))
        out["iou"].append(torch.stack(ious).mean().item())
        out["dice"].append(torch.stack(dices).mean().item())
    return {name: sum(values) / len(values) for name, values in out.items()}


# %% wrong: pools the pixels of all images for each class and scores once, instead of scoring each image and taking the mean over the images
def evaluate(model, loader):
    mode = model.training
    model.eval()
    total, count = 0.0, 0
    inter = union = area = None
    with torch.inference_mode():
        for x, y in loader:
            z = model(x)
            if z.shape[1] == 1:
                z = torch.cat((torch.zeros_like(z), z), 1)
            k = z.shape[1]
            total += nn.functional.cross_entropy(z, y).item() * x.shape[0]
            count += x.shape[0]
            p = nn.functional.one_hot(z.argmax(1), k)[..., 1:].bool().flatten(0, 2)
            t = nn.functional.one_hot(y, k)[..., 1:].bool().flatten(0, 2)
            i, u, a = (p & t).sum(0), (p | t).sum(0), p.sum(0) + t.sum(0)
            if inter is None:
                inter, union, area = i, u, a
            else:
                inter, union, area = inter + i, union + u, area + a
    model.train(mode)
    iou_k = torch.where(union > 0, inter / union, 1.0)
    dice_k = torch.where(area > 0, 2 * inter / area, 1.0)
    return {"loss": total / count, "iou": iou_k.mean().item(), "dice": dice_k.mean().item()}
