"""`docs/benchmarks.md`, made from the stored results of `autograde.bench.training`."""

from __future__ import annotations

import itertools
import json
import math
import statistics

from autograde import markdown
from autograde.bench import grading
from autograde.bench.run import MODELS, REACHED
from autograde.bench.training import RATES, TRIAL_SECONDS, select, stored
from autograde.files import write
from autograde.nbgrader_course import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
ON_GPU = ROOT / "docs" / "gpu.json"  # what `tests.launch.gpu` has found

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
QUALITY = ("iou", "iou_eight", "tolerant_iou", "dice", "dice_all", "boundary", "f1", "f1_whole")

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

FOLDER = """## A folder of pictures

`python course.py bench folder`: {pictures} pictures of 512×512 pixels as PNG beside PNG masks. To read all files
takes {read} s, `data.load("folder", ...)`, which looks at each, {load} s: {times longer} times as long, with the same
threads (medians, in turns, from a warm cache). `fit` with crops of 64×64 then took {steps} steps, and waited for
{waited:.1%} of its time for the next batch.
"""

GRADING = """## Grading a class

`python course.py bench grading`: {students} submissions to each lesson with right answers in many styles (those of
people who saw the task texts alone, and the course's variants), graded by `python course.py grade`, feedback pages and
gradebook included, and by plain `nbgrader autograde`, which makes no pages here and was given the first few of the
same. Seconds for one submission, in one run on two cores of a shared machine.

{lessons}

Two workers on two cores were to be 1.7 times as fast as one. The last column says what they are: one worker,
with the process that writes and what the kernel does for the forks, keeps 1.2 cores busy already, and the start takes
4 s of these small classes.

Of one question (`{exercise}`, medians), its checks take {checks:.0f} ms where the answer is in the same process, and
{apart:.0f} ms where it is in the sandbox; to fork, lock in, run the cells and end takes {around:.0f} ms more.
"""

ON_A_GPU = """## On a GPU

`python -m tests.launch.gpu` ({machine}, Python {python}), on {days[lessons]}: {lessons} solved
lessons in a kernel each, {passed} of their checks passed, nothing was left on the GPU that did not begin there; and
{pieces} things that take a network, with one on the GPU. {failed}

Trainings there, on {days[runs]}:

{runs}

The pretrained network has two seeds, since the time with the card was over. Both take few steps for such a card; why
was not measured. The *seconds* are those of the whole call, with the start of the card.
"""


def write_page() -> None:
    """Make `docs/benchmarks.md` from the stored results."""
    found = stored()
    runs = found["runs"]
    text = INTRODUCTION.format(
        machine=found["machine"],
        rates=", ".join(f"{rate:g}" for rate in RATES),
        trials=" and ".join(f"{seconds} s on `{name}`" for name, seconds in TRIAL_SECONDS.items()),
    )
    if runs:
        text += f"\n## Quality in equal time\n\n{table(runs)}\n" + _goals(runs) + _borders(runs) + _ahead(runs)
    if "parts" in found:
        parts = found["parts"]
        alone = next(ms for name, ms in parts.items() if name.startswith("the convolutions"))
        others = ([name, *figures.values()] for name, figures in found["other work"].items())
        text += "\n" + STEPS.format(
            parts=markdown.table(("part", "ms"), parts.items()),
            fraction=alone / (parts["forward"] + parts["backward"]),
            layouts=markdown.table(("layout and precision", "ms a step"), found["layouts"].items()),
            compiled=_compiled(found["compile"]),
            others=markdown.table(("threads", "alone", "beside", "times slower"), others),
        )
    if "watched" in found:
        text += "\n" + WATCHED.format(**found["watched"]["seconds"], fraction=found["watched"]["counted"])
    if "folder" in found:
        text += "\n" + FOLDER.format(**found["folder"]["seconds"], **found["folder"])
    if ON_GPU.exists():
        text += "\n" + _on_gpu(json.loads(ON_GPU.read_text(encoding="utf-8")))
    if grading.STORED.exists():
        text += "\n" + _grading(json.loads(grading.STORED.read_text(encoding="utf-8")))
    write(PAGE, text)


def table(runs: list[dict]) -> str:
    """A Markdown table for each data set and budget, the best model first."""
    parts = []
    for name, budget in _budgets(runs):
        chosen = select(runs, data=name, seconds=budget)
        by_model = {model: select(chosen, model=model) for model in dict.fromkeys(r["model"] for r in chosen)}
        ours = _time_to_reach(by_model.get("course", []))
        columns = [c for c in COLUMNS if _values(chosen, c)]
        headings = ["model", "parameters", "rate", *(COLUMNS[c][0] for c in columns)]
        rows = [
            [
                MODELS[model][0],
                f"{its_runs[0]['parameters'] / 1e6:.2f} M",
                its_runs[0].get("rate") or "–",
                *(_mean_and_spread(_values(its_runs, c), COLUMNS[c][1]) for c in columns),
                _ratio(_time_to_reach(its_runs), ours),
            ]
            for model, its_runs in sorted(by_model.items(), key=lambda item: -_mean(item[1], "iou"))
        ]
        seeds = max(map(len, by_model.values()))
        heading = f"### `{name}`, {budget:g} seconds, {seeds} seed{'s' if seeds > 1 else ''}"
        parts.append(f"{heading}\n\n{markdown.table([*headings, f'time to validation IoU {REACHED}'], rows)}")
    return "\n\n".join(parts)


def _goals(runs: list[dict]) -> str:
    """What the course's network was to reach, and what it did."""
    rows = []
    for name, seconds, figure, title, goal in GOALS:
        if chosen := select(runs, data=name, seconds=seconds, model="course"):
            mean = _mean(chosen, figure)
            rows.append((title, f"{goal:.2f}", f"{mean:.3f}", "yes" if mean >= goal else "no"))
    return f"\n### To reach\n\n{markdown.table(('what', 'at least', 'mean', 'reached'), rows)}\n" if rows else ""


def _borders(runs: list[dict]) -> str:
    """How much of the missing IoU the borders explain, and of the missing F1 the cut."""
    ours = [r for r in select(runs, data="nuclei", model="course") if "iou_train" in r]
    budgets = sorted({r["seconds"] for r in ours})
    if len(budgets) < 2:
        return ""
    longest = select(ours, seconds=budgets[-1])
    figures = {what: _mean(longest, what) for what in ("iou", "iou_train", "tolerant_iou", "f1", "f1_whole")}
    text = BORDERS.format(
        **figures,
        seconds=budgets[-1],
        fraction=(figures["tolerant_iou"] - figures["iou"]) / (1 - figures["iou"]),
        shorter=budgets[0],
        iou_shorter=_mean(select(ours, seconds=budgets[0]), "iou"),
    )
    return f"\n{text}\n{COUNTED.format(**figures, seconds=budgets[-1])}"


def _ahead(runs: list[dict]) -> str:
    """The figures in which a rival's mean is better than the course's, and by how much."""
    rows = []
    for name, seconds in _budgets(runs):
        chosen = select(runs, data=name, seconds=seconds)
        rivals = dict.fromkeys(r["model"] for r in chosen)
        for figure, rival in itertools.product(QUALITY, rivals):
            theirs, ours = (_values(select(chosen, model=model), figure) for model in (rival, "course"))
            if theirs and ours and (lead := _lead(theirs, ours, figure)):
                rows.append((f"`{name}`, {seconds:g} s", COLUMNS[figure][0], MODELS[rival][0], *lead))
    headings = ("where", "figure", "rival", "its mean", "the course's", "lead")
    return "\n" + AHEAD.format(rows=markdown.table(headings, rows)) if rows else ""


def _lead(theirs: list[float], ours: list[float], figure: str) -> list[str] | None:
    """Both means and the lead, if a rival has one that can be seen at the table's digits."""
    digits = COLUMNS[figure][1]
    means = [round(statistics.mean(values), digits) for values in (theirs, ours)]
    lead = means[1] - means[0] if figure == "boundary" else means[0] - means[1]
    if lead <= 0:
        return None
    spread = max(statistics.stdev(values) if len(values) > 1 else 0.0 for values in (theirs, ours))
    mark = "≈ " if lead <= spread else ""
    return [*(f"{mean:.{digits}f}" for mean in means), f"{mark}{lead:.{digits}f}"]


def _compiled(found: dict[str, float]) -> str:
    """Whether `torch.compile` pays; nothing where it could not be measured."""
    if not found:
        return ""
    said = (
        f"\n`torch.compile` takes {found['first']:.0f} s before the first step, then {found['compiled']:.1f} ms a step "
        f"instead of {found['as it is']:.1f}. "
    )
    won = 1 - found["compiled"] / found["as it is"]
    pays = f"That pays in a run of {found['first'] / won / 60:.0f} minutes and more" if won > 0 else "That never pays"
    return f"{said}{pays}, so `fit` leaves it out.\n"


def _on_gpu(found: dict) -> str:
    failed = [(what, f"`{problem}`") for what, problem in found["pieces"].items() if problem]
    failed += [(one["lesson"], f"`{error}`") for one in found["lessons"] for error in one["errors"]]
    return ON_A_GPU.format(
        **{name: found[name] for name in ("days", "machine", "python")},
        lessons=len(found["lessons"]),
        passed=sum(one["passed"] for one in found["lessons"]),
        pieces=len(found["pieces"]),
        failed=f"What failed:\n\n{markdown.table(('what', 'failed with'), failed)}" if failed else "Nothing failed.",
        runs=table(found["runs"]),
    )


def _grading(found: dict) -> str:
    rows = []
    for lesson, seconds in found["lessons"].items():
        plain, one, two = (seconds[who] for who in ("nbgrader", "1 workers", "2 workers"))
        goal = grading.GOALS[lesson]
        number = f"{plain:.1f} ({grading.PLAIN[lesson]} of them)"
        rows.append((lesson, number, f"{one:.2f}", f"{plain / one:.0f}", goal, f"{two:.2f}", f"{one / two:.2f}"))
    question = found["question"]
    return GRADING.format(
        students=grading.CLASS,
        lessons=markdown.table(grading.HEADINGS, rows),
        exercise=grading.QUESTION,
        checks=question["checks"],
        apart=question["checks in the sandbox"],
        around=question["fork, lock, cells and end"],
    )


def _budgets(runs: list[dict]) -> list[tuple[str, float]]:
    return sorted({(r["data"], r["seconds"]) for r in runs}, key=str)


def _values(runs: list[dict], figure: str) -> list[float]:
    return [r[figure] for r in runs if r.get(figure) is not None]


def _mean(runs: list[dict], figure: str) -> float:
    return statistics.mean(r[figure] for r in runs)


def _mean_and_spread(values: list[float], digits: int) -> str:
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread}"


def _time_to_reach(runs: list[dict]) -> float | None:
    """Mean seconds to the validation IoU `REACHED`; `None` if some seed never reached it."""
    times = _values(runs, "first_reached")
    return statistics.mean(times) if times and len(times) == len(runs) else None


def _ratio(seconds: float | None, ours: float | None) -> str:
    if seconds is None:
        return "not reached"
    return f"{seconds:.1f} s" + (f" ({seconds / ours:.1f}×)" if ours and not math.isclose(seconds, ours) else "")
