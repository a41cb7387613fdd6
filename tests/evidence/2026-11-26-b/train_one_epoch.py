# %% right: the loop of the PyTorch tutorial with a weighted mean
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total, count = 0.0, 0
    for images, masks in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        total += loss.item() * images.shape[0]
        count += images.shape[0]
    return total / count

# %% wrong: The gradients are never set to zero, so each step also follows the gradients of all batches before.
def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    running_loss = 0.0
    seen = 0
    for batch_idx, (data_, target) in enumerate(loader):
        output = model(data_)
        loss = loss_fn(output, target)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * data_.size(0)
        seen += data_.size(0)
    return running_loss / seen

# %% wrong: [two] first the model is not put into training mode; second it returns the mean over the batches, in which a smaller last batch weighs as much as the others
def train_one_epoch(model, loader, loss_fn, optimizer):
    history = []
    for x, y in loader:
        y_pred = model(x)
        loss = loss_fn(y_pred, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return sum(history) / len(history)
