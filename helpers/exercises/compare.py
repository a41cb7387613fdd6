"""Lesson 10: `compare(models, loader)`."""

import math
import time

import numpy as np
import torch

from helpers.checks.equality import kind_of
from helpers.checks.fixtures import Fixture, make
from helpers.checks.probes import Script
from helpers.checks.subject import Raised
from helpers.exercises import exercise, misconception, variant
from helpers.reference.baseline import compare
from helpers.reference.overlap import dice, iou
from helpers.reference.training import evaluate


@exercise(
    compare,
    lesson="10_baseline",
    concept="Fair comparison",
    points=4,
    minutes=12,
    difficulty=3,
    hints=[
        "You have the scores already: `evaluate` of lesson 09. Two columns are left, the number of parameters and the "
        "time.",
        "A parameter is a tensor of many numbers: `numel()` counts them. For the time, `time.perf_counter()` before "
        "and after the predictions; it counts in seconds.",
        "A loop over `models.items()` makes a new dict in every round and appends it to a list. The time of all "
        "batches together is divided by the number of all *images*.",
    ],
    task=(
        "A list with a row for each model of the dict `models` (name: model), in its order. A row is a dict: `name`; "
        "`parameters`, how many numbers the model has to learn, frozen ones among them; `ms`, milliseconds of "
        "prediction for one image; `dice` and `iou` over the batches `(images, masks)` of `loader`, as `evaluate` "
        "of lesson 09 gives them. Models predict in evaluation mode, without gradients, and get their mode back."
    ),
)
def probes(draw):
    """Two or three small networks on a few small images. The last batch is smaller, and some layers are frozen."""

    def network(classes, channels=1, **settings):
        return {"in_channels": channels, "num_classes": classes, "seed": draw.seed(), **settings}

    def batches(sizes, channels, h, w, classes):
        return [
            (draw.normal(n, channels, h, w), torch.stack([draw.labels(h, w, classes) for _ in range(n)])) for n in sizes
        ]

    def small():
        return {"wide view": network(1, reach=2), "pixel": network(2, reach=0, training=False)}

    def twins():  # two with equal scores, and one between them: in no order but that of the dict
        twin = network(3, 2)
        return {"c": {**twin, "frozen": 2}, "b": network(3, 2, training=False), "a": {**twin, "frozen": 9}}

    yield _scored(small, batches([3, 1], 1, 4, 5, 2))
    yield _scored(twins, batches([2, 1], 2, draw.size(4, 7), draw.size(4, 7), 3))
    yield _timed({"slow": network(1, reach=0, seconds=1.5e-4)}, images=40, seconds=1.5e-4)
    yield _timed({name: network(1, reach=0, seconds=1.5e-3) for name in "abc"}, images=1, seconds=1.5e-3)


def _scored(settings, loader):
    """A call with networks that find something and not everything, and not equally much.

    Where there is one logit a pixel, some are a little below 0 and some a little above.
    """
    while True:
        models = Fixture("networks by name", {"settings": settings()})
        networks = make(models, []).values()
        scores = [evaluate(model, loader) for model in networks]
        found = all(0.1 < score["iou"] < 0.8 for score in scores)
        logits = [torch.cat([model.eval()(images) for images, _ in loader]) for model in networks]
        near = all(((s * x > 0) & (s * x < 0.9)).any() for x in logits if x.shape[1] == 1 for s in (-1, 1))
        if found and near and abs(scores[0]["dice"] - scores[1]["dice"]) > 0.01:
            break

    def run(subject):
        reply = subject.call((models, loader), {})
        yield "result", reply.value if isinstance(reply.value, Raised) else _scores(reply.value)
        yield "arguments afterwards", reply.args_after[0]
        yield "inputs unchanged", reply.inputs_unchanged
        yield "random generator untouched", reply.random_state_untouched

    names, sizes = ", ".join(models.settings["settings"]), ", ".join(str(len(images)) for images, _ in loader)
    label = f"the models {names} and batches of {sizes} images"
    return Script(run, label, {"images of the first batch": loader[0][0], "masks of the first batch": loader[0][1]})


def _scores(rows):
    """All but the times, or what it is where it is no list of rows."""
    try:
        return [
            {"keys": _keys(row), **{key: row[key] for key in ("name", "parameters", "dice", "iou")}} for row in rows
        ]
    except Exception:  # any answer may come out of a student's function
        return f"a {kind_of(rows)}"


def _keys(row):
    """The columns asked for; a row may have more of them."""
    return [key for key in ("name", "parameters", "ms", "dice", "iou") if key in row]


def _timed(settings, images, seconds):
    """Networks that sleep `seconds` for an image, and one batch of `images`: how long is one said to take?

    Sleep lasts as long as asked or longer, and much longer on a machine that is busy with something else. So the lower
    bound always holds, and the least time of several is taken. The upper bound is for many images only: it lies as high
    as the sleep for a batch lets it, and to reach it a right answer would have to lose a fifth of a second, five
    times in a row.
    """
    least, most = 1000 * seconds, 900 * seconds * images if images > 1 else math.inf  # milliseconds
    bounds = {"of several images": most, "of one image": 0.9 * least, "in seconds": 0.0009 * least, "of nothing": -1}
    models = Fixture("networks by name", {"settings": settings})
    loader = [(torch.zeros(images, 1, 1, 2), torch.ones(images, 1, 2, dtype=torch.int64))]

    def run(subject):
        milliseconds = math.inf
        for _ in range(5):
            rows = subject.call((models, loader), {}).value
            milliseconds = min([milliseconds, *(row["ms"] for row in rows)])
            if milliseconds < most:
                break
        yield "number of rows", len(rows)
        yield "the time", next(name for name, bound in bounds.items() if milliseconds >= bound)

    label = f"one batch of {images} images and models that take {least:g} ms or more for each"
    return Script(run, label, {"images": loader[0][0]})


def _timed_row(name, model, loader):
    """A row made by hand, with the numbers that the wrong answers need."""
    was_training = model.training
    model.eval()
    seconds, images_seen, batches, scores, by_batch = 0.0, 0, 0, [], []
    with torch.no_grad():
        for images, masks in loader:
            start = time.perf_counter()
            logits = model(images)
            seconds += time.perf_counter() - start
            images_seen, batches = images_seen + len(images), batches + 1
            own = [_overlaps(x, mask) for x, mask in zip(logits, masks, strict=True)]
            scores += own
            by_batch.append(np.mean(own, axis=0))
    model.train(was_training)
    row = {
        "name": name,
        "parameters": sum(p.numel() for p in model.parameters()),
        "ms": 1000 * seconds / images_seen,
        "dice": float(np.mean(scores, axis=0)[0]),
        "iou": float(np.mean(scores, axis=0)[1]),
    }
    return row, {"seconds": seconds, "images": images_seen, "batches": batches, "by_batch": by_batch}


def _labels(logits):
    return logits.argmax(dim=0) if len(logits) > 1 else (logits[0] > 0).long()


def _overlaps(logits, mask, classes=None):
    """Dice and IoU of one image, mean over its classes but the background."""
    labels = _labels(logits)
    pairs = [(labels == c, mask == c) for c in classes or range(1, max(len(logits), 2))]
    return [np.mean([dice(*pair) for pair in pairs]), np.mean([iou(*pair) for pair in pairs])]


def _changed(models, loader, change):
    """Right rows, each of them changed by `change(row, model, measured)`."""
    rows = []
    for name, model in models.items():
        row, measured = _timed_row(name, model, loader)
        rows.append({**row, **change(row, model, measured)})
    return rows


@misconception(
    "only parameters that ask for a gradient",
    "You left frozen parameters out. They take memory and time all the same, and by your count a frozen encoder of "
    "twenty million is free. Look for `requires_grad` in your count.",
)
def only_learning(models, loader):
    return _changed(
        models, loader, lambda row, m, _: {"parameters": sum(p.numel() for p in m.parameters() if p.requires_grad)}
    )


@misconception(
    "tensors counted instead of numbers",
    "You counted the parameter *tensors*: a convolution has two of them, whether it is 1 by 1 or 1000 by 1000. "
    "Look at what `len` counts, and for how many numbers there are in each.",
)
def tensors_counted(models, loader):
    return _changed(models, loader, lambda row, m, _: {"parameters": len(list(m.parameters()))})


@misconception(
    "buffers counted too",
    "You counted everything in `state_dict()`. The running statistics of batch norms are in there too, and nobody "
    "learns those by gradient. Look at what you loop over.",
)
def buffers_counted(models, loader):
    return _changed(models, loader, lambda row, m, _: {"parameters": sum(t.numel() for t in m.state_dict().values())})


@misconception(
    "weights without biases",
    "You counted matrices and kernels only. Biases, and the scale and shift of each norm, are learned as well. "
    "Look at which parameters you leave out.",
)
def kernels_only(models, loader):
    return _changed(
        models, loader, lambda row, m, _: {"parameters": sum(p.numel() for p in m.parameters() if p.ndim > 1)}
    )


@misconception(
    "seconds instead of milliseconds",
    "Your `ms` is a thousand times too small: `time.perf_counter()` counts in seconds. "
    "Look at what you do with the difference of two times.",
)
def in_seconds(models, loader):
    return _changed(models, loader, lambda row, m, _: {"ms": row["ms"] / 1000})


@misconception(
    "time of a batch or more",
    "Your `ms` is the time of more than one image: of a batch, or of the whole loader. Whoever uses another batch size "
    "cannot compare with it. Look at what you divide by.",
)
def time_of_a_batch(models, loader):
    return _changed(models, loader, lambda row, m, measured: {"ms": 1000 * measured["seconds"] / measured["batches"]})


@misconception(
    "no time measured",
    "Your `ms` is 0, or nearly: there is no prediction between your two looks at the clock. "
    "Look at what happens between them.",
)
def nothing_timed(models, loader):
    return _changed(models, loader, lambda row, m, _: {"ms": 0.0})


@misconception(
    "Dice and IoU exchanged",
    "Your Dice stands under `iou` and your IoU under `dice`. Dice is never the smaller of the two. "
    "Look at the two keys.",
)
def exchanged(models, loader):
    return _changed(models, loader, lambda row, m, _: {"dice": row["iou"], "iou": row["dice"]})


@misconception(
    "Dice in both columns",
    "`dice` and `iou` hold the same number. Look at what you put under `iou`.",
)
def dice_twice(models, loader):
    return _changed(models, loader, lambda row, m, _: {"iou": row["dice"]})


@misconception(
    "mean over batches",
    "You averaged the scores batch by batch. The last batch is smaller, so its images count for more than the others. "
    "Look at what you divide by, batches or images.",
)
def mean_over_batches(models, loader):
    def change(row, m, measured):
        d, j = np.mean(measured["by_batch"], axis=0)
        return {"dice": float(d), "iou": float(j)}

    return _changed(models, loader, change)


@misconception(
    "the first batch only",
    "You scored one batch of the loader and stopped. Look for a `break`, a `next(iter(loader))` or a `return` inside "
    "the loop.",
)
def first_batch_only(models, loader):
    return compare(models, loader[:1])


@misconception(
    "the last batch only",
    "Your scores are those of the last batch: each round of the loop replaces what the one before it found. "
    "Look at where the scores are added up.",
)
def last_batch_only(models, loader):
    return compare(models, loader[-1:])


@misconception(
    "all pixels pooled",
    "You counted the pixels of all images together, so images with large objects decide. `evaluate` scores each image "
    "and takes the mean. Look at where you divide.",
)
def pooled(models, loader):
    rows = compare(models, loader)
    for row, model in zip(rows, models.values(), strict=True):
        was_training = model.training
        with torch.no_grad():
            logits = torch.cat([model.eval()(images) for images, _ in loader])
        model.train(was_training)
        flat = logits.transpose(0, 1).flatten(1)
        row["dice"], row["iou"] = map(float, _overlaps(flat, torch.cat([masks for _, masks in loader]).flatten()))
    return rows


@misconception(
    "background scored too",
    "You scored the background as a class. It is most of the image and easy, so it lifts every model and hides what "
    "tells them apart. Look at the class your loop begins with.",
)
def background_too(models, loader):
    rows = compare(models, loader)
    for row, model in zip(rows, models.values(), strict=True):
        was_training = model.training
        with torch.no_grad():
            pairs = [(x, m) for images, masks in loader for x, m in zip(model.eval()(images), masks, strict=True)]
        model.train(was_training)
        scores = [_overlaps(x, m, list(range(max(len(x), 2)))) for x, m in pairs]
        row["dice"], row["iou"] = map(float, np.mean(scores, axis=0))
    return rows


@misconception(
    "the last model only",
    "There is one row, that of the last model. Each round of your loop replaces the row before it. "
    "Look at where the list begins and where a row is added.",
)
def last_model_only(models, loader):
    return compare(models, loader)[-1:]


@misconception(
    "the first model only",
    "There is one row, that of the first model: the function ends in the first round of the loop. "
    "Look at the indentation of your `return`.",
)
def first_model_only(models, loader):
    name = next(iter(models))
    return compare({name: models[name]}, loader)


@misconception(
    "the same row several times",
    "All rows are equal: you change one dict and append it again and again, and every place in the list shows the same "
    "dict. Look at where the dict is made, before the loop or in it.",
)
def same_row(models, loader):
    rows = compare(models, loader)
    return [rows[-1]] * len(rows)


@misconception(
    "a table by columns",
    "You return one dict with a list for each column. A list of rows is asked for, each a dict of its own. "
    "Look at what you append to.",
)
def by_columns(models, loader):
    rows = compare(models, loader)
    return {key: [row[key] for row in rows] for key in rows[0]}


@misconception(
    "a dict of rows",
    "You return a dict with the names as keys. A list of rows is asked for, each with its name under `name`. "
    "Look at what you collect the rows in.",
)
def dict_of_rows(models, loader):
    return {row["name"]: row for row in compare(models, loader)}


@misconception(
    "rows without a name",
    "A row does not say which model it is of. Look at the column `name`.",
)
def nameless(models, loader):
    return [{key: row[key] for key in row if key != "name"} for row in compare(models, loader)]


@misconception(
    "the class for the name",
    "Under `name` stands the class of the model. Two networks of one class then cannot be told apart. "
    "Look at the keys of `models`.",
)
def class_for_name(models, loader):
    return _changed(models, loader, lambda row, m, _: {"name": type(m).__name__})


@misconception(
    "sorted by score",
    "Your rows are sorted by their score. That is a good way to show them, and here the order of `models` is asked "
    "for. Look for `sort`.",
)
def by_score(models, loader):
    return sorted(compare(models, loader), key=lambda row: (-row["dice"], row["parameters"]))


@misconception(
    "sorted by name",
    "Your rows are sorted by name. The order of `models` is asked for. Look for `sort`.",
)
def by_name(models, loader):
    return sorted(compare(models, loader), key=lambda row: row["name"])


@misconception(
    "prediction in training mode",
    "The models predict in whatever mode they are given. In training mode a batch norm uses the statistics of the "
    "batch and changes its running ones, so that comparing models changes them. Look for what has to be called first.",
)
def in_training_mode(models, loader):
    rows = []
    for name, model in models.items():
        scores, seconds, n = [], 0.0, 0
        with torch.no_grad():
            for images, masks in loader:
                start = time.perf_counter()
                logits = model(images)
                seconds, n = seconds + time.perf_counter() - start, n + len(images)
                scores += [_overlaps(x, m) for x, m in zip(logits, masks, strict=True)]
        d, j = np.mean(scores, axis=0)
        parameters = sum(p.numel() for p in model.parameters())
        rows.append({"name": name, "parameters": parameters, "ms": 1000 * seconds / n, "dice": d, "iou": j})
    return rows


@misconception(
    "the clock runs in training mode",
    "You score the models in evaluation mode and time them in the mode they came in. The passes on the clock then "
    "change the running statistics of every batch norm. Look at the mode around the timing.",
)
def timed_in_training_mode(models, loader):
    rows = compare(models, loader)
    for row, model in zip(rows, models.values(), strict=True):
        with torch.no_grad():
            start = time.perf_counter()
            n = sum(len(model(images)) for images, _ in loader)
            row["ms"] = 1000 * (time.perf_counter() - start) / n
    return rows


@misconception(
    "gradients are kept",
    "The numbers are right, and every prediction builds a graph for a gradient that nobody asks for. That costs "
    "memory, and it costs time while the clock runs. Look for a context or decorator that switches gradients off.",
)
def with_gradients(models, loader):
    rows = compare(models, loader)
    for row, model in zip(rows, models.values(), strict=True):
        was_training = model.training
        model.eval()
        start = time.perf_counter()
        n = sum(len(model(images)) for images, _ in loader)
        row["ms"] = 1000 * (time.perf_counter() - start) / n
        model.train(was_training)
    return rows


@misconception(
    "the mode is not given back",
    "Your comparison leaves the models in evaluation mode. Called between two epochs, it silently switches off dropout "
    "and freezes the batch norms for the rest of the training. Look at what `model.training` was before you changed "
    "it.",
)
def mode_not_given_back(models, loader):
    for model in models.values():
        model.eval()
    return compare(models, loader)


@misconception(
    "always left in training mode",
    "You end with `model.train()`, whatever mode a model came in. Whoever had put it into evaluation mode now predicts "
    "in training mode without knowing. Look at what `model.training` was before you changed it.",
)
def always_training(models, loader):
    rows = compare(models, loader)
    for model in models.values():
        model.train()
    return rows


@variant("one loop for scores and time")
@torch.no_grad()
def one_loop(models, loader):
    rows = []
    for name, model in models.items():
        was_training, seconds, scores = model.training, 0.0, []
        model.eval()
        for images, masks in loader:
            start = time.perf_counter()
            logits = model(images)
            seconds += time.perf_counter() - start
            scores += [_overlaps(x, mask) for x, mask in zip(logits, masks, strict=True)]
        model.train(was_training)
        mean_dice, mean_iou = np.mean(scores, axis=0)
        row = {"name": name, "ms": 1000 * seconds / len(scores), "dice": mean_dice, "iou": mean_iou}
        rows.append({**row, "parameters": sum(p.numel() for p in model.parameters())})
    return rows


@variant("scores from evaluate, the clock around it")
def around_evaluate(models, loader):
    n = sum(len(masks) for _, masks in loader)
    table = []
    for name in models:
        start = time.perf_counter()
        result = evaluate(models[name], loader)
        row = dict(result, name=name, ms=(time.perf_counter() - start) * 1e3 / n)
        row["parameters"] = sum(np.prod(p.shape, dtype=int) for p in models[name].parameters())
        table.append(row)
    return table


@variant("the clock on single images, and the median of them")
def median_of_single_images(models, loader):
    rows = []
    for name, model in models.items():
        scores, training, times = evaluate(model, loader), model.training, []
        model.eval()
        with torch.inference_mode():
            for images, _ in loader:
                for image in images[:3]:
                    start = time.perf_counter_ns()
                    model(image[None])
                    times.append((time.perf_counter_ns() - start) / 1e6)
        model.train(training)
        parameters = torch.nn.utils.parameters_to_vector(model.parameters()).numel()
        rows.append({"iou": scores["iou"], "dice": scores["dice"], "ms": np.median(times), "name": name})
        rows[-1]["parameters"] = parameters
    return rows
