"""Lesson 07's reference: against numpy, torchvision and PyTorch, and by what each piece must do."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_made import SEEDS, normal
from torch import nn
from torchvision.transforms import functional as tv

from helpers.reference.padding import center_crop, pad_to_multiple, unpad
from helpers.reference.unet import UNet, Up

sides = st.integers(1, 9)
channels = st.integers(1, 4)


@given(sides, sides, st.integers(0, 9), st.integers(0, 9), SEEDS)
def test_center_crop_is_what_lies_in_the_middle(height, width, rows, columns, seed):
    x = normal(seed, 2, 3, height + rows, width + columns)
    y = center_crop(x, (height, width))
    assert y.shape == (2, 3, height, width)
    top, left = int(np.floor(rows / 2)), int(np.floor(columns / 2))
    back = np.pad(y.numpy(), ((0, 0), (0, 0), (top, rows - top), (left, columns - left)), constant_values=np.nan)
    assert np.array_equal(np.where(np.isnan(back), x.numpy(), back), x.numpy())
    if rows % 2 == 0 and columns % 2 == 0:  # where nothing is left over, there is one middle
        assert torch.equal(y, tv.center_crop(x, [height, width]))


@pytest.mark.parametrize("size", [(4, 3), (3, 5), (9, 9)])
def test_center_crop_refuses_a_size_that_does_not_fit(size):
    with pytest.raises(ValueError, match=f"no {size[0]} × {size[1]} pixels in a map of 3 × 4"):
        center_crop(torch.zeros(1, 1, 3, 4), size)


@given(st.integers(1, 3), channels, st.integers(1, 40), st.integers(1, 40), st.integers(1, 33), SEEDS)
def test_padding_fits_is_smallest_and_is_undone(n, c, height, width, multiple, seed):
    x = normal(seed, n, c, height, width)
    padded, pads = pad_to_multiple(x, multiple)
    assert torch.equal(padded, F.pad(x, pads))
    assert torch.equal(unpad(padded, pads), x)
    assert all(side % multiple == 0 for side in padded.shape[2:])
    assert all(0 <= new - old < multiple for new, old in zip(padded.shape[2:], x.shape[2:], strict=True))
    left, right, top, bottom = pads
    assert 0 <= right - left <= 1
    assert 0 <= bottom - top <= 1


def test_unpad_fits_logits_with_other_channels():
    padded, pads = pad_to_multiple(torch.zeros(2, 1, 5, 6), 4)
    assert pads == (1, 1, 1, 2)
    assert unpad(padded.expand(2, 3, -1, -1), pads).shape == (2, 3, 5, 6)


@settings(max_examples=30)
@given(
    st.integers(1, 3), channels, channels, channels, st.integers(2, 5), st.integers(2, 5), st.booleans(), st.booleans()
)
def test_up_gives_the_skips_size(n, i, s, o, h, w, taller, wider):
    size = 2 * h + taller, 2 * w + wider
    assert Up(i, s, o)(torch.zeros(n, i, h, w), torch.zeros(n, s, *size)).shape == (n, o, *size)


def test_up_puts_the_skip_first_and_zeros_where_a_row_is_missing():
    block, seen = Up(3, 2, 4), []
    block.conv.register_forward_hook(lambda module, args, result: seen.append(args[0]))
    x, skip = normal(0, 2, 3, 3, 2), normal(1, 2, 2, 7, 5)
    block(x, skip)
    (both,) = seen
    assert torch.equal(both[:, :2], skip)
    assert torch.equal(both[:, 2:, :6, :4], block.up(x))
    assert not both[:, 2:, 6:].any()
    assert not both[:, 2:, :, 4:].any()


@settings(max_examples=20)
@given(
    st.integers(1, 3), channels, channels, st.integers(1, 3), st.integers(1, 3), st.integers(0, 9), st.integers(0, 9)
)
def test_unet_gives_logits_of_the_images_size_for_any_sides(n, i, k, base, depth, rows, columns):
    shape = 2 * 2**depth + rows, 2 * 2**depth + columns
    assert UNet(i, k, base, depth)(torch.zeros(n, i, *shape)).shape == (n, k, *shape)


def test_unet_agrees_with_one_written_out_by_hand():
    torch.manual_seed(0)
    model, x = UNet(2, 3, base_channels=4, depth=2).eval(), normal(0, 2, 2, 13, 10)

    def block(x):  # conv, norm, ReLU, twice
        for _ in range(2):
            conv, norm, _ = next(weights), next(weights), next(weights)
            x = F.conv2d(x, conv.weight, padding=1)
            x = F.relu(F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias))
        return x

    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d | nn.ReLU)]
    weights = iter(layers)
    full = block(x)
    half = block(F.max_pool2d(full, 2))
    y = block(F.max_pool2d(half, 2))
    assert y.shape == (2, 16, 3, 2)
    for skip in (half, full):
        way_up = next(weights)
        y = F.conv_transpose2d(y, way_up.weight, way_up.bias, stride=2)
        canvas = torch.zeros(2, y.shape[1], *skip.shape[2:])
        canvas[:, :, : y.shape[2], : y.shape[3]] = y
        y = block(torch.cat([skip, canvas], dim=1))
    head = next(weights)
    torch.testing.assert_close(model(x), F.conv2d(y, head.weight, head.bias))


def test_the_papers_unet_has_31_million_parameters():
    with torch.device("meta"):
        model = UNet(1, 2, base_channels=64)
    convolutions = sum(p.numel() for m in model.modules() if isinstance(m, nn.Conv2d) for p in m.parameters())
    # by hand: every 3×3 of the figure, then the head with its bias
    down = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    up = [(512, 1024), (1024, 1024), (1024, 512), (512, 512), (512, 256), (256, 256), (256, 128), (128, 128)]
    up += [(128, 64), (64, 64)]
    assert convolutions == sum(9 * i * o for i, o in down + up) + 64 * 2 + 2
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(31e6, rel=0.01)


def test_every_parameter_and_every_skip_of_the_unet_gets_a_gradient():
    model, kept = UNet(2, 3, base_channels=2, depth=3), []

    def keep(module, args, result):
        for skip in result[1]:
            skip.retain_grad()
            kept.append(skip)

    model.encoder.register_forward_hook(keep)
    (model(normal(0, 2, 2, 19, 17)) * normal(1, 2, 3, 19, 17)).sum().backward()
    assert len(kept) == 3
    assert all(x.grad is not None and x.grad.abs().sum() > 0 for x in [*kept, *model.parameters()])


def test_unet_needs_a_pixel_at_the_bottom():
    with pytest.raises(RuntimeError):
        UNet(1, 1, base_channels=1, depth=3)(torch.zeros(1, 1, 7, 16))
