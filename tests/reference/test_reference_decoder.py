"""Lesson 06's reference: against PyTorch's and scipy's own, and by what each piece must do."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_made import SEEDS, normal
from scipy import ndimage

from helpers.reference.decoder import Hourglass, transposed_conv2d, upsample_nearest
from helpers.reference.unet import UpConv

sides = st.integers(1, 7)
channels = st.integers(1, 4)


@settings(max_examples=60)
@given(sides, sides, st.integers(1, 5), st.integers(1, 4), SEEDS)
def test_transposed_conv2d_agrees_with_torch(height, width, k, stride, seed):
    x, kernel = normal(seed, height, width), normal(seed + 1, k, k)
    expected = F.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]
    torch.testing.assert_close(transposed_conv2d(x, kernel, stride), expected)


def test_transposed_conv2d_keeps_dtype_and_lets_gradients_through():
    x, kernel = normal(0, 3, 2).double().requires_grad_(), normal(1, 3, 3).double().requires_grad_()
    assert transposed_conv2d(x, kernel).dtype == torch.float64
    torch.autograd.gradcheck(transposed_conv2d, (x, kernel))


@settings(max_examples=60)
@given(channels, channels, sides, sides, st.integers(1, 4), SEEDS)
def test_upsample_nearest_agrees_with_torch_and_scipy(n, c, height, width, scale, seed):
    x = normal(seed, n, c, height, width)
    y = upsample_nearest(x, scale)
    assert torch.equal(y, F.interpolate(x, scale_factor=scale, mode="nearest"))
    grown = ndimage.zoom(x.numpy(), (1, 1, scale, scale), order=0, grid_mode=True, mode="nearest")
    assert np.array_equal(y.numpy(), grown)


def test_upsample_nearest_takes_labels_too():
    labels = torch.tensor([[[[3, 7]]]])
    assert upsample_nearest(labels).tolist() == [[[[3, 3, 7, 7], [3, 3, 7, 7]]]]


@pytest.mark.parametrize("mode", ["transposed", "nearest", "bilinear"])
@settings(max_examples=15)
@given(n=channels, i=channels, o=channels, height=sides, width=sides)
def test_up_conv_doubles_the_sides_in_every_mode(mode, n, i, o, height, width):
    assert UpConv(i, o, mode)(torch.zeros(n, i, height, width)).shape == (n, o, 2 * height, 2 * width)


def test_up_conv_transposed_is_a_sum_of_stamps():
    layer, x = UpConv(2, 1), normal(0, 1, 2, 3, 4)
    weight, bias = layer.parameters()
    expected = sum(transposed_conv2d(x[0, c], weight[c, 0]) for c in range(2)) + bias
    torch.testing.assert_close(layer(x)[0, 0], expected)


def test_up_conv_nearest_copies_before_it_convolves():
    layer, x = UpConv(2, 3, "nearest"), normal(0, 2, 2, 3, 4)
    weight, bias = layer.parameters()
    torch.testing.assert_close(layer(x), F.conv2d(upsample_nearest(x), weight, bias, padding=1))


def test_up_conv_bilinear_keeps_a_ramp_straight():
    layer = UpConv(1, 1, "bilinear")
    weight, bias = layer.parameters()
    with torch.no_grad():
        weight.zero_()[0, 0, 1, 1] = 1
        bias.zero_()
    ramp = layer(torch.arange(4.0).expand(1, 1, 3, 4))[0, 0, 0]
    assert ramp.tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]


@pytest.mark.parametrize("mode", ["cubic", "", "Transposed", None])
def test_up_conv_refuses_an_unknown_mode(mode):
    with pytest.raises(ValueError, match='Choose "transposed", "nearest" or "bilinear"'):
        UpConv(1, 1, mode)


@settings(max_examples=20)
@given(st.integers(1, 3), channels, channels, st.integers(1, 3), st.integers(1, 3), st.integers(2, 3))
def test_hourglass_gives_logits_of_the_images_size(n, i, k, base, depth, times):
    shape = times * 2**depth, 2 * 2**depth
    assert Hourglass(i, k, base, depth)(torch.zeros(n, i, *shape)).shape == (n, k, *shape)


def test_hourglass_by_default_goes_down_four_times_from_16_channels():
    model = Hourglass(1, 2)
    seen = []
    model.encoder.register_forward_hook(lambda module, args, result: seen.append(result[0].shape))
    model(torch.zeros(2, 1, 32, 48))
    assert seen == [(2, 256, 2, 3)]


def test_hourglass_knows_only_the_bottleneck():
    model = Hourglass(1, 2, base_channels=2, depth=2).eval()
    bottleneck, skips = model.encoder(normal(0, 1, 1, 8, 8))
    model.encoder.forward = lambda x: (bottleneck, [torch.full_like(s, torch.nan) for s in skips])
    assert model(torch.zeros(1, 1, 8, 8)).isfinite().all()


@pytest.mark.parametrize(("sides", "fit"), [((30, 32), "32 × 32"), ((16, 40), "16 × 48"), ((1, 17), "16 × 32")])
def test_hourglass_says_which_sides_fit(sides, fit):
    with pytest.raises(ValueError, match=f"{sides[0]} × {sides[1]} do not divide by 16.*to {fit}"):
        Hourglass(1, 1)(torch.zeros(1, 1, *sides))


def test_every_parameter_of_the_hourglass_gets_a_gradient():
    model = Hourglass(2, 3, base_channels=2, depth=2)
    (model(normal(0, 2, 2, 8, 12)) * normal(1, 2, 3, 8, 12)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
