"""Lesson 10: `normalise(image, mean, std)`."""

import numpy as np
import torch
from torchvision.transforms import functional as TF

from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.baseline import normalise

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's photographs
IF_GREY = "\n    if image.shape[-3] == 1:\n        "


@exercise(
    normalise,
    lesson="10_baseline",
    concept="Input of a pretrained encoder",
    points=3,
    minutes=6,
    difficulty=2,
    hints=[
        "For each channel: subtract its mean, then divide by its standard deviation. What has to happen to a grey "
        "image, so that there is a channel for each mean?",
        "`torch.tensor(mean)` has shape `(C,)` and the image `(C, H, W)`: broadcasting lines up the *last* axes. Which "
        "shape makes one mean meet one channel?",
        "With a shape of `(C, 1, 1)` the means fit `(C, H, W)` and `(N, C, H, W)` alike, and a grey `(1, H, W)` too.",
    ],
    task=(
        "The image as the encoder knows it from its training: each channel minus its `mean`, divided by its `std`. "
        "`image` is float `(C, H, W)` or a batch `(N, C, H, W)`, with as many channels as `mean` has or a single "
        "one; a single one, grey, stands for every channel. The result has `len(mean)` channels."
    ),
    # Grey copied into every channel, instead of left to broadcasting: it meets wrong shapes of the means otherwise.
    choices=(("image - mean", "image.expand(*image.shape[:-3], len(mean), -1, -1) - mean"),),
)
def probes(draw):
    """Colour and grey, one and many, with sides of 3 beside 3 channels: there a wrong axis goes unnoticed."""
    image = torch.tensor([0.5, 0.2, 0.9])[:, None, None] + torch.tensor([[0.0, 0.05], [0.1, -0.1]])
    yield image, (0.4, 0.3, 0.8), (0.5, 0.2, 0.25)
    yield draw.normal(1, 2, 5).sigmoid(), MEAN, STD
    yield draw.normal(3, 3, 3).sigmoid(), MEAN, STD
    yield draw.normal(1, 4, 3).sigmoid(), list(MEAN), list(STD)
    yield draw.normal(3, 1, 4).sigmoid(), MEAN, STD  # a single row, which is no single channel
    yield draw.normal(2, 3, 4).sigmoid(), MEAN[:2], STD[:2]
    yield draw.normal(2, 3, 5, 4).sigmoid(), MEAN, STD
    yield draw.normal(1, 3, 4, 6).sigmoid(), MEAN, STD  # a batch of one, in colour
    yield draw.normal(3, 1, 2, 7).sigmoid(), MEAN, STD  # a batch of three, in grey
    channels = draw.size(4, 6)
    mean, std = ([draw.uniform(low, 0.7) for _ in range(channels)] for low in (0.3, 0.1))
    yield draw.normal(channels, draw.size(5, 9), draw.size(5, 9)).sigmoid(), mean, std
    yield draw.normal(1, draw.size(2, 9), draw.size(2, 9)).sigmoid(), mean, std
    yield draw.normal(1, 4, 5).sigmoid(), (0.5,), (0.2,)


edit = edits_of(normalise)

edit(
    "multiplied by the standard deviation",
    "You multiplied by `std`. That makes the values five times smaller where they should become larger, and the "
    "encoder sees a picture with next to no contrast. Look at the operator in front of `std`.",
    ("/ std", "* std"),
)

edit(
    "mean and standard deviation swapped",
    "You took `std` away and divided by `mean`. The result is neither centred on 0 nor of size 1, which is all that "
    "normalising is for. Look at which of the two you subtract.",
    ("in (mean, std))", "in (std, mean))"),
)

edit(
    "divided before the mean is taken away",
    "You divided first and subtracted the mean afterwards, so the mean taken away is that of an image that was not "
    "stretched yet. Look for missing brackets.",
    ("(image - mean) / std", "image / std - mean"),
)

edit(
    "only the mean",
    "You took the mean away and left the size as it is: `std` has no effect. The encoder was trained on inputs of size "
    "1, and yours are four times smaller. Look at what the third argument is for.",
    (" / std", ""),
)

edit(
    "only the standard deviation",
    "You divided by `std` and took no mean away, so every value is positive and the picture is far too bright for the "
    "encoder. Look at what the second argument is for.",
    ("(image - mean)", "image"),
)

edit(
    "divided by the variance",
    "You divided by the square of `std`. That is the variance already turned into something else: `std` is what the "
    "pixels are spread by. Look for a power of two.",
    ("/ std", "/ std**2"),
)

edit(
    "divided by the root of the standard deviation",
    "You took the root of `std`. The root belongs to a variance; a standard deviation is one already. Look for `sqrt`.",
    ("/ std", "/ std.sqrt()"),
)

edit(
    "statistics of the image itself",
    "You used the mean and standard deviation of this image. A dark image then looks like a bright one, and the "
    "encoder gets other numbers for the same grey than in its training. Look at where your mean comes from.",
    (
        "# (C, 1, 1)",
        "\n    image = image.expand(*image.shape[:-3], len(mean), -1, -1)"
        "\n    mean, std = (f(image, (-2, -1), keepdim=True) for f in (torch.mean, torch.std))",
    ),
)

edit(
    "one mean for all channels",
    "You averaged the means and standard deviations into one number each. Photographs have less blue than red, and the "
    "encoder expects each channel relative to its own mean. Look at the shape of what you subtract.",
    ("[:, None, None]", ".mean().expand(len(values), 1, 1)"),
)

edit(
    "the first channel's numbers for all",
    "Every channel gets the mean and standard deviation of the first. Look at the index with which you take them.",
    ("[:, None, None]", "[0].expand(len(values), 1, 1)"),
)

edit(
    "means along the columns",
    "Your means line up with the *last* axis, the columns of the image, not with the channels. That raises an error "
    "for most images, and none for one that happens to be three pixels wide. Look at the shape of your means before "
    "you subtract.",
    ("[:, None, None]", ""),
)

edit(
    "means along the rows",
    "Your means have the shape `(C, 1)`, so they line up with the rows of the image, not with the channels. That "
    "raises an error for most images, and none for one that happens to be three pixels high. Look at how many axes "
    "come after the channels.",
    ("[:, None, None]", "[:, None]"),
)

edit(
    "colours reversed",
    "Your channels come out in reverse order: blue, green, red. Some libraries store images that way, here the order "
    "stays. Look for a `flip` or `[::-1]`.",
    ("return ", "image = "),
    ("is (C, H, W)", "is (C, H, W)\n    return image.flip(-3)"),
)

edit(
    "grey stays grey",
    "A grey image leaves with one channel, and the first convolution of the encoder wants as many as `mean` has. "
    "Look at the case of a single channel.",
    ("# (C, 1, 1)", f"{IF_GREY}mean, std = mean[:1], std[:1]"),
)

edit(
    "grey repeated after normalising",
    "You normalised the grey channel with the numbers of one channel and then repeated it. The encoder has a mean of "
    "its own for each channel. Look at what comes first, repeating or normalising.",
    ("# (C, 1, 1)", f"{IF_GREY}mean, std = mean[:1].expand_as(mean), std[:1].expand_as(std)"),
)

edit(
    "grey in the first channel only",
    "You put the grey image into the first channel and filled the others with zeros: to the encoder that is a picture "
    "in red. Look at how the missing channels are made.",
    ("# (C, 1, 1)", f"{IF_GREY}image = torch.cat([image, *[0 * image] * (len(mean) - 1)], dim=-3)"),
)

edit(
    "always three channels",
    "You repeat a grey image three times, whatever `mean` says. Encoders for satellite images have four channels and "
    "more. Look for a 3 in your code.",
    ("# (C, 1, 1)", f"{IF_GREY}image = torch.cat([image] * 3, dim=-3)"),
)

edit(
    "the batch taken for the channels",
    "You read the number of channels from the first axis. In a batch that is the number of images, so a batch of one "
    "is taken for a grey image. Count the channel axis from the end.",
    ("# (C, 1, 1)", "\n    if image.shape[0] == 1:\n        image = torch.cat([image] * len(mean), dim=0)"),
)


@misconception(
    "a single image only",
    "Your means are tied to three axes or to the first one, and a batch `(N, C, H, W)` has its channels in the second. "
    "Count the channel axis from the end, and both fit.",
)
def single_image_only(image, mean, std):
    if image.shape[-3] == 1:
        image = image.expand(*image.shape[:-3], len(mean), -1, -1)
    return torch.stack([(x - m) / s for x, m, s in zip(image, mean, std, strict=False)])


edit(
    "scaled to 255",
    "You multiplied the image by 255. The means are between 0 and 1, as the image is, so the result is far too bright. "
    "Look for a 255.",
    ("(image - mean)", "(255 * image - mean)"),
)

edit(
    "clipped to 0 and 1",
    "You clip the result to the range of an image. Normalised values are negative in the dark and above 1 in the "
    "light, and all of that is gone. Look for `clamp`.",
    ("return ", "image = "),
    ("is (C, H, W)", "is (C, H, W)\n    return image.clamp(0, 1)"),
)

edit(
    "normalisation undone",
    "You multiplied by `std` and added `mean`. That is the way back, to show a normalised image; here it is the way "
    "in. Look at your two operators.",
    ("(image - mean) / std", "image * std + mean"),
)


@misconception(
    "a loop over the first axis",
    "You count the channels along the first axis. In a batch `(N, C, H, W)` that axis counts the images, so the third "
    "image meets the third mean. Count the channel axis from the end, and both fit.",
)
def loop_over_first_axis(image, mean, std):
    if image.shape[0] == 1:
        image = image.repeat(len(mean), 1, 1)
    return torch.stack([(image[c] - mean[c]) / std[c] for c in range(len(mean))])


edit(
    "the mean added",
    "You added the mean. A channel's values lie around its mean, and only without it do they lie around 0. "
    "Look at the operator in front of `mean`.",
    ("image - mean", "image + mean"),
)

edit(
    "only the mean divided",
    "You divided the mean by `std`, and the image not: `/` binds closer than `-`. Look for missing brackets.",
    ("(image - mean) / std", "image - mean / std"),
)

edit(
    "means in reverse order",
    "The first channel meets the last mean, and the last one the first. `mean` and `std` have the order of the "
    "channels. Look for a `flip` or `[::-1]`.",
    ("[:, None, None]", ".flip(0)[:, None, None]"),
)

edit(
    "divided by 255",
    "You divided the image by 255. It is float and has the scale of the means already, so next to nothing is left of "
    "it. Look for a 255.",
    ("image - mean", "image / 255 - mean"),
)

edit(
    "a single image becomes a batch",
    "An image `(C, H, W)` comes out as `(1, C, H, W)`. What goes in with three axes should have three when it comes "
    "out. Look for an `unsqueeze`, or at how many axes your means have.",
    ("# (C, 1, 1)", "\n    image = image if image.ndim == 4 else image[None]"),
)

edit(
    "grey with the average of the numbers",
    "You average the means and standard deviations for a grey image. It stands for every channel, and each has its own "
    "`mean` and `std`. Look at the case of a single channel.",
    ("# (C, 1, 1)", f"{IF_GREY}mean, std = mean.mean().expand_as(mean), std.mean().expand_as(std)"),
)

edit(
    "three channels at most for a grey image",
    "A grey image gets three channels, also where `mean` has more. Encoders for satellite images have four channels "
    "and more. Look for a 3 in your code, or for three copies of the image.",
    ("# (C, 1, 1)", f"{IF_GREY}mean, std = mean[:3], std[:3]"),
)

edit(
    "shaped for three means",
    "You shape `mean` and `std` for three channels, and another number of them raises an error. Look for a 3 in your "
    "code; `-1` lets `view` and `reshape` count.",
    ("[:, None, None]", ".view(3, 1, 1)"),
)

edit(
    "ImageNet's numbers, whatever the arguments",
    "You use numbers of your own in place of `mean` and `std`: those of ImageNet. Another encoder was trained with "
    "others. Look at where your numbers come from.",
    ("values in (mean, std)", f"values in {MEAN, STD}"),
)


@variant("channel by channel")
def channel_by_channel(image, mean, std):
    channels = image.unbind(dim=-3)
    if len(channels) == 1:
        channels = channels * len(mean)
    return torch.stack([(c - m) / s for c, m, s in zip(channels, mean, std, strict=True)], dim=-3)


@variant("with torchvision")
def with_torchvision(image, mean, std):
    if image.shape[-3] != len(mean):
        image = torch.cat([image] * len(mean), dim=-3)
    return TF.normalize(image, list(mean), list(std))


@variant("with numpy, channels last")
def with_numpy(image, mean, std):
    pixels = np.moveaxis(image.numpy(), -3, -1)
    return torch.from_numpy(np.moveaxis((pixels - np.asarray(mean)) / np.asarray(std), -1, -3))


@variant("as one multiplication and one addition")
def affine(image, mean, std):
    scale = 1 / torch.tensor(std, dtype=torch.float64)
    shift = -torch.tensor(mean, dtype=torch.float64) * scale
    return torch.addcmul(shift[:, None, None], image.double(), scale[:, None, None])
