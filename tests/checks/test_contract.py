"""What nobody compares unless it is asked: kind, dtype, memory, settings, the place where an exception came from."""

import builtins
import os
import subprocess
import sys
import time

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from helpers import exercises
from helpers.checks import engine, examine
from helpers.checks.limits import quiet
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


def replaces_a_builtin(pred, target):
    builtins.sum = lambda *numbers: 0
    return dice(pred, target)


def adds_to_a_class(pred, target):
    nn.BatchNorm2d.train = lambda self, mode=True: self
    return dice(pred, target)


class PatchesInForward(DoubleConv):
    def forward(self, x):
        F.relu6 = F.relu
        return super().forward(x)


def elsewhere(pred, target):
    os.chdir("/")
    return dice(pred, target)


def strict_numpy(pred, target):
    np.seterr(all="raise")
    return dice(pred, target)


@pytest.mark.parametrize(
    ("name", "answer", "diagnosis"),
    [
        ("dice", elsewhere, "leaves a setting changed"),
        ("dice", strict_numpy, "leaves a setting changed"),
        ("max_pool2x2", arrays, "NumPy instead of a tensor"),
        ("dice", gradients_off, "leaves a setting changed"),
        ("conv2d", double_by_default, "leaves a setting changed"),
        ("dice", patches_a_class, "leaves a setting changed"),
        ("dice", adds_to_a_class, "leaves a setting changed"),
        ("dice", replaces_a_builtin, "leaves a setting changed"),
        ("DoubleConv", PatchesInForward, "leaves a setting changed"),
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


def test_a_layer_named_like_a_method_of_every_module_is_told_so():
    class Step(nn.Module):
        def __init__(self, in_channels, out_channels):
            super().__init__()
            self.double = DoubleConv(in_channels, out_channels)

        def forward(self, x):
            return self.double(F.max_pool2d(x, 2))

    assert "has a method `double`, which hides a layer" in examine("Down", Step, seed=0).message


def test_global_generators_are_told_of_and_put_back():
    def seeds(pred, target):
        torch.manual_seed(99)
        np.random.seed(99)
        return dice(pred, target)

    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    assert examine("dice", seeds, seed=0).diagnosis == "disturbs the random generator"
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]


def test_what_a_module_lacks_is_asked_for():
    class NoReturn(DoubleConv):
        def forward(self, x):
            self.layers(x)

    class NoSuper(nn.Module):
        def __init__(self, in_channels, out_channels, padding=1, norm=True):
            self.layer = nn.Conv2d(in_channels, out_channels, 3)

    assert "Is a `return` missing?" in examine("DoubleConv", NoReturn, seed=0).message
    assert "begins with `super().__init__()`" in examine("DoubleConv", NoSuper, seed=0).message


def test_a_method_that_is_misspelt_is_told_so():
    class Foward(nn.Module):
        def __init__(self, in_channels, out_channels):
            super().__init__()

        def foward(self, x):
            return x

    class Init(nn.Module):
        def _init_(self, in_channels, out_channels):
            super().__init__()

    assert "is it spelt so" in examine("Down", Foward, seed=0).message
    assert "two underscores on either side" in examine("Down", Init, seed=0).message


def test_what_a_wrong_answer_printed_is_shown_with_its_verdict():
    def looks(pred, target):
        print(pred.shape)
        return 2.0

    said = examine("dice", looks, seed=0).message
    assert "It printed `torch.Size([2, 3])`" in said
    assert said.endswith(" and so on.")


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


def prints(pred, target):
    print(pred)
    return dice(pred, target)


def plots(pred, target):
    plt.imshow(pred)
    return dice(pred, target)


def prints_only(pred, target):
    print(dice(pred, target))


def leaves(pred, target):
    sys.exit()


def one_by_one(pred, target):
    yield dice(pred, target)


def not_called(pred, target):
    return dice(pred, target).as_integer_ratio


def asks(pred, target):
    return float(input("Dice? "))


def too_few(pred):
    return dice(pred, pred)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (prints, "passed", "also prints whenever it is called"),
        (plots, "passed", "also shows something"),
        (prints_only, "wrong", "`print` only shows a value"),
        (leaves, "error", "ends the program in line"),
        (one_by_one, "wrong", "`return` gives a result"),
        (not_called, "wrong", "brackets missing"),
        (asks, "error", "input() is not answered"),
        (too_few, "error", "The task calls it as `dice(pred, target)`"),
    ],
)
def test_what_is_no_way_to_give_a_result_is_told_so_and_leaves_nothing_behind(answer, status, said, capsys):
    ask = builtins.input
    verdict = examine("dice", answer, seed=0)
    assert verdict.status == status
    assert said in verdict.message
    assert capsys.readouterr() == ("", "")
    assert not plt.get_fignums()
    assert builtins.input is ask


def test_a_figure_that_was_open_stays_open():
    figure = plt.figure()
    with quiet() as noticed:
        plt.figure()
    assert plt.get_fignums() == [figure.number]
    assert noticed.drew
    plt.close(figure)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("time.sleep(60)", "Nothing here has to wait"),
        ("for _ in range(10**9): pass", "or does far more than this task"),
    ],
)
def test_an_answer_that_takes_long_is_stopped_and_not_called_endless(line, said, monkeypatch, tmp_path):
    file = tmp_path / "answer.py"
    file.write_text(f"import time\ndef dice(pred, target):\n    {line}\n")
    namespace = {}
    exec(compile(file.read_text(), str(file), "exec"), namespace)
    monkeypatch.setattr(engine, "SECONDS", 0.3)
    began = time.monotonic()
    verdict = examine("dice", namespace["dice"], seed=0)
    assert time.monotonic() - began < 60  # it was woken
    assert f"stopped in line 3: `{line}`" in verdict.message
    assert said in verdict.message


def test_a_right_answer_that_takes_long_is_told_so(monkeypatch):
    monkeypatch.setattr(engine.wording, "LONG", 0.0)
    assert "although the inputs are tiny" in examine("dice", dice, seed=0).message


def mistypes(pred, target):
    return dice(pred.sizes(), target)


def indexes(pred, target):
    return dice(pred, (target,)[1])


def test_exceptions_of_python_are_told_apart_by_what_they_say_and_those_made_on_purpose_are_not():
    masks = torch.rand(2, 2, 3) > 0.5

    def cause(answer, *args):
        return LocalSubject(answer).call(args, {}).value.cause

    assert cause(mistypes, *masks) == "'Tensor' object has no attribute 'sizes'"
    assert cause(indexes, *masks) == "tuple index out of range"
    refused = [cause(exercises.load("dice_scores").reference, masks, masks, word) for word in ("mean", "sum")]
    assert refused == ["", ""]


@pytest.mark.parametrize(
    ("name", "change", "diagnosis"),
    [
        ("augment_pair", lambda pair: tuple(x.numpy() for x in pair), "NumPy instead of a tensor"),
        ("augment_pair", lambda pair: (pair[0], pair[1].int()), None),
    ],
)
def test_the_steps_of_a_script_give_what_single_calls_give(name, change, diagnosis):
    right = exercises.load(name).reference
    verdict = examine(name, lambda *args, **kwargs: change(right(*args, **kwargs)), seed=0)
    assert (verdict.status, verdict.diagnosis) == ("wrong", diagnosis)


@pytest.mark.parametrize("smallest", [torch.amin, lambda x, dim: x.sort(dim).values[0], lambda x, dim: x.tolist()[0]])
def test_a_mistake_that_stands_for_any_error_is_named_whatever_raises_it(smallest):
    def box(mask):
        places = mask.nonzero()
        smallest(places, 0)
        return exercises.load("mask_to_box").reference(mask)

    assert examine("mask_to_box", box, seed=0).diagnosis == "an empty mask raises an error"


def test_a_mistake_that_stands_for_any_error_says_nothing_of_errors_elsewhere():
    def misspelt(x):
        return max_pool2x2(x).contigous()

    verdict = examine("max_pool2x2", misspelt, seed=0)
    assert verdict.diagnosis is None
    assert "no attribute 'contigous'" in verdict.message


class Lying(torch.Tensor):
    """Says that it is what it was."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True if func is torch.equal else super().__torch_function__(func, types, args, kwargs or {})


class Denying(TorchFunctionMode):
    """Says of all tensors that they are equal."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return True if func is torch.equal else func(*args, **(kwargs or {}))


def lies_about_its_input(pred, target):
    result = dice(pred, target)
    pred ^= True
    pred.__class__ = Lying
    return result


def leaves_a_mode_on(pred, target):
    result = dice(pred, target)
    pred ^= True
    Denying().__enter__()
    return result


def patches_until_it_is_seen(pred, target):
    result, equal = dice(pred, target), torch.equal
    pred ^= True

    def lie(*tensors):
        torch.equal = equal
        return True

    torch.equal = lie
    return result


def hides_where_it_lies(x):
    kind, numel = type(x), torch.Tensor.numel

    def none(tensor):
        kind.numel = numel
        return 0

    kind.numel = none
    return x[1:]


def test_an_answer_cannot_hide_where_its_result_lies():
    subject = LocalSubject(hides_where_it_lies)
    subject.settings_changed()
    assert subject.call((torch.ones(3),), {}).memory_shared
    assert subject.settings_changed() == ["Tensor.numel"]


@pytest.mark.parametrize("answer", [lies_about_its_input, leaves_a_mode_on, patches_until_it_is_seen])
def test_an_answer_cannot_put_itself_between_its_input_and_who_looks_at_it(answer):
    modes, members = Modes(), Members()
    subject = LocalSubject(answer)
    subject.settings_changed()
    assert not subject.call((torch.ones(2, 2) > 0, torch.ones(2, 2) > 0), {}).inputs_unchanged
    subject.settings_changed()
    assert modes.restore() == members.restore() == []


class Elsewhere(torch.Tensor):
    """Says that it lies somewhere else, and holds something else."""

    def untyped_storage(self):
        return torch.ones(1).untyped_storage()

    def data_ptr(self):
        return 0

    dtype = torch.int8


def test_where_a_result_lies_and_what_it_holds_is_not_asked_of_its_class():
    reply = LocalSubject(lambda x: x[1:].as_subclass(Elsewhere)).call((torch.ones(3),), {})
    assert (reply.memory_shared, reply.dtypes) == (True, ("float32",))


def test_a_library_function_is_seen_where_results_are_remembered():
    known = {}

    def remembering(x, weight, bias=0.0, stride=1, padding=0):
        key = str((x.tolist(), weight.tolist(), bias, stride, padding))
        if key not in known:
            layer = nn.Conv2d(1, 1, tuple(weight.shape), stride, padding)
            layer.weight.data, layer.bias.data = weight[None, None], torch.tensor([float(bias)])
            known[key] = layer(x[None, None])[0, 0].detach()
        return known[key].clone()

    verdict = examine("conv2d", remembering, seed=0)
    assert verdict.status == "wrong"
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.startswith("library convolution")


class HidesALayer(nn.Module):
    """Has a layer that it never uses, and says that it has none."""

    def __init__(self):
        super().__init__()
        self.used, self.idle, self.training_is = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), True

    def forward(self, x):
        self.idle.train(not self.idle.training)
        return self.used(x)

    def modules(self):
        yield self.used

    def parameters(self, recurse=True):
        yield from self.used.parameters()


def test_what_is_registered_is_not_asked_of_the_answer():
    subject = LocalSubject(HidesALayer)
    subject.construct((), {})
    subject.train(False)
    assert not subject.forward((torch.ones(1, 1, 2, 2),)).mode_kept
    assert subject.parameters().idle == 1


def test_what_was_changed_before_is_told_where_it_is_known_how_it_was():
    members, equal = Members(), torch.equal
    torch.equal = lambda *tensors: True
    try:
        assert LocalSubject(dice, members).settings_changed() == ["torch.equal"]
    finally:
        torch.equal = equal


def test_what_torch_wraps_when_the_first_optimizer_is_made_was_changed_by_nobody():
    code = """
import torch
from helpers.checks.settings import Members
members, function = Members(), torch.manual_seed
torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
assert torch.manual_seed is not function, "nothing was wrapped: this test and `_by_torch` can go"
print(members.restore())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
