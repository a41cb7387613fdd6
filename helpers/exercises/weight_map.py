"""Lesson 08: `weight_map(instances, w0=10.0, sigma=5.0)`."""

import math

import numpy as np
import torch
from scipy import ndimage
from scipy.spatial import cKDTree

from helpers.checks.probes import Call
from helpers.exercises import exercise, misconception, variant
from helpers.reference.losses import weight_map


@exercise(
    weight_map,
    lesson="08_losses",
    concept="Border weights",
    points=4,
    minutes=12,
    difficulty=4,
    hints=[
        "Make one map of distances for each object: how far is each pixel from *this* object? Which two of these "
        "numbers does a background pixel need?",
        "`scipy.ndimage.distance_transform_edt` gives for each pixel that is not 0 the distance to the nearest 0. "
        "Which mask has its zeros on the object number k?",
        "Stack the maps, sort them along the new dimension, take the first two. The numbers of the objects come from "
        "`unique()`, without 0. With fewer than two of them there is nothing to sort: return zeros early.",
    ],
    task=(
        "The border weights of the U-Net paper (2015) from an instance mask: int64 `(H, W)`, 0 for background, one "
        "number for each object, in any order and with gaps. On background, `w0 · exp(-(d1 + d2)² / (2 · sigma²))`, "
        "where d1 and d2 are the distances to the nearest and second nearest object (Euclidean, from a pixel to the "
        "nearest pixel of the object). On objects 0, and 0 everywhere with fewer than two objects. The paper's class "
        "balance w_c is not part of it. The result is a float map `(H, W)`."
    ),
)
def probes(draw):
    """Instance masks (H, W). In the first, d1 + d2 is 4 between the objects, then 6 and 8, outside of them."""
    yield (torch.tensor([[0, 1, 0, 0, 0, 2, 0, 0]]),)
    yield Call((torch.tensor([[0, 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 7]]),), {"sigma": 2.0})
    yield Call((torch.tensor([[0, 0, 0, 0], [0, 4, 4, 0], [0, 4, 0, 0]]),), label="a mask with one object")
    yield Call((torch.zeros(3, 4, dtype=torch.int64),), label="a mask without objects")
    yield Call((torch.tensor([[5, 5, 9], [5, 9, 9]]),), label="two objects and no background")
    # two objects that touch, and one in two pieces, which still counts as one
    touching = [[2, 2, 0, 0, 0, 0, 6], [1, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 6, 0, 0, 0]]
    yield Call((torch.tensor(touching),), {"sigma": 3.0})
    for _ in range(3):
        instances = _discs(draw, draw.size(8, 12), draw.size(13, 18), draw.size(3, 5))
        yield Call((instances,), {"w0": draw.uniform(3, 20), "sigma": draw.uniform(1.5, 4)})
    yield (_discs(draw, 18, 11, 4),)


def _discs(draw, height, width, count):
    """Discs with numbers that leave gaps, the later ones on top. The last two lie in opposite corners, apart."""
    instances = torch.zeros(height, width, dtype=torch.int64)
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None, :]
    centres = [(draw.size(0, height - 1), draw.size(0, width - 1)) for _ in range(count - 2)]
    number = 0
    for r, c in [*centres, (height - 2, width - 2), (1, 1)]:
        number += draw.size(1, 4)
        instances[(rows - r) ** 2 + (columns - c) ** 2 <= draw.uniform(1, 5)] = number
    return instances


def _distances(instances, numbers=None):
    """float64 (K, H, W): distance of each pixel to each object, the nearest first."""
    numbers = instances[instances > 0].unique().tolist() if numbers is None else numbers
    maps = [ndimage.distance_transform_edt((instances != k).numpy()) for k in numbers]
    maps += [np.full(instances.shape, np.inf)] * (2 - len(maps))
    return torch.from_numpy(np.stack(maps)).sort(0).values


def _bell(total, w0, sigma):
    return w0 * torch.exp(-(total**2) / (2 * sigma**2))


def _on_background(weights, instances):
    return torch.where(instances == 0, weights, 0.0)


@misconception(
    "weights on the object pixels too",
    "You left the weights on the objects as well. Pixels at an object's edge then count up to `w0` times as much, and "
    "the gap between two objects no longer stands out. Look at which pixels the map is for.",
)
def on_objects_too(instances, w0=10.0, sigma=5.0):
    d1, d2 = _distances(instances)[:2]
    return _bell(d1 + d2, w0, sigma)


@misconception(
    "only the nearest object",
    "Your exponent holds one distance, that to the nearest object, so every object gets a halo also where nothing is "
    "next to it. Is d2 missing? Or did 0, the background, count as an object and take the first place with distance 0? "
    "Look at the list of numbers that you go through.",
)
def nearest_only(instances, w0=10.0, sigma=5.0):
    d1, _ = _distances(instances)[:2]
    return _on_background(_bell(d1, w0, sigma), instances)


@misconception(
    "the nearest object twice",
    "Both of your distances are those to the nearest object. Look at how you get the second one: the distance to all "
    "objects together knows only the nearest.",
)
def nearest_twice(instances, w0=10.0, sigma=5.0):
    d1, _ = _distances(instances)[:2]
    return _on_background(_bell(2 * d1, w0, sigma), instances)


@misconception(
    "only the second nearest object",
    "Your exponent holds d2 alone. In a gap that is the distance to the far side, so the weight changes across the gap "
    "and is too large everywhere. Look at how the paper measures the width of a gap.",
)
def second_only(instances, w0=10.0, sigma=5.0):
    _, d2 = _distances(instances)[:2]
    return _on_background(_bell(d2, w0, sigma), instances)


@misconception(
    "the farthest object for the second nearest",
    "Your second distance is that to the *farthest* object. With two objects that is the same; with three, a gap "
    "vanishes from the map as soon as a third object lies far off. Look at which entry you take after sorting.",
)
def farthest(instances, w0=10.0, sigma=5.0):
    d = _distances(instances)
    return _on_background(_bell(d[0] + d[-1], w0, sigma), instances)


@misconception(
    "all objects in the sum",
    "You added up the distances to all objects. The more objects an image holds, the smaller every weight, wherever "
    "the gap is. Look at which of the distances belong into the exponent.",
)
def all_added(instances, w0=10.0, sigma=5.0):
    return _on_background(_bell(_distances(instances).sum(0), w0, sigma), instances)


@misconception(
    "objects numbered afresh",
    "You labelled the connected pieces yourself. Objects that touch become one that way, and one in two pieces becomes "
    "two; those that touch are the very reason for this map. Look at what the numbers in `instances` already tell you.",
)
def relabelled(instances, w0=10.0, sigma=5.0):
    labels, _ = ndimage.label((instances > 0).numpy(), np.ones((3, 3)))
    d1, d2 = _distances(torch.from_numpy(labels).long())[:2]
    return _on_background(_bell(d1 + d2, w0, sigma), instances)


@misconception(
    "numbers taken to run from 1 without gaps",
    "You counted the objects and went through the numbers from 1 to that count. After a crop or a filter numbers are "
    "missing, so you look for objects that are not there and miss some that are. Look at the values that occur.",
)
def consecutive(instances, w0=10.0, sigma=5.0):
    count = len(instances[instances > 0].unique())
    d1, d2 = _distances(instances, [k for k in range(1, count + 1) if (instances == k).any()])[:2]
    return _on_background(_bell(d1 + d2, w0, sigma), instances)


@misconception(
    "distances inside the objects",
    "You gave the distance transform the object itself, so it measures how deep a pixel lies *inside*. Outside, every "
    "distance is 0 and the map is `w0` all over. Look at what the transform takes as its zeros.",
)
def inside(instances, w0=10.0, sigma=5.0):
    numbers = instances[instances > 0].unique().tolist()
    if len(numbers) < 2:
        return torch.zeros(instances.shape)
    maps = [ndimage.distance_transform_edt((instances == k).numpy()) for k in numbers]
    d1, d2 = torch.from_numpy(np.stack(maps)).sort(0).values[:2]
    return _on_background(_bell(d1 + d2, w0, sigma), instances)


@misconception(
    "sigma not squared",
    "You divided by `2 · sigma` instead of its square. The gap's weight falls off far too fast for the default of 5. "
    "Look at the units: pixels squared on top need pixels squared below.",
)
def sigma_not_squared(instances, w0=10.0, sigma=5.0):
    d1, d2 = _distances(instances)[:2]
    return _on_background(w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma)), instances)


@misconception(
    "the two below is missing",
    "You divided by `sigma²` alone, so the weights fall off too fast, as if `sigma` were smaller by a factor of 1.4. "
    "Compare your denominator with the paper's.",
)
def two_missing(instances, w0=10.0, sigma=5.0):
    d1, d2 = _distances(instances)[:2]
    return _on_background(w0 * torch.exp(-((d1 + d2) ** 2) / sigma**2), instances)


@misconception(
    "the two squared with sigma",
    "You squared `2 · sigma` as a whole, so the weights fall off too slowly. Look at what the square belongs to in the "
    "paper's denominator, and at your brackets.",
)
def two_squared(instances, w0=10.0, sigma=5.0):
    d1, d2 = _distances(instances)[:2]
    return _on_background(w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma) ** 2), instances)


@misconception(
    "squares added instead of the sum squared",
    "You squared each distance and added. In the middle of a gap that makes half of what it should be, so wide gaps "
    "get too much weight. Look at your brackets: what is squared, and when?",
)
def squares_added(instances, w0=10.0, sigma=5.0):
    d1, d2 = _distances(instances)[:2]
    return _on_background(w0 * torch.exp(-(d1**2 + d2**2) / (2 * sigma**2)), instances)


@misconception(
    "distance not squared",
    "You left the square off the distance. The weights then fall off in a peak instead of a bell, and reach far into "
    "open background. Look at what stands above `2 · sigma²`.",
)
def distance_not_squared(instances, w0=10.0, sigma=5.0):
    d1, d2 = _distances(instances)[:2]
    return _on_background(w0 * torch.exp(-(d1 + d2) / (2 * sigma**2)), instances)


@misconception(
    "the minus in the exponent is missing",
    "Your weights grow with the distance, and explode in open background. The narrower the gap, the *larger* the "
    "weight has to be. Look at the sign in the exponent.",
)
def minus_missing(instances, w0=10.0, sigma=5.0):
    if len(instances[instances > 0].unique()) < 2:
        return torch.zeros(instances.shape)
    d1, d2 = _distances(instances)[:2]
    return _on_background(w0 * torch.exp((d1 + d2) ** 2 / (2 * sigma**2)), instances)


@misconception(
    "mean of the two distances",
    "You averaged the two distances, so each gap seems half as wide as it is and too much of the background gets a "
    "weight. Look at how the paper joins d1 and d2.",
)
def averaged(instances, w0=10.0, sigma=5.0):
    d1, d2 = _distances(instances)[:2]
    return _on_background(_bell((d1 + d2) / 2, w0, sigma), instances)


@misconception(
    "the class balance added",
    "You added 1 for every pixel. That makes the weights of the whole loss; this map is only what the gaps get on top, "
    "and it is 0 on objects. Look at your last line.",
)
def one_added(instances, w0=10.0, sigma=5.0):
    return 1 + weight_map(instances, w0, sigma)


@misconception(
    "w0 left out",
    "Your weights never exceed 1. Look at the second argument: it says how much a pixel in the narrowest gap counts.",
)
def w0_left_out(instances, w0=10.0, sigma=5.0):
    return weight_map(instances, 1.0, sigma)


@misconception(
    "w0 fixed at 10",
    "You wrote the default of `w0` into the formula, so the argument changes nothing. Look at the constants in front "
    "of the exponential.",
)
def w0_fixed(instances, w0=10.0, sigma=5.0):
    return weight_map(instances, 10.0, sigma)


@misconception(
    "sigma fixed at 5",
    "You wrote the default of `sigma` into the formula, so the argument changes nothing. Look at the constants in the "
    "exponent.",
)
def sigma_fixed(instances, w0=10.0, sigma=5.0):
    return weight_map(instances, w0)


@misconception(
    "distance along rows and columns",
    "You measured along rows and columns (city blocks), so everything on a diagonal seems farther off than it is. "
    "Look at the transform you use: the task asks for the straight line.",
)
def city_block(instances, w0=10.0, sigma=5.0):
    numbers = instances[instances > 0].unique().tolist()
    maps = [ndimage.distance_transform_cdt((instances != k).numpy(), "taxicab") for k in numbers]
    maps = [np.asarray(m, dtype=float) for m in maps] + [np.full(instances.shape, np.inf)] * (2 - len(maps))
    d1, d2 = torch.from_numpy(np.stack(maps)).sort(0).values[:2]
    return _on_background(_bell(d1 + d2, w0, sigma), instances)


@misconception(
    "distance to the centres",
    "You measured to the objects' centres. The gap between two large objects then looks wide even where they almost "
    "touch. Look at which pixel of the object the distance goes to.",
)
def to_centres(instances, w0=10.0, sigma=5.0):
    h, w = instances.shape
    rows, columns = torch.arange(h)[:, None], torch.arange(w)[None, :]
    maps = []
    for k in instances[instances > 0].unique():
        r, c = (instances == k).nonzero().double().mean(0)
        maps.append(((rows - r) ** 2 + (columns - c) ** 2).sqrt())
    maps += [torch.full((h, w), math.inf, dtype=torch.float64)] * (2 - len(maps))
    d1, d2 = torch.stack(maps).sort(0).values[:2]
    return _on_background(_bell(d1 + d2, w0, sigma), instances)


@misconception(
    "distances one too small",
    "You counted from the first background pixel outside an object, so a pixel next to it has distance 0. Look at "
    "where your distance begins: here at the nearest pixel *of* the object.",
)
def one_too_small(instances, w0=10.0, sigma=5.0):
    d1, d2 = _distances(instances)[:2]
    return _on_background(_bell(d1 + d2 - 2, w0, sigma), instances)


@misconception(
    "a lone object gets a border",
    "With one object there is no second distance, and you used the first again. There is no gap to protect then, and "
    "the map should be 0. Look at what happens for fewer than two objects.",
)
def lone_border(instances, w0=10.0, sigma=5.0):
    d = _distances(instances)
    alone = torch.isinf(d[1]) & ~torch.isinf(d[0])
    return _on_background(_bell(d[0] + torch.where(alone, d[0], d[1]), w0, sigma), instances)


@misconception(
    "a lone object gets a halo",
    "With one object there is no second distance, and yours is 0, so the map shows a halo around it. There is no gap "
    "to protect then, and the map should be 0. Look at what happens for fewer than two objects.",
)
def lone_halo(instances, w0=10.0, sigma=5.0):
    d = _distances(instances)
    alone = torch.isinf(d[1]) & ~torch.isinf(d[0])
    return _on_background(_bell(d[0] + torch.where(alone, 0.0, d[1]), w0, sigma), instances)


@misconception(
    "fewer than two objects raise an error",
    "A mask with one object, or none, stops your function. Such images are common in any data set. Look at what you "
    "take for d2, or stack, when there are fewer than two objects.",
)
def raises(instances, w0=10.0, sigma=5.0):
    numbers = instances[instances > 0].unique()
    d = torch.stack([torch.from_numpy(ndimage.distance_transform_edt((instances != k).numpy())) for k in numbers])
    return _on_background(_bell(d.sort(0).values[0] + d.sort(0).values[1], w0, sigma), instances)


@variant("stacked and sorted")
def stacked(instances, w0=10.0, sigma=5.0):
    labels = [int(k) for k in torch.unique(instances) if k != 0]
    if len(labels) < 2:
        return torch.zeros_like(instances, dtype=torch.float32)
    maps = [torch.tensor(ndimage.distance_transform_edt(instances.numpy() != k)) for k in labels]
    d1, d2 = torch.topk(torch.stack(maps), 2, dim=0, largest=False).values
    return (instances == 0) * w0 * torch.exp(-0.5 * ((d1 + d2) / sigma) ** 2)


@variant("with numpy")
def with_numpy(instances, w0=10.0, sigma=5.0):
    mask = np.asarray(instances)
    labels = np.setdiff1d(np.unique(mask), [0])
    weights = np.zeros(mask.shape, dtype=np.float32)
    if labels.size >= 2:
        d = np.sort([ndimage.distance_transform_edt(mask != k) for k in labels], axis=0)
        weights[mask == 0] = (w0 * np.exp(-((d[0] + d[1]) ** 2) / (2 * sigma**2)))[mask == 0]
    return torch.from_numpy(weights)


@variant("all pairs of pixels")
def all_pairs(instances, w0=10.0, sigma=5.0):
    weights = torch.zeros(instances.shape)
    ground = (instances == 0).nonzero().float()
    numbers = instances[instances > 0].unique()
    if len(numbers) < 2 or not len(ground):
        return weights
    to_each = [torch.cdist(ground, (instances == k).nonzero().float()).amin(1) for k in numbers]
    d = torch.stack(to_each, dim=1).sort(dim=1).values
    weights[instances == 0] = w0 * torch.exp(-(d[:, :2].sum(1) ** 2) / (2 * sigma**2))
    return weights


@variant("with a tree of each object's pixels")
def with_trees(instances, w0=10.0, sigma=5.0):
    mask = instances.numpy()
    ground = mask == 0
    weights = torch.zeros(mask.shape, dtype=torch.float64)
    trees = [cKDTree(np.argwhere(mask == k)) for k in np.unique(mask) if k > 0]
    if len(trees) > 1 and ground.any():
        nearest = np.sort([tree.query(np.argwhere(ground))[0] for tree in trees], axis=0)
        total = nearest[0] + nearest[1]
        weights[torch.from_numpy(ground)] = torch.from_numpy(w0 * np.exp(-0.5 * (total / sigma) ** 2))
    return weights


@variant("with the nearest object taken away")
def nearest_taken_away(instances, w0=10.0, sigma=5.0):
    numbers = instances[instances > 0].unique()
    if len(numbers) < 2:
        return torch.zeros(instances.shape)
    d = torch.stack([torch.from_numpy(ndimage.distance_transform_edt(instances != k)) for k in numbers])
    d1, which = d.min(dim=0)
    d2 = d.scatter(0, which[None], torch.inf).amin(dim=0)
    return (w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma**2))).masked_fill(instances > 0, 0).float()
