"""Probes that several exercises draw."""

import torch

from helpers.checks.engine import _agrees
from helpers.checks.observe import observe
from helpers.checks.shared import fails_alike
from helpers.checks.subject import LocalSubject


def seen(answer):
    return next(observe(LocalSubject(answer), fails_alike(x=torch.ones(3), y=torch.ones(2)), 0))


def test_a_failure_is_the_same_whichever_function_of_torch_raised_it():
    one, other = seen(lambda x, y: x + y), seen(lambda x, y: torch.stack([x, y]))
    assert "must match" in str(one.value)  # what is said of it is still its own
    assert _agrees(one, other)
    assert not _agrees(one, seen(lambda x, y: [x, y][2]))
    assert not _agrees(one, seen(lambda x, y: x))
