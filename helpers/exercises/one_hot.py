"""Lesson 01: `one_hot(mask, num_classes, ignore_index=255)`."""

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks.probes import Call
from helpers.exercises import exercise, misconception, variant
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
        "After that, the pixels with `mask == ignore_index` have to be 0 in all channels, also where `ignore_index` is "
        "itself the number of a class. `.float()` makes numbers of booleans.",
    ],
    task=(
        "From an int64 mask of shape `(H, W)` with class indices, make a float32 tensor of shape `(K, H, W)`, "
        "K = `num_classes`: 1 in the channel of the pixel's class, 0 in the others. A pixel equal to `ignore_index` "
        "is 0 in every channel."
    ),
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
    for _ in range(3):
        classes = draw.size(2, 9)
        mask = draw.labels(draw.size(2, 24), draw.size(2, 24), classes)
        mask[draw.mask(*mask.shape, fraction=0.2)] = 255
        yield Call((mask, classes), exact_dtype=True)


@misconception(
    "classes last",
    "Your classes are the last axis, `(H, W, K)`. `F.one_hot` puts them there, and PyTorch's layers look for channels "
    "in front. Look at the order of the axes of your result.",
)
def classes_last(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index).permute(1, 2, 0)


@misconception(
    "rows and columns exchanged",
    "Each channel lies on its side: `(K, W, H)`. Turning all axes round exchanges height and width, too, and the "
    "channels no longer fit the image. Look at the order in which you list the axes.",
)
def transposed(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index).mT


@misconception(
    "reshaped instead of permuted",
    "The shape is right and the pixels are shuffled: `view` and `reshape` count the numbers out in their old order. "
    "Look for a function that moves axes instead of relabelling them.",
)
def reshaped(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index).permute(1, 2, 0).reshape(num_classes, *mask.shape)


@misconception(
    "ignored pixels become background",
    "Pixels without a label are counted as class 0 with you, so a network is punished for whatever else it says there. "
    "Nobody knows what they are. Look at what you put in the place of `ignore_index`.",
)
def ignored_to_background(mask, num_classes, ignore_index=255):
    return one_hot(torch.where(mask == ignore_index, 0, mask), num_classes, -1)


@misconception(
    "ignored pixels become the last class",
    "Pixels without a label end up in the last class. `clamp` keeps the index in range, and that is all it does: "
    "the pixel gets a class that nobody gave it. Look at what happens after it.",
)
def ignored_to_last(mask, num_classes, ignore_index=255):
    return one_hot(torch.where(mask == ignore_index, num_classes - 1, mask), num_classes, -1)


@misconception(
    "ignored pixels belong to every class",
    "Pixels without a label are 1 in every channel, so whatever is predicted there counts as right. "
    "No class should claim them. Look at the value you write where `mask == ignore_index`.",
)
def ignored_to_all(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index).masked_fill(mask == ignore_index, 1)


@misconception(
    "ignored pixels are NaN",
    "You filled the ignored pixels with NaN. The first sum over them, a loss for one, is NaN as well, and so is every "
    "gradient. Look at the value you write where `mask == ignore_index`.",
)
def ignored_to_nan(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index).masked_fill(mask == ignore_index, float("nan"))


@misconception(
    "ignored pixels raise an error",
    "A mask with ignored pixels raises an error: `F.one_hot` takes 255 for a class, and there is no such channel. "
    "Most hand-made masks have such pixels. Look at what reaches it there.",
)
def ignored_raises(mask, num_classes, ignore_index=255):
    return F.one_hot(mask, num_classes).permute(2, 0, 1).float()


@misconception(
    "a channel more, for the ignored pixels",
    "You have one channel too many: the ignored pixels got one of their own. A network with K outputs has nothing to "
    "compare it with. Look at the length of the first axis before you return.",
)
def extra_channel(mask, num_classes, ignore_index=255):
    return torch.cat([one_hot(mask, num_classes, ignore_index), (mask == ignore_index).float()[None]])


@misconception(
    "ignore_index not used",
    "Your channels come from `mask == k` alone. That is right as long as `ignore_index` lies outside the classes; when "
    "it is a class, such as 0 for the background, its pixels must vanish as well. Look at where you use the argument.",
)
def ignore_unused(mask, num_classes, ignore_index=255):
    return torch.stack([(mask == k).float() for k in range(num_classes)])


@misconception(
    "255 written into the code",
    "You leave out pixels that are 255, whatever `ignore_index` says. Other data sets use -1 or 0 for them. "
    "Look at where a 255 stands that should be the argument.",
)
def hardcoded(mask, num_classes, ignore_index=255):
    ignored = mask == 255
    return F.one_hot(mask.masked_fill(ignored, 0), num_classes).permute(2, 0, 1) * (~ignored).float()


@misconception(
    "the number of classes read off the mask",
    "You count the classes that occur in this mask, so an image without a cat has a channel less, and no two tensors "
    "fit into one batch. Look at where the length of your first axis comes from.",
)
def classes_from_mask(mask, num_classes, ignore_index=255):
    known = mask[mask != ignore_index]
    largest = int(known.max()) if known.numel() else 0
    return one_hot(mask, largest + 1, ignore_index)


@misconception(
    "one channel for each value that occurs",
    "You made a channel for each *value* in the mask, so which class a channel stands for changes from image to image. "
    "Channel `k` must mean class `k`, also where it does not occur. Look for `unique`.",
)
def channels_from_unique(mask, num_classes, ignore_index=255):
    found = [k for k in mask.unique().tolist() if k != ignore_index]
    return torch.stack([(mask == k).float() for k in found]) if found else torch.zeros(0, *mask.shape)


@misconception(
    "no channel for the background",
    "The channel of class 0 is missing, and each of the others stands one place too early. Background is a class like "
    "any other here. Look at where your range begins.",
)
def background_missing(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index)[1:]


@misconception(
    "classes counted from 1",
    "Class `k` ends up in channel `k - 1`, and background in none. Classes are counted from 0 here, as everything in "
    "Python. Look at the number that each channel is compared with.",
)
def from_one(mask, num_classes, ignore_index=255):
    hot = torch.stack([mask == k + 1 for k in range(num_classes)])
    return (hot & (mask != ignore_index)).float()


@misconception(
    "the class index instead of 1",
    "Your channels hold the number of the class where a 1 belongs, so class 0 vanishes and class 3 weighs three times "
    "as much as class 1. Look at what you write into a channel.",
)
def index_for_one(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index) * torch.arange(num_classes)[:, None, None]


@misconception(
    "whole numbers",
    "The numbers are right, but they are int64. They are to be multiplied with probabilities and logits, and a loss "
    "refuses whole numbers. Look at the dtype of your result.",
)
def whole_numbers(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index).long()


@misconception(
    "booleans",
    "Your channels are true where a 1 belongs and false elsewhere. They are to be multiplied with probabilities and "
    "logits, so they have to be numbers. Look at the dtype of your result.",
)
def booleans(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index).bool()


@misconception(
    "a batch axis in front",
    "Your result has four axes: you made a batch of one. A `DataLoader` puts masks together to batches itself. "
    "Look for an `unsqueeze` or a `[None]` too many.",
)
def batch_axis(mask, num_classes, ignore_index=255):
    return one_hot(mask, num_classes, ignore_index)[None]


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


@variant("one class more, dropped at the end")
def dropped(mask, num_classes, ignore_index=255):
    mask = torch.where(mask == ignore_index, num_classes, mask)
    return F.one_hot(mask, num_classes + 1)[..., :num_classes].permute(2, 0, 1).to(torch.float32)


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
