# %% right: the optimizer calls a closure that clears, predicts and goes backward; sums kept in tensors
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    losses, sizes = [], []

    def closure():
        optimizer.zero_grad()
        value = loss_fn(model(images), masks)
        value.backward()
        return value

    for images, masks in loader:
        losses.append(optimizer.step(closure).detach())
        sizes.append(images.size(0))
    weights = torch.tensor(sizes, dtype=torch.float64)
    return (torch.stack(losses).double() @ weights / weights.sum()).item()


# %% right: gradients from torch.autograd.grad, put into place by hand
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train(True)
    trained = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    mean, seen = 0.0, 0
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        for p, gradient in zip(trained, torch.autograd.grad(loss, trained, allow_unused=True)):
            p.grad = gradient
        optimizer.step()
        seen += len(images)
        mean += (float(loss) - mean) * len(images) / seen
    return mean


# %% wrong: clips the gradients to norm 1 before the step, which nobody asked for
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total_loss = 0.0
    num_samples = 0
    for images, masks in loader:
        optimizer.zero_grad(set_to_none=True)
        logits = model(images)
        loss = loss_fn(logits, masks)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        total_loss += loss.item() * images.size(0)
        num_samples += images.size(0)
    return total_loss / num_samples


# %% wrong: one single step for the whole epoch, after the gradients of all batches have been added up
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    optimizer.zero_grad()
    total = 0.0
    n = 0
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        loss.backward()
        total += loss.item() * len(images)
        n += len(images)
    optimizer.step()
    return total / n


# %% wrong: leaves out the last batch where it is smaller than the others
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    full = None
    total, count = 0.0, 0
    for images, masks in loader:
        if full is None:
            full = images.shape[0]
        if images.shape[0] < full:
            continue
        optimizer.zero_grad()
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        total += loss.item() * full
        count += full
    return total / count


# %% wrong: computes the loss that it returns a second time, after the step
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total, count = 0.0, 0
    for images, masks in loader:
        optimizer.zero_grad()
        loss_fn(model(images), masks).backward()
        optimizer.step()
        with torch.no_grad():
            loss = loss_fn(model(images), masks)
        total += loss.item() * len(images)
        count += len(images)
    return total / count


# %% wrong: gives the loss probabilities (a sigmoid) in place of logits
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    sums = np.zeros(2)
    for images, masks in loader:
        optimizer.zero_grad()
        probabilities = torch.sigmoid(model(images))
        loss = loss_fn(probabilities, masks)
        loss.backward()
        optimizer.step()
        sums += np.array([loss.item() * len(images), len(images)])
    return float(sums[0] / sums[1])


# %% wrong: asks the loader for its data set, its batch size and its length, so a list of batches fails
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    running_loss = 0.0
    for step, (images, masks) in enumerate(loader):
        optimizer.zero_grad()
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * images.size(0)
    return running_loss / len(loader.dataset)


# %% wrong: skips batches whose masks are empty
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    history = []
    for images, masks in loader:
        if not masks.any():
            continue
        optimizer.zero_grad()
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        history += [loss.item()] * len(images)
    return sum(history) / max(1, len(history))


# %% wrong: adds the batches' means and divides by the number of images
def train_one_epoch(model, loader, loss_fn, optimizer):
    model = model.train()
    losses = []
    n_images = 0
    for batch in loader:
        images, masks = batch[0], batch[1]
        optimizer.zero_grad()
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        n_images += images.shape[0]
    return sum(losses) / n_images


# %% wrong: [two] first the gradients are cleared once before the loop and never again; second a running average of 0.9 and 0.1 in place of the mean
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    optimizer.zero_grad()
    average = None
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        average = loss.item() if average is None else 0.9 * average + 0.1 * loss.item()
    return average


# %% wrong: [two] first clears the gradients between backward and step; second returns the sum over all images in place of the mean
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    return sum(_one_batch(model, x, y, loss_fn, optimizer) * len(x) for x, y in loader)


def _one_batch(model, x, y, loss_fn, optimizer):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()
