# %% right: a context manager lends the model in evaluation mode, evaluate gives the scores, rows by comprehension
def compare(models, loader):
    import contextlib
    import time

    @contextlib.contextmanager
    def lent(model):
        before = [(part, part.training) for part in model.modules()]
        try:
            with torch.no_grad():
                yield model.eval()
        finally:
            for part, mode in before:
                part.training = mode

    def milliseconds(model):
        spent, images_seen = 0.0, 0
        for images, _ in loader:
            start = time.perf_counter()
            model(images)
            spent += time.perf_counter() - start
            images_seen += images.shape[0]
        return 1000 * spent / images_seen

    def row(name, model):
        with lent(model):
            scores = evaluate(model, loader)       # warms up, too
            return {
                "name": name,
                "parameters": sum(p.numel() for p in model.parameters()),
                "ms": milliseconds(model),
                "dice": float(scores["dice"]),
                "iou": float(scores["iou"]),
            }

    return [row(name, model) for name, model in models.items()]
# %% wrong: counts only parameters with requires_grad, so the frozen ones are missing
def compare(models, loader):
    from time import perf_counter
    rows = []
    for name, model in models.items():
        flags = {m: m.training for m in model.modules()}
        # numbers to learn
        n_params = 0
        for p in model.parameters():
            if p.requires_grad:
                n_params += p.numel()
        result = evaluate(model, loader)
        model.eval()
        t, n = 0.0, 0
        with torch.no_grad():
            for images, masks in loader:
                t0 = perf_counter()
                model(images)
                t += perf_counter() - t0
                n += len(images)
        for m, f in flags.items():
            m.training = f
        rows.append(dict(name=name, parameters=n_params, ms=t / n * 1000,
                         dice=result["dice"], iou=result["iou"]))
    return rows
# %% wrong: ms is the time of a batch, not of an image: the total is divided by the number of batches
def compare(models, loader):
    import time

    table = []
    for name in models:
        net = models[name]
        saved = [m.training for m in net.modules()]
        score = evaluate(net, loader)
        net.eval()
        times = []
        with torch.no_grad():
            for x, _ in loader:
                tic = time.perf_counter()
                net(x)
                toc = time.perf_counter()
                times.append(toc - tic)
        for m, s in zip(net.modules(), saved):
            m.training = s
        table.append({
            "name": name,
            "parameters": sum([w.numel() for w in net.parameters()]),
            "ms": 1000.0 * float(np.mean(times)),
            "dice": score["dice"],
            "iou": score["iou"],
        })
    return table
# %% wrong: [two] first, parameters are counted from the state_dict, so running means, variances and counters of the batch norms are among them; second, every model is left in evaluation mode
def compare(models, loader):
    import time

    out = []
    for name, model in models.items():
        size = sum(tensor.numel() for tensor in model.state_dict().values())
        metrics = evaluate(model, loader)
        model.eval()
        n = sum(len(images) for images, _ in loader)
        with torch.inference_mode():
            start = time.time()
            for images, _ in loader:
                _ = model(images)
            elapsed = time.time() - start
        out.append({"name": name, "parameters": size, "ms": elapsed * 1e3 / n,
                    "dice": metrics["dice"], "iou": metrics["iou"]})
    return out
