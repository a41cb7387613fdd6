"""Lesson 09: `evaluate(model, loader)`."""

import contextlib

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.fixtures import Fixture, make
from helpers.checks.probes import Call
from helpers.exercises import exercise, misconception, variant
from helpers.reference.overlap import dice, iou
from helpers.reference.training import evaluate


@exercise(
    evaluate,
    lesson="09_training",
    concept="Evaluation",
    points=5,
    minutes=8,
    difficulty=3,
    hints=[
        "Remember `model.training` before you change it. The loop is the one from training without its three calls "
        "for the gradients, under `torch.no_grad()`.",
        "`logits.argmax(dim=1)` is `(N, H, W)`, the class of each pixel. A single logit has nothing to compare with: "
        "its pixel is object where the logit is above 0. What does a second logit of 0 beside it turn that into?",
        "For each image and each class `c` from 1 on, score `pred == c` against `target == c` with `iou` and `dice` of "
        "lesson 02. Add up over images, weigh the batch's loss by its images, and divide by the number of images.",
    ],
    task=(
        'Return `{"loss", "iou", "dice"}`, three numbers, each the mean over all images: the cross-entropy, and the '
        "two scores of lesson 02, for each image the mean over all classes but background (class 0). The model gives "
        "logits `(N, K, H, W)`; with K = 1 they are logits of class 1 against class 0. The loader gives images and "
        "int64 masks `(N, H, W)`. Run the model in evaluation mode and without gradients, and give it back in the "
        "mode it came in."
    ),
)
def probes(draw):
    """Models with running statistics of their own, in either mode; masks that agree with the model here and there."""
    yield _evaluation(draw, images=3, batch_size=2, num_classes=2)
    yield _evaluation(draw, images=3, batch_size=2, num_classes=1, training=False)
    yield _evaluation(draw, images=5, batch_size=2, num_classes=4, channels=2, absent=True)
    yield _evaluation(draw, images=draw.size(2, 3), batch_size=4, num_classes=3, training=False)  # one batch
    yield _evaluation(draw, images=draw.size(4, 5), batch_size=3, num_classes=1)
    yield _single_pixels(draw)


def _single_pixels(draw) -> Call:
    """Three images in which class 1 has one pixel: predicted and there; predicted only; there only."""
    while True:
        model = Fixture("fully convolutional network", {"in_channels": 1, "num_classes": 3, "seed": draw.seed()})
        pictures = 2 * draw.normal(16, 1, 2, 3)
        logits = make(model, []).eval()(pictures).detach()
        best, second = logits.topk(2, dim=1).values.unbind(dim=1)
        count = (logits.argmax(dim=1) == 1).sum(dim=(1, 2))
        clear = (best - second).amin(dim=(1, 2)) > 1e-3
        once, never = ((count == k) & clear for k in (1, 0))
        if once.sum() >= 2 and never.any():
            break
    chosen = [*once.nonzero()[:2, 0].tolist(), int(never.nonzero()[0])]
    masks = logits.argmax(dim=1)[chosen]
    masks[1][masks[1] == 1] = 0
    masks[2, 1, 2] = 1
    return Call(
        (model, Fixture("batches", {"images": pictures[chosen], "masks": masks, "batch_size": 2})),
        label="3 images in which class 1 has a single pixel: found, invented, and missed",
    )


def _evaluation(
    draw, images: int, batch_size: int, num_classes: int, channels: int = 1, training: bool = True, absent: bool = False
) -> Call:
    height, width = draw.size(5, 7), draw.size(8, 10)
    while True:
        settings = {"in_channels": channels, "num_classes": num_classes, "seed": draw.seed(), "training": training}
        model = Fixture("fully convolutional network", settings)
        pictures = 2 * draw.normal(images, channels, height, width)
        logits = _two_or_more(make(model, []).eval()(pictures)).detach()
        masks = _fitting(draw, logits, num_classes, absent)
        if masks is not None:
            break
    mode = "training" if training else "evaluation"
    return Call(
        (model, Fixture("batches", {"images": pictures, "masks": masks, "batch_size": batch_size})),
        label=(
            f"{images} images in batches of {batch_size}, a model with {num_classes} "
            f"logit{'s'[: num_classes > 1]} a pixel that comes in {mode} mode"
        ),
    )


def _fitting(draw, logits, num_classes, absent):
    """Masks for these logits, or `None` if they would not tell right from wrong.

    No pixel is undecided, so that rounding changes no class; no class is predicted almost everywhere; with `absent`,
    some class is in neither mask of an image; a single logit has values that a threshold of 0.5 would change.
    """
    best, second = logits.topk(2, dim=1).values.unbind(dim=1)
    pred = logits.argmax(dim=1)
    fractions = torch.stack([(pred == c).float().mean(dim=(1, 2)) for c in range(logits.shape[1])], dim=1)  # (N, K)
    between = ((logits[:, 1] > 0) & (logits[:, 1] < 0.5)).any()
    missing = (fractions[:, 1:] == 0).nonzero()
    if absent and not len(missing):
        return None
    if (best - second).min() < 1e-3 or fractions.mean(dim=0).max() > 0.85 or (num_classes == 1 and not between):
        return None
    wrong = torch.stack([draw.mask(*p.shape, fraction=draw.uniform(0.1, 0.6)) for p in pred])
    masks = torch.where(wrong, torch.stack([draw.labels(*p.shape, logits.shape[1]) for p in pred]), pred)
    for image, c in missing[: int(absent)].tolist():
        masks[image][masks[image] == c + 1] = 0  # in neither: two empty masks
    return masks


# ---- what goes wrong ----


def _two_or_more(logits):
    return torch.cat([torch.zeros_like(logits), logits], dim=1) if logits.shape[1] == 1 else logits


@contextlib.contextmanager
def _evaluating(model):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        yield
    model.train(was_training)


def _loss(logits, masks):
    return F.cross_entropy(logits, masks).item()


def _predicted(logits):
    return logits.argmax(dim=1)


def _scores(pred, target, num_classes):
    """IoU and Dice, each the mean over the classes but background; of all pixels, whatever the shape."""
    classes = range(1, num_classes)
    return tuple(sum(score(pred == c, target == c) for c in classes) / len(classes) for score in (iou, dice))


def _by_batch(model, loader, loss=_loss, predicted=_predicted, scores=_scores):
    """For each batch: how many images, mean loss, mean IoU, mean Dice."""
    rows = []
    for images, masks in loader:
        logits = _two_or_more(model(images))
        pred = predicted(logits)
        each = [scores(p, t, logits.shape[1]) for p, t in zip(pred, masks, strict=True)]
        rows.append((len(images), loss(logits, masks), *np.mean(each, axis=0).tolist()))
    return rows


def _mean(rows, weighted=(True, True, True)):
    columns = list(zip(*rows, strict=True))
    weights = [columns[0] if w else None for w in weighted]
    names = ("loss", "iou", "dice")
    return {n: float(np.average(c, weights=w)) for n, c, w in zip(names, columns[1:], weights, strict=True)}


@misconception(
    "evaluated in training mode",
    "The model runs in the mode it came in. In training mode batch norm takes the statistics of each batch and changes "
    "its own, so the result depends on which images are together, and the model is no longer the one you had. "
    "Look at what has to be said to the model first.",
)
def mode_not_set(model, loader):
    with torch.no_grad():
        return _mean(_by_batch(model, loader))


@misconception(
    "put into training mode",
    "You put the model into training mode, as the training loop does. Batch norm then takes the statistics of each "
    "batch and changes its own while you only want to measure. Look at the call before your loop.",
)
def training_mode(model, loader):
    model.train()
    with torch.no_grad():
        return _mean(_by_batch(model, loader))


@misconception(
    "the mode is not given back",
    "You leave the model in evaluation mode. Whoever goes on training it then trains with batch norm and dropout "
    "standing still, and nothing says so. Look at what the mode was when the model came.",
)
def mode_kept(model, loader):
    model.eval()
    with torch.no_grad():
        return _mean(_by_batch(model, loader))


@misconception(
    "always back to training mode",
    "You put the model into training mode at the end, whatever it was in before. A finished model that is evaluated "
    "once more then changes its statistics with every prediction. Look at how you know what to go back to.",
)
def back_to_training(model, loader):
    with _evaluating(model):
        result = _mean(_by_batch(model, loader))
    model.train()
    return result


@misconception(
    "gradients are recorded",
    "The model runs with gradients on, so PyTorch records every step of every batch for a backward pass that never "
    "comes. That costs time and several times the memory. Evaluation mode does not switch it off: look for what does.",
)
def with_gradients(model, loader):
    was_training = model.training
    model.eval()
    result = _mean(_by_batch(model, loader))
    model.train(was_training)
    return result


@misconception(
    "the parameters stay frozen",
    "You switch gradients off at the parameters and leave them off. The next training step then has nothing to train. "
    "Look for `requires_grad`, and for a way to be without gradients for a while only.",
)
def frozen(model, loader):
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with _evaluating(model):
        return _mean(_by_batch(model, loader))


@misconception(
    "means over batches instead of images",
    "You averaged over the *batches*, so the images of a smaller last batch weigh more than the others, and the result "
    "depends on the batch size. Look at what you divide by, and at what each batch adds.",
)
def mean_over_batches(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, loader), weighted=(False, False, False))


@misconception(
    "the loss averaged over batches",
    "The scores are means over images, but the loss is a mean over *batches*: a smaller last batch weighs as much as "
    "a full one. Look at what each batch adds to the sum of losses.",
)
def loss_over_batches(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, loader), weighted=(False, True, True))


@misconception(
    "a batch scored as one mask",
    "You score all masks of a batch together, so an image with a large object drowns the others, and the result "
    "depends on the batch size. Look at what you hand to `iou` and `dice`: one image at a time.",
)
def batch_as_one(model, loader):
    rows = []
    with _evaluating(model):
        for images, masks in loader:
            logits = _two_or_more(model(images))
            rows.append((len(images), _loss(logits, masks), *_scores(_predicted(logits), masks, logits.shape[1])))
    return _mean(rows)


@misconception(
    "all images pooled",
    "You count the pixels of all images together and score once, so images with large objects weigh most. That is a "
    "fair number too, but another one. Here every image weighs the same: look at where you score.",
)
def all_pooled(model, loader):
    with _evaluating(model):
        rows = _by_batch(model, loader)
        logits = _two_or_more(model(loader.images))
        pooled = _scores(_predicted(logits), loader.masks, logits.shape[1])
    return {"loss": _mean(rows)["loss"], "iou": pooled[0], "dice": pooled[1]}


@misconception(
    "background scored too",
    "You scored the background as a class. It is most of the image and easy, so it lifts every score. "
    "Look at the class your loop begins with.",
)
def with_background(model, loader):
    def scores(pred, target, num_classes):
        foreground, background = _scores(pred, target, num_classes), _scores(pred + 1, target + 1, 2)
        return tuple((f * (num_classes - 1) + b) / num_classes for f, b in zip(foreground, background, strict=True))

    with _evaluating(model):
        return _mean(_by_batch(model, loader, scores=scores))


@misconception(
    "all classes but background merged",
    "You scored object against background, so confusing one class with another costs nothing. "
    "Look at what you compare: each class has a mask of its own.",
)
def merged(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, loader, scores=lambda p, t, n: (iou(p > 0, t > 0), dice(p > 0, t > 0))))


@misconception(
    "class 1 only",
    "You scored class 1 and no other, which is right for two classes and blind to the rest. "
    "Look at which classes your scores cover.",
)
def first_class_only(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, loader, scores=lambda p, t, n: (iou(p == 1, t == 1), dice(p == 1, t == 1))))


@misconception(
    "pixel accuracy instead of IoU",
    "Your `iou` is the fraction of pixels with the right class, background included. That is pixel accuracy. "
    "Look at what you count for it.",
)
def accuracy(model, loader):
    def scores(pred, target, num_classes):
        return (pred == target).float().mean().item(), _scores(pred, target, num_classes)[1]

    with _evaluating(model):
        return _mean(_by_batch(model, loader, scores=scores))


@misconception(
    "IoU and Dice exchanged",
    "The two scores stand under each other's name: your `iou` is the larger one, and IoU is never above Dice. "
    "Look at the keys of your dictionary.",
)
def exchanged(model, loader):
    result = evaluate(model, loader)
    return {"loss": result["loss"], "iou": result["dice"], "dice": result["iou"]}


@misconception(
    "softmax before the loss",
    "You hand probabilities to the cross-entropy, which expects logits and takes the softmax itself. The loss then "
    "hardly varies, and is not the one you trained with. Look at what comes between the model and the loss.",
)
def softmax_first(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, loader, loss=lambda logits, masks: _loss(logits.softmax(dim=1), masks)))


@misconception(
    "a logit taken for a probability",
    "With one logit you call a pixel object where the *logit* is above 0.5. A probability of 0.5 is a logit of 0. "
    "Look at your threshold, or at the sigmoid before it.",
)
def logit_as_probability(model, loader):
    def predicted(logits):
        return (logits[:, 1] > 0.5).long() if logits.shape[1] == 2 and not logits[:, 0].any() else _predicted(logits)

    with _evaluating(model):
        return _mean(_by_batch(model, loader, predicted=predicted))


@misconception(
    "argmax of a single logit",
    "With one logit a pixel you take the argmax of one number, which is 0 wherever you look: all background. "
    "Look at what decides between two classes when there is one logit.",
)
def argmax_of_one(model, loader):
    def predicted(logits):
        return torch.zeros_like(logits[:, 0]) if not logits[:, 0].any() else _predicted(logits)

    with _evaluating(model):
        return _mean(_by_batch(model, loader, predicted=predicted))


@misconception(
    "a single logit is not handled",
    "You expect a logit for each class, but a model with two classes may give a single one, for class 1 alone. "
    "`cross_entropy` then finds no class 1. Look at what a second logit of 0 would change.",
)
def one_logit_raises(model, loader):
    rows = []
    with _evaluating(model):
        for images, masks in loader:
            logits = model(images)
            each = [_scores(p, t, logits.shape[1]) for p, t in zip(_predicted(logits), masks, strict=True)]
            rows.append((len(images), _loss(logits, masks), *np.mean(each, axis=0).tolist()))
    return _mean(rows)


@misconception(
    "a single logit on the wrong side",
    "You take a single logit for that of the background, so object and background change places. "
    "Look at the order in which you put it and the 0 beside each other.",
)
def wrong_side(model, loader):
    def turned(x):
        return x.flip(1) if x.shape[1] == 2 and not x[:, 0].any() else x

    def loss(logits, masks):
        return _loss(turned(logits), masks)

    with _evaluating(model):
        return _mean(_by_batch(model, loader, loss=loss, predicted=lambda logits: _predicted(turned(logits))))


def _scores_with(empty):
    """Scores that take `empty` for a class that is in neither mask; `None` leaves it out."""

    def scores(pred, target, num_classes):
        each = []
        for c in range(1, num_classes):
            p, t = pred == c, target == c
            if p.any() or t.any():
                each.append((iou(p, t), dice(p, t)))
            elif empty is not None:
                each.append((empty, empty))
        return np.mean(each, axis=0) if each else (1.0, 1.0)

    return scores


@misconception(
    "absent classes left out",
    "You leave a class out where neither the prediction nor the mask has it. A model that rightly finds nothing gets "
    "no credit for it, and each image is a mean over other classes. In lesson 02 two empty masks score 1.0: look at "
    "what you skip.",
)
def absent_left_out(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, loader, scores=_scores_with(None)))


@misconception(
    "absent classes score 0",
    "A class that is in neither the prediction nor the mask scores 0, so a model that rightly finds nothing is "
    "punished. In lesson 02 two empty masks score 1.0: look at your denominator.",
)
def absent_scores_zero(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, loader, scores=_scores_with(0.0)))


@misconception(
    "sums instead of means",
    "You return sums over the images. They grow with the data set, and a Dice of 3 says nothing. "
    "Look at what is missing at the end.",
)
def sums(model, loader):
    result = evaluate(model, loader)
    return {name: value * len(loader.dataset) for name, value in result.items()}


@misconception(
    "divided by the number of batches",
    "You add up over images and divide by the number of *batches*, so your scores rise above 1. "
    "Look at what you divide by.",
)
def over_batches(model, loader):
    result = evaluate(model, loader)
    return {name: value * len(loader.dataset) / len(loader) for name, value in result.items()}


@misconception(
    "only the last batch",
    "You return the numbers of the last batch; those before are overwritten. Look at where your values are added up.",
)
def last_batch(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, loader)[-1:])


@misconception(
    "only the first batch",
    "You return after the first batch, and the rest of the data does not count. Look at how far `return` is indented.",
)
def first_batch(model, loader):
    with _evaluating(model):
        return _mean(_by_batch(model, [next(iter(loader))]))


@misconception(
    "two passes over the loader",
    "You go through the loader twice, perhaps once for the loss and once for the scores. That reads all data a second "
    "time for nothing. Look at what you can compute in one loop.",
)
def two_passes(model, loader):
    sum(len(images) for images, _ in loader)
    return evaluate(model, loader)


# ---- other right answers ----


@variant("in inference mode, BCE for one logit, the mode of each layer given back")
def inference_mode(model, loader):
    modes = [(layer, layer.training) for layer in model.modules()]
    model.train(False)
    losses, ious, dices = [], [], []
    with torch.inference_mode():
        for images, masks in loader:
            logits = model(images)
            if logits.shape[1] == 1:
                losses += F.binary_cross_entropy_with_logits(logits[:, 0], masks.float(), reduction="none").mean(
                    dim=(1, 2)
                )
                preds = (torch.sigmoid(logits[:, 0]) > 0.5).long()
            else:
                losses += F.cross_entropy(logits, masks, reduction="none").mean(dim=(1, 2))
                preds = logits.softmax(dim=1).argmax(dim=1)
            for pred, mask in zip(preds, masks, strict=True):
                classes = range(1, max(2, logits.shape[1]))
                ious.append(np.mean([iou(pred == c, mask == c) for c in classes]))
                dices.append(np.mean([dice(pred == c, mask == c) for c in classes]))
    for layer, mode in modes:
        layer.training = mode
    return {"loss": torch.stack(losses).mean(), "iou": np.mean(ious), "dice": np.mean(dices)}


@variant("one image at a time")
def one_at_a_time(model, loader):
    mode = model.training
    model.eval()
    loss, j, d, n = 0, 0, 0, 0
    with torch.no_grad():
        for images, masks in loader:
            for image, mask in zip(images, masks, strict=True):
                logits = model(image[None])[0]
                if len(logits) == 1:
                    logits = torch.stack([-logits[0] / 2, logits[0] / 2])
                loss -= logits.log_softmax(dim=0).gather(0, mask[None]).mean()
                pred = logits.max(dim=0).indices
                j += sum(iou(pred == c, mask == c) for c in range(1, len(logits))) / (len(logits) - 1)
                d += sum(dice(pred == c, mask == c) for c in range(1, len(logits))) / (len(logits) - 1)
                n += 1
    if mode:
        model.train()
    return {"loss": float(loss) / n, "iou": j / n, "dice": d / n}


@variant("all at once at the end, with one-hot masks")
def at_the_end(model, loader):
    before = model.training
    model.eval()
    try:
        with torch.no_grad():
            batches = [(model(images), masks) for images, masks in loader]
    finally:
        model.train(before)
    logits = torch.cat([y for y, _ in batches])
    masks = torch.cat([t for _, t in batches])
    if logits.size(1) == 1:
        logits = F.pad(logits, (0, 0, 0, 0, 1, 0))
    k = logits.size(1)
    pred, target = (F.one_hot(x, k)[..., 1:].double() for x in (logits.argmax(1), masks))
    both, total = (pred * target).sum(dim=(1, 2)), (pred + target).sum(dim=(1, 2))
    empty = total == 0
    d = torch.where(empty, 1.0, 2 * both / total.clamp(min=1))
    j = torch.where(empty, 1.0, both / (total - both).clamp(min=1))
    return {"dice": d.mean().item(), "iou": j.mean().item(), "loss": F.cross_entropy(logits, masks).item()}


@variant("Dice from IoU, class by class, with numpy")
@torch.no_grad()
def with_numpy(model, loader):
    training = model.training
    model.eval()
    totals, seen = np.zeros(3), 0
    for images, masks in loader:
        y = model(images)
        k = max(y.shape[1], 2)
        if y.shape[1] == 1:
            loss, pred = F.binary_cross_entropy_with_logits(y, masks[:, None].to(y.dtype)), y[:, 0] > 0
        else:
            loss, pred = F.cross_entropy(y, masks), y.argmax(dim=1)
        totals[0] += loss.item() * len(masks)
        p, t = np.asarray(pred).astype(int), np.asarray(masks)
        for c in range(1, k):
            both = np.logical_and(p == c, t == c).sum(axis=(1, 2))
            either = np.logical_or(p == c, t == c).sum(axis=(1, 2))
            j = np.where(either == 0, 1.0, both / np.maximum(either, 1))
            totals[1:] += np.sum(j) / (k - 1), np.sum(2 * j / (1 + j)) / (k - 1)
        seen += len(masks)
    model.train(training)
    return dict(zip(("loss", "iou", "dice"), totals / seen, strict=True))
