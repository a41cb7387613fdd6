"""Bounds on code under check."""

import signal
import threading
import time

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from helpers.checks.limits import OutOfTime, one_thread, time_limit


def test_a_body_that_ends_in_time_is_left_alone():
    with time_limit(0.2):
        value = 1
    time.sleep(0.3)  # past the limit: nothing may arrive any more
    assert value == 1


def test_an_interrupt_by_the_user_stays_one():
    with pytest.raises(KeyboardInterrupt), time_limit(5):
        raise KeyboardInterrupt


def test_another_thread_runs_without_a_limit():
    done = []

    def body():
        with time_limit(0.05):
            time.sleep(0.1)
            done.append(True)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert done


def test_one_thread_is_given_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


# Ignored, as in a program that a shell has started in the background.
@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN, signal.SIG_DFL])
def test_an_endless_loop_is_interrupted_whatever_ctrl_c_does(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(OutOfTime), time_limit(0.2):
            while True:
                pass
        assert signal.getsignal(signal.SIGINT) == handler
    finally:
        signal.signal(signal.SIGINT, before)


# What an answer draws, beside what a student has drawn in the same cell.
DRAWS = """
import matplotlib.pyplot as plt
from helpers import check
def dice(pred, target):
    {draws}
    return 0.25
"""
SEEN = "plt.plot([1, 2])\nkept = plt.gcf()\n_ = check(dice)\nassert plt.gcf() is kept and len(plt.gca().lines) == 1"


@pytest.mark.parametrize(
    "draws",
    [
        "plt.figure()",
        "plt.plot([3, 4])",
        "plt.ion(); plt.figure(); plt.draw()",
        "plt.plot([3, 4]); plt.show()",
        "plt.close('all')",
        "plt.figure(1).clear()",
    ],
)
def test_what_an_answer_draws_does_not_stay_and_what_the_student_drew_does(kernel, draws):
    alone, beside = kernel(DRAWS.format(draws=draws) + "_ = check(dice)", DRAWS.format(draws=draws) + SEEN)
    assert [kind(output) for output in alone] == ["verdict"]
    assert [kind(output) for output in beside] == ["verdict", "picture"]


def kind(output):
    return "picture" if "image/png" in output.data else "verdict"


@pytest.fixture(scope="module")
def kernel():
    """Runs cells in one real kernel, and returns their outputs."""
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=120)

    def run(*sources):
        client.nb.cells = [nbformat.v4.new_code_cell(source) for source in sources]
        for number, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, number)
        return [cell.outputs for cell in client.nb.cells]

    with client.setup_kernel():
        yield run
