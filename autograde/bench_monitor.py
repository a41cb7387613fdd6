"""What watching a training costs: the same training with and without the monitor, in a real kernel.

    python -m autograde.bench_monitor

prints one JSON object. The two take turns within one kernel, and the ratio is that of the medians, because machines are
shared. The page that draws the monitor is not among it: there is none.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any
from unittest.mock import patch

EPOCHS = 40  # of 4 steps: some seconds
ROUNDS = 5


def alternate(rounds: int = ROUNDS, epochs: float = EPOCHS) -> dict[str, Any]:
    """Seconds of a training without and with the monitor, and what the monitor itself counted.

    To be called in a cell: elsewhere there is no monitor.
    """
    from autograde.bench_step import network
    from helpers import data, training
    from helpers.monitor import monitor

    train, validation = (data.load("nuclei", split, tile=None) for split in ("train", "validation"))
    times: dict[str, list[float]] = {"without": [], "with": []}
    counted = []
    watches = []

    def watching() -> Any:
        watches.append(monitor.watching())
        return watches[-1]

    for k in range(rounds + 1):
        for name in ("without", "with") if k % 2 else ("with", "without"):
            model = network()
            with patch.object(training, "watching", monitor.Unwatched if name == "without" else watching):
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
    """The same in a kernel of its own, as if for a front end."""
    from jupyter_client.manager import start_new_kernel

    printed: list[str] = []

    def keep(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["header"]["msg_type"] == "error":
            raise RuntimeError("\n".join(content["traceback"]))
        if content.get("name") == "stdout":
            printed.append(content["text"])

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        code = (
            "import json; from autograde.bench_monitor import alternate; found = alternate(); print(json.dumps(found))"
        )
        client.execute_interactive(code, allow_stdin=True, output_hook=keep)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    return json.loads("".join(printed))


if __name__ == "__main__":
    print(json.dumps(main()))
