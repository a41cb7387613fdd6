# %% right: one logit becomes two (0 and itself), so there is one path only; a table with a row for each image
import torch.nn.functional as F
def evaluate(model, loader):
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    table = []
    try:
        with torch.no_grad():
            for images, masks in loader:
                logits = model(images)
                if logits.shape[1] == 1:
                    logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
                losses = F.cross_entropy(logits, masks, reduction="none").mean(dim=(1, 2))
                classes = range(1, logits.shape[1])
                for loss, guess, truth in zip(losses, logits.argmax(dim=1), masks):
                    table.append((
                        loss.item(),
                        np.mean([float(iou(guess == k, truth == k)) for k in classes]),
                        np.mean([float(dice(guess == k, truth == k)) for k in classes]),
                    ))
    finally:
        for m, mode in modes:
            m.training = mode
    loss, mean_iou, mean_dice = np.array(table).mean(axis=0).tolist()
    return {"loss": loss, "iou": mean_iou, "dice": mean_dice}
# %% wrong: counts overlap and areas over the whole batch and takes one score for it, instead of a score for each image; differs for batches of more than one image
import torch.nn.functional as F
def evaluate(model, loader):
    was = {m: m.training for m in model.modules()}
    model.eval()
    sums = {"loss": 0.0, "iou": 0.0, "dice": 0.0}
    n_images = 0
    with torch.no_grad():
        for images, masks in loader:
            n = images.shape[0]
            logits = model(images)
            K = logits.shape[1]
            if K == 1:
                loss = F.binary_cross_entropy_with_logits(logits[:, 0], masks.float())
                pred = (logits[:, 0] > 0).long()
                K = 2
            else:
                loss = F.cross_entropy(logits, masks)
                pred = logits.argmax(1)
            ious, dices = [], []
            for c in range(1, K):
                a = pred == c
                b = masks == c
                inter = (a & b).sum().item()
                size = a.sum().item() + b.sum().item()
                ious.append(inter / (size - inter) if size > 0 else 1.0)
                dices.append(2 * inter / size if size > 0 else 1.0)
            sums["loss"] += loss.item() * n
            sums["iou"] += sum(ious) / len(ious) * n
            sums["dice"] += sum(dices) / len(dices) * n
            n_images += n
    for m in was:
        m.training = was[m]
    return {key: value / n_images for key, value in sums.items()}
# %% wrong: the mean of an image goes only over the classes that occur in its mask, so a class that is predicted but not there costs nothing
import torch.nn.functional as F
def evaluate(model, loader):
    remembered = [m.training for m in model.modules()]
    model.eval()
    all_loss, all_iou, all_dice = [], [], []
    with torch.no_grad():
        for images, masks in loader:
            output = model(images)
            for scores, mask in zip(output, masks):
                if scores.shape[0] == 1:
                    all_loss.append(F.binary_cross_entropy_with_logits(scores[0], mask.float()).item())
                    predicted = (scores[0] > 0).long()
                else:
                    all_loss.append(F.cross_entropy(scores[None], mask[None]).item())
                    predicted = scores.argmax(dim=0)
                # which classes do we have in this picture?
                present = [c for c in torch.unique(mask).tolist() if c != 0]
                if not present:
                    nothing = 1.0 if (predicted == 0).all() else 0.0
                    all_iou.append(nothing)
                    all_dice.append(nothing)
                    continue
                i_sum = d_sum = 0.0
                for c in present:
                    p, t = predicted == c, mask == c
                    both = (p & t).sum().item()
                    i_sum += both / (p | t).sum().item()
                    d_sum += 2 * both / (p.sum() + t.sum()).item()
                all_iou.append(i_sum / len(present))
                all_dice.append(d_sum / len(present))
    for m, flag in zip(model.modules(), remembered):
        m.training = flag
    count = len(all_loss)
    return {"loss": sum(all_loss) / count, "iou": sum(all_iou) / count, "dice": sum(all_dice) / count}
# %% wrong: [two] first, with one channel the logit is compared with 0.5 as if it were a probability, so pixels with logits between 0 and 0.5 are called background; second, the model is always put into training mode at the end, whatever mode it came in
import torch.nn.functional as F
@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    losses = []
    iou_list = []
    dice_list = []
    for x, y in loader:
        z = model(x)
        for b in range(len(x)):
            if z.shape[1] == 1:
                losses.append(F.binary_cross_entropy_with_logits(z[b, 0], y[b].float()).item())
                yhat = (z[b, 0] > 0.5).to(torch.int64)
                n_cls = 2
            else:
                losses.append(F.cross_entropy(z[b:b + 1], y[b:b + 1]).item())
                yhat = z[b].argmax(0)
                n_cls = z.shape[1]
            iou_list.append(np.mean([float(iou(yhat == c, y[b] == c)) for c in range(1, n_cls)]))
            dice_list.append(np.mean([float(dice(yhat == c, y[b] == c)) for c in range(1, n_cls)]))
    model.train()
    return {
        "loss": float(np.mean(losses)),
        "iou": float(np.mean(iou_list)),
        "dice": float(np.mean(dice_list)),
    }
