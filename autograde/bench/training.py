"""The course's network and its rivals: same data, same wall time, same augmentation.

Every training is a process of its own (`autograde.bench.run`), one at a time. Results are kept in
`docs/benchmarks.json`, so a bench that is stopped goes on where it was; `autograde.bench.page` writes them down.
Seeds are the outer loop and models the inner one: a machine that slows down slows all of them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

from autograde.bench import machine
from autograde.bench.run import MODELS
from autograde.files import write
from autograde.nbgrader_course import ROOT
from helpers.data.validation import check_choice

STORED = ROOT / "docs" / "benchmarks.json"
SECONDS = {"nuclei": (15, 90), "brain": (60,)}
RATES = (1e-2, 3e-3, 1e-3)  # each model is trained with the one of these that suits it
TRIAL_SECONDS = {"nuclei": 15, "brain": 30}


def jobs(
    datasets: Iterable[str], models: Iterable[str], seeds: int, seconds: Iterable[float] | None = None
) -> list[dict]:
    """The runs there are to do, in order."""
    return [
        {"data": name, "model": model, "seconds": budget, "seed": seed}
        for name in datasets
        for budget in seconds or SECONDS[name]
        for seed in range(seeds)
        for model in models
        if model != "otsu" or (name == "nuclei" and seed == 0)  # it tells two classes apart, and no seed changes it
    ]


def run(wanted: list[dict], tell: Callable[[str], None] = print, rates: tuple[float, ...] = RATES) -> list[dict]:
    """Do the runs that are not stored yet, storing each as it ends.

    A model's learning rate is the one of `rates` with the best validation score after a short trial with each.

    Returns:
        The results of `wanted`.

    Raises:
        RuntimeError: a run failed; those before it are kept.
    """
    done = stored()["runs"]
    for count, job in enumerate(wanted, 1):
        if select(done, **job):
            continue
        if job["model"] == "monai" and importlib.util.find_spec("monai") is None:
            tell("monai is not installed, so its network is left out (python -m pip install monai)")
            continue
        rate = None if job["model"] == "otsu" else _rate(job["data"], job["model"], rates, tell)
        tell(f"{count} of {len(wanted)}: {job['model']} on {job['data']}, {job['seconds']:g} s, seed {job['seed']}")
        done.append(_train({**job, "rate": rate}))
        store(runs=done)
    return [result for result in done if any(select([result], **job) for job in wanted)]


def _rate(name: str, model: str, rates: tuple[float, ...], tell: Callable[[str], None]) -> float:
    """The learning rate for a model on a data set, after the trials that are not stored yet."""
    if len(rates) == 1:
        return rates[0]
    trials = stored()["trials"]
    for rate in rates:
        job = {"data": name, "model": model, "seconds": TRIAL_SECONDS[name], "seed": 0, "rate": rate, "trial": True}
        if not select(trials, **job):
            tell(f"which rate: {model} on {name}, {job['seconds']:g} s, {rate:g}")
            trials.append(_train(job))
            store(trials=trials)
    tried = [t for t in select(trials, data=name, model=model) if t["rate"] in rates]
    return max(tried, key=lambda trial: trial["validation_iou"])["rate"]


def _train(job: dict) -> dict:
    return _ask("run", json.dumps(job), what=job["model"])


def check(what: str, datasets: list[str], models: list[str]) -> None:
    """Raise ValueError for a bench, data set or model that does not exist; the message lists those that do."""
    check_choice("bench", what, ["training", "folder", "widgets", "grading"])
    for name in datasets:
        check_choice("data set of the bench", name, list(SECONDS))
    for name in models:
        check_choice("model of the bench", name, list(MODELS))


def measure_steps(tell: Callable[[str], None] = print) -> None:
    """Store what the parts of a training step cost, what other work does to it, and what the monitor costs."""

    def ask(title: str, module: str, *arguments: str, waiting: str = "PASSIVE") -> dict:
        tell(title)
        return _ask(module, *arguments, what=title, waiting=waiting)

    step = ask("a step of training", "step")
    others = {
        "two threads that spin while they wait": ("2", "ACTIVE"),
        "two threads that sleep while they wait": ("2", "PASSIVE"),
        "one thread": ("1", "PASSIVE"),
        "what `fit` does: whichever is quicker, found as it goes": ("chosen", "PASSIVE"),
    }
    beside = {title: ask(title, "step", threads, waiting=waiting) for title, (threads, waiting) in others.items()}
    watched = ask("a training with and without its monitor", "monitor")
    store(**step, **{"other work": beside}, watched=watched)
    measure_folder(tell)


def measure_folder(tell: Callable[[str], None] = print) -> None:
    """Store how long a training from a folder of many pictures waits for them."""
    title = "a training from a folder of pictures"
    tell(title)
    store(**_ask("folder", what=title))


def select(results: Iterable[dict], **wanted: Any) -> list[dict]:
    """The results that have all these values."""
    return [result for result in results if all(result.get(key) == value for key, value in wanted.items())]


def stored() -> dict[str, Any]:
    """All that is stored, by what it is about: `"runs"`, `"trials"`, `"machine"`, and what `measure_steps` found."""
    kept = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    return {"trials": [], "runs": [], "machine": machine(), **kept}


def store(**found: Any) -> None:
    """Put this in place of what is stored under the same names."""
    write(STORED, json.dumps({**stored(), **found, "machine": machine()}, indent=1) + "\n")


def _ask(module: str, *arguments: str, what: str, waiting: str = "PASSIVE") -> dict:
    """The JSON object that a module of this package prints last; `waiting` is what idle threads of it do."""
    command = [sys.executable, "-m", f"autograde.bench.{module}", *arguments]
    env = {**os.environ, "OMP_WAIT_POLICY": waiting}
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"The run of {what} failed:\n{ended.stderr.strip()}")
    return json.loads(ended.stdout.strip().splitlines()[-1])
