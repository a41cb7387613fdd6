"""`examine`: the rules that hold for every exercise, shown on `dice` and `DoubleConv`."""

import json
import math
import random
import sys
import warnings
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

from helpers import exercises
from helpers.checks import engine, examine
from helpers.checks.render import as_html
from helpers.checks.subject import LocalSubject
from helpers.reference.overlap import dice
from helpers.reference.pixels import to_tensor
from helpers.reference.unet import DoubleConv, UNet

# ---- not attempted, error, wrong ----


def stub(pred, target):
    raise NotImplementedError()


class Stub(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        raise NotImplementedError()


class Half(DoubleConv):
    def forward(self, x):
        raise NotImplementedError()


@pytest.mark.parametrize(("name", "answer"), [("dice", stub), ("DoubleConv", Stub), ("DoubleConv", Half)])
def test_an_untouched_answer_is_not_attempted(name, answer):
    verdict = examine(name, answer, 0)
    assert (verdict.status, verdict.points, verdict.probe) == ("not attempted", 0, None)


def in_cell(source, name, **there):
    """What a cell of its own defines."""
    namespace = {"__name__": "__main__", "nn": nn, **there}
    exec(compile(source, f"<cell of {name}>", "exec"), namespace)
    return namespace[name]


def test_a_piece_of_another_cell_that_is_not_written_yet_or_raises_is_named():
    calls = "class UNet(nn.Module):\n    def __init__(self, *a, **k):\n        self.up = Up(1, 2, 3)"
    stub = in_cell("class Up(nn.Module):\n    def __init__(self, a, b, c):\n        raise NotImplementedError()", "Up")
    verdict = examine("UNet", in_cell(calls, "UNet", Up=stub), 0)
    assert (verdict.status, verdict.message) == (
        "error",
        "`UNet` calls `Up`, which is not written yet: write that first.",
    )
    broken = in_cell("class Up(nn.Module):\n    def __init__(self, a, b, c):\n        self.missing", "Up")
    verdict = examine("UNet", in_cell(calls, "UNet", Up=broken), 0)
    assert "in line 3 of the cell with `Up`" in verdict.message


def test_an_error_is_reported_at_the_students_own_line():
    def broken(pred, target):
        both = pred & target
        return torch.stack([both, both.sum()])  # raises inside torch

    verdict = examine("dice", broken, 0)
    assert verdict.status == "error"
    assert "RuntimeError" in verdict.message
    assert f"line {broken.__code__.co_firstlineno + 2}" in verdict.message
    assert "torch.stack([both, both.sum()])" in verdict.message


def test_an_error_in_a_forward_is_reported_at_the_students_own_line():
    class Broken(DoubleConv):
        def forward(self, x):
            return self.missing(x)

    verdict = examine("DoubleConv", Broken, 0)
    assert verdict.status == "error"
    assert "AttributeError" in verdict.message
    assert "self.missing(x)" in verdict.message


class Plain:
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        pass


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("dice", lambda pred, target: None, "return"),
        ("dice", 3, "`dice` is an object of type `int` here. It must be the function or class"),
        ("dice", None, "must be the function or class"),
        ("dice", "dice", "must be the function or class"),
        ("dice", torch.zeros(2), "must be the function or class"),
        ("DoubleConv", Plain, "instead of a module"),
    ],
)
def test_an_answer_of_another_kind_is_wrong_and_no_crash(name, answer, said):
    verdict = examine(name, answer, 0)
    assert verdict.status == "wrong"
    assert said in verdict.message


@pytest.mark.parametrize("result", ["0.5", [0.5], {"dice": 0.5}, object(), np.array(["x"]), torch.zeros(2), 1 + 0j])
def test_a_result_of_another_kind_is_wrong(result):
    assert examine("dice", lambda pred, target: result, 0).status == "wrong"


def test_an_endless_loop_ends_in_a_verdict(monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.3)

    def endless(pred, target):
        while True:
            pass

    verdict = examine("dice", endless, 0)
    assert verdict.status == "error"
    assert "did not finish within 0.3 seconds" in verdict.message
    assert "loop" in verdict.message


def test_without_a_fitting_misconception_the_smallest_failing_probe_is_shown():
    def odd(pred, target):
        return dice(pred, target) if pred.numel() < 40 else 0.123

    verdict = examine("dice", odd, 0)
    assert verdict.diagnosis is None
    assert "0.123" in verdict.message
    assert verdict.probe["yours"] == 0.123
    assert list(verdict.probe["input"]) == ["pred", "target"]
    pixels = math.prod(verdict.probe["input"]["pred"]["shape"])
    assert pixels == min(p.args[0].numel() for p in engine._probes("dice", 0) if p.args[0].numel() >= 40)


def test_a_tensor_with_other_values_is_said_to_have_them():
    def off(image):
        result = torch.as_tensor(image).float() / 255
        result = result[None] if result.ndim == 2 else result.permute(2, 0, 1)
        return result if result.numel() < 30 else result.clone().index_fill_(1, torch.tensor([0]), 0.123)

    verdict = examine("to_tensor", off, 0)
    assert verdict.diagnosis is None
    assert "the result has the right shape" in verdict.message
    assert "values differ, by up to 0." in verdict.message


def test_of_two_mistakes_at_once_both_are_said_the_larger_first():
    def both(pred, target):  # IoU, and 0 for two empty masks
        return float((pred & target).sum() / ((pred | target).sum() + 1e-7))

    verdict = examine("dice", both, 0)
    assert verdict.diagnosis == "IoU instead of Dice"
    for name in ("IoU instead of Dice", "empty masks score 0"):
        assert next(a.sentence for a in exercises.load("dice").misconceptions if a.name == name) in verdict.message


# ---- what no answer may do ----


def careless_dice(pred, target):
    score = dice(pred, target)
    pred &= target
    return score


def careless_to_tensor(image):
    result = to_tensor(image.copy())
    image += 1
    return result


@pytest.mark.parametrize(("name", "careless"), [("dice", careless_dice), ("to_tensor", careless_to_tensor)])
def test_changing_the_input_is_named(name, careless):
    assert examine(name, careless, 0).diagnosis == "changes its input"


@pytest.mark.parametrize(
    "disturb", [lambda: torch.rand(1), np.random.rand, random.random, lambda: torch.manual_seed(0)]
)
def test_disturbing_a_random_generator_is_named(disturb):
    def noisy(pred, target):
        disturb()
        return dice(pred, target)

    assert examine("dice", noisy, 0).diagnosis == "disturbs the random generator"


def test_remembering_the_call_before_is_named():
    seen = []

    def remembering(pred, target):
        repeated = bool(seen) and torch.equal(seen[-1], pred)
        seen.append(pred.clone())
        return 0.0 if repeated else dice(pred, target)

    verdict = examine("dice", remembering, 0)
    assert verdict.status == "wrong"
    assert verdict.diagnosis == "remembers the call before"


class Idle(DoubleConv):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__(in_channels, out_channels, padding, norm)
        self.spare = nn.Linear(2, 2)


class Moody(DoubleConv):
    def forward(self, x):
        y = super().forward(x)
        self.eval()
        return y


class Anew(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.arguments = (in_channels, out_channels, padding, norm)

    def forward(self, x):
        return DoubleConv(*self.arguments)(x)


class Detached(DoubleConv):
    def forward(self, x):
        return super().forward(x).detach()


class InPlace(DoubleConv):
    def forward(self, x):
        return super().forward(x.mul_(1.0).add_(0.5).sub_(0.5).relu_())


@pytest.mark.parametrize(
    ("answer", "diagnosis", "said"),
    [
        (Idle, "a layer that is never used", ""),
        (Moody, "changes its own mode", ""),
        (Anew, "layers that are not registered", "made anew in `forward`"),
        (Detached, None, "gradient"),
        (InPlace, None, ""),
    ],
)
def test_a_block_that_breaks_a_rule_is_wrong(answer, diagnosis, said):
    verdict = examine("DoubleConv", answer, 0)
    assert verdict.status == "wrong"
    assert verdict.diagnosis == diagnosis
    assert said in verdict.message


# ---- fair ----


def test_extra_optional_arguments_are_no_mistake():
    assert examine("dice", lambda pred, target, eps=1e-9, *, verbose=False: dice(pred, target), 0).status == "passed"


def test_printing_and_warning_are_no_mistake_and_stay_out_of_the_output(capsys):
    def chatty(pred, target):
        print("debug")
        print("trouble", file=sys.stderr)
        warnings.warn("careful", stacklevel=1)
        return dice(pred, target)

    assert examine("dice", chatty, 0).status == "passed"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_of_a_number_is_left_open(dtype):
    assert examine("dice", lambda p, t: torch.tensor(dice(p, t), dtype=dtype), 0).status == "passed"


# ---- a verdict ----


def test_a_seed_gives_the_same_verdict_every_time():
    wrong = [examine("dice", lambda p, t: 0.5, seed=7) for _ in range(2)]
    assert wrong[0] == wrong[1]
    assert wrong[0].probe != examine("dice", lambda p, t: dice(p, t) if p.numel() < 99 else 0.5, seed=8).probe


def test_without_a_seed_each_check_draws_its_own():
    assert examine("dice", dice).seed != examine("dice", dice).seed


def test_checking_leaves_the_global_random_state_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    examine("DoubleConv", DoubleConv, 0)
    assert torch.rand(1) == expected


def test_a_verdict_is_plain_data():
    verdict = examine("DoubleConv", lambda *a, **k: nn.Conv2d(1, 1, 1), 0)
    assert json.loads(verdict.to_json()) == asdict(verdict)


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ValueError, match="There is no exercise called 'nothing'"):
        examine("nothing", dice)


def test_an_array_is_shown_with_its_numbers():
    verdict = examine("to_tensor", lambda image: torch.zeros(1, 2, 3), 0)
    assert {"shape", "dtype", "values"} == verdict.probe["input"]["image"].keys()


def test_an_error_that_is_a_known_one_still_gives_the_students_line():
    for answer in exercises.load("UNet").misconceptions:
        verdict = examine("UNet", answer.solution, 0)
        if verdict.status == "error":
            assert "(It raised " in verdict.message
            return
    pytest.fail("no misconception of UNet raises")


def test_the_state_of_the_random_generator_does_not_reach_a_verdict():
    answer = next(a for a in exercises.load("Encoder").misconceptions if a.name == "skips kept from call to call")
    for seed in (1, 2):
        engine.forget()
        torch.manual_seed(seed)
        examine("Encoder", answer.solution, 0)  # keeps what the known answers do
        torch.manual_seed(seed + 2)
        verdict = examine("Encoder", answer.solution, 0)
        assert verdict.diagnosis == answer.name
        assert "That explains" not in verdict.message


def test_asking_for_the_device_or_the_shape_of_a_weight_is_no_use_of_it():
    class Careful(UNet):
        def forward(self, x):
            assert self.head.weight.shape[1] > 0
            return super().forward(x.to(self.head.weight.device, self.head.weight.dtype))

    assert examine("UNet", Careful, 0).status == "passed"


def test_an_interrupt_while_a_known_answer_runs_leaves_nothing_half_seen(monkeypatch):
    """Found by reading: the known answer's trace ended where Ctrl-C came, and agreed with everything after that."""
    watched = engine.observe

    def interrupted(subject, probe, *rest):
        yield next(watched(subject, probe, *rest))
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "observe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(engine._known("dice", 0, 4321, 0))
    monkeypatch.undo()
    assert len(list(engine._known("dice", 0, 4321, 0))) > 1


# ---- what is made of changes ----


def with_changes(name, *names):
    """The reference with the changes of the named misconceptions."""
    exercise = exercises.load(name)
    wanted = [a for a in exercise.misconceptions if a.name in names]
    return exercises.changed(exercise.reference, tuple(change for a in wanted for change in a.changes))


def test_two_mistakes_in_one_module_are_both_said():
    verdict = examine("DoubleConv", with_changes("DoubleConv", "no padding", "another activation"), seed=0)
    assert verdict.diagnosis in ("no padding", "another activation")
    assert "There is a second thing." in verdict.message


@pytest.mark.parametrize("with_choice", [False, True])
def test_a_name_stays_with_a_choice_that_observations_see(with_choice):
    """Where the norm is missing, the bias is no open choice any more: without a norm it counts."""
    exercise = exercises.load("DoubleConv")
    choices = exercise.choices if with_choice else ()
    answer = exercises.changed(exercise.reference, (("if norm:", "if False:"), *choices))
    assert examine("DoubleConv", answer, seed=0).diagnosis == "no norm"


@pytest.mark.parametrize("change", [("nowhere", "x"), ("layers", "x")])
def test_a_change_that_does_not_fit_once_is_refused(change):
    with pytest.raises(ValueError, match=r"DoubleConv: the change of .* fits \d+ times, not once"):
        exercises.changed(DoubleConv, (change,))


@pytest.mark.parametrize("name", ["dice", "DoubleConv"])
def test_the_quick_answer_is_that_of_the_verdict(name):
    exercise = exercises.load(name)
    for answer in (*exercise.right_answers, *exercise.misconceptions):
        subject = LocalSubject(answer.solution)
        assert engine.is_right(name, subject, 0) == (engine.examine(name, answer.solution, 0).status == "passed")


@pytest.mark.parametrize(("answer", "status"), [(dice, "passed"), (lambda pred, target: 0.5, "wrong")])
def test_the_notebooks_default_device_is_none_of_the_checks(answer, status, capsys):
    """Such as a GPU; "meta" is a device without numbers, which every machine has."""
    torch.set_default_device("meta")
    try:
        verdict = examine("dice", answer)
        assert torch.get_default_device().type == "meta"
        assert verdict.status == status
        assert as_html(verdict)
    finally:
        torch.set_default_device(None)
