"""Lesson 11: `calibration_error(probability, target, bins=10)`."""

import numpy as np
import torch

from helpers.checks.probes import Call
from helpers.exercises import exercise, misconception, variant
from helpers.reference.inference import calibration_error


@exercise(
    calibration_error,
    lesson="11_in_the_wild",
    concept="Calibration",
    points=4,
    minutes=6,
    difficulty=3,
    hints=[
        "Sort the pixels into bins by their probability: `[0, 1/bins)`, `[1/bins, 2/bins)` and so on. Which bin gets "
        "a pixel at 1.0?",
        "In each bin compare two means: that of the probabilities, and that of `target`. The distance between them is "
        "what the bin contributes, times something.",
        "A bin with a thousand pixels must count a thousand times as much as a bin with one; a bin with none not at "
        "all. Its fraction of all pixels does both.",
    ],
    task=(
        'Expected calibration error of `probability` `(H, W)`, the probability of "object" from 0 to 1, against the '
        "bool `target` `(H, W)`: over bins of equal width, the mean distance between mean probability and fraction of "
        "object pixels, each bin weighed by its fraction of the pixels. 1.0 belongs to the last bin."
    ),
)
def probes(draw):
    """Probabilities and masks (H, W). No probability lies on the border between two bins: there both are right."""
    # Four pixels in three bins. Distances 0.15 (two pixels), 0.23, 0.88: 0.3525, and 0.42 unweighted.
    yield torch.tensor([[0.62, 0.68], [0.23, 0.88]]), torch.tensor([[True, False], [False, False]])
    yield torch.tensor([[0.0, 1.0, 1.0, 0.55]]), torch.tensor([[True, True, False, True]])
    yield torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.97, 0.03]]), torch.tensor([[1, 0], [0, 1], [1, 1]]).bool()
    yield torch.tensor([[0.25, 0.35, 0.15]]), torch.tensor([[False, True, False]]), 2
    # at both ends of each bin, with an object in every other bin: whoever moves a border mixes the two
    ends = torch.arange(10)[:, None] / 10 + torch.tensor([draw.uniform(0.003, 0.006), draw.uniform(0.094, 0.097)])
    yield ends, torch.arange(10)[:, None].expand(10, 2) % 2 == 1
    yield Call((torch.tensor([[0.2], [0.9], [0.75]]), torch.tensor([[True], [True], [False]])), {"bins": 1})
    for bins in (10, 15, draw.size(3, 8)):
        h, w = draw.size(4, 20), draw.size(21, 40)
        probability = torch.sigmoid(2 * draw.normal(h, w) + draw.uniform(-1, 0))
        chance = probability ** draw.uniform(1.5, 2.5)  # too sure of itself
        target = torch.sigmoid(3 * draw.normal(h, w)) < chance
        yield (probability, target) if bins == 10 else (probability, target, bins)


def _bins(probability, target, bins):
    """Fraction of the pixels, mean probability and fraction of object pixels of each bin that has any."""
    p, t = probability.flatten().double(), target.flatten().double()
    bin_of = (p * bins).long().clamp(max=bins - 1)
    inside = [bin_of == b for b in range(bins) if (bin_of == b).any()]
    return [(len(p[i]) / len(p), float(p[i].mean()), float(t[i].mean())) for i in inside]


@misconception(
    "bins not weighed",
    "You took the plain mean over the bins that have pixels. A bin with three pixels then counts as much as one with "
    "three thousand, and is mostly noise. Look at what each bin's distance is multiplied by.",
)
def unweighted(probability, target, bins=10):
    gaps = [abs(p - t) for _, p, t in _bins(probability, target, bins)]
    return sum(gaps) / len(gaps)


@misconception(
    "divided by the number of bins",
    "You added the distances up and divided by `bins`, so bins without a pixel count as perfect, and those with few as "
    "much as those with many. Look at what each bin's distance is multiplied by.",
)
def over_all_bins(probability, target, bins=10):
    return sum(abs(p - t) for _, p, t in _bins(probability, target, bins)) / bins


@misconception(
    "the worst bin",
    "You returned the largest distance of any bin. That is the *maximum* calibration error; it follows the emptiest "
    "bin. Look at how the bins are put together.",
)
def worst(probability, target, bins=10):
    return max(abs(p - t) for _, p, t in _bins(probability, target, bins))


@misconception(
    "signed distances",
    "Your distances keep their sign, so a bin that promises too much makes up for one that promises too little, and a "
    "model that is wrong everywhere can score 0. Look for a missing `abs`.",
)
def signed(probability, target, bins=10):
    return sum(fraction * (p - t) for fraction, p, t in _bins(probability, target, bins))


@misconception(
    "absolute value of the whole sum",
    "You took the absolute value once, at the end. Up to there a bin that promises too much has made up for one that "
    "promises too little. Look at where `abs` stands: inside the sum or around it.",
)
def abs_at_the_end(probability, target, bins=10):
    return abs(float(probability.double().mean() - target.double().mean()))


@misconception(
    "squared distances",
    "You squared the distances. That is a measure of calibration too, and makes small errors vanish: 0.1 becomes "
    "0.01. Look for a power of two where the absolute value belongs.",
)
def squared(probability, target, bins=10):
    return sum(fraction * (p - t) ** 2 for fraction, p, t in _bins(probability, target, bins))


@misconception(
    "root of the squared distances",
    "You took the root of the mean square over the bins. It weighs large errors more than the mean distance does. "
    "Look for a power of two where the absolute value belongs.",
)
def root_mean_square(probability, target, bins=10):
    return squared(probability, target, bins) ** 0.5


@misconception(
    "bins with equally many pixels",
    "Your bins hold equally many pixels each, like quantiles. Here they are equally *wide*: the borders are at "
    "multiples of `1 / bins`, wherever the pixels are. Look at what your borders are made from.",
)
def by_rank(probability, target, bins=10):
    p, t = probability.flatten().double(), target.flatten().double()
    parts = p.argsort().tensor_split(bins)
    return sum(len(i) / len(p) * abs(float(p[i].mean() - t[i].mean())) for i in parts if len(i))


@misconception(
    "pixels at 1.0 dropped",
    "Pixels with a probability of exactly 1.0 fall out of your last bin. A network that is sure of itself has many of "
    "them, and they are the ones you want to know about. Look at the upper end of the last bin.",
)
def ones_dropped(probability, target, bins=10):
    keep = probability < 1
    kept = _bins(probability[keep], target[keep], bins) if keep.any() else []
    return sum(fraction * abs(p - t) for fraction, p, t in kept) * float(keep.double().mean())


@misconception(
    "a bin of their own for pixels at 1.0",
    "Pixels at exactly 1.0 get the bin number `bins`, one more than there are: you either make a bin of their own for "
    "them or run past the end. Look at the number that `probability * bins` gives for 1.0.",
)
def ones_alone(probability, target, bins=10):
    p, t = probability.flatten().double(), target.flatten().double()
    bin_of = (p * bins).long()
    gap = torch.zeros(bins + 1).double().index_add(0, bin_of, p - t)
    return float(gap.abs().sum() / len(p))


@misconception(
    "pixels at 0.0 dropped",
    "Pixels with a probability of exactly 0.0 are in none of your bins: with `>` at the lower end, nothing includes 0. "
    "Look at the lower end of the first bin.",
)
def zeros_dropped(probability, target, bins=10):
    keep = probability > 0
    kept = _bins(probability[keep], target[keep], bins) if keep.any() else []
    return sum(fraction * abs(p - t) for fraction, p, t in kept) * float(keep.double().mean())


@misconception(
    "empty bins give NaN",
    "A bin without a pixel has no mean: you divide 0 by 0, and NaN in one bin is NaN in the sum. "
    "Look at what you do with a bin that nothing fell into.",
)
def empty_is_nan(probability, target, bins=10):
    p, t = probability.flatten().double(), target.flatten().double()
    bin_of = (p * bins).long().clamp(max=bins - 1)
    inside = [bin_of == b for b in range(bins)]
    return float(sum(i.double().mean() * (p[i].mean() - t[i].mean()).abs() for i in inside))


@misconception(
    "the bin's centre for its mean",
    "You compared the fraction of object pixels with the *centre* of each bin. The pixels in it need not lie around "
    "the centre: most of those in the last bin are close to 1. Look at what stands for the promised probability.",
)
def centres(probability, target, bins=10):
    p, t = probability.flatten().double(), target.flatten().double()
    bin_of = (p * bins).long().clamp(max=bins - 1)
    inside = [(b, bin_of == b) for b in range(bins) if (bin_of == b).any()]
    return sum(float(i.double().mean()) * abs((b + 0.5) / bins - float(t[i].mean())) for b, i in inside)


@misconception(
    "the number of bins ignored",
    "`bins` changes nothing in your answer: there are always ten. Look for a 10 or a 0.1 in your code.",
)
def always_ten(probability, target, bins=10):
    return calibration_error(probability, target)


@misconception(
    "one bin too few",
    "Your borders are `linspace(0, 1, bins)`. That makes `bins` *borders* and one bin less, each a little wider. "
    "Count how many borders three bins have.",
)
def one_bin_too_few(probability, target, bins=10):
    return calibration_error(probability, target, max(bins - 1, 1)) if bins > 1 else 0.0


@misconception(
    "confidence in the predicted class",
    "You binned by the confidence in the predicted class, `max(p, 1 - p)`, and compared with how often that class is "
    "right. That is the version for many classes: it puts 0.1 and 0.9 into one bin, where their errors can cancel. "
    'Here the probability of "object" itself is binned.',
)
def confidence(probability, target, bins=10):
    says_object = probability >= 0.5
    return calibration_error(torch.maximum(probability, 1 - probability), says_object == target, bins)


@misconception(
    "accuracy instead of the fraction of object pixels",
    "In each bin you compared the probability with how often a threshold of 0.5 is *right*. In the lower half these "
    "move apart: a bin at 0.1 without any object is perfectly calibrated, and its accuracy is 1. Look at what you "
    "average beside the probability.",
)
def accuracy(probability, target, bins=10):
    p = probability.flatten().double()
    right = ((probability >= 0.5) == target).flatten().double()
    bin_of = (p * bins).long().clamp(max=bins - 1)
    return float(torch.zeros(bins).double().index_add(0, bin_of, p - right).abs().sum() / len(p))


@misconception(
    "distance pixel by pixel",
    "You averaged `|probability - target|` over the pixels. Even a perfectly calibrated 0.7 is then off by 0.42 on "
    "average, since each pixel is either object or not. Calibration compares *means* over a bin: look at where `abs` "
    "stands.",
)
def by_pixel(probability, target, bins=10):
    return float((probability.double() - target.double()).abs().mean())


@misconception(
    "Brier score",
    "You averaged the squared distance of probability and truth over the pixels. That is the Brier score: it mixes "
    "calibration with how well the pixels are told apart. Look for the bins.",
)
def brier(probability, target, bins=10):
    return float((probability.double() - target.double()).pow(2).mean())


@misconception(
    "in percent",
    "Your result is a hundred times too large: percent. The task asks for a number from 0 to 1. "
    "Look at the factor in your last line.",
)
def percent(probability, target, bins=10):
    return 100 * calibration_error(probability, target, bins)


@misconception(
    "row by row",
    "You computed the error of each row and averaged. A row has too few pixels to fill the bins, and every bin with "
    "one pixel looks badly calibrated. Look for a loop over rows or a missing `flatten`.",
)
def by_rows(probability, target, bins=10):
    rows = [calibration_error(p[None], t[None], bins) for p, t in zip(probability, target, strict=True)]
    return sum(rows) / len(rows)


@variant("a loop over the bins with masks")
def loop(probability, target, bins=10):
    error = 0.0
    for b in range(bins):
        low, high = b / bins, (b + 1) / bins
        inside = (probability >= low) & ((probability < high) | (b == bins - 1))
        n = inside.sum()
        if n > 0:
            gap = probability[inside].mean() - target[inside].float().mean()
            error += n / probability.numel() * gap.abs()
    return error


@variant("with numpy: digitize and bincount")
def with_numpy(probability, target, bins=10):
    p, t = np.asarray(probability, dtype=float).ravel(), np.asarray(target, dtype=float).ravel()
    index = np.clip(np.digitize(p, np.linspace(0, 1, bins + 1)) - 1, 0, bins - 1)
    n = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(np.bincount(index, p, bins) / n - np.bincount(index, t, bins) / n)
    return np.nansum(gaps * n) / n.sum()


@variant("borders closed above, zero in the first bin")
def closed_above(probability, target, bins=10):
    p, t = probability.reshape(-1), target.reshape(-1).to(probability.dtype)
    borders = torch.linspace(0, 1, bins + 1)[1:-1]
    index = torch.bucketize(p, borders)
    one_hot = (index[:, None] == torch.arange(bins)).to(p.dtype)
    return ((p - t) @ one_hot).abs().sum() / len(p)


@variant("with histograms")
def histograms(probability, target, bins=10):
    p = probability.double().flatten().numpy()
    promised, _ = np.histogram(p, bins=bins, range=(0, 1), weights=p)
    came, _ = np.histogram(p, bins=bins, range=(0, 1), weights=target.double().flatten().numpy())
    return float(np.abs(promised - came).sum() / p.size)
