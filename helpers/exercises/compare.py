"""Lesson 10: `compare(models, loader)`."""

import math
import time

import numpy as np
import torch

from helpers.checks.equality import kind_of
from helpers.checks.fixtures import Fixture, make
from helpers.checks.probes import Script
from helpers.checks.subject import Raised
from helpers.exercises import edits_of, exercise, misconception, variant
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
        "`parameters`, how many numbers the model has to learn, frozen ones included; `ms`, milliseconds of "
        "prediction for one image; `dice` and `iou` over the batches `(images, masks)` of `loader`, as `evaluate` of "
        "lesson 09 gives them. Models predict in evaluation mode, without gradients, and get their mode back."
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
        settings = {"training": False}  # what is wrong with the modes is left to the others
        return {"wide view": network(1, reach=2, **settings), "pixel": network(2, reach=0, **settings)}

    def twins():  # two with equal scores, and one between them: in no order but that of the dict
        twin = network(3, 2)
        return {"c": {**twin, "frozen": 2}, "b": network(3, 2, training=False), "a": {**twin, "frozen": 9}}

    yield _scored(small, batches([3, 1], 1, 4, 5, 2))
    yield _scored(twins, batches([2, 1], 2, draw.size(4, 7), draw.size(4, 7), 3))
    yield _timed({"slow": network(1, reach=0, seconds=1.5e-4)}, images=40, seconds=1.5e-4)
    yield _timed({name: network(1, reach=0, seconds=1.5e-3) for name in "abc"}, images=1, seconds=1.5e-3)
    yield _told_apart([network(1, reach=0, seconds=seconds) for seconds in (0.01, 0.0)])


edit = edits_of(compare)


def _scored(settings, loader):
    """A call with networks that find something and not everything, and not equally much.

    Where there is one logit a pixel, some are a little below 0 and some a little above. A model that comes in training
    mode scores otherwise in it.
    """
    while True:
        models = Fixture("networks by name", {"settings": settings()})
        networks = make(models, []).values()
        scores = [evaluate(model, loader) for model in networks]
        trained = [pair for pair in zip(networks, scores, strict=True) if pair[0].training]
        found = all(0.1 < score["iou"] < 0.8 for score in scores)
        logits = [torch.cat([model.eval()(images) for images, _ in loader]) for model in networks]
        near = all(((s * x > 0) & (s * x < 0.9)).any() for x in logits if x.shape[1] == 1 for s in (-1, 1))
        modes = all(abs(_dice_in_training(model, loader) - s["dice"]) > 0.01 for model, s in trained)
        if found and near and modes and abs(scores[0]["dice"] - scores[1]["dice"]) > 0.01:
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
    if not isinstance(rows, list | tuple) or not all(isinstance(row, dict) for row in rows):
        return f"a {kind_of(rows)}"
    columns = ("name", "parameters", "ms", "dice", "iou")  # a row may have more of them
    return [
        {"keys": [key for key in columns if key in row], **{key: row.get(key) for key in columns if key != "ms"}}
        for row in rows
    ]


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
            if isinstance(rows, Raised):
                yield "result", rows
                return
            milliseconds = min([milliseconds, *(row["ms"] for row in rows)])
            if milliseconds < most:
                break
        yield "number of rows", len(rows)
        yield "the time", next(name for name, bound in bounds.items() if milliseconds >= bound)

    label = f"one batch of {images} images and models that take {least:g} ms or more for each"
    return Script(run, label, {"images": loader[0][0]})


def _told_apart(settings):
    """A slow network and a quick one, then the other way round: is the slow one said to take longer, wherever it is?

    That says that time is measured. A machine that is busy with something else would have to hold up the quick network
    for half as long as the slow one takes, five times in a row.
    """
    loader = [(torch.zeros(1, 1, 1, 2), torch.ones(1, 1, 2, dtype=torch.int64))]

    def run(subject):
        for slow, order in enumerate((settings, settings[::-1])):
            models = Fixture("networks by name", {"settings": dict(zip("ab", order, strict=True))})
            longer = False
            for _ in range(5):
                rows = subject.call((models, loader), {}).value
                if isinstance(rows, Raised):
                    yield "result", rows
                    return
                longer = rows[slow]["ms"] - rows[1 - slow]["ms"] > 5
                if longer:
                    break
            yield "whether a slow model takes longer than a quick one", longer

    return Script(run, "a model that takes 10 ms or more for an image and a quick one", {"images": loader[0][0]})


@torch.no_grad()
def _dice_in_training(model, loader):
    model.train()
    return np.mean([_overlaps(x, m)[0] for images, masks in loader for x, m in zip(model(images), masks, strict=True)])


def _labels(logits):
    return logits.argmax(dim=0) if len(logits) > 1 else (logits[0] > 0).long()


def _overlaps(logits, mask, classes=None):
    """Dice and IoU of one image, mean over its classes but the background."""
    labels = _labels(logits)
    pairs = [(labels == c, mask == c) for c in classes or range(1, max(len(logits), 2))]
    return [np.mean([dice(*pair) for pair in pairs]), np.mean([iou(*pair) for pair in pairs])]


KEPT = """
        was_training = model.training
        [model.eval()(images) for images, _ in loader]
        model.train(was_training)
"""

edit(
    "only parameters that ask for a gradient",
    "You left frozen parameters out. They take memory and time all the same, and by your count a frozen encoder of "
    "twenty million is free. Look for `requires_grad` in your count.",
    ("model.parameters()", "model.parameters() if p.requires_grad"),
)

edit(
    "tensors counted instead of numbers",
    "You counted the parameter *tensors*: a convolution has two of them, whether it is 1 by 1 or 1000 by 1000. "
    "Look at what `len` counts, and for how many numbers there are in each.",
    ("sum(p.numel() for p in model.parameters())", "len(list(model.parameters()))"),
)

edit(
    "buffers counted too",
    "You counted everything in `state_dict()`. The running statistics of batch norms are in there too, and nobody "
    "learns those by gradient. Look at what you loop over.",
    ("model.parameters()", "model.state_dict().values()"),
)

edit(
    "weights without biases",
    "You counted matrices and kernels only. Biases, and the scale and shift of each norm, are learned as well. "
    "Look at which parameters you leave out.",
    ("model.parameters()", "model.parameters() if p.ndim > 1"),
)

edit(
    "seconds instead of milliseconds",
    "Your `ms` is a thousand times too small: `time.perf_counter()` counts in seconds. "
    "Look at what you do with the difference of two times.",
    ("_milliseconds_an_image(model, loader)", "_milliseconds_an_image(model, loader) / 1000"),
)

edit(
    "time of a batch or more",
    "Your `ms` is the time of more than one image: of a batch, or of the whole loader. Whoever uses another batch size "
    "cannot compare with it. Look at what you divide by.",
    ("_milliseconds_an_image(model, loader)", "_milliseconds_an_image(model, loader) * len(loader[0][0])"),
)

edit(
    "no time measured",
    "Your `ms` is 0, or nearly: there is no prediction between your two looks at the clock. "
    "Look at what happens between them.",
    ("_milliseconds_an_image(model, loader)", "0.0"),
)

edit(
    "the same time for every model",
    "Your `ms` does not tell a slow model from a quick one: it is a number that you wrote down, or the time of one "
    "model in every row. Look at which model predicts between your two looks at the clock.",
    ("_milliseconds_an_image(model, loader)", "_milliseconds_an_image(next(iter(models.values())), loader)"),
)

edit(
    "Dice and IoU exchanged",
    "Your Dice stands under `iou` and your IoU under `dice`. Dice is never the smaller of the two. "
    "Look at the two keys.",
    ('scores["dice"]', 'scores["other"]'),
    ('scores["iou"]', 'scores["dice"]'),
    ('scores["other"]', 'scores["iou"]'),
)

edit(
    "Dice in both columns",
    "`dice` and `iou` hold the same number. Look at what you put under `iou`.",
    ('scores["iou"]', 'scores["dice"]'),
)

edit(
    "mean over batches",
    "You averaged the scores batch by batch. The last batch is smaller, so its images count for more than the others. "
    "Look at what you divide by, batches or images.",
    ("scores = evaluate(model, loader)", "each = [evaluate(model, [batch]) for batch in loader]"),
    ('scores["dice"]', 'sum(one["dice"] for one in each) / len(each)'),
    ('scores["iou"]', 'sum(one["iou"] for one in each) / len(each)'),
)

edit(
    "the first batch only",
    "You scored one batch of the loader and stopped. Look for a `break`, a `next(iter(loader))` or a `return` inside "
    "the loop.",
    ("evaluate(model, loader)", "evaluate(model, loader[:1])"),
)

edit(
    "the last batch only",
    "Your scores are those of the last batch: each round of the loop replaces what the one before it found. "
    "Look at where the scores are added up.",
    ("evaluate(model, loader)", "evaluate(model, loader[-1:])"),
)


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


edit(
    "the last model only",
    "There is one row, that of the last model. Each round of your loop replaces the row before it. "
    "Look at where the list begins and where a row is added.",
    ("return rows", "return rows[-1:]"),
)

edit(
    "the first model only",
    "There is one row, that of the first model: the function ends in the first round of the loop. "
    "Look at the indentation of your `return`.",
    ("    return", "        return"),
)

edit(
    "the same row several times",
    "All rows are equal: you change one dict and append it again and again, and every place in the list shows the same "
    "dict. Look at where the dict is made, before the loop or in it.",
    ("return rows", "return [rows[-1]] * len(rows)"),
)

edit(
    "a table by columns",
    "You return one dict with a list for each column. A list of rows is asked for, each a dict of its own. "
    "Look at what you append to.",
    ("return rows", "return {key: [row[key] for row in rows] for key in rows[0]}"),
)

edit(
    "a dict of rows",
    "You return a dict with the names as keys. A list of rows is asked for, each with its name under `name`. "
    "Look at what you collect the rows in.",
    ("return rows", 'return {row["name"]: row for row in rows}'),
)

edit(
    "rows without a name",
    "A row does not say which model it is of. Look at the column `name`.",
    ('                "name": name,\n', ""),
)

edit(
    "the class for the name",
    "Under `name` stands the class of the model. Two networks of one class then cannot be told apart. "
    "Look at the keys of `models`.",
    ('"name": name', '"name": type(model).__name__'),
)

edit(
    "sorted by score",
    "Your rows are sorted by their score. That is a good way to show them, and here the order of `models` is asked "
    "for. Look for `sort`.",
    ("return rows", 'return sorted(rows, key=lambda row: -row["dice"])'),
)

edit(
    "sorted by name",
    "Your rows are sorted by name. The order of `models` is asked for. Look for `sort`.",
    ("return rows", 'return sorted(rows, key=lambda row: row["name"])'),
)


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


edit(
    "the clock runs in training mode",
    "You score the models in evaluation mode and time them in the mode they came in. The passes on the clock then "
    "change the running statistics of every batch norm. Look at the mode around the timing.",
    (
        "        rows.append",
        "        with torch.no_grad():\n            [model(images) for images, _ in loader]\n        rows.append",
    ),
)

edit(
    "gradients are kept",
    "The numbers are right, and every prediction builds a graph for a gradient that nobody asks for. That costs "
    "memory, and it costs time while the clock runs. Look for a context or decorator that switches gradients off.",
    ("        rows.append", KEPT + "        rows.append"),
)

edit(
    "the mode is not given back",
    "Your comparison leaves the models in evaluation mode. Called between two epochs, it silently switches off dropout "
    "and freezes the batch norms for the rest of the training. Look at what `model.training` was before you changed "
    "it.",
    ("    return", "        model.eval()\n    return"),
)

edit(
    "always left in training mode",
    "You end with `model.train()`, whatever mode a model came in. Whoever had put it into evaluation mode now predicts "
    "in training mode without knowing. Look at what `model.training` was before you changed it.",
    ("    return", "        model.train()\n    return"),
)

edit(
    "sorted by score, the best last",
    "Your rows are sorted by their score, from the lowest to the highest. The order of `models` is asked for. Look "
    "for `sort`.",
    ("return rows", 'return sorted(rows, key=lambda row: row["dice"])'),
)

edit(
    "scores rounded",
    "You round the scores to two digits. That is for whoever shows the table: two good models often differ in the "
    "third. Look for `round`, or for a format.",
    ('scores["dice"]', 'round(scores["dice"], 2)'),
    ('scores["iou"]', 'round(scores["iou"], 2)'),
)

edit(
    "scores in percent",
    "Your scores are a hundred times too large: percent. `evaluate` gives them from 0 to 1. Look at what you do with "
    "them.",
    ('scores["dice"]', '100 * scores["dice"]'),
    ('scores["iou"]', '100 * scores["iou"]'),
)

edit(
    "parameters in millions",
    "You count the parameters in millions, and the task asks how many they are. Look at what you divide by.",
    ("sum(p.numel() for p in model.parameters())", "sum(p.numel() for p in model.parameters()) / 1e6"),
)

edit(
    "rows that are no dicts",
    "Your rows are tuples or lists, so a column can only be found by counting. A row is a dict, with a key for each "
    "column. Look at what you append.",
    ("return rows", "return [tuple(row.values()) for row in rows]"),
)

edit(
    "nothing is returned",
    "You print the table, or make it, and return nothing. Look at the end of your function.",
    ("return rows", "print(rows)"),
)


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
