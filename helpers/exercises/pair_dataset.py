"""Lesson 01: `PairDataset(images, masks, transform=None)`."""

import numpy as np
import torch
from torch.utils.data import Dataset

from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Script
from helpers.checks.subject import Raised
from helpers.exercises import edits_of, exercise, misconception, variant
from helpers.reference.pixels import PairDataset, to_tensor


def _fetched(label, images, masks, order, transform=None):
    """Make a data set of these pairs, fetch those at the indices in `order`, then one past the end."""
    arguments = (
        Fixture("list of NumPy arrays", {"values": images}),
        Fixture("list of NumPy arrays", {"values": masks}),
    )
    if transform is not None:
        arguments = (*arguments, transform)

    def run(subject):
        built = subject.construct(arguments, {}).value
        if isinstance(built, Raised):
            yield "construction", built
        yield "length", subject.method("__len__").value
        for time, k in enumerate(order):
            again = ", fetched again" if k in order[:time] else ""
            reply = subject.method("__getitem__", (k,))
            yield f"pair {k}{again}", reply.value
            yield f"dtypes of pair {k}{again}", list(reply.dtypes)
        past = subject.method("__getitem__", (len(images),)).value
        if isinstance(past, Raised):
            past = "raises IndexError" if past.kind == "IndexError" else "raises another error"
        yield "an index past the end", past

    shown = {f"image {k}": x for k, x in enumerate(images)} | {f"mask {k}": x for k, x in enumerate(masks)}
    return Script(run, label, shown)


@exercise(
    PairDataset,
    lesson="01_pixels",
    concept="A data set of pairs",
    points=4,
    minutes=12,
    difficulty=3,
    hints=[
        "A data set answers two questions: how many pairs are there, and what is pair number `index`? Keep what you "
        "are given in `__init__`, and do the work when a pair is asked for.",
        "The image needs what `to_tensor` does: channels first, float32, 0 to 1. The mask keeps its values, since "
        "they are names of classes, not brightnesses.",
        "Convert both first. Then, if there is a transform, call it once with both tensors, and return what it "
        "returns. A list raises IndexError past its end by itself.",
    ],
    task=(
        "`images` is a list of uint8 NumPy arrays, `(H, W)` or `(H, W, C)`, and `masks` a list of NumPy arrays "
        "`(H, W)` with class indices. `len(pairs)` is the number of pairs; `pairs[i]` is `(image, mask)`, a float32 "
        "tensor `(C, H, W)` in [0, 1] and an int64 tensor `(H, W)`. Each call returns new tensors that share no memory "
        "with the arrays, since a transform may change them. A `transform` is called as `transform(image, mask)` with "
        "the two tensors each time a pair is fetched, and returns the pair. An index past the end raises `IndexError`."
    ),
)
def probes(draw):
    """Few small pairs of unequal sizes, grey and colour; with transforms that show when and how they are called."""
    grey = [torch.tensor([[10, 20, 30], [40, 50, 60]], dtype=torch.uint8), draw.image(4, 3), draw.image(3, 5)]
    labels = [torch.tensor([[0, 1, 2], [255, 1, 0]], dtype=torch.uint8)]
    labels += [draw.labels(*x.shape, 4).byte() for x in grey[1:]]
    labels[2][0, 0] = 255
    yield _fetched("three grey pictures without a transform", grey, labels, [0, 2, 1, 0])
    yield _fetched(
        "three grey pictures and a transform that mirrors left and right",
        grey,
        labels,
        [0, 1, 2],
        Fixture("flip of a pair"),
    )
    yield _fetched(
        "three grey pictures and a transform that mirrors at every other call",
        grey,
        labels,
        [0, 0, 1, 0, 0],
        Fixture("flip of every other pair"),
    )
    yield _fetched(
        "three grey pictures and a transform that adds 1 to image and mask, in place",
        grey,
        labels,
        [0, 2, 0],
        Fixture("shift of a pair in place"),
    )
    yield _fetched(
        "three grey pictures and a transform for one tensor or several that mirrors at every other call",
        grey,
        labels,
        [0, 1, 0],
        Fixture("flip of every other pair, of one tensor or several"),
    )
    large = [draw.image(4, 6), draw.image(7, 5)]  # int64 needs no conversion, so a mask may be the array itself
    yield _fetched(
        "two grey pictures with int64 masks and a transform that adds 1 to image and mask, in place",
        large,
        [draw.labels(*x.shape, 4) for x in large],
        [0, 1, 0],
        Fixture("shift of a pair in place"),
    )
    colour = [draw.image(4, 5, 3), draw.image(3, 3, 3)]
    classes = [draw.labels(4, 5, 3).byte(), torch.tensor([[0, 1, 2], [2, 2, 1], [0, 0, 2]], dtype=torch.uint8)]
    yield _fetched("two colour pictures without a transform", colour, classes, [1, 0])
    h, w = draw.size(2, 9), draw.size(2, 9)
    one = [draw.image(h, w, 4)], [draw.labels(h, w, 6).byte()]
    yield _fetched("one picture of four channels", *one, [0], Fixture("flip of a pair", {"axis": -2}))


edit = edits_of(PairDataset)

edit(
    "the image not scaled",
    "Your images still run to 255. A network's first weights expect numbers of about 1. "
    "Look at what happens to the image before you return it.",
    ("  # (C, H, W)", " * 255"),
)

edit(
    "channels last",
    "Your images have their channels at the end. A convolution takes the axis in front for channels and would read "
    "rows as such. Look at the order of the axes.",
    ("  # (C, H, W)", ".permute(1, 2, 0)"),
)

edit(
    "no channel axis for grey pictures",
    "A grey picture comes out with two axes, and a batch of them has no channels. Grey is one channel: look at what "
    "happens to an image with two axes.",
    ("  # (C, H, W)", "\n        image = image[0] if self.images[index].ndim == 2 else image"),
)

edit(
    "the mask scaled like the image",
    "You divided the mask by 255, too. Its values are names of classes, not brightness: class 1 became 0.004, and as "
    "a whole number 0. Look at what you do to the mask.",
    ("torch.from_numpy(self.masks[index].astype(np.int64))", "to_tensor(self.masks[index])[0].long()"),
)

edit(
    "the mask as float",
    "Your mask is float. Its values are class indices, and a loss such as cross entropy takes them as whole numbers "
    "only. Look at the dtype of the mask.",
    ("np.int64", "np.float32"),
)

edit(
    "the mask left as uint8",
    "Your mask is still uint8, as it was in the file. Cross entropy takes int64, and in uint8 a sum of more than 255 "
    "can overflow. Look at the dtype of the mask.",
    ("np.int64", "np.uint8"),
)

edit(
    "a channel axis for the mask",
    "Your mask has three axes, `(1, H, W)`. A loss compares each pixel of `(H, W)` with the channels of the logits, "
    "and the extra axis does not fit. Look at what you do to the mask.",
    ("  # (H, W)", "[None]"),
)

edit(
    "the mask as object or not",
    "Your mask holds 0 and 1 only: all classes, and the pixels without a label, became one. "
    "Look for a `> 0` or a `bool`.",
    ("  # (H, W)", ".bool().long()"),
)

edit(
    "the transform not used",
    "The transform never runs: pairs come out as they are in the list. "
    "Look at what you keep in `__init__`, and where you call it.",
    ("self.transform is not None", "False"),
)

edit(
    "the transformed mask thrown away",
    "You keep the image that the transform returns and leave the mask as it was. A mirrored image then has the mask "
    "of another. Look at what you do with the second thing it returns.",
    ("image, mask = self.transform(image, mask)", "image, _ = self.transform(image, mask.clone())"),
)

edit(
    "the transform called for image and mask apart",
    "You call the transform twice for one pair. If it draws at random, the image is mirrored and the mask is not. "
    "One call has to see both: look at how often `transform(` stands there.",
    (
        "image, mask = self.transform(image, mask)",
        "first, _ = self.transform(image.clone(), mask.clone())\n"
        "            image, mask = first, self.transform(image, mask)[1]",
    ),
)

edit(
    "the transform gets one argument",
    "You call the transform with the pair as *one* argument, a tuple, and it expects two: it raises an error. "
    "Look at the brackets in the call.",
    ("self.transform(image, mask)", "self.transform((image, mask))"),
)

edit(
    "the transform before the conversion",
    "The transform gets NumPy arrays with values to 255, before you turn them into tensors. One that is written for "
    "tensors raises an error, or changes brightness on the wrong scale. Look at the order of your lines.",
    ("to_tensor(self.images[index])", "self.images[index].copy()"),
    ("torch.from_numpy(self.masks[index].astype(np.int64))", "self.masks[index].copy()"),
    ("return image, mask", "return to_tensor(image), torch.from_numpy(mask.astype(np.int64))"),
)


@misconception(
    "transformed once, in `__init__`",
    "You run the transform when the data set is made, so each pair is drawn once and looks the same in every epoch: "
    "that does not augment anything. Look at where a pair is *fetched*.",
)
class TransformedOnce(PairDataset):
    def __init__(self, images, masks, transform=None):
        labels = (torch.from_numpy(mask.astype(np.int64)) for mask in masks)
        pairs = [(to_tensor(image), mask) for image, mask in zip(images, labels, strict=True)]
        self.pairs = [transform(i, m) for i, m in pairs] if transform else pairs

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image, mask = self.pairs[index]
        return image.clone(), mask.clone()


edit(
    "stored tensors handed out",
    "You convert once and give away the very tensors that you keep. A transform that works in place changes them, and "
    "the next epoch begins with the damage of this one. Look at whether a fetched pair shares memory with yours.",
    (
        "= images, masks, transform",
        "= [*map(to_tensor, images)], [torch.from_numpy(m.astype(np.int64)) for m in masks], transform",
    ),
    ("to_tensor(self.images[index])", "self.images[index]"),
    ("torch.from_numpy(self.masks[index].astype(np.int64))", "self.masks[index]"),
)

edit(
    "mask first",
    "You return the mask before the image. Whoever unpacks `image, mask = pairs[0]` then trains on masks. "
    "Look at your last line.",
    ("return image, mask", "return mask, image"),
)

edit(
    "a dictionary instead of a pair",
    "You return a dictionary. That is good style in a large project, but here `image, mask = pairs[0]` has to work, "
    "and would unpack the two keys. Look at your last line.",
    ("return image, mask", 'return {"image": image, "mask": mask}'),
)

edit(
    "the image alone",
    "You return the image without its mask. A network can learn from pairs only. Look at your last line.",
    ("return image, mask", "return image"),
)

edit(
    "arrays instead of tensors",
    "Shapes and numbers are right, but what you return are NumPy arrays. A transform for tensors raises an error, and "
    "a layer refuses them. Look at where the arrays become tensors.",
    ("  # (C, H, W)", ".numpy()"),
    ("torch.from_numpy(self.masks[index].astype(np.int64))", "self.masks[index].astype(np.int64)"),
)

edit(
    "always the first mask",
    "Every image comes with the mask of the first. Look at the index that you use for the masks.",
    ("self.masks[index]", "self.masks[0]"),
)

edit(
    "the height instead of the number of pairs",
    "`len` gives a side of the first image: you measure one picture instead of counting them. A loader would ask for "
    "pairs that do not exist, or leave some out. Look at what `__len__` measures.",
    ("len(self.images)", "len(self.images[0])"),
)

edit(
    "images and masks counted together",
    "`len` gives twice the number of pairs: you count images and masks. A pair is one thing, and a loader would ask "
    "for pairs past the end. Look at what `__len__` counts.",
    ("len(self.images)", "len(self.images) + len(self.masks)"),
)

edit(
    "the index counted from 1",
    "`pairs[0]` gives the last pair: you subtract 1 from the index, and -1 is the end of a list. A loader counts from "
    "0. Look at what you do with `index`.",
    ("image = to_tensor", "index -= 1\n        image = to_tensor"),
)

edit(
    "an index past the end begins again",
    "An index past the end gives the first pair again, so `for image, mask in pairs` never ends: Python stops at the "
    "`IndexError`. Look for a `%`.",
    ("image = to_tensor", "index %= len(self)\n        image = to_tensor"),
)

edit(
    "an index past the end gives the last pair",
    "An index past the end gives the last pair once more, so `for image, mask in pairs` never ends: Python stops at "
    "the `IndexError`. Look for a `min` or a `clamp`.",
    ("image = to_tensor", "index = min(index, len(self) - 1)\n        image = to_tensor"),
)

edit(
    "nothing for an index past the end",
    "An index past the end gives `None`, so `for image, mask in pairs` fails at the end instead of stopping: Python "
    "stops at the `IndexError`. Look at what you return when the index is too large.",
    ("image = to_tensor", "if index >= len(self):\n            return None\n        image = to_tensor"),
)

edit(
    "another error past the end",
    "An index past the end raises an error, but no `IndexError`. That is the one by which Python knows that a loop "
    "over a sequence is over. Look at what you raise, or at the `assert`.",
    ("image = to_tensor", "assert index < len(self)\n        image = to_tensor"),
)

edit(
    "the transform called twice",
    "You call the transform twice for one pair, once for the image and once for the mask. If it draws at random, the "
    "image is mirrored and the mask is not. One call has to give both: look at how often `transform(` stands there.",
    (
        "image, mask = self.transform(image, mask)",
        "image = self.transform(image, mask)[0]\n            mask = self.transform(image, mask)[1]",
    ),
)

edit(
    "the transform gets image and mask one by one",
    "You call the transform with the image alone, and then with the mask alone. One that takes two raises an error, "
    "and one that draws at random mirrors the image and not the mask. One call has to see both: look at how often "
    "`transform(` stands there.",
    ("self.transform(image, mask)", "self.transform(image), self.transform(mask)"),
)

edit(
    "the transform gets the image alone",
    "You call the transform with the image and without its mask. One that takes two raises an error, and with any "
    "other the mask stays as it was. Look at what you pass.",
    ("image, mask = self.transform(image, mask)", "image = self.transform(image)"),
)

edit(
    "only the image taken from the transform",
    "You take the image that the transform returns and not the mask. A mirrored image then has the mask of another. "
    "Look at what you do with the second thing it returns.",
    ("image, mask = self.transform(image, mask)", "image, _ = self.transform(image, mask)"),
)

edit(
    "the result of the transform not kept",
    "You call the transform and do not keep what it returns. A mirrored pair is a *new* pair, and yours comes out as "
    "it was. Look at what stands on the left of the call.",
    ("image, mask = self.transform(image, mask)", "self.transform(image, mask)"),
)

edit(
    "the transform before the conversion, on the arrays you keep",
    "The transform gets the NumPy arrays that you keep, before you turn them into tensors. One that is written for "
    "tensors raises an error, and one that works in place changes your data. Look at the order of your lines.",
    ("to_tensor(self.images[index])", "self.images[index]"),
    ("torch.from_numpy(self.masks[index].astype(np.int64))", "self.masks[index]"),
    ("return image, mask", "return to_tensor(image), torch.from_numpy(mask.astype(np.int64))"),
)

edit(
    "the mask shares its memory with the array",
    "A mask that is int64 already is not copied: your tensor lies in the memory of the array, and a transform that "
    "works in place changes the data you keep. `torch.from_numpy` and `torch.as_tensor` share memory, and `.long()` "
    "does not copy where nothing changes. Look at whether your mask is new each time.",
    (".astype(np.int64)", ".astype(np.int64, copy=False)"),
)

edit(
    "the mask in the type of its array",
    "Your mask has the type that it had in its array, uint8 for one from a file. A loss such as cross entropy takes "
    "int64. Look at the dtype of the mask.",
    (".astype(np.int64)", ".copy()"),
)

edit(
    "the mask the very array",
    "Your mask has the type and the memory of its array. A loss such as cross entropy takes int64, and a transform "
    "that works in place changes the data you keep. Look at what you do to the mask besides `torch.from_numpy`.",
    (".astype(np.int64)", ""),
)

edit(
    "the mask as int32",
    "Your mask is int32. Cross entropy takes int64. Look at the dtype of the mask.",
    ("np.int64", "np.int32"),
)

edit(
    "the mask as fractions",
    "You divided the mask by 255, too. Its values are names of classes, not brightness: class 1 became 0.004. "
    "Look at what you do to the mask.",
    ("  # (H, W)", " / 255"),
)

edit(
    "the mask as fractions, by way of `to_tensor`",
    "You give the mask to `to_tensor`, which is made for pictures and divides by 255. The values of a mask are names "
    "of classes, not brightness: class 1 became 0.004. Look at what you do to the mask.",
    ("torch.from_numpy(self.masks[index].astype(np.int64))", "to_tensor(self.masks[index])[0]"),
)

edit(
    "the mask divided and rounded down",
    "You divided the mask by 255, too, and as whole numbers nearly all of it is 0. Its values are names of classes, "
    "not brightness. Look at what you do to the mask.",
    ("  # (H, W)", " // 255"),
)

edit(
    "the image as float64",
    "Your images are float64. NumPy divides in double precision, and a float32 layer refuses such an input. "
    "Look at the dtype of the image.",
    ("  # (C, H, W)", ".double()"),
)


@variant("a plain class, converted by hand")
class Plain:
    def __init__(self, images, masks, transform=None):
        self.pairs = list(zip(images, masks, strict=True))
        self.augment = transform

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        image, mask = self.pairs[i]
        image = torch.from_numpy(np.atleast_3d(image)).permute(2, 0, 1).float() / 255
        pair = (image, torch.tensor(mask, dtype=torch.int64))
        return pair if self.augment is None else self.augment(*pair)


@variant("converted ahead, copied when fetched")
class Ahead(Dataset):
    def __init__(self, images, masks, transform=lambda image, mask: (image, mask)):
        self.images = [torch.as_tensor(x).div(255) for x in images]
        self.masks = [torch.as_tensor(x).long() for x in masks]
        self.transform = transform

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, index):
        image = self.images[index].clone()
        image = image.unsqueeze(0) if image.ndim == 2 else image.movedim(2, 0)
        image, mask = self.transform(image, self.masks[index].clone())
        return [image, mask]


@variant("an IndexError of its own")
class OwnError(Dataset):
    def __init__(self, images, masks, transform=None):
        super().__init__()
        self.images, self.masks, self.transform = images, masks, transform
        self.length = sum(1 for _ in images)

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if not 0 <= index < self.length:
            raise IndexError(f"no pair {index}")
        image = self.images[index].astype("float32") / 255
        image = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
        image, mask = torch.from_numpy(np.ascontiguousarray(image)), torch.LongTensor(self.masks[index].tolist())
        if self.transform:
            return self.transform(image, mask)
        return image, mask
