"""The pictures of the glossary: small, each drawn from data or computed by the course's own reference.

Every function returns an HTML `<img>` whose alternative text says what is to be seen.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers import show
from helpers.data.nuclei import Nuclei
from helpers.play.upsampling import liveliest
from helpers.reference.convolution import conv2d
from helpers.reference.convolution import receptive_field as field_of
from helpers.reference.decoder import transposed_conv2d, upsample_nearest
from helpers.reference.encoder import max_pool2x2
from helpers.reference.inference import split_instances
from helpers.reference.losses import weight_map as weights_of
from helpers.reference.overlap import confusion, dice, iou
from helpers.reference.pixels import mask_to_box
from helpers.reference.pixels import one_hot as one_hot_of
from helpers.reference.training import elastic_pair

HEIGHT = 1.9  # inches
TILE = 25  # of the training tiles of 64×64 pixels

_drawn = partial(show.grid_html, height=HEIGHT)


def bounding_box() -> str:
    """An object and the box around it."""
    image, _, numbers = _tile()
    mask = numbers == _largest(numbers)
    corners = mask_to_box(mask)
    assert corners is not None  # the mask is that of a nucleus
    x0, y0, x1, y1 = corners
    box = torch.zeros_like(mask)
    box[y0:y1, x0:x1] = True
    fraction = mask.sum().item() / box.sum().item()
    return _drawn(
        [("micrograph", image), ("one nucleus", mask), ("its box", box)],
        f"A nucleus of {mask.sum()} pixels and its box, columns {x0} to {x1} and rows {y0} to {y1}: {1 - fraction:.0%} "
        "of the box is not the nucleus.",
    )


def three_segmentations() -> str:
    """A micrograph as semantic and as instance mask."""
    image, mask, numbers = _tile()
    return _drawn(
        [("micrograph", image), ("semantic", mask > 0), ("instance", numbers)],
        f"A micrograph; its semantic mask, {(mask > 0).sum()} nucleus pixels of one colour; its instance mask, the "
        f"same pixels in {len(numbers[numbers > 0].unique())} nuclei of different colours.",
    )


def one_hot() -> str:
    """A mask of class indices, and one channel for each class."""
    mask = torch.tensor([[0, 0, 1], [0, 2, 1], [2, 2, 1]])
    channels = one_hot_of(mask, 3)
    return _drawn(
        [("mask", mask.float()), *((f"class {k}", channels[k]) for k in range(3))],
        f"A mask of 3×3 class indices, {_rows(mask)}, and one channel a class: "
        + "; ".join(f"class {k} {_rows(channels[k].long())}" for k in range(3))
        + ".",
    )


def overlap() -> str:
    """Two masks, and what they have in common."""
    pred, target = torch.zeros(2, 6, 6, dtype=torch.bool)
    pred[1:4, 0:4], target[2:5, 1:5] = True, True
    tp, fp, fn, tn = confusion(pred, target)
    return _drawn(
        [("prediction", pred), ("truth", target), ("in both", pred & target), ("in either", pred | target)],
        f"Two masks of {pred.sum()} and {target.sum()} pixels: {tp} in both, {fp} false, {fn} missed, {tn} in neither; "
        f"IoU {iou(pred, target):.2f}, Dice {dice(pred, target):.2f}.",
    )


def boundary() -> str:
    """How far a predicted outline is from the true one."""
    from scipy.ndimage import binary_erosion, distance_transform_edt

    _, _, numbers = _tile()
    truth = numbers == _largest(numbers)
    pred = truth.roll(2, dims=1)
    edge, true_edge = (m & ~torch.from_numpy(binary_erosion(m.numpy())) for m in (pred, truth))
    away = torch.from_numpy(distance_transform_edt(~true_edge.numpy())).float()
    return _drawn(
        [("true outline", true_edge), ("predicted", edge), ("pixels off", edge * away)],
        f"A true outline, the outline of a mask two pixels further right, and how far each of its pixels is from the "
        f"true one: {away[edge].mean():.1f} pixels on the average, {away[edge].max():.1f} at most, at a Dice of "
        f"{dice(pred, truth):.2f}.",
    )


def convolution() -> str:
    """A micrograph, a kernel and the result."""
    image, _, _ = _tile()
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    result = conv2d(image[0], kernel)
    return _drawn(
        [("micrograph", image), ("kernel", kernel), ("result", result)],
        f"A micrograph of {_size(image)} pixels; a kernel, {_rows(kernel.long())}; the result, {_size(result)} values, "
        f"positive at left edges and negative at right ones, from {result.min():.2f} to {result.max():.2f}.",
    )


def padding() -> str:
    """A mean filter at the border, without and with padding."""
    ones, mean = torch.ones(1, 1, 5, 5), torch.full((1, 1, 3, 3), 1 / 9)
    valid, same = F.conv2d(ones, mean)[0, 0], F.conv2d(ones, mean, padding=1)[0, 0]
    return _drawn(
        [("5×5 ones", ones[0, 0]), ("mean, valid", valid.round(decimals=2)), ("mean, padded", same)],
        f"A mean of 3×3 over {_size(ones)} ones: without padding {_size(valid)} values, all {valid.mean():.2f}; with "
        f"zeros around {_size(same)} values, {same[0, 0]:.2f} in the corners.",
    )


def receptive_field() -> str:
    """How much of the image one value depends on."""
    layers = {"one 3×3": [(3, 1)], "two 3×3": [(3, 1)] * 2, "two, pool, two": [(3, 1), (3, 1), (2, 2), (3, 1), (3, 1)]}
    panels, said = [], []
    for name, stack in layers.items():
        side, seen = field_of(stack), torch.zeros(24, 24, dtype=torch.bool)
        top = (24 - side) // 2
        seen[top : top + side, top : top + side] = True
        panels.append((name, seen))
        said.append(f"{name}: {side}×{side} pixels")
    return _drawn(panels, f"What one value sees, in 24×24 pixels: {'; '.join(said)}.")


def pooling() -> str:
    """Max pooling in numbers."""
    x = torch.tensor([[1.0, 3, 0, 2], [4, 2, 1, 1], [0, 1, 5, 6], [2, 2, 7, 1]])
    y = max_pool2x2(x[None, None])[0, 0]
    return _drawn([("4×4", x), ("largest of 2×2", y)], f"{_rows(x.long())} becomes {_rows(y.long())}.")


def upsampling() -> str:
    """Three ways to double the sides."""
    image, _, _ = _tile()
    small = liveliest(image[0], 16)
    large = {
        "nearest": upsample_nearest(small[None, None])[0, 0],
        "bilinear": F.interpolate(small[None, None], scale_factor=2, mode="bilinear")[0, 0],
        "transposed, 3×3": transposed_conv2d(small, torch.full((3, 3), 4 / 9)),
    }
    return _drawn(
        [("16×16", small), *large.items()],
        f"A patch of {_size(small)} pixels made larger: {', '.join(f'{n} {_size(y)}' for n, y in large.items())}. The "
        "last shows a checkerboard.",
    )


def weight_map() -> str:
    """The weights that the gaps between nuclei get."""
    _, _, numbers = _tile()
    weights = weights_of(numbers)
    return _drawn(
        [("nuclei", numbers), ("weight", weights)],
        f"{len(numbers[numbers > 0].unique())} nuclei, and the weight of each pixel: 0 on nuclei, up to "
        f"{weights.max():.1f} in the gaps between them.",
    )


def elastic() -> str:
    """An image and its mask, deformed together."""
    image, mask, _ = _tile()
    bent, labels = elastic_pair(image, mask, 3.0, 8.0, torch.Generator().manual_seed(0))
    return _drawn(
        [("image", image), ("mask", mask > 0), ("bent image", bent), ("bent mask", labels > 0)],
        f"An image and its mask with {(mask > 0).sum()} nucleus pixels, and both bent in the same way: "
        f"{(labels > 0).sum()} nucleus pixels.",
    )


def tile() -> str:
    """Overlapping tiles, and how many lie on each pixel."""
    image, _, _ = _tile()
    side, overlap = 40, 16
    count = torch.zeros_like(image[0])
    for top in (0, side - overlap):
        for left in (0, side - overlap):
            count[top : top + side, left : left + side] += 1
    return _drawn(
        [("image", image), ("tiles per pixel", count / count.max())],
        f"An image of {_size(image)} pixels, and how many of four overlapping tiles of {side}×{side} lie on each: "
        f"1 in the corners, 2 along the seams, {count.max():.0f} in the middle.",
    )


def threshold() -> str:
    """An image cut at three brightnesses."""
    image, _, _ = _tile()
    cuts = (0.12, 0.18, 0.3)
    masks = [(f"above {cut}", image[0] > cut) for cut in cuts]
    return _drawn(
        [("brightness", image), *masks],
        "An image cut at three values: " + ", ".join(f"{n} {m.sum()} pixels" for n, m in masks) + ".",
    )


def watershed() -> str:
    """Two touching discs, and the two objects they become."""
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(56.0), indexing="ij")
    discs = [(rows - 20) ** 2 + (columns - c) ** 2 < 13**2 for c in (18, 37)]
    joined = discs[0] | discs[1]
    apart = split_instances(joined.float())
    return _drawn(
        [("touching", joined), ("apart", apart)],
        f"Two discs that touch, {joined.sum()} pixels in one piece, and after the watershed {apart.max()} objects of "
        + " and ".join(str(int((apart == k).sum())) for k in range(1, int(apart.max()) + 1))
        + " pixels.",
    )


def _tile() -> tuple[Tensor, Tensor, Tensor]:
    """A real tile of 64×64 pixels: image `(1, H, W)`, mask `(H, W)` and instances `(H, W)`."""
    nuclei = Nuclei("train", tile=64)
    image, mask, numbers = (part.as_subclass(torch.Tensor) for part in (*nuclei[TILE], nuclei.instances[TILE]))
    return image, mask, numbers


def _largest(numbers: Tensor) -> int:
    return int(torch.bincount(numbers[numbers > 0].flatten()).argmax())


def _size(image: Tensor) -> str:
    return f"{image.shape[-2]}×{image.shape[-1]}"


def _rows(numbers: Tensor) -> str:
    return " / ".join(" ".join(str(v) for v in row) for row in numbers.tolist())
