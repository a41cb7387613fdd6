"""`where` looks in a process of its own, finds what one small change mends, and leaves nothing running."""

import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest
from jupyter_client.manager import run_kernel

from helpers import exercises
from helpers.checks import one_change
from helpers.checks.one_change import Located, search
from helpers.checks.program import NoProgram, Part, Program

DICE = """
def dice(pred, target):
    overlap = (pred & target).sum().item()
    total = pred.sum().item() + target.sum().item()
    return 2 * overlap / total if total else 1.0
"""
WRONG = DICE.replace("2 *", "3 *")  # in its last line
SECONDS = 30  # for a search on a busy machine; on a quiet one it takes two


def program(source, name="dice"):
    parts = [Part("import torch", cell="1"), Part(textwrap.dedent(source).strip(), own=True, cell="2", line=3)]
    return Program(name, tuple(parts))


@pytest.fixture
def looked(monkeypatch):
    """Looks for the change that mends a source."""

    def look(source, name="dice", seconds=SECONDS):
        monkeypatch.setattr(one_change, "SECONDS", seconds)
        monkeypatch.setattr(one_change, "of_kernel", lambda *answer: program(source, name))
        return search(name, None)

    return look


@pytest.fixture
def anew():
    """Lets the worker of the tests before end, and that of this test."""
    for _ in range(2):
        if one_change._running is not None:
            one_change._running.end()
        yield from [None] if _ == 0 else []


def searching():
    """What runs below the worker: also what an answer has started and left alone, which comes to it."""
    worker = one_change._running
    below = psutil.Process(worker._process.pid).children(recursive=True) if worker and worker.is_alive() else []
    return [process for process in below if process.status() != psutil.STATUS_ZOMBIE]


def nothing_left(seconds=5):
    """Whether only the worker itself goes on."""
    until = time.monotonic() + seconds
    while searching():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_it_says_the_line_then_the_place_then_the_kind(looked):
    found = looked(WRONG).wait(SECONDS)
    assert isinstance(found, Located)
    assert found.text == "    return 3 * overlap / total if total else 1.0"
    assert found.line == 6  # the definition begins in line 3 of its cell
    line, place, kind = (found.said(level) for level in (1, 2, 3))
    assert "line 6 of your cell: `return 3 * overlap / total if total else 1.0`" in line
    assert place == "In line 6, look at `3`."
    assert kind == "Another number belongs there."
    assert "2 *" not in line + place + kind  # never the change itself
    assert nothing_left()


def test_a_search_tells_how_far_it_is(looked):
    hard = looked("def dice(pred, target):\n    return 0.5", seconds=4)
    seen = set()
    while hard.wait(0.1) is None:
        seen.add(hard.tried)
    assert len(seen) > 1
    assert isinstance(hard.wait(), str)


def test_of_two_mistakes_one_is_found_and_what_it_mends_is_said(looked):
    two = DICE.replace("&", "|").replace("1.0", "0.0")
    found = looked(two).wait(2 * SECONDS)
    assert isinstance(found, Located)
    assert 0 < found.mends < found.of
    assert f"mends {found.mends} of the {found.of} examples that fail" in found.said(1)
    assert "more than one thing" in found.said(1)


def test_an_endless_loop_is_located(looked):
    found = looked(DICE.replace("    return", "    while overlap >= 0:\n        pass\n    return")).wait(SECONDS)
    assert isinstance(found, Located)
    assert found.said(1).startswith("One small change makes it pass. It is in line 6 ")


def test_a_change_in_a_function_beside_the_answer_is_found_there(monkeypatch):
    helper = Part("def total_of(a, b):\n    return a.sum().item() - b.sum().item()", own=True, cell="7", line=1)
    answer = DICE.replace("pred.sum().item() + target.sum().item()", "total_of(pred, target)").strip()
    whole = Program("dice", (helper, Part(answer, own=True, cell="9", line=1)))
    monkeypatch.setattr(one_change, "of_kernel", lambda *answer: whole)
    found = search("dice", None).wait(SECONDS)
    assert found.said(1).endswith(
        "line 2 of the cell with `def total_of(a, b)`: `return a.sum().item() - b.sum().item()`"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (DICE, "passes. Something else in this notebook changes it"),
        ("def dice(pred, target):\n    return scale(pred)", "No single small change"),
        ("scale = 1 / 0\ndef dice(pred, target):\n    return scale", "raises ZeroDivisionError"),
        ("import os\ndef dice(pred, target):\n    os._exit(0)", "ends the process"),
    ],
)
def test_where_there_is_nothing_to_find_it_says_why(looked, source, said):
    result = looked(source, seconds=4).wait(SECONDS)
    assert isinstance(result, str)
    assert said in result
    assert nothing_left()


def test_an_answer_without_source_is_told_at_once(monkeypatch):
    def refuse(*answer):
        raise NoProgram("No cell defines `dice`.")

    monkeypatch.setattr(one_change, "of_kernel", refuse)
    assert search("dice", None).wait(0) == "No cell defines `dice`."


def test_a_worker_that_cannot_start_is_told(looked, anew, monkeypatch):
    monkeypatch.setattr(one_change, "COMMAND", ("-c", "raise SystemExit"))
    assert looked(WRONG).wait(SECONDS).startswith("`where` cannot look here: ")


# What an answer may do in a process: it is wrong in its last line all the same.
HOSTILE = {
    "an endless loop after a change": "while total < 0: pass",
    "sleeps": "import time; time.sleep(0.2)",
    "forks": "import os; os.fork()",
    "forks and hides": "import os, time\n    if not os.fork():\n        os.setsid()\n        time.sleep(600)",
    "prints 100 MB": "print('x' * 100_000_000)",
    "writes to the screen": "import os; os.write(1, b'x' * 100_000)",
    "starts a thread": "import threading; threading.Thread(target=print).start()",
    "uses two threads of torch": "import torch; torch.set_num_threads(2); torch.ones(300, 300) @ torch.ones(300, 300)",
    "ends its process in one case": "import os\n    if not total: os._exit(0)",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_the_answer_does_the_search_ends_and_nothing_goes_on(looked, what, capfd):
    source = WRONG.replace("    return", f"    {HOSTILE[what]}\n    return")
    assert looked(source, seconds=4).wait(SECONDS) is not None
    assert nothing_left()
    assert capfd.readouterr() == ("", "")
    assert isinstance(looked(WRONG).wait(SECONDS), Located)  # and the next search is none the worse


def test_a_search_is_stopped_at_once_with_all_it_started(looked):
    hard = looked("def dice(pred, target):\n    while True: pass")
    while not searching():
        time.sleep(0.02)
    began = time.monotonic()
    hard.stop()
    assert hard.wait(0) == one_change.STOPPED
    assert time.monotonic() - began < 1
    assert nothing_left()
    hard.stop()  # twice does no harm
    assert isinstance(looked(WRONG).wait(SECONDS), Located)


def test_a_search_may_be_stopped_before_its_worker_has_started(looked, anew):
    early = looked(WRONG)
    early.stop()
    assert early.wait(0) == one_change.STOPPED
    with one_change._one_at_a_time:  # its thread has come to its end
        assert not searching()
    assert isinstance(looked(WRONG).wait(SECONDS), Located)


def test_a_worker_that_is_killed_is_started_anew(looked):
    assert isinstance(looked(WRONG).wait(SECONDS), Located)
    one_change._running._process.kill()
    one_change._running._process.wait()
    assert isinstance(looked(WRONG).wait(SECONDS), Located)


def test_without_fork_the_changes_are_tried_one_after_the_other(looked, anew, monkeypatch):
    run = "import os; del os.fork; from helpers.checks import change_worker; change_worker.main()"
    monkeypatch.setattr(one_change, "COMMAND", ("-c", run))
    found = looked(WRONG).wait(SECONDS)
    assert isinstance(found, Located)
    assert found.said(2) == "In line 6, look at `3`."
    prints = looked("print('now')\n" + WRONG.strip() + "\nprint('{\"over\": true}')").wait(SECONDS)
    assert isinstance(prints, Located)
    hangs = looked(WRONG.replace("    return", "    while total < 0: pass\n    return")).wait(SECONDS)
    assert isinstance(hangs, Located)  # an endless candidate is interrupted


def test_the_worker_ends_with_whoever_started_it():
    code = (
        "from helpers.checks import one_change, program\n"
        f"whole = program.Program('dice', (program.Part({WRONG!r}, own=True),))\n"
        "one_change.of_kernel = lambda *answer: whole\n"
        "one_change.search('dice', None).wait()\n"
        "print(one_change._running._process.pid, flush=True)\n"
        "import os; os._exit(0)\n"
    )
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=2 * SECONDS)
    worker = int(started.stdout)
    until = time.monotonic() + 10
    while psutil.pid_exists(worker) and psutil.Process(worker).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture(scope="module")
def kernel():
    """Runs a cell, and returns what it printed."""
    with run_kernel() as client:

        def run(cell):
            printed = []
            reply = client.execute_interactive(
                cell, timeout=3 * SECONDS, output_hook=lambda m: printed.append(m["content"].get("text", ""))
            )
            assert reply["content"]["status"] == "ok", "".join(reply["content"]["traceback"])
            return "".join(printed)

        yield run


BEFORE = {
    "nothing": "",
    "a training with two threads": "torch.set_num_threads(2)\nnet = torch.nn.Linear(300, 300)\n"
    "for _ in range(3):\n    net(torch.randn(300, 300)).sum().backward()",
    "a training in another thread": "import threading\nw = torch.ones(300, 300, requires_grad=True)\n"
    "t = threading.Thread(target=lambda: (w @ w).sum().backward())\nt.start(); t.join()",
    "autograd's own threads": "from torch.utils.checkpoint import checkpoint\n"
    "w = torch.ones(9, 9, requires_grad=True)\n"
    "checkpoint(lambda x: (x @ x).relu(), w, use_reentrant=True).sum().backward()",
    "a patched torch": "torch.Tensor.sum = None",
}


@pytest.mark.parametrize("before", BEFORE)
def test_whatever_the_notebook_has_done_it_looks_and_the_kernel_goes_on(kernel, before):
    kernel("%reset -f")
    kernel(f"import torch\nkept = torch.Tensor.sum\n{BEFORE[before]}")
    kernel(WRONG)
    said = kernel(
        f"from helpers.checks import one_change\none_change.SECONDS = {SECONDS}\n"
        "print(one_change.search('dice', dice).wait().said(1))\ntorch.Tensor.sum = kept"
    )
    assert "in line 4 of your cell: `return 3 * overlap" in said
    assert kernel("print(1 + 1)") == "2\n"


def test_searches_from_several_threads_wait_for_each_other(looked):
    found = []
    threads = [threading.Thread(target=lambda: found.append(looked(WRONG).wait(2 * SECONDS))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(one) for one in found] == [Located, Located]


def test_the_recorded_answers_are_located_in_the_line_that_was_changed(looked):
    """Of a few recorded mistakes of one line, across the course."""
    for name in ("iou", "conv2d", "Down", "soft_dice_loss"):
        exercise = exercises.load(name)
        answer = next(a for a in exercise.misconceptions if len(a.changes) == 1 and "\n" not in a.changes[0][1])
        found = looked(answer.source, name).wait(2 * SECONDS)
        assert isinstance(found, Located), (name, answer.name, found)
        new = answer.changes[0][1].splitlines()[0].strip()
        assert new[:10] in found.text or found.text.strip()[:10] in new, (name, answer.name, found)
