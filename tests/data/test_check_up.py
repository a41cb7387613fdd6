"""A check-up finds what was made wrong, by name, and nothing where nothing is."""

import re

import numpy as np
import pytest
import torch
from scipy import ndimage

from helpers import show
from helpers.data import check_up, load

TRAIN = load("cells", "train", count=12)


@pytest.fixture
def said(capsys, monkeypatch):
    """`said(*sets)`: what a check-up prints, and the alternative text of its figure."""

    def run(*sets):
        alts = []
        monkeypatch.setattr(show, "figure", lambda fig, alt: alts.append(alt))
        check_up(*sets)
        return capsys.readouterr().out, alts[0]

    return run


def spoilt(**changes):
    """Twelve simulated pictures, some changed: `spoilt(k5=function of image and mask)`."""
    pairs = [tuple(x.as_subclass(torch.Tensor).clone() for x in TRAIN[k]) for k in range(len(TRAIN))]
    for name, change in changes.items():
        k = int(name[1:])
        pairs[k] = change(*pairs[k])
    return pairs


def dot(image, mask):
    empty = mask.new_tensor(np.argwhere(mask.numpy() == 0)[5000])
    mask[empty[0], empty[1]] = 1
    return image, mask


def in_corner(image, mask):
    mask[:] = 0
    mask[:10, -9:] = 1
    return image, mask


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda image, mask: (image * 0 + 0.2, mask), "set[4] has hardly any contrast"),
        (lambda image, mask: ((image + 0.7).clip(0, 1), mask), "set[4] is much brighter than most"),
        (lambda image, mask: (image, mask * 0), "set[4] has no object"),
        (lambda image, mask: (image, mask * 0 + 1), "set[4] has no background"),
        (lambda image, mask: (image, mask * 0 + 255), "set[4] has no pixel with a label"),
        (dot, "set[4] has objects of less than 5 pixels, 1 in all"),
        (in_corner, "set[4] has objects in one corner only"),
        (lambda image, mask: (image, mask.roll((4, -5), (0, 1))), "moved 4 pixels up and 5 pixels right"),
        (
            lambda image, mask: (image, mask.masked_fill(mask.cumsum(1) > 40, 2)),
            "The class '2' is in fewer than 3 of 12 pairs: set[4]",
        ),
    ],
)
def test_what_is_wrong_with_one_picture_is_found_and_the_picture_is_shown(said, change, sentence):
    text, alt = said(spoilt(k4=change))
    found = [line for line in text.splitlines() if line.startswith("- ")]
    assert any(sentence in line for line in found), text
    assert all("set[4]" in line for line in found), text
    assert "set[4]" in alt


@pytest.mark.parametrize(
    ("name", "options"), [("nuclei", {}), ("nuclei", {"tile": 64}), ("cells", {"count": 20}), ("brain", {})]
)
def test_nothing_is_said_of_pictures_that_are_as_they_should_be(said, name, options):
    text, alt = said(*(load(name, split, **options) for split in ("train", "validation", "test")))
    assert "outlines" in alt
    for wrong in ("contrast:", "brighter", "darker", "beside the edges", "look nearly the same", "exchanged"):
        assert wrong not in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda image, mask: (image, 1 - mask), "is the mask inverted?"),
        (lambda image, mask: (mask[None].float(), mask), "set[6] has a channel that shows the mask"),
        (lambda image, mask: (image, outline(mask)), "set[6] has thin closed outlines and nothing in them"),
    ],
)
def test_a_mask_that_is_drawn_in_another_way_is_found(said, change, sentence):
    text, _ = said(spoilt(k6=change))
    assert sentence in text
    assert "set[6]" in text


def outline(mask):
    thing = mask.numpy() > 0
    return torch.from_numpy((thing & ~ndimage.binary_erosion(thing, border_value=1)).astype(np.int64))


def test_a_network_of_membranes_is_no_outline(said):
    y, x = np.mgrid[:128, :128]
    mask = torch.from_numpy(((y % 24 < 3) | (x % 24 < 3)).astype(np.int64))
    noise = torch.rand(1, 128, 128, generator=torch.Generator().manual_seed(0))
    assert "closed outlines" not in said([(0.3 * noise + 0.5 * mask, mask)])[0]


def test_masks_of_other_images_are_found_wherever_their_image_is(said):
    """As where images are numbered from 0 and masks from 1."""
    pairs = spoilt()
    shifted = [(image, pairs[k - 1][1]) for k, (image, _) in enumerate(pairs)]
    text, _ = said(shifted[::2], shifted[1::2])
    assert "The masks of 12 of 12 pairs fit the image of another better: that of " in text
    assert "Are the names shifted by one?" in text


def test_images_that_were_scaled_in_another_way_are_found(said):
    dark = {f"k{k}": lambda image, mask: (image / 16, mask) for k in range(5)}
    text, _ = said(spoilt(**dark))
    assert "more than 3 times darker than all others in every part" in text
    blank = {f"k{k}": lambda image, mask: (image.min() + 0.01 * torch.rand_like(image), 0 * mask) for k in range(5)}
    assert "darker than all" not in said(spoilt(**blank))[0]  # nothing in them, and as bright where others are dark


def test_sets_that_differ_as_a_whole_are_found(said):
    pairs = spoilt()
    text, _ = said(pairs, [(image / 3, mask) for image, mask in pairs])
    assert "All images of set2 are darker than all of set1: the median of their means is" in text
    text, _ = said(pairs, [(image.expand(3, -1, -1), mask) for image, mask in pairs])
    assert "different numbers of channels, 1 in set1, 3 in set2" in text

    class Named(list):
        def __init__(self, pairs, classes):
            super().__init__(pairs)
            self.classes = classes

    text, _ = said(Named(pairs, ("ground", "cell")), Named(pairs, ("cell", "ground")))
    assert "The classes are ground, cell in set1 and cell, ground in set2" in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda image, mask: (image, 255 * mask),
            "So no pixel of an object is left. If 255 is the object: `mask // 255`",
        ),
        (lambda image, mask: (255 * image, mask), "Divide by the largest value that a pixel can have"),
        (lambda image, mask: (image / 20, mask), "a network learns little from that"),
    ],
)
def test_what_training_would_say_of_the_values_is_said_before(said, change, sentence):
    text = said([change(image, mask) for image, mask in spoilt()])[0]
    assert sentence in " ".join(text.split())


def test_mirrored_copies_in_two_sets_are_found(said):
    pairs = spoilt()
    turned = [(pairs[3][0].flip(1), pairs[3][1].flip(0)), (pairs[5][0].rot90(1, (1, 2)), pairs[5][1].rot90())]
    text = " ".join(said(pairs, turned)[0].split())
    assert "look nearly the same, one mirrored or turned, and are in two sets, as are 1 more" in text


def test_what_is_alike_in_two_sets_is_found_and_a_class_that_one_lacks(said):
    three = spoilt(**{f"k{k}": lambda image, mask: (image, mask * 2) for k in range(4)})
    text, _ = said(three, [(three[7][0] * 0.9 + 0.01, three[7][1]), TRAIN[0]])
    assert "set1[7] and set2[0] look nearly the same, and are in two sets, as are 1 more" in text
    assert "The class '2' is in no pair of set2" in text
    leaking = [load("brain", split, split_by="random") for split in ("train", "test")]
    assert "look nearly the same" in said(*leaking)[0]


def test_classes_that_are_nowhere_are_named_in_one_sentence(said):
    class Named(list):
        classes = ("ground", "cell", *"abcdef")

    assert "- The classes 'a', 'b', 'c', 'd' and 2 more are in no pair.\n" in said(Named(spoilt()))[0]


def test_object_and_background_exchanged(said):
    right = load("cells", "train", count=4, foreground=0.1)
    assert "exchanged" not in said(right)[0]
    assert "are object and background exchanged?" in said([(image, 1 - mask) for image, mask in right])[0]


def test_the_oddest_are_shown_each_with_why_and_the_alternative_text_says_it(said):
    text, alt = said(TRAIN)
    brightness = [float(image.mean()) for image, _ in TRAIN]
    darkest, brightest = int(np.argmin(brightness)), int(np.argmax(brightness))
    assert re.search(rf"train\[{darkest}\], [^:]*darkest", alt)
    assert f"train[{brightest}], brightest: mean brightness {brightness[brightest]:.2f}" in alt
    assert alt.startswith("6 pictures with the outlines of their masks. ")
    objects = sum(len(np.unique(labels)) - 1 for labels in TRAIN.instances)
    assert f"train: 12 pairs, {objects} objects" in text


def test_of_many_some_are_looked_at_and_that_is_said(said, monkeypatch):
    monkeypatch.setattr("helpers.data.checking._MOST", 5)
    assert "train: 5 pairs of 12, evenly chosen" in said(TRAIN)[0]


def test_a_folder_is_reported_by_the_names_of_its_files(said, tmp_path):
    from PIL import Image

    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for k, (image, mask) in enumerate(TRAIN):
        Image.fromarray((255 * image[0]).byte().numpy()).save(tmp_path / "images" / f"dish{k}.png")
        Image.fromarray(mask.byte().numpy()).save(tmp_path / "masks" / f"dish{k}.png")
    folders = {"images": tmp_path / "images", "masks": tmp_path / "masks", "classes": ("background", "cell")}
    text, alt = said(*(load("folder", split, **folders) for split in ("train", "test")))
    assert text.count("12 pairs in") == 2  # as it was loaded, and once more
    assert "connected regions of object" in text
    assert "dish" in alt


def test_no_set_and_empty_sets_are_told():
    with pytest.raises(TypeError, match=r"data\.check_up\(train, validation, test\)"):
        check_up()
    with pytest.raises(TypeError, match="'train' is a name. Give the pairs: train = data.load"):
        check_up("train")
    with pytest.raises(ValueError, match="have no pair"):
        check_up([])
    with pytest.raises(ValueError, match="no image with its mask"):
        check_up(TRAIN[0])


def test_a_shift_in_a_large_picture_is_found(said):
    far = np.hypot(*(np.mgrid[:1500, :1200] - 600))
    mask = torch.from_numpy((far < 300).astype(np.int64))
    image = (0.2 + 0.5 * mask + 0.05 * torch.randn(mask.shape, generator=torch.Generator().manual_seed(0))).clip(0, 1)[
        None
    ]
    assert "beside the edges" not in said([(image, mask)])[0]
    assert "moved 16 pixels left" in said([(image, mask.roll(15, 1))])[0]
