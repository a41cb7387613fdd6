# %% right: works on a deep copy in evaluation mode, warm-up before the clock, numbers from the state of the parameters
def compare(models, loader):
    import copy
    import time

    from helpers.reference.training import evaluate

    batches = list(loader)

    def row(name, model):
        twin = copy.deepcopy(model).eval()
        with torch.inference_mode():
            twin(batches[0][0])
            begin = time.perf_counter()
            images = sum(twin(x).shape[0] for x, _ in batches)
            end = time.perf_counter()
        scores = evaluate(twin, batches)
        size = torch.nn.utils.parameters_to_vector(twin.parameters()).numel()
        return {"name": name, "parameters": size, "ms": 1e3 * (end - begin) / images} | {
            k: scores[k] for k in ("dice", "iou")
        }

    return [row(*item) for item in models.items()]


# %% right: the median over single images, modes of all modules put back one by one
def compare(models, loader):
    import statistics
    from time import perf_counter_ns as now

    from helpers.reference.training import evaluate

    table = []
    for name in models:
        net = models[name]
        modes = [(m, m.training) for m in net.modules()]
        result = evaluate(net, loader)
        net.eval()
        times = []
        with torch.no_grad():
            for images, _ in loader:
                for image in images.split(1):
                    start = now()
                    net(image)
                    times.append((now() - start) / 1e6)
        for module, mode in modes:
            module.training = mode
        count = 0
        for p in net.parameters():
            count += int(np.prod(tuple(p.shape)))
        table.append(dict(name=name, parameters=count, ms=statistics.median(times), dice=result["dice"], iou=result["iou"]))
    return table


# %% wrong: counts only parameters with requires_grad, so frozen ones are missing
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    rows = []
    for name, model in models.items():
        scores = evaluate(model, loader)
        was = model.training
        model.eval()
        n, elapsed = 0, 0.0
        with torch.no_grad():
            for images, masks in loader:
                t0 = time.perf_counter()
                model(images)
                elapsed += time.perf_counter() - t0
                n += len(images)
        model.train(was)
        rows.append(
            {
                "name": name,
                "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
                "ms": elapsed / n * 1000,
                "dice": scores["dice"],
                "iou": scores["iou"],
            }
        )
    return rows


# %% wrong: milliseconds of a batch, not of an image
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    out = []
    for name, model in models.items():
        mode = model.training
        model.eval()
        times = []
        with torch.no_grad():
            for images, _ in loader:
                start = time.perf_counter()
                _ = model(images)
                times.append((time.perf_counter() - start) * 1000)
        model.train(mode)
        metrics = evaluate(model, loader)
        out.append(
            {
                "name": name,
                "parameters": sum(map(torch.numel, model.parameters())),
                "ms": sum(times) / len(times),
                "dice": metrics["dice"],
                "iou": metrics["iou"],
            }
        )
    return out


# %% wrong: rows sorted by Dice, the best first
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    rows = []
    for name, model in models.items():
        s = evaluate(model, loader)
        was = model.training
        model.eval()
        start, n = time.perf_counter(), 0
        with torch.no_grad():
            for images, _ in loader:
                model(images)
                n += images.shape[0]
        ms = (time.perf_counter() - start) / n * 1e3
        model.train(was)
        p = sum(w.numel() for w in model.parameters())
        rows.append({"name": name, "parameters": p, "ms": ms, "dice": s["dice"], "iou": s["iou"]})
    return sorted(rows, key=lambda row: row["dice"], reverse=True)


# %% wrong: counts everything in the state_dict, the running statistics among the parameters
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    def speed(model):
        count, total = 0, 0.0
        mode = model.training
        model.eval()
        with torch.no_grad():
            for images, _ in loader:
                t = time.perf_counter()
                model(images)
                total += time.perf_counter() - t
                count += len(images)
        model.train(mode)
        return 1000 * total / count

    def describe(name, model):
        scores = evaluate(model, loader)
        scores.pop("loss")
        total = sum(v.numel() for v in model.state_dict().values())
        return dict(name=name, parameters=total, ms=speed(model), **scores)

    return [describe(name, model) for name, model in models.items()]


# %% wrong: rounds the scores to two digits
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    results = []
    for name, model in models.items():
        training = model.training
        scores = evaluate(model, loader)
        model.eval()
        total_time, total_images = 0, 0
        with torch.no_grad():
            for images, _ in loader:
                start = time.perf_counter()
                model(images)
                total_time += time.perf_counter() - start
                total_images += images.size(0)
        model.train(training)
        results.append(
            {
                "name": name,
                "parameters": sum(p.numel() for p in model.parameters()),
                "ms": total_time / total_images * 1000,
                "dice": round(scores["dice"], 2),
                "iou": round(scores["iou"], 2),
            }
        )
    return results


# %% wrong: dice and iou under each other's names
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    rows = []
    for name, model in models.items():
        _, dice_score, iou_score = evaluate(model, loader).values()
        was, spent, n = model.training, 0.0, 0
        model.eval()
        with torch.no_grad():
            for x, _ in loader:
                a = time.perf_counter()
                model(x)
                spent += time.perf_counter() - a
                n += len(x)
        model.train(was)
        values = name, sum(p.nelement() for p in model.parameters()), spent / n * 1e3, dice_score, iou_score
        rows.append(dict(zip(("name", "parameters", "ms", "dice", "iou"), values)))
    return rows


# %% wrong: a dict keyed by the models' names in place of a list of rows
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    table = {}
    for name, model in models.items():
        scores = evaluate(model, loader)
        was = model.training
        model.eval()
        elapsed = n = 0
        with torch.no_grad():
            for images, _ in loader:
                start = time.perf_counter()
                model(images)
                elapsed += time.perf_counter() - start
                n += len(images)
        model.train(was)
        table[name] = {
            "name": name,
            "parameters": sum(p.numel() for p in model.parameters()),
            "ms": 1000 * elapsed / n,
            "dice": scores["dice"],
            "iou": scores["iou"],
        }
    return table


# %% wrong: Dice and IoU of its own over all pixels of the loader together, and not for each image
def compare(models, loader):
    import time

    rows = []
    for name, model in models.items():
        was = model.training
        model.eval()
        ms, n = 0.0, 0
        inter = pred_sum = mask_sum = 0
        with torch.no_grad():
            for images, masks in loader:
                start = time.perf_counter()
                logits = model(images)
                ms += (time.perf_counter() - start) * 1000
                n += len(images)
                pred = (logits[:, 0] > 0) if logits.shape[1] == 1 else logits.argmax(1) == 1
                target = masks == 1
                inter += (pred & target).sum().item()
                pred_sum += pred.sum().item()
                mask_sum += target.sum().item()
        model.train(was)
        union = pred_sum + mask_sum - inter
        rows.append(
            {
                "name": name,
                "parameters": sum(p.numel() for p in model.parameters()),
                "ms": ms / n,
                "dice": 2 * inter / (pred_sum + mask_sum) if pred_sum + mask_sum else 1.0,
                "iou": inter / union if union else 1.0,
            }
        )
    return rows


# %% wrong: [two] first seconds in place of milliseconds; second the models are left in evaluation mode
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    rows = []
    for name, model in models.items():
        model.eval()
        scores = evaluate(model, loader)
        elapsed, count = 0.0, 0
        with torch.no_grad():
            for images, _ in loader:
                start = time.perf_counter()
                model(images)
                elapsed += time.perf_counter() - start
                count += images.shape[0]
        rows.append(
            {
                "name": name,
                "parameters": sum(p.numel() for p in model.parameters()),
                "ms": elapsed / count,
                "dice": scores["dice"],
                "iou": scores["iou"],
            }
        )
    return rows


# %% wrong: [two] first counts the parameter tensors and not the numbers in them; second times the model in the mode it comes in, so batch norms learn from the test images
def compare(models, loader):
    import time

    from helpers.reference.training import evaluate

    rows = []
    for name, model in models.items():
        scores = evaluate(model, loader)
        elapsed, count = 0.0, 0
        with torch.no_grad():
            for images, _ in loader:
                start = time.perf_counter()
                model(images)
                elapsed += time.perf_counter() - start
                count += images.shape[0]
        rows.append(
            {
                "name": name,
                "parameters": len(list(model.parameters())),
                "ms": 1000 * elapsed / count,
                "dice": scores["dice"],
                "iou": scores["iou"],
            }
        )
    return rows
