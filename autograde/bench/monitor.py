"""What watching a training costs: the same training with and without the monitor, in turns in one real kernel.

    python -m autograde.bench.monitor

prints one JSON object last. It compares medians, because machines are shared. No page draws the monitor, so that is not
counted.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any
from unittest.mock import patch

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import run_kernel

from autograde.bench import step
from helpers import data, training
from helpers.monitor import monitor

EPOCHS = 40  # of 4 steps: some seconds
ROUNDS = 5


def alternate(rounds: int = ROUNDS, epochs: int = EPOCHS) -> dict[str, Any]:
    """Seconds of a training without and with the monitor, and the share of it that the monitor itself counted.

    Call it in a notebook cell: elsewhere there is no monitor.
    """
    train, validation = (data.load("nuclei", split, tile=None) for split in ("train", "validation"))
    counted = []

    def fit(watch: monitor.Watch) -> training.History:
        with patch.object(training, "watching", lambda: watch):
            return training.fit(step.network(), train, validation, epochs=epochs, crop=64, patience=99)

    def watched() -> None:
        watch = monitor.watching()
        assert watch.on, "this is no cell of a notebook"
        seconds = fit(watch).seconds
        counted.append(watch.cost / seconds)

    times = step.medians({"without": lambda: fit(monitor.Watch()), "with": watched}, rounds)
    return {
        "seconds": {name: round(ms / 1000, 2) for name, ms in times.items()},
        "times longer": round(times["with"] / times["without"], 3),
        "counted": round(statistics.median(counted), 4),
    }


def main() -> int:
    """Print what `alternate` gives, in a kernel of its own as if for a front end; 1 if it failed."""
    code = "import json; from autograde.bench.monitor import alternate; print('\\n' + json.dumps(alternate()))"
    with run_kernel(kernel_name="python3") as client:
        assert isinstance(client, BlockingKernelClient)
        reply = client.execute_interactive(code, allow_stdin=True)
    return int(reply["content"]["status"] != "ok")


if __name__ == "__main__":
    sys.exit(main())
