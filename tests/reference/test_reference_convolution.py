"""Lesson 04's reference: against PyTorch's own, and by what each piece must do."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_made import SEEDS, normal
from torch import nn

from helpers.reference.convolution import conv2d, output_size, pointwise, receptive_field
from helpers.reference.unet import DoubleConv

sides = st.integers(5, 10)
kernels = st.integers(1, 5)
strides = st.integers(1, 4)
paddings = st.integers(0, 3)
chains = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), max_size=4)


# ---- conv2d ----


@settings(max_examples=40)
@given(sides, sides, kernels, st.floats(-3, 3, width=32), strides, paddings, SEEDS)
def test_conv2d_agrees_with_torch(height, width, k, bias, stride, padding, seed):
    image, kernel = normal(seed, height, width), normal(seed + 1, k, k)
    expected = F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0] + bias
    torch.testing.assert_close(conv2d(image, kernel, bias, stride, padding), expected, rtol=1e-4, atol=1e-5)


def test_conv2d_by_hand():
    image = torch.tensor([[1.0, 0, 2], [0, 3, 1]])
    kernel = torch.tensor([[1.0, 2], [0, -1]])
    assert conv2d(image, kernel).tolist() == [[-2.0, 3.0]]
    assert conv2d(image, kernel, bias=0.5, padding=1, stride=2).tolist() == [[-0.5, -1.5], [0.5, 5.5]]


def test_conv2d_leaves_its_input_keeps_dtype_and_lets_gradients_through():
    image, kernel = normal(0, 5, 6).double(), normal(1, 3, 3).double()
    before = image.clone()
    assert conv2d(image, kernel, 0.5, 2, 1).dtype == torch.float64
    assert torch.equal(image, before)
    torch.autograd.gradcheck(lambda i, k: conv2d(i, k, 0.5, 2, 1), (image.requires_grad_(), kernel.requires_grad_()))


# ---- output_size ----


@settings(max_examples=100)
@given(st.integers(1, 60), kernels, st.integers(1, 6), paddings, st.integers(1, 4))
def test_output_size_is_what_torch_gives_or_nothing_where_torch_refuses(size, kernel, stride, padding, dilation):
    expected = output_size(size, kernel, stride, padding, dilation)
    convolve = nn.Conv1d(1, 1, kernel, stride, padding, dilation)
    if expected <= 0:
        with pytest.raises(RuntimeError):
            convolve(torch.zeros(1, 1, size))
    else:
        assert convolve(torch.zeros(1, 1, size)).shape[-1] == expected


def test_output_size_of_the_2015_network():
    side = 572
    for _ in range(2):
        side = output_size(side, 3)
    assert (side, output_size(side, 2, stride=2)) == (568, 284)


# ---- receptive_field ----


@settings(max_examples=60)
@given(chains)
def test_receptive_field_is_where_the_gradient_of_one_value_arrives(layers):
    x = torch.zeros(1, 1, 400, requires_grad=True)
    y = x
    for kernel, stride in layers:
        y = F.conv1d(y, torch.ones(1, 1, kernel), stride=stride)
    y[0, 0, 0].backward()
    assert receptive_field(layers) == _reach(x.grad)


def _reach(gradient):
    """Pixels from the first to the last that counts; a stride wider than its kernel leaves some out in between."""
    seen = gradient.flatten().nonzero().flatten()
    return int(seen[-1] - seen[0]) + 1


def test_receptive_field_takes_any_iterable_and_is_1_without_layers():
    assert receptive_field([]) == 1
    assert receptive_field(iter([(3, 1), (3, 1)])) == 5
    assert receptive_field([(3, 1), (3, 1), (2, 2)] * 4 + [(3, 1), (3, 1)]) == 140


# ---- DoubleConv ----


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(6, 12), st.integers(6, 12), st.integers(0, 2), st.booleans())
def test_double_conv_keeps_or_shortens_the_sides(in_channels, out_channels, h, w, padding, norm):
    block = DoubleConv(in_channels, out_channels, padding, norm)
    y = block(torch.randn(2, in_channels, h, w))
    assert y.shape == (2, out_channels, h + 4 * padding - 4, w + 4 * padding - 4)
    assert (y >= 0).all()
    assert sum(isinstance(m, nn.BatchNorm2d) for m in block.modules()) == (2 if norm else 0)
    assert all((m.bias is None) == norm for m in block.modules() if isinstance(m, nn.Conv2d))


# ---- pointwise ----


@settings(max_examples=40)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), SEEDS)
def test_pointwise_agrees_with_torch(n, c, k, h, w, seed):
    x, weight, bias = normal(seed, n, c, h, w), normal(seed + 1, k, c), normal(seed + 2, k)
    expected = F.conv2d(x, weight[:, :, None, None], bias)
    torch.testing.assert_close(pointwise(x, weight, bias), expected, rtol=1e-4, atol=1e-5)


def test_pointwise_takes_a_tensor_that_is_not_contiguous_and_lets_gradients_through():
    x = normal(0, 2, 4, 5, 3).permute(0, 3, 1, 2).double().requires_grad_()
    weight, bias = normal(1, 2, 3).double().requires_grad_(), normal(2, 2).double().requires_grad_()
    assert pointwise(x, weight, bias).shape == (2, 2, 4, 5)
    torch.autograd.gradcheck(pointwise, (x, weight, bias))


def test_pointwise_refuses_a_weight_for_other_channels():
    with pytest.raises(RuntimeError):
        pointwise(torch.zeros(1, 3, 2, 2), torch.zeros(2, 4), torch.zeros(2))
