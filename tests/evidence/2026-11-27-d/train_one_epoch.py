# %% right: a generator that takes the steps, and a weighted average at the end
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()

    def steps():
        for images, masks in loader:
            loss = loss_fn(model(images), masks)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss.item(), len(images)

    losses, sizes = zip(*steps())
    return float(np.average(losses, weights=sizes))
# %% wrong: zero_grad stands between backward and step, so the fresh gradients are gone before the step and the model learns nothing
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in loader:
        out = model(x)
        loss = loss_fn(out, y)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        total += loss.item() * x.shape[0]
        count += x.shape[0]
    return total / count
# %% wrong: divides by len(loader.dataset), which a list of batches does not have; with a list it raises an AttributeError
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    running_loss = 0.0
    for batch_idx, (inputs, labels) in enumerate(loader):
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = loss_fn(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * inputs.size(0)
    epoch_loss = running_loss / len(loader.dataset)
    return epoch_loss
# %% wrong: never calls model.train(), so a model that comes in evaluation mode is trained with frozen batch norm statistics and without dropout
def train_one_epoch(model, loader, loss_fn, optimizer):
    seen = 0
    summed = 0.0
    for images, masks in loader:
        n = images.shape[0]
        # forward
        loss = loss_fn(model(images), masks)
        # backward
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        # bookkeeping: the last batch may be smaller
        summed = summed + n * float(loss.detach())
        seen = seen + n
    return summed / seen
