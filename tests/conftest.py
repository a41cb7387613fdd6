"""What all tests share."""

import os
import random
import re
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

if "PYTEST_XDIST_WORKER" in os.environ:  # `python course.py test` runs one such process for each processor
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

# Kernels and grading processes started by a test import the course from this checkout.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
sys.path.insert(0, str(ROOT))

# The same cases in every run: a submission is not to fail by chance. `--hypothesis-profile=new` draws new ones.
settings.register_profile("course", derandomize=True, deadline=None)
settings.register_profile("new", deadline=None)
settings.load_profile("course")


SEED = 20261123  # one that no test sets itself, since some look whether a seed was set


def _same_random_numbers() -> None:
    """Let no test depend on which others ran before it in the same process; what is not imported yet begins seeded."""
    random.seed(SEED)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(SEED)
    if hasattr(sys.modules.get("torch"), "manual_seed"):  # a test may have put something else there
        sys.modules["torch"].manual_seed(SEED)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _same_random_numbers()  # for the fixtures that several tests share


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    _same_random_numbers()


@pytest.fixture(scope="session")
def closed():
    """An address at which nobody listens, and none will while the tests run."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of dicts from MIME type to content; `outputs` of a cell, since some are updates."""

    class Displayed(list):
        outputs = 0

    displayed = Displayed()

    def update(what):
        displayed.append(what._repr_mimebundle_())

    def display(what, raw=False, display_id=None):
        displayed.outputs += 1
        displayed.append(what if raw else what._repr_mimebundle_())
        return SimpleNamespace(update=update) if display_id else None

    monkeypatch.setattr("IPython.display.display", display)
    return displayed


# Files whose tests are spread over the processes by their parameter: an exercise, a lesson.
BY_PARAMETER = {f"tests/checks/test_{name}.py" for name in ("exercises", "fairness")}
BY_PARAMETER.add("tests/autograde/test_notebooks.py")


def pytest_xdist_auto_num_workers() -> int:
    from helpers.threads import available_cpus

    return min(available_cpus(), 4)  # each takes up to a gigabyte


def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class TogetherScheduling(LoadScopeScheduling):
        """What is worth keeping in one process: a file's fixtures, one JupyterLab, an exercise's known answers."""

        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            if file.startswith("tests/browser/"):
                return "tests/browser"
            parameter = re.search(r"\[(\w+)", test)
            return parameter[1] if file in BY_PARAMETER and parameter else file

    return TogetherScheduling(config, log)
