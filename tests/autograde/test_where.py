"""The one change that mends a graded answer, looked for in the sandbox."""

import pytest

from autograde.judge import judge
from autograde.located import program_of
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import Warm
from autograde.where import one_change
from autograde.worker import looked

ALMOST = """# Dice
def dice(pred, target):
    both, total = (pred & target).sum().item(), pred.sum().item() + target.sum().item()
    return 3 * both / total if total else 1.0"""


@pytest.fixture(scope="module")
def warm():
    with Warm() as warm:
        yield warm


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (ALMOST, "One small change makes it pass. It is in line 4 of your cell: "),
        ("def dice(pred, target):\n    return 0.25", ""),
        ("def dice(pred, target):\n    while True:\n        pass", ""),
    ],
    ids=["one", "none", "endless"],
)
def test_it_says_the_line_or_nothing(warm, source, said):
    program = program_of("dice", source)
    assert judge("dice", program, 5, warm, Limits(cpu_seconds=3)).state != "passed"
    found = one_change("dice", program, 5, warm, seconds=60 if said else 3)
    assert found.startswith(said)
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    "source",
    [
        "def dice(pred, target):\n    return pred" + ".T" * 900,
        "def dice(pred, target):\n    return 10**400",
        "def dice(pred, target):\n    found = []\n    for _ in range(60):\n        found = [found]\n    return found",
    ],
    ids=["a long path", "larger than any float", "deep"],
)
def test_nothing_ends_the_search_but_its_time(source):
    assert looked({"dice": program_of("dice", source)}, 5, seconds=1) == {"dice": ""}
