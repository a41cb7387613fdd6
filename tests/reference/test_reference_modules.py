"""Lesson 03's reference: against autograd, and by what each piece must do."""

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_made import SEEDS, normal
from torch import nn

from helpers.reference.modules import PixelClassifier, gradient_step


@settings(max_examples=40)
@given(st.integers(1, 4), st.integers(1, 5), st.floats(0, 2, width=32), SEEDS)
def test_gradient_step_goes_against_the_gradient_of_autograd(height, width, lr, seed):
    x, truth = normal(seed, height, width), (normal(seed + 1, height, width) > 0).float()
    w, b = normal(seed + 2).requires_grad_(), normal(seed + 3).requires_grad_()
    F.binary_cross_entropy_with_logits(w * x + b, truth).backward()
    stepped = gradient_step(x, truth, w.detach(), b.detach(), lr)
    torch.testing.assert_close(stepped, (w.detach() - lr * w.grad, b.detach() - lr * b.grad), rtol=1e-4, atol=1e-5)


def test_gradient_step_by_hand():
    zero = torch.tensor(0.0)
    w, b = gradient_step(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]), zero, zero, lr=2.0)
    assert (w.item(), b.item()) == (1.0, 0.0)  # both probabilities are 1/2: the errors are 1/2 and -1/2
    assert zero.item() == 0


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), SEEDS)
def test_the_pixel_classifier_gives_a_logit_a_pixel_and_learns_all_its_numbers(n, features, hidden, seed):
    torch.manual_seed(seed)
    model, x = PixelClassifier(features, hidden), normal(seed, n, features)
    expected = nn.Sequential(model.first, nn.ReLU(), model.second)(x)[:, 0]
    assert torch.equal(model(x), expected)
    assert expected.shape == (n,)
    model(x).sum().backward()
    assert [tuple(p.grad.shape) for p in model.parameters()] == [(hidden, features), (hidden,), (1, hidden), (1,)]
