"""Lesson 11: `calibration_error(probability, target, bins=10)`."""

import numpy as np
import torch

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, variant
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
    """Probabilities and masks (H, W).

    No probability lies on a border between the bins, nor between ten of them: there both are right.
    """
    # Four pixels in three bins. Distances 0.15 (two pixels), 0.23, 0.88: 0.3525, and 0.42 unweighted.
    yield torch.tensor([[0.62, 0.68], [0.23, 0.88]]), torch.tensor([[True, False], [False, False]])
    yield torch.tensor([[0.0, 1.0, 1.0, 0.55]]), torch.tensor([[True, True, False, True]])
    yield torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.97, 0.03]]), torch.tensor([[1, 0], [0, 1], [1, 1]]).bool()
    yield torch.tensor([[0.25, 0.35, 0.15]]), torch.tensor([[False, True, False]]), 2
    # at both ends of each bin, with an object in every other bin: whoever moves a border mixes the two
    ends = torch.arange(10)[:, None] / 10 + torch.tensor([draw.uniform(0.003, 0.006), draw.uniform(0.094, 0.097)])
    yield ends, torch.arange(10)[:, None].expand(10, 2) % 2 == 1
    yield torch.tensor([[0.34]]), torch.tensor([[True]])  # one pixel, where most means and sums are the same
    yield Call((torch.tensor([[0.22], [0.93], [0.75]]), torch.tensor([[True], [True], [False]])), {"bins": 1})
    yield torch.tensor([[0.12, 0.47, 0.83]]), torch.tensor([[False, False, False]])
    for bins in (10, 15, draw.size(3, 8)):
        h, w = draw.size(4, 20), draw.size(21, 40)
        probability = torch.sigmoid(2 * draw.normal(h, w) + draw.uniform(-1, 0))
        chance = probability ** draw.uniform(1.5, 2.5)  # too sure of itself
        target = torch.sigmoid(3 * draw.normal(h, w)) < chance
        yield (probability, target) if bins == 10 else (probability, target, bins)


edit = edits_of(calibration_error)


# In the reference `gap` is, for each bin, the distance of the means times the number of pixels.
DISTANCES = "pixels = bin_of.bincount(minlength=bins)\n    gap = (gap / pixels)[pixels > 0]"
SQUARES = "(gap**2 / bin_of.bincount(minlength=bins).clamp(min=1))"
WEIGHED = "sum().item() / len(probability)"
EQUAL_SHARES = "bin_of = torch.cat([0 * x + k for k, x in enumerate(bin_of.tensor_split(bins))])[bin_of.argsort()]"


def start(line):
    """The change that puts a line before the first one."""
    return "    probability, hit =", f"    {line}\n    probability, hit ="


def first(line):
    """The change that puts a line before the last one."""
    return "    return", f"    {line}\n    return"


edit(
    "bins not weighed",
    "You took the plain mean over the bins that have pixels. A bin with three pixels then counts as much as one with "
    "three thousand, and is mostly noise. Look at what each bin's distance is multiplied by.",
    first(DISTANCES),
    (WEIGHED, "mean().item()"),
)

edit(
    "divided by the number of bins",
    "You added the distances up and divided by `bins`, so bins without a pixel count as perfect, and those with few as "
    "much as those with many. Look at what each bin's distance is multiplied by.",
    first(DISTANCES),
    (WEIGHED, "sum().item() / bins"),
)

edit(
    "the distances added up",
    "You added up the distances of the bins without a weight, so the result may exceed 1, and a bin with three pixels "
    "counts as much as one with three thousand. Look at what each bin's distance is multiplied by.",
    first(DISTANCES),
    (WEIGHED, "sum().item()"),
)

edit(
    "weighed by the number of pixels",
    "You multiplied each distance by the number of pixels of its bin, and not by their fraction of all pixels. The "
    "result then grows with the image. Look at what you divide by.",
    (" / len(probability)", ""),
)

edit(
    "one number for each bin",
    "You return a number for each bin. The task asks for one, the mean over all bins by their pixels. Look at your "
    "last step.",
    ("sum().item() / len(probability)", "div(len(probability))"),
)

edit(
    "the worst bin",
    "You returned the largest distance of any bin. That is the *maximum* calibration error; it follows the emptiest "
    "bin. Look at how the bins are put together.",
    first(DISTANCES),
    (WEIGHED, "max().item()"),
)

edit(
    "signed distances",
    "Your distances keep their sign, so a bin that promises too much makes up for one that promises too little, and a "
    "model that is wrong everywhere can score 0. Look for a missing `abs`.",
    ("gap.abs()", "gap"),
)

edit(
    "absolute value of the whole sum",
    "You took one absolute value, of all pixels together. What one bin promises too much has made up by then for what "
    "another promises too little. Look at whether you have bins, and where `abs` stands: inside the sum or around it.",
    ("abs().sum()", "sum().abs()"),
)

edit(
    "squared distances",
    "You squared the distances. That is a measure of calibration too, and makes small errors vanish: 0.1 becomes "
    "0.01. Look for a power of two where the absolute value belongs.",
    ("gap.abs()", SQUARES),
)

edit(
    "root of the squared distances",
    "You took the root of the mean square over the bins. It weighs large errors more than the mean distance does. "
    "Look for a power of two where the absolute value belongs.",
    ("gap.abs()", SQUARES),
    ("sum().item() / len(probability)", "sum().div(len(probability)).sqrt().item()"),
)

edit(
    "bins with equally many pixels",
    "Your bins hold equally many pixels each, like quantiles. Here they are equally *wide*: the borders are at "
    "multiples of `1 / bins`, wherever the pixels are. Look at what your borders are made from.",
    ("(probability * bins).long().clamp(max=bins - 1)", "probability.argsort()"),
    ("    gap =", f"    {EQUAL_SHARES}\n    gap ="),
)

edit(
    "bins between the smallest and the largest probability",
    "Your bins lie between the smallest and the largest probability of the image, as `histogram` does where it is "
    "given no range. They have to cover 0 to 1, whatever the image holds. Look at what your borders are made from.",
    ("probability * bins", "(probability - least) / (probability.max() - least).clamp(min=1e-9) * bins"),
    ("    bin_of", "    least = probability.min()\n    bin_of"),
)

edit(
    "rounded to the nearest border",
    "You rounded to the nearest whole number. With ten bins a pixel at 0.06 is then no longer in the first, which is "
    "half as wide as the others, and one at 0.86 is in the last already. Look at what makes a whole number of "
    "`probability * bins`.",
    ("* bins).long()", "* bins).round().long()"),
)

edit(
    "multiplied by bins less 1",
    "You multiplied the probabilities by `bins - 1` to get the number of a bin. The last bin then holds pixels at 1.0 "
    "alone, and all others are too wide. Look at the factor.",
    ("probability * bins", "probability * (bins - 1)"),
)

edit(
    "pixels at 1.0 dropped",
    "Pixels with a probability of exactly 1.0 fall out of your last bin. A network that is sure of itself has many of "
    "them, and they are the ones you want to know about. Look at the upper end of the last bin.",
    ("probability - hit", "(probability - hit) * (probability < 1)"),
)

edit(
    "a bin of their own for pixels at 1.0",
    "Pixels at exactly 1.0 get the bin number `bins`, one more than there are: you either make a bin of their own for "
    "them or run past the end. Look at the number that `probability * bins` gives for 1.0.",
    (".clamp(max=bins - 1)", ""),
    ("zeros(bins,", "zeros(bins + 1,"),
)

edit(
    "a bin beyond the last for pixels at 1.0",
    "A pixel at exactly 1.0 gets the bin number `bins`, one beyond the last, and your function stops. Look at the "
    "number that `probability * bins` gives for 1.0.",
    (".clamp(max=bins - 1)", ""),
    ("    gap =", "    _ = [range(bins)[k] for k in bin_of]\n    gap ="),
)

edit(
    "pixels at 0.0 dropped",
    "Pixels with a probability of exactly 0.0 are in none of your bins: with `>` at the lower end, nothing includes 0. "
    "Look at the lower end of the first bin.",
    ("probability - hit", "(probability - hit) * (probability > 0)"),
)

edit(
    "pixels at 0.0 and at 1.0 dropped",
    "Pixels at exactly 0.0 and at exactly 1.0 are in none of your bins. Of the two borders of a bin one belongs to "
    "it, and of the first and the last bin that at the end, too. Look at your `<` and `>`.",
    ("probability - hit", "(probability - hit) * (probability > 0) * (probability < 1)"),
)

edit(
    "the first bin left out",
    "Your first bin does not count. A network that says 0 all over background is judged by all other pixels alone. "
    "Look at where your loop begins.",
    first("gap = gap[1:]"),
)

edit(
    "the last bin left out",
    "Your last bin does not count, the one for pixels of which the network is surest. Look at where your loop ends.",
    first("gap = gap[:-1]"),
)

edit(
    "empty bins give NaN",
    "A bin without a pixel has no mean: you divide 0 by 0, and NaN in one bin is NaN in the sum. "
    "Look at what you do with a bin that nothing fell into.",
    first("pixels = bin_of.bincount(minlength=bins)\n    gap = gap / pixels * pixels"),
)

edit(
    "bins without an object left out",
    "You left out the bins that hold no object pixel. A bin that promises 0.3 and holds none is off by 0.3. Look at "
    "which bins you skip: those without any *pixel*.",
    first("gap = gap * (torch.bincount(bin_of, hit, bins) > 0)"),
)

edit(
    "the bin's centre for its mean",
    "You compared the fraction of object pixels with the *centre* of each bin. The pixels in it need not lie around "
    "the centre: most of those in the last bin are close to 1. Look at what stands for the promised probability.",
    ("probability - hit", "(bin_of + 0.5) / bins - hit"),
)

edit(
    "the bin's lower border for its mean",
    "You compared the fraction of object pixels with the lower border of each bin. The pixels in it lie above: look "
    "at what stands for the promised probability.",
    ("probability - hit", "bin_of / bins - hit"),
)

edit(
    "the bin's upper border for its mean",
    "You compared the fraction of object pixels with the upper border of each bin. The pixels in it lie below: look "
    "at what stands for the promised probability.",
    ("probability - hit", "(bin_of + 1) / bins - hit"),
)

edit(
    "the number of bins ignored",
    "`bins` changes nothing in your answer: there are always ten. Look for a 10 or a 0.1 in your code.",
    start("bins = 10"),
)

edit(
    "another default for bins",
    "Without the argument you do not have ten bins. Look at the default in the first line of your function.",
    ("bins: int = 10", "bins: int = 15"),
)

edit(
    "one bin too few",
    "Your borders are `linspace(0, 1, bins)`. That makes `bins` *borders* and one bin less, each a little wider. "
    "Count how many borders three bins have.",
    start("bins = bins - 1"),
    ("    gap =", "    if not bins:\n        return 0.0\n    gap ="),
)

edit(
    "confidence in the predicted class",
    "You binned by the confidence in the predicted class, `max(p, 1 - p)`, and compared with how often that class is "
    "right. That is the version for many classes: it puts 0.1 and 0.9 into one bin, where their errors can cancel. "
    'Here the probability of "object" itself is binned.',
    start("target = (probability >= 0.5) == target"),
    start("probability = torch.maximum(probability, 1 - probability)"),
)

edit(
    "accuracy instead of the fraction of object pixels",
    "In each bin you compared the probability with how often a threshold of 0.5 is *right*. In the lower half these "
    "move apart: a bin at 0.1 without any object is perfectly calibrated, and its accuracy is 1. Look at what you "
    "average beside the probability.",
    start("target = (probability >= 0.5) == target"),
)

edit(
    "distance pixel by pixel",
    "You averaged `|probability - target|` over the pixels. Even a perfectly calibrated 0.7 is then off by 0.42 on "
    "average, since each pixel is either object or not. Calibration compares *means* over a bin: look at where `abs` "
    "stands.",
    ("gap.abs()", "(probability - hit).abs()"),
)

edit(
    "Brier score",
    "You averaged the squared distance of probability and truth over the pixels. That is the Brier score: it mixes "
    "calibration with how well the pixels are told apart. Look for the bins.",
    ("gap.abs()", "(probability - hit).square()"),
)

edit(
    "in percent",
    "Your result is a hundred times too large: percent. The task asks for a number from 0 to 1. "
    "Look at the factor in your last line.",
    ("return ", "return 100 * "),
)


ROWS = "calibration_error(p[None], t[None], bins) for p, t in zip(probability, target)"

edit(
    "row by row",
    "You computed the error of each row and averaged. A row has too few pixels to fill the bins, and every bin with "
    "one pixel looks badly calibrated. Look for a loop over rows or a missing `flatten`.",
    start(f"if len(probability) > 1:\n        return sum({ROWS}) / len(probability)"),
)


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
