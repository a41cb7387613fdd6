"""Bounds on a student's code while it is checked: time, and what it prints, shows and asks for."""

from __future__ import annotations

import _thread
import builtins
import contextlib
import io
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


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
        if hasattr(signal, "pthread_kill"):  # this wakes a sleeping thread, too
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        else:
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


@dataclass
class Noticed:
    """What the body of `quiet` printed, and whether it showed something or drew a figure."""

    printed: str = ""
    drew: bool = False


@contextlib.contextmanager
def quiet() -> Iterator[Noticed]:
    """Keep from the page what the body prints, shows and warns of, close the figures it opens, and let it ask nothing.

    nbgrader gives a cell that writes to stderr no points, so a warning from inside a right answer must not reach it.
    """
    noticed, printed, ask = Noticed(), io.StringIO(), builtins.input
    builtins.input = _refuse_to_ask
    try:
        with (
            _figures_of_its_own() as opened,
            _nothing_displayed() as displayed,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield noticed
    finally:
        builtins.input = ask
        noticed.printed = printed.getvalue()
        noticed.drew = bool(opened or displayed)


def _refuse_to_ask(prompt: object = "") -> str:
    raise EOFError("input() is not answered here; everything needed is among the arguments")


@contextlib.contextmanager
def _figures_of_its_own() -> Iterator[list[int]]:
    """Close the figures that the body opens. Those open before it does not see, so it can neither change nor show them.

    Yields:
        A list that holds the numbers of its figures in the end.
    """
    opened: list[int] = []
    others = dict(_figures())
    _figures().clear()
    try:
        yield opened
    finally:
        opened += _figures()
        if opened:
            sys.modules["matplotlib.pyplot"].close("all")
        _figures().update(others)


def _figures() -> dict[int, Any]:
    """pyplot's own list of open figures, since it has no call to put some aside; none are open before it is loaded."""
    pylab = sys.modules.get("matplotlib._pylab_helpers")
    return pylab.Gcf.figs if pylab else {}


@contextlib.contextmanager
def _nothing_displayed() -> Iterator[list[Any]]:
    """Keep back what the body gives to IPython's `display`, as `plt.show()` does in a notebook."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if shell is None:
        yield []
        return
    from IPython.core.displaypub import CapturingDisplayPublisher

    publisher: Any = CapturingDisplayPublisher
    kept, shell.display_pub = shell.display_pub, publisher()
    try:
        yield shell.display_pub.outputs
    finally:
        shell.display_pub = kept


@contextlib.contextmanager
def generators_kept() -> Iterator[None]:
    """Leave the global generators of torch, NumPy and Python as they were, whatever the body draws or seeds."""
    import torch

    with torch.random.fork_rng(devices=[]):
        python, numpy = random.getstate(), np.random.get_state()
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


@contextlib.contextmanager
def on_cpu() -> Iterator[None]:
    """New tensors are on the CPU, whatever device the notebook has made the default."""
    import torch

    with torch.device("cpu") if torch.get_default_device().type != "cpu" else contextlib.nullcontext():
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
