"""Lesson 09: `train_one_epoch(model, loader, loss_fn, optimizer)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.fixtures import Arg, CountedSGD, Fixture
from helpers.checks.probes import Call
from helpers.exercises import exercise, misconception, variant
from helpers.reference.training import train_one_epoch


@exercise(
    train_one_epoch,
    lesson="09_training",
    concept="Training loop",
    points=5,
    minutes=8,
    difficulty=2,
    hints=[
        "Five things for each batch: logits, loss, old gradients away, new gradients, step. One thing before the first "
        "batch: the mode of the model.",
        "`loss_fn(model(images), masks)` is the mean of *its* batch, and the last batch may be smaller than the rest. "
        "How much should it weigh in the mean over all images?",
        "Add up `loss.item() * len(images)` and `len(images)`, and divide at the very end. `optimizer.zero_grad()` "
        "stands anywhere but between `backward()` and `step()`.",
    ],
    task=(
        "Put the model into training mode and go through the loader once, with one step of the optimizer after each "
        "batch. The loader gives images `(N, C, H, W)` and masks `(N, H, W)`; `loss_fn(logits, masks)` is the mean "
        "loss of a batch. Return the mean loss of an image as a number: a smaller last batch weighs less."
    ),
)
def probes(draw):
    """Few images, more than one batch, and mostly a last one that is smaller; models that come in either mode."""
    yield _epoch(draw, images=3, batch_size=2)
    yield _epoch(draw, images=2, batch_size=2, training=False)  # one batch
    yield _epoch(draw, images=5, batch_size=2, training=False, channels=3, num_classes=3)
    yield _epoch(draw, images=4, batch_size=2)
    yield _epoch(draw, images=draw.size(4, 5), batch_size=3, num_classes=4, channels=2)
    yield _epoch(draw, images=3, batch_size=1)


def _epoch(draw, images: int, batch_size: int, training: bool = True, channels: int = 1, num_classes: int = 2) -> Call:
    height, width = draw.size(4, 6), draw.size(7, 9)
    # Images that differ in size of their values and in their fraction of classes have losses that differ clearly.
    pictures = draw.normal(images, channels, height, width) * torch.linspace(0.5, 3, images).view(-1, 1, 1, 1)
    masks = torch.stack([draw.labels(height, width, num_classes) for _ in range(images)])
    masks[-1] = num_classes - 1
    model = {"in_channels": channels, "num_classes": num_classes, "seed": draw.seed(), "training": training}
    loader = {"images": pictures, "masks": masks, "batch_size": batch_size}
    mode = "training" if training else "evaluation"
    return Call(
        (
            Fixture("network", model),
            Fixture("batches", loader),
            Fixture("watched cross entropy"),
            Fixture("sgd", {"model": Arg(0), "lr": 0.5}),
        ),
        label=f"{images} images in batches of {batch_size} and a model that comes in {mode} mode",
    )


@misconception(
    "mean over batches instead of images",
    "You averaged the losses of the *batches*, so the images of a smaller last batch weigh more than the others. "
    "Look at what you divide by, and at what each batch adds to the sum.",
)
def mean_over_batches(model, loader, loss_fn, optimizer):
    model.train()
    losses = []
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        _update(loss, optimizer)
        losses.append(loss.item())
    return sum(losses) / len(losses)


def _update(loss, optimizer):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _epoch_of(model, loader, loss_fn, update):
    """The right course of an epoch, with an `update(loss)` of its own."""
    model.train()
    total, count = 0.0, 0
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        update(loss)
        total, count = total + loss.item() * len(images), count + len(images)
    return total / count


@misconception(
    "old gradients are kept",
    "Each step uses the sum of all gradients so far, because `backward()` *adds* to those that are there. The steps "
    "grow, and point where earlier batches wanted to go. Look for what clears the gradients, once for each batch.",
)
def no_zero_grad(model, loader, loss_fn, optimizer):
    def update(loss):
        loss.backward()
        optimizer.step()

    return _epoch_of(model, loader, loss_fn, update)


@misconception(
    "no step",
    "The gradients are computed and nobody uses them: the weights after the epoch are those before it. "
    "Look for the call that moves the weights.",
)
def no_step(model, loader, loss_fn, optimizer):
    def update(loss):
        optimizer.zero_grad()
        loss.backward()

    return _epoch_of(model, loader, loss_fn, update)


@misconception(
    "no backward pass",
    "The optimizer takes its steps, but no gradient was ever computed, so no weight moves. "
    "Look for the call that goes from the loss back to the weights.",
)
def no_backward(model, loader, loss_fn, optimizer):
    def update(loss):
        optimizer.zero_grad()
        optimizer.step()

    return _epoch_of(model, loader, loss_fn, update)


@misconception(
    "no gradient left at the step",
    "At the moment of `step()` the gradients are empty, so no weight moves: they are cleared right before it, or "
    "computed only after it. Look at the order of `zero_grad()`, `backward()` and `step()`.",
)
def cleared_before_the_step(model, loader, loss_fn, optimizer):
    def update(loss):
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()

    return _epoch_of(model, loader, loss_fn, update)


@misconception(
    "the step comes one batch late",
    "You step before `backward()`, so each step uses the gradients of the batch before, and those of the last batch "
    "are lost. Look at the order of the two.",
)
def step_first(model, loader, loss_fn, optimizer):
    def update(loss):
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()

    return _epoch_of(model, loader, loss_fn, update)


@misconception(
    "one step for the whole epoch",
    "You step once, after the last batch. The batches before only add to its gradient, and training takes as many "
    "epochs as it could take steps. Look at how far `step()` is indented.",
)
def one_step(model, loader, loss_fn, optimizer):
    optimizer.zero_grad()
    result = _epoch_of(model, loader, loss_fn, lambda loss: loss.backward())
    optimizer.step()
    return result


@misconception(
    "training in evaluation mode",
    "You train in evaluation mode: batch norm uses its running statistics and never learns them, and dropout drops "
    "nothing. Look at the mode that you put the model into before the first batch.",
)
def evaluation_mode(model, loader, loss_fn, optimizer):
    return _trained_as_it_comes(model.eval(), loader, loss_fn, optimizer)


def _trained_as_it_comes(model, loader, loss_fn, optimizer):
    total, count = 0.0, 0
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        _update(loss, optimizer)
        total, count = total + loss.item() * len(images), count + len(images)
    return total / count


@misconception(
    "the mode is left to chance",
    "You train in whatever mode the model comes in. After an evaluation that is evaluation mode: batch norm and "
    "dropout stand still. Look at what has to be said to the model before the first batch.",
)
def mode_not_set(model, loader, loss_fn, optimizer):
    return _trained_as_it_comes(model, loader, loss_fn, optimizer)


@misconception(
    "the sum of the losses",
    "You return the sum over all images, not their mean, so a larger data set seems to be harder. "
    "Look at what is missing at the end.",
)
def not_divided(model, loader, loss_fn, optimizer):
    return train_one_epoch(model, loader, loss_fn, optimizer) * len(loader.dataset)


@misconception(
    "the sum over the batches",
    "You add up the mean losses of the batches and return the sum, so the result grows with the number of batches. "
    "Look at what is missing at the end, and at how many images each batch speaks for.",
)
def sum_of_batches(model, loader, loss_fn, optimizer):
    return mean_over_batches(model, loader, loss_fn, optimizer) * len(loader)


@misconception(
    "the sum of batch means over the number of images",
    "You divide by the number of images, but what you add up are *means* of batches: the result is too small by about "
    "the batch size. Look at what each batch adds to the sum.",
)
def means_over_images(model, loader, loss_fn, optimizer):
    return mean_over_batches(model, loader, loss_fn, optimizer) * len(loader) / len(loader.dataset)


@misconception(
    "the sum over images over the number of batches",
    "You weigh each batch by its images, and then divide by the number of batches: the result is too large by about "
    "the batch size. Look at what you divide by.",
)
def images_over_batches(model, loader, loss_fn, optimizer):
    return train_one_epoch(model, loader, loss_fn, optimizer) * len(loader.dataset) / len(loader)


@misconception(
    "every batch counted as full",
    "You weigh each batch by the batch size of the loader, but the last batch may hold fewer images. "
    "Look at how many images are in the batch at hand.",
)
def full_batches(model, loader, loss_fn, optimizer):
    return means_over_images(model, loader, loss_fn, optimizer) * loader.batch_size


@misconception(
    "the loss of the last batch",
    "You return the loss of the last batch alone. It is noisy, and says nothing about the other images. "
    "Look at where your losses are added up.",
)
def last_batch(model, loader, loss_fn, optimizer):
    model.train()
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        _update(loss, optimizer)
    return loss.item()


@misconception(
    "only the first batch",
    "You return after the first batch, and the rest of the data is never seen. Look at how far `return` is indented.",
)
def first_batch(model, loader, loss_fn, optimizer):
    model.train()
    images, masks = next(iter(loader))
    loss = loss_fn(model(images), masks)
    _update(loss, optimizer)
    return loss.item()


@misconception(
    "the result keeps its graph",
    "What you return still carries the graph of every batch, because losses were added up as tensors. Kept for a "
    "hundred epochs, these graphs fill the memory. Look for where a loss should become a number.",
)
def graph_kept(model, loader, loss_fn, optimizer):
    model.train()
    total, count = 0.0, 0
    for images, masks in loader:
        loss = loss_fn(model(images), masks)
        _update(loss, optimizer)
        total, count = total + loss * len(images), count + len(images)
    return total / count


@misconception(
    "the loss after the step",
    "You run each batch through the model again after the step and report that loss. It costs a second forward pass, "
    "counts every batch twice in the batch norm, and praises the model for what it saw a moment ago. Look at how often "
    "you call the model.",
)
def loss_after_the_step(model, loader, loss_fn, optimizer):
    model.train()
    total, count = 0.0, 0
    for images, masks in loader:
        _update(loss_fn(model(images), masks), optimizer)
        with torch.no_grad():
            total += loss_fn(model(images), masks).item() * len(images)
        count += len(images)
    return total / count


@misconception(
    "two passes over the loader",
    "You go through the loader twice, perhaps once to count its images. That reads and augments all data a second time "
    "for nothing. Look at what you can count in the loop that you have.",
)
def two_passes(model, loader, loss_fn, optimizer):
    sum(len(images) for images, _ in loader)
    return train_one_epoch(model, loader, loss_fn, optimizer)


@misconception(
    "softmax before the loss",
    "You hand probabilities to the loss, which expects logits and takes the softmax itself. Twice is too often: the "
    "gradients become small and training slow. Look at what comes between the model and the loss.",
)
def softmax_first(model, loader, loss_fn, optimizer):
    return train_one_epoch(model, loader, lambda logits, masks: loss_fn(logits.softmax(dim=1), masks), optimizer)


@misconception(
    "an optimizer of your own",
    "You make an optimizer yourself, so the learning rate that was chosen outside has no effect, and momentum starts "
    "anew with every epoch. Look at whether you step with the one that was given.",
)
def own_optimizer(model, loader, loss_fn, optimizer):
    return train_one_epoch(model, loader, loss_fn, CountedSGD(model, lr=0.01))


@misconception(
    "the given loss is not used",
    "You call a loss of your own choice and leave `loss_fn` aside, so whoever trains with another one trains with "
    "yours without knowing. Look at what computes your loss.",
)
def own_loss(model, loader, loss_fn, optimizer):
    return train_one_epoch(model, loader, F.cross_entropy, optimizer)


@variant("gradients cleared at the end, divided by the size of the data set")
def cleared_at_the_end(model, loader, loss_fn, optimizer):
    model.train()
    running = 0.0
    for batch in loader:
        images, masks = batch
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        running += float(loss) * images.size(0)
    return running / len(loader.dataset)


@variant("the mode given back, tensors detached", differs=True)
def mode_given_back(model, loader, loss_fn, optimizer):
    was_training = model.training
    model.train(True)
    losses, sizes = [], []
    for images, masks in loader:
        for p in model.parameters():
            p.grad = None
        loss = loss_fn(model(images), masks)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        sizes.append(images.shape[0])
    model.train(was_training)
    sizes = torch.tensor(sizes)
    return (torch.stack(losses) * sizes).sum() / sizes.sum()


@variant("weighted mean with numpy, onto the model's device")
def with_numpy(model, loader, loss_fn, optimizer):
    device = next(model.parameters()).device
    model.train()
    losses, sizes = [], []
    for _, (images, masks) in enumerate(loader):
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad(set_to_none=True)
        output = model(images)
        loss = loss_fn(output, masks)
        loss.backward()
        optimizer.step()
        losses.append(loss.cpu().detach().numpy())
        sizes.append(len(images))
    return np.average(losses, weights=sizes)


@variant("running mean, updated with each batch")
def running_mean(model, loader, loss_fn, optimizer):
    model.train()
    mean, seen = 0.0, 0
    with torch.enable_grad():
        for images, masks in iter(loader):
            model.zero_grad()
            loss = loss_fn(model.forward(images), masks)
            loss.backward()
            optimizer.step()
            seen += len(masks)
            mean += (loss.item() - mean) * len(masks) / seen
    return mean


@variant("with a closure for the optimizer")
def with_closure(model, loader, loss_fn, optimizer):
    model.train()
    total = count = 0
    for images, masks in loader:

        def closure(images=images, masks=masks):
            optimizer.zero_grad()
            loss = loss_fn(model(images), masks)
            loss.backward()
            return loss

        total += optimizer.step(closure).item() * len(images)
        count += len(images)
    return total / count
