"""What the course takes as pairs, what it warns of, and what it says of everything else."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset
from torchvision import tv_tensors

from helpers import data
from helpers.data.gate import GateError, GateWarning, Taken, say

RNG = np.random.default_rng(0)
SPLITS = ("train", "validation")


def pair(side=16):
    mask = torch.zeros(side, side, dtype=torch.int64)
    mask[4:9, 4:9] = 1
    return 0.2 + 0.6 * mask[None].float(), mask


IMAGE, MASK = pair()
COLOURS = IMAGE.expand(3, -1, -1)


def taken(image=IMAGE, mask=MASK, number=3):
    return Taken([(image, mask)] * number, "training pairs")


@pytest.mark.parametrize(
    ("image", "mask", "said"),
    [
        (IMAGE.numpy()[:, ::-1], MASK.numpy()[::-1], "NumPy arrays as tensors"),
        (IMAGE.numpy().astype(">f4"), MASK.numpy().astype(">i2"), "masks of int16 as class indices"),
        ((255 * IMAGE).byte(), MASK, "images of uint8, divided by 255"),
        (IMAGE > 0.5, MASK, "images of bool"),
        (IMAGE.half(), MASK, "images of float16 as float32"),
        (IMAGE[0], MASK, "images (H, W) as (1, H, W)"),
        (IMAGE, MASK.bool(), "masks of bool as class indices"),
        (IMAGE, MASK[None].double(), "masks (1, H, W) as (H, W)"),
    ],
)
def test_what_can_mean_one_thing_only_is_taken_and_said_once(image, mask, said, capsys):
    pairs = taken(image, mask)
    pairs.say(taken(image, mask))
    assert capsys.readouterr().out.count(said) == 1
    got, labels = pairs[2]
    assert (got.dtype, labels.dtype) == (torch.float32, torch.int64)
    assert (got.shape, labels.shape) == (IMAGE.shape, MASK.shape)
    assert 0 <= got.min() <= got.max() <= 1
    assert labels.sum() == 25


def test_a_course_data_set_passes_without_a_word(capsys, recwarn):
    pairs = data.load("nuclei", "train", tile=64)
    passed = Taken(pairs, "training pairs")
    passed.check_values(2)
    passed.check_range()
    passed.say()
    assert capsys.readouterr().out == ""
    assert [w for w in recwarn if issubclass(w.category, GateWarning)] == []
    for (image, mask), (same, labels) in zip(passed, pairs, strict=True):
        assert torch.equal(image, torch.as_tensor(same))
        assert torch.equal(mask, torch.as_tensor(labels))


class Broken(Dataset):
    def __len__(self):
        return 3

    def __getitem__(self, k):
        if k == 2:
            raise OSError("truncated")
        return pair()


class Stream(IterableDataset):
    def __iter__(self):
        yield pair()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "have no pair"),
        (Stream(), "no length"),
        ((pair() for _ in range(3)), "a generator, which has no length"),
        (torch.rand(3, 1, 8, 8), r"Tensor \(3, 1, 8, 8\)"),
        ({0: pair()}, "a dict of 0"),
        ("masks/", "a str"),
        (None, "None"),
        ([{"image": IMAGE, "mask": MASK}], "Pair 0 of the training pairs is a dict of 'image', 'mask'"),
        ([(IMAGE, MASK, 3)], "is a tuple of 3"),
        ([IMAGE], r"is Tensor \(1, 16, 16\)"),
        ([(Image.new("L", (16, 16)), MASK)], "has an? Image"),
        ([(IMAGE, None)], "has None for a mask"),
        ([(IMAGE, "a.png")], "has a str for a mask"),
        ([((65535 * IMAGE).numpy().astype(np.uint16), MASK)], "an image of uint16. Divide it"),
        ([((255 * IMAGE).long(), MASK)], "an image of int64. Divide it"),
        ([(COLOURS.permute(1, 2, 0), MASK)], "3 channels last"),
        ([(IMAGE[None], MASK)], r"an image \(1, 1, 16, 16\)"),
        ([(IMAGE[:, :0], MASK[:0])], r"an image \(1, 0, 16\), without a pixel"),
        ([(IMAGE, F.interpolate(MASK[None, None].float(), 16, mode="bicubic")[0, 0] * 0.7)], "fractions"),
        ([(IMAGE, F.one_hot(MASK, 4).permute(2, 0, 1))], r"one-hot mask \(4, 16, 16\)"),
        ([(IMAGE, MASK[..., None].expand(-1, -1, 3) * 255)], "mask in colours"),
        ([(IMAGE, MASK.float() / 255)], "divided by 255"),
        ([(IMAGE, 0.8 * MASK)], r"fractions, 0 and 0.8. If that is the object: `\(mask > 0\).long\(\)`"),
        ([(IMAGE, MASK / 0)], "no numbers"),
        ([(IMAGE, torch.stack([0.95 - 0.9 * MASK, 0.05 + 0.9 * MASK]))], r"`mask.argmax\(0\)`"),
        ([(IMAGE, MASK), (COLOURS, MASK)], "Pair 1 .* 3 channels, and others have one channel"),
        (Broken(), "Pair 2 of the training pairs cannot be read: OSError: truncated"),
        ([(IMAGE, MASK[:-1])], "16 × 16 pixels and a mask of 15 × 16"),
        ([(IMAGE, MASK), (IMAGE / 0, MASK)], "Pair 1 .* not finite numbers"),
    ],
)
def test_what_is_no_pair_is_told(given, said):
    with pytest.raises(GateError, match=said) as raised:
        Taken(given, "training pairs")
    assert "Traceback" not in str(raised.value)


@pytest.mark.parametrize(
    ("mask", "classes", "said"),
    [
        (255 * MASK, 2, r"values 0 and 255 in their 3 masks; class indices go from 0 to 1.*mask // 255"),
        (255 - 0 * MASK, 2, "no pixel has a label"),
        (7 * MASK, 2, r"values 0 and 7 .*`\(mask == 7\)`"),
        (128 * MASK + 127 * MASK.flip(0), 3, r"255, \(mask == 127\) \+ 2 \* \(mask == 128\)\)`"),
        (
            torch.arange(256).view(16, 16) // 20,
            2,
            r"0, 1, 2, 3, 4 and … .*13 values for 2 classes|logit for each class",
        ),
        (-MASK, 2, r"values -1 and 0 .*If it is the background: `mask \+ 1`"),
        (MASK - 100 * MASK.roll(7, 0), 2, r"If -100 is no label: `mask\[mask == -100\] = 255`"),
        (MASK + 11 * MASK.roll(7, 0), 2, r"If 11 is no label"),
        (torch.where(MASK.roll(7, 0) > 0, 255, 2 * MASK), 2, r"`torch.where\(mask == 255, 255, \(mask == 2\)\)`"),
        (torch.arange(256).view(16, 16), 2, "Edges were blended"),
        (2 * MASK + MASK.roll(7, 0), 2, "values 0, 1 and 2 .*If 2 is no label.* give the network 3 logits"),
    ],
)
def test_values_that_are_no_classes_are_told_with_what_to_do(mask, classes, said):
    with pytest.raises(GateError, match=said):
        taken(mask=mask).check_values(classes)


def test_an_ignored_part_is_no_error():
    ignored = MASK.clone()
    ignored[:2] = 255
    taken(mask=ignored).check_values(2)


def looked_at(pairs):
    pairs.check_values(2)
    pairs.check_range()
    return pairs


@pytest.mark.parametrize(
    ("image", "mask", "said"),
    [
        (IMAGE, 0 * MASK, "no object in any of them"),
        (IMAGE, 0 * MASK + 1, "no background"),
        (0.0625 * IMAGE, MASK, r"fill 4 % .*divided by 4095"),
        (200 * IMAGE, MASK, "from 40 to 160; images go from 0 to 1"),
        (4000 * IMAGE - 1000, MASK, "from -200 to 2.2e"),
        (0 * IMAGE, MASK, "All pixels of the training pairs are 0"),
    ],
)
def test_what_is_hardly_meant_is_warned_of(image, mask, said):
    with pytest.warns(GateWarning, match=said):
        looked_at(taken(image, mask))


def normalised(image):
    return (image - image.mean()) / image.std()


def test_normalised_images_of_few_bright_pixels_are_not_taken_for_ones_of_bytes(recwarn):
    spots = torch.full((1, 64, 64), 0.05)
    spots[:, 30, 30:32] = 1.0
    assert normalised(spots).max() > 40
    looked_at(taken(normalised(spots), torch.arange(64 * 64).view(64, 64) % 2))
    looked_at(taken(normalised(1 - spots), torch.arange(64 * 64).view(64, 64) % 2))
    assert list(recwarn) == []


def brighter_or_darker(image):
    return image + 0.5 * torch.rand(()) - 0.25


@pytest.mark.parametrize(
    ("change", "other", "apart"),
    [
        (normalised, lambda x: x, True),
        (lambda x: 2 * x - 1, lambda x: x, True),
        (lambda x: (x - 0.485) / 0.229, lambda x: x, True),
        (normalised, normalised, False),
        (normalised, lambda x: 2 * x - 1, False),  # both have regions below 0
        (lambda x: x, lambda x: 0.4 * x, False),
        (lambda x: x + 0.3 * torch.randn(x.shape), lambda x: x, False),
        (brighter_or_darker, lambda x: x, False),
        (lambda x: x.mean() + 1.3 * (x - x.mean()), lambda x: x, False),
    ],
)
def test_sets_that_are_scaled_differently_are_told_apart(change, other, apart, recwarn):
    sets = [[(x.as_subclass(torch.Tensor), m) for x, m in data.load("cells", s, size=64, count=24)] for s in SPLITS]
    train, validation = (
        Taken([(f(x), m) for x, m in pairs], f"{name} pairs")
        for f, pairs, name in zip((change, other), sets, SPLITS, strict=True)
    )
    train.check_scale(validation)
    validation.check_scale(train)
    said = [str(w.message) for w in recwarn]
    assert len(said) == 2 * apart
    assert all("train pairs go from -" in text and "validation pairs go from 0" in text for text in said)


def test_pairs_that_come_later_are_looked_at_when_they_are_taken():
    late = Taken([pair()] * 70 + [(IMAGE, 3 * MASK)], "training pairs")
    late.check_values(2)
    assert len([late[k] for k in range(70)]) == 70
    with pytest.raises(GateError, match="0, 1 and 3 in their 71 masks"):
        late[70]


class Drawn(Dataset):
    """A data set that draws on every generator there is, and counts how often it is read."""

    def __init__(self):
        self.reads = 0

    def __len__(self):
        return 5

    def __getitem__(self, k):
        self.reads += 1
        random.random()
        np.random.rand()
        return torch.rand(1, 16, 16), MASK


def test_looking_draws_no_random_number_of_theirs_and_reads_each_pair_once():
    given = Drawn()
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    pairs = Taken(Subset(given, range(5)), "training pairs")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[1:]
    assert len([pairs[k] for k in range(5)]) == given.reads == 5


@pytest.mark.parametrize(
    ("masks", "classes", "said"),
    [
        ([MASK, 255 * MASK], 2, ["1 hold 1, 1 hold 255, and none holds both"]),
        ([MASK, 255 * MASK, MASK.where(MASK == 1, 255)], 2, []),
        ([MASK, 0 * MASK], 2, []),
        ([MASK, 2 * MASK], 3, []),
        ([MASK, MASK], 3, ["No mask of the training pairs holds a pixel of class 2"]),
        ([2 * MASK] * 100, 4, []),  # not all were looked at
    ],
)
def test_masks_of_two_kinds_and_absent_classes_are_warned_of(masks, classes, said, recwarn):
    pairs = Taken([(IMAGE, mask) for mask in masks], "training pairs")
    pairs.check_values(classes)
    pairs.check_drawing()
    warned = [str(w.message) for w in recwarn]
    assert len(warned) == len(said)
    assert all(part in text for part, text in zip(said, warned, strict=True))


def test_a_loader_gives_its_data_set(capsys):
    pairs = Taken(DataLoader([pair()] * 5, batch_size=2), "training pairs")
    pairs.say()
    assert len(pairs) == 5
    assert "the data set of a DataLoader, without its batches" in capsys.readouterr().out


def test_tensors_of_torchvision_become_plain_ones():
    image, mask = taken(tv_tensors.Image(IMAGE), tv_tensors.Mask(MASK))[0]
    assert (type(image), type(mask)) == (torch.Tensor, torch.Tensor)


def test_nothing_taken_says_nothing(capsys):
    say([])
    assert capsys.readouterr().out == ""
