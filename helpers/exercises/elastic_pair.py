"""Lesson 09: `elastic_pair(image, mask, alpha, sigma, generator)`."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter, map_coordinates
from torch import Tensor

from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Script
from helpers.checks.shared import claim, generator_claims, is_pair, same
from helpers.checks.subject import Raised
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.training import elastic_pair

MARGIN = 6  # pixels: with a root mean square of 1, nothing that far inside is fetched from beyond the border


@exercise(
    elastic_pair,
    lesson="09_training",
    concept="Elastic deformation",
    points=4,
    minutes=10,
    difficulty=4,
    hints=[
        "Every pixel of the result is fetched from a place near its own: its own row and column, plus an offset for "
        "each. `arrows`, given above, draws both fields.",
        "The fields are smooth, but their size is left to chance. Measure the root mean square of each and scale it "
        "to `alpha`.",
        "The places are the pixels' own coordinates (`np.indices`) plus the offsets. "
        "`scipy.ndimage.map_coordinates` fetches from them: `order=1` is bilinear, `order=0` takes the nearest pixel, "
        'and `mode="nearest"` repeats the border. `F.grid_sample` can do it too, in coordinates from -1 to 1.',
    ],
    task=(
        "Bend image and mask in the same way: fetch each pixel from a place that is off by smooth noise. Along each "
        "axis, draw one random number per pixel, positive as often as negative, smooth with a Gaussian of standard "
        "deviation `sigma`, and scale to a root mean square of `alpha` pixels (0: nothing moves). Image: float `(C, "
        "H, W)` in [0, 1], fetched bilinearly; mask: int64 `(H, W)`, fetched from the nearest pixel. Beyond the "
        "border the nearest pixel inside counts. Every random number comes from `generator`."
    ),
)
def probes(draw):
    """The field is read off ramps: an image whose values are its own coordinates says where each pixel came from.

    What is claimed of the field holds for right answers with a chance of failure below 1e-9.
    """
    yield _unbent(draw)
    yield _field(draw)
    yield _statistics(draw)
    yield _border(draw)


edit = edits_of(elastic_pair)


def _made(seed: int) -> Fixture:
    return Fixture("generator", {"seed": seed})


def _unbent(draw) -> Script:
    image, mask = draw.normal(2, 8, 9).sigmoid(), _labels(draw, 8, 9)
    seed = draw.seed()

    def run(subject):
        reply = subject.call((image, mask, 0.0, 2.0, _made(seed)), {})
        if isinstance(reply.value, Raised) or not is_pair(reply.value):
            yield "result", reply.value
            return
        yield "image", reply.value[0]
        yield "mask", reply.value[1]
        yield claim("the mask is still int64", reply.value[1].dtype == torch.int64)
        yield "inputs unchanged", reply.inputs_unchanged

    return Script(run, "`alpha` = 0, where nothing moves", {"image": image, "mask": mask})


def _labels(draw, height: int, width: int) -> Tensor:
    """int64 `(height, width)`, each pixel 1, 7 or 255: what lies between two of them is none of them."""
    return torch.tensor([1, 7, 255])[draw.labels(height, width, 3)]


def _field(draw) -> Script:
    """What can be told of the offsets with `alpha` = 1 and `sigma` = 3, and whether twice the `alpha` doubles them.

    Bounds are 5 standard deviations and more from what right answers have, measured over many seeds.
    """
    height, width, seeds = 30 + draw.size(0, 3), 34 + draw.size(0, 3), [draw.seed() for _ in range(8)]
    own = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))  # (2, H, W)
    image, mask = own / 64, own[0] * width + own[1]

    def run(subject):
        calls = [(1.0, s) for s in (*seeds, seeds[0])] + [(0.5, s) for s in seeds[:2]]
        replies = [subject.call((image, mask, alpha, 3.0, _made(s)), {}) for alpha, s in calls]
        for reply in replies:
            if isinstance(reply.value, Raised):
                yield "result", reply.value
        pairs = [reply.value for reply in replies]
        yield claim("the result is a pair of tensors", all(map(is_pair, pairs)))
        fitting = all(i.shape == image.shape and m.shape == mask.shape for i, m in pairs)
        yield claim("image and mask keep their shapes", fitting)
        if not fitting:
            return
        yield claim("the mask is still int64", all(m.dtype == torch.int64 for _, m in pairs))
        yield claim("equal seeds give equal results", same([pairs[0]], [pairs[8]]))
        yield claim("other seeds give other results", not all(same([pairs[0]], [pair]) for pair in pairs[1:8]))

        offsets = torch.stack([_inside(64 * i.double() - own) for i, _ in pairs])  # (calls, 2, h, w), in pixels
        first = offsets[:8]
        size = _size(first, (0, 2, 3))
        steps = torch.stack([_size(first.diff(dim=axis)) for axis in (2, 3)]) / _size(first)
        yield claim("pixels move", size.max() > 0)
        yield claim("not all pixels move alike", steps.max() > 1e-3)
        if not steps.max() > 1e-3:
            return
        yield claim("pixels are fetched from other rows", size[0] > 0.05 * size.max())
        yield claim("pixels are fetched from other columns", size[1] > 0.05 * size.max())
        yield claim("pixels move by about alpha", size.min() > 0.6 and size.max() < 1.6)
        yield claim("pixels move by more than a fifth of alpha", size.max() > 0.2)
        yield claim("pixels move to either side", (first.mean(dim=(0, 2, 3)).abs() < 0.85 * size).all())
        yield claim("rows and columns have noise of their own", _alike(first) < 0.7)
        yield claim("neighbours differ no more than sigma allows", steps.max() < 0.34)
        yield claim("in one direction at least, neighbours differ no more than sigma allows", steps.min() < 0.34)
        yield claim("neighbours differ as much as sigma allows", steps.min() > 0.165)
        yield claim("twice the alpha moves twice as far", (first[:2] - 2 * offsets[9:]).abs().max() < 0.02)
        yield claim("the image is fetched from between pixels, too", ((first - first.round()).abs() > 0.02).any())

        yield claim("the mask is bent, too", not any(torch.equal(m, mask) for _, m in pairs[:8]))
        fetched = torch.stack([torch.stack([m.div(width, rounding_mode="floor"), m % width]) for _, m in pairs])
        apart = (_inside(fetched.double() - own) - offsets).abs().max()
        yield claim("each label comes from a pixel next to the place that its pixel comes from", apart < 1.01)
        yield claim("each label comes from the place that its pixel comes from", apart < 0.51)
        yield from generator_claims(replies, [s for _, s in calls])

    label = "an image whose values are its own coordinates, with `alpha` = 1 and `sigma` = 3"
    return Script(run, label, {"image": image, "mask": mask})


def _statistics(draw) -> Script:
    """What takes many pixels to tell: that the noise has the width and the size asked for.

    With `alpha` = 0.1 only pixels on the border itself can be fetched from beyond it; they count as their neighbours.
    So the size of a field is known to 1 %. The root mean square of the difference between pixels `lag` apart, over that
    of the offsets, is sqrt(2 - 2·exp(-lag²/(4·sigma²))) after a Gaussian: 0.459 and 1.125 here, and 0.44 to 0.48 and
    1.09 to 1.17 measured over many seeds, also where the Gaussian is cut off at 2 sigma.
    """
    height, width, alpha, sigma = 60, 66, 0.1, 1.5
    own = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))  # (2, H, W)
    image, mask, seeds = own / 128, own[0] % 2 + own[1] % 2, [draw.seed() for _ in range(10)]

    def run(subject):
        replies = [subject.call((image, mask, alpha, sigma, _made(s)), {}) for s in seeds]
        for reply in replies:
            if isinstance(reply.value, Raised):
                yield "result", reply.value
        offsets = torch.stack([128 * reply.value[0].double() - own for reply in replies])  # (calls, 2, H, W)
        for border, neighbour in ((0, 1), (-1, -2)):
            for x in (offsets[:, 0], offsets[:, 1].mT):
                x[:, border] = torch.where(x[:, border].abs() < 1e-4, x[:, neighbour], x[:, border])
        to_scale, together = [], []
        for square in ((offsets**2).mean(dim=(2, 3)), offsets.var(dim=(2, 3))):  # who centres it may take either
            size = square.sqrt() / alpha  # (calls, 2)
            to_scale.append((size - 1).abs().max() < 0.03 and (size[:, 0] / size[:, 1] - 1).abs().max() < 0.04)
            together.append((square.mean(dim=1).sqrt() / alpha - 1).abs().max() < 0.03)
        yield claim("along each axis the root mean square of the offsets is alpha", any(to_scale))
        yield claim("over both axes together the root mean square of the offsets is alpha", any(together))
        yield claim("pixels move by less than twenty times alpha", size.max() < 20)
        inside = _inside(offsets)
        for lag, what, low, high in ((1, "neighbours", 0.43, 0.49), (3, "pixels two sigma apart", 1.06, 1.2)):
            shifted = (inside[:, :, lag:] - inside[:, :, :-lag], inside[..., lag:] - inside[..., :-lag])
            apart = torch.stack([_size(d) for d in shifted]) / _size(inside)
            yield claim(f"{what} differ as a Gaussian of that sigma has it", apart.min() > low and apart.max() < high)
            yield claim(f"{what} differ less than without smoothing", apart.max() < 1.3)

    label = f"a larger image whose values are its own coordinates, with `alpha` = {alpha:g} and `sigma` = {sigma:g}"
    return Script(run, label, {"image": image, "mask": mask})


def _border(draw) -> Script:
    """A large `alpha` on a small image, so that much is fetched from beyond the border.

    Channels: the row and the column over 16, black and white at random, the same grey throughout.
    """
    mask, seeds = _labels(draw, 11, 14), [draw.seed() for _ in range(3)]
    own = torch.stack(torch.meshgrid(torch.arange(11), torch.arange(14), indexing="ij")) / 16
    image = torch.cat([own, draw.mask(11, 14).float()[None], torch.full((1, 11, 14), 0.75)])

    def run(subject):
        replies = [subject.call((image, mask, 5.0, 2.0, _made(s)), {}) for s in seeds]
        for reply in replies:
            if isinstance(reply.value, Raised):
                yield "result", reply.value
        images = torch.stack([reply.value[0] for reply in replies])
        masks = torch.stack([reply.value[1] for reply in replies])
        yield claim("the mask has no label that was not there", torch.isin(masks, mask).all())
        yield claim("all values lie between 0 and 1", images.min() > -1e-4 and images.max() < 1.0001)
        yield claim("a grey image stays grey up to its border", (images[:, 3] - 0.75).abs().max() < 1e-3)
        last = own[:, -1, -1].view(2, 1, 1)
        at_border = (images[:, :2].abs() < 1e-4) | ((images[:, :2] - last).abs() < 1e-4)
        yield claim("beyond the border, the border itself is repeated", at_border.double().mean() > 0.05)
        places = 16 * images[:, :2].double().numpy()  # where each pixel says that it comes from
        options = {"order": 1, "mode": "nearest"}
        fetched = np.stack([map_coordinates(image[2].double().numpy(), p, **options) for p in places])
        yield claim("all channels are fetched from one place", np.abs(images[:, 2].numpy() - fetched).max() < 1e-3)
        rows, columns = np.rint(places).astype(int).clip(0, [[[10]], [[13]]]).swapaxes(0, 1)
        clear = (np.abs(places % 1 - 0.5) > 0.02).all(axis=1)  # no tie between two pixels
        agree = mask.numpy()[rows, columns] == masks.numpy()
        yield claim("each label comes from the place that its pixel comes from", agree[clear].all())

    label = "a small image and `alpha` = 5, so that much is fetched from beyond the border"
    return Script(run, label, {"image": image, "mask": mask})


def _inside(offsets: Tensor) -> Tensor:
    return offsets[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def _size(offsets: Tensor, dim: tuple[int, ...] = (0, 1, 2, 3)) -> Tensor:
    return (offsets**2).mean(dim=dim).sqrt()


def _alike(offsets: Tensor) -> Tensor:
    """Mean correlation, without its sign, between the offsets along rows and those along columns; 0 if one is 0."""
    flat = offsets.flatten(2) - offsets.flatten(2).mean(dim=2, keepdim=True)
    return F.cosine_similarity(flat[:, 0], flat[:, 1], dim=1).abs().mean()


# ---- what goes wrong ----


def _offsets(mask, alpha, sigma, generator):
    noise = 2 * torch.rand(2, *mask.shape, generator=generator).numpy() - 1
    offsets = gaussian_filter(noise, (0, sigma, sigma))
    return offsets * alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))


edit(
    "the mask is not bent",
    "You bend the image and hand the mask back as it came. From then on every outline in the mask is a little off the "
    "object it belongs to. Look at what is done to `mask` with the offsets.",
    ('map_coordinates(mask.numpy(), places, order=0, mode="nearest")', "mask.numpy().copy()"),
)

edit(
    "two fields instead of one",
    "Image and mask are bent by two different fields, because the offsets are drawn once for each. Their outlines no "
    "longer fit. Look at how often you draw: one field holds for the pair.",
    # the field turned by half has as little to do with the first as another draw
    ("mask.numpy(), places", "mask.numpy(), np.indices((height, width)) + offsets[:, ::-1, ::-1]"),
)

OWN = """
    def own(k):  # the first has the field of the mask
        return places if k == 0 else np.indices((height, width)) + np.roll(offsets[:, ::-1, ::-1], 5 * k, axis=2)

"""

edit(
    "a field for every channel",
    "Every channel is bent by a field of its own, so the colours of an object part, and the mask fits one of them at "
    "most. Look at how often you draw: one field holds for all channels and the mask.",
    ("map_coordinates(channel, places", "map_coordinates(channel, own(k)"),
    ("for channel in image.numpy()]", "for k, channel in enumerate(image.numpy())]"),
    ("    bent =", f"{OWN}    bent ="),
)

edit(
    "the mask is interpolated",
    "You fetch the mask bilinearly. Between class 1 and class 7 that invents a class 4, along every outline. Classes "
    "have no values in between: look at how the mask picks its pixel.",
    ("mask.numpy(), places, order=0", "mask.double().numpy(), places, order=1"),
    ("from_numpy(labels)", "from_numpy(labels).round().long()"),
)

edit(
    "the mask's places rounded down",
    "You round the mask's places down, so every label comes from a pixel above and to the left of where the image "
    "comes from, half a pixel on the mean. Look for `floor`, `int` or `long`: the nearest pixel is what `round` gives.",
    ("mask.numpy(), places", "mask.numpy(), np.floor(places)"),
)

edit(
    "the image is fetched from the nearest pixel",
    "You fetch the image from the nearest pixel, as the mask is. Some pixels then occur twice and others vanish, and "
    "smooth outlines become steps. Look at how the image is fetched between pixels.",
    ("order=1", "order=0"),
)

edit(
    "cubic instead of bilinear",
    "You fetch the image with splines of a higher order. At hard edges they swing beyond the values that are there, so "
    "the image leaves its range. Look at the `order` of the interpolation.",
    ("order=1", "order=3"),
)

edit(
    "noise that is not smoothed",
    "Your offsets are plain noise: neighbouring pixels are fetched from unrelated places, and the image is ground to "
    "grains instead of bent. Look at what `sigma` does to your field.",
    ("gaussian_filter(noise, (0, sigma, sigma))", "noise"),
)

edit(
    "smoothed along one axis only",
    "Your noise is smooth along one axis and rough along the other, so the image is torn into stripes. Look at the "
    "axes that your Gaussian runs over: rows and columns both.",
    ("(0, sigma, sigma)", "(0, sigma, 0)"),
)

edit(
    "sigma ignored",
    "Your bends have the same width whatever `sigma` is. Look at what is passed to the Gaussian.",
    ("(0, sigma, sigma)", "(0, 8.0, 8.0)"),
)

edit(
    "sigma as a variance",
    "Your bends are as narrow as with the root of `sigma`. It is a standard deviation and not a variance. Look at "
    "the exponent of your Gaussian, which divides by twice its square, or at what you pass on.",
    ("(0, sigma, sigma)", "(0, sigma**0.5, sigma**0.5)"),
)

edit(
    "a kernel too small for its sigma",
    "A large `sigma` smooths your noise hardly more than a small one. A Gaussian reaches about three `sigma` to each "
    "side, and a kernel of fixed size cuts it off. Look at the size of your kernel, and at what it depends on.",
    ("gaussian_filter(noise, (0, sigma, sigma))", "gaussian_filter(noise, (0, sigma, sigma), radius=1)"),
)

edit(
    "the smoothed noise is too weak",
    "Your pixels move by a small part of `alpha`, the smaller the larger `sigma` is: smoothing averages most noise "
    "away. Look at the root mean square of the field after the Gaussian, when you scale it.",
    ("alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))", "alpha"),
)

edit(
    "the largest offset is alpha",
    "You scale your fields so that the *largest* offset is `alpha`, and most pixels move much less. Asked for is a "
    "root mean square of `alpha`. Look at what you divide by.",
    (
        "alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))",
        "alpha / np.abs(offsets).max(axis=(1, 2), keepdims=True)",
    ),
)

edit(
    "the mean of the absolute offsets is alpha",
    "You scale your fields so that the mean of the absolute offsets is `alpha`. The root mean square is a quarter "
    "larger than that mean. Look at what you divide by.",
    (
        "alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))",
        "alpha / np.abs(offsets).mean(axis=(1, 2), keepdims=True)",
    ),
)

edit(
    "the square root is missing",
    "You divide by the mean of the squares and not by its root, so the smaller the smoothed noise is the further "
    "your pixels move. Look at what you divide by.",
    (
        "alpha / np.sqrt((offsets**2).mean(axis=(1, 2), keepdims=True))",
        "alpha / ((offsets**2).mean(axis=(1, 2), keepdims=True))",
    ),
)

edit(
    "one scale for both axes",
    "You scale both fields by one number, so only their common size is `alpha`: along one axis pixels move further "
    "than asked, along the other less far. Look at the axes over which you take the mean of the squares.",
    ("(axis=(1, 2), keepdims=True)", "()"),
)

edit(
    "alpha ignored",
    "Your offsets have the same size whatever `alpha` is, 0 included. Look at where `alpha` enters your field.",
    ("*= alpha /", "*= 1 /"),
)

edit(
    "one field for both axes",
    "Rows and columns get the same offsets, so every pixel moves along the same diagonal. When a Gaussian runs over "
    "all axes of a `(2, H, W)` array it mixes the two fields to the same end. Look at how many fields you have after "
    "smoothing.",
    ("    places =", "    offsets = offsets[[0, 0]]\n    places ="),
)

edit(
    "only the columns move",
    "Your pixels move sideways only; none is fetched from another row. "
    "Look at which of the two coordinates the offsets are added to.",
    ("    places =", "    offsets[0] = 0\n    places ="),
)

edit(
    "only the rows move",
    "Your pixels move up and down only; none is fetched from another column. Look at which of the two coordinates "
    "the offsets are added to.",
    ("    places =", "    offsets[1] = 0\n    places ="),
)

edit(
    "one offset for the whole image",
    "Every pixel is off by the same amount, so the image is shifted, not bent. "
    "Look at the shape of the noise: it has one number for each pixel and axis.",
    ("gaussian_filter(noise, (0, sigma, sigma))", "np.sign(noise[:, :1, :1]) * np.ones_like(noise)"),
)

edit(
    "all pixels move to one side",
    "Your noise is never negative, so all offsets point the same way, and after scaling the image is mostly shifted. "
    "`torch.rand` draws from 0 to 1: look at the mean of your noise.",
    ("noise = 2 * ", "noise = "),
    (".numpy() - 1", ".numpy()"),
)

edit(
    "black beyond the border",
    "What is fetched from beyond the border is 0: black in the image, and class 0 in the mask. Such dark bays occur in "
    "no real image. Look at the padding of whatever fetches your pixels: here the border's own pixels continue.",
    ('order=1, mode="nearest"', "order=1"),
    ('order=0, mode="nearest"', "order=0"),
)

edit(
    "mirrored or wrapped at the border",
    "Beyond the border your image goes on with its mirror image, or with its opposite side. Asked for is the nearest "
    "pixel inside, which invents no second object. Look at the padding of whatever fetches your pixels.",
    ('order=1, mode="nearest"', 'order=1, mode="mirror"'),
    ('order=0, mode="nearest"', 'order=0, mode="mirror"'),
)

edit(
    "the places the wrong way round",
    "The image comes back on its side: with `alpha=0`, row 1 and column 5 is fetched from row 5 and column 1. "
    "`map_coordinates` takes the row first, and so does an index. Look at the order of your two coordinates.",
    ("    bent =", "    places = places[::-1]\n    bent ="),
)


def _sampled(image, mask, offsets, corners=(True, True), swapped=False, units=True, padding="border"):
    """With `F.grid_sample`: places from -1 to 1, columns before rows."""
    sides = torch.tensor(mask.shape).view(2, 1, 1)
    places = torch.from_numpy(np.indices(mask.shape)).float()
    offsets = torch.from_numpy(offsets).float()
    if not units:  # offsets in pixels added to places from -1 to 1
        places = 2 * places / (sides - 1) - 1 + offsets
    elif corners[0]:
        places = 2 * (places + offsets) / (sides - 1) - 1
    else:
        places = (2 * (places + offsets) + 1) / sides - 1
    grid = (places if swapped else places.flip(0)).permute(1, 2, 0)[None]
    options = {"padding_mode": padding, "align_corners": corners[1]}
    bent = F.grid_sample(image[None], grid, mode="bilinear", **options)[0]
    labels = F.grid_sample(mask[None, None].float(), grid, mode="nearest", **options)[0, 0]
    return bent, labels.round().long()


@misconception(
    "rows and columns exchanged",
    "The image comes back on its side: you gave rows where columns are expected. `F.grid_sample` takes the column "
    "first, `map_coordinates` the row. Look at the order of your two coordinates with `alpha=0`.",
)
def exchanged(image, mask, alpha, sigma, generator):
    return _sampled(image, mask, _offsets(mask, alpha, sigma, generator), swapped=True)


@misconception(
    "places that do not fit align_corners",
    "With `alpha=0` your image is already a little smaller or larger than it was. In `F.grid_sample` -1 and 1 are the "
    "centres of the outermost pixels when `align_corners` is true, and their outer edges when it is false. Look at how "
    "you turn pixels into places.",
)
def corners(image, mask, alpha, sigma, generator):
    return _sampled(image, mask, _offsets(mask, alpha, sigma, generator), corners=(True, False))


@misconception(
    "grid_sample as it comes",
    "With `alpha=0` your image is already another one, and dark at its border. Left alone, `F.grid_sample` takes -1 "
    "and 1 for the outer edges of the image, and pads with 0 beyond. Look at its `align_corners` and `padding_mode`.",
)
def as_it_comes(image, mask, alpha, sigma, generator):
    return _sampled(image, mask, _offsets(mask, alpha, sigma, generator), corners=(True, False), padding="zeros")


@misconception(
    "offsets in the wrong unit",
    "You add offsets in pixels to places that run from -1 to 1, where one pixel is 2 / (side - 1). So everything moves "
    "many times too far. Look at the unit of what you add.",
)
def wrong_unit(image, mask, alpha, sigma, generator):
    return _sampled(image, mask, _offsets(mask, alpha, sigma, generator), units=False)


edit(
    "the mask becomes floating point",
    "The mask comes back as floating point numbers, as `F.grid_sample` needs them. The values are right, but "
    "`cross_entropy` and indexing want class indices as int64. Look at the dtype of what you return.",
    ("from_numpy(labels)", "from_numpy(labels).float()"),
)

edit(
    "the global random generator",
    "You draw from a global random generator, so two calls with equal seeds give two results, and no run can be "
    "repeated. Look for `np.random` and for `torch.rand` without `generator=generator`.",
    ("torch.rand(2, height, width, generator=generator).numpy()", "np.random.rand(2, height, width)"),
)

edit(
    "the generator is seeded again",
    "You seed the generator in every call, so every image of the data set is bent by the same field, in every epoch. "
    "Whoever hands in a generator has seeded it: look for `manual_seed`.",
    ("    _check_pair", "    generator.manual_seed(0)\n    _check_pair"),
)

edit(
    "a new generator in every call",
    "You make a random generator of your own from the seed of the one that was given, and leave that one where it "
    "stands. Its next call then gives the same field again. Look at what you draw from.",
    ("    _check_pair", "    generator = torch.Generator().manual_seed(generator.initial_seed())\n    _check_pair"),
)


# ---- other right answers ----


@variant("in torch, with a Gaussian of its own and grid_sample")
def in_torch(image, mask, alpha, sigma, generator):
    height, width = mask.shape
    noise = torch.randn(2, 1, height, width, generator=generator)
    radius = math.ceil(4 * sigma)
    kernel = torch.exp(-(torch.arange(-radius, radius + 1.0) ** 2) / (2 * sigma**2))
    noise = F.conv2d(noise, kernel.view(1, 1, -1, 1), padding=(radius, 0))
    noise = F.conv2d(noise, kernel.view(1, 1, 1, -1), padding=(0, radius))[:, 0]
    offsets = alpha * noise / noise.pow(2).mean(dim=(1, 2), keepdim=True).sqrt()
    rows = (2 * (torch.arange(height)[:, None] + offsets[0]) + 1) / height - 1
    columns = (2 * (torch.arange(width) + offsets[1]) + 1) / width - 1
    grid, options = torch.stack([columns, rows], dim=-1)[None], {"padding_mode": "border", "align_corners": False}
    labels = F.grid_sample(mask[None, None].float(), grid, mode="nearest", **options)
    return F.grid_sample(image[None], grid, **options).squeeze(0), labels.squeeze().long()


@variant("by indices, the four neighbours weighed by hand")
def by_indices(image, mask, alpha, sigma, generator):
    height, width = mask.shape
    field = torch.empty(2, height, width).uniform_(-1, 1, generator=generator).double().numpy()
    field = np.stack([gaussian_filter(f, sigma, mode="wrap") for f in field])
    field = torch.from_numpy(field / field.std(axis=(1, 2), keepdims=True)) * alpha
    rows = (torch.arange(height)[:, None] + field[0]).clamp(0, height - 1)
    columns = (torch.arange(width)[None] + field[1]).clamp(0, width - 1)
    top, left = rows.floor().long(), columns.floor().long()
    bottom, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    down, across = (rows - top).to(image.dtype), (columns - left).to(image.dtype)
    upper = (1 - across) * image[:, top, left] + across * image[:, top, right]
    lower = (1 - across) * image[:, bottom, left] + across * image[:, bottom, right]
    return (1 - down) * upper + down * lower, mask[rows.round().long(), columns.round().long()]


@variant("one call for each field, and nothing at all to do for 0")
def early_return(image, mask, alpha, sigma, generator):
    if alpha == 0:
        return image, mask
    offsets = []
    for _ in range(2):
        noise = torch.rand(mask.shape, generator=generator, dtype=torch.float64) - 0.5
        smooth = torch.from_numpy(gaussian_filter(noise.numpy(), sigma, mode="constant"))
        offsets.append(alpha * smooth / smooth.pow(2).mean().sqrt())
    places = np.indices(mask.shape) + torch.stack(offsets).numpy()
    bent = [torch.from_numpy(map_coordinates(x.numpy(), places, order=1, mode="nearest")) for x in image]
    return torch.stack(bent), torch.from_numpy(map_coordinates(mask.numpy(), places, order=0, mode="nearest"))
