"""Batches are a function of the seed and their number."""

import itertools
import threading
from collections import Counter

import pytest
import torch

from helpers import data
from helpers.crops import Crops, any_way_up
from helpers.reference.training import augment_pair


def pairs(*sizes):
    """Images of the given sizes; every pixel of image k is k + 1, its mask k."""
    return [(torch.full((1, h, w), k + 1.0), torch.full((h, w), k)) for k, (h, w) in enumerate(sizes)]


def nuclei(crop=32, seed=0):
    return Crops(data.load("nuclei", "train", tile=None), crop, 4, augment_pair, seed)


def test_shapes_and_types_of_real_data():
    images, masks = nuclei(64).batch(0)
    assert (images.shape, images.dtype) == ((4, 1, 64, 64), torch.float32)
    assert (masks.shape, masks.dtype) == ((4, 64, 64), torch.int64)
    assert type(images) is type(masks) is torch.Tensor


def test_a_batch_depends_on_the_seed_and_its_number_alone():
    forward = [nuclei(seed=3).batch(k) for k in range(6)]
    again = nuclei(seed=3)
    for k in (5, 0, 3):
        assert all(torch.equal(x, y) for x, y in zip(again.batch(k), forward[k], strict=True))
    assert not torch.equal(nuclei(seed=4).batch(0)[0], forward[0][0])
    assert not torch.equal(forward[0][0], forward[1][0])


def test_the_global_generator_is_neither_read_nor_moved():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    nuclei().batch(0)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_parts_of_a_batch_are_the_batch():
    crops = nuclei()
    whole, parts = crops.batch(2), [crops.batch(2, part, 2) for part in range(2)]
    assert all(torch.equal(whole[k], torch.cat([p[k] for p in parts])) for k in range(2))


def test_an_epoch_shows_each_image_in_proportion_to_its_area():
    crops = Crops(pairs((8, 8), (8, 16), (16, 16)), 8, 1, None)
    assert crops.batches_an_epoch == 7
    for epoch in range(3):
        seen = [int(crops.batch(7 * epoch + k)[1][0, 0, 0]) for k in range(7)]
        assert [seen.count(k) for k in range(3)] == [1, 2, 4]


def test_two_epochs_have_two_orders():
    crops = Crops(pairs(*[(4, 4)] * 8), None, 8, None)
    assert crops.batch(0)[1][:, 0, 0].tolist() != crops.batch(1)[1][:, 0, 0].tolist()


def test_what_is_smaller_than_a_crop_is_filled_up_and_has_no_label_there():
    image, mask = (x[0] for x in Crops(pairs((3, 5)), 8, 1, None).batch(0))
    assert (image[0, :3, :5] == 1).all()
    assert image.sum() == 15
    assert (mask == 0).sum() == 15
    assert (mask == 255).sum() == 64 - 15


def test_ahead_gives_the_same_batches_and_ends_its_thread():
    crops, before = nuclei(), threading.active_count()
    batches = crops.ahead(3)
    for k, (images, _) in enumerate(itertools.islice(batches, 5)):
        assert torch.equal(images, crops.batch(3 + k)[0])
    batches.close()
    assert threading.active_count() == before


def test_an_error_in_the_thread_is_raised_where_the_batch_is_awaited():
    def broken(image, mask, generator):
        raise RuntimeError("my augmentation")

    with pytest.raises(RuntimeError, match="my augmentation"):
        next(Crops(pairs((8, 8)), 8, 1, broken).ahead(0))


def test_sizes_that_differ_need_a_crop_and_an_empty_set_is_refused():
    with pytest.raises(ValueError, match=r"differ in size \(4×4, 4×8\).*Give crop="):
        Crops(pairs((4, 4), (4, 8)), None, 2, None)
    with pytest.raises(ValueError, match="no pairs"):
        Crops([], 8, 2, None)


@pytest.mark.parametrize(("shape", "ways"), [((3, 3), 8), ((2, 3), 4)])
def test_any_way_up_gives_every_way_alike_and_moves_image_and_mask_together(shape, ways):
    mask = torch.arange(shape[0] * shape[1]).view(shape)
    generator = torch.Generator().manual_seed(0)
    drawn = [any_way_up(mask[None] / 10, mask, generator) for _ in range(100 * ways)]
    assert all(torch.equal(image[0], turned / 10) for image, turned in drawn)
    counts = Counter(tuple(turned.flatten().tolist()) for _, turned in drawn)
    assert {turned.shape for _, turned in drawn} == {mask.shape}
    assert len(counts) == ways
    assert min(counts.values()) > 60


class Counting(torch.utils.data.Dataset):
    """Counts how often each of its pairs is read."""

    def __init__(self):
        self.reads = Counter()

    def __len__(self):
        return 6

    def __getitem__(self, k):
        self.reads[k] += 1
        return torch.full((1, 16, 16), k / 7), torch.full((16, 16), k)


def test_pairs_are_read_once_as_far_as_they_go_into_memory(monkeypatch):
    monkeypatch.setattr("helpers.crops.KEPT_BYTES", 3 * 16 * 16 * 2)
    counted = Counting()
    crops = Crops(counted, None, 6, None)
    counted.reads.clear()
    for k in range(5):
        assert sorted(crops.batch(k)[1][:, 0, 0].tolist()) == [0, 1, 2, 3, 4, 5]
    assert sorted(counted.reads.values()) == [1, 1, 1, 5, 5, 5]


class Flipping(torch.utils.data.Dataset):
    """Augments its pairs itself, as many data sets do."""

    def __len__(self):
        return 4

    def __getitem__(self, k):
        image, mask = torch.arange(16.0).view(1, 4, 4) + k, torch.eye(4, dtype=torch.int64)
        return (image.flip(-1), mask.flip(-1)) if torch.rand(()) < 0.5 else (image, mask)


def test_a_set_that_augments_its_pairs_is_read_anew_each_time():
    torch.manual_seed(0)
    crops = Crops(Flipping(), None, 4, None)
    seen = {tuple(image.flatten().tolist()) for number in range(20) for image in crops.batch(number)[0]}
    assert len(seen) == 8
