"""The measure: how many wrong answers the checks catch and name, and how many right ones they accept.

An answer counts as caught, named or accepted only if it is so for every seed. `docs/accuracy.json` holds the published
result, and the README's table is made from it.
"""

from __future__ import annotations

import ast
import concurrent.futures
import functools
import hashlib
import inspect
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml
from rich import box
from rich.table import Table

from autograde import markdown
from autograde.combinations import in_other_styles, pair
from autograde.files import write
from autograde.mutants import Mutant, not_equivalent, solution, text_of
from autograde.nbgrader_course import ROOT
from helpers import exercises
from helpers.checks import engine, shared
from helpers.checks.subject import LocalSubject
from helpers.checks.verdict import Verdict
from helpers.exercises import Code, Exercise
from helpers.threads import available_cpus

STORED = ROOT / "docs" / "accuracy.json"
README = ROOT / "README.md"
MARK = "accuracy"

ON_THE_CARD = {"concept", "points", "minutes", "difficulty", "hints", "task", "lesson"}  # arguments of `exercise`
MUTANT_SECONDS = 2.0  # a right answer takes a fraction of one; some mutants never end


@dataclass(frozen=True)
class Row:
    """What was measured of one exercise."""

    exercise: str
    wrong: int  # hand-written wrong answers
    caught: int  # those rejected
    named: int  # those also given their own name
    variants: int  # right answers beside the reference
    accepted: int
    mechanical: int  # mutants that are not equivalent
    mechanical_caught: int
    styled: int  # wrong answers in other styles than the reference's
    styled_named: int  # those given their own name
    pairs: int  # answers that are wrong in two places
    pairs_caught: int
    pairs_named: int  # those given one of their two names
    false_names: int  # given by any of these answers to a mistake that is not in it
    seconds: float  # a first check of a right answer on one core, the median
    cost: float  # seconds of one core for measuring it, all seeds together; 0 where nobody noted it


@dataclass
class Outcome:
    """The answers to an exercise that one or several seeds did not treat as they should, by name.

    Of styles and pairs each seed has others.
    """

    missed: set[str] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    survivors: set[tuple[str, str]] = field(default_factory=set)  # answer and mutant
    styled: set[str] = field(default_factory=set)  # all of them
    styled_unnamed: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)  # all of them
    pairs_missed: set[str] = field(default_factory=set)
    pairs_unnamed: set[str] = field(default_factory=set)
    false_names: set[str] = field(default_factory=set)  # answer and name
    seconds: list[float] = field(default_factory=list)
    cost: float = 0.0

    def __or__(self, other: Outcome) -> Outcome:
        return Outcome(*(_joined(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))


def _joined(one: Any, other: Any) -> Any:
    return one | other if isinstance(one, set) else one + other


def measure(
    names: list[str], seeds: int, jobs: int | None = None, progress: Callable[[int, int], None] = lambda done, of: None
) -> dict[str, Outcome]:
    """Examine every answer to the exercises `names` with `seeds` seeds, in `jobs` processes (`None`: one a processor).

    After each piece of work `progress` is told how many are done, of how many.
    """
    # One exercise and one seed at a time, so that the engine keeps the traces of one only.
    work = [(name, seed) for name in names for seed in range(seeds)]
    outcomes = {name: Outcome() for name in names}
    jobs = min(jobs or available_cpus(), len(work))
    if jobs == 1:
        for done, (name, seed) in enumerate(work, 1):
            outcomes[name] |= observe(name, seed)
            progress(done, len(work))
        return outcomes
    fresh = multiprocessing.get_context("spawn")  # the same on every system, and safe with torch
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=fresh) as pool:
        waiting = {pool.submit(observe, name, seed): name for name, seed in work}
        for done, future in enumerate(concurrent.futures.as_completed(waiting), 1):
            outcomes[waiting[future]] |= future.result()
            progress(done, len(work))
    return outcomes


def observe(name: str, seed: int) -> Outcome:
    """Examine every answer to one exercise with one seed."""
    began_all = time.perf_counter()
    exercise = exercises.load(name)
    seen = Outcome()
    for answer in exercise.right_answers:
        engine.forget()  # a student's first check starts from nothing
        began = time.perf_counter()
        verdict = engine.examine(name, answer.solution, seed)
        seen.seconds.append(time.perf_counter() - began)
        if verdict.status != "passed":
            seen.refused.add(answer.name)
    for answer in exercise.misconceptions:
        verdict = engine.examine(name, answer.solution, seed)
        if verdict.status not in ("wrong", "error"):
            seen.missed.add(answer.name)
        if verdict.diagnosis != answer.name:
            seen.unnamed.add(answer.name)
            _note_false_name(seen, answer.name, verdict)
    for wrong in in_other_styles(exercise, seed):
        if engine.is_right(name, LocalSubject(wrong.solution), seed + 1000, MUTANT_SECONDS):
            continue  # the style undoes the mistake
        verdict = engine.examine(name, wrong.solution, seed)
        seen.styled.add(str(wrong))
        if verdict.diagnosis not in wrong.names:
            seen.styled_unnamed.add(str(wrong))
            _note_false_name(seen, str(wrong), verdict)
    two = pair(exercise, seed)
    # Two mistakes may cancel each other, which another seed's probes show.
    if two and not engine.is_right(name, LocalSubject(two.solution), seed + 1000, MUTANT_SECONDS):
        verdict = engine.examine(name, two.solution, seed)
        seen.pairs.add(str(two))
        if verdict.status == "passed":
            seen.pairs_missed.add(str(two))
        if verdict.diagnosis not in two.names and not _is_true_of(exercise, two.solution, verdict.diagnosis, seed):
            seen.pairs_unnamed.add(str(two))
            _note_false_name(seen, str(two), verdict)
    for mutant in _mutants(name):
        if engine.is_right(name, LocalSubject(solution(exercise, mutant)), seed, MUTANT_SECONDS):
            seen.survivors.add((mutant.answer, mutant.name))
    seen.cost = time.perf_counter() - began_all
    return seen


def _is_true_of(exercise: Exercise, solution: Code, diagnosis: str | None, seed: int) -> bool:
    """Whether an answer with the misconception of this name, alone or with a second one, does the same.

    Two mistakes may be a third: a stride ignored along the rows, and along the columns, is the stride ignored. They
    count as that only where they do the same on the probes of three seeds, none of them that of the check.
    """
    named = [answer for answer in exercise.misconceptions if answer.name == diagnosis]
    versions = [version for one in named for version in exercise.versions(one)]
    versions += [v for one in named for other in exercise.misconceptions for v in exercise.versions(one, other)]
    for k in range(3):
        versions = engine.that_do_as(exercise.name, LocalSubject(solution), versions, seed + 1000 + k)
    return bool(versions)


def _note_false_name(seen: Outcome, answer: str, verdict: Verdict) -> None:
    """Note a name that is said of an answer without that mistake; what no answer may do is seen, and so true."""
    if verdict.diagnosis and verdict.diagnosis not in {name for name, _ in engine.RULES.values()}:
        seen.false_names.add(f"{answer}: called {verdict.diagnosis!r}")


def row(name: str, outcome: Outcome) -> Row:
    """The counts of one exercise."""
    exercise = exercises.load(name)
    wrong, variants, mechanical = counts(name)
    return Row(
        exercise=name,
        wrong=wrong,
        caught=wrong - len(outcome.missed),
        named=wrong - len(outcome.unnamed),
        variants=variants,
        accepted=variants - len(outcome.refused & {v.name for v in exercise.variants}),
        mechanical=mechanical,
        mechanical_caught=mechanical - len(outcome.survivors),
        styled=len(outcome.styled),
        styled_named=len(outcome.styled) - len(outcome.styled_unnamed),
        pairs=len(outcome.pairs),
        pairs_caught=len(outcome.pairs) - len(outcome.pairs_missed),
        pairs_named=len(outcome.pairs) - len(outcome.pairs_unnamed),
        false_names=len(outcome.false_names),
        seconds=round(statistics.median(outcome.seconds), 3),
        cost=round(outcome.cost),
    )


def counts(name: str) -> tuple[int, int, int]:
    """Wrong answers, variants and mutants that are not equivalent, as the code has them now."""
    exercise = exercises.load(name)
    return len(exercise.misconceptions), len(exercise.variants), len(_mutants(name))


def total(rows: list[Row]) -> Row:
    """All rows in one; `seconds` is that of the slowest."""
    sums = {field: sum(getattr(r, field) for r in rows) for field in Row.__dataclass_fields__ if field != "exercise"}
    return Row("all", **{**sums, "seconds": max((r.seconds for r in rows), default=0.0)})


@functools.lru_cache(maxsize=64)
def _mutants(name: str) -> list[Mutant]:
    return not_equivalent(exercises.load(name))


# ---- for the terminal ----

HEADINGS = (
    *("wrong answers caught", "named rightly", "right variants accepted", "mechanical ones caught"),
    *("in other styles: named", "two mistakes: caught", "named by one of them", "false names", "seconds"),
)
SHORT = ("caught", "named", "right", "mutants", "styles", "two", "named", "false", "s")  # the same in a terminal


def terminal_table(rows: list[Row]) -> Table:
    """The rows, and their total, for a terminal."""
    shown = Table("exercise", show_footer=True, box=box.SIMPLE, padding=0, pad_edge=False)
    shown.columns[0].footer = f"all {len(rows)}"
    for heading, footer in zip(SHORT, cells(total(rows), "/"), strict=True):
        shown.add_column(heading, footer, justify="right")
    for r in rows:
        shown.add_row(r.exercise, *cells(r, "/"))
    return shown


def missed_text(outcomes: dict[str, Outcome]) -> str:
    """What was not treated as it should be; mutants in the form of `equivalents.yaml`."""
    lines = []
    for name, outcome in outcomes.items():
        kinds = {
            "not caught": outcome.missed | outcome.pairs_missed,
            "not named": outcome.unnamed | outcome.styled_unnamed | outcome.pairs_unnamed,
            "not accepted": outcome.refused,
            "a false name": outcome.false_names,
        }
        lines += [f"{name}: {what}: {answer}" for what, answers in kinds.items() for answer in sorted(answers)]
        survivors = [{"answer": a, "mutant": m, "reason": "WHY?"} for a, m in sorted(outcome.survivors)]
        if survivors:
            lines.append(yaml.safe_dump({name: survivors}, width=10_000, sort_keys=False, allow_unicode=True))
    return "\n".join(lines) or "Nothing was missed."


# ---- what is published ----


def store(rows: list[Row], seeds: int, stored: Path = STORED, readme: Path = README) -> None:
    """Put rows into the stored result, and the table of all exercises into the README.

    Raises:
        ValueError: the README has no place for the table.
    """
    text = readme.read_text(encoding="utf-8")
    before = read(stored)["exercises"] if stored.exists() else []
    entries = {entry["exercise"]: entry for entry in before}
    entries |= {r.exercise: {**asdict(r), "seeds": seeds, "source": fingerprint(r.exercise)} for r in rows}
    result = {"exercises": [entries[name] for name in exercises.names() if name in entries]}
    filled = markdown.between(text, MARK, table(result))
    write(stored, json.dumps(result, indent=1) + "\n")
    write(readme, filled)


def read(stored: Path = STORED) -> dict:
    """The stored result: `{"exercises": [...]}`, each a row with its `seeds` and the `source` it was made of."""
    return json.loads(stored.read_text(encoding="utf-8"))


def stale(stored: Path = STORED, readme: Path = README) -> list[str]:
    """What the published result no longer says rightly, in words; measures nothing."""
    if not stored.exists():
        return [f"{stored.name} is not there"]
    entries = {entry["exercise"]: entry for entry in read(stored)["exercises"]}
    found = [f"{name} is no exercise any more" for name in entries if name not in exercises.names()]
    found += filter(None, [outdated(name, entries.get(name)) for name in exercises.names()])
    text = readme.read_text(encoding="utf-8")
    if markdown.between(text, MARK, table(read(stored))) != text:
        found.append("the README's table is not that of the stored result")
    return found


def outdated(name: str, entry: dict | None) -> str:
    """Why an exercise's entry in the stored result is not true any more and what to run; empty while it is."""
    if entry is None:
        return f"{name} is not measured: {_measuring(name)}"
    if entry["source"] != fingerprint(name):
        return f"{name} has changed since it was measured: {_measuring(name, entry)}"
    if (entry["wrong"], entry["variants"], entry["mechanical"]) != counts(name):
        return f"{name} has other wrong answers, variants or mutants now: {_measuring(name, entry)}"
    return ""


def _measuring(name: str, before: dict | None = None) -> str:
    """What to run, and what that costs if it is known."""
    cost = f" (some {before['cost']:.0f} s of one core)" if before and before["cost"] else ""
    return f"python course.py accuracy --seeds 20 --write --missed --exercise {name}{cost}"


def fingerprint(name: str) -> str:
    """A hash of the code that a measurement of an exercise depends on, and of its reference.

    What is only read may change: the card, a misconception's sentence, docstrings, comments, imports.
    """
    exercise = exercises.load(name)
    module = sys.modules[exercise.probes.__module__]
    parts = [inspect.getsource(module), text_of(exercise.right_answers[0])]
    if shared.__name__ in parts[0]:
        parts.append(inspect.getsource(shared))
    return hashlib.sha256("\n".join(map(_only_code, parts)).encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=64)
def _only_code(source: str) -> str:
    return ast.unparse(_OnlyCode().visit(ast.parse(source)))


class _OnlyCode(ast.NodeTransformer):
    """Leaves out of a syntax tree what does not run, or only shows something."""

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Drops it."""

    visit_ImportFrom = visit_Import

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Drops docstrings."""
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Drops the card and the sentences of misconceptions."""
        node.keywords = [k for k in node.keywords if k.arg not in ON_THE_CARD]
        if isinstance(node.func, ast.Name) and node.func.id == "misconception":
            node.args = node.args[:1]
        if isinstance(node.func, ast.Name) and node.func.id == "edit":
            del node.args[1]
        return self.generic_visit(node)


def table(result: dict) -> str:
    """The stored result as a Markdown table."""
    rows = [Row(**{field: entry[field] for field in Row.__dataclass_fields__}) for entry in result["exercises"]]
    last = [f"**{cell}**" for cell in (f"all {len(rows)}", *cells(total(rows), percent=True))]
    shown = markdown.table(("exercise", *HEADINGS), [*([f"`{r.exercise}`", *cells(r)] for r in rows), last])
    seeds = sorted({str(entry["seeds"]) for entry in result["exercises"]})
    note = (
        f"Over {' or '.join(seeds)} seeds; an answer counts only if it is so for each. In other styles: made with "
        "other right earlier pieces and with what the task leaves open, in turn from seed to seed. Two mistakes: "
        "two that go together, a seed. False names: of a mistake that is not in the answer; a name is right too where "
        "one of ours with that mistake does the same on three other seeds. Seconds: a first check on one core, and in "
        "the last row the slowest. All these answers are ours, so this is a regression test."
    )
    return f"{shown}\n\n{note}"


def cells(r: Row, of: str = " of ", percent: bool = False) -> list[str]:
    """A row's figures as text."""

    def fraction(part: int, whole: int) -> str:
        if not whole:
            return "-"
        # Rounded down: what was missed must not turn into 100.0 %.
        return f"{part}{of}{whole}" + (f" ({1000 * part // whole / 10:.1f} %)" if percent else "")

    return [
        fraction(r.caught, r.wrong),
        fraction(r.named, r.wrong),
        fraction(r.accepted, r.variants),
        fraction(r.mechanical_caught, r.mechanical),
        fraction(r.styled_named, r.styled),
        fraction(r.pairs_caught, r.pairs),
        fraction(r.pairs_named, r.pairs),
        str(r.false_names),
        f"{r.seconds:.2f}",
    ]
