"""Bounds on a student's code while it is checked: time, and what it prints."""

from __future__ import annotations

import _thread
import contextlib
import io
import signal
import threading
import warnings
from collections.abc import Iterator


class OutOfTime(Exception):
    """The code under check did not finish in time."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the body after `seconds`, as Ctrl-C does, and raise `OutOfTime`.

    That reaches Python code in the main thread only: in another thread the body runs without a limit, and a call that
    hangs inside C is not reached.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    fired = threading.Event()

    def fire() -> None:
        fired.set()
        _thread.interrupt_main()

    timer = threading.Timer(seconds, fire)
    timer.daemon = True
    # A shell starts background programs with Ctrl-C ignored; the interrupt would be ignored, too.
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # an interrupt on its way arrives here, inside the outer try
    except KeyboardInterrupt as interrupt:
        if fired.is_set():
            raise OutOfTime from interrupt
        raise
    finally:
        if not callable(handler) and handler is not None:
            signal.signal(signal.SIGINT, handler)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Catch what the body prints and warns of.

    nbgrader gives a cell that writes to stderr no points, so a warning from inside a right answer must not reach it.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread in the body.

    Probes are tiny: sharing them out costs more than the arithmetic, and on a busy machine the threads wait for each
    other, which made checks ten times slower.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
