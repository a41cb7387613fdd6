"""Lesson 11: `predict_tiled(model, image, tile, overlap)`."""

from itertools import product

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.fixtures import Fixture, make
from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.inference import predict_tiled

TOLERANCE_SCALE = (
    10  # a batch of tiles is added up in another order than one tile after the other, and logits are large
)


@exercise(
    predict_tiled,
    lesson="11_in_the_wild",
    concept="Overlapping tiles",
    points=8,
    minutes=14,
    difficulty=5,
    hints=[
        "`with_margin`, given above, is the image with all that the tiles need around it. In it the first tile "
        "starts at row 0 and column 0, the next one `tile - overlap` pixels further, and so on. Where must the last "
        "one start?",
        "The logits of the mirrored part are of no use: the image's own begin at row and column `overlap // 2`.",
        "Add up `weight * logits` and `weight` in two canvases and divide once at the end. The weight of a tile is 0 "
        "in its outermost `overlap // 4` pixels, because there the model had to guess its surroundings.",
    ],
    task=(
        "Logits `(K, H, W)` for an image `(C, H, W)` of any size, also smaller than a tile, from a `model` that maps "
        "`(N, C, tile, tile)` to `(N, K, tile, tile)` and is never given tiles of another size. Neighbouring tiles "
        "share `overlap` pixels; where a tile reaches past the image, mirror the image. For a model that looks at "
        "most `overlap // 4` pixels far, the result is what it predicts from the whole image, except at the image's "
        "own border. The model runs in evaluation mode and without gradients, and gets back the mode it came in."
    ),
)
def probes(draw):
    """Networks that see one pixel must agree everywhere; those that see further agree away from the image's border."""

    def network(channels, classes, **settings):
        # what training mode leaves behind does not depend on the order of the tiles
        settings |= {"in_channels": channels, "num_classes": classes, "momentum": None}
        return Fixture("fully convolutional network", settings)

    def pointwise(channels, classes, training=True):
        return network(channels, classes, seed=draw.seed(), reach=0, training=training)

    def reaching(reach, channels, classes):
        return network(channels, classes, seed=draw.seed(), reach=reach)

    def inside(border):
        def view(result, args):
            return {"shape": tuple(result.shape), "inside": result[:, border:-border, border:-border]}

        return view

    yield Call((pointwise(1, 1, training=False), draw.positions(4, 5)[None] / 100, 4, 2))
    yield Call((pointwise(2, 3), draw.normal(2, 17, 17), 8, 0))  # of the last tiles a single row and a single column
    yield Call((pointwise(1, 2), draw.normal(1, 2, 3), 3, 2))  # one pixel on from tile to tile
    yield Call((pointwise(1, 2), draw.normal(1, 3, 5), 16, 4))  # three times smaller than a tile
    yield Call((pointwise(2, 2), draw.normal(2, 1, 9), 6, 3))  # a single row: nothing to mirror it with
    yield Call((pointwise(3, 1), draw.normal(3, 12, 6), 10, 7))  # about as large as one, and most of it shared
    yield Call((reaching(1, 2, 2), draw.normal(2, 14, 21), 12, 4), view=inside(1), tolerance_scale=TOLERANCE_SCALE)
    yield Call((reaching(1, 1, 3), draw.normal(1, 6, 30), 11, 5), view=inside(1), tolerance_scale=TOLERANCE_SCALE)
    h, w = draw.size(20, 32), draw.size(20, 32)
    yield Call(
        (reaching(3, 2, 3), draw.normal(2, h, w), draw.size(26, 30), 12),
        view=inside(3),
        tolerance_scale=TOLERANCE_SCALE,
    )
    for reach, tile, overlap in ((1, 12, 4), (2, 14, 8)):
        mirroring = network(1, 2, seed=draw.seed(), reach=reach, padding_mode="reflect")
        around = (mirroring, draw.normal(1, 8, 26), tile, overlap)
        yield Call(around, view=_border_facts(reach), tolerance_scale=TOLERANCE_SCALE)


edit = edits_of(predict_tiled)


def _border_facts(reach):
    """For a network that mirrors at its own borders: is each pixel what it makes of the image, or of a mirrored one?

    A right answer may repeat the outermost pixels in the mirror image or not, or move the last tile back into the
    image, and do one on the left and another on the right.
    """

    def facts(result, args):
        network, image = make(args[0], []).eval(), args[1]
        candidates = []
        for rows, columns in product(("reflect", "symmetric", None), repeat=2):
            down, across = (0 if mode is None else 2 * reach for mode in (rows, columns))
            padded = np.pad(image.numpy(), ((0, 0), (down, down), (0, 0)), mode=rows or "edge")
            padded = np.pad(padded, ((0, 0), (0, 0), (across, across)), mode=columns or "edge")
            with torch.no_grad():
                candidate = network(torch.from_numpy(padded)[None])[0]
            candidates.append(candidate[:, down : down + image.shape[1], across : across + image.shape[2]])
        nearest = torch.stack([(result - c).abs() / (1 + c.abs()) for c in candidates]).amin(dim=0)
        return {
            "shape": tuple(result.shape),
            "inside": result[:, reach:-reach, reach:-reach],
            "the border sees the image or its mirror image": bool((nearest < 1e-4).all()),
        }

    return facts


def _predict(model, batch):
    """Logits of a batch, in evaluation mode and without gradients; the mode is given back."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        logits = model(batch)
    model.train(was_training)
    return logits


def _mirror(image, top, bottom, left, right, mode="reflect"):
    sides = ((0, 0), (top, bottom), (left, right))
    return torch.from_numpy(np.pad(image.numpy(), sides, mode=mode))


@misconception(
    "the whole image at once",
    "You gave the model the whole image. The numbers are right, but a slide of 50 000 pixels a side does not fit into "
    "any memory, and that is what tiles are for. Look at the shape of what you pass to `model`.",
)
def at_once(model, image, tile, overlap):
    return _predict(model, image[None])[0]


def _unpadded(model, image, tile, overlap, tops, lefts):
    """Tiles from these rows and columns on, as far as the image goes; each overwrites a margin of those before."""
    _, h, w = image.shape
    total = None
    for y, x in product(tops, lefts):
        logits = _predict(model, image[None, :, y : y + tile, x : x + tile])[0]
        if total is None:
            total = logits.new_zeros(len(logits), h, w)
        top, left = overlap // 2 if y else 0, overlap // 2 if x else 0
        total[:, y + top : y + tile, x + left : x + tile] = logits[:, top:, left:]
    if total is None:  # no tile fits
        total = _predict(model, torch.zeros(1, image.shape[0], tile, tile))[0, :, :1, :1].expand(-1, h, w) * 0
    return total


@misconception(
    "the right and lower rest is left out",
    "The tiles stop before they would leave the image, so up to a tile's width at the right and at the bottom is "
    "never predicted. Look at the end of your `range`, and at what happens when the sides are not a multiple of the "
    "step.",
)
def rest_left_out(model, image, tile, overlap):
    tops, lefts = (range(0, side - tile + 1, tile - overlap) for side in image.shape[-2:])
    return _unpadded(model, image, tile, overlap, tops, lefts)


@misconception(
    "smaller tiles at the border",
    "At the right and lower border you cut tiles that are smaller than the others. A network that halves its sides "
    "four times cannot take every size, and one built for 256 pixels sees another world in a strip of 7. Look at the "
    "shapes that reach `model`: all of them have to be `tile` × `tile`.",
)
def smaller_tiles(model, image, tile, overlap):
    tops, lefts = (range(0, max(side - overlap, 1), tile - overlap) for side in image.shape[-2:])
    return _unpadded(model, image, tile, overlap, tops, lefts)


@misconception(
    "tiles cut off at the border",
    "A tile begins at every step up to the image's last row and column, and where it reaches past them it is cut off. "
    "The model then gets inputs smaller than a tile, down to a few pixels. Look at the shapes that reach `model`: all "
    "of them have to be `tile` × `tile`.",
)
def cut_off(model, image, tile, overlap):
    tops, lefts = (range(0, side, tile - overlap) for side in image.shape[-2:])
    return _unpadded(model, image, tile, overlap, tops, lefts)


edit(
    "overlaps are summed",
    "Where tiles overlap you added their logits up, so the strips they share come out too large: a grid over the whole "
    "prediction. Look at what you have to divide by, pixel for pixel.",
    ("_tile_weight(tile, overlap)", "torch.ones(tile, tile)"),
    ("(total / weights)", "total"),
)

edit(
    "overlaps are averaged with equal weights",
    "Where tiles overlap you took the plain mean. A pixel at the edge of one tile lies deep inside another, and the "
    "tile that had to guess its surroundings counts as much as the one that saw them: faint seams remain. Look at how "
    "much each pixel of a tile should count.",
    ("_tile_weight(tile, overlap)", "torch.ones(tile, tile)"),
)

edit(
    "whole tiles are averaged, from the corner on",
    "Where tiles overlap you took the plain mean. A pixel at the edge of one tile lies deep inside another, and the "
    "tile that had to guess its surroundings counts as much as the one that saw them: faint seams remain. Look at how "
    "much each pixel of a tile should count.",
    ("range(-(overlap // 2), side - overlap // 2, tile - overlap)", "range(0, max(side - overlap, 1), tile - overlap)"),
    ("_tile_weight(tile, overlap)", "torch.ones(tile, tile)"),
)

edit(
    "whole tiles are averaged, the last one moved back",
    "Where tiles overlap you took the plain mean. A pixel at the edge of one tile lies deep inside another, and the "
    "tile that had to guess its surroundings counts as much as the one that saw them: faint seams remain. Look at how "
    "much each pixel of a tile should count.",
    (
        "(range(-(overlap // 2), side - overlap // 2, tile - overlap)",
        "([*range(0, side - tile, tile - overlap), max(side - tile, 0)]",
    ),
    ("range(0, len(rows) - overlap, tile - overlap)", "tops"),
    ("range(0, len(columns) - overlap, tile - overlap)", "lefts"),
    ("_tile_weight(tile, overlap)", "torch.ones(tile, tile)"),
)

edit(
    "the last tile wins",
    "Each tile overwrites what the one before it wrote, so at its upper and left edge the worst part of a tile "
    "replaces the best part of its neighbour. Look at the slice you assign to: a margin of each tile has to go.",
    ("total[here] += weight * logits", "total[here] = logits"),
    ("(total / weights)", "total"),
)

edit(
    "the last tile wins, from the corner on",
    "Each tile overwrites what the one before it wrote, so at its upper and left edge the worst part of a tile "
    "replaces the best part of its neighbour. Look at the slice you assign to: a margin of each tile has to go.",
    ("range(-(overlap // 2), side - overlap // 2, tile - overlap)", "range(0, max(side - overlap, 1), tile - overlap)"),
    ("total[here] += weight * logits", "total[here] = logits"),
    ("(total / weights)", "total"),
)

edit(
    "no margin at the upper left",
    "Your first tile begins at the image's own corner, where its weights are 0. No other tile reaches there, so the "
    "sum of the weights is 0 too, and the border of the result is NaN. Look at where the first tile begins: `overlap "
    "// 2` pixels before the image.",
    ("range(-(overlap // 2), side - overlap // 2, tile - overlap)", "range(0, side, tile - overlap)"),
)

# What stands in the place of `weight = _tile_weight(tile, overlap)`.
BLEND = """
    ramp = torch.ones(tile)
    steps = torch.arange(1, overlap + 1) / (overlap + 1)
    ramp[:overlap] = steps
    ramp[tile - overlap :] = torch.minimum(ramp[tile - overlap :], steps.flip(0))
    weight = ramp[:, None] * ramp
"""
BELL = """
    bell = torch.exp(-(((torch.arange(tile) - (tile - 1) / 2) / (tile / 4)) ** 2) / 2)
    weight = bell[:, None] * bell
"""

edit(
    "blended up to the tile's edge",
    "Your weights fall towards the edge of a tile and do not reach zero there, so the outermost pixels, where the "
    "model saw padding instead of the image, still count a little. Look at the weight of the outermost "
    "`overlap // 4` pixels.",
    ("    weight = _tile_weight(tile, overlap)", BLEND),
)

edit(
    "Gaussian weights up to the edge",
    "A Gaussian weight is small at the edge of a tile and never zero, so the pixels that saw padding instead of the "
    "image still count: close, and not equal. Look at the weight of the outermost `overlap // 4` pixels.",
    ("    weight = _tile_weight(tile, overlap)", BELL),
)

edit(
    "tiles side by side",
    "Your tiles lie side by side: the overlap is ignored, and every border between two tiles is a seam where both "
    "guess. Look at the step from one tile to the next.",
    ("    height, width =", "    overlap = 0\n    height, width ="),
)

edit(
    "the step is the overlap",
    "Your tiles move on by `overlap` pixels. That is how much they *share*: without an overlap they never move, and "
    "with a large one they leave gaps in which nothing is right. Look at how far a tile moves when it shares "
    "`overlap` of its `tile` pixels with the one before.",
    ("side - overlap // 2, tile - overlap)", "side - overlap // 2, overlap)"),
    ("len(rows) - overlap, tile - overlap", "len(rows) - tile + 1, overlap"),
    ("len(columns) - overlap, tile - overlap", "len(columns) - tile + 1, overlap"),
)

AROUND = "(-lefts[0], lefts[-1] + tile - width, -tops[0], tops[-1] + tile - height)"

edit(
    "zeros past the border",
    "Past the image's border you filled in zeros. The model sees a black frame that is not there, and the border of "
    "the result shows it. Look at the mode of your padding.",
    ("image[:, rows[:, None], columns]", f"nn.functional.pad(image, {AROUND})"),
)

edit(
    "the outermost pixels repeated",
    "Past the image's border you repeat its outermost pixels. The model sees stripes that are not there, and the "
    "border of the result shows it. Mirror the image: look at the mode of your padding, or for a `clamp`.",
    ("_mirrored(tops[0], tops[-1] + tile, height)", "torch.arange(tops[0], tops[-1] + tile).clamp(0, height - 1)"),
    ("_mirrored(lefts[0], lefts[-1] + tile, width)", "torch.arange(lefts[0], lefts[-1] + tile).clamp(0, width - 1)"),
)

edit(
    "images smaller than a tile are refused",
    'An image smaller than a tile raises an error: `F.pad` with `mode="reflect"` mirrors once, and once is not '
    "enough. Look at how to build the mirrored rows and columns yourself, as a list of indices.",
    ("    padded =", f"    nn.functional.pad(image[None], {AROUND}, mode='reflect')\n    padded ="),
)

WHOLE = """
    if height <= tile and width <= tile:
        was_training = model.training
        result = model.eval()(image[None])[0]
        model.train(was_training)
        return result
"""

edit(
    "small images are predicted whole",
    "An image that fits into a tile goes to the model as it is. The model is never given another size than `tile` × "
    "`tile`: look at the case that you treat apart, and mirror the image up to a whole tile.",
    ("    padded =", f"{WHOLE}    padded ="),
)

edit(
    "without an overlap nothing is left",
    "With `overlap=0` your margin is 0 and the slice `[margin:-margin]` is `[0:-0]`, which is empty. Look at the end "
    "of your slices, and count it from the front.",
    ("top + height, left : left + width", "top + height * (top > 0), left : left + width * (left > 0)"),
)

edit(
    "rows and columns swapped",
    "A tile cut at row `y` and column `x` is put back at row `x` and column `y`. On a square image that mixes the "
    "picture up; on any other it does not even fit. Look at the order of the two in your last assignment.",
    ("    height, width =", "    image = image.mT.contiguous()\n    height, width ="),
)

edit(
    "the padding is left on",
    "The result is larger than the image: the mirrored border is still on it. Look at your last line, and at how far "
    "the image was moved by the padding at the top and left.",
    ("return (total", "result = (total"),
    ("left : left + width]", "left : left + width]\n    return result[:, rows[:, None], columns]"),
)

edit(
    "the margin is left on",
    "The result is larger than the image: what the tiles predicted around it is still there. Look at your last line, "
    "and at the row and column of the canvas at which the image begins.",
    ("[:, top : top + height, left : left + width]", ""),
)

edit(
    "the padding is cut off at the wrong side",
    "The result is shifted: you padded at the top and left too, and cut the first `H` rows and `W` columns. "
    "Look at where the image's first pixel lies after padding.",
    ("return (total", "result = (total"),
    ("left : left + width]", "left : left + width]\n    return result[:, rows[:, None], columns][:, :height, :width]"),
)

edit(
    "the margin is not taken off at the upper left",
    "The result is shifted: you return the first `H` rows and `W` columns of the canvas, and the image begins "
    "`overlap // 2` pixels later. Look at the slice in your last line.",
    ("-tops[0], -lefts[0]", "0, 0"),
)


@misconception(
    "the image is resized to a tile",
    "You scaled the whole image down to one tile, and the logits up again. Small objects vanish on the way and every "
    "border is blurred. Look for `interpolate` or `resize`: tiles are *cut* from the image.",
)
def resized(model, image, tile, overlap):
    small = F.interpolate(image[None], size=(tile, tile), mode="bilinear")
    return F.interpolate(_predict(model, small), size=image.shape[-2:], mode="bilinear")[0]


edit(
    "labels instead of logits",
    "You return the class of each pixel. Labels cannot be averaged, and whoever calls you needs the logits to choose "
    "a threshold. Look for `argmax` or a comparison at the end.",
    ("return (total", "result = (total"),
    (
        "left : left + width]",
        "left : left + width]\n    return result.argmax(dim=0) if len(result) > 1 else (result > 0).long()",
    ),
)

edit(
    "probabilities instead of logits",
    "You return probabilities. The model gives logits and the task asks for logits, so that what comes next does not "
    "apply the sigmoid or softmax twice. Look for either of them.",
    ("return (total", "result = (total"),
    (
        "left : left + width]",
        "left : left + width]\n    return result.softmax(dim=0) if len(result) > 1 else result.sigmoid()",
    ),
)

edit(
    "the first class only",
    "You return one channel where the model gives K. Look at the index after `model(...)`: the batch has to go, "
    "the channels stay.",
    ("[:, top :", "[0, top :"),
)

edit(
    "a canvas with the image's channels",
    "Your canvas has as many channels as the image. The logits have one for each class, and how many those are is "
    "known when the first tile has been predicted. Look at where you make the canvas.",
    ("logits.new_zeros(len(logits), *padded.shape[-2:])", "torch.zeros_like(padded)"),
)

edit(
    "the batch is left on",
    "The result has four dimensions: the batch of one that the model needed is still there. Look at the shape you "
    "return; `(K, H, W)` is asked for.",
    ("left : left + width]", "left : left + width][None]"),
)

edit(
    "prediction in training mode",
    "The model predicts in whatever mode it is given. In training mode a batch norm uses the statistics of the one "
    "tile it sees, so every tile is normalised in its own way, and its running statistics move as well. Look for what "
    "has to be called before the first prediction.",
    ("    model.eval()\n", ""),
)

MIDDLE = """
    weight = torch.zeros(tile, tile)
    middle = slice(overlap // 2, overlap // 2 + tile - overlap)
    weight[middle, middle] = 1
"""

edit(
    "training mode, and the middle of each tile kept",
    "You keep the middle of each tile, which is right, but the model predicts in whatever mode it is given. In "
    "training mode a batch norm uses the statistics of the one tile it sees. Look for what has to be called before "
    "the first prediction.",
    ("    model.eval()\n", ""),
    ("    weight = _tile_weight(tile, overlap)", MIDDLE),
)

edit(
    "gradients are kept",
    "Every tile's whole graph of activations stays in memory until you return, for a gradient that nobody asks for. "
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


@variant("centres cut out, the image mirrored with numpy")
def centres(model, image, tile, overlap):
    _, h, w = image.shape
    before = overlap // 2
    step = tile - overlap
    bottom, right = -h % step + overlap - before, -w % step + overlap - before
    padded = torch.as_tensor(np.pad(image.numpy(), ((0, 0), (before, bottom), (before, right)), mode="symmetric"))
    training = model.training
    model.eval()
    rows = []
    with torch.inference_mode():
        for y in range(0, h, step):
            row = []
            for x in range(0, w, step):
                logits = model(padded[:, y : y + tile, x : x + tile].unsqueeze(0)).squeeze(0)
                row.append(logits[:, before : before + step, before : before + step])
            rows.append(torch.cat(row, dim=2))
    model.train(training)
    return torch.cat(rows, dim=1)[:, :h, :w].clone()


@variant("the last tile moved back into the image, margins cut only inside")
def moved_back(model, image, tile, overlap):
    _, h, w = image.shape
    padded = _mirror(image, 0, max(tile - h, 0), 0, max(tile - w, 0))
    tall, wide = padded.shape[-2:]
    margin, step = overlap // 2, tile - overlap
    result = None
    for top in [*range(0, tall - tile, step), tall - tile]:
        for left in [*range(0, wide - tile, step), wide - tile]:
            logits = _predict(model, padded[None, :, top : top + tile, left : left + tile])[0]
            if result is None:
                result = torch.empty(logits.shape[0], tall, wide)
            y0, x0 = margin if top else 0, margin if left else 0
            result[:, top + y0 : top + tile, left + x0 : left + tile] = logits[:, y0:, x0:]
            # what is too near this tile's right or lower edge is overwritten by the next one
    return result[:, :h, :w]


@variant("all tiles in one batch, with unfold and fold")
def folded(model, image, tile, overlap):
    (h, w), before, step = image.shape[-2:], overlap // 2, tile - overlap
    padded = _mirror(image, before, -h % step + overlap - before, before, -w % step + overlap - before)
    columns = F.unfold(padded[None], tile, stride=step)[0]  # (C·tile·tile, tiles)
    logits = _predict(model, columns.T.reshape(-1, image.shape[0], tile, tile))
    keep = torch.zeros(tile)
    keep[before : before + step] = 1
    logits = logits * (keep[:, None] * keep)
    together = F.fold(logits.flatten(1).T[None], padded.shape[-2:], tile, stride=step)[0]
    return together[:, before : before + h, before : before + w]


@variant("each pixel from the tile in which it lies deepest")
def deepest(model, image, tile, overlap):
    place = torch.arange(tile)
    depth = torch.minimum(place, tile - 1 - place) + 1
    depth = torch.minimum(depth[:, None], depth)
    (h, w), before, step = image.shape[-2:], overlap // 2, tile - overlap
    padded = _mirror(image, before, tile, before, tile)
    best = torch.zeros(padded.shape[-2:])
    result = None
    for y, x in product(range(0, h, step), range(0, w, step)):
        here = (slice(y, y + tile), slice(x, x + tile))
        logits = _predict(model, padded[:, here[0], here[1]][None])[0]
        result = torch.zeros(len(logits), *best.shape) if result is None else result
        better = depth > best[here]
        result[:, here[0], here[1]] = torch.where(better, logits, result[:, here[0], here[1]])
        best[here] = torch.where(better, depth.float(), best[here])
    return result[:, before : before + h, before : before + w]
