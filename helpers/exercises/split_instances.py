"""Lesson 12: `split_instances(probability, threshold=0.5, min_distance=5)`."""

import numpy as np
import torch
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.inference import split_instances


@exercise(
    split_instances,
    lesson="12_objects",
    concept="Watershed",
    points=6,
    minutes=8,
    difficulty=4,
    hints=[
        "Where two discs touch there is a waist. Which number, computed for each pixel, is large in the middle of a "
        "disc and small at a waist? `scipy.ndimage.distance_transform_edt` gives it.",
        "Each summit of that landscape is one object: `skimage.feature.peak_local_max` finds summits at least "
        "`min_distance` apart. Read what `exclude_border` does, and `labels`.",
        "`skimage.segmentation.watershed` lets water rise from numbered markers until the floods meet. It fills "
        "valleys, and yours are hills: change a sign. `mask` keeps it off the background.",
    ],
    task=(
        "An instance mask `(H, W)`, int64, from a map of probabilities `(H, W)`: 0 where the probability is below "
        "`threshold`, and 1 to n for the objects above it. Objects that touch are told apart by watershed on the "
        "distance to the background; summits closer than `min_distance` pixels are one object. Every pixel above the "
        "threshold belongs to an object, however small the object is, and however close to the border."
    ),
)
def probes(draw):
    """Discs whose number and place are known. Right answers may number them as they like and share a waist as they
    like, so the facts that they all agree on are compared."""
    size = (34, 52)
    yield _picture(draw, size, [(15, 13, 9), (16, 38, 8)])  # two apart
    yield _picture(draw, size, [(17, 16, 10), (16, 33, 10)])  # two that touch
    yield _picture(draw, (36, 54), _two(draw, (17, 18), (0.05, 1)))
    yield _picture(draw, (52, 30), _two(draw, (18, 14), (1, -0.05), rim=1), threshold=0.7)
    # a row of three, a small one, and two of a single pixel each with one pixel between them
    yield _picture(draw, (30, 70), [(14, 12, 9), (15, 28, 9), (14, 44, 9), (6, 60, 2), (25, 65, 0.7), (25, 67, 0.7)])
    # cut off by the border, as most objects in a tile are; the first two touch
    yield _picture(draw, size, [(0, 10, 8), (0, 24, 8), (33, 30, 9), (12, 51, 7)])
    yield _picture(draw, (18, 25), [(0, 8, 4.2), (10, 16, 5.3)])  # no pixel of the first is far from the border
    # two small ones, nearer to each other than min_distance, and not touching; the second is higher
    yield _picture(draw, (12, 17), [(5, 6, 1.2), (5, 10, 1.6)])
    # two summits 12 pixels apart: two objects, and one for who asks for a distance of 20
    yield _picture(draw, size, [(16, 18, 7), (16, 30, 7)])
    yield _picture(draw, size, [(16, 18, 7), (16, 30, 7)], min_distance=20, merged=True)
    # summits 6 pixels apart, one above the other: two objects
    yield _picture(draw, (24, 18), [(9, 9, 2.9), (15, 9, 3.1)])
    # summits 4.2 pixels apart: one object, if not asked otherwise
    yield _picture(draw, (22, 20), [(9, 8, 2.9), (12, 11, 3.1)], merged=True)
    # two small ones, 4 pixels apart, and a distance small enough to tell them apart
    yield _picture(draw, (13, 18), [(6, 6, 2.4), (6, 10, 2.4)], min_distance=2)
    # with fewer than two objects there is one right result, so all of it is compared
    yield Call((0.4 * draw.normal(5, 7).sigmoid(),))
    yield Call((_probability(draw, _depths((14, 17), [(7, 9, 4.3)])[0]),))
    yield _picture(draw, size, [(16, 20, 9)], hole=(slice(14, 17), slice(19, 21)))
    yield _picture(draw, (24, 31), [(12, 15, draw.size(6, 9) + 0.3)], threshold=0.25)
    # two squares that touch at a corner only: two objects or one, but no pixel may be left out
    squares = torch.zeros(16, 18)
    squares[6:9, 6:9] = squares[9:11, 9:11] = 0.9
    yield Call((squares,), view=_facts(squares > 0.5))
    yield _misleading((20, 33), [(10, 10, 7), (10, 22, 7)], column=20)


edit = edits_of(split_instances)


def _two(draw, place, direction, rim=0):
    """Two touching discs of random size; the landscape has a summit for each, and none elsewhere for anybody to find.

    Discs of pixels have bumps. Whether two summits six pixels apart along the diagonal are nearer than five depends on
    how one measures, and that is not what the task is about.
    """
    while True:
        a, b = draw.uniform(8, 11), draw.uniform(7, 9)
        along = 0.85 * (a + b)
        discs = [(*place, a), (place[0] + along * direction[0], place[1] + along * direction[1], b)]
        distance = ndimage.distance_transform_edt(_depths((60, 60), discs).amax(dim=0).numpy() > rim)
        summits = peak_local_max(distance, min_distance=1, exclude_border=False)
        if all(min(np.hypot(y - v, x - u) for v, u, _ in discs) < 2.5 for y, x in summits):
            return discs


def _depths(size, discs):
    """How far each pixel is inside each disc, `(discs, H, W)`."""
    rows, columns = torch.arange(size[0])[:, None], torch.arange(size[1])
    return torch.stack([radius - ((rows - y) ** 2 + (columns - x) ** 2).sqrt() for y, x, radius in discs])


def _probability(draw, inside):
    """Less sure at the rim, noisy inside, as a network paints; steps between the thresholds that are asked for."""
    probability = 0.05 + 0.3 * (inside > -1.5) + 0.25 * (inside > 0) + 0.3 * (inside > 1)
    return probability + 0.06 * (draw.normal(*inside.shape).sigmoid() - 0.5)


def _picture(draw, size, discs, merged=False, hole=None, **settings):
    """A call with soft discs `(row, column, radius)`.

    Around a `hole` there is no one right number of summits, so that of the objects is left open there.
    """
    inside, known = _depths(size, discs).max(dim=0)
    probability = _probability(draw, inside)
    if hole is not None:
        probability[hole] = 0.1
    foreground = probability > settings.get("threshold", 0.5)
    discs = torch.where(foreground, 1 if merged else known + 1, 0)
    return Call((probability,), settings, view=_facts(foreground, discs if hole is None else None))


def _misleading(size, discs, column):
    """Two discs that touch, and a probability that has its valley in the second of them and not at the waist."""
    inside, known = _depths(size, discs).max(dim=0)
    (y, x, _), (v, u, _) = discs
    height = _depths(size, [(y, x, 95), (v, u + 2, 95)]) / 100
    probability = torch.where(torch.arange(size[1]) < column, height[0], height[1])
    probability[:, column] = 0.7
    probability[inside <= 0] = 0.1
    return Call((probability,), view=_facts(inside > 0, torch.where(inside > 0, known + 1, 0)))


def _facts(foreground, discs=None):
    """A view: what holds for every right result, and where the objects are known, whether each was found."""

    def facts(result, args):
        numbers = result[result != 0].unique().tolist()
        seen = {
            "shape": tuple(result.shape),
            "every pixel above the threshold is in an object": bool((result[foreground] != 0).all()),
            "every pixel below the threshold is 0": bool((result[~foreground] == 0).all()),
            "numbered from 1 without gaps": sorted(numbers) == list(range(1, len(numbers) + 1)),
            "every object in one piece": all(_pieces(result == n) == 1 for n in numbers),
        }
        if discs is not None:
            alike = all(_best_iou(result, discs == n) > 0.85 for n in discs.unique() if n)
            seen |= {"number of objects": len(numbers), "every disc is one object": alike}
        return seen

    return facts


def _pieces(mask):
    return ndimage.label(mask.numpy(), np.ones((3, 3)))[1]


def _best_iou(result, disc):
    candidates = result[disc & (result != 0)].unique()
    return max((float((disc & (result == n)).sum() / (disc | (result == n)).sum()) for n in candidates), default=0.0)


edit(
    "connected pieces only",
    "You numbered the connected pieces of the mask, so two objects that touch are one. The waist between them is what "
    "the distance to the background shows: look at what comes after `label`.",
    ("watershed(-distance, markers, mask=foreground)", "pieces"),
)

edit(
    "a mask without numbers",
    "Every object pixel is 1 in your result, so no two objects are told apart. A mask of summits is not yet a set of "
    "markers, each with a number of its own: look at what makes one object 1 and the next one 2.",
    ("watershed(-distance, markers, mask=foreground)", "foreground"),
)

edit(
    "objects at the border lost",
    "Objects that lie within `min_distance` pixels of the image's border are missing. `peak_local_max` looks for no "
    "summit there unless told otherwise, and an object without a marker is never flooded. Look at its "
    "`exclude_border`.",
    (", exclude_border=False", ""),
)

edit(
    "near objects lost",
    "Of two small objects that do not even touch, one is missing: its summit is nearer than `min_distance` to the "
    "other's and was dropped, and an object without a marker is never flooded. Look at the `labels` of "
    "`peak_local_max`.",
    (" labels=pieces,", ""),
)

edit(
    "objects at the border and near ones lost",
    "Objects are missing: small ones at the image's border, and one of two small ones that lie close together. "
    "`peak_local_max` gave neither a summit, and what has no marker is never flooded. Look at its `exclude_border` "
    "and its `labels`.",
    (", labels=pieces, exclude_border=False", ""),
)

edit(
    "objects at the border cleared away",
    "Every object that touches the image's border is missing, and it belongs to the result as well. "
    "Look for `clear_border`, or for what else you do to the mask before you measure distances.",
    (
        "    distance =",
        "    from skimage.segmentation import clear_border\n    foreground = clear_border(foreground)\n    distance =",
    ),
)

edit(
    "the landscape not turned upside down",
    "You let the water rise from the summits without turning the landscape upside down. It runs down to the rims "
    "first, and around them into the neighbour. Look at the sign of the distance in `watershed`.",
    ("-distance", "distance"),
)

edit(
    "the background flooded too",
    "No pixel of your result is 0: the floods spread over the background as well. "
    "Look at what keeps `watershed` inside the objects.",
    (", mask=foreground", ""),
)

edit(
    "holes filled",
    "A hole inside an object is filled: its pixels have a number, though their probability is below `threshold`, and "
    "below it the result is 0. Look at what you do to the mask before you measure distances.",
    ("    distance =", "    foreground = ndimage.binary_fill_holes(foreground)\n    distance ="),
)

edit(
    "the mask opened",
    "You smooth the mask before you measure distances, so pixels above the threshold are lost: corners of the rims, "
    "and small objects altogether. Every one of them belongs to an object. Look for an opening or an erosion.",
    ("    distance =", "    foreground = ndimage.binary_opening(foreground)\n    distance ="),
)

edit(
    "lines left between the objects",
    "Between two touching objects you leave a line of background. Those pixels are above the threshold and belong to "
    "one object or the other. Look at `watershed_line`, or at what you set to 0 at the end.",
    ("mask=foreground", "mask=foreground, watershed_line=True"),
)

edit(
    "the threshold ignored",
    "`threshold` changes nothing in your answer. Look for a 0.5, or for a `round`, in your code.",
    ("> threshold", "> 0.5"),
)

edit(
    "min_distance ignored",
    "`min_distance` changes nothing in your answer: summits that should belong to one object still make two. "
    "Look at whether the argument reaches your search for summits.",
    ("min_distance=min_distance", "min_distance=5"),
)

edit(
    "every summit is an object",
    "Summits that are closer than `min_distance` still make two objects in your answer: every bump that is higher than "
    "its neighbours is one. Look at whether `min_distance` reaches your search for summits; `peak_local_max` takes 1 "
    "if it is not told.",
    ("min_distance=min_distance", "min_distance=1"),
)

edit(
    "summits of the probability",
    "You looked for summits in the probability. Inside an object it is nearly flat, so its noise decides how many "
    "pieces come out. The distance to the background has one summit for each round object: look at what you hand to "
    "`peak_local_max`.",
    ("peak_local_max(distance", "peak_local_max(probability.numpy()"),
)

edit(
    "the probability flooded",
    "Summits and floods both use the probability, and the distance to the background nowhere. Inside an object the "
    "probability is nearly flat, so its noise decides how many pieces come out and where they meet. "
    "Look at what you hand to `peak_local_max` and to `watershed`.",
    ("-distance", "-probability.numpy()"),
    ("peak_local_max(distance", "peak_local_max(probability.numpy()"),
)

edit(
    "summits of the distance, floods on the probability",
    "You found the summits in the distance and let the water rise over the probability, so the floods do not meet at "
    "the waist but wherever the network was least sure. Look at the first argument of `watershed`.",
    ("-distance", "-probability.numpy()"),
)

edit(
    "watershed without markers",
    "You let the water rise from every dip of the landscape, so every small bump becomes an object of its own. "
    "Only summits at least `min_distance` apart are objects: look at the `markers` of `watershed`.",
    ("-distance, markers,", "-distance,"),
)

edit(
    "markers instead of objects",
    "You return the markers: one numbered pixel in each object. The flood that fills the rest of it is missing. "
    "Look at which of your variables you return.",
    ("watershed(-distance, markers, mask=foreground)", "markers"),
)

edit(
    "only the cores",
    "You wore the mask down until the objects came apart, and numbered what was left. Their rims are missing, and "
    "small objects are gone altogether. Cores are good markers: look at what has to grow from them.",
    ("watershed(-distance, markers, mask=foreground)", "ndimage.label(distance > min_distance)[0]"),
)

edit(
    "one height for all markers",
    "Your markers are the pixels deeper than a fraction of the *largest* distance in the image. Objects much smaller "
    "than the largest never get that deep and disappear. Look at what the height of a marker is measured against.",
    ("-distance, markers", "-distance, ndimage.label(distance > 0.6 * distance.max())[0]"),
)

edit(
    "small objects removed",
    "Small objects are missing. Removing them is a sensible step of its own, but nobody asked for it here: every pixel "
    "above the threshold belongs to an object. Look for a least size.",
    ("return torch", "found = torch"),
    (".long()", ".long()\n    return torch.where(found.flatten().bincount()[found] < 4, 0, found)"),
)

SIZES = """
    pieces, _ = ndimage.label(foreground)
    sizes = np.bincount(pieces.ravel())[pieces]
"""

edit(
    "objects below 25 pixels removed",
    "Objects of a few pixels are missing: you take pieces of the mask for dirt that are smaller than some two dozen "
    "pixels. Here every pixel above the threshold belongs to an object. Look for a least size.",
    ("    distance =", f"{SIZES}    foreground &= sizes >= 25\n    distance ="),
)

edit(
    "objects below 64 pixels removed",
    "Objects of a few dozen pixels are missing: 64 is the default of `remove_small_objects`. Here every pixel above "
    "the threshold belongs to an object, however small it is. Look for a least size.",
    ("    distance =", f"{SIZES}    foreground &= sizes >= 64\n    distance ="),
)

edit(
    "row and column of the markers swapped",
    "A summit at row `y` and column `x` became a marker at row `x` and column `y`. `peak_local_max` returns rows "
    "first. Look at the index with which you set the markers.",
    ("summits.T", "summits.T[::-1]"),
)

edit(
    "distance within the background",
    "Your distance is that of *background* pixels to the nearest object, so it is 0 inside every object and there is "
    "no summit in any. Look at what you hand to `distance_transform_edt`: it measures from true to false.",
    ("edt(foreground)", "edt(~foreground)"),
)

edit(
    "objects below the threshold",
    "You numbered what is *below* the threshold: the background. Look at the direction of your comparison.",
    ("> threshold", "< threshold"),
)

edit(
    "background is number 1",
    "Your numbers are one too high: background is 1 and the objects start at 2, as some libraries want it on the way. "
    "The result has 0 for background. Look at your last step.",
    (".long()", ".long() + 1"),
)

edit(
    "objects numbered from 0",
    "Your numbers are one too low: the first object is 0, and cannot be told from the background. "
    "Look at the number that you give the first marker.",
    (".long()", ".long().sub(1).clamp(min=0)"),
)

edit(
    "the first marker is 0",
    "One object is missing, or its pixels went to its neighbour: the first marker has the number 0, and for "
    "`watershed` 0 is no marker. Look at the number that you give the first summit.",
    ("np.arange(1, len(summits) + 1)", "np.arange(len(summits))"),
)

edit(
    "numbers with gaps",
    "Each object has a number of its own, and some numbers between them are missing: the objects should be numbered "
    "1 to n, so that the largest number is how many there are. Look at what you number the markers with.",
    (".long()", ".long() * 2"),
)

edit(
    "not int64",
    "Your objects have numbers in int32. Promised is int64, as the masks of this course are. "
    "Look at the dtype of your markers, or of what you return.",
    (".long()", ".int()"),
)

edit(
    "the number of objects returned as well",
    "You return two things, the mask and how many objects there are, as `ndimage.label` does. "
    "Only the mask is asked for: look at what you unpack.",
    ("return torch", "found = torch"),
    (".long()", ".long()\n    return found, int(found.max())"),
)


@variant("summits by hand, the highest first")
def by_hand(probability, threshold=0.5, min_distance=5):
    foreground = (probability > threshold).numpy()
    distance = ndimage.distance_transform_edt(foreground)
    pieces = ndimage.label(foreground)[0]
    local = (distance == ndimage.maximum_filter(distance, size=3)) & foreground
    kept = []
    for y, x in sorted(zip(*local.nonzero(), strict=True), key=lambda place: -distance[place]):
        if all(pieces[y, x] != pieces[v, u] or (y - v) ** 2 + (x - u) ** 2 > min_distance**2 for v, u in kept):
            kept.append((y, x))
    markers = torch.zeros(probability.shape, dtype=torch.int32)
    for number, place in enumerate(kept, start=1):
        markers[place] = number
    return torch.as_tensor(watershed(-distance, markers.numpy(), mask=foreground), dtype=torch.int64)


@variant("smoothed distance, pieces without a summit numbered after the others")
def smoothed(probability, threshold=0.5, min_distance=5):
    foreground = (probability > threshold).numpy()
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), 0.5)
    summits = peak_local_max(np.where(foreground, distance, 0), min_distance=min_distance, exclude_border=False)
    markers = np.zeros(foreground.shape, dtype=int)
    for k, (y, x) in enumerate(summits):
        markers[y, x] = k + 1
    pieces, n = ndimage.label(foreground)
    count = len(summits)
    for piece in range(1, n + 1):
        if not markers[pieces == piece].any():
            count += 1
            markers[pieces == piece] = count
    return torch.from_numpy(watershed(-distance, markers, mask=foreground)).long()


@variant("each piece by itself, numbered on")
def piece_by_piece(probability, threshold=0.5, min_distance=5):
    foreground = (probability > threshold).numpy()
    result = torch.zeros(probability.shape, dtype=torch.int64)
    pieces, n = ndimage.label(foreground, structure=np.ones((3, 3)))
    for piece in range(1, n + 1):
        inside = pieces == piece
        distance = ndimage.distance_transform_edt(inside)
        summits = np.zeros(inside.shape, dtype=bool)
        summits[tuple(peak_local_max(distance, min_distance=min_distance, exclude_border=0).T)] = True
        flooded = torch.from_numpy(watershed(-distance, ndimage.label(summits)[0], connectivity=2, mask=inside))
        result += torch.where(flooded > 0, flooded + result.max(), 0)
    return result
