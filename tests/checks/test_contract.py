"""What nobody compares unless it is asked: kind, dtype, memory, settings, the place where an exception came from."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks import examine
from helpers.checks.settings import Members, Modes
from helpers.checks.subject import LocalSubject
from helpers.reference.convolution import conv2d
from helpers.reference.encoder import max_pool2x2
from helpers.reference.overlap import dice
from helpers.reference.padding import center_crop, pad_to_multiple
from helpers.reference.unet import DoubleConv, UNet


def arrays(*args, **kwargs):
    return max_pool2x2(*args, **kwargs).numpy()


def gradients_off(pred, target):
    torch.set_grad_enabled(False)
    return dice(pred, target)


def double_by_default(image, kernel, **kwargs):
    torch.set_default_dtype(torch.float64)
    return conv2d(image, kernel, **kwargs)


def patches_a_class(pred, target):
    nn.ReLU.forward = lambda self, x: x
    return dice(pred, target)


class PatchesInForward(DoubleConv):
    def forward(self, x):
        F.relu6 = F.relu
        return super().forward(x)


@pytest.mark.parametrize(
    ("name", "answer", "diagnosis"),
    [
        ("max_pool2x2", arrays, "NumPy instead of a tensor"),
        ("dice", gradients_off, "leaves a setting of torch changed"),
        ("conv2d", double_by_default, "leaves a setting of torch changed"),
        ("dice", patches_a_class, "leaves a setting of torch changed"),
        ("DoubleConv", PatchesInForward, "leaves a setting of torch changed"),
    ],
)
def test_what_a_result_leaves_behind_is_seen_named_and_put_back(name, answer, diagnosis):
    modes, members = Modes(), Members()
    verdict = examine(name, answer, seed=0)
    assert (verdict.status, verdict.diagnosis) == ("wrong", diagnosis)
    assert modes.restore() == members.restore() == []


@pytest.mark.parametrize(
    ("dtype", "status"), [(torch.float64, "passed"), (torch.int32, "wrong"), (torch.bool, "wrong")]
)
def test_floats_may_be_of_either_size_and_nothing_else(dtype, status):
    def pooled(x):
        return max_pool2x2(x.round() if dtype is torch.int32 else x).to(dtype)

    assert examine("max_pool2x2", pooled, seed=0).status == status


def test_memory_may_be_the_inputs_only_where_the_result_is_the_input_or_the_reference_gives_a_view():
    def nothing_to_pad(x, multiple):
        padded, pads = pad_to_multiple(x, multiple)
        return (padded, pads) if any(pads) else (x, pads)

    assert examine("pad_to_multiple", nothing_to_pad, seed=0).status == "passed"
    assert examine("center_crop", center_crop, seed=0).status == "passed"
    assert LocalSubject(torch.t).call((torch.rand(3, 4),), {}).memory_shared
    assert LocalSubject(lambda x: x[1:]).call((torch.rand(3, 4),), {}).memory_shared
    assert not LocalSubject(lambda x: x).call((torch.rand(3, 4),), {}).memory_shared
    assert not LocalSubject(lambda x: x.flip(0)).call((torch.rand(3, 4),), {}).memory_shared


@pytest.mark.parametrize(("more", "name"), [(0, "the blocks are built without the skips' channels"), (1, None)])
def test_an_exception_of_another_operation_is_another_mistake(more, name):
    """A block after the `cat` that was built for c or c + 1 instead of 2c channels is no matter of odd sides."""

    class NarrowMerge(UNet):
        def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
            super().__init__(in_channels, num_classes, base_channels, depth)
            for k, up in enumerate(self.decoder):
                width = base_channels * 2 ** (depth - 1 - k)
                up.conv = DoubleConv(width + more, width)

    verdict = examine("UNet", NarrowMerge, seed=0)
    assert verdict.diagnosis == name
    assert "built for" in verdict.message
    assert name or "got a map with" in verdict.message


def test_shapes_are_said_in_channels_and_layers():
    class Thin(UNet):
        def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
            super().__init__(in_channels, num_classes + 1, base_channels, depth)

    said = examine("UNet", Thin, seed=0)
    assert "list of" not in said.message
    assert "part 0" not in said.message


def test_one_array_among_tensors_is_enough():
    def mixed(image, mask, horizontal, vertical):
        axes = [axis for axis, wanted in ((-1, horizontal), (-2, vertical)) if wanted]
        return image.flip(axes), np.flip(mask.numpy(), axes).copy()

    assert examine("flip_pair", mixed, seed=0).diagnosis == "NumPy instead of a tensor"
