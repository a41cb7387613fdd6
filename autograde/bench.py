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
from helpers.data.validation import check_choice

STORED = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"
SECONDS = {"nuclei": (15, 90), "brain": (60,)}
RATES = (1e-2, 3e-3, 1e-3)  # each model is trained with the one of these that suits it
TRIAL_SECONDS = {"nuclei": 15, "brain": 30}
OTSU = "Otsu's threshold"


def jobs(
    datasets: Iterable[str], models: Iterable[str], seeds: int, seconds: Iterable[float] | None = None
) -> list[dict]:
    """What there is to run, in order."""
    wanted = []
    for name in datasets:
        for budget in seconds or SECONDS[name]:
            for seed in range(seeds):
                for model in models:
                    if model == "otsu" and (name != "nuclei" or seed):
                        continue  # it tells two classes apart, and learns nothing that a seed would change
                    wanted.append({"data": name, "model": model, "seconds": budget, "seed": seed})
    return wanted


def run(wanted: list[dict], tell: Callable[[str], None] = print, rates: tuple[float, ...] = RATES) -> list[dict]:
    """Run what is not stored yet, and store each result when it is there.

    A model's learning rate is the one of `rates` with the best validation score after a short trial with each.

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
        rate = None if job["model"] == "otsu" else _rate(job["data"], job["model"], rates, tell)
        tell(f"{count} of {len(wanted)}: {job['model']} on {job['data']}, {job['seconds']:g} s, seed {job['seed']}")
        done.append(_train({**job, "rate": rate}))
        _store({**_stored(), "runs": done})
    return [result for result in done if any(_is(result, job) for job in wanted)]


def _rate(name: str, model: str, rates: tuple[float, ...], tell: Callable[[str], None]) -> float:
    """The learning rate for a model on a data set; tried where that is not stored yet."""
    if len(rates) == 1:
        return rates[0]
    trials = _stored()["trials"]
    for rate in rates:
        job = {"data": name, "model": model, "seconds": TRIAL_SECONDS[name], "seed": 0, "rate": rate, "trial": True}
        if not any(_is(trial, job) for trial in trials):
            tell(f"which rate: {model} on {name}, {job['seconds']:g} s, {rate:g}")
            trials.append(_train(job))
            _store({**_stored(), "trials": trials})
    tried = [t for t in trials if (t["data"], t["model"]) == (name, model) and t["rate"] in rates]
    return max(tried, key=lambda trial: trial["validation_iou"])["rate"]


def _train(job: dict) -> dict:
    command = [sys.executable, "-m", "autograde.bench_run", json.dumps(job)]
    return _ask(command, {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}, job["model"])


def check(what: str, datasets: list[str], models: list[str]) -> None:
    """Refuse what there is not.

    Raises:
        ValueError: with what there is.
    """
    check_choice("bench", what, ["training", "widgets"])
    for name in datasets:
        check_choice("data set of the bench", name, list(SECONDS))
    for name in models:
        check_choice("model of the bench", name, model_names())


def model_names() -> list[str]:
    """All models, the course's first."""
    from autograde.bench_run import MODELS

    return [*MODELS, "otsu"]


def measure_steps(tell: Callable[[str], None] = print) -> None:
    """Take a step of training apart, and see what other work on the machine does to it; stored beside the runs."""
    found: dict[str, dict] = {}
    for title, policy, arguments in (
        ("step", "PASSIVE", []),
        ("two threads that spin while they wait", "ACTIVE", ["2"]),
        ("two threads that sleep while they wait", "PASSIVE", ["2"]),
        ("one thread", "PASSIVE", ["1"]),
        ("what `fit` does: whichever is quicker, found as it goes", "PASSIVE", ["chosen"]),
    ):
        tell(f"a step of training: {title}")
        env = {**os.environ, "OMP_WAIT_POLICY": policy}
        found[title] = _ask([sys.executable, "-m", "autograde.bench_step", *arguments], env, title)
    step = found.pop("step")
    tell("a training with and without its monitor")
    watched = _ask([sys.executable, "-m", "autograde.bench_monitor"], dict(os.environ), "the monitor")
    _store(
        {
            **_stored(),
            "parts": step["parts"],
            "layouts": step["layouts"],
            "compile": step["compile"],
            "other work": found,
            "watched": watched,
        }
    )


def read() -> list[dict]:
    """The stored results."""
    return _stored()["runs"]


def _stored() -> dict:
    kept = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    return {"trials": [], "runs": [], **kept}


def _store(everything: dict) -> None:
    write(STORED, json.dumps({**everything, "machine": machine()}, indent=1) + "\n")


def _ask(command: list[str], env: dict[str, str], what: str) -> dict:
    """The JSON object that `command` prints last."""
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"The run of {what} failed:\n{ended.stderr.strip()}")
    return json.loads(ended.stdout.strip().splitlines()[-1])


def machine() -> str:
    """What it runs on, in a few words, without its name."""
    import torch

    from helpers.threads import available_cpus

    return f"{available_cpus()} processors ({platform.machine()}), {platform.system()}, PyTorch {torch.__version__}"


def _is(result: dict, job: dict) -> bool:
    return all(result.get(key) == value for key, value in job.items())


# ---- the page ----

INTRODUCTION = """# Benchmarks

Made by `python course.py bench training` on {machine}; every table is of one run, in which the models take turns, and
none of it is typed in by hand. The results it is made from are in `benchmarks.json`.

All models get the same: `helpers.training.fit`, crops of 64×64 pixels, batches of 8, any of the eight ways up of a
square, the same seconds by the clock, validation included. The learning rate is each model's own: of {rates}, the one
with the best validation IoU in a trial of {trials}. `nuclei` is divided by columns (training 0–255,
validation 256–383, test 384–511), `brain` by blocks of slices. A figure is the mean ± standard deviation over the
seeds, on the test split, from the weights that were best on the validation split.

*IoU, eight views* is that of the mean over the eight ways up of an image, as in lesson 11. *IoU, ±1 pixel* lets go
what is wrong in the two pixels on either side of a hand-drawn border; what it is above the plain IoU is what the
borders cost. *Border* is the mean distance between predicted and true border. *Nuclei F1* counts nuclei after eight
views and watershed, found when their IoU is 0.5 or more; the threshold, how far apart two summits must be, and how
small a speck may be are what does best on the training and validation splits, for each run. *Whole nuclei F1* leaves
out, in prediction and truth, what lies at a side of the test columns: a nucleus across column 384 shows this side a
sliver of a few columns. *Peak MB* is that of the
whole process, with PyTorch in it.
"""

# What the course set out to reach: data set, seconds, figure, its name in words, at least.
GOALS = (
    ("nuclei", 15, "iou", "test IoU on `nuclei` in 15 s", 0.90),
    ("nuclei", 90, "iou", "test IoU on `nuclei` in 90 s", 0.91),
    ("nuclei", 90, "f1", "nuclei counted, F1 at IoU 0.5, in 90 s", 0.95),
    ("brain", 60, "dice_all", "mean Dice of `brain`'s four classes in 60 s", 0.95),
)

BORDERS = """## What is missing lies at the borders

In {seconds:g} s the course's network comes to a test IoU of {iou:.3f}. On the columns that it was *trained* on it has
{iou_train:.3f}: what it gets wrong is not what is new to it. Let go what is wrong in the two pixels on either side of a
hand-drawn border, and the test IoU is {tolerant_iou:.3f}, so {fraction:.0%} of what is missing lies there. A nucleus of
this micrograph is some 24 pixels wide; an outline that runs half a pixel further out all the way round changes its area
by 9 %. No network, and no second annotator, can know on which side of a blurred pixel the first one drew. More time
changes little: {shorter:g} s gave {iou_shorter:.3f}.
"""

COUNTED = """## Nuclei at the cut

In {seconds:g} s the course's network counts nuclei with an F1 of {f1:.3f}; without those that a side of the test
columns cuts, in prediction and truth, it is {f1_whole:.3f}. A nucleus whose better part lies in the validation columns
leaves a sliver in these, which is one more nucleus to be found: whoever draws it half as wide has missed it at an IoU
of 0.5.
"""

AHEAD = """## Where a rival is ahead

Means of the seeds. ≈ marks a lead within their spread, which cannot be told from luck.

{rows}
"""

STEPS = """## A step of training

A batch of 8 crops of 64×64 pixels through the course's U-Net (8 channels, depth 3). Medians; taken in turns in one run.

{parts}

The convolutions alone are {fraction:.0%} of forward and backward: the limit that the rest can be brought down to.

{layouts}

`fit` takes float32, channels last, on a CPU: `bfloat16` pays only on processors with instructions for it, and keeps two
to three digits of a number. On a GPU that has it, it is taken.
{compiled}
### Beside other work

Milliseconds of a step alone, and beside one busy program a processor. Fair is twice as long.

{others}
"""

WATCHED = """## What watching costs

The same training with and without its monitor, in turns in one kernel, without a page that draws it: {without} s
without, {with} s with it (medians). By the monitor's own clock it took {fraction:.1%} of the training.
"""


def write_page() -> None:
    """Make `docs/benchmarks.md` from the stored results."""
    stored = _stored()
    text = INTRODUCTION.format(
        machine=stored.get("machine", machine()),
        rates=", ".join(f"{rate:g}" for rate in RATES),
        trials=" and ".join(f"{seconds} s on `{name}`" for name, seconds in TRIAL_SECONDS.items()),
    )
    if stored["runs"]:
        text += f"\n## Quality in equal time\n\n{table(stored['runs'])}\n"
        text += _goals(stored["runs"]) + _borders(stored["runs"]) + _ahead(stored["runs"])
    if "parts" in stored:
        parts = stored["parts"]
        alone = next(ms for name, ms in parts.items() if name.startswith("the convolutions"))
        text += "\n" + STEPS.format(
            parts=_rows(("part", "ms"), parts.items()),
            fraction=alone / (parts["forward"] + parts["backward"]),
            layouts=_rows(("layout and precision", "ms a step"), stored["layouts"].items()),
            compiled=_compiled(stored.get("compile")),
            others="\n".join(
                ["| threads | alone | beside | times slower |", "|---|---|---|---|"]
                + [
                    f"| {name} | {m['alone']} | {m['beside']} | {m['times slower']} |"
                    for name, m in stored["other work"].items()
                ]
            ),
        )
    if "watched" in stored:
        text += "\n" + WATCHED.format(**stored["watched"]["seconds"], fraction=stored["watched"]["counted"])
    write(PAGE, text)


def _compiled(found: dict[str, float] | None) -> str:
    """Whether `torch.compile` pays."""
    if not found:
        return ""
    said = (
        f"\n`torch.compile` takes {found['first']:.0f} s before the first step, then {found['compiled']:.1f} ms a step "
        f"instead of {found['as it is']:.1f}. "
    )
    won = 1 - found["compiled"] / found["as it is"]
    pays = f"That pays in a run of {found['first'] / won / 60:.0f} minutes and more" if won > 0 else "That never pays"
    return f"{said}{pays}, so `fit` leaves it out.\n"


def _goals(runs: list[dict]) -> str:
    """What was to be reached, and what was, by the course's network."""
    rows = []
    for name, seconds, figure, title, goal in GOALS:
        chosen = [r for r in runs if _is(r, {"data": name, "seconds": seconds, "model": "course"})]
        if chosen:
            mean = mean_of(chosen, "course", figure)
            rows.append((title, f"{goal:.2f}", f"{mean:.3f}", "yes" if mean >= goal else "no"))
    return f"\n### To reach\n\n{_rows(('what', 'at least', 'mean', 'reached'), rows)}\n" if rows else ""


def _borders(runs: list[dict]) -> str:
    """How much of the missing IoU the borders explain, and of the missing F1 the cut."""
    ours = [r for r in runs if (r["data"], r["model"]) == ("nuclei", "course") and "iou_train" in r]
    budgets = sorted({r["seconds"] for r in ours})
    if len(budgets) < 2:
        return ""
    chosen = [r for r in ours if r["seconds"] == budgets[-1]]
    figures = {what: mean_of(chosen, "course", what) for what in ("iou", "iou_train", "tolerant_iou")}
    counted = {what: mean_of(chosen, "course", what) for what in ("f1", "f1_whole")}
    text = "\n" + BORDERS.format(
        **figures,
        seconds=budgets[-1],
        fraction=(figures["tolerant_iou"] - figures["iou"]) / (1 - figures["iou"]),
        shorter=budgets[0],
        iou_shorter=mean_of([r for r in ours if r["seconds"] == budgets[0]], "course", "iou"),
    )
    return text + "\n" + COUNTED.format(**counted, seconds=budgets[-1])


def _ahead(runs: list[dict]) -> str:
    """The figures in which a rival's mean is better than the course's, and by how much."""
    rows = []
    for name, seconds in sorted({(r["data"], r["seconds"]) for r in runs}, key=str):
        chosen = [r for r in runs if (r["data"], r["seconds"]) == (name, seconds)]
        for figure in QUALITY:
            values: dict[str, list[float]] = {}
            for r in chosen:
                if r.get(figure) is not None:
                    values.setdefault(r["model"], []).append(r[figure])
            ours = values.pop("course", [])
            rows += [
                (f"`{name}`, {seconds:g} s", COLUMNS[figure][0], _title(model), *lead)
                for model, theirs in values.items()
                if ours and (lead := _lead(theirs, ours, figure))
            ]
    headings = ("where", "figure", "rival", "its mean", "the course's", "lead")
    return "\n" + AHEAD.format(rows=_rows(headings, rows)) if rows else ""


def _lead(theirs: list[float], ours: list[float], figure: str) -> tuple[str, str, str] | None:
    """Both means and the lead, if a rival has one that can be seen at the table's digits."""
    digits = COLUMNS[figure][1]
    means = [round(statistics.mean(values), digits) for values in (theirs, ours)]
    lead = means[1] - means[0] if figure == "boundary" else means[0] - means[1]
    if lead <= 0:
        return None
    spread = max(statistics.stdev(values) if len(values) > 1 else 0.0 for values in (theirs, ours))
    mark = "≈ " if lead <= spread else ""
    return *(f"{mean:.{digits}f}" for mean in means), f"{mark}{lead:.{digits}f}"


def _rows(headings: tuple, rows: Iterable[tuple]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (headings, ["---"] * len(headings), *rows))


COLUMNS: dict[str, tuple[str, int]] = {  # heading, digits
    "iou": ("IoU", 3),
    "iou_eight": ("IoU, eight views", 3),
    "tolerant_iou": ("IoU, ±1 pixel", 3),
    "iou_train": ("IoU, training columns", 3),
    "dice": ("Dice", 3),
    "dice_all": ("Dice, all classes", 3),
    "boundary": ("border, pixels", 2),
    "f1": ("nuclei F1", 3),
    "f1_whole": ("whole nuclei F1", 3),
    "steps": ("steps", 0),
    "took": ("seconds", 1),
    "memory_mb": ("peak MB", 0),
}
# Those of them that say how good the masks are.
QUALITY = ("iou", "iou_eight", "tolerant_iou", "dice", "dice_all", "boundary", "f1", "f1_whole")


def _title(model: str) -> str:
    from autograde.bench_run import MODELS

    return OTSU if model == "otsu" else MODELS[model][0]


def table(results: list[dict]) -> str:
    """One table a data set and budget, best first, as Markdown."""
    from autograde.bench_run import REACHED

    parts = []
    for name, budget in sorted({(r["data"], r["seconds"]) for r in results}, key=str):
        chosen = [r for r in results if (r["data"], r["seconds"]) == (name, budget)]
        models = sorted({r["model"] for r in chosen}, key=lambda m: -mean_of(chosen, m, "iou"))
        columns = [c for c in COLUMNS if any(r.get(c) is not None for r in chosen)]
        seeds = max(sum(r["model"] == m for r in chosen) for m in models)
        lines = [
            f"### `{name}`, {budget:g} seconds, {seeds} seed{'s' if seeds > 1 else ''}",
            "",
            f"| model | parameters | rate | {' | '.join(COLUMNS[c][0] for c in columns)} "
            f"| time to validation IoU {REACHED} |",
            "|---" * (len(columns) + 4) + "|",
        ]
        ours = _reached(chosen, "course")
        for model in models:
            rows = [r for r in chosen if r["model"] == model]
            cells = [_cell([r.get(c) for r in rows], COLUMNS[c][1]) for c in columns]
            lines.append(
                f"| {_title(model)} | {rows[0]['parameters'] / 1e6:.2f} M | {rows[0].get('rate') or '–'} "
                f"| {' | '.join(cells)} "
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
