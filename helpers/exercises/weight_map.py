"""Lesson 08: `weight_map(instances, w0=10.0, sigma=5.0)`."""

import numpy as np
import torch
from scipy import ndimage

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.losses import weight_map

EARLY = (  # most answers look first whether there are two objects
    "    nearest = torch.full",
    "    if len(instances[instances > 0].unique()) < 2:\n"
    "        return torch.zeros(instances.shape)\n"
    "    nearest = torch.full",
)


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
        "Which mask is 0 on object number k and nowhere else?",
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
    choices=(EARLY,),
)
def probes(draw):
    """Instance masks (H, W). In the first, d1 + d2 is 4 between the objects, then 6 and 8, outside of them."""
    yield (torch.tensor([[0, 1, 0, 0, 0, 2, 0, 0]]),)
    yield Call((torch.tensor([[0, 0, 0, 0], [0, 4, 4, 0], [0, 4, 0, 0]]),), label="a mask with one object")
    yield Call((torch.zeros(3, 4, dtype=torch.int64),), label="a mask without objects")
    yield Call((torch.tensor([[5, 5, 9], [5, 9, 9]]),), label="two objects and no background")
    # two objects that touch at a corner; with a sigma of 1 nobody sees whether it is squared
    yield Call((torch.tensor([[4, 0, 0], [0, 9, 0]]),), {"sigma": 1.0})
    # with a sigma this large each exponent is 0, so that a mistake in it and one elsewhere can be told apart
    yield Call((torch.tensor([[0, 3, 0, 0, 8, 0, 5, 0]]),), {"w0": 4.0, "sigma": 1e6})
    yield Call((torch.tensor([[0, 0, 6, 6, 0]]),), {"sigma": 1e6}, label="a mask with one object, and a large sigma")
    # two objects that touch, and one in two pieces, which still counts as one
    touching = [[2, 2, 0, 0, 0, 0, 6], [1, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 6, 0, 0, 0]]
    yield Call((torch.tensor(touching),), {"sigma": 3.0})
    instances = _discs(draw, draw.size(8, 12), draw.size(13, 18), draw.size(3, 5))
    yield Call((instances,), {"w0": draw.uniform(3, 20), "sigma": draw.uniform(1.5, 4)})
    yield (_discs(draw, 18, 11, 4),)


edit = edits_of(weight_map)


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


BOTH = "nearest + second"
NUMBERS = "instances[instances > 0].unique()"
DISTANCE = "torch.from_numpy(distance_transform_edt((instances != number).numpy()))"
LISTED = f"[{DISTANCE} for number in {NUMBERS}]"  # the distances to all objects
SORTED = f"torch.stack({LISTED}).sort(0).values"


def start(line):
    """The change that puts a line before the first one."""
    return "    nearest = torch.full", f"    {line}\n    nearest = torch.full"


def before_weights(line):
    """The change that puts a line after the loop."""
    return "    weights =", f"    {line}\n    weights ="


def second_where_alone(distance):
    """The change that puts a number in place of the second distance where there is one object."""
    return before_weights(f"second = torch.where(second.isinf(), {distance}, second)")


edit(
    "weights on the object pixels too",
    "You left the weights on the objects as well. Pixels at an object's edge then count up to `w0` times as much, and "
    "the gap between two objects no longer stands out. Look at which pixels the map is for.",
    ("torch.where(instances == 0, weights, 0.0)", "weights"),
)

edit(
    "weights on the object pixels alone",
    "Your weights lie on the objects, and background has 0. It is the gaps between objects that are to count more. "
    "Look at which pixels you set to 0.",
    ("instances == 0", "instances > 0"),
)

edit(
    "only the nearest object",
    "Your exponent holds one distance, that to the nearest object, so every object gets a halo also where nothing is "
    "next to it. Is d2 missing? Or did 0, the background, count as an object and take the first place with distance 0? "
    "Look at the list of numbers that you go through.",
    (BOTH, "nearest"),
)

edit(
    "the nearest object twice",
    "Both of your distances are those to the nearest object. Look at how you get the second one: the distance to all "
    "objects together knows only the nearest.",
    (BOTH, "2 * nearest"),
)

edit(
    "only the second nearest object",
    "Your exponent holds d2 alone. In a gap that is the distance to the far side, so the weight changes across the gap "
    "and is too large everywhere. Look at how the paper measures the width of a gap.",
    (BOTH, "second"),
)

edit(
    "the difference of the two distances",
    "You subtracted one distance from the other. That is 0 in the middle of every gap, wide or narrow. Look at how "
    "the paper joins d1 and d2.",
    EARLY,
    (BOTH, "second - nearest"),
)

edit(
    "the farthest object for the second nearest",
    "Your second distance is that to the *farthest* object. With two objects that is the same; with three, a gap "
    "vanishes from the map as soon as a third object lies far off. Look at which entry you take after sorting.",
    EARLY,
    (BOTH, f"nearest + {SORTED}[-1]"),
)

edit(
    "the two farthest objects",
    "You took the distances to the two *farthest* objects. With two objects these are the same; with three, the gap "
    "beside a pixel no longer counts. Look at the order in which you sort, or at which end you take.",
    EARLY,
    (BOTH, f"{SORTED}[-2] + {SORTED}[-1]"),
)

edit(
    "the first two objects",
    "You took the distances to the first two objects in the list, near or far. With two objects that is the same; "
    "with three, all gaps beside others are lost. Look at what you do with the list before you take two of it.",
    EARLY,
    (BOTH, f"{LISTED}[0] + {LISTED}[1]"),
)

edit(
    "all objects in the sum",
    "You added up the distances to all objects. The more objects an image holds, the smaller every weight, wherever "
    "the gap is. Look at which of the distances belong into the exponent.",
    EARLY,
    (BOTH, f"{SORTED}.sum(0)"),
)

edit(
    "objects numbered afresh",
    "You labelled the connected pieces yourself. Objects that touch become one that way, and one in two pieces becomes "
    "two; those that touch are the very reason for this map. Look at what the numbers in `instances` already tell you.",
    start("from scipy.ndimage import label"),
    start("instances = torch.from_numpy(label((instances > 0).numpy(), [[1] * 3] * 3)[0])"),
)

edit(
    "objects numbered afresh, corners apart",
    "You labelled the connected pieces yourself. Objects that touch along a side become one that way, and one in two "
    "pieces becomes two; those that touch are the very reason for this map. Look at what the numbers in `instances` "
    "already tell you.",
    start("from scipy.ndimage import label"),
    start("instances = torch.from_numpy(label((instances > 0).numpy())[0])"),
)

edit(
    "numbers taken to run from 1 without gaps",
    "You counted the objects and went through the numbers from 1 to that count. After a crop or a filter numbers are "
    "missing, so you look for objects that are not there and miss some that are. Look at the values that occur.",
    (NUMBERS, f"[k for k in range(1, 1 + len({NUMBERS})) if (instances == k).any()]"),
)

edit(
    "every number up to the largest",
    "You went through all numbers from 1 to the largest. A number that is missing then counts as an object, and the "
    "distance to an object without pixels means nothing. Look at the values that occur.",
    (NUMBERS, "range(1, 1 + int(instances.max()))"),
)

edit(
    "numbers counted instead of read",
    "You counted the objects and went through the numbers from 1 to that count. Where numbers are missing, you "
    "measure the distance to objects without pixels, which means nothing, and leave out some that are there. Look at "
    "the values that occur.",
    (NUMBERS, f"range(1, 1 + len({NUMBERS}))"),
)

edit(
    "distances inside the objects",
    "You gave the distance transform the object itself, so it measures how deep a pixel lies *inside*. Outside, every "
    "distance is 0 and the map is `w0` all over. Look at what the transform takes as its zeros.",
    EARLY,
    ("instances != number", "instances == number"),
)

edit(
    "sigma not squared",
    "You divided by `2 · sigma` instead of its square. The gap's weight falls off far too fast for the default of 5. "
    "Look at the units: pixels squared on top need pixels squared below.",
    ("sigma**2", "sigma"),
)

edit(
    "the two below is missing",
    "You divided by `sigma²` alone, so the weights fall off too fast, as if `sigma` were smaller by a factor of 1.4. "
    "Compare your denominator with the paper's.",
    ("(2 * sigma**2)", "sigma**2"),
)

edit(
    "the two squared with sigma",
    "You squared `2 · sigma` as a whole, so the weights fall off too slowly. Look at what the square belongs to in the "
    "paper's denominator, and at your brackets.",
    ("(2 * sigma**2)", "(2 * sigma) ** 2"),
)

edit(
    "squares added instead of the sum squared",
    "You squared each distance and added. In the middle of a gap that makes half of what it should be, so wide gaps "
    "get too much weight. Look at your brackets: what is squared, and when?",
    (f"({BOTH}) ** 2", "nearest**2 + second**2"),
)

edit(
    "distance not squared",
    "You left the square off the distance. The weights then fall off in a peak instead of a bell, and reach far into "
    "open background. Look at what stands above `2 · sigma²`.",
    (f"({BOTH}) ** 2", BOTH),
)

edit(
    "the minus in the exponent is missing",
    "Your weights grow with the distance, and explode in open background. The narrower the gap, the *larger* the "
    "weight has to be. Look at the sign in the exponent.",
    EARLY,
    ("exp(-(", "exp(("),
)

edit(
    "mean of the two distances",
    "You averaged the two distances, so each gap seems half as wide as it is and too much of the background gets a "
    "weight. Look at how the paper joins d1 and d2.",
    (BOTH, f"({BOTH}) / 2"),
)

edit(
    "the class balance added",
    "You added 1 for every pixel. That makes the weights of the whole loss; this map is only what the gaps get on top, "
    "and it is 0 on objects. Look at your last line.",
    ("return torch.where", "return 1 + torch.where"),
)

edit(
    "w0 left out",
    "Your weights never exceed 1. Look at the second argument: it says how much a pixel in the narrowest gap counts.",
    ("w0 * ", ""),
)

edit(
    "w0 fixed at 10",
    "You wrote the default of `w0` into the formula, so the argument changes nothing. Look at the constants in front "
    "of the exponential.",
    start("w0 = 10.0"),
)

edit(
    "sigma fixed at 5",
    "You wrote the default of `sigma` into the formula, so the argument changes nothing. Look at the constants in the "
    "exponent.",
    start("sigma = 5.0"),
)

edit(
    "distance along rows and columns",
    "You measured along rows and columns (city blocks), so everything on a diagonal seems farther off than it is. "
    "Look at the transform you use: the task asks for the straight line.",
    start("from scipy.ndimage import distance_transform_cdt"),
    (
        "distance_transform_edt((instances != number).numpy())",
        "distance_transform_cdt((instances != number).numpy(), 'taxicab').astype(float)",
    ),
)

edit(
    "the longer side as the distance",
    "You measured the longer of the two sides, rows or columns (chessboard), so everything on a diagonal seems nearer "
    "than it is. Look at the transform you use: the task asks for the straight line.",
    start("from scipy.ndimage import distance_transform_cdt"),
    (
        "distance_transform_edt((instances != number).numpy())",
        "distance_transform_cdt((instances != number).numpy()).astype(float)",
    ),
)

edit(
    "distance to the centres",
    "You measured to the objects' centres. The gap between two large objects then looks wide even where they almost "
    "touch. Look at which pixel of the object the distance goes to.",
    (DISTANCE, "(torch.ones_like(instances).nonzero() - centre).norm(dim=1).view(instances.shape)"),
    ("        distance =", "        centre = (instances == number).nonzero().double().mean(0)\n        distance ="),
)

edit(
    "distances one too small",
    "You counted from the first background pixel outside an object, so a pixel next to it has distance 0. Look at "
    "where your distance begins: here at the nearest pixel *of* the object.",
    (BOTH, f"{BOTH} - 2"),
)

edit(
    "a lone object gets a border",
    "With one object there is no second distance, and you used the first again. There is no gap to protect then, and "
    "the map should be 0. Look at what happens for fewer than two objects.",
    second_where_alone("nearest"),
)

edit(
    "a lone object gets a halo",
    "With one object there is no second distance, and yours is 0, so the map shows a halo around it. There is no gap "
    "to protect then, and the map should be 0. Look at what happens for fewer than two objects.",
    second_where_alone("0.0"),
)

edit(
    "fewer than two objects raise an error",
    "A mask with one object, or none, stops your function. Such images are common in any data set. Look at what you "
    "take for d2, or stack, when there are fewer than two objects.",
    before_weights(f"d = {SORTED}"),
    (BOTH, "d[0] + d[1]"),
)

edit(
    "fewer than two objects raise an error in NumPy",
    "A mask with one object, or none, stops your function. Such images are common in any data set. Look at what you "
    "take for d2, or stack, when there are fewer than two objects.",
    before_weights(f"d = np.sort(np.stack({LISTED}), axis=0)"),
    (BOTH, "torch.from_numpy(d[0] + d[1])"),
    start("import numpy as np"),
)

edit(
    "one object alone raises an error",
    "A mask with one object, or none, stops your function: there is nothing to unpack as the second distance. Such "
    "images are common in any data set. Look at what you take for d2 when there are fewer than two objects.",
    before_weights(f"d1, d2 = {SORTED}[:2]"),
)

edit(
    "zeros that are whole numbers",
    "For fewer than two objects you return zeros in the dtype of the mask, whole numbers. The map is float, whatever "
    "the mask holds. Look at what makes your zeros: `zeros_like` takes the dtype of what it is given.",
    (EARLY[0], EARLY[1].replace("zeros(instances.shape)", "zeros_like(instances)")),
)


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


@variant("with the nearest object taken away")
def nearest_taken_away(instances, w0=10.0, sigma=5.0):
    numbers = instances[instances > 0].unique()
    if len(numbers) < 2:
        return torch.zeros(instances.shape)
    d = torch.stack([torch.from_numpy(ndimage.distance_transform_edt(instances != k)) for k in numbers])
    d1, which = d.min(dim=0)
    d2 = d.scatter(0, which[None], torch.inf).amin(dim=0)
    return (w0 * torch.exp(-((d1 + d2) ** 2) / (2 * sigma**2))).masked_fill(instances > 0, 0).float()
