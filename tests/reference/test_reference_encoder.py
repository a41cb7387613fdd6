"""Lesson 05's reference: against PyTorch's own, and by what each piece must do."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_made import SEEDS, normal

from helpers.reference.encoder import max_pool2x2
from helpers.reference.unet import DoubleConv, Down, Encoder

few = st.integers(1, 4)


# ---- max_pool2x2 ----


@settings(max_examples=60)
@given(few, few, st.integers(2, 11), st.integers(2, 11), SEEDS)
def test_max_pool_agrees_with_torch(n, c, h, w, seed):
    x = normal(seed, n, c, h, w) - 1
    assert torch.equal(max_pool2x2(x), F.max_pool2d(x, 2))
    turned = x.transpose(2, 3)  # not contiguous
    assert torch.equal(max_pool2x2(turned), F.max_pool2d(turned, 2))


def test_max_pool_sends_the_gradient_to_the_largest_pixel():
    x = normal(0, 2, 3, 5, 6).requires_grad_()
    weights = normal(1, 2, 3, 2, 3)
    own = torch.autograd.grad((weights * max_pool2x2(x)).sum(), x)
    library = torch.autograd.grad((weights * F.max_pool2d(x, 2)).sum(), x)
    assert torch.equal(own[0], library[0])


def test_max_pool_leaves_its_input():
    x = normal(0, 1, 2, 4, 4)
    before = x.clone()
    max_pool2x2(x).zero_()
    assert torch.equal(x, before)


# ---- Down ----


@settings(max_examples=25)
@given(few, few, st.integers(4, 13), st.integers(4, 13))
def test_down_is_pooling_then_the_block(in_channels, out_channels, h, w):
    down = Down(in_channels, out_channels).eval()
    block = DoubleConv(in_channels, out_channels).eval()
    block.load_state_dict(dict(zip(block.state_dict(), down.state_dict().values(), strict=True)))
    x = torch.randn(2, in_channels, h, w)
    assert down(x).shape == (2, out_channels, h // 2, w // 2)
    torch.testing.assert_close(down(x), block(F.max_pool2d(x, 2)))


# ---- Encoder ----


@settings(max_examples=25)
@given(few, st.integers(1, 5), st.integers(0, 3), st.integers(16, 25), st.integers(16, 25))
def test_encoder_gives_the_levels_it_promises(in_channels, base, depth, h, w):
    bottleneck, skips = Encoder(in_channels, base, depth)(torch.randn(2, in_channels, h, w))
    assert isinstance(skips, list)
    shapes = [tuple(level.shape) for level in [*skips, bottleneck]]
    assert shapes == [(2, base * 2**k, h // 2**k, w // 2**k) for k in range(depth + 1)]


def test_encoder_has_the_channels_of_the_course_by_default():
    bottleneck, skips = Encoder(3)(torch.randn(1, 3, 32, 48))
    assert [s.shape[1] for s in skips] == [16, 32, 64, 128]
    assert bottleneck.shape == (1, 256, 2, 3)


@pytest.mark.parametrize("output", range(4))
def test_each_level_sends_gradient_to_all_blocks_above_it(output):
    encoder = Encoder(2, 3, depth=3)
    bottleneck, skips = encoder(normal(0, 2, 2, 17, 22))
    [*skips, bottleneck][output].square().sum().backward()
    for k, block in enumerate([encoder.first, *encoder.downs]):
        assert all((p.grad is not None) == (k <= output) for p in block.parameters())


def test_encoder_keeps_nothing_from_call_to_call():
    encoder = Encoder(1, 2, depth=2).eval()
    x = normal(0, 1, 1, 8, 12)
    first, second = encoder(x), encoder(x)
    assert len(second[1]) == 2
    assert torch.equal(first[0], second[0])


def test_encoder_refuses_an_image_that_cannot_be_halved_so_often():
    with pytest.raises(RuntimeError, match="too small"):
        Encoder(1, 2, depth=4)(torch.zeros(2, 1, 8, 32))
