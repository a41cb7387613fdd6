"""Lesson 01: `one_hot(mask, num_classes, ignore_index=255)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.pixels import one_hot


@exercise(
    one_hot,
    lesson="01_pixels",
    concept="Masks as class channels",
    points=3,
    minutes=6,
    difficulty=2,
    hints=[
        "Channel `k` answers one question about each pixel: is this one of class `k`?",
        "`mask == k` is such an answer, for the whole mask at once. `torch.stack` puts answers on top of each other.",
        "After that, the pixels with `mask == ignore_index` have to be 0 in all channels, also where `ignore_index` "
        "is itself the number of a class. `.float()` turns booleans into numbers.",
    ],
    task=(
        "From an int64 mask of shape `(H, W)` with class indices, make a float32 tensor of shape `(K, H, W)`, "
        "K = `num_classes`: 1 in the channel of the pixel's class, 0 in the others. A pixel equal to `ignore_index` "
        "is 0 in every channel."
    ),
    choices=(("if outside.numel():", "if False:"),),  # a number that is no class is not in the task
)
def probes(draw):
    """Masks of class indices, not square; some with ignored pixels, some with a class that does not occur."""
    yield Call((torch.tensor([[0, 1, 2], [2, 1, 1]]), 3), exact_dtype=True)
    yield Call((torch.tensor([[0, 2, 1], [1, 255, 3]]), 4), exact_dtype=True)
    yield Call((torch.tensor([[0, 1], [1, 0], [0, 0]]), 5), exact_dtype=True)  # classes 2 to 4 do not occur
    yield Call((torch.tensor([[-1, 1, 0, 2]]), 3), {"ignore_index": -1}, exact_dtype=True)
    yield Call((torch.tensor([[0, 3], [1, 2], [2, 0]]), 3, 3), exact_dtype=True)
    yield Call((torch.tensor([[0, 1, 2], [0, 2, 1]]), 3), {"ignore_index": 0}, exact_dtype=True)
    yield Call((torch.full((2, 3), 255), 2), exact_dtype=True)
    many = torch.tensor([[0, 255, 254], [256, 1, 255], [2, 253, 254]])  # what is ignored by default is a class as well
    yield Call((many, 257), exact_dtype=True)
    yield Call((torch.tensor([[0, 0, 0], [0, 0, 255]]), 1), exact_dtype=True)
    yield Call((torch.tensor([[0]]), 1), exact_dtype=True)  # one number: its axes are right in any order
    for _ in range(3):
        classes = draw.size(2, 9)
        mask = draw.labels(draw.size(2, 24), draw.size(2, 24), classes)
        mask[draw.mask(*mask.shape, fraction=0.2)] = 255
        yield Call((mask, classes), exact_dtype=True)


edit = edits_of(one_hot)

edit(
    "classes last",
    "Your classes are the last axis, `(H, W, K)`. `F.one_hot` puts them there, and PyTorch's layers look for channels "
    "in front. Look at the order of the axes of your result.",
    (".to(", ".permute(1, 2, 0).to("),
)

edit(
    "rows and columns exchanged",
    "Each channel lies on its side: `(K, W, H)`. Turning all axes round exchanges height and width, too, and the "
    "channels no longer fit the image. Look at the order in which you list the axes.",
    (".to(", ".mT.to("),
)

edit(
    "reshaped instead of permuted",
    "The shape is right and the pixels are shuffled: `view` and `reshape` count the numbers out in their old order. "
    "Look for a function that moves axes instead of relabelling them.",
    (".to(", ".permute(1, 2, 0).reshape(num_classes, *mask.shape).to("),
)

edit(
    "ignored pixels become background",
    "You count pixels without a label as class 0, so a network is punished for whatever else it says there. Nobody "
    "knows what they are. Look at what you put in the place of `ignore_index`.",
    ("(mask == classes) & known", "torch.where(known, mask, 0) == classes"),
)

edit(
    "ignored pixels become the last class",
    "Pixels without a label end up in the last class. They get a class that nobody gave "
    "them. Look at what you put in the place of `ignore_index`.",
    ("(mask == classes) & known", "torch.where(known, mask, num_classes - 1) == classes"),
)

edit(
    "ignored pixels belong to every class",
    "Pixels without a label are 1 in every channel, so whatever is predicted there counts as right. "
    "No class should claim them. Look at the value you write where `mask == ignore_index`.",
    ("& known)", "| ~known)"),
)

edit(
    "ignored pixels are NaN",
    "You filled the ignored pixels with NaN. The first sum over them, a loss for one, is NaN as well, and so is every "
    "gradient. Look at the value you write where `mask == ignore_index`.",
    (".to(torch.float32)", ".to(torch.float32).masked_fill(~known, torch.nan)"),
)


@misconception(
    "ignored pixels raise an error",
    "A mask with ignored pixels raises an error: their number is taken for a class, and there is no such channel. "
    "Most hand-made masks have such pixels. Look at what you do with them before you look for their channel.",
    any_error=True,
)
def ignored_raises(mask, num_classes, ignore_index=255):
    return F.one_hot(mask, num_classes).permute(2, 0, 1).float()


edit(
    "a channel more, for the ignored pixels",
    "You have one channel too many: the ignored pixels got one of their own. A network with K outputs has nothing to "
    "compare it with. Look at the length of the first axis before you return.",
    ("(num_classes,", "(num_classes + 1,"),
    ("(mask == classes) & known", "torch.where(known, mask, num_classes) == classes"),
)

edit(
    "ignore_index not used",
    "Your channels come from `mask == k` alone. That is right as long as `ignore_index` lies outside the classes; when "
    "it is a class, such as 0 for the background, its pixels must vanish as well. Look at where you use the argument.",
    ("(mask == classes) & known", "mask == classes"),
)


@misconception(
    "255 written into the code",
    "You leave out pixels that are 255, whatever `ignore_index` says. Other data sets use -1 or 0 for them. "
    "Look at where a 255 stands that should be the argument.",
)
def hardcoded(mask, num_classes, ignore_index=255):
    ignored = mask == 255
    return F.one_hot(mask.masked_fill(ignored, 0), num_classes).permute(2, 0, 1) * (~ignored).float()


edit(
    "the number of classes read off the mask",
    "You count the classes that occur in this mask, so an image without a cat has a channel less, and no two tensors "
    "fit into one batch. Look at where the length of your first axis comes from.",
    ("(num_classes,", "(max(mask[known].tolist(), default=0) + 1,"),
)

edit(
    "one channel for each value that occurs",
    "You made a channel for each *value* in the mask, so which class a channel stands for changes from image to image. "
    "Channel `k` must mean class `k`, also where it does not occur. Look for `unique`.",
    ("torch.arange(num_classes, device=mask.device)", "mask[known].unique()"),
)

edit(
    "no channel for the background",
    "The channel of class 0 is missing, and each of the others stands one place too early. Background is a class like "
    "any other here. Look at where your range begins.",
    ("(num_classes,", "(1, num_classes,"),
)

edit(
    "classes counted from 1",
    "Class `k` ends up in channel `k - 1`, and background in none. Classes are counted from 0 here, as everything in "
    "Python. Look at the number that each channel is compared with.",
    ("(num_classes,", "(1, num_classes + 1,"),
)

edit(
    "the class index instead of 1",
    "Your channels hold the number of the class where a 1 belongs, so class 0 vanishes and class 3 weighs three times "
    "as much as class 1. Look at what you write into a channel.",
    (".to(torch.float32)", ".to(torch.float32) * classes"),
)

edit(
    "whole numbers",
    "Your numbers are int64. They will be multiplied by probabilities and logits, and a loss refuses whole numbers. "
    "Look at the dtype of your result.",
    ("torch.float32", "torch.int64"),
)

edit(
    "booleans",
    "Your channels are true where a 1 belongs and false elsewhere. They will be multiplied by probabilities and "
    "logits, so they have to be numbers. Look at the dtype of your result.",
    ("torch.float32", "torch.bool"),
)

edit(
    "a batch axis in front",
    "Your result has four axes: you made a batch of one. A `DataLoader` puts masks together to batches itself. "
    "Look for an `unsqueeze` or a `[None]` too many.",
    (".to(", "[None].to("),
)

edit(
    "clamped into the range of the classes",
    "You clamp the mask into the range of the classes. Then a pixel without a label gets a class that nobody gave it: "
    "255 becomes the last one, -1 becomes class 0. Look at what happens to these pixels after the `clamp`.",
    ("mask != ignore_index", "mask < torch.inf\n    mask = mask.clamp(0, num_classes - 1)"),
)


@misconception(
    "clamped to the last class",
    "You clamp the mask to the number of the last class. Then a pixel that is 255 gets a class that nobody gave it, "
    "and one that is -1 still has none, and `F.one_hot` refuses it. Look at what happens to pixels equal to "
    "`ignore_index` after the `clamp`.",
)
def clamped_above(mask, num_classes, ignore_index=255):
    return F.one_hot(mask.clamp(max=num_classes - 1), num_classes).permute(2, 0, 1).float()


@misconception(
    "ignored pixels looked up in an identity matrix",
    "You look every pixel up in an identity matrix, those without a label too. 255 lies behind its last row and raises "
    "an error, and -1 *is* its last row. Look at what you do with pixels equal to `ignore_index` before.",
)
def identity_rows_of_all(mask, num_classes, ignore_index=255):
    return torch.eye(num_classes)[mask].permute(2, 0, 1)


edit(
    "255 left out, whatever ignore_index is",
    "You leave out pixels that are 255, whatever `ignore_index` says. When it is 0, the pixels of class 0 have to be 0 "
    "in every channel. Look at where a 255 stands that should be the argument.",
    ("mask != ignore_index", "mask != 255"),
    ("if outside.numel():", "if False:"),
)

edit(
    "ignored pixels keep their number",
    "You wrote the number of `ignore_index` into the channels. A sum over them counts it, and "
    "nothing should count there. Look at the value you write where `mask == ignore_index`.",
    (".to(torch.float32)", ".to(torch.float32).masked_fill(~known, ignore_index)"),
)


@misconception(
    "one stacked channel for each value that occurs",
    "You made a channel for each *value* in the mask, so which class a channel stands for changes from image to image, "
    "and a mask without any has nothing to stack. Channel `k` must mean class `k`, also where it does not occur. "
    "Look for `unique`.",
)
def stacked_from_unique(mask, num_classes, ignore_index=255):
    return torch.stack([(mask == k).float() for k in mask.unique() if k != ignore_index])


@misconception(
    "as many channels as the largest number asks for",
    "Your channels reach up to the largest number in the mask, `ignore_index` included, so a mask with 255 in it gets "
    "256 of them, and one without the last class too few. `F.one_hot` counts so when it is not told. "
    "Look at where you pass `num_classes` on.",
)
def one_hot_counts(mask, num_classes, ignore_index=255):
    return F.one_hot(mask).permute(2, 0, 1).float()


edit(
    "no channel for the last class",
    "The channel of the last class is missing. The classes are 0 to `num_classes - 1`, and the end of a range is not "
    "in it. Look at where your range ends.",
    ("(num_classes,", "(num_classes - 1,"),
)

edit(
    "a channel more, for no class",
    "You have one channel too many, and it is empty: with `num_classes` classes, the last one is `num_classes - 1`. "
    "Look at where your range ends.",
    ("(num_classes,", "(num_classes + 1,"),
)

edit(
    "zeros and ones exchanged",
    "Each channel is 0 at the pixels of its class and 1 at the others. Look at the comparison, or at the order of the "
    "two values you choose from.",
    ("mask == classes", "mask != classes"),
)

edit(
    "float64",
    "Your numbers are float64. NumPy counts in double precision, and a float32 prediction cannot be "
    "put together with them everywhere. Look at the dtype of your result.",
    ("torch.float32", "torch.float64"),
)


@variant("with the library's one_hot, ignored pixels cleared afterwards")
def library(mask, num_classes, ignore_index=255):
    ignored = mask == ignore_index
    hot = F.one_hot(mask.masked_fill(ignored, 0), num_classes).movedim(-1, 0).float()
    hot[:, ignored] = 0
    return hot


@variant("channel by channel")
def channel_by_channel(mask, num_classes, ignore_index=255):
    channels = torch.zeros(num_classes, *mask.shape)
    for k in range(num_classes):
        if k != ignore_index:
            channels[k][mask == k] = 1.0
    return channels


@variant("scattered")
def scattered(mask, num_classes, ignore_index=255):
    known = (mask != ignore_index)[None]
    index = torch.where(known, mask[None], 0)
    return torch.zeros(num_classes, *mask.shape).scatter_(0, index, known.float())


@variant("rows of an identity matrix, with numpy")
def identity_rows(mask, num_classes, ignore_index=255):
    labels = np.where(mask.numpy() == ignore_index, num_classes, mask.numpy())
    rows = np.vstack([np.eye(num_classes), np.zeros(num_classes)]).astype(np.float32)
    return torch.from_numpy(rows[labels].transpose(2, 0, 1))
