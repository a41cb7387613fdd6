"""What a task leaves open changes neither which parameters are listed nor what a network computes with them."""

import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks import examine
from helpers.checks.subject import LocalSubject
from helpers.checks.usage import UsageWatch
from helpers.exercises import load


class Net(nn.Module):
    """A convolution, a norm, a way up, and a convolution of both; each flag is a choice that a task leaves open."""

    def __init__(self, bias=False, skip_first=True, up_bias=False):
        super().__init__()
        self.skip_first = skip_first
        self.merge = nn.Conv2d(3 + 2, 4, 3, padding=1)  # registered first, used last; no norm follows
        self.norm = nn.BatchNorm2d(3)
        self.conv = nn.Conv2d(1, 3, 3, padding=1, bias=bias)
        self.up = nn.ConvTranspose2d(3, 2, 2, stride=2, bias=up_bias)

    def forward(self, x):
        skip = self.activated(self.norm, self.conv(x))
        x = self.up(F.max_pool2d(skip, 2))
        return self.merge(torch.cat([skip, x] if self.skip_first else [x, skip], dim=1))

    def activated(self, norm, x):
        return F.relu(norm(x))


class NormLast(Net):
    def activated(self, norm, x):
        return norm(F.relu(x))


def used(net, x):
    with torch.no_grad(), UsageWatch() as watch:
        net.eval()(x)
    return watch.usage()


@pytest.mark.parametrize("kind", [Net, NormLast])
@pytest.mark.parametrize("choices", [(True, True, False), (False, False, True), (True, False, True)])
def test_open_choices_leave_shapes_results_and_gradients_as_they_are(kind, choices):
    x, values = torch.randn(2, 1, 6, 8), None
    seen = []
    for net in (kind(), kind(*choices)):
        usage = used(net, x)
        values = values or [torch.randn(p.shape) for p in usage.parameters]
        usage.set(values)
        result = net(x)
        gradients = usage.in_order(list(torch.autograd.grad(result.square().sum(), usage.parameters)))
        seen.append((result, gradients))
    (result, gradients), (other_result, other_gradients) = seen
    assert torch.allclose(result, other_result, atol=1e-4)
    for one, other in zip(gradients, other_gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3)


def test_a_result_that_is_two_maps_has_them_in_one_order():
    class Unmerged(Net):
        def forward(self, x):
            skip = self.norm(self.conv(x))
            parts = [skip, self.up(F.max_pool2d(skip, 2))]
            return torch.cat(parts if self.skip_first else parts[::-1], dim=1)

    x, results = torch.randn(1, 1, 4, 4), []
    for net in (Unmerged(), Unmerged(skip_first=False)):
        subject = LocalSubject(lambda net=net: net)
        subject.construct((), {})
        subject.train(False)
        subject.forward((x,))
        subject.set_parameters([torch.ones(shape) for shape in subject.parameters().used])
        results.append(subject.forward((x,)).value)
    assert torch.equal(*results)


def test_the_maps_of_a_pass_are_let_go():
    made = []
    net = Net()
    net.norm.register_forward_hook(lambda layer, given, result: made.append(weakref.ref(result)))
    with torch.no_grad(), UsageWatch() as watch:
        net.eval()(torch.randn(1, 1, 4, 4))
    assert watch.usage().parameters
    assert made[0]() is None


def test_a_bias_that_something_else_sees_is_listed():
    class Bypass(Net):
        def activated(self, norm, x):
            return F.relu(norm(x)) + x

    x = torch.randn(1, 1, 4, 4)
    assert len(used(Bypass(bias=True), x).parameters) == len(used(Net(), x).parameters) + 1


def test_what_is_changed_in_place_is_another_tensor():
    class Moved(Net):
        def activated(self, norm, x):
            return F.relu(norm(x.mul_(2)))

    x = torch.randn(1, 1, 4, 4)
    assert len(used(Moved(bias=True), x).open) == 0


def test_a_weight_that_is_used_by_its_transpose_is_used():
    class Transposed(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 3))
            self.looked_at = nn.Parameter(torch.ones(len(self.weight)))

        def forward(self, x):
            return x @ self.weight.T[:, : self.looked_at.shape[0]]

    net = Transposed()
    assert [p is net.weight for p in used(net, torch.ones(1, 3)).parameters] == [True]


@pytest.mark.parametrize("name", ["skips taken before the block", "channels do not double", "average pooling"])
def test_a_mistake_keeps_its_name_with_the_bias_that_torch_has_by_default(name, monkeypatch):
    answer = next(a for a in load("Encoder").misconceptions if a.name == name)
    construct = nn.Conv2d.__init__

    def with_bias(*args, **kwargs):
        def init(conv, *args, bias=True, **kwargs):
            construct(conv, *args, **kwargs)

        with monkeypatch.context() as patched:
            patched.setattr(nn.Conv2d, "__init__", init)
            return answer.solution(*args, **kwargs)

    assert examine("Encoder", with_bias, seed=0).diagnosis == name


def test_a_variant_that_behaves_as_the_reference_is_not_looked_at_beside_it():
    exercise = load("train_one_epoch")
    assert [answer.differs for answer in exercise.accepted] == [False, True]
    assert len(exercise.right_answers) > 2
