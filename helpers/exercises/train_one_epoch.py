"""Lesson 09: `train_one_epoch(model, loader, loss_fn, optimizer)`."""

import numpy as np
import torch

from helpers.checks.fixtures import Arg, Fixture
from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.training import train_one_epoch


@exercise(
    train_one_epoch,
    lesson="09_training",
    concept="Training loop",
    points=5,
    minutes=8,
    difficulty=2,
    hints=[
        "Five things for each batch: logits, loss, clear the old gradients, compute the new ones, step. One thing "
        "before the first batch: the mode of the model.",
        "`loss_fn(model(images), masks)` is the mean of *its* batch, and the last batch may be smaller than the rest. "
        "How much should it weigh in the mean over all images?",
        "Add up `loss.item() * len(images)` and `len(images)`, and divide at the very end. `optimizer.zero_grad()` "
        "may stand anywhere except between `backward()` and `step()`.",
    ],
    task=(
        "Put the model into training mode and go through the loader once, with one step of the optimizer after each "
        "batch. The loader, a `DataLoader` or a list, gives images `(N, C, H, W)` and masks `(N, H, W)`; "
        "`loss_fn(logits, masks)` is the mean loss of a batch. Return the mean loss of an image as a number: a smaller "
        "last batch weighs less."
    ),
)
def probes(draw):
    """Few images, more than one batch, and mostly a last one that is smaller; models that come in either mode."""
    yield _epoch(draw, images=3, batch_size=2)
    yield _epoch(draw, images=2, batch_size=2, training=False)  # one batch
    yield _epoch(draw, images=5, batch_size=2, training=False, channels=3, num_classes=3)
    yield _epoch(draw, images=4, batch_size=2)
    yield _epoch(draw, images=draw.size(4, 5), batch_size=3, num_classes=4, channels=2)
    yield _epoch(draw, images=1, batch_size=1)  # sums and means are one: what else is wrong shows alone
    yield _epoch(draw, images=3, batch_size=1, loader="list of batches")
    yield _epoch(draw, images=3, batch_size=2, scale=20)  # long gradients


edit = edits_of(train_one_epoch)


def _epoch(draw, images, batch_size, training=True, channels=1, num_classes=2, loader="batches", scale=1) -> Call:
    height, width = draw.size(4, 6), draw.size(7, 9)
    # Images that differ in size of their values and in their fraction of classes have losses that differ clearly.
    pictures = draw.normal(images, channels, height, width) * torch.linspace(0.5, 3, images).view(-1, 1, 1, 1)
    masks = torch.stack([draw.labels(height, width, num_classes) for _ in range(images)])
    masks[0], masks[-1] = 0, num_classes - 1
    model = {"in_channels": channels, "num_classes": num_classes, "seed": draw.seed(), "training": training}
    batches = {"images": pictures, "masks": masks, "batch_size": batch_size}
    parts = "batches" if loader == "batches" else "a list of batches"
    mode = "training" if training else "evaluation"
    return Call(
        (
            Fixture("network", model),
            Fixture(loader, batches),
            Fixture("watched cross entropy", {"scale": scale}),
            Fixture("sgd", {"model": Arg(0), "lr": 0.5 / scale}),
        ),
        label=f"{images} image{'s' * (images > 1)} in {parts} of {batch_size} and a model that comes in {mode} mode",
    )


edit(
    "mean over batches instead of images",
    "You averaged the losses of the *batches*, so the images of a smaller last batch weigh more than the others. "
    "Look at what you divide by, and at what each batch adds to the sum.",
    ("loss.item() * len(images)", "loss.item()"),
    ("count += len(images)", "count += 1"),
)

edit(
    "old gradients are kept",
    "Each step uses the sum of all gradients so far, because `backward()` *adds* to those that are there. The steps "
    "grow, and point where earlier batches wanted to go. Look for what clears the gradients, once for each batch.",
    ("        optimizer.zero_grad()\n", ""),
)

edit(
    "no step",
    "The gradients are computed and nobody uses them: the weights after the epoch are those before it. "
    "Look for the call that moves the weights.",
    ("        optimizer.step()\n", ""),
)

edit(
    "no backward pass",
    "The optimizer takes its steps, but no gradient was ever computed, so no weight moves. "
    "Look for the call that goes from the loss back to the weights.",
    ("        loss.backward()\n", ""),
)

edit(
    "no gradient left at the step",
    "At the moment of `step()` the gradients are empty, so no weight moves: they are cleared right before it, or "
    "computed only after it. Look at the order of `zero_grad()`, `backward()` and `step()`.",
    ("        optimizer.zero_grad()\n", ""),
    ("loss.backward()", "loss.backward()\n        optimizer.zero_grad()"),
)

edit(
    "the step comes one batch late",
    "You step before `backward()`, so each step uses the gradients of the batch before, and those of the last batch "
    "are lost. Look at the order of the two.",
    ("        optimizer.step()\n", ""),
    ("optimizer.zero_grad()", "optimizer.step()\n        optimizer.zero_grad()"),
)

edit(
    "one step for the whole epoch",
    "You step once, after the last batch. The batches before only add to its gradient, and training takes as many "
    "epochs as it could take steps. Look at how far `step()` is indented.",
    ("        optimizer.step()\n", ""),
    ("        optimizer.zero_grad()\n", ""),
    ("model.train()", "model.train()\n    optimizer.zero_grad()"),
    ("    return", "    optimizer.step()\n    return"),
)

edit(
    "training in evaluation mode",
    "You train in evaluation mode: batch norm uses its running statistics and never learns them, and dropout drops "
    "nothing. Look at the mode that you put the model into before the first batch.",
    ("model.train()", "model.eval()"),
)

edit(
    "the mode is left to chance",
    "You train in whatever mode the model comes in. After an evaluation that is evaluation mode: batch norm and "
    "dropout stand still. Look at what has to be said to the model before the first batch.",
    ("    model.train()\n", ""),
)

edit(
    "the sum of the losses",
    "You return the sum over all images, not their mean, so a larger data set seems to be harder. "
    "Look at what is missing at the end.",
    ("total / count", "total"),
)

edit(
    "the sum over the batches",
    "You add up the mean losses of the batches and return the sum, so the result grows with the number of batches. "
    "Look at what is missing at the end, and at how many images each batch speaks for.",
    ("loss.item() * len(images)", "loss.item()"),
    ("total / count", "total"),
)

edit(
    "the sum of batch means over the number of images",
    "You divide by the number of images, but what you add up are *means* of batches: the result is too small by about "
    "the batch size. Look at what each batch adds to the sum.",
    ("loss.item() * len(images)", "loss.item()"),
)

edit(
    "the sum over images over the number of batches",
    "You weigh each batch by its images, and then divide by the number of batches: the result is too large by about "
    "the batch size. Look at what you divide by.",
    ("count += len(images)", "count += 1"),
)

edit(
    "every batch counted as full",
    "You weigh each batch by the batch size of the loader, but the last batch may hold fewer images. "
    "Look at how many images are in the batch at hand.",
    ("    for images", "    size = 0\n    for images"),
    ("        total", "        size = max(size, len(images))\n        total"),
    ("loss.item() * len(images)", "loss.item() * size"),
)

edit(
    "the loss of the last batch",
    "You return the loss of the last batch alone. It is noisy, and says nothing about the other images. "
    "Look at where your losses are added up.",
    ("total / count", "loss.item()"),
)

edit(
    "only the first batch",
    "You return after the first batch, and the rest of the data is never seen. Look at how far `return` is indented.",
    ("    return", "        return"),
)

edit(
    "the result keeps its graph",
    "What you return still carries the graph of every batch, because losses were added up as tensors. Kept for a "
    "hundred epochs, these graphs fill the memory. Look for where a loss should become a number.",
    ("loss.item()", "loss"),
)

edit(
    "the loss after the step",
    "You run each batch through the model again after the step and report that loss. It costs a second forward pass, "
    "counts every batch twice in the batch norm, and praises the model for what it saw a moment ago. Look at how often "
    "you call the model.",
    ("total += loss.item()", "total += loss_fn(model(images), masks).item()"),
)

edit(
    "two passes over the loader",
    "You go through the loader twice, perhaps once to count its images. That reads and augments all data a second time "
    "for nothing. Look at what you can count in the loop that you have.",
    ("total / count", "total / sum(len(images) for images, _ in loader)"),
)

edit(
    "softmax before the loss",
    "You hand probabilities to the loss, which expects logits and takes the softmax itself. Twice is too often: the "
    "gradients become small and training slow. Look at what comes between the model and the loss.",
    ("model(images)", "model(images).softmax(dim=1)"),
)

edit(
    "an optimizer of your own",
    "You make an optimizer yourself, so the learning rate that was chosen outside has no effect, and momentum starts "
    "again with every epoch. Look at whether you step with the one that was given.",
    ("model.train()", "model.train()\n    optimizer = type(optimizer)(model, lr=0.01)"),
)

edit(
    "the given loss is not used",
    "You call a loss of your own choice and leave `loss_fn` aside, so whoever trains with another one trains with "
    "yours without knowing. Look at what computes your loss.",
    ("loss_fn(model", "F.cross_entropy(model"),
)

edit(
    "sigmoid before the loss",
    "You hand the loss probabilities, from a sigmoid, and it expects logits. It takes them for small logits, which are "
    "never sure of anything: gradients become small and training slow. Look at what comes between the model and the "
    "loss.",
    ("model(images)", "model(images).sigmoid()"),
)

edit(
    "gradients clipped",
    "You cut the gradients off at length 1 before the step. That is a remedy for training that leaps about, and for "
    "whoever trains to choose: here each step follows the gradient as it is. Look at what stands between `backward()` "
    "and `step()`.",
    ("loss.backward()", "loss.backward()\n        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)"),
)

edit(
    "more asked of the loader than its batches",
    "You ask the loader for something that only some loaders have, such as `dataset`: a list of batches has none. "
    "All you need is in the batches. Look at how you know how many images there were.",
    ("total / count", "total / len(loader.dataset)"),
)

edit(
    "a smaller last batch left out",
    "You leave out a batch that is smaller than the first. Its images are as good as the others: they get a step, "
    "and a smaller weight in the mean. Look at the condition under which you go on to the next batch.",
    ("    for images", "    size = 0\n    for images"),
    (
        "        loss =",
        "        size = max(size, len(images))\n        if len(images) < size:\n            continue\n        loss =",
    ),
)

edit(
    "batches without an object left out",
    "You leave out batches whose masks are all background. From these a network learns where nothing is. "
    "Look at the condition under which you go on to the next batch.",
    ("        loss =", "        if not masks.any():\n            continue\n        loss ="),
)

edit(
    "a step for each image",
    "You take a step for each image, not for each batch. Whoever chose the batch size and the rate chose them "
    "together, and batch norm sees one image at a time. Look at the loop inside your loop.",
    ("in loader", "in ((x[None], y[None]) for batch in loader for x, y in zip(*batch, strict=True))"),
)

edit(
    "left in evaluation mode",
    "You end in evaluation mode. The task asks for training mode, and a model that came in training mode is in "
    "another one now. Look for `eval()`.",
    ("    return", "    model.eval()\n    return"),
)

edit(
    "masks changed for the loss",
    "You change the masks, or their shape, before you hand them to the loss. `loss_fn(logits, masks)` takes them as "
    "the loader gives them, `(N, H, W)` and whole numbers. Look at what you do to them.",
    ("masks)\n", "masks[:, None].float())\n"),
)


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
            loss = loss_fn(model.forward(images), masks)
            loss.backward()
            optimizer.step()
            model.zero_grad()
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
