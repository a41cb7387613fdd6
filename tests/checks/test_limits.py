"""Bounds on code under check."""

import signal
import threading
import time

import pytest
import torch

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
