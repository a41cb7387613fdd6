"""The bench: the course's network and its rivals, same data, same wall time, same augmentation, in one run.

Every training run is a process of its own (`autograde.bench_run`), one at a time. What is done is kept in
`docs/benchmarks.json`, so a bench that is stopped goes on where it was; `docs/benchmarks.md` is made from that file.
Seeds are the outer loop and models the inner one: a machine that slows down slows all of them.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable

from autograde.build import write
from autograde.nbgrader_course import ROOT

STORED = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"
SECONDS = {"nuclei": (15, 90), "brain": (90,)}
OTSU = "Otsu's threshold"
RIVALS_ON_ONE_CLASS_ONLY = {"otsu"}


def jobs(
    datasets: Iterable[str], models: Iterable[str], seeds: int, seconds: Iterable[float] | None = None
) -> list[dict]:
    """What there is to run, in order."""
    wanted = []
    for name in datasets:
        for budget in seconds or SECONDS[name]:
            for seed in range(seeds):
                for model in models:
                    if model in RIVALS_ON_ONE_CLASS_ONLY and (name != "nuclei" or seed):
                        continue  # it learns nothing, so there is nothing to repeat
                    wanted.append({"data": name, "model": model, "seconds": budget, "seed": seed})
    return wanted


def run(wanted: list[dict], tell: Callable[[str], None] = print) -> list[dict]:
    """Run what is not stored yet, and store each result when it is there.

    Returns:
        The results of `wanted`.

    Raises:
        RuntimeError: a run failed; those before it are kept.
    """
    done = read()
    for count, job in enumerate(wanted, 1):
        if any(_is(result, job) for result in done):
            continue
        if job["model"] == "monai" and importlib.util.find_spec("monai") is None:
            tell("monai is not installed, so its network is left out (python -m pip install monai)")
            continue
        tell(f"{count} of {len(wanted)}: {job['model']} on {job['data']}, {job['seconds']:g} s, seed {job['seed']}")
        command = [sys.executable, "-m", "autograde.bench_run", json.dumps(job)]
        ended = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(f"The run of {job['model']} failed:\n{ended.stderr.strip()}")
        done.append(json.loads(ended.stdout.strip().splitlines()[-1]))
        write(STORED, json.dumps({"machine": machine(), "runs": done}, indent=1) + "\n")
    return [result for result in done if any(_is(result, job) for job in wanted)]


def read() -> list[dict]:
    """The stored results."""
    return json.loads(STORED.read_text(encoding="utf-8"))["runs"] if STORED.exists() else []


def machine() -> str:
    """What it runs on, in a few words, without its name."""
    import torch

    from helpers.threads import available_cpus

    return f"{available_cpus()} processors ({platform.machine()}), {platform.system()}, PyTorch {torch.__version__}"


def _is(result: dict, job: dict) -> bool:
    return all(result.get(key) == value for key, value in job.items())


# ---- the page ----

COLUMNS: dict[str, tuple[str, int]] = {  # heading, digits
    "iou": ("IoU", 3),
    "tolerant_iou": ("IoU, ±1 pixel", 3),
    "dice": ("Dice", 3),
    "dice_all": ("Dice, all classes", 3),
    "boundary": ("border, pixels", 2),
    "f1": ("nuclei F1", 3),
    "steps": ("steps", 0),
    "took": ("seconds", 1),
    "memory_mb": ("peak MB", 0),
}


def table(results: list[dict]) -> str:
    """One table a data set and budget, best first, as Markdown."""
    from autograde.bench_run import MODELS

    names = {key: title for key, (title, _) in MODELS.items()} | {"otsu": OTSU}
    parts = []
    for name, budget in sorted({(r["data"], r["seconds"]) for r in results}, key=str):
        chosen = [r for r in results if (r["data"], r["seconds"]) == (name, budget)]
        models = sorted({r["model"] for r in chosen}, key=lambda m: -mean_of(chosen, m, "iou"))
        columns = [c for c in COLUMNS if any(r.get(c) is not None for r in chosen)]
        seeds = max(sum(r["model"] == m for r in chosen) for m in models)
        lines = [
            f"### `{name}`, {budget:g} seconds, {seeds} seed{'s' if seeds > 1 else ''}",
            "",
            f"| model | parameters | {' | '.join(COLUMNS[c][0] for c in columns)} | time to validation IoU 0.88 |",
            "|---" * (len(columns) + 3) + "|",
        ]
        ours = _reached(chosen, "course")
        for model in models:
            rows = [r for r in chosen if r["model"] == model]
            cells = [_cell([r.get(c) for r in rows], COLUMNS[c][1]) for c in columns]
            lines.append(
                f"| {names[model]} | {rows[0]['parameters'] / 1e6:.2f} M | {' | '.join(cells)} "
                f"| {_ratio(_reached(chosen, model), ours)} |"
            )
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def mean_of(results: list[dict], model: str, what: str) -> float:
    """Mean of one figure over the seeds of a model."""
    return statistics.mean(r[what] for r in results if r["model"] == model)


def _cell(values: list[float | None], digits: int) -> str:
    there = [v for v in values if v is not None]
    if not there:
        return "–"
    text = f"{statistics.mean(there):.{digits}f}"
    return text + (f" ± {statistics.stdev(there):.{digits}f}" if len(there) > 1 else "")


def _reached(results: list[dict], model: str) -> float | None:
    """Mean seconds to the validation IoU, or nothing if a seed never reached it."""
    times = [r.get("first_reached") for r in results if r["model"] == model]
    return statistics.mean(times) if times and all(t is not None for t in times) else None


def _ratio(seconds: float | None, ours: float | None) -> str:
    if seconds is None:
        return "not reached"
    return f"{seconds:.1f} s" + (f" ({seconds / ours:.1f}×)" if ours and not math.isclose(seconds, ours) else "")
