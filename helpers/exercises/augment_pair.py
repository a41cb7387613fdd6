"""Lesson 09: `augment_pair(image, mask, generator)`."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2 import functional as tvf

from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Script
from helpers.checks.shared import claim, generator_claims, is_pair, same
from helpers.checks.subject import Raised
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.training import augment_pair

PATIENCE = 300  # calls more to wait for the last way up

WAYS_UP = [(turns, mirrored) for turns in range(4) for mirrored in (False, True)]


@exercise(
    augment_pair,
    lesson="09_training",
    concept="Augmentation of pairs",
    points=5,
    minutes=10,
    difficulty=3,
    hints=[
        "Draw all random numbers first, each with `generator=generator`, and only then act on them: each decision is "
        "made once for the pair, and carried out in two places.",
        "`x.flip([-1])` mirrors and `x.rot90(1, (-2, -1))` turns; axes counted from the end are the same for "
        "`(C, H, W)` and `(H, W)`. What would a quarter turn do to the shape of an image that is not square?",
        "Three coins from `torch.rand(3, generator=generator) < 0.5`: upside down, mirrored, turned. Then two numbers "
        "for the light of the image alone: one to multiply its distance from 0.5 by, one to add. Clamp at the end.",
    ],
    task=(
        "Return a new image and mask. Flips and quarter turns at random, the same for both: all eight ways up of a "
        "square occur, and an image that is not square keeps its shape, so it is flipped only. Then change the "
        "brightness and the contrast of the image, each up or down by up to about 0.2, of the image alone and within "
        "[0, 1]. Image: float `(C, H, W)` in [0, 1]; mask: int64 `(H, W)`. Every random number comes from `generator`, "
        "a `torch.Generator`."
    ),
)
def probes(draw):
    """Many results are right, so each probe calls with many seeds and reads the facts off what comes back.

    Images and masks are random to the last pixel: their way up can be told whatever the light, and no two ways are
    alike. A right answer with even odds fails a probe with a chance below 1e-9, and one that flips and turns a third of
    the pairs with a chance below 1e-5.
    """
    # grey values far from 0 and 1: here the change of light can be measured, because nothing is clipped
    yield _calls(
        "a square image", 0.3 + 0.4 * draw.normal(1, 13, 13).sigmoid(), _labels(draw, 13, 13), draw, 38, like=0.4
    )
    height, more = draw.size(9, 11), draw.size(2, 5)
    sides = (height, height + more) if draw.size(0, 1) else (height + more, height)
    yield _calls("an image that is not square", _contrasty(draw, 3, *sides), _labels(draw, *sides), draw, 34, like=0.8)


edit = edits_of(augment_pair)


def _labels(draw, height: int, width: int) -> Tensor:
    """int64 `(height, width)`, each pixel 1, 2, 7 or 255: what lies between two of them is none of them."""
    return torch.tensor([1, 2, 7, 255])[draw.labels(height, width, 4)]


def _contrasty(draw, channels: int, height: int, width: int) -> Tensor:
    """float `(channels, height, width)` from 0 to 1, with both ends in every channel."""
    image = (3 * draw.normal(channels, height, width)).sigmoid()
    image[:, 0, 0], image[:, 0, 1] = 0.0, 1.0
    return image


def _calls(what: str, image: Tensor, mask: Tensor, draw, count: int, like: float) -> Script:
    """`like` is the least correlation with the source seen the right way up; any other way has about 0."""
    seeds, patience = [draw.seed() for _ in range(count)], draw.seed()

    def run(subject):
        replies = [subject.call((image, mask, Fixture("generator", {"seed": s})), {}) for s in [*seeds, *seeds[:3]]]
        for reply in replies:
            if isinstance(reply.value, Raised):
                yield "result", reply.value
        pairs = [reply.value for reply in replies]
        yield claim("the result is a pair of tensors", all(map(is_pair, pairs)))
        yield claim("the image keeps its shape", all(i.shape == image.shape for i, _ in pairs))
        yield claim("the mask keeps its shape", all(m.shape == mask.shape for _, m in pairs))
        yield claim("the mask is still int64", all(m.dtype == torch.int64 for _, m in pairs))
        yield claim("the mask has no label that was not there", all(torch.isin(m, mask).all() for _, m in pairs))
        yield claim("equal seeds give equal results", same(pairs[:3], pairs[count:]))
        if any(i.shape != image.shape or m.shape != mask.shape for i, m in pairs):
            return

        images = _ways_up_of_images([i for i, _ in pairs[:count]], image, like)
        masks = _ways_up_of_masks([m for _, m in pairs[:count]], mask)
        yield claim("each image is the given one, flipped or turned", None not in images)
        yield claim("each mask is the given one, flipped or turned", None not in masks)
        if None not in images:
            yield from _spread("images", images, square=image.shape[-2] == image.shape[-1])
        if None not in masks:
            yield claim("some masks are flipped or turned", set(masks) != {(0, False)})
        if None not in (*images, *masks):
            yield claim("each mask lies as its image does", images == masks)
            together = len({*zip(images, masks, strict=True)})
            yield claim("where two images lie alike, their masks do", together == len(set(images)))
            yield claim("where two masks lie alike, their images do", together == len(set(masks)))
        if image.min() > 0.1 and None not in images:
            yield from _light([i for i, _ in pairs[:count]], image, images)
        yield claim("all values lie between 0 and 1", all(i.min() >= 0 and i.max() <= 1 for i, _ in pairs))
        yield from generator_claims(replies, [*seeds, *seeds[:3]])
        if None not in masks:
            yield from _every_way(subject, image, mask, masks, patience)

    label = f"{count} calls on {what} of shape {tuple(image.shape)}, each with a generator of its own"
    return Script(run, label, {"image": image, "mask": mask})


def _seen(x: Tensor, way: tuple[int, bool]) -> Tensor:
    """`x` of shape `(..., H, W)`, mirrored and then turned."""
    turns, mirrored = way
    return (x.flip(-1) if mirrored else x).rot90(turns, (-2, -1))


def _ways_up_of_images(images: list[Tensor], source: Tensor, like: float) -> list[tuple[int, bool] | None]:
    """The way up in which each image shows `source`, whatever its light; `None` where it shows something else."""
    ways = [way for way in WAYS_UP if _seen(source, way).shape == source.shape]
    shown = F.normalize(_centred(torch.stack(images)), dim=-1)  # (B, C, H·W)
    expected = F.normalize(_centred(torch.stack([_seen(source, way) for way in ways])), dim=-1)
    likeness = torch.einsum("bcp,wcp->bwc", shown, expected).amin(dim=-1)  # every channel has to be like its own
    best, found = likeness.max(dim=1)
    return [ways[k] if b > like else None for b, k in zip(best.tolist(), found.tolist(), strict=True)]


def _centred(image: Tensor) -> Tensor:
    flat = image.double().flatten(-2)
    return flat - flat.mean(dim=-1, keepdim=True)


def _ways_up_of_masks(masks: list[Tensor], source: Tensor) -> list[tuple[int, bool] | None]:
    ways = [way for way in WAYS_UP if _seen(source, way).shape == source.shape]
    agree = (torch.stack(masks)[:, None] == torch.stack([_seen(source, way) for way in ways])).all(-1).all(-1)
    return [ways[int(row.int().argmax())] if row.any() else None for row in agree]


def _spread(what: str, ways: list[tuple[int, bool]], square: bool):
    yield claim(f"some {what} are mirrored", any(mirrored for _, mirrored in ways))
    yield claim(f"some {what} are not mirrored", not all(mirrored for _, mirrored in ways))
    if square:
        yield claim(f"some {what} are turned by a quarter", any(turns % 2 for turns, _ in ways))
        yield claim(f"some {what} are not turned by a quarter", not all(turns % 2 for turns, _ in ways))
        yield claim("more than two of the eight ways up occur", len(set(ways)) > 2)
    else:
        yield claim("more than two of the four ways up occur", len(set(ways)) > 2)


def _every_way(subject, image: Tensor, mask: Tensor, ways: list[tuple[int, bool]], seed: int):
    """Calls on until every way up has occurred; not where half of them or fewer have, for that is no bad luck."""
    possible = [way for way in WAYS_UP if _seen(mask, way).shape == mask.shape]
    seen = set(ways)
    for k in range(PATIENCE):
        if not len(possible) // 2 < len(seen) < len(possible):
            break
        reply = subject.call((image, mask, Fixture("generator", {"seed": seed + k})), {})
        seen.add(_ways_up_of_masks([reply.value[1]], mask)[0])
    yield claim(f"all {len(possible)} ways up occur", len(seen) == len(possible))


def _light(images: list[Tensor], source: Tensor, ways: list[tuple[int, bool]]):
    """Brightness is the mean of an image; contrast, by how much it rises where the source rises by 1."""
    x = _centred(torch.stack([_seen(source, way) for way in ways])).flatten(1)
    y = _centred(torch.stack(images)).flatten(1)
    brightness = torch.stack(images).double().flatten(1).mean(dim=1)
    contrast = (x * y).sum(dim=1) / (x * x).sum(dim=1)
    brighter = brightness - source.double().mean()
    yield claim("the light of some images is changed", brighter.abs().max() > 0.01 or (contrast - 1).abs().max() > 0.02)
    dimmed = brighter.abs().max() > 0.3
    yield claim("the light changes by no more than asked", not dimmed and contrast.min() > 0.4 and contrast.max() < 1.9)
    yield claim("the brightness differs from call to call", brightness.max() - brightness.min() > 0.02)
    yield claim("the contrast differs from call to call", contrast.max() - contrast.min() > 0.03)
    yield claim("some images get brighter", brighter.max() > 0.005)
    yield claim("some images get darker", brighter.min() < -0.005)
    yield claim("the contrast of some images gets stronger", contrast.max() > 1.005)
    yield claim("the contrast of some images gets weaker", contrast.min() < 0.995)


edit(
    "the mask is left as it was",
    "You flip and turn the image, and hand the mask back as it came. From then on the labels lie on other pixels than "
    "the objects, and the network learns from noise. Look at what is done to `mask` for each flip.",
    ("mask.flip(axes)", "mask.clone()"),
    ("mask.rot90(1, (-2, -1))", "mask"),
)

edit(
    "the image is left the right way up",
    "You flip and turn the mask, and the image keeps its way up. From then on the labels lie on other pixels than the "
    "objects. Look at which tensor each flip is applied to, and at what you return.",
    ("image.flip(axes)", "image"),
    ("image.rot90(1, (-2, -1))", "image"),
)

OWN = """
    coins = torch.rand(2, generator=generator) < 0.5
    mask = mask.flip([axis for axis, flipped in zip((-2, -1), coins) if flipped])
"""

edit(
    "image and mask draw for themselves",
    "Image and mask are each flipped by a draw of their own, so they agree only by chance. This is what happens when "
    "a random transform is called once for each. Look at how often you draw: one decision holds for the pair.",
    ("mask.flip(axes)", "mask"),
    ("    if turned", f"{OWN}    if turned"),
)

edit(
    "the mask flipped along the other axis",
    "Where the image is mirrored the mask is turned upside down, and the other way round. From then on the labels "
    "lie on other pixels than the objects. Look at the axes of your flips: counted from the end, they are the same "
    "for both.",
    ("mask.flip(axes)", "mask.flip([-3 - axis for axis in axes])"),
)

edit(
    "image and mask turned in opposite directions",
    "Image and mask are both turned by a quarter, one to the left and the other to the right. From then on the "
    "labels lie on other pixels than the objects. Look at the sign and at the order of the axes in your two turns.",
    ("mask.rot90(1, ", "mask.rot90(-1, "),
)

edit(
    "the mask flipped and not turned",
    "Both are flipped alike, but where the image is turned by a quarter the mask is not. From then on the labels lie "
    "on other pixels than the objects. Look at what is done to `mask` for the turn.",
    ("mask.rot90(1, (-2, -1))", "mask"),
)

edit(
    "one of the flips not for the mask",
    "Some of your flips reach the image alone, so the labels lie on other pixels than the objects. Look at what is "
    "done to `mask` for each flip.",
    ("mask.flip(axes)", "mask.flip([axis for axis in axes if axis == -1])"),
)

edit(
    "axes counted from the front",
    "You flip the same axis *numbers* of both, but the image has its channels first: axis 0 is the channels of "
    "`(C, H, W)` and the rows of `(H, W)`. Count the axes from the end, where the two shapes agree.",
    ("(-2, upside_down), (-1, mirrored)", "(0, upside_down), (1, mirrored)"),
)

edit(
    "channels and rows turned",
    "`rot90` turns the first two axes unless told otherwise, and those of `(C, H, W)` are channels and rows. Look at "
    "the `dims` of the image's turn; counted from the end, they are the same for both.",
    ("image.rot90(1, (-2, -1))", "image.rot90(1)"),
)

edit(
    "light on the mask too",
    "The mask got the change of light as well, and now holds numbers that are not classes. Labels are names, not "
    "brightnesses: arithmetic means nothing to them. Look at which of the two your light is applied to.",
    ("    return image.clamp", "    mask = (mask * (1.3 + contrast) + brightness).long()\n    return image.clamp"),
)

edit(
    "light on the mask too, and kept within [0, 1]",
    "The mask got the change of light as well and was brought into [0, 1] like the image, so its labels are gone. "
    "Labels are names, not brightnesses. Look at which of the two your light is applied to.",
    (
        "    return image.clamp",
        "    mask = (mask * (1 + contrast) + brightness).clamp(0, 1).round().long()\n    return image.clamp",
    ),
)

edit(
    "the mask becomes floating point",
    "The mask comes back as floating point numbers. The values are right, but `cross_entropy` and indexing want class "
    "indices as int64. If you put image and mask into one tensor to move them together, look at how you take them "
    "apart.",
    ("(0, 1), mask", "(0, 1), mask.float()"),
)

edit(
    "the global random generator",
    "You draw from the global random generator, so two calls with equal seeds give two results, and no run can be "
    "repeated. Look for `torch.rand` without `generator=generator`, and for `random` and `np.random`.",
    ("torch.rand(3, generator=generator)", "torch.rand(3)"),
    ("0.2, generator=generator", "0.2"),
)

edit(
    "one draw without the generator",
    "You draw from the given generator, but not always: two calls with equal seeds still give two results. "
    "Look at each of your draws for `generator=generator`.",
    ("0.2, generator=generator", "0.2"),
)

edit(
    "the global generator is seeded",
    "You seed the global generator and draw from it. That can be repeated, but it resets the random numbers of "
    "everything else in the program: weights, shuffling, dropout. Look for `manual_seed`, and pass the generator on "
    "to each draw.",
    ("    _check_pair", "    torch.manual_seed(generator.initial_seed())\n    _check_pair"),
    ("torch.rand(3, generator=generator)", "torch.rand(3)"),
    ("0.2, generator=generator", "0.2"),
)

edit(
    "the generator is seeded again",
    "You seed the generator in every call, so every image of the data set gets the same flip and the same light, in "
    "every epoch. Whoever hands in a generator has seeded it: look for `manual_seed`.",
    ("    _check_pair", "    generator.manual_seed(0)\n    _check_pair"),
)

edit(
    "a new generator in every call",
    "You make a generator of your own from the seed of the one that was given, and leave that one where it stands. "
    "Its next call then draws the same numbers again: every image gets the same flip. Look at what you draw from.",
    ("    _check_pair", "    generator = torch.Generator().manual_seed(generator.initial_seed())\n    _check_pair"),
)

edit(
    "values leave the range from 0 to 1",
    "The changed light pushes values below 0 or above 1. Such an image cannot be shown or stored, and the network will "
    "not meet its like again. Look at what happens to a white pixel that gets brighter.",
    ("image.clamp(0, 1)", "image"),
)

edit(
    "the given image is changed",
    "You change the light in the tensor that was handed in. It belongs to the data set: in the next epoch the changed "
    "image is changed once more, until all are black or white. Look for methods that end in an underscore, `+=` and "
    "`*=`.",
    ("    axes =", "    image.sub_(0.5).mul_(1 + contrast).add_(0.5 + brightness).clamp_(0, 1)\n    axes ="),
    ("    image = (image - 0.5) * (1 + contrast) + 0.5 + brightness\n", ""),
)

edit(
    "always mirrored",
    "Every pair comes back mirrored. That is another data set of the same size, not a larger one: the network never "
    "sees the originals. Look at what your flip depends on.",
    ("    axes =", "    mirrored = ~upside_down\n    axes ="),
)

edit(
    "one of the flips at every call",
    "One of your flips depends on no draw and happens in every call, so half of the ways up never occur, the "
    "original among them. Look at what each flip depends on.",
    ("if flipped]", "if flipped or axis == -1]"),
)

edit(
    "always turned",
    "Every square pair comes back turned by a quarter, so four of the eight ways up never occur, the original among "
    "them. Look at what your turn depends on.",
    ("if turned and", "if"),
)

edit(
    "turned, never mirrored",
    "Your pairs are turned, but none is mirrored, so four of the eight ways up never occur. No number of turns makes a "
    "mirror image. Look at which flips you draw.",
    ("    axes =", "    mirrored = upside_down\n    axes ="),
)

edit(
    "flipped, never turned",
    "Your pairs are flipped, but none is turned by a quarter, so four of the eight ways up never occur. Rows stay rows "
    "whatever you flip. Look at what else a square image can do.",
    ("if turned and height == width", "if False"),
)

edit(
    "one coin decides everything",
    "One draw decides about all flips and turns together, so there are two ways up instead of eight. "
    "Look at how many random numbers you draw for the geometry.",
    ("    axes =", "    upside_down = mirrored = turned\n    axes ="),
)

edit(
    "some ways up never occur",
    "Six or seven of the eight ways up occur, and the others never. `torch.randint(low, high)` draws numbers below "
    "`high`, not `high` itself. Look at the range of what you draw.",
    ("if turned and", "if turned and not upside_down and"),
)

edit(
    "neither flipped nor turned",
    "Only the light changes; every pair keeps its way up. Under a microscope no direction is special, and seven more "
    "ways up cost nothing. Look at what you do to both tensors.",
    ("image.flip(axes), mask.flip(axes)", "image, mask.clone()"),
    ("if turned and height == width", "if False"),
)

edit(
    "an image that is not square is left alone",
    "An image that is not square always keeps its way up. It cannot be turned by a quarter, but flipped it can be. "
    "Look at what your question about the sides holds for.",
    ("if flipped]", "if flipped and height == width]"),
)

edit(
    "a quarter turn of an image that is not square",
    "You turn images that are not square, so height and width change places, and a batch of them cannot be stacked. "
    "Look at when you turn: by a quarter only where both sides are equal.",
    ("turned and height == width", "turned"),
)

SQUEEZE = """
    if turned and height != width:
        image = nn.functional.interpolate(image[None], size=(height, width), mode="bilinear")[0]
        mask = nn.functional.interpolate(mask[None, None].double(), size=(height, width))[0, 0].long()
"""

edit(
    "turned and squeezed back into shape",
    "You turn images that are not square and then resize them to the old shape. That stretches every object, and for "
    "labels resizing means inventing or losing pixels. Look at when you turn: only where both sides are equal.",
    ("turned and height == width", "turned"),
    ("    image = (image", f"{SQUEEZE}    image = (image"),
)

edit(
    "the light stays as it is",
    "The pairs are flipped and turned, but the light of the image never changes. The next microscope will have another "
    "lamp, and the network has seen one. Look at what happens to the values of the image.",
    ("(image - 0.5) * (1 + contrast) + 0.5 + brightness", "image.clone()"),
)

edit(
    "the same light every time",
    "Every image gets the same change of light, so nothing varies: it is one other lamp instead of many. "
    "Look at whether the strength is a constant or is drawn.",
    ("(image - 0.5) * (1 + contrast) + 0.5 + brightness", "1.2 * image"),
)

edit(
    "the light changes far too much",
    "Some of your images come out all but black or white, or without contrast, and nobody could find an object in "
    "them. Look at the range that your two numbers for the light are drawn from.",
    ("(-0.2, 0.2", "(-0.9, 0.9"),
)

edit(
    "the contrast never changes",
    "The brightness varies, but the contrast is always the same: you add a number to each image, and the distance "
    "between dark and bright stays what it was. Look at what multiplies it.",
    ("(1 + contrast)", "1"),
)

edit(
    "the brightness never changes",
    "The contrast varies, but the mean brightness is always the same. "
    "Look at what would make the whole image lighter, its middle grey included.",
    ("0.5 + brightness", "0.5"),
)

edit(
    "the light only gets brighter",
    "Your images get brighter and never darker. The next lamp may be a weaker one: look at the range that the "
    "brightness is drawn from, which `torch.rand` begins at 0.",
    ("0.5 + brightness", "0.5 + brightness.abs()"),
)

edit(
    "the contrast only gets stronger",
    "The contrast of your images gets stronger and never weaker. Look at the range that it is drawn from: what "
    "`torch.rand` gives begins at 0, and 1 plus that at 1.",
    ("1 + contrast", "1 + contrast.abs()"),
)

edit(
    "brighter and stronger only",
    "Your images get brighter and never darker, and their contrast gets stronger and never weaker. Look at the "
    "ranges that both are drawn from: what `torch.rand` gives begins at 0.",
    ("0.5 + brightness", "0.5 + brightness.abs()"),
    ("1 + contrast", "1 + contrast.abs()"),
)


@variant("one number for the eight ways up, gamma for the light")
def one_of_eight(image, mask, generator):
    square = mask.shape[0] == mask.shape[1]
    way = int(torch.randint(8, (1,), generator=generator))
    turns = way % 4 if square else 2 * (way % 2)
    gamma = 2 ** (torch.rand((), generator=generator) - 0.5)
    image, mask = image**gamma, mask
    if way >= 4:
        image, mask = image.flip(-1), mask.flip(-1)
    return torch.rot90(image, turns, (1, 2)), torch.rot90(mask, turns, (0, 1))


@variant("with torchvision's functions")
def with_torchvision(image, mask, generator):
    def coin():
        return torch.rand(1, generator=generator).item() < 0.5

    if coin():
        image, mask = tvf.horizontal_flip(image), tvf.horizontal_flip(mask)
    if coin():
        image, mask = tvf.vertical_flip(image), tvf.vertical_flip(mask)
    turns = torch.randint(0, 4, (1,), generator=generator).item()
    if image.shape[1] == image.shape[2]:
        image, mask = torch.rot90(image, turns, [1, 2]), torch.rot90(mask, turns, [0, 1])
    brightness, contrast = (0.8 + 0.4 * torch.rand(2, generator=generator)).tolist()
    return tvf.adjust_contrast(tvf.adjust_brightness(image, brightness), contrast), mask


@variant("with numpy, seeded from the generator, and with noise")
def with_numpy(image, mask, generator):
    rng = np.random.default_rng(torch.empty(1, dtype=torch.int64).random_(generator=generator).item())
    i, m = np.array(image), np.array(mask)
    turns = rng.integers(4) if m.shape[0] == m.shape[1] else 2 * rng.integers(2)
    i, m = np.rot90(i, turns, axes=(1, 2)), np.rot90(m, turns)
    if rng.random() < 0.5:
        i, m = i[:, :, ::-1], m[:, ::-1]
    i = i * rng.uniform(0.8, 1.2) + rng.uniform(-0.1, 0.1) + rng.normal(0, 0.02, i.shape)
    return torch.from_numpy(np.clip(i, 0, 1).astype(np.float32)), torch.from_numpy(m.copy())


@variant("by indices, each channel with a light of its own")
def by_indices(image, mask, generator):
    height, width = mask.shape
    coins = torch.randint(0, 2, (3,), generator=generator).bool()
    rows = torch.arange(height - 1, -1, -1) if coins[0] else torch.arange(height)
    columns = torch.arange(width - 1, -1, -1) if coins[1] else torch.arange(width)
    image, mask = image[:, rows][:, :, columns], mask[rows][:, columns]
    if coins[2] and height == width:
        image, mask = image.mT, mask.T
    light = torch.rand(2, len(image), 1, 1, generator=generator)
    image = (image - 0.5) * (0.75 + light[0] / 2) + 0.5 + (light[1] - 0.5) / 4
    return torch.minimum(torch.maximum(image, torch.tensor(0.0)), torch.tensor(1.0)), mask
