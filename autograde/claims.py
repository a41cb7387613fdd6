"""Whether what the lessons conclude is true, on other seeds and with other right answers: `python course.py claims`.

A sentence that interprets what cells have printed has its claim after them in the lesson's source. The mark quotes the
sentence; the cell says what has to hold, of which figures, and of which others it must not hold:

    # %% claim="the borders are about as bad as the hourglass's"
    claim(
        lambda hourglass, zeroed: abs(zeroed - hourglass) < 0.5,
        *(errors["hourglass"], errors["skips zeroed"]),
        skips_kept=(errors["hourglass"], errors["U-Net"]),
    )

Such a cell is in nobody's notebook. Here each lesson runs with every solution in place and its claims among its cells:
with three offsets to all its seeds, and with two other sets of right answers in place of the course's.
"""

from __future__ import annotations

import ast
import datetime
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from autograde.build import MARKS, first_cell
from autograde.build_cache import LESSONS, lesson_names
from autograde.files import write
from autograde.nbgrader_course import ROOT
from helpers import answer_cells, exercises

STORED = ROOT / "docs" / "claims.json"
MARK = "claim"
# What a run changes: it adds this to every seed, and takes the variants of this number.
RUNS: dict[str, tuple[int, int | None]] = {
    "seed 0": (0, None),
    "seed 1": (1, None),
    "seed 2": (2, None),
    "answers 1": (0, 0),
    "answers 2": (0, 1),
}
# What computes in a lesson, apart from its own cells and the pieces: a change there may change what is seen.
COMPUTES = ("training.py", "crops.py", "metrics.py", "baseline.py", "eval_mode.py", "batch_norm.py")
SEED = re.compile(r"\bmanual_seed\(")
FIGURES = 4  # of a number that is kept


@dataclass
class Claims:
    """What was found, by the quoted sentence; in the kernel that runs the lesson."""

    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, quote: str) -> Callable[..., None]:
        """The `claim` of one cell."""

        def claim(holds: Callable[..., Any], *seen: Any, **others: Sequence[Any]) -> None:
            """Whether `holds` is true of what was seen, and false of each of `others`, by what these are."""
            if not others:
                raise TypeError(f"claim({quote!r}): say of which figures it does not hold: swapped=(b, a).")
            self.found[quote] = {
                "holds": bool(holds(*seen)),
                "also of": [name.replace("_", " ") for name, figures in others.items() if holds(*figures)],
                "seen": [_plain(value) for value in seen],
            }

        return claim


def _plain(value: Any) -> Any:
    """A figure as JSON keeps it."""
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _plain(value.tolist()) if hasattr(value, "tolist") else float(f"{value:.{FIGURES}g}")


def prepare(offset: int, answers: int | None) -> Claims:
    """In the kernel, before the lesson: move the seed of `fit`, and put other right answers in the pieces' place."""
    from helpers import training

    fit = training.fit

    @wraps(fit)
    def moved(*arguments: Any, seed: int = 0, **options: Any) -> Any:
        return fit(*arguments, seed=seed + offset, **options)

    training.fit = moved
    if answers is not None:
        for name in exercises.names():
            exercises.load(name).attempt.passed = _variant(name, answers).solution
    return Claims()


def _variant(name: str, number: int) -> Any:
    """A right answer that is not made of the course's own."""
    variants = exercises.load(name).variants
    whole = [
        one for one in variants if f"{name}_of_the_course" not in answer_cells.cell(one.solution, one.source, name)
    ]
    return whole[number % len(whole)]


@dataclass(frozen=True)
class Claim:
    """A claim of a lesson: the sentence it quotes, and its code."""

    quote: str
    source: str


def claims_of(lesson: str) -> list[Claim]:
    """Those in a lesson's source."""
    cells = jupytext.read(LESSONS / f"{lesson}.py", fmt="py:percent").cells
    return [Claim(cell.metadata[MARK], cell.source) for cell in cells if MARK in cell.metadata]


def unquoted(lesson: str) -> list[str]:
    """The quotes of a lesson's claims that are not in its text, once."""
    cells = jupytext.read(LESSONS / f"{lesson}.py", fmt="py:percent").cells
    text = " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())
    return [one.quote for one in claims_of(lesson) if text.count(one.quote) != 1]


def run(lesson: str, which: str) -> dict[str, dict[str, Any]]:
    """What became of a lesson's claims in one of `RUNS`.

    Raises:
        RuntimeError: a cell of the lesson fails.
    """
    offset, answers = RUNS[which]
    notebook = _notebook(lesson, offset, answers)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=None, allow_errors=True, resources={"metadata": {"path": folder}}, kernel_name="python3"
        )
        client.extra_arguments = ["--IPKernelApp.log_level=40"]  # no word of how the kernel is reached
        client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                where = cell.source.strip().splitlines()[0]
                raise RuntimeError(f"{lesson}, {which}: {output.ename}: {output.evalue} in the cell {where!r}")
    (said,) = [output.text for output in notebook.cells[-1].outputs if output.get("name") == "stdout"]
    found: dict[str, dict[str, Any]] = json.loads(said)
    return found


def _notebook(lesson: str, offset: int, answers: int | None) -> NotebookNode:
    """The solved lesson with its claims, prepared for a run."""
    script = jupytext.read(LESSONS / f"{lesson}.py", fmt="py:percent")
    prepared = f"from autograde.claims import prepare\n_claims = prepare({offset}, {answers})"
    cells = [first_cell(lesson), prepared]
    for cell in script.cells:
        if cell.cell_type == "code":
            cells.append(_code(cell, offset, answers))
    cells.append("import json as _json\nprint(_json.dumps(_claims.found))")
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])


def _code(cell: NotebookNode, offset: int, answers: int | None) -> str:
    name, source = cell.metadata.get("exercise"), str(cell.source)
    if name and answers is not None:
        one = _variant(name, answers)
        return answer_cells.cell(one.solution, one.source, name)
    if MARK in cell.metadata:
        return f"claim = _claims.of({cell.metadata[MARK]!r})\n{source}"
    if any(mark in cell.metadata for mark in MARKS):
        return source
    return SEED.sub(f"manual_seed({offset} + ", source)


def amiss(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the claims of a run, in words."""
    for quote, one in found.items():
        if not one["holds"]:
            yield f"does not hold of {one['seen']}: {quote}"
        for name in one["also of"]:
            yield f"holds as well with {name}, so it says nothing: {quote}"


def measure(lesson: str, tell: Callable[[str], None]) -> list[str]:
    """Run a lesson's claims in every way, keep what was found, and return what is amiss."""
    runs, wrong = {}, []
    for which in RUNS:
        runs[which] = run(lesson, which)
        problems = list(amiss(runs[which]))
        tell(f"{lesson}, {which}: {len(runs[which])} claims, {len(problems) or 'nothing'} amiss")
        wrong += [f"{lesson}, {which}: {problem}" for problem in problems]
    kept = {**read(), lesson: {"day": str(datetime.date.today()), "of": fingerprint(lesson), "runs": runs}}
    ordered = {name: kept[name] for name in lesson_names() if name in kept}
    write(STORED, json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")
    return wrong


def read() -> dict[str, dict[str, Any]]:
    """What is kept, by lesson."""
    return json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}


def stale() -> list[str]:
    """The lessons whose claims, or what these depend on, have changed since they were run, with what to run."""
    kept = read()
    return [
        f"{name}: python course.py claims {name}"
        for name in lesson_names()
        if claims_of(name) and kept.get(name, {}).get("of") != fingerprint(name)
    ]


def fingerprint(lesson: str) -> str:
    """A hash of what decides a lesson's claims: its code and quotes, the answers, and what computes in the course."""
    cells = jupytext.read(LESSONS / f"{lesson}.py", fmt="py:percent").cells
    parts = [cell.metadata.get(MARK, "") + _tree(cell.source) for cell in cells if cell.cell_type == "code"]
    text = "\n".join(parts)
    parts += [_tree(answer) for name in exercises.names() if name in text for answer in _answers(name)]
    return _hash([*parts, computing(text)])


@cache
def _answers(name: str) -> list[str]:
    exercise = exercises.load(name)
    ours = exercise.right_answers[0]
    return [ours.source, *(_variant(name, number).source for number in (0, 1))]


def computing(source: str) -> str:
    """A hash of what computes in the course where `source` trains and scores networks: pieces only that it names."""
    texts = [_tree((ROOT / "helpers" / name).read_text(encoding="utf-8")) for name in COMPUTES]
    reached, known = "\n".join([source, *texts]), dict(_references())
    while new := [text for text, names in known.items() if names & set(re.findall(r"\w+", reached))]:
        texts += new
        reached = "\n".join(new)
        known = {text: names for text, names in known.items() if text not in new}
    return _hash(sorted(texts))


@cache
def _references() -> dict[str, set[str]]:
    """The code of each file of pieces, with the names that it defines."""
    found = {}
    for path in sorted((ROOT / "helpers" / "reference").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        found[_tree(path.read_text(encoding="utf-8"))] = names
    return found


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _tree(source: str) -> str:
    """Python without comments, docstrings and layout."""
    tree = ast.parse(re.sub(r"^(\s*)%.*", r"\1pass", source, flags=re.MULTILINE))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
