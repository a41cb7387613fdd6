"""Lesson 09: `evaluate(model, loader)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.fixtures import Fixture, make
from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
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
        "For each image and each class `c` from 1 up, score `pred == c` against `target == c` with `iou` and `dice` "
        "of lesson 02. Add up over images, weigh the batch's loss by its images, and divide by the number of images.",
    ],
    task=(
        'Return `{"loss", "iou", "dice"}`, three numbers, each the mean over all images: the cross-entropy, and the '
        "two scores of lesson 02, for each image the mean over all classes except background (class 0). The model "
        "gives logits `(N, K, H, W)`; with K = 1 they are logits of class 1 against class 0. The loader, a "
        "`DataLoader` or a list, gives images and int64 masks `(N, H, W)`. Run the model in evaluation mode and "
        "without gradients, and give it back in the mode it came in."
    ),
)
def probes(draw):
    """Models with running statistics of their own, in either mode; masks that agree with the model here and there."""
    yield _evaluation(draw, images=3, batch_size=2, num_classes=2)
    yield _evaluation(draw, images=3, batch_size=2, num_classes=1, training=False)
    yield _evaluation(draw, images=5, batch_size=2, num_classes=4, channels=2, absent=True)
    yield _evaluation(draw, images=draw.size(2, 3), batch_size=4, num_classes=3, training=False)  # one batch
    yield _evaluation(draw, images=draw.size(4, 5), batch_size=3, num_classes=1, loader="list of batches")
    yield _single_pixels(draw)


edit = edits_of(evaluate)


def _single_pixels(draw) -> Call:
    """Three images in which class 1 has one pixel: predicted and there; predicted only; there only."""
    while True:
        model = Fixture("fully convolutional network", {"in_channels": 1, "num_classes": 3, "seed": draw.seed()})
        pictures = 2 * draw.normal(32, 1, 2, 3)
        logits = make(model, []).eval()(pictures).detach()
        best, second = logits.topk(2, dim=1).values.unbind(dim=1)
        count = (logits.argmax(dim=1) == 1).sum(dim=(1, 2))
        clear = (best - second).amin(dim=(1, 2)) > 1e-3
        clear &= (logits.argmax(dim=1) == 2).any(dim=2).any(dim=1)  # another class is there
        once, never = ((count == k) & clear for k in (1, 0))
        if once.sum() >= 2 and never.any():
            break
    chosen = [*once.nonzero()[:2, 0].tolist(), int(never.nonzero()[0])]
    masks = logits.argmax(dim=1)[chosen]
    masks[1][masks[1] == 1] = 0
    masks[2, 1, 2] = 1
    return Call(
        (model, Fixture("batches", {"images": pictures[chosen], "masks": masks, "batch_size": 2})),
        repeatable=False,
        label="3 images in which class 1 has a single pixel: found, invented, and missed",
    )


def _evaluation(
    draw, images, batch_size, num_classes, channels=1, training=True, absent=False, loader="batches"
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
        (model, Fixture(loader, {"images": pictures, "masks": masks, "batch_size": batch_size})),
        repeatable=num_classes == 2,  # asked twice in one probe, which is enough
        label=(
            f"{images} images in {'a ' * (loader != 'batches')}{loader} of {batch_size}, a model with {num_classes} "
            f"logit{'s'[: num_classes > 1]} a pixel that comes in {mode} mode"
        ),
    )


def _fitting(draw, logits, num_classes, absent):
    """Masks for these logits, or `None` if they would not tell right from wrong.

    No pixel is undecided, so that rounding changes no class; no class is predicted almost everywhere; with `absent`,
    some class is in neither mask of an image; a single logit has values that a threshold of 0.5 would change, and an
    image without an object.
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
    if num_classes == 1:
        masks[0] = 0
    for image, c in missing[: int(absent)].tolist():
        masks[image][masks[image] == c + 1] = 0  # in neither: two empty masks
    return masks


def _two_or_more(logits):
    return torch.cat([torch.zeros_like(logits), logits], dim=1) if logits.shape[1] == 1 else logits


# ---- what goes wrong ----

ONE = ("        if logits.shape[1] == 1:", "        one = logits.shape[1] == 1\n        if one:")
FOUND = "classes = [c for c in range(1, logits.shape[1]) if ({}).any()] or [1]"
P, T = "(pred == c)", "(target == c)"

edit(
    "evaluated in training mode",
    "The model runs in the mode it came in. In training mode batch norm takes the statistics of each batch and changes "
    "its own, so the result depends on which images are together, and the model is no longer the one you had. "
    "Look at what has to be said to the model first.",
    ("    model.eval()\n", ""),
)

edit(
    "put into training mode",
    "You put the model into training mode, as the training loop does. Batch norm then takes the statistics of each "
    "batch and changes its own while you only want to measure. Look at the call before your loop.",
    ("    model.train(was_training)\n", ""),
    ("model.eval()", "model.train()"),
)

edit(
    "the mode is not given back",
    "You leave the model in evaluation mode. Anyone who continues training it then trains with batch norm and "
    "dropout standing still, and nothing says so. Look at what the mode was when the model came.",
    ("    model.train(was_training)\n", ""),
)

edit(
    "always back to training mode",
    "You put the model into training mode at the end, whatever it was in before. A finished model that is evaluated "
    "once more then changes its statistics with every prediction. Look at how you know what to go back to.",
    ("model.train(was_training)", "model.train()"),
)

edit(
    "gradients are recorded",
    "The model runs with gradients on, so PyTorch records every step of every batch for a backward pass that never "
    "comes. That costs time and several times the memory. Evaluation mode does not switch it off: look for what does.",
    ("@torch.no_grad()\n", ""),
)

edit(
    "the parameters stay frozen",
    "You switch gradients off at the parameters and leave them off. The next training step then has nothing to train. "
    "Look for `requires_grad`, and for a way to be without gradients for a while only.",
    ("model.eval()", "model.eval().requires_grad_(False)"),
)

edit(
    "means over batches instead of images",
    "You averaged over the *batches*, so the images of a smaller last batch weigh more than the others, and the result "
    "depends on the batch size. Look at what you divide by, and at what each batch adds.",
    (".item() * len(images)", ".item()"),
    ("iou(pred == c, target == c)", "iou(pred == c, target == c) / len(images)"),
    ('sums["dice"] += dice(pred == c, target == c)', 'sums["dice"] += dice(pred == c, target == c) / len(images)'),
    ("count += len(images)", "count += 1"),
)

edit(
    "the loss averaged over batches",
    "The scores are means over images, but the loss is a mean over *batches*: a smaller last batch weighs as much as "
    "a full one. Look at what each batch adds to the sum of losses.",
    (".item() * len(images)", ".item()"),
    ("    return {", '    sums["loss"] *= count / len(loader)\n    return {'),
)

edit(
    "a batch scored as one mask",
    "You score all masks of a batch together, so an image with a large object drowns the others, and the result "
    "depends on the batch size. Look at what you hand to `iou` and `dice`: one image at a time.",
    ("zip(logits.argmax(dim=1), masks, strict=True)", "[(logits.argmax(dim=1), masks)] * len(images)"),
)

edit(
    "all images pooled",
    "You count the pixels of all images together and score once, so images with large objects weigh most. That is a "
    "fair number too, but another one. Here every image weighs the same: look at where you score.",
    ("in loader", "in [map(torch.cat, zip(*loader, strict=True))]"),
    ("zip(logits.argmax(dim=1), masks, strict=True)", "[(logits.argmax(dim=1), masks)] * len(images)"),
)

edit(
    "background scored too",
    "You scored the background as a class. It is most of the image and easy, so it lifts every score. "
    "Look at the class your loop begins with.",
    ("range(1, ", "range("),
)

edit(
    "all classes but background merged",
    "You scored object against background, so confusing one class with another costs nothing. "
    "Look at what you compare: each class has a mask of its own.",
    ("range(1, logits.shape[1])", "[True]"),
    ("zip(logits.argmax(dim=1), masks, strict=True)", "zip(logits.argmax(dim=1) > 0, masks > 0, strict=True)"),
)

edit(
    "class 1 only",
    "You scored class 1 and no other, which is right for two classes and blind to the rest. "
    "Look at which classes your scores cover.",
    ("range(1, logits.shape[1])", "[1]"),
)

edit(
    "pixel accuracy instead of IoU",
    "Your `iou` is the fraction of pixels with the right class, background included. That is pixel accuracy. "
    "Look at what you count for it.",
    ("iou(pred == c, target == c)", "(pred == target).float().mean().item()"),
)

edit(
    "IoU and Dice exchanged",
    "The two scores stand under each other's name: your `iou` is the larger one, and IoU is never above Dice. "
    "Look at the keys of your dictionary.",
    ("iou(pred == c, target == c)", "dice(pred == c, target == c)"),
    ('sums["dice"] += dice(pred == c, target == c)', 'sums["dice"] += iou(pred == c, target == c)'),
)

edit(
    "softmax before the loss",
    "You hand probabilities to the cross-entropy, which expects logits and takes the softmax itself. The loss then "
    "hardly varies, and is not the one you trained with. Look at what comes between the model and the loss.",
    ("cross_entropy(logits", "cross_entropy(logits.softmax(dim=1)"),
)

edit(
    "a logit taken for a probability",
    "With one logit you call a pixel object where the *logit* is above 0.5. A probability of 0.5 is a logit of 0. "
    "Look at your threshold, or at the sigmoid before it.",
    ONE,
    ("logits.argmax(dim=1)", "((logits[:, 1] > 0.5).long() if one else logits.argmax(dim=1))"),
)

edit(
    "argmax of a single logit",
    "With one logit per pixel you take the argmax of one number, which is 0 wherever you look: all background. Look "
    "at what decides between two classes when there is one logit.",
    ONE,
    ("logits.argmax(dim=1)", "logits.argmax(dim=1) * (not one)"),
)

edit(
    "a single logit is not handled",
    "You expect a logit for each class, but a model with two classes may give a single one, for class 1 alone. "
    "`cross_entropy` then finds no class 1. Look at what a second logit of 0 would change.",
    ("logits.shape[1] == 1", "False"),
)

edit(
    "no class left with a single logit",
    "With one logit per pixel you divide by a number of classes that is 0, because `range(1, K)` is empty for K = 1. "
    "There are two classes all the same, 0 and 1. Look at what you do with a single logit.",
    ("logits.shape[1] == 1", "1 / (logits.shape[1] - 1) > 1"),
)

edit(
    "a single logit on the wrong side",
    "You take a single logit for that of the background, so object and background change places. "
    "Look at the order in which you put it and the 0 beside each other.",
    ("[torch.zeros_like(logits), logits]", "[logits, torch.zeros_like(logits)]"),
)

edit(
    "absent classes left out",
    "You leave a class out where neither the prediction nor the mask has it. A model that correctly finds nothing "
    "gets no credit for it, and each image is a mean over other classes. In lesson 02 two empty masks score 1.0: "
    "look at what you skip.",
    ("            for c in", f"            {FOUND.format('(pred == c) | (target == c)')}\n            for c in"),
)

edit(
    "absent classes score 0",
    "A class that is in neither the prediction nor the mask scores 0, so a model that correctly finds nothing is "
    "punished. In lesson 02 two empty masks score 1.0: look at your denominator.",
    (
        "for c in classes:",
        "for c in classes:\n                if not ((pred == c) | (target == c)).any():\n                    continue",
    ),
)

edit(
    "sums instead of means",
    "You return sums over the images. They grow with the data set, and a Dice of 3 says nothing. "
    "Look at what is missing at the end.",
    ("total / count", "total"),
)

edit(
    "divided by the number of batches",
    "You add up over images and divide by the number of *batches*, so your scores rise above 1. "
    "Look at what you divide by.",
    ("count += len(images)", "count += 1"),
)

edit(
    "only the last batch",
    "You return the numbers of the last batch; those before are overwritten. Look at where your values are added up.",
    ("in loader", "in [*loader][-1:]"),
)

edit(
    "only the first batch",
    "You return after the first batch, and the rest of the data does not count. Look at how far `return` is indented.",
    ("in loader", "in [next(iter(loader))]"),
)

edit(
    "two passes over the loader",
    "You go through the loader twice, perhaps once for the loss and once for the scores. That reads all data a second "
    "time for nothing. Look at what you can compute in one loop.",
    ("    return {", "    count = sum(len(images) for images, _ in loader)\n    return {"),
)

edit(
    "the batch's loss counted once",
    "Your loss adds up the *means* of batches, and is then divided by the number of images, so it is too small by "
    "about the batch size. Look at what each batch adds to it.",
    (".item() * len(images)", ".item()"),
)

edit(
    "classes that the mask lacks left out",
    "You score only the classes that are in the mask of an image, so objects of a class that is not there are "
    "invented for free. Look at which classes your mean is over.",
    ("            for c in", f"            {FOUND.format('target == c')}\n            for c in"),
)

edit(
    "Dice from the mean IoU",
    "You compute Dice from the *mean* IoU. One follows from the other for one image and one class; for means it does "
    "not. Look at where you turn one into the other.",
    ("    return {", '    mean = sums["iou"] / count\n    sums["dice"] = 2 * mean / (1 + mean) * count\n    return {'),
)

edit(
    "scores smoothed by 1",
    "You add 1 above and below the fraction line, so small objects that are missed get a good score. That is a help "
    "for a loss; the scores of lesson 02 are exact. Look for a `smooth`.",
    ("iou(pred == c, target == c)", f"(({P} & {T}).sum() + 1).item() / (({P} | {T}).sum() + 1).item()"),
    ("dice(pred == c, target == c)", f"(2 * ({P} & {T}).sum() + 1).item() / ({P}.sum() + {T}.sum() + 1).item()"),
)

edit(
    "probabilities scored instead of masks",
    "You score probabilities, as the Dice loss does. A score of lesson 02 compares masks: each pixel has one class, "
    "that of its largest logit. Look at what you hand to the scores.",
    ("logits.argmax(dim=1)", "logits.softmax(dim=1)"),
    ("iou(pred == c, target == c)", f"(pred[c] * {T}).sum().item() / (pred[c] + {T} - pred[c] * {T}).sum().item()"),
    ("dice(pred == c, target == c)", f"2 * (pred[c] * {T}).sum().item() / (pred[c] + {T}).sum().item()"),
)

edit(
    "no class to score with a single logit",
    "With one logit per pixel you score no class at all, because `range(1, K)` is empty for K = 1. There are two "
    "classes all the same: 0 and 1. Look at what your loop over classes goes through.",
    ("range(1, logits.shape[1])", "range(1, logits.shape[1] if logits[:, 0].any() else 1)"),
)

edit(
    "more asked of the loader than its batches",
    "You ask the loader for something that only some loaders have, such as `dataset`: a list of batches has none. "
    "All you need is in the batches. Look at how you know how many images there were.",
    ("total / count", "total / len(loader.dataset)"),
)


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
