"""Lesson 01's reference: against numpy, torch's one_hot, scikit-image, torchvision, and a DataLoader."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference_made import SEEDS
from skimage.measure import regionprops
from torch.utils.data import DataLoader
from torchvision.transforms import functional as vision

from helpers.reference.pixels import PairDataset, flip_pair, mask_to_box, one_hot, to_tensor

sides = st.integers(1, 12)
greys = hnp.arrays(np.uint8, st.tuples(sides, sides))
pictures = greys | hnp.arrays(np.uint8, st.tuples(sides, sides, st.integers(1, 4)))


@given(pictures)
def test_to_tensor_agrees_with_torchvision(image):
    before = image.copy()
    tensor = to_tensor(image)
    assert tensor.dtype == torch.float32
    assert tensor.shape == (image.shape[2] if image.ndim == 3 else 1, *image.shape[:2])
    torch.testing.assert_close(tensor, vision.to_tensor(image))
    tensor.zero_()
    assert (image == before).all()


def test_to_tensor_takes_what_numpy_can_hold():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    for view in (image[::-1], image[:, ::2], image.transpose(1, 0, 2)):
        assert torch.equal(to_tensor(view), to_tensor(np.ascontiguousarray(view)))
    image.flags.writeable = False
    to_tensor(image)


@pytest.mark.parametrize(
    "image", [np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int64), np.zeros(3, np.uint8), np.zeros((1, 2, 3, 3))]
)
def test_to_tensor_refuses_other_arrays(image):
    with pytest.raises(ValueError, match=r"must be uint8 of shape \(H, W\) or \(H, W, C\)"):
        to_tensor(image)


@given(st.integers(1, 8), sides, sides, SEEDS, st.sampled_from([255, -1, 8, 100]))
def test_one_hot_agrees_with_torch(num_classes, height, width, seed, ignore_index):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.randint(0, num_classes, (height, width), generator=generator)
    expected = F.one_hot(mask, num_classes).permute(2, 0, 1).float()
    torch.testing.assert_close(one_hot(mask, num_classes), expected)

    ignored = torch.rand(height, width, generator=generator) < 0.3
    hot = one_hot(mask.masked_fill(ignored, ignore_index), num_classes, ignore_index)
    torch.testing.assert_close(hot, expected * ~ignored)


def test_one_hot_ignores_a_class():
    assert one_hot(torch.tensor([[0, 1]]), 2, ignore_index=0).tolist() == [[[0, 0]], [[0, 1]]]


@pytest.mark.parametrize("value", [3, -1, 254])
def test_one_hot_refuses_what_is_no_class(value):
    with pytest.raises(ValueError, match=f"holds {value}; with num_classes=3 the classes are 0 to 2"):
        one_hot(torch.tensor([[0, value]]), 3)


@given(hnp.arrays(bool, st.tuples(sides, sides)))
def test_mask_to_box_agrees_with_scikit_image(array):
    box = mask_to_box(torch.from_numpy(array))
    if not array.any():
        assert box is None
        return
    y0, x0, y1, x1 = regionprops(array.astype(int))[0].bbox
    assert box == (x0, y0, x1, y1)
    assert all(type(side) is int for side in box)


@given(st.integers(1, 4), sides, sides, st.booleans(), st.booleans())
def test_flip_pair_mirrors_both(channels, height, width, horizontal, vertical):
    mask = torch.arange(height * width).reshape(height, width)
    image = torch.stack([mask + 1000.0 * c for c in range(channels)])
    flipped_image, flipped_mask = flip_pair(image, mask, horizontal, vertical)
    expected = mask.numpy()[:: -1 if vertical else 1, :: -1 if horizontal else 1]
    assert (flipped_mask.numpy() == expected).all()
    for c in range(channels):
        assert (flipped_image[c].numpy() == expected + 1000 * c).all()
    again = flip_pair(flipped_image, flipped_mask, horizontal, vertical)
    assert torch.equal(again[0], image)
    assert torch.equal(again[1], mask)


def some_pairs(count=5, shape=(4, 6, 3)):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(count)]
    return images, [rng.integers(0, 4, shape[:2], dtype=np.uint8) for _ in range(count)]


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.uint16, np.int64])
def test_pair_dataset_gives_new_tensors(dtype):
    images, masks = some_pairs()
    masks = [mask.astype(dtype) for mask in masks]
    pairs = PairDataset(images, masks)
    assert len(pairs) == 5
    for _ in range(2):
        image, mask = pairs[3]
        torch.testing.assert_close(image, to_tensor(images[3]))
        assert mask.dtype == torch.int64
        assert (mask.numpy() == masks[3]).all()
        image.zero_()
        mask.fill_(9)


def test_pair_dataset_ends():
    images, masks = some_pairs(3)
    pairs = PairDataset(images, masks)
    assert len(list(itertools.islice(pairs, 10))) == 3
    assert torch.equal(pairs[-1][0], pairs[2][0])
    for index in (3, -4):
        with pytest.raises(IndexError):
            pairs[index]


def test_pair_dataset_transforms_the_pair_each_time_it_is_fetched():
    images, masks = some_pairs(2)
    seen = []

    def transform(image, mask):
        seen.append((image.dtype, mask.dtype, image.shape, mask.shape))
        return flip_pair(image, mask, True, False)

    pairs = PairDataset(images, masks, transform)
    assert seen == []
    plain = PairDataset(images, masks)[1]
    for _ in range(2):
        image, mask = pairs[1]
        assert torch.equal(image, plain[0].flip(-1))
        assert torch.equal(mask, plain[1].flip(-1))
    assert seen == [(torch.float32, torch.int64, (3, 4, 6), (4, 6))] * 2


def test_pair_dataset_feeds_a_loader():
    images, masks = some_pairs(5, (4, 6))
    batches = list(DataLoader(PairDataset(images, masks), batch_size=2))
    assert [tuple(image.shape) for image, _ in batches] == [(2, 1, 4, 6), (2, 1, 4, 6), (1, 1, 4, 6)]
    assert [tuple(mask.shape) for _, mask in batches] == [(2, 4, 6), (2, 4, 6), (1, 4, 6)]


def test_pair_dataset_refuses_a_missing_mask():
    images, masks = some_pairs(3)
    with pytest.raises(ValueError, match="There are 3 images and 2 masks"):
        PairDataset(images, masks[:2])
