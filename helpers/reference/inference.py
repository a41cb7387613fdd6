"""Lessons 11 and 12: images of any size, touching objects, and whether to trust a prediction."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from skimage.feature import peak_local_max
from skimage.segmentation import watershed
from torch import Tensor, nn

from helpers.network_gate import takes_an_image


@torch.no_grad()
def predict_tiled(model: nn.Module, image: Tensor, tile: int, overlap: int) -> Tensor:
    """Logits of an image of any size, from a model that sees `tile` × `tile` pixels at a time.

    The overlap-tile strategy (Ronneberger et al. 2015): neighbouring tiles share `overlap` pixels, and beyond the image
    lies its mirror image. Near the edge of a tile a model guesses what comes next, so a pixel's weight is 0 within
    `overlap / 4` of the edge and rises linearly to 1 at `3/4 · overlap`: one tile fades into the next.

    Args:
        model: maps `(N, C, tile, tile)` to logits `(N, K, tile, tile)`; run in evaluation mode without gradients, and
            left in its mode.
        image: float `(C, H, W)`, any size, even smaller than a tile.
        tile: side of a tile in pixels.
        overlap: pixels that neighbouring tiles share, from 0 to `tile - 1`.

    Returns:
        Float `(K, H, W)`. If the model sees at most `overlap // 4` pixels far, it is the prediction from the whole
        image, except at the image's border, where the model sees a mirror image instead of its padding.

    Raises:
        ValueError: the overlap does not fit the tile.
    """
    if not 0 <= overlap < tile:
        raise ValueError(
            f"overlap={overlap} does not fit tile={tile}: tiles have to move on by at least one pixel. "
            f"Take an overlap from 0 to {tile - 1}; a quarter of the tile, {tile // 4}, is usual."
        )
    height, width = image.shape[-2:]
    tops, lefts = (range(-(overlap // 2), side - overlap // 2, tile - overlap) for side in (height, width))
    rows = _mirrored(tops[0], tops[-1] + tile, height)
    columns = _mirrored(lefts[0], lefts[-1] + tile, width)
    padded = image[:, rows[:, None], columns]  # (C, rows, columns): whole tiles now
    weight = _tile_weight(tile, overlap)  # (tile, tile)
    weight = weight.to(image.device)

    was_training = model.training
    model.eval()
    total, weights = None, padded.new_zeros(padded.shape[-2:])
    for top in range(0, len(rows) - overlap, tile - overlap):
        for left in range(0, len(columns) - overlap, tile - overlap):
            here = (..., slice(top, top + tile), slice(left, left + tile))
            logits = model(padded[here][None])[0]  # (K, tile, tile)
            if total is None:  # now the number of classes is known
                total = logits.new_zeros(len(logits), *padded.shape[-2:])
            total[here] += weight * logits
            weights[here] += weight
    model.train(was_training)
    top, left = -tops[0], -lefts[0]
    return (total / weights)[:, top : top + height, left : left + width]


@torch.no_grad()
def predict_dihedral(model: nn.Module, image: Tensor) -> Tensor:
    """Mean of the logits, float `(K, H, W)`, over the eight ways in which a square can be turned and flipped.

    A cell has no upper side, a network's weights do: it answers a little differently to each view. The mean of the
    eight, each turned back, is steadier than any of them.

    Args:
        model: maps `(N, C, H, W)` to logits `(N, K, H, W)`, with the sides swapped too; run in evaluation mode without
            gradients, and left in its mode.
        image: float `(C, H, W)`, not necessarily square.
    """
    was_training = model.training
    model.eval()
    predictions = []
    for flipped in (False, True):
        for turns in range(4):
            view = image.flip(-1) if flipped else image
            logits = model(view.rot90(turns, (-2, -1))[None])[0]
            logits = logits.rot90(-turns, (-2, -1))  # undone in reverse: what came last goes first
            predictions.append(logits.flip(-1) if flipped else logits)
    model.train(was_training)
    return torch.stack(predictions).mean(dim=0)


def split_instances(probability: Tensor, threshold: float = 0.5, min_distance: int = 5) -> Tensor:
    """Number the objects of a probability map, touching ones apart, by watershed (Beucher and Lantuéjoul 1979).

    The distance to the background is a landscape with a hill for every object and a saddle where two touch. Upside down
    the hills are basins; water that rises from each summit meets at the saddles.

    Args:
        probability: float `(H, W)`, from 0 to 1.
        threshold: pixels above it belong to an object.
        min_distance: summits closer than this, in pixels, belong to one object.

    Returns:
        int64 `(H, W)`: 0 for background, then 1 to n, each object in one piece.
    """
    foreground = (probability > threshold).numpy()
    distance = ndimage.distance_transform_edt(foreground)
    # A summit for every piece, however close to another piece or to the image's border.
    pieces, _ = ndimage.label(foreground)
    summits = peak_local_max(distance, min_distance=min_distance, labels=pieces, exclude_border=False)
    markers = np.zeros(foreground.shape, dtype=int)
    markers[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    return torch.from_numpy(watershed(-distance, markers, mask=foreground)).long()


def match_instances(pred: Tensor, target: Tensor, threshold: float = 0.5) -> dict[str, float]:
    """How many objects were found, by one-to-one matching (as in the 2018 Data Science Bowl, Caicedo et al. 2019).

    A predicted and a true object can be a pair if their IoU is at least `threshold`; no object is in two pairs. From
    0.5 on the pairs are unique, but for ties: two objects would each have to cover exactly half of a third. Below, as
    many pairs as possible are made.

    Args:
        pred: int64 `(H, W)`, 0 for background and a number for each object, in any order and with gaps.
        target: int64 `(H, W)`, likewise; the numbers need not correspond.
        threshold: least IoU of a pair, above 0 and up to 1.

    Returns:
        `precision`: pairs over predicted objects, `recall`: pairs over true objects, `f1`: twice the pairs over the sum
        of both. All three are 1.0 if neither has an object, and 0.0 if only one has.
    """
    overlap, pred_areas, target_areas = _overlaps(pred, target)
    if overlap.numel() == 0:
        return dict.fromkeys(("precision", "recall", "f1"), float(overlap.shape == (0, 0)))
    iou = overlap / (pred_areas[:, None] + target_areas - overlap)  # (objects in pred, objects in target)
    possible = iou >= threshold
    rows, columns = linear_sum_assignment(possible, maximize=True)
    pairs = possible[rows, columns].sum().item()
    n_pred, n_target = iou.shape
    return {"precision": pairs / n_pred, "recall": pairs / n_target, "f1": 2 * pairs / (n_pred + n_target)}


def calibration_error(probability: Tensor, target: Tensor, bins: int = 10) -> float:
    """Expected calibration error of probabilities (Naeini et al. 2015): do 80 of 100 pixels at 0.8 hold an object?

    Pixels go into bins of equal width by their probability. In each bin the mean probability was promised and the
    fraction of object pixels came true; the error is the mean of their distances, weighted by the pixels of the bins.
    (Guo et al. 2017 use the confidence in the predicted class.)

    Args:
        probability: float, any shape, from 0 to 1: the probability of "object".
        target: bool, same shape, true where the object is.
        bins: number of bins over [0, 1]; 1.0 belongs to the last. Empty bins do not count.

    Returns:
        A number from 0.0 (as promised) to 1.0.
    """
    probability, hit = probability.flatten().double(), target.flatten().double()
    bin_of = (probability * bins).long().clamp(max=bins - 1)
    # |sum of probabilities - sum of hits| is |mean - mean| times the pixels of the bin: the weight is in it already.
    gap = torch.zeros(bins, dtype=torch.float64, device=probability.device).index_add(0, bin_of, probability - hit)
    return gap.abs().sum().item() / len(probability)


def _mirrored(start: int, stop: int, size: int) -> Tensor:
    """Indices into `size` pixels for places `start` to `stop - 1`, mirrored at the first and the last pixel."""
    period = max(2 * (size - 1), 1)  # there and back again
    places = torch.arange(start, stop) % period
    return torch.minimum(places, period - places)


def _tile_weight(tile: int, overlap: int) -> Tensor:
    """`(tile, tile)`: 0 near the edges, 1 inside, a ramp between; the ramps of two neighbours add up to 1."""
    place = torch.arange(tile) + 0.5
    from_edge = torch.minimum(place, tile - place)  # 0.5 for the outermost pixel
    ramp = ((from_edge - overlap / 4) / (overlap / 2)).clamp(0, 1)  # x / 0 is inf: all ones without an overlap
    return ramp[:, None] * ramp


def _overlaps(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels that each predicted object shares with each true one, `(P, T)`, and the areas, `(P,)` and `(T,)`; float64.

    The pairs of numbers at all pixels are counted at once, so hundreds of objects cost no more than one.
    """
    zero = pred.new_zeros(1)  # so that background comes first, even where there is none
    _, p = torch.cat([zero, pred.flatten()]).unique(return_inverse=True)
    _, t = torch.cat([zero, target.flatten()]).unique(return_inverse=True)
    n_pred, n_target = int(p.max()) + 1, int(t.max()) + 1
    together = torch.bincount(p[1:] * n_target + t[1:], minlength=n_pred * n_target).view(n_pred, n_target).double()
    return together[1:, 1:], together.sum(dim=1)[1:], together.sum(dim=0)[1:]


# Whoever brings something else is told so here; the answers of the lesson stay as short as they are.
predict_tiled = takes_an_image(predict_tiled)
predict_dihedral = takes_an_image(predict_dihedral)
