"""What watching a training costs: the same training with and without the monitor, in turns in one real kernel.

    python -m autograde.bench.monitor

prints one JSON object. It compares medians, because machines are shared. No page draws the monitor, so that is not
counted.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any
from unittest.mock import patch

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import run_kernel

from helpers import data, training
from helpers.monitor import monitor

EPOCHS = 40  # of 4 steps: some seconds
ROUNDS = 5


def alternate(rounds: int = ROUNDS, epochs: int = EPOCHS) -> dict[str, Any]:
    """Seconds of a training without and with the monitor, and the share of it that the monitor itself counted.

    Call it in a notebook cell: elsewhere there is no monitor.
    """
    from autograde.bench.step import network

    train, validation = (data.load("nuclei", split, tile=None) for split in ("train", "validation"))
    times: dict[str, list[float]] = {"without": [], "with": []}
    counted = []
    watches = []

    def watching() -> monitor.Watch:
        watch = monitor.watching()
        assert watch.on, "this is no cell of a notebook"
        watches.append(watch)
        return watch

    for k in range(rounds + 1):
        for name in ("without", "with") if k % 2 else ("with", "without"):
            model = network()
            with patch.object(training, "watching", monitor.Watch if name == "without" else watching):
                began = time.perf_counter()
                training.fit(model, train, validation, epochs=epochs, crop=64, patience=99)
                took = time.perf_counter() - began
            if k:  # the first round warms up
                times[name].append(took)
                counted += [watches[-1].cost / took] if name == "with" else []
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "seconds": {name: round(value, 2) for name, value in medians.items()},
        "times longer": round(medians["with"] / medians["without"], 3),
        "counted": round(statistics.median(counted), 4),
    }


def main() -> dict[str, Any]:
    """`alternate` in a kernel of its own, as if for a front end."""
    printed: list[str] = []

    def keep(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["header"]["msg_type"] == "error":
            raise RuntimeError("\n".join(content["traceback"]))
        if content.get("name") == "stdout":
            printed.append(content["text"])

    code = "import json; from autograde.bench.monitor import alternate; print(json.dumps(alternate()))"
    with run_kernel(kernel_name="python3") as client:
        assert isinstance(client, BlockingKernelClient)
        client.execute_interactive(code, allow_stdin=True, output_hook=keep)
    return json.loads("".join(printed))


if __name__ == "__main__":
    print(json.dumps(main()))
