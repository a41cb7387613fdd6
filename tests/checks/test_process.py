"""An answer in a process of its own: the same verdicts, and nothing it does there reaches this process."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
import torch
from torch import nn

from helpers import exercises
from helpers.checks import engine, examine
from helpers.checks.process import Lost, ProcessSubject
from helpers.checks.subject import LocalSubject, Parameters, Raised
from helpers.reference.overlap import dice
from helpers.reference.unet import DoubleConv

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def examine_in_process(name, obj, seconds=5.0):
    with ProcessSubject(obj, seconds) as subject:
        return engine.examine_through(name, subject, seed=0)


# ---- what an answer may do there ----


def endless(pred, target):
    while True:
        pass


def deaf(pred, target):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pass


def write_to_every_file(message):
    def answer(pred, target):
        for descriptor in range(3, 64):
            with suppress(OSError):
                os.write(descriptor, message)
        return 1.0

    return answer


@pytest.mark.parametrize(
    ("answer", "seconds", "said"),
    [
        (endless, 0.3, "did not finish within 0.3 seconds. It was stopped in line"),
        (deaf, 0.3, "did not finish within 0.3 seconds. A loop never ends"),
        (lambda pred, target: os._exit(0), 5, "ended the process"),
        (lambda pred, target: os.kill(os.getpid(), signal.SIGKILL), 5, "ended the process"),
        (lambda pred, target: ctypes.string_at(0), 5, "ended the process"),
        (lambda pred, target: os.closerange(3, 64), 5, "ended the process"),
        (write_to_every_file(b"\0\0\0\4\0\0\0\0null"), 5, "no reply to what it was asked"),
        (write_to_every_file(b"\0\0\0\4\0\0\0\0oops"), 5, "no reply: its header is no JSON"),
        (write_to_every_file(b"\xff" * 64), 5, "announces more than a message may hold"),
        (lambda pred, target: "x" * 10**7, 5, "cannot be handed over: it is larger than 4 MiB"),
        (lambda pred, target: [torch.ones(2**20)] * 17, 5, "cannot be handed over: it is larger than 64 MiB"),
    ],
)
def test_whatever_happens_there_is_a_verdict_here_and_soon(answer, seconds, said):
    began = time.monotonic()
    verdict = examine_in_process("dice", answer, seconds)
    assert time.monotonic() - began < seconds + 4
    assert (verdict.status, verdict.points) == ("error", 0)
    assert said in verdict.message


@pytest.mark.parametrize("leaving", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_leaves_python_the_soft_way_is_an_exception_there(leaving):
    def answer(pred, target):
        raise leaving

    verdict = examine_in_process("dice", answer)
    assert verdict.status == "error"
    assert ("ends the program" if leaving is SystemExit else leaving.__name__) in verdict.message


class Empty(nn.Module):
    """Has no `forward`; torch raises a NotImplementedError of its own."""

    def __init__(self, *args, **kwargs):
        super().__init__()


class Unready(nn.Module):
    """Forgets `super().__init__()`."""

    def __init__(self, *args, **kwargs):
        pass


class Stubborn(DoubleConv):
    def train(self, mode=True):
        raise ValueError("never")


def unimplemented(pred, target):
    """No stub, which has no message."""
    raise NotImplementedError("masks of this kind")


@pytest.mark.parametrize(
    ("name", "answer", "status"),
    [
        ("DoubleConv", Unready, "error"),
        ("DoubleConv", Stubborn, "error"),
        ("DoubleConv", Empty, "error"),
        ("dice", lambda pred, target: 10**400, "wrong"),
        ("dice", lambda pred, target: 10**5000, "wrong"),
        ("dice", lambda pred, target: torch.eye(3).to_sparse(), "wrong"),
        ("dice", lambda pred, target: torch.zeros(2, dtype=torch.complex64), "wrong"),
        ("dice", lambda pred, target: torch.ones(1, 1).expand(10**6, 10**6), "wrong"),
        ("dice", lambda pred, target: {1: {2, 3}}, "wrong"),
        ("dice", lambda pred, target: {}[torch.zeros(2)], "error"),
        ("dice", lambda pred, target: torch.empty(2, device="meta"), "error"),
        ("dice", unimplemented, "error"),
    ],
)
def test_an_odd_answer_is_a_verdict_and_the_same_on_both_sides(name, answer, status):
    here = examine(name, answer, 0)
    assert here.status == status
    assert examine_in_process(name, answer).to_json() == here.to_json()


def test_what_an_answer_prints_and_reads_stays_there(capfd):
    def chatty(pred, target):
        print("out", flush=True)
        os.write(1, b"out")
        os.write(2, b"err")
        assert sys.stdin.read() == ""
        return dice(pred, target)

    assert examine_in_process("dice", chatty).status == "passed"
    assert capfd.readouterr() == ("", "")


def test_what_an_answer_changes_stays_there():
    def meddling(pred, target):
        os.environ["MEDDLED"] = "yes"
        torch.Tensor.sum = None
        return 1.0

    assert examine_in_process("dice", meddling).status != "passed"
    assert "MEDDLED" not in os.environ
    assert torch.ones(2).sum() == 2


# ---- the subject ----


class Keeper:
    """Hands out what it keeps, and changes it."""

    def __init__(self):
        self.kept = torch.zeros(2)

    def add(self):
        self.kept += 1
        return self.kept


@pytest.mark.parametrize("make", [lambda student: nullcontext(LocalSubject(student)), ProcessSubject])
def test_what_was_returned_does_not_change_afterwards(make):
    with make(Keeper) as subject:
        subject.construct((), {})
        first = subject.method("add").value
        kept = subject.get("kept")
        subject.method("add")
    assert (first.tolist(), kept.tolist()) == ([1, 1], [1, 1])


def test_the_methods_are_those_of_the_object():
    inputs = (torch.rand(1, 2, 5, 6),)
    here = LocalSubject(DoubleConv)
    with ProcessSubject(DoubleConv) as there:
        for subject in (here, there):
            assert subject.construct((2, 3), {}).value == "module"
            subject.train(False)
            subject.forward(inputs)
        parameters = there.parameters()
        assert isinstance(parameters, Parameters)
        assert parameters == here.parameters()
        weights = [torch.rand(shape) for shape in parameters.used]
        for subject in (here, there):
            subject.set_parameters(weights)
        assert torch.equal(there.forward(inputs).value, here.forward(inputs).value)
        assert there.get("training") is False
        assert isinstance(there.get("nothing"), Raised)
        assert there.method("extra_repr").value == ""


def test_the_child_is_gone_afterwards_and_says_so():
    with ProcessSubject(dice) as subject:
        child = subject._child
        os.kill(child, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)  # a zombie would still be there
    with pytest.raises(Lost, match="ended"):
        subject.call((), {})
    subject.close()


def test_what_the_answer_started_is_gone_too(tmp_path):
    def starts(pred, target):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (tmp_path / "pid").write_text(str(child.pid))
        return 1.0

    examine_in_process("dice", starts)
    started = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while running(started) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(started)


def running(process):
    """Whether it runs; one that has ended and waits for a parent that is gone does not."""
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_it_works_from_a_thread_other_than_the_main_one():
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(examine_in_process("dice", endless, seconds=0.3)))
    thread.start()
    thread.join(20)
    assert verdicts[0].status == "error"


def test_the_time_for_all_probes_together_is_bounded_too(monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.5)

    def slow(pred, target):
        time.sleep(0.2)
        return dice(pred, target)

    verdict = examine_in_process("dice", slow)
    assert verdict.status == "error"
    assert "did not finish within 0.5 seconds" in verdict.message


def test_a_system_without_fork_is_told_what_to_do(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(OSError, match="needs os.fork.*Use LocalSubject"):
        ProcessSubject(dice)


# ---- the quick answer to "is it right?" ----


@pytest.mark.parametrize("name", ["dice", "DoubleConv"])
def test_the_quick_answer_is_that_of_the_verdict(name):
    exercise = exercises.load(name)
    for answer in (*exercise.right_answers, *exercise.misconceptions):
        subject = LocalSubject(answer.solution)
        assert engine.is_right(name, subject, 0) == (examine(name, answer.solution, 0).status == "passed")
