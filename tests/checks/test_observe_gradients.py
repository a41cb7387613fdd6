"""Gradients of a function's result: for which arguments a probe asks, and what counts as none."""

import pytest
import torch

from helpers.checks.observe import observe
from helpers.checks.probes import Call
from helpers.checks.subject import LocalSubject

X, T = torch.tensor([1.0, 2.0, -3.0]), torch.tensor([1.0, 0.0, 1.0])


def gradients(student, positions):
    seen = {o.what: o.value for o in observe(LocalSubject(student), Call((X, T), gradients=positions), seed=0)}
    return seen["gradients"]


def product(x, t):
    return (x * t).sum()


def cut(x, t):
    return (x * t.detach()).sum()


def test_every_float_argument_counts_unless_positions_are_named():
    of_x, of_t = gradients(product, True)
    weight = of_t[0] / X[0]
    assert torch.allclose(of_x, weight * T)
    assert torch.allclose(of_t, weight * X)
    assert [str(g) for g in gradients(product, (0,))] == [str(of_x)]
    assert [str(g) for g in gradients(product, (1,))] == [str(of_t)]


def test_an_argument_that_does_not_count_may_be_cut_off():
    assert gradients(cut, True)[1] == "none"
    assert torch.equal(gradients(cut, (0,))[0], gradients(product, (0,))[0])


def test_an_argument_that_does_not_count_is_a_copy():
    def careless(x, t):
        t.zero_()
        return x.sum()

    before = T.clone()
    gradients(careless, (0,))
    assert torch.equal(before, T)


@pytest.mark.parametrize("cut_off", [lambda x, t: product(x, t).item(), lambda x, t: product(x, t).detach()])
def test_a_result_without_history_has_no_gradient(cut_off):
    assert gradients(cut_off, (0,)) == ["none"]
