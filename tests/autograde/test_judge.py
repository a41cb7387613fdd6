"""Answers judged in the sandbox: the verdict is that outside it, and what ends a process is said."""

import tempfile

import pytest

from autograde import judge as judging
from autograde.judge import judge, judge_lesson, modules_before
from autograde.located import lesson_cells, program_of
from autograde.sandbox import locked
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import Warm
from helpers import exercises
from helpers.checks import engine
from helpers.checks.program import Cell

SEED = 0


@pytest.fixture(scope="module")
def warm():
    with Warm() as started:
        yield started


@pytest.mark.parametrize("name", exercises.names())
def test_every_known_answer_gets_the_verdict_it_gets_outside(warm, name):
    exercise = exercises.load(name)
    for answer in (*exercise.right_answers, *exercise.misconceptions):
        if "_of_the_course" in answer.source:  # made with the course's own answer, which is not there
            continue
        here = engine.examine(name, answer.solution, SEED)
        there = judge(name, program_of(name, answer.source), SEED, warm).verdict
        assert (there.status, there.points, there.diagnosis) == (here.status, here.points, here.diagnosis), answer.name


def judged(warm, source, name="dice", **limits):
    return judge(name, program_of(name, source), SEED, warm, Limits(**limits))


def test_what_is_judged_has_passed_only_if_it_is_right(warm):
    right = judged(
        warm, "def dice(a, b):\n    s = int(a.sum() + b.sum())\n    return 2 * int((a & b).sum()) / s if s else 1.0"
    )
    assert (right.state, right.verdict.points) == ("passed", right.verdict.max_points)
    assert right.cpu_seconds > 0
    assert "seccomp" in right.walls
    wrong = judged(warm, "def dice(a, b):\n    return 1.0")
    assert (wrong.state, wrong.verdict.points) == ("wrong", 0)


@pytest.mark.parametrize(
    ("source", "state", "said"),
    [
        (
            "def dice(a, b):\n    while True: pass",
            "timeout",
            "used 2 seconds of a processor, and was stopped in line 2",
        ),
        ("import os\ndef dice(a, b): os._exit(0)", "crashed", "ended the process"),
        ("def dice(a, b): return bytearray(3 * 10**9)", "memory", "MemoryError"),
        ("import torch\ndef dice(a, b): return torch.ones(2**31)", "memory", "allocate"),
        ("def halve(x): return x / 0\n@halve\ndef dice(a, b): return 1", "error", "TypeError"),
        ("def dice(a, b):\n    raise NotImplementedError()", "not attempted", "not written yet"),
    ],
)
def test_how_an_answer_ended_is_said(warm, source, state, said):
    found = judged(warm, source, cpu_seconds=2)
    assert found.state == state
    assert said in found.verdict.message
    assert found.verdict.points == 0


@pytest.mark.parametrize(
    "source",
    [
        "def dice(a, b): sleep(1000)",
        "def dice(a, b, c=sleep(1000)): pass",
        "def dice(a, b):\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    sleep(1000)",
        "def dice(a, b):\n    while True:\n        try: sleep(1000)\n        except BaseException: pass",
    ],
)
def test_one_that_waits_and_computes_nothing_is_out_of_time(warm, monkeypatch, source):
    monkeypatch.setattr(locked, "BACKSTOP_SECONDS", 3.0)
    late = judged(warm, f"import signal\nfrom time import sleep\n{source}")
    assert late.state == "timeout"
    assert "did not finish within 3 seconds" in late.verdict.message


@pytest.mark.parametrize(
    "source",
    [
        "def dice(a, b): raise ValueError('\\x1b[2J' + 'x' * 3_000_000)",
        "def dice(a, b): raise type('\\x1b]0;owned\\x07', (Exception,), {})('no')",
        "def dice(a, b): return '\\x1b[31m' * 100_000",
        "raise_ = '\\x1b[31m'\ndef dice(a, b): raise KeyError(raise_)  # \x1b[31m",
    ],
)
def test_what_an_answer_says_is_short_and_steers_no_terminal(warm, source):
    message = judged(warm, source, cpu_seconds=5).verdict.message
    assert "\x1b" not in message
    assert len(message) < 3000


FORGE = """
import gc, socket
from helpers.checks import codec
from helpers.checks.subject import Raised, Reply
def dice(a, b):
    [own] = [s for s in gc.get_objects() if isinstance(s, socket.socket) and s.fileno() > 2]
    codec.send(own, ("done", Reply({})))
"""


@pytest.mark.parametrize(
    "value", ["10**400", "Raised('ValueError', '', cause='f (1 2)')", "{'a\\ud800': 1}", "'x' * 10**6"]
)
def test_a_forged_reply_costs_its_author_and_nobody_else(warm, value):
    found = judged(warm, FORGE.format(value), cpu_seconds=5)
    assert (found.state in ("wrong", "error", "crashed"), found.verdict.points) == (True, 0)


@pytest.mark.parametrize("message", ["('unlocked', 'no')", "('locked', ['none'])", "('ready',)", "3"])
def test_a_forged_beginning_says_nothing_about_the_walls(warm, message):
    source = FORGE.replace("def dice(a, b):\n", "").replace("    ", "").replace('("done", Reply({}))', message)
    found = judged(warm, f"{source}\nused = own\ndef dice(a, b): return used and 0.5")
    assert found.verdict.points == 0
    assert "seccomp" in found.walls


SEARCH = """
import ctypes
def dice(a, b):
    end = ctypes.CDLL(None).sbrk
    end.restype = ctypes.c_void_p
    raise KeyError(ctypes.string_at(end(0) - 4 * 2**20, 4 * 2**20).count(bytes.fromhex("{}")))
"""


def test_an_answer_finds_nothing_of_the_one_before_in_its_memory(warm):
    judged(warm, f"def dice(a, b): return 'canary of the one before {'x' * 10_000}'")
    source = SEARCH.format(b"canary of the one before".hex())
    with warm.start("dice", [(source, "dice", 1)], {}, Limits(), guarded=False) as subject:
        subject.begin()
        assert subject.call((1, 1), {}).value.message == "0"


def test_a_deep_folder_is_removed(warm, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    judged(
        warm,
        "import os\ndef dice(a, b):\n    for _ in range(2000):\n        os.mkdir('d'); os.chdir('d')\n    return 0.5",
    )
    assert list(tmp_path.glob("answer-*")) == []


def test_load_on_the_machine_does_not_count(warm, monkeypatch):
    source = "import time\ndef dice(a, b):\n    time.sleep(0.3)\n    s = int(a.sum() + b.sum())\n"
    source += "    return 2 * int((a & b).sum()) / s if s else 1.0"
    assert judged(warm, source, cpu_seconds=2).state == "passed"


# ---- a whole notebook ----


def handed_in(**written):
    """The cells of lesson 07, with what a student wrote in place of the stubs."""
    return [Cell(cell.name, written.get(cell.name, cell.source)) for cell in lesson_cells("07_skips")]


def solved():
    """Each exercise of lesson 07 as the course solves it."""
    names = [name for name in exercises.names() if exercises.load(name).lesson == "07_skips"]
    return {name: exercises.load(name).right_answers[0].source for name in names}


def states(warm, cells):
    return {name: one.state for name, one in judge_lesson("07_skips", cells, SEED, warm).items()}


PASSED = dict.fromkeys(("center_crop", "pad_to_multiple", "Up", "UNet"), "passed")


def test_a_notebook_is_judged_exercise_by_exercise(warm):
    assert states(warm, handed_in(**solved())) == PASSED
    assert states(warm, handed_in()) == dict.fromkeys(PASSED, "not attempted")


def test_a_wrong_piece_costs_itself_alone(warm):
    wrong = solved()["Up"].replace("torch.cat([", "torch.cat([0 * ")
    assert wrong != solved()["Up"]
    assert states(warm, handed_in(**solved() | {"Up": wrong})) == PASSED | {"Up": "wrong"}


@pytest.mark.parametrize("name", [None, "", "7"])
def test_without_names_of_cells_the_definitions_count(warm, name):
    cells = [Cell(str(k) if name is None else name, cell.source) for k, cell in enumerate(handed_in(**solved()))]
    assert states(warm, cells) == PASSED


def test_an_own_helper_a_split_cell_and_an_answer_in_a_new_cell_are_found(warm):
    answers = solved()
    own = Cell("own", answers.pop("center_crop").replace("def center_crop", "def cut"))
    new = Cell("new", "SIZE = slice(2)\ndef center_crop(x, size):\n    return cut(x, size[SIZE])")
    assert states(warm, [own, *handed_in(**answers), new]) == PASSED


def test_what_is_not_there_is_missing_with_the_reason(warm):
    cells = [cell for cell in handed_in(**solved()) if cell.name != "UNet"]
    found = judge_lesson("07_skips", cells, SEED, warm)["UNet"]
    assert (found.state, found.verdict.points) == ("missing", 0)
    assert "No cell defines UNet" in found.verdict.message.replace("`", "")
    broken = judge_lesson("07_skips", handed_in(**solved() | {"UNet": "class UNet(:"}), SEED, warm)["UNet"]
    assert "is not Python yet: line 1" in broken.verdict.message


def test_one_that_ends_its_process_stops_no_other(warm):
    ends = "import os\nos._exit(0)\ndef pad_to_multiple(x, multiple): os._exit(0)"
    assert states(warm, handed_in(**solved() | {"pad_to_multiple": ends})) == PASSED | {"pad_to_multiple": "crashed"}


def test_a_later_piece_is_not_among_the_earlier_ones():
    modules = modules_before("Up")
    unet = modules["helpers.reference.unet"]
    assert "class DoubleConv" in unet
    assert "class Up(" not in unet
    assert "class UNet" not in unet
    assert "helpers.reference.losses" not in modules
    for name in exercises.names():
        reference = exercises.load(name).reference
        source = modules_before(name).get(reference.__module__, "")
        assert f"def {name}(" not in source
        assert f"class {name}(" not in source


def test_only_what_the_pieces_need_is_kept():
    source = "import a\nfrom b import later, K\ndef _help(): return K\ndef f(): return _help()\ndef g(): return later\n"
    assert judging._only(source, {"f"}) == "from b import K\ndef _help():\n    return K\ndef f():\n    return _help()"


@pytest.mark.parametrize("name", exercises.names())
def test_every_earlier_piece_can_be_imported_in_the_lock(warm, name):
    modules = modules_before(name)
    before = exercises.names()[: exercises.names().index(name)]
    imports = [f"    from {exercises.load(n).reference.__module__} import {n}" for n in before]
    source = "\n".join(["def f():", *imports, "    return 1"])
    with warm.start("f", [(source, "f", 1)], modules, Limits()) as subject:
        subject.begin()
        assert subject.call((), {}).value == 1


def test_an_earlier_piece_comes_without_what_looks_at_its_arguments():
    source = modules_before("calibration_error")["helpers.reference.inference"]
    assert "def predict_tiled" in source
    assert "takes_an_image" not in source


# ---- points are not to be had by force ----


RIGHT = """
def dice(pred, target):
    total = int(pred.sum() + target.sum())
    return 2 * int((pred & target).sum()) / total if total else 1.0
"""
CHANGES_ITS_INPUT = """
import torch
{}
def dice(pred, target):
    total = int(pred.sum() + target.sum())
    result = 2 * int((pred & target).sum()) / total if total else 1.0
    pred ^= True
    {}
    return result
"""
FOR_A_MOMENT = """
def lie(a, b, equal=torch.equal):
    torch.equal = equal
    return True
"""
LYING = """
class Lying(torch.Tensor):
    @classmethod
    def __torch_function__(cls, f, types, args=(), kwargs=None):
        return True if f is torch.equal else super().__torch_function__(f, types, args, kwargs or {})
"""


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("import helpers.checks.subject as subject", "subject._same = lambda a, b: True"),
        ("torch.equal = lambda a, b: True", ""),
        (FOR_A_MOMENT, "torch.equal = lie"),
        ("import builtins", "builtins.all = lambda x: True"),
        ("import sys", "sys._getframe(1).f_locals"),
        (LYING, "pred.__class__ = Lying"),
    ],
)
def test_an_answer_that_breaks_a_rule_gets_no_points_whatever_it_patches(warm, before, then):
    found = judged(warm, CHANGES_ITS_INPUT.format(before, then), cpu_seconds=10)
    assert found.verdict.points == 0
    assert found.state in ("wrong", "error", "flagged"), found.verdict.message


def test_a_right_answer_that_reaches_past_its_task_is_flagged_and_told_what_to_do(warm):
    found = judged(warm, f"import socket{RIGHT}".replace("    total", "    total = socket.AF_INET\n    total", 1))
    assert (found.state, found.verdict.points, found.verdict.status) == ("flagged", 0, "wrong")
    assert "uses `socket`, which no task needs" in found.verdict.message
    assert "Line 1" in found.verdict.message
    assert "tell your instructor, who can give the points by hand" in found.verdict.message
    assert judged(warm, RIGHT).state == "passed"


def test_what_it_changes_when_it_is_defined_is_a_finding(warm):
    source = f"import torch{RIGHT}\ndef put(thing, name, f):\n    setattr(thing, name, f)\n    return f\n"
    found = judged(warm, f"{source}dice = put(torch.Tensor, 'own', dice)")
    assert (found.state, found.verdict.points) == ("flagged", 0)
    assert "`Tensor.own`" in found.verdict.message


def test_a_program_that_nobody_can_read_is_flagged_or_wrong(warm):
    deep = "-" * 3000 + "1"
    found = judge_lesson("02_overlap", [Cell("dice", f"{RIGHT}\nx = {deep}")], SEED, warm)["dice"]
    assert found.verdict.points == 0
    assert judged(warm, RIGHT).state == "passed"


BY_HAND = """
import torch
def conv2d(x, weight, bias=0.0, stride=1, padding=0):
    {}
    x, w, b = x[None, None], weight[None, None], torch.tensor([float(bias)])
    return {}[0, 0]
"""


@pytest.mark.parametrize(
    ("before", "call"),
    [
        ("", "torch.nn.functional.conv2d(x, w, b, stride, padding)"),
        ("f = getattr(torch.nn.functional, 'conv' + '2d')", "f(x, w, b, stride, padding)"),
        ("torch._C.DisableTorchFunction().__enter__()", "torch.nn.functional.conv2d(x, w, b, stride, padding)"),
        ("", "torch.ops.aten.conv2d.default(x, w, b, [stride] * 2, [padding] * 2)"),
        (
            "f = torch._C._get_operation_overload('aten::conv2d', '')[0]",
            "f(x, w, b, [stride] * 2, [padding] * 2)",
        ),
        (
            "from concurrent.futures import ThreadPoolExecutor as Pool",
            "Pool(1).submit(torch.nn.functional.conv2d, x, w, b, stride, padding).result()",
        ),
    ],
)
def test_a_forbidden_function_gives_no_points_however_it_is_called(warm, before, call):
    found = judged(warm, BY_HAND.format(before, call), "conv2d")
    assert found.verdict.points == 0
    assert found.state in ("wrong", "flagged", "error")


@pytest.mark.parametrize("ms", ["3.0", "2.0 + len(rows)", "5.0 - len(rows)", "1000 * getattr(model, 'seconds', 0.003)"])
def test_a_time_that_was_not_measured_gives_no_points(warm, ms):
    source = exercises.load("compare").right_answers[0].source
    assert source.count("'ms': _milliseconds_an_image(model, loader)") == 1
    assert judged(warm, source, "compare").state == "passed"
    changed = source.replace("'ms': _milliseconds_an_image(model, loader)", f"'ms': {ms}")
    found = judged(warm, changed, "compare")
    assert (found.state, found.verdict.points) == ("wrong", 0)


def test_what_was_judged_is_kept_and_a_copy_of_the_courses_is_told(warm):
    own, copy = judged(warm, RIGHT), judged(warm, exercises.load("dice").right_answers[0].source)
    assert own.program.source.strip().endswith(RIGHT.strip())
    assert (own.like_the_courses, copy.like_the_courses) == (False, True)
