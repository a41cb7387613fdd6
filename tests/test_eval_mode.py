"""Evaluation mode, and back."""

import pytest
from torch import nn

from helpers.eval_mode import eval_mode


class Stubborn(nn.Dropout):
    def train(self, mode=True):
        raise AssertionError("its own train was called")


def test_every_layer_gets_its_own_mode_back_also_after_an_error():
    model = nn.Sequential(nn.BatchNorm2d(1).eval(), nn.Sequential(Stubborn()))
    before = [layer.training for layer in model.modules()]
    assert before == [True, False, True, True]
    with pytest.raises(KeyError), eval_mode(model):
        assert not any(layer.training for layer in model.modules())
        raise KeyError
    assert [layer.training for layer in model.modules()] == before
