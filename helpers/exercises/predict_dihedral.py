"""Lesson 11: `predict_dihedral(model, image)`."""

import numpy as np
import torch

from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.inference import predict_dihedral


@exercise(
    predict_dihedral,
    lesson="11_in_the_wild",
    concept="Test-time augmentation",
    points=4,
    minutes=7,
    difficulty=3,
    hints=[
        "Four quarter turns, and the same four of the flipped image: that is all eight. Each prediction has to be "
        "brought back to where the image's pixels are before you add it.",
        "`torch.rot90(x, k, (-2, -1))` turns by `k` quarters and swaps the sides when `k` is odd. Which `k` undoes it?",
        "Flip, then turn, then predict; afterwards turn back, then flip back. Two loops around that, `torch.stack` and "
        "`mean(dim=0)` after it.",
    ],
    task=(
        "Logits `(K, H, W)`: the mean of the logits that `model`, which maps `(N, C, H, W)` to `(N, K, H, W)`, gives "
        "for the eight flips and quarter turns of `image` `(C, H, W)`, each turned back. The image need not be "
        "square. The model runs in evaluation mode and without gradients, and gets back the mode it came in."
    ),
)
def probes(draw):
    """Networks whose kernels have no symmetry, so that all eight views give something else; few of them square."""

    def network(channels, classes, training=True):
        settings = {"in_channels": channels, "num_classes": classes, "seed": draw.seed(), "training": training}
        return Fixture("fully convolutional network", {**settings, "momentum": None})  # in any order of the views

    yield Call((network(1, 1, training=False), draw.positions(3, 4)[None] / 100))
    yield Call((network(2, 3), draw.normal(2, 5, 5)))
    yield Call((network(1, 2), draw.normal(1, 8, 5)))
    yield Call((network(3, 2, training=False), draw.normal(3, draw.size(4, 12), draw.size(13, 20))))
    yield Call((network(2, 1), draw.normal(2, 1, 7)))


edit = edits_of(predict_dihedral)


def _predict(model, batch):
    """Logits of a batch, in evaluation mode and without gradients; the mode is given back."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        logits = model(batch)
    model.train(was_training)
    return logits


edit(
    "not turned back",
    "You average the eight predictions as they come, each still turned and flipped its own way, so every object "
    "appears in up to eight places. (Where the image is not square, the shapes do not even fit.) Look at what happens "
    "between predicting and adding.",
    (".rot90(-turns, (-2, -1))", ""),
    ("logits.flip(-1) if flipped else logits", "logits"),
)

edit(
    "turned further instead of back",
    "You undo a quarter turn with the same quarter turn, which makes a half turn of it; only the half turn undoes "
    "itself. Look at the sign of `k` on the way back.",
    ("-turns", "turns"),
)

edit(
    "turns undone, flips not",
    "You turn the predictions back, and the four flipped ones stay mirrored. Look at the way back for the views that "
    "were flipped.",
    ("logits.flip(-1) if flipped else logits", "logits"),
)

edit(
    "flips undone, turns not",
    "You flip the predictions back, and the turned ones stay turned. Look at the way back for the views that were "
    "turned.",
    (".rot90(-turns, (-2, -1))", ""),
)

edit(
    "undone in the wrong order",
    "What you do first to the image you also undo first. Flips and turns do not commute: after a quarter turn left and "
    "right have become up and down. On the way back, what came last goes first: look at the order there.",
    ("logits.rot90(-turns, (-2, -1))", "(logits.flip(-1) if flipped else logits).rot90(-turns, (-2, -1))"),
    ("append(logits.flip(-1) if flipped else logits)", "append(logits)"),
)

edit(
    "flipped back along the other axis",
    "The flip that you undo is not the one you did: one goes along the rows, the other along the columns. "
    "Look at the `dims` of your two flips.",
    ("logits.flip(-1)", "logits.flip(-2)"),
)

edit(
    "only the four turns",
    "You average four views, the quarter turns. Their mirror images are missing: eight in all. "
    "Look at your loop for a flip.",
    ("(False, True)", "(False,)"),
)

edit(
    "only flips",
    "You average the image, its two flips and both at once. That makes four; the other four stand on their side. "
    "Look for quarter turns.",
    ("range(4)", "(0, 2)"),
)

edit(
    "six of eight",
    "You average the four quarter turns and the two flips. The two flips of the image on its side are missing: each "
    "turn has a mirror image of its own. Look at how flips and turns combine in your loop.",
    ("range(4)", "(0, 2) if flipped else range(4)"),
)

edit(
    "the image itself left out",
    "You average seven views: the image as it is, neither turned nor flipped, is missing. "
    "Look at where your loops start.",
    ("stack(predictions)", "stack(predictions[1:])"),
)

edit(
    "the first prediction counts twice",
    "The unturned image is in your mean twice, once before the loop and once in it, and the sum of nine predictions is "
    "divided by what you took to be their number. Look at what the first round of your loop adds.",
    ("stack(predictions)", "stack([predictions[0], *predictions])"),
)

edit(
    "a single plain prediction",
    "You return what the model says about the image as it is: no turn, no flip. Look at what you hand to `model`.",
    ("stack(predictions)", "stack(predictions[:1])"),
)

edit(
    "sum instead of mean",
    "You added the eight predictions up and did not divide. The sign of a logit survives that, its size does not: "
    "probabilities made from it are far too sure. Look at your last line.",
    (".mean(dim=0)", ".sum(dim=0)"),
)

edit(
    "a sum of eight divided by four",
    "Your logits are twice as large as they should be: there are eight predictions, and you divide their sum by "
    "four. Look at your last line.",
    (".mean(dim=0)", ".sum(dim=0) / 4"),
)

edit(
    "maximum instead of mean",
    "You took the largest of the eight logits. One view that is wrong and sure then decides alone. "
    "Look at how the eight are put together.",
    (".mean(dim=0)", ".amax(dim=0)"),
)

edit(
    "median instead of mean",
    "You took the median of the eight. That is a steady choice too, and another number: here the mean is asked for. "
    "Look at how the eight are put together.",
    (".mean(dim=0)", ".median(dim=0).values"),
)

edit(
    "mean over the classes",
    "You average over the classes, so what comes out is one map for each of the eight views instead of one for each "
    "class. Look at the `dim` of your mean: the views are the first axis of your stack.",
    (".mean(dim=0)", ".mean(dim=1)"),
)

edit(
    "mean of probabilities",
    "You turned each prediction into probabilities before averaging. The task asks for the mean of the *logits*, so "
    "that what comes next can apply the sigmoid or softmax once. Look for either of them.",
    ("stack(predictions)", "stack([p.softmax(dim=0) if len(p) > 1 else p.sigmoid() for p in predictions])"),
)

edit(
    "mean of softmax probabilities",
    "You applied softmax before averaging; with a single class it makes 1 of every logit. The task asks for the mean "
    "of the *logits*, so that what comes next can turn them into probabilities once. Look for the softmax.",
    ("stack(predictions)", "stack(predictions).softmax(dim=1)"),
)

edit(
    "mean of sigmoid probabilities",
    "You applied the sigmoid before averaging. The task asks for the mean of the *logits*, so that what comes next "
    "can turn them into probabilities once. Look for the sigmoid.",
    ("stack(predictions)", "stack(predictions).sigmoid()"),
)

edit(
    "mean of labels",
    "You averaged decisions. A view that says 51 % then counts as much as one that says 99 %, and the mean of two "
    "class numbers is a class that nobody voted for. Look for `argmax` or a comparison before the mean.",
    ("stack(predictions)", "stack([(p.argmax(dim=0) if len(p) > 1 else p > 0).float() for p in predictions])"),
)

edit(
    "channels turned as well",
    "Your turn or flip takes the first axis of `(C, H, W)`, which is the channels, not the rows. Colours change places "
    "and the picture stays upright. Look at the `dims` of your flips and turns, counted from the end.",
    ("image.flip(-1)", "image.flip(0)"),
    ("logits.flip(-1)", "logits.flip(0)"),
)

edit(
    "channels and rows turned",
    "`rot90` turns the first two axes unless told otherwise, and those of `(C, H, W)` are channels and rows. Look at "
    "the `dims` of your turns, counted from the end.",
    (".rot90(turns, (-2, -1))", ".rot90(turns)"),
    (".rot90(-turns, (-2, -1))", ".rot90(-turns)"),
)

# Stacked together, the eight views of an image that is not square raise an error, which depends on their order.
VIEW = "(image.flip(-1) if f else image).rot90(k, (-2, -1))"

edit(
    "only for square images",
    "A turned image has its sides swapped, and you put all eight into one tensor before turning them back: that works "
    "for squares only. Look at where you stack.",
    ("model.eval()\n", f"model.eval()\n    torch.stack([{VIEW} for f in (False, True) for k in range(4)])\n"),
)

edit(
    "one batch for all eight",
    "You put all eight views into one batch. A quarter turn swaps the sides, so for an image that is not square they "
    "have two shapes, and no batch holds both. Look at where you stack.",
    ("model.eval()\n", f"model.eval()\n    torch.stack([{VIEW} for k in range(4) for f in (False, True)])\n"),
)

edit(
    "the sides forced to fit",
    "For an image that is not square you reshape the turned prediction to the image's sides. `reshape` keeps the "
    "numbers and moves every one of them: only turning back puts them where they belong. Look for `reshape` or `view`.",
    ("logits.rot90(-turns, (-2, -1))", "logits.reshape(len(logits), *image.shape[1:])"),
    ("logits.flip(-1) if flipped else logits", "logits"),
)

edit(
    "prediction in training mode",
    "The model predicts in whatever mode it is given. In training mode a batch norm uses the statistics of the view it "
    "sees, and its running statistics move as well. Look for what has to be called before the first prediction.",
    ("    model.eval()\n", ""),
)

edit(
    "gradients are kept",
    "The graphs of all eight passes stay in memory for a gradient that nobody asks for. "
    "Look for a context or decorator that switches gradients off.",
    ("@torch.no_grad()\n", ""),
)

edit(
    "the mode is not given back",
    "Your prediction leaves the model in evaluation mode. Called in the middle of a training run, it silently switches "
    "off dropout and freezes the batch norms for the rest of it. Look at what `model.training` was before you changed "
    "it.",
    ("    model.train(was_training)\n", ""),
)

edit(
    "always left in training mode",
    "You end with `model.train()`, whatever mode the model came in. Whoever had put it into evaluation mode now "
    "predicts in training mode without knowing. Look at what `model.training` was before you changed it.",
    ("model.train(was_training)", "model.train()"),
)

edit(
    "the batch is left on",
    "The result has four dimensions: the batch of one that the model needed is still there. Look at the shape you "
    "return; `(K, H, W)` is asked for.",
    (".mean(dim=0)", ".mean(dim=0)[None]"),
)


@variant("turn first, flip second, and back")
def turn_first(model, image):
    training = model.training
    model.eval()
    total = 0
    with torch.inference_mode():
        for k in range(4):
            turned = torch.rot90(image[None], k, dims=[2, 3])
            for dims in ([], [2]):
                logits = model(turned.flip(dims)).flip(dims)
                total = total + torch.rot90(logits, -k, dims=[2, 3])
    model.train(training)
    return total.squeeze(0).clone() / 8


@variant("in two batches of one shape each, through transposing")
def transposed(model, image):
    def flips(x):
        return torch.stack([x, x.flip(1), x.flip(2), x.flip(1, 2)])

    def unflip(y):
        return (y[0] + y[1].flip(1) + y[2].flip(2) + y[3].flip(1, 2)) / 4

    upright = unflip(_predict(model, flips(image)))
    lying = unflip(_predict(model, flips(image.mT.contiguous())))
    return (upright + lying.mT) / 2


@variant("with numpy, turning to and fro")
def with_numpy(model, image):
    pixels, results = image.numpy(), []
    for k in range(4):
        for mirrored in (True, False):
            view = np.rot90(pixels[:, ::-1] if mirrored else pixels, k, axes=(1, 2)).copy()
            logits = np.rot90(_predict(model, torch.from_numpy(view)[None])[0].numpy(), 4 - k, axes=(1, 2))
            results.append(logits[:, ::-1] if mirrored else logits)
    return torch.from_numpy(np.mean(results, axis=0))


@variant("all sixteen ways to flip and turn, each of the eight twice")
def sixteen(model, image):
    results = []
    for k in range(4):
        for dims in ((), (-1,), (-2,), (-2, -1)):
            logits = _predict(model, image.flip(dims).rot90(k, (-2, -1)).unsqueeze(0))
            results.append(logits.squeeze(0).rot90(-k, (-2, -1)).flip(dims))
    return sum(results) / len(results)
