"""`docs/architecture.md`: the parts of the course and what each imports, read from the source.

A part is a package or a module of `helpers`, the exercises' files together, or all of `autograde`. It stands on the
floor above the highest one that it imports from, so an arrow never leads up.
"""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

from autograde import markdown
from autograde.build_cache import ROOT

PAGE = ROOT / "docs" / "architecture.md"
EXERCISES = "exercise_files"
NOTEBOOKS = ("autograde.lessons", "autograde.site_source")  # notebooks to be, which nothing imports
TEXT = """\
# How the course is built

```mermaid
flowchart TB
{arrows}
```

Drawn from the imports by `python course.py architecture`; `tests/test_layers.py` holds it to them. A part imports
from the floors below its own, never from one above. An arrow is left out where others lead there, too.
`notebooks/` are made from `autograde/lessons/` by `autograde.build`, and import `helpers` alone.

{table}
"""


def modules() -> dict[str, Path]:
    """Every module of `helpers` and `autograde` by its dotted name; what becomes a notebook is none."""
    files = [path for top in ("helpers", "autograde") for path in sorted((ROOT / top).rglob("*.py"))]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files}
    return {name: path for path, name in names.items() if not name.startswith(NOTEBOOKS)}


def imports() -> dict[str, set[str]]:
    """Module to the modules of the course that it imports, at its top, in a function or for types only."""
    known, found = modules(), {}
    for name, path in known.items():
        named: list[str] = []
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named += [f"{node.module}.{alias.name}" for alias in node.names]
        found[name] = {n if n in known else n.rpartition(".")[0] for n in named} & set(known) - {name}
    return found


def parts(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Part to the parts it imports, from `imports`."""
    graph: dict[str, set[str]] = {_part(name): set() for name in found}
    for name, others in found.items():
        graph[_part(name)] |= {_part(other) for other in others} - {_part(name)}
    return graph


def floors(graph: dict[str, set[str]]) -> list[list[str]]:
    """The names by floor, from the lowest, which imports nothing.

    Raises:
        ValueError: some import each other in a circle; the message names them.
    """
    sorter, found = graphlib.TopologicalSorter(graph), []
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        raise ValueError(f"These import each other in a circle: {', '.join(sorted(set(error.args[1])))}.") from None
    while sorter.is_active():
        found.append(sorted(sorter.get_ready()))
        sorter.done(*found[-1])
    return found


def arrows(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Who imports whom, without what a way over other arrows says already."""
    through = {name: set().union(*(_reached(graph, other) for other in others)) for name, others in graph.items()}
    return {(name, other) for name, others in graph.items() for other in others - through[name]}


def page() -> str:
    """The text of `docs/architecture.md`."""
    # `helpers` itself is a list of names that a notebook imports.
    graph = {name: others - {"helpers"} for name, others in parts(imports()).items() if name != "helpers"}
    lines = (f"    {name} --> {other}" for name, other in sorted(arrows(graph)))
    rows = (
        (number, f"`{name}`", _purpose(name), ", ".join(f"`{_short(other)}`" for other in sorted(graph[name])))
        for number, floor in reversed(list(enumerate(floors(graph))))
        for name in floor
    )
    return TEXT.format(
        arrows="\n".join(lines),
        table=markdown.table(("floor", "part", "what it is for", "imports"), rows),
    )


def _part(module: str) -> str:
    first, *rest = module.split(".")
    if first == "autograde" or not rest:
        return first
    return EXERCISES if rest[0] == "exercises" and len(rest) > 1 else f"{first}.{rest[0]}"


def _reached(graph: dict[str, set[str]], name: str) -> set[str]:
    return graph[name].union(*(_reached(graph, other) for other in graph[name]))


def _short(name: str) -> str:
    return name.removeprefix("helpers.")


def _purpose(part: str) -> str:
    """The first line of its docstring."""
    if part == EXERCISES:
        return "Everything about one exercise each."
    said = ast.get_docstring(ast.parse(modules()[part].read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].replace("|", "\\|")
