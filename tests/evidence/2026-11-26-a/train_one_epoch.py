# %% right: lists of losses and batch sizes, weighted at the end
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    losses, sizes = [], []
    for batch in loader:
        images, masks = batch
        optimizer.zero_grad()
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        sizes.append(images.shape[0])
    weighted = [value * size for value, size in zip(losses, sizes)]
    return sum(weighted) / sum(sizes)


# %% wrong: never clears the gradients, so those of earlier batches pile up in every step
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    running, seen = 0.0, 0
    for x, y in loader:
        out = model(x)
        loss = loss_fn(out, y)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(x)
        seen += len(x)
    return running / seen


# %% wrong: [two] first the model is not put into training mode, so one that comes in evaluation mode stays there; second the mean is over batches, so a smaller last batch weighs as much as the others
def train_one_epoch(model, loader, loss_fn, optimizer):
    total_loss = 0
    n_batches = 0
    for images, masks in loader:
        optimizer.zero_grad(set_to_none=True)
        logits = model(images)
        loss = loss_fn(logits, masks)
        loss.backward()
        optimizer.step()
        total_loss += float(loss)
        n_batches += 1
    return total_loss / n_batches
