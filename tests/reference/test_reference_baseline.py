"""Lesson 10's references: against torchvision, `evaluate`, and what training does."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.transforms import functional as TF

from helpers.reference.baseline import compare, freeze_encoder, normalise
from helpers.reference.training import evaluate
from helpers.reference.unet import UNet

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@given(
    channels=st.integers(1, 5),
    batch=st.integers(0, 3),
    h=st.integers(1, 7),
    w=st.integers(1, 7),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_normalise_is_that_of_torchvision(channels, batch, h, w, seed):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(*([batch] if batch else []), channels, h, w, generator=generator)
    mean, std = torch.rand(2, channels, generator=generator).add(0.1).tolist()
    before = image.clone()
    torch.testing.assert_close(normalise(image, mean, std), TF.normalize(image, mean, std))
    assert torch.equal(image, before)


def test_grey_is_normalised_as_its_picture_in_colour():
    grey = torch.rand(2, 1, 4, 5)
    torch.testing.assert_close(normalise(grey, MEAN, STD), normalise(grey.repeat(1, 3, 1, 1), MEAN, STD))
    assert normalise(grey[0], MEAN, STD).shape == (3, 4, 5)


def test_normalise_refuses_channels_that_do_not_fit():
    with pytest.raises(ValueError, match="2 channels does not go with 3 means"):
        normalise(torch.rand(2, 4, 5), MEAN, STD)
    with pytest.raises(ValueError, match="3 means and 1 standard"):
        normalise(torch.rand(3, 4, 5), MEAN, STD[:1])


def _train(model, steps=2):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(steps):
        model.train()
        optimizer.zero_grad()
        model(torch.rand(2, 1, 8, 8)).square().mean().backward()
        optimizer.step()


def test_training_leaves_a_frozen_encoder_as_it_is_and_moves_the_rest():
    torch.manual_seed(0)
    model = UNet(1, 2, base_channels=4, depth=2)
    _train(model)
    before = copy.deepcopy(model.state_dict())
    assert freeze_encoder(model) is model
    _train(model)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("encoder."), name


def test_a_frozen_encoder_gives_the_same_features_in_both_modes():
    model = freeze_encoder(UNet(1, 2, base_channels=4, depth=2))
    x = torch.rand(2, 1, 8, 8)
    bottleneck = model.eval().encoder(x)[0]
    assert torch.equal(model.train().encoder(x)[0], bottleneck)
    assert model.training
    assert model.decoder.training
    assert not model.eval().decoder.training


def test_a_copy_of_a_frozen_model_is_frozen_by_itself():
    model = freeze_encoder(UNet(1, 2, base_channels=4, depth=2))
    twin = copy.deepcopy(model).train()
    assert not twin.encoder.training
    nn.Module.train(model.encoder, True)
    assert not twin.train().encoder.training


def _models():
    torch.manual_seed(1)
    return {"large": UNet(1, 1, base_channels=4, depth=2), "small": UNet(1, 1, base_channels=2, depth=1)}


def test_compare_gives_a_row_a_model():
    models = _models()
    models["small"].eval()
    loader = [(torch.rand(n, 1, 8, 8), torch.randint(0, 2, (n, 8, 8))) for n in (2, 1)]
    rows = compare(models, loader)
    assert [row["name"] for row in rows] == ["large", "small"]
    for row, model in zip(rows, models.values(), strict=True):
        assert list(row) == ["name", "parameters", "ms", "dice", "iou"]
        scores = evaluate(model, loader)
        assert (row["dice"], row["iou"]) == (scores["dice"], scores["iou"])
        assert row["parameters"] == nn.utils.parameters_to_vector(model.parameters()).numel()
        assert row["ms"] > 0
    assert rows[0]["parameters"] > rows[1]["parameters"]
    assert (models["large"].training, models["small"].training) == (True, False)


def test_compare_counts_frozen_parameters():
    models = _models()
    loader = [(torch.rand(1, 1, 8, 8), torch.randint(0, 2, (1, 8, 8)))]
    before = compare(models, loader)[0]["parameters"]
    freeze_encoder(models["large"])
    assert compare(models, loader)[0]["parameters"] == before
