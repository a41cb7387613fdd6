"""Bounds on code under check."""

import signal
import sys
import threading
import time
import warnings

import pytest
import torch

from helpers.checks.limits import OutOfTime, one_thread, quiet, time_limit


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


def test_quiet_catches_output_and_warnings(capsys):
    with quiet() as printed:
        print("out")
        print("err", file=sys.stderr)
        warnings.warn("warned", stacklevel=1)
    assert capsys.readouterr() == ("", "")
    assert printed.getvalue() == "out\nerr\n"


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
